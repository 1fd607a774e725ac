"""The modules of Python distributions, and whether a distribution without an import is unused."""

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
    NOT_IMPORTED,
    NOT_IMPORTED_PREFIXES,
    NOT_IMPORTED_SUFFIXES,
    NOT_INTEGRATED,
    PICKLED,
)


def import_names(distribution: str) -> tuple[str, ...] | None:
    """The modules of a distribution (normalised name); `None` if it may be used without an import.

    That applies to distributions that no table knows, and to servers, drivers, plug-ins and type stubs.
    """
    if (
        distribution in NOT_IMPORTED
        or distribution.startswith(NOT_IMPORTED_PREFIXES)
        or distribution.endswith(NOT_IMPORTED_SUFFIXES)
    ):
        return None
    if distribution in IMPORTS:
        return IMPORTS[distribution]
    for prefix, (package,) in NAMESPACES.items():
        if distribution.startswith(prefix):
            return (f"{package}.{distribution[len(prefix) :].replace('-', '_')}",)
    return None


def loaders_in_code(distribution: str) -> tuple[str, ...]:
    """Names in a program that make a library load the distribution."""
    return _under(LOADED_FOR, distribution)


def needed_by_others(distribution: str, installed: Collection[str], imported: Collection[str]) -> bool:
    """Whether another of the `installed` distributions requires this one, or may load it.

    `imported` are those that the program uses; a distribution of `HEAVY` that it does not use needs nothing.
    """
    others = [other for other in installed if other != distribution]
    if INTEGRATORS & set(others) and not distribution.startswith(NOT_INTEGRATED):
        return True
    for user in LOADED_BY.get(distribution, ()):
        if any(other == user or (user.endswith("-") and other.startswith(user)) for other in others):
            return True
    if distribution in HEAVY:
        return any(other not in LEAN and (other not in HEAVY or other in imported) for other in others)
    return False


def may_be_pickled(distribution: str) -> bool:
    """Whether objects of the distribution are often stored in pickles, which import it when they are loaded."""
    return distribution in PICKLED


def hosts(installed: Collection[str]) -> tuple[str, ...]:
    """The distributions that run code or load packages that no file of the image names."""
    return tuple(sorted(HOSTS & set(installed)))


def _under(table: Mapping[str, tuple[str, ...]], distribution: str) -> tuple[str, ...]:
    """The values of all keys that equal the distribution, or that end in `-` and are a prefix of it."""
    return tuple(
        value
        for key, values in table.items()
        if distribution == key or (key.endswith("-") and distribution.startswith(key))
        for value in values
    )
