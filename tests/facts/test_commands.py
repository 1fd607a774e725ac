"""The commands of an instruction, and what the script has set before each."""

from __future__ import annotations

import pytest

from dockfix.facts.build import analyse
from dockfix.facts.commands import Commands, Step
from dockfix.facts.model import Known, Unknown, known
from dockfix.syntax.parser import parse

BASE = "FROM debian:12\n"


def commands_of(line: str, base: str = BASE) -> Commands:
    facts = analyse(parse(base + line + "\n"))
    return facts.commands(facts.dockerfile.instructions[-1])


def step_of(commands: Commands, name: str) -> Step:
    return next(step for step in commands.steps if step.command.basename == name)


def spelled(line: str, commands: Commands, name: str) -> str:
    span = commands.span(step_of(commands, name).command)
    return (BASE + line + "\n")[span.start : span.end]


def test_commands_of_a_run_with_their_spans() -> None:
    line = "RUN apt-get update \\\n # why\n && apt-get install -y \\\n curl"
    commands = commands_of(line)
    assert commands.script is not None
    assert commands.why is None
    assert [step.command.basename for step in commands.steps] == ["apt-get", "apt-get"]
    package = commands.steps[1].package
    assert package is not None
    assert package.manager == "apt"
    curl = commands.span(package.packages[0])
    assert (BASE + line)[curl.start : curl.end] == "curl"
    assert len(commands.packages) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ENV A=1", "runs nothing"),
        ("HEALTHCHECK NONE", "runs nothing"),
        ('SHELL ["pwsh", "-c"]\nRUN Get-X', "pwsh"),
        ("RUN <<E\n#!/usr/bin/env python3\nprint(1)\nE", "/usr/bin/env"),
        ("RUN if then fi (", "could not be parsed"),
        ("CMD []", "empty"),
        ("RUN", "empty"),
    ],
)
def test_why_there_is_no_script(line: str, why: str) -> None:
    commands = commands_of(line)
    assert commands.script is None
    assert commands.steps == ()
    assert why in (commands.why or "")


def test_exec_form_is_one_step_of_json_strings() -> None:
    line = 'CMD ["/usr/bin/pip", "install", "a b"]'
    commands = commands_of(line)
    assert commands.script is None
    (step,) = commands.steps
    assert step.command.values() == ("/usr/bin/pip", "install", "a b")
    span = commands.span(step.command.words[2])
    assert (BASE + line)[span.start : span.end] == '"a b"'
    assert step.package is not None


def test_healthcheck() -> None:
    line = "HEALTHCHECK --interval=3s CMD curl -f x || exit 1"
    assert spelled(line, commands_of(line), "curl") == "curl -f x"
    exec_form = commands_of('HEALTHCHECK CMD ["curl", "x"]')
    assert exec_form.steps[0].command.values() == ("curl", "x")


def test_a_heredoc_is_read_by_its_interpreter() -> None:
    line = "RUN <<-E\n\t#!/bin/bash\n\tpip install x\n\tE"
    assert step_of(commands_of(line, BASE + 'SHELL ["pwsh", "-c"]\n'), "pip").package is not None
    assert spelled(line, commands_of(line), "pip") == "pip install x"


