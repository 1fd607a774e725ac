"""Why a comment must stay after its pattern: a build needs what the fixed pattern would exclude."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from dockfix.facts.model import Known
from dockfix.project.ignore import IgnoreRules, parse_ignore
from dockfix.project.sources import context_uses, excluded_files, excluded_path, use_of_excluded
from dockfix_codemods.dockerignore_comment.builds import IgnoringBuild, distinct_contexts
from dockfix_codemods.dockerignore_comment.edits import TrailingComment

_MOST_TRIED: Final = 100
"""Of the lines that match a path, only the first ones are tried, which limits the work on a hostile file."""


def blockers(text: str, comments: Sequence[TrailingComment], builds: Sequence[IgnoringBuild]) -> Mapping[int, str]:
    """The lines whose comment must stay, each with the reason.

    The other lines are checked together, as they would be fixed: a pattern may re-include what another excludes.
    """
    rules = parse_ignore(text)
    found = {
        comment.line: blocker for comment in comments if (blocker := _line_blocker(text, comment, builds)) is not None
    }
    while fixed := [comment for comment in comments if comment.line not in found]:
        needed = _build_blockers(rules, fixed, builds)
        if not needed:
            break
        found |= needed
    return found


def _line_blocker(text: str, comment: TrailingComment, builds: Sequence[IgnoringBuild]) -> str | None:
    """Why the comment of a line must stay, whatever builds need; None if it may move."""
    if parse_ignore(comment.pattern).problems:
        return f"`{comment.pattern}` is not a valid pattern"
    written = text[comment.span.start : comment.span.end].removeprefix("!").strip()
    meant = parse_ignore(written).patterns
    for context in distinct_contexts(builds):
        if context.exists(written) or any(meant[0].matches(path) for path in context.numbered if meant):
            return "a file of that name exists, including the `#`"
    return None


def _build_blockers(
    rules: IgnoreRules, fixed: Sequence[TrailingComment], builds: Sequence[IgnoringBuild]
) -> dict[int, str]:
    """The lines that would exclude what a build needs, each with the reason, if all of `fixed` were fixed."""
    found: dict[int, str] = {}
    excluding = [comment.line for comment in fixed if not comment.pattern.startswith("!")]
    if not excluding:
        return found
    repaired = rules.with_lines({comment.line: comment.pattern for comment in fixed})
    lost = {
        id(context): excluded_files(context.sent_files or (), repaired, excluding)
        for context in distinct_contexts(builds)
    }

    def block(path: str, user: str) -> None:
        for line in _responsible(repaired, excluding, path) or excluding:
            found.setdefault(line, f"{user} `{path}`, which the fixed pattern would exclude")

    for build in builds:
        for use in context_uses(build.target):
            where = f"the {use.instruction.name} in {build.target.display}:{use.instruction.start_line}"
            if not isinstance(use.source, Known):
                return found | dict.fromkeys(excluding, f"the source of {where} is unknown, and may be excluded")
            path = excluded_path(build.context, use.source.value, repaired)
            if path is not None:
                block(path, f"{where} needs")
        used = use_of_excluded(build.target, build.context, lost[id(build.context)])
        if used is not None:
            block(used[1], f"the {used[0].name} in {build.target.display}:{used[0].start_line} uses")
    return found


def _responsible(repaired: IgnoreRules, lines: Collection[int], path: str) -> list[int]:
    """The lines of which any one, left unfixed, would keep a path; if there is none, all lines that exclude it."""
    matching = [line for line in repaired.lines_that_match(path) if line in lines]
    keeping = [line for line in matching[:_MOST_TRIED] if not repaired.without(line).ignored(path)]
    return keeping or matching
