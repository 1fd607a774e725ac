"""What every builder behind BuildKit must do, tried with a real one; and a base image that needs no registry."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockfix.verify.model import Builder, BuildRequest, Secret, Start

BASE = "FROM scratch AS base\nCOPY bin /bin\nCOPY etc /etc\n"
"""The first stage of the Dockerfiles: busybox."""
_PROGRAMS = ("sh", "sleep", "cat", "echo", "true", "false", "env", "id", "pwd", "ls", "touch", "printf", "test")


def context(folder: Path) -> Path:
    """A build context with busybox, or a skip."""
    busybox = shutil.which("busybox")
    if (
        busybox is None
        or b"interpreter" in subprocess.run(["file", "-L", busybox], capture_output=True, check=False).stdout
    ):
        pytest.skip("there is no static busybox (busybox-static of Debian) for the base image")
    for name in ("bin", "etc"):
        (folder / name).mkdir(parents=True)
    shutil.copy(busybox, folder / "bin/busybox")
    for program in _PROGRAMS:
        (folder / "bin" / program).symlink_to("busybox")
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\napp:x:1000:\n")
    return folder


def image_config(exported: Path) -> dict[str, Any]:
    """The configuration of an exported image: an OCI layout, or an archive of `docker save`."""

    def blob(digest: str) -> Path:
        return exported / "blobs" / digest.replace(":", "/")

    found: dict[str, Any]
    if exported.is_dir():
        (entry,) = json.loads((exported / "index.json").read_bytes())["manifests"]
        manifest = json.loads(blob(entry["digest"]).read_bytes())
        assert all(blob(each["digest"]).is_file() for each in manifest["layers"])
        found = json.loads(blob(manifest["config"]["digest"]).read_bytes())
    else:
        with tarfile.open(exported) as archive:
            (entry,) = json.loads(_member(archive, "manifest.json"))
            found = json.loads(_member(archive, entry["Config"]))
    return found


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


class Bench:
    """A builder and a place to write Dockerfiles.

    Args:
        builder: the builder.
        folder: an empty folder.
        modern: whether it knows heredocs and named contexts, as Docker does since version 23.
        own_images: whether an image that it has built can be a named context of another build.
    """

    def __init__(self, builder: Builder, folder: Path, *, modern: bool = True, own_images: bool = True) -> None:
        self.builder, self.folder, self.count = builder, folder, 0
        self.modern, self.own_images = modern, own_images
        self.context = context(folder / "context")

    def request(
        self, text: str, tag: str = "docker.io/library/dockfix-test:a", *, base: str = BASE, **options: Any
    ) -> BuildRequest:
        self.count += 1
        dockerfile = self.folder / f"files{self.count}" / "Some.Dockerfile"
        dockerfile.parent.mkdir()
        dockerfile.write_text(base + text)
        return BuildRequest(dockerfile, self.context, tag, **options)


def _last_run(bench: Bench) -> str:
    return "RUN <<EOF\necho $V\nEOF\n" if bench.modern else "RUN echo $V\n"


def check_cache_and_config(bench: Bench) -> None:
    """Steps, the cache, and an image whose configuration is whole."""
    (bench.context / "README.md").write_text("one")
    text = (
        'FROM base\nSHELL ["/bin/sh", "-ec"]\nRUN cat /proc/sys/kernel/random/uuid > /id; cat /id\n'
        f"COPY README.md /\n{_last_run(bench)}"
        "HEALTHCHECK --interval=3s --retries=2 CMD true\nUSER app\nSTOPSIGNAL 9\n"
    )
    lines: list[str] = []
    first = bench.builder.build(bench.request(text, no_cache=True), lines.append)
    assert (first.ok, first.reason) == (True, ""), first
    steps = [step.text.split()[0] for step in first.steps]
    assert steps == ["COPY", "COPY", "RUN", "COPY", "RUN"]
    assert not any(step.cached for step in first.steps)
    assert any("RUN cat /proc" in line for line in lines)
    assert "RUN cat /proc" in first.log

    again = bench.builder.build(bench.request(text, tag="docker.io/library/dockfix-test:b"))
    assert again.ok
    assert again.rerun == ()
    assert len(again.steps) == 5
    (bench.context / "README.md").write_text("two")
    edited = bench.builder.build(bench.request(text))
    assert next(step.text for step in edited.rerun) == "COPY README.md /"
    assert len(edited.rerun) == 2

    for tag in ("a", "b"):
        config = image_config(bench.builder.export(f"docker.io/library/dockfix-test:{tag}", bench.folder))["config"]
        assert config["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 3_000_000_000, "Retries": 2}
        assert (config["Shell"], config["User"], config["StopSignal"]) == (["/bin/sh", "-ec"], "app", "9")


def check_failures(bench: Bench) -> None:
    """Builds that fail, and say why in one line."""
    failed = bench.builder.build(bench.request("FROM base\nRUN echo '#2 CACHED'; echo bad; exit 3\n"))
    assert (failed.ok, failed.reason) == (False, "RUN echo '#2 CACHED'; echo bad; exit 3: exit code 3: bad")
    assert [step.cached for step in failed.steps][-1] is False
    missing = bench.builder.build(bench.request("FROM base\nCOPY nope /\n"))
    assert not missing.ok
    assert "nope" in missing.reason
    assert "not found" in missing.reason
    assert "\n" not in missing.reason
    invalid = bench.builder.build(bench.request("FROM base\nFOO x\n"))
    assert not invalid.ok
    assert "unknown instruction" in invalid.reason
    slow = bench.builder.build(bench.request("FROM base\nRUN sleep 60\n", timeout=6.0))
    assert not slow.ok
    assert slow.timed_out
    assert slow.seconds < 30
    assert slow.reason == "stopped at the time limit of 6 s"


def check_options(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a request can say reaches the build."""
    monkeypatch.setenv("FROM_ENVIRONMENT", "e v")
    monkeypatch.setenv("SECRET_VALUE", "hush")
    monkeypatch.delenv("UNSET", raising=False)
    (bench.folder / "token,1").write_text("quiet")
    (bench.folder / "other").mkdir()
    (bench.folder / "other/file").write_text("named")
    (bench.context / "ignored").write_text("x")
    assert bench.builder.build(bench.request("", tag="docker.io/library/dockfix-test:base")).ok
    text = (
        "FROM base AS mid\nARG A\nARG FROM_ENVIRONMENT\nARG UNSET=default\nCOPY . /all\nCOPY --from=other file /named\n"
        'RUN test "$A" = "1,2=3" && test "$FROM_ENVIRONMENT" = "e v" && test "$UNSET" = default\n'
        "RUN --mount=type=secret,id=one --mount=type=secret,id=two cat /run/secrets/one /run/secrets/two > /s; "
        'test "$(cat /s)" = "quiethush"\n'
        "RUN test ! -e /all/ignored && cat /named && cat /etc/hosts && cat /proc/net/dev && ls /all\n"
        "FROM image\nRUN echo the image\n"
        "FROM base AS last\nRUN false\n"
    )
    contexts = {"other": str(bench.folder / "other")}
    if bench.own_images:
        contexts["image"] = "docker-image://docker.io/library/dockfix-test:base"
    else:
        text = text.replace("FROM image", "FROM base")
    if not bench.modern:
        contexts, text = {}, text.replace("--from=other file", "README.md")
        (bench.context / "README.md").write_text("named")
    request = bench.request(
        text + "FROM mid AS wanted\nCOPY --from=2 /bin/echo /echo2\nFROM last\n",
        target="wanted",
        args={"A": "1,2=3", "FROM_ENVIRONMENT": None, "UNSET": None},
        contexts=contexts,
        secrets=(Secret("one", file=bench.folder / "token,1"), Secret("two", env="SECRET_VALUE")),
        extra={"network": ("none",), "add-host": ("db=10.0.0.9",), "shm-size": ("64m",), "ulimit": ("nofile=99:99",)},
    )
    request.dockerfile.with_name("Some.Dockerfile.dockerignore").write_text("ignored\n")
    done = bench.builder.build(request)
    assert done.ok, done.log
    assert "10.0.0.9" in done.log
    assert "eth0" not in done.log
    assert not any(step.text == "RUN false" for step in done.steps)


