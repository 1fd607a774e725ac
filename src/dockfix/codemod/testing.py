"""Golden tests of codemods, for the built-in pack and for anybody's.

A case is a folder `golden/<rule>/<case>/` with:

- `before/`: a small project: a Dockerfile (or several), and whatever the case needs beside it;
- `expected.diff`: the unified diff over the project, compose, bake and ignore files and new files included; there is
  none if the codemod must change nothing;
- `expected.txt`: the findings on the text as it stands in `before/`, one a line, in order; there is none (or an empty
  one) if the codemod must find nothing::

      fix safe Dockerfile:12 message
      fix unsafe Dockerfile:12 message -- look at: what to look at
      refusal Dockerfile:3 message: reason
      advice Dockerfile:3 message

- `options.yaml`, if any: `unsafe` (default true: a golden shows all fixes), `context` (a folder of `before/`),
  `build-contexts` (a mapping of names), `uid-map` (a mapping of users and uids), `image-lock` (a file of `before/`),
  `recommended-env` (as in a configuration), `use-project` (default true: compose and bake files are read), `variants`
  (a mapping of the variants' names to false, for those that the case cannot have) and `why` (the reason, needed with
  `variants`).

A case is run as it stands and in the variants that fit it (`Variant`): the same file with other line ends, a byte order
mark, another escape character or no final line end must be mended in the same way. In a pack's own tests::

    CASES = load_cases(Path("golden"))

    @pytest.mark.parametrize(("case", "variant"), [(c, v) for c in CASES for v in c.variants], ids=str)
    def test_golden(case: Case, variant: Variant) -> None:
        check_case(case, CODEMODS[case.rule], variant)
"""

from __future__ import annotations

import enum
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from dockfix.codemod.difftext import unified_diff
from dockfix.codemod.model import Advice, Codemod, Diagnostic, Fix, Refusal, Safety
from dockfix.codemod.workspace import Workspace
from dockfix.engine import results
from dockfix.engine.project import run_project
from dockfix.engine.results import Defect, RunResult
from dockfix.engine.settings import Mode
from dockfix.project.discovery import discover, is_dockerfile_name
from dockfix.project.files import read_file
from dockfix.project.imagelock import read_image_lock
from dockfix.project.target import BuildOptions, is_project_file_name, load_project
from dockfix.syntax.parser import parse
from dockfix.syntax.source import BOM, decode, encode
from dockfix.syntax.tree import Cmd, Dockerfile, Entrypoint, Healthcheck, Instruction, Onbuild, Run

PATCH_TOOLS: Final = ("git", "patch")
"""The programs that must take every expected diff."""


class CaseError(Exception):
    """A case that is not made as a case must be, or a tool that it needs and that is not installed."""


class Variant(enum.Enum):
    """The ways in which a case is written before it is run."""

    PLAIN = "plain"
    """As it stands."""
    CRLF = "crlf"
    """With `\\r\\n`, but for the bodies of heredocs, where the `\\r` would become a part of the script."""
    BOM = "bom"
    """With a byte order mark."""
    NO_FINAL_NEWLINE = "no-final-newline"
    """Without the line end of the last line."""
    BACKTICK = "backtick"
    """With `` # escape=` `` at the top, and all continuations written so."""

    def __str__(self) -> str:
        return self.value


class Update(enum.Enum):
    """What may be done to expected files that do not fit."""

    NO = "no"
    """Nothing: that is a failure."""
    EXISTING = "existing"
    """Rewrite those that exist, with something in them, and go on having something in them."""
    CREATE = "create"
    """Also make those that are missing."""
    EMPTY = "empty"
    """Also take away those of which nothing would be left."""


@dataclass(frozen=True)
class Options:
    """The `options.yaml` of a case."""

    unsafe: bool = True
    context: Path | None = None
    build_contexts: Mapping[str, str] | None = None
    use_project: bool = True
    uid_map: Mapping[str, int] | None = None
    recommended_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skipped: frozenset[Variant] = frozenset()
    image_lock: Path | None = None


