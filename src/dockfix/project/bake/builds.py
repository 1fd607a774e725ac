"""Bake files: which targets build which Dockerfile, from which context, and with what. Read-only, nothing is executed.

`docker-bake.json`, `docker-bake.hcl`, `docker-bake.override.json` and `docker-bake.override.hcl`
of one folder are merged in this order, as `docker buildx bake` does by default; any other file is read separately, as
with `-f`. A target belongs to the file that names it first.

Folders are relative to the current folder of bake. dockfix assumes that this is the file's own folder: it is for the
files that `docker buildx bake` finds by itself, and for every file with `BUILDX_BAKE_FILE_RELATIVE_PATHS=1`. `cwd://`
names the same folder.

A variable has its default, as it does without environment. Literals, variables, strings of them, `target.NAME.KEY`,
conditions and operators are evaluated; a function call, a `for` or a directive is not, and a value that needs one
is unknown.

A target is only a base, not a build, if nothing asks for it (no group and no `target:` context names it, and it is not
`default`) and either its name begins with `_`, or other targets inherit it and it has no context, no Dockerfile, no
stage and no `output` of its own: bake could build it, but nobody does.

Compose files, which buildx merges below the four default files, are read by `dockfix.project.compose`; a target that
overrides a service of the same name is read without that service.

Sources: docker/buildx, `bake/bake.go` (`defaultFilenames`, `ReadTargets`, `Config.target`, `Target.Merge`,
`Target.normalize`, `toBuildOpt`), `bake/hclparser/hclparser.go`, `docs/bake-reference.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dockfix.project.bake.reader import parse_bake
from dockfix.project.bake.targets import (
    Fields,
    Given,
    MergedTarget,
    cycles,
    merged_option,
    option_of,
    text_of,
)
from dockfix.project.bake.tree import Attribute, Block, Document, Expr, Obj, Syntax, is_json_name
from dockfix.project.bake.values import Scope, Unknown, Value, as_text, shortened
from dockfix.project.compose.builds import BuildInvocation, NamedContext, context_kind, named_context
from dockfix.project.compose.model import NO_OPTIONS
from dockfix.project.discovery import is_bake_name
from dockfix.project.files import Snapshot, resolve_inside
from dockfix.project.problems import InputError, InputProblem

__all__ = ["BakeFile", "BakeTarget", "is_bake_name", "read_bake"]

DEFAULT_NAMES: Final = ("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl")
"""The files that buildx reads by default, in the order in which it merges them."""

_FROM_ACTIONS: Final = ("docker-metadata-action", "github-metadata-action", "ghaction-docker-meta")
"""Targets from a file that a CI action writes; they set tags, labels, annotations and arguments.

