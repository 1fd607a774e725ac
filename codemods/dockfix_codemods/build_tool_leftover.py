"""uv, which only the build needs, is left in the image.

## What it does

Where a stage of the image installs uv by its script, and only the build uses it, a bind mount of uv's own image
brings it into the RUNs that call it:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl
# Packages, by uv
RUN curl -LsSf https://astral.sh/uv/0.9.7/install.sh | sh
ENV PATH="/root/.local/bin:$PATH"
RUN uv pip install --system flask
CMD ["python", "-m", "flask", "run"]
```

becomes

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl
ENV PATH="/root/.local/bin:$PATH"
# Packages, by uv
RUN --mount=from=ghcr.io/astral-sh/uv:0.9.7,source=/uv,target=/bin/uv uv pip install --system flask
CMD ["python", "-m", "flask", "run"]
```

Where that is not certain it says that uv is left in the image, and why it stays.

## Why

uv is some 40 MB. To delete it in a later RUN shrinks nothing, since the layer that has it stays; and to delete what uv
keeps beside it may take away a Python that an environment stands on, which this does not touch.

## Safety

Unsafe: a program may call uv when it runs, without a word in the Dockerfile. Check that nothing in the container does,
and that the build may pull from ghcr.io. The version is the one that the script's address names; for the newest one's
script it is that of a uv image which the file takes elsewhere.

## What it leaves alone

- Stages that the image does not descend from: there the builder goes away.
- Images whose CMD, ENTRYPOINT or HEALTHCHECK calls uv, and files that copy it from an image: nothing is said.
- A RUN that also removes what it has installed.
- A script of no known version, or of one without an image (before 0.2): none is made up. `uvx`, uv from PyPI, shell
  scripts and programs that might call it, images without a CMD, which others may start from: this is advice only.

## Sources

- https://docs.astral.sh/uv/guides/integration/docker/#using-uv-temporarily
- https://docs.astral.sh/uv/getting-started/installation/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts import frontend as mounts
from dockfix.facts import uv_installs
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity

_MESSAGE: Final = "uv stays in the image, some 40 MB that only the build uses"
_LOOK_AT: Final = "that nothing calls uv when the container runs, and that the build may pull from ghcr.io"
_OF_THE_SCRIPT: Final = ("installer", "script", "download", "curl", "wget", "astral.sh", "ghcr.io")
_WHY: Final = "a bind mount leaves nothing in the image"


def check(target: Target) -> Iterator[Finding]:
    """Find the installs of uv by its script in the stages of the image."""
    for install in uv_installs.uv_installs(target.facts):
        if uv_installs.is_called_when_it_runs(target.facts):
            return
        uses = uv_installs.uv_uses(target.facts, install)
        why = install.why or (uses if isinstance(uses, str) else _no_mounts(target))
        edits = None if why or isinstance(uses, str) else _edits(target, install, uses)
        if edits is None:
            yield Advice(install.at, f"{_MESSAGE}; {why or 'the comments at its install would be lost or wrong'}")
        else:
            builder = "" if mounts.uses_buildkit(target.dockerfile) else "; every builder of this file must be BuildKit"
            yield Fix(install.at, _MESSAGE, edits, Safety.UNSAFE, _WHY, f"{_LOOK_AT}{builder}")


def _no_mounts(target: Target) -> str:
    syntax = target.dockerfile.directives.get("syntax")
    supported = mounts.mounts_supported(syntax.value if syntax else None)
    return "" if supported else "the syntax version of the file has no mounts"


def _edits(
    target: Target, install: uv_installs.UvInstall, uses: tuple[uv_installs.UvUse, ...]
) -> tuple[Edit, ...] | None:
    """The install goes, with its comments moving to the first RUN that calls uv; each of these gets the mount."""
    dockerfile = target.dockerfile
    gone = [each for each in (install.add, install.run if install.whole else None) if each is not None]
    if any(_speaks_of_the_script(comment.text) for each in gone for comment in dockerfile.above(each)):
        return None
    moved = surgery.delete_for(dockerfile, gone, uses[0].run)
    if moved is None:
        return None
    edits = list(moved)
    if not install.whole and install.cut is not None:
        text = target.facts.commands(install.run).text
        cut = surgery.delete_commands(dockerfile, install.run, text, *install.cut)
        if cut is None:
            return None
        edits += cut
    for use in uses:
        flags = [f"--mount=from={install.image},source=/uv,target={path}" for path in use.targets]
        edits += [surgery.insert_flags(dockerfile, use.run, flags)] if flags else []
    return tuple(sorted(edits))


def _speaks_of_the_script(comment: str) -> bool:
    return any(word in comment.lower() for word in _OF_THE_SCRIPT)


CODEMOD: Final = Codemod(
    name="build-tool-leftover",
    title="uv, which only the build needs, is left in the image",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.MOUNTS, Effect.COMMANDS, Effect.STEPS, Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("astral.sh/uv", "astral-sh/uv"),
    page=__doc__,
    findings=("base-ml 2",),
)
