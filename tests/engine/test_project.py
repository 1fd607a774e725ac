"""Fixes over several files: made whole or not at all, in rounds, gated, and written so."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dockfix.engine.fixes import preview
from dockfix.engine.project import run_project
from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Mode, Settings
from dockfix.project.files import read_file
from dockfix.project.target import Target, load_project
from dockfix.rule import (
    Advice,
    Category,
    Change,
    Check,
    CheckProject,
    Codemod,
    Diagnostic,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Safety,
    Severity,
)
from dockfix.rule.registry import Registry
from dockfix.rule.workspace import Workspace
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Copy, From
from tests.rule.samples import codemod, renames

COMPOSE = "services:\n  web:\n    build: .  # ours\n    user: old\n"
DOCKERFILE = "FROM a\nUSER old\n"


def a_codemod(
    check: Check | None = None,
    check_project: CheckProject | None = None,
    *,
    name: str = "over-files",
    effects: frozenset[Effect] = frozenset(Effect),
    collect: Callable[[Target], object] | None = None,
    triggers: tuple[str, ...] = (),
) -> Codemod:
    return Codemod(
        name, "Title", Severity.WARNING, Category.STYLE, effects, check, "0", check_project=check_project,
        collect=collect, page="x", triggers=triggers,
    )  # fmt: skip


def replaced(text: str, old: str, new: str) -> tuple[Edit, ...]:
    at = text.index(old)
    return (Edit(at, at + len(old), new),)


def new_user(target: Target) -> Iterator[Finding]:
    """`old` becomes `new` in the Dockerfile and in the compose file next to it, in one fix."""
    compose = target.project.root / "compose.yaml"
    text = target.project.files.read(compose).text
    if "USER old" in target.text and "user: old" in text:
        yield Fix(
            target.dockerfile.instructions[-1].span, "one user", replaced(target.text, "old", "new"), Safety.SAFE,
            "why", other_files=(Change(compose, replaced(text, "user: old", "user: new")),),
        )  # fmt: skip


def project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root.resolve()


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_bytes().decode() for path in sorted(root.rglob("*")) if path.is_file()
    }


def settled(root: Path, *codemods: Codemod, mode: Mode | None = None) -> RunResult:
    files = tuple(read_file(path, root=root) for path in sorted(root.rglob("Dockerfile")))
    return run_project(Workspace(load_project(root), files), codemods, mode or Mode(unsafe=True))


def apply(root: Path, *codemods: Codemod, paths: tuple[Path, ...] = (), write: bool = True, **given: Any) -> RunResult:
    settings = Settings(unsafe=True, **given)
    return run_paths(paths or (root,), settings, root=root, registry=Registry(codemods), write=write)


def test_a_fix_changes_its_own_file_and_another(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = settled(root, a_codemod(new_user))
    assert [file.text for file in result.dockerfiles] == ["FROM a\nUSER new\n"]
    assert [(other.real.name, other.text) for other in result.others] == [
        ("compose.yaml", COMPOSE.replace("user: old", "user: new"))
    ]
    assert result.change_sets == (frozenset({root / "Dockerfile", root / "compose.yaml"}),)
    assert [found.rule for found in result.files[0].applied] == ["over-files"]
    assert contents(root) == {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE}


def test_fixes_have_their_lines_in_the_text_before_the_run(tmp_path: Path) -> None:
    def above(given: Target) -> Iterator[Finding]:
        """A new line above `USER old`, and another one above `USER newer`."""
        node, line = given.dockerfile.instructions[-1], "ENV B=long-enough\n" if "newer" in given.text else "ENV A=1\n"
        if line not in given.text:
            yield Fix(node.span, "above", (Edit(node.span.start, node.span.start, line),), Safety.SAFE, "why")

    def newest(given: Target) -> Iterator[Finding]:
        compose = given.project.root / "compose.yaml"
        if "long-enough\nUSER newer" in given.text:
            yield Fix(
                given.dockerfile.instructions[-1].span, "newest", replaced(given.text, "newer", "newest"), Safety.SAFE,
                "why", other_files=(Change(compose, replaced(given.project.files.read(compose).text, "new", "x")),),
            )  # fmt: skip

    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    over = (a_codemod(new_user), replace(a_codemod(newest), name="newest"))
    result = settled(root, codemod(above, "above"), *over, codemod(renames("new", "newer"), "last"))
    assert result.files[0].text == "FROM a\nENV A=1\nENV B=long-enough\nUSER newest\n"
    applied = [(found.rule, found.line) for found in result.files[0].applied]
    assert sorted(applied) == [("above", 2), ("above", 2), ("last", 2), ("newest", 2), ("over-files", 2)]


def test_both_are_written(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = apply(root, a_codemod(new_user))
    assert contents(root) == {"Dockerfile": "FROM a\nUSER new\n", "compose.yaml": COMPOSE.replace("r: old", "r: new")}
    assert [(each.display, each.written, each.is_dockerfile) for each in result.files] == [
        ("Dockerfile", True, True),
        ("compose.yaml", True, False),
    ]
    assert result.problems == ()


def test_the_diff_shows_all_files(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    diff = "".join(each.diff for each in apply(root, a_codemod(new_user), write=False).files)
    assert "--- a/Dockerfile\n" in diff
    assert "--- a/compose.yaml\n" in diff
    assert contents(root) == {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE}


def test_safe_fixes_alone_leave_unsafe_ones_over_files(tmp_path: Path) -> None:
    def unsafe(target: Target) -> Iterator[Finding]:
        for fix in new_user(target):
            assert isinstance(fix, Fix)
            yield Fix(fix.at, fix.message, fix.edits, Safety.UNSAFE, "why", "the user", other_files=fix.other_files)

    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = settled(root, a_codemod(unsafe), mode=Mode())
    assert result.files[0].text == DOCKERFILE
    assert [type(found.finding) for found in result.files[0].remaining] == [Fix]


@pytest.mark.parametrize("changed", ["Dockerfile", "compose.yaml"])
def test_a_file_that_changes_in_the_meantime_keeps_all_as_they_were(tmp_path: Path, changed: str) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "other/Dockerfile": DOCKERFILE})

    def racy(target: Target) -> Iterator[Finding]:
        yield from new_user(target)
        (root / changed).write_bytes(b"FROM changed\n" if changed == "Dockerfile" else b"services: {}\n")

    result = apply(root, a_codemod(racy), paths=(root / "Dockerfile",))
    assert [(problem.path, "changed while" in problem.message) for problem in result.problems] == [
        (str(root / changed), True)
    ]
    untouched = {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "other/Dockerfile": DOCKERFILE}
    assert contents(root) == untouched | {changed: contents(root)[changed]}
    assert not any(each.written or each.changed for each in result.files)


def test_one_change_set_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "b/Dockerfile": "FROM a\nUSER b\n"})

    def racy(target: Target) -> Iterator[Finding]:
        yield from new_user(target)
        (root / "compose.yaml").write_bytes(b"services: {}\n")

    result = apply(root, a_codemod(racy), a_codemod(renames("b", "x"), name="own"))
    assert contents(root)["b/Dockerfile"] == "FROM a\nUSER x\n"
    assert contents(root)["Dockerfile"] == DOCKERFILE
    assert len(result.problems) == 1


def test_two_dockerfiles_that_want_one_change_get_it_once(tmp_path: Path) -> None:
    def pins(target: Target) -> Iterator[Finding]:
        compose = target.project.root / "compose.yaml"
        text = target.project.files.read(compose).text
        if "old" in text:
            change = Change(compose, replaced(text, "old", "new"))
            yield Fix(Span(0, 1), "pin", (), Safety.SAFE, "why", other_files=(change,))

    root = project(tmp_path, {"a/Dockerfile": "FROM a\n", "b/Dockerfile": "FROM b\n", "compose.yaml": COMPOSE})
    result = settled(root, a_codemod(pins))
    assert [other.text for other in result.others] == [COMPOSE.replace("old", "new")]
    assert sum(len(file.applied) for file in result.dockerfiles) == 1


def creates(target: Target) -> Iterator[Finding]:
    path = target.project.root / "init.sql"
    if not target.project.files.is_file(path):
        last = target.dockerfile.instructions[-1]
        edit = Edit(last.lines.end, last.lines.end, "COPY init.sql /\n")
        yield Fix(last.span, "init", (edit,), Safety.SAFE, "why", other_files=(Change(path, create="SELECT 1;\n"),))


def test_a_new_file_comes_with_the_line_that_copies_it(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": "FROM a\n"})
    result = apply(root, a_codemod(creates))
    assert contents(root) == {"Dockerfile": "FROM a\nCOPY init.sql /\n", "init.sql": "SELECT 1;\n"}
    assert [(each.display, each.created) for each in result.files] == [("Dockerfile", False), ("init.sql", True)]
    assert result.files[1].diff.startswith("--- /dev/null\n+++ b/init.sql\n@@ -0,0 +1 @@\n")


def test_a_file_that_comes_in_the_meantime_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {"Dockerfile": "FROM a\n"})
    link = os.link

    def link_too_late(source: Path, target: Path, **kwargs: Any) -> None:
        target.write_bytes(b"theirs")
        link(source, target, **kwargs)

    monkeypatch.setattr(os, "link", link_too_late)
    result = apply(root, a_codemod(creates))
    assert contents(root) == {"Dockerfile": "FROM a\n", "init.sql": "theirs"}
    assert [problem.message for problem in result.problems] == ["cannot be written: file exists; nothing written"]


def test_without_hard_links_a_new_file_is_created_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, {"Dockerfile": "FROM a\n"})

    def no_links(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    apply(root, a_codemod(creates))
    assert contents(root) == {"Dockerfile": "FROM a\nCOPY init.sql /\n", "init.sql": "SELECT 1;\n"}


def test_the_context_of_a_build_holds_what_is_about_to_be_created(tmp_path: Path) -> None:
    seen: list[bool | None] = []

    def looks(target: Target) -> Iterator[Finding]:
        seen.append(target.context.exists("init.sql") if target.context else None)
        if any(isinstance(node, Copy) for node in target.dockerfile.instructions):
            yield Advice(Span(0, 1), "copied")

    root = project(tmp_path, {"Dockerfile": "FROM a\n", "compose.yaml": "services: {a: {build: .}}\n"})
    result = settled(root, a_codemod(creates), a_codemod(looks, name="looks"))
    assert seen[0] is False
    assert seen[-1] is True
    assert [found.finding.message for found in result.files[0].remaining] == ["copied"]


def with_advice(workspace: Workspace) -> Iterator[Finding]:
    for compose in workspace.project.compose_files:
        at = workspace.text(compose.path).index("build")
        yield Advice(Span(at, at + 5), "builds", file=compose.path)
    for target in workspace.targets:
        yield Advice(target.dockerfile.instructions[0].span, "a file", file=target.path)


def test_a_survey_says_in_which_file_each_finding_stands(tmp_path: Path) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = check_paths((root,), Settings(), root=root, registry=Registry((a_codemod(check_project=with_advice),)))
    assert [(each.display, [(f.line, f.column, f.finding.message) for f in each.advice]) for each in result.files] == [
        ("Dockerfile", [(1, 1, "a file")]),
        ("compose.yaml", [(3, 5, "builds")]),
    ]


def test_a_survey_is_silent_on_files_that_were_not_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path, {"a/Dockerfile": DOCKERFILE, "a/compose.yaml": COMPOSE, "compose.yaml": COMPOSE})
    registry = Registry((a_codemod(check_project=with_advice),))
    for paths, names in (
        ((root / "a",), ["a/Dockerfile", "a/compose.yaml"]),
        ((root / "a" / "Dockerfile",), ["a/Dockerfile"]),
        ((root / "compose.yaml",), ["compose.yaml"]),
        ((root / "a" / "compose.yaml",), ["a/Dockerfile", "a/compose.yaml"]),
    ):
        result = check_paths(paths, Settings(), root=root, registry=registry)
        assert [each.display for each in result.files if each.remaining] == names
        assert result.problems == ()


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("    # dockfix: ignore=over-files because so\n", True),
        ("    # dockfix: ignore=over-files\n    # and more\n", True),
        ("    # dockfix: ignore\n", True),
        ("    # dockfix: ignore over-files\n", False),
        ("    # dockfix: ignore=other\n", False),
        ("    # dockfix: ignore=over-files\n    x: y\n", False),
        ("    x: y # dockfix: ignore-file=over-files\n", True),
    ],
)
def test_a_comment_in_another_file_silences_a_survey(tmp_path: Path, comment: str, *, silent: bool) -> None:
    text = COMPOSE.replace("    build", comment + "    build")
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": text})
    result = check_paths((root,), Settings(), root=root, registry=Registry((a_codemod(check_project=with_advice),)))
    assert [each.display for each in result.files if each.remaining and not each.is_dockerfile] == (
        [] if silent else ["compose.yaml"]
    )


def first_image(target: Target) -> str:
    node = target.dockerfile.instructions[0]
    return node.image.text if isinstance(node, From) and node.image else ""


def test_what_a_survey_gathers_is_gathered_of_the_result(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def check_project(workspace: Workspace) -> Iterator[Finding]:
        seen.append([image for _, image in workspace.collected(first_image)])
        return iter(())

    root = project(tmp_path, {"Dockerfile": "FROM a\n", "b/Dockerfile": "FROM b\n"})
    settled(root, a_codemod(check_project=check_project, collect=first_image), a_codemod(renames("a", "x"), name="own"))
    assert seen[-1] == ["x", "b"]


def test_gathering_works_in_other_processes(tmp_path: Path) -> None:
    root = project(tmp_path, {f"{number:02}/Dockerfile": f"FROM image{number}\n" for number in range(50)})
    registry = Registry((a_codemod(check_project=_counts, collect=first_image),))
    result = check_paths((root,), Settings(jobs=2), root=root, registry=registry)
    assert [found.finding.message for each in result.files for found in each.remaining] == ["50 images, image49 last"]


def _counts(workspace: Workspace) -> Iterator[Finding]:
    collected = list(workspace.collected(first_image))
    yield Advice(Span(0, 1), f"{len(collected)} images, {collected[-1][1]} last", file=collected[0][0])


def breaks_compose(target: Target) -> Iterator[Finding]:
    compose = target.project.root / "compose.yaml"
    text = target.project.files.read(compose).text
    if "[" not in text:
        change = Change(compose, (Edit(0, 0, "["),))
        yield Fix(Span(0, 1), "break", (), Safety.SAFE, "why", other_files=(change,))


def eats_a_comment(target: Target) -> Iterator[Finding]:
    compose = target.project.root / "compose.yaml"
    text = target.project.files.read(compose).text
    if "  # ours" in text:
        change = Change(compose, replaced(text, "  # ours", ""))
        yield Fix(Span(0, 1), "eat", (), Safety.SAFE, "why", other_files=(change,))


def breaks_the_dockerfile(target: Target) -> Iterator[Finding]:
    for fix in new_user(target):
        assert isinstance(fix, Fix)
        yield Fix(fix.at, "m", replaced(target.text, "USER", "USR"), Safety.SAFE, "why", other_files=fix.other_files)


def changes_nothing(target: Target) -> Iterator[Finding]:
    compose = target.project.root / "compose.yaml"
    yield Fix(Span(0, 1), "m", (), Safety.SAFE, "why", other_files=(Change(compose, (Edit(0, 1, "s"),)),))


def goes_on(target: Target) -> Iterator[Finding]:
    compose = target.project.root / "compose.yaml"
    yield Fix(Span(0, 1), "m", (), Safety.SAFE, "why", other_files=(Change(compose, (Edit(0, 0, "# x\n"),)),))


def not_there(target: Target) -> Iterator[Finding]:
    path = target.project.root / "missing.yaml"
    yield Fix(Span(0, 1), "m", (), Safety.SAFE, "why", other_files=(Change(path, (Edit(0, 0, "x"),)),))


def already_there(target: Target) -> Iterator[Finding]:
    path = target.project.root / "compose.yaml"
    yield Fix(Span(0, 1), "m", (), Safety.SAFE, "why", other_files=(Change(path, create="x"),))


def out_of_range(target: Target) -> Iterator[Finding]:
    path = target.project.root / "compose.yaml"
    yield Fix(Span(0, 1), "m", (), Safety.SAFE, "why", other_files=(Change(path, (Edit(0, 9999, "x"),)),))


@pytest.mark.parametrize(
    ("check", "effects", "gate", "message"),
    [
        (breaks_compose, frozenset(Effect), "gate", "compose.yaml"),
        (eats_a_comment, frozenset(Effect), "gate", "compose.yaml: a comment of the file was lost: # ours"),
        (breaks_the_dockerfile, frozenset(Effect), "gate", "does not parse"),
        (new_user, frozenset(Effect) - {Effect.COMPOSE}, "gate", "compose.yaml was changed, which is not declared"),
        (new_user, frozenset(Effect) - {Effect.USERS}, "gate", "undeclared effects: users"),
        (creates, frozenset(Effect) - {Effect.FILES}, "gate", "init.sql was created, which is not declared"),
        (changes_nothing, frozenset(Effect), "stability", "changes nothing"),
        (goes_on, frozenset(Effect), "stability", "own output"),
        (not_there, frozenset(Effect), "edits", "missing.yaml does not exist"),
        (already_there, frozenset(Effect), "edits", "compose.yaml already exists"),
        (out_of_range, frozenset(Effect), "edits", "out of range"),
    ],
)
def test_work_over_files_that_fails_a_gate_is_discarded_whole(
    tmp_path: Path, check: Check, effects: frozenset[Effect], gate: str, message: str
) -> None:
    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = settled(root, a_codemod(check, effects=effects))
    assert [(defect.rule, defect.gate) for defect in result.project_defects] == [("over-files", gate)]
    assert message in result.project_defects[0].message
    assert [file.text for file in result.dockerfiles] == [DOCKERFILE]
    assert [other for other in result.others if other.before != other.text] == []
    assert all(file.applied == () for file in result.dockerfiles)


def test_a_survey_that_raises_is_a_defect_and_the_rest_goes_on(tmp_path: Path) -> None:
    def raises(workspace: Workspace) -> Iterator[Finding]:
        raise ZeroDivisionError

    root = project(tmp_path, {"Dockerfile": "FROM a\nUSER b\n"})
    result = apply(root, a_codemod(check_project=raises), a_codemod(renames("b", "x"), name="own"))
    assert [(each.display, defect.rule, defect.gate) for each, defect in result.defects] == [
        (".", "over-files", "crash")
    ]
    assert contents(root) == {"Dockerfile": "FROM a\nUSER x\n"}


def test_a_person_is_shown_all_files_of_a_fix_and_asked_once(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def accept(workspace: Workspace, found: Diagnostic) -> bool:
        asked.append([name for name, _, _ in preview(workspace, found)])
        return False

    root = project(tmp_path, {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    result = settled(root, a_codemod(new_user), mode=Mode(unsafe=True, accept=accept))
    assert asked == [["Dockerfile", "compose.yaml"]]
    assert result.files[0].text == DOCKERFILE
    assert result.others == ()


def test_a_fix_must_be_right_in_every_context(tmp_path: Path) -> None:
    def needs_a_file(target: Target) -> Iterator[Finding]:
        last = target.dockerfile.instructions[-1]
        if target.context is not None and target.context.exists("data") and "old" in target.text:
            yield Fix(last.span, "user", replaced(target.text, "old", "new"), Safety.SAFE, "why")

    compose = "services:\n  a: {build: {context: a, dockerfile: ../Dockerfile}}\n"
    both = compose + "  b: {build: {context: b, dockerfile: ../Dockerfile}}\n"
    files = {"Dockerfile": DOCKERFILE, "a/data": "", "b/x": ""}
    root = project(tmp_path / "one", {**files, "compose.yaml": compose})
    assert settled(root, a_codemod(needs_a_file)).files[0].text == "FROM a\nUSER new\n"
    root = project(tmp_path / "two", {**files, "compose.yaml": both})
    result = settled(root, a_codemod(needs_a_file))
    assert result.files[0].text == DOCKERFILE
    (found,) = result.files[0].remaining
    assert isinstance(found.finding, Refusal)
    assert "a (compose.yaml)" in found.finding.note
    assert "b (compose.yaml) builds this file with another" in found.finding.note
    root = project(tmp_path / "three", {**files, "b/data": "", "compose.yaml": both})
    assert settled(root, a_codemod(needs_a_file)).files[0].text == "FROM a\nUSER new\n"


STEPS = ("replace", "link", "fsync", "fchmod", "open", "fdopen", "fstat", "umask")


@pytest.fixture
def restored_umask() -> Iterator[None]:
    """The umask is that of before, also if a failure has left another one to the tests that follow."""
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)


@pytest.mark.usefixtures("restored_umask")
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("step", STEPS)
def test_a_change_set_is_written_whole_or_not_at_all(tmp_path: Path, step: str, failure: BaseException) -> None:
    """A failure at each call of each step of writing three files, one of them new: every file is as it was."""
    old = {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE}
    new = {
        "Dockerfile": "FROM a\nUSER new\nCOPY init.sql /\n",
        "compose.yaml": COMPOSE.replace("user: old", "user: new"),
        "init.sql": "SELECT 1;\n",
    }

    def whole(target: Target) -> Iterator[Finding]:
        for fix in new_user(target):
            for creation in creates(target):
                assert isinstance(fix, Fix)
                assert isinstance(creation, Fix)
                yield Fix(
                    fix.at, "all", (*fix.edits, *creation.edits), Safety.SAFE, "why",
                    other_files=(*fix.other_files, *creation.other_files),
                )  # fmt: skip

    real = getattr(os, step)
    reached = 0
    for call in range(1, 60):
        root = project(tmp_path / f"{step}{call}", old)
        calls = 0

        def fail_once(*args: Any, call: int = call, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise failure
            return real(*args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, step, fail_once)
            with contextlib.suppress(KeyboardInterrupt):
                apply(root, a_codemod(whole))
        reached = max(reached, min(calls, call))
        # when folders are flushed the change set is whole already: an interrupt can still be seen, a failure cannot
        assert contents(root) in (old, new)
        if calls < call:
            assert contents(root) == new
            break
    assert reached > 0


def test_samples_are_what_lies_beside_the_product(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {"Dockerfile": "FROM a\n", "examples/a/Dockerfile": "FROM a\n", "examples/tests/Dockerfile": "FROM a\n"},
    )

    def samples(*names: str) -> list[bool]:
        files = tuple(read_file(root / name, root=root) for name in names)
        workspace = Workspace(load_project(root), files)
        return [workspace.is_sample(file.real) for file in files]

    assert samples("Dockerfile", "examples/a/Dockerfile") == [False, True]
    assert samples("examples/a/Dockerfile", "examples/tests/Dockerfile") == [False, True]
    assert samples("examples/a/Dockerfile") == [False]
