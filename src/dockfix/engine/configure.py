"""Settings from a configuration file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockfix.engine.settings import Settings
from dockfix.project.config import Config
from dockfix.project.discovery import bad_pattern
from dockfix.project.policy import NO_POLICY, PathPattern, Policy
from dockfix.rule.model import Severity
from dockfix.rule.registry import Registry, UnknownRuleError

if TYPE_CHECKING:
    from dockfix.rule.options import RuleOptions


def settings_of(config: Config, registry: Registry) -> Settings:
    """The settings that a configuration file asks for.

    Raises:
        InputError: it names an unknown rule or a folder that does not exist, or has an invalid pattern or option.
    """
    _check_names(config, registry)
    _check_patterns(config)
    if config.context is not None and not config.context.is_dir():
        raise config.error(f"context: {config.context} is not a folder", "context")
    return Settings(
        select=config.select,
        extend_select=config.extend_select,
        ignore=config.ignore,
        unsafe=config.unsafe,
        exclude=config.exclude,
        force_exclude=config.force_exclude,
        context=config.context,
        build_contexts=config.build_contexts,
        respect_gitignore=config.respect_gitignore,
        jobs=min(config.jobs or processors(), processors()),
        base_images=config.base_images,
        rule_options=configured_options(config, registry),
        policy=_policy(config),
        targets=config.targets,
        fail_level=None if config.fail_level == "none" else Severity(config.fail_level),
        baseline=config.baseline,
        config=config.path,
    )


def _check_names(config: Config, registry: Registry) -> None:
    """Check that every rule that the configuration names exists."""
    named: list[tuple[tuple[str, ...], Sequence[str]]] = [
        (("select",), config.select),
        (("extend-select",), config.extend_select),
        (("ignore",), config.ignore),
    ]
    named += [(("severity", name), [name]) for name in config.severity]
    named += [(("per-file-ignores", pattern), names) for pattern, names in config.per_file_ignores.items()]
    for keys, names in named:
        for name in names:
            try:
                registry.get(name)
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


def _policy(config: Config) -> Policy:
    if not (config.severity or config.per_file_ignores):
        return NO_POLICY
    ignores = tuple((PathPattern(text), frozenset(names)) for text, names in config.per_file_ignores.items())
    return Policy(config.severity, ignores)


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
