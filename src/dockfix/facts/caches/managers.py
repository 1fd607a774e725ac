"""Where each package manager keeps its cache, and what disables it: one function each, with its source.

Operating systems first, then Python, JavaScript, and the other languages.
"""

from __future__ import annotations

import posixpath
from typing import Final

from dockfix.facts.caches.model import CacheDir, CacheDisabler, CacheQuery, CacheUse, absolute
from dockfix.facts.model import Known, Refused
from dockfix.facts.packages import Action


def apt_cache(query: CacheQuery) -> CacheUse:
    """docs.docker.com/reference/dockerfile#example-cache-apt-packages: archives and lists, locked. docker-clean of the
    Debian and Ubuntu images deletes archives; apt (not apt-get) does so by default (apt(8), Keep-Downloaded-Packages).
    """
    if any((option.literal or "").startswith("Dir::") for option in query.cmd.options if option.name == "--option"):
        raise Refused("an option moves apt's directories")
    if query.cmd.action is Action.UPDATE:
        return CacheUse((CacheDir("/var/lib/apt", "locked"),))
    disablers = []
    if query.base is None or query.base.docker_clean:
        disablers.append(CacheDisabler("file", "/etc/apt/apt.conf.d/docker-clean"))
    keeps = any("keep-downloaded-packages=" in (option.literal or "").lower() for option in query.cmd.options)
    if query.cmd.executable.text.rpartition("/")[2] == "apt" and not keeps:
        disablers.append(CacheDisabler("setting", "Binary::apt::APT::Keep-Downloaded-Packages"))
    dirs = (CacheDir("/var/cache/apt", "locked"), CacheDir("/var/lib/apt", "locked"))
    why = "whether the image has docker-clean is not known" if query.base is None else None
    return CacheUse(dirs, tuple(disablers), why)


def apk_cache(query: CacheQuery) -> CacheUse:
    """apk(8): packages are kept only in the target of /etc/apk/cache; with --no-cache not even the index is kept."""
    off = query.cmd.option("--no-cache")
    given = query.cmd.option("--cache-dir")
    if given is not None:
        dirs: tuple[CacheDir, ...] = (CacheDir(absolute(given.literal, "--cache-dir"), "locked"),)
        return CacheUse(dirs, (CacheDisabler("option", "--no-cache", off),) if off is not None else ())
    disablers = [CacheDisabler("file", "/etc/apk/cache")]
    if off is not None:
        disablers.append(CacheDisabler("option", "--no-cache", off))
    return CacheUse((CacheDir("/var/cache/apk", "locked"),), tuple(disablers))


def dnf_cache(query: CacheQuery) -> CacheUse:
    """dnf.conf(5): cachedir, keepcache False by default. DNF 5 (Fedora 41 and later) uses /var/cache/libdnf5; yum of
    CentOS 7 and Amazon Linux 2 /var/cache/yum; microdnf and zypper are not known well enough."""
    settings = [(option.literal or "").lower() for option in query.cmd.options if option.name == "--setopt"]
    if any(setting.startswith("cachedir=") for setting in settings):
        raise Refused("an option moves the cache")
    keeps = any(setting in ("keepcache=1", "keepcache=true", "keepcache=yes") for setting in settings)
    disablers = () if keeps else (CacheDisabler("setting", "keepcache"),)
    program = query.cmd.executable.text.rpartition("/")[2]
    if program == "dnf5":
        return CacheUse((CacheDir("/var/cache/libdnf5", "locked"),), disablers)
    if query.base is None or query.cmd.manager == "microdnf":
        return CacheUse((), disablers, "which dnf the image contains is not known")
    if query.cmd.manager == "yum" and query.base.package_manager == "yum":
        return CacheUse((CacheDir("/var/cache/yum", "locked"),), disablers)
    if query.base.source.startswith("fedora"):
        dirs = (CacheDir("/var/cache/libdnf5", "locked"), CacheDir("/var/cache/dnf", "locked"))
        return CacheUse(dirs, disablers, "Fedora 41 and later have DNF 5, which keeps its cache elsewhere")
    return CacheUse((CacheDir("/var/cache/dnf", "locked"),), disablers)


def zypper_cache(query: CacheQuery) -> CacheUse:
    """zypper(8): /var/cache/zypp; packages are kept only by repositories with keeppackages."""
    if query.cmd.has("--cache-dir", "--pkg-cache-dir", "--root"):
        raise Refused("an option moves the cache")
    return CacheUse((CacheDir("/var/cache/zypp", "locked"),), (CacheDisabler("setting", "keeppackages"),))


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


def go_cache(query: CacheQuery) -> CacheUse:
    """GOMODCACHE, or $GOPATH/pkg/mod with GOPATH ~/go by default; GOCACHE, or go-build in XDG_CACHE_HOME or ~/.cache
    (`go help environment`; the golang image sets GOPATH=/go). -mod=vendor reads no modules from the cache."""
    mod = query.var("GOMODCACHE")
    also_written = None
    if not mod:
        gopath = query.var("GOPATH").partition(":")[0] or f"{query.home()}/go"
        mod = f"{absolute(gopath, 'GOPATH')}/pkg/mod"
        also_written = (posixpath.dirname(mod), "its state of the checksum database (sumdb)")
    build = query.var("GOCACHE")
    build = absolute(build, "GOCACHE") if build else query.under_xdg("XDG_CACHE_HOME", ".cache", "go-build")
    vendored = query.cmd.option("--mod")
    if (vendored is not None and vendored.literal == "vendor") or "-mod=vendor" in query.var("GOFLAGS"):
        return CacheUse((CacheDir(build),))
    modules = CacheDir(absolute(mod, "GOMODCACHE"), also_written=also_written)
    return CacheUse((modules,) if query.cmd.action is Action.SYNC else (modules, CacheDir(build)))


