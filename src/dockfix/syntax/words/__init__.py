"""BuildKit's word splitting, `$variable` expansion, JSON arrays and CSV fields.

A port of the relevant parts of moby/buildkit `frontend/dockerfile/shell/lex.go`, `parser/line_parsers.go`,
`parser/split_command.go` and tonistiigi/go-csvvalue. Where Go writes U+FFFD for invalid UTF-8, so does this package.

- `gotext`: how Go reads and writes text: white space, lower case, quoting, invalid UTF-8.
- `splitting`: text into words, and the leading flags of an instruction.
- `expansion`: `$name` and `${name...}` in a word, and whether two words always have the same value.
- `patterns`: the shell patterns of `${name#pattern}` and `${name/pattern/new}`.
- `heredocs`: the heredocs that an instruction opens.
- `jsonarray`: JSON arrays of strings (the exec form).
- `csvfields`: the comma-separated fields of a mount.
"""

from __future__ import annotations

from dockfix.syntax.words.csvfields import csv_error, csv_fields
from dockfix.syntax.words.expansion import Expansion, Lookup, expand, expansion_end, template, variables
from dockfix.syntax.words.gotext import go_lower, go_quote, rejoin, replace_invalid
from dockfix.syntax.words.heredocs import HeredocMark, heredoc_mark, heredoc_marks
from dockfix.syntax.words.jsonarray import NotStringsError, json_array
from dockfix.syntax.words.patterns import SubstitutionError
from dockfix.syntax.words.splitting import (
    ASCII_SPACE,
    FlagPiece,
    Piece,
    split_ascii_space,
    split_first_word,
    split_flags,
    split_quoted,
)

__all__ = [
    "ASCII_SPACE",
    "Expansion",
    "FlagPiece",
    "HeredocMark",
    "Lookup",
    "NotStringsError",
    "Piece",
    "SubstitutionError",
    "csv_error",
    "csv_fields",
    "expand",
    "expansion_end",
    "go_lower",
    "go_quote",
    "heredoc_mark",
    "heredoc_marks",
    "json_array",
    "rejoin",
    "replace_invalid",
    "split_ascii_space",
    "split_first_word",
    "split_flags",
    "split_quoted",
    "template",
    "variables",
]
