"""A cache mount is missing, misplaced or disabled.

## What it does
Checks that each `RUN --mount=type=cache` is mounted where the package manager that runs keeps its cache for this user,
home directory and environment, and that nothing disables or empties that cache. The rule:

- points a mount that no command of its RUN uses to the cache directory of the tool that runs,
- removes options (`--no-cache-dir`) and clean-up commands (`rm -rf /root/.cache/pip`) that leave a mount empty,
- gives a mount the UID and GID of a user who cannot write to it,
- replaces `~` in a mount's target, and
- adds mounts where a package manager has none.

## Why is this bad?
Without a mount, a step downloads its packages again whenever it runs. A mount in the wrong place stays empty, and the
real cache ends up in the layer. Measured with pip under a mount for uv: 0 files in the mount.

A step that finds its packages in the layer of an earlier step, such as `dotnet publish` after `dotnet restore`, does
not download them again. It still needs the mount: with a mount, the earlier step leaves no packages in its layer.

## Example
```dockerfile
# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/uv \\
    pip install httpx
```

Use instead:

```dockerfile
# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install httpx
```

## Fix safety
No build that succeeds today fails after a safe fix, for these reasons:

- **The mount removes only a cache from the image.** The tool works without it and fetches again what is missing. The
  stores of Go, cargo, Maven, Gradle and NuGet are different: later commands look for their dependencies there. For
  these the fix is safe only if the stage is not part of the image, all its later commands are known, no COPY takes a
  folder above the store, and no COPY of folders or `mvn install` has put anything into it that cannot be fetched again.
- **Nothing else needs the directory, or a parent directory that only the install creates.** BuildKit removes these
  after the RUN. So no later command may name one of them (except `rm -f`, `mkdir -p` and `echo`), no COPY may take it
  from the stage, and no RUN may mount it; if a COPY takes a folder above, the stage that receives it is checked in the
  same way. A program that does not name the directory creates it, as it has to in any image without one.
- **No directory changes its owner.** Root owns the parent directories that BuildKit creates for a mount. If root runs
  the RUN, root owned them before. For another user each parent must be known to exist (the home that `useradd -m`
  makes, an earlier `RUN mkdir -p`, a WORKDIR), or must be in a directory where only root can create it. Otherwise the
  fix is unsafe, and it is refused if the tool itself writes to such a parent (poetry, Go, cargo, Gradle, NuGet). The
  mount for yarn is then one level higher, in a directory of its own.
- **The user can write to the mount, and its content fits.** The mount gets the user's UID. Tools that cache what they
  build from source (pip, uv, poetry, pdm, pipenv, pnpm) share a cache only between images with the same distribution,
  release and compiler flags, in this file and in those that the project's compose and bake files build. A new mount of
  a musl image has an `id=` of its own, so that it never shares with glibc; other differences make the fix unsafe, and
  so does `--no-build-isolation`. For other Dockerfiles on the same builder pip's own rule applies, as on any machine:
  it caches builds by name, version and Python.
- **The RUN has the same exit status.** A clean-up command is removed only if its exit status has no effect: after `&&`,
  before another command, or where `set -e` ends the script first. If removing it would expose a failure that it hides,
  the fix is unsafe.
- **The flag can hold the path.** A path with a space, a quote, a comma or a non-ASCII byte is left alone.
- **The file already needs BuildKit**, and the user, the home directory and the tool's settings are known.

To point an unused mount to another directory is safe if every command of the RUN is known, none uses the old directory,
and all of the above holds for the new one. It is unsafe with an `id=` that names another tool, or that another mount
shares. To replace `~` is safe under the same conditions. To give a mount the user's UID is safe because its parents do
not change. If an unknown base image has another user or another home than root's, the mount is as unused as
before.

To remove `--no-cache-dir` is safe where a mount holds the cache: the tool then writes to the mount, not to the
image. On an unknown base image, `--cache-dir` tells pip to use the mount.

All other fixes are unsafe and say what to review. A fix for apt always is: it removes `docker-clean`, which empties the
mount, and apt's auto-install marks move into the mount, so the image differs by these files.

## When it does not apply
- Directories that hold results: `GEM_HOME`, `target/`, `~/.cache/huggingface`, the browsers of playwright.
- A cache that the installed files link to: uv with `UV_LINK_MODE=symlink`, pnpm's global packages.
- Commands under sudo or su, exec form, PowerShell and cmd.
- `ONBUILD RUN` is advice: a mount would ask the builds of other images for BuildKit.
- apt if another RUN fetches the package lists or needs them, or if packages are removed by apt's auto-install marks,
  which are in the directory to be mounted.
- apk and dnf, which keep packages only if their configuration says so.

## References
- [Dockerfile reference: RUN --mount=type=cache](https://docs.docker.com/reference/dockerfile/#run---mounttypecache)
- [Docker: optimize cache usage in builds](https://docs.docker.com/build/cache/optimize/)
- Ownership: a cache mount belongs to root with mode 0755 (moby/buildkit,
  `frontend/dockerfile/dockerfile2llb/convert_runmount.go`)
- The documentation of each tool on its cache: see `dockfix.facts.caches`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dockfix.facts import frontend
from dockfix.facts.caches import serves
from dockfix.facts.mounts import Caches, caches_of
from dockfix.project.target import Target
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Severity
from dockfix_codemods.cache_mount import analysis
from dockfix_codemods.cache_mount import existing_mounts as existing
from dockfix_codemods.cache_mount.new_mounts import add_mounts
from dockfix_codemods.cache_mount.shared_caches import SharedCaches


def check(target: Target) -> Iterator[Finding]:
    """Check the cache mounts of every RUN against the caches that its commands use."""
    syntax = target.dockerfile.directives.get("syntax")
    if not frontend.mounts_supported(syntax.value if syntax else None):
        return
    cleaned: set[int] = set()  # stages where an earlier fix removes docker-clean, so that a later one need not
    shared = SharedCaches(target)
    for stage, run in target.facts.runs():
        caches = caches_of(target.facts, run, stage)
        if caches is not None:
            for finding in _check_run(target, caches, shared, cleaned):
                yield replace(finding, cause=f"stage {stage.index}")


def _check_run(target: Target, caches: Caches, shared: SharedCaches, cleaned: set[int]) -> Iterator[Finding]:
    misplaced = list(existing.misplaced_flags(caches))
    if misplaced:
        yield from misplaced
        return
    wanted = list(caches.missing())
    for mount in caches.mounts:
        if mount.tilde:
            yield existing.replace_tilde(target, caches, mount)
            place = mount.target
            wanted = [each for each in wanted if place is None or not serves(place, each[1].path)]
        elif caches.is_unused(mount):
            candidate = next((each for each in wanted if analysis.is_disposable(each[0], each[1].path)), None)
            if candidate is not None:
                finding = existing.retarget(target, caches, shared, mount, *candidate)
                if isinstance(finding, Fix):
                    wanted.remove(candidate)
                yield finding
    yield from existing.disabled_caches(target, caches, shared)
    yield from existing.emptied_mounts(target, caches)
    yield from existing.unwritable_mounts(caches, shared)
    yield from add_mounts(target, caches, shared, wanted, cleaned)


CODEMOD: Final = Codemod(
    name="cache-mount",
    title="a cache mount is missing, misplaced or disabled",
    severity=Severity.WARNING,
    category=Category.CACHE,
    effects=frozenset({Effect.MOUNTS, Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=(
        *("--mount", "pip", "uv", "poetry", "pdm", "npm", "yarn", "go ", "cargo", "apt-get", "composer", "mvn"),
        *("gradle", "dotnet"),
    ),
    findings=("worker 3", "cross 3"),
    onbuild=InOnbuild.ADVICE,
    promise=Promise(
        removes=("/etc/apt/apt.conf.d/docker-clean",),
        mounts=True,
        claims=frozenset({Claim.CACHE_MOUNT}),
        rationale=(
            "The cache is in the mount and no longer in the image; the tool installs the same from it. For apt, the "
            "file that would empty the mount is removed, and the auto-install marks are in the mount."
        ),
    ),
)
