"""healthcheck-tool: which requests of curl and wget it understands."""

from __future__ import annotations

import pytest

from dockfix.facts.model import Refused
from dockfix.syntax.shell import parse_shell
from dockfix_codemods.healthcheck_tool.fetch import parse_fetch


@pytest.mark.parametrize(
    ("text", "timeout", "head"),
    [
        ("curl -f u", None, False),
        ("curl -fsSL -m3 u", "3", False),
        ("curl --fail --max-time 3 u -o /dev/null", "3", False),
        ("wget -qO- u", None, False),
        ("wget -q -t 1 -T 3 --spider u", "3", True),
        ("wget --output-document=/dev/null --timeout=2 u", "2", False),
    ],
)
def test_a_request_is_understood(text: str, timeout: str | None, head: bool) -> None:
    command = parse_shell(text).commands[0]
    found = parse_fetch(command.name or "", command.args)
    assert (found.url.text, found.timeout, found.head) == ("u", timeout, head)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("curl u", "without `-f`"),
        ("curl -f -H x u", "`-H`"),
        ("curl -fk u", "`-fk`"),
        ("curl -f -o /tmp/x u", "`-o`"),
        ("curl -f u v", "2 addresses"),
        ("curl -f", "0 addresses"),
        ("wget -t 3 u", "`-t`"),
        ("wget -O", "`-O`"),
        ("nc -z x", "`nc`"),
    ],
)
def test_a_request_without_an_equivalent_is_refused(text: str, reason: str) -> None:
    command = parse_shell(text).commands[0]
    with pytest.raises(Refused, match=reason):
        parse_fetch(command.name or "", command.args)
