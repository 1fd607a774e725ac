"""The container runs as root.

## What it does

Finds a final stage whose last `USER` is root, and a final stage without `USER` whose file creates a user with a UID.
For the second, the fix adds `USER`.

## Why is this bad?

A program that is broken into has all rights in the container, and more ways out of it. Kubernetes refuses such an image
where `runAsNonRoot` is set.

## Example

```dockerfile
FROM debian:12
RUN useradd -u 10001 -g 0 app
CMD ["serve"]
```

Use instead:

```dockerfile
FROM debian:12
RUN useradd -u 10001 -g 0 app
USER 10001
CMD ["serve"]
```

## Fix safety

The fix is unsafe: the program may write to folders that belong to root, or listen on a port below 1024. Change their
owners before `USER`.

## When it does not apply

- A `USER` of a parent stage or of the base image that is not root.
- Base images whose entry point changes the user itself, such as those of databases and `nginx`, and entry points that
  call `gosu`, `su-exec`, `setpriv`, `s6-setuidgid` or `tini`-like tools with a user.
- An image without any user in its file: whether it needs one is for its author to say, and `strict` tools to ask.

## References

- https://docs.docker.com/build/building/best-practices/#user
- [hadolint DL3002](https://github.com/hadolint/hadolint/wiki/DL3002)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import insert_instruction
from dockfix.facts.entrypoints import reads_command
from dockfix.facts.model import Known
from dockfix.facts.outcome import tolerated
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Part, Promise, Safety, Severity
from dockfix.syntax.tree import Cmd, Copy, Entrypoint, Instruction, Run, User

_STEPS_DOWN: Final = (
    "gosu",
    "su-exec",
    "setpriv",
    "setuidgid",
    "chpst",
    "runuser",
    "sudo",
    "supervisord",
    "s6-",
    "/init",
)
_MESSAGE: Final = "the container runs as root"


def check(target: Target) -> Iterator[Finding]:
    """Check the user of the final stage."""
    stage = target.facts.final
    if stage is None or target.facts.end_state(stage).is_root != Known(True) or reads_command(stage):
        return
    if stage.base is not None and stage.base.family == "windows":
        return
    if any(word in target.text for word in _STEPS_DOWN):
        return
    users = [node for each in target.facts.graph.chain(stage) for node in each.executed if isinstance(node, User)]
    if users:
        last = max(users, key=lambda node: node.span.start)
        yield Advice(last.span, f"{_MESSAGE}: the last `USER` is root")
        return
    finding = _unused_user(target, stage)
    if finding is not None:
        yield finding


def _unused_user(target: Target, stage: Stage) -> Finding | None:
    """A user that the file creates with a UID, and that nothing uses."""
    accounts = target.facts.accounts(stage)
    anchor = _anchor(stage)
    for run in (node for each in target.facts.graph.chain(stage) for node in each.executed if isinstance(node, Run)):
        commands = target.facts.commands(run)
        starts = tolerated(commands)
        for step in commands.steps:
            account = next((each for each in accounts.users.values() if each.created_by is step.command), None)
            if account is None or not isinstance(account.uid, Known) or account.uid.value == 0:
                continue
            if step.command.start in starts or any(word.value in ("-r", "--system") for word in step.command.words):
                continue
            at = commands.span(step.command)
            message = f"{_MESSAGE}: nothing runs as `{account.name}`"
            edit = insert_instruction(target.dockerfile, anchor, f"USER {account.uid.value}", "", above=True)
            review = "check that the program can write its files, and listens on a port above 1023"
            return Fix(at, message, (edit,), Safety.UNSAFE, f"add `USER {account.uid.value}` at the end", review)
    return None


def _anchor(stage: Stage) -> Instruction:
    """The first of the instructions at the end that only say how the container runs."""
    nodes = list(stage.executed)
    anchor = nodes[-1] if nodes else stage.node
    for node in reversed(nodes):
        if isinstance(node, Run | Copy) or not isinstance(node, Cmd | Entrypoint):
            break
        anchor = node
    return anchor


CODEMOD: Final = Codemod(
    name="root-user",
    title="the container runs as root",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.USERS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("user",),
    hadolint=frozenset({"DL3002"}),
    promise=Promise(
        config=frozenset({Part.USER}),
        rationale="The program runs as the user that the file creates; whether it can is what the review asks.",
    ),
)
