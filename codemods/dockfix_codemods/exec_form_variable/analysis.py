"""Finds variables in the exec form of CMD, ENTRYPOINT and HEALTHCHECK, and writes the command for a shell.

docs.docker.com/reference/dockerfile/#exec-form: "Unlike the shell form, the exec form doesn't automatically invoke a
command shell", so that `CMD ["echo", "$HOME"]` prints `$HOME`.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.tables.programs import Trait, has_trait
from dockfix_codemods.exec_form_variable.expanders import (
    CODE_OPTIONS,
    EXPANDERS,
    INTERPRETERS,
    JVM_PROGRAMS,
    OPTION_LISTS,
)

_REFERENCE: Final = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::?[-+?][A-Za-z0-9_./:@%+,=-]*)?\})", re.ASCII
)
_RUN_TIME_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]+\Z")
ALWAYS_SET: Final = frozenset(("HOME", "HOSTNAME", "PATH", "PWD"))
"""What Docker sets in every container (moby `container/env.go`, `CreateDaemonEnvironment`), and PWD, which sh does."""
_TAKES_SCRIPT: Final = re.compile(r"-[abefhiklmnpuvxCET]*c[abefhiklmnpuvxCET]*\Z")
"""`-c` of a shell, alone or among its other options (POSIX `sh`, OPTIONS; bash(1))."""
_SPECIAL: Final = re.compile(r'[\\"`$]')


class Unexpanded(Struct, frozen=True):
    """An exec form with variables that nothing expands.

    `words` are the words that contain variables, and `names` the variables in order. `whole_lists` are the variables
    that are a whole word and, by their name, a list of options. `line` is the same command for a shell: each word is
    quoted to remain one word, except the lists. `program` is the command; empty if its name contains a variable.
    `blocker` says why a shell would interpret one of the words differently; None if it would not.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]
    whole_lists: tuple[str, ...]
    line: str
    program: str
    blocker: str | None = None


def unexpanded(argv: Sequence[str], is_set: Callable[[str], bool]) -> Unexpanded | None:
    """The unexpanded variables of an exec form; None if there are none, or if the program expands them itself.

    `is_set` says whether the image or the build sets a variable. Other names count if they look like an environment
    variable: upper case, two characters or more.
    """
    if not argv or _expands_itself(argv):
        return None
    words: list[str] = []
    names: list[str] = []
    lists: list[str] = []
    line: list[str] = []
    blocker: str | None = None
    for index, word in enumerate(argv):
        found = _names(word, is_set) if not _program_reads(argv, index) else ()
        if not found:
            line.append(shlex.quote(word))
            continue
        words.append(word)
        names += found
        whole = _REFERENCE.fullmatch(word)
        if whole is not None and index and OPTION_LISTS.search(found[0]):
            lists.append(found[0])
            line.append(word)
            continue
        if "$" in _REFERENCE.sub("", word):
            blocker = blocker or f"`{word}` contains more than variables for a shell to expand"
        line.append(_double_quoted(word))
    if not words:
        return None
    program = argv[1] if argv[0] == "exec" and len(argv) > 1 else argv[0]
    start = [] if argv[0] == "exec" else ["exec"]
    return Unexpanded(
        tuple(words),
        tuple(dict.fromkeys(names)),
        tuple(lists),
        " ".join((*start, *line)),
        "" if program in words else posixpath.basename(program) or program,
        blocker,
    )


def _expands_itself(argv: Sequence[str]) -> bool:
    """Whether the command expands variables in its arguments."""
    names = [posixpath.basename(word) for word in argv]
    if names[0] in EXPANDERS:
        return True
    # after an init, `env` or a wait script the program may be a shell, whose script is then one of the words
    return any(
        has_trait(name, Trait.SHELL) and any(_TAKES_SCRIPT.match(word) for word in argv[index + 1 :])
        for index, name in enumerate(names)
    )


def _names(word: str, is_set: Callable[[str], bool]) -> list[str]:
    """The variables in a word for a shell to expand; none if one is escaped."""
    if "\\$" in word or "$$" in word:
        return []
    found = (match["plain"] or match["braced"] for match in _REFERENCE.finditer(word))
    return [name for name in found if is_set(name) or _RUN_TIME_NAME.match(name)]


def _program_reads(argv: Sequence[str], index: int) -> bool:
    """Whether a word is code of another language, or contains a placeholder that the program fills in."""
    program = re.sub(r"[\d.]+\Z", "", posixpath.basename(argv[0]))
    if index and program in INTERPRETERS and argv[index - 1] in CODE_OPTIONS:
        return True
    if "=" in argv[index] and argv[index].partition("=")[0] in CODE_OPTIONS:
        return True
    # Spring fills `${NAME}` in the values of properties from the environment
    # (Spring Boot, "Externalized Configuration", Property Placeholders)
    named = argv[index].startswith(("-D", "--")) and "=" in argv[index]
    return program in JVM_PROGRAMS and named and "${" in argv[index]


def _double_quoted(word: str) -> str:
    parts: list[str] = []
    at = 0
    for match in _REFERENCE.finditer(word):
        parts += (_SPECIAL.sub(r"\\\g<0>", word[at : match.start()]), match.group())
        at = match.end()
    return f'"{"".join(parts)}{_SPECIAL.sub(chr(92) * 2 + chr(92) + "g<0>", word[at:])}"'
