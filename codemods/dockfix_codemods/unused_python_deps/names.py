"""What Python distributions give to import, and whether not importing one says anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dockfix_codemods.unused_python_deps.table import (
    HEAVY,
    HOSTS,
    IMPORTS,
    INTEGRATORS,
    LEAN,
    LOADED_BY,
    LOADED_FOR,
    NAMESPACES,
    NOT_INTEGRATED,
    PICKLED,
    UNSEEN,
    UNSEEN_PREFIXES,
    UNSEEN_SUFFIXES,
)

__all__ = ["hosts", "import_names", "kept_by_others", "loaders_in_code", "may_be_pickled"]


def import_names(distribution: str) -> tuple[str, ...] | None:
    """The modules that a distribution (normalised name) gives; `None` if not importing them says nothing.

    That is so for those that no table knows, and for servers, drivers, plug-ins, stubs and the like, which are used
    without an import.
    """
    if distribution in UNSEEN or distribution.startswith(UNSEEN_PREFIXES) or distribution.endswith(UNSEEN_SUFFIXES):
        return None
    if distribution in IMPORTS:
        return IMPORTS[distribution]
    for beginning, (package,) in NAMESPACES.items():
        if distribution.startswith(beginning):
            return (f"{package}.{distribution[len(beginning) :].replace('-', '_')}",)
    return None


def loaders_in_code(distribution: str) -> tuple[str, ...]:
    """Names which, in a program, make a library load the distribution."""
    return _under(LOADED_FOR, distribution)


def kept_by_others(distribution: str, installed: Collection[str], imported: Collection[str]) -> bool:
    """Whether another of the distributions that are `installed` requires this one, or may load it.

    `imported` are those of them that the program uses; the others of `HEAVY` keep nothing.
    """
    others = [other for other in installed if other != distribution]
    if INTEGRATORS & set(others) and not distribution.startswith(NOT_INTEGRATED):
        return True
    for keeper in LOADED_BY.get(distribution, ()):
        if any(other == keeper or (keeper.endswith("-") and other.startswith(keeper)) for other in others):
            return True
    if distribution in HEAVY:
        return any(other not in LEAN and (other not in HEAVY or other in imported) for other in others)
    return False


def may_be_pickled(distribution: str) -> bool:
    """Whether objects of the distribution are commonly kept in pickles, which import it when they are read."""
    return distribution in PICKLED


def hosts(installed: Collection[str]) -> tuple[str, ...]:
    """Which of the distributions run code, or load packages, that no file of the image names."""
    return tuple(sorted(HOSTS & set(installed)))


def _under(table: Mapping[str, tuple[str, ...]], distribution: str) -> tuple[str, ...]:
    """The values of all keys that are the distribution, or, ending in `-`, its beginning."""
    return tuple(
        value
        for key, values in table.items()
        if distribution == key or (key.endswith("-") and distribution.startswith(key))
        for value in values
    )
