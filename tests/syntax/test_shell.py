"""Shell text: words against the shells themselves, the grammar against ``sh -n``, and what codemods rely on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockfix.syntax.shell import (
    Compound,
    Context,
    Script,
    ShellKind,
    SimpleCommand,
    expand_heredoc,
    literal,
    nested_script,
    nested_scripts,
    parse_shell,
    quote,
    shell_kind,
    shell_options,
)

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def only(text: str) -> SimpleCommand:
    script = parse_shell(text)
    assert script.ok, script.problems
    assert len(script.commands) == 1
    return script.commands[0]


def names(script: Script) -> list[str | None]:
    return [command.name for command in script.commands]


def named(text: str, name: str) -> SimpleCommand:
    return next(command for command in parse_shell(text).commands if command.name == name)


def accepts(shell: str, text: str) -> bool:
    return subprocess.run([shell, "-n"], input=text.encode(), capture_output=True, check=False).returncode == 0


def printed(shell: str, text: str, folder: str) -> list[str]:
    """What the shell makes of the words of ``text``."""
    run = subprocess.run(
        [shell, "-c", "printf '%s\\0' " + text], capture_output=True, check=True, cwd=folder, env={"PATH": os.defpath}
    )
    return run.stdout.decode(errors="surrogateescape").split("\0")[:-1]


LITERAL_WORDS = [
    "plain",
    "'single quoted'",
    '"double quoted"',
    "\"a\"b'c'd",
    r"\ leading x\$ a\ b",
    r'"a\"b\$c\`d\\e\f"',
    "'a\\b'",
    '"torch>=2.4.0,<3"',
    "a=b --flag=x,y {} {a} a{b}c } {",
    "''",
    '""',
    "a\\\nb",
    '"a\\\nb"',
    "a#b x$ \"$\" a$/b '$x'",
    "[ a] ]b [] x]y",
    "é 'ü' \"ñ\" \u00a0",
    "a~b b:~x",
    "'*' \\* \"?\" '[a]' \\{a,b\\}",
    '"it\'s" \'say "hi"\'',
    "a\\",
    "--x='a b'\"c d\"",
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", LITERAL_WORDS)
def test_literal_values_are_what_the_shell_passes_on(shell: str, text: str, tmp_path: object) -> None:
    command = only("printf " + text)
    values = list(command.values()[1:])
    assert None not in values
    assert values == printed(shell, text, str(tmp_path))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab '\"\\$`*?[]{},.~#=:!;|&<>()\n\té", max_size=12))
def test_a_word_with_a_value_is_literal_for_every_shell(text: str) -> None:
    script = parse_shell("printf " + text)
    if not script.ok or len(script.commands) != 1 or script.comments:
        return
    command = script.commands[0]
    values = command.values()[1:]
    if not values or None in values or command.redirects or command.after:
        return
    for shell in SHELLS:
        assert printed(shell, text, "/") == list(values)


@given(st.text(alphabet="ab '\"\\$`*?[]{},;|&<>()\n#!=éif do", max_size=40))
def test_parsing_never_raises_and_spans_hold(text: str) -> None:
    script = parse_shell(text)
    for command in script.commands:
        assert 0 <= command.start <= command.end <= len(text)
        for word in command.words:
            assert text[word.start : word.end] == word.text
            mapped = literal(word)
            assert (None if mapped is None else mapped.text) == word.value
        for operator in (command.before, command.after):
            assert operator is None or text[operator.start : operator.end] == operator.text
    assert list(script.commands) == sorted(script.commands, key=lambda each: (each.start, -each.end))


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20))
def test_quote_is_read_back(value: str) -> None:
    assert only("x " + quote(value)).values() == ("x", value)


@pytest.mark.parametrize(
    "word",
    [
        "$x", "${x}", '"$x"', "$(x)", "`x`", "$((1+1))", '"a`x`"', "*.py", "a?", "[a-z]", "x[ab]y", "{a,b}", "a{1..3}",
        "~", "~/x", "~root", "A=~/x", "A=b:~/x", "$'a\\n'", '$"a"', "<(x)", '"${x:-y}"', "$1", "$@", '"$?"',
    ],
)  # fmt: skip
def test_words_that_may_expand_have_no_value(word: str) -> None:
    command = parse_shell("cmd " + word).commands[0]
    assert command.args[0].text == word
    assert command.args[0].value is None


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("'single $x'", "single $x"), ('"torch>=2.4.0,<3"', "torch>=2.4.0,<3"), ("a\\ b", "a b"), ("\\ x", " x"),
        ('"say \\"hi\\" \\$HOME \\\\ \\n"', 'say "hi" $HOME \\ \\n'), ("'a'\"b\"c", "abc"),
        ("--opt=value", "--opt=value"), ("pkg=1.2.*", None), ("'pkg=1.2.*'", "pkg=1.2.*"),
        ("x{1..3}y", None), ("'{a,b}'", "{a,b}"), ("a~b", "a~b"),
        ("''", ""), ("10001", "10001"), ("user:group", "user:group"), ("a\\\nb", "ab"), ("{}", "{}"), ("$", "$"),
        ("user@host", "user@host"), ("a=~b", None), ("a#b", "a#b"), ("x!", "x!"), ("é", "é"),
    ],
)  # fmt: skip
def test_value_of_a_word(word: str, value: str | None) -> None:
    command = only(f"echo {word} z")
    assert [each.text for each in command.args] == [word, "z"]
    assert command.args[0].value == value
    assert command.args[0].quoted == any(mark in word for mark in "'\"\\")


def test_variables() -> None:
    script = parse_shell('a=$one b "$two${three:-$four}" ${#five} $((six + 7)) $(x "$eight") `y $nine` $1 $@ \'$no\'')
    assert script.variables == {"one", "two", "three", "four", "five", "six", "eight", "nine", "1", "@"}
    words = next(command for command in script.commands if command.name == "b").args
    assert words[0].variables == ("two", "three", "four")


def test_variables_of_arithmetic() -> None:
    """GNU Bash manual 6.5: an index and the operands of `-gt` and the like are arithmetic, so a name needs no `$`."""
    script = parse_shell('a[one]=1 && b[$two]+=2 && [[ three -gt "$four" && -n five && six -eq 7 ]] && c="[eight]=9"')
    assert script.ok
    assert script.variables == {"one", "two", "three", "four", "six"}
    assert script.assigned == {"a", "b", "c"}


ACCEPTED = [
    "a && b || c; d | e & f", "! a | b", "(a; b) && { c; } >x", "if a; then b; elif c; then d; else e; fi",
    "if (a) then (b) fi", "{ (a) }", "for i in a b; do c; done", "for i do c; done", "for i in; do c; done",
    "for i\nin a\ndo c\ndone", "while a; do b; done <x", "until a\ndo b\ndone", "case a in (b|c) d ;; *) e; esac",
    "case a in esac", "case $x in\nb)\n;;\nesac", "f() { a; }", "f() ( a )", "A=1", "A=1 >x", ">x",
    "cat <<E && b\n$(x\n)\nE\nc",
    "cat <<A <<B; d\n1\nA\n2\nB", "cat <<-'E F'\n\t$(\n\tE F", "echo for if { }", 'echo "$(a "b")"',
    "x=$(case a in b) c;; esac)",
    "a # it's\nb", "a \\\n  && b", "echo a\\\nb", "a &\nb", "a;\n\nb", "echo ${x#'}'}", "a 2>&1 >/dev/null </x",
    "set -eux;     apt-get update;   for i in a b; do x; done", "[ -f x ] || exit 1", "echo $((1 << 2))", "",
    "  \n# c\n",
]  # fmt: skip
REFUSED = [
    "a &&", "a && || b", "; a", "a ;; b", "if a; then fi", "if a; fi", "fi", "done", "}", "{ a", "(a", "a)", "(a) b",
    "'a",
    '"a', "$(a", "`a", "for i in a; b; done", "case a in b) c", "a | | b", "a >", "()", "a | ! b", "in", "! in x",
    "f() ", "while a; done", "if a; b; fi", "if a; then b; else c; else d; fi",
]  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED)
def test_valid_scripts_have_no_problem(text: str) -> None:
    assert parse_shell(text).problems == ()
    assert all(accepts(shell, text) for shell in SHELLS)


@pytest.mark.parametrize("text", REFUSED)
def test_broken_scripts_have_problems_within_the_text(text: str) -> None:
    problems = parse_shell(text).problems
    assert problems
    assert all(0 <= start <= end <= len(text) for start, end in problems)
    assert not any(accepts(shell, text) for shell in SHELLS)


def test_bash_only_syntax() -> None:
    for text in (
        "x=(a 'b c' $d)",
        "[[ a == b* && ( -f c || d =~ ^(x|y)$ ) ]]",
        "for ((i=0; i<3; i++)); do x; done",
        "((x++))",
    ):
        assert parse_shell(text).ok, text
    assert only("[[ -f a && b < c ]]").values() == ("[[", "-f", "a", "&&", "b", "<", "c", "]]")
    assert only("declare -a x=(1 '2 3')").args[1].text == "x=(1 '2 3')"


def test_contexts() -> None:
    def context(text: str) -> Context:
        return named(text, "x").context

    assert context("a && x && b") is Context.NONE
    assert context("x || b") is Context.NONE
    assert context("a && x || b") is Context.NONE
    assert context("a || x") is Context.CONDITIONAL
    assert context("a || b && x") is Context.CONDITIONAL
    assert context("a || b; x") is Context.NONE
    assert context("if x; then b; fi") is Context.CONDITIONAL
    assert context("if a; then b; else x; fi") is Context.CONDITIONAL
    assert context("if a; then b; elif x; then c; fi") is Context.CONDITIONAL
    assert context("if a; then b; elif c; then x; fi") is Context.CONDITIONAL
    assert context("a || (x)") is Context.SUBSHELL | Context.CONDITIONAL
    assert context("a || b | x") is Context.PIPELINE | Context.CONDITIONAL
    assert context("(a | x) &") is Context.SUBSHELL | Context.PIPELINE | Context.BACKGROUND
    assert context("a | b && x") is Context.NONE
    assert context("! a | b; x") is Context.NONE
    assert context("! x; a") is Context.NEGATED
    assert context("! (x; a)") is Context.NEGATED | Context.SUBSHELL
    assert context("a; { x & }") is Context.GROUP | Context.BACKGROUND
    assert context("a\nb || c\nx") is Context.NONE
    assert context("for i in $(x); do a; done") is Context.SUBSTITUTION
    assert context("for i in a; do b $(x); done") is Context.LOOP | Context.SUBSTITUTION
    assert context("for ((i=0; i<3; i++)); do x; done") is Context.LOOP
    assert context("for i in a; do if x; then b; fi; done") is Context.LOOP | Context.CONDITIONAL
    assert context("case $(x) in a) b;; esac") is Context.SUBSTITUTION
    assert context("case a in $(x)) b;; esac") is Context.SUBSTITUTION | Context.CONDITIONAL
    assert context("V=$(x) a") is Context.SUBSTITUTION
    assert context("cat <<E | x\nhi\nE\n") is Context.PIPELINE
    assert context("case a in b) x;; esac") is Context.CONDITIONAL
    assert context("for i in a; do x; done") is Context.LOOP
    assert context("while x; do b; done") is Context.LOOP | Context.CONDITIONAL
    assert context("until a; do x; done") is Context.LOOP
    assert context("(a; x)") is Context.SUBSHELL
    assert context("{ a; x; }") is Context.GROUP
    assert context("a | x") is Context.PIPELINE
    assert context("x & b") is Context.BACKGROUND
    assert context("a && x & b") is Context.BACKGROUND
    assert context("a & x") is Context.NONE
    assert context("! x && a") is Context.NEGATED
    assert context("! a && x") is Context.NONE
    assert context("! a | x") is Context.NEGATED | Context.PIPELINE
    assert context("f() { x; }") is Context.FUNCTION | Context.GROUP
    assert context("a $(x)") is Context.SUBSTITUTION
    assert context('if a; then b "`x`"; fi') is Context.SUBSTITUTION | Context.CONDITIONAL
    assert context("cat <<E\n$(x)\nE") is Context.SUBSTITUTION
    assert not [command for command in parse_shell("cat <<'E'\n$(x)\nE").commands if command.name == "x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set -eux; x", True), ("set -e && x", True), ("set -o errexit; x", True), ("set -euo pipefail\nx", True),
        ("x; set -e", False), ("set -u; x", False), ("set -e; set +e; x", False), ("set -- -e; x", False),
        ("(set -e); x", False), ("(set -e; x)", True), ("set -e; (set +e); x", True), ("set -e | a; x", False),
        ("if a; then set -e; fi; x", False), ("set -e; if a; then set +e; fi; x", False), ("a || set -e; x", False),
        ("a && set -e; x", False), ("set -e; for i in a; do x; done", True), ("{ set -e; }; x", True),
        ("for i in a; do set -e; done; x", False), ("set -uxo pipefail && x", False), ("x && set -e", False),
        ("a | b; set -e; x", True), ("set -e && a; x", True),
        ("set -e; y $(x)", False), ("set -e & x", False), ("set -e; set $opts; x", False),
    ],
)  # fmt: skip
def test_errexit(text: str, expected: bool) -> None:
    assert named(text, "x").errexit is expected


def test_errexit_of_the_shell() -> None:
    assert parse_shell("x", errexit=True).commands[0].errexit


def test_operators_and_top_level() -> None:
    text = "a && b | c; if d; then e; fi >f\ng"
    script = parse_shell(text)
    assert [text[each.start : each.end] for each in script.top_level] == ["a", "b | c", "if d; then e; fi >f", "g"]
    _, pipeline, condition, last = script.top_level
    assert isinstance(pipeline, Compound)
    assert pipeline.kind == "pipeline"
    assert [command.name for command in pipeline.commands] == ["b", "c"]
    assert pipeline.before is not None
    assert (pipeline.before.text, pipeline.before.start) == ("&&", 2)
    assert isinstance(condition, Compound)
    assert condition.kind == "if_statement"
    assert condition.redirects[0].operator == ">"
    assert condition.after is not None
    assert condition.after.text == "\n"
    assert last is script.commands[-1]
    assert named(text, "b").after is not None
    assert named(text, "a").before is None


def test_operators_are_adjacent_to_their_commands() -> None:
    shown = [
        (command.name, command.before and command.before.text, command.after and command.after.text)
        for command in parse_shell("a && b || c; d | e &\nf\n\nif g\nthen h; i\nfi\n").commands
    ]
    assert shown == [
        ("a", None, "&&"), ("b", "&&", "||"), ("c", "||", ";"), ("d", ";", "|"), ("e", "|", "&"), ("f", "&", "\n"),
        ("g", None, None), ("h", None, ";"), ("i", ";", None),
    ]  # fmt: skip
    assert parse_shell("a\nb | c; d &\n").operators == {"\n", ";"}
    assert named("case x in a) b;; esac", "b").after == named("case x in a) b;; c) d;; esac", "b").after
    assert parse_shell("a\n").commands[0].after is None


def test_kinds_of_compounds() -> None:
    kinds = {
        "a | b": "pipeline", "if a; then b; fi": "if_statement", "for i in a; do b; done": "for_statement",
        "while a; do b; done": "while_statement", "until a; do b; done": "while_statement",
        "case a in b) c;; esac": "case_statement", "(a)": "subshell", "{ a; }": "compound_statement",
        "f() { a; }": "function_definition", "function f { a; }": "function_definition", "((a))": "compound_statement",
    }  # fmt: skip
    for text, kind in kinds.items():
        (statement,) = parse_shell(text).top_level
        assert isinstance(statement, Compound), text
        assert (statement.kind, statement.start, statement.end) == (kind, 0, len(text))


def test_what_a_script_assigns() -> None:
    script = parse_shell("X=1; for Y in a; do read -r Z; done; echo $X $W ${V:-$U}; A=1 b; c $(D=2)")
    assert script.assigned == {"X", "Y", "Z", "A", "D"}
    assert script.variables == {"X", "W", "V", "U"}
    command = only("export A=b C D='e f' E=$X F= G+=h")
    assert command.values() == ("export", "A=b", "C", "D=e f", None, "F=", "G+=h")
    assert [(each.name, each.value and each.value.value, each.append) for each in command.assignments] == [
        ("A", "b", False), ("D", "e f", False), ("E", None, False), ("F", None, False), ("G", "h", True),
    ]  # fmt: skip
    value = command.assignments[1].value
    assert value is not None
    assert (value.text, value.quoted) == ("'e f'", True)
    assert parse_shell("export A=b C; getopts x o; unset N; echo E=1").assigned == {"A", "C", "x", "o", "N"}


def test_tests_are_commands() -> None:
    script = parse_shell('[ -f x ] && [[ -n "$y" ]]')
    assert names(script) == ["[", "[["]
    assert script.commands[0].values() == ("[", "-f", "x", "]")


def test_heredocs_are_data() -> None:
    script = parse_shell("cat <<EOF > x && sh y\nrm -rf / $A\nEOF\nz")
    assert names(script) == ["cat", "sh", "z"]
    assert script.commands[1].before is not None
    assert script.commands[1].before.text == "&&"


def test_assignments_redirects_and_heredocs() -> None:
    text = "A=b C= D+='x y' cmd <in 2>&1 &>/all >out arg <<-EOF | tee z\n\tbody $V\n\tEOF\nnext"
    command, tee, after = parse_shell(text).commands
    assert [(each.name, each.value and each.value.value, each.append) for each in command.assignments] == [
        ("A", "b", False), ("C", None, False), ("D", "x y", True),
    ]  # fmt: skip
    assert command.values() == ("cmd", "arg")
    assert [(each.descriptor, each.operator, each.target and each.target.value) for each in command.redirects] == [
        (None, "<", "in"), ("2", ">&", "1"), (None, "&>", "/all"), (None, ">", "out"), (None, "<<-", "EOF"),
    ]  # fmt: skip
    heredoc = command.redirects[-1].heredoc
    assert heredoc is not None
    assert text[heredoc.start : heredoc.end] == "\tbody $V\n"
    assert (heredoc.name, heredoc.expand, heredoc.strip_tabs, heredoc.terminated) == ("EOF", True, True, True)
    assert (command.start, text[: command.end]) == (0, text[: text.index(" |")])
    assert (tee.name, after.name) == ("tee", "next")


def test_heredoc_without_a_body_or_an_end() -> None:
    assert only("cat <<EOF").redirects[0].heredoc is None
    assert parse_shell("cat <<EOF\nx\n").problems == ((10, 12),)


def test_offsets_are_characters() -> None:
    text = "echo 'é\udcff' \U0001f600 && apt-get update # ü"
    script = parse_shell(text)
    command = script.commands[1]
    assert text[command.start : command.end] == "apt-get update"
    assert script.commands[0].values() == ("echo", "é\udcff", "\U0001f600")
    assert [text[start:end] for start, end in script.comments] == ["# ü"]


def test_names() -> None:
    command = only("/opt/venv/bin/pip install x")
    assert (command.name, command.basename) == ("/opt/venv/bin/pip", "pip")
    assert [word.text for word in command.args] == ["install", "x"]
    assert only("$PIP install").name is None
    assert only("A=1").basename is None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000, "(" * 10_000 + ")" * 10_000, "$(" * 10_000, "`" * 9_999, "${x:-" * 5_000, '"$(' * 5_000,
        "$((" * 5_000, "{ " * 5_000, "if a; then " * 5_000, "case x in a) " * 2_000, "fi;" * 5_000, "x=(" * 5_000,
        "a;" * 499_000, "((a|" * 99 + "()" * 499_000, "".join(f"cat <<E{n}\n$(" for n in range(39)) + "\n" * 900_000,
        "a " * 500_001, "||" * 499_000,
    ],
)  # fmt: skip
def test_hostile_nesting_is_a_problem_and_fast(text: str) -> None:
    started = time.process_time()
    assert not parse_shell(text).ok
    assert time.process_time() - started < 5


def test_long_scripts_are_linear() -> None:
    script = parse_shell("a && " * 5_000 + "a")
    assert script.ok
    assert len(script.top_level) == 5_001
    assert script.commands[-1].context is Context.NONE


def test_shell_kind_and_options() -> None:
    assert shell_kind(["/bin/bash", "-o", "pipefail", "-c"]) is ShellKind.BASH
    assert shell_kind(["/bin/sh", "-c"]) is ShellKind.POSIX
    assert shell_kind(["/usr/bin/env", "bash"]) is ShellKind.BASH
    assert shell_kind(["/bin/busybox", "ash", "-c"]) is ShellKind.POSIX
    assert shell_kind(["powershell.exe", "-Command"]) is ShellKind.POWERSHELL
    assert shell_kind(["C:\\Windows\\System32\\cmd.exe", "/S", "/C"]) is ShellKind.CMD
    assert shell_kind(["python3"]) is ShellKind.OTHER
    assert shell_kind([]) is ShellKind.OTHER
    assert shell_options(["/bin/bash", "-o", "pipefail", "-c"]) == {"pipefail"}
    assert shell_options(["bash", "-euxo", "pipefail", "-c"]) == {"errexit", "nounset", "xtrace", "pipefail"}
    assert shell_options(["bash", "-eo", "pipefail", "+e", "-c"]) == {"pipefail"}
    assert shell_options(["bash", "--login", "-e", "-c"]) == {"errexit"}
    assert shell_options(["/bin/sh", "-c"]) == frozenset()


def test_nested_scripts() -> None:
    for text, offset in (
        ("sudo; bash -o pipefail -ec 'a && b' name", 28),
        ("bash -lc 'a && b'", 10),
        ("exec /bin/sh -c 'a && b'", 17),
        ('env bash -c "a && b"', 13),
        ("sh -c a' && b'", None),
        ('sh -c "a \\\n&& b"', None),
    ):
        (nested,) = nested_scripts(parse_shell(text).commands[-1])
        assert (nested.text, nested.offset) == ("a && b", offset)
        assert nested.word.text in text
        assert offset is None or text[offset : offset + 6] == "a && b"
    (escaped,) = nested_scripts(only('sh -c "a \\"b\\""'))
    assert (escaped.text, escaped.offset) == ('a "b"', None)
    (empty,) = nested_scripts(only("sh -c ''"))
    assert (empty.text, empty.offset) == ("", 7)
    for none in ('sh -c "$x"', "sh script.sh", "sh script -c x", "python -c 'x'", "sh -c", "sh -e -- x", "$sh -c x"):
        assert nested_scripts(parse_shell(none).commands[0]) == (), none
    assert nested_script(only("x $y").args[0]) is None


def test_mapped_text() -> None:
    word = only('x a\'b c\'"d\\""\\ e').args[0]
    mapped = literal(word)
    assert mapped is not None
    assert mapped.text == word.value == 'ab cd" e'
    assert mapped.span(0, len(mapped.text)) == (word.start, word.end)
    assert word.text[slice(*(offset - word.start for offset in mapped.span(5, 7)))] == '\\""\\ '
    with pytest.raises(IndexError):
        mapped.span(3, 9)
    empty = literal(only("x ''").args[0])
    assert empty is not None
    assert empty.span(0, 0) == (3, 3)


def test_expand_heredoc() -> None:
    plain = expand_heredoc("\ta $x\n\tb\n", expand=False, strip_tabs=True, start=10)
    assert plain is not None
    assert plain.text == "a $x\nb\n"
    assert plain.span(0, 1) == (11, 12)
    escaped = expand_heredoc('a \\$x \\\\ \\n "\\"" $ \\\nb', expand=True)
    assert escaped is not None
    run = subprocess.run(["sh"], input=b'cat <<E\na \\$x \\\\ \\n "\\"" $ \\\nb\nE\n', capture_output=True, check=True)
    assert escaped.text + "\n" == run.stdout.decode()
    assert expand_heredoc("$x", expand=True) is None
    assert expand_heredoc("`x`", expand=True) is None
