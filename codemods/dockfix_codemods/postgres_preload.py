"""A PostgreSQL extension must be preloaded, but nothing preloads it.

## What it does

Some extensions are libraries that the server must load when it starts. If a package with such a library is installed
and no configuration names it, the fix sets `shared_preload_libraries` in CMD. A CMD that already starts the server gets
the arguments.

The official entrypoint passes these arguments to the server that runs the init scripts too, so the scripts can create
the extension.

## Why is this bad?

`CREATE EXTENSION pg_cron` fails with `unrecognized configuration parameter "cron.database_name"`, and pgaudit and
timescaledb fail similarly: the package is in the image, but cannot be used.

## Example

```dockerfile
FROM postgres:16
RUN apt-get update \\
    && apt-get install -y --no-install-recommends "postgresql-${PG_MAJOR}-cron" \\
    && rm -rf /var/lib/apt/lists/*
```

Use instead:

```dockerfile
FROM postgres:16
RUN apt-get update \\
    && apt-get install -y --no-install-recommends "postgresql-${PG_MAJOR}-cron" \\
    && rm -rf /var/lib/apt/lists/*
CMD ["postgres", "-c", "shared_preload_libraries=pg_cron"]
```

## Fix safety

The fix is unsafe: something outside the project's files (Kubernetes, an operator) may set it, and a server that is
started with another command does not get it.

## When it does not apply

- The library is set in `postgresql.conf.sample`, which initdb copies into a new cluster, in a script or configuration
  that is copied, in ENV, in CMD or in compose.
- Other libraries are set without it: a second setting would replace the first, so the finding names the line to change.
- The image preloads a library itself (timescale/timescaledb, citusdata/citus), for the same reason.
- A file cannot be read, or a compose file mounts a configuration.
- A command in compose overrides the CMD, the ENTRYPOINT is not the official one, or the CMD is in shell form.
- The package is installed in a branch, its install may fail, or it is for another major version than the image's tag.
- The image is Alpine, where `apk` installs for another server than the image's own.

## References

- https://www.postgresql.org/docs/current/runtime-config-client.html (`shared_preload_libraries`)
- docker-library/postgres, `docker-entrypoint.sh` (`docker_temp_server_start "$@"`)
- https://github.com/citusdata/pg_cron and https://github.com/pgaudit/pgaudit; tested with PostgreSQL 15
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts.model import Refused
from dockfix.project.postgres import servers as postgres_servers
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity

if TYPE_CHECKING:
    from dockfix.project.postgres import Server as PostgresServer
    from dockfix.syntax.tree import Instruction


def check(target: Target) -> Iterator[Finding]:
    """Check each image with a server for libraries that nothing preloads."""
    for server in postgres_servers(target):
        missing = [
            each
            for each in server.installed
            if each.library.name not in server.base_preloads and server.preloaded_by(each.library) is None
        ]
        if missing:
            yield _finding(server, missing[0].run, [each.library.name for each in missing])


def _finding(server: PostgresServer, run: Instruction, names: Sequence[str]) -> Finding:
    other = server.other_preload()
    but = "nothing sets `shared_preload_libraries`" if other is None else f"{other} preloads only other libraries"
    message = f"{' and '.join(f'`{name}`' for name in names)} must be preloaded, but {but}"
    try:
        _require_effective_cmd(server, other)
        edit = _edit(server, names)
    except Refused as refused:
        return Refusal(run.span, message, refused.reason)
    fix = f"start the server with `-c shared_preload_libraries={','.join(names)}`"
    review = "check that nothing outside these files sets `shared_preload_libraries`, which this would override"
    return Fix(run.span, message, (edit,), Safety.UNSAFE, fix, review)


def _require_effective_cmd(server: PostgresServer, other: str | None) -> None:
    """Require that a setting in CMD reaches the server and replaces no other.

    Raises:
        Refused: another setting would be replaced, CMD does not reach the server, or files cannot be read.
    """
    if other is not None:
        raise Refused(f"a setting in CMD would replace that of {other}; add the library there")
    if server.base_preloads:
        preloaded = server.base_preloads[0]
        raise Refused(f"{server.image} itself preloads {preloaded}, and a setting in CMD would replace that")
    if server.own_entrypoint is not None:
        raise Refused(f"the ENTRYPOINT of line {server.own_entrypoint.start_line} is not that of the base image")
    for each in server.services:
        if each.service.raw.get("command") or each.service.raw.get("entrypoint"):
            raise Refused(f"the command of {each.shown} overrides the CMD")
    if unread := server.unread:
        raise Refused(unread)


def _edit(server: PostgresServer, names: Sequence[str]) -> Edit:
    """The edit that adds the setting to the CMD.

    Raises:
        Refused: the CMD cannot have it.
    """
    setting = f'"-c", "shared_preload_libraries={",".join(names)}"'
    command = server.command
    dockerfile = server.target.dockerfile
    if command is None:
        last = (server.stage.node, *server.stage.instructions)[-1]
        line = f'{"cmd" if server.stage.node.keyword.text.islower() else "CMD"} ["postgres", {setting}]'
        return dockerfile_edit.insert_instruction(dockerfile, last, line, "", above=False)
    if command not in server.stage.instructions:
        raise Refused(f"the CMD of line {command.start_line} is in another stage")
    if not command.argv or not (command.argv[0] == "postgres" or command.argv[0].startswith("-")):
        raise Refused(f"the CMD of line {command.start_line} does not start the server in exec form")
    return dockerfile_edit.insert(command.args[-1].span.end, f", {setting}")


CODEMOD: Final = Codemod(
    name="postgres-preload",
    title="a PostgreSQL extension must be preloaded, but nothing preloads it",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("postgres",),
    findings=("postgres 1",),
    promise=Promise(
        config=frozenset({Part.COMMAND}),
        rationale="Only the arguments of the server differ; the server of the init scripts gets them too.",
    ),
)
