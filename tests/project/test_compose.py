"""Compose files: which services there are, and who builds what. Rules: compose-spec `05-services.md`, `build.md`.

How files are put together is in `test_compose_files.py`, what is wrong with them in `test_compose_bad.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.compose.builds import ContextKind, context_kind, find_compose_files, is_compose_name
from tests.project.composing import only, read, write


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


def test_a_folded_command_is_one_line(tmp_path: Path) -> None:
    compose = read(tmp_path, "services:\n  s:\n    image: x\n    command: >\n      server /data\n      --console\n")
    assert compose.services["s"].command == "server /data --console\n"


def test_a_comment_between_a_key_and_its_value(tmp_path: Path) -> None:
    compose = read(tmp_path, "services:\n  s:\n    image: # pinned below\n     nginx\n\n")
    assert compose.services["s"].image == "nginx"


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
    assert (a.image, a.user, dict(a.environment)) == ("org/a:1", "1000:1000", {"A": "1", "B": None, "C": None})
    assert (a.source, a.line) == (tmp_path / "compose.yaml", 2)
    assert (dict(a.raw), dict(a.raw_environment)) == (
        {"image": "${IMAGE:-org/a:1}", "user": "1000:1000"},
        {"A": "1", "B": "${B}", "C": None},
    )
    assert a.healthcheck is not None
    assert (a.healthcheck.line, a.healthcheck.test) == (7, ("CMD", "curl", "-f", "http://localhost"))
    assert (a.healthcheck.interval, a.healthcheck.retries, a.healthcheck.timeout) == ("30s", "3", None)
    assert dict(a.healthcheck.raw) == {"interval": "30s", "retries": "3"}
    assert dict(b.environment) == {"A": "1", "B": None}
    assert b.healthcheck is not None
    assert (b.healthcheck.test, b.healthcheck.raw_test, b.healthcheck.disable) == (None, "curl $$HOST ${PORT}", True)
    assert (db.image, dict(db.raw)) == (None, {"image": "db:${TAG}"})


def test_dependencies_keep_their_conditions(tmp_path: Path) -> None:
    """Source: compose-go's `transformDependsOn`, and `Normalize` for links, volumes and shared namespaces."""
    compose = read(
        tmp_path,
        """\
        services:
          a:
            depends_on:
              b: {condition: service_healthy}
              c:
                required: false
              d: {condition: "${WHEN}"}
          e:
            depends_on:
              - a
              - b
            links: ["a:alias", "c:db"]
            volumes_from: ["d:ro", "container:other"]
            network_mode: service:f
            ipc: host
        """,
    )
    a, e = compose.services.values()
    assert [(each.name, each.condition, each.line) for each in a.depends_on] == [
        ("b", "service_healthy", 4),
        ("c", "service_started", 5),
        ("d", None, 7),
    ]
    assert [(each.name, each.line) for each in e.depends_on] == [("a", 10), ("b", 11), ("c", 12), ("d", 13), ("f", 14)]
    assert {each.condition for each in e.depends_on} == {"service_started"}
    assert {each.source for each in e.depends_on} == {tmp_path / "compose.yaml"}


@pytest.mark.parametrize(
    ("command", "known", "raw"),
    [
        ("python -m app", "python -m app", "python -m app"),
        ("[python, -m, app]", ("python", "-m", "app"), ("python", "-m", "app")),
        ("'serve ${PORT:-80}'", "serve 80", "serve ${PORT:-80}"),
        ("[serve, '${PORT}']", None, ("serve", "${PORT}")),
        ("serve $PORT", None, "serve $PORT"),
        ("[]", (), ()),
        ("", None, None),
    ],
)
def test_commands(
    tmp_path: Path, command: str, known: str | tuple[str, ...] | None, raw: str | tuple[str, ...] | None
) -> None:
    service = read(tmp_path, f"services:\n  a:\n    command: {command}\n    entrypoint: {command}\n").services["a"]
    assert (service.command, service.raw.get("command")) == (known, raw)
    assert (service.entrypoint, service.raw.get("entrypoint")) == (known, raw)


