"""Compose files merged as compose does it, with what they include and extend.

Sources: the Compose specification (`14-include.md`, `extends` in `05-services.md`) and compose-go's package `loader`
(`include.go`, `extends.go`, `loader.go`) for the order: a file's includes first, then what its services extend, and the
result is merged over the files before it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.compose.interpolation import EnvFileError, Environment, parse_env
from dockfix.project.compose.merge import as_build, inherited, merge, without_tags
from dockfix.project.compose.nodes import (
    Document,
    Entry,
    Scalar,
    Scope,
    Table,
    Value,
    parse_document,
    scalar,
    table_of,
    text_of,
    values_of,
)
from dockfix.project.files import Snapshot
from dockfix.project.problems import InputError, InputProblem

_MAX_EXPANDED: Final = 500_000
_MAX_CONVERTED: Final = 300_000
_MAX_EXTENDS: Final = 50
_MAX_ENV_BYTES: Final = 64 * 1024
_MAX_INCLUDES: Final = 500
_MAX_INCLUDED: Final = 30
# The keys of a service that say how it is built, what it runs and on what it waits.
_KEYS: Final = frozenset(
    {
        "build", "command", "depends_on", "deploy", "devices", "entrypoint", "environment", "extends", "gpus",
        "healthcheck", "image", "ipc", "links", "network_mode", "pid", "platform", "profiles", "runtime", "user",
        "volumes_from",
    }
)  # fmt: skip
_REMOTE: Final = ("https://", "http://", "git://", "ssh://", "git@", "oci://", "github.com/")


class Loaded(Struct):
    """Merged compose files: each service by its name, with `!reset` and `!override` applied.

    `files` are the files that were read, by their real paths; `reached` the services of included and extended ones
    that are in here. `without_context` are services whose build says no context, and has the project's folder for it.
    `merged_over` are the files that the services were merged over afterwards. `env` holds the variables of the project,
    `secrets` the secrets that the files declare, by name.
    """

    services: dict[str, Entry] = field(default_factory=dict)
    broken: bool = False
    files: dict[Path, Path] = field(default_factory=dict)
    reached: set[tuple[Path, str]] = field(default_factory=set)
    without_context: set[str] = field(default_factory=set)
    merged_over: tuple[Path, ...] = ()
    env: Environment = field(default_factory=Environment)
    secrets: dict[str, Entry] = field(default_factory=dict)

    def adopt(self, other: Loaded) -> None:
        """Add the files and problems of `other`, not its services."""
        self.broken = self.broken or other.broken
        self.files.update(other.files)
        self.reached |= other.reached
        self.secrets.update(other.secrets)


class _Services(Struct):
    """The services of one file, with its includes, in which one may extend another."""

    scope: Scope
    found: dict[str, Entry]
    loaded: Loaded
    resolved: dict[str, Entry] = field(default_factory=dict)


class Loader:
    """Reads compose files through a snapshot, each once. `problems` collects what is wrong with them, `expanded` the
    texts that values of `.env` files went into.
    """

    def __init__(self, files: Snapshot) -> None:
        self.files = files
        self.expanded: dict[str, str] = {}
        self.problems: list[InputProblem] = []
        self._documents: dict[Path, Document | None] = {}
        self._bases: dict[tuple[Path, object], _Services | None] = {}
        self._includes: dict[tuple[object, ...], Loaded] = {}
        self._env_keys: dict[int, tuple[Environment, object]] = {}
        self._left = _MAX_EXPANDED
        self._may_convert = _MAX_CONVERTED
        self._may_include = _MAX_INCLUDES

    def load(self, paths: Sequence[Path]) -> Loaded:
        """Compose files merged in order, as `docker compose -f ONE -f TWO` does; the folder of the first is the
        project's.
        """
        self._left = _MAX_EXPANDED
        self._may_convert = _MAX_CONVERTED
        self._may_include = _MAX_INCLUDES
        folder = paths[0].absolute().parent
        loaded = Loaded()
        env = loaded.env = self._env([folder / ".env"], Environment(), loaded)
        self._merge_files(paths, folder, env, (), loaded)
        return loaded

    def problem(self, scope: Scope, line: int, message: str) -> None:
        """Record a problem in a file."""
        self.problems.append(InputProblem(str(scope.file), line, message))

    def _merge_files(
        self, paths: Sequence[Path], folder: Path, env: Environment, chain: tuple[Path, ...], loaded: Loaded
    ) -> None:
        for path in paths:
            for services, whole in self._file(Scope(path, folder, env), chain, loaded):
                if whole is not None and whole.tag:
                    loaded.services.clear()
                for name in services.found:
                    entry = self._extended(services, name, ())
                    if entry.tag:
                        loaded.services.pop(name, None)
                    if entry.tag != "reset":
                        loaded.services[name] = self._over(loaded.services.get(name), entry, services.loaded)
                loaded.adopt(services.loaded)
        for name, entry in loaded.services.items():
            full = _with_context(entry, Scope(paths[0], folder, env))
            if full is not None:
                loaded.services[name] = full
                loaded.without_context.add(name)

    def _over(self, below: Entry | None, entry: Entry, loaded: Loaded) -> Entry:
        if not isinstance(entry.value, Table):
            return entry if below is None else below
        if below is None or not isinstance(below.value, Table):
            return replace(entry, value=without_tags(entry.value), tag="")
        return replace(below, value=without_tags(self._merge(below.value, entry.value, loaded)))

    def _merge(self, base: Table, own: Table, loaded: Loaded) -> Table:
        def conflict(value: Value, path: str) -> None:
            loaded.broken = True
            self.problem(
                value.scope, value.line, f"{path} has another form than the value it overrides, which compose refuses"
            )

        return merge(base, own, conflict)

    def _file(self, scope: Scope, chain: tuple[Path, ...], loaded: Loaded) -> list[tuple[_Services, Entry | None]]:
        """The services of each YAML document of a file, what it includes among them, with the entry of `services:`."""
        result: list[tuple[_Services, Entry | None]] = []
        for table in self._tables(scope, loaded):
            found: dict[str, Entry] = {}
            inner = Loaded()
            include = table.get("include")
            if include is not None:
                included = self._included(include, scope, (*chain, self._real(scope.file)), inner)
                found.update(included)
            inner.secrets.update(_entries(table.get("secrets")))
            whole = table.entries.get("services")
            services = table.get("services")
            if services is not None and not isinstance(services, Table) and values_of(services):
                self._fail(loaded, (services.scope, services.line, "services is not a mapping"))
            for name, entry in _entries(services):
                if not isinstance(entry.value, Table) and values_of(entry.value):
                    self._fail(loaded, (entry.scope, entry.line, f"the service {name} is not a mapping"))
                found[name] = self._over_included(found.get(name), self._trimmed(entry), inner)
            result.append((_Services(scope, found, inner), whole))
        return result

    def _over_included(self, included: Entry | None, own: Entry, loaded: Loaded) -> Entry:
        """A service merged over an included one of the same name; its tags still apply to earlier files."""
        if included is None or own.tag or not isinstance(own.value, Table) or not isinstance(included.value, Table):
            return own
        return replace(included, value=self._merge(included.value, own.value, loaded))

    def _trimmed(self, entry: Entry) -> Entry:
        """A service without the keys that dockfix does not read."""
        if not isinstance(entry.value, Table):
            return entry
        kept = {name: value for name, value in entry.value.entries.items() if name in _KEYS}
        return replace(entry, value=table_of(entry.value.scope, entry.value.line, kept))

    def _tables(self, scope: Scope, loaded: Loaded) -> list[Table]:
        document = self._document(scope.file)
        loaded.files[self._real(scope.file)] = scope.file
        if document is None:
            loaded.broken = True
            return []
        self._may_convert -= document.nodes
        if self._may_convert < 0:
            message = "has too many values together with the files that it includes, extends or is used by; not read"
            self.problems.append(InputProblem(str(scope.file), None, message))
            loaded.broken = True
            return []
        before = len(self.problems)
        try:
            tables = document.tables(scope, self.problems)
        except InputError as error:
            self.problems.append(error.problem)
            tables = []
        loaded.broken = loaded.broken or len(self.problems) > before
        return tables

    def _document(self, path: Path) -> Document | None:
        real = self._real(path)
        if real not in self._documents:
            try:
                self._documents[real] = parse_document(path, self.files)
            except InputError as error:
                self.problems.append(error.problem)
                self._documents[real] = None
        return self._documents[real]

    def _real(self, path: Path) -> Path:
        return self.files.real(path) or path.absolute()

    # extends

    def _extended(self, services: _Services, name: str, chain: tuple[tuple[Path, str], ...]) -> Entry:
        """A service merged over the one it extends; its `!reset` and `!override` have been applied and are kept."""
        if name in services.resolved:
            return services.resolved[name]
        entry = services.found[name]
        if not isinstance(entry.value, Table) or not self._affordable(entry, entry.value, services.loaded):
            return replace(entry, value=scalar(entry.scope, entry.line, None))
        own = entry.value
        base = self._base(services, name, own, chain)
        if base is not None and self._affordable(entry, base, services.loaded):
            entry = replace(entry, value=self._merge(inherited(without_tags(base)), own, services.loaded))
        entry = _without_extends(entry)
        services.resolved[name] = entry
        return entry

    def _affordable(self, entry: Entry, table: Table, loaded: Loaded) -> bool:
        if table.size > self._left >= 0:
            message = "has aliases or extended services that expand to too many values; the rest is not read"
            self.problem(entry.scope, entry.line, message)
            self._left = -1
        loaded.broken = loaded.broken or self._left < 0
        self._left -= table.size if self._left >= 0 else 0
        return self._left >= 0

    def _base(self, services: _Services, name: str, own: Table, chain: tuple[tuple[Path, str], ...]) -> Table | None:
        """The service that another extends; `None` if it extends none, or, with a problem, one that does not exist."""
        extends = own.get("extends")
        if extends is None or (isinstance(extends, Scalar) and extends.raw is None):
            return None
        service, file = extends, None
        if isinstance(extends, Table):
            file = extends.get("file")
            service = extends.get("service") or scalar(extends.scope, extends.line, None)
        where = extends.scope, (service or extends).line
        link = (self._real(services.scope.file), name)
        chain = (*chain, link)
        ref = text_of(service)
        target: _Services | None = services
        if file is not None and not (isinstance(file, Scalar) and file.raw is None):
            target = self._extended_file(file, services)
        if target is None:
            self._fail(services.loaded, None)
            return None
        if ref is None:
            unknown = service.raw if isinstance(service, Scalar) else None
            why = f"extends {unknown}, whose variables are not given" if unknown else "extends no service"
            self._fail(services.loaded, (*where, why))
            return None
        shown = service.shown if isinstance(service, Scalar) else ref
        if (self._real(target.scope.file), ref) in chain:
            self._fail(services.loaded, (*where, f"extends {shown}, which extends it in turn"))
            return None
        if len(chain) > _MAX_EXTENDS:
            self._fail(services.loaded, (*where, f"extends more than {_MAX_EXTENDS} services one after the other"))
            return None
        if ref not in target.found:
            other = "" if target is services else f" of {os.path.relpath(target.scope.file, services.scope.folder)}"
            self._fail(services.loaded, (*where, f"extends the service {shown}{other}, which does not exist"))
            return None
        base = self._extended(target, ref, chain).value
        if target is not services:
            services.loaded.adopt(target.loaded)
            services.loaded.reached.add((self._real(target.scope.file), ref))
        return base if isinstance(base, Table) else None

    def _fail(self, loaded: Loaded, problem: tuple[Scope, int, str] | None) -> None:
        loaded.broken = True
        if problem is not None:
            self.problem(*problem)

    def _extended_file(self, file: Value, services: _Services) -> _Services | None:
        path = self._path(file, "extends", services.loaded)
        if path is None:
            return None
        key = (self._real(path), self._identity(file.scope.env))
        if key not in self._bases:
            scope = Scope(path, path.parent, file.scope.env)
            inner = Loaded()
            found: dict[str, Entry] = {}
            for table in self._tables(scope, inner):
                for name, entry in _entries(table.get("services")):
                    found[name] = self._over_included(found.get(name), self._trimmed(entry), inner)
            self._bases[key] = _Services(scope, found, inner)
        target = self._bases[key]
        if target is not None and target.loaded.broken and not target.found:
            services.loaded.adopt(target.loaded)
            return None
        return target

    # include

    def _included(self, include: Value, scope: Scope, chain: tuple[Path, ...], loaded: Loaded) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        if isinstance(include, Scalar | Table) and values_of(include):
            self._fail(loaded, (include.scope, include.line, "include is not a list"))
            return found
        for item in values_of(include):
            one = self._include(item, scope, chain, loaded)
            if one is None:
                continue
            loaded.adopt(one)
            for name, entry in one.services.items():
                below = found.get(name)
                found[name] = entry if below is None else self._over(entry, below, loaded)
        return found

    def _include(self, item: Value, scope: Scope, chain: tuple[Path, ...], loaded: Loaded) -> Loaded | None:
        self._may_include -= 1
        if self._may_include < 0:
            if self._may_include == -1:
                self.problem(item.scope, item.line, f"includes more than {_MAX_INCLUDES} files; the rest is not read")
            self._fail(loaded, None)
            return None
        path = item.get("path") if isinstance(item, Table) else item
        written = values_of(path)
        if not written:
            self._fail(loaded, (item.scope, item.line, "includes no file"))
            return None
        paths = [self._path(each, "includes", loaded) for each in written]
        first = paths[0]
        if first is None:
            return None
        known = tuple(each for each in paths if each is not None)
        for each, value in zip(paths, written, strict=True):
            if each is not None and self._real(each) in chain:
                self._fail(
                    loaded, (value.scope, value.line, f"includes {_shown(value)}, which includes this file in turn")
                )
                return None
        if len(chain) > _MAX_INCLUDED:
            self._fail(
                loaded, (item.scope, item.line, f"includes more than {_MAX_INCLUDED} files one within the other")
            )
            return None
        folder = first.parent
        env_files = [folder / ".env"]
        if isinstance(item, Table):
            given = item.get("project_directory")
            if values_of(given):
                text = text_of(given)
                if given is None or text is None:
                    message = "the project directory of an include depends on a variable that is not given"
                    self._fail(loaded, (item.scope, item.line, message))
                    return None
                folder = _join(given.scope.folder, text)
                env_files = [folder / ".env"]
            named = [each for each in values_of(item.get("env_file")) if text_of(each) != "/dev/null"]
            if values_of(item.get("env_file")):
                env_files = [file for each in named if (file := self._path(each, "takes variables from", loaded))]
        key = (known, folder, tuple(env_files), self._identity(scope.env))
        if key not in self._includes:
            inner = Loaded()
            env = self._env(env_files, scope.env, inner).under(scope.env)
            self._merge_files(known, folder, env, chain, inner)
            inner.reached |= {(self._real(each), name) for each in known for name in inner.services}
            self._includes[key] = inner
        return self._includes[key]

    # files

    def _path(self, value: Value, verb: str, loaded: Loaded) -> Path | None:
        """The file that a value names; `None`, with a problem, if it does not exist."""
        text = text_of(value)
        if text is None or not isinstance(value, Scalar):
            raw = value.raw if isinstance(value, Scalar) else None
            message = f"{verb} {raw}, whose variables are not given" if raw else f"{verb} what is not a file name"
            self._fail(loaded, (value.scope, value.line, message))
            return None
        where = value.scope, value.line
        if text.startswith(_REMOTE):
            self._fail(loaded, (*where, f"{verb} {value.shown}, which is remote and is not read"))
            return None
        path = _join(value.scope.folder, text)
        real = self.files.real(path) if not text.startswith("~") else None
        if real is None:
            self._fail(loaded, (*where, f"{verb} {value.shown}, which is outside the project"))
            return None
        if not self.files.is_file(path):
            why = "is not a file" if os.path.lexists(real) else "does not exist"
            self._fail(loaded, (*where, f"{verb} {value.shown}, which {why}"))
            return None
        return path

    def _identity(self, env: Environment) -> object:
        """A key that is equal for environments with the same variables."""
        if id(env) not in self._env_keys:
            self._env_keys[id(env)] = env, (env.complete, frozenset(env.values.items()))
        return self._env_keys[id(env)][1]

    def _env(self, paths: Sequence[Path], outer: Environment, loaded: Loaded) -> Environment:
        """The variables of `.env` files; a later file overrides an earlier one. A file that compose could not read
        makes them incomplete.
        """
        env = Environment(expanded=self.expanded)
        for path in paths:
            if not self.files.is_file(path) and (self.files.real(path) is not None or not os.path.lexists(path)):
                continue  # compose ignores a folder and a missing file
            try:
                data = self.files.read(path).data
                if len(data) > _MAX_ENV_BYTES:
                    message = f"is larger than {_MAX_ENV_BYTES // 1024} KiB and is not read"
                    raise InputError(str(path), None, message)
                text = data.decode("utf-8")
                found = parse_env(text, Environment({**env.values, **outer.values}, env.complete and outer.complete))
                env = Environment({**env.values, **found}, env.complete, self.expanded)
                continue
            except InputError as error:
                self.problems.append(error.problem)
            except UnicodeDecodeError:
                self.problems.append(InputProblem(str(path), None, "is not UTF-8 and is not read"))
            except EnvFileError as error:
                self.problems.append(InputProblem(str(path), error.line, f"cannot be read: {error.message}"))
            loaded.broken = True
            env = Environment({}, complete=False, expanded=self.expanded)
        return env


def _without_extends(entry: Entry) -> Entry:
    if not isinstance(entry.value, Table) or "extends" not in entry.value.entries:
        return entry
    kept = {name: value for name, value in entry.value.entries.items() if name != "extends"}
    return replace(entry, value=replace(entry.value, entries=kept))


def _join(folder: Path, text: str) -> Path:
    """A path as compose joins it: `..` removes a name and does not follow symlinks."""
    return Path(os.path.normpath(folder / text))


def _shown(value: Value) -> str:
    return value.shown if isinstance(value, Scalar) else "what is not a file name"


def _entries(services: Value | None) -> list[tuple[str, Entry]]:
    return list(services.entries.items()) if isinstance(services, Table) else []


def _with_context(entry: Entry, scope: Scope) -> Entry | None:
    """A service whose build has the project's folder for its context, if it says none; else `None`. Source:
    compose-go's `defaultBuildContext`.
    """
    build = entry.value.entries.get("build") if isinstance(entry.value, Table) else None
    if build is None or not isinstance(entry.value, Table) or not values_of(build.value):
        return None
    table = as_build(build.value)
    if values_of(table.get("context")):
        return None
    here = Scope(build.scope.file, scope.folder, scope.env)
    context = Entry(here, build.line, scalar(here, build.line, "."))
    table = table_of(table.scope, table.line, {**table.entries, "context": context})
    entries = {**entry.value.entries, "build": replace(build, value=table)}
    return replace(entry, value=replace(entry.value, entries=entries))
