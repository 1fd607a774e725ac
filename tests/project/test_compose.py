"""Compose files: who builds what, by the specification; and that no file can hang or break the reader."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from dockfix.project import compose as module
from dockfix.project.compose import (
    BuildInvocation,
    ComposeFile,
    ContextKind,
    context_kind,
    find_compose_files,
    interpolate,
    is_compose_name,
    read_compose,
)
from dockfix.project.problems import InputProblem
from dockfix.project.snapshot import Snapshot


def write(root: Path, text: str, name: str = "compose.yaml") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def read(root: Path, text: str, name: str = "compose.yaml") -> ComposeFile:
    compose, problems = read_compose(write(root, text, name), Snapshot(root))
    assert problems == []
    return compose


def only(compose: ComposeFile) -> BuildInvocation:
    (invocation,) = compose.invocations
    return invocation


def test_short_form(tmp_path: Path) -> None:
    compose = read(tmp_path, "services:\n  api:\n    image: org/api:1\n    build: ./api\n  db: {image: postgres}\n")
    build = only(compose)
    assert (build.service, build.line, build.image, build.inline) == ("api", 4, "org/api:1", False)
    assert (build.context, build.dockerfile) == (tmp_path / "api", tmp_path / "api" / "Dockerfile")
    assert (build.target, dict(build.args), dict(build.additional_contexts)) == (None, {}, {})
    assert {name: (service.line, service.builds) for name, service in compose.services.items()} == {
        "api": (2, True),
        "db": (5, False),
    }


def test_long_form(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    build = only(
        read(
            tmp_path,
            """\
            services:
              api:
                build:
                  context: api
                  dockerfile: ../docker/api.Dockerfile
                  target: runtime
                  args: [A=1, B, "C=x=y", "D=${D}", E=]
                  additional_contexts:
                    packages: ./packages
                    missing: ../nope
                    base: docker-image://alpine:3
                    other: service:base
                    web: https://example.invalid/x.git
            """,
        )
    )
    assert build.dockerfile == tmp_path / "docker" / "api.Dockerfile"
    assert build.target == "runtime"
    assert dict(build.args) == {"A": "1", "B": None, "C": "x=y", "D": None, "E": ""}
    contexts = build.additional_contexts
    assert (contexts["packages"].path, contexts["packages"].exists) == (tmp_path / "packages", True)
    assert contexts["packages"].line == 9
    assert (contexts["missing"].kind, contexts["missing"].path, contexts["missing"].exists) == ("folder", None, None)
    assert [contexts[name].kind for name in ("base", "other", "web")] == ["image", "service", "remote"]
    assert contexts["base"].value == "docker-image://alpine:3"


def test_additional_contexts_as_a_list(tmp_path: Path) -> None:
    text = "services: {a: {build: {context: ., additional_contexts: ['p=./x', 'q=${Q}', 'r=${R:-./r}']}}}"
    contexts = only(read(tmp_path, text)).additional_contexts
    assert (contexts["p"].kind, contexts["p"].path, contexts["p"].exists) == ("folder", tmp_path / "x", False)
    assert (contexts["q"].kind, contexts["q"].value) == ("unknown", "${Q}")
    assert contexts["r"].value == "./r"


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    build = only(
        read(
            tmp_path, "services: {a: {build: {context: ../app, additional_contexts: {p: ../p}}}}", "deploy/compose.yml"
        )
    )
    assert build.context == tmp_path / "app"
    assert build.additional_contexts["p"].path == tmp_path / "p"


def test_values_as_compose_hands_them_on(tmp_path: Path) -> None:
    text = "services: {a: {build: {context: ., args: {I: 1, F: 1.10, B: true, N: null, E: , S: '1.10', G: 3.0}}}}"
    args = dict(only(read(tmp_path, text)).args)
    assert args == {"I": "1", "F": "1.1", "B": "true", "N": None, "E": None, "S": "1.10", "G": "3"}


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    compose = read(
        tmp_path,
        """\
        x-args: &args {A: "1", B: "2"}
        x-build: &build
          context: app
          args: *args
        x-more: &more {target: dev, context: other}
        services:
          one: {build: *build}
          two:
            build:
              <<: [*build, *more]
              args:
                <<: *args
                B: "3"
        """,
    )
    one, two = compose.invocations
    assert (one.context, dict(one.args)) == (tmp_path / "app", {"A": "1", "B": "2"})
    assert (two.context, two.target, dict(two.args)) == (tmp_path / "app", "dev", {"A": "1", "B": "3"})


def test_extends(tmp_path: Path) -> None:
    write(
        tmp_path,
        "services: {base: {build: {context: ., target: dev, args: {A: '1', B: '1'}}, user: '1000'}}",
        "common/base.yml",
    )
    compose = read(
        tmp_path,
        """\
        services:
          a:
            extends: {file: common/base.yml, service: base}
            build: {target: prod, args: {B: "2"}}
          b: {extends: a, image: b}
          c: {extends: {service: c}, image: c}
        """,
    )
    a, b = compose.invocations
    assert (a.context, a.target, dict(a.args)) == (tmp_path / "common", "prod", {"A": "1", "B": "2"})
    assert (b.service, b.context, b.target, b.image) == ("b", tmp_path / "common", "prod", "b")
    assert compose.services["b"].user == "1000"


def test_an_additional_file_is_laid_over_the_main_one(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: {context: app, args: {A: '1'}}, image: x}, b: {build: b}}")
    override = read(
        tmp_path, "services: {a: {build: {target: dev, args: {B: '2'}}}, b: {build: other}}", "compose.override.yaml"
    )
    a, b = override.invocations
    assert (a.context, a.target, dict(a.args), a.image) == (tmp_path / "app", "dev", {"A": "1", "B": "2"}, "x")
    assert b.context == tmp_path / "other"


def test_a_build_without_a_context_has_the_project_folder(tmp_path: Path) -> None:
    assert only(read(tmp_path, "services: {a: {build: {target: x}}}")).context == tmp_path


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (
            "https://example.invalid/repo.git",
            "the context https://example.invalid/repo.git is not a folder of this project",
        ),
        ("github.com/org/repo", "the context github.com/org/repo is not a folder of this project"),
        ("git@example.invalid:org/repo", "the context git@example.invalid:org/repo is not a folder of this project"),
        ("${DIR}", "the context ${DIR} depends on a variable without a default"),
        ("../..", "the context ../.. lies outside the project"),
    ],
)
def test_contexts_that_are_not_known(tmp_path: Path, build: str, why: str) -> None:
    invocation = only(read(tmp_path, f"services: {{a: {{build: '{build}'}}}}"))
    assert (invocation.context, invocation.context_why, invocation.dockerfile) == (None, why, None)


def test_inline_dockerfile(tmp_path: Path) -> None:
    build = only(read(tmp_path, "services: {a: {build: {context: ., dockerfile_inline: 'FROM x'}}}"))
    assert (build.inline, build.dockerfile, build.context) == (True, None, tmp_path)


@pytest.mark.parametrize("build", ["null", "", "!reset null"])
def test_no_build(tmp_path: Path, build: str) -> None:
    compose = read(tmp_path, f"services:\n  a:\n    image: x\n    build: {build}\n")
    assert compose.invocations == ()
    assert not compose.services["a"].builds


def test_service_facts(tmp_path: Path) -> None:
    compose = read(
        tmp_path,
        """\
        services:
          a:
            image: ${IMAGE:-org/a:1}
            user: 1000:1000
            depends_on: {db: {condition: service_healthy}}
            environment: ["A=1", "B=${B}", C]
            healthcheck:
              test: ["CMD", "curl", "-f", "http://localhost"]
              interval: 30s
              retries: 3
          b:
            depends_on: [a, db]
            environment: {A: 1, B: }
            healthcheck: {test: "curl $$HOST ${PORT}", disable: true}
          db: {image: "db:${TAG}"}
        """,
    )
    a, b, db = compose.services.values()
    assert (a.image, a.user, tuple(d.name for d in a.depends_on), dict(a.environment)) == (
        "org/a:1",
        "1000:1000",
        ("db",),
        {"A": "1", "B": None, "C": None},
    )
    assert a.healthcheck is not None
    assert (a.healthcheck.line, a.healthcheck.test) == (7, ("CMD", "curl", "-f", "http://localhost"))
    assert (a.healthcheck.interval, a.healthcheck.retries, a.healthcheck.timeout) == ("30s", "3", None)
    assert (tuple(d.name for d in b.depends_on), dict(b.environment)) == (("a", "db"), {"A": "1", "B": None})
    assert b.healthcheck is not None
    assert (b.healthcheck.test, b.healthcheck.raw_test, b.healthcheck.disable) == (None, "curl $$HOST ${PORT}", True)
    assert db.image is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$$x", "$x"),
        ("a${X:-b}c", "abc"),
        ("${X-b}", "b"),
        ("${X:-}", ""),
        ("${X:-${Y:-z}}-", "z-"),
        ("${X:-${Y}}", None),
        ("$X", None),
        ("${X}", None),
        ("${X:?needed}", None),
        ("${X:+y}", None),
        ("${X", None),
        ("${X:-y", None),
        ("cost: 5$", None),
        ("${X:-a}${Y:-b}", "ab"),
        ("${X:-" * 50 + "}" * 50, None),
    ],
)
def test_interpolation(text: str, expected: str | None) -> None:
    assert interpolate(text) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("./x", "folder"),
        ("/abs", "folder"),
        ("docker-image://x", "image"),
        ("service:x", "service"),
        ("target:x", "target"),
        ("http://x", "remote"),
        ("ssh://x", "remote"),
        ("oci-layout://x", "unknown"),
    ],
)
def test_context_kind(value: str, kind: ContextKind) -> None:
    assert context_kind(value) == kind


def broken(root: Path, text: str) -> InputProblem:
    path = write(root, text)
    start = time.perf_counter()
    compose, problems = read_compose(path, Snapshot(root))
    assert time.perf_counter() - start < 10
    assert (compose.invocations, len(problems)) == ((), 1)
    assert problems[0].path == str(path)
    return problems[0]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("services:\n  a: [\n", 3, "invalid YAML"),
        ("services:\n\ta: b\n", 2, "invalid YAML"),
        ("a: *nope\n", 1, "invalid YAML"),
        ("- a\n", 1, "not a mapping"),
        ("just text", 1, "not a mapping"),
        ("a: b: c", 1, "invalid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "invalid YAML"),
        ("a: \x01", None, "invalid YAML"),
        ("a: " + "[" * 100_000, None, "nested too deeply"),
        ("a: " + "{a: " * 1000, None, "nested too deeply"),
        ("- " * 5000 + "x", None, "nested too deeply"),
        ("#" * (300 * 1024), None, "larger than"),
    ],
)
def test_what_is_no_compose_file_is_one_problem(tmp_path: Path, text: str, line: int | None, word: str) -> None:
    problem = broken(tmp_path, text)
    assert word in problem.message
    assert problem.line == line
    assert "\n" not in problem.message


def test_too_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_NODES", 100)
    assert "too many values" in broken(tmp_path, "a: [" + "x, " * 100 + "]").message


BOMB = ["a0: &a0 {x: y}"]
BOMB += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], k{i}: 1}}" for i in range(1, 30)]


@pytest.mark.parametrize(
    "services",
    [
        "  s:\n    build: *a29\n    environment: {<<: *a29}",
        "\n".join(f"  s{i}: {{build: *a5}}" for i in range(300)),
        "  base: {build: *a5}\n" + "\n".join(f"  s{i}: {{extends: base}}" for i in range(300)),
    ],
)
def test_a_bomb_of_aliases_does_not_go_off(tmp_path: Path, services: str) -> None:
    path = write(tmp_path, "\n".join([*BOMB, "services:", services]))
    start = time.perf_counter()
    _, problems = read_compose(path, Snapshot(tmp_path))
    assert time.perf_counter() - start < 10
    assert ["expand to too many values" in problem.message for problem in problems] == [True]


def test_a_mapping_within_itself(tmp_path: Path) -> None:
    compose = read(tmp_path, "services: &s\n  a: *s\n  b: {build: .}\n  c: &c {<<: *c, image: x}\n")
    assert [invocation.service for invocation in compose.invocations] == ["b"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "services:\n", "services: []\n", "services: {a: , b: 1, c: []}\n", "{1: 2, [a]: b}"]
)
def test_odd_files_do_no_harm(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).invocations == ()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    compose, problems = read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))
    assert compose.services == {}
    assert [problem.message for problem in problems] == ["does not exist"]


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes(b"a: \xff\n")
    assert "not UTF-8" in read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))[1][0].message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compose.yaml", True),
        ("compose.yml", True),
        ("docker-compose.yml", True),
        ("docker-compose.override.yaml", True),
        ("docker-compose-dev.yml", True),
        ("compose.dev.yaml", True),
        ("composer.json", False),
        ("composer.yml", False),
        ("compose.yaml.bak", False),
        ("my-compose.yml", False),
    ],
)
def test_names(name: str, expected: bool) -> None:
    assert is_compose_name(name) is expected


def test_find(tmp_path: Path) -> None:
    for name in (
        "compose.yaml",
        "deploy/docker-compose.dev.yml",
        "node_modules/x/compose.yaml",
        "a/b/c/d/e/f/g/h/compose.yaml",
    ):
        write(tmp_path, "", name)
    found = [path.relative_to(tmp_path).as_posix() for path in find_compose_files(tmp_path)]
    assert found == ["compose.yaml", "deploy/docker-compose.dev.yml"]
