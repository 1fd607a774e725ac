"""Settings from a configuration file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.engine.results import shown_path
from dockfix.engine.settings import Settings
from dockfix.project.config import Config
from dockfix.project.config_keys import SEVERITIES
from dockfix.project.discovery import bad_pattern
from dockfix.project.policy import NO_POLICY, PathPattern, Policy
from dockfix.project.problems import InputError
from dockfix.rule.model import Preset, Severity
from dockfix.rule.registry import Registry, UnknownRuleError

if TYPE_CHECKING:
    from dockfix.rule.options import RuleOptions


def settings_of(config: Config, registry: Registry) -> Settings:
    """The settings that a configuration file asks for.

    Raises:
        InputError: it names an unknown rule or a folder that does not exist, or has an invalid pattern or option.
    """
    if config.select and config.preset is not None:
        raise config.error("preset has no effect if select says which rules run; use extend-select", "preset")
    _check_patterns(config)
    if config.context is not None and not config.context.is_dir():
        raise config.error(f"context: {shown_path(config.context)} is not a folder", "context")
    for table in config.targets:
        if table.context is not None and "{" not in table.context and not Path(table.base, table.context).is_dir():
            raise InputError(str(config.path), table.line, f"targets: context {table.context!r} is not a folder")
    return Settings(
        select=_names(config, registry, config.select, "select"),
        extend_select=_names(config, registry, config.extend_select, "extend-select"),
        ignore=_names(config, registry, config.ignore, "ignore"),
        preset=Preset.RECOMMENDED if config.preset is None else Preset(config.preset),
        unsafe=config.unsafe,
        exclude=config.exclude,
        force_exclude=config.force_exclude,
        context=config.context,
        build_contexts=config.build_contexts,
        respect_gitignore=config.respect_gitignore,
        jobs=min(config.jobs or processors(), processors()),
        base_images=config.base_images,
        rule_options=configured_options(config, registry),
        policy=_policy(config, registry),
        targets=config.targets,
        fail_level=None if config.fail_level == "none" else Severity(config.fail_level or Severity.INFO),
        fail_on_info_advice=config.fail_level == "info",
        baseline=config.baseline,
        config=config.path,
    )


def _names(config: Config, registry: Registry, names: Sequence[str], *keys: str) -> tuple[str, ...]:
    """The rules that a key of the configuration names, by their own names or by codes that they answer, and the codes
    that only some findings of a rule have.
    """
    try:
        return registry.chosen(names)
    except UnknownRuleError as error:
        raise config.error(f"{keys[0]}: {error}", *keys) from error


def _check_patterns(config: Config) -> None:
    named: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(("exclude",), config.exclude)]
    named += [(("per-file-ignores", pattern), (pattern.removeprefix("!"),)) for pattern in config.per_file_ignores]
    named += [(("targets",), tuple(each.text.removeprefix("!") for each in table.files)) for table in config.targets]
    for keys, patterns in named:
        blank = next((each for each in patterns if not each.strip() or each.startswith("#")), None)
        bad = bad_pattern(patterns) if blank is None or keys == ("exclude",) else blank
        if bad is not None:
            raise config.error(f"{keys[0]}: {bad!r} is not a valid pattern of .gitignore", *keys)


def _policy(config: Config, registry: Registry) -> Policy:
    if not (config.severity or config.per_file_ignores):
        return NO_POLICY
    severity: dict[str, str] = {}

    def weight(name: str) -> tuple[bool, int]:
        return name in registry.rule_names.rules, -SEVERITIES.index(config.severity[name])

    for name in sorted(config.severity, key=weight):  # a rule's own name wins, else the highest severity of its codes
        severity |= dict.fromkeys(_names(config, registry, [name], "severity", name), config.severity[name])
    ignores = []
    for text, names in config.per_file_ignores.items():
        pattern = PathPattern(text, config.line_of(("per-file-ignores", text)))
        ignores.append((pattern, frozenset(_names(config, registry, names, "per-file-ignores", text))))
    return Policy(severity, tuple(ignores))


def configured_options(config: Config, registry: Registry) -> RuleOptions:
    """The options of rules that a configuration file has.

    Raises:
        InputError: an option is unknown or invalid.
    """
    if not config.rules or config.path is None:
        return {}
    from dockfix.rule.options import OptionError, configured  # noqa: PLC0415 - few configurations have options of rules

    try:
        declared = [(each.name, each.options) for each in registry.codemods]
        return configured(config.rules, declared, config.path.parent)
    except OptionError as error:
        raise config.error(f"{error.place} {error.message}", "rules", *error.keys) from error


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
