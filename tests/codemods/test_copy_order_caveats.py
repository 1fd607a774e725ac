"""When a RUN does the same without the files of a COPY, and what a reader must check otherwise."""

from __future__ import annotations

import pytest

from dockfix.project.target import target_from_text
from dockfix.syntax.tree import Run
from dockfix_codemods.copy_order.reorder import ContextFiles, reorderable


def moves(text: str) -> dict[str, str]:
    """The sources that can move below the last RUN, each with its caveats; ` | ` is a line end."""
    target = target_from_text(text.replace(" | ", "\n") + "\n")
    instructions = target.facts.graph.stages[-1].instructions
    index = max(at for at, node in enumerate(instructions) if isinstance(node, Run))
    files = ContextFiles(lambda path: path.endswith("/") or None, lambda _: None)
    found: dict[str, str] = {}
    for with_caveats in (True, False):
        for move in reorderable(target.facts, instructions, index, files, with_caveats=with_caveats):
            for word in move.words or move.copy.sources:
                found[word.text] = "; ".join(move.caveats) if with_caveats else ""
    return found


def caveats(text: str, source: str) -> str | None:
    """The caveats if `source` moves: empty if there are none, None if it must not move."""
    return moves(text).get(source)


APT = "RUN apt-get update && apt-get install -y curl"
PIP = "RUN pip install flask"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (f"FROM debian:12 | COPY src /app/src | {APT}", "src"),
        (f"FROM debian:12 | WORKDIR /app | COPY . . | {APT}", "."),
        (f"FROM debian:12 | COPY src/ /app/ | WORKDIR /app | {APT}", "src/"),
        (f"FROM debian:12 | WORKDIR /app | COPY package.json .nvmrc ./ | {APT}", ".nvmrc"),
        (f"FROM python:3.13 | WORKDIR /app | COPY src ./src | COPY README.md run.sh ./ | {PIP}", "README.md"),
        (f"FROM python:3.13 | WORKDIR /usr/src/app | COPY src ./src | {PIP}", "src"),
        (f"FROM python:3.13 | COPY x.json /srv/data/ | WORKDIR /app | {PIP}", "x.json"),
        ("FROM node:22 | WORKDIR /app | COPY src ./src | RUN npm install -g pnpm", "src"),
        ("FROM golang:1.22 | WORKDIR /src | COPY go.mod go.sum README.md ./ | RUN go mod download", "README.md"),
        (f"FROM python:3.13 | ENV NODE_ENV=production DEBUG=1 | ARG VERSION | COPY src /app/src | {PIP}", "src"),
        (f"FROM python:3.13 | ENV PATH=/opt/tools/bin:$PATH | COPY src /app/src | {PIP}", "src"),
        (f"FROM python:3.13 | RUN mkdir -p /app && chown 1000 /app | COPY src /app/src | {PIP}", "src"),
        (f"FROM python:3.13 | COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/ | COPY src /app/src | {PIP}", "src"),
        (f"FROM debian:12 | RUN curl -o /usr/bin/x https://example.org/x | COPY src /app/src | {APT}", "src"),
        (f"FROM python:3.13 | COPY <<E /w/x.txt | text | E | COPY src /app/src | {PIP}", "src"),
        (f"FROM python:3.13 AS a | RUN pip install x | FROM a | COPY src /app/src | {PIP}", "src"),
    ],
)
def test_a_move_that_changes_nothing_has_no_caveats(text: str, source: str) -> None:
    assert caveats(text, source) == ""


