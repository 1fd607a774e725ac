"""Whether the start of a container needs root: its program changes the user itself, or starts others that do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.entrypoints import INITS, base_entrypoint, effective_entrypoint
from dockfix.facts.model import Known
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Stage
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.project.copied_files import context_file
from dockfix.project.target import Target
from dockfix.syntax.shell import SimpleCommand, parse_shell
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Instruction, Run
from dockfix_codemods.root_user.programs import INTERACTIVE, ROOT_STARTERS, STEP_DOWN_TOOLS, SUPERVISORS

_FOLDERS: Final = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")


def holds_tools(target: Target, program: Sequence[Instruction]) -> bool:
    """Whether an image contains a tool that starts programs as another user.

    Args:
        target: the Dockerfile.
        program: the instructions of its final stage and of the stages that it is based on.
    """
    for node in program:
        words: Iterator[str] = iter(())
        if isinstance(node, Copy | Add):
            words = (word.text for word in node.paths)
        elif isinstance(node, Run):
            commands = (step.command for step in target.facts.commands(node).steps)
            words = (word.value or word.text for command in commands for word in command.words)
        names = (re.split(r"[=@]|-(?:amd|arm|linux|\$|v?\d)", posixpath.basename(word))[0] for word in words)
        if any(name in STEP_DOWN_TOOLS or name in SUPERVISORS or name.startswith("s6-") for name in names):
            return True
    return False


def starts_as_root(target: Target, stage: Stage, program: Sequence[Instruction]) -> bool | None:
    """Whether the start needs root; None if that is not known, or if nothing but a shell or an interpreter starts."""
    entrypoint, cmd = effective_entrypoint(target.facts, stage), _effective_cmd(target, stage)
    nodes = [node for node in (entrypoint, cmd) if node is not None]
    commands = [step.command for node in nodes for step in target.facts.commands(node).steps]
    if any(map(_needs_root, commands)):
        return True
    if not commands or (entrypoint is None and base_entrypoint(stage) is None):
        return None
    known = all(word.value is not None for command in commands for word in command.words[:1])
    if not known or all(map(_is_interactive, commands)):
        return None
    verdicts = [_script(target, program, path) for path in _scripts(target, stage, commands)]
    return True if True in verdicts else None if None in verdicts else False


def _effective_cmd(target: Target, stage: Stage) -> Cmd | None:
    """The CMD of the image; an ENTRYPOINT clears that of its base image (BuildKit, `dispatchEntrypoint`)."""
    for each in target.facts.graph.chain(stage):
        found = [node for node in each.program if isinstance(node, Cmd | Entrypoint)]
        cmd = next((node for node in reversed(found) if isinstance(node, Cmd)), None)
        if found:
            return cmd
    return None


def _needs_root(command: SimpleCommand) -> bool:
    """Whether a command is, or names, a program that starts as root."""
    names = [re.sub(r"[\d.]+", "", posixpath.basename(word.value or "")) for word in command.words]
    if any(name in STEP_DOWN_TOOLS or name.startswith("s6-") for name in names):
        return True
    first = next((name for name in names if name not in INITS and not name.startswith("-")), "")
    return first in ROOT_STARTERS or first in SUPERVISORS or first in ("php-fpm", "phpfpm")


def _is_interactive(command: SimpleCommand) -> bool:
    name = (command.basename or "").rstrip("0123456789.")
    return name in INTERACTIVE and all((word.value or "-").startswith("-") for word in command.args)


def _scripts(target: Target, stage: Stage, commands: Sequence[SimpleCommand]) -> Iterator[str]:
    """The paths of the files that commands may run."""
    workdir = target.facts.end_state(stage).workdir
    here = workdir.value if isinstance(workdir, Known) else "/"
    for command in commands:
        wraps = has_trait(command.basename, Trait.SHELL) or command.basename in INITS
        for word in command.words if wraps else command.words[:1]:
            value = word.value or ""
            if "/" in value:
                yield normal_path(posixpath.join(here, value))
            elif not value.startswith("-"):
                yield from (f"{folder}/{value}" for folder in _FOLDERS)
                if wraps:
                    yield normal_path(posixpath.join(here, value))


def _script(target: Target, program: Sequence[Instruction], path: str) -> bool | None:
    """Whether the file at a path needs root; None if it is a file that cannot be read, False if there is none."""
    for node in program:
        if isinstance(node, Copy | Add):
            file = context_file(target, node, path)
            if file is not None:
                text = target.context.read_text(file.value) if target.context and isinstance(file, Known) else None
                return None if text is None else _text_needs_root(text)
        elif isinstance(node, Run):
            redirects = (each for step in target.facts.commands(node).steps for each in step.command.redirects)
            if any(each.target is not None and each.target.value == path for each in redirects):
                return None
    return False


def _text_needs_root(text: str) -> bool | None:
    """Whether a script needs root; None if it cannot be read."""
    if "setuid" in text or "initgroups" in text:
        return True
    first = text.partition("\n")[0]
    if first.startswith("#!") and not re.search(r"\b(?:ba|da|a)?sh\b", first):
        return False
    script = parse_shell(text)
    return any(map(_needs_root, script.commands)) if script.ok else None
