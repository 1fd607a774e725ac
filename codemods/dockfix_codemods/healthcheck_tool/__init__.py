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

from dockfix.edit import dockerfile as surgery
from dockfix.facts import health
from dockfix.facts.model import Known, known
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_tool import analysis as fetching

_MOST_IMAGES: Final = 20
"""Stages built on one with a HEALTHCHECK past which nothing is said: no file has as many."""
_WHY: Final = "a check whose program is missing fails whatever the service does"


def check(target: Target) -> Iterator[Finding]:
    """Judge the programs of every HEALTHCHECK that is in force, in the images that it ends up in."""
    facts = target.facts
    for stage in facts.graph.stages:
        check = health.effective_healthcheck(facts, stage)
        if check is None or check not in stage.instructions or stage.base is None:
            continue
        images = facts.graph.descendants(stage) or (stage,)
        programs = {each.name: each for each in reversed(health.programs(facts.commands(check)))}
        for name in sorted(programs.keys() & stage.base.lacks) if len(images) <= _MOST_IMAGES else ():
            if all(health.tool_presence(facts, each, name) == Known(False) for each in images):
                yield _finding(target, stage, check, programs[name])


def _finding(target: Target, stage: Stage, check: Healthcheck, program: health.Program) -> Finding:
    at = target.facts.commands(check).span(program.word)
    message = f"{known(stage.base_ref)} has no {program.name}, and no step installs it to stay"
    base = stage.base
    package = health.tool_package(program.name, base) if base is not None else None
    edit = _add(target, stage, package) if package is not None else None
    if edit is not None:
        review = f"that {package} may be in the image"
        return Fix(at, message, (edit,), Safety.UNSAFE, _WHY, review)
    switched = _switch(target, stage, check, program)
    if isinstance(switched, Edit):
        review = "that the new command asks the same: redirects are followed, and localhost may be 127.0.0.1 in it"
        return Fix(at, message, (switched,), Safety.UNSAFE, _WHY, review)
    manager = base.package_manager if base is not None else None
    nowhere = f"no {manager} install of the stage could take {package or 'a package for it'}"
    return Refusal(at, message, f"{nowhere if manager else 'the image has no package manager'}, and {switched}")


def _add(target: Target, stage: Stage, package: str) -> Edit | None:
    """Put a package behind the last one of an install that may take it."""
    found = health.extensible_install(target.facts, stage, package)
    if found is None or found[1].package is None:
        return None
    run, last = found[0], found[1].package.packages[-1]
    return surgery.insert_word(target.dockerfile, run, target.facts.commands(run).text, last.start, last.end, package)


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
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    page=__doc__,
    findings=("worker 5",),
)
