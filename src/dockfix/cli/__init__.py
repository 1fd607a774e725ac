"""The command line: one file per command, which only calls the functions of the library.

- `app`: the typer application.
- `apply`: `dockfix apply`: write fixes in place, or show them.
- `applying`: what `dockfix apply` does.
- `ast`: `dockfix ast`: the tree, for codemod authors.
- `auditing`: what `dockfix report` does.
- `baseline`: `dockfix baseline`: accept the findings of today.
- `baselining`: what `dockfix baseline` does.
- `building`: the builder of a command, with its temporary folder and its clean-up.
- `check`: `dockfix check`: findings, nothing written.
- `checking`: what `dockfix check` does.
- `clean`: `dockfix clean`: removes what earlier runs have kept.
- `completing`: the values that a shell offers.
- `console`: standard output and error, with colours and escaping.
- `documents`: writes the document that a command makes.
- `ending`: the end of a command that is interrupted or stuck.
- `errors`: exceptions that end a command early.
- `explain`: `dockfix explain`: a rule's page.
- `helping`: the layout of `--help`.
- `ignoring`: what `dockfix check --add-ignore` does.
- `init`: `dockfix init`: a new Dockerfile.
- `initialising`: what `dockfix init` does.
- `interactive`: asks about each fix, as `git add -p` asks about each hunk.
- `migrate`: `dockfix migrate`: the configuration of another tool as one of dockfix.
- `migrating`: what `dockfix migrate` does.
- `narrowing`: the findings of a run that `dockfix check` shows.
- `new`: `dockfix new`: a new pack, or a new rule in a pack.
- `options`: the shared options of commands, for typer.
- `planning`: the shared options combined with the configuration.
- `progress`: a progress display for builds.
- `report`: `dockfix report`: the audit of a project as a document.
- `replaying`: the output of an earlier run, if all that it has read is the same.
- `reporting`: messages about a run.
- `rules`: `dockfix rules`: the list of rules.
- `splitting`: what `dockfix apply --split` does.
- `streams`: writes bytes to standard output and error.
- `targets`: `dockfix targets`: every Dockerfile, and how it is built.
- `usage`: messages about a wrong command line, the same for all versions of typer.
- `verify`: `dockfix verify`: real builds, before against after.
- `verifying`: what `dockfix verify` does.
- `watching`: `dockfix check --watch`: checks again when a file changes.
- `wrapping`: breaks long lines at spaces for a terminal.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from dockfix import __version__
from dockfix.cli.errors import INTERRUPTED, Ended, OutputClosed

BROKEN_PIPE = 141
INVALID = 2


def main(arguments: Sequence[str] | None = None, state: object = None) -> int:
    """Run dockfix and return its exit code.

    Args:
        arguments: the command line without the program; by default that of this process.
        state: a `dockfix.rule.registry.Registry` to use instead of the installed packs.
    """
    if os.name == "nt":
        sys.stderr.write("dockfix does not run on Windows itself: use WSL, or the image (docs/install.md)\n")
        return INVALID
    gc.set_threshold(10_000)  # a tree has tens of thousands of objects, which the default would traverse many times
    # New processes, such as workers on macOS, must not import from the current folder either.
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        # The imports are inside `try`, since an interrupt may come while they load.
        code = _run(arguments, state)
        sys.stdout.flush()
    except SystemExit as ended:  # a command that ends early, as `Console.fail` does
        sys.stdout.flush()
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except KeyboardInterrupt:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            sys.stderr.write("\r\x1b[K")  # the line of a progress display, or `^C`
        sys.stderr.write("dockfix: interrupted; files that were already written stay as they are\n")
        return INTERRUPTED
    except Ended as ended:
        return 128 + ended.number  # as in shells; the sender needs no message
    except (OutputClosed, BrokenPipeError) as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the interpreter must not flush into a closed pipe or a full disk
        if not (reason := getattr(error, "reason", "")):
            return BROKEN_PIPE  # without a message
        with suppress(OSError):
            sys.stderr.write(f"dockfix: the output cannot be written: {reason}\n")
        return INVALID
    except FileNotFoundError:
        if _has_current_folder():
            raise
        sys.stderr.write("dockfix: the current folder does not exist any more\n")
        return INVALID
    except Exception as error:
        # typer's usage errors; their class moved between versions, so they are recognised by their methods.
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


def _has_current_folder() -> bool:
    """Whether the current folder was not removed meanwhile."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not loaded
    except FileNotFoundError:
        return False
    return True


def _run(arguments: Sequence[str] | None, state: object) -> int:
    """Run a command line; arguments as for `main`."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if state is not None or given[:1] not in (["check"], ["apply"]):
        return _parsed(arguments, given, state)
    from dockfix.cli.replaying import replayed_or  # noqa: PLC0415 - the other commands keep no output

    return replayed_or(given, lambda: _parsed(arguments, given, state))


def _parsed(arguments: Sequence[str] | None, given: Sequence[str], state: object) -> int:
    """Run a command line that is not known, with a parser if it needs one."""
    code = _plain(given, state)
    if code is not None:
        return code
    from dockfix.cli.app import app  # noqa: PLC0415 - brings typer, which takes longest

    def run() -> object:
        line = None if arguments is None else list(arguments)
        return app(line, prog_name="dockfix", standalone_mode=False, obj=state)

    if "_DOCKFIX_COMPLETE" in os.environ:
        from dockfix.cli.completing import complete_with_option, join_options  # noqa: PLC0415 - as above

        join_options(os.environ)
        result = complete_with_option(os.environ, run)
    else:
        result = run()
    return result if isinstance(result, int) else 0


def _plain(arguments: Sequence[str], state: object) -> int | None:
    """Run a command line that needs no parser: `--version`, or `check` or `apply` of paths without options.

    These are the most frequent ones, and the parser takes longer to load than they take to run. Returns None for any
    other command line.
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
