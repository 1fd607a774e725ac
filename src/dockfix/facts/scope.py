"""What is in effect at each instruction: variables, user, shell, working directory, home.

BuildKit keeps one environment for the steps of a stage, to which both ENV and ARG write, so the later of the two wins;
the ENV of the image is separate. A stage based on another starts with both, ENV before ARG (moby/buildkit
`dockerfile2llb/convert.go`: `dispatchEnv`, `dispatchArg`, `dispatchState.init`, `dispatchStages`).

An ARG that no known build passes has its default; a value that depends on one lists it (`State.assumes`).
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dockfix.facts.expansion import END, START, Layer, Value, View, expand_value
from dockfix.facts.images import PREDEFINED_ARGS
from dockfix.facts.model import Fact, Known, OneOf, Unknown
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Globals, Stage, StageGraph
from dockfix.syntax.tree import Arg, Env, Instruction, Onbuild, Shell, User, Workdir

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts

T = TypeVar("T")


R = TypeVar("R")


DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the image sets none (moby/buildkit `util/system/path.go`)."""


POSIX_SHELL: Final = ("/bin/sh", "-c")


WINDOWS_SHELL: Final = ("cmd", "/S", "/C")
"""The shells of images without a SHELL (moby/buildkit `dockerfile2llb/defaultshell.go`)."""


_NOT_ENVIRONMENT: Final = frozenset(("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"))


_WINDOWS_IMAGE: Final = re.compile(r"windows|nanoserver|servercore", re.IGNORECASE)


_BASE_MAY_SET: Final = Value(Unknown("the base image may set it"))


def map_fact(fact: Fact[T], function: Callable[[T], R]) -> Fact[R]:
    """A function applied to the value of a fact, as a fact."""
    if isinstance(fact, Known):
        return Known(function(fact.value))
    if isinstance(fact, OneOf):
        values = tuple(dict.fromkeys(function(value) for value in fact.values))
        return Known(values[0]) if len(values) == 1 else OneOf(values)
    return fact


class _History(Generic[T]):
    """A single setting with its history."""

    def __init__(self, first: T) -> None:
        self._positions = [START]
        self._values = [first]

    def set(self, position: int, value: T) -> None:
        self._positions.append(position)
        self._values.append(value)

    def get(self, before: int) -> T:
        return self._values[bisect_left(self._positions, before) - 1]


@dataclass(frozen=True, eq=False)
class _Scope:
    """Everything that changes along one stage (or among the ARGs before the first FROM)."""

    image_env: Layer
    visible: Layer
    args: Layer
    user: _History[Value]
    workdir: _History[Value]
    shell: _History[Fact[tuple[str, ...]]]
    base_known: bool
    shell_assumed: bool
    home_may_be_set: bool
    base_home: str
    root_home: str


