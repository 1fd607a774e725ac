"""The accounts of base images, and the numbers that account commands choose from, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class BaseUser(NamedTuple):
    """A row of an image's /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str


class FamilyAccounts(NamedTuple):
    """The accounts in the base images of a distribution: the users that builds name, and all uids and gids in use."""

    users: tuple[BaseUser, ...]
    ids: frozenset[int]
    source: str


_ROOT: Final = BaseUser("root", 0, 0, "/root")

DEBIAN: Final = FamilyAccounts(
    users=(
        _ROOT,
        BaseUser("daemon", 1, 1, "/usr/sbin"),
        BaseUser("bin", 2, 2, "/bin"),
        BaseUser("sys", 3, 3, "/dev"),
        BaseUser("mail", 8, 8, "/var/mail"),
        BaseUser("www-data", 33, 33, "/var/www"),
        BaseUser("backup", 34, 34, "/var/backups"),
        BaseUser("nobody", 65534, 65534, "/nonexistent"),
    ),
    ids=frozenset({*range(11), 13, 33, 34, 38, 39, 41, 42, 65534})
    | frozenset({12, 15, 20, 21, 22, 24, 25, 26, 27, 29, 30, 37, 40, 43, 44, 45, 46, 50, 60, 100}),
    source="base-passwd's passwd.master and group.master, with _apt (42, or 100 before trixie)",
)
ALPINE: Final = FamilyAccounts(
    users=(
        _ROOT,
        BaseUser("bin", 1, 1, "/bin"),
        BaseUser("daemon", 2, 2, "/sbin"),
        BaseUser("guest", 405, 100, "/dev/null"),
        BaseUser("nobody", 65534, 65534, "/"),
    ),
    ids=frozenset(
        {*range(15), 16, 18, 19, 20, 21, 22, 23, 25, 27, 28, 31, 34, 35, 36, 42, 82, 85, 100, 123}
        | {300, 405, 406, 999, 65534}
    ),
    source="alpine-baselayout's passwd and group",
)
RHEL: Final = FamilyAccounts(
    users=(_ROOT, BaseUser("bin", 1, 1, "/bin"), BaseUser("nobody", 65534, 65534, "/")),
    ids=frozenset({*range(13), 14, 15, 18, 19, 20, 22, 33, 35, 36, 39, 50, 54, 63, 65, 100, 65534}),
    source="setup's passwd and uidgid of Fedora and RHEL",
)
FAMILIES: Final[Mapping[str, FamilyAccounts]] = MappingProxyType(
    {"debian": DEBIAN, "ubuntu": DEBIAN, "alpine": ALPINE, "rhel": RHEL, "fedora": RHEL}
)

BUSYBOX_FAMILIES: Final = frozenset({"alpine", "busybox", "wolfi"})
"""Families with busybox's account commands (the packages of Alpine and Wolfi)."""

RHEL_FAMILIES: Final = frozenset({"rhel", "fedora"})
"""Families in which `adduser` is another name of shadow's `useradd` (the spec file of shadow-utils)."""

IMAGE_USERS: Final[Mapping[str, tuple[BaseUser, ...]]] = MappingProxyType(
    # nodejs/docker-node: groupadd --gid 1000 node && useradd --uid 1000 --gid node; the same with busybox on Alpine.
    {"library/node": (BaseUser("node", 1000, 1000, "/home/node"),)}
)
"""Users that an image has in addition to those of its distribution, by its repository."""

# The Dockerfiles that docker-library/official-images names for them.
WITH_OWN_ACCOUNTS: Final = frozenset(
    """
    caddy composer docker drupal gradle haproxy httpd mariadb mongo mysql neo4j nginx postgres r-base rabbitmq redis
    traefik wordpress
    """.split()  # noqa: SIM905 - a list of quoted words would be no clearer
)
"""Official images that create accounts for what they run; not all of those accounts are in `IMAGE_USERS`."""

DISTRIBUTION_IMAGES: Final = ("almalinux/", "nvidia/cuda", "redhat/", "rockylinux/")
"""Prefixes of Docker Hub repositories that are a distribution without accounts of their own."""

# base-passwd's group.master (Debian, Ubuntu), setup's group (Fedora, RHEL), alpine-baselayout's group.
BASE_GROUPS: Final = frozenset(
    """
    root daemon bin sys adm tty disk lp mail news uucp man proxy kmem dialout fax voice cdrom floppy tape sudo audio dip
    www-data backup operator list irc src gnats shadow utmp video sasl plugdev staff games users nogroup
    systemd-journal systemd-network crontab messagebus input kvm render netdev ssh ssl-cert _ssh
    wheel mem dbus nobody lock utempter ftp ntp squid xfs cron readproc vpopmail locate cyrus postmaster at guest abuild
    sshd shutdown www docker
    """.split()  # noqa: SIM905 - a list of sixty quoted words would be no clearer
)
"""Groups that a base image of a common distribution may have."""

USER_GIDS: Final = range(1000, 60_001)
"""GID_MIN to GID_MAX of /etc/login.defs: for another uid useradd gives the user's own group the next free number."""

SYSTEM_GIDS: Final = range(201, 1000)
"""SYS_GID_MIN to SYS_GID_MAX: the same for `useradd -r`. Debian's begin at 101, those of Fedora and RHEL at 201."""
