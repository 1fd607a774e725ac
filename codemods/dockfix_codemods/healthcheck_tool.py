"""A health check calls a program that the image does not have.

## What it does

The program is added to the packages that the stage installs, in the style of the list:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends \\
      ca-certificates \\
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
```

becomes

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends \\
      ca-certificates \\
      curl \\
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
```

Where the stage installs nothing, a program that is there asks instead, if that comes to the same: for `curl -f`
the `wget` of Alpine and busybox, or Python's `urllib`; for `wget` the latter.

## Why

`curl: not found` is a failed check. The container is unhealthy from its start, whatever the service does.

## Safety

Unsafe: a package more in the image, or another program that asks, which is for a person to want. busybox `wget` is
given 127.0.0.1 for `localhost`, of which it tries only the first address.

## What it leaves alone

- Programs of which it is not known that they are missing: an unknown base image, a script, a copied `/usr/local`, a
  variable among the packages, or a package in whose wake the program may come.
- A program behind `||` or with another one to fall back on, and what the shell does itself.
- `--virtual` groups, installs in a branch or with a release of their own, and packages that are removed again.
- `curl` without `-f`, with headers, methods or data; without an install that could take the package, that is refused.

## Sources

- https://docs.docker.com/reference/dockerfile/#healthcheck
- What images hold: the table of base images; packages: packages.debian.org, pkgs.alpinelinux.org
- busybox `networking/wget.c`; https://docs.python.org/3/library/urllib.request.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.api import (
    BUSYBOX_FAMILIES,
    Action,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Healthcheck,
    Known,
    Refusal,
    Run,
    Safety,
    Severity,
    ShellContext,
    Stage,
    Target,
    fetching,
    health,
    known,
    package_names,
    surgery,
    virtual_name,
)

_WHY: Final = "a check whose program is missing fails whatever the service does"
_OTHER_SOURCES: Final = ("--target-release", "--default-release", "--repository", "--download-only", "--root")


def rewrite(target: Target) -> Iterator[Finding]:
    """Judge the programs of every HEALTHCHECK that is in force, in the images that it ends up in."""
    facts = target.facts
    for stage in facts.graph.stages:
        check = health.effective_healthcheck(facts, stage)
        if check is None or check not in stage.instructions:
            continue
        images = facts.graph.descendants(stage) or (stage,)
        seen: set[str] = set()
        for program in health.programs(facts.commands(check)):
            missing = all(health.tool_presence(facts, each, program.name) == Known(False) for each in images)
            if missing and program.name not in seen:
                seen.add(program.name)
                yield _finding(target, stage, check, program)


def _finding(target: Target, stage: Stage, check: Healthcheck, program: health.Program) -> Finding:
    at = target.facts.commands(check).span(program.word)
    message = f"{known(stage.base_ref)} has no {program.name}, and no step installs it to stay"
    base = stage.base
    package = health.tool_package(program.name, base) if base is not None else None
    edit = _add(target, stage, package) if package is not None else None
    if edit is not None:
        look_at = f"that {package} may be in the image"
        return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, look_at)
    switched = _switch(target, stage, check, program)
    if isinstance(switched, Edit):
        look_at = "that the new command asks the same: redirects are followed, and localhost may be 127.0.0.1 in it"
        return Fix(at, message, (switched,), Safety.UNSAFE, _WHY, look_at)
    manager = base.package_manager if base is not None else None
    nowhere = f"no {manager} install of the stage could take {package or 'a package for it'}"
    return Refusal(at, message, f"{nowhere if manager else 'the image has no package manager'}, and {switched}")


def _add(target: Target, stage: Stage, package: str) -> Edit | None:
    """Put a package behind the last one of the first install that may take it, in the stage or one that it is FROM."""
    for each in target.facts.graph.chain(stage):
        removed = {name for run in each.instructions if isinstance(run, Run) for name in _removed(target, run)}
        for run in each.instructions:
            if not isinstance(run, Run) or run.json:
                continue
            commands = target.facts.commands(run)
            for step in commands.packages:
                command = step.package
                if (
                    command is not None
                    and stage.base is not None
                    and command.manager == stage.base.package_manager
                    and command.action is Action.INSTALL
                    and command.verb in (("install",), ("add",))
                    and step.command.context is ShellContext.NONE
                    and not step.depth
                    and virtual_name(command) is None
                    and not command.unknown_operands
                    and not command.has(*_OTHER_SOURCES)
                    and all(word.value is not None and "/" not in word.value for word in command.packages)
                    and command.packages
                    and not removed & {*package_names(command)}
                ):
                    last = command.packages[-1]
                    return surgery.insert_word(target.dockerfile, run, commands.text, last.start, last.end, package)
    return None


def _removed(target: Target, run: Run) -> Iterator[str]:
    for step in target.facts.commands(run).packages:
        if step.package is not None and step.package.action in (Action.REMOVE, Action.PURGE):
            yield from package_names(step.package)


def _switch(target: Target, stage: Stage, check: Healthcheck, program: health.Program) -> Edit | str:
    """Put a command that asks the same in place of one whose program is missing; why not, if that cannot be."""
    facts, commands = target.facts, target.facts.commands(check)
    command = program.step.command
    words = command.words[command.words.index(program.word) :]
    fetch = fetching.parse_fetch(program.name, words[1:])
    if isinstance(fetch, str):
        return fetch
    if any(redirect.start < words[-1].end for redirect in command.redirects) or program.step.depth:
        return "the command is not written in one piece"
    captured = bool(command.context & (ShellContext.PIPELINE | ShellContext.SUBSTITUTION))
    there = [name for name in ("wget", "python", "python3") if health.tool_presence(facts, stage, name) == Known(True)]
    family = stage.base.family if stage.base is not None else ""
    new: Sequence[str] | None = None
    if "wget" in there and program.name == "curl" and family in BUSYBOX_FAMILIES:
        new = fetching.as_busybox_wget(fetch, captured=captured)
        if new is not None and check.json:
            new = [word.strip('"') for word in new]
    elif there and there[-1].startswith("python") and not captured:
        argv = fetching.as_python(fetch, next(name for name in there if name.startswith("python")))
        new = argv if argv is None or check.json else (*argv[:2], f'"{argv[2]}"')
    if new is None:
        return "no program that is there asks the same"
    text = fetching.as_json(new) if check.json else " ".join(new)
    return surgery.replace(commands.text.span(words[0].start, words[-1].end), text)


CODEMOD: Final = Codemod(
    name="healthcheck-tool",
    title="a health check calls a program that is not in the image",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS, Effect.METADATA}),
    rewrite=rewrite,
    since="0.1.0",
    triggers=("healthcheck",),
    page=__doc__,
    findings=("worker 5",),
)
