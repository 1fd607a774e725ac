"""What all tests share: Hypothesis profiles, and system tools that a machine may lack."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the time of one example says more about a busy machine than about the code.
settings.register_profile("default", deadline=None)
# CI repeats the same examples, so that a red run is the fault of the change that it ran on.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

RequireTool = Callable[[str], Path]


@pytest.fixture(scope="session")
def require_tool() -> RequireTool:
    """Give a function that finds a system tool by name and returns its path.

    Where the tool is missing the test is skipped, or fails if `DOCKFIX_REQUIRE_TOOLS` is set: CI installs every
    tool, so a missing one there would be a test that never runs.
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
