"""What `dockfix apply --prove` applied and left out, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dockfix.engine.results import RunResult, is_unsafe
from dockfix.output.measures import count
from dockfix.output.places import Places
from dockfix.output.plain import PLAIN, Style, printable
from dockfix.output.verify_text import STATE_STYLES
from dockfix.output.words import by_hand
from dockfix.rule.model import Diagnostic, Fix
from dockfix.verify.model import Culprit, State, TargetResult, Verdict
from dockfix.verify.session import Proof

__all__ = ["LeftOut", "contradictions", "left_out", "left_out_lines", "proof_summary"]


class LeftOut(Struct, frozen=True):
    """A fix that was not applied.

    Args:
        path: its file, as the user would write it.
        found: the fix, with its line in the file as it is now.
        verdicts: the promises of its rule that are broken or not shown, each with its build target.
        culprits: what builds with and without it have shown; empty if none did.
        skipped: why targets of the file were not built.
    """

    path: str
    found: Diagnostic
    verdicts: tuple[tuple[TargetResult, Verdict], ...]
    culprits: tuple[Culprit, ...]
    skipped: tuple[str, ...]


def left_out(proof: Proof, run: RunResult) -> list[LeftOut]:
    """The unsafe fixes that were not applied, each with the reason; and safe ones that builds have shown to be wrong.

    Args:
        proof: the proof.
        run: the run of the proof, also after it was written.
    """
    found: list[LeftOut] = []
    for planned, done in zip(proof.run.files, run.files, strict=True):
        for before, after in zip(planned.remaining, done.remaining, strict=True):
            targets = [each for each in proof.result.targets if _concerns(each, planned.display, before)]
            culprits = _own(before, [each for target in targets for each in target.culprits])
            if not is_unsafe(after) and not culprits:
                continue
            verdicts = [
                (target, verdict)
                for target in targets
                for verdict in target.verdicts
                if verdict.rule == after.rule and verdict.state is not State.KEPT
            ]
            skipped = dict.fromkeys(target.skipped for target in targets if target.skipped)
            found.append(LeftOut(done.path, after, tuple(verdicts), tuple(culprits), tuple(skipped)))
    return found


def _concerns(target: TargetResult, display: str, found: Diagnostic) -> bool:
    return target.display == display or any((fix.rule, fix.path) == (found.rule, found.path) for fix in target.fixes)


def _own(found: Diagnostic, culprits: Sequence[Culprit]) -> list[Culprit]:
    """The culprits that are this fix."""
    like = [each for each in culprits if (each.rule, each.message) == (found.rule, found.finding.message)]
    return [each for each in like if each.line == found.line] or like


def proof_summary(proof: Proof, run: RunResult, *, would: bool, verbose: bool = False) -> str:
    """One line with the number of fixes that were applied, proven and left out.

    Args:
        proof: the proof.
        run: the run of the proof, also after it was written.
        would: whether nothing was written.
        verbose: whether the findings were shown.
    """
    proven, left = run.applied_unsafe, run.fixable_unsafe
    verb, none = ("would apply", "nothing to apply") if would else ("applied", "applied no fix")
    parts = [f"{verb} {count(run.applied, 'fix', 'fixes')}" if run.applied else none]
    if run.applied:
        how = f", {proven} proven by builds with {printable(proof.result.builder)}" if proven else ""
        parts[0] += f" ({run.applied - proven} safe{how})"
    files = [each for each in run.changed if each.is_dockerfile]
    part = f"{len(files)} of " if run.applied else ""
    parts[0] += f" in {part}{count(len(run.dockerfiles), 'Dockerfile', 'Dockerfiles')}"
    if related := len(run.changed) - len(files):
        parts[0] += f" and {count(related, 'related file', 'related files')}"
    if run.refused:
        parts.append(f"{run.refused} not fixed" + ("" if verbose else " (-v shows why)"))
    if run.advice:
        parts.append(by_hand(run.advice, shown=verbose))
    if run.problems:
        parts.append(count(len(run.problems), "input problem", "input problems"))
    if run.defects:
        parts.append(count(len(run.defects), "defect", "defects"))
    if left:
        parts.append(f"{count(left, 'unsafe fix', 'unsafe fixes')} left out:")
    return "; ".join(parts)


def left_out_lines(proof: Proof, run: RunResult, *, style: Style = PLAIN, verbose: bool = False) -> Iterator[str]:
    """The unsafe fixes that were not applied, each with the promises that do not hold and the evidence.

    Args:
        proof: the proof.
        run: the run of the proof, also after it was written.
        style: colours.
        verbose: whether to show all evidence.
    """
    places = Places(run.root)
    for each in left_out(proof, run):
        found = places.found(each.found)
        where = style("bold", printable(each.path)) + f":{found.line}"
        yield f"  {where}: {found.rule} {printable(found.finding.message)}"
        if each.culprits:
            for culprit in dict.fromkeys(each.culprits):
                yield from _of_culprit(culprit, style, verbose)
        else:
            yield from _of_verdicts(each, style, verbose)
        for reason in each.skipped:
            yield f"    {style('warning', 'not built')}: {printable(reason)}"
        if not (each.verdicts or each.culprits or each.skipped):
            yield "    no build of this run shows whether its promises hold"
        if isinstance(found.finding, Fix) and verbose:
            yield style("dim", f"    review: {printable(found.finding.review)}")


def _of_culprit(culprit: Culprit, style: Style, verbose: bool) -> Iterator[str]:
    """The promise and its state, and why; see `dockfix.verify.model.Culprit`."""
    for promise in culprit.evidence[:1]:
        kind = next((STATE_STYLES[state] for state in STATE_STYLES if promise.endswith(state.value)), "dim")
        yield f"    {style(kind, printable(promise))}"
    yield from _evidence(culprit.evidence[1:], verbose)


def _of_verdicts(left: LeftOut, style: Style, verbose: bool) -> Iterator[str]:
    several = len({target.build for target, _ in left.verdicts}) > 1
    for target, verdict in left.verdicts:
        build = f" ({printable(target.build)})" if several else ""
        state = style(STATE_STYLES[verdict.state], f"{printable(verdict.promise)}: {verdict.state.value}")
        yield f"    {state}{build}"
        yield from _evidence(verdict.evidence, verbose)


def _evidence(lines: tuple[str, ...], verbose: bool) -> Iterator[str]:
    return (f"      {printable(line)}" for line in lines[: None if verbose else 1])


def contradictions(proof: Proof, run: RunResult, *, verbose: bool = False) -> Iterator[list[str]]:
    """The promises of applied fixes that a build has shown to be broken: a message and the lines of its evidence.

    Safe fixes do not depend on the builds; a promise that they break is a defect of the rule that no gate caught.
    """
    left = {(each.found.path, each.found.rule) for each in left_out(proof, run)}
    for outcome in run.files:
        applied = {found.rule for found in outcome.applied} - {rule for path, rule in left if path == outcome.real}
        for target in proof.result.targets:
            blamed = {culprit.rule for culprit in target.culprits}
            for verdict in target.broken if target.display == outcome.display else ():
                if verdict.rule in applied - blamed:
                    build = f" ({printable(target.build)})" if target.build else ""
                    message = (
                        f"{printable(outcome.path)}{build}: a fix of {printable(verdict.rule)} was applied, and a build"
                        f" has shown that its promise {printable(verdict.promise)!r} is broken; please report this"
                    )
                    yield [message, *_evidence(verdict.evidence, verbose)]
