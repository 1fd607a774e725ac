"""Comments that tools interpret."""

from __future__ import annotations

import re

from dockfix.syntax.tree import Comment

_PRAGMA = re.compile(
    r"(dockfix\s*:|hadolint\s|check\s*=|syntax\s*=|escape\s*=|tally\s|shellcheck\s|renovate\s*:|nosemgrep|checkov|trivy|kics)",
    re.I,
)


def is_pragma(comment: Comment) -> bool:
    """Whether a tool interprets a comment, so that it must stay with the instruction below it."""
    return _PRAGMA.match(comment.text) is not None
