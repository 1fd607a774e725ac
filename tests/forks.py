"""Runs of a program without the start of an interpreter: a process that has loaded dockfix forks for each run."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pkgutil
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType

import dockfix

# What dockfix imports late, and what takes longest to import.
_PRELOADED = ("hcl2", "json", "rich.console", "ruamel.yaml", "tree_sitter_bash", "typer")
_AT_START = ("PYTHON", "LC_", "LANG")


class Forks:
    """A program that can be run many times; what a run prints and returns is what a process of its own would."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server is not None:
            self._server.communicate()  # it ends when its input does

    def run(
        self, arguments: Sequence[str | bytes], *, cwd: Path, env: Mapping[str, str], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program once."""
        if _read_at_start(env) != _read_at_start(os.environ):  # a fork would not notice
            command = [sys.executable, str(self._program), *arguments]
            return subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, check=False)
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("in", "out", "err")]
            files[0].write_bytes(stdin)
            request = [[os.fsdecode(each) for each in arguments], str(cwd), dict(env), [str(file) for file in files]]
            code = self._ask(json.dumps(request))
            return subprocess.CompletedProcess(arguments, code, files[1].read_bytes(), files[2].read_bytes())

    def _ask(self, request: str) -> int:
        if self._server is None:
            command = [sys.executable, "-P", __file__, str(self._program)]
            self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{request}\n".encode())
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that only the start of an interpreter reads."""
    return {name: value for name, value in env.items() if name.startswith(_AT_START)}


def _serve(program: str) -> None:
    for module in pkgutil.walk_packages(dockfix.__path__, "dockfix."):
        if not module.name.startswith(("dockfix.__main__", "dockfix.testing")):
            import_module(module.name)
    for name in _PRELOADED:
        import_module(name)
    gc.freeze()  # a collection in a fork would copy all pages of memory
    with os.fdopen(os.dup(0), "rb") as requests:
        for line in requests:
            arguments, folder, env, files = json.loads(line)
            child = os.fork()
            if child == 0:
                _run(program, arguments, folder, env, files)
            _, status = os.waitpid(child, 0)
            os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


def _run(program: str, arguments: Sequence[str], folder: str, env: Mapping[str, str], files: Sequence[str]) -> None:
    """Run the program in this process, and end it."""
    code = 1
    try:
        for number, file in enumerate(files):
            opened = os.open(file, os.O_RDWR | os.O_CREAT)
            os.dup2(opened, number)
            os.close(opened)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(open(number, mode, closefd=False), stream.encoding, stream.errors)  # noqa: SIM115 - open as long as the process is
            for number, mode, stream in ((0, "rb", sys.stdin), (1, "wb", sys.stdout), (2, "wb", sys.stderr))
        )
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = [program, *arguments]
        try:
            runpy.run_path(program, run_name="__main__")
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
