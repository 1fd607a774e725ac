"""A PostgreSQL extension is installed, but no init script creates it.

## What it does

A package with an extension only puts files into the image; a database has the extension once it is created there. If no
script of the image creates it, the fix adds one that the entrypoint runs for a new cluster.

The new script has a number that sorts before the first script that uses the extension, and its COPY has the flags of
the others'. It needs no COPY if a folder is copied as a whole.

## Why is this bad?

The first script that calls `cron.schedule` stops the init of the cluster (`schema "cron" does not exist`), and with it
the container.

## Example

```dockerfile
FROM postgres:16
RUN apt-get update && apt-get install -y "postgresql-16-pgaudit"
CMD ["postgres", "-c", "shared_preload_libraries=pgaudit"]
```

Use instead:

```dockerfile
FROM postgres:16
RUN apt-get update && apt-get install -y "postgresql-16-pgaudit"
COPY 010-pgaudit.sql /docker-entrypoint-initdb.d/
CMD ["postgres", "-c", "shared_preload_libraries=pgaudit"]
```

with a new file `010-pgaudit.sql` in the build context that contains `CREATE EXTENSION IF NOT EXISTS pgaudit;`.

## Fix safety

The fix is unsafe: a migration of the application may create the extension, and existing clusters do not get it.
pg_cron exists in one database only, `cron.database_name` (by default `postgres`): the script connects to it first if
the init scripts run in another.

## When it does not apply

- A script, a RUN or a heredoc creates the extension, also if a variable gives its name.
- Nothing in the image preloads the library: the new script would stop the init. See `postgres-preload`.
- The build context is unknown, a script cannot be read, or compose mounts scripts over the folder.
- `.dockerignore` would exclude the new file, or a file of that name exists.
- `cron.database_name` is not known to be a database of the new cluster.

## References

- https://github.com/docker-library/docs/blob/master/postgres/README.md#initialization-scripts
- https://github.com/citusdata/pg_cron#setting-up-pg_cron (`cron.database_name`); tested with PostgreSQL 15
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as dockerfile_edit
from dockfix.facts.model import Known, Refused
from dockfix.project.postgres import servers as postgres_servers
from dockfix.project.target import Target
from dockfix.rule import Category, Change, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Cmd, Entrypoint

if TYPE_CHECKING:
    from dockfix.facts.postgres import Installed, Library
    from dockfix.project.postgres import Place as PostgresPlace
    from dockfix.project.postgres import Server as PostgresServer

_DEFAULT: Final = "postgres"
"""The database that pg_cron uses unless `cron.database_name` names another."""
_NAMES: Final = ("$POSTGRES_DB", "${POSTGRES_DB}")


def check(target: Target) -> Iterator[Finding]:
    """Check each image with a server for extensions that nothing creates."""
    for server in postgres_servers(target):
        for each in server.installed:
            if each.library.name not in server.base_preloads and server.created_by(each.library) is None:
                yield _finding(server, each)


def _finding(server: PostgresServer, installed: Installed) -> Finding:
    extension = installed.library.extension
    message = f"`{extension}` is installed, but no init script creates the extension"
    try:
        edits, change = _plan(server, installed.library)
    except Refused as refused:
        return Refusal(installed.run.span, message, refused.reason)
    fix = f"add the init script `{change.path.name}`, which creates the extension in a new cluster"
    review = f"check whether a migration creates `{extension}`; existing clusters do not get it"
    return Fix(installed.run.span, message, edits, Safety.UNSAFE, fix, review, other_files=(change,))


def _plan(server: PostgresServer, library: Library) -> tuple[tuple[Edit, ...], Change]:
    """The new script, and the edits that copy it.

    Raises:
        Refused: the script would stop the init, or it is unknown what it must do and where it must be.
    """
    if server.preloaded_by(library, image_only=True) is None:
        raise Refused(f"nothing in the image preloads `{library.name}`, so creating the extension would stop the init")
    if unread := server.unread:
        raise Refused(unread)
    if server.own_entrypoint is not None:
        raise Refused(f"the ENTRYPOINT of line {server.own_entrypoint.start_line} may not run init scripts")
    place = server.place(library)
    connect = f"\\connect {_DEFAULT}\n" if _needs_connect(server, library) else ""
    context = server.target.context
    path = server.target.project.files.real(context.root / place.source) if context is not None else None
    if path is None:
        raise Refused(f"{place.source} would be outside the project")
    script = f"{connect}CREATE EXTENSION IF NOT EXISTS {library.extension};\n"
    return _copy(server, place), Change(path, create=script)


def _needs_connect(server: PostgresServer, library: Library) -> bool:
    """Whether the extension is pg_cron in `postgres`, and init scripts may run in another database.

    Raises:
        Refused: the database of pg_cron is unknown, or is not the one in which a script uses it.
    """
    if library.name != "pg_cron":
        return False
    setting = server.cron_database
    here = server.environment("POSTGRES_DB")
    if setting is None or setting[0] == _DEFAULT:
        user = next((each for each in server.init_scripts if server.uses(each, library)), None)
        if user is not None and None not in here and here != (_DEFAULT,) and not server.connects(user):
            where = f"{user.source} uses it in the database `{here[0]}`"
            raise Refused(f"{where}, but pg_cron is in `{_DEFAULT}`: `cron.database_name` is not set to `{here[0]}`")
        return here != (_DEFAULT,)
    name, node = setting
    if name in _NAMES:
        fact = server.target.facts.state(node).lookup("POSTGRES_DB") if node is not None else None
        if not isinstance(fact, Known) or here == (None,):
            return False  # the same variable says which database the scripts run in
        name = fact.value
    if here != (name,):
        raise Refused(f"`cron.database_name` is `{name}`, but `POSTGRES_DB` is not known to be `{name}`")
    return False


def _copy(server: PostgresServer, place: PostgresPlace) -> tuple[Edit, ...]:
    """The edit that adds a COPY for the script, above the COPY of the other scripts; none if its folder is copied."""
    if not place.destination:
        return ()
    dockerfile, stage = server.target.dockerfile, server.stage
    model = place.model
    if model is not None and model in stage.instructions:
        source, to = place.source, place.destination
        args = [f'["{source}", "{to}"]'] if model.json else [source, to]
        line = dockerfile_edit.one_line_like(dockerfile, model, args).lstrip()
        return (dockerfile_edit.insert_above(dockerfile, model, line),)
    keyword = "copy" if stage.node.keyword.text.islower() else "COPY"
    line = f"{keyword} {place.source} {place.destination}"
    last = next((node for node in stage.instructions if isinstance(node, Cmd | Entrypoint)), None)
    anchor = last or (stage.node, *stage.instructions)[-1]
    return (dockerfile_edit.insert_instruction(dockerfile, anchor, line, "", above=last is not None),)


CODEMOD: Final = Codemod(
    name="postgres-extension",
    title="a PostgreSQL extension is installed, but no init script creates it",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES, Effect.STEPS, Effect.FILES}),
    check=check,
    since="0.1.0",
    triggers=("postgres",),
    findings=("postgres 2",),
    promise=Promise(
        adds=("/docker-entrypoint-initdb.d/**",),
        rationale="The new script is the only file that is copied in addition.",
    ),
)
