"""Merged compose files: override files, `extends`, `include`, `.env`.

Rules: compose-spec `13-merge.md`, `14-include.md`, `extends` in `05-services.md`; compose-go's packages `override` and
`loader` for what they leave open (the order, what `!reset` acts on, whose variables hold).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.compose.builds import ComposeFile, read_compose, read_compose_files, read_project_compose
from dockfix.project.files import Snapshot
from dockfix.project.target import load_project
from tests.project.composing import only, read, write


def project(root: Path) -> list[ComposeFile]:
    files, problems = read_project_compose(Snapshot(root))
    assert problems == []
    assert not any(file.broken for file in files)
    return files


# one file over another


def test_the_override_file_is_merged_over_the_main_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        """\
        services:
          a:
            build:
              args: {B: "2", C: "3"}
              target: dev
            command: [over]
            environment: ["X=2", "Y=3"]
          c: {image: c}
        """,
        "compose.override.yaml",
    )
    compose = read(
        tmp_path,
        """\
        services:
          a:
            build: {context: app, args: ["A=1", "B=1"]}
            command: main thing
            environment: {X: 1, Z: 4}
          b: {image: b}
        """,
    )
    build = only(compose)
    assert (build.context, build.target, dict(build.args)) == (tmp_path / "app", "dev", {"A": "1", "B": "2", "C": "3"})
    assert (build.source, build.line) == (tmp_path / "compose.yaml", 3)
    service = compose.services["a"]
    assert (service.source, service.line, service.command) == (tmp_path / "compose.yaml", 2, ("over",))
    assert dict(service.environment) == {"X": "2", "Z": "4", "Y": "3"}
    assert list(compose.services) == ["a", "b", "c"]
    assert compose.services["c"].source == tmp_path / "compose.override.yaml"
    assert compose.files == (tmp_path / "compose.yaml", tmp_path / "compose.override.yaml")


def test_an_override_file_is_not_read_separately(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: .}}")
    write(tmp_path, "services: {a: {build: {target: t}}, b: {build: b}}", "docker-compose.override.yml")
    (file,) = project(tmp_path)
    assert [(each.service, each.target) for each in file.invocations] == [("a", "t"), ("b", None)]
    assert len(load_project(tmp_path).invocations) == 2


def test_only_the_first_name_counts(tmp_path: Path) -> None:
    """Source: compose-go's `DefaultFileNames` and `DefaultOverrideFileNames`."""
    write(tmp_path, "services: {a: {build: a}}", "compose.yml")
    write(tmp_path, "services: {a: {build: b}}", "docker-compose.yaml")
    write(tmp_path, "services: {a: {build: {target: one}}}", "compose.override.yml")
    write(tmp_path, "services: {a: {build: {target: two}}}", "docker-compose.override.yml")
    found = {file.path.name: only(file) for file in project(tmp_path)}
    assert {name: (each.context, each.target) for name, each in found.items()} == {
        "compose.yml": (tmp_path / "a", "one"),
        "docker-compose.yaml": (tmp_path / "b", None),
        "docker-compose.override.yml": (tmp_path / "a", "two"),
    }


def test_an_override_file_without_a_main_file_is_read_by_itself(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: a}}", "compose.override.yaml")
    assert [only(file).context for file in project(tmp_path)] == [tmp_path / "a"]


def test_another_file_is_merged_over_the_main_one_where_it_lacks_a_context(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: {context: app, args: {A: '1'}}, image: x}, b: {build: b}, d: {image: d}}")
    compose = read(
        tmp_path,
        "services: {a: {build: {target: dev, args: {B: '2'}}}, b: {build: other}, c: {build: {target: t}}, "
        "d: {build: {target: t}}}",
        "docker-compose.dev.yml",
    )
    a, b, c, d = compose.invocations
    assert (a.context, a.target, dict(a.args), a.image) == (tmp_path / "app", "dev", {"A": "1", "B": "2"}, "x")
    assert (a.source, a.line) == (tmp_path / "docker-compose.dev.yml", 1)
    assert [each.context for each in (b, c, d)] == [tmp_path / "other", tmp_path, tmp_path]


