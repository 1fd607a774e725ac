"""Surgery: what every function does to files of every style, and that it touches nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix.edit import dockerfile as surgery
from dockfix.engine.gates import check_untouched
from dockfix.facts.model import Refused
from dockfix.rule import Edit, apply_edits
from dockfix.syntax.parser import parse
from dockfix.syntax.shell import parse_shell
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Comment, Dockerfile, Instruction, Run

HEAD = "FROM a\n"


def tree(text: str) -> Dockerfile:
    dockerfile = parse(text)
    assert dockerfile.ok, dockerfile.problems
    return dockerfile


def node(dockerfile: Dockerfile, index: int = 1) -> Instruction:
    return dockerfile.instructions[index]


def applied(text: str, edits: Sequence[Edit]) -> str:
    after = apply_edits(text, edits)
    assert check_untouched(text, after, edits) == []
    assert parse(after).problems == ()
    return after


def comments(dockerfile: Dockerfile) -> list[str]:
    inner = [each.text for node in dockerfile.instructions for each in node.comments]
    return sorted(inner + [each.text for each in dockerfile.nodes if isinstance(each, Comment)])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("RUN a\n", "RUN --x a\n"),
        ("RUN a", "RUN --x a"),
        ("RUN\ta\n", "RUN --x\ta\n"),
        ("RUN --mount=type=ssh a\n", "RUN --mount=type=ssh --x a\n"),
        ("RUN <<E\na\nE\n", "RUN --x <<E\na\nE\n"),
        ('RUN ["a"]\n', 'RUN --x ["a"]\n'),
        ("RUN a \\\n  && b\n", "RUN --x \\\n  a \\\n  && b\n"),
        ("RUN a \\\r\n\t&& b\r\n", "RUN --x \\\r\n\ta \\\r\n\t&& b\r\n"),
        ("RUN \\\n   a \\\n   b\n", "RUN \\\n   --x \\\n   a \\\n   b\n"),
        ("RUN \\\n   # why\n   a\n", "RUN \\\n   --x \\\n   # why\n   a\n"),
        ("RUN \\\n\n  # why\n   a \\\n   b\n", "RUN \\\n   --x \\\n\n  # why\n   a \\\n   b\n"),
        ("RUN --mount=type=ssh \\\n  a\n", "RUN --mount=type=ssh \\\n  --x \\\n  a\n"),
        ("RUN \\\n    --mount=type=ssh \\\n  a\n", "RUN \\\n    --mount=type=ssh \\\n    --x \\\n  a\n"),
        ("RUN --mount=type=ssh \\\n\n  # why\n  a\n", "RUN --mount=type=ssh \\\n  --x \\\n\n  # why\n  a\n"),
        ("ONBUILD RUN a\n", "ONBUILD RUN --x a\n"),
        ("\\\n# why\nRUN a\n", "\\\n# why\nRUN --x a\n"),
        ("\\\nRUN a \\\n  && b\n", "\\\nRUN --x \\\n  a \\\n  && b\n"),
    ],
)
def test_insert_flag(body: str, expected: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    child = getattr(instruction, "child", None) or instruction
    after = apply_edits(dockerfile.text, [surgery.insert_flag(dockerfile, child, "--x")])
    assert after == HEAD + expected


def test_insert_flag_with_another_escape_character() -> None:
    dockerfile = tree("# escape=`\nFROM a\nRUN a `\n  b\n")
    after = apply_edits(dockerfile.text, [surgery.insert_flag(dockerfile, node(dockerfile), "--network=none")])
    assert after == "# escape=`\nFROM a\nRUN --network=none `\n  a `\n  b\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("COPY --link a b\n", "COPY a b\n"),
        ("COPY --link --chmod=1 a b\n", "COPY --chmod=1 a b\n"),
        ("COPY \\\n  --link \\\n  a b\n", "COPY \\\n  a b\n"),
        ("COPY --link \\\n  a b\n", "COPY a b\n"),
        ("COPY --link\\\n  a b\n", "COPY a b\n"),
        ("COPY \\\n  # why\n  --link \\\n  a b\n", "COPY \\\n  # why\n  a b\n"),
    ],
)
def test_delete_flag(body: str, expected: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    edits = surgery.delete_flag(dockerfile, instruction, instruction.flags[0])
    assert applied(dockerfile.text, edits) == HEAD + expected


@pytest.mark.parametrize(
    ("body", "part", "expected"),
    [
        ("RUN a b c\n", "b", "RUN a c\n"),
        ("RUN a b c\n", " b", "RUN a c\n"),
        ("RUN a b c\n", "c", "RUN a b\n"),
        ("RUN a b c", "c", "RUN a b"),
        ("RUN a;b; c\n", ";b", "RUN a; c\n"),
        ("RUN a; b && c\n", "; b", "RUN a && c\n"),
        ("RUN a=b c\n", "=b", "RUN a c\n"),
        ("RUN a \\\n  b \\\n  c\n", "b", "RUN a \\\n  c\n"),
        ("RUN a \\\n  b \\\n  c\n", "c", "RUN a \\\n  b\n"),
        ("RUN a \\\n  b \\\n  c", "c", "RUN a \\\n  b"),
        ("RUN a \\\n  b \\\n  c", "b   c", "RUN a"),
        ("RUN a \\\r\n  b \\\r\n  c", "b   c", "RUN a"),
        ("RUN a \\\r\n  b \\\r\n  c\r\n", "b   c", "RUN a\r\n"),
        ("RUN a \\\n  # why\n  b", "b", "RUN a\n  # why"),
        ("RUN a \\\n  # why\n\n  b\nRUN c\n", "b", "RUN a\n  # why\n\nRUN c\n"),
        ("RUN a \\\n  b \\\n  # why\n  c d\n", "b   c", "RUN a \\\n  # why\n  d\n"),
        ("RUN a b \\\n  # why\n  c d\n", "b   c", "RUN a \\\n  # why\n  d\n"),
        ("RUN a b\\\n  # why\n  c d\n", "b  c", "RUN a \\\n  # why\n  d\n"),
        ("RUN a && \\\n \\\n  b\nRUN c\n", "&&    b", "RUN a\nRUN c\n"),
        ("RUN a\\\n b \\\nc\n", "b", "RUN a \\\nc\n"),
        ("RUN a \\\n  b && \\\n  c\n", "b", "RUN a && \\\n  c\n"),
        ("RUN a \\\n  # why\n  b; \\\n  c\n", "b", "RUN a; \\\n  # why\n  c\n"),
        ("RUN a \\\n  b && c\n", "b", "RUN a \\\n  && c\n"),
        ("RUN a bb \\\n    cc d \\\n e\n", "bb     cc", "RUN a \\\n    d \\\n e\n"),
        ("RUN a \\\n\t\tb c \\\n\t\td\n", "c", "RUN a \\\n\t\tb \\\n\t\td\n"),
        ("RUN a \\\n\t\tb c \\\n\t\td\n", "b", "RUN a \\\n\t\tc \\\n\t\td\n"),
        ("RUN cat <<E && \\\n  b\nx\nE\n", "&&   b", "RUN cat <<E\nx\nE\n"),
        ("RUN --network=none \\\n  <<E\nx\nE\nRUN c\n", "--network=none", "RUN \\\n  <<E\nx\nE\nRUN c\n"),
    ],
)
def test_delete(body: str, part: str, expected: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    start = instruction.logical.text.index(part)
    edits = surgery.delete(dockerfile, instruction, start, start + len(part))
    assert applied(dockerfile.text, edits) == HEAD + expected


def list_of(instruction: Instruction) -> list[Span]:
    """The commands and operators of a script that is a list of words, split at white space."""
    script = getattr(instruction, "script", None)
    assert script is not None
    spans, at = [], 0
    for word in script.text.split():
        at = script.text.index(word, at)
        spans.append(Span(at, at + len(word)))
        at += len(word)
    return spans


@pytest.mark.parametrize(
    ("body", "index", "expected"),
    [
        ("RUN a && b && c\n", 0, "RUN b && c\n"),
        ("RUN a && b && c\n", 2, "RUN a && c\n"),
        ("RUN a && b && c\n", 4, "RUN a && b\n"),
        ("RUN a \\\n  && b \\\n  && c\n", 0, "RUN b \\\n  && c\n"),
        ("RUN a \\\n  && b \\\n  && c\n", 2, "RUN a \\\n  && c\n"),
        ("RUN a \\\n  && b \\\n  && c\n", 4, "RUN a \\\n  && b\n"),
        ("RUN a && \\\n  b && \\\n  c\n", 0, "RUN b && \\\n  c\n"),
        ("RUN a && \\\n  b && \\\n  c\n", 2, "RUN a && \\\n  c\n"),
        ("RUN a && \\\n  b && \\\n  c\n", 4, "RUN a && \\\n  b\n"),
        ("RUN a && \\\r\n  b && \\\r\n  c", 4, "RUN a && \\\r\n  b"),
        ("RUN a \\\n  # why\n  && b\n", 0, "RUN \\\n  # why\n  b\n"),
        ("RUN a \\\n  # why\n  && b\n", 2, "RUN a\n  # why\n"),
        ("RUN a && \\\n  # one\n  b && \\\n  # two\n  c\n", 2, "RUN a && \\\n  # one\n  # two\n  c\n"),
        ("RUN a && \\\n  b || \\\n  c\n", 2, "RUN a \\\n  || \\\n  c\n"),
        ("RUN \\\n  a && \\\n  b\n", 0, "RUN \\\n  b\n"),
    ],
)
def test_delete_command(body: str, index: int, expected: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    spans = list_of(instruction)
    before = spans[index - 1] if index else None
    after = spans[index + 1] if index + 1 < len(spans) else None
    text = getattr(instruction, "script", None)
    assert text is not None
    edits = surgery.delete_command(dockerfile, instruction, text, spans[index], before, after)
    assert applied(dockerfile.text, edits) == HEAD + expected


@pytest.mark.parametrize(
    "body", ["RUN a \\\n  && b # why\n", "RUN a && \\\n  b  # why\n", "RUN a \\\n  ; \\\n  b # why\n"]
)
def test_a_comment_of_the_shell_is_not_left_on_a_line_of_its_own(body: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    text = getattr(instruction, "script", None)
    assert text is not None
    (first, last) = parse_shell(text.text).commands
    with pytest.raises(Refused, match="the shell comment"):
        surgery.delete_commands(dockerfile, instruction, text, last, last)
    assert surgery.delete_commands(dockerfile, instruction, text, first, first)


@pytest.mark.parametrize("body", ["RUN a \\ && b\nRUN c\n", "RUN a \\ && \\\n  b && c\n"])
def test_an_escaped_blank_does_not_become_a_continuation(body: str) -> None:
    instruction = (dockerfile := tree(HEAD + body)).instructions[1]
    text = getattr(instruction, "script", None)
    assert text is not None
    commands = parse_shell(text.text).commands
    with pytest.raises(Refused, match="escaped blank"):
        surgery.delete_commands(dockerfile, instruction, text, commands[1], commands[1])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("RUN a\n", "it is the only command of its list"),
        ("RUN <<E\na && b\nE\n", "the command is in a heredoc"),
        ("RUN a && --b\n", "the first word of the next command would become a flag"),
        ('RUN a && [ "b" ]\n', "the next command would become an exec form"),
        ("RUN a ; [ 1 ]\n", "the next command would become an exec form"),
    ],
)
def test_a_command_that_cannot_be_taken_out_is_refused(body: str, reason: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    text = getattr(instruction, "script", None)
    assert text is not None
    spans = list_of(instruction)
    after = spans[1] if len(spans) > 1 else None
    with pytest.raises(Refused, match=reason):
        surgery.delete_command(dockerfile, instruction, text, spans[0], None, after)


@pytest.mark.parametrize(
    ("body", "index", "operator", "leading", "expected"),
    [
        ("RUN a && b\n", 0, "&&", False, "RUN x && a && b\n"),
        ("RUN a && b\n", 2, "&&", True, "RUN a && x && b\n"),
        ("RUN a b\n", 0, ";", False, "RUN x; a b\n"),
        ("RUN a \\\n && b\n", 2, "&&", True, "RUN a \\\n && x \\\n && b\n"),
        ("RUN a \\\r\n && b\r\n", 0, "&&", True, "RUN x \\\r\n && a \\\r\n && b\r\n"),
        ("RUN a && \\\n\tb\n", 2, "&&", False, "RUN a && \\\n\tx && \\\n\tb\n"),
        ("RUN a; \\\n\tb\n", 1, ";", True, "RUN a; \\\n\tx; \\\n\tb\n"),
        ("RUN --network=none \\\n <<E\na && b\nE\n", 0, "&&", False, "RUN --network=none \\\n <<E\nx && a && b\nE\n"),
    ],
)
def test_insert_command(body: str, index: int, operator: str, leading: bool, expected: str) -> None:
    dockerfile = tree(HEAD + body)
    instruction = node(dockerfile)
    text = getattr(instruction, "script", None)
    assert text is not None
    at = list_of(instruction)[index].start
    edit = surgery.insert_command_before(dockerfile, instruction, text, at, "x", operator, leading=leading)
    assert applied(dockerfile.text, [edit]) == HEAD + expected


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("FROM a\nRUN b\nRUN c\n", 1, "FROM a\nRUN c\n"),
        ("FROM a\n\nRUN b\n\nRUN c\n", 1, "FROM a\n\nRUN c\n"),
        ("FROM a\r\n\r\nRUN b\r\n\r\nRUN c\r\n", 1, "FROM a\r\n\r\nRUN c\r\n"),
        ("FROM a\n\nRUN b\n", 1, "FROM a\n"),
        ("FROM a\n\nRUN b", 1, "FROM a"),
        ("FROM a\r\nRUN b", 1, "FROM a"),
        ("FROM a\n# of b\nRUN b\nRUN c\n", 1, "FROM a\nRUN c\n"),
        ("FROM a\n# ---- b ----\n# of b\nRUN b\nRUN c\n", 1, "FROM a\n# ---- b ----\nRUN c\n"),
        ("ARG x\n\nFROM a\n", 0, "FROM a\n"),
        ("\ufeffARG x\n\nFROM a\n", 0, "\ufeffFROM a\n"),
        ("FROM a\nRUN <<E\nb\nE\nRUN c\n", 1, "FROM a\nRUN c\n"),
        ("FROM a\nRUN b \\\n\n # of b\n  c\nRUN c\n", 1, "FROM a\nRUN c\n"),
    ],
)
def test_delete_block(text: str, index: int, expected: str) -> None:
    dockerfile = tree(text)
    edit = surgery.delete_block(dockerfile, surgery.block(dockerfile, node(dockerfile, index)))
    assert applied(text, [edit]) == expected


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("FROM a\nRUN b\n", 1, "FROM a\nUSER x\nRUN b\n"),
        ("FROM a\r\n  # of b\r\n  RUN b\r\n", 1, "FROM a\r\n  USER x\r\n  # of b\r\n  RUN b\r\n"),
        ("FROM a\n####\n# of b\nRUN b", 1, "FROM a\n####\nUSER x\n# of b\nRUN b"),
        ("FROM a\n\\\n# in b\nRUN b\n", 1, "FROM a\nUSER x\n\\\n# in b\nRUN b\n"),
    ],
)
def test_insert_above(text: str, index: int, expected: str) -> None:
    dockerfile = tree(text)
    assert applied(text, [surgery.insert_above(dockerfile, node(dockerfile, index), "USER x")]) == expected


def test_insert_above_stays_behind_the_byte_order_mark() -> None:
    dockerfile = tree("\ufeffFROM a\n")
    assert applied(dockerfile.text, [surgery.insert_above(dockerfile, node(dockerfile, 0), "ARG x")]) == (
        "\ufeffARG x\nFROM a\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN b\nRUN c\n", "FROM a\nRUN b\nUSER x\nRUN c\n"),
        ("FROM a\nRUN b", "FROM a\nRUN b\nUSER x"),
        ("FROM a\r\nRUN b", "FROM a\r\nRUN b\r\nUSER x"),
        ("FROM a\r\nRUN b\r\n", "FROM a\r\nRUN b\r\nUSER x\r\n"),
        ("FROM a\nRUN <<E\nb\nE\nRUN c\n", "FROM a\nRUN <<E\nb\nE\nUSER x\nRUN c\n"),
        ("FROM a\nRUN b\\", "FROM a\nRUN b\nUSER x"),
        ("FROM a\r\nRUN b \\ \r\n", "FROM a\r\nRUN b \r\nUSER x\r\n"),
        ("FROM a\nRUN b\\\n\n# c\n", "FROM a\nRUN b\nUSER x\n\n# c\n"),
        ("FROM a\nRUN b\\\\\n", "FROM a\nRUN b\\\\\nUSER x\n"),
        ("# escape=`\nFROM a\nRUN b `", "# escape=`\nFROM a\nRUN b \nUSER x"),
        ("FROM a\nRUN b \\\n  \\\n  \\\n  ", "FROM a\nRUN b \nUSER x\n  "),
        ("FROM a\nRUN b \\\n  # c\n  \\\n", "FROM a\nRUN b \nUSER x\n  # c\n"),
    ],
)
def test_insert_below(text: str, expected: str) -> None:
    dockerfile = tree(text)
    assert applied(text, [surgery.insert_below(dockerfile, node(dockerfile), "USER x")]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\n# of b\nRUN b\nRUN c\nRUN d\n", "FROM a\nRUN c\n# of b\nRUN b\nRUN d\n"),
        ("FROM a\nRUN b\n\nRUN c", "FROM a\n\nRUN c\nRUN b"),
        ("FROM a\n\nRUN b\n\nRUN c\n", "FROM a\n\nRUN c\nRUN b\n"),
        ("FROM a\n\\\n# in b\nRUN b\nRUN c\n", "FROM a\nRUN c\n\\\n# in b\nRUN b\n"),
        ("FROM a\r\nRUN b \\\r\n  b\r\nRUN c\r\n", "FROM a\r\nRUN c\r\nRUN b \\\r\n  b\r\n"),
    ],
)
def test_move_below(text: str, expected: str) -> None:
    dockerfile = tree(text)
    assert applied(text, surgery.move_below(dockerfile, node(dockerfile, 1), node(dockerfile, 2))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\n# of b\nRUN b\n# of c\nRUN c\nRUN d\n", "FROM a\n# of c\nRUN c\n# of b\nRUN b\nRUN d\n"),
        ("FROM a\nRUN b\nRUN c", "FROM a\nRUN c\nRUN b"),
        ("FROM a\nRUN b\n\nRUN c\n", "FROM a\nRUN c\nRUN b\n"),
        ("FROM a\n\\\n# in b\nRUN b\n\\\nRUN c\n", "FROM a\n\\\nRUN c\n\\\n# in b\nRUN b\n"),
        ("FROM a\r\nRUN b\r\nRUN c \\\r\n  d", "FROM a\r\nRUN c \\\r\n  d\r\nRUN b"),
    ],
)
def test_move_above(text: str, expected: str) -> None:
    dockerfile = tree(text)
    assert applied(text, surgery.move_above(dockerfile, [node(dockerfile, 2)], node(dockerfile, 1))) == expected


def test_moving_to_the_top_keeps_the_byte_order_mark_first() -> None:
    dockerfile = tree("\ufeffARG x\nARG y\nFROM a\n")
    assert applied(dockerfile.text, surgery.move_above(dockerfile, [node(dockerfile, 1)], node(dockerfile, 0))) == (
        "\ufeffARG y\nARG x\nFROM a\n"
    )
    assert applied(dockerfile.text, surgery.move_below(dockerfile, node(dockerfile, 0), node(dockerfile, 1))) == (
        "\ufeffARG y\nARG x\nFROM a\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN b\nRUN c\n", "FROM a\nRUN b \\\n    && c\n"),
        ("FROM a\nRUN b  \nRUN c\n", "FROM a\nRUN b \\\n    && c\n"),
        ("FROM a\nRUN b \\\n  && b\nRUN c \\\n   && d\n", "FROM a\nRUN b \\\n  && b \\\n  && c \\\n   && d\n"),
        ("FROM a\r\nRUN b\r\n\r\n# of c\r\nRUN c\r\n", "FROM a\r\nRUN b \\\r\n# of c\r\n    && c\r\n"),
        ("FROM a\nRUN b\nRUN \\\n  # of c\n  c\n", "FROM a\nRUN b \\\n  # of c\n  && c\n"),
        ("FROM a\nRUN b\n\\\n# of c\nRUN c\n", "FROM a\nRUN b \\\n# of c\n    && c\n"),
        (
            "FROM a\nRUN b\n \\\n  \\\n\n# of c\n\n  RUN \\\n  # too\n  c\n",
            "FROM a\nRUN b \\\n# of c\n  # too\n  && c\n",
        ),
        ("# escape=`\nFROM a\nRUN b\nRUN c", "# escape=`\nFROM a\nRUN b `\n    && c"),
    ],
)
def test_merge_runs(text: str, expected: str) -> None:
    dockerfile = tree(text)
    edits = surgery.merge_runs(dockerfile, node(dockerfile, 1), node(dockerfile, 2))
    assert applied(text, edits) == expected
    assert comments(parse(expected)) == comments(dockerfile)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ('RUN ["b"]\nRUN c', "exec form"),
        ('RUN b\nRUN ["c"]', "exec form"),
        ("RUN b\nRUN --network=none c", "different flags"),
        ("RUN b\nCMD c", "only RUN"),
        ("RUN <<E\nb\nE\nRUN c", "heredoc"),
        ("RUN b # x\nRUN c", "a comment or a pragma"),
        ("RUN b\n# hadolint ignore=DL3059\nRUN c", "a comment or a pragma"),
        ("RUN --network=none b\nRUN --network=host c", "different flags"),
    ],
)
def test_runs_that_cannot_be_merged(rest: str, reason: str) -> None:
    dockerfile = tree(HEAD + rest)
    with pytest.raises(Refused, match=reason):
        surgery.merge_runs(dockerfile, node(dockerfile, 1), node(dockerfile, 2))


@pytest.mark.parametrize(
    ("text", "operator", "expected"),
    [
        ("FROM a\nRUN b\nRUN c\nRUN d", "&&", "FROM a\nRUN b \\\n    && c \\\n    && d \\\n    && x \\\n    && y"),
        (
            "FROM a\nRUN b && \\\n  b\nRUN c\nRUN d\n",
            "&&",
            "FROM a\nRUN b && \\\n  b && \\\n  c && \\\n  d && \\\n  x && \\\n  y\n",
        ),
        ("FROM a\nRUN b\nRUN c\nRUN d\n", ";", "FROM a\nRUN b; \\\n    c; \\\n    d; \\\n    x; \\\n    y\n"),
        (
            "FROM a\nRUN --mount=type=cache,target=/c b\nRUN --mount=type=cache,target=/c \\\n  # of c\n  c\nRUN d\n",
            "&&",
            "FROM a\nRUN --mount=type=cache,target=/c b \\\n  # of c\n  && c \\\n  && d \\\n  && x \\\n  && y\n",
        ),
    ],
)
def test_merge_several_and_append(text: str, operator: str, expected: str) -> None:
    dockerfile = tree(text)
    runs = dockerfile.instructions[1:]
    merged = surgery.merge_runs(dockerfile, *runs, operator=operator)
    assert applied(text, (*merged, *surgery.append_commands(dockerfile, runs, ["x", "y"], operator))) == expected


def test_words_line_spells_as_the_instruction_does() -> None:
    dockerfile = tree("FROM a\n  copy --chmod=1 \\\n  a \\\n  'b' c/\n")
    instruction = node(dockerfile)
    words = [instruction.args[1].span, instruction.args[2].span]
    assert surgery.words_line(dockerfile, instruction, words) == "  copy --chmod=1 'b' c/"


@pytest.mark.parametrize(
    ("text", "banner"),
    [
        ("", True),
        ("-----", True),
        ("--- build ---", True),
        ("=== x ===", True),
        ("== x", False),
        ("build", False),
        ("- item", False),
    ],
)
def test_banners(text: str, banner: bool) -> None:
    assert surgery.is_banner(Comment(text, Span(0, 0), 1)) is banner


WORDS = st.sampled_from(["a", "bb", "&&", "--mount=type=ssh", "'q r'", "c;"])
GAPS = st.sampled_from([" ", "  ", "\t", " \\\n  ", " \\\n", "\\\n\t", " \\\n  # note\n  ", " \\\n\n ", " \\\n \\\n  "])


@st.composite
def runs(draw: st.DrawFn) -> str:
    words = draw(st.lists(WORDS, min_size=1, max_size=7))
    text = "RUN" + draw(GAPS) + words[0]
    for word in words[1:]:
        text += draw(GAPS) + word
    around = draw(st.sampled_from(["", "# above\n", "\n"]))
    last = draw(st.sampled_from(["", "\n", "\n# below\n", "\nRUN z \\\n # in\n y\n", "\nCOPY <<E x\nhere \\\nE\n"]))
    text = f"FROM a\n{around}{text}{last}"
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if draw(st.booleans()):
        newline = "\r\n" if "\r" in text else "\n"
        text = f"# escape=`{newline}" + text.replace(" \\", " `").replace("\\\n", "`\n").replace("\\\r", "`\r")
    return text


def others(dockerfile: Dockerfile) -> list[tuple[str, str]]:
    return [
        (node.shape.original, "".join(heredoc.content for heredoc in node.heredocs))
        for index, node in enumerate(dockerfile.instructions)
        if index != 1
    ]


@given(runs(), st.data())
def test_random_deletions_touch_nothing_else(text: str, data: st.DataObject) -> None:
    dockerfile = parse(text)
    instruction = node(dockerfile)
    logical = instruction.logical.text
    words = logical.split()
    spans, at = [], 0
    for word in words:
        at = logical.index(word, at)
        spans.append(Span(at, at + len(word)))
        at += len(word)
    low = data.draw(st.integers(1, len(spans) - 1))
    high = data.draw(st.integers(low, len(spans) - 1))
    edits = surgery.delete(dockerfile, instruction, spans[low].start, spans[high].end)
    after = apply_edits(text, edits)
    assert check_untouched(text, after, edits) == []
    result = parse(after)
    assert comments(result) == comments(dockerfile)
    assert others(result) == others(dockerfile)
    assert node(result).logical.text.split() == words[:low] + words[high + 1 :]
    assert text.endswith("\n") == after.endswith("\n")
    assert ("\r" in text) == ("\r" in after) or "\n" not in after.replace("\r\n", "")


@given(runs(), st.data())
def test_random_insertions_touch_nothing_else(text: str, data: st.DataObject) -> None:
    dockerfile = parse(text)
    instruction = node(dockerfile)
    script = getattr(instruction, "script", None)
    flags = [flag.word.text for flag in instruction.flags]
    edit = surgery.insert_flag(dockerfile, instruction, "--network=none")
    result = parse(apply_edits(text, [edit]))
    assert [flag.word.text for flag in node(result).flags] == [*flags, "--network=none"]
    assert comments(result) == comments(dockerfile)
    assert others(result) == others(dockerfile)
    if script is None:
        return
    spans = list_of(instruction)
    index = data.draw(st.integers(0, len(spans) - 1))
    edit = surgery.insert_command_before(
        dockerfile, instruction, script, spans[index].start, "new", "&&", leading=data.draw(st.booleans())
    )
    result = parse(apply_edits(text, [edit]))
    words = script.text.split()
    after = getattr(node(result), "script", None)
    assert after is not None
    assert after.text.split() == [*words[:index], "new", "&&", *words[index:]]
    assert comments(result) == comments(dockerfile)
    assert others(result) == others(dockerfile)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("RUN a\n", "RUN --x --y a\n"),
        ("RUN --z a\n", "RUN --z --x --y a\n"),
        ("RUN a \\\n  && b\n", "RUN --x \\\n  --y \\\n  a \\\n  && b\n"),
        ("RUN --z \\\n      a \\\n  && b\n", "RUN --z \\\n  --x \\\n  --y \\\n      a \\\n  && b\n"),
        (f"RUN {'a' * 115}\n", f"RUN --x \\\n    --y \\\n    {'a' * 115}\n"),
        ("RUN <<EOF\na\nEOF\n", "RUN --x --y <<EOF\na\nEOF\n"),
    ],
)
def test_insert_flags(body: str, expected: str) -> None:
    dockerfile = parse(f"FROM a\n{body}")
    edit = surgery.insert_flags(dockerfile, dockerfile.instructions[-1], ["--x", "--y"])
    assert apply_edits(dockerfile.text, [edit]) == f"FROM a\n{expected}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a \\\n  # of b\n  && b", "--x \\\n  --y \\\n  # of b\n  b"),
        ("a \\\n  && b", "--x \\\n  --y \\\n  b"),
        ("--z a \\\n  # of b\n  && b", "--z \\\n  --x \\\n  --y \\\n  # of b\n  b"),
    ],
)
def test_insert_flags_where_the_first_command_is_deleted(body: str, expected: str) -> None:
    dockerfile = parse(f"FROM a\nRUN {body}\n")
    run = dockerfile.instructions[-1]
    assert isinstance(run, Run)
    assert run.script is not None
    first = parse_shell(run.script.text).commands[0]
    edits = surgery.delete_commands(dockerfile, run, run.script, first, first)
    flags = surgery.insert_flags(dockerfile, run, ["--x", "--y"], edits)
    assert apply_edits(dockerfile.text, [flags, *edits]) == f"FROM a\nRUN {expected}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a && b", "new && a && b"),
        ("a \\\n  && b", "new \\\n  && a \\\n  && b"),
        ("a && \\\n  b", "new && \\\n  a && \\\n  b"),
        ("set -eux; \\\n  a; \\\n  b", "set -eux; \\\n  new; \\\n  a; \\\n  b"),
        ("a; b", "new && a; b"),
        ("<<EOF\nset -e\n  a\nEOF", "<<EOF\nset -e\n  new\n  a\nEOF"),
        ("a && cat <<EOF\nx\nEOF", "new && a && cat <<EOF\nx\nEOF"),
        ("a \\\n  && cat <<EOF\nx\nEOF", "new \\\n  && a \\\n  && cat <<EOF\nx\nEOF"),
        ("<<EOF cat\nx\nEOF", "new && <<EOF cat\nx\nEOF"),
    ],
)
def test_insert_first(body: str, expected: str) -> None:
    dockerfile = parse(f"FROM a\nRUN {body}\n")
    run = dockerfile.instructions[-1]
    assert isinstance(run, Run)
    assert run.script is not None
    edit = surgery.insert_first(dockerfile, run, run.script, parse_shell(run.script.text), "new")
    assert apply_edits(dockerfile.text, [edit]) == f"FROM a\nRUN {expected}\n"


@pytest.mark.parametrize(
    ("body", "first", "last", "expected"),
    [
        ("a && b && c", 1, 2, "a"),
        ("a \\\n  && b \\\n  && c \\\n  && d", 1, 2, "a \\\n  && d"),
        ("a && \\\n  b && \\\n  c && \\\n  d", 1, 2, "a && \\\n  d"),
        ("a && \\\n  b \\\n    c && \\\n  d", 1, 1, "a && \\\n  d"),
        ("<<EOF\na\n  b;\nc\nEOF", 1, 1, "<<EOF\na\nc\nEOF"),
        ("a && b && cat <<EOF\nx\nEOF", 1, 1, "a && cat <<EOF\nx\nEOF"),
        ("a && cat <<EOF && \\\n  b\nx\nEOF", 2, 2, "a && cat <<EOF\nx\nEOF"),
    ],
)
def test_delete_commands(body: str, first: int, last: int, expected: str) -> None:
    dockerfile = parse(f"FROM a\nRUN {body}\n")
    run = dockerfile.instructions[-1]
    assert isinstance(run, Run)
    assert run.script is not None
    commands = parse_shell(run.script.text).commands
    edits = surgery.delete_commands(dockerfile, run, run.script, commands[first], commands[last])
    assert apply_edits(dockerfile.text, edits) == f"FROM a\nRUN {expected}\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a X b", "a b"),
        ("a && X \\\n  b", "a && \\\n  b"),
        ("a && X \\\n  b <<EOF\nx\nEOF", "a && \\\n  b <<EOF\nx\nEOF"),
        ("if X b; then cat; fi <<EOF\nx\nEOF", "if b; then cat; fi <<EOF\nx\nEOF"),
        ("<<EOF\nif X b; then\n  X c\nfi\nEOF", "<<EOF\nif b; then\n  X c\nfi\nEOF"),
        ("<<EOF\nif a; then\n  X c\nfi\nEOF", "<<EOF\nif a; then\n  c\nfi\nEOF"),
        ("<<EOF\na X;b\nEOF", "<<EOF\na;b\nEOF"),
    ],
)
def test_delete_words(body: str, expected: str) -> None:
    """From the first X to the next word, or only X if none follows on its line."""
    dockerfile = tree(f"FROM a\nRUN {body}\n")
    run = node(dockerfile)
    assert isinstance(run, Run)
    assert run.script is not None
    text = run.script.text
    start = text.index("X")
    command = next(each for each in parse_shell(text).commands if each.start <= start < each.end)
    end = next((word.start for word in command.words if word.start > start), start + 1)
    edits = surgery.delete_words(dockerfile, run, run.script, start, end)
    assert applied(dockerfile.text, edits) == f"FROM a\nRUN {expected}\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("<<EOF\na && b\nEOF", "the remaining operator"),
        ("<<EOF\nif a; then b; fi\nc\nEOF", "share a line"),
        ("a && b <<EOF\nx\nEOF", "the body of its heredoc"),
        ("<<EOF cat && \\\n  # why\n  b\nx\nEOF", "a part of the heredoc"),
        ("<<EOF cat && \\\n\n  b\nx\nEOF", "a part of the heredoc"),
        ("a && b <<-A | cat - <<B\n\tx\n\tA\ny\nB", "the body of its heredoc"),
    ],
)
def test_commands_with_a_heredoc_that_cannot_be_deleted(script: str, reason: str) -> None:
    dockerfile = parse(f"FROM a\nRUN {script}\n")
    run = dockerfile.instructions[-1]
    assert isinstance(run, Run)
    assert run.script is not None
    command = parse_shell(run.script.text).commands[1]
    with pytest.raises(Refused, match=reason):
        surgery.delete_commands(dockerfile, run, run.script, command, command)


@pytest.mark.parametrize(
    ("above", "run", "reason"),
    [
        ("# ----\n", "RUN b\nRUN x", "the heading above line 3"),
        ("", "RUN \\\n  # why\n  b", "the comments inside line 2"),
        ("# hadolint ignore=DL3059\n", "RUN b", "the pragma above line 3"),
    ],
)
def test_instructions_whose_comments_hold_them(above: str, run: str, reason: str) -> None:
    dockerfile = tree(f"{HEAD}{above}{run}\nRUN c\n")
    with pytest.raises(Refused, match=reason):
        surgery.delete_superseded(dockerfile, [node(dockerfile)], dockerfile.instructions[-1])


@pytest.mark.parametrize(
    ("run", "expected"),
    [("\\\nENV a=b\nENV a=c\n", "ENV a=c\n"), ("# of a\n\\\nENV a=b\nENV a=c\n", "# of a\nENV a=c\n")],
)
def test_instructions_that_begin_with_a_continuation_are_deleted_whole(run: str, expected: str) -> None:
    dockerfile = tree(HEAD + run)
    gone, heir = dockerfile.instructions[1:]
    assert applied(dockerfile.text, surgery.delete_superseded(dockerfile, [gone], heir)) == HEAD + expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN b\n", "RUN new && b\n"),
        ("RUN a && b\n", "RUN a && new && b\n"),
        ("RUN a && \\\n    b\n", "RUN a && \\\n    new && \\\n    b\n"),
        ("RUN a \\\n  && b\n", "RUN a \\\n  && new \\\n  && b\n"),
        ("RUN b \\\n  && c\n", "RUN new \\\n  && b \\\n  && c\n"),
        ("RUN a; b; c\n", "RUN a; new && b; c\n"),
        ("RUN set -e; b; c\n", "RUN set -e; new; b; c\n"),
        ("RUN set -e; \\\n\tb; \\\n\tc\n", "RUN set -e; \\\n\tnew; \\\n\tb; \\\n\tc\n"),
        ("RUN a \\\n  && b \\\n  && c <<EOF\nx\nEOF\n", "RUN a \\\n  && new \\\n  && b \\\n  && c <<EOF\nx\nEOF\n"),
        ("RUN <<EOF\na\nb\nEOF\n", "RUN <<EOF\na\nnew && b\nEOF\n"),
        ("RUN <<EOF\nset -e\n  b\nEOF\n", "RUN <<EOF\nset -e\n  new\n  b\nEOF\n"),
        ("RUN <<EOF\nset -e\na && b\nEOF\n", "RUN <<EOF\nset -e\na && new && b\nEOF\n"),
    ],
)
def test_insert_in_list(before: str, after: str) -> None:
    dockerfile = tree(HEAD + before)
    run = node(dockerfile)
    assert isinstance(run, Run)
    assert run.script is not None
    command = next(each for each in parse_shell(run.script.text).commands if each.name == "b")
    assert applied(HEAD + before, [surgery.insert_in_list(dockerfile, run, run.script, command, "new")]) == HEAD + after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN a -u 1 b\n", "RUN a -u 1 new b\n"),
        ("RUN a -u 1\n", "RUN a -u 1 new\n"),
        ("RUN a \\\n  -u 1 \\\n  b\n", "RUN a \\\n  -u 1 \\\n  new \\\n  b\n"),
        ("RUN a \\\n  -u 1 \\\n  # why\n  b\n", "RUN a \\\n  -u 1 \\\n  new \\\n  # why\n  b\n"),
        ("RUN a \\\n  -u 1 b\n", "RUN a \\\n  -u 1 new b\n"),
        ("RUN a -u 1 \\\n  b\n", "RUN a -u 1 new \\\n  b\n"),
        ("RUN a \\\n  -u 1\n", "RUN a \\\n  -u 1 \\\n  new\n"),
        ("RUN a \\\n  -u 1 \\\n  b <<EOF\nx\nEOF\n", "RUN a \\\n  -u 1 \\\n  new \\\n  b <<EOF\nx\nEOF\n"),
        ("RUN <<EOF\na \\\n  -u 1 \\\n  b\nEOF\n", "RUN <<EOF\na \\\n  -u 1 new \\\n  b\nEOF\n"),
    ],
)
def test_insert_word(before: str, after: str) -> None:
    dockerfile = tree(HEAD + before)
    run = node(dockerfile)
    assert isinstance(run, Run)
    assert run.script is not None
    start = run.script.text.index("-u")
    edit = surgery.insert_word(dockerfile, run, run.script, start, start + len("-u 1"), "new")
    assert applied(HEAD + before, [edit]) == HEAD + after


@pytest.mark.parametrize(
    ("text", "index", "tail", "above", "expected"),
    [
        ("FROM a\nCMD x\n", 1, "", True, "FROM a\nH\nCMD x\n"),
        ("FROM a\nCMD x\n", 1, "T", True, "FROM a\nH \\\n    T\nCMD x\n"),
        ("FROM a\n\n# why\nCMD x\n", 1, "", True, "FROM a\n\nH\n\n# why\nCMD x\n"),
        ("FROM a\nRUN x \\\n  y\n\nCMD x\n", 2, "T", True, "FROM a\nRUN x \\\n  y\n\nH \\\n  T\n\nCMD x\n"),
        ("FROM a\nRUN x \\\ny\nCMD x\n", 2, "T", True, "FROM a\nRUN x \\\ny\nH \\\n    T\nCMD x\n"),
        ("FROM a\r\nCMD x\r\n", 1, "T", True, "FROM a\r\nH \\\r\n    T\r\nCMD x\r\n"),
        ("# escape=`\nFROM a\nCMD x\n", 1, "T", True, "# escape=`\nFROM a\nH `\n    T\nCMD x\n"),
        ("FROM a", 0, "T", False, "FROM a\nH \\\n    T"),
        ("FROM a\nUSER x\n", 1, "", False, "FROM a\nUSER x\nH\n"),
        ("FROM a\n\nUSER x\n", 1, "", False, "FROM a\n\nUSER x\n\nH\n"),
        ("FROM a\nRUN <<E\nx\nE\n", 1, "", False, "FROM a\nRUN <<E\nx\nE\nH\n"),
        ("  FROM a\n  CMD x\n", 1, "", True, "  FROM a\n  H\n  CMD x\n"),
    ],
)
def test_insert_instruction(text: str, index: int, tail: str, above: bool, expected: str) -> None:
    head, last = "LABEL a=1", "b=1" if tail else ""
    dockerfile = tree(text)
    edit = surgery.insert_instruction(dockerfile, node(dockerfile, index), head, last, above=above)
    assert applied(text, [edit]) == expected.replace("T", last).replace("H", head)
