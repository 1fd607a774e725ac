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

Safe where nothing else of the build looks at the index. The same packages are installed from the same repositories:
`apk add --no-cache` fetches the index that `apk update`, or `apk add` itself, has fetched until now. Only the index is
missing from the image. It is not missed: no later apk command reads it without fetching it (`add`, `upgrade` and `fix`
fetch it), no instruction names `/var/cache/apk` or `APKINDEX` but to `rm -f` it, and no script runs that could. The
base image is Alpine 3.3 or newer, or the stage uses `--no-cache` already, so that its apk has the option.

Unsafe where a script is run that may call apk, where an instruction names the folder of the index, and where the base
image may be older than the option.

## What it leaves alone

- An upgrade is never added and never taken away.
- RUNs with a cache mount for apk, that clean `/var/cache/apk` themselves, or that link `/etc/apk/cache`.
- Alpine before 3.3, whose apk has no `--no-cache`.
- An `apk add` before an `apk search`, `fetch`, `policy`, `list` or the like, which reads the index that it leaves.
- An `apk update` that a later RUN needs, in this stage or in one made from it, or whose options ask for more: refused.
- `apk update` in a branch or beside `||`: refused.
- `apk add` where an `apk update` of an instruction above has left the index anyway.
- `--root`, `--cache-dir`, `--no-network`, `RUN --network`, and packages that are files.

## Sources

- https://man.archlinux.org/man/apk.8.en and apk-update(8), apk-tools 2.14
- https://alpinelinux.org/posts/Alpine-3.3.0-released.html (`--no-cache`)
- hadolint DL3019
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.apk_cache import analysis as apk

_WHY: Final = "--no-cache fetches the index itself and leaves none in the layer"
_TOO_OLD: Final = "the apk of Alpine before 3.3 has no --no-cache"


def check(target: Target) -> Iterator[Finding]:
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
    elif apk.knows_no_cache(target.facts, stage) is False:
        yield Refusal(at, message, _TOO_OLD)
    elif edits is None:
        yield Refusal(at, message, "it cannot be taken out of its list")
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
        message = "apk add leaves the index of packages in the layer"
        if apk.knows_no_cache(target.facts, stage) is False:
            yield Refusal(at, message, _TOO_OLD)
            continue
        reader = apk.index_reader(target.facts, stage, run, step.step)
        if reader is not None:
            yield Refusal(at, message, f"line {reader.start_line} reads the index that it leaves")
            continue
        edits = (_no_cache(target, run, found, step),)
        yield _fix(target, stage, run, found, Fix(at, message, edits, Safety.SAFE, _WHY))


def _no_cache(target: Target, run: Run, found: apk.ApkRun, step: apk.ApkStep) -> Edit:
    return surgery.insert_word(target.dockerfile, run, found.commands.text, *step.at, "--no-cache")


def _fix(target: Target, stage: Stage, run: Run, found: apk.ApkRun, fix: Fix) -> Fix:
    """The fix; unsafe if something else may count on the index, or if apk may not know the option."""
    caveats: list[str] = []
    if found.scripts or apk.scripts_below(target.facts, stage, run):
        caveats.append("whether a script that is run calls apk and counts on the index")
    user = apk.cache_user(target.facts, stage, run)
    if user is not None:
        caveats.append(f"whether line {user.start_line} counts on the index")
    if apk.knows_no_cache(target.facts, stage) is None:
        caveats.append("that the base image is Alpine 3.3 or newer, whose apk has --no-cache")
    if not caveats:
        return fix
    return Fix(fix.at, fix.message, fix.edits, Safety.UNSAFE, fix.help, "; ".join(caveats))


CODEMOD: Final = Codemod(
    name="apk-cache",
    title="apk's index of packages is left in a layer, or fetched in vain",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apk",),
    page=__doc__,
    hadolint=frozenset({"DL3019"}),
    findings=("web 3",),
)