def check_starts(bench: Bench) -> None:
    """Containers that run, end, pass and fail."""
    text = 'FROM base\nENV A=b\nWORKDIR /work\nUSER app\nONBUILD RUN false\nENTRYPOINT ["sleep"]\nCMD ["60"]\n'
    tag = "docker.io/library/dockfix-test:start"
    assert bench.builder.build(bench.request(text, tag)).ok

    def start(*command: str, health: tuple[str, ...] = (), limit: float = 6.0) -> Any:
        return bench.builder.start(tag, Start(command, health=health, limit=limit))

    done = start("sh", "-c", 'id -u; pwd; echo "$A" "$1"; exit 7', "x", "two  words'\"$")
    assert (done.running, done.exit_code, done.health_code) == (False, 7, None)
    assert not done.reason
    assert [line for line in done.output.split("\n") if line] == ["1000", "/work", "b two  words'\"$"]
    running = start("sleep", "60", limit=3.0)
    assert (running.running, running.exit_code, running.health_code) == (True, None, None)
    script = "touch /tmp/x 2>/dev/null; sleep 60"
    healthy = start("sh", "-c", script, health=("sh", "-c", "echo it is; test 'a  b' = \"a  b\""), limit=20.0)
    assert (healthy.running, healthy.health_code, healthy.health_output.strip()) == (True, 0, "it is")
    sick = start("sleep", "60", health=("sh", "-c", "echo ill; exit 4"))
    assert (sick.running, sick.health_code, sick.health_output.strip()) == (True, 4, "ill")
    stuck = start("sleep", "60", health=("sleep", "60"), limit=4.0)
    assert (stuck.running, stuck.health_code) == (True, 124)
    lost = start("/nope")
    assert not lost.running
    assert lost.reason or lost.exit_code == 127


