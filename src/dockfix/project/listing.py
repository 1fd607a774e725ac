"""What `dockfix targets` and `dockfix ast` show: Dockerfiles and how each is built, and their trees as plain data."""

from __future__ import annotations

import base64
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.discovery import Found, discover
from dockfix.project.files import read_file
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.target import BuildOptions, Project, display, target_for
from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode, encode


class Row(Struct, frozen=True):
    """One build of a Dockerfile, or a Dockerfile that no known build uses (`source` is `None`).

    Paths are relative to the project root, with `/`. `dockerfile` is `None` if it is written in the compose or bake
    file itself (`inline`) or is unknown; `exists` tells whether the file exists. `context` is `None` if it is
    unknown; `context_why` says why, or how it is known. `args` has `None` for a value that comes from the
    environment of the build.
    """

    dockerfile: str | None
    exists: bool
    inline: bool = False
    kind: str | None = None
    source: str | None = None
    line: int = 0
    name: str | None = None
    context: str | None = None
    context_why: str = ""
    stage: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """The rows, by Dockerfile and then by where the build is defined; and what could not be read."""

    root: Path
    rows: tuple[Row, ...]
    problems: tuple[InputProblem, ...]


def target_table(
    project: Project,
    paths: Sequence[Path],
    *,
    exclude: Sequence[str] = (),
    respect_gitignore: bool = True,
    options: BuildOptions | None = None,
) -> Table:
    """The builds of the Dockerfiles that `paths` name or hold, and the builds whose Dockerfile is not known.

    Builds without a known Dockerfile are shown if their compose or bake file is below one of `paths`.
    """
    found, problems = discover(
        paths, root=project.root, exclude=exclude, respect_gitignore=respect_gitignore, built=project.built
    )
    seen = {each.path.resolve() for each in found}
    rows = [row for each in found for row in _rows(project, each, options or BuildOptions())]
    tops = [path.resolve() for path in paths]
    for invocation in project.invocations:
        if invocation.dockerfile is not None and invocation.dockerfile.resolve() in seen:
            continue
        if any(invocation.source.is_relative_to(top) for top in tops):
            rows.append(_row(project, invocation))
    rows.sort(key=_order)
    return Table(project.root, tuple(rows), (*problems, *project.input_problems))


def joined_tables(tables: Sequence[Table]) -> Table:
    """One table for those of several projects; its paths are relative to the folder that holds all of them."""
    if len(tables) == 1:
        return tables[0]
    root = Path(os.path.commonpath([table.root for table in tables]))
    # a folder above a project may be named in addition to it: each build counts once
    rows = {_order(each): each for table in tables for row in table.rows for each in [_below(row, table.root, root)]}
    problems = dict.fromkeys(problem for table in tables for problem in table.problems)
    return Table(root, tuple(rows[key] for key in sorted(rows)), tuple(problems))


def _below(row: Row, root: Path, top: Path) -> Row:
    """The row with paths relative to `top`, a folder above its root."""
    paths = {name: getattr(row, name) for name in ("dockerfile", "source", "context")}
    folder = display(root, top)
    moved: dict[str, Any] = {
        name: posixpath.normpath(posixpath.join(folder, path)) for name, path in paths.items() if path
    }
    return replace(row, **moved)


def _order(row: Row) -> tuple[bool, str, str, int, str]:
    return row.dockerfile is None, row.dockerfile or "", row.source or "", row.line, row.name or ""


def _rows(project: Project, found: Found, options: BuildOptions) -> Iterator[Row]:
    real = found.path.resolve()
    invocations = project.built.get(real, ())
    own = options.of_file(real, project.root)
    if own.context is not None or not invocations:
        # only its path counts here
        target = target_for(project, project.files.read(found.path), options)
        context = display(target.context.root, project.root) if target.context else None
        contexts = {name: project.secrets.hide(given[0].shown) for name, given in target.named_contexts.items()}
        kind = own.context_source if own.context is not None else None
        yield Row(target.display, True, kind=kind, context=context, context_why=target.context_why, contexts=contexts)
    if own.context is None:
        yield from (_row(project, invocation) for invocation in invocations)


def _row(project: Project, invocation: BuildInvocation) -> Row:
    dockerfile = invocation.dockerfile
    context = invocation.context
    hidden, hide = invocation.hidden, project.secrets.hide
    exists = dockerfile is not None and project.files.is_file(dockerfile)
    shown_file = display(dockerfile, project.root) if dockerfile is not None else None
    if shown_file is not None and not exists and {"context", "dockerfile"} & hidden.keys():
        # an existing file is shown by its own name; the name of a missing one comes only from the hidden value
        shown_file = f"{invocation.raw.get('context', '.')}/{invocation.raw.get('dockerfile', 'Dockerfile')}"
    shown_context = display(context, project.root) if context is not None else None
    return Row(
        dockerfile=shown_file,
        exists=exists,
        inline=invocation.inline,
        kind=invocation.kind,
        source=display(invocation.source, project.root),
        line=invocation.line,
        name=invocation.service,
        context=hidden.get("context", hide(shown_context)) if shown_context is not None else None,
        context_why=hide(invocation.context_why or ""),
        stage=hidden.get("target", hide(invocation.target)) if invocation.target is not None else None,
        args=invocation.args,
        contexts={name: hide(context.shown) for name, context in invocation.additional_contexts.items()},
        tags=tuple(map(hide, invocation.shown_tags or invocation.tags)),
    )


class FileTree(Struct, frozen=True):
    """The tree of a file, `{"path", ...}` as `dockfix.syntax.ast.to_json` has it; or why it could not be read."""

    data: dict[str, Any] = field(default_factory=dict)
    problem: InputProblem | None = None


def trees(paths: Sequence[Path], *, trivia: bool = False) -> Iterator[FileTree]:
    """The trees of the Dockerfiles that `paths` name, files and folders to be searched, inside a project or not."""
    everywhere = Path("/")
    for path in paths:
        found, problems = discover([path], root=everywhere)
        for problem in problems:
            yield FileTree(problem=problem)
        for each in found:
            try:
                file = read_file(each.path, root=everywhere)
            except InputError as error:
                yield FileTree(problem=error.problem)
            else:
                yield text_tree(str(each.path), file.data, trivia=trivia)


def text_tree(path: str, data: bytes, *, trivia: bool = False) -> FileTree:
    """The tree of a Dockerfile's bytes under a name."""
    return FileTree({"path": _name(path), **to_json(parse(decode(data)), trivia=trivia)})


def _name(path: str) -> Any:
    """A path, or its bytes if they are not UTF-8, encoded like the texts of a tree."""
    data = encode(path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode("ascii")}
