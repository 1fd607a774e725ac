"""The shipped example, mended as `make demo` and the README's tutorial show it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockfix.rule.registry import load_registry

ROOT = Path(__file__).resolve().parents[2]


def dockfix(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dockfix", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example as a project of its own."""
    target = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "audit", target)
    return target


def lines(diff: str, sign: str) -> list[str]:
    return [line[1:].strip() for line in diff.split("\n") if line.startswith(sign) and not line.startswith(sign * 3)]


def test_the_demo_shows_the_safe_fixes(project: Path) -> None:
    shown = dockfix("apply", "--diff", ".", cwd=project)
    assert shown.returncode == 1, shown.stderr
    removed, added = lines(shown.stdout, "-"), lines(shown.stdout, "+")
    # npm's downloads are kept between builds, and apk's index is not fetched twice
    assert "RUN --mount=type=cache,target=/root/.npm \\" in added
    assert "RUN apk update && apk upgrade && apk add --no-cache curl libc6-compat" in removed
    # users get an explicit gid with their group
    assert any("groupadd -g 10001 llamacrawl" in line for line in added)
    assert any("useradd -m -u 10001 -g 10001 llamacrawl" in line for line in added)
    assert any("groupadd -g 10002 taboot" in line for line in added)
    # what compose supplies is left alone
    assert not any("--from=packages" in line for line in removed + added)


def test_the_demo_with_unsafe_fixes(project: Path) -> None:
    shown = dockfix("apply", "--unsafe", "--diff", ".", cwd=project)
    removed, added = lines(shown.stdout, "-"), lines(shown.stdout, "+")
    # the audited worker's uv mount becomes pip's; another image may take what pip builds from source there
    assert "RUN --mount=type=cache,target=/root/.cache/uv \\" in removed
    assert "RUN --mount=type=cache,target=/root/.cache/pip \\" in added
    # README leaves the api's dependency layer; a script that ran before might have named it
    assert "COPY pyproject.toml README.md ./" in removed
    assert "COPY pyproject.toml ./" in added
    assert "COPY README.md ./" in added


def test_what_compose_supplies_is_left_alone_with_the_reason(project: Path) -> None:
    check = ("check", "--compose", "docker-compose.yaml", "--rule", "copy-from-context", "docker/api/Dockerfile")
    found = dockfix(*check, cwd=project)
    assert "refused: taboot-api" in found.stdout
    assert "docker build --build-context packages=packages -f docker/api/Dockerfile ." in found.stdout


def test_the_bake_file_gets_the_context_that_compose_has(project: Path) -> None:
    dockerfile = (project / "docker/api/Dockerfile").read_bytes()
    assert dockfix("apply", "--unsafe", "--rule", "copy-from-context", ".", cwd=project).returncode == 0
    assert 'contexts   = { "packages" = "./packages" }' in (project / "docker-bake.hcl").read_text(encoding="utf-8")
    assert (project / "docker/api/Dockerfile").read_bytes() == dockerfile


# What each rule that needs more than one file shows in the example: its kind, file and line.
@pytest.mark.parametrize(
    ("rule", "kind", "path", "line"),
    [
        ("copy-from-context", "fix", "docker/api/Dockerfile", 93),
        ("local-base-image", "refusal", "docker/worker/Dockerfile", 6),
        ("healthcheck-missing", "fix", "docker/postgres/Dockerfile", 6),
        ("healthcheck-missing", "refusal", "docker/neo4j/Dockerfile", 2),
        ("healthcheck-drift", "advice", "docker/reranker/Dockerfile", 37),
        ("healthcheck-tool", "fix", "docker/worker/Dockerfile", 82),
        ("healthcheck-pgrep", "fix", "docker/worker/Dockerfile", 82),
        ("uid-map", "advice", "docker/worker/Dockerfile", 60),
        ("base-image-drift", "advice", "docker/migrate/Dockerfile", 7),
        ("compose-depends-on", "advice", "docker-compose.yaml", 128),
        ("dockerignore-comment", "fix", ".dockerignore", 17),
        ("dockerignore-comment", "refusal", ".dockerignore", 18),
        ("arg-scope", "fix", "docker/migrate/Dockerfile", 15),
        ("arg-position", "refusal", "docker/web/Dockerfile", 66),
        ("copy-order", "fix", "docker/worker/Dockerfile", 11),
        ("unused-python-deps", "advice", "docker/api/Dockerfile", 34),
    ],
)
def test_the_example_shows_the_rule(project: Path, rule: str, kind: str, path: str, line: int) -> None:
    found = json.loads(dockfix("check", "--rule", rule, "--format", "json", ".", cwd=project).stdout)
    shown = [
        (finding["kind"], file["path"], finding["start"]["line"])
        for file in found["files"]
        for finding in file["findings"]
    ]
    assert (kind, path, line) in shown


@pytest.mark.parametrize("unsafe", [False, True])
def test_the_diff_is_what_apply_does(project: Path, require_tool: Callable[[str], Path], *, unsafe: bool) -> None:
    patch = require_tool("patch")
    options = ["--unsafe"] if unsafe else []
    twin = project.parent / "twin"
    shutil.copytree(project, twin)
    diff = dockfix("apply", "--diff", *options, ".", cwd=project).stdout
    applied = subprocess.run([patch, "-p1", "--quiet"], cwd=twin, input=diff, text=True, check=False)
    assert applied.returncode == 0
    assert dockfix("apply", *options, ".", cwd=project).returncode == 0
    files = sorted(path.relative_to(project) for path in project.rglob("*") if path.is_file())
    for name in files:
        assert (project / name).read_bytes() == (twin / name).read_bytes(), name
    again = dockfix("apply", "--diff", *options, ".", cwd=project)
    assert (again.returncode, again.stdout) == (0, "")


def test_every_rule_has_something_to_say_of_the_example(project: Path) -> None:
    names = load_registry().names
    rules = [option for name in names for option in ("--rule", name)]
    found = json.loads(dockfix("check", *rules, "--format", "json", ".", cwd=project).stdout)
    assert {finding["rule"] for file in found["files"] for finding in file["findings"]} == set(names)
