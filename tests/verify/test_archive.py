"""Tar archives are read as `tarfile` reads them, and damaged ones are refused."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.verify.archive import ImageError, TarReader, decompressed
from tests.verify.images import Member, layer, symlink, zipped

NAME = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=120)
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)
MEMBER = st.builds(
    Member,
    name=PATH,
    content=st.binary(max_size=1200),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**31),
    gid=st.integers(0, 2**21),
)


def read(data: bytes) -> list[tuple[str, str, int, int, int, bytes, str]]:
    reader = TarReader(io.BytesIO(data))
    return [
        (entry.name, entry.type, entry.mode, entry.uid, entry.gid, b"".join(reader.chunks()), entry.link)
        for entry in reader
    ]


@given(st.lists(MEMBER, max_size=5), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_an_archive_is_read_as_tarfile_reads_it(members: list[Member], format: int) -> None:  # noqa: A002
    data = layer(*members, format=format)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = [info.name for info in archive]
    found = read(data)
    assert [each[0].rstrip("/") for each in found] == [name.rstrip("/") for name in names]
    assert [each[2:6] for each in found] == [(each.mode, each.uid, each.gid, each.content) for each in members]


def test_types_and_links_of_a_ustar_archive() -> None:
    members = [
        Member("f", b"x"), Member("h", kind=tarfile.LNKTYPE, link="f"), symlink("s", "f"),
        Member("c", kind=tarfile.CHRTYPE), Member("d", kind=tarfile.DIRTYPE), Member("p", kind=tarfile.FIFOTYPE),
        Member("a" * 90 + "/" + "b" * 90, b"long"),
    ]  # fmt: skip
    found = read(layer(*members, format=tarfile.USTAR_FORMAT))
    assert [each[1] for each in found] == ["0", "1", "2", "3", "5", "6", "0"]
    assert [each[6] for each in found] == ["", "f", "f", "", "", "", ""]
    assert found[-1][0] == "a" * 90 + "/" + "b" * 90


def test_global_headers_and_contiguous_files() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"uid": "77"}) as archive:
        info = tarfile.TarInfo("a")
        info.type, info.size = tarfile.CONTTYPE, 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert read(stream.getvalue()) == [("a", "0", 0o644, 77, 0, b"x", "")]


def test_content_that_is_not_read_is_skipped_with_or_without_seek() -> None:
    stream = io.BytesIO(layer(Member("a", b"x" * 5000), Member("b", b"y")))
    assert [entry.name for entry in TarReader(stream)] == ["a", "b"]
    stream.seek(0)
    assert [entry.name for entry in TarReader(stream, stream.seek)] == ["a", "b"]


def test_a_damaged_header_is_refused() -> None:
    data = bytearray(layer(Member("a", b"x"), format=tarfile.USTAR_FORMAT))
    data[0] ^= 1
    with pytest.raises(ImageError, match="checksum"):
        read(bytes(data))


@pytest.mark.parametrize(("end", "part"), [(300, "header"), (700, "file")])
def test_an_archive_that_is_cut_off_is_refused(end: int, part: str) -> None:
    with pytest.raises(ImageError, match=f"cut off in the middle of a {part}"):
        read(layer(Member("a", b"x" * 600), format=tarfile.USTAR_FORMAT)[:end])


def test_a_huge_extended_header_is_refused_before_it_is_read() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    with pytest.raises(ImageError, match="extended header"):
        read(info.tobuf(tarfile.GNU_FORMAT))


@pytest.mark.parametrize("record", [b"nonsense", b"5 a=b\n", b"999 path=x\n", b"-1 path=x\n", b"10 size=x\n"])
def test_an_invalid_extended_header_is_refused(record: bytes) -> None:
    data = layer(Member("x", record, kind=tarfile.XHDTYPE), Member("a"), format=tarfile.USTAR_FORMAT)
    with pytest.raises(ImageError, match="extended header"):
        read(data)


@given(st.binary(max_size=2000))
def test_nonsense_ends_in_a_clear_error(data: bytes) -> None:
    with contextlib.suppress(ImageError):
        read(data)


@given(st.integers(0, 1600), st.integers(0, 255))
def test_a_changed_byte_ends_in_entries_or_a_clear_error(at: int, value: int) -> None:
    data = bytearray(zipped(layer(Member("long" * 40, b"x" * 300), symlink("s", "t"))))
    data[at % len(data)] = value
    with contextlib.suppress(ImageError):
        list(TarReader(decompressed(io.BytesIO(bytes(data)))))


def test_gzip_is_recognised_and_plain_text_is_left() -> None:
    assert decompressed(io.BytesIO(zipped(b"content"))).read(20) == b"content"
    assert decompressed(io.BytesIO(b"content")).read(20) == b"content"
    assert decompressed(io.BytesIO(b"")).read(20) == b""


def test_zstd_without_a_module_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockfix.verify.archive._ZSTD_MODULES", ("no_such_module",))
    with pytest.raises(ImageError, match="zstd, which this Python cannot read: export the image uncompressed"):
        decompressed(io.BytesIO(b"\x28\xb5\x2f\xfd rest"))