@dataclass(frozen=True)
class Case:
    """A golden case. `folder` is `<golden root>/<rule>/<name>`."""

    rule: str
    name: str
    folder: Path
    options: Options

    def __str__(self) -> str:
        return f"{self.rule}/{self.name}"

    @property
    def before(self) -> Path:
        """The project that the case runs on."""
        return self.folder / "before"

    @property
    def diff_file(self) -> Path:
        """Where the expected diff stands, if the case changes anything."""
        return self.folder / "expected.diff"

    @property
    def findings_file(self) -> Path:
        """Where the expected findings stand, if the case has any."""
        return self.folder / "expected.txt"

    @cached_property
    def expected_diff(self) -> str:
        """The expected diff; nothing if the case changes nothing.

        Raises:
            CaseError: the file is there and empty.
        """
        text = _read(self.diff_file)
        if text == "":
            raise CaseError(f"{self.diff_file} is empty; a case that changes nothing has no expected.diff")
        return text or ""

    @cached_property
    def expected_findings(self) -> str:
        """The expected findings, one a line."""
        return _read(self.findings_file) or ""

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What the case shows: `fix` (it changes something), `refusal`, `advice`, `no-op` (no fix and no refusal)."""
        lines = self.expected_findings.split("\n")
        kinds = {kind for kind in ("refusal", "advice") if any(line.startswith(f"{kind} ") for line in lines)}
        if self.diff_file.exists():
            kinds.add("fix")
        elif "refusal" not in kinds and not any(line.startswith("fix ") for line in lines):
            kinds.add("no-op")
        return frozenset(kinds)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The variants that the case can be run in, the plain one first."""
        texts = [decode(path.read_bytes()) for path in _dockerfiles(self.before)]
        return tuple(
            variant
            for variant in Variant
            if variant not in self.options.skipped and all(fits(text, variant) for text in texts)
        )


