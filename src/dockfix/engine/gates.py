"""The gates: what a codemod's change must satisfy before it may be written.

1. The result parses without new problems, and every shell text that parsed still parses.
2. The effect contract: the build differs only in what the codemod declares.
3. Bytes outside the edits are unchanged; all comments and pragmas are still there, pragmas above their instructions.
4. The codemod finds nothing more to fix in its own output (the engine checks this one, since it runs codemods).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from dockfix.engine.calls import Failed
from dockfix.engine.contract import changed_aspects
from dockfix.rule import Codemod, Edit, Effect
from dockfix.rule.suppression import comments_above
from dockfix.rule.workspace import Workspace, changed_paths
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.tree import Comment, Directive, Dockerfile, Instruction, shell_text


def check_work(codemod: Codemod, before: Workspace, after: Workspace) -> None:
    """Check all files that a codemod has changed.

    Raises:
        Failed: with the first complaint.
    """
    for path in changed_paths(before, after):
        text, own = before.text_if_any(path), after.by_path.get(path)
        if own is not None and text is not None:
            complaints = check_gates(codemod, before.target(own).dockerfile, after.target(own).dockerfile)
        else:
            complaints = _check_other(codemod, path, text, after.project.files.changes[path])
        if complaints:
            raise Failed("gate", complaints[0])
    # an old problem may be on another line now
    old_problems = Counter((each.path, each.message) for each in before.project.problems)
    fresh = Counter((each.path, each.message) for each in after.project.problems) - old_problems
    if fresh:
        where, message = min(fresh)
        raise Failed("gate", f"{where}: {message}")


def _check_other(codemod: Codemod, path: Path, before: str | None, after: str) -> list[str]:
    from dockfix.engine.file_gates import check_other_file, effect_of  # noqa: PLC0415 - few fixes reach other files

    if before is None:
        return [] if Effect.FILES in codemod.effects else [f"{path.name} was created, which is not declared"]
    if effect_of(path) not in codemod.effects:
        return [f"{path.name} was changed, which is not declared"]
    return check_other_file(path, before, after)


def check_gates(codemod: Codemod, before: Dockerfile, after: Dockerfile) -> list[str]:
    """The complaints of the first three gates about a codemod's change of a file.

    Args:
        codemod: the rule that was run.
        before: the file before the change.
        after: the file with its fixes applied.
    """
    return [*_parses(before, after), *_contract(codemod, before, after), *_comments(before, after)]


def check_untouched(before: str, after: str, edits: Sequence[Edit]) -> list[str]:
    """Check that the text outside the edits is unchanged (gate 3), without the code that applied the edits."""
    shift, at = 0, 0
    for edit in sorted(edits):
        if before[at : edit.start] != after[at + shift : edit.start + shift]:
            return [f"text before offset {edit.start} changed outside the edits"]
        shift += len(edit.replacement) - (edit.end - edit.start)
        at = edit.end
    return [] if before[at:] == after[at + shift :] else ["text after the last edit changed"]


def _parses(before: Dockerfile, after: Dockerfile) -> list[str]:
    old = Counter(problem.message for problem in before.problems)
    new = Counter(problem.message for problem in after.problems)
    complaints = [f"the result does not parse: {message}" for message in new - old]
    broken = [text for text in _scripts(after) if not parse_shell(text).ok]
    if len(broken) > sum(not parse_shell(text).ok for text in _scripts(before)):
        fresh = [text for text in broken if text not in set(_scripts(before))]
        complaints += [f"the shell text no longer parses: {text[:80]}" for text in fresh[:1]]
    return complaints


def _scripts(dockerfile: Dockerfile) -> list[str]:
    return [text for node in dockerfile.instructions if (text := shell_text(node)) is not None]


def _contract(codemod: Codemod, before: Dockerfile, after: Dockerfile) -> list[str]:
    extra = changed_aspects(before, after) - codemod.effects
    return (
        [f"the change has undeclared effects: {', '.join(sorted(effect.value for effect in extra))}"] if extra else []
    )


def _comments(before: Dockerfile, after: Dockerfile) -> list[str]:
    lost = Counter(comment.text for comment in _all_comments(before)) - Counter(
        comment.text for comment in _all_comments(after)
    )
    complaints = [f"a comment was lost: # {text}" for text in lost]
    if _directives(before) != _directives(after):
        complaints.append("the directives at the top changed")
    return complaints + _separated(before, after)


def _separated(before: Dockerfile, after: Dockerfile) -> list[str]:
    """Pragmas that are no longer above an instruction of their kind, or not above their own if it still exists."""
    old, new = list(_pragmas(before)), list(_pragmas(after))
    kinds = Counter((text, node.name) for text, node in old) - Counter((text, node.name) for text, node in new)
    complaints = [f"a pragma was separated from its {keyword}: # {text}" for text, keyword in kinds]
    if complaints:
        return complaints
    gone = Counter(node.shape.original for node in before.instructions)
    gone -= Counter(node.shape.original for node in after.instructions)
    own = Counter((text, node.shape.original) for text, node in old)
    own -= Counter((text, node.shape.original) for text, node in new)
    return [f"a pragma was separated from its instruction: # {text}" for text, original in own if not gone[original]]


def _all_comments(dockerfile: Dockerfile) -> Iterable[Comment]:
    for node in dockerfile.nodes:
        if isinstance(node, Comment):
            yield node
        elif isinstance(node, Instruction):
            yield from node.comments


def _directives(dockerfile: Dockerfile) -> list[tuple[str, str]]:
    return [(node.name, node.value) for node in dockerfile.nodes if isinstance(node, Directive)]


def _pragmas(dockerfile: Dockerfile) -> Iterable[tuple[str, Instruction]]:
    for node, comments in comments_above(dockerfile):
        for comment in comments:
            if is_pragma(comment):
                yield comment.text, node
