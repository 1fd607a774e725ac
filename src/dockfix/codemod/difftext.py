"""Unified diffs that `git apply` and `patch -p1` take, of texts with any line ends and any bytes.

Lines end at `\\n` only (never at `\\r`, form feed or the Unicode line ends that `str.splitlines` splits at), and a last
line without one is marked as git and POSIX `diff -u` do. Nothing here reads or writes a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from dockfix.syntax.source import encode

CONTEXT: Final = 3
"""Unchanged lines around a change, as git and diff show them."""

_MAX_PAIRS: Final = 5_000_000
"""Pairs of equal lines past which the lines are not matched up: what differs is then shown as one change."""

_ESCAPES: Final = {
    0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r",
    0x22: '\\"', 0x5C: "\\\\",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines that are equal in both texts or changed: `old[old_start:old_end]` is `new[new_start:new_end]`."""

    equal: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def split_lines(text: str) -> list[str]:
    """The lines of a text, each with its `\\n`; the last one may have none."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def unified_diff(before: str | None, after: str | None, path: str, *, context: int = CONTEXT) -> str:
    """The unified diff of a file, with the paths `a/PATH` and `b/PATH`; nothing if the texts are equal.

    Args:
        before: the text as it is; None if the file is to be created.
        after: the text as it should be; None if the file is to be deleted.
        path: the file, relative to the folder in which the diff is to be applied, with `/`.
        context: how many unchanged lines to show around a change.
    """
    if before == after:
        return ""
    old, new = split_lines(before or ""), split_lines(after or "")
    header = [
        f"--- {'/dev/null' if before is None else _name('a/' + path)}\n",
        f"+++ {'/dev/null' if after is None else _name('b/' + path)}\n",
    ]
    body = [line for hunk in _hunks(_blocks(old, new), context) for line in _render(hunk, old, new)]
    return "".join(header + body) if body else ""


def _name(path: str) -> str:
    """A path as git writes it: C-quoted if it holds odd bytes, with a tab behind it if it holds a space.

    Source: `quote_c_style` in git's quote.c, and `emit_diff_symbol` in its diff.c, for the tab that keeps `patch` from
    taking what follows a space for a time stamp.
    """
    data = encode(path)
    if all(0x20 <= byte < 0x7F and byte not in _ESCAPES for byte in data):
        return f"{path}\t" if " " in path else path
    quoted = (_ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in data)
    return f'"{"".join(quoted)}"'


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Both texts as runs of equal and changed lines, in order."""
    low, shorter = 0, min(len(old), len(new))
    while low < shorter and old[low] == new[low]:
        low += 1
    tail = 0
    while tail < shorter - low and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    high_old, high_new = len(old) - tail, len(new) - tail
    blocks = [Block(True, 0, low, 0, low)]
    blocks += _match(old[low:high_old], new[low:high_new], low)
    blocks.append(Block(True, high_old, len(old), high_new, len(new)))
    merged: list[Block] = []
    for block in blocks:
        if block.old_start == block.old_end and block.new_start == block.new_end:
            continue
        if merged and merged[-1].equal == block.equal:
            last = merged.pop()
            merged.append(Block(block.equal, last.old_start, block.old_end, last.new_start, block.new_end))
        else:
            merged.append(block)
    return merged


def _match(old: Sequence[str], new: Sequence[str], shift: int) -> list[Block]:
    counts = Counter(new)
    if sum(counts[line] for line in old) > _MAX_PAIRS:
        # difflib would take minutes; the one large change is as true
        return [Block(False, shift, shift + len(old), shift, shift + len(new))]
    return [
        Block(tag == "equal", shift + a, shift + b, shift + c, shift + d)
        for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes()
    ]


def _hunks(blocks: Sequence[Block], context: int) -> Iterator[list[Block]]:
    """The changed blocks with their context, those closer than two contexts together."""
    hunk: list[Block] = []
    for index, block in enumerate(blocks):
        if not block.equal:
            hunk.append(block)
            continue
        size = block.old_end - block.old_start
        first, last = index == 0, index == len(blocks) - 1
        if not first and (last or size > 2 * context):
            keep = min(context, size)
            hunk.append(Block(True, block.old_start, block.old_start + keep, block.new_start, block.new_start + keep))
            yield hunk
            hunk = []
        if first or (not last and size > 2 * context):
            keep = min(context, size)
            hunk = [Block(True, block.old_end - keep, block.old_end, block.new_end - keep, block.new_end)]
        elif not last:
            hunk.append(block)
    if any(not block.equal for block in hunk):
        yield hunk


def _render(hunk: Sequence[Block], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    first, last = hunk[0], hunk[-1]
    yield f"@@ -{_range(first.old_start, last.old_end)} +{_range(first.new_start, last.new_end)} @@\n"
    for block in hunk:
        if block.equal:
            yield from (_line(" ", line) for line in old[block.old_start : block.old_end])
        else:
            yield from (_line("-", line) for line in old[block.old_start : block.old_end])
            yield from (_line("+", line) for line in new[block.new_start : block.new_end])


def _range(start: int, end: int) -> str:
    """Lines as POSIX `diff -u` counts them: from 1, and the line before if there are none."""
    size = end - start
    if size == 1:
        return str(start + 1)
    return f"{start + 1 if size else start},{size}"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
