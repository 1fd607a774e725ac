"""Text as the shell passes it on: literal words without their quoting, bodies of here-documents."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from dockfix.syntax.shell.model import Word

PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")

_Character = tuple[str, int, int]  # a character that the shell keeps, and the span that it was written as


def unquoted(text: str, base: int) -> list[_Character]:
    """The characters of a literal word without its quoting; `text` has no expansion and starts at `base`."""
    characters: list[_Character] = []
    position, quote_mark = 0, ""
    while position < len(text):
        char = text[position]
        width = 1
        if quote_mark == "'":
            if char == "'":
                quote_mark = ""
            else:
                characters.append((char, base + position, base + position + 1))
        elif char == "\\" and position + 1 < len(text):
            following = text[position + 1]
            if quote_mark and following not in '$`"\\\n':
                characters.append((char, base + position, base + position + 1))
            else:
                width = 2
                if following != "\n":
                    characters.append((following, base + position, base + position + 2))
        elif char == quote_mark:
            quote_mark = ""
        elif char in "'\"" and not quote_mark:
            quote_mark = char
        else:
            characters.append((char, base + position, base + position + 1))
        position += width
    return characters


class MappedText(Struct, frozen=True):
    """Text as the shell passes it on, mapped to the source.

    `text[i]` was written as `starts[i]` to `ends[i]` of the text around it (an escaped character with its backslash).
    `empty_at` is the position of an empty text.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    empty_at: int

    @property
    def one_to_one(self) -> bool:
        """Whether the text is a slice of its source, with nothing removed inside."""
        return not self.text or self.ends[-1] - self.starts[0] == len(self.text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The source span of `text[start:end]`; IndexError if it is not within the text."""
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(f"no span {start}..{end} in a text of {len(self.text)} characters")
        if start < end:
            return self.starts[start], self.ends[end - 1]
        if start < len(self.text):
            return self.starts[start], self.starts[start]
        position = self.ends[-1] if self.ends else self.empty_at
        return position, position


def _mapped(characters: list[_Character], empty_at: int) -> MappedText:
    return MappedText(
        "".join(char for char, _, _ in characters),
        tuple(start for _, start, _ in characters),
        tuple(end for _, _, end in characters),
        empty_at,
    )


def literal(word: Word) -> MappedText | None:
    """The value of a literal word with the source of each of its characters; None if the word expands."""
    if word.value is None:
        return None
    return _mapped(unquoted(word.text, word.start), word.start + (1 if word.quoted else 0))


def expand_heredoc(body: str, *, expand: bool, strip_tabs: bool = False, start: int = 0) -> MappedText | None:
    """What a command reads from a here-document; None when something in its body expands.

    `start` is the offset of the body, `expand` whether its terminator is unquoted, `strip_tabs` whether it came
    with `<<-`. POSIX 2.7.4: then `\\$`, ``\\` ` and `\\\\` lose their backslash, `\\<newline>`` joins lines.
    """
    characters: list[_Character] = []
    position, at_line_start = 0, True
    while position < len(body):
        char = body[position]
        if at_line_start and strip_tabs and char == "\t":
            position += 1
            continue
        at_line_start = char == "\n"
        if expand and char == "\\" and body[position + 1 : position + 2] in ("$", "`", "\\", "\n"):
            if body[position + 1] != "\n":
                characters.append((body[position + 1], start + position, start + position + 2))
            position += 2
            continue
        if expand and (char == "`" or (char == "$" and _expands_at(body, position))):
            return None
        characters.append((char, start + position, start + position + 1))
        position += 1
    return _mapped(characters, start)


def _expands_at(text: str, dollar: int) -> bool:
    return text.startswith(("(", "{"), dollar + 1) or bool(PARAMETER.match(text, dollar + 1))
