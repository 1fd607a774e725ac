"""healthcheck-tool: which requests of curl and wget it understands."""

from __future__ import annotations

import pytest

from dockfix.syntax.shell import parse_shell
from dockfix_codemods.healthcheck_tool.analysis import Fetch, parse_fetch


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl -f u", (None, False)),
        ("curl -fsSL -m3 u", ("3", False)),
        ("curl --fail --max-time 3 u -o /dev/null", ("3", False)),
        ("wget -qO- u", (None, False)),
        ("wget -q -t 1 -T 3 --spider u", ("3", True)),
        ("wget --output-document=/dev/null --timeout=2 u", ("2", False)),
        ("curl u", "without -f"),
        ("curl -f -H x u", "-H"),
        ("curl -fk u", "-fk"),
        ("curl -f -o /tmp/x u", "-o"),
        ("curl -f u v", "2 addresses"),
        ("curl -f", "0 addresses"),
        ("wget -t 3 u", "-t"),
        ("wget -O", "-O"),
        ("nc -z x", "nc"),
    ],
)
def test_a_request_is_understood_or_not(text: str, expected: tuple[str | None, bool] | str) -> None:
    command = parse_shell(text).commands[0]
    found = parse_fetch(command.name or "", command.args)
    if isinstance(expected, str):
        assert isinstance(found, str)
        assert expected in found
    else:
        assert isinstance(found, Fetch)
        assert (found.timeout, found.head) == expected
        assert found.url.text == "u"
