"""A RUN runs a command that does nothing in a build.

## What it does

Reports commands in a `RUN` that have no effect on the image: a service that is started as the last thing, or stopped
as the first, `shutdown` and `reboot`, `systemctl start`, and programs that only show something, such as `top`.

## Why is this bad?

A layer stores files, not processes. A service that a `RUN` starts ends with it, and the container starts without it.
There is no init system to shut down or to ask.

## Example

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y nginx
RUN service nginx start
```

## Fix safety

There is no fix: whoever wrote it wanted something to run in the container. That is the job of `CMD` or `ENTRYPOINT`.

## When it does not apply

- A service that is started for what follows in the same `RUN`: `service postgresql start && psql -f init.sql`.
- `ssh`, `kill`, `ps` and `mount`, which hadolint also reports: to clone with `RUN --mount=type=ssh`, to stop a process
  of the same `RUN`, to wait for one, or with `--security=insecure`, each has its use.
- `systemctl enable`, which only makes links.

## References

- https://docs.docker.com/reference/dockerfile/#run
- [hadolint DL3001](https://github.com/hadolint/hadolint/wiki/DL3001)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.facts.commands import Step
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, InOnbuild, Severity
from dockfix.syntax.shell.model import Context

_INIT: Final = frozenset({"shutdown", "reboot", "halt", "poweroff", "telinit"})
_SHOW: Final = frozenset({"top", "htop", "free", "vmstat", "iostat", "uptime"})
_EDITORS: Final = frozenset({"vi", "vim", "nano", "emacs"})
_STARTS: Final = frozenset({"start", "restart"})
_STOPPED: Final = "no service runs at the start of a RUN: there is nothing to stop"
_TAKEN: Final = Context.SUBSTITUTION | Context.PIPELINE | Context.CONDITIONAL | Context.FUNCTION
"""Where something uses the output or the status of a command, or it may not run."""


def check(target: Target) -> Iterator[Finding]:
    """Find the commands that leave nothing in the image."""
    for _, run in target.facts.runs():
        commands = target.facts.commands(run)
        for index, step in enumerate(commands.steps):
            message = _message(step, commands.steps[index + 1 :]) if index or not _stops(step) else _STOPPED
            if message is not None:
                help_ = "remove it; what must run in the container, `CMD` or `ENTRYPOINT` starts"
                yield Advice(commands.span(step.command), message, help=help_)


def _stops(step: Step) -> bool:
    """Whether a command stops a service; as the first of a RUN it has nothing to stop."""
    words = [word.value for word in step.command.words]
    if words and words[0] == "sudo":
        words = words[1:]
    if step.command.context & _TAKEN or len(words) < 2:
        return False
    return (words[0] == "service" and words[2:3] == ["stop"]) or (
        (words[0] or "").startswith("/etc/init.d/") and words[1] == "stop"
    )


def _message(step: Step, later: Sequence[Step]) -> str | None:
    words = [word.value for word in step.command.words]
    if words and words[0] == "sudo":
        words = words[1:]
    if not words or words[0] is None or step.command.context & _TAKEN:
        return None
    path, _, name = words[0].rpartition("/")
    if name in _INIT:
        return f"`{name}` does nothing in a build: there is no system to stop"
    if name in _SHOW and not step.command.redirects:
        return f"`{name}` only shows something: it changes nothing in the image"
    if name in _EDITORS and len(words) == 2 and not step.command.redirects:
        return f"`{name}` waits for a terminal, which a build does not have"
    started: str | None = None
    if name == "service" and len(words) > 2 and words[2] in _STARTS:
        started = words[1]
    elif path == "/etc/init.d" and len(words) > 1 and words[1] in _STARTS:
        started = name
    elif name == "systemctl" and len(words) > 2 and words[1] in _STARTS:
        return "`systemctl` finds no init system in a build: nothing is started"
    if started is not None and not later:
        return f"the service {started} ends with this RUN: it does not run in the container"
    return None


CODEMOD: Final = Codemod(
    name="pointless-command",
    title="a RUN runs a command that does nothing in a build",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("service", "init.d", "systemctl", *sorted(_INIT | _SHOW | _EDITORS)),
    hadolint=frozenset({"DL3001"}),
    onbuild=InOnbuild.ADVICE,
)
