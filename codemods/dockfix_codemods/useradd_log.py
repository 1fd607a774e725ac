"""`useradd` writes a huge file for a high UID.

## What it does

Finds `useradd` with a UID of six digits or more, without `--no-log-init`, and adds the option.

## Why is this bad?

`useradd` adds the user to `/var/log/lastlog` and `/var/log/faillog`, which have a record for every UID up to the
highest. For the UID 1000000000 the file seems to be 290 GB large. It is sparse, but a layer is an archive: the build
needs minutes and gigabytes to write the zeros, or fails.

## Example

```dockerfile
FROM debian:12
RUN useradd -u 100000001 -g 0 app
```

Use instead:

```dockerfile
FROM debian:12
RUN useradd --no-log-init -u 100000001 -g 0 app
```

## Fix safety

The fix is safe: the user is the same, and the two logs have no record of logins, of which a container has none. Every
`useradd` of the last fifteen years has the option (shadow 4.1).

## When it does not apply

- UIDs below 100000, whose files stay below 30 MB; a UID in a variable.
- `useradd` with `-l` or `--no-log-init`, and the `adduser` of BusyBox, which writes no such log.
- `usermod -l`, which renames the user.

## References

- useradd(8) of shadow: `-l`, `--no-log-init`
- https://docs.docker.com/build/building/best-practices/#user
- [hadolint DL3046](https://github.com/hadolint/hadolint/wiki/DL3046)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.accounts.commands import AccountCommand, parse_account_command
from dockfix.facts.tables.accounts import RHEL_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Safety, Severity

_HIGH: Final = 100_000
_OPTION: Final = "--no-log-init"


def check(target: Target) -> Iterator[Finding]:
    """Find each `useradd` that writes logs for a high UID."""
    for stage, run in target.facts.runs(shell_form=True):
        family = stage.base.family if stage.base is not None else ""
        commands = target.facts.commands(run)
        for step in commands.steps:
            # elsewhere `adduser` is another program; `useradd` is that of shadow everywhere
            command = parse_account_command(step, family=family if family in RHEL_FAMILIES else "")
            if command is None or not _is_logged(command):
                continue
            word = command.command.words[0]
            edit = insert_word(target.dockerfile, run, commands.text, word.start, word.end, _OPTION)
            uid = command.option("--uid")
            message = f"`{command.program}` writes a log with a record for each of {uid.value if uid else ''} UIDs"
            yield Fix(commands.span(command.command), message, (edit,), Safety.SAFE, f"add `{_OPTION}`")


def _is_logged(command: AccountCommand) -> bool:
    uid = command.option("--uid")
    number = (uid.value if uid is not None else None) or ""
    is_uid = number.isascii() and number.isdigit() and len(number) <= len("4294967295")
    return is_uid and int(number) >= _HIGH and not command.has(_OPTION, "-l")


CODEMOD: Final = Codemod(
    name="useradd-log",
    title="useradd writes a huge file for a high UID",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("useradd", "adduser"),
    hadolint=frozenset({"DL3046"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("/var/log/lastlog", "/var/log/faillog"),
        changes=("/var/log/lastlog", "/var/log/faillog"),
        rationale="The user is the same; the two logs of logins have no record of it.",
    ),
)
