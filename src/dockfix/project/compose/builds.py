"""Compose files: which services build which Dockerfile, from which context, and with what. Read-only.

Sources: the Compose specification (https://github.com/compose-spec/compose-spec: `05-services.md`, `build.md`,
`12-interpolation.md`, `13-merge.md`, `14-include.md`) and its implementation compose-go for what the specification
leaves open. A file is read in steps, a module each: `nodes` parses it, `interpolation` replaces its variables,
`loader` finds what it includes and extends, `merge` merges services, and this module interprets the result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dockfix.project.compose.interpolation import interpolate
from dockfix.project.compose.loader import Loaded, Loader
from dockfix.project.compose.merge import as_build, merge
from dockfix.project.compose.model import (
    NO_OPTIONS,
    BuildInvocation,
    BuildSecret,
    ComposeFile,
    ContextKind,
    Dependency,
    Healthcheck,
    NamedContext,
    Option,
    Service,
    context_kind,
    named_context,
)
from dockfix.project.compose.nodes import (
    MAX_COMPOSE_BYTES,
    Entry,
    Items,
    Scalar,
    Table,
    Value,
    entries_of,
    pairs_of,
    table_of,
    text_of,
    values_of,
)
from dockfix.project.compose.services import assigned, is_given, is_hidden, raw_of, service_of
from dockfix.project.discovery import find_named, is_compose_name
from dockfix.project.files import Snapshot, resolve_inside
from dockfix.project.problems import InputProblem

__all__ = [
    "MAX_COMPOSE_BYTES", "BuildInvocation", "ComposeFile", "ContextKind", "Dependency", "Healthcheck", "NamedContext",
    "Service", "context_kind", "find_compose_files", "interpolate", "is_compose_name", "named_context", "read_compose",
    "read_compose_files", "read_project_compose",
]  # fmt: skip

# In the order of compose-go's `DefaultFileNames` and `DefaultOverrideFileNames`: the first existing file counts.
_MAIN_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDE_NAMES: Final = (
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip


def find_compose_files(root: Path) -> list[Path]:
    """The compose files from `root` down, sorted. The search is bounded in depth and in the number of entries seen."""
    return find_named(root, is_compose_name)[0]


def read_compose(path: Path, files: Snapshot) -> tuple[ComposeFile, list[InputProblem]]:
    """Read a compose file as compose does when it runs in its folder: with what it includes and extends, and with the
    folder's override file if it is the folder's main file.

    Another file (`docker-compose.prod.yml`) is read separately. If one of its services builds without a context, it is
    merged over the same service of the main file: that is the only meaning it can have.

    Errors become problems, with an empty or partial `ComposeFile` that is `broken`. YAML is limited in size, depth and
    number of nodes; aliases are never expanded.
    """
    reader = _Reader(files)
    return reader.read(path), reader.problems()


def read_compose_files(paths: Sequence[Path], files: Snapshot) -> tuple[ComposeFile, list[InputProblem]]:
    """Read compose files that are merged in their order, as `docker compose -f ONE -f TWO` does.

    The folder of the first is the project's: paths in all of them are relative to it, and its `.env` applies. There
    must be at least one path; the result has the path of the first.
    """
    reader = _Reader(files)
    return reader.merged(paths), reader.problems()


def read_project_compose(
    files: Snapshot, found: Sequence[Path] | None = None
) -> tuple[list[ComposeFile], list[InputProblem]]:
    """Read every compose file of a project: those `found` already, or those that a search finds.

    An override file is part of its main file. A file that others include or extend keeps only the services
    that they lack, so that no service is built twice in the result.
    """
    reader = _Reader(files)
    created = [path for path in files.created if is_compose_name(path.name)]
    paths = sorted({*(find_compose_files(files.root) if found is None else found), *created})
    read = [reader.read(path) for path in paths if not reader.is_override(path)]
    return _without_repeats(read, reader), reader.problems()


class _Reader:
    """Reads compose files with one loader, so that a file that many of them use is read once."""

    def __init__(self, files: Snapshot) -> None:
        self.files = files
        self.loader = Loader(files)
        self.loaded: dict[Path, Loaded] = {}

    def problems(self) -> list[InputProblem]:
        return list(dict.fromkeys(self.loader.problems))

    def main_of(self, path: Path) -> Path | None:
        """The main file of the folder of `path`, which compose reads when it runs there."""
        return self._first(path, _MAIN_NAMES)

    def override_of(self, path: Path) -> Path | None:
        return self._first(path, _OVERRIDE_NAMES)

    def is_override(self, path: Path) -> bool:
        return path == self.override_of(path) and self.main_of(path) is not None

    def _first(self, path: Path, names: Sequence[str]) -> Path | None:
        siblings = (path.with_name(name) for name in names)
        return next((each for each in siblings if each == path or self.files.is_file(each)), None)

    def read(self, path: Path) -> ComposeFile:
        main = self.main_of(path)
        if main == path:
            override = self.override_of(path)
            return self.merged([path] if override is None else [path, override])
        loaded = self.loader.load([path])
        return self._compose(path, loaded, self._overridden(loaded, main) if main is not None else loaded.services)

    def merged(self, paths: Sequence[Path]) -> ComposeFile:
        loaded = self.loader.load(paths)
        return self._compose(paths[0], loaded, loaded.services)

    def _overridden(self, loaded: Loaded, main: Path) -> Mapping[str, Entry]:
        """The services of an additional file; those without a context are merged over those of the main file."""
        lacking = {name for name, entry in loaded.services.items() if name in loaded.without_context}
        if not lacking:
            return loaded.services
        below = self.loader.load([main])
        loaded.broken = loaded.broken or below.broken
        loaded.merged_over = tuple(below.files.values())
        return {
            name: _over(below.services.get(name), entry) if name in lacking else entry
            for name, entry in loaded.services.items()
        }

    def _compose(self, path: Path, loaded: Loaded, entries: Mapping[str, Entry]) -> ComposeFile:
        services: dict[str, Service] = {}
        invocations: list[BuildInvocation] = []
        for name, entry in entries.items():
            table = entry.value if isinstance(entry.value, Table) else table_of(entry.scope, entry.line, {})
            service = services[name] = service_of(name, entry, table, loaded.env)
            if service.builds:
                invocations.append(self._invocation(service, table, loaded))
        self.loaded[path] = loaded
        files = (*loaded.files.values(), *loaded.merged_over)
        return ComposeFile(path, services, tuple(invocations), loaded.broken, files, self.loader.expanded)

    def _invocation(self, service: Service, table: Table, loaded: Loaded) -> BuildInvocation:
        env = loaded.env
        entry = table.entries["build"]
        build = as_build(entry.value)
        root = self.files.root
        context, why = self._context(build, root)
        inline = is_given(build.get("dockerfile_inline"))
        dockerfile = self._dockerfile(build.get("dockerfile"), context) if context is not None and not inline else None
        args: dict[str, str | None] = {}
        raw_args: dict[str, str | None] = {}
        hidden_args: set[str] = set()
        for name, arg in entries_of(pairs_of(build.entries["args"].value) if "args" in build.entries else None):
            args[name], raw_args[name] = assigned(name, arg.value, env)
            if is_hidden(arg.value, args[name]):
                hidden_args.add(name)
        additional = build.entries.get("additional_contexts")
        contexts = {
            name: _named(name, each.value, each.line, root)
            for name, each in entries_of(pairs_of(additional.value) if additional is not None else None)
        }
        named = [table.get("image"), *values_of(build.get("tags"))]
        tags = {text: each.shown for each in named if isinstance(each, Scalar) and (text := each.text)}
        parts = {name: build.get(name) for name in ("context", "dockerfile", "target")} | {"image": table.get("image")}
        raw = {name: text for name, value in parts.items() if (text := raw_of(value)) is not None}
        return BuildInvocation(
            source=service.source if entry.inherited else entry.scope.file,
            service=service.name,
            line=service.line if entry.inherited else entry.line,
            context=context,
            context_why=why,
            dockerfile=dockerfile,
            target=text_of(build.get("target")),
            args=args,
            additional_contexts=contexts,
            image=service.image,
            inline=inline,
            tags=tuple(tags),
            raw=raw,
            raw_args=raw_args,
            options=_options(build, table),
            hidden={name: raw[name] for name, value in parts.items() if is_hidden(value)},
            hidden_args=frozenset(hidden_args),
            shown_tags=tuple(tags.values()),
            secrets=tuple(_secret(each, loaded.secrets) for each in values_of(build.get("secrets"))),
        )

    def _context(self, build: Table, root: Path) -> tuple[Path | None, str | None]:
        value = build.get("context")
        if not isinstance(value, Scalar) or value.raw is None:
            return None, "its context is not a path"
        if value.text is None:
            return None, f"the context {value.raw} depends on a variable without a default"
        if context_kind(value.text) != "folder":
            return None, f"the context {value.shown} is not a folder of this project"
        context = _inside(root, value.scope.folder, value.text)
        if context is None:
            why = f"the context {value.shown} is outside the project"
            self.loader.problem(value.scope, value.line, why)
            return None, why
        return context, None

    def _dockerfile(self, value: Value | None, context: Path) -> Path | None:
        if not is_given(value):
            return resolve_inside(self.files.root, context / "Dockerfile")
        if not isinstance(value, Scalar) or not value.text:
            return None
        path = _inside(self.files.root, context, value.text)
        if path is None:
            self.loader.problem(value.scope, value.line, f"the Dockerfile {value.shown} is outside the project")
        return path


def _secret(value: Value, declared: Mapping[str, Entry]) -> BuildSecret:
    """A secret that a build names, in the short or the long syntax (compose-spec, `build.md`, `secrets`)."""
    source = text_of(value.get("source") if isinstance(value, Table) else value) or ""
    target = (text_of(value.get("target")) if isinstance(value, Table) else None) or source
    entry = declared.get(source)
    content = entry.value if entry is not None else None
    if not isinstance(content, Table):
        return BuildSecret(target)
    file = content.get("file")
    path = text_of(file)
    place = file.scope.folder.absolute() / path if file is not None and path is not None else None
    return BuildSecret(target, place, text_of(content.get("environment")))


def _options(build: Table, service: Table) -> dict[str, Option | None]:
    """What else a build says. A service's own `platform` applies if its build names none (compose-go `types`)."""
    found: dict[str, Option | None] = {}
    for name, entry in entries_of(build):
        key = name.replace("_", "-")
        if key not in NO_OPTIONS and is_given(entry.value):
            found["secret" if key == "secrets" else key] = _option(entry.value)
    platform = service.get("platform")
    if is_given(platform) and "platforms" not in found:
        option = _option(platform) if platform is not None else None
        found["platforms"] = (option,) if option is not None else None
    return found