@dataclass(frozen=True, eq=False)
class State:
    """What is in effect when an instruction runs, before its own effect."""

    _scope: _Scope = field(repr=False)
    _before: int
    _accounts: Callable[[], Accounts] = field(repr=False)

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
            return _BASE_MAY_SET
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
        return tuple(
            name
            for name in self._scope.visible.names(self._before)
            if self._scope.visible.get(name, self._before).fact is not None
        )

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
    def makes_roots_folders(self) -> bool:
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

        (opencontainers/runc `libcontainer/init_linux.go`, `finalizeNamespace`.) A base image whose table row does not
        set HOME does not set it. Programs in a `scratch` image were copied there, perhaps with an /etc/passwd.
        """
        variable = self._scope.visible.get("HOME", self._before).fact
        if variable is not None:
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


class Scopes:
    """The scopes of a Dockerfile: one for the ARGs before the first FROM, one for each stage. Created on request."""

    def __init__(
        self, graph: StageGraph, globals_: Globals, accounts: Callable[[Instruction | Stage], Accounts]
    ) -> None:
        self._accounts = accounts
        self._at: dict[int, tuple[_Scope, int]] = {}
        self._ends: list[tuple[_Scope, int]] = []
        self._global = _global_scope(globals_)
        for number, (arg, _, _) in enumerate(globals_.declared):
            self._at.setdefault(arg.span.start, (self._global, number))
        scopes: list[_Scope] = []
        for stage in graph.stages:
            self._at[stage.node.span.start] = (self._global, END)
            scope = _stage_scope(stage, scopes[stage.parent] if stage.parent is not None else None, globals_)
            scopes.append(scope)
            first = 0 if stage.replaced else len(stage.triggers)
            for number, instruction in enumerate(stage.instructions, first):
                self._at[instruction.span.start] = (scope, number)
                if isinstance(instruction, Onbuild) and instruction.child is not None:
                    self._at.setdefault(instruction.child.span.start, (scope, number))
            self._ends.append((scope, END))

    def state(self, instruction: Instruction) -> State:
        """What is in effect when an instruction runs. For FROM and the ARGs before it: what FROM sees.

        For the child of an ONBUILD it is what is in effect at the ONBUILD.
        """
        scope, before = self._at.get(instruction.span.start, (self._global, END))
        return State(scope, before, lambda: self._accounts(instruction))

    def end(self, stage: Stage) -> State:
        """What is in effect at the end of a stage, and in a container of its image."""
        scope, before = self._ends[stage.index]
        return State(scope, before, lambda: self._accounts(stage))


def _global_scope(globals_: Globals) -> _Scope:
    visible = Layer(None)
    args = Layer(None)
    declared = {name for _, name, _ in globals_.declared}
    for name in globals_.names():
        if name not in declared:
            visible.set(START, name, globals_.lookup(name))
    for number, (_, name, value) in enumerate(globals_.declared):
        visible.set(number, name, value)
        args.set(number, name, value)
    nothing = Unknown("nothing runs before a FROM")
    return _Scope(
        image_env=Layer(None),
        visible=visible,
        args=args,
        user=_History(Value(nothing)),
        workdir=_History(Value(nothing)),
        shell=_History(nothing),
        base_known=True,
        shell_assumed=False,
        home_may_be_set=True,
        base_home="",
        root_home="/root",
    )


def _stage_scope(stage: Stage, parent: _Scope | None, globals_: Globals) -> _Scope:
    scope = _inherited(parent) if parent is not None else _from_image(stage)
    escape = stage.node.escape
    for position, instruction in enumerate(stage.program):
        _apply(scope, instruction, position, globals_, escape)
    return scope


def _inherited(parent: _Scope) -> _Scope:
    scope = _Scope(
        image_env=Layer(parent.image_env),
        visible=Layer(parent.visible),
        args=Layer(parent.args),
        user=_History(parent.user.get(END)),
        workdir=_History(parent.workdir.get(END)),
        shell=_History(parent.shell.get(END)),
        base_known=parent.base_known,
        shell_assumed=parent.shell_assumed and parent.shell.get(END) is parent.shell.get(0),
        home_may_be_set=parent.home_may_be_set,
        base_home=parent.base_home if parent.user.get(END) is parent.user.get(0) else "",
        root_home=parent.root_home,
    )
    # A stage begins by setting the ENV of its image again, so that it wins over an ARG of the parent stage.
    for name in scope.args.names(END):
        value = scope.image_env.get(name, END)
        if value.fact is not None:
            scope.visible.set(START, name, value)
    return scope


def _from_image(stage: Stage) -> _Scope:
    ref = stage.base_ref
    base = stage.base
    scratch = ref == Known("scratch")
    known = scratch or (base is not None and base.sets_env_complete)
    windows = isinstance(ref, Known) and bool(_WINDOWS_IMAGE.search(ref.value))
    shell: Fact[tuple[str, ...]]
    assumed = False
    if base is not None and base.family != "scratch":
        shell = Known(base.default_shell) if base.default_shell else Unknown("the base image may set SHELL")
    else:
        shell = Known(WINDOWS_SHELL if windows else POSIX_SHELL)
        assumed = not scratch
    image_env, visible = Layer(None), Layer(None)
    env: dict[str, Value] = {}
    if base is not None:
        changing = Unknown("the base image sets it, to a value that differs between its versions")
        env.update((name, Value(changing)) for name in sorted(base.sets_env))
        env.update((name, Value(Known(value))) for name, value in base.env.items())
    if known and "PATH" not in env and not windows:
        env["PATH"] = Value(Known(DEFAULT_PATH))
    for name, value in env.items():
        image_env.set(START, name, value)
        visible.set(START, name, value)
    unknown = Unknown("the base image is not known")
    user = Known("root") if scratch else base.user if base is not None else unknown
    # No table lists working directories of images; docker-library's language images keep `/`.
    workdir: Fact[str] = Known("/") if scratch else Unknown("the working directory of the base image is not known")
    if base is not None and not windows and base.sets_env_complete:
        workdir = Known("/")
    return _Scope(
        image_env=image_env,
        visible=visible,
        args=Layer(None),
        user=_History(Value(user)),
        workdir=_History(Value(workdir)),
        shell=_History(shell),
        base_known=known,
        shell_assumed=assumed,
        home_may_be_set=base is None and not scratch,
        base_home=base.home if base is not None else "",
        root_home="" if scratch else "/root",
    )


def _apply(scope: _Scope, instruction: Instruction, position: int, globals_: Globals, escape: str) -> None:
    def seen(before: int) -> Callable[[str], Value]:
        def look(name: str) -> Value:
            value = scope.visible.get(name, before)
            return _BASE_MAY_SET if value.fact is None and not scope.base_known else value

        return look

    match instruction:
        case Env():
            look = seen(position)
            # Every value of one ENV sees the variables from before it.
            found = [
                (expand_value(pair.key, look, escape), expand_value(pair.value or "", look, escape))
                for pair in instruction.pairs
            ]
            for key, value in found:
                if isinstance(key.fact, Known):
                    scope.image_env.set(position, key.fact.value, value)
                    scope.visible.set(position, key.fact.value, value)
        case Arg():
            for pair in instruction.pairs:
                _declare(scope, pair.key, pair.value, position, globals_, seen(position + 1), escape)
        case User() if instruction.args:
            scope.user.set(position, expand_value(instruction.args[0].text, seen(position), escape))
        case Workdir() if instruction.args:
            new = expand_value(instruction.args[0].text, seen(position), escape)
            scope.workdir.set(position, _joined(scope.workdir.get(position), new))
        case Shell() if instruction.args:
            scope.shell.set(position, Known(instruction.argv))
        case _:
            pass


def _declare(
    scope: _Scope,
    name: str,
    default: str | None,
    position: int,
    globals_: Globals,
    look: Callable[[str], Value],
    escape: str,
) -> None:
    """An ARG in a stage: the value that the build passes, otherwise its default, otherwise that of the ARG before the
    first FROM."""
    given = globals_.build_args.get(name)
    if given is not None:
        value = Value(given)
    elif default is not None:
        value = expand_value(default, look, escape)
        value = Value(value.fact, value.assumes | {name})
    elif (outer := globals_.lookup(name)).fact is not None:
        value = outer
    else:
        # Without a value the variable keeps its value, unless a build passes one.
        before = look(name)
        value = Value(before.fact or Unknown(f"ARG {name} has no default"), before.assumes | {name})
    scope.args.set(position, name, value)
    if name not in _NOT_ENVIRONMENT:
        scope.visible.set(position, name, value)


def _joined(old: Value, new: Value) -> Value:
    if isinstance(new.fact, Known):
        if new.fact.value.startswith("/"):
            return Value(Known(normal_path(new.fact.value)), new.assumes)
        windows = re.match(r"[A-Za-z]:|\\", new.fact.value)
        if windows:
            return Value(Unknown("it is a path of Windows"), new.assumes)
        if isinstance(old.fact, Known):
            path = normal_path(posixpath.join(old.fact.value, new.fact.value))
            return Value(Known(path), old.assumes | new.assumes)
        return Value(Unknown("it is relative to a directory that is not known"), old.assumes | new.assumes)
    if isinstance(new.fact, OneOf) and all(value.startswith("/") for value in new.fact.values):
        return Value(map_fact(new.fact, normal_path), new.assumes)
    why = new.fact.why if isinstance(new.fact, Unknown) else "it has several possible values"
    return Value(Unknown(why), old.assumes | new.assumes)
