"""TOML beyond the limits is refused before it costs time or memory."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.project.manifests import pyproject_facts
from dockfix.project.toml import TomlError, parse_toml

LONG = ".".join(["k"] * 40_000)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"[{LONG}]",
        f"[[ {LONG} ]]",
        f"a = {{ b = {{ {LONG} = 1 }} }}",
        f"a = 'b' # c\n{LONG.replace('.', ' . ')} = 1",
        '"a b".' * 40_000 + "c = 1",
        "'a b' . " * 40_000 + "c = 1",
        '\'a.b\'."c\\"d" . ' * 20_000 + "c = 1",
        f'a = {{ b = """x"""", {LONG} = 1 }}',
        f"a = {{ b = '''x''''', {LONG} = 1 }}",
    ],
    ids=lambda text: text[:20],
)
def test_a_key_of_many_parts_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(TomlError, match="more than 50 parts"):
        parse_toml(text)
    assert pyproject_facts(text) is None
    assert time.process_time() - start < 2


def test_where_the_key_is() -> None:
    with pytest.raises(TomlError, match="more than 50 parts") as caught:
        parse_toml(f'a = """\n\n"""\n# {LONG}\nb = "{LONG}"\n{LONG} = 1\n')
    assert caught.value.line == 6


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a = 1\nb = = 2\n", "Invalid value", 2),
        ("a = 1\nb = '''\n\n", "Expected \"'''\"", 2),
        ("a = [", "Invalid value", 1),
        (f"a = {'9' * 5_000}", "a number has too many digits", None),
        ("a = " + "[" * 5_000, "values are nested too deeply", None),
    ],
)
def test_what_is_not_valid(text: str, message: str, line: int | None) -> None:
    with pytest.raises(TomlError) as caught:
        parse_toml(text)
    assert (caught.value.message, caught.value.line) == (message, line)


@pytest.mark.parametrize(
    "text",
    [
        f'a = "{LONG}"',
        f"a = '{LONG}' # {LONG}",
        f'a = """\n{LONG}\n"""',
        f"a = '''{LONG}'''",
        "a = [" + "1.5, " * 1_000 + "]",
        ".".join("abcdefghij" * 4) + " = 1",
    ],
    ids=lambda text: text[:12],
)
def test_dots_that_are_no_key_are_read(text: str) -> None:
    assert parse_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text", [r"\"\"\"", r'\"""', '"' * 7, "'" * 7, '"""\\', "a ", "a.", "a . ", "#", "\\"], ids=repr
)
def test_no_text_hangs(text: str) -> None:
    start = time.process_time()
    with pytest.raises(TomlError):
        parse_toml("x = 'y'\n" + text * (500_000 // len(text)) + "\n= 1")
    assert time.process_time() - start < 5


@given(st.text("ab.=\"'#\\[]{}\n 1", max_size=40))
def test_agrees_with_tomllib(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        with pytest.raises(TomlError):
            parse_toml(text)
        return
    assert parse_toml(text) == expected


def test_the_file_of_this_project_is_read() -> None:
    assert parse_toml(Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
