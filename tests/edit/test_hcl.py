"""Edits of bake files: the smallest ones, in the file's own style, and nothing else changes."""

from __future__ import annotations

import json as json_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockfix.edit.hcl import set_context
from dockfix.edit.hcl_check import bake_changes
from dockfix.edit.text import apply_edits
from dockfix.facts.model import Refused
from dockfix.project.bake.reader import parse_bake


def edited(text: str, target: str = "a", name: str = "n", value: str = "v", *, json: bool = False) -> str:
    after = apply_edits(text, set_context(text, target, name, value, json=json))
    assert set_context(after, target, name, value, json=json) == ()
    return after


HCL = [
    # an object on one line
    ('target "a" {\n  contexts = { x = "y" }\n}\n', 'target "a" {\n  contexts = { x = "y", n = "v" }\n}\n'),
    ('target "a" {\n  contexts = {"x"="y"}\n}\n', 'target "a" {\n  contexts = {"x"="y", "n"="v"}\n}\n'),
    ('target "a" {\n  contexts = {x: "y",}\n}\n', 'target "a" {\n  contexts = {x: "y", n: "v",}\n}\n'),
    ('target "a" {\n  contexts = {}\n}\n', 'target "a" {\n  contexts = { "n" = "v" }\n}\n'),
    ('target "a" {\n  contexts = { /* none */ }\n}\n', 'target "a" {\n  contexts = { "n" = "v", /* none */ }\n}\n'),
    ('target "a" {\n  contexts = { x = 1 /* } */ }\n}\n', 'target "a" {\n  contexts = { x = 1, n = "v" /* } */ }\n}\n'),
    (
        'target "a" {\n  contexts = { x = "y",\n               z = "w" }\n}\n',
        'target "a" {\n  contexts = { x = "y",\n               z = "w", n = "v" }\n}\n',
    ),
    # over several lines
    (
        'target "a" {\n  contexts = {\n    x = "y"\n  }\n}\n',
        'target "a" {\n  contexts = {\n    x = "y"\n    n = "v"\n  }\n}\n',
    ),
    (
        'target "a" {\n\tcontexts = {\n\t\tx = "y", # why, {\n\t}\n}\n',
        'target "a" {\n\tcontexts = {\n\t\tx = "y", # why, {\n\t\tn = "v",\n\t}\n}\n',
    ),
    (
        'target "a" {\n  contexts = {\n    x = "y", // first\n    z = "w" // last\n  }\n}\n',
        'target "a" {\n  contexts = {\n    x = "y", // first\n    z = "w", // last\n    n = "v"\n  }\n}\n',
    ),
    (
        'target "a" {\n  contexts = {\n    x = "y"\n    # the end\n  }\n}\n',
        'target "a" {\n  contexts = {\n    x = "y"\n    n = "v"\n    # the end\n  }\n}\n',
    ),
    (
        'target "a" {\n  contexts = {\n    "x"    = "y"\n    "long" = "w"\n  }\n}\n',
        'target "a" {\n  contexts = {\n    "x"    = "y"\n    "long" = "w"\n    "n"    = "v"\n  }\n}\n',
    ),
    (
        'target "a" {\n  contexts = {\n    # to come\n  }\n}\n',
        'target "a" {\n  contexts = {\n    "n" = "v"\n    # to come\n  }\n}\n',
    ),
    # there already
    ('target "a" {\n  contexts = { n = "old" } # c\n}\n', 'target "a" {\n  contexts = { n = "v" } # c\n}\n'),
    ('target "a" {\n  contexts = { "n" : "v" }\n}\n', 'target "a" {\n  contexts = { "n" : "v" }\n}\n'),
    # a new attribute
    (
        'target "a" {\n  context = "."\n  args = {\n    A = "b"\n  }\n}\n',
        'target "a" {\n  context = "."\n  contexts = { "n" = "v" }\n  args = {\n    A = "b"\n  }\n}\n',
    ),
    (
        'target "a" {\n    context    = "."  # here\n    dockerfile = "D"  # there\n\n    x = [\n    ]\n}',
        'target "a" {\n    context    = "."  # here\n    dockerfile = "D"  # there\n    contexts   = { "n" = "v" }\n\n'
        "    x = [\n    ]\n}",
    ),
    (
        'target "a" {\n  args = {\n    A = "b"\n  }\n}\n',
        'target "a" {\n  args = {\n    A = "b"\n  }\n  contexts = { "n" = "v" }\n}\n',
    ),
    (
        'target "a" {\n  dockerfile-inline = <<EOT\nFROM x\nEOT\n}\n',
        'target "a" {\n  dockerfile-inline = <<EOT\nFROM x\nEOT\n  contexts = { "n" = "v" }\n}\n',
    ),
    ('target "a" {}', 'target "a" {\n  contexts = { "n" = "v" }\n}'),
    ('target a {\n}\n', 'target a {\n  contexts = { "n" = "v" }\n}\n'),
    ('target "a" {\n  # nothing yet\n}\n', 'target "a" {\n  contexts = { "n" = "v" }\n  # nothing yet\n}\n'),
    (
        'group "g" {\n\ttargets = ["a"]\n}\ntarget "a" { context = "." }\n',
        'group "g" {\n\ttargets = ["a"]\n}\ntarget "a" {\n\tcontext = "."\n\tcontexts = { "n" = "v" }\n}\n',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), HCL)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_hcl(before: str, after: str, eol: str) -> None:
    # a file without a line break has none to follow
    assert edited(before.replace("\n", eol)) == (after.replace("\n", eol) if "\n" in before else after)


