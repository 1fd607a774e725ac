"""Reads a built image: an OCI layout, an OCI archive, or an archive of `docker save`.

Layers are merged in memory (`dockfix.verify.layers`); of most files only a digest is kept. Sources:
https://github.com/opencontainers/image-spec (layout, manifest, configuration);
https://github.com/moby/docker-image-spec (health check, shell, and `manifest.json` of `docker save`).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.verify.archive import CHUNK, ImageError, TarReader, decompressed
from dockfix.verify.layers import Entry, Tree
from dockfix.verify.noise import normaliser
from dockfix.verify.packages import installed, kept_bytes

__all__ = ["Entry", "Healthcheck", "Image", "ImageConfig", "ImageError", "Layer", "read_image"]


class Healthcheck(Struct, frozen=True):
    """The health check of an image configuration; times in seconds, 0 where the builder's default holds.

    Args:
        test: `("CMD", ...)`, `("CMD-SHELL", text)`, `("NONE",)`, or empty to inherit.
        interval: seconds between two trials.
        timeout: seconds that a trial may take.
        start_period: seconds during which failures do not count.
        retries: how many failures in a row make the container unhealthy.
    """

    test: tuple[str, ...]
    interval: float = 0.0
    timeout: float = 0.0
    start_period: float = 0.0
    retries: int = 0


class ImageConfig(Struct, frozen=True):
    """The configuration of an image. `env` is `NAME=VALUE`; `command` is CMD; a missing text is empty.

    A health check of `NONE` counts as none.
    """

    user: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    workdir: str = ""
    shell: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    author: str = ""


class Layer(Struct, frozen=True):
    """An entry of the image's history.

    Args:
        size: the bytes of its files, uncompressed.
        created_by: the instruction that made it, as the builder wrote it; empty if it did not.
        empty: whether it has no files, as for ENV; then it is not a layer of the file system.
    """

    size: int
    created_by: str = ""
    empty: bool = False


class Image(Struct, frozen=True):
    """A built image.

    Args:
        config: its configuration.
        layers: its history, from the base on.
        tree: all paths of the merged layers, absolute; `/` is among them.
        packages: the installed packages with their versions: `{"dpkg:curl": "7.88.1-10", "pip:httpx": "0.27.0"}`.
        kept: the content of the files that say which packages are installed, by path.
    """

    config: ImageConfig
    layers: tuple[Layer, ...]
    tree: Mapping[str, Entry]
    packages: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of the files of all layers, uncompressed: also of files that a later layer removes."""
        return sum(layer.size for layer in self.layers)


def read_image(path: Path) -> Image:
    """Read an image.

    Args:
        path: the folder of an OCI layout, an OCI archive, or an archive of `docker save`. Layers may be plain or
            compressed with gzip, or with zstd if Python can read it.

    Raises:
        ImageError: it is not an image, it is damaged, or it is larger than the limits.
    """
    try:
        with _source(path) as source:
            return _read(source)
    except (OSError, RecursionError) as error:
        raise ImageError(f"{path.name}: {error}") from error


def _read(source: _Source) -> Image:
    config_name, layer_names = _manifest(source)
    config = _object(_json(source, config_name))
    tree = Tree(normaliser, kept_bytes)
    sizes: list[int] = []
    for name in layer_names:
        with source.open(name) as stream:
            sizes.append(tree.add(TarReader(decompressed(stream))))
    merged = tree.merged()
    history = _history(config, sizes)
    return Image(
        replace(_image_config(_object(config.get("config"))), author=_text(config.get("author"))),
        history,
        merged.tree,
        installed(merged.kept, merged.tree.keys()),
        merged.kept,
    )


_MAX_JSON: Final = 16 * 1024 * 1024
_DIGEST: Final = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})\Z")


class _Source(Protocol):
    """Files by name: a folder, or an archive."""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def open(self, name: str) -> IO[bytes]:
        """A file. Raises `ImageError` if there is none."""

    def __enter__(self) -> _Source: ...

    def __exit__(self, *_: object) -> None: ...


def _source(path: Path) -> _Source:
    if path.is_dir():
        return _Folder(path)
    if path.is_file():
        return _Archive(path)
    raise ImageError(f"{path.name} is not a file or folder")


