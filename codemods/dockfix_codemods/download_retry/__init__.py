"""A model or data set is downloaded in one try.

## What it does

The download is tried three times, with pauses of 10 and 20 seconds, and the last failure still fails the build:

```dockerfile
# syntax=docker/dockerfile:1.7
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime
RUN python -c "from sentence_transformers import SentenceTransformer; \\
    SentenceTransformer('Qwen/Qwen3-Reranker-0.6B')"
```

becomes

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

A loop is a compound statement, which cannot follow a `;`, so the program becomes a heredoc. Where the file's syntax
does not promise heredocs, or other commands share the RUN, a shell loop goes around the command as it stands. The
statements stay as they are written, but for `nltk.download`, which reports a failure by its result: it is told to
raise.

## Why

A download of gigabytes fails now and then, and takes a long build with it. `nltk.download` that fails is worse: the
build succeeds, and the image lacks the data.

## Safety

Unsafe: which failures are worth another try is for a person to say. A name that is wrong now fails half a minute later.

## What it leaves alone

- Downloads in a loop, a `try` or a function, behind `||` or in a shell loop, and programs that import tenacity or its
  like.
- Programs with parts that the shell expands, paths (`SentenceTransformer("/models/x")`), `local_files_only=True`.
- Exec form, subshells and pipelines, where no loop can go around the command or its end would not end the build.

## Sources

- https://docs.docker.com/reference/dockerfile/#here-documents (docker/dockerfile 1.4)
- https://docs.python.org/3/using/cmdline.html#cmdoption-c
- The table of calls names the documentation of each
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts import frontend as mounts
from dockfix.facts.python_programs import PythonProgram, python_programs, python_version
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Run
from dockfix_codemods.download_retry import edits as python_surgery

_WHY: Final = "a download that fails now and then is worth a second try, and a third"
_IN_THE_WAY: Final = ShellContext.SUBSHELL | ShellContext.PIPELINE | ShellContext.SUBSTITUTION | ShellContext.BACKGROUND
_HANDLED: Final = ShellContext.CONDITIONAL | ShellContext.LOOP | ShellContext.FUNCTION | ShellContext.NEGATED


def check(target: Target) -> Iterator[Finding]:
    """Find the Python programs that download in one try."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            if not isinstance(run, Run):
                continue
            for program in python_programs(run, target.facts.commands(run)):
                version = python_version(program, stage)
                retried = python_surgery.retried(program.code.source)
                if retried is not None and (version is None or version[0] == 3) and not _handled(program):
                    yield _finding(target, run, program, retried)


def _handled(program: PythonProgram) -> bool:
    """Whether the shell does something about a failure already."""
    command = program.step.command if program.step is not None else None
    if command is None:
        return False
    return bool(command.context & _HANDLED) or (command.after is not None and command.after.text == "||")


def _finding(target: Target, run: Run, program: PythonProgram, retried: python_surgery.Retried) -> Finding:
    at = program.commands.span(program.step.command) if program.step is not None else run.span
    message = f"{', '.join(retried.calls)} downloads in one try"
    if retried.silent:
        message += ", and the build goes on without the data if it fails"
    reason = _not_here(run, program)
    if reason:
        return Refusal(at, message, reason)
    edits = None
    if program.how != "-c":
        edits = python_surgery.replace_heredoc(target.dockerfile, program, retried.source)
    elif _heredocs(target):
        edits = python_surgery.command_to_heredoc(run, program, retried.source)
    if edits is None and retried.silent:
        why = "the program cannot become one" if _heredocs(target) else "a heredoc needs # syntax=docker/dockerfile:1"
        return Refusal(at, message, f"a shell loop does not see the failure, and {why}")
    if edits is None and program.how != "-c":
        return Refusal(at, message, "the heredoc has leading tabs or escapes that the shell takes away")
    if edits is None:
        edits = python_surgery.shell_loop(target.dockerfile, run, program)
    if edits is None:
        return Refusal(at, message, "the script uses a variable attempt, or is more than a list of commands")
    review = "that the program may run several times, and that another try can help"
    return Fix(at, message, edits, Safety.UNSAFE, _WHY, review)


def _not_here(run: Run, program: PythonProgram) -> str:
    """Why the program cannot be tried again where it stands; empty if it can."""
    if run.json:
        return "exec form has no shell and no heredoc for a loop"
    if program.step is not None and program.step.depth:
        return "the program stands in a script of its own, inside quotes"
    if program.step is not None and program.step.command.context & _IN_THE_WAY:
        return "it runs in a subshell, a pipeline or the background"
    return ""


def _heredocs(target: Target) -> bool:
    """Whether the file promises heredocs: by `# syntax=` (docker/dockerfile 1.4), or because it has one."""
    syntax = target.dockerfile.directives.get("syntax")
    if syntax is not None:
        return mounts.frontend_is(syntax.value, 1, 4)
    return any(instruction.heredocs for instruction in target.dockerfile.instructions)


CODEMOD: Final = Codemod(
    name="download-retry",
    title="a model or data set is downloaded in one try",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("python", "pypy"),
    page=__doc__,
    findings=("reranker 1",),
)
