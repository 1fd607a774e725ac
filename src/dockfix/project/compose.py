"""Compose files: which services build which Dockerfile, from which context, and with what. Read-only.

Sources: the Compose specification (https://github.com/compose-spec/compose-spec: `05-services.md`, `build.md`,
`12-interpolation.md`, `13-merge.md`) and its implementation compose-go for what the specification leaves open.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dockfix.project.discovery import walk_folders
from dockfix.project.files import resolve_inside
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.snapshot import Snapshot

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

__all__ = [
    "BuildInvocation", "ComposeFile", "Healthcheck", "NamedContext", "Service", "context_kind", "find_compose_files",
    "interpolate", "is_compose_name", "named_context", "read_compose",
]  # fmt: skip

MAX_COMPOSE_BYTES: Final = 256 * 1024
"""The largest compose file that is read: the YAML parser takes some 10 microseconds a byte."""
_MAX_NODES: Final = 50_000
_MAX_EXPANDED: Final = 500_000
_MAX_EXTENDS: Final = 8
_MAX_FOLDERS_DEEP: Final = 6
_MAX_ENTRIES: Final = 100_000

ContextKind: TypeAlias = Literal["folder", "image", "service", "target", "remote", "unknown"]
_NAME: Final = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]*)?\.ya?ml")


@dataclass(frozen=True, slots=True)
class NamedContext:
    """A context beside the main one, for `COPY --from=NAME`, `FROM NAME` and `RUN --mount=from=NAME`.

    `value` is as written, interpolated if that is possible. `line` is that of the compose file; 0 for the command line.
    `path` is set for a folder inside the project, `exists` for a folder.
    """

    name: str
    value: str
    line: int
    kind: ContextKind
    path: Path | None
    exists: bool | None


@dataclass(frozen=True)
class BuildInvocation:
    """One way in which a Dockerfile is built: a compose service with `build:`, or a bake target.

    `source` is the file that says so, `service` the name of the service or target in it, `kind` which of the two.
    `tags` are the names that the image gets, `image` the first of them.

    `context` is `None` if it is remote, outside the project or unknown; `context_why` says which. `dockerfile` is
    `None` in these cases and for `dockerfile_inline` (`inline`). An argument without a value takes it from the
    environment of the build, and is `None`, as is a value that needs a variable without a default. `line` is that of
    `build:`.
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


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A service's `healthcheck:`. `test` is text for a shell, or a list that begins with `CMD`, `CMD-SHELL` or `NONE`.

    Values that are missing, or need a variable without a default, are `None`; `raw_test` has the text as written.
    """

    line: int
    test: str | tuple[str, ...] | None
    raw_test: str | tuple[str, ...] | None
    interval: str | None
    timeout: str | None
    start_period: str | None
    start_interval: str | None
    retries: str | None
    disable: bool


@dataclass(frozen=True, slots=True)
class Service:
    """A service, built or not. `line` is that of its name. `environment` holds names with values as far as they are
    known. `profiles` are those of which one has to be active; none: it always is.
    """

    name: str
    line: int
    image: str | None
    builds: bool
    user: str | None
    healthcheck: Healthcheck | None
    depends_on: tuple[str, ...]
    environment: Mapping[str, str | None]
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComposeFile:
    """A compose file as read by itself, with what it `extends`."""

    path: Path
    services: Mapping[str, Service]
    invocations: tuple[BuildInvocation, ...]


def is_compose_name(name: str) -> bool:
    """`compose*.y(a)ml` and `docker-compose*.y(a)ml`: the names that compose finds itself, and what people put beside
    them.
    """
    return _NAME.fullmatch(name) is not None


def find_compose_files(root: Path) -> list[Path]:
    """The compose files from `root` down, sorted. The search is bounded in depth and in the number of entries seen."""
    return [
        folder / name
        for folder, names in walk_folders(root, max_depth=_MAX_FOLDERS_DEEP, max_entries=_MAX_ENTRIES)
        for name in names
        if is_compose_name(name)
    ]


def read_compose(path: Path, files: Snapshot) -> tuple[ComposeFile, list[InputProblem]]:
    """Read a compose file. Whatever is wrong with it is a problem, with an empty or partial `ComposeFile`.

    YAML that a person did not write is refused by size, depth and number of nodes; aliases are never expanded.
    """
    root = files.root
    reader = _Reader(files)
    document = reader.load(path)
    services: dict[str, Service] = {}
    invocations: list[BuildInvocation] = []
    if document is not None:
        base = reader.base_of(path)
        for name, key, value in document.services():
            parts = reader.parts(document, name, value, base)
            service = _service(name, _line(key), parts)
            services[name] = service
            if parts.build is not None:
                invocations.append(_invocation(path, service, parts, root))
    return ComposeFile(path, services, tuple(invocations)), reader.problems


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


def named_context(name: str, value: str, *, line: int, base: Path, root: Path) -> NamedContext:
    """A named context whose folder, if it is one, is relative to `base`; outside `root` it has no path."""
    kind = context_kind(value)
    if kind != "folder":
        return NamedContext(name, value, line, kind, None, None)
    path = resolve_inside(root, base.absolute() / value)
    return NamedContext(name, value, line, kind, path, None if path is None else path.is_dir())


_VARIABLE: Final = re.compile(r"\$(?:\$|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*))", re.ASCII)


def interpolate(text: str) -> str | None:
    """`text` with its variables replaced, as far as that needs no environment; else `None`.

    A default stands for its variable (`${A:-b}`, `${A-b}`), `$$` is a dollar; a variable without a default, a
    required one (`${A:?}`) and an alternative (`${A:+b}`) are not known here. `.env` files are not read: they differ
    from machine to machine, and hold secrets.
    """
    return _interpolate(text, 0) if "$" in text else text


def _interpolate(text: str, depth: int) -> str | None:
    if depth > _MAX_EXTENDS:
        return None
    done: list[str] = []
    at = 0
    while True:
        dollar = text.find("$", at)
        if dollar < 0:
            return "".join(done) + text[at:]
        done.append(text[at:dollar])
        found = _VARIABLE.match(text, dollar)
        if found is None or found["name"] is not None:
            return None
        if found["braced"] is None:
            done.append("$")
            at = found.end()
            continue
        operator = re.compile(r":?-").match(text, found.end())
        end = _closing_brace(text, found.end())
        if operator is None or end is None:
            return None
        default = _interpolate(text[operator.end() : end], depth + 1)
        if default is None:
            return None
        done.append(default)
        at = end + 1


def _closing_brace(text: str, at: int) -> int | None:
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A value and the folder that its paths are relative to (that of the file it was written in)."""

    key: Node
    node: Node
    folder: Path


