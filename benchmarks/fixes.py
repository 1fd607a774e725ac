"""Compare what the fixes of dockfix and of tally do to real Dockerfiles.

usage: python benchmarks/fixes.py FOLDER [--limit N]

FOLDER is searched for Dockerfiles. Each tool gets a copy of all files that BuildKit's own parser accepts, and fixes
them with its safe fixes, once and then a second time. Counted are the files that changed, those of them that BuildKit's
parser no longer accepts, those that lost the text of a comment, and those that a second run changes again. hadolint and
`docker build --check` have no fixes. tally is a command that is installed with `pip install tally-cli`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dockerfile

from dockfix.project.discovery import discover
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.syntax.tree import Comment, Instruction

BATCH = 50
"""Files per call of tally, which stops at a file that it cannot read."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=1_000_000)
    options = parser.parse_args()
    found, _ = discover([options.folder], root=options.folder.resolve(), respect_gitignore=False)
    texts = [data for each in found if accepts(data := each.path.read_bytes())][: options.limit]
    if not texts:
        sys.exit("no Dockerfiles found")
    print(f"{len(texts)} Dockerfiles that BuildKit's parser accepts")
    print("| tool | changed | no longer parse | lost a comment | changed by a second run |")
    print("|---|---|---|---|---|")
    for name, fix in (("dockfix apply", dockfix), ("tally lint --fix", tally)):
        if shutil.which(program(name)) is None:
            print(f"| {name} | not installed | | | |")
            continue
        counts = measured(texts, fix)
        cells = (counts[key] for key in ("changed", "broken", "comment", "again"))
        print(f"| `{name}` | {' | '.join(map(str, cells))} |")


def program(name: str) -> str:
    """The program of a command, next to this Python if it is there."""
    own = Path(sys.executable).with_name(name.split(" ", maxsplit=1)[0])
    return str(own) if own.exists() else own.name


def accepts(data: bytes) -> bool:
    """Whether BuildKit's parser accepts a Dockerfile."""
    try:
        dockerfile.parse_string(data.decode("utf-8", "replace"))
    except (dockerfile.GoParseError, ValueError):
        return False
    return True


def measured(texts: list[bytes], fix: Callable[[list[Path]], None]) -> Counter[str]:
    """What two runs of a tool do to copies of the files."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch, f"{number:05}", "Dockerfile") for number in range(len(texts))]
        for place, data in zip(places, texts, strict=True):
            place.parent.mkdir()
            place.write_bytes(data)
        fix(places)
        once = [place.read_bytes() for place in places]
        fix(places)
        for before, after, place in zip(texts, once, places, strict=True):
            if after == before:
                continue
            counts["changed"] += 1
            counts["broken"] += not accepts(after)
            counts["comment"] += bool(comments(before) - comments(after))
            counts["again"] += place.read_bytes() != after
    return counts


def comments(data: bytes) -> Counter[str]:
    """The words of the comments of a Dockerfile, and how often each is there."""
    found: list[Comment] = []
    for node in parse(decode(data)).nodes:
        if isinstance(node, Comment):
            found.append(node)
        elif isinstance(node, Instruction):
            found += node.comments
    return Counter(comment.text.strip("# \t") for comment in found)


def dockfix(places: list[Path]) -> None:
    """Apply dockfix's safe fixes."""
    root = places[0].parent.parent
    subprocess.run(
        [program("dockfix"), "apply", "--quiet", "--no-config", "--root", root, root], capture_output=True, check=False
    )


def tally(places: list[Path]) -> None:
    """Apply tally's safe fixes."""
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        subprocess.run(
            [program("tally"), "lint", "--fix", "--no-config", "--slow-checks", "off", *batch],
            capture_output=True,
            check=False,
        )


if __name__ == "__main__":
    main()
