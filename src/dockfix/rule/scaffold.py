"""The beginning of a new codemod: a module that works, and a golden file for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dockfix import __version__

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)

_MODULE: Final = '''\
"""Say in one line what the rule finds.

This text is the rule's page. Until it is rewritten the rule does what it says here: it writes the `AS` of a FROM in the
case of the FROM.

## Example

Before:

```dockerfile
FROM alpine as base
```

After:

```dockerfile
FROM alpine AS base
```

## Why

What goes wrong if nothing is done, for whom, and how that was seen.

## Safety

Why each fix is safe; or what a person must look at before an unsafe one is taken.

## Refuses

What meets the pattern and is not touched, because.

## Sources

BuildKit's check `FromAsCasing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.syntax.tree import From


def check(target: Target) -> Iterator[Finding]:
    """One fix for each FROM whose `as` is in another case."""
    for instruction in target.dockerfile.instructions:
        match instruction:
            case From(args=(_, word, _)) if word.text == "as" and instruction.keyword.text == "FROM":
                yield Fix(
                    at=word.span,
                    message="`as` is in another case than `FROM`",
                    edits=(Edit(word.span.start, word.span.end, "AS"),),
                    safety=Safety.SAFE,
                    help="write `AS` as `FROM` is written: BuildKit accepts both and warns about the mix",
                )


CODEMOD: Final = Codemod(
    name="@NAME@",
    title="Say in one line what the rule mends",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="@VERSION@",
    triggers=("from",),
)
'''
_GOLDEN: Final = """\
# @NAME@

The cases of the rule `@NAME@`: what it does in each, and why. `pytest golden` checks them, and
`pytest golden --update-golden` rewrites what they expect.

No `refuse` case: say here why there is none, or write one.

## fix: `as` in lower case

BuildKit takes both cases and warns of the mixture.

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
Dockerfile:1:13 info, safe fix: `as` is in another case than `FROM`
  help: write `AS` as `FROM` is written: BuildKit accepts both and warns about the mix
```

## keep: no name

A stage without a name has no `AS`.

```dockerfile
FROM alpine
```
"""


class ScaffoldError(Exception):
    """A codemod that cannot be begun; the message says why."""


def find_pack(root: Path) -> Path:
    """The folder of the one codemod pack of a project.

    Raises:
        ScaffoldError: there is none, or more than one.
    """
    packs = sorted(path.parent for path in root.glob("codemods/*_codemods/__init__.py"))
    if len(packs) == 1:
        return packs[0]
    if not packs:
        raise ScaffoldError(f"no codemod pack (codemods/*_codemods) in {root}; give --pack DIR")
    raise ScaffoldError(f"several codemod packs in {root}: {', '.join(path.name for path in packs)}; give --pack DIR")


def scaffold(name: str, pack: Path, root: Path) -> tuple[Path, ...]:
    """Write a codemod's module and its golden file, and give their paths.

    Args:
        name: the rule's name, in kebab case.
        pack: the folder of the pack, a Python package.
        root: the project, whose `golden/` gets the file.

    Raises:
        ScaffoldError: the name is no kebab case, the pack is none, or something of that name is there.
    """
    if _NAME.fullmatch(name) is None:
        suggestion = "-".join(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()))
        hint = f"; {suggestion!r} would be" if _NAME.fullmatch(suggestion) else ""
        raise ScaffoldError(f"{name!r} is no name in kebab case{hint}")
    if not (pack / "__init__.py").is_file():
        raise ScaffoldError(f"{pack} is no codemod pack: it has no __init__.py")
    module = pack / f"{name.replace('-', '_')}.py"
    golden = root / "golden" / f"{name}.md"
    for path in (module, golden):
        if path.exists() or path.is_symlink():
            raise ScaffoldError(f"{path} is there already; nothing written")
    try:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(_GOLDEN.replace("@NAME@", name), encoding="utf-8", newline="\n")
        text = _MODULE.replace("@NAME@", name).replace("@VERSION@", __version__)
        with module.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        where = error.filename or module
        raise ScaffoldError(f"{where} cannot be written: {(error.strerror or str(error)).lower()}") from error
    return module, golden
