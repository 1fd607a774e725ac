"""What the configuration recommends for base images, on its way to a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.config import load_config
from dockfix.project.problems import InputError


@pytest.mark.parametrize(
    "table",
    [
        '"a/b" = "c"',
        '"a/b" = { "1X" = "y" }',
        '"a/b" = { X = 1 }',
        '"a/b" = { X = "y\\nz" }',
        '"a/b" = { "X Y" = "z" }',
    ],
)
def test_what_env_cannot_hold_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.dockfix.recommended-env]\n{table}\n")
    with pytest.raises(InputError, match="recommended-env must be a table of images"):
        load_config(tmp_path, tmp_path)
