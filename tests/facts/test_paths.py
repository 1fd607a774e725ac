"""Paths in an image."""

from __future__ import annotations

import itertools

import pytest

from dockfix.facts.paths import upwards


@pytest.mark.parametrize("folder", ["/app", "//app", "//", "/", "app", ""])
def test_upwards_ends_at_the_root(folder: str) -> None:
    found = list(itertools.islice(upwards(folder), 9))
    assert len(found) < 4
    assert found[0] == folder
