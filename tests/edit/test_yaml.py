"""Edits of compose files: each style as a table, and generated files for other cases."""

# ruff: noqa: E501 - a row of a table is easier to read on one line

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dockfix.edit.text import apply_edits
from dockfix.edit.yaml import key_span, replace_scalar, set_entry, set_item, span_of, value_span
from dockfix.edit.yaml_check import ABSENT, Value, check_result, yaml_changes, yaml_comments
from dockfix.facts.model import Refused
from dockfix.project.yaml_tree import YamlError, read_tree
from dockfix.syntax.source import BOM
from tests.strategies import STEADY

API = ("services", "api")
BUILD = (*API, "build")
CONTEXT = (*BUILD, "additional_contexts", "packages")
ARG = (*BUILD, "args", "V")


def edited(text: str, path: Sequence[str], value: Value, **options: bool) -> str:
    """The text with the entry set; checked, and steady under a second run."""
    after = apply_edits(text, set_entry(text, path, value, **options))
    assert check_result(text, after, path, value, **options) is None
    assert set_entry(after, path, value, **options) == ()
    return after


def refused(text: str, path: Sequence[str], value: Value = "x") -> str:
    with pytest.raises(Refused) as caught:
        set_entry(text, path, value)
    assert "\n" not in caught.value.reason
    return caught.value.reason


def service(*lines: str) -> str:
    """A compose file with one service, `api`, that has these lines."""
    return "services:\n  api:\n" + "".join(f"    {line}\n" for line in lines)


INSERTED = {
    "after the last entry": (["image: a", "tty: true"], ["image: a", "tty: true", "user: x"]),
    "after a trailing comment": (["image: a  # why"], ["image: a  # why", "user: x"]),
    "before blank lines": (
        ["image: a", "", "", "# of what follows"],
        ["image: a", "user: x", "", "", "# of what follows"],
    ),
    "after deeper comments": (
        ["build:", "  context: .", "", "  # args:", "  #   A: 1"],
        ["build:", "  context: .", "", "  # args:", "  #   A: 1", "user: x"],
    ),
    "after a list that is not indented": (
        ["ports:", "- '80'", "# - '81'", "# end"],
        ["ports:", "- '80'", "# - '81'", "user: x", "# end"],
    ),
    "after an empty value": (["labels:   # none"], ["labels:   # none", "user: x"]),
    "after a literal": (["command: |", "  a", "  b", ""], ["command: |", "  a", "  b", "user: x", ""]),
    "after a literal with indented blanks": (["command: >-", "  a", "  "], ["command: >-", "  a", "user: x", "  "]),
    "after a literal that keeps its blank lines": (
        ["command: |+", "  a", "", ""],
        ["command: |+", "  a", "", "", "user: x"],
    ),
    "after a literal with a comment": (["command: |-  # c", "  a"], ["command: |-  # c", "  a", "user: x"]),
    "after a quoted scalar over two lines": (['command: "a', '  b"  # c'], ['command: "a', '  b"  # c', "user: x"]),
    "after a plain scalar over two lines": (["command: a", "  b"], ["command: a", "  b", "user: x"]),
    "after a flow list over lines": (["command: [", "  a,", "]"], ["command: [", "  a,", "]", "user: x"]),
    "after an alias": (
        ["image: &i a", "container_name: *i # c"],
        ["image: &i a", "container_name: *i # c", "user: x"],
    ),
    "next to a merge without it": (["<<: {tty: true}", "image: a"], ["<<: {tty: true}", "image: a", "user: x"]),
    "next to a merge with it": (["<<: {user: y}", "image: a"], ["<<: {user: y}", "image: a", "user: x"]),
    "a merge that has it": (["<<: {user: x}", "image: a"], ["<<: {user: x}", "image: a"]),
}


@pytest.mark.parametrize("case", INSERTED)
def test_a_missing_key_goes_after_the_last_entry(case: str) -> None:
    before, after = INSERTED[case]
    assert edited(service(*before), (*API, "user"), "x") == service(*after)


REPLACED = {
    "plain": ("user: app", "user: x"),
    "double": ('user: "app"  # c', 'user: "x"  # c'),
    "single": ("user: 'app'", "user: 'x'"),
    "number": ("user: 1000", "user: x"),
    "empty": ("user:", "user: x"),
    "empty with a space": ("user: ", "user: x"),
    "empty with a comment": ("user:  # c", "user: x  # c"),
    "null": ("user: ~ # c", "user: x # c"),
    "an own anchor": ("user: &u app", "user: &u x"),
    "an empty anchor": ("user: &u # c", "user: &u x # c"),
    "a quoted key": ('"user" : app', '"user" : x'),
    "the same": ("user:   'x'", "user:   'x'"),
    "the same as a literal": ("user: |-\n      x", "user: |-\n      x"),
    "over two lines": ("user: a\n      b # c", "user: x # c"),
}


@pytest.mark.parametrize("case", REPLACED)
def test_a_scalar_is_replaced_in_place(case: str) -> None:
    before, after = REPLACED[case]
    assert edited(service(before, "tty: true"), (*API, "user"), "x") == service(after, "tty: true")


