"""What the tree offers in addition to BuildKit's answers: types, spans, mounts, heredoc scripts, maps."""

from __future__ import annotations

import pytest

from dockfix.syntax.parser import parse
from dockfix.syntax.source import Mapped, Span
from dockfix.syntax.tree import TYPES, Copy, Env, From, Healthcheck, Instruction, Label, Onbuild, Run, Unknown


def only(text: str) -> Instruction:
    """The last instruction of a text."""
    return parse(text).instructions[-1]


def run(text: str) -> Run:
    node = only(text)
    assert isinstance(node, Run)
    return node


def cut(text: str, span: Span | None) -> str:
    assert span is not None
    return text[span.start : span.end]


@pytest.mark.parametrize("keyword", sorted(TYPES))
def test_every_keyword_has_its_type_in_any_case(keyword: str) -> None:
    for spelled in (keyword, keyword.upper(), keyword.capitalize()):
        node = only(f"{spelled} x")
        assert type(node) is TYPES[keyword]
        assert node.name == keyword.upper()
        assert node.keyword.text == spelled


def test_an_unknown_keyword_is_unknown() -> None:
    assert isinstance(only("FROM a\nFOO x"), Unknown)


def test_the_image_and_stage_of_from() -> None:
    text = "FROM --platform=linux/amd64 debian:12 as Build\n"
    node = only(text)
    assert isinstance(node, From)
    assert node.image is not None
    assert cut(text, node.image.span) == "debian:12"
    assert node.alias is not None
    assert cut(text, node.alias.span) == "Build"
    assert node.stage_name == "build"
    flag = node.flag("platform")
    assert flag is not None
    assert cut(text, flag.value_span) == "linux/amd64"


def test_spans_of_an_instruction() -> None:
    text = "FROM a\n  RUN a \\\n  # why\n\n  b  \nCMD c\n"
    node = parse(text).instructions[1]
    assert cut(text, node.lines) == "  RUN a \\\n  # why\n\n  b  \n"
    assert cut(text, node.span) == "RUN a \\\n  # why\n\n  b  "
    assert (node.start_line, node.end_line) == (2, 5)
    assert [comment.text for comment in node.comments] == ["why"]
    assert len(node.trivia) == 2
    assert node.multiline


def test_mounts_and_their_options() -> None:
    text = "FROM a\nRUN --mount=type=cache,dst=/c,ro --mount=type=secret,id=x make\n"
    one, two = run(text).mounts
    assert (one.kind, one.target, two.kind, two.get("id")) == ("cache", "/c", "secret", "x")
    target = one.option("target")
    assert target is not None
    assert cut(text, target.span) == "dst=/c"
    assert cut(text, target.value_span) == "/c"
    bare = one.option("readonly")
    assert bare is not None
    assert bare.value is None
    assert cut(text, bare.span) == "ro"
    assert cut(text, one.span) == "--mount=type=cache,dst=/c,ro"


def test_mount_options_split_over_a_continuation_keep_their_spans() -> None:
    text = "FROM a\nRUN --mount=type=cache,\\\ntarget=/a/\\\nb,id=c \\\n  make\n"
    mount = run(text).mounts[0]
    assert mount.target == "/a/b"
    target, identity = mount.option("target"), mount.option("id")
    assert target is not None
    assert identity is not None
    assert cut(text, target.span) == "target=/a/\\\nb"
    assert cut(text, identity.span) == "id=c"


def test_a_continuation_with_indent_ends_the_mount() -> None:
    node = run("FROM a\nRUN --mount=type=cache,\\\n target=/a make\n")
    assert node.mounts[0].target is None
    assert node.text.text == "target=/a make"


def test_a_quoted_mount_has_no_option_spans() -> None:
    mount = run('FROM a\nRUN --mount=type=bind,"target=/a b" make\n').mounts[0]
    assert mount.target == "/a b"
    assert mount.options[0].span is None


def test_a_heredoc_that_is_the_command_is_the_script() -> None:
    text = "FROM a\nRUN <<EOF\nset -e\nmake\nEOF\n"
    script = run(text).script
    assert script is not None
    assert script.text == "set -e\nmake\n"
    at = script.text.index("make")
    assert cut(text, script.span(at, at + 4)) == "make"


def test_a_chomped_heredoc_maps_each_line() -> None:
    text = "FROM a\nRUN <<-EOF\n\tset -e\n\t\tmake\n\tEOF\n"
    script = run(text).script
    assert script is not None
    assert script.text == "set -e\nmake\n"
    assert script.start(script.text.index("make")) == text.index("make")


def test_a_heredoc_of_a_command_is_appended_to_the_line() -> None:
    text = "FROM a\nRUN cat <<EOF > x && sh x\nhello\nEOF\n"
    script = run(text).script
    assert script is not None
    assert script.text == "cat <<EOF > x && sh x\nhello\nEOF"
    assert script.start(script.text.index("hello")) == text.index("hello")
    assert run(text).heredoc_script is None