JSON = [
    ('{"target": {"a": {"contexts": {"x": "y"}}}}', '{"target": {"a": {"contexts": {"x": "y", "n": "v"}}}}'),
    ('{"target":{"a":{"contexts":{"x":"y"}}}}', '{"target":{"a":{"contexts":{"x":"y","n":"v"}}}}'),
    ('{"target": {"a": {"contexts": {}}}}', '{"target": {"a": {"contexts": {"n": "v"}}}}'),
    ('{"target": {"a": {"contexts": {"n": "o"}}}}', '{"target": {"a": {"contexts": {"n": "v"}}}}'),
    ('{"target": {"a": {}}}', '{"target": {"a": {"contexts": {"n": "v"}}}}'),
    ('{"target": {"a": {"x": ".", "y": {}}}}', '{"target": {"a": {"x": ".", "contexts": {"n": "v"}, "y": {}}}}'),
    (
        '{\n  "target": {\n    "a": {\n      "contexts": {\n        "x": 1\n      }\n    }\n  }\n}\n',
        '{\n  "target": {\n    "a": {\n      "contexts": {\n        "x": 1,\n        "n": "v"\n'
        "      }\n    }\n  }\n}\n",
    ),
    (
        '{\n "target": {\n  "a": {\n   "x": ".",\n   "y": [\n    "t"\n   ]\n  }\n }\n}',
        '{\n "target": {\n  "a": {\n   "x": ".",\n   "contexts": {\n    "n": "v"\n   },\n   "y": [\n    "t"\n'
        "   ]\n  }\n }\n}",
    ),
    (
        '{\n\t"target": {\n\t\t"a": {}\n\t}\n}\n',
        '{\n\t"target": {\n\t\t"a": {\n\t\t\t"contexts": {\n\t\t\t\t"n": "v"\n\t\t\t}\n\t\t}\n\t}\n}\n',
    ),
    ('{"target": [{"a": [{"context": "."}]}]}', '{"target": [{"a": [{"context": ".", "contexts": {"n": "v"}}]}]}'),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), JSON)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_json(before: str, after: str, eol: str) -> None:
    assert edited(before.replace("\n", eol), json=True) == after.replace("\n", eol)
    json_module.loads(after)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('target "b" {}', "there is no target a in the file"),
        ('target "a" {}\ntarget "a" {}', "the target a is declared 2 times"),
        ('target "a" {\n contexts = {}\n contexts = {}\n}', "the target a has contexts 2 times"),
        ('target "a" {\n contexts = merge({}, B)\n}', "contexts of the target a is computed: merge({}, B)"),
        ('target "a" {\n contexts = C\n}', "contexts of the target a is computed: C"),
        ('target "a" {\n contexts = null\n}', "contexts of the target a is computed: null"),
        ('target "a" {\n contexts = { (K) = "x" }\n}', "contexts has a computed key: (K)"),
        ('target "a" {\n contexts = { "${K}" = "x" }\n}', 'contexts has a computed key: "${K}"'),
        ('target "a" {\n contexts = { n = "x", "n" = "y" }\n}', "contexts has n 2 times"),
        ('target "a" {\n contexts = { n = "${V}" }\n}', 'the context is computed: "${V}"'),
        ('target "a" {\n contexts = { n = f(1) }\n}', "the context is computed: f(1)"),
        ('target "a" {\n contexts = { n = ("x") }\n}', "the context is given in brackets or as a heredoc"),
        ('target "a" {\n contexts = {\n  x = <<E\ny\nE\n }\n}', "the last of contexts is a heredoc"),
        ('target "a" {\n contexts { x = "y" }\n}', "the target a has contexts as a block, which bake rejects"),
        ('target "a" { context = "." /* c */ }', "the target a has an unusual layout"),
        ('target "a" {', "the file invalid HCL: the file ends in the middle of something "),
    ],
)
def test_what_cannot_be_edited_honestly(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        set_context(text, "a", "n", "v")
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize("json", [False, True])
def test_a_value_is_text_and_no_template(json: bool) -> None:
    text = '{"target": {"a": {}}}' if json else 'target "a" {}\n'
    after = edited(text, name="org/app:1 ${x}", value='%{if} "q" \\ $${y} \n é', json=json)
    assert bake_changes(text, after, json=json) == [
        (("target", "a", "contexts"), None, "object"),
        (
            ("target", "a", "contexts", "org/app:1 ${x}"),
            None,
            repr('%{if} "q" \\ $${y} \n é'),
        ),
    ]


NAMES = st.sampled_from(["n", "base", "org/app:latest", "k-1", "true", "in", "a b", "ü"])
VALUES = st.sampled_from(["target:base", "./x", "docker-image://a:1", "", 'q"', "${V}", "C:\\x"])
INDENTS = st.sampled_from(["", "  ", "    ", "\t"])
COMMENTS = st.sampled_from(["", " # c } {", ' // "x', " /* c = { */"])
EXPRESSIONS = st.sampled_from(
    ['"x"', '"${V}-}"', "[1]", "null", 'f("}")', "V == 1 ? 2 : 3", '{ k = "v" }', "[\n  1, # one\n]", '"\\"{"', "1 + 2"]
)  # fmt: skip


@st.composite
def objects(draw: st.DrawFn, indent: str) -> str:
    """A `contexts` object in some style."""
    keys = draw(st.lists(NAMES, max_size=3, unique=True))
    mark = draw(st.sampled_from([" = ", "=", ": ", " : "]))
    entries = [f'"{key}"{mark}"{draw(st.sampled_from(["a", "target:b"]))}"' for key in keys]
    if not draw(st.booleans()):
        return "{" + draw(st.sampled_from(["", " "])) + ", ".join(entries) + draw(st.sampled_from(["", " "])) + "}"
    commas = draw(st.booleans())
    last_comma = commas and draw(st.booleans())
    lines = []
    for number, entry in enumerate(entries):
        comma = "," if (commas and number < len(entries) - 1) or last_comma else ""
        lines.append(f"{indent}{indent}{entry}{comma}{draw(COMMENTS)}\n")
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(["\n", f"{indent}# more, {{\n"])))
    return "{" + draw(COMMENTS) + "\n" + "".join(lines) + indent + "}"


