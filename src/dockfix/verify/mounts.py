"""Dockerfile texts that run one RUN again and list its cache mounts.

`--no-cache` gives a RUN fresh, empty mounts in BuildKit, so a layer is missed in another way: an ARG right above the
RUN gets another value. The text ends after the RUN, whose mounts get ids that no other build uses: the caches of the
user are neither read nor filled. All before the RUN stays as it is, and is found in the builder's cache. A second RUN
with the same mounts, the probe, tells which files are in them, and which of these it has not seen before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from dockfix.edit.text import Edit, apply_edits
from dockfix.facts.model import Known, Refused
from dockfix.facts.paths import normal_path
from dockfix.facts.stages import Stage
from dockfix.project.target import Target
from dockfix.syntax.tree import Dockerfile, Mount, Run

__all__ = [
    "ASK",
    "MISS",
    "MountedRun",
    "Probe",
    "is_probe",
    "missing_text",
    "new_cache_mounts",
    "probe_text",
    "read_probe",
    "sweep_text",
    "told_all",
]

MISS: Final = "DOCKFIX_MISS"
"""The ARG whose value makes the builder run the RUN again."""

ASK: Final = "DOCKFIX_ASK"
"""The ARG whose value makes the builder run only the probe again, which then tells the same once more."""

_LIST: Final = "/dockfix-verify"
"""Where the probe keeps its lists, in a cache mount of its own."""

_MOST_NAMES: Final = 200
"""How many new files of a mount are named: builders cut long output."""

_PATH: Final = re.compile(r"[A-Za-z0-9_./${}:+@~-]+")
"""Targets that can be put in double quotes in a shell, with the variables that the builder expands, too."""

_SIMILAR: Final = 0.4
"""How similar the words of two RUNs must be to count as the same RUN."""

_WALK: Final = (
    'w() { for p in "$1"/* "$1"/.[!.]*; do '
    'if [ -h "$p" ]; then :; elif [ -d "$p" ]; then w "$p"; elif [ -f "$p" ]; then echo "$p"; fi; done; }'
)
"""A shell function that prints the files below a folder: images without `find` have this, too."""


class MountedRun(Struct, frozen=True):
    """A RUN with cache mounts that it does not have before the fixes.

    Args:
        run: the RUN after the fixes.
        stage: its stage.
        mounts: its new cache mounts.
        before: the same RUN before the fixes; None if there is none.
    """

    run: Run
    stage: Stage
    mounts: tuple[Mount, ...]
    before: Run | None


class Probe(Struct, frozen=True):
    """What a probe has found in one mount.

    Args:
        files: how many files there are.
        size: their size in bytes, as the folder takes on disk.
        added: how many of them are new since the last probe.
        names: their paths, at most 200.
    """

    files: int
    size: int
    added: int
    names: tuple[str, ...]


def cache_mounts_of(run: Run) -> tuple[Mount, ...]:
    """The cache mounts of a RUN."""
    return tuple(mount for mount in run.mounts if mount.kind == "cache")


def mount_targets(target: Target) -> tuple[str, ...]:
    """The absolute paths at which the RUNs of a Dockerfile have mounts, as far as they are known."""
    runs = (each for stage in target.facts.graph.stages for each in stage.instructions if isinstance(each, Run))
    paths = (_key(target, run, mount)[0] for run in runs for mount in run.mounts)
    return tuple(dict.fromkeys(path for path in paths if path.startswith("/")))


def new_cache_mounts(before: Target, after: Target, stage: str | None) -> Iterator[MountedRun]:
    """The RUNs that a build runs and that have a cache mount with a target or id that they do not have before.

    Args:
        before: the Dockerfile before the fixes.
        after: the Dockerfile after the fixes.
        stage: the stage that is built; None for the last.
    """
    earlier = [(each, run) for each in before.facts.graph.stages for run in each.instructions if isinstance(run, Run)]
    for each in after.facts.graph.needed_for(stage):
        for run in (node for node in each.instructions if isinstance(node, Run) and cache_mounts_of(node)):
            same = _counterpart(run, each, earlier)
            had = {_key(before, same, mount) for mount in cache_mounts_of(same)} if same is not None else set()
            new = tuple(mount for mount in cache_mounts_of(run) if _key(after, run, mount) not in had)
            if new:
                yield MountedRun(run, each, new, same)


def _key(target: Target, run: Run, mount: Mount) -> tuple[str, str]:
    text = mount.target or ""
    expanded = target.facts.state(run).expand(text, run.escape)
    path = normal_path(expanded.value) if isinstance(expanded, Known) and expanded.value else text
    return path, mount.get("id") or path


def _counterpart(run: Run, stage: Stage, earlier: Sequence[tuple[Stage, Run]]) -> Run | None:
    """The RUN before the fixes with the most similar words, in the same stage if there are several."""
    words = _words(run)
    best: tuple[float, Run] | None = None
    for other_stage, other in earlier:
        score = SequenceMatcher(None, words, _words(other), autojunk=False).ratio()
        score += 0.05 * (other_stage.index == stage.index and other_stage.name == stage.name)
        if score >= _SIMILAR and (best is None or score > best[0]):
            best = score, other
    return best[1] if best is not None else None


def _words(run: Run) -> list[str]:
    return " ".join((run.text.text, *(each.content for each in run.heredocs))).split()


def missing_text(dockerfile: Dockerfile, run: Run, token: str) -> str:
    """A text that ends after a RUN, which runs again for each value of the ARG `DOCKFIX_MISS`.

    Args:
        dockerfile: the file.
        run: one of its RUNs.
        token: letters and digits; it makes the ids of the mounts different from those of any other build.

    Raises:
        Refused: the mounts cannot be given ids.
    """
    text, end = dockerfile.text, run.lines.end
    edits = [Edit(run.lines.start, run.lines.start, f"{_keyword('ARG', run)} {MISS}{dockerfile.newline}")]
    edits += [_id_edit(mount, token) for mount in cache_mounts_of(run)]
    return _with_line_end(apply_edits(text[:end], edits), dockerfile)


def probe_text(dockerfile: Dockerfile, run: Run, token: str) -> str:
    """The text of `missing_text` with a RUN at its end that prints what is in the cache mounts.

    Args:
        dockerfile: the file.
        run: one of its RUNs.
        token: as for `missing_text`; it also marks the lines that `read_probe` reads.

    What it finds is kept beside the lists: a build that changes only the ARG `DOCKFIX_ASK` prints it again, since
    builders may lose output.

    Raises:
        Refused: the mounts cannot be given ids, or cannot be listed.
    """
    find: list[str] = []
    tell: list[str] = []
    # `old` is never empty: busybox's grep matches every line with an empty list
    for number, mount in enumerate(cache_mounts_of(run)):
        path = _quoted(mount)
        now, old, new, size = (f"$d/{number}.{name}" for name in ("now", "old", "new", "size"))
        mark = f"$m-{token} {number}"
        find += [
            f"w {path} > {now}",
            f"echo >> {old}",
            f"grep -vxF -f {old} {now} > {new} || :",
            f"cp {now} {old}",
            f"du -sk {path} | cut -f1 > {size}",
        ]
        tell += [
            f'echo "{mark} files $(($(wc -l < {now}))) added $(($(wc -l < {new}))) size $(cat {size})"',
            f'head -n {_MOST_NAMES} {new} | while IFS= read -r p; do echo "{mark} name $p"; done',
        ]
    found = f"$d/found-${MISS}"
    start = f"set +x; LC_ALL=C; export LC_ALL; m=dockfix; d={_LIST}; {_WALK}"
    script = [start, f"[ -e {found} ] || {{ {'; '.join((*find, f': > {found}'))}; }}", *tell, f'echo "$m-{token} end"']
    # as root: the user of the RUN may not write to the lists, and buildah applies the umask to `mode`
    asked = f"{_keyword('ARG', run)} {ASK}"
    lines = (f"{_keyword('USER', run)} 0", asked, _run_line(run, token, "; ".join(script)), "")
    return missing_text(dockerfile, run, token) + dockerfile.newline.join(lines)


def is_probe(step: str) -> bool:
    """Whether a step, as a builder reports it, is the probe and not the RUN."""
    return f"={_LIST}" in step


def sweep_text(dockerfile: Dockerfile, run: Run, token: str) -> str:
    """A text that empties the cache mounts which the other texts of this token have filled.

    Raises:
        Refused: as for `probe_text`.
    """
    folders = [*map(_quoted, cache_mounts_of(run)), _LIST]
    script = "; ".join(f"rm -rf {folder}/* {folder}/.[!.]*" for folder in folders)
    lines = (f"{_keyword('ARG', run)} {MISS}", f"{_keyword('USER', run)} 0", _run_line(run, token, script), "")
    return dockerfile.text[: run.lines.start] + dockerfile.newline.join(lines)


def told_all(log: str, token: str) -> bool:
    """Whether a build's log has all that its probe has printed, up to the end."""
    return f"dockfix-{token} end" in log