@pytest.mark.parametrize(
    ("line", "cwd"),
    [
        ("RUN pip x", "."),
        ("RUN cd /a && pip x", "/a"),
        ("RUN cd /a && cd ../b; pip x", "/b"),
        ("RUN cd a && pip x", "a"),
        ("RUN (cd /a && pip x)", "/a"),
        ("RUN (cd /a && true) && pip x", "."),
        ("RUN cd /a | true; pip x", "."),
        ("RUN cd $A && pip x", None),
        ("RUN cd && pip x", None),
        ("RUN if true; then cd /a; fi; pip x", None),
        ("RUN sh -c 'cd /a && pip x'", "/a"),
        ("RUN sh -c 'cd /a' && pip x", "."),
    ],
)
def test_directory(line: str, cwd: str | None) -> None:
    step = step_of(commands_of(line), "pip")
    assert known(step.cwd) == cwd
    if cwd is not None:
        expected = cwd if cwd.startswith("/") else {".": "/w", "a": "/w/a"}[cwd]
        assert step.directory(Known("/w")) == Known(expected)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("RUN export A=1 && pip x", "1"),
        ("RUN A=1 && export A && pip x", "1"),
        ("RUN export A=1; A=2; pip x", "2"),
        ("RUN A=1 pip x", "1"),
        ("RUN env A=1 pip x", "1"),
        ("RUN export A='x y'; sh -c 'pip x'", "x y"),
        ("RUN set -a; A=1; pip x", "1"),
        ("RUN declare -x A=1; pip x", "1"),
    ],
)
def test_exported_variables(line: str, value: str) -> None:
    commands = commands_of(line, BASE + 'SHELL ["/bin/bash", "-c"]\n')
    step = next(step for step in commands.steps if step.command.words and "pip" in step.command.values())
    assert step.env["A"] == Known(value)


def test_variables_that_do_not_reach_the_command() -> None:
    plain = step_of(commands_of("RUN A=1; pip x"), "pip")
    assert dict(plain.env) == {}
    assert plain.variables["A"] == Known("1")
    assert "A" not in step_of(commands_of("RUN (export A=1; true); pip x"), "pip").env
    assert "A" not in step_of(commands_of("RUN B=1 true; A=1 true; pip x"), "pip").env
    assert "A" not in step_of(commands_of("RUN pip x; export A=1"), "pip").env
    assert "A" not in step_of(commands_of("RUN sh -c 'pip x'; export A=1"), "pip").env


@pytest.mark.parametrize(
    "line",
    [
        "RUN export A=$(b) && pip x",
        "RUN test -f x || export A=1; pip x",
        "RUN for i in 1 2; do export A=1; done; pip x",
        "RUN export A=1; unset A; pip x",
        "RUN export A=1; A+=2; pip x",
    ],
)
def test_variables_that_are_not_known(line: str) -> None:
    commands = commands_of(line, BASE + 'SHELL ["/bin/bash", "-c"]\n')
    assert isinstance(step_of(commands, "pip").env["A"], Unknown)


def test_commands_that_may_set_anything() -> None:
    assert step_of(commands_of("RUN . /etc/profile && pip x"), "pip").opaque
    assert not step_of(commands_of("RUN pip x && . /etc/profile"), "pip").opaque


def test_nested_scripts_keep_their_spans() -> None:
    for line in ("RUN a && bash -c 'b; pip install x'", 'CMD ["sh", "-c", "pip install x"]'):
        commands = commands_of(line)
        step = step_of(commands, "pip")
        assert step.depth == 1
        assert spelled(line, commands, "pip") == "pip install x"
    hidden = commands_of('RUN sh -c "pip install \\"x\\""')
    assert [step.command.basename for step in hidden.steps] == ["sh"]


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("RUN pip x", False),
        ("RUN sudo pip x", True),
        ("RUN su app -c 'pip x'", True),
        ("RUN sudo -u app sh -c 'pip x'", True),
        ("RUN su app -c true; pip x", False),
    ],
)
def test_another_user(line: str, changed: bool) -> None:
    steps = [step for step in commands_of(line).steps if step.package is not None and "x" in step.command.values()]
    assert [step.user_changed for step in steps] == [changed]


def test_an_unknown_base_is_read_as_posix() -> None:
    assert commands_of("RUN pip install x", "FROM example.org/some/image\n").script is not None


def test_commands_are_cached() -> None:
    facts = analyse(parse(BASE + "RUN a\n"))
    run = facts.dockerfile.instructions[1]
    assert facts.commands(run) is facts.commands(run)


def test_a_step_belongs_to_one_instruction() -> None:
    dockerfile = parse("FROM debian:12\nRUN useradd app\nRUN useradd app\n")
    facts = analyse(dockerfile)
    (first,), (second,) = (facts.commands(run).steps for run in dockerfile.instructions[1:])
    assert first == second
    assert first is not second
