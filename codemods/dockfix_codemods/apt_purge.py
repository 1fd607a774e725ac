"""Build tools that stay in the image, and purges that come too late.

## What it does

What one layer adds, a later one can hide but not take away. A purge in a later RUN than the install is moved into the
RUN that installs, by joining the two and what stands between them:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc \\
    && rm -rf /var/lib/apt/lists/*
RUN pip install uwsgi
RUN apt-get purge -y --auto-remove gcc
```

becomes

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc \\
    && rm -rf /var/lib/apt/lists/* \\
    && pip install uwsgi \\
    && apt-get purge -y --auto-remove gcc
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

from dockfix.api import (
    FAMILIES,
    Action,
    Advice,
    Category,
    Cmd,
    Codemod,
    Edit,
    Effect,
    Entrypoint,
    Finding,
    Fix,
    Healthcheck,
    Instruction,
    Onbuild,
    PackageCommand,
    Refusal,
    Run,
    Safety,
    Severity,
    ShellContext,
    Span,
    Stage,
    Step,
    Target,
    behind,
    build_only,
    builds,
    is_compiler,
    is_header_package,
    join_all,
    known,
    package_names,
    runtime_library,
    surgery,
    virtual_name,
)

_REMOVALS: Final = (Action.REMOVE, Action.PURGE)
_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_WHY: Final = "packages leave no trace only if one RUN installs, uses and removes them"
_APART: Final = "build in a stage of its own and COPY the result"


@dataclass(frozen=True, slots=True)
class _Use:
    """A command that installs or removes packages of the system. `index` is that of its RUN in the stage."""

    run: Run
    index: int
    step: Step
    package: PackageCommand
    at: Span
    names: tuple[str, ...]

    @property
    def installs(self) -> bool:
        return self.package.action is Action.INSTALL

    @property
    def leftovers(self) -> tuple[str, ...]:
        """What only builds need of the packages that it certainly installs."""
        if self.step.command.context is not ShellContext.NONE or self.step.depth or self.package.wrappers:
            return ()
        family = FAMILIES[self.package.manager]
        return tuple(name for name in self.names if build_only(name, family) and "$" not in name)


def rewrite(target: Target) -> Iterator[Finding]:
    """Judge each stage by what it installs, what it removes, and where its files end up."""
    graph = target.facts.graph
    for stage in graph.stages:
        uses = list(_uses(target, stage))
        if not graph.in_image(stage):
            if graph.copied_from(stage):
                yield from _builder(stage, uses)
            continue
        late = [finding for use in uses if not use.installs for finding in _late(target, stage, use, uses)]
        yield from late or _unpurged(target, stage, uses)


def _uses(target: Target, stage: Stage) -> Iterator[_Use]:
    for index, run in enumerate(stage.instructions):
        if isinstance(run, Run):
            commands = target.facts.commands(run)
            for step in commands.packages:
                package = step.package
                if package and package.manager in FAMILIES and package.action in (Action.INSTALL, *_REMOVALS):
                    yield _Use(run, index, step, package, commands.span(step.command), package_names(package))


def _builder(stage: Stage, uses: Sequence[_Use]) -> Iterator[Finding]:
    installed = [use for use in uses if use.installs and any(is_compiler(name) for name in use.leftovers)]
    if installed:
        at = next((use.at for use in uses if not use.installs), installed[0].at)
        message = f"the stage {stage.name or stage.index} keeps {_list(installed[0].leftovers)}"
        yield Refusal(at, message, "only files are copied out of this stage: a purge changes nothing in the image")


def _late(target: Target, stage: Stage, removal: _Use, uses: Sequence[_Use]) -> Iterator[Finding]:
    """A removal of what an earlier RUN installs."""
    here = {name for use in uses if use.installs and use.index == removal.index for name in use.names}
    wanted = [name for name in removal.names if name not in here]
    givers = [use for use in uses if use.installs and use.index < removal.index and set(wanted) & set(use.names)]
    if not givers:
        for parent in target.facts.graph.chain(stage)[1:]:
            if any(use.installs and set(wanted) & set(use.names) for use in _uses(target, parent)):
                message = f"the removal of {_list(wanted)} comes too late: the layers of the stage"
                yield Advice(removal.at, f"{message} {parent.name or parent.index} keep what they installed; {_APART}")
        return
    first = givers[0]
    wanted = [name for name in wanted if any(name in use.names for use in givers)]
    line = first.run.start_line
    message = f"the removal of {_list(wanted)} comes too late: the layer of line {line} keeps what it installed"
    between = stage.instructions[first.index : removal.index + 1]
    runs = [node for node in between if isinstance(node, Run)]
    if len(runs) < len(between):
        other = next(node for node in between if not isinstance(node, Run))
        yield Advice(removal.at, f"{message} ({other.name} on line {other.start_line} stands between); {_APART}")
        return
    merged = _merged(target, runs)
    if isinstance(merged, str):
        yield Refusal(removal.at, message, merged)
        return
    lines = f"lines {runs[0].start_line} to {runs[-1].end_line}"
    look_at = f"that {lines} may be one layer, rebuilt together"
    yield Fix(removal.at, message, merged, Safety.UNSAFE, _WHY, look_at)


def _merged(target: Target, runs: Sequence[Run], *more: str) -> tuple[Edit, ...] | str:
    """The edits that join RUNs to one, with commands behind them, or why that cannot be done."""
    if any(run.heredocs or run.json for run in runs):
        return "a heredoc or exec form cannot be joined with `&&`"
    flags = {tuple(flag.word.text for flag in run.flags) for run in runs[1:]} - {()}
    own = tuple(flag.word.text for flag in runs[0].flags)
    if flags - {own} or (len(runs) > 1 and any(not flag.startswith("--mount=type=cache,") for flag in own)):
        return "the RUNs have different flags"
    scripts = [target.facts.commands(run) for run in runs]
    end = behind(scripts[-1])
    joint = join_all(scripts, target.facts.state(runs[0]).names()) if len(runs) > 1 else end
    if joint.why or (more and end.why):
        return joint.why or end.why
    edits = surgery.merge_runs(target.dockerfile, *runs, operator=joint.operator) if len(runs) > 1 else ()
    if edits is None:
        return "a comment or a pragma stands in the way"
    return (*edits, *surgery.append_commands(target.dockerfile, runs, more, end.operator)) if more else edits


def _unpurged(target: Target, stage: Stage, uses: Sequence[_Use]) -> Iterator[Finding]:
    """Packages that only builds need and that nothing removes."""
    removed = {name for use in uses if not use.installs for name in use.names}
    left = [use for use in uses if use.installs and use.leftovers and not removed & {*use.names}]
    left = list(dropwhile(lambda use: not any(is_compiler(name) for name in use.leftovers), left))
    if not left or _cleans_up(target, stage, removed):
        return
    first, instructions = left[0], stage.instructions
    users = [at for at, node in enumerate(instructions) if at >= first.index and _builds(target, node, first) is True]
    command = _command(target)
    if not users or command is None or command == "":
        return
    message = f"the image keeps {_list(first.leftovers)}"
    runs = list(_adjacent(target, instructions, first, users, {use.index for use in uses if use.installs}))
    adjacent = [at for at in users if at < first.index + len(runs)]
    if len(adjacent) < len(users) or first.package.manager not in ("apt", "apk") or stage.base is None:
        line = instructions[users[-1]].start_line
        yield Advice(first.at, f"{message}, which nothing below line {line} builds with; {_APART}")
        return
    reason = _used_later(target, stage, first.index + len(runs))
    removal = _removal(target, stage, runs, [use for use in left if use.run in runs], uses)
    merged = reason or (removal if isinstance(removal, str) else _merged(target, runs, *removal.commands))
    if isinstance(merged, str) or isinstance(removal, str):
        yield Refusal(first.at, message, str(merged))
        return
    look_at = f"that {command} and what it starts need none of {_list(removal.names)}{removal.remark}"
    message = f"the image keeps {_list(removal.names)}"
    yield Fix(first.at, message, (*removal.edits, *merged), Safety.UNSAFE, _WHY, look_at)


def _adjacent(
    target: Target, instructions: Sequence[Instruction], first: _Use, users: Sequence[int], installs: set[int]
) -> Iterator[Run]:
    """The RUNs from the first install to the last adjacent one that builds; others that install may be among them."""
    end = last = first.index
    while end < len(instructions) and isinstance(node := instructions[end], Run):
        if end not in installs and _builds(target, node, first) is False:
            break
        last = end if end in users else last
        end += 1
    yield from (node for node in instructions[first.index : last + 1] if isinstance(node, Run))


def _cleans_up(target: Target, stage: Stage, removed: set[str]) -> bool:
    """Whether packages go in a way that no names tell (`apt-mark auto`, a variable), or compilers are there anyway."""
    commands = [target.facts.commands(node) for node in stage.instructions if isinstance(node, Run)]
    marked = any(step.command.values()[:2] == ("apt-mark", "auto") for each in commands for step in each.steps)
    return marked or any("$" in name for name in removed) or bool(stage.base and stage.base.tools & {"gcc", "make"})


def _called(target: Target, runs: Sequence[Run]) -> frozenset[str]:
    """The programs that RUNs call by name, and git where pip or go fetch with it."""
    steps = [step for run in runs for step in target.facts.commands(run).steps]
    fetching = any("git+" in word.text for step in steps for word in step.command.words)
    fetching = fetching or any(step.package and step.package.manager == "go" for step in steps)
    return frozenset(step.command.basename or "" for step in steps) | ({"git"} if fetching else set())


@dataclass(frozen=True, slots=True)
class _Removal:
    """What is put behind the RUNs: the commands, an edit that gives the packages a virtual name, what to look at."""

    names: tuple[str, ...]
    commands: tuple[str, ...]
    edits: tuple[Edit, ...]
    remark: str


def _removal(
    target: Target, stage: Stage, runs: Sequence[Run], installs: Sequence[_Use], uses: Sequence[_Use]
) -> _Removal | str:
    """How the leftovers of some installs are removed without taking libraries along, or why they cannot be."""
    first, image = installs[0], known(stage.base_ref) or ""
    family = stage.base.family if stage.base else ""
    idle = {"git", "patch"} - _called(target, runs)
    names = tuple(dict.fromkeys(name for use in installs for name in use.leftovers if name not in idle))
    libraries = {name: runtime_library(name, family, image) for name in names}
    unknown = [name for name in names if is_header_package(name) and libraries[name] is None]
    if unknown:
        names = tuple(name for name in names if not is_header_package(name))
    virtuals = {virtual for use in installs if (virtual := virtual_name(use.package))}
    whole = [name for use in installs for name in use.names if name not in names and name not in virtuals]
    if not names or (whole and virtuals):
        return f"which libraries go with {_list(unknown or whole)} is not known"
    there = {name for use in uses if use.installs for name in use.names}
    kept = tuple(sorted({library for name in names if (library := libraries[name])} - there))
    remark = "; that no other library that came with them is needed" + (f" ({_list(kept)} kept)" if kept else "")
    remark += f"; that {_list(unknown)} may stay, whose libraries are not known" if unknown else ""
    program = first.package.executable.text
    if first.package.manager == "apt":
        keep = (f"apt-mark manual {' '.join(kept)}",) if kept else ()
        return _Removal(names, (*keep, f"{program} purge -y --auto-remove {' '.join(names)}"), (), remark)
    keep = (f"{program} add --no-cache {' '.join(kept)}",) if kept else ()
    virtual = ".build-deps"
    if virtuals or whole or len(installs) > 1 or virtual in there:
        gone = sorted(virtuals) if virtuals and len(virtuals) == len(installs) else names
        return _Removal(names, (*keep, f"{program} del {' '.join(gone)}"), (), remark)
    ahead = max(word.end for word in first.package.words if word.end < first.package.packages[0].start)
    edit = surgery.insert_after(target.facts.commands(first.run).text, ahead, f" --virtual {virtual}")
    return _Removal(names, (*keep, f"{program} del {virtual}"), (edit,), remark)


def _builds(target: Target, node: Instruction, install: _Use) -> bool | None:
    """Whether a RUN builds with what is installed; None if that cannot be known."""
    if not isinstance(node, Run):
        return False
    commands = target.facts.commands(node)
    start = install.step.command.end if node is install.run else 0
    found = [builds(step) for step in commands.steps if step.command.start >= start]
    return True if True in found else None if None in found or commands.script is None else False


def _command(target: Target) -> str | None:
    """The program that a container of the image runs; None if there is none but a shell, or it is a build tool."""
    final = target.facts.final
    chain = target.facts.graph.chain(final) if final else ()
    for node in (node for stage in chain for node in reversed(stage.instructions)):
        if isinstance(node, Cmd | Entrypoint):
            steps = target.facts.commands(node).steps
            name = steps[-1].command.basename if steps else None
            return None if name is None or (name in _SHELLS and len(steps) == 1) else name
    return None


def _starts(step: Step) -> bool:
    """Whether a command only runs a script of package.json, as containers do."""
    return step.package is not None and step.package.manager in ("npm", "yarn", "pnpm") and not step.package.packages


def _used_later(target: Target, stage: Stage, end: int) -> str:
    """Why what is installed may still be needed behind the RUNs, which end at `end`; empty if nothing speaks for it."""
    for at, node in enumerate(stage.instructions):
        if isinstance(node, Run) and at < end:
            continue
        if isinstance(node, Onbuild):
            return f"the ONBUILD on line {node.start_line} may need them"
        if isinstance(node, Run | Cmd | Entrypoint | Healthcheck):
            steps = target.facts.commands(node).steps
            found = [builds(step) for step in steps if isinstance(node, Run) or not _starts(step)]
            if True in found or (isinstance(node, Run) and None in found):
                return f"the {node.name} on line {node.start_line} may need them"
    for each in target.facts.graph.descendants(stage):
        if any(isinstance(node, Run | Cmd | Entrypoint | Healthcheck) for node in each.instructions):
            return f"the stage {each.name or each.index} is built on this one"
    return ""


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


CODEMOD: Final = Codemod(
    name="apt-purge",
    title="build tools stay in the image, or are purged too late",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS, Effect.MOUNTS}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("apt", "apk", "dnf", "yum"),
    page=__doc__,
    findings=("api 2", "base-ml 1"),
)
