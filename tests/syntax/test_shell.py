"""Shell text becomes the commands that a shell would run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.syntax.shell import (
    Context,
    Script,
    ShellKind,
    SimpleCommand,
    nested_scripts,
    parse_shell,
    quote,
    shell_kind,
    shell_options,
)


def only(text: str) -> SimpleCommand:
    (command,) = parse_shell(text).commands
    return command


def names(script: Script) -> list[str | None]:
    return [command.name for command in script.commands]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("plain", "plain"),
        ("'single $x'", "single $x"),
        ('"double"', "double"),
        ('"torch>=2.4.0,<3"', "torch>=2.4.0,<3"),
        ("a\\ b", "a b"),
        ('"say \\"hi\\" \\$HOME \\\\ \\n"', 'say "hi" $HOME \\ \\n'),
        ("'a'\"b\"c", "abc"),
        ("--opt=value", "--opt=value"),
        ("pkg=1.2.*", None),
        ("'pkg=1.2.*'", "pkg=1.2.*"),
        ("$x", None),
        ('"$x"', None),
        ("${x:-y}", None),
        ("$(id -u)", None),
        ("`id -u`", None),
        ("$((1+2))", None),
        ("{a,b}", None),
        ("x{1..3}y", None),
        ("'{a,b}'", "{a,b}"),
        ("~/x", None),
        ("a~b", "a~b"),
        ("[ab]", None),
        ("$'a\\tb'", "a\tb"),
        ("''", ""),
        ("10001", "10001"),
        ("user:group", "user:group"),
    ],
)
def test_value_of_a_word(word: str, value: str | None) -> None:
    command = parse_shell(f"echo {word}").commands[0]
    assert [each.text for each in command.args] == [word]
    assert command.args[0].value == value


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_values_are_what_a_real_shell_passes(shell: str, require_tool: Callable[[str], Path]) -> None:
    program = require_tool(shell)
    text = r"""printf '%s\0' plain 'a b' "c d" e\ f 'x'"y"z "q\"r" "s\\t" "u\v" '' --o='v w' "it's" a\\b 'p*' \*"""
    command = only(text)
    run = subprocess.run([program, "-c", text], capture_output=True, check=True, text=True)
    assert [word.value for word in command.args[1:]] == run.stdout.split("\0")[:-1]


@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=4
    )
)
def test_quoted_words_come_back(words: list[str]) -> None:
    text = "echo " + " ".join(quote(word) for word in words)
    script = parse_shell(text)
    if script.ok and len(script.commands) == 1:
        assert [word.value for word in script.commands[0].args] == words


@given(st.text(alphabet="ab $(){}|&;<>'\"\\`\n#=*[]!-é\udc80", max_size=60))
def test_any_text_is_read_with_sound_spans(text: str) -> None:
    script = parse_shell(text)
    for command in script.commands:
        assert 0 <= command.start <= command.end <= len(text)
        for word in command.words:
            assert text[word.start : word.end] == word.text


def test_operators_stand_beside_their_commands() -> None:
    script = parse_shell("a && b || c; d | e &\nf")
    shown = [
        (command.name, command.before and command.before.text, command.after and command.after.text)
        for command in script.commands
    ]
    assert shown == [
        ("a", None, "&&"),
        ("b", "&&", "||"),
        ("c", "||", ";"),
        ("d", None, "|"),
        ("e", "|", None),
        ("f", "&", None),
    ]
    assert [type(statement).__name__ for statement in script.top_level] == [
        "SimpleCommand",
        "SimpleCommand",
        "SimpleCommand",
        "Compound",
        "SimpleCommand",
    ]
    assert script.top_level[3].after is not None
    assert script.top_level[3].after.text == "&"


def test_a_newline_separates() -> None:
    script = parse_shell("set -eux\nfoo\n\nbar")
    assert [command.before.text if command.before else None for command in script.commands] == [None, "\n", "\n"]


@pytest.mark.parametrize(
    ("text", "name", "context"),
    [
        ("a && x && b", "x", Context.NONE),
        ("a || x", "x", Context.CONDITIONAL),
        ("x || a", "x", Context.NONE),
        ("a || b && x", "x", Context.CONDITIONAL),
        ("a || b; x", "x", Context.NONE),
        ("a | x", "x", Context.PIPELINE),
        ("(x)", "x", Context.SUBSHELL),
        ("{ x; }", "x", Context.GROUP),
        ("if x; then a; fi", "x", Context.CONDITIONAL),
        ("if a; then x; fi", "x", Context.CONDITIONAL),
        ("if a; then b; else x; fi", "x", Context.CONDITIONAL),
        ("if a; then b; elif c; then x; fi", "x", Context.CONDITIONAL),
        ("for i in 1 2; do x; done", "x", Context.LOOP),
        ("while a; do x; done", "x", Context.LOOP),
        ("case $y in a) x;; esac", "x", Context.CONDITIONAL),
        ("f() { x; }", "x", Context.FUNCTION | Context.GROUP),
        ("a $(x)", "x", Context.SUBSTITUTION),
        ('a "$(x)"', "x", Context.SUBSTITUTION),
        ("a `x`", "x", Context.SUBSTITUTION),
        ("! x", "x", Context.NEGATED),
        ("x &", "x", Context.BACKGROUND),
        ("cat <<EOF | x\nhi\nEOF\n", "x", Context.PIPELINE),
        ("a || (x)", "x", Context.SUBSHELL | Context.CONDITIONAL),
        ("V=$(x) a", "x", Context.SUBSTITUTION),
    ],
)
def test_context(text: str, name: str, context: Context) -> None:
    (command,) = [each for each in parse_shell(text).commands if each.name == name]
    assert command.context == context


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set -e; x", True),
        ("set -eux; x", True),
        ("set -o errexit; x", True),
        ("set -euo pipefail; x", True),
        ("set -x; x", False),
        ("set -e; set +e; x", False),
        ("x; set -e", False),
        ("(set -e); x", False),
        ("set -uxo pipefail && x", False),
    ],
)
def test_errexit(text: str, expected: bool) -> None:
    (command,) = [each for each in parse_shell(text).commands if each.name == "x"]
    assert command.errexit is expected


def test_assignments_redirects_and_declarations() -> None:
    command = only("A=1 B=$x cmd arg >out 2>&1")
    assert [(each.name, each.value.value if each.value else None) for each in command.assignments] == [
        ("A", "1"),
        ("B", None),
    ]
    assert [each.operator for each in command.redirects] == [">", ">"] or [
        each.operator for each in command.redirects
    ] == [">", ">&"]
    export = only("export A=b C")
    assert export.values() == ("export", "A=b", "C")
    assert export.assignments[0].name == "A"
    script = parse_shell("X=1; for Y in a; do read Z; done; echo $X $W ${V:-$U}")
    assert script.assigned == {"X", "Y", "Z"}
    assert script.variables == {"X", "W", "V", "U"}


def test_tests_are_commands() -> None:
    script = parse_shell('[ -f x ] && [[ -n "$y" ]]')
    assert names(script) == ["[", "[["]
    assert script.commands[0].values() == ("[", "-f", "x", "]")


def test_heredocs_are_data() -> None:
    script = parse_shell("cat <<EOF > x && sh y\nrm -rf / $A\nEOF\nz")
    assert names(script) == ["cat", "sh", "z"]
    assert script.commands[1].before is not None
    assert script.commands[1].before.text == "&&"


def test_offsets_are_characters() -> None:
    text = "echo äöü && printf é"
    script = parse_shell(text)
    assert [text[command.start : command.end] for command in script.commands] == ["echo äöü", "printf é"]


def test_broken_text_has_problems_and_no_exception() -> None:
    assert not parse_shell("if true; then").ok
    assert not parse_shell("(" * 10_000).ok
    assert not parse_shell("a " + "$(" * 5_000).ok
    assert parse_shell("a && " * 3_000 + "b").ok


def test_nested_scripts() -> None:
    (nested,) = nested_scripts(only("bash -lc 'a && b'"))
    assert (nested.text, nested.offset) == ("a && b", 10)
    (escaped,) = nested_scripts(only('sh -c "a \\"b\\""'))
    assert (escaped.text, escaped.offset) == ('a "b"', None)
    assert nested_scripts(only("sh -c $x")) == ()
    assert nested_scripts(only("sh script.sh")) == ()


@pytest.mark.parametrize(
    ("argv", "kind", "options"),
    [
        (["/bin/sh", "-c"], ShellKind.POSIX, set()),
        (["/bin/bash", "-o", "pipefail", "-c"], ShellKind.BASH, {"pipefail"}),
        (["/bin/bash", "-euo", "pipefail", "-c"], ShellKind.BASH, {"errexit", "nounset", "pipefail"}),
        (["/usr/bin/env", "bash"], ShellKind.BASH, set()),
        (["powershell", "-Command"], ShellKind.POWERSHELL, set()),
        (["cmd", "/S", "/C"], ShellKind.CMD, set()),
        (["C:\\Windows\\System32\\cmd.exe"], ShellKind.CMD, set()),
        (["python3"], ShellKind.OTHER, set()),
    ],
)
def test_shell_kind_and_options(argv: list[str], kind: ShellKind, options: set[str]) -> None:
    assert shell_kind(argv) is kind
    assert shell_options(argv) == options
