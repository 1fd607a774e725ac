"""Dockerfiles that the fixes of other tools break.

All codemods run on each, unsafe fixes included, and what the other tool broke must stay.
"""

from __future__ import annotations

import dockerfile as moby
import pytest

from dockfix.engine.project import run
from dockfix.engine.results import FileResult
from dockfix.project.target import target_from_text
from dockfix.rule.registry import load_registry
from dockfix.syntax.parser import parse

CODEMODS = tuple(each for each in load_registry().codemods if not each.opt_in)

BIG_LIST = " \\\n".join(f"        package-{letter}" for letter in "zyxwvutsrqponmlkjihgfedcba")

CANONICAL_APT = """\
FROM debian:12
RUN apt-get update \\
    && apt-get install -y \\
        zsh \\
        curl \\
    && rm -rf /var/lib/apt/lists/*
"""


def fixed(text: str) -> FileResult:
    """Apply all fixes, unsafe ones too; the result must parse, and a second run change nothing."""
    outcome = run(target_from_text(text), CODEMODS, unsafe=True)
    assert outcome.defects == ()
    assert parse(outcome.text).ok
    moby.parse_string(outcome.text)
    again = run(target_from_text(outcome.text), CODEMODS, unsafe=True)
    assert again.text == outcome.text
    return outcome


def words(text: str) -> list[str]:
    return text.replace("\\", " ").split()


def test_1_the_canonical_apt_pattern_keeps_its_continuations() -> None:
    outcome = fixed(CANONICAL_APT)
    runs = [node for node in parse(outcome.text).instructions if node.name == "RUN"]
    assert len(runs) == 1
    assert "zsh" in runs[0].logical.text
    assert "curl" in runs[0].logical.text


def test_2_the_name_of_a_virtual_package_stays() -> None:
    text = "FROM alpine:3.20\nRUN apk add --no-cache --virtual deps zlib-dev build-base && make && apk del deps\n"
    result = words(fixed(text).text)
    at = result.index("--virtual")
    assert result[at + 1] == "deps"
    assert result[result.index("del") + 1] == "deps"


def test_3_onbuild_is_left_as_it_is() -> None:
    text = "FROM python:3.12-slim\nONBUILD RUN cd /srv && pip install -r requirements.txt\n"
    assert fixed(text).text == text


@pytest.mark.parametrize(
    "payload",
    ["-- ", "rm -rf /var/lib/apt/lists/*", "FROM x", "useradd -u 10001 app", "pip install --no-cache-dir x", "# c \\"],
)
def test_4_heredoc_payloads_are_data(payload: str) -> None:
    text = f"FROM debian:12\nCOPY <<'EOF' /etc/motd\n{payload}\nEOF\nRUN cat <<EOF > /x\n{payload}\nEOF\n"
    assert fixed(text).text == text


def test_5_no_pipefail_for_dash_and_no_bash_on_alpine() -> None:
    pipe = "RUN wget -q -O - https://example.org/x | tar xz\n"
    # Debian's sh is dash, which refuses pipefail: it may come with a SHELL that is bash, never into the script
    debian = fixed(f"FROM debian:12\n{pipe}").text
    assert debian == f'FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n{pipe}'
    alpine = fixed(f"FROM alpine:3.20\n{pipe}").text
    assert alpine == f'FROM alpine:3.20\nSHELL ["/bin/ash", "-eo", "pipefail", "-c"]\n{pipe}'
    # nothing is known of this image, so nothing is added
    assert fixed(f"FROM example.org/thing\n{pipe}").text == f"FROM example.org/thing\n{pipe}"


def test_6_cache_mounts_know_the_tool_the_user_and_what_is_there() -> None:
    moved = fixed(
        "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\nENV UV_CACHE_DIR=/cache/uv\n"
        "RUN uv pip install --system x\n"
    ).text
    assert "/root/.cache/uv" not in moved
    user = fixed(
        "# syntax=docker/dockerfile:1\nFROM python:3.12-slim\n"
        "RUN groupadd -g 10001 app && useradd -m -u 10001 -g 10001 app\nUSER app\nRUN pip install --user x\n"
    ).text
    assert "target=/root/.cache/pip" not in user
    wrong = "FROM python:3.12-slim\nRUN --mount=type=cache,target=/root/.cache/uv pip install x\n"
    assert fixed(wrong).text == wrong.replace("/root/.cache/uv", "/root/.cache/pip")


def test_7_comments_in_a_package_list_stay_and_are_no_code() -> None:
    text = """\
FROM debian:12
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y \\
        curl \\
        # for the healthcheck
        wget \\
        # last word
    && true
"""
    result = fixed(text).text
    lines = result.split("\n")
    assert "        # for the healthcheck" in lines
    assert "        # last word" in lines
    above = lines.index("# hadolint ignore=DL3008")
    assert lines[above + 1].startswith("RUN ")


def test_8_no_syntax_newer_than_the_file_declares() -> None:
    text = (
        "# syntax=docker/dockerfile:1.2\nFROM python:3.12-slim\nCOPY run.sh /run.sh\n"
        "RUN python -c 'import x' && pip install x\n"
    )
    result = fixed(text).text
    assert "<<" not in result
    assert "--chmod" not in result
    old = "# syntax=docker/dockerfile:1.0\nFROM python:3.12-slim\nRUN pip install x\n"
    assert "--mount" not in fixed(old).text


def test_9_line_ends_escapes_and_lists_keep_their_style() -> None:
    crlf = CANONICAL_APT.replace("\n", "\r\n")
    result = fixed(crlf).text
    assert "\n" not in result.replace("\r\n", "")
    backtick = "# escape=`\n" + CANONICAL_APT.replace("\\\n", "`\n")
    assert "\\" not in fixed(backtick).text
    listed = f"FROM debian:12\nRUN apt-get update && apt-get install -y \\\n{BIG_LIST} \\\n    && rm -rf /tmp/x\n"
    assert BIG_LIST in fixed(listed).text


@pytest.mark.parametrize(
    "text", [CANONICAL_APT, CANONICAL_APT.replace("\n", "\r\n"), "FROM debian:12\nRUN useradd -u 10001 app"]
)
def test_10_a_second_run_finds_nothing(text: str) -> None:
    fixed(text)
