"""The cache of a package manager's command, and the environment that decides where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from dockfix.facts.images import BaseImage
from dockfix.facts.model import Fact, Known, Refused, Unknown
from dockfix.facts.packages import Option, PackageCommand
from dockfix.facts.paths import normal_path

Environment: TypeAlias = Callable[[str], Fact[str] | None]


class CacheDir(Struct, frozen=True):
    """A directory for a cache mount; `sharing` is the mount's (locked: the tool cannot share it).

    `whole` is a folder above it that belongs to the tool alone and contains only caches, None if there is none.
    `also_written` is a folder above it and what else the tool writes there.
    """

    path: str
    sharing: str = "shared"
    whole: str | None = None
    also_written: tuple[str, str] | None = None


class CacheDisabler(Struct, frozen=True):
    """Something that keeps the cache empty: an option, an ENV variable, a file of the image or a setting of the
    tool."""

    kind: Literal["option", "env", "file", "setting"]
    name: str
    option: Option | None = None


class CacheUse(Struct, frozen=True):
    """The cache of one command: its directories, what disables it, and why it is not known, if so.

    With `unknown` set, `dirs` is at most the likely place. No directories and nothing unknown: the command keeps no
    cache.
    """

    dirs: tuple[CacheDir, ...] = ()
    disabled_by: tuple[CacheDisabler, ...] = ()
    unknown: str | None = None


class CacheQuery(Struct, frozen=True):
    """What the rules of the managers may use: the command, its environment, its home and its image."""

    cmd: PackageCommand
    env: Environment
    home_fact: Fact[str]
    base: BaseImage | None
    user_is_root: Fact[bool]

    def var(self, *names: str) -> str:
        """The first of these variables that is set and not empty, "" if none is."""
        own = self.cmd.assignments()
        for name in names:
            if name in own:
                value = own[name]
                if value is None:
                    raise Refused(f"the command sets {name} to something unknown")
                if value:
                    return value
                continue
            fact = self.env(name)
            if fact is None:
                continue
            if self.cmd.user_changed and any(word.text.endswith("sudo") for word in self.cmd.wrappers):
                # sudo(8): the environment is reset, unless -E or sudoers says otherwise.
                raise Refused(f"sudo may or may not pass {name} on")
            if not isinstance(fact, Known):
                raise Refused(f"{name} is not known")
            if fact.value:
                return fact.value
        return ""

    def home(self) -> str:
        if self.cmd.user_changed:
            raise Refused("another user runs the command, whose home is not known")
        if not isinstance(self.home_fact, Known):
            why = self.home_fact.why if isinstance(self.home_fact, Unknown) else "it is one of several"
            raise Refused(f"the home directory is not known: {why}")
        return self.home_fact.value.rstrip("/")

    def password_home(self) -> str:
        """The home in the password file, which is Java's user.home whatever HOME says."""
        if isinstance(self.user_is_root, Known) and self.user_is_root.value and not self.cmd.user_changed:
            home = self.base.home if self.base and self.base.home and self.base.user == Known("root") else "/root"
            if home != "/":  # not `scratch`, whose programs were copied there, perhaps with an /etc/passwd
                return home
        return self.home()

    def under_xdg(self, variable: str, otherwise: str, name: str, *, relative: bool = False) -> str:
        """`$VARIABLE/name`, or a folder below the home; `relative`: a relative value is ignored rather than
        followed."""
        base = self.var(variable)
        if base and not base.startswith("/"):
            if not relative:
                raise Refused(f"{variable} is a relative path")
            base = ""
        return f"{base.rstrip('/')}/{name}" if base else f"{self.home()}/{otherwise}/{name}"


def absolute(text: str | None, name: str) -> str:
    if text is None:
        raise Refused(f"the value of {name} is not literal")
    if not text.startswith("/"):
        raise Refused(f"{name} is a relative path")
    return normal_path(text)
