"""A secret is passed as a build argument, or stored in the image as a variable.

## What it does

Finds each `ARG` and `ENV` whose name tells that it holds a secret: a password, a token, a private key. It replaces an
`ARG` that only `RUN` uses with a secret mount.

## Why is this bad?

The value of a build argument is in the history of the image and in its provenance, and that of an `ENV` in its
configuration: everyone who can pull the image can read them. Values of a stage from which others only copy files are
in the provenance, if that is made with all details (`mode=max`). A secret mount is in none of these.

## Example

```dockerfile
FROM node:22
ARG NPM_TOKEN
COPY package.json package-lock.json .npmrc ./
RUN NPM_CONFIG_TOKEN=$NPM_TOKEN npm ci
```

Use instead:

```dockerfile
FROM node:22
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN,required=true NPM_CONFIG_TOKEN=$NPM_TOKEN npm ci
```

Build it with `--secret id=NPM_TOKEN,env=NPM_TOKEN` in place of `--build-arg NPM_TOKEN`. Compose and bake files that
pass the argument are changed, too: they pass the secret from the same variable.

## Fix safety

The fix is unsafe, since whoever builds the image must pass the secret in another way. Without it the build fails,
unless the `ARG` has an empty default, or a compose or bake file does not pass it: then it is optional. The steps that
name the argument get the mount. Other steps no longer have the variable in their environment, which a program may read.
`env=` requires version 1.10 of the Dockerfile frontend; where `# syntax=` names an older one, the step reads
`/run/secrets/NAME`. Change the secret if it was in an image that others can pull.

## When it does not apply

- An `ENV`, and an `ARG` that is copied into one: containers may need the value, which only a person can decide. Set it
  when the container starts.
- An `ARG` with a default value, and one that other instructions or other stages use.
- An `ARG` that no `RUN` names, or one that is named where dockfix cannot read the command.
- An `ARG` that a compose or bake file passes in another way than as a variable of the environment, or that passes from
  one bake target to another, or is in a matrix. The finding says what to write there.
- A `# syntax=` line with a version before 1.2, or one before 1.10 and a step that root may not run.
- Names of other things, such as `SORT_KEY`, `AUTH_URL` or `PASSWORD_FILE`, and variables that are meant for browsers
  (`NEXT_PUBLIC_...`). An `ENV` that is empty, or the path of a file.

## References

- https://docs.docker.com/build/building/secrets/
- https://docs.docker.com/build/metadata/attestations/slsa-provenance/
- https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
- https://docs.docker.com/reference/dockerfile/#run---mounttypesecret
- https://docs.docker.com/reference/compose-file/build/#secrets
- https://github.com/hadolint/hadolint/wiki/DL3064
- moby/buildkit, `frontend/dockerfile/dockerfile2llb/validations.go`: `getSecretsRegex`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.model import Known, Refused
from dockfix.facts.stages import Stage
from dockfix.project.discovery import is_bake_name
from dockfix.project.target import Target
from dockfix.project.wiring import is_build_stage
from dockfix.rule import Advice, Category, Change, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Arg, Env, Pair
from dockfix_codemods.build_secret.edits import caller_edits, has_env, mount_edits
from dockfix_codemods.build_secret.names import is_secret, is_secret_value


def check(target: Target) -> Iterator[Finding]:
    """Find the secrets, stage by stage."""
    for stage in target.facts.graph.stages:
        for instruction in stage.executed:
            if not isinstance(instruction, Arg | Env):
                continue
            for pair in instruction.pairs:
                if is_secret(pair.key):
                    if isinstance(instruction, Env):
                        yield from _variable(target, stage, instruction, pair)
                    else:
                        yield _argument(target, stage, instruction, pair)


def _variable(target: Target, stage: Stage, env: Env, pair: Pair) -> Iterator[Finding]:
    value = target.facts.state(env).expand(pair.value or "", env.escape)
    if isinstance(value, Known) and not is_secret_value(value.value):
        return
    if is_build_stage(target, stage):
        message = f"`{pair.key}` is a variable of a build stage: its value may be in the image's provenance"
        help_ = "mount a build secret in the steps that need it (`RUN --mount=type=secret`)"
    else:
        message = f"`{pair.key}` is stored in the image, where everyone who can pull it can read it"
        help_ = "set it when the container starts, or mount a build secret (`RUN --mount=type=secret`)"
    yield Advice(pair.span, message, cause=pair.key, help=help_)


def _argument(target: Target, stage: Stage, arg: Arg, pair: Pair) -> Finding:
    key = pair.key
    place = "may be in the image's provenance" if is_build_stage(target, stage) else "is in the history of the image"
    message = f"`{key}` is a build argument: its value {place}"
    try:
        edits = mount_edits(target, stage, arg, pair)
        changes = caller_edits(target, stage, key)
    except Refused as refused:
        return Refusal(pair.span, message, refused.reason, cause=key)
    needs = ", which needs Dockerfile 1.10" if has_env(target) else ""
    review = (
        f"pass `--secret id={key},env={key}` in place of `--build-arg {key}`{needs}; "
        f"check that no other step reads `{key}` from its environment"
    )
    files = f", and pass the secret from {_named(changes)}" if changes else ""
    help_text = f"use a secret mount in the steps that name it{files}"
    return Fix(pair.span, message, edits, Safety.UNSAFE, help_text, review, other_files=changes)


def _named(changes: Sequence[Change]) -> str:
    """The kinds of files that are changed."""
    kinds = dict.fromkeys("bake" if is_bake_name(each.path.name) else "compose" for each in changes)
    return " and ".join(kinds)


CODEMOD: Final = Codemod(
    name="build-secret",
    title="a secret is a build argument, or a variable of the image",
    severity=Severity.WARNING,
    category=Category.SECURITY,
    effects=frozenset({Effect.ARGS, Effect.MOUNTS, Effect.COMMANDS, Effect.STEPS, Effect.COMPOSE, Effect.BAKE}),
    check=check,
    since="0.1.0",
    triggers=("password", "passwd", "pword", "passphrase", "secret", "token", "credential", "key", "auth"),
    hadolint=frozenset({"DL3064"}),
    checks=frozenset({"SecretsUsedInArgOrEnv"}),
    promise=Promise(
        adds=("/run/secrets",),
        rationale=(
            "The steps have the same variable, from a mount that leaves nothing in the image; Buildah leaves the empty "
            "folder of the mount."
        ),
    ),
)
