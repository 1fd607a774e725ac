"""What a base image contains: its distribution, package manager, shell, user, tools and environment.

Known images come from a table (tables/images.py); a configuration may add others. An image in neither is unknown, and
everything that a row does not list is unknown too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.tables.environment import NAMES_UNREAD, PREFIXES_READ, SUFFIXES_READ, VARIABLES_READ
from dockfix.facts.tables.images import (
    BUILD_ONLY,
    BUILDKIT_ARGS,
    DISTROS,
    IMAGES,
    PLATFORM_ARGS,
    PREDEFINED_ARGS,
    RUNTIME_LIBRARIES,
    STABLE_LIBRARIES,
    WORKDIRS,
    Row,
)

__all__ = [
    "BUILDKIT_ARGS",
    "PLATFORM_ARGS",
    "PREDEFINED_ARGS",
    "BaseImage",
    "ImageRef",
    "base_image",
    "build_only",
    "image_names",
    "is_implicitly_read",
    "is_local_name",
    "parse_image_ref",
    "runtime_library",
]


class BaseImage(Struct, frozen=True):
    """What is known of a base image.

    `default_shell` is the shell of RUN in shell form, () if it is not known (an image may have a SHELL of its own).
    `user` is the user that the image sets, `home` that user's home directory ("" if not known). `tools` are programs
    that it contains, `lacks` programs that it does not. `env` are ENV variables with values that are the same for every
    tag; `sets_env` the names of all that it is known to set, a complete list only if `sets_env_complete`. `taken_ids`
    are uids and gids known to be in use. `workdir` is the working directory, "" if it is not known. `docker_clean`:
    /etc/apt/apt.conf.d/docker-clean makes apt delete its packages.
    """

    family: str
    package_manager: str | None
    libc: Literal["glibc", "musl"] | None
    default_shell: tuple[str, ...]
    sh: Literal["dash", "bash", "ash"] | None
    user: Fact[str]
    home: str
    tools: frozenset[str]
    env: Mapping[str, str]
    sets_env: frozenset[str]
    sets_env_complete: bool
    taken_ids: frozenset[int]
    source: str
    lacks: frozenset[str] = frozenset()
    workdir: str = ""

    @property
    def docker_clean(self) -> bool:
        """Debian and Ubuntu images hold docker-clean (debuerreotype; Ubuntu's OCI images)."""
        return self.package_manager == "apt"


class ImageRef(Struct, frozen=True):
    """The parts of an image reference; `registry` is docker.io where none is written, `repository` then as pulled."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None


_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*\Z")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST: Final = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}\Z")
_HUB: Final = frozenset(
    ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "mirror.gcr.io")
)
_MIRROR_PREFIXES: Final = ("public.ecr.aws/docker/",)


def parse_image_ref(text: str) -> ImageRef | None:
    """The parts of an image reference, None if the text is not one (an expansion, upper case, an invalid tag).

    The grammar is that of distribution/reference: the first component is a registry if it contains a `.` or a `:`, or
    is `localhost`; an official image is `docker.io/library/NAME`.
    """
    rest, _, digest = text.partition("@")
    if "@" in text and not _DIGEST.match(digest):
        return None
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, ""
    elif not _TAG.match(tag):
        return None
    first, slash, remainder = name.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        registry, repository = first, remainder
    else:
        registry, repository = "docker.io", name
    if not _REPOSITORY.match(repository) or len(repository) > 255:
        return None
    if registry in _HUB and "/" not in repository:
        repository = f"library/{repository}"
    return ImageRef("docker.io" if registry in _HUB else registry, repository, tag or None, digest or None)


def _key(ref: ImageRef) -> str:
    """The name under which tables list a repository."""
    name = ref.repository if ref.registry == "docker.io" else f"{ref.registry}/{ref.repository}"
    for prefix in _MIRROR_PREFIXES:
        name = name.removeprefix(prefix)
    return name.removeprefix("library/")


def image_names(ref: str) -> tuple[str, ...]:
    """The names under which a table may list an image, the most exact first: as written, with its tag, without."""
    parsed = parse_image_ref(ref)
    if parsed is None:
        return ()
    key = _key(parsed)
    return tuple(dict.fromkeys((ref, *((f"{key}:{parsed.tag}",) if parsed.tag else ()), key)))


_NOTHING: Final[Mapping[str, BaseImage | str]] = MappingProxyType({})


def base_image(ref: str, extra: Mapping[str, BaseImage | str] = _NOTHING) -> BaseImage | None:
    """What is known of the image that `ref` names; None if it is unknown.

    `extra` adds images, by `repository` or `repository:tag` as written in a Dockerfile: a `BaseImage`, or the reference
    of the image that it is based on, whose working directory and variables may then be others. It overrides the table.
    """
    derived = False
    for _ in range(8):  # a longer chain of references in `extra` is a cycle
        parsed = parse_image_ref(ref)
        if parsed is None:
            return None
        key = _key(parsed)
        like = extra.get(ref) or extra.get(f"{key}:{parsed.tag}" if parsed.tag else key) or extra.get(key)
        if like is None:
            row = IMAGES.get(key) or IMAGES.get(f"{key.rpartition('/')[0]}/*")
            image = None if row is None else _image(row, key, parsed)
            return replace(image, workdir="", sets_env_complete=False) if image is not None and derived else image
        if isinstance(like, BaseImage):
            return like
        ref, derived = like, True
    return None


def _image(row: Row, key: str, ref: ImageRef) -> BaseImage | None:
    # A digest alone does not determine the variant.
    if ref.tag is None and ref.digest is not None and len(row.variants) > 1:
        return None
    tag = ref.tag or "latest"
    if not ref.tag and key.startswith(("gcr.io/distroless/",)):
        tag = ""
    distro = next((DISTROS[name] for pattern, name in row.variants if re.search(pattern, tag)), None)
    if distro is None:
        return None
    user: Fact[str] = Known(row.user or "root")
    home = row.home or distro.home
    if row.user == "?":
        user, home = Unknown("the image's user is not in the table"), ""
    elif key.startswith("gcr.io/distroless/") and "nonroot" in tag:
        user, home = Known("65532"), "/home/nonroot"
    elif key.startswith("mcr.microsoft.com/dotnet/") and distro.sh is None and distro.family == "ubuntu":
        user, home = Known("1654"), "/home/app"
    elif distro.family == "windows" and not row.user:
        user = Unknown("Windows variants differ in their user")
    env = dict(row.env)
    if distro.path and "PATH" not in row.names:
        env.setdefault("PATH", distro.path)
    shell = () if row.run_shell == ("?",) else row.run_shell or distro.default_shell
    tools = distro.tools | row.tools
    if distro.family == "debian" and key == "golang":
        tools |= {"gcc", "g++", "make", "pkg-config"}  # docker-library/golang installs them for cgo
    return BaseImage(
        family=distro.family,
        package_manager=distro.package_manager,
        libc=cast('Literal["glibc", "musl"] | None', distro.libc),
        default_shell=shell,
        sh=cast('Literal["dash", "bash", "ash"] | None', distro.sh),
        user=user,
        home=home if home != "?" else "",
        tools=tools,
        env=MappingProxyType(env),
        sets_env=row.names | env.keys(),
        sets_env_complete=row.complete,
        taken_ids=distro.taken_ids | row.taken_ids,
        source=f"{row.source}; {distro.source}",
        lacks=_lacks(key, tag, distro.lacks) - tools,
        workdir=_workdir(key, tag) if distro.family != "windows" else "",
    )


def _workdir(key: str, tag: str) -> str:
    if "onbuild" in tag:
        return ""  # these old variants set another one
    return next((folder for pattern, folder in WORKDIRS.get(key, ()) if re.search(pattern, tag)), "")


_COMPLETE_LISTS: Final = frozenset(
    (
        "debian",
        "ubuntu",
        "alpine",
        "busybox",
        "scratch",
        "python",
        "buildpack-deps",
        "node",
        "httpd",
        "redis",
        "postgres",
    )
)


def _lacks(key: str, tag: str, lacks: frozenset[str]) -> frozenset[str]:
    """What is known to be missing: for images whose own installs are not listed, only what no image of theirs adds."""
    if key in _COMPLETE_LISTS or key.startswith("gcr.io/distroless/"):
        # docker-library/postgres and redis add gosu, and postgres bash on alpine.
        return lacks - {"gosu", "bash"} if key in ("postgres", "redis") else lacks
    if key in ("golang", "rust", "ruby") and "slim" in tag:
        return lacks - {"gcc", "g++", "make", "wget", "curl", "git"}
    return lacks & {"apt-get", "apk"}


def _family(family: str) -> str:
    return {"ubuntu": "debian", "wolfi": "alpine", "fedora": "rhel"}.get(family, family)


def is_local_name(ref: str) -> bool:
    """Whether an image may exist only on this machine: it has no registry and is not well known."""
    parsed = parse_image_ref(ref)
    if parsed is None or base_image(ref) is not None or ref == "scratch":
        return False
    first, slash, _ = ref.partition("/")
    return parsed.digest is None and not (slash and (first == "localhost" or "." in first or ":" in first))


def build_only(package: str, family: str) -> bool:
    """Whether a package of a distribution family is needed to build and not to run: compilers, headers, build tools.

    A version (`gcc=12`, `gcc-12`, `gcc:amd64`) does not matter. git counts, since it is used to fetch sources; the
    caller must check whether a later step uses it. Unknown families and packages are not build-only.
    """
    table = BUILD_ONLY.get(_family(family))
    if table is None:
        return False
    names, endings = table
    name = re.split(r"[=<>~@:]", package.removeprefix("."), maxsplit=1)[0]
    if name in names or re.sub(r"-[0-9][0-9.]*\Z", "", name) in names - {"git", "make"}:
        return True
    return name.endswith(endings) or bool(re.match(r"linux-headers(?:-|\Z)", name))


def runtime_library(package: str, family: str, image: str = "debian:12") -> str | None:
    """The library package that programs built with a header package or compiler need: "" if none, None if unknown.

    `image` is the image that the stage starts from. Debian's libraries have their version in their name, so the whole
    table is valid for bookworm only; for other releases and for Ubuntu only names that do not change are returned.
    """
    name = re.split(r"[=<>~@:]", package, maxsplit=1)[0]
    found = RUNTIME_LIBRARIES.get(_family(family), {}).get(name)
    if found and _family(family) == "debian" and found not in STABLE_LIBRARIES:
        bookworm = family == "debian" and re.search(r"bookworm|\bdebian:12\b", image)
        return found if bookworm else None
    return found


def is_implicitly_read(name: str) -> bool:
    """Whether programs are documented to read a variable of this name without a command naming it."""
    upper = name.upper()
    return (
        name in PREDEFINED_ARGS
        or upper in VARIABLES_READ
        or (upper.startswith(PREFIXES_READ) and upper not in NAMES_UNREAD)
        or upper.endswith(SUFFIXES_READ)
    )
