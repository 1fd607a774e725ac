"""What `.dockerignore` excludes from a build context, by Docker's rules.

Sources: https://docs.docker.com/build/concepts/context/#dockerignore-files; moby/patternmatcher (`patternmatcher.go`,
`ignorefile/ignorefile.go`) for patterns and the file; BuildKit's `frontend/dockerui/config.go` for which file is
read; and tonistiigi/fsutil (`filter.go`), which walks the context and matches folder by folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.project.files import Snapshot
from dockfix.project.patterns import (
    GO_SPACE,
    BadPatternError,
    Matcher,
    Token,
    TokenKind,
    check,
    clean,
    compile_tokens,
    read_class,
    token,
)
from dockfix.project.problems import InputError, InputProblem

_MAX_LINE: Final = 64 * 1024
"""Go's `bufio.Scanner` gives up on a longer line (`bufio.MaxScanTokenSize`)."""


class _Kind(Enum):
    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    GLOB = "glob"


class Pattern(Struct, frozen=True):
    """One line of an ignore file. `text` is the cleaned pattern without its `!`; `line` counts from 1."""

    text: str
    exclusion: bool
    line: int
    _kind: _Kind
    _matcher: Matcher | None = None

    def matches(self, path: str) -> bool:
        """Whether this pattern matches `path` itself (moby's `Pattern.match`), whatever its parents."""
        match self._kind:
            case _Kind.EXACT:
                return path == self.text
            case _Kind.PREFIX:
                return path.startswith(self.text[:-2])
            case _Kind.SUFFIX:
                suffix = self.text[2:]
                return path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])
            case _Kind.GLOB:
                return self._matcher is not None and self._matcher.matches(path)

    @property
    def prefix(self) -> str:
        """The pattern without a trailing `**`, `/*` and the like (fsutil's `patternWithoutTrailingGlob`)."""
        return self.text.removesuffix("/**").removesuffix("/*")


class IgnoreRules(Struct, frozen=True):
    """The ignore file of one build context. `path` is the file as found, `None` if there is none (nothing is ignored).

    `problems` has the patterns that Docker refuses; a build with them fails, here they match nothing.
    """

    path: str | None
    patterns: tuple[Pattern, ...]
    problems: tuple[InputProblem, ...] = ()

    def ignored(self, relative_posix: str) -> bool:
        """Whether the path, relative to the context, is excluded. The context itself never is."""
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
        """Whether a pattern could exclude something below `directory`; `False` is certain, `True` is not."""
        path = clean(directory.lstrip("/"))
        if not self.patterns:
            return False
        if path == ".":
            return any(not pattern.exclusion for pattern in self.patterns)
        parts = path.split("/")
        return any(not pattern.exclusion and _reaches(pattern, parts) for pattern in self.patterns)

    def may_return_below(self, directory: str) -> bool:
        """Whether an exception (`!`) could include something below `directory`; `False` is certain."""
        parts = clean(directory.lstrip("/")).split("/")
        return any(pattern.exclusion and _reaches(pattern, parts) for pattern in self.patterns)

    def with_lines(self, written: Mapping[int, str]) -> IgnoreRules:
        """The same rules with other patterns in some lines.

        Raises:
            BadPatternError: Docker refuses one of them.
        """
        patterns = {pattern.line: pattern for pattern in self.patterns}
        patterns |= {line: compile_pattern(text, line) for line, text in written.items()}
        return replace(self, patterns=tuple(pattern for _, pattern in sorted(patterns.items())))

    def without(self, line: int) -> IgnoreRules:
        """The same rules without the pattern of a line."""
        return replace(self, patterns=tuple(pattern for pattern in self.patterns if pattern.line != line))

    def lines_that_match(self, path: str) -> list[int]:
        """The lines whose patterns match a path or a folder above it."""
        parts = clean(path.lstrip("/")).split("/")
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        return [each.line for each in self.patterns if any(map(each.matches, above))]

    def _step(self, path: str, parent_matches: list[bool] | None) -> tuple[bool, list[bool]]:
        """moby's `MatchesUsingParentResults`, from the top folder down as fsutil calls it."""
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

    `NAME.dockerignore` next to the Dockerfile wins over `.dockerignore` in the context, even if it is empty. A file
    that cannot be read, or is outside the project, becomes a problem of the rules; BuildKit, too, builds without it.
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
            problems.append(InputProblem(path or "", number, "is longer than 64 KiB, which Docker refuses"))
            break
        if line.startswith("#") or not (written := line.strip(GO_SPACE)):
            continue
        try:
            patterns.append(compile_pattern(written, number))
        except BadPatternError:
            problems.append(InputProblem(path or "", number, f"is not a pattern that Docker accepts: {written}"))
    return IgnoreRules(path, tuple(patterns), tuple(problems))


