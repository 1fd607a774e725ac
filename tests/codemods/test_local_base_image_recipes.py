"""Build recipes of compose, bake and comments, and when two of them make the same image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.project.compose.builds import NamedContext
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, Target, load_project, target_for
from dockfix_codemods.local_base_image.build_comments import BuildComment
from dockfix_codemods.local_base_image.build_recipes import BuildRecipe, recipe_of_comment, recipes_of


def project(root: Path, files: Mapping[str, str], options: BuildOptions | None = None) -> Target:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return target_for(load_project(root), read_file(root / "docker/a/Dockerfile", root=root), options)


@pytest.mark.parametrize(
    ("command", "context"),
    [
        ("docker build -t a docker/a", "docker/a"),
        ("docker build -t a ./a", "docker/a"),
        ("docker build -t a .", "docker/a"),
        ("docker build -t a -f docker/a/Dockerfile .", ""),
        ("docker build -t a -f a/Dockerfile .", "docker"),
        ("docker build -t a -f Dockerfile ../..", ""),
        ("docker build -t a -f docker/a/Dockerfile docker", "docker"),
        # it builds another file, or leads out of the project
        ("docker build -t a docker", None),
        ("docker build -t a -f docker/b/Dockerfile .", None),
        ("docker build -t a -f Dockerfile ../../..", None),
        ("docker build -t a -f docker/a/Dockerfile nowhere", None),
        ("docker build -t a https://example.org/a.git", None),
        ("docker build -t a -", None),
    ],
)
def test_paths_of_a_comment_start_where_it_finds_its_file(tmp_path: Path, command: str, context: str | None) -> None:
    root = tmp_path / "project"
    target = project(root, {"docker/a/Dockerfile": "FROM scratch\n"})
    recipe = recipe_of_comment(target.project, target.real, BuildComment(("a",), command, 1))
    assert recipe.context == (None if context is None else root / context)
    assert recipe.dockerfile == (None if context is None else target.real)


def test_a_comment_that_fits_two_folders_is_unknown(tmp_path: Path) -> None:
    files = {"docker/a/Dockerfile": "FROM scratch\n", "docker/a/docker/x": "", "docker/x": ""}
    target = project(tmp_path, files)
    comment = BuildComment(("a",), f"docker build -t a -f {target.real} docker", 1)
    assert recipe_of_comment(target.project, target.real, comment).context is None


def test_target_arguments_and_options_of_a_comment(tmp_path: Path) -> None:
    target = project(tmp_path, {"docker/a/Dockerfile": "FROM scratch\n"})
    command = "docker build -t a --target x --build-arg A=1 --build-arg B --secret id=s --no-cache docker/a"
    recipe = recipe_of_comment(target.project, target.real, BuildComment(("a",), command, 3))
    assert (recipe.where, recipe.target) == ("docker/a/Dockerfile:3", "x")
    assert (recipe.args, recipe.options) == ({"A": "1", "B": None}, {"secret": None})


def test_all_recipes_of_a_file(tmp_path: Path) -> None:
    files = {
        "docker/a/Dockerfile": "# docker build -t a docker/a\nFROM scratch\n",
        "compose.yaml": (
            "services:\n  a:\n    build: {context: ., dockerfile: docker/a/Dockerfile}\n"
            "  b:\n    build: {context: '${DIR:-.}', dockerfile: docker/a/Dockerfile}\n"
        ),
    }
    found = recipes_of(project(tmp_path, files))
    assert [(each.where, each.context) for each in found] == [
        ("a (compose.yaml:3)", tmp_path),
        # another machine may have another folder in the variable
        ("b (compose.yaml:5)", None),
        ("docker/a/Dockerfile:1", tmp_path / "docker/a"),
    ]


def test_the_command_line_gives_a_context_and_named_contexts(tmp_path: Path) -> None:
    options = BuildOptions(context=tmp_path, build_contexts={"lib:latest": "./lib"})
    (plain,) = recipes_of(project(tmp_path, {"docker/a/Dockerfile": "FROM scratch\n"}, options))
    assert (plain.where, plain.context, list(plain.contexts)) == ("the command line", tmp_path, ["lib"])
    text = "# docker build -t a docker/a\nFROM scratch\n"
    (over,) = recipes_of(project(tmp_path, {"docker/a/Dockerfile": text}, options))
    assert (over.where, over.context, list(over.contexts)) == ("docker/a/Dockerfile:1", tmp_path, ["lib"])
    assert recipes_of(project(tmp_path, {"docker/a/Dockerfile": "FROM scratch\n"})) == ()


FOLDER = NamedContext("lib", "./lib", 3, "folder", Path("/p/lib"), True, source=Path("/p/compose.yaml"))
SERVICE = NamedContext("lib", "service:lib", 3, "service", None, None, source=Path("/p/compose.yaml"))
ONE = BuildRecipe("one", Path("/p/Dockerfile"), Path("/p"))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (ONE, replace(ONE, where="two"), True),
        (ONE, replace(ONE, target="x"), False),
        (ONE, replace(ONE, context=Path("/p/x")), False),
        (replace(ONE, args={"A": "1"}), replace(ONE, args={"A": "1"}), True),
        (replace(ONE, args={"A": "1"}), replace(ONE, args={"A": "2"}), False),
        (replace(ONE, args={"A": "1"}), ONE, False),
        # a value of the environment is the same only if one variable gives it
        (
            replace(ONE, args={"A": None}, raw_args={"A": None}),
            replace(ONE, args={"A": None}, raw_args={"A": None}),
            True,
        ),
        (replace(ONE, args={"A": None}, raw_args={"A": None}), replace(ONE, args={"A": None}), False),
        (
            replace(ONE, args={"A": None}, raw_args={"A": "$B"}),
            replace(ONE, args={"A": None}, raw_args={"A": "$C"}),
            False,
        ),
        (replace(ONE, args={"A": "1"}, raw_args={"A": "${B:-1}"}), replace(ONE, args={"A": "1"}), False),
        (replace(ONE, contexts={"lib": FOLDER}), replace(ONE, contexts={"lib": replace(FOLDER, line=9)}), True),
        (replace(ONE, contexts={"lib": FOLDER}), replace(ONE, contexts={"lib": SERVICE}), False),
        (replace(ONE, contexts={"lib": FOLDER}), ONE, False),
        (replace(ONE, contexts={"lib": SERVICE}), replace(ONE, contexts={"lib": SERVICE}), True),
        (
            replace(ONE, contexts={"lib": SERVICE}),
            replace(ONE, contexts={"lib": replace(SERVICE, source=Path("/p/other.yaml"))}),
            False,
        ),
        (replace(ONE, options={"network": "host"}), replace(ONE, options={"network": "host"}), True),
        (replace(ONE, options={"network": "host"}), ONE, False),
        (replace(ONE, options={"network": None}), replace(ONE, options={"network": None}), False),
    ],
)
def test_the_same_image(one: BuildRecipe, two: BuildRecipe, same: bool) -> None:
    assert one.same_image(two) is same
    assert two.same_image(one) is same
