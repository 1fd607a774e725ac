"""What differs between two builds of the same Dockerfile by itself: two tables, with the reason of each row.

`NOISE` has paths whose differences say nothing. `NORMALISERS` has files of which a part says nothing: that part is
taken out before the digest is made, so that the rest still counts. Each row comes from a documented behaviour, or from
Dockerfiles that were built twice without a cache; then its source says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from dockfix.verify.globs import Globs

__all__ = ["NOISE", "NORMALISERS", "Noise", "Normaliser", "noise_reason", "normaliser"]

_ALL: Final = frozenset({"added", "removed", "changed"})
_CONTENT: Final = frozenset({"changed"})
_NAMES: Final = frozenset({"added", "removed"})


class Noise(Struct, frozen=True):
    """Paths that differ by themselves.

    Args:
        patterns: the paths, as in `.gitignore`.
        reason: why they differ.
        source: a page that says so, or the builds that show it.
        kinds: which differences are noise: `changed` is a difference of content, never of mode or owner.
    """

    patterns: tuple[str, ...]
    reason: str
    source: str
    kinds: frozenset[str] = _ALL


class Normaliser(Struct, frozen=True):
    """Files of which a part differs by itself; `apply` takes it out of their content."""

    patterns: tuple[str, ...]
    reason: str
    source: str
    apply: Callable[[bytes], bytes]


NOISE: Final = (
    Noise(
        ("*.pyc", "__pycache__/"),
        "Python bytecode: written when a module is first imported, with the time of its source",
        "https://peps.python.org/pep-0552/",
    ),
    Noise(("/var/log/**",), "logs have times", "built twice: apt-get install curl git"),
    Noise(
        ("/var/cache/ldconfig/aux-cache",),
        "ldconfig notes inode numbers and times",
        "built twice: useradd and ldconfig; https://github.com/docker-library/official-images/issues/16044",
    ),
    Noise(
        ("/etc/machine-id", "/var/lib/dbus/machine-id"),
        "a random number of the machine",
        "built twice: apt-get install dbus; https://www.freedesktop.org/software/systemd/man/latest/machine-id.html",
    ),
    Noise(
        ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv", "/run/.containerenv"),
        "the builder and the container runtime write it",
        "https://github.com/moby/buildkit/blob/master/executor/oci/hosts.go",
    ),
    Noise(
        ("/dev/**", "/proc/**", "/sys/**", "/run/secrets/**", "/run/buildkit/**"),
        "mounted during the build; some builders leave empty files and folders there",
        "https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-filesystems",
    ),
    Noise(
        ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"),
        "a backup that useradd and groupadd make of the previous content",
        "built twice: with and without openssh-client, whose installation adds a group",
    ),
    Noise(
        ("/var/lib/dpkg/*-old", "/var/cache/debconf/*-old"),
        "a backup that dpkg and debconf make of the previous content",
        "https://manpages.debian.org/bookworm/dpkg/dpkg.1.en.html#FILES",
    ),
    Noise(("/run/adduser", "/run/lock/**"), "a lock file", "built twice: apt-get install openssh-client"),
    Noise(
        ("/var/lib/apt/lists/**", "/var/cache/apt/*.bin"),
        "the package index as the mirror had it, with its date",
        "https://wiki.debian.org/DebianRepository/Format",
        _CONTENT,
    ),
    Noise(
        (
            "/var/lib/rpm/**", "/usr/lib/sysimage/rpm/**", "/usr/lib/sysimage/libdnf5/**",
            "/var/lib/dnf/history.sqlite*", "/var/lib/yum/history/**",
        ),
        "rpm and dnf note when a package was installed",
        "https://rpm.org/docs/4.20.x/manual/tags.html",
        _CONTENT,
    ),
    Noise(
        ("**/uv/archive-v*/**",),
        "uv's cache has random names",
        "built twice: uv pip install httpx",
        _NAMES,
    ),
    Noise(
        ("**/uv/archive-v*/**", "**/uv/wheels-v*/**", "**/uv/sdists-v*/**", "**/uv/simple-v*/**"),
        "uv's cache has times of downloads and random names",
        "built twice: uv pip install httpx",
        _CONTENT,
    ),
    Noise(
        ("**/.cache/pip/**",),
        "pip's cache has the headers of downloads, with times",
        "https://pip.pypa.io/en/stable/topics/caching/",
        _CONTENT,
    ),
    Noise(
        ("**/.npm/_logs/**", "**/.npm/_update-notifier-last-checked"),
        "npm's logs have times in their names",
        "built twice: npm install express",
    ),
    Noise(("**/_cacache/index-v5/**",), "npm's cache index has times", "built twice: npm install express", _CONTENT),
    Noise(
        ("**/_cacache/tmp/**",), "temporary files of npm's cache", "https://github.com/npm/cacache#readme", _ALL
    ),
    Noise(
        (
            "**/.cache/pnpm/metadata*/**", "**/pnpm/store/v*/**/*-index.json", "**/pnpm/pnpm-state.json",
            "**/node_modules/.modules.yaml",
        ),
        "pnpm notes times of downloads and checks",
        "built twice: pnpm add express",
        _CONTENT,
    ),
    Noise(
        ("**/.git/index",),
        "git's index has inode numbers and times",
        "built twice: git clone; https://git-scm.com/docs/index-format",
        _CONTENT,
    ),
    Noise(
        ("**/.git/logs/**", "**/.git/FETCH_HEAD", "**/.git/ORIG_HEAD"),
        "git's reflogs have times",
        "built twice: git clone",
        _CONTENT,
    ),
    Noise(
        ("/etc/ssh/ssh_host_*", "/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/certs/ssl-cert-snakeoil.pem"),
        "a random key, made when the package is installed",
        "built twice: apt-get install openssh-server ssl-cert",
        _CONTENT,
    ),
    Noise(
        ("/etc/ssl/certs/java/cacerts", "**/lib/security/cacerts"),
        "a Java key store has the times at which certificates were added",
        "built twice: apt-get install default-jre-headless",
        _CONTENT,
    ),
    Noise(
        ("/tmp/hsperfdata_*/",),  # noqa: S108 - a pattern, not a file that is used
        "performance counters of a Java process, named after its number",
        "https://docs.oracle.com/en/java/javase/21/docs/specs/man/jps.html",
    ),
    Noise(
        ("/tmp/node-compile-cache/", "/tmp/v8-compile-cache-*/"),  # noqa: S108 - likewise
        "compiled code of Node.js",
        "built twice: yarn add express; https://nodejs.org/api/module.html#module-compile-cache",
    ),
    Noise(
        ("/var/cache/fontconfig/**", "**/.cache/fontconfig/**"),
        "fontconfig's cache has times of folders",
        "built twice: apt-get install fontconfig fonts-dejavu-core",
    ),
)  # fmt: skip
"""The rows, the first that matches counts."""


def _without_pyc_time(content: bytes) -> bytes:
    """Bytecode without time and size of the source; that of a hash-based file stays."""
    return content[:8] + content[16:] if content[2:8] == b"\r\n\0\0\0\0" else content


def _without_gzip_time(content: bytes) -> bytes:
    return content[:4] + content[8:] if content.startswith(b"\x1f\x8b") else content


def _without_last_change(content: bytes) -> bytes:
    """Lines of `/etc/shadow` without their third field."""
    return re.sub(rb"(?m)^([^:\n]*:[^:\n]*:)\d+(?=:)", rb"\1", content)


def _without_bytecode(content: bytes) -> bytes:
    """A RECORD without the lines of bytecode, sorted."""
    lines = (line for line in content.splitlines() if b".pyc," not in line)
    return b"\n".join(sorted(lines))


def _without_virtual_versions(content: bytes) -> bytes:
    """The database of apk without version and checksum of virtual packages, whose names begin with a dot."""
    return b"\n\n".join(
        re.sub(rb"(?m)^[CV]:.*\n?", b"", paragraph) if re.search(rb"(?m)^P:\.", paragraph) else paragraph
        for paragraph in content.split(b"\n\n")
    )


def _without_world_versions(content: bytes) -> bytes:
    return re.sub(rb"(?m)^(\.[^=<>~\n]*)[=<>~].*", rb"\1", content)


_APK: Final = "https://github.com/docker-library/official-images/issues/16044"

NORMALISERS: Final = (
    Normaliser(
        ("*.pyc",),
        "Python bytecode has the time of its source",
        "built twice: pip install httpx rich pyyaml; https://peps.python.org/pep-0552/",
        _without_pyc_time,
    ),
    Normaliser(
        ("*.gz", "*.tgz"),
        "gzip notes the time of compression",
        "https://www.rfc-editor.org/rfc/rfc1952#page-7",
        _without_gzip_time,
    ),
    Normaliser(
        ("/etc/shadow",),
        "useradd notes the day of the last password change",
        "https://man7.org/linux/man-pages/man5/shadow.5.html",
        _without_last_change,
    ),
    Normaliser(
        ("**/*.dist-info/RECORD",),
        "pip lists the bytecode that it writes",
        "https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
        _without_bytecode,
    ),
    Normaliser(
        ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"),
        "the version of a virtual package is a time",
        _APK,
        _without_virtual_versions,
    ),
    Normaliser(("/etc/apk/world",), "the version of a virtual package is a time", _APK, _without_world_versions),
)
"""The rows; at most one matches a path."""

_MATCHERS: Final = tuple((Globs(row.patterns), row.kinds, row.reason) for row in NOISE)


def noise_reason(kind: str, path: str) -> str:
    """Why a difference says nothing; empty if it does say something.

    Args:
        kind: `added`, `removed`, or `changed` for a difference of content alone.
        path: the absolute path.
    """
    for globs, kinds, reason in _MATCHERS:
        if kind in kinds and globs.matches(path):
            return reason
    return ""


def _index() -> Mapping[str, list[tuple[Globs, Normaliser]]]:
    """The normalisers by the last name of their patterns, or by its suffix (`*.gz`)."""
    index: dict[str, list[tuple[Globs, Normaliser]]] = {}
    for row in NORMALISERS:
        for pattern in row.patterns:
            index.setdefault(pattern.rpartition("/")[2], []).append((Globs([pattern]), row))
    return index


_NORMALISERS: Final = _index()


def normaliser(path: str) -> Callable[[bytes], bytes] | None:
    """What makes the content of a file comparable; None for most files."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    for key in (name, f"*{name[dot:]}" if dot >= 0 else ""):
        for globs, row in _NORMALISERS.get(key, ()):
            if globs.matches(path):
                return row.apply
    return None
