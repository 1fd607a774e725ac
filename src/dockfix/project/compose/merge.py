"""How compose merges one service over another: override files, `extends` and `include`.

Sources: the Compose specification, `13-merge.md`, and compose-go's packages `override` (`merge.go`, `uncity.go`) and
`loader` (`reset.go`: when `!reset` and `!override` act).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec.structs import replace

from dockfix.project.compose.nodes import (
    Entry,
    Items,
    Scalar,
    Scope,
    Table,
    Value,
    items_of,
    pairs_of,
    scalar,
    table_of,
)

Conflict: TypeAlias = Callable[[Value, str], None]
"""Called with a value that cannot override another, and the dotted path of its key."""

_REPLACED: Final = frozenset({("command",), ("entrypoint",), ("healthcheck", "test")})


def merge(base: Table, own: Table, conflict: Conflict) -> Table:
    """The service `own` merged over `base`, which has no tags left. `!reset` tags of `own` are kept in the result."""
    return _merge_tables(base, own, (), conflict)


def without_tags(table: Table) -> Table:
    """A mapping with `!reset` and `!override` applied: reset entries are gone, and no tag is left."""
    if not table.tagged:
        return table
    entries = {
        name: replace(entry, value=_value_without_tags(entry.value), tag="")
        for name, entry in table.entries.items()
        if entry.tag != "reset"
    }
    return table_of(table.scope, table.line, entries)


def _value_without_tags(value: Value) -> Value:
    if isinstance(value, Table):
        return without_tags(value)
    if isinstance(value, Items) and value.tagged:
        return replace(value, values=tuple(map(_value_without_tags, value.values)), tagged=False)
    return value


def inherited(table: Table) -> Table:
    """A service as inherited by one that extends it."""
    entries = {name: replace(entry, inherited=True) for name, entry in table.entries.items() if name != "extends"}
    return replace(table, entries=entries)


def as_build(value: Value) -> Table:
    """`build:` in its long form."""
    if isinstance(value, Table):
        return value
    if isinstance(value, Scalar) and value.raw is not None:
        return table_of(value.scope, value.line, {"context": Entry(value.scope, value.line, value)})
    return table_of(value.scope, value.line, {})


def as_dependencies(value: Value) -> Table:
    """`depends_on:` in its long form."""
    if isinstance(value, Table):
        return value
    entries = {
        item.text: Entry(item.scope, item.line, _started(item.scope, item.line))
        for item in items_of(value)
        if isinstance(item, Scalar) and item.text is not None
    }
    return table_of(value.scope, value.line, entries)


def _started(scope: Scope, line: int) -> Table:
    return table_of(scope, line, {"condition": Entry(scope, line, scalar(scope, line, "service_started"))})


_FORMS: Final[Mapping[tuple[str, ...], Callable[[Value], Table]]] = {
    ("build",): as_build,
    ("build", "args"): pairs_of,
    ("build", "additional_contexts"): pairs_of,
    ("depends_on",): as_dependencies,
    ("environment",): pairs_of,
}
"""Values with two forms, which get the same form before they are merged."""


def _merge_tables(base: Table, own: Table, path: tuple[str, ...], conflict: Conflict) -> Table:
    entries = dict(base.entries)
    for name, entry in own.entries.items():
        below = entries.get(name)
        if below is None or entry.tag:
            entries[name] = entry
            continue
        value = _merge(below.value, entry.value, (*path, name), conflict)
        # a merged collection keeps the place of the first one, unless that is inherited
        first = isinstance(value, Table | Items) and not below.inherited
        entries[name] = replace(below if first else entry, value=value)
    return table_of(base.scope, base.line, entries)


def _merge(base: Value, own: Value, path: tuple[str, ...], conflict: Conflict) -> Value:
    if path in _REPLACED:
        return own
    if isinstance(own, Scalar) and own.raw is None:
        return base
    if isinstance(base, Scalar) and base.raw is None:
        return own
    form = _FORMS.get(path)
    if form is not None:
        return _merge_tables(form(base), form(own), path, conflict)
    if isinstance(base, Table) and isinstance(own, Table):
        return _merge_tables(base, own, path, conflict)
    if isinstance(base, Items) and isinstance(own, Items):
        values = (*base.values, *own.values)
        return Items(
            base.scope, base.line, values, base.size + own.size, max(base.depth, own.depth), base.tagged or own.tagged
        )
    if not (isinstance(base, Scalar) and isinstance(own, Scalar)):
        conflict(own, ".".join(path))
    return own
