"""The lossless Dockerfile tree, as frozen values.

A `Dockerfile` is its text plus nodes that tile it: directives, comments, blank lines and instructions. Instructions are
typed values, designed for `match`:

    match instruction:
        case Copy(source_stage=None) as copy: ...
        case Run() as run if run.script: ...

Everything that BuildKit derives from a line (flags, words, JSON form, heredocs) is available with its span. The rules
are BuildKit's (moby/buildkit `frontend/dockerfile/parser` and `instructions`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct, field

from dockfix.syntax.source import BOM, Lines, Mapped, Span, join
from dockfix.syntax.words import csv_fields, go_lower


class Word(Struct, frozen=True):
    """A word of an instruction: the text that BuildKit passes on, and its span."""

    text: str
    span: Span
    start: int
    """Offset in the instruction's logical text."""
    end: int


class Directive(Struct, frozen=True):
    """`# escape=`, `# syntax=` or `# check=` at the top of the file."""

    name: str
    value: str
    span: Span
    line: int


class Comment(Struct, frozen=True):
    """A comment line; `span` runs from the `#` to the end of the text, `text` is what follows the `#`, stripped."""

    text: str
    span: Span
    line: int


class Blank(Struct, frozen=True):
    """A line of only white space."""

    span: Span
    line: int


class Flag(Struct, frozen=True):
    """A `--name=value` before the arguments of an instruction.

    `value` is None for a bare `--link`; `value_span` is None where quotes, escapes or a continuation make the spelling
    differ from the value.
    """

    name: str
    value: str | None
    word: Word
    value_span: Span | None

    @property
    def span(self) -> Span:
        """The span of the whole flag."""
        return self.word.span


class MountOption(Struct, frozen=True):
    """One `key=value` of a mount; `value` is None for a bare key. Spans are None where quoting prevents them."""

    key: str
    value: str | None
    span: Span | None
    value_span: Span | None


class Mount(Struct, frozen=True):
    """A `--mount=...` of a RUN. Keys are lower case and aliases resolved (`dst`, `destination` are `target`)."""

    flag: Flag
    options: tuple[MountOption, ...]

    def option(self, key: str) -> MountOption | None:
        """The last option with that key, which is the effective one."""
        found = [option for option in self.options if option.key == key]
        return found[-1] if found else None

    def get(self, key: str) -> str | None:
        """The value of an option, None if it is absent or bare."""
        option = self.option(key)
        return option.value if option else None

    @property
    def kind(self) -> str:
        """`bind` (the default), `cache`, `tmpfs`, `secret` or `ssh`."""
        return (self.get("type") or "bind").lower()

    @property
    def target(self) -> str | None:
        """The target as written, unexpanded."""
        return self.get("target")

    @property
    def span(self) -> Span:
        """The span of the flag."""
        return self.flag.span


class Heredoc(Struct, frozen=True):
    """A heredoc of an instruction.

    `content` is raw (including the tabs of `<<-`), `body` its span, `terminator` the span of the closing line without
    its line end, `marker` the `<<NAME` word.
    """

    name: str
    fd: int
    expand: bool
    chomp: bool
    content: str
    marker: Span
    body: Span
    terminator: Span


class Pair(Struct, frozen=True):
    """A `key=value` of ENV, LABEL or ARG. `value` is raw: quotes and variables as written; None for a bare `ARG X`."""

    key: str
    value: str | None
    word: Word
    value_span: Span | None

    @property
    def span(self) -> Span:
        """The span of the whole pair."""
        return self.word.span


class Problem(Struct, frozen=True):
    """What BuildKit would reject.

    `stage` says where: `parser` (no tree at all), `instructions`, or `build` (`dockerfile2llb`, after both).
    """

    message: str
    line: int
    stage: str


class Shape(Struct, frozen=True):
    """What the parser found in a logical line, before the instruction gets its type."""

    keyword: Word
    flags: tuple[Flag, ...]
    args: tuple[Word, ...]
    json: bool
    separators: tuple[str, ...] = ()
    """For ENV and LABEL: the separator of each pair, `=` or, in the legacy form, nothing."""
    text_span: tuple[int, int] = (0, 0)
    """The logical span of everything after the flags, trimmed."""
    command_span: tuple[int, int] = (0, 0)
    """The logical span of the shell text: the same, but for HEALTHCHECK it begins after `CMD`."""
    child: Shape | None = None
    original: str = ""


