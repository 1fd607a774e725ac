"""`sudo` is used in a build.

## What it does

Finds `sudo` in a `RUN`. Where the step runs as root anyway, `sudo` is removed.

## Why is this bad?

`sudo` starts another process, hides the environment that `ENV` sets, and is one more program with the right to become
root in the image. `USER` says for all to see which steps run as root.

## Example

```dockerfile
FROM debian:12
RUN sudo apt-get update
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update
```

## Fix safety

The fix is safe for programs of the system that read nothing of the environment that the file sets, such as `apt-get`,
`mkdir` and `chmod`, if the file does not change `PATH` and a failure ends the build. Otherwise it is unsafe: `sudo`
resets the environment, and without it a program sees the variables of `ENV` and `ARG`, and another `PATH`.

## When it does not apply

- A step that does not run as root, or may not: advice to use `USER root`.
- Options of `sudo` that may change the user or the environment (`-u`, `-i`): advice to use `USER`.
- Refused: `sudo` before a word that the shell acts on itself (`cd`, `exit`, `case`), or that only `sudo` reads as an
  assignment; a redirection between `sudo` and its command.
- The package `sudo`: programs in the container may need it.

## References

- sudo(8), sudoers(5) `env_reset`
- https://docs.docker.com/build/building/best-practices/#user
- [hadolint DL3004](https://github.com/hadolint/hadolint/wiki/DL3004)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import delete_words
from dockfix.facts.commands import Commands, Step
from dockfix.facts.model import Known
from dockfix.facts.outcome import tolerated
from dockfix.facts.packages.model import ASSIGNMENT
from dockfix.facts.tables.programs import SHELL_WORDS
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Effect,
    Finding,
    Fix,
    InOnbuild,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.shell import SimpleCommand, Word
from dockfix.syntax.tree import Env, Run

_PLAIN: Final = frozenset(
    (
        "apt", "apt-get", "apk", "dnf", "yum", "microdnf", "zypper", "dpkg", "rpm", "mkdir", "rm", "rmdir", "cp",
        "mv", "ln", "touch", "chmod", "chown", "chgrp", "useradd", "usermod", "groupadd", "adduser", "addgroup",
        "install", "sed",
        "update-ca-certificates", "ldconfig", "update-alternatives", "locale-gen", "a2enmod", "a2ensite",
    )
)  # fmt: skip
"""Programs of the system that do the same whatever a Dockerfile usually sets."""

_SHELL: Final = SHELL_WORDS - {"[", "echo", "false", "kill", "printf", "pwd", "test", "true"}
"""What the shell acts on without `sudo`, and not as the program of that name does."""


def check(target: Target) -> Iterator[Finding]:
    """Find each use of `sudo`."""
    sets_path = any(
        pair.key == "PATH" for node in target.dockerfile.instructions if isinstance(node, Env) for pair in node.pairs
    )
    for stage, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        root = target.facts.state(run).is_root
        may_fail = tolerated(commands)
        changed = any(step.command.name in ("umask", "alias") for step in commands.steps) or "()" in commands.text.text
        for step in commands.steps:
            if step.command.name != "sudo" or step.depth or len(step.command.words) < 2:
                continue
            if root == Known(True):
                finding = _needless(target, run, commands, step, step.command.start in may_fail or sets_path or changed)
                if finding is not None:
                    yield finding
            else:
                message = "`sudo` becomes root for one command"
                help_ = "use `USER root` for the steps that need it"
                yield Advice(commands.span(step.command), message, cause=f"stage {stage.index}", help=help_)


def _needless(target: Target, run: Run, commands: Commands, step: Step, unsure: bool) -> Finding | None:
    sudo, *words = step.command.words
    options = list(_options(words))
    changing = next((word.text for word in options if not _keeps_user(word.text)), None)
    if changing is not None:
        message = f"`sudo {changing}` runs one command as another user, or in another environment"
        return Advice(commands.span(sudo), message, help="use `USER`")
    if step.command.assignments or len(words) == len(options):
        return None
    program = words[len(options)]  # or an assignment, which then stands before the program
    name = next((word.value for word in words[len(options) :] if not ASSIGNMENT.match(word.text)), None)
    if name is None:
        return None
    at = commands.span(sudo)
    message = "`sudo` is needless: the step runs as root"
    blocker = _blocker(step.command, name, program)
    if blocker is not None:
        return Refusal(at, message, blocker)
    edits = delete_words(target.dockerfile, run, commands.text, sudo.start, program.start)
    if name == program.value and name in _PLAIN and not options and not unsure:
        return Fix(at, message, edits, Safety.SAFE, "remove it")
    keeps = "may see the environment, which `sudo` resets"
    if any("E" in word.text or "preserve" in word.text for word in options):
        keeps = "needs no `PATH` or `HOME` of its own, which `sudo` may set"
    review = f"check that `{name}` is meant to succeed, and {keeps}"
    return Fix(at, message, edits, Safety.UNSAFE, "remove it", review)


def _options(words: Sequence[Word]) -> Iterator[Word]:
    """The options of `sudo`, up to `--`, if it is there."""
    for word in words:
        if not word.text.startswith("-"):
            return
        yield word
        if word.text == "--":
            return


def _blocker(command: SimpleCommand, name: str, program: Word) -> str | None:
    """Why the words after `sudo` would mean something else at the beginning of a command."""
    if name in _SHELL:
        return f"without `sudo` the shell itself would act on `{name}`"
    if "=" in name:
        return f"`{name}` is an assignment for `sudo`, and would be a command for the shell"
    if any(command.words[0].end <= redirect.start < program.start for redirect in command.redirects):
        return "a redirection is between `sudo` and its command"
    if command.start == 0 and program.text.startswith("["):
        return "the `RUN` would begin with `[`, as an exec form does"
    return None


def _keeps_user(option: str) -> bool:
    """Whether an option of `sudo` leaves the command to root: `-E` keeps the environment, `-H` sets HOME to root's."""
    return option in ("--", "--preserve-env", "--set-home", "--non-interactive") or (
        not option.startswith("--") and len(option) > 1 and set(option[1:]) <= set("EHn")
    )


CODEMOD: Final = Codemod(
    name="sudo",
    title="`sudo` is used in a build",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("sudo",),
    hadolint=frozenset({"DL3004"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(rationale="The same program runs as the same user, root."),
)
