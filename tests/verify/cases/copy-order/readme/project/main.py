import six  # noqa: F401
