"""Which commands need compilers, headers and git."""

from __future__ import annotations

import pytest

from dockfix.facts.commands import Step, commands_of
from dockfix.facts.images import runtime_library
from dockfix.facts.model import Known
from dockfix.facts.packages import PackageCommand
from dockfix.facts.toolchain import builds, is_compiler, is_header_package, package_names, virtual_name
from dockfix.syntax.parser import parse


def step(text: str) -> Step:
    return commands_of(parse(f"FROM a\nRUN {text}\n").instructions[1], Known(("/bin/sh", "-c"))).steps[0]


def package(text: str) -> PackageCommand:
    found = step(text).package
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make -j2", True),
        ("/usr/bin/gcc-12 -c x.c", True),
        ("./configure", True),
        ("git clone https://example.org/x", True),
        ("python3 setup.py install", True),
        ("pip install uwsgi", True),
        ("npm ci", True),
        ("pip install --upgrade pip", False),
        ("gem install bundler", False),
        ("pip cache purge", False),
        ("apt-get install -y gcc", False),
        ("rm -rf /tmp/x", False),
        ("./rm -rf /tmp/x", None),
        ("./setup.sh", None),
        ("$TOOL", None),
        ("uv run x", None),
    ],
)
def test_builds(text: str, expected: bool | None) -> None:
    assert builds(step(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apt-get install -y gcc=4:12.2.0-3 g++:amd64 make/stable", ("gcc", "g++", "make")),
        ("apt-get install -y $DEPS", ("$DEPS",)),
        ("apt-get build-dep -y python3", ()),
        ("apk add --no-cache --virtual .deps gcc~=13 'musl-dev>1'", ("gcc", "musl-dev", ".deps")),
        ("apk del .deps", (".deps",)),
        ("dnf remove -y gcc", ("gcc",)),
    ],
)
def test_package_names(text: str, expected: tuple[str, ...]) -> None:
    assert package_names(package(text)) == expected


def test_only_apk_makes_virtual_packages() -> None:
    assert virtual_name(package("apk add -t .deps gcc")) == ".deps"
    assert virtual_name(package("apk add gcc")) is None
    assert virtual_name(package("apt-get install gcc")) is None


def test_compilers_and_headers() -> None:
    assert is_compiler("gcc-12")
    assert not is_compiler("make")
    assert is_header_package("libpq-dev")
    assert not is_header_package("gcc")


@pytest.mark.parametrize(
    ("name", "family", "image", "expected"),
    [
        ("libffi-dev", "debian", "python:3.13-slim-bookworm", "libffi8"),
        ("libffi-dev", "debian", "python:3.13-slim", None),
        ("libffi-dev", "ubuntu", "ubuntu:24.04", None),
        ("libpq-dev", "debian", "python:3.13-slim", "libpq5"),
        ("libpq-dev", "ubuntu", "ubuntu:24.04", "libpq5"),
        ("libc6-dev", "debian", "debian:13", ""),
        ("g++", "alpine", "alpine:3.20", "libstdc++"),
        ("cmake", "debian", "debian:12", None),
    ],
)
def test_a_library_is_returned_only_if_its_name_is_valid(
    name: str, family: str, image: str, expected: str | None
) -> None:
    assert runtime_library(name, family, image) == expected
