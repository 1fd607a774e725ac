"""What the options that commands share and the configuration come to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.cli.console import Console, shown

if TYPE_CHECKING:
    from dockfix.engine.results import RunResult
    from dockfix.engine.settings import Settings
    from dockfix.project.config import Config
    from dockfix.rule.registry import Registry

STDIN = "-"


@dataclass(frozen=True)
class Given:
    """The shared options as they were given."""

    paths: Sequence[str] | None = None
    rules: Sequence[str] | None = None
    skip: Sequence[str] | None = None
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
    stdin_filename: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a command is to do."""

    paths: tuple[Path, ...]
    settings: Settings
    root: Path
    registry: Registry
    stdin: bool
    stdin_path: Path | None


def registry_of(state: object, console: Console) -> Registry:
    """The codemods: `state` if it is what the caller of `main` gave, else those of all installed packs."""
    # Here and below: what shell completion need not load.
    from dockfix.rule.registry import Registry, RegistryError, load_registry  # noqa: PLC0415 - not for completion

    if isinstance(state, Registry):
        return state
    try:
        return load_registry()
    except RegistryError as error:
        console.fail(shown(str(error)))


def plan(state: object, given: Given, console: Console) -> Plan:
    """Options and configuration, checked and put together; ends the command with exit code 2 if they are wrong."""
    from dockfix.engine.settings import Settings  # noqa: PLC0415 - not for completion

    root = _root(given, console)
    rules, skip = _names("--rule", given.rules, console), _names("--skip", given.skip, console)
    config = _config(given, root, console)
    registry = registry_of(state, console)
    settings = Settings(
        rules=rules or config.rules,
        skip=(*config.skip, *skip),
        unsafe=given.unsafe or config.unsafe,
        exclude=(*config.exclude, *(given.exclude or ())),
        force_exclude=config.force_exclude if given.force_exclude is None else given.force_exclude,
        context=_context(given, config, root, console),
        build_contexts={**config.build_contexts, **_build_contexts(given, console)},
        use_project=not given.no_project,
        respect_gitignore=config.respect_gitignore and not given.no_gitignore,
        jobs=min(given.jobs or config.jobs or _processors(), _processors()),
        base_images=config.base_images,
        image_lock=_image_lock(config, console),
        recommended_env=config.recommended_env,
        compose=_compose(given, root, console),
        uid_map=config.uid_map,
    )
    _check_patterns(given, config, console)
    _check_rules(registry, {"--rule": rules, "--skip": skip}, config, console)
    _note_settings(registry, settings.rules, config, console)
    paths = given.paths or (".",)
    stdin = STDIN in paths
    if "" in paths:  # an empty variable in a script, which must not mean all files
        console.fail("a path is empty; give . for the current folder")
    if stdin and len(paths) > 1:
        console.fail("- (standard input) cannot be combined with other paths")
    if given.stdin_filename is not None and not stdin:
        console.fail("--stdin-filename names standard input; give - as the path")
    stdin_path = Path(given.stdin_filename) if given.stdin_filename else None
    return Plan(tuple(Path(path) for path in paths), settings, root, registry, stdin, stdin_path)


def exit_code(result: RunResult, *, differs: bool) -> int:
    """3 for a defect that was caught, else 2 for input that could not be used, else 1 if `differs`, else 0."""
    if result.defects:
        return 3
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
        console.fail(shown(str(error)))


def _note_config_above(root: Path, console: Console) -> None:
    """Say that a configuration above the project's root is not used, so that nobody takes it to be in force."""
    from dockfix.project.config import find_config  # noqa: PLC0415 - not for completion
    from dockfix.project.problems import InputError  # noqa: PLC0415 - not for completion

    with contextlib.suppress(InputError):  # what is wrong with a file that is not used is nobody's trouble
        above = find_config(root.parent, Path(root.anchor))
        if above is not None:
            console.note(
                f"{shown(str(above))} is above the project root {shown(str(root))} and is not used;"
                " --config FILE uses it, --root DIR makes its folder the project"
            )


