"""The installed codemods: packs register under the entry-point group `dockfix.codemods`.

An entry point names a callable without parameters that returns codemods in running order. The built-in pack is found
in the same way as any other. It runs first; the other packs follow by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from dockfix.project.problems import closest
from dockfix.rule.lazy import LazyClass
from dockfix.rule.model import Codemod

GROUP = "dockfix.codemods"
BUILT_IN = "builtin"
"""The name of dockfix's own pack."""


class RegistryError(Exception):
    """A pack that cannot be loaded, or two codemods of one name."""


class UnknownRuleError(Exception):
    """A rule that no pack has; the message suggests the closest name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.suggestion = closest(name, known)
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else "; `dockfix rules` lists them all"
        super().__init__(f"unknown rule {name!r}{hint}")


@dataclass(frozen=True, slots=True)
class Registry:
    """The codemods of all packs, in the order in which they run; `packs` is the pack of each, by the codemod's name."""

    codemods: tuple[Codemod, ...]
    packs: Mapping[str, str] = field(default_factory=dict)

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

    def select(
        self, select: Sequence[str] = (), ignore: Sequence[str] = (), extend: Sequence[str] = ()
    ) -> tuple[Codemod, ...]:
        """The codemods to run, in running order.

        Args:
            select: names of rules; empty: all that are not opt-in.
            ignore: names of rules to leave out.
            extend: names of rules to run in addition to `select`.

        Raises:
            UnknownRuleError: a name that no pack has.
        """
        wanted = {self.get(name).name for name in select} or {each.name for each in self.codemods if not each.opt_in}
        wanted |= {self.get(name).name for name in extend}
        unwanted = {self.get(name).name for name in ignore}
        return tuple(codemod for codemod in self.codemods if codemod.name in wanted - unwanted)


def load_registry() -> Registry:
    """All installed packs.

    Raises:
        RegistryError: a pack fails to load, or two codemods have the same name or class of options.
    """
    found: dict[str, Codemod] = {}
    packs: dict[str, str] = {}
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name != BUILT_IN, point.name))
    for point in points:
        try:
            codemods = tuple(point.load()())
        except Exception as error:
            message = f"the codemod pack {point.name!r} cannot be loaded: {_described(error, point.value)}"
            raise RegistryError(message) from error
        for codemod in codemods:
            if not isinstance(codemod, Codemod):
                raise RegistryError(
                    f"the codemod pack {point.name!r} returns a value that is not a Codemod: {codemod!r}"
                )
            if codemod.name in found:
                owners = " and ".join(dict.fromkeys((repr(packs[codemod.name]), repr(point.name))))
                raise RegistryError(
                    f"two codemods are named {codemod.name!r}, in {owners}; rename the rule or uninstall the pack"
                )
            found[codemod.name] = codemod
            packs[codemod.name] = point.name
    check_classes(found.values())
    return Registry(tuple(found.values()), packs)


def _described(error: Exception, value: str) -> str:
    """An exception in one line, after the innermost line of the pack that raised it.

    Args:
        error: the exception.
        value: the object that the pack's entry point names, `package.module:function`.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    package, place, trace = value.partition(":")[0].partition(".")[0], "", error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__")).partition(".")[0] == package:
            place = f"{frame.f_code.co_filename}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return f"{place}{type(error).__name__}: {error}"


def check_classes(codemods: Iterable[Codemod]) -> None:
    """Check that each class of options belongs to one rule: targets look options up by their class.

    Raises:
        RegistryError: two rules have the same class.
    """
    owners: dict[tuple[str, str], str] = {}
    for codemod in codemods:
        kind = codemod.options
        if kind is None:
            continue
        key = (kind.module, kind.name) if isinstance(kind, LazyClass) else (kind.__module__, kind.__qualname__)
        owner = owners.setdefault(key, codemod.name)
        if owner != codemod.name:
            message = f"the codemods {owner!r} and {codemod.name!r} have the same class of options, {key[1]}"
            raise RegistryError(message)
