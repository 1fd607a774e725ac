"""The page of `import dockfix`, made from its docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import dockfix

_SECTION = re.compile(r"^(Args|Returns|Raises|Example|Examples):$")
_ITEM = re.compile(r"^(\w+): (.*)$")


def library_page() -> str:
    """The functions with signature and documentation, and the values that they take and return."""
    names = [name for name in dockfix.__all__ if not name.startswith("_")]
    found = {name: getattr(dockfix, name) for name in names}
    functions = [_function(name, each) for name, each in found.items() if inspect.isfunction(each)]
    rows = [f"| `{name}` | {_first_line(each)} |" for name, each in found.items() if inspect.isclass(each)]
    values = "\n".join(["## Values", "", "| name | meaning |", "|---|---|", *rows])
    introduction = _markdown(inspect.getdoc(dockfix) or "")
    return "\n\n".join(["# The library", introduction, *functions, values]) + "\n"


def _function(name: str, function: Callable[..., object]) -> str:
    # annotations are strings, which a signature shows in quotes
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    return f"## `{name}`\n\n```python\n{name}{signature}\n```\n\n{_markdown(inspect.getdoc(function) or '')}"


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _markdown(text: str) -> str:
    """A docstring in Markdown: sections in bold, their items as a list, and what is indented as code."""
    done: list[str] = []
    for block in re.split(r"\n\n+(?=\S)", text):
        head, _, rest = block.partition("\n")
        section = _SECTION.match(head)
        body = inspect.cleandoc(rest if section else block)
        if section and section[1].startswith("Example"):
            done.append(f"**Example**\n\n```pycon\n{body}\n```")
        elif section and section[1] in ("Args", "Raises"):
            done.append(f"**{section[1]}**\n\n{_items(body)}")
        elif section:
            done.append(f"**{section[1]}:** {' '.join(body.split())}")
        else:
            before, code, example = block.partition("\n\n    >>>")
            done.append(before if not code else f"{before}\n\n```pycon\n{inspect.cleandoc('    >>>' + example)}\n```")
    return "\n\n".join(done)


def _items(body: str) -> str:
    items: list[str] = []
    for line in body.split("\n"):
        item = _ITEM.match(line)
        if item:
            items.append(f"- `{item[1]}`: {item[2]}")
        elif items:
            items[-1] += f" {line.strip()}"
    return "\n".join(items)
