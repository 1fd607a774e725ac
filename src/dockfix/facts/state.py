"""What is in effect at one instruction: variables, user, shell, working directory, home.

BuildKit keeps one environment for the steps of a stage, to which both ENV and ARG write, so the later of the two wins;
the ENV of the image is separate. A stage based on another starts with both, ENV before ARG (moby/buildkit
`dockerfile2llb/convert.go`: `dispatchEnv`, `dispatchArg`, `dispatchState.init`, `dispatchStages`).

An ARG that no known build passes has its default; a value that depends on one lists it (`State.assumes`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

from dockfix.facts.expansion import START, Layer, Value, View, expand_value
from dockfix.facts.images import PREDEFINED_ARGS
from dockfix.facts.model import Fact, Known, OneOf, Unknown

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts

T = TypeVar("T")
R = TypeVar("R")

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the image sets none (moby/buildkit `util/system/path.go`)."""

POSIX_SHELL: Final = ("/bin/sh", "-c")

WINDOWS_SHELL: Final = ("cmd", "/S", "/C")
"""The shells of images without a SHELL (moby/buildkit `dockerfile2llb/defaultshell.go`)."""

NOT_ENVIRONMENT: Final = frozenset(("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"))
BASE_MAY_SET: Final = Value(Unknown("the base image may set it"))


def map_fact(fact: Fact[T], function: Callable[[T], R]) -> Fact[R]:
    """A function applied to the value of a fact, as a fact."""
    if isinstance(fact, Known):
        return Known(function(fact.value))
    if isinstance(fact, OneOf):
        values = tuple(dict.fromkeys(function(value) for value in fact.values))
        return Known(values[0]) if len(values) == 1 else OneOf(values)
    return fact


class History(Generic[T]):
    """A single setting with its history."""

    def __init__(self, first: T) -> None:
        self._positions = [START]
        self._values = [first]

    def set(self, position: int, value: T) -> None:
        self._positions.append(position)
        self._values.append(value)

    def get(self, before: int) -> T:
        return self._values[bisect_left(self._positions, before) - 1]


class Scope(Struct, frozen=True, eq=False):
    """Everything that changes along one stage (or among the ARGs before the first FROM)."""

    image_env: Layer
    visible: Layer
    args: Layer
    user: History[Value]
    workdir: History[Value]
    shell: History[Fact[tuple[str, ...]]]
    base_known: bool
    shell_assumed: bool
    home_may_be_set: bool
    base_home: str
    root_home: str


