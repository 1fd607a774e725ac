"""What is fuzzed: functions that take bytes, and raise if something that must be true of any input is not.

- `parse`: the tree of a Dockerfile; BuildKit's own parser agrees.
- `check`, `apply`, `apply-unsafe`: every rule but `shellcheck`, which starts a program, on a Dockerfile.
- `project`: every rule on a folder with several files, which the input holds one after the other (see `pack`).
- `compose`, `bake`, `bake-json`, `ignore`: the editors of those files.

No target may raise anything, which includes the exceptions of dockfix that its documentation does not name.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from sweep import failures

import dockfix
from dockfix.edit.hcl import set_context
from dockfix.edit.hcl_check import bake_changes
from dockfix.edit.text import apply_edits
from dockfix.edit.yaml import set_entry
from dockfix.edit.yaml_check import ABSENT, Value, check_result, yaml_changes, yaml_comments
from dockfix.facts.model import Refused
from dockfix.output.json import dumps, finding_json
from dockfix.project.bake.reader import parse_bake
from dockfix.project.bake.tree import Syntax
from dockfix.project.ignore import parse_ignore
from dockfix.project.yaml_tree import YamlError, read_tree
from dockfix.syntax.source import BOM, Lines, decode, encode
from dockfix.testing import Case, load_cases
from dockfix_codemods import ORDER
from dockfix_codemods.dockerignore_comment.edits import split_comments, trailing_comments
from tests.syntax.invariants import check_tree
from tests.syntax.oracle import difference

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = tuple(name for name in ORDER if name != "shellcheck")
MOST_BYTES: Final = 16_384
"""Longer inputs are cut: what takes long because it is long is tested elsewhere."""


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """A function that is fuzzed, and the inputs to start from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def parse(data: bytes) -> None:
    """The tree of a text is lossless, and says what BuildKit's own parser says."""
    check_tree(data)
    if not _OLDER.search(data):
        assert difference(data) == ""


_OLDER: Final = re.compile(
    rb"^\W*#\W*(check|escape)|\$\{[^}]*<<|<<\S*\$\{|\[[^\]]*\][^\n]*\S", re.IGNORECASE | re.MULTILINE
)
"""What the oracle, which is older than today's BuildKit, reads differently: directives, and text after a JSON array."""


def check(data: bytes) -> None:
    """Every finding is in the text, and can be written as JSON."""
    result = dockfix.check_text(data, dockfix.Settings(select=RULES))
    assert not result.defects, result.defects[0]
    assert encode(result.text) == data
    lines = Lines(result.text)
    for found in result.remaining:
        assert 0 <= found.finding.at.start <= found.finding.at.end <= len(result.text)
        assert 1 <= found.line <= found.end_line
        dumps(finding_json(found, lines, ROOT))


def apply(data: bytes, *, unsafe: bool) -> None:
    """The fixes break nothing that the sweep over real Dockerfiles looks at, and a second run finds nothing to do."""
    settings = dockfix.Settings(select=RULES, unsafe=unsafe)
    result = dockfix.fix_text(data, settings)
    wrong = list(failures(data, result))
    assert not wrong, wrong
    if result.problems:
        assert not result.changed
    if result.changed:
        again = dockfix.fix_text(encode(result.text), settings)
        assert not again.defects, again.defects[0]
        assert again.problems == ()
        assert again.text == result.text


