"""The page on the codes of hadolint and the build checks of BuildKit, made from the rules and their golden cases."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dockfix.rule.model import Codemod, InOnbuild, Preset
from dockfix.rule.peers import CHECKS, HADOLINT, why_unanswered

_KINDS: Final = {
    "safe fix": "safe fix",
    "unsafe fix": "fix after review",
    "advice": "advice",
}
"""The kinds of findings in a golden file, and how the page calls them."""

_FINDING: Final = re.compile(rf"^\S+:[0-9]+:[0-9]+ (?:error|warning|info), ({'|'.join(_KINDS)}|refusal): ", re.M)

_MORE: Final = {
    "DL1001": ". With the option `forbid` it finds every such comment, as DL1001 does",
}
"""What is said of a code in addition to the rules that answer it."""

_DIFFERENCES: Final = {
    "DL3002": "only the final stage decides how the container runs",
    "DL3009": "a cache mount at `/var/lib/apt` alone holds the lists",
    "DL3010": "`tar` of Windows, with paths of Windows, is left alone",
    "DL3025": "a health check in shell form is right: its shell only waits for it",
    "DL3033, DL3041": "a variable may hold the version, also if this file does not set it",
    "DL3038": "`microdnf` never asks",
    "DL3042": "to pip, `PIP_NO_CACHE_DIR=off` means the same as `on`; `cache-mount` also looks at pips without a cache",
    "DL3048": "`$name` in a key is expanded, so that the key is another one",
    "DL3059": "`RUN`s with several commands can be merged, too",
    "DL3062": "without `@`, `go install` and `go run` take the version from `go.mod`",
    "DL3064": "the ID of a key is no secret, and neither is an `ARG` that no stage declares",
    "DL3066": "without a UID in the file there is nothing to write",
    "DL3067": "an image of which nothing is known may hold a single program",
    "DL4001": "what a builder stage downloads with is not in the image",
    "DL4006": "`scratch` has no shell, so that nothing runs there",
    "CopyIgnoredFile": "each source is reported once, at its first `COPY`",
    "FromAsCasing": "`# check=skip=ConsistentInstructionCasing` ignores the rule, with all of its checks",
    "InvalidBaseImagePlatform": "the test has an image in a registry of its own; dockfix knows some public images",
    "SecretsUsedInArgOrEnv": "an empty `ENV` holds no secret",
}
"""Why dockfix does not say the same as hadolint's specs and BuildKit's tests, on purpose."""

_INTRODUCTION: Final = """\
# hadolint and Docker's build checks

