"""The built-in codemods: a module or a package each, with the name of the rule.

`ORDER` is the order in which they run. Rules that fix failing builds come first, then rules that move instructions.
Rules that edit the inside of a RUN come last, so that they see each RUN in its final place.

A run imports the modules of only those rules that may apply to a file. What it needs to know of the others is in
`index.py`, which `docs/generate.py` generates from the modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from dockfix.rule import Codemod

ORDER: Final = (
    "keyword-case",
    "image-tag",
    "platform-flag",
    "platform-mismatch",
    "stage-name",
    "empty-continuation",
    "definition-comment",
    "copy-from-context",
    "copy-from-self",
    "local-base-image",
    "arg-scope",
    "undefined-variable",
    "env-self-reference",
    "shell-pipefail",
    "shellcheck",
    "useradd-gid",
    "user-group",
    "useradd-log",
    "user-numeric",
    "assume-yes",
    "apt-get",
    "wget-progress",
    "retry-loop",
    "uv-venv-pip",
    "postgres-preload",
    "postgres-extension",
    "turbo-prune",
    "node-env",
    "exec-form-variable",
    "exec-form",
    "instruction-overridden",
    "pip-to-uv",
    "error-masked",
    "run-cd",
    "sudo",
    "root-user",
    "shell-link",
    "healthcheck-missing",
    "healthcheck-absent",
    "healthcheck-drift",
    "healthcheck-tool",
    "healthcheck-pgrep",
    "arg-position",
    "copy-order",
    "add-to-copy",
    "workdir-relative",
    "copy-relative",
    "copy-slash",
    "copy-ignored",
    "add-archive",
    "apt-purge",
    "sed-unverified",
    "apk-cache",
    "cache-mount",
    "apt-recommends",
    "apt-lists",
    "rpm-cache",
    "pip-cache",
    "npm-cache",
    "unused-python-deps",
    "uid-map",
    "dockerignore-comment",
    "base-image-drift",
    "compose-depends-on",
    "download-retry",
    "python-inline-syntax",
    "pip-pin",
    "version-pin",
    "package-upgrade",
    "two-downloaders",
    "pointless-command",
    "torch-index",
    "workdir-temp",
    "stage-flatten",
    "copy-from-root",
    "image-pin",
    "run-merge",
    "sort-packages",
    "allowed-registries",
    "header-comment",
    "ignore-comment",
    "recommended-env",
    "build-tool-leftover",
    "key-value-format",
    "maintainer-label",
    "duplicate-key",
    "expose",
    "build-secret",
    "label-key",
    "stop-signal",
    "label-schema",
    "format",
)


def load() -> tuple[Codemod, ...]:
    """All codemods of the pack, in running order, without their modules (the entry point `dockfix.codemods`)."""
    from dockfix_codemods.index import INDEX  # noqa: PLC0415 - generated: whoever generates it must not need it

    listed = {codemod.name: codemod for codemod in INDEX}
    return tuple(listed[name] if name in listed else load_rule(name) for name in ORDER)


def load_all() -> tuple[Codemod, ...]:
    """All codemods of the pack, in running order, as their modules define them."""
    return tuple(load_rule(name) for name in ORDER)


def load_rule(name: str) -> Codemod:
    """A codemod as its module defines it."""
    codemod: Codemod = import_module(f"{__name__}.{name.replace('-', '_')}").CODEMOD
    return codemod
