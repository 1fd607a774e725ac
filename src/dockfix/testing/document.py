"""Golden files: Markdown that holds the cases of one rule.

A golden file is read into values that have their lines, so that an expectation can be replaced without any other change
of the file.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

DIFF: Final = "diff"
FINDINGS: Final = "findings"
OPTIONS: Final = "options"
FILE: Final = "file"

_TITLE: Final = re.compile(r"# (?P<rule>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
_HEADING: Final = re.compile(r"## (?P<kind>fix|keep|refuse|advise): (?P<title>\S.*)")
_LABEL: Final = re.compile(r"`(?P<path>[^`]+)`:")
_FENCE: Final = re.compile(r"(?P<ticks>`{3,})(?P<info>[^`]*)")
_MODE: Final = re.compile(r"mode=0?([0-7]{3})")
_ESCAPE: Final = re.compile(r"\\(?:\\|r|x[0-9a-f]{2})|\\")
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\udc80-\udcff]"
)
"""Characters that Markdown cannot hold or a reader cannot see, and bytes that are not UTF-8."""
_BOM: Final = b"\xef\xbb\xbf"


class CaseError(Exception):
    """A case is malformed, or needs a tool that is not installed."""


class Kind(enum.Enum):
    """What a codemod does in a case; the first word of the case's heading."""

    FIX = "fix"
    """It changes something. It may have other findings, too."""
    REFUSE = "refuse"
    """It changes nothing, and says why it leaves at least one finding unfixed."""
    ADVISE = "advise"
    """It changes nothing and refuses nothing, and has advice."""
    KEEP = "keep"
    """It has nothing to say, or only fixes that the case's options leave out."""


class File(Struct, frozen=True):
    """An input file of a case; `data` is the target of the link if it is a symbolic link."""

    data: bytes
    mode: int | None = None
    symlink: bool = False


