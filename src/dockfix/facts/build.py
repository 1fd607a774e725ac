"""`analyse`: the entry point to the facts of a build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, field

from dockfix.facts.images import BaseImage
from dockfix.facts.model import Fact
from dockfix.facts.scope import Scopes
from dockfix.facts.search import Search
from dockfix.facts.stages import Globals, Stage, StageGraph, build_graph
from dockfix.facts.state import State
from dockfix.syntax.tree import Dockerfile, Instruction, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.accounts import Accounts
    from dockfix.facts.accounts.replay import AccountReplay, History
    from dockfix.facts.commands import Commands, Step

T = TypeVar("T")

_NO_ARGS: Final[Mapping[str, Fact[str]]] = MappingProxyType({})
_NO_CONTEXTS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_IMAGES: Final[Mapping[str, BaseImage | str]] = MappingProxyType({})


class BuildFacts(Struct, frozen=True, eq=False, dict=True):
    """The facts of the build of one Dockerfile. Each is computed when it is first requested, and cached."""

    dockerfile: Dockerfile
    build_args: Mapping[str, Fact[str]]
    named_contexts: Mapping[str, str]
    target: str | None
    images: Mapping[str, BaseImage | str] = field(default_factory=dict)
    _commands: dict[int, Commands] = field(default_factory=dict)
    _found: dict[object, Any] = field(default_factory=dict)

    @cached_property
    def _graph(self) -> tuple[StageGraph, Globals]:
        return build_graph(self.dockerfile, self.build_args, self.named_contexts, self.target, self.images)

    def once(self, key: object, find: Callable[[], T]) -> T:
        """What a function finds, called once for each key: for what holds for all instructions of a stage.

        Args:
            key: names all that the result depends on, beginning with the rule that asks.
            find: the function.
        """
        if key not in self._found:
            self._found[key] = find()
        found: T = self._found[key]
        return found

    def search(self, key: object, wanted: Callable[[Stage, Instruction], bool]) -> Search:
        """The instructions with a property; see `Search`.

        Args:
            key: names the rule that asks, and all that the property depends on.
            wanted: whether an instruction of a stage has it.
        """
        return self.once((Search, key), lambda: Search(self.graph, wanted))

    @property
    def graph(self) -> StageGraph:
        """The stages, and what each takes from the others."""
        return self._graph[0]

    @property
    def final(self) -> Stage | None:
        """The stage that is built; None if there is none."""
        return self.graph.final

    @cached_property
    def _scopes(self) -> Scopes:
        return Scopes(self.graph, self._graph[1], self.accounts)

    @cached_property
    def _stages(self) -> dict[int, Stage]:
        found: dict[int, Stage] = {}
        for stage in self.graph.stages:
            for instruction in (stage.node, *stage.instructions):
                found[instruction.span.start] = stage
                if isinstance(instruction, Onbuild) and instruction.child is not None:
                    found.setdefault(instruction.child.span.start, stage)
        return found

    def state(self, instruction: Instruction) -> State:
        """What is in effect when an instruction runs, before its own effect."""
        return self._scopes.state(instruction)

    def end_state(self, stage: Stage) -> State:
        """What is in effect after the last instruction of a stage, and in a container of its image."""
        return self._scopes.end(stage)

    def stage_of(self, instruction: Instruction) -> Stage | None:
        """The stage of an instruction; None before the first FROM."""
        return self._stages.get(instruction.span.start)

    @cached_property
    def uses_buildkit(self) -> bool:
        """Whether the file can only be built by BuildKit."""
        from dockfix.facts.frontend import uses_buildkit  # noqa: PLC0415 - few rules ask

        return uses_buildkit(self.dockerfile)

    def runs(self, *, shell_form: bool = False) -> Iterator[tuple[Stage, Run]]:
        """The RUNs that the build executes, each with its stage; only those in shell form if asked for."""
        for stage in self.graph.stages:
            for run in stage.executed:
                if isinstance(run, Run) and not (shell_form and run.json):
                    yield stage, run

    def commands(self, instruction: Instruction) -> Commands:
        """The commands of a RUN, CMD, ENTRYPOINT or HEALTHCHECK; none for other instructions, with the reason."""
        from dockfix.facts.commands import commands_of  # noqa: PLC0415 - loads the shell parser

        key = instruction.span.start
        if key not in self._commands:
            self._commands[key] = commands_of(instruction, self.state(instruction).shell)
        return self._commands[key]

    @cached_property
    def _replay(self) -> AccountReplay:
        from dockfix.facts.accounts.replay import AccountReplay  # noqa: PLC0415 - rarely needed

        return AccountReplay(self.graph, self.state, self.commands)

    def accounts(self, at: Instruction | Stage) -> Accounts:
        """The users and groups that exist when an instruction runs, or at the end of a stage."""
        if isinstance(at, Stage):
            return self._replay.at_end(at)
        return self._replay.before(self.stage_of(at), at)

    def accounts_before(self, run: Run, step: Step) -> Accounts:
        """The users and groups that exist when a command of a RUN is executed."""
        return self._replay.before_command(self.stage_of(run), run, step)

    def account_history(self, stage: Stage) -> History:
        """What the instructions of one stage do to its users and groups."""
        return self._replay.history(stage)


def analyse(
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, Fact[str]] = _NO_ARGS,
    named_contexts: Mapping[str, str] = _NO_CONTEXTS,
    target: str | None = None,
    images: Mapping[str, BaseImage | str] = _NO_IMAGES,
) -> BuildFacts:
    """The facts of the build of a Dockerfile.

    Args:
        dockerfile: the tree.
        build_args: the values that the build passes for ARGs, as far as its invocations are known.
        named_contexts: the named build contexts: name to path, `docker-image://REF` or any other value that builds
            accept.
        target: the stage to build; None for the last.
        images: more base images, by name; a string is the name of a known image with the same content.
    """
    return BuildFacts(dockerfile, build_args, named_contexts, target, images)
