"""CMD or ENTRYPOINT starts a shell that only starts a program.

## What it does

Finds `CMD` and `ENTRYPOINT` in shell form whose command is one program with fixed words, and writes the exec form.

## Why is this bad?

The container runs `/bin/sh -c "program ..."`. With the shells of Debian and Ubuntu the shell stays the first process:
`docker stop` sends SIGTERM to it, and not to the program, which is killed after ten seconds without having finished its
work. An `ENTRYPOINT` in shell form also ignores `CMD` and the arguments of `docker run`.

## Example

```dockerfile
FROM python:3.13-slim
CMD gunicorn --bind 0.0.0.0:8000 app:app
```

Use instead:

```dockerfile
FROM python:3.13-slim
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
```

## Fix safety

The fix of a `CMD` is safe if the program gets the same words, environment and working directory: the command needs
nothing of a shell, the base image is known to run its command as it is, and the program is not a file of the project.
The program is the first process then, and gets the signals.

It is unsafe if

- the base image is not known: its `ENTRYPOINT` may look at the command;
- an `ENTRYPOINT` gets the command as its arguments;
- the program is a file that may be a script without `#!`, which only a shell runs;
- it is an `ENTRYPOINT`: the exec form appends `CMD` and the arguments of `docker run`, which the shell form ignores.

## When it does not apply

- A command that needs a shell: variables, patterns, `~`, `&&`, pipes, redirections, assignments, and commands that a
  shell runs itself. Refused; `exec` before the program gives it the signals.
- Another `SHELL` than `sh` or `bash` without options such as `-l`, and Windows.
- A `CMD` that an `ENTRYPOINT` in shell form ignores, and an `ENTRYPOINT` beside a `CMD`, which would become its
  arguments: refused.

## References

- https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
- https://docs.docker.com/reference/build-checks/json-args-recommended/
- [hadolint DL3025](https://github.com/hadolint/hadolint/wiki/DL3025)
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.commands import Commands
from dockfix.facts.entrypoints import effective_entrypoint, reads_command, runs_its_arguments
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Context, Word
from dockfix.syntax.tree import Cmd, Entrypoint

_BUILTINS: Final = frozenset(
    (
        ".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exit", "export", "false",
        "fg", "getopts", "hash", "jobs", "kill", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift",
        "source", "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait",
    )
)  # fmt: skip
"""What a shell runs itself (XCU 2.14 and the utilities of 2.9.1, bash)."""
_SHELLS: Final = frozenset(("sh", "bash", "dash", "ash"))
_PLAIN_OPTIONS: Final = frozenset(("-c", "-o", "pipefail", "-e", "-u", "-ec", "-eu", "-euc", "-euo", "-eo", "errexit"))


def check(target: Target) -> Iterator[Finding]:
    """Check the CMD and the ENTRYPOINT that are in effect at the end of each stage of the image."""
    for stage in target.facts.graph.stages:
        if not target.facts.graph.in_image(stage) or (stage.base is not None and stage.base.family == "windows"):
            continue
        last = {type(node): node for node in stage.executed if isinstance(node, Cmd | Entrypoint)}
        entrypoint = effective_entrypoint(target.facts, stage)
        for node in last.values():
            if node.json or node.heredocs or (isinstance(node, Cmd) and entrypoint and not entrypoint.json):
                continue
            commands = target.facts.commands(node)
            if commands.script is not None and commands.script.commands:
                yield _finding(target, stage, node, commands, entrypoint)


def _finding(
    target: Target, stage: Stage, node: Cmd | Entrypoint, commands: Commands, entrypoint: Entrypoint | None
) -> Finding:
    at = node.text.span(0, len(node.text.text))
    message = f"`{node.name}` starts a shell, which may keep signals from the program"
    words = _words(commands)
    blocker = _blocker(target, node, commands, words) if words else _need(commands)
    if blocker is not None:
        return Refusal(at, message, blocker, Severity.INFO)
    edits = _edits(commands, node, words)
    review = _review(target, stage, node, words, entrypoint)
    safety = Safety.UNSAFE if review else Safety.SAFE
    return Fix(at, message, edits, safety, "use the exec form", review)


def _words(commands: Commands) -> tuple[Word, ...]:
    """The words of the program, without `exec`; none if the command is more than a program with fixed words."""
    script = commands.script
    if script is None or len(script.commands) != 1 or len(script.top_level) != 1 or script.comments:
        return ()
    (command,) = script.commands
    if command.context is not Context.NONE or command.assignments or command.redirects or command.after is not None:
        return ()
    words = command.words[1:] if command.name == "exec" else command.words
    if not words or any(word.value is None for word in words) or words[0].text.startswith("-"):
        return ()
    return words


def _need(commands: Commands) -> str:
    """Why a command needs a shell."""
    script = commands.script
    if script is not None and len(script.commands) > 1:
        return "it is more than one command; `exec` before the last program gives it the signals"
    return "the shell expands or redirects something in it; `exec` before the program gives it the signals"


def _blocker(target: Target, node: Cmd | Entrypoint, commands: Commands, words: Sequence[Word]) -> str | None:
    """Why the words cannot stand for themselves."""
    name = words[0].value or ""
    if name in _BUILTINS:
        return f"the shell runs `{name}` itself"
    shell = commands.shell or ()
    if not shell or posixpath.basename(shell[0]) not in _SHELLS or not set(shell[1:]) <= _PLAIN_OPTIONS:
        return "the `SHELL` may do more than start the program"
    if any("\n" in target.dockerfile.text[slice(*commands.span(word))] for word in words):
        return "a word continues on the next line"
    if isinstance(node, Entrypoint):
        stage = target.facts.stage_of(node)
        cmd = next((each for each in reversed(stage.executed if stage else ()) if isinstance(each, Cmd)), None)
        if cmd is not None:
            return f"the `CMD` on line {cmd.start_line}, which the shell form ignores, would become its arguments"
    return None


def _review(
    target: Target, stage: Stage, node: Cmd | Entrypoint, words: Sequence[Word], entrypoint: Entrypoint | None
) -> str:
    """What a reader of the fix must check; empty if the program starts as it did."""
    points: list[str] = []
    name = words[0].value or ""
    if isinstance(node, Entrypoint):
        points.append("check that nothing passes arguments to the container: they are ignored today")
    elif entrypoint is not None and not runs_its_arguments(entrypoint.argv or ()):
        points.append(f"check that the `ENTRYPOINT` on line {entrypoint.start_line} runs its arguments as a command")
    elif entrypoint is None and (stage.base is None or reads_command(stage)):
        points.append("check that the base image has no `ENTRYPOINT` that looks at the command")
    if ("/" in name and posixpath.dirname(name) not in _PROGRAMS) or name.endswith(".sh"):
        points.append(f"check that `{name}` is a program, or begins with `#!`")
    if target.facts.end_state(stage).shell_assumed:
        points.append("check that the base image sets no `SHELL`")
    return "; ".join(dict.fromkeys(points))


_PROGRAMS: Final = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
"""Folders of installed programs, which are binaries or begin with `#!`."""


def _edits(commands: Commands, node: Cmd | Entrypoint, words: Sequence[Word]) -> tuple[Edit, ...]:
    """Each word as a string of JSON, in its place: continuations and comments between the words stay."""
    edits: list[Edit] = []
    for index, word in enumerate(words):
        span = commands.span(word)
        start = node.text.start(0) if index == 0 else span.start
        text = json.dumps(word.value, ensure_ascii=False)
        before, after = "[" if index == 0 else "", "]" if index == len(words) - 1 else ","
        edits.append(Edit(start, span.end, f"{before}{text}{after}"))
    return tuple(edits)


CODEMOD: Final = Codemod(
    name="exec-form",
    title="CMD or ENTRYPOINT starts a shell that only starts a program",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("cmd", "entrypoint"),
    hadolint=frozenset({"DL3025"}),
    checks=frozenset({"JSONArgsRecommended"}),
    promise=Promise(
        config=frozenset({Part.COMMAND, Part.ENTRYPOINT}),
        rationale="The container runs the same program with the same words, without a shell above it.",
    ),
)
