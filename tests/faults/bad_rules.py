"""A program that runs dockfix with a rule that does wrong, and one that is right: `bad_rules.py MODE ARGUMENTS`.

The bad rule does wrong in files with the word `bad`, and nothing in others. What it may use is little, so that tests
are quick.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from dockfix.cli import main
from dockfix.engine import calls
from dockfix.engine.limits import LIMITS
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Change, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix.syntax.tree import From

AT: Final = Span(0, 1)


class Panic(BaseException):
    """As what PyO3 raises where a library in Rust panics."""


class Unreadable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def loop() -> None:
    while True:
        pass


def stubborn_loop() -> None:
    while True:
        try:
            time.sleep(0.001)
        except Exception:  # noqa: S112 - what the test is about
            continue


def backtrack() -> None:
    re.match(r"(a|aa)+$", "a" * 80 + "b")


def stuck_in_c() -> None:
    deque(count(), maxlen=0)  # one call that never returns and looks for no signal


def recurse() -> None:
    recurse()


def eat_memory() -> None:
    kept = []
    while True:
        kept.append(bytearray(1024**2))
        kept[-1][::4096] = b"x" * 256


def fix(*edits: Any, **more: Any) -> Fix:
    more = {"at": AT, "message": "m", "safety": Safety.SAFE, "help": "h", **more}
    return Fix(edits=edits, **more)


def raises(error: BaseException) -> Callable[[Target], Any]:
    def check(target: Target) -> Iterator[Finding]:
        yield Advice(AT, "m")
        raise error

    return check


def does(function: Callable[[], object]) -> Callable[[Target], Any]:
    def check(target: Target) -> Iterator[Finding]:
        function()
        yield from ()

    return check


def yields(*found: Any) -> Callable[[Target], Any]:
    return lambda _: iter(found)


def endless(target: Target) -> Iterator[Finding]:
    while True:
        yield Advice(AT, "m")


def grows(target: Target) -> Iterator[Finding]:
    yield fix(Edit(len(target.text), len(target.text), "# more\n"))


def explodes(target: Target) -> Iterator[Finding]:
    yield fix(Edit(len(target.text), len(target.text), "# x\n" * (1 << 21)))


def outside(name: str, **change: Any) -> Callable[[Target], Any]:
    return lambda _: iter([fix(other_files=(Change(Path(name), **change),))])


CHECKS: Final[dict[str, Callable[[Target], Any]]] = {
    "exception": raises(LookupError("no such thing")),
    "system-exit": raises(SystemExit(0)),
    "generator-exit": raises(GeneratorExit()),
    "panic": raises(Panic("in Rust")),
    "interrupt": raises(KeyboardInterrupt()),
    "memory-error": raises(MemoryError()),
    "recursion": does(recurse),
    "loop": does(loop),
    "stubborn-loop": does(stubborn_loop),
    "backtracking": does(backtrack),
    "sleep": does(lambda: time.sleep(3600)),
    "memory": does(eat_memory),
    "stuck": does(stuck_in_c),
    "abort": does(os.abort),
    "exit": does(lambda: os._exit(0)),
    "endless": endless,
    "not-iterable": lambda _: None,
    "none": yields(None),
    "text": yields("a finding"),
    "no-span": yields(Advice(0, "m")),  # type: ignore[arg-type]
    "span-outside": yields(Advice(Span(0, 10_000), "m")),
    "span-backwards": yields(Refusal(Span(3, 1), "m", "n")),
    "span-negative": yields(Advice(Span(-2, -1), "m")),
    "no-message": yields(Advice(AT, None)),  # type: ignore[arg-type]
    "no-help": yields(Advice(AT, "m", help=None)),  # type: ignore[arg-type]
    "unreadable": yields(Advice(Unreadable(), "m")),  # type: ignore[arg-type]
    "severity": yields(Advice(AT, "m", "high")),  # type: ignore[arg-type]
    "code": yields(Advice(AT, "m", code=7)),  # type: ignore[arg-type]
    "safety": yields(fix(Edit(0, 0, "# x\n"), safety="safe")),
    "no-edit": yields(fix((0, 0, "# x\n"))),
    "edit-of-bytes": yields(fix(Edit(0, 0, b"# x\n"))),  # type: ignore[arg-type]
    "edit-of-floats": yields(fix(Edit(0.0, 0.0, "# x\n"))),  # type: ignore[arg-type]
    "edit-outside": yields(fix(Edit(0, 10_000, ""))),
    "edit-surrogate": yields(fix(Edit(0, 0, "# \ud800\n"))),
    "edits-overlap": yields(fix(Edit(0, 4, "FROM"), Edit(2, 4, "OM"))),
    "edit-nothing": yields(fix(Edit(0, 4, "FROM"))),
    "unparsable": lambda target: iter([fix(Edit(0, 4, "FORM"))] if target.text.startswith("FROM") else []),
    "empties": lambda target: iter([fix(Edit(0, len(target.text), ""))]),
    "grows": grows,
    "explodes": explodes,
    "outside": outside("/dockfix-outside", create="x"),
    "relative": outside("other", create="x"),
}


def bad(target: Target) -> Any:
    return CHECKS[MODE](target) if "bad" in target.text else iter(())


def collect(target: Target) -> object:
    if "bad" in target.text:
        if MODE == "collect-lambda":
            return lambda: None  # cannot be sent between processes
        raise LookupError("nothing to collect")
    return None


def collecting(workspace: Workspace) -> Iterator[Finding]:
    list(workspace.collected(collect))
    yield from ()


def project(workspace: Workspace) -> Any:
    if MODE == "project-hang":
        loop()
    if MODE == "project-nameless":
        yield Advice(AT, "m")
    if MODE == "project-exit":
        raise SystemExit(5)


def good(target: Target) -> Iterator[Finding]:
    for node in target.dockerfile.instructions:
        if isinstance(node, From) and len(node.args) == 3 and node.args[1].text == "as":
            yield Fix(node.args[1].span, "`as`", (Edit(*node.args[1].span, "AS"),), Safety.SAFE, "use `AS`")


def rule(name: str, **more: Any) -> Codemod:
    return Codemod(name, "T", Severity.INFO, Category.STYLE, frozenset(Effect), since="0", **more)


def registry(mode: str) -> Registry:
    if mode.startswith("collect"):
        wrong = rule("bad", check=None, check_project=collecting, collect=collect)
    elif mode.startswith("project"):
        wrong = rule("bad", check=None, check_project=project)
    else:
        wrong = rule("bad", check=bad)
    return Registry((wrong, rule("good", check=good)), {"bad": "toys"})


MODE = sys.argv[1]
if __name__ == "__main__":
    LIMITS.ticks = 200 if MODE == "memory" else 8
    LIMITS.seconds, LIMITS.stuck, LIMITS.memory = 0.1, 2.0, 200 * 1024**2
    calls.MOST_FINDINGS = 1000  # type: ignore[misc]
    sys.exit(main(sys.argv[2:], registry(MODE)))
