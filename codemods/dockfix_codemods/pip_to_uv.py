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

The pip of an environment (`/opt/venv/bin/pip`, or a `pip` where the environment's `bin` comes first on PATH) becomes
`uv pip install --python /opt/venv/bin/python`; where VIRTUAL_ENV names it, uv finds it by itself. A cache mount of
pip's becomes uv's in the same fix.

## Why

uv resolves and installs many times faster.

## Safety

Unsafe: uv resolves in its own way, takes the first index that has a package, reads no `pip.conf`, and does not compile
to bytecode unless told (`--compile-bytecode`). The rule runs if it is selected by name.

## What it leaves alone

- Stages without uv, `pip install --upgrade pip`, and other subcommands than `install`.
- Options that `uv pip install` does not have or means otherwise, a `PIP_` variable, a cache mount that other commands
  share by its id or in the same RUN: these are refused.
- A `pip` of which it is not known where it installs: refused too. It is known in docker-library's `python` images,
  whose Python is not externally managed, and for an environment that the file makes with a pip in it.

## Sources

- https://docs.astral.sh/uv/pip/compatibility/ and /pip/environments/
- https://docs.astral.sh/uv/reference/cli/#uv-pip-install
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts import mounts, python_environments, uv_installs
from dockfix.facts.commands import Commands, Step
from dockfix.facts.mounts import caches_of
from dockfix.facts.packages import distribution_name
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Mount, Run

_HARMLESS: Final = (
    "PIP_NO_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_ROOT_USER_ACTION",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_NO_INPUT",
    "PIP_PROGRESS_BAR",
)
"""Variables of pip's that uv need not be told of."""
_LOOK_AT: Final = "that uv finds the same packages (it reads no pip.conf), and whether bytecode is wanted in the image"
_MESSAGE: Final = "pip installs where uv is at hand"
_WHY: Final = "uv resolves and installs many times faster"


def check(target: Target) -> Iterator[Finding]:
    """Find the installs of pip in stages that have uv."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if isinstance(run, Run) and not run.json:
                yield from _in_run(target, stage, run)


def _in_run(target: Target, stage: Stage, run: Run) -> Iterator[Finding]:
    commands = target.facts.commands(run)
    pips = [step for step in commands.packages if step.package is not None and step.package.manager == "pip"]
    found = [
        (step, _edit(target, stage, run, commands, step))
        for step in pips
        if _installs(step) and uv_installs.uv_is_on_path(target.facts, stage, run, step)
    ]
    mount = next((each for each in run.mounts if each.kind == "cache" and "pip" in (each.target or "")), None)
    if mount is not None and found:
        yield from _with_mount(target, stage, run, mount, found, others=len(pips) - len(found))
        return
    for step, edit in found:
        yield _finding(commands, step, edit)


def _installs(step: Step) -> bool:
    package = step.package
    if package is None or package.verb != ("install",):
        return False
    return not any(distribution_name(word.value or "") in ("pip", "uv") for word in package.packages)


def _finding(commands: Commands, step: Step, edit: Edit | str) -> Finding:
    at = commands.span(step.command)
    if isinstance(edit, str):
        return Refusal(at, _MESSAGE, edit)
    return Fix(at, _MESSAGE, (edit,), Safety.UNSAFE, _WHY, _LOOK_AT)


def _edit(target: Target, stage: Stage, run: Run, commands: Commands, step: Step) -> Edit | str:
    """What puts uv in the place of a pip; or why not."""
    package = step.package
    if package is None or package.subcommand is None or package.user_changed or step.opaque:
        return "what the script has set before it, or who runs it, is not known"
    lacking = python_environments.lacking_in_uv(package)
    if lacking:
        return lacking
    variables = (*target.facts.state(run).names(), *step.env)
    variable = next((name for name in variables if name.startswith("PIP_") and name not in _HARMLESS), None)
    if variable is not None:
        return f"uv does not read {variable}"
    options = python_environments.as_uv_finds_it(target.facts, stage, run, step)
    if options is None:
        return "it is not known which environment this pip installs into"
    words = commands.text.span(package.executable.start, package.subcommand.end)
    return surgery.replace(words, f"uv pip install {options}".rstrip())


def _with_mount(
    target: Target, stage: Stage, run: Run, mount: Mount, found: list[tuple[Step, Edit | str]], others: int
) -> Iterator[Finding]:
    """All of a RUN in one fix, since its cache mount is pip's, and has to become uv's."""
    commands = target.facts.commands(run)
    caches = caches_of(target.facts, run, stage)
    path = mounts.cache_instead(target.facts, caches, found[0][0], "uv pip install x") if caches is not None else ""
    option = mount.option("target")
    edits = [edit for _, edit in found if isinstance(edit, Edit)]
    why = next((edit for _, edit in found if isinstance(edit, str)), "")
    if not why and others:
        why = "another pip of the RUN uses the cache mount"
    elif not why and (mount.get("id") or mount.get("from")):
        why = "the cache mount has an id or a source of its own, under which others keep pip's cache"
    elif not why and (not path or option is None or option.value_span is None):
        why = "it is not known where uv keeps its cache here"
    if why or caches is None or option is None or option.value_span is None:
        yield from (_finding(commands, step, why) for step, _ in found)
        return
    if caches.serving(path) is None:
        edits.append(surgery.replace(option.value_span, path))
    else:
        edits += surgery.delete_flag(target.dockerfile, run, mount.flag)
    yield Fix(commands.span(found[0][0].command), _MESSAGE, tuple(sorted(edits)), Safety.UNSAFE, _WHY, _LOOK_AT)


CODEMOD: Final = Codemod(
    name="pip-to-uv",
    title="pip installs where uv is at hand",
    severity=Severity.INFO,
    category=Category.CACHE,
    effects=frozenset({Effect.COMMANDS, Effect.MOUNTS}),
    check=check,
    since="0.1.0",
    triggers=("uv",),
    opt_in=True,
    page=__doc__,
    findings=("worker 2",),
)
