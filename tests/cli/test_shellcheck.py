"""The rule `shellcheck` where its program is missing."""

from pathlib import Path

import pytest

from dockfix.project import shellcheck


def test_without_the_program_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: None)
    assert shellcheck.check_snippets({}, [shellcheck.Snippet("dash", "rm $x")]) == {}


def test_a_program_that_fails_finds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shellcheck, "find_program", lambda: str(tmp_path / "missing"))
    snippet = shellcheck.Snippet("dash", "rm $x")
    assert shellcheck.check_snippets({}, [snippet]) == {snippet: ()}
