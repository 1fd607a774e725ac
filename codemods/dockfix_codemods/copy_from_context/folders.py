"""A `COPY --from` whose name nothing supplies: a folder of the build context may be meant."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.context import Context
from dockfix.project.target import Target, context_candidates
from dockfix.rule import Advice, Edit, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Copy, Word


def check_missing(target: Target, copy: Copy, stage: Stage, name: str) -> Iterator[Finding]:
    """Check a name that is not an earlier stage, a named context, or an image that the project uses."""
    graph = target.facts.graph
    if name.lower() in [each.name for each in graph.stages if each.name]:
        message = f"`COPY --from={name}` fails: the stage is defined later in the file"
        yield Advice(copy.span, message, Severity.ERROR, help="move that stage before this one")
        return
    message = f"`COPY --from={name}` is neither a stage nor a named context of a known build"
    try:
        context = _context_with(target, stage, name)
    except Refused as refused:
        yield Refusal(copy.span, message, refused.reason, Severity.WARNING)
        return
    try:
        edits = _copy_folder(target, copy, name, context)
    except Refused as refused:
        yield Refusal(copy.span, message, refused.reason)
        return
    root = context.root.relative_to(target.project.root).as_posix()
    fix = f"remove `--from` and copy from the folder `{name}/` of the build context"
    review = (
        "check how else this file is built: a `--build-context` in a script or a CI job would no longer be used; "
        f"check that the build context is `{root}/`"
    )
    yield Fix(copy.span, message, edits, Safety.UNSAFE, fix, review)


def _context_with(target: Target, stage: Stage, name: str) -> Context:
    """The build context that contains a folder of the name.

    Raises:
        Refused: no context or several contain it, or a build that could not be read may supply the name.
    """
    if not target.builds_known:
        raise Refused(f"{target.unread[0]} cannot be read, and a build in it may supply `{name}`")
    contexts = [target.context] if target.context else context_candidates(target.project, target.path)
    holding = [context for context in contexts if context.is_dir(name)]
    if len(holding) == 1:
        return holding[0]
    if holding:
        raise Refused(f"several possible build contexts contain a folder `{name}`; pass `--context DIR`")
    earlier = [each.name for each in target.facts.graph.stages if each.name][: stage.index]
    if close := difflib.get_close_matches(name.lower(), earlier, n=1, cutoff=0.6):
        raise Refused(f"it may be a typing error for the stage `{close[0]}`, or an image")
    raise Refused("the build context has no folder of that name; it may be an image or a `--build-context`")


def _copy_folder(target: Target, copy: Copy, name: str, context: Context) -> tuple[Edit, ...]:
    """The edits that make a COPY read a folder of the build context.

    Raises:
        Refused: the COPY would not copy the same files, or cannot be rewritten.
    """
    dropped = [name] if context.ignored(name) else context.ignored_below(name)
    if dropped is None or dropped:
        example = f", for example `{dropped[0]}`" if dropped else ""
        raise Refused(f"`.dockerignore` excludes files of `{name}/`{example}; a named context is not filtered")
    if by_path := [flag for flag in ("parents", "exclude") if copy.flag(flag) is not None]:
        raise Refused(f"`--{by_path[0]}` depends on the path of the sources, which would change")
    for word in copy.paths:
        if ".." in word.text or not context.glob(_in_folder(name, word.text)):
            raise Refused(f"the folder `{name}/` does not contain `{word.text}`")
    flag = copy.flag("from")
    if flag is None or copy.heredocs:
        raise Refused("its sources cannot be rewritten")
    sources = (_prefixed(copy, name, word) for word in copy.paths)
    return (*dockerfile_edit.delete_flag(target.dockerfile, copy, flag), *sources)


def _in_folder(name: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(name, source.lstrip("/")))


def _prefixed(copy: Copy, name: str, source: Word) -> Edit:
    path = source.text.lstrip("/").removeprefix("./")
    new = f"{name}/" if path == "." else f"{name}/{path}"
    return dockerfile_edit.replace(source.span, f'"{new}"' if copy.json else new)
