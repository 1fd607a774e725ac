"""Compares two images: configuration, packages, files; and says which differences are expected.

A file differs in type, mode, owner, content or link target; a folder in type, mode or owner. Times are never read, and
a folder does not differ because something below it does. A folder that is new or gone is one difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from dockfix.project.secrets import is_secret_name
from dockfix.rule.promise import Packages, Part, Promise
from dockfix.verify.changes import (
    FOLLOWS,
    PACKAGED,
    PROMISED,
    Change,
    Reason,
    change_at,
    changes,
    differences,
    files_text,
)
from dockfix.verify.globs import Globs
from dockfix.verify.image import Healthcheck, Image, ImageConfig
from dockfix.verify.model import Difference, Measurement
from dockfix.verify.noise import noise_reason
from dockfix.verify.ownership import PackageFiles, has_only_content

__all__ = ["UNSTABLE", "allowed", "compare", "measurements", "unstable"]

UNSTABLE: Final = "differs between two builds of the same Dockerfile"
_MAX_ACCOUNTS: Final = 2_000
_MAX_LINES: Final = 5
_ORDER: Final = ("config", "package", "removed", "added", "changed")


def compare(before: Image, after: Image) -> tuple[Difference, ...]:
    """What differs between two images, those with a `reason` last.

    Noise, which differs between two builds of the same Dockerfile by itself, has a reason; and so has what package
    managers write where packages differ. The files of a package that is new, gone or of another version are not listed:
    its own difference counts them.
    """
    root = changes(before.tree, after.tree)
    files = PackageFiles(before, after)
    return _sorted(
        [
            *_config(before.config, after.config),
            *_packages(before.packages, after.packages, _counts(root, files)),
            *(
                _with_accounts(each, before, after)
                for each in differences(root, _reason(files))
                if each.reason != PACKAGED
            ),
        ]
    )


def _with_accounts(difference: Difference, before: Image, after: Image) -> Difference:
    """The difference; that of `/etc/passwd` or `/etc/group` with the lines that are new or gone."""
    if difference.kind != "changed" or difference.what not in {"/etc/passwd", "/etc/group"}:
        return difference
    old, new = (
        [re.sub(r"^([^:]*):[^:]*:", r"\1:x:", line) for line in _lines(image.kept.get(difference.what, b""))]
        for image in (before, after)
    )
    gone, added = [line for line in old if line not in new], [line for line in new if line not in old]
    return replace(
        difference,
        before="; ".join([difference.before, *gone[:_MAX_LINES]]),
        after="; ".join([difference.after, *added[:_MAX_LINES]]),
    )


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").split("\n")[:_MAX_ACCOUNTS]


def _reason(files: PackageFiles, permissions: Sequence[_Permission] = ()) -> Reason:
    """Why a single change of a file is allowed, or says nothing. A difference of mode or owner is never noise."""

    def reason(change: Change) -> str:
        if files.owner(change):
            return PACKAGED
        for one in permissions:
            if one.allows_file(change):
                return f"{PROMISED}{one.rule}"
        if change.kind == "changed" and not has_only_content(change):
            return ""
        return noise_reason(change.kind, change.path) or (FOLLOWS if files.follows(change) else "")

    return reason


def allowed(
    found: Sequence[Difference], promises: Mapping[str, Promise], before: Image, after: Image
) -> tuple[Difference, ...]:
    """The differences, where those that the promise of any rule allows have the reason `promised by <rule>`.

    A pattern of a promise names a file, or a folder with all that is below it. A folder that is allowed in parts
    becomes several differences.

    Args:
        found: the differences of `compare` or `unstable`; those with a reason are returned as they are.
        promises: the promises by the name of their rule.
        before: the image before.
        after: the image after.
    """
    permissions = [_Permission(rule, promise, after) for rule, promise in sorted(promises.items())]
    permissions.sort(key=lambda one: one.is_wide)  # a promise of any file explains nothing
    files = [each for each in found if each.kind in {"added", "removed", "changed"} and not each.reason]
    root = changes(before.tree, after.tree) if files else Change("/")
    reason = _reason(PackageFiles(before, after), permissions) if files else None
    result: dict[tuple[str, str], Difference] = {}
    for each in found:
        change = change_at(root, each.what) if not each.reason else None
        parts: Iterable[Difference] = [each]
        if each.kind in {"config", "package"} and not each.reason:
            rule = next((one.rule for one in permissions if one.allows_value(each)), None)
            parts = [each if rule is None else replace(each, reason=f"{PROMISED}{rule}")]
        elif change is not None and reason is not None:
            parts = (
                differences(change, reason)
                if change.covers or change.rights
                else [replace(each, reason=reason(change))]
            )
        result |= {(part.kind, part.what): part for part in parts if part.reason != PACKAGED}
    return _sorted(result.values())


class _Permission:
    """What the promise of a rule allows."""

    def __init__(self, rule: str, promise: Promise, after: Image) -> None:
        self.rule = rule
        self._promise = promise
        self._after = after
        self._globs = {
            "added": Globs(promise.adds), "removed": Globs(promise.removes), "changed": Globs(promise.changes),
        }  # fmt: skip
        self._owners = Globs(promise.owners)

    @property
    def is_wide(self) -> bool:
        """Whether any file may differ."""
        promise = self._promise
        return "/**" in (*promise.adds, *promise.removes, *promise.changes, *promise.owners)

    def allows_value(self, difference: Difference) -> bool:
        """Whether a part of the configuration, or a package, may differ so."""
        if difference.kind == "config":
            return Part(difference.what.split(" ")[0]) in self._promise.config
        before, after = set(_versions(difference.before)), set(_versions(difference.after))
        if self._promise.packages is Packages.FEWER:
            return after < before
        if self._promise.packages is Packages.MORE:
            return before < after
        return self._promise.packages is Packages.ANY

    def allows_file(self, change: Change) -> bool:
        """Whether a file, or an empty folder, may differ so."""
        named = self._globs[change.kind].matches(change.path)
        owner = _has_only_owner(change) and self._owners.matches(change.path)
        return named or owner or self._is_left_above(change)

    def _is_left_above(self, change: Change) -> bool:
        """Whether it is an empty folder that is new above a place where files may be new.

        buildah leaves the folders above a mount. They do no harm where they belong to the owner of the folder that they
        are in; root's folder in a user's home keeps the user from writing there.
        """
        entry = change.after
        if change.kind != "added" or change.below or entry is None or entry.type != "folder":
            return False
        above = self._after.tree.get(change.path.rpartition("/")[0] or "/")
        owned = above is not None and (above.uid, above.gid) == (entry.uid, entry.gid)
        return owned and any(pattern.startswith(f"{change.path}/") for pattern in self._promise.adds)


def _has_only_owner(change: Change) -> bool:
    """Whether a file or folder differs in its owner or group, and in nothing else."""
    before, after = change.before, change.after
    return before is not None and after is not None and replace(before, uid=after.uid, gid=after.gid) == after


def _versions(text: str) -> list[str]:
    """The versions in the text of a package's difference, which may be followed by a count of files."""
    return [part for part in text.split(", ") if part and " " not in part]


