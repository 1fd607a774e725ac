from pathlib import Path

import pytest

from dockfix.verify.builders.records import Ledger, Record, appeared, read_records

RECORDED = Path(__file__).parent / "recorded"
"""`du --verbose` before and after a build with the namespace `dockfix-ns`; another build ran at the same time."""


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


def build_names() -> set[str]:
    return {line.partition(" ")[2] for line in recorded("du-build.txt").split("\n")}


@pytest.mark.parametrize(
    ("name", "description", "parents"),
    [
        ("du-after.txt", "[build 2/5] COPY README.md .", 1),
        ("du-after.txt", "mount / from exec /bin/sh -c echo a heredoc", 1),
        ("du-after.txt", "local source for context", 0),
        ("du-buildx.txt", "[build 2/5] COPY README.md .", 1),
        ("du-buildx.txt", "mount / from exec /bin/sh -c echo a heredoc", 1),
        ("du-buildx-docker-20.10.txt", "local source for context", 0),
    ],
)
def test_reads_what_du_lists(name: str, description: str, parents: int) -> None:
    text = recorded(name)
    records = read_records(text)
    assert len(records) == text.count("ID: ") + text.count("ID:\t")
    found = [record for record in records.values() if record.description == description]
    assert found
    assert {len(record.parents) for record in found} == {parents}
    if name != "du-buildx-docker-20.10.txt":  # of which only the beginning was recorded
        assert all(parent in records for record in records.values() for parent in record.parents)


def test_buildctl_and_buildx_list_the_same() -> None:
    assert read_records(recorded("du-after.txt")) == read_records(recorded("du-buildx.txt"))


def test_only_what_the_build_made_is_taken() -> None:
    before, after = read_records(recorded("du-before.txt")), read_records(recorded("du-after.txt"))
    taken = appeared(before, after, build_names(), "dockfix-ns")
    assert not taken & before.keys()
    left = {after[each].description for each in after.keys() - before.keys() - taken}
    assert left == {
        "[stage-0 2/3] COPY other /other",
        "mount / from exec /bin/sh -c echo other",
        'cached mount /c from exec /bin/sh -c echo other with id "//c"',
    }
    assert sorted(after[each].description for each in taken) == sorted(
        record.description.replace('id "//', 'id "dockfix-ns//')
        for record in before.values()
        if not record.description.startswith("local source")
    )


def test_a_step_is_recognised_without_its_stage() -> None:
    record = Record("a", (), "[stage-0 2/3] COPY a b")
    assert appeared({}, {"a": record}, {"[2/3] COPY a b"}, "ns") == {"a"}
    assert appeared({}, {"a": record}, {"[3/3] COPY a b"}, "ns") == frozenset()


def test_a_base_image_is_taken_if_the_build_pulled_it() -> None:
    record = Record("a", (), "pulled from docker.io/library/debian:12@sha256:00")
    names = {"[1/2] FROM docker.io/library/debian:12@sha256:00"}
    assert appeared({}, {"a": record}, names, "ns") == {"a"}
    assert appeared({}, {"a": record}, {"[1/2] FROM docker.io/library/alpine"}, "ns") == frozenset()


def test_the_ledger_takes_nothing_if_the_cache_cannot_be_listed() -> None:
    for listings in ([None, recorded("du-after.txt")], [recorded("du-before.txt"), None]):
        left = list(listings)
        ledger = Ledger(lambda left=left: left.pop(0))  # type: ignore[misc]  # a default that binds the loop's value
        with ledger.watch(None) as note:
            for line in recorded("du-build.txt").split("\n"):
                note(line)
        assert ledger.take() == []


def test_the_ledger_counts_a_build_that_is_interrupted() -> None:
    listings = [recorded("du-before.txt"), recorded("du-after.txt")]
    ledger, lines = Ledger(lambda: listings.pop(0)), list[str]()

    def build() -> None:
        with ledger.watch(lines.append) as note:
            note("#4 [base 1/2] COPY bin /bin")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build()
    assert lines == ["#4 [base 1/2] COPY bin /bin"]
    assert ledger.take()
    assert ledger.take() == []
