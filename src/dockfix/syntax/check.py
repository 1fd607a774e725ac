"""What BuildKit's `instructions.Parse` rejects after its parser has accepted the file.

Follows moby/buildkit `frontend/dockerfile/instructions/parse.go` and its RUN flag files. Messages are BuildKit's,
without the prefix "dockerfile parse error on line N".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dockfix.syntax.source import GO_SPACE
from dockfix.syntax.tree import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Flag,
    From,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Problem,
    Run,
    Shell,
    Stopsignal,
    Unknown,
    User,
    Volume,
    Workdir,
    is_as,
)
from dockfix.syntax.words import (
    SubstitutionError,
    csv_error,
    csv_fields,
    go_lower,
    go_quote,
    heredoc_mark,
    replace_invalid,
)

_BOOL, _STRING, _STRINGS = "bool", "string", "strings"

FLAGS: dict[str, dict[str, str]] = {
    "ADD": {
        "chown": _STRING,
        "chmod": _STRING,
        "link": _BOOL,
        "keep-git-dir": _BOOL,
        "checksum": _STRING,
        "unpack": _BOOL,
        "exclude": _STRINGS,
    },
    "COPY": {
        "chown": _STRING,
        "from": _STRING,
        "chmod": _STRING,
        "link": _BOOL,
        "exclude": _STRINGS,
        "parents": _BOOL,
    },
    "FROM": {"platform": _STRING},
    "RUN": {"mount": _STRINGS, "network": _STRING, "security": _STRING, "device": _STRINGS},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), _STRING),
}
"""The flags of each instruction and their kinds; the others take none."""

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*\Z")
_DURATION_NUMBER = re.compile(r"([0-9]{0,400})(\.?)([0-9]*)")
_DURATION_UNIT = re.compile(r"[^.0-9]+")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def check_instruction(node: Instruction) -> Iterator[Problem]:
    """The first thing that BuildKit would reject in an instruction, if any."""
    for message in _complaints(node):
        yield Problem(message, node.start_line, "instructions")
        return


def check_order(instructions: Iterable[Instruction]) -> Iterator[Problem]:
    """Check that only ARG precedes the first FROM."""
    for node in instructions:
        if isinstance(node, From):
            return
        if not isinstance(node, Arg | Unknown) and not any(True for _ in _complaints(node)):
            yield Problem("no build stage in current context", node.start_line, "instructions")
            return


def _complaints(node: Instruction) -> Iterator[str]:
    flags = node.flags
    match node:
        case Arg():
            yield from _arg(node)
        case Stopsignal():
            yield from _exactly_one(node)
        case Maintainer() | User() | Workdir():
            yield from _exactly_one(node)
            yield from _flags(node.name, flags)
        case Env() | Label():
            yield from _flags(node.name, flags)
            if not node.args:
                yield f"{node.name} requires at least one argument"
            if any(not pair.key for pair in node.pairs):
                yield f"{node.name} names can not be blank"
        case Copy() | Add():
            yield from _copy(node)
        case From():
            yield from _from(node)
            yield from _flags("FROM", flags)
        case Run():
            yield from _flags("RUN", flags)
            yield from _run(flags)
        case Cmd() | Entrypoint():
            yield from _flags(node.name, flags)
        case Healthcheck():
            yield from _healthcheck(node)
        case Expose():
            if not node.args:
                yield "EXPOSE requires at least one argument"
            yield from _flags("EXPOSE", flags)
        case Volume():
            if not node.args:
                yield "VOLUME requires at least one argument"
            yield from _flags("VOLUME", flags)
            if any(not word.text.strip(GO_SPACE) for word in node.args):
                yield "VOLUME specified can not be an empty string"
        case Shell():
            yield from _flags("SHELL", flags)
            if not node.args:
                yield "SHELL requires at least one argument"
            elif not node.json:
                yield "SHELL requires the arguments to be in JSON form"
        case Onbuild():
            yield from _onbuild(node)
        case _:
            yield f"unknown instruction: {node.keyword.text}"


def _flags(name: str, flags: Iterable[Flag]) -> Iterator[str]:
    allowed = FLAGS.get(name, {})
    seen: set[str] = set()
    for flag in flags:
        if not flag.word.text.startswith("--"):
            yield f"arg should start with -- : {flag.word.text}"
            return
        kind = allowed.get(flag.name)
        if kind is None:
            yield f"unknown flag: --{flag.name}"
            return
        if flag.name in seen and kind != _STRINGS:
            yield f"duplicate flag specified: --{flag.name}"
            return
        seen.add(flag.name)
        if kind == _BOOL:
            if flag.value == "":
                yield f"missing a value on flag: --{flag.name}"
                return
            if flag.value is not None and flag.value.lower() not in ("true", "false"):
                yield f"expecting boolean value for flag --{flag.name}, not: {flag.value}"
                return
        elif flag.value is None:
            yield f"missing a value on flag: --{flag.name}"
            return


def _go_upper(text: str) -> str:
    """Go's `strings.ToUpper`, which maps character by character and spells invalid bytes as U+FFFD."""
    upper = (char.upper() for char in replace_invalid(text))
    return "".join(up if len(up) == 1 else char for up, char in zip(upper, replace_invalid(text), strict=True))


