"""The packages that are installed in an image, and the files that they own, from the package managers' databases.

dpkg, apk, rpm (its SQLite database), pip and npm. Everything here is content of an image, so it is untrusted: sizes are
limited, and nonsense is skipped.

Sources: https://wiki.debian.org/DpkgTriggers and dpkg(1) for `status`, deb-control(5);
https://wiki.alpinelinux.org/wiki/Apk_spec; https://rpm.org/docs/4.20.x/manual/format_header.html;
https://packaging.python.org/en/latest/specifications/recording-installed-packages/;
https://docs.npmjs.com/cli/configuring-npm/folders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from dockfix.verify.rpm import rpm_packages

__all__ = ["Package", "installed", "kept_bytes", "packages"]

_MIB: Final = 1024 * 1024
_KEPT: Final = {
    "/var/lib/dpkg/status": 64 * _MIB,
    "/lib/apk/db/installed": 64 * _MIB,
    "/usr/lib/apk/db/installed": 64 * _MIB,
    "/var/lib/rpm/rpmdb.sqlite": 256 * _MIB,
    "/usr/lib/sysimage/rpm/rpmdb.sqlite": 256 * _MIB,
    "/usr/share/rpm/rpmdb.sqlite": 256 * _MIB,
    "/etc/passwd": _MIB,
    "/etc/group": _MIB,
    "/etc/shadow": _MIB,
    "/etc/gshadow": _MIB,
}
_DPKG_FILE: Final = re.compile(
    r"/var/lib/dpkg/(?:status\.d/[^/]+|info/[^/]+\.(?:list|preinst|postinst|prerm|postrm))\Z"
)
_PYTHON: Final = re.compile(
    r"(?s)(?P<folder>/.*/(?:site|dist)-packages)/[^/]+\.(?:dist-info/(?:METADATA|RECORD)|egg-info(?:/PKG-INFO)?)\Z"
)
_NODE: Final = re.compile(r"(?s)(?P<folder>/.*/?node_modules/(?P<name>(?:@[^/]+/)?[^/@.][^/]*))/package\.json\Z")
_SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
_INFO: Final = (
    *_SCRIPTS, "list", "md5sums", "conffiles", "config", "templates", "triggers", "shlibs", "symbols",
)  # fmt: skip
_UNREAD: Final = ("/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/Packages", "/usr/lib/sysimage/rpm/Packages.db")
_MAX_TEXT: Final = 200


def kept_bytes(path: str) -> int:
    """How many bytes of a file at most are needed to know packages and accounts; 0 for most files."""
    if path.endswith("/package.json"):
        return _MIB if _NODE.match(path) else 0
    if path.endswith(("/METADATA", "/RECORD", "-info", "/PKG-INFO")):
        return 16 * _MIB if _PYTHON.match(path) else 0
    if path.startswith("/var/lib/dpkg/") and _DPKG_FILE.match(path):
        return 16 * _MIB
    return _KEPT.get(path, 0)


class Package(Struct, frozen=True):
    """An installed package. `files` may have paths that lead through symlinks; `folders` belong to it as a whole."""

    key: str
    version: str
    files: tuple[str, ...] = field(default=())
    folders: tuple[str, ...] = ()
    scripts: str = field(default="")


def installed(kept: Mapping[str, bytes], paths: Collection[str] = ()) -> dict[str, str]:
    """The installed packages with their versions, sorted by name; several versions are joined by a comma.

    Args:
        kept: the content of the files that `kept_bytes` names, by path.
        paths: all paths of the image. An rpm database in a format that is not read counts as a package `rpm:*` of
            unknown version.
    """
    versions: dict[str, set[str]] = {}
    for package in _packages(kept):
        versions.setdefault(package.key, set()).add(package.version)
    if any(path in paths for path in _UNREAD) and not any(key.startswith("rpm:") for key in versions):
        versions["rpm:*"] = {"unknown"}
    return {key: ", ".join(sorted(found)) for key, found in sorted(versions.items())}


def packages(kept: Mapping[str, bytes], keys: Collection[str]) -> Iterator[Package]:
    """The packages with these keys; one that is installed in several places several times."""
    return (package for package in _packages(kept) if package.key in keys)


def _packages(kept: Mapping[str, bytes]) -> Iterator[Package]:
    for path, content in kept.items():
        if path == "/var/lib/dpkg/status" or path.startswith("/var/lib/dpkg/status.d/"):
            yield from _dpkg(path, content, kept)
        elif path.endswith("/apk/db/installed"):
            yield from _apk(content)
        elif path.endswith("/rpmdb.sqlite"):
            for name, version, files in rpm_packages(content):
                yield Package(f"rpm:{_plain(name)}", _plain(version), files)
        elif path.endswith("/package.json"):
            yield from _npm(path, content)
        elif path.endswith(("/METADATA", ".egg-info", "/PKG-INFO")):
            yield from _pip(path, content, kept)


def _dpkg(path: str, content: bytes, kept: Mapping[str, bytes]) -> Iterator[Package]:
    if path.endswith(".md5sums"):
        return
    is_status = path == "/var/lib/dpkg/status"
    for paragraph in _decoded(content).split("\n\n"):
        fields = dict(_fields(paragraph))
        name, version = _plain(fields.get("Package", "")), _plain(fields.get("Version", ""))
        state = fields.get("Status", "").split()
        if not (name and version) or (is_status and state[-1:] != ["installed"]):
            continue
        arch = fields.get("Architecture", "")
        info = [f"/var/lib/dpkg/info/{name}{suffix}" for suffix in ("", f":{arch}")]
        files = [line for each in info for line in _decoded(kept.get(f"{each}.list", b"")).splitlines() if line != "/."]
        files.append(f"/var/cache/apt/archives/{name}_{version.replace(':', '%3a')}_{arch}.deb")
        files += [f"{each}.{kind}" for each in info for kind in _INFO]
        scripts = [_decoded(kept.get(f"{each}.{kind}", b"")) for each in info for kind in _SCRIPTS]
        yield Package(f"dpkg:{name}", version, tuple(files), scripts="\n".join(filter(None, scripts)))


def _apk(content: bytes) -> Iterator[Package]:
    for paragraph in _decoded(content).split("\n\n"):
        name = version = folder = ""
        files: list[str] = []
        for line in paragraph.split("\n"):
            key, _, value = line.partition(":")
            match key:
                case "P":
                    name = _plain(value)
                case "V":
                    version = _plain(value)
                case "F":
                    folder = f"/{value}" if value else ""
                    files.append(folder)
                case "R":
                    files.append(f"{folder}/{value}")
        if name.startswith("."):
            version = "virtual"  # the version of a virtual package is the time of the build
        if name and version:
            yield Package(f"apk:{name}", version, tuple(files))


def _npm(path: str, content: bytes) -> Iterator[Package]:
    place = _NODE.match(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return
    version = document.get("version") if isinstance(document, dict) else None
    if place is not None and isinstance(version, str) and version:
        yield Package(f"npm:{_plain(place['name'])}", _plain(version), folders=(place["folder"],))


def _pip(path: str, content: bytes, kept: Mapping[str, bytes]) -> Iterator[Package]:
    place = _PYTHON.match(path)
    fields = dict(_fields(_decoded(content).replace("\r\n", "\n").split("\n\n", 1)[0]))
    name, version = fields.get("Name", ""), _plain(fields.get("Version", ""))
    if place is None or not (name and version):
        return
    folder = place["folder"]
    info = path.rpartition("/")[0] if not path.endswith(".egg-info") else path
    files = [path]
    for line in _decoded(kept.get(f"{info}/RECORD", b"")).splitlines():
        written = line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]
        if written:
            files.append(_joined(folder, written))
    key = re.sub(r"[-_.]+", "-", _plain(name)).lower()
    yield Package(f"pip:{key}", version, tuple(files), () if path == info else (info,))


def _joined(folder: str, path: str) -> str:
    """A path of a RECORD, relative to its folder, as an absolute path."""
    if path.startswith("/"):
        return path
    parts = folder.split("/")
    for part in path.split("/"):
        if part == "..":
            del parts[max(1, len(parts) - 1) :]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    """The fields of a paragraph. A line that continues a field begins with a space, and so does its key."""
    for line in paragraph.split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            yield key, value.strip()


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _plain(text: str) -> str:
    return text.strip()[:_MAX_TEXT]
