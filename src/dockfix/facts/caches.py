"""Where a package manager's command keeps its cache, and what switches that cache off.

The answer depends on the command's options, on the environment, on the user and on the base image; where one of these
is
not known, neither is the answer, and `CacheUse.unknown` says why. Configuration files (pip.conf, uv.toml, .npmrc) are
not
read here. The rules marked "seen" were tried with pip 23.2, uv 0.13, Poetry 2.5, PDM 2.29, npm 11, yarn 1.22 and 4,
and pnpm 10 to 12; tests/facts/test_caches.py holds what they answered.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dockfix.facts.images import BaseImage
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.packages import Action, Option, PackageCommand
from dockfix.facts.paths import normal_path

Environment: TypeAlias = Callable[[str], Fact[str] | None]


@dataclass(frozen=True, slots=True)
class CacheDir:
    """A directory that a cache mount may serve; `sharing` is the mount's (locked: the tool cannot share it).

    `whole` is a folder above it that is the tool's alone and holds nothing but caches, "" if there is none to name.
    `beside` is a folder above it, and what the tool must write there, too.
    """

    path: str
    sharing: str = "shared"
    note: str = ""
    whole: str = ""
    beside: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CacheDisabler:
    """Something that leaves the cache empty: an option, an ENV variable, a file of the image or a setting of the
    tool."""

    kind: Literal["option", "env", "file", "setting"]
    name: str
    option: Option | None = None


@dataclass(frozen=True, slots=True)
class CacheUse:
    """The cache of one command: its directories, what defeats it, and why it cannot be known, if so.

    With `unknown` set, `dirs` is at most the likely place. No directories and nothing unknown: the command keeps no
    cache.
    """

    dirs: tuple[CacheDir, ...] = ()
    disabled_by: tuple[CacheDisabler, ...] = ()
    unknown: str | None = None


class _NotKnownError(Exception):
    """Carries, inside this module, why a cache cannot be known."""


@dataclass(frozen=True, slots=True)
class _Where:
    """What a rule may ask: the command, its environment, its home and its image."""

    cmd: PackageCommand
    env: Environment
    home_fact: Fact[str]
    base: BaseImage | None
    user_is_root: Fact[bool]

    def var(self, *names: str) -> str:
        """The first of these variables that is set and not empty, "" if none is."""
        own = self.cmd.assignments()
        for name in names:
            if name in own:
                value = own[name]
                if value is None:
                    raise _NotKnownError(f"the command sets {name} to something unknown")
                if value:
                    return value
                continue
            fact = self.env(name)
            if fact is None:
                continue
            if self.cmd.user_changed and any(_text(word).endswith("sudo") for word in self.cmd.wrappers):
                # sudo(8): the environment is reset, unless -E or sudoers says otherwise.
                raise _NotKnownError(f"sudo may or may not pass {name} on")
            if not isinstance(fact, Known):
                raise _NotKnownError(f"{name} is not known")
            if fact.value:
                return fact.value
        return ""

    def home(self) -> str:
        if self.cmd.user_changed:
            raise _NotKnownError("another user runs the command, whose home is not known")
        if not isinstance(self.home_fact, Known):
            why = self.home_fact.why if isinstance(self.home_fact, Unknown) else "it is one of several"
            raise _NotKnownError(f"the home directory is not known: {why}")
        return self.home_fact.value.rstrip("/")

    def password_home(self) -> str:
        """The home of the password file, which Java's user.home is, whatever HOME says."""
        if isinstance(self.user_is_root, Known) and self.user_is_root.value and not self.cmd.user_changed:
            return self.base.home if self.base and self.base.home and self.base.user == Known("root") else "/root"
        return self.home()

    def under_xdg(self, variable: str, otherwise: str, name: str, *, relative: bool = False) -> str:
        """`$VARIABLE/name`, or under the home; `relative`: a relative value is ignored rather than followed."""
        base = self.var(variable)
        if base and not base.startswith("/"):
            if not relative:
                raise _NotKnownError(f"{variable} is a relative path")
            base = ""
        return f"{base.rstrip('/')}/{name}" if base else f"{self.home()}/{otherwise}/{name}"


