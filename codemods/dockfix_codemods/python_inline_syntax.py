"""Python inside a RUN does not parse.

## What it does

It says what Python says, at the line where the mistake stands:

```dockerfile
FROM python:3.13-slim
RUN python -c "import time; from huggingface_hub import snapshot_download as get; for i in range(3): get('a/b')"
```

A compound statement (`for`, `try`, `with`, `if`) cannot follow a `;`. The program belongs in a heredoc, where it has
lines, or in a file.

## Why

The step fails whenever it runs, and behind `||` or `;` it fails unseen.

## Safety

Nothing is changed: what the author meant is not for a tool to say.

## What it leaves alone

- Programs with parts that the shell expands, of which the source is not known.
- Python 2: programs of `python2`, and images of Python 2.
- What only an older or a newer Python takes: both libcst and the parser of the Python that dockfix runs on must refuse
  it. Neither is trusted where the image is known to have a newer Python than that.
- Programs that are nested too deeply to be read.

## Sources

- https://docs.python.org/3/reference/compound_stmts.html
- https://docs.python.org/3/reference/simple_stmts.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.python_programs import python_programs, python_syntax_error, python_version
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Run


def check(target: Target) -> Iterator[Finding]:
    """Parse the Python programs of all RUNs."""
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            for program in python_programs(run, target.facts.commands(run)) if isinstance(run, Run) else ():
                problem = python_syntax_error(program.code.source, python_version(program, stage))
                if problem is not None:
                    at = program.span(problem.offset, problem.offset)
                    yield Advice(at, f"this is no Python: {problem.message}")


CODEMOD: Final = Codemod(
    name="python-inline-syntax",
    title="Python inside a RUN does not parse",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("python", "pypy"),
    page=__doc__,
    findings=("reranker 1",),
)
