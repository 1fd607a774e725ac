"""Build tools stay in the image, or are removed too late.

## What it does
Checks for packages that only the build needs (compilers, headers, git) and that stay in the image: nothing removes
them, or a later RUN than the one that installs them does. The fix joins the RUNs, so that one layer installs, uses and
removes the packages.

The libraries that headers belong to are kept with `apt-mark manual`: a purge of `libpq-dev` also removes `libpq5`, and
psycopg2 breaks. On Alpine the packages get a virtual name, which `apk del` then removes. If other instructions are
between install and use, the advice is a separate build stage.

## Why is this bad?
A later layer can hide what an earlier one adds, but not remove it. Measured: 176.5 MB with the purge in a later RUN,
113.6 MB with the purge in the RUN that installs; for gcc alone 119.5 MB and 32.6 MB.

## Example
```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \\
    && rm -rf /var/lib/apt/lists/*
RUN pip install uwsgi
RUN apt-get purge -y --auto-remove gcc libc6-dev
```

Use instead:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \\
    && rm -rf /var/lib/apt/lists/* \\
    && pip install uwsgi \\
    && apt-get purge -y --auto-remove gcc libc6-dev
```

## Fix safety
All fixes are unsafe. The container may need a compiler or git at run time, or a library that is removed together with
a purged package; the finding names the program to check. RUNs that are joined are rebuilt together.

## When it does not apply
- Stages from which only files are copied: a purge there does not change the image.
- Tools that CMD, ENTRYPOINT, HEALTHCHECK, a later RUN, an ONBUILD or a stage based on this one may use.
- RUNs that do not mean the same in one shell as in two: a `cd`, an `export`, `||`, other shells, flags or heredocs.
- Headers whose library is unknown: they stay installed.
- Images without a command of their own (base images, toolboxes), and base images that include compilers.
- Packages of dnf and yum that nothing removes: `dnf remove` also removes libraries.

## References
- [Docker: best practices for RUN](https://docs.docker.com/build/building/best-practices/#run)
- apt-get(8), apt-mark(8)
- [Alpine: virtual packages](https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper)
- Sizes: measured with BuildKit
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.stages import Stage
from dockfix.facts.toolchain import is_compiler
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Claim, Codemod, Effect, Finding, Packages, Promise, Refusal, Severity
from dockfix_codemods.apt_purge.analysis import PackageUse, listed, package_uses
from dockfix_codemods.apt_purge.kept_packages import check_kept_packages
from dockfix_codemods.apt_purge.late_removals import LateRemoval, join_group, late_removals, overlapping


def check(target: Target) -> Iterator[Finding]:
    """Check what each stage installs and removes, and whether its layers are part of the image."""
    graph = target.facts.graph
    for stage in graph.stages:
        uses = list(package_uses(target.facts, stage))
        if not graph.in_image(stage):
            if graph.copied_from(stage):
                yield from _builder_stage(stage, uses)
            continue
        late = [found for use in uses if not use.installs for found in late_removals(target, stage, use, uses)]
        yield from (found for found in late if isinstance(found, Advice))
        for group in overlapping([found for found in late if isinstance(found, LateRemoval)]):
            yield from join_group(target, stage, group)
        if not late:
            yield from check_kept_packages(target, stage, uses)


def _builder_stage(stage: Stage, uses: Sequence[PackageUse]) -> Iterator[Finding]:
    """Explain once why a stage that only builds is left alone."""
    installed = [use for use in uses if use.installs and any(is_compiler(name) for name in use.leftovers)]
    if installed:
        at = next((use.at for use in uses if not use.installs), installed[0].at)
        message = f"the stage `{stage.name or stage.index}` keeps {listed(installed[0].leftovers)}"
        yield Refusal(at, message, "only files are copied from this stage: a purge does not change the image")


CODEMOD: Final = Codemod(
    name="apt-purge",
    title="build tools stay in the image, or are removed too late",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS, Effect.MOUNTS}),
    check=check,
    since="0.1.0",
    triggers=("apt", "apk", "dnf", "yum"),
    findings=("api 2", "base-ml 1"),
    promise=Promise(
        adds=("/var/lib/apt/lists/auxfiles", "/var/lib/apt/lists/lock", "/var/lib/apt/lists/partial"),
        packages=Packages.FEWER,
        claims=frozenset({Claim.SMALLER}),
        rationale=(
            "The same commands run in one layer, and the packages are removed in the layer that installs them. "
            "Nothing else that they leave is removed; `apt-get purge` creates empty folders for its lists."
        ),
    ),
)
