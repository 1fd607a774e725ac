"""What is in effect at each instruction: the rules of ENV, ARG, USER, WORKDIR and SHELL."""

from __future__ import annotations

import time

import pytest

from dockfix.facts.build import BuildFacts, analyse
from dockfix.facts.model import Fact, Known, OneOf, Unknown, known
from dockfix.facts.state import State
from dockfix.facts.variables import uses
from dockfix.syntax.parser import parse


def facts_of(text: str, **build_args: str) -> BuildFacts:
    return analyse(parse(text), build_args={name: Known(value) for name, value in build_args.items()})


def at_end(text: str, **build_args: str) -> State:
    facts = facts_of(text, **build_args)
    return facts.end_state(facts.graph.stages[-1])


def at(text: str, number: int) -> State:
    facts = facts_of(text)
    return facts.state(facts.dockerfile.instructions[number])


def test_an_env_expands_to_the_values_before_it() -> None:
    state = at_end("FROM alpine\nENV A=old\nENV A=new B=$A\n")
    assert (state.lookup("A"), state.lookup("B")) == (Known("new"), Known("old"))


def test_env_self_reference_leaves_an_empty_entry_on_path() -> None:
    state = at_end('FROM scratch\nENV A=x PATH="$A:$PATH"\n')
    assert (known(state.lookup("PATH")) or "").startswith(":/usr/local/sbin:")


def test_state_is_that_before_the_instruction() -> None:
    text = 'FROM alpine\nENV A=1\nUSER app\nWORKDIR /srv\nSHELL ["/bin/ash", "-c"]\n'
    assert at(text, 1).lookup("A") is None
    assert at(text, 2).lookup("A") == Known("1")
    assert at(text, 2).user == Known("root")
    assert at(text, 3).user == Known("app")
    assert at(text, 4).workdir == Known("/srv")
    assert at(text, 4).shell == Known(("/bin/sh", "-c"))


def test_an_argument_before_from_is_not_seen_in_the_stage() -> None:
    assert at_end("ARG X=1\nFROM alpine\nENV Y=${X:-none}\n").lookup("Y") == Known("none")
    assert at_end("ARG X=1\nFROM alpine\n").lookup("X") is None


def test_a_bare_argument_has_the_global_default() -> None:
    state = at_end("ARG X=1\nFROM alpine\nARG X\nENV Y=$X\n")
    assert state.args["X"] == Known("1")
    assert state.lookup("Y") == Known("1")
    assert state.assumes("Y") == {"X"}


def test_a_default_in_the_stage_overrides_the_global_one() -> None:
    assert at_end("ARG X=1\nFROM alpine\nARG X=2\n").lookup("X") == Known("2")


def test_a_passed_argument_overrides_all_defaults() -> None:
    state = at_end("ARG X=1\nFROM alpine\nARG X=2\n", X="3")
    assert state.lookup("X") == Known("3")
    assert state.assumes("X") == frozenset()
    assert at_end("FROM alpine\n", X="3").lookup("X") is None


def test_the_later_of_env_and_arg_wins() -> None:
    assert at_end("FROM alpine\nENV X=env\nARG X=arg\n").lookup("X") == Known("arg")
    assert at_end("FROM alpine\nARG X=arg\nENV X=env\n").lookup("X") == Known("env")
    assert at_end("FROM alpine\nENV X=env\nARG X=arg\n").env["X"] == Known("env")


def test_a_bare_argument_that_is_not_passed_keeps_env() -> None:
    state = at_end("FROM alpine\nENV X=env\nARG X\n")
    assert state.lookup("X") == Known("env")
    assert state.assumes("X") == {"X"}


def test_a_bare_argument_without_any_default_is_unknown() -> None:
    assert isinstance(at_end("FROM alpine\nARG X\n").lookup("X"), Unknown)
    assert isinstance(at_end("FROM alpine\nARG TARGETARCH\n").lookup("TARGETARCH"), Unknown)
    assert at_end("FROM alpine\n").lookup("TARGETARCH") is None


def test_arguments_of_one_instruction_see_each_other() -> None:
    assert at_end("FROM alpine\nARG A=1 B=$A\n").lookup("B") == Known("1")


def test_a_stage_inherits_variables_and_arguments() -> None:
    state = at_end("FROM alpine AS a\nENV E=1\nARG A=2\nUSER app\nWORKDIR /w\nFROM a\n")
    assert (state.lookup("E"), state.lookup("A")) == (Known("1"), Known("2"))
    assert (state.user, state.workdir) == (Known("app"), Known("/w"))
    assert state.args["A"] == Known("2")


