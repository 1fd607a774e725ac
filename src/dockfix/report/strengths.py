"""What a Dockerfile does well. Each is a fact with the lines that show it, or it is not listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from dockfix.facts.entrypoints import effective_entrypoint
from dockfix.facts.health import effective_healthcheck
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known, known
from dockfix.facts.mounts import caches_of
from dockfix.facts.packages import Action
from dockfix.facts.tables.commands import JAVASCRIPT_MANAGERS, PYTHON_MANAGERS
from dockfix.output.words import listed
from dockfix.report.model import Strength
from dockfix.syntax.shell import ShellKind, shell_kind
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Instruction, Run, Shell, User

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.packages import PackageCommand
    from dockfix.facts.stages import Stage
    from dockfix.project.target import Target

__all__ = ["last_user", "strengths_of"]

_CONTRADICTED_BY: Final = {
    "health check": ("healthcheck-pgrep", "healthcheck-tool", "healthcheck-drift"),
    "non-root user": ("root-user", "uid-map"),
    "cache mounts": ("cache-mount",),
    "exec form": ("exec-form", "exec-form-variable"),
    "dependencies before sources": ("copy-order", "turbo-prune"),
    "ignore file": ("dockerignore-comment",),
    "pipefail": ("shell-pipefail",),
}
"""Rules whose findings say that a strength is none: it is not listed then."""

_LANGUAGES: Final = PYTHON_MANAGERS | JAVASCRIPT_MANAGERS | {"go", "cargo", "composer", "bundle", "maven", "gradle"}
_INSTALLING: Final = (Action.INSTALL, Action.SYNC, Action.BUILD)
_LOCKED: Final[Mapping[str, tuple[str, ...]]] = {
    "pnpm": ("--frozen-lockfile",),
    "yarn": ("--frozen-lockfile", "--immutable"),
    "uv": ("--locked", "--frozen"),
    "pip": ("--require-hashes",),
    "cargo": ("--locked", "--frozen"),
}
"""The options with which a manager installs exactly what a lock file says (their manuals); npm does with `npm ci`."""


def strengths_of(target: Target, rules: frozenset[str]) -> tuple[Strength, ...]:
    """The strengths of a Dockerfile; `rules` have findings in it that are something to do."""
    final = target.facts.final
    if final is None:
        return ()
    subject = _Subject(target, target.facts, final)
    found: list[Strength] = []
    for name, question in _QUESTIONS.items():
        if rules.isdisjoint(_CONTRADICTED_BY.get(name, ())):
            found += (Strength(name, text, lines) for text, lines in question(subject))
    return tuple(found)


class _Subject(NamedTuple):
    """A Dockerfile, its facts, and the stage that is built."""

    target: Target
    facts: BuildFacts
    final: Stage


_Answer: TypeAlias = Iterator[tuple[str, tuple[int, ...]]]


def _lines(nodes: list[Instruction]) -> tuple[int, ...]:
    return tuple(node.start_line for node in nodes)


def _multi_stage(subject: _Subject) -> _Answer:
    """Files are copied out of stages that are not part of the image."""
    facts = subject.facts
    copies: list[Instruction] = []
    stages: set[int] = set()
    for stage in facts.graph.reachable():
        if facts.graph.in_image(stage):
            continue
        taken = [
            node for node in facts.graph.copied_from(stage) if isinstance(node, Copy) and _is_in_image(facts, node)
        ]
        if taken:
            stages.add(stage.index)
            copies += taken
    if copies:
        number = "a build stage that is" if len(stages) == 1 else f"{len(stages)} build stages that are"
        yield f"the image takes files from {number} not part of it", _lines(sorted(copies, key=_line))


def _line(node: Instruction) -> int:
    return node.start_line


def _is_in_image(facts: BuildFacts, node: Instruction) -> bool:
    stage = facts.stage_of(node)
    return stage is not None and facts.graph.in_image(stage)


def _non_root(subject: _Subject) -> _Answer:
    facts, final = subject.facts, subject.final
    state = facts.end_state(final)
    if state.is_root != Known(False) or not isinstance(state.user, Known):
        return
    node = last_user(facts, final)
    uid = known(state.uid)
    number = f" (UID {uid})" if uid is not None and str(uid) != state.user.value else ""
    if node is not None:
        yield f"the container runs as `{state.user.value}`{number}", _lines([node])


def last_user(facts: BuildFacts, stage: Stage) -> User | None:
    """The USER that is in effect in the image of a stage; None if the file has none."""
    for each in facts.graph.chain(stage):
        for node in reversed(each.program):
            if isinstance(node, User):
                return node
    return None


def _pinned(subject: _Subject) -> _Answer:
    facts = subject.facts
    nodes: list[Instruction] = []
    for stage in facts.graph.reachable():
        if stage.parent is not None or stage.context is not None or known(stage.image) == "scratch":
            continue
        ref = parse_image_ref(known(stage.image) or "")
        if ref is None or ref.digest is None:
            return
        nodes.append(stage.node)
    if nodes:
        what = {1: "the base image is", 2: "both base images are"}.get(len(nodes), f"all {len(nodes)} base images are")
        yield f"{what} pinned to a digest", _lines(nodes)


def _health_check(subject: _Subject) -> _Answer:
    facts, final = subject.facts, subject.final
    node = effective_healthcheck(facts, final)
    if node is not None and node.kind != "NONE":
        yield "the image has a health check", _lines([node])


def _cache_mounts(subject: _Subject) -> _Answer:
    """All downloads of the package managers that dockfix knows are kept in cache mounts."""
    facts = subject.facts
    nodes: list[Instruction] = []
    managers: set[str] = set()
    for stage in facts.graph.reachable():
        for run in stage.executed:
            caches = caches_of(facts, run, stage) if isinstance(run, Run) else None
            if caches is None:
                continue
            if any(True for _ in caches.missing()):
                return
            served = [tool.package.manager for tool in caches.tools if tool.benefits] if caches.mounts else []
            if served:
                nodes.append(run)
                managers.update(served)
    if nodes:
        yield f"the downloads of {_quoted(managers)} are kept in cache mounts", _lines(nodes)


def _quoted(names: set[str]) -> str:
    return listed([f"`{name}`" for name in sorted(names)])


def _exec_form(subject: _Subject) -> _Answer:
    facts, final = subject.facts, subject.final
    last = {type(node): node for node in final.executed if isinstance(node, Cmd | Entrypoint)}
    entrypoint = effective_entrypoint(facts, final)
    own: list[Instruction] = [*last.values(), *([entrypoint] if entrypoint is not None else [])]
    if last and not any(_starts_shell(node) for node in own):
        yield "Docker starts the program without a shell", _lines(sorted(last.values(), key=_line))


def _starts_shell(node: Instruction) -> bool:
    argv = node.argv if isinstance(node, Cmd | Entrypoint) else None
    return argv is None or shell_kind(argv) is not ShellKind.OTHER


def _copied_with_owner(subject: _Subject) -> _Answer:
    facts, final = subject.facts, subject.final
    nodes: list[Instruction] = [
        node
        for stage in facts.graph.chain(final)
        for node in stage.executed
        if isinstance(node, Copy | Add) and node.flag("chown") is not None
    ]
    changed = any(
        step.command.basename == "chown"
        for stage in facts.graph.chain(final)
        for node in stage.executed
        if isinstance(node, Run)
        for step in facts.commands(node).steps
    )
    if nodes and not changed:
        yield "owners are set where files are copied (`--chown`), without a layer for `chown`", _lines(nodes)


def _pipefail(subject: _Subject) -> _Answer:
    facts = subject.facts
    nodes: list[Instruction] = [
        node
        for stage in facts.graph.reachable()
        for node in stage.executed
        if isinstance(node, Shell) and any("pipefail" in word for word in node.argv)
    ]
    if nodes:
        yield "from there on, a command that fails in a pipe fails the build (`pipefail`)", _lines(nodes)


def _dependencies_first(subject: _Subject) -> _Answer:
    """Dependencies are installed after their manifests are copied, and before the folders of sources are."""
    target, facts = subject.target, subject.facts
    nodes: list[Instruction] = []
    for stage in facts.graph.reachable():
        copied, installs = False, list[Instruction]()
        for node in stage.executed:
            if isinstance(node, Copy | Add) and not (isinstance(node, Copy) and node.source_stage):
                if all(_is_file(target, word.text) for word in node.sources) and not node.heredocs:
                    copied = True
                    continue
                nodes += installs  # what is copied here comes after them
                break
            if isinstance(node, Run) and (copied or _mounts_file(target, node)) and _installs(facts, node):
                installs.append(node)
    if nodes:
        yield "dependencies are installed before the sources are copied: a change of a source keeps them", _lines(nodes)


def _is_file(target: Target, source: str) -> bool:
    """Whether a source is certainly files of the build context, and no folder."""
    context = target.context
    found = context.glob(source) if context is not None and "$" not in source else None
    return context is not None and bool(found) and all(map(context.is_file, found or ()))


def _mounts_file(target: Target, run: Run) -> bool:
    """Whether a RUN mounts a file of the context, such as a manifest."""
    return any(
        mount.kind == "bind" and not mount.get("from") and _is_file(target, mount.get("source") or "")
        for mount in run.mounts
    )


def _installs(facts: BuildFacts, run: Run) -> bool:
    steps = (step.package for step in facts.commands(run).steps if step.package is not None)
    return any(
        each.manager in _LANGUAGES and each.action in (Action.INSTALL, Action.SYNC) and not each.has("--global")
        for each in steps
    )


def _lock_file(subject: _Subject) -> _Answer:
    facts = subject.facts
    nodes: list[Instruction] = []
    managers: set[str] = set()
    for stage in facts.graph.reachable():
        for run in stage.executed:
            packages = (step.package for step in facts.commands(run).steps) if isinstance(run, Run) else ()
            locked = {package.manager for package in packages if package is not None and _is_locked(package)}
            if locked:
                nodes.append(run)
                managers |= locked
    if nodes:
        installs = "installs" if len(managers) == 1 else "install"
        yield f"{_quoted(managers)} {installs} exactly what a lock file says", _lines(nodes)


def _is_locked(package: PackageCommand) -> bool:
    if package.action not in _INSTALLING:
        return False
    return package.verb[:1] == ("ci",) if package.manager == "npm" else package.has(*_LOCKED.get(package.manager, ()))


def _package_lists(subject: _Subject) -> _Answer:
    facts, final = subject.facts, subject.final
    nodes: list[Instruction] = []
    for stage in facts.graph.chain(final):
        for run in stage.executed:
            if not isinstance(run, Run):
                continue
            steps = facts.commands(run).steps
            updates = any(
                step.package is not None and step.package.manager == "apt" and step.package.action is Action.UPDATE
                for step in steps
            )
            if not updates:
                continue
            if not any(
                step.command.basename == "rm" and any("/var/lib/apt/lists" in word.text for word in step.command.args)
                for step in steps
            ):
                return
            nodes.append(run)
    if nodes:
        yield "package lists are removed in the layer that fetches them", _lines(sorted(nodes, key=_line))


def _ignore_file(subject: _Subject) -> _Answer:
    target, facts = subject.target, subject.facts
    ignore = target.context.ignore if target.context is not None else None
    copies = any(isinstance(node, Copy | Add) for stage in facts.graph.reachable() for node in stage.executed)
    if ignore is not None and ignore.path is not None and ignore.patterns and copies:
        path = Path(ignore.path)
        root = target.project.root
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        yield f"`{shown}` keeps files out of the build context", ()


_QUESTIONS: Final[dict[str, Callable[[_Subject], _Answer]]] = {
    "multi-stage build": _multi_stage,
    "non-root user": _non_root,
    "pinned base images": _pinned,
    "health check": _health_check,
    "exec form": _exec_form,
    "cache mounts": _cache_mounts,
    "dependencies before sources": _dependencies_first,
    "lock file": _lock_file,
    "owners set when copying": _copied_with_owner,
    "pipefail": _pipefail,
    "package lists": _package_lists,
    "ignore file": _ignore_file,
}
