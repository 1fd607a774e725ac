r"""`apt-get install` also installs packages that are only recommended.

## What it does

Finds `apt-get install` that also installs recommended packages, and adds `--no-install-recommends`. Recommended
packages that the file is known to rely on are named instead: `curl` fetches nothing over HTTPS without
`ca-certificates`, and `gcc` compiles nothing without `libc6-dev`.

## Why is this bad?

Recommended packages are often documentation, fonts and desktop services. `python3-pip` alone brings a hundred packages.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl vim
```

Use instead:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install --no-install-recommends -y curl vim ca-certificates
```

## Fix safety

The fix is unsafe: dockfix knows what the packages that are installed most recommend, and adds what later commands of
the file use. It cannot know what the program in the container uses.

## When it does not apply

- The option or its opposite is there, in any spelling: `--no-install-recommends`, `--install-recommends`,
  `-o APT::Install-Recommends=0`; or a file that configures it.
- A stage that is not part of the image.

## References

- https://docs.docker.com/build/building/best-practices/#apt-get
- Debian Policy 7.2: Recommends
- [hadolint DL3015](https://github.com/hadolint/hadolint/wiki/DL3015)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.packages import Action, PackageCommand
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Packages, Promise, Safety, Severity
from dockfix_codemods.apt_recommends.table import RECOMMENDED, USES

_OPTION: Final = "--no-install-recommends"
_COMPILERS: Final = ("gcc", "g++", "make", "libc6-dev", "dpkg-dev")
"""Packages that `build-essential` depends on."""


def check(target: Target) -> Iterator[Finding]:
    """Find the installations of recommended packages."""
    if 'install-recommends "' in target.text.lower() or "install-recommends=" in target.text.lower():
        return  # a configuration, or an option for some of the commands
    installed: dict[int, set[str]] = {}
    for stage, run in target.facts.runs(shell_form=True):
        known = installed.setdefault(
            stage.index, set(installed.get(stage.parent, ()) if stage.parent is not None else ())
        )
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or package.manager != "apt" or package.action is not Action.INSTALL:
                continue
            names = [_name(word.value or word.text) for word in package.packages]
            known.update(names)
            word = package.subcommand
            if word is None or package.verb != ("install",) or not names or _has_decided(package):
                continue
            if not target.facts.graph.in_image(stage):
                continue
            needed = _needed(names, known, target.text)
            edits = [insert_word(target.dockerfile, run, commands.text, word.start, word.end, _OPTION)]
            if needed:
                last = package.packages[-1]
                edits.append(insert_word(target.dockerfile, run, commands.text, last.start, last.end, " ".join(needed)))
            known.update(needed)
            more = f", and install {_listed(needed)}" if needed else ""
            yield Fix(
                commands.span(step.command),
                "`apt-get install` also installs packages that are only recommended",
                tuple(edits),
                Safety.UNSAFE,
                f"add `{_OPTION}`{more}",
                "check that the image needs no other package that is only recommended",
                cause=f"stage {stage.index}",
            )


def _name(word: str) -> str:
    """The name of a package without its version, release or architecture."""
    return word.partition("=")[0].partition("/")[0].partition(":")[0]


def _has_decided(package: PackageCommand) -> bool:
    if package.has(_OPTION, "--install-recommends", "--config-file", "--simulate", "--print-uris"):
        return True
    if any(not option.known for option in package.options):
        return True
    # only files: what they recommend is not known
    return all("/" in word.text or word.text.endswith(".deb") for word in package.packages)


def _needed(names: Sequence[str], known: set[str], text: str) -> list[str]:
    """The recommended packages that the file is known to rely on, and that it does not install itself."""
    wanted = dict.fromkeys(each for name in names for each in RECOMMENDED.get(name, ()))
    needed = [
        each for each in wanted if each not in known and (each not in USES or USES[each].search(text) is not None)
    ]
    if "build-essential" in needed or "build-essential" in known:
        needed = [each for each in needed if each not in _COMPILERS]
    return needed


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


CODEMOD: Final = Codemod(
    name="apt-recommends",
    title="`apt-get install` also installs packages that are only recommended",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("apt",),
    hadolint=frozenset({"DL3015"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("/etc/alternatives/**", "/etc/fonts/**", "/var/lib/**", "/var/cache/**"),
        packages=Packages.FEWER,
        rationale=(
            "Packages that are only recommended are no longer installed, except those that the file relies on; nor is "
            "what their scripts make below /etc and /var."
        ),
    ),
)
