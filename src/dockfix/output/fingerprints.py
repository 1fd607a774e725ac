"""Names of findings that stay the same when lines move."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from dockfix.output.located import Located
from dockfix.syntax.source import encode

__all__ = ["fingerprints"]

_LINE_NUMBER: Final = re.compile(r"(?<=\w:)\d+\b|(?<=\bline )\d+\b|(?<=\blines )\d+\b")


def fingerprints(found: Iterable[Located]) -> list[str]:
    """A fingerprint for each finding: of its file, its rule, its message and the text at its place, not of its line.

    Of equal findings in one file, each has its own, in the order of the lines.
    """
    seen: Counter[str] = Counter()
    names = []
    for each in found:
        start, end = each.found.finding.at
        if start == end:
            start = each.lines.start(each.lines.line(start))
            end = each.text.find("\n", start)
            end = len(each.text) if end == -1 else end
        words = " ".join(each.text[start:end].split())
        message = _LINE_NUMBER.sub("", each.found.finding.message)
        key = "\0".join((each.path, each.found.rule, message, words))
        seen[key] += 1
        names.append(hashlib.sha256(_bytes(f"{key}\0{seen[key]}")).hexdigest()[:32])
    return names


def _bytes(text: str) -> bytes:
    try:
        return encode(text)
    except UnicodeEncodeError:  # a surrogate that no file can hold, from a message
        return text.encode("utf-8", "surrogatepass")
