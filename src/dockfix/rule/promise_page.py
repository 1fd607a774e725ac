"""The section of a rule's page on its promise, generated from the declaration so that the two cannot differ."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.rule.model import Codemod
from dockfix.rule.promise import Claim, Packages, Part, Promise

__all__ = ["promise_section", "with_promise"]

_WIDTH: Final = 120
_PARTS: Final = {
    Part.USER: "user",
    Part.ENV: "environment variables",
    Part.ENTRYPOINT: "entrypoint",
    Part.COMMAND: "command",
    Part.HEALTHCHECK: "health check",
    Part.LABELS: "labels",
    Part.PORTS: "exposed ports",
    Part.WORKDIR: "working directory",
    Part.SHELL: "shell",
    Part.VOLUMES: "volumes",
    Part.STOP_SIGNAL: "stop signal",
    Part.AUTHOR: "author",
}
_PACKAGES: Final = {
    Packages.FEWER: "packages that may be missing, with their files",
    Packages.MORE: "packages that may be new, with their files",
    Packages.ANY: "the installed packages and their versions, with their files",
}
_CLAIMS: Final = {
    Claim.SMALLER: "the image is smaller",
    Claim.SOURCE_EDIT: "fewer steps are run again after an edit of a source file",
    Claim.ARG_CHANGE: "fewer steps are run again after a change of the build argument",
    Claim.CACHE_MOUNT: "a step that is run again finds its downloads in a cache mount",
    Claim.HEALTHY: "the health check passes in a running container, where it failed or was missing",
    Claim.REPAIRS: "the build succeeds where it failed",
}
_FIX_SAFETY: Final = re.compile(r"^## Fix safety\n.*?(?=^## |\Z)", re.M | re.S)


def with_promise(page: str, codemod: Codemod) -> str:
    """A page with the section on the promise after "Fix safety", or at its end; unchanged if the rule states none."""
    section = promise_section(codemod)
    if not section:
        return page
    page = f"{page.rstrip()}\n"
    safety = _FIX_SAFETY.search(page)
    at = safety.end() if safety else len(page)
    return f"{page[:at].rstrip()}\n\n{section}\n{page[at:]}".rstrip() + "\n"


def promise_section(codemod: Codemod) -> str:
    """The section in Markdown; empty if the rule states no promise of its own."""
    promise = codemod.promise
    if promise == Promise():
        return ""
    exceptions = [_wrapped(f"- {each}", "  ") for each in _exceptions(promise)]
    same = "The image is the same, but for:" if exceptions else "The image is the same."
    claims = [f"- {_CLAIMS[each]}" for each in Claim if each in promise.claims]
    shown = "`dockfix verify` checks this with builds before and after the fixes"
    shown += ", and that:" if claims else "."
    blocks = [same, "\n".join(exceptions), _wrapped(promise.rationale), shown, "\n".join(claims)]
    return "## Promise\n\n" + "\n\n".join(filter(None, blocks)) + "\n"


def _exceptions(promise: Promise) -> Iterator[str]:
    """What may differ, a phrase for each field of the promise."""
    if parts := [_PARTS[part] for part in Part if part in promise.config]:
        yield f"its {_listed(parts)}"
    if promise.packages is not Packages.SAME:
        yield _PACKAGES[promise.packages]
    if promise.mounts:
        yield "what is at or below the targets of mounts"
    for what, patterns in (
        ("may be new", promise.adds),
        ("may be missing", promise.removes),
        ("may differ", promise.changes),
        ("may have another owner or group", promise.owners),
    ):
        if patterns == ("/**",):
            yield f"any file, which {what}"
        elif patterns:
            yield f"files that {what}: {', '.join(f'`{each}`' for each in patterns)}"


def _listed(items: Sequence[str]) -> str:
    return " and ".join(each for each in (", ".join(items[:-1]), items[-1]) if each)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
