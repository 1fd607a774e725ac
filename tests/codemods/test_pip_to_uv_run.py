"""pip-to-uv checked against the real uv: the commands before and after run in scratch environments."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Env, Run
from dockfix_codemods.pip_to_uv import CODEMOD

# One process of pytest-xdist runs them all: the environment that they install into takes longest to make.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pip-to-uv")]

UV = Path(sys.executable).parent / "uv"
NAME = "dockfix_example"
CASES = {
    "by its path": ("", "{env}/bin/pip install {package}"),
    "the module of its python": ("", "{env}/bin/python -m pip install -q {package}"),
    "first on PATH": ("ENV PATH={env}/bin:$PATH", "pip install {package}"),
    "first on PATH and active": ("ENV VIRTUAL_ENV={env}\nENV PATH={env}/bin:$PATH", "pip install {package}"),
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip, next to another one that uv would take if it went by the working directory."""
    folder = tmp_path_factory.mktemp("environments")
    for path, options in ((folder / "venv", ()), (folder / "work" / ".venv", ("--without-pip",))):
        subprocess.run([sys.executable, "-m", "venv", *options, path], check=True)
    return folder / "venv"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one package, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheels")
    info = f"{NAME}-1.0.dist-info"
    files = {
        f"{NAME}.py": "value = 1\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{NAME}-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(name, text)
    return folder


def fixed(text: str) -> str:
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    assert not outcome.defects
    assert len(outcome.applied) == 1
    return outcome.text


def scripts(text: str) -> tuple[dict[str, str], list[str]]:
    """The ENV variables and the RUN scripts of a Dockerfile, in order."""
    instructions = target_from_text(text).dockerfile.instructions
    pairs = [pair for each in instructions if isinstance(each, Env) for pair in each.pairs]
    return (
        {pair.key: pair.value or "" for pair in pairs},
        [each.script.text for each in instructions if isinstance(each, Run) and each.script is not None],
    )


@pytest.mark.parametrize("after", [False, True], ids=["pip", "uv"])
@pytest.mark.parametrize("case", CASES)
def test_both_install_into_the_same_environment(
    case: str, after: bool, tmp_path: Path, environment: Path, wheels: Path
) -> None:
    env_line, command = CASES[case]
    before = "\n".join(
        (
            "FROM python:3.13-slim",
            "COPY --from=ghcr.io/astral-sh/uv:0.9.7 /uv /bin/uv",
            f"RUN python3 -m venv {environment}",
            *([env_line.format(env=environment)] if env_line else []),
            f"RUN {command.format(env=environment, package=f'--no-index --find-links {wheels} {NAME}')}",
            "",
        )
    )
    text = fixed(before)
    assert "uv pip install" in text
    variables, (make, install) = scripts(text if after else before)
    assert make == f"python3 -m venv {environment}"  # which the fixture has done
    for path in environment.rglob(f"site-packages/{NAME}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "uv").symlink_to(UV)
    variables["PATH"] = variables.get("PATH", "$PATH").replace("$PATH", f"{tools}:/usr/bin:/bin")
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        ["sh", "-c", install],
        env={**variables, "HOME": str(home)},
        cwd=environment.parent / "work",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = [each for top in (environment.parent, tmp_path) for each in top.rglob(f"site-packages/{NAME}.py")]
    assert [found.parents[3] for found in installed] == [environment]
    # the directory that the fix points a cache mount to
    assert (home / ".cache" / "uv").exists() is after
