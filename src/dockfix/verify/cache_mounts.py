"""Scenario: a RUN with a new cache mount is run twice, with the mount empty and with it filled.

The layer of the RUN is missed both times (see `dockfix.verify.mounts`). What the first run leaves in the mount is what
the second one finds. A second run that adds no file found there what it needed; one that adds as much again does not
use what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import count
from statistics import median
from typing import Final

from msgspec import Struct, field

from dockfix.facts.model import Known, Refused
from dockfix.rule.promise import Claim
from dockfix.syntax.tree import Mount, Run
from dockfix.verify.model import BuildOutcome, Measurement, State
from dockfix.verify.mounts import (
    ASK,
    MISS,
    MountedRun,
    Probe,
    cache_mounts_of,
    is_probe,
    missing_text,
    new_cache_mounts,
    probe_text,
    read_probe,
    sweep_text,
    told_all,
)
from dockfix.verify.scenarios import ScenarioResult, Side, not_shown, reruns, shortened

__all__ = ["NO_DOWNLOADS", "cache_mounts"]

NO_DOWNLOADS: Final[tuple[tuple[str, str], ...]] = (
    ("*/lock", "a lock file of apt or dpkg"),
    ("*.lock", "a lock file"),
    ("*/.lock", "a lock file of uv"),
    ("*.log", "a log"),
    ("*/buildah-cache-lockfile", "a lock file of buildah"),
    ("*/eipp.log.xz", "a log of apt's solver"),
    ("*/_logs/*", "a log of npm, named by its time"),
    ("*.tmp", "a temporary file"),
    ("*/tmp/*", "a temporary file of npm"),
    ("*/pkgcache.bin", "an index that apt writes again"),
    ("*/srcpkgcache.bin", "an index that apt writes again"),
    ("*/_cacache/index-v5/*", "an index of npm"),
    ("*/_update-notifier-last-checked", "when npm looked for a new version"),
    ("*/selfcheck/*", "when pip looked for a new version"),
    ("*/CACHEDIR.TAG", "a mark for backup programs"),
    ("*/interpreter-v*/*", "what uv knows of an interpreter"),
    ("*/builds-v*/*", "a temporary environment of uv"),
    ("*/trim.txt", "when Go looked for old entries"),
    ("*/testexpire.txt", "when Go's test results expire"),
    ("*/.package-cache*", "a lock file of cargo"),
    ("*/.global-cache", "when cargo used its files"),
)
"""Files in caches that are no downloads and no results: they neither fill a mount nor show that it is not used."""

_NOTHING_KEPT: Final = (
    "the tool may keep nothing of what it downloads here: a package mirror that sends no cache headers, a setting of"
    " the image (docker-clean) or an option that disables the cache"
)


_MOST_ASKED: Final = 4
"""How often a probe is asked again: buildah in chroot isolation now and then loses what a RUN prints at its end."""


class _Trial(Struct):
    """What the builds of one RUN have shown so far."""

    mounted: MountedRun
    before: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)
    filled: list[float] = field(default_factory=list)
    first: dict[int, Probe] = field(default_factory=dict)
    second: dict[int, Probe] = field(default_factory=dict)


class _TrialError(Exception):
    """The trial of a RUN ends without a comparison; the arguments are a state and the evidence."""

    def __init__(self, state: State, evidence: str) -> None:
        super().__init__(evidence)
        self.state, self.evidence = state, evidence


def cache_mounts(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Run each RUN that has a new cache mount twice, and list what is in the mount each time.

    Calls `build` with texts that end after that RUN (`last_stage=True`) and with the argument `DOCKFIX_MISS`. The claim
    is kept if each of these RUNs finds in a second run what it needs in one of its new mounts. It is not shown if a
    tool keeps nothing there, and broken if a second run adds as much again, or if the RUN fails only with the mount.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix: no cache mount of the user is read or filled.
        runs: how often this is repeated, each time with empty mounts of its own.
    """
    shown: list[tuple[State, list[str]]] = []
    measurements: list[Measurement] = []
    numbers = count()
    for mounted in new_cache_mounts(before.target, after.target, after.stage):
        trial = _Trial(mounted)
        try:
            for _ in range(runs):
                _run(before, after, trial, f"{token}{next(numbers)}")
        except (_TrialError, Refused) as failure:
            state = failure.state if isinstance(failure, _TrialError) else State.NOT_SHOWN
            shown.append((state, [f"{_where(mounted)}: {failure.args[0]}"]))
            continue
        state, lines = _shown(after, trial)
        shown.append((state, [*lines, _times(trial)]))
        measurements += _measurements(after, trial)
    if not shown:
        return not_shown(Claim.CACHE_MOUNT, "no RUN of the stages that are built has a new cache mount")
    worst = next(each for each in (State.BROKEN, State.NOT_SHOWN, State.KEPT) if each in {state for state, _ in shown})
    shown.sort(key=lambda each: each[0] is not worst)
    evidence = tuple(line for _, lines in shown for line in lines)
    return ScenarioResult(Claim.CACHE_MOUNT, worst, evidence, tuple(measurements))


