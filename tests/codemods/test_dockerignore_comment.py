"""dockerignore-comment walks the build context once, however many lines there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.engine.session import check_paths
from dockfix.engine.settings import Settings
from dockfix.project.context import Context
from dockfix.rule.registry import load_registry

SETTINGS = Settings(select=("dockerignore-comment",))


def make(root: Path, lines: int) -> None:
    for number in range(30):
        (root / f"d{number}" / "inner").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "Dockerfile").write_text("FROM debian:12\nCOPY . /app\nRUN /app/d1/tool x\n")
    (root / ".dockerignore").write_text("".join(f"d{number}/*/x   # why\n" for number in range(lines)))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that contexts list, once for each listing."""
    found: list[str] = []
    entries = Context.entries

    def counted(self: Context, rel: str) -> list[tuple[str, bool]]:
        found.append(rel)
        return entries(self, rel)

    monkeypatch.setattr(Context, "entries", counted)
    return found


@pytest.mark.parametrize("lines", [1, 30])
def test_the_context_is_walked_once_for_all_lines(tmp_path: Path, listed: list[str], lines: int) -> None:
    make(tmp_path, lines)
    result = check_paths((tmp_path,), SETTINGS, root=tmp_path, registry=load_registry())
    assert sum(len(file.remaining) for file in result.files) == 1
    # once for names with a `#` and once for the files that are sent, before and after the fix
    assert max(map(listed.count, listed)) <= 4


def test_a_file_outside_the_project_does_not_affect_its_ignore_file(tmp_path: Path, listed: list[str]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    make(root, 3)
    (root / "compose.yaml").write_text("services:\n  a:\n    build: .\n")
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPY . /app\n")
    result = check_paths((tmp_path / "Dockerfile",), SETTINGS, root=root, registry=load_registry())
    assert sum(len(file.remaining) for file in result.files) == 0
    assert listed == []
