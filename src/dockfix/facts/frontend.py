"""What a Dockerfile requires of its builder, and which frontend `# syntax=` selects."""

from __future__ import annotations

import re
from typing import Final

from dockfix.syntax.tree import Dockerfile


def uses_buildkit(dockerfile: Dockerfile) -> bool:
    """Whether a file can only be built by BuildKit: mounts, heredocs, flags such as `--link`, or a `# syntax=` line.

    (docs.docker.com/reference/dockerfile.)
    """
    flags = {"mount", "link", "security", "network", "parents", "exclude", "checksum", "keep-git-dir"}
    return "syntax" in dockerfile.directives or any(
        each.heredocs or any(flag.name in flags for flag in each.flags) for each in dockerfile.instructions
    )


_VERSION: Final = re.compile(
    r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?:([0-9]{1,9})\.([0-9]{1,9})(?:\.\d+)?(-[\w.-]+)?\Z"
)


def mounts_supported(syntax: str | None) -> bool:
    """Whether the frontend that `# syntax=` selects supports `RUN --mount`: docker/dockerfile 1.2 and later, and
    earlier experimental ones (moby/buildkit, frontend/dockerfile/docs)."""
    found = _VERSION.match(syntax.strip()) if syntax else None
    if found is None:
        return True
    return (int(found[1]), int(found[2])) >= (1, 2) or "experimental" in (found[3] or "")


def frontend_is(syntax: str, major: int, minor: int) -> bool:
    """Whether the frontend that `# syntax=` selects is docker/dockerfile of at least this version, or a tag without a
    minor version (`docker/dockerfile:1` is the newest of major version 1)."""
    name = syntax.strip().removeprefix("docker.io/")
    found = _VERSION.match(name)
    if found is not None:
        return (int(found[1]), int(found[2])) >= (major, minor)
    tags = ("", ":latest", ":labs", f":{major}", f":{major}-labs")
    return name in {f"docker/dockerfile{tag}" for tag in tags}
