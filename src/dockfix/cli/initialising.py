"""What `dockfix init` does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer
from msgspec import Struct
from msgspec.structs import replace

from dockfix.cli.console import Console, shown
from dockfix.cli.errors import INTERRUPTED

if TYPE_CHECKING:
    from dockfix.project.templates import Answers

__all__ = ["Request", "initialise"]

_Answer = TypeVar("_Answer")


class Request(Struct, frozen=True):
    """The options of `dockfix init`; None for what was not given. `asks`: whether to ask for it."""

    template: str | None
    name: str | None
    port: int | None
    version: str | None
    package_manager: str | None
    entrypoint: str | None
    uid: int | None
    output: str
    force: bool
    asks: bool


def initialise(request: Request, terminal: Console) -> None:
    """Write a new Dockerfile, and a .dockerignore if there is none; ends the command with exit code 2 on an error."""
    from dockfix.project.problems import InputError  # noqa: PLC0415 - with what follows, of this command only
    from dockfix.project.templates import (  # noqa: PLC0415
        TEMPLATES,
        InitError,
        check_template,
        render,
        write,
    )
    from dockfix.project.temporary import remove_leftovers  # noqa: PLC0415

    to_file = request.output != "-"
    if not Path(request.output).name:  # nothing, or a folder
        terminal.fail(f"--output: {shown(request.output)!r} is not the name of a file")
    folder = Path(request.output).parent if to_file else Path.cwd()
    if not folder.is_dir():
        terminal.fail(f"--output: {shown(str(folder))} is not a folder")
    if request.template is None and not request.asks:
        terminal.fail(f"a template is required: {', '.join(TEMPLATES)}")
    try:
        if request.template is not None:
            check_template(request.template)
        if to_file:
            remove_leftovers([folder])
        if to_file and Path(request.output).exists() and not request.force:
            raise InitError(f"{request.output} already exists; --force overwrites it")
        skeleton = render(_answers(request, folder, terminal), folder)
        skeleton = replace(skeleton, dockerfile=_pinned(skeleton.dockerfile, folder))
        if not to_file:
            terminal.out(skeleton.dockerfile)
            return
        written = write(skeleton, Path(request.output), force=request.force)
    except (InitError, InputError, ValueError, OSError) as error:
        terminal.fail(shown(str(error)))
    for path in written:
        terminal.out(f"{shown(str(path))}\n")
    for needed in skeleton.missing:
        terminal.note(f"the build needs {needed}, which does not exist yet")


def _answers(request: Request, folder: Path, terminal: Console) -> Answers:
    """The answers to all questions: the options, else what the user answers, else what the project suggests."""
    from dockfix.project.templates import (  # noqa: PLC0415 - as above
        TEMPLATES,
        InitError,
        check,
        command_words,
        likely_template,
        suggest,
        with_manager,
    )

    template = request.template
    if template is None:
        text = f"Template ({', '.join(TEMPLATES)})"
        template = _ask(terminal, text, likely_template(folder.resolve()), lambda each: suggest(each, folder).template)
    given = suggest(template, folder.resolve(), request.name)
    given = given if request.package_manager is None else with_manager(given, request.package_manager)
    try:
        command = given.command if request.entrypoint is None else command_words(request.entrypoint)
    except InitError as error:
        raise InitError(f"--entrypoint: {error}") from error
    answers = replace(
        given,
        version=given.version if request.version is None else request.version,
        port=given.port if request.port is None else request.port,
        command=command,
        uid=given.uid if request.uid is None else request.uid,
    )
    check(answers)
    return _asked(terminal, answers, request) if request.asks else answers


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


def _asked(terminal: Console, answers: Answers, request: Request) -> Answers:
    """Ask for what was not given; the defaults are what the project suggests."""
    from dockfix.project.templates import PACKAGE_MANAGERS, check, command_words, with_manager  # noqa: PLC0415 - as above

    managers = PACKAGE_MANAGERS[answers.template]

    def ask(text: str, default: str, take: Callable[[str], Answers]) -> Answers:
        def checked(answer: str) -> Answers:
            taken = take(answer)
            check(taken)
            return taken

        return _ask(terminal, text, default, checked)

    if request.name is None:
        answers = ask("Name of the image", answers.name, lambda each: replace(answers, name=each))
    if request.version is None:
        answers = ask("Version", answers.version, lambda each: replace(answers, version=each))
    if request.package_manager is None and len(managers) > 1:
        text = f"Package manager ({', '.join(managers)})"
        answers = ask(text, answers.package_manager, lambda each: with_manager(answers, each))
    if request.port is None:
        answers = ask("Port (0: none)", str(answers.port), lambda each: replace(answers, port=_number(each)))
    if request.entrypoint is None:
        text = {"go": "Package to build", "rust": "Binary to build", "java": "Jar that the build makes"}.get(
            answers.template, "Command"
        )
        answers = ask(text, shlex.join(answers.command), lambda each: replace(answers, command=command_words(each)))
    return answers


def _ask(terminal: Console, text: str, default: str | None, take: Callable[[str], _Answer]) -> _Answer:
    """Ask until `take` accepts an answer."""
    from dockfix.project.templates import InitError  # noqa: PLC0415 - as above

    while True:
        try:
            return take(typer.prompt(text, default=default))
        except (typer.Abort, KeyboardInterrupt):  # Ctrl-C, or the end of input
            terminal.err("\ndockfix: interrupted; nothing was written")
            raise SystemExit(INTERRUPTED) from None
        except InitError as error:
            terminal.prose(f"{terminal.out_style('error', 'error')}: {shown(str(error))}\n")


def _number(text: str) -> int:
    from dockfix.project.templates import InitError  # noqa: PLC0415 - as above

    if not re.fullmatch(r"\d{1,5}", text, re.ASCII):
        raise InitError(f"{text!r} is not a port")
    return int(text)
