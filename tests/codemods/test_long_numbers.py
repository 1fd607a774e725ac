"""Numbers of thousands of digits, which Python refuses to read: no rule fails over them."""

from __future__ import annotations

from pathlib import Path

from dockfix.engine.session import run_paths
from dockfix.engine.settings import Settings
from dockfix.rule.registry import load_registry

N = "9" * 5_000
DOCKERFILE = f"""\
# syntax=docker/dockerfile:1.{N}
FROM python:3.{N}-slim AS a
RUN useradd -u {N} app && useradd -g {N} other && groupadd -g {N} x
RUN apt-get update && apt-get install -y postgresql-{N} curl && pip install foo=={N}.{N} && sleep {N}
RUN for i in $(seq {N}); do curl -f http://x:{N}/a && break; sleep {N}; done
RUN for i in $(seq 1 ²); do curl -f http://x/a && break; sleep 1; done
RUN for i in {{1..{N}}}; do wget http://x/a && break; sleep 1; done
RUN curl -LsSf https://astral.sh/uv/{N}.{N}.{N}/install.sh | sh
RUN python3.{N} - <<END
import x
END
USER {N}:{N}
EXPOSE {N}
COPY --chown={N} --from={N} a b
HEALTHCHECK CMD curl -f http://localhost:{N}/
FROM node:{N}
RUN npm install -g pnpm@{N} && npx turbo@1.{N} prune @a/b --docker && npm ci
FROM postgres:{N}
COPY {N}-x.sql /docker-entrypoint-initdb.d/
FROM alpine:3.{N}
RUN --mount=type=cache,target=/x,uid={N} apk add a={N} && adduser -u {N} -D app
"""
COMPOSE = f"""\
services:
  a:
    build: .
    user: "{N}:{N}"
    healthcheck: {{test: "curl http://localhost:{N}/x", interval: {N}, retries: {N}, timeout: {N}s}}
"""
BAKE = f'variable "L" {{ default = [1] }}\ntarget "a" {{ args = {{ A = {N}, B = "${{L.{N}}}", C = {N} * {N} }} }}\n'


def test_no_rule_fails(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "docker-bake.hcl": BAKE}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    registry = load_registry()
    settings = Settings(select=tuple(registry.names), unsafe=True)
    result = run_paths((tmp_path,), settings, root=tmp_path, registry=registry, write=False)
    assert [str(defect)[:200] for _, defect in result.defects] == []
    assert any(file.applied for file in result.files)
