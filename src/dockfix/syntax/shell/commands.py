"""From the items of the scanner to commands with their context.

tree-sitter-bash parses the grammar (lists, pipelines, compound commands): it gets a skeleton of the script in which
every simple command is one plain word.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from dockfix.syntax.shell.items import BELONGS_TO, CASE_ENDS, LIST_ENDS, Item, Kind
from dockfix.syntax.shell.model import (
    MAX_LENGTH,
    Assignment,
    Compound,
    Context,
    Operator,
    Redirect,
    Script,
    SimpleCommand,
    Statement,
    Word,
)
from dockfix.syntax.shell.scanner import Scanner
from dockfix.syntax.shell.words import TooMuch

if TYPE_CHECKING:
    from tree_sitter import Language, Node


def _skeleton(items: list[Item]) -> tuple[bytes, list[int]]:
    """The script that tree-sitter reads (ASCII, so its bytes are its characters) and where each item starts in it."""
    starts: list[int] = []
    parts: list[str] = []
    position = 0
    closed = False
    for item in items:
        text = ";" if item.skeleton == "\n" else item.skeleton
        if closed and item.kind is Kind.RESERVED and text in BELONGS_TO:
            # `if (a) then`, `{ (a) }`: a reserved word may follow another directly, which tree-sitter-bash rejects.
            text = f"; {text}"
        closed = item.closes and item.kind is Kind.RESERVED
        starts.append(position)
        parts.append(text)
        position += len(text) + 1
    return " ".join(parts).encode("ascii"), starts


@lru_cache(maxsize=1)
def _bash() -> Language:
    import tree_sitter  # noqa: PLC0415 - loaded on first use
    import tree_sitter_bash  # noqa: PLC0415 - as above

    return tree_sitter.Language(tree_sitter_bash.language())


def _parse_skeleton(skeleton: bytes) -> Node:
    import tree_sitter  # noqa: PLC0415 - loaded on first use

    return tree_sitter.Parser(_bash()).parse(skeleton).root_node


_COMPOUNDS: Final = frozenset(
    {
        "pipeline",
        "if_statement",
        "for_statement",
        "while_statement",
        "case_statement",
        "subshell",
        "compound_statement",
        "function_definition",
    }
)
_CONTEXTS: Final = {
    "if_statement": Context.CONDITIONAL,
    "elif_clause": Context.CONDITIONAL,
    "else_clause": Context.CONDITIONAL,
    "case_item": Context.CONDITIONAL,
    "while_statement": Context.LOOP,
    "subshell": Context.SUBSHELL,
    "compound_statement": Context.GROUP,
    "function_definition": Context.FUNCTION,
    "pipeline": Context.PIPELINE,
}
_MAYBE_RUN: Final = frozenset(
    name for name, context in _CONTEXTS.items() if context & (Context.CONDITIONAL | Context.LOOP | Context.FUNCTION)
)


class _Scope(enum.Enum):
    """How far the effect of `set -e` extends outside a part of the script."""

    SAME = enum.auto()
    MAYBE = enum.auto()  # the part may not run: it can end errexit for the commands after it, but not begin it
    OWN = enum.auto()  # a process of its own


class _Errexit(Struct):
    on: bool
    off_inside: bool = False


class _Leave(Struct):
    scope: _Scope


class _Builder:
    """Collects commands from the trees of a script and of its substitutions."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.commands: list[SimpleCommand] = []

    def build(self, items: list[Item], context: Context, *, errexit: bool) -> tuple[Node | None, _Level]:
        level = _Level(items)
        if not items:
            return None, level
        skeleton, level.starts = _skeleton(items)
        root = _parse_skeleton(skeleton)
        scopes = [_Errexit(errexit)]
        stack: list[tuple[Node, Context, _Scope] | _Leave] = [(root, context, _Scope.SAME)]
        while stack:
            entry = stack.pop()
            if isinstance(entry, _Leave):
                inner = scopes.pop()
                if entry.scope is _Scope.MAYBE and inner.off_inside:
                    scopes[-1].on = False
                    scopes[-1].off_inside = True
                continue
            node, around, scope = entry
            self.check(node, level)
            if node.is_missing:
                continue
            own = self.own_context(node, level)
            if own is not Context.NONE:  # most nodes; operations of flags are slow
                around |= own
            scope = _widest(scope, node.type)
            if scope is not _Scope.SAME:
                scopes.append(_Errexit(scopes[-1].on))
                stack.append(_Leave(scope))
            children = node.children
            if children:
                stack.extend(reversed(_children(node, children, around)))
            else:
                self.leaf(node, level, around, scopes[-1])
        for index, item in enumerate(items):
            # Items that tree-sitter skipped in an error are checked too.
            if index not in level.seen:
                self.item(index, item, level, context, scopes[0])
        return root, level

    def check(self, node: Node, level: _Level) -> None:
        if node.is_error or node.is_missing:
            first, last = level.span(node)
            start = level.items[first].start
            self.scanner.problems.append((start, max(start, level.items[last].end)))

    def own_context(self, node: Node, level: _Level) -> Context:
        context = _CONTEXTS.get(node.type, Context.NONE)
        if node.type not in ("program", "list") and node.is_named and node.end_byte > node.start_byte:
            first, _ = level.span(node)
            # In `! a && b` the list starts at a negated item too, but only the pipeline `a` is negated.
            if level.items[first].negated:
                context |= Context.NEGATED
        return context

    def leaf(self, node: Node, level: _Level, context: Context, errexit: _Errexit) -> None:
        first, last = level.span(node)
        for index in range(first, last + 1):
            if index not in level.seen:
                self.item(index, level.items[index], level, context, errexit)

    def item(self, index: int, item: Item, level: _Level, context: Context, errexit: _Errexit) -> None:
        level.seen.add(index)
        substitutions = [*item.substitutions]
        for draft in item.redirects:
            substitutions.extend(draft.substitutions)
        for inner in substitutions:
            # GNU Bash manual, "Command Substitution": -e is not inherited, unless in POSIX mode.
            self.build(inner, context | Context.SUBSTITUTION, errexit=False)
        if item.kind is not Kind.COMMAND:
            return
        command = SimpleCommand(
            start=item.start,
            end=item.end,
            words=tuple(item.words),
            assignments=tuple(item.assignments),
            redirects=_redirects(item),
            before=level.operator(index - 1),
            after=level.operator(index + 1),
            context=context,
            errexit=errexit.on,
        )
        level.commands[index] = command
        self.commands.append(command)
        change = _errexit_change(command)
        if change is not None:
            errexit.on = change
            errexit.off_inside = errexit.off_inside or not change


