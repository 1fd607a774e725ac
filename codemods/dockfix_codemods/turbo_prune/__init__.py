"""`turbo prune` is given what it refuses, or its output is copied in a way that wastes it.

## What it does

A workspace is named by an operand. `--scope`, the old spelling, cannot stand beside one, and goes:

```dockerfile
FROM node:22-alpine AS pruned
RUN npm install -g turbo@2.3.3
WORKDIR /app
COPY . .
RUN turbo prune web --scope=web --docker
FROM node:22-alpine
COPY --from=pruned /app/out/json ./
```

becomes

```dockerfile
FROM node:22-alpine AS pruned
RUN npm install -g turbo@2.3.3
WORKDIR /app
COPY . .
RUN turbo prune web --docker
FROM node:22-alpine
COPY --from=pruned /app/out/json ./
```

`--docker` is added where `out/json` or `out/full` is copied, which only it writes. Where both are copied before the
dependencies are installed, it says so: `out/json` alone is enough for the install, which then stays cached while only
sources change.

## Why

`turbo prune web --scope=web` ends with "the argument '[SCOPE]…' cannot be used with '--scope'". Without `--docker` the
COPY finds no `out/json`. Both are failed builds. The manifests are split from the sources for the sake of the cache;
copying both before the install gives that away.

## Safety

Unsafe: the version of turbo is not always written down, and before 1.10 it knows `--scope` only. A scope that names
another workspace than the operands becomes an operand: then both are cut out. One that is a pattern (`@shop/*`,
`./apps/*`, `...web`) goes, because an operand must be the name of a workspace: what only the pattern names is then no
longer in the output.

## What it leaves alone

- `--scope` alone, which goes on working; a version that is known to be before 1.10.
- An output folder that is not known, and copies of other parts of it; refused if both layouts are copied, or a RUN uses
  the other one.
- A stage whose install stands between the two copies. Whether an install script needs the sources (as Prisma's does) is
  for a person to say, so that the order is advice.

## Sources

- https://turborepo.com/docs/reference/prune
- https://turborepo.com/docs/guides/tools/docker
- "Invalid scope. Package with name @a/* not found in `package.json`": turbo 2.11, for a pattern as an operand
- turbo 1.8.8, 1.9.9, 1.10.16 and 2.11.11, run with both spellings
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Run
from dockfix_codemods.turbo_prune import analysis as turbo

_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_JAVASCRIPT: Final = frozenset(("npm", "pnpm", "yarn", "bun"))


def check(target: Target) -> Iterator[Finding]:
    """Judge each `turbo prune`, and the order in which its output is copied."""
    for stage in target.facts.graph.stages:
        for prune in turbo.prunes(target.facts, stage):
            taken = turbo.taken_from(target.facts, stage, prune)
            if prune.scopes and prune.names and not prune.old:
                yield _scope(target, prune)
            if not prune.docker:
                yield from _docker(target, stage, prune, taken)
            yield from _order(target, taken)


def _scope(target: Target, prune: turbo.Prune) -> Finding:
    commands = target.facts.commands(prune.run)
    named = {word.value or word.text for word in prune.names}
    patterns = [name for _, name in prune.scopes if _is_pattern(name)]
    edits: list[Edit] = []
    for words, name in prune.scopes:
        start, end = words[0].start, words[-1].end
        if name.strip("'\"") in named or name in patterns:
            offset = prune.run.logical.offset(commands.text.start(start))
            if offset is None:
                start -= commands.text.text[start - 1] in " \t"
                edits.append(surgery.replace(commands.text.span(start, end), ""))
            else:
                edits += surgery.delete(target.dockerfile, prune.run, offset, offset + end - start)
        else:
            edits.append(surgery.replace(commands.text.span(start, end), name))
    wanted = sorted(named | {name.strip("'\"") for _, name in prune.scopes if name not in patterns})
    review = (
        f"that {', '.join(wanted)} {'is' if len(wanted) == 1 else 'are'} what to keep, and that turbo is 1.10 or later"
    )
    if patterns:
        review += f"; what {', '.join(patterns)} names and they do not need is no longer kept"
    at = commands.span(prune.scopes[0][0][0])
    message = "turbo prune refuses --scope beside the name of a workspace"
    why = "the operand says what to keep, and the build goes on"
    return Fix(at, message, tuple(edits), Safety.UNSAFE, why, review, Severity.ERROR)


def _is_pattern(scope: str) -> bool:
    """Whether a scope is a glob, a folder or a range, none of which an operand may be."""
    name = _VARIABLE.sub("", scope.strip("'\""))
    return any(char in name for char in "*?{[!^") or "..." in name or name.startswith(("./", "../"))


def _docker(
    target: Target, stage: Stage, prune: turbo.Prune, taken: tuple[turbo.CopiedOutput, ...]
) -> Iterator[Finding]:
    split = [each for each in taken if turbo.is_part(each, "json") or turbo.is_part(each, "full")]
    if not split:
        return
    commands = target.facts.commands(prune.run)
    at = commands.span(prune.step.command)
    line = split[0].copy.start_line
    message = f"turbo prune without --docker writes no {split[0].source.text}, which line {line} copies"
    others = [each for each in taken if each not in split and not each.part.endswith((".yaml", ".lock", "lock.json"))]
    if others:
        reason = f"line {others[0].copy.start_line} copies {others[0].source.text}, which it writes only without it"
        yield Refusal(at, message, reason, Severity.ERROR)
        return
    user = turbo.uses_tree(target.facts, stage, prune)
    if user is not None:
        reason = f"the RUN on line {user.start_line} uses what it writes elsewhere with it"
        yield Refusal(at, message, reason, Severity.ERROR)
        return
    word = (*prune.names, *(words[-1] for words, _ in prune.scopes), prune.step.command.words[-1])
    last = max(word, key=lambda each: each.end)
    edit = surgery.insert_text_after(commands.text, last.end, " --docker")
    review = "that nothing else reads the output, whose layout changes"
    why = "--docker splits the output into json and full"
    yield Fix(at, message, (edit,), Safety.UNSAFE, why, review, Severity.ERROR)


def _order(target: Target, taken: tuple[turbo.CopiedOutput, ...]) -> Iterator[Finding]:
    manifests = [each for each in taken if turbo.is_part(each, "json")]
    for sources in taken:
        stage = target.facts.stage_of(sources.copy)
        if stage is None or sources.part != "full":
            continue
        at = turbo.position(stage, sources.copy)
        install = _install(target, stage)
        end = turbo.position(stage, install) if install is not None else 0
        if install is not None and at < end and any(0 <= turbo.position(stage, each.copy) < end for each in manifests):
            message = (
                f"{sources.source.text} is copied before the install on line {install.start_line}, which every edit of"
                " a source then runs again; copied below it, the manifests alone decide"
            )
            yield Advice(sources.copy.span, message, Severity.INFO)


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
    title="turbo prune is given what it refuses, or its output is wasted",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("turbo",),
    page=__doc__,
    findings=("web 1",),
)
