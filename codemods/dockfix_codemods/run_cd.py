"""`cd` is used where `WORKDIR` sets the folder.

## What it does
Checks for a `RUN` that begins with `cd`. Where the next instruction that depends on the working directory is an
absolute `WORKDIR`, the fix replaces `cd` by a `WORKDIR` above the `RUN`. A `RUN` that is nothing but `cd` has no effect
and becomes a `WORKDIR`.

## Why is this bad?
`cd` lasts only until the end of its `RUN`: the next instruction starts in the old folder again, which is a common
mistake. With `WORKDIR` the folder of each step is written where readers and tools look for it.

## Example
```dockerfile
FROM golang:1.23
COPY . /src
RUN cd /src && go build -o /bin/app
WORKDIR /data
CMD ["app"]
```

Use instead:

```dockerfile
FROM golang:1.23
COPY . /src
WORKDIR /src
RUN go build -o /bin/app
WORKDIR /data
CMD ["app"]
```

## Fix safety
All fixes are unsafe. Nothing but the `RUN` itself runs in the new folder, since an absolute `WORKDIR` follows before
anything else depends on the working directory. The folder exists, since `cd` succeeds today. Review whether it is a
symbolic link, and whether the script depends on how it is spelled.

A `RUN` that is nothing but `cd` is different: with the `WORKDIR`, all later steps and the container run in that
folder. That was probably meant, but it changes the build.

## When it does not apply
- `cd` in the middle of a list of commands, in a subshell, loop or branch, or before `;` or `||`: it may be what keeps
  the steps in one layer.
- A folder that the same `RUN` removes, and `/tmp`.
- A `cd` to `-`, `~`, to nothing, or with options.
- Advice instead of a fix: later instructions depend on the working directory, which a `WORKDIR` would change for them,
  or the folder is not known (a variable of the shell, a relative path in an unknown folder).
- Refused: the script uses `OLDPWD` or `cd -`, or the `RUN` has mounts, which may be what makes the folder.
- Refused: a comment for a tool, such as `# hadolint ignore=`, above a `RUN` that would become a `WORKDIR`.
- Exec form, ONBUILD, PowerShell and cmd.

## References
- [Dockerfile reference: WORKDIR](https://docs.docker.com/reference/dockerfile/#workdir)
- moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go`, `dispatchWorkdir`
- [hadolint DL3003](https://github.com/hadolint/hadolint/wiki/DL3003)
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts.commands import Commands
from dockfix.facts.model import Known, Refused
from dockfix.facts.paths import is_below, normal_path
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.shell import SimpleCommand
from dockfix.syntax.tree import Add, Copy, Instruction, Run, Unknown, Workdir
from dockfix.syntax.words import variables

_PLAIN: Final = re.compile(r"/[\w@%+=:,./-]*\Z", re.ASCII)
_WORD: Final = re.compile(r"(?:[\w@%+=:,./-]|\$\{\w+\}|\$\w+)+\Z", re.ASCII)
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - paths in an image
_BACK: Final = ("OLDPWD", "cd -", "dirs", "popd")


def check(target: Target) -> Iterator[Finding]:
    """Check the first command of each RUN."""
    for stage in target.facts.graph.stages:
        for index, run in enumerate(stage.executed):
            if not isinstance(run, Run):
                continue
            commands = target.facts.commands(run)
            first = commands.script.top_level[0] if commands.script and commands.script.top_level else None
            if isinstance(first, SimpleCommand) and first.name == "cd":
                yield from _check(target, stage, run, commands, first, stage.executed[index + 1 :])


def _check(
    target: Target, stage: Stage, run: Run, commands: Commands, cd: SimpleCommand, later: Sequence[Instruction]
) -> Iterator[Finding]:
    if len(cd.args) != 1 or cd.redirects or cd.assignments or cd.args[0].text.startswith(("-", "~")):
        return
    word = cd.args[0].text
    where = _folder(target, run, word)
    if where is not None and (_is_temporary(where) or _is_removed(commands, where, word)):
        return
    at = commands.span(cd)
    if cd.after is None and len(commands.steps) == 1:
        yield _without_effect(target, run, commands, cd, where)
        return
    if cd.after is None or cd.after.text != "&&":
        return
    message = f"`cd {word}` instead of `WORKDIR` sets the folder of a `RUN`"
    workdir = _next_workdir(target, later)
    if where is None or workdir is None:
        yield Advice(at, message, cause=f"stage {stage.index}", help="use `WORKDIR`")
        return
    if blocker := _blocker(run, commands):
        yield Refusal(at, message, blocker)
        return
    path = word if word.startswith(("/", "$")) else where
    try:
        edits = _edits(target, run, commands, cd, path, workdir)
    except Refused as refused:
        yield Refusal(at, message, refused.reason)
        return
    review = f"check that `{path}` is not a symbolic link whose name the script depends on"
    yield Fix(at, message, edits, Safety.UNSAFE, f"replace it with `WORKDIR {path}` above the `RUN`", review)


def _folder(target: Target, run: Run, word: str) -> str | None:
    """The folder that a word of the shell names, if WORKDIR expands the word in the same way; None if unknown."""
    if not _WORD.match(word):
        return None
    state = target.facts.state(run)
    if not all(isinstance(state.lookup(name), Known) for name in variables(word, run.escape)):
        return None  # WORKDIR does not know what only the shell sets: `$HOME/x` would be `/x`
    value = state.expand(word, run.escape)
    if not isinstance(value, Known) or not value.value:
        return None
    if value.value.startswith("/"):
        return normal_path(value.value) if _PLAIN.match(value.value) else None
    if "$" in word or not isinstance(state.workdir, Known) or state.workdir_assumes or state.sets("CDPATH"):
        return None
    path = normal_path(posixpath.join(state.workdir.value, value.value))
    return path if _PLAIN.match(path) else None


def _is_temporary(where: str) -> bool:
    return any(is_below(where, folder) or where == folder for folder in _TEMPORARY)


def _is_removed(commands: Commands, where: str, word: str) -> bool:
    """Whether the script removes the folder, or one above it."""
    for step in commands.steps:
        if step.command.basename not in ("rm", "rmdir"):
            continue
        for each in step.command.args:
            text = (each.value or each.text).rstrip("/*")
            if text == word or (text.startswith("/") and (text == where or is_below(where, text))):
                return True
    return False


def _next_workdir(target: Target, later: Sequence[Instruction]) -> Workdir | None:
    """The absolute WORKDIR that follows before anything depends on the working directory."""
    for instruction in later:
        if isinstance(instruction, Workdir):
            path = target.facts.state(instruction).expand(instruction.args[0].text) if instruction.args else None
            return instruction if isinstance(path, Known) and path.value.startswith("/") else None
        if isinstance(instruction, Run | Copy | Add | Unknown):
            return None
    return None


def _blocker(run: Run, commands: Commands) -> str | None:
    if any(text in commands.text.text for text in _BACK):
        return "the script returns to the folder before `cd`"
    if run.flag("mount") is not None:
        return "a mount may be what makes the folder, and `WORKDIR` would create it in the image"
    if run.heredocs:
        return "the `RUN` has a heredoc"
    return None


def _edits(
    target: Target, run: Run, commands: Commands, cd: SimpleCommand, path: str, workdir: Workdir
) -> tuple[Edit, ...]:
    """The edits that put a WORKDIR above a RUN and remove its `cd`.

    A WORKDIR of the same folder that follows directly moves up.
    """
    file = target.dockerfile
    removal = editing.delete_commands(file, run, commands.text, cd, cd)
    following = file.instructions[bisect_right(file.instructions, run.span.start, key=lambda each: each.span.start)]
    follows = following is workdir
    if follows and len(workdir.args) == 1 and workdir.args[0].text == path and not file.above(workdir):
        return (*editing.move_above(file, [workdir], run), *removal)
    return (editing.insert_above(file, run, f"{_keyword(run)} {path}"), *removal)


def _keyword(run: Run) -> str:
    return "workdir" if run.keyword.text.islower() else "WORKDIR"


def _without_effect(target: Target, run: Run, commands: Commands, cd: SimpleCommand, where: str | None) -> Finding:
    """A RUN that is nothing but `cd`."""
    word = cd.args[0].text
    message = f"`RUN cd {word}` has no effect: the next instruction starts in the old folder"
    at = commands.span(cd)
    if where is None or run.flags or run.heredocs:
        return Advice(at, message, Severity.WARNING, help="use `WORKDIR`")
    head = commands.text.span(cd.start, cd.args[0].start)
    if "\n" in target.text[head.start : head.end]:
        return Advice(at, message, Severity.WARNING, help="use `WORKDIR`")
    try:
        edits = (editing.replace_keyword(target.dockerfile, run, _keyword(run)), Edit(*head, ""))
    except Refused as refused:
        return Refusal(at, message, refused.reason, Severity.WARNING)
    review = f"check that later steps and the container should run in `{where}`"
    return Fix(at, message, edits, Safety.UNSAFE, "use `WORKDIR`", review, Severity.WARNING)


CODEMOD: Final = Codemod(
    name="run-cd",
    title="cd is used where WORKDIR sets the folder",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.WORKDIR, Effect.STEPS, Effect.COMMANDS, Effect.ORDER}),
    check=check,
    since="0.1.0",
    triggers=("cd ", "cd\t"),
    hadolint=frozenset({"DL3003"}),
    promise=Promise(
        config=frozenset({Part.WORKDIR}),
        rationale=(
            "The same commands run in the same folder. Only a `RUN` that is nothing but `cd` changes the working "
            "directory of what follows, which is what the review asks."
        ),
    ),
)
