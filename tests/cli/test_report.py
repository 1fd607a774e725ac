"""`dockfix report`: findings, diffs, and what builds have shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.building import Builds

OLD = "FROM alpine as base\nWORKDIR app\nWORKDIR $X\nUSER root\n"
ROWS = """\
| line | severity | rule | finding | what can be done |
|---|---|---|---|---|
| 1 | info | `from-as` | `as` in lower case | safe fix: it is neater |
| 2 | warning | `workdir-abs` | relative folder app | unsafe fix: it depends; review: where it was |
| 3 | warning | `workdir-abs` | relative folder \\$X | not fixed: it holds a variable |
| 4 | error | `user-root` | runs as root | to fix by hand |
"""
DIFF = """\
`dockfix apply api/Dockerfile` makes these changes:

```diff
--- a/api/Dockerfile
+++ b/api/Dockerfile
@@ -1,4 +1,4 @@
-FROM alpine as base
+FROM alpine AS base
 WORKDIR app
 WORKDIR $X
 USER root
```
"""


@pytest.fixture
def builds(project: Path, tmp_path: Path) -> Builds:
    (project / "api").mkdir()
    (project / "api" / "Dockerfile").write_text(OLD)
    return Builds(project, tmp_path)


def test_findings_and_diffs(builds: Builds) -> None:
    done = builds("fine", "report")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Dockerfile audit\n\n- 1 Dockerfile was checked; 1 with something to fix.\n")
    assert (
        "Score: 100 − 15 (`user-root`, error) − 5 (`workdir-abs`, warning) − 1 (`from-as`, info) = 79.\n" in done.stdout
    )
    assert ROWS in done.stdout
    assert DIFF in done.stdout
    assert builds.said() == {}
    assert (builds.project / "api" / "Dockerfile").read_text() == OLD
    assert "+WORKDIR /app" in builds("fine", "report", "--unsafe").stdout
    assert "| `user-root` |" not in builds("fine", "report", "--skip", "user-root").stdout


def test_builds_are_part_of_it(builds: Builds) -> None:
    done = builds("broken", "report", "--verify", "--quick")
    assert done.returncode == 1
    assert builds.said()["options"]["quick"] is True
    start = done.stdout.index("#### Build: api (docker-compose.yaml:12)\n\n- 3 fixes: `cache-mount` (2), `apt-purge`\n")
    assert done.stdout.index("### `api/Dockerfile`") < start < done.stdout.index("### `web/Dockerfile`")
    assert "| image size | 368.4 MB | 293.0 MB | -75.4 MB (-20%) |" in done.stdout
    assert "<details><summary>The fixes that were built</summary>\n\n```diff\n--- a/api/Dockerfile\n" in done.stdout
    assert "Real builds: 4 promises of 2 build targets: " in done.stdout


def fitting_result(builds: Builds) -> str:
    """A saved result of verify whose diffs are those of the project."""
    assert builds("broken", "verify", "-f", "json", "-o", "saved.json").returncode == 1
    saved = builds.project / "saved.json"
    data = json.loads(saved.read_text())
    files = json.loads(builds("fine", "report", "-f", "json").stdout)["files"]
    diffs = {each["path"]: each["diff"] for each in files if each["diff"]}
    for target in data["targets"]:
        place = builds.project / target["path"]
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            place.write_text("FROM a\n")
        target["diff"] = diffs.get(target["path"], "")
    saved.write_text(json.dumps(data))
    return saved.name


def test_a_result_of_other_files_is_not_used(builds: Builds) -> None:
    saved = fitting_result(builds)
    (builds.project / "api/Dockerfile").write_text("FROM a\n")
    done = builds("broken", "report", "--verify-result", saved)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--verify-result: it does not fit api/Dockerfile as it is now" in done.stderr


def test_a_saved_result_is_used(builds: Builds) -> None:
    saved = fitting_result(builds)
    done = builds("broken", "report", "--verify-result", saved, "--output", "report.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert builds.said() == {}
    text = (builds.project / "report.md").read_text()
    assert "| `apt-purge` | image | **broken** | /usr/bin/gcc is missing |" in text
    assert "#### Build: db/Dockerfile\n\nNot built: the context has 3.0 GB\n" in text


def test_json(builds: Builds) -> None:
    data = json.loads(builds("fine", "report", "--format", "json").stdout)
    assert (data["version"], data["measured"], data["comparison"]) == (3, None, None)
    assert len(data["files"][0]["findings"]) == 4
    assert [each["path"] for each in data["files"] if each["diff"]] == ["api/Dockerfile"]
    data = json.loads(builds("fine", "report", "--format", "json", "--verify").stdout)
    assert data["measured"]["summary"]["kept"] == 1


def test_the_format_follows_the_name_of_the_file(builds: Builds) -> None:
    for name, start in (("a.html", "<!DOCTYPE html>"), ("a.json", "{"), ("a.md", "# Dockerfile audit")):
        assert builds("fine", "report", "-o", name).returncode == 0
        assert (builds.project / name).read_text().startswith(start)
    assert builds("fine", "report", "-o", "b.html", "-f", "markdown").returncode == 0
    assert (builds.project / "b.html").read_text().startswith("# Dockerfile audit")


def test_builds_are_part_of_the_page(builds: Builds) -> None:
    page = builds("broken", "report", "--verify", "--quick", "-f", "html").stdout
    assert '<section id="measured"' in page
    assert 'data-head="before">368.4 MB</td>' in page


def test_a_report_is_compared_with_an_earlier_one(builds: Builds) -> None:
    assert builds("fine", "report", "-o", "old.json").returncode == 0
    (builds.project / "api" / "Dockerfile").write_text("FROM alpine as base\nUSER root\n")
    done = builds("fine", "report", "--compare", "old.json")
    assert done.returncode == 0
    assert "## Since the last report\n\n0 new, 2 fixed, 0 worse.\n" in done.stdout
    assert "- `api/Dockerfile` `workdir-abs`: relative folder app\n" in done.stdout
    assert "- `api/Dockerfile`: 79 → 84\n" in done.stdout


def test_a_file_that_cannot_be_used_and_one_without_findings(builds: Builds) -> None:
    (builds.project / "Dockerfile").write_text("FROM a\n")
    (builds.project / "b.Dockerfile").write_text("FROM a\nNONSENSE\n")
    done = builds("fine", "report")
    assert done.returncode == 2
    assert "### `Dockerfile`: 100 of 100\n\nNothing was found.\n" in done.stdout
    assert "### `b.Dockerfile`\n\nNot checked: line 2: unknown instruction: NONSENSE\n" in done.stdout
    assert "\nNot used: `b.Dockerfile:2`: unknown instruction: NONSENSE\n" in done.stdout
    assert "b.Dockerfile:2: unknown instruction: NONSENSE\n" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "report reads files, not standard input"),
        (["--runs", "2"], "--runs can only be used with --verify"),
        (["--verify", "--verify-result", "x"], "--verify and --verify-result cannot be combined"),
        (["--verify-result", "none"], "--verify-result: none: No such file or directory"),
        (["--verify-result", ""], "--verify-result: the empty name: "),
        (["--verify-result", "api/Dockerfile"], "--verify-result: api/Dockerfile: not a document of `dockfix verify"),
        (["--compare", "none"], "--compare: none: No such file or directory"),
        (["--compare", ""], "--compare: the empty name: "),
        (["--compare", "api/Dockerfile"], "--compare: api/Dockerfile: invalid JSON: "),
        (["--verify", "--builder", "missing"], "the builder 'missing' is not known"),
    ],
)
def test_bad_usage_is_one_line(builds: Builds, arguments: list[str], message: str) -> None:
    done = builds("fine", "report", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1
