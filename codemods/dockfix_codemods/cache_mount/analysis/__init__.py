"""What cache-mount concludes from the caches and mounts of a RUN.

- `blockers`: why a directory must not become a cache mount.
- `caveats`: what a reader must check before a mount is added or moved.
- `apt`: what a mount of apt's directories needs, and what rules it out.
- `cleaning`: commands that empty cache directories, and whether they can be removed.
- `layers`: what a step without a mount does again, and what it finds in an earlier layer instead.
- `other_steps`: which step filled a cache directory before the RUN, and which need it afterwards.
- `parents`: which folders above a mount exist before its RUN, and what uses the others.
- `placing`: where a mount goes, and how its flag is written.
"""

from dockfix_codemods.cache_mount.analysis.apt import apt_ready, docker_clean_gone
from dockfix_codemods.cache_mount.analysis.blockers import blocker
from dockfix_codemods.cache_mount.analysis.caveats import (
    affected_commands,
    build_isolation_caveat,
    caveats,
    is_certainly_unused,
    is_disposable,
    parents_caveat,
)
from dockfix_codemods.cache_mount.analysis.cleaning import Cleaning, adjacent_groups, cleaning, hides_failure, removable
from dockfix_codemods.cache_mount.analysis.layers import in_earlier_layer, work_of
from dockfix_codemods.cache_mount.analysis.other_steps import filled_before_caveat, needed_later, works_offline
from dockfix_codemods.cache_mount.analysis.placing import flag_for, mount_path, ownership, shared_id_caveat

__all__ = [
    "Cleaning",
    "adjacent_groups",
    "affected_commands",
    "apt_ready",
    "blocker",
    "build_isolation_caveat",
    "caveats",
    "cleaning",
    "docker_clean_gone",
    "filled_before_caveat",
    "flag_for",
    "hides_failure",
    "in_earlier_layer",
    "is_certainly_unused",
    "is_disposable",
    "mount_path",
    "needed_later",
    "ownership",
    "parents_caveat",
    "removable",
    "shared_id_caveat",
    "work_of",
    "works_offline",
]
