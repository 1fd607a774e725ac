"""The Python files that a build copies, read as text: what COPY, ADD and bind mounts bring from the build contexts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.images import base_image
from dockfix.facts.model import Known, Refused
from dockfix.facts.stages import ContextSource, ImageSource, Stage
from dockfix.project.context import Context
from dockfix.project.ignore import read_ignore
from dockfix.project.target import Target
from dockfix.syntax.tree import Add, Copy, Instruction, Run

MAX_BYTES: Final = 16 * 1024 * 1024
"""The most text that is read for one build; Python is parsed only where it could matter."""
_MAX_FILE: Final = 1024 * 1024
_MAX_CONFIG: Final = 256 * 1024

_PYTHON: Final = (".py", ".pyw", ".pyi")
_NAMING: Final = (
    *(".sh", ".bash", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".json", ".env", ".service"),
    *(".pyx", ".pxd", ".ipynb", ".j2", ".jinja", ".jinja2", ".tmpl"),
)
"""Extensions of files that may name modules: scripts, configuration (gunicorn, alembic, supervisor), notebooks."""
_LISTING: Final = re.compile(
    r"(?:.*requirements.*\.(?:txt|in)|constraints.*\.txt|pyproject\.toml|setup\.(?:py|cfg)|pipfile|.*\.lock|"
    r"pipfile\.lock|environment.*\.ya?ml|conda.*\.ya?ml|package(?:-lock)?\.json|.*dockerfile.*|"
    r"(?:docker-)?compose.*\.ya?ml|readme.*|tsconfig.*\.json|renovate\.json|\.pre-commit-config\.yaml)",
    re.IGNORECASE,
)
"""Files that list distributions: a name in them is not a use."""
_ARCHIVES: Final = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".pyz", ".egg", ".so", ".pyc")


class CopiedText(Struct, frozen=True):
    """A file that a build copies. `label` is its path in the project, or the Dockerfile's line for a heredoc."""

    label: str
    text: str


class CopiedFiles(Struct, frozen=True):
    """The Python files that a build copies, and the other texts that may name modules.

    `blocker` says what else it may copy that cannot be read; None if nothing.
    """

    python: tuple[CopiedText, ...]
    others: tuple[CopiedText, ...]
    blocker: str | None = None


def copied_files(target: Target) -> CopiedFiles:
    """The files from build contexts in the stages of the image, and in the stages that these copy from.

    Bounded: at most `MAX_ENTRIES` entries for each source and `MAX_BYTES` of text; beyond that there is a `blocker`.
    """
    found: dict[str, tuple[Context, str]] = {}
    heredocs: list[CopiedText] = []
    blockers: list[str] = []
    for stage in target.facts.graph.reachable():
        for node in stage.program:
            try:
                found |= {
                    (context.root / rel).as_posix(): (context, rel) for context, rel in _sources(target, stage, node)
                }
            except Refused as refused:
                blockers.append(refused.reason)
            if isinstance(node, Copy | Add):
                heredocs += [CopiedText(f"line {node.start_line}", each.content) for each in node.heredocs]
    python: list[CopiedText] = []
    others: list[CopiedText] = []
    left = MAX_BYTES
    for path, (context, rel) in sorted(found.items()):
        is_python = rel.endswith(_PYTHON)
        if _LISTING.fullmatch(rel.rpartition("/")[2]) or not (is_python or _may_name_modules(rel)):
            continue
        text = context.read_text(rel, _MAX_FILE if is_python else _MAX_CONFIG)
        if text is None:
            if is_python or rel.endswith(".ipynb"):
                blockers.append(f"{rel} cannot be read, or is too large")
            continue
        left -= len(text)
        if left < 0:
            blockers.append("the image has more Python code than dockfix reads")
            break
        (python if is_python else others).append(CopiedText(_label(target, path, rel), text))
    return CopiedFiles(tuple(python), (*others, *heredocs), next(iter(blockers), None))


