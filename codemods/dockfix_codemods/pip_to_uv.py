"""pip installs where uv is at hand.

## What it does

`pip install` becomes `uv pip install` where the stage has uv, and where it is known which environment uv finds:

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN pip install --no-cache-dir "flask>=3,<4"
```

becomes

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv pip install --system --no-cache-dir "flask>=3,<4"
```

The pip of an environment (`/opt/venv/bin/pip`) becomes `uv pip install --python /opt/venv/bin/python`.

## Why

uv resolves and installs many times faster.

## Safety

Unsafe: uv resolves in its own way, takes the first index that has a package, reads no `pip.conf`, and does not compile
to bytecode unless told (`--compile-bytecode`). The rule runs if it is selected by name.

## What it leaves alone

- Stages without uv, `pip install --upgrade pip`, and other subcommands than `install`.
- Options that `uv pip install` does not have, a `PIP_` variable, a cache mount of pip's: these are refused.
- A `pip` of which it is not known where it installs: refused too. It is known in docker-library's `python` images,
  whose Python is not externally managed, unless another environment may come first on PATH.

## Sources

- https://docs.astral.sh/uv/pip/compatibility/ and /pip/environments/
- https://docs.astral.sh/uv/reference/cli/#uv-pip-install
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    Category,
    Codemod,
    Commands,
    Copy,
    Effect,
    Finding,
    Fix,
    ImageSource,
    Instruction,
    Known,
    Refusal,
    Run,
    Safety,
    Severity,
    Stage,
    Step,
    Target,
    image_names,
    python_environments,
    surgery,
)

_IMAGE: Final = "ghcr.io/astral-sh/uv"
_ON_PATH: Final = frozenset(("/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"))
_LOOK_AT: Final = "that uv finds the same packages (it reads no pip.conf), and whether bytecode is wanted in the image"


def rewrite(target: Target) -> Iterator[Finding]:
    """Find the installs of pip in stages that have uv."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run) or run.json or not _has_uv(target, stage, run):
                continue
            commands = target.facts.commands(run)
            for step in commands.packages:
                package = step.package
                names = [word.value for word in package.packages] if package is not None else []
                if package is None or package.manager != "pip" or package.verb != ("install",) or "pip" in names:
                    continue
                yield _finding(target, stage, run, commands, step)


def _has_uv(target: Target, stage: Stage, run: Run) -> bool:
    """Whether uv is on PATH: copied from its image before the RUN, mounted for it, or there from the start."""
    if stage.base is not None and "uv" in stage.base.tools:
        return True
    for mount in run.mounts:
        folder, _, name = (mount.target or "").rpartition("/")
        if mount.kind == "bind" and _IMAGE in image_names(mount.get("from") or "") and name == "uv":
            return folder in _ON_PATH
    before = [each for each in stage.instructions if isinstance(each, Copy) and each.span.start < run.span.start]
    return any(_brings_uv(target, stage, each) for each in before)


def _brings_uv(target: Target, stage: Stage, copy: Copy) -> bool:
    sources = target.facts.graph.sources(copy, stage)
    if not any(isinstance(each, ImageSource) and _IMAGE in image_names(each.ref) for each in sources):
        return False
    destination = copy.destination.text if copy.destination is not None else ""
    if not any(source.text == "/uv" for source in copy.sources):
        return False
    folder = destination.rstrip("/") if destination.endswith("/") or destination in _ON_PATH else ""
    return folder in _ON_PATH or (destination.rpartition("/")[0] in _ON_PATH and destination.endswith("/uv"))


def _finding(target: Target, stage: Stage, run: Run, commands: Commands, step: Step) -> Finding:
    at, package = commands.span(step.command), step.package
    message = "pip installs where uv is at hand"
    if package is None or package.subcommand is None or package.user_changed or step.opaque:
        return Refusal(at, message, "what the script has set before it, or who runs it, is not known")
    lacking = python_environments.lacking_in_uv(package)
    if lacking:
        return Refusal(at, message, f"uv pip install has no {lacking}")
    state = target.facts.state(run)
    variable = next((name for name in (*state.names(), *step.env) if _matters(name)), None)
    if variable is not None:
        return Refusal(at, message, f"uv does not read {variable}")
    if any(mount.kind == "cache" and "pip" in (mount.target or "") for mount in run.mounts):
        return Refusal(at, message, "the cache mount of the RUN is pip's; uv keeps its cache elsewhere")
    where = _environment(stage, run, step, target)
    if not where:
        return Refusal(at, message, "it is not known which environment this pip installs into")
    words = commands.text.span(package.executable.start, package.subcommand.end)
    edit = surgery.replace(words, f"uv pip install {where}")
    return Fix(at, message, (edit,), Safety.UNSAFE, "uv resolves and installs many times faster", _LOOK_AT)


def _matters(name: str) -> bool:
    """Whether a variable of the environment tells pip what uv would have to be told, too."""
    harmless = ("PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_ROOT_USER_ACTION", "PIP_DEFAULT_TIMEOUT")
    return name.startswith("PIP_") and name not in harmless


def _environment(stage: Stage, run: Instruction, step: Step, target: Target) -> str:
    """The option by which uv installs where this pip does; empty if that is not known."""
    state = target.facts.state(run)
    path = python_environments.pip_of_environment(step, state)
    package = step.package
    if path and path not in ("/usr", "/usr/local"):
        return f"--python {path}/bin/python"
    value = package.executable.value if package is not None else None
    if value is None or "/" in value or not isinstance(stage.base_ref, Known) or state.is_root != Known(True):
        return ""
    if "python" not in image_names(stage.base_ref.value) or "VIRTUAL_ENV" in {*state.names(), *step.env}:
        return ""
    found = step.env.get("PATH") or state.lookup("PATH")
    folders = found.value.split(":") if isinstance(found, Known) else []
    first = next((folder for folder in folders if folder != "/usr/local/sbin"), "")
    return "--system" if first == "/usr/local/bin" else ""


CODEMOD: Final = Codemod(
    name="pip-to-uv",
    title="pip installs where uv is at hand",
    severity=Severity.INFO,
    category=Category.CACHE,
    effects=frozenset({Effect.COMMANDS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("astral-sh/uv",),
    opt_in=True,
    page=__doc__,
    findings=("worker 2",),
)
