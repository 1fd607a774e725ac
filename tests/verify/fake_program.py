"""A program on the PATH that notes how it was called and answers as it is told."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_TEXT = """#!{python}
import json, pathlib, re, sys
folder = pathlib.Path({folder!r})
with (folder / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
line = " ".join(sys.argv[1:])
for argument in sys.argv[1:]:
    name, _, value = argument.partition("=")
    if name == "--metadata-file":
        pathlib.Path(value).write_text((folder / "metadata.json").read_text())
for answer in json.loads((folder / "answers.json").read_text()):
    if re.search(answer["called"], line):
        print(answer["output"], end="")
        sys.exit(answer["code"])
"""


@dataclass(frozen=True)
class FakeProgram:
    """A program that stands for a builder.

    Args:
        folder: where its calls and answers are.
    """

    folder: Path

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def call(self, word: str) -> list[str]:
        """The arguments of the only call with this word among its first two."""
        (found,) = [call for call in self.calls if word in call[:2]]
        return found

    def answer(self, *answers: tuple[str, str, int], metadata: object = None) -> None:
        """Answer with an output and an exit code where a pattern is found in the arguments."""
        rows = [{"called": called, "output": output, "code": code} for called, output, code in answers]
        (self.folder / "answers.json").write_text(json.dumps(rows))
        (self.folder / "metadata.json").write_text(json.dumps(metadata or {}))


def fake_program(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """Put a program on the PATH."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / name
    program.write_text(_TEXT.format(python=sys.executable, folder=str(folder)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    fake = FakeProgram(folder)
    fake.answer()
    return fake
