"""The parts that a fix of a cache mount consists of: enabling a cache, removing what empties it, combining both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.edit import dockerfile as editing
from dockfix.facts.model import Refused
from dockfix.facts.mounts import Caches, ToolCache
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Edit, Fix, Safety, Severity
from dockfix.syntax.shell import Word
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Dockerfile
from dockfix_codemods.cache_mount import analysis
from dockfix_codemods.cache_mount.analysis import Cleaning

DOCKER_CLEAN: Final = "/etc/apt/apt.conf.d/docker-clean"
"""The file by which Debian's and Ubuntu's images tell apt to delete what it downloads (debuerreotype)."""

_PROGRAMS: Final = {"apt": "apt-get", "maven": "mvn"}


class Part(Struct, frozen=True):
    """A part of a fix: its edits, what they do (`help`, in the imperative), and what to review."""

    edits: tuple[Edit, ...] = ()
    help: tuple[str, ...] = ()
    caveats: tuple[str | None, ...] = ()


def make_fix(at: Span, message: str, parts: Iterable[Part], severity: Severity | None = None) -> Fix:
    """A fix that consists of parts; unsafe if one of them has something to review."""
    parts = tuple(parts)
    edits = dict.fromkeys(edit for part in parts for edit in part.edits)
    help_ = dict.fromkeys(each for part in parts for each in part.help)
    review = "; ".join(dict.fromkeys(each for part in parts for each in part.caveats if each))
    safety = Safety.UNSAFE if review else Safety.SAFE
    return Fix(at, message, tuple(edits), safety, listed(tuple(help_)), review, severity)


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(each for each in (", ".join(items[:-1]), items[-1]) if each)


def program(tool: ToolCache) -> str:
    """The name by which a reader knows a tool's command, in backticks."""
    return f"`{_PROGRAMS.get(tool.package.manager, tool.package.manager)}`"


def tool_span(caches: Caches, tool: ToolCache) -> Span:
    """The command of a tool, from its executable to its subcommand."""
    last = tool.package.subcommand or tool.package.executable
    return caches.commands.text.span(tool.package.executable.start, last.end)


def enable(dockerfile: Dockerfile, caches: Caches, tool: ToolCache, path: str) -> Part:
    """Make a tool use its cache although options or variables disable it.

    Raises:
        Refused: words of the command cannot do that.
    """
    commands, package = caches.commands, tool.package
    disablers = [each for each in tool.use.disabled_by if each.kind in ("option", "env")]
    variables = [each for each in disablers if each.kind == "env"]
    options = [each for each in package.options if each.name in {d.name for d in disablers if d.kind == "option"}]
    joined = next((each for each in options if each.shares_word or len(each.words) != 1), None)
    if joined is not None:
        raise Refused(f"`{joined.name}` disables the cache and is not a word of its own")
    force = package.manager == "pip" and (tool.likely or bool(variables))
    if variables and not force:
        raise Refused(f"`{variables[0].name}` disables the cache")
    edits: list[Edit] = []
    help_: list[str] = []
    option_to_add = f"--cache-dir {path}" if force and disablers else ""
    for option in options:
        word = option.words[0]
        if option_to_add:
            edits.append(editing.replace(commands.span(word), option_to_add))
            help_.append(f"replace `{word.text}` with `{option_to_add}`")
            option_to_add = ""
        else:
            edits += editing.delete_words(dockerfile, caches.run, commands.text, word.start, word.end)
            help_.append(f"remove `{word.text}`")
    if option_to_add:
        if package.subcommand is None:
            raise Refused(f"`{disablers[0].name}` disables the cache")
        edits.append(editing.insert_text_after(commands.text, package.subcommand.end, f" {option_to_add}"))
        help_.append(f"add `{option_to_add}`")
    return Part(tuple(edits), tuple(help_))


