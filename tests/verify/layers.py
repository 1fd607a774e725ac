"""A builder in Python, with the layer cache and the cache mounts of BuildKit and buildah, that runs nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockfix.facts.stages import Stage, StageSource
from dockfix.project.context import Context
from dockfix.project.ignore import parse_ignore
from dockfix.project.target import Target, target_from_text
from dockfix.syntax.tree import Add, Arg, Copy, Env, Instruction, Run, User
from dockfix.verify.model import BuildOutcome, Step
from dockfix.verify.scenarios import Side

Tool = Callable[[set[str]], None]
"""What a RUN does with the files of one cache mount."""


@dataclass
class Layers:
    """A builder and its store.

    Args:
        fails: what a RUN with this text and these arguments prints before it fails; empty if it succeeds.
        tools: what RUNs do with their cache mounts, by a part of a mount's id or target.
        clipped: how many builds with a probe lose their output.
        expands: whether steps are reported with the values of their variables.
    """

    fails: Callable[[str, Mapping[str, str]], str] = lambda _text, _args: ""
    tools: Mapping[str, Tool] = field(default_factory=dict)
    clipped: int = 0
    expands: bool = False
    seen: set[str] = field(default_factory=set)
    mounts: dict[str, set[str]] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def side(
        self, text: str, context: Path, *, args: Mapping[str, str | None] | None = None, stage: str | None = None
    ) -> Side:
        """One side of a scenario."""
        passed = args or {}

        def build(
            text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, no_cache: bool = False
        ) -> BuildOutcome:
            given = {name: value or "" for name, value in {**passed, **(args or {})}.items()}
            self.texts.append(text)
            return _Build(self, text, context, given, None if last_stage else stage, no_cache).run()

        target = target_from_text(text, root=context)
        return Side(target, context, build, passed, stage)


class _Build:
    def __init__(
        self, layers: Layers, text: str, context: Path, args: Mapping[str, str], stage: str | None, no_cache: bool
    ) -> None:
        self.layers, self.args, self.no_cache = layers, args, no_cache
        self.target: Target = target_from_text(text)
        self.context = Context(context, context, parse_ignore(""))
        self.wanted = stage
        self.keys: dict[int, str] = {}
        self.steps: list[Step] = []
        self.log: list[str] = []

    def run(self) -> BuildOutcome:
        assert self.target.dockerfile.ok, self.target.dockerfile.problems
        reason = next(filter(None, map(self._stage, self.target.facts.graph.needed_for(self.wanted))), "")
        seconds = sum(step.seconds or 0.0 for step in self.steps)
        if self.log and self.layers.clipped:
            self.layers.clipped -= 1
            # a part of it: the first line is there
            self.log = self.log[:1]
        return BuildOutcome(not reason, seconds, tuple(self.steps), "\n".join(self.log), reason)

    def _stage(self, stage: Stage) -> str:
        key = self.keys[stage.parent] if stage.parent is not None else str(stage.image)
        scope: dict[str, str] = {}
        for node in stage.program:
            if isinstance(node, Arg):
                scope |= {pair.key: self.args.get(pair.key, pair.value or "") for pair in node.pairs}
            elif isinstance(node, Run | Copy | Add):
                key = self._key(stage, node, key, scope)
                cached = key in self.layers.seen and not self.no_cache
                text = node.logical.text
                for name, value in scope.items() if self.layers.expands else ():
                    text = text.replace(f"${name}", value)
                self.steps.append(Step(text, cached, 10.0 if isinstance(node, Run) and not cached else 0.1))
                if not cached and isinstance(node, Run) and (reason := self._execute(node, scope)):
                    return reason
                self.layers.seen.add(key)
            elif isinstance(node, Env | User):
                key = _digest(key, node.logical.text)
        self.keys[stage.index] = key
        return ""

    def _key(self, stage: Stage, node: Instruction, key: str, scope: Mapping[str, str]) -> str:
        parts = [key, node.logical.text]
        if isinstance(node, Run):
            parts += [f"{name}={value}" for name, value in sorted(scope.items())]
        elif isinstance(node, Copy) and node.source_stage:
            sources = self.target.facts.graph.sources(node, stage)
            parts += [self.keys[each.stage.index] for each in sources if isinstance(each, StageSource)]
        elif isinstance(node, Copy | Add):
            for word in node.paths:
                for path in self.context.glob(word.text) or ():
                    files = self.context.files_below(path) if self.context.is_dir(path) else [path]
                    parts += [f"{each} {(self.context.root / each).read_bytes()!r}" for each in files or ()]
        return _digest(*parts)

    def _execute(self, run: Run, scope: Mapping[str, str]) -> str:
        caches = [mount for mount in run.mounts if mount.kind == "cache"]
        ids = [mount.get("id") or mount.target or "" for mount in caches]
        text = run.text.text
        reason = self.layers.fails(run.logical.text, scope)
        if reason:
            return reason
        if "grep -vxF" in text:
            self._probe(text, ids, [mount.target or "" for mount in caches], scope["DOCKFIX_MISS"])
        elif "rm -rf" in text and "dockfix-verify" in text:
            for each in ids:
                self.layers.mounts.pop(each, None)
                self.layers.listed.pop(each, None)
        else:
            for part, tool in self.layers.tools.items():
                for each in (each for each in ids if part in each):
                    tool(self.layers.mounts.setdefault(each, set()))
        return ""

    def _probe(self, text: str, ids: list[str], targets: list[str], miss: str) -> None:
        found = re.search(r"\$m-(\w+) 0", text)
        assert found is not None
        told = self.layers.told.setdefault(miss, [])
        for number, (each, target) in enumerate(zip(ids[:-1], targets, strict=False) if not told else ()):
            now = self.layers.mounts.get(each, set())
            new = sorted(now - self.layers.listed.get(each, set()))
            self.layers.listed[each] = set(now)
            mark = f"#12 0.345 dockfix-{found[1]} {number}"
            told.append(f"{mark} files {len(now)} added {len(new)} size {len(now) * 100}")
            told += [f"{mark} name {target}/{name}" for name in new[:200]]
        self.log += [*told, f"#12 0.345 dockfix-{found[1]} end"]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
