"""`python -m dockfix`."""

from __future__ import annotations

import sys

from dockfix.cli import main

if __name__ == "__main__":
    sys.exit(main())
