"""Edits of bake files: the smallest edits that give a target a named context.

Nothing else of the file changes, and the result is in the file's own style: indentation, line ends, commas, quotes.
An entry whose value is computed is refused (`Refused`).
"""

from __future__ import annotations

import json as json_module
import re
from typing import Final

from dockfix.edit.text import Edit
from dockfix.facts.model import Refused
from dockfix.project.bake.reader import parse_bake
from dockfix.project.bake.tree import Attribute, Block, Document, Entry, Literal, Obj, Syntax, Template
from dockfix.project.bake.values import shortened

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_KEYWORDS: Final = frozenset({"true", "false", "null", "for", "in", "if", "else", "endif", "endfor", "for_each"})


def set_context(text: str, target: str, name: str, value: str, *, json: bool = False) -> tuple[Edit, ...]:
    """The edits after which the block `target` has the named context `name` with `value`; none if it has it already.

    `target` is the label of a block (`BakeTarget.block`): all targets of a matrix get the context. Both `name` and
    `value` are plain texts; template characters in them are escaped.

    Raises:
        Refused: the file cannot be edited without changing more.
    """
    try:
        document = parse_bake(text, json=json)
    except Syntax as error:
        raise Refused(f"the file {error.message}") from None
    blocks = [each for each in document.body.blocks if each.kind == "target" and each.labels == (target,)]
    if not blocks:
        raise Refused(f"there is no target {target} in the file")
    if len(blocks) > 1:
        raise Refused(f"the target {target} is declared {len(blocks)} times")
    if any(each.kind == "contexts" for each in blocks[0].body.blocks):
        raise Refused(f"the target {target} has contexts as a block, which bake rejects")
    editor = _Json(document) if json else _Hcl(document)
    attributes = [each for each in blocks[0].body.attributes if each.name == "contexts"]
    if len(attributes) > 1:
        raise Refused(f"the target {target} has contexts {len(attributes)} times")
    if not attributes:
        return editor.new_attribute(blocks[0], name, value)
    given = attributes[0].value
    if not isinstance(given, Obj):
        raise Refused(f"contexts of the target {target} is computed: {shortened(document.source(given))}")
    return editor.set_entry(given, name, value)


def _matching(document: Document, given: Obj, name: str) -> Entry | None:
    """The entry of this name. A computed key is refused, since it could have this name."""
    found: list[Entry] = []
    for entry in given.entries:
        if not isinstance(entry.key, Literal):
            raise Refused(f"contexts has a computed key: {shortened(document.source(entry.key))}")
        if entry.key.value == name:
            found.append(entry)
    if len(found) > 1:
        raise Refused(f"contexts has {name} {len(found)} times")
    return found[0] if found else None


