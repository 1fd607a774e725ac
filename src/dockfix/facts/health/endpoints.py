"""What a health check requests over the network, and which ports an image exposes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from dockfix.facts.commands import Commands
from dockfix.facts.model import Known
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import SimpleCommand, Word, shell_kind
from dockfix.syntax.tree import Expose

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage


class Endpoint(Struct, frozen=True):
    """What a check requests over the network: `host` is `localhost` for this container; `port` is text, 80 or 443 by
    default; `path` begins with `/`."""

    host: str
    port: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}{self.path}"

    @property
    def known(self) -> bool:
        """Whether all of it is literal."""
        return "$" not in self.host + self.port + self.path


def exposed_ports(facts: BuildFacts, stage: Stage) -> frozenset[str] | None:
    """The ports in the EXPOSEs of a stage and those it is based on; None if one is a variable or a range."""
    found: set[str] = set()
    for each in facts.graph.chain(stage):
        for instruction in each.program:
            if isinstance(instruction, Expose):
                found.update(word.text.partition("/")[0] for word in instruction.args)
    return frozenset(found) if all(port.isdigit() for port in found) else None


class Requests(Struct, frozen=True):
    """What a check requests: its endpoints, and its commands without options for quiet output and fallbacks."""

    endpoints: frozenset[Endpoint]
    commands: tuple[tuple[str, ...], ...]
    known: bool


_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0", "[::1]", "127.1"))  # noqa: S104 - no bind
_URL: Final = re.compile(r"https?://[^\s\"'`()<>,;\\]+")
_BARE: Final = re.compile(r"(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?(?:/[^\s\"'`()<>;\\]*)?\Z")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-([^{}$]*))?\}|([A-Za-z_]\w*))")
_NO_ENVIRONMENT: Final[Mapping[str, str | None]] = {}
_FETCHERS: Final = frozenset(("curl", "wget", "http", "httpie"))


def requests_of(
    commands: Commands, facts: BuildFacts, stage: Stage, environment: Mapping[str, str | None] = _NO_ENVIRONMENT
) -> Requests:
    """What a check requests, with its variables replaced: from `environment`, which the container gets (None: an
    unknown value), from the image, or from the defaults in its shell text."""
    endpoints: set[Endpoint] = set()
    lines: list[tuple[str, ...]] = []
    known = commands.script is not None or bool(commands.steps)
    for step in commands.steps:
        if (
            has_trait(step.command.basename, Trait.BUILTIN)
            or step.command.basename is None
            or _runs_nested(step.command)
        ):
            known = known and step.command.basename is not None
            continue
        values = [_filled(word, facts, stage, environment) for word in step.command.words]
        known = known and not any("$" in value for value in values)
        for value in values[1:]:
            endpoints.update(_endpoints(value, bare=values[0] in _FETCHERS))
        lines.append(tuple(value for value in values if value not in ("-q", "-s", "-S", "-sS", "--silent", "--quiet")))
    return Requests(frozenset(endpoints), tuple(lines), known)


def _runs_nested(command: SimpleCommand) -> bool:
    values = command.values()
    return shell_kind((values[0] or "",)).readable and "-c" in values


def _filled(word: Word, facts: BuildFacts, stage: Stage, environment: Mapping[str, str | None]) -> str:
    """The value of a word, with known variables replaced."""
    if word.value is not None:
        return word.value
    state = facts.end_state(stage)

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        if name in environment:
            return environment[name] or match[0]
        fact = state.env.get(name)
        if isinstance(fact, Known):
            return fact.value
        return match[2] if match[2] is not None else match[0]

    return _VARIABLE.sub(fill, word.text.strip("\"'"))


def _endpoints(value: str, *, bare: bool) -> Iterator[Endpoint]:
    found = _URL.findall(value)
    if not found and bare and _BARE.match(value):
        found = [f"http://{value}"]
    for url in found:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            continue
        port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
        port = port or ("443" if parts.scheme == "https" else "80")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        yield Endpoint("localhost" if host in _LOCAL else host, port, path)
