"""Health checks: their programs, their endpoints, and how compose writes them."""

from __future__ import annotations

import pytest

from dockfix.facts.health import (
    check_commands,
    check_text,
    effective_healthcheck,
    healthcheck_blocker,
    programs,
    requests_of,
    tool_presence,
)
from dockfix.facts.model import Known
from dockfix.project.target import target_from_text

SHELL = Known(("/bin/sh", "-c"))


def presence(text: str, tool: str = "curl") -> bool | None:
    """True, False, or None if it is not known, at the end of the last stage."""
    facts = target_from_text(text).facts
    assert facts.final is not None
    fact = tool_presence(facts, facts.final, tool)
    return fact.value if isinstance(fact, Known) else None


@pytest.mark.parametrize(
    ("body", "there"),
    [
        ("", False),
        ("RUN apt-get install -y git", False),
        ("RUN apt-get install -y git curl", True),
        ("RUN apt-get install -y curl=7.88.1-10+deb12u5", True),
        ("RUN apt-get install -y curl:amd64", True),
        ("RUN apt-get install -y curl && curl x && apt-get purge -y curl", False),
        ("RUN apt-get install -y curl\nRUN apt-get remove -y git", True),
        ("RUN apt-get install -y libcurl4", False),
        ("RUN apt-get install -y $PACKAGES", None),
        ("RUN apt-get install -y {curl,git}", None),
        ("RUN apt-get install -y git=1:2.*", False),
        ("RUN apt-get install -y curl=7.*", True),
        ("RUN some-wrapper apt-get install -y curl", None),
        ("RUN apt-get install -y ./tool.deb", None),
        ("RUN xargs apt-get install -y < packages.txt", None),
        ("RUN if true; then apt-get install -y curl; fi", None),
        ("RUN apt-get install -y curl\nRUN if true; then apt-get purge -y curl; fi", None),
        ("RUN curl -fsSL https://example.org | sh", None),
        ("RUN wget -O- https://example.org | sh", None),
        ("RUN bash -c 'mkdir /x'", False),
        ("RUN ./install.sh", None),
        ("RUN $INSTALL", None),
        ("RUN npx playwright install --with-deps", None),
        ("RUN pip install requests", False),
        ("RUN useradd app && mkdir -p /app && chown app /app", False),
        ("RUN ln -s /opt/x/curl /usr/bin/curl", None),
        ("COPY curl /usr/local/bin/", True),
        ("COPY --from=x /usr/bin/static-curl /usr/local/bin/curl", True),
        ("COPY --from=x /usr/local /usr/local", None),
        ("COPY bin/ /usr/local/bin/", None),
        ("COPY tools/* /usr/local/bin/", None),
        ("COPY entrypoint.sh /usr/local/bin/", False),
        ("COPY . /app", False),
        ("COPY . .", None),
        ("WORKDIR /app\nCOPY . .", False),
        ("ADD https://example.org/x.tar.gz /usr/local", None),
        ("RUN <<EOF\n#!/usr/bin/env python3\nimport x\nEOF", None),
        ('RUN ["apt-get", "install", "-y", "curl"]', True),
    ],
)
def test_a_tool_of_debian(body: str, there: bool | None) -> None:
    assert presence(f"FROM debian:12\n{body}\n") is there


@pytest.mark.parametrize(
    ("text", "tool", "there"),
    [
        ("FROM alpine:3.20", "pgrep", True),
        ("FROM alpine:3.20", "curl", False),
        ("FROM alpine:3.20\nRUN apk add --virtual .d curl git && apk del .d", "curl", False),
        ("FROM alpine:3.20\nRUN apk add --virtual .d git && apk add curl && apk del .d", "curl", True),
        ("FROM python:3.13-slim", "pgrep", False),
        ("FROM python:3.13-slim", "python", True),
        ("FROM python:3.13", "curl", True),
        ("FROM python:3.13-slim\nRUN apt-get install -y openssh-server", "pgrep", None),
        ("FROM nginx:1.27", "curl", None),
        ("FROM example.org/x", "curl", None),
        ("FROM debian:12 AS a\nRUN apt-get install -y curl\nFROM a", "curl", True),
        ("FROM debian:12 AS a\nRUN apt-get install -y curl\nFROM debian:12", "curl", False),
        ("FROM debian:12\nCOPY check.sh /", "/check.sh", True),
        ("FROM debian:12\nWORKDIR /app\nCOPY check.sh .", "/app/check.sh", True),
        ("FROM debian:12\nCOPY check.sh /opt/", "/check.sh", None),
        ("FROM mcr.microsoft.com/windows/nanoserver:ltsc2022", "curl", None),
    ],
)
def test_a_tool_of_an_image(text: str, tool: str, there: bool | None) -> None:
    assert presence(f"{text}\n", tool) is there


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("curl -f x || exit 1", ["curl"]),
        ("curl -f x || wget x", []),
        ("curl -f x | grep ok", ["curl", "grep"]),
        ("timeout 5 curl -f x", ["curl"]),
        ("exec env A=1 curl x", ["curl"]),
        ("test -f /ready && [ -s /ready ] && curl x", ["curl"]),
        ("command -v curl && curl x", []),
        ('["curl", "-f", "x"]', ["curl"]),
        ('["sh", "-c", "curl -f x || exit 1"]', ["sh", "curl"]),
        ("/usr/bin/curl x", ["curl"]),
        ("/opt/check.sh", ["/opt/check.sh"]),
        ("$CHECK x", []),
    ],
)
def test_the_programs_that_a_check_requires(text: str, names: list[str]) -> None:
    assert [program.name for program in programs(check_commands(text, SHELL))] == names


