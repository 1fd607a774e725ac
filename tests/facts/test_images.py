"""What base images contain."""

from __future__ import annotations

import pytest

from dockfix.facts.images import (
    BaseImage,
    ImageRef,
    base_image,
    build_only,
    is_implicitly_read,
    parse_image_ref,
    runtime_library,
)
from dockfix.facts.model import Known
from dockfix.facts.tables.images import DISTROS, IMAGES


def image(ref: str) -> BaseImage:
    found = base_image(ref)
    assert found is not None, ref
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python:3.12-slim", ImageRef("docker.io", "library/python", "3.12-slim", None)),
        ("docker.io/library/node", ImageRef("docker.io", "library/node", None, None)),
        ("localhost:5000/a/b:1", ImageRef("localhost:5000", "a/b", "1", None)),
        ("a/b@sha256:" + "0" * 64, ImageRef("docker.io", "a/b", None, "sha256:" + "0" * 64)),
        ("Upper", None),
        ("a:b:c", None),
        ("$BASE", None),
        ("", None),
        ("a@sha256:12", None),
    ],
)
def test_parse_image_ref(text: str, expected: ImageRef | None) -> None:
    assert parse_image_ref(text) == expected


@pytest.mark.parametrize(
    ("ref", "family", "manager", "sh"),
    [
        ("debian:bookworm-slim", "debian", "apt", "dash"),
        ("ubuntu:24.04", "ubuntu", "apt", "dash"),
        ("alpine", "alpine", "apk", "ash"),
        ("python:3.12", "debian", "apt", "dash"),
        ("python:3.12-alpine3.19", "alpine", "apk", "ash"),
        ("public.ecr.aws/docker/library/python:3.12-slim", "debian", "apt", "dash"),
        ("node:20-alpine", "alpine", "apk", "ash"),
        ("rockylinux:9", "rhel", "dnf", "bash"),
        ("registry.access.redhat.com/ubi9/ubi-minimal", "rhel", "microdnf", "bash"),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "debian", "apt", "dash"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0-alpine", "alpine", "apk", "ash"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "ubuntu", "apt", "dash"),
        ("nvidia/cuda:12.4.1-runtime-rockylinux9", "rhel", "dnf", "bash"),
        ("gcr.io/distroless/python3-debian12", "distroless", None, None),
        ("ghcr.io/astral-sh/uv:0.5", "scratch", None, None),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "debian", "apt", "dash"),
        ("scratch", "scratch", None, None),
    ],
)
def test_families(ref: str, family: str, manager: str | None, sh: str | None) -> None:
    found = image(ref)
    assert (found.family, found.package_manager, found.sh) == (family, manager, sh)


@pytest.mark.parametrize("ref", ["acme/own:1", "$BASE", "pythonx", "python@sha256:" + "0" * 64, "ghcr.io/python"])
def test_unknown_images_are_unknown(ref: str) -> None:
    assert base_image(ref) is None


def test_tools() -> None:
    assert {"pgrep", "curl", "wget"} <= image("python:3.12-slim").lacks
    assert {"pgrep", "curl", "git"} <= image("python:3.12").tools
    assert "python" in image("python:3.12-slim").tools
    assert "bash" in image("debian:12").tools
    assert {"bash", "curl"} <= image("python:3.12-alpine").lacks
    assert {"wget", "pgrep"} <= image("alpine").tools
    assert "curl" not in image("nginx").lacks | image("nginx").tools
    for name in IMAGES:
        found = base_image(name.replace("/*", "/x"))
        if found is not None:
            assert not found.tools & found.lacks


def test_users_and_shells() -> None:
    assert image("python:3.12").user == Known("root")
    assert image("bitnami/redis").user == Known("1001")
    assert image("jupyter/base-notebook").home == "/home/jovyan"
    assert image("jupyter/base-notebook").default_shell[0] == "/bin/bash"
    assert image("gcr.io/distroless/static:nonroot").user == Known("65532")
    assert image("mcr.microsoft.com/dotnet/aspnet:8.0-jammy-chiseled").user == Known("1654")
    assert 1000 in image("node:20").taken_ids
    assert 1000 in image("ubuntu:24.04").taken_ids
    assert 1000 not in image("ubuntu:22.04").taken_ids
    assert image("mcr.microsoft.com/windows/servercore:ltsc2022").default_shell == ("cmd", "/S", "/C")


def test_environment() -> None:
    assert image("golang:1.23").env["GOPATH"] == "/go"
    assert "PG_MAJOR" in image("postgres:15").sets_env
    assert image("debian:12").sets_env_complete
    assert image("debian:12").sets_env == {"PATH"}
    assert not image("postgres:15").sets_env_complete


def test_a_configuration_adds_images() -> None:
    extra = {"acme/base": "python:3.12-slim", "acme/round": "acme/round"}
    found = base_image("acme/base:7", extra)
    assert found is not None
    assert "python" in found.tools
    assert base_image("acme/round", extra) is None
    # an image that is based on another may set its own WORKDIR and ENV
    assert found.workdir == ""
    assert not found.sets_env_complete
    assert base_image("acme/own", {"acme/own": found}) is found


def test_every_row_names_a_distribution_and_a_source() -> None:
    for name, row in IMAGES.items():
        assert row.source, name
        assert {distro for _, distro in row.variants} <= DISTROS.keys(), name


@pytest.mark.parametrize(
    ("package", "family", "expected"),
    [
        ("gcc", "debian", True),
        ("gcc-12", "debian", True),
        ("libpq-dev=15.1", "debian", True),
        ("build-essential", "ubuntu", True),
        ("libpq5", "debian", False),
        ("curl", "debian", False),
        ("build-base", "alpine", True),
        ("openssl-dev", "alpine", True),
        ("openssl-devel", "rhel", True),
        ("gcc", "windows", False),
    ],
)
def test_build_only(package: str, family: str, *, expected: bool) -> None:
    assert build_only(package, family) is expected


def test_runtime_library() -> None:
    assert runtime_library("libpq-dev", "debian") == "libpq5"
    assert runtime_library("libffi-dev", "debian") == "libffi8"
    assert runtime_library("postgresql-dev", "alpine") == "libpq"
    assert runtime_library("libunheard-dev", "debian") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DEBIAN_FRONTEND", True),
        ("http_proxy", True),
        ("PIP_INDEX_URL", True),
        ("MY_INDEX_URL", True),
        ("npm_config_registry", True),
        ("CFLAGS", True),
        ("GIT_SSH_COMMAND", True),
        ("CARGO_BUILD_JOBS", True),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", True),
        ("UV_INDEX_INTERNAL_PASSWORD", True),
        ("PIP_VERSION", True),
        ("GIT_SHA", False),
        ("GIT_COMMIT", False),
        ("GIT_TAG", False),
        ("CARGO_BUILD_FLAGS", False),
        ("UV_VERSION", False),
        ("PYTHON_VERSION", False),
        ("MAVEN_VERSION", False),
        ("YARN_VERSION", False),
        ("GPG_KEY", False),
        ("APT_MIRROR", False),
        ("BASE_IMAGE_REGISTRY", False),
        ("APP_VERSION", False),
        ("POSTGRES_DB", False),
    ],
)
def test_is_silently_read(name: str, *, expected: bool) -> None:
    assert is_implicitly_read(name) is expected
