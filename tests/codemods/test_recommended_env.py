"""The options of `recommended-env`."""

from __future__ import annotations

import pytest

from dockfix_codemods.recommended_env import RecommendedEnvOptions


@pytest.mark.parametrize("name", ["1X", "X Y", ""])
def test_a_name_that_env_cannot_set_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match=r"images\.a/b\..* is not a valid name of a variable"):
        RecommendedEnvOptions({"a/b": {name: "y"}})


def test_a_value_that_env_cannot_set_is_rejected() -> None:
    with pytest.raises(ValueError, match="NUL"):
        RecommendedEnvOptions({"a/b": {"X": "\0"}})
