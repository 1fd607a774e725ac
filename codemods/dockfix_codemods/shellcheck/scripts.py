"""The scripts of a Dockerfile as ShellCheck gets them: with an interpreter line, and with the variables that are set.

ShellCheck reads no Dockerfile. The variables of ARG, ENV and the base image are lines of the script that export them:
one whose value is known as a word without blanks, another as a value that may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.facts.state import State
from dockfix.facts.tables.images import PLATFORM_ARGS
from dockfix.project.target import Target
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.source import Mapped, join
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Onbuild, Run, Word

__all__ = ["Script", "scripts_of"]

_PROGRAMS: Final = {
    "sh": "/bin/dash",  # of most images whose shell is not known, it accepts what is common to all
    "dash": "/bin/dash",
    "ash": "/bin/busybox sh",
    "bash": "/bin/bash",
    "ksh": "/bin/ksh",
}
"""The program in an interpreter line by which ShellCheck knows the dialect of a shell."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPANDED: Final = re.compile(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)")
_NOT_EXPORTED: Final = frozenset(("_", "IFS"))


class Script(Struct, frozen=True, dict=True):
    """The shell text of an instruction, and how ShellCheck gets it: after `head`, an interpreter line, or with the
    `dialect` of the interpreter line that it has itself.

    `owner` is the instruction of the file: an ONBUILD, or `instruction` itself. `building` tells whether the text runs
    in this build, in which the variables are known. `fixable` is not set for text inside of a JSON string.
    `shell_known` tells which program `sh` is, if it is one.
    """

    instruction: Instruction
    owner: Instruction
    text: Mapped
    head: str
    dialect: str
    state: State
    building: bool
    fixable: bool = True
    shell_known: bool = True

    @cached_property
    def _lead(self) -> int:
        """The length of the lines of comments at the start: a directive there must stay above the first command."""
        at = 0
        for line in self.text.text.splitlines(keepends=True):
            if line.strip() and not line.lstrip().startswith("#"):
                break
            at += len(line)
        return at

    @cached_property
    def _exports(self) -> str:
        words = []
        for name in sorted(self._variables()):
            known = self.building and (name in PLATFORM_ARGS or isinstance(self.state.lookup(name), Known))
            words.append(f"{name}=x" if known else f'{name}="${{{name}-}}"')
        # an interpreter line in the text names `sh`, not the program that it is
        dialect = f"# shellcheck shell={self.dialect}\n" if self.dialect else ""
        return f"{dialect}export {' '.join(words)}\n" if words else dialect

    def _variables(self) -> set[str]:
        text = self.text.text
        if not self.building:  # whoever starts the container may set any variable
            return set(_EXPANDED.findall(text)) - _NOT_EXPORTED
        script = parse_shell(text)
        found = script.variables | script.assigned if script.ok else frozenset(_NAME.findall(text))
        # of an unknown base image, any name may be set; ShellCheck takes much longer if every word is
        return {name for name in found - _NOT_EXPORTED if self.state.lookup(name) is not None}

    @cached_property
    def source(self) -> str:
        """The text for ShellCheck."""
        text, lead = self.text.text, self._lead
        return f"{self.head}{text[:lead]}{self._exports}{text[lead:]}"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.source.split("\n"))]

    def offset(self, line: int, column: int) -> int | None:
        """The offset in the text of a place in `source`; None if the text does not have it."""
        if not 0 < line < len(self._starts) or column < 1:
            return None
        at = self._starts[line - 1] + column - 1 - len(self.head)
        if at >= self._lead + len(self._exports):
            at -= len(self._exports)
        elif at >= self._lead and self._exports:
            return None
        return at if 0 <= at <= len(self.text.text) else None


def scripts_of(target: Target) -> Iterator[Script]:
    """The scripts of a Dockerfile whose shell ShellCheck knows."""
    for stage in target.facts.graph.stages:
        base_shell = (stage.base and stage.base.sh) or ""
        for owner in stage.instructions:
            instruction = owner.child if isinstance(owner, Onbuild) else owner
            if isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck):
                script = _script(target, stage, owner, instruction, base_shell)
                if script is not None:
                    yield script


def _script(
    target: Target, stage: Stage, owner: Instruction, instruction: Run | Cmd | Entrypoint | Healthcheck, base_shell: str
) -> Script | None:
    if isinstance(instruction, Healthcheck) and instruction.kind != "CMD":
        return None
    onbuild = owner is not instruction
    # a trigger runs in the build of another image, which begins as this stage ends
    state = target.facts.end_state(stage) if onbuild else target.facts.state(instruction)
    building = isinstance(instruction, Run) and not onbuild
    if instruction.json:
        text, argv = _exec_form(instruction)
    else:
        shell = state.shell
        text, argv = instruction.script, shell.value if isinstance(shell, Known) else ()
    if text is None:
        return None
    if text.text.startswith("#!"):  # only a heredoc that is the script has an interpreter line of its own
        words = text.text[2:].partition("\n")[0].split()
        argv = tuple(words[1:] if words and words[0].rpartition("/")[2] == "env" else words)
    name = argv[0].rpartition("/")[2] if argv else ""
    known = name != "sh" or base_shell in _PROGRAMS
    program = _PROGRAMS.get(base_shell if name == "sh" and known else name)
    if program is None:
        return None
    head = dialect = ""
    if text.text.startswith("#!"):
        dialect = program.split()[0].rpartition("/")[2]
    else:
        head = f"#!{program}{' -e' if _ends_on_error(argv) else ''}\n"
    fixable = not instruction.json
    return Script(instruction, owner, text, head, dialect, state, building, fixable=fixable, shell_known=known)


def _ends_on_error(argv: Sequence[str]) -> bool:
    """Whether the options of a shell end it at the first command that fails, as `-e` does."""
    return "errexit" in argv or any(re.fullmatch(r"-[A-Za-z]*e[A-Za-z]*", each) for each in argv[1:])


def _exec_form(instruction: Run | Cmd | Entrypoint | Healthcheck) -> tuple[Mapped | None, tuple[str, ...]]:
    """The script of `["sh", "-c", "..."]`, and the words before it; None if it is another command."""
    words = instruction.args[1:] if isinstance(instruction, Healthcheck) else instruction.args
    if len(words) < 3 or not re.fullmatch(r"-[a-z]*c", words[1].text):
        return None, ()
    return _json_text(instruction.logical, words[2]), (words[0].text, words[1].text)


def _json_text(logical: Mapped, word: Word) -> Mapped | None:
    """The value of a JSON string, mapped to the source; None if it has an escape for another character."""
    parts: list[Mapped] = []
    at, end = word.start + 1, word.end - 1
    while at < end:
        escape = logical.text.find("\\", at, end)
        if escape < 0:
            parts.append(logical.slice(at, end))
            break
        if logical.text[escape + 1] not in '"\\/':
            return None
        parts += [logical.slice(at, escape), logical.slice(escape + 1, escape + 2)]
        at = escape + 2
    text = join([each for each in parts if each.text])
    return text if text.text == word.text else None
