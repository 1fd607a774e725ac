"""What a person sees on a terminal: lines that fit, a progress bar that leaves nothing, interrupts that are said."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockfix.cli.wrapping import wrapped
from tests.cli.conftest import TOYS

_LONG = re.compile(r"[|]|page: |[^ ]{30}")
"""A line of source, or one with a word that is too long for the narrowest terminal."""
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(
    project: Path,
    *arguments: str,
    columns: int = 80,
    typed: tuple[tuple[str, str], ...] = (),
    env: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run dockfix on a terminal; `typed`: what to type when a text is shown. Returns its code and all it wrote."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    done = subprocess.Popen(
        [sys.executable, "-P", str(TOYS), *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=project, start_new_session=True,
        env={**environment, "TERM": "xterm", **(env or {})},
    )  # fmt: skip
    os.close(theirs)
    shown, waits = b"", list(typed)
    with contextlib.suppress(OSError):  # Linux's way to say that all writers have closed
        while data := os.read(mine, 65536):
            shown += data
            if waits and waits[0][0].encode() in shown:
                answer = waits.pop(0)[1]
                if answer == "^C":
                    time.sleep(0.1)
                    done.send_signal(signal.SIGINT)
                else:
                    os.write(mine, answer.encode())
    os.close(mine)
    return done.wait(30), shown.decode()


def many(project: Path, text: str, number: int = 120) -> None:
    for each in range(number):
        (project / f"d{each}").mkdir()
        (project / f"d{each}" / "Dockerfile").write_text(text)


def rows(shown: str) -> list[str]:
    return _ESCAPE.sub("", shown).replace("\r\n", "\n").split("\n")


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_long_lines_of_findings_are_broken_at_spaces(project: Path, columns: int) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nWORKDIR a/quite/long/folder/name/for/this\nUSER root\n")
    code, shown = on_terminal(project, "check", columns=columns)
    assert code == 1
    assert "relative folder" in shown
    assert [row for row in rows(shown) if len(row) > columns and not _LONG.search(row)] == []


def test_an_excerpt_is_not_broken_and_a_word_neither() -> None:
    source = " 12 | RUN a very long line of source that stays as it is\n    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
    assert wrapped(source, 30) == source
    address = "  = page: https://example.org/a/very/long/address"
    assert wrapped(address, 30) == address
    assert wrapped("  = help: write the pattern as another pattern", 30) == (
        "  = help: write the pattern as\n    another pattern"
    )


def test_colours_and_wide_characters_are_measured_as_they_are_shown() -> None:
    assert wrapped("\x1b[31;1merror\x1b[0m: \x1b[1mone two three four\x1b[0m", 25) == (
        "\x1b[31;1merror\x1b[0m: \x1b[1mone two three four\x1b[0m"
    )
    assert wrapped("日本語日本語 日本語日本語", 25) == "日本語日本語 日本語日本語"
    assert wrapped("日本語日本語 日本語日本語", 24) == "日本語日本語\n  日本語日本語"
    assert wrapped("a line for a terminal of unknown width", 0) == "a line for a terminal of unknown width"


def test_the_bar_is_removed(project: Path) -> None:
    many(project, "FROM scratch as a\n")
    code, shown = on_terminal(project, "check", "--statistics")
    assert code == 1
    bars = re.findall(r"\r\[#*\.*\] (\d+)/120 files", shown)
    assert bars
    assert int(bars[-1]) < 120
    assert re.search(r"files\r\x1b\[K(?!\r\[)", shown)
    assert "/120 files" not in _ESCAPE.sub("", shown.split("\r\x1b[K")[-1])


@pytest.mark.parametrize(
    ("arguments", "env"), [(("--quiet",), {}), ((), {"TERM": "dumb"})], ids=["quiet", "dumb terminal"]
)
def test_no_bar(project: Path, arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
    many(project, "FROM scratch as a\n")
    _, shown = on_terminal(project, "apply", "--check", *arguments, env=env)
    assert "/120 files" not in shown
    assert "\x1b" not in shown or not env


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        ((), {"TERM": "dumb"}, False),
    ],
)
def test_colours(project: Path, arguments: tuple[str, ...], env: Mapping[str, str], coloured: bool) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nUSER root\n")
    _, shown = on_terminal(project, "check", *arguments, env=env)
    assert ("\x1b[" in shown) is coloured


def test_an_interrupt_of_init_is_said(project: Path) -> None:
    code, shown = on_terminal(project, "init", "go", typed=(("Name of the image", "^C"),))
    assert code == 130
    assert rows(shown)[-2:] == ["dockfix: interrupted; nothing was written", ""]
    assert not (project / "Dockerfile").exists()


def test_init_asks_again(project: Path) -> None:
    typed = (
        ("Template", "cobol\n"), ("no template 'cobol'", "python\n"), ("Name of the image", "Bad Name\n"),
        ("not a valid image name", "app\n"), ("Version", "x\n"), ("not of the form", "\n"),
        ("Package manager", "npm\n"), ("not 'npm'", "pip\n"), ("Port", "99999\n"), ("99999 is not", "8001\n"),
        ("Command", "\n"),
    )  # fmt: skip
    code, shown = on_terminal(project, "init", typed=typed, columns=100)
    assert code == 0, shown
    assert "EXPOSE 8001" in (project / "Dockerfile").read_text()


def test_init_breaks_errors_at_spaces(project: Path) -> None:
    typed = (("Template", "python\n"), ("Name of the image", "Bad Name\n"), ("not a valid image name", "^C"))
    _, shown = on_terminal(project, "init", typed=typed, columns=60)
    assert all(len(row) <= 60 for row in rows(shown)), shown
    assert "between them" in " ".join(shown.split())


def test_watch_leaves_no_mark_of_its_end(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")
    code, shown = on_terminal(project, "check", "--watch", typed=(("Ctrl-C ends", "^C"),))
    assert code == 130
    assert shown.endswith("Ctrl-C ends\r\n\r\x1b[K")


def test_what_was_accepted_is_kept_after_an_interrupt(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch as a\nWORKDIR x\n")
    typed = (("Apply this fix [y,n,q,a,d,?]?", "y\n"), ("relative folder x", "^C"))
    code, shown = on_terminal(project, "apply", "--unsafe", "--interactive", typed=typed, columns=100)
    assert code == 130
    assert "dockfix: interrupted; only the fixes accepted so far were written" in rows(shown)
    assert (project / "Dockerfile").read_text() == "FROM scratch AS a\nWORKDIR x\n"


def test_a_page_keeps_its_code(project: Path) -> None:
    code = "    RUN a line of code that must stay as it is\n"
    assert wrapped(code, 30, page=True) == code
    assert wrapped("A sentence that goes on for a while\n- an item that goes on for a while", 30, page=True) == (
        "A sentence that goes on for a\nwhile\n- an item that goes on for a\n  while"
    )
    _, shown = on_terminal(project, "explain", "workdir-abs", columns=30)
    assert "    WORKDIR /x" in rows(shown)
