"""A STOPSIGNAL kills the program without clean-up, or is not written as the image specification has it.

## What it does

Finds `STOPSIGNAL SIGKILL`, which it replaces with `SIGTERM`, and names that are not in the form `SIGNAME`.

## Why is this bad?

No program can catch `SIGKILL`: it writes no data and closes no connection, and what it started may be left behind. The
image specification knows `SIGNAME` and numbers. Docker also takes `term` or `sigterm`, which other programs that read
the image may not.

## Example

```dockerfile
FROM debian:12
STOPSIGNAL SIGKILL
CMD ["server"]
```

Use instead:

```dockerfile
FROM debian:12
STOPSIGNAL SIGTERM
CMD ["server"]
```

## Fix safety

The fix is safe where only the spelling of a name changes: BuildKit and Docker ignore case, and the prefix `SIG`.

It is unsafe in place of `SIGKILL`: the program may ignore `SIGTERM`, and is then killed only after ten seconds. If the
base image has a signal of its own, as those of nginx and Apache do, it may be better to remove the instruction.

## When it does not apply

- Signals that a program expects: `SIGQUIT` (nginx, php-fpm), `SIGWINCH` (httpd), `SIGINT` (postgres), `SIGRTMIN+3`
  (systemd).
- Numbers other than 9, which mean other signals on other machines, and variables.
- `ONBUILD`, whose instruction runs in other builds.

## References

- https://docs.docker.com/reference/dockerfile/#stopsignal
- https://github.com/opencontainers/image-spec/blob/main/config.md (`StopSignal`)
- https://man7.org/linux/man-pages/man7/signal.7.html
- moby/sys, `signal/signal.go`: `ParseSignal`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Safety, Severity
from dockfix.syntax.tree import Stopsignal, Word

_NAMES: Final = frozenset({
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
    "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU",
    "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
})  # fmt: skip
"""The signals of Linux that BuildKit knows (moby/sys, `signal/signal_linux.go`)."""

_REAL_TIME: Final = re.compile(r"RTMIN\+(?:[1-9]|1[0-5])|RTMAX-(?:[1-9]|1[0-4])")
_UNCAUGHT: Final = frozenset({"KILL", "STOP", "9"})


def check(target: Target) -> Iterator[Finding]:
    """Check each STOPSIGNAL."""
    for stage in target.facts.graph.stages:
        for instruction in stage.executed:
            if isinstance(instruction, Stopsignal) and instruction.args:
                yield from _findings(instruction, instruction.args[0])


def _findings(instruction: Stopsignal, word: Word) -> Iterator[Finding]:
    text = word.text
    if not re.fullmatch(r"[A-Za-z0-9+-]+", text) or not instruction.logical.contiguous(word.start, word.end):
        return  # a variable or quotes
    name = text.upper().removeprefix("SIG")
    if name in _UNCAUGHT:
        yield Fix(
            word.span,
            f"`{text}` cannot be caught: the program ends without clean-up",
            (Edit(*word.span, "SIGTERM"),),
            Safety.UNSAFE,
            "use `SIGTERM`",
            "check that the program ends on `SIGTERM`, and whether the base image has a signal of its own",
        )
    elif name in _NAMES or _REAL_TIME.fullmatch(name):
        if text != f"SIG{name}":
            message = f"`{text}` is not in the form of the image specification"
            edit = Edit(*word.span, f"SIG{name}")
            yield Fix(word.span, message, (edit,), Safety.SAFE, f"write `SIG{name}`", severity=Severity.INFO)
    elif not text.isdigit() or int(text) == 0:
        yield Advice(
            word.span,
            f"BuildKit rejects `STOPSIGNAL {text}`: it is not a signal",
            Severity.ERROR,
            help="use `SIGTERM`, or a number",
        )


CODEMOD: Final = Codemod(
    name="stop-signal",
    title="a STOPSIGNAL kills without clean-up, or is misspelled",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("stopsignal",),
    promise=Promise(
        config=frozenset({Part.STOP_SIGNAL}),
        rationale="Only the stop signal differs: in its spelling, or by `SIGTERM` where nothing can catch it.",
    ),
)
