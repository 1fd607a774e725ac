"""Messages about a wrong command line, the same for all versions of typer."""

from __future__ import annotations

from dockfix.cli.console import console, shown
from dockfix.project.problems import closest

_ARTEFACTS = ("Value error, ",)
"""What pydantic, which newer versions of typer use, adds before a message."""


def show_usage_error(error: Exception) -> None:
    """Write a usage error of typer to standard error; the classes of these moved between versions."""
    terminal = console()
    context = getattr(error, "ctx", None)
    message = shown(_message(error, context))
    if context is not None:
        terminal.err(shown(context.get_usage()))
    terminal.error(message)
    if context is not None:
        terminal.err(f"`{context.command_path} --help` shows all options")


def _message(error: Exception, context: object) -> str:
    option = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption" and option:
        parameters = getattr(getattr(context, "command", None), "params", ())
        close = closest(option, [name for each in parameters for name in (*each.opts, *each.secondary_opts)])
        return f"no such option: {option}" + (f"; did you mean {close}?" if close else "")
    message = str(getattr(error, "format_message", error.__str__)())
    for artefact in _ARTEFACTS:
        message = message.replace(artefact, "")
    return message[:1].lower() + message[1:]
