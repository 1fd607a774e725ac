"""Package manager commands, from their words alone."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from dockfix.facts.packages import (
    Action,
    PackageCommand,
    distribution_name,
    literal_requirements_only,
    manifests_for,
    reads,
    recognise,
)
from dockfix.facts.tables.options import OPTIONS


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    text: str
    value: str | None


def words(command: str) -> tuple[Word, ...]:
    """Words split on blanks, quotes kept in `text`; a `$` or an unquoted glob makes the value unknown."""
    found: list[Word] = []
    at = 0
    for text in command.split(" "):
        if text:
            expands = "$" in text or ("*" in text and text[0] not in "'\"")
            found.append(Word(at, at + len(text), text, None if expands else shlex.split(text)[0]))
        at += len(text) + 1
    return tuple(found)


def command(text: str) -> PackageCommand:
    found = recognise(words(text))
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "manager", "action", "packages"),
    [
        ("pip install flask", "pip", Action.INSTALL, "flask"),
        ("python -m pip install flask", "pip", Action.INSTALL, "flask"),
        ("python3.12 -u -m pip install flask", "pip", Action.INSTALL, "flask"),
        ("/opt/ml-venv/bin/pip3.11 install torch", "pip", Action.INSTALL, "torch"),
        ("$VENV/bin/pip install torch", "pip", Action.INSTALL, "torch"),
        ("pip --no-cache-dir install x", "pip", Action.INSTALL, "x"),
        ("pip install --index-url https://e/simple x -t /app y", "pip", Action.INSTALL, "x y"),
        ("pip uninstall -y x", "pip", Action.REMOVE, "x"),
        ("pip cache purge", "pip", Action.CLEAN, ""),
        ("uv pip install --system flask", "uv", Action.INSTALL, "flask"),
        ("uv pip install -p 3.12 --no-binary :all: flask", "uv", Action.INSTALL, "flask"),
        ("uv sync --frozen --no-binary --no-dev", "uv", Action.SYNC, ""),
        ("uv add -m 'x' httpx", "uv", Action.INSTALL, "httpx"),
        ("uv tool install ruff@0.5.0", "uv", Action.INSTALL, "ruff@0.5.0"),
        ("uv run --no-sync python -m app", "uv", Action.RUN, ""),
        ("uvx ruff check", "uv", Action.RUN, "ruff"),
        ("corepack pnpm install --frozen-lockfile", "pnpm", Action.SYNC, ""),
        ("apt-get -y -q install curl git", "apt", Action.INSTALL, "curl git"),
        ("apt-get install -o Dpkg::Options::=--force-confold pkg=1.2", "apt", Action.INSTALL, "pkg=1.2"),
        ("apt-get install -oDebug::x=1 -t bookworm-backports -qq=2 git", "apt", Action.INSTALL, "git"),
        ("aptitude install x", "apt", Action.INSTALL, "x"),
        ("apt-get remove --purge gcc", "apt", Action.PURGE, "gcc"),
        ("apt-get purge -y --auto-remove gcc", "apt", Action.PURGE, "gcc"),
        ("apt-get clean", "apt", Action.CLEAN, ""),
        ("apk --no-cache add -t .build-deps gcc", "apk", Action.INSTALL, "gcc"),
        ("apk add --virtual name zlib-dev build-base", "apk", Action.INSTALL, "zlib-dev build-base"),
        ("apk add --no-cache --virtual=.deps gcc", "apk", Action.INSTALL, "gcc"),
        ("dnf -y install gcc", "dnf", Action.INSTALL, "gcc"),
        ("dnf clean all", "dnf", Action.CLEAN, "all"),
        ("npm --prefix web ci", "npm", Action.SYNC, ""),
        ("npm install", "npm", Action.SYNC, ""),
        ("npm i -g pnpm@9", "npm", Action.INSTALL, "pnpm@9"),
        ("npm run build", "npm", Action.BUILD, "build"),
        ("yarn", "yarn", Action.SYNC, ""),
        ("yarn --frozen-lockfile", "yarn", Action.SYNC, ""),
        ("yarn workspaces focus --production", "yarn", Action.SYNC, ""),
        ("yarn build", "yarn", Action.BUILD, ""),
        ("pnpm -C web i", "pnpm", Action.SYNC, ""),
        ("go mod download", "go", Action.SYNC, ""),
        ("go install example.org/x/cmd@v1.2.3", "go", Action.INSTALL, "example.org/x/cmd@v1.2.3"),
        ("go install ./cmd/x", "go", Action.BUILD, "./cmd/x"),
        ("go build -ldflags=-s -o /app ./cmd", "go", Action.BUILD, "./cmd"),
        ("go build -mod vendor -tags netgo -o /app .", "go", Action.BUILD, "."),
        ("cargo +nightly build --release -p app", "cargo", Action.BUILD, ""),
        ("env X=1 pip install a", "pip", Action.INSTALL, "a"),
        ("X=1 exec pip install a", "pip", Action.INSTALL, "a"),
        ("sudo -E -u app pip install a", "pip", Action.INSTALL, "a"),
        ("timeout -k 5 60 pip install a", "pip", Action.INSTALL, "a"),
        ("mvn -q -B -Dmaven.repo.local=/m2 dependency:go-offline", "maven", Action.SYNC, ""),
        ("./mvnw -pl core package", "maven", Action.BUILD, ""),
        ("./gradlew --no-daemon -x test build", "gradle", Action.BUILD, ""),
        ("dotnet restore -r linux-x64 src/App.csproj", "dotnet", Action.SYNC, "src/App.csproj"),
        ("dotnet publish -c Release -p:UseAppHost=false App", "dotnet", Action.BUILD, "App"),
        ("conda env create -f environment.yml", "conda", Action.SYNC, ""),
        ("mamba install -y -c conda-forge numpy", "mamba", Action.INSTALL, "numpy"),
        ("bundle install --jobs 4", "bundler", Action.SYNC, ""),
        ("composer install --no-dev --no-scripts", "composer", Action.SYNC, ""),
        ("gem install -N bundler", "gem", Action.INSTALL, "bundler"),
        ("poetry install --no-root --without dev", "poetry", Action.SYNC, ""),
        ("zypper -n in gcc", "zypper", Action.INSTALL, "gcc"),
    ],
)
def test_recognises_manager_action_and_packages(text: str, manager: str, action: Action, packages: str) -> None:
    found = command(text)
    assert (found.manager, found.action) == (manager, action)
    assert " ".join(word.text for word in found.packages) == packages
    assert all(option.known for option in found.options), found.options


@pytest.mark.parametrize(
    "text",
    ["Rscript -e x", "echo pip install x", "python app.py", "python -m venv /v", "command -v pip", "corepack enable"],
)
def test_other_programs_are_not_package_managers(text: str) -> None:
    assert recognise(words(text)) is None


def test_options_have_one_canonical_name() -> None:
    assert command("pip install --no-cache x").has("--no-cache-dir")  # optparse's prefix: seen to disable the cache
    assert command("uv pip install --no-cache-dir x").has("--no-cache")
    assert command("uv pip install -n x").has("--no-cache")
    assert command("uv pip install --constraints c.txt x").has("--constraint")
    assert command("apt-get install --assume-yes x").has("--yes")
    assert command("pip install --no-cache-x x").option("--no-cache-x") is not None
    option = command("pip install -rreq.txt").option("--requirement")
    assert option is not None
    assert option.literal == "req.txt"
    clustered = command("apt-get install -qqy x").option("--yes")
    assert clustered is not None
    assert clustered.shares_word


def test_the_last_option_with_a_name_is_effective() -> None:
    option = command("pip install --cache-dir /a --cache-dir /b x").option("--cache-dir")
    assert option is not None
    assert option.literal == "/b"


def test_a_false_flag_is_not_given() -> None:
    assert not command("npm ci --ignore-scripts=false").has("--ignore-scripts")
    assert not command("npm ci --ignore-scripts false").has("--ignore-scripts")


def test_wrappers_and_users() -> None:
    found = command("sudo -u app env PIP_NO_CACHE_DIR=1 pip install x")
    assert found.user_changed
    assert found.executable.text == "pip"
    assert found.assignments() == {"PIP_NO_CACHE_DIR": "1"}
    assert not command("env A=1 pip install x").user_changed
    assert command("xargs -n 1 pip install").unknown_operands
    assert command("pip $ARGS install x").unknown_operands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install flask 'uvicorn[standard]>=0.30,<1'", True),
        ("pip install git+https://example.org/x.git", True),
        ("pip install --no-cache-dir --upgrade pip", True),
        ("pip install .", False),
        ("pip install ./x", False),
        ("pip install x/", False),
        ("pip install x.whl", False),
        ("pip install *.whl", False),
        ("pip install file:///x", False),
        ("pip install flask==$V", False),
        ("pip install -r requirements.txt", False),
        ("pip install -c constraints.txt flask", False),
        ("pip install -e . flask", False),
        ("pip install --find-links /wheels flask", False),
        ("pip install --unheard-of flask", False),
        ("env PIP_CONSTRAINT=c.txt pip install flask", False),
        ("pip install --index-url file:///mirror flask", False),
        ("pip uninstall flask", False),
        ("xargs pip install flask", False),
        ("uv pip install --system flask", True),
        ("uv pip install --group dev flask", False),
        ("uv add flask", False),
        ("npm install -g typescript @scope/x@1.2", True),
        ("npm install -g ./tool.tgz", False),
        ("npm install express", False),
        ("npm install", False),
        ("yarn", False),
        ("pnpm add -g turbo", True),
        ("apt-get install -y curl libc6:amd64 git/stable", True),
        ("apt-get install -y ./x.deb", False),
        ("apk add --no-cache curl~8", True),
        ("apk add ./x.apk", False),
        ("go install example.org/x@latest", True),
    ],
)
def test_literal_requirements_only(text: str, expected: bool) -> None:
    assert literal_requirements_only(command(text)) is expected


def test_reads() -> None:
    assert reads(command("pip install flask")).manifests == ()
    assert reads(command("pip install flask")).config == ("pip.conf", ".netrc")
    assert reads(command("pip install -r req/base.txt")).named == ("req/base.txt",)
    assert reads(command("pip install ./libs/core[extra]")).named == ("libs/core",)
    assert set(reads(command("uv pip install flask")).manifests) >= {"pyproject.toml", "uv.toml", ".python-version"}
    assert "uv.lock" not in reads(command("uv pip install flask")).manifests
    assert "package-lock.json" in reads(command("npm ci")).manifests


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        ("pip install flask", False),
        ("pip install -r req.txt", False),
        ("pip install .", True),
        ("pip install -e .", True),
        ("pip install ../x", True),
        ("pip install $X", True),
        ("pip install -r $X", True),
        ("uv sync", True),
        ("uv sync --no-install-project", False),
        ("poetry install", True),
        ("poetry install --no-root --no-directory", False),
        ("npm ci", True),
        ("npm ci --ignore-scripts", False),
        ("npm --prefix web ci --ignore-scripts", True),
        ("pnpm fetch", False),
        ("go mod download", False),
        ("go mod tidy", True),
        ("go build ./...", True),
        ("cargo fetch", True),
        ("apt-get install -y curl", False),
        ("apt-get install -y $PACKAGES", True),
        ("apt-get update", False),
        ("npm run build", True),
        ("pip --unheard-of install x", True),
        ("gem install --local --force ./pups-1.4.0.gem", True),
        ("gem install pups-1.4.0.gem", True),
    ],
)
def test_reads_everything_without_a_bound(text: str, everything: bool) -> None:
    assert reads(command(text)).everything is everything


def test_manifests_for_the_split_of_a_copy() -> None:
    assert manifests_for(command("npm ci")) == ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc")
    assert manifests_for(command("pip install -r requirements.txt")) == ("requirements.txt",)
    assert manifests_for(command("uv sync"))[:2] == ("pyproject.toml", "uv.lock")
    assert manifests_for(command("go mod download"))[:2] == ("go.mod", "go.sum")
    assert manifests_for(command("conda env create -f env/prod.yml")) == ("env/prod.yml",)
    assert manifests_for(command("apt-get install curl")) == ()
    assert manifests_for(command("pip install flask")) == ()


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Flask", "flask"),
        ("ruamel.yaml[jinja2]>=0.18 ; python_version>'3'", "ruamel-yaml"),
        ("typing__extensions==4", "typing-extensions"),
        ("x @ https://example.org/x.whl", "x"),
        ("git+https://example.org/x.git#egg=Some_Name", "some-name"),
        ("./x", None),
        (".", None),
        ("x-1.0-py3-none-any.whl", None),
        ("", None),
    ],
)
def test_distribution_name(requirement: str, name: str | None) -> None:
    assert distribution_name(requirement) == name


@pytest.mark.parametrize("manager", sorted(OPTIONS))
def test_every_short_option_and_alias_leads_to_a_listed_option(manager: str) -> None:
    table = OPTIONS[manager]
    for part in (table, *table.subcommands.values()):
        listed = table.flags | table.valued | table.optional | part.flags | part.valued
        assert set(part.short.values()) <= listed
        assert set(part.aliases.values()) <= listed


@pytest.mark.parametrize("build", [lambda n: "pip install " + "a" * n, lambda n: "pip install a[" + " " * 1 + "," * n])
def test_a_long_operand_takes_no_quadratic_time(build: Callable[[int], str]) -> None:
    assert command(build(20_000)).manager == "pip"
    distribution_name(build(20_000).split(" ")[2])
    distribution_name("a" + "-" * 20_000 + "!")
    distribution_name("a>=1" + ",>=1" * 5_000 + "!")
