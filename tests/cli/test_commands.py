"""The commands that write no Dockerfile, and what all commands have in common."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from importlib.resources import files as files_of
from pathlib import Path

import pytest

from dockfix import __version__
from dockfix.cli.console import Colour, wants_colour
from dockfix.testing import Kind, check_case, load_cases

TOYS = Path(__file__).with_name("toys.py")
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
OLD = b"FROM alpine as base\nWORKDIR app\nWORKDIR $X\nUSER root\n"


def test_check_as_text(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    done = dockfix("check")
    assert done.returncode == 1
    assert done.stdout.decode().split("\n") == [
        "Dockerfile:1:13: info from-as `as` in lower case [safe fix]",
        "Dockerfile:2:9: warning workdir-abs relative folder app [unsafe fix]",
        "Dockerfile:3:9: warning workdir-abs relative folder $X [not fixed: it holds a variable]",
        "Dockerfile:4:6: error user-root runs as root [advice]",
        "",
    ]
    assert done.stderr.startswith(
        b"4 findings in 1 Dockerfile (1 error, 2 warnings, 1 info); 1 fixable (dockfix apply); 1 fixable after review ("
    )
    assert (project / "Dockerfile").read_bytes() == OLD
    (project / "Dockerfile").write_bytes(b"FROM alpine\n")
    assert dockfix("check").returncode == 0


def test_check_as_json(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    (project / "b.Dockerfile").write_bytes(b"FROM a\nNO\xff\x1b\n")
    done = dockfix("check", "--format", "json")
    assert done.returncode == 2
    data = json.loads(done.stdout.decode())
    assert data["version"] == 1
    first, second = data["files"]
    assert (first["path"], second["path"]) == ("Dockerfile", "b.Dockerfile")
    kinds = [(each["rule"], each["kind"]) for each in first["findings"]]
    assert kinds == [("from-as", "fix"), ("workdir-abs", "fix"), ("workdir-abs", "refusal"), ("user-root", "advice")]
    fix = first["findings"][0]
    assert (fix["start"], fix["end"]["offset"]) == ({"line": 1, "column": 13, "offset": 12}, 14)
    assert fix["edits"] == [{"start": 12, "end": 14, "replacement": "AS"}]
    assert (fix["safety"], fix["help"]) == ("safe", "it is neater")
    assert first["findings"][2]["note"] == "it holds a variable"
    assert [(each["path"], each["line"]) for each in data["problems"]] == [("b.Dockerfile", 2)]
    assert data["summary"] == {
        "files": 2, "changed": 0, "applied": 0, "fixable": 1, "fixable_unsafe": 1, "refused": 1, "advice": 1,
        "problems": 1, "defects": 0,
    }  # fmt: skip


def test_check_reports_a_fix_that_a_gate_rejects_as_a_defect(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM alpine as a\nEXPOSE 80\n")
    done = dockfix("check", "--rule", "breaker,from-as")
    assert done.returncode == 3
    assert b"Dockerfile: defect in breaker (gate)" in done.stderr
    assert b"; its change was discarded; please report this\n" in done.stderr
    assert b"from-as `as` in lower case [safe fix]" in done.stdout
    assert b"breaks" not in done.stdout


def test_check_into_a_file_and_from_standard_input(dockfix: Run, project: Path) -> None:
    done = dockfix("check", "-", "--output", "out.txt", stdin=OLD, env={"FORCE_COLOR": "1"})
    assert (done.returncode, done.stdout) == (1, b"")
    assert (project / "out.txt").read_text().startswith("<stdin>:1:13: info from-as")
    assert dockfix("check", "-", "--output", "none/x", stdin=OLD).returncode == 2


def test_a_comment_that_ignores_an_unknown_rule_is_warned_of(dockfix: Run, project: Path) -> None:
    text = b"# dockfix: ignore=from-os because\nFROM a as b\n# dockfix: ignore=user-root\nUSER root\n"
    (project / "Dockerfile").write_bytes(text)
    done = dockfix("check")
    assert done.stdout.count(b"\n") == 1
    assert b"Dockerfile:1: warning: unknown rule 'from-os' in a dockfix comment; did you mean 'from-as'?" in done.stderr


@pytest.mark.parametrize(
    "comment",
    [
        "dockfix: ignore from-as", "dockfix: ignore: from-as", "dockfix:ignore=", "dockfix: ignore-file=,",
        "dockfix: disable=from-as", "dockfix ignore=from-as", "dockfix: ignore=a=b",
    ],
)  # fmt: skip
def test_a_comment_that_is_malformed_is_warned_of_and_ignores_nothing(
    dockfix: Run, project: Path, comment: str
) -> None:
    (project / "Dockerfile").write_text(f"FROM c\n# {comment}\nFROM a as b\n")
    done = dockfix("check")
    assert b"3:8: info from-as" in done.stdout
    assert b"Dockerfile:2: warning: this comment ignores nothing: write `# dockfix: ignore=RULE" in done.stderr


def test_a_comment_in_a_compose_file_is_checked_too(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\n")
    (project / "compose.yaml").write_text(
        "services:\n  # dockfix: ignore user-root\n  web: {build: .}\n  # dockfix: ignore=from-os\n"
    )
    warnings = dockfix("check").stderr.decode().split("\n")
    assert warnings[0].startswith("compose.yaml:2: warning: this comment ignores nothing")
    assert (
        warnings[1] == "compose.yaml:4: warning: unknown rule 'from-os' in a dockfix comment; did you mean 'from-as'?"
    )
    assert b"warning" not in dockfix("check", "Dockerfile").stderr


def test_a_rule_after_a_blank_is_not_a_reason(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM c\n# dockfix: ignore=user-root from-as\nFROM a as b\n")
    done = dockfix("check", "--rule", "from-as")
    assert b"3:8: info from-as" in done.stdout
    assert b"Dockerfile:2: warning: 'from-as' is not ignored: separate rules with commas" in done.stderr


@pytest.mark.parametrize(
    ("text", "options", "lines"),
    [
        ("# dockfix: ignore=from-as\nFROM a as b\n", [], []),
        ("# dockfix: ignore=from-as\nFROM a AS b\n", [], [1]),
        ("# dockfix: ignore=from-as\n\nFROM a as b\n", [], [1]),
        ("# dockfix: ignore=from-as,workdir-abs\nFROM a as b\nUSER a\n", [], [1]),
        ("FROM a\n# dockfix: ignore-file=user-root because\nUSER root\n", [], []),
        ("FROM a\n# dockfix: ignore-file=user-root because\nUSER me\n", [], [2]),
        ("# dockfix: ignore=from-as\nFROM a AS b\n", ["--skip", "from-as"], []),
        ("# dockfix: ignore=from-as\nFROM a AS b\n", ["--rule", "user-root"], []),
        ("# dockfix: ignore=breaker\nFROM a AS b\n", [], []),  # it is run only if it is named
        ("# dockfix: ignore\nFROM a AS b\n", [], [1]),
        ("# dockfix: ignore\nFROM a AS b\n", ["--skip", "racer"], []),  # it may be for that rule
    ],
)
@pytest.mark.parametrize("command", ["check", "apply"])
def test_a_comment_that_ignores_nothing_is_warned_of(
    dockfix: Run, project: Path, command: str, text: str, options: list[str], lines: list[int]
) -> None:
    (project / "Dockerfile").write_text(text)
    done = dockfix(command, *options)
    warned = [line for line in done.stderr.decode().split("\n") if "unused dockfix comment" in line]
    assert [int(line.split(":")[1]) for line in warned] == lines


def test_what_a_file_holds_cannot_act_on_the_terminal(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a\nWORKDIR x\x1b[2J\xff\xe2\x80\xae\n")
    done = dockfix("check")
    assert b"relative folder x\\x1b[2J\\xff\\u202e [unsafe fix]" in done.stdout


def test_json_holds_no_character_that_acts_on_the_one_who_reads_it(dockfix: Run, project: Path) -> None:
    folder = "x\u202e\u2066\x7f\x9b\u00ad\U000e0041\u2028caf\u00e9"
    (project / "Dockerfile").write_text(f"FROM a\nWORKDIR {folder}\n", encoding="utf-8")
    for arguments in (("check", "-f", "json"), ("check",), ("apply", "-v"), ("check", "-v", "-o", "out")):
        done = dockfix(*arguments)
        shown = (done.stdout + done.stderr).decode()
        shown += (project / "out").read_text(encoding="utf-8") if "out" in arguments else ""
        assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in shown if each != "\n")
        assert "caf\u00e9" in shown
    finding = json.loads(dockfix("check", "-f", "json").stdout)["files"][0]["findings"][0]
    assert finding["message"] == f"relative folder {folder}"


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(dockfix: Run, project: Path, arguments: list[str], env: dict[str, str], coloured: bool) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    assert (b"\x1b[" in dockfix("check", *arguments, env=env).stdout) is coloured
    assert (b"\x1b[" in dockfix("apply", "--diff", *arguments, env=env).stdout) is coloured


def test_colour_on_a_terminal() -> None:
    assert wants_colour(Colour.AUTO, terminal=True, environment={})
    assert not wants_colour(Colour.AUTO, terminal=True, environment={"NO_COLOR": "1"})
    assert wants_colour(Colour.AUTO, terminal=True, environment={"NO_COLOR": ""})
    assert not wants_colour(Colour.AUTO, terminal=True, environment={"TERM": "dumb"})


def test_a_real_terminal(project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM a as b\nWORKDIR x\x1b[2J\n")
    main, other = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
    command = [sys.executable, str(TOYS), "apply", "--diff", "--unsafe"]
    subprocess.run(command, cwd=project, stdout=other, stderr=subprocess.DEVNULL, env=env, check=False)
    os.close(other)  # so that reading ends where nothing was written
    shown = os.read(main, 65536)
    os.close(main)
    assert b"\x1b[31m-WORKDIR x\\x1b[2J\x1b[0m" in shown


def test_a_stream_that_cannot_show_a_character(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_bytes("FROM a\nWORKDIR \u4e2d\n".encode())
    done = dockfix("check", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert b"relative folder \\u4e2d" in done.stdout
    diff = dockfix("apply", "--diff", "--unsafe", env={"PYTHONIOENCODING": "ascii"})
    assert "+WORKDIR /\u4e2d".encode() in diff.stdout


def test_a_closed_pipe(project: Path) -> None:
    (project / "Dockerfile").write_bytes(OLD)
    for arguments in (["check"], ["apply", "--diff"], ["ast"], ["rules"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, str(TOYS), *arguments]
        done = subprocess.run(command, cwd=project, stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        assert (done.returncode, done.stderr) == (141, b"")


def test_rules(dockfix: Run) -> None:
    done = dockfix("rules")
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "from-as      info     style     recommended  AS next to FROM"
    assert lines[1].endswith("Absolute folders (DL3000, WorkdirRelativePath)")
    assert lines[4] == "breaker      info     style     all          Breaks"
    assert dockfix("rules", "--preset", "strict").stdout.decode().splitlines() == [*lines[:3], lines[5]]
    data = json.loads(dockfix("rules", "--format", "json").stdout)
    assert [rule["name"] for rule in data["rules"]] == [
        "from-as",
        "workdir-abs",
        "user-root",
        "crasher",
        "breaker",
        "racer",
    ]
    assert data["rules"][3]["opt_in"] is True
    assert data["rules"][1]["hadolint"] == ["DL3000"]
    assert data["rules"][1]["checks"] == ["WorkdirRelativePath"]


def test_explain(dockfix: Run) -> None:
    done = dockfix("explain", "workdir-abs")
    assert done.returncode == 0
    assert done.stdout.decode().endswith("\n\nFolders.\n\nWhy\n\nBecause.\n\n    WORKDIR /x\n")
    assert dockfix("explain", "dl3000").stdout == dockfix("explain", "WorkdirRelativePath").stdout == done.stdout
    assert b"answers DL3000, WorkdirRelativePath" in done.stdout
    wrong = dockfix("explain", "workdirabs")
    assert wrong.returncode == 2
    assert b"did you mean 'workdir-abs'?" in wrong.stderr


class TestAst:
    def test_a_line_a_file(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_bytes(OLD)
        (project / "b.Dockerfile").write_bytes(b"# x\nFROM \xff\nNONSENSE x\n")
        done = dockfix("ast", "--trivia")
        assert done.returncode == 0
        first, second = (json.loads(line) for line in done.stdout.decode("ascii").splitlines())
        assert (first["path"], first["ok"], first["nodes"][1]["args"]) == ("Dockerfile", True, ["app"])
        assert (second["path"], second["ok"]) == ("b.Dockerfile", False)
        assert second["problems"][0]["line"] == 3
        assert second["nodes"][0] == {"trivia": "comment", "start": 1, "end": 1, "text": "x"}
        assert second["nodes"][1]["args"] == [{"b64": "/w=="}]

    def test_tree(self, dockfix: Run) -> None:
        text = b'FROM a\nRUN --network=none <<E\necho \x1b\nE\nCMD ["x"]\nONBUILD USER y\n'
        done = dockfix("ast", "-", "--format", "tree", stdin=text)
        assert done.returncode == 0
        lines = done.stdout.decode().split("\n")
        assert lines[:3] == ["<stdin>", "  1 FROM", '    "a"']
        assert "  2-4 RUN" in lines
        assert '    flag "--network=none"' in lines
        assert '    heredoc E expand: "echo \\x1b\\n"' in lines
        assert "  5 CMD (JSON)" in lines

    def test_unreadable(self, dockfix: Run, project: Path) -> None:
        (project / "Dockerfile").write_bytes(OLD)
        done = dockfix("ast", "none", "Dockerfile")
        assert (done.returncode, done.stderr) == (2, b"none: does not exist\n")
        assert json.loads(done.stdout)["path"] == "Dockerfile"


class TestNew:
    @pytest.fixture
    def pack(self, project: Path) -> Path:
        pack = project / "codemods" / "my_codemods"
        pack.mkdir(parents=True)
        (pack / "__init__.py").write_text('RULES = (\n    "one",\n)\n')
        (project / "pyproject.toml").write_text(
            '[project.entry-points."dockfix.codemods"]\nmine = "my_codemods:load"\n'
        )
        return pack

    def test_a_rule_is_added_to_a_pack(self, dockfix: Run, project: Path, pack: Path) -> None:
        done = dockfix("new", "my-rule")
        assert done.returncode == 0
        assert done.stdout == b"codemods/my_codemods/my_rule.py\ngolden/my-rule.md\n"
        assert (pack / "__init__.py").read_text() == 'RULES = (\n    "one",\n    "my-rule",\n)\n'
        spec = importlib.util.spec_from_file_location("my_rule", pack / "my_rule.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["my_rule"] = module  # where a dataclass looks its types up
        try:
            spec.loader.exec_module(module)
            assert module.CODEMOD.name == "my-rule"
            cases = load_cases(project / "golden" / "my-rule.md")
            assert {case.kind for case in cases} == {Kind.FIX, Kind.KEEP}
            for case in cases:
                for variant in case.variants:
                    assert not check_case(case, module.CODEMOD, variant)
        finally:
            del sys.modules["my_rule"]

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ('ORDER: tuple[str, ...] = ("one",)\n', 'ORDER: tuple[str, ...] = ("one", "my-rule",)\n'),
            ('RULES = (\n  "one", # first\n  "two"\n)', 'RULES = (\n  "one", # first\n  "two",\n  "my-rule",\n)'),
            ("CODEMODS = ()\n", "CODEMODS = ()\n"),
        ],
    )
    def test_the_rule_is_listed_if_there_is_a_list(self, dockfix: Run, pack: Path, before: str, after: str) -> None:
        (pack / "__init__.py").write_text(before)
        done = dockfix("new", "my-rule")
        assert (pack / "__init__.py").read_text() == after
        assert (b"next: add 'my-rule' to the rules" in done.stderr) is (before == after)

    def test_nothing_is_overwritten(self, dockfix: Run, project: Path, pack: Path) -> None:
        (pack / "my_rule.py").write_text("mine")
        done = dockfix("new", "my-rule")
        assert done.returncode == 2
        assert b"already exists; nothing was written" in done.stderr
        assert (pack / "my_rule.py").read_text() == "mine"
        assert not (project / "golden").exists()

    @pytest.mark.parametrize("name", ["MyRule", "my_rule", "../x", "x-", "", "1x"])
    @pytest.mark.usefixtures("pack")
    def test_names_are_kebab_case(self, dockfix: Run, project: Path, name: str) -> None:
        done = dockfix("new", name)
        assert done.returncode == 2
        assert not (project / "golden").exists()
        assert (b"use 'my-rule'" in done.stderr) is (name in ("MyRule", "my_rule"))

    def test_the_package_of_the_pack_is_needed(self, dockfix: Run, project: Path, pack: Path) -> None:
        (pack / "__init__.py").unlink()
        assert b"the package my_codemods of the pack" in dockfix("new", "my-rule").stderr
        assert b"is not the package of a pack" in dockfix("new", "my-rule", "--pack", str(pack)).stderr
        assert not (project / "golden").exists()

    def test_the_name_of_an_installed_rule_is_refused(self, project: Path) -> None:
        for arguments in (["cache-mount"], ["cache-mount", "--pack", "."]):
            done = subprocess.run(
                [sys.executable, "-m", "dockfix", "new", *arguments], cwd=project, capture_output=True, check=False
            )
            assert done.returncode == 2
            assert done.stderr == b"error: the installed pack 'builtin' has a rule 'cache-mount'; choose another name\n"
            assert not list(project.rglob("*cache*"))

    def test_a_new_pack_passes_its_tests(self, dockfix: Run, tmp_path: Path) -> None:
        folder = tmp_path / "fresh"
        folder.mkdir()
        done = dockfix("new", "my-rule", cwd=folder)
        assert done.returncode == 0
        assert done.stderr == b"next: cd dockfix-my-rule, pip install -e '.[dev]', pytest\n"
        assert b"`pip install -e '.[dev]'`" in b" ".join(dockfix("new", "--help").stdout.split())
        root = folder / "dockfix-my-rule"
        assert len(done.stdout.split()) == len([path for path in root.rglob("*") if path.is_file()]) == 6
        again = dockfix("new", "my-rule", cwd=folder)
        assert (again.returncode, b"already exists" in again.stderr) == (2, True)
        installed = install(root, tmp_path / "site")
        for arguments in (["-m", "pytest", "-q", "-p", "no:cacheprovider"], ["-m", "dockfix", "explain", "my-rule"]):
            run = subprocess.run(
                [sys.executable, *arguments], cwd=root, env=installed, capture_output=True, check=False, text=True
            )
            assert run.returncode == 0, run.stdout + run.stderr
        added = subprocess.run(
            [sys.executable, "-m", "dockfix", "new", "second"], cwd=root, env=installed, capture_output=True, check=True
        )
        assert added.stderr == b""
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=root, env=installed, capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
        assert (root / "golden" / "second.md").exists()


def test_a_pack_that_fails_to_load_is_reported_with_its_line(dockfix: Run, project: Path, tmp_path: Path) -> None:
    assert dockfix("new", "my-rule").returncode == 0
    root = project / "dockfix-my-rule"
    module = root / "src" / "dockfix_my_rule" / "my_rule.py"
    module.write_text("CODEMOD = Codemo()\n")
    installed = install(root, tmp_path / "site")
    reason = f"{module}:1: NameError: name 'Codemo' is not defined"
    error = f"error: the codemod pack 'dockfix-my-rule' cannot be loaded: {reason}\n".encode()
    for options, trace in (([], False), (["-v"], True)):
        done = subprocess.run(
            [sys.executable, "-m", "dockfix", "check", *options],
            cwd=project, env=installed, capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr.startswith(b"Traceback")) == (2, trace)
        assert done.stderr.endswith(error)
        assert (done.stderr == error) is not trace


def install(root: Path, site: Path) -> dict[str, str]:
    """Install a project as `pip install -e` does, without a build backend: its metadata and its source on the path."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    metadata = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{root / 'src'}"}


