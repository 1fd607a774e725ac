"""Every golden case of the built-in pack, as it stands and in its variants."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from dockfix.codemod.model import Codemod
from dockfix.codemod.registry import load_registry
from dockfix.codemod.testing import Case, Update, Variant, check_case, load_cases

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = load_cases(GOLDEN) if GOLDEN.is_dir() else []
NEEDED = ("fix", "no-op", "refusal")


def builtin(rule: str) -> Codemod:
    """The codemod of a rule of the built-in pack: the module's name is the rule's, with underscores."""
    codemod = import_module(f"dockfix_codemods.{rule.replace('-', '_')}").CODEMOD
    assert isinstance(codemod, Codemod)
    return codemod


@pytest.mark.parametrize(("case", "variant"), [(case, variant) for case in CASES for variant in case.variants], ids=str)
def test_case(case: Case, variant: Variant, update_golden: Update, capsys: pytest.CaptureFixture[str]) -> None:
    touched = check_case(case, builtin(case.rule), variant, update=update_golden)
    with capsys.disabled():
        for path in touched:
            print(f"\n{'wrote' if path.exists() else 'took away'} {path}")  # noqa: T201 - what was done must be seen


def test_every_folder_is_a_rule() -> None:
    folders = {path.name for path in GOLDEN.iterdir() if path.is_dir()}
    assert folders == set(load_registry().names)


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_a_rule_has_a_case_of_each_kind(rule: str) -> None:
    """A fix, a no-op and a refusal; or its README has a line `no <kind> case: why` that says why there is none."""
    shown = {kind for case in CASES if case.rule == rule for kind in case.kinds}
    readme = GOLDEN / rule / "README"
    declared = readme.read_text(encoding="utf-8").split("\n") if readme.exists() else []
    excused = {kind for kind in NEEDED for line in declared if re.match(rf"no {kind} case: \S", line)}
    assert set(NEEDED) - shown <= excused
    assert not excused & shown, "the README excuses what is there"
