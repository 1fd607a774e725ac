"""One build of one Dockerfile: its fixes, the builds with and without them, and what these show."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from dockfix.engine.results import FileResult
from dockfix.facts.model import Refused
from dockfix.project.target import is_project_file_name
from dockfix.rule.model import Diagnostic
from dockfix.rule.promise import Claim, Promise
from dockfix.rule.registry import Registry
from dockfix.syntax.tree import From
from dockfix.verify.bench import Bench, Version
from dockfix.verify.bisect import culprits
from dockfix.verify.build_steps import step_of
from dockfix.verify.choice import Choice, Chosen, Item
from dockfix.verify.claims import SCENARIOS, Claims
from dockfix.verify.comparison import Comparer, Comparison, Shown
from dockfix.verify.hiding import hider, without_secrets
from dockfix.verify.model import (
    Builder,
    Culprit,
    Event,
    Measurement,
    OnEvent,
    State,
    TargetResult,
    Verdict,
    VerifyOptions,
)
from dockfix.verify.requests import Recipe, recipes, shown_build

__all__ = ["Found", "Job", "Subject", "blank_result", "broken_in", "builds_of", "concerned", "job_of", "published"]

_NUMBERS: Final = itertools.count(1)
_NO_PROMISE: Final = Promise()


class Job(Struct, frozen=True):
    """What all builds of a run have in common.

    Args:
        choice: runs the engine with some of the fixes.
        promises: what each rule promises.
        options: how to build and measure.
        builder: builds the images.
        folder: the temporary folder of the run.
        event: called with the Dockerfile, what is done next, and a detail of it.
    """

    choice: Choice
    promises: Mapping[str, Promise]
    options: VerifyOptions
    builder: Builder
    folder: Path
    event: Callable[[str, str, str], None]

    def of(self, items: Sequence[Item]) -> dict[str, Promise]:
        """The promises of the rules of some fixes."""
        return {item.rule: self.promises.get(item.rule, _NO_PROMISE) for item in items}


class Found(Struct, frozen=True):
    """What builds have shown of some fixes.

    Args:
        left: the fixes that together break nothing that every rule promises.
        culprits: the others, each with builds that show what it breaks.
        comparison: the builds without and with the fixes of `left`.
        start: the fixes that the version before has already.
    """

    left: tuple[Item, ...]
    culprits: Mapping[Item, Comparison]
    comparison: Comparison
    start: tuple[Item, ...] = ()


@dataclass
class Subject:
    """One build of one Dockerfile; a context manager that removes what it made.

    Args:
        job: what all builds have in common.
        name: the Dockerfile and its build, for a reader.
        path: the Dockerfile's real path.
        key: which build, as `recipes` names it.
        base: the fixes that both versions have.
        items: the fixes that make the difference, in the order in which they are applied.
    """

    job: Job
    name: str
    path: Path
    key: object
    base: tuple[Item, ...]
    items: tuple[Item, ...]
    _doing: str = field(default="", init=False, repr=False)
    _bench: Bench = field(init=False, repr=False)
    _comparer: Comparer = field(init=False, repr=False)
    _scenarios: dict[tuple[object, ...], tuple[Shown, tuple[Measurement, ...]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        options = self.job.options
        folder = self.job.folder / f"build-{next(_NUMBERS)}"
        versions = self.version(()), self.version(self.items)
        self._bench = Bench(
            self.job.builder,
            folder,
            versions,
            timeout=options.timeout,
            limit=options.max_context,
            on_line=self._on_line,
        )
        self._comparer = Comparer(self._bench, self.job.builder, options.start_limit, self.event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bench.close()

    def event(self, what: str) -> None:
        """Report what is done next."""
        self._doing = what
        self.job.event(self.name, what, "")

    def _on_line(self, line: str) -> None:
        """Report the step that a build is at."""
        step = step_of(line)
        if step:
            self.job.event(self.name, self._doing, f"step {step}")

    def version(self, items: Sequence[Item]) -> Version:
        """The version of the Dockerfile with some of the fixes.

        Raises:
            Refused: it cannot be built here.
        """
        return Version.of(self.job.choice.of((*self.base, *items)).workspace, self.path, self.key)

    def compare(self, start: Sequence[Item], more: Sequence[Item]) -> Comparison:
        """Compare the version with some fixes with the one that has more of them."""
        both = self.in_order((*start, *more))
        return self._comparer.compare(self.version(start), self.version(both), self.job.of(more))

    def in_order(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Fixes in the order in which they are applied."""
        return tuple(item for item in self.items if item in items)

    def _allows_any_file(self, item: Item) -> bool:
        promise = self.job.promises[item.rule]
        return "/**" in (*promise.adds, *promise.removes, *promise.changes, *promise.owners)

    def repairs(self) -> tuple[Item, ...]:
        """The fixes of rules that repair builds, if the build fails without and succeeds with them; else none.

        Those without which it succeeds, too, are left out.
        """
        some = tuple(item for item in self.items if Claim.REPAIRS in self.job.promises[item.rule].claims)
        if not some or self._bench.built(self.version(())).outcome.ok:
            return ()
        if not self.compare((), some).repairs:
            return ()
        for item in some:
            fewer = tuple(each for each in some if each != item)
            if fewer and self.compare((), fewer).repairs:
                some = fewer
        return some

    def search(self, start: Sequence[Item], items: Sequence[Item]) -> Found:
        """Find the fixes that break what every rule promises; `start` are those that both versions have."""

        def breaks(some: Sequence[Item]) -> bool:
            if self.compare(start, some).broken:
                return True
            # a promise of any file would cover what the other fixes change, so these are compared on top of it
            wide = [item for item in some if self._allows_any_file(item)]
            rest = [item for item in some if item not in wide]
            return bool(wide and rest) and self.compare((*start, *wide), rest).broken

        found, left = culprits(items, breaks) if items else ([], [])
        evidence = {item: self._evidence(start, items, item) for item in found}
        comparison = self.compare(start, left)
        return Found(tuple(left), evidence, comparison, tuple(start))

    def _evidence(self, start: Sequence[Item], items: Sequence[Item], item: Item) -> Comparison:
        """Builds that show what a fix breaks: without the others, or else with all of them."""
        alone = self.compare(start, [item])
        return alone if alone.broken else self.compare(start, items)

    def verdicts(self, found: Found) -> tuple[list[Verdict], list[Measurement]]:
        """What is shown of all promises of the rules of `found.left`, with what was measured on the way."""
        verdicts: list[Verdict] = []
        measured: list[Measurement] = []
        rules = list(dict.fromkeys(item.rule for item in found.left))
        for rule in rules:
            verdicts += basic_verdicts(rule, found.comparison)
            for claim in sorted(self.job.promises[rule].claims, key=lambda each: each.value):
                shown, more = self._claim(found, rule, claim, rules)
                verdicts.append(Verdict(rule, claim.value, *shown))
                measured += [each for each in more if each not in measured]
        return verdicts, measured

    def _claim(
        self, found: Found, rule: str, claim: Claim, rules: Sequence[str]
    ) -> tuple[Shown, tuple[Measurement, ...]]:
        if claim in SCENARIOS and not self.job.options.scenarios:
            return (State.NOT_SHOWN, ("not tried: --quick compares images only",)), ()
        sharing = [each for each in rules if claim in self.job.promises[each].claims]
        before = self.version(found.start)
        after = self.version(self.in_order((*found.start, *found.left)))
        shared = claim in (Claim.SMALLER, Claim.REPAIRS)
        key = (before.identity, after.identity, claim, rule if shared else "")
        if key not in self._scenarios:
            self.event(f"try {claim.value}")
            claims = Claims(
                self._bench,
                before,
                after,
                lambda name: self._without(found, name),
                found.comparison,
                self.job.options.runs,
                self.job.options.start_limit,
            )
            self._scenarios[key] = claims.shown(rule, claim, alone=len(sharing) == 1)
        return self._scenarios[key]

    def _without(self, found: Found, rule: str) -> Version | None:
        some = [item for item in (*found.start, *found.left) if item.rule != rule]
        try:
            return self.version(self.in_order(some))
        except Refused:
            return None

    def verified(self, blank: TargetResult) -> TargetResult:
        """The result of verify for this build; `blank` has what is known without builds."""
        times = [] if self.job.options.quick else self._times()
        repairs = self.repairs()
        verdicts, measured = self._verdicts_of_repairs(repairs)
        found = self.search(repairs, [item for item in self.items if item not in repairs])
        more, scenarios = self.verdicts(found)
        guilty = {item.rule: comparison for item, comparison in found.culprits.items()}
        verdicts += [each for each in more if each.rule not in guilty]
        verdicts += [each for rule, comparison in guilty.items() for each in basic_verdicts(rule, comparison)]
        whole = self.compare((), self.items)
        broken = {item: broken_in(each) for item, each in found.culprits.items()}
        return replace(
            blank,
            before=whole.before.outcome,
            after=whole.after.outcome,
            verdicts=tuple(verdicts),
            measurements=(*whole.measurements, *times, *measured, *scenarios),
            differences=whole.differences or found.comparison.differences,
            culprits=self.named(broken) if len(self.items) > 1 else (),
        )

    def _verdicts_of_repairs(self, repairs: tuple[Item, ...]) -> tuple[list[Verdict], list[Measurement]]:
        if not repairs:
            return [], []
        return self.verdicts(Found(repairs, {}, self.compare((), repairs)))

    def named(self, found: Mapping[Item, tuple[str, Shown]]) -> tuple[Culprit, ...]:
        """The fixes that break a promise, with their lines."""
        chosen = self.job.choice.of((*self.base, *self.items))
        named = []
        for item, (promise, (state, evidence)) in found.items():
            lines = [each.line for each in chosen.items.get(item, ())] or [0]
            named.append(Culprit(item.rule, lines[0], item.message, (f"{promise}: {state.value}", *evidence)))
        return tuple(named)

    def _fetch_bases(self, versions: Sequence[Version]) -> None:
        """Build with each base image alone, so that no time has its download and unpacking in it."""
        texts: dict[str, Version] = {}
        for version in versions:
            file, text = version.target.dockerfile, version.target.text
            first = next((each.span.start for each in file.instructions if isinstance(each, From)), 0)
            for stage in version.target.facts.graph.stages:
                if stage.parent is None:
                    line = text[stage.node.span.start : stage.node.span.end]
                    texts.setdefault(f"{text[:first]}{line}\nWORKDIR /\n", version)
        for text, version in texts.items():
            self._bench.build(version, text=text, last_stage=True)

    def _times(self) -> list[Measurement]:
        """The times of builds from scratch, and of builds that find all layers in the cache."""
        cold: tuple[list[float], list[float]] = ([], [])
        warm: tuple[list[float], list[float]] = ([], [])
        versions = self.version(()), self.version(self.items)
        self._fetch_bases(versions)
        for number in range(self.job.options.runs):
            for index, version in enumerate(versions):
                self.event(f"build {('before', 'after')[index]} from scratch, {number + 1} of {self.job.options.runs}")
                outcome = self._bench.built(version, fresh=True).outcome
                if outcome.ok:
                    cold[index].append(outcome.seconds)
        for index, version in enumerate(versions):
            if not self._bench.built(version).outcome.ok:  # it is reported as failed, so it has no time
                cold[index].clear()
        for number in range(1 + self.job.options.runs):
            for index, version in enumerate(versions):
                # the first one is not timed: buildah finds no layers of a build that was made without a cache
                if number == 0:
                    self._bench.build(version)
                elif cold[index]:
                    outcome = self._bench.build(version)[1]
                    warm[index].extend([outcome.seconds] if outcome.ok else [])
        return [
            Measurement("build from scratch", "s", tuple(cold[0]), tuple(cold[1])),
            Measurement("build without changes", "s", tuple(warm[0]), tuple(warm[1])),
        ]