def _label(target: Target, path: str, rel: str) -> str:
    root = target.project.root.as_posix() + "/"
    return path[len(root) :] if path.startswith(root) else rel


def _may_name_modules(rel: str) -> bool:
    name = rel.rpartition("/")[2].lower()
    return name.endswith(_NAMING) or "." not in name.lstrip(".")


def contexts_of(target: Target, stage: Stage, reference: str | None, *, mount: bool = False) -> tuple[Context, ...]:
    """The folders of the project that a `--from` names (`None`: the build context); none for stages and images.

    A named context is read with its own `.dockerignore` (BuildKit, `frontend/dockerui/namedcontext.go`).
    """
    if not reference:
        return (target.context,) if target.context is not None else ()
    source = target.facts.graph.resolve(reference, stage, mount=mount)
    if not isinstance(source, ContextSource):
        return ()
    files = target.project.files
    return tuple(
        Context(given.path, target.project.root, read_ignore(given.path, given.path / "Dockerfile", files), files)
        for given in target.named_contexts.get(source.name, ())
        if given.path is not None and given.exists
    )


def _sources(target: Target, stage: Stage, node: Instruction) -> Iterator[tuple[Context, str]]:
    """The files of contexts that an instruction copies or mounts."""
    if isinstance(node, Copy | Add):
        reference = node.source_stage if isinstance(node, Copy) else None
        if not _is_from_stage_or_image(target, stage, node, reference):
            for word in node.paths:
                yield from _named(target, stage, node, word.text, reference)
    elif isinstance(node, Run):
        for mount in node.mounts:
            source = mount.get("source") or "."
            reference = mount.get("from")
            if mount.kind == "bind" and any(each.is_dir(source) for each in contexts_of(target, stage, reference)):
                yield from _named(target, stage, node, source, reference)


def _is_from_stage_or_image(target: Target, stage: Stage, node: Copy | Add, reference: str | None) -> bool:
    """Whether files come from a stage, which is checked by itself, or an image, from which programs do not matter."""
    if not reference:
        return False
    source = target.facts.graph.resolve(reference, stage)
    if isinstance(source, ImageSource):
        programs = all(re.search(r"(?:^|/)(?:bin|sbin)(?:/|$)|/uvx?$", word.text) for word in node.paths)
        if base_image(source.ref) is None and not programs:
            raise Refused(f"line {node.start_line} copies from the image `{source.ref}`, which dockfix does not read")
    return not isinstance(source, ContextSource)


def _named(
    target: Target, stage: Stage, node: Instruction, source: str, reference: str | None
) -> Iterator[tuple[Context, str]]:
    expanded = target.facts.state(node).expand(source, node.escape)
    if not isinstance(expanded, Known):
        raise Refused(f"the files that line {node.start_line} copies are unknown")
    name = expanded.value
    if isinstance(node, Add) and re.match(r"[a-z+]+://|git@", name):
        if not name.endswith((".py", ".git", *_ARCHIVES)) and "github.com" not in name:
            return
        raise Refused(f"line {node.start_line} adds `{name}`, which dockfix does not read")
    contexts = contexts_of(target, stage, reference)
    if not contexts:
        what = f"the named context `{reference}`, which is not a folder" if reference else "an unknown build context"
        raise Refused(f"line {node.start_line} copies from {what}")
    for context in contexts:
        for match in _matches(context, name, node):
            files = context.files_below(match) if context.is_dir(match) else [match]
            if files is None:
                raise Refused(f"line {node.start_line} copies more files than dockfix checks")
            for rel in files:
                if rel.endswith(_ARCHIVES):
                    raise Refused(f"line {node.start_line} copies `{rel}`, which may contain code")
                yield context, rel


def _matches(context: Context, name: str, node: Instruction) -> Sequence[str]:
    found = context.glob(name)
    if found is None:
        raise Refused(f"line {node.start_line} copies more files than dockfix checks")
    return [rel for rel in found if context.is_dir(rel) or not context.ignored(rel)]