def compile_pattern(written: str, line: int = 0) -> Pattern:
    """The pattern of one line that is not a comment or blank.

    Raises:
        BadPatternError: Docker refuses the pattern.
    """
    exclusion = written.startswith("!")
    text = written[1:].strip(GO_SPACE) if exclusion else written
    if not text:
        raise BadPatternError(written)
    text = clean(text)
    if len(text) > 1:
        text = text.removeprefix("/")
    check(text)
    tokens, kind = _tokens(text)
    return Pattern(text, exclusion, line, kind, compile_tokens(tokens) if kind is _Kind.GLOB else None)


def _tokens(text: str) -> tuple[list[Token], _Kind]:
    """moby's `Pattern.compile`: the steps of the pattern, and the cheapest way to match them.

    A `*` or `?` inside a class is taken for a character, as `filepath.Match` and Docker's documentation have it.
    """
    tokens: list[Token] = []
    kind = _Kind.EXACT
    at = 0
    while at < len(text):
        character = text[at]
        if text.startswith("**", at):
            first = at == 0
            at += 2
            at += text.startswith("/", at)
            if at == len(text):
                tokens.append(token(TokenKind.REST))
                kind = _Kind.PREFIX if kind is _Kind.EXACT else _Kind.GLOB
            else:
                tokens.append(token(TokenKind.FOLDERS))
                kind = _Kind.GLOB
            if first:
                kind = _Kind.SUFFIX
        elif character == "*":
            tokens.append(token(TokenKind.STAR))
            kind = _Kind.GLOB
            at += 1
        elif character == "?":
            tokens.append(token(TokenKind.ANY))
            kind = _Kind.GLOB
            at += 1
        elif character == "[":
            negated, ranges, at = read_class(text, at)
            tokens.append(Token(TokenKind.CLASS, _class_regex(negated, ranges)))
            kind = _Kind.GLOB
        elif character == "\\":
            tokens.append(Token(TokenKind.LITERAL, text[at + 1]))
            kind = _Kind.GLOB
            at += 2
        else:
            tokens.append(Token(TokenKind.LITERAL, character))
            if character == "]":
                kind = _Kind.GLOB
            at += 1
    return tokens, kind


def _class_regex(negated: bool, ranges: tuple[tuple[str, str], ...]) -> str:
    """A class for Python's `re`; a range from high to low matches nothing."""
    body = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges if low <= high)
    if not body:
        return r"[\s\S]" if negated else r"(?!)"
    return f"[{'^' if negated else ''}{body}]"


@lru_cache(maxsize=1024)
def _compiled(part: str) -> Matcher:
    """The matcher of a part of a pattern between slashes, which has no class."""
    return compile_tokens(_tokens(part)[0])


def _reaches(pattern: Pattern, folder: list[str]) -> bool:
    """Whether a pattern could match the folder, or something below it."""
    if pattern.matches("/".join(folder)):
        return True
    if any(character in pattern.text for character in "[\\") or "**" in pattern.text:
        # such patterns cannot be split into folder names; only a literal beginning helps
        plain = re.split(r"[*?\[\\]", pattern.text, maxsplit=1)[0]
        below = "/".join(folder) + "/"
        return plain.startswith(below) or below.startswith(plain)
    parts = pattern.text.split("/")
    for index, part in enumerate(parts):
        if index == len(folder):
            return True
        if not _compiled(part).matches(folder[index]):
            return False
    return True  # the pattern matches a parent of the folder
