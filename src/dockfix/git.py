"""What git knows of the files of a project at an earlier revision.

git runs only commands that read its database: none of them reads the work tree, so that no filter, hook, monitor or
helper of the repository is run, and nothing is fetched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from dockfix.syntax.source import decode, encode

__all__ = ["GitError", "Revision"]

_SETTINGS: Final = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.alternateRefsCommand=", "protocol.allow=never",
    "diff.external=", "diff.orderFile=/dev/null",
)  # fmt: skip
_ENVIRONMENT: Final = {
    "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "",
}  # fmt: skip
_UNWANTED: Final = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_TRACE")
_SECONDS: Final = 120
_SHA1_LENGTH: Final = 40


class GitError(Exception):
    """Why the earlier texts cannot be had, in one line."""


class Revision:
    """The merge base of a revision and HEAD, and the texts of files in it.

    Args:
        root: the project, a folder in a repository.
        name: the revision, as git names it.

    Raises:
        GitError: git is missing, the folder is not in a repository, or there is no such revision or merge base.
    """

    def __init__(self, root: Path, name: str) -> None:
        program = shutil.which("git")
        if program is None:
            raise GitError("git is not installed")
        if not name or name.startswith("-") or any(character.isspace() or character == "\0" for character in name):
            raise GitError(f"{name!r} is not the name of a revision")
        self._program = os.path.abspath(program)  # noqa: PTH100 - not resolved: the name may choose what it does
        self._root = root
        self._top = Path(os.path.realpath(self._top_level()))
        self._base = self._merge_base(name)

    def text(self, real: Path, now: str) -> str | None:
        """The text of a file in the merge base, under its former name if it was renamed; None if it was not there.

        Args:
            real: the real path of the file.
            now: its text, which git is not asked for if it is still the same.

        Raises:
            GitError: git cannot read it.
        """
        if not real.is_relative_to(self._top):
            return None
        path = real.relative_to(self._top).as_posix()
        blob = self._blobs.get(path) or self._blobs.get(self._renames.get(path, path))
        if blob is None:
            return None
        data = encode(now)
        kind = "sha1" if len(blob) == _SHA1_LENGTH else "sha256"
        if hashlib.new(kind, b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest() == blob:
            return now
        done = self._run("cat-file", "blob", blob)
        if done.returncode != 0:
            raise GitError(f"git cannot read {path} of the merge base: {_first_line(done.stderr)}")
        return decode(done.stdout)

    @cached_property
    def _blobs(self) -> dict[str, str]:
        """The files in the merge base, each with the ID of its content."""
        listing = self._output("ls-tree", "-r", "-z", "--full-tree", self._base)
        entries = (each.partition("\t") for each in os.fsdecode(listing).split("\0") if each)
        rows = ((words.split(" "), path) for words, _, path in entries)
        return {path: oid for (_, kind, oid), path in rows if kind == "blob"}

    def _top_level(self) -> str:
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode != 0:
            message = _first_line(done.stderr)
            if "not a git repository" in message:
                raise GitError(f"{self._root} is not in a git repository")
            raise GitError(f"git: {message}")
        return os.fsdecode(done.stdout.removesuffix(b"\n"))

    def _merge_base(self, name: str) -> str:
        commit = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        shallow = self._output("rev-parse", "--is-shallow-repository").strip() == b"true"
        if commit.returncode != 0:
            hint = "; this clone is shallow: fetch its history (`fetch-depth: 0`)" if shallow else ""
            raise GitError(f"git has no revision {name}{hint}")
        if self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode != 0:
            raise GitError("the repository has no commit yet")
        base = self._run("merge-base", commit.stdout.decode().strip(), "HEAD")
        if base.returncode != 0:
            if shallow:
                lacks = f"lacks the merge base of {name} and HEAD"
                raise GitError(f"this clone is shallow and {lacks}: fetch its history (`fetch-depth: 0`)")
            raise GitError(f"{name} and HEAD have no common commit")
        return base.stdout.decode().split("\n")[0]

    @cached_property
    def _renames(self) -> dict[str, str]:
        """The former names of renamed files, as far as the index knows of them."""
        raw = self._output(
            "diff-index",
            "--cached",
            "--raw",
            "-r",
            "-z",
            "-M",
            "--diff-filter=R",
            "--no-ext-diff",
            "--no-textconv",
            self._base,
        )
        fields = os.fsdecode(raw).split("\0")
        return {fields[at + 2]: fields[at + 1] for at in range(0, len(fields) - 2, 3)}

    def _output(self, *arguments: str) -> bytes:
        done = self._run(*arguments)
        if done.returncode != 0:
            raise GitError(f"git: {_first_line(done.stderr)}")
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        settings = [word for each in _SETTINGS for word in ("-c", each)]
        environment = {key: value for key, value in os.environ.items() if key not in _UNWANTED} | _ENVIRONMENT
        command: Sequence[str] = [self._program, *settings, "--no-pager", "--no-optional-locks", *arguments]
        try:
            return subprocess.run(
                command, cwd=self._root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git did not answer within {_SECONDS} seconds") from error
        except (OSError, ValueError) as error:
            raise GitError(f"git cannot be run: {error}") from error


def _first_line(data: bytes) -> str:
    lines = [line for line in os.fsdecode(data).split("\n") if line.strip()]
    return (lines[0] if lines else "unknown error").removeprefix("fatal: ")
