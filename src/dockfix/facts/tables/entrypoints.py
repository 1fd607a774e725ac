"""The ENTRYPOINTs of base images. Each group of rows names its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Images that set no ENTRYPOINT, in no version: Docker runs their command as it is.
_WITHOUT: Final = (
    # a root file system and a CMD (docker-library/official-images, `library/*`)
    *("scratch", "debian", "ubuntu", "alpine", "busybox", "fedora", "centos", "rockylinux", "rockylinux/rockylinux"),
    *("almalinux", "almalinux/almalinux", "amazonlinux", "oraclelinux", "archlinux", "quay.io/centos/centos"),
    *("opensuse/leap", "opensuse/tumbleweed"),
    # their Dockerfiles: docker-library/{buildpack-deps,python,pypy,golang,ruby,openjdk,gcc,httpd}, rust-lang/
    # docker-rust
    *("buildpack-deps", "python", "pypy", "golang", "ruby", "openjdk", "gcc", "httpd", "rust"),
    # dotnet/dotnet-docker, `src/{sdk,runtime,aspnet,runtime-deps}`
    *("mcr.microsoft.com/dotnet/sdk", "mcr.microsoft.com/dotnet/runtime", "mcr.microsoft.com/dotnet/aspnet"),
    "mcr.microsoft.com/dotnet/runtime-deps",
)

_WITH: Final = {
    # nodejs/docker-node `docker-entrypoint.sh`, since 2018
    "node": "runs `node` with the command if its first word is an option or not a program",
    # docker-library/php `docker-php-entrypoint`; composer/docker; docker-library/{wordpress,drupal}
    "php": "runs `php` or the server if the command begins with an option",
    "composer": "runs `composer` if the command is one of its subcommands",
    "wordpress": "installs WordPress if the command is its server",
    "drupal": "runs `php` or the server if the command begins with an option",
    # docker-library/docker `docker-entrypoint.sh` and `dockerd-entrypoint.sh`
    "docker": "runs `docker` or `dockerd` if the command is a subcommand or an option",
    # carlossg/docker-maven `mvn-entrypoint.sh`
    "maven": "prepares the repository if the command is `mvn`",
    # adoptium/containers `/__cacert_entrypoint.sh`, since 2023
    "eclipse-temurin": "prepares certificates and then runs the command",
    # hashicorp/terraform, hashicorp/packer: `ENTRYPOINT ["/bin/terraform"]`
    "hashicorp/terraform": "is `terraform`, which gets the command as its arguments",
    "hashicorp/packer": "is `packer`, which gets the command as its arguments",
}

ENTRYPOINTS: Final[Mapping[str, str]] = MappingProxyType({**dict.fromkeys(_WITHOUT, ""), **_WITH})
"""What the ENTRYPOINT of an image does with the command, after "its `ENTRYPOINT` "; "" where there is none.

An image that is not listed may have one.
"""

COMMAND_READERS: Final = frozenset(
    (
        *("postgres", "postgis", "pgvector", "timescaledb", "timescaledb-ha", "mysql", "mariadb", "percona", "mongo"),
        *("redis", "valkey", "rabbitmq", "cassandra", "memcached", "elasticsearch", "kibana", "logstash", "solr"),
        *("nginx", "nginx-unprivileged", "wordpress", "ghost", "zookeeper", "couchdb", "influxdb", "neo4j", "haproxy"),
        *("redmine", "joomla", "drupal", "sonarqube", "nexus3", "vault", "consul", "registry", "traefik", "kong"),
    )
)
"""Last parts of the names of images whose ENTRYPOINT prepares the service only if the command begins with its name
(docker-library `*/docker-entrypoint.sh`: `if [ "$1" = 'postgres' ]`).
"""
