"""Where the package lists are, and which paths, mounts and commands touch that place."""

from __future__ import annotations

import re
from typing import Final

from dockfix.facts.paths import is_below, normal_path
from dockfix.syntax.shell import SimpleCommand
from dockfix.syntax.tree import Mount

LISTS: Final = "/var/lib/apt/lists"
_PATTERN: Final = re.compile(r"[$*?\[]")


def may_hold_lists(mount: Mount) -> bool:
    """Whether the lists, or a part of them, may be in a mount: `rm` would empty a cache, or fail on a busy folder."""
    target = mount.target
    if target is None:
        return False  # secrets and sockets have a place of their own
    if "$" in target:
        return True
    place = normal_path(f"/{target}")
    return is_below(LISTS, place) or is_below(place, LISTS)


def covers_lists(source: str) -> bool:
    """Whether a source in another stage may include the lists."""
    special = _PATTERN.search(source)
    if special is not None:
        return LISTS.startswith(normal_path(f"/{source[: special.start()]}").rstrip("/"))
    place = normal_path(f"/{source}")
    return is_below(LISTS, place) or is_below(place, LISTS)


def names_lists(command: SimpleCommand) -> bool:
    """Whether a command names the lists, other than to remove them if there are any (`rm -f`)."""
    if not any("/var/lib/apt" in word.text for word in command.words):
        return False
    forces = any(
        word.text == "--force" or (word.text[:1] == "-" != word.text[1:2] and "f" in word.text) for word in command.args
    )
    return not (command.basename == "rm" and forces)