def _exactly_one(node: Instruction) -> Iterator[str]:
    if len(node.args) != 1:
        yield f"{node.name} requires exactly one argument"


def _arg(node: Arg) -> Iterator[str]:
    if not node.args:
        yield "ARG requires at least one argument"
    if any(word.text.startswith("=") for word in node.args):
        yield "ARG names can not be blank"


def _copy(node: Copy | Add) -> Iterator[str]:
    if len(node.args) < 2:
        yield (
            f"{node.name} requires at least two arguments, but only one was provided."
            " Destination could not be determined"
        )
        return
    yield from _flags(node.name, node.flags)
    try:
        destination = heredoc_mark(node.args[-1].text)
    except SubstitutionError:
        destination = None
    if destination is not None:
        yield f"{node.name} cannot accept a heredoc as a destination"


def _from(node: From) -> Iterator[str]:
    words = [word.text for word in node.args]
    if len(words) == 3 and is_as(words[1]):
        if not _STAGE_NAME.match(go_lower(words[2])):
            name = go_quote(words[2])
            yield f"invalid name for build stage: {name}, name can't start with a number or contain symbols"
    elif len(words) != 1:
        yield "FROM requires either one or three arguments"


def _run(flags: Iterable[Flag]) -> Iterator[str]:
    # BuildKit reads the devices first, then the mounts and so on, however they are ordered in the line.
    for flag in sorted(flags, key=lambda flag: flag.name):
        value = flag.value or ""
        if flag.name == "mount":
            fields = csv_fields(value)
            if fields is None:
                yield f"failed to parse csv mounts: {csv_error(value)}"
                continue
            for field in fields:
                key, equals, source = field.text.partition("=")
                at = source.find("$")
                if equals and key.lower() == "from" and at != -1 and at != len(source) - 1:
                    yield "'from' doesn't support variable expansion, define alias stage instead"
        elif flag.name == "network" and value not in ("default", "none", "host"):
            yield f"invalid network mode {go_quote(value)}"
        elif flag.name == "security" and value not in ("insecure", "sandbox"):
            yield f"security {go_quote(value)} is not valid"
        elif flag.name == "device":
            yield from _device(value)


def _device(value: str) -> Iterator[str]:
    fields = csv_fields(value)
    if fields is None:
        yield f"failed to parse csv devices: {csv_error(value)}"
        return
    name = ""
    for field in fields:
        key, equals, argument = field.text.partition("=")
        key = key.lower()
        if not equals:
            if key == "required":
                continue
            if name:
                yield f"invalid field '{field.text}' must be a key=value pair"
                return
            name = field.text
        elif key == "required":
            if argument not in _GO_BOOLS:
                yield f"invalid value for {key}: {argument}"
                return
        elif key == "name":
            if name:
                yield f"device name already set to {name}"
                return
            name = argument
        elif name:
            yield f"unexpected key '{key}' in '{field.text}'"
            return
        else:
            name = field.text


_GO_BOOLS = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])


