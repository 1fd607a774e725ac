"""Which file of the build context a COPY or ADD writes to a path of the image."""

from __future__ import annotations

import posixpath

from dockfix.facts.copies import copy_destination
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.paths import is_below
from dockfix.project.target import Target
from dockfix.syntax.tree import Add, Copy

__all__ = ["context_file"]

_NOT_PLAIN = frozenset("$*?[\\\"'")


def context_file(target: Target, node: Copy | Add, path: str, *, named: bool = False) -> Fact[str] | None:
    """The file of the build context that a COPY or ADD writes to `path`: None if it writes nothing there.

    It is unknown if the instruction may write there, and the context does not tell what. An archive is the file that
    ADD unpacks.

    Args:
        target: the Dockerfile.
        node: one of its instructions.
        path: a normal path in the image.
        named: leave out folders that may hold the file; only a source or destination of that name counts.
    """
    state, context = target.facts.state(node), target.context
    local = not (isinstance(node, Copy) and node.flag("from")) and not node.heredocs
    found: Fact[str] | None = None
    for source in node.sources:
        area = copy_destination(node, source, state, context.is_dir if context is not None else lambda _path: None)
        if area is None:
            if named:
                continue
            return Unknown("the destination is not known")
        exact = path in (area.path, posixpath.join(area.path, posixpath.basename(source.text)))
        if not is_below(path, area.path) or (named and not exact):
            continue
        if context is None or not local or set(source.text) & _NOT_PLAIN or "://" in source.text:
            return Unknown("the source is not a plain path of a known build context")
        rel = source.text.rstrip("/")
        if not context.is_file(rel):
            rel = posixpath.normpath(posixpath.join(rel, posixpath.relpath(path, area.path)))
        elif not exact and not isinstance(node, Add):
            continue
        if context.is_file(rel) and not context.ignored(rel):
            found = Known(rel)
    return found
