"""Programs that expand `$NAME` in their own arguments, and ENTRYPOINTs that check the command.

Sources, by row: the programs' own manuals; the `docker-entrypoint.sh` of the docker-library images.
"""

from __future__ import annotations

import re
from typing import Final

EXPANDERS: Final = frozenset(
    (
        *("envsubst", "gomplate", "confd", "consul-template"),  # they expand templates
        *(
            "pwsh",
            "powershell",
            "powershell.exe",
            "cmd",
            "cmd.exe",
        ),  # `$NAME` is not an environment variable
        # `$` is a field, an anchor or a macro
        *("awk", "gawk", "mawk", "sed", "grep", "egrep", "perl", "jq", "make"),
        *("nginx", "caddy", "envoy", "haproxy", "traefik"),  # `$uri`, `{$X}`: variables of their configuration
        # -E key=${NAME} (elastic.co/guide/en/beats/libbeat, "using environment variables in the configuration")
        *("filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat", "logstash", "elasticsearch", "opensearch"),
        *("otelcol", "otelcol-contrib", "telegraf", "vector", "fluent-bit", "fluentd", "promtail", "loki", "alloy"),
    )
)
"""Programs that expand variables in their arguments."""

INTERPRETERS: Final = frozenset(
    ("python", "pypy", "node", "deno", "bun", "ruby", "php", "lua", "mongosh", "mongo", "mysql", "psql", "tclsh", "R")
)
"""Programs that take code of their own language on the command line, after one of `CODE_OPTIONS`."""

CODE_OPTIONS: Final = frozenset(("-c", "-e", "-r", "-p", "--eval", "--execute", "--command", "--print"))

JVM_PROGRAMS: Final = frozenset(("java",))

OPTION_LISTS: Final = re.compile(r"(?:\A|_)(?:OPTS|OPT|OPTIONS|ARGS|ARGUMENTS|FLAGS|PARAMS)\Z")
"""Names of variables that contain several words, such as `JAVA_OPTS`."""
