"""Unified diffs that `git apply` and `patch -p1` take, byte for byte.

Lines end at `\\n` and nowhere else: a lone `\\r`, a form feed or U+2028 is content. Text is decoded with
`surrogateescape`, so `dockfix.syntax.source.encode` of a diff has the very bytes of the files.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from dockfix.output.plain import PLAIN, Style, printable

CONTEXT_LINES: Final = 3
_SMALL: Final = 250_000
"""Products of line counts up to which the exact, quadratic comparison is used."""

_Block = tuple[int, int, int, int]
"""Lines `[a0, a1)` of the old text became lines `[b0, b1)` of the new."""

_QUOTED: Final = {
    0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0C: "\\f", 0x0D: "\\r",
    0x22: '\\"', 0x5C: "\\\\",
}  # fmt: skip


def unified_diff(display: str, before: str, after: str) -> str:
    """The diff of one file, empty if nothing differs.

    Args:
        display: the project-relative path with `/`.
        before: the old text.
        after: the new text.
    """
    if before == after:
        return ""
    old, new = split_lines(before), split_lines(after)
    out = [f"--- {quote_path('a/' + display)}\n", f"+++ {quote_path('b/' + display)}\n"]
    for hunk in _hunks(list(_changes(old, new))):
        out += _hunk(hunk, old, new)
    return "".join(out)


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only `\\n` ends a line."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def quote_path(path: str) -> str:
    """A path as git writes it in a diff: C-quoted if it holds a control character, `"`, `\\` or a byte above 0x7f.

    A path with a space gets a tab behind it, as in git, so that `patch` does not take what follows for a date.
    Source: git's `quote_c_style` (quote.c) with `core.quotePath` on, and `emit_rewrite_diff` (diff.c) for the tab.
    """
    data = path.encode("utf-8", "surrogateescape")
    if any(byte < 0x20 or byte >= 0x7F or byte in b'"\\' for byte in data):
        return '"' + "".join(_quoted(byte) for byte in data) + '"'
    return path + "\t" if " " in path else path


def colour_diff(diff: str, style: Style = PLAIN) -> str:
    """A diff for a terminal: coloured, and with what could act on the terminal escaped."""
    out: list[str] = []
    for line in split_lines(diff):
        shown = printable(line.removesuffix("\n"), keep="\t")
        if line.startswith(("--- ", "+++ ")):
            kind = "bold"
        elif line.startswith("@@"):
            kind = "hunk"
        elif line.startswith("+"):
            kind = "added"
        elif line.startswith("-"):
            kind = "removed"
        else:
            out.append(shown + "\n")
            continue
        out.append(style(kind, shown) + "\n")
    return "".join(out)


def _quoted(byte: int) -> str:
    if byte in _QUOTED:
        return _QUOTED[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _hunks(blocks: Sequence[_Block]) -> Iterator[list[_Block]]:
    """Changes whose context would touch stand in one hunk."""
    hunk: list[_Block] = []
    for block in blocks:
        if hunk and block[0] - hunk[-1][1] > 2 * CONTEXT_LINES:
            yield hunk
            hunk = []
        hunk.append(block)
    if hunk:
        yield hunk


def _hunk(blocks: Sequence[_Block], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    lead = min(CONTEXT_LINES, blocks[0][0])
    trail = min(CONTEXT_LINES, len(old) - blocks[-1][1])
    a0, a1 = blocks[0][0] - lead, blocks[-1][1] + trail
    b0, b1 = blocks[0][2] - lead, blocks[-1][3] + trail
    yield f"@@ -{_range(a0, a1)} +{_range(b0, b1)} @@\n"
    at = a0
    for start, end, new_start, new_end in blocks:
        yield from (_line(" ", line) for line in old[at:start])
        yield from (_line("-", line) for line in old[start:end])
        yield from (_line("+", line) for line in new[new_start:new_end])
        at = end
    yield from (_line(" ", line) for line in old[at:a1])


def _range(start: int, end: int) -> str:
    """A range as POSIX `diff -u` has it: an empty one names the line before it."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[_Block]:
    """The changed blocks in order.

    The exact comparison is quadratic, so a large text is first cut at lines that stand once in both (patience diff);
    what is still too large is shown as replaced whole. The diff is right in any case, it may only be longer.
    """
    stack: list[tuple[_Block, bool]] = [((0, len(old), 0, len(new)), True)]
    while stack:
        (a0, a1, b0, b1), may_cut = stack.pop()
        while a0 < a1 and b0 < b1 and old[a0] == new[b0]:
            a0, b0 = a0 + 1, b0 + 1
        while a0 < a1 and b0 < b1 and old[a1 - 1] == new[b1 - 1]:
            a1, b1 = a1 - 1, b1 - 1
        if a0 == a1 and b0 == b1:
            continue
        if a0 == a1 or b0 == b1:
            yield a0, a1, b0, b1
        elif (a1 - a0) * (b1 - b0) <= _SMALL:
            matcher = SequenceMatcher(None, old[a0:a1], new[b0:b1], autojunk=False)
            for tag, i0, i1, j0, j1 in matcher.get_opcodes():
                if tag != "equal":
                    yield a0 + i0, a0 + i1, b0 + j0, b0 + j1
        elif may_cut and (anchors := _anchors(old[a0:a1], new[b0:b1])):
            cuts = [(0, 0), *anchors, (a1 - a0, b1 - b0)]
            pieces = [((a0 + i0, a0 + i1, b0 + j0, b0 + j1), False) for (i0, j0), (i1, j1) in pairwise(cuts)]
            stack += reversed(pieces)
        else:
            yield a0, a1, b0, b1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of equal lines that stand once in each text, a longest sequence of them that rises in both."""
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
