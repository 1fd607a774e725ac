"""The Python that a build copies, and what it imports: read as text and through libcst, never executed.

`copied_files` walks what COPY, ADD and bind mounts bring from the build contexts; `Usage` answers which modules these
files import, or name in a string from which a module could be imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dockfix.facts.images import base_image
from dockfix.facts.model import Known
from dockfix.facts.stages import ContextSource, ImageSource, Stage
from dockfix.project.context import Context
from dockfix.project.ignore import read_ignore
from dockfix.project.target import Target
from dockfix.syntax.python import python_children
from dockfix.syntax.tree import Add, Copy, Instruction, Run

if TYPE_CHECKING:
    import libcst

__all__ = ["CopiedFiles", "CopiedText", "Imports", "Usage", "contexts_of", "copied_files", "imports_of"]

MAX_BYTES: Final = 16 * 1024 * 1024
"""How much text is read of one build, of which Python is parsed only where it could matter."""
_MAX_FILE: Final = 1024 * 1024
_MAX_CONFIG: Final = 256 * 1024

_PYTHON: Final = (".py", ".pyw", ".pyi")
_NAMING: Final = (
    *(".sh", ".bash", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".json", ".env", ".service"),
    *(".pyx", ".pxd", ".ipynb", ".j2", ".jinja", ".jinja2", ".tmpl"),
)
"""Endings of files that may name modules: scripts, configuration (of gunicorn, alembic, supervisor), notebooks."""
_LISTING: Final = re.compile(
    r"(?:.*requirements.*\.(?:txt|in)|constraints.*\.txt|pyproject\.toml|setup\.(?:py|cfg)|pipfile|.*\.lock|"
    r"pipfile\.lock|environment.*\.ya?ml|conda.*\.ya?ml|package(?:-lock)?\.json|.*dockerfile.*|"
    r"(?:docker-)?compose.*\.ya?ml|readme.*|tsconfig.*\.json|renovate\.json|\.pre-commit-config\.yaml)",
    re.IGNORECASE,
)
"""Names of files that list distributions, and so say nothing about their use."""
_ARCHIVES: Final = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".pyz", ".egg", ".so", ".pyc")


@dataclass(frozen=True, slots=True)
class CopiedText:
    """A file that a build copies. `label` is its path in the project, or the line of the Dockerfile for a heredoc."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """The Python files that a build copies, and the other texts that may name modules.

    `why_not` says what else it may bring in, that cannot be read; "" if nothing.
    """

    python: tuple[CopiedText, ...]
    others: tuple[CopiedText, ...]
    why_not: str = ""


class _UnreadError(Exception):
    """Raised with what keeps the copied files from being known; never leaves this module."""


# --- which files ----------------------------------------------------------------------------------------------------


def copied_files(target: Target) -> CopiedFiles:
    """The files that come from build contexts into the stages of the image and those that these take from.

    Bounded: at most `MAX_ENTRIES` entries for each source and `MAX_BYTES` of text; past that `why_not` says so.
    """
    found: dict[str, tuple[Context, str]] = {}
    heredocs: list[CopiedText] = []
    why_not: list[str] = []
    for stage in target.facts.graph.reachable():
        for node in stage.program:
            try:
                found |= {
                    (context.root / rel).as_posix(): (context, rel) for context, rel in _brought(target, stage, node)
                }
            except _UnreadError as unread:
                why_not.append(str(unread))
            if isinstance(node, Copy | Add):
                heredocs += [CopiedText(f"line {node.start_line}", each.content) for each in node.heredocs]
    python: list[CopiedText] = []
    others: list[CopiedText] = []
    left = MAX_BYTES
    for path, (context, rel) in sorted(found.items()):
        is_python = rel.endswith(_PYTHON)
        if _LISTING.fullmatch(rel.rpartition("/")[2]) or not (is_python or _may_name_modules(rel)):
            continue
        text = context.read_text(rel, _MAX_FILE if is_python else _MAX_CONFIG)
        if text is None:
            if is_python or rel.endswith(".ipynb"):
                why_not.append(f"{rel} cannot be read, or is too long")
            continue
        left -= len(text)
        if left < 0:
            why_not.append("there is more Python in the image than dockfix reads")
            break
        (python if is_python else others).append(CopiedText(_label(target, path, rel), text))
    return CopiedFiles(tuple(python), (*others, *heredocs), next(iter(why_not), ""))


def _label(target: Target, path: str, rel: str) -> str:
    root = target.project.root.as_posix() + "/"
    return path[len(root) :] if path.startswith(root) else rel


def _may_name_modules(rel: str) -> bool:
    name = rel.rpartition("/")[2].lower()
    return name.endswith(_NAMING) or "." not in name.lstrip(".")


def contexts_of(target: Target, stage: Stage, reference: str | None, *, mount: bool = False) -> tuple[Context, ...]:
    """The folders of the project that a `--from` (`None`: the build context) means; none for stages and images.

    A named context is read with its own `.dockerignore` (BuildKit, `frontend/dockerui/namedcontext.go`).
    """
    if not reference:
        return (target.context,) if target.context is not None else ()
    source = target.facts.graph.resolve(reference, stage, mount=mount)
    if not isinstance(source, ContextSource):
        return ()
    files = target.project.files
    return tuple(
        Context(given.path, target.project.root, read_ignore(given.path, given.path / "Dockerfile", files), files)
        for given in target.named_contexts.get(source.name, ())
        if given.path is not None and given.exists
    )


def _brought(target: Target, stage: Stage, node: Instruction) -> Iterator[tuple[Context, str]]:
    """The files of contexts that an instruction brings into its stage."""
    if isinstance(node, Copy | Add):
        reference = node.source_stage if isinstance(node, Copy) else None
        if not _is_foreign(target, stage, node, reference):
            for word in node.paths:
                yield from _named(target, stage, node, word.text, reference)
    elif isinstance(node, Run):
        for mount in node.mounts:
            source = mount.get("source") or "."
            reference = mount.get("from")
            if mount.kind == "bind" and any(each.is_dir(source) for each in contexts_of(target, stage, reference)):
                yield from _named(target, stage, node, source, reference)


def _is_foreign(target: Target, stage: Stage, node: Copy | Add, reference: str | None) -> bool:
    """Whether files come from a stage, which is looked at by itself, or an image, whose programs are no matter."""
    if not reference:
        return False
    source = target.facts.graph.resolve(reference, stage)
    if isinstance(source, ImageSource):
        programs = all(re.search(r"(?:^|/)(?:bin|sbin)(?:/|$)|/uvx?$", word.text) for word in node.paths)
        if base_image(source.ref) is None and not programs:
            raise _UnreadError(f"line {node.start_line} copies from the image {source.ref}, which is not read")
    return not isinstance(source, ContextSource)


def _named(
    target: Target, stage: Stage, node: Instruction, source: str, reference: str | None
) -> Iterator[tuple[Context, str]]:
    expanded = target.facts.state(node).expand(source, node.escape)
    if not isinstance(expanded, Known):
        raise _UnreadError(f"which files line {node.start_line} copies is not known")
    name = expanded.value
    if isinstance(node, Add) and re.match(r"[a-z+]+://|git@", name):
        if not name.endswith((".py", ".git", *_ARCHIVES)) and "github.com" not in name:
            return
        raise _UnreadError(f"line {node.start_line} adds {name}, which is not read")
    contexts = contexts_of(target, stage, reference)
    if not contexts:
        what = f"the named context {reference} is no folder" if reference else "the build context is not known"
        raise _UnreadError(f"{what}; line {node.start_line} copies from it")
    for context in contexts:
        for match in _matches(context, name, node):
            files = context.files_below(match) if context.is_dir(match) else [match]
            if files is None:
                raise _UnreadError(f"line {node.start_line} copies more files than dockfix looks at")
            for rel in files:
                if rel.endswith(_ARCHIVES):
                    raise _UnreadError(f"line {node.start_line} copies {rel}, which may hold code")
                yield context, rel


def _matches(context: Context, name: str, node: Instruction) -> Sequence[str]:
    found = context.glob(name)
    if found is None:
        raise _UnreadError(f"line {node.start_line} copies more files than dockfix looks at")
    return [rel for rel in found if context.is_dir(rel) or not context.ignored(rel)]


# --- what a file imports --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Imports:
    """What one Python source imports.

    `modules` are dotted names, of `from a import b` both `a` and `a.b`, with the literal names given to `import_module`
    and its like. `beginnings` are what computed names are known to begin with. `strings` is the text of all string
    literals that are no docstrings. `names` are the names that the program uses. `by` is the function, if any, that
    imports what cannot be known, or runs code that is made at run time.
    """

    modules: frozenset[str]
    beginnings: frozenset[str]
    strings: str
    names: frozenset[str]
    by: str = ""


_IMPORTERS: Final = frozenset(("import_module", "__import__", "load_module"))
_LOADERS: Final = frozenset(("entry_points", "iter_entry_points", "load_entry_point", "spec_from_file_location"))
_EVALUATORS: Final = frozenset(("exec", "eval"))
_HERE: Final = frozenset(("__name__", "__package__"))
_IMPORTING: Final = re.compile(rf"\b(?:{'|'.join(_IMPORTERS)})\b")
_DYNAMIC: Final = re.compile(rf"\b(?:{'|'.join((*_IMPORTERS, *_LOADERS))})\b|(?<![.\w])(?:exec|eval)\s*\(")


def imports_of(source: str) -> Imports | None:
    """What a Python source imports; `None` if it cannot be parsed."""
    from dockfix.syntax.python import parse_python  # noqa: PLC0415 - only for files that could matter

    parsed = parse_python(source.removeprefix("\ufeff"))
    if parsed.module is None:
        return None
    return _Reader().read(parsed.module)


class _Reader:
    """A walk over one module."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.beginnings: set[str] = set()
        self.strings: list[str] = []
        self.names: set[str] = set()
        self.by = ""

    def read(self, module: libcst.Module) -> Imports:
        import libcst  # noqa: PLC0415 - loaded on first use

        stack: list[libcst.CSTNode] = [module]
        while stack:
            node = stack.pop()
            if isinstance(node, libcst.Import):
                self.modules |= {_dotted(alias.name) for alias in node.names}
                continue
            if isinstance(node, libcst.ImportFrom):
                self._from(node)
                continue
            if isinstance(node, libcst.Expr) and isinstance(node.value, libcst.SimpleString):
                continue  # a docstring
            if isinstance(node, libcst.Call):
                self._call(node)
            elif isinstance(node, libcst.SimpleString | libcst.FormattedStringText):
                self.strings.append(node.value)
            elif isinstance(node, libcst.Name):
                self.names.add(node.value)
            stack.extend(python_children(node))
        return Imports(
            frozenset(self.modules),
            frozenset(self.beginnings),
            "\n".join(self.strings),
            frozenset(self.names),
            self.by,
        )

    def _from(self, node: libcst.ImportFrom) -> None:
        import libcst  # noqa: PLC0415

        if not isinstance(node.names, libcst.ImportStar):
            self.names |= {_dotted(alias.name) for alias in node.names}
        if node.relative or node.module is None:
            return
        base = _dotted(node.module)
        self.modules.add(base)
        if not isinstance(node.names, libcst.ImportStar):
            self.modules |= {f"{base}.{_dotted(alias.name)}" for alias in node.names}

    def _call(self, node: libcst.Call) -> None:
        import libcst  # noqa: PLC0415

        function = node.func
        name = function.attr.value if isinstance(function, libcst.Attribute) else ""
        if isinstance(function, libcst.Name):
            name = function.value
            if name in _EVALUATORS:
                self.by = self.by or name
        if name in _LOADERS:
            self.by = self.by or name
        elif name in _IMPORTERS:
            self._importer(node, name)

    def _importer(self, node: libcst.Call, name: str) -> None:
        import libcst  # noqa: PLC0415

        given = [arg.value for arg in node.args if arg.keyword is None or arg.keyword.value == "name"]
        argument = given[0] if given else None
        while isinstance(argument, libcst.BinaryOperation):
            argument = argument.left
        beginning, whole = None, False
        if isinstance(argument, libcst.SimpleString) and isinstance(argument.evaluated_value, str):
            beginning, whole = argument.evaluated_value, given[0] is argument
        elif isinstance(argument, libcst.FormattedString) and argument.parts:
            first = argument.parts[0]
            if isinstance(first, libcst.FormattedStringText):
                beginning = first.value
            elif isinstance(first, libcst.FormattedStringExpression):
                argument = first.expression
        if isinstance(argument, libcst.Attribute):
            argument = argument.attr
        if isinstance(argument, libcst.Name) and argument.value in _HERE:
            return  # a module of the program's own package
        if beginning is None or not (whole or "." in beginning):
            self.by = self.by or name
        elif not beginning.startswith("."):
            (self.modules if whole else self.beginnings).add(beginning)


