"""Draw a sample of Dockerfiles that safe fixes change, and keep what a reader said of each diff.

usage: python benchmarks/read_diffs.py FOLDER [--seed N] [--count N] [--diffs DIR] [--verdicts FILE] [--write]

FOLDER is searched for Dockerfiles. They are shuffled by the seed, and the first that BuildKit's own parser accepts and
that safe fixes change are the sample. --diffs writes the diff of each into a folder, for a person to read as the
maintainer of the file. Each verdict is a line of a table: `merge`, `remark` (would merge, with a remark) or `refuse`,
and why. The table names a file by the start of the SHA-256 of its text, and has the hash of its diff and no text of it.

Without --write the exit code is 1 if a file of the sample has no verdict, or its diff is another one than the diff that
was read. --write brings the table up to date: a file whose diff has changed loses its verdict.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fixes import accepts

import dockfix
from dockfix.engine.difftext import unified_diff
from dockfix.project.discovery import discover
from dockfix.syntax.source import decode

VERDICTS: Final = Path(__file__).resolve().parent / "read_diffs.tsv"
COLUMNS: Final = ("file", "diff", "rules", "verdict", "why")
MEANINGS: Final = ("merge", "remark", "refuse")


@dataclass(frozen=True)
class Sample:
    """A Dockerfile of the sample.

    Args:
        file: the start of the hash of its text.
        text: the diff.
        rules: the rules that changed it, with how often.
    """

    file: str
    text: str
    rules: str

    @property
    def diff(self) -> str:
        """The start of the hash of the diff."""
        return _hash(self.text.encode("utf-8", "surrogateescape"))


def main() -> int:
    """Draw the sample, and compare it with the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--diffs", type=Path, help="write the diffs into this folder")
    parser.add_argument("--verdicts", type=Path, default=VERDICTS, help="the table")
    parser.add_argument("--write", action="store_true", help="bring the table up to date")
    options = parser.parse_args()
    samples = list(drawn(options.folder, options.seed, options.count))
    if options.diffs is not None:
        options.diffs.mkdir(parents=True, exist_ok=True)
        for number, sample in enumerate(samples, 1):
            path = options.diffs / f"{number:02}-{sample.file}.diff"
            path.write_text(sample.text, encoding="utf-8", errors="surrogateescape", newline="")
    known = verdicts(options.verdicts)
    if options.write:
        write(options.verdicts, samples, known)
    return report(samples, known)


def drawn(folder: Path, seed: int, count: int) -> Iterator[Sample]:
    """The first files, in the order of the seed, that safe fixes change."""
    found, _ = discover([folder], root=folder.resolve(), respect_gitignore=False)
    paths = sorted({_hash(data): data for each in found if accepts(data := each.path.read_bytes())}.items())
    random.Random(seed).shuffle(paths)  # noqa: S311 - a sample holds no secret
    for name, data in paths:
        if count == 0:
            return
        result = dockfix.fix_text(data)
        if result.text != result.before:
            rules = Counter(found.rule for found in result.applied)
            shown = ", ".join(rule if times == 1 else f"{rule} ({times})" for rule, times in rules.items())
            yield Sample(name, unified_diff(decode(data), result.text, "Dockerfile"), shown)
            count -= 1


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def verdicts(path: Path) -> dict[str, dict[str, str]]:
    """The rows of the table, by file."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {row["file"]: row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}


def write(path: Path, samples: Sequence[Sample], known: dict[str, dict[str, str]]) -> None:
    """Write the table; what was said of another diff is left out."""
    lines = ["\t".join(COLUMNS)]
    for each in samples:
        row = known.get(each.file, {})
        said = (row["verdict"], row["why"]) if row.get("diff") == each.diff else ("", "")
        lines.append("\t".join((each.file, each.diff, each.rules, *said)))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def report(samples: Sequence[Sample], known: dict[str, dict[str, str]]) -> int:
    """Print how the verdicts are spread, and the files without one."""
    said = {each: known.get(each.file, {}) for each in samples}
    missing = [each for each, row in said.items() if row.get("diff") != each.diff or row["verdict"] not in MEANINGS]
    counts = Counter(row["verdict"] for each, row in said.items() if each not in missing)
    print(f"{len(samples)} diffs: " + ", ".join(f"{counts[each]} {each}" for each in MEANINGS))
    for each in missing:
        print(f"{each.file}: no verdict on this diff")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
