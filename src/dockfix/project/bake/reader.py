"""Reads bake files into trees: HCL through python-hcl2, JSON through the standard library.

Sources: the HCL native syntax specification and its JSON syntax (hashicorp/hcl, `hclsyntax/spec.md`, `json/spec.md`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dockfix.project.bake.tree import (
    Attribute,
    Binary,
    Block,
    Body,
    Conditional,
    Document,
    Entry,
    Expr,
    Index,
    Literal,
    Name,
    Obj,
    Opaque,
    Seq,
    Syntax,
    Template,
    Unary,
)
from dockfix.syntax.source import BOM, Span

if TYPE_CHECKING:
    from lark import Token, Tree

MAX_HCL_BYTES: Final = 128 * 1024
"""The largest HCL file that is read. The parser takes 10 microseconds a byte on usual files, 20 at worst."""
MAX_JSON_BYTES: Final = 512 * 1024
_MAX_BLANK: Final = 500
_MAX_DEEP: Final = 100
_MOST_DIGITS: Final = 30


@lru_cache(maxsize=4)
def parse_bake(text: str, *, json: bool) -> Document:
    """Read a bake file's text. Callers share the result and must not change it.

    Raises:
        Syntax: the text is not valid HCL or JSON, or exceeds the limits of size and nesting.
    """
    limit = MAX_JSON_BYTES if json else MAX_HCL_BYTES
    if len(text) > limit:
        raise Syntax(None, f"is larger than {limit // 1024} KiB and is not read")
    if any("\udc80" <= char <= "\udcff" for char in text):
        raise Syntax(None, "is not UTF-8 and is not read")
    try:
        return _parse_json(text) if json else _parse_hcl(text)
    except RecursionError:
        raise Syntax(None, "is nested too deeply and is not read") from None


# HCL


def _parse_hcl(text: str) -> Document:
    from hcl2 import parses_to_tree  # noqa: PLC0415 - slow to import, and many projects have no bake file
    from lark.exceptions import LarkError, UnexpectedInput  # noqa: PLC0415

    if "<<" in text and any(len(blank[0]) > _MAX_BLANK for blank in re.finditer(r"\s+", text)):
        # the lexer's pattern for heredocs takes quadratic time in the blank lines of one
        raise Syntax(None, f"has a heredoc and more than {_MAX_BLANK} blanks in a row, and is not read")
    _refuse_depth(text)
    # a byte order mark is not part of the syntax; a space keeps the offsets
    readable = " " + text[1:] if text.startswith(BOM) else text
    try:
        tree = parses_to_tree(readable)
    except UnexpectedInput as error:
        raise Syntax(_line_of(text, error), f"invalid HCL: {_trouble(text, error)}") from None
    except LarkError:
        raise Syntax(None, "invalid HCL") from None
    reader = _Reader(text)
    body = reader.body(_trees(tree)[0])
    comments = [str(token).strip() for token in tree.scan_values(lambda _: True) if _has_comment(str(token))]
    return Document(text, body, tuple(comments))


def _refuse_depth(text: str) -> None:
    """Refuse very deep brackets before the parser builds a tree of them; brackets in strings count too."""
    depth = 0
    for found in re.finditer(r"[{(\[\])}]", text):
        depth += 1 if found[0] in "{([" else -1
        if depth > _MAX_DEEP:
            raise Syntax(text.count("\n", 0, found.start()) + 1, "is nested too deeply and is not read")


def _line_of(text: str, error: object) -> int:
    line = getattr(error, "line", None)
    last = text.count("\n") + (not text.endswith("\n"))
    return min(line, last) if isinstance(line, int) and line > 0 else last


def _trouble(text: str, error: object) -> str:
    at = getattr(error, "pos_in_stream", None)
    if not isinstance(at, int) or at < 0 or not text[at:].strip():
        return "the file ends in the middle of something (a bracket, string, heredoc or comment is not closed)"
    if text[at:].lstrip().startswith("<<"):
        return "a heredoc is not closed"
    line = text[at:].lstrip().split("\n", 1)[0].strip()
    return f"unexpected {line[:30]!r}"


def _has_comment(text: str) -> bool:
    return text.lstrip().startswith(("#", "//", "/*"))


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    """The children without tokens, line breaks and comments."""
    return [child for child in tree.children if not isinstance(child, str) and child.data != "new_line_or_comment"]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, str)]


def _place(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)


class _Reader:
    """Converts the parser's tree. Spans are taken from tokens: the grammar counts some line ends to a rule."""

    def __init__(self, text: str) -> None:
        self.text = text

    def body(self, tree: Tree[Token]) -> Body:
        attributes: list[Attribute] = []
        blocks: list[Block] = []
        for child in _trees(tree):
            if child.data == "attribute":
                name, value = _trees(child)
                expr = self.expr(value)
                attributes.append(Attribute(self._word(name), expr, Span(self._start(name), expr.span.end)))
            elif child.data == "block":
                *head, inner = _trees(child)
                opening, closing = _tokens(child)[0], _tokens(child)[-1]
                labels = tuple(self._label(each) for each in head[1:])
                span = Span(self._start(head[0]), _place(closing).end)
                inside = Span(_place(opening).end, _place(closing).start)
                blocks.append(Block(self._word(head[0]), labels, self.body(inner), span, inside))
        return Body(tuple(attributes), tuple(blocks))

    def _start(self, tree: Tree[Token]) -> int:
        return _place(next(iter(tree.scan_values(lambda _: True)))).start

    def _word(self, tree: Tree[Token]) -> str:
        return str(tree.children[0])

    def _label(self, tree: Tree[Token]) -> str:
        if tree.data != "string":
            return self._word(tree)
        expr = self._string(tree)
        if isinstance(expr, Literal) and isinstance(expr.value, str):
            return expr.value
        raise Syntax(self._line(expr.span.start), "invalid HCL: the label of a block must be a plain string")

    def _line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def expr(self, tree: Tree[Token]) -> Expr:
        inner = _trees(tree)
        tokens = _tokens(tree)
        match tree.data:
            case "expr_term":
                if len(inner) == 1 and tokens and tokens[0].type == "LPAR":
                    return replace(self.expr(inner[0]), span=_across(tokens))
                return self.expr(inner[0])
            case "identifier" | "keyword":
                return Name(_place(tokens[0]), str(tokens[0]))
            case "literal_value":
                return Literal(_place(tokens[0]), {"true": True, "false": False}.get(str(tokens[0])))
            case "int_lit" | "float_lit":
                return self._number(tokens[0])
            case "string":
                return self._string(tree)
            case "heredoc_template" | "heredoc_template_trim":
                return self._heredoc(tokens[0], trim=tree.data == "heredoc_template_trim")
            case "tuple":
                return Seq(_across(tokens), tuple(self.expr(each) for each in inner))
            case "object":
                return Obj(_across(tokens), tuple(self._entry(each) for each in inner))
            case "conditional":
                test, yes, no = (self.expr(each) for each in inner)
                return Conditional(Span(test.span.start, no.span.end), test, yes, no)
            case "binary_op":
                return self._binary(tree)
            case "unary_op":
                operand = self.expr(inner[0])
                return Unary(Span(_place(tokens[0]).start, operand.span.end), str(tokens[0]), operand)
            case "get_attr_expr_term" | "index_expr_term":
                return self._index(inner[0], inner[1])
        return Opaque(self._extent(tree))

    def _number(self, token: Token) -> Expr:
        text = str(token)
        if len(text) > _MOST_DIGITS:
            return Opaque(_place(token))
        return Literal(_place(token), int(text) if token.type == "INT_LITERAL" else float(text))

    def _extent(self, tree: Tree[Token]) -> Span:
        places = [
            _place(token)
            for token in tree.scan_values(lambda _: True)
            if token.type != "NL_OR_COMMENT"
        ]  # fmt: skip
        return Span(places[0].start, places[-1].end)

    def _binary(self, tree: Tree[Token]) -> Expr:
        left_tree, term = _trees(tree)
        operator, right_tree = _trees(term)
        # the lexer joins line breaks before an operator to it
        op = str(operator.children[0]).split()[-1]
        left, right = self.expr(left_tree), self.expr(right_tree)
        return Binary(Span(left.span.start, right.span.end), op, left, right)

    def _index(self, base_tree: Tree[Token], step: Tree[Token]) -> Expr:
        base = self.expr(base_tree)
        span = Span(base.span.start, self._extent(step).end)
        if step.data == "get_attr":
            name = _trees(step)[0].children[0]
            return Index(span, base, Literal(span, str(name)))
        if step.data == "short_index":
            digits = str(_tokens(step)[-1])
            # no list is that long, and -1 is not a valid index either
            return Index(span, base, Literal(span, int(digits) if len(digits) <= _MOST_DIGITS else -1))
        return Index(span, base, self.expr(_trees(step)[0]))

    def _entry(self, tree: Tree[Token]) -> Entry:
        key_tree, value = _trees(tree)
        key = self.expr(_trees(key_tree)[0])
        inner = _trees(key_tree)[0]
        bare = inner.data != "expr_term" or not any(token.type == "LPAR" for token in _tokens(inner))
        if bare and isinstance(key, Name):
            key = Literal(key.span, key.name)  # an identifier before `=` is the key itself
        elif bare and isinstance(key, Literal) and not isinstance(key.value, str):
            key = Literal(key.span, self.text[key.span.start : key.span.end])
        return Entry(key, self.expr(value))

    def _string(self, tree: Tree[Token]) -> Expr:
        quotes = _tokens(tree)
        span = _across(quotes)
        parts: list[Expr] = []
        for part in _trees(tree):
            for child in part.children:
                if isinstance(child, str):
                    place = _place(child)
                    if "\n" in child:
                        raise Syntax(self._line(place.start), "invalid HCL: a string is not closed on its line")
                    parts.append(Literal(place, _plain(str(child))))
                elif child.data == "interpolation":
                    parts.append(self.expr(_trees(child)[0]))
                else:
                    return Opaque(span)
        return _template(span, parts)

    def _heredoc(self, token: Token, *, trim: bool) -> Expr:
        place = _place(token)
        lines = str(token).removesuffix("\n").replace("\r\n", "\n").split("\n")[1:-1]
        if trim:
            indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
            lines = [line[min(indents, default=0) :] for line in lines]
        return template_of("".join(f"{line}\n" for line in lines), place)