def test_env_wins_over_an_argument_where_a_stage_begins() -> None:
    text = "FROM alpine AS a\nENV X=env\nARG X=arg\nFROM a\n"
    assert at_end(text).lookup("X") == Known("env")


def test_another_stage_sees_nothing() -> None:
    assert at_end("FROM alpine AS a\nENV E=1\nARG A=2\nFROM alpine\n").lookup("E") is None


def test_onbuild_triggers_run_before_the_stage() -> None:
    text = "FROM alpine AS a\nONBUILD ENV X=1\nFROM a\nENV Y=$X\n"
    assert at_end(text).lookup("Y") == Known("1")
    assert at(text, 1).lookup("X") is None


def test_an_unknown_base_may_set_anything() -> None:
    state = at_end("FROM example.org/some/image\nENV A=$B\n")
    assert isinstance(state.lookup("HOME"), Unknown)
    assert isinstance(state.lookup("A"), Unknown)
    assert isinstance(state.user, Unknown)
    assert isinstance(state.is_root, Unknown)
    assert state.shell == Known(("/bin/sh", "-c"))
    assert state.shell_assumed
    assert not at_end("FROM alpine\n").shell_assumed
    assert not at_end('FROM example.org/a\nSHELL ["/bin/sh", "-c"]\n').shell_assumed


def test_scratch_has_a_path_and_nothing_else() -> None:
    state = at_end("FROM scratch\n")
    assert list(state.env) == ["PATH"]
    assert state.lookup("LANG") is None
    assert (state.user, state.workdir, state.is_root) == (Known("root"), Known("/"), Known(True))


def test_the_home_of_root_on_scratch_is_that_of_a_password_file_that_is_copied() -> None:
    assert isinstance(at_end("FROM scratch\nADD rootfs.tar.xz /\n").home, Unknown)
    assert at_end("FROM scratch\nENV HOME=/h\n").home == Known("/h")


def test_windows_images_have_another_shell() -> None:
    assert at_end("FROM mcr.microsoft.com/windows/servercore:ltsc2022\n").shell == Known(("cmd", "/S", "/C"))


def test_proxies_may_be_passed_without_an_argument() -> None:
    assert isinstance(at_end("FROM alpine\n").lookup("http_proxy"), Unknown)
    assert at_end("FROM alpine\nENV A=${http_proxy:-none}\n").lookup("A") == Known("none")


@pytest.mark.parametrize(
    ("lines", "workdir"),
    [
        ("WORKDIR /a\nWORKDIR b", "/a/b"),
        ("WORKDIR /a\nWORKDIR ../c/.", "/c"),
        ("ENV D=/d\nWORKDIR $D/e", "/d/e"),
        ("WORKDIR a", "/a"),
        ("WORKDIR '/with space'", "/with space"),
        ("WORKDIR //app", "/app"),
        ("WORKDIR /app/", "/app"),
        ("ENV R=/\nWORKDIR $R/app", "/app"),
        ("ENV R=/\nWORKDIR $R/app\nWORKDIR b", "/app/b"),
    ],
)
def test_workdir(lines: str, workdir: str) -> None:
    assert at_end(f"FROM alpine\n{lines}\n").workdir == Known(workdir)


@pytest.mark.parametrize(
    ("user", "name", "group", "root"),
    [
        ("root", "root", None, True),
        ("0:0", "0", "0", True),
        ("app", "app", None, False),
        ("10001:10001", "10001", "10001", False),
        ("$U:${G:-staff}", "app", "staff", False),
    ],
)
def test_user(user: str, name: str, group: str | None, root: bool) -> None:
    state = at_end(f"FROM debian\nENV U=app\nUSER {user}\n")
    assert state.user == Known(name)
    assert state.group == (Known(group) if group is not None else None)
    assert state.is_root == Known(root)


def test_a_user_may_depend_on_the_default_of_an_argument() -> None:
    text = "FROM debian\nARG UID=1000\nUSER $UID\n"
    assert at_end(text).uid == Known(1000)
    assert at_end(text, UID="0").is_root == Known(True)


def test_several_passed_values_make_several() -> None:
    facts = analyse(parse("FROM alpine\nARG X\nENV Y=a$X\nUSER $X\n"), build_args={"X": OneOf(("0", "5"))})
    state = facts.end_state(facts.graph.stages[0])
    assert state.lookup("Y") == OneOf(("a0", "a5"))
    assert state.is_root == OneOf((True, False))


