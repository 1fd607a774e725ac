"""Unified diffs that `git apply` and `patch -p1` take, of texts with any line ends and any bytes.

Lines end at `\\n` only (never at `\\r`, form feed or the Unicode line ends that `str.splitlines` splits at), and a last
line without one is marked as git and POSIX `diff -u` do. Nothing here reads or writes a file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from dockfix.syntax.source import encode

CONTEXT: Final = 3
"""Unchanged lines around a change, as git and diff show them."""

_SMALL: Final = 250_000
"""Products of line counts up to which the exact, quadratic comparison is used."""

_ESCAPES: Final = {
    0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r",
    0x22: '\\"', 0x5C: "\\\\",
}  # fmt: skip


class Block(Struct, frozen=True):
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
    body = [line for hunk in _hunks(line_blocks(old, new), context) for line in _render(hunk, old, new)]
    return "".join(header + body) if body else ""


def original_lines(before: str, after: str) -> list[int]:
    """For each line of `after`, the 1-based line of `before` that it equals, replaces or is next to."""
    old, new = split_lines(before), split_lines(after)
    lines: list[int] = []
    for block in line_blocks(old, new):
        last = max(block.old_start, block.old_end - 1)
        start = block.old_start
        size = block.new_end - block.new_start
        lines += [min(start + offset, last, max(len(old) - 1, 0)) + 1 for offset in range(size)]
    return lines


def _name(path: str) -> str:
    """A path as git writes it: C-quoted if it holds odd bytes, followed by a tab if it contains a space.

    Source: `quote_c_style` in git's quote.c, and `emit_diff_symbol` in its diff.c, for the tab that keeps `patch` from
    taking what follows a space for a time stamp.
    """
    data = encode(path)
    if all(0x20 <= byte < 0x7F and byte not in _ESCAPES for byte in data):
        return f"{path}\t" if " " in path else path
    quoted = (_ESCAPES.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in data)
    return f'"{"".join(quoted)}"'


def line_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
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
    """Runs of equal and changed lines of two texts; their numbers are shifted by `shift`.

    The exact comparison is quadratic, so large texts are first cut at lines that occur once in both ("patience diff");
    a piece that is still too large is one change. The diff is right in any case, it may only be longer.
    """
    if not old and not new:
        return []
    cuts = [(0, 0)]
    if len(old) * len(new) > _SMALL:
        cuts += _anchors(old, new)
    ends = [*cuts[1:], (len(old), len(new))]
    blocks: list[Block] = []
    for (a, c), (b, d) in zip(cuts, ends, strict=True):
        blocks += _match_small(old[a:b], new[c:d], shift + a, shift + c)
    return blocks


def _match_small(old: Sequence[str], new: Sequence[str], old_shift: int, new_shift: int) -> list[Block]:
    head, shorter = 0, min(len(old), len(new))
    while head < shorter and old[head] == new[head]:
        head += 1
    blocks = [Block(True, old_shift, old_shift + head, new_shift, new_shift + head)]
    old, new, a, c = old[head:], new[head:], old_shift + head, new_shift + head
    if len(old) * len(new) > _SMALL:
        return [*blocks, Block(False, a, a + len(old), c, c + len(new))]
    return blocks + [
        Block(tag == "equal", a + i, a + j, c + k, c + m)
        for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    ]


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Numbers of equal lines that occur once in each text: a longest sequence of them that rises in both."""
    once_old, once_new = Counter(old), Counter(new)
    places = {line: at for at, line in enumerate(new) if once_new[line] == 1}
    pairs = [(at, places[line]) for at, line in enumerate(old) if once_old[line] == 1 and line in places]
    tails: list[int] = []  # per length, the smallest place in `new` that a rising sequence of it ends with
    owners: list[int] = []  # and the pair that it belongs to
    previous: list[int] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        previous.append(owners[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        owners[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = owners[-1] if owners else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


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
