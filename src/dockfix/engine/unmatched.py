"""Patterns of the configuration that match no file, which are usually misspelled or left over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dockfix.engine.inputs import is_in
from dockfix.engine.results import shown_path
from dockfix.engine.settings import Settings
from dockfix.project.discovery import discover
from dockfix.project.policy import PathPattern
from dockfix.project.problems import InputProblem
from dockfix.project.target import Project, display

__all__ = ["unmatched_patterns"]


def unmatched_patterns(
    configs: Mapping[Path | None, Settings], project: Project, files: Sequence[Path], counted: Sequence[Path]
) -> Iterator[InputProblem]:
    """The patterns of `per-file-ignores` and `targets` that match no file to which their configuration applies.

    Args:
        configs: the configuration files of the run, with their settings.
        project: the project.
        files: the Dockerfiles of the run.
        counted: the folders that were searched; nothing is known of a configuration for others.
    """
    if not files:
        return
    folders = {config.parent for config in configs if config is not None}
    for config, settings in configs.items():
        if config is None:
            continue
        scope = config.parent if len(configs) > 1 else project.root
        if not is_in(scope, counted):
            continue
        patterns = _patterns(settings)
        others = [each for each in folders if each != scope and each.is_relative_to(scope)]
        left = _unmatched(patterns, _governed(files, scope, others), project.root)
        if left:
            left = _unmatched(left, _governed(_all_files(project, scope), scope, others), project.root)
        for key, pattern in left:
            message = f"{key}: {pattern.text!r} matches no file to which this configuration applies"
            yield InputProblem(shown_path(config), pattern.line, message)


def _patterns(settings: Settings) -> list[tuple[str, PathPattern]]:
    """The patterns with their keys, except those for all files but some."""
    found = [("per-file-ignores", pattern) for pattern, _ in settings.policy.per_file_ignores]
    found += [("targets", pattern) for table in settings.targets for pattern in table.files]
    return [(key, pattern) for key, pattern in found if not pattern.text.startswith("!")]


def _unmatched(
    patterns: Sequence[tuple[str, PathPattern]], files: Sequence[Path], root: Path
) -> list[tuple[str, PathPattern]]:
    shown = [display(each, root) for each in files]
    return [(key, pattern) for key, pattern in patterns if not any(map(pattern.matches, shown))]


def _governed(files: Sequence[Path], scope: Path, others: Sequence[Path]) -> list[Path]:
    """The real paths of the files in a folder that are not in one of the others."""
    real = [Path(os.path.realpath(each)) for each in files]
    return [each for each in real if each.is_relative_to(scope) and not is_in(each, others)]


def _all_files(project: Project, scope: Path) -> list[Path]:
    """The files that may have findings, also those that a search leaves out."""
    found, _ = discover([scope], root=project.root, respect_gitignore=False, built=project.built)
    dockerfiles = [each.path for each in found]
    ignore_files = [each.with_name(f"{each.name}.dockerignore") for each in dockerfiles]
    ignore_files += [folder / ".dockerignore" for each in dockerfiles for folder in each.parents]
    ignore_files += [each.context / ".dockerignore" for each in project.invocations if isinstance(each.context, Path)]
    built = [file.path for file in project.compose_files]
    built += [file.path for file in project.bake_files]
    return [*dockerfiles, *built, *(each for each in ignore_files if project.files.is_file(each))]
