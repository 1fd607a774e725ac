"""Options of a rule: declared as a dataclass, read from the configuration, and every mistake has its key and line."""

from __future__ import annotations

import enum
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest

from dockfix.engine.configure import settings_of
from dockfix.output.page import page
from dockfix.project.config import read_config
from dockfix.project.files import NOWHERE, FileText
from dockfix.project.problems import InputError
from dockfix.project.target import Project, Target, target_for
from dockfix.rule import Category, Codemod, Finding, LazyClass, Severity
from dockfix.rule.options import OptionError, TextFile, configured, options_of, read_options
from dockfix.rule.reference import options_reference, reference, schema, schema_text
from dockfix.rule.registry import Registry, RegistryError, check_classes
from dockfix_codemods import load_all


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class ToyOptions:
    """Options of `toy`.

    Args:
        max_steps: how many steps a stage may have,
            over two lines.
        names: names.
        level: a level.
    """

    max_steps: int = 10
    names: tuple[str, ...] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)
    level: Level = Level.LOW
    mode: Literal["fast", "slow"] = "fast"
    strict: bool = True
    folder: Path | None = None
    notes: TextFile | None = None
    nested: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise ValueError("max_steps must be a whole number from 1 on")
        if self.strict and self.mode == "slow":
            raise ValueError("a strict toy cannot be slow")


def check(target: Target) -> Iterator[Finding]:
    """Find nothing."""
    yield from ()


def toy(name: str = "toy", options: type | LazyClass | None = ToyOptions) -> Codemod:
    return Codemod(
        name, "A toy", Severity.INFO, Category.STYLE, frozenset(), check, "1", options=options, needs_options=True
    )


REGISTRY = Registry((toy(), toy("plain", None)))


def read(table: object, folder: Path = Path("/nowhere")) -> ToyOptions:
    found = read_options(ToyOptions, table, rule="toy", folder=folder)
    assert isinstance(found, ToyOptions)
    return found


def test_every_type_is_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")
    found = read(
        {
            "max-steps": 3, "names": ["a"], "ratios": {"x": 1.5, "y": 2}, "level": "high", "mode": "fast",
            "strict": False, "folder": "sub", "notes": "notes.txt", "nested": {"a": {"b": 1}},
        },
        tmp_path,
    )  # fmt: skip
    assert found == ToyOptions(
        3, ("a",), {"x": 1.5, "y": 2.0}, Level.HIGH, "fast", False, tmp_path / "sub",
        TextFile(tmp_path / "notes.txt", "words"), {"a": {"b": 1}},
    )  # fmt: skip
    assert read({}) == ToyOptions()
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own value; workers are sent options


