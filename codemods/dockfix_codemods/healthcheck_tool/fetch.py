"""The requests of `curl` and `wget` in health checks, and commands that make the same request with another program.

An equivalent must have the same exit code and the same request: a GET that fails on a status of 400 and above.
Sources: curl(1), wget(1), busybox `networking/wget.c`, docs.python.org/3/library/urllib.request.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from dockfix.facts.model import Refused
from dockfix.facts.packages import WordLike

_CURL_QUIET: Final = frozenset("sSLv")
_CURL_LONG: Final = frozenset(("--silent", "--show-error", "--location", "--verbose", "--no-progress-meter"))
_CURL_FAIL: Final = frozenset(("--fail", "--fail-with-body"))
_WGET_LONG: Final = frozenset(("--quiet", "--no-verbose", "--tries=1", "-nv", "-t1", "-q"))
_SINKS: Final = frozenset(("/dev/null", "-", "/dev/stdout"))
_UNSAFE_IN_CODE: Final = frozenset("'\"\\$` \t\n")

_Item: TypeAlias = tuple[str, str | None]


class Fetch(Struct, frozen=True):
    """A request: the word of its URL, the timeout in seconds if it has one, and whether it is a HEAD request."""

    url: WordLike
    timeout: str | None
    head: bool


def parse_fetch(name: str, words: Sequence[WordLike]) -> Fetch:
    """The request that `curl` or `wget` makes with the words after its name.

    Raises:
        Refused: it is another program, or other programs may not make the same request.
    """
    if name not in ("curl", "wget"):
        raise Refused(f"no replacement for `{name}` is known")
    urls: list[WordLike] = []
    timeout: str | None = None
    fails = name == "wget"
    head = False
    values = iter(words)
    for word in values:
        value = word.value
        if value is None or not value.startswith("-"):
            urls.append(word)
            continue
        for option, operand in _options(name, value, values):
            if option == "fail":
                fails = True
            elif option == "head":
                head = True
            elif option == "timeout" and operand is not None and operand.isdigit():
                timeout = operand
            elif option not in ("quiet", "sink") or (option == "sink" and operand not in _SINKS):
                raise Refused(f"`{value}` of {name} has no equivalent in other programs")
    if not fails:
        raise Refused("without `-f` curl succeeds whatever the server answers")
    if len(urls) != 1:
        raise Refused(f"{name} has {len(urls)} addresses")
    return Fetch(urls[0], timeout, head)


def _options(name: str, value: str, values: Iterator[WordLike]) -> Iterator[_Item]:
    long, equals, attached = value.partition("=")
    if value in (_CURL_LONG if name == "curl" else _WGET_LONG):
        yield "quiet", None
    elif name == "curl" and value in _CURL_FAIL:
        yield "fail", None
    elif name == "wget" and value == "--spider":
        yield "head", None
    elif long in ("--max-time", "--timeout"):
        yield "timeout", attached if equals else _next(values)
    elif long in ("--output", "--output-document"):
        yield "sink", attached if equals else _next(values)
    elif long == "--tries":
        yield ("quiet" if (attached if equals else _next(values)) == "1" else "other"), None
    elif value.startswith("--"):
        yield "other", None
    else:
        yield from _cluster(name, value[1:], values)


def _cluster(name: str, letters: str, values: Iterator[WordLike]) -> Iterator[_Item]:
    """Short options in one word; one that takes a value takes the rest of it, or the next word."""
    sink, seconds = ("o", "m") if name == "curl" else ("O", "T")
    for index, letter in enumerate(letters):
        if letter in (sink, seconds):
            operand = letters[index + 1 :] or _next(values)
            yield ("sink" if letter == sink else "timeout"), operand
            return
        if name == "wget" and letter == "t":
            yield ("quiet" if (letters[index + 1 :] or _next(values)) == "1" else "other"), None
            return
        if letter == "f" and name == "curl":
            yield "fail", None
        else:
            yield ("quiet" if letter in (_CURL_QUIET if name == "curl" else "qS") else "other"), None


def _next(values: Iterator[WordLike]) -> str | None:
    word = next(values, None)
    return word.value if word is not None else None


def as_busybox_wget(fetch: Fetch, *, captured: bool) -> tuple[str, ...] | None:
    """The words of the same request with busybox wget, as written in shell text; None if there is no equivalent.

    There is none for https, because not every busybox checks certificates, and none with a timeout: `wget -q -T` of
    busybox 1.35 crashes (measured with Debian 12's). `localhost` becomes 127.0.0.1: wget only tries its first address,
    which may be `::1` while the server listens on IPv4 only.
    """
    url = fetch.url.text
    if "https:" in url or fetch.head or fetch.timeout is not None:
        return None
    for start in ("http://localhost", "localhost"):
        bare = url.lstrip("\"'")
        if bare.startswith(start) and bare[len(start) : len(start) + 1] in ("", ":", "/", '"', "'"):
            url = url.replace("localhost", "127.0.0.1", 1)
            break
    return ("wget", "-q", "-O", "-" if captured else "/dev/null", url)


def as_python(fetch: Fetch, python: str) -> tuple[str, str, str] | None:
    """The arguments of the same request with Python's standard library; None if its address is not literal."""
    url = fetch.url.value
    if url is None or any(char in _UNSAFE_IN_CODE for char in url):
        return None
    if not url.startswith(("http://", "https://")):
        url = f"http://{url}"
    timeout = f", timeout={fetch.timeout}" if fetch.timeout is not None else ""
    requests_of = f"urllib.request.Request('{url}', method='HEAD')" if fetch.head else f"'{url}'"
    return python, "-c", f"import urllib.request; urllib.request.urlopen({requests_of}{timeout})"


def as_json(words: Sequence[str]) -> str:
    """Words as the items of a JSON array."""
    return ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
