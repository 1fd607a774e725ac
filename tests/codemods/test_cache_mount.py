"""cache-mount: what is safe, what is not, and what it keeps its hands off."""

from __future__ import annotations

import pytest

from dockfix.codemod.model import Advice, Fix, Refusal, Safety
from dockfix.engine.project import findings, run
from dockfix.project.target import target_from_text
from dockfix_codemods.cache_mount import CODEMOD

HEAD = "# syntax=docker/dockerfile:1\nFROM python:3.13-slim\n"
PIP = "RUN --mount=type=cache,target=/root/.cache/pip pip install httpx\n"


def kinds(text: str) -> list[str]:
    found, defects = findings(target_from_text(text), [CODEMOD])
    assert not defects
    names = []
    for each in found:
        match each.finding:
            case Fix(safety=safety):
                names.append(safety.value)
            case Refusal():
                names.append("refusal")
            case Advice():
                names.append("advice")
    return names


def fixed(text: str, *, unsafe: bool = False) -> str:
    outcome = run(target_from_text(text), [CODEMOD], unsafe=unsafe)
    assert not outcome.defects
    return outcome.text


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("RUN pip install httpx\n", ["safe"]),
        ("RUN sudo pip install httpx\n", []),
        ("RUN pip install --no-such-option httpx\n", []),
        ("RUN pip list\n", []),
        ("ARG CACHE\nENV PIP_CACHE_DIR=$CACHE\nRUN pip install httpx\n", []),
        ("RUN export PIP_CACHE_DIR=/c && pip install httpx\n", ["safe"]),
        ("RUN export PIP_CACHE_DIR=$(mktemp -d) && pip install httpx\n", []),
        ("RUN . ./env && pip install httpx\n", []),
        ("RUN pip install httpx && chown -R app /root/.cache\n", ["unsafe"]),
        ("RUN pip install httpx && rm -rf /root/{.cache,.config}\n", ["refusal"]),
        ('RUN pip install httpx && rm -rf "$GNUPGHOME"\n', ["safe"]),
        ("RUN pip install httpx || true\n", ["safe"]),
        ("RUN pip install httpx && pip cache purge || true\n", ["refusal"]),
        ("RUN npm run build\n", []),
        ("RUN uv run pytest\n", []),
        ("RUN gem install rake\n", []),
        ("RUN --network=none pip install httpx\n", ["unsafe"]),
        ("USER 1234\nRUN pip install httpx\n", ["safe"]),
        ("COPY passwd /etc/passwd\nUSER app\nRUN pip install httpx\n", []),
    ],
)
def test_missing_mount(lines: str, expected: list[str]) -> None:
    assert kinds(HEAD + lines) == expected


@pytest.mark.parametrize(
    "lines",
    [
        "RUN --mount=type=cache,target=/root/.cache/uv make && pip list\n",
        "RUN --mount=type=cache,target=/root/.cache/uv sh -c 'make; pip install httpx'\n",
        "RUN --mount=type=cache,target=/root/.cache/uv cp -r /root/.cache/uv /uv && pip list\n",
        "RUN --mount=type=cache,target=/root/.cargo/registry pip list\n",
        "RUN --mount=type=cache,target=/root/.cache pip install httpx\n",
        "RUN --mount=type=cache,target=$CACHE pip --version\n",
        "RUN --mount=type=cache,target=/root/.cache/uv uv pip install --system httpx && pip list\n",
        "RUN --mount=type=cache,target=cache pip --version\n",
    ],
)
def test_a_mount_that_may_be_used_stays(lines: str) -> None:
    flag = lines.split()[1]
    assert f"RUN {flag} " in fixed(HEAD + lines, unsafe=True)


