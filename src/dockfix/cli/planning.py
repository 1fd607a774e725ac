"""The shared options of commands combined with the configuration."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from dockfix.cli.console import Console, shown
from dockfix.cli.errors import DEFECT
from dockfix.cli.replaying import cache_folder, is_off
from dockfix.output.plain import printable

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult
    from dockfix.engine.settings import Settings
    from dockfix.project.config import Config
    from dockfix.project.problems import InputError
    from dockfix.rule.model import Codemod
    from dockfix.rule.registry import Registry
    from dockfix.verify.model import VerifyResult

STDIN = "-"


class Given(Struct, frozen=True):
    """The values of the shared options on the command line."""

    paths: Sequence[str] | None = None
    rules: Sequence[str] | None = None
    skip: Sequence[str] | None = None
    preset: str | None = None
    unsafe: bool = False
    context: str | None = None
    build_contexts: Sequence[str] | None = None
    compose: Sequence[str] | None = None
    no_project: bool = False
    config: str | None = None
    no_config: bool = False
    exclude: Sequence[str] | None = None
    force_exclude: bool | None = None
    no_gitignore: bool = False
    root: str | None = None
    jobs: int | None = None
    no_cache: bool = False
    stdin_filename: str | None = None


class Plan(Struct, frozen=True):
    """What a command works on, and how."""

    paths: tuple[Path, ...]
    settings: Settings
    root: Path
    registry: Registry
    stdin: bool
    stdin_path: Path | None


def registry_of(state: object, console: Console) -> Registry:
    """The codemods: `state` if the caller of `main` passed a registry, else those of all installed packs."""
    from dockfix.rule.registry import Registry, RegistryError, load_registry  # noqa: PLC0415 - not for completion

    if isinstance(state, Registry):
        return state
    try:
        return load_registry()
    except RegistryError as error:
        cause = error.__cause__
        if console.verbose and cause is not None:
            import traceback  # noqa: PLC0415 - only an error needs it

            console.err(printable("".join(traceback.format_exception(cause)).rstrip(), keep="\n"))
        console.fail(shown(str(error)))


def plans(state: object, given: Given, console: Console) -> list[Plan]:
    """Combine and check the options and the configuration; ends the command with exit code 2 if they are invalid.

    A path outside the current project belongs to its own project, with its own configuration and its own plan. With
    `--root` there is one project.
    """
    root, paths = _root(given, console), _paths(given, console)
    registry = registry_of(state, console)
    by_root: dict[Path, list[str]] = {}
    for path in paths:
        by_root.setdefault(root if given.root is not None else _project_of(path, root), []).append(path)
    return [_plan(registry, given, each, own, console) for each, own in by_root.items()]


def one_plan(state: object, given: Given, console: Console, command: str) -> Plan:
    """The plan of a command that works on one project in a run, which need not be that of the current folder.

    Args:
        state: see `registry_of`.
        given: the shared options.
        console: where errors are reported, which end the command.
        command: the command and its options, without paths, for the message about paths in several projects.
    """
    todo = plans(state, given, console)
    if len(todo) > 1:
        roots = _listed([shown(str(each.root)) for each in todo])
        commands = _listed([f"`dockfix {command} {shown(shlex.join(map(str, each.paths)))}`" for each in todo])
        console.fail(f"the paths are in {len(todo)} projects, {roots}; `{command}` works on one: run {commands}")
    return todo[0]


def _listed(texts: Sequence[str]) -> str:
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _project_of(path: str, root: Path) -> Path:
    """The root of the project that a path is in; `root` if it is inside it, or cannot be a path."""
    from dockfix.project.target import find_project_root  # noqa: PLC0415 - not for completion

    if path == STDIN:
        return root
    try:
        # of a symlink to a file only its own place counts
        place = Path(path)
        real = Path(os.path.realpath(place.parent), place.name) if place.name not in ("", "..") else place.resolve()
        return root if real.is_relative_to(root) else find_project_root(real)
    except (OSError, ValueError, RuntimeError):
        return root  # what is wrong with it is reported where it is read


def _plan(rules: Registry, given: Given, root: Path, paths: Sequence[str], console: Console) -> Plan:
    select, ignore = _names("--rule", given.rules, console), _names("--skip", given.skip, console)
    config = _config(given, root, console)
    select, ignore = _rules(rules, "--rule", select, console), _rules(rules, "--skip", ignore, console)
    if select and given.preset is not None:
        console.fail("--preset and --rule cannot be combined: --rule says exactly which rules run")
    _check_patterns(given, console)
    context, compose = _context(given, root, console), _compose(given, root, console)
    contexts = _build_contexts(given, console)

    def settings_of_config(config: Config) -> Settings:
        """The settings of a configuration, with what the command line overrides."""
        configured = _configured(config, rules, context)
        return replace(
            configured,
            select=select or (configured.select if given.preset is None else ()),
            preset=configured.preset if given.preset is None else Preset(given.preset),
            extend_select=() if select else configured.extend_select,
            ignore=(*configured.ignore, *ignore),
            unsafe=given.unsafe or configured.unsafe,
            exclude=(*configured.exclude, *(given.exclude or ())),
            force_exclude=configured.force_exclude if given.force_exclude is None else given.force_exclude,
            build_contexts={**configured.build_contexts, **contexts},
            use_project=not given.no_project,
            respect_gitignore=configured.respect_gitignore and not given.no_gitignore,
            jobs=_jobs(given, configured),
            compose=compose,
            cache=_cache(given),
            nearest=None if given.no_config or given.config is not None else settings_of_config,
        )

    from dockfix.project.problems import InputError  # noqa: PLC0415 - not for completion
    from dockfix.rule.model import Preset  # noqa: PLC0415 - as above

    try:
        settings = settings_of_config(config)
    except InputError as error:
        _fail_in_config(error, given, console)
    _note_missing_options(rules, settings, console)
    stdin_path = Path(given.stdin_filename) if given.stdin_filename else None
    return Plan(tuple(Path(path) for path in paths), settings, root, rules, STDIN in paths, stdin_path)


def _cache(given: Given) -> Path | None:
    """The folder for results that other runs can use, or none."""
    folder = None if given.no_cache or is_off() else cache_folder()
    return None if folder is None else Path(folder)


def _paths(given: Given, console: Console) -> Sequence[str]:
    paths = given.paths or (".",)
    if "" in paths:  # an empty variable in a script, which must not mean all files
        console.fail("a path is empty; use . for the current folder")
    if STDIN in paths and len(paths) > 1:
        console.fail("- (standard input) cannot be combined with other paths")
    if given.stdin_filename is not None and STDIN not in paths:
        console.fail("--stdin-filename needs - as the path")
    return paths


def _configured(config: Config, registry: Registry, context: Path | None) -> Settings:
    """The settings of the configuration; `context` is that of the command line, which overrides it.

    Raises:
        InputError: the configuration is invalid.
    """
    from dockfix.engine.configure import settings_of  # noqa: PLC0415 - not for completion

    return settings_of(config if context is None else replace(config, context=context, targets=()), registry)


def _jobs(given: Given, configured: Settings) -> int:
    from dockfix.engine.configure import processors  # noqa: PLC0415 - not for completion

    return configured.jobs if given.jobs is None else min(given.jobs, processors())


def exit_code(result: RunResult | VerifyResult, *, differs: bool) -> int:
    """3 for a defect that was caught, else 2 for input that could not be used, else 1 if `differs`, else 0."""
    if result.defects:
        return DEFECT
    if result.problems:
        return 2
    return 1 if differs else 0


def _root(given: Given, console: Console) -> Path:
    if given.root is None:
        from dockfix.project.target import find_project_root  # noqa: PLC0415 - not for completion

        return find_project_root(Path.cwd())
    root = Path(given.root)
    if not (given.root and root.is_dir()):
        console.fail(f"--root: {_quoted(given.root)} is not a folder")
    return Path(os.path.realpath(root))


def _config(given: Given, root: Path, console: Console) -> Config:
    from dockfix.project.config import Config, load_config, read_config  # noqa: PLC0415 - not for completion
    from dockfix.project.problems import InputError  # noqa: PLC0415 - not for completion

    if given.config is not None and given.no_config:
        console.fail("--config and --no-config cannot be combined")
    if given.no_config:
        return Config()
    here = Path.cwd()
    try:
        if given.config is not None:
            if not given.config:
                console.fail("--config: '' is not a file")
            return read_config(Path(given.config))
        config = load_config(here if here.is_relative_to(root) else root, root)
        if config.path is None:
            _note_config_above(root, console)
        return config
    except InputError as error:
        _fail_in_config(error, given, console)


def _fail_in_config(error: InputError, given: Given, console: Console) -> NoReturn:
    """End the command for an error in a configuration file, with its path as the user would write it."""
    from dockfix.engine.results import shown_path  # noqa: PLC0415 - only an error needs it
    from dockfix.project.problems import InputError  # noqa: PLC0415 - as above

    path = error.path if given.config is not None else shown_path(Path(error.path))
    console.fail(shown(str(InputError(path, error.line, error.message))))


def _note_config_above(root: Path, console: Console) -> None:
    """Say that a configuration above the project's root is not used."""
    from dockfix.project.config import find_config  # noqa: PLC0415 - not for completion
    from dockfix.project.problems import InputError  # noqa: PLC0415 - not for completion

    with contextlib.suppress(InputError):  # an error in a file that is not used does not matter
        above = find_config(root.parent, Path(root.anchor))
        if above is not None:
            console.note(
                f"{shown(str(above))} is above the project root {shown(str(root))} and is not used;"
                " --config FILE uses it, --root DIR makes its folder the project"
            )


