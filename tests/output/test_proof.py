"""What `apply --prove` says of fixes that were left out, and of fixes that a build contradicts."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from dockfix.engine.results import FileResult, RunResult
from dockfix.output.plain import UNPRINTABLE
from dockfix.output.proof import contradictions, left_out, left_out_lines, proof_summary
from dockfix.project.target import Project
from dockfix.rule.model import Safety
from dockfix.rule.workspace import Workspace
from dockfix.verify.model import Culprit, State, TargetResult, Verdict, VerifyResult
from dockfix.verify.session import Proof
from tests.output.verify_samples import EVIL, fix

REAL = Path("/project/api/Dockerfile")
FILE = FileResult(
    REAL,
    "api/Dockerfile",
    "api/Dockerfile",
    "FROM a\n",
    "FROM b\n",
    applied=(fix("safe-one", 1, safety=Safety.SAFE), fix("proven", 2)),
    remaining=(fix("left", 3, "first"), fix("left", 9, "second")),
)
TARGET = TargetResult("api/Dockerfile", "api (compose.yaml:2)")


def proof_of(*targets: TargetResult, file: FileResult = FILE) -> Proof:
    run = RunResult(Workspace(Project(Path("/project")), ()), (file,))
    return Proof(VerifyResult("b 1", targets), run)


def lines_of(*targets: TargetResult, verbose: bool = False) -> list[str]:
    proof = proof_of(*targets)
    return list(left_out_lines(proof, proof.run, verbose=verbose))


def test_each_fix_has_the_evidence_of_its_own_culprit() -> None:
    culprits = (
        Culprit("left", 9, "second", ("starts: not shown", "it exits", "more")),
        Culprit("left", 3, "first", ("image: broken", "/a is missing")),
    )
    verdict = Verdict("left", "image", State.BROKEN, ("not shown to anybody",))
    target = replace(TARGET, culprits=culprits, verdicts=(verdict,))
    assert lines_of(target) == [
        "  api/Dockerfile:3: left first",
        "    image: broken",
        "      /a is missing",
        "  api/Dockerfile:9: left second",
        "    starts: not shown",
        "      it exits",
    ]
    assert "      more" in lines_of(target, verbose=True)
    assert "    review: look at it" in lines_of(target, verbose=True)


def test_without_a_culprit_the_verdicts_of_the_rule_are_the_reason() -> None:
    verdicts = (
        Verdict("left", "builds", State.KEPT, ("fine",)),
        Verdict("left", "image", State.NOT_SHOWN, ("differs by itself",)),
        Verdict("other", "image", State.BROKEN, ("not this one",)),
    )
    target = replace(TARGET, verdicts=verdicts)
    assert lines_of(target)[:3] == ["  api/Dockerfile:3: left first", "    image: not shown", "      differs by itself"]
    both = lines_of(target, replace(target, build="web"))
    assert "    image: not shown (web)" in both
    assert "    image: not shown (api (compose.yaml:2))" in both


def test_a_target_that_was_not_built_or_of_another_file() -> None:
    assert lines_of(replace(TARGET, skipped="too large"))[1] == "    not built: too large"
    other = replace(TARGET, display="Dockerfile", verdicts=(Verdict("left", "image", State.BROKEN),))
    assert lines_of(other)[1] == "    no build of this run shows whether its promises hold"
    assert lines_of(replace(other, fixes=(fix("left", 3),)))[1] == "    image: broken"  # a fix in another file


def test_a_contradiction_is_of_a_rule_that_left_nothing_out() -> None:
    broken = (
        Verdict("safe-one", "starts", State.BROKEN, ("exit code 1", "more")),
        Verdict("left", "image", State.BROKEN),
    )
    proof = proof_of(replace(TARGET, verdicts=broken))
    ((message, evidence),) = contradictions(proof, proof.run)
    assert message.startswith("api/Dockerfile (api (compose.yaml:2)): a fix of safe-one was applied, and a build has")
    assert evidence == "      exit code 1"
    blamed = proof_of(replace(TARGET, verdicts=broken, culprits=(Culprit("safe-one", 4, "gone meanwhile"),)))
    assert list(contradictions(blamed, blamed.run)) == []
    elsewhere = proof_of(replace(TARGET, verdicts=broken, display="Dockerfile"))
    assert list(contradictions(elsewhere, elsewhere.run)) == []


def test_the_summary() -> None:
    proof = proof_of(TARGET)
    assert proof_summary(proof, proof.run, would=False) == (
        "applied 2 fixes (1 safe, 1 proven by builds with b 1) in 1 of 1 Dockerfile; 2 unsafe fixes left out:"
    )
    assert len(left_out(proof, proof.run)) == 2


def test_hostile_text_is_escaped() -> None:
    file = replace(FILE, path=EVIL, display=EVIL, remaining=(fix("left", 3, EVIL), fix("left", 4, "x")))
    target = TargetResult(
        EVIL,
        EVIL,
        verdicts=(Verdict("left", EVIL, State.BROKEN, (EVIL,)), Verdict("safe-one", EVIL, State.BROKEN, (EVIL,))),
        culprits=(Culprit("left", 3, EVIL, (EVIL, EVIL)),),
        skipped=EVIL,
    )
    proof = proof_of(target, replace(target, build="b"), file=file)
    proof = replace(proof, result=replace(proof.result, builder=EVIL))
    shown = [
        *left_out_lines(proof, proof.run, verbose=True),
        *(line for each in contradictions(proof, proof.run) for line in each),
        proof_summary(proof, proof.run, would=True),
    ]
    assert len(shown) > 10
    assert UNPRINTABLE.findall("".join(shown)) == []
