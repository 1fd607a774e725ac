"""READMEs that an install of the project reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Refusal, Severity
from dockfix.syntax.tree import Copy, Run, Word
from dockfix_codemods.copy_order.file_use import file_use
from dockfix_codemods.copy_order.reorder import is_plain


def readme_refusals(target: Target, stage: Stage) -> Iterator[Refusal]:
    """The copied READMEs that look independent of the next install but are read by it."""
    copied: list[Word] = []
    for node in stage.instructions:
        if isinstance(node, Copy) and is_plain(node):
            copied += [word for word in node.sources if posixpath.basename(word.text).lower().startswith("readme")]
        elif isinstance(node, Run) and copied:
            from dockfix.project.installs import builds_project  # noqa: PLC0415 - loads what most files do not need

            if any(builds_project(command) for command, _ in file_use(target.facts, node).projects):
                message = f"a change to `{copied[-1].text}` reruns the install on line {node.start_line}"
                yield Refusal(copied[-1].span, message, _note(target, copied[-1].text), Severity.INFO)
            copied.clear()


def _note(target: Target, name: str) -> str:
    """Why the README must be there before the install."""
    from dockfix.project.manifests import pyproject_facts  # noqa: PLC0415 - loads tomllib

    text = target.context.read_text("pyproject.toml") if target.context else None
    facts = pyproject_facts(text) if text is not None else None
    if facts is not None and facts.readme == name:
        return f'`pyproject.toml` has `readme = "{name}"`, and the install builds the project, which reads it'
    return "the install builds the project, which may read it (`readme` in `pyproject.toml`)"
