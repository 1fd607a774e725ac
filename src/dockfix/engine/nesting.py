"""Nested configurations: the nearest configuration file up the tree from a Dockerfile applies to it.

The rules and their options, severities, ignored rules and contexts are those of the nearest file, and nothing is
inherited from the files above it. What concerns the run as a whole (`RUN_KEYS`) is that of the run's own settings, as
are the options of rules that check the whole project.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.engine.results import shown_path
from dockfix.engine.settings import Settings
from dockfix.project.config import Config, config_in, read_config
from dockfix.project.config_keys import RUN_KEYS
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.target import BuildOptions, display
from dockfix.rule.model import Codemod, Preset
from dockfix.rule.registry import Registry

__all__ = ["RunRules", "rules_for"]


class RunRules(Struct, frozen=True):
    """What a run does with its Dockerfiles.

    Args:
        options: how they are built, and what their configuration files say.
        codemods: the rules that run on any of them, in running order.
        files: the Dockerfiles whose configuration can be used.
        problems: the configurations that cannot be used, and the contexts that they name wrongly.
        configs: the settings of each configuration file that applies to a Dockerfile, and those of the run.
        warnings: keys of nested configurations that have no effect.
    """

    options: BuildOptions
    codemods: tuple[Codemod, ...]
    files: Sequence[Path]
    problems: tuple[InputProblem, ...] = ()
    configs: Mapping[Path | None, Settings] = field(default_factory=dict)
    warnings: tuple[InputProblem, ...] = ()


def rules_for(settings: Settings, registry: Registry, files: Sequence[Path], root: Path) -> RunRules:
    """What a run does, with the nearest configuration of each Dockerfile.

    Args:
        settings: the settings of the run.
        registry: the installed codemods.
        files: the Dockerfiles.
        root: the real path of the project; configuration files above it are not used.

    Raises:
        UnknownRuleError: the settings name a rule that does not exist.
    """
    codemods = selected_rules(settings, registry)
    if settings.nearest is None:
        options = _builds(settings, registry)
        wrong = _context_problems(options, files, root)
        return RunRules(options, codemods, files, wrong, {settings.config: settings})
    search = _Search(root, {})
    used: list[Path] = []
    problems: dict[InputProblem, None] = {}
    warnings: list[InputProblem] = []
    by_config: dict[Path | None, Settings] = {settings.config: settings}
    for path in files:
        try:
            config = search.of(Path(os.path.realpath(path)).parent)
            if config not in by_config:
                nested_config = _read(config)
                by_config[config] = settings.nearest(nested_config)
                warnings += _without_effect(nested_config)
        except InputError as error:
            problems[replace(error.problem, path=shown_path(Path(error.path)))] = None
        else:
            used.append(path)
    if len(by_config) == 1:
        options = _builds(settings, registry)
        wrong = (*problems, *_context_problems(options, used, root))
        return RunRules(options, codemods, used, wrong, by_config)
    chosen = {config: selected_rules(each, registry) for config, each in by_config.items()}
    names = {rule.name for rules in chosen.values() for rule in rules}
    nested = {}
    for config, each in by_config.items():
        selected = frozenset(rule.name for rule in chosen[config])
        builds = _builds(each, registry)
        policy = replace(builds.policy, selected=None if selected == names else selected)
        nested[root if config is None else config.parent] = replace(builds, policy=policy)
    union = tuple(each for each in registry.codemods if each.name in names)
    options = replace(_builds(settings, registry), nested=nested)
    wrong = (*problems, *_context_problems(options, used, root))
    return RunRules(options, union, used, wrong, by_config, tuple(warnings))


def _without_effect(config: Config) -> Iterator[InputProblem]:
    """A warning for each key of a nested configuration that only the configuration of the run may set."""
    if config.path is None:
        return
    for key in RUN_KEYS:
        if config.has(key):
            message = f"`{key}` has no effect in this run: it is read from the file nearest to the current folder"
            yield InputProblem(shown_path(config.path), config.line_of((key,)), message)


def _context_problems(options: BuildOptions, files: Sequence[Path], root: Path) -> tuple[InputProblem, ...]:
    """What is wrong with the contexts that `targets` give; rules take such a context for unknown."""
    problems: dict[InputProblem, None] = {}
    for path in files:
        real = Path(os.path.realpath(path))
        target = options.target_table(real, root)
        context = None if target is None else target.context_of(real, root)
        if target is None or target.config is None or context is None:
            continue
        folder = Path(os.path.realpath(context))
        message = f"is outside the project root {root}" if not folder.is_relative_to(root) else "is not a folder"
        if folder.is_dir() and folder.is_relative_to(root):
            continue
        of = f" of {display(real, root)}" if target.is_per_file else ""
        message = f"targets: context {target.context!r}{of} {message}"
        problems[InputProblem(shown_path(target.config), target.line, message)] = None
    return tuple(problems)


def _builds(settings: Settings, registry: Registry) -> BuildOptions:
    """How Dockerfiles are built, with what the settings say of the codes that findings have."""
    with_codes = frozenset(each.name for each in registry.codemods if each.codes)
    if not with_codes:
        return settings.builds
    asked = registry.chosen((*settings.select, *settings.extend_select))
    codes = frozenset(filter(registry.is_code, asked))
    named = with_codes.intersection(asked)
    if not settings.select:
        preset = {each.name for each in registry.in_preset(settings.preset)}
        named |= with_codes if settings.preset is Preset.ALL else frozenset()
    else:
        preset = set()
    policy = replace(
        settings.policy,
        named=named | codes | frozenset(filter(registry.is_code, settings.policy.severity)),
        only_named=frozenset(registry.resolved(codes)) - named - preset,
        ignored_codes=frozenset(filter(registry.is_code, registry.chosen(settings.ignore))),
    )
    return settings.builds if policy == settings.policy else replace(settings.builds, policy=policy)


def selected_rules(settings: Settings, registry: Registry) -> tuple[Codemod, ...]:
    """The rules that settings select, in running order.

    Raises:
        UnknownRuleError: they name a rule that is not installed.
    """
    return registry.select(settings.select, settings.ignore, settings.extend_select, settings.preset)


def _read(config: Path | None) -> Config:
    return Config() if config is None else read_config(config)


class _Search(Struct, frozen=True):
    """The nearest configuration file of each folder, remembered."""

    root: Path
    known: dict[Path, Path | None]

    def of(self, folder: Path) -> Path | None:
        """The nearest configuration file, from a folder up to the root.

        Raises:
            InputError: one folder has two, or a file cannot be read.
        """
        passed: list[Path] = []
        found = None
        for each in (folder, *folder.parents):
            if each in self.known:
                found = self.known[each]
                break
            if not each.is_relative_to(self.root):
                break
            passed.append(each)
            if (found := config_in(each)) is not None:
                break
        self.known.update(dict.fromkeys(passed, found))
        return found
