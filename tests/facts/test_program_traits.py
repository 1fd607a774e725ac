"""The table of program traits."""

from __future__ import annotations

import pytest

from dockfix.facts.tables.programs import _ROWS, PROGRAMS, Trait, has_trait, programs_with


def test_every_program_has_one_row_and_a_source() -> None:
    names = [row.split()[0] for _, rows in _ROWS for row in rows.strip().split("\n")]
    assert len(names) == len(set(names)) == len(PROGRAMS)
    assert all(program.traits and program.source for program in PROGRAMS.values())


def test_rows_are_sorted_within_their_group() -> None:
    for _, rows in _ROWS:
        names = [row.split()[0] for row in rows.strip().split("\n")]
        assert names == sorted(names)


@pytest.mark.parametrize("trait", Trait)
def test_every_trait_is_used(trait: Trait) -> None:
    assert programs_with(trait)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Trait.COMPILES, Trait.NEVER_COMPILES),
        (Trait.NO_ACCOUNTS, Trait.EDITS_ACCOUNTS),
        (Trait.NO_PATHS, Trait.NAMED_FILES),
        (Trait.NO_PATHS, Trait.UNPACKS),
    ],
)
def test_no_program_has_opposite_traits(one: Trait, other: Trait) -> None:
    assert not programs_with(one) & programs_with(other)


def test_programs_that_set_ids_are_account_commands() -> None:
    assert programs_with(Trait.SETS_IDS) < programs_with(Trait.EDITS_ACCOUNTS)


def test_one_trait_of_several_is_enough() -> None:
    assert has_trait("sleep", Trait.PRINTS, Trait.WAITS)
    assert not has_trait("sleep", Trait.PRINTS, Trait.NO_OP)
    assert not has_trait("no-such-program", *Trait)
    assert not has_trait(None, *Trait)
