"""Which package a requirement names, and which operands are names rather than paths."""

from __future__ import annotations

import re
from typing import Final

from dockfix.facts.tables.commands import CONDA_MANAGERS, JAVASCRIPT_MANAGERS, PYTHON_MANAGERS, SYSTEM_MANAGERS

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HEAD: Final = re.compile(rf"({_NAME}) ?(?:\[[A-Za-z0-9., _-]*\])? ?")
_CLAUSE: Final = re.compile(r"(?:===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.*+!_-]+\Z")
_UV_PYTHON_AT: Final = re.compile(rf"{_NAME}@[A-Za-z0-9.]+\Z")
_NPM_NAME: Final = re.compile(r"(?:@[a-z0-9~_-][a-z0-9._~-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*(?:@[^/\s:]*)?\Z")
REMOTE: Final = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git)://")
_ARCHIVES: Final = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".egg")


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
