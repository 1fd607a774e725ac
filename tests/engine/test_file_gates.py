"""What the gates say of work on files that are no Dockerfiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.engine.file_gates import check_other_file, effect_of
from dockfix.rule.model import Effect


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("compose.yaml", Effect.COMPOSE),
        ("docker-bake.hcl", Effect.BAKE),
        ("docker-bake.json", Effect.BAKE),
        (".dockerignore", Effect.IGNORE),
        ("api.dockerignore", Effect.IGNORE),
    ],
)
def test_what_must_be_declared(name: str, effect: Effect) -> None:
    assert effect_of(Path(name)) is effect


@pytest.mark.parametrize(
    ("name", "before", "after", "complaint"),
    [
        ("c.yaml", "a: 1 # x\n", "a: 2 # x\n", ""),
        ("c.yaml", "a: 1\n", "a: 1\nb: 2\n", ""),
        ("c.yaml", "build: .\n", "build:\n  context: .\n  target: x\n", ""),
        ("c.yaml", "a: 1\nb: 2\n", "a: 1\n", "b was lost"),
        ("c.yaml", "a: [1, 2]\n", "a: [1]\n", "a.1 was lost"),
        ("c.yaml", "a: 1 # x\n", "a: 1\n", "comment of the file was lost: # x"),
        ("c.yaml", "b: {args: {X: 1}}\n", "b: {secrets: [X]}\n", ""),
        ("c.yaml", "b: {args: [X=1], secrets: [X]}\n", "b: {secrets: [X]}\n", ""),
        ("c.yaml", "b: {args: {X: 1}}\n", "b: {secrets: [Y]}\n", "b.args.X was lost"),
        ("c.yaml", "b: {args: {X: 1}}\n", "c: {secrets: [X]}\n", "b.args.X was lost"),
        ("c.yaml", "a: 1\n", "a: [\n", "the result is invalid YAML"),
        ("b.hcl", 'target "a" {}\n', 'target "a" {\n  args = { x = "y" }\n}\n', ""),
        ("b.hcl", 'target "a" {\n  target = "x"\n}\n', 'target "a" {}\n', "was lost"),
        ("b.hcl", 'target "a" {} # x\n', 'target "a" {}\n', "a comment was changed"),
        ("b.hcl", 'target "a" {}\n', 'target "a" {\n', "the result cannot be read"),
        ("b.json", '{"target": {"a": {}}}', '{"target": {"a": {"target": "x"}}}', ""),
        ("b.json", '{"target": {"a": {"target": "x"}}}', '{"target": {"a": {}}}', "was lost"),
        (".dockerignore", "a   # why\n", "# why\na\n", ""),
        (".dockerignore", "a   # why\n", "a\n", "comment of .dockerignore was lost: why"),
    ],
)
def test_complaints(name: str, before: str, after: str, complaint: str) -> None:
    complaints = check_other_file(Path(name), before, after)
    assert len(complaints) == (1 if complaint else 0), complaints
    assert complaint in "".join(complaints)
