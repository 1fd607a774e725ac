"""How builds depend on each other: who supplies a named context, passes an argument, or makes an image.

A build takes `COPY --from=NAME`, `RUN --mount=from=NAME` and `FROM NAME` from the named context NAME, if it has one.
A compose service gets it from `build.additional_contexts`, a bake target from `contexts`. Sources: the Compose
specification, `build.md`; docker/buildx, `docs/bake-reference.md`, "target.contexts".
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from msgspec import Struct

from dockfix.project.compose.builds import BuildInvocation, NamedContext, context_kind
from dockfix.project.context import Context
from dockfix.project.files import resolve_inside
from dockfix.project.ignore import IgnoreRules
from dockfix.project.problems import InputError
from dockfix.project.target import Project, Target
from dockfix.syntax.tree import Copy

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage


def where(project: Project, build: BuildInvocation) -> str:
    """A build for messages: its service or target, its file and its line."""
    return f"{build.service} ({shown_folder(project, build.source)}:{build.line})"


def describe_builds(project: Project, builds: Sequence[BuildInvocation]) -> str:
    """Several builds for messages, the first three by name."""
    more = f" and {len(builds) - 3} more" if len(builds) > 3 else ""
    return ", ".join(where(project, each) for each in builds[:3]) + more


def shown_folder(project: Project, path: Path) -> str:
    """A path of the project relative to its root, with `/`."""
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else path.as_posix()


def folder_as_written(build: BuildInvocation, folder: Path) -> str:
    """A folder as the build's file writes it: relative to the base of its paths, `./x` or `../x`."""
    rel = Path(os.path.relpath(folder, base_folder(build) or os.path.realpath(build.source.parent))).as_posix()
    return rel if rel == "." or rel.startswith("..") else f"./{rel}"


def as_written(build: BuildInvocation, name: str, value: str) -> str:
    """The entry that gives a build the named context, as one line of its file's language."""
    if build.kind == "bake":
        return f'contexts = {{ "{name}" = "{value}" }} in the target {build.service}'
    return f"`additional_contexts: {{{name}: {value}}}` below `build:` of the service {build.service}"


def base_folder(build: BuildInvocation) -> Path | None:
    """The folder that relative paths of a build start from; `None` if it is unknown.

    It is the folder of the build's file, unless `include` names another `project_directory`.
    """
    folder = Path(os.path.realpath(build.source.parent))
    written = build.raw.get("context", ".")
    if build.kind == "bake" or build.context is None or "$" in written or context_kind(written) != "folder":
        return folder
    context = Path(os.path.realpath(build.context))
    if os.path.realpath(folder / written) == str(context):
        return folder
    parts = Path(posixpath.normpath(written)).parts
    if ".." in parts or written.startswith("/") or context.parts[len(context.parts) - len(parts) :] != parts:
        return None
    return Path(*context.parts[: len(context.parts) - len(parts)])


def args_are_plain(target: Target) -> bool:
    """Whether compose passes only arguments with literal values: values of variables must not be shown."""
    return all(
        build.raw_args.get(name) == value
        for build in target.builds
        if build.kind == "compose"
        for name, value in build.args.items()
    )


def passing(target: Target, stage: Stage, name: str) -> tuple[BuildInvocation, ...]:
    """The builds of a file that pass an argument and build the stage."""
    graph = target.facts.graph
    return tuple(each for each in target.builds if name in each.args and stage in graph.needed_for(each.target))


def is_build_stage(target: Target, stage: Stage) -> bool:
    """Whether a stage is in no image: no build makes one that starts from it, and from the last of the stages that do,
    others take files."""
    graph = target.facts.graph
    named = (graph.by_name(build.target) for build in target.builds if build.target)
    images = [each for each in (*named, graph.final) if each is not None]
    if any(graph.in_image(stage, image) for image in images):
        return False
    heirs = (stage, *graph.descendants(stage))
    parents = {each.parent for each in heirs}
    return all(graph.copied_from(each) for each in heirs if each.index not in parents)


def never_passed(target: Target, names: Collection[str]) -> bool:
    """Whether all builds of the project are known and none of them passes one of these arguments."""
    project = target.project
    known = all(build.dockerfile is not None or build.inline for build in project.invocations)
    broken = any(each.broken for each in project.compose_files) or any(each.broken for each in project.bake_files)
    unpassed = not any(name in build.args for build in target.builds for name in names)
    return bool(target.builds) and known and not broken and unpassed


def bake_block(project: Project, build: BuildInvocation) -> str:
    """The label of the block that defines a bake target."""
    for file in project.bake_files:
        if file.path == build.source:
            target = file.targets.get(build.service)
            return target.block if target is not None else build.service
    return build.service


