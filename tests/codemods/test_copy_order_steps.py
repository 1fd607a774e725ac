"""A stage with many COPYs and installs: the moves are done in the passes that there are, or not begun."""

from __future__ import annotations

import pytest

import dockfix

SETTINGS = dockfix.Settings(select=("copy-order",), unsafe=True)


@pytest.mark.parametrize(("pairs", "changes"), [(40, True), (70, False), (100, False)])
def test_many_pairs(pairs: int, changes: bool) -> None:
    steps = "".join(f"COPY a{i} /b/\nRUN apt-get update && apt-get install -y a{i}\n" for i in range(pairs))
    result = dockfix.fix_text(f"FROM debian:12\n{steps}", SETTINGS)
    assert result.defects == ()
    assert result.changed == changes
