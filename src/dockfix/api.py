"""The one module that codemods import. Stable within a major version; what is not here is internal.

Groups: the anatomy of a codemod, the tree, the shell, what is true of the build, and surgery.

A name is looked up in its module when it is first asked for, so that a codemod loads what it uses and nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockfix.codemod import (
        account_surgery,
        cache_surgery,
        context_surgery,
        inline_surgery,
        local_images,
        python_surgery,
        run_surgery,
        surgery,
    )
    from dockfix.codemod.model import (
        Advice,
        Beside,
        Category,
        Change,
        Codemod,
        Deferred,
        Edit,
        Effect,
        Finding,
        Fix,
        Refusal,
        Safety,
        Severity,
        apply_edits,
        conflict,
    )
    from dockfix.codemod.suppress import is_pragma, silences_in_text
    from dockfix.codemod.workspace import Workspace
    from dockfix.facts import (
        apk,
        buildtools,
        devdeps,
        execform,
        fetching,
        health,
        mounts,
        pipes,
        processes,
        python_environments,
        turbo,
        uv_installs,
    )
    from dockfix.facts.account_commands import AccountCommand, has_base_group, parse_account_command
    from dockfix.facts.accounts import Accounts, GroupAccount
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.build_comments import BuildComment, build_comments
    from dockfix.facts.caches import CacheDir
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.crossing import Movable
    from dockfix.facts.images import (
        PREDEFINED_ARGS,
        base_image,
        build_only,
        image_names,
        is_local_name,
        is_silently_read,
        runtime_library,
    )
    from dockfix.facts.io import Area, FileUse
    from dockfix.facts.masking import Masked, masked_installs
    from dockfix.facts.model import Fact, Known, OneOf, Unknown, known
    from dockfix.facts.mounts import CacheMount, Caches, Cleaning, ToolCache, caches_of
    from dockfix.facts.names import is_deaf, names_mentioned, names_used
    from dockfix.facts.packages import Action, PackageCommand, distribution_name
    from dockfix.facts.postgres import Library
    from dockfix.facts.programs import PythonProgram, python_programs, python_syntax_error, python_version
    from dockfix.facts.retries import Retry, retries
    from dockfix.facts.scope import State
    from dockfix.facts.scripts import Joint, behind, join_all
    from dockfix.facts.sed import Substitution, substitution
    from dockfix.facts.stages import ContextSource, ImageSource, Invalid, OutOfRange, Stage, StageSource, context_key
    from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES, USER_GIDS
    from dockfix.facts.toolchain import FAMILIES, builds, is_compiler, is_header_package, package_names, virtual_name
    from dockfix.facts.versions import ImageVersion, image_version, names_version, version_key
    from dockfix.project import wiring
    from dockfix.project.checks import CheckedService, services_by_stage
    from dockfix.project.compose import BuildInvocation, ComposeFile, NamedContext
    from dockfix.project.context import Context
    from dockfix.project.gopath import BadPatternError
    from dockfix.project.ignore import IgnoreRules, parse_ignore
    from dockfix.project.ignoreedit import TrailingComment
    from dockfix.project.imagelock import locked_digest
    from dockfix.project.installs import Needs
    from dockfix.project.manifests import javascript_managers, pyproject_facts
    from dockfix.project.postgres import Place as PostgresPlace
    from dockfix.project.postgres import Server as PostgresServer
    from dockfix.project.problems import Uneditable
    from dockfix.project.python_installs import UnusedDistributions
    from dockfix.project.sources import ContextUse, context_uses, loses, lost_files, use_of_lost
    from dockfix.project.startup import Wait, cycle, longest_chain, unnamed_waits
    from dockfix.project.target import Project, Target, context_candidates
    from dockfix.project.wheel_caches import SharedCaches
    from dockfix.project.yamlcheck import Value as YamlValue
    from dockfix.syntax.shell import Context as ShellContext
    from dockfix.syntax.shell import Script, SimpleCommand
    from dockfix.syntax.source import Mapped, Span
    from dockfix.syntax.tree import (
        Add,
        Arg,
        Blank,
        Cmd,
        Comment,
        Copy,
        Directive,
        Dockerfile,
        Entrypoint,
        Env,
        Expose,
        Flag,
        From,
        Healthcheck,
        Heredoc,
        Instruction,
        Label,
        Mount,
        MountOption,
        Onbuild,
        Pair,
        Run,
        Shell,
        User,
        Volume,
        Word,
        Workdir,
    )
    from dockfix.syntax.words import variables


API_VERSION = 1
"""Rises when something here changes incompatibly."""

# What is imported above for type checkers, by the module that it comes from. A test holds the two against each other.
_NAMES: Final = {
    "dockfix.codemod.model": (
        "Advice Beside Category Change Codemod Deferred Edit Effect Finding Fix Refusal Safety Severity "
        "apply_edits conflict"
    ),
    "dockfix.codemod.suppress": "is_pragma silences_in_text",
    "dockfix.codemod.workspace": "Workspace",
    "dockfix.facts.account_commands": "AccountCommand has_base_group parse_account_command",
    "dockfix.facts.accounts": "Accounts GroupAccount",
    "dockfix.facts.build": "BuildFacts",
    "dockfix.facts.build_comments": "BuildComment build_comments",
    "dockfix.facts.caches": "CacheDir",
    "dockfix.facts.commands": "Commands Step",
    "dockfix.facts.crossing": "Movable",
    "dockfix.facts.images": (
        "PREDEFINED_ARGS base_image build_only image_names is_local_name is_silently_read runtime_library"
    ),
    "dockfix.facts.io": "Area FileUse",
    "dockfix.facts.masking": "Masked masked_installs",
    "dockfix.facts.model": "Fact Known OneOf Unknown known",
    "dockfix.facts.mounts": "CacheMount Caches Cleaning ToolCache caches_of",
    "dockfix.facts.names": "is_deaf names_mentioned names_used",
    "dockfix.facts.packages": "Action PackageCommand distribution_name",
    "dockfix.facts.postgres": "Library",
    "dockfix.facts.programs": "PythonProgram python_programs python_syntax_error python_version",
    "dockfix.facts.retries": "Retry retries",
    "dockfix.facts.scope": "State",
    "dockfix.facts.scripts": "Joint behind join_all",
    "dockfix.facts.sed": "Substitution substitution",
    "dockfix.facts.stages": "ContextSource ImageSource Invalid OutOfRange Stage StageSource context_key",
    "dockfix.facts.tables.accounts": "BUSYBOX_FAMILIES USER_GIDS",
    "dockfix.facts.toolchain": "FAMILIES builds is_compiler is_header_package package_names virtual_name",
    "dockfix.facts.versions": "ImageVersion image_version names_version version_key",
    "dockfix.project.checks": "CheckedService services_by_stage",
    "dockfix.project.compose": "BuildInvocation ComposeFile NamedContext",
    "dockfix.project.context": "Context",
    "dockfix.project.gopath": "BadPatternError",
    "dockfix.project.ignore": "IgnoreRules parse_ignore",
    "dockfix.project.ignoreedit": "TrailingComment",
    "dockfix.project.imagelock": "locked_digest",
    "dockfix.project.installs": "Needs",
    "dockfix.project.manifests": "javascript_managers pyproject_facts",
    "dockfix.project.problems": "Uneditable",
    "dockfix.project.python_installs": "UnusedDistributions",
    "dockfix.project.sources": "ContextUse context_uses loses lost_files use_of_lost",
    "dockfix.project.startup": "Wait cycle longest_chain unnamed_waits",
    "dockfix.project.target": "Project Target context_candidates",
    "dockfix.project.wheel_caches": "SharedCaches",
    "dockfix.syntax.shell": "Script SimpleCommand",
    "dockfix.syntax.source": "Mapped Span",
    "dockfix.syntax.tree": (
        "Add Arg Blank Cmd Comment Copy Directive Dockerfile Entrypoint Env Expose Flag From Healthcheck "
        "Heredoc Instruction Label Mount MountOption Onbuild Pair Run Shell User Volume Word Workdir"
    ),
    "dockfix.syntax.words": "variables",
}
_RENAMED: Final = {
    "PostgresPlace": ("dockfix.project.postgres", "Place"),
    "PostgresServer": ("dockfix.project.postgres", "Server"),
    "ShellContext": ("dockfix.syntax.shell", "Context"),
    "YamlValue": ("dockfix.project.yamlcheck", "Value"),
}
_MODULES: Final = {
    "dockfix.codemod": (
        "account_surgery cache_surgery context_surgery inline_surgery local_images python_surgery run_surgery surgery"
    ),
    "dockfix.facts": (
        "apk buildtools devdeps execform fetching health mounts pipes processes python_environments turbo uv_installs"
    ),
    "dockfix.project": "wiring",
}
_HOMES: Final = {name: (module, name) for module, names in _NAMES.items() for name in names.split()} | _RENAMED
_PACKAGES: Final = {name: package for package, names in _MODULES.items() for name in names.split()}

if not TYPE_CHECKING:  # a checker would take it for a promise that every name is here

    def __getattr__(name: str) -> object:
        if name in _PACKAGES:
            value = import_module(f"{_PACKAGES[name]}.{name}")
        elif name in _HOMES:
            module, attribute = _HOMES[name]
            value = getattr(import_module(module), attribute)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return list(__all__)


def file_use(facts: BuildFacts, run: Run, *, projects: bool = True) -> FileUse:
    """Which files a RUN may use; without what its installs from a manifest use, if not `projects`."""
    from dockfix.facts import io  # noqa: PLC0415 - only copy-order asks, and loads it then

    return io.file_use(facts, run, projects=projects)


def uses_area(use: FileUse, area: Area) -> str:
    """Why a RUN uses what is copied to an area, as far as its words say; empty if they do not."""
    from dockfix.facts import io  # noqa: PLC0415 - only copy-order asks, and loads it then

    found = io.named_clash(use, area)
    return found.why if found is not None else ""


def landing(target: Target, copy: Copy | Add, source: Word) -> Area | None:
    """Where a source of a COPY or ADD lands; None if that is not known."""
    from dockfix.facts import io  # noqa: PLC0415 - only copy-order asks, and loads it then

    return io.landing(copy, source, target.facts.state(copy), _is_dir(target.context))


def is_plain_copy(instruction: Instruction) -> bool:
    """Whether an instruction is a COPY from the build context whose flags do not depend on where it stands."""
    from dockfix.facts import crossing  # noqa: PLC0415 - only copy-order asks, and loads it then

    return crossing.is_plain(instruction)


def movable_below(
    target: Target,
    instructions: Sequence[Instruction],
    index: int,
    *,
    doubtful: bool = False,
    claimed: frozenset[int] = frozenset(),
) -> tuple[Movable, ...]:
    """The COPYs of a stage above `instructions[index]` that may stand directly below it; see `facts.crossing`."""
    from dockfix.facts import crossing  # noqa: PLC0415 - only copy-order asks, and loads it then

    context = target.context
    files = crossing.ContextFiles(_is_dir(context), lambda path: context.read_text(path) if context else None)
    return crossing.movable(target.facts, instructions, index, files, doubtful=doubtful, claimed=claimed)


def _is_dir(context: Context | None) -> Callable[[str], bool | None]:
    return lambda path: context.is_dir(path) if context is not None and context.exists(path) else None


def install_needs(command: PackageCommand, context: Context) -> Needs:
    """What an install from a manifest that works in the root of the context needs of it."""
    from dockfix.project import installs  # noqa: PLC0415 - only copy-order asks, and loads it then

    return installs.install_needs(command, context)


def builds_project(command: PackageCommand) -> bool:
    """Whether an install from a manifest also builds and installs the project itself."""
    from dockfix.project import installs  # noqa: PLC0415 - only copy-order asks, and loads it then

    return installs.builds_project(command)


def set_yaml_entry(text: str, path: Sequence[str], value: YamlValue, *, shared_ok: bool = False) -> tuple[Edit, ...]:
    """The edits that give an entry of a YAML file a value; see `project.yamledit.set_entry`. Raises `Uneditable`."""
    from dockfix.project import yamledit  # noqa: PLC0415 - only fixes of compose files ask, and load it then

    return yamledit.set_entry(text, path, value, shared_ok=shared_ok)


def set_yaml_item(text: str, path: Sequence[str | int], value: str) -> tuple[Edit, ...]:
    """The edits that set an item of a list in a YAML file; see `project.yamledit.set_item`. Raises `Uneditable`."""
    from dockfix.project import yamledit  # noqa: PLC0415 - only fixes of compose files ask, and load it then

    return yamledit.set_item(text, path, value)


def replace_yaml_scalar(text: str, path: Sequence[str | int], value: str) -> tuple[Edit, ...]:
    """The edits that replace a scalar that a YAML file has; see `project.yamledit.replace_scalar`.

    Raises `Uneditable`.
    """
    from dockfix.project import yamledit  # noqa: PLC0415 - only fixes of compose files ask, and load it then

    return yamledit.replace_scalar(text, path, value)


def yaml_span(text: str, path: Sequence[str | int]) -> Span | None:
    """Where an entry stands in a YAML file, from its key to the end of its value; `None` if it is not written there."""
    from dockfix.project import yamledit  # noqa: PLC0415 - only findings in compose files ask, and load it then

    return yamledit.span_of(text, path)


def trailing_ignore_comments(text: str) -> Iterator[TrailingComment]:
    """The lines of a `.dockerignore` that look like `PATTERN # comment`, which Docker reads as one pattern."""
    from dockfix.project import ignoreedit  # noqa: PLC0415 - only dockerignore-comment asks, and loads it then

    return ignoreedit.trailing_comments(text)


def split_ignore_comments(text: str, *lines: int) -> tuple[Edit, ...]:
    """The edits that put the comments behind the patterns of some lines, from 1, on lines of their own above."""
    from dockfix.project import ignoreedit  # noqa: PLC0415 - only dockerignore-comment asks, and loads it then

    return ignoreedit.split_comments(text, *lines)


def unused_distributions(target: Target) -> tuple[UnusedDistributions, ...]:
    """For each install of Python distributions, those that nothing in the image is seen to use."""
    from dockfix.project import python_installs  # noqa: PLC0415 - only unused-python-deps asks, and loads it then

    return python_installs.unused_distributions(target)


def postgres_servers(target: Target) -> Iterator[PostgresServer]:
    """The stages that become images with a PostgreSQL server and a library that it must preload."""
    from dockfix.project import postgres  # noqa: PLC0415 - only the rules of such images ask, and load it then

    return postgres.servers(target)


__all__ = [
    "API_VERSION",
    "BUSYBOX_FAMILIES",
    "FAMILIES",
    "PREDEFINED_ARGS",
    "USER_GIDS",
    "AccountCommand",
    "Accounts",
    "Action",
    "Add",
    "Advice",
    "Area",
    "Arg",
    "BadPatternError",
    "Beside",
    "Blank",
    "BuildComment",
    "BuildFacts",
    "BuildInvocation",
    "CacheDir",
    "CacheMount",
    "Caches",
    "Category",
    "Change",
    "CheckedService",
    "Cleaning",
    "Cmd",
    "Codemod",
    "Commands",
    "Comment",
    "ComposeFile",
    "Context",
    "ContextSource",
    "ContextUse",
    "Copy",
    "Deferred",
    "Directive",
    "Dockerfile",
    "Edit",
    "Effect",
    "Entrypoint",
    "Env",
    "Expose",
    "Fact",
    "FileUse",
    "Finding",
    "Fix",
    "Flag",
    "From",
    "GroupAccount",
    "Healthcheck",
    "Heredoc",
    "IgnoreRules",
    "ImageSource",
    "ImageVersion",
    "Instruction",
    "Invalid",
    "Joint",
    "Known",
    "Label",
    "Library",
    "Mapped",
    "Masked",
    "Mount",
    "MountOption",
    "Movable",
    "NamedContext",
    "Needs",
    "Onbuild",
    "OneOf",
    "OutOfRange",
    "PackageCommand",
    "Pair",
    "PostgresPlace",
    "PostgresServer",
    "Project",
    "PythonProgram",
    "Refusal",
    "Retry",
    "Run",
    "Safety",
    "Script",
    "Severity",
    "SharedCaches",
    "Shell",
    "ShellContext",
    "SimpleCommand",
    "Span",
    "Stage",
    "StageSource",
    "State",
    "Step",
    "Substitution",
    "Target",
    "ToolCache",
    "TrailingComment",
    "Uneditable",
    "Unknown",
    "UnusedDistributions",
    "User",
    "Volume",
    "Wait",
    "Word",
    "Workdir",
    "Workspace",
    "YamlValue",
    "account_surgery",
    "apk",
    "apply_edits",
    "base_image",
    "behind",
    "build_comments",
    "build_only",
    "builds",
    "builds_project",
    "buildtools",
    "cache_surgery",
    "caches_of",
    "conflict",
    "context_candidates",
    "context_key",
    "context_surgery",
    "context_uses",
    "cycle",
    "devdeps",
    "distribution_name",
    "execform",
    "fetching",
    "file_use",
    "has_base_group",
    "health",
    "image_names",
    "image_version",
    "inline_surgery",
    "install_needs",
    "is_compiler",
    "is_deaf",
    "is_header_package",
    "is_local_name",
    "is_plain_copy",
    "is_pragma",
    "is_silently_read",
    "javascript_managers",
    "join_all",
    "known",
    "landing",
    "local_images",
    "locked_digest",
    "longest_chain",
    "loses",
    "lost_files",
    "masked_installs",
    "mounts",
    "movable_below",
    "names_mentioned",
    "names_used",
    "names_version",
    "package_names",
    "parse_account_command",
    "parse_ignore",
    "pipes",
    "postgres_servers",
    "processes",
    "pyproject_facts",
    "python_environments",
    "python_programs",
    "python_surgery",
    "python_syntax_error",
    "python_version",
    "replace_yaml_scalar",
    "retries",
    "run_surgery",
    "runtime_library",
    "services_by_stage",
    "set_yaml_entry",
    "set_yaml_item",
    "silences_in_text",
    "split_ignore_comments",
    "substitution",
    "surgery",
    "trailing_ignore_comments",
    "turbo",
    "unnamed_waits",
    "unused_distributions",
    "use_of_lost",
    "uses_area",
    "uv_installs",
    "variables",
    "version_key",
    "virtual_name",
    "wiring",
    "yaml_span",
]
