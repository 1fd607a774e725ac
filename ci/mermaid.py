"""Brings mermaid.min.js of the npm package `mermaid`, with which the tests of pictures in Markdown are run.

The package is one file that needs nothing else, so that it is packed, not installed. It is kept in `build/`; where
there is no npm, or nobody answers, a message says so, and the tests are skipped.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "11.16.0"
INTEGRITY: Final = "sha512-Zvm3kbstgdpvIJPPItlL7fppIZ3kibvc1oZIGxdvk9t6UFz6flv+Jw7FtRGKwfcI8OckmH04LqG6LlS6X4B1pA=="
"""As `npm view mermaid@VERSION dist.integrity` prints it."""
SCRIPT: Final = Path(__file__).resolve().parents[1] / "build" / f"mermaid-{VERSION}.min.js"
_MEMBER: Final = "package/dist/mermaid.min.js"
_SECONDS: Final = 300


class NotBroughtError(Exception):
    """The script cannot be had here, or is another one than was asked for."""


def bring(script: Path = SCRIPT) -> None:
    """Write the script, if it is not there.

    Raises:
        NotBroughtError: there is no npm, the package cannot be had, or it is another one.
    """
    if script.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, f"mermaid@{VERSION}"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise NotBroughtError(f"npm does not bring mermaid {VERSION}: {said.strip().splitlines()[-1]}") from error
        content = unpacked(next(Path(folder).glob("*.tgz")))
    script.parent.mkdir(parents=True, exist_ok=True)
    part = script.with_suffix(".part")
    part.write_bytes(content)
    part.replace(script)


def unpacked(archive: Path, integrity: str = INTEGRITY) -> bytes:
    """The script in the archive of the package.

    Raises:
        NotBroughtError: the archive is another one.
    """
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != integrity:
        raise NotBroughtError(f"mermaid {VERSION} has another checksum: sha512-{digest}")
    with tarfile.open(archive) as members:
        member = members.extractfile(_MEMBER)
        if member is None:
            raise NotBroughtError(f"mermaid {VERSION} has no {_MEMBER}")
        return member.read()


if __name__ == "__main__":
    try:
        bring()
    except NotBroughtError as error:
        sys.exit(f"{error}; the pictures of reports are not read by Mermaid itself")
