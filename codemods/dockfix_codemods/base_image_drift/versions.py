"""Which version of an image a reference asks for: what in a tag is the version, and what only the variant.

There is no standard for tags. Docker's official images put the version first and the variant behind it
(https://github.com/docker-library/official-images#tags-and-aliases), and nearly everybody does as they do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dockfix.facts.images import parse_image_ref

__all__ = ["ImageVersion", "image_version", "names_version", "version_key"]


@dataclass(frozen=True, slots=True)
class ImageVersion:
    """An image reference by what it is of and which version.

    `family` is the repository as people write it (`python`, `ghcr.io/org/app`). `version` is what comes before the
    variant (`3.13` of `3.13-slim`), a channel (`lts`), `latest` for no tag and for a tag that only names a variant
    (`alpine`), or empty where there is only a digest. `shown` is the tag as written, or what stands for it. `digest`
    is `""` where the image is not pinned.
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
# Names that move on with time, as `latest` does: node's lts, debian's stable, rust's nightly, alpine's edge.
_CHANNELS: Final = frozenset(
    """
    beta current devel dev edge lts mainline main master nightly oldstable rc rolling stable testing unstable sid
    """.split()  # noqa: SIM905 - a list of quoted words would be no clearer
)
# What a tag without a version names: the form of the image (docker-library, distroless, nvidia, dotnet).
_VARIANTS: Final = frozenset(
    """
    alpine apache bookworm bullseye buster busybox buildpack cli curl debian debug fpm glibc jammy jdk jre latest
    management minimal musl noble nonroot onbuild perl runtime sdk slim static trixie ubuntu uclibc unprivileged
    windowsservercore nanoserver zts
    """.split()  # noqa: SIM905
)
_VERSION: Final = re.compile(r"v?(?P<number>\d[\w.]*)\Z", re.ASCII)
_FORM: Final = re.compile(r"(?P<word>[a-z]+)[\d.]*\Z")


def image_version(reference: str) -> ImageVersion | None:
    """The version that an image reference asks for.

    None for what is no reference (a variable in it), and for a tag that is neither a version nor a known variant: it
    may name another image of the same repository.
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
    """A key that sorts versions from old to new; what has no numbers comes before all that have."""
    return tuple(int(part) for part in re.findall(r"\d{1,18}", version)), version


def names_version(text: str, image: ImageVersion) -> bool:
    """Whether a path or a name says the version of an image, or what it begins with: `3.11/Dockerfile`, `py311`,
    `Dockerfile.bookworm`, `node20` for 20.11. A single digit says too little where there is more of the version.
    """
    parts = image.version.split(".")
    beginnings = [".".join(parts[:count]) for count in range(1, len(parts)) if count > 1 or len(parts[0]) > 1]
    for name in {image.version, image.shown.partition("-")[0], *beginnings} - {"", "latest"}:
        numbers = r"[._-]?".join(re.escape(part) for part in name.split("."))
        start, end = (r"(?<![\d.])", r"(?![\d])(?!\.\d)") if name[0].isdigit() else (r"(?<![a-z])", r"(?![a-z])")
        if re.search(f"{start}{numbers}{end}", text.lower()):
            return True
    return False
