"""Which files of an image come from some of its packages: their files, and what package managers write beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

from dockfix.verify.changes import Change
from dockfix.verify.globs import Globs
from dockfix.verify.image import Image
from dockfix.verify.packages import packages

__all__ = ["MANAGED", "PackageFiles", "has_only_content", "is_account_of"]

_MAX_LINKS: Final = 40

MANAGED: Final = (
    ("dpkg", "/var/lib/dpkg/**", "dpkg's database"),
    ("dpkg", "/var/lib/apt/extended_states", "which packages apt installed on its own"),
    ("dpkg", "/var/cache/debconf/**", "debconf's database"),
    ("dpkg", "/var/lib/ucf/**", "configuration files that ucf follows"),
    ("dpkg", "/etc/alternatives/**", "Debian's alternatives"),
    ("dpkg", "/etc/ld.so.cache", "made by ldconfig from the libraries"),
    ("dpkg", "/etc/rc?.d/**", "links of update-rc.d"),
    ("dpkg", "/etc/systemd/system/*.wants/**", "links of deb-systemd-helper"),
    ("dpkg", "/var/lib/systemd/deb-systemd-*/**", "notes of deb-systemd-helper"),
    ("dpkg", "/etc/shells", "made by update-shells from the shells of packages"),
    ("dpkg", "/etc/ssl/certs/**", "made by update-ca-certificates from the certificates of packages"),
    ("dpkg", "/etc/ca-certificates.conf", "made by ca-certificates"),
    ("dpkg", "/usr/share/mime/**", "made by update-mime-database from files of packages"),
    ("dpkg", "/usr/share/info/dir*", "made by install-info from files of packages"),
    ("dpkg", "/usr/share/glib-2.0/schemas/gschemas.compiled", "made by glib-compile-schemas from files of packages"),
    ("dpkg", "/var/cache/man/**", "made by mandb from manual pages"),
    ("dpkg", "/usr/lib/*/gdk-pixbuf-2.0/*/loaders.cache", "made from files of packages"),
    ("apk", "/lib/apk/db/**", "apk's database"),
    ("apk", "/usr/lib/apk/db/**", "apk's database"),
    ("apk", "/etc/apk/world", "what apk was asked to install"),
    ("rpm", "/var/lib/rpm/**", "rpm's database"),
    ("rpm", "/usr/lib/sysimage/rpm/**", "rpm's database"),
    ("rpm", "/var/lib/dnf/**", "dnf's database"),
    ("rpm", "/usr/lib/sysimage/libdnf5/**", "dnf's database"),
    ("rpm", "/etc/ld.so.cache", "made by ldconfig from the libraries"),
    ("npm", "**/node_modules/.package-lock.json", "npm's list of installed packages"),
    ("npm", "**/node_modules/.bin/**", "links of npm to programs of packages"),
)
"""What package managers write and no package owns: it follows from the packages of that manager."""

_ACCOUNTS: Final = {"passwd": "passwd", "shadow": "passwd", "group": "group", "gshadow": "group"}


class PackageFiles:
    """Which differences of files come from packages that differ.

    Args:
        before: the image before.
        after: the image after.
    """

    def __init__(self, before: Image, after: Image) -> None:
        self._before, self._after = before, after
        old, new = before.packages, after.packages
        self._old = _Owners(before, {key for key in old if new.get(key) != old[key]})
        self._new = _Owners(after, {key for key in new if old.get(key) != new[key]})
        managers = {key.partition(":")[0] for key in self._old.keys | self._new.keys}
        self._managed = Globs(pattern for manager, pattern, _ in MANAGED if manager in managers)
        self._has_dpkg = "dpkg" in managers

    def owner(self, change: Change) -> str:
        """The package that differs and owns a path; empty if there is none."""
        old = self._old.owner(change.path) if change.kind != "added" else ""
        new = self._new.owner(change.path) if change.kind != "removed" else ""
        return (old and new) if change.kind == "changed" else old or new

    def follows(self, change: Change) -> bool:
        """Whether a package manager, or a script of a package that differs, makes such a difference."""
        return (
            self._managed.matches(change.path)
            or (self._has_dpkg and _is_alternative(change))
            or (change.kind == "removed" and self._old.script_names(change.path))
            or (change.kind == "added" and self._new.script_names(change.path))
            or self._is_account(change)
        )

    def _is_account(self, change: Change) -> bool:
        scripts = f"{self._old.scripts}\n{self._new.scripts}"
        return has_only_content(change) and is_account_of(change.path, self._before.kept, self._after.kept, scripts)


class _Owners:
    """The packages of an image that own a path, of some packages."""

    def __init__(self, image: Image, keys: Set[str]) -> None:
        self.keys = keys
        found = list(packages(image.kept, keys)) if keys else []
        self._files = {_real(path, image): package.key for package in found for path in package.files}
        self._folders = {_real(path, image): package.key for package in found for path in package.folders}
        self.scripts = "\n".join(package.scripts for package in found)

    def owner(self, path: str) -> str:
        """The key of the package that owns a path; empty if there is none."""
        if not self.keys or path in self._files:
            return self._files.get(path, "")
        parts = path.split("/") if self._folders else []
        folders = ("/".join(parts[:end]) for end in range(len(parts), 1, -1))
        return next((self._folders[folder] for folder in folders if folder in self._folders), "")

    def script_names(self, path: str) -> bool:
        """Whether a maintainer script has the path in its text."""
        return (
            path in self.scripts and re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w./-])", self.scripts) is not None
        )


def has_only_content(change: Change) -> bool:
    """Whether a file or symlink differs in its content, and not in type, mode or owner."""
    before, after = change.before, change.after
    return (
        before is not None
        and after is not None
        and (before.type, before.mode, before.uid, before.gid) == (after.type, after.mode, after.uid, after.gid)
    )


def _is_alternative(change: Change) -> bool:
    """Whether all there is are symlinks to Debian's alternatives, which no package owns."""
    entries = [each for each in (change.before, change.after) if each is not None]
    return all(each.type == "symlink" and each.link.startswith("/etc/alternatives/") for each in entries)


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
