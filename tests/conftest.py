"""What all tests share."""

from __future__ import annotations

import pytest

from dockfix.codemod.testing import Update


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden[=create|=empty]`: rewrite the expected files of golden cases."""
    parser.addoption(
        "--update-golden",
        nargs="?",
        const=Update.EXISTING.value,
        default=Update.NO.value,
        choices=[update.value for update in Update],
        help="rewrite expected files that exist; `=create` also makes missing ones, `=empty` takes away those of which "
        "nothing is left",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> Update:
    """What may be done to expected files that do not fit."""
    return Update(request.config.getoption("--update-golden"))
