"""Which package manager a shell command runs, with which options and operands, and which files it may read.

A command arrives as a sequence of words from the shell's syntax; nothing is executed or expanded. What the words do not
settle (an expansion, an option that no table lists) is said so in the result, and the functions that ask whether
something is safe answer no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dockfix.facts.tables.commands import (
    CONDA_MANAGERS,
    CONFIG_FILES,
    FILE_OPTIONS,
    FILE_VARIABLES,
    MANIFESTS,
    PROGRAMS,
    PYTHON_MODULES,
    RUNNERS,
    SUBCOMMANDS,
    SYSTEM_MANAGERS,
    USER_CHANGERS,
    WRAPPER_OPERANDS,
    WRAPPERS,
    Action,
)
from dockfix.facts.tables.options import OPTIONS, OptionTable

__all__ = [
    "FILE_VARIABLES",
    "Action",
    "Option",
    "PackageCommand",
    "Reads",
    "WordLike",
    "distribution_name",
    "is_literal_name",
    "literal_requirements_only",
    "manifests_for",
    "reads",
    "recognise",
]


class WordLike(Protocol):
    """A word of a shell command: where it stands, how it is spelt, and what it says where that is known."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...

    @property
    def text(self) -> str:
        """The raw spelling, with quotes."""

    @property
    def value(self) -> str | None:
        """The literal value; None if the word contains an expansion or a glob."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command.

    `name` is the long name that dockfix uses (`-r` is `--requirement`; Go's and Maven's single dashes are doubled).
    `value` is the word that holds the value, the text after `=` (raw where the word has an expansion), or None.
    `words` are the words that spell it; in a cluster (`-qy`) they are shared, and `shares_word` says so. An option that
    no table lists has `known` False: whether the next word is its value is then a guess, and dockfix guesses no.
    """

    name: str
    value: WordLike | str | None
    words: tuple[WordLike, ...]
    known: bool = True
    shares_word: bool = False

    @property
    def literal(self) -> str | None:
        """The literal value, None if there is none or it cannot be known."""
        if isinstance(self.value, str):
            return self.value if all(word.value is not None for word in self.words) else None
        return self.value.value if self.value is not None else None


@dataclass(frozen=True, slots=True)
class PackageCommand:
    """A command of a package manager.

    `executable` names the program (`pip`, or `python` of `python -m pip`); `subcommand` is the word that says what to
    do, the last one where there are two (`uv pip install`). `packages` are the operands after it. `wrappers` are the
    words before the program (sudo, env, assignments). `user_changed`: the command runs as another user than the
    shell's. `unknown_operands`: what the command is given cannot be read from its words (xargs, an expansion where
    options or a subcommand may stand).
    """

    manager: str
    action: Action
    executable: WordLike
    subcommand: WordLike | None
    options: tuple[Option, ...]
    packages: tuple[WordLike, ...]
    wrappers: tuple[WordLike, ...]
    user_changed: bool
    words: tuple[WordLike, ...]
    verb: tuple[str, ...] = ()
    unknown_operands: bool = False

    def option(self, *names: str) -> Option | None:
        """The last option of any of these long names: in every manager here a later one overrides an earlier."""
        return next((option for option in reversed(self.options) if option.name in names), None)

    def has(self, *names: str) -> bool:
        """Whether any of these options is given, and not as `--name=false`."""
        option = self.option(*names)
        return option is not None and option.literal != "false"

    def assignments(self) -> Mapping[str, str | None]:
        """Variables set for this command by its own words (`env A=1 pip`, `A=1 pip`); None: the value is unknown."""
        found: dict[str, str | None] = {}
        for word in self.wrappers:
            match = _ASSIGNMENT.match(word.text)
            if match:
                found[match[1]] = word.value.partition("=")[2] if word.value is not None else None
        return found


_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.+-]+\Z")
_PIP_NAME: Final = re.compile(r"pip(?:[23](?:\.\d+)?)?\Z")
_PYTHON_NAME: Final = re.compile(r"(?:python|pypy)(?:[23](?:\.\d+)?)?\Z")
_SUBCOMMAND_STOPS: Final = frozenset((Action.RUN,))


