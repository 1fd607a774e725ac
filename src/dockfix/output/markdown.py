"""Text from files as Markdown: it can not become markup, HTML, a link or a mention of a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dockfix.output.plain import printable

__all__ = ["code", "fenced", "prose", "table"]

MAX_TEXT: Final = 400
"""How many characters of a text are shown: a comment on a pull request has at most 65,536."""

_CODE: Final = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)")
_WORDS: Final = re.compile(r"[^\s`]*(?:@|://|www\.|(?<!\w)#\d)[^\s`]*")
"""Words that a forge would make a link or a mention."""
_SPECIAL: Final = re.compile(r"[^\w /-]|_")
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>|~#!&$]")


def code(text: str) -> str:
    """A code span, also for a cell of a table."""
    shown = _cut(printable(text))
    if not shown.strip():
        return "(empty)"
    if "|" in shown:  # in a table it would end the cell, and a backslash before it shows elsewhere
        return f"<code>{_SPECIAL.sub(lambda each: f'&#{ord(each[0])};', shown)}</code>"
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown}{space}{fence}"


def prose(text: str) -> str:
    """A sentence: code in backticks stays code, and all else is plain text."""
    shown = _cut(printable(text))
    done: list[str] = []
    at = 0
    for span in _CODE.finditer(shown):
        done += (_plain(shown[at : span.start()]), code(span[2].strip()))
        at = span.end()
    return "".join(done) + _plain(shown[at:])


def _plain(text: str) -> str:
    done: list[str] = []
    at = 0
    for word in _WORDS.finditer(text):
        done += (_escaped(text[at : word.start()]), code(word[0]))
        at = word.end()
    return "".join(done) + _escaped(text[at:])


def _escaped(text: str) -> str:
    return _MARKUP.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    entities = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
    return entities.get(found[0], f"\\{found[0]}")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], right: int | None = None) -> Iterator[str]:
    """The lines of a table of cells that are Markdown already; columns from `right` on are aligned to the right."""
    yield f"| {' | '.join(heading)} |"
    first_right = len(heading) if right is None else right
    yield f"|{'|'.join('---' if column < first_right else '---:' for column in range(len(heading)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def fenced(lines: Iterable[str], language: str = "") -> Iterator[str]:
    """A block of code that none of its lines can end."""
    shown = [printable(line, keep="\t") for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from shown
    yield fence
