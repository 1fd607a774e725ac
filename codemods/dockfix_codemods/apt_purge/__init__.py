"""Build tools that stay in the image, and purges that come too late.

## What it does

What one layer adds, a later one can hide but not take away. A purge in a later RUN than the install is moved into the
RUN that installs, by joining the two and what stands between them:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \\
    && rm -rf /var/lib/apt/lists/*
RUN pip install uwsgi
RUN apt-get purge -y --auto-remove gcc libc6-dev
```

becomes

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \\
    && rm -rf /var/lib/apt/lists/* \\
    && pip install uwsgi \\
    && apt-get purge -y --auto-remove gcc libc6-dev
```

Compilers, headers and git that only the adjacent RUNs need, and that nothing purges, are purged in the same way. The
libraries that headers belong to are kept with `apt-mark manual`: `libpq-dev` takes `libpq5` along, and psycopg2 breaks.
On Alpine the packages get a virtual name, which `apk del` then takes away. Where install and use stand apart, the
advice is a stage of its own for the build.

## Why

Measured: 176.5 MB with the purge in a later RUN, 113.6 MB with it in the RUN that installs; for gcc alone 119.5 MB
and 32.6 MB.

## Safety

Unsafe: whether something in the container needs a compiler or git at run time, or a library that went with a purged
package, is for a person to see. RUNs that are joined are rebuilt together.

## What it leaves alone

- A stage of which only files are copied out: a purge there changes nothing in the image.
- Tools that CMD, ENTRYPOINT, HEALTHCHECK, a later RUN, an ONBUILD or a stage built on this one may use.
- RUNs that are not the same in one shell as in two: a `cd`, an `export`, `||`, other shells, flags or heredocs.
- Headers whose library dockfix does not know: they stay installed.
- Images without a command of their own (bases, tool boxes), and bases that come with compilers.
- Packages of dnf and yum that nothing removes: `dnf remove` takes libraries along.

## Sources

- https://docs.docker.com/build/building/best-practices/#run
- apt-get(8), apt-mark(8); https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper (virtual packages)
- Sizes: measured with BuildKit
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.stages import Stage
from dockfix.facts.toolchain import is_compiler
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.apt_purge import analysis as buildtools
from dockfix_codemods.apt_purge import edits as run_surgery

PackageUse = buildtools.PackageUse
_listed = buildtools.listed

_WHY: Final = "packages leave no trace only if one RUN installs, uses and removes them"
_APART: Final = "build in a stage of its own and COPY the result"


def check(target: Target) -> Iterator[Finding]:
    """Judge each stage by what it installs, what it removes, and where its files end up."""
    graph = target.facts.graph
    for stage in graph.stages:
        uses = list(buildtools.package_uses(target.facts, stage))
        if not graph.in_image(stage):
            if graph.copied_from(stage):
                yield from _builder(stage, uses)
            continue
        late = [found for use in uses if not use.installs for found in _late(target, stage, use, uses)]
        yield from (found for found in late if isinstance(found, Advice))
        for group in _overlapping([found for found in late if isinstance(found, _Late)]):
            yield from _joined(target, stage, group)
        if not late:
            yield from _unpurged(target, stage, uses)


def _builder(stage: Stage, uses: Sequence[PackageUse]) -> Iterator[Finding]:
    installed = [use for use in uses if use.installs and any(is_compiler(name) for name in use.leftovers)]
    if installed:
        at = next((use.at for use in uses if not use.installs), installed[0].at)
        message = f"the stage {stage.name or stage.index} keeps {_listed(installed[0].leftovers)}"
        yield Refusal(at, message, "only files are copied out of this stage: a purge changes nothing in the image")


@dataclass(frozen=True, slots=True)
class _Late:
    """A removal of what an earlier RUN installs, and the RUNs from that one to its own, by their index."""

    removal: PackageUse
    wanted: tuple[str, ...]
    start: int
    end: int


def _late(target: Target, stage: Stage, removal: PackageUse, uses: Sequence[PackageUse]) -> Iterator[Advice | _Late]:
    """A removal of what an earlier RUN installs."""
    here = {name for use in uses if use.installs and use.index == removal.index for name in use.names}
    wanted = [name for name in removal.names if name not in here]
    providers = [use for use in uses if use.installs and use.index < removal.index and set(wanted) & set(use.names)]
    if not providers:
        for parent in target.facts.graph.chain(stage)[1:]:
            if any(
                use.installs and set(wanted) & set(use.names) for use in buildtools.package_uses(target.facts, parent)
            ):
                message = f"the removal of {_listed(wanted)} comes too late: the layers of the stage"
                yield Advice(removal.at, f"{message} {parent.name or parent.index} keep what they installed; {_APART}")
        return
    first = providers[0]
    wanted = [name for name in wanted if any(name in use.names for use in providers)]
    between = stage.instructions[first.index : removal.index + 1]
    other = next((node for node in between if not isinstance(node, Run)), None)
    if other is not None:
        message = _too_late(wanted, first.run.start_line)
        yield Advice(removal.at, f"{message} ({other.name} on line {other.start_line} stands between); {_APART}")
        return
    yield _Late(removal, tuple(wanted), first.index, removal.index)


def _too_late(wanted: Sequence[str], line: int) -> str:
    return f"the removal of {_listed(wanted)} comes too late: the layer of line {line} keeps what it installed"


def _overlapping(late: Sequence[_Late]) -> Iterator[list[_Late]]:
    """Removals whose RUNs are joined in one fix, because they share some."""
    group: list[_Late] = []
    for each in sorted(late, key=lambda found: (found.start, found.end)):
        if group and each.start > max(other.end for other in group):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _joined(target: Target, stage: Stage, group: Sequence[_Late]) -> Iterator[Finding]:
    """Join the RUNs of a group to one; if that cannot be, those of each removal."""
    end = max(each.end for each in group)
    runs = [node for node in stage.instructions[group[0].start : end + 1] if isinstance(node, Run)]
    message = _too_late(tuple(dict.fromkeys(name for each in group for name in each.wanted)), runs[0].start_line)
    at = group[0].removal.at
    merged = run_surgery.join_runs(target.facts, runs)
    if isinstance(merged, str) and len(group) > 1:
        for each in group:
            yield from _joined(target, stage, [each])
    elif isinstance(merged, str):
        yield Refusal(at, message, merged)
    else:
        lines = f"lines {runs[0].start_line} to {runs[-1].end_line}"
        yield Fix(at, message, merged, Safety.UNSAFE, _WHY, f"that {lines} may be one layer, rebuilt together")


def _unpurged(target: Target, stage: Stage, uses: Sequence[PackageUse]) -> Iterator[Finding]:
    """Packages that only builds need and that nothing removes."""
    removed = {name for use in uses if not use.installs for name in use.names}
    left = [use for use in uses if use.installs and use.leftovers and not removed & {*use.names}]
    left = list(dropwhile(lambda use: not any(is_compiler(name) for name in use.leftovers), left))
    if not left or buildtools.removed_unseen(target.facts, stage, removed):
        return
    first, instructions = left[0], stage.instructions
    users = [
        at
        for at, node in enumerate(instructions)
        if at >= first.index and buildtools.builds_with(target.facts, node, first) is True
    ]
    command = buildtools.main_program(target.facts)
    if not users or command is None or command == "":
        return
    message = f"the image keeps {_listed(first.leftovers)}"
    runs = list(
        buildtools.adjacent_builds(
            target.facts, instructions, first, users, {use.index for use in uses if use.installs}
        )
    )
    adjacent = [at for at in users if at < first.index + len(runs)]
    if len(adjacent) < len(users) or first.package.manager not in ("apt", "apk") or stage.base is None:
        line = instructions[users[-1]].start_line
        yield Advice(first.at, f"{message}, which nothing below line {line} builds with; {_APART}")
        return
    reason = buildtools.needed_later(target.facts, stage, first.index + len(runs))
    removal = buildtools.removal_of(target.facts, stage, runs, [use for use in left if use.run in runs], uses)
    merged = reason or (
        removal if isinstance(removal, str) else run_surgery.join_runs(target.facts, runs, *removal.commands)
    )
    if isinstance(merged, str) or isinstance(removal, str):
        yield Refusal(first.at, message, str(merged))
        return
    review = f"that {command} and what it starts need none of {_listed(removal.names)}{removal.remark}"
    message = f"the image keeps {_listed(removal.names)}"
    yield Fix(first.at, message, (*_naming(target, first, removal.virtual), *merged), Safety.UNSAFE, _WHY, review)


def _naming(target: Target, install: PackageUse, virtual: str) -> tuple[Edit, ...]:
    """What gives the packages of an `apk add` a name, by which they are removed."""
    if not virtual:
        return ()
    ahead = max(word.end for word in install.package.words if word.end < install.package.packages[0].start)
    return (surgery.insert_text_after(target.facts.commands(install.run).text, ahead, f" --virtual {virtual}"),)


CODEMOD: Final = Codemod(
    name="apt-purge",
    title="build tools stay in the image, or are purged too late",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS, Effect.MOUNTS}),
    check=check,
    since="0.1.0",
    triggers=("apt", "apk", "dnf", "yum"),
    page=__doc__,
    findings=("api 2", "base-ml 1"),
)
