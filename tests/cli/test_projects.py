"""Projects as they are: nested configurations, contexts per pattern, and paths in several projects."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TEXT = "FROM alpine as base\nWORKDIR app\nUSER root\n"


def shown(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The file, the severity and the rule of each finding that was shown."""
    return [f"{line.split(':')[0]} {' '.join(line.split()[1:3])}" for line in done.stdout.decode().splitlines()]


def dockerfile(folder: Path, text: str = TEXT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    return folder / "Dockerfile"


class TestNested:
    @pytest.fixture(autouse=True)
    def files(self, project: Path) -> None:
        for name in (".", "a", "a/deep", "b"):
            dockerfile(project / name)
        (project / "dockfix.toml").write_text('ignore = ["workdir-abs", "from-as"]\n')
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix]\nselect = ["from-as"]\n')
        (project / "b" / "pyproject.toml").write_text('[project]\nname = "b"\n')

    @pytest.mark.parametrize("arguments", [(), (".",), ("Dockerfile", "a/Dockerfile", "a/deep", "b"), ("-j", "2", ".")])
    def test_the_nearest_applies(self, dockfix: Run, arguments: tuple[str, ...]) -> None:
        assert shown(dockfix("check", *arguments)) == [
            "Dockerfile error user-root",
            "a/Dockerfile info from-as",
            "a/deep/Dockerfile info from-as",
            "b/Dockerfile error user-root",
        ]

    def test_from_another_folder(self, dockfix: Run, project: Path) -> None:
        assert shown(dockfix("check", "..", cwd=project / "a")) == [
            "../Dockerfile error user-root",
            "../a/Dockerfile info from-as",
            "../a/deep/Dockerfile info from-as",
            "../b/Dockerfile error user-root",
        ]

    def test_the_default_applies_where_there_is_none(self, dockfix: Run, project: Path) -> None:
        (project / "dockfix.toml").unlink()
        assert len(shown(dockfix("check", "../Dockerfile", cwd=project / "a"))) == 3
        assert len(shown(dockfix("check", "../b", "Dockerfile", cwd=project / "a"))) == 4

    def test_apply(self, dockfix: Run, project: Path) -> None:
        assert dockfix("apply").returncode == 0
        assert (project / "Dockerfile").read_text() == TEXT
        assert (project / "a/Dockerfile").read_text() == TEXT.replace(" as ", " AS ")
        done = dockfix("apply", "-", "--stdin-filename", "a/x.Dockerfile", stdin=TEXT.encode())
        assert done.stdout.decode() == TEXT.replace(" as ", " AS ")
        assert dockfix("apply", "-", "--stdin-filename", "x.Dockerfile", stdin=TEXT.encode()).stdout.decode() == TEXT

    def test_the_command_line_overrides_all(self, dockfix: Run, project: Path) -> None:
        assert len(shown(dockfix("check", "--no-config"))) == 12
        rules = {each.split()[2] for each in shown(dockfix("check", "--rule", "user-root"))}
        assert rules == {"user-root"}
        assert shown(dockfix("check", "--skip", "from-as", "a")) == []
        only = {each.split()[2] for each in shown(dockfix("check", "--config", "a/pyproject.toml"))}
        assert only == {"from-as"}
        assert project.is_dir()

    def test_ignores_and_severities(self, dockfix: Run, project: Path) -> None:
        (project / "a" / "deep" / "dockfix.yaml").write_text(
            "severity: {from-as: error}\nper-file-ignores: {a/deep/b.Dockerfile: [workdir-abs]}\nignore: [user-root]\n"
        )
        (project / "a" / "deep" / "b.Dockerfile").write_text(TEXT)
        assert shown(dockfix("check", "a/deep")) == [
            "a/deep/Dockerfile error from-as",
            "a/deep/Dockerfile warning workdir-abs",
            "a/deep/b.Dockerfile error from-as",
        ]

    def test_a_mistake_is_one_problem_and_its_files_are_left_alone(self, dockfix: Run, project: Path) -> None:
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix]\nselekt = ["from-as"]\n')
        done = dockfix("check")
        assert done.returncode == 2
        assert shown(done) == ["Dockerfile error user-root", "b/Dockerfile error user-root"]
        assert done.stderr.count(b"pyproject.toml:2: unknown key 'selekt'; did you mean 'select'?") == 1
        assert dockfix("apply", "-", "--stdin-filename", "a/x.Dockerfile", stdin=TEXT.encode()).returncode == 2
        assert dockfix("check", "b").returncode == 1
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix.severity]\nfrom-at = "info"\n')
        assert b"a/pyproject.toml:2: severity: unknown rule 'from-at'" in dockfix("check").stderr

    def test_a_baseline_of_rules_that_only_one_folder_runs(self, dockfix: Run, project: Path) -> None:
        dockfix("baseline")
        before = (project / ".dockfix-baseline.json").read_bytes()
        assert b"from-as" in before
        (project / ".dockfix-baseline.json").write_bytes(before.replace(b'"count": 1', b'"count": 2', 1))
        dockfix("baseline")
        assert (project / ".dockfix-baseline.json").read_bytes() == before
        dockerfile(project / "a", "FROM alpine\n")
        done = dockfix("check", "--baseline", ".dockfix-baseline.json")
        assert done.stdout == b""
        assert b"1 entry is obsolete" in done.stderr

    def test_targets(self, dockfix: Run, project: Path) -> None:
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix]\ncontext = "deep"\n')
        rows = json.loads(dockfix("targets", "--format", "json").stdout)["targets"]
        contexts = {row["dockerfile"]: row["context"] for row in rows}
        assert contexts["a/Dockerfile"] == contexts["a/deep/Dockerfile"] == "a/deep"
        assert contexts["Dockerfile"] is None
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix]\ncontxt = "deep"\n')
        assert dockfix("targets").returncode == 2

    def test_the_run_has_its_own_fail_level_and_excludes(self, dockfix: Run, project: Path) -> None:
        (project / "a" / "pyproject.toml").write_text('[tool.dockfix]\nfail-level = "none"\nexclude = ["b"]\n')
        done = dockfix("check")
        assert "b/Dockerfile error user-root" in shown(done)
        for line, key in ((2, "fail-level"), (3, "exclude")):
            message = f"`{key}` has no effect in this run: it is read from the file nearest to the current folder"
            assert f"a/pyproject.toml:{line}: warning: {message}\n" in done.stderr.decode()
        assert b"has no effect" not in dockfix("check", cwd=project / "a").stderr
        assert b"has no effect" not in dockfix("check", "b").stderr
        assert dockfix("check", "a").returncode == 1
        assert dockfix("check", cwd=project / "a").returncode == 0

    def test_whether_unsafe_fixes_are_made_is_a_matter_of_the_run(self, dockfix: Run, project: Path) -> None:
        text = "FROM alpine AS base\nWORKDIR app\n"
        for folder in (project, project / "a"):
            dockerfile(folder, text)
            (folder / "dockfix.toml").write_text('select = ["workdir-abs"]\n')
        (project / "a" / "pyproject.toml").unlink()
        (project / "a" / "dockfix.toml").write_text('select = ["workdir-abs"]\nunsafe = true\n')
        done = dockfix("apply", "--diff", "Dockerfile", "a/Dockerfile")
        assert done.stdout == b""
        assert b"a/dockfix.toml:2: warning: `unsafe` has no effect in this run" in done.stderr
        (project / "dockfix.toml").write_text('select = ["workdir-abs"]\nunsafe = true\n')
        (project / "a" / "dockfix.toml").write_text('select = ["workdir-abs"]\n')
        assert b"+++ b/a/Dockerfile" in dockfix("apply", "--diff", "Dockerfile", "a/Dockerfile").stdout

    def test_nothing_is_inherited(self, dockfix: Run, project: Path) -> None:
        (project / "dockfix.toml").write_text(
            '[severity]\nuser-root = "info"\n[[targets]]\nfiles = "*"\ncontext = "{dir}"\n'
        )
        (project / "a" / "pyproject.toml").write_text("[tool.dockfix]\njobs = 1\n")
        rows = json.loads(dockfix("targets", "--format", "json").stdout)["targets"]
        contexts = {row["dockerfile"]: row["context"] for row in rows}
        assert contexts == {"Dockerfile": ".", "a/Dockerfile": None, "a/deep/Dockerfile": None, "b/Dockerfile": "b"}
        found = shown(dockfix("check"))
        assert "b/Dockerfile info user-root" in found
        assert "a/Dockerfile error user-root" in found


