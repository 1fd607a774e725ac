"""What cache-mount concludes from the caches and mounts of a RUN.

- `blockers`: why a directory must not become a cache mount.
- `caveats`: what a reader must check before a mount is added or moved.
- `apt`: what a mount of apt's directories needs, and what rules it out.
- `cleaning`: commands that empty cache directories, and whether they can be removed.
- `other_steps`: which step filled a cache directory before the RUN, and which need it afterwards.
- `parents`: which folders above a mount exist before its RUN, and what uses the others.
- `placing`: where a mount goes, and how its flag is written.
"""

from dockfix.facts.caches import fits_flag, serves
from dockfix.facts.frontend import mounts_supported, uses_buildkit
from dockfix_codemods.cache_mount.analysis.apt import apt_ready, docker_clean_gone
from dockfix_codemods.cache_mount.analysis.blockers import blocker
from dockfix_codemods.cache_mount.analysis.caveats import (
    beside_doubt,
    built_against,
    caveats,
    in_the_way,
    may_be_lost,
    safe_to_leave,
)
from dockfix_codemods.cache_mount.analysis.cleaning import Cleaning, cleaning, hides_failure, neighbours, removable
from dockfix_codemods.cache_mount.analysis.other_steps import filled_before, needed_later
from dockfix_codemods.cache_mount.analysis.placing import flag_for, ownership, placed, shared_id

__all__ = [
    "Cleaning",
    "apt_ready",
    "beside_doubt",
    "blocker",
    "built_against",
    "caveats",
    "cleaning",
    "docker_clean_gone",
    "filled_before",
    "fits_flag",
    "flag_for",
    "hides_failure",
    "in_the_way",
    "may_be_lost",
    "mounts_supported",
    "needed_later",
    "neighbours",
    "ownership",
    "placed",
    "removable",
    "safe_to_leave",
    "serves",
    "shared_id",
    "uses_buildkit",
]
