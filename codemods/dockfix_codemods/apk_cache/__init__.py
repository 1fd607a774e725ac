"""The package index of apk is left in a layer, or fetched twice.

## What it does
Checks for `apk add` without `--no-cache`, which leaves the package index in the layer, and for an `apk update` before
it, which is redundant with `--no-cache`. The fix adds the option to `apk add`, in place of `--update`, and to an `apk
upgrade` between the two, and removes `apk update`.

## Why is this bad?
The index is about 2 MB in every image, outdated from the day of the build on, and its download takes time.

## Example
```dockerfile
FROM alpine:3.20
RUN apk update && apk upgrade && apk add --no-cache curl
RUN apk add git
```

Use instead:

```dockerfile
FROM alpine:3.20
RUN apk upgrade --no-cache && apk add --no-cache curl
RUN apk add --no-cache git
```

## Fix safety
The fix is safe if nothing else in the build reads the index. The same packages are installed from the same
repositories: `apk add --no-cache` fetches the index that `apk update`, or `apk add` itself, fetched before. The image
lacks only the index, and nothing needs it: no later apk command reads it without fetching it (`add`, `upgrade` and
`fix` fetch it), no instruction names `/var/cache/apk` or `APKINDEX` except to `rm -f` it, and no script runs that
could. The base image is Alpine 3.3 or newer, or the stage already uses `--no-cache`, so its apk has the option.

The fix is unsafe if a script runs that may call apk, if an instruction names the directory of the index, or if the base
image may be older than the option.

## When it does not apply
- An upgrade is never added and never removed.
- RUNs that have a cache mount for apk, clean `/var/cache/apk` themselves, or link `/etc/apk/cache`.
- Alpine before 3.3, whose apk has no `--no-cache`.
- An `apk add` before an `apk search`, `fetch`, `policy`, `list` or similar, which reads the index that it leaves.
- An `apk update` that a later RUN needs, in this stage or in one based on it, or whose options do more: refused.
- `apk update` in a branch or next to `||`: refused.
- `apk add` if an `apk update` of an earlier instruction has left the index anyway.
- `--root`, `--cache-dir`, `--no-network`, `RUN --network`, and packages that are files.

## References
- [apk(8)](https://man.archlinux.org/man/apk.8.en) and apk-update(8), apk-tools 2.14
- [Alpine 3.3.0 released](https://alpinelinux.org/posts/Alpine-3.3.0-released.html) (`--no-cache`)
- [hadolint DL3019](https://github.com/hadolint/hadolint/wiki/DL3019)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action, WordLike
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
    InOnbuild,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.source import Span
from dockfix_codemods.apk_cache import analysis
from dockfix_codemods.apk_cache.analysis import ApkRun, ApkStep

_UPDATES: Final = ("--update", "--update-cache", "-U")
_TOO_OLD: Final = "the `apk` of Alpine before 3.3 has no `--no-cache`"


def check(target: Target) -> Iterator[Finding]:
    """Check the apk commands of each RUN."""
    if "/etc/apk/cache" in target.text:
        return  # the packages are meant to be kept
    for stage, run in target.facts.runs():
        apk_run = analysis.apk_run(target.facts.commands(run), run)
        if apk_run is None:
            continue
        updates = [index for index, step in enumerate(apk_run.steps) if step.command.action is Action.UPDATE]
        if updates:
            yield from _redundant_update(target, stage, apk_run, updates)
        else:
            yield from _kept_index(target, stage, apk_run)


def _redundant_update(target: Target, stage: Stage, apk_run: ApkRun, updates: list[int]) -> Iterator[Finding]:
    """`apk update` before an `apk add` of the same RUN."""
    first, run, text = updates[0], apk_run.run, apk_run.commands.text
    later = apk_run.steps[first + 1 :]
    if not any(step.verb == "add" for step in later):
        return
    command = apk_run.steps[first].step.command
    at = apk_run.commands.span(command)
    message = "`apk update` is redundant: `apk add --no-cache` fetches the package index itself"
    if blocker := _update_blocker(target, stage, apk_run, updates):
        yield Refusal(at, message, blocker)
        return
    try:
        edits = editing.delete_commands(target.dockerfile, run, text, command, command)
    except Refused:
        yield Refusal(at, message, "it cannot be removed from its command list")
        return
    without = [step for step in later if step.verb in ("add", "upgrade") and not step.keeps_nothing]
    help_ = "remove `apk update`"
    if without:
        verbs = dict.fromkeys(f"`apk {step.verb}`" for step in without)
        help_ += f" and add `--no-cache` to {' and '.join(verbs)}"
    more = tuple(_add_no_cache(target, apk_run, step) for step in without)
    yield _fix(at, message, (*edits, *more), help_, _caveats(target, stage, apk_run))


def _update_blocker(target: Target, stage: Stage, apk_run: ApkRun, updates: list[int]) -> str | None:
    """Why the first `apk update` of a RUN must stay."""
    later = apk_run.steps[updates[0] + 1 :]
    user = analysis.index_user(target.facts, stage, apk_run.run)
    if user is not None:
        line = target.dockerfile.text.count("\n", 0, user.span.start) + 1
        return f"line {line} needs the index that it leaves"
    if len(updates) > 1 or any(step.verb not in ("add", "upgrade", "del", "info") for step in later):
        return "another `apk` command of this RUN needs the index"
    if blocker := apk_run.removal_blocker(updates[0]):
        return blocker
    return _TOO_OLD if analysis.knows_no_cache(target.facts, stage) is False else None


def _kept_index(target: Target, stage: Stage, apk_run: ApkRun) -> Iterator[Finding]:
    """`apk add` without `apk update`, which leaves the index that it fetches."""
    for step in apk_run.steps if not analysis.indexed_before(target.facts, stage, apk_run.run) else ():
        if step.verb != "add" or step.keeps_nothing or analysis.installs_files(step.command):
            continue
        at = apk_run.commands.span(step.step.command)
        message = "`apk add` leaves the package index in the layer"
        if analysis.knows_no_cache(target.facts, stage) is False:
            yield Refusal(at, message, _TOO_OLD)
            continue
        reader = analysis.index_reader(target.facts, stage, apk_run.run, step.step)
        if reader is not None:
            yield Refusal(at, message, f"line {reader.start_line} reads the index that it leaves")
            continue
        update = _update_option(step)
        help_ = f"use `--no-cache` instead of `{update.text}`" if update is not None else "add `--no-cache`"
        yield _fix(at, message, (_add_no_cache(target, apk_run, step),), help_, _caveats(target, stage, apk_run))


def _update_option(step: ApkStep) -> WordLike | None:
    """The word `--update` or `-U` of a command, which `--no-cache` replaces: it fetches the index, too."""
    options = [option for option in step.command.options if option.words[0].text in _UPDATES]
    return options[0].words[0] if len(options) == 1 else None


def _add_no_cache(target: Target, apk_run: ApkRun, step: ApkStep) -> Edit:
    update = _update_option(step)
    if update is not None:
        return Edit(*apk_run.commands.text.span(update.start, update.end), "--no-cache")
    return editing.insert_word(target.dockerfile, apk_run.run, apk_run.commands.text, *step.at, "--no-cache")


def _caveats(target: Target, stage: Stage, apk_run: ApkRun) -> list[str]:
    """What to review: what else may need the index, and whether apk has the option."""
    caveats: list[str] = []
    if apk_run.scripts or analysis.scripts_below(target.facts, stage, apk_run.run):
        caveats.append("check that no script that runs calls `apk` and needs the index")
    user = analysis.cache_user(target.facts, stage, apk_run.run)
    if user is not None:
        caveats.append(f"check that line {user.start_line} does not need the index")
    if analysis.knows_no_cache(target.facts, stage) is None:
        caveats.append("check that the base image is Alpine 3.3 or newer: an older `apk` has no `--no-cache`")
    return caveats


def _fix(at: Span, message: str, edits: tuple[Edit, ...], help_: str, caveats: list[str]) -> Fix:
    return Fix(at, message, edits, Safety.UNSAFE if caveats else Safety.SAFE, help_, "; ".join(caveats))


CODEMOD: Final = Codemod(
    name="apk-cache",
    title="the package index of apk is left in a layer, or fetched twice",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apk",),
    hadolint=frozenset({"DL3019"}),
    findings=("web 3",),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("/var/cache/apk/**",),
        claims=frozenset({Claim.SMALLER}),
        rationale=(
            "`apk add --no-cache` installs the same packages from the same index, and does not store the index. In a "
            "stage whose layers are not part of the image, the image stays the same."
        ),
    ),
)
