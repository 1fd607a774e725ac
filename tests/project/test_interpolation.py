"""Variables and `.env` files, by the rules that compose-spec `12-interpolation.md` and compose-go's packages `template`
and `dotenv` document.
"""

from __future__ import annotations

import time

import pytest

from dockfix.project.compose.interpolation import EnvFileError, Environment, interpolate, interpolated, parse_env

ENV = Environment({"SET": "one", "EMPTY": "", "OPEN": None, "_x1": "under"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # no variable
        ("", ""),
        ("plain", "plain"),
        # $$ is a dollar
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("$$$SET", "$one"),
        # given
        ("$SET", "one"),
        ("${SET}", "one"),
        ("<$SET-$EMPTY>", "<one->"),
        ("$_x1", "under"),
        ("${SET}-${_x1}", "one-under"),
        # not given: never guessed
        ("$NONE", None),
        ("${NONE}", None),
        ("$OPEN", None),
        ("a${SET}${NONE}", None),
        # a default for what is not given, or empty
        ("${NONE:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${SET:-d}", "one"),
        ("${OPEN:-d}", None),
        ("${NONE:-}", ""),
        # a default for what is not given
        ("${NONE-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${SET-d}", "one"),
        ("${OPEN-d}", None),
        # required
        ("${SET:?e}", "one"),
        ("${SET?e}", "one"),
        ("${EMPTY?e}", ""),
        ("${EMPTY:?e}", None),
        ("${NONE:?e}", None),
        ("${NONE?e}", None),
        # an alternative for what is given; the process may give what `.env` does not
        ("${SET:+a}", "a"),
        ("${SET+a}", "a"),
        ("${EMPTY:+a}", ""),
        ("${EMPTY+a}", "a"),
        ("${OPEN+a}", "a"),
        ("${OPEN:+a}", None),
        ("${NONE:+a}", None),
        ("${NONE+a}", None),
        # operands hold variables
        ("${NONE:-${SET}}", "one"),
        ("${NONE:-$SET-${EMPTY:-x}}!", "one-x!"),
        ("${NONE:-${NOR:-z}}-", "z-"),
        ("${NONE:-${NOR}}", None),
        ("${SET:-${NOR}}", "one"),
        ("${SET:+${_x1}}", "under"),
        ("${NONE:-$$5}", "$5"),
        # the operator is the one right after the name
        ("${NONE-a:-b}", "a:-b"),
        ("${NONE:-a-b?c+d}", "a-b?c+d"),
        ("${NONE:--}", "-"),
        # braces
        ("${NONE:-{}}", "{}"),
        ('${NONE:-{"a": 1}}', '{"a": 1}'),
        ("${NONE:-a}}", "a}"),
        ("${NONE:-a} ${SET:-b} }", "a one }"),
        ("{${SET}}", "{one}"),
        # what is no valid template
        ("${", None),
        ("${}", None),
        ("${ }", None),
        ("${ SET}", None),
        ("${SET }", None),
        ("${SET!}", None),
        ("${SET", None),
        ("${NONE:-y", None),
        ("${1}", None),
        ("${NONE:-a\nb}", None),
        # a dollar before what can be no name
        ("cost: 5$", "cost: 5$"),
        ("$5 $(x) $", "$5 $(x) $"),
        # names are ASCII
        ("$SETé", "oneé"),
    ],
)
def test_interpolation(text: str, expected: str | None) -> None:
    assert interpolate(text, ENV) == expected


def test_a_variable_of_compose_has_no_default() -> None:
    assert interpolate("${COMPOSE_PROJECT_NAME:-x}") is None
    assert interpolate("${COMPOSE_PROJECT_NAME:-x}", Environment({"COMPOSE_PROJECT_NAME": "y"})) == "y"


def test_with_an_unreadable_file_nothing_is_known() -> None:
    env = Environment({"A": "1"}, complete=False)
    assert [interpolate(text, env) for text in ("$A", "${B:-d}", "${B+d}")] == ["1", None, "d"]


