"""Comments that suppress rules.

- `# dockfix: ignore=rule[,rule] because ...` above an instruction: for that instruction.
- `# dockfix: ignore-file=rule[,rule] because ...` anywhere: for the file.
- `# dockfix: ignore` and `# dockfix: ignore-file`: all rules.

A rule may be named by a code that it answers. `peer_comments` reads the comments of hadolint and BuildKit.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cached_property

from msgspec import Struct

from dockfix.rule.model import Codemod
from dockfix.rule.naming import RuleNames, UnknownRuleError
from dockfix.rule.peer_comments import PeerComments, is_for_file
from dockfix.syntax.source import BOM, Span
from dockfix.syntax.tree import Comment, Dockerfile, Instruction

_OURS = re.compile(r"dockfix\s*:\s*(?P<rest>.*)", re.I)
_NO_COLON = re.compile(r"dockfix\s+ignore(?:-file)?\s*(?:=.*)?", re.I)
_DIRECTIVE = re.compile(
    r"(?P<verb>ignore|ignore-file)"
    r"(?:\s*=\s*(?P<names>[^\s,=]+(?:\s*,\s*[^\s,=]+)*)\s*,?)?"
    r"(?:\s+(?P<reason>.*))?",
    re.I,
)
FOR_ALL = frozenset({"*", "all"})
"""The words for all rules in the names of a directive."""

NO_NAMES = RuleNames(frozenset())

_MALFORMED = (
    "this comment ignores nothing: write `# dockfix: ignore=RULE[,RULE] because ...`,"
    " or `ignore-file=` for the whole file"
)


class Directive(Struct, frozen=True):
    """A `dockfix:` comment.

    `names` has rules and codes as they are written, or a word for all rules; none if the comment is `malformed`.
    """

    whole_file: bool = False
    names: frozenset[str] = frozenset()
    reason: str | None = None
    malformed: bool = False

    @property
    def is_for_all(self) -> bool:
        """Whether it ignores every rule."""
        return not self.names.isdisjoint(FOR_ALL)

    def covers(self, rule: str, aliases: Set[str] = frozenset()) -> bool:
        """Whether it ignores a rule, which answers some codes, given in lower case."""
        if rule in self.names or self.is_for_all:
            return True
        return bool(aliases) and any(name.lower() in aliases for name in self.names)


def directive_in(text: str) -> Directive | None:
    """The directive in the text of a comment; None if the comment is not for dockfix."""
    ours = _OURS.match(text)
    if ours is None:
        return Directive(malformed=True) if _NO_COLON.fullmatch(text) else None
    found = _DIRECTIVE.fullmatch(ours["rest"].strip())
    if found is None:
        return Directive(malformed=True)
    names, reason = found["names"], found["reason"]
    if names is None and reason and reason.split()[0].lower() != "because":
        return Directive(malformed=True)  # `ignore some-rule`: no `=`
    return Directive(found["verb"].lower() == "ignore-file", frozenset(_names(names or "*")), reason)


def suppresses_file(comment: Comment) -> bool:
    """Whether a comment suppresses rules for its whole file."""
    ours = directive_in(comment.text)
    return (ours is not None and ours.whole_file) or is_for_file(comment)


def comments_above(dockerfile: Dockerfile) -> Iterator[tuple[Instruction, tuple[Comment, ...]]]:
    """Each instruction with the comments directly above it, as `Dockerfile.above` returns them, in one pass."""
    above: list[Comment] = []
    for node in dockerfile.nodes:
        if isinstance(node, Comment):
            above.append(node)
            continue
        if isinstance(node, Instruction):
            yield node, tuple(above)
        above.clear()


class Suppressions(Struct, frozen=True, dict=True):
    """The findings that a Dockerfile's comments suppress."""

    dockerfile: Dockerfile

    @cached_property
    def directives(self) -> tuple[tuple[Comment, Directive], ...]:
        """The comments for dockfix, in the order of their lines."""
        found = [(comment, directive_in(comment.text)) for comment in self._comments]
        ours = [(comment, directive) for comment, directive in found if directive is not None]
        return tuple(sorted(ours, key=lambda each: each[0].span.start))

    @cached_property
    def _for_file(self) -> tuple[Directive, ...]:
        return tuple(directive for _, directive in self.directives if directive.whole_file)

    @cached_property
    def _peers(self) -> PeerComments:
        return PeerComments(self.dockerfile)

    @cached_property
    def _comments(self) -> tuple[Comment, ...]:
        nodes = [node for node in self.dockerfile.nodes if isinstance(node, Comment)]
        inner = [comment for node in self.dockerfile.instructions for comment in node.comments]
        return tuple(nodes + inner)

    def suppresses(self, codemod: Codemod, at: Span, code: str | None = None) -> bool:
        """Whether a finding of a codemod at a place is suppressed; `code` is the code that it has, if any."""
        names = codemod.aliases if code is None else codemod.aliases | {code.lower()}
        if any(each.covers(codemod.name, names) for each in self._for_file):
            return True
        for comment in self._above(at):
            ours = directive_in(comment.text)
            if ours and not ours.whole_file and ours.covers(codemod.name, names):
                return True
        return self._peers.suppress(codemod, at.start, code)

    @cached_property
    def _blocks(self) -> tuple[tuple[Span, tuple[Comment, ...]], ...]:
        return tuple((node.lines, comments) for node, comments in comments_above(self.dockerfile))

    def _above(self, at: Span) -> tuple[Comment, ...]:
        """The comments above the instruction that contains a place."""
        index = bisect_right(self._blocks, at.start, key=lambda block: block[0].start) - 1
        if index < 0:
            return ()
        lines, comments = self._blocks[index]
        return comments if at.start < max(lines.end, lines.start + 1) else ()

    def mistakes(self, known: RuleNames) -> list[tuple[int, str]]:
        """The mistakes in `dockfix:` comments, each with its line; `known` has the names of all rules."""
        return [
            (comment.line, mistake) for comment, directive in self.directives for mistake in _mistakes(directive, known)
        ]

    def disarmed(self) -> str:
        """The text with every `dockfix:` comment changed to ignore nothing; all offsets stay the same."""
        text = self.dockerfile.text
        for comment, _ in reversed(self.directives):
            start, end = comment.span
            line = text[start:end]
            at = line.index(":") + 1 if ":" in line else len(line)
            text = text[: start + at] + "-" * len(line[at:]) + text[end:]
        return text

    def unused(
        self, found: Iterable[tuple[str, Span]], complete: Set[str], known: RuleNames = NO_NAMES
    ) -> set[tuple[int, str]]:
        """The directives, by number, and the names in them that ignore nothing.

        Args:
            found: rule and place of every finding that there would be without directives.
            complete: the rules whose findings are all in `found`. Other rules, and directives for all rules, are left
                out.
            known: the names of all rules, with the codes that they answer.
        """
        unused: set[tuple[int, str]] = set()
        by_rule: dict[str, set[tuple[int, str]]] = {}
        for number, (_, directive) in enumerate(self.directives):
            for name, rules in rules_named(directive, complete, known):
                unused.add((number, name))
                for rule in rules:
                    by_rule.setdefault(rule, set()).add((number, name))
        for rule, at in found:
            above = {comment.span for comment in self._above(at)}
            for number, name in by_rule.get(rule, ()):
                comment, directive = self.directives[number]
                if directive.whole_file or comment.span in above:
                    unused.discard((number, name))
        return unused


