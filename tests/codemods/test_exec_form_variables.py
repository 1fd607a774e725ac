"""Which words of an exec form need a shell, and which commands can run in one."""

import pytest

from dockfix.facts.entrypoints import runs_its_arguments
from dockfix_codemods.exec_form_variable.analysis import unexpanded


def names(*argv: str, env: tuple[str, ...] = ()) -> tuple[str, ...]:
    found = unexpanded(argv, env.__contains__)
    return found.names if found else ()


@pytest.mark.parametrize(
    "word", ["$PORT", "${PORT}", "a${PORT}b", "${PORT:-80}", "${PORT-80}", "${PORT:?no}", "${PORT:+x}", "--p=$PORT/x"]
)
def test_a_variable_is_found(word: str) -> None:
    assert names("server", word) == ("PORT",)


@pytest.mark.parametrize(
    "word",
    [
        "$",
        "$$PORT",
        "\\$PORT",
        "$1",
        "$port",
        "$P",
        "${PORT",
        "${PORT:80}",
        "$(PORT)",
        "${env.PORT}",
        "%PORT%",
        "PORT$",
    ],
)
def test_other_dollars_are_not(word: str) -> None:
    assert names("server", word) == ()


def test_a_name_that_is_set_counts_whatever_its_spelling() -> None:
    assert names("server", "$port", "$P", env=("port", "P")) == ("port", "P")


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "x $PORT"),
        ("/bin/bash", "-o", "pipefail", "-euc", "x $PORT"),
        ("tini", "--", "sh", "-lc", "x $PORT"),
        ("busybox", "sh", "-c", "x $PORT"),
        ("pwsh", "-Command", "x $PORT"),
        ("envsubst", "$PORT"),
        ("/usr/sbin/nginx", "-g", "env PORT=$PORT;"),
        ("python3.12", "-c", "print('$PORT')"),
        ("node", "-e", "`${PORT}`"),
        ("java", "-Dserver.port=${PORT}", "-jar", "x.jar"),
        ("filebeat", "-E", "hosts=${HOSTS}"),
    ],
)
def test_what_expands_by_itself_is_left_alone(argv: tuple[str, ...]) -> None:
    assert names(*argv) == ()


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "start.sh", "$PORT"),
        ("bash", "-e", "start.sh", "-config", "$PORT"),
        ("python", "-m", "x", "$PORT"),
        ("java", "-Xmx$HEAP_SIZE", "-jar", "x.jar"),
        ("psql", "-U", "$DB_USER", "-c", "select '$TAG'"),
    ],
)
def test_an_argument_is_not_code(argv: tuple[str, ...]) -> None:
    assert len(names(*argv)) == 1


def test_an_init_runs_its_arguments_and_a_program_does_not() -> None:
    assert runs_its_arguments(())
    assert runs_its_arguments(("/sbin/tini", "-g", "--"))
    assert not runs_its_arguments(("/sbin/tini", "--", "/entrypoint.sh"))
    assert not runs_its_arguments(("server",))
