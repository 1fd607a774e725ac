"""The builders, each behind the interface `dockfix.verify.model.Builder`.

They are driven by their command lines: one way for four programs, without a dependency, and with logs that say which
steps came from the cache. Client libraries (python-on-whales, the Docker SDK) serve Docker alone, or hide that log.

- `buildx`: docker buildx, with a docker daemon.
- `buildctl`: buildctl, with a running buildkitd.
- `buildah`: buildah, with a private image store.
- `podman`: podman, with a private image store.
- `common`: what all builders share: options of a build, probes, one-line reasons, the trial of a container.
- `containers`: what buildah and podman have in common.
- `steps`: reads the steps and the reason of a failure from the log of buildah and podman.
- `store`: a private image store, removed as a whole.
- `progress`: reads BuildKit's plain output.
- `records`: what builds leave in BuildKit's cache, and which of it may be removed.
- `layout`: an OCI layout with several images.
- `trial_step`: tries a container as a step of a build.
- `tiny_program`: a program that does nothing, to try how commands can be run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from dockfix.verify.model import Builder, BuilderError

__all__ = ["NAMES", "find_builder"]

_CLASSES: Final = {
    "docker buildx": ("buildx", "BuildxBuilder"),
    "buildctl": ("buildctl", "BuildctlBuilder"),
    "podman": ("podman", "PodmanBuilder"),
    "buildah": ("buildah", "BuildahBuilder"),
}
"""Module and class of each builder, in the order in which they are tried."""

_OTHER_NAMES: Final = {"buildx": "docker buildx", "docker": "docker buildx"}

NAMES: Final = (*_CLASSES, *_OTHER_NAMES)
"""The names that `find_builder` takes."""


def find_builder(name: str | None, *, folder: Path, environ: Mapping[str, str] | None = None) -> Builder:
    """The builder with a name, or the first one that can be used here.

    Args:
        name: one of `NAMES`; None for the first of docker buildx, buildctl, podman and buildah.
        folder: a temporary folder of the run, in which the builder may keep files.
        environ: the environment; None for that of the process.

    Raises:
        BuilderError: the name is unknown, that builder cannot be used, or none can.
    """
    environ = os.environ if environ is None else environ
    if name is not None:
        known = _OTHER_NAMES.get(name, name)
        if known not in _CLASSES:
            names = ", ".join(each.removeprefix("docker ") for each in _CLASSES)
            raise BuilderError(f"unknown builder `{name}`; choose one of {names}")
        if (reason := _probe(known, environ)) is not None:
            raise BuilderError(f"{known} {reason}")
        return _made(known, folder)
    tried = []
    for each in _CLASSES:
        reason = _probe(each, environ)
        if reason is None:
            try:
                return _made(each, folder)
            except BuilderError as error:
                reason = f"cannot be used: {error}"
        tried.append(f"{each} {reason}")
    raise BuilderError(
        f"no builder can be used: {'; '.join(tried)}. Start Docker with buildx, or install podman or buildah"
    )


def _probe(name: str, environ: Mapping[str, str]) -> str | None:
    module = import_module(f"{__name__}.{_CLASSES[name][0]}")
    reason: str | None = module.probe(environ)
    return reason


def _made(name: str, folder: Path) -> Builder:
    module, kind = _CLASSES[name]
    builder: Builder = getattr(import_module(f"{__name__}.{module}"), kind)(folder)
    return builder
