"""The edits that put the stages of an image in front of those of a file that starts from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.edit.text import Edit, apply_edits
from dockfix.project.target import Target
from dockfix.rule.suppression import silences_file
from dockfix.syntax.parser import parse
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.tree import Arg, Comment, Dockerfile, From, Instruction, shell_text
from dockfix_codemods.local_base_image import inline
from dockfix_codemods.local_base_image.inline import Origin
from dockfix_codemods.local_base_image.recipes import recipe_of_build, recipe_of_comment, recipes_of

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage
    from dockfix.project.compose.builds import BuildInvocation
    from dockfix.rule.workspace import Workspace
    from dockfix_codemods.local_base_image.comments import BuildComment

__all__ = ["Inlined", "inlined"]


@dataclass(frozen=True, slots=True)
class Inlined:
    """The edits of a file that put the stages of an image in front of its own.

    `source` is the Dockerfile that they come from, `stage` the name of the one that is the image. `caveats` are ARGs of
    theirs which RUNs of the file find in their environment then, and may read.
    """

    edits: tuple[Edit, ...]
    source: str
    stage: str
    caveats: tuple[str, ...]


def inlined(
    workspace: Workspace,
    own: Target,
    key: str,
    producers: Sequence[BuildInvocation],
    said: Sequence[tuple[Path, BuildComment]],
) -> Inlined | str:
    """Put the stages that make an image into a file that names it; in words why that must not be done.

    The words are empty if it is not known how the file is built, or what makes the image.

    Args:
        workspace: the run.
        own: the file.
        key: the image, as `context_key` gives it.
        makers: the builds that make the image.
        said: the comments that say how it is built, with the real paths of their files.
    """
    ways = [recipe_of_build(own.project, each) for each in producers]
    ways += [recipe_of_comment(own.project, path, comment) for path, comment in said]
    if not ways or not recipes_of(own):
        return ""
    first = ways[0]
    differing = next((each for each in ways[1:] if not each.same_image(first)), None)
    if differing is not None:
        return f"{first.where} and {differing.where} may make different images of it"
    if first.dockerfile is None:
        return f"which Dockerfile {first.where} builds is not known"
    base = workspace.at(first.dockerfile)
    if base is None:
        return f"the Dockerfile of {first.where} cannot be read"
    origin = inline.origin_of(base, first)
    if isinstance(origin, str):
        return origin
    reason = inline.obstacle(own, origin, key) or _unheld(origin)
    if reason:
        return reason
    name = inline.stage_name(own, origin, key)
    edits = _edits(own, origin, key, name)
    if not _reads_the_same(own, origin, edits):
        return f"the end of {base.display} would run on into this file"
    return Inlined(edits, base.display, name, inline.caveats(own, origin, key))


def _unheld(origin: Origin) -> str:
    """What no gate could hold the result to, or what would reach further there than in its own file."""
    dockerfile, name = origin.target.dockerfile, origin.target.display
    for node in origin.instructions:
        text = shell_text(node)
        if text is not None and not parse_shell(text).ok:
            return f"line {node.start_line} of {name} has shell text that is not understood"
    comments = [*dockerfile.nodes, *(each for node in dockerfile.instructions for each in node.comments)]
    found = [each for each in comments if isinstance(each, Comment) and silences_file(each)]
    return f"line {found[0].line} of {name} silences rules for the whole file" if found else ""


def _edits(own: Target, origin: Origin, key: str, name: str) -> tuple[Edit, ...]:
    renamed = [Edit(*each.span, name) for each in inline.references(own, key) if each.span is not None]
    at = max(_place(own.dockerfile), int(own.dockerfile.bom))
    newline = own.dockerfile.newline
    before = [node for node in own.dockerfile.nodes if node.span.start < at]
    gap = newline if before and isinstance(before[-1], Comment | Instruction) else ""
    shown = origin.target.display if origin.target.display.isprintable() else "another Dockerfile"
    head = f"# The stages of {shown}, which make {key}{newline}"
    body = "".join(_copied(own.dockerfile, origin, name))
    return (Edit(at, at, f"{gap}{head}{body}{newline}"), *renamed)


def _place(own: Dockerfile) -> int:
    """Where the stages go: above the first FROM and the comments directly above it, which speak of it.

    A build command in these comments speaks of the whole file, and stays above all.
    """
    first = next(node for node in own.instructions if isinstance(node, From))
    block = own.above(first)
    if first is own.instructions[0]:
        ends = [_end(block, comment) for comment in _build_comments(own)]
        block = block[max([0, *ends]) :]
    return own.positions.start(block[0].line) if block else first.lines.start


def _build_comments(dockerfile: Dockerfile) -> tuple[BuildComment, ...]:
    from dockfix_codemods.local_base_image.comments import build_comments  # noqa: PLC0415 - only fixes ask

    return tuple(build_comments(dockerfile))


def _end(block: Sequence[Comment], command: BuildComment) -> int:
    """How many comments of a block stand above the end of a build command in it; 0 if it stands elsewhere."""
    rest = [comment for comment in block if comment.line >= command.line]
    if not rest or rest[0].line != command.line:
        return 0
    continued = len(list(takewhile(lambda comment: comment.text.rstrip().endswith("\\"), rest)))
    return len(block) - len(rest) + min(continued + 1, len(rest))


def _copied(own: Dockerfile, origin: Origin, name: str) -> list[str]:
    """The lines of the base that stand in the file then, without the header that speaks of the base's file.

    They have the line ends of the file, but for the bodies of heredocs, which are kept to the letter.
    """
    base = origin.target.dockerfile
    text, skipped = base.text, _skipped(own, origin)
    last = origin.stages[-1]
    start = max(_start(base), int(base.bom))
    end = _limit(origin, last)
    raw = {
        base.positions.line(at)
        for node in base.instructions
        for heredoc in node.heredocs
        for at in _line_starts(text, heredoc.body.start, heredoc.body.end)
    }
    image = last.node.image
    word = "as" if last.node.keyword.text.islower() else "AS"
    named = image.span.end if image is not None and last.node.alias is None else -1
    lines: list[str] = []
    for at in _line_starts(text, start, end):
        number = base.positions.line(at)
        stop = text.find("\n", at)
        stop = end if stop < 0 else stop
        line = text[at:stop]
        if at < named <= stop:
            line = f"{text[at:named]} {word} {name}{text[named:stop]}"
        if number not in skipped and (lines or line.strip()):
            lines.append(f"{line}\n" if number in raw else line.rstrip("\r") + own.newline)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _line_starts(text: str, start: int, end: int) -> Iterator[int]:
    while start < end:
        yield start
        found = text.find("\n", start)
        start = found + 1 if found >= 0 else end


def _start(base: Dockerfile) -> int:
    """Where what is copied begins: with the first instruction and the comments directly above it.

    Where these hold a build command they are the header of the file, and only pragmas of the instruction are kept.
    """
    first = base.instructions[0]
    block: Sequence[Comment] = base.above(first)
    if any(_end(block, comment) for comment in _build_comments(base)):
        block = tuple(takewhile(is_pragma, reversed(block)))[::-1]
    return base.positions.start(block[0].line) if block else first.lines.start


def _limit(origin: Origin, last: Stage) -> int:
    """Where it ends: above the next stage and the comments that speak of it."""
    base = origin.target.dockerfile
    following = origin.facts.graph.stages[last.index + 1 :]
    if not following:
        return len(base.text)
    block = base.above(following[0].node)
    return base.positions.start(block[0].line) if block else following[0].node.lines.start


def _skipped(own: Dockerfile, origin: Origin) -> frozenset[int]:
    """The lines of ARGs before the first FROM that the file has already, with the comments above them."""
    has = {pair.key for node in _before_from(own) if isinstance(node, Arg) for pair in node.pairs}
    base, found = origin.target.dockerfile, set[int]()
    for node in origin.globals:
        if isinstance(node, Arg) and all(pair.key in has for pair in node.pairs):
            found |= {comment.line for comment in base.above(node)}
            found |= set(range(node.start_line, node.end_line + 1))
    return frozenset(found)


def _before_from(dockerfile: Dockerfile) -> tuple[Instruction, ...]:
    return tuple(takewhile(lambda node: not isinstance(node, From), dockerfile.instructions))


def _reads_the_same(own: Target, origin: Origin, edits: Sequence[Edit]) -> bool:
    """Whether the instructions of the result are those of both files, one by one, but for what is renamed."""
    result = parse(apply_edits(own.text, edits))
    has, skipped = _before_from(own.dockerfile), _skipped(own.dockerfile, origin)
    brought = [(node, node is origin.stage.node) for node in origin.instructions if node.start_line not in skipped]
    rest = [
        (node, any(node.span.contains(edit.span) for edit in edits)) for node in own.dockerfile.instructions[len(has) :]
    ]
    wanted = [*((node, False) for node in has), *brought, *rest]
    return (
        not result.problems
        and len(wanted) == len(result.instructions)
        and all(
            old.name == new.name and (renamed or _content(old) == _content(new))
            for (old, renamed), new in zip(wanted, result.instructions, strict=True)
        )
    )


def _content(node: Instruction) -> tuple[str, ...]:
    return (node.shape.original, *(heredoc.content for heredoc in node.heredocs))