def test_all_programs_include_those_of_fallbacks() -> None:
    found = programs(check_commands("curl -f x || wget x || exit 1", SHELL), all_of_them=True)
    assert [program.name for program in found] == ["curl", "wget"]


def test_the_last_healthcheck_of_the_nearest_stage_is_effective() -> None:
    target = target_from_text("FROM a AS b\nHEALTHCHECK CMD one\nHEALTHCHECK CMD two\nFROM b AS c\nFROM scratch\n")
    one, two, three = target.facts.graph.stages
    found = effective_healthcheck(target.facts, two)
    assert found is not None
    assert found.start_line == 3
    assert effective_healthcheck(target.facts, one) is found
    assert effective_healthcheck(target.facts, three) is None


@pytest.mark.parametrize(
    ("test", "text"),
    [
        ("curl -f $$URL || exit 1\n", "curl -f $URL || exit 1"),
        (("CMD-SHELL", "exit 0"), "exit 0"),
        (("CMD", "curl", '-H "x"', "$$Y", "é"), '["curl", "-H \\"x\\"", "$Y", "é"]'),
        (("NONE",), None),
        ((), None),
    ],
)
def test_the_test_of_compose_in_a_dockerfile(test: str | tuple[str, ...], text: str | None) -> None:
    assert check_text(test) == text


@pytest.mark.parametrize(
    "test",
    [
        *("", "a\nb", "a \\", "a `", '["a"]', "a\rb", "a \ud800"),
        *(("curl", "x"), ("CMD",), ("CMD-SHELL", "a", "b"), ("CMD", "\ud800")),
    ],
)
def test_a_test_that_cannot_be_written_in_a_dockerfile(test: str | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"test|lines|Unicode"):
        check_text(test)


def test_flags_are_checked_as_in_buildkit() -> None:
    assert healthcheck_blocker("--interval=1m30s --retries=3", "true") is None
    assert "1d" in (healthcheck_blocker("--interval=1d", "true") or "")
    assert healthcheck_blocker("--retries=x", "true")
    assert healthcheck_blocker("--retries=3 CMD echo", "true")
    assert healthcheck_blocker("--retries=3\nRUN x", "true")


def endpoints(text: str, **environment: str) -> set[str]:
    """The endpoints that a check requests in an image that sets PORT."""
    facts = target_from_text("FROM debian:12\nENV PORT=8000\n").facts
    assert facts.final is not None
    return set(map(str, requests_of(check_commands(text, SHELL), facts, facts.final, environment).endpoints))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("curl -f http://127.0.0.1/", {"localhost:80/"}),
        ("curl -f https://LOCALHOST", {"localhost:443/"}),
        ("curl -f http://[::1]:8080/x?y=1", {"localhost:8080/x?y=1"}),
        ("curl -f localhost:8080/x", {"localhost:8080/x"}),
        ("nc -z localhost 8080", set()),
        ('curl "http://localhost:$PORT/x"', {"localhost:8000/x"}),
        ("curl http://localhost:${WEB:-90}/x", {"localhost:90/x"}),
        ("curl http://localhost:$WEB/x", {"localhost:$WEB/x"}),
        ("""python -c "import u; u.urlopen('http://db:1/x', timeout=5)" """, {"db:1/x"}),
        ("""["node", "-e", "fetch('http://localhost:3000/h').then(r => r)"]""", {"localhost:3000/h"}),
        ('["sh", "-c", "curl -f http://localhost/a || exit 1"]', {"localhost:80/a"}),
        ("curl http://[bad/", set()),
    ],
)
def test_the_endpoints_of_a_check(text: str, found: set[str]) -> None:
    assert endpoints(text) == found


def test_the_environment_of_the_container_overrides_the_image() -> None:
    assert endpoints("curl http://localhost:$PORT/", PORT="9") == {"localhost:9/"}