class TestTargets:
    def test_contexts(self, dockfix: Run, project: Path) -> None:
        for name in ("services/a", "services/b", "lib", "{dir}"):
            dockerfile(project / name)
        (project / "dockfix.toml").write_text(
            '[[targets]]\nfiles = ["services/*/Dockerfile", "{dir}/"]\ncontext = "{dir}"\n'
            'build-contexts = { base = "{root}/lib" }\n'
            '[[targets]]\nfiles = "/services/b/"\ncontext = "."\n'
        )
        rows = json.loads(dockfix("targets", "--format", "json").stdout)["targets"]
        contexts = {row["dockerfile"]: (row["context"], row["contexts"]) for row in rows}
        assert contexts["services/a/Dockerfile"] == ("services/a", {"base": f"{project}/lib"})
        assert contexts["services/b/Dockerfile"] == (".", {})
        assert contexts["{dir}/Dockerfile"] == ("{dir}", {"base": f"{project}/lib"})
        assert contexts["lib/Dockerfile"][0] is None
        given = json.loads(dockfix("targets", "--context", "lib", "--format", "json").stdout)["targets"]
        assert {row["context"] for row in given} == {"lib"}

    @pytest.mark.parametrize(
        ("context", "message"),
        [
            ("{dir}/../..", "context '{dir}/../..' of a/Dockerfile is outside the project root"),
            ("{dir}/src", "context '{dir}/src' of a/Dockerfile is not a folder"),
            ("{root}/src", "context '{root}/src' is not a folder"),
            ("..", "context '..' is outside the project root"),
        ],
    )
    def test_a_context_that_cannot_be_used_is_unknown(
        self, dockfix: Run, project: Path, context: str, message: str
    ) -> None:
        dockerfile(project / "a")
        dockerfile(project / "b" / "c")
        (project / "dockfix.toml").write_text(
            f'[[targets]]\nfiles = "b"\ncontext = "b"\n[[targets]]\ncontext = "{context}"\nfiles = "a"\n'
        )
        for command in (("check",), ("targets",), ("apply", "--diff", "a"), ("check", "--config", "dockfix.toml")):
            done = dockfix(*command)
            assert done.returncode == 2
            assert done.stderr.decode().count(f"dockfix.toml:5: targets: {message}") == 1
            assert b"a/Dockerfile" in done.stdout
        assert dockfix("check", "b").returncode == 1
        done = dockfix("apply", "-", "--stdin-filename", "a/Dockerfile", stdin=TEXT.encode())
        assert done.returncode == 2
        assert message in done.stderr.decode()
        assert b" AS " in done.stdout
        assert dockfix("check", "--context", "a").returncode == 1

    def test_of_a_nested_configuration(self, dockfix: Run, project: Path) -> None:
        dockerfile(project)
        dockerfile(project / "a" / "b")
        (project / "a" / "dockfix.yaml").write_text('targets:\n- files: b\n  context: "{dir}/../../.."\n')
        done = dockfix("check")
        assert done.returncode == 2
        assert b"a/dockfix.yaml:3: targets: context '{dir}/../../..' of a/b/Dockerfile is outside" in done.stderr
        assert len(shown(done)) == 6
        (project / "a" / "dockfix.yaml").write_text("targets: [{files: b, context: c}]\n")
        done = dockfix("check")
        assert done.returncode == 2
        assert b"a/dockfix.yaml:1: targets: context 'c' is not a folder" in done.stderr
        assert len(shown(done)) == 3

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ('[[targets]]\nfile = "x"\n', 2, b"unknown key 'file'; did you mean 'files'?"),
            ('[[targets]]\nfiles = "x"\n', 2, b"each table needs `context` or `build-contexts`"),
            ('[[targets]]\ncontext = "x"\n', 1, b"each table needs `files`, a pattern or a list of patterns"),
            ('[[targets]]\nfiles = "x"\ncontext = 3\n', 3, b"context must be the path of a folder, not the number 3"),
            (
                '[[targets]]\nfiles = "x"\ncontext = "{dir}"\n[[targets]]\nfiles = "y"\ncontext = "{dirs}"\n',
                6,
                b"unknown placeholder '{dirs}' in context; there are {dir} and {root}",
            ),
            (
                '[[targets]]\nfiles = "x"\nbuild-contexts = { a = "{name}" }\n',
                3,
                b"unknown placeholder '{name}' in build-contexts",
            ),
            ('[[targets]]\nfiles = "x"\ncontext = "/srv"\n', 3, b"context '/srv' is absolute; make it relative"),
            ('[[targets]]\nfiles = "x"\ncontext = "none"\n', 3, b"context 'none' is not a folder"),
            ('targets = [\n{ files = "x", context = "." },\n{ context = "." },\n]\n', 2, b"each table needs `files`"),
            ('[[targets]]\nfiles = "x"\ncontext = "."\n[[targets]]\nfile = "x"\n', 5, b"unknown key 'file'"),
            ("targets = [3]\n", 1, b"targets must be a list of tables with `files`"),
        ],
    )
    def test_mistakes(self, dockfix: Run, project: Path, text: str, line: int, message: bytes) -> None:
        (project / "dockfix.toml").write_text(text)
        done = dockfix("check")
        (error,) = done.stderr.splitlines()
        assert done.returncode == 2
        assert f"dockfix.toml:{line}: targets".encode() in error
        assert message in error


