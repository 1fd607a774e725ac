"""Compares two images: configuration, files, packages, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockfix.rule.promise import Promise
from dockfix.verify.image import Image
from dockfix.verify.model import Difference, Measurement

__all__ = ["UNSTABLE", "allowed", "compare", "measurements", "unstable"]

UNSTABLE = "differs between two builds of the same Dockerfile"


def compare(before: Image, after: Image) -> tuple[Difference, ...]:
    """What differs between two images; noise has its `reason`, and is last."""


def allowed(
    differences: Sequence[Difference], promises: Mapping[str, Promise], before: Image, after: Image
) -> tuple[Difference, ...]:
    """The differences, where those that the promise of a rule allows have the reason `promised by <rule>`."""


def unstable(differences: Sequence[Difference], repeated: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences, where those that two builds of *before* have, too, have the reason `UNSTABLE`."""


def measurements(before: Image, after: Image) -> tuple[Measurement, ...]:
    """Image size, layers, files and packages."""
