"""NODE_ENV=production before an install drops the devDependencies that the build needs.

## What it does

npm, pnpm before version 10 and Yarn 1 leave devDependencies out when NODE_ENV is production. A stage that builds after
such an install is reported, with both lines:

```dockerfile
FROM node:22
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build
```

Set NODE_ENV behind the install or in the last stage, or install with `npm ci --include=dev`,
`pnpm install --prod=false` or `yarn install --production=false`.

## Why

TypeScript, bundlers and type declarations are devDependencies in most projects. The build then ends with
`tsc: not found`, or, worse, takes another version that lies somewhere else.

## Safety

There is no edit. Where NODE_ENV belongs depends on what the build itself makes of it: many bundlers minify by it.

## What it leaves alone

- NODE_ENV behind the install, in another stage, or overridden on the command.
- Installs that say which they want (`--include`, `--omit`, `--production`, `--prod`), npm's settings for it, and
  what `.npmrc` says.
- A project whose `package.json` lists no devDependencies, Yarn 2 and later, pnpm 10 and later, Bun.
- A stage that does not build, or that installs again with devDependencies first.

## Sources

- https://docs.npmjs.com/cli/v10/using-npm/config#omit
- https://classic.yarnpkg.com/lang/en/docs/cli/install/
- npm 10.8, pnpm 8, 9 and 10, run with NODE_ENV=production
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
from dockfix_codemods.node_env import analysis as devdeps


def check(target: Target) -> Iterator[Finding]:
    """Find, in each stage, an install without devDependencies and a build behind it."""
    for stage in target.facts.graph.stages:
        yield from _in_stage(target, stage)


def _in_stage(target: Target, stage: Stage) -> Iterator[Finding]:
    dropped: tuple[Run, Step] | None = None
    runs = [node for each in target.facts.graph.chain(stage) for node in each.instructions if isinstance(node, Run)]
    named = devdeps.versions_named(step for run in runs for step in target.facts.commands(run).steps)
    contexts = (target.context,) if target.context is not None else context_candidates(target.project, target.path)
    asked = [javascript_managers(context) for context in contexts]
    if None in asked:
        return
    managers = {name: major for each in asked for name, major in (each or {}).items()} | named
    for run in stage.instructions:
        if not isinstance(run, Run):
            continue
        state = target.facts.state(run)
        for step in target.facts.commands(run).steps:
            if devdeps.installs_from_manifest(step):
                production = devdeps.is_production(state.lookup("NODE_ENV"))
                if not production or devdeps.keeps_dev(step, state.env, managers):
                    return
                dropped = dropped or (run, step)
            elif dropped is not None and (build := devdeps.build_tool(step)):
                yield _advice(target, stage, *dropped, run, build, old=not managers.get("pnpm"))
                return


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
        f"NODE_ENV is production{where}, so that {who} leaves out the devDependencies, and line {run.start_line} builds"
        f" ({build})"
    )
    return Advice(install.span, message)


CODEMOD: Final = Codemod(
    name="node-env",
    title="NODE_ENV=production drops the devDependencies that a build needs",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset[Effect](),
    check=check,
    since="0.1.0",
    triggers=("node_env",),
    page=__doc__,
    findings=("web 4",),
)
