"""Values that no message, table or edit may show: those of `.env` files, and of variables with secret names.

The readers of compose and bake files show a text as written if they know that it includes such a value.
`Secrets` is the second line of defence: it finds the values in any text.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

_SECRET_NAME: Final = re.compile(
    r"(?:_|\A)(?:apikey|auth|credentials?|key|pword|passwd|secret|token)(?:_|\Z)|password|passwd|secret|token|api_?key",
    re.IGNORECASE,
)
"""Source: BuildKit's `SecretsUsedInArgOrEnv` (`frontend/dockerfile/dockerfile2llb/convert.go`), and names in which its
words are not separate, such as PGPASSWORD."""
_PUBLIC_NAME: Final = re.compile(r"(?:_|\A)public(?:_|\Z)", re.IGNORECASE)
_SHORT: Final = 2
"""A shorter or equally long value may occur in a text by chance and is not hidden."""
_WORD: Final = "A-Za-z0-9_"
_PLAIN: Final = frozenset(("true", "false", "yes", "off", "none", "null"))


def is_secret_name(name: str) -> bool:
    """Whether a variable is called a password, a token, a key or the like."""
    return _SECRET_NAME.search(name) is not None and _PUBLIC_NAME.search(name) is None


class Secrets:
    """Values that are not shown, and what is shown instead.

    `expanded` maps texts that values of `.env` files went into to the texts as written, `named` the values of variables
    with secret names to the variables, and `passed` those values that a Dockerfile is built with to its arguments.
    A value counts if it is a separate word or a part of a path. `names` are names that the project writes openly.
    """

    def __init__(
        self,
        expanded: Mapping[str, str],
        named: Mapping[str, str],
        passed: Mapping[str, str] | None = None,
        names: Collection[str] = (),
    ) -> None:
        self._expanded = _usable(expanded)
        self._named = _usable(named)
        self._passed = _usable(passed or {})
        self._names = frozenset(names)

    def for_build(self, passed: Mapping[str, str]) -> Secrets:
        """The same for a Dockerfile that is built with some of the values."""
        return Secrets(self._expanded, self._named, passed, self._names) if passed else self

    def written_by(self, replacement: str, public: str) -> str | None:
        """The variable whose value an edit would write into the file whose text is `public`, if there is one."""
        for value, variable in self._passed.items():
            if value not in public and re.search(_as_word(value), replacement):
                return variable
        return None

    def hide(self, text: str, public: str = "") -> str:
        """`text` without the values. A value that `public`, the text of the file in question, contains itself is not
        hidden as a value of a `.env` file. Nor is a plain word as that of a secret, unless `public` gives it to a
        variable with a secret name: `clickhouse` may be a password in a compose file, and a program in the Dockerfile.
        A plain word is not hidden in a longer name of the project either, nor are the words with which Docker and
        dockfix name things themselves, unless `text` gives them to a variable with a secret name.
        """
        if self._pattern is None or self._pattern.search(text) is None:
            return text

        def written(match: re.Match[str]) -> str:
            value = match[0]
            if (value in _USUAL or self._is_in_a_name(match)) and not _is_secret_here(text, match.start()):
                return value
            plain = _A_WORD.fullmatch(value) and value in public and not _is_assigned(value, public)
            if value in self._named and not plain:
                return "***" if _is_default_of_secret(text, match.start()) else self._named[value]
            return value if value in public else self._expanded[value]

        return self._pattern.sub(written, text)

    def _is_in_a_name(self, match: re.Match[str]) -> bool:
        """Whether a plain word is a part of a longer name that the project writes openly."""
        if not self._names or not _A_WORD.fullmatch(match[0]):
            return False
        start, end = match.span()
        before, after = match.string[max(0, start - _NAME_LENGTH) : start], match.string[end : end + _NAME_LENGTH]
        before = before[len(before.rstrip(_NAME_SIGNS)) :]
        name = f"{before}{match[0]}{after[: len(after) - len(after.lstrip(_NAME_SIGNS))]}".rstrip(".:")
        return name != match[0] and name in self._names

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        values = sorted({*self._expanded, *self._named}, key=lambda value: (-len(value), value))
        return re.compile("|".join(map(_as_word, values))) if values else None


_A_WORD: Final = re.compile(r"[a-z]+")
_NAME_SIGNS: Final = f"{string.ascii_letters}{string.digits}_./:@-"
"""Signs of the names of images and services."""
_BEFORE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::?[-=?+]|[ \t]*[=: ][ \t]*)[\"']?\Z")
_USER_INFO: Final = re.compile(r"://[^\s/@]*\Z")
_NAME_LENGTH: Final = 80
_USUAL: Final = frozenset(("root", "nobody", "latest", "localhost", "scratch"))
"""Words of Docker's and dockfix's own: hidden, they would make a sentence wrong and tell what the value is."""


def _is_secret_here(text: str, at: int) -> bool:
    """Whether a text gives what is at an offset to a variable with a secret name, or may have it in front of a host."""
    return _is_named_secret(text, at) or _USER_INFO.search(text, max(0, at - _NAME_LENGTH), at) is not None


def _is_named_secret(text: str, at: int) -> bool:
    """Whether a text gives what is at an offset to a variable with a secret name."""
    name = _BEFORE.search(text, max(0, at - _NAME_LENGTH), at)
    return name is not None and is_secret_name(name[1])


def _is_default_of_secret(text: str, at: int) -> bool:
    """Whether what is at an offset is the default of a variable with a secret name, `${PASSWORD:-value}`.

    Another variable may have the same value, and its name would be wrong there.
    """
    return text[max(0, at - 2) : at] in (":-", ":=") and _is_named_secret(text, at)


def _is_assigned(value: str, text: str) -> bool:
    """Whether a text gives a value to a variable with a secret name, or to a host.

    `KEY=value`, `KEY value`, `${KEY:-value}`, `://user:value@host`. The name of a host, as in `https://value.com`, is
    none.
    """
    at = text.find(value)
    while at >= 0:
        if _is_named_secret(text, at) or (text.startswith("@", at + len(value)) and _is_secret_here(text, at)):
            return True
        at = text.find(value, at + 1)
    return False


def _usable(values: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value, written in values.items():
        for form in (value, value.strip(), value.removeprefix("./").rstrip("/")):
            if len(form) > _SHORT and form.lower() not in _PLAIN:
                found.setdefault(form, written)
    return found


def _as_word(value: str) -> str:
    before = f"(?<![{_WORD}])" if re.match(f"[{_WORD}]", value) else ""
    after = f"(?![{_WORD}])" if re.match(f"[{_WORD}]", value[-1]) else ""
    return f"{before}{re.escape(value)}{after}"
