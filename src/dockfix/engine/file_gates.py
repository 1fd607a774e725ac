"""The gates for compose, bake and ignore files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dockfix.rule.model import Effect


def effect_of(path: Path) -> Effect:
    """The effect that a codemod must declare to change a file."""
    if path.name.endswith("ignore"):
        return Effect.IGNORE
    return Effect.BAKE if path.suffix in (".hcl", ".json") else Effect.COMPOSE


def check_other_file(path: Path, before: str, after: str) -> list[str]:
    """The complaints about a codemod's change of a file.

    The result must be readable, every key must still exist (values may change, keys may be added), and no comment may
    be lost. An argument of a build in a compose or bake file may become a secret of the same name.
    """
    match effect_of(path):
        case Effect.COMPOSE:
            return [f"{path.name}: {complaint}" for complaint in _yaml(before, after)]
        case Effect.BAKE:
            return [f"{path.name}: {complaint}" for complaint in _bake(before, after, json=path.suffix == ".json")]
        case _:
            return _lost(path.name, _ignore_comments(before), _ignore_comments(after))


def _yaml(before: str, after: str) -> Iterator[str]:
    from dockfix.edit.yaml_check import ABSENT, yaml_changes, yaml_comments  # noqa: PLC0415 - loads ruamel.yaml
    from dockfix.project.yaml_tree import YamlError  # noqa: PLC0415

    try:
        changes = yaml_changes(before, after)
    except YamlError as error:
        yield f"the result is invalid YAML: {error.reason}"
        return
    if any(new is ABSENT and "args" in place[-2:-1] for place, _, new in changes):
        secrets = {(place[:-2], new) for place, _, new in yaml_changes("{}", after) if "secrets" in place[-2:-1]}
        changes = [each for each in changes if each[2] is not ABSENT or _argument(each[0], each[1]) not in secrets]
    yield from _gone([(place, new is ABSENT) for place, _, new in changes])
    yield from _lost("the file", yaml_comments(before), yaml_comments(after))


def _argument(place: Sequence[str | int], old: object) -> tuple[tuple[str | int, ...], object]:
    """The build of an argument and its name: it may become a secret of the same name."""
    if "args" not in place[-2:-1]:
        return (), None
    return tuple(place[:-2]), place[-1] if isinstance(place[-1], str) else str(old).partition("=")[0]


def _bake(before: str, after: str, *, json: bool) -> Iterator[str]:
    from dockfix.edit.hcl_check import bake_changes  # noqa: PLC0415
    from dockfix.project.bake.tree import Syntax  # noqa: PLC0415 - loads the reader of bake files

    try:
        changes = bake_changes(before, after, json=json)
    except Syntax as error:
        yield f"the result cannot be read: {error}"
        return
    secrets = {place[:-1]: new for place, _, new in changes if place[-1] == "secret" and new is not None}
    kept = [each for each in changes if each[0][0] != "#" and not (each[2] is None and _is_secret(each[0], secrets))]
    yield from _gone([(place, new is None) for place, _, new in kept])
    yield from (f"a comment was changed: {old}" for place, old, _ in changes if place[0] == "#" and old is not None)


def _is_secret(place: tuple[str, ...], secrets: Mapping[tuple[str, ...], str]) -> bool:
    """Whether an argument of a bake target, or the last of them, became a secret of the same name."""
    if place[-1] == "args":
        return place[:-1] in secrets
    return place[-2] == "args" and f"id={place[-1]}," in secrets.get(place[:-2], "")


def _gone(changes: Sequence[tuple[Sequence[str | int], bool]]) -> Iterator[str]:
    """The values that were removed without a replacement in their place (a short form may become a long one)."""
    added = {tuple(place[:end]) for place, gone in changes if not gone for end in range(len(place) + 1)}
    for place, gone in changes:
        if gone and tuple(place) not in added:
            yield f"{'.'.join(map(str, place))} was lost"


def _lost(name: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    return [f"a comment of {name} was lost: {text}" for text in Counter(old) - Counter(new)]


def _ignore_comments(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.split("\n") if "#" in line]
