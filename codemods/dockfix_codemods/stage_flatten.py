"""A build stage saves nothing.

## What it does

Reports a stage with the same base image as the last stage that installs no build tools, and whose files are all copied
to the last stage.

## Why is this bad?

A build stage is useful if something does not reach the image: compilers, sources, caches. Here everything does, so the
files are stored and copied twice for nothing.

## Example

```dockerfile
FROM python:3.13-slim AS deps
RUN pip install --no-cache-dir --prefix=/install fastapi

FROM python:3.13-slim
COPY --from=deps /install /usr/local
```

## Fix safety

The rule has no fix: the two stages may use different paths, and a stage is also a build target that BuildKit can build
in parallel.

## When it does not apply

- A stage with another base image than the last one, or with an unknown base image.
- A stage that installs system packages, builds, downloads, or runs anything except installs of language packages.
- A stage with files that are not copied, such as manifests, and a COPY with `--chown`, `--chmod` or `--exclude`, which
  changes what it copies.
- An install without `--no-cache-dir` or a cache mount: its cache does not reach the image.
- A stage with an ARG, or an ENV with a URL: a token in it would end up in the image.
- A stage on which other stages are based, from which several stages copy, or that compose or bake build by name.

## References

- https://docs.docker.com/build/building/multi-stage/
- https://docs.docker.com/build/building/best-practices/#use-multi-stage-builds
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from dockfix.facts.commands import Step
from dockfix.facts.model import Known, known
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.tree import Add, Copy, Env, Instruction, Label, Run, User, Workdir

_IGNORED_COMMANDS: Final = frozenset({"mkdir", "set", "cd", "export", "true", "rm", "venv"})
_CHANGING_FLAGS: Final = ("chown", "chmod", "exclude", "parents")
_DESTINATION_OPTIONS: Final = ("--prefix", "--target", "--root")


def check(target: Target) -> Iterator[Finding]:
    """Check each stage from which only the last one copies."""
    graph = target.facts.graph
    final = graph.final
    named = {invocation.target.lower() for invocation in target.invocations if invocation.target}
    if final is None or named or not isinstance(final.base_ref, Known):
        return
    for stage in graph.reachable():
        copies = graph.copied_from(stage)
        if (
            stage is not final
            and stage.base_ref == final.base_ref
            and stage.parent is None
            and final.parent is None
            and not graph.descendants(stage)
            and not stage.replaced
            and _same_platform(stage, final)
            and copies
            and all(isinstance(each, Copy) and target.facts.stage_of(each) is final for each in copies)
        ):
            copied = _copied(target, copies)
            if copied and _copies_everything(target, stage, copied):
                name = stage.name or f"{stage.index}"
                base = final.base_ref.value
                message = (
                    f"stage `{name}` saves nothing: the last stage also starts from `{base}` and copies all its files"
                )
                yield Advice(stage.node.span, message, help="merge the two stages")


def _same_platform(stage: Stage, final: Stage) -> bool:
    """Whether two stages name the same platform."""
    one, other = (each.node.flag("platform") for each in (stage, final))
    return (one.value if one is not None else "") == (other.value if other is not None else "")


def _copied(target: Target, copies: tuple[object, ...]) -> list[str]:
    """The copied paths; empty if one of them is unknown, or a flag changes what is copied."""
    found: list[str] = []
    for copy in copies:
        if not isinstance(copy, Copy) or any(copy.flag(name) is not None for name in _CHANGING_FLAGS):
            return []
        for word in copy.paths:
            path = target.facts.state(copy).expand(word.text, copy.escape)
            if not isinstance(path, Known) or any(char in path.value for char in "*?["):
                return []
            found.append(posixpath.normpath(posixpath.join("/", path.value)))
    return found


def _copies_everything(target: Target, stage: Stage, copied: list[str]) -> bool:
    """Whether all files that the stage creates are copied."""
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
    """Whether an ENV holds a URL, whose token would end up in the image."""
    return isinstance(node, Env) and any("://" in (pair.value or "") for pair in node.pairs)


def _made_by_run(target: Target, run: Run) -> Iterator[str | None]:
    """The folders that a RUN writes to; None for an unknown one."""
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
            if made is None and step.command.basename not in _IGNORED_COMMANDS:
                yield None
            elif made:
                base = known(folder)
                yield made if made.startswith("/") else posixpath.join(base, made) if base is not None else None
        elif package.manager in ("pip", "uv") and package.action is Action.INSTALL:
            option = package.option(*_DESTINATION_OPTIONS)
            tidy = any(package.manager in cache for cache in caches) or package.has("--no-cache-dir", "--no-cache")
            where = option.literal if option is not None else _environment(step)
            yield where if tidy and where else None
        else:
            yield None


def _environment(step: Step) -> str | None:
    """The environment that an install writes to: that of its own `bin`, else that of the image's Python."""
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
    """Whether a path is one of the copied paths or lies below one."""
    path = posixpath.normpath(path)
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in copied)


CODEMOD: Final = Codemod(
    name="stage-flatten",
    title="a build stage saves nothing",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("--from",),
    findings=("worker 4",),
)