def _option(value: Value) -> Option | None:
    if isinstance(value, Scalar):
        # the value of a variable is the same only where the same variable is used
        return value.raw or "" if value.text == value.raw else value.text and (value.raw or "", value.text)
    if isinstance(value, Items):
        parts = [_option(each) for each in value.values]
    else:
        parts = []
        for name, entry in sorted(entries_of(value), key=itemgetter(0)):
            inner = _option(entry.value)
            parts.append(None if inner is None else (name, inner))
    known = tuple(each for each in parts if each is not None)
    return known if len(known) == len(parts) else None


def _over(below: Entry | None, own: Entry) -> Entry:
    if below is None or not isinstance(below.value, Table) or not isinstance(own.value, Table):
        return own
    if not is_given(below.value.get("build")):
        return own
    build = own.value.entries["build"]
    inner = as_build(build.value)
    kept = {name: each for name, each in inner.entries.items() if name != "context"}
    entries = {**own.value.entries, "build": replace(build, value=table_of(inner.scope, inner.line, kept))}
    value = merge(below.value, table_of(own.value.scope, own.value.line, entries), lambda *_: None)
    merged = replace(value.entries["build"], scope=build.scope, line=build.line, inherited=False)
    return replace(own, value=replace(value, entries={**value.entries, "build": merged}))