def recognise(words: Sequence[WordLike]) -> PackageCommand | None:
    """The package manager's command that these words of one simple command are, None if they are none."""
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
    """The index of the program behind sudo, env and so on; whether they change the user; whether xargs feeds it."""
    at, user_changed, from_input = 0, False, False
    while at < len(words):
        if _ASSIGNMENT.match(words[at].text):
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
    """The manager that `python [options] -m MODULE` runs, and where its own words begin."""
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
                    # An expansion where a subcommand or options stand: the words say nothing certain from here on.
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
            # What follows the program to run, or the package that runs, belongs to it.
            action = verbs.get(verb)
            if runner or action in _SUBCOMMAND_STOPS or (action is Action.BUILD and manager in ("npm", "yarn", "pnpm")):
                break
            continue
        if text == "--":
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
    """The options that the word at `at` spells, and the index after it and its value."""
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
    """The name that dockfix uses for a long option, and whether a table lists it."""
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
    """Options of Go and Maven, whose long names take one dash or two."""
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
        if manager in ("maven", "gradle") or (action is Action.RUN and not _names_package(verb, runner))
        else tuple(operands),
        wrappers=words[:executable],
        user_changed=user_changed,
        words=words,
        verb=verb,
        unknown_operands=unknown,
    )


def _names_package(verb: tuple[str, ...], runner: bool) -> bool:
    return runner or verb in (("dlx",), ("exec",), ("x",), ("tool", "run"))


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


# --- what a command reads -------------------------------------------------------------------------------------------

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HEAD: Final = re.compile(rf"({_NAME}) ?(?:\[[A-Za-z0-9., _-]*\])? ?")
_CLAUSE: Final = re.compile(r"(?:===|~=|==|!=|<=|>=|<|>) ?[A-Za-z0-9.*+!_-]+\Z")
_UV_PYTHON_AT: Final = re.compile(rf"{_NAME}@[A-Za-z0-9.]+\Z")
_NPM_NAME: Final = re.compile(r"(?:@[a-z0-9~_-][a-z0-9._~-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*(?:@[^/\s:]*)?\Z")
_REMOTE: Final = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git)://")
_ARCHIVES: Final = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".egg")


def distribution_name(requirement: str) -> str | None:
    """The normalised name of a PEP 508 requirement (PEP 503: lower case, runs of `-_.` as one `-`), None if it has
    none.

    A path, an archive or a bare URL names no distribution that can be read from the text; `name @ url` does, and so
    does a URL with `#egg=name`.
    """
    text = requirement.strip()
    if _REMOTE.match(text):
        egg = re.search(rf"[#&]egg=({_NAME})", text)
        return _normalised(egg[1]) if egg else None
    found = _requirement(text)
    return None if found is None or found[0].lower().endswith(_ARCHIVES) else _normalised(found[0])


def _requirement(text: str) -> tuple[str, str] | None:
    """The name and the URL ("" if none) of a PEP 508 requirement, None if the text is none."""
    text = " ".join(text.split())
    head = _HEAD.match(text)
    if head is None:
        return None
    rest = text[head.end() :]
    if rest.startswith("@"):
        return head[1], rest[1:].lstrip().partition(" ")[0]
    specifiers = rest.partition(";")[0].strip()
    if specifiers.startswith("(") and specifiers.endswith(")"):
        specifiers = specifiers[1:-1]
    clauses = [clause.strip() for clause in specifiers.split(",")] if specifiers else []
    return (head[1], "") if all(_CLAUSE.match(clause) for clause in clauses) else None


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_local_path(manager: str, text: str) -> bool:
    """Whether an operand that is no plain name or remote address may name a file."""
    return not is_literal_name(manager, text)


