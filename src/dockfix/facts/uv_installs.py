"""uv installed by its own script, and what needs uv in the same and later stages.

Sources: docs.astral.sh/uv/getting-started/installation and /reference/installer (the script, its versions, where it
installs), docs.astral.sh/uv/guides/integration/docker (`ADD` of the script; a bind mount of the image's `/uv`). The
image exists since 0.1.36 (astral-sh/uv pull request 3155); versions before 0.2 are not covered.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final, TypeAlias

from dockfix.facts.images import image_names
from dockfix.facts.model import Known
from dockfix.facts.packages import Action, distribution_name
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import ImageSource, StageSource
from dockfix.facts.tables.filesystem import SCRIPT_ENDINGS
from dockfix.facts.tables.programs import Trait, has_trait, programs_with
from dockfix.syntax.shell import Context as ShellContext
from dockfix.syntax.shell import SimpleCommand, Statement, Word
from dockfix.syntax.tree import Add, Cmd, Copy, Entrypoint, Healthcheck, Instruction, Mount, Onbuild, Run

if TYPE_CHECKING:
    from dockfix.facts.build import BuildFacts
    from dockfix.facts.commands import Commands, Step
    from dockfix.facts.stages import Stage
    from dockfix.syntax.source import Span

__all__ = ["UV_IMAGE", "UvInstall", "UvUse", "is_called_when_it_runs", "uv_installs", "uv_is_on_path", "uv_uses"]

UV_IMAGE: Final = "ghcr.io/astral-sh/uv"
_SCRIPT: Final = re.compile(
    r"https://(?:astral\.sh/uv(?:/(?P<path>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}))?/install\.sh"
    r"|github\.com/astral-sh/uv/releases/(?:download/(?P<release>[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9})|latest/download)/uv-installer\.sh)\Z"
)
_ANY_SCRIPT: Final = re.compile(r"astral\.sh/uv/.*install\.sh|astral-sh/uv/releases/.*uv-installer\.sh")
_PINNED: Final = re.compile(rf"{re.escape(UV_IMAGE)}:\d+\.\d+\.\d+(?:@sha256:[0-9a-f]{{64}})?\Z")
_FIRST_IMAGE: Final = (0, 2)
_PROGRAMS: Final = ("uv", "uvx")
_NEVER_CALL_IT: Final = programs_with(
    Trait.NO_PATHS, Trait.NAMED_FILES, Trait.UNPACKS, Trait.DOWNLOADS, Trait.SETS_IDS
) | {"cd", "git", "dpkg", "rpm", "yes"}
_RUN_PROJECTS: Final = frozenset(
    ("npm", "npx", "yarn", "pnpm", "make", "just", "task", "invoke", "hatch", "tox", "nox", "supervisord", "honcho")
)
"""Programs that run commands from files of the project."""
_HOLDERS: Final = frozenset(("", "uv", "uvx", "bin", ".local", ".cargo", "local", "usr", "root"))
_ON_PATH: Final = ("/bin", "/usr/bin", "/usr/local/bin")

Removable: TypeAlias = tuple[SimpleCommand, SimpleCommand]


@dataclass(frozen=True, eq=False)
class UvInstall:
    """An install of uv by its script.

    `at` fetches the script, `run` runs it, and `add` is the ADD that contains it. `image` is uv's image of the same
    version, or the one that the file uses elsewhere; empty if no version is known. `cut` are the first and last of the
    commands that only install uv, and `whole` says that `run` has no others. `why` says why they cannot be removed;
    empty if they can.
    """

    at: Span
    stage: Stage
    run: Run
    add: Add | None
    image: str
    cut: Removable | None
    whole: bool
    why: str


@dataclass(frozen=True, slots=True)
class UvUse:
    """A RUN that calls uv, and the paths at which uv must be."""

    run: Run
    targets: tuple[str, ...]


def uv_is_on_path(facts: BuildFacts, stage: Stage, run: Run, step: Step) -> bool:
    """Whether a command finds uv on PATH: from the image, copied or mounted from uv's image, or used before."""
    if stage.base is not None and "uv" in stage.base.tools:
        return True
    if any(_mounts_uv(mount, _ON_PATH) for mount in run.mounts):
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
    folder = destination if destination in _ON_PATH else destination.removesuffix("uv").rstrip("/")
    return folder in _ON_PATH


def _image_of(stage: Stage) -> str:
    return stage.base_ref.value if isinstance(stage.base_ref, Known) else ""


