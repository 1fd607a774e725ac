"""The commands that an instruction runs, each with what the script has set before it.

Shell form is read if the shell is POSIX or bash, by SHELL, the default of the base image or the interpreter line of a
heredoc; `sh -c '...'` inside is read too, if its text appears in the source character by character. Exec form is one
command.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.facts.expansion import END, START, UNSET, Layer, Value, View
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.packages import PackageCommand, recognise
from dockfix.facts.paths import normal_path
from dockfix.facts.tables.commands import USER_CHANGERS, WRAPPERS
from dockfix.syntax.shell import (
    DECLARATIONS,
    Assignment,
    Context,
    Nested,
    Operator,
    Redirect,
    Script,
    ShellKind,
    SimpleCommand,
    Word,
    nested_script,
    nested_scripts,
    parse_shell,
    shell_kind,
)
from dockfix.syntax.source import Mapped, Span
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Run

_SHELLS: Final = (ShellKind.POSIX, ShellKind.BASH)
_LEFT_BEHIND: Final = Context.SUBSHELL | Context.PIPELINE | Context.SUBSTITUTION | Context.BACKGROUND
_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION
_MOST_NESTED: Final = 8
_SWITCHERS: Final = frozenset(("su", "runuser"))
_HERE: Final[Fact[str]] = Known(".")


class Placed(Protocol):
    """Anything with a position in a script: a word, a command, a redirect."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Step(Struct, frozen=True):
    """A simple command in its context.

    `package` is its reading as a package manager command. `env` are variables that the script has exported before it or
    sets for it: they override the stage's. `variables` are those that the script has set without exporting them, which
    reach the command only if the stage's environment has the name. `cwd` is the directory it runs in: absolute, or
    relative to the stage's working directory (`.` if nothing has changed it). `opaque`: something before it (`source`,
    `eval`) may have set anything. `user_changed`: it may run as another user than the step. `depth` counts the `sh -c`
    around it.
    """

    command: SimpleCommand
    package: PackageCommand | None
    env: Mapping[str, Fact[str]]
    variables: Mapping[str, Fact[str]]
    cwd: Fact[str]
    opaque: bool = False
    user_changed: bool = False
    depth: int = 0

    def directory(self, workdir: Fact[str]) -> Fact[str]:
        """The directory that the command runs in, in a stage whose working directory is `workdir`."""
        if not isinstance(self.cwd, Known) or self.cwd.value.startswith("/"):
            return self.cwd
        if isinstance(workdir, Known):
            return Known(normal_path(posixpath.join(workdir.value, self.cwd.value)))
        return workdir if self.cwd == _HERE else Unknown("the working directory of the stage is not known")


class Commands(Struct, frozen=True):
    """The commands of one instruction.

    `script` is its parsed shell text. It is None, with the reason in `why`, for exec form (which still has one step,
    whose words are the JSON strings), for a shell that is not POSIX or bash, and for text that could not be parsed.
    Offsets in `script` and `steps` are offsets in `text`.
    """

    script: Script | None
    text: Mapped
    steps: tuple[Step, ...]
    why: str | None = None
    shell: tuple[str, ...] | None = None

    def span(self, item: Placed) -> Span:
        """The span in the source of a word, command or redirect."""
        return self.text.span(item.start, item.end)

    @property
    def packages(self) -> tuple[Step, ...]:
        """The steps that run a package manager."""
        return tuple(step for step in self.steps if step.package is not None)


_NO_TEXT: Final = Mapped("", ())


