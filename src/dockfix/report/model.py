"""A report as plain values. The JSON document of a report has the same names; see `dockfix.report.documents`."""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct

from dockfix.rule.model import Severity
from dockfix.verify.model import VerifyResult

__all__ = [
    "IMPACTS", "Cell", "Change", "Comparison", "Counts", "Deduction", "Edge", "Effort", "FileReport", "Graph", "Impact",
    "Item", "Layer", "Node", "Overview", "Report", "Score", "SourceLine", "StageLayers", "Step", "Strength",
    "Trigger", "Unread",
]  # fmt: skip


class Impact(enum.StrEnum):
    """How much a finding matters: its severity."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Effort(enum.StrEnum):
    """What it takes to fix a finding."""

    COMMAND = "command"
    """A safe fix: one command, without review."""
    REVIEW = "review"
    """An unsafe fix: one command, then a review."""
    HAND = "hand"
    """A person must do it: dockfix has no fix, or refuses one."""


IMPACTS: Final = {Severity.ERROR: Impact.HIGH, Severity.WARNING: Impact.MEDIUM, Severity.INFO: Impact.LOW}


class SourceLine(Struct, frozen=True):
    """A line of a file; `marked` if the finding is in it."""

    number: int
    text: str
    marked: bool


class Item(Struct, frozen=True):
    """A finding.

    Args:
        id: names the finding in this report and in later ones: it does not depend on lines.
        path: the file, relative to the root, with `/`.
        line: its first line.
        also: the lines of further places with the same cause.
        kind: `safe fix`, `unsafe fix`, `not fixed` or `advice`.
        counts: whether it is something to do; a refusal of severity info only says why dockfix leaves it alone.
        help: what the fix does, or what to do about advice.
        review: what to check before an unsafe fix is applied.
        note: why it is not fixed.
        diff: the change, as a unified diff; empty if there is none.
        command: the command that makes the change.
        url: the page of the rule; empty for a rule of another pack.
    """

    id: str
    path: str
    line: int
    end_line: int
    also: tuple[int, ...]
    rule: str
    title: str
    category: str
    severity: str
    kind: str
    counts: bool
    message: str
    evidence: tuple[SourceLine, ...]
    help: str
    review: str
    note: str
    diff: str
    command: str
    url: str
    impact: Impact
    effort: Effort


class Deduction(Struct, frozen=True):
    """What one rule takes from the score of a file: once, for its worst finding."""

    rule: str
    severity: str
    findings: int
    points: int


class Score(Struct, frozen=True):
    """A score from 0 to 100: 100 less the `deductions`."""

    points: int
    deductions: tuple[Deduction, ...]


class Strength(Struct, frozen=True):
    """Something that a Dockerfile does well, and the lines that show it."""

    name: str
    text: str
    lines: tuple[int, ...]


class Trigger(enum.StrEnum):
    """What makes the build run a step again, the rarest first."""

    TEXT = "text"
    """A change of the instruction."""
    BASE = "base"
    """Another image under the name of the base image."""
    REMOTE = "remote"
    """A change of a file on the network."""
    ARGUMENT = "argument"
    """Another value of a build argument."""
    STAGE = "stage"
    """A change of files in another stage."""
    FILES = "files"
    """A change of some files of the project."""
    CONTEXT = "context"
    """A change of any file of a build context."""


class Layer(Struct, frozen=True):
    """A step of a stage.

    Args:
        line: its line.
        text: the instruction, on one line.
        filesystem: whether it writes a layer, and not only metadata.
        why: what makes the build run it again, besides a change of its text and of an earlier step.
        reruns: the most frequent reason for which it runs again, of its own or of an earlier step of its stage.
        because: the line of the step with that reason.
    """

    line: int
    text: str
    filesystem: bool
    why: tuple[str, ...]
    reruns: Trigger
    because: int


class StageLayers(Struct, frozen=True):
    """The steps of a stage; `final`: they are part of the image."""

    name: str
    final: bool
    layers: tuple[Layer, ...]


class Node(Struct, frozen=True):
    """A box of a graph. `kind` is `stage`, `final`, `unused`, `image`, `context`, `service`, or `build` for a service
    that is built."""

    id: str
    title: str
    lines: tuple[str, ...]
    kind: str


class Edge(Struct, frozen=True):
    """An arrow from one box to another that needs it. `kind` is `base`, `copy`, `mount` or `waits`; `label`
    says more, such as the condition of a service."""

    source: str
    target: str
    kind: str
    label: str = ""


class Graph(Struct, frozen=True):
    """Boxes and arrows, and the same in sentences for readers who cannot see them."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    sentences: tuple[str, ...]


