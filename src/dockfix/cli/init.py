"""`dockfix init`: a new Dockerfile."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dockfix.cli import initialising, options
from dockfix.cli.console import console


def init(
    template: Annotated[
        str | None, typer.Argument(metavar="[TEMPLATE]", help="The template; --list shows all templates.")
    ] = None,
    list_templates: Annotated[bool, typer.Option("--list", help="List the templates and exit.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="The name of the image.")] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            parser=options.whole_number,
            metavar="N",
            help="The port that the service listens on; 0: none.",
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            "--python-version",
            "--node-version",
            "--go-version",
            "--rust-version",
            "--java-version",
            help="The version of the language.",
        ),
    ] = None,
    package_manager: Annotated[
        str | None,
        typer.Option("--package-manager", help="The package manager: uv, pip, poetry; npm, pnpm, yarn; maven, gradle."),
    ] = None,
    entrypoint: Annotated[
        str | None,
        typer.Option(
            "--entrypoint",
            help="The command that starts the program; for Go the package, for Rust the binary, for Java the jar.",
        ),
    ] = None,
    uid: Annotated[
        int | None,
        typer.Option(
            "--uid", parser=options.whole_number, metavar="N", help="The UID and GID of the user, from 10000 on."
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; - for standard output.")
    ] = "Dockerfile",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False,
) -> None:
    """Write a new Dockerfile.

    The Dockerfile has comments that explain it. If there is no .dockerignore, it is written too. On a terminal, dockfix
    asks for what is not given; else it takes the answers from the manifests in the folder.
    """
    terminal = console()
    if list_templates:
        from dockfix.project.templates import TEMPLATES  # noqa: PLC0415 - of this command only

        terminal.out("".join(f"{each:<8}{text}\n" for each, text in TEMPLATES.items()))
        return
    asks = not yes and output != "-" and sys.stdin.isatty() and terminal.out_is_terminal
    request = initialising.Request(
        template=template,
        name=name,
        port=port,
        version=version,
        package_manager=package_manager,
        entrypoint=entrypoint,
        uid=uid,
        output=output,
        force=force,
        asks=asks,
    )
    initialising.initialise(request, terminal)