class _Level(Struct):
    items: list[Item]
    starts: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    commands: dict[int, SimpleCommand] = field(default_factory=dict)

    def span(self, node: Node) -> tuple[int, int]:
        """The first and the last item of a node."""
        first = max(bisect_right(self.starts, node.start_byte) - 1, 0)
        last = max(bisect_left(self.starts, node.end_byte) - 1, first)
        return first, last

    def operator(self, index: int) -> Operator | None:
        """The operator at an index; a newline is one only if a command follows it in the same list."""
        if not 0 <= index < len(self.items):
            return None
        item = self.items[index]
        if item.kind is not Kind.OPERATOR and item.skeleton not in CASE_ENDS:
            return None
        if item.skeleton == "\n":
            following = self.items[index + 1] if index + 1 < len(self.items) else None
            if following is None or (following.kind is Kind.RESERVED and following.skeleton in LIST_ENDS):
                return None
        return Operator(item.start, item.end, item.skeleton)


def _redirects(item: Item) -> tuple[Redirect, ...]:
    return tuple(
        Redirect(draft.start, draft.end, draft.operator, draft.target, draft.descriptor, draft.heredoc)
        for draft in item.redirects
    )


def _widest(scope: _Scope, node_type: str) -> _Scope:
    if scope is _Scope.OWN or node_type == "subshell":
        return _Scope.OWN
    return _Scope.MAYBE if node_type in _MAYBE_RUN else scope


def _flat_list(node: Node) -> list[Node]:
    """The operands and operators of an and-or list, which tree-sitter nests to the left."""
    flat: list[Node] = []
    stack = [node]
    while stack:
        top = stack.pop()
        if top.type == "list":
            stack.extend(reversed(top.children))
        else:
            flat.append(top)
    return flat


def _children(node: Node, children: list[Node], context: Context) -> list[tuple[Node, Context, _Scope]]:
    """The children of a node, each with its context."""
    entries: list[tuple[Node, Context, _Scope]] = []
    if node.type == "list":
        alternative = False
        for index, child in enumerate(_flat_list(node)):
            alternative = alternative or child.type == "||"
            around = context | Context.CONDITIONAL if alternative else context
            entries.append((child, around, _Scope.MAYBE if index else _Scope.SAME))
        return entries
    for index, child in enumerate(children):
        around, scope = context, _Scope.SAME
        if index + 1 < len(children) and children[index + 1].type == "&":
            around, scope = context | Context.BACKGROUND, _Scope.OWN
        if node.type == "pipeline":
            scope = _Scope.OWN
        elif node.type == "for_statement" and child.type in ("do_group", "compound_statement"):
            # The words of a `for`, like the subject of a `case`, are expanded once and in any case.
            around, scope = context | Context.LOOP, _Scope.MAYBE
        elif node.type == "while_statement" and node.field_name_for_child(index) == "condition":
            around |= Context.CONDITIONAL
        entries.append((child, around, scope))
    return entries


