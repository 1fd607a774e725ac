"""A `COPY` names a file that the ignore file excludes.

## What it does

Finds a `COPY`, `ADD` or bind mount with a source that `.dockerignore` (or the `NAME.dockerignore` of the
Dockerfile) excludes from the build context, and adds an exception to the ignore file.

## Why is this bad?

The builder never gets the file. The build fails with `"/dist/app.js": not found`, although the file exists. A
pattern (`*.js`) whose matches are all excluded copies nothing, without an error.

## Example

With

```dockerfile Dockerfile
FROM nginx:1.27
COPY dist/index.html /usr/share/nginx/html/
```

the ignore file

```text .dockerignore
node_modules
dist
```

Use instead:

```text .dockerignore
node_modules
dist
!dist/index.html
```

## Fix safety

The fix is unsafe: it sends a file that someone has excluded. Check that it may be in the image; if not, remove the
`COPY`. Every build with this ignore file gets the file, so a `COPY . .` copies it, too.

## When it does not apply

- Another stage or a named context (`--from`), URLs, and heredocs.
- A folder of which an exception (`!`) includes a part.
- A source with a variable whose value is not known.
- Names of secrets, such as `.env` and `id_rsa`: the finding has no fix.
- No compose or bake file names the context, and the folder of the Dockerfile and the project root do not agree.

## References

- https://docs.docker.com/reference/build-checks/copy-ignored-file/
- https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dockfix.facts.model import Known
from dockfix.project.context import Context
from dockfix.project.ignore import parse_ignore
from dockfix.project.patterns import clean, has_wildcard
from dockfix.project.problems import InputError
from dockfix.project.target import Target, display
from dockfix.rule import (
    Advice,
    Category,
    Change,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Promise,
    Refusal,
    Safety,
    Severity,
)
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Add, Copy, Instruction, Run

_REMOTE: Final = re.compile(r"[a-zA-Z0-9]+://|[\w-]+@[a-zA-Z0-9.-]+:")
_SECRET: Final = re.compile(
    r"\.env(?:\.(?!example|sample|template|dist).*)?|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|jks)"
    r"|\.(?:ssh|aws|netrc|npmrc|pypirc|git-credentials|kube)|credentials.*|secrets?(?:\..*)?"
)
_PLAIN: Final = re.compile(r"[\w./@+~,=-][\w./@+~,= -]*")


def check(target: Target) -> Iterator[Finding]:
    """Find the sources that the builder does not get."""
    contexts = target.possible_contexts
    if not contexts or not all(context.ignore.patterns for context in contexts):
        return
    reported: set[str] = set()
    for stage in target.facts.graph.stages:
        for node in stage.executed:
            for source, at in _sources(target, node):
                path = clean("/" + source).lstrip("/")
                if path and path not in reported:
                    finding = _finding(target, contexts, path, at)
                    if finding is not None:
                        reported.add(path)
                        yield finding


def _sources(target: Target, node: Instruction) -> Iterator[tuple[str, Span]]:
    """What an instruction takes from the build context, with its place."""
    found: list[tuple[str, Span]] = []
    if isinstance(node, Copy | Add) and node.flag("from") is None:
        found = [(word.text, word.span) for word in node.paths]
    elif isinstance(node, Run):
        mounts = [mount for mount in node.mounts if mount.kind == "bind" and mount.get("from") is None]
        found = [(mount.get("source") or ".", mount.span) for mount in mounts]
    for text, at in found:
        value = target.facts.state(node).expand(text, node.escape)
        if isinstance(value, Known) and not _REMOTE.match(value.value):
            yield value.value, at


def _finding(target: Target, contexts: tuple[Context, ...], path: str, at: Span) -> Finding | None:
    first = contexts[0]
    if first.ignore.path is None:
        return None
    shown = display(Path(first.ignore.path), target.project.root)
    if has_wildcard(path):
        if all(_sends_no_match(context, path) for context in contexts):
            message = f"`{shown}` excludes all files that match `{path}`, so nothing is copied"
            return Advice(at, message, Severity.WARNING)
        return None
    if not all(_is_kept_out(context, path) for context in contexts):
        return None
    lines = first.ignore.lines_that_match(path)
    line = f" (line {lines[-1]})" if lines else ""
    message = f"`{path}` is excluded from the build context by `{shown}`{line}: the build fails"
    if any(_SECRET.fullmatch(part) for part in path.split("/")):
        return Refusal(at, message, "its name is that of a secret, which an image should not contain")
    if len({context.ignore.path for context in contexts}) > 1:
        return Refusal(at, message, "which ignore file the build uses is not known")
    change = _exception(target, first, path)
    if change is None:
        return Refusal(at, message, "the exception cannot be written")
    return Fix(
        at,
        message,
        (),
        Safety.UNSAFE,
        f"add the exception `!{path}` to `{shown}`",
        "check that the image may contain it: every build with this ignore file then gets it",
        other_files=(change,),
    )


def _is_kept_out(context: Context, path: str) -> bool:
    """Whether the build sends neither a path nor anything below it."""
    return context.ignored(path) and (context.is_file(path) or not context.ignore.may_return_below(path))


def _sends_no_match(context: Context, path: str) -> bool:
    matches = context.glob(path)
    return bool(matches) and all(_is_kept_out(context, each) for each in matches or ())


def _exception(target: Target, context: Context, path: str) -> Change | None:
    """The change of the ignore file that includes a path again; the last pattern that matches decides."""
    file = target.project.files.real(Path(context.ignore.path or ""))
    if file is None or not _PLAIN.fullmatch(path) or path.endswith(" "):
        return None
    try:
        text = target.project.files.read(file).text
    except InputError:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    line = ("" if text.endswith("\n") or not text else newline) + f"!{path}{newline}"
    if parse_ignore(text + line).ignored(path):
        return None
    return Change(file, (Edit(len(text), len(text), line),))


CODEMOD: Final = Codemod(
    name="copy-ignored",
    title="a `COPY` names a file that the ignore file excludes",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.IGNORE}),
    check=check,
    since="0.1.0",
    triggers=("copy", "add", "mount"),
    findings=("missed",),
    checks=frozenset({"CopyIgnoredFile"}),
    promise=Promise(
        adds=("/**",),
        changes=("**/.dockerignore", "**/*.dockerignore"),
        rationale="The build context has one file more, which instructions that copy its folder copy, too.",
    ),
)
