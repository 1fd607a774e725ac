"""How a bake file passes a secret in place of a build argument."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.hcl_check import bake_changes
from dockfix.edit.text import Edit, apply_edits
from dockfix.facts.model import Refused
from dockfix.project.bake.reader import parse_bake
from dockfix.project.bake.tree import Attribute, Block, Document, Entry, Expr, Literal, Name, Obj, Seq, Syntax, Template

_BLANK: Final = re.compile(r"[ \t]*,?[ \t]*\r?\Z")
"""What may follow an entry on its line."""


def with_secret(text: str, label: str, key: str, *, keep_args: bool, json: bool) -> str:
    """The text of a bake file in which a target passes a secret from the variable that it passes as an argument.

    Args:
        text: the file.
        label: the label of the target's block.
        key: the argument.
        keep_args: whether it still passes the argument, too.
        json: whether the file is JSON.

    Raises:
        Refused: the value is not that of the environment, other targets may need the argument, or the edit would
            change more.
    """
    try:
        document = parse_bake(text, json=json)
    except Syntax as error:
        raise Refused(f"the file {error.message}") from None
    block = _block(document, label)
    args = _attribute(block, "args")
    if args is None or not isinstance(args.value, Obj):
        raise Refused("the target inherits it, or computes its `args`")
    entry = _entry(args.value, key)
    item = f'"id={key},env={_variable(document, entry.value)}"'
    edits = list(_Editor(text, block, args, json=json).edits(entry, item, keep_args=keep_args))
    after = apply_edits(text, edits)
    before, edited = (text, after) if json else _alone(text, block, edits)
    _check(before, edited, ("target", label), key, json=json)
    return after


def _alone(text: str, block: Block, edits: Sequence[Edit]) -> tuple[str, str]:
    """The block of a target before and after edits of it. What is around a block of HCL does not change its meaning."""
    start, end = block.span
    before = text[start:end]
    own = [Edit(each.start - start, each.end - start, each.replacement) for each in edits]
    return before, apply_edits(before, own)


def _block(document: Document, label: str) -> Block:
    """The block of a target that no other target is based on."""
    targets = [each for each in document.body.blocks if each.kind == "target"]
    own = [each for each in targets if each.labels == (label,)]
    if len(own) != 1 or own[0].body.last("matrix") is not None:
        raise Refused("its target is not written as one block")
    for each in targets:
        inherits = each.body.last("inherits")
        names = inherits.value if inherits is not None else None
        if isinstance(names, Seq) and all(isinstance(name, Literal) for name in names.items):
            if label in (name.value for name in names.items if isinstance(name, Literal)):
                raise Refused(f"the target {each.labels[0]} inherits it")
        elif names is not None:
            raise Refused("what another target inherits is computed")
    if re.search(rf"\btarget\.{re.escape(label)}\b", document.text):
        raise Refused(f"other values of the file refer to the target {label}")
    return own[0]


def _attribute(block: Block, name: str) -> Attribute | None:
    found = [each for each in block.body.attributes if each.name == name]
    if len(found) > 1:
        raise Refused(f"the target has `{name}` {len(found)} times")
    return found[0] if found else None


def _entry(args: Obj, key: str) -> Entry:
    if not all(isinstance(each.key, Literal) for each in args.entries):
        raise Refused("its `args` has a computed name")
    found = [each for each in args.entries if isinstance(each.key, Literal) and each.key.value == key]
    if len(found) != 1:
        raise Refused("the target inherits it, or names it more than once")
    return found[0]


def _variable(document: Document, value: Expr) -> str:
    """The variable whose value an argument has, if only the environment gives it one.

    buildx takes the variable of the environment that has the name of a variable of the file.
    """
    if isinstance(value, Template) and len(value.parts) == 1:
        value = value.parts[0]
    if not isinstance(value, Name):
        raise Refused("not as a plain variable of the environment")
    declared = [each for each in document.body.blocks if each.kind == "variable" and each.labels == (value.name,)]
    defaults = [each.body.last("default") for each in declared]
    plain = all(each is None or (isinstance(each.value, Literal) and not each.value.value) for each in defaults)
    if len(declared) != 1 or not plain or any(each.name == value.name for each in document.body.attributes):
        raise Refused(f"the file gives the variable {value.name} a value")
    return value.name


class _Editor:
    """The edits of one target."""

    def __init__(self, text: str, block: Block, args: Attribute, *, json: bool) -> None:
        self.text = text
        self.block = block
        self.args = args
        self.json = json
        self.secret = _attribute(block, "secret")
        self.eol = "\r\n" if "\r\n" in text else "\n"

    def edits(self, entry: Entry, item: str, *, keep_args: bool) -> Iterator[Edit]:
        """Those that add the secret and, unless it is kept, remove the argument."""
        given = self.args.value
        assert isinstance(given, Obj)  # noqa: S101 - the caller has asked
        only = len(given.entries) == 1 and not keep_args
        if self.secret is None and only:
            yield Edit(self.args.span.start, self.args.span.end, self._setting(item))
            return
        yield self._new_attribute(item) if self.secret is None else self._new_item(self.secret, item)
        if only:
            spans = [(each.span.start, each.span.end) for each in self.block.body.attributes]
            yield from self._removed(spans, self.block.body.attributes.index(self.args))
        elif not keep_args:
            yield from self._removed(
                [(each.span.start, each.span.end) for each in given.entries], given.entries.index(entry)
            )

    def _setting(self, item: str) -> str:
        """`secret` with its value, spaced like `args`."""
        name = '"args"' if self.json else "args"
        between = self.text[self.args.span.start + len(name) : self.args.value.span.start]
        if self.json:
            return f'"secret"{between}[{item}]'
        mark = between.index("=")
        return f"{'secret'.ljust(max(len(name) + mark, len('secret ') if mark else 0))}{between[mark:]}[{item}]"

    def _new_attribute(self, item: str) -> Edit:
        start = self.args.span.start
        indent = self.text[self._line_start(start) : start]
        if not indent.strip(" \t"):
            comma = "," if self.json else ""
            return Edit(start, start, f"{self._setting(item)}{comma}{self.eol}{indent}")
        if not self.json:
            raise Refused("the target is on one line")
        return Edit(start, start, f"{self._setting(item)},{self._space()}")

    def _new_item(self, secret: Attribute, item: str) -> Edit:
        given = secret.value
        if not isinstance(given, Seq) or not all(
            isinstance(each, Literal) and isinstance(each.value, str) for each in given.items
        ):
            raise Refused("its `secret` is computed, or has the long form")
        identifier = item.strip('"').partition(",")[0]
        if any(identifier in str(each.value).split(",") for each in given.items if isinstance(each, Literal)):
            raise Refused("has another secret of this name")
        if not given.items:
            if self.text[given.span.start + 1 : given.span.end - 1].strip():
                raise Refused("its `secret` holds nothing but a comment")
            return Edit(given.span.start + 1, given.span.end - 1, item)
        last = given.items[-1].span
        indent = self.text[self._line_start(last.start) : last.start]
        own_line = f"{self.eol}{indent}" if not indent.strip(" \t") else self._space()
        return Edit(last.end, last.end, f",{own_line}{item}")

    def _removed(self, spans: Sequence[tuple[int, int]], index: int) -> Iterator[Edit]:
        """The removal of one of several entries or attributes, with its line if it is alone there."""
        start, end = spans[index]
        first = self._line_start(start)
        stop = self.text.find("\n", end)
        stop = len(self.text) if stop < 0 else stop
        last = index == len(spans) - 1
        if not self.text[first:start].strip(" \t"):
            if not _BLANK.match(self.text[end:stop]):
                raise Refused("it is not alone on its line")
            above = self.text[self._line_start(max(first - 1, 0)) : first].strip()
            if above.startswith(("#", "//", "/*")) or above.endswith("*/"):
                raise Refused("the comment above it would be left")
            yield Edit(first, stop + 1, "")
            if self.json and last and index:
                comma = self.text.index(",", spans[index - 1][1], start)
                yield Edit(comma, comma + 1, "")
        elif last and index:
            yield Edit(spans[index - 1][1], end, "")
        elif not last:
            yield Edit(start, spans[index + 1][0], "")
        else:
            raise Refused("it is not alone on its line")

    def _space(self) -> str:
        """What the file has after a comma on one line."""
        return "" if self.json and not re.search(r"[,:] ", self.text) else " "

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1


def _check(before: str, after: str, place: tuple[str, str], key: str, *, json: bool) -> None:
    """Raise `Refused` if more than the argument and the secret differ."""
    allowed = {(*place, "secret"), (*place, "args", key)}
    try:
        changes = bake_changes(before, after, json=json)
    except Syntax as error:
        raise Refused(f"the edited file {error.message}") from None
    for path, _, new in changes:
        if path not in allowed and not (path == (*place, "args") and new is None):
            raise Refused("a comment would be lost" if path[0] == "#" else "the edit would change more")
