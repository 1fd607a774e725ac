"""An ENV uses a variable that it sets itself.

## What it does

Finds an `ENV` with a value that uses a variable set in the same `ENV`, and splits the instruction in two.

## Why is this bad?

Inside one `ENV`, every `$NAME` expands to its value before the instruction. In the example, `PATH` gets `/bin` in place
of `/opt/tool/bin`. The build succeeds, and programs on `PATH` are not found, or others are found instead.

## Example

```dockerfile
FROM debian:12
ENV TOOL_HOME="/opt/tool" PATH="$TOOL_HOME/bin:$PATH"
```

Use instead:

```dockerfile
FROM debian:12
ENV TOOL_HOME="/opt/tool"
ENV PATH="$TOOL_HOME/bin:$PATH"
```

Lines, indentation and comments stay as they are.

## Fix safety

The fix is unsafe: the variable gets another value than it has today, and something may depend on that value. After
`ENV A=/opt/app B=$A/bin`, a `RUN ls $B` lists `/bin`. It fails once `B` is `/opt/app/bin`, which may not exist yet.
If the name has a value before, or the base image may set one, that value may be the intended one; with a known value
the finding is only a warning.

## When it does not apply

- A variable that refers to itself (`PATH="/x:$PATH"`), and one that is set further right.
- A name that has the same value before, and one that only keeps the value of an ARG (`ENV URL=$URL DIRECT=$URL`).
- `${NAME:-default}`, which says what to use if the name is not set.
- `$NAME` in single quotes or after a backslash, and the form without `=`, which sets only one variable.

## References

- https://docs.docker.com/reference/dockerfile/#environment-replacement
- Tested with BuildKit: `ENV A=x PATH="$A:$PATH"` puts an empty entry on `PATH`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from dockfix.edit.dockerfile import split_before
from dockfix.facts.model import Known
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Env, Pair
from dockfix.syntax.words import variables


class _References(Struct):
    """The references inside one ENV to variables that it sets itself.

    `names` maps each of these variables to whether it is unset before the ENV. `users` are the variables whose values
    use them. `splits` are the pairs that must begin an ENV of their own.
    """

    names: dict[str, bool] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    splits: list[Pair] = field(default_factory=list)


def check(target: Target) -> Iterator[Finding]:
    """Find the ENVs that use what they set."""
    for stage in target.facts.graph.stages:
        for env in stage.executed:
            if isinstance(env, Env) and not env.legacy and len(env.pairs) > 1:
                references = _references(target, env)
                if references.splits:
                    yield _finding(target, env, references)


def _references(target: Target, env: Env) -> _References:
    state = target.facts.state(env)
    escape = target.dockerfile.escape
    new: dict[str, str] = {}
    same_env: set[str] = set()  # the names set since the last split
    found = _References()
    for pair in env.pairs:
        used = [name for name in variables(pair.value or "", escape) if name in new]
        for name in used:
            before, after = state.lookup(name), state.expand(new[name], escape)
            same = before == after if before is not None else after == Known("")
            if (same and isinstance(after, Known)) or _has_default(pair.value or "", name):
                continue
            found.names.setdefault(name, before is None)
            found.users.append(pair.key)
            if name in same_env and (not found.splits or found.splits[-1] is not pair):
                found.splits.append(pair)
        if found.splits and found.splits[-1] is pair:
            same_env = set()
        if (pair.value or "").strip('"') not in (f"${pair.key}", f"${{{pair.key}}}"):  # else the value stays the same
            new[pair.key] = pair.value or ""
            same_env.add(pair.key)
    return found


def _finding(target: Target, env: Env, found: _References) -> Finding:
    state = target.facts.state(env)
    splits = [pair.word for pair in found.splits]
    at = splits[0].span
    names = sorted(found.names)
    shown = ", ".join(f"`${name}`" for name in names)
    message = (
        f"{shown} expands to its previous value: it is set in the same `ENV`"
        if len(names) == 1
        else f"{shown} expand to their previous values: they are set in the same `ENV`"
    )
    flag = next((word.text for word in splits if word.text.startswith("--")), None)
    if flag is not None:
        return Refusal(at, message, f"an `ENV` that begins with `{flag}` would be parsed as a flag")
    already_set = [name for name in names if not found.names[name]]
    if already_set:
        review = f"check that the previous value of {_listed(already_set)} is not the intended one"
    else:
        review = f"check that nothing depends on the current value of {_listed(found.users)}, "
        review += f"where {_listed(names)} {'is' if len(names) == 1 else 'are'} empty"
    known = all(isinstance(state.lookup(name), Known) for name in names)
    return Fix(
        at,
        message,
        split_before(target.dockerfile, env, splits),
        Safety.UNSAFE,
        f"split the `ENV` before {_listed([pair.key for pair in found.splits])}",
        review,
        Severity.WARNING if known else None,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _has_default(value: str, name: str) -> bool:
    """Whether the value has a default for an unset name: `${NAME:-default}`."""
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
    hadolint=frozenset({"DL3044"}),
    findings=("missed",),
    promise=Promise(
        config=frozenset({Part.USER, Part.ENV, Part.LABELS, Part.PORTS, Part.WORKDIR, Part.VOLUMES, Part.STOP_SIGNAL}),
        rationale=(
            "ENV adds no files; other instructions may expand the variable. Files differ only if a step depends on "
            "its value, which is what the review asks."
        ),
    ),
)
