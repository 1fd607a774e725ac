"""The limits of BuildKit's parser: lines and bytes, directives, continuations, flags, JSON, heredocs."""

from __future__ import annotations

import time

import pytest

from dockfix.syntax.ast import to_json
from dockfix.syntax.parser import parse
from dockfix.syntax.source import decode
from dockfix.syntax.tree import Instruction
from dockfix.syntax.words import SubstitutionError, expand

TOO_LONG = "dockerfile line greater than max allowed size of 65535"


def messages(text: str) -> list[str]:
    return [problem.message for problem in parse(text).problems]


def last(text: str) -> Instruction:
    return parse("FROM a\n" + text).instructions[-1]


def words(text: str) -> list[str]:
    return [word.text for word in last(text).args]


@pytest.mark.parametrize("size", [65_534, 65_535, 65_536, 65_537])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("place", ["RUN ", "# ", "RUN a \\\n", "RUN a \\\n#", "RUN é"])
def test_length_of_a_line(size: int, end: str, place: str) -> None:
    """A line holds 65,536 bytes with its newline; one less without."""
    head, newline, start = place.rpartition("\n")
    line = start + "x" * (size - len((start + end).encode())) + end
    assert len(line.encode()) == size
    found = messages(f"FROM a\n{head}{newline}{line}")
    fits = size <= (65_536 if end else 65_535)
    assert found == ([] if fits else [TOO_LONG])


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_length_of_a_heredoc_line(size: int) -> None:
    """BuildKit stops reading there, so the heredoc has no end."""
    text = "FROM a\nRUN <<EOF\n" + "x" * (size - 1) + "\nEOF\n"
    assert messages(text) == ([] if size == 65_536 else ["unterminated heredoc"])


def test_length_of_the_first_line() -> None:
    """Nothing is read then, which BuildKit reports first."""
    assert messages("#" * 65_536 + "\nFROM a\n") == ["file with no instructions"]


def test_nothing_after_an_overlong_line_is_reported() -> None:
    text = "FROM a\nUSER\nRUN " + "x" * 70_000 + "\nNOPE\n"
    assert messages(text) == [TOO_LONG, "USER requires exactly one argument"]
    assert parse(text).problems[0].line == 3


def test_a_joined_line_has_no_limit() -> None:
    assert messages("FROM a\nRUN " + "x \\\n" * 40_000 + "y") == []


