"""The golden harness: what fails a case, and what an update may do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockfix.edit.dockerfile import replace
from dockfix.engine.difftext import unified_diff
from dockfix.project.target import Target
from dockfix.rule.model import Advice, Category, Codemod, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Run, User, Workdir
from dockfix.testing import Case, CaseError, Kind, Update, Variant, fits, load_cases, make_case, transform
from dockfix.testing.checks import PATCH_TOOLS, Results, check_case, check_patches
from dockfix.testing.document import File
from dockfix.testing.runs import run_case

BEFORE = "FROM debian\n# who\nUSER root\nRUN true \\\n  # why\n && true\nWORKDIR a\nUSER 0\n"
AFTER = BEFORE.replace("USER root", "USER app").replace("USER 0", "USER app")
DIFF = (
    "--- a/Dockerfile\n+++ b/Dockerfile\n"
    "@@ -1,8 +1,8 @@\n FROM debian\n # who\n-USER root\n+USER app\n RUN true \\\n   # why\n  && true\n WORKDIR a\n"
    "-USER 0\n+USER app\n"
)
FINDINGS = (
    "Dockerfile:3:1 info, safe fix: root\n  help: why\n"
    "Dockerfile:4:1 info, advice: true is true\n"
    "Dockerfile:7:1 info, refusal: a relative folder\n  note: why not\n"
    "Dockerfile:8:1 info, unsafe fix: zero\n  help: why\n  review: the user\n"
)
EXPECTED = {"diff": DIFF, "findings": FINDINGS}
FULL = make_case({"Dockerfile": BEFORE}, diff=DIFF, findings=FINDINGS)
NO_OP = make_case({"Dockerfile": "FROM debian\n"}, kind=Kind.KEEP)


def golden(folder: Path, before: str = BEFORE, kind: str = "fix", **expected: str) -> Case:
    """The case of a golden file with these expectations, between two other cases."""
    other = "## keep: {}\n\nNothing to do.\n\n```dockerfile\nFROM a\n```\n"
    blocks = "".join(f"\n```{role}\n{text}```\n" for role, text in expected.items())
    case = f"## {kind}: the case\n\nWhat is changed, and why.\n\n```dockerfile\n{before}```\n{blocks}"
    path = folder / "rule.md"
    text = f"# rule\n\nAbout the rule.\n\n{other.format('one')}\n{case}\n{other.format('two')}"
    path.write_bytes(text.encode())
    return load_cases(path)[1]


def text_of(case: Case) -> str:
    assert case.path is not None
    return case.path.read_text(encoding="utf-8")


def check(target: Target) -> Iterator[Finding]:
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


CODEMOD = Codemod("rule", "Title", Severity.INFO, Category.STYLE, frozenset({Effect.USERS}), check, "0.1.0")


def codemod(check: object) -> Codemod:
    assert callable(check)
    return Codemod("rule", "Title", Severity.INFO, Category.STYLE, frozenset({Effect.USERS}), check, "0.1.0")


@pytest.mark.parametrize("variant", Variant)
def test_a_good_case_passes_in_every_variant(variant: Variant) -> None:
    assert variant in FULL.variants
    assert not check_case(FULL, CODEMOD, variant, update=Update.EMPTY)


def test_a_case_without_findings_needs_no_expectations() -> None:
    assert not check_case(NO_OP, CODEMOD)


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("FROM debian\nUSER root\nWORKDIR a\n", Kind.FIX),
        ("FROM debian\nWORKDIR a\nRUN true\n", Kind.REFUSE),
        ("FROM debian\nRUN true\n", Kind.ADVISE),
        ("FROM debian\n", Kind.KEEP),
    ],
)
def test_the_kind_of_a_case_is_checked(before: str, kind: Kind) -> None:
    result = run_case(make_case({"Dockerfile": before}), CODEMOD)
    assert result.kind is kind
    for each in Kind:
        case = make_case({"Dockerfile": before}, kind=each, diff=result.diff, findings=result.findings)
        if each is kind:
            check_case(case, CODEMOD)
        else:
            with pytest.raises(AssertionError, match=f"should begin with `{kind.value}:`"):
                check_case(case, CODEMOD)


def test_unsafe_fixes_can_be_left_out() -> None:
    case = make_case({"Dockerfile": BEFORE}, options="unsafe: false\n")
    assert run_case(case, CODEMOD).files[0].after == BEFORE.replace("USER root", "USER app")


@pytest.mark.parametrize("role", EXPECTED)
def test_a_wrong_expectation_fails_and_is_rewritten_on_request(role: str, tmp_path: Path) -> None:
    right = text_of(golden(tmp_path, **EXPECTED))
    case = golden(tmp_path, **{**EXPECTED, role: EXPECTED[role].replace("root", "toor")})
    before = text_of(case)
    with pytest.raises(AssertionError, match=f"the {role} block, expected"):
        check_case(case, CODEMOD)
    assert text_of(case) == before
    assert check_case(case, CODEMOD, update=Update.EXISTING)
    assert text_of(case) == right


def test_both_expectations_are_rewritten_at_once(tmp_path: Path) -> None:
    right = text_of(golden(tmp_path, **EXPECTED))
    case = golden(tmp_path, diff="x\n", findings="y\nz\n")
    assert check_case(case, CODEMOD, update=Update.EXISTING)
    assert text_of(case) == right


@pytest.mark.parametrize("role", EXPECTED)
@pytest.mark.parametrize("update", [Update.NO, Update.EXISTING, Update.EMPTY])
def test_a_missing_expectation_fails_with_its_text(role: str, update: Update, tmp_path: Path) -> None:
    case = golden(tmp_path, **{key: text for key, text in EXPECTED.items() if key != role})
    before = text_of(case)
    with pytest.raises(AssertionError, match=f"the {role} block is missing") as caught:
        check_case(case, CODEMOD, update=update)
    assert EXPECTED[role] in str(caught.value)
    assert text_of(case) == before


@pytest.mark.parametrize("missing", [["diff"], ["findings"], ["diff", "findings"]])
def test_a_missing_expectation_is_made_on_request(missing: list[str], tmp_path: Path) -> None:
    right = text_of(golden(tmp_path, **EXPECTED))
    case = golden(tmp_path, **{key: text for key, text in EXPECTED.items() if key not in missing})
    assert check_case(case, CODEMOD, update=Update.CREATE)
    assert text_of(case) == right


@pytest.mark.parametrize("role", EXPECTED)
@pytest.mark.parametrize("update", [Update.NO, Update.EXISTING, Update.CREATE])
def test_an_expectation_is_not_emptied_silently(role: str, update: Update, tmp_path: Path) -> None:
    right = text_of(golden(tmp_path, "FROM debian\n", "keep"))
    case = golden(tmp_path, "FROM debian\n", "keep", **{role: EXPECTED[role]})
    before = text_of(case)
    with pytest.raises(AssertionError, match="would be empty"):
        check_case(case, CODEMOD, update=update)
    assert text_of(case) == before
    assert check_case(case, CODEMOD, update=Update.EMPTY)
    assert text_of(case) == right


def test_results_are_remembered() -> None:
    asked: list[str] = []

    def counts(target: Target) -> Iterator[Finding]:
        asked.append(target.text)
        return check(target)

    results: Results = {}
    check_case(FULL, codemod(counts), results=results, patch_tools=[])
    once = len(asked)
    check_case(FULL, codemod(counts), Variant.CRLF, results=results, patch_tools=[])
    assert set(results) == {(FULL.name, Variant.PLAIN), (FULL.name, Variant.CRLF)}
    assert len(asked) == 2 * once


def test_a_codemod_that_minds_the_line_ends_fails() -> None:
    def minds(target: Target) -> Iterator[Finding]:
        return check(target) if "\r" not in target.text else iter(())

    check_case(FULL, codemod(minds))
    with pytest.raises(AssertionError, match="as crlf is fixed in another way"):
        check_case(FULL, codemod(minds), Variant.CRLF)


def test_a_codemod_that_finds_other_things_in_a_variant_fails() -> None:
    def minds(target: Target) -> Iterator[Finding]:
        for finding in check(target):
            if not (target.dockerfile.escape == "`" and isinstance(finding, Advice)):
                yield finding

    with pytest.raises(AssertionError, match="as backtick has other findings"):
        check_case(FULL, codemod(minds), Variant.BACKTICK)


def test_a_defect_fails_the_case() -> None:
    def lies(target: Target) -> Iterator[Finding]:
        first = target.dockerfile.instructions[0]
        if first.args[0].text == "debian":
            yield Fix(first.span, "other", (replace(first.args[0].span, "alpine"),), Safety.SAFE, "why")

    with pytest.raises(AssertionError, match="undeclared effects: stages"):
        check_case(FULL, codemod(lies))


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

    with pytest.raises(AssertionError, match="when applying safe fixes alone"):
        check_case(FULL, codemod(leans))


def test_a_case_must_be_a_dockerfile_that_builds() -> None:
    with pytest.raises(CaseError, match="FORM"):
        check_case(make_case({"Dockerfile": "FORM debian\n"}), CODEMOD)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ("unsaf: true\n", "unknown options: unsaf"),
        ("unsafe: 1\n", "true or false"),
        ("variants: {crlf: false}\n", "needs a reason"),
        ("variants: {crlf: ' '}\n", "needs a reason"),
        ("variants: {plain: so}\n", "to the reason"),
        ("[]\n", "mapping"),
        ("{\n", "options: "),
        ("context: []\n", "folder"),
        ("rules: []\n", "rules maps"),
        ("build-contexts: {a: 1}\n", "maps names"),
        ("image-lock: x\n", "unknown options: image-lock"),
    ],
)
def test_options_are_checked(options: str, match: str) -> None:
    with pytest.raises(CaseError, match=match):
        make_case({"Dockerfile": BEFORE}, options=options)


def test_a_variant_can_be_left_out_with_a_reason() -> None:
    options = "variants:\n  crlf: the rule is about bytes\n  bom: the same\n"
    case = make_case({"Dockerfile": BEFORE}, options=options)
    assert case.variants == (Variant.PLAIN, Variant.NO_FINAL_NEWLINE, Variant.BACKTICK)


def test_a_case_has_a_dockerfile() -> None:
    with pytest.raises(CaseError, match="has no Dockerfile"):
        make_case({"readme": "x"}).variants  # noqa: B018 - the property raises


def test_files_are_written_as_they_are_given(tmp_path: Path) -> None:
    files = {"a/b": File(b"x\r\n\xff", 0o755), "c": File(b"a/b", symlink=True), "Dockerfile": File(b"FROM a")}
    Case("rule", Kind.KEEP, "t", files).write(tmp_path)
    assert (tmp_path / "a/b").read_bytes() == (tmp_path / "c").read_bytes() == b"x\r\n\xff"
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "c").readlink() == Path("a/b")


def test_cases_come_in_the_order_of_the_files_and_the_headings(tmp_path: Path) -> None:
    golden(tmp_path)
    (tmp_path / "a.md").write_text("# a\n\n## keep: x\n\nWhy.\n\n```dockerfile\nFROM a\n```\n")
    names = ["a/keep-x", "rule/keep-one", "rule/fix-the-case", "rule/keep-two"]
    assert [str(each) for each in load_cases(tmp_path)] == names


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
    def complaints(number: int) -> tuple[str, ...]:
        """The complaints about a codemod that finds more to fix in its own output."""
        asked: list[str] = []

        def wants(target: Target) -> Iterator[Finding]:
            asked.append(target.text)
            user = next(node for node in target.dockerfile.instructions if isinstance(node, User))
            if user.args[0].text == "a" or asked.count(target.text) == number:
                yield Fix(user.span, "m", (replace(user.args[0].span, "b" + user.args[0].text),), Safety.SAFE, "why")

        return run_case(make_case({"Dockerfile": "FROM debian\nUSER a\n"}), codemod(wants)).complaints

    found = [complaint for number in range(1, 8) for complaint in complaints(number)]
    assert any("a second run changes the result again" in complaint for complaint in found)


@pytest.mark.parametrize("tool", PATCH_TOOLS)
def test_diffs_that_the_tools_do_not_take_fail(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone and among others; the failing case is named."""
    other = make_case({"Dockerfile": BEFORE.replace("# who", "# whom")}, rule="other")
    results = [run_case(case, CODEMOD) for case in (other, FULL, other)]

    def render(old: str, new: str) -> None:
        monkeypatch.setattr("dockfix.testing.checks.unified_diff", lambda *args: unified_diff(*args).replace(old, new))

    check_patches(results, tool)
    for batch in (results, results[1:2]):
        render("# who\n", "# how\n")
        with pytest.raises(AssertionError, match=f"rule/fix-case has a diff that {tool} refuses"):
            check_patches(batch, tool)
        render("# who\n-USER root\n+USER app", "# who\n-USER root\n+USER ape")
        with pytest.raises(AssertionError, match=f"rule/fix-case has a diff that {tool} applies otherwise"):
            check_patches(batch, tool)
    with pytest.raises(AssertionError, match="applies otherwise"):
        check_case(FULL, CODEMOD, patch_tools=[tool])
