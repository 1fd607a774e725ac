"""The tables of Python distributions: consistent, and true for the distributions installed here."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions

import pytest

from dockfix_codemods.unused_python_deps import table
from dockfix_codemods.unused_python_deps.names import import_names, loaders_in_code, needed_by_others

NORMAL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-?")


def test_names_are_normalised_and_modules_are_modules() -> None:
    words = (table.HEAVY, table.HOSTS, table.LEAN, table.PICKLED, table.NOT_IMPORTED, table.ONLY_IN_CLOSURES)
    names = [*table.IMPORTS, *table.LOADED_BY, *table.LOADED_FOR, *table.NAMESPACES]
    names += [name for each in (*words, table.INTEGRATORS) for name in each]
    names += [name for keepers in table.LOADED_BY.values() for name in keepers]
    assert [name for name in names if not NORMAL.fullmatch(name)] == []
    modules = [module for row in (*table.IMPORTS.values(), *table.NAMESPACES.values()) for module in row]
    assert [module for module in modules if not all(part.isidentifier() for part in module.split("."))] == []


def test_a_distribution_is_checked_or_not() -> None:
    assert not set(table.IMPORTS) & table.NOT_IMPORTED
    assert set(table.LOADED_BY) <= set(table.IMPORTS), "a row of a distribution that is never checked has no effect"
    assert set(table.IMPORTS) >= table.HEAVY
    assert not table.HOSTS & set(table.IMPORTS)


def test_installed_distributions_have_the_modules_of_the_table() -> None:
    given: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            given.setdefault(re.sub(r"[-_.]+", "-", distribution).lower(), set()).add(module)
    wrong = {
        name: modules
        for name, modules in table.IMPORTS.items()
        if name in given and not {each.partition(".")[0] for each in modules} & given[name]
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("distribution", "modules"),
    [
        ("pyjwt", ("jwt",)),
        ("google-cloud-storage", ("google.cloud.storage",)),
        ("llama-index-readers-youtube-transcript", ("llama_index.readers.youtube_transcript",)),
        ("llama-index-storage-docstore-redis", ("llama_index.storage.docstore.redis",)),
        ("llama-index-llms-openai", None),
        ("psycopg2-binary", None),
        ("types-requests", None),
        ("pytest-cov", None),
        ("nobody-knows-this", None),
    ],
)
def test_import_names(distribution: str, modules: tuple[str, ...] | None) -> None:
    assert import_names(distribution) == modules


def test_loaders_of_a_beginning_and_of_a_name_add_up() -> None:
    assert loaders_in_code("llama-index-readers-file") == ("SimpleDirectoryReader", "download_loader")
    assert loaders_in_code("llama-index-readers-web") == ("download_loader",)
    assert loaders_in_code("stripe") == ()


@pytest.mark.parametrize(
    ("distribution", "installed", "imported", "kept"),
    [
        ("openai", {"openai", "langchain-openai"}, set(), True),
        ("stripe", {"stripe", "langchain"}, set(), True),
        ("langchain-groq", {"langchain-groq", "langchain"}, set(), False),
        ("numpy", {"numpy", "flask"}, set(), False),
        ("numpy", {"numpy", "flask", "nobody-knows-this"}, set(), True),
        ("numpy", {"numpy", "pandas"}, set(), False),
        ("numpy", {"numpy", "pandas"}, {"pandas"}, True),
        ("prometheus-client", {"prometheus-client", "fastapi"}, set(), False),
        ("stripe", {"stripe"}, set(), False),
    ],
)
def test_needed_by_others(distribution: str, installed: set[str], imported: set[str], kept: bool) -> None:
    assert needed_by_others(distribution, installed, imported) is kept
