"""The configuration of hadolint as one of dockfix, and what has no counterpart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, field

from dockfix.project.hadolint_config import SEVERITIES, HadolintConfig
from dockfix.project.toml_text import toml_text
from dockfix.rule.lazy import LazyClass
from dockfix.rule.model import Preset
from dockfix.rule.naming import UnknownRuleError
from dockfix.rule.options import options_of
from dockfix.rule.peers import HADOLINT, known_code
from dockfix.rule.registry import Registry

__all__ = ["Migration", "Note", "migrated"]

REGISTRIES: Final = ("allowed-registries", "registries")
LABELS: Final = ("label-schema", "labels")
STRICT: Final = ("label-schema", "strict")
"""The options that take over keys of hadolint: the rule and the key."""

_FORMATS: Final = {
    "tty": "text",
    "gnu": "text",
    "json": "json",
    "checkstyle": "checkstyle",
    "gitlab_codeclimate": "gitlab",
    "codeclimate": "gitlab",
    "junit": "junit",
    "sarif": "sarif",
}
"""The formats of hadolint, each with that of dockfix; the others have none."""


_OFF: Final = frozenset({"DL1001"})
"""The codes that hadolint itself does not report by default, apart from those that need options."""


class Note(Struct, frozen=True):
    """What has no counterpart, or another meaning, and why; `line` is that of the key in the file of hadolint."""

    line: int | None
    message: str


class Migration(Struct, frozen=True):
    """A configuration of dockfix.

    Args:
        config: the keys and their values.
        comments: what is said next to codes.
        notes: what has no counterpart, in the order of the lines.
    """

    config: dict[str, object]
    comments: dict[str, str]
    notes: tuple[Note, ...]

    def text(self, *header: str) -> str:
        """The configuration as TOML, in a table of this name or at the top."""
        return toml_text(self.config, header, self.comments)


def migrated(config: HadolintConfig, registry: Registry) -> Migration:
    """The configuration of dockfix that means the same as one of hadolint, as far as there is one."""
    work = _Work(config, registry)
    work.codes()
    work.registries_and_labels()
    work.failing()
    work.command_line()
    ordered: dict[str, object] = {key: work.config[key] for key in _ORDER if key in work.config}
    notes = sorted(work.notes, key=lambda note: note.line or 0)
    return Migration(ordered, work.comments, tuple(notes))


_ORDER: Final = ("extend-select", "ignore", "fail-level", "severity", "rules")


class _Work(Struct):
    source: HadolintConfig
    registry: Registry
    config: dict[str, object] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    selected: dict[str, None] = field(default_factory=dict)
    """Rules and codes for `extend-select`, in order."""

    def note(self, message: str, *keys: str, code: str = "") -> None:
        """Note something about a key, or a code in its list."""
        line = self.source.lines.get((keys[-1], code)) if keys else None
        self.notes.append(Note(self.source.line_of(keys) if line is None else line, message))

    def codes(self) -> None:
        """`ignored` and `override`."""
        ignored = self._answered(self.source.ignored, "ignored")
        if ignored:
            self.config["ignore"] = ignored
        self._note_whole_rules(ignored)
        severities: dict[str, str] = {}
        by_rule: dict[str, str] = {}
        for severity in SEVERITIES:  # the highest first, as in hadolint
            answered = self._answered(self.source.override.get(severity, ()), "override", severity)
            if answered and severity == "style":
                self.note("dockfix has no severity `style`; `info` is used", "override", "style")
            for code in answered:
                if code in severities or code in ignored:
                    continue
                severities[code] = "info" if severity == "style" else severity
                self._note_conflict(code, severities[code], by_rule, severity)
                if all(rule.preset is not Preset.RECOMMENDED for rule in self.registry.named(code)):
                    self.selected[code] = None
        if severities:
            self.config["severity"] = severities
        self._note_opt_in({*ignored, *self.selected})
        if self.selected:
            self.config["extend-select"] = list(self.selected)

    def _answered(self, codes: Iterable[str], *keys: str) -> list[str]:
        """The codes that a rule answers; the others are noted."""
        found: dict[str, None] = {}
        shellcheck: list[str] = []
        for written in codes:
            code = known_code(written)
            try:
                rules = self.registry.named(written)
            except UnknownRuleError as error:
                if code is None:
                    self.note(f"{'.'.join(keys)}: hadolint has no code {written!r}; left out", *keys, code=written)
                elif code in HADOLINT:
                    self.note(f"{'.'.join(keys)}: {error}", *keys, code=written)
                else:
                    shellcheck.append(code)
                continue
            name = code or written
            found[name] = None
            remark = self.source.remarks.get((keys[-1], written), "")
            self.comments.setdefault(name, ", ".join(rule.name for rule in rules) + (f": {remark}" if remark else ""))
        if shellcheck:
            these = f"{', '.join(shellcheck)}: {'a code' if len(shellcheck) == 1 else 'codes'} of ShellCheck"
            self.note(f"{'.'.join(keys)}: {these}, which the rule `shellcheck` shows; nothing to do", *keys)
        return list(found)

    def _note_whole_rules(self, ignored: list[str]) -> None:
        """Say which codes are ignored with others, since one rule answers them all."""
        for rule in self.registry.codemods:
            own = sorted(code for code in rule.hadolint if code in ignored)
            others = sorted(code for code in rule.hadolint if code not in ignored)
            if own and others:
                also = ", ".join(others)
                self.note(f"ignored: {', '.join(own)} ignores {rule.name}, which also answers {also}", "ignored")

    def _note_conflict(self, code: str, severity: str, by_rule: dict[str, str], key: str) -> None:
        for rule in () if self.registry.is_code(code) else self.registry.named(code):
            if by_rule.setdefault(rule.name, severity) != severity:
                message = f"override: {code} is answered by {rule.name}, which gets the severity {by_rule[rule.name]}"
                self.note(message, "override", key)

    def _note_opt_in(self, named: set[str]) -> None:
        """Say which rules for codes of hadolint do not run by default."""
        off = [
            f"{rule.name} ({', '.join(sorted(rule.hadolint))})"
            for rule in self.registry.codemods
            if rule.hadolint - _OFF and rule.preset is not Preset.RECOMMENDED and not rule.hadolint & named
            if not rule.needs_options
        ]
        if off:
            self.note(f"these rules do not run by default; `extend-select` turns them on: {', '.join(off)}")

    def registries_and_labels(self) -> None:
        """`trustedRegistries`, `label-schema` and `strict-labels`."""
        source = self.source
        if source.trusted_registries:
            self._option(REGISTRIES, list(source.trusted_registries), "trustedRegistries")
        if source.label_schema:
            self._option(LABELS, dict(source.label_schema), "label-schema")
        if source.strict_labels and source.label_schema:
            self._option(STRICT, True, "strict-labels")
        elif source.strict_labels:
            self.note("strict-labels: has no effect without label-schema; left out", "strict-labels")

    def _option(self, option: tuple[str, str], value: object, key: str) -> None:
        """Set an option of a rule, and turn the rule on."""
        rule, name = option
        codemod = next((each for each in self.registry.codemods if each.name == rule), None)
        kind = codemod.options if codemod is not None else None
        known = (
            {each.key for each in options_of(kind.resolve() if isinstance(kind, LazyClass) else kind)} if kind else ()
        )
        if codemod is None or name not in known:
            self.note(f"{key}: no installed rule has an option for it; left out", key)
            return
        rules = self.config.setdefault("rules", {})
        assert isinstance(rules, dict)  # noqa: S101 - made above
        rules.setdefault(rule, {})[name] = value
        if codemod.preset is not Preset.RECOMMENDED and rule not in self.selected:
            self.selected[rule] = None
            self.config["extend-select"] = list(self.selected)

    def failing(self) -> None:
        """`failure-threshold` and `no-fail`."""
        threshold = self.source.failure_threshold
        if self.source.no_fail:
            self.config["fail-level"] = "none"
            self.note("no-fail: a file that cannot be checked still fails, with exit code 2", "no-fail")
        elif threshold in ("error", "warning", "info"):
            self.config["fail-level"] = threshold
        elif threshold is not None:
            self.config["fail-level"] = "info"
            meaning = "the lowest severity of dockfix is `info`"
            if threshold != "style":
                meaning = f"in hadolint it means that every finding fails, and {meaning}"
            self.note(f"failure-threshold: {threshold}: {meaning}", "failure-threshold")

    def command_line(self) -> None:
        """The keys that are options of the command line, or have no counterpart."""
        source = self.source
        for name, key in _formats_with_keys(source):
            if name in _FORMATS:
                self.note(f"{key}: {name}: use `dockfix check --format {_FORMATS[name]}`", key)
            else:
                self.note(f"{key}: {name}: dockfix does not have this format; see docs/formats.md", key)
        if source.no_color:
            self.note("no-color: use `--color never`, or set NO_COLOR", "no-color")
        if source.verbose:
            self.note("verbose: use `--verbose`", "verbose")
        if source.disable_ignore_pragma:
            self.note(
                "disable-ignore-pragma: dockfix always honours ignore comments; the rule `ignore-comment` with its"
                " option `forbid` reports them",
                "disable-ignore-pragma",
            )


def _formats_with_keys(source: HadolintConfig) -> Iterator[tuple[str, str]]:
    for name in source.formats:
        yield name, "formats" if source.line_of(("formats",)) is not None else "format"
