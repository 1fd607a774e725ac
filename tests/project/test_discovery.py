"""Which files a search finds and skips; nothing on the disk stops or traps it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockfix.project.discovery import discover, is_dockerfile_name


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile", "Dockerfile.prod", "Dockerfile.3.11-slim", "api.Dockerfile", "api.dockerfile", "dockerfile",
        "Containerfile", "Containerfile.dev", "Containerfile-dev", "Dockerfile.python", "Dockerfile.build",
        ".dockerfile",
    ],
)  # fmt: skip
def test_names_of_dockerfiles(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dockerignore", "api.Dockerfile.dockerignore", "Containerfile.containerignore", "Dockerfile~",
        "Dockerfile.swp", ".Dockerfile.swp", "Dockerfile.orig", "Dockerfile.bak", "Dockerfile.rej", "Dockerfile.j2",
        "Dockerfile.prod.j2", "Dockerfile.tmpl", "Dockerfile.in", "Dockerfile.erb", "Dockerfile.md", "Dockerfile.txt",
        "Dockerfile.yml", "Dockerfile.YAML", "Dockerfile.json", "Dockerfile.sh", "Dockerfile.py", ".#api.Dockerfile",
        "#api.Dockerfile#", "Dockerfiles", "Dockerfile-prod", "dockerfile.prod", "DOCKERFILE", "MyDockerfile", "README",
        "Dockerfile.", "",
    ],
)  # fmt: skip
def test_names_of_other_files(name: str) -> None:
    assert not is_dockerfile_name(name)


def make(root: Path, *names: str, text: str = "FROM scratch\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(root: Path, *paths: str, exclude: tuple[str, ...] = (), respect_gitignore: bool = True) -> list[str]:
    found, problems = discover(
        [root / path for path in paths or ["."]], root=root, exclude=exclude, respect_gitignore=respect_gitignore
    )
    assert problems == []
    return [file.path.relative_to(root).as_posix() for file in found]


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b/Dockerfile", "a/x.Dockerfile", "a/Dockerfile", "Dockerfile", "a/b/c/Containerfile", "notes")
    expected = ["Dockerfile", "a/Dockerfile", "a/x.Dockerfile", "a/b/c/Containerfile", "b/Dockerfile"]
    assert names(tmp_path) == expected


def test_a_named_file_is_taken_whatever_it_is(tmp_path: Path) -> None:
    make(tmp_path, "image.txt", "node_modules/Dockerfile", "ignored/Dockerfile")
    make(tmp_path, ".gitignore", text="ignored\n*.txt\n")
    asked = ("image.txt", "node_modules/Dockerfile", "ignored/Dockerfile")
    assert names(tmp_path, *asked, exclude=("image.txt",)) == list(asked)
    found, _ = discover([tmp_path / "image.txt"], root=tmp_path)
    assert found[0].explicit


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a/Dockerfile")
    (tmp_path / "a" / "Dockerfile.link").symlink_to("Dockerfile")
    assert names(tmp_path, "a/Dockerfile", "a", ".", "a/../a") == ["a/Dockerfile"]


def test_folders_of_tools_are_skipped(tmp_path: Path) -> None:
    skipped = [".git", "node_modules", ".venv", "venv", "__pycache__", ".tox", "dist", ".hg", "site-packages"]
    make(tmp_path, *(f"x/{name}/Dockerfile" for name in skipped), "build/Dockerfile", ".devcontainer/Dockerfile")
    assert names(tmp_path) == [".devcontainer/Dockerfile", "build/Dockerfile"]


def test_gitignore_files_hold_for_their_folder(tmp_path: Path) -> None:
    make(
        tmp_path,
        "Dockerfile",
        "out/Dockerfile",
        "a/Dockerfile",
        "a/out/Dockerfile",
        "a/b/Dockerfile.gen",
        "b/Dockerfile.gen",
    )
    make(tmp_path, ".gitignore", text="\ufeff# c\n/out/\n*.gen\n[bad\n")
    make(tmp_path, "a/.gitignore", text="!*.gen\nDockerfile\n")
    assert names(tmp_path) == ["Dockerfile", "a/b/Dockerfile.gen"]
    assert names(tmp_path, "a") == ["a/b/Dockerfile.gen"]
    assert len(names(tmp_path, respect_gitignore=False)) == 6


def test_an_ignored_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    make(tmp_path, "out/Dockerfile", "out/deep/Dockerfile")
    make(tmp_path, ".gitignore", text="out/\n")
    assert names(tmp_path) == []
    assert names(tmp_path, "out") == ["out/Dockerfile", "out/deep/Dockerfile"]


def test_exclude(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile", "legacy/Dockerfile", "a/legacy/Dockerfile", "a/Dockerfile.old1")
    make(tmp_path, ".gitignore", text="!legacy\n")
    assert names(tmp_path, exclude=("/legacy", "*.old1")) == ["Dockerfile", "a/legacy/Dockerfile"]


def test_a_search_loads_no_parser(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile")
    code = (
        "import sys, pathlib; from dockfix.project.discovery import discover; root = pathlib.Path(sys.argv[1]);"
        "assert len(discover([root], root=root)[0]) == 1; assert 'ruamel.yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_symlinks(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(tmp_path, "outside/Dockerfile", "root/real/image", "root/folder/Dockerfile")
    (root / "a.Dockerfile").symlink_to("real/image")
    (root / "b.Dockerfile").symlink_to("../outside/Dockerfile")
    (root / "c.Dockerfile").symlink_to("nowhere")
    (root / "d.Dockerfile").symlink_to("d.Dockerfile")
    (root / "e").symlink_to("folder")
    (root / "f").symlink_to(".")
    (root / "g.Dockerfile").symlink_to("folder")
    found, problems = discover([root], root=root)
    assert [file.path.name for file in found] == ["a.Dockerfile", "Dockerfile"]
    assert [(Path(problem.path).name, problem.message) for problem in problems] == [
        ("b.Dockerfile", "is a symlink that leaves the project root; not followed"),
        ("c.Dockerfile", "is a symlink to a file that does not exist"),
        ("d.Dockerfile", "is a symlink that leads back to itself"),
    ]


def test_missing_paths_do_not_stop_the_rest(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile")
    (tmp_path / "loop").symlink_to("loop")
    paths = [
        tmp_path / "missing",
        tmp_path / "loop",
        tmp_path / "a\0b",
        tmp_path / "Dockerfile" / "x",
        tmp_path / "Dockerfile",
    ]
    found, problems = discover(paths, root=tmp_path)
    assert [file.path.name for file in found] == ["Dockerfile"]
    assert [problem.message for problem in problems] == [
        "does not exist",
        "is a symlink that leads back to itself",
        "is not a possible file name",
        "cannot be read: not a directory",
    ]


def test_an_unreadable_folder_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "Dockerfile", "secret/Dockerfile")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found, problems = discover([tmp_path], root=tmp_path)
    assert [file.path.name for file in found] == ["Dockerfile"]
    assert [problem.message for problem in problems] == ["cannot be searched: permission denied"]


def test_any_depth_is_searched(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 100
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        Path("Dockerfile").touch()
        found, problems = discover([tmp_path], root=tmp_path)
        Path("Dockerfile").unlink()
        for _ in range(depth):  # pytest's own clean-up would recurse too deeply
            os.chdir("..")
            Path("d").rmdir()
    finally:
        os.chdir(here)
    assert [len(file.path.relative_to(tmp_path).parts) for file in found] == [depth + 1]
    assert problems == []


def test_a_pipe_is_found_but_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    os.mkfifo(tmp_path / ".gitignore")
    assert names(tmp_path) == ["Dockerfile"]
