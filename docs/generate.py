"""Write the documentation that the rules themselves hold: `docs/rules/*.md` and the table in the README.

usage: python docs/generate.py [--check]

With --check nothing is written; the exit status is 1 if something is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dockfix.codemod.model import Codemod
from dockfix.codemod.registry import load_registry

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def page(codemod: Codemod) -> str:
    """A rule's page in Markdown."""
    effects = ", ".join(sorted(effect.value for effect in codemod.effects)) or "nothing"
    title, _, body = codemod.page.strip().partition("\n")
    facts = [
        f"- severity: {codemod.severity.value}",
        f"- category: {codemod.category.value}",
        f"- may change: {effects}",
        f"- since: {codemod.since}",
        *(["- off unless selected"] if codemod.opt_in else []),
    ]
    head = "\n".join([f"# {codemod.name}", "", title, "", *facts])
    return f"{head}\n\n{body.strip()}\n"


def table(codemods: tuple[Codemod, ...]) -> str:
    """The README's table of rules."""
    rows = [
        f"| [`{each.name}`](docs/rules/{each.name}.md) | {each.severity.value} | {each.title} |" for each in codemods
    ]
    return "\n".join(["| rule | severity | what it finds |", "|---|---|---|", *rows])


def wanted() -> dict[Path, str]:
    """Every generated file with its content."""
    codemods = load_registry().codemods
    files = {ROOT / "docs" / "rules" / f"{each.name}.md": page(each) for each in codemods}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        files[ROOT / "README.md"] = f"{before}{BEGIN}\n{table(codemods)}\n{END}{after}"
    return files


def main() -> int:
    """Write what is stale, or say what is."""
    check = "--check" in sys.argv[1:]
    files = wanted()
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
