"""cache-mount: what it finds of docker-clean before a RUN."""

from __future__ import annotations

from dockfix.facts.build import analyse
from dockfix.facts.mounts import caches_of
from dockfix.syntax.parser import parse
from dockfix.syntax.tree import Run
from dockfix_codemods.cache_mount.analysis import docker_clean_gone


def test_docker_clean_counts_as_gone_in_stages_that_follow() -> None:
    text = "FROM debian:12 AS a\nRUN {}\nFROM a\nRUN apt-get update && apt-get install -y curl\n"
    for command, gone in (("rm -f /etc/apt/apt.conf.d/docker-clean", True), ("true", False)):
        facts = analyse(parse(text.format(command)))
        stage = facts.graph.stages[-1]
        run = stage.instructions[-1]
        assert isinstance(run, Run)
        caches = caches_of(facts, run, stage)
        assert caches is not None
        assert docker_clean_gone(facts, caches) is gone