@pytest.mark.parametrize(
    ("text", "source", "word"),
    [
        # a variable names the file
        (
            'FROM node:22 | ENV NODE_OPTIONS="--require /hooks/x.js" | COPY x.js /hooks/x.js | RUN npm i -g pnpm',
            "x.js",
            "NODE_OPTIONS",
        ),
        (
            'FROM node:22 | ENV NODE_OPTIONS="--require=./x.js" | WORKDIR /w | COPY x.js ./ | RUN npm i -g pnpm',
            "x.js",
            "NODE_OPTIONS",
        ),
        (f"FROM debian:12 | ENV LD_PRELOAD=/preload/a.so | COPY a.so /preload/a.so | {APT}", "a.so", None),
        (f"FROM debian:12 | ENV A=1 | ENV WGETRC=/conf/wgetrc | COPY wgetrc /conf/ | {APT}", "wgetrc", None),
        (f"FROM debian:12 | ENV CURL_HOME=/conf | COPY curlrc.txt /conf/x/ | {APT}", "curlrc.txt", None),
        (f"FROM debian:12 | ENV OPENSSL_CONF=/ssl/o.cnf | COPY ssl/ /ssl/ | {APT}", "ssl/", None),
        (
            f'FROM python:3.13 | ENV GIT_SSH_COMMAND="ssh -i /keys/id" | COPY keys/ /keys/ | {PIP}',
            "keys/",
            "GIT_SSH_COMMAND",
        ),
        ("FROM python:3.13 | ENV HDF5_DIR=/hdf5 | COPY hdf5/ /hdf5/ | RUN pip install h5py", "hdf5/", "HDF5_DIR"),
        (
            "FROM python:3.13 | ENV ORACLE_HOME=/u01/ora | COPY lib/ /u01/ora/lib/ | RUN pip install cx_Oracle",
            "lib/",
            "ORACLE_HOME",
        ),
        (
            "FROM python:3.13 | ENV LLVM_CONFIG=/llvm/bin/llvm-config | COPY llvm/ /llvm/ | RUN pip install llvmlite",
            "llvm/",
            "LLVM_CONFIG",
        ),
        ("FROM python:3.13 | ARG HDF5_DIR | COPY hdf5/ /hdf5/ | RUN pip install h5py", "hdf5/", "HDF5_DIR"),
        ("FROM python:3.13 | ARG HDF5_DIR=/usr | COPY hdf5/ /hdf5/ | RUN pip install h5py", "hdf5/", "HDF5_DIR"),
        (f"FROM python:3.13 | ARG X | ENV Y=$X | COPY a.sh /app/ | {PIP}", "a.sh", "X"),
        (
            "FROM continuumio/miniconda3 | ENV CONDARC=/conf/c.yml | COPY conf/ /conf/ | RUN conda install -y numpy",
            "conf/",
            "",
        ),
        (f"FROM python:3.13 | ENV ROOT=/ | COPY a.sh /app/ | {PIP}", "a.sh", "ROOT"),
        (f'FROM debian:12 | SHELL ["/tools/sh", "-c"] | COPY tools/ /tools/ | {APT}', "tools/", ""),
        # configuration names the file
        ("FROM node:22 | COPY .npmrc /root/.npmrc | COPY ca.pem /certs/ca.pem | RUN npm i -g pnpm", "ca.pem", ".npmrc"),
        (f"FROM python:3.13 | COPY pip.conf /etc/pip.conf | COPY parts/ /parts/ | {PIP}", "parts/", "pip.conf"),
        (
            f"FROM python:3.13 | RUN pip config set global.find-links /parts | COPY parts/ /parts/ | {PIP}",
            "parts/",
            "line 2",
        ),
        (
            f"FROM python:3.13 | WORKDIR /app | RUN pip config set a.find-links wheels | COPY wheels/ wheels/ | {PIP}",
            "wheels/",
            "`wheels` in `/app`",
        ),
        (f"FROM debian:12 | COPY l.list /etc/apt/sources.list.d/ | COPY debs/ /debs/ | {APT}", "debs/", "l.list"),
        (
            f'FROM debian:12 | RUN echo "deb file:///debs ./" > /etc/apt/x.list | COPY debs/ /debs/ | {APT}',
            "debs/",
            None,
        ),
        (
            f'FROM debian:12 | RUN echo "deb copy:/repo/debs ./" > /etc/apt/x.list | COPY a.deb /repo/debs/ | {APT}',
            "a.deb",
            "line 2",
        ),
        (
            "FROM alpine:3 | RUN echo /repo >> /etc/apk/repositories | COPY repo/ /repo/ | RUN apk add x",
            "repo/",
            "line 2",
        ),
        ("FROM rockylinux:9 | COPY l.repo /etc/yum.repos.d/ | COPY rpms/ /rpms/ | RUN dnf install -y x", "rpms/", ""),
        (f"FROM debian:12 | COPY a.conf /etc/ld.so.conf.d/ | COPY lib/ /ours/ | {APT}", "lib/", "a.conf"),
        (
            f"FROM debian:12\nRUN <<E\necho /ours > /etc/ld.so.conf.d/a.conf\nE\nCOPY lib/ /ours/\n{APT}",
            "lib/",
            "line 2",
        ),
        (
            f"FROM python:3.13 AS a | RUN pip config set a.find-links /parts | FROM a | COPY parts/ /parts/ | {PIP}",
            "parts/",
            "line 2",
        ),
        (f"FROM company/python | WORKDIR /app | COPY a.sh ./ | {PIP}", "a.sh", ""),
        (
            "FROM python:3.13 | COPY parts/ /parts/ | RUN --mount=type=secret,id=p,target=/p pip install x",
            "parts/",
            "mounts",
        ),
        (
            f"FROM python:3.13 | COPY setup.sh /setup/ | RUN sh /setup/setup.sh | COPY parts/ /parts/ | {PIP}",
            "parts/",
            "line 3",
        ),
        (f"FROM python:3.13 | WORKDIR /app | COPY --from=x / / | COPY a.sh ./ | {PIP}", "a.sh", "copied on line 3"),
        (
            f"FROM python:3 | WORKDIR /w | RUN pip config set a.find-links $PWD | COPY x.zip ./ | {APT}",
            "x.zip",
            "line 3",
        ),
        (f"FROM python:3 | WORKDIR /w | RUN pip config set a.find-links . | COPY x.zip ./ | {APT}", "x.zip", "line 3"),
        (f"FROM python:3 | RUN D=/w; echo $D > /etc/x | COPY x.zip /w/ | {APT}", "x.zip", "line 2"),
        (
            f"FROM debian:12 | RUN curl -o /etc/x.conf https://example.org/x | COPY x.zip /w/ | {APT}",
            "x.zip",
            "fetches",
        ),
        (f"FROM debian:12 | RUN git clone https://example.org/x | COPY x.zip /w/ | {APT}", "x.zip", "it runs git"),
        (
            f"FROM python:3 | COPY <<E /etc/pip.conf | find-links=/w | E | COPY x.zip /w/ | {PIP}",
            "x.zip",
            "/etc/pip.conf",
        ),
        (f"FROM python:3 AS a | ONBUILD COPY pip.conf /etc/ | FROM a | COPY x.zip /w/ | {PIP}", "x.zip", "pip.conf"),
        (f"FROM debian:12 | ENV FILES=x.* | COPY x.zip /w/ | {APT}", "x.zip", "FILES"),
        (f"FROM debian:12 | COPY x.zip /srv/tftp/ | {APT}", "x.zip", "/srv/tftp"),
        (f'FROM debian:12 | ARG HDF5_DIR="" | COPY x.zip /w/ | {APT}', "x.zip", "HDF5_DIR"),
        # programs search for the file
        ("FROM python:3.13 | WORKDIR /app | COPY rich ./rich | RUN python -m pip install flask", "rich", "/app"),
        ("FROM python:3.13 | WORKDIR /app | COPY x.pth ./ | RUN python -m pip install flask", "x.pth", None),
        (f"FROM python:3.13 | ENV PYTHONPATH=/app | COPY rich /app/rich | {PIP}", "rich", "/app"),
        ("FROM node:22 | WORKDIR /app | COPY .nvmrc ./ | RUN npm i -g pnpm", ".nvmrc", ".nvmrc"),
        (
            "FROM node:22 | WORKDIR /app/web | COPY .tool-versions /app/ | RUN npm i -g pnpm",
            ".tool-versions",
            ".tool-versions",
        ),
        (
            "FROM ruby:3 | WORKDIR /app | COPY .ruby-version ./ | RUN gem install bundler",
            ".ruby-version",
            ".ruby-version",
        ),
        ("FROM node:22 | WORKDIR /app | COPY package.json ./ | RUN npm i -g pnpm", "package.json", "package.json"),
        ("FROM node:22 | WORKDIR /app | COPY . . | RUN npm i -g pnpm", ".", "/"),
        (f"FROM python:3.13 | COPY x.sh /usr/local/bin/ | {PIP}", "x.sh", "/usr/local/bin/x.sh"),
        (f"FROM python:3.13 | ENV PATH=/tools:$PATH | COPY x.sh /tools/ | {PIP}", "x.sh", "/tools"),
        (f"FROM python:3.13 | COPY x.sh /usr/src/x/ | {PIP}", "x.sh", "/usr/src/x/x.sh"),
        (f"FROM python:3.13 | COPY x.sh /opt/x/ | {PIP}", "x.sh", "/opt/x/x.sh"),
        (f"FROM golang:1.22 | COPY x.sh /go/src/x/ | {APT}", "x.sh", None),
        # a manifest names the file
        (
            "FROM python:3 | WORKDIR /a | COPY *.toml . | COPY l/ /l2/ | RUN uv sync --frozen --no-install-workspace",
            "l/",
            "manifest",
        ),
        (
            "FROM node:22 | WORKDIR /a | COPY package.json ./ | COPY turbo.json ./ | RUN pnpm fetch",
            "turbo.json",
            "turbo.json",
        ),
        # owner and existence of folders
        (
            f"FROM debian:12 | COPY a.md /app/a.md | USER 0:1000 | RUN mkdir -p /app/x | USER root | {APT}",
            "a.md",
            "/app",
        ),
        (f"FROM debian:12 | COPY src/ /app/ | WORKDIR /app/current | {APT}", "src/", "/app/current"),
    ],
)
def test_the_caveat_names_the_possible_use(text: str, source: str, word: str | None) -> None:
    found = caveats(text, source)
    if word is None:
        assert found is None
    else:
        assert found
        assert word in found


