"""Whether the stages that build an image can be inlined into a Dockerfile that uses it, with nothing else changed.

All stages of a file share stage names, stage numbers and the ARGs before the first FROM; a build has one context, one
set of arguments and one frontend; and a stage that is FROM another stage inherits its ARGs. USER, WORKDIR, SHELL, ENV,
metadata and ONBUILD are the same, whether they come from a stage or from an image.

Source: moby/buildkit `frontend/dockerfile/dockerfile2llb/convert.go` (`dispatchState.init`, `addState`, `toCommand`,
`resolveStages` for ONBUILD, `dispatchStages`, `dispatchArg`, `buildMetaArgs`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dockfix.facts.frontend import frontend_is
from dockfix.facts.images import PREDEFINED_ARGS
from dockfix.facts.model import Known
from dockfix.facts.stages import context_key, stage_number
from dockfix.facts.variables import names_mentioned
from dockfix.project.ignore import read_ignore
from dockfix.project.target import Target
from dockfix.project.wiring import shown_folder
from dockfix.rule.suppression import suppresses_file
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.tree import Arg, Comment, Dockerfile, From, Onbuild, shell_text
from dockfix_codemods.local_base_image.base_build import (
    BaseBuild,
    args_before_from,
    images_named_by,
    references,
    sources_of,
    stage_name,
)
from dockfix_codemods.local_base_image.build_comments import build_comments
from dockfix_codemods.local_base_image.build_recipes import BuildRecipe, recipes_of
from dockfix_codemods.local_base_image.inherited_args import arg_blocker, defaults

MAX_LINES: Final = 60
"""A Dockerfile with more lines is better kept in its own file than copied."""

_PLAIN_FLAGS: Final = frozenset(("from", "chown", "platform"))
"""Flags that every docker/dockerfile since 1.0 knows."""
_NEWEST: Final = ("", "1", "latest", "labs", "1-labs")
"""Tags of docker/dockerfile that follow its newest version."""
_MAY_BE_ADDED: Final = frozenset(("labels", "secret", "ssh"))
"""Options that a build may have in addition to the base's: they only affect steps that ask for them, or the result."""


def inline_blocker(own: Target, base: BaseBuild, key: str) -> str | None:
    """Why the stages of an image cannot be inlined into a file that names it; None if they can.

    Args:
        own: the file that names the image.
        base: how the image is built.
        key: the image, as `context_key` returns it.
    """
    return next(_blockers(own, base, key), None)


def _blockers(own: Target, base: BaseBuild, key: str) -> Iterator[str]:
    lines = base.target.text.count("\n") + (not base.target.text.endswith("\n"))
    if lines > MAX_LINES:
        yield f"{base.target.display} has {lines} lines; more than {MAX_LINES} are better kept in a file of their own"
    if base.target.real == own.real:
        yield f"it is the stage `{base.stage.name or base.stage.index}` of this file, which FROM can name directly"
    unread = (*own.unread, *base.target.unread)
    if unread:
        yield f"{unread[0]} cannot be read and may build them in other ways"
    yield from _cycles(own, base)
    for recipe in recipes_of(own):
        yield from _build_differences(own, recipe, base)
    yield from _frontend_differences(own.dockerfile, base)
    yield from _base_blockers(base)
    yield from _reference_blockers(own, key)
    yield from _name_conflicts(own, base, key)
    yield from _global_arg_conflicts(own.dockerfile, base)
    blocker = arg_blocker(own, base, key)
    if blocker is not None:
        yield blocker
    yield from _unverifiable(base)


def _cycles(own: Target, base: BaseBuild) -> Iterator[str]:
    """The images of the file itself that the base uses."""
    built = {context_key(tag) for build in own.builds for tag in build.tags}
    built |= {context_key(tag) for comment in build_comments(own.dockerfile) for tag in comment.tags}
    for name in sorted(name for stage in base.stages for name in images_named_by(stage) if context_key(name) in built):
        yield f"{base.target.display} uses {name}, which this file builds"


# the builds