def _text(word: object) -> str:
    return str(getattr(word, "text", ""))


def _path(text: str | None, name: str) -> str:
    if text is None:
        raise _NotKnownError(f"the value of {name} is not literal")
    if not text.startswith("/"):
        raise _NotKnownError(f"{name} is a relative path")
    return normal_path(text)


def cache_use(
    cmd: PackageCommand,
    env: Environment,
    home: Fact[str],
    *,
    base: BaseImage | None,
    user_is_root: Fact[bool],
) -> CacheUse:
    """Where this command keeps its cache, and what defeats that.

    `env` answers for a variable of the command's environment: None if it is not set for sure, Unknown if it might be.
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
        use = rule(_Where(cmd, env, home, base, user_is_root))
    except _NotKnownError as error:
        return CacheUse(unknown=str(error))
    if not all(fits_flag(each.path) for each in use.dirs):
        return CacheUse(unknown="the path of its cache needs quotes in a flag")
    return use


def fits_flag(path: str) -> bool:
    """Whether a path is itself, unquoted, in a flag of RUN and in a shell command.

    BuildKit splits a flag at white space, takes its bytes for characters (`extractBuilderFlags`, parser/line_parsers.go
    and instructions/bflag.go), and reads a mount as CSV whose values expand variables.
    """
    return _FITS.fullmatch(path) is not None


_FITS: Final = re.compile(r"[A-Za-z0-9_./@%+:=~-]+")


_CACHING: Final = frozenset(
    (Action.INSTALL, Action.SYNC, Action.BUILD, Action.UPGRADE, Action.UPDATE, Action.RUN, Action.OTHER)
)


def _pip(at: _Where) -> CacheUse:
    """Seen: any non-empty PIP_NO_CACHE_DIR switches the cache off, a command-line --cache-dir switches it on again, and
    of --cache-dir and --no-cache-dir the last counts. --isolated ignores every PIP_ variable."""
    if at.cmd.action is Action.RUN:
        raise _NotKnownError("pipx may run pip or uv")
    last = at.cmd.option("--cache-dir", "--no-cache-dir")
    off = at.cmd.option("--no-cache-dir")
    isolated = at.cmd.has("--isolated")
    if last is not None and last.name == "--cache-dir":
        return CacheUse((CacheDir(_path(last.literal, "--cache-dir")),))
    directory = "" if isolated else at.var("PIP_CACHE_DIR")
    given = at.cmd.option("--cache-dir")
    if given is not None:
        path = _path(given.literal, "--cache-dir")
    else:
        path = _path(directory, "PIP_CACHE_DIR") if directory else at.under_xdg("XDG_CACHE_HOME", ".cache", "pip")
    disablers = [CacheDisabler("option", "--no-cache-dir", off)] if off is not None else []
    if not isolated and at.var("PIP_NO_CACHE_DIR"):
        disablers.append(CacheDisabler("env", "PIP_NO_CACHE_DIR"))
    return CacheUse((CacheDir(path),), tuple(disablers))


_TRUE: Final = frozenset(["1", "true", "t", "yes", "y", "on"])
_FALSE: Final = frozenset(["0", "false", "f", "no", "n", "off"])


def _uv(at: _Where) -> CacheUse:
    """Seen: --no-cache and a true UV_NO_CACHE beat every cache directory; a relative XDG_CACHE_HOME is ignored."""
    disablers = []
    off = at.cmd.option("--no-cache")
    if off is not None:
        disablers.append(CacheDisabler("option", "--no-cache", off))
    switch = at.var("UV_NO_CACHE").lower()
    if switch in _TRUE:
        disablers.append(CacheDisabler("env", "UV_NO_CACHE"))
    elif switch and switch not in _FALSE:
        raise _NotKnownError("uv refuses this value of UV_NO_CACHE")
    given = at.cmd.option("--cache-dir")
    if given is not None:
        path = _path(given.literal, "--cache-dir")
    elif directory := at.var("UV_CACHE_DIR"):
        path = _path(directory, "UV_CACHE_DIR")
    else:
        path = at.under_xdg("XDG_CACHE_HOME", ".cache", "uv", relative=True)
    return CacheUse((CacheDir(path, note="UV_LINK_MODE=copy silences the warning about links"),), tuple(disablers))


def _poetry(at: _Where) -> CacheUse:
    """Seen: POETRY_CACHE_DIR, XDG_CACHE_HOME. Environments are made below the cache directory unless a setting says
    otherwise, so that only its `cache` and `artifacts` may be mounted (python-poetry.org/docs/configuration)."""
    directory = at.var("POETRY_CACHE_DIR")
    path = _path(directory, "POETRY_CACHE_DIR") if directory else at.under_xdg("XDG_CACHE_HOME", ".cache", "pypoetry")
    elsewhere = (
        at.var("POETRY_VIRTUALENVS_CREATE").lower() in ("false", "0")
        or at.var("POETRY_VIRTUALENVS_IN_PROJECT").lower() in ("true", "1")
        or bool(at.var("VIRTUAL_ENV", "POETRY_VIRTUALENVS_PATH"))
    )
    off = at.cmd.option("--no-cache")
    beside = (path, "virtual environments")
    parts = (CacheDir(f"{path}/cache", beside=beside), CacheDir(f"{path}/artifacts", beside=beside))
    dirs = (CacheDir(path),) if elsewhere else parts
    return CacheUse(dirs, (CacheDisabler("option", "--no-cache", off),) if off is not None else ())


def _pdm(at: _Where) -> CacheUse:
    """Seen: PDM_CACHE_DIR, XDG_CACHE_HOME."""
    directory = at.var("PDM_CACHE_DIR")
    path = _path(directory, "PDM_CACHE_DIR") if directory else at.under_xdg("XDG_CACHE_HOME", ".cache", "pdm")
    return CacheUse((CacheDir(path),))


def _pipenv(at: _Where) -> CacheUse:
    """Pipenv runs pip, whose cache it keeps in its own: PIPENV_CACHE_DIR (pipenv.pypa.io/en/latest/configuration)."""
    directory = at.var("PIPENV_CACHE_DIR")
    path = _path(directory, "PIPENV_CACHE_DIR") if directory else at.under_xdg("XDG_CACHE_HOME", ".cache", "pipenv")
    return CacheUse(
        (CacheDir(path),), (CacheDisabler("env", "PIP_NO_CACHE_DIR"),) if at.var("PIP_NO_CACHE_DIR") else ()
    )


def _npm(at: _Where) -> CacheUse:
    """Seen: --cache, then npm_config_cache in any case; neither XDG_CACHE_HOME nor an empty value counts."""
    given = at.cmd.option("--cache")
    if given is not None:
        return CacheUse((CacheDir(_path(given.literal, "--cache")),))
    directory = at.var("npm_config_cache", "NPM_CONFIG_CACHE")
    return CacheUse((CacheDir(_path(directory, "npm_config_cache") if directory else f"{at.home()}/.npm"),))


def _yarn(at: _Where) -> CacheUse:
    """Seen: yarn 1 puts v6 below YARN_CACHE_FOLDER or --cache-folder; else below XDG_CACHE_HOME/yarn, for root below
    /usr/local/share/.cache/yarn whatever HOME is, for others below ~/.cache/yarn. Berry: ~/.yarn/berry/cache, moved by
    YARN_GLOBAL_FOLDER, not by YARN_CACHE_FOLDER; with PnP the program runs from it, so that it is a result."""
    berry = at.cmd.has("--immutable", "--immutable-cache", "--inline-builds") or at.cmd.verb in (
        ("workspaces", "focus"),
        ("dlx",),
    )
    if berry:
        folder = at.var("YARN_GLOBAL_FOLDER")
        path = f"{_path(folder, 'YARN_GLOBAL_FOLDER')}/cache" if folder else f"{at.home()}/.yarn/berry/cache"
        return CacheUse(
            (CacheDir(path, "locked"),), unknown="with Yarn's Plug'n'Play the program runs from this directory"
        )
    given = at.cmd.option("--cache-folder")
    if given is not None:
        path = _path(given.literal, "--cache-folder")
        return CacheUse((CacheDir(f"{path}/v6", "locked", whole=path),))
    if folder := at.var("YARN_CACHE_FOLDER", "yarn_cache_folder", "npm_config_cache_folder"):
        path = _path(folder, "YARN_CACHE_FOLDER")
    elif at.var("XDG_CACHE_HOME"):
        path = at.under_xdg("XDG_CACHE_HOME", ".cache", "yarn")
    elif at.cmd.user_changed or not isinstance(at.user_is_root, Known):
        raise _NotKnownError("whether root runs yarn is not known")
    else:
        path = "/usr/local/share/.cache/yarn" if at.user_is_root.value else f"{at.home()}/.cache/yarn"
    # The files of the image do not say which yarn the project asks for; only yarn 1 has these options.
    first = at.cmd.has(
        "--frozen-lockfile", "--pure-lockfile", "--non-interactive", "--ignore-engines", "--network-timeout"
    )
    why = None if first else "yarn 1 and Berry keep their caches in different places"
    return CacheUse((CacheDir(f"{path}/v6", "locked", whole=path),), unknown=why)


def _pnpm(at: _Where) -> CacheUse:
    """Seen with pnpm 10, 11 and 12: --store-dir, $PNPM_HOME/store, $XDG_DATA_HOME/pnpm/store, and without these
    ~/.local/share/pnpm/store. Each holds a folder of the store's version. Behind the option comes npm_config_store_dir
    in any case, which only pnpm up to 10 reads, and pnpm_config_store_dir, which only later ones read. Since 11, what
    is installed globally or by dlx is linked into `links` of the store: a mount there takes it out of the image."""
    linked = at.cmd.has("--global") or at.cmd.action is Action.RUN
    why = "pnpm 11 and later link what they install globally to the store, which is then no cache" if linked else None
    given = at.cmd.option("--store-dir")
    if given is not None:
        return CacheUse((CacheDir(_path(given.literal, "--store-dir")),), unknown=why)
    if folder := at.var("PNPM_HOME"):
        path = f"{_path(folder, 'PNPM_HOME')}/store"
    else:
        path = at.under_xdg("XDG_DATA_HOME", ".local/share", "pnpm/store")
    old = at.var("npm_config_store_dir", "NPM_CONFIG_STORE_DIR")
    new = at.var("pnpm_config_store_dir", "PNPM_CONFIG_STORE_DIR")
    places = [
        _path(value, name) if value else path
        for name, value in (("npm_config_store_dir", old), ("pnpm_config_store_dir", new))
    ]
    if places[0] != places[1]:
        why = "pnpm up to 10 reads npm_config_store_dir, and later ones pnpm_config_store_dir"
    return CacheUse((CacheDir(places[0]),), unknown=why)


def _go(at: _Where) -> CacheUse:
    """GOMODCACHE, else $GOPATH/pkg/mod with GOPATH ~/go, and GOCACHE, else go-build in XDG_CACHE_HOME or ~/.cache
    (`go help environment`; the golang image sets GOPATH=/go). -mod=vendor reads no modules from the cache."""
    mod = at.var("GOMODCACHE")
    beside = None
    if not mod:
        gopath = at.var("GOPATH").partition(":")[0] or f"{at.home()}/go"
        mod = f"{_path(gopath, 'GOPATH')}/pkg/mod"
        beside = (posixpath.dirname(mod), "what it knows of the checksum database (sumdb)")
    build = at.var("GOCACHE")
    build = _path(build, "GOCACHE") if build else at.under_xdg("XDG_CACHE_HOME", ".cache", "go-build")
    vendored = at.cmd.option("--mod")
    if (vendored is not None and vendored.literal == "vendor") or "-mod=vendor" in at.var("GOFLAGS"):
        return CacheUse((CacheDir(build),))
    modules = CacheDir(_path(mod, "GOMODCACHE"), beside=beside)
    return CacheUse((modules,) if at.cmd.action is Action.SYNC else (modules, CacheDir(build)))


def _cargo(at: _Where) -> CacheUse:
    """doc.rust-lang.org/cargo/guide/cargo-home: registry and git/db of CARGO_HOME are caches, its bin is a result."""
    folder = at.var("CARGO_HOME")
    root = _path(folder, "CARGO_HOME") if folder else f"{at.home()}/.cargo"
    beside = (root, "its lock (.package-cache)")
    git = CacheDir(f"{root}/git/db", whole=f"{root}/git", beside=beside)
    return CacheUse((CacheDir(f"{root}/registry", beside=beside), git))


def _apt(at: _Where) -> CacheUse:
    """docs.docker.com/reference/dockerfile#example-cache-apt-packages: archives and lists, locked. docker-clean of the
    Debian and Ubuntu images deletes archives; apt (not apt-get) does so of itself (apt(8),
    Keep-Downloaded-Packages)."""
    if any((option.literal or "").startswith("Dir::") for option in at.cmd.options if option.name == "--option"):
        raise _NotKnownError("an option moves apt's directories")
    if at.cmd.action is Action.UPDATE:
        return CacheUse((CacheDir("/var/lib/apt", "locked"),))
    disablers = []
    if at.base is None or at.base.docker_clean:
        disablers.append(CacheDisabler("file", "/etc/apt/apt.conf.d/docker-clean"))
    keeps = any("keep-downloaded-packages=" in (option.literal or "").lower() for option in at.cmd.options)
    if _text(at.cmd.executable).rpartition("/")[2] == "apt" and not keeps:
        disablers.append(CacheDisabler("setting", "Binary::apt::APT::Keep-Downloaded-Packages"))
    dirs = (CacheDir("/var/cache/apt", "locked"), CacheDir("/var/lib/apt", "locked"))
    why = "whether the image has docker-clean is not known" if at.base is None else None
    return CacheUse(dirs, tuple(disablers), why)


def _apk(at: _Where) -> CacheUse:
    """apk(8): packages are kept only where /etc/apk/cache leads; --no-cache keeps not even the index."""
    off = at.cmd.option("--no-cache")
    given = at.cmd.option("--cache-dir")
    if given is not None:
        dirs: tuple[CacheDir, ...] = (CacheDir(_path(given.literal, "--cache-dir"), "locked"),)
        return CacheUse(dirs, (CacheDisabler("option", "--no-cache", off),) if off is not None else ())
    disablers = [CacheDisabler("file", "/etc/apk/cache")]
    if off is not None:
        disablers.append(CacheDisabler("option", "--no-cache", off))
    return CacheUse((CacheDir("/var/cache/apk", "locked", "needs /etc/apk/cache as a link to it"),), tuple(disablers))


def _dnf(at: _Where) -> CacheUse:
    """dnf.conf(5): cachedir, keepcache False by default. DNF 5 (Fedora 41 and later) uses /var/cache/libdnf5; yum of
    CentOS 7 and Amazon Linux 2 /var/cache/yum; microdnf and zypper are not known well enough."""
    settings = [(option.literal or "").lower() for option in at.cmd.options if option.name == "--setopt"]
    if any(setting.startswith("cachedir=") for setting in settings):
        raise _NotKnownError("an option moves the cache")
    keeps = any(setting in ("keepcache=1", "keepcache=true", "keepcache=yes") for setting in settings)
    disablers = () if keeps else (CacheDisabler("setting", "keepcache"),)
    program = _text(at.cmd.executable).rpartition("/")[2]
    if program == "dnf5":
        return CacheUse((CacheDir("/var/cache/libdnf5", "locked"),), disablers)
    if at.base is None or at.cmd.manager == "microdnf":
        return CacheUse((), disablers, "which dnf the image holds is not known")
    if at.cmd.manager == "yum" and at.base.package_manager == "yum":
        return CacheUse((CacheDir("/var/cache/yum", "locked"),), disablers)
    if at.base.source.startswith("fedora"):
        dirs = (CacheDir("/var/cache/libdnf5", "locked"), CacheDir("/var/cache/dnf", "locked"))
        return CacheUse(dirs, disablers, "Fedora 41 and later have DNF 5, which keeps its cache elsewhere")
    return CacheUse((CacheDir("/var/cache/dnf", "locked"),), disablers)


def _zypper(at: _Where) -> CacheUse:
    """zypper(8): /var/cache/zypp; packages are kept only by repositories with keeppackages."""
    if at.cmd.has("--cache-dir", "--pkg-cache-dir", "--root"):
        raise _NotKnownError("an option moves the cache")
    return CacheUse((CacheDir("/var/cache/zypp", "locked"),), (CacheDisabler("setting", "keeppackages"),))


def _composer(at: _Where) -> CacheUse:
    """Composer's Factory::getCacheDir: COMPOSER_CACHE_DIR, $COMPOSER_HOME/cache; then ~/.composer/cache where that is a
    directory, as a mount makes it, unless ~/.config/composer exists too."""
    off = at.cmd.option("--no-cache")
    disablers = [CacheDisabler("option", "--no-cache", off)] if off is not None else []
    if folder := at.var("COMPOSER_CACHE_DIR"):
        if folder == "/dev/null":
            disablers.append(CacheDisabler("env", "COMPOSER_CACHE_DIR"))
            return CacheUse((), tuple(disablers))
        return CacheUse((CacheDir(_path(folder, "COMPOSER_CACHE_DIR")),), tuple(disablers))
    if folder := at.var("COMPOSER_HOME"):
        return CacheUse((CacheDir(f"{_path(folder, 'COMPOSER_HOME')}/cache"),), tuple(disablers))
    return CacheUse((CacheDir(f"{at.home()}/.composer/cache"),), tuple(disablers))


def _bundler(at: _Where) -> CacheUse:
    """bundle-config(1): BUNDLE_USER_CACHE, else cache in BUNDLE_USER_HOME or ~/.bundle. Gems are results."""
    if folder := at.var("BUNDLE_USER_CACHE"):
        return CacheUse((CacheDir(_path(folder, "BUNDLE_USER_CACHE")),))
    folder = at.var("BUNDLE_USER_HOME")
    return CacheUse((CacheDir(f"{_path(folder, 'BUNDLE_USER_HOME') if folder else at.home() + '/.bundle'}/cache"),))


def _maven(at: _Where) -> CacheUse:
    """maven.apache.org/guides/mini/guide-configuring-maven.html: -Dmaven.repo.local, else .m2/repository in Java's
    user.home, which is the home of the password file."""
    for option in reversed(at.cmd.options):
        if option.name == "--define" and (option.literal or "maven.repo.local").startswith("maven.repo.local"):
            return CacheUse(
                (CacheDir(_path((option.literal or "").partition("=")[2] or None, "maven.repo.local"), "locked"),)
            )
    for name in ("MAVEN_OPTS", "MAVEN_ARGS", "JAVA_TOOL_OPTIONS"):
        if any(key in at.var(name) for key in ("maven.repo.local", "user.home", "--settings", "-s ")):
            raise _NotKnownError(f"{name} moves the repository")
    if at.cmd.has("--settings"):
        raise _NotKnownError("a settings file may move the repository")
    return CacheUse((CacheDir(f"{at.password_home()}/.m2/repository", "locked", "a later offline build needs it too"),))


def _gradle(at: _Where) -> CacheUse:
    """docs.gradle.org/current/userguide/directory_layout.html: caches of --gradle-user-home, GRADLE_USER_HOME or
    .gradle in Java's user.home."""
    given = at.cmd.option("--gradle-user-home")
    folder = given.literal if given is not None else at.var("GRADLE_USER_HOME")
    root = _path(folder, "the Gradle user home") if given is not None or folder else f"{at.password_home()}/.gradle"
    beside = (root, "the files of its daemon and wrapper")
    return CacheUse((CacheDir(f"{root}/caches", "locked", beside=beside),))