BUILDS = {
    "short": (["build: ./dir   # c", "tty: true"],
              ["build:", "  context: ./dir   # c", "  additional_contexts:", "    packages: ./p", "tty: true"]),
    "short, quoted": (['build: "."'], ["build:", '  context: "."', "  additional_contexts:", "    packages: ./p"]),
    "short on a line of its own": (["build:", "  # c", "    ./dir"],
                                   ["build:", "  # c", "    context: ./dir", "    additional_contexts:", "      packages: ./p"]),
    "long": (["build:", "  context: ."], ["build:", "  context: .", "  additional_contexts:", "    packages: ./p"]),
    "missing": (["image: a"], ["image: a", "build:", "  additional_contexts:", "    packages: ./p"]),
    "empty": (["build:  # c", "tty: true"],
              ["build:  # c", "  additional_contexts:", "    packages: ./p", "tty: true"]),
    "null": (["build: ~  # c", "tty: true"],
             ["build:  # c", "  additional_contexts:", "    packages: ./p", "tty: true"]),
    "flow": (["build: {context: .}"], ["build: {context: ., additional_contexts: {packages: ./p}}"]),
    "flow with spaces": (["build: { context: . } # c"], ["build: { context: ., additional_contexts: {packages: ./p} } # c"]),
    "flow with a last comma": (["build: {context: .,}"], ["build: {context: ., additional_contexts: {packages: ./p},}"]),
    "empty flow": (["build: {}"], ["build: {additional_contexts: {packages: ./p}}"]),
    "empty flow inside": (["build: {context: ., additional_contexts: }"],
                          ["build: {context: ., additional_contexts: {packages: ./p}}"]),
    "json": (['build: {"context": "."}'], ['build: {"context": ".", "additional_contexts": {"packages": "./p"}}']),
    "contexts left empty": (["build:", "  additional_contexts:", "  context: ."],
                            ["build:", "  additional_contexts:", "    packages: ./p", "  context: ."]),
    "list": (["build:", "  additional_contexts:", "    - a=b  # c", "  context: ."],
             ["build:", "  additional_contexts:", "    - a=b  # c", "    - packages=./p", "  context: ."]),
    "list that is not indented": (["build:", "  additional_contexts:", '  -   "a=b"', "  context: ."],
                                  ["build:", "  additional_contexts:", '  -   "a=b"', '  -   "packages=./p"', "  context: ."]),
    "list that has it": (["build:", "  additional_contexts:", "  - packages=q # c"],
                         ["build:", "  additional_contexts:", "  - packages=./p # c"]),
    "flow list": (["build: {additional_contexts: ['a=b']}"], ["build: {additional_contexts: ['a=b', 'packages=./p']}"]),
    "empty flow list": (["build: {additional_contexts: [ ]}"], ["build: {additional_contexts: [packages=./p]}"]),
    "override": (["build: !override", "  context: ."],
                 ["build: !override", "  context: .", "  additional_contexts:", "    packages: ./p"]),
    "an anchor that nothing shares": (["build: &b", "  context: ."],
                                      ["build: &b", "  context: .", "  additional_contexts:", "    packages: ./p"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BUILDS)
def test_a_context_is_added_to_every_form_of_build(case: str) -> None:
    before, after = BUILDS[case]
    assert edited(service(*before), CONTEXT, "./p") == service(*after)


def test_the_short_form_stays_if_only_the_context_changes() -> None:
    assert edited(service("build: './a' # c"), (*BUILD, "context"), "./b") == service("build: './b' # c")
    assert edited(service("build: ./b"), (*BUILD, "context"), "./b") == service("build: ./b")
    both: Value = {"context": "./b", "args": {"V": "1"}}
    assert edited(service("build: ./a # c"), BUILD, both) == service(
        "build:", "  context: ./b # c", "  args:", '    V: "1"'
    )  # fmt: skip


def test_short_forms_in_flow_services() -> None:
    before = "services: {api: {build: ., image: a}}\n"
    assert edited(before, CONTEXT, "./p") == (
        "services: {api: {build: {context: ., additional_contexts: {packages: ./p}}, image: a}}\n"
    )


def test_a_mapping_is_merged() -> None:
    before = service("build:", "  context: .", "  args:", "    A: '1'  # a", "    B: 2", "", "tty: true")
    wanted: Value = {"args": {"A": "x", "C": "z"}, "additional_contexts": {"p": "./p"}, "labels": {}}
    assert edited(before, BUILD, wanted) == service(
        "build:", "  context: .", "  args:", "    A: 'x'  # a", "    B: 2", "    C: z", "  additional_contexts:",
        "    p: ./p", "  labels: {}", "", "tty: true",
    )  # fmt: skip
    assert edited(service("build: {}"), BUILD, {"args": {"A": "1", "B": "2"}}) == service(
        'build: {args: {A: "1", B: "2"}}'
    )
    several: Value = {"A": "1", "B": "b", "C": "c"}
    assert edited(service("environment: [A]"), (*API, "environment"), several) == service(
        "environment: [A=1, B=b, C=c]"
    )
    assert edited(service("environment:", "- A"), (*API, "environment"), several) == service(
        "environment:", "- A=1", "- B=b", "- C=c"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("services:\n  api:\n    image: a", "services:\n  api:\n    image: a\n    user: x"),
        ("services:\r\n  api:\r\n    image: a\r\n", "services:\r\n  api:\r\n    image: a\r\n    user: x\r\n"),
        ("services:\r\n  api:\r\n    image: a", "services:\r\n  api:\r\n    image: a\r\n    user: x"),
        (f"{BOM}services:\n  api:\n    image: a\n", f"{BOM}services:\n  api:\n    image: a\n    user: x\n"),
        ("---\nservices:\n  api:\n    image: a\n...\n", "---\nservices:\n  api:\n    image: a\n    user: x\n...\n"),
        ("%YAML 1.1\n---\nservices:\n  api:\n    tty: no\n", "%YAML 1.1\n---\nservices:\n  api:\n    tty: no\n    user: x\n"),
        ("services:\n   api:\n      tty: true\n", "services:\n   api:\n      tty: true\n      user: x\n"),
        ("services:\n  api:\n    command: |-\n      a", "services:\n  api:\n    command: |-\n      a\n    user: x"),
        ("services: {api: {}}\n", "services: {api: {user: x}}\n"),
        ("services: {api: }\n", "services: {api: {user: x}}\n"),
        ("services:\n    api:\n", "services:\n    api:\n        user: x\n"),
        ("services:\n    api: # c\n", "services:\n    api: # c\n        user: x\n"),
        (f"{BOM}services:\n    web:\n        tty: true\n", f"{BOM}services:\n    web:\n        tty: true\n    api:\n        user: x\n"),
        ("services:\n  web: {tty: true}\n\n# end\n", "services:\n  web: {tty: true}\n  api:\n    user: x\n\n# end\n"),
        ("x: 1\n", "x: 1\nservices:\n  api:\n    user: x\n"),
        ('{"services": {"api": {"tty": true}}}\n', '{"services": {"api": {"tty": true, "user": "x"}}}\n'),
        ("services:\n  api:\n    # only comments\n  web: {}\n", "services:\n  api:\n    user: x\n    # only comments\n  web: {}\n"),
    ],
)  # fmt: skip
def test_the_file_around(before: str, after: str) -> None:
    assert edited(before, (*API, "user"), "x") == after


def test_the_only_line_ends_are_those_of_the_file() -> None:
    before = service("build: .", "image: a").replace("\n", "\r\n")
    after = edited(before, CONTEXT, "./p")
    assert "\n" not in after.replace("\r\n", "")


VALUES = {
    "app": "app", "10001:10001": '"10001:10001"', "1.10": '"1.10"', "yes": '"yes"', "N": '"N"', "null": '"null"',
    "": '""', "~": '"~"', "a: b": '"a: b"', "a:b": "a:b", "#": '"#"', "a #b": '"a #b"', "a#b": "a#b", "*x": '"*x"',
    "&x": '"&x"', "@x": '"@x"', "`x": '"`x"', "%x": '"%x"', "!x": '"!x"', "- x": '"- x"', "-x": "-x", "-": '"-"',
    "? x": '"? x"', "{a}": '"{a}"', "[a": '"[a"', "a]": "a]", "a, b": "a, b", " a": '" a"', "a ": '"a "', "a:": '"a:"',
    "0777": '"0777"', "0o7": '"0o7"', "0x1F": '"0x1F"', "1_000": '"1_000"', "1e3": '"1e3"', ".5": '".5"', "+1": '"+1"',
    "1:30": '"1:30"', "2001-01-01": '"2001-01-01"', "3.12-slim": "3.12-slim", "1.2.3": "1.2.3", "=": '"="',
    "<<": '"<<"', "true": '"true"', "Off": '"Off"', 'say "x"': "say \"x\"", '"x"': "'\"x\"'", "it's": "it's",
    "C:\\x": "C:\\x", "\\n: ": "'\\n: '", "a\nb": '"a\\nb"', "a\tb": '"a\\tb"', "é": "é", "\u00a0": '"\\xa0"',
    "\u2028": '"\\u2028"', "\U0001f600": "\U0001f600", "${A:-b}": "${A:-b}", "service:base": "service:base",
    "docker-image://a:1": "docker-image://a:1", ".inf": '".inf"', "---": '"---"', "---x": '"---x"', "y": '"y"',
    "\x07": '"\\x07"', "\ufeff": '"\\ufeff"', "'\"": '"\'\\""', "a'\"": "a'\"", "# '\"": '"# \'\\""',
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_quoted_where_some_yaml_reads_something_else(value: str) -> None:
    before = service("image: a")
    assert edited(before, (*API, "user"), value) == service("image: a", f"user: {VALUES[value]}")
    for spelled in ('"q"', "'q'", "q", "", "&u q"):
        after = edited(service(f"user: {spelled}"), (*API, "user"), value)
        assert YAML(typ="safe", pure=True).load(after)["services"]["api"]["user"] == value
        if spelled.startswith(('"', "'")) and value.isprintable():
            assert after.removeprefix("services:\n  api:\n    user: ").startswith(spelled[0])
    edited("services: {api: {user: q, tty: true}}\n", (*API, "user"), value)
    edited("services: {api: {tty: true}}\n", (*API, "user"), value)
    edited(service("environment: [A]"), (*API, "environment", "B"), value)
    edited(service("environment:", "- A"), (*API, "environment", "B"), value)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("org/name", "org/name"), ("org/name:latest", "org/name:latest"), ("yes", '"yes"'), ("1", '"1"'), ("<<", '"<<"'),
        ("a: b", '"a: b"'), ("a #b", '"a #b"'), ("", '""'), ("é", "é"), ("@x", '"@x"'), ("null", '"null"'),
    ],
)  # fmt: skip
def test_a_key_is_quoted_where_it_has_to_be(name: str, spelled: str) -> None:
    path = (*BUILD, "additional_contexts", name)
    assert edited(service("build:", "  additional_contexts:", "    a: b"), path, "c") == service(
        "build:", "  additional_contexts:", "    a: b", f"    {spelled}: c"
    )
    assert edited(service("build: {additional_contexts: {a: b}}"), path, "c") == service(
        f"build: {{additional_contexts: {{a: b, {spelled}: c}}}}"
    )


