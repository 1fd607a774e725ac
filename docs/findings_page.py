"""The page that puts dockfix's own report on the example against the audit that dockfix grew out of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

from dockfix.rule.model import Codemod

_DATA: Final = Path(__file__).with_name("audit_findings.tsv")
"""By the section of the audit and the number in it. What is true was seen in real builds, or is in the example."""

_MEANING: Final = {
    "right": "the finding and its advice are right",
    "partly right": "there is something to it; the reason or the advice is not right",
    "advice breaks it": "the advice breaks the build or the container",
    "not a problem": "what it calls a problem is none",
    "unproven": "the audit shows no evidence",
    "taste": "a matter of habit",
}


class Finding(NamedTuple):
    """A finding of the audit: in short, whether it is right, and how that is known."""

    title: str
    verdict: str
    truth: str


def findings() -> dict[str, Finding]:
    """The findings of the audit, in its order."""
    rows = (line.split("\t") for line in _DATA.read_text(encoding="utf-8").splitlines()[1:])
    return {name: Finding(title, verdict, truth) for name, title, verdict, truth in rows}


def findings_page(codemods: tuple[Codemod, ...]) -> str:
    """The page.

    Raises:
        ValueError: a rule names a finding that the audit does not have.
    """
    audit = findings()
    unknown = {name for each in codemods for name in each.findings} - audit.keys()
    if unknown:
        raise ValueError(f"unknown findings of the audit: {', '.join(sorted(unknown))}")
    numbers = Counter(each.verdict for each in audit.values())
    verdicts = [f"| {name} | {numbers[name]} | {meaning} |" for name, meaning in _MEANING.items()]
    rows = []
    for name, finding in audit.items():
        rules = [f"[`{each.name}`](rules/{each.name}.md)" for each in codemods if name in each.findings]
        rows.append(f"| {name} | {finding.title} | {finding.verdict} | {finding.truth} | {', '.join(rules)} |")
    head = [
        "# The audit, finding by finding",
        "",
        "dockfix grew out of an audit of seven Dockerfiles, which was written by hand in October 2025. The Dockerfiles",
        "are [the example](../examples/audit), and `dockfix report` writes its own audit of them:",
        "[as Markdown](example-report.md), [as a page](example-report.html). This page puts the two side by side.",
        "Each finding was tried with real builds before a rule was written for it.",
        "",
        "| verdict | findings | meaning |",
        "|---|---:|---|",
        *verdicts,
        "",
        "| finding | in short | verdict | what is true, and how we know | rules |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"
