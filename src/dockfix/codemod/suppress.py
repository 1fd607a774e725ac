"""Comments that silence rules.

- `# dockfix: ignore=rule[,rule] because ...` above an instruction: for that instruction.
- `# dockfix: ignore-file=rule[,rule] because ...` anywhere: for the file.
- `# hadolint ignore=DL3042,...` above an instruction, `# hadolint global ignore=...`: for the rules that correspond.
- `# check=skip=RuleName,...` (a BuildKit directive): likewise, for the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dockfix.codemod.model import Codemod
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Comment, Dockerfile, Instruction

_OURS = re.compile(r"dockfix:\s*(ignore|ignore-file)\s*=\s*([a-z0-9*-]+(?:\s*,\s*[a-z0-9*-]+)*)(?:\s+(.*))?", re.I)
_HADOLINT = re.compile(r"hadolint\s+(global\s+)?ignore\s*=\s*([A-Z0-9]+(?:\s*,\s*[A-Z0-9]+)*)", re.I)
_PRAGMA = re.compile(
    r"(dockfix\s*:|hadolint\s|check\s*=|syntax\s*=|escape\s*=|tally\s|shellcheck\s|renovate\s*:|nosemgrep|checkov|trivy|kics)",
    re.I,
)


def is_pragma(comment: Comment) -> bool:
    """Whether a comment is read by a tool, so that it must stay with the instruction that it stands above."""
    return _PRAGMA.match(comment.text) is not None


def silences_file(comment: Comment) -> bool:
    """Whether a comment silences rules for the whole file that it stands in."""
    ours, theirs = _OURS.match(comment.text), _HADOLINT.match(comment.text)
    return bool((ours and ours.group(1).lower() == "ignore-file") or (theirs and theirs.group(1)))


def comments_above(dockerfile: Dockerfile) -> Iterator[tuple[Instruction, tuple[Comment, ...]]]:
    """Each instruction with the comments directly above it, as `Dockerfile.above` gives them, in one go."""
    above: list[Comment] = []
    for node in dockerfile.nodes:
        if isinstance(node, Comment):
            above.append(node)
            continue
        if isinstance(node, Instruction):
            yield node, tuple(above)
        above.clear()


@dataclass(frozen=True)
class Suppressions:
    """What a Dockerfile's comments silence."""

    dockerfile: Dockerfile

    @cached_property
    def _everywhere(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        rules: set[str] = set()
        hadolint: set[str] = set()
        for comment in self._comments:
            ours = _OURS.match(comment.text)
            if ours and ours.group(1).lower() == "ignore-file":
                rules |= _names(ours.group(2))
            theirs = _HADOLINT.match(comment.text)
            if theirs and theirs.group(1):
                hadolint |= {name.upper() for name in _names(theirs.group(2))}
        check = self.dockerfile.directives.get("check")
        skips = [part for part in (check.value.split(";") if check else []) if part.strip().lower().startswith("skip=")]
        checks = {name.lower() for part in skips for name in _names(part.partition("=")[2])}
        return frozenset(rules), frozenset(hadolint), frozenset(checks)

    @cached_property
    def _comments(self) -> tuple[Comment, ...]:
        nodes = [node for node in self.dockerfile.nodes if isinstance(node, Comment)]
        inner = [comment for node in self.dockerfile.instructions for comment in node.comments]
        return tuple(nodes + inner)

    def silences(self, codemod: Codemod, at: Span) -> bool:
        """Whether a finding of a codemod at a place is silenced."""
        rules, hadolint, checks = self._everywhere
        if rules & {codemod.name, "*", "all"} or hadolint & codemod.hadolint:
            return True
        if checks & {"all", *(name.lower() for name in codemod.checks)} and codemod.checks:
            return True
        for comment in self._above(at):
            ours = _OURS.match(comment.text)
            if ours and ours.group(1).lower() == "ignore" and _names(ours.group(2)) & {codemod.name, "*", "all"}:
                return True
            theirs = _HADOLINT.match(comment.text)
            if theirs and {name.upper() for name in _names(theirs.group(2))} & codemod.hadolint:
                return True
        return False

    @cached_property
    def _blocks(self) -> tuple[tuple[Span, tuple[Comment, ...]], ...]:
        return tuple((node.lines, comments) for node, comments in comments_above(self.dockerfile))

    def _above(self, at: Span) -> tuple[Comment, ...]:
        """The comments above the instruction that holds a place."""
        index = bisect_right(self._blocks, at.start, key=lambda block: block[0].start) - 1
        if index < 0:
            return ()
        lines, comments = self._blocks[index]
        return comments if at.start < max(lines.end, lines.start + 1) else ()

    def unknown_rules(self, known: frozenset[str]) -> list[tuple[int, str]]:
        """Names in `dockfix:` comments that no rule has, with their lines."""
        found = []
        for comment in self._comments:
            ours = _OURS.match(comment.text)
            if ours:
                names = _names(ours.group(2)) - known - {"*", "all"}
                found += [(comment.line, name) for name in sorted(names)]
        return found


def silences_in_text(text: str, rule: str, line: int) -> bool:
    """Whether a `dockfix:` comment of a file that is no Dockerfile silences a rule at a line (from 1).

    It stands on the line itself, or on comment lines directly above it; `ignore-file` anywhere.
    """
    if "dockfix" not in text:
        return False
    lines = text.split("\n")
    for number, each in enumerate(lines, 1):
        found = _OURS.match(each.partition("#")[2].strip())
        if found is None or not _names(found.group(2)) & {rule, "*", "all"}:
            continue
        if found.group(1).lower() == "ignore-file" or number == line:
            return True
        between = lines[number : line - 1]
        if number < line and each.lstrip().startswith("#") and all(row.lstrip().startswith("#") for row in between):
            return True
    return False


def _names(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