def _run(before: Side, after: Side, trial: _Trial, token: str) -> None:
    """Run a RUN before the fixes, and after them with empty and with filled mounts."""
    run, file = trial.mounted.run, after.target.dockerfile
    try:
        trial.before += _time_before(before, trial.mounted, token)
        for number, times, probes in ((1, trial.empty, trial.first), (2, trial.filled, trial.second)):
            text, value = probe_text(file, run, token), f"{token}n{number}"
            outcome = _build(after, text, value)
            if not outcome.ok:
                raise _explained(after, trial, token, outcome)
            times.append(_seconds(outcome))
            log = _whole_log(after, text, value, token, outcome)
            for place, _ in enumerate(cache_mounts_of(run)):
                probe = read_probe(log, token, place)
                if probe is None:
                    raise _TrialError(State.NOT_SHOWN, "the builder's output does not show what is in the cache mount")
                probes[place] = probe
    finally:
        _build(after, sweep_text(file, run, token), f"{token}sweep")


def _whole_log(side: Side, text: str, value: str, token: str, outcome: BuildOutcome) -> str:
    """What the probe of a build has told; it is asked again while its end is missing."""
    for number in range(_MOST_ASKED):
        if told_all(outcome.log, token):
            break
        outcome = _build(side, text, value, f"{token}ask{number}")
    return outcome.log


def _build(side: Side, text: str, value: str, asked: str = "") -> BuildOutcome:
    return side.build(text, args={MISS: value, ASK: asked} if asked else {MISS: value}, last_stage=True)


def _time_before(before: Side, mounted: MountedRun, token: str) -> list[float]:
    """How long the RUN takes before the fixes; with the mounts that it has there filled."""
    if mounted.before is None:
        return []
    token = f"{token}b"
    text = missing_text(before.target.dockerfile, mounted.before, token)
    values = ("n1", "n2") if cache_mounts_of(mounted.before) else ("n1",)
    try:
        outcomes = [_build(before, text, f"{token}{value}") for value in values]
    finally:
        if cache_mounts_of(mounted.before):
            _build(before, sweep_text(before.target.dockerfile, mounted.before, token), f"{token}sweep")
    return [_seconds(outcomes[-1])] if outcomes[-1].ok else []


def _explained(after: Side, trial: _Trial, token: str, outcome: BuildOutcome) -> _TrialError:
    """Why a build with a probe failed: because of the probe, of the mount, or as the RUN does before the fixes."""
    if _build(after, missing_text(after.target.dockerfile, trial.mounted.run, token), f"{token}again").ok:
        return _TrialError(
            State.NOT_SHOWN, f"the cache mount cannot be listed in this image: {shortened(outcome.reason)}"
        )
    if not trial.before:
        return _TrialError(State.NOT_SHOWN, f"the RUN fails when it is run again: {shortened(outcome.reason)}")
    return _TrialError(
        State.BROKEN, f"the RUN fails with its cache mount, and not before the fixes: {shortened(outcome.reason)}"
    )


