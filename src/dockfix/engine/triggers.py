"""The findings of a rule in `ONBUILD RUN`, which runs in the builds of other Dockerfiles.

A rule reads such a step as if it was in an image that is based on the stage (`dockfix.facts.triggers`). Nothing is
known of the steps after it, and its text is part of the image: a fix of it is never safe.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dockfix.facts.triggers import has_run_triggers
from dockfix.project.target import Target
from dockfix.rule.model import Advice, Check, Finding, Fix, InOnbuild, Safety
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Onbuild, Run

__all__ = ["findings_in_triggers"]

_REVIEW: Final = "check the images that are based on this one: the step runs in their builds"


def findings_in_triggers(check: Check, policy: InOnbuild, target: Target) -> Iterator[Finding]:
    """What a rule finds in the RUNs that a Dockerfile leaves to the builds of other images."""
    if policy is InOnbuild.IGNORED or not has_run_triggers(target.dockerfile):
        return
    triggers = [node.span for node in target.dockerfile.instructions if _is_run_trigger(node)]
    for finding in check(target.with_triggers):
        index = bisect_right(triggers, finding.at.start, key=_start) - 1
        if index < 0 or not _holds(triggers[index], finding.at):
            continue
        trigger = triggers[index]
        cause = f"{finding.cause} in triggers" if finding.cause is not None else None
        found = _limited(finding, trigger, policy) if isinstance(finding, Fix) else finding
        yield replace(found, cause=cause)


def _is_run_trigger(node: object) -> bool:
    return isinstance(node, Onbuild) and isinstance(node.child, Run)


def _start(span: Span) -> int:
    return span.start


def _holds(trigger: Span, place: Span) -> bool:
    return trigger.start <= place.start and place.end <= trigger.end


def _limited(fix: Fix, trigger: Span, policy: InOnbuild) -> Finding:
    """A fix after review, or advice if it changes more than the trigger or the rule gives only advice there."""
    inside = all(_holds(trigger, Span(edit.start, edit.end)) for edit in fix.edits)
    if policy is InOnbuild.ADVICE or not inside or fix.other_files:
        return Advice(fix.at, fix.message, fix.severity, fix.file, code=fix.code, help=fix.help)
    return replace(fix, safety=Safety.UNSAFE, review="; ".join(filter(None, (fix.review, _REVIEW))))
