"""Caches of apt, apk, dnf, yum and zypper."""

from __future__ import annotations

from dockfix.facts.caches.model import (
    CacheDir,
    CacheDisabler,
    CacheQuery,
    CacheUse,
    absolute,
    word_text,
)
from dockfix.facts.model import Refused
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
    if word_text(query.cmd.executable).rpartition("/")[2] == "apt" and not keeps:
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
    program = word_text(query.cmd.executable).rpartition("/")[2]
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