def test_named_files_are_merged_in_their_order(tmp_path: Path) -> None:
    one = write(tmp_path, "services: {a: {build: {context: x, target: one}, command: a}}", "deploy/one.yml")
    two = write(tmp_path, "services: {a: {build: {target: two, additional_contexts: [c=./c]}}}", "other/two.yml")
    write(tmp_path, "services: {a: {command: never}}", "deploy/compose.override.yml")
    compose, problems = read_compose_files([one, two], Snapshot(tmp_path))
    assert (problems, compose.path, compose.files) == ([], one, (one, two))
    build = only(compose)
    assert (build.context, build.target) == (tmp_path / "deploy" / "x", "two")
    # the folder of the first file is that of the project
    assert build.additional_contexts["c"].path == tmp_path / "deploy" / "c"
    assert build.additional_contexts["c"].source == two
    assert compose.services["a"].command == "a"
    (reverse,) = read_compose_files([two, one], Snapshot(tmp_path))[0].invocations
    assert (reverse.context, reverse.target) == (tmp_path / "other" / "x", "one")


@pytest.mark.parametrize(
    ("over", "target", "args", "command", "test", "needs"),
    [
        ("{}", "t", {"A": "1", "B": "2"}, "run", "x", ["d"]),
        ("{build: }", "t", {"A": "1", "B": "2"}, "run", "x", ["d"]),
        ("{build: {args: }}", "t", {"A": "1", "B": "2"}, "run", "x", ["d"]),
        ("{build: {args: {B: '3'}}}", "t", {"A": "1", "B": "3"}, "run", "x", ["d"]),
        ("{build: {args: [B=3, C]}}", "t", {"A": "1", "B": "3", "C": None}, "run", "x", ["d"]),
        ("{build: {args: !override [B=3]}}", "t", {"B": "3"}, "run", "x", ["d"]),
        ("{build: {args: !reset []}}", "t", {}, "run", "x", ["d"]),
        ("{build: {target: !reset null}}", None, {"A": "1", "B": "2"}, "run", "x", ["d"]),
        ("{build: !override {context: y}}", None, {}, "run", "x", ["d"]),
        ("{command: [a, b]}", "t", {"A": "1", "B": "2"}, ("a", "b"), "x", ["d"]),
        ("{command: }", "t", {"A": "1", "B": "2"}, None, "x", ["d"]),
        ("{command: !reset }", "t", {"A": "1", "B": "2"}, None, "x", ["d"]),
        ("{healthcheck: {test: [CMD, y]}}", "t", {"A": "1", "B": "2"}, "run", ("CMD", "y"), ["d"]),
        ("{healthcheck: {interval: 2s}}", "t", {"A": "1", "B": "2"}, "run", "x", ["d"]),
        ("{depends_on: {e: {condition: service_healthy}}}", "t", {"A": "1", "B": "2"}, "run", "x", ["d", "e"]),
        ("{depends_on: !override [e]}", "t", {"A": "1", "B": "2"}, "run", "x", ["e"]),
    ],
)
def test_merging(
    tmp_path: Path,
    over: str,
    target: str | None,
    args: dict[str, str | None],
    command: object,
    test: object,
    needs: list[str],
) -> None:
    """One service merged over another, by an override file and by `extends`: the rules are the same."""
    base = (
        "{build: {context: x, target: t, args: {A: '1', B: '2'}}, command: run, depends_on: [d], "
        "healthcheck: {test: x, interval: 1s}}"
    )
    write(tmp_path, f"services: {{a: {over}}}", "compose.override.yaml")
    merged = read(tmp_path, f"services: {{a: {base}}}")
    inner = over[1:-1]
    extended = read(
        tmp_path, f"services: {{base: {base}, a: {{extends: base{', ' * bool(inner)}{inner}}}}}", "extends/compose.yaml"
    )
    for compose in (merged, extended):
        build = compose.invocations[-1]
        assert (build.service, build.target, dict(build.args)) == ("a", target, args)
        service = compose.services["a"]
        assert service.command == command
        assert service.healthcheck is not None
        assert service.healthcheck.test == test
        assert [each.name for each in service.depends_on] == needs


