"""A builder in Python for tests: it has files, layers and a cache, and a small language for RUN.

`RUN` commands, joined with `&&`: `write PATH TEXT`, `remove PATH`, `need PATH` (fails if it is missing), `random PATH`
(another content in each build), `fail WORDS`, `leak` (fails with the arguments and secrets of the build), `hang`
(reaches the time limit). Anything else does nothing. A container runs if the first word of its command is a file of the
image; its health check passes if its last word is one.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Arg, Cmd, Copy, Entrypoint, Env, From, Healthcheck, Instruction, Run, User
from dockfix.verify.model import BuildOutcome, BuildRequest, OnLine, Start, StartOutcome, Step

Layer = Mapping[str, bytes | None]
"""The files of a layer; None for a file that it removes."""


class BuildFailedError(Exception):
    pass


@dataclass
class FakeImage:
    layers: list[Layer] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        merged: dict[str, bytes] = {}
        for layer in self.layers:
            for path, data in layer.items():
                if data is None:
                    merged.pop(path, None)
                else:
                    merged[path] = data
        return merged


@dataclass
class FakeBuilder:
    """The builder. `requests` are the builds that it was asked for, `texts` the Dockerfiles of these."""

    name: str = "fake"
    version: str = "1.0"
    images: dict[str, FakeImage] = field(default_factory=dict)
    cache: dict[str, Layer] = field(default_factory=dict)
    requests: list[BuildRequest] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    contexts: list[dict[str, bytes]] = field(default_factory=list)
    closed: bool = False
    numbers: Any = field(default_factory=itertools.count)

    def build(self, request: BuildRequest, on_line: OnLine | None = None) -> BuildOutcome:
        text = request.dockerfile.read_text(encoding="utf-8")
        self.requests.append(request)
        self.texts.append(text)
        files = _files(request.context, ".")
        self.contexts.append({str(path.relative_to(request.context)): path.read_bytes() for path in files})
        steps: list[Step] = []
        image, key = FakeImage(), ""
        try:
            instructions = parse(text).instructions
            for number, instruction in enumerate(instructions, 1):
                if on_line is not None:
                    on_line(f"STEP {number}/{len(instructions)}: {instruction.name}")
                key = self._step(request, instruction, image, key, steps)
        except BuildFailedError as error:
            return BuildOutcome(False, 0.1 * len(steps), tuple(steps), text, str(error), str(error) == "time limit")
        self.images[request.tag] = image
        return BuildOutcome(True, 0.1 * len([step for step in steps if not step.cached]), tuple(steps), text)

    def _step(
        self, request: BuildRequest, instruction: Instruction, image: FakeImage, key: str, steps: list[Step]
    ) -> str:
        words = [word.text for word in instruction.args]
        match instruction:
            case From():
                image.layers.clear()
                image.config.clear()
            case Run():
                script = instruction.script.text if instruction.script else ""
                return self._layer(f"{key} RUN {script}", image, steps, script, request)
            case Copy():
                copied = {
                    f"{words[-1].rstrip('/')}/{path.name}": path.read_bytes()
                    for word in words[:-1]
                    for path in _files(request.context, word)
                }
                digest = hashlib.sha256(repr(sorted(copied.items())).encode()).hexdigest()
                key = f"{key} COPY {words} {digest}"
                steps.append(Step(f"COPY {' '.join(words)}", key in self.cache and not request.no_cache))
                self.cache[key] = copied
                image.layers.append(copied)
            case Arg():
                key = f"{key} ARG {words} {[request.args.get(word.partition('=')[0]) for word in words]}"
            case Env():
                image.config.setdefault("Env", []).extend(words)
            case User():
                image.config["User"] = words[0]
            case Cmd() | Entrypoint():
                value = list(instruction.argv or ()) if instruction.json else ["/bin/sh", "-c", " ".join(words)]
                image.config["Cmd" if isinstance(instruction, Cmd) else "Entrypoint"] = value
            case Healthcheck():
                image.config["Healthcheck"] = {"Test": ["CMD-SHELL", " ".join(words[1:])]}
            case _:
                pass
        return key

    def _layer(self, key: str, image: FakeImage, steps: list[Step], script: str, request: BuildRequest) -> str:
        cached = key in self.cache and not request.no_cache
        steps.append(Step(f"RUN {script}", cached))
        if not cached:
            self.cache[key] = self._run(script, image, request)
        image.layers.append(self.cache[key])
        return key

    def _run(self, script: str, image: FakeImage, request: BuildRequest) -> Layer:
        layer: dict[str, bytes | None] = {}
        for command in script.split("&&"):
            match shlex.split(command):
                case ["write", path, *text]:
                    layer[path] = " ".join(text).encode()
                case ["remove", path]:
                    layer[path] = None
                case ["need", path] if {**image.files, **layer}.get(path) is None:
                    raise BuildFailedError(f"{path} is missing")
                case ["random", path]:
                    layer[path] = f"number {next(self.numbers)}".encode()
                case ["leak"]:
                    files = [each.file.read_text(encoding="utf-8") for each in request.secrets if each.file]
                    names = [os.environ[each.env] for each in request.secrets if each.env]
                    raise BuildFailedError(" ".join([*map(str, request.args.values()), *names, *files]).strip())
                case ["hang"]:
                    raise BuildFailedError("time limit")
                case ["fail-later", count] if next(self.numbers) >= int(count):
                    raise BuildFailedError("failed")
                case ["fail", *words]:
                    raise BuildFailedError(" ".join(words) or "failed")
                case _:
                    pass
        return layer

    def export(self, tag: str, folder: Path) -> Path:
        image = self.images[tag]
        config = {"config": image.config, "rootfs": {"type": "layers"}, "architecture": "amd64", "os": "linux"}
        names = []
        with tarfile.open(folder / "image.tar", "w") as archive:
            for number, layer in enumerate(image.layers):
                names.append(f"{number}/layer.tar")
                _add(archive, names[-1], _tar(layer))
            _add(archive, "config.json", json.dumps(config).encode())
            manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": names}]
            _add(archive, "manifest.json", json.dumps(manifest).encode())
        return folder / "image.tar"

    def start(self, tag: str, start: Start) -> StartOutcome:
        files = self.images[tag].files
        if not start.command or start.command[0] not in files:
            return StartOutcome(False, exit_code=127, output="no such program")
        code = None
        if start.health:
            code = 0 if start.health[-1].split()[-1] in files else 1
        return StartOutcome(True, health_code=code)

    def remove(self, tag: str) -> None:
        self.images.pop(tag, None)

    def close(self) -> None:
        self.closed = True
        self.images.clear()


def _files(context: Path, word: str) -> list[Path]:
    place = context / word
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def _tar(layer: Layer) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in layer.items():
            place = Path(path.lstrip("/"))
            name = str(place if data is not None else place.with_name(f".wh.{place.name}"))
            _add(archive, name, data or b"")
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
