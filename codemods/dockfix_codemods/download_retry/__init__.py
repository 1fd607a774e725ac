"""A model or data set is downloaded without retries.

## What it does

Tries the download three times, with pauses of 10 and 20 seconds; the last failure still fails the build. The program
becomes a heredoc, because a loop is a compound statement, which cannot follow a `;`. If the file does not guarantee
heredocs, or other commands share the RUN, the rule puts a shell loop around the command. The statements stay as they
are, except for `nltk.download`, which reports a failure by its result: it gets `raise_on_error=True`.

## Why is this bad?

Downloads of gigabytes fail now and then, and end a long build. A failed `nltk.download` is worse: the build succeeds,
and the image lacks the data.

## Example

```dockerfile
# syntax=docker/dockerfile:1.7
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime
RUN python -c "from sentence_transformers import SentenceTransformer; \\
    SentenceTransformer('Qwen/Qwen3-Reranker-0.6B')"
```

Use instead:

```dockerfile
# syntax=docker/dockerfile:1.7
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime
RUN python <<'EOF'
import time
from sentence_transformers import SentenceTransformer

for delay in (10, 20, None):
    try:
        SentenceTransformer('Qwen/Qwen3-Reranker-0.6B')
        break
    except Exception as error:
        if delay is None:
            raise
        print("the download failed, next try in", delay, "seconds:", repr(error), flush=True)
        time.sleep(delay)
EOF
```

## Fix safety

Unsafe: not every failure is worth another try, and the program must be able to run several times. A wrong name now
fails half a minute later.

## When it does not apply

- Downloads in a loop, a `try` or a function, after `||` or in a shell loop, and programs that import tenacity or a
  similar package.
- Programs with parts that the shell expands, paths (`SentenceTransformer("/models/x")`), `local_files_only=True`.
- Exec form, subshells and pipelines: a loop cannot enclose the command, or its `exit` does not end the build.

## References

- https://docs.docker.com/reference/dockerfile/#here-documents (docker/dockerfile 1.4)
- https://docs.python.org/3/using/cmdline.html#cmdoption-c
- The table of calls in `download_retry/analysis.py` names the documentation of each
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.facts import frontend
from dockfix.facts.model import Refused
from dockfix.facts.python_programs import PythonProgram, python_programs, python_version
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Run

if TYPE_CHECKING:
    from dockfix_codemods.download_retry.program import RetriedProgram

_NO_LOOP: Final = ShellContext.SUBSHELL | ShellContext.PIPELINE | ShellContext.SUBSTITUTION | ShellContext.BACKGROUND
_HANDLED: Final = ShellContext.CONDITIONAL | ShellContext.LOOP | ShellContext.FUNCTION | ShellContext.NEGATED
_REVIEW: Final = "check that the program may run several times, and that another try can help"


def check(target: Target) -> Iterator[Finding]:
    """Find the Python programs that download without retries."""
    for stage, run in target.facts.runs():
        for program in python_programs(run, target.facts.commands(run)):
            from dockfix_codemods.download_retry.program import add_retries  # noqa: PLC0415 - few files have a program

            version = python_version(program, stage)
            retried = add_retries(program.code.source)
            if retried is not None and (version is None or version[0] == 3) and not _is_handled(program):
                yield _finding(target, run, program, retried)


def _is_handled(program: PythonProgram) -> bool:
    """Whether the shell already handles a failure."""
    command = program.step.command if program.step is not None else None
    if command is None:
        return False
    return bool(command.context & _HANDLED) or (command.after is not None and command.after.text == "||")


def _finding(target: Target, run: Run, program: PythonProgram, retried: RetriedProgram) -> Finding:
    at = program.commands.span(program.step.command) if program.step is not None else run.span
    calls = ", ".join(f"`{call}`" for call in retried.calls)
    message = f"{calls} download{'s' if len(retried.calls) == 1 else ''} without retries"
    if retried.silent:
        message += ", and the build succeeds even if that fails"
    try:
        help_, edits = _edits(target, run, program, retried)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    return Fix(at, message, edits, Safety.UNSAFE, help_, _REVIEW)


def _edits(target: Target, run: Run, program: PythonProgram, retried: RetriedProgram) -> tuple[str, tuple[Edit, ...]]:
    """What the fix does, and its edits: a loop in the program if possible, else a loop of the shell."""
    from dockfix_codemods.download_retry import edits  # noqa: PLC0415 - loads difflib

    _check_place(run, program)
    in_program = "try the download three times, in a loop of the program"
    if program.how != "-c":
        return in_program, edits.replace_heredoc(target.dockerfile, program, retried.source)
    try:
        if not _has_heredocs(target):
            raise Refused("a heredoc needs `# syntax=docker/dockerfile:1`")
        return in_program, edits.command_to_heredoc(run, program, retried.source)
    except Refused as refused:
        if retried.silent:
            raise Refused(f"a shell loop cannot detect the failure, and {refused.reason}") from refused
    return "try the command three times, in a shell loop", edits.shell_loop(target.dockerfile, run, program)


def _check_place(run: Run, program: PythonProgram) -> None:
    """Refuse where neither a loop nor a heredoc is possible."""
    if run.json:
        raise Refused("the exec form has no shell for a loop or a heredoc")
    if program.step is not None and program.step.depth:
        raise Refused("the program is in a nested script, inside quotes")
    if program.step is not None and program.step.command.context & _NO_LOOP:
        raise Refused("it runs in a subshell, a pipeline or the background")


def _has_heredocs(target: Target) -> bool:
    """Whether the file guarantees heredocs: by `# syntax=` (docker/dockerfile 1.4), or because it has one."""
    syntax = target.dockerfile.directives.get("syntax")
    if syntax is not None:
        return frontend.frontend_is(syntax.value, 1, 4)
    return any(instruction.heredocs for instruction in target.dockerfile.instructions)


CODEMOD: Final = Codemod(
    name="download-retry",
    title="a model or data set is downloaded without retries",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("python", "pypy"),
    findings=("reranker 1",),
    promise=Promise(
        rationale="The first attempt runs the same statements; only after a failure there is another one.",
    ),
)
