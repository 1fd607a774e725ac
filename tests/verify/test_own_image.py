"""The project's own image: it is built on a stand-in of its base image, and used as docs/install.md says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.verify.bases import Store

ROOT = Path(__file__).resolve().parents[2]
BAD = "FROM alpine:3.20\nRUN apk update && apk add curl\n"
GOOD = "FROM alpine:3.20\nRUN apk add --no-cache curl\n"
USER = 1234

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("verify")]


@pytest.fixture(scope="module")
def image(store: Store, tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], Path]) -> Iterator[str]:
    """The image, of version 1.2.3; its context is what `.dockerignore` lets in."""
    context = tmp_path_factory.mktemp("context")
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    listed = subprocess.run(
        [require_tool("git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "Dockerfile", *allowed],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, context / name)
    store.require({"python:3.13-slim"})
    store.run("build", "--quiet", "--build-arg=VERSION=1.2.3", "--tag=own", str(context))
    yield "localhost/own"
    store.run("rmi", "--force", "localhost/own")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that belongs to another user than root."""
    for path in (folder := tmp_path / "project", folder / "Dockerfile"):
        path.mkdir() if path == folder else path.write_text(BAD)
        shutil.chown(path, USER, USER)
    return folder


class Container:
    """A container of the image with a project at /src; each call is a run in it."""

    def __init__(self, store: Store, image: str, project: Path) -> None:
        self.store = store
        self.name = store.run("from", image).strip()
        self.mount = f"--volume={project}:/src"

    def __call__(self, *command: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        options = [] if user is None else [f"--user={user}"]
        return subprocess.run(
            ["buildah", "run", self.mount, *options, self.name, "--", *command],
            capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture
def container(store: Store, image: str, project: Path) -> Iterator[Container]:
    made = Container(store, image, project)
    yield made
    store.run("rm", made.name)


def test_the_configuration(store: Store, image: str) -> None:
    config = json.loads(store.run("inspect", "--type=image", image))["OCIv1"]["config"]
    assert (config["User"], config["WorkingDir"]) == ("65532:65532", "/src")
    assert (config["Entrypoint"], config["Cmd"]) == (["dockfix"], ["--help"])


def test_it_is_small(container: Container) -> None:
    """Beyond its base image it has dockfix and what dockfix imports, and neither pip nor a cache."""
    size, _ = container("du", "--summarize", "--block-size=M", "/opt/dockfix").stdout.split()
    assert int(size.removesuffix("M")) < 90
    assert container("sh", "-c", "ls /opt/dockfix/bin").stdout.split().count("pip") == 0
    left = container("sh", "-c", "ls -A /root /root/.cache", user="0").stdout.split()
    assert left == ["/root:", ".bashrc", ".profile"]


def test_it_checks_a_folder_that_it_cannot_write(container: Container, project: Path) -> None:
    assert container("dockfix", "--version").stdout == "dockfix 1.2.3\n"
    checked = container("dockfix", "check")
    assert (checked.returncode, checked.stdout.split()[:3]) == (1, ["Dockerfile:2:5:", "info", "apk-cache"])
    applied = container("dockfix", "apply")
    assert (applied.returncode, "nothing written" in applied.stderr) == (2, True)
    assert (project / "Dockerfile").read_text() == BAD


def test_it_fixes_files_as_their_owner(container: Container, project: Path) -> None:
    applied = container("dockfix", "apply", user=f"{USER}:{USER}")
    assert (applied.returncode, (project / "Dockerfile").read_text()) == (0, GOOD), applied.stderr
    assert (project / "Dockerfile").stat().st_uid == USER


def test_buildkits_checks_find_nothing() -> None:
    """Of the Dockerfile itself, the experimental ones included: no step is built."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "buildx", "inspect"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker buildx (CI has no docker either: this is tried by hand)")
    checks = "--build-arg=BUILDKIT_DOCKERFILE_CHECK=experimental=all;error=true"
    done = subprocess.run(
        ["docker", "buildx", "build", "--check", checks, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
