"""How grave each rule of the built-in pack is, and which ones run only if they are asked for."""

from __future__ import annotations

import pytest

from dockfix.project.target import target_from_text
from dockfix.rule.model import Severity
from dockfix.rule.registry import load_registry

ERROR = frozenset(
    (
        "arg-scope", "copy-from-context", "env-self-reference", "healthcheck-pgrep", "healthcheck-tool",
        "python-inline-syntax", "retry-loop", "turbo-prune", "uv-venv-pip",
    )
)  # fmt: skip
WARNING = frozenset(
    (
        "cache-mount", "copy-order", "dockerignore-comment", "error-masked", "exec-form-variable", "local-base-image",
        "postgres-extension", "postgres-preload", "shell-pipefail", "uid-map", "user-group",
    )
)  # fmt: skip
OPT_IN = frozenset(("header-comment", "image-pin", "pip-to-uv", "recommended-env"))

FINDINGS = {
    ("shell-pipefail", "FROM debian:12\nRUN set -o pipefail && ls\n"): Severity.ERROR,
    ("shell-pipefail", "FROM debian:12\nRUN curl -fsSL https://example.org | sh\n"): Severity.WARNING,
    ("useradd-gid", "FROM debian:12\nRUN useradd -u 10001 -g 10001 app\n"): Severity.ERROR,
    ("useradd-gid", "FROM debian:12\nRUN useradd -u 10001 app\n"): Severity.INFO,
    ("env-self-reference", "FROM debian:12\nENV A=x B=$A\n"): Severity.ERROR,
    ("env-self-reference", "FROM debian:12\nENV A=x\nENV A=y B=$A\n"): Severity.WARNING,
    ("healthcheck-pgrep", "FROM debian:12\nHEALTHCHECK CMD pgrep -f x.main || exit 1\n"): Severity.INFO,
}


def test_severities() -> None:
    rules = {codemod.name: codemod.severity for codemod in load_registry().codemods}
    assert {name for name, severity in rules.items() if severity is Severity.ERROR} == ERROR
    assert {name for name, severity in rules.items() if severity is Severity.WARNING} == WARNING


def test_opt_in() -> None:
    assert {codemod.name for codemod in load_registry().codemods if codemod.opt_in} == OPT_IN


@pytest.mark.parametrize(("case", "severity"), FINDINGS.items(), ids=str)
def test_a_finding_may_be_of_its_own_severity(case: tuple[str, str], severity: Severity) -> None:
    rule, text = case
    codemod = next(each for each in load_registry().codemods if each.name == rule)
    assert codemod.check is not None
    found = list(codemod.check(target_from_text(text)))
    assert severity in {finding.severity or codemod.severity for finding in found}