@st.composite
def bake_files(draw: st.DrawFn) -> str:
    """A bake file with a target `a` among others."""
    indent = draw(INDENTS)
    blocks = []
    for name in draw(st.permutations(["a", "b"])):
        attributes = []
        for key in draw(st.lists(st.sampled_from(["context", "dockerfile", "args", "x"]), max_size=3, unique=True)):
            pad = draw(st.sampled_from([" ", "   "]))
            attributes.append(f"{indent}{key}{pad}= {draw(EXPRESSIONS)}{draw(COMMENTS)}\n")
        if draw(st.booleans()):
            attributes.append(f"{indent}contexts = {draw(objects(indent))}{draw(COMMENTS)}\n")
        if draw(st.booleans()):
            attributes.append(f"{indent}dockerfile-inline = <<-EOT\n  FROM {{ x\n  EOT\n")
        blocks.append(f'target "{name}" {{{draw(COMMENTS)}\n{"".join(draw(st.permutations(attributes)))}}}\n')
    text = draw(st.sampled_from(["", "# top\n", "/* a\n b */\n", "V = 1\n"])) + "\n".join(blocks)
    text = text if draw(st.booleans()) else text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=150, deadline=None)
@given(bake_files(), NAMES, VALUES)
def test_any_hcl_file_changes_in_the_context_and_nothing_else(text: str, name: str, value: str) -> None:
    try:
        edits = set_context(text, "a", name, value)
    except Refused:
        return
    after = apply_edits(text, edits)
    path = ("target", "a", "contexts", name)
    changes = [change for change in bake_changes(text, after) if change != (path[:-1], None, "object")]
    assert [(where, new) for where, _, new in changes] == ([(path, repr(value))] if edits else [])
    assert set_context(after, "a", name, value) == ()
    assert ("\r\n" in text) == ("\r\n" in after) or "\n" not in text
    assert after.count("\n") - after.count("\r\n") == 0 or "\r\n" not in text
    assert text.endswith("\n") == after.endswith("\n")