def test_profiles(tmp_path: Path) -> None:
    compose = read(tmp_path, "services: {a: {profiles: [dev, '${P:-test}', dev]}, b: {}}")
    assert [service.profiles for service in compose.services.values()] == [("dev", "test"), ()]


def test_tags(tmp_path: Path) -> None:
    build = only(read(tmp_path, "services: {a: {image: i, build: {context: ., tags: ['i', 'j:${T:-1}', '$NO']}}}"))
    assert (build.image, build.tags) == ("i", ("i", "j:1"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("010", "8"),
        ("0x10", "16"),
        ("08", "8"),
        ("-3", "-3"),
        ("1.10", "1.1"),
        ("1e3", "1000"),
        ("123456.0", "123456"),
        ("1000000.0", "1e+06"),
        ("1234567.25", "1.23456725e+06"),
        ("0.00001", "1e-05"),
        ("True", "true"),
        ("yes", "yes"),
        ("'010'", "010"),
        ("!!str 1.10", "1.10"),
    ],
)
def test_plain_values_are_what_go_prints(tmp_path: Path, value: str, expected: str) -> None:
    """Source: go-yaml's `resolve` (YAML 1.1 numbers are still read) and Go's `fmt.Sprint`."""
    assert only(read(tmp_path, f"services: {{a: {{build: {{context: ., args: {{A: {value}}}}}}}}}")).args == {
        "A": expected
    }


def test_extension_fields_and_what_does_not_build_are_left_alone(tmp_path: Path) -> None:
    compose = read(tmp_path, "x-a: &a [1, {b: c}]\nx-b: *a\nservices: {a: {x-b: *a, ports: 1, build: .}}")
    assert only(compose).service == "a"


def test_several_yaml_documents_are_merged(tmp_path: Path) -> None:
    """Source: compose-go's `loadYamlFile`."""
    compose = read(
        tmp_path, "services: {a: {build: {context: x}}}\n---\nservices: {a: {build: {target: t}}, b: {}}\n---\n"
    )
    assert (only(compose).context, only(compose).target, list(compose.services)) == (tmp_path / "x", "t", ["a", "b"])


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


def test_what_else_a_build_says_is_its_options(tmp_path: Path) -> None:
    text = """
        services:
          app:
            platform: linux/amd64
            build:
              context: .
              secrets: [pip, {source: npm, target: /npm}]
              network: ${NET:-host}
              labels: {b: "2", a: "1"}
              isolation: ${UNSET:?}
              shm_size:
              cache_from: [x]
              no_cache: true
              tags: [y]
          both:
            platform: linux/amd64
            build: {context: ., platforms: [linux/arm64]}
          bare:
            build: .
        """
    options = {each.service: each.options for each in read(tmp_path, text).invocations}
    assert options == {
        "app": {
            "platforms": ("linux/amd64",),
            "secret": ("pip", (("source", "npm"), ("target", "/npm"))),
            # with the text, since another machine may give another value
            "network": ("${NET:-host}", "host"),
            "labels": (("a", "1"), ("b", "2")),
            "isolation": None,
        },
        "both": {"platforms": ("linux/arm64",)},
        "bare": {},
    }


@pytest.mark.parametrize(
    ("service", "gpu"),
    [
        ("image: a", False),
        ("gpus: all", True),
        ("gpus:", False),
        ("runtime: nvidia", True),
        ("runtime: runc", False),
        ("runtime: ${RUNTIME}", True),
        ("deploy: {replicas: 2}", False),
        ("deploy: {resources: {limits: {cpus: '2'}}}", False),
        ("deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}", True),
        ("devices: ['/dev/kfd:/dev/kfd']", True),
        ("devices: ['/dev/ttyUSB0:/dev/ttyUSB0']", False),
        ("devices: ['${DEVICE}']", True),
    ],
)
def test_services_that_ask_for_a_gpu(tmp_path: Path, service: str, gpu: bool) -> None:
    assert read(tmp_path, f"services:\n  a:\n    {service}\n").services["a"].gpu is gpu
