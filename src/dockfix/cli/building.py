"""The builder of a command, with its temporary folder and its clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from dockfix.cli.console import Console, shown
from dockfix.cli.ending import cleaned_up
from dockfix.cli.errors import INTERRUPTED
from dockfix.cli.progress import BuildProgress

if TYPE_CHECKING:
    from dockfix.verify.model import Builder
    from dockfix.verify.session import OnEvent, VerifyOptions

__all__ = ["Building", "BuildsGiven", "building"]

_PREFIX: Final = "dockfix-verify-"


class BuildsGiven(Struct, frozen=True):
    """The options about builds on the command line; None for what was not given."""

    builder: str | None = None
    runs: int | None = None
    timeout: float | None = None
    max_context: int | None = None
    quick: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The options that were given."""
        return tuple(
            f"--{name.replace('_', '-')}"
            for name, value in asdict(self).items()
            if value is not None and value is not False
        )

    @property
    def options(self) -> VerifyOptions:
        """The options of the session."""
        from dockfix.verify.session import VerifyOptions  # noqa: PLC0415 - only builds need it

        values: dict[str, Any] = {name: value for name, value in asdict(self).items() if value is not None}
        values.pop("builder", None)
        return VerifyOptions(**values, scenarios=not self.quick)


class Building(Struct, frozen=True):
    """What a session of builds needs."""

    builder: Builder
    folder: Path
    on_event: OnEvent


@contextmanager
def building(given: BuildsGiven, terminal: Console) -> Iterator[Building]:
    """A builder and a temporary folder; all that they hold is removed in any case.

    The command ends with exit code 2 if there is no builder or it cannot do what is asked, and with 130 on Ctrl-C.
    """
    import tempfile  # noqa: PLC0415 - few commands need it, and it takes long to load

    with cleaned_up():
        folder = None
        try:
            with (
                tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
                BuildProgress(terminal) as progress,
            ):
                yield from _built(given, Path(folder), progress, terminal)
        finally:
            if folder is not None and Path(folder).exists():
                terminal.err(f"{shown(folder)} could not be removed completely")


def _built(given: BuildsGiven, folder: Path, progress: BuildProgress, terminal: Console) -> Iterator[Building]:
    from dockfix.verify.builders import find_builder  # noqa: PLC0415 - with what follows, only builds need it
    from dockfix.verify.model import BuilderError  # noqa: PLC0415

    builder = None
    try:
        builder = find_builder(given.builder, folder=folder)
        yield Building(builder, folder, progress)
    except KeyboardInterrupt:
        progress.end()
        terminal.err("dockfix: interrupted; nothing was written")
        raise SystemExit(INTERRUPTED) from None
    except (BuilderError, OSError) as error:
        progress.end()
        terminal.fail(shown(str(error)))
    finally:
        progress.end()
        if builder is not None:
            _close(builder, terminal)


def _close(builder: Builder, terminal: Console) -> None:
    from dockfix.verify.model import BuilderError  # noqa: PLC0415 - as above

    try:
        builder.close()
    except (BuilderError, OSError) as error:
        terminal.err(f"not all that {shown(builder.name)} made could be removed: {shown(str(error))}")
