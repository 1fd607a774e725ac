"""The fixes of useradd-gid with shadow's real useradd: scripts run before and after, on a scratch /etc."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.rule.model import Fix, Refusal
from dockfix.syntax.tree import Run
from dockfix_codemods.useradd_gid import CODEMOD

RequireTool = Callable[[str], Path]

# Debian's values; those of Fedora and RHEL are the same.
LOGIN_DEFS = "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n"
ETC = {
    "login.defs": LOGIN_DEFS,
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\nusers:x:100:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "gshadow": "root:*::\nusers:*::\n",
}
PRELUDE = """
useradd() { command useradd --prefix "$ROOT" "$@"; }
groupadd() { command groupadd --prefix "$ROOT" "$@"; }
"""


class Result(NamedTuple):
    """How a script ends, and the accounts that it leaves."""

    code: int
    passwd: list[str]
    group: list[str]
    gshadow: list[str]


class Shadow:
    """Runs scripts with shadow's tools on a scratch /etc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0

    def __call__(self, script: str) -> Result:
        self.runs += 1
        root = self.folder / str(self.runs)
        (root / "etc").mkdir(parents=True)
        for name, text in ETC.items():
            (root / "etc" / name).write_text(text)
        environment = {"ROOT": str(root), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(
            ["sh", "-c", PRELUDE + script], env=environment, capture_output=True, check=False, timeout=60
        )
        passwd, group, gshadow = (
            (root / "etc" / name).read_text().splitlines() for name in ("passwd", "group", "gshadow")
        )
        return Result(done.returncode, passwd, group, gshadow)


@pytest.fixture
def shadow(require_tool: RequireTool, tmp_path: Path) -> Shadow:
    require_tool("useradd")
    require_tool("groupadd")
    return Shadow(tmp_path)


def fixed(script: str, *, unsafe: bool) -> str:
    """The fixed script of a RUN on Debian."""
    outcome = run(target_from_text(f"FROM debian:12\nRUN {script}"), [CODEMOD], unsafe=unsafe)
    assert not outcome.defects
    return script_of(outcome.text)


def script_of(text: str) -> str:
    """The script of the RUN after the FROM."""
    instruction = target_from_text(text).dockerfile.instructions[1]
    assert isinstance(instruction, Run)
    assert instruction.script is not None
    return instruction.script.text


@pytest.mark.parametrize(
    "script",
    [
        "useradd -u 10001 app",
        "useradd -u10001 app",
        "useradd --uid=10001 app",
        "useradd app -Mu 10001 -s /bin/sh",
        "useradd \\\n  --no-create-home \\\n  --uid 10001 \\\n  app",
        "useradd -u 60000 app",
        "useradd -u 10001 one && useradd -u 10002 two",
        "(useradd -u 10001 app); true",
        "set -e; \\\n  true; \\\n  useradd -u 10001 'app'; \\\n  true",
        "<<EOF\nset -e\nuseradd -u 10001 app\ntrue\nEOF",
        "<<EOF\nuseradd -u 10001 app\ntrue\nEOF",
    ],
)
def test_a_safe_fix_changes_no_account(shadow: Shadow, script: str) -> None:
    after = fixed(script, unsafe=False)
    assert "groupadd" in after
    first, second = shadow(script_of(f"FROM debian:12\nRUN {script}")), shadow(after)
    assert first.code == 0
    assert first == second


@pytest.mark.parametrize(
    "script",
    [
        "useradd -u 10001 -g 10001 app",
        "useradd -u 10001 -g web app",
        "useradd -r -g app app",
        "groupadd -g 10001 app && useradd -u 10001 app",
        "groupadd -r app && useradd -r app",
        "groupadd app && useradd -s /bin/sh app",
    ],
)
def test_a_failing_command_is_repaired(shadow: Shadow, script: str) -> None:
    assert fixed(script, unsafe=False) == script
    assert shadow(script).code != 0
    assert shadow(fixed(script, unsafe=True)).code == 0


def test_the_group_that_was_missing_has_the_number_that_was_asked_for(shadow: Shadow) -> None:
    result = shadow(fixed("useradd -u 10001 -g 10002 app", unsafe=True))
    assert result.passwd[1].startswith("app:x:10001:10002:")
    assert result.group[2] == "app:x:10002:"


@pytest.mark.parametrize(
    ("script", "gid"),
    [
        ("useradd -u 60001 app", "1000"),
        ("useradd -u 999 app", "1000"),
        ("useradd -r -u 10001 app", "999"),
        ("useradd -N -u 10001 app", "100"),
        ("groupadd -g 10001 web && useradd -u 10001 app", "10002"),
    ],
)
def test_what_is_refused_has_another_gid_today(shadow: Shadow, script: str, gid: str) -> None:
    outcome = run(target_from_text(f"FROM debian:12\nRUN {script}\n"), [CODEMOD], unsafe=True)
    assert not outcome.changed
    assert [type(found.finding) for found in outcome.remaining] == [Refusal]
    assert shadow(script).passwd[1].split(":")[3] == gid


def test_a_group_made_before_may_have_taken_the_number(shadow: Shadow) -> None:
    script = "useradd -u 10000 one && groupadd web && useradd -u 10001 app"
    outcome = run(target_from_text(f"FROM debian:12\nRUN {script}\n"), [CODEMOD])
    held = [found.finding for found in outcome.remaining]
    assert [type(finding) for finding in held] == [Fix]
    assert shadow(script).passwd[-1].split(":")[3] == "10002"
