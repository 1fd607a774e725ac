"""A sed that edits a configuration file is not checked.

## What it does

Finds `sed -i 's/pattern/text/'` on a configuration file when nothing checks the result, and adds a `grep` for the new
text.

## Why is this bad?

`sed` exits with status 0 even if nothing matches. If a later version of the base image spells the line differently, the
build succeeds and the service runs with the setting that should have changed.

## Example

```dockerfile
FROM redis:7
RUN sed -i 's/^protected-mode yes/protected-mode no/' /etc/redis.conf
```

Use instead:

```dockerfile
FROM redis:7
RUN sed -i 's/^protected-mode yes/protected-mode no/' /etc/redis.conf && grep -qF 'protected-mode no' /etc/redis.conf
```

In a list of commands the check gets its own line, joined as the list is.

## Fix safety

The fix is unsafe: a RUN whose `sed` changes nothing now fails. Check that the file contains the new text after the
`sed`.

## When it does not apply

- Expressions other than a single `s/pattern/text/` or `s/pattern/text/g` with a fixed text: groups, `&`, addresses,
  several commands, variables.
- Replacements shorter than four characters, and those that the pattern also contains: a `grep` would prove nothing.
- Files named neither literally nor by a variable of the script, and files that do not look like configuration.
- Lists whose failure does not end the RUN, branches, loops, and a `sed` followed by a check.

## References

- Exit status of sed: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/sed.html
- Tested with GNU sed 4.9 and BusyBox sed, before and after the fix, with files that match and files that do not
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import insert_command_after
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.sed_unverified.analysis import substitution


def check(target: Target) -> Iterator[Finding]:
    """Find the substitutions whose result a `grep` can check."""
    for _, run in target.facts.runs(shell_form=True):
        yield from _in_run(target, run)


def _in_run(target: Target, run: Run) -> Iterator[Fix]:
    commands = target.facts.commands(run)
    written: set[tuple[str, str]] = set()
    for step in commands.steps:
        found = substitution(commands, step)
        if found is None or (found.file.text, found.written) in written:
            continue  # a second check for the same text would prove nothing more
        written.add((found.file.text, found.written))
        if found.checked:
            continue
        edit = insert_command_after(target.dockerfile, run, commands.text, step.command, found.check, found.operator)
        yield Fix(
            commands.span(step.command),
            f"`sed -i` on `{found.file.text}` succeeds even if nothing matches",
            (edit,),
            Safety.UNSAFE,
            f"add `{found.check}`",
            f"check that `{found.file.text}` contains `{found.written}` after the `sed`; otherwise the build fails",
        )


CODEMOD: Final = Codemod(
    name="sed-unverified",
    title="a sed that edits a configuration file is not checked",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("sed",),
    findings=("postgres 1",),
    promise=Promise(
        rationale=(
            "`grep` only reads the file. A build that fails afterwards shows that the `sed` did not write the new text."
        ),
    ),
)
