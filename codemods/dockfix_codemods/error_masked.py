"""The failure of an install is ignored.

## What it does

Reports an install command followed by `|| true`, `|| :`, `|| exit 0` or `|| echo ...`, either directly or after the
`( )` or `{ }` around it.

## Why is this bad?

The build succeeds without the package, and the image fails later, on another machine. A temporary network error has
the same effect as a package that no longer exists.

## Example

```dockerfile
FROM python:3.12-slim
RUN pip install lxml || echo "lxml could not be installed"
```

## Fix safety

The rule has no fix: only a maintainer knows whether the package is needed. If it is, remove the `||` and what follows
it. If not, remove the install, or write an `if` that names the case in which it may fail.

## When it does not apply

- Commands that install nothing: removals, clean-ups, `apt-get update`, `rm`, `which`, `grep` and similar.
- A second way to install after `||`, and a message followed by `exit 1`.
- Loops, which try again (see `retry-loop`), functions, pipelines and background jobs.

## References

- POSIX, and-or lists: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_09_03
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dockfix.facts.packages import Action
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Finding, Severity
from dockfix.syntax.shell import Compound, Context, Script, SimpleCommand

if TYPE_CHECKING:
    from dockfix.facts.commands import Commands
    from dockfix.facts.packages import PackageCommand

_INSTALLS: Final = frozenset((Action.INSTALL, Action.SYNC))
_LEAVES: Final = frozenset(("break", "continue", "exit", "return", "false"))
_ELSEWHERE: Final = Context.LOOP | Context.FUNCTION | Context.SUBSTITUTION | Context.BACKGROUND | Context.PIPELINE


def check(target: Target) -> Iterator[Finding]:
    """Find the installs whose failure is followed by a command that succeeds."""
    for _, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        for command, package, fallback in _masked_installs(commands):
            shown = " ".join((package.manager, *package.verb))
            instead = "exit 0" if fallback.name == "exit" else fallback.name
            message = f"`|| {instead}` hides the failure of `{shown}`"
            yield Advice(commands.span(command), message, help=f"let the build fail: remove `|| {instead}`")


def _masked_installs(commands: Commands) -> Iterator[tuple[SimpleCommand, PackageCommand, SimpleCommand]]:
    """The installs whose failure does not end the script, each with the command that runs after a failure."""
    script = commands.script
    if script is None or "||" not in script.text:
        return
    for step in commands.packages:
        package = step.package
        if package is None or package.action not in _INSTALLS or step.depth or step.command.context & _ELSEWHERE:
            continue
        fallback = _fallback(script, step.command) or _fallback_of_group(script, step.command)
        if fallback is not None:
            yield step.command, package, fallback


def _fallback(script: Script, command: SimpleCommand) -> SimpleCommand | None:
    """The command that runs if `command` fails; None unless it succeeds and nothing after it fails the script."""
    following = [each for each in script.commands if each.start > command.start]
    at = command
    for each in following:
        operator = at.after
        if operator is None or each.before is None or each.before.start != operator.start:
            return None  # a group, a subshell or a command substitution is in between
        if operator.text == "&&":
            if each.name in _LEAVES:
                return None
            at = each
            continue
        if operator.text != "||" or not _succeeds(each):
            return None
        successor = next((other for other in following if other.start > each.start), None)
        fails = (
            each.after is not None and each.after.text == "&&" and successor is not None and successor.name in _LEAVES
        )
        return None if fails else each
    return None


def _fallback_of_group(script: Script, command: SimpleCommand) -> SimpleCommand | None:
    """The command that runs if a top-level `( ... )` or `{ ...; }` fails because `command` in its `&&` list fails."""
    for group in script.top_level:
        if not isinstance(group, Compound) or group.kind not in ("subshell", "compound_statement"):
            continue
        if not (group.start < command.start and command.end < group.end):
            continue
        rest = [each for each in group.commands if each.start >= command.start]
        linked = all(one.after is not None and one.after.text == "&&" for one in rest[:-1])
        if not linked or group.after is None or group.after.text != "||":
            return None
        following = [each for each in script.commands if each.start > group.end]
        if not following or following[0].before != group.after or not _succeeds(following[0]):
            return None
        after = following[0].after
        leaves = len(following) > 1 and following[1].name in _LEAVES
        return None if after is not None and after.text == "&&" and leaves else following[0]
    return None


def _succeeds(command: SimpleCommand) -> bool:
    if command.name == "exit":
        return [word.value for word in command.args] == ["0"]
    return has_trait(command.basename, Trait.NO_OP, Trait.PRINTS)


CODEMOD: Final = Codemod(
    name="error-masked",
    title="the failure of an install is ignored",
    severity=Severity.WARNING,
    category=Category.CORRECTNESS,
    effects=frozenset(),
    check=check,
    since="0.1.0",
    triggers=("||",),
    findings=("web 2",),
)