def _errexit_change(command: SimpleCommand) -> bool | None:
    """Whether a `set` turns errexit on (True) or off (False, also when it might), None if it does neither."""
    if command.name != "set":
        return None
    change: bool | None = None
    expects_option: bool | None = None
    for value in command.values()[1:]:
        if value is None:
            return False
        if expects_option is not None:
            if value == "errexit":
                change = expects_option
            expects_option = None
        elif value in ("--", "-") or value[:1] not in ("-", "+"):
            break
        else:
            switches_on = value[0] == "-"
            if "e" in value[1:]:
                change = switches_on
            if "o" in value[1:]:
                expects_option = switches_on
    return change


def _top_level(root: Node, level: _Level, commands: Sequence[SimpleCommand]) -> list[Statement]:
    starts = [command.start for command in commands]
    statements: list[Statement] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in ("program", "list", "ERROR"):
            stack.extend(reversed(_flat_list(node) if node.type == "list" else node.children))
            continue
        if not node.is_named or node.is_missing or node.end_byte <= node.start_byte:
            continue
        first, last = level.span(node)
        kind = node.type
        if level.items[first].kind is Kind.ARITHMETIC and kind not in _COMPOUNDS:
            kind = "compound_statement"
        if kind not in _COMPOUNDS:
            statements.extend(level.commands[index] for index in range(first, last + 1) if index in level.commands)
            continue
        start = level.items[first].start
        closing = level.items[last]
        redirects = () if kind == "pipeline" else _redirects(closing)
        end = max([closing.end, *(draft.end for draft in closing.redirects)])
        inside = commands[bisect_left(starts, start) : bisect_left(starts, end)]
        before, after = level.operator(first - 1), level.operator(last + 1)
        statements.append(Compound(kind, start, end, before, after, tuple(inside), redirects))
    return statements


@lru_cache(maxsize=512)
def parse_shell(text: str, *, errexit: bool = False) -> Script:
    """Parse POSIX shell or bash. Never raises. `errexit` says that the shell was started with `-e`. Cached."""
    if len(text) > MAX_LENGTH:
        return Script(text, (), (), ((0, len(text)),), (), frozenset(), frozenset())
    scanner = Scanner(text)
    try:
        items = scanner.items(None, 0)
    except TooMuch:
        problems = tuple(sorted(set(scanner.problems)))
        return Script(
            text, (), (), problems, tuple(scanner.comments), frozenset(scanner.names), frozenset(scanner.assigned)
        )
    builder = _Builder(scanner)
    root, level = builder.build(items, Context.NONE, errexit=errexit)
    commands = tuple(sorted(builder.commands, key=lambda command: (command.start, -command.end)))
    return Script(
        text=text,
        commands=commands,
        top_level=tuple(_top_level(root, level, commands)) if root is not None else (),
        problems=tuple(sorted(set(scanner.problems))),
        comments=tuple(sorted(scanner.comments)),
        variables=frozenset(scanner.names),
        assigned=frozenset(scanner.assigned),
    )


class Token(Struct, frozen=True):
    """A piece of the outermost level of a script, for code that reads loops and branches itself.

    `text` is a reserved word, a parenthesis or an operator as spelled; it is empty for a simple command, the words of a
    `for` and other items that consist of `words` and `assignments`.
    """

    start: int
    end: int
    text: str
    words: tuple[Word, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    redirected: bool = False
    negated: bool = False


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a script, without those inside its substitutions; none if it does not parse."""
    scanner = Scanner(text)
    try:
        items = scanner.items(None, 0) if len(text) <= MAX_LENGTH else []
    except TooMuch:
        return ()
    if scanner.problems:
        return ()
    spelled = (Kind.OPERATOR, Kind.RESERVED)
    return tuple(
        Token(
            item.start,
            item.end,
            text[item.start : item.end] if item.kind in spelled else "",
            tuple(item.words),
            tuple(item.assignments),
            bool(item.redirects),
            item.negated,
        )
        for item in items
    )
