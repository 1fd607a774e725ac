"""Options of a rule: declared on the rule as a dataclass, and read from `rules.<name>` of the configuration.

A rule declares a frozen dataclass in which every field has a default, and reads its options from the target:

    class MyOptions(Struct, frozen=True):
        \"\"\"Options of `my-rule`.

        Args:
            limit: how many steps a stage may have.
        \"\"\"

        limit: int = 10

        def __post_init__(self) -> None:
            if self.limit < 1:
                raise ValueError("limit must be at least 1")

    def check(target: Target) -> Iterator[Finding]:
        limit = target.options(MyOptions).limit

    CODEMOD: Final = Codemod(name="my-rule", ..., check=check, options=MyOptions)

The key of a field is its name with hyphens. A field is of type `bool`, `int`, `float`, `str`, `Path` (relative to the
configuration file), `TextFile`, `Literal[...]`, an `Enum`, or a `tuple`, `list` or `Mapping` of these, or of one of
them or None. Limits are checked in `__post_init__`, whose `ValueError` names the field first.
"""

from __future__ import annotations

import enum
import inspect
import os
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from dockfix.project.files import read_file
from dockfix.project.problems import InputError, closest
from dockfix.rule.lazy import LazyClass

RuleOptions = Mapping[type[Any], object]
"""The configured options, by the class that a rule declares."""

_MAX_SHOWN: Final = 60


class TextFile:
    """A file that an option names, with its text; the configuration has its path, relative to the configuration file.

    The file is read with the configuration, so that a rule needs no I/O and a missing file ends the run with an error.
    """

    __slots__ = ("path", "text")

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextFile) and (self.path, self.text) == (other.path, other.text)

    def __hash__(self) -> int:
        return hash((self.path, self.text))

    def __repr__(self) -> str:
        return f"TextFile({str(self.path)!r})"


class OptionError(Exception):
    """Options that are wrong. `keys` is the path of the wrong key below `rules`, beginning with the rule's name."""

    def __init__(self, keys: Sequence[str], message: str) -> None:
        super().__init__(message)
        self.keys = tuple(keys)
        self.message = message

    @property
    def place(self) -> str:
        """The dotted name of the wrong key."""
        return ".".join(("rules", *self.keys))


class Option(Struct, frozen=True):
    """One option of a rule: its key, type, default and documentation."""

    key: str
    field: str
    type: Any
    default: object
    doc: str


def check_options_class(kind: type[Any]) -> str | None:
    """What is wrong with a class that a rule declares as its options; None if it is fit."""
    if not is_dataclass(kind):
        return f"{kind.__name__} is not a dataclass"
    required = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    return f"{kind.__name__}.{required[0]} has no default" if required else None


def options_of(kind: type[Any]) -> tuple[Option, ...]:
    """The options that a class declares, in order."""
    hints, docs, defaults = get_type_hints(kind), _field_docs(kind), kind()
    return tuple(
        Option(
            key=each.name.replace("_", "-"),
            field=each.name,
            type=hints[each.name],
            default=getattr(defaults, each.name),
            doc=docs.get(each.name, ""),
        )
        for each in fields(kind)
    )


def read_options(kind: type[Any], table: object, *, rule: str, folder: Path) -> object:
    """Options as a rule declares them, from a table of a configuration file.

    Args:
        kind: the dataclass that the rule declares.
        table: `rules.<rule>` of the configuration.
        rule: the rule's name, for errors.
        folder: the folder that paths are relative to.

    Raises:
        OptionError: an unknown key, a value of another type or that the dataclass rejects, or a file that cannot be
            read or is rejected.
    """
    if not isinstance(table, Mapping):
        raise OptionError((rule,), f"must be a table of options, not {_shown(table)}")
    known = {each.key: each for each in options_of(kind)}
    values: dict[str, object] = {}
    for key, value in table.items():
        option = known.get(key)
        if option is None:
            close = closest(key, known)
            hint = f"did you mean {close!r}?" if close else f"the options of {rule} are {', '.join(known)}"
            raise OptionError((rule, key), f"is not an option; {hint}")
        values[option.field] = _converted(value, option.type, (rule, key), folder)
    try:
        return kind(**values)
    except ValueError as error:
        raise _rejected(error, rule, known) from error


def _rejected(error: ValueError, rule: str, known: Mapping[str, Option]) -> OptionError:
    """The error of a `__post_init__`, at the key that its message begins with."""
    place, _, message = str(error).partition(" ")
    keys = place.split(".")
    first = keys[0].replace("_", "-")
    return OptionError((rule, first, *keys[1:]), message) if first in known else OptionError((rule,), str(error))


