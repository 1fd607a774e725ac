"""The built-in codemods: one file each, file name = rule name.

`ORDER` is the order in which they run. Mending what fails comes first; then what moves instructions; what edits the
inside of a RUN comes last, so that it sees RUNs where they will stand.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from dockfix.api import Codemod

ORDER: Final = (
    "copy-from-context",
    "local-base-image",
    "arg-scope",
    "env-self-reference",
    "shell-pipefail",
    "useradd-gid",
    "user-group",
    "retry-loop",
    "uv-venv-pip",
    "postgres-preload",
    "postgres-extension",
    "turbo-prune",
    "node-env",
    "exec-form-variable",
    "pip-to-uv",
    "error-masked",
    "healthcheck-missing",
    "healthcheck-drift",
    "healthcheck-tool",
    "healthcheck-pgrep",
    "arg-position",
    "copy-order",
    "apt-purge",
    "sed-unverified",
    "apk-cache",
    "cache-mount",
    "unused-python-deps",
    "uid-map",
    "dockerignore-comment",
    "base-image-drift",
    "compose-depends-on",
    "download-retry",
    "python-inline-syntax",
    "pip-pin",
    "torch-index",
    "workdir-temp",
    "stage-flatten",
    "image-pin",
    "header-comment",
    "recommended-env",
    "build-tool-leftover",
)


def load() -> tuple[Codemod, ...]:
    """All codemods of the pack, in running order (the entry point `dockfix.codemods`)."""
    modules = (import_module(f"{__name__}.{name.replace('-', '_')}") for name in ORDER)
    return tuple(module.CODEMOD for module in modules)
