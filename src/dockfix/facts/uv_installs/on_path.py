"""Whether a command finds uv on PATH."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, TypeAlias

from dockfix.facts.images import image_names
from dockfix.facts.model import known
from dockfix.facts.stages import ImageSource, StageSource
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.shell import SimpleCommand, Word
from dockfix.syntax.tree import Copy, Mount, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Step
    from dockfix.facts.stages import Stage

UV_IMAGE: Final = "ghcr.io/astral-sh/uv"
PROGRAMS: Final = ("uv", "uvx")
SYSTEM_PATH: Final = ("/bin", "/usr/bin", "/usr/local/bin")
Removable: TypeAlias = tuple[SimpleCommand, SimpleCommand]


def uv_is_on_path(facts: BuildFacts, stage: Stage, run: Run, step: Step) -> bool:
    """Whether a command finds uv on PATH: from the image, copied or mounted from uv's image, or used before."""
    if stage.base is not None and "uv" in stage.base.tools:
        return True
    if any(_mounts_uv(mount, SYSTEM_PATH) for mount in run.mounts):
        return True
    for link in facts.graph.chain(stage):
        for each in link.instructions:
            if each.span.start >= run.span.start and each is not run:
                break
            if isinstance(each, Copy) and _copies_uv(facts, each, link):
                return True
            if not isinstance(each, Run) or any(_mounts_uv(mount, None) for mount in each.mounts):
                continue
            if any(_shows_uv(one, step if each is run else None) for one in facts.commands(each).steps):
                # another user's PATH does not apply
                return facts.state(each).user == facts.state(run).user
    return False


def _shows_uv(step: Step, before: Step | None) -> bool:
    """Whether a command that has not failed called uv by its name.

    Args:
        step: the command.
        before: the command that it must precede, if that is in the same script. Otherwise the changes that the script
            made to PATH no longer apply.
    """
    if before is not None and step.command.start >= before.command.start:
        return False
    own_path = step.opaque or "PATH" in step.env or "PATH" in step.variables
    if before is None and own_path:
        return False
    context = step.command.context & ~ShellContext.GROUP
    return step.package is not None and step.package.executable.value == "uv" and context is ShellContext.NONE


def _mounts_uv(mount: Mount, folders: Collection[str] | None) -> bool:
    """Whether a mount provides uv from its image, in one of the folders if they are given."""
    folder, _, name = (mount.target or "").rpartition("/")
    brings = mount.kind == "bind" and UV_IMAGE in image_names(mount.get("from") or "")
    return brings and (folders is None or (name == "uv" and folder in folders))


def _copies_uv(facts: BuildFacts, copy: Copy, stage: Stage) -> bool:
    sources = facts.graph.sources(copy, stage)
    images = [each.ref for each in sources if isinstance(each, ImageSource)]
    images += [_image_of(each.stage) for each in sources if isinstance(each, StageSource)]
    if not any(UV_IMAGE in image_names(image) for image in images):
        return False
    if not any(source.text == "/uv" for source in copy.sources) or copy.destination is None:
        return False
    destination = copy.destination.text
    folder = destination if destination in SYSTEM_PATH else destination.removesuffix("uv").rstrip("/")
    return folder in SYSTEM_PATH


def _image_of(stage: Stage) -> str:
    return known(stage.base_ref) or ""


def is_uv(path: str, *, bare: bool = False) -> bool:
    folder, slash, name = path.rpartition("/")
    return name in PROGRAMS and (posixpath.basename(folder) == "bin" if slash else bare)


def is_within(command: SimpleCommand, cut: Removable) -> bool:
    return cut[0].start <= command.start and command.end <= cut[1].end


def spelling(word: Word) -> str:
    return (word.value or word.text).strip('"')