MEMBERS = st.dictionaries(
    st.sampled_from(["context", "tags", "args", "target"]),
    st.sampled_from(["x", 1, None, ["t"], {"k": "v"}]),
    max_size=3,
)
CONTEXTS = st.dictionaries(st.sampled_from(["n", "base", "a/b:c"]), st.sampled_from(["x", "target:y"]), max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    MEMBERS,
    st.none() | CONTEXTS,
    st.sampled_from([None, 1, 2, 4, "\t"]),
    st.sampled_from([(", ", ": "), (",", ":")]),
    st.booleans(),
    st.sampled_from(["n", "base", "new"]),
    VALUES,
)
def test_any_json_file_changes_in_the_context_and_nothing_else(
    members: dict[str, object],
    contexts: dict[str, str] | None,
    indent: int | str | None,
    separators: tuple[str, str],
    crlf: bool,
    name: str,
    value: str,
) -> None:
    body = dict(members) if contexts is None else {**members, "contexts": contexts}
    text = json_module.dumps({"target": {"b": {"context": "."}, "a": body}}, indent=indent, separators=separators)
    text = text.replace("\n", "\r\n") if crlf else text
    after = apply_edits(text, set_context(text, "a", name, value, json=True))
    data = json_module.loads(after)
    written = value.replace("${", "$${")
    assert data["target"]["a"].pop("contexts") == {**(contexts or {}), name: written}
    assert data == {"target": {"b": {"context": "."}, "a": members}}
    assert parse_bake(after, json=True)
    assert set_context(after, "a", name, value, json=True) == ()
    if indent is not None and not crlf and contexts and name not in contexts and separators[0] == ",":
        assert after == json_module.dumps(json_module.loads(after), indent=indent, separators=separators)


def test_changes_have_their_paths() -> None:
    before = '# one\nV = 1\ntarget "a" {\n  args = { A = "b", B = f( 1 ) }\n}\n'
    assert (
        bake_changes(before, '# one\n\nV    = 1\ntarget a {\n  args = {\n    "A" : "b"\n    B = f( 1 )\n  }\n}') == []
    )
    assert bake_changes(before, before.replace('"b"', "2").replace("# one", "// two")) == [
        (("target", "a", "args", "A"), "'b'", "2"),
        (("#", "0"), "# one", "// two"),
    ]
    assert bake_changes(before, before.replace("# one\n", "")) == [(("#", "0"), "# one", None)]
    assert bake_changes(before, before.replace("f( 1 )", "f( 2 )")) == [
        (("target", "a", "args", "B"), "f( 1 )", "f( 2 )"),
    ]
    swapped = 'target "a" {\n  args = { B = f( 1 ), A = "b" }\n}\n'
    assert bake_changes(before.removeprefix("# one\nV = 1\n"), swapped) == [(("target", "a", "args", "A"), "'b'", None)]