def _build_differences(own: Target, recipe: BuildRecipe, base: BaseBuild) -> Iterator[str]:
    """What a build of the file does not have in common with the build of the base."""
    other = base.recipe
    differ = f"{other.where} and {recipe.where} may differ in"
    if base.uses_context:
        yield from _context_differences(own, recipe, base)
    declared = {pair.key for node in base.instructions if isinstance(node, Arg) for pair in node.pairs}
    for name in sorted({*other.args, *recipe.args}):
        if (name in declared or _is_special(name)) and not recipe.same_arg(other, name):
            yield f"{differ} the build argument `{name}`"
    for name in sorted({*other.options, *recipe.options}):
        one, two = other.options.get(name), recipe.options.get(name)
        allowed = name in _MAY_BE_ADDED and name not in other.options
        if not allowed and (one is None or one != two):
            yield f"{differ} `{name}`"
    for name in _context_names(base, recipe):
        if not recipe.same_context(other, name):
            yield f"{differ} the named context `{name}`"


def _context_differences(own: Target, recipe: BuildRecipe, base: BaseBuild) -> Iterator[str]:
    project, other = own.project, base.recipe
    if other.context is None or recipe.context is None:
        yield f"{base.target.display} uses files of its build context, and that of {recipe.where} is unknown"
        return
    if other.context != recipe.context:
        one, two = (shown_folder(project, each) for each in (other.context, recipe.context))
        yield f"{base.target.display} uses files of the context {one}, but {recipe.where} builds this file in {two}"
    rules = [read_ignore(other.context, path, project.files) for path in (base.target.real, own.real)]
    if rules[0].patterns != rules[1].patterns:
        one, two = (shown_folder(project, Path(each.path)) if each.path else "no ignore file" for each in rules)
        yield f"{one} filters the context of {base.target.display}, but {two} that of this file"


def _is_special(name: str) -> bool:
    """Whether a build argument has an effect without an ARG (docs.docker.com/reference/dockerfile)."""
    return name in PREDEFINED_ARGS or name.startswith("BUILDKIT_") or name == "SOURCE_DATE_EPOCH"


def _context_names(base: BaseBuild, recipe: BuildRecipe) -> list[str]:
    """The names under which the base's build could get a named context."""
    if not all(isinstance(stage.image, Known) for stage in base.stages):
        return sorted({*base.recipe.contexts, *recipe.contexts})
    names = (name for stage in base.stages for name in (*images_named_by(stage), stage.name))
    return sorted({context_key(name) for name in names if name})


# the files


def _frontend_differences(own: Dockerfile, base: BaseBuild) -> Iterator[str]:
    other, name = base.target.dockerfile, base.target.display
    if other.escape != own.escape:
        yield f"{name} has the escape character {other.escape}, but this file has {own.escape}"
    one, two = (each.directives["syntax"].value if "syntax" in each.directives else "" for each in (other, own))
    # a current frontend supports all that BuildKit's own does; an old one only the oldest flags
    plain = all(not node.heredocs and {flag.name for flag in node.flags} <= _PLAIN_FLAGS for node in base.instructions)
    if one != two and (one or not (frontend_is(two, 1, 0) and (plain or two.partition(":")[2] in _NEWEST))):
        yield f"{name} has {_directive('syntax', one)}, but this file has {_directive('syntax', two)}"
    one, two = (each.directives["check"].value if "check" in each.directives else "" for each in (other, own))
    if one not in ("", two):
        yield f"{name} has {_directive('check', one)}, but this file has {_directive('check', two)}"
    if "error=true" in two.lower().replace(" ", ""):
        yield "`# check=error=true` of this file would also apply to the inlined stages"


def _directive(name: str, value: str) -> str:
    return f"`# {name}={value}`" if value else f"no `# {name}=`"


