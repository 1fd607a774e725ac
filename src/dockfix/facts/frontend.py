"""What a Dockerfile needs of its builder, and which version of the frontend `# syntax=` selects."""

from __future__ import annotations

import re
from typing import Final

from dockfix.syntax.tree import Dockerfile


def uses_buildkit(dockerfile: Dockerfile) -> bool:
    """Whether a file can only be built by BuildKit: mounts, heredocs, `--link` and its like, or a `# syntax=` line.

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
    """Whether the frontend that `# syntax=` names knows `RUN --mount`: docker/dockerfile 1.2 and later, and the
    experimental ones before (moby/buildkit, frontend/dockerfile/docs)."""
    found = _VERSION.match(syntax.strip()) if syntax else None
    if found is None:
        return True
    return (int(found[1]), int(found[2])) >= (1, 2) or "experimental" in (found[3] or "")


def frontend_is(syntax: str, major: int, minor: int) -> bool:
    """Whether the frontend that `# syntax=` names is docker/dockerfile of at least a version, or of none in
    particular (`docker/dockerfile:1` is the newest of its kind)."""
    name = syntax.strip().removeprefix("docker.io/")
    found = _VERSION.match(name)
    if found is not None:
        return (int(found[1]), int(found[2])) >= (major, minor)
    tags = ("", ":latest", ":labs", f":{major}", f":{major}-labs")
    return name in {f"docker/dockerfile{tag}" for tag in tags}