def _healthcheck(node: Healthcheck) -> Iterator[str]:
    if not node.args:
        yield "HEALTHCHECK requires at least one argument"
        return
    kind = _go_upper(node.args[0].text)
    if kind == "NONE":
        if len(node.args) > 1:
            yield "HEALTHCHECK NONE takes no arguments"
        return
    yield from _flags("HEALTHCHECK", node.flags)
    if kind != "CMD":
        yield f"Unknown type {go_quote(kind)} in HEALTHCHECK (try CMD)"
    elif len(node.args) < 2:
        yield "Missing command after HEALTHCHECK CMD"
    for name in ("interval", "timeout", "start-period", "start-interval"):
        flag = node.flag(name)
        if flag is not None and flag.value:
            yield from _duration(name, flag.value)
    retries = node.flag("retries")
    if retries is not None and retries.value:
        yield from _retries(retries.value)


def _duration(name: str, value: str) -> Iterator[str]:
    try:
        nanoseconds = _parse_duration(value)
    except ValueError as error:
        yield str(error)
        return
    if nanoseconds != 0 and nanoseconds < 1_000_000:
        yield f'Interval "{name}" cannot be less than 1ms'


def _parse_duration(value: str) -> int:
    """Nanoseconds of a duration such as `1h30m` or `-1.5s`, as Go's `time.ParseDuration` reads it.

    Raises:
        ValueError: with Go's message.
    """
    quoted = _time_quote(value)
    rest = value[1:] if value[:1] in ("-", "+") else value
    if rest == "0":
        return 0
    total = 0
    if not rest:
        raise ValueError(f"time: invalid duration {quoted}")
    while rest:
        number = _DURATION_NUMBER.match(rest)
        whole, dot, fraction = number.groups() if number else ("", "", "")
        if number is None or not (whole or fraction) or int(whole or "0") > 2**63:
            raise ValueError(f"time: invalid duration {quoted}")
        rest = rest[number.end() :]
        unit = _DURATION_UNIT.match(rest)
        if unit is None:
            raise ValueError(f"time: missing unit in duration {quoted}")
        scale = _NANOSECONDS.get(unit.group())
        if scale is None:
            raise ValueError(f"time: unknown unit {_time_quote(unit.group())} in duration {quoted}")
        rest = rest[unit.end() :]
        digits = fraction[:18]  # Go drops what would overflow
        total += int(whole or "0") * scale + (int(digits or "0") * scale // 10 ** len(digits) if dot else 0)
        if total > 2**63:
            raise ValueError(f"time: invalid duration {quoted}")
    if value.startswith("-"):
        return -total
    if total > 2**63 - 1:
        raise ValueError(f"time: invalid duration {quoted}")
    return total


def _time_quote(text: str) -> str:
    """Text as Go's time package quotes it: all but printable ASCII as bytes."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif " " <= char < "\x7f":
            out.append(char)
        else:
            out.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
    return '"' + "".join(out) + '"'


def _retries(value: str) -> Iterator[str]:
    """The errors of Go's `strconv.ParseInt(value, 10, 32)`, and the one for a negative number."""
    digits = value[1:] if value[:1] in ("-", "+") else value
    negative = value.startswith("-")
    number = 0
    problem = "" if digits else "invalid syntax"
    for digit in digits:
        if digit not in "0123456789":
            problem = "invalid syntax"
            break
        number = number * 10 + int(digit)
        if number >= 2**32:
            break
    if not problem and (number > 2**31 or (number == 2**31 and not negative)):
        problem = "value out of range"
    if problem:
        yield f"strconv.ParseInt: parsing {go_quote(value)}: {problem}"
    elif negative and number:
        yield f"--retries cannot be negative ({-number})"


def _onbuild(node: Onbuild) -> Iterator[str]:
    if node.child is None and node.shape.child is None:
        yield "ONBUILD requires at least one argument"
        return
    yield from _flags("ONBUILD", node.flags)
    trigger = _go_upper(node.child.keyword.text.strip(GO_SPACE)) if node.child else ""
    if trigger == "ONBUILD":
        yield "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    elif trigger in ("MAINTAINER", "FROM"):
        yield f"{trigger} isn't allowed as an ONBUILD trigger"
