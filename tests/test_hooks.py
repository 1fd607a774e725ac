"""The pre-commit hooks: which files they are given."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

HOOKS = YAML(typ="safe").load(Path(__file__).resolve().parent.parent / ".pre-commit-hooks.yaml")
FILES = {hook["id"]: re.compile(hook["files"]) for hook in HOOKS}


def test_the_hooks_and_what_they_run() -> None:
    assert {hook["id"]: hook["entry"] for hook in HOOKS} == {
        "dockfix": "dockfix apply",
        "dockfix-check": "dockfix check",
        "dockfix-diff": "dockfix apply --diff",
    }


@pytest.mark.parametrize("hook", FILES)
@pytest.mark.parametrize(
    "path",
    ["Dockerfile", "docker/api/Dockerfile", "Dockerfile.dev", "api.Dockerfile", "a/api.dockerfile", "Containerfile.ci"],
)
def test_a_dockerfile_is_given_to_the_hook(hook: str, path: str) -> None:
    assert FILES[hook].search(path)


@pytest.mark.parametrize("hook", FILES)
@pytest.mark.parametrize(
    "path",
    [
        *("Dockerfile.dockerignore", "a/api.Dockerfile.dockerignore", "Containerfile.containerignore", ".dockerignore"),
        *("Dockerfile/README.md", "MyDockerfile", "docs/dockerfiles.md"),
    ],
)
def test_another_file_is_not_given_to_the_hook(hook: str, path: str) -> None:
    assert not FILES[hook].search(path)
