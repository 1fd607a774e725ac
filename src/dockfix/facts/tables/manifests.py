"""Which manifests, configuration files and other files each package manager reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MANIFESTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # pip reads no manifest by default: -r and -c name them.
        "pip": (),
        # From docs.astral.sh/uv: concepts/projects/layout, concepts/configuration-files, reference/cli (--python)
        "uv": ("pyproject.toml", "uv.lock", "uv.toml", ".python-version", ".python-versions"),
        # From python-poetry.org/docs/configuration (poetry.toml)
        "poetry": ("pyproject.toml", "poetry.lock", "poetry.toml"),
        # From pdm-project.org/en/latest/usage/config
        "pdm": ("pyproject.toml", "pdm.lock", "pdm.toml", ".pdm-python"),
        "pipenv": ("Pipfile", "Pipfile.lock"),
        # From docs.npmjs.com/cli/v11/commands/npm-ci
        "npm": ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"),
        # From classic.yarnpkg.com/en/docs/yarnrc; yarnpkg.com/getting-started/qa (which files belong to a project)
        "yarn": ("package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml", ".npmrc", ".yarn/**", ".pnp.cjs"),
        # From pnpm.io/cli/fetch, pnpm.io/pnpmfile, pnpm.io/pnpm-workspace_yaml
        "pnpm": ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs", "patches/**"),
        # go.dev/ref/mod
        "go": ("go.mod", "go.sum", "go.work", "go.work.sum"),
        # From doc.rust-lang.org/cargo/reference/config.html, rust-lang.github.io/rustup/overrides.html
        "cargo": (
            "Cargo.toml",
            "Cargo.lock",
            ".cargo/config.toml",
            ".cargo/config",
            "rust-toolchain.toml",
            "rust-toolchain",
        ),
        # From bundler.io/man/gemfile.5.html
        "bundler": (
            "Gemfile",
            "Gemfile.lock",
            "gems.rb",
            "gems.locked",
            "*.gemspec",
            ".bundle/config",
            ".ruby-version",
        ),
        # From getcomposer.org/doc/articles/authentication-for-private-packages.md (auth.json)
        "composer": ("composer.json", "composer.lock", "auth.json", "symfony.lock"),
        # maven.apache.org/configure.html (.mvn)
        "maven": ("pom.xml", "**/pom.xml", ".mvn/**", "mvnw"),
        # docs.gradle.org: build_environment, dependency_locking, version_catalogs
        "gradle": (
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
            "gradle.properties",
            "gradle.lockfile",
            "gradle/**",
            "gradlew",
        ),
        # From learn.microsoft.com/nuget: consume-packages/package-references-in-project-files, central package
        # management
        "dotnet": (
            "*.sln",
            "*.slnx",
            "*.csproj",
            "*.fsproj",
            "*.vbproj",
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
            "NuGet.Config",
            "nuget.config",
            "packages.lock.json",
            "global.json",
            "dotnet-tools.json",
            ".config/dotnet-tools.json",
        ),
        "conda": ("environment.yml", "environment.yaml"),
        "mamba": ("environment.yml", "environment.yaml"),
        "micromamba": ("environment.yml", "environment.yaml", "env.yaml"),
    }
)
"""Manifests and locks that an install from a manifest reads in its working directory, as names or globs."""

CONFIG_FILES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # From pip.pypa.io/en/stable/topics/configuration: never the working directory; these names in any of its places
        "pip": ("pip.conf", ".netrc"),
        "uv": ("uv.toml", ".netrc"),
        "poetry": ("config.toml", "auth.toml", ".netrc"),
        "pdm": ("config.toml", ".netrc"),
        "pipenv": ("pip.conf", ".netrc"),
        "npm": (".npmrc", "npmrc"),
        "yarn": (".npmrc", ".yarnrc", ".yarnrc.yml"),
        "pnpm": (".npmrc", "npmrc", "rc", "pnpm-workspace.yaml"),
        "go": (".netrc", "env", ".gitconfig"),
        "cargo": ("config.toml", "credentials.toml", "config"),
        "gem": (".gemrc", "gemrc"),
        "bundler": ("config", ".gemrc"),
        "composer": ("auth.json", "config.json"),
        "maven": ("settings.xml", "toolchains.xml"),
        "gradle": ("gradle.properties", "init.gradle", "*.init.gradle", "init.gradle.kts"),
        "dotnet": ("NuGet.Config", "nuget.config"),
        "conda": (".condarc", "condarc"),
        "mamba": (".condarc", "condarc", ".mambarc"),
        "micromamba": (".condarc", "condarc", ".mambarc"),
        "apt": ("/etc/apt/**", "/usr/share/keyrings/**", "/etc/dpkg/**", "/usr/local/share/ca-certificates/**"),
        "apk": ("/etc/apk/**",),
        "dnf": ("/etc/dnf/**", "/etc/yum.repos.d/**", "/etc/pki/**", "/etc/yum.conf"),
        "yum": ("/etc/yum/**", "/etc/yum.conf", "/etc/yum.repos.d/**", "/etc/pki/**", "/etc/dnf/**"),
        "microdnf": ("/etc/dnf/**", "/etc/yum.repos.d/**", "/etc/pki/**"),
        "zypper": ("/etc/zypp/**",),
    }
)
"""Configuration that a command reads from fixed places: base names in any folder, or absolute globs."""

FILE_OPTIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "pip": frozenset(
            [
                "--requirement",
                "--constraint",
                "--build-constraint",
                "--editable",
                "--find-links",
                "--cert",
                "--client-cert",
                "--group",
                "--requirements-from-script",
                "--path",
            ]
        ),
        "uv": frozenset(
            [
                "--requirement",
                "--constraint",
                "--build-constraint",
                "--override",
                "--excludes",
                "--editable",
                "--find-links",
                "--cert",
                "--config-file",
                "--with-requirements",
                "--with-editable",
                "--group",
                "--extra",
                "--env-file",
                "--project",
                "--directory",
            ]
        ),
        "npm": frozenset(["--prefix", "--userconfig", "--globalconfig", "--cafile", "--workspace"]),
        "yarn": frozenset(["--cwd", "--use-yarnrc"]),
        "pnpm": frozenset(["--dir", "--lockfile-dir", "--filter", "--filter-prod"]),
        "apt": frozenset(("--config-file", "--with-source")),
        "apk": frozenset(["--keys-dir", "--repositories-file", "--root"]),
        "dnf": frozenset(["--config", "--installroot", "--repofrompath"]),
        "yum": frozenset(["--config", "--installroot", "--repofrompath"]),
        "microdnf": frozenset(["--config", "--installroot"]),
        "zypper": frozenset(["--reposd-dir", "--root", "--installroot", "--config"]),
        "poetry": frozenset(["--directory", "--project"]),
        "pdm": frozenset(["--project", "--lockfile", "--override", "--editable"]),
        "pipenv": frozenset(["--requirement", "--editable"]),
        "gem": frozenset(["--file", "--config-file"]),
        "bundler": frozenset(("--gemfile",)),
        "composer": frozenset(("--working-dir",)),
        "maven": frozenset(["--file", "--settings", "--global-settings", "--toolchains"]),
        "gradle": frozenset(["--build-file", "--settings-file", "--init-script", "--project-dir"]),
        "dotnet": frozenset(("--configfile", "--lock-file-path")),
        "go": frozenset(("--C", "--modfile", "--overlay")),
        "cargo": frozenset(["--path", "--manifest-path", "--config"]),
        "conda": frozenset(("--file",)),
        "mamba": frozenset(("--file",)),
        "micromamba": frozenset(("--file", "--rc-file")),
    }
)
"""Options whose value is a file or directory that the command reads, or that moves it to another directory."""

FILE_VARIABLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        # Every pip option may come as PIP_<NAME> (pip.pypa.io/en/stable/topics/configuration#environment-variables).
        "pip": frozenset(
            [
                "PIP_REQUIREMENT",
                "PIP_CONSTRAINT",
                "PIP_BUILD_CONSTRAINT",
                "PIP_EDITABLE",
                "PIP_FIND_LINKS",
                "PIP_CONFIG_FILE",
                "PIP_CERT",
                "PIP_CLIENT_CERT",
                "PIP_GROUP",
            ]
        ),
        # From docs.astral.sh/uv/reference/environment
        "uv": frozenset(
            [
                "UV_CONSTRAINT",
                "UV_BUILD_CONSTRAINT",
                "UV_OVERRIDE",
                "UV_EXCLUDE",
                "UV_FIND_LINKS",
                "UV_CONFIG_FILE",
                "UV_ENV_FILE",
                "UV_PROJECT",
                "UV_WORKING_DIRECTORY",
                "UV_WORKING_DIR",
                "SSL_CERT_FILE",
            ]
        ),
    }
)
"""Environment variables that make a command read files which its words do not name."""
