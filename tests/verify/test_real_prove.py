"""A project with eight fixes, one of which is wrong: prove applies the other seven."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from dockfix.engine.settings import Settings
from dockfix.rule.registry import load_registry
from dockfix.verify.builders import find_builder
from dockfix.verify.model import VerifyOptions
from dockfix.verify.session import prove_paths
from tests.verify.bases import Store

SHOP: Final = Path(__file__).parent / "cases/shop/eight-fixes/project"
FIXES: Final = {
    "arg-position", "cache-mount", "env-self-reference", "exec-form-variable", "healthcheck-tool", "retry-loop",
    "sed-unverified", "user-numeric", "useradd-gid",
}  # fmt: skip
SETTINGS: Final = Settings(unsafe=True)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("verify")]


@pytest.fixture
def project(store: Store, tmp_path: Path) -> Path:
    """A copy of the shop, whose images are in the store."""
    store.require_for(SHOP)
    return shutil.copytree(SHOP, tmp_path / "shop")


@contextmanager
def run(project: Path) -> Iterator[dict[str, Any]]:
    """The arguments that verify and prove have in common; the builder is closed at the end."""
    work = project.parent / "work"
    work.mkdir()
    builder = find_builder("buildah", folder=work)
    try:
        yield {
            "root": project,
            "registry": load_registry(),
            "options": VerifyOptions(quick=True, start_limit=5),
            "builder": builder,
            "folder": work,
        }
    finally:
        builder.close()


def test_prove_applies_the_other_seven(project: Path) -> None:
    before = (project / "Dockerfile").read_text()
    with run(project) as arguments:
        proof = prove_paths([project], SETTINGS, **arguments)

    (target,) = proof.result.targets
    assert [each.rule for each in target.culprits] == ["arg-position"]
    (file,) = proof.run.dockerfiles
    assert {each.rule for each in file.applied} == FIXES - {"arg-position"}
    assert "FROM python:3.12-slim\nARG REVISION=unknown\nENV APP_HOME=/srv/app\nENV APP_DATA=" in file.text
    assert (project / "Dockerfile").read_text() == before
    assert not list((project.parent / "work").iterdir())
