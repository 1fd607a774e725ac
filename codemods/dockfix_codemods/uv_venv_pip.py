"""pip is called in an environment that uv made without it.

## What it does

`uv venv` makes an environment without pip, unless it is told to with `--seed`. uv installs into it from outside:

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv venv /opt/venv
RUN /opt/venv/bin/python -m pip install "flask>=3,<4"
```

becomes

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv venv /opt/venv
RUN uv pip install --python /opt/venv/bin/python "flask>=3,<4"
```

## Why

`/opt/venv/bin/python -m pip` ends with "No module named pip", and `/opt/venv/bin/pip` does not exist.

## Safety

Unsafe: uv resolves in its own way. It takes the first index that has a package, and reads no `pip.conf` and no `PIP_`
variable.

## What it leaves alone

- `uv venv --seed`, `UV_VENV_SEED`, and environments into which pip, or what may bring it, has been installed since.
- A `pip` without a path: it is another one, and installs elsewhere.
- Other subcommands than `install`, and options that `uv pip install` does not have: these are refused.

## Sources

- https://docs.astral.sh/uv/reference/cli/#uv-venv (`--seed`) and #uv-pip-install
- https://docs.astral.sh/uv/pip/compatibility/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    Category,
    Codemod,
    Commands,
    Effect,
    Finding,
    Fix,
    Refusal,
    Run,
    Safety,
    Severity,
    Step,
    Target,
    python_environments,
    surgery,
)

_WHY: Final = "an environment that uv makes has no pip, unless it is seeded"


def rewrite(target: Target) -> Iterator[Finding]:
    """Find pip in environments without it, stage by stage, in the order in which commands run."""
    for stage in target.facts.graph.stages:
        bare: dict[str, tuple[Run, str]] = {}
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run):
                continue
            commands, state = target.facts.commands(run), target.facts.state(run)
            for step in commands.steps:
                made = python_environments.uv_venv(step, state)
                if made is not None and not made.certain:
                    bare.clear()
                elif made is not None and made.seeded:
                    bare.pop(made.path, None)
                elif made is not None:
                    bare[made.path] = (run, made.uv)
                    continue
                path = python_environments.pip_of_environment(step, state)
                if path in bare:
                    yield _finding(run, commands, step, path, bare[path])
                elif python_environments.may_bring_pip(step):
                    bare.clear()


def _finding(run: Run, commands: Commands, step: Step, path: str, made: tuple[Run, str]) -> Finding:
    package = step.package
    at = commands.span(step.command)
    message = f"uv venv made {path} without pip, so that this pip is not there"
    if package is None or package.subcommand is None or package.verb != ("install",):
        return Refusal(at, message, "only `install` has a counterpart that does the same")
    if run is not made[0] and any(mount.kind == "bind" for mount in made[0].mounts):
        return Refusal(at, message, "uv may have been mounted for the RUN that made the environment only")
    lacking = python_environments.lacking_in_uv(package)
    if lacking:
        return Refusal(at, message, f"{lacking} is not known to mean the same to uv pip install")
    interpreter = package.executable.text
    if package.executable.value is not None and not package.executable.value.endswith(("python", "python3")):
        interpreter = f"{path}/bin/python"
    words = commands.text.span(package.executable.start, package.subcommand.end)
    edit = surgery.replace(words, f"{made[1]} pip install --python {interpreter}")
    return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, "that uv finds the same packages: it reads no pip.conf")


CODEMOD: Final = Codemod(
    name="uv-venv-pip",
    title="pip is called in an environment that uv made without it",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("uv venv", "uv\tvenv"),
    page=__doc__,
    findings=("base-ml 4",),
)
