"""The steps of the GitHub Action.

usage: steps.py install | check

`install` puts dockfix into an environment of its own. `check` runs `dockfix check`, writes the job summary and the
SARIF file, posts suggestions, and ends with the exit code of `dockfix check`. Inputs and the files of the runner come
from the environment. Only the standard library is used, since `install` runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # isolated mode leaves the folder of the script out

from reviews import ReviewError, post_suggestions

MAX_SUMMARY = 1_000_000
"""How many bytes a step adds to the job summary at most; GitHub allows 1 MiB."""
# Isolated: no module of the checked-out repository is imported.
DOCKFIX: tuple[str, ...] = (sys.executable, "-I", "-m", "dockfix")
VERSION = re.compile(r"v?([0-9][0-9A-Za-z.+!-]*)")
RELEASE = re.compile(r"v([0-9]+\.[0-9]+\.[0-9]+)")


class InputError(Exception):
    """An input of the action is wrong."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of the action."""

    paths: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    form: str = "github"
    fail_level: str = ""
    unsafe: bool = False
    suggestions: bool = False
    sarif_file: str = ""
    args: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Inputs:
        """The inputs as `action.yml` passes them."""
        return cls(
            paths=tuple(_plain_path(line) for line in _lines(environ, "PATHS")),
            rules=_names(environ, "RULES"),
            skip=_names(environ, "SKIP"),
            form=_one(environ, "FORMAT") or "github",
            fail_level=_one(environ, "FAIL_LEVEL"),
            unsafe=_yes(environ, "UNSAFE"),
            suggestions=_yes(environ, "SUGGESTIONS"),
            sarif_file=_one(environ, "SARIF_FILE"),
            args=_words(environ, "ARGS"),
        )

    def command(self, form: str, output: str | None = None) -> list[str]:
        """The command line of `dockfix check` for one format. A value can not be read as an option."""
        options = [
            *self.args,
            *(f"--rule={name}" for name in self.rules),
            *(f"--skip={name}" for name in self.skip),
            *([f"--fail-level={self.fail_level}"] if self.fail_level else []),
            f"--format={form}",
            *([f"--output={output}", "--quiet"] if output is not None else []),
        ]
        return [*DOCKFIX, "check", *options, "--", *self.paths]


def _lines(environ: Mapping[str, str], name: str) -> list[str]:
    return [line.strip() for line in environ.get(f"INPUT_{name}", "").splitlines() if line.strip()]


