"""Health checks: which programs they call, whether an image has these, and what they ask.

A check runs in a container of the image, so what counts is the end of its stage. Sources: docs.docker.com/reference/
dockerfile/#healthcheck; the Compose specification, `05-services.md`, `healthcheck`.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dockfix.facts.commands import Commands, Step, commands_of
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.packages import Action
from dockfix.facts.paths import normal_path
from dockfix.facts.tables.commands import CONDA_MANAGERS, SYSTEM_MANAGERS
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.tables.tools import (
    ALSO_BRING,
    PROGRAM_TREES,
    SYSTEM_FOLDERS,
    TOOL_PACKAGES,
    WITH_HEALTHCHECK,
)
from dockfix.facts.toolchain import FAMILIES, package_names, virtual_name
from dockfix.syntax.check import check_instruction
from dockfix.syntax.parser import parse
from dockfix.syntax.shell import Context, SimpleCommand, Word, shell_kind
from dockfix.syntax.tree import Add, Copy, Expose, Healthcheck, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.images import BaseImage
    from dockfix.facts.packages import PackageCommand
    from dockfix.facts.stages import Stage
    from dockfix.syntax.tree import Instruction

__all__ = [
    "Asked",
    "Endpoint",
    "Program",
    "asked",
    "base_may_have_healthcheck",
    "check_commands",
    "check_complaint",
    "check_text",
    "doubtful_program",
    "effective_healthcheck",
    "exposed_ports",
    "open_install",
    "program_of",
    "programs",
    "secret_in",
    "tool_package",
    "tool_presence",
]  # fmt: skip

_STAND_FIRST: Final = frozenset(("exec", "command", "env", "nice", "time", "nohup", "timeout"))
"""Programs that run the one behind them."""
_GIVES_UP: Final = frozenset(("exit", "false", "return", "kill"))
_TREE_NAMES: Final = frozenset(
    (
        "",
        ".",
        "..",
        "bin",
        "sbin",
        "usr",
        "local",
        "opt",
        "root",
        "rootfs",
        "overlay",
        "output",
        "out",
        "dist",
        "root-out",
    )
)
_OTHER_SOURCES: Final = ("--target-release", "--default-release", "--repository", "--download-only", "--root")
_PACKAGE_FILES: Final = (".deb", ".rpm", ".apk")


def effective_healthcheck(facts: BuildFacts, stage: Stage) -> Healthcheck | None:
    """The HEALTHCHECK that holds in an image of a stage: its last one, or that of the nearest stage that it is FROM."""
    for each in facts.graph.chain(stage):
        for instruction in reversed(each.program):
            if isinstance(instruction, Healthcheck):
                return instruction
    return None


def base_may_have_healthcheck(stage: Stage) -> bool:
    """Whether the image that a stage starts from may have a HEALTHCHECK: it is not known, or known to have one."""
    return (
        stage.base is None or not isinstance(stage.base_ref, Known) or stage.base_ref.value.startswith(WITH_HEALTHCHECK)
    )


_SECRETS: Final = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY")
_SECRET_OPTIONS: Final = ("--password=", "--pass=", "--token=", "--api-key=", "--secret=")


def secret_in(test: str | Sequence[str], environment: Mapping[str, str | None]) -> str:
    """What a compose healthcheck's test gives away that an image should not hold; empty if nothing is seen.

    `environment` is that of its service: a value of a variable that is called a password, a secret or a token. What is
    read from a variable (`$$NAME`) is not in the text.
    """
    text = test if isinstance(test, str) else " ".join(test)
    for name, value in environment.items():
        if value and len(value) > _SHORT and value in text and any(each in name.upper() for each in _SECRETS):
            return f"the value of {name}"
    for word in text.split():
        option = next((each for each in _SECRET_OPTIONS if word.lower().startswith(each)), "")
        if option and not word[len(option) :].strip("\"'").startswith("$"):
            return f"what {option.rstrip('=')} is given"
    return ""


_SHORT: Final = 3
"""A value of no more characters may stand in a check by chance."""


def tool_package(tool: str, base: BaseImage) -> str | None:
    """The package that brings a tool in a distribution, None if no table says so."""
    family = FAMILIES.get(base.package_manager or "")
    return TOOL_PACKAGES.get(tool, {}).get(family) if family else None


def check_text(test: str | tuple[str, ...]) -> str | None:
    """What stands behind `HEALTHCHECK CMD` for a compose `test:`, `$$` made `$`; None for what switches it off.

    Raises:
        ValueError: it cannot be written so; the message says why.
    """
    if isinstance(test, str):
        text = test.strip()
    elif not test or test[0] == "NONE":
        return None
    elif test[0] == "CMD-SHELL" and len(test) == 2:
        text = test[1].strip()
    elif test[0] == "CMD" and len(test) > 1:
        return _encodable(json.dumps([word.replace("$$", "$") for word in test[1:]], ensure_ascii=False))
    else:
        raise ValueError(f"a test that begins with {test[0]} and has {len(test) - 1} words is not valid")
    if not text:
        raise ValueError("its test is empty")
    if "\n" in text or text.endswith(("\\", "`")):
        raise ValueError("its command has several lines")
    text = _encodable(text.replace("$$", "$"))
    if not text.isprintable() or _parsed_check("", text).json:
        raise ValueError("its test would mean something else in a Dockerfile")
    return text


def _encodable(text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("its test is not valid Unicode")
    return text


def _parsed_check(flags: str, text: str) -> Healthcheck:
    node = parse(f"FROM scratch\nHEALTHCHECK {flags}{' ' if flags else ''}CMD {text}\n").instructions[1]
    if not isinstance(node, Healthcheck):
        raise TypeError("the line was built as a HEALTHCHECK")
    return node


def check_commands(text: str, shell: Fact[tuple[str, ...]]) -> Commands:
    """The commands of a check whose text is known (`check_text`), in an image with a shell."""
    return commands_of(_parsed_check("", text), shell)


def check_complaint(flags: str, text: str) -> str:
    """What BuildKit would refuse about a HEALTHCHECK with these flags; empty if nothing."""
    node = _parsed_check(flags, text)
    if [flag.word.text for flag in node.flags] != flags.split():
        return "a time or a number is none"
    return next((problem.message for problem in check_instruction(node)), "")


def program_of(command: SimpleCommand) -> Word | None:
    """The word that names what a command runs, behind `exec`, `env`, `timeout 5` and their like."""
    words = iter(command.words)
    skip_operand = False
    for word in words:
        value = word.value
        if value is None:
            return None
        name = value.rpartition("/")[2]
        if name in _STAND_FIRST:
            skip_operand = name == "timeout"
        elif value.startswith("-") or re.fullmatch(r"[A-Za-z_]\w*=.*", value, re.DOTALL):
            continue
        elif skip_operand:
            skip_operand = False
        else:
            return word
    return None


@dataclass(frozen=True, slots=True)
class Program:
    """A program that a check fails without: the step that calls it, the word that names it, and its name."""

    step: Step
    word: Word
    name: str


def programs(commands: Commands, *, all_of_them: bool = False) -> tuple[Program, ...]:
    """The programs that a check fails without, but for what a shell does itself.

    Not those behind `||`, in branches, or with another command to fall back on, unless `all_of_them`.
    """
    found: list[Program] = []
    steps = commands.steps
    looked_up = {
        word.value
        for step in steps
        if step.command.basename in ("command", "which", "type", "hash")
        for word in step.command.args
    }
    for index, step in enumerate(steps):
        command = step.command
        word = program_of(command)
        if word is None or word.value is None:
            continue
        name = word.value if "/" in word.value and posixpath.dirname(word.value) not in SYSTEM_FOLDERS else ""
        name = name or word.value.rpartition("/")[2]
        if has_trait(name, Trait.BUILTIN):
            continue
        if all_of_them:
            found.append(Program(step, word, name))
            continue
        if name in looked_up or command.context & Context.CONDITIONAL:
            continue
        if command.after is not None and command.after.text == "||":
            then = steps[index + 1].command.basename if index + 1 < len(steps) else None
            if then not in _GIVES_UP:
                continue
        found.append(Program(step, word, name))
    return tuple(found)


def tool_presence(facts: BuildFacts, stage: Stage, tool: str) -> Fact[bool]:
    """Whether an image of a stage has a program: one of the base image, installed, or copied.

    `tool` is a name, or the path of a program outside the system's folders. Unknown, with the reason, where a base
    image, a script or a copied folder may have brought it.
    """
    base = stage.base
    if base is None:
        return Unknown("the base image is not known")
    if base.family == "windows":
        return Unknown("Windows images are not in the table")
    fact: Fact[bool]
    if tool in base.tools:
        fact = Known(True)
    elif tool in base.lacks:
        fact = Known(False)
    else:
        fact = Unknown(f"whether the base image has {tool} is not in the table")
    presence = _Presence(facts, base, tool, fact)
    for each in reversed(facts.graph.chain(stage)):
        if each.replaced:
            return Unknown("a named context stands in for its stage")
        for instruction in each.program:
            presence.take(instruction)
    return presence.fact


def doubtful_program(facts: BuildFacts, stage: Stage, text: str) -> str:
    """Why it is not certain that an image has all that a check calls (`check_text`); empty if it is."""
    commands = check_commands(text, facts.end_state(stage).shell)
    names = [program.name for program in programs(commands, all_of_them=True)]
    if commands.script is not None:
        names.insert(0, "sh")
    elif not commands.steps:
        return commands.why
    if any(step.command.words and program_of(step.command) is None for step in commands.steps):
        return "the name of a program that it calls is not literal"
    for name in names:
        there = tool_presence(facts, stage, name)
        if there == Known(False):
            return f"the image has no {name}"
        if isinstance(there, Unknown):
            return f"whether the image has {name} is not known: {there.why}"
    return ""


def open_install(facts: BuildFacts, stage: Stage, package: str) -> tuple[Run, Step] | None:
    """The first install of the system's packages that a package may be added to, to stay; None if there is none.

    In the stage, else in the nearest that it is FROM. Not in a branch, not with `--virtual` or a release of its own,
    not of packages that are removed again, and not above a removal of the package.
    """
    manager = stage.base.package_manager if stage.base is not None else None
    for each in facts.graph.chain(stage):
        runs = [run for run in each.instructions if isinstance(run, Run) and not run.json]
        steps = [(run, step) for run in runs for step in facts.commands(run).packages]
        last = max((at for at, (_, step) in enumerate(steps) if _removes(step, package)), default=-1)
        removed = {
            name
            for _, step in steps
            if step.package is not None and step.package.action in (Action.REMOVE, Action.PURGE)
            for name in package_names(step.package)
        }
        for run, step in steps[last + 1 :]:
            command = step.package
            if command is not None and command.manager == manager and _is_open(step, command, removed):
                return run, step
        if last >= 0:
            return None
    return None


def _removes(step: Step, package: str) -> bool:
    command = step.package
    removal = command is not None and command.action in (Action.REMOVE, Action.PURGE)
    return command is not None and removal and package in package_names(command)


def _is_open(step: Step, command: PackageCommand, removed: set[str]) -> bool:
    return (
        command.action is Action.INSTALL
        and command.verb in (("install",), ("add",))
        and step.command.context is Context.NONE
        and not step.depth
        and virtual_name(command) is None
        and not command.unknown_operands
        and not command.has(*_OTHER_SOURCES)
        and bool(command.packages)
        and all(word.value is not None and "/" not in word.value for word in command.packages)
        and not removed & {*package_names(command)}
    )


class _Presence:
    """What is known of one program while a stage is read from its top to its end."""

    def __init__(self, facts: BuildFacts, base: BaseImage, tool: str, fact: Fact[bool]) -> None:
        self.facts = facts
        self.tool = tool
        self.name = tool.rpartition("/")[2]
        self.package = tool_package(tool, base) or tool
        self.fact = fact
        self.virtuals: dict[str, tuple[str, ...]] = {}
        self.asked_for = False

    def take(self, instruction: Instruction) -> None:
        if isinstance(instruction, Run):
            commands = self.facts.commands(instruction)
            if commands.script is None and not instruction.json:
                self.doubt(f"the RUN on line {instruction.start_line} cannot be read")
            for step in commands.steps:
                self.step(step, instruction.start_line)
        elif isinstance(instruction, Copy | Add):
            self.copy(instruction)

    def doubt(self, why: str) -> None:
        """Something may have brought it."""
        if self.fact == Known(False):
            self.fact = Unknown(why)

    def step(self, step: Step, line: int) -> None:
        package = step.package
        if package is not None and package.manager in SYSTEM_MANAGERS:
            # a pinned name with a glob (`curl=7.*`) is given as it is spelt
            names = tuple(name.partition("=")[0] for name in package_names(package))
            if package.action is Action.INSTALL:
                self.install(step, names, line)
            elif package.action in (Action.REMOVE, Action.PURGE):
                # apk keeps what it was asked for by name when a virtual package that needs it too goes
                kept = frozenset((self.package,)) if self.asked_for else frozenset[str]()
                gone = {member for name in names for member in {*self.virtuals.get(name, (name,))} - kept} | {*names}
                if self.package in gone:
                    self.asked_for = False
                    sure = not step.command.context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
                    self.fact = Known(False) if sure else Unknown(f"line {line} may remove it")
        elif package is not None:
            words = {word.value for word in step.command.words}
            if package.manager in CONDA_MANAGERS or words & {"--with-deps", "install-deps"}:
                self.doubt(f"line {line} installs more than it names")
        elif step.command.words:
            self.plain(step.command, line)

    def install(self, step: Step, names: tuple[str, ...], line: int) -> None:
        package = step.package
        virtual = virtual_name(package) if package is not None else None
        if virtual is not None:
            self.virtuals[virtual] = names
        if self.package in names:
            sure = not step.command.context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
            self.fact = Known(True) if sure else Unknown(f"line {line} installs it in a branch")
            self.asked_for = self.asked_for or (sure and virtual is None)
        elif (
            ALSO_BRING.get(self.package, frozenset()) & set(names)
            or any(char in name for name in names for char in "$`{(")
            or package is None
            or package.unknown_operands
            or any("/" in word.text or word.text.endswith(_PACKAGE_FILES) for word in package.packages)
        ):
            self.doubt(f"what line {line} installs may bring it")

    def plain(self, command: SimpleCommand, line: int) -> None:
        values = command.values()
        if any(value is not None and value.rpartition("/")[2] in (self.name, self.package) for value in values):
            self.doubt(f"line {line} names it")
            return
        name = command.basename
        inline = has_trait(name, Trait.SHELL) and any(value == "-c" for value in values) and None not in values
        folder = posixpath.dirname(command.name or "")
        if (
            name is None
            or (has_trait(name, Trait.INSTALLS_UNNAMED) and not inline)
            or (folder and folder not in SYSTEM_FOLDERS)
        ):
            self.doubt(f"what line {line} runs may bring it")

    def copy(self, copy: Copy | Add) -> None:
        destination = copy.destination.text if copy.destination is not None else ""
        workdir = self.facts.state(copy).workdir
        place = destination
        if not destination.startswith("/"):
            if not isinstance(workdir, Known):
                self.doubt(f"where line {copy.start_line} copies to is not known")
                return
            place = posixpath.join(workdir.value, destination)
        folder = normal_path("/" + place.lstrip("/"))
        names = [source.text.rstrip("/").rpartition("/")[2] for source in copy.sources]
        names += [heredoc.name for heredoc in copy.heredocs]
        if "/" in self.tool:
            landed = {folder, *(posixpath.join(folder, name) for name in names)}
            if self.tool in landed:
                self.fact = Known(True)
            return
        if self.name in names or posixpath.basename(folder) == self.name:
            self.fact = Known(True)
        elif folder in PROGRAM_TREES and any(
            name in _TREE_NAMES
            or source.text.endswith("/")
            or any(char in name for char in "*?[$")
            or (folder in ("/", "/usr", "/usr/local") and "." not in name)
            or isinstance(copy, Add)
            for name, source in zip(names, copy.sources, strict=False)
        ):
            self.doubt(f"what line {copy.start_line} copies to {folder} may bring it")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a check asks over the network: `host` is `localhost` for this container; `port` is text, 80 and 443 where
    none is written; `path` begins with `/`.
    """

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
    """The ports that the EXPOSEs of a stage and those it is FROM name; None if one is a variable or a range."""
    found: set[str] = set()
    for each in facts.graph.chain(stage):
        for instruction in each.program:
            if isinstance(instruction, Expose):
                found.update(word.text.partition("/")[0] for word in instruction.args)
    return frozenset(found) if all(port.isdigit() for port in found) else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check asks: the endpoints that it names, and its commands without their quiet options and fallbacks."""

    endpoints: frozenset[Endpoint]
    commands: tuple[tuple[str, ...], ...]
    known: bool


_LOCAL: Final = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0", "[::1]", "127.1"))  # noqa: S104 - no bind
_URL: Final = re.compile(r"https?://[^\s\"'`()<>,;\\]+")
_BARE: Final = re.compile(r"(?:localhost|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?(?:/[^\s\"'`()<>;\\]*)?\Z")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-([^{}$]*))?\}|([A-Za-z_]\w*))")
_NO_ENVIRONMENT: Final[Mapping[str, str | None]] = {}
_FETCHERS: Final = frozenset(("curl", "wget", "http", "httpie"))


def asked(
    commands: Commands, facts: BuildFacts, stage: Stage, environment: Mapping[str, str | None] = _NO_ENVIRONMENT
) -> Asked:
    """What a check asks, with its variables filled in: from `environment`, which the container is given (None: a value
    that is not known), from the image's, or by the defaults in its shell text.
    """
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
    return Asked(frozenset(endpoints), tuple(lines), known)


def _runs_nested(command: SimpleCommand) -> bool:
    values = command.values()
    return shell_kind((values[0] or "",)).readable and "-c" in values


def _filled(word: Word, facts: BuildFacts, stage: Stage, environment: Mapping[str, str | None]) -> str:
    """A word's value, with what is known of its variables put in."""
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
