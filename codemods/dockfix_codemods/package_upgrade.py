"""All packages of the base image are upgraded.

## What it does

Reports `apt-get upgrade`, `apk upgrade`, `dnf upgrade`, `yum update`, `zypper update` and similar commands that upgrade
everything that is installed.

## Why is this bad?

The image depends on the day on which the layer was built: two builds of one commit differ, and an update that breaks
something arrives unannounced. The upgraded files are in the image a second time. A newer base image brings the same
updates, tested together and without the second copy.

The rule is in the preset `strict`, since it is contested: for an image that is rebuilt often, an upgrade closes
security holes before the maintainers of the base image do.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get upgrade -y && apt-get install -y curl
```

## Fix safety

There is no fix: without the upgrade the image may lack a fix that somebody needs.

## When it does not apply

- A command that names packages: `apk upgrade openssl`, `yum update tzdata`.
- Stages that are not part of the image: what they upgrade is not in it.
- Upgrades of pip, npm or other language packages: see `pip-pin`.

## References

- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
- [hadolint DL3035](https://github.com/hadolint/hadolint/wiki/DL3035), which knows `zypper dist-upgrade`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.facts.packages import Action
from dockfix.facts.tables.commands import SYSTEM_MANAGERS
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, InOnbuild, Preset, Severity


def check(target: Target) -> Iterator[Finding]:
    """Find the commands that upgrade all packages of the image."""
    graph = target.facts.graph
    for stage, run in target.facts.runs():
        if not graph.in_image(stage):
            continue
        commands = target.facts.commands(run)
        for step in commands.packages:
            package = step.package
            if package is None or package.manager not in SYSTEM_MANAGERS or package.action is not Action.UPGRADE:
                continue
            if package.packages or package.unknown_operands:
                continue
            shown = " ".join((package.executable.value or package.executable.text, *package.verb))
            message = f"`{shown}` makes the image depend on the day of its build"
            yield Advice(commands.span(step.command), message, help="use a newer base image instead")


CODEMOD: Final = Codemod(
    name="package-upgrade",
    title="all packages of the base image are upgraded",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("upgrade", "update", "dup", "distro-sync", "patch"),
    preset=Preset.STRICT,
    hadolint=frozenset({"DL3035"}),
    onbuild=InOnbuild.ADVICE,
)
