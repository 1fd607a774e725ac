"""Readers of output formats, written from their specifications: what there is no program for here."""

from __future__ import annotations

from typing import Any

from dockfix.syntax.source import Lines


def strict(schema: Any) -> Any:
    """A schema that allows only the properties that it names."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        inner["additionalProperties"] = False
    return inner


def offset(text: str, line: int, column: int) -> int:
    """The offset of a SARIF position: columns count characters, a byte order mark is none."""
    lines = Lines(text)
    return lines.start(line) + column - 1 + (line == 1 and text.startswith("\ufeff"))


def sarif_applied(text: str, change: dict[str, Any]) -> str:
    """A file after an artifact change: the regions are of the unmodified file."""
    for each in sorted(
        change["replacements"],
        key=lambda one: -one["deletedRegion"]["startLine"] * 10**6 - one["deletedRegion"]["startColumn"],
    ):
        region = each["deletedRegion"]
        start = offset(text, region["startLine"], region["startColumn"])
        end = offset(text, region["endLine"], region["endColumn"])
        content = each.get("insertedContent", {"text": ""})
        text = text[:start] + content["text"] + text[end:]
    return text


def command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as `ActionCommand.TryParseV2` of actions/runner reads it."""
    message = line.lstrip()
    assert message.startswith("::")
    end = message.index("::", 2)
    name, _, properties = message[2:end].partition(" ")
    found: dict[str, str] = {}
    for part in filter(None, properties.strip().split(",")):
        key, _, value = part.partition("=")
        assert value
        for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(escape, character)
        found[key] = value
    data = message[end + 2 :]
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        data = data.replace(escape, character)
    return name, found, data


# GitLab: the fields of its `codeclimate.json`, with the values of its documentation
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}


# reviewdog: the messages of `reviewdog.proto`
POSITION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
}
RANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["start"],
    "properties": {"start": POSITION, "end": POSITION},
}
NAMED = {"type": "object", "additionalProperties": False, "properties": {"url": {"type": "string"}}}
RDJSON = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "source": {**NAMED, "properties": {"name": {"type": "string"}, "url": {"type": "string"}}},
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string"},
                    "location": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "range": RANGE},
                    },
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {**NAMED, "properties": {"value": {"type": "string"}, "url": {"type": "string"}}},
                    "suggestions": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["range", "text"],
                            "properties": {"range": RANGE, "text": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}


def rdjson_applied(text: str, suggestion: dict[str, Any]) -> str:
    """A file after a suggestion of whole lines: the range ends before the line end of its last line."""
    spans = list(Lines(text).spans())
    start = spans[suggestion["range"]["start"]["line"] - 1].start
    last = spans[suggestion["range"]["end"]["line"] - 1]
    end = last.start + len(text[last.start : last.end].removesuffix("\n").removesuffix("\r"))
    return text[:start] + str(suggestion["text"]) + text[end:]
