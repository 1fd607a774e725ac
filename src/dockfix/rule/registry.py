"""The installed codemods: packs register under the entry-point group `dockfix.codemods`.

An entry point names a callable without parameters that returns codemods in running order. The built-in pack is found
in the same way as any other. It runs first; the other packs follow by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field

from dockfix.rule.distributions import entry_points, is_installed
from dockfix.rule.lazy import LazyClass
from dockfix.rule.model import Codemod, Preset
from dockfix.rule.naming import RuleNames, UnknownRuleError, names_of

__all__ = ["BUILT_IN", "GROUP", "Registry", "RegistryError", "UnknownRuleError", "check_classes", "load_registry"]

GROUP = "dockfix.codemods"
BUILT_IN = "builtin"
"""The name of dockfix's own pack."""


class RegistryError(Exception):
    """A pack that cannot be loaded, or two codemods of one name."""


class Registry(Struct, frozen=True, dict=True):
    """The codemods of all packs, in the order in which they run; `packs` is the pack of each, by the codemod's name."""

    codemods: tuple[Codemod, ...]
    packs: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The rules' names, in order."""
        return tuple(codemod.name for codemod in self.codemods)

    @cached_property
    def rule_names(self) -> RuleNames:
        """The rules' names, and the codes that they answer."""
        return names_of(self.codemods)

    def get(self, name: str) -> Codemod:
        """The codemod of a name, not of a code.

        Raises:
            UnknownRuleError: no pack has it.
        """
        for codemod in self.codemods:
            if codemod.name == name:
                return codemod
        raise UnknownRuleError(name, self.names)

    def named(self, name: str) -> tuple[Codemod, ...]:
        """The codemods of a name, or of a code of hadolint or BuildKit, which several may answer; in running order.

        Raises:
            UnknownRuleError: no pack has one.
        """
        own = self.rule_names.of(name)
        if not own:
            raise UnknownRuleError(name, self.names, self.rule_names.codes)
        return tuple(codemod for codemod in self.codemods if codemod.name in own)

    def resolved(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names of the rules that some names and codes are for, in their order, without duplicates.

        Raises:
            UnknownRuleError: a name or code that no pack has.
        """
        return tuple(dict.fromkeys(codemod.name for name in names for codemod in self.named(name)))

    def chosen(self, names: Iterable[str]) -> tuple[str, ...]:
        """The same, but a code that only some findings of a rule have stays a code.

        Raises:
            UnknownRuleError: a name or code that no pack has.
        """
        found: dict[str, None] = {}
        for name in names:
            rules = self.resolved([name])
            code = self.rule_names.code(name)
            found |= dict.fromkeys(rules if code is None else (code,))
        return tuple(found)

    def is_code(self, name: str) -> bool:
        """Whether a name is a code that only some findings of a rule have."""
        return self.rule_names.code(name) is not None

    def in_preset(self, preset: Preset) -> tuple[Codemod, ...]:
        """The codemods of a preset, in running order, without those that need an extra which is not installed."""
        presets = list(Preset)  # the smallest first
        own = presets[: presets.index(preset) + 1]
        rules = [each for each in self.codemods if each.preset in own]
        # who asks for all rules is told what one of them lacks
        return tuple(each for each in rules if preset is Preset.ALL or not each.extra or is_installed(each.extra))

    def select(
        self,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        extend: Sequence[str] = (),
        preset: Preset = Preset.RECOMMENDED,
    ) -> tuple[Codemod, ...]:
        """The codemods to run, in running order.

        Args:
            select: names of rules, or codes that they answer; empty: the rules of the preset.
            ignore: the same of rules to leave out.
            extend: the same of rules to run in addition to `select` or the preset.
            preset: the preset, unless `select` says which rules run.

        Raises:
            UnknownRuleError: a name or code that no pack has.
        """
        wanted = set(self.resolved(select)) or {each.name for each in self.in_preset(preset)}
        wanted |= set(self.resolved(extend))
        unwanted = set(self.resolved(name for name in ignore if not self.is_code(name)))
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