def read_probe(log: str, token: str, number: int) -> Probe | None:
    """What a build's log says about a mount; None if the probe has not told.

    Args:
        log: what the builder printed.
        token: the token of the text.
        number: the place of the mount among the cache mounts of its RUN.
    """
    mark = rf"dockfix-{re.escape(token)} {number}"
    counts = re.search(rf"{mark} files (\d+) added (\d+) size (\d*)", log)
    if counts is None:
        return None
    names = dict.fromkeys(name.strip() for name in re.findall(rf"{mark} name (.+)", log))
    return Probe(int(counts[1]), int(counts[3] or 0) * 1024, int(counts[2]), tuple(names))


def _run_line(run: Run, token: str, script: str) -> str:
    return f"{_keyword('RUN', run)} {' '.join(_flags(run, token))} {script}"


def _keyword(name: str, run: Run) -> str:
    """A keyword in the case of the file: `# check=error=true` makes a mix of both an error."""
    return name.lower() if run.keyword.text.islower() else name


def _prefix(token: str) -> str:
    return f"dockfix-verify-{token}-"


def _id_edit(mount: Mount, token: str) -> Edit:
    """The edit that gives a mount an id of its own."""
    named = mount.option("id")
    if named is not None and named.value:
        if named.value_span is None:
            raise Refused("the id of a cache mount is written with quotes")
        return Edit(named.value_span.start, named.value_span.end, _id(mount, token))
    if mount.flag.value_span is None or not mount.target:
        raise Refused("a cache mount is written with quotes, or has no target")
    start = mount.flag.value_span.start
    return Edit(start, start, f"id={_id(mount, token)},")