def test_lists_are_appended(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {profiles: [q, p], build: {tags: [two]}}}", "compose.override.yaml")
    compose = read(tmp_path, "services: {a: {profiles: [p], build: {context: ., tags: [one]}}}")
    assert compose.services["a"].profiles == ("p", "q")
    assert only(compose).tags == ("one", "two")


def test_conditions_are_merged(tmp_path: Path) -> None:
    """A list means `service_started`, also over another condition. Source: compose-go's `mergeDependsOn`."""
    write(
        tmp_path, "services: {a: {depends_on: [d]}, b: {depends_on: {d: {required: false}}}}", "compose.override.yaml"
    )
    healthy = "{depends_on: {d: {condition: service_healthy}}}"
    compose = read(tmp_path, f"services: {{a: {healthy}, b: {healthy}}}")
    assert [each.condition for s in compose.services.values() for each in s.depends_on] == [
        "service_started",
        "service_healthy",
    ]


def test_whole_services_are_reset(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: !reset , b: !override {build: y}, c: {build: !reset }}", "compose.override.yaml")
    compose = read(tmp_path, "services: {a: {build: x}, b: {build: {context: x, target: t}, image: i}, c: {build: x}}")
    build = only(compose)
    assert (build.service, build.context, build.target, build.image) == ("b", tmp_path / "y", None, None)
    assert set(compose.services) == {"b", "c"}


# extends


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
          c:
            extends: {file: common/base.yml, service: base}
        """,
    )
    a, b, c = compose.invocations
    assert (a.context, a.target, dict(a.args)) == (tmp_path / "common", "prod", {"A": "1", "B": "2"})
    assert (b.service, b.context, b.target, b.image) == ("b", tmp_path / "common", "prod", "b")
    assert compose.services["b"].user == "1000"
    # the file that names the service, and its `build:`; its name where it has none
    assert [(each.source.name, each.line) for each in (a, b, c)] == [
        ("compose.yaml", 4),
        ("compose.yaml", 5),
        ("compose.yaml", 6),
    ]
    assert compose.files == (tmp_path / "compose.yaml", tmp_path / "common" / "base.yml")


def test_extends_over_several_files_each_relative_to_its_own(tmp_path: Path) -> None:
    write(tmp_path, "services: {z: {build: {context: src, additional_contexts: {p: ../p}}}}", "one/two/z.yml")
    write(tmp_path, "services: {y: {extends: {file: two/z.yml, service: z}}}", "one/y.yml")
    build = only(read(tmp_path, "services: {x: {extends: {file: one/y.yml, service: y}}}"))
    assert build.context == tmp_path / "one" / "two" / "src"
    assert build.additional_contexts["p"].path == tmp_path / "one" / "p"


def test_a_build_that_nobody_gives_a_context_has_the_project_folder(tmp_path: Path) -> None:
    """Also if it comes from a file elsewhere. Source: compose-go sets defaults when all is merged."""
    write(tmp_path, "services: {z: {build: {target: t}}}", "one/z.yml")
    assert only(read(tmp_path, "services: {x: {extends: {file: one/z.yml, service: z}}}")).context == tmp_path


def test_marks_of_an_extended_service_do_not_act_on_earlier_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        "services: {base: {build: {args: !override {B: '2'}}}, a: {extends: base}}",
        "compose.override.yaml",
    )
    compose = read(tmp_path, "services: {a: {build: {context: ., args: {A: '1'}}}}")
    assert dict(compose.invocations[0].args) == {"A": "1", "B": "2"}


def test_variables_of_an_extended_file_are_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("T=outer")
    write(tmp_path, "T=inner", "sub/.env")
    write(tmp_path, "services: {z: {build: {context: ., target: $T}}}", "sub/z.yml")
    assert only(read(tmp_path, "services: {x: {extends: {file: sub/z.yml, service: z}}}")).target == "outer"


# include


def test_include_in_its_forms(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: .}}", "a/compose.yaml")
    write(tmp_path, "services: {b: {build: {context: src, args: {V: '$V'}}}}", "b/one.yaml")
    write(tmp_path, "services: {b: {build: {target: two}}}", "b/two.yaml")
    write(tmp_path, "V=file", "b/vars.env")
    write(tmp_path, "services: {c: {build: .}}", "c/sub/compose.yaml")
    compose = read(
        tmp_path,
        """\
        include:
          - a/compose.yaml
          - path: [b/one.yaml, b/two.yaml]
            env_file: b/vars.env
          - path: c/sub/compose.yaml
            project_directory: c
            env_file: [/dev/null]
        services:
          d: {build: d}
        """,
    )
    found = {each.service: each for each in compose.invocations}
    assert {name: each.context for name, each in found.items()} == {
        "a": tmp_path / "a",
        "b": tmp_path / "b" / "src",
        "c": tmp_path / "c",
        "d": tmp_path / "d",
    }
    assert (found["b"].target, dict(found["b"].args)) == ("two", {"V": "file"})
    assert {name: (each.source.relative_to(tmp_path).as_posix(), each.line) for name, each in found.items()} == {
        "a": ("a/compose.yaml", 1),
        "b": ("b/one.yaml", 1),
        "c": ("c/sub/compose.yaml", 1),
        "d": ("compose.yaml", 9),
    }


def test_a_file_is_merged_over_what_it_includes(tmp_path: Path) -> None:
    """Source: compose-go's `importResource`."""
    write(tmp_path, "services: {a: {build: {context: ., args: {A: '1'}}, command: x}}", "a/compose.yaml")
    compose = read(
        tmp_path, "include: [a/compose.yaml]\nservices: {a: {build: {args: !override {B: '2'}}}, b: {extends: a}}"
    )
    a, b = compose.invocations
    assert (a.context, dict(a.args)) == (tmp_path / "a", {"B": "2"})
    assert (b.context, dict(b.args)) == (tmp_path / "a", {"B": "2"})
    assert compose.services["b"].command == "x"


