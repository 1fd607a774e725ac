"""pip is upgraded to whatever is newest on the day of the build.

## What it does

It says so, and names what has no version:

```dockerfile
FROM python:3.13-slim
RUN pip install --upgrade pip setuptools wheel
```

## Why

The image that is built next month has other tools than the one that was tested, and a new major version of pip or
setuptools may refuse what the old one took. The pip of the base image is often good enough.

## Safety

Nothing is changed: which version is right is not for a tool to invent. Versions are withdrawn, too, as
setuptools 72.0.0 was.

## What it leaves alone

- Versions of any kind (`pip==24.3.1`, `pip<25`), constraints (`-c`, `PIP_CONSTRAINT`, `UV_CONSTRAINT`), and installs
  without `--upgrade`.

## Sources

- https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-U
- https://pip.pypa.io/en/stable/topics/repeatable-installs/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Run

_TOOLS: Final = frozenset(("pip", "setuptools", "wheel"))
_CONSTRAINTS: Final = {"pip": "PIP_CONSTRAINT", "uv": "UV_CONSTRAINT"}


def check(target: Target) -> Iterator[Finding]:
    """Find the upgrades of pip and its companions that name no version."""
    for run in target.dockerfile.instructions:
        if not isinstance(run, Run):
            continue
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or package.verb not in (("install",), ("pip", "install")):
                continue
            if package.manager not in ("pip", "uv") or not package.has("--upgrade") or package.has("--constraint"):
                continue
            variable = _CONSTRAINTS[package.manager]
            if variable in step.env or variable in target.facts.state(run).names():
                continue
            bare = [(word.value or "").partition("[")[0].lower() for word in package.packages]
            named = [name for name in dict.fromkeys(bare) if name in _TOOLS]
            if named:
                names = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
                message = f"{names} without a version: every build takes what is newest on its day"
                yield Advice(commands.span(step.command), message)


CODEMOD: Final = Codemod(
    name="pip-pin",
    title="pip is upgraded without a version",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("pip",),
    page=__doc__,
    findings=("reranker 3",),
)
