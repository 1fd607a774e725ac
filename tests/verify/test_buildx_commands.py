import json
import os
from pathlib import Path

import pytest

from dockfix.verify.builders.buildx import BuildxBuilder, probe
from dockfix.verify.model import BuilderError, BuildRequest, Secret, Start
from tests.verify.fake_program import FakeProgram, fake_program

TAG = "docker.io/library/dockfix-1:a"
VERSION = ("^buildx version", "github.com/docker/buildx v0.24.0 abc\n", 0)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("BUILDX_CONFIG", raising=False)
    fake = fake_program("docker", tmp_path / "fake", monkeypatch)
    fake.answer(VERSION)
    return fake


def calls(docker: FakeProgram, *words: str) -> list[list[str]]:
    """The calls that begin with these words."""
    return [call for call in docker.calls if tuple(call[: len(words)]) == words]


def test_why_it_cannot_be_used(docker: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert probe(os.environ) is None
    docker.answer(VERSION, ("^version", "Cannot connect to the Docker daemon\n", 1))
    assert "Cannot connect to the Docker daemon" in str(probe(os.environ))
    docker.answer(("buildx", "docker: 'buildx' is not a docker command.\n", 1))
    assert probe(os.environ) == "is not installed: `docker` has no plugin of this name"
    docker.answer(("buildx", "buildah 1.28.2\n", 0))  # podman under the name docker
    assert probe(os.environ) == "is not installed: `docker` has no plugin of this name"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe(os.environ) == "is not installed"


def test_all_that_a_request_says(docker: FakeProgram, tmp_path: Path) -> None:
    request = BuildRequest(
        tmp_path / "elsewhere" / "api.Dockerfile",
        tmp_path / "context",
        TAG,
        target="--push",
        args={"A": "--x=1", "GIVEN": None},
        contexts={"src": str(tmp_path / "src"), "base": "docker-image://debian:12"},
        secrets=(Secret("a", file=tmp_path / "x,y"), Secret("b", env="GIVEN")),
        platform="linux/arm64",
        no_cache=True,
        extra={"network": ("host",), "add-host": ("db:10.0.0.1",)},
    )
    assert BuildxBuilder(tmp_path).build(request).ok
    (call,) = calls(docker, "buildx", "build")
    namespace = call.pop(-2)
    assert namespace.startswith("--build-arg=BUILDKIT_CACHE_MOUNT_NS=dockfix-")
    assert call == [
        "buildx", "build", "--progress=plain", "--load", f"--file={tmp_path}/elsewhere/api.Dockerfile", f"--tag={TAG}",
        "--build-arg=A=--x=1", "--build-arg=GIVEN", "--target=--push", "--platform=linux/arm64", "--network=host",
        "--add-host=db:10.0.0.1", "--no-cache", f'--secret=id=a,"src={tmp_path}/x,y"', "--secret=id=b,env=GIVEN",
        f"--build-context=src={tmp_path}/src", "--build-context=base=docker-image://debian:12", "--allow=network.host",
        f"{tmp_path}/context",
    ]  # fmt: skip


def test_images_of_the_run_as_named_contexts(docker: FakeProgram, tmp_path: Path) -> None:
    def build(driver: str) -> None:
        docker.answer(("^buildx inspect", f"Name:   x\nDriver: {driver}\n", 0))
        builder = BuildxBuilder(tmp_path)
        assert builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG)).ok
        contexts = {"api": f"docker-image://{TAG}"}
        assert builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, "b:1", contexts=contexts)).ok

    build("docker")
    assert f"--build-context=api=docker-image://{TAG}" in calls(docker, "buildx", "build")[-1]
    with pytest.raises(BuilderError, match="docker-container driver does not see the image of the named context `api`"):
        build("docker-container")


def test_docker_without_named_contexts(docker: FakeProgram, tmp_path: Path) -> None:
    said = "unsupported frontend capability moby.buildkit.frontend.contexts"
    docker.answer(("^buildx build", f"ERROR: failed to build: failed to solve: {said}\n", 1))
    request = BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG, contexts={"src": str(tmp_path)})
    with pytest.raises(BuilderError, match="docker 23"):
        BuildxBuilder(tmp_path).build(request)


