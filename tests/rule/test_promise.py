"""Promises: what they may say, that the effects of a rule allow it, and how a page says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockfix.output.page import page
from dockfix.project.gitignore import GitIgnore
from dockfix.rule import Category, Claim, Codemod, Effect, Finding, LazyFunction, Packages, Part, Promise, Severity
from dockfix.rule.pack_index import index_source
from dockfix.rule.promise_page import promise_section, with_promise
from dockfix_codemods import load_all

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
HAVE_FIXES = {path.stem for path in GOLDEN.glob("*.md") if "\n## fix: " in path.read_text(encoding="utf-8")}
PAGE = "A title.\n\n## What it does\n\nText.\n\n## Fix safety\n\nSafe.\n\n## References\n\n- none\n"


def nothing(_: object) -> Iterator[Finding]:
    yield from ()


def made(*effects: Effect, **promise: Any) -> Codemod:
    kind = Category.STYLE
    promised = Promise(**promise)
    return Codemod("x", "t", Severity.INFO, kind, frozenset(effects), nothing, "0.1.0", page=PAGE, promise=promised)


@pytest.mark.parametrize("pattern", ["etc/passwd", "", "/etc/", "*.pyc", " /etc", "/etc/x ", "!/etc"])
@pytest.mark.parametrize("field", ["adds", "removes", "changes", "owners"])
def test_a_pattern_is_one_for_absolute_paths(field: str, pattern: str) -> None:
    with pytest.raises(ValueError, match="not a pattern for absolute paths"):
        Promise(**{field: ("/etc/passwd", "**/.cache/**", pattern)})  # type: ignore[arg-type]  # any of four fields


@pytest.mark.parametrize(
    ("part", "effects"),
    [
        (Part.HEALTHCHECK, [Effect.METADATA, Effect.SHELL, Effect.STAGES]),
        (Part.LABELS, [Effect.METADATA, Effect.ENV, Effect.ARGS]),
        (Part.USER, [Effect.USERS, Effect.ENV, Effect.ARGS]),
        (Part.ENV, [Effect.ENV, Effect.ARGS]),
        (Part.SHELL, [Effect.SHELL]),
    ],
)
def test_a_part_of_the_configuration_needs_an_effect_on_it(part: Part, effects: list[Effect]) -> None:
    for effect in effects:
        assert made(effect, config=frozenset({part})).promise.config == {part}
    for others in ([], [Effect.COMMANDS, Effect.STEPS, Effect.COPIES, Effect.MOUNTS]):
        with pytest.raises(ValueError, match=f"x: its effects do not let it change {part.value} of the image"):
            made(*others, config=frozenset({part}))


@pytest.mark.parametrize(
    "promise",
    [
        {"adds": ("/a",)},
        {"removes": ("/a",)},
        {"changes": ("/a",)},
        {"owners": ("/**",)},
        {"mounts": True},
        {"packages": Packages.FEWER},
    ],
)
def test_files_need_an_effect_that_can_change_them(promise: dict[str, Any]) -> None:
    for effects in ([], [Effect.METADATA]):
        with pytest.raises(ValueError, match="x: its effects do not let it change files of the image"):
            made(*effects, **promise)
    assert made(Effect.METADATA, Effect.COMMANDS, **promise).promise.concerns_files
    assert not made(Effect.METADATA, config=frozenset({Part.LABELS})).promise.concerns_files


@pytest.mark.parametrize(
    ("claim", "enough", "useless"),
    [
        (Claim.SMALLER, Effect.COMMANDS, Effect.METADATA),
        (Claim.SOURCE_EDIT, Effect.ORDER, Effect.COMMANDS),
        (Claim.SOURCE_EDIT, Effect.COPIES, Effect.ENV),
        (Claim.ARG_CHANGE, Effect.ORDER, Effect.COMMANDS),
        (Claim.CACHE_MOUNT, Effect.MOUNTS, Effect.ORDER),
        (Claim.HEALTHY, Effect.METADATA, Effect.ORDER),
        (Claim.REPAIRS, Effect.COMPOSE, None),
    ],
)
def test_a_claim_needs_an_effect_that_can_achieve_it(claim: Claim, enough: Effect, useless: Effect | None) -> None:
    assert made(enough, claims=frozenset({claim})).promise.claims == {claim}
    with pytest.raises(ValueError, match=f"x: its effects cannot achieve what it claims: {claim.value}"):
        made(*([useless] if useless else []), claims=frozenset({claim}))


@pytest.mark.parametrize("codemod", load_all(), ids=lambda each: each.name)
def test_each_rule_with_fixes_says_what_it_promises_and_why(codemod: Codemod) -> None:
    if codemod.name in HAVE_FIXES:
        assert codemod.promise.rationale.endswith(".")
        sections = re.findall(r"^## (.*)$", page(codemod), re.M)
        assert sections.count("Promise") == 1
        assert sections[sections.index("Promise") - 1] == "Fix safety"
    else:
        assert codemod.promise == Promise()
        assert "## Promise" not in page(codemod)


def test_the_targets_of_mounts_become_patterns() -> None:
    promise = Promise(removes=("/a",), mounts=True)
    targets = ["/root/.cache/pip", "/var/lib/apt/", "/root/.cache/pip", "/x [1]*", "relative", "/"]
    patterns = ("/root/.cache/pip", "/var/lib/apt", r"/x\ \[1\]\*")
    assert promise.with_mounts(targets) == Promise(adds=patterns, removes=("/a", *patterns), changes=patterns)
    assert promise.with_mounts([]) == Promise(removes=("/a",))
    assert Promise(removes=("/a",)).with_mounts(targets) == Promise(removes=("/a",))
    ignored = GitIgnore(patterns)
    assert ignored.verdict("root/.cache/pip/")
    assert ignored.verdict("x [1]*")
    assert not ignored.verdict("x 1y")


def test_the_section_names_all_that_may_differ_and_what_a_build_shows() -> None:
    codemod = made(
        Effect.METADATA, Effect.COMMANDS, Effect.MOUNTS,
        config=frozenset({Part.LABELS, Part.HEALTHCHECK, Part.COMMAND}),
        adds=("/a", "/b/**"),
        owners=("/**",),
        packages=Packages.FEWER,
        mounts=True,
        claims=frozenset({Claim.CACHE_MOUNT, Claim.SMALLER}),
        rationale="Because.",
    )  # fmt: skip
    assert promise_section(codemod) == (
        "## Promise\n\n"
        "The image is the same, but for:\n\n"
        "- its command, health check and labels\n"
        "- packages that may be missing, with their files\n"
        "- what is at or below the targets of mounts\n"
        "- files that may be new: `/a`, `/b/**`\n"
        "- any file, which may have another owner or group\n\n"
        "Because.\n\n"
        "`dockfix verify` checks this with builds before and after the fixes, and that:\n\n"
        "- the image is smaller\n"
        "- a step that is run again finds its downloads in a cache mount\n"
    )


def test_every_value_has_words() -> None:
    effects = tuple(Effect)
    for part in Part:
        assert "\n- its " in promise_section(made(*effects, config=frozenset({part})))
    for packages in set(Packages) - {Packages.SAME}:
        assert "packages" in promise_section(made(*effects, packages=packages))
    for claim in Claim:
        assert promise_section(made(*effects, claims=frozenset({claim}))).count("\n- ") == 1


def test_the_same_image() -> None:
    assert promise_section(made()) == ""
    section = promise_section(made(rationale="A comment is not part of any step."))
    assert section.startswith("## Promise\n\nThe image is the same.\n\nA comment is not")
    assert section.endswith("`dockfix verify` checks this with builds before and after the fixes.\n")


def test_the_section_follows_fix_safety() -> None:
    codemod = made(rationale="Because.")
    section = promise_section(codemod)
    assert with_promise(PAGE, codemod) == PAGE.replace("Safe.\n\n", f"Safe.\n\n{section}\n")
    assert with_promise("A title.", codemod) == f"A title.\n\n{section}"
    assert with_promise("A title.\n\n## Fix safety\n\nSafe.\n", codemod).endswith(f"Safe.\n\n{section}")
    assert with_promise(PAGE, made()) == PAGE


def test_an_index_holds_long_promises() -> None:
    promise = {
        "adds": tuple(f"/a-long-folder/number-{number}/**" for number in range(6)),
        "config": frozenset(Part),
        "packages": Packages.ANY,
        "mounts": True,
        "claims": frozenset({Claim.REPAIRS}),
        "rationale": 'A reason with "quotes", a backslash \\ and more words than a line can hold. ' * 3,
    }
    codemod = made(*Effect, **promise)
    source = index_source([codemod], "a command")
    assert max(map(len, source.split("\n"))) <= 120
    names: dict[str, Any] = {}
    exec(compile(source, "index.py", "exec"), names)  # noqa: S102 - the source is generated here
    assert names["INDEX"][0].promise == codemod.promise
    assert isinstance(names["INDEX"][0].check, LazyFunction)
