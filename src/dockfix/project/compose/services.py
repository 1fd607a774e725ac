"""What a merged service of a compose file says: its command, environment, dependencies and health check."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.project.compose.interpolation import Environment
from dockfix.project.compose.merge import as_dependencies
from dockfix.project.compose.model import (
    Dependency,
    Healthcheck,
    Service,
    Words,
)
from dockfix.project.compose.nodes import (
    Entry,
    Items,
    Scalar,
    Table,
    Value,
    entries_of,
    pairs_of,
    text_of,
    values_of,
)


def is_given(value: Value | None) -> bool:
    """Whether a value is set and not null."""
    return value is not None and not (isinstance(value, Scalar) and value.raw is None)


def raw_of(value: Value | None) -> str | None:
    """The text of a scalar as written."""
    return value.raw if isinstance(value, Scalar) else None


def is_hidden(value: Value | None, found: str | None = None) -> bool:
    """Whether a value includes one from a `.env` file; `found` is the value of a name without one."""
    if not isinstance(value, Scalar):
        return False
    return found is not None if value.raw is None else value.text is not None and value.shown != value.text


def _words(value: Value | None) -> tuple[Words | None, Words | None]:
    """A command, as far as it is known, and as written."""
    if not isinstance(value, Items):
        return text_of(value), raw_of(value)
    words = [text_of(item) for item in value.values]
    known = tuple(word for word in words if word is not None)
    return known if len(known) == len(words) else None, tuple(raw_of(item) or "" for item in value.values)


def assigned(name: str, value: Value, env: Environment) -> tuple[str | None, str | None]:
    """A variable's value, as far as it is known, and as written. One without a value takes that of the environment."""
    raw = raw_of(value)
    return (env.find(name)[1] if raw is None else text_of(value)), raw


def service_of(name: str, entry: Entry, table: Table, env: Environment) -> Service:
    """A service as a value."""
    raw: dict[str, Words] = {}
    for key in ("image", "user", "command", "entrypoint"):
        written = _words(table.get(key))[1]
        if written is not None:
            raw[key] = written
    environment: dict[str, str | None] = {}
    raw_environment: dict[str, str | None] = {}
    hidden: set[str] = set()
    listed = table.get("environment")
    for key, each in entries_of(pairs_of(listed) if listed is not None else None):
        environment[key], raw_environment[key] = assigned(key, each.value, env.under(each.value.scope.env))
        if is_hidden(each.value, environment[key]):
            hidden.add(key)
    profiles = (text_of(each) for each in values_of(table.get("profiles")))
    return Service(
        name=name,
        line=entry.line,
        image=text_of(table.get("image")),
        builds=is_given(table.get("build")),
        user=text_of(table.get("user")),
        healthcheck=_healthcheck(table.entries.get("healthcheck")),
        depends_on=tuple(_dependencies(table)),
        environment=environment,
        source=entry.scope.file,
        command=_words(table.get("command"))[0],
        entrypoint=_words(table.get("entrypoint"))[0],
        profiles=tuple(dict.fromkeys(profile for profile in profiles if profile)),
        raw=raw,
        raw_environment=raw_environment,
        gpu=_asks_for_gpu(table),
        hidden_environment=frozenset(hidden),
    )


def _asks_for_gpu(table: Table) -> bool:
    """Whether a service asks for a GPU (docs.docker.com/reference/compose-file/services: `gpus`, `runtime`, `devices`;
    /deploy: `devices`), or has something there that is not known."""
    value: Value | None = table
    for key in ("deploy", "resources", "reservations", "devices"):
        value = value.get(key) if isinstance(value, Table) else value
    runtime = table.get("runtime")
    devices = [text_of(each) or "/dev/nvidia" for each in values_of(table.get("devices"))]
    return (
        (is_given(value) and value is not None)
        or is_given(table.get("gpus"))
        or (is_given(runtime) and text_of(runtime) not in ("runc", "crun", "io.containerd.runc.v2"))
        or any(text.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri", "nvidia.com/")) for text in devices)
    )


def _dependencies(table: Table) -> Iterator[Dependency]:
    """What a service waits for. Source: compose-go's `transformDependsOn`, and `Normalize` for what is implied."""
    seen: set[str] = set()
    depends_on = table.get("depends_on")
    for name, entry in entries_of(as_dependencies(depends_on) if depends_on is not None else None):
        condition = entry.value.get("condition") if isinstance(entry.value, Table) else None
        text = text_of(condition) if is_given(condition) else "service_started"
        seen.add(name)
        yield Dependency(name, text, entry.line, entry.scope.file)
    implied = [(each, "") for key in ("links", "volumes_from") for each in values_of(table.get(key))]
    implied += [(each, "service:") for key in ("network_mode", "ipc", "pid") for each in values_of(table.get(key))]
    for value, prefix in implied:
        text = text_of(value) or ""
        name = text.removeprefix(prefix).partition(":")[0]
        if text.startswith(prefix) and not text.startswith("container:") and name and name not in seen:
            seen.add(name)
            yield Dependency(name, "service_started", value.line, value.scope.file)


def _healthcheck(entry: Entry | None) -> Healthcheck | None:
    if entry is None or not isinstance(entry.value, Table) or not entry.value.entries:
        return None
    table = entry.value
    keys = ("interval", "timeout", "start_period", "start_interval", "retries", "disable")
    test, raw_test = _words(table.get("test"))
    return Healthcheck(
        line=entry.line,
        test=test,
        raw_test=raw_test,
        interval=text_of(table.get("interval")),
        timeout=text_of(table.get("timeout")),
        start_period=text_of(table.get("start_period")),
        start_interval=text_of(table.get("start_interval")),
        retries=text_of(table.get("retries")),
        disable=(text_of(table.get("disable")) or "").lower() in ("true", "y", "yes", "on"),
        source=entry.scope.file,
        raw={key: raw for key in keys if (raw := raw_of(table.get(key))) is not None},
        hidden=frozenset(key for key in ("test", *keys) if any(map(is_hidden, values_of(table.get(key))))),
    )
