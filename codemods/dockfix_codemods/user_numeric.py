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

## When it does not apply

- Users whose UID is not in the file: those of the base image, and those without `-u`.
- A user that is created only under a condition, or whose UID another account may have (`-o`): refused.
- Names with a variable, and names of Windows.

## References

- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
- `GetExecUser` in moby/sys `user`: with a number it takes the groups and the home directory of the account
- [hadolint DL3066](https://github.com/hadolint/hadolint/wiki/DL3066)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.accounts import UserAccount
from dockfix.facts.model import Known
from dockfix.facts.outcome import tolerated
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import User


def check(target: Target) -> Iterator[Finding]:
    """Find the names in USER whose numbers the file has."""
    may_fail: frozenset[int] | None = None
    for stage in target.facts.graph.stages:
        for user in stage.executed:
            if not isinstance(user, User) or len(user.args) != 1:
                continue
            word = user.args[0]
            name = word.text.partition(":")[0]
            account = target.facts.accounts(user).users.get(name)
            if account is None or account.created_by is None or not isinstance(account.uid, Known):
                continue
            if target.dockerfile.text[word.span.start : word.span.end] != word.text:
                continue
            if may_fail is None:
                may_fail = _tolerated(target)
            yield _finding(target, user, account, account.uid.value, fails=id(account.created_by) not in may_fail)


def _finding(target: Target, user: User, account: UserAccount, uid: int, *, fails: bool) -> Finding:
    """The finding of a USER; `fails`: the build fails if the account cannot be created."""
    span = user.args[0].span
    message = f"`USER {account.name}` is a name: Kubernetes cannot check that it is not root"
    command = account.created_by
    if command is None or not fails:
        return Refusal(span, message, "the user may exist already, with another UID")
    first = target.facts.accounts(user).user(str(uid))
    if any(word.value in ("-o", "--non-unique") for word in command.words) or first is not account:
        return Refusal(span, message, f"another account may have the UID {uid}, too")
    edit = Edit(span.start, span.start + len(account.name), str(uid))
    return Fix(span, message, (edit,), Safety.SAFE, f"use its UID, {uid}")


def _tolerated(target: Target) -> frozenset[int]:
    """The commands, by identity, that may not run, or whose failure does not end the build."""
    found: set[int] = set()
    for _, run in target.facts.runs():
        commands = target.facts.commands(run)
        starts = tolerated(commands)
        found |= {id(step.command) for step in commands.steps if step.command.start in starts}
    return frozenset(found)


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
