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

`/opt/venv/bin/python -m pip` ends with "No module named pip", and `/opt/venv/bin/pip` does not exist. With
`/opt/venv/bin` first on PATH, `python -m pip` ends so too, and a plain `pip` is the system's: it installs where
the environment's Python does not look.

## Safety

Unsafe: uv resolves in its own way. It takes the first index that has a package, and reads no `pip.conf` and no `PIP_`
variable.

## What it leaves alone

- `uv venv --seed`, `UV_VENV_SEED`, and environments into which pip, or what may bring it, has been installed since.
- A `pip` without a path, where another folder comes first on PATH: it is meant to install elsewhere.
- Other subcommands than `install`, and options that `uv pip install` does not have: these are refused.

## Sources

- https://docs.astral.sh/uv/reference/cli/#uv-venv (`--seed`) and #uv-pip-install
- https://docs.astral.sh/uv/pip/compatibility/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from dockfix.edit import dockerfile as surgery
from dockfix.facts import python_environments, uv_installs
from dockfix.facts.commands import Step
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Run

_Made: TypeAlias = tuple[Run, str]
"""The RUN that made an environment, and how it calls uv."""
_LOOK_AT: Final = "that uv finds the same packages: it reads no pip.conf"
_WHY: Final = "an environment that uv makes has no pip, unless it is seeded"


def check(target: Target) -> Iterator[Finding]:
    """Find pip in environments without it, stage by stage, in the order in which commands run."""
    known: dict[int | None, dict[str, _Made]] = {}
    for stage in target.facts.graph.stages:
        bare = known[stage.index] = dict(known.get(stage.parent, {}))
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
                if not path and _is_plain_pip(step):
                    path = python_environments.environment_on_path(step, state)
                if path in bare:
                    yield _finding(target, stage, run, step, path, bare[path])
                elif python_environments.may_bring_pip(step):
                    bare.clear()


def _is_plain_pip(step: Step) -> bool:
    package = step.package
    return package is not None and package.manager == "pip" and "/" not in package.executable.text


def _finding(target: Target, stage: Stage, run: Run, step: Step, path: str, made: _Made) -> Finding:
    package, commands = step.package, target.facts.commands(run)
    at = commands.span(step.command)
    severity = None
    message = f"uv venv made {path} without pip, so that this pip is not there"
    if _is_plain_pip(step) and package is not None and (package.executable.value or "").startswith("pip"):
        message = f"uv venv made {path}, first on PATH, without pip: this pip is another one and installs elsewhere"
        severity = Severity.WARNING
    if package is None or package.subcommand is None or package.verb != ("install",) or package.user_changed:
        return Refusal(at, message, "only `install` has a counterpart that does the same", severity)
    mounted = run is not made[0] and any(mount.kind == "bind" for mount in made[0].mounts)
    if mounted and not uv_installs.uv_is_on_path(target.facts, stage, run, step):
        return Refusal(at, message, "uv may have been mounted for the RUN that made the environment only", severity)
    lacking = python_environments.lacking_in_uv(package)
    if lacking:
        return Refusal(at, message, lacking, severity)
    interpreter = package.executable.text
    if "/" not in interpreter or not interpreter.endswith(("python", "python3")):
        interpreter = f"{path}/bin/python"
    words = commands.text.span(package.executable.start, package.subcommand.end)
    edit = surgery.replace(words, f"{made[1]} pip install --python {interpreter}")
    return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, _LOOK_AT, severity)


CODEMOD: Final = Codemod(
    name="uv-venv-pip",
    title="pip is called in an environment that uv made without it",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("uv venv", "uv\tvenv"),
    page=__doc__,
    findings=("base-ml 4",),
)
