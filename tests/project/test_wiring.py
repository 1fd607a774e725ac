"""Which builds supply which named contexts, and which folders they may mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dockfix.facts.stages import context_key
from dockfix.project import wiring
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, Target, load_project, target_for

DOCKERFILE = "FROM scratch\nCOPY --from=lib . /lib\n"


def project(root: Path, files: Mapping[str, str]) -> Target:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return target_for(load_project(root), read_file(root / "Dockerfile", root=root), BuildOptions())


def compose(value: str, folder: str = "..") -> str:
    return f"services:\n  a:\n    build:\n      context: {folder}\n      additional_contexts:\n        lib: {value}\n"


@pytest.mark.parametrize(
    ("value", "folders", "found"),
    [
        ("./lib", ["lib"], ("../lib",)),
        ("./src/lib", ["src/lib"], ("../src/lib",)),
        ("../../lib", ["lib"], ("../lib",)),
        ("../../lib", ["deploy/lib"], ("./lib",)),
        ("../../x/lib", ["lib"], ()),
        ("./x/lib", ["lib"], ("../lib",)),
        ("./lib", ["lib", "deploy/deeper/lib"], ("../lib",)),
        ("./x/lib", ["lib", "deploy/lib"], ("./lib", "../lib")),
        ("./lib", [], ()),
        ("..", ["lib"], ()),
        ("/lib", ["lib"], ()),
    ],
)
def test_folders_that_may_be_meant(tmp_path: Path, value: str, folders: list[str], found: tuple[str, ...]) -> None:
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "deploy/compose.yaml": compose(value)})
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    build = target.builds[0]
    candidates = wiring.folder_candidates(target.project, build, build.additional_contexts["lib"], ["."])
    assert tuple(wiring.folder_as_written(build, each) for each in candidates) == found


def test_a_folder_must_hold_what_is_copied(tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE, "deploy/compose.yaml": compose("./lib"), "lib/a.py": ""}
    target = project(tmp_path, files)
    build = target.builds[0]
    given = build.additional_contexts["lib"]
    assert wiring.folder_candidates(target.project, build, given, ["*.py"])
    assert not wiring.folder_candidates(target.project, build, given, ["*.py", "b.txt"])
    assert not wiring.folder_candidates(target.project, build, given, ["../lib"])


@pytest.mark.parametrize(
    ("base", "own", "enabled"),
    [("", "", True), ("[x]", "", False), ("[x]", "[x]", True), ("[x, y]", "[x]", True), ("[x]", "[x, y]", False)],
)
def test_whether_a_base_is_enabled_whenever_its_user_is(tmp_path: Path, base: str, own: str, enabled: bool) -> None:
    services = (("base", base), ("a", own))
    text = "services:\n" + "".join(f"  {name}:\n    build: .\n    profiles: {of or []}\n" for name, of in services)
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": text})
    producer, build = target.builds
    assert wiring.enabled_with(target.project, producer, build) is enabled


def test_values_of_env_files_are_not_written_out(tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE, ".env": "LIB=./lib\n", "compose.yaml": compose("${LIB}", "."), "lib/a": ""}
    target = project(tmp_path, files)
    build = target.builds[0]
    given = build.additional_contexts["lib"]
    assert not wiring.has_literal_value(target.project, build, given)
    assert wiring.equivalent_value(target.project, build, given, build) is None
    assert "./lib" not in wiring.plain_command(target, "lib")


def test_a_name_with_latest_is_found_without_it(tmp_path: Path) -> None:
    text = compose("./lib", ".").replace("lib: ", "org/x:latest: ")
    target = project(tmp_path, {"Dockerfile": "FROM org/x:latest\n", "compose.yaml": text})
    assert context_key("org/x:latest") == "org/x"
    assert target.facts.graph.named_context("org/x:latest") is None
    options = BuildOptions(build_contexts={"org/x:latest": "lib"})
    given = target_for(target.project, read_file(tmp_path / "Dockerfile", root=tmp_path), options)
    assert given.facts.graph.named_context("org/x:latest") == "org/x"
