"""Where caches are. The rows for pip, uv, Poetry, PDM, npm, yarn and pnpm are the answers of the tools themselves."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dockfix.facts.caches import CacheUse, cache_use, result_directories, serves, tool_of_directory
from dockfix.facts.images import BaseImage, base_image
from dockfix.facts.model import Fact, Known, Unknown
from dockfix.facts.packages import PackageCommand, recognise


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    text: str
    value: str | None


def command(text: str) -> PackageCommand:
    found = recognise([Word(0, 0, word, None if "$" in word else word) for word in text.split(" ")])
    assert found is not None, text
    return found


def use(text: str, image: str = "debian:12", home: str = "/root", *, root: bool = True, **env: str) -> CacheUse:
    base = base_image(image)
    assert base is not None
    values = {**base.env, **env}

    def lookup(name: str) -> Fact[str] | None:
        return Known(values[name]) if name in values else None

    return cache_use(command(text), lookup, Known(home), base=base, user_is_root=Known(root))


def paths(found: CacheUse) -> list[str]:
    assert found.unknown is None, found.unknown
    return [directory.path for directory in found.dirs]


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        ("pip install x", {}, "/root/.cache/pip"),
        ("pip install x", {"PIP_CACHE_DIR": "/pc"}, "/pc"),
        ("pip install x", {"PIP_CACHE_DIR": ""}, "/root/.cache/pip"),
        ("pip install x", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/pip"),
        ("pip install x", {"XDG_CACHE_HOME": ""}, "/root/.cache/pip"),
        ("pip install --cache-dir /cli x", {"PIP_CACHE_DIR": "/e"}, "/cli"),
        ("env PIP_CACHE_DIR=/own pip install x", {"PIP_CACHE_DIR": "/e"}, "/own"),
        ("pip install --isolated x", {"PIP_CACHE_DIR": "/e"}, "/root/.cache/pip"),
        ("uv sync", {}, "/root/.cache/uv"),
        ("uv sync", {"UV_CACHE_DIR": "/uc"}, "/uc"),
        ("uv sync", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/uv"),
        ("uv sync", {"XDG_CACHE_HOME": "rel"}, "/root/.cache/uv"),
        ("uv sync --cache-dir /cli", {"UV_CACHE_DIR": "/e"}, "/cli"),
        ("poetry install", {"POETRY_VIRTUALENVS_CREATE": "false"}, "/root/.cache/pypoetry"),
        ("poetry install", {"POETRY_CACHE_DIR": "/p", "POETRY_VIRTUALENVS_IN_PROJECT": "1"}, "/p"),
        ("poetry install", {}, "/root/.cache/pypoetry/cache /root/.cache/pypoetry/artifacts"),
        ("pdm sync", {}, "/root/.cache/pdm"),
        ("pdm sync", {"XDG_CACHE_HOME": "/xdg"}, "/xdg/pdm"),
        ("npm ci", {}, "/root/.npm"),
        ("npm ci", {"npm_config_cache": "/n"}, "/n"),
        ("npm ci", {"NPM_CONFIG_CACHE": "/n"}, "/n"),
        ("npm ci", {"npm_config_cache": ""}, "/root/.npm"),
        ("npm ci", {"XDG_CACHE_HOME": "/x"}, "/root/.npm"),
        ("npm ci --cache /cli", {"npm_config_cache": "/n"}, "/cli"),
        ("yarn install --frozen-lockfile", {}, "/usr/local/share/.cache/yarn/v6"),
        ("yarn install --frozen-lockfile", {"YARN_CACHE_FOLDER": "/n"}, "/n/v6"),
        ("yarn install --frozen-lockfile", {"XDG_CACHE_HOME": "/x"}, "/x/yarn/v6"),
        ("pnpm install", {}, "/root/.local/share/pnpm/store"),
        ("pnpm install", {"PNPM_HOME": "/pnpm"}, "/pnpm/store"),
        ("pnpm install", {"XDG_DATA_HOME": "/x"}, "/x/pnpm/store"),
        ("pnpm install", {"npm_config_store_dir": "/s", "pnpm_config_store_dir": "/s", "PNPM_HOME": "/pnpm"}, "/s"),
        ("pnpm install", {"npm_config_store_dir": "/pnpm/store", "PNPM_HOME": "/pnpm"}, "/pnpm/store"),
        ("pnpm install --store-dir /cli", {"PNPM_HOME": "/pnpm"}, "/cli"),
        ("go mod download", {}, "/root/go/pkg/mod"),
        ("go build ./...", {"GOCACHE": "/gc"}, "/root/go/pkg/mod /gc"),
        ("go build -mod=vendor .", {}, "/root/.cache/go-build"),
        ("cargo build", {"CARGO_HOME": "/c"}, "/c/registry /c/git/db"),
        ("composer install", {"COMPOSER_HOME": "/ch"}, "/ch/cache"),
        ("composer install", {}, "/root/.composer/cache"),
        ("mvn -Dmaven.repo.local=/m2 package", {}, "/m2"),
        ("mvn package", {}, "/root/.m2/repository"),
        ("gradle build", {"GRADLE_USER_HOME": "/g"}, "/g/caches"),
        ("dotnet restore", {"NUGET_PACKAGES": "/n"}, "/n"),
        ("conda install x", {"CONDA_PKGS_DIRS": "/p"}, "/p"),
        ("gem install x", {}, ""),
        ("apt-get install x", {}, "/var/cache/apt /var/lib/apt"),
        ("pip uninstall x", {}, ""),
    ],
)
def test_cache_directories(text: str, env: dict[str, str], expected: str) -> None:
    assert paths(use(text, "debian:12", "/root", root=True, **env)) == expected.split()


def test_images_move_caches() -> None:
    assert paths(use("go mod download", "golang:1.23")) == ["/go/pkg/mod"]
    assert paths(use("cargo fetch", "rust:1.80-slim")) == ["/usr/local/cargo/registry", "/usr/local/cargo/git/db"]
    assert paths(use("composer install", "composer:2")) == ["/tmp/cache"]  # noqa: S108
    assert paths(use("conda install x", "continuumio/miniconda3")) == ["/opt/conda/pkgs"]


def test_other_users_have_other_caches() -> None:
    assert paths(use("pip install x", home="/home/app", root=False)) == ["/home/app/.cache/pip"]
    assert paths(use("yarn install --pure-lockfile", home="/home/app", root=False)) == ["/home/app/.cache/yarn/v6"]
    assert use("sudo pip install x").unknown is not None
    assert use("gosu app npm ci").unknown is not None
    assert use("sudo -E uv sync --cache-dir /c", UV_NO_CACHE="1").unknown is not None
    assert paths(use("sudo apt-get install x")) == ["/var/cache/apt", "/var/lib/apt"]


@pytest.mark.parametrize("value", ["0", "1", "off", "false", "no", "true"])
def test_any_value_of_pip_no_cache_dir_disables_the_cache(value: str) -> None:
    (defeat,) = use("pip install x", PIP_NO_CACHE_DIR=value).disabled_by
    assert (defeat.kind, defeat.name) == ("env", "PIP_NO_CACHE_DIR")
    assert use("pip install --cache-dir /c x", PIP_NO_CACHE_DIR=value).disabled_by == ()
    assert use("pip install --isolated x", PIP_NO_CACHE_DIR=value).disabled_by == ()


def test_pip_switches() -> None:
    assert use("pip install x", PIP_NO_CACHE_DIR="").disabled_by == ()
    assert [d.kind for d in use("pip install --no-cache x").disabled_by] == ["option"]
    assert use("pip install --no-cache-dir --cache-dir /c x").disabled_by == ()
    assert use("pip install --cache-dir /c --no-cache-dir x").disabled_by != ()


@pytest.mark.parametrize(("value", "off"), [("1", True), ("true", True), ("yes", True), ("0", False), ("false", False)])
def test_uv_no_cache(value: str, *, off: bool) -> None:
    assert bool(use("uv sync", UV_NO_CACHE=value).disabled_by) is off
    assert bool(use("uv sync --cache-dir /c", UV_NO_CACHE=value).disabled_by) is off


def test_distribution_switches() -> None:
    assert [d.name for d in use("apt-get install x").disabled_by] == ["/etc/apt/apt.conf.d/docker-clean"]
    assert len(use("apt install x").disabled_by) == 2
    assert use("apt-get update").disabled_by == ()
    assert {d.name for d in use("apk add --no-cache x", "alpine").disabled_by} == {"/etc/apk/cache", "--no-cache"}
    assert [d.name for d in use("dnf install x", "rockylinux:9").disabled_by] == ["keepcache"]
    assert use("dnf install --setopt=keepcache=1 x", "rockylinux:9").disabled_by == ()


@pytest.mark.parametrize(
    "text",
    [
        "pip install --cache-dir $X x",
        "pip install --cache-dir rel x",
        "uv sync --unheard-of",
        "env -i pip install x",
        "yarn",
        "npm_config_store_dir=/s pnpm install",
        "pnpm_config_store_dir=/s pnpm install",
        "pnpm add -g turbo",
        "pnpm install --global turbo --store-dir /s",
        "pnpm dlx turbo prune web",
    ],
)
def test_unknown_caches(text: str) -> None:
    assert use(text).unknown


def test_unknown_variables_and_homes() -> None:
    def maybe(name: str) -> Fact[str] | None:
        return Unknown("an ARG may set it") if name == "PIP_CACHE_DIR" else None

    image: BaseImage | None = None
    root: Fact[bool] = Known(True)
    assert cache_use(command("pip install x"), maybe, Known("/root"), base=image, user_is_root=root).unknown
    home: Fact[str] = Unknown("the user is not in the image")
    assert cache_use(command("npm ci"), lambda _: None, home, base=image, user_is_root=root).unknown


def test_tool_of_directory() -> None:
    assert tool_of_directory("/root/.cache/uv", "/root") == ("uv",)
    assert tool_of_directory("/root/.npm/_cacache", "/root") == ("npm",)
    assert set(tool_of_directory("/root/.cache", "/root")) >= {"pip", "uv"}
    assert tool_of_directory("/root/.cache/uv", "/home/app") == ()
    assert tool_of_directory("/data", "/root") == ()
    assert serves("/root/.cache", "/root/.cache/pip")
    assert not serves("/root/.cache/pi", "/root/.cache/pip")


def test_result_directories() -> None:
    found = result_directories(lambda name: Known("/gems") if name == "GEM_HOME" else None, Known("/root"))
    assert {"/gems", "target", "node_modules", "/root/.cache/huggingface", "/root/.cache/ms-playwright"} <= set(found)
    assert "/root/.cache/pip" not in found
