"""What programs do and do not do: one row each, with its traits and their source.

A trait is listed where it is known to hold; a program without it may still have it. `packages` reads the install, build
and clean commands of package managers; they are not listed here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct


class Trait(enum.Enum):
    """A property of a program; where its words may change that (`find -exec`, `command NAME`), the caller checks
    them."""

    BUILTIN = "builtin"
    """A builtin of every POSIX shell (or, as printf and test, of every shell in the base images)."""
    SHELL = "shell"
    """It runs the script in its `-c` option, and expands the variables in it."""
    NO_OP = "no-op"
    """It does nothing, and succeeds."""
    PRINTS = "prints"
    """It prints its words, and succeeds."""
    WAITS = "waits"
    """It waits, and succeeds."""
    IGNORES_VARIABLES = "ignores-variables"
    """Its effect depends on no variables except those of the locale."""
    NO_PATHS = "no-paths"
    """Its words are not paths (its output may be redirected)."""
    NAMED_FILES = "named-files"
    """The files that it uses are those in its words and the system's own."""
    UNPACKS = "unpacks"
    """It writes the content of its archive, to the working directory if its words name no other."""
    DOWNLOADS = "downloads"
    """It downloads the addresses in its words, to files that may be named after the addresses."""
    FETCHES = "fetches"
    """It transfers data over the network, and so may fail at any time."""
    LEAVES_CACHES = "leaves-caches"
    """It uses no cache of a package manager, unless its words name it."""
    MOVES_TREES = "moves-trees"
    """It removes, moves, copies or changes what is below the folders in its words."""
    LEAVES_NO_RECORD = "leaves-no-record"
    """It writes no path into a file: it changes only files and folders themselves, and only those in its words."""
    NO_ACCOUNTS = "no-accounts"
    """It creates no users or groups."""
    EDITS_ACCOUNTS = "edits-accounts"
    """It creates, changes or removes users or groups, in a way that `accounts.replay` supports."""
    SETS_IDS = "sets-ids"
    """After it a name may have another uid or gid."""
    NEVER_COMPILES = "never-compiles"
    """It never runs a compiler or git."""
    COMPILES = "compiles"
    """It compiles, fetches sources, or builds what it installs."""
    INSTALLS_UNNAMED = "installs-unnamed"
    """It may install other programs without naming them on its command line."""