def _without_repeats(read: Sequence[ComposeFile], reader: _Reader) -> list[ComposeFile]:
    """The files without the builds that a file including or extending them has already, and without files that then
    have nothing left.
    """
    kept: dict[Path, ComposeFile] = {file.path: file for file in read}
    for file in read:
        real = reader.files.real(file.path) or file.path
        users = [other for path, other in kept.items() if path != file.path and real in reader.loaded[path].files]
        if not users:
            continue
        had = [invocation for user in users for invocation in user.invocations]
        left = tuple(each for each in file.invocations if not any(_same_build(each, other) for other in had))
        reached = {name for user in users for path, name in reader.loaded[user.path].reached if path == real}
        if left or not reached >= set(file.services):
            kept[file.path] = replace(file, invocations=left)
        else:
            del kept[file.path]
    return list(kept.values())


def _same_build(one: BuildInvocation, other: BuildInvocation) -> bool:
    if one.inline and one.service != other.service:
        return False
    return all(_build_key(one, name) == _build_key(other, name) for name in _BUILD_KEYS)


_BUILD_KEYS: Final = ("context", "context_why", "dockerfile", "target", "args", "additional_contexts", "inline")


def _build_key(invocation: BuildInvocation, name: str) -> object:
    value = getattr(invocation, name)
    if name == "additional_contexts":
        return {key: (each.value, each.path) for key, each in invocation.additional_contexts.items()}
    return value


def _inside(root: Path, folder: Path, text: str) -> Path | None:
    """A path of a compose file; `None` if it leaves the project. compose joins by names, and knows `~`."""
    return None if text.startswith("~") else resolve_inside(root, os.path.normpath(folder.absolute() / text))


def _named(name: str, value: Value, line: int, root: Path) -> NamedContext:
    source = value.scope.file
    if not isinstance(value, Scalar) or value.text is None:
        raw = raw_of(value) or ""
        return NamedContext(name, raw, line, "unknown", None, None, raw, source)
    base = value.scope.folder
    return named_context(name, value.text, line=line, base=base, root=root, shown=value.shown, source=source)
