"""A Python distribution is installed that no file of the image imports.

## What it does

It reads every Python file that the build copies and lists, for each install, the distributions that none of them
imports, and that nothing else is seen to use:

```dockerfile
FROM python:3.13-slim
WORKDIR /app
RUN pip install fastapi uvicorn stripe twilio
COPY packages ./packages
CMD ["uvicorn", "packages.module:app"]
```

If a file of `packages/` imports fastapi and stripe, it says that twilio is imported by none. It never edits: whether a
distribution is needed is for a person to say, who knows what else runs in the image.

## Why

Every distribution brings others with it. An image with SDKs that nothing calls is slower to build and to pull, and each
of them is one more thing to update when it has a vulnerability.

## Safety

There is no fix. What it claims is what it read: the files that COPY, ADD and bind mounts bring from the build context
and from named contexts in folders of the project, as `.dockerignore` lets them. A distribution counts as used if a file
imports it, anywhere, or gives its name to `import_module`, or names it or a module of it in a string, as Django's
settings do, or if a command of the image, a compose file, a script or a configuration file names it.

## What it leaves alone

- Distributions whose import name no table of dockfix knows.
- Servers, database drivers that an address names, plug-ins, type stubs, and what others load when it is there
  (`uvloop`, `python-multipart`, `email-validator`, `openpyxl`).
- What another installed distribution requires or loads: `openai` beside a `langchain-...`; numpy beside anything that
  may want it; the file readers of LlamaIndex where `SimpleDirectoryReader` is used.
- Locks and the output of `pip freeze`, which list what others require too.
- It makes no claim, and says why, if a file imports by a name that is computed, or calls `exec` or `eval`; if the image
  runs Airflow, Jupyter or another application that loads what it is told; if code comes from a base image that is not
  known, by git or from an archive; or if the build context is not known.

## Sources

- https://packaging.python.org/en/latest/discussions/distribution-package-vs-import-package/
- https://docs.python.org/3/library/importlib.html#importlib.import_module
- facts/tables/python_distributions.py, which names the documentation that each row is from
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Refusal, Severity
from dockfix_codemods.unused_python_deps.installs import unused_distributions

_MOST_NAMES: Final = 15


def check(target: Target) -> Iterator[Finding]:
    """Say of each install which of its distributions nothing is seen to use."""
    for found in unused_distributions(target):
        names = ", ".join(found.unused[:_MOST_NAMES])
        names += f" and {len(found.unused) - _MOST_NAMES} more" if len(found.unused) > _MOST_NAMES else ""
        counted = f"{len(found.unused)} of {found.total} {_plural(found.total, 'distribution')}"
        if found.why_not:
            verb = "seems" if len(found.unused) == 1 else "seem"
            message = f"{counted} {verb} to be imported by no file that the build copies: {names}"
            yield Refusal(found.run.span, message, found.why_not)
            continue
        files = "the Python file" if found.files == 1 else f"any of the {found.files} Python files"
        verb = "is" if len(found.unused) == 1 else "are"
        message = f"{counted} {verb} not imported by {files} that the build copies: {names}"
        if found.unseen:
            message += f"; {found.unseen} {_plural(found.unseen, 'other')} not judged, which may need no import"
        yield Advice(found.run.span, message)


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
    page=__doc__,
    findings=("api 3",),
)
