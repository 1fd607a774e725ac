"""`wget` writes its progress bar into the build log.

## What it does

Finds `wget` without an option about its output, and adds `-nv`.

## Why is this bad?

Without a terminal, `wget` writes a line with dots for every 50 KB: 20,000 lines for a file of 1 GB, between which
nobody finds the error. `-nv` leaves one line for each file, and errors.

## Example

```dockerfile
FROM debian:12
RUN wget https://example.org/tool.tar.gz
```

Use instead:

```dockerfile
FROM debian:12
RUN wget -nv https://example.org/tool.tar.gz
```

## Fix safety

The fix is safe: GNU Wget, Wget2 and the wget of BusyBox take `-nv`, and it changes nothing but what they write to
standard error. BusyBox refuses `--progress`, which hadolint recommends. If neither the base image nor an installation
says which `wget` it is, the fix is unsafe.

## When it does not apply

- `-q`, `-nv`, `--progress`, a log file (`-o`, `-a`), and `-v`, `-d` or `-S`, which ask for more.
- Standard error that is redirected, since something may read it; also that of a group, a loop or a script.
- A function with the name `wget`, which may take other options.
- A `.wgetrc`, which may set it.

## References

- wget(1), GNU Wget 1.21; `wget.c` of BusyBox 1.35, which ignores `-nv`
- [hadolint DL3047](https://github.com/hadolint/hadolint/wiki/DL3047)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dockfix.edit.dockerfile import insert_word
from dockfix.facts.packages import Action
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.rule import Category, Codemod, Effect, Finding, Fix, InOnbuild, Promise, Safety, Severity
from dockfix.syntax.shell import Compound, Script, SimpleCommand, Word
from dockfix.syntax.tree import Run

_OPTION: Final = "-nv"
_ABOUT_OUTPUT: Final = ("--quiet", "--no-verbose", "--progress", "--show-progress", "--output-file", "--append-output")
_MORE: Final = ("--verbose", "--debug", "--server-response", "--background", "--help", "--version")
_VALUED: Final = frozenset("eOtTwQPUlARDIXiBYC")
"""The letters that take the rest of their word, or the next one, as their value (wget(1))."""

_FUNCTION: Final = frozenset(("wget", "wget(", "wget ", "wget\t", "wget{"))
_REVIEW: Final = "check that the image's `wget` is that of GNU or BusyBox, which take `-nv`"


def check(target: Target) -> Iterator[Finding]:
    """Find the downloads whose progress is in the log."""
    if "wgetrc" in target.text.lower():
        return
    known: dict[int, bool] = {}
    for stage, run in target.facts.runs(shell_form=True):
        commands = target.facts.commands(run)
        around: tuple[tuple[int, int], ...] | None = None
        for step in commands.steps:
            command = step.command
            if command.basename != "wget" or _says_how_much(command.args) or _redirects_errors(command):
                continue
            if commands.script is None:
                break
            if around is None:
                around = _readers_of_errors(commands.script)
            if any(start < command.start < end for start, end in around):
                continue
            if stage.index not in known:
                known[stage.index] = _is_known(target, stage)
            word = command.words[0]
            edit = insert_word(target.dockerfile, run, commands.text, word.start, word.end, _OPTION)
            safety, review = (Safety.SAFE, "") if known[stage.index] else (Safety.UNSAFE, _REVIEW)
            message = "`wget` writes its progress into the build log"
            cause = f"stage {stage.index}"
            yield Fix(commands.span(command), message, (edit,), safety, f"add `{_OPTION}`", review, cause=cause)


def _says_how_much(words: Sequence[Word]) -> bool:
    """Whether an option is about the output, or there is nothing to download."""
    operands = False
    skip = False
    for word in words:
        text = word.text
        if skip:
            skip = False
        elif text.startswith("--"):
            if any(
                text.startswith(name) or (len(text) > 4 and name.startswith(text)) for name in _ABOUT_OUTPUT + _MORE
            ):
                return True
            operands = operands or text.startswith("--input-file")
        elif text.startswith("-") and len(text) > 1:
            letters = text[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in "qvdSbhVoa" or (letter == "n" and letters[:1] == "v"):
                    return True
                if letter == "n":
                    letters = letters[1:]
                elif letter in _VALUED:
                    operands = operands or letter == "i"
                    skip, letters = not letters, ""
        else:
            operands = True
    return not operands


def _redirects_errors(command: SimpleCommand) -> bool:
    return any(each.descriptor == "2" or each.operator in ("&>", "&>>", "|&", ">&") for each in command.redirects) or (
        command.after is not None and command.after.text == "|&"
    )


def _readers_of_errors(script: Script) -> tuple[tuple[int, int], ...]:
    """The places in which the errors of a command are read; all of the script if `wget` is a function of it."""
    everywhere = ((-1, len(script.text) + 1),)
    if any(each.basename == "alias" for each in script.commands) and "wget=" in script.text:
        return everywhere
    redirecting = [each for each in script.commands if _redirects_errors(each)]
    if any(each.basename == "exec" and len(each.words) == 1 for each in redirecting):
        return everywhere
    at = 0
    others: list[str] = []  # the script without the redirects of its simple commands
    for start, end in sorted((redirect.start, redirect.end) for each in script.commands for redirect in each.redirects):
        others.append(script.text[at:start])
        at = max(at, end)
    text = "".join((*others, script.text[at:]))
    if any(redirect in text for redirect in ("2>", "&>", ">&", "|&")):
        return everywhere
    functions = (each for each in script.top_level if isinstance(each, Compound) and each.kind == "function_definition")
    if any(script.text[each.start : each.end].removeprefix("function").lstrip()[:5] in _FUNCTION for each in functions):
        return everywhere
    return tuple((each.start, each.end) for each in redirecting)


def _is_known(target: Target, stage: Stage) -> bool:
    """Whether the base image is known, or the file installs wget."""
    if stage.base is not None:
        return True
    for each in target.facts.graph.chain(stage):
        for run in each.executed:
            for step in target.facts.commands(run).packages if isinstance(run, Run) else ():
                package = step.package
                installs = package is not None and package.action is Action.INSTALL
                if package is not None and installs and any(word.value == "wget" for word in package.packages):
                    return True
    return False


CODEMOD: Final = Codemod(
    name="wget-progress",
    title="`wget` writes its progress bar into the build log",
    severity=Severity.INFO,
    category=Category.STYLE,
    effects=frozenset({Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=("wget",),
    hadolint=frozenset({"DL3047"}),
    onbuild=InOnbuild.FIX,
    promise=Promise(rationale="The option changes only what is written to standard error."),
)
