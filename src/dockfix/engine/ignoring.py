"""Ignore comments for the findings of a run: `# dockfix: ignore=RULE` above what each finding is about.

A comment goes above the whole instruction, or above the line in a compose, bake or ignore file; one that is there
already is extended. A text is changed only if it says the same without its comments.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.edit.dockerfile.lines import insert, line_start
from dockfix.engine.baseline import Fingerprint, baseline_of, fingerprint
from dockfix.engine.file_gates import effect_of
from dockfix.engine.project import run_project
from dockfix.engine.results import FileResult, RunResult
from dockfix.engine.settings import Mode
from dockfix.rule import Codemod, Diagnostic, Edit, Effect, apply_edits
from dockfix.rule.suppression import Directive, Suppressions, comments_above, directive_in
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Comment, Dockerfile, Instruction

__all__ = ["Ignored", "dockerfile_with_ignores", "ignored", "text_with_ignores"]

_ROUNDS: Final = 4
"""A comment may itself lead to another finding, which the next round ignores, too."""

_NAMES: Final = re.compile(r"(ignore(?:-file)?\s*=\s*)([^\s,=]+(?:\s*,\s*[^\s,=]+)*)", re.I)


class Ignored(Struct, frozen=True):
    """The files with ignore comments, and what could not be ignored.

    Args:
        files: the results of the files, with new texts.
        count: how many findings are ignored now.
        left: the findings that no comment can ignore, each with its file.
    """

    files: tuple[FileResult, ...]
    count: int
    left: tuple[tuple[FileResult, Diagnostic], ...]


def ignored(result: RunResult, shown: RunResult, codemods: Sequence[Codemod], reason: str = "") -> Ignored:
    """Add ignore comments for findings of a check, in memory.

    Args:
        result: the check.
        shown: the same with only the findings to ignore.
        codemods: the rules of the check.
        reason: why they are ignored.
    """
    base = result.root
    hidden = Counter(baseline_of(result, base).counts) - Counter(baseline_of(shown, base).counts)
    originals = {each.real: each for each in result.files}
    texts = {each.real: each.text for each in result.files}
    todo = [(outcome, found) for outcome in shown.files for found in outcome.remaining]
    wanted = len(todo)
    for _ in range(_ROUNDS):
        new = _texts(texts, todo, reason)
        if new == texts:
            break
        texts = new
        after = _checked(result, texts, codemods)
        todo = _beyond(after, hidden, base)
        if not todo:
            break
    files = tuple(replace(each, text=texts[each.real]) for each in result.files)
    # a finding that is left is shown with its place in the file as it was
    before = {(each.real, found.rule, found.finding.message): found for each in shown.files for found in each.remaining}
    left = [
        (originals.get(each.real, each), before.get((each.real, found.rule, found.finding.message), found))
        for each, found in todo
    ]
    return Ignored(files, wanted - min(wanted, len(left)), tuple(left))


def _checked(result: RunResult, texts: Mapping[Path, str], codemods: Sequence[Codemod]) -> RunResult:
    changed = {each.real: texts[each.real] for each in result.files if texts[each.real] != each.text}
    workspace = result.workspace.with_changes(changed)
    known = {each.real for each in result.files}
    return run_project(workspace, codemods, Mode(fix=False, in_scope=lambda path: path in known))


def _beyond(after: RunResult, hidden: Counter[Fingerprint], base: Path) -> list[tuple[FileResult, Diagnostic]]:
    """The findings of a run that are not among those that were not to be ignored."""
    left = Counter(hidden)
    beyond: list[tuple[FileResult, Diagnostic]] = []
    for outcome in after.files:
        for found in outcome.remaining:
            key = fingerprint(outcome, found, after, base)
            if left[key] > 0:
                left[key] -= 1
            else:
                beyond.append((outcome, found))
    return beyond


def _texts(texts: Mapping[Path, str], todo: Iterable[tuple[FileResult, Diagnostic]], reason: str) -> dict[Path, str]:
    by_file: dict[Path, list[Diagnostic]] = {}
    dockerfiles: set[Path] = set()
    for outcome, found in todo:
        by_file.setdefault(outcome.real, []).append(found)
        if outcome.is_dockerfile:
            dockerfiles.add(outcome.real)
    new = dict(texts)
    for path, own in by_file.items():
        if path not in texts:
            continue
        if path in dockerfiles:
            new[path] = dockerfile_with_ignores(texts[path], own, reason)
        else:
            new[path] = text_with_ignores(texts[path], path, own, reason)
    return new


def dockerfile_with_ignores(text: str, found: Sequence[Diagnostic], reason: str = "") -> str:
    """The text of a Dockerfile with comments that ignore findings in it; unchanged if that is not possible."""
    tree = parse(text)
    above = list(comments_above(tree))
    if not above:
        return text
    starts = [node.lines.start for node, _ in above]
    rules: dict[int, set[str]] = {}
    for each in found:
        at = each.finding.at.start
        index = bisect_right(starts, at) - 1
        inside = index >= 0 and at < max(above[index][0].lines.end, above[index][0].lines.start + 1)
        rules.setdefault(index if inside else -1, set()).add(each.finding.code or each.rule)
    edits = [
        _edit(tree, *(above[index] if index >= 0 else _whole_file(tree, above)), names, reason, whole_file=index < 0)
        for index, names in rules.items()
    ]
    new = apply_edits(text, _joined(edits))
    return new if _same_instructions(tree, parse(new)) else text


def _whole_file(
    tree: Dockerfile, above: Sequence[tuple[Instruction, tuple[Comment, ...]]]
) -> tuple[Instruction, tuple[Comment, ...]]:
    """The first instruction, and the comments of the file that ignore rules everywhere."""
    return above[0][0], tuple(comment for comment, each in Suppressions(tree).directives if each.whole_file)


def _edit(
    tree: Dockerfile,
    node: Instruction,
    comments: Sequence[Comment],
    rules: Iterable[str],
    reason: str,
    *,
    whole_file: bool,
) -> Edit:
    """Extend a comment for some rules, or insert one above an instruction."""
    for comment in reversed(comments):
        if (new := _extended(comment.text, rules, reason, whole_file=whole_file)) is not None:
            start, end = comment.span
            written = tree.text[start:end]
            at = written.index(comment.text)
            return Edit(start, end, written[:at] + new + written[at + len(comment.text) :])
    start = line_start(tree, node.lines.start)
    return insert(start, f"{_comment(rules, reason, whole_file=whole_file)}{_newline(tree.text, start)}")


def _joined(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits, with insertions at one place joined in their order."""
    joined: dict[tuple[int, int], str] = {}
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        key = (edit.start, edit.end)
        joined[key] = joined.get(key, "") + edit.replacement
    return tuple(Edit(start, end, new) for (start, end), new in joined.items())


