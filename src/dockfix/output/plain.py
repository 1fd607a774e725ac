"""Text from files, safe to show on a terminal: no character of a file may control the terminal or hide text."""

from __future__ import annotations

import re
from typing import Final

_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff0-\ufffb\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control, format, line-separating and unpaired surrogate characters: Unicode's Cc, Cf, Zl, Zp and Cs, and the code
points of their blocks that are invisible or not assigned yet.
"""


def printable(text: str, *, keep: str = "") -> str:
    """`text` with control, invisible and direction-changing characters and invalid bytes escaped.

    Terminal escapes, `\\r` and bidirectional overrides would let a file forge what is shown ("Trojan Source",
    CVE-2021-42574). Characters of `keep` are not escaped.
    """
    return UNPRINTABLE.sub(lambda match: match[0] if match[0] in keep else _escaped(match[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def without_commands(text: str) -> str:
    """Text for the log of a CI job, without what GitHub Actions takes for a command anywhere in a line.

    Source: `TryParse` in actions/runner's ActionCommand.cs, which searches each line for `##[`.
    """
    return text.replace("##[", "##\\x5b")


def path_first(path: str) -> str:
    """A path at the start of a line: one that begins as a command of GitHub Actions does (`::`) gets a `./`."""
    shown = printable(path)
    return f"./{shown}" if shown.lstrip().startswith("::") else shown


class Style:
    """Terminal colours by meaning; a plain style returns text unchanged."""

    __slots__ = ("colour",)

    _CODES: Final = {
        "bold": "1",
        "dim": "2",
        "error": "31;1",
        "warning": "33;1",
        "info": "36;1",
        "added": "32",
        "removed": "31",
        "hunk": "36",
        "good": "32;1",
    }

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, kind: str, text: str) -> str:
        """`text` in the colour of `kind` (`bold`, `dim`, a severity, `added`, `removed`, `hunk`, `good`)."""
        return f"\x1b[{self._CODES[kind]}m{text}\x1b[0m" if self.colour and text else text


PLAIN: Final = Style(colour=False)
