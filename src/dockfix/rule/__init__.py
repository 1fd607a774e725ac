"""What a codemod consists of. A pack begins with `from dockfix.rule import Codemod, Fix, ...`.

- `model`: `Codemod`, its findings (`Fix`, `Refusal`, `Advice`) and their parts.
- `promise`: `Promise`, what a rule promises of the image.
- `promise_page`: the section of a rule's page on its promise.
- `lazy`: functions and classes that are imported when they are first used.
- `options`: the options of a rule, declared as a dataclass and read from the configuration.
- `reference`: the JSON schema and the reference page of the configuration.
- `workspace`: all files of a run at one moment, for rules that check a whole project.
- `suppression`: comments that suppress rules.
- `peer_comments`: those of hadolint and BuildKit.
- `peers`: the codes of hadolint and BuildKit, and why no rule answers some of them.
- `naming`: the names of rules: their own, and the codes of hadolint and BuildKit that they answer.
- `migration`: the configuration of hadolint as one of dockfix.
- `registry`: the installed packs.
- `distributions`: the entry points of packs, found without `importlib.metadata` where possible.
- `pack_index`: the index of a pack, so that a run imports only the rules that may apply.
- `scaffold`: new packs and new rules for `dockfix new`.
- `templates`: the files that `scaffold` writes.
"""

from __future__ import annotations

from dockfix.edit.text import Change, Edit, EditError, apply_edits, conflict
from dockfix.rule.lazy import LazyClass, LazyFunction
from dockfix.rule.model import (
    OTHER_FILES,
    Advice,
    Category,
    Check,
    CheckProject,
    Codemod,
    Diagnostic,
    Effect,
    Finding,
    Fix,
    InOnbuild,
    Preset,
    Refusal,
    Requires,
    Safety,
    Severity,
)
from dockfix.rule.promise import Claim, Packages, Part, Promise

__all__ = [
    "OTHER_FILES", "Advice", "Category", "Change", "Check", "CheckProject", "Claim", "Codemod", "Diagnostic",
    "Edit", "EditError", "Effect", "Finding", "Fix", "InOnbuild", "LazyClass", "LazyFunction", "Packages", "Part",
    "Preset", "Promise", "Refusal", "Requires", "Safety", "Severity", "apply_edits", "conflict",
]  # fmt: skip