def rules_named(directive: Directive, complete: Set[str], known: RuleNames) -> Iterator[tuple[str, frozenset[str]]]:
    """The names in a directive whose rules are all among some, with these rules.

    Codes that only some findings of a rule have are left out: whether there are such findings depends on another tool.
    """
    for name in sorted(directive.names):
        if known.code(name) is not None:
            continue
        rules = known.of(name) or frozenset({name})
        if rules <= complete:
            yield name, rules


def _mistakes(directive: Directive, known: RuleNames) -> Iterator[str]:
    if directive.malformed:
        yield _MALFORMED
    for name in sorted(directive.names - FOR_ALL):
        if not known.of(name):
            error = UnknownRuleError(name, sorted(known.rules), known.codes)
            unknown = f"unknown rule {name!r} in a dockfix comment"
            hint = f"; did you mean {error.suggestion!r}?" if error.suggestion else ""
            yield f"{error} (in a dockfix comment)" if error.is_code else f"{unknown}{hint}"
    word = (directive.reason or "").partition(" ")[0]
    if known.of(word):
        yield f"{word!r} is not ignored: separate rules with commas"


def mistakes_in_text(text: str, known: RuleNames) -> list[tuple[int, str]]:
    """The mistakes in the `dockfix:` comments of a file that is not a Dockerfile, each with its line."""
    if "dockfix" not in text.lower():
        return []
    return [
        (number, mistake)
        for number, line in enumerate(text.split("\n"), 1)
        if (directive := directive_in(line.partition("#")[2].strip())) is not None
        for mistake in _mistakes(directive, known)
    ]


