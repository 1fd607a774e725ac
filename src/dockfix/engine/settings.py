"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dockfix.project.target import BuildOptions
from dockfix.rule.model import Diagnostic

if TYPE_CHECKING:
    from dockfix.rule.workspace import Workspace

__all__ = ["Accept", "Mode", "Settings"]

Accept: TypeAlias = "Callable[[Workspace, Diagnostic], bool]"
"""Whether a fix is wanted, given the files as they are now; the interactive mode asks a person."""


def _anywhere(_: Path) -> bool:
    return True


@dataclass(frozen=True)
class Mode:
    """Whether fixes are made, unsafe ones too, which of them are wanted, and what else the engine must know of a run.

    `in_scope` tells whether findings count in a file that is not a Dockerfile of the run. `single`: the run is of one
    Dockerfile, so that what codemods collect for others may not be needed.
    """

    fix: bool = True
    unsafe: bool = False
    accept: Accept | None = None
    in_scope: Callable[[Path], bool] = _anywhere
    single: bool = False


@dataclass(frozen=True)
class Settings:
    """What a run is asked to do, from the command line and the configuration.

    Args:
        rules: names of the rules to run; empty: all that are not opt-in.
        skip: names of rules not to run.
        unsafe: whether unsafe fixes are made too.
        exclude: gitignore patterns, relative to the root, of what a search leaves out.
        force_exclude: whether they leave out files and folders that are named, too.
        context: the build context of every file; relative to the root unless absolute.
        build_contexts: named contexts, as `docker build --build-context` takes them.
        use_project: whether compose files are read for how the files are built.
        respect_gitignore: whether a search leaves out what git ignores.
        jobs: processes to use where there are many files.
        base_images: images that extend the table of base images, each with the image that it is like.
        image_lock: digests of base images, as `project.imagelock` reads them.
        compose: the compose files to read, merged in this order, in place of all that a search finds.
        uid_map: the uid that a user of the project is to have in all images, by the user's name.
        recommended_env: by base image, the ENV variables that a stage on it is to have, with their values.
    """

    rules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    use_project: bool = True
    respect_gitignore: bool = True
    jobs: int = 1
    base_images: Mapping[str, str] = field(default_factory=dict)
    compose: tuple[Path, ...] = ()
    uid_map: Mapping[str, int] = field(default_factory=dict)
    image_lock: Mapping[str, str] = field(default_factory=dict)
    recommended_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def builds(self) -> BuildOptions:
        """What they say of how Dockerfiles are built."""
        return BuildOptions(
            context=self.context,
            build_contexts=self.build_contexts,
            use_project=self.use_project,
            base_images=self.base_images,
            compose=self.compose,
            uid_map=self.uid_map,
            image_lock=self.image_lock,
            recommended_env=self.recommended_env,
        )
