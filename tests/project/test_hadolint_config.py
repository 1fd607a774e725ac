"""The configuration of hadolint: every key, and mistakes with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockfix.project.hadolint_config import read_hadolint_config
from dockfix.project.problems import InputError

FULL = """\
ignored: [DL3000, SC1010]
override:
  error: [DL3001]
  warning:
    - DL3002
  info: [DL3003]
  style: [DL3004]
trustedRegistries:
  - docker.io
  - "*.example.com"
label-schema:
  author: text
  plain: ""
  org.example.url: url
strict-labels: true
failure-threshold: warning
no-fail: true
format: json
formats: [sarif, tty]
disable-ignore-pragma: true
no-color: true
verbose: true
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / ".hadolint.yaml"
    path.write_text(text)
    return read_hadolint_config(path)


def test_every_key(tmp_path: Path) -> None:
    path = tmp_path / ".hadolint.yaml"
    path.write_text(FULL)
    config = read_hadolint_config(path)
    assert config.ignored == ("DL3000", "SC1010")
    assert config.override == {
        "error": ("DL3001",), "warning": ("DL3002",), "info": ("DL3003",), "style": ("DL3004",),
    }  # fmt: skip
    assert config.trusted_registries == ("docker.io", "*.example.com")
    assert config.label_schema == {"author": "text", "plain": "text", "org.example.url": "url"}
    assert config.failure_threshold == "warning"
    assert config.formats == ("sarif", "tty", "json")
    assert config.strict_labels
    assert config.no_fail
    assert config.disable_ignore_pragma
    assert config.no_color
    assert config.verbose
    assert config.line_of(("override", "style")) == 7


@pytest.mark.parametrize("text", ["", "# nothing\n", "ignored:\n", "override:\n  error:\n", "no-fail: false\n"])
def test_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "h.yaml"
    path.write_text(text)
    config = read_hadolint_config(path)
    assert (config.ignored, config.override, config.no_fail) == ((), {}, False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("ignored: [\n", 2, "is not valid YAML: "),
        ("- DL3000\n", 1, "must be a table of keys and values"),
        ("no-fail: true\nno-fail: false\n", 2, "the key 'no-fail' is already defined above"),
        ("\nignore: [DL3000]\n", 2, "unknown key 'ignore'; did you mean 'ignored'?"),
        ("warn-without-reason: true\n", 1, "unknown key 'warn-without-reason'; hadolint knows ignored, override"),
        ("trusted-registries: []\n", 1, "did you mean 'trustedRegistries'?"),
        ("ignored: DL3000\n", 1, "ignored must be a list of rule codes, not the string 'DL3000'"),
        ("ignored: [3000]\n", 1, "ignored must be a list of rule codes, not a list of values that are not all strings"),
        ("override:\n  error: [DL1]\n  fatal: [DL2]\n", 3, "override: unknown severity 'fatal'; hadolint knows error"),
        ("override:\n  errors: [DL1]\n", 2, "override: unknown severity 'errors'; did you mean 'error'?"),
        ("override:\n  info: DL1\n", 2, "override must be a table .*, but 'info' has the string 'DL1'"),
        ("override: []\n", 1, "override must be a table of severities and lists of rule codes, not an empty list"),
        ("failure-threshold: fatal\n", 1, "failure-threshold must be error, warning, .*, not the string 'fatal'"),
        ("label-schema:\n  a: text\n  b: uri\n", 3, "label-schema must be a table .*, but 'b' has the string 'uri'"),
        ("strict-labels: maybe\n", 1, "strict-labels must be true or false, not the string 'maybe'"),
        ("format: xml\n", 1, "format must be tty, .*, not the string 'xml'"),
        ("formats: json\n", 1, "formats must be a list of formats"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, text)
    assert caught.value.line == line
    assert caught.value.path == str(tmp_path / ".hadolint.yaml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_hadolint_config(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"ignored: ['\xe4']\n")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_hadolint_config(tmp_path / "latin.yaml")
