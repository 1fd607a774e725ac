"""Joining scripts: when two RUNs mean the same in one shell."""

from __future__ import annotations

import pytest

from dockfix.facts.commands import Commands, commands_of
from dockfix.facts.model import Known
from dockfix.syntax.parser import parse
from dockfix_codemods.apt_purge.scripts import append_operator, join_all, join_result

SH = ("/bin/sh", "-c")
STRICT = ("/bin/bash", "-e", "-c")


def script(text: str, shell: tuple[str, ...] = SH) -> Commands:
    return commands_of(parse(f"FROM a\nRUN {text}\n").instructions[1], Known(shell))


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("a && b", "&&"),
        ("a", "&&"),
        ("a || b", "&&"),
        ("a; b", "&&"),
        ("set -e; a; b", ";"),
        ("set -e; a && b", "&&"),
        ("set -e; ! a", "&&"),
        ("a || exit 1", "&&"),
        ("(exit 0)", "&&"),
    ],
)
def test_behind(text: str, operator: str) -> None:
    assert append_operator(script(text)).operator == operator


@pytest.mark.parametrize("text", ["a;", "a &", "a # b", "a && exit", "exit 0", "exec a", "exit $X", "if a; then"])
def test_nothing_goes_behind(text: str) -> None:
    assert append_operator(script(text)).why


def test_errexit_of_the_shell_counts() -> None:
    assert append_operator(script("a; b", STRICT)).operator == ";"


@pytest.mark.parametrize(
    ("first", "second", "operator"),
    [
        ("a", "b && c", "&&"),
        ("a || b", "c", "&&"),
        ("set -ex; a", "set -e; b; c", ";"),
        ("set -e; a", "b && c", ";"),
        ("set -e && a", "b && c", "&&"),
        ("(cd x && a)", "b", "&&"),
        ("V=1 && a $V", "b", "&&"),
        ("a", "if b; then c; fi", "&&"),
        ("a", "cd x && b", "&&"),
    ],
)
def test_joined(first: str, second: str, operator: str) -> None:
    found = join_result(script(first), script(second), ())
    assert (found.operator, found.why) == (operator, "")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "b || c"),
        ("a", "b; c"),
        ("a", "set -e; b; c"),
        ("set -e; a", "b; c"),
        ("set -e && a", "for x in 1 2; do b; c; done"),
        ("set -u; a", "b"),
        ("cd x && a", "b"),
        ("{ cd x; } && a", "b"),
        ("export A=1 && a", "b"),
        ("umask 077 && a", "b"),
        (". ./env && a", "b"),
        ("trap c EXIT && a", "b"),
        ("V=1 && a", "b $V"),
        ("f() { a; } && f", "b"),
    ],
)
def test_refused(first: str, second: str) -> None:
    assert join_result(script(first), script(second), ()).why


def test_a_name_of_the_environment_is_seen_without_being_named() -> None:
    first, second = script("PATH=/x:$PATH && a"), script("b")
    assert join_result(first, second, ()).why == ""
    assert join_result(first, second, ("PATH",)).why == "it sets PATH, which the next RUN reads"


def test_different_shells_are_not_joined() -> None:
    assert join_result(script("a"), script("b", STRICT), ()).why == "the two run in different shells"


def test_what_leaks_past_a_script_in_between_is_seen() -> None:
    assert join_all([script("V=1 && a"), script("b"), script("c $V")], ()).why


def test_lists_of_different_kinds_are_joined_by_and() -> None:
    assert join_all([script("set -e; a"), script("b && c"), script("d")], ()).operator in ("&&", ";")
    assert join_all([script("set -e; a"), script("set -e; b && c"), script("set -e; d; e")], ()).why