@pytest.mark.parametrize(
    ("text", "secret"), [("a$$", False), ("${NONE:-d}", False), ("${SET}", True), ("${NONE:-x$SET}", True)]
)
def test_what_comes_from_a_file_is_marked(text: str, secret: bool) -> None:
    assert interpolated(text, ENV).secret is secret


@pytest.mark.parametrize(
    "text",
    [
        "${A:-" * 5000 + "}" * 5000,
        "${A:-x}" * 30_000,
        "${A:-{" * 20_000,
        "$" * 200_001,
        "${A:-}}" * 30_000,
        "${" * 9999,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    interpolate(text, ENV)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# only\n\n   # comments", {}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=", {"A": ""}),
        ("A=\nB=1", {"A": "", "B": "1"}),
        ("  A = 1  ", {"A": "1"}),
        ("A: 1", {"A": "1"}),
        ("a.b-c[0]=1", {"a.b-c[0]": "1"}),
        ("export A=1\nexport\tB=2", {"A": "1", "B": "2"}),
        ("exported=1", {"exported": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        # a name alone has the value of the process
        ("A\nB=1", {"B": "1"}),
        ("export A\n", {}),
        ("A", {}),
        # comments
        ("A=1 # c", {"A": "1"}),
        ("A=1# c", {"A": "1# c"}),
        ("A=a#b", {"A": "a#b"}),
        ("A='x' # c\nB=1", {"A": "x", "B": "1"}),
        # quotes
        ("A='1 # 2'", {"A": "1 # 2"}),
        ('A="1 # 2"', {"A": "1 # 2"}),
        ("A=x'y'", {"A": "x'y'"}),
        ("A='a\nb'\nB=1", {"A": "a\nb", "B": "1"}),
        (r"A='a\'b\n'", {"A": r"a'b\n"}),
        (r'A="a\"b"', {"A": 'a"b'}),
        (r'A="a\nb\tc\\d"', {"A": "a\nb\tc\\d"}),
        (r'A="\x\c\101\0101"', {"A": r"\x\c\101A"}),
        (r'A="\0777"', {"A": r"\777"}),
        (r"A=a\nb", {"A": r"a\nb"}),
        # variables: not in single quotes
        ("A=1\nB=$A-${A}", {"A": "1", "B": "1-1"}),
        ("A=1\nB='$A'", {"A": "1", "B": "$A"}),
        ('A=1\nB="$A"', {"A": "1", "B": "1"}),
        (r'A="\$B"', {"A": "$B"}),
        ("A=$$B", {"A": "$B"}),
        ("A=${B:-x}", {"A": "x"}),
        ("A=$B\nB=1", {"A": None, "B": "1"}),
        ("A=$B\nC=${A:-x}", {"A": None, "C": None}),
    ],
)
def test_env_files(text: str, expected: dict[str, str | None]) -> None:
    assert parse_env(text) == expected


def test_an_outer_value_wins_in_an_env_file() -> None:
    assert parse_env("A=1\nB=$A$C", Environment({"A": "outer", "C": "c"})) == {"A": "1", "B": "outerc"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nB='secret", 2),
        ('\n\nB="secret\n\n', 3),
        ("A=1\nsecret word=1", 2),
        ("secret word\n", 1),
        ("se%cret=1", 1),
        ("A='x'\n=\n{secret}\n", 3),
    ],
)
def test_env_files_that_compose_refuses(text: str, line: int) -> None:
    with pytest.raises(EnvFileError) as caught:
        parse_env(text)
    assert caught.value.line == line
    assert "secret" not in caught.value.message


def test_a_large_env_file_is_read_in_time() -> None:
    start = time.process_time()
    found = parse_env("\n".join(f"A{i}=${{A{i - 1}}}x" for i in range(1, 2000)) + "\nB=1" * 40_000, ENV)
    assert found["A1"] is None
    assert time.process_time() - start < 5


def test_values_that_double_are_unknown_before_they_fill_the_memory() -> None:
    found = parse_env("A0=x\n" + "\n".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}" for i in range(1, 200)))
    assert (found["A3"], found["A199"]) == ("xxxxxxxx", None)
