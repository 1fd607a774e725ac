"""Services of compose files, how they are built, and what they depend on, as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field

from dockfix.project.files import resolve_inside
from dockfix.project.secrets import is_secret_name

ContextKind: TypeAlias = Literal["folder", "image", "service", "target", "remote", "unknown"]
Words: TypeAlias = str | tuple[str, ...]
"""A command: text for a shell (or for splitting), or its words."""
Option: TypeAlias = "str | tuple[Option, ...]"
"""A setting of a build: its text, or what it is made of; a mapping is made of pairs, sorted by their keys."""

NO_OPTIONS: Final = frozenset(
    (
        # keys with a field of their own
        "additional-contexts", "args", "context", "contexts", "dockerfile", "dockerfile-inline", "inherits", "tags",
        "target",
        # how a target is found, what comes from a cache, and where the result goes
        "annotations", "attest", "cache-from", "cache-to", "call", "description", "matrix", "name", "no-cache",
        "no-cache-filter", "output", "provenance", "pull", "sbom",
    )
)  # fmt: skip
"""Keys of a build, with `-` for `_`, that are not options (docs.docker.com: compose `build`, bake targets)."""


class NamedContext(Struct, frozen=True):
    """A context in addition to the main one, for `COPY --from=NAME`, `FROM NAME` and `RUN --mount=from=NAME`.

    `value` is interpolated if that is possible. `shown` is what a message may say: the value, or the text as written
    if the value includes one of a `.env` file. `line` is that of the file `source`; 0 for the command line,
    which has no file. `path` is set for a folder inside the project, `exists` for a folder.
    """

    name: str
    value: str
    line: int
    kind: ContextKind
    path: Path | None
    exists: bool | None
    shown: str = ""
    source: Path | None = None


class BuildSecret(Struct, frozen=True):
    """A secret of a build: the content of `file`, or the value of the environment variable `env`.

    Both are `None` if they cannot be known, or the secret is neither (compose: `external`).
    """

    id: str
    file: Path | None = None
    env: str | None = None


class BuildInvocation(Struct, frozen=True):
    """One way in which a Dockerfile is built: a compose service with `build:`, or a bake target.

    `source` is the file that says so, `service` the name of the service or target in it, `kind` which of the two.
    `line` is that of `build:` in that file, or of the service's name if it has its build from a service that it
    extends. `tags` are the names that the image gets, `image` the first of them.

    `context` is `None` if it is remote, outside the project or unknown; `context_why` says which. `dockerfile` is
    `None` in these cases and for `dockerfile_inline` (`inline`). An argument without a value takes it from the
    environment of the build, and is `None`, as is a value that needs a variable that is not given.

    `options` is all else that it says and that could make another image of the same Dockerfile: secrets, networks,
    platforms, labels; by bake's names, `None` where a value is not known.

    Values may come from a `.env` file, and must not be shown then: `raw` (`context`, `dockerfile`, `target`, `image`,
    those that are set) and `raw_args` have the text as written. `hidden` has those of `raw` whose values do come from
    there, `hidden_args` such arguments, and `shown_tags` the tags as messages may show them. `secrets` are those of
    compose; bake's are in `options`.
    """

    source: Path
    service: str
    line: int
    context: Path | None
    context_why: str | None
    dockerfile: Path | None
    target: str | None
    args: Mapping[str, str | None]
    additional_contexts: Mapping[str, NamedContext]
    image: str | None
    inline: bool
    kind: Literal["compose", "bake"] = "compose"
    tags: tuple[str, ...] = ()
    raw: Mapping[str, str] = field(default_factory=dict)
    raw_args: Mapping[str, str | None] = field(default_factory=dict)
    options: Mapping[str, Option | None] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    shown_tags: tuple[str, ...] = ()
    hidden_args: frozenset[str] = frozenset()
    secrets: tuple[BuildSecret, ...] = ()


class Dependency(Struct, frozen=True):
    """A service that another waits for, with the `condition` (`service_started`, `service_healthy`,
    `service_completed_successfully`); `None` if it needs a variable that is not given. `line` is that of `source`.

    `links`, `volumes_from` and `network_mode: service:NAME` and the like are dependencies too.
    """

    name: str
    condition: str | None
    line: int
    source: Path

    @property
    def until(self) -> str:
        """The condition in words, such as `healthy`; empty if it is not known."""
        return (self.condition or "").removeprefix("service_").replace("_", " ")


class Healthcheck(Struct, frozen=True):
    """A service's `healthcheck:`. `test` is text for a shell, or a list that begins with `CMD`, `CMD-SHELL` or `NONE`.

    Values that are missing, or need a variable that is not given, are `None`; `raw_test`, and `raw` for the others,
    have the text as written. `hidden` are the keys whose values come from a `.env` file. `line` is that of `source`.
    """

    line: int
    test: Words | None
    raw_test: Words | None
    interval: str | None
    timeout: str | None
    start_period: str | None
    start_interval: str | None
    retries: str | None
    disable: bool
    source: Path
    raw: Mapping[str, str]
    hidden: frozenset[str] = frozenset()


class Service(Struct, frozen=True):
    """A service, built or not. `line` is that of its name in `source`, the file that it is first written in.

    `environment` holds the names that `environment:` mentions, with values as far as they are known; those of
    `env_file:` are not read. `raw` has the text as written of `image`, `user`, `command` and `entrypoint`, those that
    are given, and `raw_environment` that of the environment: values of `.env` files must not be shown.
    `hidden_environment` has the variables whose values come from there. `gpu`: it asks for a GPU, or may do so.
    """

    name: str
    line: int
    image: str | None
    builds: bool
    user: str | None
    healthcheck: Healthcheck | None
    depends_on: tuple[Dependency, ...]
    environment: Mapping[str, str | None]
    source: Path
    command: Words | None
    entrypoint: Words | None
    profiles: tuple[str, ...]
    raw: Mapping[str, Words]
    raw_environment: Mapping[str, str | None]
    gpu: bool = False
    hidden_environment: frozenset[str] = frozenset()

    @property
    def shown_environment(self) -> Mapping[str, str | None]:
        """`environment` with the values that messages may show; the others are `None`."""
        return {
            name: None if name in self.hidden_environment or is_secret_name(name) else value
            for name, value in self.environment.items()
        }


class ComposeFile(Struct, frozen=True):
    """A compose file as compose reads it: with what it includes and extends, and with its override file.

    `files` are all files that it was read from, `path` first. `broken` tells that some of them could not be read, or
    not all of it: there may be services and builds that are missing here. `expanded` holds the texts that values of
    `.env` files went into, each with the text as written.
    """

    path: Path
    services: Mapping[str, Service]
    invocations: tuple[BuildInvocation, ...]
    broken: bool = False
    files: tuple[Path, ...] = ()
    expanded: Mapping[str, str] = field(default_factory=dict)


def context_kind(value: str) -> ContextKind:
    """What a context's value is, by its form. Sources: compose-go's `isRemoteContext`; buildx's `--build-context`."""
    if value.startswith("docker-image://"):
        return "image"
    if value.startswith("service:"):
        return "service"
    if value.startswith("target:"):
        return "target"
    if value.startswith(("https://", "http://", "git://", "ssh://", "github.com/", "git@")):
        return "remote"
    if "://" in value or value == "-":
        return "unknown"
    return "folder"


def named_context(
    name: str, value: str, *, line: int, base: Path, root: Path, shown: str | None = None, source: Path | None = None
) -> NamedContext:
    """A named context whose folder, if it is one, is relative to `base`; outside `root` it has no path."""
    kind = context_kind(value)
    text = value if shown is None else shown
    if kind != "folder":
        return NamedContext(name, value, line, kind, None, None, text, source)
    path = resolve_inside(root, base.absolute() / value) if not value.startswith("~") else None
    return NamedContext(name, value, line, kind, path, None if path is None else path.is_dir(), text, source)
