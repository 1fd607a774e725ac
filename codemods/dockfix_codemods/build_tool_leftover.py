"""uv stays in the image, but only the build uses it.

## What it does
Checks for stages of the image that install uv by its script, although only the build calls it. The fix replaces the
install with a bind mount of uv's own image in the RUNs that call it. If that is not certainly possible, the finding
says that uv stays in the image, and why.

## Why is this bad?
uv takes about 40 MB. To delete it in a later RUN does not shrink the image, since the layer that installs it stays. To
delete uv's data directory may also delete a Python that a virtual environment needs; the fix does not touch it.

## Example
```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl
# Packages, by uv
RUN curl -LsSf https://astral.sh/uv/0.9.7/install.sh | sh
ENV PATH="/root/.local/bin:$PATH"
RUN uv pip install --system flask
CMD ["python", "-m", "flask", "run"]
```

Use instead:

```dockerfile
FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl
ENV PATH="/root/.local/bin:$PATH"
# Packages, by uv
RUN --mount=from=ghcr.io/astral-sh/uv:0.9.7,source=/uv,target=/bin/uv uv pip install --system flask
CMD ["python", "-m", "flask", "run"]
```

## Fix safety
The fix is unsafe: a program may call uv at run time without a word about it in the Dockerfile. Check that nothing in
the container does, and that the build may pull from ghcr.io. The version is the one in the script's address; for the
script of the latest version it is that of a uv image that the file uses elsewhere.

## When it does not apply
- Stages that the image is not based on: their layers are not part of it.
- Images whose CMD, ENTRYPOINT or HEALTHCHECK calls uv, and files that copy it from an image: no finding.
- A RUN that also removes what it installs.
- Advice only: a script whose version is unknown or has no image (before 0.2), `uvx`, uv from PyPI, shell scripts and
  programs that may call it, and images without a CMD, on which others may be based.

## References
- [uv: using uv temporarily](https://docs.astral.sh/uv/guides/integration/docker/#using-uv-temporarily)
- [uv: installation](https://docs.astral.sh/uv/getting-started/installation/)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as editing
from dockfix.facts import frontend, uv_installs
from dockfix.facts.model import Refused
from dockfix.facts.uv_installs import UvInstall, UvUse
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Claim, Codemod, Edit, Effect, Finding, Fix, Promise, Safety, Severity

_MESSAGE: Final = "`uv` stays in the image, about 40 MB that only the build uses"
_REVIEW: Final = (
    "check that nothing calls `uv` when the container runs",
    "check that the build may pull from `ghcr.io`",
)
_COMMENTS: Final = "the comments at its install would be lost or wrong"
_ABOUT_THE_SCRIPT: Final = ("installer", "script", "download", "curl", "wget", "astral.sh", "ghcr.io")


def check(target: Target) -> Iterator[Finding]:
    """Find the installs of uv by its script in the stages of the image."""
    for install in uv_installs.uv_installs(target.facts):
        if uv_installs.is_called_when_it_runs(target.facts):
            return
        try:
            edits = _edits(target, install, _uses(target, install))
        except Refused as refused:
            yield Advice(install.at, f"{_MESSAGE}; {refused.reason}")
            continue
        review = _REVIEW if target.facts.uses_buildkit else (*_REVIEW, "requires BuildKit (or Buildah)")
        help_ = f"mount `uv` from `{install.image}` in the RUNs that call it"
        yield Fix(install.at, _MESSAGE, edits, Safety.UNSAFE, help_, "; ".join(review))


def _uses(target: Target, install: UvInstall) -> tuple[UvUse, ...]:
    """The RUNs that call uv and can mount it.

    Raises:
        Refused: something else may call it, or it cannot be mounted.
    """
    if install.blocker:
        raise Refused(install.blocker)
    uses = uv_installs.uv_uses(target.facts, install)
    syntax = target.dockerfile.directives.get("syntax")
    if not frontend.mounts_supported(syntax.value if syntax else None):
        raise Refused("the `# syntax=` version of the file does not support mounts")
    return uses


def _edits(target: Target, install: UvInstall, uses: tuple[UvUse, ...]) -> tuple[Edit, ...]:
    """Remove the install, move its comments to the first RUN that calls uv, and mount uv in each of these RUNs.

    Raises:
        Refused: a comment would be lost or wrong.
    """
    dockerfile = target.dockerfile
    gone = [each for each in (install.add, install.run if install.whole else None) if each is not None]
    about_the_script = any(_is_about_the_script(comment.text) for each in gone for comment in dockerfile.above(each))
    if about_the_script:
        raise Refused(_COMMENTS)
    try:
        edits = [*editing.delete_superseded(dockerfile, gone, uses[0].run)]
        if not install.whole and install.cut is not None:
            text = target.facts.commands(install.run).text
            edits += editing.delete_commands(dockerfile, install.run, text, *install.cut)
    except Refused:
        raise Refused(_COMMENTS) from None
    for use in uses:
        flags = [f"--mount=from={install.image},source=/uv,target={path}" for path in use.targets]
        edits += [editing.insert_flags(dockerfile, use.run, flags, edits)] if flags else []
    return tuple(sorted(edits))


def _is_about_the_script(comment: str) -> bool:
    return any(word in comment.lower() for word in _ABOUT_THE_SCRIPT)


CODEMOD: Final = Codemod(
    name="build-tool-leftover",
    title="uv stays in the image, but only the build uses it",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.MOUNTS, Effect.COMMANDS, Effect.STEPS, Effect.COPIES}),
    check=check,
    since="0.1.0",
    triggers=("astral.sh/uv", "astral-sh/uv"),
    findings=("base-ml 2",),
    promise=Promise(
        removes=(
            "**/bin/uv",
            "**/bin/uvx",
            "**/.local/bin/env*",
            "/usr/local/bin/env*",
            "**/.cargo/env*",
            "**/*install*.sh",
            "**/.config/uv",
            "**/.config/fish/conf.d/uv.env.fish",
            "**/.profile",
            "**/.bash*",
            "**/.zsh*",
        ),
        changes=("**/.profile", "**/.bash*", "**/.zsh*"),
        mounts=True,
        claims=frozenset({Claim.SMALLER}),
        rationale=(
            "The same version of uv installs the same packages from a mount. What its script installs is missing: the"
            " programs, a receipt, and lines in the start files of shells that put them on PATH."
        ),
    ),
)
