"""The page of `import dockfix`, made from its docstrings: each function and class with its signature and fields, their
types, and links between them."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

import dockfix

_SECTION = re.compile(r"^(Args|Returns|Raises|Example|Examples):$")
_ITEM = re.compile(r"^(\w+): (.*)$")
_WORD = re.compile(r"\w+")
_SPAN = re.compile(r"(?<![`\[])`(\w+)`(?![`\]])")
_FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
_SOURCE = "../src/"


def library_page() -> str:
    """The functions and the values with signature, fields and documentation."""
    found = {name: getattr(dockfix, name) for name in dockfix.__all__ if not name.startswith("_")}
    functions = {name: each for name, each in found.items() if inspect.isfunction(each)}
    classes = {name: each for name, each in found.items() if inspect.isclass(each)}
    parts = ["# The library", _markdown(inspect.getdoc(dockfix) or ""), "## Functions"]
    parts += (_function(name, each) for name, each in functions.items())
    values = ["## Classes", *(_class(name, each) for name, each in classes.items())]
    values += ["### `Finding`", f"{_type(str(dockfix.Finding))}: what a rule yields."]
    types = {*classes, "Finding"}
    # in the text of a class, `check` is a field and not the function
    return f"{_linked(parts, {*functions, *types})}\n\n{_linked(values, types)}\n"


def _linked(parts: Iterable[str], names: set[str]) -> str:
    """The parts as one text in which documented names lead to their sections, but for headings and blocks of code."""

    def link(found: re.Match[str]) -> str:
        return f"[`{found[1]}`](#{found[1].lower()})" if found[1] in names else found[0]

    def linked(text: str) -> str:
        return "\n".join(line if line.startswith("#") else _SPAN.sub(link, line) for line in text.split("\n"))

    pieces = _FENCE.split("\n\n".join(parts))
    return "".join(each if each.startswith("```") else linked(each) for each in pieces)


def _short(annotation: str) -> str:
    """A type without the modules of its names."""
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", annotation)


def _type(annotation: object) -> str:
    """A type as code, each name of which can become a link."""
    text = _short(annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)).strip("'")
    if not any(hasattr(dockfix, word) for word in _WORD.findall(text)):
        return f"`{text}`"
    parts = [each.strip() for each in re.split(r"(\w+)", text)]
    done: list[str] = []
    for part in filter(None, parts):  # documented names alone, all else together
        if hasattr(dockfix, part) or not done or hasattr(dockfix, done[-1]):
            done.append(part)
        else:
            done[-1] += part if re.match(r"[\[\],.]", part) or done[-1].endswith(("[", ".")) else f" {part}"
    return " ".join(f"`{each}`" for each in done)


def _function(name: str, function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    # annotations are strings, which a signature shows in quotes
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature))
    if len(shown) > 90:
        arguments, _, result = shown[1:].rpartition(") -> ")
        split = re.split(r", (?=[\w*]+(?:[:,]|$))", arguments)
        shown = "(\n" + "".join(f"    {each},\n" for each in split) + f") -> {result}"
    types = {each.name: _type(each.annotation) for each in signature.parameters.values()}
    types["return"] = _type(signature.return_annotation)
    return f"### `{name}`\n\n```python\n{name}{shown}\n```\n\n{_markdown(inspect.getdoc(function) or '', types)}"


def _class(name: str, kind: type) -> str:
    """A class: its documentation, and a table of its fields, properties or members."""
    place = f"{_SOURCE}{kind.__module__.replace('.', '/')}.py"
    introduction, described = _described(inspect.getdoc(kind) or "")
    rows = list(_rows(kind, described))
    head = ("member", "value") if issubclass(kind, enum.Enum) else ("field", "type", "meaning")
    table = "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *rows]) if rows else ""
    parts = [f"### `{name}`", introduction, f"From [`{kind.__module__}`]({place}).", table]
    return "\n\n".join(filter(None, parts))


def _described(text: str) -> tuple[str, dict[str, str]]:
    """The documentation of a class, and that of each of its fields."""
    before, _, fields = text.partition("\n\nArgs:\n")
    described: dict[str, str] = {}
    for line in fields.split("\n"):
        item = re.match(r"    (\w+): (.*)", line)
        if item:
            described[item[1]] = item[2]
        elif described and line.strip():
            described[next(reversed(described))] += f" {line.strip()}"
    return before, described


def _rows(kind: type, described: dict[str, str]) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        yield from (f"| `{member.name}` | `{member.value}` |" for member in kind)
        return
    types = {name: type_ for base in reversed(kind.__mro__) for name, type_ in inspect.get_annotations(base).items()}
    for name in kind.__struct_fields__ if issubclass(kind, Struct) else ():
        if not name.startswith("_"):
            yield _row(name, types[name], described.get(name, ""))
    for name, member in vars(kind).items():
        getter = getattr(member, "fget", None) or getattr(member, "func", None)
        if getter is not None and not name.startswith("_"):
            meaning = (inspect.getdoc(getter) or "").partition("\n\n")[0]
            yield _row(name, inspect.signature(getter).return_annotation, meaning)


def _row(name: str, annotation: object, meaning: str) -> str:
    cells = (f"`{name}`", _type(annotation), " ".join(meaning.split()))
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def _markdown(text: str, types: dict[str, str] | None = None) -> str:
    """A docstring in Markdown: sections in bold, their items as a list, and what is indented as code."""
    types = types or {}
    done: list[str] = []
    for block in re.split(r"\n\n+(?=\S)", text):
        head, _, rest = block.partition("\n")
        section = _SECTION.match(head)
        body = inspect.cleandoc(rest if section else block)
        if section and section[1].startswith("Example"):
            done.append(f"**Example**\n\n```pycon\n{body}\n```")
        elif section and section[1] in ("Args", "Raises"):
            done.append(f"**{section[1]}**\n\n{_items(body, types)}")
        elif section:
            done.append(f"**{section[1]}** {types.get('return', '')}: {' '.join(body.split())}")
        else:
            before, code, example = block.partition("\n\n    >>>")
            done.append(before if not code else f"{before}\n\n```pycon\n{inspect.cleandoc('    >>>' + example)}\n```")
    return "\n\n".join(done)


def _items(body: str, types: dict[str, str]) -> str:
    items: list[str] = []
    for line in body.split("\n"):
        item = _ITEM.match(line)
        if item:
            own = f" ({types[item[1]]})" if item[1] in types else ""
            items.append(f"- `{item[1]}`{own}: {item[2]}")
        elif items:
            items[-1] += f" {line.strip()}"
    return "\n".join(items)
