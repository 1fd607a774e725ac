"""PostgreSQL servers in images: which base images run one, and which packages install a library that must be preloaded.

Only Debian packages are listed: the official images on Alpine have a server of their own in `/usr/local`, which does
not use what `apk` installs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, cast

from msgspec import Struct

from dockfix.facts.build import BuildFacts
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known, OneOf
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.facts.toolchain import package_names
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Instruction, Run

INIT_FOLDER: Final = "/docker-entrypoint-initdb.d"
"""Where the official entrypoint looks for scripts when it creates a cluster (docker-library/postgres)."""

_VERSION: Final = r"(?:\d+(?:\.\d+)?|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?)"
_UNCERTAIN: Final = Context.CONDITIONAL | Context.LOOP | Context.FUNCTION | Context.BACKGROUND | Context.NEGATED


class Library(Struct, frozen=True):
    """A shared library that works only if `shared_preload_libraries` names it.

    `package` is a pattern of Debian package names, `extension` the name in CREATE EXTENSION, `schema` the schema that
    it creates ("" if none: its names are in `public`). `first`: it must be the first in the list.
    """

    name: str
    extension: str
    package: re.Pattern[str]
    source: str
    schema: str = ""
    first: bool = False

    def packaged_as(self, package: str) -> bool:
        """Whether a package, as written in a Dockerfile, installs it."""
        return self.package.fullmatch(package.strip("\"'").partition("=")[0]) is not None


def _package(ending: str) -> re.Pattern[str]:
    return re.compile(rf"postgresql-{_VERSION}-{ending}")


_LIBRARIES: Final = (
    Library(
        "citus", "citus", _package(r"citus(?:-\d+(?:\.\d+)?)?"),
        "https://docs.citusdata.com/en/stable/installation/single_node_debian.html", first=True,
    ),
    Library(
        "timescaledb", "timescaledb",
        re.compile(rf"timescaledb(?:-2(?:-oss)?)?(?:-{_VERSION})?-postgresql-{_VERSION}|{_package('timescaledb').pattern}"),
        "https://docs.timescale.com/self-hosted/latest/install/installation-linux/", first=True,
    ),
    Library("pg_cron", "pg_cron", _package("cron"), "https://github.com/citusdata/pg_cron#setting-up-pg_cron", "cron"),
    Library("pgaudit", "pgaudit", _package("pgaudit"), "https://github.com/pgaudit/pgaudit#compile-and-install"),
    Library("pg_net", "pg_net", _package("pg-net"), "https://github.com/supabase/pg_net#installation", "net"),
    Library(
        "pg_wait_sampling", "pg_wait_sampling", _package("pg-wait-sampling"),
        "https://github.com/postgrespro/pg_wait_sampling#installation",
    ),
)  # fmt: skip

SERVER_IMAGES: Final = {
    # docker-library/postgres; the others are built FROM it and keep its entrypoint.
    "postgres": (),
    "postgis/postgis": (),
    "pgvector/pgvector": (),
    "imresamu/postgis": (),
    # timescale/timescaledb-docker and timescaledb-docker-ha; citusdata/docker: set in postgresql.conf.sample.
    "timescale/timescaledb": ("timescaledb",),
    "timescale/timescaledb-ha": ("timescaledb",),
    "citusdata/citus": ("citus",),
}
"""Repositories whose images run a server through the official entrypoint, and the libraries that each preloads
itself."""


class Installed(Struct, frozen=True):
    """A library that a RUN installs."""

    library: Library
    run: Run


def server_image(stage: Stage) -> str | None:
    """The repository of the server image that a stage starts from, as in `SERVER_IMAGES`; None if it is another
    image."""
    refs = stage.base_ref
    if isinstance(refs, Known):
        texts: tuple[str, ...] = (refs.value,)
    elif isinstance(refs, OneOf):
        texts = refs.values
    else:
        # `postgres:${VERSION}`: the tag is not known, the repository is
        image = stage.node.image.text if stage.node.image is not None else ""
        texts = (image.partition(":")[0],)
    names = {_repository(text) for text in texts}
    name = names.pop() if len(names) == 1 else ""
    return name if name in SERVER_IMAGES else None


def _repository(text: str) -> str:
    ref = parse_image_ref(text)
    if ref is None:
        return ""
    repository = ref.repository.removeprefix("library/")
    if ref.registry == "docker.io":
        return repository
    # the mirror of the official images
    name = f"{ref.registry}/{ref.repository}"
    return name.removeprefix("public.ecr.aws/docker/library/")


def installed_libraries(facts: BuildFacts, stage: Stage, program: Iterable[Instruction]) -> Iterator[Installed]:
    """The libraries that the RUNs of a program certainly install with apt for the server of the stage's base image.

    Each once, in the order of the table. A server does not start if a library to preload is missing, so an install does
    not count if it is in a branch, may fail (`||`), is removed again or is for another major version than the image's
    tag.
    """
    ref = parse_image_ref(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
    major = re.match(r"(?:pg)?(\d+)", ref.tag or "") if ref is not None else None
    found: dict[str, Installed] = {}
    for run in program:
        for step in facts.commands(run).packages if isinstance(run, Run) else ():
            package = step.package
            if package is None or package.manager != "apt":
                continue
            after = step.command.after.text if step.command.after is not None else ""
            for library, name in _brought(package_names(package)):
                if package.action in (Action.REMOVE, Action.PURGE):
                    found.pop(library.name, None)
                elif package.action is Action.INSTALL and not step.command.context & _UNCERTAIN and after != "||":
                    version = re.search(r"postgresql-(\d+)", name)
                    if version is None or (major is not None and version[1] == major[1]):
                        found.setdefault(library.name, Installed(library, cast("Run", run)))
    yield from (found[library.name] for library in _LIBRARIES if library.name in found)


def _brought(packages: Iterable[str]) -> Iterator[tuple[Library, str]]:
    return ((library, name) for name in packages for library in _LIBRARIES if library.packaged_as(name))
