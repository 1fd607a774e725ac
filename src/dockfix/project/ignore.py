"""What `.dockerignore` keeps out of a build context, by Docker's own rules.

Sources: https://docs.docker.com/build/concepts/context/#dockerignore-files; moby/patternmatcher (`patternmatcher.go`,
`ignorefile/ignorefile.go`) for patterns and the file; BuildKit's `frontend/dockerui/config.go` for which file is
read; and tonistiigi/fsutil (`filter.go`), which walks the context and asks the patterns folder by folder.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from dockfix.project.gopath import GO_SPACE, BadPatternError, check, clean, read_class
from dockfix.project.problems import InputError, InputProblem
from dockfix.project.snapshot import Snapshot

__all__ = ["IgnoreRules", "Pattern", "compile_pattern", "parse_ignore", "read_ignore"]

_MAX_LINE: Final = 64 * 1024
"""Go's `bufio.Scanner` gives up on a longer line (`bufio.MaxScanTokenSize`)."""

_REGEX_STARS: Final = 2
"""With more stars than this Python's backtracking could take very long; such patterns run on `_Machine`."""


class _Kind(Enum):
    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"
    MACHINE = "machine"


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file. `text` is the cleaned pattern without its `!`; `line` counts from 1."""

    text: str
    exclusion: bool
    line: int
    _kind: _Kind
    _regex: re.Pattern[str] | None = None
    _machine: _Machine | None = None

    def matches(self, path: str) -> bool:
        """Whether this pattern alone matches `path` itself (moby's `Pattern.match`); parents are not looked at."""
        match self._kind:
            case _Kind.EXACT:
                return path == self.text
            case _Kind.PREFIX:
                return path.startswith(self.text[:-2])
            case _Kind.SUFFIX:
                suffix = self.text[2:]
                return path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])
            case _Kind.REGEX:
                return self._regex is not None and self._regex.match(path) is not None
            case _Kind.MACHINE:
                return self._machine is not None and self._machine.matches(path)

    @property
    def prefix(self) -> str:
        """The pattern without a trailing `**`, `/*` and the like (fsutil's `patternWithoutTrailingGlob`)."""
        return self.text.removesuffix("/**").removesuffix("/*")


@dataclass(frozen=True)
class IgnoreRules:
    """The ignore file of one build context. `path` is the file as found, `None` if there is none (nothing is ignored).

    `problems` holds patterns that Docker refuses; a build with them fails, here they match nothing.
    """

    path: str | None
    patterns: tuple[Pattern, ...]
    problems: tuple[InputProblem, ...] = ()

    def ignored(self, relative_posix: str) -> bool:
        """Whether the path, relative to the context, is kept out of it. The context itself never is."""
        path = clean(relative_posix.lstrip("/"))
        if path == "." or not self.patterns:
            return False
        skippable = self._prefix_exceptions_only()
        parent_matches: list[bool] | None = None
        at = -1
        while True:
            at = path.find("/", at + 1)
            part = path if at < 0 else path[:at]
            matched, parent_matches = self._step(part, parent_matches)
            if at < 0:
                return matched
            if matched and skippable and not self._exception_below(part):
                return True

    def may_ignore_below(self, directory: str) -> bool:
        """Whether a pattern could keep out something below `directory`; `False` is certain, `True` is not."""
        path = clean(directory.lstrip("/"))
        if not self.patterns:
            return False
        if path == ".":
            return any(not pattern.exclusion for pattern in self.patterns)
        parts = path.split("/")
        return any(not pattern.exclusion and _reaches(pattern, parts) for pattern in self.patterns)

    def may_return_below(self, directory: str) -> bool:
        """Whether an exception (`!`) could bring back something below `directory`; `False` is certain."""
        parts = clean(directory.lstrip("/")).split("/")
        return any(pattern.exclusion and _reaches(pattern, parts) for pattern in self.patterns)

    def _step(self, path: str, parent_matches: list[bool] | None) -> tuple[bool, list[bool]]:
        """moby's `MatchesUsingParentResults`, asked from the top folder down as fsutil asks it."""
        matched = False
        matches = [False] * len(self.patterns)
        for index, pattern in enumerate(self.patterns):
            match = parent_matches is not None and parent_matches[index]
            if not match:
                if pattern.exclusion != matched:
                    continue
                match = pattern.matches(path)
            matches[index] = match
            if match:
                matched = not pattern.exclusion
        return matched, matches

    def _prefix_exceptions_only(self) -> bool:
        return not any(pattern.exclusion and set(pattern.prefix) & set("*[]?^\\") for pattern in self.patterns)

    def _exception_below(self, folder: str) -> bool:
        return any(p.exclusion and f"{p.prefix}/".startswith(f"{folder}/") for p in self.patterns)


