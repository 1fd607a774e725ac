"""Searches for a process by its command line that find the check itself.

`pgrep` only leaves out itself: the shell that runs `sh -c 'pgrep -f x || exit 1'` has `x` on its own command line. A
shell may replace itself with the last command, and then it is not found. Measured with procps 4.0.2 and dash 0.5.12,
bash 5.2 and busybox 1.35 (`tests/codemods/test_pgrep_run.py`); pgrep of busybox: `procps/pgrep.c`, which only compares
the pid with its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.facts.commands import Commands, Step
from dockfix.facts.health import program_of
from dockfix.facts.model import Refused
from dockfix.facts.tables.accounts import BUSYBOX_FAMILIES
from dockfix.syntax.shell import Context, Word, literal
from dockfix_codemods.healthcheck_pgrep.patterns import Pattern, parse_pattern

if TYPE_CHECKING:
    from dockfix.facts.images import BaseImage
    from dockfix.syntax.tree import Healthcheck

_PGREP_FLAGS: Final = frozenset("aficlnoqx")
_PGREP_LONG: Final = frozenset(
    ("--full", "--list-full", "--list-name", "--count", "--ignore-case", "--exact", "--newest", "--oldest", "--quiet")
)
_SIGNAL: Final = re.compile(r"-(?:\d+|(?:SIG)?[A-Z]{3,}\d?)\Z")
_GREP_FLAGS: Final = frozenset("qiwsncEF")
_BSD_PS: Final = frozenset("aefhjlmruwx")
_MAX_LINE: Final = 2000
"""A command line with more characters is not checked: no real check is that long."""
_NOT_REPLACED: Final = Context.PIPELINE | Context.SUBSTITUTION | Context.BACKGROUND
_PROCESS_TOOLS: Final = frozenset(
    ("pgrep", "pkill", "pidof", "ps", "grep", "egrep", "fgrep", "wc", "awk", "head", "tail", "tr")
)


class SelfMatch(Struct, frozen=True):
    """A search for a process that finds a process of the check itself.

    `program` searches for the pattern in `word`; `itself` says what it finds: its shell, or grep. `line` is the command
    line of the check, or the name of its shell, which the pattern matches. `pattern` is None for a fixed string.
    """

    step: Step
    word: Word
    program: str
    itself: str
    pattern: Pattern | None
    line: str
    ignore_case: bool
    whole: bool = False


def self_matches(check: Healthcheck, commands: Commands, base: BaseImage | None) -> Iterator[SelfMatch]:
    """The searches of a health check that find the check itself, as far as their words are literal and understood."""
    for index, step in enumerate(commands.steps):
        word = program_of(step.command)
        name = (word.value or "").rpartition("/")[2] if word is not None else ""
        if name in ("pgrep", "pkill"):
            found = _pgrep(check, commands, base, step, name)
        elif name in ("grep", "egrep", "fgrep") and index:
            found = _ps_grep(check, commands, base, index, name)
        else:
            continue
        if found is not None:
            yield found


def only_looks_for_processes(commands: Commands) -> bool:
    """Whether a check only asks whether a process exists."""
    names = [
        (word.value or "").rpartition("/")[2]
        for step in commands.steps
        if (word := program_of(step.command)) is not None
    ]
    asking = [name for name in names if name not in ("exit", "test", "[", "true", "false", "echo", "sh", "bash")]
    return bool({"pgrep", "pkill", "pidof", "ps"} & {*asking}) and _PROCESS_TOOLS.issuperset(asking)


def _pgrep(check: Healthcheck, commands: Commands, base: BaseImage | None, step: Step, name: str) -> SelfMatch | None:
    words = step.command.words
    at = next(index for index, word in enumerate(words) if (word.value or "").rpartition("/")[2] == name)
    flags: set[str] = set()
    operands: list[Word] = []
    for word in words[at + 1 :]:
        value = word.value
        if value is None and not _is_bracketed(word):
            return None
        if value is None or not value.startswith("-"):
            operands.append(word)
        elif value in _PGREP_LONG:
            flags.add({"--full": "f", "--ignore-case": "i", "--exact": "x"}.get(value, ""))
        elif _PGREP_FLAGS.issuperset(value[1:]):
            flags |= {*value[1:]}
        elif not (name == "pkill" and _SIGNAL.match(value)):
            return None
    if len(operands) != 1 or operands[0].value is None or (check.json and step.depth == 0):
        return None
    if not _shell_stays(step, commands, base):
        return None
    shell = (commands.shell or ("sh",))[0].rpartition("/")[2]
    line = _own_line(check, commands) if "f" in flags else shell[:15]
    pattern = parse_pattern(operands[0].value)
    if pattern is None:
        return None
    match = SelfMatch(step, operands[0], name, "its own shell", pattern, line, "i" in flags, "x" in flags)
    return match if _finds(match, pattern, line) else None


def _is_bracketed(word: Word) -> bool:
    """Whether a word is literal except for an unquoted `[`, as in `[x].main`."""
    return not word.variables and "[" in word.text and not any(char in word.text for char in "$`*?{~")


def _ps_grep(check: Healthcheck, commands: Commands, base: BaseImage | None, index: int, name: str) -> SelfMatch | None:
    step, lister = commands.steps[index], commands.steps[index - 1]
    piped = lister.command.after is not None and lister.command.after.text == "|"
    lists = lister.command.basename == "ps" and piped and _lists_command_lines(lister, base)
    if not lists or (step.command.after is not None and step.command.after.text == "|"):
        return None  # the rest of the pipeline may leave grep out, or count
    flags: set[str] = set()
    operands: list[Word] = []
    for word in step.command.args:
        value = word.value
        if value is None:
            return None
        if not value.startswith("-"):
            operands.append(word)
        elif _GREP_FLAGS.issuperset(value[1:]):
            flags |= {*value[1:]}
        else:
            return None
    if len(operands) != 1 or operands[0].value is None:
        return None
    line, ignore_case = _own_line(check, commands), "i" in flags
    if "F" in flags or name == "fgrep":
        return SelfMatch(step, operands[0], name, "grep itself", None, line, ignore_case)
    pattern = parse_pattern(operands[0].value, extended="E" in flags or name == "egrep")
    if pattern is None:
        return None
    match = SelfMatch(step, operands[0], name, "grep itself", pattern, line, ignore_case)
    return match if _finds(match, pattern, line) else None


def _lists_command_lines(lister: Step, base: BaseImage | None) -> bool:
    """Whether `ps` shows whole command lines: busybox's always, procps' depending on its options (ps(1))."""
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
    """Whether the shell still exists, with the pattern on its command line, while the search runs."""
    command = step.command
    if command.words[0].value == "exec":
        return False
    if command.after is not None or command.context & _NOT_REPLACED:
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


def _finds(match: SelfMatch, pattern: Pattern, line: str) -> bool:
    """Whether a search with the options of a match finds a command line by a pattern."""
    if len(match.line) > _MAX_LINE:
        return False
    if match.whole:
        return pattern.text == line
    if match.ignore_case:
        lowered = parse_pattern(pattern.text.lower())
        return lowered is not None and lowered.found_in(line.lower())
    return pattern.found_in(line)


def bracketed(check: Healthcheck, commands: Commands, match: SelfMatch) -> str:
    """The word of a match with a character of its pattern in brackets, so that it no longer finds the check.

    Raises:
        Refused: there is no such spelling, or it may change what the check does.
    """
    word, pattern = match.word, match.pattern
    if pattern is None:
        raise Refused("with `-F` a bracket would be a plain character")
    if match.step.command.context & Context.SUBSTITUTION:
        raise Refused("its output is used, which may account for the match")
    hidden = pattern.hidden()
    if hidden is None:
        raise Refused("no character of the pattern can be put in brackets")
    spelled = _spelled(word, pattern, check, match.step)
    if spelled is None:
        raise Refused("brackets need quotes, which cannot be added here")
    rewritten = parse_pattern(hidden)
    line = match.line
    start = line.find(word.text) if check.json else len(line) - len(commands.text.text) + word.start
    end = start + len(word.text)
    after = line[:start] + spelled + line[end:] if len(line) > len(word.text) else line
    if rewritten is None or start < 0 or _finds(match, rewritten, after):
        raise Refused("the pattern also matches another part of the command line, or the shell's own name")
    return spelled


def _spelled(word: Word, pattern: Pattern, check: Healthcheck, step: Step) -> str | None:
    """The word with the pattern's first plain characters in brackets, quoted against globbing; None if impossible."""
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