def test_an_included_file_is_not_read_with_its_override(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: .}}", "a/compose.yaml")
    write(tmp_path, "services: {a: {build: {target: t}}}", "a/compose.override.yaml")
    assert only(read(tmp_path, "include: [a/compose.yaml]")).target is None


def test_whose_variables_hold_in_an_included_file(tmp_path: Path) -> None:
    """Those of the project win over the `.env` next to the included file. Source: compose-go's `ApplyInclude`."""
    (tmp_path / ".env").write_text("A=outer\nB=")
    write(tmp_path, "A=inner\nB=inner\nC=$A-inner\n", "a/.env")
    write(tmp_path, "services: {a: {build: {context: ., args: {A: $A, B: $B, C: $C, D: '${D:-d}'}}}}", "a/compose.yaml")
    compose = read(tmp_path, "include: [a/compose.yaml]\nservices: {b: {build: {context: ., args: [C=$C]}}}")
    a, b = compose.invocations
    assert dict(a.args) == {"A": "outer", "B": "", "C": "outer-inner", "D": "d"}
    assert dict(b.args) == {"C": None}


def test_included_twice_is_one_service(tmp_path: Path) -> None:
    write(tmp_path, "services: {base: {build: .}}", "base/compose.yaml")
    write(tmp_path, "include: [../base/compose.yaml]\nservices: {a: {build: .}}", "a/compose.yaml")
    write(tmp_path, "include: [../base/compose.yaml]\nservices: {b: {build: .}}", "b/compose.yaml")
    write(tmp_path, "include: [a/compose.yaml, b/compose.yaml]")
    (file,) = project(tmp_path)
    assert sorted(each.service for each in file.invocations) == ["a", "b", "base"]


# files that others use


