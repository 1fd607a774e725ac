"""Each `dockfix ...` that a page shows is one that the command line takes, with rules that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from dockfix.cli.app import app
from dockfix.rule.registry import load_registry
from tests.commands import PROGRAMS, SCRIPTS, SHELL, SHOWN, Block, blocks, calls

# What stands for a value in a text.
PLACEHOLDERS = {
    "RULE": "cache-mount", "rule": "cache-mount", "python|node|go|rust|java": "python",
    "NAME": "name", "FILE": "Dockerfile", "DIR": "folder",
}  # fmt: skip
# What acts as soon as it is parsed.
AT_ONCE = {("--install-completion",), ("--version",)}
# Texts that name an option, and leave out its value; and those that name a command, and leave out its argument.
INCOMPLETE = {
    ("check", "--baseline"), ("check", "--changed-since"), ("check", "--fail-level"), ("check", "--format"),
    ("explain",), ("init",), ("migrate",), ("new",),
}  # fmt: skip
TUTORIAL = "author-label"


def fault(arguments: tuple[str, ...], group: Any) -> str:
    """Why the command line refuses arguments; empty if it takes them. Nothing is run."""
    if arguments in AT_ONCE:
        return "" if any(arguments[0] in each.opts for each in group.params) else f"no option {arguments[0]}"
    words = [PLACEHOLDERS.get(each, each) for each in arguments]
    try:
        context = group.make_context("dockfix", words)
        name, command, rest = group.resolve_command(context, [*getattr(context, "_protected_args", ()), *context.args])
        parsed = command.make_context(name, rest, parent=context).params
        rules = parsed.get("rule") or ()
        for rule in (rules,) if isinstance(rules, str) else (*rules, *(parsed.get("skip") or ())):
            if rule != TUTORIAL:
                load_registry().named(rule)
    except Exception as error:  # typer's click may be its own
        return str(getattr(error, "format_message", error.__str__)())
    return ""


def shown() -> Iterator[tuple[Block, tuple[str, ...]]]:
    """The calls of dockfix in blocks and spans of all pages."""
    for block in blocks():
        if block.language in SHELL | SCRIPTS or (block.language == "span" and block.text.startswith("dockfix ")):
            text = "\n".join(block.commands) if block.language in SHELL else block.text
            yield from ((block, call) for call in calls(text))


@pytest.fixture(scope="module")
def group() -> Any:
    return typer.main.get_command(app)


def test_every_call_of_dockfix_is_one_that_it_takes(group: Any) -> None:
    found = list(shown())
    assert len(found) > 200
    assert {"check", "apply", "report", "verify", "migrate"} <= {call[0] for _, call in found if call}
    wrong = {
        f"{block.name}: dockfix {' '.join(call)}: {why}"
        for block, call in found
        if call not in INCOMPLETE and (why := fault(call, group))
    }
    assert sorted(wrong) == []


@pytest.mark.parametrize(
    "line",
    [
        "dockfix chekc", "dockfix check --formt json", "dockfix check --format jsno",
        "dockfix apply --rule cache-muont",
        "dockfix explain DL0000", "script: dockfix check --format gitlba -o x",
        "a && dockfix check --fail-level bad | b",
        "sh 'dockfix check --nothing'", "dockfix explain",
    ],
)  # fmt: skip
def test_a_wrong_call_is_found(line: str, group: Any) -> None:
    (call,) = calls(line)
    assert fault(call, group)


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("$ dockfix check -f json | jq .", ("check", "-f", "json")),
        ("dockfix check . # all of it", ("check", ".")),
        ("dockfix check --quiet || { exit 1; }", ("check", "--quiet")),
        ("run: 'dockfix check --quiet'", ("check", "--quiet")),
        ("dockfix apply --diff > x.patch; rm y", ("apply", "--diff")),
        ("uvx dockfix --version", ("--version",)),
    ],
)
def test_where_a_call_ends(line: str, call: tuple[str, ...]) -> None:
    assert list(calls(line)) == [call]


def test_no_block_of_commands_escapes() -> None:
    """A block is of commands that are run, of scripts that are read, or has no command; there is no other kind."""
    unknown = {
        (block.name, block.language)
        for block in blocks()
        if block.language not in SHELL | SHOWN | SCRIPTS | {"span", ""}
    }
    assert unknown == set()
    hidden = [
        f"{block.name}: {line}"
        for block in blocks()
        if block.language in SHOWN | {""}
        for line in block.text.splitlines()
        if PROGRAMS.match(line.removeprefix("$ ")) and line.startswith(("$ ", "dockfix "))
    ]
    assert hidden == []
    silent = [f"{block.name}: {block.text}" for block in blocks() if block.language in SHELL and not block.commands]
    assert silent == []
