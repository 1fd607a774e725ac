"""Posts suggestions as a review of the pull request, through GitHub's REST API.

Sources: docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request, and /rest/pulls/pulls for the files.
GitHub refuses a whole review if one comment is outside the pull request's diff, so such comments are left out first.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from itertools import takewhile
from pathlib import Path
from typing import Any

MAX_COMMENTS = 50
"""How many comments a review has at most; larger ones run into GitHub's limits, and nobody reads them."""
PAGE = 100
MAX_PAGES = 30
"""GitHub lists at most 3,000 files of a pull request."""
TIMEOUT = 30
HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.M)
FIELDS = ("path", "line", "side", "start_line", "start_side", "body")


class ReviewError(Exception):
    """The suggestions cannot be posted."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the token must not reach another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class PullRequest:
    """A pull request, and the access to it."""

    api: str
    repository: str
    number: int
    head: str
    token: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PullRequest:
        """The pull request that the workflow runs for."""
        try:
            event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
            request = event["pull_request"]
            number, head = int(request["number"]), str(request["head"]["sha"])
            api, repository = environ["GITHUB_API_URL"], environ["GITHUB_REPOSITORY"]
        except (KeyError, TypeError, ValueError, OSError):
            raise ReviewError("the workflow does not run for a pull request") from None
        token = environ.get("INPUT_TOKEN", "")
        if not token:
            raise ReviewError("there is no token")
        return cls(api.rstrip("/"), repository, number, head, token)

    def listed(self, what: str) -> Iterator[dict[str, Any]]:
        """All entries of a list, such as `files`."""
        for page in range(1, MAX_PAGES + 1):
            entries = self._call("GET", f"{what}?per_page={PAGE}&page={page}")
            if not isinstance(entries, list):
                raise ReviewError("GitHub's answer is not a list")
            yield from entries
            if len(entries) < PAGE:
                return

    def post(self, what: str, data: object) -> None:
        """Create an entry."""
        self._call("POST", what, json.dumps(data).encode())

    def _call(self, method: str, what: str, data: bytes | None = None) -> object:
        address = f"{self.api}/repos/{self.repository}/pulls/{self.number}/{what}"
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "User-Agent": "dockfix-action",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        if not address.startswith(("https://", "http://")):
            raise ReviewError("GITHUB_API_URL is not the address of a web server")
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - checked above
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ReviewError(f"GitHub answers {error.code}{_reason(error)}") from None
        except (OSError, ValueError, HTTPException) as error:
            raise ReviewError(f"GitHub cannot be reached: {getattr(error, 'reason', error)}") from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        message = str(json.load(error)["message"])
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return ""
    hint = "; it needs the permission `pull-requests: write`" if error.code == 403 else ""
    return f": {message[:200]}{hint}"


def post_suggestions(document: str, environ: Mapping[str, str], *, unsafe: bool) -> list[str]:
    """Post the comments of a review that `dockfix check --format github-suggestions` wrote.

    Args:
        document: the review as JSON.
        environ: the environment of a GitHub Actions job.
        unsafe: whether to post fixes that need review.

    Returns:
        What there is to say about it, a sentence each.

    Raises:
        ReviewError: nothing was posted, and why.
    """
    comments = [each for each in json.loads(document)["comments"] if unsafe or not needs_review(each["body"])]
    if not comments:
        return []
    request = PullRequest.read(environ)
    files = {str(each.get("filename")): each for each in request.listed("files")}
    changed = [each for each in comments if each["path"] in files]
    current = [each for each in changed if _is_current(files[each["path"]])]
    inside = [each for each in current if in_diff(each, files[each["path"]].get("patch") or "")]
    known = {_key(each) for each in request.listed("comments")} if inside else set()
    new = [each for each in inside if _key(each) not in known]
    said = []
    if stale := len(changed) - len(current):
        said.append(
            f"{_count(stale)} left out: the checked-out file is not that of the pull request's head; "
            "check out `github.event.pull_request.head.sha`"
        )
    if outside := len(comments) - len(changed) + len(current) - len(inside):
        said.append(f"{_count(outside)} left out: outside the lines that the pull request shows")
    if len(new) > MAX_COMMENTS:
        said.append(f"{_count(len(new) - MAX_COMMENTS)} left out: a review has at most {MAX_COMMENTS}")
    if posted := new[:MAX_COMMENTS]:
        body = f"dockfix found {len(posted)} {'place' if len(posted) == 1 else 'places'} with a fix."
        fields = [{name: each[name] for name in FIELDS if name in each} for each in posted]
        request.post("reviews", {"commit_id": request.head, "event": "COMMENT", "body": body, "comments": fields})
        said.append(f"{_count(len(posted))} posted")
    return said


def _count(number: int) -> str:
    return f"{number} {'suggestion was' if number == 1 else 'suggestions were'}"


def needs_review(body: str) -> bool:
    """Whether a comment has an unsafe fix: only these have a line that says what to review."""
    prose = takewhile(lambda line: not line.startswith("```"), body.split("\n"))  # the block has lines of the file
    return any(line.startswith("- review: ") for line in prose)


def _is_current(file: Mapping[str, Any]) -> bool:
    """Whether the checked-out file is that of the pull request's head.

    A job on a pull request checks out a merge with the base branch by default, in which lines may have moved.
    """
    try:
        data = Path(str(file["filename"])).read_bytes()
    except OSError:
        return False
    # Git's object name of the content; it guards against mistakes only.
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == file.get("sha")


def in_diff(comment: Mapping[str, Any], patch: str) -> bool:
    """Whether all lines of a comment are in one hunk of a file's diff."""
    first, last = comment.get("start_line", comment["line"]), comment["line"]
    hunks = ((int(found[1]), int(found[2] or 1)) for found in HUNK.finditer(patch))
    return any(start <= first and last < start + length for start, length in hunks)


def _key(comment: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two comments the same. The line of an outdated comment is null, so it is like no other."""
    body = str(comment.get("body", "")).replace("\r\n", "\n").strip()
    return comment.get("path"), comment.get("line"), body
