"""The pre-commit hooks: their commands, and the files that pre-commit passes to them."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dockfix.project.discovery import is_dockerfile_name

HOOKS = YAML(typ="safe").load(Path(__file__).resolve().parent.parent / ".pre-commit-hooks.yaml")
FILES = {hook["id"]: (re.compile(hook["files"]), re.compile(hook["exclude"])) for hook in HOOKS}


def is_given(hook: str, path: str) -> bool:
    """Whether pre-commit passes a file to a hook: `files` matches, and `exclude` does not."""
    files, exclude = FILES[hook]
    return files.search(path) is not None and exclude.search(path) is None


def test_the_hooks_and_what_they_run() -> None:
    assert {hook["id"]: hook["entry"] for hook in HOOKS} == {
        "dockfix": "dockfix apply --force-exclude",
        "dockfix-check": "dockfix check --force-exclude",
        "dockfix-diff": "dockfix apply --diff --force-exclude",
    }


@pytest.mark.parametrize("hook", FILES)
@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile",
        "docker/api/Dockerfile",
        "dockerfile",
        "Dockerfile.dev",
        "api.Dockerfile",
        "a/api.dockerfile",
        "Containerfile.ci",
    ],
)
def test_a_dockerfile_is_given_to_the_hook(hook: str, path: str) -> None:
    assert is_given(hook, path)
    assert is_dockerfile_name(Path(path).name)


@pytest.mark.parametrize("hook", FILES)
@pytest.mark.parametrize(
    "path",
    [
        *("Dockerfile.dockerignore", "a/api.Dockerfile.dockerignore", "Containerfile.containerignore", ".dockerignore"),
        *("Dockerfile/README.md", "MyDockerfile", "docs/dockerfiles.md", "Dockerfile.j2", "Dockerfile.ORIG"),
    ],
)
def test_another_file_is_not_given_to_the_hook(hook: str, path: str) -> None:
    assert not is_given(hook, path)
    assert not is_dockerfile_name(Path(path).name)