class Instruction(Struct, frozen=True, dict=True):
    """An instruction; each subclass adds the properties of its kind."""

    logical: Mapped
    shape: Shape
    span: Span
    """From the keyword to the end of the last line (heredoc terminators included), without the line end."""
    lines: Span
    """Whole physical lines: leading white space and the last line end included."""
    start_line: int
    end_line: int
    trivia: tuple[Comment | Blank, ...]
    """Comments and blank lines inside the continuations, in order."""
    heredocs: tuple[Heredoc, ...]
    escape: str
    newline: str = field(default="\n")

    @property
    def keyword(self) -> Word:
        """The keyword as spelled."""
        return self.shape.keyword

    @cached_property
    def name(self) -> str:
        """The keyword in upper case."""
        return go_lower(self.shape.keyword.text).upper()

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The leading `--flags`, in order."""
        return self.shape.flags

    @property
    def args(self) -> tuple[Word, ...]:
        """The argument words as this instruction splits them; one word for shell forms."""
        return self.shape.args

    @property
    def json(self) -> bool:
        """Whether the arguments are a JSON array (exec form)."""
        return self.shape.json

    def flag(self, name: str) -> Flag | None:
        """The first flag of that name."""
        return next((flag for flag in self.flags if flag.name == name), None)

    @cached_property
    def text(self) -> Mapped:
        """Everything after the flags, trimmed, mapped to the source."""
        return self.logical.slice(*self.shape.text_span)

    @property
    def comments(self) -> tuple[Comment, ...]:
        """The comments inside the continuations."""
        return tuple(node for node in self.trivia if isinstance(node, Comment))

    @property
    def multiline(self) -> bool:
        """Whether it spans several lines with continuations."""
        return len(self.logical.pieces) > 1 or bool(self.trivia)


def is_as(word: str) -> bool:
    """Whether a word is the `AS` of FROM; Go's `EqualFold`, which BuildKit uses, also folds a long s."""
    return word in {"as", "AS", "As", "aS", "a\u017f", "A\u017f"}


class From(Instruction, frozen=True):
    """`FROM [--platform=P] IMAGE [AS NAME]`."""

    @property
    def image(self) -> Word | None:
        """The image word, unexpanded."""
        return self.args[0] if self.args else None

    @property
    def alias(self) -> Word | None:
        """The word after AS."""
        return self.args[2] if len(self.args) == 3 and is_as(self.args[1].text) else None

    @property
    def stage_name(self) -> str | None:
        """The stage name in lower case, as BuildKit uses it."""
        return go_lower(self.alias.text) if self.alias else None


