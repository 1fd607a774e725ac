"""The pytest plug-in: collects golden files, and rewrites their expectations on request.

pytest loads this module in every project that has dockfix installed, so it imports other modules of dockfix only for a
golden file, and adds its option only in projects with golden files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dockfix.rule.model import Codemod
    from dockfix.testing.cases import Case
    from dockfix.testing.checks import Results
    from dockfix.testing.variants import Variant

FOLDER = "golden"
OPTION = "--update-golden"
REWRITTEN = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden[=create|=empty]` where there are golden files, or another project's option would clash."""
    here = Path.cwd()
    if any(next((folder / FOLDER).glob("*.md"), None) for folder in (here, *here.parents)) or here.name == FOLDER:
        parser.getgroup("dockfix").addoption(
            OPTION,
            nargs="?",
            const="existing",
            default="no",
            choices=["no", "existing", "create", "empty"],
            help="rewrite the expectations of golden cases; `=create` also adds missing ones, `=empty` also removes "
            "empty ones",
        )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to rewrite a file from several processes."""
    config.stash[REWRITTEN] = []
    if config.getoption(OPTION, "no") != "no" and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(f"{OPTION} needs one process: leave out -n")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect `golden/*.md`."""
    if file_path.suffix != ".md" or file_path.parent.name != FOLDER:
        return None
    from dockfix.testing.document import looks_like_cases  # noqa: PLC0415 - see the module's docstring

    if not looks_like_cases(file_path.read_text(encoding="utf-8", errors="replace")):
        return None
    collected: GoldenFile = GoldenFile.from_parent(parent, path=file_path)
    return collected


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell each golden file which of its tests are selected."""
    for item in session.items:
        if isinstance(item, CaseItem):
            item.golden.selected.append((item.case, item.variant))
        elif isinstance(item, DiffsItem):
            item.golden.tools.append(item.name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the cases whose expectations were rewritten."""
    for line in config.stash[REWRITTEN]:
        terminalreporter.write_line(f"rewrote {line}")


class GoldenFile(pytest.File):
    """A golden file, and the results of its cases so far."""

    def __init__(self, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type] # pytest's constructors take whatever a node needs
        self.selected: list[tuple[Case, Variant]] = []
        self.tools: list[str] = []
        self.results: Results = {}
        self._codemod: Codemod | None = None

    @property
    def codemod(self) -> Codemod:
        """The codemod of the file's rule, from any installed pack."""
        if self._codemod is None:
            from dockfix.rule.registry import load_registry  # noqa: PLC0415 - see the module's docstring

            self._codemod = load_registry().get(self.path.stem)
        return self._codemod

    def skip_without_programs(self) -> None:
        """Skip the test if a program that the file names is not installed."""
        from dockfix.testing.checks import missing_program  # noqa: PLC0415 - see the module's docstring

        program = missing_program(self.path)
        if program is not None:
            pytest.skip(f"the program {program!r} is not installed")

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each case and variant, and one for each program that must apply the diffs."""
        from dockfix.testing.cases import load_cases  # noqa: PLC0415 - see the module's docstring
        from dockfix.testing.checks import PATCH_TOOLS  # noqa: PLC0415
        from dockfix.testing.document import CaseError  # noqa: PLC0415

        try:
            tests = [(case, variant) for case in load_cases(self.path) for variant in case.variants]
        except CaseError as error:
            raise self.CollectError(str(error)) from error
        for case, variant in tests:
            item: CaseItem = CaseItem.from_parent(self, name=f"{case.name}[{variant}]", case=case, variant=variant)
            yield self._grouped(item)
        for tool in PATCH_TOOLS:
            diffs: DiffsItem = DiffsItem.from_parent(self, name=tool)
            yield self._grouped(diffs)

    def _grouped(self, item: pytest.Item) -> pytest.Item:
        """Keep the tests of a file in one process of pytest-xdist (`--dist loadgroup`), which remembers the results."""
        if self.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(self.path.stem))
        return item


class _Item(pytest.Item):
    @property
    def golden(self) -> GoldenFile:
        """The golden file of the test."""
        assert isinstance(self.parent, GoldenFile)  # noqa: S101 - nothing else makes these items
        return self.parent

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any, **options: Any) -> Any:
        """Only the message if the case fails; a traceback if the codemod or the kit does."""
        from dockfix.testing.document import CaseError  # noqa: PLC0415 - see the module's docstring

        if isinstance(excinfo.value, AssertionError | CaseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *arguments, **options)


class CaseItem(_Item):
    """A case in a variant."""

    def __init__(self, *, case: Case, variant: Variant, **arguments: object) -> None:
        super().__init__(**arguments)  # type: ignore[arg-type] # as above
        self.case, self.variant = case, variant

    def runtest(self) -> None:
        """Run the case; its diff is applied here unless a test of all diffs follows."""
        from dockfix.testing.checks import PATCH_TOOLS, Update, check_case  # noqa: PLC0415 - see the docstring

        golden = self.golden
        golden.skip_without_programs()
        written = check_case(
            self.case,
            golden.codemod,
            self.variant,
            update=Update(self.config.getoption(OPTION, "no")),
            patch_tools=[tool for tool in PATCH_TOOLS if f"diffs[{tool}]" not in golden.tools],
            results=golden.results,
        )
        if written:
            self.config.stash[REWRITTEN].append(f"{golden.path}:{self.case.line}: {self.case.name}")

    def reportinfo(self) -> tuple[Path, int, str]:
        """The heading of the case."""
        return self.golden.path, self.case.line - 1, self.name


class DiffsItem(_Item):
    """All diffs of the selected cases of a file, applied by a program at once."""

    def __init__(self, *, name: str, **arguments: object) -> None:
        super().__init__(name=f"diffs[{name}]", **arguments)  # type: ignore[arg-type] # as above
        self.tool = name

    def runtest(self) -> None:
        """Apply the diffs."""
        from dockfix.testing.checks import check_patches, result_of  # noqa: PLC0415 - see the module's docstring

        golden = self.golden
        golden.skip_without_programs()
        results = [result_of(case, golden.codemod, variant, golden.results) for case, variant in golden.selected]
        check_patches(results, self.tool)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file as a whole."""
        return self.golden.path, 0, self.name
