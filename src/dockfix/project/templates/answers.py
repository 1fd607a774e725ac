"""What a template is filled in with, and the answers that a project's manifests suggest.

Manifests are read as data. A value is used only if it matches a strict pattern, since it goes into a Dockerfile.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from dockfix.project.files import read_file
from dockfix.project.problems import InputError, closest
from dockfix.project.toml import TomlError, parse_toml

TEMPLATES: Final[Mapping[str, str]] = {
    "python": "a Python service with uv, pip or Poetry, in a virtual environment on python:slim",
    "node": "a Node.js service with npm, pnpm or Yarn 1, built and pruned, on node:slim",
    "go": "a Go program, static, on distroless",
    "rust": "a Rust program, built with the lock file, on distroless",
    "java": "a Java service with Maven or the Gradle wrapper, on the JRE of Eclipse Temurin",
}
"""The templates, each with its purpose."""
PACKAGE_MANAGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "python": ("uv", "pip", "poetry"),
    "node": ("npm", "pnpm", "yarn"),
    "go": ("go",),
    "rust": ("cargo",),
    "java": ("maven", "gradle"),
}
"""The package managers of each template; the first is the default."""
PNPM: Final = "10.34.9"
_VERSIONS: Final = {"python": "3.13", "node": "22", "go": "1.24", "rust": "1.95", "java": "21"}
_PORTS: Final = {"python": 8000, "node": 3000, "go": 8080, "rust": 8080, "java": 8080}
# hub.docker.com/_/eclipse-temurin: other versions have no maintained JRE image
_JAVA_LTS: Final = ("8", "11", "17", "21", "25")
_LOWEST_ID: Final = 10000
_HIGHEST_ID: Final = 60000

_NAME: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
_VERSION: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,2}\Z", re.ASCII)
_FILE: Final = re.compile(r"(?![./-])[A-Za-z0-9_.@/-]{1,200}\Z")
_GO_PACKAGE: Final = re.compile(r"\.(?:/[A-Za-z0-9_.-]+)*\Z")
_RUST_BINARY: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z")
_JAVA_VERSION: Final = re.compile(r"\d{1,2}\Z", re.ASCII)
_JAR: Final = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_*-][A-Za-z0-9_.*-]{0,100}\.jar\Z")
_NODE_START: Final = re.compile(r"node\s+(?P<file>\S+)\s*\Z")


class InitError(ValueError):
    """An answer that cannot be used in a Dockerfile; the message says which and why, in one line."""


class Answers(Struct, frozen=True):
    """What a template is filled in with.

    `port` 0 means that nothing listens: then there is no EXPOSE, and HEALTHCHECK is NONE. `command` are the words that
    start the program; for Go the package that is built, for Rust the binary, for Java the jar that the build makes (it
    may be a pattern), as its one word. `build`: a `package.json` has a build script. `pnpm` is the version of pnpm.
    """

    template: str
    name: str
    version: str
    package_manager: str
    port: int
    command: tuple[str, ...]
    uid: int = _LOWEST_ID + 1
    build: bool = False
    pnpm: str = PNPM


_MANIFESTS: Final[Mapping[str, Sequence[str]]] = {
    "python": ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile"),
    "node": ("package.json",),
    "go": ("go.mod",),
    "rust": ("Cargo.toml",),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
}


def likely_template(folder: Path) -> str | None:
    """The template that a folder's manifests suggest; `None` for none or several."""
    found = [each for each, names in _MANIFESTS.items() if any((folder / name).is_file() for name in names)]
    return found[0] if len(found) == 1 else None