def project(data: bytes) -> None:
    """As `apply`, with what is around the Dockerfiles; what is written is what the result says."""
    settings = dockfix.Settings(select=RULES, unsafe=True, jobs=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        unpack(data, folder)
        result = dockfix.fix(folder, settings, root=folder, write=True)
        again = dockfix.fix(folder, settings, root=folder)
        dockfix.to_json(again)
        for each in result.files:
            assert not each.changed or encode(each.text) == each.real.read_bytes()
            if each.is_dockerfile:
                wrong = list(failures(encode(each.before), each))
                assert not wrong, wrong
            assert not each.defects, each.defects[0]
    assert [each.display for each in again.changed] == []


def compose(data: bytes) -> None:
    """An edit of a compose file changes the value at its path and nothing else, or is refused."""
    text = decode(data)
    try:
        services = _names(text)
    except YamlError:
        services = ["api"]
    for service in services:
        for path, value in _ENTRIES:
            _check_entry(text, ("services", service, *path), value)


_ENTRIES: Final[tuple[tuple[tuple[str, ...], Value], ...]] = (
    (("build", "additional_contexts", "base"), "service:base"),
    (("build", "args", "VERSION"), "a: b # $$c"),
    (("environment", "TZ"), "UTC"),
    (("healthcheck",), {"test": "curl -f http://localhost", "retries": "3"}),
)


def _names(text: str) -> list[str]:
    """The first services of a compose file, or one that it could have."""
    root = read_tree(text).root
    blocks = [value for key, value in root.entries if key.value == "services"] if root is not None else []
    return [key.value for block in blocks for key, _ in islice(block.entries, 2)] or ["api"]


def _check_entry(text: str, path: tuple[str, ...], value: Value) -> None:
    try:
        edits = set_entry(text, path, value)
    except Refused:
        return
    after = apply_edits(text, edits)
    assert check_result(text, after, path, value) is None
    assert yaml_comments(after) == yaml_comments(text)
    assert set_entry(after, path, value) == ()
    for where, _, new in yaml_changes(text, after):
        above = path[: len(where)] == where or where[: len(path)] == path
        moved = where[-1:] == ("context",) or where[-2:-1] == path[-2:-1] or where[:-1] == path
        assert above or moved, where
        assert above or new is not ABSENT or moved, where
    _check_style(text, after)


def _check_style(text: str, after: str) -> None:
    """The line ends of a file, its byte order mark and its final newline are those that it had."""
    assert "\r" in text or "\r" not in after
    if "\n" in text:
        assert "\n" in text.replace("\r\n", "") or after.count("\n") == after.count("\r\n")
    assert after.startswith(BOM) == text.startswith(BOM)
    if text:
        assert after.endswith("\n") == text.endswith("\n")


def bake(data: bytes, *, json: bool) -> None:
    """An edit of a bake file changes the context and nothing else, or is refused."""
    text = decode(data)
    try:
        blocks = parse_bake(text, json=json).body.blocks
    except Syntax:
        blocks = ()
    names = [block.labels[0] for block in blocks if block.kind == "target" and block.labels][:3]
    for target in names or ["app"]:
        try:
            edits = set_context(text, target, "base", "target:base", json=json)
        except Refused:
            continue
        after = apply_edits(text, edits)
        path = ("target", target, "contexts", "base")
        changes = [change for change in bake_changes(text, after, json=json) if change != (path[:-1], None, "object")]
        assert [where for where, _, _ in changes] == ([path] if edits else [])
        assert set_context(after, target, "base", "target:base", json=json) == ()
        _check_style(text, after)


def ignore(data: bytes) -> None:
    """Comments after patterns move to lines of their own: the patterns stay, and so do the words of the comments."""
    text = decode(data)
    found = {each.line: each for each in trailing_comments(text)}
    after = apply_edits(text, split_comments(text, *found))
    assert list(trailing_comments(after)) == []
    _check_style(text, after)
    before = parse_ignore(text)
    if before.problems:
        return
    rules = parse_ignore(after)
    alone = {line: parse_ignore(f" {each.pattern}") for line, each in found.items()}
    if not any(each.problems for each in alone.values()):
        wanted = [
            pattern
            for each in before.patterns
            for pattern in (alone[each.line].patterns if each.line in alone else (each,))
        ]
        assert [(each.exclusion, each.text) for each in rules.patterns] == [
            (each.exclusion, each.text) for each in wanted
        ]
    lines = [line.removesuffix("\r") for line in after.removeprefix(BOM).split("\n")]
    assert all(each.comment in lines for each in found.values())
    for path in ("a", "a/b/c", ".git/config", "node_modules/x/index.js"):
        rules.lines_that_match(path)
        rules.may_return_below(path)


_MARK: Final = re.compile(rb"^-- ([\w.][\w./-]{0,99}) --\n", re.MULTILINE)
_MOST_FILES: Final = 20


def pack(files: Mapping[str, bytes]) -> bytes:
    """Files as one input: a line `-- NAME --` before each."""
    return b"".join(b"-- %b --\n%b\n" % (name.encode(), data) for name, data in files.items())


def unpack(data: bytes, folder: Path) -> None:
    """Write the files of an input into a folder, except for names that would lead out of it or are taken."""
    folder.mkdir()
    _, *parts = _MARK.split(data)
    for name, content in islice(zip(parts[::2], parts[1::2], strict=True), _MOST_FILES):
        place = PurePosixPath(name.decode())
        path = folder / place
        if ".." in place.parts or path.exists() or any(each.is_file() for each in path.parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.removesuffix(b"\n"))


@cache
def _golden() -> list[Case]:
    return load_cases(ROOT / "golden")


def _dockerfiles() -> list[bytes]:
    return sorted({case.files[name].data for case in _golden() for name in case.dockerfiles})


def _projects() -> list[bytes]:
    cases = (case for case in _golden() if len(case.files) > 1 and not any(f.symlink for f in case.files.values()))
    return [pack({name: file.data for name, file in case.files.items()}) for case in cases]


def _named(pattern: str) -> list[bytes]:
    """The files of golden cases with such a name."""
    files = (file for case in _golden() for file in case.files.items())
    return sorted({file.data for name, file in files if re.search(pattern, name)})


def _json_bakes() -> list[bytes]:
    return [
        *_named(r"bake.*\.json$"),
        b'{"target": {"app": {"context": ".", "contexts": {"base": "x"}}, "b": {}}}\n',
        b'{\n  "target": {\n    "app": {\n      "tags": ["a"]\n    }\n  }\n}\n',
    ]


TARGETS: Final[Mapping[str, FuzzTarget]] = {
    "parse": FuzzTarget(parse, _dockerfiles),
    "check": FuzzTarget(check, _dockerfiles),
    "apply": FuzzTarget(partial(apply, unsafe=False), _dockerfiles),
    "apply-unsafe": FuzzTarget(partial(apply, unsafe=True), _dockerfiles),
    "project": FuzzTarget(project, _projects),
    "compose": FuzzTarget(compose, partial(_named, r"compose[^/]*\.ya?ml$")),
    "bake": FuzzTarget(partial(bake, json=False), partial(_named, r"\.hcl$")),
    "bake-json": FuzzTarget(partial(bake, json=True), _json_bakes),
    "ignore": FuzzTarget(ignore, partial(_named, r"dockerignore$")),
}


def run(name: str, data: bytes) -> None:
    """Give an input to a target."""
    TARGETS[name].run(data[:MOST_BYTES])


def cases(name: str) -> Iterator[Path]:
    """The inputs that once showed a defect, which are kept."""
    yield from sorted((Path(__file__).parent / "cases" / name).glob("*"))
