"""A COPY precedes an install that does not use it.

## What it does

Finds COPYs before an install that does not read the copied files, and moves them directly after it. Splits a COPY if
only some of its sources can move.

Splits a `COPY . .` before an install that reads manifests (`npm ci`, `pip install -r`, `go mod download`): a COPY of
the manifests stays, and the `COPY . .` moves after the install. Manifests of workspaces (npm, Yarn, pnpm, uv, Go,
Cargo), of Go modules in replaced folders and of Maven modules are copied to their places too, with one line for each
folder, up to eight.

## Why is this bad?

A change to a copied file makes BuildKit rerun all later RUNs. If the files are copied after the install, a change to
the README or to the code downloads nothing.

## Example

```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum README.md ./
RUN go mod download
```

Use instead:

```dockerfile
FROM golang:1.25
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY README.md ./
```

## Fix safety

A move is safe if no build that succeeds today can fail afterwards. The COPY itself does the same at its new place: it
stays in its stage, and no ARG, ENV, WORKDIR or other COPY in between changes what it means. The RUNs in between do the
same because nothing in them finds the files. All of these must hold:

- No command in between names the files or a folder that contains them. All commands are known to read only what they
  name, their own configuration and manifests.
- The files are in a folder of the project (`/app`, `/srv/shop`, `/usr/src/app`): not below a folder of the system or of
  tools, on no search path, in no home directory. Files in the working directory of an install, or above it, have names
  that no tool looks for (such as `.nvmrc`, `package.json`).
- The base image is a Docker Official Image, which knows no folder of the project.
- No earlier ENV, ARG, SHELL or RUN names the files or a folder that contains them
  (`NODE_OPTIONS=--require /hooks/x.js`); an ARG that may receive a path counts.
- No file with unknown content can be configuration: other copied files are in folders of the project too and are not
  named like configuration (not `pip.conf` to `/etc`), no mount provides secrets or files, nothing is downloaded to
  `/etc` and similar, and all earlier RUNs are understood.
- Folders exist as before, with the same owners: no account whose home directory contains the files is created in
  between. A WORKDIR or `mkdir` that now creates a folder first does it as the COPY would, for root and with mode 755.

Otherwise the move is unsafe, and the review names the path and what may use it. dockfix does not move files that
something is known to use: requirements files next to one that cannot be read, manifests of modules, files in a home
directory before the `useradd` that creates it.

Splitting a `COPY . .` is unsafe: an install may run scripts of dependencies that read anything.

## When it does not apply

- Files that the install reads: its manifests and configuration. `uv` reads pyproject.toml, uv.toml and .python-version
  even if it installs named packages.
- An install after one that already installed the dependencies: `uv sync --no-install-project`, `COPY . .`, `uv sync`.
- Installs of the project itself: the build backend reads the sources, and the README that `readme` names (hatchling
  fails with `OSError: Readme file does not exist`).
- `COPY . .` if the context is unknown; if the project or one of its workspaces has lifecycle scripts, programs of its
  own (`bin`), the Prisma client or dependencies in folders; or if `.dockerignore` does not exclude the host's
  node_modules, which would then overwrite the installed one.
- `COPY . .` before `cargo fetch` if Cargo finds a target by its path (src/main.rs): it fails if the file is missing.
- `COPY . .` before `conda env create` if the environment file takes packages from folders. Requirements files that it
  passes to pip are copied with it.
- COPY with `--from`, `--parents`, `--exclude` or a heredoc; destinations such as /etc and /usr/lib.
- RUNs with unknown commands, which may read any file.
- A stage with more than 250 instructions, or more than 80 COPYs, ADDs and RUNs.

## References

- https://docs.docker.com/build/cache/optimize/#order-your-layers
- https://docs.astral.sh/uv/concepts/configuration-files/
- https://docs.npmjs.com/cli/v11/using-npm/scripts
- https://pnpm.io/pnpm-workspace_yaml and https://go.dev/ref/mod#workspaces
- https://pip.pypa.io/en/stable/reference/requirements-file-format/
- https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
- Folders that packages use: Debian policy 9.1 and the Filesystem Hierarchy Standard 3.0
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.edit.dockerfile import move_all_below
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, Fix, Promise, Safety, Severity
from dockfix.syntax.tree import Add, Copy, Run, Word
from dockfix_codemods.copy_order.file_use import file_use
from dockfix_codemods.copy_order.readme import readme_refusals
from dockfix_codemods.copy_order.reorder import is_plain, reorderable_below
from dockfix_codemods.copy_order.whole_context import split_whole_contexts

if TYPE_CHECKING:
    from dockfix_codemods.copy_order.reorder import ReorderableCopy


_MOST: Final = 250
"""A stage with more instructions is not searched: each COPY is compared with all that it would move past."""
_MOST_STEPS: Final = 80
"""Nor is one with more COPYs, ADDs and RUNs, which may need more passes than there are."""


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage, the files that are copied before an install."""
    for stage in target.facts.graph.stages:
        if _is_small(stage) and any(is_plain(node) for node in stage.instructions):
            yield from _moves(target, stage)
            yield from split_whole_contexts(target, stage)
            yield from readme_refusals(target, stage)


def _is_small(stage: Stage) -> bool:
    steps = sum(isinstance(node, Copy | Add | Run) for node in stage.instructions)
    return len(stage.instructions) <= _MOST and steps <= _MOST_STEPS


def _moves(target: Target, stage: Stage) -> Iterator[Fix]:
    """Sources that can move below the last install that does not use them: safe moves first, then those to review."""
    claimed: frozenset[int] = frozenset()
    for index, run in reversed(list(enumerate(stage.instructions))):
        if not isinstance(run, Run) or not file_use(target.facts, run).installer:
            continue
        for with_caveats in (False, True):
            copies = reorderable_below(target, stage.instructions, index, with_caveats=with_caveats, claimed=claimed)
            if copies:
                yield _move(target, run, copies)
                claimed |= {word.span.start for each in copies for word in each.words or each.copy.sources}


def _move(target: Target, run: Run, copies: Sequence[ReorderableCopy]) -> Fix:
    names = [_shown(word) for each in copies for word in each.words or each.copy.sources]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    them = "it" if len(names) == 1 else "them"
    caveats = tuple(dict.fromkeys(caveat for each in copies for caveat in each.caveats))
    first = copies[0]
    return Fix(
        first.words[0].span if first.words else first.copy.span,
        f"a change to {listed} reruns the install on line {run.start_line}, which does not use {them}",
        move_all_below(target.dockerfile, [(each.copy, each.words) for each in copies], run),
        Safety.UNSAFE if caveats else Safety.SAFE,
        f"copy {them} after the install",
        "; ".join(caveats),
    )


def _shown(source: Word) -> str:
    return "the build context" if source.text in (".", "./") else f"`{source.text}`"


CODEMOD: Final = Codemod(
    name="copy-order",
    title="a COPY precedes an install that does not use it",
    severity=Severity.WARNING,
    category=Category.CACHE,
    effects=frozenset({Effect.ORDER, Effect.STEPS, Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("copy ", "copy\t"),
    findings=("api 4",),
    promise=Promise(
        claims=frozenset({Claim.SOURCE_EDIT}),
        rationale="The same files are copied to the same places, and the install in between does not read them.",
    ),
)
