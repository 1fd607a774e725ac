"""The users and groups that a build creates."""

from __future__ import annotations

import pytest

from dockfix.facts.accounts import Accounts
from dockfix.facts.build import analyse
from dockfix.facts.model import Known, Unknown, known
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Run


def accounts_of(text: str) -> Accounts:
    facts = analyse(parse(text))
    return facts.accounts(facts.graph.stages[-1])


@pytest.mark.parametrize(
    ("base", "command", "uid", "gid", "home"),
    [
        ("debian", "useradd -m -u 10001 app", 10001, 10001, "/home/app"),
        ("debian", "useradd --uid=10001 --home-dir /srv app", 10001, 10001, "/srv"),
        ("debian", "useradd -mu10001 -d/x app", 10001, 10001, "/x"),
        ("debian", "groupadd -g 500 g && useradd -u 7777 -g g app", 7777, 500, "/home/app"),
        ("debian", "useradd -u 7777 -g 500 -b /b app", 7777, 500, "/b/app"),
        ("debian", "useradd -u 33 -o app", 33, None, "/home/app"),
        ("debian", "useradd -u 7777 -N app", 7777, None, "/home/app"),
        ("debian", "useradd app", None, None, "/home/app"),
        ("debian", "useradd -u 60001 app", 60001, None, "/home/app"),
        ("debian", "useradd -u 999 app", 999, None, "/home/app"),
        ("debian", "useradd -r -u 999 app", 999, 999, "/home/app"),
        ("debian", "useradd -r -u 10001 app", 10001, None, "/home/app"),
        ("alpine", "adduser -D -u 64999 app", 64999, 64999, "/home/app"),
        ("debian", "useradd -u $UID app", None, None, "/home/app"),
        ("debian", "sudo useradd -u 7777 app", 7777, 7777, "/home/app"),
        ("debian", "sh -c 'useradd -u 7777 app'", 7777, 7777, "/home/app"),
        ("debian", "adduser --disabled-password --gecos '' --uid 7777 --gid 500 app", 7777, 500, "/home/app"),
        ("debian", "adduser --system --uid 7777 app", 7777, None, None),
        ("debian", "useradd -u 7777 app && usermod -u 8888 -d /h app", 8888, 7777, "/h"),
        ("alpine", "adduser -D -u 7777 app", 7777, 7777, "/home/app"),
        ("alpine", "addgroup -g 500 g && adduser -DS -G g -h /h -u 7777 app", 7777, 500, "/h"),
        ("alpine", "addgroup -g 500 g && adduser -D -u 7777 app g2 ; adduser -D -G g -u 7 app", 7, 500, "/home/app"),
        ("rockylinux:9", "adduser -u 7777 app", 7777, 7777, "/home/app"),
        ("debian", "id app || useradd -u 7777 app", None, None, None),
    ],
)
def test_created_users(base: str, command: str, uid: int | None, gid: int | None, home: str | None) -> None:
    account = accounts_of(f"FROM {base}\nRUN {command}\n").users["app"]
    assert (known(account.uid), known(account.gid), known(account.home)) == (uid, gid, home)
    assert account.created_by is not None


def test_groups() -> None:
    accounts = accounts_of("FROM debian\nRUN groupadd -g 10001 a && addgroup --gid 10002 b && groupadd c\n")
    assert accounts.groups["a"].gid == Known(10001)
    assert accounts.groups["b"].gid == Known(10002)
    assert isinstance(accounts.groups["c"].gid, Unknown)
    assert accounts.gid_taken(10001)
    assert accounts.gid_taken(33)
    assert not accounts.gid_taken(10003)


def test_group_members_are_not_new_accounts() -> None:
    accounts = accounts_of("FROM alpine\nRUN addgroup nobody wheel && adduser nobody wheel\n")
    assert "wheel" not in accounts.groups
    assert accounts.users["nobody"].created_by is None


def test_users_are_inherited_and_removed() -> None:
    text = "FROM debian AS a\nRUN useradd -u 7 x\nRUN useradd -u 8 y\nFROM a\nRUN userdel x\n"
    assert {"x", "y"} & accounts_of(text).users.keys() == {"y"}
    assert not {"x", "y"} & accounts_of(text + "FROM debian\n").users.keys()


def test_accounts_are_those_before_the_instruction() -> None:
    facts = analyse(parse("FROM debian\nRUN useradd -u 7 x\nUSER x\n"))
    run, user = facts.dockerfile.instructions[1:]
    assert "x" not in facts.accounts(run).users
    assert facts.accounts(user).users["x"].uid == Known(7)


