"""The shell patterns of `${name#pattern}` and `${name/pattern/new}`, as BuildKit matches them."""

from __future__ import annotations

import re


class SubstitutionError(ValueError):
    """A word that BuildKit's lexer rejects: an open quote, an invalid `${...}`, a required variable that is unset."""


_ANY_RUN, _ANY_ONE = object(), object()
END = "\ufffd"  # how Go prints the end of the text as a character


def reversed_pattern(pattern: str) -> str:
    """A reversed pattern; escapes stay before the character that they escape, a trailing one does not."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(reversed(parts))


def parse_pattern(pattern: str) -> list[object]:
    """A shell pattern of `*`, `?` and literals; BuildKit has no `[...]`."""
    tokens: list[object] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            tokens.append(_ANY_RUN)
        elif char == "?":
            tokens.append(_ANY_ONE)
        elif char == "\\":
            following = pattern[at : at + 1]
            if following not in ("}", "/", "*", "?", "\\"):
                complaint = f"invalid escape '\\{following or END}'"
                raise SubstitutionError(f"invalid pattern ({pattern}) in substitution: {complaint}")
            if following in ("*", "?", "\\"):
                tokens.append(following)
                at += 1
        else:
            tokens.append(char)
    return tokens


_MOST_PATTERN_STEPS = 1_000_000  # of matching, so that no Dockerfile can cause a hang


def match_end(tokens: list[object], value: str, start: int, greedy: bool) -> int | None:
    """Where a match that begins at `start` ends: the longest if greedy, else the shortest. Never exponential."""
    if len(tokens) * len(value) > _MOST_PATTERN_STEPS:
        raise SubstitutionError("the value is too long to match a pattern against")
    ends = {start}
    for token in tokens:
        if token is _ANY_RUN:
            ends = _run_ends(value, ends)
        elif token is _ANY_ONE:
            ends = {end + 1 for end in ends if end < len(value) and value[end] != "\n"}
        else:
            ends = {end + 1 for end in ends if end < len(value) and value[end] == token}
        if not ends:
            return None
    return max(ends) if greedy else min(ends)


def _run_ends(value: str, ends: set[int]) -> set[int]:
    """Where a run of any characters but newlines can end that begins at one of `ends`."""
    reached: set[int] = set()
    for end in ends:
        at = end
        while at not in reached:
            reached.add(at)
            if at == len(value) or value[at] == "\n":
                break
            at += 1
    return reached


_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def replace_matches(value: str, tokens: list[object], new: str, every: bool) -> str:
    """Replace the first match, or as Go's `Regexp.ReplaceAllString` every one."""
    if len(tokens) * len(value) ** 2 > 10 * _MOST_PATTERN_STEPS:
        raise SubstitutionError("the value is too long to match a pattern against")
    out, at, start = [], 0, 0
    while start <= len(value):
        end = match_end(tokens, value, start, greedy=True)
        if end is None:
            start += 1
            continue
        if not every:
            return value[:start] + new + value[end:]
        out.append(value[at:start])
        if end > at or start == 0:  # an empty match directly after another does not count
            out.append(_from_template(new, value[start:end]))
        at = end
        start = end if end > start else start + 1
    out.append(value[at:])
    return "".join(out)


def _from_template(template: str, match: str) -> str:
    """Go's `Regexp.Expand`: `$0` is the match, `$$` a dollar; other names are groups, and there are none."""

    def one(found: re.Match[str]) -> str:
        if found.group(1):
            return "$"
        return match if (found.group(2) or found.group(3)).strip("0") == "" else ""

    return _TEMPLATE.sub(one, template)
