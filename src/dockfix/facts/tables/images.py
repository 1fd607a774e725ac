"""Base images: distributions, and the images built on them, with their known content.

`tools` are programs that an image contains, `lacks` programs that it does not; the rest is unknown. Sources are the
Dockerfiles of each image's repository (docker-library/*, and those named in a row) and the package lists of the
distributions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from dockfix.facts.tables.accounts import ALPINE, DEBIAN, RHEL

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Distro(Struct, frozen=True):
    """What an image of this distribution contains before anything is added to it."""

    family: str
    package_manager: str | None
    libc: str | None
    sh: str | None
    source: str
    tools: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    taken_ids: frozenset[int] = frozenset()
    default_shell: tuple[str, ...] = ("/bin/sh", "-c")
    path: str = _PATH
    home: str = "/root"


class Row(Struct, frozen=True):
    """One repository: the distribution of each tag (the first pattern found in the tag decides) and what is added.

    `user` is "" where the image runs as root, "?" where it is not known. `names` are ENV variables that it sets to
    values
    of its version; `env` those whose value is the same in every version. `complete`: it sets no others, PATH apart.
    """

    variants: tuple[tuple[str, str], ...]
    source: str
    env: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    complete: bool = False
    tools: frozenset[str] = frozenset()
    user: str = ""
    home: str = ""
    taken_ids: frozenset[int] = frozenset()
    run_shell: tuple[str, ...] = ()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DEBIAN_TOOLS: Final = _set(
    "sh bash dash cat cp ls rm mkdir grep sed awk find xargs tar gzip perl sleep test chmod chown id useradd groupadd "
    "usermod apt apt-get dpkg"
)
_DEBIAN_LACKS: Final = _set(
    "curl wget git pgrep pkill ps top gcc g++ make sudo python3 python pip nc gosu jq unzip node npm"
)
_ALPINE_TOOLS: Final = _set(
    "sh ash busybox wget pgrep pkill ps top nc vi cat cp ls rm mkdir grep sed awk find xargs tar gzip unzip sleep test "
    "chmod chown id adduser addgroup apk su"
)
_ALPINE_LACKS: Final = _set("bash curl git gcc g++ make sudo python3 python pip useradd groupadd gosu jq node npm")
_RHEL_TOOLS: Final = _set("sh bash cat cp ls rm mkdir grep sed awk sleep test chmod chown id curl rpm")
_RHEL_LACKS: Final = _set("gcc g++ make git sudo pip nc gosu jq node npm apt-get apk")

DISTROS: Final[Mapping[str, Distro]] = MappingProxyType(
    {
        "debian": Distro(
            "debian",
            "apt",
            "glibc",
            "dash",
            "debuerreotype/debuerreotype; Debian 12 essential packages",
            _DEBIAN_TOOLS,
            _DEBIAN_LACKS,
            DEBIAN.ids,
        ),
        "scm": Distro(
            "debian",
            "apt",
            "glibc",
            "dash",
            "docker-library/buildpack-deps: the scm variant has curl, wget, git, procps and gnupg",
            _DEBIAN_TOOLS | _set("curl wget git hg svn ssh pgrep pkill ps top gpg"),
            _DEBIAN_LACKS - _set("curl wget git pgrep pkill ps top python3"),
            DEBIAN.ids,
        ),
        "buildpack": Distro(
            "debian",
            "apt",
            "glibc",
            "dash",
            "docker-library/buildpack-deps",
            _DEBIAN_TOOLS
            | _set("curl wget git hg svn ssh pgrep pkill ps top gpg gcc g++ make autoconf automake patch unzip xz"),
            _DEBIAN_LACKS - _set("curl wget git pgrep pkill ps top gcc g++ make unzip python3"),
            DEBIAN.ids,
        ),
        "ubuntu": Distro(
            "ubuntu",
            "apt",
            "glibc",
            "dash",
            "Ubuntu's OCI base images",
            _DEBIAN_TOOLS,
            _DEBIAN_LACKS - _set("pgrep pkill ps top"),
            DEBIAN.ids,
        ),
        "ubuntu24": Distro(
            "ubuntu",
            "apt",
            "glibc",
            "dash",
            "Ubuntu's OCI base images: since 23.04 they hold a user ubuntu with uid and gid 1000",
            _DEBIAN_TOOLS,
            _DEBIAN_LACKS - _set("pgrep pkill ps top"),
            DEBIAN.ids | {1000},
        ),
        "alpine": Distro(
            "alpine",
            "apk",
            "musl",
            "ash",
            "alpinelinux/docker-alpine; alpine-baselayout; busybox",
            _ALPINE_TOOLS,
            _ALPINE_LACKS,
            ALPINE.ids,
        ),
        "busybox": Distro(
            "busybox",
            None,
            None,
            "ash",
            "docker-library/busybox",
            _set("sh ash busybox wget pgrep pkill ps nc cat cp ls rm mkdir grep sed awk adduser addgroup"),
            _set("bash curl git apt-get apk useradd groupadd gcc"),
        ),
        "scratch": Distro("scratch", None, None, None, "Docker: scratch is empty", path="", home="/"),
        "distroless": Distro(
            "distroless",
            None,
            "glibc",
            None,
            "GoogleContainerTools/distroless: no shell",
            frozenset(),
            _set("sh bash curl wget pgrep ps cat apt-get useradd nc"),
        ),
        "distroless-debug": Distro(
            "distroless",
            None,
            "glibc",
            "ash",
            "GoogleContainerTools/distroless: debug variants add busybox",
            _set("busybox sh wget"),
            _set("bash curl apt-get useradd"),
        ),
        "fedora": Distro("rhel", "dnf", "glibc", "bash", "fedora-cloud base image", _RHEL_TOOLS, _RHEL_LACKS, RHEL.ids),
        "rhel": Distro(
            "rhel", "dnf", "glibc", "bash", "Red Hat's UBI 8 and 9; Rocky; Alma", _RHEL_TOOLS, _RHEL_LACKS, RHEL.ids
        ),
        "yum": Distro("rhel", "yum", "glibc", "bash", "CentOS 7, Amazon Linux 2", _RHEL_TOOLS, _RHEL_LACKS, RHEL.ids),
        "microdnf": Distro(
            "rhel",
            "microdnf",
            "glibc",
            "bash",
            "Red Hat's ubi-minimal; oraclelinux:*-slim",
            _RHEL_TOOLS - {"curl"},
            _RHEL_LACKS | {"dnf", "yum"},
            RHEL.ids,
        ),
        "rhel-micro": Distro(
            "rhel",
            None,
            "glibc",
            "bash",
            "Red Hat's ubi-micro: no package manager",
            _set("sh bash"),
            _RHEL_LACKS | _set("curl wget dnf yum microdnf rpm"),
        ),
        "suse": Distro(
            "suse",
            "zypper",
            "glibc",
            "bash",
            "openSUSE's base containers",
            _set("sh bash zypper rpm"),
            _set("apt-get apk gcc git"),
        ),
        "arch": Distro(
            "arch",
            "pacman",
            "glibc",
            "bash",
            "archlinux-docker",
            _set("sh bash pacman curl useradd groupadd"),
            _set("apt-get apk"),
        ),
        "wolfi": Distro(
            "wolfi",
            "apk",
            "glibc",
            "ash",
            "chainguard-images/images: wolfi-base",
            _set("sh apk busybox"),
            _set("bash apt-get"),
        ),
        "wolfi-none": Distro(
            "wolfi",
            None,
            "glibc",
            None,
            "chainguard-images/images: no shell outside -dev",
            frozenset(),
            _set("bash apt-get curl"),
        ),
        "azurelinux": Distro(
            "rhel", "tdnf", "glibc", "bash", "microsoft/azurelinux", _set("sh bash"), _set("apt-get apk")
        ),
        "chiselled": Distro(
            "ubuntu",
            None,
            "glibc",
            None,
            "ubuntu.com/containers/chiselled",
            frozenset(),
            _set("sh bash curl wget apt-get ps"),
        ),
        "windows": Distro(
            "windows",
            None,
            None,
            None,
            "learn.microsoft.com/virtualization/windowscontainers",
            default_shell=("cmd", "/S", "/C"),
            path="",
            home="C:\\Users\\ContainerAdministrator",
        ),
        "nanoserver": Distro(
            "windows",
            None,
            None,
            None,
            "learn.microsoft.com/virtualization/windowscontainers",
            default_shell=("cmd", "/S", "/C"),
            path="",
            home="C:\\Users\\ContainerUser",
        ),
    }
)

_WINDOWS: Final = ((r"nanoserver", "nanoserver"), (r"windowsservercore|windows", "windows"))


def _by_tag(default: str, slim: str = "debian") -> tuple[tuple[str, str], ...]:
    """The usual variants of an official image: Windows, alpine, slim, else `default`."""
    return (*_WINDOWS, (r"alpine", "alpine"), (r"slim", slim), (r"", default))


def _only(distro: str) -> tuple[tuple[str, str], ...]:
    return ((r"", distro),)


_DEB: Final = _by_tag("debian")
_UBU: Final = (
    *_WINDOWS,
    (r"alpine", "alpine"),
    (r"ubi9-minimal|ubi10-minimal", "microdnf"),
    (r"ubi", "rhel"),
    (r"", "ubuntu"),
)
_BUILDPACK: Final = _by_tag("buildpack")
_UBI_FULL: Final = Row(_only("rhel"), "catalog.redhat.com ubi", names=_set("container"))
_UBI_MINIMAL: Final = Row(_only("microdnf"), "catalog.redhat.com ubi-minimal", names=_set("container"))
_UBI_MICRO: Final = Row(_only("rhel-micro"), "catalog.redhat.com ubi-micro", names=_set("container"))
_JAVA: Final = _set("java JAVA_HOME") - {"JAVA_HOME"}
_DOTNET_TAGS: Final = (
    *_WINDOWS,
    (r"alpine", "alpine"),
    (r"chiseled|distroless", "chiselled"),
    (r"azurelinux|cbl-mariner", "azurelinux"),
    (r"noble|resolute", "ubuntu24"),
    (r"jammy|focal|bionic", "ubuntu"),
    (r"^(?:[2-9]\.0|[23]\.1)|bookworm|bullseye|buster|trixie", "debian"),
    (r"", "ubuntu"),
)
_DOTNET_ENV: Final = {"DOTNET_RUNNING_IN_CONTAINER": "true"}
_UBUNTU_TAGS: Final = (
    (r"^(?:1[0-9]|2[0-2])\.|focal|jammy|bionic|xenial|trusty|kinetic", "ubuntu"),
    (r"", "ubuntu24"),
)
_CUDA_TAGS: Final = (
    (r"rocky|ubi|centos8|rhel", "rhel"),
    (r"centos7", "yum"),
    (r"opensuse", "suse"),
    (r"ubuntu24", "ubuntu24"),
    (r"ubuntu", "ubuntu"),
    (r"debian", "debian"),
)
_JUPYTER: Final = Row(
    _only("ubuntu"),
    "jupyter/docker-stacks docker-stacks-foundation",
    env={"CONDA_DIR": "/opt/conda", "NB_USER": "jovyan", "NB_UID": "1000", "NB_GID": "100", "HOME": "/home/jovyan"},
    names=_set("SHELL LC_ALL LANG LANGUAGE DEBIAN_FRONTEND JUPYTER_PORT XDG_CACHE_HOME"),
    tools=_set("conda mamba python python3 pip bash"),
    user="1000",
    home="/home/jovyan",
    taken_ids=frozenset({1000}),
    run_shell=("/bin/bash", "-o", "pipefail", "-c"),
)
_MINIFORGE: Final = Row(
    ((r"^4\.|^22\.|^23\.|^24\.|latest|", "ubuntu"),),
    "conda-forge/miniforge-images",
    env={"CONDA_DIR": "/opt/conda", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    tools=_set("conda mamba python pip bash wget"),
)
_CONDA: Final = Row(
    (("alpine", "alpine"), ("", "debian")),
    "ContinuumIO/docker-images",
    env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    names=_set("PATH"),
    tools=_set("conda python pip bash"),
)
_DISTROLESS: Final = Row(
    ((r"debug", "distroless-debug"), (r"", "distroless")),
    "GoogleContainerTools/distroless",
    names=_set("SSL_CERT_FILE"),
)
_DEVCONTAINER: Final = Row(
    ((r"alpine", "alpine"), (r"ubuntu|jammy|focal", "ubuntu"), (r"noble", "ubuntu24"), (r"", "debian")),
    "devcontainers/images",
    tools=_set("git curl sudo"),
    taken_ids=frozenset({1000}),
)
_POSTGRES_NAMES: Final = _set("GOSU_VERSION LANG PG_MAJOR PG_VERSION PG_SHA256 PGDATA DOCKER_PG_LLVM_DEPS")
_PHP: Final = Row(
    ((r"alpine", "alpine"), (r"", "debian")),
    "docker-library/php",
    env={"PHP_INI_DIR": "/usr/local/etc/php"},
    names=_set(
        "PHPIZE_DEPS PHP_CFLAGS PHP_CPPFLAGS PHP_LDFLAGS GPG_KEYS PHP_VERSION PHP_URL PHP_ASC_URL PHP_SHA256 "
        "APACHE_CONFDIR APACHE_ENVVARS"
    ),
    tools=_set("php curl"),
    taken_ids=frozenset({33, 82}),
)
_NODE_IDS: Final = frozenset({1000})

WORKDIRS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "scratch": ((r"", "/"),),  # it is empty
        "debian": ((r"", "/"),),  # docker-library/official-images: a root file system and a CMD
        "ubuntu": ((r"", "/"),),  # as debian
        "alpine": ((r"", "/"),),  # as debian
        "busybox": ((r"", "/"),),  # as debian
        "buildpack-deps": ((r"", "/"),),  # docker-library/buildpack-deps
        "python": ((r"", "/"),),  # docker-library/python `Dockerfile-linux.template`
        "node": ((r"", "/"),),  # nodejs/docker-node `Dockerfile-debian.template`
        "ruby": ((r"", "/"),),  # docker-library/ruby `Dockerfile.template`
        "golang": ((r"", "/go"),),  # docker-library/golang `Dockerfile-linux.template`: WORKDIR $GOPATH
        # docker-library/php `Dockerfile-linux.template`: only the variants with a web server or FPM set it
        "php": ((r"apache|fpm", "/var/www/html"), (r"", "/")),
        "wordpress": ((r"", "/var/www/html"),),  # docker-library/wordpress `Dockerfile.template`
    }
)
"""The working directory of images for Linux, by the first pattern found in the tag. Other images are unknown."""

IMAGES: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "scratch": Row(_only("scratch"), "Docker: scratch", complete=True),
        "debian": Row(_only("debian"), "docker-library/official-images debian", complete=True),
        "ubuntu": Row(_UBUNTU_TAGS, "docker-library/official-images ubuntu", complete=True),
        "alpine": Row(_only("alpine"), "alpinelinux/docker-alpine", complete=True),
        "busybox": Row(_only("busybox"), "docker-library/busybox", complete=True),
        "buildpack-deps": Row(
            ((r"curl", "debian"), (r"scm", "scm"), (r"", "buildpack")),
            "docker-library/buildpack-deps",
            tools=_set("curl wget"),
        ),
        "python": Row(
            _BUILDPACK,
            "docker-library/python",
            names=_set(
                "LANG GPG_KEY PYTHON_VERSION PYTHON_SHA256 PYTHON_PIP_VERSION PYTHON_SETUPTOOLS_VERSION "
                "PYTHON_GET_PIP_URL PYTHON_GET_PIP_SHA256"
            ),
            tools=_set("python python3 pip pip3"),
        ),
        "pypy": Row(_BUILDPACK, "docker-library/pypy", names=_set("LANG PATH PYPY_VERSION"), tools=_set("pypy3 pip")),
        "node": Row(
            _BUILDPACK,
            "nodejs/docker-node",
            names=_set("NODE_VERSION YARN_VERSION"),
            tools=_set("node npm npx"),
            taken_ids=_NODE_IDS,
        ),
        "golang": Row(
            _by_tag("scm", "debian"),
            "docker-library/golang",
            env={"GOPATH": "/go", "PATH": f"/go/bin:/usr/local/go/bin:{_PATH}"},
            names=_set("GOLANG_VERSION GOTOOLCHAIN"),
            tools=_set("go"),
        ),
        "rust": Row(
            _BUILDPACK,
            "rust-lang/docker-rust",
            env={
                "RUSTUP_HOME": "/usr/local/rustup",
                "CARGO_HOME": "/usr/local/cargo",
                "PATH": f"/usr/local/cargo/bin:{_PATH}",
            },
            names=_set("RUST_VERSION"),
            tools=_set("cargo rustc rustup gcc"),
        ),
        "ruby": Row(
            _BUILDPACK,
            "docker-library/ruby",
            env={
                "GEM_HOME": "/usr/local/bundle",
                "BUNDLE_APP_CONFIG": "/usr/local/bundle",
                "BUNDLE_SILENCE_ROOT_WARNING": "1",
                "LANG": "C.UTF-8",
                "PATH": f"/usr/local/bundle/bin:{_PATH}",
            },
            names=_set("RUBY_VERSION RUBY_MAJOR RUBY_DOWNLOAD_URL RUBY_DOWNLOAD_SHA256"),
            tools=_set("ruby gem bundle"),
        ),
        "php": _PHP,
        "wordpress": Row(
            _PHP.variants,
            "docker-library/wordpress",
            env=_PHP.env,
            names=_PHP.names,
            tools=_PHP.tools,
            taken_ids=_PHP.taken_ids,
        ),
        "drupal": Row(
            _PHP.variants,
            "docker-library/drupal",
            env=_PHP.env,
            names=_PHP.names | _set("DRUPAL_VERSION COMPOSER_ALLOW_SUPERUSER PATH"),
            tools=_PHP.tools,
        ),
        "composer": Row(
            _only("alpine"),
            "composer/docker",
            env={**_PHP.env, "COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_HOME": "/tmp"},  # noqa: S108
            names=_PHP.names | _set("COMPOSER_VERSION"),
            tools=_set("composer php git bash unzip curl"),
        ),
        "openjdk": Row(
            (
                *_WINDOWS,
                (r"alpine", "alpine"),
                (r"slim", "debian"),
                (r"oracle", "microdnf"),
                (r"bookworm|bullseye|buster|stretch|jessie", "scm"),
                (r"^(?:[89]|1[01])(?:[.-]|$)", "scm"),
                (r"", "microdnf"),
            ),
            "docker-library/openjdk",
            names=_set("JAVA_HOME LANG JAVA_VERSION PATH"),
            tools=_JAVA,
        ),
        "eclipse-temurin": Row(
            _UBU,
            "adoptium/containers",
            env={"JAVA_HOME": "/opt/java/openjdk"},
            names=_set("LANG LANGUAGE LC_ALL JAVA_VERSION PATH"),
            tools=_JAVA,
        ),
        "amazoncorretto": Row(
            (
                *_WINDOWS,
                (r"alpine", "alpine"),
                (r"debian", "debian"),
                (r"al2023", "rhel"),
                (r"^(?:8|11|17)(?:[.-]|$)", "yum"),
                (r"", "rhel"),
            ),
            "corretto/corretto-docker",
            names=_set("LANG JAVA_HOME"),
            tools=_JAVA,
        ),
        "maven": Row(
            (
                *_WINDOWS,
                (r"alpine", "alpine"),
                (r"amazoncorretto.*debian|slim", "debian"),
                (r"amazoncorretto|al2023", "rhel"),
                (r"oracle", "rhel"),
                (r"", "ubuntu"),
            ),
            "carlossg/docker-maven",
            env={"MAVEN_HOME": "/usr/share/maven", "MAVEN_CONFIG": "/root/.m2"},
            names=_set("JAVA_HOME JAVA_VERSION LANG LANGUAGE LC_ALL PATH"),
            tools=_JAVA | {"mvn"},
        ),
        "gradle": Row(
            ((r"alpine", "alpine"), (r"corretto", "rhel"), (r"ubi", "rhel"), (r"", "ubuntu")),
            "gradle/docker-gradle",
            env={"GRADLE_HOME": "/opt/gradle"},
            names=_set("GRADLE_VERSION JAVA_HOME JAVA_VERSION LANG LANGUAGE LC_ALL PATH"),
            tools=_JAVA | {"gradle"},
            taken_ids=frozenset({1000}),
        ),
        "nginx": Row(
            _DEB,
            "nginxinc/docker-nginx",
            names=_set("NGINX_VERSION NJS_VERSION NJS_RELEASE PKG_RELEASE DYNPKG_RELEASE ACME_VERSION"),
            tools=_set("nginx"),
            taken_ids=frozenset({101}),
        ),
        "nginxinc/nginx-unprivileged": Row(
            _DEB,
            "nginxinc/docker-nginx-unprivileged",
            names=_set("NGINX_VERSION NJS_VERSION NJS_RELEASE PKG_RELEASE DYNPKG_RELEASE ACME_VERSION"),
            tools=_set("nginx"),
            user="101",
            home="/nonexistent",
            taken_ids=frozenset({101}),
        ),
        "httpd": Row(
            _DEB,
            "docker-library/httpd",
            env={"HTTPD_PREFIX": "/usr/local/apache2"},
            names=_set("HTTPD_VERSION HTTPD_SHA256 HTTPD_PATCHES PATH"),
            tools=_set("httpd"),
        ),
        "caddy": Row(
            (*_WINDOWS, (r"", "alpine")),
            "caddyserver/caddy-docker",
            env={"XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data"},
            names=_set("CADDY_VERSION XCADDY_VERSION XCADDY_SETCAP GOLANG_VERSION GOTOOLCHAIN GOPATH PATH"),
        ),
        "traefik": Row((*_WINDOWS, (r"", "alpine")), "traefik/traefik-library-image"),
        "redis": Row(
            _DEB,
            "docker-library/redis",
            names=_set("GOSU_VERSION REDIS_VERSION REDIS_DOWNLOAD_URL REDIS_DOWNLOAD_SHA"),
            tools=_set("redis-cli redis-server"),
            taken_ids=frozenset({999, 1000}),
        ),
        "postgres": Row(
            _DEB,
            "docker-library/postgres",
            names=_POSTGRES_NAMES | {"PATH"},
            tools=_set("psql pg_isready postgres"),
            taken_ids=frozenset({70, 999}),
        ),
        "pgvector/pgvector": Row(
            _only("debian"),
            "pgvector/pgvector",
            names=_POSTGRES_NAMES | {"PATH"},
            tools=_set("psql pg_isready postgres"),
            taken_ids=frozenset({999}),
        ),
        "postgis/postgis": Row(
            ((r"alpine", "alpine"), (r"", "debian")),
            "postgis/docker-postgis",
            names=_POSTGRES_NAMES | _set("PATH POSTGIS_MAJOR POSTGIS_VERSION POSTGIS_SHA256"),
            tools=_set("psql pg_isready postgres"),
            taken_ids=frozenset({70, 999}),
        ),
        "mysql": Row(
            ((r"debian|bookworm|bullseye|buster", "debian"), (r"", "microdnf")),
            "docker-library/mysql",
            names=_set("GOSU_VERSION MYSQL_MAJOR MYSQL_VERSION MYSQL_SHELL_VERSION PATH"),
            tools=_set("mysql mysqladmin mysqld"),
            taken_ids=frozenset({999}),
        ),
        "mariadb": Row(
            ((r"ubi", "microdnf"), (r"", "ubuntu")),
            "MariaDB/mariadb-docker",
            names=_set("GOSU_VERSION LANG MARIADB_VERSION"),
            taken_ids=frozenset({999}),
        ),
        "mongo": Row(
            (*_WINDOWS, (r"", "ubuntu")),
            "docker-library/mongo",
            env={"HOME": "/data/db"},
            names=_set(
                "GOSU_VERSION JSYAML_VERSION JSYAML_CHECKSUM MONGO_PACKAGE MONGO_REPO MONGO_MAJOR MONGO_VERSION "
                "GLIBC_TUNABLES"
            ),
            home="/data/db",
            taken_ids=frozenset({999}),
        ),
        "neo4j": Row(
            ((r"ubi", "microdnf"), (r"", "debian")),
            "neo4j/docker-neo4j",
            env={"NEO4J_HOME": "/var/lib/neo4j"},
            names=_set("NEO4J_SHA256 NEO4J_TARBALL NEO4J_EDITION LANG JAVA_HOME PATH"),
            tools=_set("neo4j cypher-shell"),
            taken_ids=frozenset({7474}),
        ),
        "rabbitmq": Row(
            ((r"alpine", "alpine"), (r"", "ubuntu")),
            "docker-library/rabbitmq",
            names=_set(
                "ERLANG_INSTALL_PATH_PREFIX OPENSSL_INSTALL_PATH_PREFIX RABBITMQ_DATA_DIR RABBITMQ_VERSION "
                "RABBITMQ_PGP_KEY_ID RABBITMQ_HOME PATH HOME LANG LANGUAGE LC_ALL"
            ),
            home="/var/lib/rabbitmq",
            taken_ids=frozenset({999}),
        ),
        "haproxy": Row(
            _DEB,
            "docker-library/haproxy",
            names=_set("HAPROXY_VERSION HAPROXY_URL HAPROXY_SHA256"),
            user="haproxy",
            home="/var/lib/haproxy",
        ),
        "perl": Row(_BUILDPACK, "Perl/docker-perl", names=_set("PERL_CPANM_OPT"), tools=_set("perl cpanm")),
        "julia": Row(
            _DEB, "docker-library/julia", names=_set("JULIA_PATH PATH JULIA_GPG JULIA_VERSION"), tools=_set("julia")
        ),
        "r-base": Row(
            _only("debian"),
            "rocker-org/rocker r-base",
            names=_set("LC_ALL LANG R_BASE_VERSION"),
            tools=_set("R Rscript"),
            taken_ids=frozenset({1000}),
        ),
        "rocker/*": Row(
            _only("ubuntu"),
            "rocker-org/rocker-versioned2",
            names=_set(
                "R_VERSION R_HOME TZ CRAN LANG S6_VERSION RSTUDIO_VERSION DEFAULT_USER PANDOC_VERSION QUARTO_VERSION"
            ),
            tools=_set("R Rscript"),
        ),
        "haskell": Row(
            _by_tag("debian"), "haskell/docker-haskell", names=_set("LANG PATH"), tools=_set("ghc cabal stack")
        ),
        "erlang": Row(
            _BUILDPACK,
            "erlang/docker-erlang-otp",
            names=_set("OTP_VERSION REBAR3_VERSION REBAR_VERSION"),
            tools=_set("erl"),
        ),
        "elixir": Row(
            _BUILDPACK,
            "erlef/docker-elixir",
            names=_set("ELIXIR_VERSION LANG OTP_VERSION REBAR3_VERSION REBAR_VERSION"),
            tools=_set("elixir mix"),
        ),
        "swift": Row(
            (
                (r"amazonlinux", "yum"),
                (r"rhel|ubi|fedora", "rhel"),
                (r"bookworm|bullseye", "debian"),
                (r"noble", "ubuntu24"),
                (r"", "ubuntu"),
            ),
            "swiftlang/swift-docker",
            names=_set("SWIFT_SIGNING_KEY SWIFT_PLATFORM SWIFT_BRANCH SWIFT_VERSION SWIFT_WEBROOT"),
        ),
        "dart": Row(
            _only("debian"), "dart-lang/dart-docker", names=_set("DART_SDK PATH"), tools=_set("dart git curl wget")
        ),
        "gcc": Row(
            _only("buildpack"),
            "docker-library/gcc",
            names=_set("GPG_KEYS GCC_MIRRORS GCC_VERSION"),
            tools=_set("gcc g++"),
        ),
        "docker": Row(
            (*_WINDOWS, (r"", "alpine")),
            "docker-library/docker",
            names=_set("DOCKER_VERSION DOCKER_BUILDX_VERSION DOCKER_COMPOSE_VERSION DOCKER_TLS_CERTDIR DIND_COMMIT"),
            tools=_set("docker"),
        ),
        "fedora": Row(_only("fedora"), "fedora-cloud/docker-brew-fedora", names=_set("DISTTAG FGC FBR container")),
        "centos": Row(((r"^[567](?:\.|$)|centos[567]", "yum"), (r"", "rhel")), "CentOS/sig-cloud-instance-images"),
        "quay.io/centos/centos": Row(_only("rhel"), "CentOS/containers"),
        "rockylinux": Row(((r"minimal", "microdnf"), (r"", "rhel")), "rocky-linux/sig-cloud-instance-images"),
        "rockylinux/rockylinux": Row(
            ((r"minimal", "microdnf"), (r"", "rhel")), "rocky-linux/sig-cloud-instance-images"
        ),
        "almalinux": Row(((r"minimal", "microdnf"), (r"", "rhel")), "AlmaLinux/docker-images"),
        "almalinux/*": Row(((r"", "microdnf"),), "AlmaLinux/docker-images"),
        "amazonlinux": Row(((r"^(?:1|2|2018.*|2\.0.*)$", "yum"), (r"", "rhel")), "amazonlinux/container-images"),
        "oraclelinux": Row(((r"^[67](?:-|$)", "yum"), (r"slim", "microdnf"), (r"", "rhel")), "oracle/container-images"),
        "redhat/ubi8": _UBI_FULL,
        "redhat/ubi9": _UBI_FULL,
        "redhat/ubi8-minimal": _UBI_MINIMAL,
        "redhat/ubi9-minimal": _UBI_MINIMAL,
        "redhat/ubi8-micro": _UBI_MICRO,
        "redhat/ubi9-micro": _UBI_MICRO,
        "registry.access.redhat.com/ubi8": _UBI_FULL,
        "registry.access.redhat.com/ubi9": _UBI_FULL,
        "registry.access.redhat.com/ubi8/ubi": _UBI_FULL,
        "registry.access.redhat.com/ubi9/ubi": _UBI_FULL,
        "registry.access.redhat.com/ubi8-minimal": _UBI_MINIMAL,
        "registry.access.redhat.com/ubi9-minimal": _UBI_MINIMAL,
        "registry.access.redhat.com/ubi8/ubi-minimal": _UBI_MINIMAL,
        "registry.access.redhat.com/ubi9/ubi-minimal": _UBI_MINIMAL,
        "registry.access.redhat.com/ubi8/ubi-micro": _UBI_MICRO,
        "registry.access.redhat.com/ubi9/ubi-micro": _UBI_MICRO,
        "opensuse/leap": Row(_only("suse"), "openSUSE base containers"),
        "opensuse/tumbleweed": Row(_only("suse"), "openSUSE base containers"),
        "archlinux": Row(_only("arch"), "archlinux-docker", names=_set("LANG")),
        "mcr.microsoft.com/dotnet/sdk": Row(
            _DOTNET_TAGS,
            "dotnet/dotnet-docker",
            env=_DOTNET_ENV,
            names=_set(
                "APP_UID ASPNETCORE_HTTP_PORTS ASPNETCORE_URLS DOTNET_VERSION ASPNET_VERSION "
                "DOTNET_GENERATE_ASPNET_CERTIFICATE DOTNET_NOLOGO DOTNET_SDK_VERSION DOTNET_USE_POLLING_FILE_WATCHER "
                "NUGET_XMLDOC_MODE POWERSHELL_DISTRIBUTION_CHANNEL DOTNET_SYSTEM_GLOBALIZATION_INVARIANT PATH"
            ),
            tools=_set("dotnet"),
            taken_ids=frozenset({1654}),
        ),
        "mcr.microsoft.com/dotnet/*": Row(
            _DOTNET_TAGS,
            "dotnet/dotnet-docker; chiseled images run as app (1654)",
            env=_DOTNET_ENV,
            names=_set(
                "APP_UID ASPNETCORE_HTTP_PORTS ASPNETCORE_URLS DOTNET_VERSION ASPNET_VERSION "
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT PATH"
            ),
            taken_ids=frozenset({1654}),
        ),
        "mcr.microsoft.com/devcontainers/*": _DEVCONTAINER,
        "mcr.microsoft.com/windows/nanoserver": Row(
            _only("nanoserver"), "learn.microsoft.com/virtualization/windowscontainers", user="ContainerUser"
        ),
        "mcr.microsoft.com/windows/*": Row(
            _only("windows"), "learn.microsoft.com/virtualization/windowscontainers", user="ContainerAdministrator"
        ),
        "mcr.microsoft.com/windows": Row(
            _only("windows"), "learn.microsoft.com/virtualization/windowscontainers", user="ContainerAdministrator"
        ),
        "mcr.microsoft.com/playwright": Row(
            ((r"noble", "ubuntu24"), (r"", "ubuntu")),
            "microsoft/playwright utils/docker",
            env={"PLAYWRIGHT_BROWSERS_PATH": "/ms-playwright"},
            names=_set("LANG LC_ALL"),
            tools=_set("node npm curl git"),
        ),
        "mcr.microsoft.com/playwright/python": Row(
            ((r"noble", "ubuntu24"), (r"", "ubuntu")),
            "microsoft/playwright-python utils/docker",
            env={"PLAYWRIGHT_BROWSERS_PATH": "/ms-playwright"},
            names=_set("LANG LC_ALL"),
            tools=_set("python python3 pip"),
        ),
        "nvidia/cuda": Row(
            _CUDA_TAGS,
            "gitlab.com/nvidia/container-images/cuda",
            names=_set(
                "NVARCH NVIDIA_REQUIRE_CUDA CUDA_VERSION PATH LD_LIBRARY_PATH LIBRARY_PATH NVIDIA_VISIBLE_DEVICES "
                "NVIDIA_DRIVER_CAPABILITIES NVIDIA_PRODUCT_NAME NCCL_VERSION CUDNN_VERSION "
                "NV_CUDA_CUDART_VERSION NV_CUDA_LIB_VERSION"
            ),
        ),
        "pytorch/pytorch": Row(
            _only("ubuntu"),
            "pytorch/pytorch Dockerfile",
            names=_set("PATH NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES LD_LIBRARY_PATH PYTORCH_VERSION"),
            tools=_set("python pip"),
        ),
        "tensorflow/tensorflow": Row(
            _only("ubuntu"),
            "tensorflow/build",
            names=_set("LANG PATH LD_LIBRARY_PATH DEBIAN_FRONTEND"),
            tools=_set("python python3 pip"),
        ),
        "jupyter/*": _JUPYTER,
        "quay.io/jupyter/*": _JUPYTER,
        "continuumio/miniconda3": _CONDA,
        "continuumio/anaconda3": _CONDA,
        "condaforge/mambaforge": _MINIFORGE,
        "condaforge/miniforge3": _MINIFORGE,
        "mambaorg/micromamba": Row(
            ((r"alpine", "alpine"), (r"ubuntu|jammy|focal|noble", "ubuntu"), (r"cuda", "ubuntu"), (r"", "debian")),
            "mamba-org/micromamba-docker",
            env={"MAMBA_ROOT_PREFIX": "/opt/conda", "MAMBA_EXE": "/bin/micromamba", "MAMBA_USER": "mambauser"},
            names=_set("ENV_NAME LANG LC_ALL MAMBA_USER_ID MAMBA_USER_GID PATH"),
            tools=_set("micromamba bash"),
            user="mambauser",
            home="/home/mambauser",
            taken_ids=frozenset({57439}),
            run_shell=("/usr/local/bin/_dockerfile_shell.sh",),
        ),
        "gcr.io/distroless/*": _DISTROLESS,
        "cgr.dev/chainguard/wolfi-base": Row(_only("wolfi"), "chainguard-images/images", user="?", home="?"),
        "cgr.dev/chainguard/*": Row(
            ((r"-dev", "wolfi"), (r"", "wolfi-none")),
            "chainguard-images/images",
            user="?",
            home="?",
            taken_ids=frozenset({65532}),
        ),
        "ghcr.io/astral-sh/uv": Row(
            (
                (r"alpine", "alpine"),
                (r"slim", "debian"),
                (r"bookworm|trixie|bullseye|debian", "buildpack"),
                (r"", "scratch"),
            ),
            "docs.astral.sh/uv/guides/integration/docker: the image without a distribution holds /uv and /uvx alone",
            names=_set(
                "UV_TOOL_BIN_DIR PATH LANG GPG_KEY PYTHON_VERSION PYTHON_SHA256 PYTHON_PIP_VERSION "
                "PYTHON_SETUPTOOLS_VERSION PYTHON_GET_PIP_URL PYTHON_GET_PIP_SHA256"
            ),
            tools=_set("uv uvx"),
        ),
        "bitnami/*": Row(
            _only("debian"),
            "bitnami/containers: minideb, user 1001",
            names=_set("HOME OS_ARCH OS_FLAVOUR OS_NAME APP_VERSION BITNAMI_APP_NAME PATH"),
            tools=_set("install_packages"),
            user="1001",
            home="/",
            taken_ids=frozenset({1001}),
            run_shell=("?",),
        ),
        "hashicorp/*": Row(_only("alpine"), "hashicorp: alpine based", user="?", home="?"),
    }
)
"""Repositories (Docker Hub's official ones by their short name; `x/*` for all below x) to what they hold."""

BUILD_ONLY: Final[Mapping[str, tuple[frozenset[str], tuple[str, ...]]]] = MappingProxyType(
    {
        # packages.debian.org: sections devel and libdevel
        "debian": (
            _set(
                "build-essential gcc g++ cpp make cmake ninja-build meson autoconf automake autotools-dev libtool m4 "
                "bison flex gperf pkg-config pkgconf clang llvm lld nasm yasm patch dpkg-dev debhelper devscripts "
                "fakeroot gfortran gdb git swig ccache binutils rustc cargo golang golang-go cython3 dh-python "
                "protobuf-compiler"
            ),
            ("-dev", "-headers"),
        ),
        # pkgs.alpinelinux.org
        "alpine": (
            _set(
                "build-base alpine-sdk abuild gcc g++ make cmake ninja ninja-build samurai meson autoconf automake "
                "libtool m4 bison flex gperf pkgconf pkgconfig clang llvm lld nasm yasm patch gfortran gdb git swig "
                "ccache binutils rust cargo go linux-headers cython"
            ),
            ("-dev", "-headers"),
        ),
        # packages.fedoraproject.org
        "rhel": (
            _set(
                "gcc gcc-c++ gcc-gfortran make cmake ninja-build meson autoconf automake libtool m4 bison flex gperf "
                "pkgconfig pkgconf-pkg-config clang llvm lld nasm yasm patch gdb git swig ccache binutils rust cargo "
                "golang rpm-build redhat-rpm-config kernel-headers"
            ),
            ("-devel", "-headers"),
        ),
    }
)
"""Per family: packages that only builds need, and the endings of names of header packages."""

RUNTIME_LIBRARIES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        # packages.debian.org, bookworm: the library on which the -dev package depends
        "debian": MappingProxyType(
            {
                "libpq-dev": "libpq5",
                "libffi-dev": "libffi8",
                "libxml2-dev": "libxml2",
                "libxslt1-dev": "libxslt1.1",
                "libssl-dev": "libssl3",
                "libyaml-dev": "libyaml-0-2",
                "zlib1g-dev": "zlib1g",
                "libbz2-dev": "libbz2-1.0",
                "liblzma-dev": "liblzma5",
                "libsqlite3-dev": "libsqlite3-0",
                "libreadline-dev": "libreadline8",
                "libmariadb-dev": "libmariadb3",
                "default-libmysqlclient-dev": "libmariadb3",
                "libcurl4-openssl-dev": "libcurl4",
                "libjpeg62-turbo-dev": "libjpeg62-turbo",
                "libpng-dev": "libpng16-16",
                "libfreetype6-dev": "libfreetype6",
                "libfreetype-dev": "libfreetype6",
                "libwebp-dev": "libwebp7",
                "libgmp-dev": "libgmp10",
                "libldap2-dev": "libldap-2.5-0",
                "libsasl2-dev": "libsasl2-2",
                "libzip-dev": "libzip4",
                "libicu-dev": "libicu72",
                "libgeos-dev": "libgeos-c1v5",
                "libonig-dev": "libonig5",
                "libxmlsec1-dev": "libxmlsec1",
                "libmagic-dev": "libmagic1",
                "libsnappy-dev": "libsnappy1v5",
                "librdkafka-dev": "librdkafka1",
                "libopenblas-dev": "libopenblas0",
                "libkrb5-dev": "libkrb5-3",
                "unixodbc-dev": "unixodbc",
                "libvips-dev": "libvips42",
                # what code that these compile may be linked with; nothing, where every image has it
                "gcc": "libgomp1",
                "g++": "libgomp1",
                "build-essential": "libgomp1",
                "gfortran": "libgfortran5",
                "libc6-dev": "",
                "libc-dev": "",
                "linux-libc-dev": "",
                "linux-headers": "",
            }
        ),
        # pkgs.alpinelinux.org
        "alpine": MappingProxyType(
            {
                "postgresql-dev": "libpq",
                "libpq-dev": "libpq",
                "libffi-dev": "libffi",
                "libxml2-dev": "libxml2",
                "libxslt-dev": "libxslt",
                "openssl-dev": "libssl3",
                "yaml-dev": "yaml",
                "zlib-dev": "zlib",
                "bzip2-dev": "libbz2",
                "xz-dev": "xz-libs",
                "sqlite-dev": "sqlite-libs",
                "readline-dev": "readline",
                "mariadb-dev": "mariadb-connector-c",
                "mariadb-connector-c-dev": "mariadb-connector-c",
                "curl-dev": "libcurl",
                "jpeg-dev": "libjpeg-turbo",
                "libjpeg-turbo-dev": "libjpeg-turbo",
                "libpng-dev": "libpng",
                "freetype-dev": "freetype",
                "libwebp-dev": "libwebp",
                "gmp-dev": "gmp",
                "libzip-dev": "libzip",
                "icu-dev": "icu-libs",
                "geos-dev": "geos",
                "oniguruma-dev": "oniguruma",
                "libstdc++-dev": "libstdc++",
                "vips-dev": "vips",
                # as above
                "gcc": "libgcc",
                "g++": "libstdc++",
                "build-base": "libstdc++",
                "alpine-sdk": "libstdc++",
                "gfortran": "libgfortran",
                "musl-dev": "",
                "libc-dev": "",
                "linux-headers": "",
            }
        ),
        # packages.fedoraproject.org
        "rhel": MappingProxyType(
            {
                "libpq-devel": "libpq",
                "postgresql-devel": "libpq",
                "libffi-devel": "libffi",
                "libxml2-devel": "libxml2",
                "libxslt-devel": "libxslt",
                "openssl-devel": "openssl-libs",
                "libyaml-devel": "libyaml",
                "zlib-devel": "zlib",
                "bzip2-devel": "bzip2-libs",
                "xz-devel": "xz-libs",
                "sqlite-devel": "sqlite-libs",
                "readline-devel": "readline",
                "libcurl-devel": "libcurl",
                "libjpeg-turbo-devel": "libjpeg-turbo",
                "libpng-devel": "libpng",
                "freetype-devel": "freetype",
                "gmp-devel": "gmp",
            }
        ),
    }
)
"""Header package or compiler to the library that programs built with it need at run time; "" if none.

Debian's names are bookworm's.
"""