def is_of_matrix(project: Project, build: BuildInvocation) -> bool:
    """Whether a block defines several bake targets, so that the target's name may differ from the block's label."""
    files = [file for file in project.bake_files if file.path == build.source]
    return any(len([t for t in file.targets.values() if t.block == bake_block(project, build)]) != 1 for file in files)


def has_literal_value(project: Project, build: BuildInvocation, given: NamedContext) -> bool:
    """Whether a build's file has the literal value of a named context, not a variable or a value from elsewhere.

    A variable may have another value on another machine, so its value is not written out.
    """
    try:
        lines = project.files.read(build.source).text.splitlines()
    except InputError:
        return False
    line = lines[given.line - 1] if 0 < given.line <= len(lines) else ""
    here = given.source is None or os.path.realpath(given.source) == os.path.realpath(build.source)
    return here and given.shown == given.value and given.value in line and "$" not in line


def equivalent_value(
    project: Project, provider: BuildInvocation, given: NamedContext, build: BuildInvocation
) -> str | None:
    """The value that gives `build` the named context of `provider`; `None` if it is unknown whether it is the same."""
    if not has_literal_value(project, provider, given):
        return None
    same_file = provider.source == build.source
    if given.kind == "folder":
        if given.path is not None:
            return given.value if same_file else folder_as_written(build, given.path)
        return given.value if provider.source.parent == build.source.parent else None
    if given.kind in ("service", "target"):
        named = given.value.partition(":")[2]
        bases = [each for each in project.invocations if each.source == build.source and each.service == named]
        fits = same_file and named != build.service and bases and enabled_with(project, bases[0], build)
        return given.value if fits else None
    return given.value if given.kind in ("image", "remote") else None


def enabled_with(project: Project, base: BuildInvocation, build: BuildInvocation) -> bool:
    """Whether compose has the service of `base` enabled whenever it has that of `build`.

    Compose refuses a project that refers to a service whose profile is not active: `declares unknown service ... as
    additional contexts`. Sources: compose-go `loader/validate.go`, `checkConsistency`; the
    Compose specification, `15-profiles.md`; docker/compose issue 14223.
    """
    profiles = _profiles(project, base)
    own = _profiles(project, build)
    return not profiles or (bool(own) and set(own) <= set(profiles))


def common_producer(
    project: Project, producers: Sequence[BuildInvocation], build: BuildInvocation
) -> BuildInvocation | None:
    """The producer of an image that another build can wait for; `None` if the producers make different images."""
    kinds = {(each.dockerfile, each.context, each.target, frozenset(each.args.items())) for each in producers}
    enabled = [each for each in producers if enabled_with(project, each, build)]
    return (
        (enabled or list(producers))[0]
        if (len(kinds) == 1 and producers[0].dockerfile) or len(producers) == 1
        else None
    )


def _profiles(project: Project, build: BuildInvocation) -> tuple[str, ...]:
    files = [file for file in project.compose_files if file.path == build.source]
    found = [file.services[build.service].profiles for file in files if build.service in file.services]
    return found[0] if found else ()


def folder_candidates(
    project: Project, build: BuildInvocation, given: NamedContext, sources: Sequence[str]
) -> tuple[Path, ...]:
    """The folders inside the project that a named context may mean whose own folder does not exist.

    Candidates are: the same path from the project's root instead of the file's folder, the path without its leading
    `..` from the file's folder or one above it, and a folder of the same base name next to the file, in the build
    context or in the root. Each has all of `sources`, the patterns that are copied from it. If the path leads out of
    the project, which dockfix does not read, only its whole rest counts.
    """
    parts = [part for part in posixpath.normpath(given.value).split("/") if part]
    rest = [part for part in parts if part != ".."]
    if not rest or given.value.startswith("/") or given.value.startswith("~"):
        return ()
    folder = base_folder(build)
    if folder is None:
        return ()
    above = [each for each in (folder, *folder.parents) if each.is_relative_to(project.root)]
    tried = [*(each.joinpath(*rest) for each in above)]
    if given.path is not None:
        places = [*above, *([build.context] if build.context is not None else [])]
        tried += [each / rest[-1] for each in places]
    found: dict[Path, None] = {}
    for each in tried:
        real = resolve_inside(project.root, each)
        if real is not None and real != project.root and project.files.is_dir(real) and _holds(project, real, sources):
            found.setdefault(real)
    return tuple(found)


def _holds(project: Project, folder: Path, sources: Sequence[str]) -> bool:
    context = Context(folder, project.root, IgnoreRules(None, ()), project.files)
    return all(".." not in source and context.glob(source) != [] for source in sources)


