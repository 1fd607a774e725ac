"""copy-order: whether a RUN uses what a COPY writes."""

from __future__ import annotations

import pytest

from dockfix.facts.copies import Area
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.copy_order.conflicts import conflict_with
from dockfix_codemods.copy_order.file_use import file_use


def verdict(run: str, area: Area, head: str = "FROM python:3.13-slim\nWORKDIR /app\n") -> str:
    """`free`, `doubt` or `conflict_with` for a COPY to an area above a RUN."""
    target = target_from_text(f"{head}RUN {run}\n")
    node = target.dockerfile.instructions[-1]
    assert isinstance(node, Run)
    found = conflict_with(file_use(target.facts, node), area)
    return "free" if found is None else "clash" if found.certain else "doubt"


def file(path: str, owner: str | None = None) -> Area:
    return Area(path, False, owner)


def tree(path: str) -> Area:
    return Area(path, True)


@pytest.mark.parametrize(
    ("run", "area", "expected"),
    [
        ("pip install flask", file("/app/README.md"), "free"),
        ("pip install flask", tree("/app"), "free"),
        ("pip install 'flask==3.*' uvicorn==$V", tree("/app"), "free"),
        ("pip install .", file("/app/README.md"), "clash"),
        ("pip install -e .", file("/app/README.md"), "clash"),
        ("pip install flask -c limits.txt", file("/app/limits.txt"), "clash"),
        ("pip install flask -c limits.txt", file("/app/other.txt"), "free"),
        ("pip install --find-links wheels flask", tree("/app/wheels"), "clash"),
        ("pip install --target vendored flask", tree("/app/vendored"), "clash"),
        ("pip install $PACKAGES", file("/app/README.md"), "clash"),
        ("./venv/bin/pip install flask", tree("/app/venv"), "clash"),
        ("python -m pip install flask", file("/app/typing.py"), "clash"),
        ("python -m pip install flask", file("/app/README.md"), "free"),
        ("python -m pip install flask", tree("/app"), "clash"),
        ("pip install flask", file("/root/.netrc"), "clash"),
        ("pip install flask", file("/conf/pip.conf"), "clash"),
        ("uv pip install flask", file("/app/pyproject.toml"), "clash"),
        ("uv pip install flask", file("/uv.toml"), "clash"),
        ("uv pip install flask", file("/app/uv.lock"), "free"),
        ("uv pip install flask", tree("/app"), "clash"),
        ("uv pip install flask", tree("/app/src"), "free"),
        ("uv venv && uv pip install flask", file("/app/.python-version"), "clash"),
        ("apt-get update && apt-get install -y curl", file("/entrypoint.sh"), "free"),
        ("apt-get install -y curl", file("/etc/app.conf"), "clash"),
        ("apt-get install -y curl", tree("/usr/lib/app"), "clash"),
        ("apt-get install -y curl", tree("/usr/src/app"), "free"),
        ("apt-get install -y curl", tree("/usr/src/linux-6"), "clash"),
        ("apt-get install -y curl", tree("/var/www/html"), "clash"),
        ("apt-get install -y curl", tree("/var/task"), "free"),
        ("apt-get install -y curl", tree("/opt/app"), "free"),
        ("apt-get install -y google-chrome", tree("/opt/google"), "clash"),
        ("apt-get install -y curl", tree("/"), "clash"),
        ("apt-get install -y curl", tree("/root"), "clash"),
        ("apt-get install -y curl", file("/home/app/run.sh"), "free"),
        ("apt-get install -y curl", file("/home/app/.curlrc"), "clash"),
        ("apt-get install -y curl", file("/usr/local/share/ca-certificates/a.crt"), "clash"),
        ("apt-get install -y curl", file("/usr/local/bin/run.sh"), "free"),
        ("apt-get install -y curl", file("/usr/local/bin/run"), "doubt"),
        ("apt-get install -y curl && ls", file("/usr/local/bin/ls"), "clash"),
        ("apt-get install -y ./local.deb", file("/app/local.deb"), "clash"),
        ("apt-get install -y curl", file("/app/x", "app:app"), "doubt"),
        ("apt-get install -y curl", file("/app/x", "1000:1000"), "free"),
        ("pip install flask", file("/app/x", "app:app"), "free"),
        ("mkdir -p /data && apt-get install -y curl", tree("/data"), "free"),
        ("mkdir -p /data && apt-get install -y curl", Area("/data/x", False, "app"), "clash"),
        ("apt-get install -y curl && chmod 755 /run.sh", file("/run.sh"), "clash"),
        ("apt-get install -y curl && rm -rf /tmp/*", file("/tmp/x.sh"), "clash"),  # noqa: S108 - a path in an image
        ("apt-get install -y curl && cat /app/x > /y", file("/app/x"), "clash"),
        ("X=$(cat /app/x) && apt-get install -y curl", file("/app/x"), "clash"),
        ("echo a > /app/x && apt-get install -y curl", file("/app/x"), "clash"),
        ("cd /src && apt-get install -y curl", tree("/src"), "clash"),
        ("apt-key add /keys/a.asc && apt-get install -y curl", file("/keys/a.asc"), "clash"),
        ("apt-get install -y curl && make", file("/app/x"), "clash"),
        ("apt-get install -y curl && sh -c 'cat x'", file("/app/y"), "clash"),
        ("for f in *.sh; do echo $f; done; apt-get install -y curl", file("/app/x.sh"), "clash"),
        ("--mount=type=bind,target=/app pip install flask", file("/app/x"), "clash"),
        ("npm ci", file("/app/server.js"), "clash"),
        ("npm ci --ignore-scripts", file("/app/package.json"), "clash"),
        ("npm ci --ignore-scripts", file("/app/server.js"), "doubt"),
        ("go mod download", file("/app/go.mod"), "clash"),
        ("go mod download", file("/app/main.go"), "free"),
    ],
)
def test_conflicts(run: str, area: Area, expected: str) -> None:
    assert verdict(run, area) == expected


@pytest.mark.parametrize(
    ("head", "run", "area", "expected"),
    [
        ("ENV PIP_CONSTRAINT=/app/c.txt", "pip install flask", file("/x"), "clash"),
        ("ENV VIRTUAL_ENV=/app/env", "pip install flask", tree("/app"), "clash"),
        ('ENV PATH="/app/.venv/bin:$PATH"', "pip install flask", tree("/app"), "clash"),
        ("ENV PYTHONPATH=/app", "pip install flask", tree("/app"), "clash"),
        ("ENV PYTHONPATH=/app", "pip install flask", file("/app/json.py"), "clash"),
        ("ENV PYTHONPATH=/app", "pip install flask", file("/app/README.md"), "free"),
        ("ENV HOME=/app", "pip install flask", tree("/app"), "clash"),
    ],
)
def test_the_environment_matters(head: str, run: str, area: Area, expected: str) -> None:
    assert verdict(run, area, f"FROM python:3.13-slim\n{head}\n") == expected


@pytest.mark.parametrize("head", ["ENV R=/\nWORKDIR $R/app", "WORKDIR //app", "ENV R=//\nWORKDIR ${R}app/"])
def test_doubled_slashes_are_one(head: str) -> None:
    found = verdict("go mod download", file("/app/go.mod"), f"FROM golang:1.22\n{head}\n")
    assert found == "clash"
