"""The command line: one file a command, nothing but wiring of the library's functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

BROKEN_PIPE = 141
INTERRUPTED = 130


class OutputClosed(Exception):  # noqa: N818 - not an error of anybody's
    """Whoever read our output is gone. No OSError, which typer would take for its own to handle."""


def main(arguments: Sequence[str] | None = None, state: object = None) -> int:
    """Run dockfix and give its exit code.

    Args:
        arguments: the command line without the program; by default that of this process.
        state: a `dockfix.codemod.registry.Registry` to use in place of the installed packs.
    """
    try:
        from dockfix.cli.app import app  # noqa: PLC0415 - an interrupt may come while it loads

        result = app(
            None if arguments is None else list(arguments), prog_name="dockfix", standalone_mode=False, obj=state
        )
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("dockfix: interrupted; files that were already written stay as they are\n")
        return INTERRUPTED
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
        show()
        return usage_code
    return code
