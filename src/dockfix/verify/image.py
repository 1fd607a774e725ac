"""Reads a built image: an OCI layout, an OCI archive, or an archive of `docker save`.

Layers are merged in memory (`dockfix.verify.layers`); of most files only a digest is kept. Sources:
https://github.com/opencontainers/image-spec (layout, manifest, configuration);
https://github.com/moby/docker-image-spec (health check, shell, and `manifest.json` of `docker save`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockfix.verify.archive import ImageError
from dockfix.verify.layers import Entry

__all__ = ["Entry", "Healthcheck", "Image", "ImageConfig", "ImageError", "Layer", "read_image"]


@dataclass(frozen=True, slots=True)
class Healthcheck:
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


@dataclass(frozen=True, slots=True)
class ImageConfig:
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


@dataclass(frozen=True, slots=True)
class Layer:
    """An entry of the image's history.

    Args:
        size: the bytes of its files, uncompressed.
        created_by: the instruction that made it, as the builder wrote it; empty if it did not.
        empty: whether it has no files, as for ENV; then it is not a layer of the file system.
    """

    size: int
    created_by: str = ""
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Image:
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
    tree: Mapping[str, Entry] = field(repr=False)
    packages: Mapping[str, str] = field(default_factory=dict, repr=False)
    kept: Mapping[str, bytes] = field(default_factory=dict, repr=False)

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