def _rules(registry: Registry, option: str, names: Sequence[str], console: Console) -> tuple[str, ...]:
    """The rules that an option names, by their own names or by codes that they answer, and codes of findings."""
    from dockfix.rule.registry import UnknownRuleError  # noqa: PLC0415 - not for completion

    try:
        return registry.chosen(names)
    except UnknownRuleError as error:
        console.fail(f"{option}: {shown(str(error))}")


def _check_patterns(given: Given, console: Console) -> None:
    from dockfix.project.discovery import bad_pattern  # noqa: PLC0415 - not for completion

    if (bad := bad_pattern(given.exclude or ())) is not None:
        console.fail(f"--exclude: {shown(bad)} is not a valid pattern of .gitignore")


def _note_missing_options(registry: Registry, settings: Settings, console: Console) -> None:
    """Say of each rule that is selected by name that it finds nothing without its options or its program."""
    for name in registry.resolved((*settings.select, *settings.extend_select)):
        codemod = registry.get(name)
        if codemod.needs_options and not _has_options(codemod, settings):
            console.note(f"{name} finds nothing: the configuration has no options for it (rules.{name})")
        if name == "shellcheck":
            from dockfix.project.shellcheck import find_program  # noqa: PLC0415 - only this rule needs the program

            if find_program() is None:
                console.note(
                    "shellcheck finds nothing: the program is not installed (pip install 'dockfix[shellcheck]')"
                )


