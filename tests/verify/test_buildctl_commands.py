import json
import os
from pathlib import Path

import pytest

from dockfix.verify.builders.buildctl import BuildctlBuilder, probe
from dockfix.verify.model import BuilderError, BuildRequest, Secret, Start
from tests.verify.fake_program import FakeProgram, fake_program

RECORDED = Path(__file__).parent / "recorded"
TAG = "docker.io/library/dockfix-1:a"


@pytest.fixture
def buildctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    return fake_program("buildctl", tmp_path / "fake", monkeypatch)


def add_image(layout: Path, name: str, config: object = None) -> str:
    """Write an image with one layer into a layout; its digest is `sha256:<name>`."""
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    manifest = {"config": {"digest": f"sha256:{name}-config"}, "layers": [{"digest": "sha256:layer"}]}
    (blobs / name).write_text(json.dumps(manifest))
    (blobs / f"{name}-config").write_text(json.dumps(config or {}))
    (blobs / "layer").write_text("a layer")
    return f"sha256:{name}"


def names(layout: Path) -> set[str]:
    return {path.name for path in layout.glob("blobs/sha256/*")}


def built(
    buildctl: FakeProgram, folder: Path, *answers: tuple[str, str, int], config: object = None
) -> BuildctlBuilder:
    """A builder that has built an image."""
    builder = BuildctlBuilder(folder)
    digest = add_image(folder / "buildctl/images", "one", config)
    buildctl.answer(metadata={"containerimage.digest": digest})
    assert builder.build(BuildRequest(folder / "Dockerfile", folder, TAG)).ok
    return builder


def test_why_it_cannot_be_used(buildctl: FakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert probe(os.environ) is None
    assert buildctl.calls == [["debug", "workers"]]
    buildctl.answer(("debug", "error: no such socket\n", 1))
    assert "no such socket" in str(probe(os.environ))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe(os.environ) == "is not installed"


def test_all_that_a_request_says(buildctl: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "from outside")
    monkeypatch.delenv("MISSING", raising=False)
    layout = tmp_path / "base"
    add_image(layout, "base")
    (layout / "index.json").write_text(
        json.dumps(
            {"manifests": [{"digest": "sha256:base", "annotations": {"org.opencontainers.image.ref.name": "1.0"}}]}
        )
    )
    request = BuildRequest(
        tmp_path / "elsewhere" / "api.Dockerfile",
        tmp_path / "context",
        TAG,
        target="--no-cache",
        args={"A": "--x=1", "GIVEN": None, "MISSING": None},
        contexts={
            "src": str(tmp_path / "src"),
            "docker.io/library/debian:latest": "docker-image://debian:12",
            "one": f"oci-layout://{layout}:1.0",
            "two": f"oci-layout://{layout}@sha256:base",
            "three": f"oci-layout://{layout}",
        },
        secrets=(Secret("a", file=tmp_path / "x,y"), Secret("b", env="GIVEN")),
        platform="linux/arm64",
        no_cache=True,
        extra={
            "network": ("host",),
            "shm-size": ("1.5g",),
            "ulimit": ("nofile=1:2", "nproc=3"),
            "add-host": ("db:10.0.0.1", "v6=[::1]"),
        },
    )
    buildctl.answer(metadata={"containerimage.digest": add_image(tmp_path / "run/buildctl/images", "one")})
    builder = BuildctlBuilder(tmp_path / "run")
    assert builder.build(request).ok
    call = buildctl.call("build")
    namespace = call.pop()
    assert namespace.startswith("--opt=build-arg:BUILDKIT_CACHE_MOUNT_NS=dockfix-")
    metadata = next(each for each in call if each.startswith("--metadata-file="))
    assert call == [
        "build", "--progress=plain", "--frontend=dockerfile.v0",
        f"--local=context={tmp_path}/context", f"--local=dockerfile={tmp_path}/elsewhere",
        "--opt=filename=api.Dockerfile", "--no-cache", "--opt=target=--no-cache", "--opt=platform=linux/arm64",
        "--opt=build-arg:A=--x=1", "--opt=build-arg:GIVEN=from outside",
        f'--secret=id=a,"src={tmp_path}/x,y"', "--secret=id=b,env=GIVEN",
        f"--local=named0={tmp_path}/src", "--opt=context:src=local:named0",
        "--opt=context:debian=docker-image://debian:12",
        f"--oci-layout=named2={layout}", "--opt=context:one=oci-layout://named2@sha256:base",
        f"--oci-layout=named3={layout}", "--opt=context:two=oci-layout://named3@sha256:base",
        f"--oci-layout=named4={layout}", "--opt=context:three=oci-layout://named4@sha256:base",
        "--opt=force-network-mode=host", "--allow=network.host", "--opt=shm-size=1610612736",
        "--opt=ulimit=nofile=1:2,nproc=3", "--opt=add-hosts=db=10.0.0.1,v6=::1",
        metadata,
        f"--output=type=oci,tar=false,compression=uncompressed,name={TAG},dest={tmp_path}/run/buildctl/images",
    ]  # fmt: skip
    assert not any("push" in each or "type=image" in each or "registry" in each for each in call)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extra": {"squash": ("true",)}}, "`squash` cannot be passed on"),
        ({"extra": {"network": ("custom",)}}, "no network `custom`"),
        ({"extra": {"shm-size": ("much",)}}, "`much` is not a size"),
        ({"contexts": {"base": "oci-layout://./layout:2.0"}}, "`base` is not an image of its OCI layout"),
    ],
)
def test_what_cannot_be_passed_on(
    options: dict[str, object], message: str, buildctl: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout/index.json").write_text('{"manifests": []}')
    with pytest.raises(BuilderError, match=message):
        BuildctlBuilder(tmp_path).build(BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG, **options))  # type: ignore[arg-type]  # each row names one field
    assert buildctl.calls == []


