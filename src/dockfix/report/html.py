"""A report as one HTML page. It needs no network: styles, script and pictures are in it, and its policy allows no more.

Text from files is escaped by the template engine; the few parts that are markup are made here, from escaped text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape

from dockfix.engine.difftext import split_lines
from dockfix.output.measures import amount, change, measured, total
from dockfix.output.plain import printable
from dockfix.output.words import lines_text
from dockfix.report.findings import also_made
from dockfix.report.model import Effort, FileReport, Impact, Report, StageLayers
from dockfix.report.pictures import MAX_NODES, graph_svg, layers_svg
from dockfix.report.scores import POINTS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["report_html"]

_CODE: Final = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)")
_KEYWORD: Final = re.compile(
    r"(\s*)(FROM|RUN|COPY|ADD|ENV|ARG|WORKDIR|USER|CMD|ENTRYPOINT|EXPOSE|VOLUME|LABEL|SHELL|HEALTHCHECK|STOPSIGNAL"
    r"|ONBUILD|MAINTAINER)(?=\s|$)",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(r"\s*#")
_MAX_DIFF: Final = 400
"""Lines of a diff that are shown."""


def report_html(report: Report) -> str:
    """The page.

    Args:
        report: the report.
    """
    style, script = _resource("page.css"), _resource("page.js")
    template = _environment().from_string(_resource("page.html.jinja"))
    return template.render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'",
        anchors={file.path: f"file-{number}" for number, file in enumerate(report.files, 1)},
        by_id={item.id: item for item in report.findings},
        rules=sorted({item.rule for item in report.findings}),
        cells={(cell.impact.value, cell.effort.value): cell for cell in report.matrix},
        impacts=[each.value for each in Impact],
        efforts=[each.value for each in Effort],
        points=POINTS,
        max_nodes=MAX_NODES,
        total=total,
        also_made=also_made,
    )


def _resource(name: str) -> str:
    return resources.files("dockfix.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only the page needs it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "prose": _prose,
        "plain": printable,
        "diff": _diff,
        "source": _source,
        "graph": lambda graph, name: Markup(graph_svg(graph, name)),  # noqa: S704 - it escapes its texts
        "layers": _layers,
        "lines": lines_text,
        "grade": _grade,
        "short": lambda name: name[:16],
        "measured": lambda each, which: measured(getattr(each, which), each.unit),
        "change": change,
        "seconds": lambda value: amount(value, "s"),
    }
    return environment


def _prose(text: str) -> Markup:
    """A sentence with its code in backticks as `<code>`."""
    shown = printable(text)
    done: list[Any] = []
    at = 0
    for span in _CODE.finditer(shown):
        done += (escape(shown[at : span.start()]), Markup("<code>{}</code>").format(span[2].strip()))
        at = span.end()
    return Markup("").join((*done, escape(shown[at:])))


def _source(text: str) -> Markup:
    """A line of a Dockerfile with its keyword and comments in colour."""
    shown = printable(text, keep="\t")
    if _COMMENT.match(shown):
        return Markup('<span class="comment">{}</span>').format(shown)
    found = _KEYWORD.match(shown)
    if found is None:
        return escape(shown)
    return Markup('{}<span class="keyword">{}</span>{}').format(found[1], found[2], shown[found.end() :])


def _diff(text: str) -> Markup:
    """A unified diff, a line an element; the signs stay, so that colour is not all that tells the lines apart."""
    lines = [line.rstrip("\r\n") for line in split_lines(text)]
    while lines and not lines[-1]:
        lines.pop()
    rows = list(_diff_rows(lines[:_MAX_DIFF]))
    if len(lines) > _MAX_DIFF:
        rows.append(Markup('<span class="meta">{} more lines are left out</span>').format(len(lines) - _MAX_DIFF))
    return Markup("\n").join(rows)


def _diff_rows(lines: Sequence[str]) -> Iterator[Markup]:
    for line in lines:
        if line.startswith(("--- ", "+++ ", "@@", "\\")):
            kind = "hunk" if line.startswith("@@") else "meta"
            yield Markup('<span class="{}">{}</span>').format(kind, printable(line, keep="\t"))
            continue
        kind = {"+": "added", "-": "removed"}.get(line[:1], "same")
        sign, tag = line[:1], {"+": "ins", "-": "del"}.get(line[:1], "span")
        yield Markup('<{0} class="{1}">{2}{3}</{0}>').format(tag, kind, sign, _source(line[1:]))


def _layers(stage: StageLayers, file: FileReport) -> Markup:
    return Markup(layers_svg(stage, f"{file.path}, {stage.name}"))  # noqa: S704 - it escapes its texts


def _grade(points: int) -> str:
    return "good" if points >= 90 else "fair" if points >= 70 else "poor"
