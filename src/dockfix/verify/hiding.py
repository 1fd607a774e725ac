"""Results without the values of secrets: logs of builds and containers may contain what was passed to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from dockfix.project.secrets import Secrets, is_secret_name
from dockfix.project.target import Target
from dockfix.verify.requests import Recipe

__all__ = ["hider", "without_secrets"]

_MAX_SECRET: Final = 64 * 1024

T = TypeVar("T")


def hider(target: Target, recipe: Recipe | None) -> Callable[[str], str]:
    """A function that replaces the values of secrets in a text: those of the project, and those that a build gets.

    Args:
        target: the Dockerfile.
        recipe: how it is built; None if that is not known.
    """
    passed = Secrets({}, _passed(recipe) if recipe is not None else {})
    return lambda text: passed.hide(target.secrets.hide(text, target.text))


def _passed(recipe: Recipe) -> Mapping[str, str]:
    """The values that a build gets as secrets, or from variables of the environment with secret names."""
    values: dict[str, str] = {}
    for name, value in recipe.args.items():
        given = os.environ.get(name) if value is None else value
        if given and is_secret_name(name):
            values[given] = f"${{{name}}}"
    for secret in recipe.secrets:
        content = os.environ.get(secret.env, "") if secret.env is not None else _content(secret.file)
        for line in content.splitlines():
            if line.strip():
                values[line.strip()] = f"<secret {secret.id}>"
    return values


def _content(path: Path | None) -> str:
    with suppress(OSError):
        if path is not None and path.stat().st_size <= _MAX_SECRET:
            return path.read_bytes().decode("utf-8", "replace")
    return ""


def without_secrets(value: T, hide: Callable[[str], str], *, keep: tuple[str, ...] = ()) -> T:
    """A value with all of its texts replaced, however deep in structs and tuples they are.

    Args:
        value: a struct, a tuple, a text, or anything else, which is left alone.
        hide: replaces a text.
        keep: the names of fields that are left alone.
    """
    found: Any = value
    if isinstance(value, str):
        found = hide(value)
    elif isinstance(value, tuple):
        found = tuple(without_secrets(each, hide) for each in value)
    elif isinstance(value, Struct):
        parts = asdict(value).items()
        found = replace(value, **{name: without_secrets(part, hide) for name, part in parts if name not in keep})
    return found  # type: ignore[no-any-return] # of the type of `value`
