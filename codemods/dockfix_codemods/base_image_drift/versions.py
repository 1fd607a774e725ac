"""The version of an image reference: which part of a tag is the version, and which is the variant.

There is no standard for tags. Docker's official images put the version first and the variant after it
(https://github.com/docker-library/official-images#tags-and-aliases), and nearly all other images do the same.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from dockfix.facts.images import parse_image_ref


class ImageVersion(Struct, frozen=True):
    """The repository and the version of an image reference.

    Args:
        family: the repository as people write it (`python`, `ghcr.io/org/app`).
        version: the part before the variant (`3.13` of `3.13-slim`), a channel (`lts`), `latest` for no tag and for a
            tag that only names a variant (`alpine`), or empty if there is only a digest.
        shown: the tag as written, or "no tag".
        digest: the digest; empty if the image is not pinned.
    """

    family: str
    version: str
    shown: str
    digest: str


# debian.org/releases, releases.ubuntu.com: a code name and its number are tags of the same image.
_CODE_NAMES: Final = MappingProxyType(
    {
        "debian": {"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"},
        "ubuntu": {"bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04", "plucky": "25.04"},
    }
)
# Names that change with time, as `latest` does: node's lts, debian's stable, rust's nightly, alpine's edge.
_CHANNELS: Final = frozenset(
    """
    beta current devel dev edge lts mainline main master nightly oldstable rc rolling stable testing unstable sid
    """.split()  # noqa: SIM905 - a list of quoted words is not clearer
)
# Words of a tag without a version: the form of the image (docker-library, distroless, nvidia, dotnet).
_VARIANTS: Final = frozenset(
    """
    alpine apache bookworm bullseye buster busybox buildpack cli curl debian debug fpm glibc jammy jdk jre latest
    management minimal musl noble nonroot onbuild perl runtime sdk slim static trixie ubuntu uclibc unprivileged
    windowsservercore nanoserver zts
    """.split()  # noqa: SIM905 - as above
)
_VERSION: Final = re.compile(r"v?(?P<number>\d[\w.]*)\Z", re.ASCII)
_FORM: Final = re.compile(r"(?P<word>[a-z]+)[\d.]*\Z")


def image_version(reference: str) -> ImageVersion | None:
    """The version of an image reference.

    None if it is not a valid reference (it contains a variable), and for a tag that is neither a version nor a known
    variant: it may name another image of the same repository.
    """
    ref = parse_image_ref(reference)
    if ref is None:
        return None
    family = ref.repository.removeprefix("library/")
    if ref.registry != "docker.io":
        family = f"{ref.registry}/{family}".removeprefix("public.ecr.aws/docker/library/")
    digest = ref.digest or ""
    if ref.tag is None:
        return ImageVersion(family, "" if digest else "latest", "" if digest else "no tag", digest)
    first, *_ = ref.tag.split("-")
    numbered = _VERSION.match(first)
    form = _FORM.match(first)
    named = _CODE_NAMES.get(family, {}).get(first)
    if numbered is not None or named is not None:
        version = named or (numbered["number"] if numbered is not None else "")
    elif first in _CHANNELS:
        version = first
    elif form is not None and form["word"] in _VARIANTS:
        version = "latest"
    else:
        return None
    return ImageVersion(family, version, ref.tag, digest)


def version_key(version: str) -> tuple[tuple[int, ...], str]:
    """A key that sorts versions from old to new; those without numbers come first."""
    return tuple(int(part) for part in re.findall(r"\d{1,18}", version)), version


def names_version(text: str, image: ImageVersion) -> bool:
    """Whether a path or a name contains the version of an image or its beginning.

    Examples: `3.11/Dockerfile`, `py311`, `Dockerfile.bookworm`, `node20` for 20.11. A single digit is too little if
    the version has more parts.
    """
    parts = image.version.split(".")
    beginnings = [".".join(parts[:count]) for count in range(1, len(parts)) if count > 1 or len(parts[0]) > 1]
    for name in {image.version, image.shown.partition("-")[0], *beginnings} - {"", "latest"}:
        numbers = r"[._-]?".join(re.escape(part) for part in name.split("."))
        start, end = (r"(?<![\d.])", r"(?![\d])(?!\.\d)") if name[0].isdigit() else (r"(?<![a-z])", r"(?![a-z])")
        if re.search(f"{start}{numbers}{end}", text.lower()):
            return True
    return False
