"""Which package a requirement names, which operands are names rather than paths, and the requirement files of pip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dockfix.facts.tables.commands import CONDA_MANAGERS, JAVASCRIPT_MANAGERS, PYTHON_MANAGERS, SYSTEM_MANAGERS

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HEAD: Final = re.compile(rf"({_NAME}) ?(?:\[[A-Za-z0-9., _-]*\])? ?")
_CLAUSE: Final = re.compile(r"(?:===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.*+!_-]+\Z")
_UV_PYTHON_AT: Final = re.compile(rf"{_NAME}@[A-Za-z0-9.]+\Z")
_NPM_NAME: Final = re.compile(r"(?:@[a-z0-9~_-][a-z0-9._~-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*(?:@[^/\s:]*)?\Z")
REMOTE: Final = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git)://")
_ARCHIVES: Final = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".egg")

_NAMING: Final = frozenset(("-r", "--requirement", "-c", "--constraint"))
_ADDRESSES: Final = frozenset(("-i", "--index-url", "--extra-index-url", "-f", "--find-links"))
_SETTINGS: Final = frozenset(("--trusted-host", "--no-binary", "--only-binary", "--use-feature"))
_SWITCHES: Final = frozenset(("--pre", "--prefer-binary", "--require-hashes", "--no-index"))
"""Options of pip's requirement files: with a file, with a value that may be a folder, with another value, without a
value."""


def distribution_name(requirement: str) -> str | None:
    """The normalised name of a PEP 508 requirement (PEP 503: lower case, runs of `-_.` as one `-`), None if it has no
    name.

    A path, an archive or a bare URL has no name that can be read from the text; `name @ url` does, and so does a URL
    with `#egg=name`.
    """
    text = requirement.strip()
    if REMOTE.match(text):
        egg = re.search(rf"[#&]egg=({_NAME})", text)
        return _normalised(egg[1]) if egg else None
    found = _requirement(text)
    return None if found is None or found[0].lower().endswith(_ARCHIVES) else _normalised(found[0])


def _requirement(text: str) -> tuple[str, str] | None:
    """The name and the URL ("" if none) of a PEP 508 requirement, None if the text is not one."""
    text = " ".join(text.split())
    head = _HEAD.match(text)
    if head is None:
        return None
    rest = text[head.end() :]
    if rest.startswith("@"):
        return head[1], rest[1:].lstrip().partition(" ")[0]
    specifiers = rest.partition(";")[0].strip()
    if specifiers.startswith("(") and specifiers.endswith(")"):
        specifiers = specifiers[1:-1]
    clauses = [clause.strip() for clause in specifiers.split(",")] if specifiers else []
    return (head[1], "") if all(_CLAUSE.match(clause) for clause in clauses) else None


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def is_local_path(manager: str, text: str) -> bool:
    """Whether an operand that is not a plain name or remote address may name a file."""
    return not is_literal_name(manager, text)


def is_literal_name(manager: str, text: str) -> bool:
    """Whether an operand names a package, or a remote address, and cannot be a path of this file system."""
    if not text:
        return False
    if manager in PYTHON_MANAGERS:
        if REMOTE.match(text):
            return True
        if text.lower().endswith(_ARCHIVES):
            return False
        if manager == "uv" and _UV_PYTHON_AT.match(text):
            return True
        found = _requirement(text)
        return found is not None and (not found[1] or bool(REMOTE.match(found[1])))
    if manager in JAVASCRIPT_MANAGERS:
        # github.com/npm/npm-package-arg: a leading . / ~/ or X: and .tgz .tar.gz .tar are files.
        return not text.endswith((".tgz", ".tar.gz", ".tar")) and bool(_NPM_NAME.match(text))
    if manager == "apt":
        # apt-get(8): name, name=version, name/release, name:arch; a path must contain a / and leads to a file.
        return not text.startswith(("/", ".")) and not text.endswith((".deb", ".dsc", ".changes"))
    if manager in SYSTEM_MANAGERS:
        return "/" not in text.partition("://")[0] and not (text.endswith((".apk", ".rpm")) and "://" not in text)
    if manager == "go":
        return not text.startswith((".", "/")) and "@" in text
    if manager == "gem":
        return not text.endswith(".gem") and "/" not in text
    if manager in CONDA_MANAGERS:
        return "/" not in text.partition("::")[0] and not text.endswith((".conda", ".tar.bz2", ".yml", ".yaml"))
    return "/" not in text and not text.startswith(".")


def requirement_files(text: str) -> tuple[str, ...] | None:
    """The files that a requirement file of pip names; None if it installs local projects, or cannot be read.

    Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    found: list[str] = []
    for line in re.sub(r"\\\r?\n", " ", text).split("\n"):
        words = _uncommented(line).split()
        if words and words[0].startswith("-"):
            named = _option_files(words)
            if named is None:
                return None
            found += named
        elif words and not is_literal_name("pip", " ".join(_without_hashes(words))):
            return None
    return tuple(found)


def _uncommented(line: str) -> str:
    """A line up to the `#` at its beginning or after a space."""
    found = re.search(r"(?:^|\s)#", line)
    return line[: found.start()] if found else line


def _without_hashes(words: Sequence[str]) -> list[str]:
    """The words of a requirement without its hashes; other options are kept, since they may name anything."""
    return [
        word
        for before, word in zip(("", *words), words, strict=False)
        if word != "--hash" and before != "--hash" and not word.startswith("--hash=")
    ]


def _option_files(words: Sequence[str]) -> list[str] | None:
    """The files that a line of options names; None if one of them names a folder, or is not known."""
    found: list[str] = []
    pending = list(words)
    while pending:
        name, glued, value = pending.pop(0).partition("=")
        if name in _SWITCHES and not glued:
            continue
        if not name.startswith("--") and len(name) > 2:
            name, glued, value = name[:2], "=", name[2:] + glued + value
        if name not in _NAMING | _ADDRESSES | _SETTINGS or not (glued or pending):
            return None
        value = (value if glued else pending.pop(0)).strip("\"'")
        remote = re.match(r"https?://", value) is not None
        if name in _ADDRESSES and not remote:
            return None
        if name in _NAMING and not remote:
            found.append(value)
    return found
