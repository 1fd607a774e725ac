"""NODE_ENV=production before an install drops the dev dependencies that the build needs.

## What it does

Reports a stage that builds after an install without dev dependencies. npm, pnpm before version 10 and Yarn 1 leave
them out if NODE_ENV is `production`.

## Why is this bad?

TypeScript, bundlers and type declarations are dev dependencies in most projects. The build then fails with
`tsc: not found`, or, worse, uses another version that happens to be installed.

## Example

```dockerfile
FROM node:22
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build
```

Set NODE_ENV after the install or in the last stage, or install with `npm ci --include=dev`,
`pnpm install --prod=false` or `yarn install --production=false`.

## Fix safety

There is no fix. Where NODE_ENV belongs depends on how the build uses it: many bundlers minify because of it.

## When it does not apply

- NODE_ENV is set after the install or in another stage, or overridden in the command.
- The install says which dependencies it wants (`--include`, `--omit`, `--production`, `--prod`), or npm's settings or
  `.npmrc` do.
- `package.json` lists no dev dependencies, or the package manager is Yarn 2 and later, pnpm 10 and later, or Bun.
- The stage does not build, or installs the dev dependencies before it does.

## References

- https://docs.npmjs.com/cli/v10/using-npm/config#omit
- https://classic.yarnpkg.com/lang/en/docs/cli/install/
- npm 10.8 and pnpm 8, 9 and 10, run with NODE_ENV=production
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.stages import Stage
from dockfix.project.manifests import javascript_managers
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Severity
from dockfix.syntax.tree import Env, Run
from dockfix_codemods.node_env.analysis import (
    build_tool,
    installs_from_manifest,
    is_production,
    keeps_dev,
    versions_named,
)


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage, an install without dev dependencies and a build after it."""
    for stage in target.facts.graph.stages:
        yield from _check_stage(target, stage)


def _check_stage(target: Target, stage: Stage) -> Iterator[Finding]:
    install: tuple[Run, Step] | None = None
    managers = _versions(target, stage)
    if managers is None:
        return
    for run in stage.instructions:
        if not isinstance(run, Run):
            continue
        state = target.facts.state(run)
        for step in target.facts.commands(run).steps:
            if installs_from_manifest(step):
                if not is_production(state.lookup("NODE_ENV")) or keeps_dev(step, state.env, managers):
                    return
                install = install or (run, step)
            elif install is not None and (build := build_tool(step)):
                yield _advice(target, stage, *install, run, build, old=not managers.get("pnpm"))
                return


def _versions(target: Target, stage: Stage) -> dict[str, int] | None:
    """The major versions of the package managers, as far as they are known; None if no dev dependencies are listed."""
    contexts = (target.context,) if target.context is not None else context_candidates(target.project, target.path)
    found = [javascript_managers(context) for context in contexts]
    if None in found:
        return None
    runs = [node for each in target.facts.graph.chain(stage) for node in each.instructions if isinstance(node, Run)]
    named = versions_named(step for run in runs for step in target.facts.commands(run).steps)
    return {name: major for each in found for name, major in (each or {}).items()} | named


def _advice(target: Target, stage: Stage, install: Run, step: Step, run: Run, build: str, *, old: bool) -> Finding:
    setters = [
        node
        for each in target.facts.graph.chain(stage)
        for node in each.instructions
        if isinstance(node, Env)
        and any(pair.key == "NODE_ENV" for pair in node.pairs)
        and node.span.start < install.span.start
    ]
    where = f" (line {max(node.start_line for node in setters)})" if setters else ""
    manager = step.package.manager if step.package is not None else ""
    who = "pnpm before version 10" if manager == "pnpm" and old else manager
    message = (
        f"NODE_ENV is `production`{where}: {who} skips dev dependencies that `{build}` (line {run.start_line}) may need"
    )
    help_ = "set `NODE_ENV=production` after the build, or install with the dev dependencies"
    return Advice(install.span, message, help=help_)


CODEMOD: Final = Codemod(
    name="node-env",
    title="NODE_ENV=production drops the dev dependencies that a build needs",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset[Effect](),
    check=check,
    since="0.1.0",
    triggers=("node_env",),
    findings=("web 4",),
)
