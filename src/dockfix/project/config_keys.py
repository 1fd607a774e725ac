"""The keys of the configuration: the values that each takes, what it does, and its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from dockfix.project.problems import closest

__all__ = [
    "KEYS", "PRESETS", "RUN_KEYS", "SEVERITIES", "TARGET_KEYS", "Key", "LineOf",
    "is_strings", "kind_of", "shortened", "unknown_key",
]  # fmt: skip

LineOf: TypeAlias = Callable[[Sequence[str]], int | None]
"""The line of a key, given as its path from the top; None if it is not known. A table of a list has its number."""

_MAX_BITS: Final = 64
_MAX_SHOWN: Final = 60

SEVERITIES: Final = ("error", "warning", "info")
"""The severities of findings, the highest first."""

PRESETS: Final = ("recommended", "strict", "all")
"""The presets, the smallest first."""

TARGET_KEYS: Final = ("files", "context", "build-contexts")
"""The keys of a table of `targets`."""

RUN_KEYS: Final = ("exclude", "force-exclude", "respect-gitignore", "unsafe", "jobs", "fail-level", "baseline")
"""The keys that concern a run as a whole: those of nested files have no effect."""


def is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_string_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def _is_table_of_lists(value: object) -> bool:
    return isinstance(value, dict) and all(is_strings(item) for item in value.values())


class Key(Struct, frozen=True):
    """A key of the configuration.

    Args:
        expected: the values that it takes, in words.
        accepts: whether it takes a value.
        schema: the values that it takes, as JSON schema.
        doc: what it does.
        default: what applies without it.
    """

    expected: str
    accepts: Callable[[object], bool]
    schema: Mapping[str, object]
    doc: str
    default: str


_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_BOOLEAN: Final = {"type": "boolean"}
_STRING_TABLE: Final = {"type": "object", "additionalProperties": {"type": "string"}}


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


KEYS: Final[Mapping[str, Key]] = {
    "preset": Key(
        "recommended, strict or all",
        lambda value: value in PRESETS,
        {"type": "string", "enum": [*PRESETS]},
        "The rules to run: `recommended` has those that nearly everyone agrees with; `strict` also those that ask for"
        " more work, or for a habit that not every team has; `all` also contested ones, and those that need options."
        " `extend-select` adds rules, `ignore` leaves rules out.",
        "`recommended`",
    ),
    "select": Key(
        "a list of rule names",
        lambda value: is_strings(value) and value != [],  # an empty list could mean no rule or all of them
        {**_STRINGS, "minItems": 1},
        "The rules to run, exactly these. Cannot be combined with `preset`. Here and in all other keys, a rule may also"
        " be named by a code of hadolint (`DL3008`) or a build check of BuildKit (`StageNameCasing`), which means"
        " all rules that [answer it](hadolint.md), or of ShellCheck (`SC2086`), which means only the findings that have"
        " it.",
        "the rules of `preset`",
    ),
    "extend-select": Key(
        "a list of rule names",
        is_strings,
        _STRINGS,
        "Rules to run in addition to those of `select` or `preset`.",
        "none",
    ),
    "ignore": Key("a list of rule names", is_strings, _STRINGS, "Rules not to run.", "none"),
    "severity": Key(
        "a table of rules and severities (error, warning or info)",
        lambda value: isinstance(value, dict) and all(each in SEVERITIES for each in value.values()),
        {"type": "object", "additionalProperties": {"type": "string", "enum": [*SEVERITIES]}},
        "The severities of rules, where they differ from the rule's own. A finding that the rule itself reports with a"
        " lower severity keeps that one.",
        "the severity of each rule",
    ),
    "per-file-ignores": Key(
        "a table of patterns and lists of rule names",
        _is_table_of_lists,
        {"type": "object", "additionalProperties": _STRINGS},
        "Rules not to run in some files: patterns as in `.gitignore`, relative to the project root, each with the rules"
        " that are ignored in the files that match. A pattern that begins with `!` is for the files that do not match."
        " A fix that would also change such a file is not offered.",
        "none",
    ),
    "fail-level": Key(
        "error, warning, info or none",
        lambda value: value in (*SEVERITIES, "none"),
        {"type": "string", "enum": [*SEVERITIES, "none"]},
        "The lowest severity of a finding for which `dockfix check` exits with code 1; `none`: no finding does. What"
        " dockfix does not fix and reports with severity info never counts.",
        "`info`, but advice of severity info, for which no fix is known, counts only if the level is set to `info`",
    ),
    "baseline": Key(
        "the path of a file",
        _is_path,
        {"type": "string"},
        "The file with accepted findings, which `dockfix check` does not show, relative to the configuration file."
        " `dockfix baseline` writes it.",
        "none",
    ),
    "unsafe": Key("true or false", _is_boolean, _BOOLEAN, "Whether to also apply fixes that need review.", "`false`"),
    "exclude": Key(
        "a list of patterns",
        is_strings,
        _STRINGS,
        "Files and folders that a search leaves out: patterns as in `.gitignore`, relative to the project root.",
        "none",
    ),
    "force-exclude": Key(
        "true or false",
        _is_boolean,
        _BOOLEAN,
        "Whether `exclude` also applies to files and folders that are named on the command line, as hooks do.",
        "`false`",
    ),
    "respect-gitignore": Key(
        "true or false", _is_boolean, _BOOLEAN, "Whether a search leaves out the files that git ignores.", "`true`"
    ),
    "context": Key(
        "the path of a folder",
        _is_path,
        {"type": "string"},
        "The build context of every Dockerfile, relative to the configuration file.",
        "the context that compose and bake files give",
    ),
    "build-contexts": Key(
        "a table of names and references",
        _is_string_table,
        _STRING_TABLE,
        "Named contexts, as for `docker build --build-context`; folders are relative to the project root.",
        "none",
    ),
    "targets": Key(
        "a list of tables with `files`, and `context` or `build-contexts`",
        lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
        {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["files"],
                "anyOf": [{"required": ["context"]}, {"required": ["build-contexts"]}],
                "properties": {
                    "files": {"anyOf": [{"type": "string"}, {**_STRINGS, "minItems": 1}]},
                    "context": {"type": "string"},
                    "build-contexts": _STRING_TABLE,
                },
            },
        },
        "The build contexts of the Dockerfiles that match a pattern as in `.gitignore`, relative to the project root."
        " `context` is relative to the configuration file; in it and in `build-contexts`, `{dir}` is the folder of the"
        " Dockerfile and `{root}` is the project root. The last table that matches a Dockerfile applies. It overrides"
        " `context`, and the contexts of compose and bake files; `--context` overrides it. A context that is not a"
        " folder of the project is an error.",
        "none",
    ),
    "jobs": Key(
        "a whole number from 1 on",
        _is_positive,
        {"type": "integer", "minimum": 1},
        "How many processes to use for many files; never more than there are processors.",
        "one per processor",
    ),
    "base-images": Key(
        "a table of images and the images that they are based on",
        _is_string_table,
        _STRING_TABLE,
        "Your own base images, each with the public image that it is based on.",
        "none",
    ),
    "rules": Key(
        "a table with the options of rules",
        lambda value: isinstance(value, dict),
        {"type": "object"},
        "The options of rules: a table for each rule.",
        "none",
    ),
}
"""The keys of the configuration, by name."""

_MOVED: Final[Mapping[str, str]] = {
    "rules": "a list of rules is now `select`; `rules` is a table with the options of rules",
    "skip": "`skip` is now `ignore`",
    "uid-map": "`uid-map` is now `users` of the table `rules.uid-map`",
    "image-lock": "`image-lock` is now `lock-file` of the table `rules.image-pin`",
    "recommended-env": "`recommended-env` is now `images` of the table `rules.recommended-env`",
}
"""Keys of earlier versions, with their new names."""


def unknown_key(key: str) -> str:
    if key in _MOVED:
        return _MOVED[key]
    close = closest(key, KEYS)
    hint = f"; did you mean {close!r}?" if close else f"; the keys are {', '.join(KEYS)}"
    return f"unknown key {key!r}{hint}"


def kind_of(value: object) -> str:
    """A value as a message calls it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number of more than 64 bits" if _is_long(value) else f"the number {value}"
        case str():
            return f"the string {shortened(value)!r}"
        case []:
            return "an empty list"
        case list():
            return "a list" if is_strings(value) else "a list of values that are not all strings"
        case dict():
            return "a table"
        case None:
            return "nothing"
        case _:
            return f"a {type(value).__name__}"


def _is_long(value: float) -> bool:
    return isinstance(value, int) and value.bit_length() > _MAX_BITS


def shortened(text: str) -> str:
    """A text as a message shows it."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
