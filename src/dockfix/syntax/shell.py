"""Shell text as commands with spans, through tree-sitter-bash.

The text of a RUN, of a heredoc script, of a CMD or HEALTHCHECK in shell form becomes a `Script`: simple commands in
source order with their words, assignments, redirects, the operators beside them and the context that they run in.
Offsets are `str` indices into the text that was parsed. PowerShell, cmd and unknown shells are not for this module.
"""

from __future__ import annotations

import enum
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_DEPTH: Final = 150
"""Nesting past which a script is not looked into; no Dockerfile is written by hand that deep."""

MAX_LENGTH: Final = 1_000_000
"""Characters past which a script is not parsed."""


class Context(enum.Flag):
    """What a command's execution depends on, apart from the commands before it in an `&&` chain."""

    NONE = 0
    CONDITIONAL = enum.auto()
    """In a condition or branch of `if` or `case`, or right of a `||`."""
    LOOP = enum.auto()
    SUBSHELL = enum.auto()
    PIPELINE = enum.auto()
    FUNCTION = enum.auto()
    SUBSTITUTION = enum.auto()
    BACKGROUND = enum.auto()
    NEGATED = enum.auto()
    GROUP = enum.auto()
    """In `{ ...; }`."""


@dataclass(frozen=True, slots=True)
class Word:
    """A shell word.

    `value` is what a command receives for it when it is a plain literal, quotes and escapes removed; None if anything
    in it expands: parameters, substitutions, arithmetic, unquoted globs, braces, a leading unquoted tilde.
    """

    start: int
    end: int
    text: str
    value: str | None
    quoted: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """`NAME=value`, in front of a command, as a statement, or as an argument of `export` and its like."""

    start: int
    end: int
    name: str
    value: Word | None


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection, heredocs included; the target of a heredoc is its delimiter."""

    start: int
    end: int
    operator: str
    target: Word | None


@dataclass(frozen=True, slots=True)
class Operator:
    """`&&`, `||`, `;`, `|`, `|&`, `&`, `;;` or a newline between two commands."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """A command with its words; it spans from the first assignment or word to the last word or redirect."""

    start: int
    end: int
    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    before: Operator | None
    after: Operator | None
    context: Context
    errexit: bool

    @property
    def name(self) -> str | None:
        """The command's name as written, if it is literal."""
        return self.words[0].value if self.words else None

    @property
    def basename(self) -> str | None:
        """The command's name without its folder."""
        name = self.name
        return name.rpartition("/")[2] if name is not None else None

    @property
    def args(self) -> tuple[Word, ...]:
        """The words behind the name."""
        return self.words[1:]

    def values(self) -> tuple[str | None, ...]:
        """The literal values of all words."""
        return tuple(word.value for word in self.words)


@dataclass(frozen=True, slots=True)
class Compound:
    """A statement that is more than a simple command: a pipeline, a loop, a subshell, a function and so on."""

    kind: str
    start: int
    end: int
    before: Operator | None
    after: Operator | None
    commands: tuple[SimpleCommand, ...]


