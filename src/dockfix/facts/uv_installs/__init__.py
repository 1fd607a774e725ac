"""uv installed by its own script, and what needs uv in the same and later stages.

- `installs`: the installs, and whether their commands can be removed.
- `uses`: which RUNs call the uv of an install, and at which paths.
- `starts`: whether containers of an image call uv.
- `on_path`: whether a command finds uv on PATH.

Sources: docs.astral.sh/uv/getting-started/installation and /reference/installer (the script, its versions, where it
installs), docs.astral.sh/uv/guides/integration/docker (`ADD` of the script; a bind mount of the image's `/uv`). The
image exists since 0.1.36 (astral-sh/uv pull request 3155); versions before 0.2 are not covered.
"""

from dockfix.facts.uv_installs.installs import UvInstall, uv_installs
from dockfix.facts.uv_installs.on_path import UV_IMAGE, uv_is_on_path
from dockfix.facts.uv_installs.starts import is_called_when_it_runs
from dockfix.facts.uv_installs.uses import UvUse, uv_uses

__all__ = ["UV_IMAGE", "UvInstall", "UvUse", "is_called_when_it_runs", "uv_installs", "uv_is_on_path", "uv_uses"]