def _dotnet(at: _Where) -> CacheUse:
    """learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders: NUGET_PACKAGES, else
    ~/.nuget/packages. --packages moves it."""
    given = at.cmd.option("--packages")
    if given is not None:
        return CacheUse((CacheDir(_path(given.literal, "--packages")),))
    if folder := at.var("NUGET_PACKAGES"):
        return CacheUse((CacheDir(_path(folder, "NUGET_PACKAGES")),))
    home = at.var("DOTNET_CLI_HOME")
    root = _path(home, "DOTNET_CLI_HOME") if home else at.home()
    beside = (f"{root}/.nuget", "its configuration (NuGet.Config)")
    note = "a later --no-restore needs the same mount"
    return CacheUse((CacheDir(f"{root}/.nuget/packages", note=note, beside=beside),))


def _conda(at: _Where) -> CacheUse:
    """docs.conda.io/projects/conda/en/stable/user-guide/configuration: CONDA_PKGS_DIRS, else pkgs of the prefix."""
    if folder := at.var("CONDA_PKGS_DIRS"):
        return CacheUse((CacheDir(_path(folder.partition(",")[0], "CONDA_PKGS_DIRS"), "locked"),))
    prefix = at.var("MAMBA_ROOT_PREFIX", "CONDA_DIR")
    if not prefix:
        known = at.base is not None and "conda" in at.base.tools
        prefix = "/opt/conda" if known else ""
    if not prefix:
        raise _NotKnownError("the prefix of conda is not known")
    return CacheUse((CacheDir(f"{_path(prefix, 'the prefix of conda')}/pkgs", "locked"),))


