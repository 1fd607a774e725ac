"""Redirects and here-documents of a shell text (POSIX.1-2017 XCU 2.7, with bash's `<<<`, `&>` and `&>>`)."""

from __future__ import annotations

import re
from typing import Final

from dockfix.syntax.shell.items import DraftRedirect
from dockfix.syntax.shell.model import Heredoc, Word
from dockfix.syntax.shell.text import unquoted
from dockfix.syntax.shell.words import BLANKS, WordScanner

_HERE: Final = re.compile(r"[^\\$`]+")
REDIRECT: Final = re.compile(r"(?P<fd>[0-9]*)(?P<operator><<<|<<-|<<|<>|<&|<|>>|>&|>\||>)|(?P<both>&>>?)")
DESCRIPTOR: Final = re.compile(r"[0-9]+(?=[<>])")


def read_redirect(scanner: WordScanner, match: re.Match[str]) -> DraftRedirect:
    """Read the redirect at a match of `REDIRECT`; the body of a here-document is read later."""
    scanner.count()
    start = scanner.pos
    operator = match["both"] or match["operator"]
    scanner.pos = match.end()
    blanks = BLANKS.match(scanner.text, scanner.pos, scanner.end)
    if blanks:
        scanner.pos = blanks.end()
    word: Word | None = scanner.word()
    if word is not None and not word.text:
        word = None
        scanner.problems.append((start, match.end()))
    draft = DraftRedirect(start, scanner.pos, operator, word, match["fd"] or None)
    if operator in ("<<", "<<-") and word is not None:
        scanner.pending.append(draft)
    return draft


def read_heredocs(scanner: WordScanner) -> None:
    """Read the bodies of the pending here-documents; the position is at the start of a line."""
    pending, scanner.pending = scanner.pending, []
    for draft in pending:
        word = draft.target
        if word is None:
            continue
        name = "".join(char for char, _, _ in unquoted(word.text, 0))
        strip_tabs = draft.operator == "<<-"
        start = scanner.pos
        tabs = r"\t*" if strip_tabs else ""
        last = re.compile(f"^{tabs}{re.escape(name)}$", re.MULTILINE).search(scanner.text, start, scanner.end)
        if last is not None and last.end() < scanner.end and scanner.text[last.end()] != "\n":
            last = None
        terminated = last is not None
        position = scanner.end
        if last is not None:
            position, scanner.pos = last.start(), min(last.end() + 1, scanner.end)
        if not terminated:
            scanner.pos = scanner.end
            scanner.problems.append((start, scanner.end))
        expand = not word.quoted
        draft.heredoc = Heredoc(start, position, name, expand, strip_tabs, terminated)
        if expand:
            saved = scanner.pos, scanner.end, scanner.substitutions
            scanner.pos, scanner.end, scanner.substitutions = start, position, []
            scanner.expandable([], _HERE, "$`\\")
            draft.substitutions = scanner.substitutions
            scanner.pos, scanner.end, scanner.substitutions = saved