def disarmed_text(text: str) -> str:
    """A file that is not a Dockerfile, with `dockfix:` comments that ignore nothing; all offsets stay the same."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        before, hash_, comment = line.partition("#")
        if directive_in(comment.strip()) is not None:
            lines[number] = before + hash_ + re.sub("dockfix", "-" * len("dockfix"), comment, count=1, flags=re.I)
    return "\n".join(lines)


def unused_in_text(
    text: str, found: Iterable[tuple[str, int]], complete: Set[str], known: RuleNames = NO_NAMES
) -> list[tuple[int, str]]:
    """The `dockfix:` comments of a file that is not a Dockerfile that ignore nothing: their lines and names.

    Args:
        text: the file.
        found: rule and line of every finding that there would be without comments.
        complete: the rules whose findings are all in `found`.
        known: the names of all rules, with the codes that they answer.
    """
    places: dict[str, list[int]] = {}
    for rule, at in sorted(found):
        places.setdefault(rule, []).append(at)
    unused: list[tuple[int, str]] = []
    lines = text.removeprefix(BOM).split("\n")
    end = len(lines)  # the last line that a comment line here is about: the first after it that is no comment
    for number in range(len(lines), 0, -1):
        line = lines[number - 1]
        is_comment = line.lstrip().startswith("#")
        if not is_comment:
            end = number
        directive = directive_in(line.partition("#")[2].strip())
        if directive is None:
            continue
        low, high = (1, len(lines)) if directive.whole_file else (number, end)
        for name, rules in rules_named(directive, complete, known):
            if not any(_is_within(places.get(rule, []), low, high) for rule in rules):
                unused.append((number, name))
    return sorted(unused)


def _is_within(numbers: Sequence[int], low: int, high: int) -> bool:
    """Whether one of some sorted numbers is within limits."""
    at = bisect_left(numbers, low)
    return at < len(numbers) and numbers[at] <= high


def suppresses_in_text(text: str, rule: str, line: int, aliases: Set[str] = frozenset()) -> bool:
    """Whether a `dockfix:` comment of a file that is not a Dockerfile suppresses a rule at a line (from 1).

    The comment is on the line itself, or on comment lines directly above it; `ignore-file` may be anywhere. `aliases`
    are the codes that the rule answers, in lower case.
    """
    if "dockfix" not in text:
        return False
    lines = text.removeprefix(BOM).split("\n")
    for number, each in enumerate(lines, 1):
        found = directive_in(each.partition("#")[2].strip())
        if found is None or not found.covers(rule, aliases):
            continue
        if found.whole_file or number == line:
            return True
        between = lines[number : line - 1]
        if number < line and each.lstrip().startswith("#") and all(row.lstrip().startswith("#") for row in between):
            return True
    return False


def _names(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
