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
    check_complaint,
    check_text,
    effective_healthcheck,
    secret_in,
)
from dockfix.facts.health.endpoints import Asked, Endpoint, asked, exposed_ports
from dockfix.facts.health.presence import doubtful_program, open_install, tool_package, tool_presence
from dockfix.facts.health.programs import Program, program_of, programs

__all__ = [
    "Asked",
    "Endpoint",
    "Program",
    "asked",
    "base_may_have_healthcheck",
    "check_commands",
    "check_complaint",
    "check_text",
    "doubtful_program",
    "effective_healthcheck",
    "exposed_ports",
    "open_install",
    "program_of",
    "programs",
    "secret_in",
    "tool_package",
    "tool_presence",
]
