"""ShellCheck finds a mistake in the shell text.

## What it does

Shows what ShellCheck finds in the shell form and the heredocs of RUN, and in the shell form of CMD, ENTRYPOINT and
HEALTHCHECK, at its place in the Dockerfile. The shell of the stage decides the dialect; what ARG and ENV set is known.

The rule needs the program `shellcheck`, which `pip install 'dockfix[shellcheck]'` installs. Without it the rule finds
nothing. It is on request: `--rule shellcheck`.

## Why is this bad?

Each finding names its code, which ShellCheck's wiki explains.

## Example

```dockerfile
FROM debian:12
RUN cd /srv; for each in $(ls); do rm $each; done
```

## When it does not apply

- Exec form, ONBUILD, and shells other than sh, dash, ash, bash and ksh.
- Codes in a comment for hadolint, such as `# hadolint ignore=SC2086`.
- SC1090 and SC1091: files that a script sources are not followed.
- Text with carriage returns or invalid UTF-8, and shell text that dockfix cannot read.
- `# shellcheck disable=SC2086` inside a heredoc, which ShellCheck itself reads. It never sees a comment between the
  lines of a continued instruction, which the builder removes.
- SC2154 for a variable that ARG, ENV or the base image may set, and in what runs in the container, where whoever starts
  it may set any; SC2086 in a RUN for one whose value (of an ARG: its default) is a single word.

## References

- https://www.shellcheck.net/wiki/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from dockfix.facts.model import Known
from dockfix.facts.state import State
from dockfix.project.shellcheck import Comment, Snippet
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Preset, Severity
from dockfix.rule.peer_comments import PeerComments
from dockfix.syntax.tree import Cmd, Entrypoint, Healthcheck, Instruction, Run

_DIALECTS: Final = {"sh": "dash", "dash": "dash", "ash": "dash", "bash": "bash", "ksh": "ksh"}
_SEVERITIES: Final = {"error": Severity.ERROR, "warning": Severity.WARNING}
_UNASSIGNED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*) is referenced but not assigned")
_EXPANSION: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SINGLE_WORD: Final = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_UNQUOTED, _NOT_ASSIGNED = 2086, 2154
_ABOUT_FILES: Final = frozenset((1090, 1091, 2148))  # a sourced file that is not followed, no interpreter line


def check(target: Target) -> Iterator[Finding]:
    """Ask ShellCheck once for all scripts of the file."""
    scripts = [
        (instruction, snippet)
        for stage in target.facts.graph.stages
        for instruction in stage.instructions
        if (snippet := _snippet(target, instruction, (stage.base and stage.base.sh) or "")) is not None
    ]
    ignored = PeerComments(target.dockerfile)
    found = target.project.shellcheck(snippet for _, snippet in scripts)
    for instruction, snippet in scripts:
        state = target.facts.state(instruction)
        mapped = target.facts.commands(instruction).text
        starts = [0, *accumulate(len(line) + 1 for line in snippet.text.split("\n"))]
        for comment in found.get(snippet, ()):
            start = starts[comment.line - 1] + comment.column - 1
            end = starts[comment.end_line - 1] + comment.end_column - 1
            if not _is_answered(comment, snippet.text[start:end], state, building=isinstance(instruction, Run)):
                at = mapped.span(start, min(end, len(mapped.text)))
                if f"sc{comment.code}" in ignored.codes(at.start):
                    continue
                severity = _SEVERITIES.get(comment.level, Severity.INFO)
                yield Advice(at, f"SC{comment.code}: {comment.message.rstrip('.')}", severity)


def _snippet(target: Target, instruction: Instruction, base_shell: str) -> Snippet | None:
    if not isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck) or instruction.json:
        return None
    commands = target.facts.commands(instruction)
    if commands.script is None or not commands.shell:
        return None
    name = commands.shell[0].rpartition("/")[2]
    if name == "sh" and base_shell in _DIALECTS:
        name = base_shell
    dialect = _DIALECTS.get(name)
    return Snippet(dialect, commands.text.text) if dialect is not None else None


def _is_answered(comment: Comment, text: str, state: State, *, building: bool) -> bool:
    """Whether the Dockerfile around the script shows that a comment is wrong."""
    if comment.code == _NOT_ASSIGNED:
        unassigned = _UNASSIGNED.match(comment.message)
        # whoever starts the container may set any variable
        return not building or (unassigned is not None and state.lookup(unassigned[1]) is not None)
    if comment.code == _UNQUOTED and building:
        expansion = _EXPANSION.fullmatch(text)
        value = state.lookup(expansion[1] or expansion[2]) if expansion is not None else None
        return isinstance(value, Known) and _SINGLE_WORD.fullmatch(value.value) is not None
    return comment.code in _ABOUT_FILES


CODEMOD: Final = Codemod(
    name="shellcheck",
    title="ShellCheck finds a mistake in the shell text",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    preset=Preset.ALL,
    triggers=("run", "cmd", "entrypoint"),
)
