"""What builds have shown, as text."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dockfix.output.measures import amount, change, measured, total
from dockfix.output.plain import UNPRINTABLE, Style
from dockfix.output.verify_text import verify_text
from dockfix.verify.model import BuildOutcome, Measurement, TargetResult, VerifyResult
from tests.output.verify_samples import FAILS, FINE, HOSTILE, RESULT

SECTION = """\
api/Dockerfile: api (docker-compose.yaml:12)
  3 fixes: cache-mount (2), apt-purge
  built in 34.2 s before, 31.0 s after
                before     after           change
  image size  368.4 MB  293.0 MB  -75.4 MB (-20%)
  cold build    36.0 s    36.0 s             same
  warm build         -     1.0 s                -
  layers             7         8        +1 (+14%)
  broken     apt-purge    image
    /usr/bin/gcc is missing
  not shown  cache-mount  starts
    the image has no command
  kept       cache-mount  builds
  differences that no promise covers:
    removed /usr/bin/gcc: file 0755 root
    config user: none -> app
    added /f0: file
    added /f1: file
    added /f2: file
    added /f3: file
    added /f4: file
    added /f5: file
    added /f6: file
    added /f7: file
    and 4 more (-v shows them)
  1 other difference is promised, or no effect of the fixes (-v shows them)
  culprit: api/Dockerfile:7: apt-purge `gcc` stays
    image: broken
    /usr/bin/gcc is missing
"""


def text_of(target: TargetResult, *, verbose: bool = False) -> str:
    return verify_text(VerifyResult("b 1", (target,)), verbose=verbose)


def test_a_section() -> None:
    assert text_of(FINE) == SECTION


def test_verbose_shows_all_of_it() -> None:
    text = text_of(FINE, verbose=True)
    assert "    /usr/bin/gcc is missing\n    and 2 more files\n" in text
    assert "    added /f11: file\n" in text
    assert "    changed /var/log/dpkg.log: 1 -> 2 [logs differ in each build]\n" in text
    assert "36.0 s (34.0 s to 40.0 s)" in text
    assert "(-v" not in text


def test_a_build_that_the_fixes_make_fail_shows_the_end_of_its_log() -> None:
    text = text_of(FAILS)
    assert "  before: built in 2.0 s\n  after: failed after 5.0 s: exit code 1\n" in text
    assert "  end of the log of the build after:\n    line 11\n" in text
    assert "    line 29\n    no \\x1b[2Jtable\n" in text
    assert "line 10" not in text


def test_a_build_that_failed_before_shows_its_log_only_if_asked() -> None:
    failed = BuildOutcome(False, 1.0, log="oh no", timed_out=True)
    target = replace(FAILS, before=failed, after=failed)
    assert "oh no" not in text_of(target)
    assert "  -v shows the end of the log of the build before\n" in text_of(target)
    assert "before: stopped at its time limit after 1.0 s\n" in text_of(target)
    assert text_of(target, verbose=True).count("    oh no\n") == 2


def test_a_target_that_was_not_built() -> None:
    text = verify_text(RESULT)
    assert text.endswith("\n\ndb/Dockerfile\n  1 fix: cache-mount\n  not built: the context has 3.0 GB\n")


def test_states_are_coloured() -> None:
    text = verify_text(RESULT, style=Style(colour=True))
    assert "\x1b[31;1mbroken   \x1b[0m" in text
    assert "\x1b[33;1mnot shown\x1b[0m" in text
    assert "\x1b[32;1mkept     \x1b[0m" in text


@pytest.mark.parametrize("verbose", [False, True])
def test_no_text_of_a_file_controls_the_terminal(verbose: bool) -> None:
    text = verify_text(HOSTILE, verbose=verbose)
    assert set(UNPRINTABLE.findall(text)) == {"\n"}
    assert not any(line.startswith("# x") for line in text.split("\n"))
    assert "\\x1b[31m" in text


def test_the_total() -> None:
    assert total(RESULT) == (
        "4 promises of 2 build targets: 1 kept, 1 not shown, 2 broken; with buildah 1.28.2 in 72.5 s;"
        " 1 build target not built"
    )
    assert total(VerifyResult("b", (), clean=3)) == "nothing to verify: no fix changes 3 Dockerfiles"
    assert total(VerifyResult("b", ())) == "nothing to verify: no Dockerfile found"
    assert total(replace(HOSTILE, targets=())) == "nothing to verify; 1 input problem; 1 defect"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "bytes", "0 B"), (999, "bytes", "999 B"), (1000, "bytes", "1.0 kB"), (2_500_000_000, "bytes", "2.5 GB"),
        (0.04, "s", "0.0 s"), (12_345_678, "files", "12345678"), (2.5, "steps", "2.5"),
    ],
)  # fmt: skip
def test_amounts(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_changes() -> None:
    assert change(Measurement("", "bytes", (0,), (500,))) == "+500 B"
    assert change(Measurement("", "s", (2.01,), (2.02,))) == "same"
    assert change(Measurement("", "bytes", (), ())) == "-"
    assert measured((3.0, 1.0), "s") == "2.0 s"