def may_be_image(target: Target, name: str, *, stages: bool = True) -> bool:
    """Whether a name may be an image: by its form, because it is well known, or because the project uses it as one.

    `stages`: a FROM of the same file counts as a use.
    """
    from dockfix.facts.images import base_image  # noqa: PLC0415 - reading a file needs none of its tables

    if any(character in name for character in "/:.@") or base_image(name) is not None:
        return True
    project = target.project
    used = {stage.node.image.text for stage in target.facts.graph.stages if stages and stage.node.image}
    used |= {service.image for file in project.compose_files for service in file.services.values() if service.image}
    used |= {tag for build in project.invocations for tag in build.tags}
    return name in {image.partition("@")[0].partition(":")[0] for image in used}


class Supply(Struct, frozen=True):
    """Which of the builds that need a stage supply a named context, and which do not."""

    key: str
    providers: tuple[BuildInvocation, ...]
    without: tuple[BuildInvocation, ...]
    by_command_line: bool

    @property
    def given(self) -> tuple[NamedContext, ...]:
        """The named contexts of the providers, in their order."""
        return tuple(each.additional_contexts[self.key] for each in self.providers)

    def agreed(self, project: Project, build: BuildInvocation) -> str | None:
        """The value that gives another build the context that all providers have; `None` if that is unknown."""
        values = {equivalent_value(project, *pair, build) for pair in zip(self.providers, self.given, strict=True)}
        return values.pop() if len(values) == 1 else None


def supply_of(target: Target, stage: Stage, key: str) -> Supply:
    """How the builds of a file, in any context, get a named context for one of its stages."""
    builds = [each for each in target.builds if stage in target.facts.graph.needed_for(each.target)]
    providers = tuple(each for each in builds if key in each.additional_contexts)
    without = tuple(each for each in builds if each not in providers)
    by_command_line = any(not given.line for given in target.named_contexts.get(key, ()))
    return Supply(key, providers, without, by_command_line)


class Unresolved(Struct, frozen=True):
    """A named context whose folder does not exist; `folders` are the candidates, as the file would write them.

    `outside`: the value leads out of the project, which dockfix does not read.
    """

    build: BuildInvocation
    given: NamedContext
    folders: tuple[str, ...]
    outside: bool


def unresolved(target: Target, supply: Supply) -> Iterator[Unresolved]:
    """The providers whose folder does not exist.

    A folder outside the project counts only if a folder inside is likelier. So does the value of a variable, whose
    folder may exist where the variable is set.
    """
    sources = [
        word.text
        for node in target.dockerfile.instructions
        if isinstance(node, Copy) and node.source_stage and node.source_stage == supply.key
        for word in node.paths
        if "$" not in word.text
    ]
    for build, given in zip(supply.providers, supply.given, strict=True):
        outside = given.kind == "folder" and given.path is None
        if given.exists is False or outside:
            # a value from a `.env` file must not be shown, nor what follows from it
            known = given.shown == given.value
            folders = folder_candidates(target.project, build, given, sources) if known else ()
            given_here = has_literal_value(target.project, build, given)
            if len(folders) == 1 or (not outside and (folders or given_here)):
                yield Unresolved(build, given, tuple(folder_as_written(build, each) for each in folders), outside)


def plain_command(target: Target, name: str) -> str:
    """The `docker build` command that passes the named context as a build of the project does."""
    given = next(iter(target.named_contexts[name]))
    known = given.path is not None and given.shown == given.value
    value = shown_folder(target.project, given.path) if known and given.path else given.shown
    return build_command(target, None).replace("build", f"build --build-context {quote(f'{name}={value}')}", 1)


def build_command(target: Target, build: BuildInvocation | None) -> str:
    """The command that runs `build`, or that builds the file itself without one."""
    if build is None:
        root = target.project.root
        context = target.context.root.relative_to(root).as_posix() if target.context else "."
        return f"docker build -f {quote(target.display)} {quote(context)}"
    given = "".join(f" -f {quote(shown_folder(target.project, each))}" for each in given_files(target.project, build))
    if build.kind == "bake":
        return f"docker buildx bake{given} {quote(build.service)}"
    profiles = "".join(f" --profile {quote(each)}" for each in _profiles(target.project, build)[:1])
    return f"docker compose{given}{profiles} build {quote(build.service)}"


def given_files(project: Project, build: BuildInvocation) -> tuple[Path, ...]:
    """The files that compose or bake needs as `-f` to find a build; none for default files.

    A service of an override file, or of an included file, belongs to the file that includes it.
    """
    source = build.source
    main = next((each.path for each in project.compose_files if source in each.files), source)
    if main.name in _DEFAULT_FILES and main.parent == project.root:
        return ()
    # with `-f`, compose reads no override file by itself
    return (main, source) if main != source and ".override." in source.name else (main,)


_DEFAULT_FILES = frozenset(
    (
        "compose.yaml",
        "compose.yml",
        "docker-compose.yml",
        "docker-compose.yaml",
        "docker-bake.hcl",
        "docker-bake.json",
    )
)
