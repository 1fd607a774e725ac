"""Finding packs, in order, and names that nearly fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from dockfix.project.problems import closest
from dockfix.rule import registry
from dockfix.rule.model import Codemod, Preset
from dockfix.rule.registry import Registry, RegistryError, UnknownRuleError, load_registry
from tests.rule.samples import codemod


def made(name: str) -> Codemod:
    return codemod(lambda _: iter(()), name)


@dataclass(frozen=True)
class Point:
    """An entry point, as far as the registry looks at one."""

    name: str
    give: Callable[[], object]
    value: str = f"{__name__}:load"

    def load(self) -> Callable[[], object]:
        return self.give


def load(monkeypatch: pytest.MonkeyPatch, *points: Point) -> Registry:
    def entry_points(*, group: str) -> tuple[Point, ...]:
        return points if group == "dockfix.codemods" else ()

    monkeypatch.setattr(registry, "entry_points", entry_points)
    return load_registry()


def test_the_built_in_pack_comes_first_then_the_others_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        Point("zoo", lambda: [made("z")]),
        Point("ark", lambda: iter([made("a2"), made("a1")])),
        Point("builtin", lambda: (made("m"), made("b"))),
    )
    assert found.names == ("m", "b", "a2", "a1", "z")
    assert found.packs == {"m": "builtin", "b": "builtin", "a2": "ark", "a1": "ark", "z": "zoo"}


def test_a_pack_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> object:
        return json.loads("{")  # the innermost frame is json's

    line = fails.__code__.co_firstlineno + 1
    reason = re.escape(f"{__file__}:{line}: JSONDecodeError: Expecting")
    with pytest.raises(RegistryError, match=f"'ark' cannot be loaded: {reason}"):
        load(monkeypatch, Point("ark", fails))
    with pytest.raises(RegistryError, match="'ark' cannot be loaded: JSONDecodeError: Expecting"):
        load(monkeypatch, Point("ark", fails, "another.package:load"))

    def invalid() -> object:
        return compile("\n1 +", "ark.py", "exec")

    with pytest.raises(RegistryError, match=r"'ark' cannot be loaded: ark\.py:2: SyntaxError: invalid syntax$"):
        load(monkeypatch, Point("ark", invalid))
    with pytest.raises(RegistryError, match="'ark' returns a value that is not a Codemod: 1"):
        load(monkeypatch, Point("ark", lambda: [1]))


def test_two_codemods_of_one_name_are_an_error_that_names_their_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    remedy = "; rename the rule or uninstall the pack"
    with pytest.raises(RegistryError, match=f"two codemods are named 'a', in 'ark' and 'zoo'{remedy}"):
        load(monkeypatch, Point("zoo", lambda: [made("a")]), Point("ark", lambda: [made("a")]))
    with pytest.raises(RegistryError, match=f"two codemods are named 'a', in 'ark'{remedy}"):
        load(monkeypatch, Point("ark", lambda: [made("a"), made("a")]))


REGISTRY = Registry((made("cache-mount"), made("arg-scope"), replace(made("pin"), preset=Preset.ALL)))


def test_selection_keeps_the_running_order_and_leaves_out_what_is_opt_in() -> None:
    def names(*rules: str, ignore: tuple[str, ...] = (), extend: tuple[str, ...] = ()) -> list[str]:
        return [each.name for each in REGISTRY.select(rules, ignore, extend)]

    assert names() == ["cache-mount", "arg-scope"]
    assert names("pin", "arg-scope") == ["arg-scope", "pin"]
    assert names(ignore=("cache-mount",)) == ["arg-scope"]
    assert names("pin", ignore=("pin",)) == []
    assert names(extend=("pin",)) == ["cache-mount", "arg-scope", "pin"]
    assert names("arg-scope", extend=("pin",), ignore=("arg-scope",)) == ["pin"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("cache-mounts", "cache-mount"), ("argscope", "arg-scope"), ("cache", "cache-mount"), ("zzzzzzz", None)],
)
def test_an_unknown_rule_suggests_the_nearest(name: str, nearest: str | None) -> None:
    for use in (
        REGISTRY.get,
        REGISTRY.named,
        lambda rule: REGISTRY.select([rule]),
        lambda rule: REGISTRY.select(extend=[rule]),
    ):
        with pytest.raises(UnknownRuleError, match=f"unknown rule '{name}'") as caught:
            use(name)
        assert caught.value.suggestion == nearest
        assert (f"did you mean {nearest!r}" if nearest else "`dockfix rules`") in str(caught.value)


CODED = Registry(
    (
        replace(made("image-tag"), hadolint=frozenset({"DL3006", "DL3007"})),
        replace(made("stage-name"), hadolint=frozenset({"DL3024"}), checks=frozenset({"StageNameCasing"})),
        replace(made("version-pin"), hadolint=frozenset({"DL3006"}), preset=Preset.STRICT),
    )
)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("image-tag", ["image-tag"]),
        ("DL3007", ["image-tag"]),
        ("DL3006", ["image-tag", "version-pin"]),
        ("dl3024", ["stage-name"]),
        ("StageNameCasing", ["stage-name"]),
        ("stagenamecasing", ["stage-name"]),
    ],
)
def test_a_code_means_all_rules_that_answer_it(name: str, rules: list[str]) -> None:
    assert [each.name for each in CODED.named(name)] == rules
    assert [each.name for each in CODED.select([name])] == rules
    assert CODED.resolved([name, name]) == tuple(rules)
    kept = [each.name for each in CODED.select(ignore=[name], preset=Preset.ALL)]
    assert kept == [each for each in CODED.names if each not in rules]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("DL1000", r"no rule answers DL1000: .*problem of the input"),
        ("dl3061", r"no rule answers DL3061: .*problem of the input"),
        ("SC2086", r"no rule answers SC2086: .*ShellCheck"),
        ("DL4006", r"^no installed rule answers DL4006$"),
        ("DL9999", r"unknown rule 'DL9999'; `dockfix rules`"),
        ("DL3005", r"unknown rule 'DL3005'; `dockfix rules`"),
        ("DL306", r"unknown rule 'DL306'; did you mean 'DL3006'\?"),
        ("StageNameCase", r"unknown rule 'StageNameCase'; did you mean 'StageNameCasing'\?"),
    ],
)
def test_a_code_that_no_rule_answers_is_explained(code: str, message: str) -> None:
    with pytest.raises(UnknownRuleError, match=message):
        CODED.named(code)


def test_presets_include_each_other() -> None:
    registry = Registry(tuple(replace(made(each.value), preset=each) for each in reversed(Preset)))
    for number, preset in enumerate(Preset, 1):
        assert {each.name for each in registry.select(preset=preset)} == {each.value for each in list(Preset)[:number]}
    assert [each.name for each in registry.select(["all"], preset=Preset.STRICT)] == ["all"]
    assert [each.name for each in registry.select(extend=["all"], ignore=["strict"], preset=Preset.STRICT)] == [
        "all",
        "recommended",
    ]


def test_a_word_that_several_names_begin_with_is_no_suggestion() -> None:
    assert closest("base", ["base-image-drift", "apk-cache"]) == "base-image-drift"
    assert closest("base", ["base-image-drift", "base-image-pinned"]) is None
    assert closest("", ["-x"]) is None