def _image_lock(config: Config, console: Console) -> Mapping[str, str]:
    if config.image_lock is None or config.path is None:
        return {}
    from dockfix.project.imagelock import read_image_lock  # noqa: PLC0415 - not for completion
    from dockfix.project.problems import InputError  # noqa: PLC0415 - not for completion

    try:
        return read_image_lock(config.image_lock, config.path.resolve().parent)
    except InputError as error:
        console.fail(shown(str(error)))


def _check_rules(registry: Registry, options: Mapping[str, Sequence[str]], config: Config, console: Console) -> None:
    from dockfix.rule.registry import UnknownRuleError  # noqa: PLC0415 - not for completion

    for key, configured in (("rules", config.rules), ("skip", config.skip)):
        for name in configured:
            try:
                registry.get(name)
            except UnknownRuleError as error:
                console.fail(shown(str(config.error(key, f"{key}: {error}"))))
    for option, names in options.items():
        for name in names:
            try:
                registry.get(name)
            except UnknownRuleError as error:
                console.fail(f"{option}: {shown(str(error))}")


def _check_patterns(given: Given, config: Config, console: Console) -> None:
    from dockfix.project.discovery import bad_pattern  # noqa: PLC0415 - not for completion

    if (bad := bad_pattern(config.exclude)) is not None:
        console.fail(shown(str(config.error("exclude", f"exclude: {bad!r} is not a valid pattern of .gitignore"))))
    if (bad := bad_pattern(given.exclude or ())) is not None:
        console.fail(f"--exclude: {shown(bad)} is not a valid pattern of .gitignore")


def _note_settings(registry: Registry, rules: Sequence[str], config: Config, console: Console) -> None:
    """Say of each rule that was asked for by name that it finds nothing, if its setting is not there."""
    for name in rules:
        setting = registry.get(name).setting
        if setting and not getattr(config, setting.replace("-", "_")):
            console.note(f"{name} has nothing to say: the configuration has no {setting}")


def _names(option: str, values: Sequence[str] | None, console: Console) -> tuple[str, ...]:
    found: list[str] = []
    for value in values or ():
        names = [name.strip() for name in value.split(",") if name.strip()]
        if not names:  # an empty variable in a script, which must not run every rule
            console.fail(f"{option}: {shown(value)!r} names no rule; `dockfix rules` lists them all")
        found += names
    return tuple(found)


def _context(given: Given, config: Config, root: Path, console: Console) -> Path | None:
    if given.context is None:
        if config.context is not None and not config.context.is_dir():
            console.fail(shown(str(config.error("context", f"context: {config.context} is not a folder"))))
        return config.context
    folder = Path(os.path.realpath(given.context))
    if not (given.context and folder.is_dir()):
        console.fail(f"--context: {_quoted(given.context)} is not a folder")
    if not folder.is_relative_to(root):
        console.fail(f"--context: {shown(given.context)} lies outside the project root {root}; give --root DIR")
    return folder


def _compose(given: Given, root: Path, console: Console) -> tuple[Path, ...]:
    if given.compose and given.no_project:
        console.fail("--compose and --no-project cannot be combined")
    paths = [Path(os.path.realpath(name)) for name in given.compose or ()]
    for name, path in zip(given.compose or (), paths, strict=True):
        if not path.is_file():
            console.fail(f"--compose: {_quoted(name)} is not a file")
        if not path.is_relative_to(root):
            console.fail(f"--compose: {shown(name)} lies outside the project root {root}; give --root DIR")
    return tuple(paths)


def _quoted(name: str) -> str:
    return shown(name) if name else "''"


def _build_contexts(given: Given, console: Console) -> dict[str, str]:
    contexts: dict[str, str] = {}
    for value in given.build_contexts or ():
        name, equals, reference = value.partition("=")
        if not (name and equals and reference):
            console.fail(f"--build-context: {shown(value)!r} is not NAME=REF")
        # A folder is relative to where the command runs; the library takes it relative to the root.
        is_folder = "://" not in reference and Path(reference).is_dir()
        contexts[name] = os.path.realpath(reference) if is_folder else reference
    return contexts


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
