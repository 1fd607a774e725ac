"""The report on the example project, as the documentation shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Settings
from dockfix.report.collect import report_of
from dockfix.report.html import report_html
from dockfix.report.markdown import report_markdown
from dockfix.rule.registry import load_registry

_VERSION: Final = "(from source)"
"""In place of the version, which changes with every commit."""


def example_report(root: Path) -> dict[Path, str]:
    """The files of the report, by path.

    Args:
        root: the root of the repository.
    """
    project = root / "examples" / "audit"
    registry, settings = load_registry(), Settings()
    found = check_paths((project,), settings, root=project, registry=registry)
    fixed = run_paths((project,), settings, root=project, registry=registry, write=False)
    report = report_of([found], [fixed], registry, [rule.name for rule in registry.select()])
    report = replace(report, dockfix=_VERSION)
    docs = root / "docs"
    return {docs / "example-report.md": report_markdown(report), docs / "example-report.html": report_html(report)}
