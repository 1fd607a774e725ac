"""What every builder with a private store must do, with real builds on a base made of busybox.

`test_builders_buildah.py` and `test_builders_podman.py` subclass `Contract`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dockfix.verify.builders.containers import StoreBuilder
from dockfix.verify.model import BuilderError, BuildRequest, Secret, Start

BASE = "localhost/busybox-base"
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home:/bin/sh\n"


class Place:
    """A user's store with a base image, and a folder for Dockerfiles and contexts."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.program = folder, program
        self.context = folder / "context"
        self.context.mkdir()
        (self.context / "file.txt").write_text("content\n")
        (self.context / "secret.txt").write_text("from the context\n")
        self.store = folder / "containers" / "store"

    def write(self, dockerfile: str) -> Path:
        """A Dockerfile outside the context."""
        path = self.folder / "Dockerfile"
        path.write_text(dockerfile)
        return path

    def request(self, dockerfile: str, **options: Any) -> BuildRequest:
        """A build of a Dockerfile."""
        options.setdefault("tag", "localhost/dockfix-test:one")
        return BuildRequest(self.write(dockerfile), self.context, timeout=options.pop("timeout", 120.0), **options)

    def used(self) -> tuple[str, str]:
        """What the user's store holds: its images and its size."""
        listing = [self.program, "images", "--all", "--quiet", "--no-trunc"]
        images = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
        size = subprocess.run(["du", "-s", self.store / "overlay"], check=True, capture_output=True, text=True).stdout
        return images, size.split()[0]

    def left(self) -> list[str]:
        """What private stores left behind: folders and mounts."""
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        folders = [str(path) for path in (self.folder / "containers").glob("dockfix-*")]
        return folders + [line for line in mounts if f"{self.folder}/containers/dockfix-" in line]


def libraries(program: Path) -> list[Path]:
    """The shared libraries of a program; none if it is static."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return [Path(found) for found in re.findall(r"(/\S+) \(0x", listed)]


def busybox_root(busybox: Path, root: Path) -> None:
    """Write the files of the base image."""
    for path in ("bin", "etc", "root"):
        (root / path).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    for library in libraries(busybox):
        (root / library.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library.relative_to("/"))
    (root / "etc/passwd").write_text(ACCOUNTS)
    (root / "etc/group").write_text("root:x:0:\napp:x:1000:\n")


def make_place(folder: Path, program: str, require_tool: Callable[[str], Path], patch: pytest.MonkeyPatch) -> Place:
    """A place with a base image, whose store the environment names."""
    require_tool(program)
    busybox = require_tool("busybox")
    if os.geteuid() != 0:
        if os.environ.get("DOCKFIX_REQUIRE_TOOLS"):
            pytest.fail("the tests with real builds need root, and DOCKFIX_REQUIRE_TOOLS is set")
        pytest.skip("the tests with real builds need root")
    place = Place(folder, program)
    config = folder / "storage.conf"
    config.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{place.store}"\nrunroot = "{folder}/containers/run"\n'
    )
    patch.setenv("CONTAINERS_STORAGE_CONF", str(config))
    patch.delenv("BUILDAH_ISOLATION", raising=False)
    root = folder / "base"
    busybox_root(busybox, root)
    (root / "Dockerfile").write_text(
        'FROM scratch\nCOPY . /\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n'
        "RUN mkdir -p /tmp /home /run && chmod 1777 /tmp\n"
    )
    subprocess.run(
        [program, "build", "--isolation=chroot", "--layers=false", "-t", BASE, root], check=True, capture_output=True
    )
    return place


def config_of(archive: Path) -> dict[str, Any]:
    """The image configuration in an archive that `docker save` would write."""
    with tarfile.open(archive) as tar:

        def member(name: str) -> Any:
            stream = tar.extractfile(name)
            assert stream is not None
            return json.load(stream)

        config: dict[str, Any] = member(member("manifest.json")[0]["Config"])
        return config


def running(marker: str) -> list[int]:
    """The processes with a word on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if marker in words:
            found.append(int(path.parent.name))
    return found


