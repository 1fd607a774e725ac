"""A codemod may prepare for several files before it checks each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.project.policy import PathPattern, Policy
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding
from dockfix.rule.registry import Registry
from tests.rule.samples import codemod


def check(target: Target) -> Iterator[Finding]:
    """The number of files that were prepared with this one."""
    prepared = target.project.memo.get("prepared", ())
    assert isinstance(prepared, tuple)
    yield Advice(target.dockerfile.instructions[0].span, ",".join(prepared) if target.display in prepared else "alone")


def prepare(targets: Sequence[Target]) -> None:
    targets[0].project.memo["prepared"] = tuple(each.display for each in targets)


def broken(targets: Sequence[Target]) -> None:
    raise ValueError(targets)


RULE = replace(codemod(check), triggers=("run",), prepare=prepare)


def found(folder: Path, settings: Settings, rule: object = RULE) -> dict[str, list[str]]:
    result = check_paths([folder], settings, root=folder, registry=Registry((rule,)))  # type: ignore[arg-type] # a codemod
    assert not result.defects
    return {file.display: [each.finding.message for each in file.remaining] for file in result.files}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM x\nRUN y\n")
    return tmp_path


def test_with_the_files_in_which_it_may_find_something(folder: Path) -> None:
    (folder / "b" / "Dockerfile").write_text("FROM x\n")
    together = ["a/Dockerfile,c/Dockerfile"]
    assert found(folder, Settings()) == {"a/Dockerfile": together, "b/Dockerfile": [], "c/Dockerfile": together}
    ignored = Policy(per_file_ignores=((PathPattern("c/Dockerfile"), frozenset({RULE.name})),))
    assert found(folder, Settings(policy=ignored))["a/Dockerfile"] == ["alone"]


def test_an_error_leaves_the_check_as_it_is(folder: Path) -> None:
    (folder / "b" / "Dockerfile").write_bytes(b"RUN x\n")
    assert found(folder, Settings(), replace(RULE, prepare=broken))["a/Dockerfile"] == ["alone"]
