"""A `COPY` of several sources has a destination without a slash at its end.

## What it does

Finds a `COPY` or `ADD` of several sources whose destination does not end in a slash, and adds the slash.

## Why is this bad?

If the destination is no folder yet, BuildKit copies each source to the same file, and only the last one is left:
the build succeeds, and files are missing. Older builders, Podman and kaniko refuse the instruction.

## Example

```dockerfile
FROM alpine:3.22
WORKDIR /app
COPY package.json package-lock.json /app
```

Use instead:

```dockerfile
FROM alpine:3.22
WORKDIR /app
COPY package.json package-lock.json /app/
```

## Fix safety

The fix is safe if the destination certainly is a folder at that point: the working directory or a folder above it,
a folder of the system, or one that an earlier instruction wrote files into. The image is then the same. Otherwise
it is unsafe: if the folder does not exist, the image gets all the files instead of the last one. Check that no
later step uses the destination as a file.

## When it does not apply

- `.`, `..` and paths that end in them: they are folders.
- A destination with the ending of a file, and placeholders of templates (`{{ name }}`).
- A variable whose value is not known: it may end in a slash.
- A pattern (`*.json`) counts as one source.

## References

- https://docs.docker.com/reference/dockerfile/#destination-1
- tonistiigi/fsutil, `copy/copy.go` (`prepareTargetDir`)
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from dockfix.facts.model import Known
from dockfix.facts.paths import is_below, normal_path, upwards
from dockfix.facts.state import State
from dockfix.facts.tables.filesystem import FILE_ENDINGS, STANDARD_FOLDERS
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Add, Copy, Run, Workdir

_MESSAGE: Final = "several sources are copied to a path without a slash at its end"


_MOST_FOLDERS: Final = 500
"""Of more folders none is remembered after a RUN that removes something, which limits the work."""
_LONGEST: Final = 256
_REMOVERS: Final = frozenset({"rm", "rmdir", "mv", "unlink"})


def check(target: Target) -> Iterator[Finding]:
    """Find the COPYs of several sources to a path that may become a file."""
    folders: dict[int, set[str]] = {}  # by stage: the folders that its instructions certainly made
    for stage in target.facts.graph.stages:
        made = folders[stage.index] = set(folders.get(stage.parent, ())) if stage.parent is not None else set()
        for node in stage.program:
            state = target.facts.state(node)
            if isinstance(node, Copy | Add) and node.span.start > stage.node.span.start and len(node.sources) > 1:
                yield from _finding(node, state, made, has_system=stage.base_ref != Known("scratch"))
            if isinstance(node, Run):
                _forget_removed(target, node, state, made)
            made.update(_made_by(node, state))


def _finding(copy: Copy | Add, state: State, made: set[str], *, has_system: bool) -> Iterator[Finding]:
    word = copy.destination
    if word is None or _ends_as_folder(word.text.rstrip("\"'")) or any("{{" in each.text for each in copy.args):
        return
    value = state.expand(word.text, copy.escape)
    if not isinstance(value, Known) or not value.value:
        yield Refusal(word.span, _MESSAGE, f"the value of `{word.text}` is not known, and may end in a slash")
        return
    if _ends_as_folder(value.value) or value.value[1:2] == ":" or "\\" in value.value:
        return
    written = copy.logical.text[word.start : word.end]
    at = word.span.end - (len(written) - len(written.rstrip("\"'")))
    edits = (Edit(at, at, "/"),)
    path = _absolute(value.value, state)
    # With --link nothing exists: the files are copied into a layer of their own.
    exists = path == "/" or path in made or (has_system and path in STANDARD_FOLDERS)
    if exists and copy.flag("link") is None:
        yield Fix(word.span, _MESSAGE, edits, Safety.SAFE, "add the slash")
    elif _names_file(value.value):
        yield Refusal(word.span, _MESSAGE, f"`{word.text}` has the name of a file: one of the sources may be too much")
    else:
        review = f"check that no later step uses `{word.text}` as a file"
        message = f"{_MESSAGE}: if it is no folder yet, only the last file is left"
        yield Fix(word.span, message, edits, Safety.UNSAFE, "add the slash", review)


def _ends_as_folder(path: str) -> bool:
    return path.endswith("/") or posixpath.basename(path) in (".", "..")


def _names_file(path: str) -> bool:
    name = posixpath.basename(path)
    return "." in name[1:] and name.rpartition(".")[2].lower() in FILE_ENDINGS


def _absolute(path: str, state: State) -> str | None:
    if path.startswith("/"):
        return normal_path(path)
    workdir = state.workdir
    return normal_path(posixpath.join(workdir.value, path)) if isinstance(workdir, Known) else None


def _forget_removed(target: Target, run: Run, state: State, made: set[str]) -> None:
    """Take away the folders that a RUN may remove or move."""
    for step in target.facts.commands(run).steps:
        if step.command.basename not in _REMOVERS:
            continue
        folder = step.directory(state.workdir)
        if len(made) > _MOST_FOLDERS:
            made.clear()
        for word in step.command.args:
            if word.value is None or set("*?[") & set(word.value) or not isinstance(folder, Known):
                start = normal_path("/" + (word.text.partition("*")[0].rpartition("/")[0]))
                gone = {each for each in made if each != "/" and is_below(each, start)}
            else:
                gone = {normal_path(posixpath.join(folder.value, word.value))}
            made -= gone


def _made_by(node: object, state: State) -> Iterator[str]:
    """The folders that exist after an instruction: the working directory, where files went, and all above them."""
    if isinstance(node, Workdir) and node.args:
        value = state.expand(node.args[0].text, node.escape)
        path = _absolute(value.value, state) if isinstance(value, Known) else None
        if path is not None and len(path) < _LONGEST:
            yield from upwards(path)
    elif isinstance(node, Copy | Add) and node.destination is not None:
        value = state.expand(node.destination.text, node.escape)
        path = _absolute(value.value, state) if isinstance(value, Known) else None
        # A pattern may match nothing, and then nothing is made.
        certain = not any(set("*?[") & set(source.text) for source in node.sources)
        if path is not None and len(path) < _LONGEST and isinstance(value, Known) and certain:
            yield from upwards(path if _ends_as_folder(value.value) else posixpath.dirname(path))


CODEMOD: Final = Codemod(
    name="copy-slash",
    title="a `COPY` of several sources has a destination without a slash",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("copy", "add"),
    hadolint=frozenset({"DL3021"}),
    promise=Promise(
        adds=("/**",),
        changes=("/**",),
        removes=("/**",),
        rationale=(
            "If the destination was no folder, it was the last of the files; it is then a folder that has all of them."
        ),
    ),
)