def _has_options(codemod: Codemod, settings: Settings) -> bool:
    from dockfix.rule.lazy import LazyClass  # noqa: PLC0415 - not for completion

    kind = codemod.options
    if kind is None or not settings.rule_options:
        return False
    return (kind.resolve() if isinstance(kind, LazyClass) else kind) in settings.rule_options


def _names(option: str, values: Sequence[str] | None, console: Console) -> tuple[str, ...]:
    found: list[str] = []
    for value in values or ():
        names = [name.strip() for name in value.split(",") if name.strip()]
        if not names:  # an empty variable in a script, which must not run every rule
            console.fail(f"{option}: {shown(value)!r} names no rule; `dockfix rules` lists them all")
        found += names
    return tuple(found)


def _context(given: Given, root: Path, console: Console) -> Path | None:
    if given.context is None:
        return None
    folder = Path(os.path.realpath(given.context))
    if not (given.context and folder.is_dir()):
        console.fail(f"--context: {_quoted(given.context)} is not a folder")
    if not folder.is_relative_to(root):
        console.fail(f"--context: {shown(given.context)} is outside the project root {root}; use --root DIR")
    return folder


def _compose(given: Given, root: Path, console: Console) -> tuple[Path, ...]:
    if given.compose and given.no_project:
        console.fail("--compose and --no-project cannot be combined")
    paths = [Path(os.path.realpath(name)) for name in given.compose or ()]
    for name, path in zip(given.compose or (), paths, strict=True):
        if not path.is_file():
            console.fail(f"--compose: {_quoted(name)} is not a file")
        if not path.is_relative_to(root):
            console.fail(f"--compose: {shown(name)} is outside the project root {root}; use --root DIR")
    return tuple(paths)


def _quoted(name: str) -> str:
    return shown(name) if name else "''"


def _build_contexts(given: Given, console: Console) -> dict[str, str]:
    contexts: dict[str, str] = {}
    for value in given.build_contexts or ():
        name, equals, reference = value.partition("=")
        if not (name and equals and reference):
            console.fail(f"--build-context: {shown(value)!r} is not NAME=REF")
        # On the command line a folder is relative to the current folder; in settings, to the root.
        is_folder = "://" not in reference and Path(reference).is_dir()
        contexts[name] = os.path.realpath(reference) if is_folder else reference
    return contexts
