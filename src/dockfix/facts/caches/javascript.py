"""Caches of npm, yarn and pnpm."""

from __future__ import annotations

from dockfix.facts.caches.model import CacheDir, CacheQuery, CacheUse, absolute
from dockfix.facts.model import Known, Refused
from dockfix.facts.packages import Action


def npm_cache(query: CacheQuery) -> CacheUse:
    """Seen: --cache, then npm_config_cache in any case; XDG_CACHE_HOME and empty values are ignored."""
    given = query.cmd.option("--cache")
    if given is not None:
        return CacheUse((CacheDir(absolute(given.literal, "--cache")),))
    directory = query.var("npm_config_cache", "NPM_CONFIG_CACHE")
    return CacheUse((CacheDir(absolute(directory, "npm_config_cache") if directory else f"{query.home()}/.npm"),))


def yarn_cache(query: CacheQuery) -> CacheUse:
    """Seen: yarn 1 puts v6 below YARN_CACHE_FOLDER or --cache-folder; otherwise below XDG_CACHE_HOME/yarn, for root
    below /usr/local/share/.cache/yarn whatever HOME is, for others below ~/.cache/yarn. Berry: ~/.yarn/berry/cache,
    moved by YARN_GLOBAL_FOLDER, not by YARN_CACHE_FOLDER; with PnP the program runs from it, so it is a result."""
    berry = query.cmd.has("--immutable", "--immutable-cache", "--inline-builds") or query.cmd.verb in (
        ("workspaces", "focus"),
        ("dlx",),
    )
    if berry:
        folder = query.var("YARN_GLOBAL_FOLDER")
        path = f"{absolute(folder, 'YARN_GLOBAL_FOLDER')}/cache" if folder else f"{query.home()}/.yarn/berry/cache"
        return CacheUse(
            (CacheDir(path, "locked"),), unknown="with Yarn's Plug'n'Play the program runs from this directory"
        )
    given = query.cmd.option("--cache-folder")
    if given is not None:
        path = absolute(given.literal, "--cache-folder")
        return CacheUse((CacheDir(f"{path}/v6", "locked", whole=path),))
    if folder := query.var("YARN_CACHE_FOLDER", "yarn_cache_folder", "npm_config_cache_folder"):
        path = absolute(folder, "YARN_CACHE_FOLDER")
    elif query.var("XDG_CACHE_HOME"):
        path = query.under_xdg("XDG_CACHE_HOME", ".cache", "yarn")
    elif query.cmd.user_changed or not isinstance(query.user_is_root, Known):
        raise Refused("whether root runs yarn is not known")
    else:
        path = "/usr/local/share/.cache/yarn" if query.user_is_root.value else f"{query.home()}/.cache/yarn"
    # The image does not determine which yarn the project requires; only yarn 1 has these options.
    first = query.cmd.has(
        "--frozen-lockfile", "--pure-lockfile", "--non-interactive", "--ignore-engines", "--network-timeout"
    )
    why = None if first else "yarn 1 and Berry keep their caches in different places"
    return CacheUse((CacheDir(f"{path}/v6", "locked", whole=path),), unknown=why)


def pnpm_cache(query: CacheQuery) -> CacheUse:
    """Seen with pnpm 10, 11 and 12: --store-dir, $PNPM_HOME/store, $XDG_DATA_HOME/pnpm/store, and without these
    ~/.local/share/pnpm/store. Each contains a folder named after the store's version. After the option come
    npm_config_store_dir in any case, which only pnpm up to 10 reads, and pnpm_config_store_dir, which only later ones
    read. Since 11, packages that are installed globally or by dlx are linked into `links` of the store: a mount there
    removes them from the image."""
    linked = query.cmd.has("--global") or query.cmd.action is Action.RUN
    why = (
        "pnpm 11 and later link what they install globally to the store, which is then not a cache" if linked else None
    )
    given = query.cmd.option("--store-dir")
    if given is not None:
        return CacheUse((CacheDir(absolute(given.literal, "--store-dir")),), unknown=why)
    if folder := query.var("PNPM_HOME"):
        path = f"{absolute(folder, 'PNPM_HOME')}/store"
    else:
        path = query.under_xdg("XDG_DATA_HOME", ".local/share", "pnpm/store")
    old = query.var("npm_config_store_dir", "NPM_CONFIG_STORE_DIR")
    new = query.var("pnpm_config_store_dir", "PNPM_CONFIG_STORE_DIR")
    places = [
        absolute(value, name) if value else path
        for name, value in (("npm_config_store_dir", old), ("pnpm_config_store_dir", new))
    ]
    if places[0] != places[1]:
        why = "pnpm up to 10 reads npm_config_store_dir, and later ones pnpm_config_store_dir"
    return CacheUse((CacheDir(places[0]),), unknown=why)
