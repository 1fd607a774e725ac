"""Texts that list cache mounts, and what the cache mount scenario shows."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from dockfix.facts.model import Refused
from dockfix.project.target import target_from_text
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Dockerfile, Run
from dockfix.verify.cache_mounts import cache_mounts
from dockfix.verify.model import BuildOutcome, State, Step
from dockfix.verify.mounts import Probe, missing_text, new_cache_mounts, probe_text, read_probe, sweep_text, told_all
from dockfix.verify.scenarios import ScenarioResult, Side
from tests.conftest import RequireTool
from tests.verify.layers import Layers, Tool

MARK: Final = "t"

BEFORE = """FROM python:3.12
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["python", "app.py"]
"""
AFTER = BEFORE.replace("RUN pip install --no-cache-dir", "RUN --mount=type=cache,target=/root/.cache/pip pip install")


def last_run(dockerfile: Dockerfile) -> Run:
    return [node for node in dockerfile.instructions if isinstance(node, Run)][-1]


def texts(text: str, token: str = f"{MARK}0") -> tuple[str, str, str]:
    dockerfile = parse(text)
    run = last_run(dockerfile)
    return missing_text(dockerfile, run, token), probe_text(dockerfile, run, token), sweep_text(dockerfile, run, token)


class TestTexts:
    def test_the_text_ends_after_the_run(self) -> None:
        assert texts(AFTER)[0] == (
            "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\n"
            "ARG DOCKFIX_MISS\n"
            "RUN --mount=id=dockfix-verify-t0-root-.cache-pip,type=cache,target=/root/.cache/pip "
            "pip install -r requirements.txt\n"
        )

    def test_an_id_is_replaced_and_keeps_its_variables(self) -> None:
        missing, probe, _ = texts("FROM x\nRUN --mount=type=cache,id=npm-$TARGETARCH,target=/c npm ci")
        assert missing.endswith("RUN --mount=type=cache,id=dockfix-verify-t0-npm-$TARGETARCH,target=/c npm ci\n")
        assert "RUN --mount=id=dockfix-verify-t0-npm-$TARGETARCH,type=cache,target=/c " in probe

    def test_the_layout_of_the_run_is_kept(self) -> None:
        text = (
            "# escape=\\\r\nFROM x\r\n# why\r\n"
            "  RUN --mount=type=cache,target=/a,sharing=locked \\\r\n"
            "    # comment\r\n"
            "    --mount=type=cache,target=/b <<EOF\r\nmake\r\nEOF\r\nCOPY . .\r\n"
        )
        missing = texts(text)[0]
        assert missing == (
            "# escape=\\\r\nFROM x\r\n# why\r\nARG DOCKFIX_MISS\r\n"
            "  RUN --mount=id=dockfix-verify-t0-a,type=cache,target=/a,sharing=locked \\\r\n"
            "    # comment\r\n"
            "    --mount=id=dockfix-verify-t0-b,type=cache,target=/b <<EOF\r\nmake\r\nEOF\r\n"
        )

    def test_keywords_have_the_case_of_the_file(self) -> None:
        for text in texts("from x\nrun --mount=type=cache,target=/a make")[:3]:
            assert {node.keyword.text for node in parse(text).instructions} <= {"from", "run", "arg", "user"}

    @pytest.mark.parametrize(
        "run",
        [
            "RUN --mount=type=cache,target=/a make",
            'RUN --mount=type=cache,target=/a ["make", "all"]',
            "RUN --mount=type=cache,target=$HOME/.cache --mount=type=secret,id=x make",
            "RUN --mount=type=cache,target=/a <<EOF\nmake\nEOF",
            "RUN --network=none --mount=type=cache,uid=7,target=/a,sharing=private,mode=0755 make && \\\n  make all",
        ],
    )
    def test_the_texts_can_be_built(self, run: str) -> None:
        for text in texts(f"FROM x\nUSER app\n{run}"):
            dockerfile = parse(text)
            assert dockerfile.ok
            runs = [node for node in dockerfile.instructions if isinstance(node, Run)]
            targets = [[each.target for each in node.mounts if each.kind == "cache"] for node in runs]
            ids = [each.get("id") or "" for node in runs for each in node.mounts if each.kind == "cache"]
            assert all(each.startswith("dockfix-verify-t0-") for each in ids)
            assert all(each[0] == targets[0][0] for each in targets)

    def test_the_probe_mounts_what_the_run_mounts_and_no_more(self) -> None:
        probe = last_run(
            parse(texts("FROM x\nRUN --mount=type=cache,uid=7,target=/a --mount=type=secret,id=s make")[1])
        )
        assert [(each.kind, each.target, each.get("uid")) for each in probe.mounts] == [
            ("cache", "/a", "7"), ("cache", "/dockfix-verify", None),
        ]  # fmt: skip

    def test_the_probe_does_not_lock(self) -> None:
        """buildah 1.28 never releases the first of two locked mounts of a RUN."""
        probe = last_run(parse(texts("FROM x\nRUN --mount=type=cache,target=/a,sharing=locked make")[1]))
        assert all(each.get("sharing") is None for each in probe.mounts)

    @pytest.mark.parametrize(
        "mount", ['type=cache,"target=/a b"', "type=cache,target=/a;rm", "type=cache,target=/a`x`"]
    )
    def test_targets_that_a_shell_would_read_otherwise_are_refused(self, mount: str) -> None:
        with pytest.raises(Refused):
            texts(f"FROM x\nRUN --mount={mount} make")


class TestNewMounts:
    def names(self, before: str, after: str, stage: str | None = None) -> list[tuple[int, list[str | None], bool]]:
        return [
            (each.run.start_line, [mount.target for mount in each.mounts], each.before is not None)
            for each in new_cache_mounts(target_from_text(before), target_from_text(after), stage)
        ]

    def test_only_new_mounts_count(self) -> None:
        assert self.names(BEFORE, AFTER) == [(4, ["/root/.cache/pip"], True)]
        assert self.names(AFTER, AFTER) == []

    def test_a_mount_with_another_target_or_id_is_new(self) -> None:
        assert self.names(AFTER, AFTER.replace("/root/.cache/pip", "/cache")) == [(4, ["/cache"], True)]
        assert self.names(AFTER, AFTER.replace("type=cache", "type=cache,id=pip")) == [(4, ["/root/.cache/pip"], True)]

    def test_another_spelling_of_the_same_mount_is_not_new(self) -> None:
        spelled = AFTER.replace(
            "type=cache,target=/root/.cache/pip", "target=/root/.cache/pip/,type=cache,sharing=locked"
        )
        assert self.names(AFTER, spelled) == []
        given = AFTER.replace("WORKDIR", "ENV C=/root/.cache\nWORKDIR").replace("/root/.cache/pip", "$C/pip")
        assert self.names(AFTER, given) == []

    def test_the_run_before_is_the_most_similar_one(self) -> None:
        before = "FROM x\nRUN npm ci\nRUN pip install a b c\n"
        after = (
            "FROM x\nRUN --mount=type=cache,target=/p pip install a b c d\nRUN --mount=type=cache,target=/n npm ci\n"
        )
        found = list(new_cache_mounts(target_from_text(before), target_from_text(after), None))
        assert [each.before.text.text if each.before else "" for each in found] == ["pip install a b c", "npm ci"]

    def test_a_new_run_has_none_before(self) -> None:
        assert self.names("FROM x\nRUN npm ci\n", "FROM x\nRUN --mount=type=cache,target=/p make all\n") == [
            (2, ["/p"], False)
        ]

    def test_stages_that_are_not_built_do_not_count(self) -> None:
        tail = "FROM y AS last\nRUN make\n"
        assert self.names(BEFORE + tail, AFTER + tail) == []
        before, after = (text.replace("3.12", "3.12 AS first") + tail for text in (BEFORE, AFTER))
        assert len(self.names(before, after, "first")) == 1


SHELLS: Final = [["sh", "-c"], ["bash", "-euxo", "pipefail", "-c"], ["busybox", "sh", "-c"]]


@pytest.fixture
def shell(request: pytest.FixtureRequest, require_tool: RequireTool) -> list[str]:
    """One of the shells, by the path of its program."""
    name, *options = request.param
    return [str(require_tool(name)), *options]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0], indirect=True)
class TestProbeScript:
    """The script of the probe, in the shells of common images, with `errexit` and the like."""

    def probe(self, shell: list[str], text: str, folders: Mapping[str, Path], miss: str = "") -> str:
        script = last_run(parse(text)).text.text
        for name, folder in folders.items():
            script = script.replace(name, str(folder))
        env = {**os.environ, "DOCKFIX_MISS": miss}
        if "busybox" in shell[0]:
            env["PATH"] = str(self.applets(folders["/dockfix-verify"]))
        argv = [*shell, script]
        return subprocess.run(argv, capture_output=True, text=True, check=True, env=env).stdout

    def test_a_probe_that_is_asked_again_tells_the_same(self, shell: list[str], tmp_path: Path) -> None:
        folders = {"/CACHE": tmp_path / "cache", "/dockfix-verify": tmp_path / "lists"}
        for folder in folders.values():
            folder.mkdir()
        (tmp_path / "cache/one").write_text("1")
        text = texts("FROM x\nRUN --mount=type=cache,target=/CACHE make")[1]
        first = self.probe(shell, text, folders, "t0n1")
        assert told_all(first, "t0")
        (tmp_path / "cache/two").write_text("2")
        assert self.probe(shell, text, folders, "t0n1") == first
        second = read_probe(self.probe(shell, text, folders, "t0n2"), "t0", 0)
        assert second is not None
        assert (second.files, second.names) == (2, (f"{tmp_path}/cache/two",))

    def applets(self, folder: Path) -> Path:
        """A folder with the programs of busybox only."""
        found = folder.with_name("applets")
        if not found.exists():
            found.mkdir()
            subprocess.run(["busybox", "--install", "-s", str(found)], check=True)
        return found

    def test_new_files_are_named_once(self, shell: list[str], tmp_path: Path) -> None:
        cache, lists = tmp_path / "cache", tmp_path / "lists"
        lists.mkdir()
        (cache / "a b/.hidden").mkdir(parents=True)
        (cache / "a b/.hidden/one file").write_text("1" * 5000)
        (cache / "two").write_text("2")
        (cache / "link").symlink_to("two")
        (cache / "loop").symlink_to(".")
        text, folders = texts("FROM x\nRUN --mount=type=cache,target=/CACHE make")[1], {"/CACHE": cache}
        folders["/dockfix-verify"] = lists
        first = read_probe(self.probe(shell, text, folders, "t0n1"), "t0", 0)
        assert first is not None
        assert (first.files, first.added) == (2, 2)
        assert first.names == (f"{cache}/a b/.hidden/one file", f"{cache}/two")
        assert 5000 < first.size < 100_000
        (cache / "three").write_text("3")
        (cache / "two").unlink()
        second = read_probe(self.probe(shell, text, folders, "t0n2"), "t0", 0)
        assert second is not None
        assert (second.files, second.added, second.names) == (2, 1, (f"{cache}/three",))

    def test_two_mounts_one_of_them_empty(self, shell: list[str], tmp_path: Path) -> None:
        folders = {"/ONE": tmp_path / "one", "/TWO": tmp_path / "two", "/dockfix-verify": tmp_path / "lists"}
        for folder in folders.values():
            folder.mkdir()
        for number in range(300):
            (tmp_path / f"two/{number}").write_text("")
        text = texts("FROM x\nRUN --mount=type=cache,target=/ONE --mount=type=cache,target=/TWO make")[1]
        log = self.probe(shell, text, folders)
        one, two = read_probe(log, "t0", 0), read_probe(log, "t0", 1)
        assert one is not None
        assert two is not None
        assert (one.files, one.added, one.names) == (0, 0, ())
        assert (two.files, two.added, len(two.names)) == (300, 300, 200)

    def test_the_sweep_leaves_nothing(self, shell: list[str], tmp_path: Path) -> None:
        folders = {"/CACHE": tmp_path / "cache", "/dockfix-verify": tmp_path / "lists"}
        for folder in folders.values():
            (folder / "a").mkdir(parents=True)
            (folder / ".b").write_text("")
        self.probe(shell, texts("FROM x\nRUN --mount=type=cache,target=/CACHE make")[2], folders)
        assert [list(folder.iterdir()) for folder in folders.values()] == [[], []]


def test_a_probe_is_read_from_the_output_of_a_builder() -> None:
    log = (
        '#9 [4/4] RUN echo "$m-t0 0 files $(($(wc -l < $d/0.old))) added"\n'
        "#9 0.512 dockfix-t0 0 files 3 added 2 size 12\n"
        "#9 0.513 dockfix-t0 0 name /c/a\n"
        "#9 0.513 dockfix-t0 0 name /c/b c\n"
        "#9 0.513 dockfix-t0 1 files 0 added 0 size \n"
    )
    assert read_probe(log, "t0", 0) == Probe(3, 12 * 1024, 2, ("/c/a", "/c/b c"))
    assert read_probe(log, "t0", 1) == Probe(0, 0, 0, ())
    assert read_probe(log, "t0", 2) is None
    assert read_probe(log, "t01", 0) is None


def fill(*names: str) -> Tool:
    """A tool that keeps the same files in each run."""
    return lambda files: files.update(names)


def grow(count: int) -> Tool:
    """A tool that adds files of new names in each run."""
    return lambda files: files.update([f"new{len(files) + number}" for number in range(count)])


class TestScenario:
    def tried(self, layers: Layers, context: Path, before: str = BEFORE, after: str = AFTER) -> ScenarioResult:
        (context / "requirements.txt").write_text("flask\n")
        return cache_mounts(layers.side(before, context), layers.side(after, context), token=MARK)

    def test_a_mount_that_fills_and_is_used(self, tmp_path: Path) -> None:
        layers = Layers(tools={"pip": fill("http/a", "http/b", "selfcheck/x")})
        result = self.tried(layers, tmp_path)
        assert result.state is State.KEPT
        assert result.evidence[0] == (
            "line 4: `/root/.cache/pip` holds 2 files (0.3 MB) after the first run; "
            "a second run, whose layer is not cached, adds none"
        )
        assert [each.what for each in result.measurements] == [
            "rebuild of the RUN of line 4 with an empty cache mount",
            "rebuild of the RUN of line 4 with a filled cache mount",
            "files in the cache mount /root/.cache/pip of line 4",
            "size of the cache mount /root/.cache/pip of line 4",
        ]
        assert (result.measurements[0].before, result.measurements[0].after) == ((10.0,), (10.0,))
        assert result.measurements[2].after == (3,)

    def test_lines_are_those_of_the_file_before_the_fixes(self, tmp_path: Path) -> None:
        after = AFTER.replace("WORKDIR /app\n", "WORKDIR /app\nENV A=1\n").replace(
            "COPY . .\n", "COPY . .\nRUN --mount=type=cache,target=/root/.cache/pip pip install b\n"
        )
        layers = Layers(tools={"pip": fill("http/a")})
        result = self.tried(layers, tmp_path, BEFORE.replace("COPY . .\n", "COPY . .\nRUN pip install b\n"), after)
        assert {line.partition(":")[0] for line in result.evidence} == {"line 4", "line 6"}
        labels = [each.what for each in result.measurements]
        assert len(set(labels)) == len(labels) == 8
        result = self.tried(Layers(), tmp_path, "FROM python:3.12\nWORKDIR /app\n", after)
        places = {line.partition(":")[0] for line in result.evidence}
        assert places == {"line 5 after the fixes", "line 7 after the fixes"}

    def test_nothing_is_left_in_the_mounts(self, tmp_path: Path) -> None:
        layers = Layers(tools={"pip": fill("a")})
        self.tried(layers, tmp_path)
        assert layers.mounts == {}

    def test_the_mounts_of_the_user_are_not_touched(self, tmp_path: Path) -> None:
        layers = Layers(tools={"pip": fill("a")})
        layers.mounts = {"/root/.cache/pip": {"mine"}, "pip": {"mine, too"}}
        self.tried(layers, tmp_path, AFTER, AFTER.replace("type=cache", "type=cache,id=pip"))
        assert layers.mounts == {"/root/.cache/pip": {"mine"}, "pip": {"mine, too"}}

    def test_a_tool_that_keeps_nothing(self, tmp_path: Path) -> None:
        result = self.tried(Layers(), tmp_path)
        assert result.state is State.NOT_SHOWN
        assert "`/root/.cache/pip` holds no downloads after two runs" in result.evidence[0]
        assert "cache headers" in result.evidence[0]

    def test_locks_and_logs_are_no_downloads(self, tmp_path: Path) -> None:
        result = self.tried(Layers(tools={"pip": fill("lock", "x.log", "selfcheck/y")}), tmp_path)
        assert result.state is State.NOT_SHOWN
        assert "holds no downloads" in result.evidence[0]

    def test_a_mount_that_is_not_used(self, tmp_path: Path) -> None:
        result = self.tried(Layers(tools={"pip": grow(3)}), tmp_path)
        assert result.state is State.BROKEN
        assert "a second run adds 3 files more, such as /root/.cache/pip/new3" in result.evidence[0]

    def test_a_few_more_files_decide_nothing(self, tmp_path: Path) -> None:
        def tool(files: set[str]) -> None:
            files.update({"late"} if files else map(str, range(9)))

        result = self.tried(Layers(tools={"pip": tool}), tmp_path)
        assert result.state is State.NOT_SHOWN
        assert "adds 1 file more" in result.evidence[0]

    def test_a_run_that_fails_only_with_its_mount(self, tmp_path: Path) -> None:
        layers = Layers(fails=lambda text, _: "Permission denied" if "--mount" in text and "pip" in text else "")
        result = self.tried(layers, tmp_path)
        assert result.state is State.BROKEN
        assert "Permission denied" in result.evidence[0]

    def test_a_run_that_fails_before_too(self, tmp_path: Path) -> None:
        layers = Layers(fails=lambda text, _: "no network" if "pip" in text else "")
        result = self.tried(layers, tmp_path)
        assert result.state is State.NOT_SHOWN
        assert "no network" in result.evidence[0]

    def test_an_image_without_a_shell(self, tmp_path: Path) -> None:
        layers = Layers(fails=lambda text, _: "exec: /bin/sh: not found" if "grep -vxF" in text else "")
        result = self.tried(layers, tmp_path)
        assert result.state is State.NOT_SHOWN
        assert "cannot be listed" in result.evidence[0]

    def test_output_that_is_lost_is_asked_for_again(self, tmp_path: Path) -> None:
        whole = self.tried(Layers(tools={"pip": grow(3)}), tmp_path)
        layers = Layers(clipped=3, tools={"pip": grow(3)})
        assert self.tried(layers, tmp_path) == whole
        assert layers.clipped == 0
        assert whole.evidence[0].endswith("such as /root/.cache/pip/new3")

    def test_output_that_is_always_lost(self, tmp_path: Path) -> None:
        side = Layers(tools={"pip": fill("a")}).side(AFTER, tmp_path)

        def silent(
            text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, **_: bool
        ) -> BuildOutcome:
            return replace(side.build(text, args=args, last_stage=last_stage), log="")

        (tmp_path / "requirements.txt").write_text("flask\n")
        result = cache_mounts(
            Side(target_from_text(BEFORE), tmp_path, silent), Side(side.target, tmp_path, silent), token=MARK
        )
        assert result.state is State.NOT_SHOWN
        assert "output does not show" in result.evidence[0]

    def test_a_builder_that_does_not_miss_the_layer(self, tmp_path: Path) -> None:
        layers = Layers(tools={"pip": fill("a")})
        after = layers.side(AFTER, tmp_path)

        def build(
            text: str, *, args: Mapping[str, str] | None = None, last_stage: bool = False, **_: bool
        ) -> BuildOutcome:
            outcome = after.build(text, args={}, last_stage=last_stage)
            return BuildOutcome(outcome.ok, 1.0, tuple(Step(step.text, True) for step in outcome.steps), outcome.log)

        (tmp_path / "requirements.txt").write_text("flask\n")
        result = cache_mounts(layers.side(BEFORE, tmp_path), Side(after.target, tmp_path, build), token=MARK)
        assert result.state is State.NOT_SHOWN
        assert "took the RUN from its cache" in result.evidence[0]

    def test_one_mount_that_serves_the_run_suffices_but_each_run_needs_one(self, tmp_path: Path) -> None:
        both = "RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/empty pip install x\n"
        before = "FROM x\nRUN pip install x\nRUN npm ci\n"
        layers = Layers(tools={"pip": lambda files: files.add("a")})
        result = self.tried(layers, tmp_path, before, f"FROM x\n{both}RUN npm ci\n")
        assert result.state is State.KEPT
        result = self.tried(layers, tmp_path, before, f"FROM x\n{both}RUN --mount=type=cache,target=/npm npm ci\n")
        assert result.state is State.NOT_SHOWN
