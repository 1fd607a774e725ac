"""By which names the files are known that say how Dockerfiles are built, and those that configure dockfix."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CONFIG_NAMES", "is_bake_name", "is_compose_name"]

CONFIG_NAMES: Final = (
    "dockfix.toml", ".dockfix.toml", "dockfix.yaml", "dockfix.yml", ".dockfix.yaml", ".dockfix.yml",
)  # fmt: skip
"""Configuration files of dockfix alone; `[tool.dockfix]` may be in a `pyproject.toml` instead."""

_COMPOSE: Final = re.compile(r"(?:docker-)?compose(?:[._-][\w.-]*)?\.ya?ml")
_BAKE: Final = re.compile(
    r"docker-bake(?:\.override)?\.json"
    r"|(?:docker-)?bake(?:[._-][\w.-]*)?\.hcl"
    r"|[\w.-]+[._-](?:docker-)?bake\.hcl",
    re.ASCII,
)


def is_compose_name(name: str) -> bool:
    """`compose*.y(a)ml` and `docker-compose*.y(a)ml`: the names that compose finds itself, and what people put beside
    them.
    """
    return _COMPOSE.fullmatch(name) is not None


def is_bake_name(name: str) -> bool:
    """The four default names, and HCL files that people give with `-f`: `bake.hcl`, `docker-bake.dev.hcl`,
    `ci.bake.hcl`. JSON only by the default names, since anything may be JSON.
    """
    return _BAKE.fullmatch(name) is not None
