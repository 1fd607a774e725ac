"""The effect contract: every aspect of the build is seen to change, and alone."""

from __future__ import annotations

import pytest

from dockfix.engine.contract import changed_aspects
from dockfix.rule.model import OTHER_FILES, Effect
from dockfix.syntax.parser import parse

BASE = (
    'ARG V=1\nFROM a AS one\nARG X=1\nENV A=1 B=2\nUSER u\nWORKDIR /w\nSHELL ["sh"]\n'
    "COPY x y /z/\nADD q /q\nRUN --mount=type=cache,target=/c make  all\nRUN other\nLABEL l=1\nCMD run\n"
    "FROM one AS two\nRUN last\n"
)


def changed(before: str, after: str) -> set[Effect]:
    old, new = parse(before), parse(after)
    assert (old.problems, new.problems) == ((), ())
    assert changed_aspects(old, new) == changed_aspects(new, old)
    return set(changed_aspects(old, new))


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        ("ONBUILD RUN a", "ONBUILD RUN b", {Effect.COMMANDS}),
        ("ONBUILD RUN a", "ONBUILD RUN --network=none a", {Effect.MOUNTS}),
        ("ONBUILD RUN a", "ONBUILD COPY a b", {Effect.COMMANDS, Effect.METADATA}),
        ("ONBUILD COPY a b", "ONBUILD COPY a c", {Effect.METADATA}),
        ("ONBUILD RUN a", "RUN a", {Effect.COMMANDS, Effect.METADATA, Effect.STEPS}),
    ],
)
def test_a_trigger_is_compared_as_what_it_is(old: str, new: str, effects: set[Effect]) -> None:
    assert changed(f"FROM a\n{old}\n", f"FROM a\n{new}\n") == effects


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        ("FROM a AS one", "FROM b AS one", {Effect.STAGES}),
        ("FROM a AS", "FROM --platform=linux/amd64 a AS", {Effect.STAGES}),
        ("AS two", "AS three", {Effect.STAGES}),
        ("ARG V=1", "ARG V=2", {Effect.ARGS}),
        ("ARG X=1", "ARG X", {Effect.ARGS}),
        ("A=1", "A=2", {Effect.ENV}),
        ("A=1 B=2", "A=1", {Effect.ENV}),
        ("A=1 B=2", "B=2 A=1", set()),
        ("USER u", "USER u:g", {Effect.USERS}),
        ("WORKDIR /w", "WORKDIR /v", {Effect.WORKDIR}),
        ('SHELL ["sh"]', 'SHELL ["bash"]', {Effect.SHELL}),
        ("COPY x y /z/", "COPY x /z/", {Effect.COPIES}),
        ("COPY x y /z/", "COPY --link x y /z/", {Effect.COPIES}),
        ("COPY x y /z/", "COPY x y /v/", {Effect.COPIES}),
        ("COPY x y /z/", "COPY x /z/\nCOPY y /z/", {Effect.STEPS}),
        ("ADD q /q", "COPY q /q", {Effect.COPIES, Effect.STEPS}),
        ("target=/c", "target=/d", {Effect.MOUNTS}),
        ("--mount=type=cache,target=/c ", "", {Effect.MOUNTS}),
        ("RUN other", "RUN --network=none other", {Effect.MOUNTS}),
        ("make  all", "make none", {Effect.COMMANDS}),
        ("make  all", "make \\\n  # why\n  all", set()),
        ("make  all", "make 'a  b'", {Effect.COMMANDS}),
        ("RUN other", 'RUN ["other"]', {Effect.COMMANDS}),
        ("RUN other\n", "", {Effect.COMMANDS, Effect.STEPS}),
        ("RUN other\n", "RUN <<E\nother\nE\n", {Effect.COMMANDS}),
        ("LABEL l=1", "LABEL l=2", {Effect.METADATA}),
        ("CMD run", "CMD run it", {Effect.METADATA}),
        ("CMD run", 'CMD ["run"]', {Effect.METADATA}),
        ("CMD run", "ONBUILD RUN x\nCMD run", {Effect.COMMANDS, Effect.METADATA, Effect.STEPS}),
        ("LABEL l=1", "ONBUILD LABEL l=1", {Effect.METADATA, Effect.STEPS}),
        ("USER u\nWORKDIR /w\n", "WORKDIR /w\nUSER u\n", {Effect.ORDER}),
        ("COPY x y /z/\nADD q /q\n", "ADD q /q\nCOPY x y /z/\n", {Effect.ORDER}),
        ("COPY x y /z/\nADD q /q\n", "COPY x /z/\nADD q /q\nCOPY y /z/\n", {Effect.ORDER, Effect.STEPS}),
        ("RUN other\n", "# said\n\nrun   other\n", set()),
        ("CMD run\nFROM one AS two\n", "FROM one AS two\nCMD run\n", {Effect.METADATA, Effect.STEPS}),
    ],
)
def test_a_change_is_seen(old: str, new: str, effects: set[Effect]) -> None:
    assert BASE.count(old) == 1
    assert changed(BASE, BASE.replace(old, new)) == effects


