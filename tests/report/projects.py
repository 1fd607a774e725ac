"""Reports on small projects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockfix.engine import session
from dockfix.engine.settings import Settings
from dockfix.report.collect import report_of
from dockfix.report.model import FileReport, Report
from dockfix.rule.registry import load_registry

# What must not be taken for markup, a script, a command of a terminal, a link or a mention.
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'}--> {{ 7*7 }} `x` [a](http://b) @c \x1b[31m\u202e"

PROJECT = {
    "Dockerfile": (
        "FROM golang:1.23@sha256:" + "1" * 64 + " AS build\n"
        "WORKDIR /src\n"
        "COPY go.mod go.sum ./\n"
        "RUN go mod download\n"
        "COPY . .\n"
        "RUN go build -o /app .\n"
        "\n"
        "FROM debian:12@sha256:" + "2" * 64 + "\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \\\n"
        "  && rm -rf /var/lib/apt/lists/*\n"
        "RUN useradd -u 10001 app\n"
        "COPY --from=build --chown=10001 /app /usr/local/bin/app\n"
        "USER 10001\n"
        'HEALTHCHECK CMD ["/usr/local/bin/app", "check"]\n'
        'CMD ["/usr/local/bin/app"]\n'
    ),
    "go.mod": "module example.org/app\n",
    "go.sum": "\n",
    "main.go": "package main\n",
    "compose.yaml": (
        "services:\n"
        "  web:\n"
        "    build: .\n"
        "    depends_on:\n"
        "      db:\n"
        "        condition: service_healthy\n"
        "  db:\n"
        "    image: postgres:16\n"
        "    depends_on: [init]\n"
        "  init:\n"
        "    image: busybox:1.36\n"
    ),
}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder


def report(folder: Path, settings: Settings | None = None, *, earlier: Mapping[str, Any] | None = None) -> Report:
    registry = load_registry()
    chosen = settings or Settings()
    found = session.check_paths((folder,), chosen, root=folder, registry=registry)
    fixed = session.run_paths((folder,), chosen, root=folder, registry=registry, write=False)
    names = [rule.name for rule in registry.select(chosen.select)]
    return report_of([found], [fixed], registry, names, earlier=earlier)


def only(folder: Path, text: str) -> FileReport:
    """The report on a project of one Dockerfile."""
    return report(write(folder, {"Dockerfile": text})).files[0]