def command_words(text: str) -> tuple[str, ...]:
    """A command as its words, as a shell would split it.

    Raises:
        InitError: a quotation mark is not closed, or nothing is left.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        if "escape" in str(error):
            raise InitError(f"the command {text!r} ends in a backslash that escapes nothing") from error
        raise InitError(f"the command {text!r} has a quotation mark that is not closed") from error
    if not words:
        raise InitError("the command is empty")
    return words


def suggest(template: str, folder: Path, name: str | None = None) -> Answers:
    """The answers that a folder's manifests suggest; defaults where they say nothing.

    Args:
        template: the name of the template.
        folder: the project's folder.
        name: the name of the image, if it is known already.

    Raises:
        InitError: there is no such template.
    """
    check_template(template)
    plain = Answers(
        template,
        name or _as_name(folder.name),
        _VERSIONS[template],
        PACKAGE_MANAGERS[template][0],
        _PORTS[template],
        (),
    )
    found = {"python": _python, "node": _node, "go": _go, "rust": _rust, "java": _java}[template](plain, folder)
    return found if name is None else replace(found, name=name)


def with_manager(answers: Answers, manager: str) -> Answers:
    """The answers with another package manager; the default jar of one becomes that of the other."""
    if answers.template == "java" and answers.command == (_JARS.get(answers.package_manager),):
        answers = replace(answers, command=(_JARS.get(manager, answers.command[0]),))
    return replace(answers, package_manager=manager)


LOCKS: Final = {"npm": "package-lock.json", "pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock"}
_JARS: Final = {"maven": "target/*.jar", "gradle": "build/libs/*.jar"}


def check_template(name: str) -> None:
    """Check that there is a template of a name.

    Raises:
        InitError: there is none; the message suggests the closest one.
    """
    if name not in TEMPLATES:
        close = closest(name, TEMPLATES)
        hint = f"did you mean {close!r}?" if close else f"there are {', '.join(TEMPLATES)}"
        raise InitError(f"there is no template {name!r}; {hint}")


def check(answers: Answers) -> None:
    """Check that the answers can be used.

    Raises:
        InitError: one of them cannot.
    """
    check_template(answers.template)
    managers = PACKAGE_MANAGERS[answers.template]
    if answers.package_manager not in managers:
        raise InitError(f"the package manager is one of {', '.join(managers)}, not {answers.package_manager!r}")
    if not _NAME.match(answers.name):
        raise InitError(
            f"the name {answers.name!r} is not a valid image name: lower case, digits, and - _ . between them"
        )
    if not _VERSION.match(answers.version) or not _VERSION.match(answers.pnpm):
        raise InitError(f"the version {answers.version!r} is not of the form 3 or 3.13 or 3.13.1")
    if not 0 <= answers.port <= 65535:
        raise InitError(f"the port {answers.port} is not between 1 and 65535 (0: nothing listens)")
    if not _LOWEST_ID <= answers.uid <= _HIGHEST_ID:
        raise InitError(f"the uid {answers.uid} is not between {_LOWEST_ID} and {_HIGHEST_ID}")
    if not answers.command or not answers.command[0]:
        raise InitError("the command is empty")
    if any("$" in word or not word.isprintable() for word in answers.command):
        raise InitError("the command has `$` or a control character, which no shell would expand")
    if answers.template == "go" and not (len(answers.command) == 1 and _GO_PACKAGE.match(answers.command[0])):
        raise InitError(f"{' '.join(answers.command)!r} is not a package of the module: . or ./cmd/NAME")
    if answers.template == "rust" and not (len(answers.command) == 1 and _RUST_BINARY.match(answers.command[0])):
        raise InitError(f"{' '.join(answers.command)!r} is not a binary of the project: letters, digits, - and _")
    if answers.template == "java":
        _check_java(answers)


def _check_java(answers: Answers) -> None:
    if not _JAVA_VERSION.match(answers.version):
        raise InitError(f"the version {answers.version!r} of Java is not of the form 21")
    if not (len(answers.command) == 1 and _JAR.match(answers.command[0])):
        raise InitError(f"{' '.join(answers.command)!r} is not a jar below the project's folder, such as target/*.jar")


def _as_name(text: str) -> str:
    """A name for an image, from any text: `@Acme/Web App` is `acme-web-app`."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
    return name or "app"