STABLE_LIBRARIES: Final = _set(
    "libpq5 zlib1g libxslt1.1 libyaml-0-2 libsqlite3-0 libbz2-1.0 liblzma5 libgmp10 libgomp1 libgfortran5 libonig5"
)
"""Libraries of the table above whose Debian and Ubuntu packages have one name in all releases since 2019.

packages.debian.org, buster to trixie; packages.ubuntu.com, focal to noble.
"""

# From docs.docker.com/reference/dockerfile#predefined-args
PREDEFINED_ARGS: Final = _set(
    "HTTP_PROXY http_proxy HTTPS_PROXY https_proxy FTP_PROXY ftp_proxy NO_PROXY no_proxy ALL_PROXY all_proxy"
)
# From docs.docker.com/reference/dockerfile#automatic-platform-args-in-the-global-scope
PLATFORM_ARGS: Final = _set(
    "TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT"
)
# From docs.docker.com/reference/dockerfile#buildkit-built-in-build-args
BUILDKIT_ARGS: Final = _set(
    "BUILDKIT_BUILD_NAME BUILDKIT_CACHE_MOUNT_NS BUILDKIT_CONTEXT_KEEP_GIT_DIR BUILDKIT_INLINE_CACHE "
    "BUILDKIT_MULTI_PLATFORM "
    "BUILDKIT_SANDBOX_HOSTNAME BUILDKIT_SYNTAX BUILDKIT_DOCKERFILE_CHECK SOURCE_DATE_EPOCH TARGETSTAGE"
)
