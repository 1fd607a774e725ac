"""Which variables hold secrets, by their names and values.

BuildKit's check (`SecretsUsedInArgOrEnv`) warns of each name with a word such as `key` or `auth`, and hadolint's DL3064
of each that contains `token` or `private`. Many of these are no secrets: `SORT_KEY`, `KEY_ID`, `AUTH_URL`,
`GPG_KEY` (a fingerprint), `TOKENIZERS_PARALLELISM`.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRETS: Final = frozenset({
    "apikey", "credential", "credentials", "passphrase", "passwd", "password", "passwords", "pword", "secret",
    "secrets", "token",
})  # fmt: skip
_PARTS: Final = ("password", "passwd", "accesstoken", "authtoken", "secretkey")
"""What a word contains that is not written as several: PGPASSWORD."""

_OF_KEY: Final = frozenset({
    "access", "account", "admin", "api", "app", "application", "auth", "client", "deploy", "encrypt", "encryption",
    "jwt", "license", "licence", "master", "private", "rsa", "secret", "service", "session", "signing", "ssh",
    "ssl", "storage", "tls",
})  # fmt: skip
"""What a key is called that is a secret; others are fingerprints, or keys of tables and caches."""

_NO_SECRET: Final = frozenset({
    "algorithm", "alg", "count", "dir", "directory", "disabled", "enabled", "endpoint", "expiration", "expires",
    "expiry", "file", "filename", "folder", "format", "header", "host", "id", "ids", "issuer", "length", "level",
    "lifetime", "limit", "location", "method", "mode", "name", "path", "policy", "port", "prefix", "provider",
    "required", "scheme", "scope", "service", "size", "store", "timeout", "ttl", "type", "uri", "url", "user",
    "username", "version",
})  # fmt: skip
"""What follows the word in names of other things: TOKEN_URL, PASSWORD_FILE."""

_SWITCHES: Final = frozenset({
    "allow", "disable", "enable", "generate", "max", "min", "no", "num", "require", "reset", "skip", "use", "with",
})  # fmt: skip
"""What the names of switches and limits begin with: MAX_TOKEN, ALLOW_EMPTY_PASSWORD."""

_PUBLIC: Final = (
    "EXPO_PUBLIC_",
    "GATSBY_",
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "PUBLIC_",
    "REACT_APP_",
    "VITE_",
    "VUE_APP_",
)
"""Prefixes of variables that these frameworks copy into the code that browsers get; others have `PUBLIC` in them."""

_NO_VALUES: Final = frozenset(("", "0", "1", "false", "no", "none", "null", "off", "on", "true", "yes"))


def is_secret(name: str) -> bool:
    """Whether a variable of this name usually holds a secret."""
    if name.upper().startswith(_PUBLIC):
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[0] in _SWITCHES or "public" in words:
        return False
    places = [index for index in range(len(words)) if _is_secret_word(words, index)]
    return bool(places) and not _NO_SECRET.intersection(words[places[-1] + 1 :])


def _is_secret_word(words: list[str], index: int) -> bool:
    word = words[index]
    if word in _SECRETS or any(part in word for part in _PARTS):
        return True
    if word == "key":
        return index > 0 and words[index - 1] in _OF_KEY
    return word == "auth" and index == len(words) - 1


def is_secret_value(value: str) -> bool:
    """Whether a value may be a secret: a switch, an address or a path is not."""
    if value.lower() in _NO_VALUES:
        return False
    return not ("/" in value and (value.startswith(("/", "./", "~")) or re.fullmatch(r"[\w./-]+\.\w{2,4}", value)))