def enable_all(dockerfile: Dockerfile, caches: Caches, path: str) -> Part:
    """Make every command of a RUN that has its cache in a directory use it.

    Raises:
        Refused: words of a command cannot do that.
    """
    parts = [
        enable(dockerfile, caches, tool, path)
        for tool in caches.tools
        if tool.known and any(each.path == path for each in tool.use.dirs)
    ]
    return Part(
        tuple(edit for part in parts for edit in part.edits), tuple(each for part in parts for each in part.help)
    )


def remove_cleanups(dockerfile: Dockerfile, caches: Caches, paths: Sequence[str], *, adding: bool = True) -> Part:
    """Remove the commands, or words of commands, that empty the mounts at these paths.

    Args:
        dockerfile: the file.
        caches: the caches of its RUN.
        paths: where the mounts are.
        adding: the mounts are not there yet; then no command may remove a directory above them either.

    Raises:
        Refused: a command cannot be removed.
    """
    cleaning = analysis.cleaning(caches, paths, adding=adding)
    edits: list[Edit] = []
    caveats = [each.caveat for each in cleaning if each.caveat is not None]
    for group in analysis.adjacent_groups(cleaning):
        try:
            edits += _remove_group(dockerfile, caches, group)
        except Refused:
            consequence = "would fail on the mount or empty it, and " if adding else ""
            reason = f"{group[0].described} {consequence}cannot be removed from its command list"
            raise Refused(reason) from None
        if analysis.hides_failure(caches, group):
            caveats.append(f"check that no command before {group[0].described} fails: the build would then fail, too")
    return Part(tuple(edits), tuple(_removal(each) for each in cleaning), tuple(caveats))


def _removal(cleaning: Cleaning) -> str:
    """What the removal of a clean-up does, in the imperative."""
    words = " ".join(f"`{word.text}`" for word in cleaning.words)
    return f"remove {words} from `{cleaning.step.command.name}`" if words else f"remove {cleaning.described}"


def _remove_group(dockerfile: Dockerfile, caches: Caches, group: Sequence[Cleaning]) -> tuple[Edit, ...]:
    """Remove adjacent clean-up commands, or the words of one.

    Raises:
        Refused: the list around them does not allow it.
    """
    text = caches.commands.text
    if group[0].words:
        rows = _adjacent_words(group[0])
        return tuple(
            edit
            for first, last in rows
            for edit in editing.delete_words(dockerfile, caches.run, text, first.start, last.end)
        )
    if not all(analysis.removable(each.step) for each in group):
        raise Refused("it does not always run, or its status or output is used")
    return editing.delete_commands(dockerfile, caches.run, text, group[0].step.command, group[-1].step.command)


def _adjacent_words(cleaning: Cleaning) -> Iterator[tuple[Word, Word]]:
    """The first and the last of each row of words that follow one another in their command."""
    row: list[Word] = []
    for word in (*cleaning.step.command.words, None):
        if word is not None and word in cleaning.words:
            row.append(word)
        elif row:
            yield row[0], row[-1]
            row = []


def docker_clean_caveat(target: Target, stage: Stage) -> str:
    """What to review if a stage loses docker-clean: its containers, or only its later steps and stages based on it."""
    graph = target.facts.graph
    built = (graph.by_name(build.target) for build in target.builds if build.target)
    if graph.in_image(stage) or any(graph.in_image(stage, each) for each in built if each is not None):
        return "the image loses `docker-clean`: `apt` in its containers keeps the packages it downloads"
    name = f"the stage `{stage.name}`" if stage.name else f"stage {stage.index}"
    return f"{name} loses `docker-clean`: `apt` in later steps keeps the packages it downloads"


def remove_docker_clean(target: Target, caches: Caches) -> Part:
    """Remove docker-clean as the first command of a RUN."""
    script = caches.commands.script
    if script is None:
        return Part()
    edit = editing.insert_first(target.dockerfile, caches.run, caches.commands.text, script, f"rm -f {DOCKER_CLEAN}")
    return Part((edit,), (f"remove `{DOCKER_CLEAN}`",), (docker_clean_caveat(target, caches.stage),))
