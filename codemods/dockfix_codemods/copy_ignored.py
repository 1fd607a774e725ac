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
`COPY`. Every build with this ignore file gets the file, so a `COPY . .` copies it, too. All exceptions that an
ignore file lacks are added together.

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

from msgspec import Struct

from dockfix.facts.model import Known
from dockfix.project.context import Context
from dockfix.project.ignore import parse_ignore
from dockfix.project.patterns import clean, has_wildcard
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
    Requires,
    Safety,
    Severity,
)
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Add, Copy, Instruction, Run

_REMOTE: Final = re.compile(r"[a-zA-Z0-9]+://|[\w-]+@[a-zA-Z0-9.-]+:")
_SECRET: Final = re.compile(
    r"\.env(?:\.(?!example|sample|template|dist).*)?|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|jks)"
    r"|\.(?:ssh|aws|netrc|npmrc|pypirc|git-credentials|kube)|credentials.*|secrets?(?:\..*)?"
)
_MOST_NAMED: Final = 10
_EXCEPTION: Final = "add an exception (`!`) to the ignore file, or remove the copy"
_REVIEW: Final = "check that the image may contain it: every build with this ignore file then gets it"
_PLAIN: Final = re.compile(r"[\w./@+~,=-][\w./@+~,= -]*")


class _Missing(Struct, frozen=True):
    """A source that an exception in the ignore file `ignore` would include again."""

    file: Path
    at: Span
    message: str
    path: str
    ignore: Path


def check_project(workspace: Workspace) -> Iterator[Finding]:
    """Find the sources that the builders of all Dockerfiles do not get.

    All findings of an ignore file have the same fix, which adds all exceptions: each of its own would touch the others.
    """
    missing: dict[Path, list[_Missing]] = {}
    for target in workspace.targets:
        for found in _in_file(target):
            if isinstance(found, _Missing):
                missing.setdefault(found.ignore, []).append(found)
            else:
                yield found
    for ignore, items in missing.items():
        paths = list(dict.fromkeys(item.path for item in items))
        change = _exceptions(workspace.text(ignore), ignore, paths)
        shown = display(ignore, workspace.project.root)
        names = ", ".join(f"`!{path}`" for path in paths[:_MOST_NAMED]) + (", ..." if len(paths) > _MOST_NAMED else "")
        help_ = f"add the exception{'s' if len(paths) > 1 else ''} {names} to `{shown}`"
        for item in items:
            if change is None:
                yield Refusal(item.at, item.message, "the exception cannot be written", file=item.file)
            else:
                yield Fix(item.at, item.message, (), Safety.UNSAFE, help_, _REVIEW, None, (change,), item.file)


def _in_file(target: Target) -> Iterator[_Missing | Advice | Refusal]:
    contexts = target.possible_contexts
    if not contexts or not all(context.ignore.patterns for context in contexts):
        return
    reported: set[str] = set()
    for stage in target.facts.graph.stages:
        for node in stage.executed:
            for source, at in _sources(target, node):
                path = clean("/" + source).lstrip("/")
                if path not in reported:
                    finding = _finding(target, contexts, path, at) if path else _nothing(target, contexts, node, at)
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


def _finding(target: Target, contexts: tuple[Context, ...], path: str, at: Span) -> _Missing | Advice | Refusal | None:
    first = contexts[0]
    if first.ignore.path is None:
        return None
    shown = display(Path(first.ignore.path), target.project.root)
    if has_wildcard(path):
        if all(_sends_no_match(context, path) for context in contexts):
            message = f"`{shown}` excludes all files that match `{path}`, so nothing is copied"
            return Advice(at, message, Severity.WARNING, target.real, help=_EXCEPTION)
        return None
    if not all(_is_kept_out(context, path) for context in contexts):
        return None
    lines = first.ignore.lines_that_match(path)
    line = f" (line {lines[-1]})" if lines else ""
    message = f"`{path}` is excluded from the build context by `{shown}`{line}: the build fails"
    file = target.project.files.real(Path(first.ignore.path))
    if any(_SECRET.fullmatch(part) for part in path.split("/")):
        return Refusal(at, message, "its name is that of a secret, which an image should not contain", file=target.real)
    if len({context.ignore.path for context in contexts}) > 1:
        return Refusal(at, message, "which ignore file the build uses is not known", file=target.real)
    if file is None or not _PLAIN.fullmatch(path) or path.endswith(" "):
        return Refusal(at, message, "the exception cannot be written", file=target.real)
    return _Missing(target.real, at, message, path, file)


def _nothing(target: Target, contexts: tuple[Context, ...], node: Instruction, at: Span) -> Advice | None:
    """A copy of the whole context of which nothing is left."""
    shown = contexts[0].ignore.path
    if shown is None or isinstance(node, Run) or not all(_sends_no_match(context, "*") for context in contexts):
        return None
    message = f"`{display(Path(shown), target.project.root)}` excludes all files, so nothing is copied"
    return Advice(at, message, Severity.WARNING, target.real, help=_EXCEPTION)


def _is_kept_out(context: Context, path: str) -> bool:
    """Whether the build sends neither a path nor anything below it."""
    return context.ignored(path) and (context.is_file(path) or not context.ignore.may_return_below(path))


def _sends_no_match(context: Context, path: str) -> bool:
    matches = context.glob(path)
    return bool(matches) and all(_is_kept_out(context, each) for each in matches or ())


def _exceptions(text: str, file: Path, paths: list[str]) -> Change | None:
    """The change of an ignore file that includes paths again; the last pattern that matches decides."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = "".join(f"!{path}{newline}" for path in paths)
    before = "" if text.endswith("\n") or not text else newline
    rules = parse_ignore(text + before + lines)
    if any(rules.ignored(path) for path in paths):
        return None
    return Change(file, (Edit(len(text), len(text), before + lines),))


CODEMOD: Final = Codemod(
    name="copy-ignored",
    title="a `COPY` names a file that the ignore file excludes",
    severity=Severity.ERROR,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.IGNORE}),
    check=None,
    check_project=check_project,
    since="0.1.0",
    triggers=("copy", "add", "mount"),
    requires=Requires.IGNORE,
    checks=frozenset({"CopyIgnoredFile"}),
    promise=Promise(
        adds=("/**",),
        changes=("**/.dockerignore", "**/*.dockerignore"),
        rationale="The build context has one file more, which instructions that copy its folder copy, too.",
    ),
)
