r"""The package lists of apt stay in a layer, or are older than what is installed from them.

## What it does

Finds a `RUN` with `apt-get update` and an installation that leaves the package lists in the layer, and removes them at
its end. Finds `apt-get update` alone in a `RUN`, and joins it with the `RUN` after it that installs packages. One that
is further away from the installation, or that nothing installs from, is advice.

## Why is this bad?

The lists are 20 to 50 MB in every image, out of date from the next day on, and of no use without a new `apt-get
update`. `apt-get update` alone is cached as a layer of its own: an installation that is changed later uses the old
lists, and fails with `404 Not Found` when the archive has dropped a version.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
    curl
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
    curl \
    && rm -rf /var/lib/apt/lists/*
```

## Fix safety

To remove the lists is safe if nothing needs them: no later command, in this stage, in one based on it or in an image
of the project built on it, reads lists that no newer `apt-get update` has fetched, and no later `RUN` runs a script or
a tool that may call apt. Images that other people build on this one must run `apt-get update` first, as with the
official images.

It is unsafe if such a script runs, if another stage copies or mounts the lists, or if `sudo` must remove them, which
may be allowed for `apt-get` only. To join an `apt-get update` with the next `RUN` is unsafe: the packages come from
newer lists then.

## When it does not apply

- A `RUN` that removes the lists itself, or has a mount on `/var/lib/apt` or below.
- A stage that is not part of the image: its layers are thrown away.
- Later commands that need the lists, also to find what a local `.deb` depends on, heredocs, and scripts that may exit
  early: refused. So is ALT Linux, whose `apt-get update` fails without `/var/lib/apt/lists/partial`.
- `-o` and `--option`, which may move the lists.

## References

- https://docs.docker.com/build/building/best-practices/#apt-get
- apt-get(8): `update`
- [hadolint DL3009](https://github.com/hadolint/hadolint/wiki/DL3009)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts.commands import Commands, Step
from dockfix.facts.joining import append_operator, pair_operator
from dockfix.facts.model import Known, Refused, known
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Instruction, Onbuild, Run
from dockfix_codemods.apt_lists.dependants import caller_elsewhere, reader_elsewhere
from dockfix_codemods.apt_lists.later import caller_below, installs_files, reader_below
from dockfix_codemods.apt_lists.places import LISTS, may_hold_lists

_AS_ROOT: Final = frozenset(("su", "doas", "gosu", "su-exec", "runuser", "setpriv"))
_FETCHING: Final = frozenset({Action.INSTALL, Action.UPGRADE})


def check(target: Target) -> Iterator[Finding]:
    """Check each RUN with `apt-get update`."""
    for stage in target.facts.graph.stages:
        if not target.facts.graph.in_image(stage):
            continue
        for index, run in enumerate(stage.executed):
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            updates = [step for step in commands.packages if _is(step, Action.UPDATE)]
            if not updates or _keeps_none(run, commands):
                continue
            if any(_is(step, each) for step in commands.packages for each in _FETCHING):
                yield _removal(target, stage, run, commands, updates[-1])
            else:
                after = stage.executed[index + 1] if index + 1 < len(stage.executed) else None
                yield from _alone(target, stage, run, updates, after)


def _is(step: Step, action: Action) -> bool:
    package = step.package
    return package is not None and package.manager == "apt" and package.action is action


def _keeps_none(run: Run, commands: Commands) -> bool:
    """Whether the lists are somewhere else, or the script deals with them itself."""
    if any(may_hold_lists(mount) for mount in run.mounts):
        return True
    for step in commands.steps:
        words = step.command.words
        if any("/var/lib/apt" in word.text or "/var/lib/{" in word.text for word in words):
            return True
        if step.package is not None and step.package.manager == "apt" and step.package.has("--option", "--config-file"):
            return True
        if step.command.basename in ("apt-get", "apt") and any(w.value in ("distclean", "dist-clean") for w in words):
            return True
    return False


def _removal(target: Target, stage: Stage, run: Run, commands: Commands, update: Step) -> Finding:
    """The lists that a RUN leaves behind its installations."""
    at = commands.span(update.command)
    message = "`apt-get update` leaves the package lists in the layer"
    reader = reader_below(target.facts, stage, run)
    if reader is not None:
        return Refusal(at, message, f"line {reader.node.start_line} needs the lists: {reader.why}")
    elsewhere = reader_elsewhere(target, stage, run)
    if elsewhere is not None:
        return Refusal(at, message, f"{elsewhere[0]} needs the lists: {elsewhere[1]}")
    if _is_alt(stage):
        return Refusal(at, message, "`apt-get update` of ALT Linux fails without `/var/lib/apt/lists/partial`")
    if run.heredocs:
        return Refusal(at, message, "a heredoc goes on after a failure, so that a command at its end would hide it")
    wrappers = [word.text for word in update.package.wrappers] if update.package is not None else []
    if update.depth or any(word in _AS_ROOT for word in wrappers):
        return Refusal(at, message, "another user runs `apt-get`, who alone may remove the lists")
    try:
        operator = append_operator(commands)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    sudo = "sudo " if "sudo" in wrappers else ""
    new = f"{sudo}rm -rf {LISTS}/*"
    edits = editing.append_commands(target.dockerfile, (run,), (new,), operator)
    review = _review(target, stage, run, limited=bool(sudo))
    safety = Safety.UNSAFE if review else Safety.SAFE
    return Fix(at, message, edits, safety, f"append `{new}`", review)


def _review(target: Target, stage: Stage, run: Run, *, limited: bool) -> str:
    """What to check if nothing is known to need the lists; empty if nothing can."""
    caller = caller_below(target.facts, stage, run)
    where = f"line {caller.start_line}" if caller is not None else caller_elsewhere(target, stage, run)
    if where is not None and isinstance(caller, Run | Onbuild | None):
        return f"check that what {where} runs does not install packages without `apt-get update`"
    if where is not None:
        return f"check that the package lists which {where} copies are not needed"
    if limited and target.facts.state(run).is_root != Known(True):
        return "check that `sudo` may run `rm`, not only `apt-get`"
    return ""


def _is_alt(stage: Stage) -> bool:
    parts = (known(stage.base_ref) or "").partition("@")[0].partition(":")[0].split("/")
    return "alt" in parts or any(part.startswith(("altlinux", "registry.altlinux")) for part in parts)


def _alone(
    target: Target, stage: Stage, run: Run, updates: Sequence[Step], after: Instruction | None
) -> Iterator[Finding]:
    """`apt-get update` in a RUN without an installation: it is cached, and later ones install from old lists."""
    commands = target.facts.commands(run)
    at = commands.span(updates[0].command)
    reader = reader_below(target.facts, stage, run)
    if reader is None:
        if caller_below(target.facts, stage, run) is None and reader_elsewhere(target, stage, run) is None:
            message = "`apt-get update` leaves the package lists in the layer, and nothing installs from them"
            yield Advice(at, message, help="remove it, or remove the lists in the same `RUN`")
        return
    if not (reader.installs or reader.node is after):
        return
    message = f"`apt-get update` is cached apart from line {reader.node.start_line}, which then installs from old lists"
    if reader.node is not after or not isinstance(after, Run) or len(commands.steps) != len(updates):
        yield Advice(at, message, help="run it where packages are installed")
        return
    later = target.facts.commands(after)
    if not any(
        _is(step, each) and step.package is not None and not installs_files(step.package)
        for step in later.packages
        for each in _FETCHING
    ):
        return
    try:
        if run.flags or after.flags:
            raise Refused("the RUNs have flags")
        operator = pair_operator(commands, later, target.facts.state(run).names())
        edits = editing.merge_runs(target.dockerfile, run, after, operator=operator)
    except Refused as refused:
        yield Refusal(at, message, refused.reason)
        return
    review = "check that the newer lists are meant: what is installed may have other versions"
    yield Fix(at, message, edits, Safety.UNSAFE, f"join it with line {after.start_line}", review)


CODEMOD: Final = Codemod(
    name="apt-lists",
    title="the package lists of apt stay in a layer, or are old",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("apt-get", "apt ", "aptitude"),
    hadolint=frozenset({"DL3009"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("/var/lib/apt/lists/**",),
        rationale="The same packages are installed; the lists are removed in the layer that fetches them.",
    ),
)
