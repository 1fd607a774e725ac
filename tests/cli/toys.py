"""Codemods for the tests of the command line, and a program that runs dockfix with them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

from dockfix.cli import main
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Preset, Refusal, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.tree import Cmd, Expose, From, User, Workdir


def _from_as(target: Target) -> Iterator[Finding]:
    """`as` to `AS`: safe."""
    for node in target.dockerfile.instructions:
        if isinstance(node, From) and len(node.args) == 3 and node.args[1].text == "as":
            span = node.args[1].span
            yield Fix(span, "`as` in lower case", (Edit(*span, "AS"),), Safety.SAFE, "it is neater")


def _workdir(target: Target) -> Iterator[Finding]:
    """Relative folders: an unsafe fix; one with a variable: refused."""
    for node in target.dockerfile.instructions:
        if isinstance(node, Workdir) and node.args and not node.args[0].text.startswith("/"):
            word = node.args[0]
            if "$" in word.text:
                yield Refusal(word.span, f"relative folder {word.text}", "it holds a variable")
            else:
                edit = Edit(word.span.start, word.span.start, "/")
                yield Fix(
                    word.span, f"relative folder {word.text}", (edit,), Safety.UNSAFE, "it depends", "where it was"
                )


def _user(target: Target) -> Iterator[Finding]:
    for node in target.dockerfile.instructions:
        if isinstance(node, User) and node.args and node.args[0].text == "root":
            yield Advice(node.args[0].span, "runs as root")


def _broken(target: Target) -> Iterator[Finding]:
    """Breaks the file, so that the gates must catch it."""
    for node in target.dockerfile.instructions:
        if isinstance(node, Expose) and node.args:
            span = node.args[0].span
            yield Fix(span, "breaks", (Edit(*span, ""),), Safety.SAFE, "to be caught")


_INTERRUPTED: list[bool] = []


def _racy(target: Target) -> Iterator[Finding]:
    """Changes the file while dockfix works on it, as an editor might; or interrupts dockfix."""
    for node in target.dockerfile.instructions:
        if isinstance(node, Cmd) and node.args and node.args[0].text == "interrupt" and not _INTERRUPTED:
            _INTERRUPTED.append(True)
            signal.raise_signal(signal.SIGINT)
        if isinstance(node, Cmd) and node.args and node.args[0].text == "race":
            target.path.write_bytes(b"FROM changed\n")
            span = node.args[0].span
            yield Fix(span, "racy", (Edit(*span, "raced"),), Safety.SAFE, "to be refused")


def _crashes(target: Target) -> Iterator[Finding]:
    """Raises an exception, as a rule with a mistake does."""
    if "crash" in target.text:
        raise LookupError("no such thing")
    yield from ()


_NONE: frozenset[Effect] = frozenset()

REGISTRY = Registry(
    (
        Codemod("from-as", "AS next to FROM", Severity.INFO, Category.STYLE, frozenset({Effect.STAGES}), _from_as, "0"),
        Codemod(
            "workdir-abs", "Absolute folders", Severity.WARNING, Category.STYLE, frozenset({Effect.WORKDIR}), _workdir,
            "0", hadolint=frozenset({"DL3000"}), checks=frozenset({"WorkdirRelativePath"}),
            page="Folders.\n\n## Why\n\nBecause.\n\n```dockerfile\nWORKDIR /x\n```\n",
        ),
        Codemod(
            "user-root", "No root", Severity.ERROR, Category.SECURITY, _NONE, _user, "0",
            hadolint=frozenset({"DL3002"}),
        ),
        Codemod("crasher", "Crashes", Severity.INFO, Category.STYLE, _NONE, _crashes, "0", preset=Preset.ALL),
        Codemod("breaker", "Breaks", Severity.INFO, Category.STYLE, _NONE, _broken, "0", preset=Preset.ALL),
        Codemod("racer", "Races", Severity.INFO, Category.STYLE, frozenset({Effect.METADATA}), _racy, "0"),
    ),
    {"crasher": "toys"},
)  # fmt: skip

if __name__ == "__main__":
    os.environ.setdefault("TERM", "xterm")
    sys.exit(main(sys.argv[1:], REGISTRY))
