"""A PostgreSQL extension that is installed and that no init script creates.

## What it does

A package with an extension only puts files into the image; a database has the extension once it is created. Where
no script of the image does so, the rule adds one that the entrypoint runs when it makes a new cluster:

```dockerfile
FROM postgres:16
RUN apt-get update && apt-get install -y "postgresql-16-pgaudit"
CMD ["postgres", "-c", "shared_preload_libraries=pgaudit"]
```

becomes

```dockerfile
FROM postgres:16
RUN apt-get update && apt-get install -y "postgresql-16-pgaudit"
COPY 010-pgaudit.sql /docker-entrypoint-initdb.d/
CMD ["postgres", "-c", "shared_preload_libraries=pgaudit"]
```

with a new file `010-pgaudit.sql` in the context that holds `CREATE EXTENSION IF NOT EXISTS pgaudit;`.

Beside other scripts it gets a number before the first that uses the extension, and the COPY the flags of theirs. It
needs no COPY where a folder is copied as a whole.

## Why

The first script that calls `cron.schedule` stops the init of the cluster (`schema "cron" does not exist`), and the
container with it.

## Safety

Unsafe: a migration of the application may create the extension, and clusters that exist already do not get it.
pg_cron lives in one database only, `cron.database_name` (`postgres` if nothing sets it): the script goes there first
where the init scripts run in another.

## What it leaves alone

- An extension that a script, a RUN or a heredoc creates, also by a name in a variable.
- Images in which nothing preloads the library: the new script would stop the init. See `postgres-preload`.
- An unknown build context, scripts that cannot be read, and scripts that compose mounts over the folder.
- A new file that `.dockerignore` would keep out, and one that is there already.
- A `cron.database_name` that is not known to be a database of the new cluster.

## Sources

- https://github.com/docker-library/docs/blob/master/postgres/README.md#initialization-scripts
- https://github.com/citusdata/pg_cron#setting-up-pg_cron (`cron.database_name`); tried with PostgreSQL 15
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.model import Known, Refused
from dockfix.project.postgres import servers as postgres_servers
from dockfix.project.target import Target
from dockfix.rule import Category, Change, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Cmd, Entrypoint

if TYPE_CHECKING:
    from dockfix.facts.postgres import Library
    from dockfix.project.postgres import Place as PostgresPlace
    from dockfix.project.postgres import Server as PostgresServer

_WHY: Final = "a database has an extension only once it is created in it"
_DEFAULT: Final = "postgres"
_NAMES: Final = ("$POSTGRES_DB", "${POSTGRES_DB}")


def check(target: Target) -> Iterator[Finding]:
    """Judge the extensions of each image with a server that nothing creates."""
    for server in postgres_servers(target):
        for each in server.installed:
            library = each.library
            if library.name not in server.base_preloads and server.created_by(library) is None:
                message = f"{library.extension} is installed, and no init script creates the extension"
                found = _plan(server, library)
                if isinstance(found, str):
                    yield Refusal(each.run.span, message, found)
                else:
                    edits, change = found
                    review = f"whether a migration creates {library.extension}; a cluster that exists does not get it"
                    yield Fix(each.run.span, message, edits, Safety.UNSAFE, _WHY, review, other_files=(change,))


def _plan(server: PostgresServer, library: Library) -> tuple[tuple[Edit, ...], Change] | str:
    """The new script and its COPY, or why there is to be none."""
    if server.preloaded_by(library, image_only=True) is None:
        return f"nothing in the image preloads {library.name}, so that creating it would stop the init"
    if server.unread:
        return server.unread
    if server.own_entrypoint is not None:
        return f"the ENTRYPOINT of line {server.own_entrypoint.start_line} may run no init scripts"
    try:
        place = server.place(library)
    except Refused as refused:
        return refused.reason
    other_files = _lives_elsewhere(server, library)
    if isinstance(other_files, str):
        return other_files
    context = server.target.context
    real = server.target.project.files.real(context.root / place.source) if context is not None else None
    if real is None:
        return f"{place.source} would lie outside the project"
    connect = f"\\connect {_DEFAULT}\n" if other_files else ""
    script = f"{connect}CREATE EXTENSION IF NOT EXISTS {library.extension};\n"
    return _copy(server, place), Change(real, create=script)


def _lives_elsewhere(server: PostgresServer, library: Library) -> bool | str:
    """Whether pg_cron lives in `postgres` and init scripts may run in another database; or why that is not known."""
    if library.name != "pg_cron":
        return False
    setting = server.cron_database
    here = server.environment("POSTGRES_DB")
    if setting is None or setting[0] == _DEFAULT:
        user = next((each for each in server.init_scripts if server.uses(each, library)), None)
        if user is not None and None not in here and here != (_DEFAULT,) and not server.connects(user):
            return f"{user.source} uses it in {here[0]}, and pg_cron is in {_DEFAULT}: cron.database_name is not set so"
        return here != (_DEFAULT,)
    name, node = setting
    if name in _NAMES:
        fact = server.target.facts.state(node).lookup("POSTGRES_DB") if node is not None else None
        if not isinstance(fact, Known) or here == (None,):
            return False  # the same name says which database the scripts run in
        name = fact.value
    return False if here == (name,) else f"cron.database_name is {name}, and POSTGRES_DB is not known to be {name}"


def _copy(server: PostgresServer, place: PostgresPlace) -> tuple[Edit, ...]:
    """The COPY that brings the script, above that of the first other one; nothing if its folder is copied."""
    if not place.destination:
        return ()
    dockerfile, stage = server.target.dockerfile, server.stage
    model = place.model
    if model is not None and model in stage.instructions:
        words = [place.source, place.destination]
        args = [f'["{words[0]}", "{words[1]}"]'] if model.json else words
        return (surgery.insert_above(dockerfile, model, surgery.line_like(dockerfile, model, args).lstrip()),)
    keyword = "copy" if stage.node.keyword.text.islower() else "COPY"
    line = f"{keyword} {place.source} {place.destination}"
    last = next((node for node in stage.instructions if isinstance(node, Cmd | Entrypoint)), None)
    anchor = last or (stage.node, *stage.instructions)[-1]
    return (surgery.insert_instruction(dockerfile, anchor, line, "", above=last is not None),)


CODEMOD: Final = Codemod(
    name="postgres-extension",
    title="a PostgreSQL extension that no init script creates",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COPIES, Effect.STEPS, Effect.FILES}),
    check=check,
    since="0.1.0",
    triggers=("postgres",),
    page=__doc__,
    findings=("postgres 2",),
)
