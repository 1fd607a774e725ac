"""Cache mounts that hold the cache of the tool that runs.

## What it does
A `--mount=type=cache` speeds builds up only if it lies where the tool that runs keeps its cache under this user, home
and environment, and if nothing switches that cache off. The rule points a mount that serves no command of its RUN to
the directory of the tool that runs, makes a mount work that an option or a clean-up defeats, gives it the user that
must write into it, and adds mounts where a package manager has none.

```dockerfile
# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/uv \\
    pip install httpx
```

becomes

```dockerfile
# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install httpx
```

## Why
A mount in the wrong place stays empty, every build downloads everything again, and the real cache ends up in the
layer: seen with pip under a uv mount, 0 files in the mount.

## Safety
A safe fix changes no build that succeeds today, for these reasons.

- **What the mount takes out of the image is only a cache.** The tool can do without it and fetches again what is
  missing. That does not hold for the stores of Go, cargo, Maven, Gradle and NuGet, where later commands look for what
  they need: there it is safe only in a stage that is not built into the image, whose later commands are all known,
  of which no COPY takes a folder above the store, and into which no COPY of folders or `mvn install` has put anything
  that nobody can fetch again.
- **Nothing else needs the directory, or a folder above it that only the install makes.** BuildKit takes these away
  behind the RUN. So no later command may name one of them (but for `rm -f`, `mkdir -p` and `echo`), no COPY may take
  it from the stage, and no RUN mount it; a COPY of a folder above takes the question to the stage that it fills. A
  program that is not told of the folder makes it, as it must in any image that has none.
- **No folder changes hands.** A mount's missing parents are root's. If root runs the RUN they always were; under
  another user each must be known to exist (the home that `useradd -m` makes, an earlier `RUN mkdir -p`, a WORKDIR), or
  to be in a folder where only root can make any. Otherwise the fix is unsafe, and refused where the tool itself writes
  to such a parent (poetry, Go, cargo, Gradle, NuGet); yarn's mount is then one level higher, in a folder of its own.
- **The mount can be written to, and what is in it fits.** It gets the user's uid. Tools that keep what they build
  from source (pip, uv, poetry, pdm, pipenv, pnpm) share a cache only between images of one distribution and release
  and with the same compiler flags, in this file and in those that compose and bake files build: `id=` parts glibc from
  musl, other differences make the fix unsafe. So does `--no-build-isolation`. For other projects on the same builder
  pip's own rule counts, as on any machine: what is built from source is kept by name, version and Python.
- **The RUN ends as before.** A clean-up goes only if its exit status decides nothing: behind `&&`, in front of another
  command, or where `set -e` ends the script first. Otherwise a failure that it hides would show, and the fix is unsafe.
- **The flag says what is meant.** A path with a space, a quote, a comma or a byte that is not ASCII is left alone.
- **The file needs BuildKit already**, and the user, its home and the tool's settings are known.

Pointing a mount elsewhere loses nothing, since nothing was there to lose: it is safe where every command of the RUN is
known and none uses the old directory, and all of the above holds for the new one. An `id=` that names another tool, or
that another directory shares, makes it unsafe. Replacing `~` is safe under the same conditions. Giving a mount the
user's uid is, too: its parents stay as they are. Should an unknown base image have another user or another home than
root's, the mount is as idle as before.

Deleting `--no-cache-dir` where a mount holds the cache is safe: what the tool keeps goes into the mount, not the image.
On a base image that is not known pip is told by `--cache-dir` to use the mount.

Everything else is unsafe, and says at what to look. For apt the fix takes `docker-clean` away, which empties the mount,
and apt's marks of what was installed automatically go into the mount, so the image differs by these files: always
unsafe.

## What it leaves alone
Directories that are results (`GEM_HOME`, `target/`, `~/.cache/huggingface`, browsers of playwright); a cache that is
linked from (uv with `UV_LINK_MODE=symlink`, pnpm's global packages); commands under sudo or su; exec form, ONBUILD,
PowerShell and cmd; apt where the lists come from another RUN or are needed by one, and where packages are removed by
apt's own marks, which lie in the directory that would be mounted; apk and dnf, which keep packages only where their
configuration says so.

## Sources
docs.docker.com/reference/dockerfile#run---mounttypecache; docs.docker.com/build/cache/optimize; what each tool says
of its cache is in dockfix's facts on caches. Ownership: a cache mount is root's with mode 0755 (moby/buildkit
`frontend/dockerfile/dockerfile2llb/convert_runmount.go`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dockfix.edit import dockerfile as surgery
from dockfix.facts.caches import CacheDir
from dockfix.facts.mounts import CacheMount, Caches, ToolCache, caches_of
from dockfix.project.target import Target
from dockfix.rule import Advice, Category, Codemod, Edit, Effect, Finding, Fix, Refusal, Safety, Severity
from dockfix.syntax.source import Span
from dockfix.syntax.tree import Run
from dockfix_codemods.cache_mount import analysis as mounts
from dockfix_codemods.cache_mount import edits as cache_surgery
from dockfix_codemods.cache_mount.wheels import SharedCaches

Wanted = list[tuple[ToolCache, CacheDir]]

WHY: Final = "a cache mount keeps downloads between builds only where the tool that runs keeps its cache"
DOUBT_CLEAN: Final = "the image, which loses docker-clean: apt in its containers keeps what it downloads"


def check(target: Target) -> Iterator[Finding]:
    """Judge every RUN by its mounts and by what its commands keep."""
    syntax = target.dockerfile.directives.get("syntax")
    if not mounts.mounts_supported(syntax.value if syntax else None):
        return
    cleaned: set[int] = set()  # stages in which an earlier fix takes docker-clean away, so that a later one need not
    shared = SharedCaches(target)
    for stage in target.facts.graph.stages:
        for run in stage.instructions if not stage.replaced else ():
            caches = caches_of(target.facts, run, stage) if isinstance(run, Run) else None
            if caches is not None:
                yield from _judge(target, caches, shared, cleaned)


def _judge(target: Target, caches: Caches, shared: SharedCaches, cleaned: set[int]) -> Iterator[Finding]:
    misplaced = list(_misplaced(caches))
    if misplaced:
        yield from misplaced
        return
    wanted = list(caches.missing())
    for mount in caches.mounts:
        if mount.tilde:
            yield _without_tilde(target, caches, mount)
            wanted = [each for each in wanted if mount.target is None or not mounts.serves(mount.target, each[1].path)]
        elif caches.useless(mount) and (found := _retarget(target, caches, shared, mount, wanted)):
            yield found
    yield from _disabled(target, caches, shared)
    yield from _emptied(target, caches)
    yield from _unwritable(caches, shared)
    yield from _missing(target, caches, shared, wanted, cleaned)


def _misplaced(caches: Caches) -> Iterator[Finding]:
    message = "a --mount in the middle of a RUN is a command that is not found: it belongs right behind RUN"
    for step in caches.commands.steps:
        text, start = caches.commands.text, step.command.start
        if text.text.startswith("--mount=", start):
            yield Advice(text.span(start, start + len("--mount")), message, Severity.ERROR)


def _without_tilde(target: Target, caches: Caches, mount: CacheMount) -> Finding:
    message = "`~` in a mount's target is not expanded: BuildKit mounts a directory of that name"
    option = mount.mount.option("target")
    if mount.target is None or option is None or option.value_span is None or not mounts.fits_flag(mount.target):
        return Refusal(mount.mount.span, message, "the home directory of the user is not known")
    edit = surgery.replace(option.value_span, mount.target)
    caveats = [] if caches.home_known else [f"whether {caches.home} is the home directory of the user that runs this"]
    users = [tool for tool in caches.tools if any(mounts.serves(mount.target, each.path) for each in tool.use.dirs)]
    for tool in users:
        blocker = mounts.blocker(target.facts, caches, tool, mount.target)
        if blocker:
            return Refusal(mount.mount.span, message, blocker)
        caveats += mounts.caveats(target.facts, caches, tool, mount.target)
    if not users or not caches.closed or any(tool.step.user_changed or not tool.known for tool in caches.tools):
        caveats.append(f"whether later steps or the image need what this RUN puts into {mount.target}")
    review = "; ".join(dict.fromkeys(caveats))
    return Fix(option.value_span, message, (edit,), Safety.UNSAFE if review else Safety.SAFE, WHY, review)


def _retarget(
    target: Target, caches: Caches, shared: SharedCaches, mount: CacheMount, wanted: Wanted
) -> Finding | None:
    """Point a mount that serves nothing to a directory of `wanted`, and take that from the list."""
    candidates = [each for each in wanted if mounts.may_be_lost(each[0], each[1].path)]
    if not candidates:
        return None
    tool, directory = candidates[0]
    manager = tool.package.manager
    path = mounts.placed(target.facts, caches, directory)
    message = f"no command of this RUN uses {mount.target}: {manager} keeps its cache in {path}"
    owner = mounts.ownership(caches, tool)
    option = mount.mount.option("target")
    enabling = cache_surgery.enable_all(target.dockerfile, caches, directory.path)
    if owner is None:
        return Refusal(mount.mount.span, message, "the uid that must write into the mount is not known")
    if option is None or option.value_span is None or enabling is None:
        return Refusal(mount.mount.span, message, "something else switches the cache off, or the mount is quoted")
    if blocker := mounts.blocker(target.facts, caches, tool, path):
        return Refusal(mount.mount.span, message, blocker)
    dropping = _Dropping.of(target, caches, [path])
    if dropping is None:
        return Refusal(mount.mount.span, message, "a clean-up of this RUN would fail on the mount or empty it")
    wanted.remove((tool, directory))
    missing = "" if mount.mount.get("uid") else owner
    edits = (surgery.replace(option.value_span, f"{path}{missing}"), *enabling, *dropping.edits)
    name = mount.mount.get("id")
    doubt = mounts.shared_id(target.facts, caches, mount)
    if not doubt and not mounts.safe_to_leave(caches, mount):
        doubt = f"whether what {manager} runs uses {mount.target}"
    doubt = doubt or mounts.built_against(tool) or mounts.filled_before(target.facts, caches, tool, path)
    if not doubt and (needed := mounts.needed_later(target.facts, caches, tool, path)):
        doubt = f"{needed}: it must find what it needs without {path}"
    doubt = doubt or mounts.beside_doubt(target.facts, caches, path)
    doubt = doubt or shared.clash(caches, tool, name or path)
    caveats = (doubt, *mounts.in_the_way(target.facts, caches, path), *dropping.caveats)
    review = "; ".join(dict.fromkeys(each for each in caveats if each))
    return Fix(option.value_span, message, edits, Safety.UNSAFE if review else Safety.SAFE, WHY, review)


def _disabled(target: Target, caches: Caches, shared: SharedCaches) -> Iterator[Finding]:
    """Tools whose cache is mounted and switched off."""
    for tool in caches.tools:
        mount = next((m for d in tool.use.dirs if (m := caches.serving(d.path))), None)
        if mount is not None and tool.package.manager == "apt":
            yield from _docker_clean(target, caches, tool)
        disablers = [each for each in tool.use.disabled_by if each.kind in ("option", "env")]
        if mount is None or not tool.known or not disablers or tool.step.user_changed:
            continue
        if any(each.kind == "file" for each in tool.use.disabled_by):
            continue  # apk without /etc/apk/cache: the mount would get the index, and no package
        name, manager = disablers[0].name, tool.package.manager
        option = disablers[0].option
        at = caches.commands.span(option.words[0]) if option else _span(caches, tool)
        message = f"{name} switches {manager}'s cache off, so that the mount at {mount.target} stays empty"
        edits = cache_surgery.enable(target.dockerfile, caches, tool, tool.use.dirs[0].path)
        if not edits:
            yield Advice(at, message)
        elif built := mounts.built_against(tool) or shared.clash(
            caches, tool, mount.mount.get("id") or mount.target or ""
        ):
            yield Fix(at, message, edits, Safety.UNSAFE, WHY, built)
        elif manager == "pip" or (not tool.likely and caches.writable(mount)):
            yield Fix(at, message, edits, Safety.SAFE, WHY)
        else:
            yield Fix(at, message, edits, Safety.UNSAFE, WHY, f"whether {manager} may write to {mount.target}")


def _docker_clean(target: Target, caches: Caches, tool: ToolCache) -> Iterator[Finding]:
    first = next(each for each in caches.tools if each.package.manager == "apt")
    if tool is not first or not mounts.apt_ready(caches):
        return
    if not caches.serving("/var/cache/apt") or mounts.docker_clean_gone(target.facts, caches):
        return
    message = "docker-clean of the base image empties the mount at /var/cache/apt behind every install"
    edits = cache_surgery.drop_docker_clean(target.dockerfile, caches)
    yield Fix(_span(caches, tool), message, edits, Safety.UNSAFE, WHY, DOUBT_CLEAN)


def _emptied(target: Target, caches: Caches) -> Iterator[Finding]:
    """Clean-ups whose files lie in a mount."""
    paths = [m.target for m in caches.mounts if m.target is not None and not m.tilde]
    cleaning = mounts.cleaning(caches, paths)
    if not cleaning:
        return
    dropping = _Dropping.of(target, caches, paths, adding=False)
    message = f"{cleaning[0].described} empties the cache mount that this RUN has just filled"
    at = caches.commands.span(cleaning[0].step.command)
    if dropping is None:
        yield Refusal(at, message, "the command cannot be taken out of its list")
        return
    review = "; ".join(dict.fromkeys(dropping.caveats))
    yield Fix(at, message, dropping.edits, Safety.UNSAFE if review else Safety.SAFE, WHY, review)


@dataclass(frozen=True)
class _Dropping:
    """What takes the clean-ups of mounted directories away, and what to look at then."""

    edits: tuple[Edit, ...]
    caveats: tuple[str, ...]

    @classmethod
    def of(cls, target: Target, caches: Caches, paths: list[str], *, adding: bool = True) -> _Dropping | None:
        """For mounts at these paths, which are to be added or are there; None if a command cannot go."""
        cleaning = mounts.cleaning(caches, paths, adding=adding)
        edits = cache_surgery.drop(target.dockerfile, caches, cleaning)
        if edits is None:
            return None
        caveats = [each.doubt for each in cleaning if each.doubt]
        caveats += [
            f"whether the build must go on when a command in front of {group[0].described} fails: without that it ends"
            for group in mounts.neighbours(cleaning)
            if mounts.hides_failure(caches, group)
        ]
        return cls(edits, tuple(caveats))


def _unwritable(caches: Caches, shared: SharedCaches) -> Iterator[Finding]:
    """Mounts that the RUN's user, which is not root, cannot write into."""
    for mount in caches.mounts:
        users = [t for t in caches.tools if not t.likely and any(caches.serving(d.path) is mount for d in t.use.dirs)]
        if caches.root is not False or not users or mount.mount.get("uid") or caches.writable(mount):
            continue
        message = f"the mount at {mount.target} is root's: {users[0].package.manager} cannot write into it"
        owner = mounts.ownership(caches, users[0])
        if owner is None or mount.mount.flag.value_span is None:
            yield Refusal(mount.mount.span, message, "the uid of the user is not known")
        else:
            edit = surgery.insert(mount.mount.span.end, owner)
            mixed = next(
                (
                    found
                    for tool in users
                    if (found := shared.clash(caches, tool, mount.mount.get("id") or mount.target or ""))
                ),
                "",
            )
            yield Fix(mount.mount.span, message, (edit,), Safety.UNSAFE if mixed else Safety.SAFE, WHY, mixed)