@pytest.mark.parametrize(
    ("text", "source"),
    [
        # the folder would get another owner
        (f"FROM debian:12 | COPY a.md /srv/x/a.md | USER 0:1000 | WORKDIR /srv/x/y | USER root | {APT}", "a.md"),
        (f"FROM debian:12 | COPY --chown=1000 a.md /app/a.md | WORKDIR /app | {APT}", "a.md"),
        # the home would get its skeleton and its owner
        ("FROM debian:12 | COPY a.md /home/app/a.md | RUN apt-get install -y x && useradd -m app", "a.md"),
        ("FROM debian:12 | COPY a/ /data/app/ | RUN apt-get install -y x && useradd -m -d /data/app app", "a/"),
        ("FROM debian:12 | COPY a.md /app/a.md | RUN apt-get install -y x && useradd -m -b / app", "a.md"),
        # lists that another list includes, which cannot be read
        (
            "FROM python:3.13 | WORKDIR /app | COPY requirements.txt base.txt ./ | RUN pip install -r requirements.txt",
            "base.txt",
        ),
        ("FROM python:3.13 | COPY r.txt /app/ | COPY limits/ /app/deps/ | RUN pip install -r /app/r.txt", "limits/"),
        # manifests of modules, which that of the project may name
        ("FROM maven:3 | WORKDIR /a | COPY pom.xml ./ | COPY b/pom.xml ./b/ | RUN mvn dependency:resolve", "b/pom.xml"),
        ("FROM conda/x | WORKDIR /a | COPY x.yml r.txt ./ | RUN conda env create -f x.yml", "r.txt"),
    ],
)
def test_a_copy_that_must_not_move(text: str, source: str) -> None:
    assert caveats(text, source) is None
