"""Caches of package managers.

- `use`: where a command keeps its cache, and what disables that cache.
- `model`: what is known of a cache, and the environment that decides where it is.
- `directories`: which tools keep a cache in a directory, and which directories hold results instead.
- `managers`: the cache of each package manager, one function each.
"""

from dockfix.facts.caches.directories import result_directories, serves, tool_of_directory
from dockfix.facts.caches.model import CacheDir, CacheDisabler, CacheUse
from dockfix.facts.caches.use import cache_use, fits_flag

__all__ = [
    "CacheDir",
    "CacheDisabler",
    "CacheUse",
    "cache_use",
    "fits_flag",
    "result_directories",
    "serves",
    "tool_of_directory",
]
