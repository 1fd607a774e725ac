"""Hooks of MkDocs: pages from outside `docs/`, and links that lead out of it.

The Markdown files are also read on GitHub, where links are paths in the repository. On the site, a link to a page
becomes a link to that page, and any other path of the repository one to GitHub. Pictures in Mermaid, which the theme
would draw with a script from another host, become those of the report as a page.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = "https://github.com/dockfix/dockfix/blob/main"
PAGES: Final = {
    "CONTRIBUTING.md": "contributing.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    **{f"golden/{path.name}": f"golden/{path.name}" for path in (ROOT / "golden").glob("*.md")},
}
"""Files of the repository that are pages of the site, by their place there."""

_FENCE: Final = re.compile(r"^(`{3,}|~{3,}).*?^\1`*\s*?$", re.M | re.S)
_MERMAID: Final = re.compile(r"^```mermaid\n.*?^```$", re.M | re.S)
_GRAPH: Final = re.compile(r'<svg class="graph".*?</svg>', re.S)
_LINK: Final = re.compile(r"(?<=\]\()([^)\s#]*)(#[^)\s]*)?(?=\))")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages from outside `docs/`."""
    for source, place in PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Rewrite the links of a page, but for those in blocks of code."""
    place = page.file.src_uri
    source = next((name for name, own in PAGES.items() if own == place), f"docs/{place}")
    known = {file.src_uri for file in files if file.inclusion is not InclusionLevel.EXCLUDED}

    def link(match: re.Match[str]) -> str:
        path, anchor = match[1], match[2] or ""
        if not path or re.match(r"\w+:", path):
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        found = PAGES.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
        if found in known:
            return posixpath.relpath(found, posixpath.dirname(place) or ".") + anchor
        return f"{SOURCES}/{target}{anchor}" if (ROOT / target).exists() else match[0]

    markdown = _folded(_drawn(markdown))
    done: list[str] = []
    at = 0
    for block in _FENCE.finditer(markdown):
        done += (_LINK.sub(link, markdown[at : block.start()]), block[0])
        at = block.end()
    return "".join((*done, _LINK.sub(link, markdown[at:])))


def _drawn(markdown: str) -> str:
    """A page with the pictures of the report on the example in place of its Mermaid, in the same order."""
    if not _MERMAID.search(markdown):
        return markdown
    page = (ROOT / "docs" / "example-report.html").read_text(encoding="utf-8")
    pictures = enumerate(_GRAPH.findall(page), 1)

    def picture(_: re.Match[str]) -> str:
        number, svg = next(pictures)
        return f'<div class="picture" role="region" tabindex="0" aria-label="Picture {number}">{svg}</div>'

    return _MERMAID.sub(picture, markdown)


def _folded(markdown: str) -> str:
    """A page whose folded parts are Markdown, too, as GitHub reads them."""
    return re.sub(r"^<details>", '<details markdown="1">', markdown, flags=re.M)


def on_page_context(context: Any, *, page: Page, **_: Any) -> Any:
    """Leave golden files out of the search: they are cases, not documentation."""
    if page.file.src_uri.startswith("golden/"):
        page.meta["search"] = {"exclude": True}
    return context