def _id(mount: Mount, token: str) -> str:
    """The id of a mount in the texts: it depends on the variables that the id or target has, as the mount does."""
    return _prefix(token) + (mount.get("id") or (mount.target or "").strip("/").replace("/", "-"))


def _flags(run: Run, token: str) -> Iterator[str]:
    """Flags that mount again what a RUN of `missing_text` has mounted, and the lists of the probe.

    Without `sharing`: buildah 1.28 never releases the first of two locked mounts of a RUN, and would wait for itself.
    """
    for mount in cache_mounts_of(run):
        given = [(each.key, each.value) for each in mount.options if each.key not in ("id", "sharing")]
        words = [key if value is None else f"{key}={value}" for key, value in (("id", _id(mount, token)), *given)]
        if any(re.search(r'[\s",\\]', word) for word in words):
            raise Refused("a cache mount is written with quotes")
        yield f"--mount={','.join(words)}"
    yield f"--mount=type=cache,id={_prefix(token)}list,target={_LIST}"


def _quoted(mount: Mount) -> str:
    """The target of a mount as a word of a shell."""
    if not mount.target or _PATH.fullmatch(mount.target) is None:
        raise Refused("the target of a cache mount has characters that a shell reads in another way")
    return f'"{mount.target}"'


def _with_line_end(text: str, dockerfile: Dockerfile) -> str:
    return text if text.endswith("\n") else text + dockerfile.newline
