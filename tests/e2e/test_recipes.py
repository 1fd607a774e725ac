"""The recipes for CI systems in ci/ and docs/ci/: their scripts run, and their keys are those of the systems."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
RECIPES = (ROOT / "ci/gitlab.yml", *sorted((ROOT / "docs/ci").iterdir()))
BAD = "FROM alpine:3.20\nRUN apk update && apk add curl\n"
FOUND, CLEAN, INVALID = 1, 0, 2

# The keys of megalinter/descriptors/schemas/megalinter-descriptor.jsonschema.json in oxsecurity/megalinter that are
# used here; the schema allows no others.
MEGALINTER = {
    "descriptor_id", "descriptor_type", "descriptor_flavors", "file_names_regex", "test_folder", "linters",
}  # fmt: skip
MEGALINTER_LINTER = {
    "linter_name", "name", "linter_url", "linter_repo", "linter_rules_url", "linter_rules_configuration_url",
    "linter_rules_inline_disable_url", "linter_spdx_license", "linter_speed", "linter_text", "can_output_sarif",
    "cli_lint_mode", "cli_config_arg_name", "config_file_name", "cli_help_arg_name", "cli_version_arg_name",
    "cli_lint_extra_args", "cli_sarif_args", "cli_lint_errors_count", "cli_lint_errors_regex", "examples", "install",
    "supported_platforms",
}  # fmt: skip


def read(name: str) -> Any:
    return YAML(typ="safe").load(ROOT / name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a finding, in which `pip` installs nothing: dockfix is there."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pip").write_text('#!/bin/sh\necho "$@" >> "$PIP_CALLS"\n')
    (tools / "pip").chmod(0o755)
    (tools / "dockfix").symlink_to(PROGRAMS / "dockfix")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(BAD)
    return folder


def shell(script: str, project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as CI systems do."""
    environ = {
        "PATH": f"{project.parent / 'tools'}{os.pathsep}{os.environ['PATH']}",
        "PIP_CALLS": str(project.parent / "calls"),
        **variables,
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=project, env=environ, capture_output=True, text=True, check=False
    )


def test_recipes_name_one_version() -> None:
    named = {
        (path.name, version)
        for path in RECIPES
        for version in re.findall(r"dockfix(?:@v|/v|==)([0-9.]+[0-9])|good_version: ([0-9.]+)", path.read_text())
    }
    versions = {"".join(version) for _, version in named}
    assert len(named) >= 5
    (current,) = versions
    assert f"rev: v{current}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_shows_the_recipes() -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    blocks = [block.rstrip() for block in re.findall(r"^```[a-z]+\n(.*?)^```$", page, re.M | re.S)]
    for name in ("github.yml", "github-suggestions.yml"):
        text = (ROOT / "docs/ci" / name).read_text(encoding="utf-8").rstrip()
        assert any(text.endswith(block) for block in blocks if block.count("\n") > 10), name
    for name in ("circleci.yml", "Jenkinsfile"):
        lines = {line.strip() for line in (ROOT / "docs/ci" / name).read_text(encoding="utf-8").splitlines()}
        assert any({line.strip() for line in block.splitlines()} <= lines for block in blocks), name
    table = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.M))
    assert table == set(read("action.yml")["inputs"])


def test_gitlab(project: Path) -> None:
    job = read("ci/gitlab.yml")["dockfix"]
    script = "\n".join([*job["before_script"], *job["script"]])
    done = shell(script, project, **job["variables"])
    assert done.returncode == FOUND, done.stderr
    assert "apk-cache" in done.stdout
    assert (project.parent / "calls").read_text().split()[-1] == "dockfix"
    (issue,) = json.loads((project / job["artifacts"]["reports"]["codequality"]).read_text())
    assert issue["check_name"] == "apk-cache"
    given = {**job["variables"], "DOCKFIX_OPTIONS": "--skip apk-cache", "DOCKFIX_PACKAGE": "dockfix==0.1.0"}
    assert shell(script, project, **given).returncode == CLEAN
    assert json.loads((project / job["artifacts"]["reports"]["codequality"]).read_text()) == []
    assert (project.parent / "calls").read_text().split()[-1] == "dockfix==0.1.0"
    (project / "dockfix.toml").write_text("unknown = 1\n")
    done = shell(script, project, **job["variables"])
    assert done.returncode == INVALID
    assert "unknown" in done.stderr


def test_circleci(project: Path) -> None:
    steps = [each["run"] for each in read("docs/ci/circleci.yml")["jobs"]["dockfix"]["steps"] if "run" in each]
    done = shell("\n".join(step["command"] for step in steps), project)
    assert done.returncode == FOUND, done.stderr
    assert "<testsuite" in (project / "test-results/dockfix/results.xml").read_text()
    (project / "dockfix.toml").write_text("unknown = 1\n")
    assert shell("\n".join(step["command"] for step in steps), project).returncode == INVALID


