"""The test kit for codemods: golden cases in Markdown, for the built-in pack and for any other.

`golden/<rule>.md` holds the cases of a rule and reads as its documentation. pytest collects it through the plug-in
that comes with dockfix (`dockfix.testing.plugin`): one test for each case and variant, and one for each program that
must apply all the diffs of the file. Name the folder in `testpaths`, or on the command line::

    pytest golden                               # all
    pytest golden/my-rule.md -k fix-late-purge  # one case
    pytest golden/my-rule.md --update-golden    # rewrite only the expectations

`document` reads and writes golden files, `cases` turns them into cases, `variants` changes the line ends and encoding
of a Dockerfile, `runs` calls the engine, and `checks` compares. `make_case` and `check_case` are for tests without a
golden file.

## A golden file

The first line is `# ` and the rule's name. The text after it, up to the first case, is free. A line that begins with
``Needs the program `name` `` there skips all cases where the program is not installed. A case is a heading, a
sentence on what it shows and why, and fenced blocks::

    ## refuse: a later step needs the index

    `apk search` reads the index that `apk update` leaves.

    ```dockerfile
    FROM alpine
    RUN apk update
    RUN apk search curl
    ```

    ```findings
    Dockerfile:2:5 info, refusal: `apk update` is not needed
      note: line 3 reads the index
    ```

The first word of the heading is the kind of the case, and it is checked:

- `fix`: the codemod changes something; it may have other findings too;
- `refuse`: it changes nothing, and has at least one refusal;
- `advise`: it changes nothing, has no refusal, and has advice;
- `keep`: it finds nothing.

The blocks of a case:

- An input file: the line before the block is its path in backticks and a colon, as in `` `compose.yaml`: ``. A block
  of the language `dockerfile` without such a line is the file `Dockerfile`.
- `diff`: the unified diff over the project, changes of other files and new files included. Without it, nothing is
  changed.
- `findings`: the findings on the input, in order, in each file. A finding is a line
  `PATH:LINE:COLUMN SEVERITY, KIND: MESSAGE`, where the kind is `safe fix`, `unsafe fix`, `refusal` or `advice`, and an
  indented line for each other part that it has: `help`, `review`, `note`. Without this block, nothing is found.
- `yaml options`: `unsafe` (default true: unsafe fixes are applied), `context` (a folder of the case),
  `build-contexts` (a mapping of names), `rules` (the options of the rule, as in a configuration file in the folder of
  the case), `use-project` (default true: compose and bake files are read), `variants` (a mapping of the variants that
  the case cannot have to the reasons).

Attributes after the language of a block describe bytes that Markdown cannot hold. An empty block is an empty file.

- `no-final-newline`: the last line has no line end.
- `crlf`: all lines end with `\\r\\n`.
- `bom`: the file begins with a byte order mark.
- `escapes`: `\\r` is a carriage return, `\\xNN` a byte, and `\\\\` a backslash.
- `base64`: the content, for a binary file.
- `mode=755`: the permissions of the file.
- `symlink`: the content is the target of a symbolic link.

## What each case asserts

The diff and the findings are as expected. No gate of the engine fails, with and without the unsafe fixes. Decoding and
encoding return the same bytes. The results parse, and their trees contain all of the text. A second run has no changes.
`git apply` and `patch -p1` apply the diff with the same result. All of this holds, with the same findings, for other
line ends, a byte order mark, no final line end and another escape character (`Variant`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockfix.testing.cases import Case, Options, load_cases, make_case
    from dockfix.testing.checks import PATCH_TOOLS, Update, check_case, check_patches
    from dockfix.testing.document import CaseError, Kind
    from dockfix.testing.runs import CaseResult, FileResult, run_case
    from dockfix.testing.variants import Variant, fits, transform

__all__ = [
    "PATCH_TOOLS", "Case", "CaseError", "CaseResult", "FileResult", "Kind", "Options", "Update", "Variant",
    "check_case", "check_patches", "fits", "load_cases", "make_case", "run_case", "transform",
]  # fmt: skip

_HOMES = {
    "cases": ("Case", "Options", "load_cases", "make_case"),
    "checks": ("PATCH_TOOLS", "Update", "check_case", "check_patches"),
    "document": ("CaseError", "Kind"),
    "runs": ("CaseResult", "FileResult", "run_case"),
    "variants": ("Variant", "fits", "transform"),
}


if not TYPE_CHECKING:  # a type checker has the names above, and reports others

    def __getattr__(name: str) -> object:
        # pytest loads the plug-in, and so this package, in every run: the engine is imported only when it is needed.
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
