"""Write the generated files: the pages in `docs/` and the picture of a terminal, the JSON schema of the configuration,
the table of rules and the examples of output in README.md, and the index of the built-in pack.

usage: python docs/generate.py [--check]

With --check nothing is written; the exit code is 1 if a file is stale.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from dockfix.rule.model import Codemod, InOnbuild, Preset
from dockfix.rule.pack_index import index_source
from dockfix.rule.promise_page import with_promise
from dockfix.rule.reference import reference, schema_text
from dockfix_codemods import load_all
from example_report import example_report
from findings_page import findings_page
from hadolint_page import hadolint_page
from library_page import library_page
from picture import PICTURE, picture
from read_diffs_page import read_diffs_page
from rules_page import rules_page

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "codemods" / "dockfix_codemods" / "index.py"
RULES = re.compile(r"(?<=<!-- rules: begin -->\n).*?(?=<!-- rules: end -->)", re.S)
OUTPUT = re.compile(
    r"(?<=<!-- output: begin -->\n)```console\n\$ (dockfix [^\n]*)\n.*?```\n(?=<!-- output: end -->)", re.S
)


def _preset_fact(codemod: Codemod) -> list[str]:
    """The line on the preset of a rule that does not run by default."""
    match codemod.preset:
        case Preset.RECOMMENDED:
            return []
        case Preset.STRICT:
            presets = '`preset = "strict"`'
        case Preset.ALL:
            presets = '`preset = "all"`'
    return [f"- off by default; {presets}, `extend-select` or `--rule` turns it on"]


def _onbuild_fact(codemod: Codemod) -> list[str]:
    """The line on what a rule does in `ONBUILD RUN`."""
    match codemod.onbuild:
        case InOnbuild.IGNORED:
            return []
        case InOnbuild.ADVICE:
            return ["- in `ONBUILD RUN`: the same findings, as advice"]
        case InOnbuild.FIX:
            return [
                "- in `ONBUILD RUN`: the same fixes, none of them safe, since the step runs in builds of other images"
            ]


def codes_of(codemod: Codemod) -> str:
    """The codes of hadolint and the build checks of BuildKit that a rule answers."""
    return ", ".join(f"[{code}](../hadolint.md)" for code in (*sorted(codemod.hadolint), *sorted(codemod.checks)))


def page(codemod: Codemod) -> str:
    """The page of a rule in Markdown: its docstring, with the declared facts and a link to its cases."""
    effects = ", ".join(sorted(effect.value for effect in codemod.effects)) or "nothing"
    title, _, body = with_promise(codemod.page.strip(), codemod).partition("\n")
    facts = [
        f"- severity: {codemod.severity.value}",
        f"- category: {codemod.category.value}",
        f"- fixes may change: {effects}",
        f"- since: {codemod.since}",
        *_preset_fact(codemod),
        *(["- on by default if its extra is installed; `--rule` turns it on"] if codemod.extra else []),
        *_onbuild_fact(codemod),
        *([f"- answers: {codes_of(codemod)}"] if codemod.aliases else []),
    ]
    head = "\n".join([f"# {codemod.name}", "", title, "", *facts])
    cases = f"The test cases show what the rule does and does not do: [{codemod.name}](../../golden/{codemod.name}.md)."
    return f"{head}\n\n{body.strip()}\n\n## Cases\n\n{cases}\n"


def table(codemods: tuple[Codemod, ...]) -> str:
    """The table of rules in the README."""
    rows = [
        f"| [`{each.name}`](docs/rules/{each.name}.md) | {each.severity.value} | {each.title} |" for each in codemods
    ]
    return "\n".join(["| rule | severity | finding |", "|---|---|---|", *rows])


def output(command: str) -> str:
    """A console block with what a command of dockfix prints in this folder."""
    call = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{command}: {done.stdout}")
    return f"```console\n$ {command}\n{done.stdout}```\n"


def index_of(codemods: tuple[Codemod, ...]) -> str:
    """The index of the built-in pack."""
    return index_source(codemods, "python docs/generate.py")


def generated() -> dict[Path, str]:
    """The content of every generated file."""
    codemods = load_all()
    files = {ROOT / "docs" / "rules" / f"{each.name}.md": page(each) for each in codemods}
    files[ROOT / "docs" / "rules" / "index.md"] = rules_page(codemods, ROOT / "golden")
    files[ROOT / "docs" / "findings.md"] = findings_page(codemods)
    files |= example_report(ROOT)
    files[ROOT / "docs" / "configuration.md"] = reference(codemods)
    files[ROOT / "docs" / "hadolint.md"] = hadolint_page(codemods, ROOT / "golden")
    files[ROOT / "docs" / "read-diffs.md"] = read_diffs_page(ROOT / "benchmarks" / "read_diffs.tsv")
    files[ROOT / "docs" / "library.md"] = library_page()
    files[ROOT / "src" / "dockfix" / "schema.json"] = schema_text(codemods)
    files[PICTURE] = picture()
    files[INDEX] = index_of(codemods)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = RULES.sub(lambda _: f"{table(codemods)}\n", readme)
    files[ROOT / "README.md"] = OUTPUT.sub(lambda match: output(match[1]), readme)
    return files


def main() -> int:
    """Write the files that are stale, or with --check list them."""
    check = "--check" in sys.argv[1:]
    if not check:  # the commands whose output is shown run with the index
        INDEX.write_text(index_of(load_all()), encoding="utf-8")
    files = generated()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    orphans = [path for path in (ROOT / "docs" / "rules").glob("*.md") if path not in files]
    for path in [*stale, *orphans]:
        print(f"{'stale' if check else 'written' if path in files else 'removed'}: {path.relative_to(ROOT)}")
    if check:
        return 1 if stale or orphans else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    for path in orphans:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
