"""Invalid compose files: one clear problem each, the rest is read, and nothing hangs or crashes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dockfix.project import yaml_tree
from dockfix.project.compose import loader as compose_loader
from dockfix.project.compose.builds import read_compose, read_project_compose
from dockfix.project.files import Snapshot
from dockfix.project.problems import InputProblem
from tests.project.composing import read, write


def broken(root: Path, text: str) -> InputProblem:
    path = write(root, text)
    start = time.process_time()
    compose, problems = read_compose(path, Snapshot(root))
    assert time.process_time() - start < 10
    assert (compose.invocations, compose.broken, len(problems)) == ((), True, 1)
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
        ("services: 1", 1, "services is not a mapping"),
        ("services: [a]", 1, "services is not a mapping"),
        ("include: 1", 1, "include is not a list"),
        ("services:\n  a:\n    image: x\n    image: y\n", 4, "given a second time"),
        ("a: 1\n---\n- b\n", 3, "not a mapping"),
        ("a: \x01", None, "invalid YAML"),
        ("a: " + "[" * 100_000, None, "nested too deeply"),
        ("a: " + "{a: " * 1000, None, "nested too deeply"),
        ("- " * 5000 + "x", None, "nested too deeply"),
        ("#" * (300 * 1024), None, "larger than"),
    ],
)
def test_an_invalid_compose_file_is_one_problem(tmp_path: Path, text: str, line: int | None, word: str) -> None:
    problem = broken(tmp_path, text)
    assert word in problem.message
    assert problem.line == line
    assert "\n" not in problem.message


def test_too_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_tree, "_MAX_NODES", 100)
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
    start = time.process_time()
    _, problems = read_compose(path, Snapshot(tmp_path))
    assert time.process_time() - start < 10
    assert ["expand to too many values" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "services: &s\n  a: *s\n  b: {build: .}\n",
        "services:\n  c: &c {<<: *c, image: x}\n  b: {build: .}\n",
        "services:\n  c: {build: {args: &c [*c]}}\n  b: {build: .}\n",
    ],
)
def test_a_value_within_itself(tmp_path: Path, text: str) -> None:
    compose, problems = read_compose(write(tmp_path, text), Snapshot(tmp_path))
    assert compose.invocations[-1].service == "b"
    assert ["an alias inside the value that it refers to" in problem.message for problem in problems] == [True]
    assert compose.broken


def test_aliases_that_nest_deeply(tmp_path: Path) -> None:
    text = "x: [&a0 {}\n" + "".join(f", &a{i} {{k: *a{i - 1}}}\n" for i in range(1, 5000)) + "]\n"
    assert "nested too deeply" in broken(tmp_path, text + "services: {a: {build: {args: *a4999}}}").message


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "services:\n", "services: {a: , b: {}}\n", "{1: 2, [a]: b}", "---\n---\n"]
)
def test_odd_files_do_no_harm(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).invocations == ()


@pytest.mark.parametrize("service", ["1", "[a]", "text"])
def test_a_service_that_is_not_a_mapping(tmp_path: Path, service: str) -> None:
    compose, problems = read_compose(
        write(tmp_path, f"services:\n  a: {service}\n  b: {{build: .}}\n"), Snapshot(tmp_path)
    )
    assert [each.service for each in compose.invocations] == ["b"]
    assert [(each.line, each.message) for each in problems] == [(2, "the service a is not a mapping")]
    assert compose.broken


@pytest.mark.parametrize(
    "build",
    ["[a]", "{context: [a]}", "{context: {a: b}}", "{context: ., dockerfile: [a]}", "{context: ., args: 1, target: []}",
     "{context: ., args: [[a], {b: c}, 1], additional_contexts: [x, {y: z}, [w]]}", "{context: \"a\\0b\"}"],
)  # fmt: skip
def test_odd_builds_do_no_harm(tmp_path: Path, build: str) -> None:
    compose, _ = read_compose(
        write(tmp_path, f"services: {{a: {{build: {build}}}, b: {{build: .}}}}"), Snapshot(tmp_path)
    )
    assert compose.invocations[-1].service == "b"
    write(tmp_path, f"services: {{a: {{build: {build}}}, b: {{build: {{target: t}}}}}}", "compose.override.yaml")
    compose, _ = read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))
    assert compose.invocations[-1].target == "t"


def problems_of(root: Path, *, others: bool = False) -> list[tuple[str, int | None, str]]:
    """What is wrong with a project, in which only `compose.yaml` cannot be read; its service `ok` builds."""
    start = time.process_time()
    files, problems = read_project_compose(Snapshot(root))
    assert time.process_time() - start < 10
    main = next(file for file in files if file.path == root / "compose.yaml")
    assert main.broken
    assert "ok" in [each.service for each in main.invocations]
    assert [file.broken for file in files if file.path != main.path] == [others] * (len(files) - 1)
    return [(Path(each.path).relative_to(root).as_posix(), each.line, each.message) for each in problems]


OK = "  ok: {build: .}\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("  c: {extends: {service: c}, image: c}", 3, "extends c, which extends it in turn"),
        ("  c: {extends: d}\n  d: {extends: c}", 4, "extends c, which extends it in turn"),
        ("  c: {extends: nope}", 3, "extends the service nope, which does not exist"),
        ("  c: {extends: '${NOPE}'}", 3, "extends ${NOPE}, whose variables are not given"),
        ("  c: {extends: {file: other.yml}}", 3, "extends no service"),
        ("  c: {extends: {file: nope.yml, service: a}}", 3, "extends nope.yml, which does not exist"),
        ("  c: {extends: {file: sub, service: a}}", 3, "extends sub, which is not a file"),
        ("  c: {extends: {file: ../x.yml, service: a}}", 3, "extends ../x.yml, which is outside the project"),
        ("  c: {extends: {file: ~/x.yml, service: a}}", 3, "extends ~/x.yml, which is outside the project"),
        ("  c: {extends: {file: $F, service: a}}", 3, "extends $F, whose variables are not given"),
        ("  c: {extends: {file: [a], service: a}}", 3, "extends what is not a file name"),
        (
            "  c: {extends: {file: other.yml, service: b}}",
            3,
            "extends the service b of other.yml, which does not exist",
        ),
        (
            "  c: {extends: {file: 'https://h/x', service: b}}",
            3,
            "extends https://h/x, which is remote and is not read",
        ),
        ("include: [nope.yml]", 3, "includes nope.yml, which does not exist"),
        ("include:\n  - sub", 4, "includes sub, which is not a file"),
        ("include:\n  - path: [other.yml, ../x.yml]", 4, "includes ../x.yml, which is outside the project"),
        ("include: ['${NOPE}/x.yml']", 3, "includes ${NOPE}/x.yml, whose variables are not given"),
        ("include: [oci://x/y]", 3, "includes oci://x/y, which is remote and is not read"),
        ("include: [{project_directory: x}]", 3, "includes no file"),
        ("include: [{path: other.yml, env_file: nope.env}]", 3, "takes variables from nope.env, which does not exist"),
        ("include: compose.yaml", 3, "include is not a list"),
        ("include: [compose.yaml]", 3, "includes compose.yaml, which includes this file in turn"),
    ],
)
def test_what_a_file_refers_to(tmp_path: Path, text: str, line: int, message: str) -> None:
    write(tmp_path, "services: {a: {build: .}}", "other.yml")
    (tmp_path / "sub").mkdir()
    write(tmp_path, "services:\n" + OK + text)
    assert problems_of(tmp_path) == [("compose.yaml", line, message)]


def test_extending_in_a_circle_of_files(tmp_path: Path) -> None:
    write(tmp_path, "services:\n  a: {extends: {file: b.yml, service: b}}\n" + OK)
    write(tmp_path, "services: {b: {extends: {file: c/c.yml, service: c}}}", "b.yml")
    write(tmp_path, "services:\n  c:\n    extends: {file: ../compose.yaml, service: a}\n", "c/c.yml")
    assert problems_of(tmp_path) == [("c/c.yml", 3, "extends a, which extends it in turn")]


def test_including_in_a_circle_of_files(tmp_path: Path) -> None:
    write(tmp_path, "include: [b.yml]\nservices:\n" + OK)
    write(tmp_path, "include: [{path: [c/d.yml, c/c.yml]}]\nservices: {b: {build: b}}", "b.yml")
    write(tmp_path, "services: {}", "c/d.yml")
    write(tmp_path, "include:\n  - ../b.yml\n", "c/c.yml")
    assert problems_of(tmp_path) == [("c/c.yml", 2, "includes ../b.yml, which includes this file in turn")]


def test_a_bad_file_that_others_use_is_one_problem(tmp_path: Path) -> None:
    write(tmp_path, "a: [", "bad.yml")
    write(tmp_path, "include: [bad.yml]\nservices:\n  a: {extends: {file: bad.yml, service: a}}\n" + OK)
    ((path, line, message),) = problems_of(tmp_path)
    assert (path, line) == ("bad.yml", 1)
    assert message.startswith("invalid YAML")


def test_includes_that_multiply(tmp_path: Path) -> None:
    """Each file includes the next one twice, with variables that differ all the way down."""
    for i in range(25):
        write(tmp_path, f"A{i}=1", f"e{i}.env")
        write(tmp_path, f"include: [f{i + 1}.yml, {{path: f{i + 1}.yml, env_file: e{i}.env}}]", f"f{i}.yml")
    write(tmp_path, "services: {z: {build: .}}", "f25.yml")
    write(tmp_path, "include: [f0.yml]\nservices:\n" + OK)
    assert [each[2] for each in problems_of(tmp_path)] == ["includes more than 500 files; the rest is not read"]


def test_includes_and_extends_that_go_deep(tmp_path: Path) -> None:
    for i in range(100):
        write(tmp_path, f"include: [f{i + 1}.yml]", f"f{i}.yml")
    write(tmp_path, "services: {}", "f100.yml")
    chain = "".join(f"  s{i}: {{extends: s{i + 1}}}\n" for i in range(200)) + "  s200: {build: .}\n"
    write(tmp_path, "include: [f0.yml]\nservices:\n" + OK + chain)
    found = problems_of(tmp_path)
    assert "includes more than 30 files one within the other" in [each[2] for each in found]
    assert "extends more than 50 services one after the other" in [each[2] for each in found]


def test_large_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_loader, "_MAX_CONVERTED", 500)
    write(tmp_path, "services: {a: {environment: [" + "x, " * 300 + "]}}", "large.yml")
    write(tmp_path, "include: [large.yml, {path: large.yml, project_directory: x}]\nservices:\n" + OK)
    ((path, _, message),) = problems_of(tmp_path)
    assert (path, "too many values" in message) == ("large.yml", True)


def test_values_of_two_forms(tmp_path: Path) -> None:
    write(tmp_path, "services:\n  ok:\n    profiles: {a: b}\n", "compose.override.yaml")
    write(tmp_path, "services:\n  ok: {build: ., profiles: [a]}\n")
    message = "profiles has another form than the value it overrides, which compose refuses"
    assert problems_of(tmp_path) == [("compose.override.yaml", 3, message)]


@pytest.mark.parametrize(
    ("context", "shown"), [("../..", "../.."), ("/etc", "/etc"), ("~/x", "~/x"), ("../$SECRET", "../$SECRET")]
)
def test_a_context_outside_the_project(tmp_path: Path, context: str, shown: str) -> None:
    root = tmp_path / "root"
    write(root, "SECRET=hidden", ".env")
    write(root, f"services:\n  a:\n    build:\n      context: {context}\n  b: {{build: .}}\n")
    (compose,), problems = read_project_compose(Snapshot(root))
    assert [(each.line, each.message) for each in problems] == [(4, f"the context {shown} is outside the project")]
    a, b = compose.invocations
    assert (a.context, a.context_why, a.dockerfile) == (None, problems[0].message, None)
    assert (b.context, compose.broken) == (root, False)


def test_a_dockerfile_outside_the_project(tmp_path: Path) -> None:
    write(tmp_path, "services:\n  a:\n    build: {context: ., dockerfile: ../Dockerfile}\n")
    (compose,), problems = read_project_compose(Snapshot(tmp_path))
    assert [(each.line, each.message) for each in problems] == [
        (3, "the Dockerfile ../Dockerfile is outside the project")
    ]
    assert (compose.invocations[0].context, compose.invocations[0].dockerfile) == (tmp_path, None)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"A=1\nB='secret", 2, "cannot be read: a quoted value has no end"),
        (b"\xff=secret", None, "is not UTF-8 and is not read"),
        (b"A=secret\n" * 10_000, None, "is larger than 64 KiB and is not read"),
    ],
)
def test_an_env_file_that_cannot_be_read_makes_variables_unknown(
    tmp_path: Path, text: bytes, line: int | None, message: str
) -> None:
    (tmp_path / ".env").write_bytes(text)
    write(tmp_path, "services: {ok: {build: {context: ., args: {A: '${A:-1}', B: '2'}}}}")
    assert problems_of(tmp_path) == [(".env", line, message)]
    compose, _ = read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))
    assert dict(compose.invocations[0].args) == {"A": None, "B": "2"}


def test_an_env_file_outside_the_project_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "services: {ok: {build: {context: ., target: '${T:-d}'}}}")
    (tmp_path / "env").write_text("T=t")
    (root / ".env").symlink_to(tmp_path / "env")
    ((path, _, message),) = problems_of(root)
    assert (path, message) == (".env", "lies outside the project root and is left alone")
    (root / ".env").unlink()
    (root / ".env").mkdir()
    compose, problems = read_compose(root / "compose.yaml", Snapshot(root))
    assert (problems, compose.invocations[0].target) == ([], "d")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    compose, problems = read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))
    assert compose.services == {}
    assert [problem.message for problem in problems] == ["does not exist"]


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes(b"a: \xff\n")
    assert "not UTF-8" in read_compose(tmp_path / "compose.yaml", Snapshot(tmp_path))[1][0].message
