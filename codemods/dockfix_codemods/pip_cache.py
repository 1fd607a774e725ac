"""pip keeps its cache in the image, where no mount can hold it.

## What it does

Finds `pip install`, `pip download` and `pip wheel` that leave pip's cache in the image, and adds `--no-cache-dir`.
Where a cache mount is possible, `cache-mount` reports the command instead: it keeps the cache out of the image, and the
next build fast.

## Why is this bad?

The cache holds every wheel and archive that was downloaded, a second copy of what is installed. Nothing in the image
reads it.

## Example

```dockerfile
# syntax=docker/dockerfile:1.0
FROM python:3.12
RUN pip install flask
```

Use instead:

```dockerfile
# syntax=docker/dockerfile:1.0
FROM python:3.12
RUN pip install --no-cache-dir flask
```

The frontend 1.0 has no cache mounts.

## Fix safety

The fix is safe: pip installs the same with and without its cache, and every pip since 6.0 has the option. If the base
image is not known, or from before 2015, the fix is unsafe.

## When it does not apply

- The cache is off, or moved by an option: `--no-cache-dir`, `--cache-dir`, `PIP_NO_CACHE_DIR`.
- A cache mount holds it, the `RUN` deletes it, or nothing is downloaded (`--no-index`).
- A stage that is not part of the image: its files are thrown away.
- A later `RUN` deletes the cache, and may fail if there is none (`pip cache purge` of pip 20, `rm -r`): refused.

## Options

- `instead-of-mounts`: also report commands that could have a cache mount. Use it with `ignore = ["cache-mount"]`, for
  builds without BuildKit. Default: `false`.

## References

- https://pip.pypa.io/en/stable/topics/caching/
- [hadolint DL3042](https://github.com/hadolint/hadolint/wiki/DL3042)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts import frontend
from dockfix.facts.commands import Commands, Step
from dockfix.facts.model import Known, known
from dockfix.facts.mounts import caches_of
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Instruction, Run

_FILLS: Final = frozenset({("install",), ("download",), ("wheel",)})
_OLD: Final = re.compile(r"wheezy|jessie|precise|trusty|debian:[78]|ubuntu:1[0-4]|centos:[67]|alpine:[23]\.[0-2]\b")
_REVIEW: Final = "check that the pip of the image is 6.0 or newer: an older one has no such option"
_VARIABLE: Final = "PIP_NO_CACHE_DIR"
_DECIDES: Final = ("--no-cache-dir", "--cache-dir")


@dataclass(frozen=True)
class PipCacheOptions:
    """Options of `pip-cache`.

    Args:
        instead_of_mounts: also report commands that could have a cache mount.
    """

    instead_of_mounts: bool = False


def check(target: Target) -> Iterator[Finding]:
    """Find the pip commands whose cache stays in the image."""
    if "pip.conf" in target.text:
        return
    syntax = target.dockerfile.directives.get("syntax")
    mounts = frontend.mounts_supported(syntax.value if syntax else None)
    if target.options(PipCacheOptions).instead_of_mounts:
        mounts = False
    for stage, run in target.facts.runs(shell_form=True):
        if not target.facts.graph.in_image(stage):
            continue
        commands = target.facts.commands(run)
        steps = [] if _has_mount(run) else _left(commands)
        if not steps or _is_off(target, run, commands):
            continue
        if mounts and _gets_mount(target, run, stage):
            continue
        later = _needs_cache(target, stage, run)
        for step in steps:
            word = step.package.subcommand if step.package is not None else None
            if word is None:
                continue
            edit = insert_word(target.dockerfile, run, commands.text, word.start, word.end, "--no-cache-dir")
            message = "`pip` leaves its cache in the image"
            cause = f"stage {stage.index}"
            if later is not None:
                reason = f"line {later.start_line} deletes the cache, and may fail if there is none"
                yield Refusal(commands.span(step.command), message, reason, cause=cause)
                continue
            safety, review = (Safety.SAFE, "") if _has_option(stage) else (Safety.UNSAFE, _REVIEW)
            at = commands.span(step.command)
            yield Fix(at, message, (edit,), safety, "add `--no-cache-dir`", review, cause=cause)


def _has_option(stage: Stage) -> bool:
    """Whether the pip of the image is certainly not older than 6.0, of 2014."""
    ref = known(stage.base_ref)
    return stage.base is not None and ref is not None and _OLD.search(ref) is None


def _fills(step: Step) -> bool:
    package = step.package
    if package is None or package.manager != "pip" or package.verb not in _FILLS or package.has(*_DECIDES):
        return False
    return not package.unknown_operands and not package.has("--no-index")  # it downloads nothing


def _is_off(target: Target, run: Run, commands: Commands) -> bool:
    """Whether a variable turns the cache off; pip ignores an empty one, and to it `false` means the same as `true`."""
    state = target.facts.state(run)
    given = state.sets(_VARIABLE) or _VARIABLE in state.args
    return _VARIABLE in commands.text.text or (given and state.lookup(_VARIABLE) != Known(""))


def _has_mount(run: Run) -> bool:
    return any(mount.kind in ("cache", "tmpfs") and "cache" in (mount.target or "") for mount in run.mounts)


def _left(commands: Commands) -> list[Step]:
    """The steps whose cache no later step deletes; `pip cache purge` may fail if there is nothing to delete."""
    left: list[Step] = []
    for step in commands.steps:
        if _fills(step):
            left.append(step)
        elif _empties(step):
            left.clear()
    return left


def _empties(step: Step) -> bool:
    if step.package is not None and step.package.manager == "pip" and step.package.action is Action.CLEAN:
        return True
    words = [word.text for word in step.command.args if "/var/cache/" not in word.text]
    return step.command.basename == "rm" and any("cache" in text or "/root" in text for text in words)


def _needs_cache(target: Target, stage: Stage, run: Run) -> Instruction | None:
    """A later RUN that deletes the cache, and fails if it is not there."""

    def deletes(stage: Stage, node: Instruction) -> bool:
        if stage.replaced or not isinstance(node, Run):
            return False
        steps = filter(_empties, target.facts.commands(node).steps)
        return any(step.package is not None or not _is_forced(step) for step in steps)

    return target.facts.search("pip-cache", deletes).after(stage, run.span.start)


def _is_forced(step: Step) -> bool:
    options = [word.text for word in step.command.args if word.text.startswith("-")]
    return "--force" in options or any("f" in text for text in options if not text.startswith("--"))


def _gets_mount(target: Target, run: Run, stage: Stage) -> bool:
    """Whether `cache-mount` finds a cache of pip here that lacks a mount."""
    caches = caches_of(target.facts, run, stage)
    return caches is not None and any(tool.package.manager == "pip" and not tool.likely for tool, _ in caches.missing())


CODEMOD: Final = Codemod(
    name="pip-cache",
    title="pip keeps its cache in the image, where no mount can hold it",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("pip",),
    options=PipCacheOptions,
    hadolint=frozenset({"DL3042"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("**/.cache/pip/**", "**/.cache/pip", "**/.cache"),
        rationale="pip installs the same with and without its cache, which nothing in the image reads.",
    ),
)