def commands_of(instruction: Instruction, shell: Fact[tuple[str, ...]]) -> Commands:
    """The commands of a RUN, CMD, ENTRYPOINT or HEALTHCHECK with the shell `shell`; none for other instructions."""
    if not isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck):
        return Commands(None, _NO_TEXT, (), "the instruction runs nothing")
    if isinstance(instruction, Healthcheck) and instruction.kind != "CMD":
        return Commands(None, _NO_TEXT, (), "the instruction runs nothing")
    if instruction.json:
        words = instruction.args[1:] if isinstance(instruction, Healthcheck) else instruction.args
        return _exec_form(
            instruction, words=[_json_word(instruction, word.start, word.end, word.text) for word in words]
        )
    text = instruction.script
    if text is None:
        return Commands(None, _NO_TEXT, (), "the command is empty")
    # BuildKit looks for `#!` when `<<-` has dropped the leading tabs (`dispatchRun`).
    if isinstance(instruction, Run) and instruction.heredoc_script is not None and text.text.startswith("#!"):
        argv: tuple[str, ...] = tuple(text.text[2:].partition("\n")[0].split()) or ("",)
    elif isinstance(shell, Known):
        argv = shell.value
    else:
        why = shell.why if isinstance(shell, Unknown) else "there are several"
        return Commands(None, text, (), f"the shell is not known: {why}")
    if shell_kind(argv) not in _SHELLS:
        return Commands(None, text, (), f"the text is for {argv[0]}, which dockfix does not support", argv)
    script = parse_shell(text.text)
    if not script.ok:
        return Commands(None, text, (), "the shell text could not be parsed", argv)
    # copies: two instructions may have the same text, and a step belongs to one
    return Commands(script, text, tuple(map(replace, _steps(text.text))), None, argv)


@lru_cache(maxsize=256)
def _steps(text: str) -> tuple[Step, ...]:
    """The steps of a script, cached: each version of a file has most scripts of the one before."""
    return tuple(_Walk().steps(parse_shell(text)))


def _json_word(instruction: Instruction, start: int, end: int, value: str) -> Word:
    return Word(start, end, instruction.logical.text[start:end], value, True)


def _exec_form(instruction: Instruction, words: Sequence[Word]) -> Commands:
    if not words:
        return Commands(None, instruction.logical, (), "the command is empty")
    start, end = words[0].start, words[-1].end
    command = SimpleCommand(start, end, tuple(words), (), (), None, None, Context.NONE, False)
    script = Script(instruction.logical.text, (command,), (command,), (), (), frozenset(), frozenset())
    return Commands(None, instruction.logical, tuple(_Walk().steps(script)), "it is in exec form")


