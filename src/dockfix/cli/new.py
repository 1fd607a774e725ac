"""`dockfix new`: a new pack, or a new rule in a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockfix.cli.console import Console, console, shown


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the rule, in kebab case.")],
    pack: Annotated[
        str | None,
        typer.Option("--pack", metavar="DIR", help="Add the rule to the pack whose Python package is this folder."),
    ] = None,
) -> None:
    """Create a pack of rules, or add a rule to a pack.

    Inside a pack, writes the module and the golden file of the rule. Elsewhere, creates the folder dockfix-NAME with a
    project: pyproject.toml, the rule with an option, golden cases and a test. Install it with
    `pip install -e '.[dev]'`, and run `pytest`.
    """
    from dockfix.project.target import find_project_root  # noqa: PLC0415 - only this command needs them
    from dockfix.rule.scaffold import Pack, ScaffoldError, add_rule, find_pack, new_pack  # noqa: PLC0415 - as above

    terminal = console()
    here = Path.cwd()
    _check_name(name, context.obj, terminal)
    try:
        found = Pack(Path(pack), find_project_root(Path(pack))) if pack is not None else find_pack(here)
        if found is None:
            written, listed = new_pack(name, here), True
        else:
            written, listed = add_rule(name, found)
    except ScaffoldError as error:
        terminal.fail(shown(str(error)))
    for path in written:
        terminal.out(f"{shown(str(path.relative_to(here) if path.is_relative_to(here) else path))}\n")
    if found is None:
        terminal.note(f"next: cd dockfix-{name}, pip install -e '.[dev]', pytest")
    elif not listed:
        terminal.note(f"next: add {name!r} to the rules of the pack in {shown(str(found.package / '__init__.py'))}")


def _check_name(name: str, state: object, terminal: Console) -> None:
    """End the command if an installed pack has the rule: dockfix would load neither of the two packs."""
    from dockfix.rule.registry import Registry, RegistryError, load_registry  # noqa: PLC0415 - as above

    try:
        registry = state if isinstance(state, Registry) else load_registry()
    except RegistryError:
        return  # a broken pack is no reason not to write another one
    if name in registry.names:
        pack = registry.packs.get(name)
        where = f"the installed pack {shown(pack)!r}" if pack else "an installed pack"
        terminal.fail(f"{where} has a rule {name!r}; choose another name")