class TestSeveralProjects:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        """Another project, with its own configuration."""
        root = tmp_path / "other"
        (root / ".git").mkdir(parents=True)
        (root / "dockfix.toml").write_text('ignore = ["workdir-abs"]\n')
        dockerfile(root / "app")
        return root

    def test_each_has_its_own_configuration(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        (project / "dockfix.toml").write_text('ignore = ["user-root"]\n')
        done = dockfix("check", ".", "../other")
        assert shown(done) == [
            "Dockerfile info from-as",
            "Dockerfile warning workdir-abs",
            "../other/app/Dockerfile info from-as",
            "../other/app/Dockerfile error user-root",
        ]
        assert done.returncode == 1
        assert b"4 findings in 2 Dockerfiles" in done.stderr
        assert shown(dockfix("check", str(other / "app" / "Dockerfile"), cwd=project)) == [
            f"{other}/app/Dockerfile info from-as", f"{other}/app/Dockerfile error user-root",
        ]  # fmt: skip

    def test_json_has_the_folder_that_holds_all(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        data = json.loads(dockfix("check", ".", "../other", "--format", "json").stdout)
        assert data["root"] == str(project.parent)
        assert [each["path"] for each in data["files"]] == ["project/Dockerfile", "other/app/Dockerfile"]
        alone = json.loads(dockfix("check", "../other", "--format", "json").stdout)
        assert (alone["root"], alone["files"][0]["path"]) == (str(other), "app/Dockerfile")

    def test_apply_and_its_diff(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        diff = dockfix("apply", "--diff", ".", "../other").stdout
        assert b"+++ b/project/Dockerfile\n" in diff
        assert b"+++ b/other/app/Dockerfile\n" in diff
        assert dockfix("apply", ".", "../other").returncode == 0
        subprocess.run(["git", "apply", "--reverse", "-"], cwd=project.parent, input=diff, check=True)
        assert (project / "Dockerfile").read_text() == (other / "app" / "Dockerfile").read_text() == TEXT

    def test_a_folder_above_counts_each_file_once(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        data = json.loads(dockfix("check", ".", "..", "--format", "json").stdout)
        assert [each["path"] for each in data["files"]] == ["project/Dockerfile", "other/app/Dockerfile"]
        assert other.is_dir()

    def test_with_a_root_there_is_one(self, dockfix: Run, project: Path, other: Path) -> None:
        done = dockfix("check", "--root", ".", "../other")
        assert done.returncode == 2
        assert b"../other: is outside the project root" in done.stderr
        assert project.is_dir()
        assert other.is_dir()

    def test_what_is_missing_or_wrong_there(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        done = dockfix("check", ".", "../none/Dockerfile")
        assert done.returncode == 2
        assert b"../none/Dockerfile: does not exist" in done.stderr
        assert len(shown(done)) == 3
        (other / "dockfix.toml").write_text("unsave = 1\n")
        done = dockfix("check", ".", "../other")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"other/dockfix.toml:1: unknown key 'unsave'" in done.stderr
        assert dockfix("check", "a\udc80b\0".encode("utf-8", "surrogateescape").replace(b"\0", b"")).returncode == 2

    def test_paths_in_messages_and_hints(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        (other / "dockfix.toml").unlink()
        (other / "app" / "b.Dockerfile").write_text("FROM alpine\nWORKDIR app/Dockerfile\n")
        done = dockfix("check", ".", "../other")
        assert (
            b"../other/app/b.Dockerfile:2:9: warning workdir-abs relative folder ../other/app/Dockerfile ["
            in done.stdout
        )
        data = json.loads(dockfix("check", ".", "../other", "--format", "json").stdout)
        assert "relative folder other/app/Dockerfile" in [each["message"] for each in data["files"][-1]["findings"]]
        (other / "dockfix.toml").write_text('baseline = "none.json"\n')
        done = dockfix("check", ".", "../other")
        assert b"`dockfix baseline ../other` writes it" in done.stderr

    def test_baselines_and_ignore_comments(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        dockfix("baseline", cwd=other)
        (other / "dockfix.toml").write_text('baseline = ".dockfix-baseline.json"\nignore = ["workdir-abs"]\n')
        assert len(shown(dockfix("check", ".", "../other"))) == 3
        assert dockfix("check", "--add-ignore", ".", "../other").returncode == 0
        assert (other / "app" / "Dockerfile").read_text() == TEXT
        assert dockfix("check", ".", "../other").stdout == b""

    def test_targets_and_report(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        (project / "compose.yaml").write_text("services: {web: {build: .}}\n")
        (other / "compose.yaml").write_text("services: {app: {build: app}, broken: {build: [}}\n")
        assert b"app/Dockerfile" in dockfix("targets", "../other").stdout
        done = dockfix("targets", ".", "../other", "--format", "json")
        assert done.returncode == 2
        assert b"../other/compose.yaml:1: " in done.stderr
        (other / "compose.yaml").write_text("services: {app: {build: app}}\n")
        data = json.loads(dockfix("targets", ".", "..", "--format", "json").stdout)
        assert data["root"] == str(project.parent)
        assert [(row["dockerfile"], row["source"], row["context"]) for row in data["targets"]] == [
            ("other/app/Dockerfile", "other/compose.yaml", "other/app"),
            ("project/Dockerfile", "project/compose.yaml", "project"),
        ]
        report = dockfix("report", ".", "../other").stdout
        assert b"## `project/Dockerfile`" in report
        assert b"+++ b/other/app/Dockerfile" in report

    def test_each_has_its_own_baseline(self, dockfix: Run, project: Path, other: Path) -> None:
        dockerfile(project)
        done = dockfix("baseline", ".", "../other")
        assert done.returncode == 0
        assert b"3 findings accepted in .dockfix-baseline.json" in done.stderr
        assert b"2 findings accepted in ../other/.dockfix-baseline.json" in done.stderr
        assert (project / ".dockfix-baseline.json").exists()
        (other / ".dockfix-baseline.json").write_text("not one")
        assert dockfix("baseline", "../other", ".").returncode == 2

    @pytest.mark.parametrize(
        "command",
        [
            ("verify",),
            ("report", "--verify"),
            ("apply", "--split", "my dir"),
            ("baseline", "--output", "x.json"),
        ],
    )
    def test_what_works_on_one_project(
        self, dockfix: Run, project: Path, other: Path, command: tuple[str, ...]
    ) -> None:
        dockerfile(project)
        done = dockfix(*command, "Dockerfile", "../other")
        words = shlex.join(command)
        assert done.returncode == 2
        assert done.stderr.decode() == (
            f"error: the paths are in 2 projects, {project} and {other}; `{words}` works on one:"
            f" run `dockfix {words} Dockerfile` and `dockfix {words} ../other`\n"
        )
        assert not list(project.glob("*.json"))

    def test_split_of_another_project(self, dockfix: Run, project: Path, other: Path) -> None:
        assert dockfix("apply", "--split", "patches", "../other").returncode == 1
        (patch,) = (project / "patches").iterdir()
        assert b"+++ b/app/Dockerfile" in patch.read_bytes()
        assert other.is_dir()


class TestUnmatchedPatterns:
    @pytest.fixture(autouse=True)
    def files(self, project: Path) -> None:
        for name in ("a", "b", "vendor", "ignored"):
            dockerfile(project / name)
        (project / ".gitignore").write_text("ignored/\n")
        (project / "compose.yaml").write_text("services: {web: {build: a}}\n")
        (project / "a" / ".dockerignore").write_text("x\n")
        (project / "dockfix.toml").write_text(
            'exclude = ["vendor"]\n[per-file-ignores]\n"legacy/**" = ["from-as"]\n"vendor/**" = ["from-as"]\n'
            '"ignored/Dockerfile" = ["from-as"]\n"a/.dockerignore" = ["from-as"]\n"compose.yaml" = ["from-as"]\n'
            '"!c" = ["from-as"]\n"/b/" = ["from-as"]\n'
            '[[targets]]\ncontext = "{dir}"\nfiles = [\n  "a",\n  "services/*/Dockerfile"]\n'
        )

    def test_a_warning_has_the_line(self, dockfix: Run) -> None:
        done = dockfix("check")
        assert done.returncode == 1
        message = "matches no file to which this configuration applies"
        assert [line for line in done.stderr.decode().splitlines() if "dockfix.toml" in line] == [
            f"dockfix.toml:3: warning: per-file-ignores: 'legacy/**' {message}",
            f"dockfix.toml:12: warning: targets: 'services/*/Dockerfile' {message}",
        ]
        assert dockfix("check", "--config", "dockfix.toml").stderr == done.stderr
        assert b"services/*" in dockfix("apply", "--diff").stderr
        assert b"services/*" not in dockfix("check", "-q").stderr

    @pytest.mark.parametrize("paths", [("a",), ("a/Dockerfile", "b/Dockerfile"), ("-",), ("--no-config",)])
    def test_only_if_all_its_files_were_searched(self, dockfix: Run, paths: tuple[str, ...]) -> None:
        assert b"matches no file" not in dockfix("check", *paths, stdin=TEXT.encode()).stderr

    def test_nested_configurations(self, dockfix: Run, project: Path) -> None:
        (project / "b" / "dockfix.yaml").write_text("per-file-ignores: {b: [from-as], a: [from-as]}\n")
        lines = dockfix("check", "b").stderr.decode().splitlines()
        message = "matches no file to which this configuration applies"
        assert f"b/dockfix.yaml:1: warning: per-file-ignores: 'a' {message}" in lines
        assert not [line for line in lines if "dockfix.toml" in line]
        assert f"dockfix.toml:9: warning: per-file-ignores: '/b/' {message}" in dockfix("check").stderr.decode()