@dataclass(frozen=True, slots=True)
class _Parts:
    """A service with what it extends: the keys that hold, and those of `build:`, each from the lowest layer to the
    highest.
    """

    keys: Mapping[str, _Placed]
    build: Mapping[str, tuple[_Placed, ...]] | None


@dataclass(frozen=True, slots=True)
class _Document:
    path: Path
    root: MappingNode
    sizes: Mapping[int, int]

    def services(self) -> Iterator[tuple[str, Node, Node]]:
        entries = _entries(self.root)
        node = entries["services"][1] if "services" in entries else None
        for name, (key, value) in _entries(node).items():
            yield name, key, value


class _Reader:
    """The compose files read for one `read_compose`, so that a file that many services extend is read once."""

    def __init__(self, files: Snapshot) -> None:
        self.files = files
        self.problems: list[InputProblem] = []
        self._documents: dict[Path, _Document | None] = {}
        self._left = _MAX_EXPANDED

    def load(self, path: Path) -> _Document | None:
        if path not in self._documents:
            self._documents[path] = _load(path, self.files, self.problems)
        return self._documents[path]

    def base_of(self, path: Path) -> _Document | None:
        """The main compose file beside `path` that `path` may be laid over (`-f`, or an override file)."""
        for name in ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"):
            candidate = path.with_name(name)
            if candidate == path:
                return None
            if os.path.isfile(candidate):  # noqa: PTH113 - Path.is_file raises on unreadable folders
                return self.load(candidate)
        return None

    def parts(self, document: _Document, name: str, node: Node, base: _Document | None) -> _Parts:
        """The keys of a service with those that it extends below them.

        A service of an additional file whose `build` has no context is laid over the same service of the main file:
        that is the only way in which it can be meant.
        """
        own = self._extended(document, node, ((document.path, name),))
        if base is not None and own.build is not None and "context" not in own.build:
            for other, _, value in base.services():
                if other == name:
                    return _merge(self._extended(base, value, ((base.path, name),)), own)
        return own

    def _extended(self, document: _Document, node: Node, chain: tuple[tuple[Path, str], ...]) -> _Parts:
        folder = document.path.parent
        size = document.sizes.get(id(node), 0)
        if size > self._left >= 0:
            message = "has aliases or extended services that expand to too many values; the rest is not read"
            self.problems.append(InputProblem(str(document.path), _line(node), message))
            self._left = -1
        if self._left < 0:
            return _Parts({}, None)
        self._left -= size
        own = _parts(document, node)
        extends = own.keys.get("extends")
        if extends is None or len(chain) > _MAX_EXTENDS:
            return own
        parts = _entries(extends.node)
        service = _text(parts["service"][1] if "service" in parts else extends.node)
        file = _text(parts["file"][1]) if "file" in parts else None
        source: _Document | None = document
        if "file" in parts:
            path = resolve_inside(self.files.root, folder.absolute() / file) if file else None
            source = self.load(path) if path is not None else None
        if source is None or service is None or (source.path, service) in chain:
            return own
        for other, _, value in source.services():
            if other == service:
                return _merge(self._extended(source, value, (*chain, (source.path, service))), own)
        return own


