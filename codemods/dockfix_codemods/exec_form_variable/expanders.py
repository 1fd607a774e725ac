"""Programs that read `$NAME` in their arguments themselves, and ENTRYPOINTs that look at what they are given.

Sources, by row: the programs' own manuals; the `docker-entrypoint.sh` of the docker-library images.
"""

from __future__ import annotations

import re
from typing import Final

EXPANDERS: Final = frozenset(
    (
        *("envsubst", "gomplate", "confd", "consul-template"),  # templates are what they are for
        *("pwsh", "powershell", "powershell.exe", "cmd", "cmd.exe"),  # `$NAME` is its own variable, or none at all
        *(
            "awk",
            "gawk",
            "mawk",
            "sed",
            "grep",
            "egrep",
            "perl",
            "jq",
            "make",
        ),  # `$` is theirs: fields, anchors, macros
        *("nginx", "caddy", "envoy", "haproxy", "traefik"),  # `$uri`, `{$X}`: variables of their configuration
        # -E key=${NAME} (elastic.co/guide/en/beats/libbeat, "using environment variables in the configuration")
        *("filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat", "logstash", "elasticsearch", "opensearch"),
        *("otelcol", "otelcol-contrib", "telegraf", "vector", "fluent-bit", "fluentd", "promtail", "loki", "alloy"),
    )
)
"""Programs whose arguments may hold variables that they expand."""

INTERPRETERS: Final = frozenset(
    ("python", "pypy", "node", "deno", "bun", "ruby", "php", "lua", "mongosh", "mongo", "mysql", "psql", "tclsh", "R")
)
"""Programs that take code of their own language on the command line, behind one of `CODE_OPTIONS`."""

CODE_OPTIONS: Final = frozenset(("-c", "-e", "-r", "-p", "--eval", "--execute", "--command", "--print"))

JVM_PROGRAMS: Final = frozenset(("java",))

OPTION_LISTS: Final = re.compile(r"(?:\A|_)(?:OPTS|OPT|OPTIONS|ARGS|ARGUMENTS|FLAGS|PARAMS)\Z")
"""Names of variables that hold several words, as `JAVA_OPTS` does."""

INITS: Final = frozenset(("tini", "tini-static", "dumb-init", "catatonit", "docker-init", "exec", "env"))
"""Programs that run what stands behind them as it is."""

COMMAND_READERS: Final = frozenset(
    (
        *("postgres", "postgis", "pgvector", "timescaledb", "timescaledb-ha", "mysql", "mariadb", "percona", "mongo"),
        *("redis", "valkey", "rabbitmq", "cassandra", "memcached", "elasticsearch", "kibana", "logstash", "solr"),
        *("nginx", "nginx-unprivileged", "wordpress", "ghost", "zookeeper", "couchdb", "influxdb", "neo4j", "haproxy"),
        *("redmine", "joomla", "drupal", "sonarqube", "nexus3", "vault", "consul", "registry", "traefik", "kong"),
    )
)
"""Last parts of the names of images whose ENTRYPOINT does its work only if the command begins with the service's name
(docker-library `*/docker-entrypoint.sh`: `if [ "$1" = 'postgres' ]`).
"""