def _names(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(each for line in _lines(environ, name) for each in re.split(r"[\s,]+", line) if each)


def _one(environ: Mapping[str, str], name: str) -> str:
    lines = _lines(environ, name)
    if len(lines) > 1:
        raise InputError(f"the input {_input(name)} has several lines")
    return lines[0] if lines else ""


def _yes(environ: Mapping[str, str], name: str) -> bool:
    given = _one(environ, name).lower()
    if given not in ("", "true", "false"):
        raise InputError(f"the input {_input(name)} is {given!r}, which is neither true nor false")
    return given == "true"


def _words(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    try:
        return tuple(word for line in _lines(environ, name) for word in shlex.split(line))
    except ValueError as error:
        raise InputError(f"the input {_input(name)}: {str(error).lower()}") from None


def _input(name: str) -> str:
    return name.lower().replace("_", "-")


def _plain_path(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path  # `-` alone would be standard input


def install(environ: Mapping[str, str]) -> int:
    """Install dockfix, from PyPI if there is a version, else the action's own checkout."""
    wanted = _one(environ, "VERSION")
    own = dict(environ)
    if not wanted:
        source = environ["ACTION_PATH"]
        # The checkout of an action has no git history, but its tag is known.
        if found := RELEASE.fullmatch(environ.get("ACTION_REF", "")):
            own["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DOCKFIX"] = found[1]
    elif found := VERSION.fullmatch(wanted):
        source = f"dockfix=={found[1]}"
    else:
        raise InputError(f"the input version is {wanted!r}, which is not a version")
    folder = Path(environ["RUNNER_TEMP"]) / "dockfix"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", source]
    say("::group::Install dockfix")
    try:
        for command in ([sys.executable, "-I", "-m", "venv", "--clear", str(folder)], pip):
            code = subprocess.run(command, env=own, cwd=environ["RUNNER_TEMP"], check=False).returncode
            if code:
                return code
    finally:
        say("::endgroup::")
    _append(environ, "GITHUB_OUTPUT", f"python={python}\n")
    return 0


def check(environ: Mapping[str, str]) -> int:
    """Run `dockfix check` and pass its findings on; returns its exit code."""
    inputs = Inputs.read(environ)
    # Standard error would be read for workflow commands as well.
    done = subprocess.run(inputs.command(inputs.form), capture_output=True, check=False)
    if inputs.form == "github":
        _show([done.stdout])
        _show_inert([done.stderr])
    else:
        _show_inert([done.stdout, done.stderr])
    _append(environ, "GITHUB_OUTPUT", f"exit-code={done.returncode}\n")
    if done.returncode not in (0, 1, 2, 3):
        return done.returncode
    if done.returncode == 2 and not done.stdout.strip():
        # nothing was checked, and no other format would say more
        say(f"::error title=dockfix::{escaped(_reason(done.stderr))}")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder, "summary.md")
        if _write(inputs, "markdown", summary):
            _summarise(summary, environ)
        if inputs.sarif_file and _write(inputs, "sarif", Path(inputs.sarif_file)):
            _append(environ, "GITHUB_OUTPUT", f"sarif-file={inputs.sarif_file}\n")
        review = Path(folder, "review.json")
        if inputs.suggestions and _write(inputs, "github-suggestions", review):
            _suggest(review, inputs, environ)
    return done.returncode


def _reason(stderr: bytes) -> str:
    """Why a command line was refused: what it calls an error, else its last line."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    named = [line for line in lines if line.lower().startswith(("error:", "dockfix: ", "usage error"))]
    return (named or lines or ["dockfix check ended with exit code 2"])[-1 if not named else 0]


def _write(inputs: Inputs, form: str, path: Path) -> bool:
    """Write the findings to a file in another format; a failure is a warning."""
    path.unlink(missing_ok=True)  # a file of an earlier run is no result
    command = inputs.command(form, str(path))
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if path.is_file():
        return True
    warn(f"dockfix could not write the format {form}")
    _show_inert([done.stderr])
    return False


def _summarise(document: Path, environ: Mapping[str, str]) -> None:
    text = document.read_bytes()
    if len(text) > MAX_SUMMARY:
        text = text[:MAX_SUMMARY].rpartition(b"\n")[0] + b"\n\nThe rest is left out: it is too long for a summary.\n"
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("ab") as file:
            file.write(text)


def _suggest(review: Path, inputs: Inputs, environ: Mapping[str, str]) -> None:
    try:
        for line in post_suggestions(review.read_text(encoding="utf-8"), environ, unsafe=inputs.unsafe):
            say(f"::notice title=dockfix::{escaped(line)}")
    except ReviewError as error:
        # The findings count; the token of a pull request from a fork, for instance, may not write.
        warn(f"the suggestions were not posted: {error}")


def _append(environ: Mapping[str, str], name: str, text: str) -> None:
    if path := environ.get(name):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _show(texts: Iterable[bytes]) -> None:
    for text in texts:
        sys.stdout.buffer.write(text)
    sys.stdout.flush()


def _show_inert(texts: Sequence[bytes]) -> None:
    """Show text from the repository, in which the runner must not find workflow commands."""
    if not any(texts):
        return
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    _show(text if text.endswith(b"\n") or not text else text + b"\n" for text in texts)
    say(f"::{token}::")


def warn(message: str) -> None:
    """Show a warning as an annotation of the job."""
    say(f"::warning title=dockfix::{escaped(message)}")


def escaped(message: str) -> str:
    """A message as the value of a workflow command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def say(line: str) -> None:
    """Write a line to standard output, at once: other processes write there, too."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the step that the command line names."""
    steps = {"install": install, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in steps:
        say("usage: steps.py install | check")
        return 2
    try:
        return steps[sys.argv[1]](os.environ)
    except InputError as error:
        say(f"::error title=dockfix::{escaped(str(error))}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
