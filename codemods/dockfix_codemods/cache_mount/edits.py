"""Edits that make a cache mount work: what switches the cache off goes, and what empties the mount."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.mounts import Caches, ToolCache
from dockfix.rule import Edit
from dockfix.syntax.shell import Word
from dockfix.syntax.tree import Dockerfile
from dockfix_codemods.cache_mount.analysis import Cleaning, neighbours, removable

DOCKER_CLEAN: Final = "/etc/apt/apt.conf.d/docker-clean"
"""The file by which Debian's and Ubuntu's images tell apt to delete what it downloads (debuerreotype)."""


def enable(dockerfile: Dockerfile, caches: Caches, tool: ToolCache, path: str) -> tuple[Edit, ...] | None:
    """What makes a tool use its cache in spite of what defeats it; None if words of the command cannot."""
    commands, package = caches.commands, tool.package
    disablers = [each for each in tool.use.disabled_by if each.kind in ("option", "env")]
    options = [each for each in package.options if each.name in {d.name for d in disablers if d.kind == "option"}]
    if any(option.shares_word or len(option.words) != 1 for option in options):
        return None
    insist = package.manager == "pip" and (tool.likely or any(each.kind == "env" for each in disablers))
    if not insist and [each for each in disablers if each.kind == "env"]:
        return None
    edits: list[Edit] = []
    given = f"--cache-dir {path}"
    for option in options:
        word = option.words[0]
        if insist and given:
            edits.append(surgery.replace(commands.span(word), given))
            given = ""
        else:
            edits += surgery.delete_words(dockerfile, caches.run, commands.text, word.start, word.end)
    if insist and given and disablers:
        if package.subcommand is None:
            return None
        edits.append(surgery.insert_text_after(commands.text, package.subcommand.end, f" {given}"))
    return tuple(edits)


def enable_all(dockerfile: Dockerfile, caches: Caches, path: str) -> tuple[Edit, ...] | None:
    """What makes every command of a RUN that keeps its cache in a directory do so; None if words cannot."""
    edits: list[Edit] = []
    for tool in caches.tools:
        if tool.known and any(each.path == path for each in tool.use.dirs):
            more = enable(dockerfile, caches, tool, path)
            if more is None:
                return None
            edits += more
    return tuple(edits)


def drop(dockerfile: Dockerfile, caches: Caches, cleaning: Sequence[Cleaning]) -> tuple[Edit, ...] | None:
    """Take clean-ups away: neighbouring commands at once, else words of a command."""
    edits: list[Edit] = []
    for group in neighbours(cleaning):
        if group[0].words:
            for first_word, last_word in _side_by_side(group[0]):
                edits += surgery.delete_words(
                    dockerfile, caches.run, caches.commands.text, first_word.start, last_word.end
                )
            continue
        if not all(removable(each.step) for each in group):
            return None
        first, last = group[0].step.command, group[-1].step.command
        deleted = surgery.delete_commands(dockerfile, caches.run, caches.commands.text, first, last)
        if deleted is None:
            return None
        edits += deleted
    return tuple(edits)


def _side_by_side(cleaning: Cleaning) -> Iterator[tuple[Word, Word]]:
    """The first and the last of each row of words that follow one another in their command."""
    row: list[Word] = []
    for word in (*cleaning.step.command.words, None):
        if word is not None and word in cleaning.words:
            row.append(word)
        elif row:
            yield row[0], row[-1]
            row = []


def drop_docker_clean(dockerfile: Dockerfile, caches: Caches) -> tuple[Edit, ...]:
    """Remove docker-clean as the first command of a RUN."""
    script = caches.commands.script
    if script is None:
        return ()
    command = f"rm -f {DOCKER_CLEAN}"
    return (surgery.insert_first(dockerfile, caches.run, caches.commands.text, script, command),)
