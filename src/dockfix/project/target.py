"""A project, a build target (a Dockerfile, its context and how it is invoked), and the options of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.facts.model import Fact, Known, OneOf, Unknown
from dockfix.project.discovery import CONFIG_NAMES, find_named, is_bake_name, is_compose_name
from dockfix.project.files import FileText, Snapshot
from dockfix.project.policy import NO_POLICY, Policy, TargetContext
from dockfix.project.problems import InputProblem
from dockfix.project.secrets import Secrets, is_secret_name
from dockfix.project.tracing import names_with
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Dockerfile

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.project.bake.builds import BakeFile
    from dockfix.project.compose.builds import BuildInvocation, ComposeFile, NamedContext
    from dockfix.project.context import Context
    from dockfix.project.shellcheck import Comments, Failure

T = TypeVar("T")

_ROOT_FILES: Final = ("pyproject.toml", *CONFIG_NAMES)


class Project(Struct, frozen=True, dict=True):
    """What is known about a project besides its Dockerfiles. `root` is absolute and real: nothing outside it is
    touched. The paths of `problems` are relative to it.
    """

    root: Path
    compose_files: tuple[ComposeFile, ...] = ()
    invocations: tuple[BuildInvocation, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    snapshot: Snapshot | None = field(default=None)
    bake_files: tuple[BakeFile, ...] = ()

    @property
    def input_problems(self) -> tuple[InputProblem, ...]:
        """`problems` with the paths as the user would write them: relative to the current folder."""
        return tuple(replace(each, path=os.path.relpath(self.root / each.path)) for each in self.problems)

    @cached_property
    def files(self) -> Snapshot:
        """The files of the project as this run sees them."""
        return self.snapshot or Snapshot(self.root)

    @cached_property
    def memo(self) -> dict[object, object]:
        """Results computed from the project's files and shared by its Dockerfiles; a key names all that its result
        depends on.
        """
        return {}

    @cached_property
    def built(self) -> Mapping[Path, tuple[BuildInvocation, ...]]:
        """The Dockerfiles that invocations build, by real path."""
        found: dict[Path, list[BuildInvocation]] = {}
        for invocation in self.invocations:
            if invocation.dockerfile is not None:
                found.setdefault(Path(os.path.realpath(invocation.dockerfile)), []).append(invocation)
        return {path: tuple(invocations) for path, invocations in found.items()}

    @cached_property
    def secrets(self) -> Secrets:
        """The values of compose and bake files that no message may show."""
        expanded = {text: raw for file in self.compose_files for text, raw in file.expanded.items()}
        given = [invocation.args for invocation in self.invocations]
        given += [service.environment for file in self.compose_files for service in file.services.values()]
        given += [file.variables for file in self.bake_files]
        named = {
            value: f"${{{name}}}"
            for values in given
            for name, value in values.items()
            if value is not None and is_secret_name(name)
        }
        return Secrets(expanded, named, names=self._open_names)

    @property
    def _open_names(self) -> frozenset[str]:
        """The names of services, and of images as the compose files write them."""
        services = [service for file in self.compose_files for service in file.services.values()]
        images = {image for service in services if isinstance(image := service.raw.get("image"), str)}
        return frozenset(name for name in {*images, *(service.name for service in services)} if "$" not in name)

    def unread(self, dockerfile: Path) -> tuple[Path, ...]:
        """The compose and bake files that could not be read in full and may say how a Dockerfile is built: those in
        its folder, or in one above it.
        """
        broken = [compose.path for compose in self.compose_files if compose.broken]
        broken += [bake.path for bake in self.bake_files if bake.broken]
        return tuple(path for path in broken if dockerfile.is_relative_to(path.parent))

    def built_by(self, path: Path) -> tuple[Path, ...]:
        """The Dockerfiles that a compose or bake file builds, or whose contexts an ignore file filters; sorted."""
        return tuple(
            sorted(
                dockerfile
                for dockerfile, invocations in self.built.items()
                if self.files.is_file(dockerfile) and any(_concerns(path, dockerfile, each) for each in invocations)
            )
        )


class BuildOptions(Struct, frozen=True):
    """How Dockerfiles are built, and the options of rules, from the command line and the configuration.

    Args:
        context: the build context of every Dockerfile; relative to the project root unless absolute.
        build_contexts: named contexts, as `docker build --build-context` takes them.
        use_project: whether compose and bake files are read.
        base_images: the project's own base images, each with the public image that it is based on.
        compose: the compose files to read, merged in this order, instead of all that a search finds.
        rule_options: the configured options of rules, by the class that the rule declares.
        policy: the severities of rules, and the rules that are ignored in some files.
        targets: the contexts of the Dockerfiles that match a pattern; the last one that matches applies.
        nested: what applies instead to the files in a folder, by the real path of the folder.
        context_source: what gives `context`, for messages.
        cache: a folder of the user for results of other programs; None: they are kept for the run only.
    """

    context: Path | None = None
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    use_project: bool = True
    base_images: Mapping[str, str] = field(default_factory=dict)
    compose: tuple[Path, ...] = ()
    rule_options: Mapping[type[Any], object] = field(default_factory=dict)
    policy: Policy = NO_POLICY
    targets: tuple[TargetContext, ...] = ()
    nested: Mapping[Path, BuildOptions] = field(default_factory=dict)
    context_source: str = "command line"
    cache: Path | None = None

    def of_file(self, real: Path, root: Path) -> BuildOptions:
        """The options for a file: those of the nearest folder that has its own, with the contexts of `targets`.

        Args:
            real: the real path of the file.
            root: the project root.
        """
        own = self._nearest(real)
        found = self.target_table(real, root)
        if found is None:
            return own
        context = found.context_of(real, root)
        names = found.named_contexts_of(real, root)
        return replace(
            own,
            context=own.context if context is None else context,
            context_source=own.context_source if context is None else "configuration",
            build_contexts={**own.build_contexts, **names},
        )

    def target_table(self, real: Path, root: Path) -> TargetContext | None:
        """The table of `targets` that applies to a file, given by its real path: the last one that matches it."""
        own = self._nearest(real)
        if not own.targets:
            return None
        shown = display(real, root)
        return next((each for each in reversed(own.targets) if each.matches(shown)), None)

    def _nearest(self, real: Path) -> BuildOptions:
        if not self.nested:
            return self
        return next((self.nested[each] for each in real.parents if each in self.nested), self)

    def of_rule(self, kind: type[T]) -> T:
        """The options of a rule: those that are configured, or the defaults of the class."""
        found = self.rule_options.get(kind)
        return found if isinstance(found, kind) else kind()


class Target(Struct, frozen=True, dict=True):
    """A Dockerfile in its build.

    `display` is the project-relative path with `/`. `context` is `None` if it cannot be known; `context_why` says how
    it is known, or why not. `invocations` are those that build this file. `named_contexts` holds what the invocations
    and the command line (which wins) supply for each name: several, if the invocations differ. An invocation may
    lack a name that another supplies; see `invocations`. `unread` names the compose and bake files
    that could not be read and may build this file in ways that are not known.
    """

    path: Path
    display: str
    text: str
    context: Context | None
    context_why: str
    invocations: tuple[BuildInvocation, ...]
    project: Project
    file: FileText | None
    named_contexts: Mapping[str, tuple[NamedContext, ...]] = field(default_factory=dict)
    base_images: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    build_options: BuildOptions = field(default_factory=BuildOptions)

    def options(self, kind: type[T]) -> T:
        """The options of a rule: those that are configured, or the defaults of the class.

        Args:
            kind: the class that the rule declares as its `options`.
        """
        return self.own_options.of_rule(kind)

    def shellcheck(self, *groups: Sequence[str]) -> Mapping[str, Comments | Failure]:
        """What ShellCheck says of groups of shell scripts; nothing if it is not installed."""
        from dockfix.project.shellcheck import check_scripts  # noqa: PLC0415 - only its rule needs a process

        cache = self.build_options.cache
        return check_scripts(self.project.memo, groups, cache and cache / "shellcheck")

    @cached_property
    def own_options(self) -> BuildOptions:
        """The options for this file; `build_options` are those of the run."""
        return self.build_options.of_file(self.real, self.project.root)

    @property
    def builds_known(self) -> bool:
        """Whether every compose and bake file that may build this file was read in full."""
        return not self.unread

    @cached_property
    def dockerfile(self) -> Dockerfile:
        """The tree of `text`."""
        return parse(self.text)

    @cached_property
    def with_triggers(self) -> Target:
        """The same file with the instructions of ONBUILD as steps; see `dockfix.facts.triggers`."""
        from dockfix.facts.triggers import with_triggers  # noqa: PLC0415 - few files have triggers

        other = replace(self)
        other.__dict__["dockerfile"] = with_triggers(self.dockerfile)
        return other

    @cached_property
    def facts(self) -> BuildFacts:
        """What is true of the build, as far as the file and its invocations tell."""
        from dockfix.facts.build import analyse  # noqa: PLC0415 - reading a file needs none of its tables

        return analyse(
            self.dockerfile, build_args=self.build_args, named_contexts=self._context_names, images=self.base_images
        )

    @cached_property
    def build_args(self) -> Mapping[str, Fact[str]]:
        """The arguments that the invocations pass: known where all of them agree on a value."""
        names = {name for invocation in self.invocations for name in invocation.args}
        return {name: self._build_arg(name) for name in names}

    def _build_arg(self, name: str) -> Fact[str]:
        values = {invocation.args.get(name) for invocation in self.invocations}
        known = tuple(sorted(value for value in values if value is not None))
        if len(known) < len(values) or not known:
            return Unknown(f"not every invocation says what {name} is")
        return Known(known[0]) if len(known) == 1 else OneOf(known)

    @cached_property
    def _context_names(self) -> Mapping[str, str]:
        return {name: contexts[0].value for name, contexts in self.named_contexts.items()}

    @cached_property
    def variants(self) -> tuple[Target, ...]:
        """The same file as each of its builds has it: a target for each context that its invocations name.

        A fix must be correct in all of them. It is the target itself where the context is the
        same in all builds, or the command line gives it.
        """
        roots = dict.fromkeys(invocation.context for invocation in self.invocations)
        if len(roots) < 2 or self.context is not None:
            return (self,)
        return tuple(self._in_context(root) for root in roots)

    def _in_context(self, root: Path | None) -> Target:
        invocations = tuple(each for each in self.invocations if each.context == root)
        known, why = _context_root(self.project, invocations, None)
        context = _context(self.project, known, self.path) if known is not None else None
        variant = replace(self, context=context, context_why=why, invocations=invocations)
        variant.__dict__["dockerfile"] = self.dockerfile  # the text is the same, so the cached tree stays valid
        return variant

    @cached_property
    def possible_contexts(self) -> tuple[Context, ...]:
        """The contexts of the known builds; if no build is known, the likely ones (`context_candidates`).

        None for a text without a file. A build whose context is not known adds none: see `contexts_known`.
        """
        if self.file is None:
            return ()
        known = [variant.context for variant in self.variants if variant.context is not None]
        return tuple(known or (() if self.invocations else context_candidates(self.project, self.path)))

    @property
    def contexts_known(self) -> bool:
        """Whether the context of every known build is known; also if there is no known build."""
        return self.builds_known and all(variant.context for variant in self.variants if variant.invocations)

    @cached_property
    def secrets(self) -> Secrets:
        """The values that no message about this file may show, and no edit may write into it."""
        passed = {
            value: f"${{{name}}}"
            for build in self.builds
            for name, value in build.args.items()
            if value is not None and (name in build.hidden_args or is_secret_name(name))
        }
        return self.project.secrets.for_build(passed)

    @cached_property
    def real(self) -> Path:
        """The real path of the file."""
        return self.file.real if self.file is not None else Path(os.path.realpath(self.path))

    @cached_property
    def builds(self) -> tuple[BuildInvocation, ...]:
        """All invocations of this file, including those of its other `variants`."""
        return self.project.built.get(self.real, self.invocations)

    def with_text(self, text: str) -> Target:
        """The same target with another text of its Dockerfile."""
        return replace(self, text=text)


def _concerns(path: Path, dockerfile: Path, invocation: BuildInvocation) -> bool:
    if path.name == ".dockerignore":
        return invocation.context == path.parent
    if path.name.endswith(".dockerignore"):
        return path == dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    return invocation.source == path


def is_project_file_name(name: str) -> bool:
    """Whether a file of this name says how Dockerfiles are built: a compose, bake or ignore file."""
    return is_compose_name(name) or name.endswith(".dockerignore") or is_bake_name(name)


def find_project_root(start: Path) -> Path:
    """The nearest folder from `start` up with `.git`; else with a `pyproject.toml`, dockfix's configuration, a compose
    or a bake file; else `start`, or the folder of `start` if it is a file. Absolute and real.
    """
    real = Path(os.path.realpath(start))
    folder = real if real.is_dir() else real.parent
    chain = (folder, *folder.parents)
    for candidate in chain:
        if os.path.lexists(candidate / ".git"):
            return candidate
    for candidate in chain:
        if any(os.path.isfile(candidate / name) for name in _ROOT_FILES) or _says_builds(candidate):  # noqa: PTH113
            return candidate
    return folder


def _says_builds(folder: Path) -> bool:
    try:
        # a folder above the project may have other files that change all the time
        return any(is_compose_name(name) or is_bake_name(name) for name in names_with(folder, ("compose", "bake")))
    except OSError:
        return False


def load_project(
    root: Path, *, use_project: bool = True, files: Snapshot | None = None, compose: Sequence[Path] = ()
) -> Project:
    """Read the compose and bake files of the project at `root`; none of them if not `use_project`.

    Args:
        root: the project; nothing outside it is read.
        use_project: whether anything is read at all.
        files: the snapshot to read from; one with changes gives the project with these changes.
        compose: read only these compose files, merged in their order, and no bake files.
    """
    real = Path(os.path.realpath(root))
    snapshot = files if files is not None else Snapshot(real)
    if not use_project:
        return Project(real, snapshot=snapshot)
    compose_files: list[ComposeFile] = []
    bake_files: list[BakeFile] = []
    trouble: list[InputProblem] = []
    if compose:
        from dockfix.project.compose.builds import read_compose_files  # noqa: PLC0415 - most runs have no such file

        merged, trouble = read_compose_files(compose, snapshot)
        compose_files.append(merged)
    else:
        compose_paths, bake_paths = find_named(real, is_compose_name, is_bake_name)
        if compose_paths or snapshot.created:
            from dockfix.project.compose.builds import read_project_compose  # noqa: PLC0415 - as above

            compose_files, trouble = read_project_compose(snapshot, compose_paths)
        for path in bake_paths:
            from dockfix.project.bake.builds import read_bake  # noqa: PLC0415 - as above

            bake, wrong = read_bake(path, snapshot)
            bake_files.append(bake)
            trouble += wrong
    problems = [InputProblem(display(Path(each.path), real), each.line, each.message) for each in trouble]
    invocations = tuple(i for file in compose_files for i in file.invocations)
    invocations += tuple(i for file in bake_files for i in file.invocations)
    unique = tuple(dict.fromkeys(problems))
    project = Project(real, tuple(compose_files), invocations, unique, snapshot, tuple(bake_files))
    shown = tuple(replace(each, message=project.secrets.hide(each.message)) for each in unique)
    return project if shown == unique else replace(project, problems=shown)


def target_for(project: Project, file: FileText, options: BuildOptions | None = None) -> Target:
    """The target of one Dockerfile.

    The contexts of `options` win over the invocations. The context is known if the command line gives it, or if all
    invocations of this Dockerfile agree on one; it is never guessed (see `context_candidates`).
    """
    run_options = options or BuildOptions()
    given = run_options.of_file(file.real, project.root)
    invocations = project.built.get(file.real, ())
    unread = tuple(display(path, project.root) for path in project.unread(file.real))
    root, why = _context_root(project, invocations, given.context, given.context_source)
    if unread and not invocations and given.context is None:
        why = f"{unread[0]} could not be read and may build it; fix it, or give --context DIR"
    known = _context(project, root, file.real) if root is not None else None
    names: dict[str, tuple[NamedContext, ...]] = {}
    for invocation in invocations:
        for name, value in invocation.additional_contexts.items():
            known_values = {(other.value, other.path) for other in names.get(name, ())}
            if (value.value, value.path) not in known_values:
                names[name] = (*names.get(name, ()), value)
    for name, reference in given.build_contexts.items():
        from dockfix.project.compose.builds import named_context  # noqa: PLC0415 - rarely given

        key = _given_name(name)
        names[key] = (named_context(key, reference, line=0, base=project.root, root=project.root),)
    return Target(
        path=file.path,
        display=display(file.path, project.root),
        text=file.text,
        context=known,
        context_why=why,
        invocations=invocations,
        project=project,
        file=file,
        named_contexts=names,
        base_images=given.base_images,
        unread=unread,
        build_options=run_options,
    )


def target_from_text(text: str, *, display: str = "Dockerfile", root: Path | None = None) -> Target:
    """A target for a text without a file: no context, no invocations.

    Args:
        text: the Dockerfile.
        display: the name to show for it.
        root: the project root; the current folder by default.
    """
    base = root if root is not None else Path()
    return Target(
        path=base / display,
        display=display,
        text=text,
        context=None,
        context_why="a text without a file has no build context",
        invocations=(),
        project=Project(base),
        file=None,
    )


def _given_name(name: str) -> str:
    """A name of `--build-context` in the form that a build looks up."""
    from dockfix.facts.stages import context_key  # noqa: PLC0415 - reading a file needs none of its tables

    return context_key(name)


def context_candidates(project: Project, dockerfile_path: Path) -> list[Context]:
    """The likely contexts of a Dockerfile that no known build uses: its own folder and the project root."""
    real = Path(os.path.realpath(dockerfile_path))
    roots = dict.fromkeys((real.parent, project.root))
    return [_context(project, root, real) for root in roots if root.is_relative_to(project.root)]


def _context_root(
    project: Project, invocations: tuple[BuildInvocation, ...], given: Path | None, source: str = "command line"
) -> tuple[Path | None, str]:
    if given is not None:
        root = Path(os.path.realpath(project.root / given))
        if not root.is_relative_to(project.root):
            return None, f"the context {given} of the {source} is outside the project"
        if not root.is_dir():
            return None, f"the context {given} of the {source} is not a folder"
        return root, source
    if not invocations:
        return None, "no compose or bake file builds it; give --context DIR"
    services = _builders(project, invocations)
    roots = {i.context for i in invocations}
    if len(roots) > 1:
        return None, f"{services} build it with different contexts; give --context DIR"
    agreed = invocations[0].context
    if agreed is None:
        return None, f"{services}: {invocations[0].context_why}"
    if not agreed.is_dir():
        shown = invocations[0].hidden.get("context", display(agreed, project.root))
        return None, f"{services}: the context {shown} does not exist"
    return agreed, services


def _builders(project: Project, invocations: tuple[BuildInvocation, ...]) -> str:
    """The services and targets of some invocations, each with its file, for messages."""
    words: list[str] = []
    for kind, noun in (("compose", "compose service"), ("bake", "bake target")):
        names = list(
            dict.fromkeys(f"{i.service} ({display(i.source, project.root)})" for i in invocations if i.kind == kind)
        )
        if names:
            words.append(f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}")
    return " and ".join(words)


def _context(project: Project, root: Path, dockerfile: Path) -> Context:
    from dockfix.project.context import Context  # noqa: PLC0415 - most files are not known to be built in one
    from dockfix.project.ignore import read_ignore  # noqa: PLC0415 - as above

    return Context(root, project.root, read_ignore(root, dockerfile, project.files), project.files)


def display(path: Path, root: Path) -> str:
    """`path` relative to the project root, with `/`; unchanged if it is outside the project."""
    # the last part may be a symlink: its own name is shown, not that of its target
    real = Path(os.path.realpath(path.parent), path.name)
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else path.as_posix()