class _Editor:
    """The common part of HCL and JSON."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.eol = "\r\n" if "\r\n" in self.text else "\n"

    def quoted(self, text: str) -> str:
        """A plain text as a string of the file."""
        escaped = json_module.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
        return escaped.replace("${", "$${").replace("%{", "%%{")

    def replaced(self, entry: Entry, value: str) -> tuple[Edit, ...]:
        """The edit of an entry that is there."""
        if not isinstance(entry.value, Literal | Template):
            raise Refused(f"the context is computed: {shortened(self.document.source(entry.value))}")
        if isinstance(entry.value, Literal) and entry.value.value == value:
            return ()
        if isinstance(entry.value, Template) or not isinstance(entry.value.value, str):
            raise Refused(f"the context is computed: {shortened(self.document.source(entry.value))}")
        if self.text[entry.value.span.start] != '"':
            raise Refused("the context is given in brackets or as a heredoc")
        return (Edit(entry.value.span.start, entry.value.span.end, self.quoted(value)),)

    def set_entry(self, given: Obj, name: str, value: str) -> tuple[Edit, ...]:
        """The edits of a `contexts` that is there."""
        raise NotImplementedError

    def new_attribute(self, block: Block, name: str, value: str) -> tuple[Edit, ...]:
        """The edits for a `contexts` that is not there."""
        raise NotImplementedError

    def line_start(self, at: int) -> int:
        """The offset at which the line of `at` begins."""
        return self.text.rfind("\n", 0, at) + 1

    def indent(self, at: int) -> str:
        """The blanks that the line of `at` begins with."""
        start = self.line_start(at)
        return self.text[start : start + len(self.text[start:]) - len(self.text[start:].lstrip(" \t"))]

    def leads(self, at: int) -> bool:
        """Whether only blanks are before `at` on its line."""
        return not self.text[self.line_start(at) : at].strip(" \t")


class _Hcl(_Editor):
    def set_entry(self, given: Obj, name: str, value: str) -> tuple[Edit, ...]:
        entry = _matching(self.document, given, name)
        if entry is not None:
            return self.replaced(entry, value)
        inside = given.span.start + 1, given.span.end - 1
        if not given.entries:
            return self._first_entry(given, name, value)
        last = given.entries[-1]
        end = last.span.end
        if self.text[end - 1] == "\n":
            raise Refused("the last of contexts is a heredoc")
        comma = self._comma(end, inside[1])
        after = end if comma is None else comma + 1
        new = self._entry(given, last, name, value)
        stop = self._line_end(after, inside[1])
        if stop is None:  # the closing brace is on the same line
            return (Edit(after, after, f", {new}" if comma is None else f" {new},"),)
        line = f"{self.eol}{self._entry_indent(given, last)}{new}"
        if comma is not None:
            return (Edit(stop, stop, f"{line},"),)
        separated = len(given.entries) > 1 and self._comma(given.entries[-2].span.end, last.span.start) is not None
        if not separated:
            return (Edit(stop, stop, line),)
        return (Edit(end, end, f",{line}"),) if stop == end else (Edit(end, end, ","), Edit(stop, stop, line))

    def _entry_indent(self, given: Obj, last: Entry) -> str:
        if self.leads(last.span.start):
            return self.indent(last.span.start)
        return self.indent(given.span.start) + self._unit()

    def _first_entry(self, given: Obj, name: str, value: str) -> tuple[Edit, ...]:
        new = f"{self.quoted(name)} = {self.quoted(value)}"
        start, end = given.span.start + 1, given.span.end - 1
        hollow = self.text[start:end]
        if "\n" in hollow:
            if "*/" in hollow.split("\n", 1)[0] or "/*" in hollow.split("\n", 1)[0]:
                raise Refused("contexts holds nothing but a comment")
            stop = self._line_end(start, end)
            assert stop is not None  # noqa: S101 - there is a line break
            return (Edit(stop, stop, f"{self.eol}{self.indent(given.span.start)}{self._unit()}{new}"),)
        if hollow.strip(" \t"):
            return (Edit(start, start, f" {new},"),)
        return (Edit(start, end, f" {new} "),)

    def _entry(self, given: Obj, last: Entry, name: str, value: str) -> str:
        bare = all(self.text[entry.key.span.start] != '"' for entry in given.entries)
        key = name if bare and _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS else self.quoted(name)
        between = self.text[last.key.span.end : last.value.span.start]
        mark = ":" if ":" in between else "="
        head = key + (" " if between[:1] in (" ", "\t") else "")
        tail = " " if between[-1:] in (" ", "\t") else ""
        column = _common_column(self.text, [(each.key.span.start, each.key.span.end, mark) for each in given.entries])
        return f"{head.ljust(column) if column else head}{mark}{tail}{self.quoted(value)}"

    def _comma(self, at: int, end: int) -> int | None:
        """The comma that follows `at` before `end`, comments passed over."""
        while at < end:
            char = self.text[at]
            if char == ",":
                return at
            if char.isspace():
                at += 1
            else:
                at = self._comment_end(at)
        return None

    def _comment_end(self, at: int) -> int:
        """The end of the comment at `at`, the line break of a line comment not counted."""
        if self.text.startswith("/*", at):
            return self.text.index("*/", at + 2) + 2
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if self.text[at:end].endswith("\r") else end

    def _line_end(self, at: int, limit: int) -> int | None:
        """The end of the line that `at` is on, without its line break, if only blanks and comments are before it."""
        while at < limit:
            if self.text.startswith(("\n", "\r\n"), at):
                return at
            if self.text[at] in " \t\r":
                at += 1
            elif self.text[at] == "#" or self.text.startswith(("//", "/*"), at):
                at = self._comment_end(at)
            else:
                return None
        return None

    def _unit(self) -> str:
        """One step of indentation, as the first attribute of a block has it."""
        for block in self.document.body.blocks:
            for attribute in block.body.attributes:
                if self.leads(attribute.span.start):
                    unit = self.indent(attribute.span.start).removeprefix(self.indent(block.span.start))
                    if unit:
                        return unit
        return "  "

    def new_attribute(self, block: Block, name: str, value: str) -> tuple[Edit, ...]:
        setting = f"{{ {self.quoted(name)} = {self.quoted(value)} }}"
        outer = self.indent(block.span.start)
        start, end = block.inside.start, block.inside.end
        anchor = self._anchor(block)
        if anchor is not None and self.leads(anchor.span.start):
            line = f"{self.indent(anchor.span.start)}{self._aligned(block, anchor)}= {setting}"
            if self.text[anchor.span.end - 1] == "\n":  # a heredoc ends with its line
                return (Edit(anchor.span.end, anchor.span.end, f"{line}{self.eol}"),)
            stop = self._line_end(anchor.span.end, end)
            if stop is not None:
                return (Edit(stop, stop, f"{self.eol}{line}"),)
        line = f"{outer}{self._unit()}contexts = {setting}"
        if not self.text[start:end].strip():
            return (Edit(start, end, f"{self.eol}{line}{self.eol}{outer}"),)
        if "\n" in self.text[start:end]:
            stop = self._line_end(start, end)
            if stop is not None:
                return (Edit(stop, stop, f"{self.eol}{line}"),)
        return self._unfolded(block, line, outer)

    def _unfolded(self, block: Block, line: str, outer: str) -> tuple[Edit, ...]:
        """Split a block on one line, which may hold only one attribute, into several lines."""
        start, end = block.inside.start, block.inside.end
        if len(block.body.attributes) != 1 or block.body.blocks:
            raise Refused(f"the target {block.labels[0]} has an unusual layout")
        only = block.body.attributes[0].span
        before, after = self.text[start : only.start], self.text[only.end : end]
        if before.strip() or after.strip() or "\n" in self.text[start:end]:
            raise Refused(f"the target {block.labels[0]} has an unusual layout")
        return (
            Edit(start, only.start, f"{self.eol}{outer}{self._unit()}"),
            Edit(only.end, end, f"{self.eol}{line}{self.eol}{outer}"),
        )

    def _anchor(self, block: Block) -> Attribute | None:
        """The last attribute on one line, else the last one."""
        simple = [
            each
            for each in block.body.attributes
            if "\n" not in self.text[each.span.start : each.span.end] and self.leads(each.span.start)
        ]
        return next(reversed(simple or block.body.attributes), None)

    def _aligned(self, block: Block, anchor: Attribute) -> str:
        """`contexts ` with the blanks that align its `=` with those of the lines above, if they are aligned."""
        run = [anchor]
        for each in reversed(block.body.attributes[: block.body.attributes.index(anchor)]):
            if self.text.count("\n", each.span.start, run[-1].span.start) != 1:
                break
            run.append(each)
        column = _common_column(self.text, [(each.span.start, each.span.start + len(each.name), "=") for each in run])
        return "contexts".ljust(column - 1 if column else 0) + " "


def _common_column(text: str, heads: list[tuple[int, int, str]]) -> int:
    """The distance from the start of each name to its `=` if it is the same for names of different lengths, else 0."""
    distances = {text.index(mark, end) - start for start, end, mark in heads}
    lengths = {end - start for start, end, _ in heads}
    lines = {text.count("\n", 0, start) for start, _, _ in heads}
    return distances.pop() if len(distances) == 1 and len(lengths) > 1 and len(lines) == len(heads) else 0


class _Json(_Editor):
    def set_entry(self, given: Obj, name: str, value: str) -> tuple[Edit, ...]:
        entry = _matching(self.document, given, name)
        if entry is not None:
            return self.replaced(entry, value)
        if given.entries:
            return (self._after(given.entries[-1], given.span.start, name, self.quoted(value)),)
        start, end = given.span.start + 1, given.span.end - 1
        outer = self.indent(given.span.start)
        if "\n" in self.text[start:end] or self._pretty():
            member = f"{self.quoted(name)}{self._colon()}{self.quoted(value)}"
            new = f"{self.eol}{outer}{self._unit()}{member}{self.eol}{outer}"
            return (Edit(start, end, new),)
        return (Edit(start, end, f"{self.quoted(name)}{self._colon()}{self.quoted(value)}"),)

    def new_attribute(self, block: Block, name: str, value: str) -> tuple[Edit, ...]:
        start, end = block.inside.start, block.inside.end
        members = block.body.attributes
        simple = [each for each in members if isinstance(each.value, Literal | Template)]
        anchor = next(reversed(simple or members), None)
        if anchor is None:
            if self.text[start:end].strip():
                raise Refused(f"the target {block.labels[0]} has an unusual layout")
            outer = self.indent(block.span.start)
            inner = outer + self._unit()
            if not self._pretty():
                return (Edit(start, end, f'"contexts"{self._colon()}{self._object(name, value, None)}'),)
            new = f'{self.eol}{inner}"contexts"{self._colon()}{self._object(name, value, inner)}{self.eol}{outer}'
            return (Edit(start, end, new),)
        own = self.indent(anchor.span.start) if self.leads(anchor.span.start) else None
        entry = Entry(Literal(anchor.value.span, None), anchor.value)
        return (self._after(entry, start, "contexts", self._object(name, value, own), anchor.span.start),)

    def _object(self, name: str, value: str, indent: str | None) -> str:
        """An object with one member; over several lines if it is on a line of its own at `indent`."""
        if indent is None:
            return f"{{{self.quoted(name)}{self._colon()}{self.quoted(value)}}}"
        inner = f"{self.eol}{indent}{self._unit()}{self.quoted(name)}{self._colon()}{self.quoted(value)}"
        return f"{{{inner}{self.eol}{indent}}}"

    def _after(self, last: Entry, floor: int, name: str, value: str, key_start: int | None = None) -> Edit:
        """A member after another one, with the same separator as before that one."""
        start = last.key.span.start if key_start is None else key_start
        before = self.text[floor:start]
        blanks = before[len(before.rstrip()) :]
        if not blanks and not self._pretty():
            spaced = re.search(r",[ \t]", self.text) or (not re.search(r",\S", self.text) and self._colon() == ": ")
            blanks = " " if spaced else ""
        return Edit(last.value.span.end, last.value.span.end, f",{blanks}{self.quoted(name)}{self._colon()}{value}")

    def _pretty(self) -> bool:
        return "\n" in self.text.strip()

    def _colon(self) -> str:
        return ": " if re.search(r'":[ \t]', self.text) else ":"

    def _unit(self) -> str:
        found = re.search(r"\n([ \t]+)", self.text)
        return found[1] if found is not None else "  "
