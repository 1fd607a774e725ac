"""A COPY that stands above an install which does not read it.

## What it does

Sources that are copied above an expensive install and not read by it move directly below it; a COPY is split where
only some of its sources move:

```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum README.md ./
RUN go mod download
```

becomes

```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY README.md ./
```

A `COPY . .` above an install that reads manifests (`npm ci`, `pip install -r`, `go mod download`) is parted into a COPY
of the manifests, which stays, and the `COPY . .`, which moves below. The manifests of workspaces (npm, Yarn, pnpm, uv,
Go, Cargo), of Go modules in replaced folders and of Maven modules are copied to their places too, with a line for each
folder, if there are at most eight.

## Why

Every edit of a copied file makes BuildKit run all later RUNs again. Below the install, an edit of the README or of the
code costs a COPY and no download.

## Safety

Safe where no build that succeeds today can fail afterwards. A moved COPY itself does the same: it stays in its stage,
and no ARG, ENV, WORKDIR or other COPY in between changes what it means. What it crosses runs the same because nothing
there finds the files, shown by all of these:

- No command that is crossed names the files or a folder that they are in, and all of them are known commands that read
  no more than they name, their own configuration and manifests.
- The files lie in a folder of the project's (`/app`, `/srv/shop`, `/usr/src/app`): below no folder of the system or of
  tools, on no search path, in no home; and their names, where they lie in the directory of an install or above it, are
  none that tools look for (`.nvmrc`, `package.json`).
- The base image is one of Docker's official ones, which know no folder of the project.
- No ENV, ARG, SHELL or RUN above names the files or a folder that they are in (`NODE_OPTIONS=--require /hooks/x.js`);
  an ARG that may be given a path counts.
- No file whose content is not known may be configuration: copied files lie in the project's folders too and have no
  name of configuration (not `pip.conf` to `/etc`), no mount brings secrets or files, nothing is fetched to `/etc` or
  the like, and what the RUNs above do is known.
- The folders exist as before, with the same owners: no account whose home they are in is made in between, and a WORKDIR
  or `mkdir` that then makes a folder first makes it as the COPY would, for root and with mode 755.

What falls short of that is unsafe, with the path and what may use it to look at. What is known to use the files is not
moved at all: lists of requirements beside one that cannot be read, manifests of modules, files in a home above the
`useradd` that makes it.

Parting a `COPY . .` is unsafe: an install may run scripts of dependencies that read anything.

## What it leaves alone

- What the install reads: its manifests and configuration. `uv` reads pyproject.toml, uv.toml and .python-version even
  where it installs named packages.
- An install behind one that has brought the dependencies: `uv sync --no-install-project`, `COPY . .`, `uv sync`.
- Installs of the project itself: the build backend reads the README that `readme` names (hatchling fails with
  `OSError: Readme file does not exist`) and the sources.
- `COPY . .` if the context is unknown, the project or one of its workspaces has lifecycle scripts, programs of its own
  (`bin`), Prisma's client or dependencies in folders, or `.dockerignore` lets the host's node_modules in, which would
  then end up on top of the installed one.
- `COPY . .` above `cargo fetch` if Cargo finds a target by its place (src/main.rs): it fails where that is missing.
- `COPY . .` above `conda env create` if the environment file takes packages from folders. Lists that it has pip read
  are copied with it.
- COPY with `--from`, `--parents`, `--exclude` or a heredoc; destinations such as /etc and /usr/lib.
- RUNs with commands that are not known: what they read is not known either.

## Sources

- https://docs.docker.com/build/cache/optimize/#order-your-layers
- https://docs.astral.sh/uv/concepts/configuration-files/
- https://docs.npmjs.com/cli/v11/using-npm/scripts
- https://pnpm.io/pnpm-workspace_yaml and https://go.dev/ref/mod#workspaces
- https://pip.pypa.io/en/stable/reference/requirements-file-format/
- https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
- Debian policy 9.1 and the Filesystem Hierarchy Standard 3.0, on which folders packages use
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.io import file_use
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.context import Context
from dockfix.project.installs import builds_project, install_needs
from dockfix.project.manifests import pyproject_facts
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Add, Copy, Instruction, Onbuild, Run, Volume, Word, Workdir
from dockfix_codemods.copy_order.reorder import destination_of, reorderable_below, uses_area
from dockfix_codemods.copy_order.reorder import is_plain as is_plain_copy

if TYPE_CHECKING:
    from dockfix.facts.io import Area
    from dockfix.facts.packages import PackageCommand
    from dockfix_codemods.copy_order.reorder import ReorderableCopy


def check(target: Target) -> Iterator[Finding]:
    """Look, in each stage, at what is copied above installs."""
    for stage in target.facts.graph.stages:
        if any(is_plain_copy(node) for node in stage.instructions):
            yield from _movable(target, stage)
            yield from _whole_contexts(target, stage)
            yield from _readmes(target, stage)


def _movable(target: Target, stage: Stage) -> Iterator[Finding]:
    """Sources that may stand below the last install that they can cross; shown moves first, then doubtful ones."""
    claimed: frozenset[int] = frozenset()
    for index, run in reversed(list(enumerate(stage.instructions))):
        if not isinstance(run, Run) or not file_use(target.facts, run).installer:
            continue
        for doubtful in (False, True):
            moves = reorderable_below(target, stage.instructions, index, doubtful=doubtful, claimed=claimed)
            if moves:
                yield _move(target, run, moves)
                claimed |= {word.span.start for move in moves for word in move.words or move.copy.sources}


def _move(target: Target, run: Run, moves: Sequence[ReorderableCopy]) -> Fix:
    names = [word.text for move in moves for word in move.words or move.copy.sources]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    caveats = tuple(dict.fromkeys(doubt for move in moves for doubt in move.caveats))
    first = moves[0]
    return Fix(
        first.words[0].span if first.words else first.copy.span,
        f"{listed} copied above the install on line {run.start_line}, which does not need it",
        surgery.move_all_below(target.dockerfile, [(move.copy, move.words) for move in moves], run),
        Safety.UNSAFE if caveats else Safety.SAFE,
        "an edit of what is copied then no longer runs the install again",
        "; ".join(caveats),
    )


def _whole_contexts(target: Target, stage: Stage) -> Iterator[Finding]:
    """`COPY . .` above an install from a manifest."""
    for index, copy in enumerate(stage.instructions):
        if not isinstance(copy, Copy) or not is_plain_copy(copy) or copy.json:
            continue
        if [posixpath.normpath(word.text.lstrip("/") or ".") for word in copy.sources] != ["."]:
            continue
        area = destination_of(target, copy, copy.sources[0])
        found = _install_below(target, stage.instructions[index + 1 :], area) if area else None
        if area and found and not _is_installed(target, stage.instructions[:index], found[1]):
            yield _part(target, stage, copy, area, *found)


def _is_installed(target: Target, above: Sequence[Instruction], commands: Sequence[PackageCommand]) -> bool:
    """Whether the dependencies are there by an install above, so that the one below adds the project or prunes."""
    managers = {
        step.package.manager
        for node in above
        if isinstance(node, Run)
        for step in target.facts.commands(node).packages
        if step.package is not None and step.package.action is Action.SYNC
    }
    return all(command.manager in managers for command in commands)


def _install_below(
    target: Target, below: Sequence[Instruction], area: Area
) -> tuple[Run, tuple[PackageCommand, ...]] | None:
    """The next RUN that installs from manifests there, and does no more, if nothing before it needs what is copied."""
    for node in below:
        match node:
            case Run():
                use = file_use(target.facts, node, projects=False)
                if uses_area(use, area):
                    return None
                if use.projects:
                    there = all(folder == area.path for _, folder in use.projects)
                    return (node, tuple(command for command, _ in use.projects)) if there else None
            case Copy() | Add() | Volume() | Onbuild():
                return None
            case Workdir() if area.owner is not None or not target.facts.state(node).makes_roots_folders:
                return None
    return None


def _part(
    target: Target, stage: Stage, copy: Copy, area: Area, run: Run, commands: Sequence[PackageCommand]
) -> Finding:
    message = f"the whole context is copied above the install on line {run.start_line}; every edit runs that again"
    relative = copy.destination is not None and not copy.destination.text.startswith("/")
    if relative and target.facts.state(copy).workdir != target.facts.state(run).workdir:
        return Refusal(copy.span, message, "its destination is relative to a directory that changes")
    contexts = [target.context] if target.context else context_candidates(target.project, target.path)
    answers, reason = [], ""
    for context in contexts:
        try:
            answers.append([install_needs(command, context) for command in commands])
        except Refused as refused:
            reason = refused.reason
    if target.context is None and len(answers) != 1:
        return Refusal(copy.span, message, "the context is unknown; give --context DIR")
    if not answers:
        return Refusal(copy.span, message, reason)
    paths = dict.fromkeys(path for needs in answers[0] for path in needs.paths)
    lines = _copies(target, copy, [path for path in paths if not _is_there(target, stage, copy, area, path)])
    review = "; ".join(dict.fromkeys(needs.review for needs in answers[0]))
    if target.context is None:
        review += "; the context is taken to be the folder that holds these manifests"
    why = f"then only a change of {', '.join(paths)} runs the install again"
    edits = surgery.replace_and_move_below(target.dockerfile, copy, lines, run)
    return Fix(copy.span, message, edits, Safety.UNSAFE, why, review)


def _is_there(target: Target, stage: Stage, copy: Copy, area: Area, path: str) -> bool:
    """Whether a COPY above brings a path of the context to the same place already."""
    for node in stage.instructions:
        if node is copy:
            break
        if isinstance(node, Copy) and is_plain_copy(node):
            for word in node.sources:
                other = destination_of(target, node, word)
                if other and posixpath.normpath(word.text) == path and other.path == posixpath.join(area.path, path):
                    return True
    return False


def _copies(target: Target, copy: Copy, paths: Sequence[str]) -> list[str]:
    """COPY lines for paths of the context, in the style of `copy`: one for the files of each folder."""
    spelled = copy.destination.text if copy.destination else "."
    root = spelled if spelled.endswith("/") else f"{spelled}/"
    groups: dict[str, list[str]] = {}
    contexts: list[Context] = [target.context] if target.context else context_candidates(target.project, target.path)
    for path in paths:
        folder = path if any(context.is_dir(path) for context in contexts) else posixpath.dirname(path)
        groups.setdefault(f"{root}{folder}/" if folder else root, []).append(path)
    return [surgery.line_like(target.dockerfile, copy, (*names, place)) for place, names in groups.items()]


def _readmes(target: Target, stage: Stage) -> Iterator[Refusal]:
    """A README that seems to stand in the way of an install, and is read by it."""
    copied: list[Word] = []
    for node in stage.instructions:
        if isinstance(node, Copy) and is_plain_copy(node):
            copied += [word for word in node.sources if posixpath.basename(word.text).lower().startswith("readme")]
        elif isinstance(node, Run) and copied:
            if any(builds_project(command) for command, _ in file_use(target.facts, node).projects):
                message = f"{copied[-1].text} is copied above the install on line {node.start_line}"
                yield Refusal(copied[-1].span, message, _readme_reason(target, copied[-1].text), Severity.INFO)
            copied.clear()


def _readme_reason(target: Target, name: str) -> str:
    text = target.context.read_text("pyproject.toml") if target.context else None
    facts = pyproject_facts(text) if text is not None else None
    if facts is not None and facts.readme == name:
        return f'pyproject.toml says readme = "{name}", and the install builds the project, which reads it'
    return "the install builds the project itself, which may read it (readme in pyproject.toml)"


CODEMOD: Final = Codemod(
    name="copy-order",
    title="a COPY stands above an install that does not read it",
    severity=Severity.WARNING,
    category=Category.CACHE,
    effects=frozenset({Effect.ORDER, Effect.STEPS, Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("copy ", "copy\t"),
    page=__doc__,
    findings=("api 4",),
)
