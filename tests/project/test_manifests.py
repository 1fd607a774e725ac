"""Manifests are read as data; an invalid one yields no facts."""

from __future__ import annotations

import pytest

from dockfix.project.manifests import package_json_facts, pyproject_facts


@pytest.mark.parametrize(
    ("line", "readme"),
    [
        ('readme = "README.md"', "README.md"),
        ('readme = {file = "docs/ABOUT.rst", content-type = "text/x-rst"}', "docs/ABOUT.rst"),
        ('readme = {text = "inline", content-type = "text/plain"}', None),
        ('dynamic = ["readme", "version"]', None),
        ("", None),
    ],
)
def test_readme(line: str, readme: str | None) -> None:
    facts = pyproject_facts(f'[project]\nname = "x"\n{line}\n')
    assert facts is not None
    assert (facts.name, facts.readme) == ("x", readme)


def test_build_system_and_sources() -> None:
    facts = pyproject_facts(
        """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "x"
        [tool.hatch.version]
        path = "src/x/__init__.py"
        [tool.hatch.build.targets.wheel]
        packages = ["src/x"]
        [tool.ruff]
        select = ["E"]
        """
    )
    assert facts is not None
    assert facts.mentioned == ("src/x/__init__.py", "src/x")


def test_poetry() -> None:
    facts = pyproject_facts(
        '[tool.poetry]\nname = "x"\nreadme = ["README.md", "MORE.md"]\npackages = [{include = "x"}]\n'
    )
    assert facts is not None
    assert (facts.name, facts.readme, facts.mentioned) == ("x", "README.md", ("README.md", "MORE.md", "x"))


@pytest.mark.parametrize("text", ["[project", "a = 1\na = 2", "x = " + "[" * 100_000, "\0"])
def test_invalid_toml_yields_no_facts(text: str) -> None:
    assert pyproject_facts(text) is None


@pytest.mark.parametrize(
    "text", ["project = 1", "[project]\nreadme = 3\ndynamic = 'x'\nlicense-files = {paths = ['L']}"]
)
def test_odd_toml_does_no_harm(text: str) -> None:
    facts = pyproject_facts(text)
    assert facts is not None
    assert facts.readme is None


def test_package_json() -> None:
    facts = package_json_facts(
        '{"name": "x", "workspaces": {"packages": ["apps/*"]}, "packageManager": "pnpm@9.0.0",'
        ' "scripts": {"postinstall": "node x.js", "build": "tsc", "prepare": "husky", "odd": 1},'
        ' "dependencies": {"a": "^1", "b": "file:../b"}, "devDependencies": {"c": "workspace:*"}}'
    )
    assert facts is not None
    assert facts.workspaces == ("apps/*",)
    assert dict(facts.lifecycle) == {"postinstall": "node x.js", "prepare": "husky"}
    assert dict(facts.local) == {"b": "file:../b", "c": "workspace:*"}
    assert (facts.name, facts.package_manager, facts.scripts["build"]) == ("x", "pnpm@9.0.0", "tsc")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"a": }'])
def test_invalid_json_yields_no_facts(text: str) -> None:
    assert package_json_facts(text) is None


def test_odd_json_does_no_harm() -> None:
    facts = package_json_facts('\ufeff{"workspaces": "x", "scripts": [], "dependencies": null, "name": 1}')
    assert facts is not None
    assert (facts.workspaces, facts.scripts, facts.local, facts.name) == ((), {}, {}, None)