def test_home_is_the_variable_if_it_is_set() -> None:
    assert at_end("FROM debian\n").home == Known("/root")
    assert at_end("FROM debian\nENV HOME=/h\nUSER 5\n").home == Known("/h")
    assert at_end("FROM debian\nUSER 10001\n").home == Known("/")


def test_from_sees_global_arguments_only() -> None:
    facts = facts_of("ARG X=1\nFROM alpine\nARG Y=2\nFROM alpine\n")
    state = facts.state(facts.dockerfile.instructions[3])
    assert (state.lookup("X"), state.lookup("Y")) == (Known("1"), None)
    assert facts.state(facts.dockerfile.instructions[0]).lookup("X") is None


@pytest.mark.parametrize(
    "lines",
    [
        "ENV A=" + "x" * 100 + "\n" + "ENV A=$A$A\n" * 500,
        "ARG A=" + "x" * 60000 + "\n" + "ENV B=" + "$A" * 20000 + "\n",
        "ENV A=" + "a" * 4000 + "\n" + "ENV B=${A//*a*a*a*b/x}\n" * 300,
        "ENV A=" + "a" * 4000 + "\n" + "ENV B=${A%%*a*a*a*b}\n" * 300,
    ],
)
def test_values_do_not_grow_without_bound(lines: str) -> None:
    started = time.process_time()
    state = at_end(f"FROM alpine\n{lines}")
    facts = (state.lookup("A"), state.lookup("B"))
    assert any(isinstance(fact, Unknown) for fact in facts)
    assert time.process_time() - started < 5


def test_many_variables_cost_linear_time() -> None:
    text = "FROM alpine\n" + "".join(f"ENV V{n}=$V{n - 1}x{n % 7}\nRUN a\n" for n in range(4000))
    facts = facts_of(text)
    started = time.process_time()
    seen: list[Fact[str] | None] = [facts.state(node).lookup("V5") for node in facts.dockerfile.instructions]
    assert seen[5] is None
    assert isinstance(seen[-1], Known)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("COPY --chown=$U $A/x ${B:-$C} d", {"U", "A", "B", "C"}),
        ("ADD --checksum=$S '$Q' d", {"S"}),
        ("ENV $K=$V W='$N' X=\\$E", {"K", "V"}),
        ("LABEL a=$L", {"L"}),
        ("EXPOSE $P 80", {"P"}),
        ("USER $U:$G", {"U", "G"}),
        ("VOLUME $V", {"V"}),
        ("WORKDIR /$W", {"W"}),
        ("STOPSIGNAL $S", {"S"}),
        ("RUN --mount=type=cache,target=$T,id=$I echo $R", {"T", "I"}),
        ("ARG A=$B", {"B"}),
        ("CMD echo $X", set()),
        ("HEALTHCHECK CMD echo $X", set()),
        ("ONBUILD ENV A=$B", set()),
        ("COPY <<E /x\n'$A' \\$B ${C}\nE", {"A", "C"}),
        ("COPY <<'E' /x\n$A\nE", set()),
    ],
)
def test_names_that_buildkit_expands(line: str, names: set[str]) -> None:
    assert uses(parse(f"FROM a\n{line}\n").instructions[1]) == names


def test_a_variable_that_grows_with_each_env_is_followed_up_to_a_limit() -> None:
    start = "FROM debian:12\nENV A=x\n"
    short = at_end(start + "ENV A=$A:y\n" * 1000)
    assert known(short.lookup("A")) == "x" + ":y" * 1000
    assert isinstance(at_end(start + "ENV A=$A:y\n" * 5000).lookup("A"), Unknown)
    assert known(at_end(f"FROM debian:12\nENV A={'x' * 20_000}\n").lookup("A")) == "x" * 20_000


def test_a_working_directory_is_no_longer_than_linux_allows() -> None:
    assert known(at_end("FROM debian:12\n" + "WORKDIR abc\n" * 1000).workdir) == "/abc" * 1000
    assert isinstance(at_end("FROM debian:12\n" + "WORKDIR abc\n" * 1100).workdir, Unknown)
    assert known(at_end("FROM debian:12\n" + "WORKDIR abc\n" * 1100 + "WORKDIR /d\nWORKDIR e\n").workdir) == "/d/e"
