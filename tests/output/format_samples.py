"""Runs over files with hostile names and contents, and over the golden cases, for the tests of the output formats."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from dockfix.engine.results import RunResult
from dockfix.engine.session import check_paths, run_paths
from dockfix.engine.settings import Accept, Settings
from dockfix.project.target import Target
from dockfix.rule import (
    Advice,
    Category,
    Change,
    Codemod,
    Diagnostic,
    Edit,
    Effect,
    Finding,
    Fix,
    Refusal,
    Safety,
    Severity,
)
from dockfix.rule.options import configured
from dockfix.rule.registry import Registry, load_registry
from dockfix.syntax.source import Lines, Span
from dockfix.testing.cases import Case, load_cases, scratch_folder
from dockfix.testing.runs import write_variant
from dockfix.testing.variants import Variant

GOLDEN = Path(__file__).parent.parent.parent / "golden"

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07",
    "%0A::error::forged%250A",
    "::stop-commands::x",
    "##[add-mask]x",
    "```suggestion",
    "`````",
    "</testcase></failure>]]>&amp;<!--",
    "<script>alert(1)</script><img src=x onerror=y>",
    "line\u2028sep\u2029par\x85nel",
    "\u202eevil\u2066\u200b\ufeff",
    "a|b\\|c",
    "[click](https://evil.example) ![i](http://evil.example/i.png)",
    "@someone #1 https://evil.example www.evil.example",
    "{0} {{1}} ${HOME}",
    "\udc80\udcff",
    "\ufffe\uffff\U0001fffe",
    "tab\there 漢字 e\u0301 \U0001f600",
    "'\"&quot;\\u0000",
    "x\rforged",
)
"""Texts that try to be something else in an output."""

NAMES = (
    b"Dockerfile.plain",
    b"Dockerfile.\x1b[31m%0A::error::`x`|<b>&\"'\xff\xe2\x80\xae,title=x",
    b"Dockerfile.new\nline ::warning::x",
    b"Dockerfile.[a](b) @me {0} <!--",
    " Dockerfile.漢字 \u2028".encode(),
)


def _marked(target: Target) -> Iterator[Finding]:
    """A finding for each LABEL: its value names the kind, and its text is in the message."""
    text = target.text
    at = text.find("LABEL ")
    while at != -1:
        end = text.find("\n", at)
        end = len(text) if end == -1 else end
        value = text[at + 6 : end]
        span = Span(at + 6, end)
        kind, _, rest = value.partition("=")
        message = f"label {rest}"
        match kind:
            case "safe":
                yield Fix(span, message, (Edit(at + 6, at + 10, "done"),), Safety.SAFE, f"do {rest}")
            case "unsafe":
                edits = (Edit(at, at, "LABEL first=1\n"), Edit(at + 6, at + 12, "done"))
                yield Fix(span, message, edits, Safety.UNSAFE, f"do {rest}", f"look at {rest}")
            case "both":
                other = Change(target.real.with_name("new"), create=f"{rest}\n")
                yield Fix(span, message, (Edit(at + 6, at + 10, "done"),), Safety.SAFE, "do", other_files=(other,))
            case "refused":
                yield Refusal(span, message, f"because {rest}", Severity.INFO)
            case "advice":
                yield Advice(span, message, Severity.ERROR, help=f"try {rest}")
        at = text.find("LABEL ", at + 6)


def _twice(target: Target) -> Iterator[Finding]:
    """A fix for each `twice`."""
    at = target.text.find("twice")
    while at != -1:
        yield Fix(Span(at, at + 5), "twice", (Edit(at, at + 5, "once"),), Safety.SAFE, "say it once")
        at = target.text.find("twice", at + 5)


_EFFECTS = frozenset({Effect.METADATA, Effect.STEPS, Effect.FILES})

REGISTRY = Registry(
    (
        Codemod(
            "marked", "Labels that are marked", Severity.WARNING, Category.STYLE, _EFFECTS, _marked, "0",
            page="Labels.\n\n## What it does\nFinds labels.\n\n## Why\n\nBecause.\n",
        ),
        Codemod("twice", "Twice", Severity.INFO, Category.STYLE, _EFFECTS, _twice, "0"),
    ),
)  # fmt: skip


def hostile_text() -> str:
    """A Dockerfile with findings of each kind about each of the hostile texts."""
    labels = "".join(f'LABEL {kind}="{text}"\n' for text in HOSTILE for kind in ("safe", "unsafe", "refused", "advice"))
    return f"FROM scratch\n{labels}"


def hostile_project(root: Path) -> RunResult:
    """A check of files with hostile names and contents in `root`, one of which is not a Dockerfile."""
    (root / ".git").mkdir(parents=True)
    for name in NAMES:
        (root / os.fsdecode(name)).write_bytes(hostile_text().encode("utf-8", "surrogateescape"))
    (root / "Dockerfile.crlf").write_bytes(b"FROM scratch\r\nLABEL safe=1\r\n\r\nLABEL unsafe=2\r\n")
    (root / "Dockerfile.bom").write_bytes("\ufeffFROM scratch\nLABEL safe=漢\nLABEL unsafe=1".encode())
    (root / "Dockerfile.two").write_bytes(b"FROM scratch\nLABEL both=1\n")
    (root / "Dockerfile.broken").write_bytes(b"FROM scratch\nRUN <<\x1b[31m%0A\n")
    (root / "Dockerfile.clean").write_bytes(b"FROM scratch\n")
    paths = sorted(path for path in root.iterdir() if path.name != ".git")
    return check_paths(paths, Settings(), root=root, registry=REGISTRY)


def run_with(root: Path, text: str, *findings: Finding) -> RunResult:
    """A check of a Dockerfile that has found these findings, of one rule."""
    (root / ".git").mkdir(parents=True, exist_ok=True)
    (root / "Dockerfile").write_bytes(text.encode("utf-8", "surrogateescape"))
    run = check_paths([root / "Dockerfile"], Settings(), root=root, registry=REGISTRY)
    lines, real = Lines(text), run.files[0].real
    found = tuple(
        Diagnostic(
            "marked", each, Severity.WARNING, lines.line(each.at.start), lines.column(each.at.start),
            lines.line(max(each.at.start, each.at.end - 1)), real,
        )
        for each in findings
    )  # fmt: skip
    return replace(run, files=(replace(run.files[0], remaining=found),))


def fix(*edits: Edit) -> Fix:
    """A safe fix with these edits."""
    return Fix(Span(edits[0].start, edits[-1].end), "message", edits, Safety.SAFE, "help")


def golden_settings(case: Case, root: Path) -> Settings:
    codemod = load_registry().get(case.rule)
    options = case.options
    return Settings(
        select=(case.rule,),
        unsafe=options.unsafe,
        context=options.context,
        build_contexts=options.build_contexts or {},
        use_project=options.use_project,
        respect_gitignore=False,
        rule_options=configured(options.rules, [(case.rule, codemod.options)], root),
    )


def golden_runs(
    path: Path, variant: Variant = Variant.PLAIN, *, fix: bool = False, accept: Accept | None = None
) -> Iterator[tuple[Case, RunResult]]:
    """Each case of a golden file that has the variant, checked, or with `fix` fixed in memory."""
    registry = load_registry()
    for case in load_cases(path):
        if variant not in case.variants:
            continue
        with scratch_folder() as scratch:
            root = scratch / "project"
            write_variant(case, variant, root)
            settings = golden_settings(case, root)
            if fix:
                result = run_paths([root], settings, root=root, registry=registry, write=False, accept=accept)
            else:
                result = check_paths([root], settings, root=root, registry=registry)
            yield case, result
