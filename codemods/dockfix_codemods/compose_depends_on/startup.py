"""Whether a service uses the services that it waits for.

Source: the Compose specification, `05-services.md` (`depends_on`, `env_file`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from dockfix.edit.yaml import span_of, value_span
from dockfix.project.compose.builds import ComposeFile, Dependency, Service
from dockfix.project.compose.waits import READY, Wait, waits_of
from dockfix.project.files import Snapshot
from dockfix.project.problems import InputError
from dockfix.project.yaml_tree import YamlError, YamlNode, is_merge, read_tree
from dockfix.syntax.source import Lines

_MAX_MERGES: Final = 20
_WORD: Final = re.compile(r"[a-z0-9]+")


def unnamed_waits(compose: ComposeFile, files: Snapshot) -> Iterator[Wait]:
    """The waits of services until another runs or is healthy that they never name.

    The definition, environment, env files and Dockerfile of a service are searched. It is left out if it

    - names no other service either, since it may be configured in another way;
    - has neither image nor build, mounts files of the project, has configs, or an env file that does not exist;
    - has the dependency from a list that several services share;
    - shares a volume with the other service, or that one has other names in its networks.
    """
    services = _Services(compose, files)
    for service in () if compose.broken else compose.services.values():
        if service.image is None and "image" not in service.raw and not service.builds:
            continue  # it overrides the definition of another file, which is unknown here
        waits = [
            wait
            for wait in waits_of(compose, service)
            if wait.dependency.condition not in (None, READY[1]) and services.is_own(service, wait.dependency)
        ]
        configuration = _configuration(service, files) if waits else None
        if configuration is None:
            continue
        definition, dockerfiles = _definition(compose, service, files), _dockerfiles(compose, service, files)
        searched = _plain("\n".join([configuration, definition, dockerfiles]))
        named = services.named_in(_plain(configuration)) - {service.name}
        for wait in waits:
            other = compose.services[wait.dependency.name]
            if services.volumes(service) & services.volumes(other):
                continue
            names = services.names(other)
            if names is None or _mentions(searched, names):
                continue
            if named - {other.name}:
                yield wait


class _Services:
    """What the definitions of the services of a compose file say, each read once."""

    def __init__(self, compose: ComposeFile, files: Snapshot) -> None:
        self._compose = compose
        self._files = files
        self._places: dict[tuple[Path, str], tuple[int, int] | None] = {}
        self._volumes: dict[str, frozenset[str]] = {}
        self._names: dict[str, tuple[str, ...] | None] = {}
        self._texts: dict[Path, tuple[str, Lines]] = {}

    def is_own(self, service: Service, dependency: Dependency) -> bool:
        """Whether a dependency is written in the definition of the service, and not in a place that several share."""
        key = (dependency.source, service.name)
        if key not in self._places:
            text, lines = self._text(dependency.source)
            span = span_of(text, ("services", service.name, "depends_on"))
            self._places[key] = None if span is None else (lines.line(span.start), lines.line(span.end))
        place = self._places[key]
        return place is not None and place[0] <= dependency.line <= place[1]

    def _text(self, path: Path) -> tuple[str, Lines]:
        if path not in self._texts:
            text = _read(self._files, path) or ""
            self._texts[path] = (text, Lines(text))
        return self._texts[path]

    def volumes(self, service: Service) -> frozenset[str]:
        """The names of the volumes that a service mounts."""
        if service.name not in self._volumes:
            self._volumes[service.name] = _volumes(service, self._files)
        return self._volumes[service.name]

    def names(self, service: Service) -> tuple[str, ...] | None:
        """The names that others may use for a service; None if it has aliases in its networks, which are not read."""
        if service.name not in self._names:
            self._names[service.name] = _names(self._compose, service, self._files, self._common)
        return self._names[service.name]

    @cached_property
    def _common(self) -> int:
        """With how many words the names of all services begin."""
        parts = [_plain(each).split("_") for each in self._compose.services]
        common = 0
        for words in zip(*parts, strict=False):
            if len(set(words)) > 1:
                break
            common += 1
        return common if len(parts) > 1 else 0

    @cached_property
    def _by_first(self) -> Mapping[str, list[tuple[str, str]]]:
        """The services by the first word of their name: the name as in `_plain`, and as written."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name in self._compose.services:
            plain = _plain(name)
            first = _WORD.search(plain)
            found.setdefault(first[0] if first else "", []).append((plain, name))
        return found

    def named_in(self, plain: str) -> frozenset[str]:
        """The services that a text, as `_plain` makes it, mentions."""
        words = set(_WORD.findall(plain)) | {""}
        candidates = (each for word in words for each in self._by_first.get(word, ()))
        return frozenset(name for own, name in candidates if _mentions(plain, (own,)))


