"""A store of images for the tests that build for real; see `bases`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verify.bases import DRIVERS, Bases, Store

_TOOLS = ("buildah", "runc", "mmdebstrap", "busybox")


@pytest.fixture(scope="session")
def store(pytestconfig: pytest.Config) -> Iterator[Store]:
    """A store of buildah that holds stand-ins of base images only, and the environment that makes it the one in use.

    Without root or a tool that is needed, the test is skipped, or fails if `DOCKFIX_REQUIRE_TOOLS` is set. The root
    file systems stay in the cache folder of pytest, about 350 MB; all else is removed.
    """
    if os.geteuid():
        _unusable("root is needed to build images")
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        _unusable(f"not installed: {', '.join(missing)}")
    assert pytestconfig.cache is not None
    bases = Bases(pytestconfig.cache.mkdir("dockfix-bases"))
    reason = ""
    for driver in DRIVERS:
        made = Store(bases, Path(tempfile.mkdtemp(prefix="dockfix-store-")), driver)
        try:
            reason = made.trial()
            if not reason:
                yield from _in_use(made)
                return
        finally:
            made.close()
    _unusable(reason)


def _in_use(made: Store) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        yield made


def _unusable(reason: str) -> None:
    message = f"no image can be built here: {reason}"
    if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
        pytest.fail(f"{message}, and DOCKFIX_REQUIRE_TOOLS is set")
    pytest.skip(message)
