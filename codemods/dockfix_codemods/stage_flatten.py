"""A stage that buys nothing: the image starts from the same base and takes all of its work.

## What it does

It reports a stage with the base image of the last one, which installs nothing that only a build needs, and of which all
is copied over:

```dockerfile
FROM python:3.13-slim AS deps
RUN pip install --no-cache-dir --prefix=/install fastapi

FROM python:3.13-slim
COPY --from=deps /install /usr/local
```

## Why

A second stage is worth its lines if it leaves something behind: compilers, sources, caches. Here it leaves nothing, and
the work is stored and copied twice.

## Safety

There is no edit: the paths of the two stages may differ, and a stage is also a target and a place to build in parallel.

## What it leaves alone

- A stage with another base image than the last one, or one whose base is not known.
- A stage that installs packages of the distribution, builds, downloads, or runs anything else than an install of
  packages of a language.
- Files of it that are not copied over, such as the manifests, and a COPY with `--chown`, `--chmod` or `--exclude`,
  which does more than to copy.
- An install without `--no-cache-dir` or a cache mount, whose cache stays behind.
- A stage with an ARG, or an ENV with an address: a token in it would come into the image.
- A stage that others are FROM, that several take from, or that compose or bake build by name.

## Sources

- https://docs.docker.com/build/building/multi-stage/
- https://docs.docker.com/build/building/best-practices/#use-multi-stage-builds
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.model import Known
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Add, Copy, Env, Instruction, Label, Run, User, Workdir

_INERT: Final = frozenset({"mkdir", "set", "cd", "export", "true", "rm", "venv"})
_EXTRA: Final = ("chown", "chmod", "exclude", "parents")
_WRITES: Final = ("--prefix", "--target", "--root")


def check(target: Target) -> Iterator[Finding]:
    """Judge each stage that the last one alone takes from."""
    graph = target.facts.graph
    final = graph.final
    named = {invocation.target.lower() for invocation in target.invocations if invocation.target}
    if final is None or named or not isinstance(final.base_ref, Known):
        return
    for stage in graph.reachable():
        takers = graph.copied_from(stage)
        if (
            stage is not final
            and stage.base_ref == final.base_ref
            and stage.parent is None
            and final.parent is None
            and not graph.descendants(stage)
            and not stage.replaced
            and _same_platform(stage, final)
            and takers
            and all(isinstance(each, Copy) and each in final.instructions for each in takers)
        ):
            copied = _copied(target, takers)
            if copied and _leaves_nothing(target, stage, copied):
                name = stage.name or f"{stage.index}"
                message = (
                    f"stage {name} has the base of the image, {final.base_ref.value}, and all of it is copied over"
                )
                yield Advice(stage.node.span, f"{message}: its steps may stand in the last stage")


def _same_platform(stage: Stage, final: Stage) -> bool:
    one, other = (each.node.flag("platform") for each in (stage, final))
    return (one.value if one is not None else "") == (other.value if other is not None else "")


def _copied(target: Target, takers: tuple[object, ...]) -> list[str]:
    """The paths that are taken; none if one of them is not known, or changed by the way."""
    found: list[str] = []
    for copy in takers:
        if not isinstance(copy, Copy) or any(copy.flag(name) is not None for name in _EXTRA):
            return []
        for word in copy.paths:
            path = target.facts.state(copy).expand(word.text, copy.escape)
            if not isinstance(path, Known) or any(char in path.value for char in "*?["):
                return []
            found.append(posixpath.normpath(posixpath.join("/", path.value)))
    return found


def _leaves_nothing(target: Target, stage: Stage, copied: list[str]) -> bool:
    """Whether all that the stage makes is among what is copied, as far as its words say."""
    made: list[str | None] = []
    for node in stage.instructions:
        if isinstance(node, Run):
            made += _made_by_run(target, node)
        elif isinstance(node, Copy | Add):
            state = target.facts.state(node)
            to = state.expand(node.destination.text, node.escape) if node.destination is not None else None
            if isinstance(to, Known) and isinstance(state.workdir, Known) and node.flag("from") is None:
                made.append(posixpath.join(state.workdir.value, to.value))
            else:
                made.append(None)
        elif not isinstance(node, Env | Label | User | Workdir) or _may_be_secret(node):
            return False
    return bool(made) and all(path is not None and _covered(path, copied) for path in made)


def _may_be_secret(node: Instruction) -> bool:
    """Whether an ENV has an address, maybe with a token, which would be seen in the image; so would an ARG."""
    return isinstance(node, Env) and any("://" in (pair.value or "") for pair in node.pairs)


def _made_by_run(target: Target, run: Run) -> Iterator[str | None]:
    """The folders that a RUN writes to; None for one that is not known."""
    caches = [mount.target or "" for mount in run.mounts if mount.kind == "cache"]
    commands = target.facts.commands(run)
    if not commands.steps or run.heredocs:
        yield None
    workdir = target.facts.state(run).workdir
    for step in commands.steps:
        package = step.package
        folder = step.directory(workdir)
        if package is None:
            made = _venv(step)
            if made is None and step.command.basename not in _INERT:
                yield None
            elif made:
                base = folder.value if isinstance(folder, Known) else None
                yield made if made.startswith("/") else posixpath.join(base, made) if base is not None else None
        elif package.manager in ("pip", "uv") and package.action is Action.INSTALL:
            option = package.option(*_WRITES)
            tidy = any(package.manager in cache for cache in caches) or package.has("--no-cache-dir", "--no-cache")
            where = option.literal if option is not None else _environment(step)
            yield where if tidy and where else None
        else:
            yield None


def _environment(step: Step) -> str | None:
    """The environment that an install goes to: that of its own `bin`, else what the image's Python has."""
    name = step.command.name or ""
    if name.startswith("/") and "/bin/" in name:
        return posixpath.dirname(posixpath.dirname(name))
    return "/usr/local" if "/" not in name else None


def _venv(step: Step) -> str | None:
    """The folder of `python -m venv FOLDER`."""
    words = [word.value for word in step.command.words]
    if len(words) > 3 and words[1:3] == ["-m", "venv"] and words[-1] is not None and words[-1][:1] != "-":
        return words[-1]
    return None


def _covered(path: str, copied: list[str]) -> bool:
    path = posixpath.normpath(path)
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in copied)


CODEMOD: Final = Codemod(
    name="stage-flatten",
    title="a stage that leaves nothing behind",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("--from",),
    page=__doc__,
    findings=("worker 4",),
)
