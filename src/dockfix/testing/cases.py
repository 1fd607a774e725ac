"""Golden cases, as a golden file describes them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from dockfix.project.discovery import discover, is_dockerfile_name
from dockfix.syntax.source import decode, encode
from dockfix.testing.document import (
    DIFF,
    FILE,
    FINDINGS,
    OPTIONS,
    CaseError,
    Document,
    File,
    Kind,
    Section,
    file_of,
    read_document,
    slug,
)
from dockfix.testing.variants import Variant, fits

_OPTION_NAMES: Final = frozenset(("unsafe", "context", "build-contexts", "rules", "use-project", "variants"))

_MEMORY: Final = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - it only holds the folders
"""A folder in memory, on Linux: creating and removing thousands of small files on a disk is slow."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the files of a case, by its real path; it is removed when the block ends."""
    with tempfile.TemporaryDirectory(prefix="dockfix-", dir=_MEMORY) as temporary:
        yield Path(temporary).resolve()


class Options(Struct, frozen=True):
    """The options of a case; the docstring of the package describes them."""

    unsafe: bool = True
    context: Path | None = None
    build_contexts: Mapping[str, str] | None = None
    use_project: bool = True
    rules: Mapping[str, object] = field(default_factory=dict)
    skipped: frozenset[Variant] = frozenset()


class Case(Struct, frozen=True, dict=True):
    """A golden case. `expected_diff` and `expected_findings` are empty if nothing is expected."""

    rule: str
    kind: Kind
    title: str
    files: Mapping[str, File]
    options: Options = Options()
    expected_diff: str = ""
    expected_findings: str = ""
    path: Path | None = None
    """The golden file; None for a case that was made in memory."""
    line: int = 0
    """The 1-based line of its heading."""

    @property
    def name(self) -> str:
        """The heading as one word."""
        return f"{self.kind.value}-{slug(self.title)}"

    def __str__(self) -> str:
        return f"{self.rule}/{self.name}"

    def write(self, root: Path) -> None:
        """Write the input files into an empty or missing folder."""
        for name, file in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if file.symlink:
                path.symlink_to(decode(file.data))
                continue
            path.write_bytes(file.data)
            if file.mode is not None:
                path.chmod(file.mode)

    @cached_property
    def dockerfiles(self) -> tuple[str, ...]:
        """The paths of the Dockerfiles, in order.

        Raises:
            CaseError: there is none, or one cannot be read.
        """
        if len(self.files) == 1 and is_dockerfile_name(next(iter(self.files))):
            return tuple(self.files)
        with scratch_folder() as root:
            self.write(root)
            found, problems = discover([root], root=root, respect_gitignore=False)
            if problems:
                raise CaseError(f"{self}: {problems[0].path}: {problems[0].message}")
            names = sorted(each.path.relative_to(root) for each in found)
        if not names:
            raise CaseError(f"{self} has no Dockerfile")
        return tuple(name.as_posix() for name in names)

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The variants that the case can be run in, the plain one first."""
        texts = [decode(self.files[name].data) for name in self.dockerfiles]
        return tuple(
            variant
            for variant in Variant
            if variant not in self.options.skipped and all(fits(text, variant) for text in texts)
        )


def load_cases(golden: Path) -> list[Case]:
    """The cases of a golden file, or of all golden files (`*.md`) of a folder, in the order in which they are written.

    Raises:
        CaseError: a golden file is malformed.
    """
    paths = sorted(golden.glob("*.md")) if golden.is_dir() else [golden]
    return [case for path in paths for case in cases_of(load_document(path), path)]


def load_document(path: Path) -> Document:
    """Read a golden file.

    Raises:
        CaseError: it is malformed, or its name is not that of its rule.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: a golden file is UTF-8; write other bytes as escapes") from error
    document = read_document(text, str(path))
    if document.rule != path.stem:
        raise CaseError(f"{path}:1: the file of the rule {document.rule} is {document.rule}.md")
    return document


def cases_of(document: Document, path: Path) -> list[Case]:
    """The cases of a golden file that was read from `path`.

    Raises:
        CaseError: the options are invalid.
    """
    return [_case(document.rule, section, path) for section in document.sections]


def make_case(
    files: Mapping[str, str], *, rule: str = "rule", kind: Kind = Kind.FIX, diff: str = "", findings: str = "",
    options: str = "",
) -> Case:  # fmt: skip
    """A case from texts, for tests without a golden file; `options` is YAML.

    Raises:
        CaseError: the options are invalid.
    """
    entries = {name: File(encode(text)) for name, text in files.items()}
    return Case(rule, kind, "case", entries, read_options(options, "options"), diff, findings)


def _case(rule: str, section: Section, path: Path) -> Case:
    files = {block.path: file_of(block) for block in section.blocks if block.role == FILE}
    diff, findings, options = (section.block(role) for role in (DIFF, FINDINGS, OPTIONS))
    where = f"{path}:{section.line + 1}"
    if not files:
        raise CaseError(f"{where}: the case has no input file")
    return Case(
        rule,
        section.kind,
        section.title,
        files,
        read_options(options.text, where) if options is not None else Options(),
        diff.text if diff is not None else "",
        findings.text if findings is not None else "",
        path,
        section.line + 1,
    )


def read_options(text: str, where: str) -> Options:
    """Read options, which are YAML; `where` begins the message of an error.

    Raises:
        CaseError: they are invalid.
    """
    if not text:
        return Options()
    from ruamel.yaml import YAML  # noqa: PLC0415 - most cases have no options
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        data: Any = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise CaseError(f"{where}: options: {error}") from error
    if not isinstance(data, dict):
        raise CaseError(f"{where}: options must be a mapping")
    _refuse_unknown(data, _OPTION_NAMES, f"{where}: unknown options")
    flags = {name: data.get(name, True) for name in ("unsafe", "use-project")}
    if not all(isinstance(value, bool) for value in flags.values()):
        raise CaseError(f"{where}: unsafe and use-project are true or false")
    context, contexts, rules = data.get("context"), data.get("build-contexts", {}), data.get("rules", {})
    if context is not None and not isinstance(context, str):
        raise CaseError(f"{where}: context is a folder")
    if not isinstance(contexts, dict) or not all(isinstance(value, str) for value in contexts.values()):
        raise CaseError(f"{where}: build-contexts maps names to references")
    if not isinstance(rules, dict):
        raise CaseError(f"{where}: rules maps the name of the rule to its options")
    return Options(
        unsafe=flags["unsafe"],
        context=Path(context) if context is not None else None,
        build_contexts={str(name): reference for name, reference in contexts.items()},
        use_project=flags["use-project"],
        rules={str(rule): table for rule, table in rules.items()},
        skipped=_skipped(data.get("variants", {}), where),
    )


def _skipped(variants: object, where: str) -> frozenset[Variant]:
    known = {variant.value: variant for variant in Variant if variant is not Variant.PLAIN}
    if not isinstance(variants, dict) or set(variants) - set(known):
        raise CaseError(
            f"{where}: variants maps some of {', '.join(known)} to the reason why the case cannot have them"
        )
    if not all(isinstance(reason, str) and reason.strip() for reason in variants.values()):
        raise CaseError(f"{where}: a case that leaves out a variant needs a reason")
    return frozenset(known[name] for name in variants)


def _refuse_unknown(data: Mapping[object, object], known: frozenset[str], message: str) -> None:
    unknown: Sequence[str] = sorted(str(name) for name in set(data) - known)
    if unknown:
        raise CaseError(f"{message}: {', '.join(unknown)}")
