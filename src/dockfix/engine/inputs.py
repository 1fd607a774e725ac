"""The input of a run: which files its paths name, and which problems belong to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dockfix.engine.project import findings
from dockfix.engine.results import FileResult
from dockfix.engine.settings import Settings
from dockfix.project.discovery import not_excluded
from dockfix.project.problems import InputProblem
from dockfix.project.target import Project, Target, is_project_file_name
from dockfix.rule.model import Codemod
from dockfix.rule.naming import RuleNames
from dockfix.rule.suppression import Suppressions


def split(paths: Sequence[Path], real_root: Path) -> tuple[list[Path], list[InputProblem]]:
    """The paths inside the root, and a problem for each of the others."""
    inside: list[Path] = []
    problems: list[InputProblem] = []
    for path in paths:
        try:
            # Of a symlink only its own place is checked here; its target is checked when the file is read.
            real = Path(os.path.realpath(path.parent), path.name) if path.name not in ("", "..") else path.resolve()
        except (OSError, ValueError, RuntimeError):
            inside.append(path)  # discovery reports what is wrong with it
            continue
        if real.is_relative_to(real_root):
            inside.append(path)
        else:
            problems.append(outside(path, real_root))
    return inside, problems


def outside(path: Path, real_root: Path) -> InputProblem:
    """The problem of a path that is not inside the root."""
    return InputProblem(str(path), None, f"is outside the project root {real_root}; use --root DIR")


def scope(paths: Sequence[Path], project: Project) -> tuple[tuple[Path, ...], list[Path]]:
    """The files and folders in which files other than Dockerfiles may have findings, and the paths to search.

    A compose, bake or ignore file that is named may have findings itself; the Dockerfiles that it builds or filters are
    searched.
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
    """The problems of compose and bake files that belong to this run, and those of other files, which are warnings.

    A file belongs to the run if it is named, or is in the folder of a Dockerfile of the run or a folder above it.
    """
    about: list[InputProblem] = []
    others: list[InputProblem] = []
    for own, problem in zip(project.problems, project.input_problems, strict=True):
        path = project.root / own.path
        concerned = is_in(path, counted) or any(file.is_relative_to(path.parent) for file in files)
        (about if concerned else others).append(problem)
    return about, others


def wanted(paths: list[Path], settings: Settings, real_root: Path) -> list[Path]:
    """The named paths that the settings do not exclude."""
    return not_excluded(paths, root=real_root, exclude=settings.exclude) if settings.force_exclude else paths


def first_problem(target: Target, shown: str) -> InputProblem:
    """The first problem of a file that BuildKit rejects, which is the one that BuildKit reports."""
    first, *others = sorted(target.dockerfile.problems, key=lambda problem: problem.line)
    more = f" (and {len(others)} more)" if others else ""
    return InputProblem(shown, max(first.line, 1), f"{first.message}{more}")


def ignore_warnings(
    target: Target, result: FileResult, codemods: Sequence[Codemod], names: RuleNames, shown: str
) -> tuple[InputProblem, ...]:
    """The mistakes in dockfix's comments in a Dockerfile, and the comments that ignore nothing."""
    if "dockfix" not in target.text.lower():
        return ()
    suppressions = Suppressions(target.dockerfile)
    warnings = suppressions.mistakes(names)
    unused = _unused_ignores(target, codemods, names)
    if unused and result.changed:  # a fix may have created what a comment ignores
        unused &= _unused_ignores(target.with_text(result.text), codemods, names)
    for number, name in unused:
        line = suppressions.directives[number][0].line
        warnings.append((line, f"unused dockfix comment: {name} has no finding here"))
    return tuple(InputProblem(shown, line, message) for line, message in sorted(warnings))


def _unused_ignores(target: Target, codemods: Sequence[Codemod], names: RuleNames) -> set[tuple[int, str]]:
    """The ignore comments without effect, except those for project rules."""
    suppressions = Suppressions(target.dockerfile)
    named = names.of_all(name for _, directive in suppressions.directives for name in directive.names)
    policy = target.own_options.policy
    concerned = [
        each
        for each in codemods
        if each.name in named
        and each.check is not None
        and not each.reports_comments
        and not policy.ignores(each.name, target.display)
    ]
    if not concerned:
        return set()
    found, defects = findings(target.with_text(suppressions.disarmed()), concerned)
    complete = {each.name for each in concerned} - {defect.rule for defect in defects}
    return suppressions.unused(((each.rule, each.finding.at) for each in found), complete, names)
