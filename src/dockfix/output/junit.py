"""Findings as JUnit XML, for test reports of CI systems: a suite for each file, a failed test for each finding."""

from __future__ import annotations

from collections.abc import Iterable

from dockfix.engine.results import RunResult
from dockfix.output.located import Located, Notice, body, located, message, notices, remedy
from dockfix.output.xml_text import attributes, document, escaped
from dockfix.rule.model import Refusal, Severity

__all__ = ["findings_junit"]


def findings_junit(result: RunResult) -> str:
    """The report.

    A finding is a failure, except a refusal of severity info, which is a skipped test. Input that could not be used and
    defects are errors. A file without findings is one test that passed.
    """
    suites: dict[str, list[tuple[str, str]]] = {file.display: [] for file in result.files}
    for each in located(result):
        suites[each.path].append(_finding(each))
    for notice in notices(result):
        suites.setdefault(notice.path, []).append(_notice(notice))
    tests = [case for cases in suites.values() for case in (cases or [_PASSED])]
    lines = [f"<testsuites{attributes(name='dockfix')}{_counts(tests)}>"]
    for path, cases in suites.items():
        shown = cases or [_PASSED]
        lines.append(f"  <testsuite{attributes(name=path)}{_counts(shown)}>")
        names = attributes(classname=path, file=path)
        lines += [text.replace("<testcase", f"<testcase{names}", 1) for _, text in shown]
        lines.append("  </testsuite>")
    return document(*lines, "</testsuites>")


_PASSED = ("passed", '    <testcase name="no findings"/>')


def _finding(each: Located) -> tuple[str, str]:
    found = each.found
    name = f"{found.rule} ({each.start.line}:{each.start.column})"
    skipped = isinstance(found.finding, Refusal) and found.severity is Severity.INFO
    kind = "skipped" if skipped else "failure"
    place = f"{each.path}:{each.start.line}:{each.start.column}: {found.severity.value} [{remedy(found)}]"
    text = "\n".join(escaped(line) for line in (place, *body(found).split("\n")))
    shown = attributes(message=message(found)) + ("" if skipped else attributes(type=found.severity.value))
    return kind, _case(name, each.start.line, f"<{kind}{shown}>{text}</{kind}>")


def _notice(notice: Notice) -> tuple[str, str]:
    kind = "error" if notice.severity is Severity.ERROR else "failure"
    name = notice.code if notice.line is None else f"{notice.code} ({notice.line})"
    shown = attributes(message=notice.message, type=notice.severity.value)
    return kind, _case(name, notice.line, f"<{kind}{shown}>{escaped(notice.message)}</{kind}>")


def _case(name: str, line: int | None, inner: str) -> str:
    return f"    <testcase{attributes(name=name, line=line)}>{inner}</testcase>"


def _counts(cases: Iterable[tuple[str, str]]) -> str:
    kinds = [kind for kind, _ in cases]
    return attributes(
        tests=len(kinds),
        failures=kinds.count("failure"),
        errors=kinds.count("error"),
        skipped=kinds.count("skipped"),
    )