def _dotted(node: libcst.CSTNode) -> str:
    import libcst  # noqa: PLC0415

    parts: list[str] = []
    while isinstance(node, libcst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, libcst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


# --- the answers ----------------------------------------------------------------------------------------------------


def _normal(text: str) -> str:
    """A text in which the names of distributions are spelled as `distribution` of `Usage.uses`."""
    return text.lower().replace("_", "-").replace(".", "-")


class Usage:
    """Whether a build's files use a module. A file is parsed only if its text could say so.

    Args:
        files: what the build copies.
        texts: more texts that may name modules: what the image runs, compose files.
    """

    def __init__(self, files: CopiedFiles, texts: Iterable[str] = ()) -> None:
        self._python = [file for file in files.python if not file.label.endswith(("/setup.py", ".pyi"))]
        self._texts = [(text, _normal(text)) for text in (*(file.text for file in files.others), *texts)]
        self._parsed: dict[str, Imports | None] = {}
        self._normal: dict[str, str] = {}
        self._importing: dict[str, bool] = {}

    def uses(self, distribution: str, modules: Sequence[str], loaders: Sequence[str] = ()) -> bool:
        """Whether a file imports one of the modules, or names one, the distribution, or a loader of it.

        `distribution` is its normalised name; `loaders` are names in a program that bring it in.
        """
        spelled = re.escape(distribution).replace(r"\-", "[-_.]")
        name = re.compile(rf"(?<![\w./-])(?i:{spelled})(?![\w-])")
        named = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, modules))})(?![\w-])")
        for text, normal in self._texts:
            if distribution in normal and name.search(text):
                return True
            if any(module in text for module in modules) and named.search(text):
                return True
        begins = re.compile(rf"(?m)^(?:from|import)[ \t]+(?:{'|'.join(map(re.escape, modules))})\b")
        # A file that seems to import it at its top is read first: the others need not be then.

        def later(file: CopiedText) -> bool:
            return not any(module in file.text for module in modules) or begins.search(file.text) is None

        for file in sorted(self._python, key=later):
            if file.label not in self._normal:
                self._normal[file.label] = _normal(file.text)
            words = (name, named) if distribution in self._normal[file.label] else (named,)
            if self._in(file, words, modules, loaders):
                return True
        return False

    def _in(
        self, file: CopiedText, named: Sequence[re.Pattern[str]], modules: Sequence[str], loaders: Sequence[str]
    ) -> bool:
        text = file.text
        spelled = any(all(part in text for part in module.split(".")) for module in modules)
        mentioned = spelled or any(name in text for name in loaders) or any(each.search(text) for each in named[:-1])
        if not mentioned:
            if file.label not in self._importing:
                self._importing[file.label] = _IMPORTING.search(text) is not None
            return self._importing[file.label] and self._begins(file, modules)
        imports = self._imports(file)
        if imports is None:
            return any(each.search(text) for each in named)
        if imports.names & set(loaders) or any(each.search(imports.strings) for each in named):
            return True
        for module in modules:
            if any(f"{each}.".startswith(f"{module}.") for each in imports.modules):
                return True
        return self._begins(file, modules)

    def _begins(self, file: CopiedText, modules: Sequence[str]) -> bool:
        imports = self._imports(file)
        return imports is not None and any(m.startswith(begin) for begin in imports.beginnings for m in modules)

    def _imports(self, file: CopiedText) -> Imports | None:
        if file.label not in self._parsed:
            self._parsed[file.label] = imports_of(file.text)
        return self._parsed[file.label]

    @cached_property
    def blind_spot(self) -> str:
        """Where modules are imported by a name that cannot be known, or code is made at run time; "" if nowhere."""
        for file in self._python:
            if _DYNAMIC.search(file.text):
                imports = self._imports(file)
                if imports is None:
                    return f"{file.label} cannot be parsed"
                if imports.by:
                    return f"{file.label} calls {imports.by} with what no file says"
        return ""

    @cached_property
    def unpickles(self) -> bool:
        """Whether a file reads pickles, which import what they hold objects of."""
        return any(
            re.search(r"\b(?:pickle|joblib|cloudpickle|dill)\b", file.text)
            and self.uses("pickle", ("pickle", "joblib", "cloudpickle", "dill", "_pickle"))
            for file in self._python
        )

    @property
    def count(self) -> int:
        """How many Python files there are."""
        return len(self._python)
