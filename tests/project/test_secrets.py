"""Values of `.env` files and of variables with secret names: they are neither shown nor written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dockfix.engine.findings import _without_secrets
from dockfix.project.secrets import Secrets, is_secret_name
from dockfix.rule import Advice, Edit, Finding, Fix, Refusal, Safety
from dockfix.syntax.source import Span

VALUES = {
    "CONTEXT": "./zq-context",
    "PACKAGES": "./zq-packages",
    "MISSING": "zq-missing",
    "STAGE": "zqstage",
    "TAG": "zq-registry.example/zq-image:zq-tag",
    "VERSION": "zq-version",
    "PORT": "51617",
    "ADDRESS": "zq-status/zq-status",
    "ACCOUNT": "zq-account",
    "IMAGE": "zq-base:1",
    "HOST_PART": "zq-host",
    "FILE": "zq.dockerfile",
    "INTERVAL": "7717s",
    "FOLDER": "/zq-folder",
}
SENTINELS = ("zq-", "zqstage", "51617", "7717s", "zq.")
COMPOSE = """\
services:
  all:
    image: ${TAG}
    user: ${ACCOUNT}
    command: ${ACCOUNT} run
    environment: {PORT: "${PORT}", ACCOUNT, API_TOKEN: zq-token}
    build:
      context: ${CONTEXT}
      target: ${STAGE}
      tags: ["${TAG}-more"]
      args: {VERSION: "${VERSION}", PORT: "${PORT}", HOST: "before${HOST_PART}after", FOLDER: "${FOLDER}"}
      additional_contexts: {packages: "${PACKAGES}", gone: "${MISSING}", base: "docker-image://${IMAGE}"}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://${HOST_PART}:${PORT}/${ADDRESS}"]
      interval: ${INTERVAL}
  missing-context:
    build: {context: "${MISSING}", dockerfile: "${FILE}"}
  outside:
    build: {context: "../../${MISSING}"}
  other:
    build: {context: ., args: {FOLDER: "${FOLDER}", VERSION: "${VERSION}", SERVICE_PASSWORD: zq-password}}
    environment: {PORT: "${PORT}"}
    extends: {service: "${ACCOUNT}"}
    healthcheck:
      test: curl -f http://127.0.0.1:$$PORT/other
  include-nothing:
    image: ${IMAGE}
"""
BAKE = """\
variable "API_TOKEN" { default = "zq-bake" }
target "default" {
  context = "."
  target = API_TOKEN
  tags = ["registry.example/x:${API_TOKEN}"]
  contexts = { one = "docker-image://${API_TOKEN}", two = "./${API_TOKEN}" }
}
target "outside" { context = "../../${API_TOKEN}" }
"""
DOCKERFILE = """\
ARG VERSION
FROM python:${VERSION}
ARG FOLDER
ARG SERVICE_PASSWORD
ENV PIP_CACHE_DIR=$FOLDER NPM_CONFIG_CACHE=$SERVICE_PASSWORD
RUN pip install flask
RUN npm ci
WORKDIR $FOLDER
COPY --from=packages a $FOLDER/
HEALTHCHECK CMD curl -f http://localhost:$PORT/health
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in {
        ".git/HEAD": "",
        ".env": "".join(f"{name}={value}\n" for name, value in VALUES.items()),
        "compose.yaml": COMPOSE,
        "docker-bake.hcl": BAKE,
        "Dockerfile": DOCKERFILE,
        "zq-context/Dockerfile": DOCKERFILE.replace("${VERSION}", "${VERSION} AS zqstage"),
        "zq-packages/a": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def dockfix(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dockfix", *arguments], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 1, 2), done.stderr  # 2: the project has input problems, on purpose
    # what is on disk is named by its own path
    return (done.stdout + done.stderr).replace("zq-context/Dockerfile", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "-f", "text"),
        ("check", "-f", "full"),
        ("check", "-f", "json"),
        ("targets",),
        ("targets", "-f", "json"),
        ("apply", "--diff", "--unsafe", "-v"),
    ],
    ids=" ".join,
)
def test_no_value_is_shown(project: Path, arguments: tuple[str, ...]) -> None:
    shown = dockfix(project, *arguments)
    assert shown
    lines = [line for line in shown.splitlines() if "AS zqstage" not in line]
    assert [line for line in lines if any(each in line for each in SENTINELS)] == []


def test_a_plain_word_in_a_longer_name_of_the_project_is_that_name() -> None:
    names = ("sentry-self-hosted-local", "sentry", "registry.example/zqq/app:1")
    secrets = Secrets({"zqq": "${TEAM}"}, {"sentry": "${AWS_SECRET_KEY}"}, names=names)
    shown = "`FROM sentry-self-hosted-local` and registry.example/zqq/app:1."
    assert secrets.hide(shown) == shown
    for text, hidden in {
        "the value sentry": "the value ${AWS_SECRET_KEY}",  # the name of a service, too: it may be the value
        "sentry-other": "${AWS_SECRET_KEY}-other",
        "PASSWORD=sentry-self-hosted-local": "PASSWORD=${AWS_SECRET_KEY}-self-hosted-local",
        "x://sentry-self-hosted-local": "x://${AWS_SECRET_KEY}-self-hosted-local",
        "zqq/app": "${TEAM}/app",
    }.items():
        assert secrets.hide(text) == hidden
    assert secrets.for_build({"x": "${X}"}).hide(shown) == shown
    assert Secrets({}, {"Sentry1": "${KEY}"}, names=("Sentry1-local",)).hide("Sentry1-local") == "${KEY}-local"


