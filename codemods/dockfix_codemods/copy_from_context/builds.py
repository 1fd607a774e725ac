"""Named contexts that some builds of a Dockerfile supply: a wrong path, or a build that lacks the entry."""

from __future__ import annotations

from collections.abc import Iterator

from dockfix.edit import contexts as context_wiring
from dockfix.facts.model import Refused
from dockfix.facts.stages import Stage, context_key
from dockfix.project import wiring
from dockfix.project.compose.builds import BuildInvocation
from dockfix.project.target import Target
from dockfix.rule import Advice, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.tree import Copy, From, Instruction


def check_supplied(target: Target, node: Instruction, stage: Stage, name: str) -> Iterator[Finding]:
    """Check the builds of a stage that uses a named context; `node` is the first instruction that names it."""
    supply = wiring.supply_of(target, stage, context_key(name))
    use = f"`COPY --from={name}`" if isinstance(node, Copy) else f"`FROM {name}`"
    use = use if isinstance(node, Copy | From) else f"a mount with `from={name}`"
    message = f"{use} uses a named context"
    own = target.facts.graph.by_name(name)
    if supply.by_command_line:
        given = target.named_contexts[supply.key][0]
        if given.exists is False:
            text = f"{message}, but the folder on the command line does not exist: `{given.shown}`"
            yield Advice(node.span, text, Severity.ERROR)
            return
    elif unresolved := list(wiring.unresolved(target, supply)):
        yield from (_correct_path(target, node, each, message) for each in unresolved)
        return
    if own is not None and own.index < stage.index:
        return  # a build without the context uses the stage
    images = wiring.may_be_image(target, name, stages=False) or any(given.kind == "image" for given in supply.given)
    if supply.providers and supply.without and not supply.by_command_line:
        yield from () if images else (_add_entry(target, node, build, supply, message) for build in supply.without)
    elif isinstance(node, Copy):
        by = wiring.describe_builds(target.project, supply.providers) or "the command line"
        note = f"{by} supplies it; a plain build needs `{wiring.plain_command(target, supply.key)}`"
        yield Refusal(node.span, f"{message}: a plain `docker build` fails", note, Severity.INFO)


def _correct_path(target: Target, node: Instruction, unresolved: wiring.Unresolved, message: str) -> Finding:
    """Change the value of a named context to the one folder that it can mean."""
    given, folders = unresolved.given, unresolved.folders
    where = f"{wiring.shown_folder(target.project, unresolved.build.source)}:{given.line}"
    what = "is outside the project" if unresolved.outside else "does not exist"
    message = f"{message}, but its folder {what}: `{given.shown}` ({where})"
    if not folders:
        return Advice(node.span, message, Severity.WARNING, help="create it in a step before the build")
    if len(folders) > 1:
        shown = ", ".join(f"`{folder}`" for folder in folders)
        return Advice(node.span, message, Severity.ERROR, help=f"name the one that is meant: {shown}")
    try:
        change = context_wiring.update_context(target.project, unresolved.build, given, folders[0])
    except Refused as refused:
        return Refusal(node.span, message, refused.reason)
    fix = f"change it to `{folders[0]}`, the only matching folder that contains what is copied"
    review = f"check that `{folders[0]}` is meant, and not a folder that another step creates before the build"
    if unresolved.outside:
        review = f"check that `{given.shown}` does not exist outside the project, where dockfix does not look"
    return Fix(node.span, message, (), Safety.UNSAFE, fix, review, other_files=(change,))


def _add_entry(
    target: Target, node: Instruction, build: BuildInvocation, supply: wiring.Supply, message: str
) -> Finding:
    """Give a build the named context that the others have."""
    message = f"{message} that {wiring.where(target.project, build)} does not supply: its build fails"
    by = wiring.describe_builds(target.project, supply.providers)
    value = supply.agreed(target.project, build)
    if value is None:
        given = ", ".join(dict.fromkeys(each.shown for each in supply.given))
        note = f"the value in {by} ({given}) is not unique, or comes from a variable or from another file"
        return Refusal(node.span, message, f"{note}; write {wiring.as_written(build, supply.key, '...')}")
    try:
        change = context_wiring.add_context(target.project, build, supply.key, value)
    except Refused as refused:
        return Refusal(node.span, message, refused.reason)
    fix = f"add the named context `{supply.key}={value}`, as in {by}"
    review = f"check that {build.service} should copy from `{value}`, like the others"
    if any(each.service == build.service and each.source != build.source for each in supply.providers):
        review = f"check whether {build.service} overrides the one in {by}, which already supplies the context"
    return Fix(node.span, message, (), Safety.UNSAFE, fix, review, other_files=(change,))