def test_quotes_are_those_that_the_file_prefers() -> None:
    assert edited(service("image: 'a'"), (*API, "user"), "1") == service("image: 'a'", "user: '1'")
    assert edited(service('image: "a"'), (*API, "user"), "1") == service('image: "a"', 'user: "1"')


REFUSED: dict[str, tuple[str, Sequence[str], str]] = {
    "a literal without an end": ("a: |\n  b", ("x",), "the file ends in a block scalar without a line end, and a line below would add one"),
    "an alias": ("x: &b {context: .}\n" + service("build: *b"), CONTEXT, "api.build is an alias (*b)"),
    "an alias for a value": ("x: &u a\n" + service("user: *u"), (*API, "user"), "api.user is an alias (*u)"),
    "a shared value": (service("user: &u a", "hostname: *u"), (*API, "user"), "api.user is shared: an alias (*u) refers to it elsewhere"),
    "a shared mapping": (service("build: &b", "  context: .") + "x: *b\n", CONTEXT, "api.build is shared: an alias (*b) refers to it elsewhere"),
    "a shared service": ("services:\n  api: &a\n    tty: true\n  b:\n    <<: *a\n", (*API, "user"), "services.api is shared: an alias (*a) refers to it elsewhere"),
    "a merged mapping": (service("<<: {build: {context: .}}"), CONTEXT, "api.build comes from a merge (<<)"),
    "a merged list of merges": ("x: &x {y: 1}\nz: &z {<<: *x, build: .}\n" + service("<<: [*x, *z]"), CONTEXT, "api.build comes from a merge (<<)"),
    "a mapping for a value": (service("user: {a: b}"), (*API, "user"), "api.user is a mapping"),
    "a value for a mapping": (service("image: a"), (*API, "image", "x"), "api.image is a value"),
    "a list for a mapping": (service("volumes: [a]"), (*API, "volumes", "x"), "api.volumes is a list"),
    "a list of mappings": (service("environment:", "- A: b"), (*API, "environment", "A"), "api.environment is a list of something other than NAME=VALUE"),
    "a list with a name twice": (service("environment: [A=1, A=2]"), (*API, "environment", "A"), "api.environment has A twice"),
    "an alias in a list": ("x: &x A=1\n" + service("environment:", "- *x"), (*API, "environment", "A"), "environment.A is an alias (*x)"),
    "a block scalar": (service("user: |", "  a"), (*API, "user"), "api.user is a block scalar"),
    "flow over lines": (service("build: {", "  context: .", "}"), CONTEXT, "api.build is written in flow style over several lines"),
    "a flow list over lines": (service("environment: [", "  A,", "]"), (*API, "environment", "B"), "api.environment is written in flow style over several lines"),
    "a tag": (service("build: !reset null"), CONTEXT, "api.build has the tag !reset"),
    "a tagged value": (service("user: !!str 5"), (*API, "user"), "api.user has the tag tag:yaml.org,2002:str"),
    "documents": ("a: b\n---\nc: d\n", ("a",), "the file holds several YAML documents"),
    "duplicate keys": ("a: b\n'a': c\n", ("x",), "the file has the key a twice in one mapping"),
    "a duplicate merge": ("<<: {a: b}\n<<: {c: d}\n", ("x",), "the file has the key << twice in one mapping"),
    "an explicit key": ("? services\n: api: {}\n", (*API, "user"), "the key services is not written as `services:`"),
    "an explicit first key": ("? [a]\n: b\nc: d\n", ("x",), "the first key of the file is not written as `name:`"),
    "a key without a value": ("services: {api}\n", (*API, "user"), "the key api is not written as `api:`"),
    "an empty file": ("# nothing\n", ("x",), "the file holds no values"),
    "a list for a file": ("- a\n", ("x",), "the file is a list"),
    "invalid YAML": ("a: [b\n", ("a",), "line 2: invalid YAML: expected ',' or ']', but got '<stream end>'"),
    "no anchor": ("a: *b\n", ("a",), "line 1: invalid YAML: found undefined alias 'b'"),
    "a tab": ("a:\n\tb: c\n", ("a", "b"), "line 2: invalid YAML: found character '\\t' that cannot start any token"),
    "bytes that are no UTF-8": ("a: \udce9\n", ("a",), "invalid YAML: unacceptable character #xdce9: special characters are not allowed in \"<unicode string>\", position 3"),
    "itself": ("a: &a {b: *a}\n", ("a", "b"), "the alias *a is inside the value that it refers to"),
    "a null on a line of its own": (service("build:", "  ~"), CONTEXT, "the value of api.build is on a line of its own"),
    "a short build over lines": (service("build: a", "  b"), CONTEXT, "api.build is a value over several lines"),
    "a lone carriage return": ("a: b\rc: d\n", ("x",), "the file has line ends other than LF and CRLF"),
    "depth": ("a: " + "[" * 100 + "]" * 100 + "\n", ("x",), "the file is nested more than 64 deep"),
    "size": ("#" + "x" * 300_000 + "\n", ("x",), "the file is larger than 256 KiB"),
    "nodes": ("a: [" + "1," * 60_000 + "]\n", ("x",), "the file has too many values"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_edited_honestly_is_refused(case: str) -> None:
    text, path, reason = REFUSED[case]
    assert refused(text, path) == reason


def test_aliases_of_aliases_are_refused_before_they_expand() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    merges = ["a0: &a0 {x: y}"] + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    for text in ("\n".join(lines), "\n".join(merges)):
        started = time.process_time()
        assert refused(text, ("x",)) == "the file has aliases that expand to too many values"
        with pytest.raises(YamlError, match="too many values"):
            yaml_changes(text, text)
        assert time.process_time() - started < 30


@pytest.mark.parametrize(
    "piece", ["[", "{", "? ", "- ", "{a: ", "&a ", "!x ", "'", '"', "|\n", "a: ", "a:\n ", "*a ", "%a\n", "#", "\t"]
)
def test_no_input_hangs_or_raises_anything_else(piece: str) -> None:
    started = time.process_time()
    text = piece * 20_000
    with contextlib.suppress(Refused):
        set_entry(text, ("x",), "y")
    assert span_of(text, ("x",)) is None
    assert time.process_time() - started < 60


def test_shared_values_are_edited_on_request() -> None:
    before = "x: &b\n  context: .\n" + service("build: *b", "labels: {<<: *b}")
    after = edited(before, ("x", "target"), "t", shared_ok=True)
    assert after == "x: &b\n  context: .\n  target: t\n" + service("build: *b", "labels: {<<: *b}")
    assert [where for where, _, _ in yaml_changes(before, after)] == [
        ("x", "target"), (*BUILD, "target"), (*API, "labels", "target")
    ]  # fmt: skip
    assert edited(service("user: &u a", "hostname: *u"), (*API, "user"), "x", shared_ok=True) == service(
        "user: &u x", "hostname: *u"
    )


def test_a_path_or_value_that_is_invalid() -> None:
    assert refused("a: b\n", ()) == "the path holds something other than names"
    assert refused("a: b\n", ("a",) * 40) == "the path is longer than 32"
    assert refused("a: b\n", ("c",), "x" * 70_000) == "the value is larger than 64 KiB"
    deep: Value = "x"
    for _ in range(40):
        deep = {"a": deep}
    assert refused("a: b\n", ("c",), deep) == "the value is nested more than 32 deep"


def test_items_of_lists() -> None:
    before = service("build:", "  args:", "  - A=1 # a", '  - "B=2"', "ports: [80, '81']")
    args = (*BUILD, "args")
    assert apply_edits(before, set_item(before, (*args, 1), "B=3")) == before.replace('"B=2"', '"B=3"')
    assert apply_edits(before, set_item(before, (*args, 0), "A: 3")) == before.replace("A=1", '"A: 3"')
    assert apply_edits(before, set_item(before, (*args, 2), "C=3")) == before.replace('"B=2"\n', '"B=2"\n      - C=3\n')
    assert apply_edits(before, set_item(before, (*API, "ports", 0), "82")) == before.replace("80", '"82"')
    assert apply_edits(before, set_item(before, (*API, "ports", 2), "82")) == before.replace("'81'", "'81', \"82\"")
    assert set_item(before, (*args, 1), "B=2") == ()
    for path, reason in (
        ((*args, 3), "there is no services.api.build.args.3"),
        ((*args, -1), "there is no services.api.build.args.-1"),
        ((*args, "A"), "the path does not end in the index of a list item"),
        ((*BUILD, 0), "api.build is a mapping"),
        ((*API, "x", 0), "there is no services.api.x"),
    ):
        with pytest.raises(Refused) as caught:
            set_item(before, path, "x")
        assert caught.value.reason == reason
    dashes = service("ports:", "- # c", "- &x 'a'")
    assert apply_edits(dashes, set_item(dashes, (*API, "ports", 0), "b")) == dashes.replace("- #", "- b #")


def test_replacing_creates_nothing() -> None:
    before = service("build:", "  args: [A=1]", "user: a")
    assert apply_edits(before, replace_scalar(before, (*API, "user"), "x")) == before.replace("user: a", "user: x")
    assert apply_edits(before, replace_scalar(before, (*BUILD, "args", "A"), "2")) == before.replace("A=1", "A=2")
    assert replace_scalar(before, (*API, "user"), "a") == ()
    for path in ((*API, "image"), (*BUILD, "args", "B"), BUILD, (*API, "user", "x")):
        with pytest.raises(Refused):
            replace_scalar(before, path, "x")


@pytest.mark.parametrize(
    ("path", "whole", "key", "value"),
    [
        (("services",), "services:\n  api:\n    build:\n      args: [A=1, 'B=2', C]\n      labels:\n      - X=y", "services", "api:\n    build:\n      args: [A=1, 'B=2', C]\n      labels:\n      - X=y"),
        ((*BUILD, "args"), "args: [A=1, 'B=2', C]", "args", "[A=1, 'B=2', C]"),
        ((*BUILD, "args", "A"), "A=1", "A", "1"),
        ((*BUILD, "args", "B"), "'B=2'", "'B", "2'"),
        ((*BUILD, "args", "C"), "C", "C", "C"),
        ((*BUILD, "args", 0), "A=1", None, "A=1"),
        ((*BUILD, "args", "D"), None, None, None),
        (("x", "e"), "e:", "e", ""),
        (("x", "l"), "l: |\n    a", "l", "|\n    a"),
        (("x", "y"), "y: *a", "y", "*a"),
        (("x", "y", "z"), None, None, None),
        (("x", "l", "z"), None, None, None),
        ((), None, None, None),
    ],
)  # fmt: skip
def test_spans(path: Sequence[str | int], whole: str | None, key: str | None, value: str | None) -> None:
    text = BOM + service("build:", "  args: [A=1, 'B=2', C]", "  labels:", "  - X=y # c")
    text += "\na: &a {z: 1}\nx:\n  y: *a\n  l: |\n    a\n\n  e:   # c\n"
    for find, expected in ((span_of, whole), (key_span, key), (value_span, value)):
        found = find(text, path)
        assert (text[slice(*found)] if found is not None else None) == expected


def test_spans_of_invalid_yaml() -> None:
    assert span_of("a: [\n", ("a",)) is None


def test_an_anchor_given_anew_is_another() -> None:
    before = "a: &x {b: c}\nd: *x\ne: &x {f: g}\n"
    assert edited(before, ("e", "f"), "h") == before.replace("g", "h")
    assert "is shared" in refused(before, ("a", "b"))


def test_changes() -> None:
    before = "a: 1\nb: [x, y]\nc: {}\nd: ./x\ne: {f: g}\n"
    after = "a: '1'\nb: [x, z, q]\nc: []\nd: {context: ./x}\nh:\n"
    assert yaml_changes(before, after) == [
        (("a",), 1, "1"),
        (("b", 1), "y", "z"),
        (("b", 2), ABSENT, "q"),
        (("c",), {}, ABSENT),
        (("c",), ABSENT, []),
        (("d",), "./x", ABSENT),
        (("d", "context"), ABSENT, "./x"),
        (("e", "f"), "g", ABSENT),
        (("h",), ABSENT, None),
    ]
    assert yaml_changes("a: 1\nb: 2\n", "b: 0x2 # c\na: 1\n") == []
    assert yaml_changes("a: true\nb: 1.0\nc: !reset x\n", "a: 1\nb: 1\nc: x\n")[0] == (("a",), True, 1)
    assert len(yaml_changes("a: true\nb: 1.0\nc: !reset x\n", "a: 1\nb: 1\nc: x\n")) == 3
    assert yaml_changes("a: !override {b: c}\n", "a: !override {b: d}\n") == [(("a", "b"), "c", "d")]
    with pytest.raises(YamlError):
        yaml_changes("a: 1\n", "a: 1\na: 2\n")


def test_comments() -> None:
    text = f"{BOM}# 1\na: b#c # 2 \nd: '# no' # 3\ne: | # 4\n  # no\n # 5\nf: [a, # 6\n b]\n# 7"
    assert yaml_comments(text) == ["# 1", "# 2", "# 3", "# 4", "# 5", "# 6", "# 7"]


@pytest.mark.parametrize(
    ("after", "trouble"),
    [
        (service("user: x # c", "tty: true"), None),
        (service("user: x", "tty: true"), "a comment would be lost, changed or moved"),
        (service("user: y # c", "tty: true"), "services.api.user would change too"),
        (service("user: a # c", "tty: true"), "services.api.user would change too"),
        (service("user: x # c", "tty: 'true'"), "services.api.tty would change too"),
        (service("user: x # c"), "services.api.tty would change too"),
        (service("user: x # c", "tty: true", "init: true"), "services.api.init would change too"),
        (
            service("user: x # c", "tty: true", "user: x"),
            "the file has the key user twice in one mapping",
        ),
    ],
)
def test_the_check_sees_what_goes_wrong(after: str, trouble: str | None) -> None:
    assert check_result(service("user: a # c", "tty: true"), after, (*API, "user"), "x") == trouble


# -- generated files -------------------------------------------------------------------------------------------------


@dataclass
class Writer:
    """Writes a compose file line by line, in one of the styles that people use."""

    draw: st.DrawFn
    step: int
    listed: int
    lines: list[str] = field(default_factory=list)

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def line(self, column: int, text: str) -> None:
        self.lines.append(" " * column + text)

    def gap(self, column: int) -> None:
        """Comments and blank lines between entries, at any indentation."""
        for _ in range(self.draw(st.sampled_from((0, 0, 0, 1, 2)))):
            shift = self.draw(st.sampled_from((0, 0, column, column, column + self.step, column + 1)))
            self.lines.append(self.draw(st.sampled_from(("", "  ", " " * shift + "# a: b", " " * shift + "#- c"))))

    def tail(self) -> str:
        return self.pick("", "", "", " # why", "   #x: y", "  ")

    def quoted(self, value: str) -> str:
        return self.pick(value, value, f"'{value}'", f'"{value}"')

    def key(self, name: str) -> str:
        return self.pick(name, name, name, name, f"'{name}'", f'"{name}"') + self.pick(":", ":", ":", " :")

    def scalar(self, column: int, name: str, value: str) -> None:
        self.line(column, f"{self.key(name)}{self.pick(' ', ' ', '  ')}{self.quoted(value)}{self.tail()}")

    def pairs(self, column: int, name: str, names: Sequence[str], alias: str = "") -> None:
        """What may be a mapping or a list of `NAME=VALUE`, in any form."""
        key = self.key(name)
        forms = ["mapping", "mapping", "list", "flow", "flow list", "empty", "null", "{}", "[]", "flow lines"]
        match self.pick(*forms, *(["alias", "merge"] if alias else [])):
            case "mapping":
                self.line(column, key + self.pick("", "", " &own") + self.tail())
                self.entries(column + self.step, names)
            case "merge":
                self.line(column, key + self.tail())
                self.line(column + self.step, f"<<: *{alias}")
                self.entries(column + self.step, names)
            case "list":
                self.line(column, key + self.tail())
                for item in names:
                    self.gap(column + self.listed)
                    dash = "-" + self.pick(" ", " ", "   ")
                    self.line(
                        column + self.listed,
                        dash + self.quoted(self.pick(item, f"{item}=1", f"{item}=./v")) + self.tail(),
                    )
            case "flow":
                pairs = (f"{item}: {self.quoted('v')}" for item in names)
                self.line(
                    column, f"{key} {self.pick('{', '{ ')}{', '.join(pairs)}{self.pick('}', ' }', ', }')}{self.tail()}"
                )
            case "flow list":
                items = (self.quoted(f"{item}=v") for item in names)
                self.line(column, f"{key} [{', '.join(items)}]{self.tail()}")
            case "flow lines":
                self.line(column, f"{key} {{ # open")
                self.line(column + 1, f"{names[0]}: v")
                self.line(column, f"}}{self.tail()}")
            case "empty":
                self.line(column, key + self.pick("", " ", " &own") + self.tail())
            case "null":
                self.line(column, f"{key} {self.pick('~', 'null')}{self.tail()}")
            case "alias":
                self.line(column, f"{key} *{alias}{self.tail()}")
            case form:
                self.line(column, f"{key} {form}{self.tail()}")

    def entries(self, column: int, names: Sequence[str]) -> None:
        for name in names:
            self.gap(column)
            self.scalar(column, name, self.pick("1", "./v", "yes", "1.10", "a-b"))

    def build(self, column: int) -> None:
        match self.pick("short", "short", "long", "long", "long", "flow", "empty", "~", "alias", "below", "none"):
            case "short":
                self.line(column, f"{self.key('build')} {self.quoted('./dir')}{self.tail()}")
            case "below":
                self.line(column, self.key("build") + self.tail())
                self.line(column + self.step, f"{self.quoted('./dir')}{self.tail()}")
            case "long":
                self.line(column, self.key("build") + self.tail())
                inner = column + self.step
                parts = self.draw(st.permutations(("context", "args", "labels", "additional_contexts")))
                for part in parts[: self.draw(st.integers(1, 4))]:
                    self.gap(inner)
                    if part == "context":
                        self.scalar(inner, part, "./dir")
                    else:
                        self.pairs(inner, part, self.draw(st.sampled_from((("A",), ("A", "packages"), ("B", "A")))))
            case "flow":
                self.line(
                    column,
                    f"{self.key('build')} {self.pick('{context: .}', '{ context: ., args: {A: 1} }', '{args: [A=1], context: }')}{self.tail()}",
                )
            case "alias":
                self.line(column, f"build: *base{self.tail()}")
            case "empty":
                self.line(column, "build:" + self.tail())
            case "~":
                self.line(column, f"build: ~{self.tail()}")
            case _:
                pass

    def service(self, column: int, name: str) -> None:
        key = self.key(name)
        match self.pick("block", "block", "block", "block", "flow", "empty"):
            case "flow":
                self.line(
                    column,
                    f"{key} {{image: a, {self.pick('build: .', 'user: b', 'environment: [A=1]', 'labels: {}')}}}{self.tail()}",
                )
                return
            case "empty":
                self.line(column, key + self.tail())
                return
        self.line(column, key + self.pick("", "", "", f" &{name}") + self.tail())
        inner = column + self.step
        for part in self.draw(
            st.lists(
                st.sampled_from(("image", "build", "user", "environment", "labels", "command", "ports", "<<")),
                unique=True,
                min_size=1,
            )
        ):
            self.gap(inner)
            match part:
                case "image":
                    self.scalar(inner, part, "a:1")
                case "build":
                    before = len(self.lines)
                    self.build(inner)
                    if len(self.lines) == before:
                        self.line(inner, "tty: true")
                case "user":
                    self.line(
                        inner,
                        self.pick(
                            "user: app",
                            "user: 1000",
                            "user: '0'",
                            "user:",
                            "user: ~",
                            "user: &u app",
                            "user: |",
                            "user: *name",
                        )
                        + self.tail(),
                    )
                    if self.lines[-1].lstrip().startswith("user: |"):
                        self.lines[-1] = " " * inner + "user: |-"
                        self.line(inner + self.step, "app")
                case "environment" | "labels":
                    self.pairs(inner, part, ("A", "TZ"), alias="env")
                case "ports":
                    self.line(inner, "ports:" + self.tail())
                    self.line(inner + self.listed, "- 80" + self.tail())
                case "<<":
                    self.line(inner, "<<: " + self.pick("*common", "[*common, *env]"))
                case _:
                    self.line(inner, "command: " + self.pick("|", ">-", "|+", "|2", "|-  # run"))
                    if self.lines[-1].endswith("|2"):
                        self.lines[-1] = self.lines[-1][:-1] + str(self.step)
                    self.line(inner + self.step, "run # it: now")
                    self.lines += self.draw(st.sampled_from(([], [], [""], ["", ""], [" " * inner])))


@st.composite
def compose_files(draw: st.DrawFn) -> str:
    step = draw(st.sampled_from((2, 2, 4, 3)))
    out = Writer(draw, step, draw(st.sampled_from((0, step, 2))))
    out.lines += draw(st.sampled_from(([], [], ["---"], ["# top", "", "---  # begin"])))
    out.gap(0)
    out.line(0, "x-name: &name root" + out.tail())
    out.line(0, "x-env: &env {LANG: C}" + out.tail())
    out.line(0, "x-common: &common" + out.tail())
    out.line(step, "restart: always" + out.tail())
    if draw(st.booleans()):
        out.pairs(step, "environment", ("TZ",))
    out.line(0, "x-build: &base {context: .}")
    out.gap(0)
    out.line(0, out.key("services") + out.tail())
    for name in ("api", "db")[: draw(st.integers(1, 2))]:
        out.gap(step)
        out.service(step, name)
    if draw(st.booleans()):
        out.gap(0)
        out.line(
            0, out.pick("volumes: {data: }", "volumes:", "networks:\n  - a".replace("\n  - a", ""), "x-last: *name")
        )
    out.gap(0)
    text = "\n".join(out.lines) + draw(st.sampled_from(("\n", "\n", "\n\n", "", "\n...\n")))
    if draw(st.sampled_from((False, False, True))):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from(("", "", BOM))) + text


_STRINGS = st.one_of(st.sampled_from(tuple(VALUES)), st.text(st.characters(codec="utf-8"), max_size=6))
_PATHS = st.sampled_from(
    [
        *(
            path
            for name in ("api", "db", "new")
            for path in (
                ("services", name, "user"),
                ("services", name, "image"),
                ("services", name, "build", "context"),
                ("services", name, "build", "args", "A"),
                ("services", name, "build", "args", "VERSION"),
                ("services", name, "build", "additional_contexts", "packages"),
                ("services", name, "build", "additional_contexts", "org/name:latest"),
                ("services", name, "environment", "TZ"),
                ("services", name, "environment", "NEW"),
                ("services", name, "labels", "org.x/y"),
                ("services", name, "healthcheck", "interval"),
            )
        ),
        ("x-new",),
        ("x-common", "tty"),
        ("volumes", "data", "name"),
    ]
)  # fmt: skip

# What a refusal of a generated file may say; anything else, above all "the edit would not hold", is a defect.
_REASONS = (
    "is an alias", "is shared", "comes from a merge", "is a block scalar", "in flow style over several lines",
    "is on a line of its own", "ends in a block scalar without a line end",
)  # fmt: skip


def sibling_columns(text: str, path: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The columns of a key, and of the first of its block mapping, from the top down."""
    text = text.removeprefix(BOM)
    node = read_tree(text).root
    for name in path:
        assert node is not None
        entry = node.entry(name) if node.kind == "mapping" else None
        if entry is None or node.flow:
            return
        first = node.entries[0][0].start
        yield (entry[0].start - text.rfind("\n", 0, entry[0].start), first - text.rfind("\n", 0, first))
        node = entry[1]


@settings(STEADY, max_examples=250)
@given(
    compose_files(),
    _PATHS,
    st.one_of(_STRINGS, _STRINGS, st.dictionaries(st.sampled_from(("A", "B", "org/n")), _STRINGS, max_size=3)),
)
def test_any_compose_file(text: str, path: tuple[str, ...], value: Value) -> None:
    if isinstance(value, Mapping):
        path = path[:-1] if len(path) > 1 else path
    load(text)
    reason = ""
    try:
        edits = set_entry(text, path, value)
    except Refused as error:
        reason = error.reason
    if reason:
        allowed = (*_REASONS, "is a value", "is empty") if isinstance(value, Mapping) else _REASONS
        if isinstance(value, str) and path[-1] == "context":
            allowed = (*allowed, "is a mapping")
        assert any(part in reason for part in allowed), reason
        event("refused")
        return
    event("edited" if edits else "nothing to do")
    after = apply_edits(text, edits)

    # nothing but blanks, a null and the scalar that is replaced is taken away
    old = read_tree(text)
    scalars = {(node.start, node.end) for node in walk(old.root) if node.kind == "scalar"}
    for edit in edits:
        taken = text[edit.start : edit.end]
        assert taken.strip() in {"", "~", "null"} or any(
            start <= edit.start and edit.end == end for start, end in scalars
        ), taken

    assert check_result(text, after, path, value) is None
    assert yaml_comments(after) == yaml_comments(text)
    load(after)
    assert set_entry(after, path, value) == ()
    for where, before, new in yaml_changes(text, after):
        if where[: len(path)] == path:  # the value itself
            continue
        if path[: len(where)] == where:  # what was empty, or the short form, above it
            assert before in (None, {}, [], ABSENT) or (where[-1] == "build" and new in (ABSENT, value)), where
        elif where[-1] == "context":
            assert (where[:-1], new, ABSENT) in yaml_changes(text, after)
        else:  # an item of a list of NAME=VALUE
            assert where[:-1] == path[:-1] or where[:-1] == path, where
            assert isinstance(where[-1], int)

    for key, first in sibling_columns(after, path):
        assert key == first
    assert "\t" not in after or "\t" in text or "\t" in repr(value)
    if "\r\n" in text:
        assert after.count("\n") == after.count("\r\n")
    else:
        assert "\r" not in after
    assert after.startswith(BOM) == text.startswith(BOM)
    assert after.endswith("\n") == text.endswith("\n")


def walk(node: Any) -> Iterator[Any]:
    if node is not None:
        yield node
        for item in [*node.items, *(part for entry in node.entries for part in entry)]:
            yield from walk(item)


def load(text: str) -> None:
    """Both of ruamel's loaders take it."""
    for yaml in (YAML(typ="safe", pure=True), YAML()):
        yaml.composer.warn_double_anchors = False
        yaml.load(io.StringIO(text.removeprefix(BOM)))
