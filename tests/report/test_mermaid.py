"""Pictures in Markdown, read and drawn by Mermaid itself in a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mermaid
from dockfix.output.plain import printable
from dockfix.report.markdown import report_markdown
from dockfix.report.mermaid import graph_mermaid
from dockfix.report.model import Edge, Graph, Node
from dockfix.report.pictures import MAX_NODES, box_lines
from tests.report.projects import HOSTILE, PROJECT, report, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("browser")

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/example-report.md"
NAMES = (
    *(HOSTILE, 'x"]; click n0 href "javascript:alert(1)', "```", "`**x**`", "%%{init: {}}%%", "style a:b#c;"),
    *("#quot;", "a\nb", "fa:fa-car", "- x", "1) x", "$$x$$", "\u2028", "end", "subgraph", "a-->b", "&lt;b&gt;"),
)
START = """
mermaid.initialize({startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true});
async function draw(text) {
  await mermaid.parse(text);
  const made = await mermaid.render("picture", text);
  const page = new DOMParser().parseFromString(made.svg, "text/html");
  page.querySelectorAll("br").forEach((each) => each.replaceWith("\\n"));
  const texts = (what) => [...page.querySelectorAll(what)].map((each) => each.textContent);
  return {
    nodes: texts("g.node"),
    edges: texts("g.edgeLabel"),
    other: page.querySelectorAll("a, script, img, foreignObject :not(div, span, p, br)").length,
  };
}
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page with Mermaid, which requests nothing and says nothing."""
    if not mermaid.SCRIPT.exists():
        message = f"{mermaid.SCRIPT.name} is not there: `python ci/mermaid.py` brings it with npm"
        if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
            pytest.fail(f"{message}, and DOCKFIX_REQUIRE_TOOLS is set")
        pytest.skip(message)
    context = browser.new_context()
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.add_script_tag(path=mermaid.SCRIPT)
    opened.add_script_tag(content=START)
    yield opened
    context.close()
    assert said == []


def blocks(markdown: str) -> list[str]:
    return re.findall(r"^```mermaid\n(.*?)^```$", markdown, re.M | re.S)


@pytest.mark.parametrize("text", ['flowchart LR\n  n0["a', 'flowchart LR\n  n0["a"b"]', "flowchart LR\n  n0 => n1"])
def test_mermaid_refuses_what_it_cannot_read(page: Page, text: str) -> None:
    from playwright.sync_api import Error  # noqa: PLC0415 - only where the browser is

    with pytest.raises(Error, match=r"Parse error|Lexical error"):
        page.evaluate("draw", text)


def test_every_picture_of_the_example_is_drawn(page: Page) -> None:
    found = blocks(EXAMPLE.read_text(encoding="utf-8"))
    assert len(found) > 10
    for text in found:
        drawn = page.evaluate("draw", text)
        assert len(drawn["nodes"]) == len(re.findall(r"^  n\d+\[", text, re.M))
        assert drawn["other"] == 0


def test_every_picture_of_a_hostile_project_is_drawn(page: Page, tmp_path: Path) -> None:
    folder = 'x"]; click n0 "y'
    names = [re.sub(r"[^ -~]", "", each).replace("'", "''") for each in (folder, *NAMES)]
    services = "".join(f"  a{number}: {{image: '{name}', depends_on: [b]}}\n" for number, name in enumerate(names))
    files = {
        **PROJECT,
        f"{folder}/Dockerfile": "FROM debian:12 AS b\nFROM b\nCOPY --from=b /a /b\n",
        "compose.yaml": f"services:\n{services}  b: {{build: './{folder}'}}\n",
    }
    found = blocks(report_markdown(report(write(tmp_path, files))))
    assert len(found) == 3
    assert "Dockerfile" in found[-1]
    for text in found:
        assert page.evaluate("draw", text)["other"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_it_is(page: Page, name: str) -> None:
    """What is between the quotes is text: Mermaid shows the same characters, and nothing is markup, link or icon."""
    nodes = (Node("a", name, (name, "x"), "image"), Node("b", name, (), "stage"))
    edges = (Edge("a", "b", "copy", name), Edge("b", "a", "mount"))
    drawn = page.evaluate("draw", "\n".join(graph_mermaid(Graph(name, nodes, edges, ()))))
    plain = [_plain(text) for text in drawn["nodes"]]
    assert plain == [_plain("\n".join(box_lines(each))) for each in nodes]
    assert [_plain(text) for text in drawn["edges"] if text] == [_plain(printable(name))]
    assert drawn["other"] == 0


def test_the_largest_picture_is_drawn(page: Page) -> None:
    nodes = tuple(
        Node(str(number), f"stage {number}" + "x" * 100, ("y" * 100,), "stage") for number in range(MAX_NODES)
    )
    edges = tuple(
        Edge(str(a), str(b), "copy", "copy") for b in range(MAX_NODES) for a in range(b) if a + 2 > b or a < 3
    )
    drawn = page.evaluate("draw", "\n".join(graph_mermaid(Graph("", nodes, edges, ()))))
    assert len(drawn["nodes"]) == MAX_NODES


def test_another_package_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "mermaid.tgz"
    archive.write_bytes(b"x")
    with pytest.raises(mermaid.NotBroughtError, match="has another checksum: sha512-"):
        mermaid.unpacked(archive)


def test_without_npm_there_is_a_message_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mermaid.NotBroughtError, match="npm does not bring mermaid"):
        mermaid.bring(tmp_path / "build/mermaid.js")
    assert list(tmp_path.iterdir()) == []


def _plain(text: str) -> str:
    """A text without the layout of lines, which is the browser's, and without the signs that join words."""
    return " ".join(text.replace("\u2060", "").split())
