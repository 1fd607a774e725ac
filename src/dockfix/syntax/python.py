"""Python that a Dockerfile runs: `python -c '...'` and heredocs given to a Python interpreter, read with libcst.

The code is taken out of the shell's quoting with a way back, so that what is found in the Python lands in the right
place of the shell text, and through it in the Dockerfile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from dockfix.syntax.shell import SimpleCommand, Word

if TYPE_CHECKING:
    import libcst

_INTERPRETER: Final = re.compile(r"(?:.*/)?(?:python|pypy)(?:[23](?:\.[0-9]+)*)?t?\Z")
_WITH_VALUE: Final = frozenset("WXQ")  # single-letter options of CPython that take a value (python --help)
_MAX_DEPTH: Final = 80
"""Brackets nested deeper than this are not given to the parser, whose recursion is in native code."""


@dataclass(frozen=True, slots=True)
class PythonCode:
    """Python source with the offsets in the shell text of each of its characters, and of its end."""

    source: str
    offsets: tuple[int, ...]

    def span_in_shell(self, start: int, end: int) -> tuple[int, int]:
        """Where `source[start:end]` stands in the shell text, with the escapes that belong to it."""
        return self.offsets[start], self.offsets[end]


@dataclass(frozen=True, slots=True)
class PythonProblem:
    """Why Python code does not parse; `line` is 1-based within the code."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class ParsedPython:
    """Parsed Python; `module` is None where there is a problem."""

    source: str
    module: libcst.Module | None
    problem: PythonProblem | None
    imports: tuple[str, ...]
    """Top-level names of the modules that it imports, in order, once each."""


def is_python(name: str | None) -> bool:
    """Whether a command's name is a Python interpreter's, with any path and version."""
    return name is not None and _INTERPRETER.match(name) is not None


def python_in_command(command: SimpleCommand) -> PythonCode | None:
    """The code of `python [options] -c CODE`; None if there is none or the shell expands something in it."""
    if not is_python(command.name):
        return None
    words = iter(command.args)
    for word in words:
        value = word.value
        if value is None or not value.startswith("-") or value in ("-", "--"):
            return None
        if value.startswith("--"):
            continue
        letters = value[1:]
        at = next((index for index, letter in enumerate(letters) if letter in _WITH_VALUE or letter in "cm"), None)
        if at is None:
            continue
        if letters[at] == "m":
            return None
        attached = letters[at + 1 :]
        if letters[at] == "c":
            code = None if attached else next(words, None)
            return _unquoted(code) if code is not None else None
        if not attached:
            next(words, None)
    return None


def runs_standard_input(command: SimpleCommand) -> bool:
    """Whether a command is a Python interpreter that reads its program from standard input (`python3 <<EOF`)."""
    return is_python(command.name) and all(
        word.value is not None and word.value.startswith("-") for word in command.args
    )


def python_in_heredoc(content: str, start: int, *, expand: bool) -> PythonCode | None:
    """The code in the body of a heredoc.

    Args:
        content: the body as the interpreter gets it, but for expansions.
        start: its offset in the shell text.
        expand: whether the shell expands in it; None is returned then if anything would.
    """
    if not expand:
        return PythonCode(content, tuple(range(start, start + len(content) + 1)))
    return _resolve(content, start, escapes="$`\\")


def _unquoted(word: Word) -> PythonCode | None:
    text = word.text
    if word.value is None:
        return None
    if text[:1] == "'" and text.find("'", 1) == len(text) - 1:
        inner = text[1:-1]
        return PythonCode(inner, tuple(range(word.start + 1, word.end)))
    if text[:1] == '"' and text[-1:] == '"' and text.count('"') - text.count('\\"') == 2:
        return _resolve(text[1:-1], word.start + 1, escapes='$`\\"')
    return None


def _resolve(text: str, start: int, escapes: str) -> PythonCode | None:
    """Undo the escapes of a double-quoted string or an expanding heredoc; None if something in it expands."""
    out: list[str] = []
    offsets: list[int] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in "$`":
            name = text[at + 1 : at + 2]
            if char == "`" or name.isalnum() or name in tuple("({_@*#?-$!"):
                return None
        if char == "\\" and at + 1 < len(text):
            following = text[at + 1]
            if following == "\n":
                at += 2
                continue
            if following in escapes:
                out.append(following)
                offsets.append(start + at)
                at += 2
                continue
        out.append(char)
        offsets.append(start + at)
        at += 1
    offsets.append(start + len(text))
    return PythonCode("".join(out), tuple(offsets))


@lru_cache(maxsize=256)
def parse_python(source: str) -> ParsedPython:
    """Parse Python with libcst. Never raises; what does not parse has a problem."""
    import libcst  # noqa: PLC0415 - slow to load, rarely needed

    if _too_deep(source):
        return ParsedPython(source, None, PythonProblem("brackets are nested too deeply", 1), ())
    try:
        module = libcst.parse_module(source)
    except libcst.ParserSyntaxError as error:
        return ParsedPython(source, None, PythonProblem(str(error.message), error.raw_line), ())
    except (RecursionError, UnicodeError, ValueError) as error:
        return ParsedPython(source, None, PythonProblem(f"{type(error).__name__}: {error}", 1), ())
    return ParsedPython(source, module, None, _imports(module))


def _too_deep(source: str) -> bool:
    depth = 0
    for char in source:
        if char in "([{":
            depth += 1
            if depth > _MAX_DEPTH:
                return True
        elif char in ")]}":
            depth = max(0, depth - 1)
    return False


def _imports(module: libcst.Module) -> tuple[str, ...]:
    import libcst.matchers as m  # noqa: PLC0415 - as above

    found: list[str] = []
    for node in m.findall(module, m.Import() | m.ImportFrom()):
        names = _dotted(node)
        found += [name.partition(".")[0] for name in names]
    return tuple(dict.fromkeys(found))


def _dotted(node: libcst.CSTNode) -> list[str]:
    import libcst  # noqa: PLC0415 - as above
    from libcst.helpers import get_full_name_for_node  # noqa: PLC0415 - as above

    if isinstance(node, libcst.ImportFrom):
        name = get_full_name_for_node(node.module) if node.module is not None and not node.relative else None
        return [name] if name else []
    if isinstance(node, libcst.Import):
        return [name for alias in node.names if (name := get_full_name_for_node(alias.name))]
    return []