Statement: TypeAlias = SimpleCommand | Compound


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed shell text. `problems` are the spans that tree-sitter could not make sense of."""

    text: str
    commands: tuple[SimpleCommand, ...]
    top_level: tuple[Statement, ...]
    problems: tuple[tuple[int, int], ...]
    comments: tuple[tuple[int, int], ...]
    variables: frozenset[str]
    assigned: frozenset[str]
    """Names that the script sets itself: assignments, `for`, `read`, `export`, `getopts`."""

    @property
    def ok(self) -> bool:
        """Whether all of it was understood."""
        return not self.problems

    @property
    def operators(self) -> frozenset[str]:
        """The operators between its top-level statements."""
        return frozenset(statement.after.text for statement in self.top_level[:-1] if statement.after)


class ShellKind(enum.Enum):
    """Families of shells by what their text means."""

    POSIX = "posix"
    BASH = "bash"
    POWERSHELL = "powershell"
    CMD = "cmd"
    OTHER = "other"


_KINDS: Final = {
    **dict.fromkeys(("sh", "dash", "ash"), ShellKind.POSIX),
    **dict.fromkeys(("bash", "zsh", "ksh", "mksh", "ksh93"), ShellKind.BASH),
    **dict.fromkeys(("powershell", "pwsh"), ShellKind.POWERSHELL),
    "cmd": ShellKind.CMD,
}
_LONG_OPTIONS: Final = {"e": "errexit", "u": "nounset", "x": "xtrace"}


def shell_kind(argv: Sequence[str]) -> ShellKind:
    """The kind of shell that a SHELL instruction or an interpreter line names; `env` and busybox are looked through."""
    for word in argv:
        name = word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
        if name in ("env", "busybox") or (name.startswith("-") and word is not argv[0]):
            continue
        return _KINDS.get(name, ShellKind.OTHER)
    return ShellKind.OTHER


def shell_options(argv: Sequence[str]) -> frozenset[str]:
    """Options that a shell's arguments switch on, by long name: `errexit`, `nounset`, `pipefail` and so on."""
    found: set[str] = set()
    words = iter(argv[1:])
    for word in words:
        if not word.startswith("-") or word.startswith("--"):
            continue
        letters = word[1:]
        found |= {_LONG_OPTIONS[letter] for letter in letters if letter in _LONG_OPTIONS}
        if "o" in letters:
            found.add(next(words, ""))
    return frozenset(found - {""})


def quote(value: str) -> str:
    """A word that a shell reads as `value`."""
    return shlex.quote(value)


@lru_cache(maxsize=4096)
def parse_shell(text: str) -> Script:
    """Parse POSIX shell or bash. Never raises."""
    if len(text) > MAX_LENGTH:
        return _opaque(text)
    return _Reader(text).script()


def _opaque(text: str) -> Script:
    return Script(text, (), (), ((0, len(text)),), (), frozenset(), frozenset())


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter  # noqa: PLC0415 - loaded on first use
    import tree_sitter_bash  # noqa: PLC0415

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


_SEPARATORS: Final = frozenset({"&&", "||", ";", "|", "|&", "&", ";;", ";&", ";;&"})
_COMMANDS: Final = frozenset(
    {
        "command",
        "test_command",
        "declaration_command",
        "unset_command",
        "variable_assignment",
        "variable_assignments",
    }
)
_COMPOUNDS: Final = frozenset(
    {
        "subshell",
        "compound_statement",
        "if_statement",
        "for_statement",
        "c_style_for_statement",
        "while_statement",
        "case_statement",
        "function_definition",
        "pipeline",
    }
)
_GLOB: Final = re.compile(r"[*?\[]")
_BRACES: Final = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
_ANSI: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "e": "\x1b"}


@dataclass(slots=True)
class _Draft:
    """A statement before its neighbours are known."""

    start: int
    end: int
    context: Context
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    before: Operator | None = None
    after: Operator | None = None
    kind: str = ""
    order: int = 0
    first: int = 0
    """Where the drafts of the commands within it begin in the reader's list, itself included."""
    last: int = 0


_Item: TypeAlias = "_Draft | Operator"


