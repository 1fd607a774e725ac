"""The builders, each behind the interface `dockfix.verify.model.Builder`."""

from __future__ import annotations

from pathlib import Path

from dockfix.verify.model import Builder

__all__ = ["find_builder"]


def find_builder(name: str | None, *, folder: Path) -> Builder:
    """The builder of this name, or the first one that works."""
    raise NotImplementedError
