"""How an ARG becomes a secret mount, and what prevents it."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.edit.dockerfile import delete_arguments, delete_superseded, insert_first, insert_flag
from dockfix.edit.text import Change
from dockfix.facts.frontend import frontend_is
from dockfix.facts.model import Known, Refused
from dockfix.facts.stages import Stage
from dockfix.facts.variables import names_mentioned, uses
from dockfix.project import wiring
from dockfix.project.target import Target
from dockfix.rule import Edit
from dockfix.syntax.tree import Arg, Env, Instruction, Pair, Run
from dockfix_codemods.build_secret.callers import caller_changes
from dockfix_codemods.build_secret.names import is_secret


def mount_edits(target: Target, stage: Stage, arg: Arg, pair: Pair) -> tuple[Edit, ...]:
    """Remove the ARG, and mount the secret in the steps that name it.

    Raises:
        Refused: another instruction needs the ARG, or a build passes it.
    """
    _check_argument(target, stage, arg, pair)
    runs = list(_runs(target, stage, arg, pair.key))
    if not runs:
        raise Refused("no `RUN` of the stage names it: a program may read it from its environment")
    required = ",required=true" if pair.value is None and _always_passed(target, stage, pair.key) else ""
    if has_env(target):
        mount = f"--mount=type=secret,id={pair.key},env={pair.key}{required}"
        edits = [insert_flag(target.dockerfile, run, mount) for run in runs]
    else:
        mount = f"--mount=type=secret,id={pair.key}{required}"
        edits = [insert_flag(target.dockerfile, run, mount) for run in runs]
        edits += [_read_file(target, run, pair.key, optional=not required) for run in runs]
    if len(arg.pairs) > 1:
        gone = delete_arguments(target.dockerfile, arg, [pair.word])
    else:
        gone = list(delete_superseded(target.dockerfile, [arg], runs[0]))
    return (*gone, *edits)


def _always_passed(target: Target, stage: Stage, key: str) -> bool:
    """Whether no build of the project builds the stage without the argument."""
    building = [each for each in target.builds if stage in target.facts.graph.needed_for(each.target)]
    return len(wiring.passing(target, stage, key)) == len(building)


def has_env(target: Target) -> bool:
    """Whether the frontend knows `env=` of a secret mount; without `# syntax=` it is that of the builder."""
    syntax = target.dockerfile.directives.get("syntax")
    return syntax is None or frontend_is(syntax.value, 1, 10)


def _read_file(target: Target, run: Run, key: str, *, optional: bool) -> Edit:
    """The command that puts the content of the secret's file into the variable, at the start of a script.

    Raises:
        Refused: the script may not be able to read the file.
    """
    commands = target.facts.commands(run)
    where = f"line {run.start_line}"
    if target.facts.state(run).is_root != Known(True):
        raise Refused(f"{where} may not run as root, who alone can read the file of the secret")
    if commands.script is None or not commands.script.top_level:
        raise Refused(f"how {where} uses it is not known: {commands.why}")
    if any(each.after is not None and each.after.text == "&" for each in commands.script.commands):
        raise Refused(f"{where} starts a process in the background, which may not get the variable")
    quiet = " 2>/dev/null" if optional else ""
    new = f'export {key}="$(cat /run/secrets/{key}{quiet})"'
    return insert_first(target.dockerfile, run, commands.text, commands.script, new)


def caller_edits(target: Target, stage: Stage, key: str) -> tuple[Change, ...]:
    """The changes of the compose files that pass the ARG.

    Raises:
        Refused: one cannot be changed.
    """
    passing = wiring.passing(target, stage, key)
    return caller_changes(target.project, passing, key, keep_args=len(_declaring(target).get(key, ())) > 1)


def _declaring(target: Target) -> dict[str, list[Arg]]:
    """The ARGs of the file that declare each name."""

    def declaring() -> dict[str, list[Arg]]:
        found: dict[str, list[Arg]] = {}
        for each in (node for node in target.dockerfile.instructions if isinstance(node, Arg)):
            for key in dict.fromkeys(pair.key for pair in each.pairs):
                found.setdefault(key, []).append(each)
        return found

    return target.facts.once("build-secret declaring", declaring)


def _naming(target: Target) -> dict[str, list[tuple[Stage, Instruction]]]:
    """The instructions of the stages that mention each name."""

    def naming() -> dict[str, list[tuple[Stage, Instruction]]]:
        found: dict[str, list[tuple[Stage, Instruction]]] = {}
        for stage in target.facts.graph.stages:
            for each in stage.instructions:
                for name in names_mentioned(each):
                    found.setdefault(name, []).append((stage, each))
        return found

    return target.facts.once("build-secret naming", naming)


def _check_argument(target: Target, stage: Stage, arg: Arg, pair: Pair) -> None:
    """Raise `Refused` if the ARG itself prevents the fix."""
    key = pair.key
    if pair.value not in (None, "", '""', "''"):
        raise Refused("it has a default value, which is in the Dockerfile for all to read")
    first = target.facts.graph.stages[0].node.span.start
    if any(each.span.start < first for each in _declaring(target).get(key, ())):
        raise Refused("it is also declared before the first `FROM`")
    if sum(is_secret(each.key) for each in arg.pairs) > 1:
        raise Refused("the `ARG` declares several secrets: give each an `ARG` of its own")
    if arg.comments:
        raise Refused(f"the comments inside line {arg.start_line} would be lost")
    syntax = target.dockerfile.directives.get("syntax")
    if syntax is not None and not frontend_is(syntax.value, 1, 2):
        raise Refused(f"secret mounts require Dockerfile 1.2, but line {syntax.line} selects another one")
    others = {each.index for each, _ in _naming(target).get(key, ()) if each is not stage and not each.replaced}
    for child in target.facts.graph.descendants(stage) if others else ():
        if child.index in others:
            raise Refused(f"the stage in line {child.node.start_line}, which is based on this one, names it, too")
    if not target.builds_known:
        raise Refused(f"{target.unread[0]} may build this file, and could not be read")


def _runs(target: Target, stage: Stage, arg: Arg, key: str) -> Iterator[Run]:
    """The steps after the ARG that name it.

    Raises:
        Refused: another instruction does, or a step cannot be read.
    """
    for of, each in _naming(target).get(key, ()):
        if of is not stage or each is arg or each.span.start < arg.span.start:
            continue
        if isinstance(each, Env):
            raise Refused(f"line {each.start_line} copies it into an environment variable")
        if not isinstance(each, Run):
            if key in uses(each) or isinstance(each, Arg):
                raise Refused(f"line {each.start_line} uses it, and is not a `RUN`")
            continue
        if key in uses(each) or any(key in (mount.get("env"), mount.get("id")) for mount in each.mounts):
            raise Refused(f"line {each.start_line} uses it in a mount")
        script = target.facts.commands(each).script
        if script is None:
            raise Refused(f"how line {each.start_line} uses it is not known: {target.facts.commands(each).why}")
        if key in script.assigned:
            raise Refused(f"line {each.start_line} assigns another value to it")
        yield each