def _converted(value: object, kind: Any, keys: tuple[str, ...], folder: Path) -> object:
    def from_path(wanted: type[Any], given: object) -> object:
        if wanted not in (Path, TextFile) or not isinstance(given, str) or not given or "\0" in given:
            raise ValueError
        real = Path(os.path.realpath(folder))
        path = real / given
        return path if wanted is Path else TextFile(path, read_file(path, root=real).text)

    def convert(part: object, wanted: Any) -> object:
        return msgspec.convert(part, wanted, dec_hook=from_path)

    try:
        return convert(value, kind)
    except InputError as error:
        raise OptionError(keys, f"names a file that cannot be used: {error}") from error
    except msgspec.ValidationError as error:
        inner, wanted, part = _innermost(value, kind, keys, convert, msgspec.ValidationError)
        raise OptionError(inner, f"must be {type_words(wanted)}, not {_shown(part)}") from error


def _innermost(
    value: object,
    kind: Any,
    keys: tuple[str, ...],
    convert: Callable[[object, Any], object],
    wrong: type[Exception],
) -> tuple[tuple[str, ...], Any, object]:
    """The innermost part of a value that is not of its type: its key, the type and the part."""
    for key, part, wanted in _parts(value, kind):
        try:
            convert(part, wanted)
        except wrong:
            return _innermost(part, wanted, (*keys, key), convert, wrong)
    return keys, kind, value


def _parts(value: object, kind: Any) -> Iterator[tuple[str, object, Any]]:
    kind = _without_none(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if _is_table(origin) and isinstance(value, Mapping):
        yield from ((str(key), part, arguments[1]) for key, part in value.items())
    elif _is_list(origin) and isinstance(value, list):
        yield from ((str(at), part, arguments[0]) for at, part in enumerate(value, 1))


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        arms = [each for each in get_args(kind) if each is not type(None)]
        return arms[0] if len(arms) == 1 else kind
    return kind


def _is_table(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_list(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence | frozenset | set)


_SINGULAR: Final = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a string", Path: "a path",
    TextFile: "the path of a file",
}  # fmt: skip
_PLURAL: Final = {
    bool: "true or false", int: "whole numbers", float: "numbers", str: "strings", Path: "paths",
    TextFile: "paths of files",
}  # fmt: skip


def type_words(kind: Any, *, many: bool = False) -> str:
    """The values of a type in words, for messages and the reference page.

    Raises:
        TypeError: an option cannot have this type.
    """
    kind = _without_none(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _SINGULAR:
        return (_PLURAL if many else _SINGULAR)[kind]
    if origin is Literal:
        return f"{'each ' if many else ''}one of {', '.join(_shown(each) for each in arguments)}"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f"{'each ' if many else ''}one of {', '.join(_shown(each.value) for each in kind)}"
    if _is_table(origin):
        return f"{'tables' if many else 'a table'} of {type_words(arguments[1], many=True)}"
    if _is_list(origin):
        return f"{'lists' if many else 'a list'} of {type_words(arguments[0], many=True)}"
    raise TypeError(f"{kind!r} is not a type that an option can have")


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case Mapping():
            return "a table"
        case list():
            return "a list"
        case str():
            return f'"{value[:_MAX_SHOWN]}{"..." if len(value) > _MAX_SHOWN else ""}"'
        case int() if value.bit_length() > 64:
            return "a number of more than 64 bits"
        case _:
            return str(value)


def _field_docs(kind: type[Any]) -> Mapping[str, str]:
    """What the `Args:` section of a class's docstring says of each field."""
    docs: dict[str, str] = {}
    name, inside = "", False
    for line in inspect.cleandoc(kind.__doc__ or "").split("\n"):
        if not line.startswith(" "):
            inside = line == "Args:" or (inside and not line)
            continue
        match = re.fullmatch(r" {4}(\w+): +(.+)", line)
        if inside and match:
            name, docs[match[1]] = match[1], match[2]
        elif inside and name:
            docs[name] += f" {line.strip()}"
    return docs


def configured(
    tables: Mapping[str, object], classes: Iterable[tuple[str, type[Any] | LazyClass | None]], folder: Path
) -> RuleOptions:
    """The options of all rules that a configuration has options of, by class.

    Args:
        tables: the table `rules` of the configuration.
        classes: the name of every rule there is, with the class of its options.
        folder: the folder of the configuration file.

    Raises:
        OptionError: a rule that does not exist or has no options, or see `read_options`.
    """
    known = dict(classes)
    found: dict[type[Any], object] = {}
    for rule, table in tables.items():
        if rule not in known:
            close = closest(rule, known)
            hint = f"; did you mean {close!r}?" if close else ""
            raise OptionError((rule,), f"is not the name of a rule{hint}")
        declared = known[rule]
        if declared is None:
            raise OptionError((rule,), "has no options")
        kind = declared.resolve() if isinstance(declared, LazyClass) else declared
        found[kind] = read_options(kind, table, rule=rule, folder=folder)
    return found
