"""The lock file of base images."""

from __future__ import annotations

import pytest

from dockfix.project.problems import InputError
from dockfix_codemods.image_pin.lock import locked_digest, parse_image_lock

ONE = f"sha256:{'1' * 64}"
TWO = f"sha256:{'2' * 64}"


def test_both_forms_and_all_spellings_of_a_name() -> None:
    lock = parse_image_lock(f"# images\r\n\r\nalpine:3@{ONE}\r\n'ghcr.io:443/a/b:1' = '{TWO}' # x\n", "images.lock")
    assert locked_digest(lock, "docker.io/library/alpine:3") == ONE
    assert locked_digest(lock, "ghcr.io:443/a/b:1") == TWO
    assert locked_digest(lock, "alpine") is None
    assert locked_digest(lock, "Not An Image") is None
    assert locked_digest(parse_image_lock(f"alpine:latest@{ONE}", ""), "alpine") == ONE


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("alpine:3", "must be IMAGE:TAG@sha256"),
        ("[images]", "must be IMAGE:TAG@sha256"),
        (f"alpine@{ONE}", "not an image with a tag"),
        (f"localhost:5000/alpine@{ONE}", "not an image with a tag"),
        (f"UPPER:3@{ONE}", "not an image with a tag"),
        ("alpine:3@sha256:1234", "not a sha256 digest"),
        (f"alpine:2@{TWO}", "another digest"),
    ],
)
def test_a_bad_line_is_named(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_image_lock(f"alpine:2@{ONE}\n{line}\n", "images.lock")
    assert caught.value.line == 2
