"""Finding codemods: packs register under the entry-point group `dockfix.codemods`.

An entry point names a callable without parameters that gives codemods in the order in which they are to run. The
built-in pack is found in the same way as any other; packs run in the order built-in first, then by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

from dockfix.project.problems import closest
from dockfix.rule.model import Codemod

GROUP = "dockfix.codemods"


class RegistryError(Exception):
    """A pack that cannot be loaded, or two codemods of one name."""


class UnknownRuleError(Exception):
    """A rule that no pack has; the message names the nearest one."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.suggestion = closest(name, known)
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else "; `dockfix rules` lists them all"
        super().__init__(f"unknown rule {name!r}{hint}")


@dataclass(frozen=True, slots=True)
class Registry:
    """The codemods of all packs, in the order in which they run."""

    codemods: tuple[Codemod, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The rules' names, in order."""
        return tuple(codemod.name for codemod in self.codemods)

    def get(self, name: str) -> Codemod:
        """The codemod of a name.

        Raises:
            UnknownRuleError: no pack has it.
        """
        for codemod in self.codemods:
            if codemod.name == name:
                return codemod
        raise UnknownRuleError(name, self.names)

    def select(self, rules: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Codemod, ...]:
        """The codemods to run: those named, or all that are not opt-in; without those to skip; in running order.

        Raises:
            UnknownRuleError: a name that no pack has.
        """
        wanted = {self.get(name).name for name in rules} or {each.name for each in self.codemods if not each.opt_in}
        unwanted = {self.get(name).name for name in skip}
        return tuple(codemod for codemod in self.codemods if codemod.name in wanted - unwanted)


def load_registry() -> Registry:
    """All installed packs.

    Raises:
        RegistryError: a pack fails to load, or two packs have a codemod of one name.
    """
    found: dict[str, Codemod] = {}
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name != "builtin", point.name))
    for point in points:
        try:
            codemods = tuple(point.load()())
        except Exception as error:
            raise RegistryError(f"codemod pack {point.name!r} cannot be loaded: {error}") from error
        for codemod in codemods:
            if not isinstance(codemod, Codemod):
                raise RegistryError(f"codemod pack {point.name!r} gives something that is no Codemod: {codemod!r}")
            if codemod.name in found:
                raise RegistryError(f"two codemods are named {codemod.name!r}; the second is in pack {point.name!r}")
            found[codemod.name] = codemod
    return Registry(tuple(found.values()))