def read_ignore(context_root: Path, dockerfile: Path, files: Snapshot) -> IgnoreRules:
    """The rules for a build of `dockerfile` in `context_root`.

    `NAME.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context, even if it is empty. A file that
    cannot be read, or lies outside the project, becomes a problem of the rules; BuildKit too builds without it then.
    """
    for path in (dockerfile.with_name(dockerfile.name + ".dockerignore"), context_root / ".dockerignore"):
        if not os.path.exists(path) or files.real(path) is None:  # noqa: PTH110 - never raises
            continue
        try:
            text = files.read(path).text
        except InputError as error:
            return IgnoreRules(None, (), (error.problem,))
        return parse_ignore(text, str(path))
    return IgnoreRules(None, ())


def parse_ignore(text: str, path: str | None = None) -> IgnoreRules:
    """The rules in the text of an ignore file (`ignorefile.ReadAll`, then `patternmatcher.New`)."""
    patterns: list[Pattern] = []
    problems: list[InputProblem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if len(line) >= _MAX_LINE:
            problems.append(InputProblem(path or "", number, "is longer than 64 KiB, on which Docker gives up"))
            break
        if line.startswith("#") or not (written := line.strip(GO_SPACE)):
            continue
        try:
            patterns.append(compile_pattern(written, number))
        except BadPatternError:
            problems.append(InputProblem(path or "", number, f"is not a pattern that Docker accepts: {written}"))
    return IgnoreRules(path, tuple(patterns), tuple(problems))


def compile_pattern(written: str, line: int = 0) -> Pattern:
    """The pattern of one line, comments and blank lines aside. Raises `BadPatternError` where Docker refuses it."""
    exclusion = written.startswith("!")
    text = written[1:].strip(GO_SPACE) if exclusion else written
    if not text:
        raise BadPatternError(written)
    text = clean(text)
    if len(text) > 1:
        text = text.removeprefix("/")
    check(text)
    tokens, kind = _tokens(text)
    if kind is not _Kind.REGEX:
        return Pattern(text, exclusion, line, kind)
    stars = sum(token.kind in _STARS for token in tokens)
    if stars > _REGEX_STARS:
        return Pattern(text, exclusion, line, _Kind.MACHINE, _machine=_Machine.build(tokens))
    regex = re.compile("".join(token.regex for token in tokens) + r"\Z")
    return Pattern(text, exclusion, line, kind, _regex=regex)


class _TokenKind(Enum):
    LITERAL = "literal"
    ANY = "?"
    CLASS = "class"
    STAR = "*"
    FOLDERS = "**/"
    REST = "**"


_STARS: Final = frozenset({_TokenKind.STAR, _TokenKind.FOLDERS, _TokenKind.REST})


@dataclass(frozen=True, slots=True)
class _Token:
    """A step of a pattern; `regex` is the same as Python's `re` has it."""

    kind: _TokenKind
    regex: str


def _tokens(text: str) -> tuple[list[_Token], _Kind]:
    """moby's `Pattern.compile`: the steps of the pattern, and the cheapest way to match them.

    A `*` or `?` inside a class is taken for a character, as `filepath.Match` and Docker's documentation have it.
    """
    tokens: list[_Token] = []
    kind = _Kind.EXACT
    at = 0
    while at < len(text):
        character = text[at]
        if text.startswith("**", at):
            first = at == 0
            at += 2
            at += text.startswith("/", at)
            if at == len(text):
                tokens.append(_Token(_TokenKind.REST, ".*"))
                kind = _Kind.PREFIX if kind is _Kind.EXACT else _Kind.REGEX
            else:
                tokens.append(_Token(_TokenKind.FOLDERS, "(?:.*/)?"))
                kind = _Kind.REGEX
            if first:
                kind = _Kind.SUFFIX
        elif character == "*":
            tokens.append(_Token(_TokenKind.STAR, "[^/]*"))
            kind = _Kind.REGEX
            at += 1
        elif character == "?":
            tokens.append(_Token(_TokenKind.ANY, "[^/]"))
            kind = _Kind.REGEX
            at += 1
        elif character == "[":
            negated, ranges, at = read_class(text, at)
            tokens.append(_Token(_TokenKind.CLASS, _class_regex(negated, ranges)))
            kind = _Kind.REGEX
        elif character == "\\":
            tokens.append(_Token(_TokenKind.LITERAL, re.escape(text[at + 1])))
            kind = _Kind.REGEX
            at += 2
        else:
            tokens.append(_Token(_TokenKind.LITERAL, re.escape(character)))
            if character == "]":
                kind = _Kind.REGEX
            at += 1
    return tokens, kind


def _class_regex(negated: bool, ranges: tuple[tuple[str, str], ...]) -> str:
    """A class for Python's `re`; a range from high to low holds nothing."""
    body = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges if low <= high)
    if not body:
        return r"[\s\S]" if negated else r"(?!)"
    return f"[{'^' if negated else ''}{body}]"


