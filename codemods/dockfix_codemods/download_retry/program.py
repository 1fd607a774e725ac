"""Adds a retry loop to a Python program with libcst; everything else keeps its formatting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.syntax.python import parse_python
from dockfix_codemods.download_retry.analysis import RETRY_LIBRARIES, DownloadCall, download_calls

if TYPE_CHECKING:
    import libcst

_LOOP: Final = """\
for {delay} in (10, 20, None):
    try:
        pass
        break
    except {failure} as {error}:
        if {delay} is None:
            raise
        print("the download failed, next try in", {delay}, "seconds:", repr({error}), flush=True)
        {time}.sleep({delay})
"""


class RetriedProgram(Struct, frozen=True):
    """A program that tries its downloads three times: its source, and the names of the functions it calls.

    `silent` says that the original program succeeds although a download failed, so a retry of the whole program has no
    effect.
    """

    source: str
    calls: tuple[str, ...]
    silent: bool


def add_retries(source: str) -> RetriedProgram | None:
    """Put the downloads of a program into a loop that waits 10 and 20 seconds and raises the last error.

    The loop contains the statements from the first download to the last, unchanged except `nltk.download`, which gets
    `raise_on_error`. None if the program has no known download, or handles failures itself.
    """
    parsed = parse_python(source)
    if parsed.module is None or set(parsed.imports) & RETRY_LIBRARIES:
        return None
    lines = [line for statement in parsed.module.body for line in _one_per_line(statement)]
    calls = tuple(download_calls([*lines]))
    if not calls:
        return None
    silent = [call for call in calls if call.download.fails == "returns False" and not _raises(call.node)]
    if any(arg.star for call in silent for arg in call.node.args):
        return None
    first, last = calls[0].statement, calls[-1].statement
    wrapped = [_with_raise_on_error(line, [call.node for call in silent]) for line in lines[first : last + 1]]
    loop, clock = _loop(wrapped, _names(parsed.module), calls)
    start = next((index for index, line in enumerate(lines) if not _is_preamble(line)), 0)
    body = [*lines[:start], clock, *lines[start:first], loop, *lines[last + 1 :]]
    module = parsed.module.with_changes(body=body, has_trailing_newline=True)
    return RetriedProgram(module.code, tuple(dict.fromkeys(call.name for call in calls)), bool(silent))


def _one_per_line(
    statement: libcst.SimpleStatementLine | libcst.BaseCompoundStatement,
) -> Sequence[libcst.SimpleStatementLine | libcst.BaseCompoundStatement]:
    """Put each statement of a line on a line of its own."""
    import libcst  # noqa: PLC0415 - loaded on first use

    if not isinstance(statement, libcst.SimpleStatementLine):
        return (statement,)
    small = [each.with_changes(semicolon=libcst.MaybeSentinel.DEFAULT) for each in statement.body]
    if not small:
        return (statement,)
    lines = [libcst.SimpleStatementLine([each]) for each in small]
    lines[0] = lines[0].with_changes(leading_lines=statement.leading_lines)
    lines[-1] = lines[-1].with_changes(trailing_whitespace=statement.trailing_whitespace)
    return lines


def _names(module: libcst.Module) -> frozenset[str]:
    import libcst  # noqa: PLC0415 - loaded on first use

    names: set[str] = set()
    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, libcst.Name):
            names.add(node.value)
        stack.extend(node.children)
    return frozenset(names)


def _loop(
    wrapped: Sequence[libcst.BaseStatement], names: frozenset[str], calls: Sequence[DownloadCall]
) -> tuple[libcst.BaseStatement, libcst.BaseStatement]:
    """The loop around statements and the import that it needs, with names that the program does not use."""
    import libcst  # noqa: PLC0415 - loaded on first use

    def free(name: str) -> str:
        while name in names:
            name += "_"
        return name

    clock = free("time")
    failure = "(Exception, SystemExit)" if any(call.download.fails == "exits" for call in calls) else "Exception"
    text = _LOOP.format(delay=free("delay"), error=free("error"), time=clock, failure=failure)
    loop = libcst.ensure_type(libcst.parse_statement(text), libcst.For)
    attempt = libcst.ensure_type(loop.body.body[0], libcst.Try)
    body = attempt.body.with_changes(body=[*_as_block(wrapped), *attempt.body.body[1:]])
    loop = libcst.ensure_type(loop.with_deep_changes(attempt, body=body), libcst.For)
    loop = loop.with_changes(leading_lines=[libcst.EmptyLine(indent=False)])
    name = "import time" if clock == "time" else f"import time as {clock}"
    return loop, libcst.parse_statement(name)


def _is_preamble(line: libcst.BaseStatement) -> bool:
    """Whether a statement must stay before all others: a docstring, or an import from `__future__`."""
    import libcst  # noqa: PLC0415 - loaded on first use

    match line:
        case libcst.SimpleStatementLine(body=[libcst.Expr(value=libcst.SimpleString())]):
            return True
        case libcst.SimpleStatementLine(body=[libcst.ImportFrom(module=libcst.Name(value="__future__"))]):
            return True
    return False


def _raises(call: libcst.Call) -> bool:
    return any(arg.keyword is not None and arg.keyword.value == "raise_on_error" for arg in call.args)


def _with_raise_on_error(
    line: libcst.SimpleStatementLine | libcst.BaseCompoundStatement, calls: Sequence[libcst.Call]
) -> libcst.BaseStatement:
    """Make calls of `nltk.download` raise an error instead of returning False."""
    import libcst  # noqa: PLC0415 - loaded on first use

    class Raise(libcst.CSTTransformer):
        def leave_Call(  # noqa: N802 - libcst's name
            self, original_node: libcst.Call, updated_node: libcst.Call
        ) -> libcst.Call:
            if not any(call is original_node for call in calls):
                return updated_node
            equal = libcst.AssignEqual(libcst.SimpleWhitespace(""), libcst.SimpleWhitespace(""))
            raising = libcst.Arg(libcst.Name("True"), keyword=libcst.Name("raise_on_error"), equal=equal)
            comma = libcst.Comma(whitespace_after=libcst.SimpleWhitespace(" "))
            args = [*updated_node.args[:-1], updated_node.args[-1].with_changes(comma=comma), raising]
            return updated_node.with_changes(args=args)

    return libcst.ensure_type(line.visit(Raise()), libcst.BaseStatement)  # type: ignore[type-abstract]  # only for isinstance


def _as_block(lines: Sequence[libcst.BaseStatement]) -> list[libcst.BaseStatement]:
    """Format statements as the body of a block: no blank line at the top, no white space on blank lines."""
    found: list[libcst.BaseStatement] = []
    for line in lines:
        leading = getattr(line, "leading_lines", ())
        while not found and leading and leading[0].comment is None:
            leading = leading[1:]
        bare = [each if each.comment else each.with_changes(indent=False) for each in leading]
        found.append(line.with_changes(leading_lines=bare) if hasattr(line, "leading_lines") else line)
    return found
