"""The values that a shell offers for an option or argument; reads no file of the project.

Each function takes what is typed so far and returns pairs of a value and what the shell shows next to it.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import redirect_stdout

__all__ = ["builders", "complete_with_option", "join_options", "package_managers", "rule", "rules", "templates"]

_Values = list[tuple[str, str]]


def join_options(environment: MutableMapping[str, str]) -> None:
    """Change what bash says of the command line so that `--option=value` is completed as `--option value` is.

    Bash makes three words of it, since `=` is in COMP_WORDBREAKS; click knows only an `=` that is typed last.
    """
    words, current = environment.get("COMP_WORDS", "").split("\n"), environment.get("COMP_CWORD", "")
    if not current.isdecimal():
        return
    before = words[: int(current)]
    kept = [each for number, each in enumerate(before) if each != "=" or not before[number - 1].startswith("--")]
    environment["COMP_WORDS"] = "\n".join(kept + words[int(current) :])
    environment["COMP_CWORD"] = str(len(kept))


def complete_with_option(environment: MutableMapping[str, str], complete: Callable[[], object]) -> object:
    """Complete; zsh and fish, which complete whole words, get `--option=value` for a word `--option=v`.

    Args:
        environment: says what is typed; changed so that the value is a word of its own.
        complete: writes the completions of the last word to standard output.
    """
    typed = environment.get("_TYPER_COMPLETE_ARGS", "")
    before, space, word = typed.rpartition(" ")
    option, equals, value = word.partition("=")
    shell = environment.get("_DOCKFIX_COMPLETE", "").removeprefix("complete_")
    if shell not in ("zsh", "fish") or not (equals and option.startswith("--")):
        return complete()
    environment["_TYPER_COMPLETE_ARGS"] = f"{before}{space}{option} {value}"
    written = io.StringIO()
    try:
        with redirect_stdout(written):
            return complete()
    finally:
        lines = written.getvalue().splitlines(keepends=True)
        sys.stdout.write("".join(_with_option(line, f"{option}=", shell) for line in lines))


def _with_option(line: str, option: str, shell: str) -> str:
    """A line of completions, each value of which is to begin with the option."""
    if shell == "fish":
        return option + line if line.strip() else line
    start, quote, rest = line.partition('"')
    return f"{start}{quote}{option}{rest}" if quote else line


def rule(incomplete: str) -> _Values:
    """The names of rules, with their titles; codes of hadolint and BuildKit only once they are begun."""
    return _starting(_titles(codes=incomplete != ""), incomplete)


def rules(incomplete: str) -> _Values:
    """The last name of a list with commas; names that are in the list already are not offered again."""
    before, comma, last = incomplete.rpartition(",")
    given = {each.strip() for each in before.split(",")}
    return [(before + comma + name, title) for name, title in rule(last.lstrip(" ")) if name not in given]


def templates(incomplete: str) -> _Values:
    """The templates of `dockfix init`."""
    from dockfix.project.templates.answers import TEMPLATES  # noqa: PLC0415 - only their completion needs them

    return _starting(TEMPLATES.items(), incomplete)


def package_managers(incomplete: str) -> _Values:
    """The package managers that a template can use, if there is a choice."""
    from dockfix.project.templates.answers import PACKAGE_MANAGERS  # noqa: PLC0415 - as above

    found = ((each, template) for template, names in PACKAGE_MANAGERS.items() if len(names) > 1 for each in names)
    return _starting(found, incomplete)


def builders(incomplete: str) -> _Values:
    """The builders."""
    from dockfix.verify.builders import NAMES  # noqa: PLC0415 - only their completion needs them

    return _starting(((each, "") for each in NAMES if " " not in each), incomplete)


def _titles(*, codes: bool) -> Iterable[tuple[str, str]]:
    """All rules of the installed packs, and the codes that they answer; none if a pack is broken, as a run reports."""
    from dockfix.output.plain import printable  # noqa: PLC0415 - as below
    from dockfix.rule.registry import RegistryError, load_registry  # noqa: PLC0415 - no other completion needs them

    try:
        registry = load_registry()
    except RegistryError:
        return ()
    titles = {each.name: printable(each.title) for each in sorted(registry.codemods, key=lambda each: each.name)}
    if codes:
        named = sorted({code for each in registry.codemods for code in each.hadolint | each.checks})
        titles |= {code: ", ".join(each.name for each in registry.named(code)) for code in named}
    return titles.items()


def _starting(values: Iterable[tuple[str, str]], incomplete: str) -> _Values:
    return [(value, text) for value, text in values if value.startswith(incomplete)]
