"""How each instruction changes variables, user, shell and working directory, stage by stage."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dockfix.facts.expansion import END, START, Layer, Value, expand_value
from dockfix.facts.model import Fact, Known, OneOf, Unknown
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Globals, Stage, StageGraph
from dockfix.facts.state import (
    BASE_MAY_SET,
    DEFAULT_PATH,
    NOT_ENVIRONMENT,
    POSIX_SHELL,
    WINDOWS_SHELL,
    History,
    Scope,
    State,
    map_fact,
)
from dockfix.syntax.tree import Arg, Env, Instruction, Onbuild, Shell, User, Workdir

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts

_PATH_MAX: Final = 4096
"""In bytes, the NUL at the end included (linux/limits.h); without a limit, paths that grow would take the square."""
_WINDOWS_IMAGE: Final = re.compile(r"windows|nanoserver|servercore", re.IGNORECASE)


class Scopes:
    """The scopes of a Dockerfile: one for the ARGs before the first FROM, one for each stage. Created on request."""

    def __init__(
        self, graph: StageGraph, globals_: Globals, accounts: Callable[[Instruction | Stage], Accounts]
    ) -> None:
        self._accounts = accounts
        self._at: dict[int, tuple[Scope, int]] = {}
        self._ends: list[tuple[Scope, int]] = []
        self._global = _global_scope(globals_)
        for number, (arg, _, _) in enumerate(globals_.declared):
            self._at.setdefault(arg.span.start, (self._global, number))
        scopes: list[Scope] = []
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


def _global_scope(globals_: Globals) -> Scope:
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
    return Scope(
        image_env=Layer(None),
        visible=visible,
        args=args,
        user=History(Value(nothing)),
        workdir=History(Value(nothing)),
        shell=History(nothing),
        base_known=True,
        shell_assumed=False,
        home_may_be_set=True,
        base_home="",
        root_home="/root",
    )


def _stage_scope(stage: Stage, parent: Scope | None, globals_: Globals) -> Scope:
    scope = _inherited(parent) if parent is not None else _from_image(stage)
    escape = stage.node.escape
    for position, instruction in enumerate(stage.program):
        _apply(scope, instruction, position, globals_, escape)
    return scope


def _inherited(parent: Scope) -> Scope:
    scope = Scope(
        image_env=Layer(parent.image_env),
        visible=Layer(parent.visible),
        args=Layer(parent.args),
        user=History(parent.user.get(END)),
        workdir=History(parent.workdir.get(END)),
        shell=History(parent.shell.get(END)),
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


def _from_image(stage: Stage) -> Scope:
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
    workdir: Fact[str] = Known("/") if scratch else Unknown("the working directory of the base image is not known")
    if base is not None and base.workdir:
        workdir = Known(base.workdir)
    return Scope(
        image_env=image_env,
        visible=visible,
        args=Layer(None),
        user=History(Value(user)),
        workdir=History(Value(workdir, stage.assumes)),
        shell=History(shell),
        base_known=known,
        shell_assumed=assumed,
        home_may_be_set=base is None and not scratch,
        base_home=base.home if base is not None else "",
        root_home="" if scratch else "/root",
    )


def _apply(scope: Scope, instruction: Instruction, position: int, globals_: Globals, escape: str) -> None:
    def seen(before: int) -> Callable[[str], Value]:
        def look(name: str) -> Value:
            value = scope.visible.get(name, before)
            return BASE_MAY_SET if value.fact is None and not scope.base_known else value

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
    scope: Scope,
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
    if name not in NOT_ENVIRONMENT:
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
            if len(path) >= _PATH_MAX:
                return Value(Unknown("its path is too long for Linux"), old.assumes | new.assumes)
            return Value(Known(path), old.assumes | new.assumes)
        return Value(Unknown("it is relative to a directory that is not known"), old.assumes | new.assumes)
    if isinstance(new.fact, OneOf) and all(value.startswith("/") for value in new.fact.values):
        return Value(map_fact(new.fact, normal_path), new.assumes)
    why = new.fact.why if isinstance(new.fact, Unknown) else "it has several possible values"
    return Value(Unknown(why), old.assumes | new.assumes)
