"""`dockfix init`: a new Dockerfile."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockfix.cli.console import console, shown

if TYPE_CHECKING:
    from dockfix.project.init import Answers


def init(
    template: Annotated[
        str | None, typer.Argument(metavar="[TEMPLATE]", help="What to begin with; --list shows the templates.")
    ] = None,
    list_templates: Annotated[bool, typer.Option("--list", help="List the templates, and do nothing else.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="The name of the image.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="The port that the service listens on; 0 if there is none.")
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
            help="The language's version.",
        ),
    ] = None,
    package_manager: Annotated[
        str | None, typer.Option("--package-manager", help="uv, pip, poetry; npm, pnpm, yarn; maven, gradle.")
    ] = None,
    entrypoint: Annotated[
        str | None,
        typer.Option(
            "--entrypoint",
            help="The command that starts the program; for Go the package, for Rust the binary, for Java the jar.",
        ),
    ] = None,
    uid: Annotated[int | None, typer.Option("--uid", help="The uid and gid of the user, from 10000.")] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - for standard output.")
    ] = "Dockerfile",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, also on a terminal.")] = False,
) -> None:
    """Write a new Dockerfile with its reasons, and a .dockerignore if there is none.

    What is not given is asked for on a terminal, and else taken from the manifests that are there.
    """
    from dockfix.project.init import TEMPLATES, InitError, render, suggest, with_manager, write  # noqa: PLC0415 - by this one only
    from dockfix.project.problems import InputError  # noqa: PLC0415 - of this command only

    terminal = console()
    if list_templates:
        terminal.out("".join(f"{each:<8}{text}\n" for each, text in TEMPLATES.items()))
        return
    if template is None:
        terminal.fail(f"which template? There are {', '.join(TEMPLATES)}")
    folder = Path.cwd() if output == "-" else Path(output).parent
    if not folder.is_dir():
        terminal.fail(f"--output: {shown(str(folder))} is not a folder")
    try:
        given = suggest(template, folder.resolve())
        given = given if package_manager is None else with_manager(given, package_manager)
        answers = replace(
            given,
            name=given.name if name is None else name,
            version=given.version if version is None else version,
            port=given.port if port is None else port,
            command=given.command if entrypoint is None else tuple(shlex.split(entrypoint)),
            uid=given.uid if uid is None else uid,
        )
        if not yes and output != "-" and sys.stdin.isatty() and terminal.out_is_terminal:
            answers = _asked(answers, (name, version, package_manager, port, entrypoint))
        skeleton = render(answers, folder)
        skeleton = replace(skeleton, dockerfile=_pinned(skeleton.dockerfile, folder))
        if output == "-":
            terminal.out(skeleton.dockerfile)
            return
        written = write(skeleton, Path(output), force=force)
    except (InitError, InputError, ValueError, OSError) as error:
        terminal.fail(shown(str(error)))
    for path in written:
        terminal.out(f"{shown(str(path))}\n")
    for needed in skeleton.missing:
        terminal.note(f"the build needs {needed}, which is not there yet")


def _pinned(text: str, folder: Path) -> str:
    """The Dockerfile with the digests that the project's lock file has, as the rule `image-pin` puts them in."""
    from dockfix.project.config import load_config  # noqa: PLC0415 - as above

    config = load_config(folder.resolve())
    if config.image_lock is None or config.path is None:
        return text
    from dockfix.codemod.registry import load_registry  # noqa: PLC0415 - of this command only
    from dockfix.engine.project import run  # noqa: PLC0415 - of this command only
    from dockfix.project.imagelock import read_image_lock  # noqa: PLC0415 - of this command only
    from dockfix.project.target import target_from_text  # noqa: PLC0415 - of this command only

    lock = read_image_lock(config.image_lock, config.path.resolve().parent)
    return run(replace(target_from_text(text), image_lock=lock), [load_registry().get("image-pin")], unsafe=True).text


def _asked(answers: Answers, given: tuple[object, ...]) -> Answers:
    """Ask for what was not given, with what the project suggests as the default."""
    from dockfix.project.init import PACKAGE_MANAGERS, with_manager  # noqa: PLC0415 - as above

    name, version, manager, port, entrypoint = given
    managers = PACKAGE_MANAGERS[answers.template]
    if name is None:
        answers = replace(answers, name=typer.prompt("Name of the image", default=answers.name))
    if version is None:
        answers = replace(answers, version=typer.prompt("Version", default=answers.version))
    if manager is None and len(managers) > 1:
        text = f"Package manager ({', '.join(managers)})"
        answers = with_manager(answers, typer.prompt(text, default=answers.package_manager))
    if port is None:
        answers = replace(answers, port=typer.prompt("Port (0: none)", default=answers.port, type=int))
    if entrypoint is None:
        text = {"go": "Package to build", "rust": "Binary to build", "java": "Jar that the build makes"}.get(
            answers.template, "Command"
        )
        command = typer.prompt(text, default=shlex.join(answers.command))
        answers = replace(answers, command=tuple(shlex.split(command)))
    return answers