def test_a_word_that_dockfix_says_itself_is_not_taken_for_a_value() -> None:
    secrets = Secrets({"latest": "${TAG}"}, {"root": "${MYSQL_ROOT_PASSWORD}"})
    shown = "the user of 2 images is root; no tag, or latest"
    assert secrets.hide(shown) == shown
    assert secrets.hide("ARG DB_PASSWORD=root") == "ARG DB_PASSWORD=${MYSQL_ROOT_PASSWORD}"
    assert secrets.hide("--password root") == "--password ${MYSQL_ROOT_PASSWORD}"
    assert secrets.hide("mysql://admin:root@db") == "mysql://admin:${MYSQL_ROOT_PASSWORD}@db"


def test_a_target_is_shown_with_its_variables(project: Path) -> None:
    rows = json.JSONDecoder().raw_decode(dockfix(project, "targets", "-f", "json"))[0]["targets"]
    row = next(row for row in rows if row["name"] == "all")
    assert (row["context"], row["stage"]) == ("${CONTEXT}", "${STAGE}")
    assert row["tags"] == ["${TAG}", "${TAG}-more"]
    assert row["contexts"] == {
        "packages": "${PACKAGES}",
        "gone": "${MISSING}",
        "base": "docker-image://${IMAGE}",
    }
    bake = next(row for row in rows if row["name"] == "default")
    assert (bake["stage"], bake["tags"]) == ("${API_TOKEN}", ["registry.example/x:${API_TOKEN}"])


def test_a_value_is_hidden_where_it_is_a_word() -> None:
    secrets = Secrets(
        {"8000": "${PORT}", "./app": "${FOLDER}", "on": "${SWITCH}", "true": "${FLAG}"}, {"key1": "${KEY}"}
    )
    assert secrets.hide("port 8000, not 80001; app/x on true") == "port ${PORT}, not 80001; ${FOLDER}/x on true"
    assert secrets.hide("port 8000 and key1", "EXPOSE 8000 key1") == "port 8000 and ${KEY}"


def test_a_plain_word_of_the_file_is_no_secret_unless_the_file_says_so() -> None:
    secrets = Secrets({}, {"clickhouse": "${CLICKHOUSE_PASSWORD}", "hunter2": "${PASSWORD}"})
    assert secrets.hide("run clickhouse", "RUN clickhouse start") == "run clickhouse"
    assert secrets.hide("run clickhouse", "RUN start") == "run ${CLICKHOUSE_PASSWORD}"
    assert secrets.hide("run hunter2", "RUN hunter2 start") == "run ${PASSWORD}"
    for given in (
        "ENV DB_PASSWORD=clickhouse",
        "ENV DB_PASSWORD clickhouse",
        'ARG TOKEN="clickhouse"',
        "${KEY:-clickhouse}",
        "ENV DB_URL=db://admin:clickhouse@db/",
    ):
        assert secrets.hide("run clickhouse", f"RUN clickhouse start\n{given}\n") == "run ${CLICKHOUSE_PASSWORD}"
    page = 'LABEL org.opencontainers.image.url="https://clickhouse.com/"'
    assert secrets.hide(page, f"RUN clickhouse start\n{page}\n") == page


@pytest.mark.parametrize(
    "finding",
    [
        Fix(Span(0, 1), "zq-secret", (Edit(0, 0, "x"),), Safety.UNSAFE, "zq-secret", "zq-secret"),
        Refusal(Span(0, 1), "zq-secret", "zq-secret"),
        Advice(Span(0, 1), "zq-secret", help="zq-secret"),
    ],
)
def test_a_value_is_hidden_in_all_parts_of_a_finding(finding: Finding) -> None:
    shown = _without_secrets(finding, "FROM alpine\n", Secrets({"zq-secret": "${NAME}"}, {}))
    texts = [getattr(shown, part, "") for part in ("message", "help", "review", "note")]
    assert set(filter(None, texts)) == {"${NAME}"}


def test_the_longest_value_is_hidden_first() -> None:
    secrets = Secrets({"host": "${HOST}", "http://host/x": "http://${HOST}/x"}, {})
    assert secrets.hide("asks http://host/x and host") == "asks http://${HOST}/x and ${HOST}"


def test_names_of_secrets() -> None:
    secret = ["API_TOKEN", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "apikey", "KEY", "GIT_AUTH", "DB_PASSWD"]
    assert [name for name in secret if not is_secret_name(name)] == []
    plain = ["KEYBOARD", "AUTHOR", "PUBLIC_KEY", "MONKEY", "PORT", "KEYRING"]
    assert [name for name in plain if is_secret_name(name)] == []
