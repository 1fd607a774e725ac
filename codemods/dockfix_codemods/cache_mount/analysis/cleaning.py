"""Commands that empty cache directories, and whether they can be removed from their list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.caches import serves
from dockfix.facts.mounts import STORE_MANAGERS, Caches, ToolCache
from dockfix.syntax.shell import Context, Word

if TYPE_CHECKING:
    from dockfix.facts.commands import Step


def removable(step: Step) -> bool:
    """Whether a command can be removed from its list: it always runs, and nothing depends on its status."""
    command = step.command
    before = command.before.text.strip() if command.before else ""
    after = command.after.text.strip() if command.after else ""
    return (
        step.depth == 0
        and not command.context & ~Context.GROUP
        and before in ("", "&&", ";")
        and after in ("", "&&", ";")
        and not command.redirects
    )


def hides_failure(caches: Caches, group: Sequence[Cleaning]) -> bool:
    """Whether a RUN may succeed only because these adjacent clean-ups run after a command that has failed.

    After `;` or a line end a command runs whatever the status of the previous one, and its own status becomes that of
    the list (POSIX, 2.9.3 Lists). `set -e` ends the script before that, but not for a command before `&&` (2.14, set),
    and without the clean-up the failed command is the last of its list.
    """
    if group[0].words:
        return False
    first, last = group[0].step.command, group[-1].step.command
    operator = first.before.text.strip() if first.before else None
    commands = [step.command for step in caches.commands.steps if step.depth == 0]
    following = [command for command in commands if command.start >= last.end]
    by_shell = any(re.match(r"-[a-z]*e", word) for word in (caches.commands.shell or ())[1:])
    sets = any(command.basename == "set" for command in commands)
    if operator == "&&":
        joined = last.after is not None and last.after.text.strip() == "&&"
        may_exit = by_shell or sets or any(step.opaque for step in caches.commands.steps)
        return may_exit and bool(following) and not joined
    errexit = first.errexit or (by_shell and not sets)
    previous = [command for command in commands if command.end <= first.start]
    if errexit and previous and not previous[-1].context and previous[-1].after == first.before:
        before = previous[-1].before
        if before is None or before.text.strip() in ("", ";"):
            return False
    text = caches.commands.text.text
    ends = not following or following[0].basename in ("exit", "return")
    return operator is None or ends or bool(first.context) or "$?" in text


class Cleaning(Struct, frozen=True):
    """A command that empties or removes cache directories, or, with `words`, only its operands that do."""

    step: Step
    described: str
    words: tuple[Word, ...] = ()
    caveat: str | None = None


_CLEANERS: Final[Mapping[str, frozenset[tuple[str, ...]]]] = MappingProxyType(
    {
        # From the managers' own documentation of these commands.
        "apt": frozenset({("clean",), ("distclean",), ("dist-clean",)}),
        "pip": frozenset({("cache", "purge")}),
        "uv": frozenset({("cache", "clean")}),
        "npm": frozenset({("cache", "clean")}),
        "yarn": frozenset({("cache", "clean")}),
        # Nothing outside a mount links to its files, so pnpm, which counts the links, removes all of them.
        "pnpm": frozenset({("store", "prune")}),
        "poetry": frozenset({("cache", "clear")}),
        "pdm": frozenset({("cache", "clear")}),
        "composer": frozenset({("clear-cache",), ("clearcache",), ("cc",)}),
        **dict.fromkeys(("dnf", "yum", "microdnf"), frozenset({("clean",)})),
    }
)


def cleaning(caches: Caches, paths: Sequence[str], *, adding: bool = False) -> list[Cleaning]:
    """The commands that empty these mounted directories after another command has filled them, in order.

    `adding`: the directories are about to be mounted; a folder above them may not be removed either (the mount is
    busy).
    """
    users = [tool for tool in caches.tools if any(serves(path, d.path) for path in paths for d in tool.use.dirs)]
    if not users:
        return []
    first = min(tool.step.command.start for tool in users)
    found = []
    for step in caches.commands.steps:
        if step.command.start > first and (cleans := _cleaning(caches, step, paths, users, adding)) is not None:
            found.append(cleans)
    return found


def _cleaning(
    caches: Caches, step: Step, paths: Sequence[str], users: Sequence[ToolCache], adding: bool
) -> Cleaning | None:
    package, command = step.package, step.command
    if package is not None:
        if package.verb not in _CLEANERS.get(package.manager, ()):
            return None
        own = [d.path for t in users if t.package.manager == package.manager for d in t.use.dirs]
        own = [path for path in own if not path.startswith("/var/lib/apt")]
        served = any(serves(path, directory) for path in paths for directory in own)
        return Cleaning(step, f"`{package.executable.text} {' '.join(package.verb)}`") if served else None
    if command.name != "rm":
        return None
    operands = [word for word in command.args if not word.text.startswith("-")]
    stores = [d.path for tool in users if tool.package.manager in STORE_MANAGERS for d in tool.use.dirs]
    gone, above = [], []
    for word in operands:
        path = caches.path(word.value if word.value is not None else word.text)
        if path is None:
            continue
        if any(
            path == mounted or (serves(mounted, path) and not any(serves(mounted, store) for store in stores))
            for mounted in paths
        ):
            gone.append(word)
        elif adding and any(serves(path, mounted) for mounted in paths):
            above.append(word)
    words = tuple(word for word in operands if word in gone or word in above)
    if not words:
        return None
    caveat = f"check what else `rm {above[0].text}` removes: it would stay in the image" if above else None
    options = [word.text for word in command.args if word.text.startswith("-")]
    described = f"`{' '.join(['rm', *options, words[0].text])}`"
    return Cleaning(step, described, () if len(words) == len(operands) else words, caveat)


def adjacent_groups(found: Sequence[Cleaning]) -> list[list[Cleaning]]:
    """Clean-ups in groups: adjacent whole commands together, and each command with only some operands alone."""
    groups: list[list[Cleaning]] = []
    for each in found:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and not last.words
            and not each.words
            and last.step.command.after is not None
            and last.step.command.after == each.step.command.before
        ):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups
