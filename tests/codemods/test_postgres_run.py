"""The rules for PostgreSQL images against a real server with a scratch cluster."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from dockfix.engine.project import run
from dockfix.project.target import target_from_text
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Cmd
from dockfix.testing import Case, load_cases
from dockfix_codemods.postgres_preload import CODEMOD

RequireTool = Callable[[str], Path]
GOLDEN = Path(__file__).parent.parent.parent / "golden" / "postgres-extension.md"
SHARE = Path("/usr/share/postgresql/15")
PRELOADED = ("-c", "shared_preload_libraries=pg_cron")


class Cluster:
    """A scratch cluster with its own socket, without a network, run by a non-root account."""

    def __init__(self, binaries: Path, folder: Path, share: Path | None = None) -> None:
        self.binaries = binaries
        self.folder = folder
        account = "postgres" if os.geteuid() == 0 else None
        if account is not None:
            user = pwd.getpwnam(account)
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.account = account
        options = ["-L", str(share)] if share is not None else []
        made = self.call("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-N", *options)
        assert made.returncode == 0, made.stderr

    def call(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        path = self.binaries / program
        return subprocess.run(
            [str(path), *words],
            user=self.account,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, arguments: Sequence[str]) -> None:
        socket = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        # pg_ctl hands the text to a shell
        options = " ".join(f"'{word}'" for word in (*arguments, *socket))
        log = str(self.folder / "log")
        done = self.call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", "-l", log, "-o", options, "start")
        assert done.returncode == 0, Path(log).read_text()

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def psql(self, *words: str, database: str = "postgres") -> subprocess.CompletedProcess[str]:
        """Run psql as `docker_process_sql` of the entrypoint does."""
        fixed = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-h", str(self.folder), "-U", "postgres", "--dbname", database)
        return self.call("psql", *fixed, *words)

    def init(self, scripts: Mapping[str, str], database: str) -> str:
        """Run scripts in the order of the entrypoint; the output of the first that fails."""
        if database != "postgres":
            assert self.psql("-c", f"CREATE DATABASE {database}").returncode == 0
        for name in sorted(scripts):
            path = self.folder / name
            path.write_text(scripts[name])
            path.chmod(0o644)
            done = self.psql("-f", str(path), database=database)
            if done.returncode != 0:
                return done.stderr
        return ""


@pytest.fixture(scope="module")
def binaries(require_tool: RequireTool) -> Path:
    if shutil.which("psql") is None or not (SHARE / "extension" / "pg_cron.control").exists():
        require_tool("psql of postgresql-15 with pg_cron of postgresql-15-cron")
    return Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def make(binaries: Path) -> Iterator[Callable[..., Cluster]]:
    """Create clusters below a short path, because the path of a socket has at most 107 bytes."""
    made: list[Cluster] = []
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as temporary:
        Path(temporary).chmod(0o755)

        def new(arguments: Sequence[str] = (), share: Path | None = None) -> Cluster:
            folder = Path(temporary, str(len(made)))
            folder.mkdir()
            cluster = Cluster(binaries, folder, share)
            made.append(cluster)
            cluster.start(arguments)
            return cluster

        yield new
        for cluster in made:
            cluster.stop()


def golden(name: str) -> Case:
    """A golden case of postgres-extension."""
    return next(case for case in load_cases(GOLDEN) if case.name == name)


def generated(case: Case) -> dict[str, str]:
    """The new files of a golden case of postgres-extension, by name."""
    found = {}
    for part in case.expected_diff.split("--- /dev/null\n")[1:]:
        name = re.match(r"\+\+\+ b/(?:.*/)?(.*)\n", part)
        assert name is not None
        body = part.split("\n--- ")[0].split("\n")[2:]
        found[name[1]] = "".join(f"{line[1:]}\n" for line in body if line.startswith("+"))
    return found


def test_the_generated_cmd_lets_the_extension_be_created(make: Callable[..., Cluster]) -> None:
    text = "FROM postgres:15\nRUN apt-get update && apt-get install -y postgresql-15-cron\n"
    outcome = run(target_from_text(text), [CODEMOD], unsafe=True)
    command = parse(outcome.text).instructions[-1]
    assert isinstance(command, Cmd)
    assert command.argv is not None
    assert command.argv[0] == "postgres"
    without, preloaded = make(), make(command.argv[1:])
    failed = without.psql("-c", "CREATE EXTENSION pg_cron")
    assert failed.returncode != 0
    assert 'unrecognized configuration parameter "cron.database_name"' in failed.stderr
    assert preloaded.psql("-c", "CREATE EXTENSION pg_cron").returncode == 0
    assert preloaded.psql("-c", "SELECT cron.schedule('x', '0 3 * * *', 'VACUUM')").returncode == 0


def test_initdb_takes_the_setting_from_the_sample(make: Callable[..., Cluster]) -> None:
    """A `sed` over postgresql.conf.sample counts as preloading, because initdb copies it into the cluster."""
    with tempfile.TemporaryDirectory(prefix="share-", dir="/tmp") as temporary:
        share = Path(temporary, "share")
        shutil.copytree(SHARE, share)
        Path(temporary).chmod(0o755)
        sample = share / "postgresql.conf.sample"
        edit = r"s/^#?shared_preload_libraries\s*=.*/shared_preload_libraries = 'pg_cron'/"
        subprocess.run(["sed", "-ri", edit, str(sample)], check=True)
        cluster = make(share=share)
        assert cluster.psql("-c", "CREATE EXTENSION pg_cron").returncode == 0


@pytest.mark.parametrize(
    ("case", "database", "settings"),
    [
        ("fix-numbered-before-its-user", "taboot", ("-c", "cron.database_name=taboot")),
        ("fix-connects-to-the-default-database", "store", ()),
        ("fix-no-connect-in-postgres", "postgres", ()),
    ],
)
def test_the_generated_script_runs_in_the_entrypoints_order(
    make: Callable[..., Cluster], case: str, database: str, settings: tuple[str, ...]
) -> None:
    shown = golden(case)
    new = generated(shown)
    assert len(new) == 1
    users = {Path(path).name: file.data.decode() for path, file in shown.files.items() if path.endswith(".sql")}
    if "nuq.sql" in users:
        users["010-nuq.sql"] = users.pop("nuq.sql")
    arguments = (*PRELOADED, *settings)
    assert "cron" in make(arguments).init(users, database), "without the new script the init must fail"
    cluster = make(arguments)
    assert cluster.init({**new, **users}, database) == ""
    jobs = cluster.psql("-tA", "-c", "SELECT count(*) FROM cron.job", database=database if settings else "postgres")
    assert jobs.stdout.strip() == "1"
