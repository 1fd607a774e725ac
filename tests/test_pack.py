"""The built-in pack's index: it says what the modules say, and spares a run what it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dockfix.output.page import page
from dockfix.rule import Codemod, LazyClass, LazyFunction
from dockfix.rule.pack_index import index_source
from dockfix.rule.registry import load_registry
from dockfix_codemods import ORDER, index, load, load_all


def whole(codemod: Codemod) -> Codemod:
    """A codemod with its functions and classes in place of their names, and with its page."""

    def function(part: object) -> Any:
        return part.resolve() if isinstance(part, LazyFunction | LazyClass) else part

    return replace(
        codemod,
        check=function(codemod.check),
        check_project=function(codemod.check_project),
        collect=function(codemod.collect),
        prepare=function(codemod.prepare),
        options=function(codemod.options),
        page=page(codemod),
    )


@pytest.mark.parametrize("codemod", load_all(), ids=ORDER)
def test_the_index_says_what_the_module_says(codemod: Codemod) -> None:
    listed = next(each for each in index.INDEX if each.name == codemod.name)
    assert isinstance(listed.check or listed.check_project, LazyFunction)
    assert whole(listed) == replace(codemod, page=page(codemod))


def test_the_index_is_as_it_is_generated() -> None:
    text = Path(index.__file__).read_text(encoding="utf-8")
    assert text == index_source(load_all(), "python docs/generate.py")


def test_a_rule_that_the_index_does_not_list_yet_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [each for each in index.INDEX if each.name != "apk-cache"]
    monkeypatch.setattr(index, "INDEX", (*known, replace(known[0], name="gone")))
    assert tuple(each.name for each in load()) == ORDER
    assert load()[ORDER.index("apk-cache")] == load_all()[ORDER.index("apk-cache")]


_MODULES = (
    "import sys; from dockfix.cli import main\n"
    "assert main(sys.argv[1:]) in (0, 1)\n"
    "print('loaded', *sorted(sys.modules))"
)
_HEAVY = {
    *("libcst", "ruamel", "hcl2", "lark", "tree_sitter", "rich", "tomllib", "typer", "pydantic"),
    *("difflib", "concurrent.futures", "importlib.metadata"),
}


def loaded(folder: Path, *arguments: str) -> set[str]:
    """What a run of dockfix in a process of its own has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, *arguments], cwd=folder, capture_output=True, check=True, text=True
    )
    return set(done.stdout.split("loaded ")[1].split())


def rules(modules: set[str]) -> set[str]:
    """The rules whose modules are among these."""
    pack = {name.split(".")[1].replace("_", "-") for name in modules if name.startswith("dockfix_codemods.")}
    return pack - {"index"}


_EVERY_FILE = {"image-tag", "keyword-case"}
"""The rules that look at what every Dockerfile has; each is a small module."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_commands_that_run_no_rule_load_none(project: Path) -> None:
    assert rules(loaded(project, "rules")) == set()
    assert rules(loaded(project, "explain", "apk-cache")) == {"apk-cache"}


def test_a_clean_file_loads_no_rule_and_nothing_heavy(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nVOLUME /data\n", encoding="utf-8")
    modules = loaded(project, "check", "Dockerfile")
    assert rules(modules) == _EVERY_FILE
    assert modules & _HEAVY == set()
    tables = ("dockfix.facts.", "dockfix.project.compose", "dockfix.project.bake", "dockfix.syntax.shell")
    assert [name for name in modules if name.startswith(tables)] == ["dockfix.facts.model"]


def test_a_file_without_findings_loads_what_it_has_and_nothing_for_fixes(project: Path) -> None:
    text = 'FROM python:3.12-slim\nWORKDIR /app\nRUN useradd -r app\nCOPY --chown=app a.py ./\nCMD ["python", "a.py"]\n'
    (project / "Dockerfile").write_text(text, encoding="utf-8")
    modules = loaded(project, "check", "Dockerfile")
    unwanted = ("dockfix.project.compose.", "dockfix.project.installs", "dockfix.syntax.yaml", "dockfix.engine.gates")
    assert [name for name in modules if name.startswith(unwanted)] == []
    assert modules & {"difflib", "tomllib", "importlib.metadata", "ruamel", "hcl2", "libcst"} == set()


def test_a_trigger_loads_the_rules_that_it_concerns(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n# torch\n", encoding="utf-8")
    assert rules(loaded(project, "check", "Dockerfile")) == {"torch-index"} | _EVERY_FILE


def test_a_rule_that_is_not_selected_is_not_loaded(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\nRUN apk add git | cat\nCOPY a b\n", encoding="utf-8")
    assert rules(loaded(project, "check", "--rule", "apk-cache", "Dockerfile")) == {"apk-cache"}


def test_deferred_rules_come_in_the_same_order() -> None:
    assert load_registry().names[: len(ORDER)] == ORDER
