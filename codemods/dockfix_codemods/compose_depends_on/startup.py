"""The order in which compose starts services, and whether a service uses the services that it waits for.

Source: the Compose specification, `05-services.md` (`depends_on`, `env_file`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Final

from dockfix.edit.yaml import span_of, value_span
from dockfix.project.compose.builds import ComposeFile, Dependency, Service
from dockfix.project.files import Snapshot
from dockfix.project.problems import InputError
from dockfix.project.yaml_tree import YamlError, YamlNode, is_merge, read_tree
from dockfix.syntax.source import Lines

_READY: Final = ("service_healthy", "service_completed_successfully")
_MAX_MERGES: Final = 20


@dataclass(frozen=True, slots=True)
class Wait:
    """A service that waits for another service of the same file."""

    service: Service
    dependency: Dependency

    @property
    def until_ready(self) -> bool:
        """Whether it waits until the other is healthy or completed, and not only until it runs."""
        return self.dependency.condition in _READY


def cycle(compose: ComposeFile) -> tuple[Wait, ...]:
    """Services that wait for each other: each for the next, the last for the first. Empty if there are none."""
    try:
        TopologicalSorter(_graph(compose)).prepare()
    except CycleError as error:
        names: list[str] = error.args[1][::-1]
        start = min(range(len(names) - 1), key=lambda index: list(compose.services).index(names[index]))
        ordered = [*names[start:-1], *names[: start + 1]]
        return tuple(_wait(compose, one, other) for one, other in pairwise(ordered))
    return ()


def longest_chain(compose: ComposeFile) -> tuple[Wait, ...]:
    """The longest chain of services that wait for one another; of several, the one with most waits for readiness.

    Empty if no service waits, or services wait for each other.
    """
    best: dict[str, tuple[Wait, ...]] = {}
    try:
        order = list(TopologicalSorter(_graph(compose)).static_order())
    except CycleError:
        return ()
    for name in order:
        chains = [(wait, *best[wait.dependency.name]) for wait in _waits(compose, compose.services[name])]
        best[name] = max(chains, key=_weight, default=())
    return max((best[name] for name in compose.services), key=_weight, default=())


def _weight(chain: Sequence[Wait]) -> tuple[int, int]:
    return len(chain), sum(wait.until_ready for wait in chain)


def _waits(compose: ComposeFile, service: Service) -> list[Wait]:
    return [Wait(service, each) for each in service.depends_on if each.name in compose.services]


def _wait(compose: ComposeFile, one: str, other: str) -> Wait:
    return next(wait for wait in _waits(compose, compose.services[one]) if wait.dependency.name == other)


def _graph(compose: ComposeFile) -> dict[str, list[str]]:
    return {
        name: [wait.dependency.name for wait in _waits(compose, service)] for name, service in compose.services.items()
    }


def unnamed_waits(compose: ComposeFile, files: Snapshot) -> Iterator[Wait]:
    """The waits of services until another runs or is healthy that they never name.

    The definition, environment, env files and Dockerfile of a service are searched. It is left out if it

    - names no other service either, since it may be configured in another way;
    - has neither image nor build, mounts files of the project, has configs, or an env file that does not exist;
    - has the dependency from a list that several services share;
    - shares a volume with the other service, or that one has other names in its networks.
    """
    for service in () if compose.broken else compose.services.values():
        if service.image is None and "image" not in service.raw and not service.builds:
            continue  # it overrides the definition of another file, which is unknown here
        waits = [
            wait
            for wait in _waits(compose, service)
            if wait.dependency.condition not in (None, _READY[1]) and _is_own(service, wait.dependency, files)
        ]
        configuration = _configuration(service, files) if waits else None
        if configuration is None:
            continue
        definition, dockerfiles = _definition(compose, service, files), _dockerfiles(compose, service, files)
        searched = "\n".join([configuration, definition, dockerfiles])
        for wait in waits:
            other = compose.services[wait.dependency.name]
            if _volumes(service, files) & _volumes(other, files):
                continue
            names = _names(compose, other, files)
            peers = [each for each in compose.services if each not in (service.name, other.name)]
            if names is None or _mentions(searched, names):
                continue
            if _mentions(configuration, [*map(_plain, peers)]):
                yield wait


def _is_own(service: Service, dependency: Dependency, files: Snapshot) -> bool:
    """Whether a dependency is written in the definition of the service, and not in a place that several share."""
    text = _read(files, dependency.source) or ""
    span = span_of(text, ("services", service.name, "depends_on"))
    lines = Lines(text)
    return span is not None and lines.line(span.start) <= dependency.line <= lines.line(span.end)


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


def _names(compose: ComposeFile, service: Service, files: Snapshot) -> tuple[str, ...] | None:
    """The names that others may use for a service; None if it has aliases in its networks, which are not read."""
    found = [service.name, _without_prefix(compose, service.name)]
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


def _without_prefix(compose: ComposeFile, name: str) -> str:
    """The name of a service without the words with which the names of all services begin."""
    parts = [_plain(each).split("_") for each in compose.services]
    own = _plain(name).split("_")
    common = 0
    while (
        len(parts) > 1 and common < len(own) - 1 and all(each[common : common + 1] == [own[common]] for each in parts)
    ):
        common += 1
    return "_".join(own[common:])


def _plain(text: str) -> str:
    return re.sub(r"[-.]", "_", text.lower())


def _mentions(text: str, names: Sequence[str]) -> bool:
    plain = _plain(text)
    return any(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", plain) for name in names)


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
