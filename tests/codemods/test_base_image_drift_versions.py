"""The version of an image reference."""

from __future__ import annotations

import pytest

from dockfix_codemods.base_image_drift.versions import ImageVersion, image_version, names_version, version_key

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "family", "version", "shown"),
    [
        ("python:3.13-slim", "python", "3.13", "3.13-slim"),
        ("docker.io/library/python:3.13", "python", "3.13", "3.13"),
        ("public.ecr.aws/docker/library/python:3.13", "python", "3.13", "3.13"),
        ("ghcr.io/org/app:v1.2.3", "ghcr.io/org/app", "1.2.3", "v1.2.3"),
        ("localhost:5000/app:2", "localhost:5000/app", "2", "2"),
        ("debian:bookworm-20240612-slim", "debian", "12", "bookworm-20240612-slim"),
        ("ubuntu:jammy", "ubuntu", "22.04", "jammy"),
        ("node:lts-alpine", "node", "lts", "lts-alpine"),
        ("node:bookworm-slim", "node", "latest", "bookworm-slim"),
        ("python:alpine3.20", "python", "latest", "alpine3.20"),
        ("python", "python", "latest", "no tag"),
        (f"python@{DIGEST}", "python", "", ""),
    ],
)
def test_the_version_of_a_reference(reference: str, family: str, version: str, shown: str) -> None:
    found = image_version(reference)
    assert found is not None
    assert (found.family, found.version, found.shown) == (family, version, shown)
    assert found.digest == (DIGEST if "@" in reference else "")


@pytest.mark.parametrize("reference", ["python:$TAG", "Python", "gcr.io/org/tools:protoc"])
def test_what_has_no_version(reference: str) -> None:
    assert image_version(reference) is None


@pytest.mark.parametrize(
    ("text", "version", "shown", "named"),
    [
        ("3.11/Dockerfile", "3.11", "3.11-slim", True),
        ("docker/py311/Dockerfile", "3.11", "3.11", True),
        ("13.11/Dockerfile", "3.11", "3.11", False),
        ("3.11.4/Dockerfile", "3.11", "3.11", False),
        ("node20/Dockerfile", "20.11.1", "20.11.1", True),
        ("v3/Dockerfile", "3.11", "3.11", False),
        ("Dockerfile.bookworm", "12", "bookworm-slim", True),
        ("latest/Dockerfile", "latest", "latest", False),
        ("api/Dockerfile", "3.11", "3.11", False),
    ],
)
def test_a_path_that_names_the_version(text: str, version: str, shown: str, named: bool) -> None:
    assert names_version(text, ImageVersion("python", version, shown, "")) is named


def test_versions_sort_by_their_numbers() -> None:
    assert sorted(["3.9", "3.13", "latest", "3.13.1"], key=version_key) == ["latest", "3.9", "3.13", "3.13.1"]