class Block(Struct, frozen=True):
    """A fenced block. `start` and `end` are its lines, the fences included, as a half-open range of indexes."""

    role: str
    path: str
    language: str
    attributes: tuple[str, ...]
    lines: tuple[str, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The content, for a block that holds text: an expectation or options."""
        return _data(self).decode("utf-8", "surrogateescape")


class Section(Struct, frozen=True):
    """A case as it is written. `line` is the index of the heading, `end` of the line after the last one."""

    kind: Kind
    title: str
    line: int
    end: int
    blocks: tuple[Block, ...]

    @property
    def slug(self) -> str:
        """The heading as one word, by which the case is selected and reported."""
        return f"{self.kind.value}-{slug(self.title)}"

    def block(self, role: str) -> Block | None:
        """The block of a role; a case has at most one of each role but `FILE`."""
        return next((block for block in self.blocks if block.role == role), None)


class Document(Struct, frozen=True):
    """A golden file."""

    rule: str
    lines: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def preamble(self) -> tuple[str, ...]:
        """The lines before the first case."""
        return self.lines[: self.sections[0].line] if self.sections else self.lines


def slug(title: str) -> str:
    """A title as one word: lower case, with hyphens for all other characters than letters and digits."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def looks_like_cases(text: str) -> bool:
    """Whether a text is a golden file rather than another Markdown file of that folder."""
    first, _, rest = text.partition("\n")
    return _TITLE.fullmatch(first) is not None and re.search(rf"^{_HEADING.pattern}$", rest, re.M) is not None


def read_document(text: str, name: str) -> Document:
    """Read a golden file that is called `name` in errors.

    Raises:
        CaseError: it is malformed; the message names the line.
    """
    lines = text.split("\n")
    title = _TITLE.fullmatch(lines[0])
    if title is None:
        raise CaseError(f"{name}:1: a golden file begins with `# ` and the name of the rule")
    blocks = list(_blocks(lines, name))
    inside = {index for block in blocks for index in range(block.start, block.end)}
    heads = [index for index, line in enumerate(lines) if line.startswith("## ") and index not in inside]
    sections: list[Section] = []
    for index, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        head = _HEADING.fullmatch(lines[index])
        if head is None:
            raise CaseError(f"{name}:{index + 1}: the heading of a case is `fix:`, `keep:`, `refuse:` or `advise:` "
                            "and a title")  # fmt: skip
        own = tuple(block for block in blocks if index <= block.start < end)
        section = Section(Kind(head["kind"]), head["title"].strip(), index, end, own)
        _check(section, lines, name)
        if section.slug in {other.slug for other in sections}:
            raise CaseError(f"{name}:{index + 1}: a second case is called {section.slug}")
        sections.append(section)
    stray = next((block for block in blocks if not heads or block.start < heads[0]), None)
    if stray is not None and stray.role != FILE:
        raise CaseError(f"{name}:{stray.start + 1}: an expectation before the first case")
    return Document(title["rule"], tuple(lines), tuple(sections))


def file_of(block: Block) -> File:
    """The file that a block describes."""
    modes = [int(match[1], 8) for each in block.attributes if (match := _MODE.fullmatch(each))]
    return File(_data(block), modes[0] if modes else None, "symlink" in block.attributes)


def render_block(role: str, data: bytes, *, path: str = "", language: str = "", file: File | None = None) -> list[str]:
    """The lines of a block that holds some bytes, its label included."""
    attributes: list[str] = [OPTIONS] if role == OPTIONS else []
    if file is not None and file.symlink:
        attributes.append("symlink")
    if file is not None and file.mode is not None:
        attributes.append(f"mode={file.mode:o}")
    if data.startswith(_BOM):
        attributes.append("bom")
        data = data.removeprefix(_BOM)
    if b"\r" in data and b"\n" in data and data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        attributes.append("crlf")
        data = data.replace(b"\r\n", b"\n")
    if data and not data.endswith(b"\n"):
        if "symlink" not in attributes:
            attributes.append("no-final-newline")
        data += b"\n"
    text = data.decode("utf-8", "surrogateescape")
    if b"\0" in data:
        attributes.append("base64")
        text = base64.encodebytes(data).decode("ascii")
    elif _HIDDEN.search(text):
        attributes.append("escapes")
        text = _HIDDEN.sub(_escaped, text.replace("\\", "\\\\"))
    runs = re.findall(r"^`{3,}", text, re.M)
    ticks = "`" * max(3, *(len(run) + 1 for run in runs)) if runs else "```"
    label = [f"`{path}`:"] if path and not (path == "Dockerfile" and language == "dockerfile") else []
    info = " ".join([language or "text", *attributes])
    return [*label, f"{ticks}{info}", *text.split("\n")[:-1], ticks]


def replace_expectation(document: Document, section: Section, role: str, text: str) -> str:
    """The text of a golden file with another expectation; nothing else is changed.

    Args:
        document: the golden file.
        section: the case.
        role: `DIFF` or `FINDINGS`.
        text: what is expected; empty to remove the block.
    """
    lines = list(document.lines)
    old = section.block(role)
    new = render_block(role, text.encode("utf-8", "surrogateescape"), language=role) if text else []
    if old is not None:
        start, end = old.start, old.end
        if not new and start and not lines[start - 1]:
            start -= 1
        return "\n".join([*lines[:start], *new, *lines[end:]])
    findings = section.block(FINDINGS)
    if findings is not None:
        return "\n".join([*lines[: findings.start], *new, "", *lines[findings.start :]])
    at = section.blocks[-1].end
    return "\n".join([*lines[:at], "", *new, *lines[at:]])


def _blocks(lines: Sequence[str], name: str) -> Iterator[Block]:
    index = 0
    while index < len(lines):
        opening = _FENCE.fullmatch(lines[index])
        start = index
        index += 1
        if opening is None:
            continue
        ticks = len(opening["ticks"])
        while index < len(lines) and re.fullmatch(rf"`{{{ticks},}}", lines[index]) is None:
            index += 1
        if index == len(lines):
            raise CaseError(f"{name}:{start + 1}: the block does not end")
        index += 1
        language, *attributes = opening["info"].split() or [""]
        label = _LABEL.fullmatch(lines[start - 1]) if start else None
        role = language if language in (DIFF, FINDINGS) and label is None else FILE
        role = OPTIONS if OPTIONS in attributes else role
        path = label["path"] if label is not None else "Dockerfile" if language == "dockerfile" else ""
        yield Block(role, path, language, tuple(attributes), tuple(lines[start + 1 : index - 1]), start, index)


def _check(section: Section, lines: Sequence[str], name: str) -> None:
    """Check the form of a case."""
    seen: set[str] = set()
    for block in section.blocks:
        where = f"{name}:{block.start + 1}"
        unknown = [each for each in block.attributes if each not in _ATTRIBUTES and not _MODE.fullmatch(each)]
        if unknown:
            raise CaseError(f"{where}: unknown attribute {unknown[0]!r}")
        if block.role == FILE and not block.path:
            raise CaseError(f"{where}: a block needs a line with the path of its file before it, as in `compose.yaml`:")
        if block.role != FILE and not block.lines:
            raise CaseError(f"{where}: the block is empty; leave it out if nothing is expected")
        if block.path.startswith("/") or ".." in block.path.split("/"):
            raise CaseError(f"{where}: the path of a file is relative to the project")
        key = block.path if block.role == FILE else f"{block.role} block"
        if key in seen:
            raise CaseError(f"{where}: a second {key}")
        seen.add(key)
        try:
            _data(block)
        except ValueError as error:
            raise CaseError(f"{where}: {error}") from error
    first = section.blocks[0].start if section.blocks else section.end
    prose = [line for line in lines[section.line + 1 : first] if line.strip() and not _LABEL.fullmatch(line)]
    if not prose:
        raise CaseError(f"{name}:{section.line + 1}: a case says in a sentence what it shows")


_ATTRIBUTES: Final = {OPTIONS, "symlink", "bom", "crlf", "no-final-newline", "base64", "escapes"}


def _data(block: Block) -> bytes:
    """The bytes of a block, its attributes applied.

    Raises:
        ValueError: a malformed escape or base64 text.
    """
    text = "".join(f"{line}\n" for line in block.lines)
    if "base64" in block.attributes:
        try:
            data = base64.b64decode("".join(block.lines), validate=True)
        except binascii.Error as error:
            raise ValueError(f"the block is not valid base64: {error}") from error
    elif "escapes" in block.attributes:
        data = _unescaped(text)
    else:
        data = text.encode()
    if "no-final-newline" in block.attributes or "symlink" in block.attributes:
        data = data.removesuffix(b"\n")
    if "crlf" in block.attributes:
        data = data.replace(b"\n", b"\r\n")
    return _BOM + data if "bom" in block.attributes else data


def _escaped(match: re.Match[str]) -> str:
    if match[0] == "\r":
        return "\\r"
    return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))


def _unescaped(text: str) -> bytes:
    out, at = bytearray(), 0
    for match in _ESCAPE.finditer(text):
        out += text[at : match.start()].encode()
        at = match.end()
        if match[0] == "\\":
            raise ValueError("a backslash in a block with `escapes` is followed by a backslash, `r` or `xNN`")
        out += {"\\\\": b"\\", "\\r": b"\r"}.get(match[0]) or bytes([int(match[0][2:], 16)])
    return bytes(out) + text[at:].encode()
