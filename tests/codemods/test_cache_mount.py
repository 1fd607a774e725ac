"""cache-mount: which fixes are safe, which are unsafe, and which RUNs it leaves alone."""

from __future__ import annotations

import pytest

from dockfix.engine.project import findings, run
from dockfix.project.target import target_from_text
from dockfix.rule.model import Advice, Fix, Refusal, Safety
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


def test_one_option_replaces_both_settings_that_disable_pip_s_cache() -> None:
    lines = "ENV PIP_NO_CACHE_DIR=1\n" + PIP.replace("install", "install --no-cache-dir")
    assert "pip install --cache-dir /root/.cache/pip httpx\n" in fixed(HEAD + lines)


def test_an_option_in_a_cluster_stays() -> None:
    lines = "RUN --mount=type=cache,target=/root/.cache/uv uv pip install -qn --system httpx\n"
    assert fixed(HEAD + lines, unsafe=True) == HEAD + lines
    assert kinds(HEAD + lines) == ["advice"]


def test_an_unsafe_fix_says_what_to_review() -> None:
    found, _ = findings(target_from_text("FROM python:3.13-slim\nRUN pip install httpx\n"), [CODEMOD])
    (fix,) = [each.finding for each in found if isinstance(each.finding, Fix)]
    assert fix.safety is Safety.UNSAFE
    assert "BuildKit" in fix.review


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


def test_new_mounts_of_a_run_with_continuations_get_their_own_lines() -> None:
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


def test_no_mount_is_moved_to_a_cache_that_installed_files_link_to() -> None:
    lines = "ENV UV_LINK_MODE=symlink\nRUN --mount=type=cache,target=/root/.cache/pip uv pip install --system httpx\n"
    assert kinds(HEAD + lines)[0] == "refusal"
    assert fixed(HEAD + lines, unsafe=True) == HEAD + lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("RUN pip install a && pip cache purge\n", ["safe"]),
        ("RUN pip install a ; pip cache purge\n", ["unsafe"]),
        ("RUN pip install a ; pip cache purge && true\n", ["safe"]),
        ("RUN true ; pip install a && pip cache purge\n", ["safe"]),
        ("RUN pip install a && pip cache purge ; true\n", ["safe"]),
        ("RUN { pip install a ; pip cache purge ; } && true\n", ["unsafe"]),
        ("RUN pip install a ; pip cache purge ; echo $?\n", ["unsafe"]),
        ("RUN pip install a ; pip cache purge ; exit\n", ["unsafe"]),
        ("RUN set -e ; pip install a | cat ; pip cache purge\n", ["unsafe"]),
        ("RUN set -e ; true && pip install a && pip cache purge ; true\n", ["unsafe"]),
        ('SHELL ["/bin/bash", "-ec"]\nRUN pip install a ; pip cache purge\n', ["safe"]),
        ('SHELL ["/bin/bash", "-ec"]\nRUN set +e ; pip install a ; pip cache purge\n', ["unsafe"]),
        ('SHELL ["/bin/bash", "-ec"]\nRUN pip install a && pip cache purge ; true\n', ["unsafe"]),
    ],
)
def test_a_clean_up_is_removed_only_if_its_status_has_no_effect(lines: str, expected: list[str]) -> None:
    assert kinds(HEAD + lines) == expected


@pytest.mark.parametrize("home", ["/home/my user", "/home/a,b", "/home/gö", "/home/$", '/home/\\"x\\"', "/home/a'b"])
@pytest.mark.parametrize("command", ["pip install a", "npm ci", "go mod download", "poetry install", "mvn install"])
def test_a_path_that_a_flag_cannot_hold_is_left_alone(home: str, command: str) -> None:
    text = HEAD + f'ENV HOME="{home}" GOPATH="{home}" JAVA_TOOL_OPTIONS=-Duser.home=x\nRUN {command}\n'
    assert "--mount" not in fixed(text, unsafe=True)


def test_a_tilde_is_kept_if_a_flag_cannot_hold_the_home() -> None:
    text = HEAD + 'ENV HOME="/home/my user"\nRUN --mount=type=cache,target=~/.cache/pip pip install a\n'
    assert kinds(text) == ["refusal"]


@pytest.mark.parametrize(
    ("other", "safe"),
    [
        ("FROM python:3.13\nRUN pip install b\n", True),
        ("FROM python:3.13-bullseye\nRUN pip install b\n", False),
        ("FROM ubuntu:24.04\nRUN pip install b\n", False),
        ("FROM python:3.13-slim\nARG CFLAGS\nRUN pip install b\n", False),
        ("FROM python:3.13-slim\nRUN LDFLAGS=-lx pip install b\n", False),
        ("FROM python:3.13-slim\nRUN npm ci\n", True),
        ("FROM acme/base\nRUN pip install b\n", True),  # it gets no mount without review
        # The new mount would copy the flag of the other, with its id.
        ("FROM python:3.13-bullseye\nRUN --mount=type=cache,id=own,target=/root/.cache/pip pip install b\n", False),
        ("FROM python:3.13-bullseye\nENV PIP_CACHE_DIR=/c\nRUN pip install b\n", True),
    ],
)
def test_images_of_different_kinds_do_not_share_a_wheel_cache(other: str, safe: bool) -> None:
    text = HEAD + "RUN pip install a\n" + other
    mounts = fixed(text).partition("FROM ")[2].partition("FROM ")[0]
    assert ("--mount=type=cache,target=/root/.cache/pip pip install a" in mounts) is safe


def test_a_mount_of_an_unknown_image_is_not_shared() -> None:
    text = HEAD + f"RUN pip install a\nFROM acme/base\n{PIP}"
    assert "--mount=type=cache,id=pip-glibc,target=/root/.cache/pip pip install a\n" in fixed(text)


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /root/.cache/pip && pip install a",
        "rm -rf /root/.cache && pip install a",
        "rm -rf /root/* && pip install a",
        "mkdir /root/.cache && pip install a",
        "ln -s /tmp /root/.cache && pip install a",
    ],
)
@pytest.mark.parametrize("mount", ["", "--mount=type=cache,target=/root/.cache/uv "])
def test_a_command_that_conflicts_with_a_new_mount_makes_it_unsafe(command: str, mount: str) -> None:
    assert "safe" not in kinds(HEAD + f"RUN {mount}{command}\n")
