"""The exec form does not expand a variable.

## What it does

Finds `$NAME` in the exec form of CMD, ENTRYPOINT and HEALTHCHECK, and runs the command in a shell.

## Why is this bad?

The exec form starts the program without a shell, so the program receives the text `${PORT}` and not the number.
`uvicorn --port '${PORT}'` fails when the container starts. `myserver '$DATA_DIR'` creates a folder of that name and
seems to work.

## Example

```dockerfile
FROM python:3.13-slim
ENV PORT=8000
CMD ["uvicorn", "app:app", "--port", "${PORT}"]
```

Use instead:

```dockerfile
FROM python:3.13-slim
ENV PORT=8000
CMD ["sh", "-c", "exec uvicorn app:app --port \\"${PORT}\\""]
```

Each word with a variable is quoted, so that it remains one word. `exec` replaces the shell with the program, which is
still the first process of the container and receives its signals. An ENTRYPOINT passes its arguments on: the line ends
with `"$@"`.

## Fix safety

The fix is unsafe: the program receives something else, and the image must have `sh`. The review names the variables
that neither the image nor the build sets; they must be set when the container starts. A word that consists only of
`$JAVA_OPTS` or another list of options is not quoted, so that the shell splits it into words.

## When it does not apply

- A command that is a shell's (`["sh", "-c", "... $X"]`), and programs that expand `$X` themselves: `envsubst`, `awk`,
  `nginx -g`, `python -c`, Elastic Beats, and properties of Java programs, where Spring fills in `${X}`.
- `$$`, `\\$X`, `$1`, and lower-case names that nothing sets.
- A command that has no effect: a later CMD overrides it, or an ENTRYPOINT in shell form ignores it.

dockfix reports, but does not fix, images without `sh`; an ARG, which is not set at run time; a CMD that passes
arguments to an ENTRYPOINT, or that follows an ENTRYPOINT of the base image which checks the first word of the command,
as that of postgres does; words that a shell would interpret in other ways; and comments between the words.

## References

- https://docs.docker.com/reference/dockerfile/#exec-form, "Variable substitution"
- https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
- POSIX, Shell Command Language 2.2.3, on double quotes
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import replace
from dockfix.facts.entrypoints import effective_entrypoint, reads_command, runs_its_arguments
from dockfix.facts.model import known
from dockfix.facts.stages import Stage
from dockfix.project.stage_services import services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Part, Promise, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Cmd, Comment, Entrypoint, Healthcheck, Word
from dockfix_codemods.exec_form_variable.analysis import (
    ALWAYS_SET,
    Unexpanded,
    unexpanded,
)

_HELP: Final = "run the command in `sh -c`, which expands the variables, and `exec` the program"


def check(target: Target) -> Iterator[Finding]:
    """Check the commands in exec form that are in effect at the end of each stage."""
    for stage in target.facts.graph.stages:
        if stage.base is not None and stage.base.family == "windows":
            continue
        state = target.facts.end_state(stage)
        is_set = {*state.env, *state.args}.__contains__
        last = {type(node): node for node in stage.instructions if isinstance(node, Cmd | Entrypoint | Healthcheck)}
        entrypoint = effective_entrypoint(target.facts, stage)
        for node in last.values():
            if not node.json or node.argv is None or (isinstance(node, Cmd) and entrypoint and not entrypoint.json):
                continue
            found = unexpanded(node.argv, is_set)
            if found is not None:
                yield _finding(target, stage, node, found, entrypoint)


def _finding(
    target: Target,
    stage: Stage,
    node: Cmd | Entrypoint | Healthcheck,
    found: Unexpanded,
    entrypoint: Entrypoint | None,
) -> Finding:
    words = node.args[1:] if isinstance(node, Healthcheck) else node.args
    at = next(word.span for word in words if word.text == found.words[0])
    receives = f"`{found.program}` receives" if found.program else "the program name is"
    message = f"{receives} the literal text `{found.words[0]}`: the exec form does not expand variables"
    blocker = _blocker(target, stage, node, found, entrypoint)
    if blocker is not None:
        return Refusal(at, message, blocker)
    line = f'{found.line} "$@"' if isinstance(node, Entrypoint) else found.line
    new = ("sh", "-c", line, "sh") if isinstance(node, Entrypoint) else ("sh", "-c", line)
    return Fix(at, message, (_edit(target, words, new),), Safety.UNSAFE, _HELP, _review(target, stage, node, found))


def _blocker(
    target: Target,
    stage: Stage,
    node: Cmd | Entrypoint | Healthcheck,
    found: Unexpanded,
    entrypoint: Entrypoint | None,
) -> str | None:
    """Why the command cannot run in a shell; None if it can."""
    state = target.facts.end_state(stage)
    image = known(stage.base_ref)
    gone = next((name for name in found.names if name in state.args and name not in state.env), None)
    if gone is not None:
        return f"`{gone}` is an `ARG`, which is not set when the container runs; `ENV {gone}=${gone}` would keep it"
    if isinstance(node, Cmd) and entrypoint is not None and not runs_its_arguments(entrypoint.argv or ()):
        line = entrypoint.start_line
        return f"it passes arguments to the `ENTRYPOINT` on line {line}, which would receive `sh` instead"
    if isinstance(node, Cmd) and entrypoint is None and reads_command(stage):
        return f"the `ENTRYPOINT` of `{image}` checks the first word of the command, which would be `sh`"
    if stage.base is not None and stage.base.sh is None:
        return f"`{image}` has no `sh`"
    if found.blocker is not None:
        return found.blocker
    span = Span(node.args[0].span.start, node.args[-1].span.end)
    if any(isinstance(each, Comment) and span.overlaps(each.span) for each in node.trivia):
        return "there are comments between the words"
    return None


def _review(target: Target, stage: Stage, node: Cmd | Entrypoint | Healthcheck, found: Unexpanded) -> str:
    """What a reader of the fix must check."""
    state = target.facts.end_state(stage)
    services = next((found for each, found in services_by_stage(target) if each is stage), [])
    set_by = [frozenset(each.service.environment) for each in services]
    set_by_some = frozenset[str]().union(*set_by) if set_by else frozenset()
    text = " ".join(found.words)
    default = [name for name in found.names if f"${{{name}:-" in text or f"${{{name}-" in text]
    set_by_all = frozenset.intersection(*set_by) if set_by else frozenset()
    unset = [name for name in found.names if name not in (*state.env, *set_by_all, *default, *ALWAYS_SET)]
    points = []
    if unset:
        are, it = ("is", "it") if len(unset) == 1 else ("are", "them")
        who = f"not every service sets {it}" if set_by_some & {*unset} else f"no file of the project sets {it}"
        points.append(f"check that {_listed(unset)} {are} set when the container starts: {who}")
    if found.whole_lists:
        points.append(f"check that the shell should split {_listed(found.whole_lists)} into words")
    if stage.base is None:
        points.append("check that the image has `sh`" + (" and no `ENTRYPOINT`" if isinstance(node, Cmd) else ""))
    program = f"`{found.program}`" if found.program else "the command"
    return "; ".join(points) or f"check that {program} should use the value and not the text"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _edit(target: Target, words: tuple[Word, ...], new: tuple[str, ...]) -> Edit:
    """Replace the words by others, separated as the first two words of the file are."""
    span = Span(words[0].span.start, words[-1].span.end)
    gap = ", "
    if len(words) > 1:
        between = target.dockerfile.text[words[0].span.end : words[1].span.start]
        gap = between if set(between) <= {",", " "} else gap
    return replace(span, gap.join(json.dumps(word, ensure_ascii=False) for word in new))


CODEMOD: Final = Codemod(
    name="exec-form-variable",
    title="the exec form does not expand a variable",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("$",),
    findings=("cross 4",),
    promise=Promise(
        config=frozenset({Part.COMMAND, Part.ENTRYPOINT, Part.HEALTHCHECK}),
        rationale="The instructions only set the configuration of the image; no step of the build runs them.",
    ),
)
