"""The GitHub Action: its description, and its steps with the environment of a runner and a server instead of GitHub."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import reviews
import steps

ROOT = Path(__file__).resolve().parents[2]
ACTION = YAML(typ="safe").load(ROOT / "action.yml")
STEPS = ACTION["runs"]["steps"]
HEAD = "a" * 40
DOCKERFILE = b"FROM alpine\nRUN apk update\nRUN apk add curl\n"


def comment(line: int, body: str = "**apk-cache**\n\n```suggestion\nRUN x\n```", **more: object) -> dict[str, object]:
    return {"path": "Dockerfile", "line": line, "side": "RIGHT", "body": body, **more}


# --- action.yml


def test_every_input_is_used() -> None:
    used = set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    assert set(ACTION["inputs"]) == {
        "paths", "rules", "skip", "format", "fail-level", "unsafe", "suggestions", "sarif-file", "version", "args",
        "token",
    }  # fmt: skip
    assert all(each["description"] and each["default"] is not None for each in ACTION["inputs"].values())


def test_no_expression_is_part_of_a_script() -> None:
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        if "run" in step:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"]


def test_the_steps_get_what_the_script_reads() -> None:
    source = (ROOT / "action/steps.py").read_text() + (ROOT / "action/reviews.py").read_text()
    read = {f"INPUT_{name}" for name in re.findall(r'_(?:lines|names|one|yes|words)\(environ, "([A-Z_]+)"\)', source)}
    read |= set(re.findall(r'"(INPUT_[A-Z]+)"', source))
    given = {name for step in STEPS for name in step.get("env", {}) if name.startswith("INPUT_")}
    assert read == given
    for step in STEPS:
        for name, value in step.get("env", {}).items():
            if name.startswith("INPUT_"):
                assert value == f"${{{{ inputs.{name[6:].lower().replace('_', '-')} }}}}"


def test_outputs_come_from_steps() -> None:
    identifiers = {step["id"] for step in STEPS}
    for output in ACTION["outputs"].values():
        step, name = re.fullmatch(r"\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) \}\}", output["value"]).groups()  # type: ignore[union-attr] # a mismatch fails the test, too
        assert step in identifiers
        assert f'"GITHUB_OUTPUT", f"{name}=' in (ROOT / "action/steps.py").read_text()


# --- inputs


def test_values_cannot_be_read_as_options() -> None:
    inputs = steps.Inputs.read(
        {
            "INPUT_PATHS": "--unsafe\n-\na b\n",
            "INPUT_RULES": "--x, b\nc",
            "INPUT_FAIL_LEVEL": "-q",
            "INPUT_ARGS": "-v 'a b'",
        }
    )
    assert inputs.command("text")[len(steps.DOCKFIX) :] == [
        "check", "-v", "a b", "--rule=--x", "--rule=b", "--rule=c", "--fail-level=-q", "--format=text", "--",
        "./--unsafe", "./-", "a b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"INPUT_UNSAFE": "yes"}, "the input unsafe is 'yes', which is neither true nor false"),
        ({"INPUT_ARGS": "'"}, "the input args: no closing quotation"),
        ({"INPUT_SARIF_FILE": "a\nexit-code=0"}, "the input sarif-file has several lines"),
    ],
)
def test_wrong_inputs(given: dict[str, str], message: str) -> None:
    with pytest.raises(steps.InputError, match=re.escape(message)):
        steps.Inputs.read(given)


# --- install


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """The commands that would be run."""
    called: list[tuple[list[str], dict[str, str]]] = []

    def fake(command: list[str], *, env: dict[str, str], cwd: str, check: bool) -> subprocess.CompletedProcess[bytes]:
        called.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", fake)
    return called


@pytest.mark.parametrize(
    ("version", "ref", "source", "scm"),
    [
        ("", "v0.2.1", "ACTION", "0.2.1"),
        ("", "main", "ACTION", None),
        ("v0.2.0", "main", "dockfix==0.2.0", None),
        ("1.0rc1", "v0.2.1", "dockfix==1.0rc1", None),
    ],
)
def test_install(
    tmp_path: Path, pip: list[tuple[list[str], dict[str, str]]], version: str, ref: str, source: str, scm: str | None
) -> None:
    outputs = tmp_path / "outputs"
    environ = {"RUNNER_TEMP": str(tmp_path), "ACTION_PATH": "ACTION", "GITHUB_OUTPUT": str(outputs)}
    assert steps.install({**environ, "ACTION_REF": ref, "INPUT_VERSION": version}) == 0
    assert [command[1:4] for command, _ in pip] == [["-I", "-m", "venv"], ["-I", "-m", "pip"]]
    command, env = pip[1]
    assert command[-1] == source
    assert env.get("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DOCKFIX") == scm
    assert outputs.read_text() == f"python={command[0]}\n"


@pytest.mark.parametrize("version", ["--index-url=http://x", "latest", "1.0 --pre", "1.0; x"])
def test_install_takes_nothing_but_a_version(tmp_path: Path, version: str) -> None:
    with pytest.raises(steps.InputError, match="not a version"):
        steps.install({"RUNNER_TEMP": str(tmp_path), "INPUT_VERSION": version})


# --- check, with a program in the place of dockfix

FAKE = """
import json, pathlib, sys
options = dict(each[2:].split("=", 1) for each in sys.argv if each.startswith("--") and "=" in each)
form, output = options["format"], options.get("output")
with open("calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
text = {"github": "::warning file=Dockerfile::found\\n", "text": "::error::hostile\\n", "markdown": "# found\\n",
        "sarif": "{}", "github-suggestions": pathlib.Path("review.json").read_text()}[form]
pathlib.Path(output).write_text(text) if output else print(text, end="")
print("::error::a file name", file=sys.stderr)
sys.exit(1)
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A job in a checkout, and its environment."""
    (tmp_path / "fake.py").write_text(FAKE)
    (tmp_path / "Dockerfile").write_bytes(DOCKERFILE)
    (tmp_path / "review.json").write_text(json.dumps({"event": "COMMENT", "body": "", "comments": []}))
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "DOCKFIX", (sys.executable, str(tmp_path / "fake.py")))
    return {
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "owner/name",
        "INPUT_TOKEN": "t0ken",
    }


def test_check(job: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("out.sarif").write_text("of an earlier run")
    assert steps.check({**job, "INPUT_SARIF_FILE": "out.sarif", "INPUT_PATHS": "a", "INPUT_FAIL_LEVEL": "error"}) == 1
    calls = [json.loads(line) for line in Path("calls").read_text().splitlines()]
    assert [call[:3] for call in calls] == [
        ["check", "--fail-level=error", f"--format={form}"] for form in ("github", "markdown", "sarif")
    ]
    assert all(call[-2:] == ["--", "a"] for call in calls)
    assert Path(job["GITHUB_OUTPUT"]).read_text() == "exit-code=1\nsarif-file=out.sarif\n"
    assert Path(job["GITHUB_STEP_SUMMARY"]).read_text() == "# found\n"
    assert Path("out.sarif").read_text() == "{}"
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0] == "::warning file=Dockerfile::found"
    assert_inert(lines[1:], "::error::a file name")


@pytest.mark.parametrize("form", ["text"])
def test_text_holds_no_workflow_commands(
    job: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes], form: str
) -> None:
    assert steps.check({**job, "INPUT_FORMAT": form}) == 1
    assert_inert(capfdbinary.readouterr().out.decode().splitlines(), "::error::hostile", "::error::a file name")


def assert_inert(lines: list[str], *inner: str) -> None:
    """Assert that lines are between `stop-commands` and its end, which has an unguessable name."""
    found = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0])
    assert found
    assert lines[1:] == [*inner, f"::{found[1]}::"]


def test_the_summary_fits(job: dict[str, str]) -> None:
    document = Path("document")
    document.write_text("x" * 99 + "\n" + "é" * steps.MAX_SUMMARY)
    steps._summarise(document, job)
    assert Path(job["GITHUB_STEP_SUMMARY"]).read_text().splitlines()[1:] == [
        "", "The rest is left out: it is too long for a summary."
    ]  # fmt: skip


def test_a_format_that_fails_is_a_warning(job: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("review.json").unlink()
    assert steps.check(job) == 1  # the fake program fails for each format
    assert b"::warning title=dockfix::dockfix could not write the format markdown" in capfdbinary.readouterr().out


# --- suggestions, with a server in the place of GitHub


class GitHub:
    """What the server answers with, and what it was sent."""

    def __init__(self) -> None:
        blob = hashlib.sha1(b"blob %d\0" % len(DOCKERFILE) + DOCKERFILE, usedforsecurity=False).hexdigest()
        self.files: list[dict[str, Any]] = [
            {"filename": "Dockerfile", "sha": blob, "patch": "@@ -1,2 +1,2 @@ x\n a\n+b"}
        ]
        self.comments: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.status = 200
        self.redirect = ""


@pytest.fixture
def github(job: dict[str, str]) -> Iterator[GitHub]:
    state = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, data: object) -> None:
            state.tokens.add(self.headers["Authorization"])
            body = json.dumps(data).encode()
            self.send_response(state.status)
            if state.redirect:
                self.send_header("Location", state.redirect)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            found = re.fullmatch(r"/repos/owner/name/pulls/7/(files|comments)\?per_page=100&page=(\d+)", self.path)
            assert found
            if state.status != 200:
                return self.answer({"message": "Resource not accessible\nby integration"})
            entries = {"files": state.files, "comments": state.comments}[found[1]]
            return self.answer(entries[(int(found[2]) - 1) * 100 : int(found[2]) * 100])

        def do_POST(self) -> None:
            assert self.path == "/repos/owner/name/pulls/7/reviews"
            state.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer({"id": 1})

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    job["GITHUB_API_URL"] = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def post(job: dict[str, str], *comments: dict[str, object], unsafe: bool = False) -> list[str]:
    return reviews.post_suggestions(json.dumps({"comments": comments}), job, unsafe=unsafe)


def test_suggestions_are_posted(job: dict[str, str], github: GitHub) -> None:
    wanted = comment(2, start_line=1, start_side="RIGHT")
    assert post(job, {**wanted, "unknown": 1}) == ["1 suggestion was posted"]
    assert github.posted == [
        {
            "commit_id": HEAD, "event": "COMMENT", "body": "dockfix found 1 place with a fix.", "comments": [wanted]
        }
    ]  # fmt: skip
    assert github.tokens == {"Bearer t0ken"}


def test_lines_outside_the_diff_are_left_out(job: dict[str, str], github: GitHub) -> None:
    outside = [comment(3), comment(3, start_line=2), {**comment(1), "path": "other"}]
    assert post(job, *outside, comment(1)) == [
        "3 suggestions were left out: outside the lines that the pull request shows", "1 suggestion was posted"
    ]  # fmt: skip
    assert [each["line"] for each in github.posted[0]["comments"]] == [1]


def test_a_large_or_binary_file_has_no_patch(job: dict[str, str], github: GitHub) -> None:
    del github.files[0]["patch"]
    assert post(job, comment(1)) == ["1 suggestion was left out: outside the lines that the pull request shows"]
    assert github.posted == []


def test_files_that_the_checkout_has_otherwise_are_left_out(job: dict[str, str], github: GitHub) -> None:
    github.files[0]["sha"] = "0" * 40
    (said,) = post(job, comment(1))
    assert said.startswith("1 suggestion was left out: the checked-out file is not that of the pull request's head")
    assert github.posted == []


def test_a_second_run_posts_nothing_again(job: dict[str, str], github: GitHub) -> None:
    post(job, comment(1), comment(2))
    first, second = github.posted[0]["comments"]
    # GitHub keeps bodies with CRLF in places; the line of an outdated comment is null
    github.comments = [{**first, "body": first["body"].replace("\n", "\r\n")}, {**second, "line": None}]
    assert post(job, comment(1), comment(2)) == ["1 suggestion was posted"]
    assert [each["line"] for each in github.posted[1]["comments"]] == [2]


def test_fixes_that_need_review_are_posted_on_request_only(job: dict[str, str], github: GitHub) -> None:
    unsafe = comment(1, "**a** (info): b ```` ``` ````\n\n- review: check it\n\n```suggestion\nx\n```")
    safe = comment(2, "**a** (info): b\n\n```suggestion\n- review: not a line of the comment\n```")
    assert post(job, unsafe) == []
    assert github.tokens == set()
    assert post(job, unsafe, safe) == ["1 suggestion was posted"]
    assert post(job, unsafe, safe, unsafe=True) == ["2 suggestions were posted"]


def test_a_review_has_a_limit(job: dict[str, str], github: GitHub) -> None:
    github.files = [{"filename": f"f{number}", "sha": ""} for number in range(100)] + github.files  # the second page
    said = post(job, *(comment(1, f"body {number}") for number in range(reviews.MAX_COMMENTS + 1)))
    assert said == ["1 suggestion was left out: a review has at most 50", "50 suggestions were posted"]
    assert len(github.posted[0]["comments"]) == reviews.MAX_COMMENTS


def test_a_refusal_is_a_warning_and_the_findings_count(
    job: dict[str, str], github: GitHub, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    Path("review.json").write_text(json.dumps({"comments": [comment(1)]}))
    github.status = 403
    assert steps.check({**job, "INPUT_SUGGESTIONS": "true"}) == 1
    assert (
        b"::warning title=dockfix::the suggestions were not posted: GitHub answers 403: Resource not accessible%0Aby"
        b" integration; it needs the permission `pull-requests: write`\n"
    ) in capfdbinary.readouterr().out


def test_the_token_follows_no_redirect(job: dict[str, str], github: GitHub) -> None:
    github.status, github.redirect = 302, "http://127.0.0.1:1/elsewhere"
    with pytest.raises(reviews.ReviewError, match="GitHub answers 302"):
        post(job, comment(1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"INPUT_TOKEN": ""}, "there is no token"),
        ({"GITHUB_EVENT_PATH": "missing"}, "the workflow does not run for a pull request"),
        ({"GITHUB_API_URL": "file:///etc"}, "not the address of a web server"),
        ({"GITHUB_API_URL": "http://127.0.0.1:1"}, "GitHub cannot be reached"),
    ],
)
def test_what_prevents_a_review(job: dict[str, str], change: dict[str, str], message: str) -> None:
    with pytest.raises(reviews.ReviewError, match=message):
        post({"GITHUB_API_URL": "http://127.0.0.1:1", **job, **change}, comment(1))


def test_the_action_with_dockfix(
    job: dict[str, str], github: GitHub, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.undo()
    folder = Path(job["GITHUB_OUTPUT"]).parent
    monkeypatch.chdir(folder)
    data = (
        b"FROM alpine:3.20\nRUN apk update && apk add curl\nRUN for i in 1 2 3; do wget x && break || sleep 1; done\n"
    )
    Path("Dockerfile").write_bytes(data)
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    github.files = [{"filename": "Dockerfile", "sha": blob, "patch": "@@ -0,0 +1,3 @@"}]
    inputs = {"INPUT_RULES": "apk-cache, retry-loop", "INPUT_SUGGESTIONS": "true", "INPUT_SARIF_FILE": "out.sarif"}
    assert steps.check({**job, **inputs}) == 1
    shown = capfdbinary.readouterr().out.decode().splitlines()
    assert [line.split(" ")[0] for line in shown[:2]] == ["::notice", "::error"]
    assert "::notice title=dockfix::1 suggestion was posted" in shown
    assert "apk-cache" in Path(job["GITHUB_STEP_SUMMARY"]).read_text()
    assert json.loads(Path("out.sarif").read_text())["version"] == "2.1.0"
    (review,) = github.posted
    (posted,) = review["comments"]
    assert (posted["path"], posted["line"]) == ("Dockerfile", 2)
    assert "```suggestion\nRUN apk add --no-cache curl\n```" in posted["body"]
    assert steps.check({**job, **inputs, "INPUT_UNSAFE": "true"}) == 1
    assert [each["line"] for each in github.posted[1]["comments"]] == [2, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"INPUT_FAIL_LEVEL": "high"}, "error: invalid value for '--fail-level': 'high' is not one of"),
        ({"INPUT_RULES": "nope"}, "error: --rule: unknown rule 'nope'"),
    ],
)
def test_a_wrong_input_is_an_error_of_the_job(
    change: dict[str, str],
    message: str,
    job: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(Path(job["GITHUB_OUTPUT"]).parent)
    Path("Dockerfile").write_text("FROM alpine:3.20\n")
    assert steps.check({**job, "INPUT_SARIF_FILE": "out.sarif", **change}) == 2
    errors = [line for line in capfdbinary.readouterr().out.decode().splitlines() if line.startswith("::error")]
    assert len(errors) == 1
    assert errors[0].startswith(f"::error title=dockfix::{message}")
    assert not Path("out.sarif").exists()


def test_without_fixes_github_is_not_asked(job: dict[str, str]) -> None:
    assert post({}) == []
