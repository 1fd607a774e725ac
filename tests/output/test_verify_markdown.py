"""What builds have shown, as Markdown, and the text of files in it."""

from __future__ import annotations

import re

import pytest

from dockfix.output.markdown import MAX_TEXT, code, fenced, prose, table
from dockfix.output.plain import UNPRINTABLE
from dockfix.output.verify_markdown import verify_markdown
from dockfix.verify.model import TargetResult, VerifyResult
from tests.output.verify_samples import EVIL, FINE, HOSTILE, RESULT

TOP = """\
## dockfix verify

4 promises of 2 build targets: 1 kept, 1 not shown, 2 broken; with buildah 1.28.2 in 72.5 s; 1 build target not built

### `api/Dockerfile`: api (docker-compose.yaml:12)

- 3 fixes: `cache-mount` (2), `apt-purge`
- built in 34.2 s before, 31.0 s after

|  | before | after | change |
|---|---:|---:|---:|
| image size | 368.4 MB | 293.0 MB | -75.4 MB (-20%) |
| cold build | 36.0 s | 36.0 s | same |
| warm build | - | 1.0 s | - |
| layers | 7 | 8 | +1 (+14%) |

| rule | promise | verdict | evidence |
|---|---|---|---|
| `apt-purge` | image | **broken** | /usr/bin/gcc is missing |
| `cache-mount` | starts | not shown | the image has no command |
| `cache-mount` | builds | kept | the build succeeded |

Culprit: line 7, `apt-purge`: `gcc` stays (image: broken; /usr/bin/gcc is missing)

<details><summary>Differences that no promise covers</summary>

- `removed /usr/bin/gcc: file 0755 root`
- `config user: none -> app`
"""


def test_the_document() -> None:
    text = verify_markdown(RESULT)
    assert text.startswith(TOP)
    assert "- `apt-purge` image: and 2 more files\n" in text
    assert "\n1 other difference is promised, or no effect of the fixes.\n" in text
    assert "```diff\n--- a/api/Dockerfile\n+++ b/api/Dockerfile\n@@ -1 +1 @@\n-FROM a\n+FROM b\n```\n" in text
    assert "line 29\nno \\x1b[2Jtable\n```\n\n</details>" in text
    assert text.endswith("### `db/Dockerfile`\n\nNot built: the context has 3.0 GB\n")


def test_lines_that_are_many_are_left_out() -> None:
    diff = "--- a\n+++ b\n" + "+line\n" * 400
    text = verify_markdown(VerifyResult("b", (TargetResult("D", "", diff=diff, differences=FINE.differences * 3),)))
    assert text.count("+line") == 298
    assert "102 more lines of the diff left out." in text
    assert "- and 22 more\n" in text


def outside_code(line: str) -> str:
    """A line without its code spans and escaped characters, as CommonMark reads it."""
    done, at = "", 0
    while at < len(line):
        run = re.compile("`+").match(line, at)
        html = re.compile("<code>[^<]*</code>").match(line, at)
        if run is not None:
            end = re.compile(f"(?<!`){run[0]}(?!`)").search(line, run.end())
            at = run.end() if end is None else end.end()
            assert end is not None
        elif html is not None:
            at = html.end()
        elif line[at] == "\\":
            at += 2
        else:
            done += line[at]
            at += 1
    return done


def test_hostile_text_stays_text() -> None:
    text = verify_markdown(HOSTILE)
    assert set(UNPRINTABLE.findall(text)) == {"\n"}
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.M | re.S)
    for line in outside.split("\n"):
        bare = outside_code(line)
        assert "@" not in bare
        assert "://" not in bare
        assert "<img" not in bare
        assert "|" not in bare.strip("| ") or line.startswith("|")
        assert not line.startswith("# ")
    tables = [line for line in outside.split("\n") if line.startswith("|")]
    assert {line.count("|") for line in tables} == {5}
    assert outside.count("</details>") == outside.count("<details>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`a` and `b|c`", "`a` and <code>b&#124;c</code>"),
        ("a ` b", "a \\` b"),
        ("``a`b``", "``a`b``"),
        ("<b> & *x* [y](z)", "&lt;b&gt; &amp; \\*x\\* \\[y\\](z)"),
        ("ping @octocat, see owner/repo#1", "ping `@octocat,` see owner/repo\\#1"),
        ("python@sha256:00 #12 www.example.org", "`python@sha256:00` `#12` `www.example.org`"),
        ("a\nb\\|", "a\\\\nb\\\\&#124;"),
        ("", ""),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        (" a", "`  a `"),
        ("", "(empty)"),
        ("a|<b>\\", "<code>a&#124;&#60;b&#62;&#92;</code>"),
    ],
)
def test_code(text: str, shown: str) -> None:
    assert code(text) == shown


def test_long_text_is_cut() -> None:
    assert prose("x" * 1000) == "x" * (MAX_TEXT - 1) + "…"
    assert len(code(EVIL * 100)) < 10 * MAX_TEXT


def test_a_block_ends_where_it_should() -> None:
    assert list(fenced(["a", "````", "b\r\x1b"], "diff")) == ["`````diff", "a", "````", "b\\r\\x1b", "`````"]
    assert list(table(("a", "b"), [("1", "2")], right=1)) == ["| a | b |", "|---|---:|", "| 1 | 2 |"]
