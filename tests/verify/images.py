"""Images for tests, made without a builder: layers from Python's `tarfile`, in an OCI layout or a Docker archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockfix.verify.image import Image, ImageConfig, Layer
from dockfix.verify.layers import Entry
from dockfix.verify.packages import installed


@dataclass(frozen=True)
class Member:
    """An entry of a layer: a file, unless `kind` is another type of tarfile."""

    name: str
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    kind: bytes = tarfile.REGTYPE
    link: str = ""


def folder(name: str, mode: int = 0o755, uid: int = 0) -> Member:
    """A folder."""
    return Member(name, mode=mode, uid=uid, kind=tarfile.DIRTYPE)


def symlink(name: str, link: str) -> Member:
    """A symlink."""
    return Member(name, mode=0o777, kind=tarfile.SYMTYPE, link=link)


def layer(*members: Member, format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - as in tarfile
    """The tar archive of a layer."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.type, info.mode, info.linkname = member.kind, member.mode, member.link
            info.uid, info.gid, info.size = member.uid, member.gid, len(member.content)
            if member.kind in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
                info.devmajor, info.devminor = 1, 3
            archive.addfile(info, io.BytesIO(member.content))
    return stream.getvalue()


def _store(files: dict[str, bytes], content: bytes) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    files[f"blobs/sha256/{digest}"] = content
    return {"digest": f"sha256:{digest}", "size": len(content)}


def oci_files(layers: Iterable[bytes], config: Mapping[str, object] | None = None) -> dict[str, bytes]:
    """The files of an OCI layout."""
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    stored = [_store(files, each) for each in layers]
    manifest = {"config": _store(files, json.dumps(config or {}).encode()), "layers": stored}
    files["index.json"] = json.dumps({"manifests": [_store(files, json.dumps(manifest).encode())]}).encode()
    return files


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def write_archive(path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
    """Write files as a tar archive."""
    members = [Member(name, content) for name, content in files.items()]
    path.write_bytes(layer(*members, *(symlink(name, link) for name, link in (links or {}).items())))
    return path


def oci(path: Path, *layers: bytes, config: Mapping[str, object] | None = None) -> Path:
    """Write an OCI layout as a folder."""
    return write_folder(path, oci_files(layers, config))


def zipped(content: bytes) -> bytes:
    """The content compressed with gzip."""
    return gzip.compress(content, mtime=1)


def image(
    files: Mapping[str, bytes | Entry] | None = None, config: ImageConfig | None = None, sizes: Iterable[int] = ()
) -> Image:
    """An image without an archive: files by path, with the folders above them."""
    tree: dict[str, Entry] = {"/": Entry("folder", 0o755, 0, 0)}
    kept: dict[str, bytes] = {}
    for path, content in (files or {}).items():
        parts = path.split("/")
        for end in range(2, len(parts)):
            tree.setdefault("/".join(parts[:end]), Entry("folder", 0o755, 0, 0))
        if isinstance(content, Entry):
            tree[path] = content
        else:
            kept[path] = content
            tree[path] = Entry("file", 0o644, 0, 0, len(content), hashlib.sha256(content).hexdigest())
    layers = tuple(Layer(size) for size in sizes)
    return Image(config or ImageConfig(), layers, dict(sorted(tree.items())), installed(kept, tree), kept)