class _Shell(Instruction, frozen=True):
    """The common base of RUN, CMD, ENTRYPOINT and HEALTHCHECK: a command in shell or exec form."""

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The strings of the exec form; None in shell form."""
        return tuple(word.text for word in self.args) if self.json else None

    @cached_property
    def script(self) -> Mapped | None:
        """The shell text as BuildKit passes it to the shell, heredocs included; None in exec form or without a
        command."""
        return self.command_line

    @cached_property
    def command_line(self) -> Mapped | None:
        """The shell text of the logical line, without the bodies of heredocs."""
        start, end = self.shape.command_span
        if self.json or start >= end:
            return None
        return self.logical.slice(start, end)


class Run(_Shell, frozen=True, dict=True):
    """`RUN [flags] command`, in shell form, exec form or with heredocs."""

    @cached_property
    def mounts(self) -> tuple[Mount, ...]:
        """The `--mount` flags that can be parsed."""
        return tuple(parse_mount(flag, self.logical) for flag in self.flags if flag.name == "mount")

    @cached_property
    def heredoc_script(self) -> Heredoc | None:
        """The heredoc that is the whole command (`RUN <<EOF`), whose body is the script."""
        start, end = self.shape.command_span
        if len(self.heredocs) == 1 and self.heredocs[0].marker == self.logical.span(start, end):
            return self.heredocs[0]
        return None

    @property
    def interpreter(self) -> str | None:
        """The interpreter line (without `#!`) of a heredoc script that has one."""
        heredoc = self.heredoc_script
        if heredoc is None or not heredoc.content.startswith("#!"):
            return None
        return heredoc.content[2:].partition("\n")[0].strip()

    @cached_property
    def script(self) -> Mapped | None:
        """The shell text as BuildKit passes it to the shell.

        A single heredoc is the script itself (`dispatchRun` in moby/buildkit `dockerfile2llb/convert.go`); any other
        heredoc is appended to the line, body and terminator.
        """
        line = self.command_line
        if line is None or not self.heredocs:
            return line
        heredoc = self.heredoc_script
        if heredoc is not None:
            return _heredoc_text(heredoc)
        parts = [line]
        for each in self.heredocs:
            # The newline before a body is the one that ends the previous line of the source.
            parts.append(Mapped("\n", (Span(each.body.start - 1, each.body.start),)))
            parts.append(Mapped(each.content, (each.body,)))
            indent = each.terminator.end - each.terminator.start - len(each.name)
            parts.append(Mapped(each.name, (Span(each.terminator.start + indent, each.terminator.end),)))
        return join(parts)


def _heredoc_text(heredoc: Heredoc) -> Mapped:
    """The body of a heredoc as it is run: `<<-` removes leading tabs of every line."""
    if not heredoc.chomp:
        return Mapped(heredoc.content, (heredoc.body,))
    parts, at = [], 0
    while at < len(heredoc.content):
        end = heredoc.content.find("\n", at) + 1 or len(heredoc.content)
        start = at
        while start < end and heredoc.content[start] == "\t":
            start += 1
        parts.append(Mapped(heredoc.content[start:end], (Span(heredoc.body.start + start, heredoc.body.start + end),)))
        at = end
    return join(parts) if parts else Mapped("", (Span(heredoc.body.start, heredoc.body.start),))


class _Transfer(Instruction, frozen=True):
    """The common base of COPY and ADD."""

    @property
    def sources(self) -> tuple[Word, ...]:
        """All words except the last, heredoc markers included."""
        return self.args[:-1]

    @property
    def destination(self) -> Word | None:
        """The last word."""
        return self.args[-1] if len(self.args) > 1 else None

    @property
    def paths(self) -> tuple[Word, ...]:
        """The sources that are paths, not heredocs."""
        markers = {heredoc.marker for heredoc in self.heredocs}
        return tuple(word for word in self.sources if word.span not in markers)


class Copy(_Transfer, frozen=True):
    """`COPY [flags] src... dest`."""

    @property
    def source_stage(self) -> str | None:
        """The value of `--from`, as written."""
        flag = self.flag("from")
        return flag.value if flag else None


class Add(_Transfer, frozen=True):
    """`ADD [flags] src... dest`."""


class _Pairs(Instruction, frozen=True):
    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The `key=value` pairs, in order."""
        return tuple(self._pairs())

    def _pairs(self) -> Iterator[Pair]:
        for word in self.args:
            key, equals, value = word.text.partition("=")
            raw = self.logical.text[word.start : word.end]
            start = word.start + len(key) + 1
            exact = raw == word.text and bool(equals)
            yield Pair(key, value if equals else None, word, self.logical.span(start, word.end) if exact else None)


class _LegacyPairs(_Pairs, frozen=True):
    @property
    def legacy(self) -> bool:
        """Whether it is the form without `=`, which sets one key to the rest of the line."""
        return self.shape.separators == ("",)

    def _pairs(self) -> Iterator[Pair]:
        return _legacy_pair(self) if self.legacy else super()._pairs()


class Env(_LegacyPairs, frozen=True):
    """`ENV KEY=value ...`, or the legacy `ENV KEY value words`."""


class Label(_LegacyPairs, frozen=True):
    """`LABEL key=value ...`, or the legacy form."""


def _legacy_pair(instruction: Instruction) -> Iterator[Pair]:
    key, value = instruction.args
    whole = Word(
        f"{key.text} {value.text}",
        instruction.logical.span(key.start, value.end),
        key.start,
        value.end,
    )
    yield Pair(key.text, value.text, whole, value.span)


class Arg(_Pairs, frozen=True):
    """`ARG NAME[=default] ...`."""


class User(Instruction, frozen=True):
    """`USER name[:group]`."""


class Workdir(Instruction, frozen=True):
    """`WORKDIR path`."""


class Shell(Instruction, frozen=True):
    """`SHELL ["executable", "arg", ...]`."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The shell and its arguments."""
        return tuple(word.text for word in self.args)


class Healthcheck(_Shell, frozen=True):
    """`HEALTHCHECK [flags] CMD command` or `HEALTHCHECK NONE`."""

    @property
    def kind(self) -> str:
        """`CMD` or `NONE`."""
        return self.args[0].text.upper() if self.args else ""

    @property
    def argv(self) -> tuple[str, ...] | None:
        """The strings of the exec form; None in shell form."""
        return tuple(word.text for word in self.args[1:]) if self.json else None


