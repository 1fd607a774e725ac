"""The layout: which module may import which, where things live, who may print, what may be committed."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
PACK = ROOT / "codemods"

# A module imports from its own layer and from those before it.
LAYERS = (
    "ended", "syntax", "facts", "project", "edit", "rule", "engine", "testing", "interop", "verify", "output", "report",
    "git", "library", "server", "cli",
)  # fmt: skip
RANK = {name: rank for rank, name in enumerate(LAYERS)}
# Only these print, read the environment and exit. `__main__` is how `python -m dockfix` reaches the cli.
OUTERMOST = {"output", "verify", "git", "server", "cli", "__main__"}
# What a codemod works with; a third party's pack has the same.
CODEMOD_IMPORTS = {"syntax", "facts", "project", "edit", "rule", "codemods"}
# Packages that dockfix itself depends on and whose values codemods work with.
CODEMOD_PACKAGES = {"libcst", "msgspec"}
_ALLOWED = f"dockfix, the standard library, {' and '.join(sorted(CODEMOD_PACKAGES))}"
# The face of the library: `import dockfix`.
FACE_IMPORTS = {"syntax", "facts", "project", "edit", "rule", "engine", "git", "library"}

FORBIDDEN_NAMES = {"print", "input", "exit", "quit", "breakpoint", "SystemExit"}
FORBIDDEN_MEMBERS = {
    "os": {"environ", "environb", "getenv", "getenvb", "_exit", "putenv"},
    "sys": {"exit", "stdout", "stderr", "stdin", "argv"},
}


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Give each module below `root` with its dotted name; a package has the name of its folder."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(name: str, source: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of each import, anywhere in the module.

    `from a import b` is `a.b`, since `b` may be a module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = name.split(".")
                dropped = node.level - 1 if is_package else node.level
                base = ".".join([*parent[: len(parent) - dropped], *filter(None, [base])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def layer(name: str) -> str | None:
    """The part of dockfix that a dotted name belongs to; none for `dockfix.__version__` and for other packages."""
    parts = name.split(".")
    if parts[0] == "dockfix_codemods":
        return "codemods"
    return parts[1] if parts[0] == "dockfix" and len(parts) > 1 and not parts[1].startswith("__version") else None


def may_import(importer: str | None, target: str) -> bool:
    """Whether a module of layer `importer` may import one of layer `target`, both parts of dockfix."""
    if importer is None:
        return target in FACE_IMPORTS
    if importer == "codemods":
        return target in CODEMOD_IMPORTS
    if importer == "__main__":
        return target == "cli"
    # The built-in pack is found through its entry point, as any other: nothing imports it.
    return target in RANK and RANK[target] <= RANK[importer]


def import_faults(name: str, source: str, is_package: bool = False) -> list[str]:
    """The imports of a module that the order of the layers forbids, one message each."""
    here = layer(name)
    faults = []
    for line, target in imported(name, source, is_package):
        there = layer(target)
        if there is None:
            standard = target.split(".")[0] in sys.stdlib_module_names | {"__future__"} | CODEMOD_PACKAGES
            if here == "codemods" and not standard:
                faults.append(f"{name}:{line} imports {target}: a codemod imports {_ALLOWED}")
        elif not may_import(here, there):
            faults.append(f"{name}:{line} imports {target}: {here or 'dockfix'} must not import {there}")
    return faults


def effect_faults(name: str, source: str) -> list[str]:
    """The places where a module prints, exits or reads the environment, one message each."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name_used, ctx=ast.Load()) if name_used in FORBIDDEN_NAMES:
                faults.append(f"{name}:{node.lineno} uses {name_used}")
            case ast.Attribute(value=ast.Name(id=owner), attr=member) if member in FORBIDDEN_MEMBERS.get(owner, ()):
                faults.append(f"{name}:{node.lineno} uses {owner}.{member}")
            case ast.ImportFrom(module=str(owner), names=aliases, level=0):
                members = sorted({alias.name for alias in aliases} & FORBIDDEN_MEMBERS.get(owner, set()))
                faults += [f"{name}:{node.lineno} imports {owner}.{member}" for member in members]
    return faults


def test_every_part_of_dockfix_has_its_place_in_the_order() -> None:
    parts = {layer(name) for name, _ in modules(SRC)} - {None, "__main__", "_version"}  # the build writes the latter
    assert parts <= set(LAYERS)
    assert {"syntax", "facts", "project", "edit", "rule", "engine"} <= parts


def test_imports_run_one_way() -> None:
    faults = [
        fault
        for root in (SRC, PACK)
        for name, path in modules(root)
        for fault in import_faults(name, path.read_text(encoding="utf-8"), path.name == "__init__.py")
    ]
    assert faults == []


