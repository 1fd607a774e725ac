"""The page that lists all rules, with what one looks for in a rule; the site adds filters to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from dockfix.rule.model import Codemod

_KINDS: Final = (("safe fix", "safe"), ("unsafe fix", "after review"), ("advice", "advice"))
_FINDING: Final = re.compile(r"^\S+:[0-9]+:[0-9]+ (?:error|warning|info), (safe fix|unsafe fix|advice|refusal): ", re.M)

_HEAD: Final = """\
# All rules

`dockfix rules` lists them in a terminal, and `dockfix explain RULE` shows a page, also by a code of another tool, such
as `DL3008` or `StageNameCasing`. The column *fixes* says what the cases of a rule have: a safe fix, a fix after review,
or advice.

<div id="rule-filters"></div>

| rule | finding | category | severity | preset | fixes | answers |
|---|---|---|---|---|---|---|
"""


def rules_page(codemods: tuple[Codemod, ...], golden: Path) -> str:
    """The page.

    Args:
        codemods: the rules.
        golden: the folder with their cases.
    """
    return _HEAD + "".join(f"{_row(each, golden)}\n" for each in sorted(codemods, key=lambda each: each.name))


def _row(codemod: Codemod, golden: Path) -> str:
    found = set(_FINDING.findall((golden / f"{codemod.name}.md").read_text(encoding="utf-8")))
    fixes = [word for kind, word in _KINDS[:2] if kind in found] or ["advice"]
    cells = (
        f"[`{codemod.name}`]({codemod.name}.md)",
        codemod.title,
        codemod.category.value,
        codemod.severity.value,
        codemod.preset.value,
        ", ".join(fixes),
        ", ".join((*sorted(codemod.hadolint), *sorted(codemod.checks))),
    )
    return f"| {' | '.join(cells)} |"
