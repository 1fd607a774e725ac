"""A user has different numbers in the images of a project, or several users share one number.

## What it does

Compares the users and groups of all Dockerfiles: it reports a user or group that has several numbers, and a number
that several users have. Which number is right is not in the files, but it can be in the configuration; then the rule
writes it: in useradd, adduser, groupadd and addgroup, USER, `--chown`, chown and mounts, and in `user:` of the compose
services that run these images, all in one change. The user's own group gets the same number.

## Why is this bad?

A volume stores owners by number. If the numbers differ, one image cannot read what another one writes as the same user.
If two users have one number, each owns the other's files.

## Example

With this configuration

```toml pyproject.toml
[tool.dockfix.rules.uid-map]
users = { app = 10001 }
```

the second of these two images has to change:

```dockerfile api/Dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -u 10001 -g 10001 app
USER app
```

```dockerfile worker/Dockerfile
FROM debian:12
RUN groupadd -g 10002 app && useradd -u 10002 -g 10002 app
COPY --chown=10002:10002 . /srv
USER 10002:10002
```

Use instead:

```dockerfile worker/Dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -u 10001 -g 10001 app
COPY --chown=10001:10001 . /srv
USER 10001:10001
```

## Fix safety

Unsafe: files on volumes keep the old numbers, and manifests and scripts outside the project may name them. The rule
changes all numbers in all files, or none.

## When it does not apply

- Users that come with a base image (`node`, `www-data`), and images that use them: the project does not set their
  numbers.
- A user with a number that is a variable, is chosen by useradd, or belongs to another account in the same file.
- A number that also occurs where its owner cannot be seen (`ENV UID=10001`, `install -o 10001`, usermod).
- Dockerfiles that compose or bake build and that are not part of the run, if they have the user too: not fixed.
- Tests and examples, for the comparison; a user of the map gets its number there too.

## Options

- `users`: a table of user names and the UIDs that they have in all images, each from 1 to 2147483646 and given once. A
  user's own group gets the same number. Default: empty, and the rule only reports conflicts.

## References

- https://docs.docker.com/reference/dockerfile/#user
- useradd(8), groupadd(8) of shadow; BusyBox `adduser.c`; Debian's adduser(8)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Change,
    Codemod,
    Effect,
    Finding,
    Fix,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix_codemods.uid_map.edits import AccountFile, account_file, renumber

_REVIEW: Final = "check volumes with files of the old numbers, and manifests, scripts and comments that name them"
_MOST_SHOWN: Final = 6

_MAX_UID: Final = 2**31 - 2
"""Some programs read IDs as signed, and the last one as none."""

_Files = Mapping[Path, AccountFile]


@dataclass(frozen=True)
class UidMapOptions:
    """Options of `uid-map`.

    Args:
        users: the UID that each user has in all images, from 1 to 2147483646; each is given once. A user's own group
            gets the same number.
    """

    users: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owners: dict[int, str] = {}
        for name, uid in self.users.items():
            if not 1 <= uid <= _MAX_UID:
                raise ValueError(f"users.{name} must be a whole number from 1 to {_MAX_UID}, not {uid}")
            owner = owners.setdefault(uid, name)
            if owner != name:
                raise ValueError(f"users.{name} must not be {uid}, which is the UID of {owner!r}")


class _Account(Struct, frozen=True):
    """An account that a file creates, with its numbers as they are shown."""

    path: Path
    place: str
    kind: str
    name: str
    number: int
    shown: str
    at: Span


def collect(target: Target) -> AccountFile:
    """The users, groups and numbers of a Dockerfile."""
    return account_file(target)


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Give the users of the map their numbers, and report the conflicts of all others."""
    files = dict(workspace.collected(collect))
    mapped = workspace.options(UidMapOptions).users
    for name, number in mapped.items():
        yield from _mapped(workspace, files, name, number)
    accounts = [each for each in _accounts(workspace, files) if each.name not in mapped]
    users = [each for each in accounts if each.kind == "user"]
    groups = [each for each in accounts if each.kind == "group"]
    yield from _conflicts(users)
    reported = {(each.name, each.number) for each in users}
    yield from _conflicts([each for each in groups if (each.name, each.number) not in reported])


