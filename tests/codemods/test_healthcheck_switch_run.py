"""healthcheck-tool's replacements of curl and wget against the real programs: the exit codes are the same."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Healthcheck
from dockfix_codemods.healthcheck_tool import CODEMOD

RequireTool = Callable[[str], Path]


class Handler(BaseHTTPRequestHandler):
    """A server that answers with the status that the path names; `/get` rejects HEAD."""

    def do_GET(self) -> None:
        code = int(self.path[1:]) if self.path[1:].isdigit() else 200
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"fine\n")

    def do_HEAD(self) -> None:
        self.send_response(405 if self.path == "/get" else int(self.path[1:]))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Log nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def fixed(check: str, base: str) -> str:
    """The shell text of a check after the fix."""
    outcome = run(target_from_text(f"FROM {base}\nHEALTHCHECK CMD {check}\n"), [CODEMOD], unsafe=True)
    assert not outcome.defects
    node = target_from_text(outcome.text).dockerfile.instructions[-1]
    assert isinstance(node, Healthcheck)
    assert node.script is not None
    text = node.script.text
    assert text != check
    return text


@pytest.fixture
def programs(require_tool: RequireTool, tmp_path: Path) -> str:
    """A PATH on which `wget` is busybox's and `python` is this one."""
    (tmp_path / "wget").symlink_to(require_tool("busybox"))
    (tmp_path / "python").symlink_to(sys.executable)
    return f"{tmp_path}:/usr/bin:/bin"


@pytest.mark.parametrize("base", ["alpine:3.20", "python:3.13-slim"])
@pytest.mark.parametrize(("path", "healthy"), [("200", True), ("204", True), ("404", False), ("503", False)])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize(
    "check", ["curl -f URL || exit 1", 'curl -fsSL "URL" > /dev/null', "curl --fail --silent -o /dev/null URL"]
)
def test_the_exit_code_is_the_same_for_each_status(
    programs: str, port: int, check: str, host: str, path: str, healthy: bool, base: str
) -> None:
    text = fixed(check.replace("URL", f"http://{host}:{port}/{path}"), base)
    done = subprocess.run(["sh", "-c", text], env={"PATH": programs}, capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) is healthy


@pytest.mark.parametrize(("path", "healthy"), [("200", True), ("404", False)])
def test_a_time_limit_is_kept(programs: str, port: int, path: str, healthy: bool) -> None:
    text = fixed(f"curl -f -m 3 http://localhost:{port}/{path}", "python:3.13-slim")
    assert "timeout=3" in text
    done = subprocess.run(["sh", "-c", text], env={"PATH": programs}, capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) is healthy


@pytest.mark.parametrize("base", ["alpine:3.20", "python:3.13-slim"])
def test_a_server_that_does_not_run_is_unhealthy(programs: str, base: str) -> None:
    text = fixed("curl -f http://localhost:1/", base)
    done = subprocess.run(["sh", "-c", text], env={"PATH": programs}, capture_output=True, check=False, timeout=60)
    assert done.returncode != 0


def test_output_that_is_piped_is_still_written(programs: str, port: int) -> None:
    text = fixed(f"curl -sf http://localhost:{port}/200 | grep -q fine", "alpine:3.20")
    done = subprocess.run(["sh", "-c", text], env={"PATH": programs}, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize(("path", "healthy"), [("200", True), ("404", False), ("get", False)])
def test_a_spider_becomes_a_head_request(programs: str, port: int, path: str, healthy: bool) -> None:
    text = fixed(f"wget --quiet --tries=1 --spider http://localhost:{port}/{path} || exit 1", "python:3.13-slim")
    done = subprocess.run(["sh", "-c", text], env={"PATH": programs}, capture_output=True, check=False, timeout=60)
    assert (done.returncode == 0) is healthy
