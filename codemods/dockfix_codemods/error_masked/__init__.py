"""An install whose failure is thrown away.

## What it does

Tells of an install behind which `|| true`, `|| :`, `|| exit 0` or `|| echo ...` stands, be it behind the `( )` or `{ }`
around it:

```dockerfile
FROM python:3.12-slim
RUN pip install lxml || echo "lxml could not be installed"
```

## Why

The build succeeds without what it was to install, and the image fails later, on the machine of somebody else. A failure
of the network does it as well as a package that is gone.

## Safety

Nothing is changed: whether the package is needed is for a person to say. If it is, the end of the list goes away; if
not, the install does, or an `if` names the case in which it may fail.

## What it leaves alone

- Removals, purges, cleanups, `apt-get update`, `rm`, `which`, `grep` and whatever else installs nothing.
- A second way of installing behind `||`, and a message with `exit 1` behind it.
- Loops, which try again (see retry-loop), functions, pipes and what runs in the background.

## Sources

- https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_09_03 (and-or lists)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.error_masked.analysis import masked_installs


def check(target: Target) -> Iterator[Finding]:
    """Find the installs whose failure is caught by a command that succeeds."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for masked in masked_installs(commands):
                package = masked.step.package
                verb = " ".join(package.verb) if package is not None else ""
                shown = f"{package.manager} {verb}" if package is not None else "an install"
                instead = "exit 0" if masked.instead.name == "exit" else masked.instead.name
                at = commands.span(masked.step.command)
                yield Advice(at, f"`|| {instead}` throws away the failure of {shown}")


CODEMOD: Final = Codemod(
    name="error-masked",
    title="an install whose failure is thrown away",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("||",),
    page=__doc__,
    findings=("web 2",),
)
