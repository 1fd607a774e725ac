"""`ADD` copies local files, where `COPY` is enough.

## What it does

Finds an `ADD` that only copies files and folders of the build context, and uses `COPY` instead.

## Why is this bad?

`ADD` also unpacks archives, downloads URLs and clones git repositories. A reader cannot tell which of these is
meant, and a file that becomes an archive later is unpacked without a word.

## Example

```dockerfile
FROM python:3.12
ADD requirements.txt /app/
ADD . /app/
```

Use instead:

```dockerfile
FROM python:3.12
COPY requirements.txt /app/
COPY . /app/
```

## Fix safety

Both instructions are the same file operation, except that `ADD` unpacks a regular file that is a tar archive. The
builder looks at the content and not at the name, so the rule reads the file as BuildKit does. It looks in the build
contexts that compose and bake files name; if they name none, in the folder of the Dockerfile and in the project
root. The fix is safe if

- the source is the build context itself, or has a slash at its end, as only a folder does; archives inside a folder
  are not unpacked;
- the file or folder is there, and no archive in any of these contexts. A pattern must also have an ending of source
  code, text, a program or a zip file (`*.py`, `*.jar`), since it may match more in another build.

Otherwise the fix is unsafe: a file that is not there, because another program makes it before the build or because the
context is not known, may be an archive whatever its name says. Check it.

## When it does not apply

- Archives, by their content or their name, if one of the sources is one; `.zip` files are no archives for `ADD`.
- URLs and git repositories, and `--checksum`, `--keep-git-dir` and `--unpack`.
- A source with a variable whose value is not known: it may be an archive or a URL.
- A comment for a tool, such as `# hadolint ignore=`, is above the instruction.
- `ONBUILD ADD`, whose files belong to another build.

## References

- https://docs.docker.com/build/building/best-practices/#add-or-copy
- https://docs.docker.com/reference/dockerfile/#add
- moby/buildkit, `solver/llbsolver/file/unpack.go`
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final

from dockfix.edit.dockerfile import replace_keyword
from dockfix.facts.model import Known, Refused
from dockfix.facts.tables.filesystem import ARCHIVE_ENDINGS, FILE_NAMES, NOT_TAR_ENDINGS
from dockfix.project.archives import is_unpacked
from dockfix.project.patterns import clean, has_wildcard
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.tree import Add, Word
from dockfix.syntax.words import variables

_MESSAGE: Final = "`ADD` can unpack archives and fetch URLs: `COPY` is enough for local files"
_SHARED_FLAGS: Final = frozenset({"chown", "chmod", "link", "exclude"})
_REMOTE: Final = re.compile(r"[a-zA-Z0-9]+://|[\w-]+@[a-zA-Z0-9.-]+:|github\.com/")
"""BuildKit's URLs and git repositories (`util/gitutil/git_url.go`, `util/sshutil/scpurl.go`)."""


class _Source(enum.Enum):
    PLAIN = "it is copied, as by COPY"
    UNSURE = "it may be an archive"
    SPECIAL = "ADD does more with it"


def check(target: Target) -> Iterator[Finding]:
    """Find the ADDs that do what COPY does."""
    for add in target.dockerfile.instructions:
        if not isinstance(add, Add) or add.destination is None or {flag.name for flag in add.flags} - _SHARED_FLAGS:
            continue
        yield from _finding(target, add)


def _finding(target: Target, add: Add) -> Iterator[Finding]:
    state = target.facts.state(add)
    unknown: Word | None = None
    unsure: list[str] = []
    for word in add.paths:
        if _REMOTE.match(word.text.lstrip("\"'")) or "{{" in word.text:
            return  # a URL with variables; a placeholder of a template
        text = state.expand(word.text, add.escape)
        if not isinstance(text, Known) or ("$" in word.text and _assumes(target, add, word)):
            if _by_name(word.text) is _Source.SPECIAL:
                return
            unknown = word
            continue
        kind = _kind(target, text.value)
        if kind is _Source.SPECIAL:
            return
        if kind is _Source.UNSURE:
            unsure.append(word.text)
    at = add.keyword.span
    if unknown is not None:
        note = f"`{unknown.text}` depends on the build, and may be an archive or a URL"
        yield Refusal(at, _MESSAGE, note, cause=None)
        return
    try:
        edits = (replace_keyword(target.dockerfile, add, _keyword_like(add.keyword.text)),)
    except Refused as refused:
        yield Refusal(at, _MESSAGE, refused.reason, cause=None)
        return
    if unsure:
        names = ", ".join(f"`{name}`" for name in unsure)
        review = f"check that {names} {'is' if len(unsure) == 1 else 'are'} not a tar archive, which `ADD` unpacks"
        yield Fix(at, _MESSAGE, edits, Safety.UNSAFE, "use `COPY`", review, cause="unsure")
    else:
        yield Fix(at, _MESSAGE, edits, Safety.SAFE, "use `COPY`", cause="local files")


def _assumes(target: Target, add: Add, word: Word) -> bool:
    """Whether a source depends on an ARG, for which a build may pass another value."""
    state = target.facts.state(add)
    return any(state.assumes(name) for name in variables(word.text, add.escape))


def _kind(target: Target, source: str) -> _Source:
    if _REMOTE.match(source):
        return _Source.SPECIAL
    path = clean("/" + source).lstrip("/")
    if not path:
        return _Source.PLAIN  # the context itself, which is a folder
    named = _by_name(source)
    if named is _Source.SPECIAL:
        return named
    seen = False
    for context in target.possible_contexts:
        matches = context.glob(path)
        if matches is None:
            return _folder_or_unsure(source)
        unpacked = [is_unpacked(context, each) for each in matches]
        if True in unpacked:
            return _Source.SPECIAL
        if None in unpacked:
            return _Source.UNSURE
        seen = seen or bool(matches)
    # a pattern may match more in another build: then the ending of its name must say what it matches, too
    if seen and target.contexts_known and (not has_wildcard(path) or named is _Source.PLAIN):
        return _Source.PLAIN
    return _folder_or_unsure(source)


def _folder_or_unsure(source: str) -> _Source:
    """What a source is that cannot be seen: a name is no proof of a content, but a slash at the end is a folder's."""
    return _Source.PLAIN if source.endswith("/") else _Source.UNSURE


def _by_name(source: str) -> _Source:
    """What a source should be by its name; a folder by the slash at its end."""
    name = re.split(r"[/\\]", source.rstrip("/"))[-1].strip("\"'")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in ARCHIVE_ENDINGS:
        return _Source.SPECIAL
    if ending in NOT_TAR_ENDINGS or name in FILE_NAMES or source.endswith("/"):
        return _Source.PLAIN
    return _Source.UNSURE


def _keyword_like(keyword: str) -> str:
    if keyword.isupper():
        return "COPY"
    return "copy" if keyword.islower() else "Copy"


CODEMOD: Final = Codemod(
    name="add-to-copy",
    title="`ADD` copies local files, where `COPY` is enough",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.COPIES, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("add",),
    hadolint=frozenset({"DL3020"}),
    promise=Promise(rationale="Both instructions copy the same files to the same place, with the same owner and mode."),
)
