"""`dockfix init`: a new Dockerfile."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dockfix.cli import completing, initialising, options
from dockfix.cli.console import console


def init(
    template: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEMPLATE]",
            autocompletion=completing.templates,
            help="The template: python, node, go, rust or java.",
        ),
    ] = None,
    list_templates: Annotated[bool, typer.Option("--list", help="List the templates, and exit.")] = False,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The name of the image.")] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            parser=options.whole_number,
            metavar="N",
            help="The port that the service listens on; 0 for none.",
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
            metavar="VERSION",
            help="The version of the language.",
        ),
    ] = None,
    package_manager: Annotated[
        str | None,
        typer.Option(
            "--package-manager",
            metavar="NAME",
            autocompletion=completing.package_managers,
            help="The package manager: uv, pip or poetry; npm, pnpm or yarn; maven or gradle.",
        ),
    ] = None,
    entrypoint: Annotated[
        str | None,
        typer.Option(
            "--entrypoint",
            metavar="COMMAND",
            help="The command that starts the program; for go the package to build, for rust the binary, for java the"
            " jar.",
        ),
    ] = None,
    uid: Annotated[
        int | None,
        typer.Option(
            "--uid", parser=options.whole_number, metavar="N", help="The UID and GID of the user, from 10000 on."
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            help="The file to write; - for standard output. Default: Dockerfile.",
        ),
    ] = "Dockerfile",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask no questions.")] = False,
) -> None:
    """Write a new Dockerfile.

    The Dockerfile has comments that explain it. If there is no .dockerignore, it is written too. On a terminal, dockfix
    asks for what is not given; elsewhere, and with --yes, it takes the answers from the manifests in the folder.
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