def is_literal_name(manager: str, text: str) -> bool:
    """Whether an operand names a package, or a remote address, and can be no path of this file system."""
    if not text:
        return False
    if manager in ("pip", "uv", "poetry", "pdm", "pipenv"):
        if _REMOTE.match(text):
            return True
        if text.lower().endswith(_ARCHIVES):
            return False
        if manager == "uv" and _UV_PYTHON_AT.match(text):
            return True
        found = _requirement(text)
        return found is not None and (not found[1] or bool(_REMOTE.match(found[1])))
    if manager in ("npm", "yarn", "pnpm"):
        # github.com/npm/npm-package-arg: a leading . / ~/ or X: and .tgz .tar.gz .tar are files.
        return not text.endswith((".tgz", ".tar.gz", ".tar")) and bool(_NPM_NAME.match(text))
    if manager == "apt":
        # apt-get(8): name, name=version, name/release, name:arch; a path must contain a / and leads to a file.
        return not text.startswith(("/", ".")) and not text.endswith((".deb", ".dsc", ".changes"))
    if manager in SYSTEM_MANAGERS:
        return "/" not in text.partition("://")[0] and not (text.endswith((".apk", ".rpm")) and "://" not in text)
    if manager == "go":
        return not text.startswith((".", "/")) and "@" in text
    if manager == "gem":
        return not text.endswith(".gem") and "/" not in text
    if manager in CONDA_MANAGERS:
        return "/" not in text.partition("::")[0] and not text.endswith((".conda", ".tar.bz2", ".yml", ".yaml"))
    return "/" not in text and not text.startswith(".")


def literal_requirements_only(cmd: PackageCommand) -> bool:
    """Whether the command installs nothing but packages that its words name, from no file of the build.

    True: every operand is a literal name or remote address that cannot be a path, every option is known, and none of
    them
    (nor a variable in the command's own words) makes it read a file or another directory. A local install into a
    project
    (`npm install x`, `uv add x`, `poetry add x`) is not literal: it reads the project's manifest too. Variables of the
    stage may still add files (`FILE_VARIABLES`), and configuration is read from places of its own (`Reads.config`).
    Sources: pip's "Usage" of install, docs.npmjs.com/cli/v11/commands/npm-install, apt-get(8),
    go.dev/ref/mod#go-install.
    """
    if cmd.action is not Action.INSTALL or cmd.unknown_operands or not cmd.packages:
        return False
    if not all(option.known for option in cmd.options) or _reads_by_option(cmd):
        return False
    if FILE_VARIABLES.get(cmd.manager, frozenset()) & cmd.assignments().keys():
        return False
    if cmd.manager == "uv" and cmd.verb not in (("pip", "install"), ("tool", "install"), ("python", "install")):
        return False
    if cmd.manager in ("poetry", "pdm", "pipenv", "bundler", "composer", "dotnet"):
        return False
    if cmd.manager in ("npm", "yarn", "pnpm") and not (cmd.has("--global") or cmd.verb[:1] == ("global",)):
        return False
    return all(word.value is not None and is_literal_name(cmd.manager, word.value) for word in cmd.packages)


def _reads_by_option(cmd: PackageCommand) -> list[Option]:
    """The options of a command that name files to read, or an index in a local directory."""
    names = FILE_OPTIONS.get(cmd.manager, frozenset())
    found = [option for option in cmd.options if option.name in names and option.value is not None]
    for option in cmd.options:
        if option.name in (
            "--index-url",
            "--extra-index-url",
            "--index",
            "--default-index",
            "--repository",
            "--source",
        ):
            text = option.literal
            # An index whose address is an expansion is taken for what it almost always is: an address.
            if text is not None and (text.startswith(("/", ".", "file:")) or ("/" in text and "://" not in text)):
                found.append(option)
    return found


@dataclass(frozen=True, slots=True)
class Reads:
    """The files of the build that a command may read.

    `manifests`: names or globs that it looks for in its working directory (uv, npm and Go: in the parents too, which
    `parents` says). `named`: paths in its own operands and options, relative to the working directory, which may name
    further files (`-r` inside a requirements file). `config`: configuration that it reads from places of its own, as
    base
    names, or absolute globs. `everything`: it may read any file; the rest is then no bound. `reason` says why.
    """

    manifests: tuple[str, ...] = ()
    everything: bool = False
    named: tuple[str, ...] = ()
    reason: str = ""
    config: tuple[str, ...] = ()
    parents: bool = False


