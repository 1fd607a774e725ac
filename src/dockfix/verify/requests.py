"""How a Dockerfile is built: what compose, bake and the command line say of it, as the parts of a build request."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from dockfix.facts.model import Refused
from dockfix.project.compose.model import BuildInvocation, NamedContext
from dockfix.project.ignore import IgnoreRules, read_ignore
from dockfix.project.target import Target, context_candidates, display
from dockfix.syntax.tree import Add, Copy, Run
from dockfix.verify.model import Secret

__all__ = ["Recipe", "recipes", "shown_build"]

_EXTRA: Final = {
    "network": "network",
    "network-mode": "network",
    "shm-size": "shm-size",
    "ulimits": "ulimit",
    "extra-hosts": "add-host",
}
"""Options of compose and bake that every builder takes, by the name of the option on the command line."""
_HARMLESS: Final = frozenset({*_EXTRA, "secret", "platforms", "labels"})
"""Options that are passed on, or that do not change what is compared: labels are the same before and after."""


class Recipe(Struct, frozen=True):
    """One way in which a Dockerfile is built.

    Args:
        shown: how it is built, for a reader.
        context: the folder of the build context; None for a build that takes nothing from its context.
        ignore: the ignore rules of the context.
        target: the stage to build.
        args: build arguments; None takes the value from the environment.
        folders: named contexts that are folders of the project.
        references: named contexts that builders take as they are: `docker-image://...`.
        builds: named contexts that are images of other services or targets, which must be built first.
        secrets: build secrets.
        platform: the platform; None for the builder's own.
        extra: see `BuildRequest.extra`.
    """

    shown: str
    context: Path | None
    ignore: IgnoreRules | None = None
    target: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    builds: Mapping[str, BuildInvocation] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    platform: str | None = None
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def recipes(target: Target) -> dict[object, Recipe | Refused]:
    """The ways in which a Dockerfile is built, by a key that is the same before and after a fix; or why it cannot be
    built here.

    Ways that differ in nothing that matters to the image are given once. The context of the command line applies to
    each of them. A Dockerfile that no compose or bake file builds gets the first folder that has all that it copies:
    its own, or the root of the project.
    """
    invocations: Sequence[BuildInvocation | None] = target.builds or (None,)
    found: dict[object, Recipe | Refused] = {}
    for invocation in invocations:
        key = None if invocation is None else (invocation.source, invocation.service)
        try:
            recipe = _recipe(target, invocation)
        except Refused as refused:
            found[key] = refused
            continue
        if not any(isinstance(other, Recipe) and _key(recipe) == _key(other) for other in found.values()):
            found[key] = recipe
    return found


def shown_build(target: Target, key: object) -> str:
    """How a way to build a Dockerfile is shown, given its key."""
    recipe = recipes(target).get(key)
    if isinstance(recipe, Recipe):
        return recipe.shown
    invocation = next((each for each in target.builds if key == (each.source, each.service)), None)
    return _shown(target, invocation)


def _key(recipe: Recipe) -> object:
    builds = {name: (each.source, each.service) for name, each in recipe.builds.items()}
    return (
        recipe.context, recipe.target, recipe.args, recipe.folders, recipe.references, builds, recipe.secrets,
        recipe.platform, recipe.extra,
    )  # fmt: skip


def _shown(target: Target, invocation: BuildInvocation | None) -> str:
    if invocation is None:
        return target.context_why if target.context is not None else "no known build"
    return f"{invocation.service} ({display(invocation.source, target.project.root)}:{invocation.line})"


def _recipe(target: Target, invocation: BuildInvocation | None) -> Recipe:
    shown = _shown(target, invocation)
    if invocation is None:
        context, shown = _bare_context(target)
        given: dict[str, NamedContext] = {name: each[0] for name, each in target.named_contexts.items()}
        folders, references, builds = _named(target, given)
        return Recipe(shown, context, _ignore(target, context), folders=folders, references=references, builds=builds)
    if target.own_options.context is None and invocation.context is None:
        raise Refused(invocation.context_why or "its build context is not known")
    context = target.context.root if target.own_options.context is not None and target.context else invocation.context
    given = dict(invocation.additional_contexts)
    for name in target.own_options.build_contexts:
        given |= {key: each[0] for key, each in target.named_contexts.items() if key == name or name.endswith(key)}
    folders, references, builds = _named(target, given)
    return Recipe(
        shown,
        context,
        _ignore(target, context),
        invocation.target,
        _args(invocation),
        folders,
        references,
        builds,
        tuple(_secrets(target, invocation)),
        _platform(invocation),
        _extra(invocation),
    )


def _args(invocation: BuildInvocation) -> Mapping[str, str | None]:
    if "args" in invocation.options and invocation.options["args"] is None:
        raise Refused("some of its build arguments are computed")
    unknown = [name for name, raw in invocation.raw_args.items() if raw is not None and invocation.args[name] is None]
    if unknown:
        raise Refused(f"the build argument {unknown[0]} depends on a variable that is not set")
    return invocation.args


def _ignore(target: Target, context: Path | None) -> IgnoreRules | None:
    return read_ignore(context, target.real, target.project.files) if context is not None else None


def _bare_context(target: Target) -> tuple[Path | None, str]:
    """The context of a Dockerfile that nothing builds, and how it is known."""
    if target.context is not None:
        return target.context.root, f"context {display(target.context.root, target.project.root)}"
    sources = list(_context_sources(target))
    if not sources:
        return None, "takes nothing from its context"
    for context in context_candidates(target.project, target.path):
        if all(context.glob(source, sent_only=True) for source in sources):
            return context.root, f"context {display(context.root, target.project.root)} (assumed)"
    raise Refused("its build context is not known, and no likely folder has all that it copies; give --context DIR")


def _context_sources(target: Target) -> Iterator[str]:
    """What COPY, ADD and bind mounts take from the context; `.` for a mount of all of it."""
    for instruction in target.dockerfile.instructions:
        match instruction:
            case Copy() if instruction.source_stage is None:
                yield from (word.text for word in instruction.sources if "$" not in word.text)
            case Add():
                yield from (
                    word.text for word in instruction.sources if "://" not in word.text and "$" not in word.text
                )
            case Run():
                for flag in instruction.flags:
                    if flag.name == "mount" and "type=bind" in (flag.value or "") and "from=" not in (flag.value or ""):
                        yield "."


def _named(
    target: Target, contexts: Mapping[str, NamedContext]
) -> tuple[dict[str, Path], dict[str, str], dict[str, BuildInvocation]]:
    """The named contexts by kind.

    Raises:
        Refused: one of them is remote, outside the project or unknown.
    """
    folders: dict[str, Path] = {}
    references: dict[str, str] = {}
    builds: dict[str, BuildInvocation] = {}
    for name, context in contexts.items():
        if context.kind == "folder" and context.path is not None and context.exists:
            folders[name] = context.path
        elif context.kind == "image":
            references[name] = context.value
        elif context.kind in ("service", "target"):
            builds[name] = _producer(target, context)
        elif context.kind == "folder":
            raise Refused(f"the named context {name} is not a folder of the project: {context.shown}")
        else:
            raise Refused(f"the named context {name} is not on this machine: {context.shown}")
    return folders, references, builds


def _producer(target: Target, context: NamedContext) -> BuildInvocation:
    wanted = context.value.partition(":")[2]
    for invocation in target.project.invocations:
        if invocation.service == wanted and (invocation.kind == "bake") == (context.kind == "target"):
            return invocation
    raise Refused(f"the named context {context.name} is the image of {wanted}, which nothing builds")


def _secrets(target: Target, invocation: BuildInvocation) -> Iterator[Secret]:
    for each in invocation.secrets:
        yield _secret(target, each.id, each.file, each.env)
    option = invocation.options.get("secret") if invocation.kind == "bake" else None
    for item in option if isinstance(option, tuple) else ():
        pairs = dict(part.partition("=")[::2] for part in item.split(",")) if isinstance(item, str) else _pairs(item)
        source = pairs.get("src") or pairs.get("source")
        file = invocation.source.parent / source if source else None
        yield _secret(target, pairs.get("id", ""), file, pairs.get("env") or (None if source else pairs.get("id")))


def _pairs(item: object) -> dict[str, str]:
    pairs = item if isinstance(item, tuple) else ()
    return {
        pair[0]: pair[1]
        for pair in pairs
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)
    }


def _secret(target: Target, name: str, file: Path | None, env: str | None) -> Secret:
    if not name or (file is None and env is None):
        raise Refused(f"the build secret {name or '?'} has no file and no environment variable")
    if file is not None:
        real = Path(os.path.realpath(file))
        if not real.is_relative_to(target.project.root):
            raise Refused(f"the build secret {name} is a file outside the project")
        return Secret(name, file=real)
    return Secret(name, env=env)


def _platform(invocation: BuildInvocation) -> str | None:
    option = invocation.options.get("platforms")
    platforms = _texts(option) if option is not None else ()
    if "platforms" in invocation.options and (option is None or platforms is None):
        raise Refused("its platform is not known")
    if platforms and len(platforms) > 1:
        raise Refused(f"it is built for several platforms: {', '.join(platforms)}")
    return platforms[0] if platforms else None


def _extra(invocation: BuildInvocation) -> dict[str, tuple[str, ...]]:
    """The options that are passed on; others must not matter to the image.

    Raises:
        Refused: the build needs something that is not passed on, such as SSH keys.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, option in invocation.options.items():
        if name in _EXTRA:
            texts = _texts(option) if option is not None else None
            if texts is None:
                raise Refused(f"its option {name} is not known")
            found[_EXTRA[name]] = texts
        elif name not in _HARMLESS and name != "args" and option not in ("", (), "false"):
            raise Refused(f"its option {name} is not supported here")
    return found


def _texts(option: object) -> tuple[str, ...] | None:
    """The texts of an option: one, or a list; a pair `name, value` is `name=value`. None if it is nested deeper."""
    if isinstance(option, str):
        return (option,)
    found = []
    for each in option if isinstance(option, tuple) else ():
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, tuple) and len(each) == 2 and all(isinstance(part, str) for part in each):
            found.append("=".join(str(part) for part in each))
        else:
            return None
    return tuple(found)