def check_no_shell(bench: Bench, expected_health: int | None) -> None:
    """An image without a shell is started, too."""
    tag = "docker.io/library/dockfix-test:bare"
    text = "FROM scratch\nCOPY --from=base /bin/busybox /busybox\n"
    assert bench.builder.build(bench.request(text, tag)).ok
    ended = bench.builder.start(tag, Start(("/busybox", "false"), limit=8.0))
    assert (ended.running, ended.exit_code) == (False, 1)
    fine = bench.builder.start(tag, Start(("/busybox", "sleep", "60"), health=("/busybox", "true"), limit=8.0))
    assert (fine.running, fine.health_code) == (True, expected_health)
    lost = bench.builder.start(tag, Start(("/nope",), limit=8.0))
    assert not lost.running
    assert "nope" in lost.reason


def check_nothing_left(bench: Bench, state: Callable[[], object], *, stopped: bool) -> None:
    """The user's cache, images and containers are as they were, also after a build that was stopped."""
    text = (
        "FROM base\nARG V=1\nRUN cat /proc/sys/kernel/random/uuid > /id\nWORKDIR /deep/er\n"
        f"RUN --mount=type=cache,target=/cache echo $V >> /cache/f; test $(cat /cache/f) = $V\n{_last_run(bench)}"
    )
    users = bench.request(text, "docker.io/library/dockfix-test:user")
    before = state()
    bench.builder.build(users)
    bench.builder.build(bench.request(text, no_cache=True))
    bench.builder.build(bench.request(text, args={"V": "2"}, no_cache=True))
    bench.builder.build(bench.request(text + "RUN exit 4\n"))
    bench.builder.build(bench.request("FROM scratch\nCOPY bin /bin\nCOPY etc /elsewhere\nRUN echo a\n", base=""))
    if stopped:
        bench.builder.build(bench.request(text + "RUN sleep 60\n", timeout=6.0))
    bench.builder.start("docker.io/library/dockfix-test:a", Start(("sleep", "60"), limit=2.0))
    assert state() != before
    bench.builder.remove("docker.io/library/dockfix-test:a")
    bench.builder.remove("docker.io/library/dockfix-test:never")
    bench.builder.close()
    bench.builder.close()
    assert state() == before
