"""A Python distribution is installed that no file of the image imports.

## What it does

Reads every Python file that the build copies and reports, for each install, the distributions that none of them
imports, and that nothing else seems to use. A distribution counts as used if a file imports it anywhere, passes its
name to `import_module`, or names it or one of its modules in a string, as Django's settings do; or if a command of the
image, a compose file, a script or a configuration file names it.

The files are those that COPY, ADD and bind mounts take from the build context and from named contexts in folders of the
project, as `.dockerignore` allows.

## Why is this bad?

Every distribution adds others. An image with SDKs that nothing calls is slower to build and to pull, and each of them
is one more package to update when it has a vulnerability.

## Example

```dockerfile
FROM python:3.13-slim
WORKDIR /app
RUN pip install fastapi uvicorn stripe twilio
COPY packages ./packages
CMD ["uvicorn", "packages.module:app"]
```

If a file of `packages/` imports fastapi and stripe, the rule reports that no file imports twilio.

## Fix safety

There is no fix: only someone who knows what else runs in the image can decide whether a distribution is needed.

## When it does not apply

- Distributions whose modules no table of dockfix knows.
- Servers, database drivers that a URL selects, plug-ins, type stubs, and what others load if it is installed
  (`uvloop`, `python-multipart`, `email-validator`, `openpyxl`).
- What another installed distribution requires or loads: `openai` next to a `langchain-...`; numpy next to anything that
  may use it; the file readers of LlamaIndex where `SimpleDirectoryReader` is used.
- Lock files and the output of `pip freeze`, which also list the dependencies of dependencies.
- The finding is a refusal, with the reason, if a file imports a computed name, or calls `exec` or `eval`; if the image
  runs Airflow, Jupyter or another application that loads what its configuration names; if code comes from an unknown
  base image, from git or from an archive; or if the build context is unknown.

## References

- https://packaging.python.org/en/latest/discussions/distribution-package-vs-import-package/
- https://docs.python.org/3/library/importlib.html#importlib.import_module
- `unused_python_deps/table.py`, which names the source of each row
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Refusal, Severity
from dockfix_codemods.unused_python_deps.unused import unused_distributions

_MOST_NAMES: Final = 15


def check(target: Target) -> Iterator[Finding]:
    """Report, for each install, the distributions that nothing seems to use."""
    for found in unused_distributions(target):
        names = ", ".join(f"`{name}`" for name in found.unused[:_MOST_NAMES])
        names += f" and {len(found.unused) - _MOST_NAMES} more" if len(found.unused) > _MOST_NAMES else ""
        counted = f"{len(found.unused)} of {found.total} {_plural(found.total, 'distribution')}"
        if found.blocker is not None:
            message = f"no copied Python file seems to import {counted}: {names}"
            yield Refusal(found.run.span, message, found.blocker)
            continue
        message = f"no copied Python file ({found.files} checked) imports {counted}: {names}"
        if found.unchecked:
            message += f"; {found.unchecked} {_plural(found.unchecked, 'other')} may need no import"
        yield Advice(found.run.span, message, help="remove those that the image does not need")


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


CODEMOD: Final = Codemod(
    name="unused-python-deps",
    title="a Python distribution is installed that no file of the image imports",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("pip install", "pip3 install", "pip add", "uv add", "uv sync", "poetry ", "pdm ", "pipenv ", "-m pip"),
    findings=("api 3",),
)
