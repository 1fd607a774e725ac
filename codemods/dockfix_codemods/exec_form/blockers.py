"""Why the words of a command cannot stand for themselves, without a shell."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Final

from dockfix.facts.commands import Commands
from dockfix.facts.entrypoints import effective_entrypoint
from dockfix.facts.stages import Stage
from dockfix.facts.tables.programs import SHELL_WORDS, Trait, has_trait
from dockfix.project.stage_services import services_by_stage
from dockfix.project.target import Target
from dockfix.syntax.shell import Context, Word
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Cmd, Comment, Entrypoint
from dockfix_codemods.exec_form.programs import SHELLS

_READ_BY_BASH: Final = frozenset(("BASH_ENV", "SHELLOPTS", "BASHOPTS"))
"""Variables that change what bash does with `-c` (GNU Bash manual 5.2 and 6.2); as `sh` it ignores BASH_ENV."""
_WINDOWS: Final = re.compile(r"[A-Za-z]:\\|.*\.(?:exe|bat|cmd|ps1)\Z|(?:cmd|powershell|pwsh)\Z", re.IGNORECASE)


def words_of(commands: Commands) -> tuple[Word, ...]:
    """The words of the program, without `exec`; none if the command is more than a program with fixed words."""
    script = commands.script
    if script is None or len(script.commands) != 1 or len(script.top_level) != 1 or script.comments:
        return ()
    (command,) = script.commands
    if command.context is not Context.NONE or command.assignments or command.redirects or command.after is not None:
        return ()
    words = command.words[1:] if command.name == "exec" else command.words
    if not words or any(word.value is None for word in words) or words[0].text.startswith("-"):
        return ()
    return words


def need(commands: Commands) -> str:
    """Why a command needs a shell."""
    script = commands.script
    if script is not None and len(script.commands) > 1:
        return "it is more than one command; `exec` before the last program gives it the signals"
    return "the shell expands or redirects something in it; `exec` before the program gives it the signals"


def blocker_of(
    target: Target,
    stage: Stage,
    node: Cmd | Entrypoint,
    commands: Commands,
    entrypoint: Entrypoint | None,
    words: Sequence[Word],
) -> str | None:
    """Why the words cannot stand for themselves."""
    name = words[0].value or ""
    if name in SHELL_WORDS or not name:
        return f"the shell runs `{name}` itself" if name else "the name of the program is empty"
    found = _shell_blocker(target, stage, commands) or _word_blocker(target, node, commands, words)
    if found is not None:
        return found
    if isinstance(node, Cmd):
        argv = entrypoint.argv if entrypoint is not None else None
        if entrypoint is not None and argv and posixpath.basename(argv[0]) in SHELLS:
            return f"the `ENTRYPOINT` on line {entrypoint.start_line} is a shell, which reads its arguments itself"
        return None
    for each in (stage, *target.facts.graph.descendants(stage)):
        cmd = next((found for found in reversed(each.program) if isinstance(found, Cmd)), None)
        if cmd is not None and effective_entrypoint(target.facts, each) is node:
            return f"the `CMD` on line {cmd.start_line}, which the shell form ignores, would become its arguments"
    for each, services in services_by_stage(target):
        given = next((found for found in services if found.service.command), None)
        if given is not None and effective_entrypoint(target.facts, each) is node:
            return f"the `command` of {given.shown}, which the shell form ignores, would become its arguments"
    return None


def _shell_blocker(target: Target, stage: Stage, commands: Commands) -> str | None:
    """What the shell does before it starts the program."""
    shell = commands.shell or ("",)
    options = list(shell[1:])
    while options and options[0] in ("-e", "-u", "-eu", "-o"):
        named = options.pop(0) == "-o"
        if named and (not options or options.pop(0) not in ("pipefail", "errexit", "nounset")):
            break
    while options and options[0] in ("-eo", "-euo") and options[1:2] == ["pipefail"]:
        del options[:2]
    if options not in (["-c"], ["-ec"], ["-uc"], ["-euc"], ["-ce"], ["-cu"], ["-ceu"]):
        return "the `SHELL` may do more than start the program"
    env = target.facts.end_state(stage).env
    names = [each for each in env if each in _READ_BY_BASH or each.startswith("BASH_FUNC_")]
    if posixpath.basename(shell[0]) != "bash" and "BASH_ENV" in names:
        names.remove("BASH_ENV")
    return f"the shell reads `{names[0]}`, which may change what the command does" if names else None


def _word_blocker(target: Target, node: Cmd | Entrypoint, commands: Commands, words: Sequence[Word]) -> str | None:
    """What the exec form would say in another way."""
    spans = [commands.span(word) for word in words]
    start = Span(node.text.start(0), spans[0].end)
    if any(isinstance(each, Comment) and start.overlaps(each.span) for each in node.trivia):
        return "there is a comment before the program"
    if any("\n" in target.dockerfile.text[slice(*span)] for span in spans):
        return "a word continues on the next line"
    if any(_WINDOWS.match(word.text) for word in words[:1]):
        return "the shell of the image may be that of Windows"
    values = [word.value or "" for word in words]
    if any("\ud800" <= each <= "\udfff" for value in values for each in value):
        return "JSON cannot hold text that is not UTF-8"
    script = has_trait(posixpath.basename(values[0]), Trait.SHELL) and re.match(r"-[a-z]*c\Z", (*values, "")[1])
    if not script and (literal := next((value for value in values if "$" in value), None)) is not None:
        return f"`{literal}` is literal text, and would look like a variable in exec form"
    return None
