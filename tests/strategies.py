"""Hypothesis strategies: realistic, valid Dockerfiles, and random bytes that try to break the parser."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from dockfix.syntax.source import BOM

STEADY = settings(derandomize=True, deadline=None, database=None)
"""For property tests, alone or as the parent of other settings: draws the same examples on every run."""

PACKAGE_COMMANDS = (
    "apt-get update",
    "apt-get install -y --no-install-recommends curl ca-certificates",
    "rm -rf /var/lib/apt/lists/*",
    "apk add --no-cache git openssh",
    "apk add --virtual .build gcc musl-dev",
    "apk del .build",
    "dnf install -y tar",
    "dnf clean all",
    "pip install --no-cache-dir -r requirements.txt",
    "python -m pip install 'uvicorn[standard]'",
    "uv sync --frozen",
    "npm ci --omit=dev",
    "npm cache clean --force",
    "yarn install --frozen-lockfile",
    "go build -o /bin/app ./cmd/app",
    "cargo build --release",
    "groupadd -g 10001 app",
    "useradd -m -u 10001 -g 10001 app",
    'echo "deb [signed-by=/k.gpg] https://example.org stable main" > /etc/apt/sources.list.d/x.list',
    "curl -fsSL https://example.org/install.sh | sh",
    "mkdir -p /srv/app",
    "chown -R app:app /srv/app",
    'test "$(id -u)" = 0',
    "set -eux; echo ${HOME:-/root}",
)
IMAGES = ("alpine:3.20", "debian:bookworm-slim", "python:3.12", "node:22-alpine", "golang:1.23", "scratch")
_PATHS = ("/app", "/srv/data", ".", "./src/", "package.json", "/etc/app.conf", "C:/app")
_NAMES = ("A", "PATH", "APP_HOME", "version", "LANG")
_VALUES = ("1", "/opt/bin:$PATH", '"two words"', "'single $x'", "a\\ b", "${A:-x}", "", "é")
_MOUNTS = (
    "type=cache,target=/root/.cache",
    "type=cache,target=/var/cache/apt,sharing=locked",
    "type=bind,source=requirements.txt,target=/tmp/requirements.txt,ro",
    "type=secret,id=token",
    'type=tmpfs,"target=/a b"',
    "from=build,target=/mnt",
)


def _sampled(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def case(keyword: str) -> st.SearchStrategy[str]:
    """A keyword in upper, lower or mixed case."""
    return st.sampled_from((keyword, keyword, keyword, keyword.lower(), keyword.capitalize()))


@st.composite
def breaks(draw: st.DrawFn, escape: str = "\\") -> str:
    """A continuation, with the comments and blank lines that may follow it."""
    inside = draw(st.lists(st.sampled_from(("# a comment\n", "  # indented \\\n", "\n", "  \n")), max_size=2))
    return escape + draw(st.sampled_from(("", " ", "\t"))) + "\n" + "".join(inside) + draw(_sampled(("", "    ")))


@st.composite
def run_commands(draw: st.DrawFn, escape: str = "\\") -> str:
    """Shell text of a RUN: commands of package managers and similar, chained, sometimes with continuations."""
    commands = draw(st.lists(_sampled(PACKAGE_COMMANDS), min_size=1, max_size=4))
    text = commands[0]
    for command in commands[1:]:
        gap = draw(st.one_of(st.just(" "), breaks(escape).map(lambda piece: " " + piece)))
        text += gap + draw(st.sampled_from(("&& ", "; ", "|| "))) + command
    return text


@st.composite
def heredoc_bodies(draw: st.DrawFn) -> str:
    """Lines of a heredoc without its terminator."""
    lines = st.sampled_from(("set -e", "echo $HOME", "\tindented", "# not a comment", "FROM nothing \\", "", "EOF "))
    return "".join(line + "\n" for line in draw(st.lists(lines, max_size=4)))


@st.composite
def heredoc_runs(draw: st.DrawFn) -> str:
    """A RUN, COPY or ADD with a heredoc."""
    dash = draw(st.sampled_from(("", "-")))
    word = draw(st.sampled_from(("EOF", "'EOF'", '"EOF"')))
    head = draw(st.sampled_from(("RUN {}", "RUN cat {} > /x && sh /x", "RUN python3 {}", "COPY {} /x", "ADD {} /y")))
    tabs = draw(st.sampled_from(("", "\t"))) if dash else ""
    return head.format(f"<<{dash}{word}") + "\n" + draw(heredoc_bodies()) + tabs + "EOF"


@st.composite
def json_arrays(draw: st.DrawFn) -> str:
    """A JSON array of strings, as CMD takes it."""
    items = st.sampled_from(('"sh"', '"-c"', '"echo \\"hi\\""', '"\\u00e9"', '"é"', '""', '"a\\\\b"'))
    gap = draw(_sampled((",", ", ", " , ")))
    return "[" + gap.join(draw(st.lists(items, min_size=1, max_size=4))) + "]"


_KINDS = ("RUN", "HEREDOC", "COPY", "ENV", "ARG", "LABEL", "CMD", "HEALTHCHECK", "OTHER", "ONBUILD")


@st.composite
def instructions(draw: st.DrawFn, escape: str = "\\") -> str:
    """One valid instruction other than FROM, without its line end."""
    gap = draw(st.one_of(st.just(" "), st.just("  "), breaks(escape).map(lambda piece: " " + piece)))
    kind = draw(
        st.sampled_from(("RUN", "HEREDOC", "COPY", "ENV", "ARG", "LABEL", "CMD", "HEALTHCHECK", "OTHER", "ONBUILD"))
    )
    match kind:
        case "RUN":
            flags = draw(st.lists(_sampled(_MOUNTS), max_size=2))
            text = "".join(f"--mount={flag}{gap}" for flag in flags) + draw(run_commands(escape))
        case "HEREDOC":
            return draw(heredoc_runs())
        case "COPY":
            kind = draw(_sampled(("COPY", "ADD")))
            flags = draw(st.lists(_sampled(("--chown=app:app", "--chmod=755", "--link")), max_size=2, unique=True))
            paths = draw(st.lists(_sampled(_PATHS), min_size=2, max_size=4))
            text = " ".join([*flags, ""]) + gap.join(paths) if flags else gap.join(paths)
        case "ENV" | "LABEL":
            pairs = draw(st.lists(st.tuples(_sampled(_NAMES), _sampled(_VALUES)), min_size=1, max_size=3))
            texts = [f"{name}={value}".replace("\\", escape) for name, value in pairs]
            text = gap.join(texts)
        case "ARG":
            text = draw(_sampled(_NAMES)) + draw(_sampled(("", "=1", '="a b"', "=$A")))
        case "CMD":
            kind = draw(_sampled(("CMD", "ENTRYPOINT")))
            text = draw(st.one_of(json_arrays(), _sampled(PACKAGE_COMMANDS)))
        case "HEALTHCHECK":
            text = draw(_sampled(("NONE", "--interval=5s --retries=3 CMD curl -f http://localhost/", "CMD true")))
        case "ONBUILD":
            text = draw(_sampled(("RUN make", "COPY . /app", "ENV A=b")))
        case _:
            return draw(
                st.sampled_from(
                    ("USER app", "USER 10001:10001", "WORKDIR /app", "EXPOSE 80 443/tcp", "VOLUME /data /x",
                     "STOPSIGNAL SIGTERM", "MAINTAINER someone", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]')
                )
            )  # fmt: skip
    return draw(case(kind)) + gap + text


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """A valid Dockerfile with stages and comments; some have a BOM, CRLF, backtick escapes or no final newline."""
    escape = draw(st.sampled_from(("\\", "\\", "`")))
    lines = [] if escape == "\\" else ["# escape=`"]
    lines += draw(st.sampled_from(([], [], ["ARG BASE=alpine"])))
    for index in range(draw(st.integers(1, 3))):
        platform = draw(_sampled(("", "", "--platform=linux/amd64 ")))
        lines.append(f"{draw(case('FROM'))} {platform}{draw(_sampled(IMAGES))} AS stage{index}")
        for _ in range(draw(st.integers(0, 5))):
            lines += draw(st.sampled_from(([], [], [""], ["# a comment"], ["# one", "  # two"])))
            lines.append(draw(instructions(escape)))
    text = "\n".join(lines) + draw(st.sampled_from(("\n", "\n", "", "\n\n")))
    if draw(st.sampled_from((False, False, True))):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(("", "", BOM))) + text


SOUP = (
    b"FROM a\n", b"RUN ", b"COPY ", b"ADD ", b"ENV ", b"LABEL ", b"ARG ", b"CMD ", b"ONBUILD ", b"HEALTHCHECK ",
    b"VOLUME ", b"SHELL ", b"foo ", b" ", b"\t", b"\n", b"\r\n", b"\r", b"\\\n", b"\\\r\n", b"\\", b"`", b"`\n", b'"',
    b"'", b"$", b"${", b"}", b"$A", b"${A:-b}", b"${A#b}", b"${A/b/c}", b"--x", b"--mount=type=cache,target=/a ",
    b"--link", b"=", b"A=1", b"[", b"]", b'["a"]', b'["a", 1]', b"{}", b",", b"<<EOF", b"<<-EOF", b"<<'EOF'",
    b"<< EOF", b"\nEOF\n", b"\n\tEOF\n", b"# c\n", b"# escape=`\n", b"# syntax=a\n", b"#!x\n", b"\xef\xbb\xbf",
    b"\x85", b"\xa0", b"\xc2\x85", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x0b", b"\x1c", b"\x00", b"\xff", b"\xc3\xa9",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"CMD ", b"NONE", b"AS b",
)  # fmt: skip


def soup() -> st.SearchStrategy[bytes]:
    """Bytes that mean something to a parser, in no sensible order."""
    return st.lists(st.one_of(st.sampled_from(SOUP), st.binary(max_size=3)), max_size=25).map(b"".join)
