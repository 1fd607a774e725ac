"""A pipe hides a failure, or the shell rejects pipefail.

## What it does

- Finds `-o pipefail` for a `sh` that is dash, as on Debian and Ubuntu, and makes the shell bash if the image has it.
- Finds RUNs that download something before a pipe, and adds a SHELL with `pipefail` above the first one of a stage:
  bash if the image has it, ash on Alpine (without `-e` if a later RUN continues after a failed command).

## Why is this bad?

The exit status of a pipe is that of its last command, so a download that fails before `tar` or `sh` can go unnoticed.
dash does not know `-o pipefail` and exits with status 2.

## Example

```dockerfile
FROM debian:12
SHELL ["/bin/sh", "-o", "pipefail", "-c"]
RUN cat /etc/passwd | sort > /users
```

Use instead:

```dockerfile
FROM debian:12
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN cat /etc/passwd | sort > /users
```

And on Alpine:

```dockerfile
FROM alpine:3.20
RUN wget -qO- https://example.org/a.tgz | tar -xz
```

Use instead:

```dockerfile
FROM alpine:3.20
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
RUN wget -qO- https://example.org/a.tgz | tar -xz
```

## Fix safety

The fix is unsafe: the new shell applies to all later instructions of the stage, and of stages based on it. Check that
no later pipe is expected to fail in one of its first commands, and that the later commands run in the new shell.

## When it does not apply

- Images without a shell, or whose `sh` was replaced, and RUNs that name their own interpreter.
- Pipes without a download, and pipes whose status has no effect: before `;` without `set -e`, or before `||`.

dockfix reports, but does not fix:

- Downloads in images whose shell is unknown.
- Pipes into `head`, `grep -q`, `sed q` and similar, or from `yes` or `grep`, which fail under `pipefail` although
  nothing is wrong.
- A later `echo` with an escape such as `\\n`, which dash and bash print differently, if the shell would change from
  dash to bash.

## References

- Tested with dash 0.5.12 (Debian 12): `set -o pipefail` is an illegal option, exit status 2
- https://docs.docker.com/reference/dockerfile/#shell
- hadolint DL4006
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import insert, insert_above, replace
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Claim, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Instruction, Onbuild, Run, Shell
from dockfix_codemods.shell_pipefail import analysis as pipes

_BASH: Final = 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'
_ASH: Final = 'SHELL ["/bin/ash", "-eo", "pipefail", "-c"]'
_ASH_WITHOUT_ERREXIT: Final = 'SHELL ["/bin/ash", "-o", "pipefail", "-c"]'
_PLAIN_BASH: Final = 'SHELL ["/bin/bash", "-c"]'


def check(target: Target) -> Iterator[Finding]:
    """Check the shells and the pipes of each stage."""
    fixed: set[int] = set()
    for stage in target.facts.graph.stages:
        if stage.replaced:
            continue
        found = next(_rejected_option(target, stage), None)
        if found is None and not any(each.index in fixed for each in target.facts.graph.chain(stage)):
            found = _hidden_failure(target, stage)
        if found is not None:
            fixed.add(stage.index)
            yield found


def _rejected_option(target: Target, stage: Stage) -> Iterator[Finding]:
    """Find `pipefail` for dash, in SHELL or in a RUN."""
    facts = target.facts
    for instruction in stage.instructions:
        at: Span | None = None
        if isinstance(instruction, Shell):
            argv = tuple(word.text for word in instruction.args)
            if "pipefail" in argv and pipes.sh_is_dash(facts, stage, instruction, argv):
                at, edit = instruction.span, replace(instruction.args[0].span, '"/bin/bash"')
                summary = "make the shell `/bin/bash`"
        elif isinstance(instruction, Run) and not instruction.json:
            commands = facts.commands(instruction)
            command = pipes.pipefail_command(commands)
            shell = pipes.known_shell(facts, instruction)
            if command is not None and commands.shell == shell and pipes.sh_is_dash(facts, stage, instruction, shell):
                at, edit = commands.span(command), insert_above(target.dockerfile, instruction, _PLAIN_BASH)
                summary = f"add `{_PLAIN_BASH}`"
        if at is None:
            continue
        message = "`sh` is dash, which rejects `-o pipefail` with exit status 2"
        if not pipes.has_bash(facts, stage, instruction):
            yield Refusal(at, message, "the image is not known to have bash", Severity.ERROR)
        else:
            review = "check that all later commands of the stage run in bash"
            review += _also_affected(target, stage, instruction)
            yield Fix(at, message, (edit,), Safety.UNSAFE, summary, review, Severity.ERROR)


def _hidden_failure(target: Target, stage: Stage) -> Finding | None:
    """Find the first pipe of a stage that hides a failure, and the SHELL that shows it."""
    facts = target.facts
    for run in stage.instructions:
        if not isinstance(run, Run) or run.json:
            continue
        commands = facts.commands(run)
        shell = pipes.known_shell(facts, run)
        command = pipes.piped(commands).download
        if command is None or (stage.base is not None and not stage.base.sh):
            continue  # nothing to find, or an image without a shell
        at = commands.span(command)
        message = f"the exit status of `{command.basename}` before a pipe is ignored"
        if stage.base is None or not shell or commands.shell != shell:
            if pipes.may_be_any_shell(facts, run):
                return Refusal(at, message, "the shell of the base image is unknown, and dash rejects `pipefail`")
            continue
        above = [each for each in stage.instructions if isinstance(each, Shell) and each.span.start < run.span.start]
        own = above[-1] if above else None
        bash = pipes.has_bash(facts, stage, run)
        try:
            edit = _pipefail_edit(target, stage, run, own, shell, bash=bash)
        except Refused as refused:
            return Refusal(at, message, refused.reason)
        from_dash = bash and stage.base.sh == "dash" and shell[0] != "/bin/bash"
        try:
            _check_later_runs(target, stage, run, from_dash=from_dash)
        except Refused as refused:
            return Refusal(at, message, refused.reason)
        review = "check that no later pipe is expected to fail in one of its first commands"
        if not bash or shell[0] != "/bin/bash":
            below = next(pipes.shell_form_below(facts, stage, own or run), run)
            review += _also_affected(target, stage, below)
        summary = "add a `SHELL` with `pipefail` above this RUN" if own is None else "add `-o pipefail` to the `SHELL`"
        return Fix(at, message, (edit,), Safety.UNSAFE, summary, review)
    return None


def _check_later_runs(target: Target, stage: Stage, run: Run, *, from_dash: bool) -> None:
    """Raise Refused if an instruction would fail under `pipefail`, or print something else in bash."""
    for other in pipes.shell_form_below(target.facts, stage, run):
        script = target.facts.commands(other)
        if breaks := pipes.piped(script).breaks:
            raise Refused(f"{_place(target, other)} has a pipe with {breaks}, and would fail under `pipefail`")
        if from_dash and pipes.echoes_escapes(script):
            raise Refused(f"{_place(target, other)} has an `echo` with an escape, which bash prints unchanged")


def _place(target: Target, instruction: Instruction) -> str:
    return f"the {instruction.keyword.text} on line {_line(target, instruction)}"


def _line(target: Target, instruction: Instruction) -> int:
    return target.dockerfile.text.count("\n", 0, instruction.span.start) + 1


def _pipefail_edit(
    target: Target, stage: Stage, run: Run, own: Shell | None, shell: tuple[str, ...], *, bash: bool
) -> Edit:
    """The edit that sets `pipefail`.

    Raises:
        Refused: no shell of the image is known to have it, or the `SHELL` is not `bash -c`.
    """
    if own is not None:
        words = own.args
        if shell[0].rpartition("/")[2] != "bash" or len(words) != 2 or not words[1].text.endswith("c"):
            raise Refused(f"the `SHELL` of line {own.start_line} is not `bash -c`")
        return insert(words[1].span.start, '"-o", "pipefail", ')
    if len(shell) != 2 or shell[0] not in ("/bin/sh", "/bin/bash", "/bin/ash") or stage.base is None:
        raise Refused("the shell of the image is unknown")
    if stage.base.sh == "ash":
        below = pipes.shell_form_below(target.facts, stage, run)
        continues = any(pipes.continues_after_failure(target.facts.commands(each)) for each in below)
        line = _ASH_WITHOUT_ERREXIT if continues else _ASH
    elif bash:
        line = _BASH
    else:
        raise Refused("the image has no shell that is known to have `pipefail`")
    return insert_above(target.dockerfile, run, line)


def _also_affected(target: Target, stage: Stage, at: Instruction) -> str:
    """The first later instruction that the new shell runs outside this build, for a review."""
    for each in pipes.shell_form_below(target.facts, stage, at):
        if not isinstance(each, Run):
            return f", including {_place(target, each)}, which is in shell form"
    for each in stage.instructions:
        if (
            isinstance(each, Onbuild)
            and isinstance(each.child, Run)
            and not each.child.json
            and each.span.start > at.span.start
        ):
            return f", including the ONBUILD on line {each.start_line}, which runs in the same shell"
    return ""


CODEMOD: Final = Codemod(
    name="shell-pipefail",
    title="a pipe hides a failure, or the shell rejects pipefail",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.SHELL, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("|", "pipefail"),
    hadolint=frozenset({"DL4006"}),
    findings=("missed", "templates"),
    promise=Promise(
        config=frozenset({Part.SHELL, Part.COMMAND, Part.ENTRYPOINT, Part.HEALTHCHECK}),
        claims=frozenset({Claim.REPAIRS}),
        rationale=(
            "The same commands run in another shell, also in the shell form of CMD, ENTRYPOINT and HEALTHCHECK. A "
            "build that fails afterwards shows a failure that was hidden."
        ),
    ),
)
