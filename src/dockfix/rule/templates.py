"""The files of a new pack and of a new rule, as `dockfix new` writes them. `@NAME@` and the like are replaced."""

from __future__ import annotations

from typing import Final

MODULE: Final = '''\
"""A stage name after a lower-case `as`.

## What it does

This text is the page of the rule: `dockfix explain @NAME@` shows it. Until you rewrite the rule, it writes the `as` of
a FROM in upper case.

## Why is this bad?

What goes wrong if nobody changes it, for whom, and how you know. Here: BuildKit warns if `FROM` and `as` differ in
case.

## Example

```dockerfile
FROM alpine as base
```

Use instead:

```dockerfile
FROM alpine AS base
```

## Fix safety

Why no build that succeeds today fails afterwards; for an unsafe fix, what to review. Here: safe, since BuildKit accepts
both spellings.

## When it does not apply

What looks like a finding and is not fixed, with the reason.

## Options

- `ignore-images`: images whose FROM is not changed. Default: empty.

## References

- https://docs.docker.com/reference/build-checks/from-as-casing/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.syntax.tree import From


@dataclass(frozen=True)
class @CLASS@Options:
    """Options of `@NAME@`, from `rules.@NAME@` of the configuration.

    Args:
        ignore_images: images whose FROM is not changed.
    """

    ignore_images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "" in self.ignore_images:
            raise ValueError("ignore_images must not contain an empty name")


def check(target: Target) -> Iterator[Finding]:
    """Find each `as` in lower case after `FROM` in upper case."""
    options = target.options(@CLASS@Options)
    for instruction in target.dockerfile.instructions:
        match instruction:
            case From(args=(image, word, _)) if word.text == "as" and instruction.keyword.text == "FROM":
                if image.text in options.ignore_images:
                    continue
                yield Fix(
                    at=word.span,
                    message="`as` and `FROM` differ in case",
                    edits=(Edit(word.span.start, word.span.end, "AS"),),
                    safety=Safety.SAFE,
                    help="write `AS`",
                )


CODEMOD: Final = Codemod(
    name="@NAME@",
    title="a stage name after a lower-case `as`",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="@VERSION@",
    triggers=("from",),
    options=@CLASS@Options,
    # What the fixes may change in the image and what they achieve; without it, the image must be the same.
    # promise=Promise(config=frozenset({Part.LABELS}), claims=frozenset({Claim.SMALLER}), rationale="One sentence."),
)
'''

GOLDEN: Final = """\
# @NAME@

The cases of the rule `@NAME@`: what it does in each, and why. `pytest golden` runs them, and
`pytest golden --update-golden` rewrites what they expect.

No `refuse` case: write one, or say here why there is none.

## fix: `as` in lower case

BuildKit accepts both spellings and warns if they are mixed.

```dockerfile
FROM alpine as base
```

```diff
--- a/Dockerfile
+++ b/Dockerfile
@@ -1 +1 @@
-FROM alpine as base
+FROM alpine AS base
```

```findings
Dockerfile:1:13 info, safe fix: `as` and `FROM` differ in case
  help: write `AS`
```

## keep: no name

A stage without a name has no `AS`.

```dockerfile
FROM alpine
```

## keep: an image that the options name

The configuration lists the image in `ignore-images`.

```yaml options
rules: {@NAME@: {ignore-images: [alpine]}}
```

```dockerfile
FROM alpine as base
```
"""

PYPROJECT: Final = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "@PROJECT@"
version = "0.1.0"
description = "Rules for dockfix"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["dockfix>=@VERSION@"]

[project.optional-dependencies]
dev = ["pytest>=8"]

# The entry point names the function that returns the rules of this pack.
[project.entry-points."dockfix.codemods"]
@PROJECT@ = "@PACKAGE@:load"

[tool.hatch.build.targets.wheel]
packages = ["src/@PACKAGE@"]

[tool.pytest.ini_options]
testpaths = ["tests", "golden"]
"""

INIT: Final = '''\
"""Rules for dockfix."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from dockfix.rule import Codemod

RULES: Final = (
    "@NAME@",
)
"""The rules in the order in which they run. Each is a module of this package, with underscores in its name."""


def load() -> tuple[Codemod, ...]:
    """All rules of the pack (the entry point `dockfix.codemods` in pyproject.toml)."""
    return tuple(import_module(f"{__name__}.{name.replace('-', '_')}").CODEMOD for name in RULES)
'''

TEST: Final = '''\
"""The rule `@NAME@`, beyond its golden cases in `golden/@NAME@.md`."""

from __future__ import annotations

import dockfix
import pytest

from @PACKAGE@.@MODULE@ import @CLASS@Options

TEXT = "FROM alpine as base\\n"


def test_the_rule_is_installed() -> None:
    assert "@NAME@" in [rule.name for rule in dockfix.rules()]


def test_an_image_can_be_ignored() -> None:
    settings = dockfix.Settings(select=("@NAME@",))
    assert dockfix.fix_text(TEXT, settings).text == "FROM alpine AS base\\n"
    options = @CLASS@Options(ignore_images=("alpine",))
    settings = dockfix.Settings(select=("@NAME@",), rule_options={@CLASS@Options: options})
    assert dockfix.fix_text(TEXT, settings).text == TEXT


def test_an_empty_name_is_rejected() -> None:
    with pytest.raises(ValueError, match="must not contain an empty name"):
        @CLASS@Options(ignore_images=("",))
'''

README: Final = """\
# @PROJECT@

A pack of rules for dockfix.

    pip install -e '.[dev]'     # registers the rules: `dockfix rules` lists them
    pytest                      # the golden cases and the tests
    dockfix check --rule @NAME@ PATH

- `src/@PACKAGE@/@MODULE@.py`: the rule. Its docstring is its page, its dataclass declares its options.
- `golden/@NAME@.md`: the cases of the rule. Write the Dockerfile first, then run `pytest golden --update-golden=create`
  and read what it wrote.
- `dockfix new OTHER-RULE`, run in this folder, adds a rule.

Configure the rule in `pyproject.toml` of the project that you check:

```toml
[tool.dockfix.rules.@NAME@]
ignore-images = ["alpine"]
```
"""
