"""Runs check over a shape of `test_linear`, and writes how many elements of collections are copied.

usage: python copies.py SHAPE SIZE...

A profiler sees no call for `{*all, one}`, `all | {one}` and `(*all, one)`, which copy all elements. So the modules of
dockfix are compiled with a counter in these places.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

COUNTED = (set, frozenset, dict, list, tuple)
COPIED_IN_PLACE = (frozenset, tuple)


class Counter:
    """The number of elements that were copied."""

    number = 0

    def spread(self, value: Any) -> Any:
        """`*value` or `**value` in a display."""
        self.number += len(value) if isinstance(value, COUNTED) else 0
        return value

    def joined(self, one: Any, other: Any, *, adds: bool) -> Any:
        """`one | other`, or with `adds` `one + other`."""
        self.number += len(one) if isinstance(one, COUNTED) else 0
        return one + other if adds else one | other

    def grown(self, one: Any, other: Any, *, adds: bool) -> Any:
        """`one |= other`, or with `adds` `one += other`."""
        self.number += len(one) if isinstance(one, COPIED_IN_PLACE) else 0
        if adds:
            one += other
        else:
            one |= other
        return one


class Instrument(ast.NodeTransformer):
    """Puts calls of the counter around what copies collections."""

    def call(self, name: str, *arguments: ast.expr, **options: bool) -> ast.Call:
        function = ast.Attribute(ast.Name("__copies__", ast.Load()), name, ast.Load())
        return ast.Call(
            function, list(arguments), [ast.keyword(key, ast.Constant(each)) for key, each in options.items()]
        )

    def elements(self, elements: list[ast.expr]) -> list[ast.expr]:
        return [
            ast.Starred(self.call("spread", each.value), ast.Load()) if isinstance(each, ast.Starred) else each
            for each in elements
        ]

    def display(self, node: Any) -> Any:
        self.generic_visit(node)
        if isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            node.elts = self.elements(node.elts)
        return node

    visit_Set = visit_List = visit_Tuple = display  # noqa: N815 - names of ast

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        pairs = zip(node.keys, node.values, strict=True)
        node.values = [each if key is not None else self.call("spread", each) for key, each in pairs]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr | ast.Add):
            return node
        return self.call("joined", node.left, node.right, adds=isinstance(node.op, ast.Add))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr | ast.Add) or not isinstance(node.target, ast.Name):
            return node
        old = ast.Name(node.target.id, ast.Load())
        return ast.Assign([node.target], self.call("grown", old, node.value, adds=isinstance(node.op, ast.Add)))

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        return node  # a pattern, not an expression


def instrumented(source: str, name: str) -> CodeType:
    """The code of a module with the counter; the module needs it as `__copies__`."""
    tree = ast.fix_missing_locations(Instrument().visit(ast.parse(source)))
    return compile(tree, name, "exec")


class Loader(SourceFileLoader):
    """Compiles with the counter."""

    def get_code(self, _: str) -> CodeType:
        return instrumented(self.get_data(self.path).decode(), self.path)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__copies__"] = COPIES
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds the modules of dockfix and of its rules."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ("dockfix", "dockfix_codemods"):
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            spec.loader = Loader(fullname, spec.origin)
        return spec


COPIES = Counter()


def main(shape: str, sizes: Sequence[int]) -> None:
    """Print the number for each size."""
    sys.meta_path.insert(0, Finder())
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.engine.test_linear import SHAPES, run, written  # noqa: PLC0415 - with the counter

    for size in (3, *sizes):  # the first is for what is computed once
        with tempfile.TemporaryDirectory() as folder:
            written(Path(folder), SHAPES[shape](size))
            before = COPIES.number
            run(Path(folder), fix=False)
            if size != 3:
                sys.stdout.write(f"{COPIES.number - before}\n")


if __name__ == "__main__":
    main(sys.argv[1], [int(each) for each in sys.argv[2:]])