def test_an_included_file_is_not_read_separately(tmp_path: Path) -> None:
    write(tmp_path, "services: {a: {build: .}, c: {image: c}}", "a/compose.yaml")
    write(tmp_path, "include: [a/compose.yaml]\nservices: {b: {build: .}}")
    (file,) = project(tmp_path)
    assert file.path == tmp_path / "compose.yaml"
    assert [(each.service, each.context) for each in file.invocations] == [("a", tmp_path / "a"), ("b", tmp_path)]


def test_an_extended_file_is_kept_for_what_nobody_has_of_it(tmp_path: Path) -> None:
    write(tmp_path, "services: {base: {build: .}, more: {build: {context: ., target: m}}}", "compose.base.yaml")
    write(tmp_path, "services: {a: {extends: {file: compose.base.yaml, service: base}}}")
    found = {file.path.name: [each.service for each in file.invocations] for file in project(tmp_path)}
    assert found == {"compose.base.yaml": ["more"], "compose.yaml": ["a"]}


def test_an_included_file_that_builds_otherwise_by_itself_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("T=outer")
    write(tmp_path, "services: {a: {build: {context: ., target: '${T:-own}'}}}", "a/compose.yaml")
    write(tmp_path, "include: [a/compose.yaml]")
    assert [only(file).target for file in project(tmp_path)] == ["own", "outer"]


# .env


def test_env_files(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DIR=app\nTAG='1.2'\nPW=secret\nF=$NONE\n")
    compose = read(
        tmp_path,
        """\
        services:
          a:
            build:
              context: ${DIR}
              dockerfile: ${F:-Dockerfile}
              args: [PW, "OTHER", "TAG=v$TAG"]
              additional_contexts: {p: "./$PW", q: "./${Q:-q}"}
            image: org/a:${TAG:?}
            environment: [PW, "X=${PW}"]
        """,
    )
    build = only(compose)
    assert (build.context, build.dockerfile, build.image) == (tmp_path / "app", None, "org/a:1.2")
    assert dict(build.args) == {"PW": "secret", "OTHER": None, "TAG": "v1.2"}
    assert dict(build.raw_args) == {"PW": None, "OTHER": None, "TAG": "v$TAG"}
    assert dict(build.raw) == {"context": "${DIR}", "dockerfile": "${F:-Dockerfile}", "image": "org/a:${TAG:?}"}
    # what a message may say
    assert {name: each.shown for name, each in build.additional_contexts.items()} == {"p": "./$PW", "q": "./q"}
    assert build.additional_contexts["p"].path == tmp_path / "secret"
    assert dict(compose.services["a"].environment) == {"PW": "secret", "X": "secret"}
    assert dict(compose.services["a"].raw_environment) == {"PW": None, "X": "${PW}"}


def test_the_process_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "process")
    assert only(read(tmp_path, "services: {a: {build: {context: ., target: $T}}}")).target is None


def test_whole_items_are_interpolated_before_they_are_split(tmp_path: Path) -> None:
    args = only(
        read(tmp_path, "services: {a: {build: {context: ., args: ['${N:-A=1}', 'B=${M:-x=y}', '$NO=1']}}}")
    ).args
    assert dict(args) == {"A": "1", "B": "x=y"}


def test_what_is_changed_in_memory_is_read(tmp_path: Path) -> None:
    main = write(tmp_path, "services: {a: {build: {context: ., target: $T}}}")
    files = Snapshot(tmp_path).with_changes(
        {
            tmp_path / ".env": "T=new",
            tmp_path / "compose.override.yaml": "services: {a: {build: {args: {A: '1'}}}}",
            tmp_path / "sub" / "compose.yaml": "services: {b: {build: .}}",
        }
    )
    compose, problems = read_compose(main, files)
    assert (problems, only(compose).target, dict(only(compose).args)) == ([], "new", {"A": "1"})
    found, problems = read_project_compose(files)
    assert (problems, [file.path.relative_to(tmp_path).as_posix() for file in found]) == (
        [],
        ["compose.yaml", "sub/compose.yaml"],
    )
