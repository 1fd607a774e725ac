"""The documentation: the site is built strictly, its links lead somewhere, its commands run, its filters filter."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

import pytest

from tests.commands import SHELL, blocks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
# What is not run, and where it is tested instead.
NOT_RUN = {
    "pip ": "installs from PyPI; tests/test_documents.py runs the tutorial",
    "pytest": "tests/test_documents.py runs the tutorial, tests/testing the options",
    "make ": "CI runs them, and tests/test_documents.py checks their names",
    ".ci/run": "it runs this test",
    "dockfix check -f rdjson | reviewdog ": "posts on GitHub; tests/output tests the format",
    "dockfix new author-label": "tests/test_documents.py runs the tutorial",
    "cd dockfix-author-label": "as above",
    "pipx ": "installs from PyPI",
    "uvx ": "installs from PyPI",
    "docker ": "needs a daemon; tests/e2e builds the image",
    "pre-commit ": "tests/test_hooks.py runs the hooks",
    "./dockfix.pyz ": "tests/e2e builds the zipapp",
    "dockfix verify": "builds images; tests/verify does so",
    "dockfix apply --prove": "as above",
    "dockfix report --verify": "as above",
    "dockfix apply --interactive": "asks; tests/cli does so in a terminal",
    "dockfix check --watch": "does not end; tests/cli does so in a terminal",
}

pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    names = {path: set(re.findall(r'\bid="([^"]*)"', path.read_text("utf-8"))) for path in site.rglob("*.html")}
    assert len(names) > 100
    broken = []
    for path in names:
        if path.name == "404.html":
            continue  # its links begin at the root of the site
        for link in re.findall(r'\bhref="([^"]*)"', path.read_text("utf-8")):
            parts = urlsplit(html.unescape(link))
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            # the filters of the report are in its address
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in names.get(target, ())):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_of_this_repository_but_pages_is_published(site: Path) -> None:
    kinds = {path.suffix for path in site.rglob("*") if path.is_file()}
    assert kinds <= {".html", ".css", ".js", ".map", ".json", ".svg", ".png", ".xml", ".gz", ".ico", ".woff2"}


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, directory=str(site), **options)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A tab, with a check that nothing is said on the console, and nothing requested from another host."""
    opened = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    yield opened
    opened.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    assert said == []


def test_the_rules_can_be_filtered(page: Page, address: str) -> None:
    page.goto(f"{address}rules/")
    page.wait_for_selector("#rule-filters input")
    rows = page.locator("article tbody tr:visible")
    everything = rows.count()
    assert everything > 80
    page.fill("#rule-filters input", "DL3008")
    assert rows.count() == 1
    assert "version-pin" in rows.inner_text()
    page.fill("#rule-filters input", "")
    page.select_option("#rule-filters select >> nth=0", "security")
    assert 0 < rows.count() < everything
    assert page.locator("#rule-filters output").inner_text() == f"{rows.count()} of {everything} rules"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "width", "scheme"),
    [
        *((path, 375, scheme) for path in ("", "rules/", "configuration/", "rules/cache-mount/")
          for scheme in ("light", "dark")),
        ("", 1280, "dark"), ("library/", 375, "dark"), ("findings/", 1280, "light"), ("comparison/", 375, "light"),
        ("example-report/", 375, "dark"), ("example-report/", 1280, "light"),
    ],
)  # fmt: skip
def test_axe_finds_nothing(page: Page, address: str, path: str, width: int, scheme: Literal["light", "dark"]) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where the browser is

    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}{path}", wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('article details').forEach((each) => { each.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_example_report_has_its_pictures(page: Page, address: str) -> None:
    page.goto(f"{address}example-report/")
    markdown = (ROOT / "docs" / "example-report.md").read_text("utf-8")
    assert page.locator("article .picture svg").count() == markdown.count("```mermaid\n") > 10
    services = page.locator("article .picture svg").last
    assert "taboot-crawler" in (services.text_content() or "")
    assert page.locator("article details tbody tr").count() > 50  # what is folded is Markdown, too


SHOWN = [
    pytest.param(block.commands, id=f"{block.name}-{number}")
    for number, block in enumerate(blocks())
    if block.language in SHELL and block.commands
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example in a repository of its own, which is at the root and below `examples/audit`."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "audit", folder)
    shutil.copytree(ROOT / "examples" / "audit", folder / "examples" / "audit")
    (folder / "Dockerfile").write_text("FROM alpine:3.20\nRUN apk update && apk add curl\n")
    (folder / ".hadolint.yaml").write_text("ignored: [DL3008]\n")
    (folder / "dockfix.yaml").unlink()  # it is that of the example, whose rules are on request
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "start"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("commands", SHOWN)
def test_every_command_runs(commands: tuple[str, ...], project: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(project.parent / "summary.md"),
    }
    run = 0
    new = project / "new"
    new.mkdir()
    for command in commands:
        if command.startswith(tuple(NOT_RUN)):
            continue
        run += 1
        folder = new if command.startswith("dockfix init") else project
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, input="", capture_output=True, check=False,
            encoding="utf-8", timeout=120,
        )  # fmt: skip
        assert done.returncode in (0, 1), f"{command}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
    if not run:
        pytest.skip(
            "; ".join(sorted({why for start, why in NOT_RUN.items() for each in commands if each.startswith(start)}))
        )


def test_the_problem_matcher_of_the_editor_page_reads_the_findings(project: Path) -> None:
    text = (ROOT / "docs" / "editor.md").read_text("utf-8")
    tasks = json.loads(re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)[0])
    matcher = tasks["tasks"][0]["problemMatcher"]["pattern"]
    done = subprocess.run(
        [PROGRAMS / "dockfix", "check", "--format", "text"], cwd=project, capture_output=True, check=False, text=True
    )
    found = [re.match(matcher["regexp"], line) for line in done.stdout.splitlines()]
    assert len(found) > 50
    assert all(found)
    first = found[0]
    assert first is not None
    assert (project / first[matcher["file"]]).is_file()
    assert int(first[matcher["line"]]) > 0
