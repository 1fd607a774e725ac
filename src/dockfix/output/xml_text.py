"""Text from files in XML documents: no markup, and only characters that XML 1.0 allows."""

from __future__ import annotations

import html
from typing import Final

from dockfix.output.plain import printable

__all__ = ["attributes", "document", "escaped"]

# what `printable` leaves and XML does not have
_INVALID: Final = str.maketrans({"\ufffe": "\\ufffe", "\uffff": "\\uffff"})


def escaped(text: str) -> str:
    """Text for an element or a quoted attribute, on one line."""
    return html.escape(printable(text).translate(_INVALID))


def attributes(**values: str | int | None) -> str:
    """Attributes of an element, with a space before each; those that are None are left out."""
    return "".join(f' {name}="{escaped(str(value))}"' for name, value in values.items() if value is not None)


def document(*lines: str) -> str:
    """A document of these lines. It is ASCII, so that it is right in any encoding that it is written in."""
    text = "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *lines)) + "\n"
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
