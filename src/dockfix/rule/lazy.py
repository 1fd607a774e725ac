"""Functions and classes that are named, and imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from msgspec import Struct


class LazyFunction(Struct, frozen=True):
    """A function of a module that is imported when the function is first called.

    With it a run imports the modules of only those rules that may apply to a file. An error of the import is then a
    defect of the rule, not of the pack.
    """

    module: str
    """The absolute name of the module."""
    name: str
    """The function's name in it."""

    def resolve(self) -> Callable[[Any], Any]:
        """The function itself."""
        function: Callable[[Any], Any] = getattr(import_module(self.module), self.name)
        return function

    def __call__(self, argument: Any) -> Any:
        """Call the function."""
        return self.resolve()(argument)


class LazyClass(Struct, frozen=True):
    """A class of a module that is imported when the class is first needed, such as the options of a rule."""

    module: str
    """The absolute name of the module."""
    name: str
    """The class's name in it."""

    def resolve(self) -> type[Any]:
        """The class itself."""
        found: type[Any] = getattr(import_module(self.module), self.name)
        return found
