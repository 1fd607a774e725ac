"""`dockfix apply --split`: a patch for each fix, each on top of the one before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dockfix.engine.session import run_paths
from dockfix.engine.settings import Settings
from dockfix.engine.steps import Recorder, steps
from dockfix.output.patches import patches
from dockfix.output.plain import UNPRINTABLE
from dockfix.syntax.source import encode
from tests.cli.conftest import Run
from tests.output.format_samples import GOLDEN, HOSTILE, NAMES, REGISTRY, golden_runs, hostile_text


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def apply_patches(folder: Path, files: list[Path], *, git: bool) -> None:
    for patch in files:
        arguments = ["git", "apply", str(patch)] if git else ["patch", "-p1", "-s", "--fuzz=0", "-i", str(patch)]
        subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


def test_the_patches_in_order_are_what_apply_does(dockfix: Run, project: Path, tmp_path: Path) -> None:
    (project / "Dockerfile").write_bytes(b'FROM a as b\nFROM c as d\nWORKDIR x\nWORKDIR y\r\nCMD ["\xff"]')
    (project / "my files").mkdir()
    (project / "my files" / "Dockerfile.\u00e9").write_bytes(b"FROM a as b\n")
    before = snapshot(project)
    out = tmp_path / "patches"
    done = dockfix("apply", "--unsafe", "--split", str(out))
    assert done.returncode == 1
    assert "wrote 5 patches to ../patches; `git apply ../patches/*.patch` applies them in" in done.stderr.decode()
    assert snapshot(project) == before
    found = sorted(out.iterdir())
    assert [path.name[:12] for path in found] == [
        f"{number:04}-{'from-as' if number in (1, 2, 5) else 'workdir-abs'}"[:12] for number in range(1, 6)
    ]
    first = found[0].read_text(encoding="utf-8").split("\n\n")[0]
    assert first.split("\n") == [
        "dockfix 1/5: Dockerfile:1",
        "Rule: from-as (info)",
        "Message: `as` in lower case",
        "Safety: safe",
        "Help: it is neater",
    ]
    copies = {git: tmp_path / f"copy-{git}" for git in (True, False)}
    for git, copy in copies.items():
        shutil.copytree(project, copy)
        shutil.rmtree(copy / ".git")
        apply_patches(copy, found, git=git)
    assert dockfix("apply", "--unsafe").returncode == 0
    assert snapshot(copies[True]) == snapshot(copies[False]) == snapshot(project) != before


def test_safe_fixes_only_by_default_and_nothing_to_do(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a as b\nWORKDIR x\n")
    assert dockfix("apply", "--split", "out").returncode == 1
    assert [path.name for path in (project / "out").iterdir()] == ["0001-from-as-Dockerfile.patch"]
    (project / "Dockerfile").write_bytes(b"FROM a\n")
    assert dockfix("apply", "--split", "none").returncode == 0
    assert not (project / "none").exists()


@pytest.mark.parametrize("name", ["", "Dockerfile", "full", "no/such"])
def test_folders_that_cannot_be(dockfix: Run, project: Path, name: str) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a as b\n")
    (project / "full").mkdir()
    (project / "full" / "kept").touch()
    done = dockfix("apply", "--split", name)
    assert (done.returncode, b"--split: " in done.stderr) == (2, True)
    assert sorted(snapshot(project)) == ["Dockerfile", "full/kept"]


@pytest.mark.parametrize("other", ["--diff", "--check", "--interactive", "--prove", "-"])
def test_options_that_cannot_be_combined(dockfix: Run, project: Path, other: str) -> None:
    done = dockfix("apply", "--split", "out", other, stdin=b"FROM a as b\n")
    assert (done.returncode, b"--split cannot be combined" in done.stderr) == (2, True)
    assert not (project / "out").exists()


def test_an_empty_folder_is_used_and_keeps_its_mode(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a as b\n")
    (project / "out").mkdir(mode=0o750)
    assert dockfix("apply", "--split", "out").returncode == 1
    assert (project / "out").stat().st_mode & 0o777 == 0o750
    assert len(list((project / "out").iterdir())) == 1
    assert not [path for path in project.iterdir() if path.name.startswith(".dockfix")]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.md")), ids=lambda path: path.stem)
def test_the_steps_of_golden_cases(path: Path) -> None:
    """Each step begins where the last one ended, all of them give the result, and none is without its fix."""
    recorder = Recorder()
    for case, run in golden_runs(path, fix=True, accept=recorder):
        texts: dict[Path, str | None] = {file.real: None if file.created else file.before for file in run.files}
        found = list(steps(run, recorder))
        for step in found:
            assert step.found is not None, case
            assert step.changes
            for real, (before, after) in step.changes.items():
                assert texts[real] == before, case
                texts[real] = after
        assert {file.real: file.text for file in run.changed} == {
            file.real: texts[file.real] for file in run.changed
        }, case
        assert len(found) == run.applied, case
        recorder.asked.clear()


@pytest.mark.parametrize("rule", ["uid-map", "postgres-extension", "copy-from-context", "local-base-image"])
def test_the_patches_of_fixes_of_several_files(rule: str, tmp_path: Path) -> None:
    recorder = Recorder()
    for number, (case, run) in enumerate(golden_runs(GOLDEN / f"{rule}.md", fix=True, accept=recorder)):
        made = patches(list(steps(run, recorder)), run.workspace)
        recorder.asked.clear()
        for git in (True, False):
            folder = tmp_path / f"{number}-{git}"
            case.write(folder)
            for name, data in made:
                (tmp_path / name).write_bytes(data)
            apply_patches(folder, [tmp_path / name for name, _ in made], git=git)
            for file in run.changed:
                assert (folder / file.display).read_bytes() == encode(file.text), case


def test_a_fix_that_creates_a_file_is_one_patch(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nLABEL both=1\n")
    recorder = Recorder()
    run = run_paths([root], Settings(), root=root, registry=REGISTRY, write=False, accept=recorder)
    ((name, data),) = patches(list(steps(run, recorder)), run.workspace)
    (tmp_path / name).write_bytes(data)
    for git in (True, False):
        folder = tmp_path / f"copy-{git}"
        folder.mkdir()
        shutil.copy(root / "Dockerfile", folder)
        apply_patches(folder, [tmp_path / name], git=git)
        assert snapshot(folder) == {"Dockerfile": b"FROM scratch\nLABEL done=1\n", "new": b"1\n"}


def test_headers_and_names_are_escaped(tmp_path: Path) -> None:
    """A patch of a file with a hostile name and content applies, and its header is one line for each part."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    name = os.fsdecode(NAMES[1])
    (root / name).write_bytes(hostile_text().encode("utf-8", "surrogateescape"))
    recorder = Recorder()
    run = run_paths([root / name], Settings(), root=root, registry=REGISTRY, write=False, accept=recorder)
    made = patches(list(steps(run, recorder)), run.workspace)
    assert len(made) == run.applied > len(HOSTILE) - 2
    folder = tmp_path / "copy"
    folder.mkdir()
    shutil.copy(root / name, folder)
    for patch, data in made:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", patch)
        header = data.decode("utf-8", "surrogateescape").split("\n\n")[0]
        assert re.fullmatch(r"dockfix \d+/\d+: .*\nRule: .*\nMessage: .*\nSafety: safe\nHelp: .*", header)
        assert {match[0] for match in UNPRINTABLE.finditer(header)} == {"\n"}
        (tmp_path / patch).write_bytes(data)
        apply_patches(folder, [tmp_path / patch], git=True)
    assert (folder / name).read_bytes() == encode(run.files[0].text)
