"""What BuildKit's `instructions.Parse` refuses after its parser has accepted the file.

Follows moby/buildkit `frontend/dockerfile/instructions/parse.go` and its RUN flag files. Messages are BuildKit's,
without the "dockerfile parse error on line N" in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dockfix.syntax.source import GO_SPACE
from dockfix.syntax.tree import (
    TYPES,
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
    User,
    Volume,
    Workdir,
)
from dockfix.syntax.words import SubstitutionError, csv_fields, heredoc_mark

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
_DURATION = re.compile(r"[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+\Z")
_DURATION_PART = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def check_instruction(node: Instruction) -> Iterator[Problem]:
    """The first thing that BuildKit would refuse about an instruction, if any."""
    for message in _complaints(node):
        yield Problem(message, node.start_line, "instructions")
        return


def check_order(instructions: Iterable[Instruction]) -> Iterator[Problem]:
    """Only ARG may stand before the first FROM."""
    for node in instructions:
        if isinstance(node, From):
            return
        if not isinstance(node, Arg) and node.name.lower() in TYPES and not any(True for _ in _complaints(node)):
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
    if len(words) == 3 and words[1].lower() == "as":
        if not _STAGE_NAME.match(words[2].lower()):
            yield (f'invalid name for build stage: "{words[2]}", name can\'t start with a number or contain symbols')
    elif len(words) != 1:
        yield "FROM requires either one or three arguments"


def _run(flags: Iterable[Flag]) -> Iterator[str]:
    for flag in flags:
        value = flag.value or ""
        if flag.name == "mount":
            fields = csv_fields(value)
            if fields is None:
                yield "failed to parse csv mounts"
                continue
            for field in fields:
                key, equals, source = field.text.partition("=")
                at = source.find("$")
                if equals and key.lower() == "from" and at != -1 and at != len(source.encode("utf-8", "replace")) - 1:
                    yield "'from' doesn't support variable expansion, define alias stage instead"
        elif flag.name == "network" and value not in ("default", "none", "host"):
            yield f'invalid network mode "{value}"'
        elif flag.name == "security" and value not in ("insecure", "sandbox"):
            yield f'security "{value}" is not valid'
        elif flag.name == "device":
            yield from _device(value)


def _device(value: str) -> Iterator[str]:
    fields = csv_fields(value)
    if fields is None:
        yield "failed to parse csv devices"
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
    kind = node.args[0].text.upper()
    if kind == "NONE":
        if len(node.args) > 1:
            yield "HEALTHCHECK NONE takes no arguments"
        return
    yield from _flags("HEALTHCHECK", node.flags)
    if kind != "CMD":
        yield f'Unknown type "{kind}" in HEALTHCHECK (try CMD)'
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
    if value in ("0", "+0", "-0"):
        return
    if not _DURATION.match(value):
        yield f'time: invalid duration "{value}"'
        return
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(value))
    if seconds != 0 and (value.startswith("-") or seconds < 0.001):
        yield f'Interval "{name}" cannot be less than 1ms'


def _retries(value: str) -> Iterator[str]:
    if not re.fullmatch(r"[-+]?[0-9]{1,20}", value) or not -(2**31) <= int(value) < 2**31:
        yield f'strconv.ParseInt: parsing "{value}": invalid syntax'
    elif int(value) < 0:
        yield f"--retries cannot be negative ({int(value)})"


def _onbuild(node: Onbuild) -> Iterator[str]:
    if node.child is None and node.shape.child is None:
        yield "ONBUILD requires at least one argument"
        return
    yield from _flags("ONBUILD", node.flags)
    trigger = node.child.name if node.child else ""
    if trigger == "ONBUILD":
        yield "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    elif trigger in ("MAINTAINER", "FROM"):
        yield f"{trigger} isn't allowed as an ONBUILD trigger"
