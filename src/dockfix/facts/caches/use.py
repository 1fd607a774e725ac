"""Where a package manager's command keeps its cache, and what disables that cache.

The answer depends on the command's options, the environment, the user and the base image. Where one of these is not
known, `CacheUse.unknown` says why. Configuration files (pip.conf, uv.toml, .npmrc) are not read here. The rules marked
"seen" were tried with pip 23.2, uv 0.13, Poetry 2.5, PDM 2.29, npm 11, yarn 1.22 and 4, and pnpm 10 to 12;
tests/facts/test_caches.py holds the results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from dockfix.facts.caches import managers
from dockfix.facts.caches.model import CacheQuery, CacheUse, Environment
from dockfix.facts.images import BaseImage
from dockfix.facts.model import Fact, Refused
from dockfix.facts.packages import Action, PackageCommand


def cache_use(
    cmd: PackageCommand,
    env: Environment,
    home: Fact[str],
    *,
    base: BaseImage | None,
    user_is_root: Fact[bool],
) -> CacheUse:
    """Where this command keeps its cache, and what disables it.

    `env` returns a variable of the command's environment: None if it is certainly unset, Unknown if it might be set.
    `home` is the HOME of the shell's user.
    """
    rule = _RULES.get(cmd.manager)
    if rule is None or cmd.action not in _CACHING:
        return CacheUse()
    if any(word.value in ("-i", "-", "--ignore-environment") for word in cmd.wrappers):
        return CacheUse(unknown="env -i empties the environment")
    if any(not option.known for option in cmd.options):
        return CacheUse(unknown="the command has an option that dockfix does not know")
    try:
        use = rule(CacheQuery(cmd, env, home, base, user_is_root))
    except Refused as error:
        return CacheUse(unknown=error.reason)
    if not all(fits_flag(each.path) for each in use.dirs):
        return CacheUse(unknown="the path of its cache needs quotes in a flag")
    return use


def fits_flag(path: str) -> bool:
    """Whether a path can be written unquoted in a flag of RUN and in a shell command.

    BuildKit splits a flag at white space, reads its bytes as characters (`extractBuilderFlags`, parser/line_parsers.go
    and instructions/bflag.go), and reads a mount as CSV whose values expand variables.
    """
    return _FITS.fullmatch(path) is not None


_FITS: Final = re.compile(r"[A-Za-z0-9_./@%+:=~-]+")

_CACHING: Final = frozenset(
    (Action.INSTALL, Action.SYNC, Action.BUILD, Action.UPGRADE, Action.UPDATE, Action.RUN, Action.OTHER)
)

_RULES: Final[Mapping[str, Callable[[CacheQuery], CacheUse]]] = {
    "pip": managers.pip_cache,
    "uv": managers.uv_cache,
    "poetry": managers.poetry_cache,
    "pdm": managers.pdm_cache,
    "pipenv": managers.pipenv_cache,
    "npm": managers.npm_cache,
    "yarn": managers.yarn_cache,
    "pnpm": managers.pnpm_cache,
    "go": managers.go_cache,
    "cargo": managers.cargo_cache,
    "apt": managers.apt_cache,
    "apk": managers.apk_cache,
    "dnf": managers.dnf_cache,
    "yum": managers.dnf_cache,
    "microdnf": managers.dnf_cache,
    "zypper": managers.zypper_cache,
    "composer": managers.composer_cache,
    "bundler": managers.bundler_cache,
    "gem": managers.gem_cache,
    "maven": managers.maven_cache,
    "gradle": managers.gradle_cache,
    "dotnet": managers.dotnet_cache,
    "conda": managers.conda_cache,
    "mamba": managers.conda_cache,
    "micromamba": managers.conda_cache,
}