class State(Struct, frozen=True, eq=False, dict=True):
    """What is in effect when an instruction runs, before its own effect."""

    _scope: Scope
    _before: int
    _accounts: Callable[[], Accounts]

    @cached_property
    def env(self) -> Mapping[str, Fact[str]]:
        """The environment of the image: ENV of this stage and its parents, and the variables that the base image is
        known to set."""
        return View(self._scope.image_env, self._before)

    @cached_property
    def args(self) -> Mapping[str, Fact[str]]:
        """The ARGs declared so far, in this stage and its parents: the value that the build passes, otherwise the
        default.

        A bare ARG has the default of the ARG before the first FROM; without one it is unknown.
        """
        return View(self._scope.args, self._before)

    def value(self, name: str) -> Value:
        """What `$name` expands to in an instruction, with the ARGs whose defaults it depends on."""
        value = self._scope.visible.get(name, self._before)
        if value.fact is None and not self._scope.base_known:
            return BASE_MAY_SET
        return value

    def lookup(self, name: str) -> Fact[str] | None:
        """The value of a variable in the environment of a RUN, which is what `$name` in an instruction expands to.

        The later of ENV and ARG wins. None if it is certainly unset. The proxy variables, which a build may pass
        without an ARG, are unknown unless the file sets them.
        """
        fact = self.value(name).fact
        if fact is None and name in PREDEFINED_ARGS:
            return Unknown("a build may pass it")
        return fact

    def assumes(self, name: str) -> frozenset[str]:
        """The ARGs whose defaults the value of a variable depends on: a build may pass others."""
        return self.value(name).assumes

    def names(self) -> tuple[str, ...]:
        """The names that the file or the base image is known to set."""
        return tuple(name for name in self._scope.visible.names(self._before) if self.sets(name))

    def sets(self, name: str) -> bool:
        """Whether the file or the base image is known to set a name."""
        return self._scope.visible.get(name, self._before).fact is not None

    def expand(self, word: str, escape: str = "\\") -> Fact[str]:
        """A word as BuildKit expands it here, quotes removed."""
        return _fact(expand_value(word, self.value, escape))

    @property
    def shell(self) -> Fact[tuple[str, ...]]:
        """The shell that runs commands in shell form."""
        return self._scope.shell.get(self._before)

    @property
    def shell_assumed(self) -> bool:
        """Whether `shell` is the default of an unknown image, which might have a SHELL of its own."""
        return self._scope.shell_assumed and self._scope.shell.get(self._before) is self._scope.shell.get(0)

    @property
    def workdir_assumes(self) -> frozenset[str]:
        """The ARGs whose defaults `workdir` depends on."""
        return self._scope.workdir.get(self._before).assumes

    @property
    def workdir(self) -> Fact[str]:
        """The working directory, absolute."""
        return _fact(self._scope.workdir.get(self._before))

    @property
    def user(self) -> Fact[str]:
        """The user part of USER, as a name or number."""
        return map_fact(_fact(self._scope.user.get(self._before)), lambda text: text.partition(":")[0] or "root")

    @property
    def group(self) -> Fact[str] | None:
        """The group part of USER; None if there is none."""
        fact = _fact(self._scope.user.get(self._before))
        if isinstance(fact, Known):
            group = fact.value.partition(":")[2]
            return Known(group) if group else None
        return map_fact(fact, lambda text: text.partition(":")[2])

    @cached_property
    def is_root(self) -> Fact[bool]:
        """Whether steps run as uid 0. A name other than root counts as not root unless its uid is known to be 0."""
        return map_fact(self.user, self._root)

    def _root(self, user: str) -> bool:
        if user == "root":
            return True
        number = _number(user)
        if number is not None:
            return number == 0
        account = self._accounts().users.get(user)
        return account is not None and account.uid == Known(0)

    @property
    def creates_as_root(self) -> bool:
        """Whether the files that a step creates belong to root and root's group, like those that a COPY creates."""
        return self.is_root == Known(True) and self.group in (None, Known("root"), Known("0"))

    @cached_property
    def uid(self) -> Fact[int]:
        """The numeric user."""
        if not isinstance(self.user, Known):
            return _unsettled(self.user)
        name = self.user.value
        if name == "root":
            return Known(0)
        number = _number(name)
        if number is not None:
            return Known(number)
        account = self._accounts().users.get(name)
        return account.uid if account else Unknown(f"the uid of {name} is not known")

    @cached_property
    def gid(self) -> Fact[int]:
        """The numeric group: that of USER, otherwise the user's own; 0 for a number without an account."""
        group = self.group
        if group is not None:
            if not isinstance(group, Known):
                return _unsettled(group)
            if group.value == "root":
                return Known(0)
            number = _number(group.value)
            if number is not None:
                return Known(number)
            found = self._accounts().groups.get(group.value)
            return found.gid if found else Unknown(f"the gid of {group.value} is not known")
        if self.is_root == Known(True):
            return Known(0)
        if not isinstance(self.user, Known):
            return _unsettled(self.user)
        accounts = self._accounts()
        account = accounts.user(self.user.value)
        if account is not None:
            return account.gid
        if _number(self.user.value) is not None and accounts.complete:
            return Known(0)
        return Unknown(f"the group of {self.user.value} is not known")

    @cached_property
    def home(self) -> Fact[str]:
        """HOME in a step: the variable if it is set, otherwise the user's directory in /etc/passwd, `/` if it has none.
        It is absolute, or not known: programs do different things with a relative one.

        (opencontainers/runc `libcontainer/init_linux.go`, `finalizeNamespace`.) A base image whose table row does not
        set HOME does not set it. Programs in a `scratch` image were copied there, perhaps with an /etc/passwd.
        """
        variable = self._scope.visible.get("HOME", self._before).fact
        if variable is not None:
            if isinstance(variable, Known) and not variable.value.startswith("/"):
                return Unknown("HOME is not an absolute path")
            return variable
        if self._scope.home_may_be_set:
            return Unknown("the base image may set HOME")
        if not isinstance(self.user, Known):
            return _unsettled(self.user)
        if self.is_root == Known(True):
            if not self._scope.root_home:
                return Unknown("whether what is copied to the empty image has an /etc/passwd is not known")
            return Known(self._scope.root_home)
        user = self.user.value
        accounts = self._accounts()
        account = accounts.user(user)
        if account is not None:
            return account.home
        if self._scope.base_home and self._scope.user.get(self._before) is self._scope.user.get(0):
            return Known(self._scope.base_home)
        if _number(user) is not None and accounts.complete:
            return Known("/")
        return Unknown(f"the home directory of {user} is not known")


def _fact(value: Value) -> Fact[str]:
    return value.fact if value.fact is not None else Known("")


def _unsettled(fact: Fact[T]) -> Unknown:
    return fact if isinstance(fact, Unknown) else Unknown("the user has several possible values")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None
