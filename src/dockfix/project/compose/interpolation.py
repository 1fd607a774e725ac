"""Variables of compose files, and the `.env` files that give them.

Sources: the Compose specification, `12-interpolation.md`, and compose-go for what it leaves open: packages `template`
(which text is a variable), `dotenv` (the syntax of `.env`) and `loader/include.go` (where a `.env` applies).

The environment of the process is not read. A variable without a value in a `.env` file and a default is unknown.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

_MAX_NESTED: Final = 32
_MAX_GROWTH: Final = 4096  # a few lines of `A=$B$B` would fill any memory
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r":?[-+?]")
# compose sets it from the name of the project, so a default never applies
_SET_BY_COMPOSE: Final = frozenset({"COMPOSE_PROJECT_NAME"})


class Environment(Struct, frozen=True):
    """What `.env` files say. A variable with the value `None` is given, but its value is unknown.

    `complete` is false if a file could not be read: then every variable may have a value. `expanded` maps each text
    that includes a value, which no message may show, to the text as written.
    """

    values: Mapping[str, str | None] = field(default_factory=dict)
    complete: bool = True
    expanded: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> tuple[bool, str | None]:
        """Whether a variable is given, and its value as far as it is known."""
        if name in self.values:
            value = self.values[name]
            if value:
                self.expanded.setdefault(value, f"${{{name}}}")
            return True, value
        return not self.complete or name in _SET_BY_COMPOSE, None

    def under(self, outer: Environment) -> Environment:
        """These variables below those of an outer environment, which win."""
        return Environment({**self.values, **outer.values}, self.complete and outer.complete, self.expanded)


NOTHING: Final = Environment()


class Interpolated(Struct, frozen=True):
    """A text with its variables replaced; `text` is `None` if that is not known, or the template is invalid.

    `secret` tells that `text` includes a value of a `.env` file: it may be checked, but never shown.
    """

    text: str | None
    secret: bool = False


def interpolate(text: str, env: Environment = NOTHING) -> str | None:
    """`text` with its variables replaced as compose does it, as far as that is known; else `None`.

    `$A`, `${A}`, `${A:-default}`, `${A-default}`, `${A:?error}`, `${A?error}`, `${A:+other}`, `${A+other}`; defaults
    may hold variables. `$$` is a dollar, and so is one before any other character than a brace. `${A+other}` needs `A`
    to be given: without it the process may have it or not.
    """
    return interpolated(text, env).text


def interpolated(text: str, env: Environment = NOTHING) -> Interpolated:
    """As `interpolate`, and whether the result includes a value of a `.env` file."""
    if "$" not in text:
        return Interpolated(text)
    result = _substitute(text, env, 0)
    if result.secret and result.text:
        env.expanded.setdefault(result.text, text)
    return result


_UNKNOWN: Final = Interpolated(None)


def _substitute(text: str, env: Environment, depth: int) -> Interpolated:
    if depth > _MAX_NESTED:
        return _UNKNOWN
    done: list[str] = []
    secret = False
    grown = 0
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        done.append(text[at:dollar])
        after = text[dollar + 1 : dollar + 2]
        if after == "$":
            done.append("$")
            at = dollar + 2
            continue
        braced = after == "{"
        name = _NAME.match(text, dollar + 1 + braced)
        if name is None:
            if braced:
                return _UNKNOWN  # an invalid template
            done.append("$")
            at = dollar + 1
            continue
        at = name.end()
        part: Interpolated
        if not braced or text.startswith("}", at):
            at += braced
            part = _variable(name[0], env)
        else:
            operator = _OPERATOR.match(text, at)
            end = _closing_brace(text, dollar, at)
            if operator is None or end is None:
                return _UNKNOWN
            part = _operation(name[0], operator[0], text[operator.end() : end], env, depth)
            at = end + 1
        if part.text is None:
            return _UNKNOWN
        done.append(part.text)
        secret = secret or part.secret
        grown += len(part.text)
        if grown > len(text) + _MAX_GROWTH:
            return _UNKNOWN
    return Interpolated("".join(done) + text[at:], secret)


def _variable(name: str, env: Environment) -> Interpolated:
    value = env.find(name)[1]
    return _UNKNOWN if value is None else Interpolated(value, True)


def _operation(name: str, operator: str, operand: str, env: Environment, depth: int) -> Interpolated:
    given, value = env.find(name)
    if given and value is None and operator != "+":
        return _UNKNOWN
    empty = value == "" and operator[0] == ":"
    if operator[-1] == "-":
        return _variable(name, env) if given and not empty else _substitute(operand, env, depth + 1)
    if operator[-1] == "+":
        if not given:
            return _UNKNOWN
        return Interpolated("") if empty else _substitute(operand, env, depth + 1)
    return _variable(name, env) if given and not empty else _UNKNOWN


def _closing_brace(text: str, dollar: int, at: int) -> int | None:
    """The brace that ends the variable at `dollar`: the one that balances it, else the last one of the line.

    compose-go matches up to the last brace of the line, and counts braces in what it found. It counts any brace, and
    looks past the character that follows an opening one.
    """
    newline = text.find("\n", at)
    last = text.rfind("}", at, newline if newline >= 0 else len(text))
    if last < 0:
        return None
    opened = 0
    here = dollar
    while here <= last:
        if text[here] == "}":
            opened -= 1
            if opened == 0:
                return here
        if text[here] == "{":
            opened += 1
            here += 1
        here += 1
    return last


class EnvFileError(Exception):
    """A `.env` file that compose refuses: the line, from 1, and why. The message holds no value."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


