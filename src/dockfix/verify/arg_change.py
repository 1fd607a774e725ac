"""Scenario: a build argument gets another value, and both sides are built again.

A new value of an ARG makes the builder run every later RUN of the stage again, whether it uses the ARG or not. So both
sides are built as they are, and then with another value of each ARG that has more RUNs in front of it after the fixes.
Every rebuild gets a value of its own, so that no side finds layers that a rebuild of the other has made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import count, islice
from typing import Final

from dockfix.facts.model import Known
from dockfix.facts.stages import Stage
from dockfix.facts.variables import names_mentioned
from dockfix.project.secrets import is_secret_name
from dockfix.project.target import Target
from dockfix.rule.promise import Claim
from dockfix.syntax.tree import Arg, Env, Instruction, Label, Run
from dockfix.syntax.words import variables
from dockfix.verify.model import BuildOutcome, State
from dockfix.verify.scenarios import (
    ScenarioResult,
    Side,
    compare_reruns,
    first_failure,
    not_shown,
    rebuilds,
    shortened,
    warm_up,
)

__all__ = ["arg_change", "moved_args", "other_values"]

_MOST_ARGS: Final = 3
"""How many ARGs are changed: each takes two rebuilds."""

_PRINTING: Final = frozenset(("echo", "printf", "export", "true", ":"))
"""Commands that work with any value in their words."""

_OPPOSITES: Final = {
    "true": "false", "false": "true", "yes": "no", "no": "yes", "on": "off", "off": "on", "0": "1", "1": "0",
}  # fmt: skip
"""The other value of a switch. There is only one, so that a second run would find its layers."""


def arg_change(before: Side, after: Side, *, token: str, runs: int = 1) -> ScenarioResult:
    """Build with other values of the ARGs that are declared later after the fixes, and count what is run again.

    The claim is kept if each of these changes runs fewer RUN steps again after the fixes, and broken if one runs as
    many again, or if the build fails with the new value only after the fixes. It is not shown if a new value makes the
    build fail anyway, such as another version of something that is downloaded.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        token: letters and digits, unique to this run of dockfix, so that no layer of an earlier run is found.
        runs: how often each value is changed and built.
    """
    names = moved_args(before, after)
    if not names:
        return not_shown(Claim.ARG_CHANGE, "no ARG of the stages that are built has more RUNs in front of it")
    failure = warm_up(before, after)
    if failure:
        return not_shown(Claim.ARG_CHANGE, failure)
    results = [_changed(before, after, name, f"{token} {name}", runs) for name in names[:_MOST_ARGS]]
    states = [result.state for result in results]
    worst = next(each for each in (State.BROKEN, State.NOT_SHOWN, State.KEPT) if each in states)
    results.sort(key=lambda result: result.state is not worst)
    evidence = [line for result in results for line in result.evidence]
    if names[_MOST_ARGS:]:
        evidence.append(f"not tried: {', '.join(names[_MOST_ARGS:])}")
    return ScenarioResult(
        Claim.ARG_CHANGE, worst, tuple(evidence), tuple(each for result in results for each in result.measurements)
    )


def _changed(before: Side, after: Side, name: str, token: str, runs: int) -> ScenarioResult:
    """What changes of one ARG show."""
    outcomes: tuple[list[BuildOutcome], list[BuildOutcome]] = [], []
    values = list(islice(other_values(_value(after, name), token), 2 * runs))
    for first, second in zip(values[::2], values[1::2], strict=False):
        was = before.build(before.target.text, args={name: first})
        now = after.build(after.target.text, args={name: second})
        if not (was.ok and now.ok):
            return _failed(before, name, second, was, now)
        outcomes[0].append(was)
        outcomes[1].append(now)
    what = f"after a change of the ARG {name}"
    state, evidence = compare_reruns(what, before.target, *outcomes)
    return ScenarioResult(Claim.ARG_CHANGE, state, evidence, rebuilds(what, *outcomes))


def _failed(before: Side, name: str, value: str, was: BuildOutcome, now: BuildOutcome) -> ScenarioResult:
    """What it shows that a build fails with another value of an ARG."""
    if was.ok and before.build(before.target.text, args={name: value}).ok:
        reason = f"with another value of the ARG {name}, the build fails only after the fixes: {shortened(now.reason)}"
        return ScenarioResult(Claim.ARG_CHANGE, State.BROKEN, (reason,))
    return not_shown(Claim.ARG_CHANGE, first_failure((was, now), f"with another value of the ARG {name}"))


def moved_args(before: Side, after: Side) -> list[str]:
    """The ARGs of the stages that are built which have more RUNs of their stage in front of them after the fixes.

    Those whose value is only printed or stored come first, since a new value cannot make the build fail; those that
    seem to be secrets come last.
    """
    earlier = {(stage.name or stage.index): stage for stage in before.target.facts.graph.stages}
    found: dict[str, tuple[bool, bool]] = {}
    for stage in after.target.facts.graph.needed_for(after.stage):
        same = earlier.get(stage.name or stage.index)
        if same is None:
            continue
        was, now = _positions(same), _positions(stage)
        for name in now:
            if name in was and now[name] > was[name]:
                found[name] = is_secret_name(name), not _only_stored(after.target, stage, name)
    return sorted(found, key=lambda name: found[name])


def _positions(stage: Stage) -> dict[str, int]:
    """How many RUNs precede each ARG of a stage."""
    found: dict[str, int] = {}
    passed = 0
    for node in stage.program:
        if isinstance(node, Run):
            passed += 1
        elif isinstance(node, Arg):
            for pair in node.pairs:
                found.setdefault(pair.key, passed)
    return found


def _only_stored(target: Target, stage: Stage, name: str) -> bool:
    """Whether a stage only prints a value, or stores it in labels and variables that it only prints or stores."""
    names = {name}
    for node in stage.program:
        if isinstance(node, Env | Arg):
            names |= {pair.key for pair in node.pairs if names & variables(pair.value or "", node.escape)}
        elif not isinstance(node, Label) and names & names_mentioned(node) and not _only_prints(target, node, names):
            return False
    return True


def _only_prints(target: Target, node: Instruction, names: set[str]) -> bool:
    if not isinstance(node, Run):
        return False
    commands = target.facts.commands(node)
    using = [step for step in commands.steps if any(name in word.text for word in step.command.words for name in names)]
    return commands.script is not None and bool(using) and all(step.command.name in _PRINTING for step in using)


def _value(side: Side, name: str) -> str:
    """The value that an ARG has in the builds; empty if it has none or that is not known."""
    passed = side.args.get(name)
    if passed is not None:
        return passed
    graph = side.target.facts.graph
    facts = (side.target.facts.end_state(stage).args.get(name) for stage in graph.needed_for(side.stage))
    return next((fact.value for fact in facts if isinstance(fact, Known)), "")


def other_values(value: str, token: str) -> Iterator[str]:
    """Other values of the same kind, different for each token: hexadecimal, date, number, yes or no, other text."""
    digests = (hashlib.sha256(f"{token} {number}".encode()).hexdigest() for number in count())
    opposite = _OPPOSITES.get(value.lower())
    if opposite is not None:
        yield from (opposite, opposite)
    elif re.fullmatch(r"\d{1,6}", value):
        first = int(value) + 1 + int(next(digests), 16) % 9
        yield from map(str, count(first))
    elif re.fullmatch(r"[0-9a-f]{7,64}", value):
        yield from (digest[: len(value)] for digest in digests)
    elif re.match(r"\d{4}-\d\d-\d\d(?!\d)", value):
        yield from (f"{_date(digest)}{value[10:]}" for digest in digests)
    else:
        yield from (f"{value}{'-' if value else ''}dockfix{digest[:10]}" for digest in digests)


def _date(digest: str) -> str:
    number = int(digest[:8], 16)
    return f"{2000 + number % 24}-{number // 24 % 12 + 1:02d}-{number // 288 % 28 + 1:02d}"
