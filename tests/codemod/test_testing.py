"""The golden harness: what fails a case, and what an update may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from dockfix.codemod import testing
from dockfix.codemod.model import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.codemod.surgery import replace
from dockfix.codemod.testing import (
    Case,
    CaseError,
    Update,
    Variant,
    case_from,
    check_case,
    fits,
    load_cases,
    run_case,
    transform,
)
from dockfix.project.target import Target
from dockfix.syntax.tree import Run, User, Workdir

BEFORE = "FROM debian\n# who\nUSER root\nRUN true \\\n  # why\n && true\nWORKDIR a\nUSER 0\n"
AFTER = BEFORE.replace("USER root", "USER app").replace("USER 0", "USER app")
DIFF = (
    "--- a/Dockerfile\n+++ b/Dockerfile\n"
    "@@ -1,8 +1,8 @@\n FROM debian\n # who\n-USER root\n+USER app\n RUN true \\\n   # why\n  && true\n WORKDIR a\n"
    "-USER 0\n+USER app\n"
)
FINDINGS = (
    "fix safe Dockerfile:3 root\n"
    "advice Dockerfile:4 true is true\n"
    "refusal Dockerfile:7 a relative folder: why not\n"
    "fix unsafe Dockerfile:8 zero -- look at: the user\n"
)
FILES = {"before/Dockerfile": BEFORE, "expected.diff": DIFF, "expected.txt": FINDINGS}
NO_OP = {"before/Dockerfile": "FROM debian\n"}


def rewrite(target: Target) -> Iterator[Finding]:
    for node in target.dockerfile.instructions:
        match node:
            case User(args=[word]) if word.text == "root":
                yield Fix(node.span, "root", (replace(word.span, "app"),), Safety.SAFE, "why")
            case User(args=[word]) if word.text == "0":
                yield Fix(node.span, "zero", (replace(word.span, "app"),), Safety.UNSAFE, "why", "the user")
            case Workdir():
                yield Refusal(node.span, "a relative folder", "why not")
            case Run():
                yield Advice(node.span, "true is true")


CODEMOD = Codemod("rule", "Title", Severity.INFO, Category.STYLE, frozenset({Effect.USERS}), rewrite, "0.1.0")


def codemod(rewrite: object) -> Codemod:
    assert callable(rewrite)
    return Codemod("rule", "Title", Severity.INFO, Category.STYLE, frozenset({Effect.USERS}), rewrite, "0.1.0")


def snapshot(case: Case) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(case.folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("variant", Variant)
def test_a_good_case_passes_in_every_variant(variant: Variant) -> None:
    with case_from(FILES) as case:
        assert variant in case.variants
        assert check_case(case, CODEMOD, variant, update=Update.EMPTY) == []
        assert case.kinds == {"fix", "refusal", "advice"}


def test_a_case_without_findings_needs_no_expected_files() -> None:
    with case_from(NO_OP) as case:
        assert check_case(case, CODEMOD) == []
        assert case.kinds == {"no-op"}


def test_unsafe_fixes_can_be_left_out() -> None:
    with case_from({**FILES, "options.yaml": "unsafe: false\n"}) as case:
        assert run_case(case, CODEMOD).files[0].after == BEFORE.replace("USER root", "USER app")


@pytest.mark.parametrize("name", ["expected.diff", "expected.txt"])
def test_a_wrong_expectation_fails_and_is_rewritten_on_request(name: str) -> None:
    with case_from({**FILES, name: FILES[name].replace("root", "toor")}) as case:
        before = snapshot(case)
        with pytest.raises(AssertionError, match=f"{name}, expected"):
            check_case(case, CODEMOD)
        assert snapshot(case) == before
        assert check_case(case, CODEMOD, update=Update.EXISTING) == [case.folder / name]
        assert (case.folder / name).read_text(encoding="utf-8") == FILES[name]


@pytest.mark.parametrize("name", ["expected.diff", "expected.txt"])
@pytest.mark.parametrize("update", [Update.NO, Update.EXISTING, Update.EMPTY])
def test_a_missing_expectation_fails_with_its_text(name: str, update: Update) -> None:
    with case_from({key: text for key, text in FILES.items() if key != name}) as case:
        before = snapshot(case)
        with pytest.raises(AssertionError, match="is missing") as caught:
            check_case(case, CODEMOD, update=update)
        assert FILES[name] in str(caught.value)
        assert snapshot(case) == before


@pytest.mark.parametrize("name", ["expected.diff", "expected.txt"])
def test_a_missing_expectation_is_made_on_request(name: str) -> None:
    with case_from({key: text for key, text in FILES.items() if key != name}) as case:
        assert check_case(case, CODEMOD, update=Update.CREATE) == [case.folder / name]
        assert (case.folder / name).read_text(encoding="utf-8") == FILES[name]


@pytest.mark.parametrize(("name", "text"), [("expected.diff", DIFF), ("expected.txt", FINDINGS)])
@pytest.mark.parametrize("update", [Update.NO, Update.EXISTING, Update.CREATE])
def test_an_expectation_is_not_emptied_silently(name: str, text: str, update: Update) -> None:
    with case_from({**NO_OP, name: text}) as case:
        before = snapshot(case)
        with pytest.raises(AssertionError, match="would be empty"):
            check_case(case, CODEMOD, update=update)
        assert snapshot(case) == before
        assert check_case(case, CODEMOD, update=Update.EMPTY) == [case.folder / name]
        assert not (case.folder / name).exists()


def test_an_empty_diff_is_no_expectation() -> None:
    with case_from({**NO_OP, "expected.diff": ""}) as case, pytest.raises(CaseError, match="is empty"):
        check_case(case, CODEMOD)


def test_a_codemod_that_minds_the_line_ends_fails() -> None:
    def minds(target: Target) -> Iterator[Finding]:
        return rewrite(target) if "\r" not in target.text else iter(())

    with case_from(FILES) as case:
        check_case(case, codemod(minds))
        with pytest.raises(AssertionError, match="as crlf is mended in another way"):
            check_case(case, codemod(minds), Variant.CRLF)


def test_a_codemod_that_finds_other_things_in_a_variant_fails() -> None:
    def minds(target: Target) -> Iterator[Finding]:
        for finding in rewrite(target):
            if not (target.dockerfile.escape == "`" and isinstance(finding, Advice)):
                yield finding

    with case_from(FILES) as case, pytest.raises(AssertionError, match="as backtick has other findings"):
        check_case(case, codemod(minds), Variant.BACKTICK)


def test_a_defect_fails_the_case() -> None:
    def lies(target: Target) -> Iterator[Finding]:
        first = target.dockerfile.instructions[0]
        if first.args[0].text == "debian":
            yield Fix(first.span, "other", (replace(first.args[0].span, "alpine"),), Safety.SAFE, "why")

    with case_from(FILES) as case, pytest.raises(AssertionError, match="undeclared way: stages"):
        check_case(case, codemod(lies))


def test_safe_fixes_must_be_sound_without_the_unsafe_ones() -> None:
    def leans(target: Target) -> Iterator[Finding]:
        """Safe fixes that go on for ever unless the unsafe one is made."""
        users = [node for node in target.dockerfile.instructions if isinstance(node, User)]
        unsafe = [user for user in users if user.args[0].text == "0"]
        for user in unsafe:
            yield Fix(user.span, "zero", (replace(user.args[0].span, "app"),), Safety.UNSAFE, "why", "the user")
        for user in users:
            if user not in unsafe and unsafe:
                yield Fix(user.span, "more", (replace(user.args[0].span, user.args[0].text + "r"),), Safety.SAFE, "why")

    with case_from(FILES) as case, pytest.raises(AssertionError, match="when applying safe fixes alone"):
        check_case(case, codemod(leans))


def test_a_case_must_be_a_dockerfile_that_builds() -> None:
    with case_from({"before/Dockerfile": "FORM debian\n"}) as case, pytest.raises(CaseError, match="FORM"):
        check_case(case, CODEMOD)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ("unsaf: true\n", "unknown keys: unsaf"),
        ("unsafe: 1\n", "true or false"),
        ("variants: {crlf: false}\n", "says why"),
        ("variants: {crlf: true}\nwhy: so\n", "to false"),
        ("variants: {plain: false}\nwhy: so\n", "to false"),
        ("[]\n", "mapping"),
        ("{\n", "options.yaml"),
        ("context: []\n", "folder"),
        ("build-contexts: {a: 1}\n", "maps names"),
    ],
)
def test_options_are_checked(options: str, match: str) -> None:
    with pytest.raises(CaseError, match=match), case_from({**FILES, "options.yaml": options}):
        pass


def test_a_variant_can_be_left_out_with_a_reason() -> None:
    options = "variants: {crlf: false, bom: false}\nwhy: the rule is about bytes\n"
    with case_from({**FILES, "options.yaml": options}) as case:
        assert case.variants == (Variant.PLAIN, Variant.NO_FINAL_NEWLINE, Variant.BACKTICK)


def test_a_case_has_a_dockerfile() -> None:
    with pytest.raises(CaseError, match="holds no Dockerfile"), case_from({"before/readme": "x"}):
        pass
    with pytest.raises(CaseError, match="no folder before"), case_from({"Dockerfile": "x"}):
        pass


def test_cases_come_in_the_order_of_their_names() -> None:
    with case_from(NO_OP) as case:
        root = case.folder.parent.parent
        for rule, name in (("b", "1"), ("a", "2"), ("a", "1")):
            folder = root / rule / name / "before"
            folder.mkdir(parents=True)
            (folder / "Dockerfile").write_text("FROM a\n", encoding="utf-8")
        assert [str(each) for each in load_cases(root)] == ["a/1", "a/2", "b/1", "rule/case"]


@pytest.mark.parametrize(
    ("text", "variant", "expected"),
    [
        ("FROM a\nRUN a\n", Variant.CRLF, "FROM a\r\nRUN a\r\n"),
        ("FROM a\nRUN <<E cat\nx\ny\nE\n#\n", Variant.CRLF, "FROM a\r\nRUN <<E cat\r\nx\ny\nE\r\n#\r\n"),
        ("FROM a\n", Variant.BOM, "\ufeffFROM a\n"),
        ("FROM a\n\n", Variant.NO_FINAL_NEWLINE, "FROM a"),
        (
            "# syntax=a\nFROM a\nRUN a '\\.' \\ \n# \\\n\n b \\\n",
            Variant.BACKTICK,
            "# escape=`\n# syntax=a\nFROM a\nRUN a '\\.' ` \n# \\\n\n b `\n",
        ),
        ("FROM a\nRUN <<E\nx \\\ny\nE\n", Variant.BACKTICK, "# escape=`\nFROM a\nRUN <<E\nx \\\ny\nE\n"),
    ],
)
def test_transform(text: str, variant: Variant, expected: str) -> None:
    assert fits(text, variant)
    assert transform(text, variant) == expected


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("FROM a\r\nRUN a\n", Variant.CRLF),
        ("\ufeffFROM a\n", Variant.BOM),
        ("FROM a", Variant.NO_FINAL_NEWLINE),
        ("# escape=\\\nFROM a\n", Variant.BACKTICK),
        ("FROM a\nRUN `a`\n", Variant.BACKTICK),
        ("FROM a\nENV A=a\\ b\n", Variant.BACKTICK),
        ("FROM a\nRUN --mount=a\\ b a\n", Variant.BACKTICK),
        ("\ufeffFROM a\n", Variant.BACKTICK),
    ],
)
def test_a_variant_that_would_mean_something_else_does_not_fit(text: str, variant: Variant) -> None:
    assert not fits(text, variant)


def test_a_second_run_that_finds_more_to_do_fails() -> None:
    files = {"before/Dockerfile": "FROM debian\nUSER a\n"}

    def once(target: Target) -> Iterator[Finding]:
        asked.append(target.text)
        user = next(node for node in target.dockerfile.instructions if isinstance(node, User))
        if user.args[0].text == "a" or asked.count(target.text) == 4:  # the run on the result
            yield Fix(user.span, "m", (replace(user.args[0].span, "b" + user.args[0].text),), Safety.SAFE, "why")

    asked: list[str] = []
    with case_from(files) as case:
        complaints = run_case(case, codemod(once)).complaints
    assert any("a second run changes the result again" in complaint for complaint in complaints)


def test_a_diff_that_the_tools_do_not_take_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def render(text: str) -> None:
        monkeypatch.setattr(testing, "unified_diff", lambda *_: text)

    with case_from(FILES) as case:
        for tool in ("git", "patch"):
            render(DIFF.replace("-USER 0", "-USER 1"))
            with pytest.raises(AssertionError, match=f"has a diff that {tool} refuses"):
                check_case(case, CODEMOD, patch_tools=[tool])
            render(DIFF.replace("+USER app", "+USER ape"))
            with pytest.raises(AssertionError, match=f"has a diff that {tool} applies otherwise"):
                check_case(case, CODEMOD, patch_tools=[tool])
