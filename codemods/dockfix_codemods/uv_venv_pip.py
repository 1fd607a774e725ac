"""pip is called in an environment that uv created without it.

## What it does
Checks for `pip` in a virtual environment that `uv venv` created without `--seed`, and so without pip. The fix uses
`uv pip install`, which installs into the environment from outside.

## Why is this bad?
`/opt/venv/bin/python -m pip` fails with "No module named pip", and `/opt/venv/bin/pip` does not exist. If
`/opt/venv/bin` is first on PATH, `python -m pip` fails in the same way, and a plain `pip` is that of the system: it
installs packages where the environment's Python does not find them.

## Example
```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv venv /opt/venv
RUN /opt/venv/bin/python -m pip install "flask>=3,<4"
```

Use instead:

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv venv /opt/venv
RUN uv pip install --python /opt/venv/bin/python "flask>=3,<4"
```

## Fix safety
The fix is unsafe: uv has its own resolver, uses the first index that has a package, and reads no `pip.conf` and no
`PIP_` variable.

## When it does not apply
- `uv venv --seed`, `UV_VENV_SEED`, and environments into which a later step installs pip, or may do so.
- `uv venv --system-site-packages`: its Python has the pip of the system.
- A `pip` without a path, if another directory is first on PATH: it installs elsewhere on purpose.
- Other subcommands than `install`, and options that `uv pip install` does not have: refused.
- The system's `pip` with `--no-build-isolation`: the environment may lack what the build needs; refused.

## References
- [uv venv](https://docs.astral.sh/uv/reference/cli/#uv-venv) (`--seed`)
- [uv pip install](https://docs.astral.sh/uv/reference/cli/#uv-pip-install)
- [uv: compatibility with pip](https://docs.astral.sh/uv/pip/compatibility/)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from dockfix.edit import dockerfile as editing
from dockfix.facts import python_environments, uv_installs
from dockfix.facts.commands import Step
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import (
    Category,
    Claim,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Run

_REVIEW: Final = "check that `uv` finds the same packages: it reads no `pip.conf` and no `PIP_` variable"


class _Environment(Struct, frozen=True):
    """An environment without pip: the RUN that created it, and the name by which that calls uv."""

    path: str
    run: Run
    uv: str


def check(target: Target) -> Iterator[Finding]:
    """Find pip in environments without it, stage by stage, in the order in which commands run."""
    by_stage: dict[int | None, dict[str, _Environment]] = {}
    for stage in target.facts.graph.stages:
        without_pip = by_stage[stage.index] = dict(by_stage.get(stage.parent, {}))
        for run in stage.executed:
            if isinstance(run, Run):
                yield from _check_run(target, stage, run, without_pip)


def _check_run(target: Target, stage: Stage, run: Run, without_pip: dict[str, _Environment]) -> Iterator[Finding]:
    """Check the commands of a RUN; `without_pip`, the environments by their path, changes as they run."""
    state = target.facts.state(run)
    for step in target.facts.commands(run).steps:
        made = python_environments.uv_venv(step, state)
        if made is not None and not made.certain:
            without_pip.clear()
        elif made is not None and made.seeded:
            without_pip.pop(made.path, None)
        elif made is not None:
            without_pip[made.path] = _Environment(made.path, run, made.uv)
            continue
        path = python_environments.pip_of_environment(step, state)
        if path is None and _is_plain_pip(step):
            path = python_environments.environment_on_path(step, state)
        if path in without_pip:
            yield _finding(target, stage, run, step, without_pip[path])
        elif python_environments.may_install_pip(step):
            without_pip.clear()


def _is_plain_pip(step: Step) -> bool:
    package = step.package
    return package is not None and package.manager == "pip" and "/" not in package.executable.text


def _is_pip_of_the_system(step: Step) -> bool:
    """Whether a plain `pip` runs, and not `python -m pip`, which is that of the environment first on PATH."""
    package = step.package
    return package is not None and _is_plain_pip(step) and (package.executable.value or "").startswith("pip")


def _finding(target: Target, stage: Stage, run: Run, step: Step, environment: _Environment) -> Finding:
    at = target.facts.commands(run).span(step.command)
    severity = None
    message = f"`pip` does not exist in `{environment.path}`: `uv venv` created it without pip"
    if _is_pip_of_the_system(step):
        message = f"`pip` does not install into `{environment.path}`, first on PATH: `uv venv` created it without pip"
        severity = Severity.WARNING
    try:
        edit = _replace(target, stage, run, step, environment)
    except Refused as refused:
        return Refusal(at, message, refused.reason, severity)
    return Fix(at, message, (edit,), Safety.UNSAFE, f"replace with `{edit.replacement}`", _REVIEW, severity)


def _replace(target: Target, stage: Stage, run: Run, step: Step, environment: _Environment) -> Edit:
    """Replace `pip install` with `uv pip install`.

    Raises:
        Refused: there is no equivalent, or uv may not exist in this RUN.
    """
    package = step.package
    if package is None or package.subcommand is None or package.verb != ("install",) or package.user_changed:
        raise Refused("only `pip install` has an equivalent in `uv`")
    mounted = run is not environment.run and any(mount.kind == "bind" for mount in environment.run.mounts)
    if mounted and not uv_installs.uv_is_on_path(target.facts, stage, run, step):
        raise Refused("`uv` may be mounted only in the RUN that created the environment")
    if lacking := python_environments.uv_pip_blocker(package):
        raise Refused(lacking)
    if _is_pip_of_the_system(step) and package.has("--no-build-isolation"):
        raise Refused("`--no-build-isolation` builds with what is installed, which the environment may lack")
    interpreter = package.executable.text
    if "/" not in interpreter or not interpreter.endswith(("python", "python3")):
        interpreter = f"{environment.path}/bin/python"
    words = target.facts.commands(run).text.span(package.executable.start, package.subcommand.end)
    return editing.replace(words, f"{environment.uv} pip install --python {interpreter}")


CODEMOD: Final = Codemod(
    name="uv-venv-pip",
    title="pip is called in an environment that uv created without it",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("uv venv", "uv\tvenv"),
    findings=("base-ml 4",),
    promise=Promise(
        adds=("**/.cache/uv", "**/.lock", "**/site-packages", "**/bin/*"),
        removes=("**/.cache/pip", "**/site-packages", "**/dist-packages", "**/bin/*"),
        packages=Packages.ANY,
        claims=frozenset({Claim.REPAIRS}),
        rationale=(
            "The packages are installed into the environment. Before, the build fails, or `pip` installs them "
            "elsewhere. uv may choose other versions, and has a lock and a cache of its own."
        ),
    ),
)
