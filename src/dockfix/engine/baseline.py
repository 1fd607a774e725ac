"""Baselines: findings that were accepted, by fingerprints that survive moved lines.

A fingerprint is the rule, the file, the message without line numbers, and a hash of the lines of the finding without
white space at their ends. Equal fingerprints are counted. The lines themselves are not kept: they may hold secrets.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.engine.results import FileResult, RunResult
from dockfix.project.problems import InputError
from dockfix.rule.model import Diagnostic
from dockfix.syntax.source import BOM, encode

__all__ = [
    "Baseline", "Fingerprint", "baseline_data", "baseline_of", "covered", "fingerprint", "read_baseline", "successors",
]  # fmt: skip

VERSION: Final = 1
_KIND: Final = "dockfix baseline"
_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_COUNT: Final = 1_000_000
_LINE_NUMBERS: Final = re.compile(r"\b(lines?) \d+(?:(?:, | and | or | to |-)\d+)*", re.I)
_PLACE: Final = re.compile(
    r"(?:(?<=[Dd]ockerfile)|(?<=Containerfile)|(?<=\.yml)|(?<=\.yaml)|(?<=\.hcl)|(?<=\.json)):\d+"
)


class Fingerprint(NamedTuple):
    """What identifies a finding from one run to the next."""

    path: str
    rule: str
    message: str
    lines: str


class Baseline(Struct, frozen=True):
    """Accepted findings.

    Args:
        counts: how often each fingerprint of a finding may occur.
    """

    counts: Mapping[Fingerprint, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many findings are accepted."""
        return sum(self.counts.values())

    def filtered(self, result: RunResult, base: Path) -> tuple[RunResult, Baseline]:
        """A run without the findings that are accepted, and the part of the baseline that was not found.

        Args:
            result: the run.
            base: the folder that the paths of the baseline are relative to.
        """
        left = Counter(self.counts)

        def is_new(outcome: FileResult, found: Diagnostic) -> bool:
            key = fingerprint(outcome, found, result, base)
            if left[key] <= 0:
                return True
            left[key] -= 1
            return False

        return only(result, is_new), Baseline(+left)

    def only(self, keep: Callable[[Fingerprint], bool]) -> Baseline:
        """The part of the baseline whose fingerprints satisfy `keep`."""
        return Baseline({key: count for key, count in self.counts.items() if keep(key)})

    def with_more(self, other: Baseline) -> Baseline:
        """The findings of both; what both have is not added up."""
        return Baseline(Counter(self.counts) | Counter(other.counts))

    def with_successors(self, others: Baseline, obsolete: Baseline) -> Baseline:
        """The baseline with some findings instead of those that are obsolete."""
        return Baseline(Counter(self.counts) - Counter(obsolete.counts) + Counter(others.counts))


def only(result: RunResult, keep: Callable[[FileResult, Diagnostic], bool]) -> RunResult:
    """A run with only the findings that satisfy `keep`, and without files that had nothing but other findings."""
    files: list[FileResult] = []
    for outcome in result.files:
        kept = tuple(found for found in outcome.remaining if keep(outcome, found))
        if kept or outcome.is_dockerfile or outcome.changed or outcome.problems or not outcome.remaining:
            files.append(outcome if len(kept) == len(outcome.remaining) else replace(outcome, remaining=kept))
    return replace(result, files=tuple(files))


def baseline_of(result: RunResult, base: Path) -> Baseline:
    """The baseline that accepts all findings of a run; its paths are relative to the folder `base`."""
    keys = (fingerprint(outcome, found, result, base) for outcome in result.files for found in outcome.remaining)
    return Baseline(Counter(keys))


def fingerprint(outcome: FileResult, found: Diagnostic, result: RunResult, base: Path) -> Fingerprint:
    """The fingerprint of a finding of a run, with its path relative to the folder `base`."""
    text = outcome.text.removeprefix(BOM)
    lines = text.split("\n")[found.line - 1 : found.end_line]
    normalised = "\n".join(" ".join(line.split()) for line in lines)
    digest = hashlib.sha256(encode(normalised)).hexdigest()[:16]
    message = result.workspace.project.secrets.hide(_message(found.finding.message))
    return Fingerprint(relative(outcome.real, base), found.rule, message, digest)


