"""The users and groups at one point of a build; `replay` computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from dockfix.facts.model import Fact, Known

if TYPE_CHECKING:
    from dockfix.syntax.shell import SimpleCommand


class UserAccount(Struct, frozen=True):
    """An account of /etc/passwd; `created_by` is None if the base image has it."""

    name: str
    uid: Fact[int]
    gid: Fact[int]
    home: Fact[str]
    created_by: SimpleCommand | None = None


class GroupAccount(Struct, frozen=True):
    """A group of /etc/group; `created_by` is None if the base image has it."""

    name: str
    gid: Fact[int]
    created_by: SimpleCommand | None = None


class Gap(Struct, frozen=True):
    """Why there may be accounts that are not listed; `packages` if only packages of the distribution create them."""

    why: str
    packages: bool = False


class Accounts(Struct, frozen=True, eq=False, dict=True):
    """The accounts at one point of a build.

    `taken_ids` are uids and gids that the base image is known to use, of accounts that are not necessarily listed.
    """

    users: Mapping[str, UserAccount]
    groups: Mapping[str, GroupAccount]
    taken_ids: frozenset[int]
    gid_counts: Mapping[int | None, int]
    """How many groups have each GID; None for a GID that is not known."""
    gap_finder: Callable[[], tuple[Gap, ...]]
    gap_kinds: Callable[[], frozenset[bool]]
    """The values that `packages` has in the gaps, without listing them."""

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """Why there may be accounts that are neither listed nor in `taken_ids`; empty if there are none."""
        return tuple(gap.why for gap in self.gap_finder())

    @property
    def complete(self) -> bool:
        """Whether there are certainly no other accounts."""
        return not self.gap_kinds()

    @property
    def complete_but_for_packages(self) -> bool:
        """Whether other accounts can only come from packages of the distribution.

        These use ids below 1000 (Debian policy 9.2.2; Fedora's and Alpine's packages do the same).
        """
        return False not in self.gap_kinds()

    def user(self, name: str) -> UserAccount | None:
        """The account with a name, or with a number: the first one in /etc/passwd."""
        if name in self.users:
            return self.users[name]
        if not (name.isascii() and name.isdigit() and len(name) < 11):
            return None
        return next((account for account in self.users.values() if account.uid == Known(int(name))), None)

    def gid_taken(self, gid: int) -> bool:
        """Whether a group with that id is known to exist."""
        return gid in self.taken_ids or self.gid_counts.get(gid, 0) > 0
