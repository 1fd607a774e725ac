"""Searches for a process by its command line, and whether they find themselves.

`pgrep` leaves itself out, and nothing else: the shell that runs `sh -c 'pgrep -f x || exit 1'` has `x` on its own
command line. A shell that has nothing left to do may put the last command in its own place, and is then not there to be
found. Measured with procps 4.0.2 and dash 0.5.12, bash 5.2 and busybox 1.35 (`tests/codemods/test_pgrep_run.py`); pgrep
of busybox: `procps/pgrep.c`, which compares the pid with its own alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dockfix.facts.commands import Commands, Step
from dockfix.facts.health import program_of
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.syntax.shell import Context, Word, literal
from dockfix_codemods.healthcheck_pgrep.patterns import Pattern, parse_pattern

if TYPE_CHECKING:
    from dockfix.facts.images import BaseImage
    from dockfix.syntax.tree import Healthcheck

__all__ = ["ProcessSearch", "only_looks_for_processes", "process_searches"]

_PGREP_FLAGS: Final = frozenset("aficlnoqx")
_PGREP_LONG: Final = frozenset(
    ("--full", "--list-full", "--list-name", "--count", "--ignore-case", "--exact", "--newest", "--oldest", "--quiet")
)
_SIGNAL: Final = re.compile(r"-(?:\d+|(?:SIG)?[A-Z]{3,}\d?)\Z")
_GREP_FLAGS: Final = frozenset("qiwsncEF")
_BSD_PS: Final = frozenset("aefhjlmruwx")
_MAX_LINE: Final = 2000
"""Characters of a command line past which nothing is said of it: no check is that long."""
_STAYS: Final = Context.PIPELINE | Context.SUBSTITUTION | Context.BACKGROUND
_LOOKS: Final = frozenset(
    ("pgrep", "pkill", "pidof", "ps", "grep", "egrep", "fgrep", "wc", "awk", "head", "tail", "tr")
)


@dataclass(frozen=True, slots=True)
class ProcessSearch:
    """A search for a process.

    `word` holds the pattern, `program` names what searches. `finds` says which of its own processes it finds (its
    shell, or grep itself), "" if none. `hidden` is what `word` may be replaced by so that it finds none of these, with
    the same quotes; None if there is no such spelling, and `why` then says why.
    """

    step: Step
    word: Word
    program: str
    finds: str
    hidden: str | None
    why: str = ""


def process_searches(check: Healthcheck, commands: Commands, base: BaseImage | None) -> Iterator[ProcessSearch]:
    """The searches in a health check whose words are literal and that are understood."""
    for index, step in enumerate(commands.steps):
        word = program_of(step.command)
        name = (word.value or "").rpartition("/")[2] if word is not None else ""
        if name in ("pgrep", "pkill"):
            yield from _pgrep(check, commands, base, step, name)
        elif name in ("grep", "egrep", "fgrep") and index:
            yield from _ps_grep(check, commands, base, index, name)


def only_looks_for_processes(commands: Commands) -> bool:
    """Whether a check asks nothing but whether a process is there."""
    names = [
        (word.value or "").rpartition("/")[2]
        for step in commands.steps
        if (word := program_of(step.command)) is not None
    ]
    asking = [name for name in names if name not in ("exit", "test", "[", "true", "false", "echo", "sh", "bash")]
    return bool({"pgrep", "pkill", "pidof", "ps"} & {*asking}) and _LOOKS.issuperset(asking)


def _pgrep(
    check: Healthcheck, commands: Commands, base: BaseImage | None, step: Step, name: str
) -> Iterator[ProcessSearch]:
    words = step.command.words
    at = next(index for index, word in enumerate(words) if (word.value or "").rpartition("/")[2] == name)
    flags: set[str] = set()
    operands: list[Word] = []
    for word in words[at + 1 :]:
        value = word.value
        if value is None and not _is_bracketed(word):
            return
        if value is None or not value.startswith("-"):
            operands.append(word)
        elif value in _PGREP_LONG:
            flags.add({"--full": "f", "--ignore-case": "i", "--exact": "x"}.get(value, ""))
        elif _PGREP_FLAGS.issuperset(value[1:]):
            flags |= {*value[1:]}
        elif not (name == "pkill" and _SIGNAL.match(value)):
            return
    if len(operands) != 1 or operands[0].value is None or (check.json and step.depth == 0):
        return
    if not _shell_stays(step, commands, base):
        yield ProcessSearch(step, operands[0], name, "", None)
        return
    shell = (commands.shell or ("sh",))[0].rpartition("/")[2]
    line = _own_line(check, commands) if "f" in flags else shell[:15]
    pattern = parse_pattern(operands[0].value)
    whole = "x" in flags
    yield _judged(step, operands[0], name, pattern, line, "i" in flags, "its own shell", commands, check, whole=whole)


def _is_bracketed(word: Word) -> bool:
    """Whether a word may expand only for a `[` that is not quoted, as in `[x].main`."""
    return not word.variables and "[" in word.text and not any(char in word.text for char in "$`*?{~")


def _ps_grep(
    check: Healthcheck, commands: Commands, base: BaseImage | None, index: int, name: str
) -> Iterator[ProcessSearch]:
    step, lister = commands.steps[index], commands.steps[index - 1]
    piped = lister.command.after is not None and lister.command.after.text == "|"
    lists = lister.command.basename == "ps" and piped and _lists_command_lines(lister, base)
    if not lists or (step.command.after is not None and step.command.after.text == "|"):
        return  # what follows in the pipeline may leave grep out, or count
    flags: set[str] = set()
    operands: list[Word] = []
    for word in step.command.args:
        value = word.value
        if value is None:
            return
        if not value.startswith("-"):
            operands.append(word)
        elif _GREP_FLAGS.issuperset(value[1:]):
            flags |= {*value[1:]}
        else:
            return
    if len(operands) != 1 or operands[0].value is None:
        return
    value = operands[0].value
    if "F" in flags or name == "fgrep":
        yield ProcessSearch(
            step, operands[0], name, "grep itself", None, "with -F a bracket would be a plain character"
        )
        return
    pattern = parse_pattern(value, extended="E" in flags or name == "egrep")
    line = _own_line(check, commands)
    yield _judged(step, operands[0], name, pattern, line, "i" in flags, "grep itself", commands, check)


def _lists_command_lines(lister: Step, base: BaseImage | None) -> bool:
    """Whether `ps` shows whole command lines: always busybox's, procps' by its options (ps(1))."""
    values = [word.value or "" for word in lister.command.args]
    if base is not None and base.family in BUSYBOX_FAMILIES:
        return True
    if any(field in value for value in values for field in ("args", "cmd", "command")):
        return True
    first = values[0] if values else ""
    if first.startswith("-"):
        return bool({"f", "F"} & {*first[1:]}) or ("x" in first and _BSD_PS.issuperset(first[1:]))
    return bool({"a", "x"} & {*first}) and _BSD_PS.issuperset(first)


def _shell_stays(step: Step, commands: Commands, base: BaseImage | None) -> bool:
    """Whether the shell is still there, with the pattern on its command line, while the search runs."""
    command = step.command
    if command.words[0].value == "exec":
        return False
    if command.after is not None or command.context & _STAYS:
        return True
    program = (commands.shell or ("",))[0].rpartition("/")[2]
    if commands.script is None:
        return False  # the last command of `["sh", "-c", ...]`
    kind = program if program != "sh" else (base.sh if base is not None else None)
    if kind == "bash":
        return step.depth == 0 and bool(command.redirects or command.context & Context.NEGATED)
    return kind == "dash"


def _own_line(check: Healthcheck, commands: Commands) -> str:
    """The command line of the shell that runs the check, as `ps` and `pgrep -f` see it."""
    if check.argv is not None:
        return " ".join(check.argv)
    return " ".join((*(commands.shell or ()), commands.text.text))


def _judged(
    step: Step,
    word: Word,
    program: str,
    pattern: Pattern | None,
    line: str,
    ignore_case: bool,
    finds: str,
    commands: Commands,
    check: Healthcheck,
    *,
    whole: bool = False,
) -> ProcessSearch:
    if pattern is None or len(line) > _MAX_LINE or not _matches(pattern, line, ignore_case, whole):
        return ProcessSearch(step, word, program, "", None)
    if step.command.context & Context.SUBSTITUTION:
        return ProcessSearch(step, word, program, finds, None, "its output is used, which may allow for what it finds")
    spelled = _spelled(word, pattern, check, step)
    hidden = pattern.hidden()
    if hidden is None:
        return ProcessSearch(step, word, program, finds, None, "no character of the pattern can be put in brackets")
    if spelled is None:
        return ProcessSearch(step, word, program, finds, None, "brackets need quotes, which do not fit where it stands")
    rewritten = parse_pattern(hidden)
    start = line.find(word.text) if check.json else len(line) - len(commands.text.text) + word.start
    end = start + len(word.text)
    after = line[:start] + spelled + line[end:] if len(line) > len(word.text) else line
    if rewritten is None or start < 0 or _matches(rewritten, after, ignore_case, whole):
        return ProcessSearch(
            step,
            word,
            program,
            finds,
            None,
            "it is also found elsewhere on the command line, or is the shell's own name",
        )
    return ProcessSearch(step, word, program, finds, spelled)


def _matches(pattern: Pattern, line: str, ignore_case: bool, whole: bool) -> bool:
    if whole:
        return pattern.text == line
    if ignore_case:
        lowered = parse_pattern(pattern.text.lower())
        return lowered is not None and lowered.found_in(line.lower())
    return pattern.found_in(line)


def _spelled(word: Word, pattern: Pattern, check: Healthcheck, step: Step) -> str | None:
    """The word with the first plain characters of the pattern in brackets, quoted so that it is no glob to a shell."""
    mapped = literal(word)
    marks = pattern.plain_at
    if mapped is None or marks is None:
        return None
    text = word.text
    for at in sorted(marks, reverse=True):
        start, end = (offset - word.start for offset in mapped.span(at, at + 1))
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    if word.text[:1] in ("'", '"') and word.text[-1:] == word.text[:1]:
        return text
    plain = word.text == pattern.text and "'" not in text
    if not plain or (step.depth and not check.json):
        return None
    return f"'{text}'" if check.json or any(char in text for char in '"\\$`!') else f'"{text}"'
