"""What `dockfix apply` does."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockfix.cli.console import Console, shown
from dockfix.cli.ending import cleaned_up
from dockfix.cli.errors import DEFECT, INTERRUPTED
from dockfix.cli.planning import Given, Plan, exit_code, one_plan, plans
from dockfix.cli.replaying import may_be_kept

if TYPE_CHECKING:
    from dockfix.cli.building import BuildsGiven
    from dockfix.verify.session import Proof


def apply(
    state: object,
    given: Given,
    terminal: Console,
    *,
    diff: bool = False,
    check: bool = False,
    split: str | None = None,
    interactive: bool = False,
    fail_on_fix: bool = False,
    prove: bool = False,
    builds: BuildsGiven | None = None,
) -> int:
    """Fix Dockerfiles in place, or show the changes; returns the exit code."""
    if builds is not None and builds.names and not prove:
        terminal.fail(f"{' and '.join(builds.names)} can only be used with --prove")
    if prove and given.unsafe:
        terminal.fail("--unsafe and --prove cannot be combined: --prove applies the unsafe fixes that a build proves")
    if split is not None and (diff or check or interactive or prove):
        terminal.fail("--split cannot be combined with --diff, --check, --interactive or --prove")
    if split is not None:  # patches are relative to one root
        from dockfix.cli import splitting  # noqa: PLC0415 - of this option only

        one = one_plan(state, given, terminal, f"apply --split {shown(shlex.quote(split))}")
        if one.stdin:
            terminal.fail("--split cannot be combined with standard input")
        return splitting.split(one, terminal, splitting.check_folder(split, terminal))
    todo = plans(state, given, terminal)
    stdin = any(each.stdin for each in todo)
    if prove and (interactive or stdin):
        terminal.fail("--prove cannot be combined with --interactive or standard input")
    if interactive and (diff or check or stdin):
        terminal.fail("--interactive cannot be combined with --diff, --check or standard input")
    if stdin:
        return _filter(todo[0], terminal, diff=diff, check=check, fail_on_fix=fail_on_fix)
    if prove:
        return _prove(todo, terminal, builds, diff=diff, check=check, fail_on_fix=fail_on_fix)
    with cleaned_up():
        return _files(todo, terminal, diff=diff, check=check, interactive=interactive, fail_on_fix=fail_on_fix)


def _files(
    todo: Sequence[Plan], terminal: Console, *, diff: bool, check: bool, interactive: bool, fail_on_fix: bool
) -> int:
    from dockfix.cli import reporting  # noqa: PLC0415 - with what follows, needed by none of the other commands
    from dockfix.cli.interactive import Reviewer  # noqa: PLC0415 - as above
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as above
    from dockfix.engine.session import run_paths  # noqa: PLC0415 - as above
    from dockfix.output.places import in_one_root  # noqa: PLC0415 - as above

    would = diff or check
    reviewer = Reviewer(terminal) if interactive else None
    with reviewer.interruptible() if reviewer else contextlib.nullcontext():
        results = [
            run_paths(
                each.paths,
                each.settings,
                root=each.root,
                registry=each.registry,
                write=not would,
                accept=reviewer,
                progress=None if interactive else reporting.progress(terminal),
            )
            for each in todo
        ]
    result = joined(in_one_root(results))
    if diff:
        reporting.diffs(result, terminal)
    reporting.trouble(result, terminal, todo[0].registry)
    # what the user was not asked about was not declined
    reporting.applied(result, terminal, would=would, asked=reviewer is not None and not reviewer.ended)
    if reviewer is not None and reviewer.interrupted:
        terminal.err("dockfix: interrupted; only the fixes accepted so far were written")
        return INTERRUPTED
    if reviewer is None and (would or not result.changed):
        may_be_kept()
    return exit_code(result, differs=bool(result.changed) and (would or fail_on_fix))


def _prove(
    todo: Sequence[Plan], terminal: Console, builds: BuildsGiven | None, *, diff: bool, check: bool, fail_on_fix: bool
) -> int:
    from dockfix.cli import reporting  # noqa: PLC0415 - as in _files
    from dockfix.cli.building import BuildsGiven  # noqa: PLC0415 - as in _files
    from dockfix.engine.joining import joined  # noqa: PLC0415 - as in _files
    from dockfix.engine.writing import write_run  # noqa: PLC0415 - as in _files
    from dockfix.output.places import in_one_root  # noqa: PLC0415 - as in _files

    would = diff or check
    proofs = [_proof(each, terminal, builds or BuildsGiven()) for each in todo]
    with cleaned_up():
        runs = [proof.run if would else write_run(proof.run) for proof in proofs]
    result = joined(in_one_root(runs))
    if diff:
        reporting.diffs(result, terminal)
    reporting.trouble(result, terminal, todo[0].registry)
    contradicted = [
        reporting.proven(proof, run, terminal, would=would) for proof, run in zip(proofs, runs, strict=True)
    ]
    if any(contradicted):
        return DEFECT
    return exit_code(result, differs=bool(result.changed) and (would or fail_on_fix))


def _proof(todo: Plan, terminal: Console, builds: BuildsGiven) -> Proof:
    """What builds show of the fixes of one project."""
    from dockfix.cli.building import building  # noqa: PLC0415 - as in _files
    from dockfix.verify.session import prove_paths  # noqa: PLC0415 - as in _files

    with building(builds, terminal) as work:
        return prove_paths(
            todo.paths,
            # an `unsafe` of the configuration must not apply what no build has proven
            replace(todo.settings, unsafe=False),
            root=todo.root,
            registry=todo.registry,
            options=builds.options,
            builder=work.builder,
            folder=work.folder,
            on_event=work.on_event,
        )


def _filter(todo: Plan, terminal: Console, *, diff: bool, check: bool, fail_on_fix: bool) -> int:
    from dockfix.cli import reporting  # noqa: PLC0415 - as in _files
    from dockfix.engine.session import run_text  # noqa: PLC0415 - as in _files
    from dockfix.syntax.source import encode  # noqa: PLC0415 - as in _files

    data = sys.stdin.buffer.read()
    result = run_text(data, todo.settings, root=todo.root, registry=todo.registry, path=todo.stdin_path)
    outcome = result.files[0]
    if diff:
        reporting.diffs(result, terminal)
    elif not check:
        # Input that cannot be used is passed through unchanged, so that a filter loses nothing.
        terminal.raw(encode(outcome.text) if outcome.changed else data)
    reporting.trouble(result, terminal, todo.registry)
    reporting.applied(result, terminal, would=diff or check)
    return exit_code(result, differs=outcome.changed and (diff or check or fail_on_fix))