def test_jenkins(project: Path) -> None:
    """The commands of the Jenkinsfile, with the environment that they make replaced by this one."""
    (script,) = re.findall(r"sh '''(.*?)'''", (ROOT / "docs/ci/Jenkinsfile").read_text(), re.S)
    lines = [line.strip() for line in script.strip().splitlines()]
    assert [line.split()[0] for line in lines[:2]] == ["python", '"$WORKSPACE_TMP/dockfix/bin/pip"']
    done = shell(lines[2].replace('"$WORKSPACE_TMP/dockfix/bin/dockfix"', "dockfix"), project)
    assert done.returncode == CLEAN, done.stderr  # the quality gate of the plugin decides
    assert json.loads((project / "dockfix.sarif").read_text())["version"] == "2.1.0"
    (project / "dockfix.toml").write_text("unknown = 1\n")
    assert shell(lines[2].replace('"$WORKSPACE_TMP/dockfix/bin/dockfix"', "dockfix"), project).returncode == INVALID


def test_megalinter(project: Path) -> None:
    """The descriptor, and the command that MegaLinter makes of it; source: `build_lint_command` in its Linter.py."""
    descriptor = read("docs/ci/megalinter.yml")
    assert set(descriptor) == MEGALINTER
    (linter,) = descriptor["linters"]
    assert set(linter) == MEGALINTER_LINTER
    assert all(any(re.fullmatch(each, name) for each in descriptor["file_names_regex"]) for name in (
        "Dockerfile", "Dockerfile.dev", "web.Dockerfile", "web.dockerfile", "Containerfile", "Containerfile.dev",
    ))  # fmt: skip
    (project / "dockfix.toml").write_text("")
    config = [linter["cli_config_arg_name"], linter["config_file_name"]]
    command = [linter["linter_name"], *linter["cli_lint_extra_args"], *config, "Dockerfile"]
    done = shell(" ".join(command) + " 2>&1", project)
    assert done.returncode == FOUND
    found = re.search(linter["cli_lint_errors_regex"], done.stdout)
    assert found
    assert found[1] == "1"


def test_megalinter_sarif(project: Path) -> None:
    (linter,) = read("docs/ci/megalinter.yml")["linters"]
    sarif = [each.replace("{{SARIF_OUTPUT_FILE}}", "out.sarif") for each in linter["cli_sarif_args"]]
    done = shell(" ".join(["dockfix", *linter["cli_lint_extra_args"], *sarif, "Dockerfile"]), project)
    assert done.returncode == FOUND
    assert json.loads((project / "out.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "apk-cache"


def test_trunk(project: Path) -> None:
    """The fix command; its keys were compared with those of all plugins in trunk-io/plugins."""
    (linter,) = read("docs/ci/trunk.yaml")["lint"]["definitions"]
    commands = {each["name"]: each for each in linter["commands"]}
    done = shell(commands["fix"]["run"].replace("${target}", "Dockerfile"), project)
    assert done.returncode in commands["fix"]["success_codes"], done.stderr
    assert (project / "Dockerfile").read_text() == "FROM alpine:3.20\nRUN apk add --no-cache curl\n"
    pattern = linter["version_command"]["parse_regex"].replace("${semver}", r"\d+\.\d+\.\d+")
    assert re.match(pattern, shell(linter["version_command"]["run"], project).stdout)


def test_trunk_lint(project: Path) -> None:
    (linter,) = read("docs/ci/trunk.yaml")["lint"]["definitions"]
    lint = linter["commands"][0]
    done = shell(lint["run"].replace("${target}", "Dockerfile"), project)
    assert done.returncode in lint["success_codes"], done.stderr
    assert json.loads(done.stdout)["runs"][0]["results"]


@pytest.mark.slow
@pytest.mark.xdist_group("install")
@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-actions", "action.yml"),
        ("github-workflows", "docs/ci/github.yml"),
        ("github-workflows", "docs/ci/github-suggestions.yml"),
        ("gitlab-ci", "ci/gitlab.yml"),
        ("circle-ci", "docs/ci/circleci.yml"),
    ],
)
def test_the_schema_of_the_system(schema: str, name: str) -> None:
    """The JSON schemas are those that check-jsonschema brings along."""
    command: list[str | Path] = [
        PROGRAMS / "uvx",
        "--quiet",
        "check-jsonschema",
        "--builtin-schema",
        f"vendor.{schema}",
        name,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
