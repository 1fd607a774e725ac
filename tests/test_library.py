"""`import dockfix`: its names, their documentation, and that its examples are true."""

from __future__ import annotations

import doctest
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import dockfix
import dockfix.interop
import dockfix.library

ROOT = Path(__file__).resolve().parent.parent
MODULES = (dockfix, dockfix.library, dockfix.interop)
OLD = "FROM alpine:3.20\nRUN apk update && apk add curl\n"
NEW = "FROM alpine:3.20\nRUN apk add --no-cache curl\n"
APK = dockfix.Settings(select=("apk-cache",))


@pytest.mark.parametrize("module", MODULES, ids=lambda each: each.__name__)
def test_the_examples_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type] # pytest's parameters are objects
    assert result.attempted > 0
    assert result.failed == 0


def test_the_examples_of_the_page_are_true() -> None:
    result = doctest.testfile(str(ROOT / "docs" / "api.md"), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted({*dockfix.__all__} - {"__version__"}))
def test_every_name_is_documented(name: str) -> None:
    found = getattr(dockfix, name)
    assert name in dir(dockfix)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"`{name}`" in page
    if name == "Finding":  # a union has no docstring of its own
        return
    assert (inspect.getdoc(found) or "").strip()
    if inspect.isfunction(found):
        doc = inspect.getdoc(found) or ""
        parameters = inspect.signature(found).parameters
        assert all(f"    {parameter}: " in doc for parameter in parameters)
        assert "Returns:" in doc or not parameters


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        dockfix.chekc  # type: ignore[attr-defined] # noqa: B018 - that is the point


def test_importing_the_library_loads_nothing_else() -> None:
    code = "import sys; import dockfix; print(*[name for name in sys.modules if name.startswith('dockfix')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["dockfix"]


def test_fix_writes_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(OLD)
    assert dockfix.fix([path], APK, root=tmp_path).files[0].text == NEW
    assert path.read_text() == OLD
    result = dockfix.fix(str(path), APK, write=True)
    assert result.files[0].written
    assert path.read_text() == NEW
    assert json.loads(dockfix.to_json(result))["summary"]["applied"] == 1


def test_only_new_findings(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(OLD)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    before = dockfix.check(path, APK)
    file = tmp_path / "baseline.json"
    file.write_text(dockfix.to_json(dockfix.accept(before)))
    path.write_text(OLD + "RUN apk update && apk add git\n")
    result = dockfix.check(path, APK)
    for found in (dockfix.not_accepted(result, dockfix.read_baseline(file)), dockfix.changed_since(result, "HEAD")):
        assert [each.line for each in found.files[0].remaining] == [3]
    with pytest.raises(dockfix.GitError, match="no revision"):
        dockfix.changed_since(result, "none")
    with pytest.raises(dockfix.InputError, match="is not a dockfix baseline"):
        dockfix.read_baseline(path)


def test_a_text_is_checked_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {build: .}}\n")
    assert dockfix.fix_text(OLD.encode(), APK, path=tmp_path / "Dockerfile").text == NEW
    assert dockfix.check_text("FROM alpine:3.20\nFROB\n").problems[0].line == 2


def test_what_is_not_installed_is_an_error() -> None:
    with pytest.raises(dockfix.UnknownRuleError, match="did you mean 'apk-cache'"):
        dockfix.check_text(OLD, dockfix.Settings(select=("apk-cash",)))


def test_an_invalid_configuration_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dockfix.yaml").write_text("rules: {uid-map: {users: {app: x}}}\n")
    with pytest.raises(dockfix.InputError, match=r"rules\.uid-map\.users\.app must be a whole number"):
        dockfix.load_settings(tmp_path)


def test_the_nearest_configuration_applies_to_each_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for folder in (tmp_path, tmp_path / "a"):
        (folder / "Dockerfile").write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
    (tmp_path / "dockfix.toml").write_text('select = ["apk-cache"]\n')
    (tmp_path / "a" / "dockfix.toml").write_text('ignore = ["apk-cache"]\n')
    result = dockfix.check(tmp_path, dockfix.load_settings(tmp_path))
    assert [(each.display, found.rule) for each in result.files for found in each.remaining] == [
        ("Dockerfile", "apk-cache")
    ]
