"""`dockfix init`: a new Dockerfile."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from dockfix.cli import options
from dockfix.cli.console import Console, console, shown

if TYPE_CHECKING:
    from dockfix.project.templates import Answers


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
    """Write a new Dockerfile with comments that explain it, and a .dockerignore if there is none.

    On a terminal, dockfix asks for what is not given. Else it takes the answers from the manifests in the folder.
    """
    from dockfix.project.problems import InputError  # noqa: PLC0415 - of this command only
    from dockfix.project.templates import (  # noqa: PLC0415 - of this command only
        TEMPLATES,
        InitError,
        check,
        command_words,
        likely_template,
        render,
        suggest,
        with_manager,
        write,
    )

    terminal = console()
    asks = not yes and output != "-" and sys.stdin.isatty() and terminal.out_is_terminal
    if list_templates:
        terminal.out("".join(f"{each:<8}{text}\n" for each, text in TEMPLATES.items()))
        return
    if not Path(output).name:  # nothing, or a folder
        terminal.fail(f"--output: {shown(output)!r} is not the name of a file")
    folder = Path.cwd() if output == "-" else Path(output).parent
    if not folder.is_dir():
        terminal.fail(f"--output: {shown(str(folder))} is not a folder")
    if template is None and not asks:
        terminal.fail(f"a template is required: {', '.join(TEMPLATES)}")
    try:
        if output != "-" and Path(output).exists() and not force:
            raise InitError(f"{output} already exists; --force overwrites it")
        if template is None:
            text = f"Template ({', '.join(TEMPLATES)})"
            template = _ask(
                terminal, text, likely_template(folder.resolve()), lambda each: suggest(each, folder).template
            )
        given = suggest(template, folder.resolve(), name)
        given = given if package_manager is None else with_manager(given, package_manager)
        try:
            command = given.command if entrypoint is None else command_words(entrypoint)
        except InitError as error:
            raise InitError(f"--entrypoint: {error}") from error
        answers = replace(
            given,
            version=given.version if version is None else version,
            port=given.port if port is None else port,
            command=command,
            uid=given.uid if uid is None else uid,
        )
        check(answers)
        if asks:
            answers = _asked(terminal, answers, (name, version, package_manager, port, entrypoint))
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
        terminal.note(f"the build needs {needed}, which does not exist yet")


def _pinned(text: str, folder: Path) -> str:
    """The Dockerfile with the digests of the project's lock file, as the rule `image-pin` writes them."""
    from dockfix.project.config import load_config  # noqa: PLC0415 - as above
    from dockfix.project.target import find_project_root  # noqa: PLC0415 - as above

    config = load_config(folder, find_project_root(folder))
    if "image-pin" not in config.rules:
        return text
    from dockfix.engine.configure import configured_options  # noqa: PLC0415 - of this command only
    from dockfix.engine.project import run  # noqa: PLC0415 - of this command only
    from dockfix.project.target import BuildOptions, target_from_text  # noqa: PLC0415 - of this command only
    from dockfix.rule.registry import Registry, load_registry  # noqa: PLC0415 - of this command only

    pin = load_registry().get("image-pin")
    own = replace(config, rules={"image-pin": config.rules["image-pin"]})
    options = BuildOptions(rule_options=configured_options(own, Registry((pin,))))
    return run(replace(target_from_text(text), build_options=options), [pin], unsafe=True).text


def _asked(terminal: Console, answers: Answers, given: tuple[object, ...]) -> Answers:
    """Ask for what was not given; the defaults are what the project suggests."""
    from dockfix.project.templates import PACKAGE_MANAGERS, check, command_words, with_manager  # noqa: PLC0415 - as above

    name, version, manager, port, entrypoint = given
    managers = PACKAGE_MANAGERS[answers.template]

    def ask(text: str, default: str, take: Callable[[str], Answers]) -> Answers:
        def checked(answer: str) -> Answers:
            taken = take(answer)
            check(taken)
            return taken

        return _ask(terminal, text, default, checked)

    if name is None:
        answers = ask("Name of the image", answers.name, lambda each: replace(answers, name=each))
    if version is None:
        answers = ask("Version", answers.version, lambda each: replace(answers, version=each))
    if manager is None and len(managers) > 1:
        text = f"Package manager ({', '.join(managers)})"
        answers = ask(text, answers.package_manager, lambda each: with_manager(answers, each))
    if port is None:
        answers = ask("Port (0: none)", str(answers.port), lambda each: replace(answers, port=_number(each)))
    if entrypoint is None:
        text = {"go": "Package to build", "rust": "Binary to build", "java": "Jar that the build makes"}.get(
            answers.template, "Command"
        )
        answers = ask(text, shlex.join(answers.command), lambda each: replace(answers, command=command_words(each)))
    return answers


_Answer = TypeVar("_Answer")


def _ask(terminal: Console, text: str, default: str | None, take: Callable[[str], _Answer]) -> _Answer:
    """Ask until `take` accepts an answer."""
    from dockfix.project.templates import InitError  # noqa: PLC0415 - as above

    while True:
        try:
            return take(typer.prompt(text, default=default))
        except InitError as error:
            terminal.out(f"{terminal.out_style('error', 'error')}: {shown(str(error))}\n")


def _number(text: str) -> int:
    from dockfix.project.templates import InitError  # noqa: PLC0415 - as above

    if not re.fullmatch(r"\d{1,5}", text, re.ASCII):
        raise InitError(f"{text!r} is not a port")
    return int(text)
