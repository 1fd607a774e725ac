"""The output of earlier runs: the same in every format, never of files that have changed since, and harmless."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from dockfix.cli import main
from dockfix.cli.checking import Format
from dockfix.engine import session
from dockfix.testing import load_cases

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    cases[0]
    for path in sorted((ROOT / "golden").glob("*.md"))
    if (cases := [case for case in load_cases(path) if case.dockerfiles])
]
DOCKERFILE = """\
FROM node:22-alpine
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN apk update && apk add --no-cache git
"""
COMPOSE = """\
services:
  web:
    build:
      context: .
      args:
        TOKEN: ${TOKEN}
  job:
    build: ./job
"""
HIDDEN = "correct-horse-battery"
Result = tuple[int, str, str]
Check = Callable[..., Result]


class Runs:
    """Counts the runs that were not replayed."""

    count = 0


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    found = Runs()
    for name in ("check_paths", "run_paths"):
        function = getattr(session, name)

        def counted(*arguments: object, function: Callable[..., object] = function, **options: object) -> object:
            found.count += 1
            return function(*arguments, **options)

        monkeypatch.setattr(session, name, counted)
    return found


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DOCKFIX_NO_CACHE")
    monkeypatch.setenv("DOCKFIX_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def web(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two Dockerfiles, a compose file and files that rules read."""
    (project / "job").mkdir()
    files = {
        "Dockerfile": DOCKERFILE,
        "job/Dockerfile": "FROM debian:12\nRUN apt-get update && apt-get install -y curl\n",
        "compose.yaml": COMPOSE,
        ".env": f"TOKEN={HIDDEN}\n",
        "package.json": '{"name": "web", "version": "1.0.0"}\n',
        "package-lock.json": "{}\n",
        "notes.txt": "nothing\n",
    }
    for name, text in files.items():
        (project / name).write_text(text)
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str]) -> Check:
    def run(*arguments: str, command: str = "check") -> Result:
        code = main([command, *arguments])
        return code, *capfd.readouterr()

    return run


@pytest.mark.parametrize("form", [*Format, None])
def test_every_format_is_the_same(web: Path, check: Check, runs: Runs, form: Format | None) -> None:
    options = [] if form is None else ["--format", form.value]
    without = check("--no-cache", *options)
    cold = check(*options)
    assert runs.count == 2
    assert check(*options) == cold == without
    assert runs.count == 2
    assert without[1]