def test_the_state_knows_the_accounts() -> None:
    facts = analyse(
        parse("FROM debian\nRUN groupadd -g 5000 g && useradd -u 7777 -g g x\nUSER x\nRUN a\nUSER 7777\nRUN b\n")
    )
    for number in (3, 5):
        state = facts.state(facts.dockerfile.instructions[number])
        assert (state.uid, state.gid, state.home) == (Known(7777), Known(5000), Known("/home/x"))
        assert state.is_root == Known(False)


def test_the_group_of_user_is_looked_up() -> None:
    facts = analyse(parse("FROM debian\nRUN groupadd -g 5000 g\nUSER 7:g\nRUN a\n"))
    assert facts.state(facts.dockerfile.instructions[3]).gid == Known(5000)


def test_a_number_without_an_account_has_group_zero_and_the_root_directory() -> None:
    facts = analyse(parse("FROM debian\nUSER 10001\nRUN a\n"))
    state = facts.state(facts.dockerfile.instructions[2])
    assert (state.uid, state.gid, state.home) == (Known(10001), Known(0), Known("/"))


def test_accounts_of_images() -> None:
    facts = analyse(parse("FROM node:20\nUSER node\nRUN a\n"))
    state = facts.state(facts.dockerfile.instructions[2])
    assert (state.uid, state.home) == (Known(1000), Known("/home/node"))


@pytest.mark.parametrize(
    ("lines", "complete", "but_for_packages"),
    [
        ("FROM debian\nRUN useradd -u 5 x && mkdir /x\nCOPY . /srv\nRUN pip install x", True, True),
        ("FROM debian\nRUN apt-get install -y nginx", False, True),
        ("FROM debian\nRUN ./install.sh", False, False),
        ("FROM debian\nRUN echo x:x:5:5:::/bin/sh >> /etc/passwd", False, False),
        ("FROM debian\nCOPY root /", False, False),
        ("FROM debian\nCOPY passwd /etc/passwd", False, False),
        ("FROM debian\nRUN useradd $NAME", False, False),
        ("FROM example.org/x", False, False),
        ("FROM postgres:16", False, True),
        ("FROM jupyter/base-notebook", False, False),
        ("FROM redhat/ubi9", True, True),
        ("FROM scratch", True, True),
    ],
)
def test_gaps(lines: str, complete: bool, but_for_packages: bool) -> None:
    accounts = accounts_of(lines + "\n")
    assert accounts.complete == complete
    assert accounts.complete_but_for_packages == but_for_packages


def test_no_accounts_before_a_from() -> None:
    facts = analyse(parse("ARG X\nFROM debian\n"))
    accounts = facts.accounts(facts.dockerfile.instructions[0])
    assert not accounts.users
    assert not accounts.complete


def test_the_order_of_calls_does_not_matter() -> None:
    text = "FROM debian AS a\n" + "".join(f"RUN useradd -u {n + 2000} u{n}\nUSER u{n}\n" for n in range(6)) + "FROM a\n"
    forward, backward = analyse(parse(text)), analyse(parse(text))
    nodes = forward.dockerfile.instructions
    there = [set(forward.accounts(node).users) for node in nodes]
    back = [set(backward.accounts(node).users) for node in reversed(nodes)]
    assert there == back[::-1]
    assert "u5" in forward.accounts(forward.graph.stages[1]).users
    assert "u5" not in there[1]


@pytest.mark.parametrize(
    ("script", "groups", "complete", "but_for_packages"),
    [
        ("useradd app", set(), True, True),
        ("groupadd a && useradd app && groupadd b", {"a"}, True, True),
        ("apt-get install -y nginx && useradd app", set(), False, True),
        ("./install && useradd app", set(), False, False),
        ("useradd app && ./install", set(), True, True),
    ],
)
def test_accounts_within_a_run(script: str, groups: set[str], complete: bool, but_for_packages: bool) -> None:
    facts = analyse(parse(f"FROM debian\nRUN {script}\n"))
    run = facts.dockerfile.instructions[1]
    assert isinstance(run, Run)
    step = next(step for step in facts.commands(run).steps if step.command.name == "useradd")
    accounts = facts.accounts_before(run, step)
    assert {name for name, group in accounts.groups.items() if group.created_by is not None} == groups
    assert (accounts.complete, accounts.complete_but_for_packages) == (complete, but_for_packages)