def test_version_and_help(dockfix: Run) -> None:
    assert dockfix("--version").stdout == f"dockfix {__version__}\n".encode()
    shown = dockfix("apply", "-h")
    assert shown.returncode == 0
    assert all(
        f"--{name}".encode() in shown.stdout for name in ("rule", "unsafe", "diff", "dry-run", "context", "root")
    )
    assert b"keep nothing" in shown.stdout
    words = b" ".join(dockfix("check", "--help").stdout.split())
    assert b"Show only results and errors: no summary, no warnings, no progress." in words
    assert b"Of severity info, refusals do not count, and advice only with --fail-level info" in words
    assert dockfix("aply").returncode == 2


def test_the_version_loads_nothing() -> None:
    code = (
        "import sys; from dockfix.cli import main; main(['--version']);"
        "print([name for name in sys.modules if name.startswith('dockfix.') or name in ('typer', 'dockfix_codemods')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = done.stdout.decode().split("\n")[1].replace("'dockfix._version', ", "")  # the build writes it, one line
    assert loaded == "['dockfix.ended', 'dockfix.cli.errors', 'dockfix.cli']"


def test_a_parser_loads_nothing_heavy() -> None:
    code = (
        "import sys; from dockfix.cli import main; main(['check', '--help']);"
        "print([name for name in ('rich', 'libcst', 'ruamel.yaml', 'tree_sitter', 'tomllib',"
        " 'concurrent.futures', 'dockfix.rule', 'dockfix_codemods') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().rstrip().split("\n")[-1] == "[]"


@pytest.mark.parametrize("command", ["check", "apply"])
@pytest.mark.parametrize("paths", [(), ("Dockerfile",), ("missing", "b"), ("-",), ("-", "b"), ("",), ("check",)])
def test_paths_alone_mean_what_they_mean_beside_options(
    dockfix: Run, project: Path, command: str, paths: tuple[str, ...]
) -> None:
    """The first run has no options, and so no parser; the second says the default of one."""
    results = []
    for options in ((), ("--color", "auto")):
        for name in ("Dockerfile", "b/Dockerfile"):
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text("FROM a as b\nWORKDIR x\n", encoding="utf-8")
        done = dockfix(command, *options, *paths, stdin=b"FROM c as d\n")
        written = [path.read_bytes() for path in (project / "Dockerfile", project / "b/Dockerfile")]
        results.append((done.returncode, done.stdout, done.stderr, written))
    assert results[0] == results[1]


def test_targets_shows_what_builds_what(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\n", encoding="utf-8")
    (project / "compose.yaml").write_text("services: {web: {build: .}}\n", encoding="utf-8")
    shown = dockfix("targets")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"web (compose.yaml:1)" in shown.stdout
    data = json.loads(dockfix("targets", "--format", "json").stdout)
    assert [row["dockerfile"] for row in data["targets"]] == ["Dockerfile"]


def test_targets_of_a_broken_compose_file_are_an_input_error(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM a\n", encoding="utf-8")
    (project / "compose.yaml").write_text("services: [\n", encoding="utf-8")
    shown = dockfix("targets")
    assert shown.returncode == 2
    assert b"compose.yaml:" in shown.stderr
    assert b"Dockerfile" in shown.stdout


TWO = {
    "Dockerfile": "FROM a\n",
    "compose.yaml": "services: {web: {build: .}}\n",
    "ci/compose.yaml": "services: {job: {build: {context: .., target: x}}}\n",
}


def files(project: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")


def test_compose_files_that_are_named_are_the_only_ones(dockfix: Run, project: Path) -> None:
    files(project, TWO)
    assert dockfix("targets").stdout.count(b"compose.yaml:1)") == 2
    named = dockfix("targets", "--compose", "ci/compose.yaml").stdout
    assert b"job (ci/compose.yaml:1)" in named
    assert b"web" not in named


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--compose", "missing.yaml"), b"--compose: missing.yaml is not a file"),
        (("--compose", "/etc/passwd"), b"is outside the project root"),
        (("--compose", "compose.yaml", "--no-project"), b"cannot be combined"),
        (("--compose", ""), b"--compose: '' is not a file"),
        (("-f", "xml"), b"'--format' / '-f': 'xml' is not one of 'text', 'full', 'json'"),
        (("-o", ""), b"--output: '' is not the name of a file"),
    ],
)
def test_compose_files_that_cannot_be(dockfix: Run, project: Path, arguments: tuple[str, ...], message: bytes) -> None:
    files(project, TWO)
    done = dockfix("check", *arguments)
    assert (done.returncode, message in done.stderr) == (2, True)


BROKEN = [
    ("compose.yaml", "services:\n  a: [\n", 3),
    ("compose.yaml", "include:\n  - path: other/compose.yaml\n", 2),
    ("compose.yaml", "services:\n  a:\n    extends: b\n    build: .\n  b:\n    extends: a\n", None),
    ("compose.yaml", "services:\n  a:\n    build: ../../..\n", 3),
    ("docker-bake.hcl", 'target "a" {\n  context = \n}\n', None),
    ("docker-bake.hcl", 'target "a" {\n  inherits = ["b"]\n}\ntarget "b" {\n  inherits = ["a"]\n}\n', None),
    ("docker-bake.json", '{"target": {"a": \n', None),
    ("docker-bake.json", '{"target": {"a": {"context": "../.."}}}', 1),
]


@pytest.mark.parametrize(("name", "text", "line"), BROKEN)
def test_a_broken_project_file_is_one_error_and_the_dockerfiles_are_done(
    dockfix: Run, project: Path, name: str, text: str, line: int | None
) -> None:
    files(project, {name: text, "Dockerfile": "FROM a as b\n"})
    done = dockfix("apply")
    assert done.returncode == 2
    errors = [each for each in done.stderr.split(b"\n") if each.startswith(name.encode())]
    assert errors
    assert b"Traceback" not in done.stderr
    if line is not None:
        assert errors[0].startswith(f"{name}:{line}: ".encode())
    assert (project / "Dockerfile").read_bytes() == b"FROM a AS b\n"


def test_a_broken_file_elsewhere_is_told_and_does_not_fail_the_run(dockfix: Run, project: Path) -> None:
    files(project, {"a/Dockerfile": "FROM a\n", "b/compose.yaml": "services: [\n"})
    done = dockfix("check", "a")
    assert done.returncode == 0
    assert b"warning: b/compose.yaml" in done.stderr or b"b/compose.yaml" in done.stderr
    assert dockfix("check").returncode == 2


def test_a_crash_has_its_traceback_with_verbose(dockfix: Run, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM crash\n")
    for command in ("check", "apply"):
        done = dockfix(command, "--rule", "crasher")
        assert done.returncode == 3
        assert (
            b"defect in crasher (crash): LookupError: no such thing; its findings are incomplete;"
            b" please report this to the authors of the pack 'toys'"
        ) in done.stderr
        assert b"-v shows the traceback" in done.stderr
        assert b"Traceback" not in done.stderr
        done = dockfix(command, "--rule", "crasher", "-v")
        assert b"Traceback (most recent call last):" in done.stderr
        assert b'raise LookupError("no such thing")' in done.stderr
    defect = json.loads(dockfix("check", "--rule", "crasher", "-f", "json").stdout)["files"][0]["defects"][0]
    assert "in _crashes" in defect["traceback"]


def real(project: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run dockfix with the installed packs."""
    return subprocess.run([sys.executable, "-m", "dockfix", *arguments], cwd=project, capture_output=True, check=False)


def test_the_schema_of_the_installed_packs(project: Path) -> None:
    done = real(project, "rules", "--format", "schema")
    assert json.loads(done.stdout) == json.loads((files_of("dockfix") / "schema.json").read_text())


def test_the_file_of_an_option_is_read_and_a_bad_line_is_named(project: Path) -> None:
    (project / "dockfix.yaml").write_text("rules: {image-pin: {lock-file: images.lock}}\n")
    missing = real(project, "check")
    assert missing.returncode == 2
    assert b"images.lock" in missing.stderr
    (project / "images.lock").write_text("alpine:3@sha256:12\n")
    done = real(project, "check")
    assert done.returncode == 2
    assert b"images.lock:1: 'sha256:12' is not a sha256 digest" in done.stderr
    (project / "images.lock").write_text(f"alpine:3@sha256:{'1' * 64}\n")
    assert real(project, "check").returncode == 0


def test_a_wrong_option_names_its_key_and_line(project: Path) -> None:
    (project / "dockfix.toml").write_text('[rules.uid-map.users]\nweb = 10002\napp = "x"\n')
    done = real(project, "check")
    assert done.returncode == 2
    assert b'dockfix.toml:3: rules.uid-map.users.app must be a whole number, not "x"' in done.stderr


def test_extend_select_adds_a_rule_and_a_rule_without_its_options_is_noted(project: Path) -> None:
    (project / "dockfix.yaml").write_text("extend-select: [image-pin]\n")
    (project / "Dockerfile").write_text("FROM alpine:3\nRUN apk add curl\n")
    done = real(project, "check", "-f", "json")
    assert b"image-pin finds nothing: the configuration has no options for it (rules.image-pin)" in done.stderr
    (project / "images.lock").write_text(f"alpine:3@sha256:{'1' * 64}\n")
    (project / "dockfix.yaml").write_text("extend-select: [image-pin]\nrules: {image-pin: {lock-file: images.lock}}\n")
    done = real(project, "check", "-f", "json")
    assert done.stderr.count(b"finds nothing") == 0
    found = {each["rule"] for each in json.loads(done.stdout)["files"][0]["findings"]}
    assert {"image-pin", "apk-cache"} <= found
    only = real(project, "check", "-f", "json", "--rule", "apk-cache")
    assert {each["rule"] for each in json.loads(only.stdout)["files"][0]["findings"]} == {"apk-cache"}