class _Reader:
    """One walk over one tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "surrogateescape")
        self.ascii = len(self.data) == len(text)
        self.offsets: list[int] = []
        if not self.ascii:
            for index, char in enumerate(text):
                self.offsets += [index] * len(char.encode("utf-8", "surrogateescape"))
            self.offsets.append(len(text))
        self.drafts: list[_Draft] = []
        self.problems: list[tuple[int, int]] = []
        self.comments: list[tuple[int, int]] = []
        self.variables: set[str] = set()
        self.assigned: set[str] = set()

    def at(self, byte: int) -> int:
        return byte if self.ascii else self.offsets[byte]

    def span(self, node: Node) -> tuple[int, int]:
        return self.at(node.start_byte), self.at(node.end_byte)

    def slice(self, node: Node) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def script(self) -> Script:
        tree = _parser().parse(self.data)
        root = tree.root_node
        if not self.survey(root):
            return _opaque(self.text)
        top = self.sequence(root.children, Context.NONE, 0)
        commands, finished = self.finish()
        statements: list[Statement] = []
        for draft in top:
            if draft.kind:
                inner = tuple(each for each in commands if draft.start <= each.start and each.end <= draft.end)
                statements.append(Compound(draft.kind, draft.start, draft.end, draft.before, draft.after, inner))
            else:
                statements.append(finished[id(draft)])
        return Script(
            self.text,
            commands,
            tuple(statements),
            tuple(self.problems),
            tuple(self.comments),
            frozenset(self.variables),
            frozenset(self.assigned),
        )

    def survey(self, root: Node) -> bool:
        """Collect problems, comments and variables without recursion; False if it is nested too deeply."""
        cursor = root.walk()
        depth = 0
        path: list[bool] = []  # of the nodes above: whether they count; a chain of `&&` leans left and is not deep
        while True:
            node = cursor.node
            assert node is not None  # noqa: S101 - a cursor always stands on a node
            if node.is_error or node.is_missing:
                self.problems.append(self.span(node))
            elif node.type == "comment":
                self.comments.append(self.span(node))
            elif node.type in ("variable_name", "special_variable_name"):
                self.note_variable(node)
            if cursor.goto_first_child():
                path.append(node.type != "list")
                depth += path[-1]
                if depth > MAX_DEPTH * 3:
                    return False
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return True
                depth -= path.pop()

    def note_variable(self, node: Node) -> None:
        parent = node.parent
        name = self.slice(node)
        if parent is None:
            return
        first = parent.named_children[0] if parent.named_children else None
        targets = parent.type in ("variable_assignment", "for_statement") and first == node
        if targets or parent.type in ("declaration_command", "unset_command"):
            self.assigned.add(name)
        else:
            self.variables.add(name)

    def sequence(self, nodes: Sequence[Node], context: Context, depth: int) -> list[_Draft]:
        """The statements of a list, in order, with the operators between them."""
        items: list[_Item] = []
        for node in nodes:
            self.flatten(node, context, depth, items)
        conditional = False
        drafts: list[_Draft] = []
        previous: _Draft | None = None
        operator: Operator | None = None
        for item in items:
            if isinstance(item, Operator):
                operator = item
                if item.text == "||":
                    conditional = True
                elif item.text not in ("&&", "|", "|&"):
                    conditional = False
                if previous is not None:
                    if item.text == "&":
                        self.mark(previous, Context.BACKGROUND)
                    previous.after = previous.after or item
                continue
            if operator is None and previous is not None:
                operator = self.newline(previous.end, item.start)
                previous.after = previous.after or operator
                conditional = False
            item.before = operator
            if conditional:
                self.mark(item, Context.CONDITIONAL)
            drafts.append(item)
            previous, operator = item, None
        return drafts

    def mark(self, draft: _Draft, context: Context) -> None:
        for each in self.drafts[draft.first : draft.last]:
            each.context |= context
        if draft.kind:
            draft.context |= context

    def newline(self, start: int, end: int) -> Operator | None:
        at = self.text.find("\n", start, end)
        return Operator(at, at + 1, "\n") if at != -1 else None

    def flatten(self, node: Node, context: Context, depth: int, items: list[_Item]) -> None:
        if depth > MAX_DEPTH:
            self.problems.append(self.span(node))
            return
        kind = node.type
        if not node.is_named:
            if kind in _SEPARATORS:
                start, end = self.span(node)
                items.append(Operator(start, end, kind))
        elif kind == "list":
            # `a && b && c` leans to the left; a long chain must not cost a level of recursion each
            chain: list[Node] = []
            spine: Node | None = node
            while spine is not None and spine.type == "list":
                children = spine.children
                chain[:0] = children[1:]
                spine = children[0] if children else None
            if spine is not None:
                chain.insert(0, spine)
            for child in chain:
                self.flatten(child, context, depth + 1, items)
        elif kind == "redirected_statement":
            self.redirected(node, context, depth, items)
        elif kind == "negated_command":
            for child in node.named_children:
                self.flatten(child, context | Context.NEGATED, depth + 1, items)
        elif kind in _COMMANDS:
            items.append(self.command(node, context, depth))
        elif kind in _COMPOUNDS:
            items.append(self.compound(node, context, depth))
        elif kind == "ERROR":
            for child in node.children:
                self.flatten(child, context, depth + 1, items)

    def redirected(self, node: Node, context: Context, depth: int, items: list[_Item]) -> None:
        before = len(items)
        redirects: list[Redirect] = []
        behind: list[Node] = []
        end = 0
        for child in node.children:
            if child.type.endswith("_redirect"):
                redirect, following, last = self.redirect(child)
                redirects += redirect
                behind += following
                end = max(end, last)
            else:
                self.flatten(child, context, depth + 1, items)
        body = next((item for item in items[before:] if isinstance(item, _Draft)), None)
        if body is None:
            start, stop = self.span(node)
            body = _Draft(start, stop, context)
            self.add(body)
            items.append(body)
        body.redirects += redirects
        body.end = max(body.end, end)
        if behind and behind[0].type == "pipeline":
            self.mark(body, Context.PIPELINE)
        for child in behind:
            self.flatten(
                child, context | (Context.PIPELINE if child.type == "pipeline" else Context.NONE), depth + 1, items
            )

    def redirect(self, node: Node) -> tuple[list[Redirect], list[Node], int]:
        """The redirects in a redirect node, what stands behind a heredoc's delimiter, and where the redirects end."""
        start, end = self.span(node)
        operator = next((self.slice(child) for child in node.children if not child.is_named), node.type)
        if node.type != "heredoc_redirect":
            targets = [child for child in node.named_children if child.type != "file_descriptor"]
            return [Redirect(start, end, operator, self.word(targets[-1]) if targets else None)], [], end
        found: list[Redirect] = []
        behind: list[Node] = []
        last = start
        for child in node.children:
            if child.type == "heredoc_start":
                last = self.at(child.end_byte)
                text = self.slice(child)
                word = Word(self.at(child.start_byte), last, text, text, any(quote in text for quote in "'\"\\"))
                found.append(Redirect(start, last, operator, word))
            elif child.type.endswith("_redirect"):
                inner, following, last = self.redirect(child)
                found += inner
                behind += following
            elif child.type in _SEPARATORS or child.type in _COMMANDS | _COMPOUNDS | {"list", "redirected_statement"}:
                behind.append(child)
        return found, behind, last

    def add(self, draft: _Draft) -> None:
        draft.order = draft.first = len(self.drafts)
        self.drafts.append(draft)
        draft.last = len(self.drafts)

    def compound(self, node: Node, context: Context, depth: int) -> _Draft:
        start, end = self.span(node)
        draft = _Draft(start, end, context, kind=node.type, first=len(self.drafts))
        inner = context
        children = node.children
        if node.type == "pipeline":
            inner |= Context.PIPELINE
        elif node.type == "subshell":
            inner |= Context.SUBSHELL
        elif node.type == "compound_statement":
            inner |= Context.GROUP
        elif node.type in ("if_statement", "case_statement"):
            inner |= Context.CONDITIONAL
        elif node.type == "function_definition":
            inner |= Context.FUNCTION
        else:
            inner |= Context.LOOP
        run: list[Node] = []
        for child in children:
            if child.type in ("do_group", "else_clause", "elif_clause", "case_item"):
                self.sequence(run, inner, depth + 1)
                run = []
                self.branch(child, inner, depth + 1)
            elif child.is_named and self.is_word(child):
                self.word(child, context, depth + 1)
            else:
                run.append(child)
        self.sequence(run, inner, depth + 1)
        draft.last = len(self.drafts)
        return draft

    def branch(self, node: Node, context: Context, depth: int) -> None:
        run: list[Node] = []
        for child in node.children:
            if child.type in ("else_clause", "elif_clause", "case_item"):
                self.branch(child, context, depth + 1)
            elif not (child.is_named and self.is_word(child)):
                run.append(child)
        self.sequence(run, context, depth + 1)

    @staticmethod
    def is_word(node: Node) -> bool:
        return node.type in _WORDS

    def command(self, node: Node, context: Context, depth: int) -> _Draft:
        start, end = self.span(node)
        draft = _Draft(start, end, context)
        self.add(draft)
        self.fill(draft, node, context, depth)
        draft.last = len(self.drafts)
        return draft

    def fill(self, draft: _Draft, node: Node, context: Context, depth: int) -> None:
        if node.type == "test_command":
            draft.words += self.leaves(node, context, depth)
            return
        if node.type == "variable_assignment":
            draft.assignments.append(self.assignment(node, context, depth))
            return
        for child in node.children:
            if child.type == "variable_assignment":
                assignment = self.assignment(child, context, depth)
                draft.assignments.append(assignment)
                if node.type == "declaration_command":
                    draft.words.append(self.assignment_word(assignment))
            elif child.type.endswith("_redirect"):
                found, _, _ = self.redirect(child)
                draft.redirects += found
            elif child.type == "command_name" and child.named_children:
                draft.words.append(self.word(child.named_children[0], context, depth + 1))
            elif child.type in _WORDS or not child.is_named or child.type == "variable_name":
                draft.words.append(self.word(child, context, depth + 1))
        if draft.words and draft.words[0].value in ("read", "getopts", "mapfile", "readarray"):
            self.assigned |= {word.text for word in draft.words[1:] if word.text.isidentifier()}

    def leaves(self, node: Node, context: Context, depth: int) -> Iterator[Word]:
        for child in node.children:
            if child.type in _WORDS or not child.named_children or child.type == "test_operator":
                yield self.word(child, context, depth + 1)
            elif depth < MAX_DEPTH:
                yield from self.leaves(child, context, depth + 1)

    def assignment(self, node: Node, context: Context, depth: int) -> Assignment:
        start, end = self.span(node)
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        word = self.word(value, context, depth + 1) if value is not None else None
        return Assignment(start, end, self.slice(name) if name is not None else "", word)

    def assignment_word(self, assignment: Assignment) -> Word:
        value = assignment.value
        text = self.text[assignment.start : assignment.end]
        literal = "" if value is None else value.value
        return Word(
            assignment.start,
            assignment.end,
            text,
            None if literal is None else f"{assignment.name}={literal}",
            value.quoted if value else False,
            value.variables if value else (),
        )

    def word(self, node: Node, context: Context = Context.NONE, depth: int = 0) -> Word:
        start, end = self.span(node)
        names: list[str] = []
        value = self.literal(node, context, depth, names)
        text = self.text[start:end]
        if value is not None and (_BRACES.search(_unquoted(text)) or text.startswith("~")):
            value = None
        quoted = any(mark in text for mark in ("'", '"', "\\"))
        return Word(start, end, text, value, quoted, tuple(dict.fromkeys(names)))

    def literal(self, node: Node, context: Context, depth: int, names: list[str]) -> str | None:
        """The literal value of a node; commands inside substitutions are collected on the way."""
        if depth > MAX_DEPTH:
            return None
        kind = node.type
        text = self.slice(node)
        if not node.is_named or kind in ("variable_name", "test_operator"):
            return text
        if kind in ("word", "number"):
            return _unescape(text)
        if kind == "raw_string":
            return text[1:-1]
        if kind == "string":
            return self.string(node, context, depth, names)
        if kind == "ansi_c_string":
            return _ansi(text[2:-1])
        if kind == "string_content":
            return _unescape_double(text)
        if kind == "concatenation":
            parts = [self.literal(child, context, depth + 1, names) for child in node.children]
            return None if any(part is None for part in parts) else "".join(part or "" for part in parts)
        if kind in ("simple_expansion", "expansion"):
            names += [self.slice(child) for child in node.named_children if child.type.endswith("variable_name")]
        inner = context | Context.SUBSTITUTION
        if kind in ("command_substitution", "process_substitution"):
            self.sequence(node.children, inner, depth + 1)
        else:
            for child in node.named_children:
                self.literal(child, context, depth + 1, names)
        return None

    def string(self, node: Node, context: Context, depth: int, names: list[str]) -> str | None:
        expands = False
        for child in node.named_children:
            if child.type != "string_content":
                self.literal(child, context, depth + 1, names)
                expands = True
        return None if expands else _unescape_double(self.slice(node)[1:-1])

    def finish(self) -> tuple[tuple[SimpleCommand, ...], dict[int, SimpleCommand]]:
        """Turn drafts into commands in source order, and work out where `set -e` holds."""
        errexit = False
        commands = []
        finished: dict[int, SimpleCommand] = {}
        for draft in sorted(self.drafts, key=lambda each: (each.start, each.order)):
            command = SimpleCommand(
                draft.start,
                draft.end,
                tuple(draft.words),
                tuple(draft.assignments),
                tuple(draft.redirects),
                draft.before,
                draft.after,
                draft.context,
                errexit,
            )
            commands.append(command)
            finished[id(draft)] = command
            if command.name == "set" and not draft.context & ~Context.GROUP:
                errexit = _sets_errexit(command, errexit)
        return tuple(commands), finished


