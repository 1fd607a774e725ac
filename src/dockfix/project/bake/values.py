"""The values of a bake file's expressions, as far as they need no environment and no function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, Union

from msgspec import Struct

from dockfix.project.bake.tree import (
    Binary,
    Block,
    Conditional,
    Document,
    Expr,
    Index,
    Literal,
    Name,
    Obj,
    Opaque,
    Seq,
    Template,
    Unary,
)

_MAX_STEPS: Final = 300_000
_MAX_DEEP: Final = 100
_MAX_TEXT: Final = 16 * 1024


class Unknown(Struct, frozen=True):
    """An unknown value; `why` completes "... is not known: "."""

    why: str


Value: TypeAlias = Union[str, bool, int, float, list["Value"], dict[str, "Value"], Unknown, None]  # noqa: UP007


class Scope:
    """The variables of some bake files that are read as one, with their values.

    A variable has its default, as for buildx without environment; without a default it is the empty string, or null if
    it has a type. Every other attribute at the top is a variable too (buildx's `hclparser.Parse`). Work is limited:
    after `_MAX_STEPS` every value is unknown, and `exhausted` is true.
    """

    def __init__(self) -> None:
        self._defined: dict[str, tuple[Document, Expr | None, Expr | None]] = {}
        self._values: dict[str, Value] = {"BAKE_CMD_CONTEXT": "cwd://", "BAKE_LOCAL_PLATFORM": Unknown("the platform")}
        self._blocks: dict[str, list[tuple[Document, Block]]] = {}
        self._busy: set[str] = set()
        self._steps = 0
        self._depth = 0

    @property
    def exhausted(self) -> bool:
        """Whether the limit of work was reached."""
        return self._steps > _MAX_STEPS

    def texts(self) -> dict[str, str]:
        """The values of variables, as texts."""
        return {name: value for name, value in self._values.items() if name in self._defined and isinstance(value, str)}

    def define(self, document: Document) -> None:
        """Add a file; a later definition wins. Source: buildx's `MergeFiles`."""
        for attribute in document.body.attributes:
            self._defined[attribute.name] = (document, attribute.value, None)
        for block in document.body.blocks:
            if block.kind == "variable" and len(block.labels) == 1:
                default, kind = block.body.last("default"), block.body.last("type")
                self._defined[block.labels[0]] = (
                    document,
                    default.value if default is not None else None,
                    kind.value if kind is not None else None,
                )
            elif block.kind == "target" and len(block.labels) == 1:
                self._blocks.setdefault(block.labels[0], []).append((document, block))

    def value(self, document: Document, expr: Expr, local: Mapping[str, Value] | None = None) -> Value:
        """The value of an expression; `local` has the names of a matrix."""
        self._steps += 1
        if self.exhausted or self._depth > _MAX_DEEP:
            return Unknown("the file has too much to evaluate")
        self._depth += 1
        try:
            return self._value(document, expr, local)
        finally:
            self._depth -= 1

    def _value(self, document: Document, expr: Expr, local: Mapping[str, Value] | None) -> Value:
        def sub(inner: Expr) -> Value:
            return self.value(document, inner, local)

        match expr:
            case Literal():
                return expr.value
            case Name():
                return local[expr.name] if local and expr.name in local else self._variable(expr.name)
            case Template():
                return self._template(expr, sub)
            case Seq():
                return [sub(item) for item in expr.items]
            case Obj():
                return self._object(document, expr, sub)
            case Index():
                return self._index(document, expr, sub)
            case Conditional():
                test = _truth(sub(expr.test))
                return test if isinstance(test, Unknown) else sub(expr.yes if test else expr.no)
            case Unary():
                return _unary(expr.op, sub(expr.operand))
            case Binary():
                return _binary(expr.op, sub(expr.left), sub(expr.right))
            case Opaque():
                return Unknown(f"{shortened(document.source(expr))} is not evaluated")

    def _variable(self, name: str) -> Value:
        if name in self._values:
            return self._values[name]
        if name not in self._defined:
            return Unknown(f"there is no variable {name}")
        if name in self._busy:
            return Unknown(f"the variable {name} depends on itself")
        document, default, kind = self._defined[name]
        self._busy.add(name)
        try:
            if default is None:
                value: Value = "" if kind is None else None
            else:
                value = self.value(document, default)
        finally:
            self._busy.discard(name)
        if isinstance(kind, Name) and kind.name == "string" and value is not None:
            value = as_text(value)
        self._values[name] = value
        return value

    def _template(self, expr: Template, sub: Callable[[Expr], Value]) -> Value:
        if len(expr.parts) == 1:
            return sub(expr.parts[0])
        done: list[str] = []
        size = 0
        for part in expr.parts:
            text = as_text(sub(part))
            if isinstance(text, Unknown):
                return text
            size += len(text)
            if size > _MAX_TEXT:
                return Unknown("a text grows too long")
            done.append(text)
        return "".join(done)

    def _object(self, document: Document, expr: Obj, sub: Callable[[Expr], Value]) -> Value:
        done: dict[str, Value] = {}
        for entry in expr.entries:
            key = as_text(sub(entry.key))
            if isinstance(key, Unknown):
                return Unknown(f"the key {shortened(document.source(entry.key))} is computed")
            done[key] = sub(entry.value)
        return done

    def _index(self, document: Document, expr: Index, sub: Callable[[Expr], Value]) -> Value:
        key = sub(expr.key)
        base_expr = expr.base
        if isinstance(base_expr, Index) and isinstance(base_expr.base, Name) and base_expr.base.name == "target":
            return self._of_target(sub(base_expr.key), key)
        if isinstance(base_expr, Name) and base_expr.name in ("target", "group"):
            return Unknown(f"{shortened(document.source(expr))} is not evaluated")
        base = sub(base_expr)
        if isinstance(base, dict) and isinstance(key, str) and key in base:
            return base[key]
        if isinstance(base, list) and isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(base):
            return base[key]
        if isinstance(base, Unknown):
            return base
        return Unknown(f"{shortened(document.source(expr))} does not exist")

    def _of_target(self, target: Value, attribute: Value) -> Value:
        """`target.NAME.ATTRIBUTE`: the value in the block itself, not an inherited one."""
        blocks = self._blocks.get(target, ()) if isinstance(target, str) else ()
        if len(blocks) != 1 or not isinstance(attribute, str):
            return Unknown(f"target.{target}.{attribute} is not known")
        document, block = blocks[0]
        found = block.body.last(attribute)
        mark = f"target.{target}.{attribute}"
        if found is None or mark in self._busy or block.body.last("matrix") is not None:
            return Unknown(f"{mark} is not known")
        if mark not in self._values:
            self._busy.add(mark)
            try:
                self._values[mark] = self.value(document, found.value)
            finally:
                self._busy.discard(mark)
        return self._values[mark]


def as_text(value: Value) -> str | Unknown:
    """A value as a string, as HCL converts it. Null and collections have no text."""
    match value:
        case Unknown() | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
            return Unknown("a number of this size has no plain text") if "e" in text or "n" in text else text
    return Unknown("null has no text" if value is None else "a list or an object has no text")


def shortened(text: str) -> str:
    """A text for a message, cut after 60 characters."""
    return text if len(text) <= 60 else f"{text[:57]}..."


def _truth(value: Value) -> bool | Unknown:
    if isinstance(value, Unknown | bool):
        return value
    return {"true": True, "false": False}.get(value, _NO_TRUTH) if isinstance(value, str) else _NO_TRUTH


_NO_TRUTH: Final = Unknown("a condition is neither true nor false")


def _unary(op: str, value: Value) -> Value:
    if isinstance(value, Unknown):
        return value
    if op == "!":
        truth = _truth(value)
        return truth if isinstance(truth, Unknown) else not truth
    return -value if _is_number(value) else Unknown("only numbers have a sign")  # type: ignore[operator]


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _binary(op: str, left: Value, right: Value) -> Value:
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if op in ("&&", "||"):
        one, other = _truth(left), _truth(right)
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            return _NO_TRUTH
        return (one and other) if op == "&&" else (one or other)
    if op in ("==", "!="):
        equal = _equal(left, right)
        return equal if isinstance(equal, Unknown) else equal == (op == "==")
    if not (isinstance(left, int | float) and isinstance(right, int | float)) or isinstance(left, bool):
        return Unknown(f"{op} takes numbers")
    return _arithmetic(op, left, right)


def _equal(left: Value, right: Value) -> bool | Unknown:
    if left is None or right is None:
        return left is right
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return Unknown("lists and objects are not compared")
    if type(left) is not type(right) and not (_is_number(left) and _is_number(right)):
        return Unknown("values of different types are not compared")
    return left == right


def _arithmetic(op: str, left: int | float, right: int | float) -> Value:
    try:
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right if abs(left) < 1e15 and abs(right) < 1e15 else Unknown("a number is too large")
            case "/":
                return left / right
            case "%":
                return left % right if left >= 0 and right > 0 else Unknown("a remainder of negative numbers")
            case "<":
                return left < right
            case ">":
                return left > right
            case "<=":
                return left <= right
            case ">=":
                return left >= right
    except (ArithmeticError, ValueError):
        return Unknown(f"{op} has no result")
    return Unknown(f"{op} is not evaluated")
