"""Writes bytes to standard output and error. It loads nothing that takes long."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from dockfix.cli.errors import OutputClosed

TYPE_CHECKING = False  # `typing` takes longer to load than this module is used
if TYPE_CHECKING:
    from typing import Final, TextIO

__all__ = ["TAPE", "write_bytes"]

TAPE: Final[ContextVar[list[tuple[int, bytes]] | None]] = ContextVar("dockfix_tape", default=None)
"""Collects what is written to standard output (1) and standard error (2), if a list is set."""


def write_bytes(stream: TextIO, data: bytes) -> None:
    """Write bytes to standard output or standard error.

    Raises:
        OutputClosed: nobody reads it, or it cannot be written.
    """
    tape = TAPE.get()
    if tape is not None:
        tape.append((1 if stream is sys.stdout else 2, data))
    try:
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputClosed((error.strerror or str(error)).lower()) from error
