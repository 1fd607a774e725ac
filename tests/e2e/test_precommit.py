"""The pre-commit hooks for real: pre-commit builds the package from this tree and runs it on a scratch repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

# One process of pytest-xdist runs them all: the environment that pre-commit builds is the slow part.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("precommit")]

ROOT = Path(__file__).resolve().parents[2]
PRE_COMMIT = (sys.executable, "-m", "pre_commit")
WRONG = "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/uv pip install httpx==0.28.1\n"
RIGHT = WRONG.replace("/root/.cache/uv", "/root/.cache/pip")
CLEAN = "FROM scratch\nCOPY app /app\n"


def call(*command: str | Path, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment in which git and pre-commit know nothing of this machine's user."""
    home = tmp_path_factory.mktemp("home")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    identity = {
        f"GIT_{who}_{what}": f"{what.lower()}@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {
        **clean,
        **identity,
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="module")
def hooks(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str], require_tool: Callable[[str], Path]
) -> Path:
    """This tree with its uncommitted changes, as a git repository that hooks can be taken from."""
    git = require_tool("git")
    listing = subprocess.run(
        [git, "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    repository = tmp_path_factory.mktemp("hooks") / "dockfix"
    for name in listing.stdout.decode().split("\0"):
        source = ROOT / name
        if name and not name.startswith(("tests/", "golden/")) and source.is_file():
            target = repository / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "this tree")):
        assert call(git, *command, cwd=repository, env=environment).returncode == 0
    return repository


@pytest.fixture
def scratch(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    """A repository with a Dockerfile whose cache mount is wrong, and a clean one."""
    repository = tmp_path / "scratch"
    (repository / "clean").mkdir(parents=True)
    (repository / "Dockerfile").write_text(WRONG)
    (repository / "clean" / "Dockerfile").write_text(CLEAN)
    assert call("git", "init", "-q", cwd=repository, env=environment).returncode == 0
    assert call("git", "add", "-A", cwd=repository, env=environment).returncode == 0
    return repository


def use(hooks: Path, scratch: Path, environment: Mapping[str, str], *names: str) -> None:
    """Configure the hooks in a repository, as its README tells users to, and stage everything."""
    revision = call("git", "rev-parse", "HEAD", cwd=hooks, env=environment).stdout.strip()
    listed = "".join(f"  - id: {name}\n" for name in names)
    config = f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n{listed}"
    (scratch / ".pre-commit-config.yaml").write_text(config)
    assert call("git", "add", "-A", cwd=scratch, env=environment).returncode == 0


def test_the_hook_fixes_files_and_then_passes(hooks: Path, scratch: Path, environment: Mapping[str, str]) -> None:
    use(hooks, scratch, environment, "dockfix")
    run = call(*PRE_COMMIT, "run", "--all-files", "--verbose", cwd=scratch, env=environment)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "files were modified by this hook" in run.stdout
    assert (scratch / "Dockerfile").read_text() == RIGHT
    assert (scratch / "clean" / "Dockerfile").read_text() == CLEAN
    assert call(*PRE_COMMIT, "run", "--all-files", cwd=scratch, env=environment).returncode == 0


def test_what_the_configuration_excludes_is_left_alone(
    hooks: Path, scratch: Path, environment: Mapping[str, str]
) -> None:
    (scratch / "dockfix.toml").write_text('exclude = ["vendor/"]\n')
    (scratch / "vendor").mkdir()
    (scratch / "vendor" / "Dockerfile").write_text(WRONG)
    use(hooks, scratch, environment, "dockfix")
    run = call(*PRE_COMMIT, "run", "--all-files", "--verbose", cwd=scratch, env=environment)
    assert run.returncode == 1, run.stdout + run.stderr
    assert (scratch / "Dockerfile").read_text() == RIGHT
    assert (scratch / "vendor" / "Dockerfile").read_text() == WRONG


def test_a_commit_is_fixed(hooks: Path, scratch: Path, environment: Mapping[str, str]) -> None:
    use(hooks, scratch, environment, "dockfix-diff", "dockfix-check")
    shown = call(*PRE_COMMIT, "run", "--all-files", cwd=scratch, env=environment)
    assert shown.returncode == 1, shown.stdout + shown.stderr
    assert "+RUN --mount=type=cache,target=/root/.cache/pip" in shown.stdout
    assert (scratch / "Dockerfile").read_text() == WRONG

    use(hooks, scratch, environment, "dockfix")
    assert call(*PRE_COMMIT, "install", cwd=scratch, env=environment).returncode == 0
    refused = call("git", "commit", "-q", "-m", "first", cwd=scratch, env=environment)
    assert refused.returncode != 0
    assert (scratch / "Dockerfile").read_text() == RIGHT
    assert call("git", "add", "-A", cwd=scratch, env=environment).returncode == 0
    accepted = call("git", "commit", "-q", "-m", "first", cwd=scratch, env=environment)
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
