"""What README, CONTRIBUTING and ARCHITECTURE mention exists, and the code in CONTRIBUTING works."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from dockfix.rule import Category, Codemod, Effect, Preset, Severity
from dockfix.rule.registry import GROUP, load_registry
from dockfix.testing import Case, Kind, Variant, check_case, make_case, run_case

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    "examples/audit/README.md",
)
FOR_DEVELOPERS = ("CONTRIBUTING.md", "ARCHITECTURE.md")

FENCED = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)
NAMED = re.compile(r"^`(?P<name>[^`\n]+)`:\n\n(?P<fence>`{3,})[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Folders of the repository: what begins with one of them is a path.
FOLDERS = tuple(f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and path.name != ".venv")
# Files of the walk-through and of a reader's own project, and keys of a configuration.
OTHERS = {
    GROUP,
    "dockfix.toml",
    "dockfix.yaml",
    "dockfix.yml",
    "golden/author-label.md",
    "src/dockfix_author_label/author_label.py",
    "tests/test_author_label.py",
}


def prose(text: str) -> str:
    return FENCED.sub("", text)


def is_path(mention: str) -> bool:
    """Whether a mention is meant to be a file or folder of the repository."""
    return mention.startswith(FOLDERS) or (ROOT / mention).exists() or re.fullmatch(r"[A-Z]+\.md", mention) is not None


def missing_paths(text: str) -> list[str]:
    """The mentioned files and folders that do not exist; `<rule>` is any name."""
    patterns = {each: re.sub(r"<\w+>", "*", each).rstrip("/") for each in SPAN.findall(prose(text)) if is_path(each)}
    return sorted(each for each, pattern in patterns.items() if each not in OTHERS and not any(ROOT.glob(pattern)))


def resolves(name: str) -> bool:
    """Whether a dotted name is a module of dockfix, or something in one."""
    module, _, rest = name.partition(".")
    found: object = import_module(module)
    for part in rest.split(".") if rest else ():
        path = f"{module}.{part}"
        if hasattr(found, part):
            found = getattr(found, part)
        else:
            try:
                found = import_module(path)
            except ModuleNotFoundError:
                return False
        module = path
    return True


def missing_names(text: str) -> list[str]:
    """The mentioned names of dockfix that do not exist."""
    names = {each for each in SPAN.findall(prose(text)) if re.fullmatch(r"dockfix(_codemods)?(\.\w+)+", each)}
    return sorted(each for each in names - OTHERS if not resolves(each))


def heading_links(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(text), re.M)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


def test_the_readme_says_how_many_rules_there_are_and_which_are_off() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rules = load_registry().codemods
    assert f"yes, {len(rules)} rules, " in text
    paragraph = text[text.index("Rules that are off by default:") :].partition("\n\n")[0]
    strict, _, rest = paragraph.partition(" (in the preset `strict`)")
    for preset, part in ((Preset.STRICT, strict), (Preset.ALL, rest.partition(" (in `all`)")[0])):
        assert re.findall(r"`([a-z-]+)`", part) == [each.name for each in rules if each.preset is preset]


@pytest.mark.parametrize("document", FOR_DEVELOPERS)
def test_mentioned_paths_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert missing_paths(text) == []


@pytest.mark.parametrize("document", FOR_DEVELOPERS)
def test_mentioned_names_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert missing_names(text) == []


def test_what_does_not_exist_is_found() -> None:
    assert missing_paths("`src/dockfix/nowhere` `golden/<rule>.md` `NOTHING.md`") == [
        "NOTHING.md",
        "src/dockfix/nowhere",
    ]
    assert missing_names("`dockfix.syntax.nowhere.f` `dockfix.syntax.parser.parse`") == ["dockfix.syntax.nowhere.f"]


def contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text of a section of CONTRIBUTING."""
    return contributing().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def module(code: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module made from code of a document."""
    made = ModuleType("code_of_a_document")
    monkeypatch.setitem(sys.modules, made.__name__, made)  # where dataclasses look up their annotations
    exec(compile(code, "CONTRIBUTING.md", "exec"), made.__dict__)  # noqa: S102 - the code is ours
    return made


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    broken = []
    for target in LINK.findall(prose(path.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", target):
            continue
        name, _, heading = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (heading and heading not in heading_links(file.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_mentioned_targets_of_make_exist(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    mentioned = set(re.findall(r"^(?:    |\$ |`)?make (\w+)\b", (ROOT / document).read_text(encoding="utf-8"), re.M))
    assert mentioned <= set(re.findall(r"^(\w+):", makefile, re.M))


@pytest.mark.parametrize("document", FOR_DEVELOPERS)
def test_python_code_imports_what_exists(document: str) -> None:
    for block in FENCED.finditer((ROOT / document).read_text(encoding="utf-8")):
        if block["info"] != "python":
            continue
        for node in ast.walk(ast.parse(block["text"])):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockfix."):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                assert [name for name in names if not resolves(name)] == []


def test_the_python_code_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    blocks = [match["text"] for match in FENCED.finditer((ROOT / "README.md").read_text(encoding="utf-8"))]
    code = [text for text in blocks if text.startswith("import dockfix\n")]
    assert len(code) == 1
    exec(compile(code[0], "README.md", "exec"), {})  # noqa: S102 - the code is ours
    assert capsys.readouterr().out.startswith("['FROM', 'RUN']\n")


def test_the_entry_point_group_exists() -> None:
    assert "builtin" in entry_points(group=GROUP).names


STEP = re.compile(NAMED.pattern + r"|^(?P<other>`{3,}).*?^(?P=other)$|^    (?P<command>\S[^\n]*)$", re.M | re.S)


def install_in_place(pack: Path) -> None:
    """What `pip install -e` does for the entry point, without a package index."""
    installed = pack / "src" / "walk_through-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: walk-through\nVersion: 1\n")
    points = tomllib.loads((pack / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"][GROUP]
    lines = [f"[{GROUP}]", *(f"{name} = {value}" for name, value in points.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines))


def walk_through() -> str:
    """The section "Write a rule"; headings in its blocks are those of files."""
    return contributing().partition("\n## Write a rule\n")[2].partition("\n## Rules about RUN commands\n")[0]


def test_the_walk_through_works(tmp_path: Path) -> None:
    """The section "Write a rule" in its order, from an empty folder: each command is run, and each file written."""
    folder = tmp_path
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "-q -p no:cacheprovider -n0",
        "PYTHONPATH": str(tmp_path / "dockfix-author-label" / "src"),
    }

    def run(command: str, *, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in codes, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    commands: list[str] = []
    written: list[str] = []
    for step in STEP.finditer(walk_through()):
        if step["name"] is not None:
            assert (folder / step["name"]).is_file(), f"dockfix new does not write {step['name']}"
            (folder / step["name"]).write_text(step["text"], encoding="utf-8")
            written.append(step["name"])
        elif (command := step["command"]) is not None:
            commands.append(command)
            if command.startswith("cd "):
                folder /= command.removeprefix("cd ")
            elif command.startswith("pip install -e "):
                install_in_place(folder)
            else:
                run(command, codes=(0, 1) if command.endswith("--update-golden=create") else (0,))
    assert commands == [
        "dockfix new author-label", "cd dockfix-author-label", "pip install -e '.[dev]'", "pytest",
        "pytest golden --update-golden=create", "pytest golden",
    ]  # fmt: skip
    assert len(written) == 3
    run("pytest")
    golden = (folder / "golden" / "author-label.md").read_text(encoding="utf-8")
    assert '+LABEL org.opencontainers.image.authors="Ada Lovelace <ada@example.org>"' in golden
    assert '+LABEL maintainer="Ada Lovelace"' in golden
    assert "note: a `LABEL` would expand or unquote the name" in golden
    assert "author-label" in run("dockfix rules")
    assert "is deprecated" in run("dockfix explain author-label")

    # the option, in the configuration of a project
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM alpine:3.22\nMAINTAINER Ada\n")
    (configuration,) = (each["text"] for each in FENCED.finditer(walk_through()) if each["info"] == "toml")
    (folder / "pyproject.toml").write_text(configuration)
    assert '+LABEL maintainer="Ada"\n' in run("dockfix apply --diff --rule author-label", codes=(1,))


def test_a_missing_effect_is_reported_as_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {match["name"]: match["text"] for match in NAMED.finditer(contributing())}
    rule = module(files["src/dockfix_author_label/author_label.py"], monkeypatch).CODEMOD
    undeclared = replace(rule, effects=rule.effects - {Effect.STEPS})
    case = make_case({"Dockerfile": "FROM alpine\nMAINTAINER Ada\n"}, rule=rule.name)
    (quoted,) = re.findall(r"^  `(defect of .*)`\.$", contributing(), re.M)
    assert quoted in run_case(case, undeclared).complaints
    assert run_case(case, rule).complaints == ()


DOCKERFILE_OF_RUNS = """\
FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN apt-get update && apt-get -y install \\
      git \\
      make
RUN sh -c 'apt-get install -y gcc'
RUN <<EOF
apt-get install -y wget
EOF
RUN apt-get install -y --no-install-recommends nano
RUN ["apt-get", "install", "-y", "jq"]
"""


@pytest.mark.parametrize("variant", Variant)
def test_the_rule_about_run_commands_works(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (block["text"] for block in FENCED.finditer(section("Rules about RUN commands")))
    declared = re.search(r"^Its `Codemod` has `effects=(.*)` and `triggers=(.*)`\.$", contributing(), re.M)
    assert declared is not None
    assert declared[1] == "frozenset({Effect.COMMANDS})"
    rule = Codemod(
        name="apt-recommends",
        title="apt-get installs recommended packages",
        severity=Severity.INFO,
        category=Category.SIZE,
        effects=frozenset({Effect.COMMANDS}),
        check=module(code, monkeypatch).check,
        since="0.1.0",
        triggers=ast.literal_eval(declared[2]),
    )
    found = run_case(case_of_runs(), rule)
    added = [line[1:] for line in found.diff.split("\n") if re.match(r"\+(?!\+\+)", line)]
    assert added == [
        "RUN apt-get update && apt-get install --no-install-recommends -y curl",
        "RUN apt-get update && apt-get -y install --no-install-recommends \\",
        "RUN sh -c 'apt-get install --no-install-recommends -y gcc'",
        "apt-get install --no-install-recommends -y wget",
    ]
    check_case(case_of_runs(found.diff, found.findings), rule, variant)


def case_of_runs(diff: str = "", findings: str = "") -> Case:
    return make_case(
        {"Dockerfile": DOCKERFILE_OF_RUNS}, rule="apt-recommends", kind=Kind.FIX, diff=diff, findings=findings
    )


def test_the_table_of_effects_is_complete() -> None:
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", section("Effects"), re.M)
    names = [name for row in rows for name in re.findall(r"\w+", row)]
    assert sorted(names) == sorted(effect.name for effect in Effect)