def _base_blockers(base: BaseBuild) -> Iterator[str]:
    """What makes the stages of a file unfit to be part of another file."""
    name, graph = base.target.display, base.facts.graph
    for stage in graph.chain(base.stage):
        if stage.node.flag("platform") is not None:
            yield f"line {stage.node.start_line} of {name} sets a platform, which later stages would inherit"
    for node in base.instructions:
        if "TARGETSTAGE" in names_mentioned(node):
            yield f"line {node.start_line} of {name} reads `TARGETSTAGE`, the name of the stage that is built"
    for node in base.stage.instructions:
        if isinstance(node, Onbuild) and any(stage_number(each) is not None for each in sources_of(node)):
            yield f"line {node.start_line} of {name} refers by number to a stage of the file that starts from it"
    if len(base.names) != sum(stage.name is not None for stage in base.stages):
        yield f"{name} has two stages with the same name"


def _reference_blockers(own: Target, key: str) -> Iterator[str]:
    """The places that name the image, but cannot name a stage instead."""
    for each in references(own, key):
        node = each.instruction
        if isinstance(node, From) and node.image is not None and "$" in node.image.text:
            yield f"line {node.start_line} takes the name from a variable, so a build can use another image"
        if each.span is None:
            yield f"line {node.start_line} does not write the name in one piece"
        if isinstance(node, From) and node.flag("platform") is not None:
            yield f"line {node.start_line} sets a platform, but a stage has the platform that it is built for"


def _name_conflicts(own: Target, base: BaseBuild, key: str) -> Iterator[str]:
    name, graph = base.target.display, own.facts.graph
    stages = {stage.name: stage.node for stage in graph.stages if stage.name is not None}
    for each in sorted(base.names & stages.keys()):
        yield f"both files have a stage `{each}` (line {stages[each].start_line})"
    for stage in graph.stages:
        if not isinstance(stage.image, Known):
            yield f"line {stage.node.start_line} starts from an unknown image, which may be one of the stages"
        for each in images_named_by(stage):
            if each.lower() in base.names and context_key(each) != key and graph.by_name(each) is None:
                yield f"the image `{each}` would become the stage `{each.lower()}` of {name}"
        for node in stage.instructions:
            if any(stage_number(each) is not None for each in sources_of(node)):
                yield f"line {node.start_line} refers to a stage by its number, which would change"
    for stage in base.stages:
        for node in stage.instructions:
            for each in sources_of(node):
                if each.lower() in stages and each.lower() not in base.names:
                    yield f"the image `{each}` in line {node.start_line} of {name} would become a stage of this file"
    if stage_name(own, base, key) is None:
        yield f"the stage of {name} has no name, and the names derived from the image are already used"


def _global_arg_conflicts(own: Dockerfile, base: BaseBuild) -> Iterator[str]:
    """The ARGs before the first FROM that cannot be in one file."""
    name = base.target.display
    one, two = defaults(base.globals), defaults(args_before_from(own))
    for each in sorted(one.keys() & two.keys()):
        if one[each] != two[each]:
            yield f"`ARG {each}` before the first FROM has another default in {name}"
    ours = {each for node in own.instructions if isinstance(node, From | Arg) for each in names_mentioned(node)}
    theirs = {each for node in base.instructions if isinstance(node, From | Arg) for each in names_mentioned(node)}
    for each in sorted(one.keys() - two.keys()):
        if each in ours:
            yield f"`ARG {each}` before the first FROM of {name} would set `{each}` in this file"
    for each in sorted(two.keys() - one.keys()):
        if each in theirs:
            yield f"`ARG {each}` before the first FROM of this file would set `{each}` in {name}"


def _unverifiable(base: BaseBuild) -> Iterator[str]:
    """What no gate could check in the result, or what would apply to more lines there than in its own file."""
    dockerfile, name = base.target.dockerfile, base.target.display
    for node in base.instructions:
        text = shell_text(node)
        if text is not None and not parse_shell(text).ok:
            yield f"line {node.start_line} of {name} has shell text that cannot be parsed"
    for each in (*dockerfile.nodes, *(comment for node in dockerfile.instructions for comment in node.comments)):
        if isinstance(each, Comment) and suppresses_file(each):
            yield f"line {each.line} of {name} silences rules for the whole file"
