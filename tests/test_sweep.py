"""The sweep over real Dockerfiles notices what a fix breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
import sweep

from dockfix.engine.results import FileResult
from dockfix.rule.model import Preset
from dockfix.rule.registry import load_registry

BEFORE = "FROM debian:12\n# why\nRUN apt-get install -y curl git\n"


@pytest.mark.parametrize(
    ("after", "failure"),
    [
        (BEFORE.replace("git\n", "git vim\n"), "also installs vim"),
        (BEFORE.replace(" git", ""), "no longer installs apt git"),
        (BEFORE.replace("# why\n", ""), "lost 1 comments, such as 'why'"),
        (BEFORE.replace("git\n", "git &&\n"), "the shell text of a RUN no longer parses"),
        (BEFORE.replace("FROM", "FORM"), "it no longer parses: unknown instruction: FORM"),
        (BEFORE + "ENV A\n", "BuildKit's parser refuses it"),
    ],
)
def test_what_a_fix_broke_is_a_failure(after: str, failure: str) -> None:
    result = FileResult(Path("Dockerfile"), "Dockerfile", "Dockerfile", BEFORE, after)
    assert any(each.startswith(failure) for each in sweep.failures(BEFORE.encode(), result))


def test_a_file_that_stays_has_no_failure() -> None:
    result = FileResult(Path("Dockerfile"), "Dockerfile", "Dockerfile", BEFORE, BEFORE)
    assert not list(sweep.failures(BEFORE.encode(), result))


def test_a_dockerfile_is_fixed_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
    [found] = sweep.sweep_file(path, ["apk-cache"])
    assert found.failures == []
    assert found.safe == b"FROM alpine:3.20\nRUN apk add --no-cache curl\n"
    assert path.read_bytes() == found.before
    assert found.findings == {("apk-cache", "safe fix"): 1}


def test_a_dockerfile_that_is_refused_stays(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM alpine:3.20\nRUN apk update && apk add curl\nEVN A=1\n")
    [found] = sweep.sweep_file(path, ["apk-cache"])
    assert found.refused
    assert found.safe == found.unsafe == found.before
    assert found.failures == []


def test_a_crash_is_a_failure_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM alpine:3.20\n")
    monkeypatch.setattr("dockfix.fix_text", lambda *_: 1 // 0)
    [found] = sweep.sweep_file(path, ["apk-cache"])
    assert found.failures == ["crash: ZeroDivisionError: integer division or modulo by zero"]


def test_a_package_may_be_spelled_differently() -> None:
    one, other = (
        sweep.build(f"FROM debian:12\nRUN pip install {word}\n".encode()) for word in ("a==`cat V`", '"a==$(cat V)"')
    )
    assert one == other
    assert one.packages


def test_hadolint_counts_codes() -> None:
    assert sweep.codes_of([b"FROM debian:12\nRUN apt install curl\n", b"FROM scratch\n"])[0]["DL3027"] == 1


def test_presets_contain_each_other() -> None:
    recommended, strict, every = (set(sweep.rules_of(preset)) for preset in Preset)
    assert recommended < strict < every == set(load_registry().names)
