"""How Go reads and writes text: white space, lower case, quoting, and U+FFFD for invalid UTF-8."""

from __future__ import annotations

import re

from dockfix.syntax.source import BOM, GO_SPACE

GO_SPACES = frozenset(GO_SPACE)
SURROGATE = re.compile("[\ud800-\udfff]")


def replace_invalid(text: str) -> str:
    """Text after Go's rune-wise copying: each invalid UTF-8 byte becomes U+FFFD."""
    if text.isascii() or not SURROGATE.search(text):
        return text
    return SURROGATE.sub("\ufffd", rejoin(text))


def rejoin(text: str) -> str:
    """Text in which the halves of a character that a continuation had split are one character again."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def go_lower(text: str) -> str:
    """Go's `strings.ToLower`, which maps character by character: `İ` becomes a plain `i`."""
    return text.lower() if text.isascii() else "".join(_GO_LOWER.get(char, char.lower()) for char in text)


_GO_LOWER = {"\u0130": "i"}  # the one character whose full lower case, which `str.lower` gives, is two characters
_GO_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def go_quote(text: str) -> str:
    """Text as Go's `%q` writes it, which is how BuildKit quotes it in messages."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        elif char in _GO_ESCAPES:
            out.append(_GO_ESCAPES[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        elif "\udc80" <= char <= "\udcff":  # a byte that is not valid UTF-8
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


def scannable(text: str) -> str:
    # Go's text/scanner drops a BOM at the very beginning and reads each invalid byte as U+FFFD.
    # Offsets must not change, so the halves of a split character are kept apart.
    return (text if text.isascii() else SURROGATE.sub("\ufffd", text)).removeprefix(BOM)
