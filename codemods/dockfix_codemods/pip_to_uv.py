"""pip installs packages although uv is available.

## What it does
Replaces `pip install` with `uv pip install` in stages that have uv, if it is known which environment uv installs into.
The pip of an environment (`/opt/venv/bin/pip`, or a `pip` whose environment is first on PATH) becomes
`uv pip install --python /opt/venv/bin/python`; if VIRTUAL_ENV names the environment, uv finds it without the option.
The same fix points a cache mount for pip to uv's cache.

## Why is this bad?
uv resolves and installs many times faster.

## Example
```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN pip install --no-cache-dir "flask>=3,<4"
```

Use instead:

```dockerfile
FROM python:3.13-slim
COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv
RUN uv pip install --system --no-cache-dir "flask>=3,<4"
```

## Fix safety
The fix is unsafe: uv has its own resolver, uses the first index that has a package, reads no `pip.conf`, and compiles
no bytecode without `--compile-bytecode`. The rule runs only if it is selected by name.

## When it does not apply
- Stages without uv, `pip install --upgrade pip`, and other subcommands than `install`.
- Options that `uv pip install` does not have or interprets differently, a `PIP_` variable, a cache mount that other
  commands use by its id or in the same RUN: refused.
- A `pip` whose environment is unknown: refused. It is known in docker-library's `python` images, whose Python is not
  externally managed, and for an environment that the file creates with pip in it.

## References
- [uv: compatibility with pip](https://docs.astral.sh/uv/pip/compatibility/)
- [uv: Python environments](https://docs.astral.sh/uv/pip/environments/)
- [uv pip install](https://docs.astral.sh/uv/reference/cli/#uv-pip-install)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts import mounts, python_environments, uv_installs
from dockfix.facts.commands import Step
from dockfix.facts.model import Refused
from dockfix.facts.mounts import caches_of
from dockfix.facts.packages import distribution_name
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import (
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Preset,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Mount, Run

_IRRELEVANT_TO_UV: Final = (
    "PIP_NO_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_ROOT_USER_ACTION",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_NO_INPUT",
    "PIP_PROGRESS_BAR",
)
"""Variables of pip that do not change what is installed."""
_MESSAGE: Final = "`pip install` is slower than `uv pip install`, and `uv` is available"
_REVIEW: Final = (
    "check that `uv` finds the same packages: it reads no `pip.conf`; check whether the image needs bytecode, which"
    " `uv` does not compile"
)


def check(target: Target) -> Iterator[Finding]:
    """Find the installs of pip in stages that have uv."""
    for stage, run in target.facts.runs(shell_form=True):
        yield from _check_run(target, stage, run)


def _check_run(target: Target, stage: Stage, run: Run) -> Iterator[Finding]:
    commands = target.facts.commands(run)
    pips = [step for step in commands.packages if step.package is not None and step.package.manager == "pip"]
    installs = [step for step in pips if _installs(step) and uv_installs.uv_is_on_path(target.facts, stage, run, step)]
    mount = next((each for each in run.mounts if each.kind == "cache" and "pip" in (each.target or "")), None)
    # the commands of a RUN have one cache mount, so that all of them must change together
    groups = [[step] for step in installs] if mount is None else [installs]
    for steps in filter(None, groups):
        try:
            edits = [_replace(target, stage, run, step) for step in steps]
            help_ = [f"replace with `{edit.replacement}`" for edit in edits]
            if mount is not None:
                if len(pips) > len(installs):
                    raise Refused("another `pip` of this RUN uses the cache mount")
                mount_edits, mount_help = _change_mount(target, stage, run, mount, steps[0])
                edits += mount_edits
                help_.append(mount_help)
        except Refused as refused:
            yield from (Refusal(commands.span(step.command), _MESSAGE, refused.reason) for step in steps)
            continue
        at = commands.span(steps[0].command)
        yield Fix(at, _MESSAGE, tuple(sorted(edits)), Safety.UNSAFE, " and ".join(dict.fromkeys(help_)), _REVIEW)


def _installs(step: Step) -> bool:
    package = step.package
    if package is None or package.verb != ("install",):
        return False
    return not any(distribution_name(word.value or "") in ("pip", "uv") for word in package.packages)


def _replace(target: Target, stage: Stage, run: Run, step: Step) -> Edit:
    """Replace a `pip install` with the `uv pip install` that installs into the same environment.

    Raises:
        Refused: there is none, or the environment is unknown.
    """
    package = step.package
    if package is None or package.subcommand is None or package.user_changed or step.opaque:
        raise Refused("the user that runs it, or the variables that the script sets, are unknown")
    if lacking := python_environments.uv_pip_blocker(package):
        raise Refused(lacking)
    variables = (*target.facts.state(run).names(), *step.env)
    variable = next((name for name in variables if name.startswith("PIP_") and name not in _IRRELEVANT_TO_UV), None)
    if variable is not None:
        raise Refused(f"`uv` does not read `{variable}`")
    options = python_environments.uv_pip_options(target.facts, stage, run, step)
    words = target.facts.commands(run).text.span(package.executable.start, package.subcommand.end)
    return editing.replace(words, f"uv pip install {options}".rstrip())


def _change_mount(target: Target, stage: Stage, run: Run, mount: Mount, step: Step) -> tuple[Sequence[Edit], str]:
    """Point the cache mount for pip to uv's cache, or remove it if uv's cache has a mount; and what that does.

    Raises:
        Refused: others use the mount, or uv's cache directory is unknown.
    """
    if mount.get("id") or mount.get("from"):
        raise Refused("the cache mount has an id or a source, by which other RUNs may use it for pip")
    caches = caches_of(target.facts, run, stage)
    option = mount.option("target")
    if caches is None or option is None or option.value_span is None:
        raise Refused("the cache directory of `uv` is unknown here")
    path = mounts.cache_of_replacement(target.facts, caches, step, "uv pip install x")
    if caches.serving(path) is None:
        return (editing.replace(option.value_span, path),), f"change the target of the cache mount to `{path}`"
    return editing.delete_flag(target.dockerfile, run, mount.flag), "remove the cache mount for `pip`"


CODEMOD: Final = Codemod(
    name="pip-to-uv",
    title="pip installs packages although uv is available",
    severity=Severity.INFO,
    category=Category.CACHE,
    effects=frozenset({Effect.COMMANDS, Effect.MOUNTS}),
    check=check,
    since="0.1.0",
    triggers=("uv",),
    preset=Preset.ALL,
    findings=("worker 2",),
    promise=Promise(
        adds=(
            "**/.cache/uv",
            "**/.lock",
            "**/uv-*.lock",
            "**/*.dist-info/REQUESTED",
            "**/*.dist-info/uv_*.json",
        ),
        removes=("**/.cache/pip", "**/__pycache__"),
        changes=(
            "**/*.dist-info/INSTALLER",
            "**/*.dist-info/RECORD",
            "**/*.dist-info/direct_url.json",
            "**/bin/*",
        ),
        packages=Packages.ANY,
        mounts=True,
        rationale=(
            "The same distributions are installed into the same environment. uv may choose other versions, writes its"
            " own metadata and start scripts, compiles no bytecode, and has a lock and a cache of its own."
        ),
    ),
)
