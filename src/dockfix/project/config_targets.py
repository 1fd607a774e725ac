"""`targets` of the configuration: the build contexts of Dockerfiles, by pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dockfix.project.config_keys import KEYS, TARGET_KEYS, LineOf, is_strings, kind_of
from dockfix.project.policy import PathPattern, TargetContext
from dockfix.project.problems import InputError, closest

__all__ = ["target_context"]

_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")
_PLACEHOLDERS: Final = ("{dir}", "{root}")


def target_context(
    path: Path, number: int, table: Mapping[str, object], folder: Path, line_of: LineOf
) -> TargetContext:
    """A table of `targets`.

    Args:
        path: the configuration file.
        number: the number of the table, from 0 on.
        table: the table.
        folder: the real folder of the configuration file.
        line_of: the line of a key of the configuration.

    Raises:
        InputError: a key is unknown, or its value is invalid.
    """

    def line(*keys: str) -> int | None:
        return line_of(("targets", str(number), *keys))

    def wrong(message: str, *keys: str) -> InputError:
        return InputError(str(path), line(*keys), f"targets: {message}")

    for name in table:
        if name not in TARGET_KEYS:
            close = closest(name, TARGET_KEYS)
            hint = f"did you mean {close!r}?" if close else f"the keys are {', '.join(TARGET_KEYS)}"
            raise wrong(f"unknown key {name!r}; {hint}", name)
    files = table.get("files")
    patterns = [files] if isinstance(files, str) else files
    if not isinstance(patterns, list) or not patterns or not is_strings(patterns):
        raise wrong("each table needs `files`, a pattern or a list of patterns", "files")
    context, named = table.get("context"), table.get("build-contexts", {})
    if context is not None and not KEYS["context"].accepts(context):
        raise wrong(f"context must be the path of a folder, not {kind_of(context)}", "context")
    if not (KEYS["build-contexts"].accepts(named) and isinstance(named, dict)):
        raise wrong("build-contexts must be a table of names and references", "build-contexts")
    if context is None and not named:
        raise wrong("each table needs `context` or `build-contexts`", "files")
    for key, text in (("context", context), *(("build-contexts", each) for each in named.values())):
        unknown = next((each for each in _PLACEHOLDER.findall(str(text)) if each not in _PLACEHOLDERS), None)
        if unknown is not None:
            raise wrong(f"unknown placeholder {unknown!r} in {key}; there are {' and '.join(_PLACEHOLDERS)}", key)
    if isinstance(context, str) and Path(context).is_absolute():
        message = f"context {context!r} is absolute; make it relative to this file, or begin with {{dir}} or {{root}}"
        raise wrong(message, "context")
    return TargetContext(
        tuple(PathPattern(each, line("files")) for each in patterns),
        folder,
        context if isinstance(context, str) else None,
        {name: str(value) for name, value in named.items()},
        config=path,
        line=line("context" if context is not None else "files"),
    )
