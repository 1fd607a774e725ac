r"""Shell text (of RUN, CMD, HEALTHCHECK and heredoc scripts) as simple commands with spans.

A scanner of our own reads words, quoting, redirects, heredocs and comments; it follows POSIX.1-2017 XCU chapter 2 and,
where bash goes further, the GNU Bash manual. tree-sitter-bash parses the grammar above them (lists, pipelines, compound
commands): it gets a skeleton of the script in which every simple command is one plain word. On its own,
tree-sitter-bash misreads constructs that are common in Dockerfiles: `\<newline>` inside a word, words after a redirect,
operators after a heredoc, `A=1 >x`, words that begin with an escape.

All offsets are half-open `str` indices into the text that was parsed. Nothing here runs anything.

Values:

- `model`: words, redirects, simple commands, compound statements, scripts.
- `items`: the items that the scanner cuts a text into, and the reserved words among them.

From text to commands:

- `words`: words, quotes, expansions, substitutions, assignments.
- `redirects`: redirects and here-documents.
- `scanner`: the grammar of lists and compound commands, as far as items need it.
- `commands`: items to commands with their context, through tree-sitter-bash.

What commands mean:

- `text`: literal words without their quoting, bodies of here-documents.
- `programs`: which shell an argument vector starts, and the scripts that commands pass to shells.
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
