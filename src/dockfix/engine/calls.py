"""Calls of the functions of rules, which may raise anything, never end, or yield what is not a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple

from dockfix.ended import Ended
from dockfix.engine.limits import LimitError, limited
from dockfix.engine.results import Defect
from dockfix.project.files import resolve_inside
from dockfix.rule import Advice, Change, Edit, Finding, Fix, Refusal, Safety, Severity

__all__ = ["MOST_FINDINGS", "Failed", "all_of", "call", "check_finding", "crash_texts"]

MOST_FINDINGS: Final = 200_000
"""How many findings a rule may have in one text, which has at most 4 MiB."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Failed(Exception):  # noqa: N818 - never leaves the engine
    """A gate rejects a codemod's change, or the codemod raised an exception."""

    def __init__(self, gate: str, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.gate = gate
        self.traceback = traceback

    @classmethod
    def crash(cls, error: BaseException) -> Failed:
        """The failure of a codemod that raised an exception. It may be a third party's, and must not stop the run."""
        return cls("crash", *crash_texts(error))

    def defect(self, rule: str) -> Defect:
        """The failure as a result."""
        return Defect(rule, self.gate, str(self), self.traceback)


def crash_texts(error: BaseException) -> tuple[str, str]:
    """An exception in one line, and its traceback."""
    import traceback  # noqa: PLC0415 - only a crash needs it

    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def call(rule: str, function: Callable[[*_Ts], _T], *arguments: *_Ts) -> _T:
    """Call a function of a rule.

    An interrupt ends the run, also one that the rule raises itself.

    Raises:
        Failed: it raises an exception, `SystemExit` included, or exceeds a limit.
    """
    try:
        with limited(rule):
            return function(*arguments)
    except (KeyboardInterrupt, Ended, Failed):
        raise
    except LimitError as error:
        raise Failed("limit", str(error)) from error
    except BaseException as error:
        raise Failed.crash(error) from error


def all_of(findings: Iterable[Finding]) -> list[Finding]:
    """What a rule yields.

    Raises:
        Failed: that are too many.
    """
    found = list(islice(findings, MOST_FINDINGS + 1))
    if len(found) > MOST_FINDINGS:
        raise Failed("limit", f"it has more than {MOST_FINDINGS} findings in one file")
    return found


def check_finding(finding: object, text: str, root: Path) -> None:
    """Check that what a rule yields is a finding that can be shown and applied: types, places and paths.

    Args:
        finding: what it yields.
        text: the text of the file that the finding is in.
        root: the root of the project.

    Raises:
        Failed: with what is wrong.
    """
    if not isinstance(finding, Fix | Refusal | Advice):
        raise Failed("finding", f"it yields a {type(finding).__name__}, which is not a finding")
    match finding:
        case Fix():
            texts = [finding.message, finding.help, finding.review]
        case Advice():
            texts = [finding.message, finding.help]
        case Refusal():
            texts = [finding.message, finding.note]
    names = [each for each in (finding.cause, finding.code) if each is not None]
    if not all(isinstance(each, str) for each in (*texts, *names)):
        raise Failed("finding", "a text of a finding is not a string")
    if not _is_span(finding.at, len(text)):
        raise Failed("finding", f"the place {_short(finding.at)} of a finding is not in the text")
    if not isinstance(finding.severity, Severity | None):
        raise Failed("finding", f"{_short(finding.severity)} is not a severity")
    if isinstance(finding, Fix):
        _check_fix(finding, root)


def _check_fix(fix: Fix, root: Path) -> None:
    if not isinstance(fix.safety, Safety):
        raise Failed("finding", f"{_short(fix.safety)} is not a safety")
    if not isinstance(fix.edits, tuple) or not isinstance(fix.other_files, tuple):
        raise Failed("finding", "the edits or the other files of a fix are not a tuple")
    _check_edits(fix.edits)
    for change in fix.other_files:
        if not isinstance(change, Change) or not isinstance(change.path, Path):
            raise Failed("finding", f"{_short(change)} is not a change of a file")
        if resolve_inside(root, change.path) != change.path:
            raise Failed("finding", f"{change.path} is not the real path of a file of the project")
        _check_edits(change.edits if change.create is None else (Edit(0, 0, change.create),))


def _check_edits(edits: object) -> None:
    for edit in edits if isinstance(edits, tuple) else (edits,):
        if not isinstance(edit, Edit) or not (isinstance(edit.start, int) and isinstance(edit.end, int)):
            raise Failed("finding", f"{_short(edit)} is not an edit")
        if not isinstance(edit.replacement, str):
            raise Failed("finding", f"the replacement {_short(edit.replacement)} of an edit is not a string")
        try:
            edit.replacement.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise Failed("finding", "the replacement of an edit cannot be written as UTF-8") from None


def _is_span(span: object, size: int) -> bool:
    return (
        isinstance(span, tuple)
        and len(span) == 2
        and all(isinstance(each, int) for each in span)
        and 0 <= span[0] <= span[1] <= size
    )


def _short(value: object) -> str:
    return repr(value)[:60]
