"""A shell that refuses `pipefail`, and pipes whose failure nobody sees.

## What it does

dash, which is `sh` on Debian and Ubuntu, does not know `-o pipefail` and ends with exit code 2. Where the image has
bash, the shell becomes bash:

```dockerfile
FROM debian:12
SHELL ["/bin/sh", "-o", "pipefail", "-c"]
RUN cat /etc/passwd | sort > /users
```

becomes

```dockerfile
FROM debian:12
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN cat /etc/passwd | sort > /users
```

Above the first RUN of a stage in which something is fetched in front of a pipe, a SHELL with `pipefail` is put: bash
where the image has it, ash on Alpine (without `-e` if a RUN below goes on behind a command that fails).

```dockerfile
FROM alpine:3.20
RUN wget -qO- https://example.org/a.tgz | tar -xz
```

becomes

```dockerfile
FROM alpine:3.20
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
RUN wget -qO- https://example.org/a.tgz | tar -xz
```

## Why

A pipe ends with the status of its last command. A download that fails in front of `tar` or `sh` may go unnoticed.

## Safety

Unsafe: the new shell holds for all that follows in the stage and in stages made from it.

## What it leaves alone

- Images whose shells are not known, whose `sh` was replaced, and RUNs with an interpreter line of their own.
- Pipes in which nothing is fetched, and those on whose status nothing hangs: in front of `;` without `set -e`, or `||`.
- Pipes into `head`, `grep -q`, `sed q` and the like, and `yes` or `grep` in front of one: under pipefail these fail
  although all is well: refused.
- An `echo` with a backslash below, which dash and bash write differently: refused where dash becomes bash.

## Sources

- dash 0.5.12 (Debian 12): `set -o pipefail` is an illegal option, exit 2, run
- https://docs.docker.com/reference/dockerfile/#shell
- hadolint DL4006
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Instruction, Onbuild, Run, Shell
from dockfix_codemods.shell_pipefail import analysis as pipes

_BASH: Final = 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'
_ASH: Final = 'SHELL ["/bin/ash", "-eo", "pipefail", "-c"]'
_ASH_GOES_ON: Final = 'SHELL ["/bin/ash", "-o", "pipefail", "-c"]'
_PLAIN_BASH: Final = 'SHELL ["/bin/bash", "-c"]'
_WHY: Final = "with pipefail a pipe fails if any of its commands does"


def check(target: Target) -> Iterator[Finding]:
    """Look at the shells and pipes of each stage."""
    given: set[int] = set()
    for stage in target.facts.graph.stages:
        if stage.replaced:
            continue
        found = next(_refused_option(target, stage), None)
        if found is None and not any(each.index in given for each in target.facts.graph.chain(stage)):
            found = _hidden_failure(target, stage)
        if found is not None:
            given.add(stage.index)
            yield found


def _refused_option(target: Target, stage: Stage) -> Iterator[Finding]:
    """`pipefail` for dash: in SHELL, or in a RUN."""
    facts = target.facts
    for instruction in stage.instructions:
        at: Span | None = None
        if isinstance(instruction, Shell):
            argv = tuple(word.text for word in instruction.args)
            if "pipefail" in argv and pipes.dash_is_sh(facts, stage, instruction, argv):
                at, edit = instruction.span, surgery.replace(instruction.args[0].span, '"/bin/bash"')
        elif isinstance(instruction, Run) and not instruction.json:
            commands = facts.commands(instruction)
            command = pipes.sets_pipefail(commands)
            shell = pipes.known_shell(facts, instruction)
            if command is not None and commands.shell == shell and pipes.dash_is_sh(facts, stage, instruction, shell):
                at, edit = commands.span(command), surgery.insert_above(target.dockerfile, instruction, _PLAIN_BASH)
        if at is None:
            continue
        message = "sh is dash here, which refuses `-o pipefail` with exit code 2"
        if not pipes.bash_is_there(facts, stage, instruction):
            yield Refusal(at, message, "the image is not known to have bash", Severity.ERROR)
        else:
            review = f"that all that follows is to run in bash{_in_shell_form(target, stage, instruction)}"
            why = "bash knows pipefail"
            yield Fix(at, message, (edit,), Safety.UNSAFE, why, review, Severity.ERROR)


def _hidden_failure(target: Target, stage: Stage) -> Finding | None:
    """The first pipe of a stage that hides a failure, with the SHELL for it."""
    facts = target.facts
    for run in stage.instructions:
        if not isinstance(run, Run) or run.json:
            continue
        commands = facts.commands(run)
        shell = pipes.known_shell(facts, run)
        command = pipes.piped(commands).command
        if command is None or stage.base is None or not shell or commands.shell != shell:
            continue
        own = [each for each in stage.instructions if isinstance(each, Shell) and each.span.start < run.span.start]
        at = commands.span(command)
        message = f"a failure of {command.basename} in front of a pipe does not fail the RUN"
        bash = pipes.bash_is_there(facts, stage, run)
        edit = _shell(target, stage, run, own, shell, bash=bash)
        if edit is None:
            return None
        below = list(pipes.shell_form_below(facts, stage, own[-1] if own else run))
        for other in pipes.shell_form_below(facts, stage, run):
            script = facts.commands(other)
            line = target.dockerfile.text.count("\n", 0, other.span.start) + 1
            if breaks := pipes.piped(script).breaks:
                return Refusal(at, message, f"line {line} pipes with {breaks}, and would fail under pipefail")
            if bash and stage.base.sh == "dash" and shell[0] != "/bin/bash" and pipes.echoes_escapes(script):
                return Refusal(at, message, f"line {line} has an echo with a backslash, which bash writes as it is")
        review = "that no pipe below is meant to fail in its first commands"
        if not bash or shell[0] != "/bin/bash":
            review += _in_shell_form(target, stage, below[0] if below else run)
        return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, review)
    return None


def _shell(
    target: Target, stage: Stage, run: Run, own: list[Shell], shell: tuple[str, ...], *, bash: bool
) -> Edit | None:
    """The edit that brings pipefail; None if no shell is known that has it."""
    if own:
        words = own[-1].args
        if shell[0].rpartition("/")[2] != "bash" or len(words) != 2 or not words[1].text.endswith("c"):
            return None
        return surgery.insert(words[1].span.start, '"-o", "pipefail", ')
    if len(shell) != 2 or shell[0] not in ("/bin/sh", "/bin/bash", "/bin/ash") or stage.base is None:
        return None
    if stage.base.sh == "ash":
        below = pipes.shell_form_below(target.facts, stage, run)
        line = _ASH_GOES_ON if any(pipes.goes_on(target.facts.commands(each)) for each in below) else _ASH
    elif bash:
        line = _BASH
    else:
        return None
    return surgery.insert_above(target.dockerfile, run, line)


def _in_shell_form(target: Target, stage: Stage, at: Instruction) -> str:
    """What runs when the image does, and would run in the new shell."""
    for each in pipes.shell_form_below(target.facts, stage, at):
        if not isinstance(each, Run):
            line = target.dockerfile.text.count("\n", 0, each.span.start) + 1
            return f", {each.keyword.text} in line {line} too, which is in shell form"
    for each in stage.instructions:
        if (
            isinstance(each, Onbuild)
            and isinstance(each.child, Run)
            and not each.child.json
            and each.span.start > at.span.start
        ):
            return f", ONBUILD in line {each.start_line} too, which runs in the same shell"
    return ""


CODEMOD: Final = Codemod(
    name="shell-pipefail",
    title="a pipe that hides a failure, or a shell that refuses pipefail",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.SHELL, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("|", "pipefail"),
    page=__doc__,
    hadolint=frozenset({"DL4006"}),
    findings=("missed", "templates"),
)
