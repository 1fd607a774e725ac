"""What `dockfix.api` makes public, and that it loads nothing before it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dockfix import api


def imported() -> dict[str, str]:
    """Each name that the module imports for type checkers, with the dotted name of what it is."""
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dockfix.")
        for alias in node.names
    }


def test_what_is_found_is_what_type_checkers_see() -> None:
    # taken from the module, so that what another test has asked for already does not hide a wrong home
    tables = vars(api)
    packages = {name: f"{package}.{name}" for name, package in tables["_PACKAGES"].items()}
    homes = {name: ".".join(home) for name, home in tables["_HOMES"].items()}
    assert packages | homes == imported()
    for name, dotted in homes.items():
        module, _, attribute = dotted.rpartition(".")
        assert getattr(api, name) is getattr(import_module(module), attribute)
    for name, dotted in packages.items():
        assert getattr(api, name) is import_module(dotted)


def test_everything_public_is_there_and_nothing_else_is_imported() -> None:
    assert len(api.__all__) == len(set(api.__all__))
    assert imported().keys() <= set(api.__all__)
    assert dir(api) == sorted(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)
    with pytest.raises(AttributeError, match=r"module 'dockfix\.api' has no attribute 'Nonsense'"):
        _ = api.__dict__["__getattr__"]("Nonsense")


def test_a_name_loads_its_own_module_only() -> None:
    code = (
        "import sys; from dockfix.api import Codemod; print([m for m in sys.modules if m.startswith('dockfix.facts')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