# One line per program: its name and its traits. Each group names the source of its rows.
_ROWS: Final = (
    (
        "POSIX.1-2017 XCU 1.6 and 2.14; GNU Bash manual 4",
        """
        .        no-accounts installs-unnamed
        :        builtin no-op ignores-variables no-paths leaves-caches no-accounts never-compiles
        [        builtin ignores-variables named-files leaves-caches leaves-no-record no-accounts never-compiles
        [[       builtin leaves-caches no-accounts never-compiles
        alias    leaves-caches
        cd       builtin ignores-variables leaves-caches no-accounts never-compiles
        command  builtin leaves-caches no-accounts
        echo     builtin prints ignores-variables no-paths leaves-caches no-accounts never-compiles
        eval     installs-unnamed
        exec     builtin
        exit     builtin no-paths leaves-caches no-accounts never-compiles
        export   builtin no-paths leaves-caches no-accounts never-compiles
        false    builtin no-paths leaves-caches no-accounts never-compiles
        hash     leaves-caches
        kill     builtin
        local    builtin
        popd     leaves-caches
        printf   builtin prints ignores-variables no-paths leaves-caches no-accounts never-compiles
        pushd    leaves-caches
        pwd      leaves-caches no-accounts never-compiles
        read     builtin
        return   builtin leaves-caches
        set      builtin no-paths leaves-caches no-accounts never-compiles
        shift    builtin
        shopt    no-paths
        source   installs-unnamed
        test     builtin ignores-variables named-files leaves-caches leaves-no-record no-accounts never-compiles
        times    builtin
        trap     builtin no-accounts
        true     builtin no-op ignores-variables no-paths leaves-caches no-accounts never-compiles
        type     builtin named-files leaves-caches no-accounts never-compiles
        ulimit   leaves-caches no-accounts
        umask    builtin leaves-caches no-accounts
        unset    builtin no-paths leaves-caches no-accounts never-compiles
        wait     builtin leaves-caches no-accounts
        """,
    ),
    (
        "GNU coreutils manual; busybox",
        """
        arch       no-paths never-compiles
        basename   named-files leaves-caches no-accounts never-compiles
        cat        named-files leaves-caches no-accounts never-compiles
        chgrp      named-files leaves-caches moves-trees leaves-no-record no-accounts never-compiles
        chmod      ignores-variables named-files leaves-caches moves-trees leaves-no-record no-accounts never-compiles
        chown      ignores-variables named-files leaves-caches moves-trees leaves-no-record no-accounts never-compiles
        cp         ignores-variables named-files leaves-caches moves-trees never-compiles
        cut        named-files leaves-caches no-accounts never-compiles
        date       no-paths leaves-caches no-accounts never-compiles
        df         no-accounts never-compiles
        dirname    named-files leaves-caches no-accounts never-compiles
        du         named-files no-accounts never-compiles
        env        never-compiles
        head       named-files leaves-caches no-accounts never-compiles
        id         no-paths leaves-caches no-accounts never-compiles
        install    ignores-variables named-files leaves-caches never-compiles
        ln         ignores-variables named-files leaves-caches never-compiles
        ls         named-files leaves-caches leaves-no-record no-accounts never-compiles
        md5sum     named-files leaves-caches no-accounts never-compiles
        mkdir      ignores-variables named-files leaves-caches leaves-no-record no-accounts never-compiles
        mkfifo     never-compiles
        mktemp     leaves-caches never-compiles
        mv         ignores-variables named-files leaves-caches moves-trees never-compiles
        nproc      no-paths never-compiles
        readlink   named-files leaves-caches never-compiles
        realpath   named-files never-compiles
        rm         ignores-variables named-files leaves-caches moves-trees leaves-no-record no-accounts never-compiles
        rmdir      named-files leaves-caches moves-trees leaves-no-record no-accounts never-compiles
        seq        never-compiles
        sha1sum    never-compiles
        sha256sum  named-files leaves-caches no-accounts never-compiles
        sha512sum  named-files leaves-caches no-accounts never-compiles
        sleep      waits no-paths leaves-caches no-accounts never-compiles
        sort       named-files leaves-caches no-accounts never-compiles
        stat       named-files leaves-caches no-accounts never-compiles
        sync       leaves-caches
        tail       named-files leaves-caches no-accounts never-compiles
        tee        named-files leaves-caches never-compiles
        touch      ignores-variables named-files leaves-caches leaves-no-record no-accounts never-compiles
        tr         named-files leaves-caches no-accounts never-compiles
        uname      no-paths leaves-caches never-compiles
        uniq       leaves-caches no-accounts never-compiles
        wc         named-files leaves-caches no-accounts never-compiles
        whoami     no-paths leaves-caches never-compiles
        """,
    ),
    (
        "the manuals of GNU findutils, grep, sed, diffutils, and of awk and jq",
        """
        awk    leaves-caches never-compiles
        cmp    never-compiles
        diff   never-compiles
        egrep  leaves-caches never-compiles
        fgrep  never-compiles
        find   named-files leaves-caches moves-trees no-accounts never-compiles
        grep   named-files leaves-caches no-accounts never-compiles
        jq     named-files
        sed    named-files leaves-caches never-compiles
        """,
    ),
    (
        "the manuals of GNU tar and gzip, bzip2, xz, Info-ZIP and libarchive",
        """
        bsdtar  unpacks
        bzip2   named-files never-compiles
        gunzip  named-files leaves-caches never-compiles
        gzip    named-files leaves-caches never-compiles
        tar     unpacks leaves-caches moves-trees never-compiles
        unxz    named-files leaves-caches
        unzip   unpacks leaves-caches never-compiles
        xz      named-files leaves-caches never-compiles
        zip     leaves-caches never-compiles
        """,
    ),
    (
        "curl(1), wget(1), aria2c(1), gpg(1), git(1), svn, ftp(1), scp(1), and the clouds' command lines",
        """
        aria2c  fetches
        aws     fetches
        curl    downloads fetches leaves-caches no-accounts never-compiles
        ftp     fetches
        gcloud  fetches
        git     fetches no-accounts compiles
        gpg     named-files fetches leaves-caches no-accounts never-compiles
        gsutil  fetches
        scp     fetches
        svn     fetches
        wget    downloads fetches leaves-caches no-accounts never-compiles
        """,
    ),
    (
        "shadow's manuals; Debian's adduser(8); busybox `loginutils`",
        """
        addgroup  named-files leaves-caches edits-accounts sets-ids never-compiles
        adduser   named-files leaves-caches edits-accounts sets-ids never-compiles
        chpasswd  named-files never-compiles
        delgroup  edits-accounts
        deluser   edits-accounts never-compiles
        groupadd  named-files leaves-caches edits-accounts sets-ids never-compiles
        groupdel  edits-accounts
        groupmod  named-files leaves-caches edits-accounts sets-ids never-compiles
        passwd    named-files never-compiles
        useradd   named-files leaves-caches edits-accounts sets-ids never-compiles
        userdel   edits-accounts never-compiles
        usermod   named-files leaves-caches edits-accounts sets-ids never-compiles
        """,
    ),
    (
        "the manuals of apt, dpkg, debconf, rpm and yum-utils",
        """
        apt-cache               named-files never-compiles
        apt-config              named-files
        apt-key                 named-files never-compiles
        apt-mark                named-files leaves-caches never-compiles
        debconf-set-selections  never-compiles
        dpkg                    leaves-caches never-compiles installs-unnamed
        dpkg-architecture       named-files
        dpkg-query              named-files
        dpkg-reconfigure        never-compiles
        rpm                     never-compiles installs-unnamed
        update-alternatives     named-files never-compiles
        yum-config-manager      never-compiles
        """,
    ),
    (
        "the manuals of glibc, ca-certificates, fontconfig, cron, libcap, OpenSSL, OpenSSH, apache2, tini and gosu",
        """
        a2dismod                never-compiles
        a2dissite               never-compiles
        a2enmod                 never-compiles
        a2ensite                never-compiles
        crontab                 never-compiles
        fc-cache                leaves-caches never-compiles
        getconf                 named-files
        getent                  leaves-caches no-accounts never-compiles
        gosu                    never-compiles
        hostname                named-files never-compiles
        ldconfig                named-files leaves-caches never-compiles
        locale-gen              named-files leaves-caches never-compiles
        openssl                 never-compiles
        setcap                  never-compiles
        ssh-keygen              never-compiles
        ssh-keyscan             never-compiles
        tini                    never-compiles
        update-ca-certificates  named-files leaves-caches never-compiles
        update-locale           named-files never-compiles
        which                   named-files leaves-caches no-accounts never-compiles
        """,
    ),
    (
        "the manuals of the GNU toolchain, LLVM, NASM and Yasm",
        """
        ar        compiles
        as        compiles
        c++       compiles
        cc        compiles
        clang     compiles
        clang++   compiles
        cpp       compiles
        g++       compiles
        gcc       compiles
        gfortran  compiles
        ld        compiles
        llc       compiles
        lld       compiles
        nasm      compiles
        objcopy   compiles
        ranlib    compiles
        strip     named-files leaves-caches compiles
        yasm      compiles
        """,
    ),
    (
        "the manuals of the build systems, and of the packagers of Debian and Fedora",
        """
        aclocal            compiles
        autoconf           compiles
        automake           compiles
        autoreconf         compiles
        bazel              compiles
        bison              compiles
        cmake              compiles
        configure          compiles
        ctest              compiles
        debuild            compiles
        dpkg-buildpackage  compiles
        flex               compiles
        gmake              compiles
        gperf              compiles
        libtoolize         compiles
        m4                 compiles
        make               compiles installs-unnamed
        meson              compiles
        ninja              compiles
        patch              compiles
        pkg-config         compiles
        pkgconf            compiles
        protoc             compiles
        qmake              compiles
        rpmbuild           compiles
        scons              compiles
        swig               compiles
        waf                compiles
        yacc               compiles
        """,
    ),
    (
        "the manuals of the languages; PHP's and CPAN's installers",
        """
        R                         compiles
        Rscript                   compiles
        cabal                     compiles
        cargo                     compiles
        cpan                      compiles
        cpanm                     compiles
        cython                    compiles
        docker-php-ext-configure  compiles
        docker-php-ext-install    compiles
        easy_install              compiles
        gem                       compiles
        ghc                       compiles
        go                        compiles
        javac                     compiles
        luarocks                  compiles
        node-gyp                  compiles
        opam                      compiles
        pear                      compiles
        pecl                      compiles
        perl                      compiles
        phpize                    compiles
        rustc                     compiles
        stack                     compiles
        """,
    ),
    (
        "the shells' manuals",
        """
        ash   shell installs-unnamed
        bash  shell installs-unnamed
        dash  shell installs-unnamed
        fish  shell
        ksh   shell
        sh    shell installs-unnamed
        zsh   shell installs-unnamed
        """,
    ),
    (
        "the manuals of these installers: what they install may be named in a file, or nowhere",
        """
        ansible-playbook        installs-unnamed
        apt-install             installs-unnamed
        brew                    installs-unnamed
        chef-client             installs-unnamed
        clean-install           installs-unnamed
        emerge                  installs-unnamed
        gdebi                   installs-unnamed
        install-php-extensions  installs-unnamed
        install_packages        installs-unnamed
        nix                     installs-unnamed
        nix-env                 installs-unnamed
        opkg                    installs-unnamed
        pacman                  installs-unnamed
        playwright              installs-unnamed
        puppet                  installs-unnamed
        snap                    installs-unnamed
        tdnf                    installs-unnamed
        unminimize              installs-unnamed
        """,
    ),
)


