"""Bake files: which target builds what, as buildx resolves it; no file hangs or crashes the reader."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from dockfix.project.bake import reader as bake_reader
from dockfix.project.bake.builds import BakeFile, is_bake_name, read_bake
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.discovery import find_named
from dockfix.project.files import Snapshot, read_file
from dockfix.project.target import find_project_root, load_project, target_for


def write(root: Path, text: str, name: str = "docker-bake.hcl") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def read(root: Path, text: str, name: str = "docker-bake.hcl") -> BakeFile:
    bake, problems = read_bake(write(root, text, name), Snapshot(root))
    assert problems == []
    assert not bake.broken
    return bake


def trouble(root: Path, text: str, name: str = "docker-bake.hcl") -> tuple[BakeFile, list[tuple[int | None, str]]]:
    bake, problems = read_bake(write(root, text, name), Snapshot(root))
    assert bake.broken
    return bake, [(problem.line, problem.message) for problem in problems]


def only(bake: BakeFile) -> BuildInvocation:
    (invocation,) = bake.invocations
    return invocation


def named(bake: BakeFile) -> dict[str, BuildInvocation]:
    return {invocation.service: invocation for invocation in bake.invocations}


def test_a_target(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    build = named(
        read(
            tmp_path,
            """
            # what we ship
            target "api" {
              context = "services"
              dockerfile = "api/Dockerfile"
              target = "run"
              tags = ["org/api:1", "org/api:latest", "org/api:1"]
              args = { A = "x", "B" : 2, C = true, D = null }
              contexts = {
                packages = "packages"
                gone = "./gone"
                base = "docker-image://debian:12"
                src = "https://github.com/org/src.git"
                other = "target:api2"
              }
            }
            target api2 {}
            """,
        )
    )["api"]
    assert (build.kind, build.service, build.line, build.target, build.inline) == ("bake", "api", 3, "run", False)
    assert (build.context, build.dockerfile) == (tmp_path / "services", tmp_path / "services" / "api" / "Dockerfile")
    assert (build.tags, build.image) == (("org/api:1", "org/api:latest"), "org/api:1")
    assert dict(build.args) == {"A": "x", "B": "2", "C": "true"}
    contexts = {
        name: (context.kind, context.line, context.path, context.exists)
        for name, context in build.additional_contexts.items()
    }
    assert contexts == {
        "packages": ("folder", 10, tmp_path / "packages", True),
        "gone": ("folder", 11, tmp_path / "gone", False),
        "base": ("image", 12, None, None),
        "src": ("remote", 13, None, None),
        "other": ("target", 14, None, None),
    }


def test_what_bake_takes_by_default(tmp_path: Path) -> None:
    build = only(read(tmp_path, 'target "app" {}\n', "deploy/docker-bake.hcl"))
    assert (build.context, build.dockerfile) == (tmp_path / "deploy", tmp_path / "deploy" / "Dockerfile")
    assert (build.tags, build.image, build.target, build.context_why) == ((), None, None, None)


def test_the_same_in_json(tmp_path: Path) -> None:
    data = {
        "variable": {"TAG": {"default": "1.2"}},
        "//": "a comment",
        "group": {"default": {"targets": ["api"]}},
        "target": {
            "api": {
                "context": ".",
                "dockerfile": "docker/Dockerfile",
                "tags": ["org/api:${TAG}"],
                "contexts": {"base": "target:base", "literal": "$${TAG}"},
                "args": {"N": 3, "OFF": None},
            },
            "base": {"dockerfile-inline": "FROM scratch"},
        },
    }
    bake = read(tmp_path, json.dumps(data, indent=2), "docker-bake.json")
    api, base = named(bake)["api"], named(bake)["base"]
    assert (api.line, api.image, dict(api.args)) == (16, "org/api:1.2", {"N": "3"})
    assert {name: context.value for name, context in api.additional_contexts.items()} == {
        "base": "target:base",
        "literal": "${TAG}",
    }
    assert (base.inline, base.dockerfile, base.context) == (True, None, tmp_path)


def test_inherits_in_order_each_over_the_one_before(tmp_path: Path) -> None:
    bake = read(
        tmp_path,
        """
        target "_one" {
          args = { A = "one", B = "one", C = "one" }
          tags = ["one"]
          contexts = { keep = "a", drop = "b" }
        }
        target "_two" {
          inherits = ["_zero"]
          args = { B = "two", C = "two" }
          dockerfile = "Two"
        }
        target "_zero" {
          args = { B = "zero", Z = "zero" }
          context = "zero"
        }
        target "app" {
          inherits = ["_one", "_two"]
          args = { C = "app", A = null }
          contexts = { drop = "" }
        }
        """,
    )
    build = only(bake)
    assert dict(build.args) == {"A": "one", "B": "two", "C": "app", "Z": "zero"}
    assert (build.context, build.dockerfile) == (tmp_path / "zero", tmp_path / "zero" / "Two")
    assert (build.tags, list(build.additional_contexts)) == (("one",), ["keep"])
    assert bake.targets["app"].inherits == ("_one", "_two")


@pytest.mark.parametrize(
    ("text", "builds"),
    [
        ('target "_common" {}\ntarget "a" { inherits = ["_common"] }', {"a"}),
        ('target "_alone" { context = "." }', set()),
        ('target "_named" {}\ngroup "g" { targets = ["_named"] }', {"_named"}),
        ('target "_linked" {}\ntarget "a" { contexts = { x = "target:_linked" } }', {"_linked", "a"}),
        ('target "meta" { tags = ["x"] }\ntarget "a" { inherits = ["meta"] }', {"a"}),
        ('target "base" { dockerfile = "x" }\ntarget "a" { inherits = ["base"] }', {"base", "a"}),
        ('target "image" { output = ["type=docker"] }\ntarget "a" { inherits = ["image"] }', {"image", "a"}),
        ('target "default" {}\ntarget "a" { inherits = ["default"] }', {"default", "a"}),
        ('target "alone" {}', {"alone"}),
    ],
)
def test_a_base_is_not_a_build(tmp_path: Path, text: str, builds: set[str]) -> None:
    bake = read(tmp_path, text)
    assert set(named(bake)) == builds
    assert {name for name, target in bake.targets.items() if target.builds} == builds


def test_variables_and_what_is_made_of_them(tmp_path: Path) -> None:
    build = only(
        read(
            tmp_path,
            """
            variable "TAG" { default = "1" }
            variable "EMPTY" {}
            variable "NOTHING" { default = null }
            variable "TYPED" { type = string }
            variable "NUMBER" {
              type = string
              default = 7
            }
            REPO = "org"
            FULL = "${REPO}/app"
            target "app" {
              context = NOTHING
              tags = ["${FULL}:${TAG}", "${FULL}:${TAG == "1" ? "one" : "other"}"]
              dockerfile = TYPED
              args = {
                EMPTY = EMPTY
                SUM = 1 + 2 * 3
                QUOTED = "a\\"b\\\\c\\n$${TAG} %%{if}"
                CHOICE = EMPTY != "" ? EMPTY : "none"
                NOT = !(1 > 2 && true)
                NUMBER = NUMBER
                SAME = target._other.args.X
                TEXT = <<-EOT
                    two ${TAG}
                      lines
                EOT
              }
            }
            target "_other" { args = { X = "y" } }
            """,
        )
    )
    assert build.tags == ("org/app:1", "org/app:one")
    assert (build.context, build.dockerfile) == (tmp_path, tmp_path / "Dockerfile")
    assert dict(build.args) == {
        "EMPTY": "",
        "SUM": "7",
        "QUOTED": 'a"b\\c\n${TAG} %{if}',
        "CHOICE": "none",
        "NOT": "true",
        "NUMBER": "7",
        "SAME": "y",
        "TEXT": "two 1\n  lines\n",
    }


@pytest.mark.parametrize(
    "expression",
    ["lower(X)", '"${lower(X)}"', "NOWHERE", "[for x in [1] : x][0]", '"%{ if true }a%{ endif }"', "LOOP", "1 == true",
     "BAKE_LOCAL_PLATFORM", "X.y", "[][0]"],
)  # fmt: skip
def test_what_is_not_evaluated_is_unknown(tmp_path: Path, expression: str) -> None:
    text = f"""
    variable "X" {{ default = "x" }}
    variable "LOOP" {{ default = LOOP }}
    target "app" {{
      tags = [{expression}, "known"]
      args = {{ A = {expression} }}
      contexts = {{ c = {expression} }}
    }}
    """
    build = only(read(tmp_path, text))
    assert (dict(build.args), build.tags, build.image) == ({"A": None}, ("known",), None)
    context = build.additional_contexts["c"]
    assert (context.kind, context.path, context.value) == ("unknown", None, expression)


def test_a_computed_context_says_so(tmp_path: Path) -> None:
    build = only(read(tmp_path, 'target "a" { context = dirname("x") }'))
    assert (build.context, build.dockerfile, build.context_why) == (None, None, 'the context dirname("x") is computed')


def test_computed_names_of_contexts_leave_the_context_unknown(tmp_path: Path) -> None:
    build = only(read(tmp_path, 'target "a" { contexts = merge({ a = "b" }, {}) }'))
    assert (build.context, dict(build.additional_contexts)) == (None, {})
    assert build.context_why == 'its named contexts are computed: merge({ a = "b" }, {})'
    assert build.dockerfile == tmp_path / "Dockerfile"  # it is still a build of this file


def test_a_matrix(tmp_path: Path) -> None:
    bake = read(
        tmp_path,
        """
        target "app" {
          name = "app-${item.tgt}-${mode}"
          matrix = {
            item = [{ tgt = "lint", file = "L" }, { tgt = "test", file = "T" }]
            mode = ["a", "b"]
          }
          dockerfile = item.file
          args = { MODE = mode }
        }
        group "default" { targets = ["app"] }
        target "after" { inherits = ["app-lint-a"] }
        """,
    )
    found = {i.service: (i.line, i.dockerfile and i.dockerfile.name, i.args["MODE"]) for i in bake.invocations}
    assert found == {
        "app-lint-a": (2, "L", "a"),
        "app-lint-b": (2, "L", "b"),
        "app-test-a": (2, "T", "a"),
        "app-test-b": (2, "T", "b"),
        "after": (12, "L", "a"),
    }
    assert {target.block for target in bake.targets.values()} == {"app", "after"}


def test_a_matrix_with_computed_names_keeps_its_targets_apart(tmp_path: Path) -> None:
    text = """
    target "v" {
      name = "v-${md5(f)}"
      matrix = { f = ["One", "Two"] }
      dockerfile = f
    }
    target "user" { inherits = ["v-0123"] }
    """
    bake = read(tmp_path, text)
    files = [(i.service, i.dockerfile and i.dockerfile.name) for i in bake.invocations]
    assert files == [("v", "One"), ("v", "Two"), ("user", "Dockerfile")]
    assert named(bake)["user"].context_why == "it inherits v-0123, which is not known"


@pytest.mark.parametrize("matrix", ["keys(x)", '{ n = split(",", "a,b") }', "{ n = [" + "1," * 100 + "1] }"])
def test_a_matrix_that_is_computed_or_too_large_leaves_its_target_out(tmp_path: Path, matrix: str) -> None:
    text = f'target "m" {{\n  matrix = {matrix}\n}}\ntarget "a" {{ inherits = ["m-1"] }}\n'
    bake, problems = read_bake(write(tmp_path, text), Snapshot(tmp_path))
    assert (set(bake.targets), bake.broken, problems) == ({"a"}, True, [])


def test_the_default_files_are_one(tmp_path: Path) -> None:
    write(
        tmp_path, '{"variable": {"TAG": {"default": "json"}}, "target": {"a": {"context": "json"}}}', "docker-bake.json"
    )
    main = write(tmp_path, 'target "a" { args = { V = "${TAG}" } }\ntarget "b" { inherits = ["a"] }\n')
    write(tmp_path, '{"variable": {"TAG": {"default": "override"}}}', "docker-bake.override.json")
    write(tmp_path, 'target "b" {\n  contexts = { x = "." }\n  tags = ["t"]\n}\n', "docker-bake.override.hcl")
    write(tmp_path, 'target "a" { context = "alone" }', "ci.bake.hcl")
    project = load_project(tmp_path)
    assert project.problems == ()
    found = {
        (i.source.name, i.service, i.context and i.context.name, i.args.get("V"), i.image) for i in project.invocations
    }
    assert found == {
        ("docker-bake.json", "a", "json", "override", None),
        ("docker-bake.hcl", "b", "json", "override", "t"),
        ("ci.bake.hcl", "a", "alone", None, None),
    }
    (b,) = [i for i in project.invocations if i.source == main]
    assert (b.line, b.additional_contexts["x"].line) == (2, 0)  # the line would be one of another file


def test_cwd_is_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub" / "lib").mkdir(parents=True)
    text = """
    target "a" {
      context = BAKE_CMD_CONTEXT
      dockerfile = "cwd://docker/Dockerfile"
      contexts = { lib = "cwd://lib", here = "cwd://" }
    }
    target "b" { context = "cwd://lib" }
    """
    bake = named(read(tmp_path, text, "sub/docker-bake.hcl"))
    assert (bake["a"].context, bake["a"].dockerfile) == (tmp_path / "sub", tmp_path / "sub" / "docker" / "Dockerfile")
    assert bake["b"].context == tmp_path / "sub" / "lib"
    contexts = bake["a"].additional_contexts
    assert (contexts["lib"].path, contexts["here"].path) == (tmp_path / "sub" / "lib", tmp_path / "sub")


@pytest.mark.parametrize("value", ["https://github.com/org/app.git", "git@github.com:org/app.git", "target:b", "-"])
def test_a_context_that_is_not_a_folder(tmp_path: Path, value: str) -> None:
    build = only(read(tmp_path, f'target "a" {{ context = "{value}" }}'))
    assert (build.context, build.dockerfile) == (None, None)
    assert build.context_why == f"the context {value} is not a folder of this project"


@pytest.mark.parametrize("value", ["../..", "/etc"])
def test_a_context_outside_the_project_is_a_problem(tmp_path: Path, value: str) -> None:
    bake, problems = trouble(tmp_path, f'target "ok" {{}}\ntarget "a" {{\n  context = "{value}"\n}}\n')
    assert problems == [(3, f"target a: the context {value} is outside the project")]
    assert (named(bake)["a"].context, named(bake)["ok"].context) == (None, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'target "a" { inherits = ["b"] }\ntarget "b" { inherits = ["a"] }',
            (1, "target a inherits itself: a > b > a"),
        ),
        ('target "a" { inherits = ["a"] }', (1, "target a inherits itself: a > a")),
        ('target "a" {}\ntarget "b" { inherits = ["c"] }', (2, "target b inherits the target c, which does not exist")),
        ('target "a" {}\ngroup "g" { targets = ["x"] }', (2, "group g has the target x, which does not exist")),
        (
            'group "g" { targets = ["h"] }\ngroup "h" { targets = ["g", "a"] }\ntarget "a" {}',
            (1, "group g contains itself: g > h > g"),
        ),
        (
            'target "a" { contexts = { x = "target:b" } }\ntarget "b" { contexts = { x = "target:a" } }',
            (1, "target a has a context of itself: a > b > a"),
        ),
        (
            'target "a" { contexts = { x = "target:y" } }',
            (1, "target a has a context of the target y, which does not exist"),
        ),
    ],
)
def test_names_that_lead_nowhere_or_in_circles(tmp_path: Path, text: str, expected: tuple[int, str]) -> None:
    bake, problems = trouble(tmp_path, text)
    assert problems == [expected]
    assert "a" in bake.targets


def test_what_a_missing_base_would_say_is_not_guessed(tmp_path: Path) -> None:
    bake, _ = trouble(tmp_path, 'target "a" { inherits = ["gone"] }')
    assert (only(bake).context, only(bake).dockerfile) == (None, tmp_path / "Dockerfile")
    assert only(bake).context_why == "it inherits gone, which is not known"


def test_the_target_of_the_metadata_action_comes_from_elsewhere(tmp_path: Path) -> None:
    build = only(read(tmp_path, 'target "a" { inherits = ["docker-metadata-action"] }'))
    assert (build.context, build.context_why) == (tmp_path, None)


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("docker-bake.hcl", 'a = 1\ntarget "a" {\n  b = [1, 2\n', 3, "the file ends in the middle of something"),
        ("docker-bake.hcl", 'target "a" {\n  context = = "."\n}\n', 2, "unexpected '= \".\"'"),
        ("docker-bake.hcl", 'target "a" {\n  context = "x\n"\n}\n', 2, "a string is not closed on its line"),
        ("docker-bake.hcl", 'target "a" { d = <<EOT\nFROM x\n', 1, "a heredoc is not closed"),
        ("docker-bake.json", '{\n  "target": {,}\n}', 2, "invalid JSON: expecting property name"),
        ("docker-bake.json", "[]", 1, "its top is not an object"),
        ("docker-bake.json", '{"a": NaN}', None, "invalid JSON: NaN is not JSON"),
        ("docker-bake.json", "[" * 100_000, 1, "is nested too deeply and is not read"),
        ("docker-bake.hcl", "a = " + "[" * 100_000, 1, "is nested too deeply and is not read"),
        ("docker-bake.hcl", "a = " + "1+" * 30_000 + "1\n", None, "is nested too deeply and is not read"),
        ("docker-bake.hcl", "#" * 200_000, None, "is larger than 128 KiB and is not read"),
        ("docker-bake.json", " " * 600_000, None, "is larger than 512 KiB and is not read"),
        ("docker-bake.hcl", "a = <<E\n" + "\n" * 100_000 + "x\nE\n", None, "blanks in a row"),
    ],
)
def test_bad_input_is_one_problem(tmp_path: Path, name: str, text: str, line: int | None, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    start = time.process_time()
    bake, problems = read_bake(path, Snapshot(tmp_path))
    assert time.process_time() - start < 10
    (problem,) = problems
    assert (problem.path, problem.line) == (str(path), line)
    assert message in problem.message
    assert "\n" not in problem.message
    assert bake == BakeFile(path, {}, (), broken=True)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "docker-bake.hcl"
    path.write_bytes(b'target "\xff" {}\n')
    _, problems = read_bake(path, Snapshot(tmp_path))
    assert [problem.message for problem in problems] == ["is not UTF-8 and is not read"]


def test_a_broken_override_leaves_the_rest(tmp_path: Path) -> None:
    main = write(tmp_path, 'target "a" {}\n')
    write(tmp_path, "target {", "docker-bake.override.hcl")
    bake, problems = read_bake(main, Snapshot(tmp_path))
    assert (problems, bake.broken, only(bake).service) == (
        [],
        True,
        "a",
    )  # the override tells of itself when it is read


def test_a_long_line_of_bases_is_read(tmp_path: Path) -> None:
    text = "".join(f'target "_t{n}" {{ inherits = ["_t{n + 1}"] }}\n' for n in range(300))
    build = only(read(tmp_path, text + 'target "_t300" { context = "deep" }\ntarget "a" { inherits = ["_t0"] }\n'))
    assert build.context == tmp_path / "deep"


def test_what_an_override_says_wrongly_is_reported_with_the_target(tmp_path: Path) -> None:
    write(tmp_path, 'target "a" { context = "../.." }\n', "docker-bake.override.hcl")
    _, problems = trouble(tmp_path, '# c\ntarget "a" {}\n')
    assert problems == [(2, "target a: the context ../.. is outside the project")]


LAUGHS = "".join(f'V{n} = "${{V{n - 1}}}${{V{n - 1}}}"\n' for n in range(1, 60))
MANY_BACK = "".join(
    f'target "t{n}" {{ inherits = [{", ".join(f"{chr(34)}t{m}{chr(34)}" for m in reversed(range(n)))}] }}\n'
    for n in reversed(range(90))
)
MANY = "".join(
    f'target "t{n}" {{ inherits = [{", ".join(f"{chr(34)}t{m}{chr(34)}" for m in range(n))}] }}\n' for n in range(90)
)
CHAIN = "".join(f'target "t{n}" {{ inherits = ["t{n + 1}"] }}\n' for n in range(2000)) + 'target "t2000" {}\n'


@pytest.mark.parametrize(
    "text",
    [
        f'V0 = "x"\n{LAUGHS}target "a" {{ context = V59 }}\n',
        MANY,
        MANY_BACK,
        CHAIN,
        "".join(f"V{n} = V{n + 1}\n" for n in range(3000)) + 'target "a" { context = V0 }\n',
        "a = (\n" + "\n" * 100_000 + "1)\n",
        'target "a" { context = "' + "$" * 100_000 + '" }\n',
        'target "a" {\n matrix = { x = [' + "1," * 99 + "1] }\n tags = [" + "x," * 20_000 + "x]\n}\n",
        "".join(f'target "a" {{ args = {{ A{n} = "b" }} }}\n' for n in range(2000)),
        "/*" + "/" * 100_000,
    ],
)
def test_no_file_can_hang_the_reader(tmp_path: Path, text: str) -> None:
    path = tmp_path / "docker-bake.hcl"
    path.write_text(text)
    start = time.process_time()
    read_bake(path, Snapshot(tmp_path))
    assert time.process_time() - start < 20


def test_too_much_to_evaluate_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [(1, "has targets that inherit or evaluate too much; some of it is not read")]
    with monkeypatch.context() as patch:
        patch.setattr("dockfix.project.bake.values._MAX_STEPS", 5)
        assert trouble(tmp_path, 'target "a" { tags = ["a", "b", "c", "d", "e"] }\n')[1] == said
    monkeypatch.setattr("dockfix.project.bake.builds._MAX_MERGED", 5)
    bake, problems = trouble(tmp_path, 'target "a" { args = { A = "", B = "", C = "", D = "", E = "" } }\n')
    assert (problems, bake.invocations) == (said, ())


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("docker-bake.hcl", True),
        ("docker-bake.json", True),
        ("docker-bake.override.hcl", True),
        ("docker-bake.override.json", True),
        ("docker-bake.dev.hcl", True),
        ("docker-bake-ci.hcl", True),
        ("bake.hcl", True),
        ("bake-base.hcl", True),
        ("ci.bake.hcl", True),
        ("app-bake.hcl", True),
        ("bake.json", False),
        ("docker-bake.dev.json", False),
        ("main.hcl", False),
        ("bakery.hcl", False),
        ("docker-bake.hcl.bak", False),
        ("terraform.hcl", False),
    ],
)
def test_names(name: str, taken: bool) -> None:
    assert is_bake_name(name) is taken


def test_finding(tmp_path: Path) -> None:
    for name in ("docker-bake.hcl", "a/ci.bake.hcl", "node_modules/docker-bake.hcl", "x.hcl", "1/2/3/4/5/6/7/bake.hcl"):
        write(tmp_path, "", name)
    assert find_named(tmp_path, is_bake_name)[0] == [tmp_path / "docker-bake.hcl", tmp_path / "a" / "ci.bake.hcl"]


def test_a_project_knows_its_bake_files(tmp_path: Path) -> None:
    write(tmp_path, "FROM scratch\n", "api/Dockerfile")
    write(tmp_path, 'target "api" { context = "api" }\ntarget "again" { context = "./api" }\n')
    write(tmp_path, "services: {web: {build: api}}", "compose.yaml")
    write(tmp_path, "target {", "other/bake.hcl")
    project = load_project(tmp_path)
    assert [(i.kind, i.service) for i in project.invocations] == [
        ("compose", "web"),
        ("bake", "api"),
        ("bake", "again"),
    ]
    assert [file.path.name for file in project.bake_files] == ["docker-bake.hcl", "bake.hcl"]
    assert [(problem.path, problem.line) for problem in project.problems] == [("other/bake.hcl", 1)]
    target = target_for(project, read_file(tmp_path / "api" / "Dockerfile", root=tmp_path))
    assert target.context is not None
    assert target.context_why == (
        "compose service web (compose.yaml) and bake targets api (docker-bake.hcl), again (docker-bake.hcl)"
    )
    assert find_project_root(tmp_path / "api" / "Dockerfile") == tmp_path


def test_a_bake_file_is_read_with_the_changes_of_the_run(tmp_path: Path) -> None:
    path = write(tmp_path, 'target "a" {}\n')
    files = Snapshot(tmp_path).with_changes({path: 'target "b" {}\n'})
    assert only(read_bake(path, files)[0]).service == "b"


def test_a_project_without_bake_files_does_not_load_their_parser(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, dockfix.project.target as t; t.load_project(pathlib.Path(sys.argv[1]));"
        "print(sorted({'hcl2', 'lark'} & set(sys.modules)))"
    )
    source = Path(bake_reader.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(source)},
    )
    assert done.stdout == "[]\n"


def test_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    path = tmp_path / "docker-bake.hcl"
    path.write_bytes('\ufeff# one\r\ntarget "a" {\r\n  dockerfile = "D"\r\n  x = <<E\r\ny\r\nE\r\n}'.encode())
    bake, problems = read_bake(path, Snapshot(tmp_path))
    assert (problems, only(bake).line, only(bake).dockerfile) == ([], 2, tmp_path / "D")


def test_the_tree_has_the_places_of_what_it_holds() -> None:
    text = '# c\ntarget "a" {\n  context = ("x") // d\n  args = { "k" : [1, -2] }\n  n = a.b[0] ? 1 : f(2) /* e */\n}\n'
    document = bake_reader.parse_bake(text, json=False)
    (block,) = document.body.blocks
    pieces = [text[each.span.start : each.span.end] for each in block.body.attributes]
    assert pieces == ['context = ("x")', 'args = { "k" : [1, -2] }', "n = a.b[0] ? 1 : f(2)"]
    assert text[block.span.start : block.span.end] == text[4:-1]
    assert document.comments == ("# c", "// d", "/* e */")


def test_what_else_a_target_says_is_its_options(tmp_path: Path) -> None:
    bake = read(
        tmp_path,
        """
        variable "NET" { default = "host" }
        target "_base" {
          platforms  = ["linux/amd64", "linux/arm64"]
          secret     = ["id=a"]
          labels     = { a = "1", b = "1" }
          cache-from = ["type=gha"]
          no-cache   = true
        }
        target "app" {
          inherits  = ["_base"]
          platforms = ["linux/arm64"]
          secret    = ["id=b"]
          labels    = { b = "2" }
          network   = NET
          shm-size  = timestamp()
          output    = ["type=docker"]
        }
        target "plain" {
          inherits = ["docker-metadata-action"]
          args     = merge({}, {})
        }
        """,
    )
    assert named(bake)["app"].options == {
        "platforms": ("linux/arm64",),
        "secret": ("id=a", "id=b"),
        "labels": (("a", "1"), ("b", "2")),
        "network": "host",
        "shm-size": None,
    }
    # a CI action may set labels, and what is computed may be any argument
    assert named(bake)["plain"].options == {"labels": None, "args": None}
