"""The HTML page in a real browser: filters, links, keyboard, narrow screens, printing, accessibility, no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockfix.report.html import report_html
from tests.report.projects import HOSTILE, PROJECT, report, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("browser")

FILES = {
    **PROJECT,
    "api/Dockerfile": (
        "FROM debian:12\nMAINTAINER me\nRUN apt-get update\nRUN apt-get install curl\nENV a b\nCMD echo $a\n"
    ),
    "web/Dockerfile": f"FROM debian:12\nRUN cd /x && echo {HOSTILE}\nMAINTAINER {HOSTILE}\nENV a {HOSTILE}\n",
    "bad/Dockerfile": "FROM debian:12\nNONSENSE <script>alert(1)</script>\n",
}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    path.write_text(report_html(report(write(folder / "project", FILES))), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Page]:
    """The page, with a check that nothing was said on the console and nothing was requested."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.goto(page_file.as_uri())
    yield opened
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((page_file.as_uri(), "data:"))] == []


def shown(page: Page) -> int:
    return page.locator("article.finding:visible").count()


def total(page: Page) -> int:
    return page.locator("article.finding").count()


def test_filters_by_severity_safety_file_and_rule(page: Page) -> None:
    assert shown(page) == total(page) > 5
    page.uncheck("input[value=info]")
    assert shown(page) == page.locator("article[data-severity=error], article[data-severity=warning]").count()
    assert page.locator("#shown").inner_text() == f"{shown(page)} of {total(page)} findings"
    page.click("#show-all")
    page.uncheck("input[value='safe fix']")
    assert shown(page) == total(page) - page.locator("article[data-kind='safe fix']").count()
    page.click("#show-all")
    page.select_option("select[name=file]", "api/Dockerfile")
    page.select_option("select[name=rule]", "maintainer-label")
    assert shown(page) == 1
    assert page.locator("section.file:visible h3 .path").all_inner_texts() == ["api/Dockerfile"]
    page.click("#show-all")
    assert shown(page) == total(page)


def test_a_link_can_name_the_filters(page: Page, page_file: Path) -> None:
    page.uncheck("input[value=info]")
    page.select_option("select[name=file]", "api/Dockerfile")
    number, address = shown(page), page.url
    assert "severity=error%2Cwarning" in address
    page.goto("about:blank")
    page.goto(address)
    assert shown(page) == number
    assert not page.is_checked("input[value=info]")
    page.goto("about:blank")
    page.goto(f"{page_file.as_uri()}#rule=%3Cscript%3E&severity=")
    assert page.locator("select[name=rule]").input_value() == ""


def test_a_link_to_a_finding_opens_it_and_shows_it(page: Page) -> None:
    finding = page.locator("article.finding:has(details.change)").first
    name = finding.get_attribute("id")
    page.uncheck(f"input[value={finding.get_attribute('data-severity')}]")
    assert finding.is_hidden()
    page.evaluate(f"location.hash = '{name}'")
    page.wait_for_function(f"document.querySelector('#{name} details.change').open")
    assert finding.is_visible()
    page.evaluate("location.hash = '%E0%A4%A'")


def test_every_link_of_the_page_has_its_target(page: Page) -> None:
    links = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map((each) => each.getAttribute('href'))")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} <= set(ids)
    others = page.evaluate("[...document.querySelectorAll('a:not([href^=\"#\"])')].map((each) => each.href)")
    assert all(link.startswith("https://github.com/dockfix/dockfix/") for link in others)


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    summary = page.locator("article.finding details.change summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    box = page.locator("input[value=info]")
    box.focus()
    page.keyboard.press("Space")
    assert not box.is_checked()
    assert page.locator("pre:not([tabindex='0']), .scroll:not([tabindex='0'])").count() == 0


@pytest.mark.parametrize("width", [320, 375, 768, 1200])
def test_a_narrow_screen_needs_no_sideways_scrolling(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_tables_are_cards_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    wide = "[...document.querySelectorAll('.scroll:has(table)')].filter((each) => each.scrollWidth > each.clientWidth)"
    assert page.evaluate(f"{wide}.length") == 0
    tables = page.locator("table")
    assert tables.count() == page.locator("table.cards[role=table]").count() > 4
    heads = page.evaluate("[...document.querySelectorAll('tbody td')].map((each) => each.dataset.head)")
    assert heads
    assert all(heads)


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where the browser is

    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_hostile_text_is_shown_as_it_is(page: Page) -> None:
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert "<img src=x onerror=alert(1)>" in page.locator("section.file", has_text="web/Dockerfile").inner_text()


def test_no_script_runs_but_its_own(page: Page, page_file: Path, browser: Browser, tmp_path: Path) -> None:
    """If a text did become markup, the policy of the page would stop it."""
    forged = tmp_path / "forged.html"
    text = page_file.read_text(encoding="utf-8")
    forged.write_text(text.replace("<main>", "<main><script>document.title = 'forged'</script>"), encoding="utf-8")
    other = browser.new_page()
    other.goto(forged.as_uri())
    assert other.title() == "Dockerfile audit"
    other.close()


def test_it_can_be_read_without_javascript(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page_file.as_uri())
    assert opened.locator("#filters").is_hidden()
    assert shown(opened) == total(opened)
    context.close()


def test_it_prints_all_of_it(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("nav").is_hidden()
    page.set_viewport_size({"width": 700, "height": 1000})
    ends = page.evaluate("[...document.querySelectorAll('svg')].map((each) => each.getBoundingClientRect().right)")
    assert 0 < max(ends) <= 700  # no picture is cut off
    made = page.pdf()
    assert made.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) > 1