class Contract:
    """The tests. A subclass gives the class of the builder."""

    kind: ClassVar[type[StoreBuilder]]

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls, tmp_path_factory: pytest.TempPathFactory, require_tool: Callable[[str], Path]) -> Iterator[Place]:
        patch = pytest.MonkeyPatch()
        try:
            yield make_place(tmp_path_factory.mktemp("b"), cls.kind.name, require_tool, patch)
        finally:
            patch.undo()

    @pytest.fixture(scope="class", params=["", "chroot"], ids=["own", "chroot"])
    @classmethod
    def builder(cls, place: Place, request: pytest.FixtureRequest) -> Iterator[StoreBuilder]:
        patch = pytest.MonkeyPatch()
        if request.param:
            patch.setenv("BUILDAH_ISOLATION", request.param)
        builder = cls.kind(place.folder)
        try:
            yield builder
        finally:
            builder.close()
            patch.undo()

    @pytest.fixture
    def image(self, builder: StoreBuilder, place: Place) -> str:
        """An image with a user, an environment and a working directory."""
        tag = "localhost/dockfix-test:image"
        text = f"FROM {BASE}\nRUN mkdir /srv && chown app /srv\nENV GREETING=hello\nWORKDIR /srv\nUSER app\n"
        assert builder.build(place.request(text, tag=tag)).ok
        return tag

    def test_name_and_version(self, builder: StoreBuilder) -> None:
        assert builder.name == self.kind.name
        assert re.fullmatch(r"\d+\.\d+(\.\d+)*", builder.version)

    def test_a_build_is_cached_unless_told_otherwise(self, builder: StoreBuilder, place: Place) -> None:
        text = f"FROM {BASE} AS one\nRUN date > /date\nFROM {BASE}\nCOPY --from=one /date /\nRUN sleep 0.3\n"
        first, second, third = (
            builder.build(place.request(text, no_cache=no_cache)) for no_cache in (True, False, True)
        )
        assert first.ok, first.log
        assert [step.text for step in first.steps] == ["RUN date > /date", "COPY --from=one /date /", "RUN sleep 0.3"]
        assert [len(each.rerun) for each in (first, second, third)] == [3, 0, 3]
        slept = first.steps[-1].seconds
        assert slept is not None
        assert 0.25 < slept <= first.seconds
        assert "Successfully tagged" in first.log

    def test_lines_are_reported_as_they_come(self, builder: StoreBuilder, place: Place) -> None:
        lines: list[str] = []
        # in chroot isolation, what a command prints just before its end is lost now and then
        text = f"FROM {BASE}\nRUN echo said $((40 + 2)); sleep 0.3\n"
        builder.build(place.request(text, no_cache=True), lines.append)
        assert "said 42" in lines

    def test_a_failing_build_has_a_reason(self, builder: StoreBuilder, place: Place) -> None:
        # in chroot isolation the order of the two streams, and what is printed just before the end, are not certain
        command = "RUN echo fine; sleep 0.3; echo 'E: no such thing' >&2; sleep 0.3; exit 3"
        outcome = builder.build(place.request(f"FROM {BASE}\n{command}\n"))
        assert not outcome.ok
        assert outcome.reason == f"`{command}`: exit status 3: E: no such thing", outcome.log
        assert "no such thing" in outcome.log

    def test_a_missing_source_and_a_missing_base_have_a_reason(self, builder: StoreBuilder, place: Place) -> None:
        assert "/nowhere" in builder.build(place.request(f"FROM {BASE}\nCOPY nowhere /\n")).reason
        assert "nowhere" in builder.build(place.request("FROM nowhere\nRUN true\n")).reason

    def test_a_build_is_stopped_at_its_time_limit(self, builder: StoreBuilder, place: Place) -> None:
        text = f"FROM {BASE}\nRUN (setsid sleep 41.25 &); sleep 41.5\n"
        outcome = builder.build(place.request(text, timeout=3.0))
        assert (outcome.ok, outcome.timed_out) == (False, True)
        assert outcome.reason == "stopped at the time limit of 3 s"
        assert outcome.seconds < 12
        assert running("41.5") == []
        assert running("41.25") == []
        assert self.containers(builder) == []

    def test_an_interrupted_build_leaves_no_process_and_no_container(self, builder: StoreBuilder, place: Place) -> None:
        def interrupt(line: str) -> None:
            if line == "started":
                raise KeyboardInterrupt

        text = f"FROM {BASE}\nRUN echo started; (setsid sleep 42.25 &); sleep 42.5\n"
        with pytest.raises(KeyboardInterrupt):
            builder.build(place.request(text), interrupt)
        assert running("42.5") == []
        assert running("42.25") == []
        assert self.containers(builder) == []

    def test_arguments(self, builder: StoreBuilder, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OUTER", "from outside")
        text = f'FROM {BASE}\nARG OUTER\nARG GIVEN\nARG OTHER=default\nRUN echo "$OUTER|$GIVEN|$OTHER"\n'
        outcome = builder.build(place.request(text, no_cache=True, args={"OUTER": None, "GIVEN": "a,b=c --no-cache"}))
        assert "from outside|a,b=c --no-cache|default\n" in outcome.log

    def test_a_target(self, builder: StoreBuilder, place: Place) -> None:
        text = f"FROM {BASE} AS one\nRUN echo stage one\nFROM {BASE}\nRUN false\n"
        outcome = builder.build(place.request(text, target="one", no_cache=True))
        assert outcome.ok
        assert [step.text for step in outcome.steps] == ["RUN echo stage one"]

    def test_a_value_is_not_read_as_an_option(self, builder: StoreBuilder, place: Place) -> None:
        outcome = builder.build(place.request(f"FROM {BASE}\nRUN true\n", target="--help"))
        assert not outcome.ok
        assert "--help" in outcome.reason

    def test_named_contexts(self, builder: StoreBuilder, place: Place, tmp_path: Path) -> None:
        (tmp_path / "named.txt").write_text("named content\n")
        text = "FROM base\nCOPY --from=other named.txt /\nRUN cat /named.txt\n"
        contexts = {"other": str(tmp_path), "base": f"docker-image://{BASE}"}
        outcome = builder.build(place.request(text, contexts=contexts, no_cache=True))
        assert "named content" in outcome.log
        with pytest.raises(BuilderError, match="oci-layout"):
            builder.build(place.request(text, contexts={"base": "oci-layout:///somewhere"}))

    def test_secrets(
        self, builder: StoreBuilder, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "s").write_text("of a file")
        monkeypatch.setenv("SECRET", "of the environment")
        text = (
            f"FROM {BASE}\nRUN --mount=type=secret,id=one --mount=type=secret,id=two \\\n"
            "  rev /run/secrets/one && rev /run/secrets/two\n"
        )
        secrets = (Secret("one", file=tmp_path / "s"), Secret("two", env="SECRET"))
        outcome = builder.build(place.request(text, secrets=secrets, no_cache=True))
        assert outcome.ok, outcome.log
        assert "of a file"[::-1] in outcome.log
        assert "of the environment"[::-1] in outcome.log
        with pytest.raises(BuilderError, match="comma"):
            builder.build(place.request(text, secrets=(Secret("one", file=tmp_path / "a,b"),)))

    def test_the_ignore_file_of_the_dockerfile_is_used(self, builder: StoreBuilder, place: Place) -> None:
        text = f"FROM {BASE}\nCOPY . /copied\nRUN ls /copied\n"
        ignore = place.folder / "Dockerfile.dockerignore"
        ignore.write_text("secret.txt\n")
        try:
            outcome = builder.build(place.request(text, no_cache=True))
        finally:
            ignore.unlink()
        assert "file.txt" in outcome.log
        assert "secret.txt" not in outcome.log
        assert "secret.txt" in builder.build(place.request(text, no_cache=True)).log

    def test_other_options(self, builder: StoreBuilder, place: Place) -> None:
        text = f"FROM {BASE}\nRUN cat /etc/hosts; ulimit -n\n"
        extra = {"add-host": ("somehost:10.1.2.3",), "ulimit": ("nofile=99:99",), "network": ("default",)}
        outcome = builder.build(place.request(text, extra={**extra, "shm-size": ("1m",)}, no_cache=True))
        assert outcome.ok, outcome.log
        assert re.search(r"10\.1\.2\.3\s+somehost", outcome.log)
        assert "\n99\n" in outcome.log
        with pytest.raises(BuilderError, match="privileged"):
            builder.build(place.request(text, extra={"privileged": ("true",)}))
        if builder.isolation == "chroot":
            with pytest.raises(BuilderError, match="network of the host"):
                builder.build(place.request(text, extra={"network": ("none",)}))
        else:
            assert builder.build(place.request(text, extra={"network": ("none",)})).ok

    def test_a_platform(self, builder: StoreBuilder, place: Place) -> None:
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
        if machine is None:
            pytest.skip("unknown machine")
        assert builder.build(place.request(f"FROM {BASE}\nRUN true\n", platform=f"linux/{machine}")).ok

    def test_heredocs_need_a_later_version(self, builder: StoreBuilder, place: Place) -> None:
        request = place.request(f"FROM {BASE}\nRUN <<EOF\necho hello\nEOF\n")
        if tuple(map(int, builder.version.split("."))) >= self.kind.heredocs_since:
            assert builder.build(request).ok
        else:
            with pytest.raises(BuilderError, match="does not support heredocs; use BuildKit"):
                builder.build(request)

    def test_a_cache_mount_lasts_as_long_as_the_store(self, builder: StoreBuilder, place: Place) -> None:
        text = (
            f"FROM {BASE}\nARG N\nRUN --mount=type=cache,target=/c,id=dockfix-cache ls /c; touch /c/kept-by-the-mount\n"
        )
        first, second = (builder.build(place.request(text, args={"N": number})) for number in ("1", "2"))
        assert first.ok
        assert "\nkept-by-the-mount\n" not in first.log
        assert "\nkept-by-the-mount\n" in second.log
        assert list(builder.store.temporary.rglob("kept-by-the-mount"))

    def test_an_export_keeps_the_whole_configuration(self, builder: StoreBuilder, place: Place, tmp_path: Path) -> None:
        text = (
            f'FROM {BASE}\nSHELL ["/bin/sh", "-ec"]\nENV A=b\nRUN echo hello > /hello\nUSER app\n'
            "HEALTHCHECK --interval=5s --retries=2 CMD test -e /hello\nSTOPSIGNAL SIGINT\nVOLUME /data\nEXPOSE 80\n"
            'LABEL one=two\nWORKDIR /home\nENTRYPOINT ["/bin/sh"]\nCMD ["-c", "sleep 9"]\n'
        )
        assert builder.build(place.request(text)).ok
        (tmp_path / "a:b").mkdir()
        for _ in range(2):  # an archive of an earlier export is replaced
            archive = builder.export("localhost/dockfix-test:one", tmp_path / "a:b")
        config = config_of(archive)
        assert config["config"]["Healthcheck"] == {
            "Test": ["CMD-SHELL", "test -e /hello"], "Interval": 5_000_000_000, "Retries": 2,
        }  # fmt: skip
        assert config["config"]["Shell"] == ["/bin/sh", "-ec"]
        assert config["config"]["User"] == "app"
        assert config["config"]["Entrypoint"] == ["/bin/sh"]
        assert config["config"]["Cmd"] == ["-c", "sleep 9"]
        assert config["config"]["StopSignal"] == "SIGINT"
        assert config["config"]["WorkingDir"] == "/home"
        assert config["config"]["Volumes"] == {"/data": {}}
        assert config["config"]["ExposedPorts"] == {"80/tcp": {}}
        assert config["config"]["Labels"]["one"] == "two"
        assert "A=b" in config["config"]["Env"]
        assert "echo hello > /hello" in str(config["history"])
        with pytest.raises(BuilderError, match="cannot export"):
            builder.export("localhost/dockfix-test:missing", tmp_path)

    def test_a_container_whose_health_check_passes(self, builder: StoreBuilder, image: str) -> None:
        command = ("/bin/sh", "-c", "echo $GREETING $(id -un) $(pwd); sleep 1; touch /srv/ready; exec sleep 43.5")
        began = time.monotonic()
        outcome = builder.start(image, Start(command, health=("test", "-e", "/srv/ready"), limit=20.0))
        assert (outcome.running, outcome.exit_code, outcome.health_code, outcome.reason) == (True, None, 0, "")
        assert outcome.output.strip() == "hello app /srv"
        assert time.monotonic() - began < 15
        assert running("43.5") == []
        assert self.containers(builder) == []

    def test_a_health_check_reaches_the_container_and_not_the_host(self, builder: StoreBuilder, image: str) -> None:
        command = ("/bin/sh", "-c", "echo hi > index.html; exec httpd -f -p 127.0.0.1:8321 -h /srv")
        inside = "grep -sqx httpd /proc/[0-9]*/comm"
        # the brackets keep the check from finding its own command line
        outside = "grep -sq '4242[.]4242' /proc/[0-9]*/cmdline"
        health = ("/bin/sh", "-c", f"wget -qO- http://127.0.0.1:8321/ && {inside} && ! {outside}")
        with subprocess.Popen(["sleep", "4242.4242"]) as host:
            outcome = builder.start(image, Start(command, health=health, limit=15.0))
            assert subprocess.run(["/bin/sh", "-c", outside], check=False).returncode == 0
            host.kill()
        shown = outcome.running, outcome.health_code, outcome.health_output.strip()
        assert shown == (True, 0, "hi"), f"{outcome!r} {outcome.health_output}"

    def test_a_container_whose_health_check_fails(self, builder: StoreBuilder, image: str) -> None:
        health = ("/bin/sh", "-c", "echo not yet; exit 7")
        outcome = builder.start(image, Start(("sleep", "44.5"), health=health, limit=3.0))
        assert (outcome.running, outcome.exit_code, outcome.health_code) == (True, None, 7)
        assert outcome.health_output.strip() == "not yet"
        assert running("44.5") == []

    def test_a_container_that_ends(self, builder: StoreBuilder, image: str) -> None:
        outcome = builder.start(image, Start(("/bin/sh", "-c", "echo bye; exit 5"), health=("true",), health_delay=9.0))
        assert (outcome.running, outcome.exit_code, outcome.health_code, outcome.reason) == (False, 5, None, "")
        assert outcome.output.strip() == "bye"

    def test_a_container_without_its_program(self, builder: StoreBuilder, image: str) -> None:
        outcome = builder.start(image, Start(("/missing/program", "-x")))
        assert (outcome.running, outcome.exit_code) == (False, None)
        assert "/missing/program" in outcome.reason
        assert "no such file or directory" in outcome.reason

    def test_a_container_without_a_command(self, builder: StoreBuilder, image: str) -> None:
        assert builder.start(image, Start(())).reason == "the image has neither an entrypoint nor a command"

    def test_an_interrupted_container_is_removed(
        self, builder: StoreBuilder, image: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*arguments: object) -> None:
            time.sleep(1.5)
            raise KeyboardInterrupt

        monkeypatch.setattr(f"dockfix.verify.builders.{self.kind.name}.try_container", interrupt)
        with pytest.raises(KeyboardInterrupt):
            builder.start(image, Start(("/bin/sh", "-c", "(setsid sleep 45.25 &); sleep 45.5")))
        assert running("45.5") == []
        assert running("45.25") == []
        assert self.containers(builder) == []

    def test_an_image_is_removed_and_another_tag_of_it_stays(self, builder: StoreBuilder, place: Place) -> None:
        tags = ["localhost/dockfix-test:first", "localhost/dockfix-test:second"]
        for tag in tags:
            assert builder.build(place.request(f"FROM {BASE}\nRUN echo for the tags\n", tag=tag)).ok
        builder.remove(tags[0])
        builder.remove(tags[0])
        listed = builder.run(["images", "--format", "{{.Name}}:{{.Tag}}"]).output
        if self.kind.name == "podman":
            listed = builder.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).output
        assert tags[0] not in listed
        assert tags[1] in listed

    def test_closing_leaves_nothing(self, place: Place) -> None:
        before, left, stores = place.used(), place.left(), self.caches()
        builder = self.kind(place.folder)
        try:
            text = f"FROM {BASE}\nRUN --mount=type=cache,target=/c,id=dockfix-left touch /c/x; echo > /x\nVOLUME /x\n"
            assert builder.build(place.request(text)).ok
            assert not builder.build(place.request(f"{text}RUN false\n")).ok
            builder.start("localhost/dockfix-test:one", Start(("true",)))
            assert place.left() != left
        finally:
            builder.close()
            builder.close()
        assert place.left() == left
        assert not builder.store.run_root.exists()
        assert place.used() == before
        assert self.caches() == stores

    def test_ctrl_c_leaves_nothing(self, place: Place) -> None:
        before, left = place.used(), place.left()
        path = place.write(f"FROM {BASE}\nRUN echo started; (setsid sleep 46.25 &); sleep 46.5\n")
        code = (
            "from pathlib import Path\n"
            "from dockfix.verify.model import BuildRequest\n"
            f"from {self.kind.__module__} import {self.kind.__name__} as Builder\n"
            f"builder = Builder(Path({str(place.folder)!r}))\n"
            "print(builder.store.run_root, flush=True)\n"
            "def on_line(line): print(line, flush=True)\n"
            "try:\n"
            f"    builder.build(BuildRequest(Path({str(path)!r}), Path({str(place.context)!r}), 'one'), on_line)\n"
            "finally:\n"
            "    builder.close()\n"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:  # fmt: skip
            assert process.stdout is not None
            run_root = Path(process.stdout.readline().strip())
            assert run_root.is_dir()
            while process.stdout.readline() not in ("started\n", ""):
                pass
            process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
        assert running("46.25") == []
        assert running("46.5") == []
        assert not run_root.exists()
        assert (place.used(), place.left()) == (before, left)

    def test_what_a_killed_run_left_is_removed_by_the_next(self, place: Place) -> None:
        left = place.left()
        killed = place.folder / "containers" / "dockfix-killed"
        (killed / "store").mkdir(parents=True)
        (killed / "dockfix.lock").touch()
        other = place.folder / "containers" / "dockfix-other"
        other.mkdir()
        self.kind(place.folder).close()
        assert not killed.exists()
        assert other.exists()
        other.rmdir()
        assert place.left() == left

    @staticmethod
    def caches() -> list[Path]:
        """The cache mounts of the user."""
        return [path for path in Path("/var/tmp").glob("buildah-cache*/*") if "dockfix" in path.name]  # noqa: S108 - buildah's

    @staticmethod
    def containers(builder: StoreBuilder) -> list[str]:
        """The containers in the private store."""
        listing = ["containers", "--quiet"] if builder.name == "buildah" else ["ps", "--all", "--external", "--quiet"]
        return builder.run(listing).output.split()