def unstable(found: Sequence[Difference], repeated: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences, where those that two builds of *before* have, too, have the reason `UNSTABLE`.

    A new name in place of an old one counts, too, where the second build has another name in the same folder.

    Args:
        found: the differences between *before* and *after*.
        repeated: the differences between two builds of *before*.
    """
    places = {(each.kind, each.what): _aspects(each) for each in repeated}
    renamed = _renamed(repeated) & _renamed(found)

    def is_unstable(each: Difference) -> bool:
        aspects = places.get((each.kind, each.what))
        if aspects is not None and _aspects(each) <= aspects:
            return True
        return each.kind in {"added", "removed"} and _folder(each) in renamed

    return _sorted(
        [replace(each, reason=UNSTABLE) if not each.reason and is_unstable(each) else each for each in found]
    )


def _aspects(difference: Difference) -> set[str]:
    """In what it differs: whether something is new or gone; of a changed file content, type, mode or owner."""
    if difference.kind != "changed":
        return {name for name, text in (("new", difference.before), ("gone", difference.after)) if not text}
    words = {part.partition(" ")[0] for part in difference.before.split("; ")[0].split(", ")}
    return {"content" if word[:1].isdigit() else word for word in words if word != "sha256"}


def _renamed(found: Sequence[Difference]) -> set[str]:
    """The folders in which as many entries are new as are gone."""
    balance: dict[str, list[int]] = {}
    for each in found:
        if each.kind in {"added", "removed"}:
            balance.setdefault(_folder(each), [0, 0])[each.kind == "added"] += 1
    return {folder for folder, (gone, new) in balance.items() if gone == new}


def _folder(difference: Difference) -> str:
    return difference.what.rpartition("/")[0]


def measurements(before: Image, after: Image) -> tuple[Measurement, ...]:
    """Image size, layers that have files, files of the merged tree (folders are not counted), and packages."""

    def measured(what: str, unit: str, value: Callable[[Image], float]) -> Measurement:
        return Measurement(what, unit, (value(before),), (value(after),))

    return (
        measured("image size", "bytes", lambda image: image.size),
        measured("layers", "layers", lambda image: sum(not layer.empty for layer in image.layers)),
        measured("files", "files", lambda image: sum(entry.type != "folder" for entry in image.tree.values())),
        measured("packages", "packages", lambda image: len(image.packages)),
    )


def _sorted(found: Iterable[Difference]) -> tuple[Difference, ...]:
    return tuple(sorted(found, key=lambda each: (bool(each.reason), _ORDER.index(each.kind), each.what.split("/"))))


def _config(before: ImageConfig, after: ImageConfig) -> Iterator[Difference]:
    texts_before, texts_after = _config_texts(before), _config_texts(after)
    for what in sorted(texts_before.keys() | texts_after.keys()):
        value_before, value_after = texts_before.get(what), texts_after.get(what)
        if value_before != value_after:
            yield Difference("config", what, _shown(what, value_before), _shown(what, value_after))


def _config_texts(config: ImageConfig) -> dict[str, str]:
    """Each part that is set, as text; variables, labels, ports and volumes one by one."""
    texts = {
        Part.USER.value: config.user,
        Part.ENTRYPOINT.value: _array(config.entrypoint),
        Part.COMMAND.value: _array(config.command),
        Part.HEALTHCHECK.value: _healthcheck(config.healthcheck),
        Part.WORKDIR.value: config.workdir,
        Part.SHELL.value: _array(config.shell),
        Part.STOP_SIGNAL.value: config.stop_signal,
        Part.AUTHOR.value: config.author,
    }
    texts = {what: text for what, text in texts.items() if text}
    for variable in config.env:
        name, _, value = variable.partition("=")
        texts[f"{Part.ENV.value} {name}"] = value
    texts |= {f"{Part.LABELS.value} {key}": value for key, value in config.labels.items()}
    texts |= {f"{Part.PORTS.value} {port}": "exposed" for port in config.ports}
    return texts | {f"{Part.VOLUMES.value} {path}": "declared" for path in config.volumes}


def _shown(what: str, value: str | None) -> str:
    """A value for a reader, without secrets; an empty value is not the same as none."""
    if value is None:
        return ""
    part, _, name = what.partition(" ")
    if part in {Part.ENV.value, Part.LABELS.value} and is_secret_name(name):
        return "a value that is not shown"
    return value or "(empty)"


def _array(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False) if words else ""


def _healthcheck(check: Healthcheck | None) -> str:
    if check is None:
        return ""
    times = {"interval": check.interval, "timeout": check.timeout, "start period": check.start_period}
    parts = [_array(check.test), *(f"{name} {seconds:g} s" for name, seconds in times.items() if seconds)]
    return ", ".join([*parts, f"{check.retries} retries"] if check.retries else parts)


def _counts(root: Change, files: PackageFiles) -> dict[str, tuple[int, int]]:
    """How many files, with how many bytes, of each package are new or gone."""
    counts: dict[str, tuple[int, int]] = {}
    for change in root.walk():
        entry = change.before or change.after
        if change.kind in {"added", "removed"} and entry and entry.type != "folder" and (key := files.owner(change)):
            number, size = counts.get(key, (0, 0))
            counts[key] = (number + 1, size + entry.size)
    return counts


def _packages(
    before: Mapping[str, str], after: Mapping[str, str], counts: Mapping[str, tuple[int, int]]
) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, ""), after.get(key, "")
        if old == new:
            continue
        if key in counts and not (old and new):
            text = f", {files_text(*counts[key])}"
            old, new = old and old + text, new and new + text
        yield Difference("package", key, old, new)
