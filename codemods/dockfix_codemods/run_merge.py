r"""RUN instructions that follow each other are layers of their own.

## What it does

Finds `RUN` instructions of the final image that directly follow each other, and merges them into one.

## Why is this bad?

Each `RUN` is a layer. A file that one writes and the next one deletes stays in the image.

Whether to merge is contested, which is why the rule is in the preset `strict`: a change of any part runs all of it
again, and a cache mount or a stage of its own often serves better. In builder stages there is nothing to gain.

## Example

```dockerfile
FROM debian:12
RUN useradd -u 10001 -g 0 app
RUN mkdir /data
```

Use instead:

```dockerfile
FROM debian:12
RUN useradd -u 10001 -g 0 app \
    && mkdir /data
```

## Fix safety

The fix is unsafe, since what is cached together changes. The commands do the same: `RUN`s are merged only if one shell
runs them like several, and a failure of any of them ends the build as before.

## When it does not apply

- Stages that are not part of the image, and `RUN`s with another instruction between them, or with
  other flags.
- Refused: heredocs, exec forms and flags; a script that changes its shell (`cd`, `export`, `umask`, `set`, functions)
  or may exit early; a shell comment, which would hide what follows; scripts that need different operators.

## References

- https://docs.docker.com/build/building/best-practices/#run
- [hadolint DL3059](https://github.com/hadolint/hadolint/wiki/DL3059)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import merge_runs
from dockfix.facts.commands import Commands
from dockfix.facts.joining import join_operator
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Preset, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Run

_LASTING: Final = frozenset(("command", "builtin", "service", "systemctl", "usermod", "gpasswd", "hash", "init.d"))
"""What changes the shell without being a builtin of its own, starts something, or changes the user's groups."""
_MOST: Final = 20
"""RUNs that are merged at once: each is compared with each."""


def check(target: Target) -> Iterator[Finding]:
    """Find the RUNs that follow each other, stage by stage."""
    for stage in target.facts.graph.stages:
        if target.facts.graph.in_image(stage):
            for runs in _sequences(stage):
                yield _finding(target, runs)


def _sequences(stage: Stage) -> Iterator[list[Run]]:
    """The RUNs that follow each other, with the same flags: those with a mount or network of their own are apart."""
    runs: list[Run] = []
    for node in (*stage.executed, None):
        if isinstance(node, Run) and (not runs or _flags(node) == _flags(runs[0])):
            runs.append(node)
            continue
        if len(runs) > 1:
            yield runs
        runs = [node] if isinstance(node, Run) else []


def _flags(run: Run) -> frozenset[str]:
    return frozenset(flag.word.text for flag in run.flags)


def _finding(target: Target, runs: Sequence[Run]) -> Finding:
    at = runs[0].keyword.span
    message = f"{len(runs)} `RUN`s in a row are {len(runs)} layers"
    try:
        if len(runs) > _MOST:
            raise Refused(f"more than {_MOST} are too many to compare")
        if any(run.flags for run in runs):
            raise Refused("a flag would apply to all of them")
        scripts = [target.facts.commands(run) for run in runs]
        for commands in scripts[:-1]:
            _refuse_what_lasts(commands)
        operator = join_operator(scripts, target.facts.state(runs[0]).names())
        edits = merge_runs(target.dockerfile, *runs, operator=operator)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    review = "check that none of them should be cached by itself: a change of one part runs all again"
    return Fix(at, message, edits, Safety.UNSAFE, f"merge them into one, joined by `{operator}`", review)


def _refuse_what_lasts(commands: Commands) -> None:
    """Refuse a script that changes what the next one would run in, or with."""
    text = commands.text.text
    if any(step.command.after is not None and step.command.after.text == "&" for step in commands.steps):
        raise Refused("a process in the background would go on running")
    for step in commands.steps:
        name = step.command.basename
        if name in _LASTING or (name == "ln" and "/bin/sh" in text):
            raise Refused(f"what `{name}` does would reach the next part")
        if step.command.assignments and not step.command.words:
            raise Refused("a variable would reach the next part")
        words = {word.value for word in step.command.args}
        if step.package is not None and words & {"pip", "npm", "setuptools"}:
            raise Refused("the shell would go on using the program that is upgraded")
    if ":=" in text or "/etc/hosts" in text or "set -e" in text:
        raise Refused("something in it would reach the next part")


CODEMOD: Final = Codemod(
    name="run-merge",
    title="RUN instructions that follow each other are layers of their own",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("run",),
    preset=Preset.STRICT,
    hadolint=frozenset({"DL3059"}),
    promise=Promise(rationale="One shell runs the same commands in the same order, and stops at the first failure."),
)