def test_white_space_in_quotes_and_heredocs_counts() -> None:
    assert changed("FROM a\nRUN echo 'a  b'\n", "FROM a\nRUN echo 'a b'\n") == {Effect.COMMANDS}
    assert changed('FROM a\nRUN echo "a  \\" b"\n', 'FROM a\nRUN echo "a \\" b"\n') == {Effect.COMMANDS}
    assert changed("FROM a\nRUN <<E\na  b\nE\n", "FROM a\nRUN <<E\na b\nE\n") == {Effect.COMMANDS}
    assert changed("FROM a\nCOPY <<E /f\na\nE\n", "FROM a\nCOPY <<E /f\nb\nE\n") == {Effect.COPIES}
    assert changed("FROM a\nRUN it's  b\n", "FROM a\nRUN it's b\n") == set()


def test_every_effect_can_be_seen_alone_or_with_steps() -> None:
    seen = {Effect.ORDER} | {
        effect
        for old, new in (
            ("FROM a AS", "FROM b AS"),
            ("RUN other\n", ""),
            ("target=/c", "target=/d"),
            ("COPY x", "COPY w"),
            ("A=1", "A=2"),
            ("X=1", "X=2"),
            ("USER u", "USER v"),
            ("/w", "/v"),
            ('["sh"]', '["ash"]'),
            ("l=1", "l=2"),
            ("FROM a AS one", "FROM z AS zero\nRUN z\nFROM a AS one"),
        )
        for effect in changed(BASE, BASE.replace(old, new))
    }
    assert seen == set(Effect) - OTHER_FILES


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        ("FROM a AS one", "FROM z AS zero\nENV Z=1\nRUN z\nFROM a AS one", {Effect.FRONT_STAGES}),
        ("FROM a AS one", "FROM z AS y\nFROM y AS zero\nRUN z\nFROM zero AS one", {Effect.FRONT_STAGES, Effect.STAGES}),
        # what happens to the stages that were there is seen as before
        ("FROM a AS one\nARG X=1", "FROM z\nRUN z\nFROM a AS one\nARG X=2", {Effect.FRONT_STAGES, Effect.ARGS}),
        ("ARG V=1\n", "ARG V=1\nARG W=1\nFROM z\nRUN z\n",
         {Effect.FRONT_STAGES, Effect.ARGS, Effect.STEPS}),
        # a step that goes over into the new stage is one that the old stage has no longer
        ("FROM a AS one\nARG X=1\n", "FROM z\nRUN z\nARG X=1\nFROM a AS one\n",
         {Effect.FRONT_STAGES, Effect.ARGS, Effect.STEPS}),
        # a stage at the end is no stage in front
        ("RUN last\n", "RUN last\nFROM z\n", {Effect.STAGES, Effect.STEPS}),
    ],
)  # fmt: skip
def test_stages_in_front_leave_the_others_as_they_are(old: str, new: str, effects: set[Effect]) -> None:
    assert BASE.count(old) == 1
    assert changed(BASE, BASE.replace(old, new)) == effects


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        # one of two equal steps is removed: the order of the others is the same, whichever it was
        (["USER r", "RUN x", "USER r"], ["RUN x", "USER r"], False),
        (["USER r", "RUN x", "USER r"], ["USER r", "RUN x"], False),
        (["RUN y", "USER r", "RUN x", "USER r"], ["USER r", "RUN x", "RUN y"], True),
        (["RUN x", "RUN y"], ["RUN y", "RUN x"], True),
        (["RUN x", "RUN y", "RUN x"], ["RUN x", "RUN x", "RUN y"], True),
    ],
)
def test_order_with_steps_that_stand_twice(before: list[str], after: list[str], moved: bool) -> None:
    one, two = ("\n".join(["FROM a", *lines, ""]) for lines in (before, after))
    assert (Effect.ORDER in changed(one, two)) is moved


def test_a_doubtful_order_of_many_steps_is_another_order() -> None:
    one = "FROM a\n" + "USER r\nRUN x\n" * 1200
    assert Effect.ORDER not in changed(one, one.replace("USER r\n", "", 1))
    assert Effect.ORDER in changed(one, one.replace("USER r\n", "", 1).removesuffix("RUN x\n"))
