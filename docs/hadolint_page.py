"""The page on the codes of hadolint and the build checks of BuildKit, made from the rules and their golden cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from dockfix.rule.model import Codemod, Preset
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
    return "\n".join(
        [
            _INTRODUCTION,
            "## hadolint\n",
            _table(HADOLINT, rules, golden),
            "## BuildKit\n",
            _table(CHECKS, rules, golden),
            _SHELLCHECK.rstrip("\n"),
            "",
        ]
    )


def _table(codes: Mapping[str, str], rules: Iterable[Codemod], golden: Path) -> str:
    answers = {code: [rule for rule in rules if code.lower() in rule.aliases] for code in codes}
    lines = ["| code | finds | dockfix |", "|---|---|---|"]
    for code, finds in codes.items():
        said = "; ".join(f"[`{rule.name}`](rules/{rule.name}.md): {_what(rule, golden)}" for rule in answers[code])
        why = why_unanswered(code)
        said = said or (f"deliberately not: {why}" if why else "no rule yet")
        lines.append(f"| {code} | {finds} | {said}{_MORE.get(code, '')} |")
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
