"""How grave each rule of the built-in pack is, and in which preset it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.target import target_from_text
from dockfix.rule.model import Severity
from dockfix.rule.registry import load_registry

TABLE = Path(__file__).with_name("severities.tsv")
"""Each rule with its severity and its preset, sorted by name."""

FINDINGS = {
    ("shell-pipefail", "FROM debian:12\nRUN set -o pipefail && ls\n"): Severity.ERROR,
    ("shell-pipefail", "FROM debian:12\nRUN curl -fsSL https://example.org | sh\n"): Severity.WARNING,
    ("useradd-gid", "FROM debian:12\nRUN useradd -u 10001 -g 10001 app\n"): Severity.ERROR,
    ("useradd-gid", "FROM debian:12\nRUN useradd -u 10001 app\n"): Severity.INFO,
    ("env-self-reference", "FROM debian:12\nENV A=x B=$A\n"): Severity.ERROR,
    ("env-self-reference", "FROM debian:12\nENV A=x\nENV A=y B=$A\n"): Severity.WARNING,
    ("healthcheck-pgrep", "FROM debian:12\nHEALTHCHECK CMD pgrep -f x.main || exit 1\n"): Severity.INFO,
}


def test_severities_and_presets() -> None:
    listed = TABLE.read_text().splitlines()
    rules = load_registry().codemods
    assert listed == sorted(f"{each.name}\t{each.severity.value}\t{each.preset.value}" for each in rules)


@pytest.mark.parametrize(("case", "severity"), FINDINGS.items(), ids=str)
def test_a_finding_may_be_of_its_own_severity(case: tuple[str, str], severity: Severity) -> None:
    rule, text = case
    codemod = next(each for each in load_registry().codemods if each.name == rule)
    assert codemod.check is not None
    found = list(codemod.check(target_from_text(text)))
    assert severity in {finding.severity or codemod.severity for finding in found}
