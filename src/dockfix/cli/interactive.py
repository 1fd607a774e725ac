"""Asking a person about each fix, as `git add -p` asks about each hunk."""

from __future__ import annotations

import sys
from typing import Final

from dockfix.cli.console import Console
from dockfix.codemod.engine import preview
from dockfix.codemod.model import EditError, Fix, Found
from dockfix.output.diff import colour_diff, unified_diff
from dockfix.output.plain import printable
from dockfix.output.text import finding_details, finding_line
from dockfix.project.target import Target

PROMPT: Final = "Apply this fix [y,n,q,a,d,?]? "
_HELP: Final = """\
y - apply this fix
n - do not apply this fix
q - quit; apply neither this fix nor any of the others (those accepted so far are applied)
a - apply this fix and all later ones in the file
d - apply neither this fix nor any later one in the file
? - print help
"""


class Reviewer:
    """A person's answers, as the engine's `accept`. Each fix is asked about once, in whatever pass it turns up."""

    def __init__(self, terminal: Console) -> None:
        self._terminal = terminal
        self._all: set[str] = set()
        self._none: set[str] = set()
        self._declined: set[tuple[str, str, str, str]] = set()
        self._quit = False

    def __call__(self, target: Target, found: Found) -> bool:
        """Whether the fix is wanted."""
        file = str(target.path)
        at = found.finding.at
        identity = (file, found.rule, found.finding.message, target.text[at.start : at.end])
        if self._quit or file in self._none or identity in self._declined:
            return False
        if file in self._all:
            return True
        self._show(target, found)
        answer = self._ask()
        self._quit = answer == "q"
        if answer == "a":
            self._all.add(file)
        elif answer == "d":
            self._none.add(file)
        elif answer == "n":
            self._declined.add(identity)
        return answer in ("y", "a")

    def _show(self, target: Target, found: Found) -> None:
        style = self._terminal.out_style
        safety = found.finding.safety.value if isinstance(found.finding, Fix) else ""
        lines = [finding_line(str(target.path), found, style=style, tag=safety), *finding_details(found, style=style)]
        try:
            diff = unified_diff(target.text, preview(target, found), target.display)
        except EditError as error:
            diff = f"(no diff: {printable(str(error))})\n"  # the engine will catch it
        self._terminal.out("".join(f"{line}\n" for line in lines) + colour_diff(diff, style))

    def _ask(self) -> str:
        """One of `y`, `n`, `q`, `a`, `d`; the end of input is `q`."""
        while True:
            self._terminal.out(self._terminal.out_style("bold", PROMPT.rstrip()) + " ")
            line = sys.stdin.readline()
            if not line:
                self._terminal.out("\n")
                return "q"
            answer = line.strip().lower()[:1]
            if answer and answer in "ynqad":
                return answer
            self._terminal.out(_HELP)
