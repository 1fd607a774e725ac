"""Python code that a build runs: `python -c` and heredocs, mapped to the shell text, and libcst.

The command line is read as described in "Command line and environment" of the Python documentation. Nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.syntax.shell import MappedText, SimpleCommand, Word, expand_heredoc, literal

if TYPE_CHECKING:
    import libcst

_INTERPRETER: Final = re.compile(r"(?:python|pypy)(?:[0-9]+(?:\.[0-9]+)*t?)?(?:\.exe)?")
_ENVIRONMENT_ENTRY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
# Options of python that take a value, attached or as the next word.
_VALUE_OPTIONS: Final = "WX"
# Commands that run their remaining words in an environment; the program directly follows these words.
_RUNNERS: Final = (("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"), ("exec",), ("command",))


class PythonCode(Struct, frozen=True):
    """Python source as the interpreter receives it, mapped to the shell text around it.

    `start` and `end` delimit the word with its quotes, or the body of the heredoc.
    """

    source: str
    start: int
    end: int
    mapped: MappedText

    @property
    def one_to_one(self) -> bool:
        """Whether the source is a slice of the shell text, with nothing removed within."""
        return self.mapped.one_to_one

    def span_in_shell(self, start: int, end: int) -> tuple[int, int]:
        """The span of `source[start:end]` in the shell text; IndexError if it is not within the source."""
        return self.mapped.span(start, end)


class PythonProblem(Struct, frozen=True):
    """Why Python source does not parse; `line` and `column` count from 1 and are None when unknown."""

    message: str
    line: int | None = None
    column: int | None = None


class ParsedPython(Struct, frozen=True):
    """Python source as a libcst module; `module` is None exactly when there is a problem.

    `imports`: the top-level names of all absolute imports (`import a.b` and `from a.c import d` give `a`), each once,
    in source order.
    """

    source: str
    module: libcst.Module | None
    problems: tuple[PythonProblem, ...]
    imports: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the source parsed."""
        return self.module is not None


def is_python(program: str) -> bool:
    """Whether a program name or path is a Python interpreter (`python3`, `/opt/x/bin/python3.12`)."""
    return _INTERPRETER.fullmatch(re.split(r"[/\\]", program)[-1]) is not None


def _arguments(words: Sequence[Word]) -> Sequence[Word] | None:
    """The words after a Python interpreter; `exec`, `env A=b`, `uv run` and similar commands are skipped."""
    rest = list(words)
    # Every round removes words, so this ends.
    while rest:
        values = [word.value for word in rest[:2]]
        program = values[0]
        if program is None:
            return None
        if is_python(program):
            return rest[1:]
        runner = next((runner for runner in _RUNNERS if tuple(values[: len(runner)]) == runner), None)
        if runner is not None:
            rest = rest[len(runner) :]
        elif program.rpartition("/")[2] == "env":
            rest = rest[1:]
            while rest and _ENVIRONMENT_ENTRY.match(rest[0].text):
                rest = rest[1:]
        else:
            return None
    return None


def _skip_options(arguments: Sequence[Word]) -> tuple[str, int]:
    """How the interpreter gets its program (`c`, `m`, `file`, `stdin` or `unknown`), and the index of the word with it.

    For an attached `-cCODE` the index is that of the option.
    """
    position = 0
    while position < len(arguments):
        option = arguments[position].value
        if option is None:
            # Only `-c"$x"` could matter, and its code is not known anyway.
            return "unknown", position
        if option == "-":
            return "stdin", position
        if not option.startswith("-"):
            return "file", position
        if option.startswith("--"):
            position += 2 if option == "--check-hash-based-pycs" else 1
            continue
        for index, letter in enumerate(option[1:], start=1):
            if letter in "cm":
                return letter, position if option[index + 1 :] else position + 1
            if letter in _VALUE_OPTIONS:
                position += 0 if option[index + 1 :] else 1
                break
        position += 1
    return "stdin", position


def _without_head(mapped: MappedText, count: int) -> MappedText:
    return MappedText(mapped.text[count:], mapped.starts[count:], mapped.ends[count:], mapped.empty_at)


def python_in_command(command: SimpleCommand) -> PythonCode | None:
    """The code of `python [options] -c CODE`; None if it is another command, or if the shell expands the code."""
    arguments = _arguments(command.words)
    if arguments is None:
        return None
    how, position = _skip_options(arguments)
    if how != "c" or position >= len(arguments):
        return None
    word = arguments[position]
    mapped = literal(word)
    if mapped is None:
        return None
    previous = arguments[position - 1].value if position else None
    attached = not (previous is not None and _ends_in_c(previous))
    if attached:
        mapped = _without_head(mapped, mapped.text.index("c") + 1)
    return PythonCode(mapped.text, word.start, word.end, mapped)


def _ends_in_c(option: str) -> bool:
    """Whether a word of options ends with the `-c` whose code is the next word."""
    if not option.startswith("-") or option.startswith("--"):
        return False
    head, _, code = option.partition("c")
    return not code and option.endswith("c") and not any(letter in head for letter in _VALUE_OPTIONS)


