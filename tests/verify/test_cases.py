"""Every case of `cases` is built for real before and after its fixes; see `cases/README.md`.

A rule has a case, or a reason why no stand-in can show its promise.
"""

from __future__ import annotations

import shutil
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet
from msgspec.structs import replace

from dockfix.engine.configure import settings_of
from dockfix.project.config import load_config
from dockfix.rule.registry import Registry, load_registry
from dockfix.verify.builders import find_builder
from dockfix.verify.model import VerifyOptions, VerifyResult
from dockfix.verify.session import verify_paths
from tests.verify import pack
from tests.verify.bases import Store

CASES: Final = Path(__file__).parent / "cases"

_NO_FIX: Final = "it has no fix: there is nothing to build"
WITHOUT_CASE: Final[Mapping[str, str]] = {
    "allowed-registries": _NO_FIX,
    "base-image-drift": _NO_FIX,
    "compose-depends-on": _NO_FIX,
    "copy-from-root": _NO_FIX,
    "copy-from-self": _NO_FIX,
    "error-masked": _NO_FIX,
    "healthcheck-absent": _NO_FIX,
    "healthcheck-drift": _NO_FIX,
    "ignore-comment": _NO_FIX,
    "label-schema": _NO_FIX,
    "node-env": _NO_FIX,
    "package-upgrade": _NO_FIX,
    "npm-cache": "no stand-in has npm: the tests would need a registry",
    "pip-pin": _NO_FIX,
    "pointless-command": _NO_FIX,
    "platform-mismatch": _NO_FIX,
    "python-inline-syntax": _NO_FIX,
    "rpm-cache": "no stand-in has rpm: the tests would need a mirror of Fedora",
    "stage-flatten": _NO_FIX,
    "sudo": "no stand-in has sudo",
    "torch-index": _NO_FIX,
    "two-downloaders": _NO_FIX,
    "unused-python-deps": _NO_FIX,
    "version-pin": _NO_FIX,
    "workdir-temp": _NO_FIX,
}
"""The rules without a case, each with the reason."""


@dataclass(frozen=True)
class Case:
    """What `case.toml` says; README.md describes the keys."""

    name: str
    why: str
    rules: tuple[str, ...]
    expected: Mapping[str, Any]
    unsafe: bool = False
    scenarios: bool = False
    packs: bool = False
    lock: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    paths: tuple[str, ...] = (".",)
    start_limit: float = 5.0
    repeat: int = 1
    culprits: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    exit_code: int = 0
    project: Path = field(default=Path(), repr=False)


def read_case(folder: Path) -> Case:
    """Read a case; an unknown key is an error."""
    values = tomllib.loads((folder / "case.toml").read_text())
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    values.setdefault("rules", (folder.parent.name,))
    return Case(name=f"{folder.parent.name}/{folder.name}", project=folder / "project", **values)


ALL_CASES: Final = [read_case(path.parent) for path in sorted(CASES.glob("*/*/case.toml"))]


GROUPS: Final = 2
"""How many processes of xdist share the cases; each has a store of its own."""


def in_groups(cases: Sequence[Case]) -> list[ParameterSet]:
    """The cases as parameters, dealt out in turn: slow cases of one rule, which are neighbours, are shared."""
    return [
        pytest.param(case, id=case.name, marks=pytest.mark.xdist_group(f"verify-cases-{number % GROUPS}"))
        for number, case in enumerate(cases)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", in_groups(ALL_CASES))
def test_case(case: Case, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    shutil.copytree(case.project, tmp_path / "project", symlinks=True)
    store.require_for(case.project)
    store.require(set(case.images))
    if case.lock:
        (tmp_path / "project/images.lock").write_text(store.lock())

    result = verify(case, tmp_path)

    assert not result.problems
    assert not result.defects
    assert len(result.targets) == case.repeat, [target.skipped or target.build for target in result.targets]
    for target in result.targets:
        assert target.skipped == ""
        shown: dict[str, dict[str, str]] = {}
        for verdict in target.verdicts:
            shown.setdefault(verdict.rule, {})[verdict.promise] = verdict.state.value
        assert shown == expected(case), described(result)
        if len(target.fixes) > 1:
            assert tuple(sorted(each.rule for each in target.culprits)) == case.culprits, described(result)
    for text in case.evidence:
        assert text in described(result)
    assert int(result.broken) == case.exit_code
    assert store.images() == set()
    assert not any((tmp_path / "work").iterdir())


def expected(case: Case) -> Mapping[str, Mapping[str, str]]:
    """The expected state of each promise, by rule."""
    if all(isinstance(value, dict) for value in case.expected.values()):
        return case.expected
    return {case.rules[0]: case.expected}


def verify(case: Case, folder: Path) -> VerifyResult:
    """Verify the copy of a project that is in a folder."""
    root, work = folder / "project", folder / "work"
    work.mkdir()
    registry = load_registry()
    if case.packs:
        registry = Registry((*registry.codemods, *pack.load()))
    settings = replace(settings_of(load_config(root, root), registry), select=case.rules, unsafe=case.unsafe)
    options = VerifyOptions(timeout=300, quick=not case.scenarios, start_limit=case.start_limit)
    builder = find_builder("buildah", folder=folder)
    try:
        paths = [root / path for path in case.paths]
        return verify_paths(
            paths, settings, root=root, registry=registry, options=options, builder=builder, folder=work
        )
    finally:
        builder.close()


def described(result: VerifyResult) -> str:
    """A result for a reader of a failed test."""
    lines = []
    for target in result.targets:
        lines += [f"{target.display}: {target.build}", target.diff]
        lines += [f"{each.rule} {each.promise}: {each.state.value} {each.evidence}" for each in target.verdicts]
        lines += [str(each) for each in (*target.culprits, *target.differences, *target.measurements)]
        lines += [each.log[-3000:] for each in (target.before, target.after) if each is not None and not each.ok]
    return "\n".join(lines)


def test_every_rule_has_a_case_or_a_reason() -> None:
    with_case = {rule for case in ALL_CASES for rule in case.rules if rule in expected(case)}
    missing = set(load_registry().names) - with_case - WITHOUT_CASE.keys()
    assert not missing
    assert not with_case & WITHOUT_CASE.keys()


def test_a_rule_without_a_fix_has_none_in_its_golden_cases() -> None:
    golden = Path(__file__).parents[2] / "golden"
    for rule, reason in WITHOUT_CASE.items():
        assert reason is not _NO_FIX or "\n## fix" not in (golden / f"{rule}.md").read_text(), rule


def test_the_cases_are_shared_evenly_by_processes() -> None:
    groups = Counter(mark.args[0] for each in in_groups(ALL_CASES) for mark in each.marks if mark.name == "xdist_group")
    assert len(groups) == GROUPS
    assert max(groups.values()) - min(groups.values()) <= 1


def test_every_case_says_why() -> None:
    assert not [case.name for case in ALL_CASES if not case.why.endswith(".")]


def test_every_case_folder_has_a_case() -> None:
    assert {path.parent for path in CASES.glob("*/*/project")} == {case.project.parent for case in ALL_CASES}