class _Walk(Struct):
    """What a script has set so far, during one pass over it."""

    exported: Layer = field(default_factory=lambda: Layer(None))
    plain: Layer = field(default_factory=lambda: Layer(None))
    cwd: Fact[str] = _HERE
    opaque: bool = False
    user_changed: bool = False
    export_all: bool = False
    position: int = 0
    journal: list[tuple[Layer, str, Value]] | None = None

    def steps(self, script: Script, depth: int = 0, around: Context = Context.NONE) -> Iterator[Step]:
        regions = [
            (statement.start, statement.end)
            for statement in script.top_level
            if not isinstance(statement, SimpleCommand) and statement.kind in ("subshell", "pipeline")
        ]
        region, inside = 0, False
        saved = self.cwd
        for command in script.commands:
            while region < len(regions) and command.start >= regions[region][1]:
                if inside:
                    self.leave(saved)
                    inside = False
                region += 1
            if not inside and region < len(regions) and command.start >= regions[region][0]:
                inside, saved = True, self.cwd
                if self.journal is None:
                    self.journal = []
            yield from self.step(command, script.text, depth, inside, around)
        if inside:
            self.leave(saved)

    def leave(self, cwd: Fact[str]) -> None:
        """Discard what a subshell or pipeline has set."""
        self.cwd = cwd
        for layer, name, value in reversed(self.journal or ()):
            self.position += 1
            layer.set(self.position, name, value)
        self.journal = None

    def step(self, command: SimpleCommand, text: str, depth: int, inside: bool, around: Context) -> Iterator[Step]:
        self.position += 1
        context = command.context if around is Context.NONE else command.context | around
        if not command.words:
            for assignment in command.assignments:
                self.assign(assignment, text, context, inside, exported=self.export_all)
            if any(redirect for redirect in command.redirects):
                yield self.plain_step(command, depth)
            return
        name = command.basename
        if name in DECLARATIONS:
            yield self.plain_step(command, depth)
            self.declare(command, text, context, inside)
            return
        yield from self.run(command, text, depth)
        self.effect(command, name, context, inside)

    def plain_step(self, command: SimpleCommand, depth: int) -> Step:
        return Step(command, None, self.env(), self.variables(), self.cwd, self.opaque, self.user_changed, depth)

    def env(self) -> Mapping[str, Fact[str]]:
        return View(self.exported, self.position)

    def variables(self) -> Mapping[str, Fact[str]]:
        return View(self.plain, self.position)

    def run(self, command: SimpleCommand, text: str, depth: int) -> Iterator[Step]:
        package = recognise(command.words)
        own = {each.name: _value(each, text) for each in command.assignments}
        if package is not None:
            for variable, literal in package.assignments().items():
                own[variable] = (
                    Known(literal) if literal is not None else Unknown("it is set to something that expands")
                )
        changed = self.user_changed or (package is not None and package.user_changed) or _changes_user(command)
        env = _Overlay(own, self.env()) if own else self.env()
        yield Step(command, package, env, self.variables(), self.cwd, self.opaque, changed, depth)
        if depth >= _MOST_NESTED:
            return
        for nested, switched in _nested(command):
            if nested.offset is None:
                continue
            script = parse_shell(nested.text)
            if not script.ok:
                continue
            inner = _Walk(
                exported=Layer(self.exported, self.position),
                plain=Layer(None),
                cwd=self.cwd if not switched else Unknown("another user's shell may start in another directory"),
                opaque=self.opaque,
                user_changed=changed or switched,
            )
            for variable, fact in own.items():
                inner.exported.set(START, variable, Value(fact))
            shifted = _shifted_script(script, nested.offset)
            yield from inner.steps(replace(shifted, text=text), depth + 1, command.context)

    def note(self, layer: Layer, name: str, value: Value) -> None:
        if self.journal is not None:
            self.journal.append((layer, name, layer.get(name, END)))
        layer.set(self.position, name, value)

    def assign(self, assignment: Assignment, text: str, context: Context, inside: bool, *, exported: bool) -> None:
        value = _value(assignment, text)
        if context & _UNCERTAIN or (context & _LEFT_BEHIND and not inside):
            value = Unknown("it is set in a branch, a loop or a subshell")
        known_before = self.exported.get(assignment.name, END).fact is not None
        self.note(self.exported if exported or known_before else self.plain, assignment.name, Value(value))

    def declare(self, command: SimpleCommand, text: str, context: Context, inside: bool) -> None:
        flags = [word.value for word in command.args if word.value is not None and word.value.startswith("-")]
        exports = command.basename == "export" or any("x" in flag for flag in flags)
        if any("n" in flag for flag in flags):
            exports = False
        for assignment in command.assignments:
            self.assign(assignment, text, context, inside, exported=exports)
        if not exports:
            return
        for word in command.args:
            if word.value is not None and word.value.isidentifier():
                value = self.plain.get(word.value, END)
                if value is not UNSET:
                    self.note(self.exported, word.value, value)

    def effect(self, command: SimpleCommand, name: str | None, context: Context, inside: bool) -> None:
        """Apply what a command changes for those after it."""
        if name in ("cd", "pushd"):
            uncertain = context & _UNCERTAIN or (context & _LEFT_BEHIND and not inside)
            self.cwd = Unknown("a cd in a branch or subshell") if uncertain else _moved(self.cwd, command)
        elif name == "popd":
            self.cwd = Unknown("popd")
        elif name in ("source", ".", "eval") or name is None:
            self.opaque = self.opaque or name is not None
        elif name == "set":
            flags = [word.value or "" for word in command.args]
            if any(re.fullmatch(r"-[a-z]*a[a-z]*", flag) for flag in flags) or "allexport" in flags:
                self.export_all = True
        elif name == "unset":
            for word in command.args:
                if word.value is not None and word.value.isidentifier():
                    self.note(self.exported, word.value, Value(Unknown("the script unsets it")))


