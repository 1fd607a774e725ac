"""A package manager asks a question that nobody can answer.

## What it does

Finds `apt-get`, `apt`, `yum`, `dnf` and `zypper` that install, upgrade or remove without the option that answers their
questions, and adds it.

## Why is this bad?

A build has no terminal. `apt-get install` stops with `Abort.` as soon as it needs more packages than were named, which
may be the case tomorrow although it is not today; `yum`, `dnf` and `zypper` always ask.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install curl
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
```

## Fix safety

The fix is safe where a failure ends the build: in a build that succeeds the command did not ask, and does the same with
the option. It is unsafe where a failure is tolerated (`;` without `set -e`, `||`, a pipeline, a condition): the command
may fail today, and will then succeed.

## When it does not apply

- All spellings of the answer: `-y`, `-qq`, `-q=2`, `--assume-yes`, `-o APT::Get::Assume-Yes=true`, `zypper -n`. `-q`
  alone and `--force-yes` are no answer. Also `-y=false` and `--no-yes`, which say no on purpose.
- Commands that ask nothing: `download`, `clean`, `--simulate`, `--print-uris`, and all of `microdnf`.
- Answers from a pipe or a redirection (`yes | apt-get install`), and files that configure the answer.
- Options or operands from a variable: they may contain it.

## References

- apt-get(8), dnf(8), yum(8), zypper(8); tested with apt 2.6
- hadolint [DL3014](https://github.com/hadolint/hadolint/wiki/DL3014),
  [DL3030](https://github.com/hadolint/hadolint/wiki/DL3030),
  [DL3034](https://github.com/hadolint/hadolint/wiki/DL3034),
  [DL3038](https://github.com/hadolint/hadolint/wiki/DL3038)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.commands import Step
from dockfix.facts.outcome import tolerated
from dockfix.facts.packages import Action, PackageCommand
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Packages, Promise, Safety, Severity
from dockfix.syntax.tree import Add, Copy, Run

_ASKING: Final = frozenset({Action.INSTALL, Action.REMOVE, Action.PURGE, Action.AUTOREMOVE, Action.UPGRADE})
_ANSWERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "apt": ("--yes", "--assume-no", "--simulate", "--print-uris", "--trivial-only"),
        "dnf": ("--yes", "--assumeno"),
        "yum": ("--yes", "--assumeno"),
        "zypper": ("--no-confirm", "--non-interactive", "--dry-run"),
    }
)
"""The options with which each manager asks nothing."""

_EXPLICIT: Final = re.compile(r"-y=|--(?:yes|assume-yes)=|--no-(?:yes|assume-yes)\Z")
"""Spellings that give apt the answer as a value: `-y=false` (apt-get(8), "Options")."""

_CONFIGURED: Final = ("assume-yes", "assumeyes", "noninteractive=true")
"""What configures the answer in a file: apt.conf, dnf.conf, zypp.conf."""

_REVIEW: Final = "check that the command is meant to succeed: its failure is tolerated today"


def check(target: Target) -> Iterator[Finding]:
    """Find the commands that may ask."""
    if _is_configured(target):
        return
    for _, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        may_fail: frozenset[int] | None = None
        for step in commands.packages:
            package = step.package
            if package is None or package.subcommand is None or not _may_ask(package) or _is_fed(step):
                continue
            if may_fail is None:
                may_fail = tolerated(commands)
            word = package.subcommand
            edit = insert_word(target.dockerfile, run, commands.text, word.start, word.end, "-y")
            program = (package.executable.value or package.executable.text).rpartition("/")[2]
            message = f"`{program} {' '.join(package.verb)}` asks a question that nobody can answer"
            at = commands.span(step.command)
            if step.command.start in may_fail:
                yield Fix(at, message, (edit,), Safety.UNSAFE, "add `-y`", _REVIEW)
            else:
                yield Fix(at, message, (edit,), Safety.SAFE, "add `-y`")


def _is_configured(target: Target) -> bool:
    """Whether a command may write the answer into a file, where options with it are left out."""
    text = target.text.lower()
    if not any(word in text for word in _CONFIGURED):
        return False
    for run in target.dockerfile.instructions:
        for step in target.facts.commands(run).steps if isinstance(run, Run) else ():
            words = " ".join(each.text.lower() for each in step.command.words)
            if step.package is None and any(word in words for word in _CONFIGURED):
                return True
    return any(isinstance(each, Copy | Add) and each.heredocs for each in target.dockerfile.instructions)


def _may_ask(package: PackageCommand) -> bool:
    """Whether a command asks as far as its words are known."""
    answers = _ANSWERS.get(package.manager)
    if answers is None or package.action not in _ASKING:
        return False
    if package.unknown_operands or package.has(*answers) or _is_quiet(package):
        return False
    settings = [option.literal for option in package.options if option.name in ("--option", "--setopt")]
    if any(each is None or any(word in each.lower() for word in _CONFIGURED) for each in settings):
        return False
    if any(_EXPLICIT.match(word.text) for word in package.words):
        return False
    if any(not option.known for option in package.options) or package.has("--config-file", "--config"):
        return False
    return not any("$" in word.text and not word.text.startswith('"') for word in package.packages[:1])


def _is_quiet(package: PackageCommand) -> bool:
    """Whether apt is quiet enough to answer its own questions: `-qq`, `-q=2`."""
    levels = [option.literal or "1" for option in package.options if option.name == "--quiet"]
    return package.manager == "apt" and sum(int(each) if each.isdigit() and len(each) < 3 else 1 for each in levels) > 1


def _is_fed(step: Step) -> bool:
    """Whether the command reads answers from a pipe, a file or a heredoc."""
    command = step.command
    piped = command.before is not None and command.before.text in ("|", "|&")
    return piped or any(redirect.operator.startswith("<") for redirect in command.redirects)


CODEMOD: Final = Codemod(
    name="assume-yes",
    title="a package manager asks a question that nobody can answer",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apt", "yum", "dnf", "zypper"),
    hadolint=frozenset({"DL3014", "DL3030", "DL3034", "DL3038"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        packages=Packages.ANY,
        rationale=(
            "Where the command succeeded without the option it asked nothing, and does the same with it. Where its "
            "failure was tolerated, its packages are installed or removed now."
        ),
    ),
)