class Program(Struct, frozen=True):
    """A row of the table."""

    name: str
    traits: frozenset[Trait]
    source: str


def _read() -> Mapping[str, Program]:
    found: dict[str, Program] = {}
    for source, rows in _ROWS:
        for row in rows.strip().split("\n"):
            name, *traits = row.split()
            found[name] = Program(name, frozenset(Trait(trait) for trait in traits), source)
    return MappingProxyType(found)


PROGRAMS: Final = _read()


def has_trait(name: str | None, *traits: Trait) -> bool:
    """Whether a program is known to have one of the traits."""
    program = PROGRAMS.get(name) if name is not None else None
    return program is not None and not program.traits.isdisjoint(traits)


def programs_with(*traits: Trait) -> frozenset[str]:
    """The programs that are known to have one of the traits."""
    return frozenset(name for name, program in PROGRAMS.items() if not program.traits.isdisjoint(traits))


_SHELL_WORDS: Final = """
. : [ alias bg break cd chdir command continue echo eval exec exit export false fc fg getopts hash help history jobs
kill let local printf pwd read readonly return set shift test times trap true type ulimit umask unalias unset wait

bind builtin caller compgen complete compopt declare dirs disown enable logout mapfile popd pushd readarray shopt source
suspend typeset

! [[ ]] { } case coproc do done elif else esac fi for function if in select then time until while
"""

SHELL_WORDS: Final = frozenset(_SHELL_WORDS.split())
"""The builtins and reserved words of sh, dash, ash and bash: names that at least one of these shells handles itself.

Sources, by paragraph: POSIX.1-2017 XCU 2.14 and 2.9.1.1 (d), dash(1) "Builtins" and busybox `shell/ash.c` `builtintab`;
GNU Bash manual 4.2 (`compgen -b`); POSIX XCU 2.4 and GNU Bash manual 3.2.2 (`compgen -k`).
"""
