"""How compose and bake files pass a secret in place of a build argument."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dockfix.edit.text import Change, Edit, apply_edits
from dockfix.facts.model import Refused
from dockfix.project import wiring
from dockfix.project.bake.tree import is_json_name
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.problems import InputError
from dockfix.project.target import Project
from dockfix.project.yaml_tree import YamlError, YamlNode, read_tree

_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def caller_changes(
    project: Project, builds: Sequence[BuildInvocation], key: str, *, keep_args: bool
) -> tuple[Change, ...]:
    """The changes of the files that pass an argument: they pass a secret of the same name.

    With `keep_args` they still pass the argument, too, since another stage declares it.

    Raises:
        Refused: a file cannot be edited without changing more; the reason says what to write.
    """
    texts: dict[Path, tuple[str, str]] = {}  # before and after
    for build in builds:
        try:
            path = Path(os.path.realpath(build.source))
            before, text = texts.get(path) or (project.files.read(build.source).text,) * 2
            if build.kind == "bake":
                after = _in_bake(project, text, build, key, keep_args=keep_args)
            else:
                after = _in_compose(text, build, key, keep_args=keep_args)
            texts[path] = before, after
        except (Refused, YamlError, InputError) as error:
            reason = error.reason if isinstance(error, Refused | YamlError) else error.problem.message
            where = wiring.where(project, build)
            raise Refused(f"{where} passes it, and {reason}: replace it there in {_by_hand(build, key)}") from error
    return tuple(Change(path, (_one_edit(before, after),)) for path, (before, after) in texts.items())


def _by_hand(build: BuildInvocation, key: str) -> str:
    if build.kind == "bake":
        return f'`args` with `secret = ["id={key},env={key}"]`'
    return f"`args` with `build.secrets` and a top-level `secrets` that has `environment: {key}`"


def _in_bake(project: Project, text: str, build: BuildInvocation, key: str, *, keep_args: bool) -> str:
    from dockfix_codemods.build_secret.bake import with_secret  # noqa: PLC0415 - loads the reader of bake files

    for other in project.bake_files:
        beside = other.path != build.source and other.path.parent == build.source.parent
        if beside and key in project.files.read(other.path).text:
            raise Refused(f"{other.path.name} names it, too")
    block = wiring.bake_block(project, build)
    return with_secret(text, block, key, keep_args=keep_args, json=is_json_name(build.source.name))


def _in_compose(text: str, build: BuildInvocation, key: str, *, keep_args: bool) -> str:
    from dockfix.edit import yaml  # noqa: PLC0415 - slow to import, and only fixes need it
    from dockfix.edit.yaml_check import yaml_comments  # noqa: PLC0415

    variable = _variable(build, key)
    given = [secret.env for secret in build.secrets if secret.id == key]
    if given and given != [variable]:
        raise Refused("has another secret of this name")
    after = _passing(text, build.service, key, keep_args=keep_args, is_given=bool(given))
    if not given:
        after = apply_edits(after, yaml.set_entry(after, ("secrets", key, "environment"), variable))
    if yaml_comments(text) != yaml_comments(after):
        raise Refused("a comment would be lost")
    _check(text, after, build.service, key, keep_args=keep_args)
    return after


def _variable(build: BuildInvocation, key: str) -> str:
    """The variable of the environment that has the value."""
    raw = build.raw_args.get(key)
    if raw is None:
        return key
    found = _VARIABLE.fullmatch(raw)
    if found is None:
        raise Refused("not as a plain variable of the environment")
    return found[1] or found[2]


def _passing(text: str, service: str, key: str, *, keep_args: bool, is_given: bool) -> str:
    """The text with an item of `build.secrets` in place of the argument; `is_given` if the item is there."""
    build, name, args = _nodes(text, service)
    if args.kind == "mapping":
        entries = [(first, last) for first, last in args.entries if first.value == key]
    else:
        entries = [(item, item) for item in args.items if item.value.partition("=")[0] == key]
    if len(entries) != 1:
        raise Refused("it cannot be found in `args`")
    first, last = entries[0]
    only = len(args.entries) + len(args.items) == 1
    secrets = build.entry("secrets")
    items = secrets[1].items if secrets is not None else []
    if is_given and not any(item.value == key for item in items):
        raise Refused("its secret has the long form")
    if only and not keep_args and secrets is None:
        item = f"- {key}" if args.kind == "mapping" else key
        return apply_edits(text, (Edit(name.start, name.end, "secrets"), Edit(first.start, last.end, item)))
    edits: list[Edit] = []
    if not is_given:
        edits += _new_item(text, name, args, key) if secrets is None else _next_item(text, service, secrets[1], key)
    if keep_args:
        return apply_edits(text, edits)
    if args.items and args.items[-1] is not first:
        raise Refused("it is not the last of its list")
    start = text.rfind("\n", 0, name.start if only else first.start) + 1
    end = text.find("\n", last.end) + 1 or len(text)
    head, tail = text[start : name.start if only else first.start], text[last.end : end]
    if head.strip(" -") or tail.strip() or "\n" in text[first.start : last.end]:
        raise Refused("it is not alone on its line")
    return apply_edits(text, (*edits, Edit(start, end, "")))


def _next_item(text: str, service: str, secrets: YamlNode, key: str) -> tuple[Edit, ...]:
    from dockfix.edit import yaml  # noqa: PLC0415 - slow to import, and only fixes need it

    return yaml.set_item(text, ("services", service, "build", "secrets", len(secrets.items)), key)


def _nodes(text: str, service: str) -> tuple[YamlNode, YamlNode, YamlNode]:
    """`build:` of a service, the key `args` in it, and its value; all must be written out in block style."""
    node = read_tree(text).root
    nodes: list[tuple[YamlNode, YamlNode]] = []
    for part in ("services", service, "build", "args"):
        entry = node.entry(part) if node is not None and node.kind == "mapping" and not node.flow else None
        if entry is None:
            raise Refused("the file does not write it out there")
        nodes.append(entry)
        node = entry[1]
    name, args = nodes[-1]
    if args.flow or args.aliased or args.anchor or args.kind not in ("mapping", "sequence"):
        raise Refused("`args` is in flow style, or shared by an alias")
    return nodes[-2][1], name, args


def _new_item(text: str, name: YamlNode, args: YamlNode, key: str) -> tuple[Edit, ...]:
    """`secrets:` with one item, above `args:`, and indented as what it has."""
    start = text.rfind("\n", 0, name.start) + 1
    first = args.entries[0][0] if args.entries else args.items[0]
    line = text[text.rfind("\n", 0, first.start) + 1 : first.start]
    inner = line[: len(line) - len(line.lstrip(" "))]
    if text[start : name.start].strip(" ") or line.strip(" -"):
        raise Refused("`args` does not begin its line")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = f"{text[start : name.start]}secrets:{newline}{inner}- {key}{newline}"
    return (Edit(start, start, lines),)


def _check(before: str, after: str, service: str, key: str, *, keep_args: bool) -> None:
    """Raise `Refused` if more than the argument and the secret differ."""
    from dockfix.edit.yaml_check import ABSENT, yaml_changes  # noqa: PLC0415 - slow to import

    place = ("services", service, "build")
    lost: Counter[object] = Counter()
    for path, old, new in yaml_changes(before, after):
        if path[:3] == place and path[3:4] == ("args",):
            lost.update([] if old is ABSENT else [str(old)])
            lost.subtract([] if new is ABSENT else [str(new)])
        elif old is not ABSENT or not (
            path[:2] == ("secrets", key) or (path[:4] == (*place, "secrets") and new == key)
        ):
            raise Refused("another secret has this name")
    if sum(abs(count) for count in lost.values()) > (0 if keep_args else 1):
        raise Refused("the edit would change other arguments")


def _one_edit(before: str, after: str) -> Edit:
    """The edit that replaces the range in which two texts differ."""
    start = len(os.path.commonprefix([before, after]))  # noqa: RUF071 - characters are meant
    rest = min(len(before), len(after)) - start
    end = len(os.path.commonprefix([before[::-1][:rest], after[::-1][:rest]]))  # noqa: RUF071 - characters are meant
    return Edit(start, len(before) - end, after[start : len(after) - end])