def _extended(comment: str, rules: Iterable[str], reason: str, *, whole_file: bool) -> str | None:
    """The text of a comment that also ignores some rules; None if it is not a comment that can be extended."""
    directive = directive_in(comment)
    if directive is None or directive.malformed or directive.is_for_all or directive.whole_file is not whole_file:
        return None
    more = sorted(set(rules) - directive.names)
    new = _NAMES.sub(lambda match: f"{match[1]}{','.join((match[2], *more))}", comment, count=1)
    if reason and not directive.reason:
        new += _because(reason)
    after = directive_in(new)
    wanted = Directive(whole_file, directive.names | set(rules), after.reason if after else "")
    return new if after == wanted else None


def _comment(rules: Iterable[str], reason: str, *, whole_file: bool) -> str:
    verb = "ignore-file" if whole_file else "ignore"
    return f"# dockfix: {verb}={','.join(sorted(set(rules)))}{_because(reason)}"


def _because(reason: str) -> str:
    if not reason:
        return ""
    return f" {reason}" if reason.lower().startswith("because ") else f" because {reason}"


def _newline(text: str, start: int) -> str:
    """The line end of the line at an offset, or of the file if the line has none."""
    end = text.find("\n", start)
    end = text.rfind("\n") if end < 0 else end
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _same_instructions(before: Dockerfile, after: Dockerfile) -> bool:
    """Whether two Dockerfiles are the same but for comments between instructions."""

    def parts(tree: Dockerfile) -> list[str]:
        return [tree.text[node.span.start : node.span.end] for node in tree.instructions]

    directives = {name: each.value for name, each in before.directives.items()}
    same = directives == {name: each.value for name, each in after.directives.items()}
    return same and parts(before) == parts(after) and len(before.problems) == len(after.problems)


def text_with_ignores(text: str, path: Path, found: Sequence[Diagnostic], reason: str = "") -> str:
    """The text of a compose, bake or ignore file with comments that ignore findings in it.

    A comment that would change what the file says is left out.
    """
    if path.suffix == ".json":
        return text  # JSON has no comments
    rules: dict[int, set[str]] = {}
    for each in found:
        rules.setdefault(each.line, set()).add(each.rule)
    for line in sorted(rules, reverse=True):
        new = _with_comment(text, line, rules[line], reason, indented=effect_of(path) is not Effect.IGNORE)
        if _says_the_same(path, text, new):
            text = new
    return text


def _with_comment(text: str, line: int, rules: Iterable[str], reason: str, *, indented: bool) -> str:
    lines = text.split("\n")
    if line > len(lines):
        return text
    at = line - 2
    while at >= 0 and lines[at].lstrip().startswith("#"):
        before, hash_, comment = lines[at].partition("#")
        ending = "\r" if comment.endswith("\r") else ""
        new = _extended(comment.strip(), rules, reason, whole_file=False)
        if new is not None:
            lines[at] = f"{before}{hash_} {new}{ending}"
            return "\n".join(lines)
        at -= 1
    own = lines[line - 1]
    bom = "\ufeff" if line == 1 and own.startswith("\ufeff") else ""
    own = own.removeprefix(bom)
    indent = own[: len(own) - len(own.lstrip())] if indented and own.strip() else ""
    ending = "\r" if own.endswith("\r") else ""
    lines[line - 1 : line] = [f"{bom}{indent}{_comment(rules, reason, whole_file=False)}{ending}", own]
    return "\n".join(lines)


def _says_the_same(path: Path, before: str, after: str) -> bool:
    """Whether a file says the same in two texts, comments left out."""
    match effect_of(path):
        case Effect.COMPOSE:
            from dockfix.edit.yaml_check import yaml_changes  # noqa: PLC0415 - loads ruamel.yaml
            from dockfix.project.yaml_tree import YamlError  # noqa: PLC0415

            try:
                return not yaml_changes(before, after)
            except YamlError:
                return False
        case Effect.BAKE:
            from dockfix.edit.hcl_check import bake_changes  # noqa: PLC0415 - loads the reader of bake files
            from dockfix.project.bake.tree import Syntax  # noqa: PLC0415

            try:
                return all(place[0] == "#" for place, _, _ in bake_changes(before, after))
            except Syntax:
                return False
        case _:
            return _patterns(before) == _patterns(after)


def _patterns(text: str) -> list[str]:
    return [line for line in text.removeprefix("\ufeff").split("\n") if not line.startswith("#")]
