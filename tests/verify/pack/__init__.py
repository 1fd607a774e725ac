"""A third-party pack of codemods for the tests of verify: most of them break what they promise.

Each replaces one text by another wherever it occurs. The gates let all of them pass, since the effects are declared:
only a build shows what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.promise import Claim, Packages, Part, Promise
from dockfix.syntax.source import Span

__all__ = ["CODEMODS", "load"]


def _check(old: str, new: str, target: Target) -> Iterator[Finding]:
    start = target.text.find(old)
    while start >= 0:
        end = start + len(old)
        edits = (Edit(start, end, new),)
        message = f"`{old}` is found"
        yield Fix(Span(start, end), message, edits, Safety.UNSAFE, f"write `{new}`", "everything: this rule is a test")
        start = target.text.find(old, start + len(old))


def _rule(name: str, old: str, new: str, effects: frozenset[Effect], promise: Promise | None = None) -> Codemod:
    return Codemod(
        name=name,
        title=f"`{old}` becomes `{new}`",
        severity=Severity.INFO,
        category=Category.STYLE,
        effects=effects,
        check=partial(_check, old, new),
        since="0.1.0",
        page="A rule for tests.",
        promise=promise or Promise(),
    )


_COMMANDS: Final = frozenset({Effect.COMMANDS})
_METADATA: Final = frozenset({Effect.METADATA})

_SMALLER: Final = frozenset({Claim.SMALLER})
_STEPS: Final = frozenset({Effect.COMMANDS, Effect.STEPS})
_PURGE: Final = " make && rm -rf /var/lib/apt/lists/*"

CODEMODS: Final = (
    # What these promise holds. `right-user` is right only where the container needs no rights of root.
    _rule("right-same", "echo hello >", "printf 'hello\\n' >", _COMMANDS),
    _rule("right-label", "LABEL name=", "LABEL title=", _METADATA, Promise(config=frozenset({Part.LABELS}))),
    _rule("right-smaller", "cp /big /kept", "rm /big", _COMMANDS, Promise(removes=("/big", "/kept"), claims=_SMALLER)),
    _rule("right-user", "USER 0", "USER 65534", frozenset({Effect.USERS}), Promise(config=frozenset({Part.USER}))),
    # It promises the same image, and loses a file.
    _rule("wrong-image", "> /needed", "> /dev/null", _COMMANDS),
    # It promises a smaller image, and adds a file that it names.
    _rule(
        "wrong-smaller",
        "echo small",
        "head -c 300000 /bin/busybox > /extra",
        _COMMANDS,
        Promise(adds=("/extra",), claims=_SMALLER),
    ),
    # It promises a smaller image, and removes packages in a later layer, where that gains nothing.
    _rule(
        "wrong-purge",
        "RUN make --version",
        f"RUN apt-get purge -y --auto-remove{_PURGE}",
        _STEPS,
        Promise(packages=Packages.FEWER, removes=("/var/lib/apt/lists/**",), claims=_SMALLER),
    ),
    # The build fails.
    _rule("wrong-build", "test -d /etc", "test -f /etc", _COMMANDS),
    # The container's command is one that does not exist.
    _rule("wrong-start", '"busybox", "sleep"', '"sleeper"', _METADATA, Promise(config=frozenset({Part.COMMAND}))),
    # The image runs as another user, which it does not promise.
    _rule("wrong-user", "USER nobody", "USER root", frozenset({Effect.USERS})),
)
"""The rules, in the order in which they run."""


def load() -> tuple[Codemod, ...]:
    """The pack, as an entry point would return it."""
    return CODEMODS