def manifests_for(cmd: PackageCommand) -> tuple[str, ...]:
    """Names and globs of the manifests and locks that an install from a manifest reads; empty for other commands.

    This is what must be copied before the command when `COPY . .` is split: files that it names itself
    (`-r requirements.txt`) come first. Each exists only in some projects.
    """
    if cmd.manager == "cargo" and cmd.verb == ("chef", "cook"):
        return _named(cmd) or ("recipe.json",)
    if cmd.action is Action.SYNC or (
        cmd.action is Action.BUILD and cmd.manager in ("go", "cargo", "maven", "gradle", "dotnet")
    ):
        if cmd.manager in CONDA_MANAGERS and (named := _named(cmd)):
            return named
        base = () if cmd.manager == "uv" and cmd.verb == ("pip", "sync") else MANIFESTS[cmd.manager]
        return tuple(dict.fromkeys((*_named(cmd), *base)))
    if cmd.manager in ("pip", "uv", "pipenv") and cmd.action is Action.INSTALL:
        return _named(cmd)
    return ()


def _named(cmd: PackageCommand) -> tuple[str, ...]:
    """The literal paths of files in options and operands, `./` removed."""
    return tuple(dict.fromkeys(_paths(cmd)))


def _paths(cmd: PackageCommand) -> Iterator[str]:
    for option in _reads_by_option(cmd):
        text = option.literal
        if text is None or _REMOTE.match(text) or option.name in ("--group", "--extra", "--filter", "--workspace"):
            continue
        yield _clean(text)
    if cmd.action in (Action.INSTALL, Action.SYNC) and cmd.manager != "go":
        files = cmd.verb == ("pip", "sync")
        for word in cmd.packages:
            if word.value is not None and (files or _is_local_path(cmd.manager, word.value)):
                yield _clean(word.value)


def _clean(path: str) -> str:
    path = path.removeprefix("file://").removeprefix("file:")
    path = re.sub(r"\[[^\]/]*\]\Z", "", path)
    while path.startswith("./") and len(path) > 2:
        path = path[2:]
    return path.rstrip("/") or "/" if path != "." else path


_UV_DISCOVERY: Final = ("pyproject.toml", "uv.toml", ".python-version", ".python-versions")


def reads(cmd: PackageCommand) -> Reads:
    """Which files of the build a command may read; `everything` wherever that cannot be bounded.

    Sources: each manager's documentation of its configuration and manifests (tables/commands.py); npm lifecycle scripts
    (docs.npmjs.com/cli/v11/using-npm/scripts); uv's discovery of pyproject.toml, uv.toml and .python-version in the
    working directory and its parents (docs.astral.sh/uv/concepts/configuration-files).
    """
    config = CONFIG_FILES.get(cmd.manager, ())
    if cmd.action in (Action.CLEAN, Action.UPDATE):
        return Reads(config=config)
    if cmd.manager in SYSTEM_MANAGERS and cmd.action in (
        Action.REMOVE,
        Action.PURGE,
        Action.AUTOREMOVE,
        Action.UPGRADE,
    ):
        return Reads(config=config)
    if cmd.unknown_operands:
        return Reads(everything=True, reason="its operands are not in its words", config=config)
    if any(not option.known for option in cmd.options):
        return Reads(everything=True, reason="it has an option that dockfix does not know", config=config)
    if cmd.action in (Action.BUILD, Action.RUN, Action.OTHER):
        return Reads(MANIFESTS.get(cmd.manager, ()), True, _named(cmd), "it builds or runs the project", config)
    if FILE_VARIABLES.get(cmd.manager, frozenset()) & cmd.assignments().keys():
        return Reads(everything=True, reason="a variable names files for it to read", config=config)
    if any(word.value is None for word in cmd.packages) or any(
        option.literal is None for option in _reads_by_option(cmd)
    ):
        return Reads(everything=True, reason="an operand or a path of it is not literal", config=config)
    moved = cmd.option(
        "--prefix", "--cwd", "--dir", "--directory", "--project", "--working-dir", "--C", "--installroot"
    )
    if (
        moved is not None
        and cmd.manager not in ("pip", *SYSTEM_MANAGERS)
        and not (cmd.manager == "uv" and moved.name == "--prefix")
    ):
        return Reads(everything=True, reason="it works in another directory", named=_named(cmd), config=config)
    if cmd.action is Action.INSTALL:
        return _install_reads(cmd, config)
    if cmd.action is Action.SYNC:
        return _sync_reads(cmd, config)
    return Reads(MANIFESTS.get(cmd.manager, ()), True, _named(cmd), "it changes the project", config)


