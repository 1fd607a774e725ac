"""Configuration files: the nearest one applies, and an error has its line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dockfix.project.config import KEYS, Config, find_config, load_config, read_config
from dockfix.project.discovery import CONFIG_NAMES
from dockfix.project.problems import InputError

FULL_TOML = """\
[tool.other]
rules = 1

[tool.dockfix]
select = ["cache-mount"]
extend-select = ["image-pin"]
ignore = ["apt-purge"]
preset = "strict"
unsafe = true
exclude = ["vendor/"]
force-exclude = true
respect-gitignore = false
context = "app"
jobs = 3
fail-level = "warning"
baseline = "accepted.json"

[tool.dockfix.severity]
apt-purge = "error"

[tool.dockfix.per-file-ignores]
"legacy/**" = ["arg-position"]

[[tool.dockfix.targets]]
files = "services/*/Dockerfile"
context = "{dir}"
build-contexts = { base = "{root}/base" }

[tool.dockfix.build-contexts]
base = "docker-image://alpine"

[tool.dockfix.base-images]
"corp/python" = "python:3.12-slim"

[tool.dockfix.rules.uid-map]
users = { app = 10001 }
"""
FULL_YAML = """\
select: [cache-mount]
extend-select: [image-pin]
ignore:
  - apt-purge
unsafe: true
preset: strict
exclude: ["vendor/"]
force-exclude: true
respect-gitignore: false
context: app
jobs: 3
fail-level: warning
baseline: accepted.json
severity: {apt-purge: error}
per-file-ignores:
  legacy/**: [arg-position]
targets:
  - files: services/*/Dockerfile
    context: "{dir}"
    build-contexts: {base: "{root}/base"}
build-contexts:
  base: docker-image://alpine
base-images:
  corp/python: python:3.12-slim
rules:
  uid-map:
    users: {app: 10001}
