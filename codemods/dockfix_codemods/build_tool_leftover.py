"""uv, which only the build needs, is left in the image.

## What it does

It says so where a stage of the image installs uv by its script:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl && curl -LsSf https://astral.sh/uv/install.sh | sh
RUN /root/.local/bin/uv pip install --system flask
CMD ["python", "-m", "flask", "run"]
```

A bind mount of uv's image in the RUNs that use it leaves nothing behind:
`RUN --mount=from=ghcr.io/astral-sh/uv:VERSION,source=/uv,target=/bin/uv`. Which version that is, the script of the
newest one does not say.

## Why

uv is some 40 MB. To delete it in a later RUN shrinks nothing, since the layer that has it stays; and to delete what uv
keeps beside it may take away a Python that an environment stands on.

## Safety

Nothing is changed: no version is to be invented, and a program may call uv when it runs.

## What it leaves alone

- Stages that the image does not descend from: there the builder goes away.
- Images whose CMD, ENTRYPOINT or HEALTHCHECK calls uv, and files that copy it from an image.
- A RUN that also removes what it has installed.

## Sources

- https://docs.astral.sh/uv/guides/integration/docker/
- https://docs.astral.sh/uv/getting-started/installation/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.api import (
    Advice,
    Category,
    Cmd,
    Codemod,
    Commands,
    Entrypoint,
    Finding,
    Healthcheck,
    Instruction,
    Run,
    Severity,
    SimpleCommand,
    Target,
)

_SCRIPT: Final = "astral.sh/uv/"
_SHELLS: Final = frozenset(("sh", "bash", "dash", "ash"))


def rewrite(target: Target) -> Iterator[Finding]:
    """Find the installs of uv by its script in the stages of the image."""
    graph = target.facts.graph
    if graph.final is None:
        return
    chain = graph.chain(graph.final)
    instructions = [each for stage in chain for each in stage.instructions if not stage.replaced]
    if any(_calls_uv(target, each) for each in instructions if isinstance(each, Cmd | Entrypoint | Healthcheck)):
        return
    for run in instructions:
        if not isinstance(run, Run):
            continue
        commands = target.facts.commands(run)
        install = next((step.command for step in commands.steps if _fetches_installer(step.command)), None)
        if install is None or not _runs_a_shell(commands) or _removes(commands):
            continue
        message = (
            "uv stays in the image, some 40 MB that only the build uses; a bind mount of a pinned uv image brings it "
            "into the RUNs that need it"
        )
        yield Advice(commands.span(install), message)


def _fetches_installer(command: SimpleCommand) -> bool:
    if command.basename not in ("curl", "wget"):
        return False
    values = [word.value or word.text for word in command.args]
    return any(_SCRIPT in value and value.strip('"').endswith("install.sh") for value in values)


def _runs_a_shell(commands: Commands) -> bool:
    """Whether what is fetched is also run: by a shell behind a pipe, or from a file."""
    return any(step.command.basename in _SHELLS or step.command.name is None for step in commands.steps)


def _removes(commands: Commands) -> bool:
    """Whether the same RUN takes uv away again, or may."""
    removing = (step.command for step in commands.steps if step.command.basename == "rm")
    words = [word.text for command in removing for word in command.args]
    return any(word.strip('"').endswith(("/uv", "/bin", "/.local", "/uv*")) or "/uv" in word for word in words)


def _calls_uv(target: Target, instruction: Instruction) -> bool:
    commands = target.facts.commands(instruction)
    words = [word.value or word.text for step in commands.steps for word in step.command.words]
    return not words or any(word.rpartition("/")[2] in ("uv", "uvx") or "uv " in word for word in words)


CODEMOD: Final = Codemod(
    name="build-tool-leftover",
    title="uv, which only the build needs, is left in the image",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset(),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("astral.sh/uv",),
    page=__doc__,
    findings=("base-ml 2",),
)
