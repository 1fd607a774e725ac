"""The index of apk's packages is left in a layer, or fetched once more than needed.

## What it does

`--no-cache` fetches the index and keeps nothing, so that an `apk update` in front does nothing but fetch it once more.
An upgrade between the two gets `--no-cache` in its place; an `apk add` without it does too:

```dockerfile
FROM alpine:3.20
RUN apk update && apk upgrade && apk add --no-cache curl
RUN apk add git
```

becomes

```dockerfile
FROM alpine:3.20
RUN apk upgrade --no-cache && apk add --no-cache curl
RUN apk add --no-cache git
```

## Why

The index is about 2 MB in every image, stale from the day of the build on, and its download costs time.

## Safety

Safe: the same packages are installed from the same repositories, and only the index is missing from the image. Unsafe
where the RUN, or one behind it, runs a script that may call apk and count on the index.

## What it leaves alone

- An upgrade is never added and never taken away.
- RUNs with a cache mount for apk, that clean `/var/cache/apk` themselves, or that link `/etc/apk/cache`.
- An `apk update` that a later RUN needs, in this stage or in one made from it, or whose options ask for more: refused.
- `apk update` in a branch or beside `||`: refused.
- `apk add` where an `apk update` of an instruction above has left the index anyway.
- `--root`, `--cache-dir`, `--no-network`, `RUN --network`, and packages that are files.

## Sources

- https://man.archlinux.org/man/apk.8.en and apk-update(8), apk-tools 2.14
- hadolint DL3019
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    Action,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Run,
    Safety,
    Severity,
    Stage,
    Target,
    apk,
    surgery,
)

_WHY: Final = "--no-cache fetches the index itself and leaves none in the layer"
_LOOK_AT: Final = "whether a script that is run calls apk and counts on the index"


def rewrite(target: Target) -> Iterator[Finding]:
    """Look at the apk commands of each RUN."""
    if "/etc/apk/cache" in target.text:
        return  # the packages are meant to be kept
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            found = apk.apk_run(target.facts.commands(run), run) if isinstance(run, Run) and not run.json else None
            if found is not None and isinstance(run, Run) and not found.why:
                yield from _in_run(target, stage, run, found)


def _in_run(target: Target, stage: Stage, run: Run, found: apk.ApkRun) -> Iterator[Finding]:
    updates = [index for index, step in enumerate(found.steps) if step.command.action is Action.UPDATE]
    if not updates:
        yield from _adds(target, stage, run, found)
        return
    first = updates[0]
    later = found.steps[first + 1 :]
    if not any(step.verb == "add" for step in later):
        return
    at = found.commands.span(found.steps[first].step.command)
    message = "apk update is not needed where apk add fetches the index with --no-cache"
    user = apk.index_user(target.facts, stage, run)
    command = found.steps[first].step.command
    edits = surgery.delete_commands(target.dockerfile, run, found.commands.text, command, command)
    if user is not None:
        line = target.dockerfile.text.count("\n", 0, user.span.start) + 1
        yield Refusal(at, message, f"line {line} needs the index that it leaves")
    elif len(updates) > 1 or any(step.verb not in ("add", "upgrade", "del", "info") for step in later):
        yield Refusal(at, message, "another apk command of the RUN needs the index")
    elif why := found.removable(first):
        yield Refusal(at, message, why)
    elif edits is None:
        yield Refusal(at, message, "it shares a line of a script with other commands")
    else:
        wanting = [step for step in later if step.verb in ("add", "upgrade") and not step.keeps_nothing]
        more = tuple(_no_cache(target, run, found, step) for step in wanting)
        yield _fix(target, stage, run, found, Fix(at, message, (*edits, *more), Safety.SAFE, _WHY))


def _adds(target: Target, stage: Stage, run: Run, found: apk.ApkRun) -> Iterator[Finding]:
    """`apk add` alone, which leaves the index that it has fetched."""
    for step in found.steps if not apk.indexed_before(target.facts, stage, run) else ():
        if step.verb != "add" or step.keeps_nothing or apk.installs_files(step.command):
            continue
        at = found.commands.span(step.step.command)
        edits = (_no_cache(target, run, found, step),)
        message = "apk add leaves the index of packages in the layer"
        yield _fix(target, stage, run, found, Fix(at, message, edits, Safety.SAFE, _WHY))


def _no_cache(target: Target, run: Run, found: apk.ApkRun, step: apk.ApkStep) -> Edit:
    return surgery.insert_word(target.dockerfile, run, found.commands.text, *step.at, "--no-cache")


def _fix(target: Target, stage: Stage, run: Run, found: apk.ApkRun, fix: Fix) -> Fix:
    """The fix; unsafe if a script may count on the index."""
    if not found.scripts and not apk.scripts_below(target.facts, stage, run):
        return fix
    return Fix(fix.at, fix.message, fix.edits, Safety.UNSAFE, fix.why, _LOOK_AT)


CODEMOD: Final = Codemod(
    name="apk-cache",
    title="apk's index of packages is left in a layer, or fetched in vain",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("apk",),
    page=__doc__,
    hadolint=frozenset({"DL3019"}),
    findings=("web 3",),
)
