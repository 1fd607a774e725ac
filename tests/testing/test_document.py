"""Golden files: what they say is read, what is malformed is reported with its line, any bytes survive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockfix import testing
from dockfix.testing.document import (
    DIFF,
    FILE,
    FINDINGS,
    CaseError,
    File,
    Kind,
    file_of,
    looks_like_cases,
    read_document,
    render_block,
    replace_expectation,
)

CASE = "## fix: A title, with `code`\n\nWhy.\n\n"
INPUT = "```dockerfile\nFROM a\n```\n"
GOLDEN = f"""# my-rule

Free text.

{CASE}```dockerfile
FROM a
```

`web/compose.yaml`:
````yaml bom mode=755 no-final-newline
```
````

```diff
-a
+b
```

```findings
Dockerfile:1:1 info, safe fix: m
```

## keep: second

Why.

{INPUT}"""


def test_a_golden_file_is_read() -> None:
    document = read_document(GOLDEN, "my-rule.md")
    first, second = document.sections
    assert (document.rule, document.preamble) == ("my-rule", ("# my-rule", "", "Free text.", ""))
    assert (first.kind, first.title, first.slug) == (Kind.FIX, "A title, with `code`", "fix-a-title-with-code")
    files = {block.path: file_of(block) for block in first.blocks if block.role == FILE}
    assert files == {"Dockerfile": File(b"FROM a\n"), "web/compose.yaml": File(b"\xef\xbb\xbf```", 0o755)}
    diff, findings = first.block(DIFF), first.block(FINDINGS)
    assert diff is not None
    assert findings is not None
    assert (diff.text, findings.text) == ("-a\n+b\n", "Dockerfile:1:1 info, safe fix: m\n")
    assert (second.slug, second.block(DIFF)) == ("keep-second", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"# My rule\n{CASE}{INPUT}", "x:1: a golden file begins"),
        (f"# r\n## fixes: a\n\nWhy.\n\n{INPUT}", "x:2: the heading of a case"),
        (f"# r\n## fix: a\n\n{INPUT}", "x:2: a case says in a sentence"),
        (f"# r\n{CASE}{INPUT}{CASE}{INPUT}", "x:9: a second case is called fix-a-title-with-code"),
        (f"# r\n{CASE}```dockerfile\nFROM a\n", "x:6: the block does not end"),
        (f"# r\n{CASE}{INPUT}```yaml\na\n```\n", "x:9: a block needs a line with the path"),
        (f"# r\n{CASE}{INPUT}{INPUT}", "x:9: a second Dockerfile"),
        (f"# r\n{CASE}{INPUT}```diff\na\n```\n```diff\na\n```\n", "x:12: a second diff block"),
        (f"# r\n{CASE}{INPUT}```diff\n```\n", "x:9: the block is empty"),
        (f"# r\n{CASE}{INPUT}```findings\n```\n", "x:9: the block is empty"),
        (f"# r\n{CASE}```dockerfile crfl\nFROM a\n```\n", "x:6: unknown attribute 'crfl'"),
        (f"# r\n{CASE}```dockerfile escapes\nFROM \\a\n```\n", "x:6: a backslash in a block"),
        (f"# r\n{CASE}`a`:\n```text base64\n%\n```\n", "x:7: the block is not valid base64"),
        (f"# r\n{CASE}`../a`:\n```text\nx\n```\n", "x:7: the path of a file is relative"),
        (f"# r\n{CASE}`/a`:\n```text\nx\n```\n", "x:7: the path of a file is relative"),
        (f"# r\n```diff\na\n```\n{CASE}{INPUT}", "x:2: an expectation before the first case"),
    ],
)
def test_what_is_malformed_is_reported_with_its_line(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        read_document(text, "x")
    assert str(caught.value).startswith(message)


def test_other_markdown_is_not_a_golden_file() -> None:
    assert looks_like_cases(GOLDEN)
    assert not looks_like_cases("# my-rule\n\n## Usage\n\nfix: nothing\n")
    assert not looks_like_cases(f"# My rule\n\n{CASE}")


LINES = st.sampled_from(
    [b"a", b"``", b"```", b"````x", b"## fix: x", b"\\", b"\r", b"\n", b"\r\n", b"\x00", b"\xff", b" "]
)
DATA = st.one_of(
    st.binary(max_size=40),
    st.lists(LINES, max_size=12).map(b"".join),
    st.tuples(st.just(b"\xef\xbb\xbf"), st.lists(LINES, max_size=6).map(b"".join)).map(b"".join),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@given(
    st.dictionaries(st.sampled_from(["a", "b.txt", "x/Dockerfile", "a b #"]), DATA, min_size=1),
    st.sampled_from([None, 0o644, 0o755]),
)
def test_any_bytes_survive(data: dict[str, bytes], mode: int | None) -> None:
    files = {path: File(content, mode) for path, content in data.items()}
    lines = ["# r", "", *CASE.split("\n")]
    for path, file in files.items():
        lines += [*render_block(FILE, file.data, path=path, file=file), ""]
    text = "\n".join(lines)
    assert read_document(text.encode().decode(), "x").lines == tuple(lines)
    (section,) = read_document(text, "x").sections
    assert {block.path: file_of(block) for block in section.blocks} == files


def test_a_link_survives() -> None:
    link = File(b"../a", symlink=True)
    text = "\n".join(["# r", "", *CASE.split("\n"), *render_block(FILE, link.data, path="l", file=link)])
    (section,) = read_document(text, "x").sections
    assert file_of(section.blocks[0]) == link


@pytest.mark.parametrize("new", ["-x\n+y\n", "-\r\n+\\\r\n\\ No newline at end of file\n", " ```\n+```\n", ""])
@pytest.mark.parametrize("role", [DIFF, FINDINGS])
def test_a_replaced_expectation_leaves_all_else_as_it_was(new: str, role: str) -> None:
    document = read_document(GOLDEN, "x")
    text = replace_expectation(document, document.sections[0], role, new)
    block = read_document(text, "x").sections[0].block(role)
    assert (block.text if block is not None else "") == new
    again = read_document(text, "x")
    old = document.sections[0].block(role)
    assert old is not None
    assert replace_expectation(again, again.sections[0], role, old.text) == GOLDEN


def test_the_package_gives_what_it_names() -> None:
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vars(testing)["__getattr__"]("nothing")