def cargo_cache(query: CacheQuery) -> CacheUse:
    """doc.rust-lang.org/cargo/guide/cargo-home: registry and git/db of CARGO_HOME are caches, its bin is a result."""
    folder = query.var("CARGO_HOME")
    root = absolute(folder, "CARGO_HOME") if folder else f"{query.home()}/.cargo"
    also_written = (root, "its lock (.package-cache)")
    git = CacheDir(f"{root}/git/db", whole=f"{root}/git", also_written=also_written)
    return CacheUse((CacheDir(f"{root}/registry", also_written=also_written), git))


def composer_cache(query: CacheQuery) -> CacheUse:
    """Composer's Factory::getCacheDir: COMPOSER_CACHE_DIR, $COMPOSER_HOME/cache; then ~/.composer/cache if that is a
    directory, which a mount creates, unless ~/.config/composer exists too."""
    off = query.cmd.option("--no-cache")
    disablers = [CacheDisabler("option", "--no-cache", off)] if off is not None else []
    if folder := query.var("COMPOSER_CACHE_DIR"):
        if folder == "/dev/null":
            disablers.append(CacheDisabler("env", "COMPOSER_CACHE_DIR"))
            return CacheUse((), tuple(disablers))
        return CacheUse((CacheDir(absolute(folder, "COMPOSER_CACHE_DIR")),), tuple(disablers))
    if folder := query.var("COMPOSER_HOME"):
        return CacheUse((CacheDir(f"{absolute(folder, 'COMPOSER_HOME')}/cache"),), tuple(disablers))
    return CacheUse((CacheDir(f"{query.home()}/.composer/cache"),), tuple(disablers))


def bundler_cache(query: CacheQuery) -> CacheUse:
    """bundle-config(1): BUNDLE_USER_CACHE, or cache in BUNDLE_USER_HOME or ~/.bundle. Gems are results."""
    if folder := query.var("BUNDLE_USER_CACHE"):
        return CacheUse((CacheDir(absolute(folder, "BUNDLE_USER_CACHE")),))
    folder = query.var("BUNDLE_USER_HOME")
    return CacheUse(
        (CacheDir(f"{absolute(folder, 'BUNDLE_USER_HOME') if folder else query.home() + '/.bundle'}/cache"),)
    )


def maven_cache(query: CacheQuery) -> CacheUse:
    """maven.apache.org/guides/mini/guide-configuring-maven.html: -Dmaven.repo.local, or .m2/repository in Java's
    user.home, which is the home in the password file."""
    for option in reversed(query.cmd.options):
        if option.name == "--define" and (option.literal or "maven.repo.local").startswith("maven.repo.local"):
            return CacheUse(
                (CacheDir(absolute((option.literal or "").partition("=")[2] or None, "maven.repo.local"), "locked"),)
            )
    for name in ("MAVEN_OPTS", "MAVEN_ARGS", "JAVA_TOOL_OPTIONS"):
        if any(key in query.var(name) for key in ("maven.repo.local", "user.home", "--settings", "-s ")):
            raise Refused(f"{name} moves the repository")
    if query.cmd.has("--settings"):
        raise Refused("a settings file may move the repository")
    return CacheUse((CacheDir(f"{query.password_home()}/.m2/repository", "locked"),))


def gradle_cache(query: CacheQuery) -> CacheUse:
    """docs.gradle.org/current/userguide/directory_layout.html: caches of --gradle-user-home, GRADLE_USER_HOME or
    .gradle in Java's user.home."""
    given = query.cmd.option("--gradle-user-home")
    folder = given.literal if given is not None else query.var("GRADLE_USER_HOME")
    root = (
        absolute(folder, "the Gradle user home") if given is not None or folder else f"{query.password_home()}/.gradle"
    )
    also_written = (root, "the files of its daemon and wrapper")
    return CacheUse((CacheDir(f"{root}/caches", "locked", also_written=also_written),))


def dotnet_cache(query: CacheQuery) -> CacheUse:
    """learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders: --packages,
    NUGET_PACKAGES, or ~/.nuget/packages."""
    given = query.cmd.option("--packages")
    if given is not None:
        return CacheUse((CacheDir(absolute(given.literal, "--packages")),))
    if folder := query.var("NUGET_PACKAGES"):
        return CacheUse((CacheDir(absolute(folder, "NUGET_PACKAGES")),))
    home = query.var("DOTNET_CLI_HOME")
    root = absolute(home, "DOTNET_CLI_HOME") if home else query.home()
    also_written = (f"{root}/.nuget", "its configuration (NuGet.Config)")
    return CacheUse((CacheDir(f"{root}/.nuget/packages", also_written=also_written),))


def gem_cache(_: CacheQuery) -> CacheUse:
    """Gems and their cache are in GEM_HOME, which is a result."""
    return CacheUse()
