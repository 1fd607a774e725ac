"""What is released: the version, the wheel and the sdist, the zipapp, the image's Dockerfile."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

import dockfix
import supply_chain
from dockfix.rule.registry import load_registry

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FALLBACK = PYPROJECT["tool"]["hatch"]["version"]["fallback-version"]
UV = Path(sys.executable).parent / "uv"
# What a user sets for git, pip and the build would change what is built.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SETUPTOOLS_SCM", "SOURCE_DATE"))
}
Test = TypeVar("Test", bound=Callable[..., None])
BAD = "FROM alpine:3.20\nRUN apk update && apk add curl\n"


def released(test: Test) -> Test:
    """Mark a test that builds: requirements come from PyPI, and one process of pytest-xdist shares what is built."""
    marked: Test = pytest.mark.slow(pytest.mark.xdist_group("install")(test))
    return marked


def call(*command: str | Path, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**ENVIRONMENT, **more}, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, **more: str) -> dict[str, bytes]:
    """The wheel and the sdist of a source tree, by name."""
    call(UV, "build", "--quiet", "--no-config", "--out-dir", folder / "dist", cwd=folder, **more)
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir() if path.name != ".gitignore"}


def names(version: str) -> set[str]:
    return {f"dockfix-{version}.tar.gz", f"dockfix-{version}-py3-none-any.whl"}


# --- the version


def test_the_fallback_version_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dockfix._version", None)
    assert dockfix._written_version() == FALLBACK


def test_the_version_is_the_one_that_the_build_wrote() -> None:
    file = ROOT / "src/dockfix/_version.py"
    written = re.search(r"^__version__ = '(.*)'$", file.read_text(), re.M) if file.exists() else None
    assert dockfix.__version__ == (written[1] if written else FALLBACK)


# --- the Dockerfile


def test_the_own_dockerfile_has_no_finding_under_any_rule() -> None:
    rules = [f"--rule={name}" for name in load_registry().names]
    done = subprocess.run(
        [sys.executable, "-m", "dockfix", "check", *rules, "Dockerfile"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_hadolint_finds_nothing(require_tool: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert call(require_tool("hadolint"), "--no-color", "Dockerfile", cwd=ROOT) == ""


def test_the_build_context_has_what_the_build_needs() -> None:
    """`.dockerignore` lets in what pyproject.toml names, and nothing of the checkout that is not released."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    project, wheel = PYPROJECT["project"], PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = {package.partition("/")[0] for package in wheel["packages"]}
    assert allowed == {"pyproject.toml", project["readme"], *project["license-files"], *packages}


# --- builds


