"""The JSON schema and the reference page of the configuration, generated from the keys and the options of the rules."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from dockfix.project.config import KEYS
from dockfix.rule.lazy import LazyClass
from dockfix.rule.model import Codemod
from dockfix.rule.options import Option, TextFile, options_of, type_words

_INTRODUCTION: Final = """\
# Configuration

dockfix reads `[tool.dockfix]` of `pyproject.toml`, or a file of its own: `dockfix.toml`, `.dockfix.toml`,
`dockfix.yaml`, `dockfix.yml`, `.dockfix.yaml` or `.dockfix.yml`, which has the same keys at its top. The nearest file
up the tree from a Dockerfile applies to it, within the project; `exclude`, `force-exclude`, `respect-gitignore`,
`unsafe`, `jobs`, `fail-level` and `baseline` are read from the file nearest to the current folder. An unknown key or an
invalid value is an error. [Adoption](adoption.md) explains how to use the keys in an existing project.

```toml pyproject.toml
[tool.dockfix]
extend-select = ["image-pin"]
ignore = ["header-comment"]

[tool.dockfix.rules.image-pin]
lock-file = "images.lock"
```

Editors check the file with the [JSON schema](../src/dockfix/schema.json). `dockfix rules --format schema` prints the
schema with the options of all installed packs.
"""


def schema(codemods: Iterable[Codemod]) -> dict[str, object]:
    """The JSON schema of the configuration, with the options of these rules."""
    properties: dict[str, dict[str, object]] = {
        name: {"description": key.doc, **key.schema} for name, key in KEYS.items()
    }
    rules = {each.name: _rule_schema(each.name, _class_of(each)) for each in codemods if each.options is not None}
    properties["rules"] |= {"additionalProperties": False, "properties": dict(sorted(rules.items()))}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dockfix configuration",
        "description": "The content of dockfix.toml or dockfix.yaml, or of [tool.dockfix] in pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def schema_text(codemods: Iterable[Codemod]) -> str:
    """The JSON schema as a file has it."""
    return json.dumps(schema(codemods), indent=2, ensure_ascii=False) + "\n"


def reference(codemods: Iterable[Codemod]) -> str:
    """The reference page of the configuration, in Markdown, with the options of these rules."""
    keys = [
        f"### `{name}`\n\n{key.doc}\n\n- Type: {key.expected}\n- Default: {key.default}\n" for name, key in KEYS.items()
    ]
    tables = [f"### `rules.{each.name}`\n\n{options_reference(each)}" for each in codemods if each.options is not None]
    return "\n".join([_INTRODUCTION, "## Keys\n", *keys, "## Options of rules\n", *sorted(tables)])


def options_reference(codemod: Codemod) -> str:
    """The options of a rule in Markdown, one item each; empty if it has none."""
    if codemod.options is None:
        return ""
    return "".join(f"{_item(each)}\n" for each in options_of(_class_of(codemod)))


def _item(option: Option) -> str:
    text = f"{option.doc[:1].upper()}{option.doc[1:]}" if option.doc else "Not documented."
    return f"- `{option.key}` ({type_words(option.type)}): {text} Default: {_default(option.default)}."


def _default(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case enum.Enum():
            return f"`{json.dumps(value.value)}`"
        case int() | float() | str():
            return f"`{json.dumps(value, ensure_ascii=False)}`"
        case None:
            return "none"
        case TextFile() | os.PathLike():
            return f"`{value}`"
        case _:
            return f"`{json.dumps(_plain(value), ensure_ascii=False)}`" if value else "empty"


def _class_of(codemod: Codemod) -> type[Any]:
    kind = codemod.options
    assert kind is not None  # noqa: S101 - callers have checked it
    return kind.resolve() if isinstance(kind, LazyClass) else kind


def _rule_schema(rule: str, kind: type[Any]) -> dict[str, object]:
    return {
        "description": f"Options of {rule}.",
        "type": "object",
        "additionalProperties": False,
        "properties": {each.key: _option_schema(each) for each in options_of(kind)},
    }


def _option_schema(option: Option) -> Mapping[str, object]:
    def of_path(kind: type[Any]) -> dict[str, object]:
        if kind in (Path, TextFile):
            return {"type": "string", "minLength": 1}
        raise TypeError(f"{kind!r} is not a type that an option can have")

    found = msgspec.json.schema(option.type, schema_hook=of_path)
    doc = f"{option.doc[:1].upper()}{option.doc[1:]}"
    whole = _inlined(found, found.pop("$defs", {}))
    return {**({"description": doc} if doc else {}), **_without_null(whole)}


def _inlined(found: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema with the definitions that it refers to put in their places: enumerations of an option's own."""
    if isinstance(found, list):
        return [_inlined(each, definitions) for each in found]
    if not isinstance(found, dict):
        return found
    if "$ref" in found:
        return _inlined(definitions[found["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in found.items()}


def _without_null(found: Mapping[str, object]) -> Mapping[str, object]:
    """A schema without null: an option that may be None is left out of the configuration instead."""
    arms = found.get("anyOf")
    if not isinstance(arms, list):
        return found
    kept = [arm for arm in arms if arm != {"type": "null"}]
    return kept[0] if len(kept) == 1 else {**found, "anyOf": kept}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple | set | frozenset) else value
