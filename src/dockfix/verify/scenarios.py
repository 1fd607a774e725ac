"""What a scenario is given and what it shows: one claim of a rule, tried on the Dockerfile before and after its fixes.

A scenario changes one thing (a source file, a build argument, the state of a cache mount), builds both sides again, and
counts what the builder ran again. It decides from what the builder reports, never from the text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from statistics import median
from typing import Protocol

from msgspec import Struct, field

from dockfix.project.target import Target
from dockfix.rule.promise import Claim
from dockfix.syntax.tree import Run
from dockfix.verify.model import BuildOutcome, Measurement, State, Step

__all__ = [
    "Build", "ScenarioResult", "Side", "compare_reruns", "first_failure", "is_run", "not_shown", "rebuilds", "reruns",
    "shortened", "warm_up",
]  # fmt: skip


class Build(Protocol):
    """Builds a text in the context of its side, with the settings of the invocation (arguments, contexts, secrets)."""

    def __call__(
        self, text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, no_cache: bool = False
    ) -> BuildOutcome:
        """Build a Dockerfile text. The image is not needed afterwards; the layers must stay in the builder's cache.

        Args:
            text: the Dockerfile.
            args: build arguments in addition to those of the invocation; these win.
            last_stage: build the last stage of the text, whatever stage the invocation names.
            no_cache: use no layers of earlier builds.
        """


class Side(Struct, frozen=True):
    """The Dockerfile before or after the fixes, and how to build it.

    Args:
        target: the Dockerfile in its build; `target.text` is what is built.
        context: the copied build context that `build` uses: a private folder. A scenario may change files in it, and
            restores them. Both sides may have the same folder.
        build: builds a text in that context.
        args: the build arguments that `build` passes; None for a value that the environment gives.
        stage: the stage that is built; None for the last.
    """

    target: Target
    context: Path
    build: Build
    args: Mapping[str, str | None] = field(default_factory=dict)
    stage: str | None = None


class ScenarioResult(Struct, frozen=True):
    """What a scenario has shown.

    Args:
        claim: the claim that was tried.
        state: what was shown of it.
        evidence: why, in lines; the most important one first. No value of a build argument is in it.
        measurements: what was counted and timed.
    """

    claim: Claim
    state: State
    evidence: tuple[str, ...]
    measurements: tuple[Measurement, ...] = ()


def is_run(step: Step) -> bool:
    """Whether a step is a RUN, which costs time; a COPY that runs again is cheap."""
    return step.text.lstrip()[:4].upper().rstrip() == "RUN"


def reruns(outcome: BuildOutcome) -> tuple[Step, ...]:
    """The RUN steps of a build that were run and not taken from the cache."""
    return tuple(step for step in outcome.rerun if is_run(step))


def rebuilds(what: str, before: Sequence[BuildOutcome], after: Sequence[BuildOutcome]) -> tuple[Measurement, ...]:
    """The seconds, the RUN steps, and all steps that were run again in rebuilds, one value per run.

    Args:
        what: what was changed before the rebuilds: `after an edit of README.md`.
        before: the rebuilds of the Dockerfile before the fixes.
        after: those of the Dockerfile after them.
    """
    values: tuple[tuple[str, str, Callable[[BuildOutcome], float]], ...] = (
        (f"build {what}", "s", lambda each: each.seconds),
        (f"RUN steps run again {what}", "steps", lambda each: len(reruns(each))),
        (f"all steps run again {what}", "steps", lambda each: len(each.rerun)),
    )
    return tuple(
        Measurement(name, unit, tuple(map(value, before)), tuple(map(value, after))) for name, unit, value in values
    )


def not_shown(claim: Claim, *evidence: str) -> ScenarioResult:
    """A result that shows nothing of a claim."""
    return ScenarioResult(claim, State.NOT_SHOWN, evidence)


def first_failure(outcomes: Sequence[BuildOutcome], when: str) -> str:
    """What failed among some builds, in one line; empty if nothing did."""
    failed = next((each for each in outcomes if not each.ok), None)
    return f"the build fails {when}: {shortened(failed.reason)}" if failed is not None else ""


def warm_up(before: Side, after: Side) -> str:
    """Build both sides as they are, so that all their layers are cached; what failed, or an empty text."""
    for name, side in (("before", before), ("after", after)):
        failure = first_failure([side.build(side.target.text)], f"{name} the fixes")
        if failure:
            return failure
    return ""


def compare_reruns(
    what: str, target: Target, before: Sequence[BuildOutcome], after: Sequence[BuildOutcome]
) -> tuple[State, tuple[str, ...]]:
    """Whether rebuilds run fewer RUN steps again after the fixes than before, by the median, and the evidence.

    Nothing is shown if no RUN is run again before the fixes: then there is nothing to save.

    Args:
        what: what was changed before the rebuilds.
        target: the Dockerfile before the fixes.
        before: its rebuilds.
        after: the rebuilds of the Dockerfile after the fixes.
    """
    counts = [median(len(reruns(each)) for each in outcomes) for outcomes in (before, after)]
    if not counts[0]:
        return State.NOT_SHOWN, (f"{what}, no RUN step is run again before the fixes",)
    seconds = [median(each.seconds for each in outcomes) for outcomes in (before, after)]
    steps = [median(len(each.rerun) for each in outcomes) for outcomes in (before, after)]
    evidence = (
        f"{what}, {_steps(counts[0])} run again before the fixes and {counts[1]:g} after",
        f"with COPY and other steps, {steps[0]:g} before and {steps[1]:g} after",
        f"the rebuild takes {seconds[0]:.1f} s before and {seconds[1]:.1f} s after",
        *(f"saved: {text}" for text in _saved(target, before[-1], after[-1])),
    )
    return State.KEPT if counts[1] < counts[0] else State.BROKEN, evidence


def _saved(target: Target, before: BuildOutcome, after: BuildOutcome) -> list[str]:
    """The RUNs that are run again before and not after, as the Dockerfile has them.

    BuildKit reports steps with the values of their variables, which differ here, and may be secret.
    """
    again = [_written(target, step) for step in reruns(after)]
    return [text for step in reruns(before) if (text := _written(target, step)) and text not in again]


def _written(target: Target, step: Step) -> str:
    """The line of a Dockerfile that a RUN step most likely comes from, and its text; empty if none is similar."""
    best, found = 0.5, ""
    words = step.text.split()
    for node in target.dockerfile.instructions:
        if isinstance(node, Run):
            score = SequenceMatcher(None, node.logical.text.split(), words, autojunk=False).ratio()
            if score > best:
                best, found = score, f"line {node.start_line}: {shortened(node.logical.text, 100)}"
    return found


def shortened(text: str, most: int = 200) -> str:
    """A text in one line, cut in the middle: what a builder says of a failure has the instruction first, then why."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most // 2]} … {flat[-most // 3 :]}"


def _steps(number: float) -> str:
    return f"{number:g} RUN step is" if number == 1 else f"{number:g} RUN steps are"