@pytest.fixture(scope="module")
def commit(tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], Path]) -> Path:
    """A repository with the files of this tree as one commit, so that what is not committed yet is tested, too."""
    git = require_tool("git")
    folder = tmp_path_factory.mktemp("commit")
    for name in call(git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    call(git, "init", "-q", cwd=folder)
    call(git, "add", "--all", cwd=folder)
    call(git, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "all", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def dists(commit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the sdist of version 1.2.3."""
    folder = tmp_path_factory.mktemp("dists") / "clone"
    call("git", "clone", "-q", commit, folder, cwd=commit)
    call("git", "tag", "v1.2.3", cwd=folder)
    assert set(build(folder)) == names("1.2.3")
    return folder / "dist"


@released
def test_two_builds_are_the_same(commit: Path, dists: Path, tmp_path: Path) -> None:
    again = tmp_path / "another-name"
    old = os.umask(0o077)
    try:
        call("git", "clone", "-q", commit, again, cwd=tmp_path)
    finally:
        os.umask(old)
    call("git", "tag", "v1.2.3", cwd=again)
    for path in again.rglob("*.py"):
        os.utime(path, (1, 1))
    assert build(again, TZ="Asia/Tokyo", LC_ALL="C") == {
        path.name: path.read_bytes() for path in dists.iterdir() if path.suffix in (".whl", ".gz")
    }


@released
def test_the_wheel_has_types_and_an_sbom(dists: Path, tmp_path: Path) -> None:
    (wheel,) = dists.glob("*.whl")
    assert {"dockfix/py.typed", "dockfix_codemods/py.typed"} <= set(zipfile.ZipFile(wheel).namelist())
    output = tmp_path / "sbom.json"
    assert supply_chain.sbom(wheel, output) == 0
    document = json.loads(output.read_text(encoding="utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    own = document["metadata"]["component"]
    assert (own["name"], own["version"]) == ("dockfix", "1.2.3")
    found = {supply_chain.normal(each["name"]): each["version"] for each in document["components"]}
    assert found.keys() == supply_chain.dependencies("dockfix").keys() - {"dockfix"}
    locked = dict(line.split(" ")[0].split("==") for line in supply_chain.LOCK.read_text().splitlines())
    assert found == {name: locked[name] for name in found}
    assert str(tmp_path) not in output.read_text(encoding="utf-8")
    assert "file:" not in output.read_text(encoding="utf-8")


@released
def test_a_tree_without_tags_or_git_has_a_version(commit: Path, tmp_path: Path) -> None:
    untagged = tmp_path / "untagged"
    call("git", "clone", "-q", "--depth=1", f"file://{commit}", untagged, cwd=tmp_path)
    assert set(build(untagged)) == names("0.1.0.dev1")
    shutil.rmtree(untagged / ".git")
    shutil.rmtree(untagged / "dist")
    (untagged / "src/dockfix/_version.py").unlink()
    assert set(build(untagged)) == names(FALLBACK)
    assert names("3.2.1") <= set(build(untagged, SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DOCKFIX="3.2.1"))


def install(folder: Path, source: Path) -> Path:
    """The folder of programs of an environment with dockfix installed from `source`."""
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    call(UV, "pip", "install", "--quiet", "--python", programs / "python", source, cwd=folder)
    return programs


def smoke(*program: str | Path, folder: Path, version: str) -> None:
    """Assert that an installed dockfix works: its version, its packs, a run in one process and in several."""
    assert call(*program, "--version", cwd=folder) == f"dockfix {version}\n"
    assert [line.split()[0] for line in call(*program, "rules", cwd=folder).splitlines()] == list(load_registry().names)
    project = folder / "project"
    project.mkdir()
    for number in range(45):  # enough for several processes
        (project / f"{number}.Dockerfile").write_text(BAD)
    call(*program, "apply", "--jobs", "2", ".", cwd=project)
    assert {path.read_text() for path in project.iterdir()} == {"FROM alpine:3.20\nRUN apk add --no-cache curl\n"}
    assert call(*program, "explain", "apk-cache", cwd=project).startswith("apk-cache: ")


@released
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_the_wheel_and_the_sdist_install(dists: Path, tmp_path: Path, kind: str) -> None:
    (source,) = dists.glob(kind)
    smoke(install(tmp_path / "venv", source) / "dockfix", folder=tmp_path, version="1.2.3")


@released
def test_uvx(dists: Path, tmp_path: Path) -> None:
    (wheel,) = dists.glob("*.whl")
    smoke(UV, "tool", "run", "--quiet", "--from", wheel, "dockfix", folder=tmp_path, version="1.2.3")


@released
def test_the_zipapp(dists: Path, tmp_path: Path) -> None:
    """One file with the dependencies, and entry points that are found inside it."""
    (wheel,) = dists.glob("*.whl")
    recipe = re.search(r"^zipapp: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert recipe
    (tmp_path / "dist").mkdir()
    shutil.copy(wheel, tmp_path / "dist")
    command = recipe[1].replace("$(BIN)", str(Path(sys.executable).parent)).replace("$$", "$").replace("\\\n", "")
    call("sh", "-c", command, cwd=tmp_path)
    alone = tmp_path / "elsewhere" / "dockfix"
    alone.parent.mkdir()
    shutil.move(tmp_path / "dist/dockfix.pyz", alone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, "SHIV_ROOT", str(tmp_path / "unpacked"))
        smoke(sys.executable, alone, folder=tmp_path, version="1.2.3")