def _seconds(outcome: BuildOutcome) -> float:
    """How long the RUN took. It and the probe are the only steps that are not cached."""
    again = [step for step in reruns(outcome) if not is_probe(step.text)]
    if not again and outcome.ok:
        raise _TrialError(State.NOT_SHOWN, "the builder took the RUN from its cache, although an argument had changed")
    seconds = again[-1].seconds if again else None
    return outcome.seconds if seconds is None else seconds


def _shown(after: Side, trial: _Trial) -> tuple[State, list[str]]:
    """What the probes show of the new mounts of a RUN: it suffices that one of them serves the RUN."""
    shown = [
        _mount_shown(_name(after, trial.mounted.run, mount), trial.first[place], trial.second[place])
        for place, mount in enumerate(cache_mounts_of(trial.mounted.run))
        if mount in trial.mounted.mounts
    ]
    states = [state for state, _ in shown]
    best = next(each for each in (State.BROKEN, State.KEPT, State.NOT_SHOWN) if each in states)
    shown.sort(key=lambda each: each[0] is not best)
    return best, [f"{_where(trial.mounted)}: {line}" for _, line in shown]


def _mount_shown(name: str, first: Probe, second: Probe) -> tuple[State, str]:
    kept, more = _downloads(first), _downloads(second)
    held = f"`{name}` holds {_files(kept)} ({_size(first.size)}) after the first run"
    if not kept and not more:
        return State.NOT_SHOWN, f"`{name}` holds no downloads after two runs: {_NOTHING_KEPT}"
    if not kept:
        return State.NOT_SHOWN, f"{held}; {_files(more)} came only with the second run"
    if not more:
        return State.KEPT, f"{held}; a second run, whose layer is not cached, adds none"
    example = next((each for each in second.names if not _is_no_download(each)), "")
    added = f"{held}; a second run adds {_files(more)} more{f', such as {example}' if example else ''}"
    return State.BROKEN if more >= kept else State.NOT_SHOWN, added


def _downloads(probe: Probe) -> int:
    """How many new files a probe found, without those that are no downloads."""
    return probe.added - sum(map(_is_no_download, probe.names))


def _is_no_download(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern, _ in NO_DOWNLOADS)


def _name(after: Side, run: Run, mount: Mount) -> str:
    text = mount.target or ""
    fact = after.target.facts.state(run).expand(text, run.escape)
    return fact.value if isinstance(fact, Known) else text


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _times(trial: _Trial) -> str:
    parts = ((trial.before, "before the fixes"), (trial.empty, "with the mount empty"), (trial.filled, "filled"))
    told = [f"{median(values):.1f} s {when}" for values, when in parts if values]
    return f"{_where(trial.mounted)}: the RUN takes {', '.join(told)}"


def _where(mounted: MountedRun) -> str:
    """The line of a RUN in the file of the user; the fixes have moved it in the file that is built."""
    if mounted.before is None:
        return f"line {mounted.run.start_line} after the fixes"
    return f"line {mounted.before.start_line}"


def _measurements(after: Side, trial: _Trial) -> Sequence[Measurement]:
    run, before = trial.mounted.run, tuple(trial.before)
    where = _where(trial.mounted)
    what = f"rebuild of the RUN of {where}"
    found = [
        Measurement(f"{what} with an empty cache mount", "s", before, tuple(trial.empty)),
        Measurement(f"{what} with a filled cache mount", "s", before, tuple(trial.filled)),
    ]
    for place, mount in enumerate(cache_mounts_of(run)):
        if mount in trial.mounted.mounts:
            name, probe = _name(after, run, mount), trial.second[place]
            found.append(Measurement(f"files in the cache mount {name} of {where}", "files", (), (probe.files,)))
            found.append(Measurement(f"size of the cache mount {name} of {where}", "bytes", (), (probe.size,)))
    return found
