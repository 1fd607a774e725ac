"""What `cache-mount` says is lost without a mount: only what a step downloads or compiles again in fact."""

from __future__ import annotations

import pytest

from dockfix.engine.project import findings
from dockfix.project.target import target_from_text
from dockfix_codemods.cache_mount import CODEMOD

_DOWNLOADED = "packages are downloaded again whenever the step runs"
_LAYERED = "packages are downloaded again unless an earlier layer has them"
_COMPILED = "packages are compiled again whenever the step runs"
_DOTNET = "FROM mcr.microsoft.com/dotnet/sdk:8.0"
_GO = "FROM golang:1.24"
_NODE = "FROM node:22"
_UV = "FROM ghcr.io/astral-sh/uv:python3.13-bookworm-slim"
_GO_MOUNT = "RUN --mount=type=cache,target=/go/pkg/mod"
_PYTHON = "FROM python:3.13-slim"


def _messages(*lines: str) -> list[str]:
    """What the rule says of each RUN that lacks a mount, with its line, without the findings on existing mounts."""
    found, defects = findings(target_from_text("\n".join(("# syntax=docker/dockerfile:1", *lines, ""))), [CODEMOD])
    assert not defects
    return [f"{each.line}: {each.finding.message}" for each in found if " no cache mount" in each.finding.message]


class TestWhatAnEarlierLayerHas:
    @pytest.mark.parametrize(
        ("base", "first", "second", "program"),
        [
            (_DOTNET, "dotnet restore", "dotnet publish -o /app", "dotnet"),
            ("FROM gradle:8", "gradle dependencies", "gradle installDist", "gradle"),
            ("FROM maven:3", "mvn -B dependency:go-offline", "mvn -B package", "mvn"),
            ("FROM rust:1.85", "cargo build --release", "cargo build --release", "cargo"),
            ("FROM rust:1.85", "cargo fetch", "cargo build --release", "cargo"),
            (_NODE, "npm ci", "npm ci --omit=dev", "npm"),
            (_UV, "uv sync --no-install-project", "uv sync", "uv"),
            (_PYTHON, "pip install -r requirements.txt", "pip install .", "pip"),
        ],
    )
    def test_it_is_not_downloaded_again(self, base: str, first: str, second: str, program: str) -> None:
        assert _messages(base, f"RUN {first}", "COPY . .", f"RUN {second}") == [
            f"3: {_DOWNLOADED}: `{program}` has no cache mount",
            f"5: {_LAYERED}: `{program}` has no cache mount",
        ]

    def test_the_layer_may_be_that_of_a_stage_below(self) -> None:
        lines = (f"{_DOTNET} AS restored", "RUN dotnet restore", "FROM restored AS build", "RUN dotnet publish")
        assert _messages(*lines)[1] == f"5: {_LAYERED}: `dotnet` has no cache mount"

    def test_a_stage_that_is_not_below_gives_nothing(self) -> None:
        lines = (f"{_DOTNET} AS restored", "RUN dotnet restore", _DOTNET, "RUN dotnet publish")
        assert _messages(*lines)[1] == f"5: {_DOWNLOADED}: `dotnet` has no cache mount"

    def test_a_copied_store_counts(self) -> None:
        lines = (f"{_DOTNET} AS a", "RUN dotnet restore", _DOTNET, "COPY --from=a /root/.nuget /root/.nuget")
        assert _messages(*lines, "RUN dotnet publish")[1] == f"6: {_LAYERED}: `dotnet` has no cache mount"

    @pytest.mark.parametrize(
        "first",
        [
            "RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore",
            "RUN dotnet restore && rm -rf /root/.nuget/packages",
            "RUN dotnet restore --packages /elsewhere",
            "RUN dotnet restore\nRUN rm -rf /root/.nuget",
            "RUN dotnet --info",
        ],
    )
    def test_a_cache_that_is_mounted_removed_or_elsewhere_gives_nothing(self, first: str) -> None:
        found = _messages(_DOTNET, first, "RUN dotnet publish")
        assert found[-1].partition(" ")[2] == f"{_DOWNLOADED}: `dotnet` has no cache mount"

    def test_packages_that_are_named_are_others(self) -> None:
        assert _messages(_PYTHON, "RUN pip install wheel", "RUN pip install httpx") == [
            f"{line}: {_DOWNLOADED}: `pip` has no cache mount" for line in (3, 4)
        ]

    def test_packages_of_the_system_are_named_though_by_a_variable(self) -> None:
        run = "RUN apt-get update && apt-get install -y --no-install-recommends"
        lines = ("FROM debian:12", "ARG A", "ARG B", f"{run} $A", f"{run} $B")
        assert _messages(*lines) == [f"{line}: {_DOWNLOADED}: `apt-get` has no cache mount" for line in (5, 6)]

    def test_what_is_installed_is_in_the_layer_although_the_cache_is_not(self) -> None:
        first = "RUN --mount=type=cache,target=/root/.cache/uv uv sync --no-install-project"
        assert _messages(_UV, first, "RUN uv sync") == [f"4: {_LAYERED}: `uv` has no cache mount"]