@pytest.mark.parametrize("char", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
def test_only_a_newline_ends_a_line(char: str) -> None:
    assert len(parse(f"FROM a\nRUN b{char}USER c\n").instructions) == 2


def test_all_trailing_carriage_returns_are_trimmed() -> None:
    assert words("USER a\r\r\n") == ["a"]


def test_a_lone_carriage_return_is_data() -> None:
    assert len(parse("FROM a\rRUN b\r").instructions) == 1


def test_a_byte_order_mark_is_dropped_once() -> None:
    assert messages("\ufeffFROM a\n") == []
    assert messages("\ufeff\ufeffFROM a\n") == ["unknown instruction: \ufeffFROM"]


@pytest.mark.parametrize(("char", "blank"), [("\x85", True), ("\xa0", True), ("\x1c", False), ("\x1f", False)])
def test_white_space_is_gos(char: str, blank: bool) -> None:
    assert (len(parse(f"FROM a\n{char}\n").instructions) == 1) is blank


def test_nul_and_invalid_utf8_are_kept() -> None:
    assert words("USER a\0b") == ["a\0b"]
    assert words(decode(b"USER a\xff")) == [decode(b"a\xff")]


@pytest.mark.parametrize(
    ("head", "escape"),
    [("# escape=`", "`"), ("#ESCAPE = ` ", "`"), ("  # escape=`", "`"), ("# syntax=x\n# escape=`", "`"),
     ("\n# escape=`", "\\"), ("# c\n# escape=`", "\\"), ("# foo=bar\n# escape=`", "\\"), ("#!x\n# escape=`", "\\"),
     ("# escape=", "\\")],
)  # fmt: skip
def test_where_the_escape_directive_is_effective(head: str, escape: str) -> None:
    assert parse(f"{head}\nFROM a\n").escape == escape


def test_syntax_tolerates_a_shebang_but_no_indent() -> None:
    assert "syntax" in parse("#!x\n# syntax=y\nFROM a\n").directives
    assert "syntax" not in parse(" # syntax=y\nFROM a\n").directives


@pytest.mark.parametrize(
    ("tail", "continues"),
    [
        ("\\", True),
        ("\\ \t", True),
        ("\\\\", False),
        ("\\\\\\", False),
        ("\\\x0b", False),
        ("\\\xa0", False),
        ("`", False),
    ],
)
def test_what_continues_a_line(tail: str, continues: bool) -> None:
    assert (len(parse(f"FROM a\nRUN b {tail}\nRUN c\n").instructions) == 2) is continues


def test_comments_and_blank_lines_do_not_end_an_instruction() -> None:
    assert words("RUN a \\\n# c \\\n\n  # d\n  b") == ["a   b"]


def test_words_may_be_split() -> None:
    assert parse("FR\\\nOM a\n").instructions[0].name == "FROM"


def test_flags_stop_at_two_dashes_and_quotes_hide_them() -> None:
    assert [flag.name for flag in last("RUN --network=host -- --x").flags] == ["network"]
    assert last('RUN "--network=host" x').flags == ()


@pytest.mark.parametrize("text", ["['a']", '["a",]', '["a"] x', '["C:\\windows"]', '["a" "b"]', "[1e999]"])
def test_inexact_json_is_shell_form(text: str) -> None:
    assert not last(f"CMD {text}").json
    assert words(f"CMD {text}") == [text]


def test_json_of_other_values_is_rejected_at_any_depth() -> None:
    refused = ["when using JSON array syntax, arrays must be comprised of strings only"]
    for text in ("[1]", "[null]", '[{"a": []}]', "[" * 9_000 + "]" * 9_000):
        assert messages(f"FROM a\nCMD {text}\n") == refused
    assert messages("FROM a\nCMD " + "[" * 10_001 + "]" * 10_001) == []


@pytest.mark.parametrize("word", ["cat<<EOF", "<<<EOF", "<<- EOF", "'<<EOF'", '"<<EOF"', "it's <<EOF", "${} <<EOF"])
def test_not_a_heredoc(word: str) -> None:
    assert last(f"RUN {word}\n").heredocs == ()


@pytest.mark.parametrize(
    ("word", "name", "expands"),
    [("<<EOF", "EOF", True), ("<< EOF", "EOF", True), ("<<EOF;", "EOF;", True), ("<<'EOF'", "EOF", False),
     ('<<"E F"', "E F", False), ("<<E'O'F", "EOF", False), ("<<E\\OF", "EOF", True), ("# <<EOF", "EOF", True)],
)  # fmt: skip
def test_heredocs(word: str, name: str, expands: bool) -> None:
    heredoc = last(f"RUN x {word}\nbody \\\n# c\n{name} \n{name}\n").heredocs[0]
    assert (heredoc.name, heredoc.expand, heredoc.content) == (name, expands, f"body \\\n# c\n{name} \n")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("${A#a}", "bcabc"), ("${A##*b}", "c"), ("${A%b*}", "abca"), ("${A%%b*}", "a"), ("${A/b/x}", "axcabc"),
     ("${A//b/x}", "axcaxc"), ("${A//*/x}", "x"), ("${A///-}", "-a-b-c-a-b-c-"), ("${N:-d}", "d"), ("${N/*/x}", "x"),
     ("'$A'", "$A"), ('"$A"', "abcabc"), ("\\$A", "$A"), ("${A+y}", "y")],
)  # fmt: skip
def test_expansion_is_the_same_as_in_buildkit(word: str, expected: str) -> None:
    assert expand(word, {"A": "abcabc"}.get).text == expected


@pytest.mark.parametrize("word", ["${", "${}", "${A", "${A^}", "'", '"', "${N?gone}", "${A#\\x}"])
def test_expansion_errors(word: str) -> None:
    with pytest.raises(SubstitutionError):
        expand(word, {"A": "a"}.get)


@pytest.mark.parametrize(
    "text",
    ["# escape=a" + " " * 300_000 + "b", "RUN <<x " + '"' * 100_000, "RUN <<x " + "${" * 50_000, "RUN " + "[" * 200_000,
     "RUN a" + "\\\n" * 100_000, "RUN a \\\n" + "# c\n" * 50_000, "COPY " + "<<E " * 3_000 + "/x\n" + "E\n" * 3_000],
    ids=["blanks", "quotes", "braces", "brackets", "continuations", "comments", "heredocs"],
)  # fmt: skip
def test_no_input_takes_long(text: str) -> None:
    """Each of these takes well under a second where the cost is linear, and minutes where it is not."""
    start = time.process_time()
    parse("FROM a\n" + text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("text", ["ARG a\n", "# only\nARG a=1\nARG b\n"])
def test_a_file_without_a_stage(text: str) -> None:
    # moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go; both of its parsers accept the file
    assert messages(text) == ["dockerfile contains no stages to build"]
    assert to_json(parse(text))["ok"] is True


def test_parser_errors_precede_the_missing_stage() -> None:
    assert messages("ARG a\nRUN x\n") == ["no build stage in current context"]
    assert messages("ARG\n") == ["ARG requires at least one argument"]
