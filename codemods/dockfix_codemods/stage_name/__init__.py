"""A stage has a name in capitals, a reserved name, or the name of another stage.

## What it does

Finds stage names with capitals, stages that are called `scratch` or `context`, and two stages of one name. The fix
renames the stage and changes each reference: `FROM`, `COPY --from` and `RUN --mount=from=` of the file, and the
`target` of compose services and bake targets that build it.

## Why is this bad?

BuildKit reads stage names in lower case: `AS Build` makes a stage `build`, and `FROM Build` fails. `scratch` and
`context` have a meaning of their own in `FROM` and `COPY --from`. Of two stages with one name, `--target` builds the
last one, and a `COPY --from` between them fails.

## Example

```dockerfile
FROM golang:1.24 AS Build
RUN go build -o /app ./...

FROM scratch
COPY --from=Build /app /app
```

Use instead:

```dockerfile
FROM golang:1.24 AS build
RUN go build -o /app ./...

FROM scratch
COPY --from=build /app /app
```

## Fix safety

A name in lower case is a safe fix: BuildKit and Docker ignore the case of stage names, also of `--target`. Podman and
Buildah do not, so the fix is unsafe in a `Containerfile`: check the `--target` of its builds.

A new name for a reserved or duplicate one is unsafe: a script may build the stage with `--target`. Of two stages with
one name the first is renamed, since `--target` means the last one. `FROM scratch` is the empty image for BuildKit also
after a stage of that name; other builders may take the stage.

## When it does not apply

- A reference that cannot be edited by itself: with quotes, split over lines, from a variable, or in an `ONBUILD`, whose
  text is stored in the image.
- A `target` of a compose or bake file that comes from a variable or another file.
- A name that a build replaces by a named context.
- A name in capitals that another stage has in another case: first give the two stages different names.

## References

- https://docs.docker.com/reference/build-checks/stage-name-casing/
- https://docs.docker.com/reference/build-checks/duplicate-stage-name/
- https://docs.docker.com/reference/build-checks/reserved-stage-name/
- https://github.com/hadolint/hadolint/wiki/DL3024
- Tested with BuildKit and Buildah 1.28: which stage a name means, and whether its case matters
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import From, Word
from dockfix_codemods.stage_name.references import References, stage_edits
from dockfix_codemods.stage_name.targets import target_changes

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage

_RESERVED: Final = ("scratch", "context")
_WORD: Final = re.compile(r"[a-z0-9_.-]+")


def check(target: Target) -> Iterator[Finding]:
    """Look at the name of each stage."""
    aliases = [node.alias for node in target.dockerfile.instructions if isinstance(node, From) and node.alias]
    names = [alias.text.lower() for alias in aliases]
    # the facts are expensive, and most files have no such name
    if any(alias.text != alias.text.lower() or alias.text in _RESERVED for alias in aliases) or len(set(names)) < len(
        names
    ):
        references = References(target.facts.graph.stages)
        named: dict[str, list[Stage]] = {}
        for stage in target.facts.graph.stages:
            if stage.name is not None:
                named.setdefault(stage.name, []).append(stage)
        for stages in named.values():
            for number, stage in enumerate(stages):
                yield from _check_stage(target, references, stages, number, stage)


def _check_stage(
    target: Target, references: References, stages: Sequence[Stage], number: int, stage: Stage
) -> Iterator[Finding]:
    """Check one of the `stages` with its name, in lower case."""
    name, alias = stage.name, stage.node.alias
    if name is None or alias is None:
        return
    try:
        if number:
            message = f"the stage name `{name}` is taken: line {stages[number - 1].node.start_line} has it, too"
            yield _rename_earlier(target, references, stages, number, name, alias, message)
        elif name in _RESERVED:
            message = f"the stage name `{name}` is reserved: it means something else in a `FROM` or `COPY`"
            yield _rename_reserved(target, references, stage, name, alias, message)
        elif alias.text != name:
            message = f"the stage name `{alias.text}` has capitals, but builders read it as `{name}`"
            if len(stages) > 1:
                raise Refused("another stage has this name in another case")
            yield _lower(target, references, stage, name, alias, message)
    except Refused as refused:
        yield Refusal(alias.span, message, refused.reason)


def _lower(target: Target, references: References, stage: Stage, name: str, alias: Word, message: str) -> Fix:
    """Write the name of a stage in lower case, and all references to it."""
    if any(written != name for written in references.in_onbuild(name)):
        raise Refused("an `ONBUILD` refers to it, and its text is stored in the image")
    edits = stage_edits(stage.node, name)
    edits += tuple(each.renamed(name) for each in references.of(name) if each.text != name)
    is_containerfile = target.path.name.lower().startswith("containerfile")
    return Fix(
        alias.span,
        message,
        edits,
        Safety.UNSAFE if is_containerfile else Safety.SAFE,
        f"rename it to `{name}`, with all references",
        "check the `--target` of builds with Podman or Buildah, where case matters" if is_containerfile else "",
        other_files=target_changes(target, name, name),
    )


def _rename_reserved(target: Target, references: References, stage: Stage, name: str, alias: Word, message: str) -> Fix:
    later = target.facts.graph.stages[stage.index + 1 :]
    empty = next((each.node for each in later if each.node.image and each.node.image.text == "scratch"), None)
    _check_meaning(target, references, name)
    new = _new_name(target, f"{name}-stage")
    return Fix(
        alias.span,
        message,
        stage_edits(stage.node, new) + tuple(each.renamed(new) for each in references.of(name)),
        Safety.UNSAFE,
        f"rename it to `{new}`, with all references",
        f"check that no script or CI job builds it with `--target {name}`"
        + (
            f", and that line {empty.start_line} means the empty image, as it does for BuildKit"
            if name == "scratch" and empty is not None
            else ""
        ),
        other_files=target_changes(target, name, new),
    )


def _rename_earlier(
    target: Target,
    references: References,
    stages: Sequence[Stage],
    number: int,
    name: str,
    alias: Word,
    message: str,
) -> Fix:
    """Give the earlier of two stages with one name a name of its own, also where the stages up to the later use it."""
    earlier, stage = stages[number - 1], stages[number]
    _check_meaning(target, references, name)
    new = _new_name(target, f"{name}-{number}")
    found = references.of(name, earlier.index + 1, stage.index)
    return Fix(
        alias.span,
        message,
        stage_edits(earlier.node, new) + tuple(each.renamed(new) for each in found),
        Safety.UNSAFE,
        f"rename the stage of line {earlier.node.start_line} to `{new}`, and the references to it",
        f"choose a name that says what the stage is for; check that no script builds it as `{name}`",
    )


def _check_meaning(target: Target, references: References, name: str) -> None:
    """Refuse a new name where the old one has a meaning out of reach."""
    if target.facts.graph.named_context(name) is not None:
        raise Refused("a build replaces the stages of this name by a named context")
    if references.in_onbuild(name):
        raise Refused("an `ONBUILD` refers to it, and its text is stored in the image")


def _new_name(target: Target, name: str) -> str:
    """A name that is not a word of the file."""
    words = target.facts.once(("stage-name", "words"), lambda: frozenset(_WORD.findall(target.text.lower())))
    free, number = name, 2
    while free in words:
        free = f"{name}-{number}"
        number += 1
    return free


CODEMOD: Final = Codemod(
    name="stage-name",
    title="a stage has capitals in its name, a reserved name, or the name of another",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.STAGES, Effect.COPIES, Effect.MOUNTS, Effect.COMPOSE, Effect.BAKE}),
    check=check,
    since="0.1.0",
    triggers=("as ", "as\t", "as\\", "as`"),
    hadolint=frozenset({"DL3024", "DL3063"}),
    checks=frozenset({"StageNameCasing", "DuplicateStageName", "ReservedStageName"}),
    promise=Promise(
        rationale=(
            "The name of a stage is not part of an image. All references to it in the Dockerfile, and the targets of "
            "compose and bake files, change with it."
        ),
    ),
)