def _load(path: Path, files: Snapshot, problems: list[InputProblem]) -> _Document | None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and many projects have no compose file
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415
    from ruamel.yaml.nodes import MappingNode  # noqa: PLC0415

    name = str(path)
    try:
        file = files.read(path)
    except InputError as error:
        problems.append(error.problem)
        return None
    if len(file.data) > MAX_COMPOSE_BYTES:
        problems.append(InputProblem(name, None, f"is larger than {MAX_COMPOSE_BYTES // 1024} KiB and is not read"))
        return None
    try:
        text = file.data.decode("utf-8-sig")
        node = YAML(typ="rt", pure=True).compose(text)
        trouble = _trouble(node)
        sizes: dict[int, int] = {}
        if trouble is None and node is not None:
            _measure(node, sizes)
    except UnicodeDecodeError:
        problems.append(InputProblem(name, None, "is not UTF-8 and is not read"))
        return None
    except RecursionError:
        problems.append(InputProblem(name, None, "is nested too deeply and is not read"))
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(str(error.problem or error.context or "cannot be parsed").split())
        problems.append(InputProblem(name, mark.line + 1 if mark is not None else None, f"invalid YAML: {message}"))
        return None
    except (YAMLError, ValueError) as error:
        problems.append(InputProblem(name, None, f"invalid YAML: {' '.join(str(error).split())}"))
        return None
    if trouble is not None:
        problems.append(InputProblem(name, trouble[0], trouble[1]))
        return None
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        problems.append(InputProblem(name, 1, "is not a compose file: its top is not a mapping"))
        return None
    return _Document(path, node, sizes)


