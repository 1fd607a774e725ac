"""The example project, fixed as `make demo` and the README show it."""

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

# One process of pytest-xdist runs them all: the fixtures are the slow part.
pytestmark = pytest.mark.xdist_group("demo")


def dockfix(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dockfix", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def copy(folder: Path) -> Path:
    """The example as a project of its own."""
    return Path(shutil.copytree(ROOT / "examples" / "audit", folder / "project"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy(tmp_path)


@pytest.fixture(scope="module")
def diffs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `dockfix apply --diff` prints for the example, by the option that it is given."""
    untouched = copy(tmp_path_factory.mktemp("diffs"))
    found = {}
    for option in ("", "--unsafe"):
        shown = dockfix("apply", "--diff", *filter(None, [option]), ".", cwd=untouched)
        assert shown.returncode == 1, shown.stderr
        found[option] = shown.stdout
    return found


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str, int]]:
    """Rule, kind, file and line of all findings in the example, those of opt-in rules included."""
    rules = [option for name in load_registry().names for option in ("--rule", name)]
    shown = dockfix("check", *rules, "--format", "json", ".", cwd=copy(tmp_path_factory.mktemp("findings")))
    return [
        (finding["rule"], finding["kind"], file["path"], finding["start"]["line"])
        for file in json.loads(shown.stdout)["files"]
        for finding in file["findings"]
    ]


def lines(diff: str, sign: str) -> list[str]:
    return [line[1:].strip() for line in diff.split("\n") if line.startswith(sign) and not line.startswith(sign * 3)]


def test_the_demo_shows_the_safe_fixes(diffs: dict[str, str]) -> None:
    removed, added = lines(diffs[""], "-"), lines(diffs[""], "+")
    # npm's downloads are kept between builds, and apk's index is not fetched twice
    assert "RUN --mount=type=cache,target=/root/.npm \\" in added
    assert "RUN apk update && apk upgrade && apk add --no-cache curl libc6-compat" in removed
    # users get an explicit GID with their group
    assert any("groupadd -g 10001 llamacrawl" in line for line in added)
    assert any("useradd -m -u 10001 -g 10001 llamacrawl" in line for line in added)
    assert any("groupadd -g 10002 taboot" in line for line in added)
    # what compose supplies is left alone
    assert not any("--from=packages" in line for line in removed + added)


def test_the_demo_with_unsafe_fixes(diffs: dict[str, str]) -> None:
    removed, added = lines(diffs["--unsafe"], "-"), lines(diffs["--unsafe"], "+")
    # the worker's mount of uv's cache becomes one of pip's; another image shares what pip builds from source there
    assert "RUN --mount=type=cache,target=/root/.cache/uv \\" in removed
    assert "RUN --mount=type=cache,target=/root/.cache/pip \\" in added
    # the README leaves the api's dependency layer; a script that ran before might have named it
    assert "COPY pyproject.toml README.md ./" in removed
    assert "COPY pyproject.toml ./" in added
    assert "COPY README.md ./" in added


def test_what_compose_supplies_is_left_alone_with_the_reason(project: Path) -> None:
    check = ("check", "--compose", "docker-compose.yaml", "--rule", "copy-from-context", "docker/api/Dockerfile")
    found = dockfix(*check, cwd=project)
    assert "[not fixed: taboot-api" in found.stdout
    assert "docker build --build-context packages=packages -f docker/api/Dockerfile ." in found.stdout


def test_the_bake_file_gets_the_context_that_compose_has(project: Path) -> None:
    dockerfile = (project / "docker/api/Dockerfile").read_bytes()
    assert dockfix("apply", "--unsafe", "--rule", "copy-from-context", ".", cwd=project).returncode == 0
    assert 'contexts   = { "packages" = "./packages" }' in (project / "docker-bake.hcl").read_text(encoding="utf-8")
    assert (project / "docker/api/Dockerfile").read_bytes() == dockerfile


# Findings of rules that need more than one file.
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
def test_the_example_shows_the_rule(
    findings: list[tuple[str, str, str, int]], rule: str, kind: str, path: str, line: int
) -> None:
    assert (rule, kind, path, line) in findings


def test_every_rule_of_the_audit_has_something_to_say_of_the_example(findings: list[tuple[str, str, str, int]]) -> None:
    assert {rule for rule, *_ in findings} >= {each.name for each in load_registry().codemods if each.findings}


@pytest.mark.parametrize("option", ["", "--unsafe"])
def test_the_diff_is_what_apply_does(
    project: Path, diffs: dict[str, str], require_tool: Callable[[str], Path], option: str
) -> None:
    options = [option] if option else []
    twin = project.parent / "twin"
    shutil.copytree(project, twin)
    patch = [str(require_tool("patch")), "-p1", "--quiet"]
    applied = subprocess.run(patch, cwd=twin, input=diffs[option], text=True, check=False)
    assert applied.returncode == 0
    assert dockfix("apply", *options, ".", cwd=project).returncode == 0
    files = sorted(path.relative_to(project) for path in project.rglob("*") if path.is_file())
    for name in files:
        assert (project / name).read_bytes() == (twin / name).read_bytes(), name
    again = dockfix("apply", "--diff", *options, ".", cwd=project)
    assert (again.returncode, again.stdout) == (0, "")