@pytest.mark.parametrize(
    ("table", "place", "message"),
    [
        ({"max-step": 1}, "rules.toy.max-step", "is not an option; did you mean 'max-steps'?"),
        ({"max_steps": 1}, "rules.toy.max_steps", "is not an option; did you mean 'max-steps'?"),
        ({"xyzzy": 1}, "rules.toy.xyzzy", "is not an option; the options of toy are max-steps, names"),
        ({"max-steps": "x"}, "rules.toy.max-steps", 'must be a whole number, not "x"'),
        ({"max-steps": True}, "rules.toy.max-steps", "must be a whole number, not true"),
        ({"max-steps": 1.5}, "rules.toy.max-steps", "must be a whole number, not 1.5"),
        ({"max-steps": 0}, "rules.toy.max-steps", "must be a whole number from 1 on"),
        ({"names": "a"}, "rules.toy.names", 'must be a list of strings, not "a"'),
        ({"names": ["a", 1]}, "rules.toy.names.2", "must be a string, not 1"),
        ({"ratios": {"x": {}}}, "rules.toy.ratios.x", "must be a number, not a table"),
        ({"nested": {"a": {"b": []}}}, "rules.toy.nested.a.b", "must be a whole number, not a list"),
        ({"nested": {"a": 1}}, "rules.toy.nested.a", "must be a table of whole numbers, not 1"),
        ({"level": "none"}, "rules.toy.level", 'must be one of "low", "high", not "none"'),
        ({"mode": 1}, "rules.toy.mode", 'must be one of "fast", "slow", not 1'),
        ({"strict": None}, "rules.toy.strict", "must be true or false, not nothing"),
        ({"mode": "slow"}, "rules.toy", "a strict toy cannot be slow"),
        ({"folder": ""}, "rules.toy.folder", 'must be a path, not ""'),
        ({"notes": 1}, "rules.toy.notes", "must be the path of a file, not 1"),
        (1, "rules.toy", "must be a table of options, not 1"),
    ],
)
def test_a_mistake_is_named_with_its_key(table: object, place: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(table)
    assert caught.value.place == place
    assert caught.value.message.startswith(message)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.txt").write_text("x")
    cases = (("none.txt", tmp_path, r"none\.txt: does not exist"), ("../out.txt", tmp_path / "in", "outside"))
    for path, folder, message in cases:
        with pytest.raises(OptionError, match=f"^names a file that cannot be used: .*{message}") as caught:
            read({"notes": path}, folder)
        assert caught.value.place == "rules.toy.notes"


@pytest.mark.parametrize(
    ("tables", "place", "message"),
    [
        ({"toys": {}}, "rules.toys", "is not the name of a rule; did you mean 'toy'?"),
        ({"plain": {}}, "rules.plain", "has no options"),
    ],
)
def test_a_table_needs_a_rule_with_options(tables: Mapping[str, object], place: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        configured(tables, [(each.name, each.options) for each in REGISTRY.codemods], Path())
    assert (caught.value.place, caught.value.message) == (place, message)


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        (
            "dockfix.yaml",
            "rules:\n  toy:\n    max-steps: x\n",
            3,
            'rules.toy.max-steps must be a whole number, not "x"',
        ),
        ("dockfix.yaml", "rules:\n  toy:\n    nested:\n      a:\n        b: x\n", 5, "rules.toy.nested.a.b must be"),
        ("dockfix.yaml", "rules:\n  toys: {}\n", 2, "rules.toys is not the name of a rule"),
        (
            "dockfix.toml",
            "[rules.toy]\nstrict = false\nmax-steps = 0\n",
            3,
            "rules.toy.max-steps must be a whole number",
        ),
        ("dockfix.toml", "[rules.toy.nested]\na = { b = 'x' }\n", 2, "rules.toy.nested.a.b must be a whole number"),
        (
            "dockfix.yaml",
            "rules:\n  toy:\n    notes: no.txt\n",
            3,
            "rules.toy.notes names a file that cannot be used: ",
        ),
        ("dockfix.toml", "rules.toy.mode = 'no'\n", 1, "rules.toy.mode must be one of"),
        ("pyproject.toml", "[tool.x]\nmode = 1\n[tool.dockfix.rules.toy]\nmode = 'no'\n", 4, "rules.toy.mode must be"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, name: str, text: str, line: int, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        settings_of(read_config(tmp_path / name), REGISTRY)
    assert caught.value.message.startswith(message)
    assert caught.value.line == line


def test_a_target_has_the_options_or_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "dockfix.yaml").write_text("rules: {toy: {max-steps: 3}}\n")
    settings = settings_of(read_config(tmp_path / "dockfix.yaml"), REGISTRY)
    file = FileText(tmp_path / "Dockerfile", tmp_path / "Dockerfile", b"FROM a\n", "FROM a\n", NOWHERE)
    target = target_for(Project(tmp_path), file, settings.builds)
    assert target.options(ToyOptions).max_steps == 3
    assert target_for(Project(tmp_path), file).options(ToyOptions) == ToyOptions()


@dataclass(frozen=True)
class Required:
    limit: int


def test_options_have_defaults() -> None:
    with pytest.raises(ValueError, match=r"toy: Required\.limit has no default"):
        toy(options=Required)
    with pytest.raises(ValueError, match="toy: Level is not a dataclass"):
        toy(options=Level)


def test_two_rules_cannot_share_a_class() -> None:
    lazy = LazyClass(ToyOptions.__module__, ToyOptions.__qualname__)
    check_classes([toy(), toy("plain", None)])
    for other in (ToyOptions, lazy):
        with pytest.raises(RegistryError, match="'toy' and 'toy-two' have the same class of options, ToyOptions"):
            check_classes([toy(), toy("toy-two", other)])


def test_the_reference_says_what_the_class_says() -> None:
    assert options_reference(toy()).split("\n")[:3] == [
        "- `max-steps` (a whole number): How many steps a stage may have, over two lines. Default: `10`.",
        "- `names` (a list of strings): Names. Default: empty.",
        "- `ratios` (a table of numbers): Not documented. Default: empty.",
    ]
    page = reference(REGISTRY.codemods)
    assert "### `rules.toy`" in page
    assert "### `extend-select`" in page
    assert "rules.plain" not in page


def test_the_schema_has_the_options() -> None:
    rules = schema(REGISTRY.codemods)["properties"]["rules"]  # type: ignore[index] # JSON
    assert list(rules["properties"]) == ["toy"]
    options = rules["properties"]["toy"]["properties"]
    assert options["max-steps"] == {
        "description": "How many steps a stage may have, over two lines.",
        "type": "integer",
    }
    assert options["folder"] == options["notes"] == {"type": "string", "minLength": 1}
    assert options["level"]["enum"] == ["high", "low"]
    assert options["nested"]["additionalProperties"]["additionalProperties"] == {"type": "integer"}


def test_the_schema_of_the_package_is_as_it_is_generated() -> None:
    text = (files("dockfix") / "schema.json").read_text(encoding="utf-8")
    assert text == schema_text(load_all())
    assert json.loads(text)["additionalProperties"] is False


WITH_OPTIONS = [each for each in load_all() if each.options is not None]


@pytest.mark.parametrize("codemod", WITH_OPTIONS, ids=lambda each: each.name)
def test_the_page_of_a_rule_has_its_options(codemod: Codemod) -> None:
    options = page(codemod).partition("## Options\n")[2].partition("\n## ")[0]
    assert isinstance(codemod.options, type)
    for option in options_of(codemod.options):
        assert f"- `{option.key}`: " in options
        assert option.doc
