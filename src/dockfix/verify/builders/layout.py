"""An OCI layout that holds several images, each found by the digest of its manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["blobs_of", "copy_image", "index_entry", "keep_only", "without_triggers"]

_INDEX: Final = "application/vnd.oci.image.index.v1+json"


def index_entry(layout: Path, reference: str | None) -> str | None:
    """The digest of an image of a layout, given its tag or its full name; without one, the digest of the only image."""
    entries = _json(layout / "index.json").get("manifests", [])
    if reference is None:
        return str(entries[0]["digest"]) if len(entries) == 1 else None
    for entry in entries:
        names = entry.get("annotations", {})
        if reference in (names.get("org.opencontainers.image.ref.name"), names.get("io.containerd.image.name")):
            return str(entry["digest"])
    return None


def blobs_of(layout: Path, digest: str) -> Iterator[str]:
    """The digests of all blobs of an image: its manifest, its configuration and its layers."""
    yield digest
    document = _json(_blob(layout, digest))
    for entry in document.get("manifests", []):
        yield from blobs_of(layout, entry["digest"])
    for entry in [*([document["config"]] if "config" in document else []), *document.get("layers", [])]:
        yield entry["digest"]


def copy_image(layout: Path, digest: str, into: Path) -> None:
    """Make a layout with one image of another layout. Blobs are hard links where the file system allows it."""
    for blob in dict.fromkeys(blobs_of(layout, digest)):
        target = _blob(into, blob)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(_blob(layout, blob), target)
        except OSError:
            shutil.copyfile(_blob(layout, blob), target)
    manifest = _blob(into, digest)
    media_type = _json(manifest).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    entry = {"mediaType": media_type, "digest": digest, "size": manifest.stat().st_size}
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}
    (into / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (into / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")


def keep_only(layout: Path, digests: Iterable[str]) -> None:
    """Remove the blobs that no image with one of these digests needs."""
    needed = {blob for digest in digests for blob in blobs_of(layout, digest)}
    for path in layout.glob("blobs/*/*"):
        if f"{path.parent.name}:{path.name}" not in needed:
            with suppress(OSError):
                path.unlink()


def without_triggers(layout: Path, digest: str) -> str:
    """The digest of the same image without ONBUILD triggers; it is added to the layout if it has any."""
    manifest = _json(_blob(layout, digest))
    config = _json(_blob(layout, manifest["config"]["digest"])) if "config" in manifest else {}
    if not config.get("config", {}).pop("OnBuild", None):
        return digest
    manifest["config"] |= _add(layout, config)
    return str(_add(layout, manifest)["digest"])


def _add(layout: Path, document: dict[str, Any]) -> dict[str, Any]:
    """Add a blob to a layout; returns its digest and size."""
    data = json.dumps(document).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    _blob(layout, digest).write_bytes(data)
    return {"digest": digest, "size": len(data)}


def _blob(layout: Path, digest: str) -> Path:
    algorithm, _, name = digest.partition(":")
    return layout / "blobs" / algorithm / name


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_bytes())
    return value if isinstance(value, dict) else {}
