"""What real builds show of the claims of rules: smaller images, fewer steps after an edit, used caches, repairs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from dockfix.rule.promise import Claim
from dockfix.verify.arg_change import arg_change
from dockfix.verify.bench import Bench, Version
from dockfix.verify.cache_mounts import cache_mounts
from dockfix.verify.comparison import Comparison, Shown
from dockfix.verify.image import ImageError
from dockfix.verify.model import BuildOutcome, Measurement, State
from dockfix.verify.scenarios import ScenarioResult, Side
from dockfix.verify.source_edit import source_edit
from dockfix.verify.trial import compare_health

__all__ = ["SCENARIOS", "Claims"]

SCENARIOS: Final[Mapping[Claim, Callable[..., ScenarioResult]]] = {
    Claim.SOURCE_EDIT: source_edit,
    Claim.ARG_CHANGE: arg_change,
    Claim.CACHE_MOUNT: cache_mounts,
}
"""The claims that are tried by more builds than those before and after."""
_NOISE: Final = 0.0005
"""The share of an image's size below which a difference is noise: package managers write logs and dates."""


class Claims(Struct):
    """Tries the claims of rules on two versions of a Dockerfile.

    Args:
        bench: builds the versions.
        before: the version before the fixes.
        after: the version with the fixes of all rules.
        without: the version without the fixes of one rule; None if it cannot be built.
        comparison: what is known of the two versions.
        runs: how often what is timed is repeated.
        limit: seconds that a container may run.
    """

    bench: Bench
    before: Version
    after: Version
    without: Callable[[str], Version | None]
    comparison: Comparison
    runs: int
    limit: float

    def shown(self, rule: str, claim: Claim, *, alone: bool) -> tuple[Shown, tuple[Measurement, ...]]:
        """What is shown of a claim of a rule.

        Args:
            rule: the rule's name.
            claim: what it claims.
            alone: whether no other rule of the fixes claims the same; then the two versions show it.
        """
        old, new = self.comparison.before.outcome, self.comparison.after.outcome
        if claim is Claim.REPAIRS:
            return self._repairs(rule, old, new), ()
        if not (old.ok and new.ok):
            return (State.NOT_SHOWN, ("one of the builds fails",)), ()
        if claim is Claim.SMALLER:
            return self._smaller(rule, alone=alone), ()
        if claim is Claim.HEALTHY:
            return self._healthy(), ()
        result = SCENARIOS[claim](
            self._side(self.before), self._side(self.after), token=secrets.token_hex(4), runs=self.runs
        )
        return (result.state, result.evidence), result.measurements

    def _repairs(self, rule: str, old: BuildOutcome, new: BuildOutcome) -> Shown:
        if old.ok:
            return State.NOT_SHOWN, ("the build succeeded before",)
        if not new.ok:
            return State.NOT_SHOWN, (f"the build still fails: {new.reason}",)
        without = self.without(rule)
        if without is not None and self.bench.built(without).outcome.ok:
            return State.NOT_SHOWN, ("the build succeeds without the fixes of this rule",)
        return State.KEPT, (f"before: {old.reason}",)

    def _smaller(self, rule: str, *, alone: bool) -> Shown:
        built = self.comparison.before
        if not alone:
            without = self.without(rule)
            if without is None:
                return State.NOT_SHOWN, ("the image without the fixes of this rule cannot be built",)
            built = self.bench.built(without)
            if not built.outcome.ok:
                return State.NOT_SHOWN, (f"without the fixes of this rule: {built.outcome.reason}",)
        try:
            old, new = built.image.size, self.comparison.after.image.size
        except ImageError as error:
            return State.NOT_SHOWN, (f"the image cannot be read: {error}",)
        line = f"image size {_megabytes(old)} before, {_megabytes(new)} after"
        if old - new > old * _NOISE:
            return State.KEPT, (f"{line} ({100 * (old - new) / old:.1f} % smaller)",)
        return State.BROKEN, (f"the image is not smaller: {line}",)

    def _healthy(self) -> Shown:
        before, after = self.comparison.trials
        if after is None:
            return State.NOT_SHOWN, ("no container was started",)
        check = self.comparison.after.image.config.healthcheck
        period = check.start_period if check is not None else 0.0
        return compare_health(before, after, start_period=period, limit=self.limit)

    def _side(self, version: Version) -> Side:
        def build(
            text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, no_cache: bool = False
        ) -> BuildOutcome:
            return self.bench.build(version, text=text, args=args, last_stage=last_stage, no_cache=no_cache)[1]

        recipe = version.recipe
        return Side(version.target, self.bench.context(version), build, recipe.args, recipe.target)


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"