_WORDS: Final = frozenset(
    {
        "word",
        "number",
        "string",
        "raw_string",
        "ansi_c_string",
        "translated_string",
        "concatenation",
        "simple_expansion",
        "expansion",
        "command_substitution",
        "process_substitution",
        "arithmetic_expansion",
        "brace_expression",
        "extglob_pattern",
        "regex",
        "array",
        "subscript",
    }
)


def _sets_errexit(command: SimpleCommand, errexit: bool) -> bool:
    words = [word.value or "" for word in command.args]
    for index, word in enumerate(words):
        if re.fullmatch(r"[-+][a-zA-Z]+", word) and ("e" in word or word.endswith("o")):
            named = word.endswith("o") and words[index + 1 : index + 2] == ["errexit"]
            if named or "e" in word[1:].removesuffix("o"):
                errexit = word.startswith("-")
    return errexit


def _unquoted(text: str) -> str:
    """The text without its quoted and escaped parts."""
    return re.sub(r"""\\.|'[^']*'|"(?:[^"\\]|\\.)*\"""", "", text, flags=re.S)


def _unescape(text: str) -> str | None:
    """An unquoted word's value; None if it is a pattern that the shell would match against files."""
    if "\\" not in text:
        return None if _GLOB.search(text) else text
    out = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
            if at < len(text) and text[at] != "\n":
                out.append(text[at])
        elif char in "*?[":
            return None
        else:
            out.append(char)
        at += 1
    return "".join(out)


