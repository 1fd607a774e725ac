"""New Dockerfiles from templates (`dockfix init`): the texts for a set of answers.

- `answers`: what a template is filled in with, and what a project's manifests suggest for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from dockfix.project.templates.answers import (
    LOCKS,
    PACKAGE_MANAGERS,
    TEMPLATES,
    Answers,
    InitError,
    check,
    check_template,
    command_words,
    likely_template,
    suggest,
    with_manager,
)
from dockfix.project.writing import NewFile, replace_file, write_files

__all__ = [
    "PACKAGE_MANAGERS", "TEMPLATES", "Answers", "InitError", "Skeleton", "check", "check_template", "command_words",
    "likely_template", "render", "suggest", "with_manager", "write",
]  # fmt: skip

UV: Final = "0.13.9"
POETRY: Final = "2.5.1"


class Skeleton(Struct, frozen=True):
    """The texts of a new Dockerfile and `.dockerignore`, and what the Dockerfile needs and the folder lacks."""

    dockerfile: str
    dockerignore: str
    missing: tuple[str, ...] = field(default=())


def render(answers: Answers, folder: Path | None = None) -> Skeleton:
    """The Dockerfile and the `.dockerignore` for answers.

    Raises:
        InitError: an answer cannot be used.
    """
    check(answers)
    template = answers.template
    parts = {
        "NAME": answers.name,
        "VERSION": answers.version,
        "UID": str(answers.uid),
        "UV": UV,
        "POETRY": POETRY,
        "PURPOSE": _PURPOSES[template],
        "COMMAND": json.dumps(answers.command, ensure_ascii=True),
        "PACKAGE": answers.command[0],
        "BINARY": answers.command[0],
        "JAR": answers.command[0],
    }
    port = _port(template, answers.port)
    name = f"{template}-{answers.package_manager}" if template in ("python", "java") else template
    text = _text(name).replace("@HEAD@", _text("head")).replace("@PYTHON_FINAL@\n", _text("python-final"))
    text = text.replace("@JAVA_FINAL@\n", _text("java-final"))
    text = text.replace("@PORT@\n", f"{port}\n")
    if template == "node":
        text = _node_steps(text, answers)
    for key, value in parts.items():
        text = text.replace(f"@{key}@", value)
    ignore = _text("dockerignore").replace("@LEFTOVERS@", "\n".join(_LEFTOVERS[template]))
    needed = _needed(answers)
    return Skeleton(text, ignore, tuple(each for each in needed if folder is not None and not (folder / each).exists()))


def write(skeleton: Skeleton, output: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write a Dockerfile, and a `.dockerignore` next to it if there is none; return the files written.

    Raises:
        InitError: the file exists, and not `force`.
        InputError: a file cannot be written, and none is, unless `force` has overwritten the first.
        OSError: the file that exists cannot be overwritten.
    """
    ignore = output.parent / ".dockerignore"
    new = [] if os.path.lexists(ignore) else [(_new(ignore), skeleton.dockerignore.encode())]
    if force and os.path.lexists(output):
        replace_file(Path(os.path.realpath(output)), skeleton.dockerfile.encode())
    elif os.path.lexists(output):
        raise InitError(f"{output} exists; --force overwrites it")
    else:
        new.insert(0, (_new(output), skeleton.dockerfile.encode()))
    write_files(new)
    return (output, ignore) if _new(ignore) in dict(new) else (output,)


def _new(path: Path) -> NewFile:
    return NewFile(path, Path(os.path.realpath(path.parent), path.name))


_PURPOSES: Final[Mapping[str, str]] = {
    "python": "a Python service",
    "node": "a Node.js service",
    "go": "a Go program",
    "rust": "a Rust program",
    "java": "a Java service",
}
_LEFTOVERS: Final[Mapping[str, Sequence[str]]] = {
    "python": (
        ".venv",
        "venv",
        "**/__pycache__",
        "**/*.py[cod]",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        "dist",
    ),
    "node": ("**/node_modules", "dist", "build", ".next", "coverage", "npm-debug.log*"),
    "go": ("bin", "*.test", "*.out", "coverage*"),
    "rust": ("target", "**/*.rs.bk"),
    "java": ("target", "build", ".gradle", "*.log"),
}
_JAVA_NEEDS: Final = {
    "maven": ("pom.xml",),
    "gradle": ("gradlew", "gradle/wrapper/gradle-wrapper.jar", "gradle/wrapper/gradle-wrapper.properties"),
}
_CACHES: Final = {
    "npm": "/root/.npm",
    "pnpm": "/root/.local/share/pnpm/store",
    "yarn": "/usr/local/share/.cache/yarn/v6",
}
_INSTALLS: Final = {
    "npm": "npm ci",
    "pnpm": "pnpm install --frozen-lockfile",
    "yarn": "yarn install --frozen-lockfile",
}
_PRUNES: Final = {
    "npm": "npm prune --omit=dev",
    "pnpm": "CI=true pnpm prune --prod",
    "yarn": "yarn install --frozen-lockfile --production --ignore-scripts",
}
_PNPM_SETUP: Final = """
# pnpm at a fixed version; its cache is a mount, so that it is in no layer
RUN --mount=type=cache,target=/root/.npm \\
    npm install --global pnpm@@PNPM@

"""


def _text(name: str) -> str:
    return (resources.files("dockfix.project") / "templates" / f"{name}.txt").read_text(encoding="utf-8")


def _port(template: str, port: int) -> str:
    """The lines about what listens, and how a health check asks it. Programs on distroless have their own check."""
    own_check = template in ("go", "rust")
    if not port:
        return "" if own_check else _text("no-port").rstrip("\n") + "\n"
    text = "\nEXPOSE @PORT@\n\n" if own_check else _text(f"{template}-port")
    return text.replace("@PORT@", str(port)).rstrip("\n") + "\n"


def _node_steps(text: str, answers: Answers) -> str:
    manager = answers.package_manager
    setup = _PNPM_SETUP.replace("@PNPM@", answers.pnpm).removesuffix("\n") if manager == "pnpm" else ""
    steps = [f"{manager} run build"] if answers.build else []
    mount = [f"--mount=type=cache,target={_CACHES[manager]} \\\n    "] if manager == "yarn" else []
    values = {
        "SETUP": setup,
        # pnpm 10 keeps its settings in that file; the pattern makes it optional
        "LOCK": LOCKS[manager] + (" pnpm-workspace.yaml*" if manager == "pnpm" else ""),
        "CACHE": _CACHES[manager],
        "INSTALL": _INSTALLS[manager],
        "BUILD": "".join(mount) + " && \\\n    ".join([*steps, _PRUNES[manager]]),
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _needed(answers: Answers) -> tuple[str, ...]:
    if answers.template == "go":
        return ("go.mod",)
    if answers.template == "rust":
        return ("Cargo.toml", "Cargo.lock")
    if answers.template == "java":
        return _JAVA_NEEDS[answers.package_manager]
    if answers.template == "node":
        return ("package.json", LOCKS[answers.package_manager])
    return {"uv": ("pyproject.toml", "uv.lock"), "pip": ("requirements.txt",)}.get(
        answers.package_manager, ("pyproject.toml", "poetry.lock")
    )
