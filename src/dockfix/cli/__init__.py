"""The command line: one file a command, nothing but wiring of the library's functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dockfix import __version__

BROKEN_PIPE = 141
INTERRUPTED = 130


class OutputClosed(Exception):  # noqa: N818 - not an error of anybody's
    """Whoever read our output is gone. No OSError, which typer would take for its own to handle."""


class Ended(BaseException):
    """A signal other than an interrupt ends the command; `number` is its number. No Exception, so that nobody's codemod
    and no parser takes it for one of its errors.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def main(arguments: Sequence[str] | None = None, state: object = None) -> int:
    """Run dockfix and give its exit code.

    Args:
        arguments: the command line without the program; by default that of this process.
        state: a `dockfix.codemod.registry.Registry` to use in place of the installed packs.
    """
    # Processes that are started anew, as workers are on macOS, must not import from the current folder either.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        # Imports stand inside: an interrupt may come while they load.
        code = _plain(sys.argv[1:] if arguments is None else list(arguments), state)
        if code is None:
            from dockfix.cli.app import app  # noqa: PLC0415 - brings typer, which takes longest

            result = app(
                None if arguments is None else list(arguments), prog_name="dockfix", standalone_mode=False, obj=state
            )
            code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except SystemExit as ended:  # a command that ends early, as `Console.fail` does
        sys.stdout.flush()
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except KeyboardInterrupt:
        sys.stderr.write("dockfix: interrupted; files that were already written stay as they are\n")
        return INTERRUPTED
    except Ended as ended:
        return 128 + ended.number  # as shells have it; whoever sent it need not be told
    except (OutputClosed, BrokenPipeError):
        # Say nothing, and keep the interpreter from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except Exception as error:
        # typer's usage errors; their class moved between versions, so they are known by what they can do.
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        show, usage_code = getattr(error, "show", None), getattr(error, "exit_code", None)
        if not callable(show) or not isinstance(usage_code, int):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            show()
        else:
            from dockfix.cli.usage import show_usage_error  # noqa: PLC0415 - only an error needs it

            show_usage_error(error)
        return usage_code
    return code


def _plain(arguments: Sequence[str], state: object) -> int | None:
    """Do what a command line asks that needs no parser: `--version`, or `check` or `apply` of paths without options.

    That is what pre-commit, editors and most people call, and a parser takes longer to load than they take to run.
    None if it is another command line; what an option means is said in one place only.
    """
    if "_DOCKFIX_COMPLETE" in os.environ or os.name == "nt":  # there the parser expands wildcards
        return None
    if list(arguments) in (["--version"], ["-V"]):
        sys.stdout.write(f"dockfix {__version__}\n")
        return 0
    if not arguments or any(each.startswith("-") and each != "-" for each in arguments):
        return None
    command, *paths = arguments
    if command not in ("check", "apply"):
        return None
    from dockfix.cli.console import console  # noqa: PLC0415 - --version needs neither
    from dockfix.cli.planning import Given  # noqa: PLC0415 - nor this

    if command == "check":
        from dockfix.cli.checking import check  # noqa: PLC0415 - each command loads its own

        return check(state, Given(paths=paths), console())
    from dockfix.cli.applying import apply  # noqa: PLC0415 - each command loads its own

    return apply(state, Given(paths=paths), console())
