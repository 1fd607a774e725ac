"""Edits of Python programs, by libcst: what is not changed stays as it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.python_programs import PythonProgram
from dockfix.rule import Edit
from dockfix.syntax.python import parse_python
from dockfix.syntax.tree import Dockerfile, Run
from dockfix_codemods.download_retry.analysis import RETRY_LIBRARIES, DownloadCall, download_calls

if TYPE_CHECKING:
    import libcst

__all__ = ["Retried", "command_to_heredoc", "replace_heredoc", "retried", "shell_loop"]

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


@dataclass(frozen=True, slots=True)
class Retried:
    """A program whose downloads are tried three times: its new source, and the names of what it calls.

    `silent` says that the program as it was ends with success although a download failed, so that trying it again from
    outside would help nothing.
    """

    source: str
    calls: tuple[str, ...]
    silent: bool


def retried(source: str) -> Retried | None:
    """A program with its downloads in a loop that waits 10 and 20 seconds and raises the last failure.

    The statements from the first download to the last stand in the loop, unchanged but for `nltk.download`, which is
    told to raise. None if it downloads nothing that is known, or looks after failures itself.
    """

    parsed = parse_python(source)
    if parsed.module is None or set(parsed.imports) & RETRY_LIBRARIES:
        return None
    lines = [line for statement in parsed.module.body for line in _one_each(statement)]
    calls = tuple(download_calls([*lines]))
    if not calls:
        return None
    silent = [call for call in calls if call.download.fails == "returns False" and not _raises(call.node)]
    if any(arg.star for call in silent for arg in call.node.args):
        return None
    first, last = calls[0].statement, calls[-1].statement
    wrapped = [_told_to_raise(line, [call.node for call in silent]) for line in lines[first : last + 1]]
    loop, clock = _loop(wrapped, _names(parsed.module), calls)
    start = next((index for index, line in enumerate(lines) if not _is_preamble(line)), 0)
    body = [*lines[:start], clock, *lines[start:first], loop, *lines[last + 1 :]]
    module = parsed.module.with_changes(body=body, has_trailing_newline=True)
    return Retried(module.code, tuple(dict.fromkeys(call.name for call in calls)), bool(silent))


def _one_each(
    statement: libcst.SimpleStatementLine | libcst.BaseCompoundStatement,
) -> Sequence[libcst.SimpleStatementLine | libcst.BaseCompoundStatement]:
    """The statements of a line, each on a line of its own."""
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
    """The loop around statements, and the import that it needs, under names that the program does not use."""
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
    body = attempt.body.with_changes(body=[*_set_in(wrapped), *attempt.body.body[1:]])
    loop = libcst.ensure_type(loop.with_deep_changes(attempt, body=body), libcst.For)
    loop = loop.with_changes(leading_lines=[libcst.EmptyLine(indent=False)])
    name = "import time" if clock == "time" else f"import time as {clock}"
    return loop, libcst.parse_statement(name)


def _is_preamble(line: libcst.BaseStatement) -> bool:
    """Whether a statement must stay in front of all others: a docstring, or an import from `__future__`."""
    import libcst  # noqa: PLC0415 - loaded on first use

    match line:
        case libcst.SimpleStatementLine(body=[libcst.Expr(value=libcst.SimpleString())]):
            return True
        case libcst.SimpleStatementLine(body=[libcst.ImportFrom(module=libcst.Name(value="__future__"))]):
            return True
    return False


def _raises(call: libcst.Call) -> bool:
    return any(arg.keyword is not None and arg.keyword.value == "raise_on_error" for arg in call.args)


def _told_to_raise(
    line: libcst.SimpleStatementLine | libcst.BaseCompoundStatement, calls: Sequence[libcst.Call]
) -> libcst.BaseStatement:
    """A statement in which calls of `nltk.download` raise where they would return False (their `raise_on_error`)."""
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

    return libcst.ensure_type(line.visit(Raise()), libcst.BaseStatement)  # type: ignore[type-abstract]


def _set_in(lines: Sequence[libcst.BaseStatement]) -> list[libcst.BaseStatement]:
    """Statements as the body of a block: no blank line on top, and no white space on blank lines."""
    found: list[libcst.BaseStatement] = []
    for line in lines:
        leading = getattr(line, "leading_lines", ())
        while not found and leading and leading[0].comment is None:
            leading = leading[1:]
        bare = [each if each.comment else each.with_changes(indent=False) for each in leading]
        found.append(line.with_changes(leading_lines=bare) if hasattr(line, "leading_lines") else line)
    return found


def replace_heredoc(dockerfile: Dockerfile, program: PythonProgram, source: str) -> tuple[Edit, ...] | None:
    """Put a new source in the place of a heredoc's; None if what Python receives is not what stands in the file."""
    old = program.code.source
    span = program.commands.text.span(program.code.start, program.code.end)
    if not old.endswith("\n") or dockerfile.text[span.start : span.end] != old:
        return None
    before, after = old.splitlines(keepends=True), source.splitlines(keepends=True)
    starts = [span.start, *(span.start + end for end in accumulate(len(line) for line in before))]
    return tuple(
        Edit(starts[low], starts[high], "".join(after[first:last]))
        for tag, low, high, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    )


