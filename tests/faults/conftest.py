"""A small file system for tests of a full or read-only disk, and a user without rights."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def left_out(reason: str) -> None:
    """Skip a test, or fail where `DOCKFIX_REQUIRE_TOOLS` is set, as `require_tool` does."""
    if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
        pytest.fail(f"{reason}, and DOCKFIX_REQUIRE_TOOLS is set")
    pytest.skip(reason)


SmallDisk = Callable[[int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A function that mounts a file system of so many KiB, and returns its folder."""
    mounted: list[Path] = []

    def mount(size: int) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k,nr_inodes=64", "dockfix-test", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except OSError as error:
            left_out(f"`mount` cannot be run: {error}")
        else:
            if done.returncode != 0:
                left_out(f"a file system cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=60)


@pytest.fixture
def without_rights(require_tool: Callable[[str], Path]) -> list[str]:
    """What a command begins with so that it is held to the permissions of files, also if root runs the test."""
    if os.geteuid() != 0:
        return []
    return [str(require_tool("setpriv")), "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]
