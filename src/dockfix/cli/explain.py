"""`dockfix explain`: a rule's page."""

from __future__ import annotations

from typing import Annotated

import typer

from dockfix.cli import completing, options
from dockfix.cli.console import Colour, console, shown
from dockfix.cli.planning import registry_of


def explain(
    context: typer.Context,
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE",
            autocompletion=completing.rule,
            help="The name of the rule, or a code of hadolint, BuildKit or ShellCheck; `dockfix rules` lists rules.",
        ),
    ],
    color: options.ColourOption = Colour.AUTO,
) -> None:
    """Show the page of a rule, or of each rule that answers a code.

    The page says what the rule finds, why, and what its fixes do. Of a code of ShellCheck it says in a line what it is
    about, and where it is explained.
    """
    from dockfix.output.page import code_text, page_text  # noqa: PLC0415
    from dockfix.rule.registry import UnknownRuleError  # noqa: PLC0415 - needed by few commands

    terminal = console(color)
    registry = registry_of(context.obj, terminal)
    try:
        codemods = registry.named(rule)
    except UnknownRuleError as error:
        terminal.fail(shown(str(error)))
    code = registry.rule_names.code(rule)
    if code is not None:
        terminal.prose("\n\n".join(code_text(code, each, style=terminal.out_style) for each in codemods))
        return
    pages = [page_text(each, style=terminal.out_style) for each in codemods]
    terminal.prose("\n\n".join(pages), page=True)