def successors(new: RunResult, obsolete: Baseline, base: Path) -> Baseline:
    """The new findings that are perhaps accepted ones whose lines have changed.

    An entry that is obsolete has at most one successor: a finding of its rule in its file, if there is one with its
    message.

    Args:
        new: a run with only the findings that are not accepted.
        obsolete: the entries of the baseline that were not found.
        base: the folder that the paths of the baseline are relative to.
    """
    left: dict[tuple[str, str], Counter[Fingerprint]] = {}
    for key, count in sorted(obsolete.counts.items()):
        left.setdefault((key.path, key.rule), Counter())[key] = count
    found = Counter(baseline_of(new, base).counts)
    chosen: Counter[Fingerprint] = Counter()
    for same_message in (True, False):
        for key in sorted(found):
            own = left.get((key.path, key.rule), Counter())
            for old in [each for each in own if not same_message or each.message == key.message]:
                number = min(own[old], found[key])
                own[old] -= number
                found[key] -= number
                chosen[key] += number
    return Baseline(+chosen)


def relative(path: Path, base: Path) -> str:
    """A path relative to a folder, with `/`."""
    return Path(os.path.relpath(path, base)).as_posix()


def _message(message: str) -> str:
    """A message without the numbers of lines."""
    return _PLACE.sub(":N", _LINE_NUMBERS.sub(r"\1 N", message))


def covered(
    result: RunResult, base: Path, paths: Iterable[Path], rules: Collection[str]
) -> Callable[[Fingerprint], bool]:
    """Whether a run would have found the finding of a fingerprint if it still existed.

    Args:
        result: the run.
        base: the folder that the paths of fingerprints are relative to.
        paths: the files and folders that the run was asked to check.
        rules: the names of the rules that it ran.
    """
    reals = [Path(os.path.realpath(each)) for each in paths]
    checked = {relative(each.real, base) for each in result.dockerfiles}
    failed = {relative(each.real, base) for each in result.files if each.problems or each.defects}
    broken = {name.strip() for _, defect in result.defects for name in defect.rule.split(",")}

    def covers(key: Fingerprint) -> bool:
        if key.rule not in rules or key.rule in broken or key.path in failed:
            return False
        place = Path(os.path.normpath(base / key.path))
        return key.path in checked or any(place.is_relative_to(real) for real in reals)

    return covers


def baseline_data(baseline: Baseline) -> dict[str, Any]:
    """A baseline as JSON-ready data, sorted."""
    entries = [
        {"path": key.path, "rule": key.rule, "message": key.message, "lines": key.lines, "count": count}
        for key, count in sorted(baseline.counts.items())
    ]
    return {"kind": _KIND, "version": VERSION, "findings": entries}


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        InputError: the file cannot be read, or is not a baseline.
    """
    import json  # noqa: PLC0415 - few runs have a baseline

    name = str(path)
    try:
        data = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise InputError(name, error.lineno, f"is not a dockfix baseline: invalid JSON: {error.msg.lower()}") from error
    except UnicodeDecodeError as error:
        raise InputError(name, None, "is not a dockfix baseline: it is not UTF-8") from error
    except (RecursionError, ValueError) as error:
        raise InputError(name, None, "is not a dockfix baseline: its JSON is beyond the limits") from error
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise InputError(name, None, f'is not a dockfix baseline: it has no "kind": "{_KIND}"')
    if data.get("version") != VERSION:
        message = f"has another version of the format than {VERSION}; write it again with `dockfix baseline`"
        raise InputError(name, None, message)
    entries = data.get("findings")
    if not isinstance(entries, list):
        raise InputError(name, None, "is not a dockfix baseline: `findings` is not a list")
    return Baseline(_counts(name, entries))


def _counts(name: str, entries: Sequence[object]) -> Counter[Fingerprint]:
    counts: Counter[Fingerprint] = Counter()
    for number, entry in enumerate(entries, 1):
        values = [entry.get(key) for key in Fingerprint._fields] if isinstance(entry, dict) else []
        count = entry.get("count", 1) if isinstance(entry, dict) else None
        right = isinstance(count, int) and not isinstance(count, bool) and 0 < count <= _MAX_COUNT
        if not values or not all(isinstance(value, str) for value in values) or not right:
            needed = ", ".join(Fingerprint._fields)
            message = f"is not a dockfix baseline: entry {number} of `findings` needs the texts {needed} and a count"
            raise InputError(name, None, message)
        counts[Fingerprint(*map(str, values))] += int(count or 0)
    return counts


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(str(path), None, "is not a regular file")
            data = stream.read(_MAX_BYTES + 1)
    except ValueError as error:
        raise InputError(str(path), None, "is not a possible file name") from error
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(str(path), None, reason) from error
    if len(data) > _MAX_BYTES:
        raise InputError(str(path), None, f"is larger than {_MAX_BYTES // (1024 * 1024)} MiB and is not read")
    return data.decode("utf-8-sig")
