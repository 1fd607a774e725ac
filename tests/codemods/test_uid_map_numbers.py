"""Where a Dockerfile writes the numbers of its users and groups."""

from __future__ import annotations

import pytest

from dockfix.facts.build import analyse
from dockfix.syntax.parser import parse
from dockfix_codemods.uid_map.numbers import account_numbers, created_users, number_spans


def places(text: str) -> list[tuple[str, str, int | None, str]]:
    """Kind, name, number and the text at the span of each place."""
    found = account_numbers(analyse(parse(text)))
    return [(p.kind, p.name, p.number, text[p.span.start : p.span.end] if p.span else "") for p in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RUN useradd -u 500 app", [("user", "app", 500, "500")]),
        ("RUN useradd -rmu500 -g 501 app", [("user", "app", 500, "500"), ("group", "", 501, "501")]),
        ("RUN sudo useradd --uid='500' app", [("user", "app", 500, "500")]),
        ("RUN useradd -u 5\\\n00 app", [("user", "app", 500, "")]),
        ("RUN useradd -g app app", [("user", "app", None, "")]),
        ("RUN useradd -u $UID app", [("user", "app", None, "")]),
        ("RUN useradd -u 500 $NAME", []),
        ("RUN adduser app sudo", []),
        ("RUN adduser --uid 500 --gid 501 app", [("user", "app", 500, "500"), ("group", "", 501, "501")]),
        ("RUN groupadd -g 501 app", [("group", "app", 501, "501")]),
        ("RUN addgroup --gid=501 app", [("group", "app", 501, "501")]),
        ("RUN chown -R 500:501 /a", [("user", "", 500, "500"), ("group", "", 501, "501")]),
        ("RUN chown :501 /a && chgrp 502 /b", [("group", "", 501, "501"), ("group", "", 502, "502")]),
        ("RUN chown app /a", []),
        ("USER 500:501", [("user", "", 500, "500"), ("group", "", 501, "501")]),
        ("USER app:501", [("user", "app", None, ""), ("group", "", 501, "501")]),
        ("ARG A=500\nUSER ${A}", [("user", "", 500, "")]),
        ("ARG A\nUSER ${A}:1", [("user", "", None, "")]),
        ("COPY --chown=500:501 a b", [("user", "", 500, "500"), ("group", "", 501, "501")]),
        ("ADD --chown=500 a b", [("user", "", 500, "500")]),
        (
            "RUN --mount=type=cache,target=/a,uid=500,gid=501 true",
            [("user", "", 500, "500"), ("group", "", 501, "501")],
        ),
    ],
)
def test_places(line: str, expected: list[tuple[str, str, int | None, str]]) -> None:
    assert places(f"FROM debian:12\n{line}\n") == expected


def test_the_gecos_of_busybox_is_not_a_gid() -> None:
    assert places("FROM alpine\nRUN adduser -D -g 501 -u 500 app\n") == [("user", "app", 500, "500")]


def test_whose_account_a_name_means() -> None:
    text = "FROM node:22\nUSER node\nRUN useradd app\nUSER app\n"
    made = {place.name: place.created_here for place in account_numbers(analyse(parse(text))) if not place.creates}
    assert made == {"node": False, "app": True}


@pytest.mark.parametrize(
    ("commands", "uid", "gid", "own"),
    [
        ("useradd -u 5000 app", 5000, 5000, True),
        ("groupadd -g 5001 app && useradd -u 5000 -g app app", 5000, 5001, True),
        ("groupadd -g 5001 app && useradd -u 5000 -g 5001 app", 5000, 5001, True),
        ("groupadd -g 5001 web && useradd -u 5000 -g 5001 app", 5000, 5001, False),
        ("useradd -u 5000 -g 0 app", 5000, 0, False),
        ("useradd app", None, None, True),
        ("useradd -u 5000 app && groupmod -g 5002 app", 5000, 5002, True),
        ("useradd -u 5000 app && usermod -u 5003 app", 5003, 5000, True),
    ],
)
def test_created_users(commands: str, uid: int | None, gid: int | None, own: bool) -> None:
    (user,) = created_users(analyse(parse(f"FROM debian:12\nRUN {commands}\n")))
    assert (user.name, user.uid, user.gid, user.own_group) == ("app", uid, gid, own)


def test_number_spans() -> None:
    text = "FROM a:50\n# 50\nEXPOSE 50\nENV A=50 B=150 C=5.50\nRUN <<EOF\nx 50\nEOF\n"
    assert [text[: span.start].count("\n") + 1 for span in number_spans(parse(text), 50)] == [4, 6]
