"""Requirement files of pip."""

from __future__ import annotations

import pytest

from dockfix.facts.packages import requirement_files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flask\nhttpx>=1  # why\n\n# note\n", ()),
        ("-r base.txt\n-c limits.txt\n", ("base.txt", "limits.txt")),
        ("--requirement=base.txt", ("base.txt",)),
        ("-r https://example.org/r.txt\n", ()),
        ("a==1 \\\n  --hash=sha256:00\n", ()),
        ("--extra-index-url https://example.org/simple\ntorch\n", ()),
        ("-e .\n", None),
        ("./lib\n", None),
        ("lib @ file:///app/lib\n", None),
        ("--find-links wheels\n", None),
        ("--no-index --find-links=./wheels\nflask\n", None),
        ("--no-index -f wheels\n", None),
        ("--no-index -r base.txt\n", ("base.txt",)),
        ("-rbase.txt\n", ("base.txt",)),
        ("--pre --trusted-host example.org -i https://example.org/simple -c 'limits.txt'\n", ("limits.txt",)),
        ("--index-url file:///index\n", None),
        ("--extra-index-url ../index\n", None),
        ("-i\n", None),
        ("--pre=x\n", None),
        ("--unheard-of\n", None),
        ("a==1 --hash=sha256:00 --hash sha256:11\n", ()),
        ("a==1 --config-settings=dir=./lib\n", None),
        (f"a{' ' * 400_000}x{' ' * 400_000}\n", None),
        (f"--pre{' ' * 400_000}\n", ()),
    ],
)
def test_requirement_files(text: str, expected: tuple[str, ...] | None) -> None:
    assert requirement_files(text) == expected
