"""How certain a fact is (known, one of several values, or unknown with a reason), and the exception of a refusal.

Codemods act on what is `Known`; for the rest they refuse or offer an unsafe fix.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Known(Struct, Generic[T_co], frozen=True):
    """A fact that is true of every build of this Dockerfile that dockfix knows of."""

    value: T_co


class OneOf(Struct, Generic[T_co], frozen=True):
    """A fact with several possible values (for example, two compose files pass different arguments)."""

    values: tuple[T_co, ...]


class Unknown(Struct, frozen=True):
    """A fact that cannot be determined from the files; `why` completes the sentence "unknown, because ..."."""

    why: str


class Refused(Exception):  # noqa: N818 - a decision, not an error
    """Raised by a function that cannot do its work; `reason` says why, and completes "not fixed: ..."."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Fact: TypeAlias = Known[T] | OneOf[T] | Unknown


def known(fact: Fact[T] | None, default: T | None = None) -> T | None:
    """The value of a known fact, otherwise `default`."""
    return fact.value if isinstance(fact, Known) else default
