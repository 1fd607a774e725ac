"""Compares the results of a codemod on golden cases with the expectations of the golden file."""

from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dockfix.engine.difftext import unified_diff
from dockfix.project.discovery import is_dockerfile_name
from dockfix.rule.model import Codemod
from dockfix.syntax.source import BOM, decode, encode
from dockfix.testing.cases import Case, load_document, scratch_folder
from dockfix.testing.document import DIFF, FINDINGS, CaseError, replace_expectation
from dockfix.testing.runs import CaseResult, FileResult, describe, gist, run_case, write_variant
from dockfix.testing.variants import Variant, transform

_NEEDS: Final = re.compile(r"Needs the program `([\w.-]+)`")

PATCH_TOOLS: Final = ("git", "patch")
"""The programs that must apply every expected diff."""

Results = MutableMapping[tuple[str, Variant], CaseResult]
"""Results by the case's name and the variant, remembered for the other variants and for the check of all diffs."""


class Update(enum.Enum):
    """What may be done to an expectation that is not met."""

    NO = "no"
    """Nothing: that is a failure."""
    EXISTING = "existing"
    """Rewrite a block that exists, if the new one is not empty."""
    CREATE = "create"
    """Also add a block that is missing."""
    EMPTY = "empty"
    """Also remove a block that would be empty."""


def check_case(
    case: Case,
    codemod: Codemod,
    variant: Variant = Variant.PLAIN,
    *,
    update: Update = Update.NO,
    patch_tools: Sequence[str] = PATCH_TOOLS,
    results: Results | None = None,
) -> bool:
    """Run a codemod alone on a case and compare the result with what is expected.

    Args:
        case: the case.
        codemod: the codemod of its rule.
        variant: how to write the case's Dockerfiles.
        update: what may be done to expectations that are not met; only the plain variant updates any.
        patch_tools: the programs that must apply the diff, of `PATCH_TOOLS`; none if `check_patches` follows.
        results: where to look for results of this codemod and these cases, and to remember new ones.

    Returns:
        Whether the golden file was rewritten.

    Raises:
        AssertionError: the result is not as expected, or not sound.
        CaseError: the case is malformed, or a tool is missing.
    """
    result = result_of(case, codemod, variant, results)
    if result.complaints:
        raise AssertionError(_report(result, "is not sound", "\n".join(result.complaints)))
    for tool in patch_tools:
        check_patches([result], tool)
    if variant is not Variant.PLAIN:
        _check_variant(result_of(case, codemod, Variant.PLAIN, results), result)
        return False
    parts = {DIFF: (case.expected_diff, result.diff), FINDINGS: (case.expected_findings, result.findings)}
    changed = {role: actual for role, (expected, actual) in parts.items() if expected != actual}
    for role in changed:
        expected, actual = parts[role]
        if case.path is None or not _may_update(expected, actual, update):
            raise AssertionError(_report(result, "is not as expected", _mismatch(role, expected, actual)))
    for role, actual in changed.items():
        _rewrite(case, role, actual)
    if result.kind is not case.kind:
        detail = f"its heading should begin with `{result.kind.value}:`, not with `{case.kind.value}:`"
        raise AssertionError(_report(result, "is of another kind", detail))
    return bool(changed)


def needed_programs(path: Path) -> tuple[str, ...]:
    """The programs that the cases of a golden file need: its text before the cases names them."""
    return tuple(match[1] for line in load_document(path).preamble if (match := _NEEDS.match(line)))


def missing_program(path: Path) -> str | None:
    """A program that the cases of a golden file need and that is not installed; None if there is none."""
    beside = str(Path(sys.executable).parent)  # where pip installs a program
    return next(
        (each for each in needed_programs(path) if not (shutil.which(each, path=beside) or shutil.which(each))), None
    )


def result_of(case: Case, codemod: Codemod, variant: Variant, results: Results | None = None) -> CaseResult:
    """The result of a case in a variant, remembered or from a new run."""
    if results is None:
        return run_case(case, codemod, variant)
    key = case.name, variant
    if key not in results:
        results[key] = run_case(case, codemod, variant)
    return results[key]


def check_patches(results: Sequence[CaseResult], tool: str) -> None:
    """Apply the diffs of many results with `git apply` or `patch -p1` at once, and compare the bytes with the engine's.

    Each result gets a folder of its own, so that one run of the tool takes all diffs. If that fails, each diff is
    applied alone, as a user would apply it, to find the result that fails.

    Raises:
        AssertionError: a diff is not applied, or with another result.
        CaseError: the tool is not installed.
    """
    changed = [result for result in results if result.diff]
    if not changed:
        return
    if len(changed) > 1:
        if not _apply(changed, tool):
            return
        for result in changed:
            check_patches([result], tool)
        raise AssertionError(f"{tool} applies each diff alone, and not all of them together")
    complaint = _apply(changed, tool)
    if complaint:
        raise AssertionError(_report(changed[0], f"has a diff that {complaint}", changed[0].diff))


