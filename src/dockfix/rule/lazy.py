"""A function that is named, and imported when it is first called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["LazyFunction"]


@dataclass(frozen=True, slots=True)
class LazyFunction:
    """A function of a module that is imported when the function is first called.

    A pack that names its functions so costs a run only the modules of the rules that some file gives work to. An error
    of the import is then one of the rule, and not of the pack.
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