class _Overlay(Mapping[str, "Fact[str]"]):
    """A few variables that override many others."""

    __slots__ = ("_first", "_rest")

    def __init__(self, first: Mapping[str, Fact[str]], rest: Mapping[str, Fact[str]]) -> None:
        self._first = first
        self._rest = rest

    def __getitem__(self, name: str) -> Fact[str]:
        return self._first[name] if name in self._first else self._rest[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._first
        yield from (name for name in self._rest if name not in self._first)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _value(assignment: Assignment, text: str) -> Fact[str]:
    if assignment.append:
        return Unknown("it is appended to")
    if text.startswith("[", assignment.start + len(assignment.name)):
        return Unknown("an element of it is set")
    if assignment.value is None:
        return Known("")
    value = assignment.value.value
    return Known(value) if value is not None else Unknown("it is set to something that expands")


def _moved(cwd: Fact[str], command: SimpleCommand) -> Fact[str]:
    words = [word for word in command.args if word.value not in ("-P", "-L", "--")]
    if len(words) != 1 or words[0].value is None or words[0].value in ("", "-"):
        return Unknown("a cd to something that is not literal")
    target = words[0].value
    if target.startswith("/"):
        return Known(normal_path(target))
    if isinstance(cwd, Known):
        return Known(normal_path(posixpath.join(cwd.value, target)))
    return cwd if isinstance(cwd, Unknown) else Unknown("a cd from one of several directories")


def _changes_user(command: SimpleCommand) -> bool:
    return command.basename in USER_CHANGERS or command.basename in _SWITCHERS


def _nested(command: SimpleCommand) -> Iterator[tuple[Nested, bool]]:
    """The literal scripts that a command passes to a shell, and whether the shell runs as another user."""
    name = command.basename
    if name in _SWITCHERS:
        script = _option_value(command.args, "-c", "--command")
        if script is not None:
            nested = nested_script(script)
            if nested is not None:
                yield nested, True
            return
    words = command.words
    if name in WRAPPERS:
        for index, word in enumerate(words[1:], 1):
            if word.value is not None and shell_kind((word.value,)) in _SHELLS:
                words = words[index:]
                break
    for nested in nested_scripts(replace(command, words=words)):
        yield nested, name in USER_CHANGERS


def _option_value(words: Sequence[Word], *names: str) -> Word | None:
    for index, word in enumerate(words[:-1]):
        if word.value in names:
            return words[index + 1]
    return None


def _shifted_script(script: Script, by: int) -> Script:
    commands = {id(command): _shifted(command, by) for command in script.commands}
    top = tuple(
        commands[id(each)]
        if isinstance(each, SimpleCommand)
        else replace(each, start=each.start + by, end=each.end + by, commands=(), redirects=())
        for each in script.top_level
    )
    return replace(script, commands=tuple(commands.values()), top_level=top)


def _shifted(command: SimpleCommand, by: int) -> SimpleCommand:
    def word(each: Word) -> Word:
        return replace(each, start=each.start + by, end=each.end + by)

    def assignment(each: Assignment) -> Assignment:
        value = word(each.value) if each.value is not None else None
        return replace(each, start=each.start + by, end=each.end + by, value=value)

    def redirect(each: Redirect) -> Redirect:
        target = word(each.target) if each.target is not None else None
        body = each.heredoc
        if body is not None:
            body = replace(body, start=body.start + by, end=body.end + by)
        return replace(each, start=each.start + by, end=each.end + by, target=target, heredoc=body)

    def operator(each: Operator | None) -> Operator | None:
        return replace(each, start=each.start + by, end=each.end + by) if each is not None else None

    return replace(
        command,
        start=command.start + by,
        end=command.end + by,
        words=tuple(word(each) for each in command.words),
        assignments=tuple(assignment(each) for each in command.assignments),
        redirects=tuple(redirect(each) for each in command.redirects),
        before=operator(command.before),
        after=operator(command.after),
    )