def test_two_heredocs_follow_in_order() -> None:
    text = "FROM a\nRUN cat <<A <<B\n1\nA\n2\nB\n"
    script = run(text).script
    assert script is not None
    assert script.text == "cat <<A <<B\n1\nA\n2\nB"


def test_an_onbuild_child_sees_the_heredoc() -> None:
    text = "FROM a\nONBUILD RUN <<EOF\nmake\nEOF\n"
    node = only(text)
    assert isinstance(node, Onbuild)
    assert isinstance(node.child, Run)
    assert node.child.script is not None
    assert node.child.script.text == "make\n"
    assert cut(text, node.child.span) == "RUN <<EOF\nmake\nEOF"


def test_the_interpreter_of_a_heredoc() -> None:
    assert run("FROM a\nRUN <<EOF\n#!/usr/bin/env python3\nx\nEOF\n").interpreter == "/usr/bin/env python3"
    assert run("FROM a\nRUN <<EOF\nx\nEOF\n").interpreter is None


def test_heredoc_sources_are_not_paths() -> None:
    node = only("FROM a\nCOPY <<A b /x/\n1\nA\n")
    assert isinstance(node, Copy)
    assert [word.text for word in node.paths] == ["b"]
    assert node.destination is not None
    assert node.destination.text == "/x/"


def test_pairs_keep_raw_values_and_spans() -> None:
    text = 'FROM a\nENV A="b c" \\\n  D=$E F=\n'
    node = only(text)
    assert isinstance(node, Env)
    assert [(pair.key, pair.value) for pair in node.pairs] == [("A", '"b c"'), ("D", "$E"), ("F", "")]
    assert cut(text, node.pairs[0].value_span) == '"b c"'
    assert cut(text, node.pairs[1].span) == "D=$E"


def test_a_legacy_pair_is_the_rest_of_the_line() -> None:
    text = "FROM a\nLABEL a b  c\n"
    node = only(text)
    assert isinstance(node, Label)
    assert node.legacy
    assert [(pair.key, pair.value) for pair in node.pairs] == [("a", "b  c")]
    assert cut(text, node.pairs[0].value_span) == "b  c"


def test_healthcheck_parts() -> None:
    node = only('FROM a\nHEALTHCHECK --retries=3 CMD ["a", "b"]\n')
    assert isinstance(node, Healthcheck)
    assert (node.kind, node.argv, node.script) == ("CMD", ("a", "b"), None)
    shell = only("FROM a\nHEALTHCHECK CMD a b\n")
    assert isinstance(shell, Healthcheck)
    assert shell.script is not None
    assert shell.script.text == "a b"


def test_above_ends_at_a_blank_line() -> None:
    tree = parse("# far\n\n# one\n# two\nFROM a\n# three\nONBUILD RUN x\nRUN x\nRUN x\n")
    first, onbuild, *same = tree.instructions
    assert [comment.text for comment in tree.above(first)] == ["one", "two"]
    assert [comment.text for comment in tree.above(onbuild)] == ["three"]
    assert [tree.above(node) for node in same] == [(), ()]


def test_mapped_goes_both_ways_across_pieces() -> None:
    text = "ab--cd--ef"
    mapped = Mapped("abcdef", (Span(0, 2), Span(4, 6), Span(8, 10)))
    assert [mapped.start(offset) for offset in range(7)] == [0, 1, 4, 5, 8, 9, 10]
    assert [mapped.end(offset) for offset in range(1, 7)] == [1, 2, 5, 6, 9, 10]
    assert [mapped.offset(source) for source in range(11)] == [0, 1, None, None, 2, 3, None, None, 4, 5, None]
    assert cut(text, mapped.span(1, 5)) == "b--cd--e"
    assert mapped.span(2, 2) == Span(4, 4)
    part = mapped.slice(1, 5)
    assert (part.text, part.pieces) == ("bcde", (Span(1, 2), Span(4, 6), Span(8, 9)))
    assert mapped.slice(3, 3).pieces == (Span(5, 5),)
    assert mapped.slice_to(3).text == "abc"
    assert mapped.contiguous(0, 2)
    assert not mapped.contiguous(1, 3)
    assert mapped.contiguous(2, 4)


def test_newlines_and_marks() -> None:
    tree = parse("\ufeffFROM a\r\nRUN b\n")
    assert (tree.bom, tree.newline) == (True, "\r\n")
    assert [node.newline for node in tree.instructions] == ["\r\n", "\n"]
    assert [node.newline for node in parse("FROM a\r\nRUN b").instructions] == ["\r\n", "\r\n"], "no end of its own"
