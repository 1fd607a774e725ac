"""What the blocks of a bake target say, merged and inherited as buildx does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.bake.values import Unknown, Value, as_text
from dockfix.project.compose.model import Option


class Given(Struct, frozen=True):
    """A value with its place; `line` is 0 if it is in a file that is merged with the one read."""

    value: Value
    line: int
    written: str


class Fields(Struct):
    """The keys of a target that matter for a build, its own or with all that it inherits."""

    single: dict[str, Given] = field(default_factory=dict)
    args: dict[str, Given] = field(default_factory=dict)
    contexts: dict[str, Given] = field(default_factory=dict)
    computed: dict[str, Given] = field(default_factory=dict)
    options: dict[str, Given] = field(default_factory=dict)

    def merge(self, other: Fields) -> int:
        """Merge `other` over this, as buildx's `Target.Merge` does; return the amount of work."""
        self.single.update(other.single)
        self.args.update(other.args)
        self.contexts.update(other.contexts)
        self.computed.update(other.computed)
        for key, given in other.options.items():
            self.options[key] = merged_option(self.options.get(key), given, key)
        return sum(map(len, (other.single, other.args, other.contexts, other.computed, other.options))) + 1

    def normalize(self) -> None:
        """Remove named contexts that are empty. Source: buildx's `Target.normalize`."""
        for name in [name for name, given in self.contexts.items() if given.value == ""]:
            del self.contexts[name]

    def links(self) -> list[str]:
        """The targets whose results are named contexts."""
        values = [given.value for given in self.contexts.values()]
        return [each.removeprefix("target:") for each in values if isinstance(each, str) and each.startswith("target:")]


class MergedTarget(Struct):
    """A target with all its blocks in all files, not yet with what it inherits."""

    name: str
    block: str
    path: Path
    line: int
    fields: Fields
    inherits: list[str]
    outputs: bool


def merged_option(below: Given | None, own: Given, key: str) -> Given:
    """An option merged over the inherited one. Source: buildx's `Target.Merge`."""
    match below.value if below is not None else None, own.value:
        case dict() as inherited, dict() as added:
            return replace(own, value={**inherited, **added})
        case list() as inherited, list() as added if key != "platforms":
            return replace(own, value=[*inherited, *added])
        case Unknown() as unknown, list() | dict() if key != "platforms":
            return replace(own, value=unknown)
    return own


def option_of(value: Value) -> Option | None:
    """A value as an option of a build; `None` if it is unknown."""
    if isinstance(value, list):
        parts = [option_of(each) for each in value]
    elif isinstance(value, dict):
        parts = []
        for name in sorted(value):
            inner = option_of(value[name])
            parts.append(None if inner is None else (name, inner))
    else:
        text = as_text(value)
        return text if isinstance(text, str) else None
    known = tuple(each for each in parts if each is not None)
    return known if len(known) == len(parts) else None


def text_of(given: Given | None) -> str | None:
    """The text of a value; `None` if it is missing, unknown or not a string."""
    text = as_text(given.value) if given is not None else None
    return text if isinstance(text, str) else None


def cycles(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The cycles that a search finds, each as its names, the first one repeated at the end."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop()
                on_path.discard(name)
                done.add(name)
            elif name in on_path:
                found.append([*path[path.index(name) :], name])
            elif name not in done and name in edges:
                path.append(name)
                on_path.add(name)
                stack.append((name, True))
                stack.extend((other, False) for other in reversed(edges[name]))
    return found
