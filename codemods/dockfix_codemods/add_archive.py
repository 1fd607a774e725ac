"""An archive is copied, and then unpacked by a `RUN`.

## What it does

Finds a `COPY` of a tar archive that a later `RUN` of the same stage unpacks, and uses `ADD`, which does both.

## Why is this bad?

The archive stays in the layer of the `COPY`, even if the `RUN` removes it: the image has it twice, packed and
unpacked.

## Example

```dockerfile
FROM debian:12
COPY app.tar.gz /tmp/
RUN tar -xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz && ldconfig
```

Use instead:

```dockerfile
FROM debian:12
ADD app.tar.gz /opt/
RUN ldconfig
```

## Fix safety

The fix is unsafe: the files are there earlier, before the commands between the `COPY` and the `tar`, and the
archive is no longer in the image. Check that nothing else needs it, nor the folder that it was in. Owners and modes
are those of the archive in both cases, since `tar` runs as root.

## When it does not apply

- Archives of another stage (`--from`), and zip files, which `ADD` does not unpack.
- A file in the context that is no tar archive, whatever its name.
- Without a fix: options of `tar` other than `-x`, `-z`, `-j`, `-J`, `-v`, `-p`, `-f` and `-C`, such as
  `--strip-components`; several sources, `--chown` and `--chmod`; a user other than root; other commands that use
  the archive; a comment for a tool, such as `# hadolint ignore=`, above the `COPY`.

## References

- https://docs.docker.com/build/building/best-practices/#add-or-copy
- https://docs.docker.com/reference/dockerfile/#adding-local-tar-archives
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.edit.dockerfile import delete_block, delete_commands, own_comments, replace_keyword
from dockfix.facts.commands import Step
from dockfix.facts.model import Known, Refused
from dockfix.facts.paths import normal_path
from dockfix.project.archives import is_unpacked
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Promise, Refusal, Safety, Severity
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.tree import Copy, Run, Word

_MESSAGE: Final = "the archive is copied, and then unpacked in another layer: `ADD` unpacks it"
_UNPACK_LETTERS: Final = frozenset("xzjJvpf")
_TAR_ENDINGS: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tb2", ".tar.xz", ".txz")


class _Archive(Struct, frozen=True):
    """An archive that a COPY writes to `path`."""

    copy: Copy
    source: Word
    path: str


class _Use(Struct, frozen=True):
    """A command that names an archive."""

    run: Run
    step: Step


def check(target: Target) -> Iterator[Finding]:
    """Find the archives that a stage copies and unpacks."""
    copies = [each for each in target.dockerfile.instructions if isinstance(each, Copy) and each.flag("from")]
    taken = frozenset(posixpath.basename(word.text) for each in copies for word in each.sources)
    for stage in target.facts.graph.stages:
        archives: dict[str, _Archive] = {}
        uses: dict[str, list[_Use]] = {}
        for node in stage.executed:
            if isinstance(node, Copy):
                archives |= {each.path: each for each in _copied(target, node)}
            elif isinstance(node, Run) and archives:
                for step in target.facts.commands(node).steps:
                    for path in _named(target, node, step, archives):
                        uses.setdefault(path, []).append(_Use(node, step))
        for path, archive in archives.items():
            if any(_extracts(use.step) for use in uses.get(path, ())):
                yield _finding(target, archive, uses[path], taken)


def _copied(target: Target, copy: Copy) -> Iterator[_Archive]:
    if copy.flag("from") is not None or copy.destination is None:
        return
    state = target.facts.state(copy)
    to = state.expand(copy.destination.text, copy.escape)
    workdir = state.workdir
    if not isinstance(to, Known) or not (to.value.startswith("/") or isinstance(workdir, Known)):
        return
    base = normal_path(posixpath.join(workdir.value if isinstance(workdir, Known) else "/", to.value))
    for word in copy.paths:
        source = state.expand(word.text, copy.escape)
        if not isinstance(source, Known) or not _is_tar_name(source.value):
            continue
        unpacked = [is_unpacked(context, source.value) for context in target.possible_contexts]
        if False not in unpacked:
            name = posixpath.basename(source.value)
            yield _Archive(copy, word, base if _is_tar_name(base) else posixpath.join(base, name))


def _is_tar_name(path: str) -> bool:
    """Whether a name is that of an archive which ADD unpacks: `a.gz` may be any file, `a.tar.gz` is one."""
    return posixpath.basename(path).lower().endswith(_TAR_ENDINGS)


def _named(target: Target, run: Run, step: Step, archives: dict[str, _Archive]) -> Iterator[str]:
    """The archives that a command names, by their paths."""
    folder = step.directory(target.facts.state(run).workdir)
    for word in step.command.args:
        name = (word.value or "").removeprefix("--file=")
        if name and (name.startswith("/") or isinstance(folder, Known)):
            path = normal_path(posixpath.join(folder.value if isinstance(folder, Known) else "/", name))
            if path in archives:
                yield path


def _extracts(step: Step) -> bool:
    if step.command.basename != "tar" or not step.command.args:
        return False
    texts = [word.text for word in step.command.args]
    if texts[0].isalpha() and "x" in texts[0]:
        return True  # the old form, `tar xf`
    bundles = [text for text in texts if text.startswith("-") and not text.startswith("--")]
    return any("x" in text for text in bundles) or bool({"--extract", "--get"} & set(texts))


def _finding(target: Target, archive: _Archive, uses: Sequence[_Use], taken: frozenset[str]) -> Finding:
    at = archive.copy.keyword.span
    try:
        if posixpath.basename(archive.path) in taken:
            raise Refused("another stage copies the archive")
        folder = _folder(target, archive, uses)
        edits = (*_add(target, archive, folder), *_without_commands(target, uses))
    except Refused as refused:
        return Refusal(at, _MESSAGE, str(refused))
    review = f"check that nothing else needs the archive, or the commands before `tar` without the files in `{folder}`"
    return Fix(at, _MESSAGE, edits, Safety.UNSAFE, f"use `ADD`, and unpack to `{folder}`", review)


def _folder(target: Target, archive: _Archive, uses: Sequence[_Use]) -> str:
    """The folder that a plain `tar -x` unpacks to.

    Raises:
        Refused: ADD would not do the same.
    """
    if archive.copy.flags or len(archive.copy.sources) > 1:
        raise Refused("the `COPY` has flags or several sources")
    run, step = uses[0].run, uses[0].step
    if not _extracts(step) or any(use.step.command.basename != "rm" for use in uses[1:]):
        raise Refused("another command uses the archive")
    if target.facts.state(run).is_root != Known(True) or step.user_changed:
        raise Refused("`tar` may not run as root, which decides the owner of the files")
    words = [word.value for word in step.command.args]
    directory = step.directory(target.facts.state(run).workdir)
    folder = directory.value if isinstance(directory, Known) else None
    plain = step.command.context & ~ShellContext.GROUP
    if None in words or plain or not set((words[0] or "").lstrip("-")) <= _UNPACK_LETTERS:
        raise Refused("`tar` does more than unpack the archive")
    rest = words[1:]
    if "-C" in rest[:-1]:
        index = rest.index("-C")
        given = rest[index + 1] or ""
        if folder is not None or given.startswith("/"):
            folder = normal_path(posixpath.join(folder or "/", given))
        del rest[index : index + 2]
    if len(rest) != 1 or not (words[0] or "").endswith("f"):
        raise Refused("`tar` does more than unpack the archive")
    if folder is None:
        raise Refused("the folder that `tar` unpacks to is not known, nor is the working directory")
    return folder


def _add(target: Target, archive: _Archive, folder: str) -> tuple[Edit, ...]:
    keyword, destination = archive.copy.keyword, archive.copy.destination
    if destination is None or archive.copy.json or set(folder) & set(" \"'\\$`") or archive.copy.multiline:
        raise Refused("the destination cannot be written")
    new = "ADD" if keyword.text.isupper() else "add"
    renamed = replace_keyword(target.dockerfile, archive.copy, new)
    return renamed, Edit(*destination.span, folder.rstrip("/") + "/")


def _without_commands(target: Target, uses: Sequence[_Use]) -> Iterator[Edit]:
    """Delete the `tar`, and the `rm` of the archive after it."""
    run = uses[0].run
    if any(use.run is not run for use in uses) or len(uses) > 2:
        raise Refused("several instructions use the archive")
    commands = target.facts.commands(run)
    own = [step for step in commands.steps if any(step is use.step for use in uses)]
    for use in uses[1:]:
        operands = [word.value for word in use.step.command.args if not (word.value or "").startswith("-")]
        if len(operands) != 1 or use.step.command.context & ~ShellContext.GROUP:
            raise Refused("`rm` removes more than the archive")
    positions = [index for index, step in enumerate(commands.steps) if any(step is each for each in own)]
    if positions != list(range(positions[0], positions[0] + len(own))):
        raise Refused("there are commands between `tar` and `rm`")
    if len(own) == len(commands.steps):
        if own_comments(target.dockerfile, run) or run.comments:
            raise Refused("the comment of the `RUN` would be lost")
        yield delete_block(target.dockerfile, run.lines)
        return
    yield from delete_commands(target.dockerfile, run, commands.text, own[0].command, own[-1].command)


CODEMOD: Final = Codemod(
    name="add-archive",
    title="an archive is copied, and then unpacked by a `RUN`",
    severity=Severity.INFO,
    category=Category.SIZE,
    effects=frozenset({Effect.COPIES, Effect.COMMANDS, Effect.STEPS}),
    check=check,
    since="0.1.0",
    triggers=("tar",),
    hadolint=frozenset({"DL3010"}),
    promise=Promise(
        removes=("**/*.tar", "**/*.tar.*", "**/*.tgz", "**/*.tbz*", "**/*.txz", "**/*.tlz", "**/*.tb2", "**/*.tpz"),
        rationale="The archive is no longer in the image; what it contains is unpacked to the same folder.",
    ),
)
