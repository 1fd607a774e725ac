"""What an ENTRYPOINT does with the command of its image."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dockfix.facts.model import Known
from dockfix.syntax.tree import Entrypoint

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage

__all__ = ["COMMAND_READERS", "INITS", "effective_entrypoint", "reads_command", "runs_its_arguments"]

INITS: Final = frozenset(("tini", "tini-static", "dumb-init", "catatonit", "docker-init", "exec", "env"))
"""Programs that run the command in their arguments unchanged."""

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


def effective_entrypoint(facts: BuildFacts, stage: Stage) -> Entrypoint | None:
    """The ENTRYPOINT of the image of a stage; None if this file sets none."""
    for each in facts.graph.chain(stage):
        for instruction in reversed(each.program):
            if isinstance(instruction, Entrypoint):
                return instruction
    return None


def runs_its_arguments(argv: Sequence[str]) -> bool:
    """Whether an ENTRYPOINT runs its arguments as a command: an empty one, or an init such as `tini --`."""
    return not argv or (posixpath.basename(argv[0]) in INITS and all(word.startswith("-") for word in argv[1:]))


def reads_command(stage: Stage) -> bool:
    """Whether the ENTRYPOINT of the base image prepares its service only if CMD begins with the service's name."""
    if not isinstance(stage.base_ref, Known):
        return False
    name = stage.base_ref.value.partition("@")[0]
    last = name.rpartition("/")[2].partition(":")[0]
    return last in COMMAND_READERS
