"""`turbo prune` has arguments that it rejects, or its output is copied in a way that defeats the build cache.

## What it does

Removes `--scope`, the old way to name a workspace, where the workspace is also an argument: `turbo` rejects the
combination. Adds `--docker` where `out/json` or `out/full` is copied, which only this option creates. Reports where
both are copied before the dependencies are installed: `out/json` alone is enough for the install, which then stays
cached while only sources change.

## Why is this bad?

`turbo prune web --scope=web` ends with "the argument '[SCOPE]…' cannot be used with '--scope'". Without `--docker` the
COPY finds no `out/json`. Both builds fail. The manifests are separate from the sources for the sake of the cache;
copying both before the install makes that useless.

## Example

```dockerfile
FROM node:22-alpine AS pruned
RUN npm install -g turbo@2.3.3
WORKDIR /app
COPY . .
RUN turbo prune web --scope=web --docker
FROM node:22-alpine
COPY --from=pruned /app/out/json ./
```

Use instead:

```dockerfile
FROM node:22-alpine AS pruned
RUN npm install -g turbo@2.3.3
WORKDIR /app
COPY . .
RUN turbo prune web --docker
FROM node:22-alpine
COPY --from=pruned /app/out/json ./
```

## Fix safety

Unsafe: the version of turbo is not always in the file, and before 1.10 it has `--scope` only. A scope that names
another workspace than the arguments becomes an argument: then both are kept in the output. A scope that is a pattern
(`@shop/*`, `./apps/*`, `...web`) is removed, because an argument must be the name of a workspace: workspaces that only
the pattern names are no longer in the output.

## When it does not apply

- `--scope` alone, which still works, and a version that is known to be before 1.10.
- An output folder that is not known, and copies of other parts of it; not fixed if both layouts are copied, or if a RUN
  uses the other one.
- A stage with its install between the two copies. Whether an install script needs the sources (as Prisma's does) cannot
  be seen, so the order is advice.

## References

- https://turborepo.com/docs/reference/prune
- https://turborepo.com/docs/guides/tools/docker
- "Invalid scope. Package with name @a/* not found in `package.json`": turbo 2.11, for a pattern as an argument
- turbo 1.8.8, 1.9.9, 1.10.16 and 2.11.11, run with both spellings
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import delete_words, insert_text_after, replace
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Claim,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Run
from dockfix_codemods.turbo_prune.analysis import (
    CopiedOutput,
    Prune,
    check_layout,
    copied_output,
    is_part,
    position,
    prunes,
)

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_JAVASCRIPT: Final = frozenset(("npm", "pnpm", "yarn", "bun"))


def check(target: Target) -> Iterator[Finding]:
    """Check each `turbo prune`, and the order in which its output is copied."""
    for stage in target.facts.graph.stages:
        for prune in prunes(target.facts, stage):
            copied = copied_output(target.facts, stage, prune)
            if prune.scopes and prune.names and not prune.old:
                yield _scope(target, prune)
            if not prune.docker:
                yield from _docker(target, stage, prune, copied)
            yield from _order(target, copied)


def _scope(target: Target, prune: Prune) -> Finding:
    """`--scope` next to the name of a workspace."""
    named = {word.value or word.text for word in prune.names}
    patterns = [name for _, name in prune.scopes if _is_pattern(name)]
    renamed = {name for _, name in prune.scopes if name not in patterns and name.strip("'\"") not in named}
    kept = sorted(named | {name.strip("'\"") for name in renamed})
    names = ", ".join(f"`{name}`" for name in kept)
    review = f"check that {names} {'is' if len(kept) == 1 else 'are'} what to keep, and that turbo is 1.10 or later"
    if patterns:
        globs = ", ".join(f"`{pattern}`" for pattern in patterns)
        review += f"; check that nothing else of {globs} is needed in the output"
    at = target.facts.commands(prune.run).span(prune.scopes[0][0][0])
    message = "`turbo prune` fails: it rejects `--scope` next to the name of a workspace"
    help_ = "turn `--scope` into an argument" if renamed else "remove `--scope`"
    try:
        edits = tuple(_scope_edits(target, prune, renamed))
    except Refused as refused:
        return Refusal(at, message, refused.reason, Severity.ERROR)
    return Fix(at, message, edits, Safety.UNSAFE, help_, review, Severity.ERROR)


def _scope_edits(target: Target, prune: Prune, renamed: set[str]) -> Iterator[Edit]:
    """Replace the scopes `renamed` by their names, and delete the others."""
    text = target.facts.commands(prune.run).text
    for words, name in prune.scopes:
        start, end = words[0].start, words[-1].end
        if name in renamed:
            yield replace(text.span(start, end), name)
        else:
            yield from delete_words(target.dockerfile, prune.run, text, start, end)


def _is_pattern(scope: str) -> bool:
    """Whether a scope is a glob, a folder or a range, which cannot be an argument."""
    name = _VARIABLE.sub("", scope.strip("'\""))
    return any(char in name for char in "*?{[!^") or "..." in name or name.startswith(("./", "../"))


def _docker(target: Target, stage: Stage, prune: Prune, copied: tuple[CopiedOutput, ...]) -> Iterator[Finding]:
    """Copies of what only `--docker` writes."""
    split = [each for each in copied if is_part(each, "json") or is_part(each, "full")]
    if not split:
        return
    commands = target.facts.commands(prune.run)
    at = commands.span(prune.step.command)
    line = split[0].copy.start_line
    message = f"`turbo prune` without `--docker` does not create `{split[0].source.text}` (copied in line {line})"
    try:
        check_layout(target.facts, stage, prune, copied)
    except Refused as refused:
        yield Refusal(at, message, refused.reason, Severity.ERROR)
        return
    words = (*prune.names, *(words[-1] for words, _ in prune.scopes), prune.step.command.words[-1])
    last = max(words, key=lambda each: each.end)
    edit = insert_text_after(commands.text, last.end, " --docker")
    review = "check that nothing else reads the output: its layout changes"
    yield Fix(at, message, (edit,), Safety.UNSAFE, "add `--docker`", review, Severity.ERROR)


def _order(target: Target, copied: tuple[CopiedOutput, ...]) -> Iterator[Finding]:
    """Sources that are copied before the install although the manifests are copied separately."""
    manifests = [each for each in copied if is_part(each, "json")]
    for sources in copied:
        stage = target.facts.stage_of(sources.copy)
        if stage is None or sources.part != "full":
            continue
        at = position(stage, sources.copy)
        install = _install(target, stage)
        end = position(stage, install) if install is not None else 0
        if install is not None and at < end and any(0 <= position(stage, each.copy) < end for each in manifests):
            message = f"every change of a source reruns the install in line {install.start_line}"
            help_ = f"copy `{sources.source.text}` after the install"
            yield Advice(sources.copy.span, message, Severity.INFO, help=help_)


def _install(target: Target, stage: Stage) -> Run | None:
    """The first RUN of a stage that installs from a manifest."""
    for run in stage.instructions:
        if isinstance(run, Run):
            for step in target.facts.commands(run).packages:
                package = step.package
                if package is not None and package.manager in _JAVASCRIPT and package.action is Action.SYNC:
                    return run
    return None


CODEMOD: Final = Codemod(
    name="turbo-prune",
    title="`turbo prune` has arguments that it rejects, or its output defeats the cache",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("turbo",),
    findings=("web 1",),
    promise=Promise(
        claims=frozenset({Claim.REPAIRS}),
        rationale="`turbo` rejects the arguments, or does not create the files that are copied: the build fails today.",
    ),
)
