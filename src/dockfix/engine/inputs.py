"""What a run is about: which files its paths name, which problems concern it, and what a file is refused for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dockfix.codemod.suppress import Suppressions
from dockfix.project.problems import InputProblem
from dockfix.project.target import Project, Target, is_project_file_name

__all__ = ["first_problem", "is_in", "outside", "relevant", "scope", "split", "unknown_rules"]


def split(paths: Sequence[Path], real_root: Path) -> tuple[list[Path], list[InputProblem]]:
    """The paths inside the root, and a problem for each of the others."""
    inside: list[Path] = []
    problems: list[InputProblem] = []
    for path in paths:
        try:
            # The name itself counts, not what a symlink leads to: that is checked when the file is read.
            real = Path(os.path.realpath(path.parent), path.name) if path.name not in ("", "..") else path.resolve()
        except (OSError, ValueError, RuntimeError):
            inside.append(path)  # discovery says what is wrong with it
            continue
        if real.is_relative_to(real_root):
            inside.append(path)
        else:
            problems.append(outside(path, real_root))
    return inside, problems


def outside(path: Path, real_root: Path) -> InputProblem:
    """The problem of a path that is not inside the root."""
    return InputProblem(str(path), None, f"lies outside the project root {real_root}; give --root DIR to work there")


def scope(paths: Sequence[Path], project: Project) -> tuple[tuple[Path, ...], list[Path]]:
    """In which files and folders findings count that are in no Dockerfile, and which paths to search for Dockerfiles.

    A compose, bake or ignore file that is named is not a Dockerfile, whatever its name: it counts itself, and the
    Dockerfiles are searched that it says something about.
    """
    counted: list[Path] = []
    searched: list[Path] = []
    for path in paths:
        real = Path(os.path.realpath(path))
        if is_project_file_name(real.name) and real.is_file():
            counted.append(real)
            searched += [path.parent / os.path.relpath(each, real.parent) for each in project.built_by(real)]
            continue
        searched.append(path)
        if real.is_dir() and real.is_relative_to(project.root):
            counted.append(real)
    return tuple(counted), searched


def is_in(path: Path, counted: Sequence[Path]) -> bool:
    """Whether a path is one of some files, or in one of some folders."""
    return any(path.is_relative_to(each) for each in counted)


def relevant(
    project: Project, files: Sequence[Path], counted: Sequence[Path]
) -> tuple[list[InputProblem], list[InputProblem]]:
    """The problems of compose and bake files that this run is about, and those of others, which are only told.

    A file concerns the run if it was asked for, or is in a folder of a Dockerfile of the run or above.
    """
    about: list[InputProblem] = []
    others: list[InputProblem] = []
    for problem in project.problems:
        path = project.root / problem.path
        concerned = is_in(path, counted) or any(file.is_relative_to(path.parent) for file in files)
        (about if concerned else others).append(problem)
    return about, others


def first_problem(target: Target, shown: str) -> InputProblem:
    """The first problem of a file that BuildKit refuses, which is the one that BuildKit would show."""
    first, *others = sorted(target.dockerfile.problems, key=lambda problem: problem.line)
    more = f" (and {len(others)} more)" if others else ""
    return InputProblem(shown, max(first.line, 1), f"{first.message}{more}")


def unknown_rules(target: Target, shown: str, names: frozenset[str]) -> tuple[InputProblem, ...]:
    """Warnings of rules in `dockfix:` comments that do not exist."""
    if "dockfix" not in target.text.lower():
        return ()
    from difflib import get_close_matches  # noqa: PLC0415 - few files have such a comment

    warnings = []
    for line, name in Suppressions(target.dockerfile).unknown_rules(names):
        close = get_close_matches(name, sorted(names), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        warnings.append(InputProblem(shown, line, f"unknown rule {name!r} in a dockfix comment{hint}"))
    return tuple(warnings)
