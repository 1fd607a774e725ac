"""`/bin/sh` is replaced by a link to bash.

## What it does

Finds `ln -s /bin/bash /bin/sh`. Where a `RUN` does nothing else, the fix replaces it with `SHELL`.

## Why is this bad?

The link changes the shell of every script and program in the image, and is easily overlooked. `SHELL` says for the
instructions of this file which shell runs them.

## Example

```dockerfile
FROM ubuntu:24.04
RUN rm /bin/sh && ln -s /bin/bash /bin/sh
RUN source /opt/env && make
```

Use instead:

```dockerfile
FROM ubuntu:24.04
SHELL ["/bin/bash", "-c"]
RUN source /opt/env && make
```

## Fix safety

The fix is unsafe: exec forms such as `["/bin/sh", "-c", ...]`, and scripts that begin with `#!/bin/sh`, run in the
original shell again, at run time, too.

## When it does not apply

- A `RUN` that does more than to make the link: advice.
- A comment for a tool, such as `# hadolint ignore=`, is above the `RUN`.
- Other links.

## References

- https://docs.docker.com/reference/dockerfile/#shell
- [hadolint DL4005](https://github.com/hadolint/hadolint/wiki/DL4005)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import refuse_pragma
from dockfix.facts.commands import Step
from dockfix.facts.model import Refused
from dockfix.facts.state import POSIX_SHELL
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    InOnbuild,
    Part,
    Promise,
    Refusal,
    Safety,
    Severity,
)

_BASH: Final = frozenset(("/bin/bash", "/usr/bin/bash", "bash"))
_MESSAGE: Final = "`/bin/sh` is replaced by a link to bash, for every script in the image"


def check(target: Target) -> Iterator[Finding]:
    """Find the links from `/bin/sh` to bash."""
    for _, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        links = [step for step in commands.steps if _links(step)]
        if not links:
            continue
        at = commands.span(links[0].command)
        plain = commands.shell == POSIX_SHELL and not (run.flags or run.heredocs or run.comments)
        if not plain or not all(_links(step) or _removes(step) for step in commands.steps):
            yield Advice(at, _MESSAGE, help="use `SHELL`")
            continue
        try:
            refuse_pragma(target.dockerfile, run)
        except Refused as refused:
            yield Refusal(at, _MESSAGE, refused.reason)
            continue
        keyword = "shell" if run.keyword.text.islower() else "SHELL"
        edits = (Edit(*run.span, f'{keyword} ["/bin/bash", "-c"]'),)
        review = "check that no exec form and no script in the image needs bash as `/bin/sh`"
        yield Fix(at, _MESSAGE, edits, Safety.UNSAFE, "use `SHELL`", review)


def _links(step: Step) -> bool:
    operands = [word.value for word in step.command.args if word.value is not None and not word.value.startswith("-")]
    return step.command.basename == "ln" and len(operands) == 2 and operands[0] in _BASH and operands[1] == "/bin/sh"


def _removes(step: Step) -> bool:
    operands = [word.value for word in step.command.args if word.value is not None and not word.value.startswith("-")]
    if step.command.basename == "mv":
        return len(operands) == 2 and operands[0] == "/bin/sh"
    return step.command.basename == "rm" and operands == ["/bin/sh"]


CODEMOD: Final = Codemod(
    name="shell-link",
    title="`/bin/sh` is replaced by a link to bash",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.COMMANDS, Effect.STEPS, Effect.SHELL}),
    check=check,
    since="0.1.0",
    triggers=("/bin/sh",),
    hadolint=frozenset({"DL4005"}),
    onbuild=InOnbuild.ADVICE,
    promise=Promise(
        config=frozenset({Part.SHELL, Part.COMMAND, Part.ENTRYPOINT, Part.HEALTHCHECK}),
        changes=("/bin/sh", "/usr/bin/sh"),
        removes=("/bin/sh.*", "/usr/bin/sh.*"),
        rationale="The instructions of the file run in bash as before; `/bin/sh` is that of the base image.",
    ),
)
