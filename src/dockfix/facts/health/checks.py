"""The text of health checks: which one is effective, and how a compose test is written in a Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from dockfix.facts.commands import Commands, commands_of
from dockfix.facts.model import Fact, Known
from dockfix.facts.tables.tools import WITH_HEALTHCHECK
from dockfix.syntax.check import check_instruction
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Healthcheck

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage


def effective_healthcheck(facts: BuildFacts, stage: Stage) -> Healthcheck | None:
    """The effective HEALTHCHECK of a stage's image: its last one, or that of the nearest stage that it is based on."""
    for each in facts.graph.chain(stage):
        for instruction in reversed(each.program):
            if isinstance(instruction, Healthcheck):
                return instruction
    return None


def base_may_have_healthcheck(stage: Stage) -> bool:
    """Whether the image that a stage starts from may have a HEALTHCHECK: it is unknown, or known to have one."""
    return (
        stage.base is None or not isinstance(stage.base_ref, Known) or stage.base_ref.value.startswith(WITH_HEALTHCHECK)
    )


_SECRETS: Final = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY")
_SECRET_OPTIONS: Final = ("--password=", "--pass=", "--token=", "--api-key=", "--secret=")


def secret_in(test: str | Sequence[str], environment: Mapping[str, str | None]) -> str | None:
    """What secret the test of a compose healthcheck contains that an image should not; None if none is found.

    `environment` is that of its service: the value of a variable whose name contains password, secret or token. A value
    that is read from a variable (`$$NAME`) is not in the text.
    """
    text = test if isinstance(test, str) else " ".join(test)
    for name, value in environment.items():
        if value and len(value) > _SHORT and value in text and any(each in name.upper() for each in _SECRETS):
            return f"the value of `{name}`"
    for word in text.split():
        option = next((each for each in _SECRET_OPTIONS if word.lower().startswith(each)), "")
        if option and not word[len(option) :].strip("\"'").startswith("$"):
            return f"the value of `{option.rstrip('=')}`"
    return None


_SHORT: Final = 3
"""A value of this many characters or fewer may appear in a check by chance."""


def check_text(test: str | tuple[str, ...]) -> str | None:
    """The text after `HEALTHCHECK CMD` for a compose `test:`, with `$$` replaced by `$`; None if the test disables the
    check.

    Raises:
        ValueError: it cannot be written in a Dockerfile; the message says why.
    """
    if isinstance(test, str):
        text = test.strip()
    elif not test or test[0] == "NONE":
        return None
    elif test[0] == "CMD-SHELL" and len(test) == 2:
        text = test[1].strip()
    elif test[0] == "CMD" and len(test) > 1:
        return _encodable(json.dumps([word.replace("$$", "$") for word in test[1:]], ensure_ascii=False))
    else:
        raise ValueError(f"a test that begins with {test[0]} and has {len(test) - 1} words is not valid")
    if not text:
        raise ValueError("its test is empty")
    if "\n" in text or text.endswith(("\\", "`")):
        raise ValueError("its command has several lines")
    text = _encodable(text.replace("$$", "$"))
    if not text.isprintable() or _parsed_check("", text).json:
        raise ValueError("its test would mean something else in a Dockerfile")
    return text


def _encodable(text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("its test is not valid Unicode")
    return text


def _parsed_check(flags: str, text: str) -> Healthcheck:
    node = parse(f"FROM scratch\nHEALTHCHECK {flags}{' ' if flags else ''}CMD {text}\n").instructions[1]
    if not isinstance(node, Healthcheck):
        raise TypeError("the line was built as a HEALTHCHECK")
    return node


def check_commands(text: str, shell: Fact[tuple[str, ...]]) -> Commands:
    """The commands of a check with this text (`check_text`), in an image with this shell."""
    return commands_of(_parsed_check("", text), shell)


def healthcheck_blocker(flags: str, text: str) -> str | None:
    """What BuildKit would reject in a HEALTHCHECK with these flags; None if nothing."""
    node = _parsed_check(flags, text)
    if [flag.word.text for flag in node.flags] != flags.split():
        return "a duration or number is not valid"
    return next((problem.message for problem in check_instruction(node)), None)
