"""Finds which of several fixes break a promise, with few builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["culprits"]

T = TypeVar("T")


def culprits(items: Sequence[T], breaks: Callable[[Sequence[T]], bool]) -> tuple[list[T], list[T]]:
    """The items that break something, and the others, which together do not.

    Each culprit is found by halving: of the sets that consist of the first items, a smallest one that breaks ends with
    a culprit. It is removed, and the rest is tried again. This needs about `log2(n) + 1` trials for each culprit.

    Args:
        items: in the order in which they are applied.
        breaks: whether some of the items, in order, break it. The empty set must not.

    Returns:
        The culprits in the order in which they were found, and the items that are left.
    """
    left, found = list(items), list[T]()
    while left and breaks(left):
        good, bad = 0, len(left)
        while bad - good > 1:
            middle = (good + bad) // 2
            if breaks(left[:middle]):
                bad = middle
            else:
                good = middle
        found.append(left.pop(bad - 1))
    return found, left
