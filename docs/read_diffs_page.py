"""The page with what a reader said of a sample of diffs, from the table that `benchmarks/read_diffs.py` keeps."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Final

_MEANING: Final = {
    "merge": "would merge it as it is",
    "remark": "would merge it, with a remark",
    "refuse": "would not merge it",
}
_INTRODUCTION: Final = """\
# Diffs that were read

A sample of public Dockerfiles that safe fixes change, drawn with a fixed seed. Each diff was read as its maintainer
would, a quarter of them with the whole file beside it. Why a diff would be merged is said by the kinds of its changes.

{counts}

A file that is not known here (`ADD` of a file that only the build context shows) gets no safe fix; that and what advice
says beside a diff are most of the remarks. The diffs that would not be merged are those of files which say that they
are generated: dockfix [warns of them](adoption.md#generated-files).

`python benchmarks/read_diffs.py FOLDER --diffs DIR` draws the sample again, writes the diffs, and says whether one is
another than the one that was read. A file is named by the start of the SHA-256 of its text.

| file | rules | verdict | why |
|---|---|---|---|
"""


def read_diffs_page(table: Path) -> str:
    """The page.

    Args:
        table: the verdicts.
    """
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    counts = Counter(row["verdict"] for row in rows)
    summary = "\n".join(f"- {counts[each]} of {len(rows)}: {meaning}" for each, meaning in _MEANING.items())
    lines = [f"| `{row['file']}` | {row['rules']} | {row['verdict']} | {row['why']} |" for row in rows]
    return "\n".join([_INTRODUCTION.format(counts=summary).rstrip("\n"), *lines, ""])