def basic_verdicts(rule: str, comparison: Comparison) -> list[Verdict]:
    """What is shown of the promises that every rule makes."""
    shown = {"builds": comparison.builds, "image": comparison.image}
    if comparison.starts is not None:
        shown["starts"] = comparison.starts
    return [Verdict(rule, promise, *each) for promise, each in shown.items()]


def broken_in(comparison: Comparison) -> tuple[str, Shown]:
    """The first promise that is broken, with what was shown of it."""
    for promise, shown in (("builds", comparison.builds), ("image", comparison.image), ("starts", comparison.starts)):
        if shown is not None and shown[0] is State.BROKEN:
            return promise, shown
    return "image", comparison.image


def concerned(base: Chosen, whole: Chosen, path: Path, key: object) -> tuple[Item, ...]:
    """The fixes that may make a difference to one build of a Dockerfile, in the order in which they are applied."""
    target, after = base.workspace.at(path), whole.workspace.at(path)
    if target is None or after is None:
        return ()
    old, new = recipes(target).get(key), recipes(after).get(key)
    known = old if isinstance(old, Recipe) else new
    folders = [known.context, *known.folders.values()] if isinstance(known, Recipe) else []
    dockerfiles = base.workspace.by_path.keys()
    differs = old != new if isinstance(old, Recipe) and isinstance(new, Recipe) else False

    def matters(changed: Path) -> bool:
        if changed == path:
            return True
        if changed in dockerfiles:
            return False
        if is_project_file_name(changed.name) and not changed.name.endswith(".dockerignore"):
            return differs
        return any(folder is not None and changed.is_relative_to(folder) for folder in folders) or (
            changed == path.with_name(f"{path.name}.dockerignore")
        )

    return tuple(item for item in whole.items if any(matters(each) for each in whole.paths(item)))


