"""The values of variables before and after env-self-reference, as dockfix expands them."""

from __future__ import annotations

import pytest

from dockfix.engine.project import run
from dockfix.facts.model import Known
from dockfix.project.target import target_from_text
from dockfix_codemods.env_self_reference import CODEMOD


def values(text: str) -> dict[str, str]:
    target = target_from_text(text)
    final = target.facts.final
    assert final is not None
    state = target.facts.end_state(final)
    found = {name: state.lookup(name) for name in ("A", "B", "C", "D")}
    return {name: fact.value for name, fact in found.items() if isinstance(fact, Known)}


@pytest.mark.parametrize(
    ("env", "before", "after"),
    [
        ("A=x B=$A:y", {"A": "x", "B": ":y"}, {"A": "x", "B": "x:y"}),
        ("A=1 B=$A C=$B", {"A": "1", "B": "", "C": ""}, {"A": "1", "B": "1", "C": "1"}),
        ("A=1 B=2 \\\n  C=$A \\\n # c\n\n  D=$B", {"A": "1", "B": "2", "C": "", "D": ""},
         {"A": "1", "B": "2", "C": "1", "D": "2"}),
        ("A=1 \\\n  B=$A C=3", {"A": "1", "B": "", "C": "3"}, {"A": "1", "B": "1", "C": "3"}),
        ("A=1 B=${A} A=2 C=$A", {"A": "2", "B": "", "C": ""}, {"A": "2", "B": "1", "C": "2"}),
    ],
)  # fmt: skip
def test_values_before_and_after(env: str, before: dict[str, str], after: dict[str, str]) -> None:
    text = f"FROM debian:12\nENV {env}\n"
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    assert not outcome.defects
    assert values(text) == before
    assert values(outcome.text) == after