def command_to_heredoc(run: Run, program: PythonProgram, source: str) -> tuple[Edit, ...] | None:
    """Give `python -c CODE` another program, as a heredoc on its standard input.

    None if the RUN has other commands, comments within or a heredoc, or if the command has its standard input
    elsewhere.
    """
    script, step = program.commands.script, program.step
    if script is None or step is None or run.heredocs or run.trivia or script.comments:
        return None
    command = step.command
    if script.top_level != (command,) or command.after is not None:
        return None
    if any(redirect.operator.startswith("<") for redirect in command.redirects):
        return None
    index = next((i for i, word in enumerate(command.words) if word.start == program.code.start), 0)
    if index < 1 or command.words[index - 1].value != "-c":
        return None
    name = "EOF"
    while name in source.splitlines():
        name += "_"
    dash = "- " if index + 1 < len(command.words) else ""
    option = program.commands.text.span(command.words[index - 1].start, program.code.end)
    body = surgery.insert(run.span.end, f"{run.newline}{source}{name}")
    return surgery.replace(option, f"{dash}<<'{name}'"), body


def shell_loop(dockerfile: Dockerfile, run: Run, program: PythonProgram) -> tuple[Edit, ...] | None:
    """Put a loop of the shell around a command: three tries, 10 and 20 seconds apart, the end of the build then.

    It holds with and without `set -e`: a failure left of `&&` does not end the shell (POSIX XCU, `set`). None if the
    script uses the loop's variable, or if the command stands where a loop or its `exit` would do something else.
    """
    commands, step = program.commands, program.step
    script = commands.script
    if script is None or step is None or step.command not in script.top_level or script.comments:
        return None
    if "attempt" in script.variables | script.assigned:
        return None
    command, text = step.command, commands.text
    whole = run.heredoc_script is not None
    if any(redirect.heredoc is not None for redirect in command.redirects) or (run.heredocs and not whole):
        return None
    base = surgery.indent_of(dockerfile, text.start(command.start)) if whole else ""
    base = base if whole else surgery.continuation_indent(dockerfile, run) or "    "
    break_, inner = ("\n", f"{base}    ") if whole else (f" {run.escape}{run.newline}", f"{base}  ")
    head = f"for attempt in 1 2 3; do{break_}{inner}"
    tail = (
        f" && break;{break_}"
        f'{inner}[ "$attempt" = 3 ] && exit 1;{break_}'
        f"{inner}sleep $((attempt * 10));{break_}{base}done"
    )
    return surgery.insert_text_before(text, command.start, head), surgery.insert_text_after(text, command.end, tail)
