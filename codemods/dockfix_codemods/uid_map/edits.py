"""The edits that give a user another number in all files of a project.

The number of a user occurs in the Dockerfiles that create the user, in those that start from their images, and in
`user:` of the compose services that run either. All of them are changed, or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dockfix.edit.text import apply_edits
from dockfix.facts.images import ImageRef, parse_image_ref
from dockfix.facts.model import Known, Refused
from dockfix.project.target import Target
from dockfix.rule import Edit
from dockfix.rule.workspace import Workspace
from dockfix_codemods.uid_map.numbers import AccountNumber, CreatedUser, account_numbers, created_users, number_spans

if TYPE_CHECKING:
    from dockfix.project.compose.builds import ComposeFile, Service


class AccountFile(Struct, frozen=True):
    """The users, groups and numbers of one Dockerfile. Plain values."""

    display: str
    numbers: tuple[AccountNumber, ...]
    users: tuple[CreatedUser, ...]

    def creates(self, name: str) -> bool:
        """Whether a command of the file creates a user."""
        return any(user.name == name for user in self.users)


class _Ids(Struct, frozen=True):
    """The numbers of a user in a file and in the images derived from it; `gids` are those of its own group."""

    uids: frozenset[int]
    gids: frozenset[int] = field(default_factory=frozenset)

    @property
    def all(self) -> frozenset[int]:
        return self.uids | self.gids


def account_file(target: Target) -> AccountFile:
    """The users, groups and numbers of a Dockerfile."""
    lowered = target.text.lower()
    if not any(word in lowered for word in ("user", "group", "chown", "uid=")):
        return AccountFile(target.display, (), ())
    return AccountFile(target.display, tuple(account_numbers(target.facts)), tuple(created_users(target.facts)))


def renumber(
    workspace: Workspace, files: Mapping[Path, AccountFile], name: str, number: int
) -> Mapping[Path, tuple[Edit, ...]]:
    """The edits of each file that give the number to the user `name` and to its own group.

    Raises:
        Refused: something else depends on an old number, or may depend on it.
    """
    ids = {path: _ids_of(file, name) for path, file in files.items() if file.creates(name)}
    ids |= _ids_in_children(workspace, files, ids)
    for target in workspace.outside:
        if any(place.name == name for place in account_file(target).numbers):
            raise Refused(f"{target.display}, which is not part of this run, has `{name}` too")
    edits: dict[Path, tuple[Edit, ...]] = {}
    for path, file in files.items():
        _check_owner(file, name, derived=path in ids and not file.creates(name))
        if path in ids:
            edits[path] = tuple(_in_dockerfile(workspace, path, file, name, number, ids[path]))
    for compose in workspace.project.compose_files:
        real = workspace.project.files.real(compose.path)
        if real is not None:
            edits[real] = tuple(_in_compose(workspace, real, compose, number, ids))
    return {path: each for path, each in edits.items() if each}


def _ids_of(file: AccountFile, name: str) -> _Ids:
    uids: set[int] = set()
    gids: set[int] = set()
    for user in (user for user in file.users if user.name == name):
        where = f"{file.display}:{user.line}"
        if user.uid is None:
            raise Refused(f"the UID of `{name}` in {where} is not a number in the file")
        uids.add(user.uid)
        if user.own_group:
            if user.gid is None:
                raise Refused(f"the GID of the group of `{name}` in {where} is not a number in the file")
            gids.add(user.gid)
    return _Ids(frozenset(uids), frozenset(gids))


def _ids_in_children(
    workspace: Workspace, files: Mapping[Path, AccountFile], owners: Mapping[Path, _Ids]
) -> dict[Path, _Ids]:
    """The Dockerfiles that start from an image of an owner, as compose or bake name it, and do not create the user."""
    tags: dict[ImageRef, _Ids] = {}
    for invocation in workspace.project.invocations:
        real = workspace.project.files.real(invocation.dockerfile) if invocation.dockerfile is not None else None
        if real is not None and real in owners:
            tags |= {ref: owners[real] for tag in invocation.tags if (ref := _image(tag)) is not None}
    found: dict[Path, _Ids] = {}
    for path in files if tags else ():
        for stage in workspace.target(workspace.by_path[path]).facts.graph.stages:
            ref = _image(stage.base_ref.value) if isinstance(stage.base_ref, Known) else None
            if path not in owners and ref in tags:
                found[path] = tags[ref]
    return found


def _image(reference: str) -> ImageRef | None:
    ref = parse_image_ref(reference)
    return None if ref is None else ImageRef(ref.registry, ref.repository, ref.tag or "latest", None)


def _check_owner(file: AccountFile, name: str, *, derived: bool) -> None:
    for place in file.numbers:
        if place.kind == "user" and place.name == name and not place.created_here and not derived:
            raise Refused(f"{file.display}:{place.line} uses `{name}`, which comes from its base image")


def _in_dockerfile(
    workspace: Workspace, path: Path, file: AccountFile, name: str, number: int, ids: _Ids
) -> Iterator[Edit]:
    target = workspace.target(workspace.by_path[path])
    _check_free(target, file, name, number, ids)
    edits: list[Edit] = []
    for place in file.numbers:
        where = f"{file.display}:{place.line}"
        if place.number is None and (not place.name or (place.creates and place.name == name and place.text)):
            raise Refused(f"a number in {where} is set by `{place.text}`")
        if _is_own_number(place, name, ids) and place.number != number:
            if place.span is None:
                raise Refused(f"{place.number} in {where} is set by `{place.text}`")
            edits.append(Edit(*place.span, str(number)))
    known = {place.span.start for place in file.numbers if place.span is not None}
    for old in ids.all - {number}:
        for span in number_spans(target.dockerfile, old):
            if span.start not in known:
                line = target.dockerfile.positions.line(span.start)
                raise Refused(f"{old} in {file.display}:{line} may be a number of `{name}` too")
    if edits:
        after = target.with_text(apply_edits(target.text, edits))
        for user in created_users(after.facts):
            if user.name == name and (user.uid != number or (user.own_group and user.gid != number)):
                raise Refused(f"the group of `{name}` in {file.display}:{user.line} would not get the GID {number}")
    yield from edits


def _is_own_number(place: AccountNumber, name: str, ids: _Ids) -> bool:
    """Whether a number belongs to the user or to its own group."""
    mine = ids.uids if place.kind == "user" else ids.gids
    if place.creates:
        return place.name == name and (place.kind == "user" or bool(ids.gids))
    return not place.name and place.number in mine


def _check_free(target: Target, file: AccountFile, name: str, number: int, ids: _Ids) -> None:
    """Refuse if the old or the new number belongs to another account too."""
    for place in file.numbers:
        if not place.creates or place.name == name or place.number is None:
            continue
        mine = ids.uids if place.kind == "user" else ids.gids
        if place.number in mine or (place.number == number and mine):
            word = "UID" if place.kind == "user" else "GID"
            raise Refused(f"{place.number} is the {word} of `{place.name}` in {file.display}:{place.line}")
    for stage in target.facts.graph.stages:
        taken = stage.base.taken_ids if stage.base is not None else frozenset()
        if number in taken:
            image = f"`{stage.base_ref.value}`" if isinstance(stage.base_ref, Known) else "the base image"
            raise Refused(f"{image} in {file.display}:{stage.node.start_line} already has the ID {number}")


def _in_compose(
    workspace: Workspace, path: Path, compose: ComposeFile, number: int, ids: Mapping[Path, _Ids]
) -> Iterator[Edit]:
    from dockfix.edit.yaml import replace_scalar, value_span  # noqa: PLC0415 - rarely needed

    text = workspace.text(path)
    for service in compose.services.values():
        mine = _ids_of_service(workspace, compose, service, ids)
        if mine is None:
            continue
        at = ("services", service.name, "user")
        span = value_span(text, at)
        where = f"the service `{service.name}` in {path.relative_to(workspace.project.root).as_posix()}"
        written = text[span.start : span.end] if span is not None else ""
        if "$" in written or (service.user is None and "user" in service.raw):
            raise Refused(f"the user of {where} is set by a variable")
        parts = (service.user or "").split(":")
        new = [
            str(number) if part.isascii() and part.isdigit() and len(part) < 11 and int(part) in old else part
            for part, old in zip(parts, (mine.uids, mine.gids), strict=False)
        ]
        if new == parts:
            continue
        if written.strip("'\"") != service.user:
            raise Refused(f"the user of {where} is not set in that file alone")
        try:
            yield from replace_scalar(text, at, ":".join(new))
        except Refused as refused:
            raise Refused(f"the user of {where} cannot be edited: {refused.reason}") from refused


def _ids_of_service(
    workspace: Workspace, compose: ComposeFile, service: Service, ids: Mapping[Path, _Ids]
) -> _Ids | None:
    """The numbers of the user in the image of a service; None if no file of the run builds that image."""
    image = _image(service.image) if service.image and not service.builds else None
    for each in workspace.project.invocations:
        own = each.service == service.name and each.source in (compose.path, *compose.files)
        if each.dockerfile is not None and (own or (image is not None and image in map(_image, each.tags))):
            real = workspace.project.files.real(each.dockerfile)
            if real is not None and real in ids:
                return ids[real]
    return None
