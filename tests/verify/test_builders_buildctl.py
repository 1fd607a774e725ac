import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.verify.builders.buildctl import BuildctlBuilder, probe
from tests.verify import builder_checks as checks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("verify")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[checks.Bench]:
    why = probe(os.environ)
    if why is not None:
        pytest.skip(f"buildctl {why} (CI has no buildkitd either: this is tried by hand)")
    builder = BuildctlBuilder(tmp_path)
    try:
        yield checks.Bench(builder, tmp_path)
    finally:
        builder.close()


def _records() -> list[str]:
    listed = subprocess.run(["buildctl", "du"], capture_output=True, text=True, check=True)
    return sorted(re.findall(r"^[a-z0-9]{25}", listed.stdout, re.MULTILINE))


def test_cache_and_config(bench: checks.Bench) -> None:
    checks.check_cache_and_config(bench)


def test_failures(bench: checks.Bench) -> None:
    checks.check_failures(bench)


def test_options(bench: checks.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check_options(bench, monkeypatch)


def test_starts(bench: checks.Bench) -> None:
    checks.check_starts(bench)


def test_no_shell(bench: checks.Bench) -> None:
    checks.check_no_shell(bench, None)


def test_nothing_left(bench: checks.Bench) -> None:
    checks.check_nothing_left(bench, _records, stopped=False)  # buildkitd keeps the cache of a stopped build in use
    assert not (bench.folder / "buildctl").exists()
