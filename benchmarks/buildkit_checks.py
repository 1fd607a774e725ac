"""Compare dockfix with BuildKit's tests of its build checks: whether the rules that answer them find the same places.

usage: python benchmarks/buildkit_checks.py CHECKOUT [--show] [--tsv FILE]

CHECKOUT is a clone of https://github.com/moby/buildkit, or its git directory. The Dockerfiles and the expected warnings
of `frontend/dockerfile/dockerfile_check_test.go` are read, not run. The table has a line for each check and for each
rule, which may answer several: on how many instructions both agree, and how many dockfix finds more or less. A fix, a
refusal and advice all count as found; Dockerfiles that BuildKit refuses are left out. --show prints the differences.
--tsv writes the figures; those in `docs/buildkit_checks.tsv` are shown in docs/hadolint.md.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dockfix
from dockfix.engine.results import FileResult
from dockfix.rule.registry import load_registry

_TEST: Final = "frontend/dockerfile/dockerfile_check_test.go"
_TOKEN: Final = re.compile(r'//[^\n]*|`[^`]*`|"(?:\\.|[^"\\])*"|\w+|[^\s\w]')
_BASE: Final = "busybox"
"""The image that the tests put in place of a `%s`."""


@dataclass(frozen=True)
class Case:
    """A Dockerfile of the tests.

    Args:
        name: the test.
        text: the Dockerfile.
        ignore: the `.dockerignore`, or None.
        expected: the warnings, as check and line.
    """

    name: str
    text: str
    ignore: str | None
    expected: frozenset[tuple[str, int]]


def main() -> int:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--tsv", type=Path, help="write the figures of each check into this file")
    parser.add_argument("--show", action="store_true", help="print the differences")
    options = parser.parse_args()
    git = ("git", "-C", str(options.checkout))
    show = subprocess.run([*git, "show", f"HEAD:{_TEST}"], stdout=subprocess.PIPE, text=True, check=True)
    rules = {each.name: each.checks for each in load_registry().codemods if each.checks}
    counts: dict[str, Counter[str]] = {}
    cases = [case for case in cases_of(show.stdout) if dockfix.parse(case.text).ok]
    for case in cases:
        compare(case, rules, counts, show=options.show)
    print(f"{len(cases)} Dockerfiles\n\n| rule or check | places | agree | more | less |\n|---|---|---|---|---|")
    for name, count in sorted(counts.items()):
        cells = (str(count[each]) for each in ("places", "agree", "more", "less"))
        print(f"| {name} | {' | '.join(cells)} |")
    if options.tsv:
        version = subprocess.run([*git, "log", "-1", "--format=%h"], stdout=subprocess.PIPE, text=True, check=True)
        lines = [f"# buildkit {version.stdout.strip()}, {datetime.date.today().isoformat()}", "code\tplaces\tagree"]
        lines += [
            f"{name}\t{count['places']}\t{count['agree']}" for name, count in sorted(counts.items()) if count["check"]
        ]
        options.tsv.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 0


def compare(case: Case, rules: Mapping[str, frozenset[str]], counts: dict[str, Counter[str]], *, show: bool) -> None:
    """Count for each rule, and for each check, on which instructions both agree."""
    result = checked(case, tuple(rules))
    found = {rule: {line_of(case.text, each.line) for each in result.remaining if each.rule == rule} for rule in rules}
    found["undefined-variable"] |= found.pop("arg-scope")  # both answer UndefinedVar
    for rule, lines in found.items():
        places = {(check, line_of(case.text, line)) for check, line in case.expected if check in rules[rule]}
        expected = {line for _, line in places}
        counts.setdefault(rule, Counter()).update(
            places=len(expected), agree=len(expected & lines), more=len(lines - expected), less=len(expected - lines)
        )
        for check, line in places:
            counts.setdefault(check, Counter()).update(
                check=1, places=1, agree=int(line in lines), less=int(line not in lines)
            )
        if show and expected != lines:
            print(f"--- {case.name}, {rule}: more {lines - expected or ''} less {expected - lines or ''}")
            print(case.text)


def checked(case: Case, rules: tuple[str, ...]) -> FileResult:
    """What dockfix finds in a case, in a folder of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "Dockerfile")
        file.write_text(case.text, encoding="utf-8")
        if case.ignore is not None:
            Path(scratch, ".dockerignore").write_text(case.ignore, encoding="utf-8")
        settings = dockfix.Settings(select=rules, context=Path(scratch))
        return dockfix.check(file, settings, root=scratch).dockerfiles[0]


def line_of(text: str, line: int) -> int:
    """The first line of the instruction that a line is in."""
    for each in dockfix.parse(text).instructions:
        if each.start_line <= line <= each.end_line:
            return each.start_line
    return line


def cases_of(source: str) -> Iterator[Case]:
    """The Dockerfiles of the tests, in order."""
    tokens = [each for each in _TOKEN.findall(source) if not each.startswith("//")]
    name, text, ignore = "", "", None
    for index, word in enumerate(tokens):
        rest = tokens[index + 1 :]
        if word == "func" and rest[0].startswith("test"):
            name, ignore = rest[0], None
        elif word in ("dockerfile", "dockerignore") and rest[0] in (":", "="):
            found = next((each for each in rest[:24] if each[0] in '`"'), None)
            value = _string(found) if found is not None else ""
            if word == "dockerfile":
                text = value
            else:
                ignore = value
        elif word == "checkLinterWarnings" and rest[:3] == ["(", "t", ","]:
            body = list(_body(rest))
            own = ignore if "DockerIgnore" in body else None
            if "DockerIgnore" in body and body[body.index("DockerIgnore") + 2] == "[":
                own = _string(next(each for each in body[body.index("DockerIgnore") :] if each[0] in '`"'))
            if "build-arg:BUILDKIT_DOCKERFILE_CHECK" in " ".join(body):
                continue  # the build says what is skipped
            yield Case(name, text, own, frozenset(_warnings(body)))


def _body(tokens: list[str]) -> Iterator[str]:
    """The tokens up to the closing bracket."""
    depth = 0
    for word in tokens:
        depth += (word == "(") - (word == ")")
        yield word
        if not depth:
            return


def _warnings(body: list[str]) -> Iterator[tuple[str, int]]:
    check = ""
    for index, word in enumerate(body):
        if word == "UnmarshalWarnings":
            return  # the same once more
        if word == "RuleName":
            check = _string(body[index + 2])
        elif word == "makeLintWarning":
            yield "MultipleInstructionsDisallowed", int(body[index + 4])
        elif word == "Line" and check:
            yield check, int(body[index + 2])


def _string(token: str) -> str:
    text = token[1:-1] if token.startswith("`") else token[1:-1].encode().decode("unicode_escape")
    return text.replace("%s", _BASE)


if __name__ == "__main__":
    sys.exit(main())
