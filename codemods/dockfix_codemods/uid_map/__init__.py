"""One user, one number, in all images of a project.

## What it does

It looks at all Dockerfiles together for a user (or group) that has several numbers, and for a number that several users
have. Which is right is not in the files, but it can be in the configuration, and then the rule writes it. With

```toml pyproject.toml
[tool.dockfix.rules.uid-map]
users = { app = 10001 }
```

the two images

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

agree after it has changed the second:

```dockerfile worker/Dockerfile
FROM debian:12
RUN groupadd -g 10001 app && useradd -u 10001 -g 10001 app
COPY --chown=10001:10001 . /srv
USER 10001:10001
```

It rewrites the numbers of useradd, adduser, groupadd and addgroup, of USER, `--chown`, chown and mounts, and
`user:` of the compose services that run these images, all in one change. The group that is the user's own gets the
same number.

## Why

A volume knows owners by number. What one image writes as `app` another cannot read as `app` if the numbers differ,
and where two users have one number, each owns the other's files.

## Safety

Unsafe: files on volumes keep the old numbers, and manifests and scripts elsewhere may name them. All numbers are
changed or none, over all files.

## What it leaves alone

- Users that a base image brings (`node`, `www-data`), and images that use them: their numbers are not ours.
- A user of which a number is a variable, is chosen by useradd, or is also somebody else's in the same file.
- A number that also stands where it cannot be seen whose it is (`ENV UID=10001`, `install -o 10001`, usermod).
- Dockerfiles that compose or bake build and that are no part of the run, if they have the user too: it is refused.
- Tests and examples, where conflicts are concerned; a mapped user gets its number there too.

## Options

- `users`: a table of user names and the UIDs that they have in all images, each from 1 to 2147483646 and given once. A
  user's own group gets the same number. Default: empty, and the rule only reports conflicts.

## Sources

- https://docs.docker.com/reference/dockerfile/#user
- useradd(8), groupadd(8) of shadow; busybox `adduser.c`; Debian's adduser(8)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Change, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix_codemods.uid_map import edits as account_surgery

_WHY: Final = "what one image writes to a volume is then the same user's in the others"
_LOOK_AT: Final = "volumes that hold files of the old numbers, and manifests, scripts and comments that name them"
_MOST_SHOWN: Final = 6

_MAX_UID: Final = 2**31 - 2
"""Some programs read IDs as signed, and the last one as none."""

_Files = Mapping[Path, account_surgery.AccountFile]


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


@dataclass(frozen=True, slots=True)
class _Account:
    """An account that a file makes, with its numbers as they are shown."""

    path: Path
    place: str
    kind: str
    name: str
    number: int
    shown: str
    at: Span


def collect(target: Target) -> account_surgery.AccountFile:
    """The users, groups and numbers of a Dockerfile."""
    return account_surgery.account_file(target)


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Give mapped users their numbers, and name the conflicts of all others."""
    files = dict(workspace.collected(collect))
    mapped = workspace.options(UidMapOptions).users
    for name, number in mapped.items():
        yield from _mapped(workspace, files, name, number)
    accounts = [each for each in _accounts(workspace, files) if each.name not in mapped]
    users = [each for each in accounts if each.kind == "user"]
    groups = [each for each in accounts if each.kind == "group"]
    yield from _conflicts(users)
    told = {(each.name, each.number) for each in users}
    yield from _conflicts([each for each in groups if (each.name, each.number) not in told])


def _mapped(workspace: Workspace, files: _Files, name: str, number: int) -> Iterator[Finding]:
    made = [(path, file, user) for path, file in files.items() for user in file.users if user.name == name]
    others = [(p, f, user) for p, f, user in made if user.uid != number or (user.own_group and user.gid != number)]
    if not others:
        return
    table = _table([f"{_shown(user.uid, user.gid)} ({file.display}:{user.line})" for _, file, user in others])
    message = f"{name} has the uid {number} by the uid-map, and here {table}"
    path, _, user = others[0]
    try:
        edits = account_surgery.renumber(workspace, files, name, number)
    except Refused as reason:
        yield Refusal(user.at, message, str(reason), file=path)
        return
    other_files = tuple(Change(other, each) for other, each in edits.items() if other != path)
    yield Fix(user.at, message, edits.get(path, ()), Safety.UNSAFE, _WHY, _LOOK_AT, other_files=other_files, file=path)


def _accounts(workspace: Workspace, files: _Files) -> Iterator[_Account]:
    for path, file in files.items():
        if workspace.is_sample(path):
            continue
        for user in file.users:
            if user.uid is not None:
                place, shown = f"{file.display}:{user.line}", _shown(user.uid, user.gid)
                yield _Account(path, place, "user", user.name, user.uid, shown, user.at)
        for group in file.numbers:
            if group.kind == "group" and group.gives and group.number is not None:
                place, shown = f"{file.display}:{group.line}", str(group.number)
                yield _Account(path, place, "group", group.name, group.number, shown, group.at)


def _conflicts(accounts: Sequence[_Account]) -> Iterator[Advice]:
    for name in dict.fromkeys(each.name for each in accounts):
        same = [each for each in accounts if each.name == name]
        second = next((each for each in same if each.number != same[0].number), None)
        if second is not None:
            table = _table([f"{each.shown} ({each.place})" for each in same])
            yield Advice(second.at, f"the {second.kind} {name} has several numbers: {table}", file=second.path)
    for number in dict.fromkeys(each.number for each in accounts):
        same = [each for each in accounts if each.number == number]
        second = next((each for each in same if each.name != same[0].name), None)
        if second is not None:
            table = _table([f"{each.name} ({each.place})" for each in same])
            word = "uid" if second.kind == "user" else "gid"
            yield Advice(second.at, f"the {word} {number} is that of several {second.kind}s: {table}", file=second.path)


def _shown(uid: int | None, gid: int | None) -> str:
    return "no number" if uid is None else str(uid) if gid is None else f"{uid}:{gid}"


def _table(rows: Sequence[str]) -> str:
    unique = list(dict.fromkeys(rows))
    rest = f" and {len(unique) - _MOST_SHOWN} more" if len(unique) > _MOST_SHOWN else ""
    return ", ".join(unique[:_MOST_SHOWN]) + rest


CODEMOD: Final = Codemod(
    name="uid-map",
    title="one user with several numbers, or one number for several users",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS, Effect.USERS, Effect.COPIES, Effect.MOUNTS, Effect.COMPOSE}),
    check=None,
    check_project=check_project,
    collect=collect,
    since="0.1.0",
    triggers=("user", "group", "chown", "uid="),
    options=UidMapOptions,
    page=__doc__,
    findings=("cross 2",),
)