@dataclass
class _Plan:
    """What one fix adds to a RUN, and what speaks against doing so unseen."""

    flags: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)


def _missing(
    target: Target, caches: Caches, shared: SharedCaches, wanted: Wanted, cleaned: set[int]
) -> Iterator[Finding]:
    """Mounts that are not there: one fix for all tools of the RUN."""
    plan = _Plan()
    at: Span | None = None
    paths: list[str] = []
    refused: set[str] = set()
    for tool, directory in wanted:
        manager = tool.package.manager
        if tool.likely and caches.stage.base is None:
            continue
        if manager == "apt" and not mounts.apt_ready(caches):
            continue
        owner = mounts.ownership(caches, tool)
        enabling = cache_surgery.enable_all(target.dockerfile, caches, directory.path)
        if owner is None or enabling is None:
            continue
        path = mounts.placed(target.facts, caches, directory)
        if blocker := mounts.blocker(target.facts, caches, tool, path):
            if manager not in refused and mounts.uses_buildkit(target.dockerfile):
                yield Refusal(_span(caches, tool), f"{manager} has no cache mount at {path}", blocker)
            refused.add(manager)
            continue
        at = at or _span(caches, tool)
        paths.append(path)
        plan.names += [manager] if manager not in plan.names else []
        flag, name = mounts.flag_for(
            target.facts, path, directory.sharing, owner, shared.own_id(caches, tool, directory.path)
        )
        plan.flags.append(flag)
        plan.edits += [edit for edit in enabling if edit not in plan.edits]
        plan.caveats += mounts.caveats(target.facts, caches, tool, path)
        plan.caveats += [shared.clash(caches, tool, name or path)]
    if at is None:
        return
    message = f"{' and '.join(plan.names)}: no cache mount at {' and '.join(paths)}, every build downloads all again"
    dropping = _Dropping.of(target, caches, paths)
    if dropping is None:
        cleaning = mounts.cleaning(caches, paths, adding=True)
        yield Refusal(at, message, f"{cleaning[0].described} would fail on the mount or empty it")
        return
    plan.edits += dropping.edits
    plan.caveats += dropping.caveats
    if "apt" in plan.names and not mounts.docker_clean_gone(target.facts, caches):
        if not cleaned & {stage.index for stage in target.facts.graph.chain(caches.stage)}:
            plan.edits += cache_surgery.drop_docker_clean(target.dockerfile, caches)
            cleaned.add(caches.stage.index)
        plan.caveats.append(DOUBT_CLEAN)
    if not mounts.uses_buildkit(target.dockerfile):
        plan.caveats.append("every builder of this file, which must be BuildKit (or buildah)")
    edits = (surgery.insert_flags(target.dockerfile, caches.run, plan.flags), *plan.edits)
    review = "; ".join(dict.fromkeys(each for each in plan.caveats if each))
    yield Fix(at, message, edits, Safety.UNSAFE if review else Safety.SAFE, WHY, review, Severity.INFO)


def _span(caches: Caches, tool: ToolCache) -> Span:
    last = tool.package.subcommand or tool.package.executable
    return caches.commands.text.span(tool.package.executable.start, last.end)


CODEMOD: Final = Codemod(
    name="cache-mount",
    title="a cache mount is missing, misplaced or switched off",
    severity=Severity.WARNING,
    category=Category.CACHE,
    effects=frozenset({Effect.MOUNTS, Effect.COMMANDS}),
    check=check,
    since="0.1.0",
    triggers=(
        *("--mount", "pip", "uv", "poetry", "pdm", "npm", "yarn", "go ", "cargo", "apt-get", "composer", "mvn"),
        *("gradle", "dotnet"),
    ),
    findings=("worker 3", "cross 3"),
)
