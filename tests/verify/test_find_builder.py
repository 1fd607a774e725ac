"""Finding a builder, with stand-ins for the modules of the builders."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockfix.verify.builders import NAMES, find_builder
from dockfix.verify.builders.common import why_unusable
from dockfix.verify.model import BuilderError

MODULES = {"docker buildx": "buildx", "buildctl": "buildctl", "podman": "podman", "buildah": "buildah"}


class Made:
    """A builder that remembers its name and folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    """Stand-ins for the four builders: the reasons why each cannot be used, or None. Gives the names that are tried."""
    names: list[str] = []
    reasons: dict[str, str | None] = getattr(request, "param", {})

    def stand_in(name: str) -> SimpleNamespace:
        def probe(environ: Mapping[str, str]) -> str | None:
            names.append(name)
            return reasons.get(name, "is not installed")

        def make(folder: Path) -> Made:
            if reasons.get(f"{name} breaks"):
                raise BuilderError(reasons[f"{name} breaks"] or "")
            return Made(name, folder)

        kind = f"{MODULES[name].capitalize()}Builder"
        return SimpleNamespace(probe=probe, **{kind: make})

    for name, module in MODULES.items():
        monkeypatch.setitem(sys.modules, f"dockfix.verify.builders.{module}", stand_in(name))
    return names


@pytest.mark.parametrize("tried", [{"podman": None, "buildah": None}], indirect=True)
def test_the_first_that_can_be_used_is_taken(tried: list[str], tmp_path: Path) -> None:
    builder = find_builder(None, folder=tmp_path)
    assert isinstance(builder, Made)
    assert (builder.name, builder.folder) == ("podman", tmp_path)
    assert tried == ["docker buildx", "buildctl", "podman"]


@pytest.mark.parametrize(
    "tried", [{"podman": None, "podman breaks": "no user namespaces", "buildah": None}], indirect=True
)
def test_one_that_breaks_when_it_is_made_is_passed_over(tried: list[str], tmp_path: Path) -> None:
    assert find_builder(None, folder=tmp_path).name == "buildah"


@pytest.mark.parametrize("tried", [{"buildctl": "has no buildkitd"}], indirect=True)
def test_no_builder_is_one_clear_line(tried: list[str], tmp_path: Path) -> None:
    with pytest.raises(BuilderError) as raised:
        find_builder(None, folder=tmp_path)
    assert str(raised.value) == (
        "no builder can be used: docker buildx is not installed; buildctl has no buildkitd; podman is not installed; "
        "buildah is not installed. Start Docker with buildx, or install podman or buildah"
    )


@pytest.mark.parametrize("tried", [dict.fromkeys(MODULES)], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_named_builder_alone_is_tried(tried: list[str], name: str, tmp_path: Path) -> None:
    builder = find_builder(name, folder=tmp_path)
    assert builder.name == {"buildx": "docker buildx", "docker": "docker buildx"}.get(name, name)
    assert tried == [builder.name]


@pytest.mark.parametrize("tried", [{"buildah": None, "podman": "cannot be used: no space"}], indirect=True)
def test_a_named_builder_that_cannot_be_used_says_why(tried: list[str], tmp_path: Path) -> None:
    with pytest.raises(BuilderError, match=r"^podman cannot be used: no space$"):
        find_builder("podman", folder=tmp_path)


def test_an_unknown_name_gives_the_choices(tmp_path: Path) -> None:
    choices = "buildx, buildctl, podman, buildah"
    with pytest.raises(BuilderError, match=rf"^unknown builder `kaniko`; choose one of {choices}$"):
        find_builder("kaniko", folder=tmp_path)


def program(folder: Path, script: str) -> dict[str, str]:
    """An environment whose only program is `tool`."""
    path = folder / "tool"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return {"PATH": str(folder)}


def test_a_program_that_is_not_installed(tmp_path: Path) -> None:
    assert why_unusable(["tool"], {"PATH": str(tmp_path)}) == "is not installed"


def test_a_program_that_works(tmp_path: Path) -> None:
    assert why_unusable(["tool", "info"], program(tmp_path, "")) is None


def test_a_program_that_fails(tmp_path: Path) -> None:
    environ = program(tmp_path, "raise SystemExit('first\\n\\x1b[31mCannot connect\\x1b[0m to\\tthe daemon\\n\\n')")
    assert why_unusable(["tool"], environ) == "cannot be used: Cannot connect to the daemon"
    assert why_unusable(["tool"], program(tmp_path, "raise SystemExit(3)")) == "cannot be used: exit code 3"


def test_a_program_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockfix.verify.builders.common.PROBE_LIMIT", 0.5)
    assert why_unusable(["tool"], program(tmp_path, "import time; time.sleep(30)")) == "does not answer within 0.5 s"


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    environ = program(tmp_path, "")
    (tmp_path / "tool").write_text("#!/nonexistent/interpreter\n")
    assert str(why_unusable(["tool"], environ)).startswith("cannot be run: ")
