"""Finds loops that retry a command and ignore the last failure.

The exit status of a loop is that of the last command of its body that ran (POSIX.1-2017 XCU 2.9.4). If that is a
`sleep` or an `echo`, the loop succeeds although every attempt failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dockfix.facts.commands import Commands
from dockfix.facts.model import Refused
from dockfix.facts.tables.programs import Trait, has_trait
from dockfix.syntax.shell import (
    Compound,
    ShellKind,
    SimpleCommand,
    Statement,
    Token,
    Word,
    shell_kind,
    shell_options,
    tokens,
)
from dockfix.syntax.source import Span

_TESTS: Final = frozenset(("[", "[[", "test", "grep", "command", "which", "type", "true", ":", "false"))
"""Commands that search rather than try: in `for f in a b; do [ -f $f ] && break; ...` no match is not a failure."""
_ENDLESS: Final = frozenset(("true", ":", "false"))
_STOPS: Final = frozenset(("exit", "return", "continue", "trap", "set", "eval", "exec"))
_CLOSING: Final = frozenset(("fi", "done", "esac", "}", ")"))
_OPPOSITE: Final = {
    "-lt": "-ge",
    "-ge": "-lt",
    "-gt": "-le",
    "-le": "-gt",
    "-eq": "-ne",
    "-ne": "-eq",
    "=": "!=",
    "!=": "=",
}


class RetryLoop(Struct, frozen=True):
    """A loop that retries a command, and succeeds if the last attempt fails.

    `command` is what the loop tries, as the script spells it. `head` and `body` are the tokens before `do` and between
    `do` and `done`. `body_span` ends after the operator before `done`, and `done` is the offset of that word.
    `following` are the statements after the loop. All offsets are those of the script.
    """

    loop: Compound
    command: str
    head: Sequence[Token]
    body: Sequence[Token]
    body_span: Span
    done: int
    following: Sequence[Statement]


def retry_loops(commands: Commands) -> Iterator[RetryLoop]:
    """The loops of a script's top level that retry a command and cannot fail."""
    script = commands.script
    if script is None or "do" not in script.text or "break" not in script.text:
        return
    found = tokens(script.text)
    for position, statement in enumerate(script.top_level):
        if not isinstance(statement, Compound) or statement.kind not in ("for_statement", "while_statement"):
            continue
        inside = [token for token in found if statement.start <= token.start < statement.end]
        following = script.top_level[position + 1 :]
        retry = _retry(commands.text.text, statement, inside, following)
        if retry is not None and not _checks_result(following):
            yield retry


def _retry(text: str, loop: Compound, inside: Sequence[Token], following: Sequence[Statement]) -> RetryLoop | None:
    start = next((index for index, token in enumerate(inside) if token.text == "do"), None)
    if start is None or inside[-1].text != "done" or inside[0].text == "select":
        return None
    head, body = inside[:start], inside[start + 1 : -1]
    if not body or body[-1].text not in (";", "\n") or any(token.text in ("for", "while", "until") for token in body):
        return None
    if inside[0].text != "for" and all(
        token.text or (token.words[:1] and token.words[0].value in _ENDLESS) for token in head
    ):
        return None
    names = [token.words[0].value if token.words else None for token in body]
    breaks = [index for index, name in enumerate(names) if name == "break"]
    if len(breaks) != 1 or _STOPS & {name for name in names if name}:
        return None
    tried = _tried(body, breaks[0])
    if tried is None or not _succeeds_after_failure(body[:-1], breaks[0]) or "sleep" not in names:
        return None
    command = text[tried[0] : tried[1]]
    return RetryLoop(loop, command, head, body, Span(body[0].start, body[-1].end), inside[-1].start, following)


