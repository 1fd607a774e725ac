"""buildah: real builds on a base made of busybox; how it runs commands, with a stand-in for the program."""

import os
import sys
from pathlib import Path

import pytest

from dockfix.verify.builders.buildah import BuildahBuilder, _reported
from dockfix.verify.model import BuilderError, StartOutcome
from tests.verify.contract import Contract

# A program that says of itself what buildah says, and can run commands with the isolations of `WORKING` alone.
STAND_IN = """
import json, os, sys
words = [word for word in sys.argv[1:] if not word.startswith(("--root", "--runroot", "--storage"))]
with open(os.environ["CALLS"], "a") as calls:
    print(*words, file=calls)
if words == ["--version"]:
    print("buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)")
elif words == ["info"]:
    print(json.dumps({"host": {"serviceIsRemote": "REMOTE" in os.environ}, "store": {
        "GraphRoot": os.environ["STORE"] + "/graph", "RunRoot": os.environ["STORE"] + "/run",
        "GraphDriverName": os.environ.get("DRIVER", "overlay"), "GraphOptions": ["overlay.mount_program=/usr/bin/x"]}}))
elif words[0] == "build":
    isolation = next((word[12:] for word in words if word.startswith("--isolation=")), "own")
    if isolation in os.environ["WORKING"].split():
        sys.exit(0)
    sys.exit('Error: building at STEP "RUN /program": runc: operation not permitted')
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for buildah; gives the file with its calls."""
    (tmp_path / "bin").mkdir()
    path = tmp_path / "bin" / "buildah"
    path.write_text(f"#!{sys.executable}\n{STAND_IN}")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STORE", str(tmp_path))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("BUILDAH_ISOLATION", raising=False)
    return tmp_path / "calls"


def stores(folder: Path) -> list[Path]:
    """The private stores in a folder."""
    return list(folder.glob("dockfix-*"))


@pytest.mark.parametrize(
    ("named", "working", "isolation"),
    [("", "own chroot", ""), ("", "chroot", "chroot"), ("rootless", "", "rootless"), ("chroot", "own", "chroot")],
)
def test_the_isolation_that_works_is_found(
    named: str, working: str, isolation: str, stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKING", working)
    if named:
        monkeypatch.setenv("BUILDAH_ISOLATION", named)
    builder = BuildahBuilder(tmp_path)
    assert (builder.version, builder.isolation) == ("1.28.2", isolation)
    assert len(stores(tmp_path)) >= 1
    builder.close()
    assert stores(tmp_path) == []
    assert not builder.store.run_root.exists()
    assert ("build" in stand_in.read_text()) is not bool(named)


def test_no_isolation_works(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKING", "")
    message = (
        r"buildah cannot run commands in a build here \(`RUN /program`: runc: operation not permitted\); see its "
        "option `--isolation`"
    )
    with pytest.raises(BuilderError, match=message):
        BuildahBuilder(tmp_path)
    assert stores(tmp_path) == []


def test_a_storage_driver_without_other_stores(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVER", "btrfs")
    with pytest.raises(BuilderError, match="`btrfs` is not supported"):
        BuildahBuilder(tmp_path)


def test_a_remote_service(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE", "1")
    with pytest.raises(BuilderError, match="remote service"):
        BuildahBuilder(tmp_path)


def test_an_interrupted_close_can_be_made_again(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(root: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("WORKING", "own")
    builder = BuildahBuilder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(builder.store, "_remove", interrupt)
        with pytest.raises(KeyboardInterrupt):
            builder.close()
    assert builder.store.root.exists()
    builder.close()
    assert stores(tmp_path) == []


def test_runs_at_the_same_time_do_not_remove_each_other(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKING", "own")
    first, second = BuildahBuilder(tmp_path), BuildahBuilder(tmp_path)
    second.close()
    assert first.store.temporary.is_dir()
    assert first.store.run_root.is_dir()
    first.close()
    assert stores(tmp_path) == []


def test_the_images_of_the_user_are_seen_and_options_kept(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKING", "own")
    builder = BuildahBuilder(tmp_path)
    assert builder.store.options[-2:] == [
        f"--storage-opt=overlay.imagestore={tmp_path}/graph", "--storage-opt=overlay.mount_program=/usr/bin/x",
    ]  # fmt: skip
    assert builder.store.options[0].startswith(f"--root={tmp_path}/dockfix-")
    builder.close()


# Recorded from buildah 1.28.2 with runc, and in chroot isolation.
NOT_STARTED = [
    (
        'error running container: from /usr/bin/runc creating container for [/x]: time="2026-11-28T02:39:40Z" '
        'level=warning msg="cannot toggle freezer: cgroups not configured for container"\ntime="2026-11-28T02:39:40Z" '
        'level=error msg="runc create failed: unable to start container process: exec: \\"/x\\": stat /x: no such file '
        'or directory"\n: exit status 1\nError: while running runtime: exit status 1\n',
        'exec: "/x": stat /x: no such file or directory',
    ),
    ("error running container: no space left on device\nError: exit status 1\n", "no space left on device"),
    (
        'error running container: from /usr/bin/runc creating container for [/x]: time="2026-11-28T02:18:11Z" '
        'level=error msg="runc create failed: unable to start container process: exec: \\"/x\\": stat /x: no such file '
        'or directory"\n: exit status 1\nError: while running runtime: exit status 1\n',
        'exec: "/x": stat /x: no such file or directory',
    ),
    (
        "process failed to start with error: fork/exec /x: no such file or directoryprocess exited with error: exec: "
        "not startedsubprocess exited with status 1\nError: exit status 1\n",
        "fork/exec /x: no such file or directory",
    ),
]


@pytest.mark.parametrize(("output", "reason"), NOT_STARTED)
def test_a_container_that_was_not_started_has_a_reason(output: str, reason: str) -> None:
    outcome = _reported(StartOutcome(False, 1, output=output))
    assert (outcome.exit_code, outcome.reason) == (None, reason)


def test_reports_of_buildah_are_not_output_of_the_container() -> None:
    output = "hello\nsubprocess exited with status 7\nsubprocess exited with status 7\nError: exit status 7\n"
    outcome = _reported(StartOutcome(False, 7, output=output))
    assert (outcome.exit_code, outcome.output, outcome.reason) == (7, "hello", "")


@pytest.mark.slow
@pytest.mark.xdist_group("verify")
class TestBuildah(Contract):
    """Real builds."""

    kind = BuildahBuilder
