"""Installs of uv by its own script, and whether their commands can be removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.images import image_names
from dockfix.facts.model import Known
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.facts.uv_installs.on_path import SYSTEM_PATH, UV_IMAGE, Removable, is_uv
from dockfix.syntax.shell import SimpleCommand, Statement
from dockfix.syntax.tree import Add, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Commands
    from dockfix.facts.stages import Stage
    from dockfix.syntax.source import Span

_SCRIPT: Final = re.compile(
    r"https://(?:astral\.sh/uv(?:/(?P<path>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}))?/install\.sh"
    r"|github\.com/astral-sh/uv/releases/(?:download/(?P<release>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9})|latest/download)/uv-installer\.sh)\Z"
)

_ANY_SCRIPT: Final = re.compile(r"astral\.sh/uv/.*install\.sh|astral-sh/uv/releases/.*uv-installer\.sh")
_PINNED: Final = re.compile(rf"{re.escape(UV_IMAGE)}:\d+\.\d+\.\d+(?:@sha256:[0-9a-f]{{64}})?\Z")
_FIRST_IMAGE: Final = (0, 2)


class UvInstall(Struct, frozen=True, eq=False):
    """An install of uv by its script.

    `at` fetches the script, `run` runs it, and `add` is the ADD that contains it. `image` is uv's image of the same
    version, or the one that the file uses elsewhere; None if no version is known. `cut` are the first and last of the
    commands that only install uv, and `whole` says that `run` has no others. `blocker` says why they cannot be removed;
    None if they can.
    """

    at: Span
    stage: Stage
    run: Run
    add: Add | None
    image: str | None
    cut: Removable | None
    whole: bool
    blocker: str | None


def uv_installs(facts: BuildFacts) -> Iterator[UvInstall]:
    """The installs of uv by its script in the stages that the image is based on."""
    final = facts.graph.final
    for stage in facts.graph.chain(final) if final is not None else ():
        added: dict[str, Add] = {}
        for instruction in stage.executed:
            if isinstance(instruction, Add) and len(instruction.sources) == 1 and instruction.destination is not None:
                if _ANY_SCRIPT.search(instruction.sources[0].text):
                    added[instruction.destination.text] = instruction
            elif isinstance(instruction, Run) and (found := _install(facts, stage, instruction, added)):
                yield found


def _install(facts: BuildFacts, stage: Stage, run: Run, added: dict[str, Add]) -> UvInstall | None:
    commands = facts.commands(run)
    fetches = ((each.command, _url(facts, run, each.command)) for each in commands.steps)
    fetch, url = next((each for each in fetches if each[1]), (None, None))
    add, files = None, set[str]()
    if fetch is not None and url is not None:
        at, saved = commands.span(fetch), _saved_as(fetch)
        files = {saved} if saved else set()
    else:
        words = [word.value for step in commands.steps for word in step.command.words]
        add = next((each for path, each in added.items() if path in words), None)
        if add is None or add.destination is None:
            return None
        url, at, files = add.sources[0].text, add.span, {add.destination.text}
    if not any(_runs(step.command, files) or _reads_stdin(step.command) for step in commands.steps):
        return None
    if _removes_it(commands):
        return None
    image = _image(facts, url)
    cut, whole = _cut(commands, fetch, files)
    blocker = None
    if cut is None:
        blocker = "the commands that install it cannot be separated from the others"
    elif image is None:
        blocker = "its version is unknown"
    return UvInstall(at, stage, run, add, image, cut, whole, blocker)


def _url(facts: BuildFacts, run: Run, command: SimpleCommand) -> str | None:
    """The address from which curl or wget fetches uv's script; None if it fetches something else."""
    if not has_trait(command.basename, Trait.DOWNLOADS):
        return None
    word = next((each for each in command.args if _ANY_SCRIPT.search(each.text)), None)
    if word is None:
        return None
    if word.value is not None:
        return word.value
    state = facts.state(run)
    expanded = state.expand(word.text, run.escape)
    fixed = not any(state.assumes(name) for name in word.variables)
    return expanded.value if isinstance(expanded, Known) and fixed else word.text


def _saved_as(command: SimpleCommand) -> str | None:
    """The file that a download is written to; None for standard output."""
    words = command.values()
    for option, word in pairwise(words):
        if option and word and word != "-" and re.fullmatch(r"--output|--output-document|-[A-Za-z]*[oO]", option):
            return word
    return next((each.target.value for each in command.redirects if each.target and each.operator == ">"), None)


