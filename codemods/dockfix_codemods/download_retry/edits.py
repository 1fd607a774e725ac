"""The edits that put a retried program, or a loop around the command, into a Dockerfile."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import accumulate

from dockfix.edit.dockerfile import (
    continuation_indent,
    indent_of,
    insert,
    insert_text_after,
    insert_text_before,
    replace,
)
from dockfix.facts.model import Refused
from dockfix.facts.python_programs import PythonProgram
from dockfix.rule import Edit
from dockfix.syntax.tree import Dockerfile, Run


def replace_heredoc(dockerfile: Dockerfile, program: PythonProgram, source: str) -> tuple[Edit, ...]:
    """Replace the source in a heredoc.

    Raises:
        Refused: Python does not receive the text of the file.
    """
    old = program.code.source
    span = program.commands.text.span(program.code.start, program.code.end)
    if not old.endswith("\n") or dockerfile.text[span.start : span.end] != old:
        raise Refused("the heredoc has leading tabs or escapes that the shell removes")
    before, after = old.splitlines(keepends=True), source.splitlines(keepends=True)
    starts = [span.start, *(span.start + end for end in accumulate(len(line) for line in before))]
    return tuple(
        Edit(starts[low], starts[high], "".join(after[first:last]))
        for tag, low, high, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    )


def command_to_heredoc(run: Run, program: PythonProgram, source: str) -> tuple[Edit, ...]:
    """Replace the program of `python -c CODE` with a heredoc on standard input.

    Raises:
        Refused: the RUN has more than this command, or the command reads its standard input.
    """
    script, step = program.commands.script, program.step
    if script is None or step is None or run.heredocs or run.trivia or script.comments:
        raise Refused("the RUN has comments or a heredoc")
    command = step.command
    if script.top_level != (command,) or command.after is not None:
        raise Refused("the RUN has other commands")
    if any(redirect.operator.startswith("<") for redirect in command.redirects):
        raise Refused("the standard input of the command is redirected")
    index = next((i for i, word in enumerate(command.words) if word.start == program.code.start), 0)
    if index < 1 or command.words[index - 1].value != "-c":
        raise Refused("the code is not a word of its own after `-c`")
    name = "EOF"
    while name in source.splitlines():
        name += "_"
    dash = "- " if index + 1 < len(command.words) else ""
    option = program.commands.text.span(command.words[index - 1].start, program.code.end)
    body = insert(run.span.end, f"{run.newline}{source}{name}")
    return replace(option, f"{dash}<<'{name}'"), body


def shell_loop(dockerfile: Dockerfile, run: Run, program: PythonProgram) -> tuple[Edit, ...]:
    """Put a shell loop around a command: three tries with pauses of 10 and 20 seconds, then the build fails.

    It works with and without `set -e`: a failure left of `&&` does not end the shell (POSIX XCU, `set`).

    Raises:
        Refused: the script uses the loop's variable, or a loop or its `exit` would have another effect there.
    """
    commands, step = program.commands, program.step
    script = commands.script
    if script is None or step is None or step.command not in script.top_level or script.comments:
        raise Refused("the script is not a plain list of commands")
    if "attempt" in script.variables | script.assigned:
        raise Refused("the script uses the variable `attempt`, which the loop needs")
    command, text = step.command, commands.text
    whole = run.heredoc_script is not None
    if any(redirect.heredoc is not None for redirect in command.redirects) or (run.heredocs and not whole):
        raise Refused("the command reads a heredoc")
    base = indent_of(dockerfile, text.start(command.start)) if whole else ""
    base = base if whole else continuation_indent(dockerfile, run) or "    "
    break_, inner = ("\n", f"{base}    ") if whole else (f" {run.escape}{run.newline}", f"{base}  ")
    head = f"for attempt in 1 2 3; do{break_}{inner}"
    tail = (
        f" && break;{break_}"
        f'{inner}[ "$attempt" = 3 ] && exit 1;{break_}'
        f"{inner}sleep $((attempt * 10));{break_}{base}done"
    )
    return insert_text_before(text, command.start, head), insert_text_after(text, command.end, tail)
