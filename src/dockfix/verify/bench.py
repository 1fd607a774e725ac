"""Builds the versions of one Dockerfile in one of its builds, each once, and reads their images."""

from __future__ import annotations

import itertools
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.facts.model import Refused
from dockfix.project.ignore import IgnoreRules
from dockfix.project.target import Target, is_project_file_name
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import encode
from dockfix.verify.context import ContextCopy
from dockfix.verify.image import Image, read_image
from dockfix.verify.model import Builder, BuildOutcome, BuildRequest
from dockfix.verify.requests import Recipe, recipes

__all__ = ["Bench", "Built", "Version"]

_MAX_DEPTH = 10
_IMAGE = "docker-image://"
"""The prefix of a named context that is an image; builders know those of this run by their tags."""


class Version(Struct, frozen=True):
    """A version of a Dockerfile, and of the files around it, in one of its builds.

    Args:
        workspace: all files of this version.
        target: the Dockerfile.
        key: which of its builds, as `recipes` names it.
        recipe: that build.
    """

    workspace: Workspace
    target: Target
    key: object
    recipe: Recipe

    @classmethod
    def of(cls, workspace: Workspace, path: Path, key: object) -> Version:
        """The version of a Dockerfile in a workspace.

        Raises:
            Refused: it cannot be built here.
        """
        target = workspace.at(path)
        recipe = recipes(target).get(key) if target is not None else None
        if target is None or recipe is None:
            raise Refused("it is not built in this way after the fixes")
        if isinstance(recipe, Refused):
            raise recipe
        return cls(workspace, target, key, recipe)

    @property
    def changes(self) -> dict[Path, str | None]:
        """The files that a build context may contain and that differ from the user's.

        Dockerfiles, compose and bake files are left out: a `COPY . .` brings them into the image, and that they differ
        says nothing of the fix.
        """
        own = self.workspace.by_path
        return {
            path: text
            for path, text in self.workspace.project.files.changes.items()
            if path not in own and (not is_project_file_name(path.name) or path.name.endswith(".dockerignore"))
        }

    @property
    def identity(self) -> object:
        """What makes the image differ: equal versions need not be built twice."""
        recipe = self.recipe
        args, contexts = tuple(sorted(recipe.args.items())), tuple(sorted(recipe.folders.items()))
        others = tuple(sorted(recipe.references.items())), tuple(sorted(recipe.builds))
        return self.target.text, tuple(sorted(self.changes.items())), args, contexts, others


class Built(Struct):
    """A version that was built; its image is read when it is first needed."""

    tag: str
    outcome: BuildOutcome
    _read: Callable[[], Image]
    _image: Image | None = field(default=None)

    @property
    def image(self) -> Image:
        """The image.

        Raises:
            ImageError: it cannot be read.
        """
        if self._image is None:
            self._image = self._read()
        return self._image


