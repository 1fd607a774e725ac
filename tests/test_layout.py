"""The layout of the house: which module may import which, who may print, what may be committed."""

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
LAYERS = ("syntax", "facts", "project", "codemod", "engine", "testing", "api", "output", "verify", "cli")
RANK = {name: rank for rank, name in enumerate(LAYERS)}
# Only these print, read the environment and exit. `__main__` is how `python -m dockfix` reaches the cli.
OUTERMOST = {"output", "verify", "cli", "__main__"}
# What `dockfix.api` makes public is what a codemod works with.
API_IMPORTS = {"syntax", "facts", "project", "codemod"}

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
    """Give line and absolute dotted name of each import, wherever it stands in the module.

    `from a import b` gives `a.b`, as `b` may be a module.
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
    if name.startswith("dockfix.codemod.testing"):
        return "testing"  # it runs the engine
    return parts[1] if parts[0] == "dockfix" and len(parts) > 1 and not parts[1].startswith("__version") else None


def may_import(importer: str, target: str) -> bool:
    """Whether a module of layer `importer` may import one of layer `target`, both parts of dockfix."""
    if importer == "api":
        return target in API_IMPORTS
    if importer == "codemods":
        return target in {"api", "codemods"}
    if importer == "__main__":
        return target == "cli"
    # The pack is found through its entry point, so that it has no privilege. Nothing imports it, and nothing that is
    # imported by `dockfix.api` imports that.
    if target == "api":
        return RANK[importer] > RANK["api"]
    return target in RANK and RANK[target] <= RANK[importer]


def import_faults(name: str, source: str, is_package: bool = False) -> list[str]:
    """The imports of a module that the order of the layers forbids, one message each."""
    here = layer(name)
    faults = []
    for line, target in imported(name, source, is_package):
        there = layer(target)
        if there is None:
            standard = target.split(".")[0] in sys.stdlib_module_names | {"__future__"}
            if here == "codemods" and not standard:
                faults.append(f"{name}:{line} imports {target}: a codemod imports dockfix.api and the standard library")
        elif here is None or not may_import(here, there):
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
    parts = {layer(name) for name, _ in modules(SRC)} - {None, "__main__"}
    assert parts <= set(LAYERS)
    assert {"syntax", "facts", "project", "codemod", "engine"} <= parts


def test_imports_run_one_way() -> None:
    faults = [
        fault
        for root in (SRC, PACK)
        for name, path in modules(root)
        for fault in import_faults(name, path.read_text(encoding="utf-8"), path.name == "__init__.py")
    ]
    assert faults == []


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
        ("dockfix.facts.stages", "from ..codemod import model"),
        ("dockfix.codemod.registry", "from dockfix.api import Fix"),
        ("dockfix.codemod.model", "from dockfix.engine.results import Defect"),
        ("dockfix.codemod.registry", "import dockfix_codemods"),
        ("dockfix.api", "from dockfix.output.diff import unified"),
        ("dockfix.output.diff", "from dockfix.cli import main"),
        ("dockfix", "from dockfix.syntax import parser"),
        ("dockfix_codemods.cache_mount", "from dockfix.facts.model import Known"),
        ("dockfix_codemods.cache_mount", "from dockfix.codemod import surgery"),
        ("dockfix_codemods.cache_mount", "import libcst"),
    ],
)
def test_an_import_against_the_order_is_seen(name: str, source: str) -> None:
    assert len(import_faults(name, source)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("dockfix.syntax.words", "import re\nimport tree_sitter\nfrom .source import Span"),
        ("dockfix.cli.apply", "from dockfix import __version__\nfrom dockfix.api import parse\nimport typer"),
        ("dockfix.api", "from dockfix.syntax.parser import parse\nfrom .codemod.model import Fix"),
        ("dockfix.__main__", "from dockfix.cli import main"),
        ("dockfix_codemods.cache_mount", "import re\nfrom dockfix.api import Fix\nfrom . import helpers"),
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


# Packages whose docstring is an index of their modules.
INDEXED = ("syntax", "syntax/shell", "syntax/words", "facts", "facts/tables")
# Modules that only one rule uses: they belong to that rule, and so are in no index.
OF_ONE_RULE = {
    "facts": set(
        """
        account_numbers apk build_comments buildtools crossing devdeps distributions downloads execform fetching masking
        patterns pipes processes retries scripts sed turbo versions
        """.split()  # noqa: SIM905 - a list of quoted words would be no clearer
    ),
    "facts/tables": {"python_distributions"},
}


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
    assert index_faults(docstring or "", names - {"__init__"} - OF_ONE_RULE.get(package, set())) == []


def test_what_an_index_lacks_is_seen() -> None:
    index = "What.\n\n- `a`: one.\n- `b`: two.\n- `b`: again.\n"
    assert index_faults(index, {"a", "b"}) == ["b is listed twice"]
    assert index_faults(index.replace("- `b`: again.\n", ""), {"a", "c"}) == ["b is no module", "c is not listed"]
    assert index_faults("- `a`:\n", {"a"}) == ["a is not listed"]


def import_cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or through others."""
    reached: dict[str, set[str]] = {}
    for name in edges:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for target in edges.get(waiting.pop(), set()) - found:
                found.add(target)
                waiting.append(target)
        reached[name] = found
    groups = {
        tuple(sorted(each for each in reached[name] if name in reached.get(each, set())))
        for name in edges
        if name in reached[name]
    }
    return [list(group) for group in sorted(groups)]


@pytest.mark.parametrize("part", ["syntax", "facts"])
def test_no_modules_import_each_other(part: str) -> None:
    """Imports for type checkers count, and those inside functions: what needs them is not apart."""
    found = {name: path for name, path in modules(SRC) if layer(name) == part}
    edges: dict[str, set[str]] = {}
    for name, path in found.items():
        targets = {
            target if target in found else target.rpartition(".")[0]
            for _, target in imported(name, path.read_text(encoding="utf-8"), path.name == "__init__.py")
        }
        edges[name] = (targets & found.keys()) - {name}
    assert import_cycles(edges) == []


def test_a_cycle_is_seen() -> None:
    assert import_cycles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]
    assert import_cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


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
