"""Hypothesis profiles, signals as a terminal gives them, and fixtures: a browser, system tools that may be missing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No deadline: the time of one example says more about a busy machine than about the code.
settings.register_profile("default", deadline=None)
# CI draws the same examples in every run, so that a failure is caused by the change.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Under nohup, or in the background of a script, signals are ignored, and child processes take that over: tests that
# send one would wait forever. A handler that does nothing is as good for pytest, and a child starts with the default.
for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

# A test runs what it tests, and leaves nothing in the cache of the user. The tests of the cache turn it on.
os.environ["DOCKFIX_NO_CACHE"] = "1"

RequireTool = Callable[[str], Path]


@pytest.fixture(scope="session")
def require_tool() -> RequireTool:
    """A function that returns the path of a system tool.

    If the tool is missing, the test is skipped, or fails if `DOCKFIX_REQUIRE_TOOLS` is set: CI installs every tool, and
    a test that is skipped there would never run.
    """

    def find(name: str) -> Path:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
        message = f"the system tool {name!r} is not installed"
        if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
            pytest.fail(f"{message}, and DOCKFIX_REQUIRE_TOOLS is set")
        pytest.skip(message)

    return find


@pytest.fixture(scope="module")
def browser(require_tool: RequireTool) -> Iterator[Browser]:
    """Chromium without a window."""
    program = require_tool("chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where the browser is

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
