"""apt-purge joins scripts only if one shell runs them like two."""

from __future__ import annotations

import pytest

from dockfix.facts.commands import Commands, commands_of
from dockfix.facts.joining import append_operator, join_operator, pair_operator
from dockfix.facts.model import Known, Refused
from dockfix.syntax.parser import parse

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
def test_the_operator_that_appends(text: str, operator: str) -> None:
    assert append_operator(script(text)) == operator


@pytest.mark.parametrize("text", ["a;", "a &", "a # b", "a && exit", "exit 0", "exec a", "exit $X", "if a; then"])
def test_nothing_can_be_appended(text: str) -> None:
    with pytest.raises(Refused):
        append_operator(script(text))


def test_errexit_of_the_shell_counts() -> None:
    assert append_operator(script("a; b", STRICT)) == ";"


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
    assert pair_operator(script(first), script(second), ()) == operator


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
    with pytest.raises(Refused):
        pair_operator(script(first), script(second), ())


def test_a_name_of_the_environment_is_seen_without_being_named() -> None:
    first, second = script("PATH=/x:$PATH && a"), script("b")
    assert pair_operator(first, second, ()) == "&&"
    with pytest.raises(Refused, match="it sets `PATH`, which the next RUN reads"):
        pair_operator(first, second, ("PATH",))


def test_different_shells_are_not_joined() -> None:
    with pytest.raises(Refused, match="different shells"):
        pair_operator(script("a"), script("b", STRICT), ())


def test_what_leaks_past_a_script_in_between_is_seen() -> None:
    with pytest.raises(Refused, match="it sets `V`"):
        join_operator([script("V=1 && a"), script("b"), script("c $V")], ())


def test_lists_of_different_kinds_are_joined_by_and() -> None:
    assert join_operator([script("set -e; a"), script("b && c"), script("d")], ()) in ("&&", ";")
    with pytest.raises(Refused, match="different operators"):
        join_operator([script("set -e; a"), script("set -e; b; c && d"), script("e")], ())
