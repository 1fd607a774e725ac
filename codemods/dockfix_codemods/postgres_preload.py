"""A PostgreSQL extension that must be preloaded, and that nothing preloads.

## What it does

Some extensions are libraries that the server must load when it starts. Where a package with one is installed and no
configuration names it, the rule gives the server the setting:

```dockerfile
FROM postgres:16
RUN apt-get update \\
    && apt-get install -y --no-install-recommends "postgresql-${PG_MAJOR}-cron" \\
    && rm -rf /var/lib/apt/lists/*
```

becomes

```dockerfile
FROM postgres:16
RUN apt-get update \\
    && apt-get install -y --no-install-recommends "postgresql-${PG_MAJOR}-cron" \\
    && rm -rf /var/lib/apt/lists/*
CMD ["postgres", "-c", "shared_preload_libraries=pg_cron"]
```

The official entrypoint hands these arguments to the server that runs the init scripts too, so that they may create the
extension. A CMD that starts the server already gets the arguments.

## Why

`CREATE EXTENSION pg_cron` fails without it (`unrecognized configuration parameter "cron.database_name"`), and pgaudit
and timescaledb fail likewise: the package is in the image, and of no use.

## Safety

Unsafe: the setting may come from where no file says so (Kubernetes, an operator), and a server with another command
does not get it.

## What it leaves alone

- A setting in `postgresql.conf.sample`, which initdb copies into a new cluster, in a script or configuration that is
  copied, in ENV, in CMD or in compose.
- A setting without the library: a second one would take the place of it, so that the finding names the line.
- Images that preload something by themselves (timescale/timescaledb, citusdata/citus), for the same reason.
- Files that cannot be read, and compose files that mount a configuration.
- A command of compose, which goes before the CMD; an ENTRYPOINT that is not the official one; a CMD in shell form.
- Packages that are installed in a branch, may fail, or name another major version than the tag of the image does.
- Alpine, where `apk` installs for another server than the image's own.

## Sources

- https://www.postgresql.org/docs/current/runtime-config-client.html (`shared_preload_libraries`)
- docker-library/postgres, `docker-entrypoint.sh` (`docker_temp_server_start "$@"`)
- https://github.com/citusdata/pg_cron and https://github.com/pgaudit/pgaudit; tried with PostgreSQL 15
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as surgery
from dockfix.project.postgres import servers as postgres_servers
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity

if TYPE_CHECKING:
    from dockfix.project.postgres import Server as PostgresServer

_WHY: Final = "the server loads such a library when it starts, or not at all"


def check(target: Target) -> Iterator[Finding]:
    """Judge the libraries of each image with a server that nothing preloads."""
    for server in postgres_servers(target):
        missing = [
            each
            for each in server.installed
            if each.library.name not in server.base_preloads and server.preloaded_by(each.library) is None
        ]
        if missing:
            names = [each.library.name for each in missing]
            message = f"{' and '.join(names)} must be preloaded, and nothing sets shared_preload_libraries"
            other_files = server.other_preload()
            if other_files is not None:
                message = f"{' and '.join(names)} must be preloaded, and {other_files} preloads only others"
            reason = _reason(server, other_files)
            edit = reason or _edit(server, names)
            if isinstance(edit, str):
                yield Refusal(missing[0].run.span, message, edit)
            else:
                review = "that nothing outside these files sets shared_preload_libraries, which this would override"
                yield Fix(missing[0].run.span, message, (edit,), Safety.UNSAFE, _WHY, review)


def _reason(server: PostgresServer, other_files: str | None) -> str:
    """Why the CMD must not set it; empty if it may."""
    if other_files is not None:
        return f"a setting in CMD would take the place of that of {other_files}, where it belongs"
    if server.base_preloads:
        return f"{server.image} preloads {server.base_preloads[0]} itself, and a setting in CMD would take its place"
    if server.own_entrypoint is not None:
        return f"the ENTRYPOINT of line {server.own_entrypoint.start_line} is not the one of the base image"
    for each in server.services:
        if each.service.raw.get("command") or each.service.raw.get("entrypoint"):
            return f"the command of {each.shown} goes before the CMD"
    return server.unread


def _edit(server: PostgresServer, names: Sequence[str]) -> Edit | str:
    """The CMD with the setting, or why it cannot have it."""
    setting = f'"-c", "shared_preload_libraries={",".join(names)}"'
    command = server.command
    dockerfile = server.target.dockerfile
    if command is None:
        last = (server.stage.node, *server.stage.instructions)[-1]
        keyword = "cmd" if server.stage.node.keyword.text.islower() else "CMD"
        return surgery.insert_instruction(dockerfile, last, f'{keyword} ["postgres", {setting}]', "", above=False)
    if command not in server.stage.instructions:
        return f"the CMD of line {command.start_line} stands in another stage"
    if not command.argv or not (command.argv[0] == "postgres" or command.argv[0].startswith("-")):
        return f"the CMD of line {command.start_line} does not start the server in exec form"
    return surgery.insert(command.args[-1].span.end, f", {setting}")


CODEMOD: Final = Codemod(
    name="postgres-preload",
    title="a PostgreSQL extension that nothing preloads",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("postgres",),
    page=__doc__,
    findings=("postgres 1",),
)
