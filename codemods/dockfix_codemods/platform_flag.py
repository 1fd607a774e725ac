"""The platform of a FROM is redundant or a constant.

## What it does

Finds a `FROM --platform` that names the default, `$TARGETPLATFORM`, and removes the flag. Reports one that names a
constant, such as `linux/amd64`.

## Why is this bad?

With a constant, `docker build --platform` no longer decides for which platform the image is: on an ARM machine, the
build is emulated, or the image is labelled with a platform that its programs do not have. `$TARGETPLATFORM` is what a
`FROM` without the flag uses, so the flag says nothing.

## Example

```dockerfile
FROM --platform=$TARGETPLATFORM alpine:3.22
CMD ["uname", "-m"]
```

Use instead:

```dockerfile
FROM alpine:3.22
CMD ["uname", "-m"]
```

## Fix safety

The fix is safe: the builder sets `TARGETPLATFORM` to the platform of the build, which is the default of `FROM`. It is
made only if no `ARG` before the first `FROM` and no known build gives the name another value.

## When it does not apply

- `$BUILDPLATFORM` and other variables: the platform is chosen by the build.
- A stage name that contains the operating system or the architecture (`AS build-amd64`): the constant is meant.
- `ARG TARGETPLATFORM=linux/amd64` before the first `FROM`, a build that passes `TARGETPLATFORM`, and a fallback
  (`${TARGETPLATFORM:-linux/amd64}`): the flag matters, and is not removed.
- A constant is never removed: on another machine, the image would be another one.

## References

- https://docs.docker.com/reference/build-checks/from-platform-flag-const-disallowed/
- https://docs.docker.com/reference/build-checks/redundant-target-platform/
- https://github.com/hadolint/hadolint/wiki/DL3029, https://github.com/hadolint/hadolint/wiki/DL3065
- moby/buildkit `frontend/dockerfile/dockerfile2llb/validations.go`; containerd/platforms `database.go`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import delete_flag
from dockfix.facts.platforms import parse_platform
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Arg, Flag, From
from dockfix.syntax.words import SubstitutionError, expand, variables

_DEFAULT: Final = "TARGETPLATFORM"


def check(target: Target) -> Iterator[Finding]:
    """Look at the flag of each FROM."""
    for node in target.dockerfile.instructions:
        flag = node.flag("platform") if isinstance(node, From) else None
        if isinstance(node, From) and flag is not None and flag.value:
            yield from _check_flag(target, node, flag, flag.value)


def _check_flag(target: Target, node: From, flag: Flag, value: str) -> Iterator[Finding]:
    names = variables(value, node.escape)
    if names == {_DEFAULT}:
        yield from _redundant(target, node, flag, value)
    elif not names and (constant := _plain(value, node.escape)) and _is_unexpected(constant, node.stage_name or ""):
        message = f"`--platform={value}` is a constant: `docker build --platform` cannot change it"
        help_ = "leave it out, or use `$BUILDPLATFORM` or `$TARGETPLATFORM`"
        yield Advice(flag.span, message, cause=value, help=help_)


def _redundant(target: Target, node: From, flag: Flag, value: str) -> Iterator[Finding]:
    plain = value in (f"${_DEFAULT}", f"${{{_DEFAULT}}}")
    if not plain and not (value.startswith(f"${{{_DEFAULT}:") and value.endswith("}")):
        return  # part of a longer value
    message = f"`--platform={value}` is the default"
    if not plain:
        yield Refusal(flag.span, message, "it has a value for builders that do not set the platform", cause=value)
    elif any(_DEFAULT in build.args for build in target.builds):
        yield Refusal(
            flag.span, message, f"a build of the project passes `{_DEFAULT}`, so the flag matters", cause=value
        )
    elif _has_own_default(target):
        yield Refusal(
            flag.span, message, f"an `ARG` sets `{_DEFAULT}` to another value, so the flag matters", cause=value
        )
    else:
        edits = delete_flag(target.dockerfile, node, flag)
        yield Fix(flag.span, message, edits, Safety.SAFE, "remove the flag", cause=value)


def _has_own_default(target: Target) -> bool:
    """Whether an ARG before the first FROM gives the predefined name a value."""
    for node in target.dockerfile.instructions:
        if isinstance(node, From):
            break
        if isinstance(node, Arg) and any(pair.key == _DEFAULT and pair.value is not None for pair in node.pairs):
            return True
    return False


def _plain(value: str, escape: str) -> str:
    """A value without variables as the builder reads it, "" if it does not."""
    try:
        return expand(value, lambda _name: None, escape).text
    except SubstitutionError:
        return ""


def _is_unexpected(text: str, stage: str) -> bool:
    """Whether a platform is valid and the name of its stage does not show it (BuildKit's own condition)."""
    platform = parse_platform(text)
    return platform is not None and not any(part and part in stage for part in platform)


CODEMOD: Final = Codemod(
    name="platform-flag",
    title="the platform of a FROM is redundant or a constant",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.STAGES}),
    check=check,
    since="0.1.0",
    triggers=("platform",),
    hadolint=frozenset({"DL3029", "DL3065"}),
    checks=frozenset({"FromPlatformFlagConstDisallowed", "RedundantTargetPlatform"}),
    promise=Promise(
        rationale=("The flag says what BuildKit does without it, so the same image is built for the same platform."),
    ),
)
