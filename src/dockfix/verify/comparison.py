"""What the builds of two versions show of the three promises that every rule makes: builds, image, starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct, field

from dockfix.rule.promise import Promise
from dockfix.verify.bench import Bench, Built, Version
from dockfix.verify.compare import allowed, compare, measurements, unstable
from dockfix.verify.image import Image, ImageError
from dockfix.verify.model import Builder, Difference, Measurement, StartOutcome, State
from dockfix.verify.mounts import mount_targets
from dockfix.verify.trial import compare_starts, needs_start, trial

__all__ = ["Comparer", "Comparison", "Shown", "shown_difference"]

_MAX_LINES: Final = 10

Shown: TypeAlias = tuple[State, tuple[str, ...]]
"""What was shown of a promise, and the evidence."""


class Comparison(Struct, frozen=True):
    """What the builds of two versions have shown.

    Args:
        before: the build of the version before.
        after: the build of the version after.
        builds: whether a build that succeeded still succeeds.
        image: whether the image is the same but for what the rules promise.
        starts: whether the container starts, and its health check passes, as before; None if that was not tried.
        trials: the containers before and after; None for one that was not started.
        differences: what differs between the images; those with a reason last.
        measurements: sizes.
    """

    before: Built
    after: Built
    builds: Shown
    image: Shown
    starts: Shown | None = None
    trials: tuple[StartOutcome | None, StartOutcome | None] = (None, None)
    differences: tuple[Difference, ...] = ()
    measurements: tuple[Measurement, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether one of the three promises is broken."""
        shown = (self.builds, self.image, *([self.starts] if self.starts else ()))
        return any(state is State.BROKEN for state, _ in shown)

    @property
    def repairs(self) -> bool:
        """Whether a build that failed succeeds."""
        return self.after.outcome.ok and not self.before.outcome.ok


class Comparer(Struct):
    """Compares versions of one Dockerfile; each pair once.

    Args:
        bench: builds the versions.
        builder: starts containers.
        limit: seconds that a container may run.
        event: called with what is done next.
    """

    bench: Bench
    builder: Builder
    limit: float
    event: Callable[[str], None]
    _known: dict[object, Comparison] = field(default_factory=dict)
    _trials: dict[str, StartOutcome] = field(default_factory=dict)

    def compare(self, before: Version, after: Version, promises: Mapping[str, Promise]) -> Comparison:
        """Compare two versions.

        Args:
            before: the version before the fixes.
            after: the version after them.
            promises: what the rules of the fixes promise, by rule.
        """
        key = (before.identity, after.identity, frozenset(promises))
        if key not in self._known:
            self._known[key] = self._compare(before, after, promises)
        return self._known[key]

    def _compare(self, before: Version, after: Version, promises: Mapping[str, Promise]) -> Comparison:
        self.event("build before")
        old = self.bench.built(before)
        self.event("build after")
        new = self.bench.built(after)
        builds = _builds(old, new)
        if not new.outcome.ok:
            return Comparison(old, new, builds, (State.NOT_SHOWN, ("there is no image: the build fails",)))
        if not old.outcome.ok:
            why = "there is nothing to compare the image with: the build failed before"
            return Comparison(old, new, builds, (State.NOT_SHOWN, (why,)))
        self.event("compare the images")
        try:
            differences = self._differences(before, after, old.image, new.image, promises)
        except ImageError as error:
            return Comparison(old, new, builds, (State.NOT_SHOWN, (f"the image cannot be read: {error}",)))
        starts, trials = self._starts(before, after, old, new)
        ordered = tuple(sorted(differences, key=lambda each: bool(each.reason)))
        sizes = measurements(old.image, new.image)
        return Comparison(old, new, builds, _image(ordered), starts, trials, ordered, sizes)

    def _differences(
        self, before: Version, after: Version, old: Image, new: Image, promises: Mapping[str, Promise]
    ) -> tuple[Difference, ...]:
        """The differences of two images, each with the reason why it is no matter, if there is one."""
        targets = (*mount_targets(before.target), *mount_targets(after.target))
        found = allowed(
            compare(old, new), {rule: each.with_mounts(targets) for rule, each in promises.items()}, old, new
        )
        if all(each.reason for each in found):
            return found
        self.event("build before once more")
        again = self.bench.repeated(before)
        return unstable(found, compare(old, again.image)) if again.outcome.ok else found

    def _starts(
        self, before: Version, after: Version, old: Built, new: Built
    ) -> tuple[Shown | None, tuple[StartOutcome | None, StartOutcome | None]]:
        one, other = before.target.dockerfile, after.target.dockerfile
        if not needs_start(old.image.config, new.image.config, one, other):
            return None, (None, None)
        trials = self._trial(old), self._trial(new)
        return compare_starts(*trials), trials

    def _trial(self, built: Built) -> StartOutcome:
        if built.tag not in self._trials:
            self.event("start a container")
            self._trials[built.tag] = trial(self.builder, built.tag, built.image.config, self.limit)
        return self._trials[built.tag]


def _builds(old: Built, new: Built) -> Shown:
    if new.outcome.ok and old.outcome.ok:
        return State.KEPT, ()
    if new.outcome.ok:
        return State.KEPT, (f"the build failed before: {old.outcome.reason}",)
    if new.outcome.timed_out:
        return State.NOT_SHOWN, (f"the build was stopped: {new.outcome.reason}",)
    if old.outcome.ok:
        return State.BROKEN, (f"the build fails: {new.outcome.reason}",)
    reason = f"the build fails before and after: {new.outcome.reason}"
    same = old.outcome.reason == new.outcome.reason
    return State.NOT_SHOWN, (reason,) if same else (reason, f"before: {old.outcome.reason}")


def _image(differences: tuple[Difference, ...]) -> Shown:
    unexplained = [each for each in differences if not each.reason]
    if not unexplained:
        return State.KEPT, ()
    lines = [shown_difference(each) for each in unexplained[:_MAX_LINES]]
    more = len(unexplained) - _MAX_LINES
    return State.BROKEN, (*lines, *([f"and {more} more differences"] if more > 0 else ()))


def shown_difference(difference: Difference) -> str:
    """A difference in one line."""
    kind = "" if difference.kind in ("added", "removed", "changed") else f"{difference.kind} "
    match difference.before, difference.after:
        case "", after:
            return f"{kind}{difference.what} is new: {after}"
        case before, "":
            return f"{kind}{difference.what} is missing: {before}"
        case before, after:
            return f"{kind}{difference.what} differs: {before} before, {after} after"