_BLANK: Final = "\t\v\f\r \x85\xa0"
"""Whether compose-go's dotenv takes a character for a blank within a line."""
_EXPORT: Final = re.compile(r"export\s+")
_ESCAPE: Final = re.compile(r"\\(?:[abcfnrtv$\"\\]|0[0-9]{0,3})")
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


def parse_env(text: str, outer: Environment = NOTHING) -> dict[str, str | None]:
    """The variables of a `.env` file, as compose-go's dotenv reads them; `None` for a value that is not known.

    `outer` holds the outer variables, which win where a value mentions one. A name without `=` takes its value from
    the process and is left out.

    Raises:
        EnvFileError: compose refuses the file.
    """
    text = text.removeprefix("\ufeff")
    found: dict[str, str | None] = {}
    env = Environment(ChainMap(dict(outer.values), found), outer.complete)
    at = 0
    while (at := _statement(text, at)) < len(text):
        key, at, inherited = _key(text, at)
        if inherited:
            continue
        at = _skip(text, at, _BLANK)
        value, at = _value(text, at, env)
        if key:
            found[key] = value
    return found


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _statement(text: str, at: int) -> int:
    """Where the next statement begins, past blanks, line ends and comments."""
    while at < len(text):
        if text[at] == "#":
            newline = text.find("\n", at)
            at = newline if newline >= 0 else len(text)
        elif text[at].isspace():
            at += 1
        else:
            break
    return at


def _key(text: str, start: int) -> tuple[str, int, bool]:
    """The name of a statement, where what follows it begins, and whether it has no value of its own."""
    export = _EXPORT.match(text, start)
    if export is not None:
        start = _skip(text, start + len("export"), _BLANK)
    for at in range(start, len(text)):
        character = text[at]
        if character in "=:\n":
            key = text[start:at].rstrip()
            if " " in key:
                raise EnvFileError(_line(text, start), "a variable name has a space in it")
            return key, at + 1, character == "\n"
        if (
            character not in _BLANK
            and character not in "_.-[]"
            and not character.isalpha()
            and not character.isnumeric()
        ):
            raise EnvFileError(_line(text, start), "a variable name has an invalid character")
    return "", len(text), True  # a name alone at the very end


def _value(text: str, start: int, env: Environment) -> tuple[str | None, int]:
    quote = text[start : start + 1]
    if quote not in ("'", '"') or not quote:
        newline = text.find("\n", start)
        end = newline if newline >= 0 else len(text)
        return interpolate(text[start:end].partition(" #")[0].rstrip(), env), min(end + 1, len(text))
    parts: list[str] = []
    at = start + 1
    while at < len(text) and text[at] != quote:
        # a backslash is kept, except before the quote
        pair = text[at] == "\\" and at + 1 < len(text)
        parts.append(quote if pair and text[at + 1] == quote else text[at : at + 1 + pair])
        at += 1 + pair
    if at >= len(text):
        raise EnvFileError(_line(text, start), "a quoted value has no end")
    value = "".join(parts)
    return (value if quote == "'" else interpolate(_ESCAPE.sub(_unescape, value), env)), at + 1


def _unescape(match: re.Match[str]) -> str:
    what = match[0][1:]
    if what == "$":
        return "$$"  # a dollar, once variables are replaced
    if what.startswith("0"):
        octal = re.fullmatch(r"[0-7]{3}", what[1:])
        code = int(octal[0], 8) if octal else 256
        return chr(code) if code < 256 else "\\" + what[1:]
    return _ESCAPES.get(what, match[0])
