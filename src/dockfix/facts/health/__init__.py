"""Health checks. A check runs in a container of the image, so what counts is the end of its stage.

- `checks`: which health check is effective, and how a compose test is written in a Dockerfile.
- `programs`: the programs that a check calls.
- `presence`: whether an image contains a program, and where an install can add its package.
- `endpoints`: what a check requests over the network, and which ports an image exposes.

Sources: docs.docker.com/reference/dockerfile/#healthcheck; the Compose specification, `05-services.md`, `healthcheck`.
"""

from dockfix.facts.health.checks import (
    base_may_have_healthcheck,
    check_commands,
    check_text,
    effective_healthcheck,
    healthcheck_blocker,
    secret_in,
)
from dockfix.facts.health.endpoints import Endpoint, Requests, exposed_ports, requests_of
from dockfix.facts.health.presence import extensible_install, missing_program_blocker, tool_package, tool_presence
from dockfix.facts.health.programs import Program, program_of, programs

__all__ = [
    "Endpoint",
    "Program",
    "Requests",
    "base_may_have_healthcheck",
    "check_commands",
    "check_text",
    "effective_healthcheck",
    "exposed_ports",
    "extensible_install",
    "healthcheck_blocker",
    "missing_program_blocker",
    "program_of",
    "programs",
    "requests_of",
    "secret_in",
    "tool_package",
    "tool_presence",
]