def test_images_are_exported_and_removed(buildctl: FakeProgram, tmp_path: Path) -> None:
    builder = built(buildctl, tmp_path)
    layout = tmp_path / "buildctl/images"
    digest = add_image(layout, "two")
    buildctl.answer(metadata={"containerimage.digest": digest})
    assert builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, "b:1")).ok
    assert names(layout) == {"one", "one-config", "two", "two-config", "layer"}

    exported = builder.export("b:1", tmp_path / "out")
    assert names(exported) == {"two", "two-config", "layer"}
    assert json.loads((exported / "index.json").read_text())["manifests"][0]["digest"] == digest
    assert json.loads((exported / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}

    builder.remove("b:1")
    builder.remove("b:1")
    assert names(layout) == {"one", "one-config", "layer"}
    assert names(exported) == {"two", "two-config", "layer"}
    with pytest.raises(BuilderError, match="no image `b:1`"):
        builder.export("b:1", tmp_path / "out")
    builder.close()
    builder.close()
    assert not (tmp_path / "buildctl").exists()


def test_an_image_of_the_run_is_a_named_context(buildctl: FakeProgram, tmp_path: Path) -> None:
    builder = built(buildctl, tmp_path)
    request = BuildRequest(tmp_path / "Dockerfile", tmp_path, "b:1", contexts={"api": f"docker-image://{TAG}"})
    assert builder.build(request).ok
    call = [each for each in buildctl.calls if each[0] == "build"][-1]
    assert f"--oci-layout=named0={tmp_path}/buildctl/images" in call
    assert "--opt=context:api=oci-layout://named0@sha256:one" in call


def test_a_build_that_fails_makes_no_image(buildctl: FakeProgram, tmp_path: Path) -> None:
    buildctl.answer(("^build", (RECORDED / "buildkit-failed.txt").read_text(), 1))
    lines: list[str] = []
    builder = BuildctlBuilder(tmp_path)
    failed = builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG), lines.append)
    assert not failed.ok
    assert "exit code 3" in failed.reason
    assert "#13 0.176 bad" in lines
    with pytest.raises(BuilderError):
        builder.export(TAG, tmp_path)


