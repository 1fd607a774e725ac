"""Caches of Go, Cargo, Composer, Bundler, RubyGems, Maven, Gradle and .NET."""

from __future__ import annotations

import posixpath

from dockfix.facts.caches.model import CacheDir, CacheDisabler, CacheQuery, CacheUse, absolute
from dockfix.facts.model import Refused
from dockfix.facts.packages import Action


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
