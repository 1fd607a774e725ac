"""All files of a run at one moment: what project rules check and fixes change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.discovery import is_sample_path
from dockfix.project.files import NOWHERE, FileText
from dockfix.project.problems import InputError
from dockfix.project.target import BuildOptions, Project, Target, load_project, target_for
from dockfix.rule.lazy import LazyFunction
from dockfix.syntax.source import Lines, Span, encode

T = TypeVar("T")


def collect_key(collect: Callable[[Target], object]) -> str:
    """The key of what a function collects, the same in every process."""
    if isinstance(collect, LazyFunction):
        return f"{collect.module}.{collect.name}"
    return f"{collect.__module__}.{collect.__qualname__}"


class Workspace(Struct, frozen=True, dict=True):
    """The Dockerfiles of a run that parse, and the project around them.

    `files` are the Dockerfiles as they were read, in the order of the run; their current texts are in `project.files`.
    A change gives a new workspace.
    """

    project: Project
    files: tuple[FileText, ...]
    build_options: BuildOptions = field(default_factory=BuildOptions)
    known: Mapping[tuple[str, Path], Any] = field(default_factory=dict)
    """What functions have collected from files already: by `collect_key` and real path."""
    all_paths: frozenset[Path] = frozenset()
    """The real paths of all Dockerfiles of the run, where `files` are only some of them."""

    @classmethod
    def of(cls, target: Target) -> Workspace:
        """The workspace of one Dockerfile, which need not be a file."""
        file = target.file
        if file is None:
            file = FileText(target.path, target.real, encode(target.text), target.text, NOWHERE)
        now = file if file.text == target.text else replace(file, text=target.text)
        workspace = cls(target.project, (now,), target.build_options)
        workspace._targets[file.real] = target
        return workspace

    def options(self, kind: type[T]) -> T:
        """The options of a rule: those that are configured, or the defaults of the class.

        Args:
            kind: the class that the rule declares as its `options`.
        """
        return self.build_options.of_rule(kind)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The Dockerfiles in their builds."""
        return tuple(self.target(file) for file in self.files)

    def target(self, file: FileText) -> Target:
        """One of `files` in its build, with its current text."""
        found = self._targets.get(file.real)
        if found is None:
            found = self._targets[file.real] = target_for(self.project, self._now(file), self.build_options)
        return found

    @cached_property
    def _targets(self) -> dict[Path, Target]:
        return {}

    @cached_property
    def outside(self) -> tuple[Target, ...]:
        """The Dockerfiles that compose and bake files build and that are not part of the run, in their builds.

        Those that cannot be read are left out.
        """
        paths = dict.fromkeys(each.dockerfile for each in self.project.invocations if each.dockerfile is not None)
        found: list[Target] = []
        for path in paths:
            real = self.project.files.real(path)
            if real is None or real in self._of_run:
                continue
            try:
                found.append(self.target(self.project.files.read(real)))
            except InputError:
                continue
        return tuple(found)

    @cached_property
    def _of_run(self) -> frozenset[Path]:
        return self.all_paths or frozenset(self.by_path)

    def _now(self, file: FileText) -> FileText:
        text = self.project.files.changes.get(file.real)
        return file if text is None else replace(file, text=text)

    def at(self, path: Path) -> Target | None:
        """The Dockerfile at a path, part of the run or not, in its builds; `None` if it cannot be read."""
        real = self.project.files.real(path)
        if real is None:
            return None
        try:
            return self.target(self.by_path.get(real) or self.project.files.read(real))
        except InputError:
            return None

    def collected(self, collect: Callable[[Target], T]) -> Iterator[tuple[Path, T]]:
        """What a function collects from each Dockerfile, with the file's real path, in order.

        If a rule declares the function as its `collect`, the engine has already called it for most files.
        """
        key = collect_key(collect)
        for file in self.files:
            if (key, file.real) in self.known:
                yield file.real, cast("T", self.known[key, file.real])
            else:
                yield file.real, collect(self.target(file))

    @property
    def texts(self) -> Iterator[str]:
        """The current texts of the Dockerfiles."""
        return (self._now(file).text for file in self.files)

    @property
    def has_ignore_files(self) -> bool:
        """Whether there is an ignore file that may apply to a Dockerfile that no compose or bake file builds."""
        root = self.project.root
        given = {self.build_options.of_file(file.real, root).context for file in self.files}
        folders = {root, *(file.real.parent for file in self.files)}
        folders |= {root / context for context in given if context is not None}
        names = {folder / ".dockerignore" for folder in folders}
        names |= {file.real.with_name(f"{file.real.name}.dockerignore") for file in self.files}
        return any(os.path.lexists(name) or name in self.project.files.changes for name in names)

    @cached_property
    def by_path(self) -> Mapping[Path, FileText]:
        """The Dockerfiles as they were read, by real path."""
        return {file.real: file for file in self.files}

    def display(self, path: Path) -> str:
        """A real path relative to the project, with `/`."""
        root = self.project.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()

    def given(self, path: Path) -> Path:
        """The path of a file as the user wrote it; `path` is real."""
        own = self.by_path.get(path)
        return path if own is None else own.path

    @cached_property
    def _top(self) -> Path:
        """The deepest folder that holds all Dockerfiles of the run."""
        folders = [file.real.parent for file in self.files]
        return Path(os.path.commonpath(folders)) if folders else self.project.root

    def is_sample(self, path: Path) -> bool:
        """Whether a file of the run is part of tests, examples or documentation while other files are not.

        Samples need not agree with the product. In a run over nothing but samples no file counts as one.
        """
        return path.is_relative_to(self._top) and is_sample_path(path.relative_to(self._top).as_posix())

    def text(self, path: Path) -> str:
        """The current text of any file of the project; `path` is real.

        Raises:
            InputError: it cannot be read.
        """
        changed = self.project.files.changes.get(path)
        if changed is not None:
            return changed
        own = self.by_path.get(path)
        return own.text if own is not None else self.project.files.read(path).text

    def text_if_any(self, path: Path) -> str | None:
        """The current text of a file; None if it cannot be read or does not exist."""
        try:
            return self.text(path)
        except InputError:
            return None

    def place(self, path: Path, line: int, word: str = "") -> Span:
        """The place of a word in a line of a file, or of the text of the line without it; `path` is real.

        Raises:
            InputError: the file cannot be read.
        """
        text = self.text(path)
        start = Lines(text).start(line)
        written = text[start:].partition("\n")[0].rstrip()
        found = written.find(word) if word else -1
        if found >= 0:
            return Span(start + found, start + found + len(word))
        return Span(start + len(written) - len(written.lstrip()), start + len(written))

    def only(self, keep: Callable[[str], bool]) -> Workspace:
        """The workspace with only those Dockerfiles whose text, in lower case, satisfies `keep`."""
        kept = tuple(file for file in self.files if keep(self._now(file).text.lower()))
        if len(kept) == len(self.files):
            return self
        fewer = replace(self, files=kept, all_paths=self._of_run)
        fewer.__dict__["_targets"] = self._targets  # the project is the same, and so are its targets
        return fewer

    def with_known(self, known: Mapping[tuple[str, Path], Any]) -> Workspace:
        """The workspace with more collected values."""
        if not known:
            return self
        more = replace(self, known={**self.known, **known})
        more.__dict__["_targets"] = self._targets  # as above
        return more

    def with_changes(self, changes: Mapping[Path, str]) -> Workspace:
        """The workspace with other texts, by real path; a text for a path that does not exist creates a file.

        The project is read again if a file other than a Dockerfile of the run changes.
        """
        snapshot = self.project.files.with_changes(changes)
        if changes.keys() <= self.by_path.keys():
            known = {key: value for key, value in self.known.items() if key[1] not in changes}
            changed = replace(self, project=replace(self.project, snapshot=snapshot), known=known)
            self._hand_on_targets(changed)
            return changed
        options = self.build_options
        project = load_project(
            self.project.root, use_project=options.use_project, files=snapshot, compose=options.compose
        )
        return replace(self, project=project, known={})

    def _hand_on_targets(self, changed: Workspace) -> None:
        """Keep what is known of the files for a workspace in which only Dockerfiles have changed."""
        for real, target in self._targets.items():
            if len(self.files) == 1 and real in self.by_path:
                # it reads no other Dockerfile that has changed, so only its text differs
                text = changed.project.files.changes[real]
                changed._targets[real] = target if text == target.text else target.with_text(text)


def changed_paths(before: Workspace, after: Workspace) -> list[Path]:
    """The files whose texts differ between two workspaces of one run."""
    old, new = before.project.files.changes, after.project.files.changes
    if old is new:
        return []
    return [path for path, text in new.items() if text is not old.get(path) and before.text_if_any(path) != text]
