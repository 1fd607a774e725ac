"""Write what is generated from the code: `docs/rules/*.md`, `docs/findings.md`, `docs/configuration.md`, the JSON
schema of the configuration, the README's table of rules, the index of the built-in pack.

usage: python docs/generate.py [--check]

With --check nothing is written; the exit status is 1 if something is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dockfix.rule.model import Codemod
from dockfix.rule.pack_index import index_source
from dockfix.rule.reference import reference, schema_text
from dockfix_codemods import load_all

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "codemods" / "dockfix_codemods" / "index.py"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


# The findings of the audit that dockfix grew out of, as their sections number them.
FINDINGS = {
    "api 1": "`COPY --from=packages` names no stage",
    "api 2": "build dependencies are not removed",
    "api 3": "most of the Python dependencies are not used",
    "api 4": "README.md is copied before the dependencies are installed",
    "api 5": "a user without an explicit gid",
    "web 1": "`turbo prune` keeps too much",
    "web 2": "a retry loop around the Prisma client",
    "web 3": "`apk update` and what it leaves behind",
    "web 4": "where NODE_ENV is set",
    "worker 1": "a base image that nothing builds",
    "worker 2": "pip instead of uv",
    "worker 3": "a cache mount that pip does not use",
    "worker 4": "two stages for a thin layer",
    "worker 5": "a health check by pgrep alone",
    "reranker 1": "a model download without a retry",
    "reranker 2": "PYTORCH_CUDA_ALLOC_CONF is not set",
    "reranker 3": "how pip is pinned",
    "neo4j 1": "no HEALTHCHECK in the image",
    "neo4j 2": "no comment on what the image is for",
    "postgres 1": "shared_preload_libraries by an unchecked sed",
    "postgres 2": "pg_cron is installed and never created",
    "postgres 3": "where ARG stands",
    "postgres 4": "no comment on the order of the init scripts",
    "base-ml 1": "build tools are purged too late, and not all",
    "base-ml 2": "uv stays in the image",
    "base-ml 3": "torch comes with CUDA",
    "base-ml 4": "a WORKDIR for temporary work",
    "base-ml 5": "no header comment",
    "cross 1": "no strategy for base images",
    "cross 2": "user ids are not standardised",
    "cross 3": "paths of cache mounts differ",
    "cross 4": "no ENTRYPOINT scripts",
    "cross 5": "the order in which services start",
    "templates": "the recommended templates",
    "missed": "what the audit did not see",
}


def findings(codemods: tuple[Codemod, ...]) -> str:
    """Which rules answer which finding of the audit, in Markdown."""
    unknown = {name for each in codemods for name in each.findings} - FINDINGS.keys()
    if unknown:
        sys.exit(f"findings that the audit has not: {', '.join(sorted(unknown))}")
    rows = []
    for name, title in FINDINGS.items():
        rules = [f"[`{each.name}`](rules/{each.name}.md)" for each in codemods if name in each.findings]
        rows.append(f"| {name} | {title} | {', '.join(rules)} |")
    head = [
        "# The audit's findings, and the rules that answer them",
        "",
        "dockfix grew out of an audit of seven Dockerfiles ([the example](../examples/audit)). Its findings,",
        "by the file's section and number, and what answers each: a rule may fix, refuse or advise, and its page says",
        "what is true.",
        "",
        "| finding | the audit's words, in short | rules |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


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
    cases = f"Every case that is tested is in [golden/{codemod.name}.md](../../golden/{codemod.name}.md)."
    return f"{head}\n\n{body.strip()}\n\n## Cases\n\n{cases}\n"


def table(codemods: tuple[Codemod, ...]) -> str:
    """The README's table of rules."""
    rows = [
        f"| [`{each.name}`](docs/rules/{each.name}.md) | {each.severity.value} | {each.title} |" for each in codemods
    ]
    return "\n".join(["| rule | severity | what it finds |", "|---|---|---|", *rows])


def wanted() -> dict[Path, str]:
    """Every generated file with its content."""
    codemods = load_all()
    files = {ROOT / "docs" / "rules" / f"{each.name}.md": page(each) for each in codemods}
    files[ROOT / "docs" / "findings.md"] = findings(codemods)
    files[ROOT / "docs" / "configuration.md"] = reference(codemods)
    files[ROOT / "src" / "dockfix" / "schema.json"] = schema_text(codemods)
    files[INDEX] = index_source(codemods, "python docs/generate.py")
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