def test_what_a_build_left_in_the_cache_is_removed_by_its_id(buildctl: FakeProgram, tmp_path: Path) -> None:
    after = tmp_path / "fake/after.txt"
    mine = "ID:\t\tmine\nDescription:\t[base 1/2] COPY a b\nType:\tregular\n\n"
    users = "ID:\t\tuser\nDescription:\t[base 1/2] COPY a b\nType:\tregular\n\n"
    builder = BuildctlBuilder(tmp_path)
    digest = add_image(tmp_path / "buildctl/images", "one")
    program = tmp_path / "fake/bin/buildctl"
    program.write_text(  # the second listing has a record more
        program.read_text().replace(
            'line = " ".join',
            f"after, mine, users = pathlib.Path({str(after)!r}), {mine!r}, {users!r}\n"
            "if sys.argv[1] == 'build': after.touch()\n"
            "if sys.argv[1] == 'du': print(users + (mine if after.exists() else ''))\n"
            'line = " ".join',
        )
    )
    printed = "#4 [base 1/2] COPY a b\n#4 DONE 0.1s\n"
    buildctl.answer(("^build", printed, 0), metadata={"containerimage.digest": digest})
    assert builder.build(BuildRequest(tmp_path / "Dockerfile", tmp_path, TAG)).ok
    builder.close()
    assert buildctl.call("prune") == ["prune", "--filter=id==mine"]


def test_a_trial_is_a_step_without_network_and_triggers(buildctl: FakeProgram, tmp_path: Path) -> None:
    builder = built(buildctl, tmp_path, config={"config": {"OnBuild": ["RUN false"], "User": "app"}})
    program = tmp_path / "fake/bin/buildctl"
    program.write_text(  # copies the Dockerfile, and answers with its random word
        program.read_text()
        + "local = next(each for each in sys.argv if each.startswith('--local=dockerfile='))\n"
        + "text = pathlib.Path(local.split('=')[2], 'Dockerfile').read_text()\n"
        + "(folder / 'Dockerfile').write_text(text)\n"
        + "word = re.search(r'[0-9a-f]{32}', text)[0]\n"
        + "print(f'#5 [1/2] RUN\\n#5 0.1 hello\\n#5 0.2 {word} exit 7')\n"
        + "sys.exit(1)\n"
    )
    outcome = builder.start(TAG, Start(("/bin/app", 'a "b" $c'), limit=5.0))
    assert (outcome.running, outcome.exit_code, outcome.output, outcome.reason) == (False, 7, "hello", "")
    text = (tmp_path / "fake/Dockerfile").read_text()
    assert text.startswith("FROM dockfix-trial\nRUN --network=none [")
    assert json.loads(text[text.index("[") :])[-2:] == ["/bin/app", 'a "b" $c']
    call = [each for each in buildctl.calls if each[0] == "build"][-1]
    assert "--no-cache" in call
    assert not any(each.startswith("--output") for each in call)
    used = next(each for each in call if "oci-layout://" in each).rpartition("sha256:")[2]
    layout = tmp_path / "buildctl/images/blobs/sha256"
    config = json.loads((layout / used).read_text())["config"]["digest"].removeprefix("sha256:")
    assert json.loads((layout / config).read_text()) == {"config": {"User": "app"}}


def test_no_command_no_trial(buildctl: FakeProgram, tmp_path: Path) -> None:
    builder = built(buildctl, tmp_path)
    count = len(buildctl.calls)
    assert builder.start(TAG, Start(())).reason == "the image has no command"
    assert len(buildctl.calls) == count


def test_the_version_is_that_of_the_daemon(buildctl: FakeProgram, tmp_path: Path) -> None:
    buildctl.answer(("debug info", "BuildKit: github.com/moby/buildkit v0.24.0 abc\n", 0), ("version", "x v0.1.0", 0))
    assert BuildctlBuilder(tmp_path).version == "v0.24.0"
    buildctl.answer(("debug info", "unknown command\n", 3), ("version", "buildctl x v0.11.0 abc\n", 0))
    assert BuildctlBuilder(tmp_path).version == "v0.11.0"
