"""`apt` is used in a script.

## What it does

Finds `apt install`, `apt update`, `apt remove` and other commands that `apt-get` has, too, and writes `apt-get`.

## Why is this bad?

`apt` is for people: its command line and output may change between versions, and it warns of that in every build log
(`apt does not have a stable CLI interface`). `apt-get` keeps both.

## Example

```dockerfile
FROM debian:12
RUN apt update && apt install -y curl
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
```

## Fix safety

The fix is safe: both programs call the same code for these commands. `apt upgrade` may install new packages, which
`apt-get upgrade` does not, so it becomes `apt-get upgrade --with-new-pkgs`. `apt full-upgrade` becomes `apt-get
dist-upgrade`, which is the same: before apt 1.1 (Debian 8, Ubuntu 14.04), `apt-get` knows only that name.

It is unsafe for what downloads packages if the base image is not known to be one of Debian's or Ubuntu's: `apt` deletes
them from `/var/cache/apt/archives`, and `apt-get` only if a file in `/etc/apt/apt.conf.d` says so, as `docker-clean` of
these images does.

## When it does not apply

- Commands that only `apt` has: `list`, `show`, `search`, `edit-sources`, `policy`.
- A command with options that `apt-get` may not have, or whose output something reads.
- Refused: settings with the prefix `Binary::apt`, which `apt-get` does not read.
- Linux Mint, whose `apt` is another program.

## References

- apt(8), "SCRIPT USAGE AND DIFFERENCES FROM OTHER APT TOOLS"; tested with apt 2.6. `APT::Keep-Downloaded-Packages` in
  apt's NEWS.Debian, 1.2~exp1; `full-upgrade` of `apt-get` is of August 2015
- [hadolint DL3027](https://github.com/hadolint/hadolint/wiki/DL3027)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, InOnbuild, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Context
from dockfix.syntax.tree import Run

_SAME: Final = frozenset(
    ("install", "reinstall", "remove", "purge", "autoremove", "update", "full-upgrade", "clean", "autoclean", "satisfy")
)
"""The commands that mean the same in both; `build-dep` and `source` may read files of the current folder."""

_DOWNLOADING: Final = frozenset({Action.INSTALL, Action.UPGRADE})
_REVIEW: Final = (
    "check that apt deletes what it downloads: `apt-get` does so only if a file like `docker-clean` says so"
)
_READ: Final = Context.SUBSTITUTION | Context.PIPELINE


def check(target: Target) -> Iterator[Finding]:
    """Find the commands of `apt` that `apt-get` has."""
    configured = "binary::apt" in target.text.lower()
    for stage, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or package.subcommand is None or package.executable.value != "apt":
                continue
            if step.command.context & _READ or not _is_same(package):
                continue
            verb = package.verb[-1]
            program, word = package.executable, package.subcommand
            edits = [Edit(*commands.text.span(program.start, program.end), "apt-get")]
            new = "apt-get"
            if verb == "upgrade":
                option = "--with-new-pkgs"
                edits.append(insert_word(target.dockerfile, run, commands.text, word.start, word.end, option))
                new = f"apt-get upgrade {option}"
            elif verb == "full-upgrade":
                edits.append(Edit(*commands.text.span(word.start, word.end), "dist-upgrade"))
                new = "apt-get dist-upgrade"
            message = f"`apt {verb}` is for people: its interface may change"
            if configured:
                yield Refusal(commands.span(program), message, "the file has settings (`Binary::apt`) for `apt` alone")
                continue
            keeps = package.action in _DOWNLOADING and not _is_cleaned(target, stage, run)
            safety = Safety.UNSAFE if keeps else Safety.SAFE
            yield Fix(commands.span(program), message, tuple(edits), safety, f"use `{new}`", _REVIEW if keeps else "")


def _is_cleaned(target: Target, stage: Stage, run: Run) -> bool:
    """Whether the packages that are downloaded do not stay in the image: `apt` deletes them, `apt-get` does not."""
    if any(
        mount.kind == "cache" and mount.target in ("/var/cache/apt", "/var/cache/apt/archives") for mount in run.mounts
    ):
        return True
    return stage.base is not None and stage.base.docker_clean and "docker-clean" not in target.text


def _is_same(package: PackageCommand) -> bool:
    """Whether `apt-get` does the same with these words."""
    if package.unknown_operands or any(not option.known for option in package.options):
        return False
    if any("$" in word.text for word in package.words[:2]) or package.has("--full", "--no-show-upgraded", "--pager"):
        return False
    verb = package.verb
    return len(verb) == 1 and (verb[0] in _SAME or (verb[0] == "upgrade" and not package.has("--with-new-pkgs")))


CODEMOD: Final = Codemod(
    name="apt-get",
    title="`apt` is used in a script",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apt ",),
    hadolint=frozenset({"DL3027"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(rationale="Both programs call the same code for these commands."),
)
