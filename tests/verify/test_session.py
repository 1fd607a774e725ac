"""verify and prove with a builder in Python: verdicts, bisecting, repairs, what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockfix.engine.settings import Settings
from dockfix.project.target import Target
from dockfix.rule import (
    Category,
    Change,
    Claim,
    Codemod,
    Edit,
    Effect,
    Finding,
    Fix,
    Packages,
    Part,
    Promise,
    Safety,
    Severity,
)
from dockfix.rule.registry import Registry
from dockfix.syntax.source import Span
from dockfix.verify.bisect import culprits
from dockfix.verify.build_steps import step_of
from dockfix.verify.model import Event, Proof, State, TargetResult, VerifyResult
from dockfix.verify.session import VerifyOptions, prove_paths, verify_paths
from tests.verify.fake_builder import FakeBuilder

SAME = Promise()
BASE = "FROM scratch\nRUN write /app 1\n"


def replacing(name: str, old: str, new: str, *, promise: Promise = SAME, safety: Safety = Safety.UNSAFE) -> Codemod:
    """A codemod that replaces every line that is `old`."""

    def check(target: Target) -> Iterator[Finding]:
        for instruction in target.dockerfile.instructions:
            if target.text[instruction.span.start : instruction.span.end].strip() == old:
                start = instruction.span.start
                yield Fix(
                    instruction.span, f"{old} is old", (Edit(start, start + len(old), new),), safety, "h", review="r"
                )

    effects = frozenset(Effect)
    return Codemod(name, "T", Severity.INFO, Category.SIZE, effects, check, "0", page="P", promise=promise)


class Project:
    def __init__(self, root: Path, *rules: Codemod) -> None:
        self.root, self.registry, self.builder = root / "project", Registry(rules), FakeBuilder()
        self.work = root / "work"
        self.root.mkdir()

    def write(self, text: str, name: str = "Dockerfile") -> None:
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def verify(self, *, unsafe: bool = True, quick: bool = True, runs: int = 1) -> VerifyResult:
        options = VerifyOptions(quick=quick, runs=runs)
        return verify_paths(
            (self.root,), Settings(unsafe=unsafe), root=self.root, registry=self.registry, options=options,
            builder=self.builder, folder=self.work,
        )  # fmt: skip

    def only(self) -> TargetResult:
        (result,) = self.verify().targets
        return result

    def prove(self) -> Proof:
        return prove_paths(
            (self.root,), Settings(), root=self.root, registry=self.registry, options=VerifyOptions(),
            builder=self.builder, folder=self.work,
        )  # fmt: skip

    def proven(self) -> str:
        (file,) = self.prove().run.dockerfiles
        return file.text


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    return lambda *rules: Project(tmp_path, *rules)


def states(result: TargetResult) -> dict[tuple[str, str], State]:
    return {(each.rule, each.promise): each.state for each in result.verdicts}


def test_an_image_that_is_the_same_keeps_the_promise(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN write /a 1\n")
    result = one.only()
    assert states(result) == {("same", "builds"): State.KEPT, ("same", "image"): State.KEPT}
    assert result.culprits == ()
    assert "-RUN write /a 1" in result.diff


def test_a_file_that_differs_breaks_the_promise(project: Callable[..., Project]) -> None:
    one = project(replacing("other", "RUN write /a 1", "RUN write /a 2"))
    one.write(f"{BASE}RUN write /a 1\n")
    (_, image) = one.only().verdicts
    assert image.state is State.BROKEN
    assert "/a" in image.evidence[0]
    assert one.verify().broken


def test_what_the_promise_names_may_differ(project: Callable[..., Project]) -> None:
    one = project(replacing("other", "RUN write /a 1", "RUN write /a 2", promise=Promise(changes=("/a",))))
    one.write(f"{BASE}RUN write /a 1\n")
    assert states(one.only())["other", "image"] is State.KEPT


def test_what_differs_by_itself_is_told_apart(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN random /a", "RUN  random /a"))
    one.write(f"{BASE}RUN random /a\n")
    (result,) = one.verify(quick=False).targets
    assert states(result)["same", "image"] is State.KEPT
    assert [each.what for each in result.differences if "two builds" in each.reason] == ["/a"]


def test_a_build_that_fails_afterwards_breaks_the_promise(project: Callable[..., Project]) -> None:
    one = project(replacing("bad", "RUN write /a 1", "RUN need /b"))
    one.write(f"{BASE}RUN write /a 1\n")
    result = one.only()
    assert states(result) == {("bad", "builds"): State.BROKEN, ("bad", "image"): State.NOT_SHOWN}
    assert result.verdicts[0].evidence == ("the build fails: /b is missing",)


def test_a_build_that_reaches_the_time_limit_shows_nothing(project: Callable[..., Project]) -> None:
    one = project(replacing("slow", "RUN write /a 1", "RUN hang"))
    one.write(f"{BASE}RUN write /a 1\n")
    assert set(states(one.only()).values()) == {State.NOT_SHOWN}
    assert "RUN write /a 1" in one.proven()


def test_a_build_that_fails_before_and_after_shows_nothing(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write("FROM scratch\nRUN fail here\nRUN write /a 1\n")
    assert set(states(one.only()).values()) == {State.NOT_SHOWN}


def test_a_repair_is_shown_and_the_other_fixes_are_compared_with_the_repaired_build(
    project: Callable[..., Project],
) -> None:
    repair = replacing("repair", "RUN need /b", "RUN need /app", promise=Promise(claims=frozenset({Claim.REPAIRS})))
    one = project(repair, replacing("other", "RUN write /a 1", "RUN write /a 2"))
    one.write(f"{BASE}RUN need /b\nRUN write /a 1\n")
    result = states(one.only())
    assert result["repair", "repairs"] is State.KEPT
    assert result["repair", "image"] is State.NOT_SHOWN
    assert result["other", "image"] is State.BROKEN


def test_the_culprit_of_several_fixes_is_named_and_the_others_are_cleared(project: Callable[..., Project]) -> None:
    rules = [replacing(f"rule-{n}", f"RUN write /{n} 1", f"RUN  write /{n} {2 if n == 3 else 1}") for n in range(8)]
    one = project(*rules)
    one.write(BASE + "".join(f"RUN write /{n} 1\n" for n in range(8)))
    result = one.only()
    assert [(each.rule, each.line) for each in result.culprits] == [("rule-3", 6)]
    assert {rule for (rule, _), state in states(result).items() if state is State.BROKEN} == {"rule-3"}
    assert states(result)["rule-4", "image"] is State.KEPT
    assert result.culprits[0].evidence[0] == "image: broken"


def test_two_fixes_of_one_rule_are_told_apart(project: Callable[..., Project]) -> None:
    def check(target: Target) -> Iterator[Finding]:
        for instruction in target.dockerfile.instructions:
            at = target.text.find(" 1", instruction.span.start, instruction.span.end)
            if at >= 0 and "/app" not in target.text[instruction.span.start : at]:
                new = "  1" if "/good" in target.text[instruction.span.start : at] else " 2"
                name = target.text[instruction.span.start : at].strip()
                if not name.endswith("done"):
                    edits = (Edit(at, at + 2, f"{new} && true"),)
                    yield Fix(instruction.span, f"{name} is old", edits, Safety.UNSAFE, "h", review="r")

    rule = Codemod("both", "T", Severity.INFO, Category.SIZE, frozenset(Effect), _once(check), "0", page="P")
    one = project(rule)
    one.write(f"{BASE}RUN write /good 1\nRUN write /bad 1\n")
    result = one.only()
    assert [each.message for each in result.culprits] == ["RUN write /bad is old"]
    assert one.proven() == f"{BASE}RUN write /good  1 && true\nRUN write /bad 1\n"


def _once(check: Callable[[Target], Iterator[Finding]]) -> Callable[[Target], Iterator[Finding]]:
    """A check that leaves alone what it has changed."""

    def wrapped(target: Target) -> Iterator[Finding]:
        for finding in check(target):
            if "&& true" not in target.text[finding.at.start : finding.at.end]:
                yield finding

    return wrapped


def test_a_smaller_image_is_shown_for_each_rule_that_claims_it(project: Callable[..., Project]) -> None:
    smaller = Promise(removes=("/big*",), claims=frozenset({Claim.SMALLER}))
    one = project(
        replacing("shrinks", f"RUN write /big {'x' * 20_000}", "RUN true", promise=smaller),
        replacing("grows", "RUN write /a 1", "RUN  write /a 1", promise=smaller),
    )
    one.write(f"{BASE}RUN write /big {'x' * 20_000}\nRUN write /a 1\n")
    result = states(one.only())
    assert result["shrinks", "smaller"] is State.KEPT
    assert result["grows", "smaller"] is State.BROKEN


def test_prove_applies_safe_and_proven_fixes_and_leaves_out_the_others(project: Callable[..., Project]) -> None:
    one = project(
        replacing("safe", "RUN write /s 1", "RUN  write /s 1", safety=Safety.SAFE),
        replacing("good", "RUN write /a 1", "RUN  write /a 1"),
        replacing("bad", "RUN write /b 1", "RUN write /b 2"),
        replacing("worse", "RUN write /c 1", "RUN fail"),
        replacing("vain", "RUN write /d 1", "RUN  write /d 1", promise=Promise(claims=frozenset({Claim.SMALLER}))),
    )
    one.write(BASE + "".join(f"RUN write /{n} 1\n" for n in "sabcd"))
    proof = one.prove()
    (file,) = proof.run.dockerfiles
    assert file.text == f"{BASE}RUN  write /s 1\nRUN  write /a 1\nRUN write /b 1\nRUN write /c 1\nRUN write /d 1\n"
    (result,) = proof.result.targets
    assert {each.rule: each.evidence[0] for each in result.culprits} == {
        "bad": "image: broken", "worse": "builds: broken", "vain": "smaller: broken",
    }  # fmt: skip
    assert (one.root / "Dockerfile").read_text(encoding="utf-8").count("  ") == 0


def test_prove_leaves_out_what_cannot_be_shown(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write("FROM scratch\nRUN fail\nRUN write /a 1\n")
    assert "RUN write /a 1" in one.proven()


def test_each_build_of_a_file_must_prove_a_fix(project: Callable[..., Project]) -> None:
    one = project(replacing("needs", "RUN write /a 1", "RUN need /x/needed && write /a 1"))
    one.write(f"{BASE}COPY . /x\nRUN write /a 1\n")
    one.write("", "one/needed")
    one.write("", "two/other")
    services = "".join(
        f"  {name}:\n    build: {{context: {name}, dockerfile: ../Dockerfile}}\n" for name in ("one", "two")
    )
    one.write(f"services:\n{services}", "compose.yaml")
    found = {each.build: states(each)["needs", "builds"] for each in one.verify().targets}
    assert found == {"one (compose.yaml:3)": State.KEPT, "two (compose.yaml:5)": State.BROKEN}
    assert "RUN write /a 1\n" in one.proven()


def test_a_start_that_fails_afterwards_breaks_the_promise(project: Callable[..., Project]) -> None:
    one = project(
        replacing("cmd", 'CMD ["/app"]', 'CMD ["/missing"]', promise=Promise(config=frozenset({Part.COMMAND})))
    )
    one.write(f'{BASE}CMD ["/app"]\n')
    result = states(one.only())
    assert result["cmd", "image"] is State.KEPT
    assert result["cmd", "starts"] is State.BROKEN


def test_nothing_is_left_behind_and_the_tree_is_not_written(project: Callable[..., Project]) -> None:
    one = project(replacing("other", "RUN write /a 1", "RUN write /a 2"))
    one.write(f"{BASE}COPY . /x\nRUN write /a 1\n")
    one.write("data", "data.txt")
    before = {path: path.read_bytes() for path in one.root.rglob("*") if path.is_file()}
    one.verify(quick=False)
    assert {path: path.read_bytes() for path in one.root.rglob("*") if path.is_file()} == before
    assert one.builder.images == {}
    assert [path for path in one.work.rglob("*") if path.is_file()] == []
    assert all(not request.context.is_relative_to(one.root) for request in one.builder.requests)


def test_times_are_measured_in_each_run(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN write /a 1\n")
    (result,) = one.verify(quick=False, runs=3).targets
    times = {each.what: each for each in result.measurements if each.unit == "s"}
    assert len(times["build from scratch"].before) == len(times["build from scratch"].after) == 3
    assert times["build without changes"].after == (0.0, 0.0, 0.0)


def test_a_build_that_is_reported_as_failed_has_no_times(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN fail-later 2\nRUN write /a 1\n")
    (result,) = one.verify(quick=False, runs=3).targets
    times = {each.what: each for each in result.measurements if each.unit == "s"}
    for build, index in ((result.before, 0), (result.after, 1)):
        assert build is not None
        for each in times.values():
            assert bool((each.before, each.after)[index]) is build.ok
    assert result.before is not None
    assert not result.before.ok


def test_progress_has_the_step(tmp_path: Path) -> None:
    one = Project(tmp_path, replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN write /a 1\n")
    events: list[Event] = []
    verify_paths(
        (one.root,), Settings(unsafe=True), root=one.root, registry=one.registry, options=VerifyOptions(quick=True),
        builder=one.builder, folder=one.work, on_event=events.append,
    )  # fmt: skip
    name = events[0].target
    assert Event(name, "build before", "step 2/3") in events
    assert Event(name, "build after", "step 3/3") in events
    assert Event(name, "compare the images") in events


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("STEP 3/9: RUN make", "3/9"),
        ("[2/2] STEP 1/4: FROM alpine AS x", "1/4 of stage 2/2"),
        ("#7 [build 2/5] RUN make", "2/5 of build"),
        ("#7 [2/5] RUN make", "2/5"),
        ("#12 [stage-1  2/12] COPY a b", "2/12 of stage-1"),
        ("#7 [internal] load build definition from Dockerfile", ""),
        ("#7 0.345 [2/5] not a step", ""),
        ("  STEP 3/9: said by a command", ""),
    ],
)
def test_steps_of_builders(line: str, step: str) -> None:
    assert step_of(line) == step


def test_a_dockerfile_without_fixes_is_not_built(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(BASE)
    result = one.verify()
    assert (result.targets, result.clean, one.builder.requests) == ((), 1, [])


def test_safe_fixes_alone_are_verified_by_default(project: Callable[..., Project]) -> None:
    one = project(replacing("unsafe", "RUN write /a 1", "RUN write /a 2"))
    one.write(f"{BASE}RUN write /a 1\n")
    assert one.verify(unsafe=False).targets == ()


def test_an_unknown_context_is_said(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}COPY nowhere /x\nRUN write /a 1\n")
    (result,) = one.verify().targets
    assert "context is not known" in result.skipped
    assert one.builder.requests == []


@pytest.mark.parametrize("bad", [set[int](), {0}, {7}, {3, 4}, {0, 7}, set(range(8))])
def test_culprits_are_found_with_few_trials(bad: set[int]) -> None:
    trials: list[list[int]] = []

    def breaks(items: object) -> bool:
        trials.append(list(items))  # type: ignore[call-overload] # a sequence
        return bool(bad & set(trials[-1]))

    found, left = culprits(range(8), breaks)
    assert (set(found), left) == (bad, [n for n in range(8) if n not in bad])
    assert len(trials) <= 5 * len(bad) + 1


def test_a_pair_that_breaks_only_together_is_parted() -> None:
    found, left = culprits("abcd", lambda items: "b" in items and "d" in items)
    assert (found, left) == (["d"], ["a", "b", "c"])


def test_packages_is_part_of_a_promise() -> None:
    assert Promise().packages is Packages.SAME


def test_values_of_secrets_are_not_shown(project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_ENVIRONMENT", "hunter22")
    one = project(replacing("bad", "RUN write /a 1", "RUN leak"))
    one.write(f"{BASE}RUN write /a 1\n")
    one.write("in-a-file\n", "secret.txt")
    one.write("TOKEN=sw0rdfish\n", ".env")
    one.write(
        "services:\n  a:\n    build:\n      context: .\n      args: {TOKEN: $TOKEN}\n      secrets: [one, two]\n"
        "secrets:\n  one: {file: secret.txt}\n  two: {environment: FROM_ENVIRONMENT}\n",
        "compose.yaml",
    )
    result = one.only()
    assert result.verdicts[0].evidence == ("the build fails: ${TOKEN} <secret two> <secret one>",)
    assert "sw0rdfish" not in repr(result.after)
    (secret, other) = one.builder.requests[0].secrets
    assert (secret.id, secret.file, other.env) == ("one", one.root / "secret.txt", "FROM_ENVIRONMENT")


def test_a_secret_file_outside_the_project_is_refused(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN write /a 1\n")
    one.write(
        "services:\n  a:\n    build: {context: ., secrets: [one]}\nsecrets: {one: {file: ../id_rsa}}\n", "compose.yaml"
    )
    (result,) = one.verify().targets
    assert result.skipped == "the build secret one is a file outside the project"


def test_a_named_context_that_a_service_builds_is_built_first(project: Callable[..., Project]) -> None:
    one = project(replacing("same", "RUN write /a 1", "RUN  write /a 1"))
    one.write(f"{BASE}RUN write /a 1\n", "app/Dockerfile")
    one.write(BASE, "base/Dockerfile")
    one.write(
        "services:\n  app:\n    build: {context: app, additional_contexts: {base: 'service:base'}}\n"
        "  base:\n    build: base\n",
        "compose.yaml",
    )
    result = one.only()
    assert states(result)["same", "image"] is State.KEPT
    first, second, third = one.builder.requests
    assert second.contexts == third.contexts == {"base": f"docker-image://{first.tag}"}


def test_an_ignore_file_is_changed_in_the_copy_alone(project: Callable[..., Project]) -> None:
    def check(target: Target) -> Iterator[Finding]:
        path = target.project.root / ".dockerignore"
        if target.project.files.read(path).text == "a\n":
            change = Change(path, (Edit(0, 2, "b\n"),))
            span = target.dockerfile.instructions[0].span
            yield Fix(span, "m", (), Safety.UNSAFE, "h", review="r", other_files=(change,))

    rule = Codemod("ignore", "T", Severity.INFO, Category.SIZE, frozenset(Effect), check, "0", page="P")
    one = project(rule)
    one.write(f"{BASE}COPY . /x\n")
    one.write("a\n", ".dockerignore")
    one.only()
    assert [context[".dockerignore"] for context in one.builder.contexts] == [b"a\n", b"b\n", b"a\n"]
    assert (one.root / ".dockerignore").read_text(encoding="utf-8") == "a\n"


def test_a_fix_is_the_same_whether_or_not_another_changes_its_text(project: Callable[..., Project]) -> None:
    """The first rule changes the text of the second one's finding; each is still chosen by itself."""

    def longer(target: Target) -> Iterator[Finding]:
        for instruction in target.dockerfile.instructions:
            text = target.text[instruction.span.start : instruction.span.end]
            if "/long" in text and "/file" not in text:
                at = target.text.index("/long", instruction.span.start) + 5
                yield Fix(instruction.span, "short", (Edit(at, at, "/file"),), Safety.UNSAFE, "h", review="r")

    def spaced(target: Target) -> Iterator[Finding]:
        for instruction in target.dockerfile.instructions:
            text = target.text[instruction.span.start : instruction.span.end]
            if text.startswith("RUN write /") and "/app" not in text:
                at = instruction.span.start + 3
                yield Fix(instruction.span, "narrow", (Edit(at, at, " "),), Safety.UNSAFE, "h", review="r")

    rules = [
        Codemod(name, "T", Severity.INFO, Category.SIZE, frozenset(Effect), check, "0", page="P")
        for name, check in (("longer", longer), ("spaced", spaced))
    ]
    one = project(*rules)
    one.write(f"{BASE}RUN write /long/a/b/c/d 1\nRUN write /long/a/b/c/e 1\n")
    result = one.only()
    assert {each.rule for each in result.culprits} == {"longer"}
    assert states(result)["spaced", "image"] is State.KEPT
    assert one.proven() == f"{BASE}RUN  write /long/a/b/c/d 1\nRUN  write /long/a/b/c/e 1\n"


