"""The report as values: scores, strengths, layers, graphs, tables, priorities, comparison."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from dockfix.engine.settings import Settings
from dockfix.report.documents import read_report, report_json
from dockfix.report.findings import Selection
from dockfix.report.html import report_html
from dockfix.report.markdown import report_markdown
from dockfix.report.mermaid import graph_mermaid
from dockfix.report.model import Edge, Effort, Graph, Impact, Node, Trigger
from dockfix.report.pictures import MAX_NODES, graph_svg, layers_svg
from dockfix.report.priorities import order_of
from dockfix.report.scores import POINTS
from tests.report.projects import HOSTILE, PROJECT, only, report, write

WRITERS = (report_json, report_markdown, report_html)


def test_the_score_is_100_less_each_rule_once(tmp_path: Path) -> None:
    file = only(tmp_path, "FROM debian:12 as x\nMAINTAINER me\nRUN cd app\nRUN cd b\n")
    assert file.score is not None
    assert file.score.points == 100 - sum(each.points for each in file.score.deductions)
    rules = [each.rule for each in file.score.deductions]
    assert len(rules) == len(set(rules))
    for each in file.score.deductions:
        own = [item for item in file.findings if item.rule == each.rule and item.counts]
        assert each.findings == len(own)
        assert each.points == max(POINTS[item.severity] for item in own)


def test_a_score_is_never_below_zero_and_a_clean_file_has_100(tmp_path: Path) -> None:
    assert only(tmp_path, "FROM scratch\nCOPY a /a\n").score is not None
    clean = only(tmp_path, "FROM scratch\n")
    assert clean.score is not None
    assert (clean.score.points, clean.score.deductions, clean.findings) == (100, (), ())


def test_strengths_are_facts_with_their_lines(tmp_path: Path) -> None:
    file = report(write(tmp_path, PROJECT)).files[0]
    found = {each.name: each.lines for each in file.strengths}
    assert found == {
        "multi-stage build": (12,),
        "non-root user": (13,),
        "pinned base images": (1, 8),
        "health check": (14,),
        "exec form": (15,),
        "dependencies before sources": (4,),
        "owners set when copying": (12,),
        "package lists": (9,),
    }


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("FROM debian:12\nUSER app\nUSER root\n", "non-root user"),
        ("FROM debian:12\nUSER $WHO\n", "non-root user"),
        ("FROM debian:12\n", "pinned base images"),
        ("FROM debian:12\nHEALTHCHECK NONE\n", "health check"),
        ("FROM debian:12\nCMD echo\n", "exec form"),
        ('FROM debian:12\nCMD ["sh", "-c", "echo"]\n', "exec form"),
        ('FROM debian:12\nENTRYPOINT echo\nCMD ["a"]\n', "exec form"),
        ("FROM node:22\nCOPY . .\nRUN npm ci\n", "dependencies before sources"),
        ("FROM node:22\nCOPY src ./src\nRUN npm ci\nCOPY . .\n", "dependencies before sources"),
        ("FROM node:22\nRUN npm install\n", "lock file"),
        ("FROM debian:12\nRUN apt-get update && apt-get install -y curl\n", "package lists"),
        ("FROM debian:12 AS a\nFROM debian:12\nCOPY --from=busybox /bin/sh /x\n", "multi-stage build"),
    ],
)
def test_what_is_not_so_is_no_strength(tmp_path: Path, text: str, strength: str) -> None:
    write(tmp_path, {"src/a.js": "", "package.json": "{}"})
    assert strength not in {each.name for each in only(tmp_path, text).strengths}


def test_layers_say_what_makes_a_step_run_again(tmp_path: Path) -> None:
    build, final = report(write(tmp_path, PROJECT)).files[0].layers
    assert (build.name, build.final, final.name, final.final) == ("build", False, "stage 1", True)
    assert [(each.line, each.reruns, each.because) for each in build.layers] == [
        (1, Trigger.TEXT, 1),
        (2, Trigger.TEXT, 1),
        (3, Trigger.FILES, 3),
        (4, Trigger.FILES, 3),
        (5, Trigger.CONTEXT, 5),
        (6, Trigger.CONTEXT, 5),
    ]
    assert build.layers[2].why == ("a change of `go.mod` or `go.sum`",)
    copy = next(each for each in final.layers if each.line == 12)
    assert (copy.reruns, copy.filesystem) == (Trigger.STAGE, True)
    assert copy.why == ("a change of the files that it takes from the stage `build`",)


def test_every_argument_in_effect_reruns_a_run(tmp_path: Path) -> None:
    text = (
        "ARG BASE=debian\nFROM $BASE\nARG A\nRUN true\nENV B=$A\nADD https://example.org/x /x\n"
        "RUN --mount=type=bind,target=/s true\n"
    )
    (stage,) = only(tmp_path, text).layers
    assert {each.line: each.why for each in stage.layers} == {
        2: ("another value of `BASE`", "another image under the name of the base image"),
        3: (),
        4: ("another value of `A`",),
        5: ("another value of `A`",),
        6: ("a change of `https://example.org/x`",),
        7: ("a change of any file of the build context", "another value of `A`"),
    }


def test_stages_and_services_are_graphs_with_sentences(tmp_path: Path) -> None:
    made = report(write(tmp_path, PROJECT))
    stages = made.files[0].stages
    assert stages is not None
    assert stages.sentences[1].startswith(
        "stage 1 (the image): starts from `debian:12@sha256:22222222…`; copies from `build`"
    )
    assert {(each.source, each.target, each.kind) for each in stages.edges} >= {("stage:0", "stage:1", "copy")}
    (services,) = made.services
    assert services.title == "compose.yaml"
    assert services.sentences == (
        "web: is built from `Dockerfile`; waits for `db` (healthy)",
        "db: runs `postgres:16`; waits for `init` (started)",
        "init: runs `busybox:1.36`",
    )
    start = next(each for each in made.overviews if each.title == "Start-up order")
    assert start.observations == ("the longest start-up chain in compose.yaml has 3 services: init → db → web",)


def test_services_that_wait_for_each_other_are_drawn_all_the_same(tmp_path: Path) -> None:
    services = "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n"
    made = report(write(tmp_path, {"Dockerfile": "FROM scratch\n", "compose.yaml": services}))
    assert "<svg" in graph_svg(made.services[0], "s")
    assert not any("longest" in said for each in made.overviews for said in each.observations)


def test_long_chains_of_services_need_no_deep_stack(tmp_path: Path) -> None:
    lines = "".join(f"  s{number}: {{image: x, depends_on: [s{number + 1}]}}\n" for number in range(3000))
    services = f"services:\n{lines}  s3000: {{image: x}}\n"
    made = report(write(tmp_path, {"Dockerfile": "FROM scratch\n", "compose.yaml": services}))
    assert any("has 3001 services" in said for each in made.overviews for said in each.observations)
    assert graph_svg(made.services[0], "s") == ""


def test_the_order_begins_with_what_is_safe(tmp_path: Path) -> None:
    text = "FROM debian:12\nMAINTAINER me\nRUN apt-get install curl\nRUN cd /app && apt update | cat\n"
    made = report(write(tmp_path, {"Dockerfile": text}))
    assert made.order[0].command == "dockfix apply Dockerfile"
    assert made.order[0].findings == sum(item.effort is Effort.COMMAND for item in made.findings if item.counts)
    assert sum(each.findings for each in made.order) == sum(item.counts for item in made.findings)
    assert [(cell.impact, cell.effort) for cell in made.matrix] == [(i, e) for i in Impact for e in Effort]
    assert sum(number for cell in made.matrix for _, number in cell.rules) == sum(each.findings for each in made.order)


def test_a_rule_is_one_step_whatever_its_severities(tmp_path: Path) -> None:
    """Its command makes all of its fixes, so the step counts all of them."""
    made = report(write(tmp_path, {"Dockerfile": "FROM python:3.12\nRUN pip install a\n"}))
    first = next(item for item in made.findings if item.effort is Effort.REVIEW)
    other = replace(first, path="b/Dockerfile", impact=Impact.HIGH, command=f"{first.command} b/Dockerfile")
    (step,) = order_of((first, other), Selection())
    assert (step.findings, step.command) == (2, f"dockfix apply --rule {first.rule} --unsafe")
    assert step.reason.startswith("impact high; ")


def test_a_step_counts_the_findings_with_another_review(tmp_path: Path) -> None:
    """A review may have several points, so the number of other reviews is not that of other points."""
    made = report(write(tmp_path, {"Dockerfile": "FROM python:3.12\nRUN pip install a\n"}))
    first = next(item for item in made.findings if item.effort is Effort.REVIEW)
    one, other = replace(first, review="a; b"), replace(first, review="b; c; d", path="b/Dockerfile")
    (step,) = order_of((one, other, replace(other, path="c/Dockerfile")), Selection())
    assert step.reason.endswith("review: a; b (2 findings have another review)")
    (step,) = order_of((one, one), Selection())
    assert step.reason.endswith("review: a; b")


def test_the_average_score_is_not_rounded_to_a_whole_number(tmp_path: Path) -> None:
    """Two scores of 90 and 91 are 90.5 on average, not 90."""
    worse, better = "FROM debian:12\nMAINTAINER me\n", "FROM debian:12\nRUN true\n"
    made = report(write(tmp_path, {"a/Dockerfile": worse, "b/Dockerfile": better}))
    scores = [file.score.points for file in made.files if file.score is not None]
    assert sum(scores) % 2, "the average has a fraction"
    assert made.summary[1].startswith(f"The average score is {sum(scores) / 2} of 100; ")
    whole = report(write(tmp_path / "whole", {"a/Dockerfile": better}))
    assert "." not in whole.summary[1].partition(" of 100")[0]


def test_a_stage_that_a_target_builds_is_an_image_too(tmp_path: Path) -> None:
    bake = """target "app" { target = "app" }