def uv_installs(facts: BuildFacts) -> Iterator[UvInstall]:
    """The installs of uv by its script in the stages that the image is based on."""
    final = facts.graph.final
    for stage in facts.graph.chain(final) if final is not None else ():
        added: dict[str, Add] = {}
        for instruction in () if stage.replaced else stage.instructions:
            if isinstance(instruction, Add) and len(instruction.sources) == 1 and instruction.destination is not None:
                if _ANY_SCRIPT.search(instruction.sources[0].text):
                    added[instruction.destination.text] = instruction
            elif isinstance(instruction, Run) and (found := _install(facts, stage, instruction, added)):
                yield found


def _install(facts: BuildFacts, stage: Stage, run: Run, added: dict[str, Add]) -> UvInstall | None:
    commands = facts.commands(run)
    fetch = next((each.command for each in commands.steps if _url(facts, run, each.command)), None)
    add, files = None, set[str]()
    if fetch is not None:
        url, at = _url(facts, run, fetch), commands.span(fetch)
        files = {name for name in [_saved_as(fetch)] if name}
    else:
        words = [word.value for step in commands.steps for word in step.command.words]
        add = next((each for path, each in added.items() if path in words), None)
        if add is None or add.destination is None:
            return None
        url, at, files = add.sources[0].text, add.span, {add.destination.text}
    if not any(_runs(step.command, files) or _reads_stdin(step.command) for step in commands.steps):
        return None
    if _removes_it(commands):
        return None
    image = _image(facts, url)
    cut, whole = _cut(commands, fetch, files)
    why = ""
    if cut is None:
        why = "the commands that install it cannot be separated from the others"
    elif not image:
        why = "its version is unknown"
    return UvInstall(at, stage, run, add, image, cut, whole, why)


def _url(facts: BuildFacts, run: Run, command: SimpleCommand) -> str:
    """The address from which curl or wget fetches uv's script; empty if it fetches something else."""
    if not has_trait(command.basename, Trait.DOWNLOADS):
        return ""
    word = next((each for each in command.args if _ANY_SCRIPT.search(each.text)), None)
    if word is None:
        return ""
    if word.value is not None:
        return word.value
    state = facts.state(run)
    expanded = state.expand(word.text, run.escape)
    fixed = not any(state.assumes(name) for name in word.variables)
    return expanded.value if isinstance(expanded, Known) and fixed else word.text


def _saved_as(command: SimpleCommand) -> str:
    """The file that a download is written to; empty for standard output."""
    words = command.values()
    for option, word in pairwise(words):
        if option and word and word != "-" and re.fullmatch(r"--output|--output-document|-[A-Za-z]*[oO]", option):
            return word
    return next((each.target.value or "" for each in command.redirects if each.target and each.operator == ">"), "")


def _runs(command: SimpleCommand, files: set[str]) -> bool:
    words = command.values()
    return bool(words) and (
        words[0] in files or (has_trait(words[0], Trait.SHELL) and any(word in files for word in words[1:]))
    )


def _reads_stdin(command: SimpleCommand) -> bool:
    """Whether a command is `sh` after a pipe, possibly with `env A=b` before it or `-s -- options` after it."""
    words = [word for word in command.values() if word is None or (word != "env" and "=" not in word)]
    program = (words[0] or "").rpartition("/")[2] if words else ""
    return has_trait(program, Trait.SHELL) and (len(words) == 1 or words[1] == "-s")


def _removes_it(commands: Commands) -> bool:
    """Whether the same RUN removes uv again, or may."""
    removing = [step.command for step in commands.steps if step.command.basename == "rm"]
    words = [word.text.strip('"') for command in removing for word in command.args]
    return any(word.endswith(("/uv", "/bin", "/.local", "/uv*", "/uvx")) for word in words)


def _image(facts: BuildFacts, url: str) -> str:
    found = _SCRIPT.match(url)
    version = (found["path"] or found["release"]) if found else None
    if version:
        old = tuple(int(part) for part in version.split(".")[:2]) < _FIRST_IMAGE
        return "" if old else f"{UV_IMAGE}:{version}"
    if found is None:
        return ""
    graph = facts.graph
    named = {
        name for stage in graph.stages for _, name in graph.stage_references(stage) if UV_IMAGE in image_names(name)
    }
    return named.pop() if len(named) == 1 and all(_PINNED.match(name) for name in named) else ""


def _cut(commands: Commands, fetch: SimpleCommand | None, files: set[str]) -> tuple[Removable | None, bool]:
    """The first and last command of the adjacent statements that only install uv, and whether these are all."""
    script = commands.script
    if script is None or {"||", "&"} & script.operators:
        return None, False
    statements = [each for each in script.top_level if not (isinstance(each, SimpleCommand) and each.name == "set")]
    belongs = [_only_installs(each, fetch, files) for each in statements]
    # The command that fetches the script, or runs one that was added, and adjacent ones that do nothing else.
    core = [
        at
        for at, each in enumerate(statements)
        if belongs[at] and any(one is fetch or (fetch is None and _runs(one, files)) for one in _commands(each))
    ]
    if not core:
        return None, False
    first = core[0] - len(list(takewhile(bool, reversed(belongs[: core[0]]))))
    last = core[0] + len(list(takewhile(bool, belongs[core[0] :]))) - 1
    rest = statements[:first] + statements[last + 1 :]
    words = {word.value for each in rest for command in _commands(each) for word in command.words}
    if words & files:
        return None, False
    return (_commands(statements[first])[0], _commands(statements[last])[-1]), not rest


