"""Which names and values `build-secret` takes for secrets."""

from __future__ import annotations

import pytest

from dockfix_codemods.build_secret.names import is_secret, is_secret_value


@pytest.mark.parametrize(
    "name",
    ["NPM_TOKEN", "npmToken", "DB_PASSWORD", "PGPASSWORD", "SECRET_KEY_BASE", "API_KEY", "apikey", "REGISTRY_AUTH"],
)
def test_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["SORT_KEY", "KEY_ID", "GPG_KEY", "AUTH_URL", "TOKEN_VERSION", "MAX_TOKENS", "TOKENIZERS_PARALLELISM", "USERNAME",
     "PASSWORD_FILE", "NEXT_PUBLIC_API_KEY", "VITE_API_KEY", "AWS_ACCESS_KEY_ID", "ENABLE_AUTH", "", "_"],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


def test_values() -> None:
    assert all(map(is_secret_value, ("changeme", "123456", "a/b+c=")))
    assert not any(map(is_secret_value, ("", "true", "0", "/run/secrets/x", "./key.pem", "tls/key.pem")))
