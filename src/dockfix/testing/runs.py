"""Runs a codemod alone on a golden case. All that the test kit asks of the engine is asked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dockfix.codemod.changeset import Judged, Mode, Settled, judge, settle
from dockfix.codemod.difftext import unified_diff
from dockfix.codemod.engine import Defect
from dockfix.codemod.model import Advice, Codemod, Finding, Fix, Found, Refusal, Safety
from dockfix.codemod.workspace import Workspace
from dockfix.project.files import read_file
from dockfix.project.imagelock import read_image_lock
from dockfix.project.target import BuildOptions, is_project_file_name, load_project
from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM, decode, encode
from dockfix.syntax.tree import Dockerfile, Instruction
from dockfix.testing.cases import Case, scratch_folder
from dockfix.testing.document import CaseError, Kind
from dockfix.testing.variants import Variant, transform


@dataclass(frozen=True)
class FileResult:
    """The result for one file of a case: a Dockerfile, or another file that has findings or changes.

    `before` is `None` for a file that the codemod creates.
    """

    path: str
    before: str | None
    after: str
    found: tuple[Found, ...]
    defects: tuple[Defect, ...]

    @property
    def diff(self) -> str:
        """The unified diff of the file."""
        return unified_diff(self.before, self.after, self.path)


@dataclass(frozen=True)
class CaseResult:
    """What a codemod, alone, does with a case in one variant; the files in the order of their paths."""

    case: Case
    variant: Variant
    files: tuple[FileResult, ...]
    complaints: tuple[str, ...]
    """What is wrong whatever is expected: defects, lost text, a second run that finds more to do."""

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


def describe(found: Found, path: str) -> str:
    """A finding as a golden file has it: a line, and an indented line for each part besides the message."""
    finding = found.finding
    kind = f"{finding.safety.value} fix" if isinstance(finding, Fix) else type(finding).__name__.lower()
    message, *parts = _texts(finding)
    lines = [f"{path}:{found.line}:{found.column} {found.severity.value}, {kind}: {message}", *parts]
    return "".join(f"{line}\n" for line in lines)


def _texts(finding: Finding) -> list[str]:
    """The message of a finding, and each other part that it has as its line in a golden file."""
    match finding:
        case Fix():
            parts = {"help": finding.why, "review": finding.look_at}
        case Refusal():
            parts = {"note": finding.reason}
        case Advice():
            parts = {}
    return [finding.message, *(f"  {name}: {text}" for name, text in parts.items() if text)]


def gist(found: Found, path: str, shift: int) -> str:
    """What a finding says without its texts, `shift` lines further down."""
    kind = found.finding.safety.value if isinstance(found.finding, Fix) else ""
    place = f"{path}:{found.line + shift}:{found.column}"
    return f"{place} {found.severity.value} {type(found.finding).__name__} {kind}\n"


def run_case(case: Case, codemod: Codemod, variant: Variant = Variant.PLAIN) -> CaseResult:
    """Run a codemod alone on a copy of a case's project.

    Raises:
        CaseError: a Dockerfile of the case is not one that BuildKit takes.
    """
    with scratch_folder() as scratch:
        root = scratch / "project"  # compose names images by the folder
        write_variant(case, variant, root)
        files, complaints = _run_workspace(case, codemod, _workspace(case, root))
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


def _workspace(case: Case, root: Path) -> Workspace:
    project = load_project(root, use_project=case.options.use_project)
    if project.problems:
        raise CaseError(f"{case}: {project.problems[0].path}: {project.problems[0].message}")
    files = tuple(read_file(path, root=root) for path in (root / name for name in case.dockerfiles))
    options = case.options
    builds = BuildOptions(
        context=options.context,
        build_contexts=options.build_contexts or {},
        use_project=options.use_project,
        uid_map=options.uid_map or {},
        image_lock=read_image_lock(root / options.image_lock, root) if options.image_lock is not None else {},
        recommended_env=options.recommended_env,
    )
    workspace = Workspace(project, files, builds)
    for target in workspace.targets:
        if target.dockerfile.problems:
            problem = target.dockerfile.problems[0]
            raise CaseError(f"{case}: {target.display}:{problem.line} {problem.message}")
    return workspace


def _settled(workspace: Workspace, codemod: Codemod, mode: Mode) -> Settled:
    judged = [
        judge(target, file, [codemod], mode) for target, file in zip(workspace.targets, workspace.files, strict=True)
    ]
    return settle(workspace, judged, [codemod], mode)


def _run_workspace(case: Case, codemod: Codemod, workspace: Workspace) -> tuple[list[FileResult], list[str]]:
    unsafe = case.options.unsafe
    looked = _settled(workspace, codemod, Mode(fix=False))
    done = _settled(workspace, codemod, Mode(unsafe=unsafe))
    complaints = [*_defects("looking", looked), *_defects("fixing", done)]
    if _applies_unsafe(done):
        # what people get who did not ask for unsafe fixes must be as sound; without such a fix it is the same run
        alone = _settled(workspace, codemod, Mode())
        complaints += _defects("applying safe fixes alone", alone)
        for file in alone.files:
            complaints += _unsound(f"the safe fixes of {_name(workspace, file.file.real)} alone", file)
    for file in done.files:
        name = _name(workspace, file.file.real)
        if encode(file.file.text) != file.file.data:
            complaints.append(f"{name}: reading and encoding gives other bytes than the file has")
        complaints += _unsound(f"the result of {name}", file)
    if any(_changes(done)):
        again = _settled(done.workspace, codemod, Mode(unsafe=unsafe))
        complaints += _defects("running a second time", again)
        for name, before, after in _changes(again):
            complaints.append(f"{name}: a second run changes the result again:\n{unified_diff(before, after, name)}")
    results = _file_results(looked, done)
    if any("\n" in text for result in results for each in result.found for text in _texts(each.finding)):
        complaints.append("a message is more than one line")
    return results, complaints


def _file_results(looked: Settled, done: Settled) -> list[FileResult]:
    """Each Dockerfile, and each other file of note, with what was found in it as it stands and what became of it."""
    workspace = done.workspace
    found = {each.file.real: each.remaining for each in looked.files} | {
        each.path: each.remaining for each in looked.others
    }
    results = [
        FileResult(_name(workspace, each.file.real), each.file.text, each.text, found[each.file.real], each.defects)
        for each in done.files
    ]
    made = {each.path: (each.before, each.after) for each in done.others}
    for other in looked.others:
        made.setdefault(other.path, (other.before, other.after))
    results += [
        FileResult(_name(workspace, path), before, after, found.get(path, ()), ())
        for path, (before, after) in made.items()
    ]
    return sorted(results, key=lambda each: each.path)


def _changes(settled: Settled) -> Iterator[tuple[str, str | None, str]]:
    """The files that a run from the texts of a run before has changed."""
    before = settled.workspace
    for file in settled.files:
        if file.applied:
            yield _name(before, file.file.real), file.file.text, file.text
    for other in settled.others:
        if other.applied:
            yield _name(before, other.path), other.before, other.after


def _applies_unsafe(settled: Settled) -> bool:
    applied = [each.applied for each in settled.files] + [each.applied for each in settled.others]
    fixes = [found.finding for each in applied for found in each]
    return any(isinstance(fix, Fix) and fix.safety is Safety.UNSAFE for fix in fixes)


def _name(workspace: Workspace, path: Path) -> str:
    return path.relative_to(workspace.project.root).as_posix()


def _defects(when: str, settled: Settled) -> list[str]:
    own = [_defect(when, defect) for file in settled.files for defect in file.defects]
    return own + [_defect(when, defect) for defect in settled.defects]


def _defect(when: str, defect: Defect) -> str:
    return f"defect of {defect.rule} when {when} ({defect.gate}): {defect.message}"


def _unsound(what: str, file: Judged) -> list[str]:
    """What is wrong with a text that a codemod made, without asking the gates."""
    before, after = file.file.text, file.text
    tree = parse(after)
    complaints = [] if _tiles(tree) else [f"the tree of {what} forgets some of its text"]
    old = Counter(problem.message for problem in parse(before).problems)
    new = Counter(problem.message for problem in tree.problems)
    return complaints + [f"{what} does not parse: {message}" for message in new - old]


def _tiles(dockerfile: Dockerfile) -> bool:
    """Whether nothing but white space and a byte order mark stands between the nodes of a tree, in order."""
    at = 0
    for node in dockerfile.nodes:
        start, end = node.lines if isinstance(node, Instruction) else node.span
        if start < at or dockerfile.text[at:start].strip(f"{BOM} \t\r\n"):
            return False
        at = end
    return not dockerfile.text[at:].strip(f"{BOM} \t\r\n")
