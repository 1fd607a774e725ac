"""A `sed -i` of a configuration file that succeeds although nothing matches.

## What it does

sed exits 0 whether it changed something or not. A `grep` behind it asks whether the replacement is there:

```dockerfile
FROM redis:7
RUN sed -i 's/^protected-mode yes/protected-mode no/' /etc/redis.conf
```

becomes

```dockerfile
FROM redis:7
RUN sed -i 's/^protected-mode yes/protected-mode no/' /etc/redis.conf && grep -qF 'protected-mode no' /etc/redis.conf
```

In a list the check takes a line of its own, joined as the list is.

## Why

A later version of the base image spells the line another way, the build succeeds, and the service runs with the
setting that was to be changed.

## Safety

Unsafe: a RUN whose sed changes nothing fails. That is the point, and a person should see it first.

## What it leaves alone

- Expressions that are more than one `s/pattern/text/` or `s/pattern/text/g` with a fixed text: groups, `&`, addresses,
  several commands, variables.
- Replacements of less than four characters, and those that the pattern holds too: a grep would prove nothing.
- Files that are not named literally or by a variable of the script, and those that look like no configuration.
- Lists whose failures do not end the RUN, branches, loops, and a sed behind which something is checked already.

## Sources

- https://pubs.opengroup.org/onlinepubs/9699919799/utilities/sed.html (exit status)
- GNU sed 4.9 and busybox sed were run before and after, with files that match and that do not
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.sed_unverified.analysis import substitution


def check(target: Target) -> Iterator[Finding]:
    """Find the substitutions whose result can be looked for."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            written: set[tuple[str, str]] = set()
            for step in commands.steps:
                found = substitution(commands, step)
                if found is None or (found.file.text, found.written) in written:
                    continue  # a second check of one string would prove nothing more
                written.add((found.file.text, found.written))
                if found.checked:
                    continue
                edit = surgery.insert_command_after(
                    target.dockerfile, run, commands.text, step.command, found.check, found.operator
                )
                yield Fix(
                    commands.span(step.command),
                    f"sed -i of {found.file.text} succeeds even if nothing matches",
                    (edit,),
                    Safety.UNSAFE,
                    "grep fails where the replacement is not in the file",
                    f"whether {found.file.text} holds `{found.written}` then: the RUN fails if it does not",
                )


CODEMOD: Final = Codemod(
    name="sed-unverified",
    title="a sed that may have changed nothing",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("sed",),
    page=__doc__,
    findings=("postgres 1",),
)
