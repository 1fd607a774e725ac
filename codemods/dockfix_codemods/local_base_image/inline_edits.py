"""The edits that inline the stages of an image: they insert them before those of a file that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from dockfix.edit.text import Edit, apply_edits
from dockfix.facts.model import Refused
from dockfix.project.target import Target
from dockfix.syntax.parser import parse
from dockfix.syntax.pragmas import is_pragma
from dockfix.syntax.tree import Arg, Comment, Dockerfile, From, Instruction
from dockfix_codemods.local_base_image.base_build import BaseBuild, args_before_from, base_build, references, stage_name
from dockfix_codemods.local_base_image.build_comments import BuildComment, build_comments
from dockfix_codemods.local_base_image.build_recipes import (
    BuildRecipe,
    recipe_of_build,
    recipe_of_comment,
    recipes_of,
)
from dockfix_codemods.local_base_image.image_uses import ImageUse
from dockfix_codemods.local_base_image.inherited_args import arg_caveats
from dockfix_codemods.local_base_image.inline_blockers import inline_blocker

if TYPE_CHECKING:
    from dockfix.facts.stages import Stage
    from dockfix.rule.workspace import Workspace


class Inlined(Struct, frozen=True):
    """The edits of a file that inline the stages of an image.

    `source` is the Dockerfile that they come from, `stage` the name of the stage that is the image. `caveats` are ARGs
    of these stages that RUNs of the file then find in their environment, and may read.
    """

    edits: tuple[Edit, ...]
    source: str
    stage: str
    caveats: tuple[str, ...]


def may_inline(use: ImageUse) -> bool:
    """Whether it makes sense to speak of inlining: something says how the file is built, or others use the image."""
    return bool(use.others or recipes_of(use.target))


def inline_stages(workspace: Workspace, use: ImageUse) -> Inlined:
    """Inline the stages of an image into a file that names it.

    Raises:
        Refused: inlining would change more, or it is unknown how the image is built.
    """
    own, key = use.target, use.supply.key
    if use.others:
        files = "1 other Dockerfile uses" if use.others == 1 else f"{use.others} other Dockerfiles use"
        raise Refused(f"{files} it too, and copies would drift apart")
    recipe = _only_recipe(use)
    if recipe.dockerfile is None:
        raise Refused(f"the Dockerfile that {recipe.where} builds is unknown")
    source = workspace.at(recipe.dockerfile)
    if source is None:
        raise Refused(f"the Dockerfile of {recipe.where} cannot be read")
    base = base_build(source, recipe)
    blocker = inline_blocker(own, base, key)
    name = stage_name(own, base, key)
    if blocker is not None or name is None:
        raise Refused(blocker or f"no name is free for the stage of {source.display}")
    edits = _edits(own, base, key, name)
    if not _is_lossless(own, base, edits):
        raise Refused(f"the end of {source.display} would continue into this file")
    return Inlined(edits, source.display, name, arg_caveats(own, base, key))


def _only_recipe(use: ImageUse) -> BuildRecipe:
    """The recipe of the image.

    Raises:
        Refused: two builds or comments may build different images.
    """
    project = use.target.project
    recipes = [recipe_of_build(project, each) for each in use.producers]
    recipes += [recipe_of_comment(project, path, comment) for path, comment in use.comments]
    first = recipes[0]
    different = next((each for each in recipes[1:] if not each.same_image(first)), None)
    if different is not None:
        raise Refused(f"{first.where} and {different.where} may build different images")
    return first


def _edits(own: Target, base: BaseBuild, key: str, name: str) -> tuple[Edit, ...]:
    renamed = [Edit(*each.span, name) for each in references(own, key) if each.span is not None]
    at = max(_insertion_point(own.dockerfile), int(own.dockerfile.bom))
    newline = own.dockerfile.newline
    before = [node for node in own.dockerfile.nodes if node.span.start < at]
    gap = newline if before and isinstance(before[-1], Comment | Instruction) else ""
    shown = base.target.display if base.target.display.isprintable() else "another Dockerfile"
    head = f"# The stages of {shown}, which make {key}{newline}"
    body = "".join(_copied_lines(own.dockerfile, base, name))
    return (Edit(at, at, f"{gap}{head}{body}{newline}"), *renamed)


def _insertion_point(own: Dockerfile) -> int:
    """Where the stages are inserted: above the first FROM and the comments directly above it, which are about it.

    A build command in these comments is about the whole file, and stays at the top.
    """
    first = next(node for node in own.instructions if isinstance(node, From))
    block = own.above(first)
    if first is own.instructions[0]:
        ends = [_lines_through(block, comment) for comment in build_comments(own)]
        block = block[max([0, *ends]) :]
    return own.positions.start(block[0].line) if block else first.lines.start


def _lines_through(block: Sequence[Comment], command: BuildComment) -> int:
    """The number of comments of a block down to the end of a build command in it; 0 if the command is elsewhere."""
    rest = [comment for comment in block if comment.line >= command.line]
    if not rest or rest[0].line != command.line:
        return 0
    continued = len(list(takewhile(lambda comment: comment.text.rstrip().endswith("\\"), rest)))
    return len(block) - len(rest) + min(continued + 1, len(rest))


def _copied_lines(own: Dockerfile, base: BaseBuild, name: str) -> list[str]:
    """The lines of the base that are inserted, without the header comment about the base's file.

    They get the line ends of the file, except for the bodies of heredocs, which stay as they are.
    """
    source = base.target.dockerfile
    text, skipped = source.text, _repeated_args(own, base)
    last = base.stages[-1]
    start = max(_copy_start(source), int(source.bom))
    end = _copy_end(base, last)
    raw = {
        source.positions.line(at)
        for node in source.instructions
        for heredoc in node.heredocs
        for at in _line_starts(text, heredoc.body.start, heredoc.body.end)
    }
    image = last.node.image
    word = "as" if last.node.keyword.text.islower() else "AS"
    named = image.span.end if image is not None and last.node.alias is None else -1
    lines: list[str] = []
    for at in _line_starts(text, start, end):
        number = source.positions.line(at)
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


def _copy_start(source: Dockerfile) -> int:
    """Where the copied text begins: with the first instruction and the comments directly above it.

    If these contain a build command they are the header of the file, and only the instruction's pragmas are copied.
    """
    first = source.instructions[0]
    block: Sequence[Comment] = source.above(first)
    if any(_lines_through(block, comment) for comment in build_comments(source)):
        block = tuple(takewhile(is_pragma, reversed(block)))[::-1]
    return source.positions.start(block[0].line) if block else first.lines.start


def _copy_end(base: BaseBuild, last: Stage) -> int:
    """Where the copied text ends: above the next stage and its comments."""
    source = base.target.dockerfile
    following = base.facts.graph.stages[last.index + 1 :]
    if not following:
        return len(source.text)
    block = source.above(following[0].node)
    return source.positions.start(block[0].line) if block else following[0].node.lines.start


def _repeated_args(own: Dockerfile, base: BaseBuild) -> frozenset[int]:
    """The lines of ARGs before the first FROM that the file already has, with the comments above them."""
    has = {pair.key for node in args_before_from(own) if isinstance(node, Arg) for pair in node.pairs}
    source, found = base.target.dockerfile, set[int]()
    for node in base.globals:
        if isinstance(node, Arg) and all(pair.key in has for pair in node.pairs):
            found |= {comment.line for comment in source.above(node)}
            found |= set(range(node.start_line, node.end_line + 1))
    return frozenset(found)


def _is_lossless(own: Target, base: BaseBuild, edits: Sequence[Edit]) -> bool:
    """Whether the instructions of the result are those of both files, one by one, apart from the renamed stage."""
    result = parse(apply_edits(own.text, edits))
    has, skipped = args_before_from(own.dockerfile), _repeated_args(own.dockerfile, base)
    inserted = [(node, node is base.stage.node) for node in base.instructions if node.start_line not in skipped]
    rest = [
        (node, any(node.span.contains(edit.span) for edit in edits)) for node in own.dockerfile.instructions[len(has) :]
    ]
    wanted = [*((node, False) for node in has), *inserted, *rest]
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
