"""An ENV uses a variable that the same ENV sets.

## What it does

Inside one ENV every `$NAME` is what it was before the instruction. Here an empty entry, which is the current folder,
goes on `PATH`, and what `TOOL_HOME` holds does not. Two instructions say what is meant:

```dockerfile
FROM debian:12
ENV TOOL_HOME="/opt/tool" PATH="$TOOL_HOME/bin:$PATH"
```

becomes

```dockerfile
FROM debian:12
ENV TOOL_HOME="/opt/tool"
ENV PATH="$TOOL_HOME/bin:$PATH"
```

Lines, indentation and comments stay as they are.

## Why

The build succeeds, and what is looked for on `PATH` is not found, or is found somewhere else.

## Safety

Unsafe: the variable gets another value than it has today, and no fix can know what counts on that one. After
`ENV A=/opt/app B=$A/bin` a `RUN ls $B` finds `/bin`, and fails when `B` is `/opt/app/bin`, which need not exist yet.
Where the name has a value before, or the base image may set one, that value may be the one that is meant; with a known
value it is a warning only.

## What it leaves alone

- A variable that refers to itself (`PATH="/x:$PATH"`), and one that is set further right.
- A name that has the same value before already, and one that only keeps an ARG (`ENV URL=$URL DIRECT=$URL`).
- `${NAME:-default}`, which says itself what holds if the name is not set.
- `$NAME` in single quotes or behind a backslash, and the form without `=`, which sets one variable only.

## Sources

- https://docs.docker.com/reference/dockerfile/#environment-replacement
- what BuildKit builds was measured: `ENV A=x PATH="$A:$PATH"` puts an empty entry on PATH
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.model import Known
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Env, Word
from dockfix.syntax.words import variables

_WHY: Final = "an instruction of its own sees what the one above sets"


def check(target: Target) -> Iterator[Finding]:
    """Look at the names that each ENV sets and uses."""
    for stage in target.facts.graph.stages:
        for env in stage.instructions if not stage.replaced else ():
            if isinstance(env, Env) and not env.legacy and len(env.pairs) > 1:
                yield from _in_env(target, env)


def _in_env(target: Target, env: Env) -> Iterator[Finding]:
    state = target.facts.state(env)
    escape = target.dockerfile.escape
    new: dict[str, str] = {}
    beside: set[str] = set()
    splits: list[Word] = []
    found: dict[str, bool] = {}
    users: list[str] = []
    for pair in env.pairs:
        used = [name for name in variables(pair.value or "", escape) if name in new]
        for name in used:
            before, after = state.lookup(name), state.expand(new[name], escape)
            same = before == after if before is not None else after == Known("")
            if (same and isinstance(after, Known)) or _has_default(pair.value or "", name):
                continue
            found.setdefault(name, before is None)
            users.append(pair.key)
            if name in beside and (not splits or splits[-1] is not pair.word):
                splits.append(pair.word)
        if splits and splits[-1] is pair.word:
            beside = set()
        if (pair.value or "").strip('"') not in (f"${pair.key}", f"${{{pair.key}}}"):  # else the value stays the same
            new[pair.key] = pair.value or ""
            beside.add(pair.key)
    if not splits:
        return
    names = ", ".join(sorted(found))
    message = f"this ENV uses {names}, which it sets itself: there the value is the one from before it"
    if any(word.text.startswith("--") for word in splits):
        yield Refusal(splits[0].span, message, "an ENV that begins with the name would take it for a flag")
        return
    doubtful = sorted(name for name, unset in found.items() if not unset)
    review = (
        f"whether the value of {', '.join(doubtful)} from before this ENV is meant"
        if doubtful
        else f"whether anything counts on what {', '.join(dict.fromkeys(users))} is today, with {names} empty in it"
    )
    known = all(isinstance(state.lookup(name), Known) for name in found)
    yield Fix(
        splits[0].span,
        message,
        surgery.split_before(target.dockerfile, env, splits),
        Safety.UNSAFE,
        _WHY,
        review,
        Severity.WARNING if known else None,
    )


def _has_default(value: str, name: str) -> bool:
    """Whether the value says what holds if the name is not set: `${NAME:-default}`."""
    return f"${{{name}:" in value or f"${{{name}-" in value or f"${{{name}+" in value


CODEMOD: Final = Codemod(
    name="env-self-reference",
    title="an ENV uses a variable that it sets itself",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.ENV, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("env ", "env\t"),
    page=__doc__,
    findings=("missed",),
)
