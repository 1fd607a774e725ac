"""`COPY --from=NAME` where no build gives a NAME.

## What it does

`COPY --from=packages` copies from a *named context* if the build gives one of that name (compose `additional_contexts`,
bake `contexts`, `docker build --build-context`), else from an earlier stage of that name, else from an image. Where
nothing supplies the name, no stage has it, it is no image that the project uses, and a folder of that name lies in the
build context, the folder was meant:

```dockerfile
FROM python:3.13-slim
COPY --from=packages --chown=app . ./packages
```

becomes

```dockerfile
FROM python:3.13-slim
COPY --chown=app packages/ ./packages
```

Where builds of the project do supply the name, their compose or bake files are mended instead, one entry at a time:

- The folder that an entry names is not there, and exactly one folder of the project can be meant: `../../packages`,
  written as if paths started from the Dockerfile, becomes `./packages`.
- Another service, compose file or bake target builds the same stage without the entry: it gets it, with the path as
  its own file needs it.

That holds for `RUN --mount=from=NAME` and `FROM NAME` too; the Dockerfile itself is only changed for COPY.

## Why

Without the named context BuildKit takes NAME for an image, and the build ends with `failed to resolve source metadata
for docker.io/library/packages:latest`. That compose supplies it is easily overlooked: then the line is right, and only
a plain `docker build` needs `--build-context`.

## Safety

Unsafe: another way of building, unknown to dockfix, may supply the context or make its folder.

## What it leaves alone

- A name that all builds supply; the finding then says how to build without them.
- Values that come from variables, and what is shared by aliases, computed or extended from another file: the finding
  says what would have to stand where.
- Builds of other stages, and names that one build replaces by an image and that are images for the others.
- Folders of which `.dockerignore` would drop files: a named context is not filtered, a plain COPY is.
- Names with `/`, `:`, `.` or `@`, and well-known images: `--from=nginx` is an image.

## Sources

- https://docs.docker.com/reference/dockerfile/#copy---from
- https://docs.docker.com/reference/compose-file/build/#additional_contexts (paths start from the project's folder)
- https://docs.docker.com/build/bake/reference/#targetcontexts
- Order of resolution: measured with BuildKit, see moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator
from typing import Final

from dockfix.edit import contexts as context_surgery
from dockfix.edit import dockerfile as surgery
from dockfix.facts.model import Refused
from dockfix.facts.stages import ImageSource, Invalid, OutOfRange, Stage, context_key
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.context import Context
from dockfix.project.target import Target, context_candidates
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Requires,
    Safety,
    Severity,
)
from dockfix.syntax.tree import Copy, From, Instruction, Word

_LOOK_AT: Final = (
    "how else this file is built: a --build-context given by a script or a CI job would be bypassed by the new line"
)


def check(target: Target) -> Iterator[Finding]:
    """Judge each name that a stage takes something from by where the builds of this file find it."""
    seen: set[str] = set()
    for stage in target.facts.graph.stages:
        for node, name in target.facts.graph.names_taken(stage):
            if context_key(name) in target.named_contexts and name not in seen:
                seen.add(name)
                yield from _supplied(target, node, stage, name)
        for node in stage.instructions:
            if isinstance(node, Copy) and node.source_stage:
                yield from _unsupplied(target, node, stage, node.source_stage)


def _unsupplied(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    source = target.facts.graph.resolve(name, stage)
    if isinstance(source, OutOfRange):
        message = f"COPY --from={name}: there is no stage of that number before this one"
        yield Advice(copy.span, message, Severity.ERROR)
    elif isinstance(source, Invalid):
        yield Advice(copy.span, f"COPY --from={name}: {source.reason}", Severity.ERROR)
    elif isinstance(source, ImageSource) and not wiring.may_be_image(target, name):
        yield from _missing(target, copy, stage, name)


def _supplied(target: Target, node: Instruction, stage: Stage, name: str) -> Iterator[Finding]:
    supply = wiring.supply_of(target, stage, context_key(name))
    use = "COPY --from=" if isinstance(node, Copy) else "FROM " if isinstance(node, From) else "a mount from="
    message = f"{use}{name} reads the named context {name!r}"
    own = target.facts.graph.by_name(name)
    if supply.by_command_line:
        given = target.named_contexts[supply.key][0]
        if given.exists is False:
            text = f"{message}, but the command line names a folder that does not exist: {given.shown}"
            yield Advice(node.span, text, Severity.ERROR)
            return
    elif unresolved := list(wiring.unresolved(target, supply)):
        yield from (_mend(target, node, each, message) for each in unresolved)
        return
    if own is not None and own.index < stage.index:
        return  # a build that does not give the context takes the stage
    images = wiring.may_be_image(target, name, stages=False) or any(given.kind == "image" for given in supply.given)
    if supply.providers and supply.without and not supply.by_command_line:
        yield from () if images else (_add(target, node, build, supply, message) for build in supply.without)
    elif isinstance(node, Copy):
        by = wiring.where_all(target.project, supply.providers) or "the command line"
        reason = f"{by} supplies it; a plain build needs `{wiring.plain_command(target, supply.key)}`"
        yield Refusal(node.span, message, reason, Severity.INFO)


def _mend(target: Target, node: Instruction, unresolved: wiring.Unresolved, message: str) -> Finding:
    """Lead the value of a named context to the folder that it must mean."""
    given, folders = unresolved.given, unresolved.folders
    where = f"line {given.line} of {wiring.shown_folder(target.project, unresolved.build.source)}"
    what = "outside the project" if unresolved.outside else "that does not exist"
    message = f"{message}, but {where} names a folder {what}: {given.shown}"
    if not folders:
        return Advice(node.span, f"{message}; a step before the build has to make it", Severity.WARNING)
    if len(folders) > 1:
        return Advice(node.span, f"{message}; it may be one of {', '.join(folders)}", Severity.ERROR)
    try:
        change = context_surgery.update_context(target.project, unresolved.build, given, folders[0])
    except Refused as error:
        return Refusal(node.span, message, error.reason)
    why = f"of the folders that it may mean only {folders[0]} is there, and holds what is copied"
    review = f"whether {folders[0]} is meant, and not a folder that another step makes before the build"
    if unresolved.outside:
        review = f"whether {given.shown} is there, outside the project, where dockfix does not look"
    return Fix(node.span, message, (), Safety.UNSAFE, why, review, other_files=(change,))


def _add(target: Target, node: Instruction, build: BuildInvocation, supply: wiring.Supply, message: str) -> Finding:
    """Give a build the context that the others have."""
    where = wiring.where(target.project, build)
    message = f"{message}, which {where} does not supply"
    by = wiring.where_all(target.project, supply.providers)
    value = supply.agreed(target.project, build)
    if value is None:
        given = ", ".join(dict.fromkeys(each.shown for each in supply.given))
        reason = f"what {by} supplies ({given}) differs, or comes from a variable or from another file"
        return Refusal(node.span, message, f"{reason}; write {wiring.as_written(build, supply.key, '...')}")
    try:
        change = context_surgery.add_context(target.project, build, supply.key, value)
    except Refused as error:
        return Refusal(node.span, message, error.reason)
    why = f"{by} supplies it, and a build without it takes {supply.key!r} for an image and fails"
    review = f"whether {build.service} is to have what the others copy, {value}"
    if any(each.service == build.service and each.source != build.source for each in supply.providers):
        review = f"whether {build.service} is laid over the one of {by}, which supplies it already"
    return Fix(node.span, message, (), Safety.UNSAFE, why, review, other_files=(change,))


def _missing(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    message = f"COPY --from={name}: no stage is named {name!r} and no known build supplies a context of that name"
    stages = [each.name for each in target.facts.graph.stages if each.name]
    if name.lower() in stages:
        yield Advice(copy.span, f"COPY --from={name}: the stage {name!r} is defined below its use", Severity.ERROR)
        return
    if not target.builds_known:
        reason = f"{target.unread[0]} could not be read, and a build in it may supply {name!r}"
        yield Refusal(copy.span, message, reason, Severity.WARNING)
        return
    contexts = [target.context] if target.context else context_candidates(target.project, target.path)
    holding = [context for context in contexts if context.is_dir(name)]
    if len(holding) == 1:
        yield _from_folder(target, copy, name, message, holding[0])
        return
    if holding:
        reason = f"a folder {name!r} lies in each of several possible contexts; give --context DIR"
    elif close := difflib.get_close_matches(name.lower(), stages[: stage.index], n=1, cutoff=0.6):
        reason = f"it may be a slip for the stage {close[0]!r}, or an image"
    else:
        reason = "no folder of that name lies in the context, so an image or a --build-context must be meant"
    yield Refusal(copy.span, message, reason, Severity.WARNING)


def _from_folder(target: Target, copy: Copy, name: str, message: str, context: Context) -> Finding:
    dropped = [name] if context.ignored(name) else context.ignored_below(name)
    if dropped is None or dropped:
        example = f", {dropped[0]} among them" if dropped else ""
        reason = f".dockerignore would drop files of {name}/{example}, which a named context does not"
        return Refusal(copy.span, message, reason)
    flag = copy.flag("from")
    absent = [word.text for word in copy.paths if ".." in word.text or not context.glob(_in_folder(name, word.text))]
    by_path = [name for name in ("parents", "exclude") if copy.flag(name) is not None]
    if by_path:
        return Refusal(
            copy.span, message, f"--{by_path[0]} looks at the path of its sources, which would be another one"
        )
    if flag is None or absent or copy.heredocs:
        reason = f"{absent[0]} is not in the folder {name}/" if absent else "its sources cannot be rewritten"
        return Refusal(copy.span, message, reason)
    edits = [*surgery.delete_flag(target.dockerfile, copy, flag), *(_prefixed(copy, name, word) for word in copy.paths)]
    review = f"{_LOOK_AT}; the context is taken to be {context.root.relative_to(target.project.root).as_posix()}/"
    why = f"the folder {name}/ lies in the context, and without --from the line reads it there"
    return Fix(copy.span, message, tuple(edits), Safety.UNSAFE, why, review)


def _in_folder(name: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(name, source.lstrip("/")))


def _prefixed(copy: Copy, name: str, source: Word) -> Edit:
    path = source.text.lstrip("/").removeprefix("./")
    new = f"{name}/" if path == "." else f"{name}/{path}"
    return surgery.replace(source.span, f'"{new}"' if copy.json else new)


CODEMOD: Final = Codemod(
    name="copy-from-context",
    title="COPY --from names a context that no build supplies",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES, Effect.COMPOSE, Effect.BAKE}),
    check=check,
    since="0.1.0",
    triggers=("from",),
    requires=Requires.SECOND,
    page=__doc__,
    findings=("api 1",),
)
