"""The pytest plug-in, in a project of somebody else's."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CASE = """\
## {kind}: a case

Why.

```dockerfile
FROM alpine
{body}
```
"""
GOLDEN = f"# apk-cache\n\n{CASE.format(kind='keep', body='USER a')}"
FIXED = f"# apk-cache\n\nText.\n\n{CASE.format(kind='fix', body='RUN apk add curl')}"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with a golden file and other Markdown."""
    pytester.mkdir("golden")
    (pytester.path / "golden" / "apk-cache.md").write_text(GOLDEN)
    (pytester.path / "golden" / "README.md").write_text("# Notes\n\nNo case.\n")
    return pytester


def test_a_golden_file_gives_a_test_for_each_variant_and_each_tool(project: pytest.Pytester) -> None:
    done = project.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=7)
    for name in ("plain", "crlf", "bom", "no-final-newline", "backtick"):
        done.stdout.fnmatch_lines(f"golden/apk-cache.md::keep-a-case[[]{name}[]] PASSED*")
    done.stdout.fnmatch_lines(["golden/apk-cache.md::diffs[[]git[]] PASSED*"])


def test_processes_share_the_work(project: pytest.Pytester) -> None:
    project.runpytest_subprocess("-n", "2", "--dist", "loadgroup").assert_outcomes(passed=7)


def test_expectations_are_rewritten_on_request_only(project: pytest.Pytester) -> None:
    path = project.path / "golden" / "apk-cache.md"
    path.write_text(FIXED)
    failed = project.runpytest_subprocess("golden/apk-cache.md", "-k", "plain")
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        ["*apk-cache.md:5: apk-cache/fix-a-case is not as expected", "the diff block is missing*"]
    )
    assert path.read_text() == FIXED
    assert project.runpytest_subprocess("--update-golden=create", "-n", "2").ret == pytest.ExitCode.USAGE_ERROR
    done = project.runpytest_subprocess("--update-golden=create")
    done.stdout.fnmatch_lines(["rewrote *apk-cache.md:5: fix-a-case"])
    written = path.read_text()
    assert written.startswith(FIXED)
    assert "\n+RUN apk add --no-cache curl\n```\n\n```findings\nDockerfile:2:5 info, safe fix: " in written
    project.runpytest_subprocess().assert_outcomes(passed=7)
    path.write_text(written.replace("+RUN apk add --no-cache", "+RUN apk add --cache"))
    project.runpytest_subprocess("-k", "crlf or git").assert_outcomes(passed=2)
    project.runpytest_subprocess("-k", "plain", "--update-golden").assert_outcomes(passed=1)
    assert path.read_text() == written


def test_a_malformed_file_and_an_unknown_rule_are_errors(project: pytest.Pytester) -> None:
    path = project.path / "golden" / "apk-cache.md"
    path.write_text(GOLDEN.replace("dockerfile", "yaml"))
    done = project.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*apk-cache.md:7: a block needs a line with the path*"])
    path.rename(path.with_name("no-rule.md"))
    (project.path / "golden" / "no-rule.md").write_text(GOLDEN.replace("apk-cache", "no-rule"))
    project.runpytest_subprocess("-k", "plain").assert_outcomes(failed=1)


def test_other_projects_do_not_notice(pytester: pytest.Pytester) -> None:
    """No engine is imported, and their own option of that name is theirs."""
    pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--update-golden')\n")
    pytester.makepyfile(
        "import sys\n\ndef test_it(request):\n"
        "    assert request.config.pluginmanager.hasplugin('dockfix')\n"
        "    loaded = sorted(name for name in sys.modules if name.startswith('dockfix'))\n"
        "    assert loaded == ['dockfix', 'dockfix.testing', 'dockfix.testing.plugin']\n"
    )
    pytester.runpytest_subprocess("--update-golden", "x").assert_outcomes(passed=1)


def test_cases_that_need_a_missing_program_are_skipped(project: pytest.Pytester) -> None:
    path = project.path / "golden" / "apk-cache.md"
    path.write_text(GOLDEN.replace("# apk-cache\n", "# apk-cache\n\nNeeds the program `dockfix-no-such-program`.\n"))
    done = project.runpytest_subprocess("-rs")
    done.assert_outcomes(skipped=7)
    done.stdout.fnmatch_lines(["*the program 'dockfix-no-such-program' is not installed"])
    path.write_text(path.read_text().replace("dockfix-no-such-program", "python3"))
    project.runpytest_subprocess().assert_outcomes(passed=7)
