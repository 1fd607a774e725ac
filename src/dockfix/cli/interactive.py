"""Asking a person about each fix, as `git add -p` asks about each hunk."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Final, TypeAlias

from dockfix.cli.console import Console
from dockfix.codemod.model import Diagnostic, EditError, Fix
from dockfix.codemod.workspace import Workspace
from dockfix.engine.fixes import preview
from dockfix.output.diff import colour_diff, unified_diff
from dockfix.output.plain import printable
from dockfix.output.text import finding_details, finding_line

PROMPT: Final = "Apply this fix [y,n,q,a,d,?]? "
_HELP: Final = """\
y - apply this fix
n - do not apply this fix
q - quit; apply neither this fix nor any of the others (those accepted so far are applied)
a - apply this fix and all later ones in the file
d - apply neither this fix nor any later one in the file
? - print help
"""


_Identity: TypeAlias = tuple[str, str, str, str]
"""What a fix is known by in a later pass, where it has another place: its file, rule, message, and the text there."""


class Reviewer:
    """A person's answers, as the engine's `accept`.

    The engine runs until nothing changes and so meets a declined fix again in the next pass; nobody is asked twice.
    Of several equal fixes in one text as many are declined unasked as were declined before: those accepted are gone.
    """

    def __init__(self, terminal: Console) -> None:
        self._terminal = terminal
        self._all: set[str] = set()
        self._none: set[str] = set()
        self._declined: Counter[_Identity] = Counter()
        self._batch: tuple[str, str, str] | None = None
        self._known: Counter[_Identity] = Counter()
        self._quit = False

    def __call__(self, workspace: Workspace, found: Diagnostic) -> bool:
        """Whether the fix is wanted."""
        file = str(found.path)
        if self._quit or file in self._none:
            return False
        if self._is_known(workspace, found):
            return False
        if file in self._all:
            return True
        self._show(workspace, found)
        answer = self._ask()
        self._quit = answer == "q"
        if answer == "a":
            self._all.add(file)
        elif answer == "d":
            self._none.add(file)
        elif answer == "n":
            self._declined[_identity(workspace, found)] += 1
        return answer in ("y", "a")

    def _is_known(self, workspace: Workspace, found: Diagnostic) -> bool:
        """Whether a fix was declined when it turned up in an earlier text of its file."""
        batch = (str(found.path), found.rule, workspace.text_if_any(found.path) or "")
        if batch != self._batch:
            self._batch = batch
            self._known = Counter(self._declined)
        identity = _identity(workspace, found)
        if self._known[identity] > 0:
            self._known[identity] -= 1
            return True
        return False

    def _show(self, workspace: Workspace, found: Diagnostic) -> None:
        style = self._terminal.out_style
        safety = found.finding.safety.value if isinstance(found.finding, Fix) else ""
        lines = [
            finding_line(str(workspace.given(found.path)), found, style=style, tag=safety),
            *finding_details(found, style=style),
        ]
        try:
            diff = "".join(unified_diff(before, after, name) for name, before, after in preview(workspace, found))
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


def _identity(workspace: Workspace, found: Diagnostic) -> _Identity:
    at = found.finding.at
    text = workspace.text_if_any(found.path) or ""
    return str(found.path), found.rule, found.finding.message, text[at.start : at.end]