class TestWhatIsLost:
    @pytest.mark.parametrize(
        ("base", "run", "expected"),
        [
            (_GO, f"{_GO_MOUNT} go build .", f"{_COMPILED}: `go` has no cache mount at `/root/.cache/go-build`"),
            (_GO, "RUN go build -mod=vendor .", f"{_COMPILED}: `go` has no cache mount"),
            (
                _GO,
                "RUN --mount=type=cache,target=/root/.cache/go-build go build .",
                f"{_DOWNLOADED}: `go` has no cache mount at `/go/pkg/mod`",
            ),
            (
                "FROM rust:1.85",
                "RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build",
                "git dependencies are downloaded again whenever the step runs:"
                " `cargo` has no cache mount at `/usr/local/cargo/git/db`",
            ),
            (
                "FROM debian:12",
                "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked"
                " rm -f /etc/apt/apt.conf.d/docker-clean; apt-get update && apt-get install -y curl",
                "package lists are downloaded again whenever the step runs:"
                " `apt-get` has no cache mount at `/var/lib/apt`",
            ),
        ],
    )
    def test_is_what_the_missing_directory_holds(self, base: str, run: str, expected: str) -> None:
        assert _messages(base, run) == [f"3: {expected}"]

    def test_go_compiles_again_what_an_earlier_layer_has_only_as_source(self) -> None:
        assert _messages(_GO, "RUN go mod download", "RUN go build .", "RUN go test ./...") == [
            f"3: {_DOWNLOADED}: `go` has no cache mount",
            f"4: {_COMPILED}: `go` has no cache mount",
            f"5: {_LAYERED}: `go` has no cache mount",
        ]


class TestOffline:
    @pytest.mark.parametrize(
        ("base", "command", "program"),
        [
            (_DOTNET, "dotnet publish --no-restore", "dotnet"),
            (_NODE, "npm ci --offline", "npm"),
            ("FROM maven:3", "mvn --offline package", "mvn"),
        ],
    )
    def test_nothing_is_downloaded(self, base: str, command: str, program: str) -> None:
        assert _messages(base, f"RUN {command}") == [
            f"3: `{program}` works offline and has no cache mount: it finds only packages of earlier layers"
        ]

    def test_go_still_compiles(self) -> None:
        found = _messages(_GO, "ENV GOPROXY=off", "RUN go build .")
        assert found == [f"4: {_COMPILED}: `go` has no cache mount"]

    @pytest.mark.parametrize(
        "command", ["pip install --no-index --find-links=/wheels httpx", "pip install --no-deps /wheels/a.whl b.whl"]
    )
    def test_pip_without_an_index_needs_no_mount(self, command: str) -> None:
        assert _messages(_PYTHON, f"RUN {command}") == []
