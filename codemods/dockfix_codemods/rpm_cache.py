r"""The cache of dnf, yum or zypper stays in a layer.

## What it does

Finds a `RUN` that installs packages with `dnf`, `yum`, `microdnf` or `zypper` and leaves their metadata and packages in
the layer, and empties the cache at its end.

## Why is this bad?

The metadata of Fedora's repositories alone takes more than 100 MB. It is out of date soon, and fetched again by the
next command that needs it.

## Example

```dockerfile
FROM fedora:42
RUN dnf install -y git
```

Use instead:

```dockerfile
FROM fedora:42
RUN dnf install -y git \
    && dnf clean all
```

## Fix safety

The fix is safe: `clean all` ends with success and deletes only what these tools have downloaded and fetch again when
they need it. It is unsafe if the script chooses or changes repositories, or removes packages: yum 3 cleans nothing,
and fails, if no repository is enabled.

## When it does not apply

- A `RUN` that cleans or deletes the cache after the last install, or has a mount there.
- A stage that is not part of the image.
- A `RUN` that only fetches the metadata (`dnf makecache`, `zypper refresh`): advice.
- Later commands that work without the network (`-C`, `--cacheonly`), a command that may not run or whose failure is
  tolerated, heredocs, and scripts that may exit early: refused.

## References

- dnf(8), yum(8), microdnf(8), zypper(8)
- https://docs.docker.com/build/building/best-practices/
- hadolint [DL3032](https://github.com/hadolint/hadolint/wiki/DL3032),
  [DL3036](https://github.com/hadolint/hadolint/wiki/DL3036),
  [DL3040](https://github.com/hadolint/hadolint/wiki/DL3040)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts.commands import Commands, Step
from dockfix.facts.joining import append_operator
from dockfix.facts.model import Refused
from dockfix.facts.outcome import tolerated
from dockfix.facts.packages import Action, PackageCommand
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Instruction, Run

_CLEAN: Final[Mapping[str, str]] = MappingProxyType(
    {"dnf": "clean all", "yum": "clean all", "microdnf": "clean all", "zypper": "clean -a"}
)
_FILLS: Final = frozenset({Action.INSTALL, Action.UPGRADE, Action.UPDATE})
_CHOOSES: Final = ("--enablerepo", "--disablerepo", "--repo", "--repofrompath", "--setopt", "--config")
_REMOVES: Final = frozenset({Action.REMOVE, Action.PURGE, Action.AUTOREMOVE})
_ENDS: Final = ("repos.d", "config-manager", "rpm -e", "subscription-manager", "removerepo", "modifyrepo")
"""What in a script may leave no repository or no package manager behind."""
_OFFLINE: Final = ("--cacheonly", "--no-refresh")


def check(target: Target) -> Iterator[Finding]:
    """Find the RUNs that leave the cache of a package manager."""
    for stage, run in target.facts.runs(shell_form=True):
        if not target.facts.graph.in_image(stage):
            continue
        commands = target.facts.commands(run)
        fills = [step for step in commands.packages if step.package is not None and _is(step.package, _FILLS)]
        left = [] if _has_mount(run) else _left(commands, fills)
        if left:
            yield _finding(target, stage, run, commands, left)


def _is(package: PackageCommand, actions: frozenset[Action]) -> bool:
    elsewhere = package.has(*_OFFLINE, "--installroot", "--root")
    return package.manager in _CLEAN and package.action in actions and not elsewhere


def _has_mount(run: Run) -> bool:
    return any("/var/cache" in (mount.target or "") for mount in run.mounts)


def _left(commands: Commands, fills: list[Step]) -> list[Step]:
    """The steps whose cache no later step empties."""
    left: dict[str, list[Step]] = {}
    pending = list(fills)
    for step in commands.steps:
        package = step.package
        if pending and step is pending[0]:
            left.setdefault(_cache(pending.pop(0)), []).append(step)
        elif package is not None and _is(package, frozenset({Action.CLEAN})):
            left.pop(_cache(step), None)
        elif step.command.basename in ("rm", "find") and any("/var/" in word.text for word in step.command.args):
            left.clear()
    return [step for steps in left.values() for step in steps]


def _cache(step: Step) -> str:
    """The manager whose cache a step uses; `yum` is another name of `dnf` in most images."""
    manager = step.package.manager if step.package is not None else ""
    return "dnf" if manager == "yum" else manager


def _finding(target: Target, stage: Stage, run: Run, commands: Commands, fills: list[Step]) -> Finding:
    step = fills[-1]
    package = step.package
    program = step.command.basename or "" if package is None else package.executable.text
    manager = "dnf" if package is None else package.manager
    at = commands.span(step.command)
    message = f"`{program}` leaves its cache in the layer"
    offline = _offline_below(target, stage, run)
    if all(each.package is not None and each.package.action is Action.UPDATE for each in fills):
        return Advice(at, message, help="fetch it where packages are installed")
    if offline is not None:
        return Refusal(at, message, f"line {offline.start_line} works without the network, from this cache")
    if run.heredocs:
        return Refusal(at, message, "a heredoc goes on after a failure, so that a command at its end would hide it")
    try:
        operator = append_operator(commands)
    except Refused as refused:
        return Refusal(at, message, refused.reason)
    if step.command.start in tolerated(commands):
        return Refusal(
            at, message, f"`{program}` may be missing in a build that succeeds, and to clean would fail then"
        )
    wrappers = package.wrappers if package is not None else ()
    sudo = "sudo " if any(word.text == "sudo" for word in wrappers) else ""
    new = f"{sudo}{program} {_CLEAN[manager]}"
    edits = editing.append_commands(target.dockerfile, (run,), (new,), operator)
    if any(word in commands.text.text for word in _ENDS) or any(
        each.package is not None and (each.package.has(*_CHOOSES) or each.package.action in _REMOVES)
        for each in commands.packages
    ):
        review = (
            "check that a repository is enabled, and the tool there, at the end of the `RUN`: else `clean` may fail"
        )
        return Fix(at, message, edits, Safety.UNSAFE, f"append `{new}`", review)
    return Fix(at, message, edits, Safety.SAFE, f"append `{new}`")


def _offline_below(target: Target, stage: Stage, run: Run) -> Instruction | None:
    """A later RUN that needs the cache."""

    def is_offline(stage: Stage, node: Instruction) -> bool:
        return (
            not stage.replaced
            and isinstance(node, Run)
            and any(
                step.package is not None and step.package.manager in _CLEAN and step.package.has(*_OFFLINE)
                for step in target.facts.commands(node).packages
            )
        )

    return target.facts.search("rpm-cache", is_offline).after(stage, run.span.start)


CODEMOD: Final = Codemod(
    name="rpm-cache",
    title="the cache of dnf, yum or zypper stays in a layer",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("dnf", "yum", "zypper"),
    hadolint=frozenset({"DL3032", "DL3036", "DL3040"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(
        removes=("/var/cache/dnf/**", "/var/cache/yum/**", "/var/cache/libdnf5/**", "/var/cache/zypp/**"),
        changes=("/var/cache/dnf/**", "/var/cache/yum/**", "/var/cache/libdnf5/**", "/var/cache/zypp/**"),
        rationale="The same packages are installed; what was downloaded for that is deleted in the same layer.",
    ),
)
