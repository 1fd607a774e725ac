"""Which files of an image come from some of its packages: their files, and what package managers write beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

from dockfix.verify.changes import Change
from dockfix.verify.globs import Globs
from dockfix.verify.image import Image
from dockfix.verify.packages import Owned, owned

__all__ = ["MANAGED", "Ownership", "is_account_of", "is_managed"]

_MAX_LINKS: Final = 40

MANAGED: Final = (
    ("/var/lib/dpkg/**", "dpkg's database"),
    ("/var/lib/apt/extended_states", "which packages apt installed on its own"),
    ("/var/cache/debconf/**", "debconf's database"),
    ("/var/lib/ucf/**", "configuration files that ucf follows"),
    ("/etc/alternatives/**", "Debian's alternatives"),
    ("/etc/ld.so.cache", "made by ldconfig from the libraries"),
    ("/etc/rc?.d/**", "links of update-rc.d"),
    ("/etc/systemd/system/*.wants/**", "links of deb-systemd-helper"),
    ("/var/lib/systemd/deb-systemd-*/**", "notes of deb-systemd-helper"),
    ("/etc/shells", "made by update-shells from the shells of packages"),
    ("/etc/ssl/certs/**", "made by update-ca-certificates from the certificates of packages"),
    ("/etc/ca-certificates.conf", "made by ca-certificates"),
    ("/usr/share/mime/**", "made by update-mime-database from files of packages"),
    ("/usr/share/info/dir*", "made by install-info from files of packages"),
    ("/usr/share/glib-2.0/schemas/gschemas.compiled", "made by glib-compile-schemas from files of packages"),
    ("/var/cache/man/**", "made by mandb from manual pages"),
    ("/usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache", "made from files of packages"),
    ("/lib/apk/db/**", "apk's database"),
    ("/usr/lib/apk/db/**", "apk's database"),
    ("/etc/apk/world", "what apk was asked to install"),
    ("/var/lib/rpm/**", "rpm's database"),
    ("/usr/lib/sysimage/rpm/**", "rpm's database"),
    ("/var/lib/dnf/**", "dnf's database"),
    ("/usr/lib/sysimage/libdnf5/**", "dnf's database"),
    ("**/node_modules/.package-lock.json", "npm's list of installed packages"),
    ("**/node_modules/.bin/**", "links of npm to programs of packages"),
)
"""Files that package managers write, and that no package owns: they follow from the installed packages."""

_MANAGED: Final = Globs(pattern for pattern, _ in MANAGED)
_ACCOUNTS: Final = {"passwd": "passwd", "shadow": "passwd", "group": "group", "gshadow": "group"}


def is_managed(change: Change) -> bool:
    """Whether a change is in the files of package managers, or of links to Debian's alternatives."""
    if _MANAGED.matches(change.path):
        return True
    entries = [each for each in (change.before, change.after) if each is not None]
    return all(each.type == "symlink" and each.link.startswith("/etc/alternatives/") for each in entries)


class Ownership:
    """The files of some packages of an image.

    Args:
        image: the image.
        keys: the packages, as in `Image.packages`.
    """

    def __init__(self, image: Image, keys: Collection[str]) -> None:
        self._image = image
        self._keys = keys

    def owns(self, path: str) -> bool:
        """Whether a path belongs to one of the packages, or one of their scripts names it."""
        if path in self._files or re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w./-])", self.scripts):
            return True
        parts = path.split("/")
        return any("/".join(parts[:end]) in self._folders for end in range(2, len(parts) + 1))

    @cached_property
    def scripts(self) -> str:
        """The maintainer scripts of the packages."""
        return self._owned.scripts

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(_real(path, self._image) for path in self._owned.files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(_real(path, self._image) for path in self._owned.folders)

    @cached_property
    def _owned(self) -> Owned:
        return owned(self._image.kept, self._keys)


def is_account_of(path: str, before: Mapping[str, bytes], after: Mapping[str, bytes], scripts: str) -> bool:
    """Whether all that differs in `/etc/passwd` and the like are system accounts that maintainer scripts name.

    Source: Debian policy, 9.2.2: scripts of packages add accounts with the numbers 100 to 999.
    """
    name = path.removeprefix("/etc/")
    if not path.startswith("/etc/") or name not in _ACCOUNTS:
        return False
    old, new = _lines(before, name), _lines(after, name)
    ids = _lines(before, _ACCOUNTS[name]) | _lines(after, _ACCOUNTS[name])
    differing = {account for account in old.keys() | new.keys() if old.get(account) != new.get(account)}
    return bool(differing) and all(
        not (account in old and account in new)
        and _is_system(ids.get(account, ""))
        and re.search(rf"(?<![\w-]){re.escape(account)}(?![\w-])", scripts) is not None
        for account in differing
    )


def _lines(kept: Mapping[str, bytes], name: str) -> dict[str, str]:
    """The lines of an account file by their first field; without the day of the last password change."""
    lines: dict[str, str] = {}
    for line in kept.get(f"/etc/{name}", b"").decode("utf-8", "surrogateescape").split("\n"):
        if line:
            fields = line.split(":")
            lines[fields[0]] = ":".join([*fields[:2], *fields[3:]]) if name == "shadow" else line
    return lines


def _is_system(line: str) -> bool:
    fields = line.split(":")
    return len(fields) > 2 and fields[2].isascii() and fields[2].isdigit() and 100 <= int(fields[2][:9]) <= 999


def _real(path: str, image: Image) -> str:
    """A path with the symlinks of its folders followed: `/lib/x` is `/usr/lib/x` where `/lib` is a symlink."""
    done: list[str] = []
    todo = [part for part in path.split("/") if part not in {"", "."}][::-1]
    links = _MAX_LINKS
    while todo:
        name = todo.pop()
        if name == "..":
            del done[-1:]
            continue
        done.append(name)
        entry = image.tree.get("/" + "/".join(done)) if todo else None
        if entry is not None and entry.type == "symlink" and links:
            links -= 1
            done = [] if entry.link.startswith("/") else done[:-1]
            todo += [part for part in entry.link.split("/") if part not in {"", "."}][::-1]
    return "/" + "/".join(done)
