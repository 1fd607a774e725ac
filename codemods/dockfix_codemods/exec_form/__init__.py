"""CMD or ENTRYPOINT starts a shell that only starts a program.

## What it does

Finds `CMD` and `ENTRYPOINT` in shell form whose command is one program with fixed words, and writes the exec form.
It also reports a `CMD` or `ENTRYPOINT` that looks like exec form but is not valid JSON, such as `CMD ["serve" "-v"]`:
the builder does not reject it, and the container runs it in a shell.

## Why is this bad?

The container runs `/bin/sh -c "program ..."`. With the shell of Debian and Ubuntu (dash) the shell stays the first
process: `docker stop` sends SIGTERM to it, and not to the program, which is killed after ten seconds without having
finished its work. bash and busybox replace themselves with a single program. An `ENTRYPOINT` in shell form also ignores
`CMD` and the arguments of `docker run`.

## Example

```dockerfile
FROM python:3.13-slim
CMD python -m http.server 8000
```

Use instead:

```dockerfile
FROM python:3.13-slim
CMD ["python", "-m", "http.server", "8000"]
```

## Fix safety

The fix of a `CMD` is safe if the container starts the same program with the same words, variables of the image and
working directory: the command needs nothing of a shell, the base image is known to have no `ENTRYPOINT`, and the
program belongs to the base image or to a package, or is a file of the build context that begins with `#!` or is a
binary.

The program is the first process then. It gets the signals, but without a handler of its own it ignores SIGTERM and
Ctrl-C, as the shell did with SIGTERM, and it is not relieved of orphaned processes; `docker run --init` does both. A
shell also sets `PWD`, and dash and busybox drop variables with names such as `a.b`.

It is unsafe if

- the base image is not known, an `ARG` chooses it, or it has an `ENTRYPOINT`, which may look at the command, like that
  of `node`;
- an `ENTRYPOINT` of the file gets the command as its arguments;
- the program may be a script without `#!`, which only a shell runs: a file of the project that dockfix cannot read, or
  one that a `RUN` writes, copies or downloads;
- it is an `ENTRYPOINT`: the exec form appends `CMD` and the arguments of `docker run`, which the shell form ignores.

## When it does not apply

- A command that needs a shell: variables, patterns, `~`, `&&`, pipes, redirections, assignments, and commands that a
  shell runs itself. Refused; `exec` before the program gives it the signals.
- Literal text with `$`, which looks like a variable in exec form: refused.
- Another `SHELL` than `sh` or `bash` without options such as `-l`, bash with `BASH_ENV`, which names a file that it
  reads first, and Windows.
- A `CMD` that an `ENTRYPOINT` in shell form ignores, and an `ENTRYPOINT` with a `CMD`, or with a `command` of a
  compose file, which would become its arguments: refused.

## References

- https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
- https://docs.docker.com/reference/build-checks/json-args-recommended/
- [hadolint DL3025](https://github.com/hadolint/hadolint/wiki/DL3025)
- GNU Bash manual 6.2, on `BASH_ENV`; POSIX XCU 2.9.1.1, on scripts without `#!`
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.commands import Commands
from dockfix.facts.entrypoints import base_entrypoint, effective_entrypoint, reads_command, runs_its_arguments
from dockfix.facts.model import known
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Word
from dockfix.syntax.tree import Cmd, Entrypoint
from dockfix_codemods.exec_form.blockers import blocker_of, looks_like_json, need, words_of
from dockfix_codemods.exec_form.programs import SHELLS, program_doubt


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
            if commands.shell is None or posixpath.basename(commands.shell[0]) not in SHELLS or not node.script:
                continue
            yield from _findings(target, stage, node, commands, entrypoint)


def _findings(
    target: Target, stage: Stage, node: Cmd | Entrypoint, commands: Commands, entrypoint: Entrypoint | None
) -> Iterator[Finding]:
    at = node.text.span(0, len(node.text.text))
    if looks_like_json(commands):
        text = " ".join(commands.text.text.split())
        message = f"this `{node.name}` is not valid JSON, so a shell runs it: `{text}`"
        yield Advice(at, message, help="correct the JSON: each word in double quotes, with commas between")
        return
    message = f"`{node.name}` starts a shell, which may keep signals from the program"
    if commands.script is None:
        yield Refusal(at, message, commands.why or "the shell text could not be parsed", Severity.INFO)
    if commands.script is None or not commands.script.commands:
        return
    words = words_of(commands)
    blocker = blocker_of(target, stage, node, commands, entrypoint, words) if words else need(commands)
    if blocker is not None:
        yield Refusal(at, message, blocker, Severity.INFO)
        return
    review = _review(target, stage, node, words, entrypoint)
    safety = Safety.UNSAFE if review else Safety.SAFE
    yield Fix(at, message, _edits(commands, node, words), safety, "use the exec form", review)


def _review(
    target: Target, stage: Stage, node: Cmd | Entrypoint, words: Sequence[Word], entrypoint: Entrypoint | None
) -> str:
    """What a reader of the fix must check; empty if the program starts as it did."""
    points: list[str] = []
    if isinstance(node, Entrypoint):
        points.append("check that nothing passes arguments to the container: they are ignored today")
    elif entrypoint is not None and not runs_its_arguments(entrypoint.argv or ()):
        points.append(f"check that the `ENTRYPOINT` on line {entrypoint.start_line} runs its arguments as a command")
    elif entrypoint is None:
        points += _base_doubts(target, stage)
    doubt = program_doubt(target, stage, words[0].value or "")
    if doubt is not None:
        points.append(doubt)
    if target.facts.end_state(stage).shell_assumed:
        points.append("check that the base image sets no `SHELL`")
    return "; ".join(dict.fromkeys(points))


def _base_doubts(target: Target, stage: Stage) -> Iterator[str]:
    """What the ENTRYPOINT of the base image may do with the command."""
    image, does = known(stage.base_ref), base_entrypoint(stage)
    if does:
        yield f"check that the program starts as it did: the `ENTRYPOINT` of `{image}` {does}"
    elif does is None or reads_command(stage):
        yield "check that the base image has no `ENTRYPOINT` that looks at the command"
    chosen = sorted(frozenset[str]().union(*(each.assumes for each in target.facts.graph.chain(stage))))
    if chosen:
        yield f"check that no `ENTRYPOINT` of another base image, which `{chosen[0]}` may choose, looks at the command"


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
