"""TOML files from untrusted sources: a text for which `tomllib` would need too much time or memory is refused."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

_MAX_PARTS: Final = 50
"""The time and memory that `tomllib` needs for a dotted key grow with the square of its parts."""
_STRING: Final = re.compile(
    r"""
    \"{3}(?:[^\\]|\\.)*?(?:\"{3,5}|\\?\Z)  # an unclosed string reaches to the end, else time would be quadratic
    | '{3}.*?(?:'{3,5}|\Z)
    | "(?:[^"\\\n]|\\.)*+"?
    | '[^'\n]*+'?
    | [#][^\n]*+
    """,
    re.DOTALL | re.VERBOSE,
)
_LONG_KEY: Final = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{_MAX_PARTS}}}")
_PLACE: Final = re.compile(r" \(at line (\d+), column \d+\)\Z| \(at end of document\)\Z")


class TomlError(ValueError):
    """A text that is not valid TOML, or is refused: why, and the line where that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse_toml(text: str) -> dict[str, Any]:
    """The document.

    Raises:
        TomlError: the text is not valid TOML, or has keys, numbers or nesting beyond the limits.
    """
    # a quoted part becomes one word
    bare = _STRING.sub(lambda match: "" if match[0][0] == "#" else "s" + "\n" * match[0].count("\n"), text)
    long_key = _LONG_KEY.search(bare)
    if long_key is not None:
        raise TomlError(f"a key has more than {_MAX_PARTS} parts", bare.count("\n", 0, long_key.start()) + 1)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        if place is None:
            raise TomlError(str(error)) from error
        line = int(place[1]) if place[1] else text.rstrip().count("\n") + 1  # the end of the document is the last line
        raise TomlError(_PLACE.sub("", str(error)), line) from error
    except RecursionError as error:
        raise TomlError("values are nested too deeply") from error
    except ValueError as error:
        # raised by `int`, which refuses thousands of digits
        raise TomlError("a number has too many digits") from error
