"""The installed packages and their files, from the databases of each package manager."""

from __future__ import annotations

import json
import sqlite3
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.verify.packages import installed, kept_bytes, packages
from dockfix.verify.rpm import rpm_packages

SITE = "/usr/lib/python3/dist-packages"
STATUS = b"""Package: curl
Status: install ok installed
Architecture: amd64
Multi-Arch: foreign
Version: 7.88.1-10
Description: a tool
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install ok half-configured
Version: 2

Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36-9
"""
APK = b"""C:Q1abc=
P:musl
V:1.2.4-r2
F:lib
R:ld-musl.so.1
a:0:0:755
F:
R:top

P:.deps
V:20240426.070733

P:broken
"""


def header(tags: dict[int, list[int] | list[str] | str]) -> bytes:
    """An rpm header with some tags, as it is in the database."""
    index, store = b"", b""
    for tag, value in tags.items():
        if isinstance(value, str):
            kind, count, data = 6, 1, value.encode() + b"\0"
        elif value and isinstance(value[0], int):
            store += b"\0" * (-len(store) % 4)
            kind, count, data = 4, len(value), struct.pack(f">{len(value)}i", *value)
        else:
            kind, count, data = 8, len(value), b"".join(str(each).encode() + b"\0" for each in value)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += data
    return struct.pack(">II", len(tags), len(store)) + index + store


def database(*blobs: bytes, statements: tuple[str, ...] = ()) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


HELLO = header(
    {
        1000: "hello", 1001: "1.2", 1002: "3", 1003: [4], 1116: [0, 1],
        1117: ["a", "b"], 1118: ["/opt/h/", "/opt/h/sub/"],
    }
)  # fmt: skip


def test_dpkg_lists_what_is_installed() -> None:
    assert installed({"/var/lib/dpkg/status": STATUS}) == {"dpkg:curl": "7.88.1-10", "dpkg:libc6": "2.36-9"}


def test_dpkg_files_scripts_and_archive() -> None:
    kept = {
        "/var/lib/dpkg/status": STATUS,
        "/var/lib/dpkg/info/curl.list": b"/.\n/usr\n/usr/bin/curl\n",
        "/var/lib/dpkg/info/curl.postinst": b"adduser _curl",
        "/var/lib/dpkg/info/libc6:amd64.list": b"/lib/libc.so.6\n",
    }
    (curl,) = packages(kept, {"dpkg:curl"})
    assert {"/usr/bin/curl", "/var/lib/dpkg/info/curl.md5sums"} < set(curl.files)
    assert "/var/cache/apt/archives/curl_7.88.1-10_amd64.deb" in curl.files
    assert "/." not in curl.files
    assert curl.scripts == "adduser _curl"
    assert any("/lib/libc.so.6" in each.files for each in packages(kept, {"dpkg:libc6"}))


def test_dpkg_of_a_distroless_image() -> None:
    kept = {
        "/var/lib/dpkg/status.d/base-files": b"Package: base-files\nVersion: 12.4\n",
        "/var/lib/dpkg/status.d/base-files.md5sums": b"Package: no\nVersion: 1\n",
    }
    assert installed(kept) == {"dpkg:base-files": "12.4"}


