"""What a rule promises of the image, as a real build can show it.

The effects of a rule say what its fixes may change in the Dockerfile; its promise says what they may change in the
image, and what they achieve. `dockfix verify` builds before and after, and compares.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Claim", "Packages", "Part", "Promise"]


class Part(enum.Enum):
    """A part of the image configuration, as in the OCI image specification."""

    USER = "user"
    ENV = "env"
    ENTRYPOINT = "entrypoint"
    COMMAND = "command"
    HEALTHCHECK = "healthcheck"
    LABELS = "labels"
    PORTS = "ports"
    WORKDIR = "workdir"
    SHELL = "shell"
    VOLUMES = "volumes"
    STOP_SIGNAL = "stop-signal"
    AUTHOR = "author"
    """What MAINTAINER sets."""


class Packages(enum.Enum):
    """How the installed packages may differ."""

    SAME = "same"
    FEWER = "fewer"
    """Some may be missing; none is new, and none has another version."""
    MORE = "more"
    """Some may be new; none is missing, and none has another version."""
    ANY = "any"


class Claim(enum.Enum):
    """What the fixes of a rule achieve."""

    SMALLER = "smaller"
    """The image is smaller. If only layers that are not part of the image change, there is nothing to show."""
    SOURCE_EDIT = "source-edit"
    """After an edit of a source file, fewer steps are run again."""
    ARG_CHANGE = "arg-change"
    """After a change of a build argument, fewer steps are run again."""
    CACHE_MOUNT = "cache-mount"
    """A step that is run again finds its downloads in a cache mount."""
    HEALTHY = "healthy"
    """The health check passes in a container that runs, where it failed or was missing before."""
    REPAIRS = "repairs"
    """A build that failed succeeds. Where it succeeded before, there is nothing to show."""


class Promise(Struct, frozen=True):
    """What a rule promises of the image that is built after its fixes.

    Three things are promised by every rule: a build that succeeded still succeeds, a container that started still
    starts, and a health check that passed still passes. Beyond the differences that are named here, the image is the
    same. The default promises the same image.

    Files are named by patterns like those of `.gitignore`, for absolute paths: `/etc/passwd`, `**/.cache/uv`. A pattern
    covers the file or folder that it matches and all below it, and each folder that is new or missing only because of
    what it covers. `/var/cache/apk/**` covers what is below a folder, and not an empty folder.

    Args:
        config: the parts of the configuration that may differ.
        adds: the files that may be new.
        removes: the files that may be missing.
        changes: the files whose content, mode or owner may differ.
        packages: how the installed packages may differ. The files of a package that may be missing, new or of another
            version may be so, too, and with them what package managers and scripts of packages write.
        claims: what the fixes achieve.
        owners: the files whose owner or group may differ, but not their content.
        mounts: whether what is at or below the targets of mounts may be new, missing or different. Only the Dockerfile
            names these places: see `with_mounts`. Some builders leave empty folders above a target.
        rationale: why the promise holds, or what a build shows if it does not, in sentences for the rule's page.
    """

    config: frozenset[Part] = frozenset()
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    packages: Packages = Packages.SAME
    claims: frozenset[Claim] = frozenset()
    owners: tuple[str, ...] = ()
    mounts: bool = False
    rationale: str = ""

    def __post_init__(self) -> None:
        for pattern in (*self.adds, *self.removes, *self.changes, *self.owners):
            if not pattern.startswith(("/", "**/")) or pattern.endswith("/") or pattern != pattern.strip():
                raise ValueError(f"not a pattern for absolute paths: {pattern!r}; it begins with / or **/")

    @property
    def concerns_files(self) -> bool:
        """Whether files or packages may differ."""
        named = (self.adds, self.removes, self.changes, self.owners)
        return any(named) or self.mounts or self.packages is not Packages.SAME

    def with_mounts(self, targets: Iterable[str]) -> Promise:
        """The promise for a Dockerfile: with patterns for the targets of its mounts, if the promise allows these.

        Args:
            targets: absolute paths.
        """
        if not self.mounts:
            return self
        found = [re.sub(r"[\\*?\[\]!# ]", r"\\\g<0>", target.rstrip("/")) for target in targets]
        patterns = tuple(dict.fromkeys(pattern for pattern in found if pattern.startswith("/")))
        adds, removes, changes = (each + patterns for each in (self.adds, self.removes, self.changes))
        return replace(self, adds=adds, removes=removes, changes=changes, mounts=False)