def test_an_image_is_exported_and_removed_once(docker: FakeProgram, tmp_path: Path) -> None:
    builder = BuildxBuilder(tmp_path)
    request = BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG)
    assert builder.build(request).ok
    assert builder.build(request).ok
    assert len(calls(docker, "image", "rm", TAG)) == 1, "the first image would lose its name"
    path = builder.export(TAG, tmp_path)
    assert calls(docker, "image", "save") == [["image", "save", f"--output={path}", TAG]]
    docker.answer(("^image save", "Error: No such image\n", 1))
    with pytest.raises(BuilderError, match="No such image"):
        builder.export(TAG, tmp_path)
    builder.remove(TAG)
    builder.remove(TAG)
    builder.remove("debian:12")
    builder.close()
    assert calls(docker, "image", "rm") == [["image", "rm", TAG]] * 2


def test_the_builds_are_removed_from_the_history(docker: FakeProgram, tmp_path: Path) -> None:
    refs = tmp_path / "config/buildx/refs/default/default"
    refs.mkdir(parents=True)
    context = tmp_path / "context"
    (refs / "old").write_text(json.dumps({"LocalPath": str(context)}))
    program = tmp_path / "fake/bin/docker"
    state = {"mine": str(context), "other": "/home/user/project"}
    program.write_text(
        program.read_text()
        + f"for name, path in {state!r}.items() if 'build' in sys.argv else ():\n"
        + f"    pathlib.Path({str(refs)!r}, name).write_text(json.dumps(dict(LocalPath=path)))\n"
    )
    builder = BuildxBuilder(tmp_path)
    assert builder.build(BuildRequest(tmp_path / "Dockerfile", context, TAG)).ok
    assert {path.name for path in refs.iterdir()} == {"old", "mine", "other"}
    builder.close()
    builder.close()
    assert calls(docker, "buildx", "history") == [["buildx", "history", "rm", "mine"]]
    assert {path.name for path in refs.iterdir()} == {"old", "other"}


def test_what_a_build_left_in_the_cache_is_removed_by_its_id(docker: FakeProgram, tmp_path: Path) -> None:
    before = "ID:    users\nDescription:  [base 1/2] COPY a b\nType:   regular\n\n"
    after = f"{before}ID:    mine\nDescription:  [base 1/2] COPY a b\nType:   regular\n\n"
    program = tmp_path / "fake/bin/docker"
    program.write_text(
        program.read_text().replace(
            'line = " ".join',
            "built = folder / 'built'\n"
            "if 'build' in sys.argv: built.touch()\n"
            f"if 'du' in sys.argv: print({after!r} if built.exists() else {before!r})\n"
            'line = " ".join',
        )
    )
    docker.answer(("^buildx build", "#4 [base 1/2] COPY a b\n#4 DONE 0.1s\n", 0))
    builder = BuildxBuilder(tmp_path)
    assert builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG)).ok
    builder.close()
    assert calls(docker, "buildx", "prune") == [["buildx", "prune", "--force", '--filter=id="^(mine)$"']]


def test_a_container(docker: FakeProgram, tmp_path: Path) -> None:
    docker.answer(("^run", "hello\n", 7))
    builder = BuildxBuilder(tmp_path)
    outcome = builder.start(TAG, Start(("/bin/app", "--x"), limit=5.0))
    assert (outcome.running, outcome.exit_code, outcome.output) == (False, 7, "hello\n")
    (call,) = calls(docker, "run")
    name = call[1].removeprefix("--name=")
    assert name.startswith("dockfix-")
    assert call[2:] == [
        "--network=none", "--no-healthcheck", "--pull=never", "--entrypoint=/bin/app", TAG, "--x",
    ]  # fmt: skip
    assert calls(docker, "rm") == [["rm", "--force", "--volumes", name]] * 2
    assert builder.start(TAG, Start(())).reason == "the image has no command"


def test_a_container_that_cannot_be_started(docker: FakeProgram, tmp_path: Path) -> None:
    said = 'docker: Error response from daemon: exec: "/nope": no such file or directory: unknown\n\nRun help'
    docker.answer(("^run", said, 127))
    outcome = BuildxBuilder(tmp_path).start(TAG, Start(("/nope",), limit=5.0))
    assert outcome.reason == 'exec: "/nope": no such file or directory: unknown'
    assert not outcome.running


def test_a_container_that_could_not_be_removed_is_removed_at_the_end(docker: FakeProgram, tmp_path: Path) -> None:
    docker.answer(("^rm", "busy\n", 1))
    builder = BuildxBuilder(tmp_path)
    builder.start(TAG, Start(("/bin/app",), limit=5.0))
    docker.answer()
    before = len(calls(docker, "rm"))
    builder.close()
    builder.close()
    assert len(calls(docker, "rm")) == before + 1