"""


OWN_TOML = FULL_TOML.partition("[tool.dockfix]\n")[2].replace("[tool.dockfix.", "[")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", FULL_TOML),
        *((name, FULL_YAML) for name in ("dockfix.yaml", "dockfix.yml", ".dockfix.yaml", ".dockfix.yml")),
        *((name, OWN_TOML) for name in ("dockfix.toml", ".dockfix.toml")),
    ],
)
def test_every_key_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    config = load_config(tmp_path, tmp_path)
    assert config.path == tmp_path / name
    assert config.select == ("cache-mount",)
    assert config.preset == "strict"
    assert config.extend_select == ("image-pin",)
    assert config.ignore == ("apt-purge",)
    assert config.unsafe
    assert config.exclude == ("vendor/",)
    assert config.force_exclude
    assert not config.respect_gitignore
    assert config.context == tmp_path / "app"
    assert config.jobs == 3
    assert config.fail_level == "warning"
    assert config.baseline == tmp_path / "accepted.json"
    assert config.severity == {"apt-purge": "error"}
    assert config.per_file_ignores == {"legacy/**": ["arg-position"]}
    (target,) = config.targets
    assert target.matches("services/a/Dockerfile")
    assert not target.matches("services/a/b/Dockerfile")
    dockerfile = tmp_path / "services" / "a" / "Dockerfile"
    assert target.context_of(dockerfile, tmp_path) == dockerfile.parent
    assert target.named_contexts_of(dockerfile, tmp_path) == {"base": f"{tmp_path}/base"}
    assert config.build_contexts == {"base": "docker-image://alpine"}
    assert config.base_images == {"corp/python": "python:3.12-slim"}
    assert config.rules == {"uid-map": {"users": {"app": 10001}}}
    lines = text.split("\n")
    for keys in [*((key,) for key in KEYS), ("rules", "uid-map", "users", "app")]:
        line = config.line_of(keys)
        assert line is not None
        assert keys[-1] in lines[line - 1]
    assert config.line_of(("select",)) == (5 if name == "pyproject.toml" else 1)
    assert config.line_of(("rules", "uid-map", "nobody")) == config.line_of(("rules", "uid-map"))


def test_the_nearest_one_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "dockfix.yaml").write_text("jobs: 2\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'dockfix-user'\n")
    assert find_config(inner, tmp_path) == tmp_path / "dockfix.yaml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.dockfix]\n")
    assert find_config(inner, tmp_path) == tmp_path / "a" / "pyproject.toml"


def test_what_is_above_the_root_is_not_obeyed(tmp_path: Path) -> None:
    root = tmp_path / "a"
    (root / "b").mkdir(parents=True)
    (tmp_path / "dockfix.yaml").write_text("unsafe: true\n")
    assert find_config(root / "b", root) is None
    assert load_config(root / "b", root) == Config()
    (root / "dockfix.yaml").write_text("jobs: 2\n")
    assert find_config(root / "b", root) == root / "dockfix.yaml"


@pytest.mark.parametrize("other", [*(sorted({*CONFIG_NAMES} - {"dockfix.yaml"})), "pyproject.toml"])
def test_two_in_one_folder_are_an_error_that_names_both(tmp_path: Path, other: str) -> None:
    (tmp_path / "dockfix.yaml").write_text("")
    (tmp_path / other).write_text("[tool.dockfix]\n" if other == "pyproject.toml" else "")
    with pytest.raises(InputError, match="configure dockfix in one folder; keep one of them") as caught:
        load_config(tmp_path, tmp_path)
    assert "dockfix.yaml" in caught.value.message
    assert other in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("dockfix.yaml", "jobs: 2\nunsave: true\n", 2, "unknown key 'unsave'; did you mean 'unsafe'?"),
        ("dockfix.yaml", "build_contexts: {}\n", 1, "did you mean 'build-contexts'?"),
        ("dockfix.yaml", "xyzzy: 1\n", 1, "the keys are preset, select"),
        (
            "dockfix.yaml",
            "per-thing: {}\n",
            1,
            "unknown key 'per-thing'; the keys are preset, select",
        ),
        ("dockfix.toml", "jobs = 2\n\n[tool.dockfix]\n", 3, "without [tool.dockfix]"),
        ("dockfix.toml", "jobs = 2\nunsave = true\n", 2, "did you mean 'unsafe'?"),
        ("dockfix.yaml", "unsafe: maybe\n", 1, "unsafe must be true or false, not the string 'maybe'"),
        (
            "dockfix.yaml",
            "select: cache-mount\n",
            1,
            "must be a list of rule names, not the string 'cache-mount'",
        ),
        ("dockfix.yaml", "select: [1]\n", 1, "select must be a list of rule names, not a list of values that are not"),
        ("dockfix.yaml", "select: []\n", 1, "select must be a list of rule names, not an empty list"),
        ("dockfix.yaml", "\njobs: 0\n", 2, "jobs must be a whole number from 1 on, not the number 0"),
        ("dockfix.yaml", "jobs: true\n", 1, "not true"),
        ("dockfix.yaml", f"jobs: {'9' * 5_000}\n", 1, "not the string '9999"),
        ("dockfix.yaml", f"unsafe: {'9' * 4_000}\n", 1, "not a number of more than 64 bits"),
        ("pyproject.toml", f"[tool.dockfix]\njobs = {'9' * 5_000}\n", None, "a number has too many digits"),
        ("pyproject.toml", f"[tool.dockfix]\na{'.a' * 40_000} = 1\n", 2, "more than 50 parts"),
        ("dockfix.yaml", "jobs:\n", 1, "not nothing"),
        ("dockfix.yaml", "jobs: 1\njobs: 2\n", 2, "is already defined above"),
        ("dockfix.yaml", "- a\n", 1, "must be a table"),
        ("dockfix.yaml", "a: [\n", 2, "is not valid YAML"),
        ("dockfix.yaml", "a: " + "[" * 5000, None, "is not valid YAML"),
        ("dockfix.yaml", "\nrules: [a]\n", 2, "a list of rules is now `select`; `rules` is a table"),
        ("dockfix.yaml", "rules: 1\n", 1, "rules must be a table with the options of rules"),
        ("dockfix.toml", 'skip = ["a"]\n', 1, "`skip` is now `ignore`"),
        ("dockfix.toml", "[uid-map]\na = 1\n", 1, "`uid-map` is now `users` of the table `rules.uid-map`"),
        ("dockfix.yaml", "image-lock: a\n", 1, "`image-lock` is now `lock-file` of the table `rules.image-pin`"),
        ("dockfix.yaml", "recommended-env: {}\n", 1, "is now `images` of the table `rules.recommended-env`"),
        ("pyproject.toml", "[tool.dockfix]\n\nunsave = true\n", 3, "did you mean 'unsafe'?"),
        ("pyproject.toml", "[x]\njobs = 1\n[tool.dockfix]\njobs = 'two'\n", 4, "not the string 'two'"),
        ("pyproject.toml", "[tool.dockfix\n", 1, "is not valid TOML"),
        ("pyproject.toml", "[tool]\ndockfix = 3\n", 2, "must be a table"),
    ],
)
def test_mistakes_name_their_line(tmp_path: Path, name: str, text: str, line: int | None, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        load_config(tmp_path, tmp_path)
    assert message in caught.value.message
    assert not caught.value.message.endswith("not a table")
    if line is not None:
        assert caught.value.line == line


def test_aliases_do_not_explode(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    (tmp_path / "dockfix.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match="too large or too deep"):
        load_config(tmp_path, tmp_path)


def test_a_file_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("jobs = 2\n")
    assert read_config(tmp_path / "mine.toml").jobs == 2
    (tmp_path / "mine.yml").write_text("jobs: 4\n")
    assert read_config(tmp_path / "mine.yml").jobs == 4
    with pytest.raises(InputError, match="does not exist"):
        read_config(tmp_path / "none.yaml")


def test_every_key_is_a_field() -> None:
    assert {name.replace("_", "-") for name in Config.__struct_fields__} - {"path", "line-of"} == set(KEYS)


_SAMPLES: list[object] = [
    [], ["x"], [1], [{}], [{"files": "x"}], True, False, 0, 1, 7, "x", "error", "none",
    {}, {"a": "b"}, {"a": 1}, {"a": {"b": 1}}, {"a": "info"}, {"a": ["b"]}, {"a": [1]},
]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in KEYS if name != "targets"])
def test_a_keys_schema_and_its_test_agree(name: str) -> None:
    assert [KEYS[name].accepts(value) for value in _SAMPLES] == [
        _is_valid(KEYS[name].schema, value) for value in _SAMPLES
    ]


_TABLES: list[object] = [
    [], [1], [{}], [{"files": "x"}], [{"files": "x", "context": "."}], [{"files": ["x"], "context": "."}],
    [{"files": [], "context": "."}], [{"files": [1], "context": "."}], [{"context": "."}],
    [{"files": "x", "context": 1}], [{"files": "x", "build-contexts": {"a": "b"}}],
    [{"files": "x", "build-contexts": {"a": 1}}], [{"files": "x", "contxt": "."}], {"files": "x", "context": "."},
]  # fmt: skip


@pytest.mark.parametrize("value", _TABLES)
def test_the_schema_of_targets_and_its_reader_agree(tmp_path: Path, value: object) -> None:
    (tmp_path / "dockfix.yaml").write_text(json.dumps({"targets": value}))
    try:
        read_config(tmp_path / "dockfix.yaml")
    except InputError:
        accepted = False
    else:
        accepted = True
    assert accepted == _is_valid(KEYS["targets"].schema, value)


_TYPES: dict[str, type] = {"array": list, "object": dict, "string": str, "integer": int, "boolean": bool}


def _is_valid(schema: Mapping[str, Any], value: object) -> bool:
    """JSON schema, as far as the schema of the configuration uses it."""
    kind = schema.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return False
    checks = ["enum" not in schema or value in schema["enum"]]
    checks += [any(_is_valid(each, value) for each in schema["anyOf"])] if "anyOf" in schema else []
    match value:
        case list():
            checks += [len(value) >= schema.get("minItems", 0)]
            checks += [_is_valid(schema.get("items", {}), item) for item in value]
        case dict():
            known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
            checks += [name in value for name in schema.get("required", ())]
            checks += [
                others is not False and _is_valid(others, item) if name not in known else _is_valid(known[name], item)
                for name, item in value.items()
            ]
        case int() if kind == "integer":
            checks += [value >= schema.get("minimum", value)]
    return all(checks)