class _Folder:
    """An OCI layout."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        return (self._path / name).is_file()

    def open(self, name: str) -> IO[bytes]:
        try:
            return (self._path / name).open("rb")
        except OSError as error:
            raise ImageError(f"{name} cannot be read: {error.strerror}") from error

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class _Archive:
    """A tar archive, whose members are read in place. Old versions of Docker link equal layers to each other."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        self._members: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        try:
            self._index()
        except BaseException:
            self._stream.close()
            raise

    def _index(self) -> None:
        if self._stream.read(2) == b"\x1f\x8b":
            raise ImageError("the archive is compressed as a whole: export the image uncompressed")
        self._stream.seek(0)
        for entry in TarReader(self._stream, self._stream.seek):
            name = _joined(entry.name)
            if entry.type == "0":
                self._members[name] = (self._stream.tell(), entry.size)
            elif entry.type in "12":
                self._links[name] = _joined(entry.link if entry.type == "1" else f"{name}/../{entry.link}")

    def has(self, name: str) -> bool:
        return name in self._members or name in self._links

    def open(self, name: str) -> IO[bytes]:
        place = self._members.get(name) or self._members.get(self._links.get(name, ""))
        if place is None:
            raise ImageError(f"the archive has no {name}")
        return io.BufferedReader(_Part(self._stream, *place), CHUNK)

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class _Part(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any, /) -> int:  # a writable buffer: typing has no name for it in Python 3.11
        self._stream.seek(self._start + self._at)
        data = self._stream.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _joined(name: str) -> str:
    """A member's name without `.` and `..`."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _json(source: _Source, name: str) -> object:
    with source.open(name) as stream:
        data = stream.read(_MAX_JSON + 1)
    if len(data) > _MAX_JSON:
        raise ImageError(f"{name} has more than {_MAX_JSON:,} bytes")
    try:
        value: object = json.loads(data)
    except ValueError as error:
        raise ImageError(f"{name} is not JSON: {error}") from error
    return value


def _manifest(source: _Source) -> tuple[str, list[str]]:
    """The names of the configuration and of the layers, the base's first."""
    if source.has("index.json"):
        manifest = _image_manifest(source, _object(_json(source, "index.json")))
        layers = manifest.get("layers")
        return _blob(manifest.get("config")), [_blob(layer) for layer in layers] if isinstance(layers, list) else []
    if not source.has("manifest.json"):
        raise ImageError("there is neither an index.json (OCI) nor a manifest.json (docker save)")
    images = _json(source, "manifest.json")
    if not isinstance(images, list) or len(images) != 1:
        raise ImageError("the archive must have exactly one image")
    image = _object(images[0])
    return _text(image.get("Config")), list(_texts(image.get("Layers")))


def _image_manifest(source: _Source, index: dict[str, object], depth: int = 0) -> dict[str, object]:
    """The manifest of the only image of an index. Attestations of BuildKit are left out."""
    manifests = index.get("manifests")
    descriptors = map(_object, manifests if isinstance(manifests, list) else [])
    found = {_blob(each) for each in descriptors if not _is_attestation(each)}  # two tags may name one image
    if len(found) != 1 or depth > 3:
        raise ImageError(f"the index must have exactly one image, but it has {len(found)}")
    document = _object(_json(source, next(iter(found))))
    return _image_manifest(source, document, depth + 1) if "manifests" in document else document


def _is_attestation(descriptor: dict[str, object]) -> bool:
    annotations = _object(descriptor.get("annotations"))
    return "vnd.docker.reference.type" in annotations or _object(descriptor.get("platform")).get("os") == "unknown"


def _blob(descriptor: object) -> str:
    match = _DIGEST.match(_text(_object(descriptor).get("digest")))
    if match is None:
        raise ImageError("the manifest has an entry without a valid digest")
    return f"blobs/{match[1]}/{match[2]}"


def _history(config: dict[str, object], sizes: list[int]) -> tuple[Layer, ...]:
    """The layers with their instructions; without those if the history does not fit the layers."""
    written = config.get("history")
    entries = [_object(each) for each in written] if isinstance(written, list) else []
    if sum(not each.get("empty_layer") for each in entries) != len(sizes):
        return tuple(Layer(size) for size in sizes)
    left = iter(sizes)
    return tuple(
        Layer(0, _text(each.get("created_by")), True)
        if each.get("empty_layer")
        else Layer(next(left), _text(each.get("created_by")))
        for each in entries
    )


def _image_config(config: dict[str, object]) -> ImageConfig:
    labels = {key: _text(value) for key, value in _object(config.get("Labels")).items()}
    return ImageConfig(
        user=_text(config.get("User")),
        env=_texts(config.get("Env")),
        entrypoint=_texts(config.get("Entrypoint")),
        command=_texts(config.get("Cmd")),
        healthcheck=_healthcheck(config.get("Healthcheck")),
        labels=labels,
        ports=tuple(sorted(_object(config.get("ExposedPorts")))),
        workdir=_text(config.get("WorkingDir")),
        shell=_texts(config.get("Shell")),
        volumes=tuple(sorted(_object(config.get("Volumes")))),
        stop_signal=_text(config.get("StopSignal")),
    )


def _healthcheck(value: object) -> Healthcheck | None:
    found = _object(value)
    test = _texts(found.get("Test"))
    if not found or test == ("NONE",):
        return None
    interval, timeout, start_period = (_integer(found.get(key)) / 1e9 for key in ("Interval", "Timeout", "StartPeriod"))
    return Healthcheck(test, interval, timeout, start_period, _integer(found.get("Retries")))


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