class Cmd(_Shell, frozen=True):
    """`CMD command`."""


class Entrypoint(_Shell, frozen=True):
    """`ENTRYPOINT command`."""


class Expose(Instruction, frozen=True):
    """`EXPOSE port ...`."""


class Volume(Instruction, frozen=True):
    """`VOLUME path ...`."""


class Stopsignal(Instruction, frozen=True):
    """`STOPSIGNAL signal`."""


class Maintainer(Instruction, frozen=True):
    """`MAINTAINER name` (deprecated)."""


class Onbuild(Instruction, frozen=True):
    """`ONBUILD instruction`. `child` has spans of the same source; its heredocs belong to the outer line."""

    child: Instruction | None = None


class Unknown(Instruction, frozen=True):
    """A line with a keyword that is not an instruction."""


Node: TypeAlias = Directive | Comment | Blank | Instruction


def _node_start(node: Node) -> int:
    return node.span.start


TYPES: dict[str, type[Instruction]] = {
    "add": Add,
    "arg": Arg,
    "cmd": Cmd,
    "copy": Copy,
    "entrypoint": Entrypoint,
    "env": Env,
    "expose": Expose,
    "from": From,
    "healthcheck": Healthcheck,
    "label": Label,
    "maintainer": Maintainer,
    "onbuild": Onbuild,
    "run": Run,
    "shell": Shell,
    "stopsignal": Stopsignal,
    "user": User,
    "volume": Volume,
    "workdir": Workdir,
}
"""BuildKit's instructions by lower-cased keyword."""


class Dockerfile(Struct, frozen=True, dict=True):
    """A parsed Dockerfile. Its nodes and the line ends between them tile `text`."""

    text: str
    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]
    escape: str

    @cached_property
    def positions(self) -> Lines:
        """Offsets to lines and columns."""
        return Lines(self.text)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions in order."""
        return tuple(node for node in self.nodes if isinstance(node, Instruction))

    @cached_property
    def indents(self) -> dict[int, str]:
        """The indentation of continuation lines that edits have computed, by where the instruction begins."""
        return {}

    @property
    def ok(self) -> bool:
        """Whether BuildKit's parser would accept the file."""
        return not self.problems

    @property
    def bom(self) -> bool:
        """Whether the file begins with a byte order mark."""
        return self.text.startswith(BOM)

    @cached_property
    def newline(self) -> str:
        """The line end for new lines: that of the first line."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    @cached_property
    def directives(self) -> dict[str, Directive]:
        """The effective directives, by name."""
        return {node.name: node for node in self.nodes if isinstance(node, Directive)}

    def above(self, instruction: Instruction) -> tuple[Comment, ...]:
        """The comments directly above an instruction of this file, with no blank line between."""
        index = bisect_left(self.nodes, instruction.lines.start, key=_node_start)
        found: list[Comment] = []
        while index > 0 and isinstance(node := self.nodes[index - 1], Comment):
            found.append(node)
            index -= 1
        return tuple(reversed(found))


_MOUNT_ALIASES = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}


def parse_mount(flag: Flag, logical: Mapped) -> Mount:
    """The options of a `--mount` flag, with spans where the spelling is verbatim."""
    fields = csv_fields(flag.value or "") or []
    base = None if flag.value_span is None else flag.word.end - len(flag.value or "")

    def span(start: int, end: int) -> Span | None:
        return None if base is None else logical.span(base + start, base + end)

    options = []
    for piece in fields:
        quoted = piece.end - piece.start != len(piece.text)
        key, equals, value = piece.text.partition("=")
        name = _MOUNT_ALIASES.get(key.lower(), key.lower())
        value_start = piece.start + len(key) + 1
        options.append(
            MountOption(
                name,
                value if equals else None,
                span(piece.start, piece.end),
                span(value_start, piece.end) if equals and not quoted else None,
            )
        )
    return Mount(flag, tuple(options))


def shell_text(node: Instruction) -> str | None:
    """The text that an instruction, or the trigger of an ONBUILD, passes to a shell; None if there is none."""
    each = node.child if isinstance(node, Onbuild) else node
    if not isinstance(each, Run | Cmd | Entrypoint | Healthcheck) or each.script is None:
        return None
    return None if isinstance(each, Run) and each.interpreter is not None else each.script.text