target "base" { target = "base" }
"""
    text = "FROM debian:12 AS base\nFROM base AS tools\nFROM base AS app\nCOPY --from=tools /a /a\n"
    (file,) = report(write(tmp_path, {"Dockerfile": text, "docker-bake.hcl": bake})).files
    assert file.builds == ("target app (docker-bake.hcl:1, stage app)", "target base (docker-bake.hcl:2, stage base)")
    assert file.stages is not None
    assert [each.partition(":")[0] for each in file.stages.sentences] == [
        "base (also built as an image)",
        "tools",
        "app (the image)",
    ]


def test_who_sets_the_user_of_an_image(tmp_path: Path) -> None:
    files = {f"{number}/Dockerfile": "FROM debian:12\nRUN true\n" for number in range(7)}
    made = report(write(tmp_path, {**files, "s/Dockerfile": 'FROM scratch AS a\nCOPY a /a\nFROM a\nCMD ["/a"]\n'}))
    users = next(each for each in made.overviews if each.title == "Users")
    assert {row[0]: row[-1] for row in users.rows} == {
        **dict.fromkeys(files, "the base image"),
        "s/Dockerfile": "nothing",
    }
    assert users.observations[0].startswith("the user of 8 images is root: 0/Dockerfile, ")
    assert users.observations[0].endswith(", 4/Dockerfile and 3 more")


def test_commands_quote_hostile_names(tmp_path: Path) -> None:
    made = report(write(tmp_path, {"a b/$(x)/Dockerfile": "FROM scratch\nMAINTAINER me\n"}))
    assert made.files[0].findings[0].command.endswith("'a b/$(x)/Dockerfile'")


def test_a_comparison_says_what_is_new_fixed_and_worse(tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": "FROM scratch\nMAINTAINER me\n", "b/Dockerfile": "FROM scratch\n"})
    earlier = tmp_path / "earlier.json"
    earlier.write_text(report_json(report(tmp_path)), encoding="utf-8")
    # a line more above, so that line numbers cannot be what is compared
    write(tmp_path, {"Dockerfile": "# x\nFROM scratch\nMAINTAINER me\nENV a b\n"})
    (tmp_path / "b/Dockerfile").unlink()
    found = report(tmp_path, earlier=read_report(earlier)).comparison
    assert found is not None
    by_id = {item.id: item for item in report(tmp_path).findings}
    assert [by_id[name].rule for name in found.new] == ["key-value-format"]
    assert (found.fixed, found.worse, found.gone) == ((), (), ("b/Dockerfile",))
    assert [(each.path, each.before, each.now) for each in found.scores] == [("Dockerfile", 99, 98)]
    write(tmp_path, {"Dockerfile": "FROM scratch\n"})
    found = report(tmp_path, earlier=read_report(earlier)).comparison
    assert found is not None
    assert [each[:2] for each in found.fixed] == [("maintainer-label", "Dockerfile")]


def test_rules_that_did_not_run_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": "FROM scratch\nMAINTAINER me\n"})
    earlier = tmp_path / "earlier.json"
    earlier.write_text(report_json(report(tmp_path, Settings(select=("apk-cache",)))), encoding="utf-8")
    found = report(tmp_path, Settings(select=("maintainer-label",)), earlier=read_report(earlier)).comparison
    assert found is not None
    assert (found.added_rules, found.removed_rules) == (("maintainer-label",), ("apk-cache",))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", "[" * 100_000, '{"version": 1, "rules": [], "files": []}',
        '{"version": 3, "rules": [1], "files": []}', '{"version": 3, "rules": [], "files": [1]}',
        '{"version": 3, "rules": [], "files": [{"path": "a", "score": 1, "findings": []}]}',
        '{"version": 3, "rules": [], "files": [{"path": "a", "score": null, "findings": [{"id": "x"}]}]}',
        "\udcff",
    ],
)  # fmt: skip
def test_other_documents_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "earlier.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"not a document|invalid JSON"):
        read_report(path)


def test_the_same_input_gives_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one", PROJECT), write(tmp_path / "other", PROJECT)
    for writer in WRITERS:
        assert writer(report(one)) == writer(report(other))
        assert str(tmp_path) not in writer(report(one))


def test_a_project_without_dockerfiles_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    empty = report(write(tmp_path / "empty", {"a": ""}))
    broken = report(write(tmp_path / "broken", {"Dockerfile": "FROM a\nNONSENSE\n", "b.Dockerfile": "FROM scratch\n"}))
    assert empty.summary == ("No Dockerfile was found",)
    assert "1 Dockerfile could not be read" in broken.summary
    assert broken.files[0].problems == ("line 2: unknown instruction: NONSENSE",)
    assert broken.files[0].score is None
    for writer in WRITERS:
        assert writer(empty)
        assert "NONSENSE" in writer(broken)
    (tmp_path / "broken" / "b.Dockerfile").unlink()
    unread = report(tmp_path / "broken")
    assert unread.summary == ("1 Dockerfile could not be read", "Nothing was found in what could be read")


def test_a_compose_file_without_dockerfiles_is_named_by_its_path(tmp_path: Path) -> None:
    services = "services:\n  a:\n    image: x\n    depends_on: [b]\n  b: {image: y}\n"
    made = report(write(tmp_path, {"deploy/compose.yaml": services}))
    (start,) = [each for each in made.overviews if each.title == "Start-up order"]
    assert start.rows == (("a", "b", "started", "deploy/compose.yaml:4"),)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text = f"FROM debian:12\nMAINTAINER {HOSTILE}\nRUN cd /x && echo {HOSTILE}\nENV a {HOSTILE}\nCMD echo {HOSTILE}\n"
    name = "<b>x</b>&`@y`.Dockerfile"
    services = f"services:\n  web:\n    build: .\n    healthcheck: {{test: {json.dumps(HOSTILE)}}}\n"
    made = report(write(tmp_path, {"Dockerfile": text, name: text, "compose.yaml": services}))
    made = replace(made, summary=(*made.summary, HOSTILE))
    page, markdown, document = report_html(made), report_markdown(made), report_json(made)
    for output in (page, markdown, document):
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>x" not in page
    assert "49" not in [each.strip() for each in page.splitlines()]
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    assert "&lt;script&gt;alert(1)" in rendered
    assert not re.search(r"<(script|img|a|b)\b", rendered)
    assert json.loads(document)["summary"][-1] == HOSTILE


def test_markdown_has_the_lines_the_diff_and_the_command_of_each_finding(tmp_path: Path) -> None:
    made = report(write(tmp_path, {"Dockerfile": "FROM debian:12\nMAINTAINER me\nRUN cd /x && apt-get update\n"}))
    tokens = MarkdownIt("commonmark").parse(report_markdown(made))
    blocks = [each.content for each in tokens if each.type == "fence"]
    assert len(made.findings) >= 3
    for item in made.findings:
        assert any(f"> {line.number:4}  {line.text}\n" in block for line in item.evidence for block in blocks)
        assert not item.diff or item.diff in blocks
        assert f"`{item.command}`" in report_markdown(made)


def test_pictures_in_markdown(tmp_path: Path) -> None:
    markdown = report_markdown(report(write(tmp_path, PROJECT)))
    stages, services = re.findall(r"^```mermaid\n(.*?)^```$", markdown, re.M | re.S)
    assert stages == (
        "flowchart LR\n"
        '  n0["golang:1.23@sha256:11111111#8230;"]:::image\n'
        '  n1["build<br/>line 1#44; 5 steps"]\n'
        '  n2["debian:12@sha256:22222222#8230;"]:::image\n'
        '  n3["stage 1<br/>line 8#44; 6 steps"]:::final\n'
        "  n0 ==> n1\n"
        "  n2 ==> n3\n"
        '  n1 -->|"copy"| n3\n'
        "  classDef final stroke-width:4px\n"
        "  classDef image stroke-dasharray:5 3\n"
    )
    assert '  n2["init<br/>busybox:1.36"]:::service\n' in services
    assert '  n1 -->|"healthy"| n0\n' in services
    assert (
        "| 6 | `RUN go build -o /app .` | 🟥 any file of a context (line 5) | only a change of its text |" in markdown
    )


_TEXT = r"(?:[A-Za-z0-9 ./:+@-]|#[0-9]+;)*"
_MERMAID = re.compile(
    rf'flowchart LR|  n\d+\["{_TEXT}(?:<br/>{_TEXT})*"\](?::::[a-z]+)?|  n\d+ (?:==>|-->|-\.->)(?:\|"{_TEXT}"\|)? n\d+'
    r"|  classDef [a-z]+ [a-z0-9: -]+"
)


@pytest.mark.parametrize(
    "name",
    [
        HOSTILE, 'x"]; click n0 href "javascript:alert(1)', "```", "`**x**`", "%%{init: {}}%%", "style a:b#c;",
        "#quot;", "a\nb", "fa:fa-car", "- x", "1) x", "$$x$$", "\u2028", "end",
    ],
)  # fmt: skip
def test_names_stay_names_in_mermaid(name: str) -> None:
    """Nothing but letters, digits, a few signs and character codes is between the quotes."""
    nodes = (Node("a", name, (name,), "image"), Node("b", name, (), "stage"))
    lines = list(graph_mermaid(Graph(name, nodes, (Edge("a", "b", "copy", name), Edge("b", "a", "mount")), ())))
    assert [line for line in lines if not _MERMAID.fullmatch(line)] == []
    assert len(lines) == 6
    assert not re.search(r"(?:style|classDef) .*:\S*#|:fa-|[\"| ]- ", lines[1] + lines[3])


def test_a_picture_has_the_limits_that_readers_have(tmp_path: Path) -> None:
    stages = "".join(f"FROM scratch AS s{number}\nCOPY a /a\n" for number in range(MAX_NODES))
    file = only(tmp_path, stages + "FROM scratch\n" + "RUN true\n" * 100)
    assert file.stages is not None
    assert graph_svg(file.stages, "s") == ""
    assert list(graph_mermaid(file.stages)) == []
    assert "and 61 more steps" in layers_svg(file.layers[0], "x")


def test_pictures_are_xml_with_the_texts_escaped(tmp_path: Path) -> None:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - our own output

    file = only(tmp_path, 'FROM a<b AS x\nFROM scratch\nCOPY --from=x /<script> /y\nCMD ["<&>"]\n')
    assert file.stages is not None
    for picture in (graph_svg(file.stages, "s"), layers_svg(file.layers[-1], '"<x>&')):
        assert ET.fromstring(picture).tag == "svg"  # noqa: S314 - our own output


def test_a_service_without_an_image_and_a_build_is_not_said_to_wait_for_nothing(tmp_path: Path) -> None:
    override = (
        "services:\n"
        "  cron: {image: x, depends_on: [worker, job]}\n"
        "  worker: {labels: {a: b}, profiles: [p]}\n"
        "  job: {build: {dockerfile_inline: FROM scratch}}\n"
        "  other: {build: 'https://github.com/a/b.git'}\n"
    )
    (services,) = report(write(tmp_path, {"Dockerfile": "FROM scratch\n", "compose.extra.yaml": override})).services
    assert services.sentences == (
        "cron: runs `x`; waits for `worker` (started); waits for `job` (started)",
        "worker: has neither an image nor a build in this file",
        "job: is built from a Dockerfile in this file",
        "other: is built",
    )


def test_a_base_image_depends_on_each_argument_in_its_name(tmp_path: Path) -> None:
    files = {
        "Dockerfile": (
            "ARG TAG=12\nARG NAME=debian\nARG TARGETPLATFORM\nFROM --platform=$TARGETPLATFORM $NAME:$TAG$NO\n"
        ),
        "compose.yaml": "services: {a: {build: {context: ., args: {TAG: '13'}}}}\n",
    }
    (stage,) = report(write(tmp_path, files)).files[0].layers
    assert stage.layers[0].why[0] == "another value of `NAME` or `TAG`"


def test_health_checks_show_no_password(tmp_path: Path) -> None:
    files = {
        "Dockerfile": (
            'FROM debian:12\nENV REDIS_PASSWORD=s3cretone\nHEALTHCHECK CMD ["redis-cli", "-a", "s3cretone"]\n'
        ),
        "compose.yaml": (
            "services:\n"
            "  app: {build: ., environment: {REDIS_PASSWORD: s3cretone}}\n"
            "  db:\n"
            "    image: postgres\n"
            "    environment: {POSTGRES_PASSWORD: postgres, REDIS_AUTH: an0ther-one}\n"
            "    healthcheck: {test: [CMD-SHELL, pg_isready -U postgres || redis-cli -a an0ther-one]}\n"
        ),
    }
    made = report(write(tmp_path, files))
    health = next(each for each in made.overviews if each.title == "Health checks")
    assert [row[2] for row in health.rows] == [
        'CMD ["redis-cli", "-a", "${REDIS_PASSWORD}"]',
        "CMD-SHELL pg_isready -U postgres || redis-cli -a ${REDIS_AUTH}",
    ]


def test_variants_of_one_version_are_tags(tmp_path: Path) -> None:
    made = report(
        write(tmp_path, {"Dockerfile": "FROM python:3.14-alpine AS a\nFROM python:3.14-slim\nCOPY --from=a /a /\n"})
    )
    images = next(each for each in made.overviews if each.title == "Base images")
    assert images.observations[-1] == "`python` is used with 2 tags: `3.14-alpine`, `3.14-slim`"


def test_a_command_says_what_else_it_changes(tmp_path: Path) -> None:
    stages = (
        "FROM python:3.13 AS a\nRUN pip install httpx\nFROM python:3.13\nCOPY --from=a /a /a\nRUN pip install flask\n"
    )
    made = report(write(tmp_path, {"Dockerfile": f"# syntax=docker/dockerfile:1\n{stages}MAINTAINER me\n"}))
    markdown = report_markdown(made)
    assert [each.kind for each in made.files[0].findings if each.rule == "cache-mount"] == ["safe fix", "safe fix"]
    command = "`dockfix apply --rule cache-mount Dockerfile`"
    assert markdown.count(f"{command} makes this change, and 1 other change of the rule in this file:\n") == 2
    assert "`dockfix apply --rule maintainer-label Dockerfile`:\n" in markdown
    assert "and 1 other change of the rule in this file:" in report_html(made)
    more = "applies its rule until there is nothing more to fix, so it may change more than the finding's diff."
    assert more in markdown
    assert more in report_html(made)


def test_what_several_compose_files_include_is_listed_once(tmp_path: Path) -> None:
    base = (
        "services:\n"
        "  app: {image: x, depends_on: [db]}\n"
        "  db:\n"
        "    image: y\n"
        "    environment: {ONE_PASSWORD: infini_flow, TWO_PASSWORD: infini_flow}\n"
        "    healthcheck: {test: 'ping -p ${TWO_PASSWORD:-infini_flow}'}\n"
    )
    include = "include: [./base.yml]\nservices: {%s: {image: z}}\n"
    files = {"base.yml": base, "compose.a.yaml": include % "a", "compose.b.yaml": include % "b"}
    made = report(write(tmp_path, {"Dockerfile": "FROM scratch\n", **files}))
    health, start = (next(each for each in made.overviews if each.title == title) for title in _TABLES)
    assert health.rows == (("base.yml:6", "service db", "ping -p ${TWO_PASSWORD:-***}"),)
    assert start.rows == (("app", "db", "started", "base.yml:2"),)


_TABLES = ("Health checks", "Start-up order")
