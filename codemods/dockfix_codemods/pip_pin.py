"""pip, setuptools or wheel is upgraded without a version.

## What it does

Reports `pip install --upgrade` of pip, setuptools and wheel without a version.

## Why is this bad?

The image that is built next month has other tools than the one that was tested, and a new major version of pip or
setuptools may reject what the old one accepted. The pip of the base image is often good enough.

## Example

```dockerfile
FROM python:3.13-slim
RUN pip install --upgrade pip setuptools wheel
```

## Fix safety

There is no fix: dockfix does not know which version is right. Versions are also withdrawn, as setuptools 72.0.0 was.

## When it does not apply

- Versions of any kind (`pip==24.3.1`, `pip<25`), constraints (`-c`, `PIP_CONSTRAINT`, `UV_CONSTRAINT`), and installs
  without `--upgrade`.

## References

- https://pip.pypa.io/en/stable/cli/pip_install/#cmdoption-U
- https://pip.pypa.io/en/stable/topics/repeatable-installs/
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.packages import PackageCommand
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Run

_TOOLS: Final = frozenset(("pip", "setuptools", "wheel"))
_CONSTRAINTS: Final = MappingProxyType({"pip": "PIP_CONSTRAINT", "uv": "UV_CONSTRAINT"})
"""The variable that names the constraints of each package manager."""


def check(target: Target) -> Iterator[Finding]:
    """Find the upgrades of pip, setuptools and wheel that name no version."""
    for run in target.dockerfile.instructions:
        if not isinstance(run, Run):
            continue
        commands = target.facts.commands(run)
        for step in commands.packages:
            names = _upgraded(step.package) if step.package is not None else []
            if names and not _is_constrained(target, run, step):
                quoted = [f"`{name}`" for name in names]
                listed = " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
                verb = "is" if len(names) == 1 else "are"
                message = f"{listed} {verb} upgraded without a version: builds are not reproducible"
                yield Advice(commands.span(step.command), message, help="name the version, or leave the upgrade out")


def _upgraded(package: PackageCommand) -> list[str]:
    """The tools that a command upgrades without a version or a constraints file."""
    if package.verb not in (("install",), ("pip", "install")) or package.manager not in _CONSTRAINTS:
        return []
    if not package.has("--upgrade") or package.has("--constraint"):
        return []
    bare = [(word.value or "").partition("[")[0].lower() for word in package.packages]
    return [name for name in dict.fromkeys(bare) if name in _TOOLS]


def _is_constrained(target: Target, run: Run, step: Step) -> bool:
    """Whether a variable names a constraints file."""
    variable = _CONSTRAINTS[step.package.manager] if step.package is not None else ""
    return variable in step.env or target.facts.state(run).sets(variable)


CODEMOD: Final = Codemod(
    name="pip-pin",
    title="pip, setuptools or wheel is upgraded without a version",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("pip",),
    findings=("reranker 3",),
)
