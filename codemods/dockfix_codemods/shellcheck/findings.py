"""What ShellCheck says of a script, as findings at their places in the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix_codemods.shellcheck.corrections import Corrections
from dockfix_codemods.shellcheck.disabled import Disabled
from dockfix_codemods.shellcheck.meaning import Meaning
from dockfix_codemods.shellcheck.scripts import Script

if TYPE_CHECKING:
    from dockfix.project.shellcheck_answer import Comment

__all__ = ["findings"]

_LEVELS: Final = ("error", "warning", "info", "style")
_SEVERITIES: Final = {"error": Severity.ERROR, "warning": Severity.WARNING}
_LEFT_OUT: Final = frozenset((1090, 1091, 2148, 2187))
"""A sourced file that is not followed; no interpreter line; ash, which is checked as dash."""

_PORTABILITY: Final = range(3000, 4000)
"""What a shell does not have that others have."""

_NOT_ASSIGNED: Final = 2154
_STOPPED: Final = frozenset((1070, 1072, 1088, 1089))
"""The codes that say where parsing ended; there is one of them exactly if the text cannot be parsed."""

_CONSTRUCT, _MENTIONED = 1073, 1009
_ADVISED: Final = re.compile(r"\.?\s*(?:Fix (?:any mentioned problems and try again|to allow more checks)\.?)?$")

_REVIEWS: Final = {
    2006: "check that the command is the same",
    2086: "check that the value is meant to be one argument, also if it is empty or has blanks",
    2164: "check that the text should end, with the status of the failed `cd`, if the folder is missing",
}
_REVIEW: Final = "check that the text does what it should"

_HELPS: Final = {
    2006: "use `$(...)`",
    2086: "add double quotes",
    2164: "add `|| exit`",
}
_HELP: Final = "correct the text as ShellCheck does"


def findings(target: Target, script: Script, comments: Sequence[Comment], level: str) -> Iterator[Finding]:
    """The findings in a script; those of one code are one finding with several places."""
    named = target.own_options.policy.named
    wanted = [each for each in _without_echoes(comments) if _is_wanted(script, each, level, named)]
    if not wanted:
        return
    disabled = Disabled(target.dockerfile, script.owner)
    commands = target.facts.commands(script.instruction)
    corrections, meaning = Corrections(target.dockerfile, script), Meaning(script, commands)
    for comment in wanted:
        at = _place(script, comment)
        if at is None or (disabled.are_any and disabled.covers(comment.code, at.start, commands)):
            continue
        code = f"SC{comment.code}"
        message = f"{code}: {comment.message.strip().rstrip('.')}"
        severity = _SEVERITIES.get(comment.level, Severity.INFO)
        if comment.code in _PORTABILITY and not script.shell_known:
            severity = Severity.WARNING if severity is Severity.ERROR else severity
            message += " (the `sh` of the base image is not known)"
        cause = f"{code} {script.owner.span.start}"
        if comment.fix is None or not script.fixable:
            yield Advice(at, message, severity, cause=cause, code=code)
            continue
        try:
            meaning.check(comment)
            edits = corrections.edits(comment, wanted)
        except Refused as refused:
            yield Refusal(at, message, refused.reason, severity, cause=cause, code=code)
        else:
            help_, review = _HELPS.get(comment.code, _HELP), _REVIEWS.get(comment.code, _REVIEW)
            yield Fix(at, message, edits, Safety.UNSAFE, help_, review, severity, cause=cause, code=code)


def _is_wanted(script: Script, comment: Comment, level: str, named: Set[str]) -> bool:
    if f"SC{comment.code}" not in named and _LEVELS.index(comment.level) > _LEVELS.index(level):
        return False
    # whoever starts the container may set any variable
    return comment.code not in _LEFT_OUT and (script.building or comment.code != _NOT_ASSIGNED)


def _place(script: Script, comment: Comment) -> Span | None:
    """The place of a comment in the file; None if it is about what dockfix has added."""
    start = script.offset(comment.line, comment.column)
    end = script.offset(comment.end_line, comment.end_column)
    if start is None or end is None:
        return None
    return script.text.span(start, max(start, end))


def _without_echoes(comments: Sequence[Comment]) -> Sequence[Comment]:
    """The comments, with only one on a syntax error: the most specific, else the construct and where parsing ended."""
    stopped = next((each for each in comments if each.code in _STOPPED), None)
    if stopped is None:
        return comments
    about = [each for each in comments if (each.level == "error" and each.code < 2000) or each.code == _MENTIONED]
    general = {*_STOPPED, _CONSTRUCT, _MENTIONED}
    chosen = next((each for each in about if each.code not in general), None)
    if chosen is None:
        chosen = next((each for each in about if each.code == _CONSTRUCT), stopped)
        texts = [_ADVISED.sub("", each.message) for each in dict.fromkeys((chosen, stopped))]
        chosen = chosen.saying(": ".join(filter(None, texts)) or "Couldn't parse this")
    return [chosen, *(each for each in comments if each not in about)]
