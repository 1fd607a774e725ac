"""A keyword is not in the case of the other keywords.

## What it does

Finds instruction keywords that are not in the case of most keywords of the file, and an `AS` that is not in the case of
its `FROM`. Both get the case of the majority: upper case, unless most keywords are in lower case. A file in lower case
throughout has no findings.

## Why is this bad?

Keywords in one case are easy to tell from their arguments. Docker reports the mixture as a build check, and
`docker build --check` then fails.

## Example

```dockerfile
FROM alpine:3.22 as base
run apk add --no-cache curl
CMD ["curl", "--version"]
```

Use instead:

```dockerfile
FROM alpine:3.22 AS base
RUN apk add --no-cache curl
CMD ["curl", "--version"]
```

## Fix safety

The fix is safe: builders ignore the case of keywords, and nothing else changes. The instruction inside an `ONBUILD` is
left as it is, because its text is stored in the image.

## When it does not apply

- A keyword that a line continuation splits: not fixed.
- Lines of a heredoc, and lines that continue another: they are no keywords.
- `CMD` and `NONE` of a `HEALTHCHECK`, and the case of stage names (`stage-name`).

## References

- https://docs.docker.com/reference/build-checks/consistent-instruction-casing/
- https://docs.docker.com/reference/build-checks/from-as-casing/
- moby/buildkit `frontend/dockerfile/dockerfile2llb/validations.go` (`validateCommandCasing`): an `ARG` before the first
  `FROM` is not counted. dockfix does not count it either, but checks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import From, Instruction, Word, is_as


def check(target: Target) -> Iterator[Finding]:
    """Compare each keyword with the majority."""
    instructions = target.dockerfile.instructions
    lower = _is_lower(instructions)
    for instruction in instructions:
        words = [instruction.keyword]
        if isinstance(instruction, From) and len(instruction.args) == 3 and is_as(instruction.args[1].text):
            words.append(instruction.args[1])
        if wrong := [word for word in words if word.text != _cased(word, lower)]:
            yield _finding(instruction, wrong, lower)


def _is_lower(instructions: Sequence[Instruction]) -> bool:
    """Whether most keywords are in lower case; those of mixed case, and those before the first FROM, do not count."""
    first = next((index for index, node in enumerate(instructions) if isinstance(node, From)), len(instructions))
    counted = [node.keyword.text for node in instructions[first:]]
    return sum(map(str.islower, counted)) > sum(map(str.isupper, counted))


def _cased(word: Word, lower: bool) -> str:
    return word.text.lower() if lower else word.text.upper()


def _finding(instruction: Instruction, wrong: Sequence[Word], lower: bool) -> Finding:
    case = "lower" if lower else "upper"
    shown = " and ".join(f"`{word.text}`" for word in wrong)
    message = f"{shown} {'is' if len(wrong) == 1 else 'are'} not in {case} case, unlike most keywords of the file"
    at = wrong[0].span
    if not all(instruction.logical.contiguous(word.start, word.end) for word in wrong):
        return Refusal(at, message, "a line continuation splits the keyword", cause="case")
    edits = tuple(Edit(*word.span, _cased(word, lower)) for word in wrong)
    help_ = "write " + " and ".join(f"`{_cased(word, lower)}`" for word in wrong)
    return Fix(at, message, edits, Safety.SAFE, help_, cause="case")


CODEMOD: Final = Codemod(
    name="keyword-case",
    title="a keyword is not in the case of the other keywords",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.STAGES, Effect.METADATA}),
    check=check,
    since="0.1.0",
    checks=frozenset({"ConsistentInstructionCasing", "FromAsCasing"}),
    promise=Promise(
        rationale=("BuildKit lowers keywords before it reads them: the build is the same."),
    ),
)