def fixes_of(chosen: Chosen, items: Sequence[Item]) -> tuple[Diagnostic, ...]:
    """The diagnostics of some fixes."""
    return tuple(found for item in items for found in chosen.items.get(item, ()))


def diff_of(chosen: Chosen, items: Sequence[Item]) -> str:
    """The changes of the files that some fixes change, as a unified diff."""
    paths = {path for item in items for path in chosen.paths(item)}
    return "".join(file.diff for file in chosen.run.files if file.real in paths and file.changed)


def job_of(
    choice: Choice,
    registry: Registry,
    options: VerifyOptions,
    builder: Builder,
    folder: Path,
    on_event: OnEvent | None,
) -> Job:
    """What all builds of a run have in common."""

    def event(target: str, what: str, detail: str) -> None:
        if on_event is not None:
            on_event(Event(target, what, detail))

    promises = {codemod.name: codemod.promise for codemod in registry.codemods}
    return Job(choice, promises, options, builder, folder, event)


def builds_of(base: Chosen, file: FileResult) -> list[object]:
    """The keys of the builds of a Dockerfile; none if it could not be used."""
    target = base.workspace.at(file.real)
    return list(recipes(target)) if target is not None and not file.problems else []


def published(result: TargetResult, base: Chosen, path: Path, key: object) -> TargetResult:
    """A result as it may be shown: without the values of secrets. The fixes and the diff never have any."""
    target = base.workspace.at(path)
    if target is None:
        return result
    recipe = recipes(target).get(key)
    hide = hider(target, recipe if isinstance(recipe, Recipe) else None)
    return without_secrets(result, hide, keep=("fixes", "diff", "display", "build"))


def blank_result(base: Chosen, whole: Chosen, file: FileResult, key: object, items: Sequence[Item]) -> TargetResult:
    """The result for one build, as far as it is known without builds."""
    target = base.workspace.at(file.real)
    shown = shown_build(target, key) if target is not None else ""
    return TargetResult(file.display, shown, fixes_of(whole, items), diff_of(whole, items))