def _trouble(top: Node | None) -> tuple[int | None, str] | None:
    """Too many nodes, or an alias that contains itself; each node counts once, however often it is aliased."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode  # noqa: PLC0415

    seen: set[int] = set()
    stack: list[Node | None] = [top]
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if len(seen) > _MAX_NODES:
            return None, "has too many values and is not read"
        if isinstance(node, MappingNode):
            stack.extend(child for pair in node.value for child in pair)
        elif isinstance(node, SequenceNode):
            stack.extend(node.value)
    return None


def _measure(node: Node, sizes: dict[int, int]) -> int:
    """How many values a node has with its aliases expanded, for it and all below, without expanding them."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode  # noqa: PLC0415

    if id(node) not in sizes:
        sizes[id(node)] = 1  # what holds an alias to itself meets this
        children: list[Node] = []
        if isinstance(node, MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, SequenceNode):
            children = list(node.value)
        sizes[id(node)] = 1 + sum(_measure(child, sizes) for child in children)
    return sizes[id(node)]


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _is_null(node: Node) -> bool:
    return _tag(node) in ("tag:yaml.org,2002:null", "!reset")


def _tag(node: Node) -> str:
    return str(node.tag or "")


def _entries(node: Node | None) -> dict[str, tuple[Node, Node]]:
    """The entries of a mapping by their keys, merge keys (`<<`) applied; nothing for what is no mapping."""
    return _merged_entries(node, ())


def _merged_entries(node: Node | None, path: tuple[int, ...]) -> dict[str, tuple[Node, Node]]:
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode  # noqa: PLC0415

    if not isinstance(node, MappingNode) or id(node) in path or len(path) > _MAX_EXTENDS:
        return {}
    own: dict[str, tuple[Node, Node]] = {}
    merged: dict[str, tuple[Node, Node]] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.value == "<<" and key.style is None:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                for name, entry in _merged_entries(source, (*path, id(node))).items():
                    merged.setdefault(name, entry)
        else:
            own[str(key.value)] = (key, value)
    return {**merged, **own}


def _items(node: Node | None) -> list[Node]:
    from ruamel.yaml.nodes import SequenceNode  # noqa: PLC0415

    return list(node.value) if isinstance(node, SequenceNode) else []


def _raw(node: Node | None) -> str | None:
    """The text of a scalar that is not null, as compose-go hands it on."""
    from ruamel.yaml.nodes import ScalarNode  # noqa: PLC0415

    if not isinstance(node, ScalarNode) or _is_null(node):
        return None
    value = str(node.value)
    if _tag(node) == "tag:yaml.org,2002:float":
        try:
            number = float(value)
        except ValueError:
            return value
        # a float loses its form: `1.10` arrives as `1.1`
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return value


def _text(node: Node | None) -> str | None:
    raw = _raw(node)
    return None if raw is None else interpolate(raw)


def _parts(document: _Document, node: Node) -> _Parts:
    folder = document.path.parent
    keys = {name: _Placed(key, value, folder) for name, (key, value) in _entries(node).items()}
    build = keys.get("build")
    if build is None or _is_null(build.node):
        return _Parts(keys, None)
    if _raw(build.node) is not None:
        return _Parts(keys, {"context": (build,)})
    inner = {name: (_Placed(key, value, folder),) for name, (key, value) in _entries(build.node).items()}
    return _Parts(keys, inner)


def _merge(base: _Parts, own: _Parts) -> _Parts:
    keys = {**base.keys, **own.keys}
    if base.build is None or own.build is None:
        return _Parts(keys, base.build if own.build is None else own.build)
    names = {**base.build, **own.build}
    return _Parts(keys, {name: (*base.build.get(name, ()), *own.build.get(name, ())) for name in names})


def _service(name: str, line: int, parts: _Parts) -> Service:
    def text(key: str) -> str | None:
        return _text(parts.keys[key].node) if key in parts.keys else None

    depends = parts.keys.get("depends_on")
    waits_for = () if depends is None else (*_entries(depends.node), *filter(None, map(_text, _items(depends.node))))
    environment = parts.keys.get("environment")
    profiles = parts.keys.get("profiles")
    return Service(
        name=name,
        line=line,
        image=text("image"),
        builds=parts.build is not None,
        user=text("user"),
        healthcheck=_healthcheck(parts.keys.get("healthcheck")),
        depends_on=waits_for,
        environment={} if environment is None else {key: value for key, value, _ in _pairs(environment.node)},
        profiles=() if profiles is None else tuple(_raw(item) or "" for item in _items(profiles.node)),
    )


