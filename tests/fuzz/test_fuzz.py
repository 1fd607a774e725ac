"""A short run of the fuzzing targets, the same inputs on every run; and the inputs that once showed a defect."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from dockfix.edit.text import Edit
from tests.fuzz import run, targets
from tests.fuzz.limits import TooSlow, limited
from tests.fuzz.mutation import mutate

INPUTS = {
    "parse": 1500, "check": 250, "apply": 400, "apply-unsafe": 400, "project": 60, "compose": 100, "bake": 500,
    "bake-json": 2000, "ignore": 2000,
}  # fmt: skip
CASES = [(name, path) for name in targets.TARGETS for path in targets.cases(name)]


def test_every_target_is_run() -> None:
    assert set(INPUTS) == set(targets.TARGETS) == set(run.NAMES)


@pytest.mark.parametrize("name", INPUTS)
def test_mutations_of_golden_cases(name: str) -> None:
    # each input follows from one golden case, so that a new case does not change those of the others
    seeds = sorted(targets.TARGETS[name].seeds(), key=lambda data: sha256(data).digest())
    for number in range(INPUTS[name]):
        seed = seeds[number % len(seeds)]
        data = mutate(seed, [seed], Random(seed + bytes([number // len(seeds) % 256])))
        try:
            with limited(run.LIMIT):
                targets.run(name, data)
        except BaseException as error:
            error.add_note(f"the input: {data!r}")
            raise


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_what_once_failed(name: str, path: Path) -> None:
    with limited(run.LIMIT):
        targets.run(name, path.read_bytes())


def test_what_hangs_is_stopped() -> None:
    def hang() -> None:
        while True:
            pass

    with pytest.raises(TooSlow, match=r"takes more than 0\.05 s"), limited(0.05):
        hang()


def test_failures_of_one_kind_are_kept_once(tmp_path: Path) -> None:
    def fails(_name: str, data: bytes) -> None:
        assert data != b"a"
        data.decode()

    session = run.Session("parse", fails, tmp_path, 60)
    for data in (b"a", b"b", b"\xff", b"\xfe", b"a"):
        session.try_input(data)
    assert session.inputs == 5
    assert {path.read_bytes() for path in tmp_path.iterdir() if not path.suffix} == {b"a", b"\xff"}
    assert sum("UnicodeDecodeError" in path.read_text() for path in tmp_path.glob("*.txt")) == 1


@pytest.mark.parametrize(("name", "broken", "data"), [
    ("compose", "targets.set_entry", b"services:\n  api:\n    build: .\n"),
    ("bake", "targets.set_context", b'target "a" {}\n'),
    ("ignore", "targets.split_comments", b"a # b\n"),
])  # fmt: skip
def test_an_edit_that_is_wrong_is_noticed(name: str, broken: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    targets.run(name, data)
    monkeypatch.setattr(f"tests.fuzz.{broken}", lambda *_, **__: (Edit(0, 1, "#"),))
    with pytest.raises(AssertionError):
        targets.run(name, data)


def test_a_project_is_unpacked_inside_its_folder(tmp_path: Path) -> None:
    files = {"Dockerfile": b"FROM a\n", "a/b": b"", "../c": b"x", "a": b"x", "a/b/c": b"x"}
    targets.unpack(targets.pack(files), tmp_path / "p")
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"p/Dockerfile": b"FROM a\n", "p/a/b": b""}
