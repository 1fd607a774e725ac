"""What the project's files tell of the PostgreSQL server in an image: its settings and init scripts.

Texts are searched, not executed. If a text cannot be read (an unknown context, a compressed dump), the result says why,
and a codemod refuses.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct

from dockfix.facts.model import Known, Refused, known
from dockfix.facts.paths import normal_path
from dockfix.facts.postgres import INIT_FOLDER, SERVER_IMAGES, Installed, Library, installed_libraries, server_image
from dockfix.facts.stages import Stage
from dockfix.project.patterns import has_wildcard, match
from dockfix.project.problems import InputError
from dockfix.project.stage_services import CheckedService, services_by_stage
from dockfix.project.target import Target
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Instruction

_PRELOAD: Final = "shared_preload_libraries"
_MOST_FILES: Final = 500
_MOST_DIGITS: Final = 100
_MOST_BYTES: Final = 512 * 1024
_CONFIGURES: Final = ("/etc/postgresql", "/usr/share/postgresql", "/var/lib/postgresql", INIT_FOLDER)
_COMMENT: Final = re.compile(r"(?m)^\s*(?:#|--).*$")
_VARIABLE: Final = re.compile(_PRELOAD + r"\s*=\s*[\\'\"]*[^'\"\s]*[$%]")
_DATABASE: Final = re.compile(r"cron\.database_name\s*=?\s*[\\'\"]*([^\\'\"\s;,\]]*)")
_RUN_BY_INIT: Final = (".sh", ".sql", ".sql.gz", ".sql.xz", ".sql.zst")
_ENTRYPOINTS: Final = (("docker-entrypoint.sh",), ("/usr/local/bin/docker-entrypoint.sh",))


class InitScript(Struct, frozen=True):
    """A file that the entrypoint finds. `path` is its path in the image, `source` in the context; `copy` copies it."""

    path: str
    source: str
    copy: Copy | Add

    @property
    def name(self) -> str:
        """Its name, by which the entrypoint sorts."""
        return posixpath.basename(self.path)


class Place(Struct, frozen=True):
    """Where a new init script goes: its path in the context, and how it gets into the image.

    `model` is the COPY whose style a new one follows, `destination` its last word; "" if an existing COPY includes the
    file.
    """

    source: str
    model: Copy | Add | None
    destination: str


class _Text(Struct, frozen=True):
    text: str
    where: str
    compose: bool = False


class Server(Struct, frozen=True, eq=False, dict=True):
    """A stage whose image runs a server. `program` are its instructions after the base image, parents first."""

    target: Target
    stage: Stage
    program: tuple[Instruction, ...]
    image: str
    installed: tuple[Installed, ...]
    services: tuple[CheckedService, ...]

    @property
    def base_preloads(self) -> tuple[str, ...]:
        """The libraries that the base image preloads."""
        return SERVER_IMAGES[self.image]

    @property
    def command(self) -> Cmd | None:
        """The CMD in force; None if it is the base image's, `postgres`."""
        found: Cmd | None = None
        for node in self.program:
            if isinstance(node, Cmd | Entrypoint):
                found = node if isinstance(node, Cmd) else None
        return found

    @property
    def own_entrypoint(self) -> Entrypoint | None:
        """An ENTRYPOINT other than the official one."""
        last = [node for node in self.program if isinstance(node, Entrypoint)][-1:]
        return next((node for node in last if node.argv not in _ENTRYPOINTS), None)

    @cached_property
    def _copied(self) -> tuple[tuple[InitScript, ...], str | None]:
        """All files copied from the context, with their destinations; and why the list is incomplete, if it is."""
        found: list[InitScript] = []
        why = None
        for node in self.program:
            if isinstance(node, Copy | Add):
                files, reason = self._destinations(node)
                found += files
                why = why or reason
        return tuple(found), why

    def _destinations(self, copy: Copy | Add) -> tuple[list[InitScript], str | None]:
        state = self.target.facts.state(copy)
        to = state.expand(copy.destination.text, copy.escape) if copy.destination is not None else None
        if not isinstance(to, Known):
            return [], f"where the files of line {copy.start_line} go is not known"
        folder = to.value
        if not folder.startswith("/"):
            folder = posixpath.join(state.workdir.value, folder) if isinstance(state.workdir, Known) else ""
        written = f"{folder}/" if posixpath.basename(folder) in (".", "..") else folder
        folder = normal_path(folder) if folder else ""
        matters = _may_configure(folder, written)
        if not folder or copy.flag("from") is not None or self.target.context is None:
            why = self._not_read(copy) if folder else f"where the files of line {copy.start_line} go is not known"
            return [], why if matters else None
        files, why = self._from_context(copy, written, folder)
        return files, why if matters else None

    def _not_read(self, copy: Copy | Add) -> str | None:
        if copy.flag("from") is not None:
            return f"what line {copy.start_line} copies from another stage or image is not read"
        if not copy.paths:
            return None
        return f"the files of line {copy.start_line} are not known: {self.target.context_why}"

    def _from_context(self, copy: Copy | Add, written: str, folder: str) -> tuple[list[InitScript], str | None]:
        context, state = self.target.context, self.target.facts.state(copy)
        files: list[InitScript] = []
        if context is None or copy.flag("parents") is not None or copy.flag("exclude") is not None:
            return files, f"which files line {copy.start_line} copies is not known"
        for word in copy.paths:
            source = state.expand(word.text, copy.escape)
            named = context.glob(source.value) if isinstance(source, Known) and "://" not in source.value else None
            if named is None:
                return files, f"which files line {copy.start_line} copies is not known"
            if not named:
                return files, f"{word.text} of line {copy.start_line} is not in the context"
            for rel in named:
                if context.is_dir(rel):
                    below = context.files_below(rel, _MOST_FILES)
                    if below is None:
                        return files, f"line {copy.start_line} copies too many files to read"
                    cut = 0 if rel == "." else len(rel) + 1
                    files += [InitScript(posixpath.join(folder, each[cut:]), each, copy) for each in below]
                elif not context.ignored(rel):
                    into = written.endswith("/") or len(copy.sources) > 1 or folder in _FOLDERS
                    path = posixpath.join(folder, posixpath.basename(rel)) if into else folder
                    files.append(InitScript(path, rel, copy))
        return files, None

    @cached_property
    def init_scripts(self) -> tuple[InitScript, ...]:
        """The files copied to the entrypoint's folder, in its order."""
        found = [each for each in self._copied[0] if posixpath.dirname(each.path) == INIT_FOLDER]
        return tuple(sorted(found, key=lambda each: each.name))

    @property
    def unread(self) -> str | None:
        """Why some configuration of the server is unknown; None if all of it is known."""
        if self._copied[1]:
            return self._copied[1]
        if not self.target.builds_known:
            return f"{self.target.unread[0]} could not be read"
        for script in self.init_scripts:
            if self.read(script) is None:
                return f"{script.source} cannot be read"
        for path, text in self._compose_files:
            for mark in ("postgresql.conf", "/etc/postgresql", INIT_FOLDER):
                if mark in text:
                    return f"{path} mentions {mark}, and what it mounts there is not known"
        return None

    def read(self, script: InitScript) -> str | None:
        """The text of a copied file; None if it is too large, or compressed."""
        if script.name.endswith((".gz", ".xz", ".zst")) or self.target.context is None:
            return None
        return self.target.context.read_text(script.source, _MOST_BYTES)

    @cached_property
    def _compose_files(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        sources = {each.service.source for each in self.services}
        for path in sorted(sources):
            try:
                text = self.target.project.files.read(path).text
            except InputError:
                continue
            found.append((path.name, _COMMENT.sub("", text)))
        return tuple(found)

    @cached_property
    def texts(self) -> tuple[_Text, ...]:
        """The texts that may configure the server, without comments, each with its place."""
        found: list[_Text] = []
        for node in self.program:
            parts = [node.logical.text, *(each.content for each in node.heredocs)]
            found.append(_Text(_COMMENT.sub("", "\n".join(parts)), f"line {node.start_line}"))
        for script in self._copied[0]:
            text = self.read(script)
            if text is not None:
                found.append(_Text(_uncommented(text, script.source), script.source))
        found += [_Text(text, path, compose=True) for path, text in self._compose_files]
        return tuple(found)

    def preloaded_by(self, library: Library, *, image_only: bool = False) -> str | None:
        """Where a library is or may be preloaded; `None` if nowhere.

        A text counts if it names both the setting and the library, or the setting with a variable. A
        `timescaledb-tune`, which sets it, counts too.
        """
        for each in self.texts:
            if each.compose and image_only:
                continue
            setting = each.text.partition(_PRELOAD)[2]
            if library.name in setting or _VARIABLE.search(each.text):
                return each.where
            if library.name == "timescaledb" and "timescaledb-tune" in each.text:
                return each.where
        return None

    def other_preload(self) -> str | None:
        """The places that set it."""
        return next((each.where for each in self.texts if _PRELOAD in each.text), None)

    def created_by(self, library: Library) -> str | None:
        """Where an extension is or may be created; `None` if nowhere."""
        pattern = re.compile(
            rf"create\s+extension\s+(?:if\s+not\s+exists\s+)?[\\'\"]*(?:{re.escape(library.extension)}\b|[$:%{{])", re.I
        )
        return next((each.where for each in self.texts if pattern.search(each.text)), None)

    def uses(self, script: InitScript, library: Library) -> bool:
        """Whether an init script uses an extension."""
        text = self.read(script) or ""
        names = (library.schema, library.extension) if library.schema else (library.extension,)
        return any(re.search(rf"\b{re.escape(name)}\b", _uncommented(text, script.source), re.I) for name in names)

    def connects(self, script: InitScript) -> bool:
        """Whether an init script connects or may connect to another database; a shell script may call psql."""
        text = self.read(script) or ""
        return script.name.endswith(".sh") or re.search(r"(?m)^\s*\\c(?:onnect)?\s", text) is not None

    def place(self, library: Library) -> Place:
        """Where a new script that creates an extension goes: next to the others, before the first that uses it.

        Without other scripts from the context it goes to the root of the context.

        Raises:
            Refused: there is no place for it.
        """
        context, scripts = self.target.context, [each for each in self.init_scripts if each.name.endswith(_RUN_BY_INIT)]
        if context is None:
            raise Refused(f"its script would go to the build context: {self.target.context_why}")
        ending = f"{library.extension.replace('_', '-')}.sql"
        first = next((each for each in scripts if self.uses(each, library)), scripts[0] if scripts else None)
        name = _earlier(first.name, ending) if first is not None else f"010-{ending}"
        if name is None:
            raise Refused(f"no name sorts before {first.name if first else ''} for certain")
        rel = posixpath.join(posixpath.dirname(first.source), name) if first is not None else name
        if context.ignored(rel):
            raise Refused(f"the ignore file would exclude {rel} from the context")
        if context.exists(rel):
            raise Refused(f"{rel} is in the context already")
        if first is None:
            return Place(rel, None, f"{INIT_FOLDER}/")
        by_folder = any(self._includes(word.text, rel) for word in first.copy.paths)
        to = first.copy.destination.text if first.copy.destination is not None else ""
        if by_folder:
            return Place(rel, None, "")
        if normal_path(to) != INIT_FOLDER:
            to = to.removesuffix(first.name) + name if to.endswith(f"/{first.name}") else f"{INIT_FOLDER}/"
        return Place(rel, first.copy, to if to.endswith(name) else f"{to.rstrip('/')}/")

    def _includes(self, source: str, rel: str) -> bool:
        """Whether a source of a COPY is the folder of a new file, or a pattern that matches it."""
        context = self.target.context
        source = normal_path(source.lstrip("/"))
        if context is not None and context.is_dir(source):
            return source == posixpath.dirname(rel) or (source == "." and "/" not in rel)
        return has_wildcard(source) and match(source, rel)

    @property
    def cron_database(self) -> tuple[str, Instruction | None] | None:
        """What sets `cron.database_name`, as written, and in which instruction; None if nothing does."""
        for each, node in zip(self.texts, (*self.program, *[None] * len(self.texts)), strict=False):
            match = _DATABASE.search(each.text)
            if match is not None:
                return match[1], node
        return None

    def environment(self, name: str) -> tuple[str | None, ...]:
        """The values of a variable in the known containers: `None` where it is unset or unknown."""
        given = self.target.facts.end_state(self.stage).env.get(name)
        own = known(given)
        values = [each.service.environment.get(name, own) for each in self.services]
        return tuple(dict.fromkeys(values)) if values else (own,)


_FOLDERS: Final = (INIT_FOLDER, "/", "/etc/postgresql", "/usr/share/postgresql")
"""Folders that exist in the image, so that a destination without a trailing `/` is a folder."""


def _uncommented(text: str, name: str) -> str:
    """A script without its comments; `/*` begins one only in SQL; in a shell it is a pattern."""
    if not name.endswith(".sql"):
        return _COMMENT.sub("", text)
    kept, at = [], 0
    while (start := text.find("/*", at)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        kept.append(text[at:start])
        at = end + 2
    return _COMMENT.sub("", "".join((*kept, text[at:])))


def _may_configure(folder: str, written: str) -> bool:
    if "/extension" in folder:
        return False
    return (
        folder == "/"
        or any(f"{each}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{each}/") for each in _CONFIGURES)
        or written.endswith((".conf", ".sample"))
    )


def _earlier(name: str, ending: str) -> str | None:
    """A name that sorts before `name` in any locale, numbered like it; `None` if there is none."""
    digits = re.match(r"[0-9]*", name)
    number = digits[0] if digits is not None else ""
    if len(number) > _MOST_DIGITS:
        return None
    if not number:
        return f"000-{ending}" if name[:1].isalpha() else None
    half = int(number) // 2
    return f"{half:0{len(number)}}-{ending}" if half < int(number) else None


def servers(target: Target) -> Iterator[Server]:
    """The stages of a Dockerfile that become images with a server, in order."""
    facts = target.facts
    services = {stage.index: tuple(found) for stage, found in services_by_stage(target)}
    names = {invocation.target for invocation in target.invocations}
    built = {stage.index for name in names if name and (stage := facts.graph.by_name(name)) is not None}
    if facts.final is not None and (None in names or not names):
        built.add(facts.final.index)
    for index in sorted(built):
        stage = facts.graph.stages[index]
        image = server_image(facts.graph.chain(stage)[-1])
        if image is not None and not stage.replaced:
            program = _program(facts.graph.chain(stage))
            found = tuple(installed_libraries(facts, stage, program))
            if found:
                yield Server(target, stage, program, image, found, services.get(index, ()))


def _program(chain: Sequence[Stage]) -> tuple[Instruction, ...]:
    return tuple(node for stage in reversed(chain) for node in stage.instructions)
