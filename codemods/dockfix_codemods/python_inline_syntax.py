"""A RUN contains Python code with a syntax error.

## What it does

Parses the Python code in RUN instructions, and reports the parser's message at the place of the error.

## Why is this bad?

The step fails whenever it runs, and after `||` or before `;` nobody notices. A frequent cause: a compound statement
(`for`, `try`, `with`, `if`) cannot follow a `;`. Such code belongs in a heredoc, where it has lines, or in a file.

## Example

```dockerfile
FROM python:3.13-slim
RUN python -c "import time; from huggingface_hub import snapshot_download as get; for i in range(3): get('a/b')"
```

## Fix safety

There is no fix: dockfix cannot know what the author meant.

## When it does not apply

- Code with parts that the shell expands: the source is unknown.
- Python 2: code for `python2`, and images of Python 2.
- Syntax that only an older or a newer Python accepts: both libcst and the parser of the Python that dockfix runs on
  must reject the code. Neither counts if the image is known to have a newer Python.
- Code that is nested too deeply to be parsed.

## References

- https://docs.python.org/3/reference/compound_stmts.html
- https://docs.python.org/3/reference/simple_stmts.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.python_programs import python_programs, python_syntax_error, python_version
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity


def check(target: Target) -> Iterator[Finding]:
    """Parse the Python code of all RUN instructions."""
    for stage, run in target.facts.runs():
        for program in python_programs(run, target.facts.commands(run)):
            problem = python_syntax_error(program.code.source, python_version(program, stage))
            if problem is not None:
                at = program.span(problem.offset, problem.offset)
                yield Advice(at, f"invalid Python: {problem.message}")


CODEMOD: Final = Codemod(
    name="python-inline-syntax",
    title="a RUN contains Python code with a syntax error",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("python", "pypy"),
    findings=("reranker 1",),
)