class Bench:
    """Builds versions of one Dockerfile in private copies of its contexts.

    Args:
        builder: builds the images.
        folder: a new folder below the temporary folder of the run; `close` removes it.
        versions: the first and the last version, whose ignore files say what the copies leave out.
        timeout: seconds that a build may take.
        limit: the highest number of bytes of a context.
        on_line: called with each line that the builder prints.

    Raises:
        Refused: a context cannot be copied.
    """

    def __init__(
        self,
        builder: Builder,
        folder: Path,
        versions: tuple[Version, Version],
        *,
        timeout: float,
        limit: int,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self._builder, self._folder, self._timeout, self._limit = builder, folder, timeout, limit
        self._on_line = on_line
        self._root = versions[0].workspace.project.root
        self._token = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._tags: list[str] = []
        self._built: dict[object, Built] = {}
        self._repeated: dict[object, Built] = {}
        self._producers: dict[object, str] = {}
        self._copies: dict[Path, ContextCopy] = {}
        self._empty = folder / "empty"
        folder.mkdir(parents=True)
        for version in versions:
            rules = tuple(each.recipe.ignore for each in versions if each.recipe.ignore is not None)
            self._prepare(version.recipe, rules)

    def _prepare(self, recipe: Recipe, rules: tuple[IgnoreRules, ...]) -> None:
        if recipe.context is not None:
            self._copy(recipe.context, rules)
        for folder in recipe.folders.values():
            self._copy(folder, ())

    def _copy(self, source: Path, rules: tuple[IgnoreRules, ...]) -> ContextCopy:
        if source not in self._copies:
            place = self._folder / f"context-{next(self._numbers)}"
            self._copies[source] = ContextCopy(source, place, ignored=rules, limit=self._limit, project=self._root)
        return self._copies[source]

    def context(self, version: Version) -> Path:
        """The private copy of a version's context, which may be changed for a while; an empty folder if it has none."""
        if version.recipe.context is not None:
            return self._copies[version.recipe.context].root
        self._empty.mkdir(exist_ok=True)
        return self._empty

    def built(self, version: Version, *, fresh: bool = False) -> Built:
        """A version, built once.

        Args:
            version: the version.
            fresh: build it again, without the layers of earlier builds; the result replaces the earlier one.
        """
        earlier = self._built.get(version.identity)
        if fresh or earlier is None:
            self._built[version.identity] = self._new(version, fresh=fresh)
            if earlier is not None:
                self._remove(earlier.tag)
        return self._built[version.identity]

    def repeated(self, version: Version) -> Built:
        """A version that is built a second time without the layers of earlier builds, for what differs by itself."""
        if version.identity not in self._repeated:
            self._repeated[version.identity] = self._new(version, fresh=True)
        return self._repeated[version.identity]

    def _new(self, version: Version, *, fresh: bool) -> Built:
        tag, outcome = self.build(version, no_cache=fresh)
        return Built(tag, outcome, lambda: self.read(tag))

    def build(
        self,
        version: Version,
        *,
        text: str | None = None,
        args: Mapping[str, str] | None = None,
        last_stage: bool = False,
        no_cache: bool = False,
    ) -> tuple[str, BuildOutcome]:
        """Build a version, and return the name of the image and the outcome.

        Args:
            version: the version.
            text: another text of the Dockerfile.
            args: build arguments in addition to those of the version.
            last_stage: build the last stage of the text, whatever stage the version names.
            no_cache: whether layers of earlier builds are not used.
        """
        tag = f"localhost/dockfix-verify:{self._token}-{next(self._numbers)}"
        self._tags.append(tag)
        with self._request(version, tag, text) as request:
            target = None if last_stage else request.target
            more = {**request.args, **(args or {})}
            this = replace(request, args=more, target=target, no_cache=no_cache)
            return tag, self._builder.build(this, self._on_line)

    @contextmanager
    def _request(self, version: Version, tag: str, text: str | None, depth: int = 0) -> Iterator[BuildRequest]:
        recipe, changes = version.recipe, version.changes
        contexts = {name: f"{_IMAGE}{self._producer(version, name, depth)}" for name in recipe.builds}
        place = self._folder / f"dockerfile-{next(self._numbers)}"
        place.mkdir()
        dockerfile = place / version.target.real.name
        dockerfile.write_bytes(encode(version.target.text if text is None else text))
        ignore = version.target.real.with_name(f"{version.target.real.name}.dockerignore")
        own = version.workspace.text_if_any(ignore)
        if own is not None:
            place.joinpath(ignore.name).write_bytes(encode(own))
        with ExitStack() as stack:
            sources = {*recipe.folders.values(), *([recipe.context] if recipe.context is not None else [])}
            for source in sources:
                stack.enter_context(self._copy(source, ()).changed(changes))
            yield BuildRequest(
                dockerfile=dockerfile,
                context=self.context(version),
                tag=tag,
                target=recipe.target,
                args=recipe.args,
                contexts={
                    **recipe.references,
                    **contexts,
                    **{name: str(self._copy(folder, ()).root) for name, folder in recipe.folders.items()},
                },
                secrets=recipe.secrets,
                platform=recipe.platform,
                timeout=self._timeout,
                extra=recipe.extra,
            )
        shutil.rmtree(place, ignore_errors=True)

    def _producer(self, version: Version, name: str, depth: int) -> str:
        """The image of a service or target that a version needs, built once.

        Raises:
            Refused: it cannot be built.
        """
        invocation = version.recipe.builds[name]
        if depth > _MAX_DEPTH:
            raise Refused(f"the named context {name} needs itself")
        if invocation.dockerfile is None:
            raise Refused(f"{invocation.service}, which builds the named context {name}, has no Dockerfile here")
        path = version.workspace.project.files.real(invocation.dockerfile) or invocation.dockerfile
        other = Version.of(version.workspace, path, (invocation.source, invocation.service))
        if other.identity not in self._producers:
            tag = f"localhost/dockfix-verify:{self._token}-{next(self._numbers)}"
            self._tags.append(tag)
            with self._request(other, tag, None, depth + 1) as request:
                outcome = self._builder.build(request, self._on_line)
            if not outcome.ok:
                raise Refused(f"{invocation.service}, which builds the named context {name}, fails: {outcome.reason}")
            self._producers[other.identity] = tag
        return self._producers[other.identity]

    def read(self, tag: str) -> Image:
        """The image of a name.

        Raises:
            ImageError: it cannot be read.
        """
        place = self._folder / f"image-{next(self._numbers)}"
        place.mkdir()
        try:
            return read_image(self._builder.export(tag, place))
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _remove(self, tag: str) -> None:
        self._tags.remove(tag)
        self._builder.remove(tag)

    def close(self) -> None:
        """Remove the images and the copies."""
        for tag in reversed(self._tags):
            self._builder.remove(tag)
        self._tags.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
