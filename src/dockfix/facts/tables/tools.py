"""Programs that health checks call: the package that contains each, and other packages that do.

Sources: `apt-file`, packages.debian.org and packages.ubuntu.com (Contents of Debian 12, Ubuntu 22.04 and 24.04),
pkgs.alpinelinux.org (contents of 3.20), `dnf provides` (Fedora 40, UBI 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PROCPS: Final = {"debian": "procps", "alpine": "procps", "rhel": "procps-ng"}

TOOL_PACKAGES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "curl": {"debian": "curl", "alpine": "curl", "rhel": "curl"},
        "wget": {"debian": "wget", "alpine": "wget", "rhel": "wget"},
        "pgrep": _PROCPS,
        "pkill": _PROCPS,
        "ps": _PROCPS,
        "top": _PROCPS,
        # Debian's `nc` is an alternative of two packages; both take -z. RHEL's is nmap's.
        "nc": {"debian": "netcat-openbsd", "alpine": "netcat-openbsd", "rhel": "nmap-ncat"},
        "jq": {"debian": "jq", "alpine": "jq", "rhel": "jq"},
        "git": {"debian": "git", "alpine": "git", "rhel": "git"},
        "bash": {"debian": "bash", "alpine": "bash", "rhel": "bash"},
    }
)
"""Tool to family to the package that contains it."""

_OPENSTACK: Final = [
    "nova-compute",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "neutron-server",
    "neutron-dhcp-agent",
    "neutron-l3-agent",
    "neutron-metadata-agent",
    "keystone",
    "glance",
    "openstack-dashboard",
]

ALSO_BRING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "curl": frozenset(("nova-compute", "gettext", "devscripts", "alien", "cabal-install")),
        "wget": frozenset((*_OPENSTACK, "ansible", "debootstrap", "lxc", "devscripts")),
        "procps": frozenset(
            (
                *_OPENSTACK,
                *("apache2", "openssh-server", "ssh", "mariadb-server", "default-mysql-server", "rabbitmq-server"),
                *("erlang", "elixir", "clamav", "clamav-daemon", "php-fpm", "php", "libapache2-mod-php", "cmake"),
                *("mono-complete", "emacs", "firefox-esr", "chromium", "thunderbird", "inkscape", "gedit", "pptpd"),
                *("libgtk-3-0", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "libsnmp-dev", "dpdk"),
                *("lxterminal", "terminator", "gnome-core", "xfce4", "lxde", "lxde-core", "openbox", "lxc"),
                *("default-jre", "default-jdk", "libreoffice", "libqt5widgets5", "libopencv-dev", "wkhtmltopdf"),
                *("texlive-latex-extra", "wine64", "wine-binfmt", "asciidoc", "zoneminder"),
            )
        ),
        "netcat-openbsd": frozenset(("netcat", "netcat-traditional", "ncat", "nmap", "busybox")),
        "nmap-ncat": frozenset(("nmap", "nc", "netcat")),
    }
)
"""Package of a tool to packages that install it too (that depend on or recommend it), or that also contain the tool.

Of the packages that are common in Dockerfiles; computed from Debian 12's index.
"""

SYSTEM_FOLDERS: Final = frozenset(
    ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec")
)
"""Folders of the system's programs."""

PROGRAM_TREES: Final = SYSTEM_FOLDERS | {"/", "/usr", "/usr/local"}
"""Folders that may contain any program when something is copied into them."""

WITH_HEALTHCHECK: Final = ("jupyter/", "quay.io/jupyter/")
"""Prefixes of images in the table of base images that have a HEALTHCHECK of their own, or may have one
(jupyter/docker-stacks: `images/base-notebook/Dockerfile`).
"""