@dataclass(frozen=True)
class FileResult:
    """What became of one file of a case: a Dockerfile, or another that has findings or changes.

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


@dataclass(frozen=True)
class CaseResult:
    """What a codemod, alone, does with a case in one variant; the files in the order of their paths."""

    case: Case
    variant: Variant
    files: tuple[FileResult, ...]
    complaints: tuple[str, ...]
    """What is wrong whatever is expected: defects, lost text, a second run that finds more to do."""

    @property
    def diff(self) -> str:
        """The unified diff over the project."""
        return "".join(file.diff for file in self.files)

    @property
    def findings(self) -> str:
        """The findings as `expected.txt` has them."""
        return "".join(f"{describe(found, file.path)}\n" for file in self.files for found in file.found)


def load_cases(golden_root: Path) -> list[Case]:
    """The cases below a folder, in the order of their names.

    Raises:
        CaseError: a folder that is no case, or options that make no sense.
    """
    cases = []
    for rule in sorted(path for path in golden_root.iterdir() if path.is_dir()):
        for folder in sorted(path for path in rule.iterdir() if path.is_dir()):
            if not (folder / "before").is_dir():
                raise CaseError(f"{folder} has no folder before/")
            case = Case(rule.name, folder.name, folder, _options(folder / "options.yaml"))
            if not _dockerfiles(case.before):
                raise CaseError(f"{case.before} holds no Dockerfile")
            cases.append(case)
    return cases


def describe(found: Diagnostic, path: str) -> str:
    """A finding as a line of `expected.txt`."""
    place = f"{path}:{found.line}"
    match found.finding:
        case Fix() as fix:
            look = f" -- look at: {fix.look_at}" if fix.safety is Safety.UNSAFE else ""
            return f"fix {fix.safety.value} {place} {fix.message}{look}"
        case Refusal() as refusal:
            return f"refusal {place} {refusal.message}: {refusal.reason}"
        case Advice() as advice:
            return f"advice {place} {advice.message}"


def run_case(case: Case, codemod: Codemod, variant: Variant = Variant.PLAIN) -> CaseResult:
    """Run a codemod alone on a copy of a case's project.

    Raises:
        CaseError: a Dockerfile of the case is not one that BuildKit takes.
    """
    with tempfile.TemporaryDirectory(prefix="dockfix-") as temporary:
        root = Path(temporary).resolve() / "project"
        _write_variant(case, variant, root)
        workspace = _workspace(case, root)
        files, complaints = _run_workspace(case, codemod, workspace)
    return CaseResult(case, variant, tuple(files), tuple(complaints))


def check_case(
    case: Case,
    codemod: Codemod,
    variant: Variant = Variant.PLAIN,
    *,
    update: Update = Update.NO,
    patch_tools: Sequence[str] = PATCH_TOOLS,
) -> list[Path]:
    """Run a codemod alone on a case and hold the result to what is expected.

    Args:
        case: the case.
        codemod: the codemod of its rule.
        variant: how to write the case's Dockerfiles.
        update: what may be done to expected files that do not fit; heeded for the plain variant alone.
        patch_tools: the programs that must take the diff, of `PATCH_TOOLS`.

    Returns:
        The expected files that were written or taken away.

    Raises:
        AssertionError: the result is not as expected, or not sound.
        CaseError: the case is not made as it must be, or a tool is missing.
    """
    result = run_case(case, codemod, variant)
    if result.complaints:
        raise AssertionError(_report(result, "is not sound", "\n".join(result.complaints)))
    for tool in patch_tools:
        _check_patch(result, tool)
    if variant is Variant.PLAIN:
        touched = [
            *_settle(result, case.diff_file, result.diff, update),
            *_settle(result, case.findings_file, result.findings, update),
        ]
        return [path for path in touched if path]
    _check_variant(run_case(case, codemod), result)
    return []


def fits(text: str, variant: Variant) -> bool:
    """Whether a Dockerfile can be written in a variant and mean the same, and is not written so already."""
    match variant:
        case Variant.PLAIN:
            return True
        case Variant.CRLF:
            return "\r" not in text and "\n" in text
        case Variant.BOM:
            return not text.startswith(BOM)
        case Variant.NO_FINAL_NEWLINE:
            return text.endswith("\n")
        case Variant.BACKTICK:
            dockerfile = parse(text)
            return not (
                "`" in text
                or "escape" in dockerfile.directives
                or text.startswith((BOM, "#!"))
                or any(_escapes(node) for node in dockerfile.instructions)
            )


def transform(text: str, variant: Variant) -> str:
    """A Dockerfile written in a variant that fits it."""
    match variant:
        case Variant.PLAIN:
            return text
        case Variant.CRLF:
            return _with_crlf(text)
        case Variant.BOM:
            return BOM + text
        case Variant.NO_FINAL_NEWLINE:
            return text.rstrip("\r\n")
        case Variant.BACKTICK:
            return _with_backticks(text)


def _read(path: Path) -> str | None:
    return decode(path.read_bytes()) if path.exists() else None


def _dockerfiles(root: Path) -> list[Path]:
    found, problems = discover([root], root=root, respect_gitignore=False)
    if problems:
        raise CaseError(f"{problems[0].path}: {problems[0].message}")
    return sorted(each.path for each in found)


def _options(path: Path) -> Options:
    if not path.exists():
        return Options()
    from ruamel.yaml import YAML  # noqa: PLC0415 - most cases have no options
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        data = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise CaseError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise CaseError(f"{path}: must be a mapping")
    unknown = set(data) - {
        "unsafe", "context", "build-contexts", "image-lock", "recommended-env", "uid-map", "use-project", "variants",
        "why",
    }  # fmt: skip
    if unknown:
        raise CaseError(f"{path}: unknown keys: {', '.join(sorted(map(str, unknown)))}")
    unsafe, use_project = data.get("unsafe", True), data.get("use-project", True)
    lock = data.get("image-lock")
    if lock is not None and not isinstance(lock, str):
        raise CaseError(f"{path}: image-lock is a file")
    context, contexts, variants = data.get("context"), data.get("build-contexts", {}), data.get("variants", {})
    if not isinstance(unsafe, bool) or not isinstance(use_project, bool):
        raise CaseError(f"{path}: unsafe and use-project are true or false")
    if context is not None and not isinstance(context, str):
        raise CaseError(f"{path}: context is a folder")
    if not isinstance(contexts, dict) or not all(isinstance(value, str) for value in contexts.values()):
        raise CaseError(f"{path}: build-contexts maps names to references")
    uids = data.get("uid-map", {})
    if not isinstance(uids, dict) or not all(isinstance(uid, int) for uid in uids.values()):
        raise CaseError(f"{path}: uid-map maps users to uids")
    known = {variant.value: variant for variant in Variant if variant is not Variant.PLAIN}
    if not isinstance(variants, dict) or set(variants) - set(known) or any(variants.values()):
        raise CaseError(f"{path}: variants maps some of {', '.join(known)} to false")
    if variants and not str(data.get("why") or "").strip():
        raise CaseError(f"{path}: a case that does without a variant says why")
    return Options(
        unsafe=unsafe,
        context=Path(context) if context is not None else None,
        build_contexts={str(name): reference for name, reference in contexts.items()},
        recommended_env=data.get("recommended-env", {}),
        use_project=use_project,
        uid_map={str(name): uid for name, uid in uids.items()},
        skipped=frozenset(known[name] for name in variants),
        image_lock=Path(lock) if lock is not None else None,
    )


def _write_variant(case: Case, variant: Variant, root: Path) -> None:
    shutil.copytree(case.before, root, symlinks=True)
    if variant is Variant.PLAIN:
        return
    for path in _dockerfiles(root):
        path.write_bytes(encode(transform(decode(path.read_bytes()), variant)))
    if variant is Variant.CRLF:
        for path in root.rglob("*"):
            if is_project_file_name(path.name) and path.is_file() and b"\r" not in path.read_bytes():
                path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _workspace(case: Case, root: Path) -> Workspace:
    project = load_project(root, use_project=case.options.use_project)
    if project.problems:
        raise CaseError(f"{case}: {project.problems[0].path}: {project.problems[0].message}")
    files = tuple(read_file(path, root=root) for path in _dockerfiles(root))
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


def _run_workspace(case: Case, codemod: Codemod, workspace: Workspace) -> tuple[list[FileResult], list[str]]:
    unsafe = case.options.unsafe
    looked = run_project(workspace, [codemod], Mode(fix=False))
    done = run_project(workspace, [codemod], Mode(unsafe=unsafe))
    complaints = [*_defects("looking", looked), *_defects("fixing", done)]
    if unsafe:
        # what people get who did not ask for unsafe fixes must be as sound
        alone = run_project(workspace, [codemod], Mode())
        complaints += _defects("applying safe fixes alone", alone)
        for file in alone.dockerfiles:
            complaints += _unsound(f"the safe fixes of {file.display} alone", file)
    for file, read in zip(done.dockerfiles, workspace.files, strict=True):
        if encode(read.text) != read.data:
            complaints.append(f"{file.display}: reading and encoding gives other bytes than the file has")
        complaints += _unsound(f"the result of {file.display}", file)
    again = run_project(done.workspace, [codemod], Mode(unsafe=unsafe))
    complaints += _defects("running a second time", again)
    for name, before, after in _changes(again):
        complaints.append(f"{name}: a second run changes the result again:\n{unified_diff(before, after, name)}")
    files = _file_results(looked, done)
    if any("\n" in describe(each, result.path) for result in files for each in result.found):
        complaints.append("a message is more than one line")
    return files, complaints


def _file_results(looked: RunResult, done: RunResult) -> list[FileResult]:
    """Each Dockerfile, and each other file of note, with what was found in it as it stands and what became of it."""
    found = {each.real: each.remaining for each in looked.files}
    became = {each.real: each for each in (*looked.others, *done.files)}
    files = [
        FileResult(each.display, None if each.created else each.before, each.text, found.get(path, ()), each.defects)
        for path, each in became.items()
    ]
    return sorted(files, key=lambda each: each.path)


def _changes(run: RunResult) -> Iterator[tuple[str, str | None, str]]:
    """The files that a run from the texts of a run before has changed."""
    for file in run.files:
        if file.applied:
            yield file.display, None if file.created else file.before, file.text


def _defects(when: str, run: RunResult) -> list[str]:
    return [_defect(when, defect) for _, defect in run.defects]


def _defect(when: str, defect: Defect) -> str:
    return f"defect of {defect.rule} when {when} ({defect.gate}): {defect.message}"


def _unsound(what: str, file: results.FileResult) -> list[str]:
    """What is wrong with a text that a codemod made, without asking the gates."""
    before, after = file.before, file.text
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


def _report(result: CaseResult, what: str, detail: str) -> str:
    variant = "" if result.variant is Variant.PLAIN else f" as {result.variant.value}"
    return f"{result.case}{variant} {what}\n{detail}"


def _settle(result: CaseResult, path: Path, actual: str, update: Update) -> list[Path]:
    """Hold an expected file to what came out; rewrite it as far as that is allowed."""
    expected = _read(path)
    if path == result.case.diff_file and expected == "" and update is Update.NO:
        raise CaseError(f"{path} is empty; a case that changes nothing has no expected.diff")
    if actual == (expected or ""):
        return []
    missing, emptied = not expected, not actual
    allowed = {Update.CREATE} if missing else {Update.EMPTY} if emptied else set(Update) - {Update.NO}
    if update not in allowed:
        raise AssertionError(_report(result, "is not as expected", _mismatch(path, expected, actual)))
    if emptied:
        path.unlink()
    else:
        path.write_bytes(encode(actual))
    return [path]


def _mismatch(path: Path, expected: str | None, actual: str) -> str:
    if not expected:
        return f"{path.name} is missing. It would have this text (update with `create` to write it):\n{actual}"
    if not actual:
        return f"{path.name} would be empty (update with `empty` to take it away). It has this text:\n{expected}"
    return f"{path.name}, expected (-) and actual (+):\n{unified_diff(expected, actual, path.name)}"


def _check_variant(plain: CaseResult, result: CaseResult) -> None:
    for old, new in zip(plain.files, result.files, strict=True):
        expected = _expected(old, result.variant)
        if new.after != expected:
            change = unified_diff(_visible(expected), _visible(new.after), new.path)
            raise AssertionError(_report(result, "is mended in another way", f"expected (-), actual (+):\n{change}"))
        # An escape directive at the top moves all lines of a Dockerfile; a message may quote a continuation.
        moved = result.variant is Variant.BACKTICK and is_dockerfile_name(old.path.rpartition("/")[2])
        shift = 1 if moved else 0
        exact = result.variant is not Variant.BACKTICK
        wanted = [_gist(found, old.path, shift, exact) for found in old.found]
        actual = [_gist(found, new.path, 0, exact) for found in new.found]
        if wanted != actual:
            change = unified_diff("\n".join(wanted) + "\n", "\n".join(actual) + "\n", new.path)
            raise AssertionError(_report(result, "has other findings", f"expected (-), actual (+):\n{change}"))


def _expected(plain: FileResult, variant: Variant) -> str:
    """What a file should be when its case is written in a variant: Dockerfiles are, others may get other line ends."""
    if is_dockerfile_name(plain.path.rpartition("/")[2]):
        return transform(plain.after, variant)
    crlf = variant is Variant.CRLF and plain.before is not None
    return plain.after.replace("\n", "\r\n") if crlf else plain.after


def _gist(found: Diagnostic, path: str, shift: int, exact: bool) -> str:
    if exact:
        return describe(found, path)
    kind = found.finding.safety.value if isinstance(found.finding, Fix) else ""
    return f"{type(found.finding).__name__} {kind} {path}:{found.line + shift}"


def _visible(text: str) -> str:
    return text.replace("\r", "␍").replace(BOM, "<BOM>")


def _check_patch(result: CaseResult, tool: str) -> None:
    """Apply the diff with `git apply` or `patch -p1` to a copy, and hold the bytes to what the engine gave."""
    if not result.diff:
        return
    program = shutil.which(tool)
    if program is None:
        raise CaseError(f"{tool} is not installed")
    with tempfile.TemporaryDirectory(prefix="dockfix-") as temporary:
        root = Path(temporary).resolve() / "project"
        _write_variant(result.case, result.variant, root)
        diff = Path(temporary, "change.diff").resolve()
        diff.write_bytes(encode(result.diff))
        command = {
            "git": [program, "apply", "--whitespace=nowarn", str(diff)],
            "patch": [program, "-p1", "--batch", "--fuzz=0", "--input", str(diff)],
        }[tool]
        done = subprocess.run(
            command,
            cwd=root,
            # neither a person's configuration nor a repository around the folder has a say
            env={
                "LC_ALL": "C",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CEILING_DIRECTORIES": str(root.parent),
            },
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            said = decode(done.stdout + done.stderr)
            raise AssertionError(_report(result, f"has a diff that {tool} refuses", f"{said}\n{result.diff}"))
        for file in result.files:
            if file.before != file.after and (root / file.path).read_bytes() != encode(file.after):
                raise AssertionError(_report(result, f"has a diff that {tool} applies otherwise", result.diff))


def _escapes(node: Instruction) -> bool:
    """Whether an instruction has backslashes that its escape character gives a meaning, besides continuations."""
    if isinstance(node, Onbuild) and node.child is not None:
        return _escapes(node.child)
    text = node.logical.text
    # A shell text is handed on as it is, and JSON has its own escapes.
    shell = isinstance(node, Run | Cmd | Entrypoint | Healthcheck) or node.json
    return "\\" in (text[: node.shape.text_span[0]] if shell else text)


def _with_crlf(text: str) -> str:
    bodies = [heredoc.body for node in parse(text).instructions for heredoc in node.heredocs]
    out, at = [], 0
    for body in bodies:
        out += [text[at : body.start].replace("\n", "\r\n"), text[body.start : body.end]]
        at = body.end
    return "".join(out) + text[at:].replace("\n", "\r\n")


def _with_backticks(text: str) -> str:
    dockerfile = parse(text)
    out, at = [], 0
    for node in dockerfile.instructions:
        for piece in node.logical.pieces:
            if text.startswith("\\", piece.end):
                out += [text[at : piece.end], "`"]
                at = piece.end + 1
    return f"# escape=`{dockerfile.newline}{''.join(out)}{text[at:]}"


@contextmanager
def case_from(files: Mapping[str, str], rule: str = "rule") -> Iterator[Case]:
    """A case made of texts, for tests that need no folder of their own; gone when the block ends.

    Args:
        files: texts by path, relative to the case: `before/Dockerfile`, `expected.diff`, `expected.txt` ...
        rule: the rule's name.
    """
    with tempfile.TemporaryDirectory(prefix="dockfix-") as temporary:
        root = Path(temporary).resolve()
        for name, text in files.items():
            path = root / rule / "case" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(text))
        yield load_cases(root)[0]
