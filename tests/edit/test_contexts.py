"""Edits that give builds named contexts: the change, and what is refused with the line to write by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dockfix.edit.contexts import add_context, context_edits, update_context
from dockfix.edit.text import apply_edits
from dockfix.facts.model import Refused
from dockfix.project.files import read_file
from dockfix.project.target import Target, load_project, target_for

DOCKERFILE = "FROM scratch\nCOPY --from=lib . /lib\n"
WITHOUT = "services:\n  a:\n    build: .\n"


def project(root: Path, files: Mapping[str, str]) -> Target:
    for name, text in files.items():
        (root / name).write_text(text)
    return target_for(load_project(root), read_file(root / "Dockerfile", root=root))


def compose(value: str) -> str:
    return f"services:\n  a:\n    build:\n      context: .\n      additional_contexts:\n        lib: {value}\n"


def test_a_context_is_added(tmp_path: Path) -> None:
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": WITHOUT})
    change = add_context(target.project, target.builds[0], "lib", "./lib")
    assert change.path == tmp_path / "compose.yaml"
    assert apply_edits(WITHOUT, change.edits) == compose("./lib")


def test_an_entry_that_exists_is_not_added_again(tmp_path: Path) -> None:
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": compose("./lib")})
    with pytest.raises(Refused, match="has the entry already"):
        context_edits(target.project, target.builds[0], "lib", "./lib")


def test_a_refusal_has_the_line_to_write_by_hand(tmp_path: Path) -> None:
    text = "x: &b\n  context: .\nservices:\n  a:\n    build: *b\n"
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": text})
    with pytest.raises(Refused, match=r"write `additional_contexts: \{lib: ./lib\}` below `build:` of the service a"):
        add_context(target.project, target.builds[0], "lib", "./lib")


def test_a_context_gets_another_folder(tmp_path: Path) -> None:
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": compose("./old")})
    build = target.builds[0]
    change = update_context(target.project, build, build.additional_contexts["lib"], "./new")
    assert apply_edits(compose("./old"), change.edits) == compose("./new")


def test_a_value_from_a_variable_is_not_updated(tmp_path: Path) -> None:
    target = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": compose("${LIB:-./old}")})
    build = target.builds[0]
    with pytest.raises(Refused, match=r"comes from a variable.*\./new \(line 6\)"):
        update_context(target.project, build, build.additional_contexts["lib"], "./new")
