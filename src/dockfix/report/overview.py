"""Base images, users, caches and health checks of all Dockerfiles side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dockfix.facts.health import effective_healthcheck
from dockfix.facts.images import parse_image_ref
from dockfix.facts.model import Known, known
from dockfix.output.measures import count
from dockfix.output.words import listed
from dockfix.project.compose.waits import longest_chain
from dockfix.report.model import Overview
from dockfix.report.strengths import last_user

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.stages import Stage
    from dockfix.project.compose.model import ComposeFile
    from dockfix.project.secrets import Secrets
    from dockfix.project.target import Target

__all__ = ["overviews_of"]

_DIGEST = 12
"""Characters of a digest that are shown, as `docker images` does."""
_LISTED = 6
"""Files that a sentence lists; of more, their number."""
_MAX_CHECK = 160
"""Characters of a health check that are shown."""


def overviews_of(
    targets: Sequence[Target], compose: Sequence[tuple[ComposeFile, Secrets]], root: Path
) -> tuple[Overview, ...]:
    """The tables that have a row.

    Args:
        targets: the Dockerfiles.
        compose: the compose files, each with the values that must not be shown of it.
        root: what their paths are shown relative to.
    """
    tables = (
        _images(targets),
        _users(targets),
        _caches(targets),
        _health(targets, compose, root),
        _start_up([file for file, _ in compose], root),
    )
    return tuple(each for each in tables if each.rows)


def _images(targets: Sequence[Target]) -> Overview:
    places: dict[str, list[str]] = defaultdict(list)
    for target in targets:
        for stage in target.facts.graph.stages:
            image = known(stage.image)
            if stage.parent is None and stage.context is None and image not in (None, "scratch"):
                shown = target.secrets.hide(str(image), target.text)
                places[shown].append(f"{target.display}:{stage.node.start_line}")
    rows: list[tuple[str, ...]] = []
    tags: dict[str, set[str]] = defaultdict(set)
    unpinned = untagged = 0
    for image in sorted(places):
        ref = parse_image_ref(image)
        tag = (ref.tag if ref else None) or "none"
        pinned = ref is not None and ref.digest is not None
        unpinned += not pinned
        untagged += ref is not None and ref.tag in (None, "latest") and not pinned
        if ref is not None and ref.tag is not None:
            tags[f"{ref.registry}/{ref.repository}".removeprefix("docker.io/").removeprefix("library/")].add(ref.tag)
        digest = ref.digest.partition(":")[2][:_DIGEST] if ref is not None and ref.digest else "none"
        rows.append((image.partition("@")[0], tag, digest, ", ".join(places[image])))
    said: list[str] = []
    if rows:
        said.append(f"{len(rows) - unpinned} of {len(rows)} base images are pinned to a digest")
    if untagged:
        said.append(f"{count(untagged, 'base image has', 'base images have')} no version: no tag, or `latest`")
    said += (
        f"`{name}` is used with {len(found)} tags: {', '.join(f'`{tag}`' for tag in sorted(found))}"
        for name, found in sorted(tags.items())
        if len(found) > 1
    )
    return Overview("Base images", ("image", "tag", "digest", "where"), tuple(rows), tuple(said))


def _users(targets: Sequence[Target]) -> Overview:
    rows: list[tuple[str, ...]] = []
    roots: list[str] = []
    names: dict[int, set[str]] = defaultdict(set)
    numbers: dict[str, set[int]] = defaultdict(set)
    for target in targets:
        final = target.facts.final
        if final is None:
            continue
        state = target.facts.end_state(final)
        node = last_user(target.facts, final)
        user, uid, gid = known(state.user), known(state.uid), known(state.gid)
        if state.is_root == Known(True):
            roots.append(target.display)
        elif user is not None and uid is not None and not user.isdigit():
            names[uid].add(user)
            numbers[user].add(uid)
        base = "nothing" if _from_scratch(target.facts, final) else "the base image"
        where = f"line {node.start_line}" if node is not None else base
        rows.append((target.display, user or "not known", _number(uid), _number(gid), where))
    said = []
    if roots:
        said.append(f"the user of {count(len(roots), 'image', 'images')} is root: {listed(roots, most=_LISTED)}")
    said += (
        f"the UID {uid} has different names: {_quoted(found)}" for uid, found in sorted(names.items()) if len(found) > 1
    )
    said += (
        f"the user `{name}` has different UIDs: {', '.join(map(str, sorted(found)))}"
        for name, found in sorted(numbers.items())
        if len(found) > 1
    )
    return Overview("Users", ("file", "user", "UID", "GID", "set by"), tuple(rows), tuple(said))


def _from_scratch(facts: BuildFacts, stage: Stage) -> bool:
    return facts.graph.chain(stage)[-1].image == Known("scratch")


def _caches(targets: Sequence[Target]) -> Overview:
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for target in targets:
        for _, run in target.facts.runs():
            for mount in run.mounts:
                if mount.kind == "cache":
                    path = mount.target or "none"
                    key = (path, mount.get("id") or path, mount.get("sharing") or "shared")
                    places[key].append(f"{target.display}:{run.start_line}")
    rows = tuple((*key, ", ".join(dict.fromkeys(places[key]))) for key in sorted(places))
    ids: dict[str, set[str]] = defaultdict(set)
    for path, name, _, _ in rows:
        ids[path].add(name)
    said = tuple(
        f"the caches at `{path}` are not shared: they have {len(found)} ids"
        for path, found in sorted(ids.items())
        if len(found) > 1
    )
    return Overview("Caches", ("path", "id", "sharing", "where"), rows, said)


def _health(targets: Sequence[Target], compose: Sequence[tuple[ComposeFile, Secrets]], root: Path) -> Overview:
    rows: list[tuple[str, ...]] = []
    without: list[str] = []
    for target in targets:
        final = target.facts.final
        if final is None:
            continue
        node = effective_healthcheck(target.facts, final)
        if node is None or node.kind == "NONE":
            without.append(target.display)
            continue
        text = target.secrets.hide(" ".join(node.text.text.split()), target.text)
        rows.append((f"{target.display}:{node.start_line}", "image", _cut(text)))
    for file, secrets in compose:
        for service in file.services.values():
            check = service.healthcheck
            test = check.raw_test if check is not None else None
            if check is not None and (test or check.disable):
                words = "disabled" if check.disable else test if isinstance(test, str) else " ".join(test or ())
                place = f"{_shown(root, check.source)}:{check.line}"
                # a plain word may be a password, and here the name of a user: what the check says itself is shown
                rows.append((place, f"service {service.name}", _cut(secrets.hide(words, words))))
    said = []
    if without:
        number = count(len(without), "Dockerfile sets", "Dockerfiles set")
        said.append(f"{number} no health check: {listed(without, most=_LISTED)}")
    return Overview("Health checks", ("where", "of", "check"), _once(rows), tuple(said))


def _start_up(compose: Sequence[ComposeFile], root: Path) -> Overview:
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    for file in compose:
        for service in file.services.values():
            for each in service.depends_on:
                place = f"{_shown(root, each.source)}:{each.line}"
                rows.append((service.name, each.name, each.until or "not known", place))
        waits = longest_chain(file)
        if len(waits) > 1:
            chain = [*(wait.dependency.name for wait in reversed(waits)), waits[0].service.name]
            name = _shown(root, file.path)
            said.append(f"the longest start-up chain in {name} has {len(chain)} services: {' → '.join(chain)}")
    headings = ("service", "waits for", "until it is", "where")
    return Overview("Start-up order", headings, _once(rows), tuple(said))


def _once(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Rows without repetitions: several compose files may include one file."""
    return tuple(dict.fromkeys(rows))


def _shown(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHECK else f"{text[: _MAX_CHECK - 1]}…"


def _number(value: int | None) -> str:
    return "not known" if value is None else str(value)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