@pytest.mark.parametrize("base", ["pnpm/base", "acme/go:1"])
def test_an_unknown_image_may_have_moved_the_cache_to_the_mount(base: str) -> None:
    text = (
        f"# syntax=docker/dockerfile:1\nFROM {base}\n"
        "RUN --mount=type=cache,target=/pnpm/store pnpm install --ignore-scripts\n"
        "RUN --mount=type=cache,target=/go/pkg/mod go mod download\n"
    )
    assert kinds(text) == []


def test_a_later_safe_fix_does_not_hide_what_an_earlier_step_has_left() -> None:
    text = (
        "# syntax=docker/dockerfile:1\nFROM mcr.microsoft.com/dotnet/sdk:8.0 AS build\n"
        "RUN dotnet restore\nRUN dotnet publish --no-restore -o /app\n"
        "FROM scratch\nCOPY --from=build /app /app\n"
    )
    assert fixed(text) == text
    assert fixed(text, unsafe=True).count("--mount=type=cache,target=/root/.nuget/packages") == 2


def test_both_switches_of_pip_give_way_to_one_option() -> None:
    lines = "ENV PIP_NO_CACHE_DIR=1\n" + PIP.replace("install", "install --no-cache-dir")
    assert "pip install --cache-dir /root/.cache/pip httpx\n" in fixed(HEAD + lines)


def test_an_option_in_a_cluster_stays() -> None:
    lines = "RUN --mount=type=cache,target=/root/.cache/uv uv pip install -qn --system httpx\n"
    assert fixed(HEAD + lines, unsafe=True) == HEAD + lines
    assert kinds(HEAD + lines) == ["advice"]


def test_every_unsafe_fix_names_what_to_look_at_and_safe_ones_nothing() -> None:
    found, _ = findings(target_from_text("FROM python:3.13-slim\nRUN pip install httpx\n"), [CODEMOD])
    (fix,) = [each.finding for each in found if isinstance(each.finding, Fix)]
    assert fix.safety is Safety.UNSAFE
    assert "BuildKit" in fix.look_at


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [
        ("docker/dockerfile:1", ["safe"]),
        ("docker/dockerfile:1.2", ["safe"]),
        ("docker/dockerfile:1.1", []),
        ("docker/dockerfile:1.0.2", []),
        ("docker/dockerfile:1.1-experimental", ["safe"]),
        ("docker.io/docker/dockerfile:1.1.7", []),
    ],
)
def test_the_frontend_must_know_mounts(syntax: str, expected: list[str]) -> None:
    assert kinds(f"# syntax={syntax}\nFROM python:3.13-slim\nRUN pip install httpx\n") == expected


@pytest.mark.parametrize("flag", ["bind", "tmpfs", "secret"])
def test_another_mount_in_the_same_place(flag: str) -> None:
    assert kinds(HEAD + f"RUN --mount=type={flag},target=/root/.cache/pip pip install httpx\n") == []


def test_new_mounts_of_a_broken_line_stand_on_lines_of_their_own() -> None:
    text = HEAD + "RUN \\\n  pip install \\\n      httpx \\\n  && npm ci\n"
    assert fixed(text) == HEAD + (
        "RUN \\\n  --mount=type=cache,target=/root/.cache/pip \\\n  --mount=type=cache,target=/root/.npm \\\n"
        "  pip install \\\n      httpx \\\n  && npm ci\n"
    )


def test_one_fix_serves_all_commands_of_a_tool() -> None:
    text = HEAD + "RUN pip install --no-cache-dir a && pip install --no-cache-dir b\n"
    assert kinds(text) == ["unsafe"]
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    assert len(outcome.applied) == 1
    assert "pip install a && pip install b\n" in outcome.text


def test_nothing_is_pointed_at_a_cache_that_is_linked_from() -> None:
    lines = "ENV UV_LINK_MODE=symlink\nRUN --mount=type=cache,target=/root/.cache/pip uv pip install --system httpx\n"
    assert kinds(HEAD + lines)[0] == "refusal"
    assert fixed(HEAD + lines, unsafe=True) == HEAD + lines
