"""Caches of package managers.

- `use`: where a command keeps its cache, and what disables that cache.
- `model`: what is known of a cache, and the environment that decides where it is.
- `directories`: which tools keep a cache in a directory, and which directories hold results instead.
- `python`: caches of pip, uv, Poetry, PDM, Pipenv and Conda.
- `javascript`: caches of npm, yarn and pnpm.
- `languages`: caches of Go, Cargo, Composer, Bundler, RubyGems, Maven, Gradle and .NET.
- `system`: caches of apt, apk, dnf, yum and zypper.
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