def _commands(statement: Statement) -> Sequence[SimpleCommand]:
    return (statement,) if isinstance(statement, SimpleCommand) else statement.commands


def _only_installs(statement: Statement, fetch: SimpleCommand | None, files: set[str]) -> bool:
    if not isinstance(statement, SimpleCommand):
        parts = statement.commands
        return (
            statement.kind == "pipeline"
            and len(parts) == 2
            and parts[0] is fetch
            and not files
            and _reads_stdin(parts[1])
        )
    if statement is fetch:
        return bool(files)
    if _runs(statement, files):
        return True
    operands = [word.text for word in statement.args if not word.text.startswith("-")]
    paths = [text.strip('"') for text in operands]
    if statement.basename in ("chmod", "rm") and any(path in files for path in paths):
        return all(path in files for path in (paths[1:] if statement.basename == "chmod" else paths))
    if statement.basename == "chmod":
        return len(paths) > 1 and all(_is_uv(path) for path in paths[1:])
    if statement.basename in ("ln", "mv", "cp", "install"):
        folder = paths[-1].rstrip("/") if paths else ""
        return len(paths) > 1 and all(_is_uv(path) for path in paths[:-1]) and (_is_uv(folder) or folder in _ON_PATH)
    return _is_uv(statement.name or "", bare=True) and statement.values()[1:] in (("--version",), ("-V",), ("version",))


def _is_uv(path: str, *, bare: bool = False) -> bool:
    folder, slash, name = path.rpartition("/")
    return name in _PROGRAMS and (posixpath.basename(folder) == "bin" if slash else bare)


def uv_uses(facts: BuildFacts, install: UvInstall) -> tuple[UvUse, ...] | str:
    """The RUNs that call the uv of an install, in all stages that contain it; or why that is not known."""
    uses: list[UvUse] = []
    # A stage that others are based on is an image only if it is the target.
    started_from = {stage.parent for stage in facts.graph.stages}
    for stage in facts.graph.stages:
        has_it = install.stage in facts.graph.chain(stage)
        for instruction in () if stage.replaced else stage.instructions:
            if stage is install.stage and instruction.span.start < install.run.span.start:
                continue
            why = _takes_it(facts, instruction, stage, install)
            if has_it and isinstance(instruction, Run):
                found = _use(facts, instruction, install)
                if isinstance(found, str):
                    why = found
                elif found.targets:
                    uses.append(found)
            elif has_it and isinstance(instruction, Onbuild):
                why = "an ONBUILD may call it"
            if why:
                return why
        is_image = stage is facts.graph.final or stage.index not in started_from
        if has_it and is_image and (why := _may_be_called_when_it_runs(facts, stage)):
            return why
    return tuple(uses) if uses else "nothing in the file calls it, so it may be intended for the image"


def _takes_it(facts: BuildFacts, instruction: Instruction, stage: Stage, install: UvInstall) -> str:
    """Why a stage that is not based on the install may take uv from one that is."""
    for source in facts.graph.sources(instruction, stage):
        if not isinstance(source, StageSource) or install.stage not in facts.graph.chain(source.stage):
            continue
        paths = [word.text for word in instruction.sources] if isinstance(instruction, Copy) else ["/"]
        if any(_may_hold_uv(path) for path in paths):
            return f"line {instruction.start_line} may copy it into another stage"
    return ""


def _may_hold_uv(path: str) -> bool:
    """Whether a COPY of this path may include the program: by its name, or with a folder that contains it."""
    parts = normal_path(path).split("/")
    return any(mark in path for mark in "$*?[") or parts[-1] in _HOLDERS or parts[1:2] == ["home"]


