"""What an install from a manifest needs of the context."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.facts.model import Refused
from dockfix.facts.packages import PackageCommand, recognise
from dockfix.project.context import Context
from dockfix.project.files import Snapshot
from dockfix.project.ignore import read_ignore
from dockfix.project.installs import Needs, builds_project, install_needs
from dockfix.project.manifests import local_sources
from dockfix.syntax.shell import parse_shell


def command(text: str) -> PackageCommand:
    found = recognise(parse_shell(text).commands[0].words)
    assert found is not None
    return found


def needs(root: Path, text: str, files: dict[str, str]) -> Needs:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return install_needs(command(text), Context(root, root, read_ignore(root, root / "Dockerfile", Snapshot(root))))


IGNORE = {".dockerignore": "node_modules\nvendor\n.venv\n"}
CONDA = "channels: [conda-forge]\ndependencies:\n  - python=3.12\n  - pip:\n    - {}\n"
NESTED = {".dockerignore": "**/node_modules\n"}
MEMBER = {**NESTED, "package.json": "{}", "pnpm-workspace.yaml": "packages: [a]\n", "a/package.json": '{"name": "a"}'}


@pytest.mark.parametrize(
    ("text", "files", "paths"),
    [
        (
            "npm ci",
            {"package.json": "{}", "package-lock.json": "{}", "a.js": ""},
            ("package.json", "package-lock.json"),
        ),
        ("npm ci", {"package.json": "{}", ".npmrc": ""}, ("package.json", ".npmrc")),
        ("pip install -r r/a.txt", {"r/a.txt": "-r b.txt", "r/b.txt": "x"}, ("r/a.txt", "r/b.txt")),
        ("uv pip install -r a.txt", {"a.txt": "x", "uv.toml": ""}, ("a.txt", "uv.toml")),
        ("uv sync --no-install-project", {"pyproject.toml": "", "uv.lock": ""}, ("pyproject.toml", "uv.lock")),
        ("poetry install --no-root", {"pyproject.toml": "", "README.md": ""}, ("pyproject.toml",)),
        ("go mod download", {"go.mod": "", "go.sum": ""}, ("go.mod", "go.sum")),
        ("bundle install", {"Gemfile": "gem 'x'", "Gemfile.lock": ""}, ("Gemfile", "Gemfile.lock")),
        ("composer install --no-scripts", {"composer.json": "{}"}, ("composer.json",)),
        ("dotnet restore", {"a.csproj": "<Project/>"}, ("a.csproj",)),
        (
            "npm ci",
            {**NESTED, "package.json": '{"workspaces": ["a"]}', "a/package.json": '{"name": "a"}'},
            ("package.json", "a/package.json"),
        ),
        (
            "pnpm install",
            {"package.json": '{"workspaces": ["a"]}', "a/package.json": "{}"},
            ("package.json",),
        ),
        ("uv sync --frozen --no-install-workspace", {"pyproject.toml": "[tool.uv.workspace]"}, ("pyproject.toml",)),
        (
            "conda env create -f e/x.yml",
            {"e/x.yml": CONDA.format("-r a.txt"), "e/a.txt": "-r b.txt", "e/b.txt": "flask"},
            ("e/a.txt", "e/b.txt", "e/x.yml"),
        ),
        ("conda env create -f x.yml", {"x.yml": CONDA.format("flask==3"), "a.txt": ""}, ("x.yml",)),
        ("mamba env update -f x.yml", {"x.yml": "name: x\n"}, ("x.yml",)),
    ],
)
def test_paths(tmp_path: Path, text: str, files: dict[str, str], paths: tuple[str, ...]) -> None:
    found = needs(tmp_path, text, {**IGNORE, **files})
    assert found.paths == paths
    assert found.review


@pytest.mark.parametrize(
    ("text", "files", "word"),
    [
        ("npm ci", {}, "package.json"),
        ("conda env create -f x.yml", {"x.yml": CONDA.format("-e .")}, "local paths"),
        ("conda env create -f x.yml", {"x.yml": CONDA.format("--find-links wheels")}, "local paths"),
        ("conda env create -f x.yml", {"x.yml": "dependencies: [./a.conda]"}, "names a file"),
        ("conda env create -f x.yml", {"x.yml": "channels: [./channel]"}, "in a folder"),
        ("conda env create -f x.yml", {"x.yml": CONDA.format("-r a.txt")}, "a.txt is not in the context"),
        ("pip install -r a.txt", {"a.txt": "--no-index --find-links=./wheels\nflask"}, "local paths"),
        (
            "uv sync --frozen --no-install-workspace",
            {"pyproject.toml": "[tool.uv.workspace]\n[tool.uv.sources]\nlib = {path = 'lib'}"},
            "takes lib from a folder",
        ),
        (
            "uv sync --frozen --no-install-workspace",
            {"pyproject.toml": "[tool.uv.sources]\nlib = {path = 'lib'}"},
            "takes lib from a folder",
        ),
        ("npm ci", {"package.json": "["}, "not valid"),
        ("npm ci", {"package.json": "{}", "lerna.json": ""}, "lerna"),
        ("npm ci --prefix web", {"package.json": "{}"}, "another directory"),
        ("npm ci", {"package.json": "{}", ".dockerignore": "node_modules\npackage.json\n"}, "excludes package.json"),
        ("npm ci", {"package.json": "{}", ".dockerignore": ""}, "node_modules"),
        ("pip install -r a.txt", {}, "a.txt"),
        ("pip install -r a.txt", {"a.txt": "-r ../b.txt"}, "outside"),
        ("pip install -r a.txt", {"a.txt": "-e ."}, "local paths"),
        ("pip install .", {"pyproject.toml": ""}, "the project itself"),
        ("uv sync", {"pyproject.toml": ""}, "the project itself"),
        ("uv sync --no-install-project", {"pyproject.toml": "[tool.uv.workspace]\nmembers = []"}, "workspace"),
        ("uv sync --no-install-project", {"pyproject.toml": "["}, "not valid"),
        ("go mod download", {"go.mod": "module x", "vendor/x/x.go": ""}, "vendor"),
        ("dotnet restore", {"a.csproj": "", "a.sln": ""}, "solution"),
        ("gradle dependencies", {"build.gradle": "", "buildSrc/b.gradle": ""}, "several builds"),
        ("pnpm install", {**MEMBER, ".npmrc": "inject-workspace-packages=true\n"}, "copies the workspaces' files"),
        ("pnpm install", {**MEMBER, ".npmrc": "shared-workspace-lockfile = false\n"}, "its own lockfile"),
        ("pnpm install", {**MEMBER, "a/package.json": '{"dependenciesMeta": {"b": {"injected": true}}}'}, "copies"),
        ("pnpm install", {**MEMBER, "a/package.json": "["}, "a/package.json is not valid"),
        ("pnpm install", {**MEMBER, "a/package.json": '{"dependencies": {"b": "workspace:*"}}'}, "b is a dependency"),
        ("pnpm install", {**MEMBER, "a/package.json": '{"dependencies": {"b": "link:../b"}}'}, "b is a dependency"),
        ("pnpm install", {**MEMBER, "a/package.json": '{"directories": {"bin": "x"}}'}, "has a bin"),
        ("pnpm install", {**MEMBER, "pnpm-workspace.yaml": "packages: ["}, "not valid YAML"),
        ("npm ci", {"package.json": '{"dependencies": {"@prisma/client": "6"}}'}, "prisma"),
        (
            "yarn workspaces focus a",
            {**NESTED, "package.json": '{"workspaces": ["a"]}', "a/package.json": "{}"},
            "some of",
        ),
        ("cargo chef cook", {"Cargo.toml": ""}, "sources of every target"),
    ],
)
def test_refusals(tmp_path: Path, text: str, files: dict[str, str], word: str) -> None:
    with pytest.raises(Refused) as refusal:
        needs(tmp_path, text, {**IGNORE, **files})
    assert word in refusal.value.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install .", True),
        ("pip install -e .", True),
        ("pip install -r a.txt", False),
        ("uv sync --no-install-project", False),
        ("uv sync", True),
        ("poetry install", True),
        ("poetry install --no-root", False),
        ("pdm sync --no-self", False),
        ("npm ci", False),
    ],
)
def test_builds_project(text: str, expected: bool) -> None:
    assert builds_project(command(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("[", None),
        ('[tool.uv.sources]\nlib = {path = "lib"}\nx = {git = "y"}', ("lib",)),
        ('[tool.poetry.group.dev.dependencies]\nlib = {path = "lib"}', ("lib",)),
        ('[project]\ndependencies = ["lib @ file:///lib"]', ("lib",)),
    ],
)
def test_local_sources(text: str, expected: tuple[str, ...] | None) -> None:
    assert local_sources(text) == expected
