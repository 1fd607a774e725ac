"""Which tools keep a cache in a directory, and which directories hold results instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dockfix.facts.caches.model import Environment
from dockfix.facts.model import Fact, Known
from dockfix.facts.paths import normal_path

# Directories below the home (`~`) that one tool uses as its cache.
_HOME_DIRECTORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "~/.cache/pip": ("pip",),
    "~/.cache/uv": ("uv",),
    "~/.cache/pypoetry": ("poetry",),
    "~/.cache/pdm": ("pdm",),
    "~/.cache/pipenv": ("pipenv",),
    "~/.npm": ("npm",),
    "~/.cache/yarn": ("yarn",),
    "~/.yarn/berry/cache": ("yarn",),
    "~/.yarn": ("yarn",),
    "~/.local/share/pnpm/store": ("pnpm",),
    "~/.pnpm-store": ("pnpm",),
    "~/.cache/pnpm": ("pnpm",),
    "~/go/pkg/mod": ("go",),
    "~/.cache/go-build": ("go",),
    "~/.cargo/registry": ("cargo",),
    "~/.cargo/git": ("cargo",),
    "~/.composer": ("composer",),
    "~/.cache/composer": ("composer",),
    "~/.bundle": ("bundler",),
    "~/.m2": ("maven",),
    "~/.gradle": ("gradle",),
    "~/.nuget/packages": ("dotnet",),
    "~/.local/share/NuGet": ("dotnet",),
    "~/.conda/pkgs": ("conda", "mamba", "micromamba"),
}

_FIXED_DIRECTORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "/var/cache/apt": ("apt",),
    "/var/lib/apt": ("apt",),
    "/var/cache/apk": ("apk",),
    "/etc/apk/cache": ("apk",),
    "/var/cache/dnf": ("dnf", "yum", "microdnf"),
    "/var/cache/libdnf5": ("dnf", "yum"),
    "/var/cache/yum": ("yum", "microdnf", "dnf"),
    "/var/cache/zypp": ("zypper",),
    "/usr/local/share/.cache/yarn": ("yarn",),
    "/pnpm/store": ("pnpm",),
    "/go/pkg/mod": ("go",),
    "/usr/local/cargo/registry": ("cargo",),
    "/usr/local/cargo/git": ("cargo",),
    "/opt/conda/pkgs": ("conda", "mamba", "micromamba"),
}


def tool_of_directory(path: str, home: str = "/root") -> tuple[str, ...]:
    """The managers that use a directory, or one above or below it, as their cache by default; () if none does.

    `/root/.cache/uv` is uv's, `/root/.cache` that of every tool below it. Used to decide that a mount serves no command
    of its RUN.
    """
    wanted = normal_path(path)
    found: dict[str, None] = {}
    every = {f"{home.rstrip('/')}{name[1:]}": tools for name, tools in _HOME_DIRECTORIES.items()} | dict(
        _FIXED_DIRECTORIES
    )
    for directory, tools in every.items():
        if serves(wanted, directory) or serves(directory, wanted):
            found |= dict.fromkeys(tools)
    return tuple(found)


def serves(target: str, directory: str) -> bool:
    """Whether a mount at `target` contains `directory`: it is that directory or above it."""
    target, directory = normal_path(target), normal_path(directory)
    return directory == target or directory.startswith(target.rstrip("/") + "/")


def result_directories(env: Environment, home: Fact[str]) -> tuple[str, ...]:
    """Directories that must never be a cache mount: their content is a result, and would be missing from the image.

    Absolute paths; a name without a slash (`node_modules`, `target`) means a directory of that name anywhere. Variables
    that are not known add nothing. Sources: doc.rust-lang.org/cargo/guide/cargo-home; playwright.dev/docs/browsers;
    huggingface_hub's HF_HOME; docs.docker.com on cache mounts.
    """
    found = [
        *("node_modules", "site-packages", "dist-packages", "target", "vendor", ".venv", "venv", "dist", "build"),
        *(
            "/usr/local/bundle",
            "/usr/local/cargo",
            "/usr/local/rustup",
            "/go",
            "/go/bin",
            "/opt/conda",
            "/ms-playwright",
        ),
        *("/pnpm", "/usr/local/bin", "/usr/local/lib", "/opt/venv"),
    ]
    variables = (
        *(
            "GEM_HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "PNPM_HOME",
            "HF_HOME",
            "TRANSFORMERS_CACHE",
            "TORCH_HOME",
            "GOPATH",
        ),
        *("PLAYWRIGHT_BROWSERS_PATH", "PUPPETEER_CACHE_DIR", "VIRTUAL_ENV", "UV_PYTHON_INSTALL_DIR", "NLTK_DATA"),
        *("UV_PROJECT_ENVIRONMENT", "UV_TOOL_DIR", "PIPX_HOME", "CYPRESS_CACHE_FOLDER"),
    )
    for name in variables:
        fact = env(name)
        if isinstance(fact, Known) and fact.value.startswith("/"):
            found.append(normal_path(fact.value))
    if isinstance(home, Known):
        below = (
            *(".cache/huggingface", ".cache/torch", ".cache/ms-playwright", ".cache/puppeteer", ".cache/Cypress"),
            *(
                ".cargo",
                ".cargo/bin",
                ".rustup",
                ".local",
                ".local/bin",
                ".local/lib",
                ".local/share/uv",
                ".local/share/pnpm",
            ),
            *(
                "go",
                "go/bin",
                ".gem",
                "nltk_data",
                ".cache/pypoetry/virtualenvs",
                ".local/share/virtualenvs",
                ".dotnet",
            ),
        )
        found.extend(f"{home.value.rstrip('/')}/{name}" for name in below)
    return tuple(dict.fromkeys(found))
