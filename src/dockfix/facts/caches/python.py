"""Caches of pip, uv, Poetry, PDM, Pipenv and Conda."""

from __future__ import annotations

from typing import Final

from dockfix.facts.caches.model import CacheDir, CacheDisabler, CacheQuery, CacheUse, absolute
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action


def pip_cache(query: CacheQuery) -> CacheUse:
    """Seen: any non-empty PIP_NO_CACHE_DIR disables the cache, --cache-dir on the command line enables it again, and of
    --cache-dir and --no-cache-dir the last one wins. --isolated ignores every PIP_ variable."""
    if query.cmd.action is Action.RUN:
        raise Refused("pipx may run pip or uv")
    last = query.cmd.option("--cache-dir", "--no-cache-dir")
    off = query.cmd.option("--no-cache-dir")
    isolated = query.cmd.has("--isolated")
    if last is not None and last.name == "--cache-dir":
        return CacheUse((CacheDir(absolute(last.literal, "--cache-dir")),))
    directory = "" if isolated else query.var("PIP_CACHE_DIR")
    given = query.cmd.option("--cache-dir")
    if given is not None:
        path = absolute(given.literal, "--cache-dir")
    else:
        path = absolute(directory, "PIP_CACHE_DIR") if directory else query.under_xdg("XDG_CACHE_HOME", ".cache", "pip")
    disablers = [CacheDisabler("option", "--no-cache-dir", off)] if off is not None else []
    if not isolated and query.var("PIP_NO_CACHE_DIR"):
        disablers.append(CacheDisabler("env", "PIP_NO_CACHE_DIR"))
    return CacheUse((CacheDir(path),), tuple(disablers))


_TRUE: Final = frozenset(["1", "true", "t", "yes", "y", "on"])
_FALSE: Final = frozenset(["0", "false", "f", "no", "n", "off"])


def uv_cache(query: CacheQuery) -> CacheUse:
    """Seen: --no-cache and a true UV_NO_CACHE override every cache directory; a relative XDG_CACHE_HOME is ignored."""
    disablers = []
    off = query.cmd.option("--no-cache")
    if off is not None:
        disablers.append(CacheDisabler("option", "--no-cache", off))
    switch = query.var("UV_NO_CACHE").lower()
    if switch in _TRUE:
        disablers.append(CacheDisabler("env", "UV_NO_CACHE"))
    elif switch and switch not in _FALSE:
        raise Refused("uv rejects this value of UV_NO_CACHE")
    given = query.cmd.option("--cache-dir")
    if given is not None:
        path = absolute(given.literal, "--cache-dir")
    elif directory := query.var("UV_CACHE_DIR"):
        path = absolute(directory, "UV_CACHE_DIR")
    else:
        path = query.under_xdg("XDG_CACHE_HOME", ".cache", "uv", relative=True)
    return CacheUse((CacheDir(path),), tuple(disablers))


def poetry_cache(query: CacheQuery) -> CacheUse:
    """Seen: POETRY_CACHE_DIR, XDG_CACHE_HOME. Environments are created below the cache directory unless a setting says
    otherwise, so only its `cache` and `artifacts` may be mounted (python-poetry.org/docs/configuration)."""
    directory = query.var("POETRY_CACHE_DIR")
    path = (
        absolute(directory, "POETRY_CACHE_DIR")
        if directory
        else query.under_xdg("XDG_CACHE_HOME", ".cache", "pypoetry")
    )
    elsewhere = (
        query.var("POETRY_VIRTUALENVS_CREATE").lower() in ("false", "0")
        or query.var("POETRY_VIRTUALENVS_IN_PROJECT").lower() in ("true", "1")
        or bool(query.var("VIRTUAL_ENV", "POETRY_VIRTUALENVS_PATH"))
    )
    off = query.cmd.option("--no-cache")
    environments = (path, "virtual environments")
    parts = (
        CacheDir(f"{path}/cache", also_written=environments),
        CacheDir(f"{path}/artifacts", also_written=environments),
    )
    dirs = (CacheDir(path),) if elsewhere else parts
    return CacheUse(dirs, (CacheDisabler("option", "--no-cache", off),) if off is not None else ())


def pdm_cache(query: CacheQuery) -> CacheUse:
    """Seen: PDM_CACHE_DIR, XDG_CACHE_HOME."""
    directory = query.var("PDM_CACHE_DIR")
    path = absolute(directory, "PDM_CACHE_DIR") if directory else query.under_xdg("XDG_CACHE_HOME", ".cache", "pdm")
    return CacheUse((CacheDir(path),))


def pipenv_cache(query: CacheQuery) -> CacheUse:
    """Pipenv runs pip, whose cache it keeps in its own: PIPENV_CACHE_DIR (pipenv.pypa.io/en/latest/configuration)."""
    directory = query.var("PIPENV_CACHE_DIR")
    path = (
        absolute(directory, "PIPENV_CACHE_DIR") if directory else query.under_xdg("XDG_CACHE_HOME", ".cache", "pipenv")
    )
    return CacheUse(
        (CacheDir(path),), (CacheDisabler("env", "PIP_NO_CACHE_DIR"),) if query.var("PIP_NO_CACHE_DIR") else ()
    )


def conda_cache(query: CacheQuery) -> CacheUse:
    """docs.conda.io/projects/conda/en/stable/user-guide/configuration: CONDA_PKGS_DIRS, or pkgs of the prefix."""
    if folder := query.var("CONDA_PKGS_DIRS"):
        return CacheUse((CacheDir(absolute(folder.partition(",")[0], "CONDA_PKGS_DIRS"), "locked"),))
    prefix = query.var("MAMBA_ROOT_PREFIX", "CONDA_DIR")
    if not prefix:
        known = query.base is not None and "conda" in query.base.tools
        prefix = "/opt/conda" if known else ""
    if not prefix:
        raise Refused("the prefix of conda is not known")
    return CacheUse((CacheDir(f"{absolute(prefix, 'the prefix of conda')}/pkgs", "locked"),))
