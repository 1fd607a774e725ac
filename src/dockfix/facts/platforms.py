"""Platforms as `--platform` names them, and the images that exist for only one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from dockfix.facts.images import ImageRef

_SYSTEMS: Final = frozenset(
    {"aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd"}
    | {"plan9", "solaris", "wasip1", "windows"}
)
_ALIASES: Final = {
    "i386": "386",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
}
_MACHINES: Final = frozenset(
    {"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le"}
    | {"riscv64", "s390", "s390x", "wasm", *_ALIASES}
)
"""What containerd/platforms knows (`database.go`): systems, machines, and other names of machines."""


class Platform(NamedTuple):
    """An operating system and an architecture; `machine` is "" if only the system is given."""

    system: str
    machine: str

    def differs(self, other: Platform) -> bool:
        """Whether two platforms certainly differ; variants do not count (BuildKit, `validateBaseImagePlatform`)."""
        machines = {self.machine, other.machine} - {""}
        return self.system != other.system or len(machines) > 1

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def parse_platform(text: str) -> Platform | None:
    """A platform such as `linux/arm64/v8` or `arm64`, None if it is not valid. BuildKit itself runs on Linux."""
    first, _, rest = text.lower().partition("/")
    machine = rest.partition("/")[0]
    if first in _SYSTEMS:
        return Platform(first, _ALIASES.get(machine, machine))
    return Platform("linux", _ALIASES.get(first, first)) if first in _MACHINES else None


_NAMESPACES: Final[Mapping[str, Platform]] = MappingProxyType(
    {
        "amd64": Platform("linux", "amd64"),
        "arm32v5": Platform("linux", "arm"),
        "arm32v6": Platform("linux", "arm"),
        "arm32v7": Platform("linux", "arm"),
        "arm64v8": Platform("linux", "arm64"),
        "i386": Platform("linux", "386"),
        "mips64le": Platform("linux", "mips64le"),
        "ppc64le": Platform("linux", "ppc64le"),
        "riscv64": Platform("linux", "riscv64"),
        "s390x": Platform("linux", "s390x"),
        "winamd64": Platform("windows", "amd64"),
    }
)
"""Docker Hub's namespaces of official images for one platform (docker-library/official-images README, "Architectures
other than amd64?")."""


def image_platform(ref: ImageRef) -> Platform | None:
    """The only platform that an image exists for, as its name tells."""
    if ref.registry == "docker.io":
        return _NAMESPACES.get(ref.repository.partition("/")[0])
    if ref.registry == "mcr.microsoft.com" and ref.repository.startswith("windows/"):
        return Platform("windows", "")
    return None
