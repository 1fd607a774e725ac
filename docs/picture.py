"""Draw docs/terminal.svg: a terminal in which dockfix runs on the example project.

usage: python docs/picture.py

The commands run in a real pseudo-terminal, so the picture has the format and the colours that a user sees. It depends
on nothing but dockfix and the example; `docs/generate.py --check` says when it is stale.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "terminal.svg"
COMMANDS = (
    ("dockfix", "check", "--rule", "cache-mount", "docker/web"),
    ("dockfix", "apply", "--rule", "cache-mount", "docker/web"),
)
ALT = "A terminal: dockfix check shows that a cache mount is missing, and dockfix apply adds it"

COLUMNS = 100
SIZE = 14
ADVANCE = 8.4
"""Width of a character in pixels; each run of text is stretched to it, whatever the font."""
LINE = 19
MARGIN = 18
BAR = 34
"""Height of the title bar."""
BACKGROUND = "#0d1117"
COLOURS = {
    "": "#e6edf3",
    "dim": "#9da7b1",
    "31": "#ff7b72",
    "32": "#3fb950",
    "33": "#d29922",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#56d4dd",
}
"""By SGR code; each has a contrast of at least 4.5 to the background, which the picture brings along."""
ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


@dataclass(frozen=True)
class Run:
    """Text of one style within a line."""

    text: str
    colour: str = ""
    bold: bool = False


def terminal_output(command: tuple[str, ...], folder: Path, home: Path) -> str:
    """What a command shows on a terminal of COLUMNS columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    call = [sys.executable, "-P", "-m", *command]
    with subprocess.Popen(call, cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        data = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            data += part
    os.close(ours)
    if running.returncode not in (0, 1) or b"Traceback" in data:  # a crash ends with 1, as findings do
        raise SystemExit(f"{' '.join(command)}: {data.decode(errors='replace')}")
    return data.decode().replace("\r\n", "\n")


def styled_lines(text: str) -> Iterator[list[Run]]:
    """The lines of a terminal's output, wrapped at its last column."""
    colour, bold = "", False
    for line in text.removesuffix("\n").split("\n"):
        runs: list[Run] = []
        rest = line.rpartition("\r")[2]  # what a progress display wrote before was overwritten
        position = 0
        for found in ESCAPE.finditer(rest):
            runs.append(Run(rest[position : found.start()], colour, bold))
            position = found.end()
            if found[2] != "m":
                continue
            for code in found[1].split(";"):
                if code in ("", "0"):
                    colour, bold = "", False
                elif code == "1":
                    bold = True
                else:
                    colour = "dim" if code == "2" else code
        runs.append(Run(rest[position:], colour, bold))
        yield from wrapped([run for run in runs if run.text])


def wrapped(runs: list[Run]) -> Iterator[list[Run]]:
    """A line as the lines that a terminal shows."""
    shown: list[Run] = []
    room = COLUMNS
    for run in runs:
        text = run.text
        while len(text) > room:
            yield [*shown, Run(text[:room], run.colour, run.bold)]
            text, shown, room = text[room:], [], COLUMNS
        if text:
            shown.append(Run(text, run.colour, run.bold))
            room -= len(text)
    yield shown


def prompt(command: tuple[str, ...]) -> list[Run]:
    """The line in which a user types a command."""
    return [Run("$ ", "32", bold=True), Run(" ".join(command), bold=True)]


def svg(lines: list[list[Run]]) -> str:
    """The picture of a terminal with these lines."""
    width = round(COLUMNS * ADVANCE + 2 * MARGIN)
    height = BAR + len(lines) * LINE + MARGIN
    fonts = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-labelledby="title">',
        f'<title id="title">{escape(ALT)}</title>',
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{BACKGROUND}" '
        'stroke="#6e7681"/>',
        *(f'<circle cx="{20 + 20 * number}" cy="18" r="6" fill="#484f58"/>' for number in range(3)),
        f'<g font-family="{fonts}" font-size="{SIZE}" fill="{COLOURS[""]}" xml:space="preserve">',
    ]
    for number, runs in enumerate(lines):
        column = 0
        for run in runs:
            if run.text.strip():
                parts.append(text_element(run, column, BAR + number * LINE + SIZE))
            column += len(run.text)
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def text_element(run: Run, column: int, y: int) -> str:
    """A run of text at its column; spaces around it are left out, since renderers treat them differently."""
    text = run.text.strip(" ")
    column += len(run.text) - len(run.text.lstrip(" "))
    style = f' fill="{COLOURS[run.colour]}"' if run.colour else ""
    style += ' font-weight="bold"' if run.bold else ""
    place = f'x="{MARGIN + column * ADVANCE:.1f}" y="{y}" textLength="{len(text) * ADVANCE:.1f}"'
    # No-break spaces: several spaces in a row are one in renderers that do not know xml:space.
    return f"<text {place}{style}>{escape(text, quote=False).replace(' ', chr(0xA0))}</text>"


def picture() -> str:
    """The picture as SVG."""
    lines: list[list[Run]] = []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(ROOT / "examples" / "audit", Path(folder, "project")))
        for command in COMMANDS:
            if lines:
                lines.append([])
            lines += [prompt(command), *styled_lines(terminal_output(command, project, Path(folder)))]
    return svg(lines)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