Source: docker/metadata-action, README, "Bake definition"; docker/buildx's own `docker-bake.hcl` names the older one.
"""
_MAX_MATRIX: Final = 100
_MAX_MERGED: Final = 200_000


class BakeTarget(Struct, frozen=True):
    """A target as bake names it. `block` is the label of its block. In a matrix it differs from `name`, which is the
    label with a number if the real name is computed.

    `line` is the line of the block. `inherits` are the targets that it names itself. `builds` tells whether it is a
    build or only a base of others.
    """

    name: str
    block: str
    line: int
    inherits: tuple[str, ...]
    builds: bool


class BakeFile(Struct, frozen=True):
    """A bake file with the targets that it names first. `broken`: some of it could not be read, so
    that absent values are unknown. `variables` has the values of its variables as texts.
    """

    path: Path
    targets: Mapping[str, BakeTarget]
    invocations: tuple[BuildInvocation, ...]
    broken: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def read_bake(path: Path, files: Snapshot) -> tuple[BakeFile, list[InputProblem]]:
    """Read a bake file with those that buildx merges with it. Errors become problems; the rest is still read.

    Problems of a file that is merged with `path` are reported when that file is read, not here.
    """
    problems: list[InputProblem] = []
    documents: dict[Path, Document] = {}
    broken = False
    for each in _read_with(path, files):
        try:
            documents[each] = parse_bake(files.read(each).text, json=is_json_name(each.name))
        except InputError as error:
            broken = True
            problems.extend([error.problem] if each == path else ())
        except Syntax as error:
            broken = True
            problems.extend([InputProblem(str(path), error.line, error.message)] if each == path else ())
    if path not in documents:
        return BakeFile(path, {}, (), broken=True), problems
    config = _Config(path, files, documents)
    return config.result(broken, problems), problems


def _read_with(path: Path, files: Snapshot) -> list[Path]:
    if path.name not in DEFAULT_NAMES:
        return [path]
    siblings = (path.with_name(name) for name in DEFAULT_NAMES)
    return [each for each in siblings if each == path or files.is_file(each)]


_SINGLE: Final = ("context", "dockerfile", "dockerfile-inline", "target", "tags")


class _Config:
    """Some bake files read as one."""

    def __init__(self, path: Path, files: Snapshot, documents: Mapping[Path, Document]) -> None:
        self.path = path
        self.root = files.root
        self.documents = documents
        self.scope = Scope()
        self.problems: list[InputProblem] = []
        self.targets: dict[str, MergedTarget] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.labels: dict[str, list[str]] = {}
        self.unsure = False
        """Whether there may be targets or members of groups whose names are not known."""
        self.partial = False
        """Whether a target was left out."""
        self._merged: dict[str, Fields] = {}
        self._left = _MAX_MERGED
        for document in documents.values():
            self.scope.define(document)
        for source, document in documents.items():
            for block in document.body.blocks:
                if block.kind == "target" and len(block.labels) == 1:
                    self._take_target(source, document, block)
                elif block.kind == "group" and len(block.labels) == 1:
                    self._take_group(source, document, block)
        for label, names in self.labels.items():
            if set(names) != {label}:
                self.groups.setdefault(label, (0, []))[1].extend(names)

    # -- reading the files

    def _line(self, source: Path, at: int) -> int:
        return self.documents[source].lines.line(at) if source == self.path else 0

    def _problem(self, line: int, message: str) -> None:
        """Only of the file that is read: problems of another file are reported when that one is read."""
        if line:
            self.problems.append(InputProblem(str(self.path), line, message))

    def _take_target(self, source: Path, document: Document, block: Block) -> None:
        label = block.labels[0]
        line = self._line(source, block.span.start)
        for name, local in self._matrix(document, block):
            self.labels.setdefault(label, []).append(name)
            fields = Fields()
            inherits: list[str] = []
            for attribute in block.body.attributes:
                self._take(source, document, attribute, local, fields, inherits)
            known = self.targets.get(name)
            outputs = block.body.last("output") is not None
            if known is None:
                self.targets[name] = MergedTarget(name, label, source, line, fields, inherits, outputs)
            else:
                known.outputs |= outputs
                known.fields.merge(fields)
                known.inherits.extend(inherits)

    def _matrix(self, document: Document, block: Block) -> Iterator[tuple[str, dict[str, Value]]]:
        """The names of a block's targets with the values of its matrix; none if it is computed or too large."""
        label = block.labels[0]
        matrix, named = block.body.last("matrix"), block.body.last("name")
        if matrix is None:
            yield label, {}
            return
        value = self.scope.value(document, matrix.value)
        rows: list[dict[str, Value]] = [{}]
        for key, items in value.items() if isinstance(value, dict) else [("", None)]:
            if not isinstance(items, list) or len(rows) * len(items) > _MAX_MATRIX:
                self.unsure = self.partial = True
                return
            rows = [{**row, key: item} for row in rows for item in items]
        for number, row in enumerate(rows):
            name = as_text(self.scope.value(document, named.value, row)) if named is not None else label
            if isinstance(name, Unknown):
                self.unsure = True
                name = f"{label}[{number}]"
            yield name, row

    def _take(
        self,
        source: Path,
        document: Document,
        attribute: Attribute,
        local: Mapping[str, Value],
        fields: Fields,
        inherits: list[str],
    ) -> None:
        key = attribute.name
        taken = key in _SINGLE or key in ("args", "contexts", "inherits")
        if key in NO_OPTIONS and not taken:
            return
        value = self.scope.value(document, attribute.value, local)
        given = Given(value, self._line(source, attribute.span.start), document.source(attribute.value))
        if value is None:
            return
        if not taken:
            fields.options[key] = merged_option(fields.options.get(key), given, key)
        elif key == "inherits":
            self.unsure |= not isinstance(value, list)
            for item in value if isinstance(value, list) else ():
                name = as_text(item)
                if isinstance(name, Unknown):
                    fields.computed["inherits"] = given
                else:
                    inherits.append(name)
            if not isinstance(value, list):
                fields.computed["inherits"] = given
        elif key in _SINGLE:
            fields.single[key] = given
        elif isinstance(value, dict):
            into = fields.args if key == "args" else fields.contexts
            places = dict(self._entries(source, document, attribute.value))
            for name, inner in value.items():
                if inner is not None:
                    into[name] = replace(places.get(name, given), value=inner)
        else:
            fields.computed[key] = given

    def _entries(self, source: Path, document: Document, expr: Expr) -> Iterator[tuple[str, Given]]:
        for entry in expr.entries if isinstance(expr, Obj) else ():
            key = self.scope.value(document, entry.key)
            if isinstance(key, str):
                yield key, Given(None, self._line(source, entry.span.start), document.source(entry.value))

    def _take_group(self, source: Path, document: Document, block: Block) -> None:
        attribute = block.body.last("targets")
        value = self.scope.value(document, attribute.value) if attribute is not None else []
        names: list[str] = []
        for item in value if isinstance(value, list) else [Unknown("")]:
            name = as_text(item)
            if isinstance(name, Unknown):
                self.unsure = True
            else:
                names.append(name)
        line, members = self.groups.get(block.labels[0], (self._line(source, block.span.start), []))
        self.groups[block.labels[0]] = (line, [*members, *(name for name in names if name not in members)])

    # -- the result

    def result(self, broken: bool, problems: list[InputProblem]) -> BakeFile:
        """The file with its targets and builds; adds to `problems`."""
        wanted = self._wanted()
        bases = {name for target in self.targets.values() for name in target.inherits if name != target.name}
        targets: dict[str, BakeTarget] = {}
        invocations: list[BuildInvocation] = []
        self._check(broken)
        for name, target in self.targets.items():
            if target.path != self.path:
                continue
            fields = self._resolve(name)
            builds = name in wanted or not self._is_base(name, fields, bases)
            targets[name] = BakeTarget(name, target.block, target.line, tuple(target.inherits), builds)
            if builds and fields is not None:
                invocations.append(self._invocation(target, fields))
        if self._left < 0 or self.scope.exhausted:
            self._problem(1, "has targets that inherit or evaluate too much; some of it is not read")
            broken = True
        problems.extend(dict.fromkeys(self.problems))
        broken = broken or self.partial or bool(self.problems)
        return BakeFile(self.path, targets, tuple(invocations), broken, self.scope.texts())

    def _wanted(self) -> set[str]:
        """The targets that groups and `target:` contexts name, and `default`."""
        wanted = {"default"}
        for label, (_, names) in self.groups.items():
            # the group of a matrix's own targets does not ask for them
            if label not in self.labels or label == "default":
                wanted.update(names)
        for name in list(wanted):
            if name in self.labels:
                wanted.update(self.labels[name])
        for target in self.targets.values():
            wanted.update(target.fields.links())
        return wanted

    def _is_base(self, name: str, fields: Fields | None, bases: set[str]) -> bool:
        if name.startswith("_") or fields is None:
            return True
        if name not in bases or self.targets[name].outputs:
            return False
        return not any(key in fields.single for key in _SINGLE if key != "tags")

    def _resolve(self, name: str) -> Fields | None:
        """A target with what it inherits: each base in turn, then its own. `None` if that exceeds the limits.

        Source: buildx's `Config.target`, which skips a base that is being resolved already.
        """
        busy = {name}
        stack = [(name, iter(self.targets[name].inherits))]
        while stack:
            current, bases = stack[-1]
            base = next((each for each in bases if each in self.targets and each not in busy), None)
            if base is None:
                stack.pop()
                if current not in self._merged:
                    self._merged[current] = self._merge(self.targets[current])
            elif base not in self._merged:
                busy.add(base)
                stack.append((base, iter(self.targets[base].inherits)))
        return self._merged[name] if self._left >= 0 else None

    def _merge(self, target: MergedTarget) -> Fields:
        merged = Fields()
        for base in dict.fromkeys(target.inherits):
            if base in self._merged and self._left >= 0:
                self._left -= merged.merge(self._merged[base])
            elif base not in self.targets and not base.startswith(_FROM_ACTIONS):
                merged.computed["inherits"] = Given(Unknown(""), target.line, base)
            elif base not in self.targets:
                merged.options["labels"] = Given(Unknown("a CI action sets them"), target.line, base)
        self._left -= merged.merge(target.fields)
        merged.normalize()
        return merged

    def _check(self, broken: bool) -> None:
        """Report what bake would refuse: names that do not exist, and cycles."""
        known = {*self.targets, *self.groups}
        links = {name: target.fields.links() for name, target in self.targets.items()}
        for target in self.targets.values():
            for what, names in (("inherits", target.inherits), ("has a context of", links[target.name])):
                for name in dict.fromkeys(names):
                    if name not in self.targets and not (self.unsure or broken or name.startswith(_FROM_ACTIONS)):
                        self._problem(
                            target.line, f"target {target.name} {what} the target {name}, which does not exist"
                        )
        for label, (line, names) in self.groups.items():
            for name in names:
                if name not in known and not self.unsure and not broken:
                    self._problem(line, f"group {label} has the target {name}, which does not exist")
        lines = {name: target.line for name, target in self.targets.items()}
        for circle in cycles({name: target.inherits for name, target in self.targets.items()}):
            self._problem(lines[circle[0]], f"target {circle[0]} inherits itself: {' > '.join(circle)}")
        for circle in cycles(links):
            self._problem(lines[circle[0]], f"target {circle[0]} has a context of itself: {' > '.join(circle)}")
        groups = {label: [name for name in names if name != label] for label, (_, names) in self.groups.items()}
        for circle in cycles(groups):
            self._problem(self.groups[circle[0]][0], f"group {circle[0]} contains itself: {' > '.join(circle)}")

    # -- one target

    def _invocation(self, target: MergedTarget, fields: Fields) -> BuildInvocation:
        base = self.path.parent
        context, dockerfile, why = self._files(target, fields, base)
        stage = text_of(fields.single.get("target"))
        tags = fields.single.get("tags")
        values = tags.value if tags is not None and isinstance(tags.value, list) else []
        texts = [as_text(value) for value in values]
        known = tuple(dict.fromkeys(text for text in texts if isinstance(text, str)))
        return BuildInvocation(
            source=self.path,
            service=target.block if target.name.endswith("]") else target.name,
            line=target.line,
            context=context,
            context_why=why,
            dockerfile=dockerfile,
            target=stage or None,
            args={name: text_of(given) for name, given in fields.args.items()},
            additional_contexts={name: self._named(name, given, base) for name, given in fields.contexts.items()},
            image=texts[0] if texts and isinstance(texts[0], str) else None,
            inline="dockerfile-inline" in fields.single,
            kind="bake",
            tags=known,
            options={key: option_of(given.value) for key, given in fields.options.items()}
            | {key: None for key in ("args",) if key in fields.computed},
        )

    def _files(self, target: MergedTarget, fields: Fields, base: Path) -> tuple[Path | None, Path | None, str | None]:
        """The context, the Dockerfile, and why the context is unknown."""
        context, why = self._context(target, fields.single.get("context"), base)
        inline = "dockerfile-inline" in fields.single
        dockerfile = None if context is None or inline else self._dockerfile(fields, context, base)
        # a missing name allows no conclusion, so the context is unknown
        if "inherits" in fields.computed and why is None:
            context, why = None, f"it inherits {shortened(fields.computed['inherits'].written)}, which is not known"
        if "contexts" in fields.computed and why is None:
            context, why = None, f"its named contexts are computed: {shortened(fields.computed['contexts'].written)}"
        return context, dockerfile, why

    def _context(self, target: MergedTarget, given: Given | None, base: Path) -> tuple[Path | None, str | None]:
        value = text_of(given) if given is not None else "."
        if value is None:
            return None, f"the context {shortened(given.written) if given else ''} is computed"
        folder = value.removeprefix("cwd://") or "."
        if context_kind(folder) != "folder":
            return None, f"the context {value} is not a folder of this project"
        context = resolve_inside(self.root, base.absolute() / folder)
        if context is None:
            message = f"the context {value} is outside the project"
            line = given.line if given is not None and given.line else target.line
            self._problem(line, f"target {target.name}: {message}")
            return None, message
        return context, None

    def _dockerfile(self, fields: Fields, context: Path, base: Path) -> Path | None:
        given = fields.single.get("dockerfile")
        name = text_of(given) if given is not None else "Dockerfile"
        if name is None:
            return None
        name = name or "Dockerfile"
        if name.startswith("cwd://"):
            return resolve_inside(self.root, base.absolute() / name.removeprefix("cwd://"))
        return resolve_inside(self.root, context / name) if context_kind(name) == "folder" else None

    def _named(self, name: str, given: Given, base: Path) -> NamedContext:
        value = text_of(given)
        if value is None:
            return NamedContext(name, given.written, given.line, "unknown", None, None, given.written)
        folder = (value.removeprefix("cwd://") or ".") if value.startswith("cwd://") else value
        return named_context(name, folder, line=given.line, base=base, root=self.root)
