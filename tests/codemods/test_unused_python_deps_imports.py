"""What Python files import, and which files a build copies: read as data, bounded, never outside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project import context as context_module
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, Target, load_project, target_for
from dockfix_codemods.unused_python_deps import imports as module
from dockfix_codemods.unused_python_deps.imports import CopiedFiles, CopiedText, Usage, copied_files, imports_of
from dockfix_codemods.unused_python_deps.installs import requirement_names, unused_distributions


def build(root: Path, dockerfile: str, files: dict[str, str]) -> Target:
    (root / ".git").mkdir(parents=True, exist_ok=True)
    for name, text in {**files, "Dockerfile": dockerfile}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return target_for(load_project(root), read_file(root / "Dockerfile", root=root), BuildOptions(Path()))


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import a.b, c as d", {"a.b", "c"}),
        ("from a.b import c, d as e", {"a.b", "a.b.c", "a.b.d"}),
        ("from a import *", {"a"}),
        ("from . import a\nfrom .b import c", set()),
        ("def f():\n    try:\n        import a\n    except ImportError:\n        import b", {"a", "b"}),
        ("import importlib as i\ni.import_module('a.b')\n__import__('c')", {"importlib", "a.b", "c"}),
        ("x.import_module('.sub', 'pkg')", set()),
        ("\ufeffimport a", {"a"}),
    ],
)
def test_imports(source: str, modules: set[str]) -> None:
    found = imports_of(source)
    assert found is not None
    assert found.modules == modules
    assert found.by == ""


@pytest.mark.parametrize(
    ("source", "by"),
    [
        ("import_module(name)", "import_module"),
        ("import_module(f'{name}.x')", "import_module"),
        ("import_module('plugin_' + name)", "import_module"),
        ("__import__(name)", "__import__"),
        ("eval(text)", "eval"),
        ("m.entry_points()", "entry_points"),
        ("model.eval()", ""),
        ("cursor.exec(text)", ""),
        ("import_module(f'app.plugins.{name}')", ""),
        ("import_module(__name__ + '.' + name)", ""),
        ("import_module(f'{app.__name__}.{name}')", ""),
    ],
)
def test_what_cannot_be_known_is_said(source: str, by: str) -> None:
    found = imports_of(source)
    assert found is not None
    assert found.by == by


def test_source_that_does_not_parse_is_no_module() -> None:
    assert imports_of("print 'x'") is None


def usage(text: str, label: str = "app.py") -> Usage:
    return Usage(CopiedFiles((CopiedText(label, text),), ()))


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("import llama_index.readers.web", True),
        ("from llama_index.readers import web", True),
        ("from llama_index.readers.web.main import x", True),
        ("from llama_index.readers.webhook import x", False),
        ("from llama_index import readers  # web", False),
        ("x = 'llama_index.readers.web.Reader'", True),
        ("x = 'llama_index.readers.website'", False),
        ("x = 'llama-index-readers_web'", True),
        ("import_module(f'llama_index.readers.{name}')", True),
        ("'''llama_index.readers.web'''", False),
        ("print 'x'; import llama_index.readers.web", True),
    ],
)
def test_usage(text: str, used: bool) -> None:
    assert usage(text).uses("llama-index-readers-web", ("llama_index.readers.web",)) is used


def test_a_file_name_or_a_part_of_a_word_is_no_mention() -> None:
    for text in ("x = 'a/docx'", "x = 'file.docx'", "x = 'docx-files'", "docxs = 1"):
        assert not usage(text).uses("python-docx", ("docx",))


def test_setup_py_lists_and_does_not_use() -> None:
    assert usage("import stripe", "pkg/setup.py").count == 0


def test_links_out_of_the_project_are_not_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("import stripe")
    project = tmp_path / "project"
    target = build(project, "FROM python:3\nCOPY app /app\n", {"app/a.py": "import os"})
    (project / "app" / "link.py").symlink_to(outside)
    (project / "app" / "folder").symlink_to(tmp_path)
    found = copied_files(target)
    assert [file.label for file in found.python] == ["app/a.py"]
    assert found.why_not == "app/link.py cannot be read, or is too long"


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = build(tmp_path, "FROM python:3\nCOPY . /app\n", {f"{n}.py": "x" * 100 for n in range(9)})
    monkeypatch.setattr(module, "MAX_BYTES", 250)
    assert copied_files(target).why_not == "there is more Python in the image than dockfix reads"
    assert len(copied_files(target).python) == 2


def test_walking_is_bounded(tmp_path: Path) -> None:
    target = build(tmp_path, "FROM python:3\nCOPY . /app\n", {f"{n}.py": "" for n in range(9)})
    assert target.context is not None
    assert target.context.files_below(".", 5) is None
    assert context_module.MAX_ENTRIES == 20_000


def test_requirement_names() -> None:
    text = "Flask_Cors == 4 # c\n-r base.txt\n--index-url https://x/\na[b,c]>=1; python_version<'3'\n\nx @ https://e/x.zip\n"
    assert requirement_names(text) == (["flask-cors", "x"], ["base.txt"])


def test_a_requirements_file_that_a_later_copy_overwrites_is_the_later_one(tmp_path: Path) -> None:
    text = "FROM python:3\nWORKDIR /w\nCOPY a/r.txt b/r.txt ./\nCOPY b/r.txt .\nRUN pip install -r r.txt\nCOPY m.py .\n"
    files = {"a/r.txt": "stripe", "b/r.txt": "twilio", "m.py": ""}
    (found,) = unused_distributions(build(tmp_path, text, files))
    assert found.unused == ("twilio",)


def test_requirements_that_include_themselves_end(tmp_path: Path) -> None:
    text = "FROM python:3\nWORKDIR /w\nCOPY . .\nRUN pip install -r r.txt\n"
    (found,) = unused_distributions(build(tmp_path, text, {"r.txt": "-r r.txt\nstripe", "m.py": ""}))
    assert (found.unused, found.total, found.files) == (("stripe",), 1, 1)
