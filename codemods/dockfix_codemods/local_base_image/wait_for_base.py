"""Builds that wait for the base image: a named context of the image's name in compose and bake files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dockfix.edit import contexts as context_wiring
from dockfix.facts.model import Refused
from dockfix.facts.stages import context_key
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Fix, Refusal, Safety, Severity
from dockfix_codemods.local_base_image.image_uses import ImageUse

_REVIEW: Final = {
    "compose": "check that compose is 2.33 or newer, and that the image is not meant to be pulled;"
    " a plain `docker build` still needs the base image first",
    "bake": "check that both are built for the same platforms, and that the image is not meant to be pulled;"
    " a plain `docker build` still needs the base image first",
}


def can_wait(use: ImageUse) -> bool:
    """Whether a build of the file waits for the image, or can be made to."""
    builds = ((build, use.producers_in_file_of(build)) for build in use.supply.without)
    return bool(use.supply.providers) or any(
        producers and wait_blocker(use.target, build, producers) is None for build, producers in builds
    )


def wait_findings(use: ImageUse, not_inlined: str | None) -> Iterator[Finding]:
    """The findings about the builds of a file that do not wait for the image.

    Args:
        use: the file and the image.
        not_inlined: why its stages are not inlined instead; None if that was not tried.
    """
    target, supply = use.target, use.supply
    ending = f"; its stages are not inlined: {not_inlined}" if not_inlined is not None else ""
    separate = []
    for build in supply.without:
        producers = use.producers_in_file_of(build)
        if producers:
            yield _wait(use, build, producers, ending)
        elif not any(each.service == build.service for each in (*supply.providers, *supply.without) if each != build):
            separate.append(build)
    if (supply.without and not separate) or (supply.providers and not supply.without):
        return
    then = wiring.build_command(target, separate[0] if separate else None)
    message = f"{use.shown} uses an image of this project ({use.by}), which may be missing or old"
    help_ = f"run `{use.command}` before `{then}`, unless the image is published{ending}"
    yield Advice(use.node.span, message, Severity.INFO if "/" in use.name else None, file=target.real, help=help_)


def _wait(use: ImageUse, build: BuildInvocation, producers: list[BuildInvocation], ending: str) -> Finding:
    """Make a build wait for the one in the same file that builds its base image; `ending` ends a refusal's note."""
    target, node, key = use.target, use.node, use.supply.key
    project = target.project
    one = wiring.common_producer(project, producers, build)
    producer = one or producers[0]
    by = wiring.describe_builds(project, producers)
    message = f"{use.shown} uses the image that {by} builds, but {wiring.where(project, build)} does not wait for it"
    unused = [name for name in build.additional_contexts if context_key(name) == key]
    if unused:
        message += f": its context `{unused[0]}` is never looked up under that name"
    blocker = wait_blocker(target, build, producers)
    if blocker is not None:
        return Refusal(node.span, message, f"{blocker}{ending if one else ''}", file=target.real)
    value = f"{'service' if build.kind == 'compose' else 'target'}:{producer.service}"
    try:
        change = context_wiring.add_context(project, build, key, value)
    except Refused as refused:
        return Refusal(node.span, message, refused.reason, file=target.real)
    fix = (
        f"add the named context `{key}={value}`: {build.kind} then builds {producer.service} first and uses the result"
    )
    review = _REVIEW[build.kind]
    return Fix(node.span, message, (), Safety.UNSAFE, fix, review, other_files=(change,), file=target.real)


def wait_blocker(target: Target, build: BuildInvocation, producers: list[BuildInvocation]) -> str | None:
    """Why a build cannot wait for the builds of its base image; None if it can."""
    one = wiring.common_producer(target.project, producers, build)
    producer = one or producers[0]
    first = f"run `{wiring.build_command(target, producer)}` first"
    if one is None:
        return f"they build different images with the same name; {first}"
    if wiring.is_of_matrix(target.project, producer):
        return f"{producer.service} comes from a bake matrix; {first}"
    if not wiring.enabled_with(target.project, producer, build):
        return (
            f"compose rejects a service that is built from one whose profile is not active; {first}, or remove the"
            f" `profiles:` of {producer.service} (`scale: 0` keeps it from starting)"
        )
    return None
