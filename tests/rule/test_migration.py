"""A configuration of hadolint as one of dockfix: what is taken over, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockfix.engine.configure import settings_of
from dockfix.project.config import read_config
from dockfix.project.hadolint_config import read_hadolint_config
from dockfix.rule.migration import Migration, migrated
from dockfix.rule.model import Codemod, Preset
from dockfix.rule.registry import Registry
from tests.rule.samples import codemod


@dataclass(frozen=True)
class RegistriesOptions:
    """Options of `allowed-registries`.

    Args:
        registries: the registries.
    """

    registries: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelsOptions:
    """Options of `label-schema`.

    Args:
        labels: the labels and their types.
        strict: whether other labels are findings.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False


def rule(name: str, *codes: str, preset: Preset = Preset.RECOMMENDED) -> Codemod:
    return replace(codemod(lambda _: iter(()), name), hadolint=frozenset(codes), preset=preset)


REGISTRY = Registry(
    (
        rule("image-tag", "DL3006", "DL3007"),
        rule("version-pin", "DL3008", "DL3013", preset=Preset.STRICT),
        rule("run-merge", "DL3059", preset=Preset.ALL),
        rule("sudo", "DL3004"),
        rule("sudo-too", "DL3004"),
        replace(rule("allowed-registries", "DL3026", preset=Preset.ALL), options=RegistriesOptions, needs_options=True),
        replace(rule("label-schema", "DL3049"), options=LabelsOptions, needs_options=True),
    )
)


def migrate(tmp_path: Path, text: str, registry: Registry = REGISTRY) -> tuple[Migration, list[str]]:
    """The migration of a file, whose result dockfix accepts, and its notes."""
    path = tmp_path / ".hadolint.yaml"
    path.write_text(text)
    found = migrated(read_hadolint_config(path), registry)
    for name, header in (("dockfix.toml", ()), ("pyproject.toml", ("tool", "dockfix"))):
        (tmp_path / name).write_text(found.text(*header))
        if found.config:
            settings_of(read_config(tmp_path / name), registry)
        (tmp_path / name).unlink()
    return found, [f"{note.line}: {note.message}" for note in found.notes]


OFF = "None: these rules do not run by default; `extend-select` turns them on: "


def test_codes(tmp_path: Path) -> None:
    found, notes = migrate(
        tmp_path, "ignored: [DL3004, DL3059, DL3007]\noverride:\n  warning: [DL3006, DL3004]\n  error: [DL3008]\n"
    )
    assert found.config == {
        "extend-select": ["DL3008"],
        "ignore": ["DL3004", "DL3059", "DL3007"],
        "severity": {"DL3008": "error", "DL3006": "warning"},
    }
    assert notes == ["1: ignored: DL3007 ignores image-tag, which also answers DL3006"]
    assert found.text() == (
        'extend-select = ["DL3008"]\n'.replace('["DL3008"]', '[\n    "DL3008",  # version-pin\n]')
        + 'ignore = [\n    "DL3004",  # sudo, sudo-too\n    "DL3059",  # run-merge\n    "DL3007",  # image-tag\n]\n'
        '\n[severity]\nDL3008 = "error"  # version-pin\nDL3006 = "warning"  # image-tag\n'
    )


def test_rules_that_do_not_run_by_default_are_named(tmp_path: Path) -> None:
    found, notes = migrate(tmp_path, "ignored: [DL3004]\n")
    assert found.config == {"ignore": ["DL3004"]}
    assert notes == [f"{OFF}version-pin (DL3008, DL3013), run-merge (DL3059)"]


def test_one_rule_has_one_severity(tmp_path: Path) -> None:
    text = "ignored: [DL3059, DL3008]\noverride:\n  info: [DL3006]\n  style: [DL3004]\n  error: [DL3007]\n"
    found, notes = migrate(tmp_path, text)
    assert found.config["severity"] == {"DL3007": "error", "DL3006": "info", "DL3004": "info"}
    assert notes[1:] == [
        "3: override: DL3006 is answered by image-tag, which gets the severity error",
        "4: dockfix has no severity `style`; `info` is used",
    ]
    (tmp_path / "dockfix.toml").write_text(found.text())
    policy = settings_of(read_config(tmp_path / "dockfix.toml"), REGISTRY).policy
    assert policy.severity == {"image-tag": "error", "sudo": "info", "sudo-too": "info"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SC2086", "1: ignored: SC2086: a code of ShellCheck, which the rule `shellcheck` shows; nothing to do"),
        (
            "SC2086, SC1091",
            "1: ignored: SC2086, SC1091: codes of ShellCheck, which the rule `shellcheck` shows; nothing to do",
        ),
        ("DL3005", "1: ignored: hadolint has no code 'DL3005'; left out"),
        ("nonsense", "1: ignored: hadolint has no code 'nonsense'; left out"),
        ("DL4006", "1: ignored: no installed rule answers DL4006"),
    ],
)
def test_codes_without_a_rule(tmp_path: Path, code: str, message: str) -> None:
    found, notes = migrate(tmp_path, f"ignored: [{code}]\n")
    assert found.config == {}
    assert found.text() == ""
    assert notes[1:] == [message]
    assert migrate(tmp_path, "ignored: [DL1000]\n")[1][1].startswith("1: ignored: no rule answers DL1000: ")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_comments_next_to_codes_are_kept(tmp_path: Path, newline: str) -> None:
    text = (
        "ignored:\n  - DL3004 # sudo is the point of this image\n  # a line\n  - 'DL3059'\n  - DL4006\n"
        "override: # levels\n  error:\n    - DL3004\n    - DL3006   #we care\n    - DL4000 # nobody\n"
    )
    found, notes = migrate(tmp_path, text.replace("\n", newline))
    assert found.comments == {
        "DL3004": "sudo, sudo-too: sudo is the point of this image",
        "DL3059": "run-merge",
        "DL3006": "image-tag: we care",
    }
    assert notes[1:] == [
        "5: ignored: no installed rule answers DL4006",
        "10: override.error: no installed rule answers DL4000",
    ]


