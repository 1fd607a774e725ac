"""The layers of the stand-ins are made once, and anew when they are too old or of another recipe."""

from __future__ import annotations

import os
import tarfile
import time
from pathlib import Path

import pytest

from tests.verify import bases
from tests.verify.bases import IMAGES, MAX_AGE, Bases, BasesError


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipes that were made; the recipe of the layer `x` is its first element, which may be changed."""
    recipes = ["one"]

    def make(target: Path, _: Bases) -> None:
        target.write_text(recipes[0])
        recipes.append(recipes[0])

    monkeypatch.setattr(bases, "_MAKERS", {"x": (make, lambda: recipes[0])})
    return recipes


def test_a_layer_is_made_once(made: list[str], tmp_path: Path) -> None:
    first = Bases(tmp_path).layer("x")
    assert Bases(tmp_path).layer("x") == first
    assert made == ["one", "one"]


def test_an_old_layer_is_made_anew(made: list[str], tmp_path: Path) -> None:
    layer = Bases(tmp_path).layer("x")
    old = time.time() - MAX_AGE - 1
    os.utime(layer, (old, old))
    Bases(tmp_path).layer("x")
    assert len(made) == 3


def test_another_recipe_replaces_the_layer(made: list[str], tmp_path: Path) -> None:
    first = Bases(tmp_path).layer("x")
    made[0] = "two"
    second = Bases(tmp_path).layer("x")
    assert second.read_text() == "two"
    assert not first.exists()


def test_a_layer_that_fails_leaves_none(made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(target: Path, _: Bases) -> None:
        target.write_text("half")
        raise BasesError("no space")

    monkeypatch.setattr(bases, "_MAKERS", {"x": (fail, lambda: "one")})
    with pytest.raises(BasesError):
        Bases(tmp_path).layer("x")
    assert not list(tmp_path.glob("*.tar"))


def test_every_image_has_layers_that_can_be_made() -> None:
    assert {layer for stand in IMAGES.values() for layer in stand.layers} <= bases._MAKERS.keys()


def test_the_stand_in_of_alpine_says_what_it_is(tmp_path: Path) -> None:
    bases._MAKERS["alpine"][0](tmp_path / "layer.tar", Bases(tmp_path))
    with tarfile.open(tmp_path / "layer.tar") as tar:
        release = tar.extractfile("etc/os-release")
        assert release is not None
        assert b"no apk" in release.read()
