"""What some packages only recommend, and builds rely on.

Measured with apt 2.6 on Debian 12: what `apt-get install -s` installs with and without recommended packages, for each
of the 200 packages that public Dockerfiles install most, as far as programs, headers and certificates are concerned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RECOMMENDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        name: tuple(needed.split())
        for name, _, needed in (
            line.strip().partition(": ")
            for line in """
            apache2: ca-certificates openssl ssl-cert
            asciidoctor: unzip zip
            autoconf: automake
            build-essential: gnupg dirmngr
            clang: ca-certificates openssl
            cmake: gcc g++ make libc6-dev ca-certificates openssl
            curl: ca-certificates openssl
            default-jdk: procps
            dirmngr: gnupg
            dpkg-dev: build-essential gnupg dirmngr
            flex: gcc libc6-dev
            gcc: libc6-dev
            git: ca-certificates openssh-client patch openssl
            git-core: ca-certificates openssh-client patch openssl
            golang: gcc g++ libc6-dev pkg-config
            imagemagick: ghostscript
            libboost-all-dev: gcc libc6-dev
            libtool: autoconf automake
            mercurial: ca-certificates openssh-client openssl
            nodejs: ca-certificates openssl
            npm: build-essential git ca-certificates openssh-client patch xz-utils bzip2
            protobuf-compiler: libc6-dev
            python3: ca-certificates openssl
            python3-dev: ca-certificates openssl
            python3-pip: build-essential python3-dev ca-certificates patch xz-utils bzip2
            python3-setuptools: ca-certificates openssl
            ruby: unzip zip
            software-properties-common: gnupg dirmngr
            supervisor: ca-certificates openssl
            wget: ca-certificates openssl
            yarn: ca-certificates openssl
            zip: unzip
            """.strip().split("\n")
        )
    }
)

USES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "openssl": re.compile(r"\bopenssl [a-z]"),
        "openssh-client": re.compile(r"\bssh\b|ssh-keyscan|git@"),
        "patch": re.compile(r"\bpatch "),
        "gnupg": re.compile(r"\bgpg\b|apt-key|gpgconf"),
        "dirmngr": re.compile(r"--keyserver|--recv"),
        "unzip": re.compile(r"\bunzip "),
        "zip": re.compile(r"\bzip "),
        "xz-utils": re.compile(r"\bxz\b|\.t?xz\b|tar -?[a-z]*J"),
        "bzip2": re.compile(r"bz2|bzip2|tar -?[a-z]*j"),
        "procps": re.compile(r"\b(ps|pgrep|pkill|top|free|sysctl) "),
        "ghostscript": re.compile(r"\bgs |[pP][dD][fF]"),
        "ssl-cert": re.compile(r"snakeoil|default-ssl"),
        "pkg-config": re.compile(r"pkg-config"),
        "python3-dev": re.compile(r"\bpip3? (install|wheel)|\bpython3? .*setup.py"),
    }
)
"""What in a file shows that it uses a package; those that are not listed are always added."""
