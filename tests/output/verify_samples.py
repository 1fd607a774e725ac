"""Results of `dockfix verify` for the tests of its outputs and of the command line."""

from __future__ import annotations

from pathlib import Path

from dockfix.engine.results import Defect
from dockfix.project.problems import InputProblem
from dockfix.rule import Diagnostic, Edit, Fix, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.verify.model import (
    BuildOutcome,
    Culprit,
    Difference,
    Measurement,
    State,
    Step,
    TargetResult,
    Verdict,
    VerifyResult,
)

EVIL = "\x1b[31m`|</details>\n# x\r\u202e@someone https://example.org <img src=x>"
"""Text that would control a terminal, end a cell, a block or a line, or mention a person."""


def fix(rule: str, line: int, message: str = "a message", safety: Safety = Safety.UNSAFE) -> Diagnostic:
    finding = Fix(Span(0, 1), message, (Edit(0, 1, "f"),), safety, "do it", "look at it")
    return Diagnostic(rule, finding, Severity.WARNING, line, 1, line, Path("/project/api/Dockerfile"))


FINE = TargetResult(
    "api/Dockerfile",
    "api (docker-compose.yaml:12)",
    fixes=(fix("cache-mount", 3, safety=Safety.SAFE), fix("cache-mount", 9), fix("apt-purge", 7)),
    diff="--- a/api/Dockerfile\n+++ b/api/Dockerfile\n@@ -1 +1 @@\n-FROM a\n+FROM b\n",
    before=BuildOutcome(True, 34.24, (Step("RUN a", True), Step("RUN b", False, 3.0)), "log of before"),
    after=BuildOutcome(True, 31.0),
    verdicts=(
        Verdict("cache-mount", "builds", State.KEPT, ("the build succeeded", "in 31 s")),
        Verdict("cache-mount", "starts", State.NOT_SHOWN, ("the image has no command",)),
        Verdict("apt-purge", "image", State.BROKEN, ("/usr/bin/gcc is missing", "and 2 more files")),
    ),
    measurements=(
        Measurement("image size", "bytes", (368_400_000,), (293_000_000,)),
        Measurement("cold build", "s", (34.0, 40.0, 36.0), (36.0,)),
        Measurement("warm build", "s", (), (1.0,)),
        Measurement("layers", "layers", (7,), (8,)),
        Measurement("not measured", "s", (), ()),
    ),
    differences=(
        Difference("removed", "/usr/bin/gcc", "file 0755 root", ""),
        Difference("config", "user", "", "app"),
        *(Difference("added", f"/f{number}", "", "file") for number in range(12)),
        Difference("changed", "/var/log/dpkg.log", "1", "2", "logs differ in each build"),
    ),
    culprits=(
        Culprit("apt-purge", 7, "`gcc` stays", ("image: broken", "/usr/bin/gcc is missing", "and 2 more files")),
    ),
)
FAILS = TargetResult(
    "web/Dockerfile",
    "context web",
    fixes=(fix("copy-order", 2),),
    before=BuildOutcome(True, 2.0),
    after=BuildOutcome(
        False, 5.0, log="".join(f"line {number}\n" for number in range(30)) + "no \x1b[2Jtable\n", reason="exit code 1"
    ),
    verdicts=(Verdict("copy-order", "builds", State.BROKEN, ("exit code 1",)),),
)
SKIPPED = TargetResult("db/Dockerfile", "", fixes=(fix("cache-mount", 1),), skipped="the context has 3.0 GB")
RESULT = VerifyResult("buildah 1.28.2", (FINE, FAILS, SKIPPED), clean=2, seconds=72.5)
HOSTILE = VerifyResult(
    EVIL,
    (
        TargetResult(
            EVIL,
            EVIL,
            fixes=(fix("a-rule", 1, EVIL),),
            diff=f"--- a\n+++ b\n+```\n+{EVIL}\n",
            before=BuildOutcome(False, 1.0, (Step(EVIL, False),), f"```\n{EVIL}", EVIL),
            after=BuildOutcome(False, 1.0, (), f"````\n{EVIL}", EVIL),
            verdicts=(Verdict(EVIL, EVIL, State.BROKEN, (EVIL, EVIL)),),
            measurements=(Measurement(EVIL, "s", (1.0,), (1.0,)),),
            differences=(Difference("added", EVIL, EVIL, EVIL), Difference("added", EVIL, EVIL, EVIL, EVIL)),
            culprits=(Culprit(EVIL, 1, EVIL, (EVIL,)),),
        ),
        TargetResult(EVIL, EVIL, skipped=EVIL),
    ),
    problems=(InputProblem(EVIL, 1, EVIL),),
    defects=((EVIL, Defect(EVIL, EVIL, EVIL)),),
)
