"""Agreement with BuildKit's own answers.

`buildkit-parser.jsonl` and `buildkit-probes.jsonl` contain the results of moby/buildkit's `parser.Parse`,
`DirectiveParser.ParseAll` and `instructions.Parse` (August 2026) for small inputs, recorded by running them.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode

DATA = Path(__file__).parent.parent / "data"


def _load(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line]


CASES = _load("buildkit-parser.jsonl") + _load("buildkit-probes.jsonl")


def _text(message: str | dict[str, str]) -> str:
    return message if isinstance(message, str) else decode(base64.b64decode(message["b64"]))


def _core(message: str) -> str:
    """A message without BuildKit's line number before it and suggestion after it."""
    message = re.sub(r"\Adockerfile parse error on line [0-9]+: ", "", message)
    return re.sub(r" \(did you mean .*\)\Z", "", message, flags=re.DOTALL)


# BuildKit numbers the line of these from 0; we say the line that a person sees.
_COUNTED_FROM_ZERO = ("invalid escape token", "only one ")


def test_there_are_as_many_cases_as_were_recorded() -> None:
    assert len(_load("buildkit-parser.jsonl")) == 173
    assert len(_load("buildkit-probes.jsonl")) > 300
    assert len({case["name"] for case in CASES}) > 450


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_agrees_with_buildkit(case: dict[str, Any]) -> None:
    answer = to_json(parse(decode(base64.b64decode(case["input_b64"]))))
    for key in ("ok", "escape", "directives"):
        assert answer[key] == case[key], key
    assert answer["nodes"] == (case["nodes"] or [])
    if case["error"] is None:
        assert answer["problems"] == []
        return
    first = answer["problems"][0]
    expected = _core(_text(case["error"]["message"]))
    assert _text(first["message"]) == expected
    if case["error"]["lines"]:
        line = case["error"]["lines"][0]
        line = line if isinstance(line, int) else line[0]
        off_by_one = expected.startswith(_COUNTED_FROM_ZERO) or line == 0
        assert first["line"] == line + off_by_one
