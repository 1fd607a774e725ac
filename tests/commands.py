"""The commands that the pages of the documentation show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md")),
    ROOT / "examples" / "audit" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "rules").glob("*.md")),
)
SHELL: Final = frozenset(("console", "sh"))
"""Languages of blocks whose lines are commands, or commands after `$ ` with their output."""
SHOWN: Final = frozenset(
    ("dockerfile", "diff", "mermaid", "text", "json", "toml", "python", "pycon", "markdown", "vim", "elisp")
)
"""Languages of blocks without commands for a shell. Other tests run Python, and read what is configuration."""
SCRIPTS: Final = frozenset(("yaml", "groovy"))
"""Languages of blocks with scripts in them. tests/e2e/test_recipes.py runs those of the recipes."""
PROGRAMS: Final = re.compile(
    r"(?:\S*/)?(?:bash|brew|curl|docker|dockfix\S*|git|hadolint|make|npm|npx|pip|pipx|pre-commit|pytest|python3?|run|sh"
    r"|sudo|tally|uv|uvx|wget)(?: |\Z)"
)
_DOCKFIX: Final = re.compile(r"(?<![\w./@\\-])dockfix(?= (?:-|[a-z]+(?: |$|[\"'`;)])))", re.M)
_A_NAME: Final = re.compile(r"(?:docker build|pre-commit run)\b[^|;&]*\Z")
"""Before the name of an image or a hook."""
_END: Final = re.compile(r"[|&;<>(){}]+\Z")


class Block(NamedTuple):
    """A block of code of a page, or a span of code in its text (`language` is then `span`)."""

    page: Path
    language: str
    text: str

    @property
    def name(self) -> str:
        return self.page.relative_to(ROOT).as_posix()

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of a block of commands."""
        lines = self.text.splitlines()
        prompted = tuple(line[2:] for line in lines if line.startswith("$ "))
        return prompted or tuple(line for line in lines if PROGRAMS.match(line) or line.startswith("cd "))


@cache
def blocks() -> tuple[Block, ...]:
    """The blocks and spans of all pages. An indented block is one of commands."""
    return tuple(_blocks())


def _blocks() -> Iterator[Block]:
    parser = MarkdownIt("commonmark").enable("table")
    for page in PAGES:
        for token in parser.parse(page.read_text(encoding="utf-8")):
            if token.type in ("fence", "code_block"):
                language = token.info.partition(" ")[0] if token.type == "fence" else "sh"
                yield Block(page, language, token.content)
            for child in token.children or ():
                if child.type == "code_inline":
                    yield Block(page, "span", child.content)


def calls(text: str) -> Iterator[tuple[str, ...]]:
    """The arguments of each `dockfix ...` in a text of a shell, or with such texts in it."""
    for line in re.sub(r"<(\w+)>", r"\1", text).splitlines():
        for found in _DOCKFIX.finditer(line):
            if not _A_NAME.search(line[: found.start()]):
                yield _arguments(line[found.end() :])


def _arguments(text: str) -> tuple[str, ...]:
    try:
        words = _words(text)
    except ValueError:  # the text is in quotes itself, which end it
        words = _words(re.split(r"[\"'`]", text)[0])
    for number, word in enumerate(words):
        if _END.match(word):
            return tuple(words[:number])
    return tuple(words)


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>(){}")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)
