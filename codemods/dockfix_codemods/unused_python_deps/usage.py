"""Whether the files of a build use a distribution: import one of its modules, or name it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from dockfix_codemods.unused_python_deps.copied import CopiedFiles, CopiedText
from dockfix_codemods.unused_python_deps.imports import (
    Imports,
    imports_of,
    may_import_by_name,
    may_run_dynamic_code,
)


def _normal(text: str) -> str:
    """A text with the names of distributions normalised, as in `Usage.uses`."""
    return text.lower().replace("_", "-").replace(".", "-")


class Usage:
    """Answers whether the files of a build use a distribution. A file is parsed only if its text could say so.

    Args:
        files: what the build copies.
        texts: other texts that may name modules: the commands of the image, compose files.
    """

    def __init__(self, files: CopiedFiles, texts: Iterable[str] = ()) -> None:
        self._python = [file for file in files.python if not file.label.endswith(("/setup.py", ".pyi"))]
        self._texts = [(text, _normal(text)) for text in (*(file.text for file in files.others), *texts)]
        self._parsed: dict[str, Imports | None] = {}
        self._normal: dict[str, str] = {}
        self._importing: dict[str, bool] = {}

    def uses(self, distribution: str, modules: Sequence[str], loaders: Sequence[str] = ()) -> bool:
        """Whether a file imports one of the modules, or names one, the distribution, or a loader of it.

        `distribution` is its normalised name; `loaders` are names in a program that make a library load it.
        """
        spelled = re.escape(distribution).replace(r"\-", "[-_.]")
        name = re.compile(rf"(?<![\w./-])(?i:{spelled})(?![\w-])")
        named = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, modules))})(?![\w-])")
        for text, normal in self._texts:
            if distribution in normal and name.search(text):
                return True
            if any(module in text for module in modules) and named.search(text):
                return True
        begins = re.compile(rf"(?m)^(?:from|import)[ \t]+(?:{'|'.join(map(re.escape, modules))})\b")
        # A file that seems to import it at the top comes first: then the others need not be parsed.

        def later(file: CopiedText) -> bool:
            return not any(module in file.text for module in modules) or begins.search(file.text) is None

        for file in sorted(self._python, key=later):
            if file.label not in self._normal:
                self._normal[file.label] = _normal(file.text)
            words = (name, named) if distribution in self._normal[file.label] else (named,)
            if self._file_uses(file, words, modules, loaders):
                return True
        return False

    def _file_uses(
        self, file: CopiedText, named: Sequence[re.Pattern[str]], modules: Sequence[str], loaders: Sequence[str]
    ) -> bool:
        text = file.text
        spelled = any(all(part in text for part in module.split(".")) for module in modules)
        mentioned = spelled or any(name in text for name in loaders) or any(each.search(text) for each in named[:-1])
        if not mentioned:
            if file.label not in self._importing:
                self._importing[file.label] = may_import_by_name(text)
            return self._importing[file.label] and self._imports_prefix(file, modules)
        imports = self._imports(file)
        if imports is None:
            return any(each.search(text) for each in named)
        if imports.names & set(loaders) or any(each.search(imports.strings) for each in named):
            return True
        for module in modules:
            if any(f"{each}.".startswith(f"{module}.") for each in imports.modules):
                return True
        return self._imports_prefix(file, modules)

    def _imports_prefix(self, file: CopiedText, modules: Sequence[str]) -> bool:
        imports = self._imports(file)
        return imports is not None and any(m.startswith(prefix) for prefix in imports.prefixes for m in modules)

    def _imports(self, file: CopiedText) -> Imports | None:
        if file.label not in self._parsed:
            self._parsed[file.label] = imports_of(file.text)
        return self._parsed[file.label]

    @cached_property
    def dynamic_blocker(self) -> str | None:
        """Where an unknown module is imported, or code created at run time is executed; None if nowhere."""
        for file in self._python:
            if may_run_dynamic_code(file.text):
                imports = self._imports(file)
                if imports is None:
                    return f"{file.label} cannot be parsed"
                if imports.by:
                    return f"{file.label} calls `{imports.by}` with an unknown argument"
        return None

    @cached_property
    def unpickles(self) -> bool:
        """Whether a file loads pickles, which import the modules of their objects."""
        return any(
            re.search(r"\b(?:pickle|joblib|cloudpickle|dill)\b", file.text)
            and self.uses("pickle", ("pickle", "joblib", "cloudpickle", "dill", "_pickle"))
            for file in self._python
        )

    @property
    def count(self) -> int:
        """The number of Python files."""
        return len(self._python)