def test_of_two_fixes_of_one_rule_the_one_that_keeps_its_claim_is_proven(project: Callable[..., Project]) -> None:
    big, small, grown = (f"RUN write /{name} {'x' * size}" for name, size in (("b", 20_000), ("s", 1), ("s", 30_000)))
    promise = Promise(removes=("/b",), changes=("/s",), claims=frozenset({Claim.SMALLER}))

    def check(target: Target) -> Iterator[Finding]:
        for name, old, new in (("big", f"{big}\n", "RUN true\n"), ("small", f"{small}\n", f"{grown}\n")):
            at = target.text.find(old)
            if at >= 0:
                edits = (Edit(at, at + len(old), new),)
                yield Fix(Span(at, at + len(old)), f"{name} file", edits, Safety.UNSAFE, "h", review="r")

    effects = frozenset(Effect)
    one = project(Codemod("files", "T", Severity.INFO, Category.SIZE, effects, check, "0", page="P", promise=promise))
    one.write(f"{BASE}{small}\n{big}\n")
    proof = one.prove()
    assert [file.text for file in proof.run.dockerfiles] == [f"{BASE}{small}\nRUN true\n"]
    (target,) = proof.result.targets
    assert [(each.message, each.evidence[0]) for each in target.culprits] == [("small file", "smaller: broken")]
