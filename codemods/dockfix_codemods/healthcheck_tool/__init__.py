"""A health check calls a program that is not in the image.

## What it does

The rule reports a HEALTHCHECK whose program neither the base image has nor a step installs. The fix adds the program to
the packages that the stage installs, in the style of the list.

If the stage installs no packages, the fix makes the same request with a program that the image has: for `curl -f` the
`wget` of Alpine and busybox, or Python's `urllib`; for `wget`, Python's `urllib`.

## Why is this bad?

`curl: not found` is a failed check: the container is unhealthy from its start, whatever the state of the service.

## Example

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends \\
      ca-certificates \\
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
```

Use instead:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends \\
      ca-certificates \\
      curl \\
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK CMD curl -f http://localhost:8000/health || exit 1
```

## Fix safety

Both fixes are unsafe: check that the image may have another package, or that the other program makes the same request.
busybox `wget` gets 127.0.0.1 for `localhost`, because it only tries the first address.

## When it does not apply

- It is unknown whether the program is missing: an unknown base image, a script, a copied `/usr/local`, a variable among
  the packages, or a package that may depend on the program.
- The program comes after `||` or has another one as a fallback, or the shell has it built in.
- The only install is a `--virtual` group, is in a branch, uses a release of its own, or its packages are removed again.
- `curl` is used without `-f`, or with headers, methods or data, and no install can take the package.

## References

- https://docs.docker.com/reference/dockerfile/#healthcheck
- Contents of images: the table of base images; packages: packages.debian.org, pkgs.alpinelinux.org
- busybox `networking/wget.c`; https://docs.python.org/3/library/urllib.request.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts import health
from dockfix.facts.model import Known, Refused, known
from dockfix.facts.stages import Stage
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.project.target import Target
from dockfix.rule import (
    Category,
    Claim,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_tool import fetch

_MOST_IMAGES: Final = 20
"""A HEALTHCHECK with more stages built on its stage is not checked: no real file has as many."""


def check(target: Target) -> Iterator[Finding]:
    """Check the programs of every HEALTHCHECK in effect, in the images that it ends up in."""
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
    message = f"`{program.name}` is not installed in the final image (`{known(stage.base_ref)}`)"
    base = stage.base
    package = health.tool_package(program.name, base) if base is not None else None
    if package is not None:
        with suppress(Refused):
            edit = _add_package(target, stage, package)
            fix = f"add `{package}` to the packages that the stage installs"
            return Fix(at, message, (edit,), Safety.UNSAFE, fix, f"check that `{package}` may be in the image")
    try:
        words = _replacement(target, stage, check, program)
    except Refused as refused:
        manager = base.package_manager if base is not None else None
        nowhere = f"no {manager} install of the stage can take {f'`{package}`' if package else 'a package for it'}"
        note = f"{nowhere if manager else 'the image has no package manager'}, and {refused.reason}"
        return Refusal(at, message, note)
    command = program.step.command
    span = target.facts.commands(check).text.span(program.word.start, command.words[-1].end)
    text = fetch.as_json(words) if check.json else " ".join(words)
    fix = f"make the request with `{words[0]}`, which the image has"
    review = "check that the new command asks the same: it follows redirects, and may use 127.0.0.1 for localhost"
    return Fix(at, message, (dockerfile_edit.replace(span, text),), Safety.UNSAFE, fix, review)


def _add_package(target: Target, stage: Stage, package: str) -> Edit:
    """The edit that adds a package to an install.

    Raises:
        Refused: no install can take it.
    """
    found = health.extensible_install(target.facts, stage, package)
    if found is None or found[1].package is None:
        raise Refused(f"no install of the stage can take `{package}`")
    run, last = found[0], found[1].package.packages[-1]
    text = target.facts.commands(run).text
    return dockerfile_edit.insert_word(target.dockerfile, run, text, last.start, last.end, package)


def _replacement(target: Target, stage: Stage, check: Healthcheck, program: health.Program) -> tuple[str, ...]:
    """The words of a command that makes the same request with a program that the image has.

    Raises:
        Refused: the request is not understood, or no program in the image can make it.
    """
    command = program.step.command
    words = command.words[command.words.index(program.word) :]
    request = fetch.parse_fetch(program.name, words[1:])
    if any(redirect.start < words[-1].end for redirect in command.redirects) or program.step.depth:
        raise Refused("the command is not written in one piece")
    captured = bool(command.context & (ShellContext.PIPELINE | ShellContext.SUBSTITUTION))
    present = [
        name for name in ("wget", "python", "python3") if health.tool_presence(target.facts, stage, name) == Known(True)
    ]
    family = stage.base.family if stage.base is not None else ""
    if "wget" in present and program.name == "curl" and family in BUSYBOX_FAMILIES:
        wget = fetch.as_busybox_wget(request, captured=captured)
        if wget is not None:
            return tuple(word.strip('"') for word in wget) if check.json else wget
    elif present and present[-1].startswith("python") and not captured:
        argv = fetch.as_python(request, next(name for name in present if name.startswith("python")))
        if argv is not None:
            return argv if check.json else (*argv[:2], f'"{argv[2]}"')
    raise Refused("no program in the image can make the same request")


CODEMOD: Final = Codemod(
    name="healthcheck-tool",
    title="a health check calls a program that is not in the image",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS, Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("healthcheck",),
    findings=("worker 5",),
    promise=Promise(
        config=frozenset({Part.HEALTHCHECK}),
        adds=("/var/cache/apt/archives/*.deb",),
        packages=Packages.MORE,
        claims=frozenset({Claim.HEALTHY}),
        rationale=(
            "An install that the stage has gets one more package, with what that depends on; or only the command of "
            "the health check differs."
        ),
    ),
)
