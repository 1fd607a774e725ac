"""Whether a text is a time, a version, an address and so on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from dockfix_codemods.label_schema.spdx import is_expression

_HASH: Final = re.compile(r"[0-9a-f]{7}|[0-9a-f]{40}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ](\d\d:\d\d:)(\d\d)(\.\d+)?(?:[Zz]|[+-][0-2]\d:[0-5]\d)", re.ASCII)
_VERSION: Final = re.compile(
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII
)
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_URL: Final = re.compile(r"[!-~]+")


class Fault(NamedTuple):
    """A kind of value: whether a text is one, and what it is called."""

    valid: Callable[[str], bool]
    what: str


def is_url(text: str) -> bool:
    """Whether a text is an absolute URL (RFC 3986)."""
    if not _URL.fullmatch(text) or any(char in text for char in '"<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(_SCHEME.fullmatch(parts.scheme)) and bool(parts.netloc or parts.path)


def is_time(text: str) -> bool:
    """Whether a text is a time with date and offset (RFC 3339); a leap second is one."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    try:
        datetime.fromisoformat(f"{text[:10]} {found[1]}{'59' if found[2] == '60' else found[2]}+00:00")
    except ValueError:
        return False
    return True


def is_hash(text: str) -> bool:
    """Whether a text is the hash of a git commit, short or long."""
    return bool(_HASH.fullmatch(text))


def is_version(text: str) -> bool:
    """Whether a text is a semantic version (semver.org, 2.0.0)."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return False
    pre, build = (each.split(".") if each is not None else [] for each in found.groups())
    numbers = [part for part in pre if part.isdigit()]
    return all(pre) and all(build) and not any(len(part) > 1 and part[0] == "0" for part in numbers)


def is_email(text: str) -> bool:
    """Whether a text is an address, `name@host` (RFC 5322, without quotes and comments)."""
    local, _, host = text.rpartition("@")
    if not _LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return len(host) < 254 and all(_HOST.fullmatch(part) for part in host.split("."))


FAULTS: Final[Mapping[str, Fault]] = {
    "url": Fault(is_url, "a URL"),
    "rfc3339": Fault(is_time, "a time of RFC 3339, such as `2026-01-31T12:00:00Z`"),
    "spdx": Fault(is_expression, "an SPDX license expression"),
    "hash": Fault(is_hash, "the hash of a git commit: 7 or 40 digits of `0-9a-f`"),
    "semver": Fault(is_version, "a semantic version"),
    "email": Fault(is_email, "an e-mail address"),
}
"""The kinds of values, other than `text`."""