class FileReport(Struct, frozen=True):
    """A file of the project.

    Args:
        path: relative to the root, with `/`.
        is_dockerfile: false for compose, bake, ignore and new files.
        builds: the services and targets that build it.
        score: None for a file that is not a Dockerfile, or could not be read.
        stages: None if there is no stage.
        diff: what `command` changes in this file.
        command: applies the fixes of `diff`; empty if there is none.
        problems: why it was not checked.
    """

    path: str
    is_dockerfile: bool
    builds: tuple[str, ...]
    score: Score | None
    strengths: tuple[Strength, ...]
    findings: tuple[Item, ...]
    stages: Graph | None
    layers: tuple[StageLayers, ...]
    diff: str
    command: str
    problems: tuple[str, ...]


class Counts(Struct, frozen=True):
    """How many findings of a severity there are to fix, and how; `left_alone` are those that need
    nothing: refusals of severity info."""

    severity: str
    findings: int
    safe: int
    unsafe: int
    refused: int
    advice: int
    left_alone: int


class Overview(Struct, frozen=True):
    """A table over all files, and what it shows. Each row has a cell for each of `headings`."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    observations: tuple[str, ...]


class Cell(Struct, frozen=True):
    """A cell of the matrix: the rules with their numbers of findings."""

    impact: Impact
    effort: Effort
    reason: str
    rules: tuple[tuple[str, int], ...]


class Step(Struct, frozen=True):
    """A step of the recommended order; `command` is empty if a person must do it."""

    text: str
    command: str
    findings: int
    reason: str


class Unread(Struct, frozen=True):
    """Input that could not be used, or not in full."""

    path: str
    line: int | None
    message: str


class Change(Struct, frozen=True):
    """A file whose score differs from that of an earlier report; None: it was not in that report, or not read."""

    path: str
    before: int | None
    now: int | None


class Comparison(Struct, frozen=True):
    """What has changed since an earlier report.

    Args:
        new: the ids of findings that the earlier report does not have.
        fixed: findings of the earlier report that are gone: rule, path and message.
        worse: the ids of findings whose severity is higher than it was.
        scores: the files whose scores differ.
        gone: Dockerfiles of the earlier report that are not in this one; what was found in them is not compared.
        added_rules: rules that did not run for the earlier report; their findings may be older than they look.
        removed_rules: rules that no longer run; their findings count as neither fixed nor new.
    """

    new: tuple[str, ...]
    fixed: tuple[tuple[str, str, str], ...]
    worse: tuple[str, ...]
    scores: tuple[Change, ...]
    gone: tuple[str, ...]
    added_rules: tuple[str, ...]
    removed_rules: tuple[str, ...]


class Report(Struct, frozen=True):
    """The audit of a project.

    Args:
        dockfix: the version of dockfix.
        rules: the names of the rules that ran.
        summary: the executive summary, a sentence each.
        key_findings: the ids of the findings of severity error and warning, the worst first.
        counts: a row for each severity.
        files: the files that were read or that have findings.
        overviews: tables over all files.
        services: the services of each compose file that builds something or has an order.
        matrix: the priority matrix, from high impact and low effort on.
        order: the recommended order.
        problems: input that could not be used.
        comparison: with an earlier report; None if there is none.
        measured: what builds have shown; None if nothing was built.
    """

    dockfix: str
    rules: tuple[str, ...]
    summary: tuple[str, ...]
    key_findings: tuple[str, ...]
    counts: tuple[Counts, ...]
    files: tuple[FileReport, ...]
    overviews: tuple[Overview, ...]
    services: tuple[Graph, ...]
    matrix: tuple[Cell, ...]
    order: tuple[Step, ...]
    problems: tuple[Unread, ...]
    comparison: Comparison | None = None
    measured: VerifyResult | None = None

    @property
    def findings(self) -> tuple[Item, ...]:
        """The findings of all files, in order."""
        return tuple(item for file in self.files for item in file.findings)
