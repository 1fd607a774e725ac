"""The lock file of base images: the digest that each tag is pinned to. Other tools write it; nothing is fetched.

A line is `python:3.13-slim@sha256:...`, or the same in TOML: `"python:3.13-slim" = "sha256:..."`. Blank lines and lines
that begin with `#` are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dockfix.facts.images import parse_image_ref
from dockfix.project.problems import InputError

ImageLock = Mapping[str, str]
"""Digests by the full name of the image, as `locked_digest` looks them up."""

_TOML_LINE: Final = re.compile(r"""(["'])(?P<ref>[^"'@]+)\1\s*=\s*(["'])(?P<digest>[^"']+)\3\s*(?:#.*)?""")
_PLAIN_LINE: Final = re.compile(r"(?P<ref>[^\s@#]+)@(?P<digest>\S+)\s*(?:#.*)?")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def parse_image_lock(text: str, name: str) -> ImageLock:
    """Read the text of a lock file; `name` is the file's name in errors.

    Raises:
        InputError: a line is malformed or contradicts another one.
    """
    found: dict[str, str] = {}
    for number, line in enumerate((each.strip() for each in text.split("\n")), 1):
        if not line or line.startswith("#"):
            continue
        match = _TOML_LINE.fullmatch(line) or _PLAIN_LINE.fullmatch(line)
        if match is None:
            raise InputError(name, number, 'must be IMAGE:TAG@sha256:... or "IMAGE:TAG" = "sha256:..."')
        key = _key(match["ref"])
        if key is None or parse_image_ref(match["ref"]) is None or ":" not in match["ref"].rpartition("/")[2]:
            raise InputError(name, number, f"{match['ref']!r} is not an image with a tag")
        if not _DIGEST.fullmatch(match["digest"]):
            raise InputError(name, number, f"{match['digest']!r} is not a sha256 digest with 64 hexadecimal digits")
        if found.setdefault(key, match["digest"]) != match["digest"]:
            raise InputError(name, number, f"{match['ref']} has another digest in a line above")
    return found


def locked_digest(lock: ImageLock, reference: str) -> str | None:
    """The digest that a reference with a tag, or without one (`latest`), is locked to; None if it is not locked."""
    key = _key(reference)
    return lock.get(key) if key is not None else None


def _key(reference: str) -> str | None:
    ref = parse_image_ref(reference)
    return None if ref is None else f"{ref.registry}/{ref.repository}:{ref.tag or 'latest'}"