def _tried(body: Sequence[Token], at: int) -> tuple[int, int] | None:
    """The offsets of the command whose success leaves the loop: `CMD && break`, `if CMD; then break; fi`."""
    if at < 2 or len(body[at].words) != 1 or body[at].redirected:
        return None
    if body[at - 1].text == "&&":
        last = at - 2
    elif body[at - 1].text == "then" and body[at - 2].text in (";", "\n"):
        last = at - 3
    else:
        return None
    if body[last].text:
        return None
    first = last
    while first >= 0 and not body[first].text:
        previous = body[first - 1].text if first else ";"
        if previous not in ("&&", "|"):
            break
        first -= 2
    if first >= 0 and body[first].text:
        first += 2  # a compound command precedes it
    tried = body[first : last + 1]
    if first < 0 or not tried or any(token.negated or (not token.text and not token.words) for token in tried):
        return None
    last_command = tried[-1].words[0].value
    if last_command is None or last_command.rpartition("/")[2] in _TESTS:
        return None
    return tried[0].start, tried[-1].end


def _succeeds_after_failure(body: Sequence[Token], at: int) -> bool:
    """Whether the body ends with a command that succeeds after a failed attempt."""
    end = len(body) - 1
    while end > at and body[end].text in _CLOSING:
        if body[end].text == "fi":
            # An `if` without `else` succeeds if its condition fails; with `else`, its last command decides.
            if not any(token.text == "else" for token in body[at:end]):
                return True
            end -= 1
        elif body[end].text in (")", "}"):
            end -= 1
        else:
            return False
        while end > at and body[end].text in (";", "\n"):
            end -= 1
    last = body[end]
    if end <= at:
        return False
    if last.words:
        # `[ $i -lt 3 ] && sleep 5` fails if its first half does.
        chain = [last]
        while end - 2 > at and body[end - 1].text == "&&":
            end -= 2
            chain.append(body[end])
        return all(
            bool(each.words) and has_trait(each.words[0].value, Trait.PRINTS, Trait.WAITS) and not each.negated
            for each in chain
        )
    return bool(last.assignments) and not last.text


def more_attempts_test(commands: Commands, retry: RetryLoop) -> str:
    """A test that succeeds as long as another attempt follows."""
    head, body = retry.head, retry.body
    if head[0].text == "for":
        return _not_last_of_list(commands, head, retry.loop)
    test = next((token for token in head[1:] if not token.text), None)
    condition = [token for token in head[1:] if token.text not in (";", "\n")]
    if test is None or len(condition) != 1 or test.negated or test.redirected or test.assignments:
        raise Refused("the condition of the loop is more than one test")
    words = test.words
    bracket = len(words) == 5 and words[0].value == "[" and words[4].value == "]"
    if not bracket or words[2].value not in _OPPOSITE:
        raise Refused("the condition of the loop does not compare a counter")
    counter = [name for word in (words[1], words[3]) for name in word.variables]
    if len(counter) != 1 or any("(" in word.text or "`" in word.text for word in (words[1], words[3])):
        raise Refused("the condition of the loop does not compare a single counter")
    if not any(each.name == counter[0] for token in body for each in token.assignments) and not any(
        counter[0] in word.text for token in body for word in token.words if token.words[0].value == "let"
    ):
        raise Refused(f"the loop body does not set the counter `{counter[0]}`")
    operator = words[2].text if head[0].text == "while" else _OPPOSITE[words[2].value or ""]
    return f"[ {words[1].text} {operator} {words[3].text} ]"


