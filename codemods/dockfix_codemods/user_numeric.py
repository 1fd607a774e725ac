"""USER is a name, although the file says which UID it has.

## What it does

Finds `USER name` where the Dockerfile creates the user with a UID, and writes the UID.

## Why is this bad?

Kubernetes cannot tell whether a name is root: a pod with `runAsNonRoot: true` does not start, with `container has
runAsNonRoot and image has non-numeric user`. A number can be checked without the image's `/etc/passwd`.

## Example

```dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -u 10001 -g app app
USER app
```

Use instead:

```dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -u 10001 -g app app
USER 10001
```

## Fix safety

The fix is safe: the number is that of the account, so the process has the same UID, primary group, further groups and
home directory, which the runtime looks up in `/etc/passwd` by the number. A group after the colon stays.

It is unsafe if a script runs, or files are copied that dockfix cannot see, after the account is created: they may
change it.

## When it does not apply

- Users whose UID is not in the file: those of the base image, and those without `-u`.
- A user that is created only under a condition, or whose UID another account may have (`-o`) or a later command
  changes, and a file that writes `/etc/passwd`: refused.
- Names with a variable, and names of Windows.
- A stage from which others only copy files: no container runs it.

## References

- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
- `GetExecUser` in moby/sys `user`: with a number it takes the groups and the home directory of the account
- [hadolint DL3066](https://github.com/hadolint/hadolint/wiki/DL3066)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from msgspec import Struct

from dockfix.facts.accounts import UserAccount
from dockfix.facts.accounts.commands import program_values
from dockfix.facts.model import Known
from dockfix.facts.outcome import tolerated
from dockfix.facts.scripts import runs_script
from dockfix.facts.stages import Stage
from dockfix.project.copied_files import context_file
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Add, Copy, Instruction, Run, User

_ACCOUNTS: Final = "/etc/passwd"
_MOST_STAGES: Final = 100  # a limit keeps the time linear
_EDITORS: Final = frozenset(("sed", "cp", "mv", "ln", "tee", "install", "perl", "vipw", "patch", "dd", "truncate"))


def check(target: Target) -> Iterator[Finding]:
    """Find the names in USER whose numbers the file has."""
    for stage in target.facts.graph.stages:
        users = [node for node in stage.executed if isinstance(node, User)]
        programs: _Programs | None = None
        for user, following in zip(users, (*users[1:], None), strict=False):
            if len(user.args) != 1:
                continue
            word = user.args[0]
            name = word.text.partition(":")[0]
            account = target.facts.accounts(user).users.get(name)
            if account is None or account.created_by is None or not isinstance(account.uid, Known):
                continue
            if target.dockerfile.text[word.span.start : word.span.end] != word.text:
                continue
            if _is_build_stage(target, stage):
                break  # no container runs it
            programs = programs or _Programs(target, stage)
            yield _finding(programs, user, following, account, account.uid.value)


def _is_build_stage(target: Target, stage: Stage) -> bool:
    from dockfix.project.wiring import is_build_stage  # noqa: PLC0415 - it loads what reads compose files

    return is_build_stage(target, stage)


def _finding(programs: _Programs, user: User, following: User | None, account: UserAccount, uid: int) -> Finding:
    """The finding of a USER; `following` is the next one of its stage."""
    target = programs.target
    span = user.args[0].span
    message = f"`USER {account.name}` is a name: Kubernetes cannot check that it is not root"
    command = account.created_by
    if len(programs.stages) > _MOST_STAGES:
        return Refusal(span, message, "too many stages are based on each other to see what changes the account")
    makers = programs.makers.get(account.name, [])
    if command is None or any(maker.may_fail for maker in makers):
        return Refusal(span, message, "the user may exist already, with another UID")
    first = target.facts.accounts(user).user(str(uid))
    if any(word.value in ("-o", "--non-unique") for word in command.words) or first is not account:
        return Refusal(span, message, f"another account may have the UID {uid}, too")
    if _changes_later(programs, following, account.name, uid):
        return Refusal(span, message, "a later command changes its UID")
    doubts: list[str] = []
    for index, node, writes in programs.writers:
        if makers and index < makers[0].index:
            continue
        if writes:
            return Refusal(span, message, f"the `{node.name}` on line {node.start_line} writes `/etc/passwd`")
        doubts.append(f"check that the `{node.name}` on line {node.start_line} does not change `{account.name}`")
    edit = Edit(span.start, span.start + len(account.name), str(uid))
    safety = Safety.UNSAFE if doubts else Safety.SAFE
    return Fix(span, message, (edit,), safety, f"use its UID, {uid}", "; ".join(doubts[:2]))


class _Maker(Struct, frozen=True):
    """A command that creates an account or sets its UID, by the position of its instruction."""

    index: int
    may_fail: bool


class _Programs:
    """The instructions of the images of one stage: its own, those before it, and those of the stages based on it."""

    def __init__(self, target: Target, stage: Stage) -> None:
        graph = target.facts.graph
        self.target, self.stage = target, stage
        self.heirs = graph.descendants(stage)
        self.stages = (*reversed(graph.chain(stage)), *self.heirs)

    @cached_property
    def nodes(self) -> list[Instruction]:
        """The instructions, in order."""
        return [node for each in self.stages for node in each.program]

    @cached_property
    def makers(self) -> dict[str, list[_Maker]]:
        """The commands that create each account or set its UID, in order."""
        found: dict[str, list[_Maker]] = {}
        for index, run in enumerate(self.nodes):
            if not isinstance(run, Run):
                continue
            commands = self.target.facts.commands(run)
            may_fail: frozenset[int] | None = None
            for step in commands.steps:
                program, values = program_values(step) or ("", ())
                if program in ("useradd", "adduser") or (program == "usermod" and {"-u", "--uid"} & {*values}):
                    may_fail = tolerated(commands) if may_fail is None else may_fail
                    for value in filter(None, values):
                        found.setdefault(value, []).append(_Maker(index, step.command.start in may_fail))
        return found

    @cached_property
    def writers(self) -> list[tuple[int, Instruction, bool | None]]:
        """The instructions that write /etc/passwd, or (None) may do so, by other means than account commands."""
        verdicts = ((index, node, _writes_accounts(self.target, node)) for index, node in enumerate(self.nodes))
        return [each for each in verdicts if each[2] is not False]


def _changes_later(programs: _Programs, following: User | None, name: str, uid: int) -> bool:
    """Whether an account has another UID at some point where a USER is in effect."""
    points: list[Instruction | Stage] = [following or programs.stage]
    if following is None:
        points += (each for each in programs.heirs if not any(isinstance(node, User) for node in each.program))
    accounts = (programs.target.facts.accounts(point).users.get(name) for point in points)
    return any(account is None or account.uid != Known(uid) for account in accounts)


def _writes_accounts(target: Target, node: Instruction) -> bool | None:
    """Whether an instruction writes /etc/passwd by other means than account commands; None if that is not known."""
    if isinstance(node, Copy | Add):
        if node.destination is not None and node.destination.text == _ACCOUNTS:
            return True
        file = context_file(target, node, _ACCOUNTS)
        return False if file is None else True if isinstance(file, Known) else None
    verdict: bool | None = False
    root = target.facts.state(node).is_root != Known(value=False)
    for step in target.facts.commands(node).steps if isinstance(node, Run) else ():
        targets = (each.target for each in step.command.redirects if each.operator in (">", ">|"))
        values = [word.value for word in step.command.args]
        if any(word is not None and word.value == _ACCOUNTS for word in targets):
            return True
        if step.command.basename in _EDITORS and _ACCOUNTS in values:
            return True
        if (
            runs_script(step)
            and (root or step.user_changed)
            and step.package is None
            and not {"-c", "-ec", "-lc"} & {*values}
        ):
            verdict = None
    return verdict


CODEMOD: Final = Codemod(
    name="user-numeric",
    title="USER is a name, although the file says which UID it has",
    severity=Severity.INFO,
    category=Category.SECURITY,
    effects=frozenset({Effect.USERS}),
    check=check,
    since="0.1.0",
    triggers=("useradd", "adduser"),
    hadolint=frozenset({"DL3066"}),
    promise=Promise(
        config=frozenset({Part.USER}),
        rationale="The number is that of the account: its groups and its home directory are looked up by it.",
    ),
)
