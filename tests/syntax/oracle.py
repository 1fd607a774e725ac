"""The PyPI project `dockerfile`, which wraps moby's own parser, as an oracle for ours.

These known differences are excluded here and nowhere else: it accepts text after a JSON array (an older parser); marks
the children of ONBUILD as JSON; misses `<< WORD` with a blank and heredocs in ONBUILD; rejects input that is not valid
UTF-8 or contains NUL, and fails where the parser itself cuts a character in two.

Its parser is older than that of the current BuildKit: it does not support `# check=`, nor an escape directive that is
indented or after an indented directive, nor any after a no-break space, and it reads `<<` words in `${...}`
differently. No sample here has those; the recorded answers of BuildKit itself in `tests/data` do.
"""

from __future__ import annotations

import re

import dockerfile as moby

from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.syntax.tree import Dockerfile

# Where moby's parser at the wheel's version differs from BuildKit's of today, we follow BuildKit.
_KNOWN = re.compile(
    r"<<-?[\t\r ]"  # a blank before the name of a heredoc
    r"|onbuild"  # JSON and heredocs of a child
    r"|\[[^\n]*\][^\n]*\S"  # text after JSON
    r"|^[^\S\n]*#[^\S\n]*[^\S\t\n\f\r ][^\S\n]*(syntax|escape)\b",  # a directive after other white space than that
    re.IGNORECASE | re.MULTILINE,
)


def comparable(data: bytes) -> bool:
    """Whether the oracle can parse this input."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def difference(data: bytes) -> str:
    """What the two say differently about commands, lines, flags, JSON and heredocs; empty where they agree."""
    text = decode(data)
    if not comparable(data) or _KNOWN.search(text):
        return ""
    tree = parse(text)
    refused = [problem for problem in tree.problems if problem.stage == "parser"]
    try:
        commands = moby.parse_string(text)
    except moby.GoParseError as error:
        return "" if refused else f"only the oracle rejects it: {error}"
    except UnicodeDecodeError:
        return ""
    if refused:
        return f"only dockfix rejects it: {refused[0].message}"
    ours, theirs = _ours(tree), [_theirs(command) for command in commands]
    if ours == theirs:
        return ""
    return next((f"{one} != {two}" for one, two in zip(ours, theirs, strict=False) if one != two), "counts differ")


_Row = tuple[str, int, int, tuple[str, ...], bool, tuple[str, ...]]


def _ours(tree: Dockerfile) -> list[_Row]:
    return [
        (
            node.keyword.text.lower(),
            node.start_line,
            node.end_line,
            tuple(flag.word.text for flag in node.flags),
            node.json,
            tuple(heredoc.content for heredoc in node.heredocs),
        )
        for node in tree.instructions
    ]


def _theirs(command: moby.Command) -> _Row:
    heredocs = tuple(heredoc.content for heredoc in getattr(command, "heredocs", ()))
    return (
        (command.cmd or "").lower(),
        command.start_line,
        command.end_line,
        tuple(command.flags),
        command.json,
        heredocs,
    )
