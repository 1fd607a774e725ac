"""The container runs as root.

## What it does

Finds a final stage whose last `USER` is root, and a final stage without `USER` whose file creates one user for its
program, with a UID, and starts the program as root all the same. For the second, the fix adds `USER`.

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
- Base images whose entry point changes the user itself, such as those of databases and `nginx`, and images that contain
  `gosu`, `su-exec`, `s6` or `supervisor`.
- A program that starts as root and changes the user itself, such as `sshd`, `nginx`, `php-fpm` or `su`, in `CMD`, in
  `ENTRYPOINT` or in a script of the build context that they run. No fix if the script is not known.
- Users of another kind: system users, several users, one that another command uses (`su app -c ...`), and users that a
  compose file names.
- An image that starts a shell or an interpreter, or nothing, or that has `ONBUILD`: it is the base of others.
- An image without any user in its file: whether it needs one is for its author to say.

## References

- https://docs.docker.com/build/building/best-practices/#user
- [hadolint DL3002](https://github.com/hadolint/hadolint/wiki/DL3002)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import insert_below, insert_instruction
from dockfix.facts.accounts.commands import account_program, program_values
from dockfix.facts.commands import Step
from dockfix.facts.entrypoints import reads_command
from dockfix.facts.model import Known
from dockfix.facts.outcome import tolerated
from dockfix.facts.stages import Stage
from dockfix.project.stage_services import services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Safety, Severity
from dockfix.syntax.tree import (
    Cmd,
    Entrypoint,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Onbuild,
    Run,
    Stopsignal,
    User,
)
from dockfix_codemods.root_user.starts import holds_tools, starts_as_root

_MESSAGE: Final = "the container runs as root"
_HOW_IT_RUNS: Final = (Cmd, Entrypoint, Healthcheck, Expose, Stopsignal, Label)
"""Instructions that need no user when the image is built."""
_OWNERS: Final = frozenset(("chown", "chgrp", "install", "mkdir", "usermod", "gpasswd", "id", "getent", "setfacl"))
"""Commands that name a user without running anything as it."""


def check(target: Target) -> Iterator[Finding]:
    """Check the user of the final stage."""
    stage = target.facts.final
    if stage is None or target.facts.end_state(stage).is_root != Known(True) or reads_command(stage):
        return
    if stage.base is not None and stage.base.family == "windows":
        return
    program = [node for each in reversed(target.facts.graph.chain(stage)) for node in each.program]
    if holds_tools(target, program):
        return
    starts = starts_as_root(target, stage, program)
    users = [node for node in program if isinstance(node, User)]
    if users:
        if not starts:
            help_ = "end with a `USER` that is not root"
            yield Advice(users[-1].span, f"{_MESSAGE}: the last `USER` is root", help=help_)
    elif stage.base is not None and stage.base.family == "scratch":
        return
    elif starts is False and not any(isinstance(node, Onbuild) for node in program):
        yield from _unused_user(target, stage, program)


def _unused_user(target: Target, stage: Stage, program: Sequence[Instruction]) -> Iterator[Finding]:
    """The one user that a file creates, with a UID, if nothing uses it."""
    accounts = target.facts.accounts(stage)
    runs = [node for node in program if isinstance(node, Run)]
    steps = [(run, step) for run in runs for step in target.facts.commands(run).steps]
    created = [(run, step) for run, step in steps if (account_program(step) or ("",))[0] in ("useradd", "adduser")]
    services = [service for each, found in services_by_stage(target) if each is stage for service in found]
    if len(created) != 1 or any(each.service.user for each in services):
        return
    run, step = created[0]
    account = next((each for each in accounts.users.values() if each.created_by is step.command), None)
    if account is None or not isinstance(account.uid, Known) or account.uid.value == 0 or _is_system(step):
        return
    commands = target.facts.commands(run)
    if step.command.start in tolerated(commands) or any(_uses(each, account.name) for _, each in steps):
        return
    keyword = "user" if stage.node.keyword.text.islower() else "USER"
    user = f"{keyword} {account.uid.value}"
    review = "check that the program can write its files, and listens on a port above 1023"
    message = f"{_MESSAGE}: nothing runs as `{account.name}`"
    edit = _insert(target, stage, user)
    yield Fix(commands.span(step.command), message, (edit,), Safety.UNSAFE, f"add `{user}` at the end", review)


def _is_system(step: Step) -> bool:
    """Whether a command creates a system user: `useradd -r`, `adduser -S` of busybox, `--system`."""
    program, values = program_values(step) or ("", ())
    letter = "r" if program == "useradd" else "S"
    words = [value or "" for value in values]
    return "--system" in words or any(word.startswith("-") and word[1:2] != "-" and letter in word for word in words)


def _uses(step: Step, name: str) -> bool:
    """Whether a command runs something as a user, or writes its name into a file."""
    if account_program(step) is not None or step.command.basename in _OWNERS:
        return False
    values = [word.value if word.value is not None else word.text for word in step.command.words]
    return any(value == name or value.startswith((f"{name}:", f"{name} ")) or f"={name}" in value for value in values)


def _insert(target: Target, stage: Stage, user: str) -> Edit:
    """Insert USER below the last instruction of a stage that builds the image."""
    nodes = list(stage.executed)
    last = next((index for index in range(len(nodes) - 1, -1, -1) if not isinstance(nodes[index], _HOW_IT_RUNS)), -1)
    if last + 1 < len(nodes):
        return insert_instruction(target.dockerfile, nodes[last + 1], user, "", above=True)
    return insert_below(target.dockerfile, nodes[last] if nodes else stage.node, user)


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
