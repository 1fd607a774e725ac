"""The tables of noise: each row matches what it is for, and no more; normalised content keeps what counts."""

from __future__ import annotations

import gzip
import os
import py_compile
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.verify.noise import NOISE, NORMALISERS, Noise, Normaliser, noise_reason, normaliser

EXAMPLES = [
    "/app/x.pyc", "/var/log/apt/term.log", "/var/cache/ldconfig/aux-cache", "/etc/machine-id", "/etc/resolv.conf",
    "/run/secrets/token", "/etc/group-", "/var/lib/dpkg/status-old", "/run/adduser",
    "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", "/var/lib/rpm/rpmdb.sqlite",
    "/root/.cache/uv/archive-v0/2L_nWy1I0S992HFJ", "/root/.cache/uv/simple-v28/index/idna.rkyv",
    "/root/.cache/pip/http-v2/a/b/c", "/root/.npm/_logs/2026-11-28T02_04_49_671Z-debug-0.log",
    "/root/.npm/_cacache/index-v5/00/60/6a22",
    "/root/.npm/_cacache/tmp/x", "/root/.cache/pnpm/metadata/x/ms.json", "/src/.git/index", "/src/.git/logs/HEAD",
    "/etc/ssh/ssh_host_ed25519_key", "/etc/ssl/certs/java/cacerts", "/tmp/hsperfdata_root/7",  # noqa: S108 - a path of an image
    "/tmp/node-compile-cache/v22/x",  # noqa: S108 - likewise
    "/home/app/.cache/fontconfig/x.cache-7",
]  # fmt: skip


@pytest.mark.parametrize("row", NOISE, ids=lambda row: row.patterns[0])
def test_a_row_of_noise_has_a_reason_a_source_and_an_example(row: Noise) -> None:
    assert row.reason
    assert re.match(r"https://|built twice: ", row.source)
    assert noise_reason(min(row.kinds), EXAMPLES[NOISE.index(row)]) == row.reason


@pytest.mark.parametrize("row", NORMALISERS, ids=lambda row: row.patterns[0])
def test_a_normaliser_has_a_reason_and_a_source(row: Normaliser) -> None:
    assert row.reason
    assert "https://" in row.source


@pytest.mark.parametrize(
    "path",
    [
        "/app/main.py", "/etc/passwd", "/etc/shadow", "/etc/ld.so.cache", "/usr/bin/x", "/var/lib/dpkg/status",
        "/app/var/log/x", "/root/.npmrc", "/root/.cache/uv", "/src/.git/HEAD", "/src/.git/objects/05/ab", "/dev",
        "/usr/share/pyc",
    ],
)  # fmt: skip
def test_what_is_no_noise(path: str) -> None:
    assert [kind for kind in ("added", "removed", "changed") if noise_reason(kind, path)] == []
    assert normaliser(path) is None or path == "/etc/shadow"


@pytest.mark.parametrize(
    "path", ["/root/.cache/pip/http-v2/a", "/etc/ssh/ssh_host_rsa_key", "/var/lib/rpm/rpmdb.sqlite"]
)
def test_a_file_whose_content_is_random_is_no_noise_if_it_is_new_or_gone(path: str) -> None:
    assert noise_reason("changed", path)
    assert not noise_reason("added", path)
    assert not noise_reason("removed", path)


def normalised(path: str, content: bytes) -> bytes:
    apply = normaliser(path)
    assert apply is not None
    return apply(content)


def test_bytecode_differs_by_the_time_of_its_source_alone(tmp_path: Path) -> None:
    def compiled(text: str, time: int, mode: py_compile.PycInvalidationMode) -> bytes:
        source = tmp_path / "a.py"
        source.write_text(text)
        os.utime(source, (time, time))
        target = py_compile.compile(str(source), str(tmp_path / "a.pyc"), invalidation_mode=mode)
        assert target is not None
        return Path(target).read_bytes()

    times = py_compile.PycInvalidationMode.TIMESTAMP
    first, second = compiled("x = 1\n", 1_000_000, times), compiled("x = 1\n", 2_000_000, times)
    assert first != second
    assert normalised("/a.pyc", first) == normalised("/a.pyc", second)
    assert normalised("/a.pyc", first) != normalised("/a.pyc", compiled("x = 2\n", 1_000_000, times))
    hashed = compiled("x = 1\n", 1, py_compile.PycInvalidationMode.CHECKED_HASH)
    assert normalised("/a.pyc", hashed) == hashed


def test_gzip_differs_by_its_time_alone() -> None:
    first, second, other = gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=2), gzip.compress(b"y", mtime=1)
    assert normalised("/a.gz", first) == normalised("/a.gz", second) != normalised("/a.gz", other)
    assert normalised("/a.gz", b"not compressed") == b"not compressed"


def test_shadow_differs_by_the_day_alone() -> None:
    def shadow(text: str) -> bytes:
        return normalised("/etc/shadow", text.encode())

    first = "root:*:19700:0:99999:7:::\napp:!:19701:0:99999:7:::\n"
    assert shadow(first) == shadow(first.replace("19701", "20000"))
    assert shadow(first) != shadow(first.replace("app:!", "app:x"))
    assert shadow(first) != shadow(first.replace("99999", "19701"))
    assert shadow("a::::::::\n") == b"a::::::::\n"


def test_a_record_differs_by_bytecode_alone() -> None:
    path = "/usr/lib/python3/dist-packages/a-1.dist-info/RECORD"
    first, compiled = b"a.py,sha256=1,2\nb.py,,\n", b"b.py,,\n__pycache__/a.cpython-311.pyc,,\na.py,sha256=1,2\n"
    assert normalised(path, first) == normalised(path, compiled) != normalised(path, b"a.py,sha256=9,2\nb.py,,\n")
    assert normaliser("/app/RECORD") is None


@pytest.mark.parametrize("path", ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
def test_a_virtual_package_of_apk_has_no_version(path: str) -> None:
    first = b"C:Q1a=\nP:.deps\nV:20240426.070733\nA:noarch\n\nC:Q1x=\nP:musl\nV:1\n\n"
    second = first.replace(b"070733", b"080000").replace(b"Q1a", b"Q1b")
    assert normalised(path, first) == normalised(path, second)
    assert normalised(path, first) != normalised(path, first.replace(b"V:1", b"V:2"))
    assert normalised(path, first) != normalised(path, first.replace(b"Q1x", b"Q1y"))


def test_the_world_of_apk() -> None:
    first = b".deps=20240426.070733\nmusl=1\n"
    assert normalised("/etc/apk/world", first) == b".deps\nmusl=1\n"


@given(st.sampled_from(["/a.pyc", "/a.gz", "/etc/shadow", "/lib/apk/db/installed", "/etc/apk/world"]), st.binary())
def test_a_normaliser_is_idempotent_in_what_it_says_of_equal_content(path: str, content: bytes) -> None:
    assert normalised(path, content) == normalised(path, bytes(content))
    assert len(normalised(path, content)) <= len(content)