def _install_reads(cmd: PackageCommand, config: tuple[str, ...]) -> Reads:
    named = _named(cmd)
    manager = cmd.manager
    if manager in ("pip", "uv") and (
        manager == "pip" or cmd.verb in (("pip", "install"), ("tool", "install"), ("python", "install"))
    ):
        manifests = _UV_DISCOVERY if manager == "uv" else ()
        if "." in named or ".." in named or any(path.startswith("../") for path in named):
            return Reads(
                manifests, True, named, "it builds the project in its working directory", config, manager == "uv"
            )
        if cmd.option("--group", "--extra"):
            manifests = (*manifests, "pyproject.toml")
        reason = "the files that it names may name further files" if named else ""
        return Reads(tuple(dict.fromkeys(manifests)), False, named, reason, config, manager == "uv")
    if manager in SYSTEM_MANAGERS or manager in CONDA_MANAGERS:
        return Reads((), False, named, "", config)
    if literal_requirements_only(cmd):
        if manager == "gem":
            # guides.rubygems.org/command-reference/#gem-install: a local NAME*.gem is looked for first.
            return Reads(("*.gem",), False, named, "", config)
        if manager == "cargo":
            return Reads(
                (".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"),
                False,
                named,
                "",
                config,
                True,
            )
        if manager == "go":
            return Reads((), False, named, "", config)
        # A global install of npm, yarn or pnpm; pnpm and yarn look for the version that packageManager asks for.
        manifests = ("package.json", ".npmrc", ".yarnrc", ".yarnrc.yml") if manager != "npm" else ()
        return Reads(manifests, False, named, "", config, manager != "npm")
    if manager == "gem":
        # `gem install --local NAME-1.0.gem` reads that file, whose extensions are then built.
        return Reads(("*.gem",), True, named, "it installs gems from files", config)
    return Reads(MANIFESTS[manager], True, named, "it installs into the project, whose scripts may run", config)


def _sync_reads(cmd: PackageCommand, config: tuple[str, ...]) -> Reads:
    manager, manifests, named = cmd.manager, MANIFESTS[cmd.manager], _named(cmd)
    if manager == "uv":
        if cmd.verb == ("pip", "sync"):
            return Reads(_UV_DISCOVERY, False, named, "the files that it names may name further files", config, True)
        if cmd.has("--no-install-workspace", "--no-install-local"):
            # docs.astral.sh/uv/guides/integration/docker: only --frozen spares it a look at the workspace's members.
            members = () if cmd.has("--frozen") else ("**/pyproject.toml",)
            return Reads((*manifests, *members), False, named, "", config, True)
        if cmd.has("--no-install-project"):
            return Reads(
                (*manifests, "**/pyproject.toml"), False, named, "members of a workspace are installed", config, True
            )
        return Reads(manifests, True, named, "it builds and installs the project", config, True)
    if manager in ("poetry", "pdm"):
        bounded = cmd.has("--no-root") and cmd.has("--no-directory") if manager == "poetry" else cmd.has("--no-self")
        reason = "" if bounded else "it installs the project, or its path dependencies"
        return Reads(manifests, not bounded, named, reason, config)
    if manager in ("npm", "yarn", "pnpm"):
        if cmd.verb in (("fetch",), ("import",)) or cmd.has("--ignore-scripts"):
            return Reads((*manifests, "**/package.json", "patches/**"), False, named, "", config, True)
        return Reads(manifests, True, named, "lifecycle scripts of the project may run", config, True)
    if manager == "go" and cmd.verb in (("mod", "download"), ("mod", "verify")):
        return Reads((*manifests, "**/go.mod", "**/go.sum"), False, named, "", config, True)
    if manager == "composer" and cmd.has("--no-scripts") and cmd.has("--no-autoloader") and cmd.has("--no-plugins"):
        return Reads(manifests, False, named, "", config)
    if manager == "cargo" and cmd.verb == ("chef", "cook"):
        return Reads(("recipe.json", *manifests), False, named, "", config, True)
    if manager == "maven":
        return Reads(manifests, False, named, "", config, True)
    reason = {
        "cargo": "cargo looks for the targets of every package",
        "bundler": "a Gemfile is Ruby",
        "gradle": "build scripts run",
    }.get(manager, "what it reads is not bounded")
    bounded = manager == "pipenv" or (manager in CONDA_MANAGERS and bool(named))
    return Reads(manifests, not bounded, named, "" if bounded else reason, config, True)
