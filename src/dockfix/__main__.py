"""`python -m dockfix`."""

import sys

# `-m` puts the current folder first on the path, and a `typing.py` in somebody's folder must not be run; so nothing,
# not even `__future__`, is imported before this. What Python itself imports to find this module is beyond our reach.
if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]

from dockfix.cli import main

if __name__ == "__main__":
    sys.exit(main())
