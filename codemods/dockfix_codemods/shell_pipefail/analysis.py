"""Finds pipes that hide a failure, and shells that reject `pipefail`.

Sources: dash(1) 0.5.12 (`set -o pipefail`: "Illegal option", exit status 2, tested); bash(1) and BusyBox
`shell/ash.c`, which have it; hadolint DL4006.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import Final

from msgspec import Struct

from dockfix.facts.build import BuildFacts
from dockfix.facts.commands import Commands, Step
from dockfix.facts.model import Known
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import Context, Script, SimpleCommand, shell_options
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Run, Shell

_SH: Final = frozenset(("/bin/sh", "sh", "/bin/dash", "dash", "/usr/bin/sh"))
_LINKERS: Final = frozenset(("ln", "mv", "cp", "install", "dpkg-divert", "update-alternatives", "dpkg-reconfigure"))
_ESCAPE: Final = re.compile(r"\\[A-Za-z0-9\\]")
"""What dash's `echo` may interpret, as `\\n`, `\\033` and `\\\\`; it prints a backslash before a punctuation mark."""
_GREPS: Final = frozenset(("grep", "egrep", "fgrep", "zgrep", "rg"))


class Piped(Struct, frozen=True):
    """The pipes of a RUN in which only the failure of the last command counts.

    `download` is the first command that downloads something before a `|`. `breaks` names a command that fails under
    `pipefail` although nothing is wrong, or that stops reading early, so that SIGPIPE ends the writer with status 141.
    """

    download: SimpleCommand | None
    breaks: str | None


def sh_is_dash(facts: BuildFacts, stage: Stage, before: Instruction, argv: tuple[str, ...]) -> bool:
    """Whether a shell is certainly dash at an instruction: by its name, or as the `sh` of the base image."""
    if not argv or argv[0] not in _SH:
        return False
    if argv[0].endswith("dash"):
        return True
    if stage.base is None or stage.base.sh != "dash":
        return False
    return not any(
        step.command.basename in _LINKERS
        and any("/sh" in (word.value or word.text) or word.value == "dash" for word in step.command.args)
        for step in _steps_above(facts, stage, before)
    )


def has_bash(facts: BuildFacts, stage: Stage, before: Instruction) -> bool:
    """Whether the image has bash at an instruction, from its base image or an earlier install."""
    if stage.base is not None and "bash" in stage.base.tools:
        return True
    return any(
        step.package is not None
        and step.package.action is Action.INSTALL
        and not step.command.context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
        and any(word.value == "bash" for word in step.package.packages)
        for step in _steps_above(facts, stage, before)
    )


def _steps_above(facts: BuildFacts, stage: Stage, before: Instruction) -> Iterator[Step]:
    for each in (*facts.graph.chain(stage), stage):
        for instruction in each.instructions:
            if instruction.span.start < before.span.start and isinstance(instruction, Run):
                yield from facts.commands(instruction).steps


def pipefail_command(commands: Commands) -> SimpleCommand | None:
    """The first `set -o pipefail` that a script runs in its own shell."""
    for step in commands.steps:
        values = step.command.values()
        if step.depth == 0 and step.command.name == "set" and "pipefail" in values:
            at = values.index("pipefail")
            option = values[at - 1] or ""
            if option.startswith("-") and option.endswith("o"):
                return step.command
    return None


def piped(commands: Commands) -> Piped:
    """What the pipes of a script hide, and what they would do under `pipefail`."""
    script = commands.script
    options = shell_options(commands.shell or ())
    if script is None or "pipefail" in options or pipefail_command(commands) is not None:
        return Piped(None, None)
    exits = "errexit" in options
    first: SimpleCommand | None = None
    breaks: str | None = None
    for command in script.commands:
        if command.after is not None and command.after.text in ("|", "|&"):
            if command.basename == "yes":
                breaks = breaks or "`yes`, which never ends by itself"
            if command.basename in _GREPS:
                breaks = breaks or f"`{command.basename}`, which fails if nothing matches"
            if (
                first is None
                and has_trait(command.basename, Trait.FETCHES)
                and (exits or _status_counts(script, command))
            ):
                first = command
        if command.before is not None and command.before.text in ("|", "|&"):
            breaks = breaks or _stops_early(command)
    return Piped(first, breaks)


def _status_counts(script: Script, command: SimpleCommand) -> bool:
    """Whether the status of a pipe has an effect: under `set -e`, before `&&`, or at the end of the script."""
    if command.errexit:
        return True
    first = bisect_left(script.commands, command.start, key=lambda each: each.start)
    later = dropwhile(lambda each: each is not command, islice(script.commands, first, None))
    operators = (each.after for each in later)
    after = next((each for each in operators if each is None or each.text not in ("|", "|&")), None)
    return after is None or after.text == "&&"


def _stops_early(command: SimpleCommand) -> str | None:
    """How a reader of a pipe stops before the end of its input; None if it does not."""
    name = command.basename
    values = [word.value or word.text for word in command.args]
    if name == "head":
        return "`head`"
    if name in _GREPS and any(
        value in ("--quiet", "--silent")
        or value.startswith("--max-count")
        or (value.startswith("-") and not value.startswith("--") and ("q" in value or "m" in value))
        for value in values
    ):
        return f"a `{name}` that stops at the first match"
    if name == "sed" and any(value.rstrip("}; ").endswith("q") for value in values if not value.startswith("-")):
        return "a `sed` that quits"
    if name in ("awk", "gawk", "mawk") and any("exit" in value for value in values):
        return f"an `{name}` that exits"
    return None


def shell_form_below(facts: BuildFacts, stage: Stage, at: Instruction) -> Iterator[Instruction]:
    """The instructions from `at` to the next SHELL that run in the shell of the stage, or of stages based on it."""
    for each in (stage, *facts.graph.descendants(stage)):
        for instruction in each.instructions:
            if each is stage and instruction.span.start < at.span.start:
                continue
            if isinstance(instruction, Shell):
                break
            if isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck) and not instruction.json:
                yield instruction


def echoes_escapes(commands: Commands) -> bool:
    """Whether an `echo` has an escape, which dash interprets and bash prints unchanged."""
    return any(
        step.command.name == "echo" and any(_ESCAPE.search(word.value or word.text) for word in step.command.args)
        for step in commands.steps
    )


def continues_after_failure(commands: Commands) -> bool:
    """Whether a script continues after a failed command, so that `-e` would change what it does."""
    script = commands.script
    if script is None:
        return True
    ends = any(each.after is not None and each.after.text in (";", "\n") for each in script.commands[:-1])
    return ends and not (len(script.commands) > 1 and script.commands[1].errexit)


def known_shell(facts: BuildFacts, instruction: Instruction) -> tuple[str, ...]:
    """The shell that runs the text of an instruction; empty if unknown."""
    state = facts.state(instruction)
    return state.shell.value if isinstance(state.shell, Known) and not state.shell_assumed else ()


def may_be_any_shell(facts: BuildFacts, run: Run) -> bool:
    """Whether nothing but the base image decides which shell runs the text, and that is not known."""
    state = facts.state(run)
    return state.shell_assumed and facts.commands(run).shell is not None
