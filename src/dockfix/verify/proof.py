"""`dockfix apply --prove`: which unsafe fixes real builds have proven.

Safe fixes are applied as always. Unsafe fixes are compared with the version that has the safe ones: those whose
promises all hold are kept, in every build that they concern. All others are left out, with the evidence. So are fixes
that are found, safe or not, only after unsafe ones.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.settings import Settings
from dockfix.facts.model import Refused
from dockfix.rule.promise import Claim
from dockfix.rule.registry import Registry
from dockfix.verify.choice import Choice, Chosen, Item
from dockfix.verify.comparison import Shown
from dockfix.verify.model import (
    Builder,
    BuilderError,
    Culprit,
    OnEvent,
    Proof,
    State,
    TargetResult,
    Verdict,
    VerifyOptions,
    VerifyResult,
)
from dockfix.verify.subject import Found, Job, Subject, blank_result, broken_in, builds_of, concerned, job_of, published

__all__ = ["prove_paths"]

_MAX_ROUNDS: Final = 5


def prove_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    options: VerifyOptions,
    builder: Builder,
    folder: Path,
    on_event: OnEvent | None = None,
) -> Proof:
    """Find the unsafe fixes whose promises hold in real builds. Nothing is written.

    Args:
        paths: files, and folders to be searched.
        settings: which rules to run; unsafe fixes are tried in any case.
        root: the project.
        registry: the installed codemods.
        options: how to build.
        builder: builds the images; the caller closes it.
        folder: a temporary folder of this run, which the caller removes.
        on_event: called before each phase.

    Raises:
        UnknownRuleError: the settings name a rule that does not exist.
    """
    started = time.monotonic()
    choice = Choice(paths, replace(settings, unsafe=True), root=root, registry=registry)
    job = job_of(choice, registry, replace(options, quick=True), builder, folder, on_event)
    safe = choice.safe()
    whole = choice.all()
    known = set(whole.offered)
    left_out: dict[tuple[str, str], dict[Culprit, None]] = {}
    for _ in range(_MAX_ROUNDS):
        trials, clean = _trials(job, safe, whole)
        for trial in trials:
            left_out.setdefault((trial.result.display, trial.result.build), {}).update(
                dict.fromkeys(trial.result.culprits)
            )
        final = choice.of((*safe.items, *_agreed(trials)))
        # leaving out a fix may have changed the text that others were found in
        more = [item for item in final.offered if item not in known]
        if not more and all(_is_tried(trial, final) for trial in trials):
            break
        known.update(more)
        whole = choice.of((*final.items, *more))
    else:
        tried = [item for trial in trials if _is_tried(trial, final) for item in trial.kept]
        final = choice.of((*safe.items, *(item for item in _agreed(trials) if item in tried)))
    results = tuple(
        replace(each, culprits=tuple(left_out[each.display, each.build])) for each in (trial.result for trial in trials)
    )
    defects = tuple((each.display, defect) for each, defect in final.run.defects)
    name = f"{builder.name} {builder.version}".strip()
    seconds = time.monotonic() - started
    return Proof(VerifyResult(name, results, clean, final.run.problems, defects, seconds), final.run)


class _Trial(Struct, frozen=True):
    """What was shown of the unsafe fixes in one build; `text` is that of the Dockerfile with those of `kept`."""

    path: Path
    items: tuple[Item, ...]
    kept: tuple[Item, ...]
    result: TargetResult
    text: str = ""


def _trials(job: Job, safe: Chosen, whole: Chosen) -> tuple[list[_Trial], int]:
    """The trials of all builds, and the number of Dockerfiles without unsafe fixes."""
    trials: list[_Trial] = []
    clean = 0
    for file in whole.run.dockerfiles:
        before = len(trials)
        for key in builds_of(safe, file):
            items = tuple(item for item in concerned(safe, whole, file.real, key) if item not in safe.items)
            if not items:
                continue
            blank = blank_result(safe, whole, file, key, items)
            try:
                with Subject(job, f"{blank.display}: {blank.build}", file.real, key, tuple(safe.items), items) as one:
                    kept, result = _proven(one, blank)
                    text = one.version(kept).target.text
            except (Refused, BuilderError) as error:
                kept, result, text = (), replace(blank, skipped=str(error)), ""
            trials.append(_Trial(file.real, items, kept, published(result, safe, file.real, key), text))
        clean += len(trials) == before
    return trials, clean


def _agreed(trials: Sequence[_Trial]) -> list[Item]:
    """The fixes that every build that they concern has proven."""
    tried = dict.fromkeys(item for trial in trials for item in trial.items)
    return [item for item in tried if all(item in trial.kept for trial in trials if item in trial.items)]


def _is_tried(trial: _Trial, final: Chosen) -> bool:
    """Whether the Dockerfile is what was built in this trial, or has none of its fixes."""
    target = final.workspace.at(trial.path)
    return (target is not None and target.text == trial.text) or not any(item in final.items for item in trial.items)


def _proven(subject: Subject, blank: TargetResult) -> tuple[tuple[Item, ...], TargetResult]:
    """The fixes of one build whose promises are all shown, and the result for a reader."""
    repairs = subject.repairs()
    first = Found(repairs, {}, subject.compare((), repairs)) if repairs else None
    verdicts = subject.verdicts(first)[0] if first is not None else []
    left_out: dict[Item, tuple[str, Shown]] = {}
    found = subject.search(repairs, [item for item in subject.items if item not in repairs])
    left_out.update({item: broken_in(each) for item, each in found.culprits.items()})
    while found.left:
        shown, _ = subject.verdicts(found)
        blocked = {each.rule: each for each in reversed(shown) if not _holds(subject, each, found)}
        if not blocked:
            verdicts += shown
            break
        kept = [item for item in found.left if item.rule not in blocked]
        for rule, verdict in blocked.items():
            own = [item for item in found.left if item.rule == rule]
            bad = _alone(subject, found, own) if len(own) > 1 else {own[0]: verdict}
            kept += [item for item in own if item not in bad]
            left_out.update({item: (each.promise, (each.state, each.evidence)) for item, each in bad.items()})
        if len(kept) == len(found.left):  # each holds alone, but not together: none of them is shown
            kept = [item for item in found.left if item.rule not in blocked]
            left_out.update(_all_of(found.left, blocked))
        found = subject.search(repairs, subject.in_order(kept))
        left_out.update({item: broken_in(each) for item, each in found.culprits.items()})
    items = subject.in_order((*repairs, *found.left))
    comparison = subject.compare((), items)
    result = replace(
        blank,
        before=comparison.before.outcome,
        after=comparison.after.outcome,
        verdicts=(*verdicts, *(Verdict(item.rule, promise, *shown) for item, (promise, shown) in left_out.items())),
        measurements=comparison.measurements,
        differences=comparison.differences,
        culprits=subject.named(left_out),
    )
    return items, result


def _all_of(items: Sequence[Item], blocked: Mapping[str, Verdict]) -> dict[Item, tuple[str, Shown]]:
    return {
        item: (verdict.promise, (verdict.state, verdict.evidence))
        for item in items
        if (verdict := blocked.get(item.rule)) is not None
    }


def _alone(subject: Subject, found: Found, items: Sequence[Item]) -> dict[Item, Verdict]:
    """Those of several fixes of one rule of which a promise does not hold if it is made alone, with that promise."""
    bad: dict[Item, Verdict] = {}
    for item in items:
        one = subject.search(found.start, [item])
        if one.left:
            failed = [each for each in subject.verdicts(one)[0] if not _holds(subject, each, one)]
        else:
            promise, shown = broken_in(one.culprits[item])
            failed = [Verdict(item.rule, promise, *shown)]
        if failed:
            bad[item] = failed[0]
    return bad


def _holds(subject: Subject, verdict: Verdict, found: Found) -> bool:
    """Whether a verdict lets a fix be applied: a promise must be kept, not only not broken.

    Two that are not shown do not count: that nothing was repaired where nothing failed, and that a container that did
    not start before does not start after a fix that leaves the start alone.
    """
    if verdict.state is not State.NOT_SHOWN:
        return verdict.state is State.KEPT
    if verdict.promise == Claim.REPAIRS.value:
        return found.comparison.before.outcome.ok
    return verdict.promise == "starts" and not subject.job.promises[verdict.rule].config
