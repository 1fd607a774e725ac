"""Loads the plug-in once, so that the build fails if it cannot be imported."""

import plugin  # noqa: F401
