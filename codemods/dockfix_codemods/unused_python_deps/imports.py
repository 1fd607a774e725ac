"""The modules that a Python source imports, read with libcst and never executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dockfix.syntax.python import parse_python, python_children

if TYPE_CHECKING:
    import libcst


class Imports(Struct, frozen=True):
    """The imports of one Python source.

    Args:
        modules: dotted names, both `a` and `a.b` for `from a import b`, including literal arguments of `import_module`
            and similar functions.
        prefixes: the known beginnings of computed names.
        strings: the text of all string literals except docstrings.
        names: the names that the program uses.
        by: the function, if any, that imports unknown modules or runs code created at run time.
    """

    modules: frozenset[str]
    prefixes: frozenset[str]
    strings: str
    names: frozenset[str]
    by: str = ""


_IMPORTERS: Final = frozenset(("import_module", "__import__", "load_module"))
_LOADERS: Final = frozenset(("entry_points", "iter_entry_points", "load_entry_point", "spec_from_file_location"))
_EVALUATORS: Final = frozenset(("exec", "eval"))
_HERE: Final = frozenset(("__name__", "__package__"))
_IMPORTING: Final = re.compile(rf"\b(?:{'|'.join(_IMPORTERS)})\b")
_DYNAMIC: Final = re.compile(rf"\b(?:{'|'.join((*_IMPORTERS, *_LOADERS))})\b|(?<![.\w])(?:exec|eval)\s*\(")


def may_import_by_name(text: str) -> bool:
    """Whether a source seems to call a function that imports a module by name; does not parse it."""
    return _IMPORTING.search(text) is not None


def may_run_dynamic_code(text: str) -> bool:
    """Whether a source seems to import by name, load plug-ins, or run code created at run time; does not parse it."""
    return _DYNAMIC.search(text) is not None


def imports_of(source: str) -> Imports | None:
    """The imports of a Python source; `None` if it cannot be parsed."""
    parsed = parse_python(source.removeprefix("\ufeff"))
    if parsed.module is None:
        return None
    return _Collector().collect(parsed.module)


class _Collector:
    """Collects the imports of one module."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.prefixes: set[str] = set()
        self.strings: list[str] = []
        self.names: set[str] = set()
        self.by = ""

    def collect(self, module: libcst.Module) -> Imports:
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
            frozenset(self.prefixes),
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
            (self.modules if whole else self.prefixes).add(beginning)


def _dotted(node: libcst.CSTNode) -> str:
    import libcst  # noqa: PLC0415

    parts: list[str] = []
    while isinstance(node, libcst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, libcst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))
