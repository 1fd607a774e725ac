"""What holds for some files of a run only: which rules are ignored there, and in which context they are built.

Patterns are those of `.gitignore`, relative to the project root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from dockfix.project.gitignore import GitIgnore

__all__ = ["NO_POLICY", "PathPattern", "Policy", "TargetContext"]


class PathPattern(Struct, frozen=True, dict=True):
    """A pattern of `.gitignore`; one that begins with `!` matches the files that the rest of it does not match.

    `line` is its line in the configuration.
    """

    text: str
    line: int | None = field(default=None)

    @cached_property
    def _rules(self) -> GitIgnore:
        return GitIgnore([self.text.removeprefix("!")])

    def matches(self, display: str) -> bool:
        """Whether a file, or a folder above it, matches; `display` is its path relative to the root, with `/`."""
        folder = display.rpartition("/")[0]
        found = self._rules.verdict(display) or bool(folder and self._rules.ignores_below(folder))
        return found is not self.text.startswith("!")


class Policy(Struct, frozen=True):
    """The severities of rules, and the rules that are ignored in some files.

    Args:
        severity: severities that override those of the findings, by rule or code.
        per_file_ignores: patterns of files, each with the rules and codes that are ignored there.
        selected: the rules that run; None for all rules of the run.
        named: the rules and codes that the run names, as far as rules have codes of their own.
        only_named: the rules that run only for the codes in `named`.
        ignored_codes: the codes of findings that are ignored.
    """

    severity: Mapping[str, str] = field(default_factory=dict)
    per_file_ignores: Sequence[tuple[PathPattern, frozenset[str]]] = ()
    selected: frozenset[str] | None = None
    named: frozenset[str] = frozenset()
    only_named: frozenset[str] = frozenset()
    ignored_codes: frozenset[str] = frozenset()

    def ignores(self, rule: str, display: str) -> bool:
        """Whether a rule is ignored in a file; `display` is its path relative to the root, with `/`."""
        if self.selected is not None and rule not in self.selected:
            return True
        return self._ignores_in(rule, display)

    def ignores_code(self, rule: str, code: str, display: str) -> bool:
        """Whether the findings of a rule that have a code are ignored in a file."""
        if code in self.ignored_codes or (rule in self.only_named and code not in self.named):
            return True
        return self._ignores_in(code, display)

    def _ignores_in(self, name: str, display: str) -> bool:
        return any(name in names and pattern.matches(display) for pattern, names in self.per_file_ignores)


NO_POLICY: Final = Policy()


class TargetContext(Struct, frozen=True):
    """The build context of the Dockerfiles that match a pattern: an entry of `targets` in the configuration.

    Args:
        files: the patterns; one match is enough.
        base: the folder that relative contexts are relative to.
        context: a folder, in which `{dir}` is the folder of the Dockerfile and `{root}` is the project root.
        build_contexts: named contexts, with the same words.
        config: the configuration file, for messages.
        line: the line of the context in it.
    """

    files: Sequence[PathPattern]
    base: Path
    context: str | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    config: Path | None = field(default=None)
    line: int | None = field(default=None)

    @property
    def is_per_file(self) -> bool:
        """Whether the context depends on the folder of the Dockerfile."""
        return self.context is not None and "{dir}" in self.context

    def matches(self, display: str) -> bool:
        """Whether it is for a Dockerfile; `display` is its path relative to the root, with `/`."""
        return any(pattern.matches(display) for pattern in self.files)

    def context_of(self, dockerfile: Path, root: Path) -> Path | None:
        """The build context of a Dockerfile, given by its real path."""
        return None if self.context is None else Path(self.base, _filled(self.context, dockerfile, root))

    def named_contexts_of(self, dockerfile: Path, root: Path) -> dict[str, str]:
        """The named contexts of a Dockerfile, given by its real path."""
        return {name: _filled(value, dockerfile, root) for name, value in self.build_contexts.items()}


def _filled(text: str, dockerfile: Path, root: Path) -> str:
    """The text with the folders that its words stand for; a folder may itself contain such a word."""
    words = {"{dir}": str(dockerfile.parent), "{root}": str(root)}
    parts = text.split("{dir}")
    return words["{dir}"].join(part.replace("{root}", words["{root}"]) for part in parts)