def _unescape_double(text: str) -> str:
    return re.sub(r"\\([$`\"\\\n])", lambda match: "" if match.group(1) == "\n" else match.group(1), text)


def _ansi(text: str) -> str | None:
    out = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
            if text[at : at + 1] not in _ANSI:
                return None
            char = _ANSI[text[at]]
        out.append(char)
        at += 1
    return "".join(out)


@dataclass(frozen=True, slots=True)
class Nested:
    """A script that a word holds (`sh -c '...'`); `offset` is that of its text in the outer one, None if not 1:1."""

    word: Word
    text: str
    offset: int | None


def nested_scripts(command: SimpleCommand) -> tuple[Nested, ...]:
    """The script of `sh -c SCRIPT`, `bash -lc SCRIPT` and their like, if it is a literal."""
    if _KINDS.get(command.basename or "") not in (ShellKind.POSIX, ShellKind.BASH):
        return ()
    for index, word in enumerate(command.args):
        if word.value is None or not word.value.startswith("-"):
            return ()
        if re.fullmatch(r"-[a-z]*c", word.value):
            script = command.args[index + 1 : index + 2]
            if not script or script[0].value is None:
                return ()
            exact = script[0].text[1:-1] == script[0].value and script[0].text[:1] in ("'", '"')
            return (Nested(script[0], script[0].value, script[0].start + 1 if exact else None),)
    return ()