def _mapped(workspace: Workspace, files: _Files, name: str, number: int) -> Iterator[Finding]:
    made = [(path, file, user) for path, file in files.items() for user in file.users if user.name == name]
    others = [(p, f, user) for p, f, user in made if user.uid != number or (user.own_group and user.gid != number)]
    if not others:
        return
    table = _table([f"{_shown(user.uid, user.gid)} ({file.display}:{user.line})" for _, file, user in others])
    message = f"`{name}` does not have the UID {number} of `uid-map`: {table}"
    path, _, user = others[0]
    try:
        edits = renumber(workspace, files, name, number)
    except Refused as refused:
        yield Refusal(user.at, message, refused.reason, file=path)
        return
    other_files = tuple(Change(other, each) for other, each in edits.items() if other != path)
    changed = f"{len(edits)} {'file' if len(edits) == 1 else 'files'}"
    help_ = f"change the numbers of `{name}` to {number} in {changed}"
    own = edits.get(path, ())
    yield Fix(user.at, message, own, Safety.UNSAFE, help_, _REVIEW, other_files=other_files, file=path)


def _accounts(workspace: Workspace, files: _Files) -> Iterator[_Account]:
    for path, file in files.items():
        if workspace.is_sample(path):
            continue
        for user in file.users:
            if user.uid is not None:
                place, shown = f"{file.display}:{user.line}", _shown(user.uid, user.gid)
                yield _Account(path, place, "user", user.name, user.uid, shown, user.at)
        for group in file.numbers:
            if group.kind == "group" and group.creates and group.number is not None:
                place, shown = f"{file.display}:{group.line}", str(group.number)
                yield _Account(path, place, "group", group.name, group.number, shown, group.at)


def _conflicts(accounts: Sequence[_Account]) -> Iterator[Advice]:
    for name in dict.fromkeys(each.name for each in accounts):
        same = [each for each in accounts if each.name == name]
        second = next((each for each in same if each.number != same[0].number), None)
        if second is not None:
            table = _table([f"{each.shown} ({each.place})" for each in same])
            message = f"the {second.kind} `{name}` has different numbers: {table}"
            yield Advice(second.at, message, file=second.path, help="use one number everywhere")
    for number in dict.fromkeys(each.number for each in accounts):
        same = [each for each in accounts if each.number == number]
        second = next((each for each in same if each.name != same[0].name), None)
        if second is not None:
            table = _table([f"`{each.name}` ({each.place})" for each in same])
            word = "UID" if second.kind == "user" else "GID"
            message = f"different {second.kind}s have the {word} {number}: {table}"
            yield Advice(second.at, message, file=second.path, help="give each a number of its own")


def _shown(uid: int | None, gid: int | None) -> str:
    return "unknown" if uid is None else str(uid) if gid is None else f"{uid}:{gid}"


def _table(rows: Sequence[str]) -> str:
    unique = list(dict.fromkeys(rows))
    rest = f" and {len(unique) - _MOST_SHOWN} more" if len(unique) > _MOST_SHOWN else ""
    return ", ".join(unique[:_MOST_SHOWN]) + rest


CODEMOD: Final = Codemod(
    name="uid-map",
    title="a user has several numbers, or a number several users",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS, Effect.USERS, Effect.COPIES, Effect.MOUNTS, Effect.COMPOSE}),
    check=None,
    check_project=check_project,
    collect=collect,
    since="0.1.0",
    triggers=("user", "group", "chown", "uid="),
    options=UidMapOptions,
    findings=("cross 2",),
    promise=Promise(
        config=frozenset({Part.USER}),
        changes=("/etc/passwd", "/etc/group", "/etc/subuid", "/etc/subgid"),
        owners=("/**",),
        rationale="The same users and groups have other numbers, and their files the same ones.",
    ),
)