def _python(answers: Answers, folder: Path) -> Answers:
    document = _toml(folder, "pyproject.toml")
    project = _table(document, "project")
    poetry = _table(_table(document, "tool"), "poetry")
    manager = "uv"
    if (folder / "poetry.lock").exists() or (poetry and not (folder / "uv.lock").exists()):
        manager = "poetry"
    elif not document and (folder / "requirements.txt").exists():
        manager = "pip"
    named = project.get("name", poetry.get("name"))
    name = _as_name(named) if isinstance(named, str) else answers.name
    pinned = re.match(r"(?:cpython-)?(3\.\d{1,2})(?:\.\d+)?\s*\Z", _read(folder, ".python-version") or "")
    wanted = re.match(r"\s*[~=>]=\s*(3\.\d{1,2})\b", str(project.get("requires-python", "")))
    version = answers.version
    if pinned:
        version = pinned[1]
    elif wanted and int(wanted[1][2:]) > int(version[2:]):
        version = wanted[1]
    scripts = [key for key in _table(project, "scripts") if _FILE.match(key) and "/" not in key]
    # a package below src can only be imported once it is installed, which needs a build system
    tops = [folder, folder / "src"] if poetry or "build-system" in document else [folder]
    module = _python_module(tops, [name, answers.name, _as_name(folder.name)])
    command = (scripts[0],) if scripts and manager != "pip" else ("python", "-m", module)
    return replace(answers, name=name, version=version, package_manager=manager, command=command)


_RUN_FILES: Final = ("__main__", "main", "app", "server", "cli")
_OTHER_PACKAGES: Final = frozenset(
    {"test", "tests", "testing", "docs", "doc", "examples", "scripts", "tools", "migrations"}
)


def _python_module(tops: Sequence[Path], names: Sequence[str]) -> str:
    """The module that `python -m` runs: the package of one of `names`, or the only package, or a usual file.

    A package runs by its `__main__.py`; without it, by one of its usual modules.
    """
    wanted = [name.replace("-", "_").replace(".", "_") for name in names]
    packages: dict[str, Path] = {}
    for top in tops:
        for each in sorted(top.iterdir()) if top.is_dir() else ():
            is_package = any((each / f"{file}.py").is_file() for file in ("__init__", "__main__"))
            if is_package and each.name.isidentifier() and each.name.lower() not in _OTHER_PACKAGES:
                packages.setdefault(each.name, each)
    chosen = next((name for name in wanted if name in packages), None)
    if chosen is None and len(packages) == 1:
        chosen = next(iter(packages))
    if chosen is not None:
        file = next((name for name in _RUN_FILES if (packages[chosen] / f"{name}.py").is_file()), "__main__")
        return chosen if file == "__main__" else f"{chosen}.{file}"
    alone = next((name for name in [*wanted, *_RUN_FILES] if (tops[0] / f"{name}.py").is_file()), None)
    return alone or (wanted[0] if wanted[0].isidentifier() else "app")


