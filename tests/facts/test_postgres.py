"""Which images run a PostgreSQL server, and which packages install libraries that it must preload."""

from __future__ import annotations

import pytest

from dockfix.facts.postgres import installed_libraries, server_image
from dockfix.project.target import target_from_text


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("postgres", "postgres"),
        ("postgres:16-alpine", "postgres"),
        ("docker.io/library/postgres:16@sha256:" + "1" * 64, "postgres"),
        ("public.ecr.aws/docker/library/postgres:16", "postgres"),
        ("postgres:${VERSION}", "postgres"),
        ("postgis/postgis:17-3.5", "postgis/postgis"),
        ("ghcr.io/corp/postgres:16", None),
        ("bitnami/postgresql:16", None),
        ("${BASE}", None),
        ("debian:12", None),
    ],
)
def test_server_images(reference: str, expected: str | None) -> None:
    target = target_from_text(f"ARG VERSION\nARG BASE\nFROM {reference}\n")
    assert server_image(target.facts.graph.stages[0]) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("postgresql-16-cron", ["pg_cron"]),
        ('"postgresql-${PG_MAJOR}-cron" postgresql-$PG_MAJOR-pgaudit=16.0-1.pgdg12+1', ["pg_cron", "pgaudit"]),
        ("timescaledb-2-postgresql-16 postgresql-16-cron", ["timescaledb", "pg_cron"]),
        ("timescaledb-$TS_MAJOR-postgresql-$PG_MAJOR", ["timescaledb"]),
        ("postgresql-16-citus-12.1", ["citus"]),
        ("postgresql-15-cron", []),
        ("cron postgresql-16-cron-doc postgresql-16-partman", []),
    ],
)
def test_installed_libraries(words: str, expected: list[str]) -> None:
    target = target_from_text(f"FROM postgres:16\nRUN apt-get update && apt-get install -y {words}\n")
    stage = target.facts.graph.stages[0]
    assert [each.library.name for each in installed_libraries(target.facts, stage, stage.instructions)] == expected
