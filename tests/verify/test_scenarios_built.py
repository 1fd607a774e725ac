"""The scenarios with real builds: buildah, on a base of one static busybox."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from dockfix.project.target import target_from_text
from dockfix.verify.arg_change import arg_change
from dockfix.verify.cache_mounts import cache_mounts
from dockfix.verify.model import BuildOutcome, State, Step
from dockfix.verify.process import run
from dockfix.verify.scenarios import Side
from dockfix.verify.source_edit import source_edit
from tests.conftest import RequireTool

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("verify")]

MARK: Final = f"built{os.getpid()}"

BASE: Final = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n'


@dataclass
class Buildah:
    """Just enough of buildah: builds with layers, in a store of its own."""

    folder: Path
    context: Path

    def side(self, text: str) -> Side:
        return Side(target_from_text(text, root=self.context), self.context, self.build)

    def build(
        self, text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, no_cache: bool = False
    ) -> BuildOutcome:
        assert not no_cache
        assert last_stage in (True, False)  # no text has a stage that is not built
        file = self.folder / "Dockerfile"
        file.write_text(text)
        lines: list[tuple[float, str]] = []
        given = [f"--build-arg={name}={value}" for name, value in (args or {}).items()]
        argv = [
            "buildah",
            "build",
            "--layers",
            "--isolation=chroot",
            "--network=host",
            "--tag=dockfix-scenarios",
            *given,
        ]
        env = {"CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"), "TMPDIR": str(self.folder / "tmp")}
        done = run(
            [*argv, f"--file={file}", str(self.context)],
            timeout=120,
            env=env,
            on_line=lambda line: lines.append((time.monotonic(), line)),
        )
        reason = "" if done.ok else done.output.strip().rpartition("\n")[2]
        return BuildOutcome(done.ok, done.seconds, tuple(_steps(lines)), done.output, reason)


def _steps(lines: list[tuple[float, str]]) -> Iterator[Step]:
    """The steps in buildah's output: `STEP 2/3: RUN ...`, then perhaps `--> Using cache ...`."""
    starts = [(at, time_, found[1]) for at, (time_, line) in enumerate(lines) if (found := _STEP.match(line))]
    ends = [*starts[1:], (len(lines), lines[-1][0] if lines else 0.0, "")]
    for (first, began, text), (last, ended, _) in zip(starts, ends, strict=True):
        cached = any(line.startswith("--> Using cache") for _, line in lines[first:last])
        yield Step(text, cached, ended - began)


_STEP: Final = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+/\d+: (?!FROM)(.*)")


@pytest.fixture
def buildah(require_tool: RequireTool, tmp_path: Path) -> Iterator[Buildah]:
    """A buildah with an empty store, whose context has a static busybox."""
    require_tool("buildah")
    busybox = require_tool("busybox")
    if b"ld-linux" in busybox.read_bytes()[:4096]:
        pytest.skip("busybox is not static")
    context = tmp_path / "context"
    for folder in (context, tmp_path / "tmp"):
        folder.mkdir()
    shutil.copy(busybox, context / "busybox")
    (context / "README.md").write_text("# App\n")
    (context / "requirements.txt").write_text("one\n")
    paths = {name: str(tmp_path / name) for name in ("graphroot", "runroot")}
    settings = "".join(f"{name} = {json.dumps(path)}\n" for name, path in paths.items())
    (tmp_path / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\n{settings}')
    yield Buildah(tmp_path, context)
    env = {"CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf")}
    run(["buildah", "rm", "--all"], timeout=60, env=env)
    run(["buildah", "rmi", "--all", "--force"], timeout=60, env=env)
    run(["umount", str(tmp_path / "graphroot" / "overlay")], timeout=60)


def test_an_edit_of_the_readme_runs_no_install_again(buildah: Buildah) -> None:
    before = f"{BASE}WORKDIR /app\nCOPY . .\nRUN sleep 1; cp requirements.txt /installed\nRUN date > /date\n"
    after = f"{BASE}WORKDIR /app\nCOPY requirements.txt .\nRUN sleep 1; cp requirements.txt /installed\nCOPY . .\n"
    result = source_edit(buildah.side(before), buildah.side(f"{after}RUN date > /date\n"), token=MARK)
    assert result.state is State.KEPT, result
    assert result.evidence[0] == "after an edit of README.md, 2 RUN steps are run again before the fixes and 1 after"
    assert result.measurements[0].before[0] > result.measurements[0].after[0]
    worse = buildah.side(before.replace("RUN sleep", "RUN pip install x || true; sleep"))
    assert source_edit(worse, worse, token=f"{MARK}x").state is State.BROKEN


def test_a_new_value_of_an_arg_that_moved_runs_less_again(buildah: Buildah) -> None:
    before = f'{BASE}ARG GIT_SHA=none\nRUN sleep 1; date > /date\nRUN echo "$GIT_SHA" > /version\n'
    after = f'{BASE}RUN sleep 1; date > /date\nARG GIT_SHA=none\nRUN echo "$GIT_SHA" > /version\n'
    result = arg_change(buildah.side(before), buildah.side(after), token=MARK)
    assert result.state is State.KEPT, result
    assert (result.measurements[1].before, result.measurements[1].after) == ((2,), (1,))


LOCK: Final = "buildah-cache-lockfile"

CASES: Final = {
    "fills": (
        "[ -e /c/a ] || sleep 1; echo 1 > /c/a",
        State.KEPT,
        "a second run, whose layer is not cached, adds none",
    ),
    "keeps nothing": ("true > /x", State.NOT_SHOWN, "holds no downloads after two runs"),
    "only locks": ("true > /c/lock", State.NOT_SHOWN, "holds no downloads after two runs"),
    "not used": ("mktemp -p /c", State.BROKEN, "a second run adds 1 file more, such as /c/tmp."),
    "fails": ("rmdir /c 2>/dev/null; mkdir /c", State.BROKEN, "the RUN fails with its cache mount"),
}


@pytest.mark.parametrize("name", CASES)
def test_cache_mounts(buildah: Buildah, name: str) -> None:
    script, state, evidence = CASES[name]
    before = f"{BASE}RUN mkdir -p /c\nUSER 7\nUSER 0\nRUN {script}\nCOPY . .\n"
    after = before.replace(f"RUN {script}", f"RUN --mount=type=cache,target=/c,sharing=locked {script}")
    result = cache_mounts(buildah.side(before), buildah.side(after), token=MARK)
    assert result.state is state, result.evidence
    assert evidence in result.evidence[0]
    caches = [*buildah.folder.glob(f"tmp/buildah-cache*/dockfix-verify-{MARK}*")]
    assert caches
    assert not [path for cache in caches for path in cache.rglob("*") if path.is_file() and path.name != LOCK]
    if name == "fills":
        empty, filled = (each.after[0] for each in result.measurements[:2])
        assert filled < empty


def test_the_mount_of_another_user_can_be_listed(buildah: Buildah) -> None:
    before = f"{BASE}ARG ID=x\nUSER 7\nRUN true\n"
    after = before.replace("RUN true", "RUN --mount=type=cache,id=$ID,target=/c,uid=7,mode=0700 true > /c/a")
    result = cache_mounts(buildah.side(before), buildah.side(after), token=MARK)
    assert result.state is State.KEPT, result
