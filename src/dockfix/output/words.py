"""Numbers and lists in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["by_hand", "lines_text", "listed"]


def listed(words: Sequence[str], *, last: str = "and", most: int = 0) -> str:
    """`a, b and c`.

    Args:
        words: the words, at least one.
        last: the word before the last of them.
        most: how many are shown; of more, the last is `N more`. 0: all.
    """
    shown = list(words)
    if most and len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def lines_text(numbers: Iterable[int], *, most: int = 8) -> str:
    """`line 3`, or `lines 3, 5 and 8`: the numbers of lines, at least one, in their order, each once."""
    words = [str(number) for number in dict.fromkeys(numbers)]
    return f"{'line' if len(words) == 1 else 'lines'} {listed(words, most=most)}"


def by_hand(number: int, *, shown: bool) -> str:
    """How many findings are left to a person; `shown`: whether the output has them."""
    return f"{number} to fix by hand" + ("" if shown else f" (-v shows {'it' if number == 1 else 'them'})")
