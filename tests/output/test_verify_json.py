"""What builds have shown, as JSON."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from dockfix.output.json import dumps
from dockfix.output.plain import UNPRINTABLE
from dockfix.output.verify_json import read_verify_json, verify_json
from dockfix.verify.model import Measurement, VerifyResult
from tests.output.verify_samples import EVIL, FAILS, HOSTILE, RESULT


def test_the_document() -> None:
    data = json.loads(dumps(verify_json(RESULT)))
    assert list(data) == ["version", "builder", "seconds", "clean", "targets", "problems", "defects", "summary"]
    assert (data["version"], data["builder"], data["clean"], data["seconds"]) == (1, "buildah 1.28.2", 2, 72.5)
    assert data["summary"] == {"targets": 3, "skipped": 1, "kept": 1, "broken": 2, "not_shown": 1}
    first, second, third = data["targets"]
    assert first["fixes"][0] == {
        "rule": "cache-mount", "severity": "warning", "line": 3, "message": "a message", "safety": "safe",
        "help": "do it", "review": "look at it",
    }  # fmt: skip
    assert first["before"]["steps"][1] == {"text": "RUN b", "cached": False, "seconds": 3.0}
    assert first["before"]["log"] == ""
    assert first["verdicts"][2] == {
        "rule": "apt-purge", "promise": "image", "state": "broken",
        "evidence": ["/usr/bin/gcc is missing", "and 2 more files"],
    }  # fmt: skip
    assert (
        round(7 / 3, 3)
        in verify_json(VerifyResult("b", (replace(FAILS, measurements=(Measurement("m", "s", (7 / 3,), ()),)),)))[
            "targets"
        ][0]["measurements"][0]["before"]
    )
    assert first["measurements"][1]["before"] == [34.0, 40.0, 36.0]
    assert first["differences"][-1]["reason"] == "logs differ in each build"
    assert first["culprits"][0]["line"] == 7
    assert (third["skipped"], third["before"]) == ("the context has 3.0 GB", None)
    assert second["after"]["log"].split("\n")[0] == "line 11"


def test_hostile_text_comes_back_and_the_document_can_be_shown() -> None:
    text = dumps(verify_json(HOSTILE))
    assert set(UNPRINTABLE.findall(text)) == {"\n"}
    data = json.loads(text)
    assert data["targets"][0]["verdicts"][0]["evidence"] == [EVIL, EVIL]
    assert data["defects"][0]["path"] == EVIL
    broken = replace(HOSTILE, builder="\udcff", targets=())
    assert json.loads(dumps(verify_json(broken)))["builder"] == "\\xff"


def test_a_document_is_read_back() -> None:
    found = read_verify_json(dumps(verify_json(RESULT)).encode())
    kept = tuple(replace(each, fixes=()) for each in found.targets)
    assert (found.builder, found.clean, found.seconds) == ("buildah 1.28.2", 2, 72.5)
    assert found.targets == kept
    assert found.targets[0] == replace(
        RESULT.targets[0],
        fixes=(),
        before=replace(RESULT.targets[0].before, log="") if RESULT.targets[0].before else None,
    )
    assert found.targets[1].after is not None
    assert FAILS.after is not None
    assert found.targets[1].after.reason == FAILS.after.reason
    assert verify_json(found)["summary"] == verify_json(RESULT)["summary"]
    assert read_verify_json(dumps(verify_json(VerifyResult("b", ()))).encode()).targets == ()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "not a document"),
        (b"\xff", "not a document"),
        (b"[]", "not a document"),
        (b'{"version": 1, "files": []}', "missing required field `builder`"),
        (b'{"version": 1, "builder": "b", "targets": [{"path": 1}]}', "Expected `str`, got `int`"),
        (b'{"version": 1, "builder": "b", "targets": [{"path": "", "verdicts": [{"state": "x"}]}]}', "not a document"),
        (b'{"version": 2, "builder": "b", "targets": []}', "version 2 of the document is not known, only 1"),
        (b'{"version": 1, "builder": "b", "targets": ' + b"[" * 100_000, "not a document"),
    ],
)
def test_another_document_is_refused(document: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_verify_json(document)