def _configuration(service: Service, files: Snapshot) -> str | None:
    """The environment, command and env files of a service; None if it has other configuration, which is not read."""
    node = _service_node(service, files)
    mounts = _items(_entry(node, "volumes"))
    if _entry(node, "configs") is not None or any(map(_is_from_project, mounts)):
        return None
    parts = [f"{name}={value or ''}" for name, value in service.environment.items()]
    parts += [f"{name}={value or ''}" for name, value in service.raw_environment.items()]
    for words in (service.command, service.entrypoint, service.raw.get("command"), service.raw.get("entrypoint")):
        parts += [words] if isinstance(words, str) else words or ()
    for item in _items(_entry(node, "env_file")):
        path = item if item.kind == "scalar" else _entry(item, "path")
        required = _entry(item, "required")
        text = _read(files, service.source.parent / path.value) if path is not None else None
        if text is None and (required is None or required.value.lower() != "false"):
            return None
        parts.append(text or "")
    return "\n".join(parts)


def _volumes(service: Service, files: Snapshot) -> frozenset[str]:
    """The names of the volumes that a service mounts: services that share one may communicate through it."""
    mounts = _items(_entry(_service_node(service, files), "volumes"))
    sources = (_entry(mount, "source") if mount.kind == "mapping" else mount for mount in mounts)
    names = (source.value.partition(":")[0] for source in sources if source is not None and source.kind == "scalar")
    return frozenset(name for name in names if name and name[0] not in "./$~")


def _is_from_project(mount: YamlNode) -> bool:
    """Whether a mount contains files of the project, which may configure the service."""
    source = _entry(mount, "source") if mount.kind == "mapping" else mount
    return source is None or source.value.startswith((".", "$", "~"))


def _definition(compose: ComposeFile, service: Service, files: Snapshot) -> str:
    """The definition of a service in all its files, without its `depends_on`."""
    parts = []
    for path in compose.files or (compose.path,):
        text = _read(files, path) or ""
        span = span_of(text, ("services", service.name))
        if span is not None:
            waits = span_of(text, ("services", service.name, "depends_on")) or span
            inner = text[span.start : waits.start] + text[waits.end : span.end] if waits != span else text[slice(*span)]
            parts.append(inner.partition(":")[2])
    return "\n".join(parts) + "\n"


def _dockerfiles(compose: ComposeFile, service: Service, files: Snapshot) -> str:
    built = [each.dockerfile for each in compose.invocations if each.service == service.name and each.dockerfile]
    return "\n".join(_read(files, path) or "" for path in built)


def _names(compose: ComposeFile, service: Service, files: Snapshot, common: int) -> tuple[str, ...] | None:
    """The names that others may use for a service; None if it has aliases in its networks, which are not read.

    `common`: with how many words the names of all services begin.
    """
    own = _plain(service.name).split("_")
    found = [service.name, "_".join(own[min(common, len(own) - 1) :])]
    for path in compose.files or (compose.path,):
        text = _read(files, path) or ""
        for key in ("container_name", "hostname"):
            span = value_span(text, ("services", service.name, key))
            found += [text[slice(*span)].strip("'\"")] if span is not None else []
        networks = span_of(text, ("services", service.name, "networks"))
        if networks is not None and "aliases" in text[slice(*networks)]:
            return None
    if service.image:
        found.append(service.image.rpartition("/")[2].partition(":")[0].partition("@")[0])
    return tuple(dict.fromkeys(filter(None, map(_plain, found))))


def _plain(text: str) -> str:
    return re.sub(r"[-.]", "_", text.lower())


def _mentions(plain: str, names: Sequence[str]) -> bool:
    """Whether a text, as `_plain` makes it, has one of the names as a word."""
    return any(name in plain and re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", plain) for name in names)


def _service_node(service: Service, files: Snapshot) -> YamlNode | None:
    try:
        root = read_tree(_read(files, service.source) or "").root
    except YamlError:
        return None
    return _entry(_entry(root, "services"), service.name)


def _items(node: YamlNode | None) -> list[YamlNode]:
    """The items of a list, or the single value that is written instead of a list."""
    if node is None:
        return []
    return [item.resolved for item in node.items] if node.kind == "sequence" else [node]


def _entry(node: YamlNode | None, name: str, depth: int = 0) -> YamlNode | None:
    """The value of a key of a mapping, its own or from a merge."""
    mapping = node.resolved if node is not None else None
    if mapping is None or mapping.kind != "mapping" or depth > _MAX_MERGES:
        return None
    entry = mapping.entry(name)
    if entry is not None:
        return entry[1].resolved
    for key, value in mapping.entries:
        if is_merge(key):
            merged = value.resolved
            for source in merged.items if merged.kind == "sequence" else [merged]:
                found = _entry(source, name, depth + 1)
                if found is not None:
                    return found
    return None


def _read(files: Snapshot, path: Path) -> str | None:
    try:
        return files.read(path).text if files.is_file(path) else None
    except InputError:
        return None
