"""Packages are installed without a version.

## What it does

Reports installations of packages that name no version: with apt, apk, dnf, yum, zypper, pip, pipx, npm, gem and Go, and
of git repositories that name no commit or tag.

## Why is this bad?

A later build of the same commit installs other versions. Whether that is a fault is contested, which is why the rule is
off by default: the archives of Debian, Ubuntu and Alpine keep only the newest version, so a build with a pinned version
fails as soon as there is a security fix, and pinning a base image by digest together with a snapshot of the archive
does more. For pip, npm, gem and Go, whose registries keep all versions, it is good practice; lock files do it best.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN pip install flask
```

## Fix safety

There is no fix: dockfix does not ask a registry which version is the newest, and the newest may not be the right one.

## When it does not apply

- All spellings of a version or a range: `curl=7.88.*`, `curl/bookworm`, `curl~=8`, `flask>=2`, `left-pad@1`, `rake:13`,
  `gem install -v`, `bash-5.2.15`.
- Files, folders, addresses and repositories with a commit, and packages in a variable, which may hold the version.
- Requirements, constraints and lock files: `pip install -r`, `-c`, `npm ci`.
- Groups of dnf, and modules with a stream.

## References

- https://docs.docker.com/build/building/best-practices/#apt-get
- hadolint [DL3008](https://github.com/hadolint/hadolint/wiki/DL3008) (apt),
  [DL3018](https://github.com/hadolint/hadolint/wiki/DL3018) (apk),
  [DL3013](https://github.com/hadolint/hadolint/wiki/DL3013) (pip),
  [DL3016](https://github.com/hadolint/hadolint/wiki/DL3016) (npm),
  [DL3028](https://github.com/hadolint/hadolint/wiki/DL3028) (gem),
  [DL3062](https://github.com/hadolint/hadolint/wiki/DL3062) (go),
  DL3033, DL3037 and DL3041 (yum, zypper, dnf)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from dockfix.facts.packages import Action, PackageCommand, WordLike
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, InOnbuild, Preset, Severity

_DNF: Final = re.compile(r"-\d|:|^@|\.rpm$|[*<>=(]")
_PINNED: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "apt": re.compile(r"[=/]|\.deb$|-$|[^+]\+$"),
        "apk": re.compile(r"[=~<>]|\.apk$|^!|^\."),
        "dnf": _DNF,
        "yum": _DNF,
        "microdnf": _DNF,
        "zypper": re.compile(r"[=<>]|\.rpm$|^[-!]"),
        "pip": re.compile(r"[=<>~@]|\.(whl|zip|tar\.gz|tgz)$|^[./]|/"),
        "uv": re.compile(r"[=<>~@]|\.(whl|zip|tar\.gz|tgz)$|^[./]|/"),
        "npm": re.compile(r".@(?!latest$|next$)|#|\.(tgz|tar\.gz|tar)$|^[./~]"),
        "yarn": re.compile(r".@(?!latest$|next$)|#|\.(tgz|tar\.gz|tar)$|^[./~]"),
        "pnpm": re.compile(r".@(?!latest$|next$)|#|\.(tgz|tar\.gz|tar)$|^[./~]"),
        "gem": re.compile(r":|\.gem$"),
        "go": re.compile(r"@(?!latest$|none$)|^[./]"),
    }
)
"""What in a package's word is a version or a place, by manager: the manuals of these, and hadolint's rules."""

_GIT: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "pip": re.compile(r"git\+\w+://[^/]+/[^#]*@"),
        "uv": re.compile(r"git\+\w+://[^/]+/[^#]*@"),
        "npm": re.compile("#"),
        "yarn": re.compile("#"),
        "pnpm": re.compile("#"),
    }
)
"""The same for a git repository: pip's "VCS support", npm's "package-spec"."""
_IS_GIT: Final = re.compile(r"(?:^|@ ?)git(?:\+\w+)?://|^(?:git@|(?:github|gitlab|bitbucket):)")

_PIPX_FLAGS: Final = frozenset(("--force", "-f", "--include-deps", "--global", "--verbose", "-v", "--quiet", "-q"))
"""The options of `pipx install` without a value; with another one, the words are not read."""

_ELSEWHERE: Final = ("--constraint", "--requirement", "--version", "--lockfile")
"""Options that say the version for all packages of a command."""


def check(target: Target) -> Iterator[Finding]:
    """Find the installations that name no version."""
    for stage, run in target.facts.runs():
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or not _is_unpinned(package):
                continue
            shown = " ".join((package.executable.value or package.executable.text, *(package.verb or ("install",))))
            message = f"`{shown}` names no version: a later build may install another"
            help_ = "name the version of each package"
            yield Advice(commands.span(step.command), message, cause=f"stage {stage.index}", help=help_)


def _is_unpinned(package: PackageCommand) -> bool:
    """Whether a command installs a package whose version it certainly does not name."""
    pinned = _PINNED.get(package.manager)
    if pinned is None or package.unknown_operands or package.has(*_ELSEWHERE):
        return False
    if package.verb[:1] in (("group",), ("build-dep",), ("fix",)):
        return False
    git = _GIT.get(package.manager, pinned)
    names = [word.value for word in _installed(package) if word.value]
    return any(not (git if _IS_GIT.search(name) else pinned).search(name) for name in names)


def _installed(package: PackageCommand) -> Sequence[WordLike]:
    """The words that certainly name packages to install."""
    if package.executable.value == "pipx":
        verb, *rest = package.words[len(package.wrappers) + 1 :] or (package.executable,)
        names = [word for word in rest if word.value not in _PIPX_FLAGS]
        return () if verb.value != "install" or any(word.text.startswith("-") for word in names) else names
    if (package.manager, *package.verb) == ("go", "run"):
        return [word for word in package.packages[:1] if "@" in word.text]  # else go.mod has the version
    if package.action is not Action.INSTALL:
        return ()
    options = {option.words[-1].end for option in package.options if not option.known}
    before = {word.start for last, word in pairwise(package.words) if last.end in options}
    return [word for word in package.packages if word.start not in before]  # it may be the value of an unknown option


CODEMOD: Final = Codemod(
    name="version-pin",
    title="packages are installed without a version",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("apt", "apk", "dnf", "yum", "zypper", "pip", "npm", "yarn", "gem", "go ", "uv"),
    preset=Preset.ALL,
    hadolint=frozenset(
        ("DL3008", "DL3013", "DL3016", "DL3018", "DL3028", "DL3033", "DL3037", "DL3041", "DL3062"),
    ),
    onbuild=InOnbuild.ADVICE,
)