def test_the_example_is_the_same(tmp_path: Path, check: Check, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples" / "audit", tmp_path / "audit")
    (tmp_path / "audit" / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "audit")
    for options in (["-v"], ["--format", "json"], ["--preset", "all", "--format", "sarif"]):
        runs.count = 0
        without = check("--no-cache", *options)
        assert check(*options) == check(*options) == without
        assert runs.count == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_the_golden_cases_are_the_same(
    project: Path, check: Check, runs: Runs, case: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = case.files  # type: ignore[attr-defined]
    for name, file in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    monkeypatch.chdir(project)
    options = ("--rule", case.path.stem, "--format", "json", "--no-config")  # type: ignore[attr-defined]
    cold = check(*options)
    assert check(*options) == cold == check(*options, "--no-cache")
    assert runs.count == 2
    changed = project / case.dockerfiles[0]  # type: ignore[attr-defined]
    changed.write_bytes(changed.read_bytes() + b"\n# a comment\n")
    now = check(*options)
    assert runs.count == 3
    assert now == check(*options, "--no-cache")


def _write(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return change


def _same_size_and_time(root: Path) -> None:
    """Another text of the same length, with the times of the old one."""
    path = root / "Dockerfile"
    before = path.stat()
    path.write_text(DOCKERFILE.replace("apk update", "apk search"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def _link(root: Path) -> None:
    (root / "package.json").unlink()
    (root / "package.json").symlink_to("package-lock.json")


CHANGES: dict[str, Callable[[Path], None]] = {
    "a Dockerfile": _write("Dockerfile", DOCKERFILE + "RUN apt install curl\n"),
    "the same size and time": _same_size_and_time,
    "another Dockerfile": _write("job/Dockerfile", "FROM debian\n"),
    "a new Dockerfile": _write("new/Dockerfile", "FROM debian\n"),
    "a removed Dockerfile": _remove("job/Dockerfile"),
    "a file of the context": _write("package.json", '{"scripts": {"postinstall": "node setup.js"}}\n'),
    "a removed file of the context": _remove("package-lock.json"),
    "a link in the context": _link,
    "an ignore file": _write(".dockerignore", "package-lock.json\n"),
    "an ignore file of git": _write(".gitignore", "job\n"),
    "the compose file": _write("compose.yaml", "services: {web: {build: job}}\n"),
    "a broken compose file": _write("compose.yaml", "services: [\n"),
    "an override": _write("compose.override.yaml", "services: {web: {build: {target: x}}}\n"),
    "a bake file": _write("docker-bake.hcl", 'target "web" { context = "job" }\n'),
    "the environment file": _write(".env", "TOKEN=other\nX=1\n"),
    "a configuration": _write("dockfix.toml", 'ignore = ["cache-mount"]\n'),
    "a configuration in a folder": _write("job/dockfix.toml", 'ignore = ["cache-mount"]\n'),
    "a project": _write("pyproject.toml", '[tool.dockfix]\npreset = "all"\n'),
    "an invalid configuration": _write("dockfix.toml", "ignore = 3\n"),
    "a Dockerfile that is rejected": _write("job/Dockerfile", "FROM\n"),
    "a configuration above": lambda root: _write("dockfix.toml", "")(root.parent),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(web: Path, check: Check, runs: Runs, name: str) -> None:
    (web / "dockfix.toml").write_text("")
    if "configuration above" in name or name == "a project":
        (web / "dockfix.toml").unlink()
    options = ("--format", "json")
    before = check(*options)
    assert check(*options) == before
    assert runs.count == 1
    CHANGES[name](web)
    now = check(*options)
    assert now == check(*options, "--no-cache")
    assert runs.count == 3 or now[0] == 2
    again = check(*options)
    assert again == now


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["--rule", "apk-cache"], {}),
        (["--skip", "cache-mount"], {}),
        (["--context", "job"], {}),
        (["--no-project"], {}),
        ([], {"NO_COLOR": "1"}),
        ([], {"PATH": "/nowhere"}),
    ],
)
def test_options_and_variables_count(
    web: Path,
    check: Check,
    runs: Runs,
    options: list[str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check()
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    other = check(*options)
    assert runs.count == 2
    assert other == check(*options, "--no-cache")


def test_the_current_folder_counts(web: Path, check: Check, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    check()
    monkeypatch.chdir(web / "job")
    assert "job/Dockerfile" not in check()[1]
    assert runs.count == 2


def test_the_code_of_rules_counts(
    web: Path, check: Check, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "code" / "a_pack_of_rules.py"
    path.parent.mkdir()
    path.write_text("RULES = ()\n")
    os.utime(path, (1, 1))
    monkeypatch.syspath_prepend(path.parent)
    import_module(path.stem)
    try:
        check()
        check()
        assert runs.count == 1
        path.write_text("RULES = []\n")
        os.utime(path, (2, 2))
        check()
        assert runs.count == 2
    finally:
        del sys.modules[path.stem]


def test_what_is_not_read_does_not_count(web: Path, check: Check, runs: Runs) -> None:
    cold = check()
    (web / "notes.txt").write_text("other, and longer\n")
    (web / "Dockerfile").touch()
    shutil.copy(web / "compose.yaml", web / "copy")
    (web / "copy").replace(web / "compose.yaml")
    assert check() == cold
    assert runs.count == 1


def test_apply(web: Path, check: Check, runs: Runs) -> None:
    diff = check("--diff", command="apply")
    assert diff[0] == 1
    assert check("--diff", command="apply") == diff
    assert runs.count == 1
    assert check(command="apply")[0] == 0  # writes, and is not kept
    written = (web / "Dockerfile").read_text()
    assert written != DOCKERFILE
    nothing = check(command="apply")
    assert check(command="apply") == nothing
    assert runs.count == 3
    (web / "Dockerfile").write_text(DOCKERFILE)
    check(command="apply")
    assert (web / "Dockerfile").read_text() == written


def test_what_writes_or_asks_git_is_not_kept(web: Path, check: Check, runs: Runs, tmp_path: Path) -> None:
    for number in range(2):
        check("--output", str(tmp_path / "out"))
        assert runs.count == number + 1
        assert (tmp_path / "out").exists()
        (tmp_path / "out").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data[:-9] + b"x" + data[-8:],
        lambda data: data.replace(b"dockfix run 1", b"dockfix run 0"),
        lambda _: b"dockfix run 1 " + b"0" * 40 + b"\n9999999999\n",
        lambda _: os.urandom(1000),
    ],
)
def test_a_damaged_entry_counts_as_missing(
    web: Path, check: Check, runs: Runs, cache: Path, damage: Callable[[bytes], bytes]
) -> None:
    cold = check()
    (entry,) = (cache / "runs").iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    assert check() == cold
    assert runs.count == 2
    assert check() == cold
    assert runs.count == 2


def test_a_folder_that_cannot_be_written(web: Path, check: Check, runs: Runs, cache: Path) -> None:
    cache.write_text("a file\n")
    assert check() == check() == check("--no-cache")
    assert runs.count == 3
    cache.unlink()
    cache.mkdir()
    (cache / "runs").symlink_to("runs")
    assert check() == check("--no-cache")


@pytest.mark.parametrize(("name", "value"), [("DOCKFIX_NO_CACHE", "1"), ("XDG_CACHE_HOME", "relative")])
def test_the_environment_turns_it_off(
    web: Path, check: Check, runs: Runs, cache: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "XDG_CACHE_HOME":
        monkeypatch.delenv("DOCKFIX_CACHE_DIR")
    monkeypatch.setenv(name, value)
    check()
    check()
    assert runs.count == 2
    assert not cache.exists()
    assert not (web / "relative").exists()


def test_only_the_user_reads_it_and_no_secret_is_in_it(web: Path, check: Check, cache: Path) -> None:
    check("-v", "--preset", "all")
    (entry,) = (cache / "runs").iterdir()
    assert entry.stat().st_mode & 0o777 == 0o600
    assert (cache / "runs").stat().st_mode & 0o777 == 0o700
    assert HIDDEN.encode() not in entry.read_bytes()
    assert str(web / ".env").encode() in entry.read_bytes()


def test_old_entries_are_removed(web: Path, check: Check, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockfix.cli import replaying  # noqa: PLC0415

    check()
    (first,) = (cache / "runs").iterdir()
    os.utime(first, (1, 1))
    check("-v")
    (second,) = (cache / "runs").iterdir()
    assert second != first
    os.utime(second, (2_000_000_000, 2_000_000_000))
    monkeypatch.setattr(replaying, "_MAX_FOLDER", second.stat().st_size + 100)
    check("-q")
    assert list((cache / "runs").iterdir()) == [second]


def test_many_files_in_several_processes(web: Path, check: Check, runs: Runs) -> None:
    for number in range(60):
        (web / f"Dockerfile.{number}").write_text(f"FROM debian:12\nCOPY file{number} /\nRUN cd /srv\n")
    options = ("--jobs", "2", "--format", "json")
    cold = check(*options)
    assert check(*options) == cold
    assert runs.count == 1
    (web / "Dockerfile.33").write_text("FROM debian\n")
    now = check(*options)
    assert now != cold
    assert now == check(*options, "--no-cache")


def _process(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if name != "DOCKFIX_NO_CACHE"}
    command = [sys.executable, "-P", "-m", "dockfix", *arguments]
    return subprocess.Popen(command, env={**clean, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_runs_at_the_same_time(web: Path, cache: Path) -> None:
    started = [_process("check", "--format", "json") for _ in range(3)]
    outputs = [each.communicate() for each in started]
    assert outputs[0] == outputs[1] == outputs[2]
    (entry,) = (cache / "runs").iterdir()
    before = entry.stat().st_ino
    assert _process("check", "--format", "json").communicate() == outputs[0]
    assert entry.stat().st_ino == before  # replayed: it was not written again


def test_nothing_that_python_opens_or_lists_is_left_out(web: Path, cache: Path) -> None:
    """The hooks of the interpreter see every file that is opened and every folder that is listed."""
    program = (
        "import sys\n"
        "seen = set()\n"
        "def hook(event, arguments):\n"
        "    if event in ('open', 'os.listdir', 'os.scandir') and isinstance(arguments[0], str):\n"
        "        seen.add((event, arguments[0]))\n"
        "sys.addaudithook(hook)\n"
        "from dockfix.cli import main\n"
        "main(['check', '--preset', 'all'])\n"
        "print(*sorted(f'{event} {path}' for event, path in seen), sep='\\n', file=sys.__stderr__)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    (entry,) = (cache / "runs").iterdir()
    recorded = entry.read_bytes().split(b"\0")
    asked = {line.partition(" ")[2] for line in done.stderr.splitlines() if line.startswith(("open ", "os."))}
    own = {each for each in asked if os.path.realpath(each).startswith(str(web))}
    assert {f"{web}/Dockerfile", f"{web}/compose.yaml", f"{web}/.env"} <= {os.path.realpath(each) for each in own}
    assert [each for each in own if each.encode() not in recorded] == []


def test_clean(web: Path, check: Check, runs: Runs, cache: Path) -> None:
    check()
    (cache / "runs" / "keep.txt").write_text("of the user\n")
    (cache / "other").write_text("of the user\n")
    assert main(["clean"]) == 0
    assert sorted(each.name for each in cache.rglob("*") if each.is_file()) == ["keep.txt", "other"]
    check()
    assert runs.count == 2
    assert check(command="clean")[0] == 0
    assert check(command="clean")[2] == f"removed 0 files from {cache}\n"