def import_graph() -> dict[str, set[str]]:
    """Every module of dockfix and its pack with the modules that it imports, for types alone and in functions too."""
    known = {name: path for root in (SRC, PACK) for name, path in modules(root)}
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        found = set()
        for _, target in imported(name, path.read_text(encoding="utf-8"), path.name == "__init__.py"):
            module = target if target in known else target.rpartition(".")[0]
            if module in known and module != name:
                found.add(module)
        graph[name] = found
    return graph


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        todo = [start]
        while todo:
            fresh = graph.get(todo.pop(), set()) - seen
            seen |= fresh
            todo += fresh
        reached[start] = seen
    circular = [name for name in graph if name in reached[name]]
    groups = {
        frozenset(other for other in circular if other in reached[name] and name in reached[other]) for name in circular
    }
    return sorted(sorted(group) for group in groups)


def rule_of(module: str) -> str | None:
    """The rule that a module of the built-in pack belongs to; none for the pack itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "dockfix_codemods" and len(parts) > 1 and parts[1] != "index" else None


def owned_by_one_rule(graph: dict[str, set[str]]) -> dict[str, str]:
    """The modules of `src` that exactly one rule uses, directly or through others that only it uses."""
    users: dict[str, set[str]] = {name: set() for name in graph}
    for name, targets in graph.items():
        for target in targets:
            users[target].add(name)
    owner = {name: rule for name in graph if (rule := rule_of(name)) is not None}
    candidates = [name for name in graph if rule_of(name) is None and layer(name) in CODEMOD_IMPORTS - {"codemods"}]
    found = True
    while found:
        found = False
        for name in candidates:
            owners = {owner.get(user) for user in users[name]}
            if name not in owner and len(owners) == 1 and None not in owners:
                owner[name] = str(owners.pop())
                found = True
    return {name: rule for name, rule in owner.items() if rule_of(name) is None}


def test_no_modules_import_each_other() -> None:
    assert cycles(import_graph()) == []


def test_a_cycle_is_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert cycles(graph) == [["b", "c"]]


def test_what_one_rule_alone_uses_lives_with_that_rule() -> None:
    assert owned_by_one_rule(import_graph()) == {}


def test_a_module_that_one_rule_alone_uses_is_seen() -> None:
    graph = {
        "dockfix_codemods.one": {"dockfix.facts.deep", "dockfix.facts.shared"},
        "dockfix_codemods.two.analysis": {"dockfix.facts.shared"},
        "dockfix.facts.deep": {"dockfix.facts.deeper"},
        "dockfix.facts.deeper": {"dockfix.facts.shared"},
        "dockfix.facts.shared": set(),
    }
    assert owned_by_one_rule(graph) == {"dockfix.facts.deep": "one", "dockfix.facts.deeper": "one"}


def test_only_the_outermost_layers_print_exit_or_read_the_environment() -> None:
    faults = [
        fault
        for root in (SRC, PACK)
        for name, path in modules(root)
        if layer(name) not in OUTERMOST
        for fault in effect_faults(name, path.read_text(encoding="utf-8"))
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("dockfix.syntax.words", "import dockfix.facts.model"),
        ("dockfix.syntax.words", "from dockfix import cli"),
        ("dockfix.facts.stages", "def f() -> None:\n    from dockfix.project.ignore import x"),
        ("dockfix.facts.stages", "from ..rule import model"),
        ("dockfix.edit.yaml", "from dockfix.rule.model import Fix"),
        ("dockfix.rule.registry", "import dockfix_codemods"),
        ("dockfix.rule.model", "from dockfix.engine.gates import check_gates"),
        ("dockfix.output.diff", "from dockfix.cli import main"),
        ("dockfix", "from dockfix.cli import app"),
        ("dockfix_codemods.cache_mount", "from dockfix.engine.gates import check_gates"),
        ("dockfix_codemods.cache_mount", "from dockfix.output.diff import unified"),
        ("dockfix_codemods.cache_mount", "import typer"),
    ],
)
def test_an_import_against_the_order_is_seen(name: str, source: str) -> None:
    assert len(import_faults(name, source)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("dockfix.syntax.words", "import re\nimport tree_sitter\nfrom .source import Span"),
        ("dockfix.cli.apply", "from dockfix import __version__\nfrom dockfix.engine.run import run\nimport typer"),
        ("dockfix", "from dockfix.syntax.parser import parse\nfrom .rule.model import Fix"),
        ("dockfix.__main__", "from dockfix.cli import main"),
        ("dockfix_codemods.cache_mount", "import re\nfrom dockfix.rule import Fix\nfrom . import helpers"),
    ],
)
def test_an_import_along_the_order_is_allowed(name: str, source: str) -> None:
    assert import_faults(name, source) == []


def test_a_relative_import_is_resolved_from_the_package() -> None:
    package, module = "dockfix.facts", "dockfix.facts.stages"
    assert import_faults(package, "from ..project import ignore", is_package=True) != []
    assert import_faults(package, "from .project import ignore", is_package=True) == []
    assert import_faults(module, "from ..project import ignore") != []
    assert import_faults(module, "from .project import ignore") == []


@pytest.mark.parametrize(
    "source",
    [
        "print('x')",
        "import sys\nsys.exit(1)",
        "raise SystemExit",
        "import os\nhome = os.environ['HOME']",
        "from os import getenv",
        "import sys\nsys.stderr.write('x')",
    ],
)
def test_an_effect_is_seen(source: str) -> None:
    assert len(effect_faults("dockfix.syntax.words", source)) == 1


# Hosts that serve packages. Those of documentation (docs., doc., guides.) are sources and may be cited.
# In pieces, so that this file does not contain what it looks for.
REGISTRY_HOSTS = (
    *(("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("registry", "yarnpkg", "com"), ("crates", "io")),
    *(("proxy", "golang", "org"), ("rubygems", "org"), ("repo", "packagist", "org"), ("api", "nuget", "org")),
)
FORBIDDEN_TEXT = re.compile(
    "|".join(
        [
            *(
                r"(?<!docs\.)(?<!doc\.)(?<!guides\.)" + re.escape(".".join(host)) + r"(?![\w-])"
                for host in REGISTRY_HOSTS
            ),
            *(f"/{folder}(?![\\w-])" for folder in ("work/shared", r"work/\.[a-z]+", "tmp/wt", "opt/py" + "pi[a-z-]*")),
        ]
    )
)


def committed_files() -> list[Path]:
    """The files of this checkout that git tracks; skips the test where there is no checkout."""
    try:
        listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listing.stdout.decode("utf-8", "surrogateescape").split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_committed_file_names_this_machine_or_a_package_registry() -> None:
    # A checkout in a short path such as /app says nothing about the machine, and would be found in any Dockerfile.
    checkout = str(ROOT) if len(ROOT.parts) > 3 else None
    faults = []
    for path in committed_files():
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        faults += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN_TEXT.finditer(text)]
        if checkout is not None and checkout in text:
            faults.append(f"{path.relative_to(ROOT)}: {checkout}")
    assert faults == []


def test_a_registry_host_is_seen() -> None:
    host = "files." + ".".join(REGISTRY_HOSTS[1])
    assert FORBIDDEN_TEXT.search(f"--index-url https://{host}/simple") is not None
    assert FORBIDDEN_TEXT.search("guides." + ".".join(REGISTRY_HOSTS[6])) is None
    assert FORBIDDEN_TEXT.search("WORKDIR /work/src") is None


# Packages whose docstring is an index of their modules.
INDEXED = (
    "syntax", "syntax/shell", "syntax/words", "facts", "facts/accounts", "facts/tables", "facts/caches",
    "facts/health", "facts/packages", "facts/uv_installs", "edit", "edit/dockerfile", "project",
    "project/compose", "project/bake", "rule", "engine", "verify", "verify/builders", "output", "cli",
)  # fmt: skip


def index_faults(docstring: str, names: set[str]) -> list[str]:
    """What an index says twice, says of no module, or leaves out, one message each."""
    listed = re.findall(r"^- `(\w+)`: \S.*\.$", docstring, re.MULTILINE)
    faults = [f"{name} is listed twice" for name in sorted({name for name in listed if listed.count(name) > 1})]
    faults += [f"{name} is no module" for name in sorted(set(listed) - names)]
    return faults + [f"{name} is not listed" for name in sorted(names - set(listed))]


@pytest.mark.parametrize("package", INDEXED)
def test_a_package_opens_with_an_index_of_its_modules(package: str) -> None:
    folder = SRC / "dockfix" / package
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert index_faults(docstring or "", names - {"__init__"}) == []


def test_what_an_index_lacks_is_seen() -> None:
    index = "What.\n\n- `a`: one.\n- `b`: two.\n- `b`: again.\n"
    assert index_faults(index, {"a", "b"}) == ["b is listed twice"]
    assert index_faults(index.replace("- `b`: again.\n", ""), {"a", "c"}) == ["b is no module", "c is not listed"]
    assert index_faults("- `a`:\n", {"a"}) == ["a is not listed"]


REASONS = {"why", "reason", "blocker", "caveat", "unknown", "unbounded"}


def reason_faults(source: str) -> list[str]:
    """The fields for a reason with "" as their default, which must be None: one way to say that there is none."""
    return [
        node.target.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in REASONS
        if isinstance(node.value, ast.Constant) and node.value.value == ""
    ]


def test_a_missing_reason_is_none() -> None:
    layers = [SRC / "dockfix" / name for name in ("syntax", "facts", "project", "edit", "rule", "engine")]
    found = [
        (name, reason_faults(path.read_text(encoding="utf-8")))
        for root in (*layers, PACK)
        for name, path in modules(root)
    ]
    assert [each for each in found if each[1]] == []
    assert reason_faults('class A:\n    why: str = ""\n    note: str = ""\n    reason: str | None = None\n') == ["why"]
