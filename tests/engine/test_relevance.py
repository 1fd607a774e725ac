"""Which codemods have work in a file or a run, before their modules are imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.project import run_project
from dockfix.engine.relevance import may_apply, may_apply_to_project
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, Target, load_project, target_for
from dockfix.rule import Advice, Codemod, Finding, LazyFunction, Requires
from dockfix.rule.workspace import Workspace, collect_key
from tests.rule.samples import codemod

COMPOSE = "services: {web: {build: .}}\n"
BAKE = 'target "web" {}\n'


def collect(target: Target) -> int:
    """A part of a codemod that is named in the tests."""
    return len(target.text)


def never(_: Target) -> Iterator[Finding]:
    """A rewrite that must not be called."""
    raise AssertionError


def requiring(requires: Requires | None, *triggers: str) -> Codemod:
    return replace(codemod(never), triggers=triggers, requires=requires)


def workspace(root: Path, files: dict[str, str], options: BuildOptions | None = None) -> Workspace:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    paths = [root / name for name in files if name.endswith("Dockerfile")]
    return Workspace(load_project(root), tuple(read_file(path, root=root) for path in paths), options or BuildOptions())


def asked(requires: Requires | None, run: Workspace, *triggers: str) -> tuple[bool, bool]:
    """Whether a codemod concerns the first file of a run, and the run."""
    rule = requiring(requires, *triggers)
    target = target_for(run.project, run.files[0], run.build_options)
    return may_apply(rule, target, target.text.lower()), may_apply_to_project(rule, run.only(rule.could_apply))


def test_a_trigger_is_enough_where_nothing_is_needed_beside_it(tmp_path: Path) -> None:
    run = workspace(tmp_path, {"Dockerfile": "FROM a\n"})
    assert asked(None, run, "from") == (True, True)
    assert asked(None, run, "copy") == (False, False)
    assert asked(None, run) == (True, True)


def test_a_survey_without_a_trigger_in_a_dockerfile_may_speak_of_compose_files(tmp_path: Path) -> None:
    run = workspace(tmp_path, {"Dockerfile": "FROM a\n", "compose.yaml": COMPOSE})
    assert asked(None, run, "copy") == (False, True)


def test_a_compose_file_may_be_needed(tmp_path: Path) -> None:
    assert asked(Requires.COMPOSE, workspace(tmp_path / "a", {"Dockerfile": "FROM a\n"})) == (False, False)
    run = workspace(tmp_path / "b", {"Dockerfile": "FROM a\n", "docker-bake.hcl": BAKE})
    assert asked(Requires.COMPOSE, run) == (False, False)
    run = workspace(tmp_path / "c", {"Dockerfile": "FROM a\n", "compose.yaml": COMPOSE})
    assert asked(Requires.COMPOSE, run) == (True, True)


@pytest.mark.parametrize(
    ("files", "file", "run"),
    [
        ({"Dockerfile": "FROM a\n"}, False, False),
        ({"Dockerfile": "FROM a\nFROM b\n"}, True, True),
        ({"Dockerfile": "FROM a\nCOPY --from=b c d\n"}, True, True),
        ({"Dockerfile": "FROM a\n", "b/Dockerfile": "FROM a\n"}, False, True),
        ({"Dockerfile": "FROM a\n", "compose.yaml": COMPOSE}, True, True),
        ({"Dockerfile": "FROM a\n", "docker-bake.hcl": BAKE}, True, True),
    ],
)
def test_a_second_place_may_be_needed(tmp_path: Path, files: dict[str, str], file: bool, run: bool) -> None:
    assert asked(Requires.SECOND, workspace(tmp_path, files), "from") == (file, run)


def test_a_named_context_of_the_command_line_is_a_second_place(tmp_path: Path) -> None:
    run = workspace(tmp_path, {"Dockerfile": "FROM a\n"}, BuildOptions(build_contexts={"a": "docker-image://b"}))
    assert asked(Requires.SECOND, run, "from")[0]


@pytest.mark.parametrize(
    "name", [".dockerignore", "b/.dockerignore", "b/Dockerfile.dockerignore", "compose.yaml", "docker-bake.hcl", None]
)
def test_an_ignore_file_may_be_needed(tmp_path: Path, name: str | None) -> None:
    texts = {"compose.yaml": COMPOSE, "docker-bake.hcl": BAKE}
    others = (
        {name: texts.get(name, "x\n"), "c/.dockerignore": "x\n"} if name is not None else {"c/.dockerignore": "x\n"}
    )
    run = workspace(tmp_path, {"b/Dockerfile": "FROM a\n", **others})
    assert asked(Requires.IGNORE, run)[1] is (name is not None)
    run = replace(run, build_options=BuildOptions(context=Path("c")))
    assert asked(Requires.IGNORE, run)[1]


def test_a_function_that_is_named_is_the_function() -> None:
    named = LazyFunction(collect.__module__, collect.__qualname__)
    assert collect_key(named) == collect_key(collect)
    # `posixpath` takes the place of a module that a pack names
    assert LazyFunction("posixpath", "basename")("/a/b") == "b"
    assert replace(codemod(never), check=LazyFunction("nowhere.at_all", "rewrite"), page="").page == ""


def test_a_module_that_fails_to_load_is_a_defect_of_its_rule_alone(tmp_path: Path) -> None:
    def sound(target: Target) -> Iterator[Finding]:
        yield Advice(target.dockerfile.instructions[0].span, "seen")

    broken = replace(codemod(never, "broken"), check=LazyFunction("nowhere.at_all", "rewrite"))
    rules = (broken, codemod(sound, "sound"))
    run = workspace(tmp_path, {"Dockerfile": "FROM a\n"})
    (file,) = run_project(run, rules).files
    assert [found.rule for found in file.remaining] == ["sound"]
    assert [(each.rule, each.gate, each.message) for each in file.defects] == [
        ("broken", "crash", "ModuleNotFoundError: No module named 'nowhere'")
    ]