def python_in_heredoc(
    body: str, *, start: int = 0, expand: bool = False, strip_tabs: bool = False
) -> PythonCode | None:
    """The Python code in the `body` of a heredoc, which begins at offset `start` of its text.

    `expand`: its terminator is unquoted and a shell reads it (a heredoc that is a file, with a Python shebang, is not
    expanded). `strip_tabs`: `<<-`. None if the shell expands anything in it.
    """
    mapped = expand_heredoc(body, expand=expand, strip_tabs=strip_tabs, start=start)
    return None if mapped is None else PythonCode(mapped.text, start, start + len(body), mapped)


def python_on_stdin(text: str, command: SimpleCommand) -> PythonCode | None:
    """The code of `python [-] <<EOF` in the shell `text` from which the command was parsed.

    None if the interpreter runs something else, or if the shell expands anything in the heredoc.
    """
    arguments = _arguments(command.words)
    if arguments is None or _skip_options(arguments)[0] != "stdin":
        return None
    inputs = [redirect for redirect in command.redirects if redirect.operator[0] == "<" and not redirect.descriptor]
    heredoc = inputs[-1].heredoc if inputs else None
    if heredoc is None:
        return None
    body = text[heredoc.start : heredoc.end]
    return python_in_heredoc(body, start=heredoc.start, expand=heredoc.expand, strip_tabs=heredoc.strip_tabs)


def _failed(source: str, message: str, line: int | None = None, column: int | None = None) -> ParsedPython:
    return ParsedPython(source, None, (PythonProblem(message, line, column),), ())


# libcst's native parser recurses on the machine stack and takes quadratic time on chains of operators (11 seconds for
# 5,000 chained calls), so code that nests far deeper than real code is rejected before.
_MAX_DEPTH: Final = 1000
_MAX_BRACKETS: Final = 100  # CPython's own limit is 200: "too many nested parentheses"
_MAX_ELIFS: Final = 2000  # each is nested in the one before
# The tokenizer may fail on source that libcst can read (syntax newer than the running Python's). A short source
# cannot be deep.
_MAX_BROKEN: Final = 2000


def _too_deep(source: str) -> bool:
    """Whether an expression may nest too deeply, by an upper bound: the tokens since the last comma of each open
    bracket."""
    import io  # noqa: PLC0415 - only needed with libcst
    import tokenize  # noqa: PLC0415

    counts, total, elifs = [0], 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.NL, tokenize.COMMENT):
                continue
            if token.type == tokenize.NEWLINE:
                counts, total = [0], 0
                continue
            if token.type == tokenize.OP and token.string in ")]}" and len(counts) > 1:
                total -= counts.pop()
            elif token.type == tokenize.OP and token.string in (",", ";"):
                total -= counts[-1]
                counts[-1] = 0
            counts[-1] += 1
            total += 1
            if token.type == tokenize.OP and token.string in "([{":
                counts.append(0)
            elifs += token.string == "elif"
            if total > _MAX_DEPTH or len(counts) > _MAX_BRACKETS or elifs > _MAX_ELIFS:
                return True
    except (tokenize.TokenError, SyntaxError):
        return len(source) > _MAX_BROKEN
    return False


@lru_cache(maxsize=256)
def parse_python(source: str) -> ParsedPython:
    """Parse Python source. Never raises: what libcst cannot parse becomes a problem. Cached."""
    import libcst  # noqa: PLC0415 - loaded on first use

    if _too_deep(source):
        return _failed(source, "nested too deeply")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        line = source.count("\n", 0, error.start) + 1
        return _failed(source, "not UTF-8", line)
    try:
        module = libcst.parse_module(source)
        imports = _imports(module)
    except libcst.ParserSyntaxError as error:
        return _failed(source, error.message, error.editor_line, error.editor_column)
    except RecursionError:
        return _failed(source, "nested too deeply")
    except Exception as error:  # noqa: BLE001,RUF100 - untrusted input: any failure of the parser is a problem of it
        return _failed(source, f"cannot be parsed: {type(error).__name__}")
    return ParsedPython(source, module, (), imports)


def _imports(module: libcst.Module) -> tuple[str, ...]:
    import libcst  # noqa: PLC0415 - heavy, and few files hold Python

    names: list[str] = []

    def first_name(node: libcst.BaseExpression) -> str | None:
        while isinstance(node, libcst.Attribute):
            node = node.value
        return node.value if isinstance(node, libcst.Name) else None

    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        found: list[str | None] = []
        if isinstance(node, libcst.Import):
            found = [first_name(alias.name) for alias in node.names]
        elif isinstance(node, libcst.ImportFrom):
            if not node.relative and node.module is not None:
                found = [first_name(node.module)]
        else:
            # An import is a statement: no expression holds one.
            below = [child for child in python_children(node) if not isinstance(child, libcst.BaseExpression)]
            stack.extend(reversed(below))
        names.extend(name for name in found if name)
    return tuple(dict.fromkeys(names))


_LAYOUT: Final = ("whitespace", "leading_lines", "lines_after", "header", "footer", "trailing", "lpar", "rpar", "comma")


@lru_cache(maxsize=512)
def _fields(kind: type[libcst.CSTNode]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if not each.name.startswith(_LAYOUT))


def python_children(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """The child nodes of a node without its white space nodes; libcst's own `children` visits all of them, at ten times
    the cost."""
    import libcst  # noqa: PLC0415 - heavy, and few files hold Python

    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, libcst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in value if isinstance(each, libcst.CSTNode))
