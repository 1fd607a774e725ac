"""Scenario: a source file is edited, and both sides are built again.

Both sides are built with the file as it is, so that every step is cached. Then one file gets another digest. What the
builder runs again is what a developer waits for after such an edit. Each rebuild gets an edit of its own, so that no
side finds layers that a rebuild of the other has made.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockfix.rule.promise import Claim
from dockfix.verify.edited_files import choose_file
from dockfix.verify.model import BuildOutcome
from dockfix.verify.scenarios import ScenarioResult, Side, compare_reruns, first_failure, not_shown, rebuilds, warm_up

__all__ = ["edited", "source_edit"]


def source_edit(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Edit a file of the context, count the RUN steps that each side runs again, and restore the file.

    The claim is kept if after the fixes fewer RUN steps are run again, and broken if as many or more are although an
    install did not need the file. It is not shown if no file can show it, or if a build fails.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix, so that no layer of an earlier run is found.
        runs: how often the edit is made and built.
    """
    candidate = choose_file(before, after)
    if candidate is None:
        return not_shown(Claim.SOURCE_EDIT, "no file of the context is copied before a RUN that does not need it")
    failure = warm_up(before, after)
    if failure:
        return not_shown(Claim.SOURCE_EDIT, failure)
    outcomes: tuple[list[BuildOutcome], list[BuildOutcome]] = [], []
    for run in range(runs):
        for name, side, results in (("before", before, outcomes[0]), ("after", after, outcomes[1])):
            with edited(side.context / candidate.path, f"{token} {name} {run}"):
                results.append(side.build(side.target.text))
            failure = first_failure(results, f"after an edit of {candidate.path}, {name} the fixes")
            if failure:
                return not_shown(Claim.SOURCE_EDIT, failure)
    what = f"after an edit of {candidate.path}"
    state, evidence = compare_reruns(what, before.target, *outcomes)
    return ScenarioResult(Claim.SOURCE_EDIT, state, evidence, rebuilds(what, *outcomes))


@contextmanager
def edited(path: Path, token: str) -> Iterator[None]:
    """A text file with another digest, restored at the end: content, mode and times.

    A line of white space is appended, which changes the meaning of no program and no document. It is different for each
    token: a number of newlines alone would soon meet the layers of an earlier run.
    """
    status = path.stat()
    data = path.read_bytes()
    bits = int.from_bytes(hashlib.sha256(token.encode()).digest()[:6], "big")
    line = "".join(" \t"[bits >> place & 1] for place in range(48))
    try:
        _write(path, data + f"\n{line}\n".encode(), status)
        yield
    finally:
        _write(path, data, status)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _write(path: Path, data: bytes, status: os.stat_result) -> None:
    """Write a file in place, so that owner and links stay; a read-only file is made writable meanwhile."""
    mode = stat.S_IMODE(status.st_mode)
    if not mode & stat.S_IWUSR:
        path.chmod(mode | stat.S_IWUSR)
    try:
        path.write_bytes(data)
    finally:
        path.chmod(mode)