@dataclass(frozen=True)
class _Machine:
    """All ways through a pattern at once, a bit for each place in it: time is the path's length times a small constant.

    Bit i says: what was read so far can have brought us before step i. A `**/` takes two steps: to enter it (or leave
    it out), and to be in it, until a `/` is read.
    """

    steps: tuple[re.Pattern[str], ...]
    loops: int
    slash_leaves: int
    jumps: tuple[tuple[int, int], ...]
    accept: int

    @classmethod
    def build(cls, tokens: list[_Token]) -> _Machine:
        steps: list[re.Pattern[str]] = []
        loops = slash_leaves = 0
        jumps: list[tuple[int, int]] = []
        never = re.compile(r"(?!)")
        for token in tokens:
            here = 1 << len(steps)
            match token.kind:
                case _TokenKind.STAR | _TokenKind.REST:
                    loops |= here
                    jumps.append((here, here << 1))
                    steps.append(re.compile("[^/]" if token.kind is _TokenKind.STAR else "."))
                case _TokenKind.FOLDERS:
                    jumps.append((here, (here << 1) | (here << 2)))
                    loops |= here << 1
                    slash_leaves |= here << 1
                    steps += [never, re.compile(".")]
                case _:
                    steps.append(re.compile(token.regex))
        return cls(tuple(steps), loops, slash_leaves, tuple(jumps), 1 << len(steps))

    def matches(self, path: str) -> bool:
        known: dict[str, int] = {}
        state = self._jump(1)
        for character in path:
            takes = known.get(character)
            if takes is None:
                takes = sum(1 << i for i, step in enumerate(self.steps) if step.match(character))
                known[character] = takes
            taken = state & takes
            stays = taken & self.loops
            moves = taken & ~self.loops
            if character == "/":
                moves |= taken & self.slash_leaves
            state = self._jump(stays | (moves << 1))
            if not state:
                return False
        return bool(state & self.accept)

    def _jump(self, state: int) -> int:
        for source, target in self.jumps:
            if state & source:
                state |= target
        return state


def _reaches(pattern: Pattern, folder: list[str]) -> bool:
    """Whether a pattern could match the folder, or something below it."""
    if pattern.matches("/".join(folder)):
        return True
    if any(character in pattern.text for character in "[\\") or "**" in pattern.text:
        # such patterns do not fall apart into folder names; only a plain beginning tells something
        plain = re.split(r"[*?\[\\]", pattern.text, maxsplit=1)[0]
        below = "/".join(folder) + "/"
        return plain.startswith(below) or below.startswith(plain)
    parts = pattern.text.split("/")
    for index, part in enumerate(parts):
        if index == len(folder):
            return True
        regex = "".join(token.regex for token in _tokens(part)[0])
        if part.count("*") <= _REGEX_STARS and re.fullmatch(regex, folder[index]) is None:
            return False
    return True  # the pattern matches a parent of the folder