def _apply(results: Sequence[CaseResult], tool: str) -> str:
    """The complaints about the diffs of some results; none if the tool applies them as the engine does."""
    program = shutil.which(tool)
    if program is None:
        raise CaseError(f"{tool} is not installed")
    with scratch_folder() as scratch:
        root = scratch / "project"
        folders = [f"{index}/" for index in range(len(results))] if len(results) > 1 else [""]
        diffs: list[str] = []
        for result, folder in zip(results, folders, strict=True):
            write_variant(result.case, result.variant, root / folder)
            diffs += [unified_diff(each.before, each.after, folder + each.path) for each in result.files]
        diff = scratch / "change.diff"
        diff.write_bytes(encode("".join(diffs)))
        command = {
            "git": [program, "apply", "--whitespace=nowarn", str(diff)],
            "patch": [program, "-p1", "--batch", "--fuzz=0", "--input", str(diff)],
        }[tool]
        done = subprocess.run(
            command,
            cwd=root,
            # neither the user's configuration nor a repository around the folder may have an effect
            env={
                "LC_ALL": "C",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CEILING_DIRECTORIES": str(root.parent),
            },
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            return f"{tool} refuses: {decode(done.stdout + done.stderr)}"
        for result, folder in zip(results, folders, strict=True):
            for file in result.files:
                if file.before != file.after and (root / folder / file.path).read_bytes() != encode(file.after):
                    return f"{tool} applies otherwise"
    return ""


def _may_update(expected: str, actual: str, update: Update) -> bool:
    if not expected:
        return update is Update.CREATE
    return update is Update.EMPTY if not actual else update is not Update.NO


def _rewrite(case: Case, role: str, actual: str) -> None:
    """Replace an expectation in the golden file as it is now, which other cases may have rewritten before."""
    if case.path is None:
        return
    document = load_document(case.path)
    section = next(section for section in document.sections if section.slug == case.name)
    case.path.write_bytes(replace_expectation(document, section, role, actual).encode())


def _mismatch(role: str, expected: str, actual: str) -> str:
    name = f"the {role} block"
    if not expected:
        return f"{name} is missing. It would have this text (--update-golden=create adds it):\n{actual}"
    if not actual:
        return f"{name} would be empty (--update-golden=empty removes it). It has this text:\n{expected}"
    return f"{name}, expected (-) and actual (+):\n{unified_diff(_visible(expected), _visible(actual), role)}"


def _check_variant(plain: CaseResult, result: CaseResult) -> None:
    """Compare the result of a variant with that of the plain case."""
    for old, new in zip(plain.files, result.files, strict=True):
        expected = _expected(old, result.variant)
        if new.after != expected:
            change = unified_diff(_visible(expected), _visible(new.after), new.path)
            raise AssertionError(_report(result, "is fixed in another way", f"expected (-), actual (+):\n{change}"))
        wanted, actual = _comparable(old, new, result.variant)
        if wanted != actual:
            change = unified_diff(wanted, actual, new.path)
            raise AssertionError(_report(result, "has other findings", f"expected (-), actual (+):\n{change}"))


def _comparable(old: FileResult, new: FileResult, variant: Variant) -> tuple[str, str]:
    """The findings of the plain case and of the variant, as far as they must agree."""
    dockerfile = is_dockerfile_name(old.path.rpartition("/")[2])
    if variant is not Variant.BACKTICK:
        # A byte order mark is a character of the first line.
        mark = 1 if variant is Variant.BOM and dockerfile else 0
        wanted = [replace(each, column=each.column + mark) if each.line == 1 else each for each in old.found]
        return (
            "".join(describe(each, old.path) for each in wanted),
            "".join(describe(each, new.path) for each in new.found),
        )
    # An escape directive at the top moves all lines of a Dockerfile; a message may quote a continuation.
    shift = 1 if dockerfile else 0
    return (
        "".join(gist(each, old.path, shift) for each in old.found),
        "".join(gist(each, new.path, 0) for each in new.found),
    )


def _expected(plain: FileResult, variant: Variant) -> str:
    """The expected text of a file in a variant: that of a Dockerfile changes, other files may get other line ends."""
    if is_dockerfile_name(plain.path.rpartition("/")[2]):
        return transform(plain.after, variant)
    crlf = variant is Variant.CRLF and plain.before is not None
    return plain.after.replace("\n", "\r\n") if crlf else plain.after


def _visible(text: str) -> str:
    return text.replace("\r", "␍").replace(BOM, "<BOM>")


def _report(result: CaseResult, what: str, detail: str) -> str:
    variant = "" if result.variant is Variant.PLAIN else f" as {result.variant.value}"
    path, line = result.case.path, result.case.line
    place = f"{path}:{line}: " if path is not None else ""
    return f"{place}{result.case}{variant} {what}\n{detail}"
