"""The gates for files that are no Dockerfiles: what must hold of a codemod's work on compose, bake and ignore files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dockfix.codemod.model import Effect

__all__ = ["check_other_file", "effect_of"]


def effect_of(path: Path) -> Effect:
    """What a codemod must declare to change a file."""
    if path.name.endswith("ignore"):
        return Effect.IGNORE
    return Effect.BAKE if path.suffix in (".hcl", ".json") else Effect.COMPOSE


def check_other_file(path: Path, before: str, after: str) -> list[str]:
    """What is wrong with a codemod's work on a file: a comment that is lost; empty if all is well.

    That the result can be read at all is seen when the project is read again.
    """
    lost = Counter(_comments(before)) - Counter(_comments(after))
    return [f"a comment of {path.name} was lost: {text}" for text in lost]


def _comments(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.split("\n") if "#" in line]