def _gem(_: _Where) -> CacheUse:
    """Gems and their cache lie in GEM_HOME, which is a result."""
    return CacheUse()


_RULES: Final[Mapping[str, Callable[[_Where], CacheUse]]] = {
    "pip": _pip,
    "uv": _uv,
    "poetry": _poetry,
    "pdm": _pdm,
    "pipenv": _pipenv,
    "npm": _npm,
    "yarn": _yarn,
    "pnpm": _pnpm,
    "go": _go,
    "cargo": _cargo,
    "apt": _apt,
    "apk": _apk,
    "dnf": _dnf,
    "yum": _dnf,
    "microdnf": _dnf,
    "zypper": _zypper,
    "composer": _composer,
    "bundler": _bundler,
    "gem": _gem,
    "maven": _maven,
    "gradle": _gradle,
    "dotnet": _dotnet,
    "conda": _conda,
    "mamba": _conda,
    "micromamba": _conda,
}

# Directories of the home that one tool uses as its cache (the functions above), `~` being the home.
_HOME_DIRECTORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "~/.cache/pip": ("pip",),
    "~/.cache/uv": ("uv",),
    "~/.cache/pypoetry": ("poetry",),
    "~/.cache/pdm": ("pdm",),
    "~/.cache/pipenv": ("pipenv",),
    "~/.npm": ("npm",),
    "~/.cache/yarn": ("yarn",),
    "~/.yarn/berry/cache": ("yarn",),
    "~/.yarn": ("yarn",),
    "~/.local/share/pnpm/store": ("pnpm",),
    "~/.pnpm-store": ("pnpm",),
    "~/.cache/pnpm": ("pnpm",),
    "~/go/pkg/mod": ("go",),
    "~/.cache/go-build": ("go",),
    "~/.cargo/registry": ("cargo",),
    "~/.cargo/git": ("cargo",),
    "~/.composer": ("composer",),
    "~/.cache/composer": ("composer",),
    "~/.bundle": ("bundler",),
    "~/.m2": ("maven",),
    "~/.gradle": ("gradle",),
    "~/.nuget/packages": ("dotnet",),
    "~/.local/share/NuGet": ("dotnet",),
    "~/.conda/pkgs": ("conda", "mamba", "micromamba"),
}
_FIXED_DIRECTORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "/var/cache/apt": ("apt",),
    "/var/lib/apt": ("apt",),
    "/var/cache/apk": ("apk",),
    "/etc/apk/cache": ("apk",),
    "/var/cache/dnf": ("dnf", "yum", "microdnf"),
    "/var/cache/libdnf5": ("dnf", "yum"),
    "/var/cache/yum": ("yum", "microdnf", "dnf"),
    "/var/cache/zypp": ("zypper",),
    "/usr/local/share/.cache/yarn": ("yarn",),
    "/pnpm/store": ("pnpm",),
    "/go/pkg/mod": ("go",),
    "/usr/local/cargo/registry": ("cargo",),
    "/usr/local/cargo/git": ("cargo",),
    "/opt/conda/pkgs": ("conda", "mamba", "micromamba"),
}


