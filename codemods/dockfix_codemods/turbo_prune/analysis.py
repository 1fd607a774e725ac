"""The arguments and the output of `turbo prune`.

Seen with turbo 1.6, 1.8, 1.9, 1.10 and 2.11: from 1.10 on names are arguments, and `--scope` next to one ends with
"the argument '[SCOPE]…' cannot be used with '--scope'"; before that a name is an unexpected argument. With `--docker`
the output is `json` (the manifests), `full` (the sources) and the lock file, without it the pruned tree itself
(turborepo.com/docs/reference/prune).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.model import Known, Refused
from dockfix.facts.paths import normal_path
from dockfix.syntax.tree import Copy, Instruction, Run, Word

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage
    from dockfix.syntax.shell import Word as ShellWord

_TURBO: Final = re.compile(r"turbo(?:@(?P<version>\d[\w.-]*|[a-z]+))?\Z")
_LOCK_FILES: Final = (".yaml", ".lock", "lock.json")
_RUNNERS: Final = frozenset(("npx", "pnpx", "bunx", "pnpm", "yarn", "npm", "bun"))
_WITH_VALUE: Final = frozenset(
    (
        *("--out-dir", "--cwd", "--api", "--heap", "--ui", "--login", "--team", "--token", "--trace", "--verbosity"),
        *("--remote-cache-timeout", "--profile", "--anon-profile", "--root-turbo-json"),
    )
)


class Prune(Struct, frozen=True):
    """A `turbo prune` of a RUN.

    `names` are its arguments, `scopes` the words of each `--scope` and the name in them. `output` is the absolute path
    that it writes to, None if that is not known. `old`: its version is known to be before 1.10.
    """

    run: Run
    step: Step
    names: tuple[ShellWord, ...]
    scopes: tuple[tuple[tuple[ShellWord, ...], str], ...]
    docker: bool
    output: str | None
    old: bool


class CopiedOutput(Struct, frozen=True):
    """A COPY from the output of a `turbo prune`; `part` is the path below it, `json` and `full` with `--docker`."""

    copy: Copy
    source: Word
    part: str


def prunes(facts: BuildFacts, stage: Stage) -> Iterator[Prune]:
    """The prunes of a stage, in order."""
    for run in stage.instructions:
        if isinstance(run, Run):
            for step in facts.commands(run).steps:
                found = _prune(facts, run, step)
                if found is not None:
                    yield found


def copied_output(facts: BuildFacts, stage: Stage, prune: Prune) -> tuple[CopiedOutput, ...]:
    """The parts of the output of a prune that later stages copy, from its stage or one that starts from it."""
    if prune.output is None:
        return ()
    found: list[CopiedOutput] = []
    for source in (stage, *facts.graph.descendants(stage)):
        for copy in facts.graph.copied_from(source):
            if not isinstance(copy, Copy):
                continue
            for word in copy.paths:
                path = normal_path("/" + word.text.lstrip("/"))
                below = path.removeprefix(prune.output)
                if below != path and (not below or below.startswith("/")):
                    found.append(CopiedOutput(copy, word, below.strip("/")))
    return tuple(found)


def check_layout(facts: BuildFacts, stage: Stage, prune: Prune, copied: tuple[CopiedOutput, ...]) -> None:
    """Check that nothing uses the layout of the output without `--docker`.

    Raises:
        Refused: a COPY or a RUN uses it.
    """
    for each in copied:
        if not is_part(each, "json") and not is_part(each, "full") and not each.part.endswith(_LOCK_FILES):
            line = each.copy.start_line
            raise Refused(f"line {line} copies `{each.source.text}`, which exists only without `--docker`")
    user = _uses_tree(facts, stage, prune)
    if user is not None:
        raise Refused(f"the RUN in line {user.start_line} uses a path that is different with `--docker`")


def _uses_tree(facts: BuildFacts, stage: Stage, prune: Prune) -> Run | None:
    """A RUN of a prune's stage, or of one that starts from it, that names a path which `--docker` moves.

    That is any part of the output but `json`, `full` and a lock file.
    """
    for source in (stage, *facts.graph.descendants(stage)):
        for run in source.instructions:
            if not isinstance(run, Run) or run.span.start < prune.run.span.start or prune.output is None:
                continue
            workdir = facts.state(run).workdir
            for step in facts.commands(run).steps:
                cwd = step.directory(workdir)
                for word in step.command.args:
                    path = posixpath.join(cwd.value if isinstance(cwd, Known) else "/", word.value or word.text)
                    below = normal_path(path).removeprefix(f"{prune.output}/")
                    if below != normal_path(path) and not _is_kept(below):
                        return run
    return None


def _is_kept(part: str) -> bool:
    return part.partition("/")[0] in ("json", "full") or part.endswith(_LOCK_FILES)


def is_part(taken: CopiedOutput, part: str) -> bool:
    """Whether it is `json` or `full`, or something in that."""
    return taken.part == part or taken.part.startswith(f"{part}/")


def _prune(facts: BuildFacts, run: Run, step: Step) -> Prune | None:
    words = step.command.words
    at = next((index for index, word in enumerate(words) if _TURBO.match(_name(word))), None)
    if at is None or (at and _name(words[0]) not in _RUNNERS):
        return None
    verb = next((index for index in range(at + 1, len(words)) if not words[index].text.startswith("-")), None)
    if verb is None or words[verb].value != "prune":
        return None
    names: list[ShellWord] = []
    scopes: list[tuple[tuple[ShellWord, ...], str]] = []
    docker, folder, moved = False, "out", False
    rest = iter(words[verb + 1 :])
    for word in rest:
        option, equals, value = word.text.partition("=")
        if option == "--docker":
            docker = value != "false"
        elif option == "--scope":
            second = None if equals else next(rest, None)
            if not equals and second is None:
                continue  # turbo rejects it
            scopes.append(((word,) if second is None else (word, second), value if second is None else second.text))
        elif option in _WITH_VALUE:
            given = word if equals else next(rest, None)
            folder = (value if equals else given.text) if given is not None and option == "--out-dir" else folder
            moved = moved or option == "--cwd"
        elif not word.text.startswith("-"):
            names.append(word)
    cwd = step.directory(facts.state(run).workdir)
    known = isinstance(cwd, Known) and not moved and not any(char in folder for char in "$`*'\"\\")
    output = normal_path(posixpath.join(cwd.value, folder)) if known and isinstance(cwd, Known) else None
    return Prune(run, step, tuple(names), tuple(scopes), docker, output, _is_old(_name(words[at])))


def _name(word: ShellWord) -> str:
    return posixpath.basename(word.value or "")


def _is_old(name: str) -> bool:
    match = _TURBO.match(name)
    numbers = (match["version"] or "").split(".") if match else []
    return len(numbers) > 1 and numbers[0] == "1" and re.fullmatch("[0-9]", numbers[1]) is not None


def position(stage: Stage, instruction: Instruction) -> int:
    """The index of an instruction in a stage; -1 if it is not there."""
    return next((index for index, each in enumerate(stage.instructions) if each is instruction), -1)
