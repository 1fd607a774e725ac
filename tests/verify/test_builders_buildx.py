import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.verify.builders.buildx import BuildxBuilder, probe
from dockfix.verify.model import BuilderError
from tests.verify import builder_checks as checks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("verify")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[checks.Bench]:
    why = probe(os.environ)
    if why is not None:
        pytest.skip(f"docker buildx {why} (CI has no docker either: this is tried by hand)")
    builder = BuildxBuilder(tmp_path)
    inspected = _docker("buildx", "inspect")
    try:
        modern = re.search(r"BuildKit version: +v0\.\d\b", inspected) is None
        yield checks.Bench(builder, tmp_path, modern=modern, own_images=modern and builder.driver == "docker")
    finally:
        builder.close()


def _state() -> list[list[str]]:
    """The cache records, images and containers of the user's builder and daemon, and the files of buildx."""
    config = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    files = [str(path) for path in config.glob("buildx/refs/*/*/*")]
    listings = (["buildx", "du"], ["image", "ls", "--all"], ["ps", "--all"], ["volume", "ls"])
    history = subprocess.run(["docker", "buildx", "history", "ls"], capture_output=True, text=True, check=False)
    found = [sorted(files), sorted(line.split()[0] for line in history.stdout.split("\n") if line)]
    for each in listings:
        lines = [line for line in _docker(*each).split("\n") if re.match(r"[a-z0-9]", line)]
        found.append(sorted(line.split()[0] for line in lines))
    return found


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def test_cache_and_config(bench: checks.Bench) -> None:
    checks.check_cache_and_config(bench)


def test_failures(bench: checks.Bench) -> None:
    checks.check_failures(bench)


def test_options(bench: checks.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check_options(bench, monkeypatch)


def test_named_contexts_need_support(bench: checks.Bench) -> None:
    folder = bench.folder / "other"
    folder.mkdir()
    assert bench.builder.build(bench.request("", "docker.io/library/dockfix-test:base")).ok
    contexts = {"other": str(folder), "image": "docker-image://docker.io/library/dockfix-test:base"}
    if bench.own_images:
        assert bench.builder.build(bench.request("", contexts=contexts)).ok
    else:
        with pytest.raises(BuilderError, match="named context"):
            bench.builder.build(bench.request("", contexts=contexts))


def test_starts(bench: checks.Bench) -> None:
    checks.check_starts(bench)


def test_no_shell(bench: checks.Bench) -> None:
    checks.check_no_shell(bench, 0)


def test_nothing_left(bench: checks.Bench) -> None:
    stopped = "Driver: docker\n" in re.sub(" +", " ", _docker("buildx", "inspect"))
    checks.check_nothing_left(bench, _state, stopped=stopped)  # buildkitd keeps the cache of a stopped build in use