def _healthcheck(placed: _Placed | None) -> Healthcheck | None:
    entries = _entries(placed.node) if placed is not None else {}
    if placed is None or not entries:
        return None

    def text(key: str) -> str | None:
        return _text(entries[key][1]) if key in entries else None

    test: str | tuple[str, ...] | None = None
    raw_test: str | tuple[str, ...] | None = None
    if "test" in entries:
        node = entries["test"][1]
        raw_test = _raw(node)
        test = _text(node)
        if raw_test is None and (items := _items(node)):
            raw_test = tuple(_raw(item) or "" for item in items)
            words = [_text(item) for item in items]
            test = tuple(word for word in words if word is not None) if None not in words else None
    return Healthcheck(
        line=_line(placed.key),
        test=test,
        raw_test=raw_test,
        interval=text("interval"),
        timeout=text("timeout"),
        start_period=text("start_period"),
        start_interval=text("start_interval"),
        retries=text("retries"),
        disable=text("disable") in ("true", "True", "TRUE"),
    )


def _invocation(path: Path, service: Service, parts: _Parts, root: Path) -> BuildInvocation:
    build = parts.build or {}

    def last(key: str) -> _Placed | None:
        return build[key][-1] if key in build else None

    written = parts.keys.get("build")
    context, why = _context(last("context"), path.parent, root)
    inline = "dockerfile_inline" in build
    dockerfile = None
    named = last("dockerfile")
    if context is not None and not inline:
        name = "Dockerfile" if named is None else _text(named.node)
        if name:
            dockerfile = resolve_inside(root, context / name)
    target = last("target")
    args: dict[str, str | None] = {}
    for placed in build.get("args", ()):
        args.update({key: value for key, value, _ in _pairs(placed.node)})
    contexts: dict[str, NamedContext] = {}
    for placed in build.get("additional_contexts", ()):
        for key, value, node in _pairs(placed.node):
            raw = _raw(node) or ""
            if value is None:
                contexts[key] = NamedContext(key, raw.removeprefix(f"{key}="), _line(node), "unknown", None, None)
            else:
                contexts[key] = named_context(key, value, line=_line(node), base=placed.folder, root=root)
    return BuildInvocation(
        source=path,
        service=service.name,
        line=_line(written.key) if written is not None else service.line,
        context=context,
        context_why=why,
        dockerfile=dockerfile,
        target=_text(target.node) if target is not None else None,
        args=args,
        additional_contexts=contexts,
        image=service.image,
        inline=inline,
        tags=(service.image,) if service.image else (),
    )


def _context(placed: _Placed | None, default: Path, root: Path) -> tuple[Path | None, str | None]:
    if placed is None:
        value, folder = ".", default  # compose-go: a build without a context has the project's folder
    else:
        text, folder = _text(placed.node), placed.folder
        if text is None:
            return None, f"the context {_raw(placed.node) or ''} depends on a variable without a default"
        value = text
    kind = context_kind(value)
    if kind != "folder":
        return None, f"the context {value} is not a folder of this project"
    context = resolve_inside(root, folder.absolute() / value)
    if context is None:
        return None, f"the context {value} lies outside the project"
    return context, None


def _pairs(node: Node) -> Iterator[tuple[str, str | None, Node]]:
    """Names with values, from a mapping or a list of `NAME=VALUE`; the node is the value's, or the whole item."""
    for name, (_, value) in _entries(node).items():
        yield name, _text(value), value
    for item in _items(node):
        raw = _raw(item)
        if raw is not None:
            name, equals, value_text = raw.partition("=")
            yield name, interpolate(value_text) if equals else None, item