def _use(facts: BuildFacts, run: Run, install: UvInstall) -> UvUse | str:
    """The paths at which a RUN needs uv; or why that is not known."""
    commands = facts.commands(run)
    line = run.start_line
    if not commands.steps and commands.script is None:
        return f"line {line} may call it: {commands.why}"
    targets: list[str] = []
    opaque = ""
    for step in commands.steps:
        if run is install.run and install.cut and _within(step.command, install.cut):
            continue
        package = step.package
        if package is not None and package.manager == "uv":
            target = _target(facts, run, step)
            if not target.startswith("/"):
                return f"line {line} {target}"
            targets.append(target)
            mentioned = [word for word in step.command.args if word is not package.executable]
        else:
            if package is not None and any(distribution_name(word.value or "") == "uv" for word in package.packages):
                return f"line {line} installs another one"
            opaque = opaque or ("" if _cannot_call_it(step) else step.command.basename or "a command")
            mentioned = list(step.command.words)
        if any(_is_uv(_text(word), bare=True) for word in mentioned):
            return f"line {line} mentions it"
    if opaque and not any(posixpath.dirname(target) in _ON_PATH for target in targets):
        return f"{opaque} in line {line} may call it"
    there = {mount.target for mount in run.mounts}
    return UvUse(run, tuple(target for target in dict.fromkeys(targets) if target not in there))


def _within(command: SimpleCommand, cut: Removable) -> bool:
    return cut[0].start <= command.start and command.end <= cut[1].end


def _target(facts: BuildFacts, run: Run, step: Step) -> str:
    """The path at which a command that calls uv needs it; otherwise what the line does instead."""
    package = step.package
    value = package.executable.value if package is not None else None
    if value is None or value.rpartition("/")[2] != "uv":
        return (
            f"calls {value}, which the mount of one program does not provide"
            if value
            else "calls it through a variable"
        )
    if value.startswith("/"):
        return value
    if "/" in value:
        return f"calls {value}"
    path = step.env.get("PATH") or facts.state(run).lookup("PATH")
    folders = path.value.split(":") if isinstance(path, Known) else list(_ON_PATH)
    return next((f"{folder}/uv" for folder in _ON_PATH if folder in folders), "has another PATH")


def _cannot_call_it(step: Step) -> bool:
    """Whether a command is known to run no program of the project."""
    package = step.package
    if package is not None:
        return package.action not in (Action.RUN, Action.BUILD) and not package.unknown_operands
    if step.command.name is None:
        return not step.command.words
    words = step.command.values()
    if (step.command.basename or "").startswith("python"):
        return words[1:3] in (("-m", "venv"), ("-m", "ensurepip"), ("-m", "compileall"))
    return step.command.basename in _NEVER_CALL_IT


def is_called_when_it_runs(facts: BuildFacts) -> bool:
    """Whether containers of the image call uv in CMD, ENTRYPOINT or HEALTHCHECK, or one of these is not understood."""
    final = facts.graph.final
    return final is not None and any(_names_uv(facts, each) for each in _starts(facts, final))


def _starts(facts: BuildFacts, stage: Stage) -> list[Cmd | Entrypoint | Healthcheck]:
    """The commands that start in a container of a stage's image, including those that a later instruction overrides."""
    chain = [each for link in facts.graph.chain(stage) if not link.replaced for each in link.instructions]
    return [
        each
        for each in chain
        if isinstance(each, Cmd | Entrypoint) or (isinstance(each, Healthcheck) and each.kind == "CMD")
    ]


def _names_uv(facts: BuildFacts, instruction: Instruction) -> bool:
    steps = facts.commands(instruction).steps
    return not steps or any(_mentions(_text(word)) for step in steps for word in step.command.words)


def _mentions(text: str) -> bool:
    return _is_uv(text, bare=True) or any(f"{program} " in text for program in _PROGRAMS)


def _may_be_called_when_it_runs(facts: BuildFacts, stage: Stage) -> str:
    """Why the containers of a stage's image may call uv; empty if there is no sign of it."""
    starts = _starts(facts, stage)
    if not any(isinstance(each, Cmd | Entrypoint) for each in starts):
        return "the image has no CMD of its own, and its containers may call it"
    for each in starts:
        where = f"the {each.name.upper()} in line {each.start_line}"
        if _names_uv(facts, each):
            return f"{where} calls it"
        if any(_hands_over(step.command, each) for step in facts.commands(each).steps):
            return f"the program of {where} may call it"
    return ""


def _text(word: Word) -> str:
    return (word.value or word.text).strip('"')


def _hands_over(command: SimpleCommand, instruction: Instruction) -> bool:
    """Whether a command runs a script, a shell or a command from a file of the project."""
    name = command.name or "$"
    folder, slash, program = name.rpartition("/")
    if has_trait(program, Trait.SHELL) and "-c" not in command.values():
        return True
    if "$" in name or program in _RUN_PROJECTS or (slash and posixpath.basename(folder) not in ("bin", "sbin")):
        return not (isinstance(instruction, Entrypoint) and program in ("tini", "dumb-init"))
    return any(_text(word).endswith(tuple(end for end in SCRIPT_ENDINGS if "sh" in end)) for word in command.words)
