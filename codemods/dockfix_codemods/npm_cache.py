r"""npm or yarn keeps its cache in the image, where no mount can hold it.

## What it does

Finds `npm ci`, `npm install`, `yarn install` and `yarn add` that leave a cache in the image, and empties it at the end
of the `RUN`. Where a cache mount is possible, `cache-mount` reports the command instead.

## Why is this bad?

The cache holds an archive of every package, a second copy of `node_modules`. Nothing in the image reads it.

## Example

```dockerfile
# syntax=docker/dockerfile:1.0
FROM node:20
COPY package.json package-lock.json ./
RUN npm ci
```

Use instead:

```dockerfile
# syntax=docker/dockerfile:1.0
FROM node:20
COPY package.json package-lock.json ./
RUN npm ci \
    && npm cache clean --force
```

The frontend 1.0 has no cache mounts.

## Fix safety

The fix is unsafe: a later command may work from the cache (`--offline`, `--prefer-offline`), and the cache of Yarn 2
and later may be the place from which the program runs.

## When it does not apply

- A mount holds the cache, or the `RUN` empties or deletes it.
- A stage that is not part of the image.
- Heredocs, and scripts that may exit early: refused.

## References

- https://docs.npmjs.com/cli/commands/npm-cache, https://classic.yarnpkg.com/en/docs/cli/cache
- [hadolint DL3060](https://github.com/hadolint/hadolint/wiki/DL3060)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts import frontend
from dockfix.facts.commands import Commands, Step
from dockfix.facts.joining import append_operator
from dockfix.facts.model import Refused
from dockfix.facts.mounts import caches_of
from dockfix.facts.outcome import tolerated
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Mount, Run

_CLEAN: Final[Mapping[str, str]] = MappingProxyType({"npm": "npm cache clean --force", "yarn": "yarn cache clean"})
_FILLS: Final = frozenset({Action.INSTALL, Action.SYNC})
_REVIEW: Final = "check that no later command works from the cache, and that the program does not run from it"


def check(target: Target) -> Iterator[Finding]:
    """Find the commands of npm and yarn whose cache stays in the image."""
    syntax = target.dockerfile.directives.get("syntax")
    mounts = frontend.mounts_supported(syntax.value if syntax else None)
    for stage, run in target.facts.runs(shell_form=True):
        if not target.facts.graph.in_image(stage):
            continue
        commands = target.facts.commands(run)
        steps = [step for step in commands.packages if _fills(step)]
        if steps and not _is_emptied(run, commands, steps[-1]) and not (mounts and _gets_mount(target, run, stage)):
            yield _finding(target, run, commands, steps[-1])


def _fills(step: Step) -> bool:
    package = step.package
    return package is not None and package.manager in _CLEAN and package.action in _FILLS and not package.has("--cache")


def _is_emptied(run: Run, commands: Commands, last: Step) -> bool:
    """Whether a mount holds the cache, or the script deletes it after the last step that fills it."""
    if any(_is_cache(mount) for mount in run.mounts):
        return True
    for step in commands.steps[commands.steps.index(last) :]:
        if step.package is not None and step.package.manager in _CLEAN and step.package.action is Action.CLEAN:
            return True
        words = [word for word in step.command.args if "/var/cache/" not in word.text]
        words = words if step.command.basename == "rm" else []
        if any(part in word.text for word in words for part in ("cache", "/root", ".npm", ".yarn")):
            return True
    return False


def _is_cache(mount: Mount) -> bool:
    """Whether a mount may hold the cache of npm or yarn."""
    target = (mount.target or "").lower()
    return mount.kind in ("cache", "tmpfs") and (
        "$" in target or any(part in target for part in ("cache", "npm", "yarn")) or target.rstrip("/") == "/root"
    )


def _gets_mount(target: Target, run: Run, stage: Stage) -> bool:
    """Whether `cache-mount` finds a cache here that lacks a mount."""
    caches = caches_of(target.facts, run, stage)
    return caches is not None and any(
        tool.package.manager in _CLEAN and not tool.likely for tool, _ in caches.missing()
    )


def _finding(target: Target, run: Run, commands: Commands, step: Step) -> Finding:
    manager = step.package.manager if step.package is not None else ""
    new = _CLEAN[manager]
    at = commands.span(step.command)
    message = f"`{manager}` leaves its cache in the image"
    if run.heredocs:
        return Refusal(at, message, "a heredoc goes on after a failure, so that a command at its end would hide it")
    if step.command.start in tolerated(commands):
        return Refusal(
            at, message, f"`{manager}` may be missing in a build that succeeds, and to clean would fail then"
        )
    try:
        operator = append_operator(commands)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    edits = editing.append_commands(target.dockerfile, (run,), (new,), operator)
    return Fix(at, message, edits, Safety.UNSAFE, f"append `{new}`", _REVIEW)


CODEMOD: Final = Codemod(
    name="npm-cache",
    title="npm or yarn keeps its cache in the image, where no mount can hold it",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("npm", "yarn"),
    hadolint=frozenset({"DL3060"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("**/.npm/**", "**/.cache/yarn/**", "**/.yarn/cache/**"),
        rationale="The same packages are installed; the archives that they came in are deleted in the same layer.",
    ),
)
