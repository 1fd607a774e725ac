"""A rule's page for a terminal. The page is the docstring of the rule's module, in simple Markdown."""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module

from dockfix.output.plain import PLAIN, Style, printable
from dockfix.rule import Codemod, InOnbuild, LazyFunction
from dockfix.rule.peers import SHELLCHECK
from dockfix.rule.promise_page import with_promise


def page(codemod: Codemod) -> str:
    """The page of a rule, in Markdown: its own, or the docstring of the module of its check; with its promise."""
    work = codemod.check or codemod.check_project
    module = import_module(work.module) if isinstance(work, LazyFunction) else sys.modules.get(work.__module__)
    text = inspect.cleandoc(codemod.page or (module.__doc__ if module else None) or codemod.title)
    return with_promise(text, codemod)


def page_text(codemod: Codemod, *, style: Style = PLAIN) -> str:
    """The page as `dockfix explain` shows it: headings in bold, code indented, without fences."""
    safe = printable(page(codemod), keep="\n")
    effects = ", ".join(sorted(effect.value for effect in codemod.effects)) or "nothing"
    facts = f"{codemod.severity.value}, {codemod.category.value}, since {codemod.since}; fixes may change: {effects}"
    if codemod.extra:
        facts += "; runs by default if its extra is installed"
    if codemod.opt_in:
        facts += f"; preset {codemod.preset.value}: does not run by default"
    if codemod.onbuild is not InOnbuild.IGNORED:
        facts += (
            f"; in ONBUILD RUN, too ({'advice' if codemod.onbuild is InOnbuild.ADVICE else 'no fix is safe there'})"
        )
    if codes := ", ".join([*sorted(codemod.hadolint), *sorted(codemod.checks)]):
        facts += f"; answers {codes}"
    return f"{style('bold', codemod.name)}: {codemod.title}\n{style('dim', facts)}\n\n{_render(safe, style)}\n"


def code_text(code: str, codemod: Codemod, *, style: Style = PLAIN) -> str:
    """What is known of a code that only some findings of a rule have."""
    about = SHELLCHECK.get(code, codemod.title)
    link = codemod.code_page.format(code=code)
    return f"{style('bold', code)}: {about}\n{link}\nshown by {codemod.name}: `dockfix explain {codemod.name}`\n"


def _render(text: str, style: Style) -> str:
    out: list[str] = []
    fenced = False
    for line in text.split("\n"):
        heading = re.fullmatch(r"#{1,6} +(.*)", line)
        if line.lstrip().startswith("```"):
            fenced = not fenced
            name = line.partition(" ")[2].strip()
            if fenced and name:
                out.append(f"    {style('dim', f'{name}:')}")
        elif fenced:
            out.append(f"    {line}" if line else "")
        elif heading:
            out.append(style("bold", heading[1]))
        elif set(line) in ({"="}, {"-"}) and len(line) > 2 and out and out[-1]:
            out[-1] = style("bold", out[-1])
        else:
            out.append(line)
    return "\n".join(out)