@pytest.mark.parametrize(
    ("text", "level", "notes"),
    [
        ("failure-threshold: error\n", "error", 0),
        ("failure-threshold: warning\n", "warning", 0),
        ("failure-threshold: info\n", "info", 0),
        ("failure-threshold: style\n", "info", 1),
        ("failure-threshold: ignore\n", "info", 1),
        ("failure-threshold: none\n", "info", 1),  # every finding fails: not what `none` means in dockfix
        ("failure-threshold: error\nno-fail: true\n", "none", 1),
        ("no-fail: false\n", None, 0),
    ],
)
def test_failing(tmp_path: Path, text: str, level: str | None, notes: int) -> None:
    found, said = migrate(tmp_path, text)
    assert found.config.get("fail-level") == level
    assert len(said) - 1 == notes


def test_options_of_rules(tmp_path: Path) -> None:
    text = 'trustedRegistries: [docker.io, "*.x.org"]\nlabel-schema: {a.b: url, c: ""}\nstrict-labels: true\n'
    found, notes = migrate(tmp_path, text)
    assert found.config == {
        "extend-select": ["allowed-registries"],
        "rules": {
            "allowed-registries": {"registries": ["docker.io", "*.x.org"]},
            "label-schema": {"labels": {"a.b": "url", "c": "text"}, "strict": True},
        },
    }
    assert len(notes) == 1
    assert '[rules.label-schema.labels]\n"a.b" = "url"\nc = "text"\n' in found.text()
    assert "[tool.dockfix.rules.allowed-registries]\nregistries = " in found.text("tool", "dockfix")
    _, notes = migrate(tmp_path, "strict-labels: true\n")
    assert notes[1:] == ["1: strict-labels: has no effect without label-schema; left out"]
    found, notes = migrate(tmp_path, text, Registry(REGISTRY.codemods[:1]))
    assert found.config == {}
    assert [note.partition(":")[0] for note in notes] == ["1", "2", "3"]
    assert all("no installed rule has an option for it" in note for note in notes)


def test_keys_of_the_command_line(tmp_path: Path) -> None:
    text = "format: gnu\nno-color: true\nverbose: true\ndisable-ignore-pragma: true\n"
    found, notes = migrate(tmp_path, text, Registry(()))
    assert found.config == {}
    assert [note.partition(": ")[2].partition(":")[0] for note in notes] == [
        "format", "no-color", "verbose", "disable-ignore-pragma",
    ]  # fmt: skip
    _, notes = migrate(tmp_path, "formats: [gitlab_codeclimate, codacy]\n", Registry(()))
    assert notes == [
        "1: formats: gitlab_codeclimate: use `dockfix check --format gitlab`",
        "1: formats: codacy: dockfix does not have this format; see docs/formats.md",
    ]


def test_strings_are_escaped(tmp_path: Path) -> None:
    found, _ = migrate(tmp_path, 'trustedRegistries: ["a\\"b\\\\c", "\\x7f\\u00e4"]\n')
    (tmp_path / "dockfix.toml").write_text(found.text())
    rules = read_config(tmp_path / "dockfix.toml").rules
    assert rules == {"allowed-registries": {"registries": ['a"b\\c', "\x7f\u00e4"]}}


def test_codes_of_findings_stay_codes(tmp_path: Path) -> None:
    registry = Registry((*REGISTRY.codemods, replace(rule("linter"), codes="SC[0-9]{4}")))
    path = tmp_path / ".hadolint.yaml"
    path.write_text("ignored: [SC2086, DL3004]\noverride:\n  error: [SC1001]\n  info: [SC1002]\n")
    found = migrated(read_hadolint_config(path), registry)
    assert found.config["ignore"] == ["SC2086", "DL3004"]
    assert found.config["severity"] == {"SC1001": "error", "SC1002": "info"}
    (tmp_path / "dockfix.toml").write_text(found.text())
    settings = settings_of(read_config(tmp_path / "dockfix.toml"), registry)
    assert settings.ignore == ("SC2086", "sudo", "sudo-too")
    assert settings.policy.severity == {"SC1001": "error", "SC1002": "info"}
