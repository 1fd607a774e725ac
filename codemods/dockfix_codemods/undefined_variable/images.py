"""What FROM sees without build arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from dockfix.facts.images import PLATFORM_ARGS, PREDEFINED_ARGS, parse_image_ref
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Severity
from dockfix.syntax.tree import Arg, From
from dockfix.syntax.words import SubstitutionError, expand, variables

_OTHERS: Final = frozenset({"TARGETSTAGE", "BUILDOSVERSION", "TARGETOSVERSION"})  # BuildKit, `defaultArgs`
_MACHINE: Final = {"OS": "linux", "ARCH": "amd64", "PLATFORM": "linux/amd64", "VARIANT": "", "OSVERSION": ""}


def is_predefined(name: str) -> bool:
    """Whether FROM may use a name without an ARG."""
    return name in PLATFORM_ARGS or name in PREDEFINED_ARGS or name in _OTHERS


def declared_globally(target: Target) -> set[str]:
    """The names that an ARG before the first FROM declares."""
    return {pair.key for arg in _globals(target) for pair in arg.pairs}


def _globals(target: Target) -> Iterator[Arg]:
    for node in target.dockerfile.instructions:
        if isinstance(node, From):
            return
        if isinstance(node, Arg):
            yield node


def check_defaults(target: Target, undefined: Collection[str]) -> Iterator[Finding]:
    """Find the FROMs whose image is empty or invalid without build arguments; `undefined` names are reported before."""
    try:
        values = _defaults(target)
    except SubstitutionError:
        return
    stages: set[str] = set()
    for node in target.dockerfile.instructions:
        if not isinstance(node, From) or node.image is None:
            continue
        names = variables(node.image.text, node.escape)
        own = [name for name in sorted(names) if not is_predefined(name)]
        needed = [name for name in own if not values.get(name)] or own
        if needed and names.isdisjoint(undefined):
            yield from _check_image(target, node, node.image.text, needed, values, stages)
        if node.stage_name:
            stages.add(node.stage_name)


def _check_image(
    target: Target, node: From, written: str, needed: list[str], values: dict[str, str], stages: set[str]
) -> Iterator[Finding]:
    try:
        image = expand(written, values.get, node.escape).text
    except SubstitutionError:
        return  # `${NAME:?message}` says so itself
    if image in stages or parse_image_ref(image) is not None:
        return
    if target.builds and target.builds_known and all(set(needed) <= build.args.keys() for build in target.builds):
        return
    shown = ", ".join(f"`{name}`" for name in needed)
    at = node.image.span if node.image else node.span
    result = f"`{image}`, which is no valid image" if image else "empty"
    yield Advice(at, f"without the build argument {shown}, the image is {result}", Severity.INFO, cause=shown)


def _defaults(target: Target) -> dict[str, str]:
    """The values that FROM sees if a build passes nothing; a build on Linux, whose platform does not matter here."""
    values = {f"{side}{key}": value for side in ("TARGET", "BUILD") for key, value in _MACHINE.items()}
    values["TARGETSTAGE"] = "default"
    for arg in _globals(target):
        for pair in arg.pairs:
            if pair.value is not None:
                values[pair.key] = expand(pair.value, values.get, arg.escape).text
    return values
