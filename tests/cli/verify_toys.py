"""A program that runs dockfix with the codemods of `toys.py` and a session of builds that builds nothing.

The variable TOY_BUILDS says what the session does; what it is asked, and that the builder is closed, goes to the file
that TOY_LOG names.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from dockfix.cli import main
from dockfix.engine.results import Defect, FileResult, RunResult
from dockfix.engine.session import run_paths
from dockfix.engine.settings import Settings
from dockfix.project.problems import InputProblem
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Edit, Effect, Finding, Fix, Safety, Severity
from dockfix.rule.registry import Registry
from dockfix.syntax.tree import Cmd
from dockfix.verify import builders, session
from dockfix.verify.model import BuilderError, BuildOutcome, Culprit, State, TargetResult, Verdict, VerifyResult
from dockfix.verify.session import Event, OnEvent, Proof, VerifyOptions
from tests.output.verify_samples import FAILS, FINE, HOSTILE, RESULT, SKIPPED


def _lines(target: Target) -> Iterator[Finding]:
    """Adds two lines before `CMD add-lines`: safe."""
    for node in target.dockerfile.instructions:
        if isinstance(node, Cmd) and "add-lines" in node.args[0].text and "# new" not in target.text:
            start = node.keyword.span.start
            yield Fix(node.keyword.span, "no comment", (Edit(start, start, "# new\n# new\n"),), Safety.SAFE, "add one")


_TOYS = runpy.run_path(str(Path(__file__).with_name("toys.py")))["REGISTRY"]
_LINES = Codemod("lines", "Adds lines", Severity.INFO, Category.STYLE, frozenset(Effect), _lines, "0")
TOYS = Registry((*_TOYS.codemods, _LINES), _TOYS.packs)
KEPT = replace(FINE, verdicts=(Verdict("cache-mount", "builds", State.KEPT),), culprits=())
FAILED = BuildOutcome(False, 5.0, reason="RUN failed")
RESULTS = {
    "fine": VerifyResult("toy 1.0", (KEPT,), clean=1, seconds=3.0),
    "broken": RESULT,
    "skipped": VerifyResult("toy 1.0", (SKIPPED,)),
    "failing": VerifyResult("toy 1.0", (replace(FAILS, before=FAILED, after=FAILED, verdicts=()),)),
    "nothing": VerifyResult("toy 1.0", (), clean=2),
    "problem": replace(RESULT, problems=(InputProblem("D", 3, "no \x1b good"),)),
    "defect": replace(RESULT, defects=(("D", Defect("crasher", "gate", "oh")),)),
    "hostile": HOSTILE,
}
KIND = os.environ.get("TOY_BUILDS", "fine")


def log(**said: Any) -> None:
    with Path(os.environ["TOY_LOG"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


@dataclass
class ToyBuilder:
    name: str = "toy"
    version: str = "1.0"

    def close(self) -> None:
        log(closed=True)
        if KIND == "stuck":
            raise BuilderError("image x is in use")


def find(name: str | None, *, folder: Path) -> ToyBuilder:
    log(builder=name, folder=str(folder), there=folder.is_dir())
    if name == "missing":
        raise BuilderError("the builder 'missing' is not known; use buildah")
    return ToyBuilder()


def happen(options: VerifyOptions, settings: Settings, folder: Path, on_event: OnEvent | None) -> None:
    """What happens during the builds."""
    log(options=asdict(options), unsafe=settings.unsafe, select=settings.select)
    (folder / "context").mkdir()
    (folder / "context" / "locked").mkdir(mode=0o000)
    if on_event is not None:
        on_event(Event("api (docker-compose.yaml:12)", "build before", "RUN \x1b[31m x"))
    match KIND:
        case "interrupt":
            signal.raise_signal(signal.SIGINT)
        case "wait":
            log(waiting=True)
            time.sleep(600)
        case "slow":
            time.sleep(1.2)
        case "unable":
            raise BuilderError("toy 1.0 cannot build \x1b named contexts")
        case "full":
            raise OSError(28, "No space left on device")


def verify(
    paths: Sequence[Path], settings: Settings, *, root: Path, registry: Registry, options: VerifyOptions,
    builder: ToyBuilder, folder: Path, on_event: OnEvent | None = None,
) -> VerifyResult:  # fmt: skip
    happen(options, settings, folder, on_event)
    return RESULTS.get(KIND, RESULTS["fine"])


def prove(
    paths: Sequence[Path], settings: Settings, *, root: Path, registry: Registry, options: VerifyOptions,
    builder: ToyBuilder, folder: Path, on_event: OnEvent | None = None,
) -> Proof:  # fmt: skip
    happen(options, settings, folder, on_event)
    every = replace(settings, unsafe=True)
    run = run_paths(
        paths,
        every,
        root=root,
        registry=registry,
        write=False,
        accept=lambda _, found: "bad" not in found.finding.message,
    )
    if KIND == "race":
        (root / "Dockerfile").write_text("FROM other\n")
    return Proof(VerifyResult("toy 1.0", tuple(shown(run, each) for each in run.files), seconds=2.0), run)


def shown(run: RunResult, file: FileResult) -> TargetResult:
    culprits = tuple(
        Culprit(each.rule, each.line, each.finding.message, ("image: broken", "/bad is missing", "and more"))
        for each in file.fixes
    )
    verdicts = [Verdict(each.rule, "image", State.BROKEN, ("/bad is missing", "and more")) for each in file.fixes]
    if KIND == "contradicted":
        verdicts.append(Verdict("from-as", "starts", State.BROKEN, ("exit code 1",)))
    if KIND == "unbuilt":
        return replace(SKIPPED, display=file.display)
    return replace(FAILS, display=file.display, verdicts=tuple(verdicts), culprits=culprits)


if __name__ == "__main__":
    os.environ.setdefault("TERM", "xterm")
    for module, name, function in (
        (builders, "find_builder", find),
        (session, "verify_paths", verify),
        (session, "prove_paths", prove),
    ):
        setattr(module, name, function)
    sys.exit(main(sys.argv[1:], TOYS))
