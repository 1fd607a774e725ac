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

## Why

Without the named context BuildKit takes NAME for an image, and the build ends with `failed to resolve source metadata
for docker.io/library/packages:latest`. That compose supplies it is easily overlooked: then the line is right, and only
a plain `docker build` needs `--build-context`.

## Safety

Unsafe: another way of building, unknown to dockfix, may supply the context.

## What it leaves alone

- A name that a build supplies; the finding then says which one, and how to build without it.
- A name that some of the project's builds supply and others do not: the compose file is what has to change.
- Folders of which `.dockerignore` would drop files: a named context is not filtered, a plain COPY is.
- Names with `/`, `:`, `.` or `@`, and well-known images: `--from=nginx` is an image.

## Sources

- https://docs.docker.com/reference/dockerfile/#copy---from
- https://docs.docker.com/reference/compose-file/build/#additional_contexts
- Order of resolution: measured with BuildKit, see moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from dockfix.api import (
    Advice,
    BuildInvocation,
    Category,
    Codemod,
    Context,
    Copy,
    Edit,
    Effect,
    Finding,
    Fix,
    ImageSource,
    Invalid,
    OutOfRange,
    Refusal,
    Safety,
    Severity,
    Stage,
    StageSource,
    Target,
    Word,
    base_image,
    context_candidates,
    surgery,
)

_LOOK_AT: Final = (
    "how else this file is built: a --build-context given by a script or a CI job would be bypassed by the new line"
)


def rewrite(target: Target) -> Iterator[Finding]:
    """Judge each `COPY --from=NAME` by where the builds of this file find NAME."""
    for instruction in target.dockerfile.instructions:
        if isinstance(instruction, Copy) and instruction.source_stage:
            stage = target.facts.stage_of(instruction)
            if stage is not None:
                yield from _judge(target, instruction, stage, instruction.source_stage)


def _judge(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    source = target.facts.graph.resolve(name, stage)
    if isinstance(source, OutOfRange):
        message = f"COPY --from={name}: there is no stage of that number before this one"
        yield Advice(copy.span, message, Severity.ERROR)
    elif isinstance(source, Invalid):
        yield Advice(copy.span, f"COPY --from={name}: {source.reason}", Severity.ERROR)
    elif name.lower() in {supplied.lower() for supplied in target.named_contexts}:
        yield from _supplied(target, copy, stage, name)
    elif not isinstance(source, StageSource) and isinstance(source, ImageSource) and not _is_image(target, name):
        yield from _missing(target, copy, stage, name)


def _supplied(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    contexts = next(given for known, given in target.named_contexts.items() if known.lower() == name.lower())
    message = f"COPY --from={name} reads the named context {name!r}"
    for context in contexts:
        if context.exists is False:
            where = f"line {context.line} of the compose file" if context.line else "the command line"
            yield Advice(
                copy.span, f"{message}, but {where} names a folder that does not exist: {context.shown}", Severity.ERROR
            )
            return
    own = target.facts.graph.by_name(name)
    if own is not None and own.index < stage.index:
        return  # a build that does not give the context takes the stage
    givers = [each for each in target.invocations if name.lower() in {key.lower() for key in each.additional_contexts}]
    without = [each for each in target.invocations if each not in givers and _may_build(target, each.target, stage)]
    if without:
        message = f"{message}, which these builds of the file do not supply: {_services(without)}"
        yield Advice(copy.span, message, Severity.ERROR)
        return
    by = _services(givers) or "the command line"
    reason = f"{by} supplies it; a plain build needs `{_plain_build(target, name, contexts[0].shown)}`"
    yield Refusal(copy.span, message, reason, Severity.INFO)


def _services(invocations: Sequence[BuildInvocation]) -> str:
    return ", ".join(f"{each.service} ({each.source.name}:{each.line})" for each in invocations)


def _may_build(target: Target, wanted: str | None, stage: Stage) -> bool:
    """Whether a build of the stage `wanted` may need `stage`: it takes nothing from the stages below itself."""
    last = target.facts.graph.by_name(wanted) if wanted else None
    return last is None or stage.index <= last.index


def _plain_build(target: Target, name: str, value: str) -> str:
    path = next((c.path for given in target.named_contexts.values() for c in given if c.name == name and c.path), None)
    root = target.project.root
    folder = path.relative_to(root).as_posix() if path and path.is_relative_to(root) else value
    context = target.context.root.relative_to(root).as_posix() if target.context else "."
    return f"docker build --build-context {quote(f'{name}={folder}')} -f {quote(target.display)} {quote(context)}"


def _is_image(target: Target, name: str) -> bool:
    """Whether NAME is an image: by its form, because it is well known, or because the project names it elsewhere."""
    if any(character in name for character in "/:.@") or base_image(name) is not None:
        return True
    used = {stage.node.image.text for stage in target.facts.graph.stages if stage.node.image}
    for compose in target.project.compose_files:
        used |= {service.image for service in compose.services.values() if service.image}
    return name in {image.partition("@")[0].partition(":")[0] for image in used}


def _missing(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    message = f"COPY --from={name}: no stage is named {name!r} and no known build supplies a context of that name"
    stages = [each.name for each in target.facts.graph.stages if each.name]
    if name.lower() in stages:
        yield Advice(copy.span, f"COPY --from={name}: the stage {name!r} is defined below its use", Severity.ERROR)
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
    look_at = f"{_LOOK_AT}; the context is taken to be {context.root.relative_to(target.project.root).as_posix()}/"
    why = f"the folder {name}/ lies in the context, and without --from the line reads it there"
    return Fix(copy.span, message, tuple(edits), Safety.UNSAFE, why, look_at)


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
    effects=frozenset({Effect.COPIES}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("--from=",),
    page=__doc__,
    findings=("api 1",),
)
