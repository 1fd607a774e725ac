"""Where the documentation is on the web."""

from __future__ import annotations

from typing import Final

from dockfix.rule.registry import BUILT_IN, Registry

__all__ = ["HOME", "rule_url"]

HOME: Final = "https://github.com/dockfix/dockfix"


def rule_url(rule: str, registry: Registry) -> str | None:
    """The page of a rule; None for a rule of another pack, whose page only `dockfix explain` knows."""
    own = registry.packs.get(rule, BUILT_IN) == BUILT_IN
    return f"{HOME}/blob/main/docs/rules/{rule}.md" if own else None
