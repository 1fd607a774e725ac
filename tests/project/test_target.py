"""Which context a Dockerfile is built with, how that is known, and when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.files import read_file
from dockfix.project.target import (
    BuildOptions,
    Project,
    Target,
    context_candidates,
    find_project_root,
    load_project,
    target_for,
)


def write(root: Path, name: str, text: str = "FROM scratch\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def target(
    root: Path, name: str = "Dockerfile", *, context: Path | None = None, build_contexts: dict[str, str] | None = None
) -> Target:
    project = load_project(root)
    return target_for(project, read_file(root / name, root=root), BuildOptions(context, build_contexts or {}))


def test_without_an_invocation_the_context_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, "api/Dockerfile")
    found = target(tmp_path, "api/Dockerfile")
    assert found.context is None
    assert found.context_why == "no compose or bake file builds it; give --context DIR"
    assert (found.display, found.text, found.invocations) == ("api/Dockerfile", "FROM scratch\n", ())


def test_a_compose_service_gives_the_context(tmp_path: Path) -> None:
    write(tmp_path, "docker/api.Dockerfile")
    write(tmp_path, "docker/api.Dockerfile.dockerignore", "x\n")
    write(
        tmp_path, "compose.yaml", "services: {api: {build: {context: ., dockerfile: docker/api.Dockerfile, target: t}}}"
    )
    found = target(tmp_path, "docker/api.Dockerfile")
    assert found.context is not None
    assert (found.context.root, found.context.ignored("x")) == (tmp_path, True)
    assert found.context_why == "compose service api (compose.yaml)"
    assert [invocation.target for invocation in found.invocations] == ["t"]


def test_several_services_that_agree(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    write(tmp_path, "compose.yaml", "services: {a: {build: .}, b: {build: {context: ./, target: b}}}")
    found = target(tmp_path)
    assert found.context is not None
    assert found.context_why == "compose services a (compose.yaml), b (compose.yaml)"


def test_several_services_that_do_not(tmp_path: Path) -> None:
    write(tmp_path, "api/Dockerfile")
    write(tmp_path, "compose.yaml", "services: {a: {build: api}, b: {build: {context: ., dockerfile: api/Dockerfile}}}")
    found = target(tmp_path, "api/Dockerfile")
    assert found.context is None
    assert "different contexts" in found.context_why
    assert len(found.invocations) == 2


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    write(tmp_path, "compose.yaml", "services: {a: {build: {context: gone, dockerfile: ../Dockerfile}}}")
    found = target(tmp_path)
    assert found.context is None
    assert "gone does not exist" in found.context_why


def test_a_symlinked_dockerfile_is_the_same_file(tmp_path: Path) -> None:
    write(tmp_path, "real/base")
    (tmp_path / "Dockerfile").symlink_to("real/base")
    write(tmp_path, "compose.yaml", "services: {a: {build: .}}")
    found = target(tmp_path)
    assert found.display == "Dockerfile"
    assert len(found.invocations) == 1


def test_the_command_line_wins(tmp_path: Path) -> None:
    write(tmp_path, "api/Dockerfile")
    write(tmp_path, "lib/x")
    text = "services: {a: {build: {context: api, additional_contexts: {p: ./api, q: 'docker-image://q'}}}}"
    write(tmp_path, "compose.yaml", text)
    found = target(tmp_path, "api/Dockerfile", context=Path(), build_contexts={"p": "lib"})
    assert found.context is not None
    assert (found.context.root, found.context_why) == (tmp_path, "command line")
    (lib,) = found.named_contexts["p"]
    assert (lib.path, lib.exists, lib.line) == (tmp_path / "lib", True, 0)
    assert [context.kind for context in found.named_contexts["q"]] == ["image"]


def test_named_contexts_that_differ_are_all_kept(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    text = "services:\n"
    for name, value in (("a", "x"), ("b", "y"), ("c", "y")):
        text += f"  {name}: {{build: {{context: ., additional_contexts: {{p: '{value}'}}}}}}\n"
    write(tmp_path, "compose.yaml", text)
    assert [context.value for context in target(tmp_path).named_contexts["p"]] == ["x", "y"]


@pytest.mark.parametrize(
    ("given", "why"), [("..", "outside the project"), ("nope", "not a folder"), ("Dockerfile", "not a folder")]
)
def test_a_context_that_cannot_be(tmp_path: Path, given: str, why: str) -> None:
    root = tmp_path / "root"
    write(root, "Dockerfile")
    found = target(root, context=Path(given))
    assert found.context is None
    assert why in found.context_why


def test_candidates(tmp_path: Path) -> None:
    write(tmp_path, "api/Dockerfile")
    write(tmp_path, ".dockerignore", "root\n")
    write(tmp_path, "api/.dockerignore", "api\n")
    project = load_project(tmp_path)
    own, root = context_candidates(project, tmp_path / "api" / "Dockerfile")
    assert (own.root, own.ignored("api"), own.ignored("root")) == (tmp_path / "api", True, False)
    assert (root.root, root.ignored("api"), root.ignored("root")) == (tmp_path, False, True)
    assert len(context_candidates(project, tmp_path / "Dockerfile")) == 1


def test_the_project_root(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "services" / "api"
    dockerfile = write(inner, "Dockerfile")
    write(tmp_path / "repo" / "services", "docker-compose.yml", "")
    assert find_project_root(dockerfile) == tmp_path / "repo" / "services"
    write(inner, "pyproject.toml", "")
    assert find_project_root(dockerfile) == inner
    assert find_project_root(inner) == inner
    (tmp_path / "repo" / ".git").mkdir()
    assert find_project_root(dockerfile) == tmp_path / "repo"


def test_problems_of_compose_files_are_named_by_the_project(tmp_path: Path) -> None:
    write(tmp_path, "deploy/compose.yaml", "a: [")
    write(tmp_path, "compose.yaml", "services: {a: {build: .}}")
    project = load_project(tmp_path)
    assert [(problem.path, problem.line) for problem in project.problems] == [("deploy/compose.yaml", 1)]
    assert len(project.invocations) == 1
    project = load_project(tmp_path, use_project=False)
    assert project == Project(tmp_path, snapshot=project.snapshot)


def test_what_a_broken_file_builds_is_known_not_to_be_known(tmp_path: Path) -> None:
    write(tmp_path, "compose.yaml", "services: [\n")
    write(tmp_path, "b/compose.yaml", "services: {x: {build: .}}\n")
    for name in ("a/Dockerfile", "b/Dockerfile"):
        write(tmp_path, name, "FROM a\n")
    project = load_project(tmp_path)
    one, two = (
        target_for(project, read_file(tmp_path / name, root=tmp_path)) for name in ("a/Dockerfile", "b/Dockerfile")
    )
    assert (one.unread, one.builds_known, one.context) == (("compose.yaml",), False, None)
    assert one.context_why == "compose.yaml could not be read and may build it; fix it, or give --context DIR"
    assert two.unread == ("compose.yaml",)
    assert two.context is not None
