r"""The white space of a Dockerfile is not uniform.

## What it does

Formats white space that has no meaning:

- Spaces and tabs at the end of a line are removed, also those after the escape character.
- Several blank lines in a row become one, or two above a stage; those at the start and at the end of the file are
  removed.
- The last line gets a line end.
- The lines that continue an instruction begin at the same indentation in the whole file: that of most instructions, or
  that of the option `indent`.

Lines that are indented further than the first level keep their depth: the lines of an instruction move together. A
single `&&` or `||` at the start of a line that is too far left moves alone. Comments between the lines move with the
line below them, unless most of the file's are at the start of the line. Two styles of alignment are left as they are:
lines below a word of the first line, and one space before `&&`, where the commands are aligned and not the operators.

The rule changes nothing but white space at these places. Ask for the related rules together with it: `--rule format
--rule keyword-case --rule empty-continuation --rule sort-packages`. `keyword-case` formats instructions and `AS`,
`empty-continuation` removes blank lines inside instructions, and `sort-packages` sorts packages.

## Why is this bad?

White space at the end of lines, and indentation that changes from one instruction to the next, show up in diffs and are
changed back and forth by editors. The rule is off by default, since formatting is a matter of taste.

## Example

```dockerfile
FROM alpine:3.22
WORKDIR /srv


RUN apk add --no-cache \
    curl \
    git
RUN mkdir data \
      # for the health check
      && touch data/ok \
      && ls -l \
        data
```

Use instead:

```dockerfile
FROM alpine:3.22
WORKDIR /srv

RUN apk add --no-cache \
    curl \
    git
RUN mkdir data \
    # for the health check
    && touch data/ok \
    && ls -l \
      data
```

## Fix safety

The fix is safe: dockfix parses each instruction again and offers the fix only if its words, flags, heredocs and
comments are the same, and it moves no white space inside a word of the shell.

The indentation of continued lines is part of the text of a `RUN`, which is the key of its layer in the build cache.
So the next build runs a `RUN` with a new indentation again, as after any other edit, and `docker history` shows the
new text. Other instructions, and white space at the end of lines, have no influence on the cache.

## When it does not apply

- Heredocs: all of their white space is content, and `<<-` removes tabs only.
- Lines that begin inside quotes, or inside a word that continues on the next line (`foo\`, then `bar`, is `foobar`):
  neither they nor the other lines of the instruction are indented anew.
- Indentation in `CMD`, `ENTRYPOINT` and `HEALTHCHECK` in shell form, in `ENV` and `LABEL` without `=`, and in
  `MAINTAINER` and `ONBUILD`: it is part of the configuration of the image.
- An instruction with a continued line that begins with a keyword, which may be meant as an instruction of its own.
- Indentation in a `RUN` for a shell that dockfix cannot read, such as PowerShell, and in a `RUN` with a heredoc.
- Comments in one line, alignment within a line, and the indentation of the first line of an instruction.

## Options

- `indent`: the indentation of continued lines, in columns. 0, the default, is that of most instructions of the file,
  which may be a tab.

## References

- moby/buildkit `frontend/dockerfile/parser/parser.go`: `reWhitespace`, `trimSpace`, and `([^\\])\\[ \t]*$`, which drops
  spaces and tabs after the escape character. Lines are joined with the white space at their beginning.
- https://docs.docker.com/reference/dockerfile/#format
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Finding, Fix, Preset, Promise, Safety, Severity
from dockfix_codemods.format.indent import indentation
from dockfix_codemods.format.spaces import blank_lines, final_newline, trailing_space

_MOST_COLUMNS: Final = 16


@dataclass(frozen=True)
class FormatOptions:
    """Options of `format`.

    Args:
        indent: the indentation of continued lines, in columns; 0 is that of most instructions of the file.
    """

    indent: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.indent <= _MOST_COLUMNS:
            raise ValueError(f"indent must be between 0 and {_MOST_COLUMNS}")


def check(target: Target) -> Iterator[Finding]:
    """Find white space that the formatting changes; white space at the end of lines and indentation by instruction."""
    dockerfile = target.dockerfile
    for at, edits in trailing_space(dockerfile):
        message, help_ = "a line ends with white space", "remove the white space"
        yield Fix(at, message, edits, Safety.SAFE, help_, cause="trailing")
    for at, edits in blank_lines(dockerfile):
        message, help_ = "more blank lines than one, or blank lines at an end of the file", "remove the blank lines"
        yield Fix(at, message, edits, Safety.SAFE, help_, cause="blank")
    for at, edits in final_newline(dockerfile):
        yield Fix(at, "the last line has no line end", edits, Safety.SAFE, "add a line end")
    for at, edits in indentation(target, target.options(FormatOptions).indent):
        message = "the indentation of continued lines is not that of the other instructions"
        yield Fix(at, message, edits, Safety.SAFE, "indent them alike", cause="indent")


CODEMOD: Final = Codemod(
    name="format",
    title="the white space is not uniform",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    preset=Preset.ALL,
    options=FormatOptions,
    promise=Promise(
        rationale=(
            "Every instruction has the same words, flags and heredocs: only the text of a `RUN` in the history differs."
        ),
    ),
)
