"""Settings from a configuration file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockfix.engine.settings import Settings
from dockfix.project.config import Config
from dockfix.project.discovery import bad_pattern
from dockfix.rule.registry import Registry, UnknownRuleError

if TYPE_CHECKING:
    from dockfix.rule.options import RuleOptions


def settings_of(config: Config, registry: Registry) -> Settings:
    """The settings that a configuration file asks for.

    Raises:
        InputError: it names an unknown rule or a folder that does not exist, or has an invalid pattern or option.
    """
    for key, names in (("select", config.select), ("extend-select", config.extend_select), ("ignore", config.ignore)):
        for name in names:
            try:
                registry.get(name)
            except UnknownRuleError as error:
                raise config.error(f"{key}: {error}", key) from error
    if (bad := bad_pattern(config.exclude)) is not None:
        raise config.error(f"exclude: {bad!r} is not a valid pattern of .gitignore", "exclude")
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
    )


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
