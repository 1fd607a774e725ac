"""Runs a single codemod on a golden case. The only module of the test kit that calls the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from dockfix.engine import results
from dockfix.engine.difftext import unified_diff
from dockfix.engine.project import run_project
from dockfix.engine.results import Defect, RunResult
from dockfix.engine.settings import Mode
from dockfix.project.files import read_file
from dockfix.project.policy import Policy
from dockfix.project.problems import InputError
from dockfix.project.target import BuildOptions, is_project_file_name, load_project
from dockfix.rule.model import Advice, Codemod, Diagnostic, Finding, Fix, Refusal, Safety
from dockfix.rule.options import OptionError, RuleOptions, configured
from dockfix.rule.workspace import Workspace
from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM, decode, encode
from dockfix.syntax.tree import Dockerfile, Instruction
from dockfix.testing.cases import Case, scratch_folder
from dockfix.testing.document import CaseError, Kind
from dockfix.testing.variants import Variant, transform


class FileResult(Struct, frozen=True):
    """The result for one file of a case: a Dockerfile, or another file that has findings or changes.

    `before` is `None` for a file that the codemod creates.
    """

    path: str
    before: str | None
    after: str
    found: tuple[Diagnostic, ...]
    defects: tuple[Defect, ...]

    @property
    def diff(self) -> str:
        """The unified diff of the file."""
        return unified_diff(self.before, self.after, self.path)


class CaseResult(Struct, frozen=True, dict=True):
    """The result of a single codemod on a case in one variant; the files in the order of their paths."""

    case: Case
    variant: Variant
    files: tuple[FileResult, ...]
    complaints: tuple[str, ...]
    """Complaints that do not depend on the expectations: defects, lost text, a second run that changes more."""

    @cached_property
    def diff(self) -> str:
        """The unified diff over the project."""
        return "".join(file.diff for file in self.files)

    @cached_property
    def findings(self) -> str:
        """The findings as a golden file has them."""
        return "".join(describe(found, file.path) for file in self.files for found in file.found)

    @property
    def kind(self) -> Kind:
        """What the codemod does in the case."""
        found = [each.finding for file in self.files for each in file.found]
        if self.diff:
            return Kind.FIX
        if any(isinstance(each, Refusal) for each in found):
            return Kind.REFUSE
        return Kind.ADVISE if any(isinstance(each, Advice) for each in found) else Kind.KEEP


def describe(found: Diagnostic, path: str) -> str:
    """A finding as in a golden file: a line, and an indented line for each part other than the message."""
    finding = found.finding
    kind = f"{finding.safety.value} fix" if isinstance(finding, Fix) else type(finding).__name__.lower()
    message, *parts = _texts(finding)
    lines = [f"{path}:{found.line}:{found.column} {found.severity.value}, {kind}: {message}", *parts]
    return "".join(f"{line}\n" for line in lines)


def _texts(finding: Finding) -> list[str]:
    """The message of a finding, and its other parts as lines of a golden file."""
    match finding:
        case Fix():
            parts = {"help": finding.help, "review": finding.review}
        case Refusal():
            parts = {"note": finding.note}
        case Advice():
            parts = {"help": finding.help}
    return [finding.message, *(f"  {name}: {text}" for name, text in parts.items() if text)]


def gist(found: Diagnostic, path: str, shift: int) -> str:
    """A finding without its texts, `shift` lines further down."""
    kind = found.finding.safety.value if isinstance(found.finding, Fix) else ""
    place = f"{path}:{found.line + shift}:{found.column}"
    return f"{place} {found.severity.value} {type(found.finding).__name__} {kind}\n"


def run_case(case: Case, codemod: Codemod, variant: Variant = Variant.PLAIN) -> CaseResult:
    """Run a single codemod on a copy of a case's project.

    Raises:
        CaseError: BuildKit would reject a Dockerfile of the case, or the options are invalid.
    """
    with scratch_folder() as scratch:
        root = scratch / "project"  # compose names images by the folder
        write_variant(case, variant, root)
        files, complaints = _run_workspace(case, codemod, _workspace(case, codemod, root))
    return CaseResult(case, variant, tuple(files), tuple(complaints))


def write_variant(case: Case, variant: Variant, root: Path) -> None:
    """Write the input files of a case, its Dockerfiles in a variant, into a folder."""
    case.write(root)
    if variant is Variant.PLAIN:
        return
    for name in case.dockerfiles:
        path = root / name
        path.write_bytes(encode(transform(decode(path.read_bytes()), variant)))
    if variant is Variant.CRLF:
        for name, file in case.files.items():
            if is_project_file_name(Path(name).name) and not file.symlink and b"\r" not in file.data:
                (root / name).write_bytes(file.data.replace(b"\n", b"\r\n"))


def _workspace(case: Case, codemod: Codemod, root: Path) -> Workspace:
    project = load_project(root, use_project=case.options.use_project)
    if project.problems:
        raise CaseError(f"{case}: {project.problems[0].path}: {project.problems[0].message}")
    files = tuple(read_file(path, root=root) for path in (root / name for name in case.dockerfiles))
    options = case.options
    builds = BuildOptions(
        context=options.context,
        build_contexts=options.build_contexts or {},
        use_project=options.use_project,
        rule_options=_rule_options(case, codemod, root),
        policy=Policy(named=frozenset({codemod.name})),  # as a run with `--rule` has it
    )
    workspace = Workspace(project, files, builds)
    for target in workspace.targets:
        if target.dockerfile.problems:
            problem = target.dockerfile.problems[0]
            raise CaseError(f"{case}: {target.display}:{problem.line} {problem.message}")
    return workspace


def _rule_options(case: Case, codemod: Codemod, root: Path) -> RuleOptions:
    try:
        return configured(case.options.rules, [(codemod.name, codemod.options)], root)
    except OptionError as error:
        raise CaseError(f"{case}: {error.place} {error.message}") from error
    except InputError as error:
        raise CaseError(f"{case}: {error}") from error


def _run_workspace(case: Case, codemod: Codemod, workspace: Workspace) -> tuple[list[FileResult], list[str]]:
    unsafe = case.options.unsafe
    checked = run_project(workspace, [codemod], Mode(fix=False))
    done = run_project(workspace, [codemod], Mode(unsafe=unsafe))
    complaints = [*_defects("checking", checked), *_defects("fixing", done)]
    if _applies_unsafe(done):
        # without unsafe fixes the result must be sound too; if there are none, it is the same run
        alone = run_project(workspace, [codemod], Mode())
        complaints += _defects("applying safe fixes alone", alone)
        for file in alone.dockerfiles:
            complaints += _unsound(f"the safe fixes of {file.display} alone", file)
    for file, read in zip(done.dockerfiles, workspace.files, strict=True):
        if encode(read.text) != read.data:
            complaints.append(f"{file.display}: decoding and encoding do not return the bytes of the file")
        complaints += _unsound(f"the result of {file.display}", file)
    if any(_changes(done)):
        again = run_project(done.workspace, [codemod], Mode(unsafe=unsafe))
        complaints += _defects("running a second time", again)
        for name, before, after in _changes(again):
            complaints.append(f"{name}: a second run changes the result again:\n{unified_diff(before, after, name)}")
    files = _file_results(checked, done)
    if any("\n" in text for result in files for each in result.found for text in _texts(each.finding)):
        complaints.append("a message is more than one line")
    return files, complaints


def _file_results(checked: RunResult, done: RunResult) -> list[FileResult]:
    """Each Dockerfile, and each other file with findings or changes, with its findings and its new text."""
    found = {each.real: each.remaining for each in checked.files}
    became = {each.real: each for each in (*checked.others, *done.files)}
    files = [
        FileResult(each.display, None if each.created else each.before, each.text, found.get(path, ()), each.defects)
        for path, each in became.items()
    ]
    return sorted(files, key=lambda each: each.path)


def _changes(run: RunResult) -> Iterator[tuple[str, str | None, str]]:
    """The files that a second run has changed."""
    for file in run.files:
        if file.applied:
            yield file.display, None if file.created else file.before, file.text


def _applies_unsafe(run: RunResult) -> bool:
    fixes = [found.finding for file in run.files for found in file.applied]
    return any(isinstance(fix, Fix) and fix.safety is Safety.UNSAFE for fix in fixes)


def _defects(when: str, run: RunResult) -> list[str]:
    return [_defect(when, defect) for _, defect in run.defects]


def _defect(when: str, defect: Defect) -> str:
    return f"defect of {defect.rule} when {when} ({defect.gate}): {defect.message}"


def _unsound(what: str, file: results.FileResult) -> list[str]:
    """Complaints about a text that a codemod has changed, without the gates."""
    before, after = file.before, file.text
    tree = parse(after)
    complaints = [] if _tiles(tree) else [f"the tree of {what} loses some of its text"]
    old = Counter(problem.message for problem in parse(before).problems)
    new = Counter(problem.message for problem in tree.problems)
    return complaints + [f"{what} does not parse: {message}" for message in new - old]


def _tiles(dockerfile: Dockerfile) -> bool:
    """Whether there is only white space and a byte order mark between the nodes of a tree, in order."""
    at = 0
    for node in dockerfile.nodes:
        start, end = node.lines if isinstance(node, Instruction) else node.span
        if start < at or dockerfile.text[at:start].strip(f"{BOM} \t\r\n"):
            return False
        at = end
    return not dockerfile.text[at:].strip(f"{BOM} \t\r\n")