def _node(answers: Answers, folder: Path) -> Answers:
    try:
        document = json.loads((_read(folder, "package.json") or "{}").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        document = {}
    document = document if isinstance(document, dict) else {}
    named, wanted = document.get("name"), str(document.get("packageManager", ""))
    asked, _, version = wanted.partition("@")
    version = version.partition("+")[0]
    manager = next((each for each, lock in LOCKS.items() if (folder / lock).exists()), "npm")
    if asked in LOCKS:
        manager = asked
    scripts = _table(document, "scripts")
    start = _NODE_START.match(str(scripts.get("start", "")))
    file = (start["file"] if start else document.get("main")) or "server.js"
    file = file.removeprefix("./") if isinstance(file, str) else ""
    node = re.match(r"v?(\d{1,2})(?:\.\d+)*\s*\Z", _read(folder, ".nvmrc") or "", re.ASCII)
    return replace(
        answers,
        name=_as_name(named) if isinstance(named, str) else answers.name,
        version=node[1] if node else answers.version,
        package_manager=manager,
        command=("node", file if _FILE.match(file) else "server.js"),
        build=isinstance(scripts.get("build"), str),
        pnpm=version if asked == "pnpm" and _VERSION.match(version) else PNPM,
    )


def _go(answers: Answers, folder: Path) -> Answers:
    text = _read(folder, "go.mod") or ""
    module = re.search(r"^module[ \t]+\"?([\w./~-]+)", text, re.MULTILINE | re.ASCII)
    version = re.search(r"^(?:toolchain[ \t]+go|go[ \t]+)(1\.\d{1,3})\b", text, re.MULTILINE | re.ASCII)
    last = re.sub(r"/v\d+\Z", "", module[1]).rpartition("/")[2] if module else ""
    name = _as_name(last) if last else answers.name
    command = f"./cmd/{name}" if (folder / "cmd" / name).is_dir() else "."
    wanted = version[1] if version and int(version[1][2:]) > int(answers.version[2:]) else answers.version
    return replace(answers, name=name, version=wanted, command=(command,))


def _rust(answers: Answers, folder: Path) -> Answers:
    """The binary is `default-run`, else the first `[[bin]]`, else that of the package's name (doc.rust-lang.org/cargo/
    reference/manifest.html, cargo-targets.html). The version is the one that rust-toolchain.toml asks for, since
    rustup would download it during the build; else `rust-version`, if it is newer than the template's."""
    package, binaries, wanted = _cargo_manifest(folder)
    named = package.get("name")
    binary = next(
        (each for each in (package.get("default-run"), *binaries, named) if isinstance(each, str)), answers.name
    )
    asked = _toml(folder, "rust-toolchain.toml")
    channel = _table(asked, "toolchain").get("channel")
    pinned = re.match(r"1\.\d{1,3}(?:\.\d{1,3})?\Z", channel, re.ASCII) if isinstance(channel, str) else None
    version = answers.version
    if pinned:
        version = pinned[0]
    elif wanted and int(wanted[1]) > int(version[2:]):
        version = f"1.{wanted[1]}"
    return replace(
        answers,
        name=_as_name(named) if isinstance(named, str) else answers.name,
        version=version,
        command=(binary if _RUST_BINARY.match(binary) else "app",),
    )


def _java(answers: Answers, folder: Path) -> Answers:
    """Only which files there are says whether it is Maven or Gradle: pom.xml is XML, and build.gradle a program."""
    gradle = any((folder / each).is_file() for each in ("gradlew", "build.gradle", "build.gradle.kts"))
    manager = "gradle" if gradle and not (folder / "pom.xml").is_file() else "maven"
    pinned = re.match(r"(\d{1,2})(?:\.\d+)*\s*\Z", _read(folder, ".java-version") or "", re.ASCII)
    version = pinned[1] if pinned and pinned[1] in _JAVA_LTS else answers.version
    return replace(answers, version=version, package_manager=manager, command=(_JARS[manager],))


def _cargo_manifest(folder: Path) -> tuple[dict[str, Any], list[object], re.Match[str] | None]:
    """`[package]` of a Cargo.toml, the names of its binaries, and its `rust-version`, the minor number as group 1."""
    document = _toml(folder, "Cargo.toml")
    package = _table(document, "package")
    tables = document.get("bin")
    binaries = [each.get("name") for each in tables if isinstance(each, dict)] if isinstance(tables, list) else []
    version = package.get("rust-version")
    wanted = re.match(r"1\.(\d{1,3})(?:\.\d{1,3})?\Z", version, re.ASCII) if isinstance(version, str) else None
    return package, binaries, wanted


def _toml(folder: Path, name: str) -> dict[str, Any]:
    """A TOML file of a folder; empty if it is missing or cannot be read."""
    with suppress(TomlError):
        return parse_toml(_read(folder, name) or "")
    return {}


def _read(folder: Path, name: str) -> str | None:
    """A manifest of a folder as text; `None` if it is missing or cannot be read."""
    path = folder / name
    if not path.is_file():
        return None
    try:
        return read_file(path, root=folder.resolve()).text
    except InputError:
        return None


def _table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
