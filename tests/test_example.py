"""The example project keeps the flaws of the audit at the lines that it names, and parses in BuildKit."""

import shlex
from pathlib import Path

import dockerfile
import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "audit"
# Each Dockerfile with its build context, as docker-compose.yaml has them.
CONTEXTS = {
    "api": ".",
    "web": ".",
    "worker": ".",
    "reranker": "docker/reranker",
    "neo4j": "docker/neo4j",
    "postgres": "docker/postgres",
    "base-ml": "docker/base-ml",
    "migrate": ".",
    "tools": ".",
    "status": "docker/status",
    "analytics": "docker/analytics",
}


def instructions(name: str) -> tuple[dockerfile.Command, ...]:
    parsed: tuple[dockerfile.Command, ...] = dockerfile.parse_file(str(EXAMPLE / "docker" / name / "Dockerfile"))
    return parsed


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_dockerfile_parses_in_buildkit(name: str) -> None:
    assert "FROM" in {command.cmd.upper() for command in instructions(name)}


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_copied_file_is_in_the_build_context(name: str) -> None:
    context = EXAMPLE / CONTEXTS[name]
    missing = [
        source
        for command in instructions(name)
        if command.cmd.upper() == "COPY" and not any(flag.startswith("--from=") for flag in command.flags)
        for source in command.value[:-1]
        if not (context / source).exists()
    ]
    assert missing == []


# Lines that the audit quotes.
@pytest.mark.parametrize(
    ("name", "line", "quotation"),
    [
        ("api", 14, "RUN apt-get update && apt-get install -y --no-install-recommends \\"),
        ("api", 31, "COPY pyproject.toml README.md ./"),
        ("api", 34, "RUN --mount=type=cache,target=/root/.cache/uv \\"),
        ("api", 37, '      "llama-index-core>=0.14.4,<1" \\'),
        ("api", 83, "RUN useradd -m -u 10001 llamacrawl"),
        ("api", 93, "COPY --from=packages --chown=llamacrawl:llamacrawl . ./packages"),
        ("web", 58, "RUN turbo prune @taboot/web --docker"),
        ("web", 81, "    for i in 1 2 3; do \\"),
        ("web", 101, "RUN apk update && apk upgrade && apk add --no-cache curl libc6-compat"),
        ("web", 107, "    adduser --system --uid 1001 nextjs"),
        ("web", 122, "ENV NODE_ENV=production"),
        ("worker", 6, "FROM taboot/python-ml:latest AS builder"),
        ("worker", 26, "RUN --mount=type=cache,target=/root/.cache/uv \\"),
        ("worker", 27, "    /opt/ml-venv/bin/pip install \\"),
        ("worker", 82, '    CMD pgrep -f "apps.worker.main" > /dev/null || exit 1'),
        ("reranker", 20, "RUN pip install --no-cache-dir pip==24.3.1"),
        ("reranker", 23, "RUN --mount=type=cache,target=/root/.cache/pip \\"),
        ("reranker", 30, 'RUN python -c "from sentence_transformers import SentenceTransformer; \\'),
        ("neo4j", 4, "RUN ln -sf /var/lib/neo4j/bin/cypher-shell /usr/local/bin/cypher-shell"),
        ("postgres", 15, "ARG POSTGRES_DB=taboot"),
        ("base-ml", 31, "WORKDIR /ml-deps"),
        ("base-ml", 38, '      "torch>=2.4.0,<3" \\'),
        ("base-ml", 56, "RUN apt-get purge -y --auto-remove build-essential git \\"),
    ],
)
def test_the_lines_that_the_audit_quotes_are_unchanged(name: str, line: int, quotation: str) -> None:
    lines = (EXAMPLE / "docker" / name / "Dockerfile").read_text(encoding="utf-8").split("\n")
    assert lines[line - 1] == quotation


def test_every_run_of_the_example_has_balanced_quotes() -> None:
    for name in CONTEXTS:
        for command in instructions(name):
            if command.cmd.upper() == "RUN" and not command.json:
                assert shlex.split(command.value[0])
