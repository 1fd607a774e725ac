"""A variable in an exec form, which no shell expands.

## What it does

The exec form of CMD, ENTRYPOINT and HEALTHCHECK starts the program without a shell. It is then given the text
`${PORT}`, not the number:

```dockerfile
FROM python:3.13-slim
ENV PORT=8000
CMD ["uvicorn", "app:app", "--port", "${PORT}"]
```

becomes

```dockerfile
FROM python:3.13-slim
ENV PORT=8000
CMD ["sh", "-c", "exec uvicorn app:app --port \\"${PORT}\\""]
```

Each word with a variable is quoted, so that it stays one word. `exec` puts the program in the shell's place: it is the
container's first process as before, and gets its signals. An ENTRYPOINT passes on what it is given: the line ends in
`"$@"`.

## Why

`uvicorn --port '${PORT}'` fails at the start, and `myserver '$DATA_DIR'` makes a folder of that name and looks well.

## Safety

Unsafe: what a program was given changes, and the image must have `sh`. Variables that neither the image nor the build
sets are named; they must be given when the container starts. A word that is nothing but `$JAVA_OPTS` or another list
of options is left without quotes, so that it is split into words, as was meant.

## What it leaves alone

- A command that is a shell's (`["sh", "-c", "... $X"]`), and programs that read `$X` themselves: `envsubst`, `awk`,
  `nginx -g`, `python -c`, Elastic's Beats, and properties of Java programs, where Spring fills in `${X}`.
- `$$`, `\\$X`, `$1`, names in lower case that nothing sets.
- A command that is not in force: a later CMD of the stage, or an ENTRYPOINT in shell form, which takes no arguments.
- Refused: images without `sh`; an ARG, which is gone at run time; a CMD that gives arguments to an ENTRYPOINT, or
  stands in an image whose ENTRYPOINT looks at the command's first word, as that of postgres does; words that a shell
  would read differently; comments between the words.

## Sources

- https://docs.docker.com/reference/dockerfile/#exec-form, "Variable substitution"
- https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
- POSIX, Shell Command Language 2.2.3: what stands for itself in double quotes
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.model import known
from dockfix.facts.stages import Stage
from dockfix.project.services import services_by_stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Cmd, Comment, Entrypoint, Healthcheck, Word
from dockfix_codemods.exec_form_variable import analysis as execform

_WHY: Final = "a shell expands the variables, and exec puts the program in its place"


def check(target: Target) -> Iterator[Finding]:
    """Judge the commands in exec form that are in force at the end of each stage."""
    for stage in target.facts.graph.stages:
        if stage.base is not None and stage.base.family == "windows":
            continue
        state = target.facts.end_state(stage)
        is_set = {*state.env, *state.args}.__contains__
        last = {type(node): node for node in stage.instructions if isinstance(node, Cmd | Entrypoint | Healthcheck)}
        entrypoint = execform.effective_entrypoint(target.facts, stage)
        for node in last.values():
            if not node.json or node.argv is None or (isinstance(node, Cmd) and entrypoint and not entrypoint.json):
                continue
            found = execform.unexpanded(node.argv, is_set)
            if found is not None:
                yield _finding(target, stage, node, found, entrypoint)


def _finding(
    target: Target,
    stage: Stage,
    node: Cmd | Entrypoint | Healthcheck,
    found: execform.Unexpanded,
    entrypoint: Entrypoint | None,
) -> Finding:
    words = node.args[1:] if isinstance(node, Healthcheck) else node.args
    at = next(word.span for word in words if word.text == found.words[0])
    message = f"{found.program} gets the text {found.words[0]}: nothing expands {found.names[0]} in exec form"
    if not found.program:
        message = f"no program is called {found.words[0]}: nothing expands {found.names[0]} in exec form"
    reason = _obstacle(target, stage, node, found, entrypoint)
    if reason:
        return Refusal(at, message, reason)
    line = f'{found.line} "$@"' if isinstance(node, Entrypoint) else found.line
    new = ("sh", "-c", line, "sh") if isinstance(node, Entrypoint) else ("sh", "-c", line)
    return Fix(at, message, (_edit(target, words, new),), Safety.UNSAFE, _WHY, _look_at(target, stage, node, found))


def _obstacle(
    target: Target,
    stage: Stage,
    node: Cmd | Entrypoint | Healthcheck,
    found: execform.Unexpanded,
    entrypoint: Entrypoint | None,
) -> str:
    """Why the command cannot be handed to a shell; empty if it can."""
    state = target.facts.end_state(stage)
    gone = [name for name in found.names if name in state.args and name not in state.env]
    if gone:
        return f"{gone[0]} is an ARG, which is gone when the container runs; ENV {gone[0]}=${gone[0]} would keep it"
    if isinstance(node, Cmd) and entrypoint is not None and not execform.runs_its_arguments(entrypoint.argv or ()):
        return f"it gives arguments to the ENTRYPOINT on line {entrypoint.start_line}, which would be given sh for them"
    if isinstance(node, Cmd) and entrypoint is None and execform.reads_command(stage):
        return f"the ENTRYPOINT of {known(stage.base_ref)} looks at the command's first word, which would be sh"
    if stage.base is not None and stage.base.sh is None:
        return f"{known(stage.base_ref)} has no sh"
    if found.unclear:
        return found.unclear
    span = Span(node.args[0].span.start, node.args[-1].span.end)
    if any(isinstance(each, Comment) and span.overlaps(each.span) for each in node.trivia):
        return "comments stand between its words"
    return ""


def _look_at(target: Target, stage: Stage, node: Cmd | Entrypoint | Healthcheck, found: execform.Unexpanded) -> str:
    state = target.facts.end_state(stage)
    services = next((found for each, found in services_by_stage(target) if each is stage), [])
    set_by = [frozenset(each.service.environment) for each in services]
    given = frozenset[str]().union(*set_by) if set_by else frozenset()
    text = " ".join(found.words)
    default = [name for name in found.names if f"${{{name}:-" in text or f"${{{name}-" in text]
    for_all = frozenset.intersection(*set_by) if set_by else frozenset()
    unset = [name for name in found.names if name not in (*state.env, *for_all, *default, *execform.ALWAYS_SET)]
    points = []
    if unset:
        who = "not every service sets one" if given & {*unset} else "nothing here sets one"
        points.append(f"that a value is given for {', '.join(unset)} when the container starts: {who}")
    if found.whole_lists:
        points.append(f"that {', '.join(found.whole_lists)} is to be split into words")
    if stage.base is None:
        points.append("that the image has sh" + (", and no ENTRYPOINT of its own" if isinstance(node, Cmd) else ""))
    return "; ".join(points) or f"that {found.program or 'it'} is to be given the value, and not the text"


def _edit(target: Target, words: tuple[Word, ...], new: tuple[str, ...]) -> Edit:
    """The words in place of others, with the gap behind the comma that the file has between its first two."""
    span = Span(words[0].span.start, words[-1].span.end)
    gap = ", "
    if len(words) > 1:
        between = target.dockerfile.text[words[0].span.end : words[1].span.start]
        gap = between if set(between) <= {",", " "} else gap
    return surgery.replace(span, gap.join(json.dumps(word, ensure_ascii=False) for word in new))


CODEMOD: Final = Codemod(
    name="exec-form-variable",
    title="a variable in exec form is not expanded",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.METADATA}),
    check=check,
    since="0.1.0",
    triggers=("$",),
    page=__doc__,
    findings=("cross 4",),
)