def _runs(command: SimpleCommand, files: set[str]) -> bool:
    words = command.values()
    return bool(words) and (
        words[0] in files or (has_trait(words[0], Trait.SHELL) and any(word in files for word in words[1:]))
    )


def _reads_stdin(command: SimpleCommand) -> bool:
    """Whether a command is `sh` after a pipe, possibly with `env A=b` before it or `-s -- options` after it."""
    words = [word for word in command.values() if word is None or (word != "env" and "=" not in word)]
    program = (words[0] or "").rpartition("/")[2] if words else ""
    return has_trait(program, Trait.SHELL) and (len(words) == 1 or words[1] == "-s")


def _removes_it(commands: Commands) -> bool:
    """Whether the same RUN removes uv again, or may."""
    removing = [step.command for step in commands.steps if step.command.basename == "rm"]
    words = [word.text.strip('"') for command in removing for word in command.args]
    return any(word.endswith(("/uv", "/bin", "/.local", "/uv*", "/uvx")) for word in words)


def _image(facts: BuildFacts, url: str) -> str | None:
    found = _SCRIPT.match(url)
    version = (found["path"] or found["release"]) if found else None
    if version:
        old = tuple(int(part) for part in version.split(".")[:2]) < _FIRST_IMAGE
        return None if old else f"{UV_IMAGE}:{version}"
    if found is None:
        return None
    graph = facts.graph
    named = {
        name for stage in graph.stages for _, name in graph.stage_references(stage) if UV_IMAGE in image_names(name)
    }
    return named.pop() if len(named) == 1 and all(_PINNED.match(name) for name in named) else None


def _cut(commands: Commands, fetch: SimpleCommand | None, files: set[str]) -> tuple[Removable | None, bool]:
    """The first and last command of the adjacent statements that only install uv, and whether these are all."""
    script = commands.script
    if script is None or {"||", "&"} & script.operators:
        return None, False
    statements = [each for each in script.top_level if not (isinstance(each, SimpleCommand) and each.name == "set")]
    belongs = [_only_installs(each, fetch, files) for each in statements]
    # The command that fetches the script, or runs one that was added, and adjacent ones that do nothing else.
    core = [
        at
        for at, each in enumerate(statements)
        if belongs[at] and any(one is fetch or (fetch is None and _runs(one, files)) for one in _commands(each))
    ]
    if not core:
        return None, False
    first = core[0] - len(list(takewhile(bool, reversed(belongs[: core[0]]))))
    last = core[0] + len(list(takewhile(bool, belongs[core[0] :]))) - 1
    rest = statements[:first] + statements[last + 1 :]
    words = {word.value for each in rest for command in _commands(each) for word in command.words}
    if words & files:
        return None, False
    return (_commands(statements[first])[0], _commands(statements[last])[-1]), not rest


def _commands(statement: Statement) -> Sequence[SimpleCommand]:
    return (statement,) if isinstance(statement, SimpleCommand) else statement.commands


def _only_installs(statement: Statement, fetch: SimpleCommand | None, files: set[str]) -> bool:
    if not isinstance(statement, SimpleCommand):
        parts = statement.commands
        return (
            statement.kind == "pipeline"
            and len(parts) == 2
            and parts[0] is fetch
            and not files
            and _reads_stdin(parts[1])
        )
    if statement is fetch:
        return bool(files)
    if _runs(statement, files):
        return True
    operands = [word.text for word in statement.args if not word.text.startswith("-")]
    paths = [text.strip('"') for text in operands]
    if statement.basename in ("chmod", "rm") and any(path in files for path in paths):
        return all(path in files for path in (paths[1:] if statement.basename == "chmod" else paths))
    if statement.basename == "chmod":
        return len(paths) > 1 and all(is_uv(path) for path in paths[1:])
    if statement.basename in ("ln", "mv", "cp", "install"):
        folder = paths[-1].rstrip("/") if paths else ""
        return len(paths) > 1 and all(is_uv(path) for path in paths[:-1]) and (is_uv(folder) or folder in SYSTEM_PATH)
    return is_uv(statement.name or "", bare=True) and statement.values()[1:] in (("--version",), ("-V",), ("version",))
