"""A whole run of `dockfix verify`, as a function of plain values.

Each Dockerfile with fixes is built before and after them, in each way in which compose, bake or the command line build
it. What the builds show is compared with what the rules promise; if a promise is broken by one of several fixes, builds
with fewer fixes find it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from dockfix.engine.results import FileResult
from dockfix.engine.settings import Settings
from dockfix.facts.model import Refused
from dockfix.rule.registry import Registry
from dockfix.verify.choice import Choice, Chosen
from dockfix.verify.model import (
    Builder,
    BuilderError,
    Event,
    OnEvent,
    Proof,
    TargetResult,
    VerifyOptions,
    VerifyResult,
)
from dockfix.verify.proof import prove_paths
from dockfix.verify.subject import Job, Subject, blank_result, builds_of, concerned, job_of, published

__all__ = ["Event", "OnEvent", "Proof", "VerifyOptions", "prove_paths", "verify_paths"]


def verify_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    root: Path,
    registry: Registry,
    options: VerifyOptions,
    builder: Builder,
    folder: Path,
    on_event: OnEvent | None = None,
) -> VerifyResult:
    """Build the Dockerfiles that `paths` name before and after their fixes, and compare.

    Args:
        paths: files, and folders to be searched.
        settings: which fixes: safe ones, or all.
        root: the project; nothing in it is written.
        registry: the installed codemods.
        options: how to build and measure.
        builder: builds the images; the caller closes it.
        folder: a temporary folder of this run, which the caller removes.
        on_event: called before each phase.

    Raises:
        UnknownRuleError: the settings name a rule that does not exist.
    """
    started = time.monotonic()
    choice = Choice(paths, settings, root=root, registry=registry)
    base, whole = choice.of(()), choice.all()
    job = job_of(choice, registry, options, builder, folder, on_event)
    results: list[TargetResult] = []
    clean = 0
    for file in whole.run.dockerfiles:
        found = [_verified(job, base, whole, file, key) for key in builds_of(base, file)]
        results += [each for each in found if each is not None]
        clean += not any(found)
    run = whole.run
    return VerifyResult(
        f"{builder.name} {builder.version}".strip(),
        tuple(results),
        clean,
        run.problems,
        tuple((each.display, defect) for each, defect in run.defects),
        time.monotonic() - started,
        0 if settings.unsafe else run.fixable_unsafe,
    )


def _verified(job: Job, base: Chosen, whole: Chosen, file: FileResult, key: object) -> TargetResult | None:
    """The result for one build of a Dockerfile; None if no fix concerns it."""
    items = concerned(base, whole, file.real, key)
    if not items:
        return None
    blank = blank_result(base, whole, file, key, items)
    try:
        with Subject(job, f"{blank.display}: {blank.build}", file.real, key, (), items) as subject:
            result = subject.verified(blank)
    except (Refused, BuilderError) as error:
        result = replace(blank, skipped=str(error))
    return published(result, base, file.real, key)