def _across(tokens: list[Token]) -> Span:
    return Span(_place(tokens[0]).start, _place(tokens[-1]).end)


def _plain(text: str) -> str:
    """A piece of a quoted string with its escapes decoded."""
    if text.startswith("$${"):
        return text[1:]
    if text.startswith("%%{"):
        return text[1:]

    def undo(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        if code is None:
            return _ESCAPES.get(found[3], found[0])
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else "\ufffd"

    return _ESCAPE.sub(undo, text)


def _template(span: Span, parts: list[Expr]) -> Expr:
    if all(isinstance(part, Literal) and isinstance(part.value, str) for part in parts):
        return Literal(span, "".join(str(part.value) for part in parts if isinstance(part, Literal)))
    return Template(span, tuple(parts))


_MARK: Final = re.compile(r"\$\$\{|%%\{|\$\{|%\{")


def template_of(text: str, span: Span) -> Expr:
    """The text of a heredoc or a JSON string as a template: no escapes except `$${` and `%%{`.

    Its parts all have the span of the whole. A directive, and an interpolation that is more than a name or a
    reference, make it opaque.
    """
    parts: list[Expr] = []
    at = 0
    while (found := _MARK.search(text, at)) is not None:
        parts.append(Literal(span, text[at : found.start()]))
        at = found.end()
        if found[0] in ("$${", "%%{"):
            parts.append(Literal(span, found[0][1:]))
            continue
        end = text.find("}", at)
        if found[0] == "%{" or end < 0:
            return Opaque(span)
        reference = re.fullmatch(r"\s*([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*", text[at:end])
        if reference is None:
            return Opaque(span)
        first, *steps = reference[1].split(".")
        value: Expr = Name(span, first)
        for step in steps:
            value = Index(span, value, Literal(span, step))
        parts.append(value)
        at = end + 1
    parts.append(Literal(span, text[at:]))
    kept = [part for part in parts if not isinstance(part, Literal) or part.value != ""]
    return _template(span, kept)


# JSON


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _parse_json(text: str) -> Document:
    _refuse_depth(text)
    start = len(BOM) if text.startswith(BOM) else 0
    try:
        json.loads(text[start:], parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        raise Syntax(error.lineno, f"invalid JSON: {message}") from None
    except ValueError as error:
        raise Syntax(None, f"invalid JSON: {' '.join(str(error).split())[:100]}") from None
    top, _ = _json_value(text, start)
    if not isinstance(top, Obj):
        raise Syntax(1, "is not a bake file: its top is not an object")
    attributes: list[Attribute] = []
    blocks: list[Block] = []
    for entry in top.entries:
        name = _key(text, entry)
        if name in ("target", "group", "variable", "function"):
            blocks.extend(_json_blocks(text, name, entry.value))
        elif name != "//":
            attributes.append(Attribute(name, entry.value, entry.span))
    return Document(text, Body(tuple(attributes), tuple(blocks)), ())


def _key(text: str, entry: Entry) -> str:
    """The literal name of a member: it is a template only in an object of an expression."""
    return str(_DECODER.raw_decode(text, entry.key.span.start)[0])


def _json_blocks(text: str, kind: str, value: Expr) -> Iterator[Block]:
    """The blocks of a kind: an object by labels, or a list of such objects."""
    for each in value.items if isinstance(value, Seq) else (value,):
        for entry in each.entries if isinstance(each, Obj) else ():
            for inner in entry.value.items if isinstance(entry.value, Seq) else (entry.value,):
                if isinstance(inner, Obj) and _key(text, entry) != "//":
                    members = tuple(
                        Attribute(_key(text, member), member.value, member.span)
                        for member in inner.entries
                        if _key(text, member) != "//"
                    )
                    inside = Span(inner.span.start + 1, inner.span.end - 1)
                    yield Block(kind, (_key(text, entry),), Body(members, ()), entry.span, inside)


_DECODER: Final = json.JSONDecoder()
_JSON_BLANK: Final = re.compile(r"[ \t\r\n]*")
_JSON_WORD: Final = re.compile(r"[-+.\w]+")


def _json_value(text: str, at: int) -> tuple[Expr, int]:
    """The value at `at` of a text that is known to be JSON, and the offset after it."""
    start = _skip(text, at)
    if text[start] == '"':
        string, end = _DECODER.raw_decode(text, start)
        return template_of(string, Span(start, end)), end
    if text[start] in "{[":
        return _json_container(text, start)
    word = _JSON_WORD.match(text, start)
    assert word is not None  # noqa: S101 - the text was parsed before
    span = Span(word.start(), word.end())
    return (Opaque(span) if len(word[0]) > 30 else Literal(span, json.loads(word[0]))), span.end


def _json_container(text: str, start: int) -> tuple[Expr, int]:
    closing = "}" if text[start] == "{" else "]"
    entries: list[Entry] = []
    items: list[Expr] = []
    at = _skip(text, start + 1)
    while text[at] != closing:
        if closing == "}":
            name, end = _DECODER.raw_decode(text, at)
            value, after = _json_value(text, _skip(text, end) + 1)
            entries.append(Entry(template_of(name, Span(at, end)), value))
        else:
            value, after = _json_value(text, at)
            items.append(value)
        at = _skip(text, after)
        if text[at] == ",":
            at = _skip(text, at + 1)
    span = Span(start, at + 1)
    return (Obj(span, tuple(entries)) if closing == "}" else Seq(span, tuple(items))), at + 1


def _skip(text: str, at: int) -> int:
    found = _JSON_BLANK.match(text, at)
    return found.end() if found is not None else at
