"""Shell text (of RUN, CMD, HEALTHCHECK and heredoc scripts) as simple commands with spans.

Words, quoting, redirects, heredocs and comments are read by a scanner of our own, which follows POSIX.1-2017 XCU
chapter 2 and, where bash goes further, the GNU Bash manual. The grammar above them (lists, pipelines, compound
commands) is tree-sitter-bash's: it gets a skeleton of the script in which every simple command is one plain word.
tree-sitter-bash alone misreads what Dockerfiles are full of: ``\\<newline>`` inside a word, words after a redirect,
operators behind a heredoc, ``A=1 >x``, words that begin with an escape.

All offsets are half-open ``str`` indices into the text that was parsed. Nothing here runs anything.

Values:

- `model`: words, redirects, simple commands, compound statements, scripts.
- `items`: the items that the scanner cuts a text into, and the reserved words among them.

From text to commands:

- `words`: words, quotes, expansions, substitutions, assignments.
- `redirects`: redirects and here-documents.
- `scanner`: the grammar of lists and compound commands, as far as items need it.
- `commands`: items to commands with their context, by way of tree-sitter-bash.

What commands mean:

- `text`: literal words without their quoting, bodies of here-documents.
- `programs`: which shell an argument vector starts, and the scripts that commands hand to shells.
"""

from __future__ import annotations

from dockfix.syntax.shell.commands import Token, parse_shell, tokens
from dockfix.syntax.shell.model import (
    MAX_LENGTH,
    Assignment,
    Compound,
    Context,
    Heredoc,
    Operator,
    Redirect,
    Script,
    SimpleCommand,
    Statement,
    Word,
)
from dockfix.syntax.shell.programs import (
    Nested,
    ShellKind,
    nested_script,
    nested_scripts,
    quote,
    shell_kind,
    shell_options,
)
from dockfix.syntax.shell.text import MappedText, expand_heredoc, literal
from dockfix.syntax.shell.words import DECLARATIONS

__all__ = [
    "DECLARATIONS",
    "MAX_LENGTH",
    "Assignment",
    "Compound",
    "Context",
    "Heredoc",
    "MappedText",
    "Nested",
    "Operator",
    "Redirect",
    "Script",
    "ShellKind",
    "SimpleCommand",
    "Statement",
    "Token",
    "Word",
    "expand_heredoc",
    "literal",
    "nested_script",
    "nested_scripts",
    "parse_shell",
    "quote",
    "shell_kind",
    "shell_options",
    "tokens",
]