Which rule of dockfix answers each code of [hadolint](https://github.com/hadolint/hadolint) and each
[build check](https://docs.docker.com/reference/build-checks/) of BuildKit, and what it does:

- **safe fix**: `dockfix apply` applies it.
- **fix after review**: `dockfix apply --unsafe` applies it, or `--prove` if a build shows that it is right.
- **advice**: no fix is known; only a person can fix it.
- **refusal only**: it is shown with the reason why it is not fixed.
- **on request**: the rule does not run by default. `strict` and `all` name the smallest preset that it is in;
  `--preset`, `extend-select` or `--rule` turns it on.
- **needs options**: the rule finds nothing unless its options are configured.

A rule may do several of these, depending on what is known of the build, and refuses a fix where something that matters
is unknown; its page says when. The list is what its [test cases](../golden) show, for all codes of the rule.

A code may be used wherever a rule is named, in any case: `dockfix check --rule DL3008`, `dockfix explain DL3008`,
`ignore = ["StageNameCasing"]` in the [configuration](configuration.md), `# dockfix: ignore=DL3008`. It means all rules
that answer it. If one of these also answers other codes, these are selected or ignored with it. The comments of
hadolint and BuildKit count as well: see [Ignore single findings](adoption.md#ignore-single-findings).
"""

_AGREEMENT: Final = """\
## Agreement

The column *same* counts the Dockerfiles in hadolint's own specs, and the places in BuildKit's tests of its checks, on
which dockfix says the same: that there is a finding, or that there is none. `benchmarks/hadolint_specs.py` and
`benchmarks/buildkit_checks.py` measured it ({dates}). They differ on purpose:

{differences}

## ONBUILD

An `ONBUILD RUN` runs in the builds of images that are based on this one: after the last step of the image, as its last
user and in its shell, and before steps that are not known. Its text is part of the image. dockfix reads it as a step at
the end of the stage:

- {fixing}: the same findings and fixes as in `RUN`, but no fix is safe.
- {advising}: the same findings, as advice.
- [`shellcheck`](rules/shellcheck.md): the same as in `RUN`; its fixes are never safe.
- All other rules do not look into it on purpose: what they need (the build context, the steps around it, the image
  that is started) belongs to the other Dockerfile. An `ONBUILD` of a stage that is not in the image never runs.

Of {cases} specs of hadolint with `ONBUILD`, dockfix agrees on {agree}. The others differ for the reasons above; in
addition, `apt-lists` and `npm-cache` leave alone triggers of stages that are not in the image.
"""

_AFTERWARDS: Final = """\
## After the fixes

How often hadolint finds the codes that fixes change, before and after (`benchmarks/sweep.py --tsv`; {date}).
The files were fixed without their build contexts; in a project more fixes of DL3020 are safe.

{table}

A file has a code after the fixes that it did not have before for one of these reasons:

- DL3008 and DL3015: `apt` became `apt-get`, at which alone hadolint looks.
- DL3045: `ADD` became `COPY`, at which alone hadolint looks.
- DL3059: two `RUN` follow each other, since what stood between them was replaced or moved.
- Any code, in files that hadolint could not parse before (DL1000), such as those with an empty continuation line.
- Codes of ShellCheck: hadolint shows at most one for each RUN, so that the next one appears when it is fixed.
"""

_SHELLCHECK: Final = """\
## Codes of ShellCheck

hadolint also reports the codes of ShellCheck (`SC1000` and above) for RUN. The rule [`shellcheck`](rules/shellcheck.md)
shows them if ShellCheck is installed, which `pip install 'dockfix[shellcheck]'` does; with this extra the rule is on by
default. Each code is a name of its own: `dockfix check --rule SC2086`, `ignore = ["SC2086"]`, `dockfix explain SC2086`.
`# dockfix: ignore=SC2086`, `# hadolint ignore=SC2086` and `# shellcheck disable=SC2086` suppress it.

What differs: hadolint shows at most one code of ShellCheck for each RUN, dockfix all. dockfix also reads heredocs, CMD,
ENTRYPOINT and HEALTHCHECK, takes `sh` for the shell that the base image has, and leaves out the text of Windows images.
`level = "style"` shows what ShellCheck calls info or style, too, as hadolint does.
"""


def hadolint_page(codemods: Iterable[Codemod], golden: Path) -> str:
    """The page.

    Args:
        codemods: the rules, in running order.
        golden: the folder with the golden files.
    """
    rules = tuple(codemods)
    folder = Path(__file__).parent
    specs, checks = _Figures.read(folder / "hadolint_specs.tsv"), _Figures.read(folder / "buildkit_checks.tsv")
    return "\n".join(
        [
            _INTRODUCTION,
            "## hadolint\n",
            _table(HADOLINT, rules, golden, specs),
            "## BuildKit\n",
            _table(CHECKS, rules, golden, checks),
            _agreement(specs, checks, rules),
            _afterwards(_Figures.read(folder / "hadolint_sweep.tsv")),
            _SHELLCHECK.rstrip("\n"),
            "",
        ]
    )


@dataclass(frozen=True)
class _Figures:
    """The figures of a peer's tests, by code.

    Args:
        date: the version that was measured, and when.
        rows: for each code the columns of the file, which the scripts in `benchmarks` write.
    """

    date: str
    rows: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> _Figures:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        return cls(first.removeprefix("# "), {row["code"]: row for row in csv.DictReader(lines, delimiter="\t")})

    def same(self, code: str) -> str:
        """How often both say the same."""
        row = self.rows.get(code)
        return f"{row['agree']}/{row.get('cases') or row.get('places')}" if row is not None else ""


def _agreement(specs: _Figures, checks: _Figures, rules: Sequence[Codemod]) -> str:
    return _AGREEMENT.format(
        dates=f"{specs.date}; {checks.date}",
        differences="\n".join(f"- {codes}: {why}." for codes, why in _DIFFERENCES.items()),
        agree=sum(int(row["onbuild agree"]) for row in specs.rows.values()),
        fixing=_linked(each for each in rules if each.onbuild is InOnbuild.FIX),
        advising=_linked(each for each in rules if each.onbuild is InOnbuild.ADVICE),
        cases=sum(int(row["onbuild cases"]) for row in specs.rows.values()),
    )


def _afterwards(sweep: _Figures) -> str:
    lines = ["| code | before | after safe fixes | after all fixes |", "|---|---:|---:|---:|"]
    for code, row in sweep.rows.items():
        if len({row["before"], row["safe"], row["unsafe"]}) > 1:
            lines.append(f"| {code} | {row['before']} | {row['safe']} | {row['unsafe']} |")
    return _AFTERWARDS.format(date=sweep.date, table="\n".join(lines))


def _linked(rules: Iterable[Codemod]) -> str:
    return ", ".join(f"[`{each.name}`](rules/{each.name}.md)" for each in rules)


def _table(codes: Mapping[str, str], rules: Iterable[Codemod], golden: Path, figures: _Figures) -> str:
    answers = {code: [rule for rule in rules if code.lower() in rule.aliases] for code in codes}
    lines = ["| code | finds | dockfix | same |", "|---|---|---|---|"]
    for code, finds in codes.items():
        said = "; ".join(f"[`{rule.name}`](rules/{rule.name}.md): {_what(rule, golden)}" for rule in answers[code])
        why = why_unanswered(code)
        said = said or (f"deliberately not: {why}" if why else "no rule yet")
        lines.append(f"| {code} | {finds} | {said}{_MORE.get(code, '')} | {figures.same(code)} |")
    return "\n".join([*lines, ""])


def _what(rule: Codemod, golden: Path) -> str:
    """What a rule does with its findings, as its golden cases show."""
    path = golden / f"{rule.name}.md"
    kinds = set(_FINDING.findall(path.read_text(encoding="utf-8"))) if path.exists() else set()
    shown = [words for kind, words in _KINDS.items() if kind in kinds]
    said = ", ".join(shown or (["refusal only"] if kinds else ["advice"]))
    if rule.preset is not Preset.RECOMMENDED:
        said += f"; on request (`{rule.preset.value}`)"
    return f"{said}; needs options" if rule.needs_options else said
