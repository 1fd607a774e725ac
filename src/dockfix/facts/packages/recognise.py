"""From the words of a shell command to the package manager command that they are.

Nothing is executed or expanded. What the words do not determine (an expansion, an option that no table lists) is marked
in the result, and the questions of whether something is safe are then answered with no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dockfix.facts.packages.model import ASSIGNMENT, Option, PackageCommand, WordLike
from dockfix.facts.tables.commands import (
    CONDA_MANAGERS,
    PROGRAMS,
    PYTHON_MODULES,
    RUNNERS,
    SUBCOMMANDS,
    USER_CHANGERS,
    WRAPPER_OPERANDS,
    WRAPPERS,
    Action,
)
from dockfix.facts.tables.options import OPTIONS, OptionTable

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.+-]+\Z")
_PIP_NAME: Final = re.compile(r"pip(?:[23](?:\.\d+)?)?\Z")
_PYTHON_NAME: Final = re.compile(r"(?:python|pypy)(?:[23](?:\.\d+)?)?\Z")
_SUBCOMMAND_STOPS: Final = frozenset((Action.RUN,))


def recognise(words: Sequence[WordLike]) -> PackageCommand | None:
    """The package manager command in the words of one simple command, None if it is another program."""
    wrapped = _unwrap(words)
    if wrapped is None:
        return None
    at, user_changed, from_input = wrapped
    executable = words[at]
    name = _program(executable)
    if name is None:
        return None
    rest = at + 1
    runner = False
    if _PIP_NAME.match(name):
        manager = "pip"
    elif _PYTHON_NAME.match(name):
        module = _python_module(words, rest)
        if module is None:
            return None
        manager, rest = module
    elif name in RUNNERS:
        manager, runner = RUNNERS[name], True
    elif name in PROGRAMS:
        manager = PROGRAMS[name]
    elif name.partition("@")[0] in ("npm", "yarn", "pnpm"):
        manager = name.partition("@")[0]
    else:
        return None
    return _parse(
        manager,
        words=tuple(words),
        executable=at,
        at=rest,
        runner=runner,
        user_changed=user_changed,
        from_input=from_input,
    )


def _spelling(word: WordLike) -> str:
    """The value, or for a word with expansions its raw text without the double quotes around it."""
    if word.value is not None:
        return word.value
    text = word.text
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _program(word: WordLike) -> str | None:
    """The base name of the program, which may be literal where its folder is not (`$VENV/bin/pip`)."""
    name = _spelling(word).rpartition("/")[2].rstrip('"')
    return name if _PLAIN_NAME.match(name.replace("@", "-")) else None


def _unwrap(words: Sequence[WordLike]) -> tuple[int, bool, bool] | None:
    """The index of the program after sudo, env and other wrappers; whether they change the user; whether xargs passes
    operands."""
    at, user_changed, from_input = 0, False, False
    while at < len(words):
        if ASSIGNMENT.match(words[at].text):
            at += 1
            continue
        name = _program(words[at])
        if name is None or name not in WRAPPERS:
            return at, user_changed, from_input
        if name == "corepack" and (
            at + 1 >= len(words) or (_program(words[at + 1]) or "").partition("@")[0] not in PROGRAMS
        ):
            return None
        user_changed = user_changed or name in USER_CHANGERS
        from_input = from_input or name == "xargs"
        valued = WRAPPERS[name]
        at += 1
        while at < len(words):
            text = _spelling(words[at])
            if text == "--":
                at += 1
                break
            if not text.startswith("-"):
                break
            if name == "command" and text in ("-v", "-V"):
                return None
            at += 2 if text in valued else 1
        at += WRAPPER_OPERANDS.get(name, 0)
    return None


def _python_module(words: Sequence[WordLike], at: int) -> tuple[str, int] | None:
    """The manager that `python [options] -m MODULE` runs, and the index of its first word."""
    while at < len(words):
        text = _spelling(words[at])
        if text == "-m":
            module = words[at + 1].value if at + 1 < len(words) else None
            return (PYTHON_MODULES[module], at + 2) if module is not None and module in PYTHON_MODULES else None
        if text.startswith("-m"):
            return (PYTHON_MODULES[text[2:]], at + 1) if text[2:] in PYTHON_MODULES else None
        if not text.startswith("-") or text in ("-", "-c"):
            return None
        at += 2 if text in ("-W", "-X") else 1
    return None


def _parse(
    manager: str,
    *,
    words: tuple[WordLike, ...],
    executable: int,
    at: int,
    runner: bool,
    user_changed: bool,
    from_input: bool,
) -> PackageCommand:
    table = OPTIONS[manager]
    verbs = SUBCOMMANDS[manager]
    options: list[Option] = []
    operands: list[WordLike] = []
    verb: tuple[str, ...] = ()
    subcommand: WordLike | None = None
    settled = runner or not verbs
    unknown = from_input
    stop = False
    while at < len(words):
        word = words[at]
        text = _spelling(word)
        if stop or not text.startswith("-") or text == "-":
            at += 1
            if not settled:
                grown = (*verb, text)
                if word.value is None:
                    # An expansion in place of a subcommand or options: nothing is certain from here on.
                    unknown = True
                    continue
                if not verb and text.startswith("+") and manager == "cargo":
                    continue  # cargo +TOOLCHAIN
                if any(key[: len(grown)] == grown for key in verbs):
                    verb, subcommand = grown, word
                    table = _merged(OPTIONS[manager], verb)
                    settled = not any(len(key) > len(grown) and key[: len(grown)] == grown for key in verbs)
                    continue
                settled = True
                if not verb:
                    subcommand, verb = word, (text,)
                    continue
            operands.append(word)
            # The words after the program or package to run belong to it.
            action = verbs.get(verb)
            if runner or action in _SUBCOMMAND_STOPS or (action is Action.BUILD and manager in ("npm", "yarn", "pnpm")):
                break
            continue
        if text == "--":
            if manager == "gem":
                break  # options of the build follow
            stop = True
            at += 1
            continue
        at, found = _options(manager, table, words, at)
        options.extend(found)
    return _command(
        manager,
        words=words,
        executable=executable,
        subcommand=subcommand,
        verb=verb,
        options=options,
        operands=operands,
        runner=runner,
        user_changed=user_changed,
        unknown=unknown,
    )


def _merged(table: OptionTable, verb: tuple[str, ...]) -> OptionTable:
    override = table.subcommands.get(" ".join(verb))
    if override is None:
        return table
    return OptionTable(
        source=override.source,
        flags=(table.flags - override.valued) | override.flags,
        valued=(table.valued - override.flags) | override.valued,
        optional=table.optional | override.optional,
        short={**table.short, **override.short},
        aliases=table.aliases,
        abbreviates=table.abbreviates,
        style=table.style,
        subcommands=table.subcommands,
    )


def _options(manager: str, table: OptionTable, words: tuple[WordLike, ...], at: int) -> tuple[int, list[Option]]:
    """The options in the word at `at`, and the index after it and its value."""
    word = words[at]
    text = _spelling(word)
    if table.style == "single":
        return _single_dash(table, words, at)
    if text.startswith("--"):
        name, equals, value = text.partition("=")
        name, known = _long_name(table, name)
        if equals:
            return at + 1, [Option(name, value, (word,), known)]
        if name in table.valued and name not in table.flags and at + 1 < len(words):
            return at + 2, [Option(name, words[at + 1], (word, words[at + 1]), known)]
        if (
            manager == "npm"
            and name in table.flags
            and at + 1 < len(words)
            and words[at + 1].value in ("true", "false")
        ):
            return at + 2, [Option(name, words[at + 1], (word, words[at + 1]), known)]
        return at + 1, [Option(name, None, (word,), known)]
    found: list[Option] = []
    letters = text[1:]
    shares = len(letters) > 1
    for index, letter in enumerate(letters):
        name = table.short.get(letter, "")
        tail = letters[index + 1 :]
        if not name:
            found.append(Option(f"-{letter}", tail.removeprefix("=") or None, (word,), False, bool(found)))
            return at + 1, found
        if name in table.valued and name not in table.flags:
            if tail:
                found.append(Option(name, tail.removeprefix("="), (word,), True, bool(found)))
                return at + 1, found
            if at + 1 < len(words):
                found.append(Option(name, words[at + 1], (word, words[at + 1]), True, shares))
                return at + 2, found
        if tail and (tail[0] in "=:" or (name in table.optional and tail[0] not in table.short)):
            found.append(Option(name, tail.removeprefix("=").removeprefix(":"), (word,), True, bool(found)))
            return at + 1, found
        found.append(Option(name, None, (word,), True, shares))
    return at + 1, found


def _long_name(table: OptionTable, name: str) -> tuple[str, bool]:
    """The canonical name of a long option, and whether a table lists it."""
    name = table.aliases.get(name, name)
    every = table.flags | table.valued | table.optional
    if name in every:
        return name, True
    if name.startswith("--no-") and f"--{name[5:]}" in table.flags:
        return name, True
    if table.abbreviates and len(name) > 3:
        full = {table.aliases.get(known, known) for known in every | set(table.aliases) if known.startswith(name)}
        if len(full) == 1:
            return full.pop(), True
    return name, False


def _single_dash(table: OptionTable, words: tuple[WordLike, ...], at: int) -> tuple[int, list[Option]]:
    """Options of Go and Maven, whose long names have one dash or two."""
    word = words[at]
    name, equals, value = _spelling(word).lstrip("-").partition("=")
    long = f"--{name}"
    if long in table.flags | table.valued:
        canonical = table.aliases.get(long, long)
        if equals or long in table.flags or at + 1 >= len(words):
            return at + 1, [Option(canonical, value if equals else None, (word,))]
        return at + 2, [Option(canonical, words[at + 1], (word, words[at + 1]))]
    letter = f"--{name[:1]}"
    if len(name) > 1 and letter in table.valued:
        attached = name[1:] + (f"={value}" if equals else "")
        return at + 1, [Option(table.aliases.get(letter, letter), attached, (word,))]
    return at + 1, [Option(long, value if equals else None, (word,), False)]


def _command(
    manager: str,
    *,
    words: tuple[WordLike, ...],
    executable: int,
    subcommand: WordLike | None,
    verb: tuple[str, ...],
    options: Sequence[Option],
    operands: Sequence[WordLike],
    runner: bool,
    user_changed: bool,
    unknown: bool,
) -> PackageCommand:
    verbs = SUBCOMMANDS[manager]
    given = {option.name for option in options}
    if runner:
        action = Action.RUN
    elif manager == "maven":
        goals = [_spelling(word) for word in operands]
        resolving = ("go-offline", "resolve", "resolve-plugins", "sources", "copy-dependencies", "dependency:get")
        action = Action.SYNC if goals and all(goal.endswith(resolving) for goal in goals) else Action.BUILD
        action = Action.CLEAN if goals == ["clean"] else action if goals else Action.OTHER
        subcommand = operands[0] if operands else None
    elif manager == "gradle":
        tasks = [_spelling(word) for word in operands]
        listing = ("dependencies", "resolveDependencies", "downloadDependencies")
        action = Action.SYNC if tasks and all(task.rpartition(":")[2] in listing for task in tasks) else Action.BUILD
        action = action if tasks else Action.OTHER
        subcommand = operands[0] if operands else None
    else:
        action = _action(manager, verbs=verbs, verb=verb, given=given, operands=operands, unknown=unknown)
    return PackageCommand(
        manager=manager,
        action=action,
        executable=words[executable],
        subcommand=subcommand,
        options=tuple(options),
        packages=()
        if manager in ("maven", "gradle") or (action is Action.RUN and not _names_package(manager, verb, runner))
        else tuple(operands),
        wrappers=words[:executable],
        user_changed=user_changed,
        words=words,
        verb=verb,
        unknown_operands=unknown,
    )


def _names_package(manager: str, verb: tuple[str, ...], runner: bool) -> bool:
    return runner or (manager, *verb) == ("go", "run") or verb in (("dlx",), ("exec",), ("x",), ("tool", "run"))


def _action(
    manager: str,
    *,
    verbs: Mapping[tuple[str, ...], Action],
    verb: tuple[str, ...],
    given: set[str],
    operands: Sequence[WordLike],
    unknown: bool,
) -> Action:
    informing = {"--version", "--help", "--usage"} & given
    if not verb:
        # classic.yarnpkg.com: `yarn` alone is `yarn install`; bundler.io: `bundle` alone is `bundle install`.
        bare = manager in ("yarn", "bundler") and not informing and not unknown
        return Action.SYNC if bare else Action.OTHER
    action = verbs.get(verb)
    if action is None:
        # yarn and pnpm run scripts of package.json by name.
        return Action.BUILD if manager in ("yarn", "pnpm") else Action.OTHER
    if informing and manager not in ("gem", "cargo", "dotnet"):
        return Action.OTHER
    if manager == "apt" and action is Action.REMOVE and "--purge" in given:
        return Action.PURGE
    if manager == "yarn" and verb == ("workspace",):
        inner = tuple(_spelling(word) for word in operands[1:2])
        return verbs.get(inner, Action.BUILD)
    if action is Action.INSTALL and not operands and not unknown:
        if manager in ("npm", "pipenv"):
            return Action.SYNC
        if manager in CONDA_MANAGERS and "--file" in given:
            return Action.SYNC
    if action is Action.SYNC and operands and manager == "pnpm" and verb in (("install",), ("i",)):
        return Action.INSTALL  # pnpm.io/cli/install: with operands it is `pnpm add`
    if manager == "go" and verb == ("install",) and not any("@" in _spelling(word) for word in operands):
        return Action.BUILD  # go.dev/ref/mod#go-install: without a version it builds packages of the main module
    return action
