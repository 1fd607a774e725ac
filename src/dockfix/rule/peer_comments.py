"""The ignore comments of hadolint and BuildKit. They suppress the rules that answer their codes.

- `# hadolint ignore=DL3008,...` above an instruction: for that instruction.
- `# hadolint stage ignore=...`: from the instruction below it to the end of its build stage; above a FROM, for that
  FROM and the whole stage.
- `# hadolint global ignore=...`: for the file.
- `# check=skip=NAME,...` above an instruction: for that instruction; as a directive at the top: for the file. `all`
  means every check.

A comment whose intention is clear counts even where its own tool is stricter: in lower case, with a reason after the
codes, or with further comments between it and the instruction. hadolint does not apply a stage's comment to the FROM
below it, but to the next one; this is not imitated.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from msgspec import Struct

from dockfix.rule.model import Codemod
from dockfix.syntax.tree import Blank, Comment, Dockerfile, From, Instruction

__all__ = ["PeerComments", "is_for_file", "text_after_codes"]

_HADOLINT: Final = re.compile(
    r"hadolint\s+(?:(?P<scope>global|stage)\s+)?ignore\s*=\s*"
    r"(?P<codes>(?:DL|SC)[0-9]+(?:\s*,\s*(?:DL|SC)[0-9]+)*)\s*,?(?=\Z|[\s#])",
    re.I,
)
_CHECK: Final = re.compile(r"check\s*=\s*(\S+)", re.I)
_ALL: Final = "all"
"""The word for every check, in lower case as all codes here."""

_Codes = frozenset[str]
_NONE: Final[_Codes] = frozenset()


def is_for_file(comment: Comment) -> bool:
    """Whether a comment of hadolint is for its whole file."""
    found = _HADOLINT.match(comment.text)
    return found is not None and (found["scope"] or "").lower() == "global"


def text_after_codes(comment: Comment) -> str | None:
    """What follows the codes in an ignore comment of hadolint or BuildKit; None if it is not one."""
    found = _HADOLINT.match(comment.text) or _CHECK.match(comment.text)
    if found is None or (found.re is _CHECK and not any(_skipped(found[1]))):
        return None
    return comment.text[found.end() :].strip(" \t#")


class PeerComments(Struct, frozen=True, dict=True):
    """What the comments of hadolint and BuildKit in a Dockerfile suppress."""

    dockerfile: Dockerfile

    def suppress(self, codemod: Codemod, at: int, code: str | None = None) -> bool:
        """Whether they suppress a finding of a codemod at an offset; `code` is the code that it has, if any."""
        names = codemod.aliases if code is None else codemod.aliases | {code.lower()}
        if not names:
            return False
        codes = self.codes(at)
        return bool(codes & names) or (_ALL in codes and bool(codemod.checks))

    def codes(self, at: int) -> frozenset[str]:
        """The codes that they name for an offset, in lower case."""
        return self._everywhere | self._codes_at(at)

    @cached_property
    def _everywhere(self) -> _Codes:
        directive = self.dockerfile.directives.get("check")
        codes = set(_skipped(directive.value)) if directive else set()
        inner = (comment for node in self.dockerfile.instructions for comment in node.comments)
        outer = (node for node in self.dockerfile.nodes if isinstance(node, Comment))
        for comment in (*outer, *inner):
            if is_for_file(comment):
                codes |= _hadolint_codes(comment)[1]
        return frozenset(codes)

    def _codes_at(self, at: int) -> _Codes:
        blocks = self._by_instruction
        index = bisect_right(blocks, at, key=lambda block: block[0]) - 1
        return blocks[index][2] if index >= 0 and at < blocks[index][1] else _NONE

    @cached_property
    def _by_instruction(self) -> tuple[tuple[int, int, _Codes], ...]:
        """The start and the end of each instruction that has codes, with these."""
        blocks: list[tuple[int, int, _Codes]] = []
        stage, fresh = _NONE, _NONE  # codes for a stage: of the comments so far, and above the next instruction
        own, checks = _NONE, _NONE
        for node in self.dockerfile.nodes:
            match node:
                case Comment(text=""):
                    checks = _NONE  # as in BuildKit, whose comments may have blank lines below them
                case Comment():
                    scope, codes = _hadolint_codes(node)
                    if scope == "stage":
                        fresh |= codes
                    elif not scope:
                        own |= codes
                    if found := _CHECK.match(node.text):
                        checks |= frozenset(_skipped(found[1]))
                case Blank():
                    own = _NONE
                case Instruction():
                    stage = fresh if isinstance(node, From) else stage | fresh
                    if codes := stage | own | checks:
                        blocks.append((node.lines.start, max(node.lines.end, node.lines.start + 1), codes))
                    fresh, own, checks = _NONE, _NONE, _NONE
        return tuple(blocks)


def _hadolint_codes(comment: Comment) -> tuple[str, _Codes]:
    """The scope of a comment for hadolint, none for an instruction, and its codes in lower case."""
    found = _HADOLINT.match(comment.text)
    if found is None:
        return "", _NONE
    return (found["scope"] or "").lower(), frozenset(each.strip().lower() for each in found["codes"].split(","))


def _skipped(options: str) -> Iterator[str]:
    """The checks that the options of a `# check=` skip, in lower case."""
    for option in options.split(";"):
        name, _, value = option.partition("=")
        if name.strip().lower() == "skip":
            yield from (each.strip().lower() for each in value.split(",") if each.strip())
