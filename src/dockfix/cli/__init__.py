"""The command line: one file a command, nothing but wiring of the library's functions.

- `app`: the typer application: the commands and what they have in common.
- `apply`: `dockfix apply`: write fixes in place, or show them.
- `applying`: what `dockfix apply` does.
- `ast`: `dockfix ast`: the tree, for codemod authors.
- `check`: `dockfix check`: findings, nothing written.
- `checking`: what `dockfix check` does.
- `console`: standard output and error: colours where they are wanted, and no text that a terminal cannot show.
- `ending`: ending a command on a signal, so that no temporary file and no process of it is left.
- `errors`: why a command ends early.
- `explain`: `dockfix explain`: a rule's page.
- `init`: `dockfix init`: a new Dockerfile.
- `interactive`: asking a person about each fix, as `git add -p` asks about each hunk.
- `new`: `dockfix new`: scaffold a codemod with a golden file.
- `options`: the options that commands share, for typer.
- `planning`: what the options that commands share and the configuration come to.
- `reporting`: what commands say of a run.
- `rules`: `dockfix rules`: the catalogue.
- `targets`: `dockfix targets`: every Dockerfile, and how it is built.
- `usage`: what is wrong with a command line, in words that do not depend on the version of typer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dockfix import __version__
from dockfix.cli.errors import INTERRUPTED, Ended, OutputClosed

BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None, state: object = None) -> int:
    """Run dockfix and give its exit code.

    Args:
        arguments: the command line without the program; by default that of this process.
        state: a `dockfix.rule.registry.Registry` to use in place of the installed packs.
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
