"""dockfix fixes Dockerfiles with small, lossless, checked edits.

This module is the library: what `dockfix apply` and `dockfix check` do, as typed functions that return plain values.

    >>> import dockfix
    >>> result = dockfix.fix_text("FROM alpine:3.20\\nRUN apk update && apk add curl\\n")
    >>> print(result.text)
    FROM alpine:3.20
    RUN apk add --no-cache curl
    <BLANKLINE>

- `check` and `fix` work on files and folders, `check_text` and `fix_text` on a text; `to_json` writes a result as JSON.
- `accept` makes a baseline of a result; `not_accepted` and `changed_since` leave findings out of one.
- `Settings` says what a run does; `load_settings` reads it from a project's configuration file.
- `parse` returns the lossless tree of a Dockerfile; `dockfix.interop` connects it with dockerfile-parse.
- `rules` lists the installed rules. `dockfix.rule` and `dockfix.testing` are for packs of your own.

Names are imported when they are first used: `import dockfix` loads no other module.
"""

from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than this module; type checkers know the name
if TYPE_CHECKING:
    from dockfix.edit.text import Change, Edit
    from dockfix.engine.baseline import Baseline
    from dockfix.engine.results import Defect, FileResult, RunResult
    from dockfix.engine.settings import Settings
    from dockfix.git import GitError
    from dockfix.library import (
        accept,
        changed_since,
        check,
        check_text,
        fix,
        fix_text,
        load_settings,
        not_accepted,
        parse,
        read_baseline,
        rules,
        to_json,
    )
    from dockfix.project.problems import InputError, InputProblem
    from dockfix.rule.model import (
        Advice,
        Category,
        Codemod,
        Diagnostic,
        Finding,
        Fix,
        Preset,
        Refusal,
        Safety,
        Severity,
    )
    from dockfix.rule.registry import RegistryError, UnknownRuleError
    from dockfix.syntax.tree import Dockerfile

    __version__: str

__all__ = [
    "Advice", "Baseline", "Category", "Change", "Codemod", "Defect", "Diagnostic", "Dockerfile", "Edit", "FileResult",
    "Finding", "Fix", "GitError", "InputError", "InputProblem", "Preset", "Refusal", "RegistryError", "RunResult",
    "Safety", "Settings", "Severity", "UnknownRuleError", "__version__", "accept", "changed_since", "check",
    "check_text", "fix", "fix_text", "load_settings", "not_accepted", "parse", "read_baseline", "rules", "to_json",
]  # fmt: skip

_HOMES = {
    "dockfix.edit.text": ("Change", "Edit"),
    "dockfix.engine.baseline": ("Baseline",),
    "dockfix.engine.results": ("Defect", "FileResult", "RunResult"),
    "dockfix.engine.settings": ("Settings",),
    "dockfix.git": ("GitError",),
    "dockfix.library": (
        "accept", "changed_since", "check", "check_text", "fix", "fix_text", "load_settings", "not_accepted", "parse",
        "read_baseline", "rules", "to_json",
    ),
    "dockfix.project.problems": ("InputError", "InputProblem"),
    "dockfix.rule.model": (
        "Advice", "Category", "Codemod", "Diagnostic", "Finding", "Fix", "Preset", "Refusal", "Safety", "Severity",
    ),
    "dockfix.rule.registry": ("RegistryError", "UnknownRuleError"),
    "dockfix.syntax.tree": ("Dockerfile",),
}  # fmt: skip


def _written_version() -> str:
    try:
        version = import_module("dockfix._version").__version__
    except ModuleNotFoundError:  # a source tree that was never built or installed
        return "0.1.0.dev0"
    return str(version)


if not TYPE_CHECKING:  # a type checker has the names above, and reports others

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return globals().setdefault(name, _written_version())
        for module, names in _HOMES.items():
            if name in names:
                found = globals()[name] = getattr(import_module(module), name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