def _not_last_of_list(commands: Commands, head: Sequence[Token], loop: Compound) -> str:
    variable = head[1].words[0].text if len(head) > 1 and head[1].words else ""
    words = head[3].words if len(head) > 3 and head[2].text == "in" else ()
    if not variable or not words:
        raise Refused("the list of the loop is not literal")
    if any(
        variable in {each.name for each in command.assignments}
        or (command.name in ("read", "unset") and any(word.text == variable for word in command.args))
        for command in loop.commands
    ):
        raise Refused(f"the loop body sets `{variable}`")
    last = words[-1].value
    if len(words) == 1 and last is None:
        last = _last_of_sequence(words[0], loop)
        if last is None and words[0].text.startswith("{"):
            last = _last_of_braces(words[0].text)
            if last is not None and shell_kind(commands.shell or ()) is not ShellKind.BASH:
                raise Refused(f"`sh` does not expand `{words[0].text}`, so the loop makes only one attempt")
    values = [word.value for word in words]
    if last is None or not last or values.count(last) > 1 or (len(values) > 1 and None in values):
        raise Refused("the list of the loop is not literal")
    if not all(char.isascii() and (char.isalnum() or char in "._/:@+-") for char in last):
        raise Refused("the last word of the list needs quotes")
    return f'[ "${variable}" != {last} ]'


_SMALL_NUMBER: Final = re.compile(r"[0-9]{1,18}")
"""No loop runs more often, and Python does not convert thousands of digits."""


def _last_of_sequence(word: Word, loop: Compound) -> str | None:
    """`5` of `$(seq 5)` and `$(seq 1 5)`."""
    if word.quoted or not (word.text.startswith("$(") or word.text.startswith("`")):
        return None
    inside = [each for each in loop.commands if word.start < each.start and each.end < word.end]
    if len(inside) != 1 or inside[0].name != "seq" or inside[0].redirects:
        return None
    values = [argument.value for argument in inside[0].args]
    numbers = [int(value) for value in values if value is not None and _SMALL_NUMBER.fullmatch(value)]
    if len(values) not in (1, 2) or len(numbers) < len(values):
        return None
    first = numbers[0] if len(numbers) == 2 else 1
    return str(numbers[-1]) if first <= numbers[-1] else None


def _last_of_braces(text: str) -> str | None:
    first, dots, last = text[1:-1].partition("..")
    numbers = dots and text.endswith("}") and _SMALL_NUMBER.fullmatch(first) and _SMALL_NUMBER.fullmatch(last)
    return str(int(last)) if numbers and int(first) <= int(last) and not last.startswith("0") else None


def _checks_result(following: Sequence[Statement]) -> bool:
    """Whether the next statement checks how the loop ended: `[ -f file ]`, `if [ "$ok" ]`."""
    if not following:
        return False
    if isinstance(following[0], SimpleCommand):
        return following[0].basename in ("[", "[[", "test")
    return following[0].kind in ("if_statement", "case_statement")


def needs_exit(commands: Commands, retry: RetryLoop) -> bool:
    """Whether `|| exit 1` must follow the loop so that its failure ends the script."""
    loop = retry.loop
    before = loop.before.text if loop.before is not None else ";"
    after = loop.after.text if loop.after is not None else ""
    if before not in (";", "\n", "&&"):
        raise Refused(f"the loop follows `{before}`")
    if after in ("|", "|&", "&"):
        raise Refused(f"the loop is followed by `{after}`")
    if after == "||":
        if retry.following and _ends(retry.following[0]):
            return False
        raise Refused("the script handles a failure of the loop after it")
    if not after:
        return False
    errexit = "errexit" in shell_options(commands.shell or ()) or bool(loop.commands and loop.commands[0].errexit)
    if after == "&&":
        if all(each.after is None or each.after.text == "&&" for each in retry.following):
            return False
    elif errexit:
        return False
    if before == "&&":
        raise Refused("the loop ends an `&&` list whose failure does not end the script either")
    return True


def _ends(following: Statement) -> bool:
    """Whether a statement certainly fails the script: `exit 1`, `false`, `{ echo no; exit 1; }`."""
    last = following
    if isinstance(following, Compound) and following.kind in ("compound_statement", "subshell") and following.commands:
        last = following.commands[-1]
    if not isinstance(last, SimpleCommand):
        return False
    if last.name == "false":
        return True
    return last.name == "exit" and bool(last.args) and last.args[0].value != "0"