@pytest.mark.parametrize("path", ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
def test_apk(path: str) -> None:
    assert installed({path: APK}) == {"apk:.deps": "virtual", "apk:musl": "1.2.4-r2"}
    (musl,) = packages({path: APK}, {"apk:musl"})
    assert musl.files == ("/lib", "/lib/ld-musl.so.1", "", "/top")


def test_rpm() -> None:
    kept = {"/var/lib/rpm/rpmdb.sqlite": database(HELLO, header({1000: "plain", 1001: "5"}))}
    assert installed(kept) == {"rpm:hello": "4:1.2-3", "rpm:plain": "5"}
    (hello,) = packages(kept, {"rpm:hello"})
    assert hello.files == ("/opt/h/a", "/opt/h/sub/b")


def test_an_rpm_database_in_wal_mode_is_read() -> None:
    data = database(HELLO)
    assert [name for name, _, _ in rpm_packages(data[:18] + b"\x02\x02" + data[20:])] == ["hello"]


@pytest.mark.parametrize("path", ["/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/Packages.db"])
def test_an_rpm_database_in_another_format_is_unknown(path: str) -> None:
    assert installed({}, {path}) == {"rpm:*": "unknown"}


def test_a_view_in_the_place_of_the_rpm_table_is_not_run() -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS hnum, x AS blob FROM n"
    data = database(statements=("DROP TABLE Packages", f"CREATE VIEW Packages AS {endless}"))
    assert list(rpm_packages(data)) == []


def test_python_packages() -> None:
    metadata = b"Metadata-Version: 2.1\nName: My.Pkg_x\nVersion: 1.0\n\nName: not-this\n"
    kept = {
        f"{SITE}/My.Pkg_x-1.0.dist-info/METADATA": metadata,
        f"{SITE}/My.Pkg_x-1.0.dist-info/RECORD": b'my/__init__.py,,3\n../../../bin/my,,\n"my/a,b.py",,\n/abs,,\n',
        "/opt/venv/lib/python3.11/site-packages/old.egg-info/PKG-INFO": b"Name: old\r\nVersion: 2\r\n\r\n",
        "/opt/venv/lib/python3.11/site-packages/flat-3.egg-info": b"Name: flat\nVersion: 3\n",
        "/x/site-packages/setuptools/_vendor/inner.dist-info/METADATA": b"Name: inner\nVersion: 1\n",
    }
    assert installed(kept) == {"pip:flat": "3", "pip:my-pkg-x": "1.0", "pip:old": "2"}
    (package,) = packages(kept, {"pip:my-pkg-x"})
    assert set(package.files) > {f"{SITE}/my/__init__.py", "/usr/bin/my", f"{SITE}/my/a,b.py", "/abs"}
    assert package.folders == (f"{SITE}/My.Pkg_x-1.0.dist-info",)


def test_node_packages_are_counted_once_per_version() -> None:
    def package(version: object) -> bytes:
        return json.dumps({"name": "x", "version": version}).encode()

    kept = {
        "/app/node_modules/a/package.json": package("1.0"),
        "/app/node_modules/b/node_modules/a/package.json": package("2.0"),
        "/srv/node_modules/a/package.json": package("1.0"),
        "/app/node_modules/@s/c/package.json": package("3"),
        "/app/node_modules/d/package.json": package(None),
        "/app/node_modules/e/package.json": b"[" * 100_000,
        "/app/node_modules/a/lib/package.json": package("9"),
        "/app/package.json": package("9"),
    }
    assert installed(kept) == {"npm:@s/c": "3", "npm:a": "1.0, 2.0"}
    assert sorted(each.folders for each in packages(kept, {"npm:a"}))[0] == ("/app/node_modules/a",)


def test_which_files_are_kept() -> None:
    kept = [
        "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/tzdata", "/var/lib/dpkg/info/curl.list",
        "/lib/apk/db/installed", "/usr/lib/sysimage/rpm/rpmdb.sqlite", f"{SITE}/x.dist-info/METADATA",
        f"{SITE}/x.dist-info/RECORD", f"{SITE}/x.egg-info", f"{SITE}/x.egg-info/PKG-INFO",
        "/app/node_modules/a/package.json", "/node_modules/@s/a/package.json",
    ]  # fmt: skip
    other = [
        "/var/lib/dpkg/status-old", "/var/lib/dpkg/info/curl.md5sums", "/app/package.json", "/METADATA",
        "/app/x.dist-info/METADATA", f"{SITE}/x/METADATA", "/app/node_modules/.bin/package.json", "/bin/sh",
    ]  # fmt: skip
    assert [path for path in kept if not kept_bytes(path)] == []
    assert [path for path in other if kept_bytes(path)] == []


PATHS = [
    "/var/lib/dpkg/status", "/var/lib/dpkg/status.d/x", "/var/lib/dpkg/info/x.list", "/lib/apk/db/installed",
    "/var/lib/rpm/rpmdb.sqlite", f"{SITE}/x.dist-info/METADATA", f"{SITE}/x.dist-info/RECORD", f"{SITE}/x.egg-info",
    "/node_modules/x/package.json",
]  # fmt: skip
LINES = st.lists(
    st.sampled_from(
        [b"Package: x", b"Version: 1", b"Status: installed", b"P:x", b"V:1", b"F:", b"R:", b"", b":", b"Name:x"]
    )
    | st.binary(max_size=20)
).map(b"\n".join)


@given(st.dictionaries(st.sampled_from(PATHS), LINES | st.binary(max_size=300)))
def test_nonsense_does_no_harm(kept: dict[str, bytes]) -> None:
    keys = installed(kept)
    assert list(keys) == sorted(keys)
    assert {package.key for package in packages(kept, keys)} == set(keys)


@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_rpm_database_does_no_harm(at: int, data: bytes) -> None:
    content = database(HELLO)
    at %= len(content)
    list(rpm_packages(content[:at] + data + content[at + len(data) :]))


@given(st.binary(max_size=200))
def test_a_damaged_rpm_header_does_no_harm(blob: bytes) -> None:
    list(rpm_packages(database(blob, HELLO[: len(blob)] + blob)))