def tool_of_directory(path: str, home: str = "/root") -> tuple[str, ...]:
    """The managers that use a directory, or one above or below it, as their cache by default; () if none is known to.

    `/root/.cache/uv` is uv's, `/root/.cache` that of every tool there. Tells that a mount serves no command of its RUN.
    """
    wanted = normal_path(path)
    found: dict[str, None] = {}
    every = {f"{home.rstrip('/')}{name[1:]}": tools for name, tools in _HOME_DIRECTORIES.items()} | dict(
        _FIXED_DIRECTORIES
    )
    for directory, tools in every.items():
        if serves(wanted, directory) or serves(directory, wanted):
            found |= dict.fromkeys(tools)
    return tuple(found)


def serves(target: str, directory: str) -> bool:
    """Whether a mount at `target` holds `directory`: it is that directory or lies above it."""
    target, directory = normal_path(target), normal_path(directory)
    return directory == target or directory.startswith(target.rstrip("/") + "/")


def result_directories(env: Environment, home: Fact[str]) -> tuple[str, ...]:
    """Directories that must never be a cache mount: what is put there is a result, and would be missing from the image.

    Absolute paths; a name without a slash (`node_modules`, `target`) means a directory of that name anywhere. Variables
    that are not known add nothing. Sources: the catalogue's table C; doc.rust-lang.org/cargo/guide/cargo-home;
    playwright.dev/docs/browsers; huggingface_hub's HF_HOME; docs.docker.com on cache mounts.
    """
    found = [
        *("node_modules", "site-packages", "dist-packages", "target", "vendor", ".venv", "venv", "dist", "build"),
        *(
            "/usr/local/bundle",
            "/usr/local/cargo",
            "/usr/local/rustup",
            "/go",
            "/go/bin",
            "/opt/conda",
            "/ms-playwright",
        ),
        *("/pnpm", "/usr/local/bin", "/usr/local/lib", "/opt/venv"),
    ]
    variables = (
        *(
            "GEM_HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "PNPM_HOME",
            "HF_HOME",
            "TRANSFORMERS_CACHE",
            "TORCH_HOME",
            "GOPATH",
        ),
        *("PLAYWRIGHT_BROWSERS_PATH", "PUPPETEER_CACHE_DIR", "VIRTUAL_ENV", "UV_PYTHON_INSTALL_DIR", "NLTK_DATA"),
        *("UV_PROJECT_ENVIRONMENT", "UV_TOOL_DIR", "PIPX_HOME", "CYPRESS_CACHE_FOLDER"),
    )
    for name in variables:
        fact = env(name)
        if isinstance(fact, Known) and fact.value.startswith("/"):
            found.append(normal_path(fact.value))
    if isinstance(home, Known):
        below = (
            *(".cache/huggingface", ".cache/torch", ".cache/ms-playwright", ".cache/puppeteer", ".cache/Cypress"),
            *(
                ".cargo",
                ".cargo/bin",
                ".rustup",
                ".local",
                ".local/bin",
                ".local/lib",
                ".local/share/uv",
                ".local/share/pnpm",
            ),
            *(
                "go",
                "go/bin",
                ".gem",
                "nltk_data",
                ".cache/pypoetry/virtualenvs",
                ".local/share/virtualenvs",
                ".dotnet",
            ),
        )
        found.extend(f"{home.value.rstrip('/')}/{name}" for name in below)
    return tuple(dict.fromkeys(found))
